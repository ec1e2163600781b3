dnl CRYOLEX_SIMD: can the compiler make AVX2 and FMA code? Sets AVX2_CFLAGS, HAVE_AVX2 (config.h and Automake).
dnl Whether the CPU has it is asked when the program runs.
AC_DEFUN([CRYOLEX_SIMD], [
  AC_CACHE_CHECK([for AVX2 code], [cryolex_cv_avx2], [
    cryolex_save=$CFLAGS
    CFLAGS="$CFLAGS -mavx2 -mfma"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <immintrin.h>]],
      [[__m256 a = _mm256_setzero_ps();
        return __builtin_cpu_supports("avx2") && _mm256_cvtss_f32(_mm256_fmadd_ps(a, a, a)) != 0;]])],
      [cryolex_cv_avx2=yes], [cryolex_cv_avx2=no])
    CFLAGS=$cryolex_save])
  AS_IF([test $cryolex_cv_avx2 = yes],
        [AC_SUBST([AVX2_CFLAGS], ["-mavx2 -mfma"])
         AC_DEFINE([HAVE_AVX2], [1], [AVX2 variants of the kernels are built])])
  AM_CONDITIONAL([HAVE_AVX2], [test $cryolex_cv_avx2 = yes])
])

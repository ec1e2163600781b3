dnl CRYOLEX_SIMD: can the compiler make code for AVX2 with FMA, and for AVX-512 F, alone and with VNNI (products of 8-bit numbers)? Sets AVX2_CFLAGS, AVX512_CFLAGS
dnl and VNNI_CFLAGS, HAVE_AVX2, HAVE_AVX512 and HAVE_VNNI (config.h and Automake). Whether the CPU has it is asked when the program runs.
AC_DEFUN([CRYOLEX_SIMD_ONE], [
  AC_CACHE_CHECK([for $2 code], [cryolex_cv_$1], [
    cryolex_save=$CFLAGS
    CFLAGS="$CFLAGS $3"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <immintrin.h>]], [[$5]])],
      [cryolex_cv_$1=yes], [cryolex_cv_$1=no])
    CFLAGS=$cryolex_save])
  AS_IF([test $cryolex_cv_$1 = yes],
        [AC_SUBST([$4_CFLAGS], ["$3"])
         AC_DEFINE([HAVE_$4], [1], [$2 variants of the kernels are built])])
  AM_CONDITIONAL([HAVE_$4], [test $cryolex_cv_$1 = yes])
])
AC_DEFUN([CRYOLEX_SIMD], [
  CRYOLEX_SIMD_ONE([avx2], [AVX2], [-mavx2 -mfma], [AVX2],
    [__m256 a = _mm256_setzero_ps();
     return __builtin_cpu_supports("avx2") && _mm256_cvtss_f32(_mm256_fmadd_ps(a, a, a)) != 0;])
  CRYOLEX_SIMD_ONE([avx512], [AVX-512], [-mavx2 -mfma -mavx512f -mprefer-vector-width=512], [AVX512],
    [__m512 a = _mm512_setzero_ps();
     return __builtin_cpu_supports("avx512f") && _mm512_cvtss_f32(_mm512_fmadd_ps(a, a, a)) != 0;])
  CRYOLEX_SIMD_ONE([vnni], [AVX-512 VNNI], [-mavx2 -mfma -mavx512f -mavx512bw -mavx512vl -mavx512vnni -mprefer-vector-width=512], [VNNI],
    [__m512i a = _mm512_setzero_si512();
     return __builtin_cpu_supports("avx512vnni") && _mm512_reduce_add_epi32(_mm512_dpbusd_epi32(a, a, a)) != 0;])
])

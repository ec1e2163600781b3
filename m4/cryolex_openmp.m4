dnl CRYOLEX_OPENMP: the compiler's OpenMP.
AC_DEFUN([CRYOLEX_OPENMP], [
  AC_OPENMP
  AS_IF([test "x$OPENMP_CFLAGS" = x], [CRYOLEX_LACKS([OpenMP by $CC], [libomp-dev], [threads; gcc has it built in, clang has it in libomp-dev])])
])

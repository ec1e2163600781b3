dnl CRYOLEX_FLAGS: warnings, and the switches --enable-debug, --enable-asan, --enable-ubsan, --enable-tsan,
dnl --enable-werror.
dnl Sets OUR_CFLAGS, OUR_CXXFLAGS, OUR_LDFLAGS; CFLAGS stays the user's.
AC_DEFUN([CRYOLEX_FLAGS], [
  cryolex_warn="-Wall -Wextra -Wshadow -Wconversion"
  OUR_CFLAGS="-std=gnu11 $cryolex_warn -Wstrict-prototypes -Wmissing-prototypes -fno-math-errno -fno-trapping-math"
  OUR_CXXFLAGS="-std=c++17 $cryolex_warn"
  OUR_LDFLAGS=

  AC_ARG_ENABLE([debug], [AS_HELP_STRING([--enable-debug], [no optimisation, assertions on])], [], [enable_debug=no])
  AC_ARG_ENABLE([asan], [AS_HELP_STRING([--enable-asan], [AddressSanitizer])], [], [enable_asan=no])
  AC_ARG_ENABLE([ubsan], [AS_HELP_STRING([--enable-ubsan], [UndefinedBehaviorSanitizer, which ends the program])], [], [enable_ubsan=no])
  AC_ARG_ENABLE([tsan], [AS_HELP_STRING([--enable-tsan], [ThreadSanitizer; wants CC=clang CXX=clang++])], [], [enable_tsan=no])
  AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [a warning is an error])], [], [enable_werror=no])

  AS_IF([test "x$enable_debug" = xyes], [OUR_CFLAGS="$OUR_CFLAGS -O0 -g3"; CFLAGS=; CXXFLAGS="-O0 -g3"])
  AS_IF([test "x$enable_werror" = xyes], [OUR_CFLAGS="$OUR_CFLAGS -Werror"; OUR_CXXFLAGS="$OUR_CXXFLAGS -Werror"])
  cryolex_san=
  AS_IF([test "x$enable_asan" = xyes], [cryolex_san="-fsanitize=address -fno-omit-frame-pointer"])
  AS_IF([test "x$enable_ubsan" = xyes],
        [cryolex_san="$cryolex_san -fsanitize=undefined -fno-sanitize-recover=all"])
  dnl GCC's OpenMP runtime synchronises in ways that ThreadSanitizer cannot see; LLVM's tells it, through libarcher.
  AS_IF([test "x$enable_tsan" = xyes], [
    AC_PREPROC_IFELSE([AC_LANG_SOURCE([[
#ifndef __clang__
#error
#endif
]])], [], [AC_MSG_ERROR([--enable-tsan wants clang and its OpenMP runtime: CC=clang CXX=clang++ (Debian: clang libomp-dev)])])
    cryolex_san="$cryolex_san -fsanitize=thread"])
  AS_IF([test "x$cryolex_san" != x],
        [OUR_CFLAGS="$OUR_CFLAGS $cryolex_san"; OUR_CXXFLAGS="$OUR_CXXFLAGS $cryolex_san"; OUR_LDFLAGS="$cryolex_san"])
  AC_SUBST([OUR_CFLAGS])
  AC_SUBST([OUR_CXXFLAGS])
  AC_SUBST([OUR_LDFLAGS])
])

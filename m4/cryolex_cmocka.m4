dnl CRYOLEX_CMOCKA: --with-cmocka=yes|no|check; without it `make check` runs only the command-line tests.
AC_DEFUN([CRYOLEX_CMOCKA], [
  AC_ARG_WITH([cmocka], [AS_HELP_STRING([--with-cmocka], [unit tests: yes, no or check @<:@check@:>@])], [], [with_cmocka=check])
  have_cmocka=no
  AS_IF([test "x$with_cmocka" != xno],
    [PKG_CHECK_MODULES([CMOCKA], [cmocka], [have_cmocka=yes],
      [AS_IF([test "x$with_cmocka" = xyes],
        [CRYOLEX_LACKS([cmocka], [libcmocka-dev], [unit tests; --without-cmocka does without])])])])
  AM_CONDITIONAL([HAVE_CMOCKA], [test "x$have_cmocka" = xyes])
  AS_IF([test "x$have_cmocka" = xyes], [CRYOLEX_PART([cmocka], [`$PKG_CONFIG --modversion cmocka`], [unit tests])],
        [CRYOLEX_PART([cmocka], [missing], [no unit tests])])
])

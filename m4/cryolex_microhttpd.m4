dnl CRYOLEX_MICROHTTPD: --with-microhttpd=yes|no|check; without it there is no cryolex serve.
AC_DEFUN([CRYOLEX_MICROHTTPD], [
  AC_ARG_WITH([microhttpd], [AS_HELP_STRING([--with-microhttpd], [queries by a browser: yes, no or check @<:@check@:>@])], [], [with_microhttpd=check])
  have_microhttpd=no
  AS_IF([test "x$with_microhttpd" != xno],
    [PKG_CHECK_MODULES([MICROHTTPD], [libmicrohttpd >= 0.9.75], [have_microhttpd=yes],
      [AS_IF([test "x$with_microhttpd" = xyes],
        [CRYOLEX_LACKS([libmicrohttpd], [libmicrohttpd-dev], [queries by a browser; --without-microhttpd does without])])])])
  AM_CONDITIONAL([HAVE_MICROHTTPD], [test "x$have_microhttpd" = xyes])
  AS_IF([test "x$have_microhttpd" = xyes],
        [CRYOLEX_PART([libmicrohttpd], [`$PKG_CONFIG --modversion libmicrohttpd`], [queries by a browser])],
        [CRYOLEX_PART([libmicrohttpd], [missing], [no queries by a browser])])
])

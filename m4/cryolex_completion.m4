dnl CRYOLEX_COMPLETION: completionsdir, the folder of bash completions, under the prefix.
AC_DEFUN([CRYOLEX_COMPLETION], [
  AC_ARG_WITH([completions], [AS_HELP_STRING([--with-completions=DIR], [folder of bash completions])],
    [completionsdir=$withval],
    [completionsdir=`$PKG_CONFIG --define-variable=prefix='${prefix}' --variable=completionsdir bash-completion 2>/dev/null`
     AS_IF([test "x$completionsdir" = x], [completionsdir='${datadir}/bash-completion/completions'])])
  AC_SUBST([completionsdir])
])

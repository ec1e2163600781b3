dnl CRYOLEX_LACKS(PART, DEBIAN-PACKAGE, WHAT FOR): note that a required part is missing; configure looks for the rest too.
AC_DEFUN([CRYOLEX_LACKS], [
  cryolex_missing="$cryolex_missing  $1: $3
"
  cryolex_packages="$cryolex_packages $2"
])
dnl CRYOLEX_MISSING: end with one error that names all that is missing and its Debian packages.
AC_DEFUN([CRYOLEX_MISSING], [
  AS_IF([test "x$cryolex_missing" != x], [AC_MSG_ERROR([missing, and needed:
$cryolex_missing  Debian: apt-get install$cryolex_packages])])
])

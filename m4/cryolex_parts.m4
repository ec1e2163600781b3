dnl CRYOLEX_PART(NAME, VERSION, WHAT FOR): one line of the list of parts.
AC_DEFUN([CRYOLEX_PART], [
  cryolex_parts="$cryolex_parts  $1 $2: $3
"
  cryolex_parts_c="$cryolex_parts_c  $1 $2: $3\\n"
])
dnl CRYOLEX_LIST_PARTS: the list goes into config.h, for `cryolex --version`.
AC_DEFUN([CRYOLEX_LIST_PARTS], [
  AC_DEFINE_UNQUOTED([CRYOLEX_PARTS], ["$cryolex_parts_c"], [The libraries built in, one a line.])
])

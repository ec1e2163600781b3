dnl CRYOLEX_BZIP2: libbz2, which has no .pc file in Debian.
AC_DEFUN([CRYOLEX_BZIP2], [
  cryolex_save_LIBS=$LIBS
  have_bzip2=no
  AC_CHECK_HEADER([bzlib.h], [AC_SEARCH_LIBS([BZ2_bzDecompressInit], [bz2], [have_bzip2=yes])])
  LIBS=$cryolex_save_LIBS
  AC_SUBST([BZIP2_LIBS], [-lbz2])
  AS_IF([test "x$have_bzip2" = xyes], [CRYOLEX_PART([bzip2], [1], [bzip2 files])],
        [CRYOLEX_LACKS([bzip2], [libbz2-dev], [bzip2 files])])
])

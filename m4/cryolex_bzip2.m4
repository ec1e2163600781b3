dnl CRYOLEX_BZIP2: libbz2, which has no .pc file in Debian.
AC_DEFUN([CRYOLEX_BZIP2], [
  AC_CHECK_HEADER([bzlib.h], [], [AC_MSG_ERROR([bzlib.h not found; it is needed for bzip2 files. Debian: apt-get install libbz2-dev])])
  cryolex_save_LIBS=$LIBS
  AC_SEARCH_LIBS([BZ2_bzDecompressInit], [bz2], [],
    [AC_MSG_ERROR([libbz2 not found; it is needed for bzip2 files. Debian: apt-get install libbz2-dev])])
  LIBS=$cryolex_save_LIBS
  AC_SUBST([BZIP2_LIBS], [-lbz2])
  CRYOLEX_PART([bzip2], [1], [bzip2 files])
])

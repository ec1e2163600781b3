dnl CRYOLEX_REQUIRE(VAR, MODULE, DEBIAN-PACKAGE, WHAT FOR, [FALLBACK-MODULE])
dnl Finds a library by pkg-config; a missing one is an error that names the Debian package.
AC_DEFUN([CRYOLEX_REQUIRE], [
  PKG_CHECK_MODULES([$1], [$2], [cryolex_mod="$2"], [
    m4_ifval([$5],
      [PKG_CHECK_MODULES([$1], [$5], [cryolex_mod="$5"],
        [AC_MSG_ERROR([$2 not found; it is needed for $4. Debian: apt-get install $3])])],
      [AC_MSG_ERROR([$2 not found; it is needed for $4. Debian: apt-get install $3])])
  ])
  CRYOLEX_PART([$cryolex_mod], [`$PKG_CONFIG --modversion $cryolex_mod`], [$4])
])

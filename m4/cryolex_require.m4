dnl CRYOLEX_REQUIRE(VAR, MODULE, DEBIAN-PACKAGE, WHAT FOR, [FALLBACK-MODULE])
dnl Finds a library by pkg-config, or notes that it is missing.
AC_DEFUN([CRYOLEX_REQUIRE], [
  cryolex_mod=
  PKG_CHECK_MODULES([$1], [$2], [cryolex_mod="$2"],
    [m4_ifval([$5], [PKG_CHECK_MODULES([$1], [$5], [cryolex_mod="$5"], [:])], [:])])
  AS_IF([test "x$cryolex_mod" = x], [CRYOLEX_LACKS([$2], [$3], [$4])],
        [CRYOLEX_PART([${cryolex_mod%% *}], [`$PKG_CONFIG --modversion $cryolex_mod`], [$4])])
])

dnl CRYOLEX_LIBRARY: --enable-library=yes|no|check; libcryolex, shared and static, beside the program. Its objects are the program's: compiled once,
dnl position-independent, and hidden but for what lib/cryolex.map names. Not by libtool, which would compile everything twice.
AC_DEFUN([CRYOLEX_LIBRARY], [
  AC_ARG_ENABLE([library], [AS_HELP_STRING([--enable-library], [libcryolex for programs in C and Python: yes, no or check @<:@check@:>@])],
    [], [enable_library=check])
  AC_CHECK_TOOL([OBJCOPY], [objcopy])
  have_library=no
  AS_IF([test "x$enable_library" = xcheck && test "x$cryolex_san" != x], [enable_library=no])
  AS_IF([test "x$enable_library" != xno], [
    AC_CACHE_CHECK([for ELF libraries with versions of symbols], [cryolex_cv_library], [
      cryolex_save_CFLAGS=$CFLAGS
      cryolex_save_LDFLAGS=$LDFLAGS
      echo 'V { global: main; local: *; };' >conftest.map
      CFLAGS="$CFLAGS -fPIC -fvisibility=hidden"
      LDFLAGS="$LDFLAGS -shared -Wl,-soname,conftest.so.0 -Wl,--version-script=conftest.map -Wl,--as-needed"
      AC_LINK_IFELSE([AC_LANG_PROGRAM([[
#ifndef __ELF__
#error
#endif
]], [[]])], [cryolex_cv_library=yes], [cryolex_cv_library=no])
      CFLAGS=$cryolex_save_CFLAGS
      LDFLAGS=$cryolex_save_LDFLAGS
      rm -f conftest.map])
    AS_IF([test $cryolex_cv_library = yes && test "x$OBJCOPY" != x], [have_library=yes],
      [test "x$enable_library" = xyes],
      [CRYOLEX_LACKS([objcopy, and a linker of ELF libraries], [binutils], [libcryolex; --disable-library does without])])])
  AM_CONDITIONAL([HAVE_LIBRARY], [test $have_library = yes])
  AS_IF([test $have_library = yes],
    [AC_LANG_PUSH([C++])
     AC_CACHE_CHECK([whether $CXX takes -fno-gnu-unique], [cryolex_cv_no_unique], [
       cryolex_save_CXXFLAGS=$CXXFLAGS
       CXXFLAGS="$CXXFLAGS -fno-gnu-unique"
       AC_COMPILE_IFELSE([AC_LANG_PROGRAM()], [cryolex_cv_no_unique=yes], [cryolex_cv_no_unique=no])
       CXXFLAGS=$cryolex_save_CXXFLAGS])
     AC_LANG_POP([C++])
     AS_IF([test $cryolex_cv_no_unique = yes], [OUR_CXXFLAGS="$OUR_CXXFLAGS -fno-gnu-unique"])
     OUR_CFLAGS="$OUR_CFLAGS -fPIC -fvisibility=hidden"
     OUR_CXXFLAGS="$OUR_CXXFLAGS -fPIC -fvisibility=hidden"
     CRYOLEX_PART([libcryolex], [$PACKAGE_VERSION], [the library])],
    [CRYOLEX_PART([libcryolex], [missing], [the program only])])
])

dnl CRYOLEX_GEMMI: gemmi's headers (header-only in Debian 12) with tao-pegtl, or the compiled libgemmi_cpp of later releases.
AC_DEFUN([CRYOLEX_GEMMI_LINKS], [
  AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <gemmi/pdb.hpp>]],
    [[gemmi::Structure s = gemmi::read_pdb_from_memory("END", 3, "x"); return (int) s.models.size();]])], [$1], [$2])
])
AC_DEFUN([CRYOLEX_GEMMI], [
  AC_LANG_PUSH([C++])
  cryolex_save_CXXFLAGS=$CXXFLAGS
  cryolex_save_LIBS=$LIBS
  CXXFLAGS="$CXXFLAGS -std=c++17"
  have_gemmi=yes GEMMI_LIBS=
  AC_CHECK_HEADER([gemmi/model.hpp], [], [have_gemmi=no; CRYOLEX_LACKS([gemmi/model.hpp], [gemmi-dev], [PDB and mmCIF files])])
  AC_CHECK_HEADER([tao/pegtl.hpp], [], [have_gemmi=no; CRYOLEX_LACKS([tao/pegtl.hpp], [tao-pegtl-dev], [gemmi, for mmCIF files])])
  AS_IF([test $have_gemmi = yes], [
    AC_MSG_CHECKING([whether gemmi is header-only])
    CRYOLEX_GEMMI_LINKS([AC_MSG_RESULT([yes])], [
      AC_MSG_RESULT([no, trying -lgemmi_cpp])
      LIBS="-lgemmi_cpp $LIBS"
      CRYOLEX_GEMMI_LINKS([GEMMI_LIBS=-lgemmi_cpp],
        [AC_MSG_ERROR([gemmi found, but a program with it does not link; see config.log. Debian: apt-get install gemmi-dev])])])
    cryolex_gemmi_version=`printf '#include <gemmi/version.hpp>\nGEMMI_VERSION\n' | $CXX $CPPFLAGS -E -P -x c++ - 2>/dev/null | tail -n 1 | tr -d '"'`
    CRYOLEX_PART([gemmi], [$cryolex_gemmi_version], [PDB and mmCIF files])])
  CXXFLAGS=$cryolex_save_CXXFLAGS
  LIBS=$cryolex_save_LIBS
  AC_LANG_POP([C++])
  AC_SUBST([GEMMI_LIBS])
])

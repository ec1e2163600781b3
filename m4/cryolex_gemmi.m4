dnl CRYOLEX_GEMMI: gemmi's headers (header-only in Debian 12) with tao-pegtl, or the compiled libgemmi_cpp of later releases.
AC_DEFUN([CRYOLEX_GEMMI], [
  AC_LANG_PUSH([C++])
  cryolex_save_CXXFLAGS=$CXXFLAGS
  cryolex_save_LIBS=$LIBS
  CXXFLAGS="$CXXFLAGS -std=c++17"
  AC_CHECK_HEADER([gemmi/model.hpp], [],
    [AC_MSG_ERROR([gemmi/model.hpp not found; it is needed for PDB and mmCIF files. Debian: apt-get install gemmi-dev])])
  AC_CHECK_HEADER([tao/pegtl.hpp], [],
    [AC_MSG_ERROR([tao/pegtl.hpp not found; gemmi needs it for mmCIF files. Debian: apt-get install tao-pegtl-dev])])
  AC_MSG_CHECKING([whether gemmi is header-only])
  AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <gemmi/pdb.hpp>]],
                                  [[gemmi::Structure s = gemmi::read_pdb_from_memory("END", 3, "x"); return (int) s.models.size();]])],
    [AC_MSG_RESULT([yes]); GEMMI_LIBS=],
    [AC_MSG_RESULT([no, trying -lgemmi_cpp])
     LIBS="-lgemmi_cpp $LIBS"
     AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <gemmi/pdb.hpp>]],
                                     [[gemmi::Structure s = gemmi::read_pdb_from_memory("END", 3, "x"); return (int) s.models.size();]])],
       [GEMMI_LIBS=-lgemmi_cpp],
       [AC_MSG_ERROR([gemmi found, but a program with it does not link. Debian: apt-get install gemmi-dev])])])
  cryolex_gemmi_version=`printf '#include <gemmi/version.hpp>\nGEMMI_VERSION\n' | $CXX $CPPFLAGS -E -P -x c++ - 2>/dev/null | tail -n 1 | tr -d '"'`
  CXXFLAGS=$cryolex_save_CXXFLAGS
  LIBS=$cryolex_save_LIBS
  AC_LANG_POP([C++])
  AC_SUBST([GEMMI_LIBS])
  CRYOLEX_PART([gemmi], [$cryolex_gemmi_version], [PDB and mmCIF files])
])

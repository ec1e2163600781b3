dnl CRYOLEX_MPI: --with-mpi=yes|no|check; without it training runs in one process.
AC_DEFUN([CRYOLEX_MPI], [
  AC_ARG_WITH([mpi], [AS_HELP_STRING([--with-mpi], [training by several processes: yes, no or check @<:@check@:>@])], [], [with_mpi=check])
  have_mpi=no
  AS_IF([test "x$with_mpi" != xno],
    [PKG_CHECK_MODULES([MPI], [ompi-c], [have_mpi=ompi-c],
      [PKG_CHECK_MODULES([MPI], [mpich], [have_mpi=mpich],
        [AS_IF([test "x$with_mpi" = xyes],
          [CRYOLEX_LACKS([mpi], [libopenmpi-dev], [training by several processes; --without-mpi does without])])])])])
  AM_CONDITIONAL([HAVE_MPI], [test "x$have_mpi" != xno])
  AS_IF([test "x$have_mpi" != xno], [CRYOLEX_PART([mpi], [`$PKG_CONFIG --modversion $have_mpi`], [training by several processes])],
        [CRYOLEX_PART([mpi], [missing], [training by one process only])])
])

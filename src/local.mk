# src/: the program.
bin_PROGRAMS += cryolex
cryolex_SOURCES = src/main.c src/cmd.h src/doc.c src/doc.h src/table.c src/table.h src/cmd_simulate.c
cryolex_CPPFLAGS = $(AM_CPPFLAGS) $(OPENBLAS_CFLAGS) $(JANSSON_CFLAGS)
cryolex_LDADD = $(PIPELINE_LIBS) $(VOXEL_LIBS) $(PDB_LIBS) $(MRC_LIBS) $(BASE_LIBS) $(OPENBLAS_LIBS) $(JANSSON_LIBS)

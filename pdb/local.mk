# pdb/: atomic model files -> model_t, by a thin C++ shim over gemmi. Includes base/ only.
noinst_LIBRARIES += libpdb.a
libpdb_a_SOURCES = \
	pdb/build.c \
	pdb/factors.h \
	pdb/gemmi_shim.cc \
	pdb/model.c pdb/model.h \
	pdb/pdb.c pdb/pdb.h \
	pdb/raw.h \
	pdb/text.c
libpdb_a_CPPFLAGS = $(AM_CPPFLAGS) $(DEFLATE_CFLAGS)
PDB_LIBS = libpdb.a $(GEMMI_LIBS) $(DEFLATE_LIBS) -lstdc++

if HAVE_CMOCKA
check_PROGRAMS += tests/test_pdb_corpus
TESTS += tests/test_pdb_corpus
tests_test_pdb_corpus_SOURCES = tests/test_pdb_corpus.c
tests_test_pdb_corpus_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_pdb_corpus_LDADD = $(PDB_LIBS) $(BASE_LIBS) $(TEST_LIBS)
endif

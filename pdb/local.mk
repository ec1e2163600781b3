# pdb/: atomic model files -> model_t, by a thin C++ shim over gemmi. Includes base/ only.
noinst_LIBRARIES += libpdb.a
libpdb_a_SOURCES = \
	pdb/build.c \
	pdb/factors.h \
	pdb/gemmi_border.h pdb/gemmi_place.cc pdb/gemmi_shim.cc \
	pdb/model.c pdb/model.h \
	pdb/pdb.c pdb/pdb.h \
	pdb/raw.h \
	pdb/text.c
# gemmi shifts negative residue numbers left and lets bad integers overflow: harmless once defined. vptr would want
# the C++ sanitizer runtime in C programs.
libpdb_a_CXXFLAGS = $(AM_CXXFLAGS) -fwrapv -fno-sanitize=shift,signed-integer-overflow,vptr
libpdb_a_CPPFLAGS = $(AM_CPPFLAGS) $(DEFLATE_CFLAGS)
PDB_LIBS = libpdb.a $(GEMMI_LIBS) $(DEFLATE_LIBS) -lstdc++

if HAVE_CMOCKA
check_PROGRAMS += tests/test_pdb tests/test_pdb_corpus
TESTS += tests/test_pdb tests/test_pdb_corpus
tests_test_pdb_SOURCES = tests/test_pdb.c
tests_test_pdb_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) $(DEFLATE_CFLAGS)
tests_test_pdb_LDADD = $(PDB_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_pdb_corpus_SOURCES = tests/test_pdb_corpus.c
tests_test_pdb_corpus_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_pdb_corpus_LDADD = $(PDB_LIBS) $(BASE_LIBS) $(TEST_LIBS)
endif

# libFuzzer, by hand: configure CC=clang CXX=clang++ --enable-asan --enable-ubsan CFLAGS="-g -O1 -fsanitize=fuzzer-no-link"
# CXXFLAGS="-g -O1 -fsanitize=fuzzer-no-link", make tests/fuzz/fuzz_pdb, tests/fuzz/fuzz_pdb -max_total_time=60 CORPUS
EXTRA_PROGRAMS += tests/fuzz/fuzz_pdb tests/dump_model
tests_dump_model_SOURCES = tests/dump_model.c
tests_dump_model_LDADD = $(PDB_LIBS) $(BASE_LIBS)
tests_fuzz_fuzz_pdb_SOURCES = tests/fuzz/fuzz_pdb.c
tests_fuzz_fuzz_pdb_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_pdb_LDADD = $(PDB_LIBS) $(BASE_LIBS)

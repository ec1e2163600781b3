# mrc/: density files <-> vol_t. Includes base/ only.
noinst_LIBRARIES += libmrc.a
libmrc_a_CPPFLAGS = $(AM_CPPFLAGS) $(ZLIB_CFLAGS) $(DEFLATE_CFLAGS) $(LZMA_CFLAGS) $(ZSTD_CFLAGS)
libmrc_a_SOURCES = \
	mrc/codec.c mrc/codec.h \
	mrc/data.c mrc/data.h \
	mrc/head.c mrc/head.h \
	mrc/judge.c \
	mrc/mrc.h \
	mrc/planes.c mrc/planes.h \
	mrc/read.c mrc/reader.h \
	mrc/skew.c mrc/skew.h \
	mrc/sniff.c mrc/sniff.h \
	mrc/source.c mrc/source.h \
	mrc/validate.c \
	mrc/write.c
MRC_LIBS = libmrc.a $(DEFLATE_LIBS) $(ZLIB_LIBS) $(BZIP2_LIBS) $(LZMA_LIBS) $(ZSTD_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += tests/test_mrc tests/test_planes
TESTS += tests/test_mrc tests/test_planes
tests_test_mrc_SOURCES = tests/test_mrc.c
tests_test_mrc_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_mrc_LDADD = $(MRC_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_planes_SOURCES = tests/test_planes.c
tests_test_planes_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_planes_LDADD = $(MRC_LIBS) $(BASE_LIBS) $(TEST_LIBS)
endif
EXTRA_DIST += tests/mrcfile.h

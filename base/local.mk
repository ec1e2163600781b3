# base/: errors, memory, volumes, options, files. Includes libc, OpenMP and libdeflate only.
noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	base/block.c base/block.h \
	base/clock.c base/clock.h \
	base/err.c base/err.h \
	base/file.c base/file.h \
	base/gz.c base/gz.h \
	base/half.c base/half.h \
	base/intern.c base/intern.h \
	base/log.c base/log.h \
	base/mem.c base/mem.h \
	base/notes.c base/notes.h \
	base/opt.c base/opt.h \
	base/progress.c base/progress.h \
	base/rng.c base/rng.h \
	base/sha256.c base/sha256.h \
	base/threads.c base/threads.h \
	base/tsv.c base/tsv.h \
	base/utf8.c base/utf8.h \
	base/vol.c base/vol.h
libbase_a_CPPFLAGS = $(AM_CPPFLAGS) $(DEFLATE_CFLAGS)
BASE_LIBS = libbase.a $(DEFLATE_LIBS) -lm

if HAVE_CMOCKA
check_PROGRAMS += tests/test_base
TESTS += tests/test_base
tests_test_base_SOURCES = tests/test_base.c
tests_test_base_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) $(DEFLATE_CFLAGS)
tests_test_base_LDADD = $(BASE_LIBS) $(TEST_LIBS)
endif

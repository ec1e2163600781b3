# mrc/: density files <-> vol_t. Includes base/ only.
noinst_LIBRARIES += libmrc.a
libmrc_a_CPPFLAGS = $(AM_CPPFLAGS) $(ZLIB_CFLAGS) $(DEFLATE_CFLAGS) $(LZMA_CFLAGS) $(ZSTD_CFLAGS) $(XML_CFLAGS) $(HDF5_CFLAGS) $(TIFF_CFLAGS)
libmrc_a_SOURCES = \
	mrc/axes.c mrc/axes.h \
	mrc/codec.c mrc/codec.h \
	mrc/data.c mrc/data.h \
	mrc/dx.c \
	mrc/em.c \
	mrc/emdb.c mrc/emdb.h \
	mrc/format.h \
	mrc/h5data.c \
	mrc/apart.c mrc/apart.h mrc/h5apart.c \
	mrc/hdf5.c mrc/hdf5.h mrc/hdf5write.c \
	mrc/head.c mrc/head.h \
	mrc/judge.c \
	mrc/map.c mrc/map.h mrc/mapfile.h mrc/mapwrite.c \
	mrc/mrc.h \
	mrc/output.h \
	mrc/planes.c mrc/planes.h \
	mrc/read.c mrc/reader.h \
	mrc/sink.c mrc/sink.h \
	mrc/situs.c \
	mrc/skew.c mrc/skew.h \
	mrc/sniff.c mrc/sniff.h \
	mrc/source.c mrc/source.h \
	mrc/spider.c \
	mrc/stream.c mrc/stream.h \
	mrc/text.c mrc/text.h \
	mrc/tiff.c mrc/tiffwrite.c \
	mrc/validate.c \
	mrc/values.c mrc/values.h \
	mrc/write.c \
	mrc/xml.c mrc/xml.h
MRC_LIBS = libmrc.a $(DEFLATE_LIBS) $(ZLIB_LIBS) $(BZIP2_LIBS) $(LZMA_LIBS) $(ZSTD_LIBS) $(XML_LIBS) $(HDF5_LIBS) $(TIFF_LIBS)

# dump_mrc is for tests/parity/mrc.py, bench_mrc for tests/bench/read_mrc.py tests/parity/formats.py doc/formats.md.
if HAVE_CMOCKA
check_PROGRAMS += tests/test_mrc tests/test_planes tests/test_zoo tests/dump_mrc tests/bench_mrc tests/fuzz/replay_mrc
TESTS += tests/test_mrc tests/test_planes tests/test_zoo tests/fuzz/replay_mrc
tests_test_mrc_SOURCES = tests/test_mrc.c
tests_test_mrc_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_mrc_LDADD = $(MRC_LIBS) $(BASE_LIBS) $(TEST_LIBS)
check_PROGRAMS += tests/test_apart tests/test_formats tests/test_hdf5 tests/test_tiff tests/fuzz/replay_map
TESTS += tests/test_apart tests/test_formats tests/test_hdf5 tests/test_tiff tests/fuzz/replay_map
check_PROGRAMS += tests/test_map_write
TESTS += tests/test_map_write
tests_test_map_write_SOURCES = tests/test_map_write.c
tests_test_map_write_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_map_write_LDADD = $(MRC_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_formats_SOURCES = tests/test_formats.c tests/volfile.h
tests_test_formats_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_formats_LDADD = $(MRC_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_apart_SOURCES = tests/test_apart.c
tests_test_apart_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_apart_LDADD = $(MRC_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_hdf5_SOURCES = tests/test_hdf5.c tests/h5faults.h tests/volfile.h
tests_test_hdf5_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) $(HDF5_CFLAGS)
tests_test_hdf5_LDADD = $(MRC_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_tiff_SOURCES = tests/test_tiff.c tests/volfile.h
tests_test_tiff_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) $(TIFF_CFLAGS)
tests_test_tiff_LDADD = $(MRC_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_planes_SOURCES = tests/test_planes.c
tests_test_planes_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_planes_LDADD = $(MRC_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_zoo_SOURCES = tests/test_zoo.c
tests_test_zoo_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) -DZOO_TABLE='"$(abs_srcdir)/tests/zoo.tsv"'
tests_test_zoo_LDADD = $(MRC_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_dump_mrc_SOURCES = tests/dump_mrc.c
tests_dump_mrc_LDADD = $(MRC_LIBS) $(BASE_LIBS)
tests_bench_mrc_SOURCES = tests/bench_mrc.c
tests_bench_mrc_LDADD = $(MRC_LIBS) $(BASE_LIBS)
tests_fuzz_replay_mrc_SOURCES = tests/fuzz/fuzz_mrc.c tests/fuzz/corpus_mrc.h tests/fuzz/replay.h
tests_fuzz_replay_mrc_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) -DREPLAY
tests_fuzz_replay_mrc_LDADD = $(MRC_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_fuzz_replay_map_SOURCES = tests/fuzz/fuzz_map.c tests/h5faults.h tests/fuzz/replay.h
tests_fuzz_replay_map_CPPFLAGS = $(AM_CPPFLAGS) $(HDF5_CFLAGS) $(TIFF_CFLAGS) -DREPLAY
tests_fuzz_replay_map_LDADD = $(MRC_LIBS) $(BASE_LIBS)
endif
dist_check_SCRIPTS += tests/test_info.sh
TESTS += tests/test_info.sh
EXTRA_DIST += tests/mrcfile.h tests/zoo.tsv tests/parity/mrc.py tests/parity/mrc.tsv tests/bench/read_mrc.py tests/parity/formats.py doc/formats.md

# libFuzzer on the readers: make fuzz (MRC) and make fuzz-map (every format) [FUZZ_SECONDS=600]. Needs clang; findings and the grown
# corpus stay in fuzz_mrc.d and fuzz_map.d.
FUZZ_SECONDS = 60
FUZZ_FLAGS = -g -O1 -std=gnu11 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
FUZZ_MRC = $(srcdir)/mrc/*.c $(FUZZ_BASE:%=$(srcdir)/base/%.c)
FUZZ_BASE = err mem notes vol file intern gz utf8 clock
FUZZ_MRC_CPPFLAGS = $(DEFS) $(AM_CPPFLAGS) $(XML_CFLAGS) $(HDF5_CFLAGS) $(TIFF_CFLAGS)
FUZZ_MRC_LIBS = $(DEFLATE_LIBS) $(ZLIB_LIBS) $(BZIP2_LIBS) $(LZMA_LIBS) $(ZSTD_LIBS) $(XML_LIBS) $(HDF5_LIBS) $(TIFF_LIBS) -lm
fuzz: tests/fuzz/replay_mrc$(EXEEXT)
	@$(MKDIR_P) fuzz_mrc.d/corpus
	./tests/fuzz/replay_mrc$(EXEEXT) --write fuzz_mrc.d/corpus
	clang $(FUZZ_FLAGS) $(FUZZ_MRC_CPPFLAGS) -o fuzz_mrc.d/fuzz_mrc $(srcdir)/tests/fuzz/fuzz_mrc.c $(FUZZ_MRC) $(FUZZ_MRC_LIBS)
	cd fuzz_mrc.d && ./fuzz_mrc -max_total_time=$(FUZZ_SECONDS) -max_len=20000 -timeout=10 -rss_limit_mb=2048 corpus
fuzz-map: tests/fuzz/replay_map$(EXEEXT)
	@$(MKDIR_P) fuzz_map.d/corpus
	./tests/fuzz/replay_map$(EXEEXT) --write fuzz_map.d/corpus
	clang $(FUZZ_FLAGS) $(FUZZ_MRC_CPPFLAGS) -o fuzz_map.d/fuzz_map $(srcdir)/tests/fuzz/fuzz_map.c $(FUZZ_MRC) $(FUZZ_MRC_LIBS)
	cd fuzz_map.d && ./fuzz_map -max_total_time=$(FUZZ_SECONDS) -max_len=20000 -timeout=10 -rss_limit_mb=2048 corpus
# HDF5 is read by a fork, of which libFuzzer sees nothing: files are changed at random instead. Faults of libhdf5 that the fork kept to itself are
# counted; a report of a sanitizer with none of its functions on the stack is one of ours, and fails.
fuzz-hdf5:
	@$(MKDIR_P) fuzz_hdf5.d
	clang -g -O1 -std=gnu11 -fsanitize=address,undefined -fno-sanitize-recover=all -DREPLAY -DAPART_SPEAKS $(FUZZ_MRC_CPPFLAGS) -o fuzz_hdf5.d/fuzz_hdf5 $(srcdir)/tests/fuzz/fuzz_map.c $(FUZZ_MRC) $(FUZZ_MRC_LIBS)
	./fuzz_hdf5.d/fuzz_hdf5 --change $(FUZZ_SECONDS) $(FUZZ_FILES) 2>fuzz_hdf5.d/log
	@awk '/ERROR: AddressSanitizer|runtime error/ { if (open && !lib) ours++; open = 1; lib = 0; n++ } /libhdf5/ { lib = 1 } \
	  END { if (open && !lib) ours++; print n + 0 " reports, " ours + 0 " without libhdf5"; exit ours > 0 }' fuzz_hdf5.d/log
.PHONY: fuzz fuzz-map fuzz-hdf5

# Headers of EMDB. dump_emdb is for tests/parity/emdb.py.
if HAVE_CMOCKA
check_PROGRAMS += tests/test_emdb tests/dump_emdb tests/fuzz/replay_emdb
TESTS += tests/test_emdb tests/fuzz/replay_emdb
tests_test_emdb_SOURCES = tests/test_emdb.c tests/emdb_xml.h
tests_test_emdb_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_emdb_LDADD = $(MRC_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_dump_emdb_SOURCES = tests/dump_emdb.c
tests_dump_emdb_LDADD = $(MRC_LIBS) $(BASE_LIBS)
tests_fuzz_replay_emdb_SOURCES = tests/fuzz/fuzz_emdb.c tests/fuzz/replay.h tests/emdb_xml.h
tests_fuzz_replay_emdb_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY
tests_fuzz_replay_emdb_LDADD = $(MRC_LIBS) $(BASE_LIBS)
endif
EXTRA_DIST += tests/parity/emdb.py tests/parity/emdb.tsv

# libFuzzer on the readers of XML: make fuzz-emdb [FUZZ_SECONDS=600]. Needs clang; findings and the corpus stay in fuzz_emdb.d.
fuzz-emdb: tests/fuzz/replay_emdb$(EXEEXT)
	@$(MKDIR_P) fuzz_emdb.d/corpus
	./tests/fuzz/replay_emdb$(EXEEXT) --write fuzz_emdb.d/corpus
	clang $(FUZZ_FLAGS) $(DEFS) $(AM_CPPFLAGS) $(XML_CFLAGS) $(DEFLATE_CFLAGS) -o fuzz_emdb.d/fuzz_emdb \
	  $(srcdir)/tests/fuzz/fuzz_emdb.c $(srcdir)/mrc/emdb.c $(srcdir)/mrc/xml.c $(srcdir)/base/err.c $(srcdir)/base/mem.c $(srcdir)/base/block.c \
	  $(srcdir)/base/notes.c $(srcdir)/base/intern.c $(srcdir)/base/gz.c $(srcdir)/base/file.c $(XML_LIBS) $(DEFLATE_LIBS)
	cd fuzz_emdb.d && ./fuzz_emdb -max_total_time=$(FUZZ_SECONDS) -max_len=8192 -timeout=10 -rss_limit_mb=2048 corpus
.PHONY: fuzz-emdb

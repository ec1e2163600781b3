# text/: tokenizer and frozen sentence encoder. Includes nn/, base/.
noinst_LIBRARIES += libtext.a
libtext_a_CPPFLAGS = $(AM_CPPFLAGS) $(UTF8PROC_CFLAGS) $(JANSSON_CFLAGS) $(LZMA_CFLAGS)
libtext_a_SOURCES = \
	text/folder.c text/folder.h \
	text/layers.c text/layers.h \
	text/sentence.c text/sentence.h \
	text/weights.c \
	text/wordpiece.c text/wordpiece.h
TEXT_LIBS = libtext.a $(NN_LIBS) $(UTF8PROC_LIBS) $(JANSSON_LIBS) $(LZMA_LIBS)

if HAVE_CMOCKA
TEXT_TESTS = tests/test_sentence tests/test_wordpiece
check_PROGRAMS += $(TEXT_TESTS)
TESTS += $(TEXT_TESTS)
tests_test_sentence_SOURCES = tests/test_sentence.c
tests_test_sentence_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) $(JANSSON_CFLAGS) -DPARITY='"$(abs_srcdir)/tests/parity"'
tests_test_sentence_LDADD = $(TEXT_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_wordpiece_SOURCES = tests/test_wordpiece.c
tests_test_wordpiece_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_wordpiece_LDADD = $(TEXT_LIBS) $(BASE_LIBS) $(TEST_LIBS)
check_PROGRAMS += tests/fuzz/replay_text
TESTS += tests/fuzz/replay_text
tests_fuzz_replay_text_SOURCES = tests/fuzz/fuzz_text.c tests/fuzz/replay.h
tests_fuzz_replay_text_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY
tests_fuzz_replay_text_LDADD = $(TEXT_LIBS) $(BASE_LIBS)
endif

# The tiny encoders of tests/test_sentence.c, and the script that made them.
EXTRA_DIST += tests/parity/text_tiny.py tests/parity/text_bert.json tests/parity/text_bert tests/parity/text_mpnet.json \
	tests/parity/text_mpnet

# libFuzzer on texts, vocabularies and folders: make fuzz-text [FUZZ_SECONDS=600]. Needs clang; findings and the corpus
# stay in fuzz_text.d.
fuzz-text: tests/fuzz/replay_text$(EXEEXT)
	@$(MKDIR_P) fuzz_text.d/corpus
	./tests/fuzz/replay_text$(EXEEXT) --write fuzz_text.d/corpus
	clang $(FUZZ_FLAGS) $(DEFS) $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(UTF8PROC_CFLAGS) -o fuzz_text.d/fuzz_text \
	  $(srcdir)/tests/fuzz/fuzz_text.c $(srcdir)/text/folder.c $(srcdir)/text/wordpiece.c $(srcdir)/base/err.c \
	  $(srcdir)/base/mem.c $(srcdir)/base/block.c $(srcdir)/base/file.c $(srcdir)/base/utf8.c $(JANSSON_LIBS) $(UTF8PROC_LIBS)
	cd fuzz_text.d && ./fuzz_text -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -timeout=10 -rss_limit_mb=2048 corpus
.PHONY: fuzz-text

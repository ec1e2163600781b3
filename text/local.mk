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
endif

# The tiny encoders of tests/test_sentence.c, and the script that made them.
EXTRA_DIST += tests/parity/text_tiny.py tests/parity/text_bert.json tests/parity/text_bert tests/parity/text_mpnet.json \
	tests/parity/text_mpnet

# text/: tokenizer and frozen sentence encoder. Includes nn/, base/.
noinst_LIBRARIES += libtext.a
libtext_a_CPPFLAGS = $(AM_CPPFLAGS) $(UTF8PROC_CFLAGS) $(JANSSON_CFLAGS) $(LZMA_CFLAGS)
libtext_a_SOURCES = \
	text/sentence.h \
	text/wordpiece.h
TEXT_LIBS = libtext.a $(NN_LIBS) $(UTF8PROC_LIBS) $(JANSSON_LIBS) $(LZMA_LIBS)

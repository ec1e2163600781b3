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

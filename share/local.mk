# share/: the model and the index that come with the program, where they have been built.
EXTRA_DIST += share/README share/MODEL-CARD.md
SHARED = README MODEL-CARD.md default.safetensors default.index.h5

install-data-hook:
	$(MKDIR_P) '$(DESTDIR)$(pkgdatadir)'
	for f in $(SHARED); do \
	  test ! -f '$(srcdir)/share/'$$f || $(INSTALL_DATA) '$(srcdir)/share/'$$f '$(DESTDIR)$(pkgdatadir)' || exit 1; \
	done

uninstall-hook:
	-for f in $(SHARED); do rm -f '$(DESTDIR)$(pkgdatadir)'/$$f; done

dist-hook:
	for f in default.safetensors default.index.h5; do test ! -f '$(srcdir)/share/'$$f || cp -p '$(srcdir)/share/'$$f '$(distdir)/share/' || exit 1; done

distclean-local: # a build outside the source has a link to it, for the uninstalled program
	test ! -L share || rm -f share

# doc/: man pages and bash completion, made by the program from its command and option tables.
man1dir = $(mandir)/man1
noinst_DATA += doc/man.stamp doc/cryolex.bash
EXTRA_DIST += doc/mirror.md doc/speed.md
EXTRA_DIST += doc/serve.md
CLEANFILES += doc/man.stamp doc/*.1 doc/cryolex.bash doc/*.new

doc/man.stamp: cryolex$(EXEEXT)
	@$(MKDIR_P) doc
	$(AM_V_GEN)for page in `./cryolex$(EXEEXT) --man`; do \
	  ./cryolex$(EXEEXT) --man $$page >doc/$$page.new && mv -f doc/$$page.new doc/$$page.1 || exit 1; \
	done
	@touch $@

doc/cryolex.bash: cryolex$(EXEEXT)
	@$(MKDIR_P) doc
	$(AM_V_GEN)./cryolex$(EXEEXT) --completion >$@.new && mv -f $@.new $@

install-data-local: doc/man.stamp doc/cryolex.bash
	$(MKDIR_P) '$(DESTDIR)$(man1dir)' '$(DESTDIR)$(completionsdir)'
	for page in `./cryolex$(EXEEXT) --man`; do \
	  $(INSTALL_DATA) doc/$$page.1 '$(DESTDIR)$(man1dir)' || exit 1; \
	done
	$(INSTALL_DATA) doc/cryolex.bash '$(DESTDIR)$(completionsdir)/cryolex'

uninstall-local: $(UNINSTALL)
	-for page in `./cryolex$(EXEEXT) --man`; do rm -f '$(DESTDIR)$(man1dir)'/$$page.1; done
	-rm -f '$(DESTDIR)$(completionsdir)/cryolex'
EXTRA_DIST += doc/sweep.md

# lib/: libcryolex, the program's work for other programs: one header, names that begin in clx_. Includes all below but src/.
noinst_LIBRARIES += libclx.a
libclx_a_SOURCES = \
	lib/clx.c \
	lib/clx_hits.c \
	lib/clx_priv.h \
	lib/clx_query.c
libclx_a_CPPFLAGS = $(AM_CPPFLAGS) $(OPENBLAS_CFLAGS) $(LZMA_CFLAGS)
CLX_PARTS = libpipeline.a libtext.a libvoxel.a $(VOXEL_AVX2) $(VOXEL_AVX512) libnn.a $(NN_AVX2) $(NN_AVX512) $(NN_VNNI) libpdb.a libmrc.a libbase.a
CLX_LIBS = $(PIPELINE_LIBS) $(TEXT_LIBS) $(VOXEL_LIBS) $(PDB_LIBS) $(MRC_LIBS) $(BASE_LIBS) $(OPENBLAS_LIBS) $(JANSSON_LIBS)
EXTRA_DIST += lib/cryolex.h lib/cryolex.map

# The library is linked from the archives of the folders: whatever of them libclx.a needs. Shared: numbers of the interface, of additions to it, and
# of changes without. Static: one object, in which nothing but clx_ is left to link against.
if HAVE_LIBRARY
CLX_ABI = 0
CLX_SO = libcryolex.so.$(CLX_ABI).1.0
include_HEADERS = lib/cryolex.h
pkgconfigdir = $(libdir)/pkgconfig
pkgconfig_DATA = lib/cryolex.pc
noinst_DATA += libcryolex.so libcryolex.a
CLEANFILES += libcryolex.so libcryolex.so.* libcryolex.a lib/cryolex.o flags.stamp flags.stamp.new

$(CLX_SO): libclx.a $(CLX_PARTS) lib/cryolex.map
	$(AM_V_CCLD)$(CC) -shared $(AM_CFLAGS) $(CFLAGS) $(AM_LDFLAGS) $(LDFLAGS) -o $@ -Wl,-soname,libcryolex.so.$(CLX_ABI) \
	  -Wl,--version-script=$(srcdir)/lib/cryolex.map -Wl,--as-needed -Wl,--whole-archive libclx.a -Wl,--no-whole-archive $(CLX_LIBS) $(LIBS)

libcryolex.so: $(CLX_SO)
	$(AM_V_GEN)ln -sf $(CLX_SO) libcryolex.so.$(CLX_ABI) && ln -sf $(CLX_SO) $@

libcryolex.a: libclx.a $(CLX_PARTS)
	@$(MKDIR_P) lib
	$(AM_V_CCLD)$(CC) -r -nostdlib -o lib/cryolex.o -Wl,-d -Wl,--force-group-allocation -Wl,--whole-archive libclx.a -Wl,--no-whole-archive \
	  -Wl,--start-group $(CLX_PARTS) -Wl,--end-group
	$(AM_V_at)$(OBJCOPY) --wildcard --keep-global-symbol='clx_*' lib/cryolex.o
	$(AM_V_AR)rm -f $@ && $(AR) $(ARFLAGS) $@ lib/cryolex.o && $(RANLIB) $@

# Objects of a build that was configured otherwise before, without the library, would not link.
$(libclx_a_OBJECTS) $(libpipeline_a_OBJECTS) $(libtext_a_OBJECTS) $(libvoxel_a_OBJECTS) $(libvoxel_avx2_a_OBJECTS) $(libvoxel_exact_avx2_a_OBJECTS) \
$(libvoxel_avx512_a_OBJECTS) $(libvoxel_exact_avx512_a_OBJECTS) $(libnn_a_OBJECTS) $(libnn_avx2_a_OBJECTS) \
$(libnn_avx512_a_OBJECTS) $(libnn_vnni_a_OBJECTS) $(libpdb_a_OBJECTS) $(libmrc_a_OBJECTS) $(libbase_a_OBJECTS): flags.stamp
flags.stamp: Makefile
	@echo '$(CC) $(AM_CFLAGS) $(CXX) $(AM_CXXFLAGS)' >$@.new; if cmp -s $@.new $@; then rm -f $@.new; else mv -f $@.new $@; fi

install-exec-local: libcryolex.so libcryolex.a
	$(MKDIR_P) '$(DESTDIR)$(libdir)'
	$(INSTALL_DATA) $(CLX_SO) libcryolex.a '$(DESTDIR)$(libdir)'
	ln -sf $(CLX_SO) '$(DESTDIR)$(libdir)/libcryolex.so.$(CLX_ABI)'
	ln -sf $(CLX_SO) '$(DESTDIR)$(libdir)/libcryolex.so'

UNINSTALL += uninstall-library
uninstall-library:
	-rm -f '$(DESTDIR)$(libdir)'/$(CLX_SO) '$(DESTDIR)$(libdir)/libcryolex.so.$(CLX_ABI)' '$(DESTDIR)$(libdir)'/libcryolex.so '$(DESTDIR)$(libdir)'/libcryolex.a
endif
.PHONY: uninstall-library

if HAVE_CMOCKA
check_PROGRAMS += tests/test_clx
TESTS += tests/test_clx
tests_test_clx_SOURCES = tests/test_clx.c
tests_test_clx_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) -DTEXT_MODEL='"$(abs_srcdir)/tests/parity"'
tests_test_clx_LDADD = libclx.a $(CLX_LIBS) $(TEST_LIBS)
endif

# The examples, and the library as others use it.
examplesdir = $(docdir)/examples
dist_examples_DATA = doc/examples/annotate.c doc/examples/annotate.py
dist_check_SCRIPTS += tests/test_lib.sh tests/test_manual.sh tests/test_packaging.sh tests/test_relion.sh
TESTS += tests/test_lib.sh tests/test_manual.sh tests/test_packaging.sh tests/test_relion.sh
EXTRA_DIST += packaging/debian-check packaging/apptainer/cryolex.def packaging/conda/build.sh packaging/conda/meta.yaml packaging/modulefiles/cryolex \
	debian/changelog debian/control debian/copyright debian/rules debian/source/format debian/cryolex.install debian/cryolex.lintian-overrides debian/cryolex-data.install \
	debian/libcryolex0.install debian/libcryolex0.symbols debian/libcryolex-dev.install

# The C example under valgrind, by the model and index that come along: two minutes.
valgrind-example: libcryolex.so
	@$(MKDIR_P) valgrind.d
	$(CC) $(CPPFLAGS) $(CFLAGS) -I$(srcdir)/lib -o valgrind.d/annotate $(srcdir)/doc/examples/annotate.c ./libcryolex.so
	$(srcdir)/scripts/demo-models valgrind.d/models double-ring
	CRYOLEX_SHARE='$(abs_srcdir)/share' LD_LIBRARY_PATH=. OMP_NUM_THREADS=1 $(VALGRIND) $(VALGRIND_FLAGS) valgrind.d/annotate valgrind.d/models/double-ring.turned.pdb >valgrind.d/out
.PHONY: valgrind-example

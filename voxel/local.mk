# voxel/: numbers on grids. Includes pdb/ (model_t only), base/.
noinst_LIBRARIES += libvoxel.a
libvoxel_a_SOURCES = \
	voxel/components.c voxel/components.h
VOXEL_LIBS = libvoxel.a

if HAVE_CMOCKA
check_PROGRAMS += tests/test_components
TESTS += tests/test_components
tests_test_components_SOURCES = tests/test_components.c
tests_test_components_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_components_LDADD = libvoxel.a $(BASE_LIBS) $(TEST_LIBS)
endif

# voxel/: numbers on grids. Includes pdb/ (model_t only), nn/, base/.
noinst_LIBRARIES += libvoxel.a
libvoxel_a_CPPFLAGS = $(AM_CPPFLAGS) $(FFTW_CFLAGS) $(OPENBLAS_CFLAGS) $(GSL_CFLAGS) $(JANSSON_CFLAGS)
libvoxel_a_SOURCES = \
	voxel/align.c voxel/align.h \
	voxel/blur.c voxel/blur.h \
	voxel/components.c voxel/components.h \
	voxel/contour.c voxel/contour.h \
	voxel/cube.c voxel/cube.h \
	voxel/desc.c voxel/desc.h voxel/desc_kern.c voxel/desc_kern.h voxel/desc_vec.c voxel/desc_whole.c \
	voxel/encoder.c voxel/encoder.h voxel/encoder_table.c voxel/encoder_table.h \
	voxel/fft.c voxel/fft.h \
	voxel/symmetry.c voxel/symmetry.h \
	voxel/filter.c voxel/filter.h \
	voxel/frame.c voxel/frame.h \
	voxel/fsc.c voxel/fsc.h \
	voxel/lines.c voxel/lines.h \
	voxel/lines_kern.c voxel/lines_kern.h voxel/lines_vec.c \
	voxel/profile.c voxel/profile.h \
	voxel/resample.c voxel/resample.h \
	voxel/softmask.c voxel/softmask.h \
	voxel/tally.c voxel/tally.h voxel/tally_vec.c \
	voxel/spectrum.c voxel/spectrum.h \
	voxel/turn.c voxel/turn.h \
	voxel/zernike.c voxel/zernike.h
VOXEL_LIBS = libvoxel.a $(VOXEL_AVX2) $(VOXEL_AVX512) $(NN_LIBS) $(FFTW_LIBS) $(OPENBLAS_LIBS) $(GSL_LIBS)

# Variants for one instruction set, each with its own flags.
if HAVE_AVX2
noinst_LIBRARIES += libvoxel_avx2.a
libvoxel_avx2_a_SOURCES = voxel/lines_vec.c
libvoxel_avx2_a_CFLAGS = $(AM_CFLAGS) $(AVX2_CFLAGS)
libvoxel_avx2_a_CPPFLAGS = $(AM_CPPFLAGS) -DKERN_VEC=8 -DKERN_ENTRY=lines_kern_avx2 -DKERN_NAME='"avx2"' -DKERN_FFT=16.0
VOXEL_AVX2 = libvoxel_avx2.a
# Those that agree with plain C to the last bit: nothing is fused.
noinst_LIBRARIES += libvoxel_exact_avx2.a
libvoxel_exact_avx2_a_SOURCES = voxel/desc_vec.c voxel/tally_vec.c
libvoxel_exact_avx2_a_CFLAGS = $(AM_CFLAGS) $(AVX2_CFLAGS) -ffp-contract=off
libvoxel_exact_avx2_a_CPPFLAGS = $(AM_CPPFLAGS) -DKERN_VEC=8 -DTALLY_ENTRY=tally_avx2 -DDESC_ENTRY=desc_kern_avx2 -DKERN_NAME='"avx2"'
VOXEL_AVX2 += libvoxel_exact_avx2.a
endif
if HAVE_AVX512
noinst_LIBRARIES += libvoxel_avx512.a libvoxel_exact_avx512.a
libvoxel_avx512_a_SOURCES = voxel/lines_vec.c
libvoxel_avx512_a_CFLAGS = $(AM_CFLAGS) $(AVX512_CFLAGS)
libvoxel_avx512_a_CPPFLAGS = $(AM_CPPFLAGS) -DKERN_VEC=16 -DKERN_ENTRY=lines_kern_avx512 -DKERN_NAME='"avx512"' -DKERN_FFT=32.0
libvoxel_exact_avx512_a_SOURCES = voxel/tally_vec.c
libvoxel_exact_avx512_a_CFLAGS = $(AM_CFLAGS) $(AVX512_CFLAGS) -ffp-contract=off
libvoxel_exact_avx512_a_CPPFLAGS = $(AM_CPPFLAGS) -DKERN_VEC=16 -DTALLY_ENTRY=tally_avx512 -DKERN_NAME='"avx512"'
VOXEL_AVX512 = libvoxel_avx512.a libvoxel_exact_avx512.a
endif

if HAVE_CMOCKA
VOXEL_TESTS = tests/test_align tests/test_components tests/test_cube tests/test_encoder tests/test_fft tests/test_filter tests/test_fsc tests/test_profile \
	tests/test_resample tests/test_softmask tests/test_tally tests/test_zernike
check_PROGRAMS += $(VOXEL_TESTS)
TESTS += $(VOXEL_TESTS)
tests_test_align_SOURCES = tests/test_align.c
tests_test_align_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_align_LDADD = $(VOXEL_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_components_SOURCES = tests/test_components.c
tests_test_components_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_components_LDADD = $(VOXEL_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_cube_SOURCES = tests/test_cube.c tests/blobs.h
tests_test_cube_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_cube_LDADD = $(VOXEL_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_encoder_SOURCES = tests/test_encoder.c
tests_test_encoder_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_encoder_LDADD = $(VOXEL_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_fft_SOURCES = tests/test_fft.c
tests_test_fft_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_fft_LDADD = $(VOXEL_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_filter_SOURCES = tests/test_filter.c
tests_test_filter_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_filter_LDADD = $(VOXEL_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_fsc_SOURCES = tests/test_fsc.c
tests_test_fsc_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_fsc_LDADD = $(VOXEL_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_profile_SOURCES = tests/test_profile.c
tests_test_profile_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_profile_LDADD = $(VOXEL_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_resample_SOURCES = tests/test_resample.c
tests_test_resample_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_resample_LDADD = $(VOXEL_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_softmask_SOURCES = tests/test_softmask.c
tests_test_softmask_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_softmask_LDADD = $(VOXEL_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_tally_SOURCES = tests/test_tally.c
tests_test_tally_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_tally_LDADD = $(VOXEL_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_zernike_SOURCES = tests/test_zernike.c
tests_test_zernike_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_zernike_LDADD = $(VOXEL_LIBS) $(BASE_LIBS) $(TEST_LIBS)
endif

# Simulation from atoms.
libvoxel_a_SOURCES += \
	voxel/body.c voxel/body.h \
	voxel/fit.c voxel/fit.h voxel/fit_priv.h voxel/fit_refine.c voxel/fit_search.c voxel/pose.c voxel/pose.h \
	voxel/membrane.c voxel/membrane.h \
	voxel/simulate.c voxel/simulate.h \
	voxel/trace.c voxel/trace.h voxel/trace_table.h \
	voxel/view.c voxel/view.h
if HAVE_CMOCKA
check_PROGRAMS += tests/test_symmetry tests/test_fit tests/test_simulate tests/test_view
TESTS += tests/test_symmetry tests/test_fit tests/test_simulate tests/test_view
tests_test_symmetry_SOURCES = tests/test_symmetry.c
tests_test_symmetry_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_symmetry_LDADD = $(VOXEL_LIBS) $(PDB_LIBS) $(MRC_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_fit_SOURCES = tests/test_fit.c tests/blobs.h
tests_test_fit_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_fit_LDADD = $(VOXEL_LIBS) $(PDB_LIBS) $(MRC_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_view_SOURCES = tests/test_view.c tests/blobs.h
tests_test_view_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_view_LDADD = $(VOXEL_LIBS) $(PDB_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_simulate_SOURCES = tests/test_simulate.c
tests_test_simulate_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_simulate_LDADD = $(VOXEL_LIBS) $(PDB_LIBS) $(BASE_LIBS) $(TEST_LIBS)
endif

# Pictures.
libvoxel_a_SOURCES += \
	voxel/flat.c voxel/flat.h \
	voxel/raycast.c voxel/raycast.h \
	voxel/refine.c voxel/refine.h \
	voxel/surface.c voxel/surface.h \
	voxel/tubes.c voxel/tubes.h
if HAVE_CMOCKA
check_PROGRAMS += tests/test_raycast
TESTS += tests/test_raycast
tests_test_raycast_SOURCES = tests/test_raycast.c
tests_test_raycast_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_raycast_LDADD = $(VOXEL_LIBS) $(PDB_LIBS) $(BASE_LIBS) $(TEST_LIBS)
endif

# Measurements, by hand: make tests/bench/simulate tests/bench/trace
EXTRA_PROGRAMS += tests/bench/simulate tests/bench/trace
tests_bench_simulate_SOURCES = tests/bench/simulate.c
tests_bench_simulate_LDADD = $(VOXEL_LIBS) $(PDB_LIBS) $(BASE_LIBS)
tests_bench_trace_SOURCES = tests/bench/trace.c
tests_bench_trace_LDADD = $(VOXEL_LIBS) $(PDB_LIBS) $(BASE_LIBS)

# Benchmark of resample: make tests/bench/bench_resample, then tests/bench/resample.py.
EXTRA_PROGRAMS += tests/bench/bench_resample
EXTRA_DIST += tests/bench/resample.py tests/parity/resample.py tests/parity/resample.tsv
EXTRA_DIST += tests/parity/convert.py tests/parity/fsc.py tests/parity/fsc.tsv tests/parity/fit.py tests/parity/fit.tsv tests/bench/fit.py tests/bench/fit.tsv tests/bench/rerank.py tests/bench/rerank.tsv
tests_bench_bench_resample_SOURCES = tests/bench/bench_resample.c
tests_bench_bench_resample_LDADD = $(VOXEL_LIBS) $(MRC_LIBS) $(BASE_LIBS)

# nn/: tensors: kernels, layers forward and backward, losses, optimiser, safetensors. Includes base/.
noinst_LIBRARIES += libnn.a
libnn_a_CPPFLAGS = $(AM_CPPFLAGS) $(OPENBLAS_CFLAGS) $(JANSSON_CFLAGS)
libnn_a_SOURCES = \
	nn/act.c nn/act.h nn/fmath.h \
	nn/comm.h \
	nn/conv.h \
	nn/isa.c nn/isa.h \
	nn/graph.h nn/net.c nn/net.h nn/table.c \
	nn/stfile.h
NN_LIBS = libnn.a $(NN_AVX2) $(NN_AVX512) $(NN_VNNI) $(OPENBLAS_LIBS) $(JANSSON_LIBS)

# Variants for one instruction set: the same sources, each set with its own flags. NN_VEC is the width in floats.
libnn_a_SOURCES += nn/tiles_vec.h nn/vec.h
NN_VEC_SOURCES =
if HAVE_AVX2
noinst_LIBRARIES += libnn_avx2.a
libnn_avx2_a_SOURCES = $(NN_VEC_SOURCES)
libnn_avx2_a_CFLAGS = $(AM_CFLAGS) $(AVX2_CFLAGS)
libnn_avx2_a_CPPFLAGS = $(AM_CPPFLAGS) -DNN_VEC=8 -DNN_ISA=avx2
NN_AVX2 = libnn_avx2.a
endif
if HAVE_AVX512
noinst_LIBRARIES += libnn_avx512.a
libnn_avx512_a_SOURCES = $(NN_VEC_SOURCES)
libnn_avx512_a_CFLAGS = $(AM_CFLAGS) $(AVX512_CFLAGS)
libnn_avx512_a_CPPFLAGS = $(AM_CPPFLAGS) -DNN_VEC=16 -DNN_ISA=avx512
NN_AVX512 = libnn_avx512.a
endif
if HAVE_VNNI
noinst_LIBRARIES += libnn_vnni.a
libnn_vnni_a_SOURCES = nn/topk_vec.c
libnn_vnni_a_CFLAGS = $(AM_CFLAGS) $(VNNI_CFLAGS)
libnn_vnni_a_CPPFLAGS = $(AM_CPPFLAGS) -DNN_VEC=16 -DNN_ISA=vnni
NN_VNNI = libnn_vnni.a
endif

# Running a network.
libnn_a_SOURCES += \
	nn/load.c \
	nn/pass.c nn/pass.h nn/pass_vec.c \
	nn/place.c nn/place.h \
	nn/plan.c nn/plan.h \
	nn/pool.c nn/pool.h \
	nn/run.c nn/run_back.c nn/run_priv.h \
	nn/step.c nn/step.h nn/step_back.c nn/step_priv.h
NN_VEC_SOURCES += nn/pass_vec.c
if HAVE_CMOCKA
NET_TESTS = tests/test_net tests/test_ops tests/test_run tests/test_run_random
check_PROGRAMS += $(NET_TESTS)
TESTS += $(NET_TESTS)
tests_test_ops_SOURCES = tests/test_ops.c
tests_test_ops_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_ops_LDADD = $(NN_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_net_SOURCES = tests/test_net.c
tests_test_net_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_net_LDADD = $(NN_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_run_SOURCES = tests/net_double.h tests/test_run.c
tests_test_run_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_run_LDADD = $(NN_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_run_random_SOURCES = tests/net_double.h tests/test_run_random.c
tests_test_run_random_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_run_random_LDADD = $(NN_LIBS) $(BASE_LIBS) $(TEST_LIBS)
endif

# Convolution: layout, plan, direct kernels.
libnn_a_SOURCES += \
	nn/blocked.c \
	nn/conv.c \
	nn/direct.c nn/direct.h nn/direct_kern.h \
	nn/direct_plan.c nn/direct_plan.h \
	nn/direct_ref.c nn/direct_vec.c
NN_VEC_SOURCES += nn/direct_vec.c
if HAVE_CMOCKA
check_PROGRAMS += tests/test_conv
TESTS += tests/test_conv
tests_test_conv_SOURCES = tests/test_conv.c
tests_test_conv_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_conv_LDADD = $(NN_LIBS) $(BASE_LIBS) $(TEST_LIBS)
endif

# Measurements, by hand: make tests/bench/peak tests/bench/conv
EXTRA_PROGRAMS += tests/bench/peak tests/bench/conv
tests_bench_peak_SOURCES = tests/bench/fma.c tests/bench/fma.h tests/bench/peak.c
tests_bench_peak_LDADD = $(NN_LIBS) $(BASE_LIBS)
tests_bench_conv_SOURCES = tests/bench/conv.c tests/bench/fma.c tests/bench/fma.h
tests_bench_conv_LDADD = $(NN_LIBS) $(BASE_LIBS)

# Functions over matrices; losses, optimiser, model files.
libnn_a_SOURCES += \
	nn/attention.c nn/attention.h \
	nn/comm.c \
	nn/reduce.h \
	nn/layernorm.c nn/layernorm.h \
	nn/loss.c nn/loss.h \
	nn/optim.c nn/optim.h \
	nn/schedule.c nn/schedule.h \
	nn/softmax.c nn/softmax.h \
	nn/stfile.c
if HAVE_CMOCKA
MATH_TESTS = tests/test_attention tests/test_loss tests/test_nn_math tests/test_optim tests/test_stfile
check_PROGRAMS += $(MATH_TESTS)
TESTS += $(MATH_TESTS)
tests_test_attention_SOURCES = tests/test_attention.c
tests_test_attention_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_attention_LDADD = $(NN_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_loss_SOURCES = tests/test_loss.c tests/ranks.h
tests_test_loss_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_loss_LDADD = $(NN_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_nn_math_SOURCES = tests/test_nn_math.c
tests_test_nn_math_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) -DNN_MATH_TABLE='"$(abs_srcdir)/tests/parity/nn_math.txt"'
tests_test_nn_math_LDADD = $(NN_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_optim_SOURCES = tests/test_optim.c
tests_test_optim_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_optim_LDADD = $(NN_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_stfile_SOURCES = tests/test_stfile.c
tests_test_stfile_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_stfile_LDADD = $(NN_LIBS) $(BASE_LIBS) $(TEST_LIBS)
check_PROGRAMS += tests/fuzz/replay_stfile
TESTS += tests/fuzz/replay_stfile
tests_fuzz_replay_stfile_SOURCES = tests/fuzz/fuzz_stfile.c tests/fuzz/replay.h
tests_fuzz_replay_stfile_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY
tests_fuzz_replay_stfile_LDADD = $(NN_LIBS) $(BASE_LIBS)
endif
EXTRA_DIST += tests/parity/stfile.py tests/parity/stfile.tsv tests/parity/nn_math.py tests/parity/nn_math.txt

# libFuzzer on the reader: make fuzz-stfile [FUZZ_SECONDS=600]. Needs clang; findings and the corpus stay in fuzz_stfile.d.
fuzz-stfile: tests/fuzz/replay_stfile$(EXEEXT)
	@$(MKDIR_P) fuzz_stfile.d/corpus
	./tests/fuzz/replay_stfile$(EXEEXT) --write fuzz_stfile.d/corpus
	clang $(FUZZ_FLAGS) $(DEFS) $(AM_CPPFLAGS) $(JANSSON_CFLAGS) -o fuzz_stfile.d/fuzz_stfile \
	  $(srcdir)/tests/fuzz/fuzz_stfile.c $(srcdir)/nn/stfile.c $(srcdir)/base/err.c $(srcdir)/base/mem.c $(srcdir)/base/block.c \
	  $(srcdir)/base/file.c $(srcdir)/base/utf8.c $(JANSSON_LIBS)
	cd fuzz_stfile.d && ./fuzz_stfile -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -timeout=10 -rss_limit_mb=2048 corpus
.PHONY: fuzz-stfile

# Winograd convolution.
WINO_VEC_SOURCES = nn/wino_vec.c nn/wino_vec.h nn/wino2_vec.c nn/wino4_vec.c
libnn_a_SOURCES += nn/wino.c nn/wino.h nn/wino_kern.h nn/wino_ref.c $(WINO_VEC_SOURCES)
NN_VEC_SOURCES += $(WINO_VEC_SOURCES)
if HAVE_CMOCKA
check_PROGRAMS += tests/test_wino
TESTS += tests/test_wino
tests_test_wino_SOURCES = tests/test_wino.c
tests_test_wino_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_wino_LDADD = $(NN_LIBS) $(BASE_LIBS) $(TEST_LIBS)
# Vectors of 16 floats where there is AVX2 but no AVX-512: the same source as for AVX-512.
if HAVE_AVX2
check_LIBRARIES += libnn_wide.a
libnn_wide_a_SOURCES = nn/direct_vec.c $(WINO_VEC_SOURCES)
libnn_wide_a_CFLAGS = $(AM_CFLAGS) $(AVX2_CFLAGS)
libnn_wide_a_CPPFLAGS = $(AM_CPPFLAGS) -DNN_VEC=16 -DNN_ISA=wide
tests_test_wino_LDADD += libnn_wide.a
tests_test_conv_LDADD += libnn_wide.a
endif
endif

# Measurement, by hand: make tests/bench/wino
EXTRA_PROGRAMS += tests/bench/wino
tests_bench_wino_SOURCES = tests/bench/wino.c
tests_bench_wino_LDADD = $(NN_LIBS) $(BASE_LIBS)

# Parity with PyTorch (tests/parity/nn_record.py makes the recording); speed against it, by hand (tests/bench/nn.py).
EXTRA_DIST += tests/parity/nn_record.py tests/parity/nn_table.py tests/parity/nn_torch.py tests/parity/nn.safetensors \
	tests/bench/nn.py tests/bench/nn_worker.py
EXTRA_PROGRAMS += tests/bench/conv_dnnl tests/bench/net
tests_bench_conv_dnnl_SOURCES = tests/bench/conv_dnnl.c
tests_bench_conv_dnnl_LDADD = -ldnnl
tests_bench_net_SOURCES = tests/bench/net.c tests/bench/net_conv.c tests/bench/net_conv.h \
	tests/bench/fma.c tests/bench/fma.h tests/nn_noise.h
tests_bench_net_LDADD = $(NN_LIBS) $(BASE_LIBS)
if HAVE_CMOCKA
check_PROGRAMS += tests/test_nn_parity
TESTS += tests/test_nn_parity
tests_test_nn_parity_SOURCES = tests/test_nn_parity.c tests/nn_noise.h
tests_test_nn_parity_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) -DRECORDING='"$(abs_srcdir)/tests/parity/nn.safetensors"'
tests_test_nn_parity_LDADD = $(NN_LIBS) $(BASE_LIBS) $(TEST_LIBS)
endif

# Products of matrices with fixed sums.
libnn_a_SOURCES += nn/matmul.c nn/matmul.h nn/matmul_kern.h nn/matmul_ref.c nn/matmul_vec.c
NN_VEC_SOURCES += nn/matmul_vec.c
if HAVE_CMOCKA
check_PROGRAMS += tests/test_matmul
TESTS += tests/test_matmul
tests_test_matmul_SOURCES = tests/test_matmul.c
tests_test_matmul_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_matmul_LDADD = $(NN_LIBS) $(BASE_LIBS) $(TEST_LIBS)
if HAVE_AVX2
libnn_wide_a_SOURCES += nn/matmul_vec.c
tests_test_matmul_LDADD += libnn_wide.a
endif
endif

# Softmax and layer normalisation at inference.
libnn_a_SOURCES += nn/rows.c nn/rows.h nn/rows_vec.c
NN_VEC_SOURCES += nn/rows_vec.c
if HAVE_CMOCKA
check_PROGRAMS += tests/test_rows
TESTS += tests/test_rows
tests_test_rows_SOURCES = tests/test_rows.c
tests_test_rows_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_rows_LDADD = $(NN_LIBS) $(BASE_LIBS) $(TEST_LIBS)
endif

# Products of matrices in 16-bit fixed point.
libnn_a_SOURCES += nn/fixed.c nn/fixed.h nn/fixed_kern.h nn/fixed_ref.c nn/fixed_vec.c
NN_VEC_SOURCES += nn/fixed_vec.c
if HAVE_CMOCKA
check_PROGRAMS += tests/test_fixed
TESTS += tests/test_fixed
tests_test_fixed_SOURCES = tests/test_fixed.c
tests_test_fixed_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_fixed_LDADD = $(NN_LIBS) $(BASE_LIBS) $(TEST_LIBS)
endif

# The largest products of a query with many vectors.
libnn_a_SOURCES += nn/topk.c nn/topk.h nn/topk_kern.h nn/topk_ref.c nn/topk_vec.c
NN_VEC_SOURCES += nn/topk_vec.c
if HAVE_CMOCKA
check_PROGRAMS += tests/test_topk
TESTS += tests/test_topk
tests_test_topk_SOURCES = tests/test_topk.c
tests_test_topk_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_topk_LDADD = $(NN_LIBS) $(BASE_LIBS) $(TEST_LIBS)
endif

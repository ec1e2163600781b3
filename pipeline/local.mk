# pipeline/: joins the folders below it.
noinst_LIBRARIES += libpipeline.a
libpipeline_a_SOURCES = \
	pipeline/coarse.c pipeline/coarse.h \
	pipeline/annot.c pipeline/annot.h pipeline/annot_doubt.c pipeline/annot_emicss.c pipeline/annot_priv.h pipeline/annot_table.c pipeline/ontology.c \
	pipeline/caption.c pipeline/caption.h pipeline/caption_facts.c pipeline/caption_priv.h pipeline/phrase.c pipeline/phrase.h \
	pipeline/build.c pipeline/build.h \
	pipeline/bench.c pipeline/bench.h pipeline/bench_report.c \
	pipeline/bench_calib.c pipeline/bench_calib.h pipeline/bench_function.c pipeline/bench_function.h pipeline/bench_maps.c pipeline/bench_maps.h pipeline/bench_search.c pipeline/bench_search.h pipeline/bench_words.c pipeline/bench_words.h pipeline/rivals.c pipeline/rivals.h \
	pipeline/dataset.h pipeline/dataset_h5.c \
	pipeline/dataset_atoms.c pipeline/dataset_atoms.h \
	pipeline/dataset_build.c pipeline/dataset_build.h \
	pipeline/dataset_facts.c pipeline/dataset_facts.h \
	pipeline/dataset_text.c pipeline/dataset_text.h \
	pipeline/describe.c pipeline/describe.h \
	pipeline/embed.c pipeline/embed.h \
	pipeline/halves.c pipeline/halves.h \
	pipeline/header.c pipeline/header.h \
	pipeline/h5.c pipeline/h5.h pipeline/h5read.c pipeline/h5read.h \
	pipeline/index.c pipeline/index_h5.c pipeline/index.h \
	pipeline/obo.c pipeline/obo.h \
	pipeline/manifest.c pipeline/manifest.h \
	pipeline/measure.c pipeline/measure.h \
	pipeline/modelfile.c pipeline/modelfile.h \
	pipeline/search.c pipeline/search.h \
	pipeline/similar.c pipeline/similar.h \
	pipeline/split.c pipeline/split.h \
	pipeline/structures.c pipeline/structures.h pipeline/target.c pipeline/target.h \
	pipeline/textmodel.c pipeline/textmodel.h \
	pipeline/unique.c pipeline/unique.h \
	pipeline/vectors.c pipeline/vectors.h \
	pipeline/vocab.c pipeline/vocab.h
libpipeline_a_CPPFLAGS = $(AM_CPPFLAGS) $(HDF5_CFLAGS) $(JANSSON_CFLAGS) $(LZMA_CFLAGS) $(MPI_CFLAGS)
PIPELINE_LIBS = libpipeline.a $(TEXT_LIBS) $(HDF5_LIBS) $(LZMA_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += tests/test_modelfile tests/test_pipeline
TESTS += tests/test_modelfile tests/test_pipeline
tests_test_modelfile_SOURCES = tests/test_modelfile.c
tests_test_modelfile_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_modelfile_LDADD = $(PIPELINE_LIBS) $(VOXEL_LIBS) $(PDB_LIBS) $(MRC_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_pipeline_SOURCES = tests/test_pipeline.c tests/blobs.h
tests_test_pipeline_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) $(HDF5_CFLAGS)
tests_test_pipeline_LDADD = $(PIPELINE_LIBS) $(VOXEL_LIBS) $(PDB_LIBS) $(MRC_LIBS) $(BASE_LIBS) $(TEST_LIBS)
endif

if HAVE_CMOCKA
check_PROGRAMS += tests/test_annot tests/test_caption
TESTS += tests/test_annot tests/test_caption
tests_test_caption_SOURCES = tests/test_caption.c
tests_test_caption_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_caption_LDADD = $(PIPELINE_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_annot_SOURCES = tests/test_annot.c
tests_test_annot_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) $(DEFLATE_CFLAGS) \
	-DONTOLOGY_TABLE='"$(abs_srcdir)/tests/parity/ontology.tsv"'
tests_test_annot_LDADD = $(PIPELINE_LIBS) $(VOXEL_LIBS) $(PDB_LIBS) $(MRC_LIBS) $(BASE_LIBS) $(TEST_LIBS)
endif
if HAVE_CMOCKA
check_PROGRAMS += tests/fuzz/replay_emicss
TESTS += tests/fuzz/replay_emicss
tests_fuzz_replay_emicss_SOURCES = tests/fuzz/fuzz_emicss.c tests/fuzz/replay.h
tests_fuzz_replay_emicss_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY
tests_fuzz_replay_emicss_LDADD = $(PIPELINE_LIBS) $(MRC_LIBS) $(BASE_LIBS)
endif
# libFuzzer on EMICSS and OBO: make fuzz-emicss [FUZZ_SECONDS=600]. Findings and the corpus stay in fuzz_emicss.d.
fuzz-emicss: tests/fuzz/replay_emicss$(EXEEXT)
	@$(MKDIR_P) fuzz_emicss.d/corpus
	./tests/fuzz/replay_emicss$(EXEEXT) --write fuzz_emicss.d/corpus
	clang $(FUZZ_FLAGS) $(DEFS) $(AM_CPPFLAGS) $(XML_CFLAGS) $(DEFLATE_CFLAGS) -o fuzz_emicss.d/fuzz_emicss \
	  $(srcdir)/tests/fuzz/fuzz_emicss.c $(srcdir)/pipeline/annot_emicss.c $(srcdir)/pipeline/obo.c $(srcdir)/mrc/xml.c \
	  $(srcdir)/base/err.c $(srcdir)/base/mem.c $(srcdir)/base/block.c $(srcdir)/base/intern.c $(srcdir)/base/gz.c $(srcdir)/base/file.c $(srcdir)/base/tsv.c \
	  $(XML_LIBS) $(DEFLATE_LIBS)
	cd fuzz_emicss.d && ./fuzz_emicss -max_total_time=$(FUZZ_SECONDS) -max_len=8192 -timeout=10 -rss_limit_mb=2048 corpus
.PHONY: fuzz-emicss
EXTRA_DIST += tests/parity/ontology.py tests/parity/ontology.tsv

if HAVE_CMOCKA
check_PROGRAMS += tests/test_dataset tests/test_split
TESTS += tests/test_dataset tests/test_split
tests_test_dataset_SOURCES = tests/test_dataset.c
tests_test_dataset_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) $(HDF5_CFLAGS) -DTEXT_MODEL='"$(abs_srcdir)/tests/parity/text_bert"'
tests_test_dataset_LDADD = $(PIPELINE_LIBS) $(TEXT_LIBS) $(VOXEL_LIBS) $(PDB_LIBS) $(MRC_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_split_SOURCES = tests/test_split.c
tests_test_split_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_split_LDADD = $(PIPELINE_LIBS) $(TEXT_LIBS) $(VOXEL_LIBS) $(PDB_LIBS) $(MRC_LIBS) $(BASE_LIBS) $(TEST_LIBS)
endif

# Built on request: make tests/bench/views
BENCH_LIBS = $(PIPELINE_LIBS) $(VOXEL_LIBS) $(PDB_LIBS) $(MRC_LIBS) $(BASE_LIBS)
EXTRA_PROGRAMS += tests/bench/reference_spectrum tests/bench/views tests/dump_embed
tests_dump_embed_SOURCES = tests/dump_embed.c
tests_dump_embed_LDADD = $(BENCH_LIBS)
tests_bench_reference_spectrum_SOURCES = tests/bench/reference_spectrum.c
tests_bench_reference_spectrum_CPPFLAGS = $(AM_CPPFLAGS) $(GSL_CFLAGS)
tests_bench_reference_spectrum_LDADD = $(BENCH_LIBS)
tests_bench_views_SOURCES = tests/bench/views.c tests/blobs.h
tests_bench_views_LDADD = $(BENCH_LIBS)
EXTRA_DIST += tests/bench/retrieval.py tests/bench/weights.py doc/figures.md doc/fits.png doc/reliability.png tests/bench/fit_picture.py tests/parity/measure.py tests/parity/measure.tsv tests/parity/contour.py tests/parity/contour.tsv \
	tests/parity/embed.py

# Where the time goes from a map to its annotation: make tests/bench/boxes tests/bench/describe, then tests/bench/describe.sh.
EXTRA_PROGRAMS += tests/bench/boxes tests/bench/describe
tests_bench_boxes_SOURCES = tests/bench/boxes.c
tests_bench_boxes_LDADD = $(BENCH_LIBS)
tests_bench_describe_SOURCES = tests/bench/describe.c
tests_bench_describe_CPPFLAGS = $(AM_CPPFLAGS) $(DEFLATE_CFLAGS)
tests_bench_describe_LDADD = $(BENCH_LIBS) $(DEFLATE_LIBS)
EXTRA_DIST += tests/bench/describe.sh tests/bench/describe.tsv

# Do views differ from clean cubes as real maps do: make tests/bench/likeness, then tests/bench/likeness.py.
EXTRA_PROGRAMS += tests/bench/likeness
tests_bench_likeness_SOURCES = tests/bench/likeness.c
tests_bench_likeness_LDADD = $(BENCH_LIBS)
EXTRA_DIST += tests/bench/likeness.py

EXTRA_PROGRAMS += tests/bench/text
tests_bench_text_SOURCES = tests/bench/text.c
tests_bench_text_CPPFLAGS = $(AM_CPPFLAGS) $(OPENBLAS_CFLAGS)
tests_bench_text_LDADD = $(TEXT_LIBS) $(BASE_LIBS)
EXTRA_DIST += tests/bench/text.py tests/parity/text.py tests/parity/text_lines.py tests/parity/text.tsv

# Evaluation of a trained model: tests/bench/learned.py.
EXTRA_PROGRAMS += tests/bench/embed_views
tests_bench_embed_views_SOURCES = tests/bench/embed_views.c
tests_bench_embed_views_LDADD = $(BENCH_LIBS) $(TEXT_LIBS)
EXTRA_DIST += tests/bench/annotate.py tests/bench/annotate.tsv tests/bench/texts.tsv tests/parity/symmetry.py tests/parity/symmetry.tsv tests/bench/learned.py tests/bench/calibrate.py tests/bench/scores.py tests/bench/metrics.py tests/bench/queries.txt \
	tests/bench/train.py tests/parity/metrics.py tests/parity/metrics.tsv

# Training.
libpipeline_a_SOURCES += \
	pipeline/par.h \
	pipeline/train.c pipeline/train.h \
	pipeline/train_batch.c pipeline/train_batch.h \
	pipeline/train_check.c pipeline/train_check.h \
	pipeline/train_data.c pipeline/train_data.h \
	pipeline/train_draw.c pipeline/train_draw.h \
	pipeline/train_report.c pipeline/train_report.h \
	pipeline/train_start.c pipeline/train_start.h \
	pipeline/train_step.c pipeline/train_step.h \
	pipeline/train_valid.c pipeline/train_valid.h
if HAVE_MPI
libpipeline_a_SOURCES += pipeline/par_mpi.c
PIPELINE_LIBS += $(MPI_LIBS)
else
libpipeline_a_SOURCES += pipeline/par_serial.c
endif
if HAVE_CMOCKA
check_PROGRAMS += tests/test_train
TESTS += tests/test_train
tests_test_train_SOURCES = tests/ranks.h tests/test_train.c tests/tiny_dataset.h
tests_test_train_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_train_LDADD = $(PIPELINE_LIBS) $(VOXEL_LIBS) $(PDB_LIBS) $(MRC_LIBS) $(BASE_LIBS) $(TEST_LIBS)
endif

# The index in the learned space.
libpipeline_a_CPPFLAGS += $(DEFLATE_CFLAGS) -DCRYOLEX_PKGDATADIR='"$(pkgdatadir)"'
libpipeline_a_SOURCES += \
	pipeline/annotate.c pipeline/annotate.h pipeline/calibrate.c pipeline/calibrate.h pipeline/evidence.c pipeline/evidence.h \
	pipeline/h5matrix.c pipeline/h5matrix.h \
	pipeline/scoring.c pipeline/scoring.h \
	pipeline/share.c pipeline/share.h \
	pipeline/terms.c pipeline/terms.h pipeline/terms_h5.c pipeline/terms_h5.h
if HAVE_CMOCKA
check_PROGRAMS += tests/test_annotate tests/test_index
TESTS += tests/test_annotate tests/test_index
tests_test_annotate_SOURCES = tests/made_index.h tests/test_annotate.c
tests_test_annotate_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_annotate_LDADD = $(PIPELINE_LIBS) $(VOXEL_LIBS) $(PDB_LIBS) $(MRC_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_index_SOURCES = tests/made_index.h tests/test_index.c
tests_test_index_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) $(HDF5_CFLAGS)
tests_test_index_LDADD = $(PIPELINE_LIBS) $(VOXEL_LIBS) $(PDB_LIBS) $(MRC_LIBS) $(BASE_LIBS) $(TEST_LIBS)
endif

# Benchmarks.
if HAVE_CMOCKA
check_PROGRAMS += tests/test_measure
TESTS += tests/test_measure
tests_test_measure_SOURCES = tests/test_measure.c
tests_test_measure_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_measure_LDADD = $(PIPELINE_LIBS) $(TEXT_LIBS) $(VOXEL_LIBS) $(PDB_LIBS) $(MRC_LIBS) $(BASE_LIBS) $(TEST_LIBS)
endif

# Many vectors.
libpipeline_a_SOURCES += pipeline/matrix.c pipeline/matrix.h pipeline/nearest.c pipeline/nearest.h
if HAVE_CMOCKA
check_PROGRAMS += tests/test_nearest
TESTS += tests/test_nearest
tests_test_nearest_SOURCES = tests/test_nearest.c
tests_test_nearest_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_nearest_LDADD = $(PIPELINE_LIBS) $(VOXEL_LIBS) $(PDB_LIBS) $(MRC_LIBS) $(BASE_LIBS) $(TEST_LIBS)
endif

# Weekly releases.
libpipeline_a_SOURCES += pipeline/update.c pipeline/update.h

# Against FAISS, by hand: make tests/bench/topk, then tests/bench/topk.py.
EXTRA_PROGRAMS += tests/bench/topk
tests_bench_topk_SOURCES = tests/bench/topk.c
tests_bench_topk_LDADD = $(BENCH_LIBS)
EXTRA_DIST += doc/scale.md tests/bench/topk.py tests/bench/topk.tsv

# Sweeps.
libpipeline_a_CPPFLAGS += $(SQLITE_CFLAGS)
libpipeline_a_SOURCES += \
	pipeline/ledger.c pipeline/ledger.h \
	pipeline/sweep.c pipeline/sweep.h pipeline/sweep_msg.c pipeline/sweep_msg.h pipeline/sweep_out.c pipeline/sweep_out.h \
	pipeline/sweep_plan.c pipeline/sweep_plan.h pipeline/sweep_work.c pipeline/sweep_work.h
PIPELINE_LIBS += $(SQLITE_LIBS)
if HAVE_CMOCKA
check_PROGRAMS += tests/test_ledger tests/test_sweep tests/test_sweep_ranks
TESTS += tests/test_ledger tests/test_sweep tests/test_sweep_ranks
tests_test_sweep_ranks_SOURCES = tests/test_sweep_ranks.c
tests_test_sweep_ranks_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_sweep_ranks_LDADD = $(PIPELINE_LIBS) $(VOXEL_LIBS) $(PDB_LIBS) $(MRC_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_sweep_SOURCES = tests/test_sweep.c
tests_test_sweep_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_sweep_LDADD = $(PIPELINE_LIBS) $(VOXEL_LIBS) $(PDB_LIBS) $(MRC_LIBS) $(BASE_LIBS) $(TEST_LIBS)
tests_test_ledger_SOURCES = tests/test_ledger.c
tests_test_ledger_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) $(SQLITE_CFLAGS)
tests_test_ledger_LDADD = $(PIPELINE_LIBS) $(VOXEL_LIBS) $(PDB_LIBS) $(MRC_LIBS) $(BASE_LIBS) $(TEST_LIBS)
endif
EXTRA_PROGRAMS += tests/bench/sweep_maps tests/bench/sweep_floor
tests_bench_sweep_maps_SOURCES = tests/bench/sweep_maps.c
tests_bench_sweep_maps_LDADD = $(BENCH_LIBS)
tests_bench_sweep_floor_SOURCES = tests/bench/sweep_floor.c
tests_bench_sweep_floor_CPPFLAGS = $(AM_CPPFLAGS) $(DEFLATE_CFLAGS)
tests_bench_sweep_floor_LDADD = $(BENCH_LIBS) $(DEFLATE_LIBS)
EXTRA_DIST += tests/bench/sweep.py tests/bench/sweep.tsv tests/bench/sweep_kill

# A map of embeddings.
libpipeline_a_SOURCES += pipeline/plane.c pipeline/plane.h
if HAVE_CMOCKA
check_PROGRAMS += tests/test_plane
TESTS += tests/test_plane
tests_test_plane_SOURCES = tests/test_plane.c
tests_test_plane_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_plane_LDADD = $(PIPELINE_LIBS) $(TEXT_LIBS) $(VOXEL_LIBS) $(PDB_LIBS) $(MRC_LIBS) $(BASE_LIBS) $(TEST_LIBS)
endif

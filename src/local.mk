# src/: the program.
bin_PROGRAMS += cryolex
cryolex_SOURCES = \
	src/cmd_bench.c \
	src/cmd_calibrate.c \
	src/cmd_caption.c \
	src/cmd_convert.c \
	src/cmd_dataset.c src/cmd_dataset_preview.c \
	src/cmd_embed.c \
	src/cmd_encode_text.c \
	src/cmd_fit.c \
	src/cmd_fsc.c src/canvas.c src/canvas.h src/fscplot.c src/fscplot.h src/strokes.c src/strokes.h \
	src/cmd_index.c src/cmd_index_update.c \
	src/cmd_info.c \
	src/cmd_model.c \
	src/cmd_nearest.c \
	src/cmd_resample.c \
	src/cmd_search.c \
	src/cmd_simulate.c \
	src/cmd_train.c \
	src/cmd_validate.c \
	src/cmd.h \
	src/doc.c src/doc.h \
	src/headopts.c src/headopts.h \
	src/indexopts.c src/indexopts.h \
	src/inputs.c src/inputs.h \
	src/json.c src/json.h \
	src/main.c \
	src/mapopts.c src/mapopts.h \
	src/netopts.c src/netopts.h \
	src/outpath.c src/outpath.h \
	src/png.c src/png.h \
	src/shard.c src/shard.h \
	src/table.c src/table.h
cryolex_CPPFLAGS = $(AM_CPPFLAGS) $(DEFLATE_CFLAGS) $(OPENBLAS_CFLAGS) $(JANSSON_CFLAGS)
cryolex_LDADD = $(PIPELINE_LIBS) $(TEXT_LIBS) $(VOXEL_LIBS) $(PDB_LIBS) $(MRC_LIBS) $(BASE_LIBS) $(OPENBLAS_LIBS) $(JANSSON_LIBS)

SRC_TESTS = tests/test_cmd_dataset.sh tests/test_cmd_embed.sh tests/test_cmd_encode_text.sh tests/test_cmd_index.sh tests/test_cmd_resample.sh \
	tests/test_cmd_simulate.sh
SRC_TESTS += tests/test_cmd_caption.sh
SRC_TESTS += tests/test_cmd_train.sh
SRC_TESTS += tests/test_cmd_preview.sh
SRC_TESTS += tests/test_cmd_bench.sh
SRC_TESTS += tests/test_cmd_fit.sh
SRC_TESTS += tests/test_cmd_fsc.sh
SRC_TESTS += tests/test_cmd_convert.sh
SRC_TESTS += tests/test_cmd_nearest.sh
SRC_TESTS += tests/test_cmd_index_shard.sh tests/test_cmd_index_update.sh
dist_check_SCRIPTS += $(SRC_TESTS)
TESTS += $(SRC_TESTS)

# Queries by the learned space.
cryolex_SOURCES += src/answer.c src/answer.h src/cmd_annotate.c src/query.c src/query.h
dist_check_SCRIPTS += tests/test_cmd_annotate.sh tests/test_cmd_header.sh
TESTS += tests/test_cmd_annotate.sh tests/test_cmd_header.sh

# Sweeps.
cryolex_SOURCES += src/cmd_sweep.c src/sweepjob.c src/sweepjob.h
cryolex_CPPFLAGS += $(LZMA_CFLAGS)
dist_check_SCRIPTS += tests/test_cmd_sweep.sh tests/test_slurm.sh
EXTRA_DIST += tests/made_world.sh tests/sweep_world.sh tests/slurm_local
TESTS += tests/test_cmd_sweep.sh tests/test_slurm.sh

# Pictures and pages.
cryolex_SOURCES += \
	src/cmd_render.c src/picture.c src/picture.h src/sheet.c src/sheet.h \
	src/cmd_report.c src/cxc.c src/cxc.h src/html.c src/html.h src/overview.c src/overview.h \
	src/page.c src/page.h src/page_fit.c src/page_hits.c src/page_map.c src/page_priv.h src/page_text.h \
	src/results.c src/results.h
nodist_cryolex_SOURCES = src/page_text.c
dist_check_SCRIPTS += tests/test_cmd_render.sh
TESTS += tests/test_cmd_render.sh
EXTRA_DIST += doc/report.md

# Style and scripts of pages, as strings: an array of lines each.
PAGE_TEXT = src/page.css src/page.js src/overview.js
EXTRA_DIST += $(PAGE_TEXT)
CLEANFILES += src/page_text.c
src/page_text.c: $(PAGE_TEXT)
	@$(MKDIR_P) src
	$(AM_V_GEN){ echo '#include "src/page_text.h"'; \
	for f in $(PAGE_TEXT); do \
	  echo "const char *const `basename $$f | tr . _`[] = {"; \
	  sed -e 's/[\\"]/\\&/g' -e 's/.*/    "&\\n",/' `test -f $$f || echo $(srcdir)/`$$f || exit 1; \
	  echo '    NULL,'; echo '};'; \
	done; } >$@.new && mv -f $@.new $@
dist_check_SCRIPTS += tests/test_cmd_report.sh tests/test_browser.sh
TESTS += tests/test_cmd_report.sh tests/test_browser.sh
EXTRA_DIST += tests/page_check.py tests/browser/pages.py

# Queries by a browser.
cryolex_SOURCES += src/cmd_serve.c src/serve.h src/servejob.c src/servejob.h src/servepage.c src/servepage.h src/servereport.c src/servereport.h
if HAVE_MICROHTTPD
cryolex_SOURCES += src/serve_mhd.c
cryolex_CPPFLAGS += $(MICROHTTPD_CFLAGS)
cryolex_LDADD += $(MICROHTTPD_LIBS)
else
cryolex_SOURCES += src/serve_none.c
endif
dist_check_SCRIPTS += tests/test_cmd_serve.sh
TESTS += tests/test_cmd_serve.sh
EXTRA_DIST += tests/serve_cases.py tests/serve_client.py tests/bench/serve_abuse.py tests/bench/serve_browser.py

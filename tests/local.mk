# tests/: common to all test programs. Each folder's local.mk lists its own tests.
# Programs (test_*) and scripts (*.sh) print TAP.
TEST_EXTENSIONS = .sh
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
SH_LOG_DRIVER = $(LOG_DRIVER)
LOG_COMPILER = $(SHELL) $(top_srcdir)/tests/run.sh
AM_TESTS_ENVIRONMENT = \
	CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT; \
	CRYOLEX='$(abs_top_builddir)/cryolex'; export CRYOLEX; \
	CRYOLEX_DATA="$${CRYOLEX_DATA:-$(abs_top_srcdir)/../shared/data}"; export CRYOLEX_DATA;
TEST_LIBS = $(CMOCKA_LIBS)
EXTRA_DIST += tests/test.h tests/run.sh tests/summary.sh tests/tap.sh
dist_check_SCRIPTS += tests/test_cli.sh tests/test_configure.sh tests/test_demo.sh
TESTS += tests/test_cli.sh tests/test_configure.sh tests/test_demo.sh
EXTRA_DIST += tests/parity/align.py tests/parity/align.tsv tests/parity/clib.py tests/parity/components.py tests/parity/components.tsv \
	tests/parity/zernike.py tests/parity/zernike.tsv \
	tests/parity/gemmi_models.py tests/parity/gemmi_models.tsv tests/parity/molmap.py tests/parity/molmap.tsv \
	tests/bench/render.py tests/bench/render.tsv \
	tests/parity/trace_table.py tests/bench/simulate.tsv tests/bench/trace.tsv .ci/run

# In place of Automake's own check-TESTS: runs the same harness, and closes with the line "N passed, N failed".
AM_MAKEFLAGS = --no-print-directory
TEST_TRS = $(TEST_LOGS:.log=.trs)
check-TESTS: $(check_PROGRAMS) $(dist_check_SCRIPTS)
	@rm -f $(TEST_SUITE_LOG) $(TEST_LOGS) $(TEST_TRS)
	@status=0; $(MAKE) $(AM_MAKEFLAGS) $(TEST_SUITE_LOG) || status=$$?; \
	$(SHELL) $(top_srcdir)/tests/summary.sh $(TEST_TRS) || status=1; exit $$status

# The unit tests under valgrind, without the real data; one line each. It takes many minutes.
VALGRIND = valgrind
VALGRIND_FLAGS = -q --leak-check=full --errors-for-leak-kinds=definite --error-exitcode=99
valgrind: $(check_PROGRAMS)
	@$(VALGRIND) --version || { echo "no valgrind here; Debian: apt-get install valgrind"; exit 1; }
	@$(AM_TESTS_ENVIRONMENT) CRYOLEX_DATA=/nonexistent; status=0; \
	for t in $(TESTS); do \
	  case $$t in *.sh) continue ;; esac; \
	  if $(VALGRIND) $(VALGRIND_FLAGS) ./$$t >$$t.valgrind.log 2>&1; then echo "clean: $$t"; \
	  else echo "not clean: $$t (see $$t.valgrind.log)"; status=1; fi; \
	done; exit $$status
.PHONY: valgrind

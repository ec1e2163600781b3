# tests/: common to all test programs. Each folder's local.mk lists its own tests.
# Programs (test_*) and scripts (*.sh) print TAP.
TEST_EXTENSIONS = .sh
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
SH_LOG_DRIVER = $(LOG_DRIVER)
AM_TESTS_ENVIRONMENT = \
	CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT; \
	CRYOLEX='$(abs_top_builddir)/cryolex'; export CRYOLEX; \
	CRYOLEX_DATA="$${CRYOLEX_DATA:-$(abs_top_srcdir)/../shared/data}"; export CRYOLEX_DATA;
TEST_LIBS = $(CMOCKA_LIBS)
EXTRA_DIST += tests/test.h
EXTRA_DIST += tests/parity/clib.py tests/parity/components.py tests/parity/components.tsv

# scripts/: run the program and read its output. fetch-* and mirror-* are installed with it.
dist_noinst_SCRIPTS += scripts/demo scripts/demo-models scripts/build-share scripts/bench-reports
dist_pkgdata_SCRIPTS = scripts/relion-external scripts/plot-bench scripts/plot-training scripts/fetch-emdb scripts/fetch-pdb scripts/fetch-text-model
dist_pkgdata_SCRIPTS += scripts/mirror-emdb scripts/mirror-pdb scripts/fetch-molstar
dist_pkgdata_DATA = scripts/fetch.py scripts/emdbxml.py scripts/mirror.py
rivalsdir = $(pkgdatadir)/rivals
dist_rivals_SCRIPTS = scripts/rivals/zernike scripts/rivals/vesper scripts/rivals/chimerax
dist_rivals_DATA = scripts/rivals/common.py
slurmdir = $(pkgdatadir)/slurm
dist_slurm_SCRIPTS = scripts/slurm/submit scripts/slurm/task scripts/slurm/merge scripts/slurm/mpi
EXTRA_DIST += bootstrap LICENSE CITATION.cff tests/fetch_cases.py tests/fetch_text_cases.py tests/mirror_cases.py tests/bench/mirror_kill.py
dist_check_SCRIPTS += tests/test_build_share.sh tests/test_fetch.sh tests/test_fetch_text.sh tests/test_mirror.sh
TESTS += tests/test_build_share.sh tests/test_fetch.sh tests/test_fetch_text.sh tests/test_mirror.sh
dist_doc_DATA = README.md NEWS doc/manual.md

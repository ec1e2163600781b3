# scripts/: run the program and read its output.
dist_noinst_SCRIPTS += scripts/demo
EXTRA_DIST += bootstrap LICENSE CITATION.cff
dist_doc_DATA = README.md NEWS

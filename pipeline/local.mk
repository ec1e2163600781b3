# pipeline/: joins the folders below it.
PIPELINE_LIBS =

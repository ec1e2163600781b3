/* servereport: the report page of a query, with pictures of its map. */
#ifndef CRYOLEX_SRC_SERVEREPORT_H
#define CRYOLEX_SRC_SERVEREPORT_H

#include <stdio.h>

#include "src/servejob.h"

/* To f: the page of j, whose result is there and whose file is called `path`; on the page it is called by its name. It reads the map and the index, so it is
 * for a process that may crash. 0, or -1: the errors of query_open() and page_print(); ERR_IO f cannot be written. */
int servereport_print(FILE *f, const job_t *j, const char *path, const joblimits_t *lim, err_t *err);

#endif

/* servepage: the pages of cryolex serve. They load nothing from elsewhere; whatever comes from a user or a file is escaped. */
#ifndef CRYOLEX_SRC_SERVEPAGE_H
#define CRYOLEX_SRC_SERVEPAGE_H

#include <stddef.h>

#include "src/servejob.h"

extern const char servepage_css[], servepage_js[];

/* Each returns HTML of *n bytes, which is freed with free(), or NULL without memory. */
char *servepage_upload(const joblimits_t *lim, size_t *n);
char *servepage_query(const job_t *j, size_t ahead, size_t *n); /* in any state: where it stands, its result, or why there is none */
char *servepage_error(unsigned status, const char *why, size_t *n);

#endif

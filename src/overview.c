/* overview: (see overview.h). */
#include "src/overview.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "src/html.h"
#include "src/page_text.h"
#include "src/results.h"

int overview_write(const char *dir, const json_t *answers, const char *const *name, const char *sweep, const index_t *x, err_t *err)
{
    char path[4096];
    outfile_t out;
    (void)answers, (void)name, (void)sweep, (void)x;
    snprintf(path, sizeof path, "%s/index.html", dir);
    if (outfile_open(&out, path, err)) return -1;
    page_head(out.f, "Overview", false);
    page_foot(out.f, overview_js);
    return outfile_close(&out, err);
}

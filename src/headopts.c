/* headopts: where EMDB headers are looked for, as options (see headopts.h). */
#include "src/headopts.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

const opt_t headopts_rows[] = {
    {0, "header", OPT_STR, offsetof(headopts_t, path), HEADER_ARG, 0, 0, NULL, NULL, HEADER_HELP},
    {0, "no-header", OPT_FLAG, offsetof(headopts_t, off), NULL, 0, 0, NULL, NULL, NO_HEADER_HELP},
    {0},
};

int headopts_where(const headopts_t *h, const app_t *app, size_t n, emdb_where_t *where, err_t *err)
{
    struct stat st;
    *where = (emdb_where_t){.off = h->off, .path = h->path};
    if (!h->path) return 0;
    if (h->off) return err_set(err, ERR_USAGE, "%s: --header and --no-header do not go together", app->cmd);
    if (stat(h->path, &st)) return err_set(err, ERR_IO, "%s: %s", h->path, strerror(errno));
    if (n > 1 && !S_ISDIR(st.st_mode))
        return err_set(err, ERR_USAGE, "%s: --header %s: one header, but %zu inputs (a folder of headers is wanted)", app->cmd, h->path, n);
    return 0;
}

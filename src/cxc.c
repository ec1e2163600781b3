/* cxc: scripts for ChimeraX (see cxc.h). */
#include "src/cxc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

/* The way from folder `from` to the file `to`, both of which exist, without the name of any folder above them both. mem_free(). */
static char *way(const char *from, const char *to, err_t *err)
{
    char *a = realpath(from, NULL), *b = realpath(to, NULL), *out = NULL;
    if (!a || !b) {
        err_set(err, ERR_IO, "%s: %s", a ? to : from, strerror(errno));
        goto done;
    }
    size_t same = 0, up = 0, i = 0;
    if (!a[1]) a[0] = 0; /* "/" */
    for (; a[i] && a[i] == b[i]; i++)
        if (b[i + 1] == '/' && (!a[i + 1] || a[i + 1] == '/')) same = i + 1;
    for (size_t k = same; a[k]; k++) up += a[k] == '/';
    size_t room = 3 * up + strlen(b + same) + 1, at = 0;
    if (!(out = mem_new(room, 1, err))) goto done;
    for (size_t k = 0; k < up; k++) at += (size_t)snprintf(out + at, room - at, "../");
    snprintf(out + at, room - at, "%s", b + same + 1);
done:
    free(a);
    free(b);
    return out;
}

/* In double quotes; what would end them is left out. */
static void quoted(FILE *f, const char *s)
{
    putc('"', f);
    for (; *s; s++)
        if (*s != '"' && *s != '\n' && *s != '\r') putc(*s, f);
    putc('"', f);
}

void cxc_print(FILE *f, const char *map, double level, const char *const *file, size_t n)
{
    fprintf(f, "# ChimeraX: the map, and %zu model%s placed in it, the best first and shown\nopen ", n, n == 1 ? "" : "s");
    quoted(f, map);
    fprintf(f, "\nvolume #1 style surface level %.6g color #c0c0c0 transparency %g\n", level, n ? 0.6 : 0.0);
    for (size_t i = 0; i < n; i++) {
        const char *slash = strrchr(file[i], '/');
        fprintf(f, "open ");
        quoted(f, slash ? slash + 1 : file[i]);
        putc('\n', f);
    }
    if (n) fprintf(f, "hide #2-%zu atoms\nshow #2-%zu cartoons\ncolor #2-%zu bychain\n", n + 1, n + 1, n + 1);
    if (n > 1) fprintf(f, "hide #3-%zu models\n", n + 1);
    fprintf(f, "view\n");
}

int cxc_write(const char *dir, const char *map, double level, const char *const *file, size_t n, err_t *err)
{
    char *path = mem_new(strlen(dir) + 16, 1, err), *to = path ? way(dir, map, err) : NULL;
    outfile_t f;
    int rc = -1;
    if (to) {
        sprintf(path, "%s/fit.cxc", dir);
        rc = outfile_open(&f, path, err);
    }
    if (!rc) {
        cxc_print(f.f, to, level, file, n);
        rc = outfile_close(&f, err);
    }
    mem_free(path);
    mem_free(to);
    return rc;
}

/* inputs: the operands of a command that works on many maps and models (see inputs.h). */
#include "src/inputs.h"

#include <string.h>

#include "src/outpath.h"

int inputs_read(const app_t *app, int argc, char **argv, manifest_t *m, err_t *err)
{
    for (int i = 0; i < argc; i++) {
        notes_t notes = {0};
        int rc = manifest_add(m, argv[i], &notes, err);
        log_notes(&app->log, argv[i], &notes);
        notes_free(&notes);
        if (rc) return -1;
    }
    return m->n ? 0 : err_set(err, ERR_FORMAT, "%s: no entry", argv[0]);
}

int inputs_pairs(const app_t *app, size_t n, err_t *err)
{
    if (n % 2 == 0) return 0;
    return err_set(err, ERR_USAGE, "%s: --half-maps: %zu files (two of each map)", app->cmd, n);
}

int inputs_halves(const app_t *app, int argc, char **argv, manifest_t *m, err_t *err)
{
    if (inputs_pairs(app, (size_t)argc, err)) return -1;
    for (int i = 0; i < argc; i += 2) {
        size_t before = m->n;
        if (inputs_read(app, 1, argv + i, m, err)) return -1;
        item_t *it = &m->item[m->n - 1];
        if (m->n != before + 1 || strcmp(it->path, argv[i]) != 0)
            return err_set(err, ERR_USAGE, "%s: --half-maps %s: a folder or a table (a map is wanted)", app->cmd, argv[i]);
        it->half = argv[i + 1];
    }
    return 0;
}

int inputs_spare(const char *cmd, const char *out, int argc, char **argv, const manifest_t *m, err_t *err)
{
    for (int i = 0; i < argc; i++)
        if (outpath_not_input(cmd, out, argv[i], err)) return -1;
    for (size_t i = 0; i < m->n; i++)
        if (outpath_not_input(cmd, out, m->item[i].path, err)) return -1;
    return outpath_writable(out, err);
}

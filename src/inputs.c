/* inputs: the operands of a command that works on many maps and models (see inputs.h). */
#include "src/inputs.h"

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

int inputs_spare(const char *cmd, const char *out, int argc, char **argv, const manifest_t *m, err_t *err)
{
    for (int i = 0; i < argc; i++)
        if (outpath_not_input(cmd, out, argv[i], err)) return -1;
    for (size_t i = 0; i < m->n; i++)
        if (outpath_not_input(cmd, out, m->item[i].path, err)) return -1;
    return outpath_writable(out, err);
}

/* cmd_index: cryolex index build | info | merge. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "pipeline/build.h"
#include "pipeline/index.h"
#include "pipeline/manifest.h"
#include "src/inputs.h"
#include "src/mapopts.h"
#include "src/outpath.h"
#include "src/table.h"

typedef struct {
    const char *out;
    const char *assembly;
    mapopts_t map;
} build_opts_t;

static const opt_t build_rows[] = {
    {'o', "output", OPT_STR, offsetof(build_opts_t, out), "INDEX", 0, 0, NULL, NULL, "The index to write (HDF5): a file, no pipe"},
    {0, "assembly", OPT_STR, offsetof(build_opts_t, assembly), "ID", 0, 0, NULL, NULL,
     "Biological assembly of the models: an id, or asu for the model as deposited; without it, assembly 1 of crystal "
     "entries and the deposited model of others. A manifest's column assembly comes first"},
    {0, "maps", OPT_GROUP, offsetof(build_opts_t, map), NULL, 0, 0, mapopts_rows, NULL, NULL},
    {0},
};

static int run_build(const app_t *app, const void *opts, int argc, char **argv)
{
    const build_opts_t *o = opts;
    manifest_t m = {0};
    describer_t d = {0};
    index_t x = {0};
    err_t err = {0};
    size_t failed = 0;
    mrc_opts_t map = mapopts_mrc(&o->map, app);
    int status = EXIT_NOT_RUN;

    if (!o->out) {
        err_set(&err, ERR_USAGE, "index build: no output; give -o INDEX");
        return cmd_fail(app, &err);
    }
    if (outpath_whole("index build", o->out, &err) || inputs_read(app, argc, argv, &m, &err) ||
        inputs_spare("index build", o->out, argc, argv, &m, &err) || describe_new(&d, &map, &err))
        goto done;
    for (size_t i = 0; i < m.n; i++)
        if (!m.item[i].assembly) m.item[i].assembly = o->assembly;
    if (build_index(&m, &d, &app->log, &x, &failed, &err)) goto done;
    if (!x.n) {
        err_set(&err, ERR_FORMAT, "%s: nothing to index: none of %zu entries could be read", o->out, m.n);
        goto done;
    }
    if (index_write(o->out, &x, &err)) goto done;
    log_msg(&app->log, LOG_INFO, "%s: %zu entries, %zu left out", o->out, x.n, failed);
    status = failed ? EXIT_SOME_FAILED : EXIT_DONE;
done:
    if (err.code != ERR_OK) status = cmd_fail(app, &err);
    index_free(&x);
    describe_end(&d);
    manifest_free(&m);
    return status;
}

const cmd_t cmd_index_build = {
    .name = "index build",
    .args = "-o INDEX MANIFEST|FOLDER|FILE...",
    .summary = "Describe maps and models, and store them for searching",
    .about = "Reads atomic models (PDB or mmCIF, plain or gzip) and density maps (MRC or CCP4, plain, gzip, bzip2, xz or zstd), "
             "and writes one HDF5 file that cryolex search uses. A model is simulated into density first.\n\n"
             "A manifest is a table of tab-separated columns with a header row; it needs the columns id and path (relative paths "
             "start at its folder) and may have kind (map, model), contour, apix, assembly, title, caption, terms, "
             "group, split and pair. A folder stands for every map and model file below it, whose id is its name.\n\n"
             "An entry that cannot be read is reported and left out, and the exit status is then 1.",
    .example = "cryolex index build -o pdb.index.h5 ~/structures",
    .opts = build_rows,
    .opt_size = sizeof(build_opts_t),
    .min_args = 1,
    .max_args = -1,
    .run = run_build,
};

static int run_info(const app_t *app, const void *opts, int argc, char **argv)
{
    index_t x;
    err_t err = {0};
    (void)opts;
    (void)argc;
    if (index_read(argv[0], INDEX_TEXT(INDEX_ID) | INDEX_TEXT(INDEX_KIND), &x, &err)) return cmd_fail(app, &err);
    size_t maps = 0;
    float lo = x.rg[0], hi = x.rg[0];
    for (size_t i = 0; i < x.n; i++) {
        maps += !strcmp(x.text[INDEX_KIND][i], "map");
        lo = x.rg[i] < lo ? x.rg[i] : lo;
        hi = x.rg[i] > hi ? x.rg[i] : hi;
    }
    printf("field\tvalue\n");
    printf("path\t%s\nformat\t%s %d\ncube_version\t%d\n", argv[0], INDEX_FORMAT, INDEX_VERSION, CUBE_VERSION);
    printf("entries\t%zu\nmodels\t%zu\nmaps\t%zu\n", x.n, x.n - maps, maps);
    printf("rg_min_angstrom\t%.1f\nrg_max_angstrom\t%.1f\n", (double)lo, (double)hi);
    printf("first_id\t%s\nlast_id\t%s\n", x.text[INDEX_ID][0], x.text[INDEX_ID][x.n - 1]);
    index_free(&x);
    return EXIT_DONE;
}

const cmd_t cmd_index_info = {
    .name = "index info",
    .args = "INDEX",
    .summary = "What an index holds",
    .about = "Prints format, versions, number of entries and range of sizes as a table of two columns.",
    .example = "cryolex index info pdb.index.h5",
    .min_args = 1,
    .max_args = 1,
    .run = run_info,
};

typedef struct {
    const char *out;
} merge_opts_t;

static const opt_t merge_rows[] = {
    {'o', "output", OPT_STR, offsetof(merge_opts_t, out), "INDEX", 0, 0, NULL, NULL, "The index to write (HDF5): a file, no pipe"},
    {0},
};

static int run_merge(const app_t *app, const void *opts, int argc, char **argv)
{
    const merge_opts_t *o = opts;
    index_t all = {0}, x = {0};
    err_t err = {0};
    if (!o->out)
        err_set(&err, ERR_USAGE, "index merge: no output; give -o INDEX");
    else if (!outpath_whole("index merge", o->out, &err))
        outpath_writable(o->out, &err);
    for (int i = 0; err.code == ERR_OK && i < argc; i++) {
        if (index_read(argv[i], INDEX_ALL, &x, &err)) break;
        index_join(&all, &x, &err);
        index_free(&x);
    }
    if (err.code == ERR_OK && !index_write(o->out, &all, &err))
        log_msg(&app->log, LOG_INFO, "%s: %zu entries from %d indexes", o->out, all.n, argc);
    index_free(&all);
    return err.code == ERR_OK ? EXIT_DONE : cmd_fail(app, &err);
}

const cmd_t cmd_index_merge = {
    .name = "index merge",
    .args = "-o INDEX INDEX...",
    .summary = "Join indexes into one",
    .about = "Entries keep their order. An id that two indexes share is an error, and nothing is written.",
    .example = "cryolex index merge -o all.h5 part-1.h5 part-2.h5",
    .opts = merge_rows,
    .opt_size = sizeof(merge_opts_t),
    .min_args = 1,
    .max_args = -1,
    .run = run_merge,
};

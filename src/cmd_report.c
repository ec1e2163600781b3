/* cryolex report: pages about the results of annotate, search and sweep. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "src/overview.h"
#include "src/page.h"
#include "src/query.h"
#include "src/results.h"
#include "src/table.h"

typedef struct {
    const char *out, *index, *structures, *molstar;
    double contour;
    long fits, pages;
    headopts_t header;
    mapopts_t map;
} opts_t;

#define AT(field) offsetof(opts_t, field)
static const opt_t rows[] = {
    {'o', "output", OPT_STR, AT(out), "DIR", 0, 0, NULL, NULL, "The folder of the pages, made where there is none"},
    {'i', "index", OPT_STR, AT(index), "INDEX", 0, 0, NULL, NULL,
     "The index that was searched, for pictures, organisms and resolutions of hits; without it, the one that CRYOLEX_INDEX names, else the one that comes with the program"},
    {'s', "structures", OPT_STR, AT(structures), "FOLDER", 0, 0, NULL, NULL,
     "Where the files of entries are, as 1abc.cif.gz or ab/1abc.cif.gz and so on (see fit): hits are then drawn from them and placed in the map"},
    {'f', "fits", OPT_INT, AT(fits), "N", 0, 50, NULL, "1", "Place the best N hits in the map, as fit does, where their files are there; 0 places none"},
    {'c', "contour", OPT_MAYBE, AT(contour), "LEVEL", -HUGE_VAL, HUGE_VAL, NULL, NULL,
     "Contour level of the query maps, in their own units; without it, that of their EMDB headers, else estimated"},
    {'n', "pages", OPT_INT, AT(pages), "N", 0, 1e9, NULL, "100", "Of many results, make pages of the first N only; the overview has all"},
    {0, "molstar", OPT_STR, AT(molstar), "FOLDER", 0, 0, NULL, NULL,
     "Where molstar.js and molstar.css are, for the view in 3D; without it, what CRYOLEX_MOLSTAR says, else where fetch-molstar puts them, ~/.cache/cryolex/molstar, if they "
     "are there"},
    {0, "headers", OPT_GROUP, AT(header), NULL, 0, 0, headopts_rows, NULL, NULL},
    {0, "maps", OPT_GROUP, AT(map), NULL, 0, 0, mapopts_rows, NULL, NULL},
    {0},
};

static int make_folder(const char *path, err_t *err)
{
    struct stat st;
    if (!mkdir(path, 0777)) return 0;
    if (errno != EEXIST) return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    return !stat(path, &st) && S_ISDIR(st.st_mode) ? 0 : err_set(err, ERR_IO, "%s: not a folder", path);
}

/* The folder that fetch-molstar fills, or "" without a home. */
static void cache_folder(char *out, size_t room)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    *out = 0;
    if (cache && *cache == '/') snprintf(out, room, "%s/cryolex/molstar", cache);
    else if (home && *home) snprintf(out, room, "%s/.cache/cryolex/molstar", home);
}

/* Where Mol* is; NULL, with *err where one that was asked for is not there. mem_free(). */
static char *find_molstar(const opts_t *o, err_t *err)
{
    const char *said = o->molstar ? o->molstar : getenv("CRYOLEX_MOLSTAR");
    char folder[4000], path[4096];
    bool asked = said && *said;
    if (asked) snprintf(folder, sizeof folder, "%s", said);
    else cache_folder(folder, sizeof folder);
    snprintf(path, sizeof path, "%s/molstar.js", folder);
    if (*folder && !access(path, R_OK)) return mem_str(folder, err);
    if (asked) err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    return NULL;
}

/* Where the suffixes of a file's name begin: the last, and the one before a .gz or such. */
static size_t stem_length(const char *s)
{
    static const char *const packed[] = {".gz", ".bz2", ".xz", ".zst"};
    size_t n = strlen(s);
    for (size_t k = 0; k < sizeof packed / sizeof *packed; k++) {
        size_t m = strlen(packed[k]);
        if (n > m && !strcmp(s + n - m, packed[k])) n -= m;
    }
    for (size_t i = n; i-- > 1 && n - i <= 6;)
        if (s[i] == '.') return i;
    return n;
}

/* The name of a page: that of the query's file as far as it may be one, numbered where it came before. */
static char *name_of(const json_t *answer, char *const *before, size_t n, err_t *err)
{
    const char *path = results_text(answer, "query"), *slash = strrchr(path, '/'), *from = slash && slash[1] ? slash + 1 : path, *end = from + stem_length(from);
    size_t room = strlen(from) + 32, used = 0, same = 0;
    char *name = mem_new(room, 1, err);
    if (!name) return NULL;
    for (; from < end && used < 120; from++) {
        bool fine = (*from >= 'a' && *from <= 'z') || (*from >= 'A' && *from <= 'Z') || (*from >= '0' && *from <= '9') || (strchr("-_.", *from) && used);
        name[used++] = fine ? *from : '_';
    }
    name[used] = 0;
    if (used > 5 && !strcmp(name + used - 5, ".html")) name[used - 5] = '_'; /* its folder would have the name of another page */
    if (!used || !strcmp(name, "index") || !strcmp(name, "molstar")) used = (size_t)snprintf(name, room, "query");
    for (size_t i = 0; i < n; i++) same += before[i] && !strncmp(before[i], name, used) && (!before[i][used] || before[i][used] == '~');
    if (same) snprintf(name + used, room - used, "~%zu", same + 1);
    return name;
}

typedef struct {
    const app_t *app;
    const opts_t *o;
    queryopts_t look; /* of q, which borrows it */
    query_t q;
    json_t *answers;
    char **name; /* of each page; NULL: none */
    pageopts_t page;
    size_t failed;
} job_t;

/* Pages of the first answers. */
static int write_pages(job_t *j, err_t *err)
{
    size_t n = json_array_size(j->answers), pages = (size_t)j->o->pages < n ? (size_t)j->o->pages : n;
    for (size_t i = 0; i < pages; i++) {
        const json_t *answer = json_array_get(j->answers, i);
        const char *path = results_text(answer, "query");
        notes_t notes = {0};
        if (!(j->name[i] = name_of(answer, j->name, i, err))) return -1;
        bool there = !access(path, R_OK);
        if (!there && *path) notes_add(&notes, "%s: %s (the page has no pictures of it)", path, strerror(errno));
        int rc = page_write(j->o->out, j->name[i], answer, there ? path : NULL, NULL, &j->page, &notes, err);
        log_notes(&j->app->log, "report", &notes);
        notes_free(&notes);
        if (rc) return -1;
        log_msg(&j->app->log, LOG_INFO, "%s/%s.html", j->o->out, j->name[i]);
    }
    return 0;
}

static int prepare(job_t *j, const char *results, char **molstar, err_t *err)
{
    const opts_t *o = j->o;
    notes_t notes = {0};
    j->look = (queryopts_t){.index = o->index, .contour = o->contour, .header = o->header};
    if (!o->out) return err_set(err, ERR_USAGE, "report: no folder for the pages; give -o DIR");
    j->answers = results_read(results, &notes, err);
    log_notes(&j->app->log, "report", &notes);
    notes_free(&notes);
    if (!j->answers) return -1;
    size_t n = json_array_size(j->answers);
    if (!(j->name = mem_zero(n, sizeof *j->name, err)) || make_folder(o->out, err)) return -1;
    if (query_open(&j->q, j->app, &j->look, &o->map, n, QUERY_PLAIN, PAGE_PARTS, 0, 0, err)) return -1;
    *molstar = find_molstar(o, err);
    if (err->code != ERR_OK) return -1;
    j->page = (pageopts_t){.index = &j->q.x, .index_path = o->index, .describer = &j->q.d, .contour = o->contour, .structures = o->structures, .molstar = *molstar,
                           .fits = (size_t)o->fits, .memory = j->app->memory, .home = n > 1};
    return 0;
}

static int run(const app_t *app, const void *options, int argc, char **argv)
{
    (void)argc;
    job_t j = {.app = app, .o = options};
    char results[4096], folder[4096] = "", *molstar = NULL;
    struct stat st;
    err_t err = {0};
    if (!stat(argv[0], &st) && S_ISDIR(st.st_mode)) { /* of a sweep */
        snprintf(folder, sizeof folder, "%s", argv[0]);
        snprintf(results, sizeof results, "%s/results.jsonl", argv[0]);
    } else {
        snprintf(results, sizeof results, "%s", argv[0]);
    }
    int rc = prepare(&j, results, &molstar, &err);
    if (*folder) j.page.home = true;
    if (!rc) rc = write_pages(&j, &err);
    if (!rc && j.page.home) rc = overview_write(j.o->out, j.answers, (const char *const *)j.name, *folder ? folder : NULL, &err);
    if (!rc && j.page.home) log_msg(&app->log, LOG_INFO, "%s/index.html", j.o->out);
    for (size_t i = 0; j.name && i < json_array_size(j.answers); i++) mem_free(j.name[i]);
    mem_free(j.name);
    mem_free(molstar);
    json_decref(j.answers);
    query_close(&j.q);
    return rc ? cmd_fail(app, &err) : EXIT_DONE;
}

const cmd_t cmd_report = {
    .name = "report",
    .args = "RESULTS",
    .summary = "Pages about results, with pictures, to look at in a browser",
    .about = "RESULTS are JSON lines of cryolex annotate --format json or search --format json (- is standard input), or the folder of a cryolex sweep. For each query there is a page DIR/NAME.html: "
             "the map from three sides, slices, projections; what its file and EMDB header say, and what was odd in it; the hits with a picture each, turned as the query is, confidence, organism, "
             "resolution and links to PDB or EMDB; the terms, each with its probability and the hits that have it; tables and a ChimeraX script to take away. Where the models of hits are at hand "
             "(--structures, or the index knows their files) the best are placed in the map and shown there, with Mol* in 3D.\n\n"
             "A page is one file that needs no network: pictures, style and script are in it. Beside it lie only placed models with their ChimeraX script, in DIR/NAME/, and Mol*, in "
             "DIR/molstar/. For several queries, or a sweep, DIR/index.html has all of them in a table to sort and filter, with links to their pages; of a sweep also a map of the embeddings, on "
             "their first two principal components, and what failed, by cause.",
    .example = "cryolex annotate --format json emd_3342.map.gz | cryolex report -o report -",
    .opts = rows,
    .opt_size = sizeof(opts_t),
    .min_args = 1,
    .max_args = 1,
    .run = run,
};

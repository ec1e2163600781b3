/* cmd_caption: cryolex caption, sentences about PDB entries from the annotation tables. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/progress.h"
#include "base/tsv.h"
#include "pipeline/annot.h"
#include "pipeline/caption.h"
#include "src/inputs.h"
#include "src/json.h"
#include "src/table.h"

typedef struct {
    const char *annot;
    bool all;
    long variants, seed;
    int format;
} opts_t;

enum { FORMAT_TSV, FORMAT_JSON };
enum { BLOCK = 4096 }; /* captions made at a time */

static const opt_t rows[] = {
    {'a', "annot", OPT_STR, offsetof(opts_t, annot), "FOLDER", 0, 0, NULL, NULL,
     "Where the annotation tables are. Without it the folder that the environment variable CRYOLEX_ANNOT names"},
    {0, "all", OPT_FLAG, offsetof(opts_t, all), NULL, 0, 0, NULL, NULL, "Every entry of the tables that has a GO term"},
    {'n', "variants", OPT_INT, offsetof(opts_t, variants), "N", 1, 1000, NULL, "1",
     "Captions an entry. Number 0 tells all kinds of facts in the usual order; the others choose template, order and subset"},
    {0, "seed", OPT_INT, offsetof(opts_t, seed), "N", 0, 0x1p53, NULL, "1", "Seed of what the variants choose"},
    {0, "format", OPT_CHOICE, offsetof(opts_t, format), NULL, 0, 0, "tsv|json", "tsv",
     "TSV with a header row, or one JSON object a line"},
    {0},
};

/* What is asked for, in order: an entry of the tables, or the name that none has. */
typedef struct {
    const facts_t *facts; /* NULL: unknown */
    const char *name;
} ask_t;

typedef struct {
    ask_t *ask;
    size_t n, cap;
    manifest_t manifest;
} asks_t;

static int add(asks_t *q, const facts_t *f, const char *name, err_t *err)
{
    if (mem_grow(&q->ask, &q->cap, q->n + 1, sizeof *q->ask, err)) return -1;
    q->ask[q->n++] = (ask_t){f, name};
    return 0;
}

static int add_all(asks_t *q, const annot_t *a, err_t *err)
{
    for (size_t i = 0; i < annot_count(a); i++) {
        const facts_t *f = annot_entry(a, i);
        if (f->ngo && add(q, f, f->id, err)) return -1;
    }
    return 0;
}

static bool is_manifest(const char *s)
{
    size_t n = strlen(s);
    return !strcmp(s, "-") || strchr(s, '/') || (n > 4 && !strcmp(s + n - 4, ".tsv")) || (n > 8 && !strcmp(s + n - 8, ".tsv.txt"));
}

static int add_operands(const app_t *app, asks_t *q, const annot_t *a, int argc, char **argv, err_t *err)
{
    for (int i = 0; i < argc; i++) {
        size_t from = q->manifest.n;
        if (!is_manifest(argv[i])) {
            if (add(q, annot_find(a, argv[i]), argv[i], err)) return -1;
            continue;
        }
        if (inputs_read(app, 1, argv + i, &q->manifest, err)) return -1;
        for (size_t j = from; j < q->manifest.n; j++)
            if (add(q, annot_find(a, q->manifest.item[j].id), q->manifest.item[j].id, err)) return -1;
    }
    return 0;
}

static void print_caption(const opts_t *o, const char *id, long v, const char *text)
{
    if (o->format == FORMAT_JSON) {
        json_t *j = json_object();
        json_object_set_new(j, "id", json_text(id));
        json_object_set_new(j, "variant", json_integer(v));
        json_object_set_new(j, "caption", json_text(text));
        json_line(j);
        return;
    }
    printf("%s\t%ld\t", id, v);
    tsv_put(stdout, text);
    putchar('\n');
}

/* What became of the entries. */
typedef struct {
    size_t captions, unknown, silent;
} tally_t;

/* Captions of the entries from `at` to `end` in out[(entry - at) * variants + variant]. */
static int make_block(const opts_t *o, const annot_t *a, const ask_t *ask, size_t n, char (*out)[CAPTION_MAX], err_t *err)
{
    size_t v = (size_t)o->variants;
    int failed = 0;
#pragma omp parallel for schedule(dynamic, 16) reduction(+ : failed)
    for (size_t i = 0; i < n * v; i++) {
        size_t len;
        out[i][0] = 0;
        if (ask[i / v].facts)
            failed += caption_make(a, ask[i / v].facts, (unsigned)(i % v), (uint64_t)o->seed, out[i], &len, NULL) != 0;
    }
    return failed ? err_set(err, ERR_NOMEM, "caption: no memory") : 0;
}

static void print_block(const app_t *app, const opts_t *o, const ask_t *ask, size_t n, char (*out)[CAPTION_MAX], tally_t *t)
{
    size_t v = (size_t)o->variants;
    for (size_t i = 0; i < n; i++) {
        if (!ask[i].facts) {
            log_msg(&app->log, LOG_WARN, "%s: not in the tables", ask[i].name);
            t->unknown++;
        } else if (!out[i * v][0]) {
            if (!o->all) log_msg(&app->log, LOG_WARN, "%s: neither a name nor a function is known", ask[i].name);
            t->silent++;
        } else {
            for (size_t k = 0; k < v; k++) print_caption(o, ask[i].facts->id, (long)k, out[i * v + k]);
            t->captions += v;
        }
    }
}

static int print_all(const app_t *app, const opts_t *o, const annot_t *a, const asks_t *q, tally_t *t, err_t *err)
{
    size_t v = (size_t)o->variants, step = v < BLOCK ? BLOCK / v : 1;
    char(*out)[CAPTION_MAX] = mem_new(step * v, sizeof *out, err);
    progress_t *bar = q->n > step ? progress_new(&app->log, "caption", "entries", q->n) : NULL;
    int rc = out ? 0 : -1;
    if (!rc && o->format == FORMAT_TSV) printf("id\tvariant\tcaption\n");
    for (size_t at = 0; !rc && at < q->n; at += step) {
        size_t n = q->n - at < step ? q->n - at : step;
        rc = make_block(o, a, q->ask + at, n, out, err);
        if (!rc) print_block(app, o, q->ask + at, n, out, t);
        progress_step(bar, n, 0);
    }
    progress_end(bar);
    mem_free(out);
    return rc;
}

static int run(const app_t *app, const void *opts, int argc, char **argv)
{
    const opts_t *o = opts;
    const char *folder = o->annot ? o->annot : getenv("CRYOLEX_ANNOT");
    err_t err = {0};
    notes_t notes = {0};
    asks_t q = {0};
    tally_t t = {0};
    annot_t *a = NULL;
    if (!folder || !*folder)
        err_set(&err, ERR_USAGE, "caption: no folder of tables; give --annot or set CRYOLEX_ANNOT");
    else if (!argc == !o->all)
        err_set(&err, ERR_USAGE, "caption: PDB ids or a manifest, or --all, are wanted; not both");
    else if ((a = annot_open(folder, &notes, &err)) != NULL) {
        log_notes(&app->log, folder, &notes);
        if (!(o->all ? add_all(&q, a, &err) : add_operands(app, &q, a, argc, argv, &err)) &&
            !print_all(app, o, a, &q, &t, &err))
            log_msg(&app->log, LOG_INFO, "%zu captions of %zu entries%s; %zu without a fact to tell", t.captions,
                    t.captions / (size_t)o->variants, o->all ? " with GO terms" : "", t.silent);
    }
    annot_free(a);
    notes_free(&notes);
    manifest_free(&q.manifest);
    mem_free(q.ask);
    if (err.code != ERR_OK) return cmd_fail(app, &err);
    return t.unknown || (t.silent && !o->all) ? EXIT_SOME_FAILED : EXIT_DONE;
}

const cmd_t cmd_caption = {
    .name = "caption",
    .args = "ID... | MANIFEST... | --all",
    .summary = "Sentences about PDB entries, from annotation tables",
    .about = "Writes captions by template from facts: names of the molecules, organism, EC numbers with their names, GO terms and "
             "oligomeric state; never from titles. GO terms that are ancestors of others of the entry, obsolete ones and those "
             "too general to tell anything are left out; of long lists the most telling members stay.\n\n"
             "Columns: id; variant, from 0; caption, one line. Equal tables, seed and options give equal bytes, whatever the "
             "number of threads; variant v is the same however many there are.\n\n"
             "Operands are PDB ids, or manifests (a name with a slash, or that ends in .tsv), whose ids are taken. The tables "
             "(TSV, plain or gzip) are go_terms and pdb_go_entry, which must be there, and pdb_names, pdb_uniprot, pdb_ec, "
             "pdb_pfam, pdb_class, pdb_oligomer, clusters-by-entity-30, ec_names, pfam_names and uniprot_names. Beside these, or in their place, files as they "
             "are published: go-basic.obo or go.obo; of SIFTS pdb_chain_go, pdb_chain_uniprot, pdb_chain_enzyme, pdb_chain_pfam, "
             "pdb_chain_cath_uniprot and pdb_chain_taxonomy (.tsv); of EMICSS emdb_go, emdb_uniprot, emdb_pfam and emdb_cath (.tsv), and "
             "emd-1234_emicss.xml for single EMDB entries. Each may be gzip.",
    .example = "cryolex caption --annot annot --variants 4 1lyz 1hho",
    .opts = rows,
    .opt_size = sizeof(opts_t),
    .min_args = 0,
    .max_args = -1,
    .run = run,
};

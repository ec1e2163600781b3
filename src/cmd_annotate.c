/* cmd_annotate: cryolex annotate, what a map or a model is and what it does. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/tsv.h"
#include "base/utf8.h"
#include "pipeline/annotate.h"
#include "src/answer.h"
#include "src/json.h"
#include "src/query.h"
#include "src/table.h"

typedef struct {
    queryopts_t query;
    long hits, voters, terms;
    double min_confidence;
    const char *spaces;
    bool ancestors, force;
    int format;
    mapopts_t map;
} opts_t;

enum { FORMAT_AUTO, FORMAT_TEXT, FORMAT_TSV, FORMAT_JSON };

static const opt_t rows[] = {
    {0, "query", OPT_GROUP, offsetof(opts_t, query), NULL, 0, 0, query_rows, NULL, NULL},
    {'k', "hits", OPT_INT, offsetof(opts_t, hits), "N", 1, 1e6, NULL, "10", "Nearest entries to print"},
    {0, "voters", OPT_INT, offsetof(opts_t, voters), "N", 1, 1e6, NULL, "50",
     "Nearest entries whose terms count; those of a low score count little"},
    {'n', "terms", OPT_INT, offsetof(opts_t, terms), "N", 1, 1e6, NULL, "8", "Most terms to print of a namespace"},
    {0, "min-confidence", OPT_REAL, offsetof(opts_t, min_confidence), "P", 0, 1, NULL, "0.3", "Terms of lower confidence are left out"},
    {0, "namespace", OPT_STR, offsetof(opts_t, spaces), "LIST", 0, 0, NULL, ANSWER_SPACES,
     "Kinds of terms: some of function, process, component (the namespaces of GO), ec, pfam, cath, molecule (names)"},
    {0, "ancestors", OPT_FLAG, offsetof(opts_t, ancestors), NULL, 0, 0, NULL, NULL,
     "Print all general terms, too, that follow from the specific ones"},
    {0, "force", OPT_FLAG, offsetof(opts_t, force), NULL, 0, 0, NULL, NULL, "Tell terms also of what is unlike anything in the index"},
    {0, "format", OPT_CHOICE, offsetof(opts_t, format), NULL, 0, 0, "auto|text|tsv|json", "auto",
     "Text to read, TSV with a header row, or a JSON object a line for each query; auto is text on a terminal, else TSV"},
    {0, "maps", OPT_GROUP, offsetof(opts_t, map), NULL, 0, 0, mapopts_rows, NULL, NULL},
    {0},
};

static const char *const heading[TERM_KINDS] = {[TERM_FUNCTION] = "Molecular function", [TERM_PROCESS] = "Biological process",
                                                 [TERM_COMPONENT] = "Cellular component", [TERM_EC] = "Enzyme class",
                                                 [TERM_PFAM] = "Protein family", [TERM_CATH] = "Fold", [TERM_MOLECULE] = "Molecule"};

typedef struct {
    const opts_t *o;
    query_t *q;
    terms_t molecules;
    annotate_opts_t how;
    int format;
    size_t done;
} job_t;

/* ---- TSV ---- */

/* Of small bodies two digits, of others whole kilodaltons. */
static void put_mass(const record_t *rec)
{
    const double mass = describe_mass(rec);
    printf("%.*f", mass < 0.1 ? 3 : mass < 1 ? 2 : mass < 10 ? 1 : 0, mass);
}

static void tsv_row(const char *query, const char *kind, const char *id, const char *name, const char *where, double confidence)
{
    const char *const text[] = {query, kind, id, name, where};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        tsv_put(stdout, *text[i] ? text[i] : "-");
        putchar('\t');
    }
    if (isnan(confidence)) printf("-\t");
    else printf("%.3f\t", confidence);
}

static void tsv_terms(const char *query, const index_t *x, const terms_t *t, const annotation_t *a, const termhit_t *h, size_t n)
{
    for (size_t i = 0; i < n; i++, h++) {
        int s = t->space[h->term];
        tsv_row(query, answer_kind(s), s == TERM_MOLECULE ? "-" : t->id[h->term], t->name[h->term], term_space_name[s], (double)h->confidence);
        printf("hits=%zu/%zu", h->hits, a->n);
        for (size_t k = 0; k < h->hits && k < ANNOTATE_SUPPORT; k++) {
            putchar(k ? ',' : ':');
            tsv_put(stdout, x->text[INDEX_ID][a->hit[h->support[k]].entry]);
        }
        printf(";vote=%.3f", (double)h->vote);
        if (!isnan(h->text)) printf(";text=%+.2f", (double)h->text);
        putchar('\n');
    }
}

static void print_tsv(const char *query, const answerbody_t *body, const index_t *x, const terms_t *molecules, const annotation_t *a, size_t entries)
{
    tsv_row(query, "query", a->novel ? "novel" : "known", "-", "", a->known);
    printf("rg=%.1f;volume=%.0f;mass_kda=", (double)body->rec->rg, (double)body->rec->volume);
    put_mass(body->rec);
    if (*body->symmetry.group) printf(";symmetry=%s:%.3f", body->symmetry.group, body->symmetry.score);
    putchar('\n');
    for (size_t i = 0; i < entries; i++) {
        const hit_t *h = &a->hit[i];
        tsv_row(query, "entry", x->text[INDEX_ID][h->entry], x->text[INDEX_TITLE][h->entry], "", (double)h->confidence);
        printf("rank=%zu;score=%.2f;cosine=%.3f;cube=%.3f;dlog_rg=%+.3f\n", i + 1, (double)h->score, (double)h->cosine, (double)h->cube,
               (double)h->dlog_rg);
    }
    tsv_terms(query, x, &x->terms, a, a->term, a->terms);
    tsv_terms(query, x, molecules, a, a->molecule, a->molecules);
}

/* ---- JSON ---- */

static void print_json(const char *query, const answerbody_t *body, const index_t *x, const terms_t *molecules, const annotation_t *a, size_t entries)
{
    json_line(answer_json(query, body, x, molecules, a, entries));
}

/* ---- text ---- */

enum { ID_WIDTH = 19, NAME_WIDTH = 48 };

/* At most `width` characters, padded to it where `pad`; one that is cut ends in "...". */
static void put_cut(const char *s, size_t width, bool pad)
{
    size_t chars = 0, keep = 0, bytes = 0;
    char *clean = mem_new(strlen(s) + 1, 1, NULL);
    if (!clean) return;
    utf8_clean(s, clean);
    for (char *p = clean; *p; p++) {
        if ((*p & 0xc0) != 0x80) {
            if (chars == width - 3) keep = (size_t)(p - clean);
            if (chars++ == width) break;
        }
        bytes = (size_t)(p - clean) + 1;
    }
    bool cut = chars > width;
    printf("%.*s%s", (int)(cut ? keep : bytes), clean, cut ? "..." : "");
    for (size_t i = chars; pad && i < width; i++) putchar(' ');
    mem_free(clean);
}

static void print_entries(const index_t *x, const annotation_t *a, size_t entries)
{
    printf("\n  Nearest entries%*s confidence  cosine    cube    size\n", ID_WIDTH + NAME_WIDTH - 13, "");
    for (size_t i = 0; i < entries; i++) {
        const hit_t *h = &a->hit[i];
        printf("    ");
        put_cut(x->text[INDEX_ID][h->entry], ID_WIDTH - 2, true);
        printf("  ");
        put_cut(x->text[INDEX_TITLE][h->entry], NAME_WIDTH - 2, true);
        printf("  %9.2f  %6.2f  %6.2f  %+5.0f%%\n", (double)h->confidence, (double)h->cosine, (double)h->cube,
               100 * (exp((double)h->dlog_rg) - 1));
    }
}

static void print_terms(const index_t *x, const terms_t *t, const annotation_t *a, const termhit_t *h, size_t n)
{
    int last = -1;
    for (; n; n--, h++) {
        int s = t->space[h->term];
        const char *name = *t->name[h->term] ? t->name[h->term] : "-";
        if (s != last) printf("\n  %s\n", heading[s]);
        last = s;
        printf("    ");
        if (s == TERM_MOLECULE) {
            put_cut(name, ID_WIDTH + NAME_WIDTH - 2, true);
        } else {
            put_cut(t->id[h->term], ID_WIDTH - 2, true);
            printf("  ");
            put_cut(name, NAME_WIDTH - 2, true);
        }
        printf("  %9.2f", (double)h->confidence);
        for (size_t k = 0; k < h->hits && k < ANNOTATE_SUPPORT; k++) {
            printf(k ? " " : "  ");
            put_cut(x->text[INDEX_ID][a->hit[h->support[k]].entry], ID_WIDTH, false);
        }
        if (h->hits > ANNOTATE_SUPPORT) printf(" and %zu more", h->hits - ANNOTATE_SUPPORT);
        if (!h->hits) printf("  by its text alone");
        putchar('\n');
    }
}

static void print_text(const char *query, const answerbody_t *body, const index_t *x, const terms_t *molecules, const annotation_t *a, size_t entries)
{
    tsv_put(stdout, query);
    const record_t *rec = body->rec;
    const symmetry_t *s = &body->symmetry;
    printf("\n  radius of gyration %.1f A, envelope %.4g nm^3, mass about ", (double)rec->rg, (double)rec->volume / 1000);
    put_mass(rec);
    printf(" kDa");
    if (*s->group && s->order > 1) printf(", symmetry %s (%.2f)", s->group, s->score);
    else if (*s->group) printf(", no symmetry seen");
    if (rec->kind == ITEM_MAP && isfinite(rec->level)) printf(", contour %s%.4g", rec->estimated ? "about " : "", (double)rec->level);
    putchar('\n');
    if (a->novel)
        printf("  Unlike anything in the index (a relative is among the nearest with probability %.2f): %s\n", a->known,
               a->terms + a->molecules ? "do not trust what follows." : "no function is told.");
    print_entries(x, a, entries);
    print_terms(x, &x->terms, a, a->term, a->terms);
    print_terms(x, molecules, a, a->molecule, a->molecules);
    if (!a->novel && !a->terms && !a->molecules) printf("\n  No term is confident enough%s.\n", x->terms.n ? "" : ": the index has none");
}

static int annotate_one(void *ctx, const item_t *it, const record_t *rec, const float *z, err_t *err)
{
    job_t *j = ctx;
    annotation_t a;
    if (j->format != FORMAT_TEXT) query_tell(j->q, it->path, rec);
    query_doubt(j->q, it->path, rec);
    if (annotate_run(&j->q->x, rec, z, &j->how, &a, err)) return -1;
    answerbody_t body;
    if (answer_body(rec, j->q->d.side ? j->q->d.side : CUBE_SIDE, &body, err)) {
        annotation_free(&a);
        return -1;
    }
    size_t entries = (size_t)j->o->hits < a.n ? (size_t)j->o->hits : a.n;
    if (j->format == FORMAT_TEXT && j->done) putchar('\n');
    (j->format == FORMAT_TSV ? print_tsv : j->format == FORMAT_JSON ? print_json : print_text)(it->path, &body, &j->q->x, &j->molecules, &a, entries);
    j->done++;
    annotation_free(&a);
    return 0;
}

static int run(const app_t *app, const void *opts, int argc, char **argv)
{
    static const unsigned parts = INDEX_TEXT(INDEX_ID) | INDEX_TEXT(INDEX_TITLE) | INDEX_TEXT(INDEX_MOLECULES) | INDEX_CUBE | INDEX_MAPPED | INDEX_VOCAB | INDEX_VOCAB_EMBED;
    const opts_t *o = opts;
    err_t err = {0};
    query_t q = {0};
    job_t job = {.o = o, .q = &q, .format = o->format};
    size_t failed, n = (size_t)argc;
    int status = EXIT_NOT_RUN;
    if (job.format == FORMAT_AUTO) job.format = isatty(STDOUT_FILENO) ? FORMAT_TEXT : FORMAT_TSV;
    job.how = (annotate_opts_t){.hits = (size_t)o->voters, .terms = (size_t)o->terms, .min_confidence = o->min_confidence,
                                .spaces = answer_spaces(app->cmd, o->spaces, &err), .ancestors = o->ancestors, .force = o->force, .molecules = &job.molecules, .scoring = &q.scoring};
    if (err.code != ERR_OK || query_open(&q, app, &o->query, &o->map, (size_t)argc, QUERY_LEARNED, parts, 0, 0, &err) ||
        (job.how.spaces & 1u << TERM_MOLECULE && terms_of_molecules(q.x.text[INDEX_MOLECULES], q.x.n, &job.molecules, &err)))
        goto done;
    if (!q.x.terms.n)
        log_msg(&app->log, LOG_WARN, "%s: the index has no terms (index build --annot gives it some): only entries are told", q.index_path);
    if (job.format == FORMAT_TSV) printf("query\tkind\tid\tname\tnamespace\tconfidence\tevidence\n");
    failed = query_run(&q, argv, n, annotate_one, &job);
    status = !failed ? EXIT_DONE : failed < n ? EXIT_SOME_FAILED : EXIT_NOT_RUN;
done:
    if (err.code != ERR_OK) status = cmd_fail(app, &err);
    query_close(&q);
    terms_free(&job.molecules);
    return status;
}

const cmd_t cmd_annotate = {
    .name = "annotate",
    .args = "FILE...",
    .summary = "What a map or a model is, and what it does",
    .about = "Each FILE is a density map (MRC or CCP4, plain, gzip, bzip2, xz or zstd) or an atomic model (PDB or mmCIF, plain or "
             "gzip). Printed are the PDB entries nearest to it, and the GO terms, EC numbers, Pfam families, CATH folds and names of molecules that it is likely to have, "
             "each with a confidence from 0 to 1; beside them its radius of gyration, the volume of its envelope and the mass that goes with that, and the point group that its density shows (C2 to C12, D2 to D12, T, O, I), with the least "
             "correlation under its rotations. With no option but the file, "
             "the model and the index that come with the program are used.\n\n"
             "A term's confidence is a probability, from the nearest entries, whose terms count the more the higher their score, from the "
             "cosine of the structure and the term's text in the space that the model has learned, and from how common the term is: weighed as cryolex index calibrate has "
             "fitted it. A general term is at least as confident as any that is a special "
             "case of it, and is printed only where it is much surer: where all of these that are printed have less than three quarters of its confidence. Of a query whose ten nearest entries hardly include a relative, as far as scores tell, "
             "this is said, and no term is, but with --force.\n\n"
             "Columns of TSV: query; kind (query, entry, go, ec, pfam, cath, molecule); id; name; namespace; confidence; evidence. The row of kind query has known or novel for "
             "an id, the probability that a relative is among the ten nearest entries for confidence (- where the index is not calibrated), and sizes for evidence. Evidence of an entry is its rank, "
             "score, cosine, cube correlation and difference in ln Rg, see cryolex search -h; of a term, how many of the "
             "entries have it, and the nearest of them, their share by weight (vote), and by how many standard deviations its text's cosine "
             "stands above the others of its namespace (text).",
    .example = "cryolex annotate emd_1080.map.gz",
    .opts = rows,
    .opt_size = sizeof(opts_t),
    .min_args = 1,
    .max_args = -1,
    .run = run,
};

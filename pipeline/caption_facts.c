/* caption_facts: what a caption can tell of an entry, the most telling first (see caption_priv.h). */
#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "pipeline/caption_priv.h"

enum { STEM = 6 };
enum { MANY = 6 }; /* proteins: a large complex */

/* Terms that tell nothing of a protein, or that the table's general terms leave behind. */
static bool is_general(const char *id)
{
    static const char *const general[] = {
        "GO:0003674", "GO:0008150", "GO:0005575", /* the roots */
        "GO:0005488", "GO:0005515", "GO:0003824", "GO:0042802", "GO:0043167", "GO:0043169", "GO:0036094", "GO:0097159",
        "GO:1901363", "GO:0044877", "GO:0005198", "GO:0019899", "GO:0046872", "GO:0000166", "GO:0046983",
        "GO:0008152", "GO:0009987", "GO:0065007", "GO:0050789", "GO:0050794", "GO:0044237", "GO:0044238", "GO:0071704",
        "GO:0006807", "GO:0043170", "GO:0044281", "GO:0055114", "GO:0032501", "GO:0032502", "GO:0051179", "GO:0016043",
        "GO:0110165", "GO:0005622", "GO:0005623", "GO:0032991", "GO:0043226", "GO:0043229", "GO:0043227", "GO:0043231",
    };
    for (size_t i = 0; i < sizeof general / sizeof *general; i++)
        if (!strcmp(id, general[i])) return true;
    return false;
}

static bool begins(const char *s, const char *head) { return !strncmp(s, head, strlen(head)); }

static bool ends(const char *s, const char *tail)
{
    size_t n = strlen(s), t = strlen(tail);
    return n >= t && !strcmp(s + n - t, tail);
}

/* 0: said first. Regulation, responses and development follow from a protein's part in the cell, not from what it is. */
static int tier(const goterm_t *g)
{
    static const char *const far[] = {"regulation of",   "response to", "development", "differentiation", "morphogenesis",
                                      "behavior",        "aging",       "host",        "learning",        "memory",
                                      "cell migration",  "proliferation"};
    if (g->space == GO_FUNCTION) {
        if (strstr(g->name, "protein binding") || strstr(g->name, "dimerization") || ends(g->name, "ase binding")) return 2;
        return ends(g->name, "binding");
    }
    if (g->space == GO_COMPONENT) return begins(g->name, "host") || strstr(g->name, "projection") || strstr(g->name, "chromosome");
    for (size_t i = 0; i < sizeof far / sizeof *far; i++)
        if (strstr(g->name, far[i])) return 1;
    return 0;
}

/* Words that two names can share, by their first letters; those of any protein are none. */
static bool is_stem(const char *s, size_t n)
{
    static const char *const common[] = {"protein", "binding", "activity", "complex", "subunit", "domain", "process", "regulat",
                                         "pathway", "chain", "alpha", "factor", "dependent", "domain", "terminal", "family",
                                         "small", "large", "positive", "negative", "putative", "cellular", "isoform", "type"};
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        if (!strncmp(s, common[i], STEM)) return false;
    return n >= 5;
}

/* The next word of small letters in *s: its length, 0 at the end. */
static size_t next_word(const char **s, char word[STEM + 1])
{
    size_t n = 0;
    while (**s && (!isalpha((unsigned char)**s))) ++*s;
    for (; isalpha((unsigned char)**s); ++*s, n++)
        if (n < STEM) word[n] = (char)tolower((unsigned char)**s);
    word[n < STEM ? n : STEM] = 0;
    return n;
}

static bool share_stem(const char *name, const char *term)
{
    static const char *const kin[][2] = {{"riboso", "transl"}, {"histon", "nucleo"}, {"immuno", "immune"}, {"hemogl", "oxygen"}};
    char a[STEM + 1], b[STEM + 1];
    for (size_t n; (n = next_word(&name, a));) {
        if (!is_stem(a, n < STEM ? n : STEM)) continue;
        const char *t = term;
        while (next_word(&t, b)) {
            bool same = !strcmp(a, b);
            for (size_t i = 0; i < sizeof kin / sizeof *kin; i++) same = same || (!strcmp(a, kin[i][0]) && !strcmp(b, kin[i][1]));
            if (same) return true;
        }
    }
    return false;
}

/* How far a term is from as many entries as the most telling ones have: of activities the rarer; of the rest, and of many
 * proteins, those that neither everything nor a single protein has. Smaller is better. */
static double distance(const annot_t *a, uint32_t row, const goterm_t *g, int rank, bool many)
{
    static const double one[GO_NAMESPACES] = {[GO_FUNCTION] = 0.01, [GO_PROCESS] = 0.003, [GO_COMPONENT] = 0.03};
    static const double more[GO_NAMESPACES] = {[GO_FUNCTION] = 0.01, [GO_PROCESS] = 0.01, [GO_COMPONENT] = 0.02};
    double n = (double)annot_term_count(a, row) + 1, share = many ? more[g->space] : one[g->space];
    double want = share * (double)annot_count(a) + 1;
    if (g->space == GO_FUNCTION && rank == 0 && !many) return n;
    return n > want ? n / want : want / n;
}

/* Into the best KNOWN_TERMS of its namespace. */
static void rank_term(const annot_t *a, uint32_t row, bool many, known_t *k, double score[GO_NAMESPACES][KNOWN_TERMS])
{
    enum { TIER = 1000000000 };
    const goterm_t *g = ontology_term(annot_ontology(a), row);
    int t = tier(g);
    for (size_t i = 0; i < k->names; i++)
        if (share_stem(k->name[i], g->name)) {
            t = -1; /* what the name says, too */
            break;
        }
    double s = (double)t * TIER + distance(a, row, g, t, many);
    size_t n = k->terms[g->space], i = n;
    double *score_of = score[g->space];
    while (i && score_of[i - 1] > s) i--;
    if (i == KNOWN_TERMS) return;
    if (n < KNOWN_TERMS) k->terms[g->space] = ++n;
    for (size_t j = n - 1; j > i; j--) {
        score_of[j] = score_of[j - 1];
        k->term[g->space][j] = k->term[g->space][j - 1];
    }
    score_of[i] = s;
    k->term[g->space][i] = g->name;
}

static int gather_terms(const annot_t *a, const facts_t *f, known_t *k, err_t *err)
{
    const ontology_t *o = annot_ontology(a);
    double score[GO_NAMESPACES][KNOWN_TERMS];
    uint32_t *set = mem_new(f->ngo, sizeof *set, err);
    size_t n = 0;
    if (!set) return -1;
    for (size_t i = 0; i < f->ngo; i++)
        if (!ontology_term(o, f->go[i])->obsolete) set[n++] = f->go[i];
    int rc = ontology_prune(o, set, &n, err);
    for (size_t i = 0; !rc && i < n; i++)
        if (!is_general(ontology_term(o, set[i])->id)) rank_term(a, set[i], f->uniprot.n > MANY, k, score);
    mem_free(set);
    return rc;
}

/* Complete numbers first; an incomplete one only where it says something new. */
static void gather_ecs(const facts_t *f, known_t *k)
{
    for (int partial = 0; partial < 2; partial++)
        for (size_t i = 0; i < f->ec.n && k->ecs < KNOWN_ECS; i++) {
            const char *ec = f->ec.s[i], *dash = strchr(ec, '-');
            bool known = false;
            if ((dash != NULL) != (partial == 1)) continue;
            for (size_t j = 0; partial && j < k->ecs; j++) known = known || !strncmp(k->ec[j], ec, (size_t)(dash - ec));
            if (!known) k->ec[k->ecs++] = ec;
        }
}

static void gather_names(const annot_t *a, const facts_t *f, known_t *k)
{
    k->names = phrase_names(f->molecules, k->name, 0);
    for (size_t i = 0; !k->names && i < f->uniprot.n; i++)
        k->names = phrase_names(annot_uniprot_name(a, f->uniprot.s[i]), k->name, k->names);
    for (size_t i = 0; !k->names && i < k->ecs; i++) /* not of a class of enzymes */
        if (!strchr(k->ec[i], '-')) k->names = phrase_names(annot_ec_name(a, k->ec[i]), k->name, k->names);
    for (size_t i = 0; !k->names && i < f->pfam.n; i++)
        k->names = phrase_names(annot_pfam_name(a, f->pfam.s[i]), k->name, k->names);
    k->several = f->uniprot.n > 1 && k->names > 1;
    k->others = f->uniprot.n > k->names;
    k->synonyms = f->uniprot.n <= 1 && strchr(f->molecules, '|') && !strchr(f->molecules, ';') && !strstr(f->molecules, " / ") &&
                  !strstr(f->molecules, "domain");
}

/* Of a large complex only the enzymes that its names speak of. */
static void gather_main_ecs(const annot_t *a, known_t *k)
{
    size_t m = 0;
    for (size_t i = 0; i < k->ecs; i++) {
        bool named = false;
        for (size_t j = 0; j < k->names; j++) named = named || share_stem(k->name[j], annot_ec_name(a, k->ec[i]));
        if (named) k->ec[m++] = k->ec[i];
    }
    k->ecs = m;
}

int known_gather(const annot_t *a, const facts_t *f, known_t *k, err_t *err)
{
    k->oligomer = f->oligomer;
    k->organisms = phrase_organisms(f->organism, k->organism);
    gather_ecs(f, k);
    gather_names(a, f, k);
    if (f->uniprot.n > MANY) gather_main_ecs(a, k);
    return gather_terms(a, f, k, err);
}

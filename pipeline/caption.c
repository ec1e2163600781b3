/* caption: sentences about an entry by template (see caption.h). */
#include "pipeline/caption.h"

#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "pipeline/caption_priv.h"

enum { LIST = 12 };

/* How much variant 0 tells, and of how many words a list may be before it ends. */
static const struct {
    size_t items, words;
} limit[GO_NAMESPACES] = {[GO_FUNCTION] = {4, 16}, [GO_PROCESS] = {4, 16}, [GO_COMPONENT] = {3, 9}};
enum { NAMES_TOLD = 4, NAME_WORDS = 16 };

/* ---- phrases ---- */

static bool begins(const char *s, const char *head) { return !strncmp(s, head, strlen(head)); }

static bool ends(const char *s, const char *tail)
{
    size_t n = strlen(s), t = strlen(tail);
    return n >= t && !strcmp(s + n - t, tail);
}

/* "A, B and C" of the first ones that have few words together; how many. */
static size_t put_list(phrase_t *p, const char *const *item, size_t n, size_t words)
{
    size_t told = 0, sum = 0;
    while (told < n) {
        sum += phrase_words(item[told], strlen(item[told]));
        if (told && sum > words) break;
        told++;
    }
    for (size_t i = 0; i < told; i++) {
        phrase_put(p, !i ? "" : i + 1 < told ? ", " : " and ");
        phrase_put(p, item[i]);
    }
    return told;
}

static void put_names(phrase_t *p, const known_t *k)
{
    const char *item[PHRASE_NAMES];
    size_t n = k->names < NAMES_TOLD ? k->names : NAMES_TOLD;
    for (size_t i = 0; i < n; i++) item[i] = k->name[i];
    if (n > 1 && k->synonyms) {
        phrase_put(p, item[0]);
        phrase_put(p, ", also called ");
        phrase_put(p, item[1]);
        return;
    }
    size_t told = put_list(p, item, n, NAME_WORDS);
    if (k->several && (told < k->names || k->others)) phrase_put(p, ", and other proteins");
}

static void put_organisms(phrase_t *p, const known_t *k, bool common)
{
    char both[PHRASE_ORGANISMS][2 * PHRASE_NAME];
    const char *item[PHRASE_ORGANISMS];
    for (size_t i = 0; i < k->organisms; i++) {
        const char *c = phrase_common(k->organism[i]);
        snprintf(both[i], sizeof both[i], c && common && !strchr(c, '.') ? "%s (%s)" : "%s", k->organism[i], c);
        item[i] = both[i];
    }
    put_list(p, item, k->organisms, NAME_WORDS);
}

static const char *ec_class(const char *ec)
{
    static const char *const word[] = {"enzyme", "oxidoreductase", "transferase", "hydrolase", "lyase", "isomerase", "ligase",
                                       "translocase"};
    return ec[0] >= '1' && ec[0] <= '7' && ec[1] == '.' ? word[ec[0] - '0'] : word[0];
}

/* The noun for a number: "lysozyme", "oxidoreductase acting on CH or CH2 groups"; the class where the name is already told. */
static void ec_noun(const annot_t *a, const char *ec, const known_t *k, char noun[2 * PHRASE_NAME])
{
    const char *name = annot_ec_name(a, ec);
    size_t n = strlen(name), stop = (size_t)(strstr(name, ". ") ? strstr(name, ". ") - name : (long)n);
    bool told = !n || strchr(ec, '-') || n >= PHRASE_NAME;
    for (size_t i = 0; i < k->names; i++) told = told || phrase_same(name, k->name[i]);
    if (!told) {
        size_t m = 0;
        for (size_t i = 0; i < n; i++)
            if (i == 0 || name[i] != '-' || name[i - 1] != '-') noun[m++] = name[i];
        noun[m] = 0;
    } else if (strchr(ec, '-') && (begins(name, "Acting") || begins(name, "Transferring") || begins(name, "Forming"))) {
        snprintf(noun, 2 * PHRASE_NAME, "%s %c%.*s", ec_class(ec), name[0] - 'A' + 'a', (int)(stop - 1), name + 1);
    } else {
        snprintf(noun, 2 * PHRASE_NAME, "%s", ec_class(ec));
    }
}

/* " (EC 2.1.1.56, EC 2.1.1.57)": all that have the noun. */
static void put_numbers(phrase_t *p, const annot_t *a, const known_t *k, const char *noun)
{
    char plain[2 * PHRASE_NAME];
    const char *sep = " (EC ";
    for (size_t i = 0; i < k->ecs; i++) {
        ec_noun(a, k->ec[i], k, plain);
        if (strcmp(plain, noun) != 0) continue;
        phrase_put(p, sep);
        phrase_put(p, k->ec[i]);
        sep = ", EC ";
    }
    phrase_put(p, ")");
}

/* "a lysozyme (EC 3.2.1.17) and chitinase (EC 3.2.1.14)" */
static void put_ecs(phrase_t *p, const annot_t *a, const known_t *k, bool numbers)
{
    char plain[KNOWN_ECS][2 * PHRASE_NAME], noun[KNOWN_ECS][2 * PHRASE_NAME + 96];
    const char *item[KNOWN_ECS];
    size_t n = 0;
    for (size_t i = 0; i < k->ecs; i++) {
        phrase_t q;
        bool again = false;
        ec_noun(a, k->ec[i], k, plain[i]);
        for (size_t j = 0; j < i; j++) again = again || !strcmp(plain[i], plain[j]);
        if (again) continue;
        q = (phrase_t){.s = noun[n], .cap = sizeof noun[n]};
        phrase_put(&q, plain[i]);
        if (numbers) put_numbers(&q, a, k, plain[i]);
        item[n] = noun[n];
        n++;
    }
    phrase_put(p, phrase_article(item[0]));
    phrase_put(p, " ");
    put_list(p, item, n, NAME_WORDS);
}

/* Whether a term only repeats the name of an EC number that is told: "lysozyme activity". */
static bool repeats_ec(const annot_t *a, const known_t *k, const char *term)
{
    char name[2 * PHRASE_NAME];
    for (size_t i = 0; i < k->ecs; i++) {
        snprintf(name, sizeof name, "%s activity", annot_ec_name(a, k->ec[i]));
        if (!strchr(k->ec[i], '-') && phrase_same(name, term)) return true;
    }
    return false;
}

typedef struct {
    const char *item[LIST];
    char text[LIST][PHRASE_NAME];
    size_t n;
} list_t;

static void list_add(list_t *l, const char *s, size_t n)
{
    if (l->n == LIST || n >= PHRASE_NAME) return;
    memcpy(l->text[l->n], s, n);
    l->text[l->n][n] = 0;
    l->item[l->n] = l->text[l->n];
    l->n++;
}

/* `begun` is the length of the list before, 0: none. */
static void put_clause(phrase_t *p, const char *verb, const list_t *l, size_t *begun)
{
    if (!l->n) return;
    phrase_put(p, *begun == 0 ? "" : *begun == 1 ? " and " : ", and ");
    phrase_put(p, verb);
    put_list(p, l->item, l->n, SIZE_MAX);
    *begun = l->n;
}

/* The terms of a namespace that are told, within the words of its limit. */
static size_t told_terms(const known_t *k, gospace_t space)
{
    size_t n = 0, words = 0;
    for (; n < k->terms[space] && n < limit[space].items; n++) {
        words += phrase_words(k->term[space][n], strlen(k->term[space][n]));
        if (n && words > limit[space].words) break;
    }
    return n;
}

/* "has kinase activity and binds ATP and zinc ion" */
static void put_functions(phrase_t *p, const known_t *k)
{
    list_t has = {.n = 0}, binds = {.n = 0}, acts = {.n = 0};
    size_t begun = 0, n = told_terms(k, GO_FUNCTION);
    for (size_t i = 0; i < n; i++) {
        const char *s = k->term[GO_FUNCTION][i];
        if (ends(s, " binding"))
            list_add(&binds, s, strlen(s) - strlen(" binding"));
        else
            list_add(strstr(s, "activity") ? &has : &acts, s, strlen(s));
    }
    put_clause(p, "has ", &has, &begun);
    put_clause(p, "binds ", &binds, &begun);
    put_clause(p, acts.n && !strcmp(phrase_article(acts.item[0]), "an") ? "acts as an " : "acts as a ", &acts, &begun);
}

static bool is_assembly(const char *s)
{
    return strstr(s, "complex") || strstr(s, "ribosom") || strstr(s, "proteasome") || strstr(s, "subunit") ||
           strstr(s, "spliceosome") || strstr(s, "holoenzyme") || strstr(s, "capsid");
}

/* "is found in the cytosol and nucleus, and is part of the proteasome core complex" */
static void put_components(phrase_t *p, const known_t *k)
{
    list_t in = {.n = 0}, part = {.n = 0}, anchored = {.n = 0};
    static const char of[] = "component of ";
    bool integral = false;
    size_t begun = 0, n = told_terms(k, GO_COMPONENT);
    for (size_t i = 0; i < n; i++) {
        const char *s = k->term[GO_COMPONENT][i], *m = strstr(s, of);
        if (m && m > s) {
            integral = begins(s, "integral");
            list_add(&anchored, m + strlen(of), strlen(m + strlen(of)));
        } else {
            list_add(is_assembly(s) ? &part : &in, s, strlen(s));
        }
    }
    put_clause(p, "is found in the ", &in, &begun);
    put_clause(p, "is part of the ", &part, &begun);
    put_clause(p, integral ? "is an integral component of the " : "is a component of the ", &anchored, &begun);
}

static void put_terms(phrase_t *p, const known_t *k, gospace_t space)
{
    put_list(p, k->term[space], told_terms(k, space), SIZE_MAX);
}

static void put_oligomer(phrase_t *p, const known_t *k)
{
    static const char *const word[] = {"", "monomer", "homodimer", "homotrimer", "homotetramer", "homopentamer", "homohexamer",
                                       "homoheptamer", "homooctamer", "homononamer", "homodecamer", "homoundecamer",
                                       "homododecamer"};
    char number[32];
    if (k->oligomer < sizeof word / sizeof *word) {
        phrase_put(p, word[k->oligomer]);
        return;
    }
    snprintf(number, sizeof number, "homo-%u-mer", k->oligomer);
    phrase_put(p, number);
}

/* ---- sentences ---- */

/* "Lysozyme C from Gallus gallus (chicken), a hydrolase (EC 3.2.1.17)" */
static void put_subject(phrase_t *p, const annot_t *a, const known_t *k, bool common)
{
    size_t at = p->n;
    if (k->names)
        put_names(p, k);
    else if (k->ecs)
        put_ecs(p, a, k, true);
    else
        phrase_put(p, "a protein");
    if (k->organisms) {
        phrase_put(p, " from ");
        put_organisms(p, k, common);
    }
    if (k->names && k->ecs) {
        phrase_put(p, k->several ? ", including " : ", ");
        put_ecs(p, a, k, true);
    }
    phrase_capital(p->s + at);
}

typedef enum { SAY_FUNCTION, SAY_PROCESS, SAY_COMPONENT, SAY_OLIGOMER, SAYINGS } saying_t;

static bool can_say(const known_t *k, saying_t w) { return w == SAY_OLIGOMER ? k->oligomer > 0 : k->terms[w] > 0; }

/* One sentence, a space before it where something is there; `way` chooses its words. */
static void put_sentence(phrase_t *p, const known_t *k, saying_t w, unsigned way)
{
    static const char *const process[] = {"takes part in ", "is involved in ", "functions in "};
    if (!can_say(k, w)) return;
    phrase_put(p, p->n ? " " : "");
    phrase_put(p, k->several ? "The complex " : "It ");
    if (w == SAY_FUNCTION) {
        put_functions(p, k);
    } else if (w == SAY_PROCESS) {
        phrase_put(p, process[way % 3]);
        put_terms(p, k, GO_PROCESS);
    } else if (w == SAY_COMPONENT) {
        put_components(p, k);
    } else {
        phrase_put(p, way % 2 ? "assembles as a " : "forms a ");
        put_oligomer(p, k);
    }
    phrase_put(p, ".");
}

/* ---- templates ---- */

typedef void (*template_t)(phrase_t *p, const annot_t *a, const known_t *k, rng_t *r);

static unsigned below(rng_t *r, unsigned n) { return (unsigned)(rng_unit(r) * n); }

/* Sentences, in the usual order. */
static void say_plain(phrase_t *p, const annot_t *a, const known_t *k, rng_t *r)
{
    put_subject(p, a, k, true);
    phrase_put(p, ".");
    for (int w = 0; w < SAYINGS; w++) put_sentence(p, k, (saying_t)w, r ? below(r, 6) : 0);
}

/* Sentences in any order. */
static void say_shuffled(phrase_t *p, const annot_t *a, const known_t *k, rng_t *r)
{
    saying_t order[SAYINGS] = {SAY_FUNCTION, SAY_PROCESS, SAY_COMPONENT, SAY_OLIGOMER};
    for (unsigned i = SAYINGS - 1; i; i--) {
        unsigned j = below(r, i + 1);
        saying_t t = order[i];
        order[i] = order[j];
        order[j] = t;
    }
    put_subject(p, a, k, below(r, 2));
    phrase_put(p, ".");
    for (int i = 0; i < SAYINGS; i++) put_sentence(p, k, order[i], below(r, 6));
}

/* One sentence: "Carbonic anhydrase 2 with carbonate dehydratase activity, involved in ..., located in the cytosol." */
static void say_one(phrase_t *p, const annot_t *a, const known_t *k, rng_t *r)
{
    static const char *const verb[GO_NAMESPACES][2] = {{" with ", ", with "}, {", involved in ", ", which functions in "},
                                                       {", located in the ", ", in the "}};
    put_subject(p, a, k, false);
    for (int s = 0; s < GO_NAMESPACES; s++) {
        if (!k->terms[s]) continue;
        phrase_put(p, verb[s][s == GO_FUNCTION ? k->ecs > 0 || k->organisms > 0 : below(r, 2)]);
        put_terms(p, k, (gospace_t)s);
    }
    if (k->oligomer) {
        phrase_put(p, "; a ");
        put_oligomer(p, k);
    }
    phrase_put(p, ".");
}

/* As one would type it: "human carbonic anhydrase 2, zinc ion binding" */
static void say_query(phrase_t *p, const annot_t *a, const known_t *k, rng_t *r)
{
    const char *common = k->organisms ? phrase_common(k->organism[0]) : NULL;
    if (common || k->organisms) {
        phrase_put(p, common ? common : k->organism[0]);
        phrase_put(p, " ");
    }
    if (k->names) {
        size_t at = p->n;
        phrase_put(p, k->name[below(r, k->names < 2 ? 1 : 2)]);
        phrase_small(p->s + at);
    } else {
        phrase_put(p, k->ecs ? ec_class(k->ec[0]) : "protein");
    }
    if (k->oligomer && below(r, 2)) {
        phrase_put(p, " ");
        put_oligomer(p, k);
    }
    for (int s = 0; s < GO_NAMESPACES; s++) {
        if (!k->terms[s] || (k->names && below(r, 2))) continue;
        phrase_put(p, ", ");
        phrase_put(p, k->term[s][0]);
    }
    (void)a;
}

/* What it does before what it is, which may stay unsaid: "A protein that has lysozyme activity and takes part in cytolysis." */
static void say_function(phrase_t *p, const annot_t *a, const known_t *k, rng_t *r)
{
    bool begun = false;
    if (!k->terms[GO_FUNCTION] && !k->terms[GO_PROCESS]) {
        say_plain(p, a, k, r);
        return;
    }
    if (k->ecs)
        put_ecs(p, a, k, false);
    else
        phrase_put(p, k->several ? "a complex" : "a protein");
    phrase_capital(p->s);
    phrase_put(p, " that ");
    if (k->terms[GO_FUNCTION]) {
        put_functions(p, k);
        begun = true;
    }
    if (k->terms[GO_PROCESS]) {
        phrase_put(p, begun ? " and takes part in " : "takes part in ");
        put_terms(p, k, GO_PROCESS);
    }
    phrase_put(p, ".");
    put_sentence(p, k, SAY_COMPONENT, 0);
    put_sentence(p, k, SAY_OLIGOMER, 1);
    if (!k->names || below(r, 2)) return;
    phrase_put(p, k->several ? " It is made of " : " It is ");
    put_names(p, k);
    if (k->organisms) {
        phrase_put(p, " from ");
        put_organisms(p, k, true);
    }
    phrase_put(p, ".");
}

/* Key words. */
static void say_words(phrase_t *p, const annot_t *a, const known_t *k, rng_t *r)
{
    const char *sep = below(r, 2) ? "; " : ", ";
    put_subject(p, a, k, true);
    for (int s = 0; s < GO_NAMESPACES; s++)
        for (size_t i = 0, n = told_terms(k, (gospace_t)s); i < n; i++) {
            phrase_put(p, sep);
            phrase_put(p, k->term[s][i]);
        }
    if (k->oligomer) {
        phrase_put(p, sep);
        put_oligomer(p, k);
    }
}

/* A part of the facts, in the order that they had. */
static void thin(known_t *k, rng_t *r)
{
    if (k->names > 1) k->names = 1 + below(r, (unsigned)(k->names < NAMES_TOLD ? k->names : NAMES_TOLD));
    if (below(r, 5) < 2) k->organisms = 0;
    if (k->ecs && below(r, 5) < 2) k->ecs = k->names ? 0 : 1;
    if (below(r, 3) == 0) k->oligomer = 0;
    for (int s = 0; s < GO_NAMESPACES; s++) {
        size_t n = k->terms[s], left = n ? below(r, (unsigned)limit[s].items + 1) : 0, m = 0;
        if (s == GO_FUNCTION && !left && n) left = 1;
        if (left > n) left = n;
        size_t pool = n < 2 * left ? n : 2 * left;
        for (size_t i = 0; i < pool && m < left; i++)
            if (below(r, (unsigned)(pool - i)) < left - m) k->term[s][m++] = k->term[s][i];
        k->terms[s] = m;
    }
}

static uint64_t mix(uint64_t seed, const char *id)
{
    uint64_t h = seed ^ 0xcbf29ce484222325u;
    for (; *id; id++) h = (h ^ (unsigned char)*id) * 0x100000001b3u; /* FNV-1a */
    return h;
}

/* Functions that the EC numbers tell already. */
static void drop_repeats(const annot_t *a, known_t *k)
{
    size_t m = 0;
    for (size_t i = 0; i < k->terms[GO_FUNCTION]; i++)
        if (!repeats_ec(a, k, k->term[GO_FUNCTION][i])) k->term[GO_FUNCTION][m++] = k->term[GO_FUNCTION][i];
    k->terms[GO_FUNCTION] = m;
}

int caption_make(const annot_t *a, const facts_t *f, unsigned v, uint64_t seed, char out[CAPTION_MAX], size_t *n, err_t *err)
{
    static const template_t turn[] = {say_one, say_query, say_function, say_shuffled, say_words, say_plain};
    enum { TURNS = sizeof turn / sizeof *turn };
    known_t k = {.names = 0};
    phrase_t p = {.s = out, .cap = CAPTION_MAX};
    rng_t r;
    out[0] = 0;
    *n = 0;
    if (known_gather(a, f, &k, err)) return -1;
    if (!k.names && !k.ecs && !k.terms[GO_FUNCTION] && !k.terms[GO_PROCESS] && !k.terms[GO_COMPONENT]) return 0;
    if (v) {
        uint64_t h = mix(seed, f->id);
        rng_seed(&r, h + v);
        thin(&k, &r);
        drop_repeats(a, &k);
        turn[(h % TURNS + v) % TURNS](&p, a, &k, &r);
    } else {
        drop_repeats(a, &k);
        say_plain(&p, a, &k, NULL);
    }
    *n = p.n;
    return 0;
}

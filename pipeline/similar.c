/* similar: which protein chains have much of their sequence in common (see similar.h). Each different chain is a set of words; an inverted list
 * from word to chains counts how many words two chains share. */
#include "pipeline/similar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/intern.h"
#include "base/mem.h"
#include "pdb/model.h"

enum { LETTERS = 20, WORDS = 20 * 20 * 20 * 20 * 20, OTHER = 'X' };

static const struct {
    char name[4], letter;
} amino[] = {{"ALA", 'A'}, {"ARG", 'R'}, {"ASN", 'N'}, {"ASP", 'D'}, {"CYS", 'C'}, {"GLN", 'Q'}, {"GLU", 'E'},
             {"GLY", 'G'}, {"HIS", 'H'}, {"ILE", 'I'}, {"LEU", 'L'}, {"LYS", 'K'}, {"MET", 'M'}, {"MSE", 'M'},
             {"PHE", 'F'}, {"PRO", 'P'}, {"SER", 'S'}, {"THR", 'T'}, {"TRP", 'W'}, {"TYR", 'Y'}, {"VAL", 'V'}};
static const char letters[] = "ACDEFGHIKLMNPQRSTVWY";

/* A set of chains: strings of letters, the chains that each model has, the different words of each. */
typedef struct {
    intern_t chain;
    lists_builder_t of; /* models -> chains */
    lists_t words;      /* chains -> words, ascending */
    lists_t chains;     /* words -> chains */
    uint32_t *up;       /* chains: a forest of families */
} set_t;

static char letter_of(const char name[4])
{
    for (size_t i = 0; i < sizeof amino / sizeof *amino; i++)
        if (!memcmp(amino[i].name, name, 4)) return amino[i].letter;
    return OTHER;
}

/* The chains of model e, from residue *r on; `line` has room for the longest. */
static int take_chains(const dataset_atoms_t *a, size_t e, const char *letter, char *line, set_t *s, err_t *err)
{
    size_t r = a->res_at[e], at = a->at[e];
    for (size_t c = a->chain_at[e]; c < a->chain_at[e + 1]; c++) {
        size_t n = 0;
        for (size_t k = 0; k < a->chain_n[c]; at += a->res_n[r], k++, r++)
            if (a->atomtype[a->type[at]].kind == KIND_PROTEIN) line[n++] = letter[a->res_type[r]];
        uint32_t number;
        if (n < SIMILAR_WORDS) continue;
        if (intern_add(&s->chain, line, n, &number, err) || lists_add(&s->of, number, err)) return -1;
    }
    return lists_row(&s->of, err);
}

static int read_chains(const dataset_atoms_t *a, set_t *s, err_t *err)
{
    size_t longest = 0;
    for (size_t e = 0; e < a->n; e++)
        if (a->res_at[e + 1] - a->res_at[e] > longest) longest = a->res_at[e + 1] - a->res_at[e];
    char *line = mem_new(longest, 1, err), *letter = mem_new(a->restypes, 1, err);
    int rc = line && letter ? 0 : -1;
    for (size_t i = 0; !rc && i < a->restypes; i++) letter[i] = letter_of(a->restype[i].name);
    for (size_t e = 0; !rc && e < a->n; e++) rc = take_chains(a, e, letter, line, s, err);
    mem_free(line);
    mem_free(letter);
    return rc;
}

/* Chains to words, in ascending order, each once. */
static int make_words(set_t *s, err_t *err)
{
    lists_builder_t b = {0};
    uint32_t *same = mem_new(WORDS, sizeof *same, err);
    int rc = same ? 0 : -1;
    for (uint32_t w = 0; !rc && w < WORDS; w++) same[w] = w;
    for (size_t c = 0; !rc && c < s->chain.n; c++) {
        uint32_t word = 0, good = 0;
        for (const char *p = s->chain.str[c]; !rc && *p; p++) {
            const char *at = strchr(letters, *p);
            word = at ? (word * LETTERS + (uint32_t)(at - letters)) % WORDS : 0;
            good = at ? good + 1 : 0;
            if (good >= SIMILAR_WORD) rc = lists_add(&b, word, err);
        }
        if (!rc) rc = lists_row(&b, err);
    }
    if (!rc) lists_end(&b, same, &s->words);
    lists_builder_free(&b);
    mem_free(same);
    return rc;
}

/* Words to the chains that have them, ascending. */
static int invert(set_t *s, err_t *err)
{
    size_t n = s->chain.n, all = s->words.at[n], *at = mem_zero(WORDS + 1, sizeof *at, err);
    uint32_t *item = mem_new(all, sizeof *item, err);
    s->chains = (lists_t){at, item};
    if (!at || !item) return -1;
    for (size_t i = 0; i < all; i++) at[s->words.item[i] + 1]++;
    for (size_t w = 0; w < WORDS; w++) at[w + 1] += at[w];
    for (size_t c = 0; c < n; c++)
        for (size_t i = s->words.at[c]; i < s->words.at[c + 1]; i++) item[at[s->words.item[i]]++] = (uint32_t)c;
    memmove(at + 1, at, WORDS * sizeof *at); /* each start has moved to the next */
    at[0] = 0;
    return 0;
}

static uint32_t root(uint32_t *up, uint32_t x)
{
    while (up[x] != x) x = up[x] = up[up[x]];
    return x;
}

static int join_similar(set_t *s, err_t *err)
{
    size_t n = s->chain.n;
    uint32_t *shared = mem_zero(n, sizeof *shared, err), *seen = mem_new(n, sizeof *seen, err);
    s->up = mem_new(n, sizeof *s->up, err);
    int rc = shared && seen && s->up ? 0 : -1;
    for (size_t c = 0; !rc && c < n; c++) s->up[c] = (uint32_t)c;
    for (size_t c = 0; !rc && c < n; c++) {
        size_t met = 0, mine = s->words.at[c + 1] - s->words.at[c];
        for (size_t i = s->words.at[c]; i < s->words.at[c + 1]; i++)
            for (size_t k = s->chains.at[s->words.item[i]]; k < s->chains.at[s->words.item[i] + 1] && s->chains.item[k] < c; k++)
                if (!shared[s->chains.item[k]]++) seen[met++] = s->chains.item[k];
        for (size_t k = 0; k < met; k++) {
            uint32_t o = seen[k];
            size_t theirs = s->words.at[o + 1] - s->words.at[o], more = mine > theirs ? mine : theirs, fewer = mine < theirs ? mine : theirs;
            if (fewer >= SIMILAR_WORDS && (double)shared[o] >= SIMILAR_SHARE * (double)more) {
                uint32_t x = root(s->up, (uint32_t)c), y = root(s->up, o);
                s->up[x > y ? x : y] = x > y ? y : x;
            }
            shared[o] = 0;
        }
    }
    mem_free(shared);
    mem_free(seen);
    return rc;
}

/* Families in place of chains. */
static int name_families(set_t *s, size_t models, vocab_t *v, lists_t *l, err_t *err)
{
    intern_t names = {0};
    lists_builder_t b = {0};
    uint32_t *to = NULL;
    char name[32];
    int rc = 0;
    for (size_t e = 0; !rc && e < models; e++) {
        for (size_t k = s->of.at[e]; !rc && k < s->of.at[e + 1]; k++) {
            uint32_t c = s->of.item[k];
            if (s->words.at[c + 1] - s->words.at[c] < SIMILAR_WORDS) continue;
            snprintf(name, sizeof name, "sequence %u", (unsigned)root(s->up, c));
            long f = vocab_add(&names, name, err);
            rc = f < 0 ? -1 : lists_add(&b, (uint32_t)f, err);
        }
        if (!rc) rc = lists_row(&b, err);
    }
    if (!rc && (to = mem_new(names.n, sizeof *to, err)) && !vocab_sorted(&names, v, to, err)) lists_end(&b, to, l);
    mem_free(to);
    lists_builder_free(&b);
    intern_free(&names);
    return v->name ? 0 : -1;
}

int similar_chains(const dataset_atoms_t *a, vocab_t *v, lists_t *l, err_t *err)
{
    set_t s = {0};
    *v = (vocab_t){0};
    *l = (lists_t){0};
    int rc = read_chains(a, &s, err);
    if (!rc && !s.chain.n) s.words.at = mem_zero(1, sizeof *s.words.at, err);
    else if (!rc) rc = make_words(&s, err);
    if (!rc) rc = !s.words.at || invert(&s, err) || join_similar(&s, err) || name_families(&s, a->n, v, l, err) ? -1 : 0;
    intern_free(&s.chain);
    lists_builder_free(&s.of);
    lists_free(&s.words);
    lists_free(&s.chains);
    mem_free(s.up);
    return rc;
}

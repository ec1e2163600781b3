/* phrase: names as the tables have them, made fit for a sentence (see phrase.h). */
#include "pipeline/phrase.h"

#include <string.h>

enum { SHORT_WORD = 3, TAIL = 3 };

static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
static bool is_letter(char c) { return is_upper(c) || is_lower(c) || (unsigned char)c >= 0x80; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static char low(char c) { return (char)(is_upper(c) ? c - 'A' + 'a' : c); }

void phrase_putn(phrase_t *p, const char *s, size_t n)
{
    if (p->cut || n >= p->cap - p->n) {
        p->cut = true;
        return;
    }
    memcpy(p->s + p->n, s, n);
    p->n += n;
    p->s[p->n] = 0;
}

void phrase_put(phrase_t *p, const char *s) { phrase_putn(p, s, strlen(s)); }

size_t phrase_words(const char *s, size_t n)
{
    size_t words = 0;
    for (size_t i = 0; i < n; i++) words += s[i] != ' ' && (i + 1 == n || s[i + 1] == ' ');
    return words;
}

void phrase_capital(char *s)
{
    size_t n = 0;
    while (is_lower(s[n])) n++;
    if (n > SHORT_WORD || (n && s[n] == ' ') || (n && !s[n])) s[0] = (char)(s[0] - 'a' + 'A');
}

void phrase_small(char *s)
{
    size_t n = 1;
    while (is_lower(s[n])) n++;
    if (is_upper(s[0]) && n > SHORT_WORD + 1 && !is_digit(s[n]) && !is_upper(s[n])) s[0] = low(s[0]);
}

const char *phrase_article(const char *s)
{
    bool spelt = (is_upper(s[0]) && !is_lower(s[1])) || (is_lower(s[0]) && is_upper(s[1])); /* "an NADH ...", "an mRNA ..." */
    if (spelt) return strchr("aefhilmnorsx", low(s[0])) ? "an" : "a";
    if (s[0] == '8' || (s[0] == '1' && (s[1] == '1' || s[1] == '8') && !is_digit(s[2]))) return "an";
    if (low(s[0]) == 'u') return low(s[1]) == 'n' && low(s[2]) != 'i' ? "an" : "a";
    return s[0] && strchr("aeio", low(s[0])) ? "an" : "a";
}

static size_t squeeze(const char *s, char *out, size_t cap)
{
    size_t n = 0;
    for (; *s && n + 1 < cap; s++)
        if (is_letter(*s) || is_digit(*s)) out[n++] = low(*s);
    out[n] = 0;
    return n;
}

bool phrase_same(const char *a, const char *b)
{
    for (;; a++, b++) {
        while (*a && !is_letter(*a) && !is_digit(*a)) a++;
        while (*b && !is_letter(*b) && !is_digit(*b)) b++;
        if (low(*a) != low(*b)) return false;
        if (!*a) return true;
    }
}

/* ---- names in capitals ---- */

static bool all_capitals(const char *s)
{
    size_t upper = 0;
    for (; *s; s++) {
        if (is_lower(*s)) return false;
        upper += is_upper(*s);
    }
    return upper > SHORT_WORD;
}

/* How a word of capitals is written; NULL: no rule. */
static const char *known_word(const char *s, size_t n)
{
    static const char *const word[] = {"and",  "of",    "the",   "in",    "to",    "for",   "with",   "by",    "from",
                                       "on",   "at",    "non",   "or",    "like",  "beta",  "heat",   "key",   "low",
                                       "high", "red",   "bone",  "GTPase", "ATPase", "RNase", "DNase", "NADH",  "NADPH",
                                       "cAMP", "cGMP",  "tRNA",  "mRNA",  "rRNA",  "snRNA", "DnaK",   "GroEL", "GroES",
                                       "CoA",  "PPase", "SARS",  "HTLV",  "VEGF",  "III",   "VIII",   "XIII",  "FGFR",
                                       "EGFR", "HMGR",  "FKBP",  "CRISPR", "ssDNA", "dsDNA", "dsRNA",  "siRNA"};
    for (size_t i = 0; i < sizeof word / sizeof *word; i++) {
        size_t k = 0;
        while (k < n && word[i][k] && low(word[i][k]) == low(s[k])) k++;
        if (k == n && !word[i][k]) return word[i];
    }
    return NULL;
}

static bool has_vowel(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strchr("AEIOUY", s[i])) return true;
    return false;
}

/* "HEAT SHOCK PROTEIN HSP90-BETA CHAIN II" to "heat shock protein HSP90-beta chain II": words of letters alone that can be
 * spoken become small. */
static void calm(char *s)
{
    for (size_t i = 0; s[i];) {
        size_t n = 0;
        while (is_upper(s[i + n])) n++;
        if (!n) {
            i++;
            continue;
        }
        const char *known = known_word(s + i, n);
        bool digits = (i && is_digit(s[i - 1])) || is_digit(s[i + n]);
        if (known)
            memcpy(s + i, known, n);
        else if (n > SHORT_WORD && !digits && has_vowel(s + i, n))
            for (size_t k = 0; k < n; k++) s[i + k] = low(s[i + k]);
        i += n;
    }
}

/* ---- names of molecules ---- */

static bool has_head(const char *s, const char *head) /* without regard to case */
{
    while (*head && low(*s) == *head) s++, head++;
    return !*head;
}

static bool has(const char *s, const char *part)
{
    for (; *s; s++)
        if (has_head(s, part)) return true;
    return false;
}

static bool is_empty_name(const char *s)
{
    static const char *const part[] = {"terminal tag", "uncharacteri", "hypothetical protein", "unknown", "unidentified",
                                       "synthetic construct", "purification tag", "expression tag"};
    for (size_t i = 0; i < sizeof part / sizeof *part; i++)
        if (has(s, part[i])) return true;
    return strlen(s) < 3;
}

static bool ends(const char *s, size_t n, const char *tail)
{
    size_t t = strlen(tail);
    return n > t && !memcmp(s + n - t, tail, t);
}

/* "Aconitase A, N-terminal domain" is "Aconitase A". */
static void drop_domain(char *s)
{
    static const char *const tail[] = {" N-terminal domain", " C-terminal domain", " middle domain", " catalytic domain"};
    size_t n = strlen(s);
    char *comma = NULL;
    for (char *p = s; (p = strstr(p, ", ")); p++) comma = p;
    if (comma && comma - s > SHORT_WORD && (ends(s, n, "domain") || ends(s, n, "domains"))) *comma = 0;
    for (size_t i = 0; i < sizeof tail / sizeof *tail; i++)
        if (ends(s, strlen(s), tail[i])) s[strlen(s) - strlen(tail[i])] = 0;
    n = strlen(s);
    while (n && (s[n - 1] == ',' || s[n - 1] == ' ')) s[--n] = 0;
}

/* "Cyclin-dependent PK, CDK2" is better read as "Cyclin-dependent PK (CDK2)", and "Hemoglobin, alpha-chain" without its comma. */
static void mend_comma(char *s)
{
    static const char *const tail[] = {"chain", "subunit", "form", "type"};
    char *comma = strchr(s, ','), *t = comma ? comma + 2 : NULL;
    size_t n = strlen(s), capitals = 0;
    if (!comma || comma[1] != ' ' || strchr(t, ',')) return;
    for (char *p = t; *p; p++) capitals += is_upper(*p) || is_digit(*p);
    if (!strchr(t, ' ') && capitals >= 2 && n + 2 < PHRASE_NAME && !strchr(t, '(')) {
        memmove(t, t - 1, strlen(t - 1) + 1); /* one place on, over the comma */
        memcpy(comma, " (", 2);
        memmove(comma + 2, comma + 3, strlen(comma + 3) + 1);
        strcat(s, ")");
        return;
    }
    for (size_t i = 0; i < sizeof tail / sizeof *tail; i++)
        if (ends(s, n, tail[i])) {
            memmove(comma, comma + 1, strlen(comma));
            return;
        }
}

/* A sum over the words of a name, whatever their order; words that tell nothing do not count. */
static unsigned word_sum(const char *s)
{
    static const char *const filler[] = {"chain", "subunit", "protein", "of", "the", "type"};
    unsigned sum = 0;
    while (*s) {
        unsigned h = 2166136261u; /* FNV-1a */
        size_t n = 0;
        bool fill = false;
        for (; is_letter(s[n]) || is_digit(s[n]); n++) h = (h ^ (unsigned char)low(s[n])) * 16777619u;
        for (size_t i = 0; i < sizeof filler / sizeof *filler; i++)
            fill = fill || (strlen(filler[i]) == n && has_head(s, filler[i]));
        if (n && !fill) sum += h;
        s += n ? n : 1;
    }
    return sum;
}

/* Whether the short name is in the long one, and that says little more: "Lysozyme" and "Lysozyme C", "Neprilysin" and
 * "Neutral endopeptidase (neprilysin)". */
static bool covers(const char *more, const char *less)
{
    char a[PHRASE_NAME], b[PHRASE_NAME], in[PHRASE_NAME];
    size_t n = squeeze(more, a, sizeof a), m = squeeze(less, b, sizeof b);
    if (word_sum(more) == word_sum(less)) return true;
    if (m > n) return false;
    if (n - m <= TAIL && (!memcmp(a, b, m) || !memcmp(a + n - m, b, m))) return true;
    for (const char *p = more; (p = strchr(p, '(')); p++) {
        size_t len = strcspn(p, ")");
        if (len >= sizeof in) continue;
        memcpy(in, p, len);
        in[len] = 0;
        if (phrase_same(in, less)) return true;
    }
    return false;
}

static size_t add_name(char *s, char name[PHRASE_NAMES][PHRASE_NAME], size_t n)
{
    size_t len = strlen(s), at = n;
    drop_domain(s);
    if (is_empty_name(s) || len >= PHRASE_NAME) return n;
    if (all_capitals(s)) calm(s);
    mend_comma(s);
    for (size_t i = 0; i < n; i++) {
        if (covers(name[i], s)) return n;
        if (at == n && covers(s, name[i])) at = i;
    }
    if (at == PHRASE_NAMES) return n;
    strcpy(name[at], s);
    return at == n ? n + 1 : n;
}

/* The next piece of *s, without spaces around it, in out; false at the end. Pieces end at '|' and ';', or at any of `sep`
 * and at " / ", outside parentheses. */
static bool next_piece(const char **s, const char *sep, char *out, size_t cap)
{
    const char *p = *s;
    int depth = 0;
    if (!*p) return false;
    while (*p && (depth > 0 || !strchr(sep, *p)) && (depth > 0 || strncmp(p, " / ", 3) != 0)) {
        depth += *p == '(' || *p == '[';
        depth -= *p == ')' || *p == ']';
        if (depth < 0) depth = 0;
        p++;
    }
    const char *from = *s, *to = p;
    *s = !*p ? p : *p == ' ' ? p + 3 : p + 1;
    while (from < to && *from == ' ') from++;
    while (to > from && to[-1] == ' ') to--;
    size_t n = (size_t)(to - from);
    if (n >= cap) n = 0; /* no name is that long */
    memcpy(out, from, n);
    out[n] = 0;
    return true;
}

size_t phrase_names(const char *s, char name[PHRASE_NAMES][PHRASE_NAME], size_t n)
{
    char piece[PHRASE_NAME];
    while (next_piece(&s, "|;", piece, sizeof piece))
        if (*piece) n = add_name(piece, name, n);
    return n;
}

/* ---- organisms ---- */

static bool is_no_organism(const char *s)
{
    static const char *const part[] = {"synthetic", "unclassified", "unidentified", "uncultured", "vector", "artificial",
                                       "metagenome", "environmental", "unknown"};
    for (size_t i = 0; i < sizeof part / sizeof *part; i++)
        if (has(s, part[i])) return true;
    return strlen(s) < 3;
}

/* Two words of a species; all words of a virus, up to its strain. */
static void cut_strain(char *s)
{
    static const char *const mark[] = {" (", " strain", " isolate", " group ", " subtype", " serotype", " str.", " Strain"};
    for (size_t i = 0; i < sizeof mark / sizeof *mark; i++) {
        char *p = strstr(s, mark[i]);
        if (p) *p = 0;
    }
    if (has(s, "virus") || has(s, "phage") || has(s, "plasmid")) return;
    char *p = strchr(s, ' ');
    if (p && (p = strchr(p + 1, ' '))) *p = 0;
    size_t n = strlen(s);
    while (n && s[n - 1] == ',') s[--n] = 0;
}

/* "HOMO SAPIENS", "Escherichia Coli" and "Murine Hepatitis Virus" with a capital at the front alone; names that are written
 * well already have a small letter at the front of some word. */
static void calm_organism(char *s)
{
    bool fine = false;
    for (char *p = s; (p = strchr(p, ' ')); p++) fine = fine || is_lower(p[1]);
    if (fine) return;
    for (size_t i = 0; s[i];) {
        size_t n = 0;
        bool digit = false;
        while (s[i + n] && s[i + n] != ' ' && s[i + n] != '-') digit = is_digit(s[i + n++]) || digit;
        for (size_t k = i ? 0 : 1; !digit && n > 1 && k < n; k++) s[i + k] = low(s[i + k]);
        i += n + (s[i + n] != 0);
    }
}

size_t phrase_organisms(const char *s, char name[PHRASE_ORGANISMS][PHRASE_NAME])
{
    char piece[PHRASE_NAME];
    size_t n = 0;
    while (n < PHRASE_ORGANISMS && next_piece(&s, ";,|", piece, sizeof piece)) {
        calm_organism(piece);
        cut_strain(piece);
        if (is_no_organism(piece)) continue;
        size_t i = 0;
        while (i < n && !phrase_same(piece, name[i])) i++;
        if (i == n) strcpy(name[n++], piece);
    }
    return n;
}

const char *phrase_common(const char *organism)
{
    static const char *const rows[][2] = {
        {"Homo sapiens", "human"},
        {"Mus musculus", "mouse"},
        {"Rattus norvegicus", "rat"},
        {"Bos taurus", "bovine"},
        {"Sus scrofa", "pig"},
        {"Gallus gallus", "chicken"},
        {"Oryctolagus cuniculus", "rabbit"},
        {"Ovis aries", "sheep"},
        {"Equus caballus", "horse"},
        {"Canis lupus", "dog"},
        {"Lama glama", "llama"},
        {"Vicugna pacos", "alpaca"},
        {"Physeter catodon", "sperm whale"},
        {"Saccharomyces cerevisiae", "yeast"},
        {"Schizosaccharomyces pombe", "fission yeast"},
        {"Drosophila melanogaster", "fruit fly"},
        {"Caenorhabditis elegans", "C. elegans"},
        {"Danio rerio", "zebrafish"},
        {"Xenopus laevis", "frog"},
        {"Arabidopsis thaliana", "Arabidopsis"},
        {"Spinacia oleracea", "spinach"},
        {"Escherichia coli", "E. coli"},
        {"Bacillus subtilis", "B. subtilis"},
        {"Mycobacterium tuberculosis", "M. tuberculosis"},
        {"Pseudomonas aeruginosa", "P. aeruginosa"},
        {"Staphylococcus aureus", "S. aureus"},
        {"Thermus thermophilus", "T. thermophilus"},
        {"Plasmodium falciparum", "malaria parasite"},
        {"Enterobacteria phage T4", "phage T4"},
        {"Severe acute respiratory syndrome coronavirus 2", "SARS-CoV-2"},
        {"Human immunodeficiency virus 1", "HIV-1"},
        {"Human immunodeficiency virus type 1", "HIV-1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (phrase_same(organism, rows[i][0])) return rows[i][1];
    return NULL;
}

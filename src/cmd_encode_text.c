/* cmd_encode_text: cryolex encode-text, the vectors of texts. */
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/progress.h"
#include "base/tsv.h"
#include "base/utf8.h"
#include "config.h"
#include "nn/stfile.h"
#include "pipeline/textmodel.h"
#include "pipeline/vectors.h"
#include "src/json.h"
#include "src/outpath.h"
#include "src/table.h"
#include "text/sentence.h"

typedef struct {
    const char *model, *list, *out;
    int format;
    bool tokens, real;
} opts_t;

enum { FORMAT_TSV, FORMAT_JSON };
enum { DIGITS = 6 };   /* significant ones of a printed number */
enum { BATCH = 1024 }; /* texts encoded at a time */

static const opt_t rows[] = {
    {'m', "model", OPT_STR, offsetof(opts_t, model), "MODEL", 0, 0, NULL, NULL,
     "The encoder: minilm or mpnet, as fetch-text-model has put them into the cache, or a sentence-transformers folder. "
     "Without it the one that the environment variable CRYOLEX_TEXT_MODEL names, else minilm"},
    {'l', "list", OPT_STR, offsetof(opts_t, list), "FILE", 0, 0, NULL, NULL,
     "The texts are the lines of FILE; \"-\" is standard input. An empty line is an empty text, so that rows and lines "
     "agree"},
    {'o', "output", OPT_STR, offsetof(opts_t, out), "FILE", 0, 0, NULL, NULL,
     "Write the vectors in full to FILE, by its suffix: .npy (NumPy) or .safetensors. Row i is text i; nothing goes to "
     "standard output"},
    {0, "float", OPT_FLAG, offsetof(opts_t, real), NULL, 0, 0, NULL, NULL,
     "Compute in float32 throughout. Without it the dense layers work in 16-bit fixed point, which takes two thirds of the "
     "time; the cosine between the two is above 0.99999"},
    {0, "tokens", OPT_FLAG, offsetof(opts_t, tokens), NULL, 0, 0, NULL, NULL,
     "Print the tokens that the encoder would see, and encode nothing"},
    {0, "format", OPT_CHOICE, offsetof(opts_t, format), NULL, 0, 0, "tsv|json", "tsv",
     "TSV with a header row, or one JSON object a line"},
    {0},
};

typedef struct {
    char *bytes; /* of the list; NULL for operands */
    const char **text;
    size_t n, cap;
} texts_t;

static void texts_free(texts_t *t)
{
    if (t->bytes) mem_free(t->text);
    mem_free(t->bytes);
}

/* The place, from 1, of the first byte that belongs to no UTF-8 character; 0: none. */
static size_t utf8_fault(const char *s)
{
    for (const char *p = s; *p;) {
        size_t n = utf8_len(p);
        if (!n) return (size_t)(p - s) + 1;
        p += n;
    }
    return 0;
}

/* The lines of a file; an end of line before the end of the file begins no other line. */
static int read_list(const char *path, size_t max, texts_t *t, err_t *err)
{
    const char *name = strcmp(path, "-") ? path : "standard input";
    size_t size;
    if (!(t->bytes = (char *)file_read(path, max, &size, err))) return -1;
    char *p = t->bytes, *end = p + size;
    if (!strncmp(p, "\xef\xbb\xbf", 3)) p += 3; /* byte order mark */
    for (char *next; p < end; p = next) {
        char *stop = memchr(p, '\n', (size_t)(end - p));
        next = stop ? stop + 1 : end;
        if (!stop) stop = end;
        char *nul = memchr(p, 0, (size_t)(stop - p));
        if (nul) return err_set(err, ERR_FORMAT, "%s: line %zu, byte %zu: NUL", name, t->n + 1, (size_t)(nul - p) + 1);
        if (stop > p && stop[-1] == '\r') stop--;
        *stop = 0;
        if (mem_grow(&t->text, &t->cap, t->n + 1, sizeof *t->text, err)) return -1;
        t->text[t->n++] = p;
    }
    return t->n ? 0 : err_set(err, ERR_FORMAT, "%s: empty, no text", name);
}

/* A file in another encoding is wrong throughout, so nothing is done with it. */
static int check_utf8(const opts_t *o, const texts_t *t, err_t *err)
{
    for (size_t i = 0; i < t->n; i++) {
        size_t at = utf8_fault(t->text[i]);
        if (at && !o->list) return err_set(err, ERR_FORMAT, "text %zu, byte %zu: not UTF-8", i + 1, at);
        if (at)
            return err_set(err, ERR_FORMAT, "%s: line %zu, byte %zu: not UTF-8 (iconv converts a file)",
                           strcmp(o->list, "-") ? o->list : "standard input", i + 1, at);
    }
    return 0;
}

static void print_header(const opts_t *o, const sentenceinfo_t *info)
{
    if (o->format == FORMAT_JSON || (o->out && !o->tokens)) return;
    printf(o->tokens ? "text\ttokens\tids\tpieces" : "text");
    for (size_t j = 0; !o->tokens && j < info->dim; j++) printf("\tz%zu", j);
    putchar('\n');
}

static void print_vector(const opts_t *o, const char *text, const float *z, size_t d)
{
    if (o->format == FORMAT_JSON) {
        json_t *j = json_object(), *list = json_array();
        json_object_set_new(j, "text", json_string(text));
        for (size_t k = 0; k < d; k++) json_array_append_new(list, json_significant((double)z[k], DIGITS));
        json_object_set_new(j, "embedding", list);
        json_line(j);
        return;
    }
    tsv_put(stdout, text);
    for (size_t k = 0; k < d; k++) printf("\t%.*g", DIGITS, (double)z[k]);
    putchar('\n');
}

static void print_tokens(const opts_t *o, const sentence_t *s, const char *text, const int32_t *id, size_t n)
{
    if (o->format == FORMAT_JSON) {
        json_t *j = json_object(), *ids = json_array(), *pieces = json_array();
        json_object_set_new(j, "text", json_string(text));
        json_object_set_new(j, "tokens", json_integer((json_int_t)n));
        for (size_t k = 0; k < n; k++) {
            json_array_append_new(ids, json_integer(id[k]));
            json_array_append_new(pieces, json_text(sentence_piece(s, id[k])));
        }
        json_object_set_new(j, "ids", ids);
        json_object_set_new(j, "pieces", pieces);
        json_line(j);
        return;
    }
    tsv_put(stdout, text);
    printf("\t%zu\t", n);
    for (size_t k = 0; k < n; k++) printf(k ? " %ld" : "%ld", (long)id[k]);
    putchar('\t');
    for (size_t k = 0; k < n; k++) {
        if (k) putchar(' ');
        tsv_put(stdout, sentence_piece(s, id[k]));
    }
    putchar('\n');
}

static int run_tokens(const opts_t *o, const sentence_t *s, const texts_t *t, err_t *err)
{
    int32_t *id = mem_new(sentence_info(s)->max_tokens, sizeof *id, err);
    int rc = id ? 0 : -1;
    for (size_t i = 0, n; !rc && i < t->n; i++) {
        rc = sentence_tokens(s, t->text[i], id, &n, err);
        if (!rc) print_tokens(o, s, t->text[i], id, n);
    }
    mem_free(id);
    return rc;
}

/* z (n,d) of all texts is kept where it is written to a file, else that of one batch. */
static int run_vectors(const app_t *app, const opts_t *o, const sentence_t *s, const texts_t *t, float *z, err_t *err)
{
    const sentenceinfo_t *info = sentence_info(s);
    size_t cut = 0, some;
    progress_t *bar = t->n > BATCH ? progress_new(&app->log, "encode", "texts", t->n) : NULL;
    int rc = 0;
    for (size_t at = 0; !rc && at < t->n; at += BATCH) {
        size_t n = t->n - at < BATCH ? t->n - at : BATCH;
        float *out = o->out ? z + at * info->dim : z;
        if ((rc = sentence_encode(s, t->text + at, n, out, &some, err))) break;
        cut += some;
        for (size_t i = 0; !o->out && i < n; i++) print_vector(o, t->text[at + i], out + i * info->dim, info->dim);
        progress_step(bar, n, 0);
    }
    progress_end(bar);
    if (!rc && cut)
        log_msg(&app->log, LOG_WARN, "%zu of %zu texts are longer than %zu tokens and were cut", cut, t->n, info->max_tokens);
    return rc;
}

static bool is_safetensors(const char *out)
{
    const char *dot = strrchr(out, '.');
    return dot && !strcasecmp(dot, ".safetensors");
}

static int write_vectors(const char *out, const sentence_t *s, float *z, size_t n, err_t *err)
{
    const sentenceinfo_t *info = sentence_info(s);
    vectors_t v = {.n = n, .d = info->dim, .z = z};
    size_t d = info->dim;
    sttensor_t tensor = {.name = "embeddings", .type = ST_F32, .ndim = 2, .shape = {n, d}, .count = n * d, .data = z};
    char hash[SENTENCE_HASH];
    if (!is_safetensors(out)) return vectors_npy(out, &v, err);
    if (sentence_hash(s, hash, err)) return -1;
    stmeta_t meta[] = {{"program", PACKAGE_STRING}, {"text_encoder", info->name}, {"text_encoder_hash", hash}};
    return stfile_write(out, &tensor, 1, meta, sizeof meta / sizeof *meta, err);
}

static int encode(const app_t *app, const opts_t *o, const sentence_t *s, const texts_t *t, err_t *err)
{
    const sentenceinfo_t *info = sentence_info(s);
    size_t n = o->out || t->n < BATCH ? t->n : BATCH;
    if (n > app->memory / sizeof(float) / info->dim)
        return err_set(err, ERR_RANGE, "%zu vectors of %zu numbers need %.3g bytes (the limit is %zu); see --memory", n,
                       info->dim, (double)n * (double)info->dim * sizeof(float), app->memory);
    float *z = mem_new(n, info->dim * sizeof *z, err);
    int rc = !z || run_vectors(app, o, s, t, z, err) || (o->out && write_vectors(o->out, s, z, n, err)) ? -1 : 0;
    mem_free(z);
    if (!rc)
        log_msg(&app->log, LOG_INFO, "%s%s%zu texts, %zu numbers each, by %s", o->out ? o->out : "", o->out ? ": " : "", t->n,
                info->dim, info->name);
    return rc;
}

/* What can be told to be wrong before any work. */
static int check(const opts_t *o, int argc, err_t *err)
{
    const char *dot = o->out ? strrchr(o->out, '.') : NULL;
    if (!argc == !o->list) return err_set(err, ERR_USAGE, "encode-text: texts, or --list FILE, are wanted; not both");
    if (!o->out) return 0;
    if (o->tokens) return err_set(err, ERR_USAGE, "encode-text: --tokens goes to standard output, not with --output");
    if (!is_safetensors(o->out) && (!dot || strcasecmp(dot, ".npy") != 0))
        return err_set(err, ERR_USAGE, "encode-text: %s: the name of the output ends neither in .npy nor in .safetensors",
                       o->out);
    if (o->list && outpath_not_input("encode-text", o->out, o->list, err)) return -1;
    return outpath_writable(o->out, err);
}

static sentence_t *open_model(const opts_t *o, err_t *err)
{
    char *path = textmodel_folder(o->model, err);
    sentence_t *s = path ? sentence_open_as(path, o->real ? SENTENCE_FLOAT : SENTENCE_FIXED, err) : NULL;
    mem_free(path);
    return s;
}

static int run(const app_t *app, const void *opts, int argc, char **argv)
{
    const opts_t *o = opts;
    err_t err = {0};
    texts_t t = {.text = (const char **)argv, .n = (size_t)argc};
    sentence_t *s = NULL;
    if (o->list) t = (texts_t){0};
    if (check(o, argc, &err) || (o->list && read_list(o->list, app->memory, &t, &err)) || check_utf8(o, &t, &err) ||
        !(s = open_model(o, &err)) ||
        (o->out && outpath_not_input("encode-text", o->out, sentence_info(s)->weights, &err)))
        goto done;
    print_header(o, sentence_info(s));
    if (o->tokens)
        run_tokens(o, s, &t, &err);
    else
        encode(app, o, s, &t, &err);
done:
    sentence_close(s);
    texts_free(&t);
    return err.code == ERR_OK ? EXIT_DONE : cmd_fail(app, &err);
}

const cmd_t cmd_encode_text = {
    .name = "encode-text",
    .args = "TEXT... | -l FILE",
    .summary = "The vectors of texts by a sentence encoder",
    .about = "Runs a frozen sentence encoder (BERT or MPNet, a folder of the sentence-transformers library) on texts. A vector "
             "has length 1; the dot product of two says how alike the texts are. all-MiniLM-L6-v2 (minilm, 384 numbers) and "
             "all-mpnet-base-v2 (mpnet, 768) are fetched by fetch-text-model, in scripts/ or where CryoLex is installed.\n\n"
             "Columns: text (tabs and the like become spaces; JSON keeps them); z0, z1 and so on, the vector, to six digits. With "
             "--tokens: text; tokens, their number; ids; pieces, as the vocabulary writes them.\n\n"
             "Texts are UTF-8; where one is not, its line is told and nothing is done. Text past the encoder's limit (256 tokens "
             "for minilm, 384 for mpnet) is cut off, with a warning.",
    .example = "cryolex encode-text -m minilm -l captions.txt -o captions.npy",
    .opts = rows,
    .opt_size = sizeof(opts_t),
    .min_args = 0,
    .max_args = -1,
    .run = run,
};

/* sentence: see sentence.h. Texts go through the layers in batches of about BATCH tokens, one after the other and without
 * padding: the sums behind a token involve its own text alone, in a fixed order (nn/matmul.h), so batches change nothing. */
#include "text/sentence.h"

#include <lzma.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/threads.h"
#include "text/layers.h"

enum { BATCH = 256, BATCH_LEAST = 48, SLAB = 4096, CHUNK = 1 << 18 }; /* tokens, tokens, texts, floats */

struct sentence {
    folder_t f;
    weights_t w;
    wordpiece_t *vocab;
    sentenceinfo_t info;
    char *name;
    char weights[FOLDER_PATH];
};

/* ---- open ---- */

static const char *type_name(const size_t stored[ST_COUNT])
{
    int kinds = (stored[ST_F32] > 0) + (stored[ST_F16] > 0) + (stored[ST_BF16] > 0);
    return kinds > 1 ? "mixed" : stored[ST_F16] ? "F16" : stored[ST_BF16] ? "BF16" : "F32";
}

static int set_info(sentence_t *s, const char *folder, err_t *err)
{
    struct stat st;
    char *real = realpath(folder, NULL), *slash = real ? strrchr(real, '/') : NULL;
    s->name = mem_str(slash && slash[1] ? slash + 1 : folder, err);
    free(real);
    if (!s->name || folder_join(s->weights, s->f.root, "model.safetensors", err)) return -1;
    if (stat(s->weights, &st)) return err_set(err, ERR_IO, "%s: cannot be read", s->weights);
    s->info = (sentenceinfo_t){.name = s->name, .architecture = arch_name(s->f.arch), .type = type_name(s->w.stored), .dim = s->f.dim,
                               .max_tokens = s->f.max_tokens, .layers = s->f.layers, .heads = s->f.heads, .hidden = s->f.hidden,
                               .vocab = wordpiece_count(s->vocab), .positions = s->f.positions, .weights = s->weights,
                               .bytes = (size_t)st.st_size, .normalize = s->f.normalize};
    for (size_t i = 0; i < s->w.nused; i++) s->info.parameters += s->w.used[i].count;
    return 0;
}

sentence_t *sentence_open(const char *folder, err_t *err)
{
    return sentence_open_as(folder, SENTENCE_FIXED, err);
}

sentence_t *sentence_open_as(const char *folder, sentencesum_t sum, err_t *err)
{
    sentence_t *s = mem_zero(1, sizeof *s, err);
    if (!s) return NULL;
    if (!folder_read(folder, &s->f, err) && (s->vocab = folder_vocab(&s->f, err)) && !weights_read(&s->f, sum == SENTENCE_FIXED, &s->w, err) &&
        !set_info(s, folder, err))
        return s;
    sentence_close(s);
    return NULL;
}

void sentence_close(sentence_t *s)
{
    if (!s) return;
    weights_free(&s->w);
    wordpiece_free(s->vocab);
    mem_free(s->name);
    mem_free(s);
}

const sentenceinfo_t *sentence_info(const sentence_t *s)
{
    return &s->info;
}

/* ---- hash ---- */

static uint64_t crc(const void *p, size_t n, uint64_t before)
{
    return lzma_crc64(p, n, before);
}

/* Settings and vocabulary. */
static uint64_t hash_words(const sentence_t *s)
{
    const folder_t *f = &s->f;
    char line[512];
    const char *const token[] = {f->cls, f->sep, f->unk, f->pad, f->mask, f->bos, f->eos};
    int n = snprintf(line, sizeof line, "sentence 1 %s %zu %zu %zu %zu %zu %zu %.9g %zu %d%d%d", arch_name(f->arch), f->vocab, f->dim,
                     f->layers, f->heads, f->hidden, f->positions, f->eps, f->max_tokens, f->lower, f->accents, f->cjk);
    uint64_t h = crc(line, (size_t)n, 0);
    for (size_t i = 0; i < sizeof token / sizeof *token; i++) h = crc(token[i], strlen(token[i]) + 1, h);
    for (size_t i = 0; i < wordpiece_count(s->vocab); i++) {
        const char *p = wordpiece_piece(s->vocab, (int32_t)i);
        h = crc(p, strlen(p) + 1, h);
    }
    return h;
}

int sentence_hash(const sentence_t *s, char hash[SENTENCE_HASH], err_t *err)
{
    const weights_t *w = &s->w;
    size_t chunks = 0, at = 0;
    for (size_t i = 0; i < w->nused; i++) chunks += (w->used[i].count + CHUNK - 1) / CHUNK;
    used_t *part = mem_new(chunks, sizeof *part, err);
    uint64_t *sum = mem_new(chunks, sizeof *sum, err), h = hash_words(s);
    if (!part || !sum) {
        mem_free(part);
        mem_free(sum);
        return -1;
    }
    for (size_t i = 0; i < w->nused; i++)
        for (size_t k = 0; k < w->used[i].count; k += CHUNK) {
            size_t left = w->used[i].count - k;
            part[at++] = (used_t){w->used[i].data + k, left < CHUNK ? left : CHUNK};
        }
#pragma omp parallel for schedule(dynamic)
    for (size_t i = 0; i < chunks; i++) sum[i] = crc(part[i].data, part[i].count * sizeof(float), 0);
    h = crc(sum, chunks * sizeof *sum, h);
    snprintf(hash, SENTENCE_HASH, "%016llx", (unsigned long long)h);
    mem_free(part);
    mem_free(sum);
    return 0;
}

/* ---- encode ---- */

int sentence_tokens(const sentence_t *s, const char *text, int32_t *ids, size_t *n, err_t *err)
{
    return wordpiece_encode(s->vocab, text, s->f.max_tokens, ids, n, NULL, err);
}

const char *sentence_piece(const sentence_t *s, int32_t id)
{
    return wordpiece_piece(s->vocab, id);
}

/* What some thousand texts need. */
typedef struct {
    int32_t *ids;          /* (SLAB, max_tokens) */
    const int32_t **text;  /* (SLAB) rows of ids */
    float **out;           /* (SLAB) */
    size_t *count;         /* (SLAB) tokens */
    size_t *start;         /* (SLAB, 2): those of batch b begin at first[b] + b */
    size_t *first;         /* (SLAB + 1) first text of each batch */
    size_t batches, rows, longest; /* rows, longest: the most of one batch */
    float *work;           /* (threads, each) */
    size_t each;
    int across, within;    /* threads: batches at a time, and inside each */
} slab_t;

static void slab_free(slab_t *b)
{
    mem_free(b->ids);
    mem_free(b->text);
    mem_free(b->out);
    mem_free(b->count);
    mem_free(b->start);
    mem_free(b->first);
    mem_free(b->work);
}

static int slab_new(const sentence_t *s, size_t n, slab_t *b, err_t *err)
{
    if (n > SLAB) n = SLAB;
    return (b->ids = mem_new(n, s->f.max_tokens * sizeof *b->ids, err)) && (b->text = mem_new(n, sizeof *b->text, err)) &&
                   (b->out = mem_new(n, sizeof *b->out, err)) && (b->count = mem_new(n, sizeof *b->count, err)) &&
                   (b->start = mem_new(n, 2 * sizeof *b->start, err)) && (b->first = mem_new(n + 1, sizeof *b->first, err))
               ? 0 : -1;
}

/* Tokens of n texts, of which the first is number `number` of all. Of several faults that of the first text is reported. */
static int tokenise(const sentence_t *s, const char *const *text, size_t n, size_t number, slab_t *b, size_t *cut, err_t *err)
{
    size_t bad = n, longer = 0, max = s->f.max_tokens;
    err_t first = {0};
#pragma omp parallel for schedule(dynamic, 16) reduction(+ : longer)
    for (size_t i = 0; i < n; i++) {
        err_t e = {0};
        bool more = false;
        if (wordpiece_encode(s->vocab, text[i], max, b->ids + i * max, &b->count[i], &more, &e)) {
#pragma omp critical(sentence_fault)
            if (i < bad) {
                bad = i;
                first = e;
            }
        }
        b->text[i] = b->ids + i * max;
        longer += more;
    }
    if (bad < n) return err_set(err, first.code, "text %zu: %s", number + bad + 1, first.msg);
    if (cut) *cut += longer;
    return 0;
}

/* Tokens of the next batch, of `left`. The last ones are small, so that the threads end together; threads 0: all alike. */
static size_t batch_size(size_t left, size_t threads)
{
    size_t size = threads ? left / (2 * threads) : BATCH;
    return size < BATCH_LEAST ? BATCH_LEAST : size > BATCH ? BATCH : size;
}

/* Divide n texts, `left` tokens, into batches; a longer text is a batch of its own. */
static void divide(slab_t *b, size_t n, size_t left, size_t threads)
{
    size_t tokens = 0, size = 0;
    b->batches = b->rows = b->longest = 0;
    for (size_t i = 0; i < n; i++) {
        if (!i || tokens + b->count[i] > size) {
            b->first[b->batches++] = i;
            b->start[i + b->batches - 1] = tokens = 0;
            size = batch_size(left, threads);
        }
        tokens += b->count[i];
        left -= b->count[i];
        b->start[i + b->batches] = tokens;
        if (tokens > b->rows) b->rows = tokens;
        if (b->count[i] > b->longest) b->longest = b->count[i];
    }
    b->first[b->batches] = n;
}

/* Batches, and threads: many batches go side by side, few one after the other by all threads. */
static int plan(const sentence_t *s, size_t n, slab_t *b, err_t *err)
{
    const int threads = threads_max();
    size_t tokens = 0, want = (size_t)threads;
    for (size_t i = 0; i < n; i++) tokens += b->count[i];
    divide(b, n, tokens, want);
    if (b->batches < want) divide(b, n, tokens, 0);
    b->across = b->batches < want ? 1 : threads;
    b->within = b->batches < want ? threads : 1;
    mem_free(b->work);
    b->each = layers_work(&s->f, &s->w, b->rows, b->longest, b->within);
    return (b->work = mem_new((size_t)b->across, b->each * sizeof *b->work, err)) ? 0 : -1;
}

static int run(const sentence_t *s, slab_t *b, size_t batch, float *work)
{
    const size_t from = b->first[batch];
    const batch_t t = {b->first[batch + 1] - from, b->start + from + batch, b->text + from};
    return layers_run(&s->f, &s->w, &t, isa_best(), work, b->rows, b->longest, b->within, b->out + from);
}

static int run_all(const sentence_t *s, slab_t *b, err_t *err)
{
    int bad = 0;
#pragma omp parallel num_threads(b->across) if (b->across > 1) reduction(| : bad)
    {
        float *work = b->work + (size_t)omp_get_thread_num() * b->each;
#pragma omp for schedule(dynamic)
        for (size_t k = 0; k < b->batches; k++) bad |= run(s, b, k, work) != 0;
    }
    return bad ? err_set(err, ERR_RANGE, "%s: the weights give a vector that is zero or not finite", s->name) : 0;
}

int sentence_encode(const sentence_t *s, const char *const *text, size_t n, float *out, size_t *cut, err_t *err)
{
    slab_t b = {0};
    int rc = -1;
    if (cut) *cut = 0;
    if (slab_new(s, n, &b, err)) goto end;
    for (size_t i = 0; i < n; i += SLAB) {
        size_t m = n - i < SLAB ? n - i : SLAB;
        for (size_t k = 0; k < m; k++) b.out[k] = out + (i + k) * s->f.dim;
        if (tokenise(s, text + i, m, i, &b, cut, err) || plan(s, m, &b, err) || run_all(s, &b, err)) goto end;
    }
    rc = 0;
end:
    slab_free(&b);
    return rc;
}

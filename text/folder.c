/* folder: see folder.h. Key by key as sentence-transformers 2 to 6 and transformers 4 to 5 write and read them. */
#include "text/folder.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

enum { JSON_BYTES = 1 << 20, VOCAB_BYTES = 64 << 20 };

/* One JSON file. */
typedef struct {
    char path[FOLDER_PATH];
    json_t *root;
    err_t *err;
} conf_t;

static const struct {
    const char *name, *classes[2]; /* architecture; tokenizer classes with its special tokens */
    const char *cls, *sep, *unk, *pad, *mask, *bos, *eos;
    double eps;
} archs[ARCH_COUNT] = {
    [ARCH_BERT] = {"bert", {"BertTokenizer", "BertTokenizerFast"}, "[CLS]", "[SEP]", "[UNK]", "[PAD]", "[MASK]", "", "", 1e-12},
    [ARCH_MPNET] = {"mpnet", {"MPNetTokenizer", "MPNetTokenizerFast"}, "<s>", "</s>", "[UNK]", "<pad>", "<mask>", "<s>", "</s>", 1e-12},
};

const char *arch_name(arch_t arch)
{
    return archs[arch].name;
}

int folder_join(char out[FOLDER_PATH], const char *dir, const char *name, err_t *err)
{
    if (snprintf(out, FOLDER_PATH, "%s/%s", dir, name) < FOLDER_PATH) return 0;
    return err_set(err, ERR_RANGE, "%s: a path of more than %d bytes", dir, FOLDER_PATH - 1);
}

/* ---- JSON ---- */

static json_t *json_read(const char *path, size_t max, err_t *err)
{
    json_error_t e;
    size_t n;
    unsigned char *bytes = file_read(path, max, &n, err);
    if (!bytes) return NULL;
    if (!n) {
        err_set(err, ERR_FORMAT, "%s: empty", path);
        mem_free(bytes);
        return NULL;
    }
    json_t *root = json_loadb((const char *)bytes, n, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &e);
    mem_free(bytes);
    if (!root) err_set(err, ERR_FORMAT, "%s: line %d: %s", path, e.line, e.text);
    return root;
}

/* Open dir/name. May be absent with `optional`: then every key is. 0, or -1. Close with conf_close(). */
static int conf_open(conf_t *c, const char *dir, const char *name, bool optional, err_t *err)
{
    c->err = err;
    c->root = NULL;
    if (folder_join(c->path, dir, name, err)) return -1;
    if (optional && access(c->path, F_OK)) return 0;
    if (!(c->root = json_read(c->path, JSON_BYTES, err))) return -1;
    if (json_is_object(c->root) || json_is_array(c->root)) return 0;
    json_decref(c->root);
    c->root = NULL;
    return err_set(err, ERR_FORMAT, "%s: no JSON object", c->path);
}

static void conf_close(conf_t *c)
{
    json_decref(c->root);
    c->root = NULL;
}

/* The value; NULL when absent or null. */
static const json_t *conf_at(const conf_t *c, const char *key)
{
    const json_t *v = json_object_get(c->root, key);
    return json_is_null(v) ? NULL : v;
}

/* A whole number of min..max, or def where there is none; def 0: there must be one. */
static int conf_size(const conf_t *c, const char *key, size_t min, size_t max, size_t def, size_t *out)
{
    const json_t *v = conf_at(c, key);
    double x = json_number_value(v);
    *out = def;
    if (!v && def) return 0;
    if (!v) return err_set(c->err, ERR_FORMAT, "%s: no %s", c->path, key);
    if (!json_is_number(v) || !(x == floor(x))) return err_set(c->err, ERR_FORMAT, "%s: %s is no whole number", c->path, key);
    if (!(x >= (double)min && x <= (double)max))
        return err_set(c->err, ERR_RANGE, "%s: %s %.10g (%zu..%zu)", c->path, key, x, min, max);
    *out = (size_t)x;
    return 0;
}

static int conf_bool(const conf_t *c, const char *key, bool def, bool *out)
{
    const json_t *v = conf_at(c, key);
    *out = v ? json_is_true(v) : def;
    if (!v || json_is_boolean(v)) return 0;
    return err_set(c->err, ERR_FORMAT, "%s: %s is neither true nor false", c->path, key);
}

/* A string, or def. The file's lives as long as c. */
static int conf_text(const conf_t *c, const char *key, const char *def, const char **out)
{
    const json_t *v = conf_at(c, key);
    *out = v ? json_string_value(v) : def;
    if (*out) return 0;
    return err_set(c->err, ERR_FORMAT, v ? "%s: %s is no string" : "%s: no %s", c->path, key);
}

/* key must be absent or `want`. */
static int conf_only(const conf_t *c, const char *key, const char *want)
{
    const char *s;
    if (conf_text(c, key, want, &s)) return -1;
    return strcmp(s, want) ? err_set(c->err, ERR_UNSUP, "%s: %s \"%s\" (only \"%s\")", c->path, key, s, want) : 0;
}

static int conf_never(const conf_t *c, const char *key)
{
    bool on;
    if (conf_bool(c, key, false, &on)) return -1;
    return on ? err_set(c->err, ERR_UNSUP, "%s: %s is true (only false)", c->path, key) : 0;
}

/* ---- modules.json ---- */

/* The folder of a module: a name inside the folder, without "..". */
static int module_path(const conf_t *c, const conf_t *m, const char *root, char out[FOLDER_PATH])
{
    const char *s;
    if (conf_text(m, "path", NULL, &s)) return -1;
    if (*s == '/' || strstr(s, "..")) return err_set(c->err, ERR_FORMAT, "%s: path \"%s\" leads out of the folder", c->path, s);
    if (*s) return folder_join(out, root, s, c->err);
    if (snprintf(out, FOLDER_PATH, "%s", root) < FOLDER_PATH) return 0;
    return err_set(c->err, ERR_RANGE, "%s: a path of more than %d bytes", root, FOLDER_PATH - 1);
}

/* Transformer, Pooling and, where the vectors have unit length, Normalize, in this order. */
static int read_modules(const char *path, folder_t *f, char pooling[FOLDER_PATH], err_t *err)
{
    static const char *const want[] = {"Transformer", "Pooling", "Normalize"};
    conf_t c, m;
    int rc = -1;
    char none[FOLDER_PATH];
    char *const to[] = {f->root, pooling, none};
    if (folder_join(c.path, path, "modules.json", err)) return -1;
    if (access(c.path, F_OK))
        return err_set(err, ERR_IO, "%s: %s (not a sentence-transformers folder?)", c.path, strerror(errno));
    if (conf_open(&c, path, "modules.json", false, err)) return -1;
    size_t n = json_array_size(c.root);
    if (!json_is_array(c.root) || n < 2) {
        err_set(err, ERR_FORMAT, "%s: no list of two modules or three", c.path);
        goto end;
    }
    m = c;
    for (size_t i = 0; i < n; i++) {
        const char *type, *dot;
        if (!json_is_object(m.root = json_array_get(c.root, i))) {
            err_set(err, ERR_FORMAT, "%s: module %zu is no object", c.path, i);
            goto end;
        }
        if (conf_text(&m, "type", NULL, &type)) goto end;
        type = (dot = strrchr(type, '.')) ? dot + 1 : type;
        if (i > 2 || strcmp(type, want[i])) {
            err_set(err, ERR_UNSUP, "%s: module %zu is %s (only Transformer, Pooling, Normalize)", c.path, i, type);
            goto end;
        }
        if (module_path(&c, &m, path, to[i])) goto end;
    }
    f->normalize = n == 3;
    rc = 0;
end:
    conf_close(&c);
    return rc;
}

/* ---- 1_Pooling/config.json ---- */

/* One mode, "mean": as a string or a list of one, or as one of the older switches. */
static int read_mode(const conf_t *c)
{
    static const char *const other[] = {"cls_token", "max_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken"};
    const json_t *v = conf_at(c, "pooling_mode");
    if (json_array_size(v) == 1) v = json_array_get(v, 0);
    if (v) {
        const char *s = json_string_value(v);
        if (s && !strcmp(s, "mean")) return 0;
        return err_set(c->err, ERR_UNSUP, "%s: pooling_mode %s (only \"mean\")", c->path, s ? s : "of several");
    }
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        char key[64];
        snprintf(key, sizeof key, "pooling_mode_%s", other[i]);
        if (conf_never(c, key)) return -1;
    }
    return 0; /* with no switch at all upstream takes the mean */
}

static int read_pooling(const char *path, const folder_t *f, err_t *err)
{
    conf_t c;
    size_t dim;
    int rc = -1;
    if (conf_open(&c, path, "config.json", false, err)) return -1;
    const char *key = conf_at(&c, "embedding_dimension") ? "embedding_dimension" : "word_embedding_dimension";
    if (conf_size(&c, key, 1, 65536, 0, &dim) || read_mode(&c)) goto end;
    if (dim != f->dim) {
        err_set(err, ERR_FORMAT, "%s: %s %zu (the model's hidden_size is %zu)", c.path, key, dim, f->dim);
        goto end;
    }
    rc = 0;
end:
    conf_close(&c);
    return rc;
}

/* ---- config.json ---- */

static int read_sizes(const conf_t *c, folder_t *f)
{
    return conf_size(c, "vocab_size", 1, WORDPIECE_MAX, 0, &f->vocab) || conf_size(c, "hidden_size", 1, 16384, 0, &f->dim) ||
                   conf_size(c, "num_hidden_layers", 1, 256, 0, &f->layers) ||
                   conf_size(c, "num_attention_heads", 1, 256, 0, &f->heads) ||
                   conf_size(c, "intermediate_size", 1, 65536, 0, &f->hidden) ||
                   conf_size(c, "max_position_embeddings", 4, 65536, 0, &f->positions)
               ? -1 : 0;
}

static int read_config(folder_t *f, err_t *err)
{
    conf_t c;
    const char *type;
    size_t buckets;
    int rc = -1;
    if (conf_open(&c, f->root, "config.json", false, err)) return -1;
    if (conf_text(&c, "model_type", NULL, &type)) goto end;
    for (f->arch = 0; f->arch < ARCH_COUNT && strcmp(type, archs[f->arch].name); f->arch++) continue;
    if (f->arch == ARCH_COUNT) {
        err_set(err, ERR_UNSUP, "%s: model_type \"%s\" (only \"bert\", \"mpnet\")", c.path, type);
        goto end;
    }
    if (read_sizes(&c, f) || conf_only(&c, "hidden_act", "gelu") || conf_only(&c, "position_embedding_type", "absolute") ||
        conf_never(&c, "is_decoder"))
        goto end;
    if (f->dim % f->heads) {
        err_set(err, ERR_FORMAT, "%s: hidden_size %zu is no multiple of num_attention_heads %zu", c.path, f->dim, f->heads);
        goto end;
    }
    if (f->arch == ARCH_BERT && conf_size(&c, "type_vocab_size", 1, 65536, 2, &f->types)) goto end;
    if (f->arch == ARCH_MPNET && conf_size(&c, "relative_attention_num_buckets", 32, 32, 32, &buckets)) goto end;
    const json_t *eps = conf_at(&c, "layer_norm_eps");
    f->eps = eps ? json_number_value(eps) : archs[f->arch].eps;
    if (!(f->eps > 0 && f->eps < 1)) {
        err_set(err, ERR_RANGE, "%s: layer_norm_eps is no number between 0 and 1", c.path);
        goto end;
    }
    rc = 0;
end:
    conf_close(&c);
    return rc;
}

/* ---- tokenizer_config.json, sentence_bert_config.json, config_sentence_transformers.json ---- */

/* A special token: a string, or an object with its content. */
static int read_token(const conf_t *c, const char *key, const char *def, char out[FOLDER_TOKEN])
{
    const json_t *v = conf_at(c, key);
    const char *s = json_is_object(v) ? json_string_value(json_object_get(v, "content")) : v ? json_string_value(v) : def;
    if (!s) return err_set(c->err, ERR_FORMAT, "%s: %s is no string", c->path, key);
    if (snprintf(out, FOLDER_TOKEN, "%s", s) < FOLDER_TOKEN) return 0;
    return err_set(c->err, ERR_RANGE, "%s: %s of more than %d bytes", c->path, key, FOLDER_TOKEN - 1);
}

/* Which of the tokenizers; without a name, that of the architecture. */
static int read_class(const conf_t *c, arch_t arch, arch_t *kind)
{
    const char *s;
    if (conf_text(c, "tokenizer_class", archs[arch].classes[0], &s)) return -1;
    for (*kind = 0; *kind < ARCH_COUNT; (*kind)++)
        if (!strcmp(s, archs[*kind].classes[0]) || !strcmp(s, archs[*kind].classes[1])) return 0;
    return err_set(c->err, ERR_UNSUP, "%s: tokenizer_class \"%s\" (only BertTokenizer, MPNetTokenizer)", c->path, s);
}

static int read_tokenizer(folder_t *f, err_t *err)
{
    conf_t c;
    arch_t k;
    int rc = -1;
    if (conf_open(&c, f->root, "tokenizer_config.json", true, err)) return -1;
    if (read_class(&c, f->arch, &k) || conf_bool(&c, "do_lower_case", true, &f->lower) ||
        conf_bool(&c, "strip_accents", f->lower, &f->accents) || conf_bool(&c, "tokenize_chinese_chars", true, &f->cjk) ||
        read_token(&c, "cls_token", archs[k].cls, f->cls) || read_token(&c, "sep_token", archs[k].sep, f->sep) ||
        read_token(&c, "unk_token", archs[k].unk, f->unk) || read_token(&c, "pad_token", archs[k].pad, f->pad) ||
        read_token(&c, "mask_token", archs[k].mask, f->mask) || read_token(&c, "bos_token", archs[k].bos, f->bos) ||
        read_token(&c, "eos_token", archs[k].eos, f->eos))
        goto end;
    const json_t *max = conf_at(&c, "model_max_length"); /* may be 1e30: no limit */
    double x = json_number_value(max);
    f->max_tokens = f->positions;
    if (max && (!json_is_number(max) || !(x >= 3))) {
        err_set(err, ERR_RANGE, "%s: model_max_length is no number from 3 on", c.path);
        goto end;
    }
    if (max && x < (double)f->max_tokens) f->max_tokens = (size_t)x;
    rc = 0;
end:
    conf_close(&c);
    return rc;
}

/* What the transformer module says about itself: mostly max_seq_length, which goes before the tokenizer's. */
static int read_transformer(folder_t *f, err_t *err)
{
    conf_t c;
    size_t room = f->positions - (f->arch == ARCH_MPNET ? 2 : 0);
    int rc = -1;
    if (conf_open(&c, f->root, "sentence_bert_config.json", true, err)) return -1;
    if (conf_at(&c, "max_seq_length") ? conf_size(&c, "max_seq_length", 3, room, 0, &f->max_tokens) : 0) goto end;
    if (f->max_tokens > room) f->max_tokens = room;
    if (conf_only(&c, "transformer_task", "feature-extraction") || conf_only(&c, "module_output_name", "token_embeddings"))
        goto end;
    if (conf_at(&c, "query_expansion")) {
        err_set(err, ERR_UNSUP, "%s: query_expansion (none is done)", c.path);
        goto end;
    }
    if (!f->lower && conf_never(&c, "do_lower_case")) goto end; /* with a tokenizer that does it, it says nothing new */
    rc = 0;
end:
    conf_close(&c);
    return rc;
}

/* A prompt that is put before each text. */
static int read_prompt(const char *path, err_t *err)
{
    conf_t c;
    int rc = 0;
    if (conf_open(&c, path, "config_sentence_transformers.json", true, err)) return -1;
    const json_t *name = conf_at(&c, "default_prompt_name");
    const char *prompt = name ? json_string_value(json_object_get(conf_at(&c, "prompts"), json_string_value(name))) : NULL;
    if (name && (!prompt || *prompt))
        rc = err_set(err, ERR_UNSUP, "%s: default_prompt_name (no prompt is put before a text)", c.path);
    conf_close(&c);
    return rc;
}

int folder_read(const char *path, folder_t *f, err_t *err)
{
    char pooling[FOLDER_PATH];
    memset(f, 0, sizeof *f);
    return read_modules(path, f, pooling, err) || read_config(f, err) || read_pooling(pooling, f, err) || read_tokenizer(f, err) ||
                   read_transformer(f, err) || read_prompt(path, err)
               ? -1 : 0;
}

/* ---- The vocabulary ---- */

/* The vocabulary of a tokenizer.json as the text of a vocab.txt; free with mem_free(). */
static char *vocab_text(const char *path, size_t *size, err_t *err)
{
    json_t *root = json_read(path, VOCAB_BYTES, err), *id;
    if (!root) return NULL;
    json_t *model = json_object_get(root, "model"), *vocab = json_object_get(model, "vocab");
    const char *type = json_string_value(json_object_get(model, "type")), *key;
    size_t n = json_object_size(vocab), room = 1;
    const char **piece = mem_zero(n, sizeof *piece, err);
    char *text = NULL;
    if (!piece) goto end;
    if (!type || strcmp(type, "WordPiece")) {
        err_set(err, ERR_UNSUP, "%s: model \"%s\" (only WordPiece)", path, type ? type : "?");
        goto end;
    }
    json_object_foreach(vocab, key, id) {
        double x = json_number_value(id);
        if (!json_is_number(id) || !(x >= 0 && x < (double)n) || x != floor(x) || piece[(size_t)x] || strchr(key, '\n')) {
            err_set(err, ERR_FORMAT, "%s: vocab: \"%s\" (the ids are 0..%zu, each once)", path, key, n - 1);
            goto end;
        }
        piece[(size_t)x] = key;
        room += strlen(key) + 1;
    }
    if (!(text = mem_new(room, 1, err))) goto end;
    *size = 0;
    for (size_t i = 0; i < n; i++) *size += (size_t)sprintf(text + *size, "%s\n", piece[i]);
end:
    mem_free(piece);
    json_decref(root);
    return text;
}

wordpiece_t *folder_vocab(const folder_t *f, err_t *err)
{
    char path[FOLDER_PATH], other[FOLDER_PATH];
    size_t n;
    if (folder_join(path, f->root, "vocab.txt", err) || folder_join(other, f->root, "tokenizer.json", err)) return NULL;
    bool json = access(path, F_OK) && !access(other, F_OK); /* newer versions of upstream write no vocab.txt */
    char *text = json ? vocab_text(other, &n, err) : (char *)file_read(path, VOCAB_BYTES, &n, err);
    if (!text) return NULL;
    wordpieceopts_t o = {.cls = f->cls, .sep = f->sep, .unk = f->unk,
                         .special = {f->cls, f->sep, f->unk, f->pad, f->mask, f->bos, f->eos},
                         .normal = f->arch == ARCH_MPNET ? "<unk>" : NULL, /* upstream's MPNet has it as a second one */
                         .lower = f->lower, .accents = f->accents, .cjk = f->cjk};
    wordpiece_t *w = wordpiece_new(json ? other : path, text, n, &o, err);
    mem_free(text);
    if (!w || wordpiece_count(w) <= f->vocab) return w;
    err_set(err, ERR_FORMAT, "%s: %zu pieces (vocab_size is %zu)", json ? other : path, wordpiece_count(w), f->vocab);
    wordpiece_free(w);
    return NULL;
}

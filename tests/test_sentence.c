/* sentence: tiny random encoders against what sentence-transformers made of texts (tests/parity/text_tiny.py recorded it);
 * the same bytes for any batch and threads; one fault a row in the folder. */
#include "config.h"

#include "tests/test.h"

#include <ftw.h>
#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/threads.h"
#include "nn/stfile.h"
#include "text/sentence.h"

static const char *const names[] = {"text_bert", "text_mpnet"};
enum { DIM = 16, BERT = 0, MPNET = 1 };

static sentence_t *open_as(int which, sentencesum_t sum)
{
    char path[4096];
    err_t err = {0};
    snprintf(path, sizeof path, "%s/%s", PARITY, names[which]);
    sentence_t *s = sentence_open_as(path, sum, &err);
    if (!s) fail_msg("%s", err.msg);
    return s;
}

static sentence_t *open_tiny(int which)
{
    return open_as(which, SENTENCE_FIXED);
}

static json_t *recorded(int which)
{
    char path[4096];
    json_error_t e;
    snprintf(path, sizeof path, "%s/%s.json", PARITY, names[which]);
    json_t *j = json_load_file(path, 0, &e);
    if (!j) fail_msg("%s: %s", path, e.text);
    return j;
}

static const sentencesum_t sums[] = {SENTENCE_FIXED, SENTENCE_FLOAT};

static void as_upstream(void **state)
{
    (void)state;
    for (int round = 0; round < 4; round++) {
        const int which = round % 2;
        const sentencesum_t sum = sums[round / 2];
        sentence_t *s = open_as(which, sum);
        json_t *j = recorded(which), *list = json_object_get(j, "texts"), *row;
        size_t i, k, n, cut;
        err_t err = {0};
        assert_true(json_array_size(list) > 20);
        json_array_foreach(list, i, row) {
            const char *text = json_string_value(json_object_get(row, "text"));
            json_t *ids = json_object_get(row, "ids"), *vector = json_object_get(row, "vector"), *v;
            int32_t got[256];
            float out[DIM];
            assert_int_equal(sentence_tokens(s, text, got, &n, &err), 0);
            if (n != json_array_size(ids)) fail_msg("%s: \"%s\": %zu tokens (%zu)", names[which], text, n, json_array_size(ids));
            json_array_foreach(ids, k, v) {
                if (got[k] != json_integer_value(v)) fail_msg("%s: \"%s\": token %zu is %d", names[which], text, k, (int)got[k]);
            }
            assert_int_equal(sentence_encode(s, &text, 1, out, &cut, &err), 0);
            double dot = 0;
            json_array_foreach(vector, k, v)
            {
                assert_close((double)out[k], json_number_value(v), sum == SENTENCE_FIXED ? 5e-4 : 2e-6);
                dot += (double)out[k] * json_number_value(v);
            }
            assert_int_equal(k, DIM);
            assert_close(dot, 1, 1e-6);
        }
        json_decref(j);
        sentence_close(s);
    }
}

/* Alone, all at once, turned round, with one thread or five: the same bytes. */
static void same_bytes(void **state)
{
    (void)state;
    for (int round = 0; round < 4; round++) {
        const int which = round % 2;
        sentence_t *s = open_as(which, sums[round / 2]);
        json_t *j = recorded(which), *list = json_object_get(j, "texts");
        enum { MOST = 9000 };
        static const char *text[MOST];
        size_t kinds = json_array_size(list), n = 200, cut;
        float *alone = malloc(kinds * DIM * 4), *out = malloc((size_t)MOST * DIM * 4);
        err_t err = {0};
        for (size_t i = 0; i < MOST; i++) text[i] = json_string_value(json_object_get(json_array_get(list, i * 7 % kinds), "text"));
        threads_set(1);
        for (size_t i = 0; i < kinds; i++) assert_int_equal(sentence_encode(s, text + i, 1, alone + i * DIM, NULL, &err), 0);
        for (int threads = 1; threads < 6; threads += 2) {
            threads_set(threads);
            for (size_t skip = 0; skip < 3; skip++) {
                assert_int_equal(sentence_encode(s, text + skip, n, out, &cut, &err), 0);
                for (size_t i = 0; i < n; i++) assert_memory_equal(out + i * DIM, alone + (i + skip) % kinds * DIM, DIM * 4);
            }
            assert_int_equal(sentence_encode(s, text, 2, out, &cut, &err), 0); /* fewer batches than threads */
            assert_memory_equal(out, alone, 2 * DIM * 4);
        }
        assert_int_equal(sentence_encode(s, text, MOST, out, &cut, &err), 0); /* more than one slab */
        for (size_t i = 0; i < MOST; i++) assert_memory_equal(out + i * DIM, alone + i % kinds * DIM, DIM * 4);
        assert_int_equal(sentence_encode(s, text, 0, out, &cut, &err), 0);
        assert_int_equal(cut, 0);
        threads_set(0);
        free(alone), free(out);
        json_decref(j);
        sentence_close(s);
    }
}

static void facts(void **state)
{
    sentence_t *s = open_tiny(BERT);
    const sentenceinfo_t *i = sentence_info(s);
    (void)state;
    assert_string_equal(i->name, "text_bert");
    assert_string_equal(i->architecture, "bert");
    assert_string_equal(i->type, "F32");
    assert_int_equal(i->dim, 16);
    assert_int_equal(i->max_tokens, 32);
    assert_int_equal(i->layers, 2);
    assert_int_equal(i->heads, 2);
    assert_int_equal(i->hidden, 24);
    assert_int_equal(i->positions, 40);
    assert_true(i->normalize);
    assert_string_equal(sentence_piece(s, 2), "[CLS]");
    assert_null(sentence_piece(s, 5000));
    const char *long_one = "the the the the the the the the the the the the the the the the the the the the the the the the the the the the the the the";
    const char *const text[] = {"a", long_one, "", long_one};
    float out[4 * DIM];
    size_t cut;
    err_t err = {0};
    assert_int_equal(sentence_encode(s, text, 4, out, &cut, &err), 0);
    assert_int_equal(cut, 2);
    sentence_close(s);
    s = open_tiny(MPNET);
    assert_string_equal(sentence_info(s)->type, "F16");
    assert_int_equal(sentence_info(s)->max_tokens, 160);
    sentence_close(s);
    sentence_close(NULL);
}

static void not_utf8(void **state)
{
    sentence_t *s = open_tiny(BERT);
    static const char *text[500];
    static float out[500 * DIM];
    (void)state;
    for (size_t i = 0; i < 500; i++) text[i] = i == 123 || i == 400 ? "the \xff" : "the";
    err_t err = {0};
    assert_int_equal(sentence_encode(s, text, 500, out, NULL, &err), -1);
    assert_int_equal(err.code, ERR_FORMAT);
    assert_string_equal(err.msg, "text 124: byte 5: not UTF-8");
    sentence_close(s);
}

/* ---- folders changed by one thing ---- */

static char root[] = "/tmp/cryolex_sentence_XXXXXX";

static int drop(const char *path, const struct stat *st, int kind, struct FTW *w)
{
    (void)st, (void)kind, (void)w;
    return remove(path);
}

static const char *const files[] = {"config.json", "vocab.txt", "tokenizer.json", "tokenizer_config.json", "modules.json",
                                    "sentence_bert_config.json", "1_Pooling/config.json", "model.safetensors",
                                    "config_sentence_transformers.json"};

static void write_file(const char *name, const void *bytes, size_t n)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/m/%s", root, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

static unsigned char *read_tiny(int which, const char *name, size_t *n)
{
    char path[4096];
    err_t err = {0};
    snprintf(path, sizeof path, "%s/%s/%s", PARITY, names[which], name);
    return file_read(path, 1 << 20, n, &err);
}

/* root/m becomes a copy of a tiny folder. */
static void fresh(int which)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/m", root);
    nftw(path, drop, 8, FTW_DEPTH | FTW_PHYS);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/m/1_Pooling", root);
    assert_int_equal(mkdir(path, 0700), 0);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        size_t n;
        unsigned char *b = read_tiny(which, files[i], &n);
        if (b) write_file(files[i], b, n);
        mem_free(b);
    }
}

/* Put `to` in place of the first `from` of a file; from NULL: of all; to NULL: the file goes. */
static void change(int which, const char *name, const char *from, const char *to)
{
    char path[4096];
    size_t n, len = from ? strlen(from) : 0;
    if (!to) {
        snprintf(path, sizeof path, "%s/m/%s", root, name);
        assert_int_equal(unlink(path), 0);
        return;
    }
    if (!from) {
        write_file(name, to, strlen(to));
        return;
    }
    unsigned char *b = read_tiny(which, name, &n), *at = memmem(b, n, from, len);
    if (!at) fail_msg("%s: no \"%s\"", name, from);
    size_t before = (size_t)(at - b), more = strlen(to);
    unsigned char *out = malloc(n - len + more);
    memcpy(out, b, before);
    memcpy(out + before, to, more);
    memcpy(out + before + more, at + len, n - before - len);
    write_file(name, out, n - len + more);
    free(out);
    mem_free(b);
}

#define CONFIG "config.json"
#define TOKENIZER "tokenizer_config.json"
#define POOLING "1_Pooling/config.json"
#define TRANSFORMER "sentence_bert_config.json"
#define TENSORS "model.safetensors"
#define SAME "\"pooling_mode_mean_tokens\": true"

static const struct {
    int which;
    const char *file, *from, *to;
    errcode_t code;
    const char *says;
} faults[] = {
    {BERT, CONFIG, NULL, NULL, ERR_IO, "config.json"},
    {BERT, "vocab.txt", NULL, NULL, ERR_IO, "vocab.txt"},
    {BERT, TENSORS, NULL, NULL, ERR_IO, "model.safetensors"},
    {BERT, "modules.json", NULL, NULL, ERR_IO, "modules.json: No such file or directory (not a sentence-transformers folder?)"},
    {BERT, POOLING, NULL, NULL, ERR_IO, "1_Pooling/config.json"},
    /* JSON */
    {BERT, CONFIG, NULL, "", ERR_FORMAT, "config.json: empty"},
    {BERT, "modules.json", NULL, "", ERR_FORMAT, "modules.json: empty"},
    {BERT, CONFIG, NULL, "{", ERR_FORMAT, "config.json: line 1"},
    {BERT, CONFIG, NULL, "7", ERR_FORMAT, "config.json"},
    {BERT, CONFIG, NULL, "[]", ERR_FORMAT, "no model_type"},
    {BERT, CONFIG, NULL, "{\"model_type\":\"bert\",\"model_type\":\"bert\"}", ERR_FORMAT, "uplicate"},
    {BERT, CONFIG, "\"bert\"", "\"b\xff\"", ERR_FORMAT, "config.json"},
    {BERT, CONFIG, "\"bert\"", "[[[[[[]]]]]]", ERR_FORMAT, "model_type is no string"},
    /* architecture and sizes */
    {BERT, CONFIG, "\"bert\"", "\"roberta\"", ERR_UNSUP, "model_type \"roberta\""},
    {BERT, CONFIG, "\"gelu\"", "\"gelu_new\"", ERR_UNSUP, "hidden_act \"gelu_new\""},
    {BERT, CONFIG, "\"hidden_act\"", "\"position_embedding_type\": \"relative_key\", \"hidden_act\"", ERR_UNSUP, "position_embedding_type"},
    {BERT, CONFIG, "\"hidden_act\"", "\"is_decoder\": true, \"hidden_act\"", ERR_UNSUP, "is_decoder"},
    {BERT, CONFIG, "\"hidden_size\": 16", "\"hidden_size\": 17", ERR_FORMAT, "hidden_size 17 is no multiple"},
    {BERT, CONFIG, "\"hidden_size\": 16", "\"hidden_size\": 18", ERR_FORMAT, "hidden_size is 18"},
    {BERT, CONFIG, "\"hidden_size\": 16", "\"hidden_size\": 0", ERR_RANGE, "hidden_size 0"},
    {BERT, CONFIG, "\"hidden_size\": 16", "\"hidden_size\": -16", ERR_RANGE, "hidden_size -16"},
    {BERT, CONFIG, "\"hidden_size\": 16", "\"hidden_size\": 16.5", ERR_FORMAT, "no whole number"},
    {BERT, CONFIG, "\"hidden_size\": 16", "\"hidden_size\": \"16\"", ERR_FORMAT, "no whole number"},
    {BERT, CONFIG, "\"hidden_size\": 16", "\"hidden_size\": 1e300", ERR_RANGE, "1e+300"},
    {BERT, CONFIG, "\"hidden_size\": 16", "\"x\": 1", ERR_FORMAT, "no hidden_size"},
    {BERT, CONFIG, "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", ERR_FORMAT, "no tensor \"bert.encoder.layer.2."},
    {BERT, CONFIG, "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1000000", ERR_RANGE, "num_hidden_layers"},
    {BERT, CONFIG, "\"intermediate_size\": 24", "\"intermediate_size\": 25", ERR_FORMAT, "shape [24,16] ([25,16]"},
    {BERT, CONFIG, "\"max_position_embeddings\": 40", "\"max_position_embeddings\": 41", ERR_FORMAT, "shape [40,16]"},
    {BERT, CONFIG, "\"max_position_embeddings\": 40", "\"max_position_embeddings\": 31", ERR_RANGE, "max_seq_length 32"},
    {BERT, CONFIG, "\"type_vocab_size\": 2", "\"type_vocab_size\": 3", ERR_FORMAT, "token_type_embeddings"},
    {BERT, CONFIG, "\"vocab_size\": ", "\"vocab_size\": 1", ERR_FORMAT, "word_embeddings"},
    {BERT, CONFIG, "\"layer_norm_eps\": 1e-12", "\"layer_norm_eps\": 0", ERR_RANGE, "layer_norm_eps"},
    {BERT, CONFIG, "\"layer_norm_eps\": 1e-12", "\"layer_norm_eps\": \"x\"", ERR_RANGE, "layer_norm_eps"},
    {MPNET, CONFIG, "\"relative_attention_num_buckets\": 32", "\"relative_attention_num_buckets\": 64", ERR_RANGE, "buckets 64"},
    {MPNET, CONFIG, "\"mpnet\"", "\"bert\"", ERR_FORMAT, "no tensor"},
    /* modules and pooling */
    {BERT, "modules.json", NULL, "{}", ERR_FORMAT, "no list"},
    {BERT, "modules.json", NULL, "[{},{}]", ERR_FORMAT, "no type"},
    {BERT, "modules.json", NULL, "[1,2]", ERR_FORMAT, "no object"},
    {BERT, "modules.json", "models.Normalize", "models.Dense", ERR_UNSUP, "module 2 is Dense"},
    {BERT, "modules.json", "models.Pooling", "models.WordWeights", ERR_UNSUP, "module 1 is WordWeights"},
    {BERT, "modules.json", "1_Pooling", "../1_Pooling", ERR_FORMAT, "leads out of the folder"},
    {BERT, "modules.json", "1_Pooling", "/etc", ERR_FORMAT, "leads out of the folder"},
    {BERT, POOLING, "\"pooling_mode_cls_token\": false", "\"pooling_mode_cls_token\": true", ERR_UNSUP, "pooling_mode_cls_token"},
    {BERT, POOLING, "\"pooling_mode_max_tokens\": false", "\"pooling_mode_max_tokens\": true", ERR_UNSUP, "pooling_mode_max_tokens"},
    {BERT, POOLING, "\"pooling_mode_max_tokens\": false", "\"pooling_mode_max_tokens\": 1", ERR_FORMAT, "neither true nor false"},
    {BERT, POOLING, "\"word_embedding_dimension\": 16", "\"word_embedding_dimension\": 32", ERR_FORMAT, "word_embedding_dimension 32"},
    {MPNET, POOLING, "\"mean\"", "\"cls\"", ERR_UNSUP, "pooling_mode cls"},
    {MPNET, POOLING, "\"mean\"", "[\"mean\", \"max\"]", ERR_UNSUP, "pooling_mode of several"},
    {MPNET, TRANSFORMER, "feature-extraction", "fill-mask", ERR_UNSUP, "transformer_task"},
    {BERT, TRANSFORMER, "\"max_seq_length\": 32", "\"max_seq_length\": 41", ERR_RANGE, "max_seq_length 41"},
    {MPNET, TRANSFORMER, "\"transformer_task\"", "\"max_seq_length\": 169, \"transformer_task\"", ERR_RANGE, "max_seq_length 169"},
    {BERT, "config_sentence_transformers.json", NULL, "{\"prompts\":{\"q\":\"query: \"},\"default_prompt_name\":\"q\"}", ERR_UNSUP, "default_prompt_name"},
    /* tokenizer */
    {BERT, TOKENIZER, "\"BertTokenizer\"", "\"XLMRobertaTokenizer\"", ERR_UNSUP, "XLMRobertaTokenizer"},
    {BERT, TOKENIZER, "\"model_max_length\": 512", "\"model_max_length\": 0", ERR_RANGE, "model_max_length"},
    {BERT, TOKENIZER, "\"model_max_length\"", "\"cls_token\": \"[X]\", \"model_max_length\"", ERR_FORMAT, "no line \"[X]\""},
    {BERT, TOKENIZER, "\"model_max_length\"", "\"cls_token\": 7, \"model_max_length\"", ERR_FORMAT, "cls_token is no string"},
    {BERT, "vocab.txt", "the\n", "th\xff\n", ERR_FORMAT, "line 6: not UTF-8"},
    {BERT, "vocab.txt", "the\n", "the\nmore\n", ERR_FORMAT, "pieces (vocab_size is"},
    {BERT, "vocab.txt", "[SEP]\n", "[SAP]\n", ERR_FORMAT, "no line \"[SEP]\""},
    {MPNET, "tokenizer.json", "\"WordPiece\",\n    \"unk_token", "\"BPE\",\n    \"unk_token", ERR_UNSUP, "model \"BPE\""},
    {MPNET, "tokenizer.json", "\"the\": 4", "\"the\": 5", ERR_FORMAT, "vocab"},
    {MPNET, "tokenizer.json", "\"the\": 4", "\"the\": 4000", ERR_FORMAT, "vocab"},
    {MPNET, "tokenizer.json", "\"the\": 4", "\"the\": -1", ERR_FORMAT, "vocab"},
    {MPNET, "tokenizer.json", NULL, "{\"model\":7}", ERR_UNSUP, "WordPiece"},
    /* tensors */
    {BERT, TENSORS, NULL, "", ERR_IO, "model.safetensors"},
    {BERT, TENSORS, NULL, "<!DOCTYPE html>", ERR_FORMAT, "model.safetensors"},
    {BERT, TENSORS, "layer.1.output.dense.bias", "layer.1.output.dense.bins", ERR_FORMAT, "no tensor \"bert.encoder.layer.1.output.dense.bias\""},
    {MPNET, TENSORS, "relative_attention_bias", "relative_attention_bins", ERR_FORMAT, "relative_attention_bias"},
    {MPNET, TENSORS, "\"F16\"", "\"I16\"", ERR_UNSUP, "neither F32 nor F16 nor BF16"},
};

static sentence_t *open_changed(err_t *err)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/m", root);
    return sentence_open(path, err);
}

static void one_fault_each(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        err_t err = {0};
        fresh(faults[i].which);
        change(faults[i].which, faults[i].file, faults[i].from, faults[i].to);
        sentence_t *s = open_changed(&err);
        if (s || err.code != faults[i].code || !strstr(err.msg, faults[i].says))
            fail_msg("row %zu (%s: %s): %s \"%s\" (%s)", i, faults[i].file, faults[i].to ? faults[i].to : "gone",
                     s ? "opened" : err_name(err.code), err.msg, faults[i].says);
    }
    err_t err = {0};
    assert_null(sentence_open("/nonexistent/folder", &err));
    assert_int_equal(err.code, ERR_IO);
}

/* Cut at many places. */
static void cut_tensors(void **state)
{
    size_t n;
    unsigned char *b = read_tiny(BERT, TENSORS, &n);
    (void)state;
    fresh(BERT);
    for (size_t k = 0; k < n; k += k < 4096 ? 97 : 1999) {
        err_t err = {0};
        write_file(TENSORS, b, k);
        assert_null(open_changed(&err));
        assert_true(err.code == ERR_IO || err.code == ERR_FORMAT);
    }
    mem_free(b);
}

static const struct {
    int which;
    const char *file, *from, *to;
    int same; /* are hash and vectors as before? */
} fine[] = {
    {BERT, CONFIG, "\"hidden_act\"", "\n \"more\": [1, null], \"hidden_act\"", 1},
    {BERT, "modules.json", "sentence_transformers.models.Transformer", "sentence_transformers.base.modules.transformer.Transformer", 1},
    {BERT, POOLING, SAME, "\"x\": 1", 1},
    {BERT, TOKENIZER, NULL, NULL, 1},
    {BERT, TOKENIZER, "\"model_max_length\": 512", "\"model_max_length\": 1000000000000000019884624838656", 1},
    {BERT, TOKENIZER, "\"BertTokenizer\"", "\"BertTokenizerFast\"", 1},
    {BERT, TOKENIZER, "\"model_max_length\"", "\"mask_token\": {\"content\": \"[MASK]\", \"lstrip\": true}, \"model_max_length\"", 1},
    {BERT, TOKENIZER, "\"do_lower_case\": true", "\"do_lower_case\": false", 0},
    {BERT, TRANSFORMER, NULL, NULL, 0},
    {BERT, TRANSFORMER, "32", "8", 0},
    {BERT, CONFIG, "1e-12", "0.5", 0},
    {BERT, "config_sentence_transformers.json", NULL, "{\"prompts\":{\"q\":\"\"},\"default_prompt_name\":null}", 1},
    {MPNET, CONFIG, "\"relative_attention_num_buckets\": 32", "\"x\": 0", 1},
    {MPNET, POOLING, "\"mean\"", "[\"mean\"]", 1},
    {MPNET, TRANSFORMER, "\"transformer_task\"", "\"max_seq_length\": 168, \"transformer_task\"", 0},
};

static void vector_of(const sentence_t *s, char hash[SENTENCE_HASH], float out[2 * DIM])
{
    static const char *const text[] = {"Cryo-EM structure of the human ribosome", "kinases, binding (ATP) and [the] complex"};
    err_t err = {0};
    assert_int_equal(sentence_hash(s, hash, &err), 0);
    assert_int_equal(strlen(hash), 16);
    assert_int_equal(sentence_encode(s, text, 2, out, NULL, &err), 0);
}

static void hash_is_of_what_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        char was[SENTENCE_HASH], is[SENTENCE_HASH];
        float a[2 * DIM], b[2 * DIM];
        err_t err = {0};
        sentence_t *s = open_tiny(fine[i].which);
        vector_of(s, was, a);
        sentence_close(s);
        fresh(fine[i].which);
        change(fine[i].which, fine[i].file, fine[i].from, fine[i].to);
        if (!(s = open_changed(&err))) fail_msg("row %zu: %s", i, err.msg);
        vector_of(s, is, b);
        if ((strcmp(was, is) == 0) != (fine[i].same != 0)) fail_msg("row %zu: hash %s, %s before", i, is, was);
        if (fine[i].same) assert_memory_equal(a, b, sizeof a);
        sentence_close(s);
    }
}

/* The BERT with its tensors as bfloat16 (cut off), at odd addresses, without the prefix, in another order. */
static void other_files(void **state)
{
    char path[4096], was[SENTENCE_HASH], is[SENTENCE_HASH];
    float a[2 * DIM], b[2 * DIM];
    err_t err = {0};
    (void)state;
    for (int bf16 = 0; bf16 < 2; bf16++) {
        fresh(BERT);
        snprintf(path, sizeof path, "%s/m/%s", root, TENSORS);
        stfile_t *f = stfile_open(path, &err);
        size_t n = stfile_count(f);
        sttensor_t *t = calloc(n, sizeof *t);
        uint16_t *half = calloc(20000, 2), *h = half;
        for (size_t i = 0; i < n; i++) {
            t[i] = *stfile_at(f, n - 1 - i);
            t[i].name += strlen("bert.");
            if (!bf16) continue;
            for (size_t k = 0; k < t[i].count; k++) memcpy(h + k, (const char *)t[i].data + 4 * k + 2, 2);
            t[i].data = h;
            t[i].type = ST_BF16;
            h += t[i].count;
        }
        snprintf(path, sizeof path, "%s/other", root);
        assert_int_equal(stfile_write(path, t, n, NULL, 0, &err), 0);
        stfile_close(f);
        free(t), free(half);
        char to[4096];
        snprintf(to, sizeof to, "%s/m/%s", root, TENSORS);
        assert_int_equal(rename(path, to), 0);
        sentence_t *s = open_tiny(BERT);
        vector_of(s, was, a);
        sentence_close(s);
        if (!(s = open_changed(&err))) fail_msg("%s", err.msg);
        assert_string_equal(sentence_info(s)->type, bf16 ? "BF16" : "F32");
        vector_of(s, is, b);
        sentence_close(s);
        double dot = 0;
        for (size_t k = 0; k < DIM; k++) dot += (double)a[k] * (double)b[k];
        assert_close(dot, 1, bf16 ? 1e-2 : 1e-6);
        assert_int_equal(!strcmp(was, is), !bf16);
        if (!bf16) assert_memory_equal(a, b, sizeof a);
    }
}

/* Weights that are NaN give an error, not a vector of NaN. */
static void not_finite(void **state)
{
    size_t n;
    unsigned char *b = read_tiny(BERT, TENSORS, &n);
    float out[DIM];
    const char *const text[] = {"the"};
    err_t err = {0};
    (void)state;
    fresh(BERT);
    memset(b + n - 64, 0xff, 64);
    write_file(TENSORS, b, n);
    mem_free(b);
    sentence_t *s = open_changed(&err);
    assert_non_null(s);
    assert_int_equal(sentence_encode(s, text, 1, out, NULL, &err), -1);
    assert_int_equal(err.code, ERR_RANGE);
    sentence_close(s);
}

static int clean(void **state)
{
    (void)state;
    return nftw(root, drop, 8, FTW_DEPTH | FTW_PHYS);
}

static int make_root(void **state)
{
    (void)state;
    return mkdtemp(root) ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_upstream),   cmocka_unit_test(same_bytes),  cmocka_unit_test(facts),
        cmocka_unit_test(not_utf8),      cmocka_unit_test(cut_tensors), cmocka_unit_test(one_fault_each),
        cmocka_unit_test(hash_is_of_what_counts), cmocka_unit_test(other_files), cmocka_unit_test(not_finite),
    };
    return cmocka_run_group_tests_name("sentence", tests, make_root, clean);
}

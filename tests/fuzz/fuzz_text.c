/* fuzz_text: any bytes as a text, a vocabulary, or one of the JSON files of a sentence encoder's folder. Under libFuzzer
 * (make fuzz-text) this is the target; compiled with -DREPLAY it is a program that runs it over the files named, or over a
 * corpus that it makes, which is what `make check` does. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "text/folder.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/* The first byte says which of these the rest is. */
enum { TEXT, VOCAB, FILES };
static const struct {
    const char *name, *good;
} files[] = {
    {"modules.json", "[{\"path\":\"\",\"type\":\"x.Transformer\"},{\"path\":\"1_Pooling\",\"type\":\"x.Pooling\"},"
                     "{\"path\":\"2_Normalize\",\"type\":\"x.Normalize\"}]"},
    {"config.json", "{\"model_type\":\"bert\",\"vocab_size\":12,\"hidden_size\":8,\"num_hidden_layers\":1,\"num_attention_heads\":2,"
                    "\"intermediate_size\":8,\"max_position_embeddings\":16,\"layer_norm_eps\":1e-12,\"hidden_act\":\"gelu\"}"},
    {"1_Pooling/config.json", "{\"word_embedding_dimension\":8,\"pooling_mode_mean_tokens\":true,\"pooling_mode_cls_token\":false}"},
    {"tokenizer_config.json", "{\"do_lower_case\":true,\"strip_accents\":null,\"tokenizer_class\":\"BertTokenizer\",\"model_max_length\":1e30,"
                              "\"mask_token\":{\"content\":\"[MASK]\"}}"},
    {"sentence_bert_config.json", "{\"max_seq_length\":8,\"do_lower_case\":false}"},
    {"config_sentence_transformers.json", "{\"prompts\":{\"q\":\"\"},\"default_prompt_name\":null}"},
    {"tokenizer.json", "{\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"[UNK]\":0,\"[CLS]\":1,\"[SEP]\":2,\"a\":3,\"##\\u00e9\":4}}}"},
};
enum { COUNT = sizeof files / sizeof *files };

static const char good_vocab[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##a\nβ\n##β\n東\n<unk>\n##bc\n";
static const char good_text[] = "a[SEP] Aá β ΒΒ\t東a <unk>\xc2\xa0 aaab\xe2\x80\x8b";

static void put(const char *root, const char *name, const void *bytes, size_t n)
{
    char path[FOLDER_PATH];
    snprintf(path, sizeof path, "%s/%s", root, name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(bytes, 1, n, f) != n || fclose(f)) abort();
}

/* A folder of good files, made once; it stays behind when the fuzzer is stopped. */
static const char *folder(void)
{
    static char root[] = "/tmp/cryolex_fuzz_XXXXXX", sub[64];
    if (*sub) return root;
    if (!mkdtemp(root)) abort();
    snprintf(sub, sizeof sub, "%s/1_Pooling", root);
    if (mkdir(sub, 0700)) abort();
    for (size_t i = 0; i < COUNT; i++) put(root, files[i].name, files[i].good, strlen(files[i].good));
    return root;
}

/* Every token is one of the vocabulary, and no more than asked for. */
static void try_text(const wordpiece_t *w, const char *text)
{
    int32_t ids[12];
    size_t n;
    for (size_t max = 2; max < 12; max += 3) {
        err_t err = {0};
        bool cut;
        if (wordpiece_encode(w, text, max, ids, &n, &cut, &err)) {
            if (err.code != ERR_FORMAT) abort();
            return;
        }
        if (n < 2 || n > max || (cut && n != max)) abort();
        for (size_t i = 0; i < n; i++)
            if (!wordpiece_piece(w, ids[i])) abort();
    }
}

static void try_vocab(const char *bytes, size_t n, const char *text)
{
    static const wordpieceopts_t o = {.cls = "[CLS]", .sep = "[SEP]", .unk = "[UNK]", .special = {"[PAD]", "[MASK]", "[SEP]"},
                                      .normal = "<unk>", .lower = true, .accents = true, .cjk = true};
    err_t err = {0};
    wordpiece_t *w = wordpiece_new("v", bytes, n, &o, &err);
    if (!w != (err.code != ERR_OK)) abort();
    if (w) try_text(w, text);
    wordpiece_free(w);
}

static void try_file(size_t k, const unsigned char *bytes, size_t n)
{
    const char *root = folder();
    folder_t f;
    err_t err = {0};
    put(root, files[k].name, bytes, n);
    if (folder_read(root, &f, &err)) {
        if (!err.code || !*err.msg) abort();
    } else {
        if (!f.heads || f.dim % f.heads || f.max_tokens < 3 || f.max_tokens > f.positions || !(f.eps > 0)) abort();
        wordpiece_t *w = folder_vocab(&f, &err);
        if (!w != (err.code != ERR_OK) || (w && wordpiece_count(w) > f.vocab)) abort();
        if (w) try_text(w, good_text);
        wordpiece_free(w);
    }
    put(root, files[k].name, files[k].good, strlen(files[k].good));
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    if (size < 1) return 0;
    size_t what = data[0] % (FILES + COUNT);
    char *b = malloc(size);
    if (!b) return 0;
    memcpy(b, data + 1, size - 1);
    b[size - 1] = 0;
    if (what == TEXT)
        try_vocab(good_vocab, sizeof good_vocab - 1, b);
    else if (what == VOCAB)
        try_vocab(b, size - 1, good_text);
    else
        try_file(what - FILES, (unsigned char *)b, size - 1);
    free(b);
    return 0;
}

#ifdef REPLAY
#include "tests/fuzz/replay.h"

enum { MOST = 1024 };

static size_t seed(size_t what, unsigned char *b)
{
    const char *s = what == TEXT ? good_text : what == VOCAB ? good_vocab : files[what - FILES].good;
    size_t n = strlen(s);
    b[0] = (unsigned char)what;
    memcpy(b + 1, s, n);
    return n + 1;
}

/* Every seed whole, cut at each byte, and with each byte changed in turn. */
static size_t corpus_run(void)
{
    static const unsigned char odd[] = {0, '"', '9', 0xff};
    unsigned char b[MOST];
    size_t runs = 0;
    for (size_t what = 0; what < FILES + COUNT; what++) {
        size_t n = seed(what, b);
        for (size_t i = 1; i <= n; i++, runs++) LLVMFuzzerTestOneInput(b, i);
        for (size_t i = 1; i < n; i++) {
            unsigned char keep = b[i];
            for (size_t k = 0; k < sizeof odd; k++, runs++) {
                b[i] = odd[k];
                LLVMFuzzerTestOneInput(b, n);
            }
            b[i] = keep;
        }
    }
    return runs;
}

static int corpus_write(const char *dir)
{
    unsigned char b[MOST];
    char name[32];
    for (size_t what = 0; what < FILES + COUNT; what++) {
        size_t n = seed(what, b);
        snprintf(name, sizeof name, "seed%zu", what);
        put(dir, name, b, n);
    }
    return 0;
}

static void remove_folder(void)
{
    char path[FOLDER_PATH];
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(path, sizeof path, "%s/%s", folder(), files[i].name);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/1_Pooling", folder());
    rmdir(path);
    rmdir(folder());
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "--write")) return corpus_write(argv[2]);
    int bad = replay_files(LLVMFuzzerTestOneInput, argv + 1, argc - 1);
    if (argc < 2) {
        printf("1..1\n");
        size_t runs = corpus_run();
        printf("ok 1 - %zu inputs\n", runs);
    }
    remove_folder();
    return bad != 0;
}
#endif

/* wordpiece: text to pieces by a small vocabulary. What real vocabularies give is compared in tests/parity/text.py. */
#include "tests/test.h"

#include "base/mem.h"
#include "text/wordpiece.h"

static const char vocab[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n<unk>\nthe\nun\n##aff\n##able\n##a\n##b\na\nb\ne\ni\nk\n##k\n-\n.\n'\n#\n$\n^\n`\n"
                            "α\n##β\nβ\nσ\nς\nß\n東\n京\n′\n½\n2\n##2\n##²\n€\nx\n##x\nω\nᄀ\n##ᅡ\n##ᆨ\nс\n##й\n";

static wordpiece_t *make(bool lower, bool accents, bool cjk)
{
    err_t err = {0};
    wordpieceopts_t o = {.cls = "[CLS]", .sep = "[SEP]", .unk = "[UNK]", .special = {"[CLS]", "[SEP]", "[UNK]", "[PAD]", "[MASK]", "", "none"},
                         .normal = "<unk>", .lower = lower, .accents = accents, .cjk = cjk};
    wordpiece_t *w = wordpiece_new("vocab.txt", vocab, sizeof vocab - 1, &o, &err);
    if (!w) fail_msg("%s", err.msg);
    return w;
}

/* The pieces of a text, spaces between, without [CLS] and [SEP]. */
static void pieces(const wordpiece_t *w, const char *text, char *out)
{
    static int32_t ids[4096];
    size_t n;
    err_t err = {0};
    if (wordpiece_encode(w, text, 4096, ids, &n, NULL, &err)) fail_msg("%s: %s", text, err.msg);
    assert_string_equal(wordpiece_piece(w, ids[0]), "[CLS]");
    assert_string_equal(wordpiece_piece(w, ids[n - 1]), "[SEP]");
    *out = 0;
    for (size_t i = 1; i + 1 < n; i++) sprintf(out + strlen(out), "%s%s", i > 1 ? " " : "", wordpiece_piece(w, ids[i]));
}

static const struct {
    const char *text, *want;
} rows[] = {
    {"", ""},
    {" \t\r\n ", ""},
    {"unaffable", "un ##aff ##able"},
    {"the THE The", "the the the"},
    {"unaffablez", "[UNK]"}, /* a rest that matches nothing takes the word with it */
    {"a-b a.b", "a - b a . b"},
    {"'a''b'", "' a ' ' b '"},
    {"$a^b`#", "$ a ^ b ` #"}, /* ASCII signs that are no P* */
    {"a€", "[UNK]"},           /* a currency sign is no punctuation */
    {"##a", "# # a"},
    {"áb à e\u0301", "a ##b a e"},
    {"ΑΒ ᾶ", "α ##β α"},
    {"Σ σ ς", "σ σ ς"}, /* letter by letter, no final form */
    {"\u0130 I", "i i"},
    {"ß \u1e9e", "ß ß"},
    {"\u212a \u2126", "k ω"}, /* the signs kelvin and ohm decompose */
    {"東京a", "東 京 a"},
    {"a\U0002b820b", "[UNK]"}, /* upstream's range of this block begins late */
    {"a\U0002b920b", "a [UNK] b"},
    {"a\u200bb\u00adb\x07k", "a ##b ##b ##k"}, /* format and control characters vanish */
    {"a\u00a0b\u3000b\u2028k", "a b b k"},
    {"a\ufffdb\ue000b", "a ##b ##b"},
    {"a\u0378b", "[UNK]"}, /* an unassigned character stays */
    {"2′ 2² ½", "2 ′ 2 ##² ½"},
    {"각", "ᄀ ##ᅡ ##ᆨ"}, /* Hangul falls into letters */
    {"сй", "[UNK]"},      /* й loses its breve, and и is not in the vocabulary */
    {"a[SEP]b [MASK]", "a [SEP] b [MASK]"},
    {"[sep]", "[UNK] [UNK] [UNK]"},
    {"[SEP][SEP]", "[SEP] [SEP]"},
    {"a<unk>b <UNK> <ünk>", "a <unk> b <unk> <unk>"},
    {"< unk>", "[UNK] un ##k [UNK]"},
    {"none", "[UNK]"},
};

static void by_row(void **state)
{
    wordpiece_t *w = make(true, true, true);
    char got[4096];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pieces(w, rows[i].text, got);
        if (strcmp(got, rows[i].want)) fail_msg("\"%s\": %s (%s)", rows[i].text, got, rows[i].want);
    }
    wordpiece_free(w);
}

static void switches(void **state)
{
    char got[256];
    wordpiece_t *w = make(false, false, false);
    (void)state;
    pieces(w, "a A á 東京", got);
    assert_string_equal(got, "a [UNK] [UNK] [UNK]");
    wordpiece_free(w);
    w = make(true, false, true);
    pieces(w, "A \u0130", got); /* i and a dot that stays */
    assert_string_equal(got, "a [UNK]");
    wordpiece_free(w);
}

/* Of two special tokens that begin alike the longer one counts. */
static void longest_special(void **state)
{
    static const char text[] = "[CLS]\n[SEP]\n[UNK]\n<a\n<ab\n";
    wordpieceopts_t o = {.cls = "[CLS]", .sep = "[SEP]", .unk = "[UNK]", .special = {"<a", "<ab", "<a"}};
    err_t err = {0};
    char got[64];
    wordpiece_t *w = wordpiece_new("v", text, sizeof text - 1, &o, &err);
    (void)state;
    assert_non_null(w);
    pieces(w, "<ab<a<ab", got);
    assert_string_equal(got, "<ab <a <ab");
    wordpiece_free(w);
}

static void long_words(void **state)
{
    wordpiece_t *w = make(true, true, true);
    char text[600] = "", got[4096];
    (void)state;
    for (int i = 0; i < 100; i++) strcat(text, "x");
    pieces(w, text, got);
    assert_int_equal(strlen(got), 1 + 99 * 4);
    strcat(text, "x");
    pieces(w, text, got);
    assert_string_equal(got, "[UNK]");
    *text = 0; /* characters count, not bytes */
    for (int i = 0; i < 100; i++) strcat(text, i ? "β" : "α");
    pieces(w, text, got);
    assert_int_equal(strlen(got), 2 + 99 * 5);
    wordpiece_free(w);
}

static void limit(void **state)
{
    wordpiece_t *w = make(true, true, true);
    int32_t ids[8];
    size_t n;
    bool cut;
    err_t err = {0};
    (void)state;
    static const struct {
        const char *text;
        size_t max, n;
        bool cut;
    } at[] = {{"a b k", 5, 5, false}, {"a b k", 4, 4, true}, {"a b k", 2, 2, true}, {"", 2, 2, false}, {"unaffable", 4, 4, true},
              {"a b k  ", 5, 5, false}, {"a b [SEP]", 4, 4, true}, {"a [SEP] b [SEP] x", 5, 5, true}, {"a b <unk>", 4, 4, true}};
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        for (size_t k = 0; k < 8; k++) ids[k] = -7;
        assert_int_equal(wordpiece_encode(w, at[i].text, at[i].max, ids, &n, &cut, &err), 0);
        assert_int_equal(n, at[i].n);
        assert_int_equal(cut, at[i].cut);
        assert_string_equal(wordpiece_piece(w, ids[n - 1]), "[SEP]");
        for (size_t k = n; k < 8; k++) assert_int_equal(ids[k], -7);
    }
    wordpiece_free(w);
}

static void not_utf8(void **state)
{
    static const char *const bad[] = {"ab\xff", "ab\xc3", "ab\xc0\x80", "ab\xed\xa0\x80", "ab\xf4\x90\x80\x80", "ab\x80"};
    wordpiece_t *w = make(true, true, true);
    int32_t ids[16];
    size_t n;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err_t err = {0};
        assert_int_equal(wordpiece_encode(w, bad[i], 16, ids, &n, NULL, &err), -1);
        assert_int_equal(err.code, ERR_FORMAT);
        assert_non_null(strstr(err.msg, "byte 3"));
    }
    wordpiece_free(w);
}

static void bad_vocabularies(void **state)
{
    static const struct {
        const char *text;
        size_t n;
        const char *says;
    } bad[] = {{"", 0, "no line \"[CLS]\""},
               {"[CLS]\n[SEP]\n", 12, "no line \"[UNK]\""},
               {"[CLS]\n[SEP]\n[UNK]\na\xff\n", 21, "line 4: not UTF-8"},
               {"[CLS]\n[SEP]\n[UNK]\na\0b\n", 22, "line 4: a NUL"}};
    wordpieceopts_t o = {.cls = "[CLS]", .sep = "[SEP]", .unk = "[UNK]"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err_t err = {0};
        assert_null(wordpiece_new("v", bad[i].text, bad[i].n, &o, &err));
        assert_int_equal(err.code, ERR_FORMAT);
        if (!strstr(err.msg, bad[i].says)) fail_msg("%s (%s)", err.msg, bad[i].says);
    }
    size_t n = WORDPIECE_MAX + 2;
    char *lines = malloc(n);
    memset(lines, '\n', n);
    err_t err = {0};
    assert_null(wordpiece_new("v", lines, n, &o, &err));
    assert_int_equal(err.code, ERR_RANGE);
    free(lines);
}

/* CR LF, no last line end, a piece twice, an empty line. */
static void line_ends(void **state)
{
    static const char text[] = "[CLS]\r\n[SEP]\r\n[UNK]\r\n\r\na\r\nb\r\na";
    wordpieceopts_t o = {.cls = "[CLS]", .sep = "[SEP]", .unk = "[UNK]"};
    err_t err = {0};
    wordpiece_t *w = wordpiece_new("v", text, sizeof text - 1, &o, &err);
    (void)state;
    assert_non_null(w);
    assert_int_equal(wordpiece_count(w), 7);
    assert_int_equal(wordpiece_id(w, "a"), 6);
    assert_int_equal(wordpiece_id(w, "b"), 5);
    assert_int_equal(wordpiece_id(w, "c"), -1);
    assert_string_equal(wordpiece_piece(w, 3), "");
    assert_null(wordpiece_piece(w, 7));
    assert_null(wordpiece_piece(w, -1));
    wordpiece_free(w);
    wordpiece_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_row),   cmocka_unit_test(switches),         cmocka_unit_test(long_words), cmocka_unit_test(limit),
        cmocka_unit_test(longest_special),
        cmocka_unit_test(not_utf8), cmocka_unit_test(bad_vocabularies), cmocka_unit_test(line_ends),
    };
    return cmocka_run_group_tests_name("wordpiece", tests, NULL, NULL);
}

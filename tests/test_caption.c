/* test_caption: names, organisms and articles as a sentence wants them. Whole captions are in test_cmd_caption.sh. */
#include "tests/test.h"

#include "pipeline/phrase.h"

static void names(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"", ""},
        {"Myoglobin", "Myoglobin"},
        {"N-terminal Tags | Putative uncharacterized protein | X", ""},
        {"TRIOSE PHOSPHATE ISOMERASE", "triose phosphate isomerase"},
        {"HEAT SHOCK PROTEIN HSP90 CHAIN III", "heat shock protein HSP90 chain III"},
        {"TRANSPORT ATPASE WITH NADPH", "transport ATPase with NADPH"},
        {"Lysozyme | Lysozyme C", "Lysozyme C"},
        {"Neprilysin | Neutral endopeptidase (neprilysin)", "Neutral endopeptidase (neprilysin)"},
        {"beta2-microglobulin | Beta-2-microglobulin", "beta2-microglobulin"},
        {"Hemoglobin, alpha-chain | Hemoglobin subunit alpha", "Hemoglobin alpha-chain"},
        {"Insulin | Insulin receptor", "Insulin/Insulin receptor"},
        {"Aconitase A, C-terminal domain; Aconitase A, N-terminal domain", "Aconitase A"},
        {"Cyclin-dependent PK, CDK2", "Cyclin-dependent PK (CDK2)"},
        {"A-kinase (x; y | z) / B-kinase", "A-kinase (x; y | z)/B-kinase"},
        {"Caf\xc3\xa9 protein", "Caf\xc3\xa9 protein"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char name[PHRASE_NAMES][PHRASE_NAME], all[PHRASE_NAMES * PHRASE_NAME] = "";
        size_t n = phrase_names(rows[i][0], name, 0);
        for (size_t j = 0; j < n; j++) strcat(strcat(all, j ? "/" : ""), name[j]);
        assert_string_equal(all, rows[i][1]);
    }
}

static void many_names(void **state)
{
    (void)state;
    char name[PHRASE_NAMES][PHRASE_NAME], s[4000] = "";
    for (int i = 0; i < 40; i++) snprintf(s + strlen(s), sizeof s - strlen(s), "%c%c-protein | ", 'A' + i % 20, 'K' + i / 2 % 15);
    assert_int_equal(phrase_names(s, name, 0), PHRASE_NAMES);
    memset(s, 'x', sizeof s - 1); /* longer than any name */
    s[sizeof s - 1] = 0;
    assert_int_equal(phrase_names(s, name, 0), 0);
}

static void organisms(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"HOMO SAPIENS; SYNTHETIC CONSTRUCT", "Homo sapiens"},
        {"Escherichia Coli K12", "Escherichia coli"},
        {"Escherichia coli (strain K12); ESCHERICHIA COLI", "Escherichia coli"},
        {"Bacillus Sp.", "Bacillus sp."},
        {"Murine Hepatitis Virus", "Murine hepatitis virus"},
        {"Influenza A Virus (A/Netherlands/2631/2010(H1N1))", "Influenza A virus"},
        {"Human immunodeficiency virus type 1 group M subtype B (isolate BH10)", "Human immunodeficiency virus type 1"},
        {"Homo sapiens; Mus musculus; Bos taurus; Sus scrofa", "Homo sapiens/Mus musculus/Bos taurus"},
        {"unidentified", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char name[PHRASE_ORGANISMS][PHRASE_NAME], all[PHRASE_ORGANISMS * PHRASE_NAME] = "";
        size_t n = phrase_organisms(rows[i][0], name);
        for (size_t j = 0; j < n; j++) strcat(strcat(all, j ? "/" : ""), name[j]);
        assert_string_equal(all, rows[i][1]);
    }
    assert_string_equal(phrase_common("Homo sapiens"), "human");
    assert_null(phrase_common("Homo"));
}

static void words(void **state)
{
    (void)state;
    static const char *const article[][2] = {
        {"lysozyme", "a"},   {"oxidoreductase", "an"}, {"NADH dehydrogenase", "an"}, {"DNA ligase", "a"}, {"mRNA cap", "an"},
        {"tRNA ligase", "a"}, {"ubiquitin", "a"},      {"8-oxo", "an"},     {"3-oxo", "a"},
        {"L-x", "an"},
    };
    static const char *const capital[][2] = {{"lysozyme c", "Lysozyme c"}, {"dUTPase", "dUTPase"}, {"c-jun", "c-jun"}, {"a protein", "A protein"}};
    char s[32];
    for (size_t i = 0; i < sizeof article / sizeof *article; i++)
        assert_string_equal(phrase_article(article[i][0]), article[i][1]);
    for (size_t i = 0; i < sizeof capital / sizeof *capital; i++) {
        strcpy(s, capital[i][0]);
        phrase_capital(s);
        assert_string_equal(s, capital[i][1]);
    }
    assert_int_equal(phrase_words("one two  three", 14), 3);
    assert_true(phrase_same("beta2-M", "Beta 2 m"));
    assert_false(phrase_same("beta", "beta2"));
    phrase_t p = {.s = s, .cap = 6};
    phrase_put(&p, "abc");
    phrase_put(&p, "def"); /* with the zero, one too many */
    phrase_put(&p, "g");
    assert_true(p.cut);
    assert_string_equal(s, "abc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names), cmocka_unit_test(many_names), cmocka_unit_test(organisms), cmocka_unit_test(words)};
    return cmocka_run_group_tests_name("caption", tests, NULL, NULL);
}

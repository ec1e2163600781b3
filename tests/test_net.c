/* test_net: tables of networks: what is read, and what is refused. */
#include "tests/test.h"

#include "base/rng.h"
#include "nn/net.h"

static const char table[] =
    "{\"inputs\": {\"cube\": [1,9,8,8], \"features\": [5]},\n"
    " \"layers\": [{\"op\": \"conv\", \"name\": \"stem\", \"from\": \"cube\", \"out\": 4, \"side\": 5, \"stride\": 2, \"bias\": false},\n"
    "  {\"op\": \"groupnorm\", \"name\": \"stem_norm\", \"groups\": 2}, {\"op\": \"relu\", \"as\": \"a\"},\n"
    "  {\"op\": \"attention\", \"name\": \"t\", \"heads\": 2}, {\"op\": \"add\", \"with\": \"a\"},\n"
    "  {\"op\": \"pool\", \"kind\": \"gem\", \"name\": \"g\", \"side\": 2}, {\"op\": \"flatten\", \"as\": \"v\"},\n"
    "  {\"op\": \"batchnorm\", \"from\": \"features\", \"name\": \"fn\"}, {\"op\": \"concat\", \"with\": [\"v\"]},\n"
    "  {\"op\": \"linear\", \"name\": \"fc\", \"out\": 7}, {\"op\": \"l2norm\"}]}";

static void a_table_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t size;
        bool trained, decays;
    } want[] = {{"stem.weight", 500, 1, 1}, {"stem_norm.weight", 4, 1, 0}, {"stem_norm.bias", 4, 1, 0},
                {"t.in_proj_weight", 48, 1, 1}, {"t.in_proj_bias", 12, 1, 0}, {"t.out_proj.weight", 16, 1, 1},
                {"t.out_proj.bias", 4, 1, 0}, {"g.p", 1, 1, 0}, {"fn.weight", 5, 1, 0}, {"fn.bias", 5, 1, 0},
                {"fn.running_mean", 5, 0, 0}, {"fn.running_var", 5, 0, 0}, {"fc.weight", 7 * 37, 1, 1}, {"fc.bias", 7, 1, 0}};
    err_t e = {0};
    net_t *net = net_new(table, &e);
    if (!net) fail_msg("%s", e.msg);
    assert_string_equal(net_table(net), table);
    assert_int_equal(net_tensors(net), sizeof want / sizeof *want);
    size_t at = 0;
    for (size_t i = 0; i < net_tensors(net); i++) {
        const nettensor_t *t = net_tensor(net, i);
        assert_string_equal(t->name, want[i].name);
        assert_int_equal(t->size, want[i].size);
        assert_int_equal(t->trained, want[i].trained);
        assert_int_equal(t->decays, want[i].decays);
        assert_int_equal(t->at, at);
        at += (t->size + 15) / 16 * 16;
    }
    assert_int_equal(net_size(net), at);
    assert_null(net_tensor(net, net_tensors(net)));
    assert_int_equal(net_tensor(net, 0)->ndim, 5);
    assert_int_equal(net_inputs(net), 2);
    assert_string_equal(net_input(net, 1)->name, "features");
    assert_int_equal(net_input(net, 0)->size, 576);
    assert_int_equal(net_input(net, 0)->shape[1], 9);
    assert_int_equal(net_output(net)->ndim, 1);
    assert_int_equal(net_output(net)->size, 7);
    /* stem 5x4x4: 2 * 125 * 320; attention over 80 tokens; linear 2 * 37 * 7 */
    assert_close(net_flops(net), 80000 + 2 * 80 * (4 * 16 + 2 * 80 * 4) + 518, 0);
    net_free(net);
    net_free(NULL);
}

static double variance(const float *x, size_t n)
{
    double q = 0;
    for (size_t i = 0; i < n; i++) q += (double)x[i] * (double)x[i];
    return q / (double)n;
}

static void starting_values(void **state)
{
    (void)state;
    err_t e = {0};
    net_t *net = net_new("{\"inputs\":{\"x\":[20,4,4,4]},\"layers\":[{\"op\":\"conv\",\"from\":\"x\",\"name\":\"c\",\"out\":40,\"side\":3},"
                         "{\"op\":\"batchnorm\",\"name\":\"b\"},{\"op\":\"attention\",\"name\":\"a\",\"heads\":4},{\"op\":\"pool\",\"name\":\"g\",\"kind\":\"gem\"},"
                         "{\"op\":\"linear\",\"name\":\"l\",\"out\":100}]}", &e);
    assert_non_null(net);
    size_t n = net_size(net);
    float *a = malloc(n * sizeof *a), *b = malloc(n * sizeof *b);
    memset(a, 1, n * sizeof *a);
    memset(b, 2, n * sizeof *b);
    rng_t r, s, other;
    rng_seed(&r, 3);
    rng_seed(&s, 3);
    rng_seed(&other, 4);
    net_init(net, &r, a);
    net_init(net, &s, b);
    assert_memory_equal(a, b, n * sizeof *a);
    static const double want[] = {2.0 / 540, 0, 1, 0, 0, 1, 2.0 / 160, 0, 1.0 / 120, 0, 9, 2.0 / 40, 0};
    for (size_t i = 0; i < net_tensors(net); i++) {
        const nettensor_t *t = net_tensor(net, i);
        assert_close(variance(a + t->at, t->size), want[i], 0.1 * want[i]);
        for (size_t j = t->size; (t->at + j) % 16; j++) assert_close(a[t->at + j], 0, 0);
    }
    net_init(net, &other, b);
    assert_memory_not_equal(a, b, n * sizeof *a);
    free(a);
    free(b);
    net_free(net);
}

/* One fault a row: what stands for the layers (after a good first one, "a": 6 channels of 4x5x6), and what the message says. */
#define PRE "{\"inputs\":{\"x\":[6,4,5,6],\"v\":[8]},\"layers\":[{\"op\":\"relu\",\"from\":\"x\",\"as\":\"a\"},"
static const struct {
    const char *table, *says;
    errcode_t code;
} bad[] = {
    {"", "line", ERR_FORMAT},
    {"[]", "not an object", ERR_FORMAT},
    {"{\"inputs\":{\"x\":[1]}}", "not an object with", ERR_FORMAT},
    {"{\"inputs\":{\"x\":[1]},\"layers\":[{\"op\":\"relu\",\"from\":\"x\"}],\"more\":1}", "nothing else", ERR_FORMAT},
    {"{\"inputs\":{\"x\":[1]},\"inputs\":{\"x\":[1]},\"layers\":[]}", "duplicate", ERR_FORMAT},
    {"{\"inputs\":{},\"layers\":[{\"op\":\"relu\"}]}", "inputs: 0", ERR_RANGE},
    {"{\"inputs\":{\"a\":[1],\"b\":[1],\"c\":[1],\"d\":[1],\"e\":[1],\"f\":[1],\"g\":[1],\"h\":[1],\"i\":[1]},\"layers\":[]}", "inputs: 9", ERR_RANGE},
    {"{\"inputs\":{\"x\":[1]},\"layers\":[]}", "layers: 0", ERR_RANGE},
    {"{\"inputs\":{\"x\":[1,2]},\"layers\":[{}]}", "not a shape", ERR_FORMAT},
    {"{\"inputs\":{\"x\":5},\"layers\":[{}]}", "not a shape", ERR_FORMAT},
    {"{\"inputs\":{\"x\":[1.5]},\"layers\":[{}]}", "not a shape", ERR_FORMAT},
    {"{\"inputs\":{\"x\":[0]},\"layers\":[{}]}", "extent of 0", ERR_RANGE},
    {"{\"inputs\":{\"x\":[-1]},\"layers\":[{}]}", "extent of -1", ERR_RANGE},
    {"{\"inputs\":{\"x\":[9,65536,65536,65536]},\"layers\":[{}]}", "more than 2^31", ERR_RANGE},
    {"{\"inputs\":{\"x\":[9,9,9,9223372036854775807]},\"layers\":[{}]}", "extent", ERR_RANGE},
    {"{\"inputs\":{\"x y\":[9]},\"layers\":[{}]}", "not a name", ERR_FORMAT},
    {"{\"inputs\":{\"x\":[9]},\"layers\":[{\"op\":\"relu\"}]}", "layer 1 (relu): from", ERR_FORMAT},
    {PRE "7]}", "layer 2 (?): layer: not an object", ERR_FORMAT},
    {PRE "{}]}", "layer 2 (?): op: missing", ERR_FORMAT},
    {PRE "{\"op\":3}]}", "op: missing", ERR_FORMAT},
    {PRE "{\"op\":\"conv2\"}]}", "op: unknown", ERR_FORMAT},
    {PRE "{\"op\":\"relu\",\"slope\":1}]}", "layer 2 (relu): slope: no such field", ERR_FORMAT},
    {PRE "{\"op\":\"relu\",\"name\":\"r\"}]}", "name: a layer without parameters", ERR_FORMAT},
    {PRE "{\"op\":\"relu\",\"with\":\"a\"}]}", "with: no such field", ERR_FORMAT},
    {PRE "{\"op\":\"relu\",\"from\":\"b\"}]}", "\"b\" is no input", ERR_FORMAT},
    {PRE "{\"op\":\"relu\",\"from\":\"me\",\"as\":\"me\"}]}", "\"me\" is no input", ERR_FORMAT},
    {PRE "{\"op\":\"relu\",\"from\":7}]}", "from: not a label", ERR_FORMAT},
    {PRE "{\"op\":\"relu\",\"as\":\"a\"}]}", "as: this label is taken", ERR_FORMAT},
    {PRE "{\"op\":\"relu\",\"as\":\"x\"}]}", "as: this label is taken", ERR_FORMAT},
    {PRE "{\"op\":\"relu\",\"as\":\"\"}]}", "as: not a name", ERR_FORMAT},
    {PRE "{\"op\":\"relu\",\"from\":\"x\"}]}", "layer 1 (relu): result: no layer uses it", ERR_FORMAT},
    {PRE "{\"op\":\"conv\",\"out\":2,\"side\":3}]}", "layer 2 (conv): name: missing", ERR_FORMAT},
    {PRE "{\"op\":\"conv\",\"name\":\"c\",\"side\":3}]}", "out: missing", ERR_FORMAT},
    {PRE "{\"op\":\"conv\",\"name\":\"c\",\"out\":2}]}", "side: missing", ERR_FORMAT},
    {PRE "{\"op\":\"conv\",\"name\":\"c\",\"out\":0,\"side\":3}]}", "out: 0 (1 to", ERR_RANGE},
    {PRE "{\"op\":\"conv\",\"name\":\"c\",\"out\":2.5,\"side\":3}]}", "out: not a whole", ERR_FORMAT},
    {PRE "{\"op\":\"conv\",\"name\":\"c\",\"out\":\"2\",\"side\":3}]}", "out: not a whole", ERR_FORMAT},
    {PRE "{\"op\":\"conv\",\"name\":\"c\",\"out\":2,\"side\":4}]}", "side: even", ERR_RANGE},
    {PRE "{\"op\":\"conv\",\"name\":\"c\",\"out\":2,\"side\":7}]}", "side: 7 (1 to 5)", ERR_RANGE},
    {PRE "{\"op\":\"conv\",\"name\":\"c\",\"out\":2,\"side\":5,\"pad\":0}]}", "larger than the volume", ERR_RANGE},
    {PRE "{\"op\":\"conv\",\"name\":\"c\",\"out\":2,\"side\":3,\"stride\":3}]}", "stride: 3 (1 to 2)", ERR_RANGE},
    {PRE "{\"op\":\"conv\",\"name\":\"c\",\"out\":2,\"side\":3,\"pad\":2}]}", "pad: more than half", ERR_RANGE},
    {PRE "{\"op\":\"conv\",\"name\":\"c\",\"out\":2,\"side\":3,\"pad\":-1}]}", "pad: -1", ERR_RANGE},
    {PRE "{\"op\":\"conv\",\"name\":\"c\",\"out\":2,\"side\":3,\"bias\":1}]}", "bias: not true or false", ERR_FORMAT},
    {PRE "{\"op\":\"conv\",\"name\":\"c d\",\"out\":2,\"side\":3}]}", "name: not a name", ERR_FORMAT},
    {PRE "{\"op\":\"conv\",\"name\":\"c\",\"out\":1048576,\"side\":5},{\"op\":\"conv\",\"name\":\"d\",\"out\":1048576,\"side\":5}]}", "2^3", ERR_RANGE},
    {PRE "{\"op\":\"conv\",\"name\":\"c\",\"out\":2,\"side\":1},{\"op\":\"conv\",\"name\":\"c\",\"out\":2,\"side\":1}]}", "layer 3 (conv): name: this name is taken", ERR_FORMAT},
    {PRE "{\"op\":\"conv\",\"name\":\"c\",\"from\":\"v\",\"out\":2,\"side\":1}]}", "a vector (a volume is wanted)", ERR_FORMAT},
    {PRE "{\"op\":\"linear\",\"name\":\"l\",\"out\":2}]}", "a volume (a vector is wanted)", ERR_FORMAT},
    {PRE "{\"op\":\"groupnorm\",\"name\":\"n\"}]}", "groups: missing", ERR_FORMAT},
    {PRE "{\"op\":\"groupnorm\",\"name\":\"n\",\"groups\":4}]}", "groups: does not divide", ERR_RANGE},
    {PRE "{\"op\":\"groupnorm\",\"name\":\"n\",\"groups\":2,\"eps\":0}]}", "eps: 0 (1e-30 to 1)", ERR_RANGE},
    {PRE "{\"op\":\"groupnorm\",\"name\":\"n\",\"groups\":2,\"eps\":1e-50}]}", "eps: 1e-50 (1e-30", ERR_RANGE},
    {PRE "{\"op\":\"batchnorm\",\"name\":\"n\",\"momentum\":1.5}]}", "momentum: 1.5", ERR_RANGE},
    {PRE "{\"op\":\"batchnorm\",\"name\":\"n\",\"momentum\":\"x\"}]}", "momentum: not a number", ERR_FORMAT},
    {PRE "{\"op\":\"add\"}]}", "with: missing", ERR_FORMAT},
    {PRE "{\"op\":\"add\",\"with\":[\"a\"]}]}", "with: a list", ERR_FORMAT},
    {PRE "{\"op\":\"add\",\"with\":\"v\"}]}", "with: has another shape", ERR_FORMAT},
    {PRE "{\"op\":\"concat\",\"from\":\"v\",\"with\":\"a\"}]}", "with: concat joins vectors", ERR_FORMAT},
    {PRE "{\"op\":\"concat\",\"from\":\"v\",\"with\":[]}]}", "with: 1 to 63", ERR_RANGE},
    {PRE "{\"op\":\"pool\"}]}", "kind: missing", ERR_FORMAT},
    {PRE "{\"op\":\"pool\",\"kind\":\"median\"}]}", "kind: not mean", ERR_FORMAT},
    {PRE "{\"op\":\"pool\",\"kind\":\"gem\"}]}", "name: missing", ERR_FORMAT},
    {PRE "{\"op\":\"pool\",\"kind\":\"max\",\"name\":\"p\"}]}", "name: a layer without", ERR_FORMAT},
    {PRE "{\"op\":\"pool\",\"kind\":\"max\",\"side\":5}]}", "side: 5, larger", ERR_RANGE},
    {PRE "{\"op\":\"pool\",\"kind\":\"max\",\"stride\":2}]}", "stride: given without side", ERR_FORMAT},
    {PRE "{\"op\":\"pool\",\"kind\":\"max\",\"side\":0}]}", "side: 0", ERR_RANGE},
    {PRE "{\"op\":\"dropout\"}]}", "p: missing", ERR_FORMAT},
    {PRE "{\"op\":\"dropout\",\"p\":1}]}", "p: 1 (0 to 0.99)", ERR_RANGE},
    {PRE "{\"op\":\"attention\",\"name\":\"t\",\"heads\":4}]}", "heads: does not divide", ERR_RANGE},
    {"{\"inputs\":{\"x\":[1,1,1,65536]},\"layers\":[{\"op\":\"attention\",\"from\":\"x\",\"name\":\"t\",\"heads\":1}]}", "from: 65536 voxels (attention takes 32768)", ERR_RANGE},
    {PRE "{\"op\":\"flatten\",\"from\":\"v\"}]}", "a vector (a volume", ERR_FORMAT},
    {PRE "{\"op\":\"l2norm\"}]}", "a volume (a vector", ERR_FORMAT},
};

static void faults_are_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err_t e = {0};
        net_t *net = net_new(bad[i].table, &e);
        if (net) fail_msg("accepted: %s", bad[i].table);
        if (e.code != bad[i].code || !strstr(e.msg, bad[i].says)) fail_msg("%s: %s: %s", bad[i].table, err_name(e.code), e.msg);
    }
}

/* A good table cut at every byte, and with every byte changed, is read or refused, never worse. */
static void hurt_tables(void **state)
{
    (void)state;
    char text[sizeof table];
    for (size_t i = 0; i < sizeof table - 1; i++) {
        memcpy(text, table, sizeof table);
        text[i] = 0;
        err_t e = {0};
        assert_null(net_new(text, &e));
        assert_int_not_equal(e.code, ERR_OK);
        for (const char *p = "9\"[{,x\xff"; *p; p++) {
            memcpy(text, table, sizeof table);
            text[i] = *p;
            e = (err_t){0};
            net_t *net = net_new(text, &e);
            assert_true((net != NULL) == (e.code == ERR_OK));
            net_free(net);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_is_read),
        cmocka_unit_test(starting_values),
        cmocka_unit_test(faults_are_named),
        cmocka_unit_test(hurt_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

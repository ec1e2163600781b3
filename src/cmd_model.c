/* cmd_model: cryolex model new | info. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/tsv.h"
#include "config.h"
#include "pipeline/modelfile.h"
#include "src/json.h"
#include "src/netopts.h"
#include "src/outpath.h"
#include "src/table.h"
#include "voxel/cube.h"

typedef struct {
    const char *out, *table, *features;
    long seed;
} new_opts_t;

static const opt_t new_rows[] = {
    {'o', "output", OPT_STR, offsetof(new_opts_t, out), "MODEL", 0, 0, NULL, NULL, "The model to write (safetensors)"},
    {0, "table", OPT_STR, offsetof(new_opts_t, table), "FILE", 0, 0, NULL, NULL,
     "Table of the network (JSON), instead of the default one"},
    {0, "features", OPT_STR, offsetof(new_opts_t, features), "LIST", 0, 0, NULL, "log_rg,profile,zernike",
     "What is fed in beside the cube, in order: some of log_rg (1 number), profile (32), zernike (121); or none. The default "
     "network takes all three"},
    {0, "seed", OPT_INT, offsetof(new_opts_t, seed), "N", 0, 0x1p53, NULL, "1", "Seed of the starting values"},
    {0},
};

static int new_model(const app_t *app, const void *opts, int argc, char **argv)
{
    const new_opts_t *o = opts;
    err_t err = {0};
    modelfile_t m = {0};
    feature_t part[FEATURE_KINDS];
    char *table = NULL;
    char provenance[256];
    int parts = netopts_features("model new", o->features, part, &err);
    (void)argc;
    (void)argv;
    if (!o->out) err_set(&err, ERR_USAGE, "model new: no output; give -o MODEL");
    if (!o->table && parts != FEATURE_KINDS)
        err_set(&err, ERR_USAGE,
                "model new: --features %s: the default network takes log_rg,profile,zernike; another list needs --table",
                o->features);
    if (err.code != ERR_OK || (o->table && outpath_not_input("model new", o->out, o->table, &err)) ||
        outpath_writable(o->out, &err))
        goto done;
    if (o->table && !(table = netopts_table(o->table, &err))) goto done;
    if (!(m.encoder = encoder_new(table, part, (size_t)parts, &err))) {
        if (o->table) err_prefix(&err, o->table);
        goto done;
    }
    encoder_init(m.encoder, (uint64_t)o->seed);
    snprintf(provenance, sizeof provenance,
             "{\"program\": \"%s\", \"command\": \"model new\", \"seed\": %ld, \"trained\": false}", PACKAGE_STRING,
             o->seed);
    if (!(m.provenance = mem_str(provenance, &err)) || modelfile_write(o->out, &m, &err)) goto done;
    log_msg(&app->log, LOG_INFO, "%s: %zu tensors, untrained, seed %ld", o->out, net_tensors(m.encoder->net), o->seed);
done:
    modelfile_free(&m);
    mem_free(table);
    return err.code == ERR_OK ? EXIT_DONE : cmd_fail(app, &err);
}

const cmd_t cmd_model_new = {
    .name = "model new",
    .args = "-o MODEL",
    .summary = "An untrained model: where training starts, and a baseline",
    .about =
        "Writes a model whose parameters are random starting values (He 2015). The network takes the canonical cube, 32^3 "
        "voxels, and a vector of features to an embedding of length 1.\n\n"
        "A table is a JSON object with the network's inputs, cube [1,32,32,32] and features, and a list of its layers; "
        "cryolex "
        "model info --table prints that of a model. Equal seeds give equal files.",
    .example = "cryolex model new -o untrained.safetensors --seed 1",
    .opts = new_rows,
    .opt_size = sizeof(new_opts_t),
    .min_args = 0,
    .max_args = 0,
    .run = new_model,
};

typedef struct {
    bool table, layers;
    int format;
} info_opts_t;

enum { FORMAT_TSV, FORMAT_JSON };

static const opt_t info_rows[] = {
    {0, "layers", OPT_FLAG, offsetof(info_opts_t, layers), NULL, 0, 0, NULL, NULL,
     "List the layers instead: shape of the result, parameters, multiply-adds for one cube"},
    {0, "table", OPT_FLAG, offsetof(info_opts_t, table), NULL, 0, 0, NULL, NULL,
     "Print the table of the network (JSON) instead"},
    {0, "format", OPT_CHOICE, offsetof(info_opts_t, format), NULL, 0, 0, "tsv|json", "tsv",
     "TSV with a header row, or one JSON object a line"},
    {0},
};

static size_t parameters(const net_t *net)
{
    size_t n = 0;
    for (size_t i = 0; i < net_tensors(net); i++) n += net_tensor(net, i)->size;
    return n;
}

/* All that is told of a model. */
static json_t *facts(const char *path, const modelfile_t *m)
{
    const encoder_t *e = m->encoder;
    json_t *j = json_object(), *features = json_array();
    for (size_t i = 0; i < e->parts; i++) json_array_append_new(features, json_string(feature_name(e->part[i])));
    json_object_set_new(j, "path", json_text(path));
    json_object_set_new(j, "format", json_string(MODELFILE_FORMAT));
    json_object_set_new(j, "hash", json_string(m->hash));
    json_object_set_new(j, "tensors", json_integer((json_int_t)net_tensors(e->net)));
    json_object_set_new(j, "parameters", json_integer((json_int_t)parameters(e->net)));
    json_object_set_new(j, "multiply_adds", json_integer((json_int_t)(net_flops(e->net) / 2)));
    json_object_set_new(j, "embedding", json_integer((json_int_t)e->d));
    json_object_set_new(j, "frames", json_integer(e->frames));
    json_object_set_new(j, "cube_side", json_integer((json_int_t)e->side));
    json_object_set_new(j, "cube_version", json_integer(CUBE_VERSION));
    json_object_set_new(j, "cube_edge_rg", json_real(CUBE_EDGE));
    json_object_set_new(j, "cube_shells", json_integer(CUBE_SHELLS));
    json_object_set_new(j, "features", features);
    json_object_set_new(j, "provenance", json_loads(m->provenance, 0, NULL));
    return j;
}

/* A value as text: a string as it is, a list of strings with commas, the rest as JSON. */
static void print_value(const json_t *v)
{
    if (json_is_string(v)) {
        tsv_put(stdout, json_string_value(v));
    } else if (json_is_array(v)) {
        for (size_t i = 0; i < json_array_size(v); i++)
            printf("%s%s", i ? "," : "", json_string_value(json_array_get(v, i)));
        if (!json_array_size(v)) printf("none");
    } else {
        json_dumpf(v, stdout, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
    }
    putchar('\n');
}

static void print_facts(json_t *j)
{
    const char *key, *sub;
    json_t *v, *w;
    printf("field\tvalue\n");
    json_object_foreach(j, key, v)
    {
        if (!json_is_object(v)) {
            printf("%s\t", key);
            print_value(v);
            continue;
        }
        json_object_foreach(v, sub, w)
        { /* provenance */
            printf("%s.", key);
            tsv_put(stdout, sub);
            putchar('\t');
            print_value(w);
        }
    }
}

static void print_shape(size_t ndim, const size_t *shape)
{
    for (size_t i = 0; i < ndim; i++) printf("%s%zu", i ? "x" : "", shape[i]);
}

static void print_layers(const net_t *net)
{
    printf("layer\top\tname\tshape\tparameters\tmultiply_adds\n");
    for (size_t i = 0; i < net_layers(net); i++) {
        netlayer_t l = net_layer(net, i);
        printf("%zu\t%s\t", i + 1, l.op);
        tsv_put(stdout, l.name ? l.name : "-");
        putchar('\t');
        print_shape(l.ndim, l.shape);
        printf("\t%zu\t%.0f\n", l.params, l.flops / 2);
    }
}

static void print_layers_json(const net_t *net)
{
    for (size_t i = 0; i < net_layers(net); i++) {
        netlayer_t l = net_layer(net, i);
        json_t *shape = json_array();
        for (size_t k = 0; k < l.ndim; k++) json_array_append_new(shape, json_integer((json_int_t)l.shape[k]));
        json_line(json_pack("{s:I,s:s,s:o,s:o,s:I,s:I}", "layer", (json_int_t)i + 1, "op", l.op, "name",
                            l.name ? json_text(l.name) : json_null(), "shape", shape, "parameters", (json_int_t)l.params,
                            "multiply_adds", (json_int_t)(l.flops / 2)));
    }
}

static int tell_model(const app_t *app, const void *opts, int argc, char **argv)
{
    const info_opts_t *o = opts;
    modelfile_t m;
    err_t err = {0};
    (void)argc;
    if (o->table && o->layers) err_set(&err, ERR_USAGE, "model info: either --layers or --table");
    if (err.code != ERR_OK || modelfile_read(argv[0], &m, &err)) return cmd_fail(app, &err);
    const net_t *net = m.encoder->net;
    if (o->table) {
        puts(net_table(net));
    } else if (o->layers) {
        (o->format == FORMAT_JSON ? print_layers_json : print_layers)(net);
    } else {
        json_t *j = facts(argv[0], &m);
        if (o->format == FORMAT_JSON) {
            json_line(j);
        } else {
            print_facts(j);
            json_decref(j);
        }
    }
    modelfile_free(&m);
    return EXIT_DONE;
}

typedef struct {
    const char *out;
} compact_opts_t;

static const opt_t compact_rows[] = {
    {'o', "output", OPT_STR, offsetof(compact_opts_t, out), "MODEL", 0, 0, NULL, NULL, "The model to write (safetensors)"},
    {0},
};

static int compact_model(const app_t *app, const void *opts, int argc, char **argv)
{
    const compact_opts_t *o = opts;
    modelfile_t m = {0};
    err_t err = {0};
    (void)argc;
    int rc = o->out ? 0 : err_set(&err, ERR_USAGE, "model compact: no output; give -o MODEL");
    if (!rc) rc = outpath_writable(o->out, &err) || outpath_not_input("model compact", o->out, argv[0], &err) || modelfile_read(argv[0], &m, &err);
    if (!rc) {
        m.half = true;
        rc = modelfile_write(o->out, &m, &err);
    }
    modelfile_free(&m);
    return rc ? cmd_fail(app, &err) : EXIT_DONE;
}

const cmd_t cmd_model_compact = {
    .name = "model compact",
    .args = "-o OUT MODEL",
    .summary = "A model in half the space, its parameters in float16",
    .about = "Writes the same model with parameters of 11 significant bits. It is another model, with a hash of its own: an index has "
             "to be made with it to be searched with it.",
    .example = "cryolex model compact -o small.safetensors model.safetensors",
    .opts = compact_rows,
    .opt_size = sizeof(compact_opts_t),
    .min_args = 1,
    .max_args = 1,
    .run = compact_model,
};

const cmd_t cmd_model_info = {
    .name = "model info",
    .args = "MODEL",
    .summary = "What a model holds: network, cube, features, provenance",
    .about = "Prints a table of two columns: the hash of the file (CRC-64), tensors and parameters, multiply-adds for one "
             "cube (times "
             "frames for an embedding), the length of an embedding, what cube and features the network is fed, and how "
             "its parameters came about. All of the file is checked first.\n\n"
             "A model is a safetensors file; in Python safetensors.torch.load_file reads its tensors, under the names of a "
             "PyTorch state_dict.",
    .example = "cryolex model info --layers model.safetensors",
    .opts = info_rows,
    .opt_size = sizeof(info_opts_t),
    .min_args = 1,
    .max_args = 1,
    .run = tell_model,
};

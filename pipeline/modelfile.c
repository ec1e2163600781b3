/* modelfile: an encoder as a safetensors file (see modelfile.h; DESIGN 5). */
#include "pipeline/modelfile.h"

#include <inttypes.h>
#include <jansson.h>
#include <lzma.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/half.h"
#include "base/mem.h"
#include "nn/reduce.h"
#include "nn/stfile.h"
#include "voxel/cube.h"

/* Those from TEXT on may be missing. */
enum { FORMAT, NETWORK, CUBE, FEATURES, FRAMES, PROVENANCE, TEXT, SCALES, KEYS };
static const char *const key[KEYS] = {"format", "network", "cube", "features", "frames", "provenance", "text", "scales"};

void modelfile_free(modelfile_t *m)
{
    encoder_free(m->encoder);
    mem_free(m->text.weight);
    mem_free(m->text.name);
    mem_free(m->provenance);
    *m = (modelfile_t){0};
}

/* The JSON value of a metadata entry; NULL with err when it is none. */
static json_t *parse(const char *path, int k, const char *text, err_t *err)
{
    json_error_t e;
    json_t *j = json_loads(text, JSON_REJECT_DUPLICATES, &e);
    if (!j) err_set(err, ERR_FORMAT, "%s: %s: no JSON: %s", path, key[k], e.text);
    return j;
}

/* That the cube is the one that cube_make() makes, of this side. */
static int check_cube(const char *path, const char *text, size_t side, err_t *err)
{
    const struct {
        const char *name;
        double want;
    } field[] = {{"side", 0}, {"version", CUBE_VERSION}, {"edge", CUBE_EDGE}, {"shells", CUBE_SHELLS}};
    double has = 0;
    json_t *j = parse(path, CUBE, text, err);
    int rc = j ? 0 : -1;
    for (size_t i = 0; !rc && i < sizeof field / sizeof *field; i++) {
        json_t *v = json_object_get(j, field[i].name);
        double got = json_number_value(v);
        if (!json_is_number(v))
            rc = err_set(err, ERR_FORMAT, "%s: cube: no number '%s'", path, field[i].name);
        else if (!i)
            has = got;
        else if (fabs(got - field[i].want) > 0)
            rc = err_set(err, ERR_UNSUP, "%s: cube %s %g (this program makes %g)", path, field[i].name, got, field[i].want);
    }
    json_decref(j);
    if (!rc && fabs(has - (double)side) > 0)
        rc = err_set(err, ERR_FORMAT, "%s: the network takes cubes of side %zu (its cube has %g)", path, side, has);
    return rc;
}

/* Number of features, or -1. */
static int get_features(const char *path, const char *text, feature_t part[FEATURE_KINDS], err_t *err)
{
    json_t *j = parse(path, FEATURES, text, err);
    size_t n = json_array_size(j);
    int rc = j ? 0 : -1;
    if (!rc && (!json_is_array(j) || n > FEATURE_KINDS))
        rc = err_set(err, ERR_FORMAT, "%s: features: no list of names", path);
    for (size_t i = 0; !rc && i < n; i++) {
        const char *s = json_string_value(json_array_get(j, i));
        int f = 0;
        while (f < FEATURE_KINDS && !(s && !strcmp(s, feature_name((feature_t)f)))) f++;
        if (f == FEATURE_KINDS)
            rc = err_set(err, ERR_UNSUP, "%s: features: '%s' (log_rg, profile and zernike are known)", path, s ? s : "?");
        else
            part[i] = (feature_t)f;
    }
    json_decref(j);
    return rc ? -1 : (int)n;
}

static int check_values(const char *path, const char *name, size_t size, const float *x, err_t *err)
{
    static const char variance[] = ".running_var";
    size_t len = strlen(name), n = sizeof variance - 1;
    bool positive = len > n && !strcmp(name + len - n, variance);
    for (size_t i = 0; i < size; i++) {
        if (!isfinite(x[i])) return err_set(err, ERR_FORMAT, "%s: %s: a value that is not finite", path, name);
        if (positive && x[i] < 0) return err_set(err, ERR_FORMAT, "%s: %s: %g (0 or more)", path, name, (double)x[i]);
    }
    return 0;
}

/* What metadata and a tensor say of text. */
static int get_text(const char *path, const char *text, const stfile_t *f, modelfile_t *m, err_t *err)
{
    json_t *j = parse(path, TEXT, text, err);
    const char *name = json_string_value(json_object_get(j, "name")), *hash = json_string_value(json_object_get(j, "hash"));
    json_int_t dim = json_integer_value(json_object_get(j, "dim"));
    modeltext_t *t = &m->text;
    int rc = j ? 0 : -1;
    if (!rc && (!name || !hash || strlen(hash) >= sizeof t->hash || dim < 1 || dim > MODELFILE_DIM_MAX))
        rc = err_set(err, ERR_FORMAT, "%s: text: name, hash and dim (1 to %d) are wanted", path, MODELFILE_DIM_MAX);
    if (!rc) {
        const size_t shape[2] = {m->encoder->d, (size_t)dim};
        t->dim = (size_t)dim;
        snprintf(t->hash, sizeof t->hash, "%s", hash);
        if (!(t->name = mem_str(name, err)) || !(t->weight = mem_new(shape[0] * shape[1], sizeof *t->weight, err)) ||
            stfile_get(f, MODELFILE_TEXT, 2, shape, t->weight, err) ||
            check_values(path, MODELFILE_TEXT, shape[0] * shape[1], t->weight, err))
            rc = -1;
    }
    json_decref(j);
    return rc;
}

static int get_scales(const char *path, const char *text, modelfile_t *m, err_t *err)
{
    json_t *j = parse(path, SCALES, text, err);
    m->scale_view = json_number_value(json_object_get(j, "view"));
    m->scale_text = json_number_value(json_object_get(j, "text"));
    int rc = j ? 0 : -1;
    if (!rc && !(isfinite(m->scale_view) && isfinite(m->scale_text) && m->scale_view >= 0 && m->scale_text >= 0))
        rc = err_set(err, ERR_FORMAT, "%s: scales: view and text, 0 or more, are wanted", path);
    json_decref(j);
    return rc;
}

/* All parameters from the tensors of the file, which has these and no others (but that of the text). */
static int get_params(const char *path, const stfile_t *f, encoder_t *e, bool text, err_t *err)
{
    size_t n = net_tensors(e->net);
    for (size_t i = 0; i < n; i++) {
        const nettensor_t *t = net_tensor(e->net, i);
        if (stfile_get(f, t->name, t->ndim, t->shape, e->params + t->at, err)) return -1;
        if (check_values(path, t->name, t->size, e->params + t->at, err)) return -1;
        if (!strcmp(t->name, MODELFILE_TEXT))
            return err_set(err, ERR_FORMAT, "%s: network: a layer's tensor is called %s", path, t->name);
    }
    if (stfile_count(f) == n + text) return 0;
    for (size_t i = 0; i < stfile_count(f); i++) {
        const char *name = stfile_at(f, i)->name;
        size_t k = 0;
        while (k < n && strcmp(name, net_tensor(e->net, k)->name) != 0) k++;
        if (k == n && !(text && !strcmp(name, MODELFILE_TEXT))) return err_set(err, ERR_FORMAT, "%s: tensor %s: no part of the network", path, name);
    }
    return 0;
}

static int take(const char *path, const stfile_t *f, modelfile_t *m, err_t *err)
{
    const char *meta[KEYS];
    feature_t part[FEATURE_KINDS] = {FEATURE_LOG_RG};
    for (int k = 0; k < KEYS; k++) meta[k] = stfile_meta(f, key[k]);
    if (!meta[FORMAT])
        return err_set(err, ERR_FORMAT, "%s: no metadata 'format' (a model has \"%s\")", path, MODELFILE_FORMAT);
    if (strcmp(meta[FORMAT], MODELFILE_FORMAT) != 0)
        return err_set(err, ERR_UNSUP, "%s: format \"%s\" (this program reads \"%s\")", path, meta[FORMAT],
                       MODELFILE_FORMAT);
    for (int k = 0; k < TEXT; k++)
        if (!meta[k]) return err_set(err, ERR_FORMAT, "%s: no metadata '%s'", path, key[k]);
    bool all = !strcmp(meta[FRAMES], "4");
    if (!all && strcmp(meta[FRAMES], "1") != 0)
        return err_set(err, ERR_FORMAT, "%s: frames \"%s\" (4 or 1)", path, meta[FRAMES]);

    int parts = get_features(path, meta[FEATURES], part, err);
    if (parts < 0 || !(m->encoder = encoder_new(meta[NETWORK], part, (size_t)parts, err)) ||
        check_cube(path, meta[CUBE], m->encoder->side, err) || get_params(path, f, m->encoder, meta[TEXT], err) ||
        (meta[TEXT] && get_text(path, meta[TEXT], f, m, err)) || (meta[SCALES] && get_scales(path, meta[SCALES], m, err)))
        return -1;
    m->encoder->frames = all ? ENCODER_FRAMES : 1;

    json_t *j = parse(path, PROVENANCE, meta[PROVENANCE], err);
    int rc = !j ? -1 : json_is_object(j) ? 0 : err_set(err, ERR_FORMAT, "%s: provenance: no JSON object", path);
    m->untrained = json_is_false(json_object_get(j, "trained"));
    json_decref(j);
    return rc || !(m->provenance = mem_str(meta[PROVENANCE], err)) ? -1 : 0;
}

int modelfile_read(const char *path, modelfile_t *m, err_t *err)
{
    size_t n;
    err_t own = {0};
    *m = (modelfile_t){0};
    unsigned char *bytes = file_read(path, MODELFILE_MAX, &n, &own);
    stfile_t *f = bytes ? stfile_mem(path, bytes, n, &own) : NULL;
    int rc = f && !take(path, f, m, &own) ? 0 : -1;
    if (!rc) snprintf(m->hash, sizeof m->hash, "%016" PRIx64, lzma_crc64(bytes, n, 0));
    stfile_close(f);
    mem_free(bytes);
    if (!rc) return 0;
    modelfile_free(m);
    err_prefix(&own, path);
    return err_set(err, own.code, "%s", own.msg);
}

/* A JSON text that the caller frees with mem_free(). NULL: ERR_NOMEM. Takes j. */
static char *dump(json_t *j, err_t *err)
{
    size_t n = json_dumpb(j, NULL, 0, JSON_REAL_PRECISION(9));
    char *s = n ? mem_new(n + 1, 1, err) : NULL;
    if (s) s[json_dumpb(j, s, n, JSON_REAL_PRECISION(9))] = 0;
    json_decref(j);
    if (!s) err_set(err, ERR_NOMEM, "memory: metadata");
    return s;
}

/* The tensors of a model: those of the network, and that of the text. t has room for one more than the network has. */
static size_t put_tensors(const modelfile_t *m, sttensor_t *t)
{
    const encoder_t *e = m->encoder;
    size_t n = net_tensors(e->net);
    for (size_t i = 0; i < n; i++) {
        const nettensor_t *p = net_tensor(e->net, i);
        t[i] = (sttensor_t){.name = p->name, .type = ST_F32, .ndim = p->ndim, .count = p->size, .data = e->params + p->at};
        memcpy(t[i].shape, p->shape, p->ndim * sizeof *p->shape);
    }
    if (!m->text.dim) return n;
    t[n] = (sttensor_t){.name = MODELFILE_TEXT, .type = ST_F32, .ndim = 2, .shape = {e->d, m->text.dim},
                        .count = e->d * m->text.dim, .data = m->text.weight};
    return n + 1;
}

/* The n tensors in float16, which is in one piece of memory that the caller frees. NULL: ERR_NOMEM. */
static uint16_t *halve(sttensor_t *t, size_t n, err_t *err)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) count += t[i].count;
    uint16_t *h = mem_new(count, sizeof *h, err), *at = h;
    for (size_t i = 0; h && i < n; at += t[i++].count) {
        half_pack(t[i].data, t[i].count, at);
        t[i].type = ST_F16;
        t[i].data = at;
    }
    return h;
}

int modelfile_write(const char *path, const modelfile_t *m, err_t *err)
{
    uint16_t *half = NULL;
    const encoder_t *e = m->encoder;
    sttensor_t *t = mem_zero(net_tensors(e->net) + 1, sizeof *t, err);
    json_t *names = json_array();
    for (size_t i = 0; i < e->parts; i++) json_array_append_new(names, json_string(feature_name(e->part[i])));
    char *features = dump(names, err), *text = NULL, *scales = NULL,
         *cube = dump(json_pack("{s:i,s:i,s:f,s:i}", "side", (int)e->side, "version", CUBE_VERSION, "edge", CUBE_EDGE, "shells",
                                CUBE_SHELLS),
                      err);
    stmeta_t meta[KEYS] = {{key[FORMAT], MODELFILE_FORMAT},
                           {key[NETWORK], net_table(e->net)},
                           {key[CUBE], cube},
                           {key[FEATURES], features},
                           {key[FRAMES], e->frames == 1 ? "1" : "4"},
                           {key[PROVENANCE], m->provenance ? m->provenance : "{}"}};
    size_t n = TEXT;
    int rc = -1;
    if (!t || !features || !cube) goto done;
    if (m->text.dim) {
        text = dump(json_pack("{s:s,s:s,s:I}", "name", m->text.name, "hash", m->text.hash, "dim", (json_int_t)m->text.dim), err);
        if (!text) goto done;
        meta[n++] = (stmeta_t){key[TEXT], text};
    }
    if (m->scale_view > 0 || m->scale_text > 0) {
        scales = dump(json_pack("{s:f,s:f}", "view", m->scale_view, "text", m->scale_text), err);
        if (!scales) goto done;
        meta[n++] = (stmeta_t){key[SCALES], scales};
    }
    size_t tensors = put_tensors(m, t);
    if (m->half && !(half = halve(t, tensors, err))) goto done;
    rc = stfile_write(path, t, tensors, meta, n, err);
done:
    mem_free(half);
    mem_free(t);
    mem_free(features);
    mem_free(cube);
    mem_free(text);
    mem_free(scales);
    return rc;
}

void modelfile_project(const modelfile_t *m, size_t n, const float *text, float *out)
{
    size_t d = m->encoder->d, dim = m->text.dim;
    for (size_t i = 0; i < n; i++) {
        double sq = 0;
        for (size_t j = 0; j < d; j++) {
            double y = reduce_dot(m->text.weight + j * dim, text + i * dim, dim);
            out[i * d + j] = (float)y;
            sq += y * y;
        }
        double scale = sq > 0 ? 1 / sqrt(sq) : 0;
        for (size_t j = 0; j < d; j++) out[i * d + j] = (float)((double)out[i * d + j] * scale);
    }
}

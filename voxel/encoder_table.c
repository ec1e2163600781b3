/* encoder_table: tables of the encoder's networks (see encoder_table.h). */
#include "voxel/encoder_table.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

enum { GROUPS = 8, FEATURES_OUT = 64, FEW_OUT = 16, FEW = 8, STEM_SIDE = 5 }; /* FEW features become FEW_OUT channels */

const encoder_design_t encoder_default = {
    .side = 32, .width = {32, 64, 128}, .blocks = 2, .features = 154, .hidden = 384, .d = 256};

static void conv(FILE *f, const char *name, size_t out, const char *more)
{
    fprintf(f, "{\"op\": \"conv\", \"name\": \"%s\", \"out\": %zu%s, \"bias\": false},\n", name, out, more);
}

static void norm(FILE *f, const char *name)
{
    fprintf(f, "{\"op\": \"groupnorm\", \"name\": \"%s_norm\", \"groups\": %d},\n", name, GROUPS);
}

/* Residual block: on the result called `in`, giving the result called `name`. */
static void block(FILE *f, const char *name, size_t out, const char *in)
{
    for (int k = 1; k <= 2; k++) {
        fprintf(f, "{\"op\": \"conv\", \"name\": \"%s_conv%d\", \"out\": %zu, \"side\": 3, \"bias\": false},\n", name, k, out);
        fprintf(f, "{\"op\": \"groupnorm\", \"name\": \"%s_norm%d\", \"groups\": %d},\n", name, k, GROUPS);
        fprintf(f, k == 1 ? "{\"op\": \"relu\"},\n" : "{\"op\": \"add\", \"with\": \"%s\"},\n", in);
    }
    fprintf(f, "{\"op\": \"relu\", \"as\": \"%s\"},\n", name);
}

/* Stem and stages; `last` becomes the name of the result. */
static void trunk(FILE *f, const encoder_design_t *o, char last[32])
{
    char more[64], name[32];
    snprintf(more, sizeof more, ", \"from\": \"cube\", \"side\": %d, \"stride\": 2", STEM_SIDE);
    for (size_t s = 0; s < ENCODER_STAGES && o->width[s]; s++) {
        if (s)
            snprintf(last, 32, "down%zu", s);
        else
            snprintf(last, 32, "stem");
        conv(f, last, o->width[s], s ? ", \"side\": 3, \"stride\": 2" : more);
        norm(f, last);
        fprintf(f, "{\"op\": \"relu\", \"as\": \"%s\"},\n", last);
        for (size_t b = 1; b <= o->blocks; b++) {
            snprintf(name, sizeof name, "s%zub%zu", s + 1, b);
            block(f, name, o->width[s], last);
            snprintf(last, 32, "%s", name);
        }
    }
}

static void head(FILE *f, const encoder_design_t *o, const char *last)
{
    const char *all = o->posed ? "flat" : "mean";
    fputs(o->posed ? "{\"op\": \"flatten\", \"as\": \"flat\"},\n" : "{\"op\": \"pool\", \"kind\": \"mean\", \"as\": \"mean\"},\n", f);
    fprintf(f, "{\"op\": \"pool\", \"kind\": \"max\", \"from\": \"%s\", \"as\": \"max\"},\n", last);
    if (o->features) {
        fputs("{\"op\": \"batchnorm\", \"name\": \"features_norm\", \"from\": \"features\"},\n", f);
        fprintf(f, "{\"op\": \"linear\", \"name\": \"features_fc\", \"out\": %d},\n", o->features > FEW ? FEATURES_OUT : FEW_OUT);
        fputs("{\"op\": \"relu\", \"as\": \"invariants\"},\n", f);
    }
    fprintf(f, "{\"op\": \"concat\", \"from\": \"%s\", \"with\": [\"max\"%s]},\n", all, o->features ? ", \"invariants\"" : "");
    fprintf(f, "{\"op\": \"linear\", \"name\": \"fc1\", \"out\": %zu},\n{\"op\": \"relu\"},\n", o->hidden);
    fprintf(f, "{\"op\": \"linear\", \"name\": \"fc2\", \"out\": %zu%s},\n", o->d, o->posed ? ", \"as\": \"deep\"" : "");
    if (o->posed) {
        fputs("{\"op\": \"flatten\", \"from\": \"cube\"},\n", f);
        fputs("{\"op\": \"layernorm\", \"name\": \"skip_norm\"},\n", f);
        fprintf(f, "{\"op\": \"linear\", \"name\": \"skip_fc\", \"out\": %zu, \"bias\": false},\n", o->d);
        fputs("{\"op\": \"add\", \"with\": \"deep\"},\n", f);
    }
    fputs("{\"op\": \"l2norm\"}]}", f);
}

static int check(const encoder_design_t *o, err_t *err)
{
    size_t stages = 0;
    while (stages < ENCODER_STAGES && o->width[stages]) stages++;
    for (size_t s = 0; s < stages; s++)
        if (o->width[s] % GROUPS || o->width[s] > 4096)
            return err_set(err, ERR_RANGE, "network: width %zu (a multiple of %d, up to 4096)", o->width[s], GROUPS);
    if (!stages || o->blocks < 1 || o->blocks > ENCODER_BLOCKS_MAX || !o->hidden || !o->d)
        return err_set(err, ERR_RANGE, "network: %zu stages of %zu blocks, hidden %zu, embedding %zu (1 or more, blocks up to %d)",
                       stages, o->blocks, o->hidden, o->d, ENCODER_BLOCKS_MAX);
    return 0;
}

char *encoder_table(const encoder_design_t *o, err_t *err)
{
    char *text = NULL, *copy = NULL, last[32] = "";
    size_t n = 0;
    if (check(o, err)) return NULL;
    FILE *f = open_memstream(&text, &n);
    if (!f) {
        err_set(err, ERR_NOMEM, "memory: a table");
        return NULL;
    }
    fprintf(f, "{\"inputs\": {\"cube\": [1, %zu, %zu, %zu]", o->side, o->side, o->side);
    if (o->features) fprintf(f, ", \"features\": [%zu]", o->features);
    fputs("},\n\"layers\": [\n", f);
    trunk(f, o, last);
    head(f, o, last);
    bool bad = ferror(f);
    if (fclose(f) || bad)
        err_set(err, ERR_NOMEM, "memory: a table");
    else
        copy = mem_str(text, err);
    free(text);
    return copy;
}

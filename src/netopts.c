/* netopts: which network (see netopts.h). */
#include "src/netopts.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "voxel/encoder_table.h"

enum { TABLE_MAX = 16 << 20 }; /* bytes */

const opt_t netopts_rows[] = {
    {0, "side", OPT_INT, offsetof(netopts_t, side), "N", 16, 64, NULL, "24",
     "Side of the cube that the network takes, voxels, even. The cube keeps its Fourier shells 0 to 9, which 24 holds as well "
     "as 32 does, at 42 % of the cost"},
    {0, "width", OPT_STR, offsetof(netopts_t, width), "LIST", 0, 0, NULL, "32,64,128",
     "Channels of the stages, each at half the side of the one before; multiples of 8"},
    {0, "blocks", OPT_INT, offsetof(netopts_t, blocks), "N", 1, ENCODER_BLOCKS_MAX, NULL, "2", "Residual blocks of a stage"},
    {0, "dim", OPT_INT, offsetof(netopts_t, dim), "N", 2, 4096, NULL, "256", "Numbers of an embedding"},
    {0, "features", OPT_STR, offsetof(netopts_t, features), "LIST", 0, 0, NULL, "log_rg",
     "What is fed in beside the cube, in order: some of log_rg (1 number), profile (32), zernike (121); or none"},
    {0, "head", OPT_CHOICE, offsetof(netopts_t, head), NULL, 0, 0, "posed|pooled", "posed",
     "posed: keeps where things are in the cube, and compares cubes from the start, for embeddings of one pose; pooled: mean and "
     "maximum of the channels, for embeddings over frames"},
    {0, "table", OPT_STR, offsetof(netopts_t, table), "FILE", 0, 0, NULL, NULL,
     "Table of the network (JSON) instead of side, width, blocks and dim"},
    {0},
};

char *netopts_table(const char *path, err_t *err)
{
    size_t n;
    char *s = (char *)file_read(path, TABLE_MAX, &n, err);
    while (s && n && isspace((unsigned char)s[n - 1])) s[--n] = 0;
    if (!s || n) return s;
    err_set(err, ERR_FORMAT, "%s: empty", path);
    mem_free(s);
    return NULL;
}

int netopts_features(const char *cmd, const char *list, feature_t part[FEATURE_KINDS], err_t *err)
{
    int n = 0;
    if (!strcmp(list, "none")) return 0;
    for (const char *p = list;; p++) {
        size_t len = strcspn(p, ",");
        int f = 0;
        while (f < FEATURE_KINDS &&
               (strlen(feature_name((feature_t)f)) != len || memcmp(p, feature_name((feature_t)f), len) != 0))
            f++;
        if (f == FEATURE_KINDS)
            return err_set(err, ERR_USAGE, "%s: --features %s: a list of some of log_rg, profile, zernike, or none, is wanted",
                           cmd, list);
        for (int k = 0; k < n; k++)
            if (part[k] == (feature_t)f)
                return err_set(err, ERR_USAGE, "%s: --features %s: %s twice", cmd, list, feature_name((feature_t)f));
        part[n++] = (feature_t)f;
        p += len;
        if (!*p) return n;
    }
}

static int read_width(const char *cmd, const char *list, encoder_design_t *d, err_t *err)
{
    size_t n = 0;
    const char *p = list;
    while (n < ENCODER_STAGES) {
        char *end;
        unsigned long w = isdigit((unsigned char)*p) ? strtoul(p, &end, 10) : 0;
        if (!w || w > 4096 || w % 8) break;
        d->width[n++] = w;
        if (!*end) return 0;
        if (*end != ',') break;
        p = end + 1;
    }
    return err_set(err, ERR_USAGE, "%s: --width %s: one to %d numbers with commas, multiples of 8 up to 4096, are wanted", cmd, list,
                   ENCODER_STAGES);
}

encoder_t *netopts_encoder(const netopts_t *o, const char *cmd, err_t *err)
{
    encoder_design_t d = encoder_default;
    feature_t part[FEATURE_KINDS];
    encoder_t *e = NULL;
    int parts = netopts_features(cmd, o->features, part, err);
    memset(d.width, 0, sizeof d.width);
    if (parts < 0 || read_width(cmd, o->width, &d, err)) return NULL;
    d.side = (size_t)o->side;
    d.posed = !o->head;
    if (d.posed) d.hidden = 512;
    d.blocks = (size_t)o->blocks;
    d.d = (size_t)o->dim;
    d.features = 0;
    for (int i = 0; i < parts; i++) d.features += feature_size(part[i]);
    if (d.side % 2) {
        err_set(err, ERR_USAGE, "%s: --side %ld: an even number is wanted", cmd, o->side);
        return NULL;
    }
    char *table = o->table ? netopts_table(o->table, err) : encoder_table(&d, err);
    if (table && !(e = encoder_new(table, part, (size_t)parts, err)) && o->table) err_prefix(err, o->table);
    mem_free(table);
    return e;
}

/* head: the bytes of an MRC header to fields, and what the fields mean (see head.h). MRC2014, Cheng et al. 2015. */
#include "mrc/head.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

uint32_t head_word(const unsigned char *b, bool big)
{
    return big ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]
               : (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
}

static int32_t get_i32(const unsigned char *b, bool big) { return (int32_t)head_word(b, big); }

static float get_f32(const unsigned char *b, bool big)
{
    uint32_t u = head_word(b, big);
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

void head_put_i32(unsigned char *b, size_t at, int32_t x)
{
    for (int k = 0; k < 4; k++) b[at + (size_t)k] = (unsigned char)((uint32_t)x >> (8 * k));
}

void head_put_f32(unsigned char *b, size_t at, float x)
{
    int32_t i;
    memcpy(&i, &x, sizeof i);
    head_put_i32(b, at, i);
}

static void get_i32s(int32_t *out, const unsigned char *b, bool big)
{
    for (int k = 0; k < 3; k++) out[k] = get_i32(b + 4 * k, big);
}

static void get_f32s(float *out, const unsigned char *b, bool big)
{
    for (int k = 0; k < 3; k++) out[k] = get_f32(b + 4 * k, big);
}

/* Text of a label: up to a NUL, trailing blanks cut, control characters as blanks. */
static void get_label(char *out, const unsigned char *b)
{
    size_t n = 0;
    while (n < HEAD_LABEL && b[n]) n++;
    while (n && b[n - 1] == ' ') n--;
    for (size_t i = 0; i < n; i++) out[i] = (char)(b[i] < 0x20 || b[i] == 0x7f ? ' ' : b[i]);
    out[n] = 0;
}

static void parse_as(const unsigned char *b, bool big, mrc_header_t *h)
{
    *h = (mrc_header_t){.big_endian = big, .codec = "none", .volumes = 1, .file_bytes = SIZE_MAX};
    get_i32s(h->n, b + AT_N, big);
    h->mode = get_i32(b + AT_MODE, big);
    get_i32s(h->nstart, b + AT_NSTART, big);
    get_i32s(h->m, b + AT_M, big);
    get_f32s(h->cella, b + AT_CELLA, big);
    get_f32s(h->cellb, b + AT_CELLB, big);
    get_i32s(h->mapcrs, b + AT_MAPCRS, big);
    h->dmin = get_f32(b + AT_DMIN, big);
    h->dmax = get_f32(b + AT_DMIN + 4, big);
    h->dmean = get_f32(b + AT_DMIN + 8, big);
    h->ispg = get_i32(b + AT_ISPG, big);
    h->nsymbt = get_i32(b + AT_NSYMBT, big);
    bool text = true;
    for (int k = 0; k < 4; k++) text = text && b[AT_EXTTYP + k] >= 0x20 && b[AT_EXTTYP + k] < 0x7f;
    if (text) memcpy(h->exttyp, b + AT_EXTTYP, 4);
    h->nversion = get_i32(b + AT_NVERSION, big);
    h->imod_stamp = get_i32(b + AT_IMOD, big);
    h->imod_flags = get_i32(b + AT_IMOD + 4, big);
    get_f32s(h->origin, b + AT_ORIGIN, big);
    memcpy(h->map, b + AT_MAP, 4);
    memcpy(h->stamp, b + AT_STAMP, 4);
    h->rms = get_f32(b + AT_RMS, big);
    h->nlabl = get_i32(b + AT_NLABL, big);
    for (int k = 0; k < HEAD_LABELS; k++) get_label(h->label[k], b + AT_LABEL + HEAD_LABEL * k);
}

static const struct {
    int mode;
    const char *name;
    size_t bits; /* of a voxel */
    bool density;
} modes[] = {
    {0, "int8", 8, true},    {1, "int16", 16, true},    {2, "float32", 32, true},
    {3, "complex int16", 32, false}, {4, "complex float32", 64, false}, {6, "uint16", 16, true},
    {12, "float16", 16, true}, {16, "RGB bytes", 24, false}, {101, "4-bit", 4, true},
};

static int mode_row(int mode)
{
    for (int k = 0; k < (int)(sizeof modes / sizeof *modes); k++)
        if (modes[k].mode == mode) return k;
    return -1;
}

const char *head_mode_name(int mode)
{
    int k = mode_row(mode);
    return k < 0 ? NULL : modes[k].name;
}

bool head_is_density(int mode)
{
    int k = mode_row(mode);
    return k >= 0 && modes[k].density;
}

size_t head_row_bytes(int mode, size_t nx)
{
    int k = mode_row(mode);
    return k < 0 ? 0 : (nx * modes[k].bits + 7) / 8;
}

bool head_is_permutation(const int32_t *a)
{
    unsigned seen = 0;
    for (int k = 0; k < 3; k++)
        if (a[k] >= 1 && a[k] <= 3) seen |= 1u << a[k];
    return seen == 14;
}

static bool no_axes(const int32_t *a) { return !a[0] && !a[1] && !a[2]; }

/* No side up to 32768 makes sense in both byte orders, so at most one order can reach 7. */
int head_sense(const mrc_header_t *h)
{
    int s = 0;
    for (int k = 0; k < 3; k++) s += h->n[k] >= 1 && h->n[k] <= VOL_SIDE_MAX;
    s += mode_row(h->mode) >= 0;
    return s + (head_is_permutation(h->mapcrs) || no_axes(h->mapcrs) ? 3 : 0);
}

bool head_has_map(const mrc_header_t *h) { return !memcmp(h->map, "MAP", 3) && (h->map[3] == ' ' || !h->map[3]); }

bool head_stamp_order(const mrc_header_t *h, bool *big)
{
    *big = h->stamp[0] == 0x11 && h->stamp[1] == 0x11;
    return *big || (h->stamp[0] == 0x44 && (h->stamp[1] == 0x44 || h->stamp[1] == 0x41));
}

void head_parse(const unsigned char *b, mrc_header_t *h)
{
    mrc_header_t other;
    bool big;
    parse_as(b, false, h);
    parse_as(b, true, &other);
    int a = head_sense(h), c = head_sense(&other);
    if (c > a || (c == a && head_stamp_order(h, &big) && big)) *h = other;
}

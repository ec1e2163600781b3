/* mrcfile: MRC files made in memory, for the tests of mrc/. */
#ifndef CRYOLEX_TESTS_MRCFILE_H
#define CRYOLEX_TESTS_MRCFILE_H

#include "tests/test.h"

/* What to make; mrcfile_good() is a 5 x 4 x 3 float32 map with nothing wrong. */
typedef struct {
    int mode, crs[3]; /* MAPC MAPR MAPS, from 1 */
    bool big;
    size_t size[3]; /* along x, y, z */
    size_t ext;     /* bytes of extended header */
    float angle[3];
} mrcfile_t;

static inline mrcfile_t mrcfile_good(void)
{
    return (mrcfile_t){.mode = 2, .crs = {1, 2, 3}, .size = {5, 4, 3}, .angle = {90, 90, 90}};
}

static inline void poke32(unsigned char *b, size_t at, uint32_t u, bool big)
{
    for (size_t k = 0; k < 4; k++) b[at + k] = (unsigned char)(u >> 8 * (big ? 3 - k : k));
}

static inline void pokef(unsigned char *b, size_t at, float f, bool big)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    poke32(b, at, u, big);
}

static inline void poke16(unsigned char *b, size_t at, unsigned u, bool big)
{
    b[at] = (unsigned char)(big ? u >> 8 : u);
    b[at + 1] = (unsigned char)(big ? u : u >> 8);
}

/* The value at (x,y,z): whole, exact in every mode, different for each of up to 15 neighbours. */
static inline int mrcfile_value(int mode, size_t x, size_t y, size_t z)
{
    int v = (int)(x + 7 * y + 31 * z) % 113;
    return mode == 101 ? v % 16 : mode == 6 ? 300 * v : mode == 0 ? v - 56 : 100 * (v - 56);
}

/* Whole numbers up to 2048 x 8 as binary16. */
static inline unsigned mrcfile_half(int v)
{
    unsigned sign = v < 0 ? 0x8000u : 0, a = (unsigned)abs(v), e = 25;
    if (!a) return 0;
    while (a < 1024) a <<= 1, e--;
    while (a >= 2048) a >>= 1, e++;
    return sign | e << 10 | (a & 1023);
}

static inline size_t mrcfile_row(int mode, size_t nx)
{
    return mode == 101 ? (nx + 1) / 2 : nx * (mode == 0 ? 1 : mode == 2 ? 4 : 2);
}

static inline void mrcfile_header(unsigned char *b, const mrcfile_t *m, const size_t *n)
{
    for (size_t k = 0; k < 3; k++) {
        poke32(b, 4 * k, (uint32_t)n[k], m->big);
        poke32(b, 28 + 4 * k, (uint32_t)m->size[k], m->big);
        pokef(b, 40 + 4 * k, (float)m->size[k] * (1.5f + (float)k), m->big); /* voxel 1.5, 2.5, 3.5 */
        pokef(b, 52 + 4 * k, m->angle[k], m->big);
        poke32(b, 64 + 4 * k, (uint32_t)m->crs[k], m->big);
        poke32(b, 16 + 4 * k, (uint32_t)(m->crs[k] * 2), m->big); /* NSTART 2, 4, 6 along x, y, z */
    }
    poke32(b, 12, (uint32_t)m->mode, m->big);
    poke32(b, 88, 1, m->big);
    poke32(b, 92, (uint32_t)m->ext, m->big);
    poke32(b, 108, 20140, m->big);
    memcpy(b + 208, "MAP ", 4);
    b[212] = b[213] = m->big ? 0x11 : 0x44;
    poke32(b, 220, 1, m->big);
    memcpy(b + 224, "a label", 7);
}

/* The bytes of the file; free with free(). */
static inline unsigned char *mrcfile_make(const mrcfile_t *m, size_t *bytes)
{
    size_t n[3], row, at[3];
    for (size_t k = 0; k < 3; k++) n[k] = m->size[m->crs[k] - 1];
    row = mrcfile_row(m->mode, n[0]);
    *bytes = 1024 + m->ext + row * n[1] * n[2];
    unsigned char *b = calloc(*bytes, 1);
    assert_non_null(b);
    mrcfile_header(b, m, n);
    for (size_t s = 0; s < n[2]; s++)
        for (size_t r = 0; r < n[1]; r++)
            for (size_t c = 0; c < n[0]; c++) {
                unsigned char *p = b + 1024 + m->ext + (s * n[1] + r) * row;
                at[m->crs[0] - 1] = c, at[m->crs[1] - 1] = r, at[m->crs[2] - 1] = s;
                int v = mrcfile_value(m->mode, at[0], at[1], at[2]);
                switch (m->mode) {
                case 0: p[c] = (unsigned char)v; break;
                case 1:
                case 6: poke16(p, 2 * c, (unsigned)v & 0xffff, m->big); break;
                case 12: poke16(p, 2 * c, mrcfile_half(v), m->big); break;
                case 101: p[c / 2] |= (unsigned char)(v << (c % 2 ? 4 : 0)); break;
                default: pokef(p, 4 * c, (float)v, m->big);
                }
            }
    return b;
}

#endif

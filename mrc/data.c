/* data: raw voxels to float32 and back (see data.h). */
#include "mrc/data.h"

#include <assert.h>
#include <string.h>

bool raw_big_machine(void)
{
    const uint16_t one = 1;
    unsigned char b;
    memcpy(&b, &one, 1);
    return b == 0;
}

static const struct {
    size_t bytes;
    const char *name;
} kinds[] = {
    [RAW_INT8] = {1, "int8"},       [RAW_UINT8] = {1, "uint8"},     [RAW_INT16] = {2, "int16"},     [RAW_UINT16] = {2, "uint16"},
    [RAW_INT32] = {4, "int32"},     [RAW_UINT32] = {4, "uint32"},   [RAW_INT64] = {8, "int64"},     [RAW_UINT64] = {8, "uint64"},
    [RAW_FLOAT16] = {2, "float16"}, [RAW_FLOAT32] = {4, "float32"}, [RAW_FLOAT64] = {8, "float64"}, [RAW_NIBBLE] = {0, "4-bit"},
};

size_t raw_bytes(raw_t kind) { return kinds[kind].bytes; }

const char *raw_name(raw_t kind) { return kinds[kind].name; }

raw_t raw_of_mode(int mode, bool mode0_unsigned)
{
    switch (mode) {
    case 0: return mode0_unsigned ? RAW_UINT8 : RAW_INT8;
    case 1: return RAW_INT16;
    case 2: return RAW_FLOAT32;
    case 6: return RAW_UINT16;
    case 12: return RAW_FLOAT16;
    default: assert(mode == 101); return RAW_NIBBLE;
    }
}

bool raw_is_native(raw_t kind, bool big_endian) { return kind == RAW_FLOAT32 && big_endian == raw_big_machine(); }

static uint16_t half_word(const unsigned char *p, bool swap)
{
    uint16_t u;
    memcpy(&u, p, sizeof u);
    if (swap) u = (uint16_t)((u >> 8 | u << 8) & 0xffff);
    return u;
}

/* IEEE 754 binary16 to binary32 with integer steps only, so that the loop vectorises. */
static inline uint32_t half_bits(uint32_t h)
{
    uint32_t sign = (h & 0x8000u) << 16, exp = h >> 10 & 31, man = h & 0x3ffu;
    if (exp == 31) return sign | 0x7f800000u | man << 13;
    if (exp) return sign | (exp + 112) << 23 | man << 13;
    float f = (float)man * 0x1p-24f; /* zero and subnormals: exact */
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return sign | u;
}

float raw_half_to_float(uint16_t h)
{
    uint32_t u = half_bits(h);
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

uint16_t raw_float_to_half(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    uint32_t sign = u >> 16 & 0x8000u, a = u & 0x7fffffffu;
    if (a > 0x7f800000u) return (uint16_t)(sign | 0x7e00u | (a >> 13 & 0x1ffu));
    if (a >= 0x477ff000u) return (uint16_t)(sign | 0x7c00u); /* 65520 and more */
    if (a < 0x38800000u) {                                   /* below 2^-14: a multiple of 2^-24 */
        uint32_t shift = 126 - (a >> 23), man = (a & 0x7fffffu) | 0x800000u;
        if (shift > 24) return (uint16_t)sign;
        uint32_t q = man >> shift, rest = man & ((1u << shift) - 1), halfway = 1u << (shift - 1);
        return (uint16_t)(sign | (q + (rest > halfway || (rest == halfway && (q & 1)))));
    }
    uint32_t q = (a - 0x38000000u) >> 13, rest = a & 0x1fffu;
    return (uint16_t)(sign | (q + (rest > 0x1000u || (rest == 0x1000u && (q & 1)))));
}

static void from_float32(const unsigned char *raw, float *out, size_t n, bool swap)
{
    if (!swap) {
        memcpy(out, raw, 4 * n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t u;
        memcpy(&u, raw + 4 * i, sizeof u);
        u = u >> 24 | (u >> 8 & 0xff00u) | (u << 8 & 0xff0000u) | u << 24;
        memcpy(out + i, &u, sizeof u);
    }
}

static uint64_t long_word(const unsigned char *p, size_t bytes, bool swap)
{
    unsigned char b[8];
    for (size_t k = 0; k < bytes; k++) b[k] = p[swap ? bytes - 1 - k : k];
    uint32_t four;
    uint64_t eight;
    memcpy(&four, b, sizeof four);
    if (bytes == 4) return four;
    memcpy(&eight, b, sizeof eight);
    return eight;
}

static float from_long(raw_t kind, const unsigned char *p, bool swap)
{
    uint64_t u = long_word(p, raw_bytes(kind), swap);
    double d;
    switch (kind) {
    case RAW_INT32: return (float)(int32_t)(uint32_t)u;
    case RAW_UINT32: return (float)(uint32_t)u;
    case RAW_INT64: return (float)(int64_t)u;
    case RAW_UINT64: return (float)u;
    default: memcpy(&d, &u, sizeof d); return (float)d;
    }
}

static void from_half(const unsigned char *raw, float *out, size_t n, bool swap)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t u = half_bits(half_word(raw + 2 * i, swap));
        memcpy(out + i, &u, sizeof u);
    }
}

void raw_to_float(raw_t kind, bool big_endian, const unsigned char *raw, float *out, size_t n)
{
    bool swap = big_endian != raw_big_machine();
    switch (kind) {
    case RAW_INT8:
        for (size_t i = 0; i < n; i++) out[i] = (float)(int8_t)raw[i];
        break;
    case RAW_UINT8:
        for (size_t i = 0; i < n; i++) out[i] = (float)raw[i];
        break;
    case RAW_INT16:
        for (size_t i = 0; i < n; i++) out[i] = (float)(int16_t)half_word(raw + 2 * i, swap);
        break;
    case RAW_UINT16:
        for (size_t i = 0; i < n; i++) out[i] = (float)half_word(raw + 2 * i, swap);
        break;
    case RAW_FLOAT32: from_float32(raw, out, n, swap); break;
    case RAW_FLOAT16: from_half(raw, out, n, swap); break;
    case RAW_INT32:
    case RAW_UINT32:
    case RAW_INT64:
    case RAW_UINT64:
    case RAW_FLOAT64:
        for (size_t i = 0; i < n; i++) out[i] = from_long(kind, raw + raw_bytes(kind) * i, swap);
        break;
    case RAW_NIBBLE:
        for (size_t i = 0; i < n; i++) out[i] = (float)(raw[i / 2] >> (i % 2 ? 4 : 0) & 15);
        break;
    }
}

static void put_half_word(unsigned char *p, uint16_t u, bool big)
{
    p[big] = (unsigned char)u;
    p[!big] = (unsigned char)(u >> 8);
}

static void to_float32(const float *x, unsigned char *raw, size_t n, bool swap)
{
    memcpy(raw, x, 4 * n);
    for (size_t i = 0; swap && i < n; i++) {
        unsigned char *p = raw + 4 * i, a = p[0], b = p[1];
        p[0] = p[3], p[1] = p[2], p[2] = b, p[3] = a;
    }
}

void raw_from_float(raw_t kind, bool big_endian, const float *x, unsigned char *raw, size_t n)
{
    switch (kind) {
    case RAW_INT8:
    case RAW_UINT8:
        for (size_t i = 0; i < n; i++) raw[i] = (unsigned char)(int32_t)x[i];
        break;
    case RAW_INT16:
    case RAW_UINT16:
        for (size_t i = 0; i < n; i++) put_half_word(raw + 2 * i, (uint16_t)(int32_t)x[i], big_endian);
        break;
    case RAW_FLOAT16:
        for (size_t i = 0; i < n; i++) put_half_word(raw + 2 * i, raw_float_to_half(x[i]), big_endian);
        break;
    default: assert(kind == RAW_FLOAT32); to_float32(x, raw, n, big_endian != raw_big_machine());
    }
}

size_t raw_count_bad(const float *x, size_t n)
{
    size_t bad = 0;
    while (n) { /* 32-bit counters vectorise */
        size_t m = n < 1u << 20 ? n : 1u << 20;
        uint32_t c = 0;
        for (size_t i = 0; i < m; i++) {
            uint32_t u;
            memcpy(&u, x + i, sizeof u);
            c += (u & 0x7f800000u) == 0x7f800000u;
        }
        bad += c;
        x += m;
        n -= m;
    }
    return bad;
}

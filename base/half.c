/* half: IEEE 754 binary16 (see half.h): 1 sign, 5 exponent (bias 15), 10 fraction. */
#include "base/half.h"

#include <math.h>
#include <string.h>

static uint16_t pack(float x)
{
    uint32_t u, sign;
    memcpy(&u, &x, sizeof u);
    sign = u >> 16 & 0x8000;
    u &= 0x7fffffff;
    if (u > 0x7f800000) return (uint16_t)(sign | 0x7e00); /* NaN */
    if (u >= 0x47800000) return (uint16_t)(sign | 0x7c00); /* 2^16 and more */
    if (u < 0x38800000) /* below 2^-14: a multiple of 2^-24 */
        return (uint16_t)(sign | (uint32_t)lrintf(fabsf(x) * 0x1p24f));
    u += 0xfff + (u >> 13 & 1); /* round; a carry goes into the exponent, as it should */
    return (uint16_t)(sign | (u - (112u << 23)) >> 13);
}

static float unpack(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, e = h >> 10 & 31, m = h & 0x3ff, u;
    float x = (float)m * 0x1p-24f; /* zero and denormals */
    if (!e) return sign ? -x : x;
    u = sign | (e == 31 ? 0x7f800000 : (e + 112) << 23) | m << 13;
    memcpy(&x, &u, sizeof x);
    return x;
}

void half_pack(const float *x, size_t n, uint16_t *out)
{
    for (size_t i = 0; i < n; i++) out[i] = pack(x[i]);
}

void half_unpack(const uint16_t *h, size_t n, float *out)
{
    for (size_t i = 0; i < n; i++) out[i] = unpack(h[i]);
}

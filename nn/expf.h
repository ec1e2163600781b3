/* expf: exp in float32, inline, in a form that the compiler turns into vectors. */
#ifndef CRYOLEX_NN_EXPF_H
#define CRYOLEX_NN_EXPF_H

#include <stdint.h>
#include <string.h>

/* exp(x), relative error at most 1e-7, for x in -87..88; 0 below, including -inf; NaN for NaN; x above 88 as 88.
 * x = n ln 2 + r, |r| <= ln 2 / 2; exp(r) = 1 + r + r^2 p(r), p the minimax polynomial of degree 4 (error 8e-9). */
static inline float exp_float(float x)
{
    const float magic = 12582912.0f; /* 1.5 * 2^23: adding it rounds to a whole number, left in the low bits */
    float c = x > 88.0f ? 88.0f : x, t = c * 1.44269504f + magic, n = t - magic;
    float r = c - n * 0.693359375f + n * 2.12194440e-4f; /* ln 2 in two parts, the first exact in 10 bits */
    float p = 0.00139263261f * r + 0.00836329255f, s, y;
    uint32_t bits;
    p = p * r + 0.0416665524f;
    p = p * r + 0.166665763f;
    p = p * r + 0.5f;
    y = p * r * r + r + 1.0f;
    memcpy(&bits, &t, sizeof bits);
    bits = (bits + 127u) << 23; /* 2^n */
    memcpy(&s, &bits, sizeof s);
    return x < -87.0f ? 0.0f : y * s;
}

#endif

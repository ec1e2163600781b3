/* fmath: exp and the normal distribution's integral without branches, for loops that the compiler turns into vectors.
 * Errors were measured against double over all that matters (tests/test_ops.c). */
#ifndef CRYOLEX_NN_FMATH_H
#define CRYOLEX_NN_FMATH_H

#include <stdint.h>
#include <string.h>

/* e^x with a relative error below 3e-7; x below -87 counts as -87, above 88 as 88. NaN stays NaN. */
static inline float fmath_exp(float x)
{
    x = x < -87.0f ? -87.0f : x;
    x = x > 88.0f ? 88.0f : x;
    float t = x * 1.44269504f + 12582912.0f; /* 1.5 2^23: the integer ends up in the low bits */
    float n = t - 12582912.0f;
    float r = (x - n * 0.693359375f) - n * -2.12194440e-4f; /* ln 2 in two parts (Cody and Waite) */
    float p = 1.0f + r * (1.0f + r * (0.5f + r * (1.6666667e-1f + r * (4.1666667e-2f + r * (8.3333333e-3f + r * 1.3888889e-3f)))));
    int32_t i;
    float two;
    memcpy(&i, &t, sizeof i);
    i = (int32_t)((uint32_t)(i - 0x4b400000 + 127) << 23);
    memcpy(&two, &i, sizeof two);
    return p * two;
}

/* erf x with an absolute error below 2e-7. Own fits at Chebyshev nodes: erf(t)/t over [0,1], -log erfc(t) over [1,4]. */
static inline float fmath_erf(float x)
{
    float t = x < 0 ? -x : x, s = t * t;
    t = t > 4.0f ? 4.0f : t;
    float a = 1.1283792f + s * (-0.37612638f + s * (0.11283783f + s * (-0.026865438f +
              s * (0.0052210535f + s * (-8.4843964e-4f + s * (1.1268254e-4f + s * -9.67359e-6f))))));
    float b = 6.8302016e-4f + t * (1.1261429f + t * (0.6388381f + t * (0.10347412f +
              t * (-0.022673944f + t * (0.0034461918f + t * (-3.1834346e-4f + t * 1.332607e-5f))))));
    float e = t < 1.0f ? a * t : 1.0f - fmath_exp(-b);
    return x < 0 ? -e : e;
}

static inline float fmath_silu(float x) { return x / (1.0f + fmath_exp(-x)); }
static inline float fmath_silu_slope(float x)
{
    float s = 1.0f / (1.0f + fmath_exp(-x));
    return s * (1.0f + x * (1.0f - s));
}
/* x Phi(x), Phi by erf, with an error below 1e-7 and a unit in the last place: max(x, 0) - |x| Phi(-|x|). Own fit of -log2 Phi(-t)
 * over [0,6], weighted so that the error of the product is even (6e-8); beyond, t counts as 6, where Phi(-t) is 1e-9. */
static inline float fmath_gelu(float x)
{
    float t = x < 0 ? -x : x, s = t > 6.0f ? 6.0f : t;
    float q = 0.999996185f + s * (1.15116262f + s * (0.458929181f + s * (0.0531225912f + s * (-0.00780976471f +
              s * (6.3553272e-4f + s * (-2.0870315e-7f + s * -3.15920715e-6f))))));
    float n = 12582912.0f - q, r = (12582912.0f - n) - q; /* 2^-q = 2^r 2^whole, |r| <= 1/2 */
    float p = 1.0f + r * (0.693147004f + r * (0.240222424f + r * (0.0555073358f + r * (0.00967151299f + r * 0.00132647273f))));
    int32_t i;
    float two;
    memcpy(&i, &n, sizeof i);
    i = (int32_t)((uint32_t)(i - 0x4b400000 + 127) << 23);
    memcpy(&two, &i, sizeof two);
    return (x < 0 ? 0.0f : x) - s * (p * two);
}
static inline float fmath_gelu_slope(float x)
{
    return 0.5f * (1.0f + fmath_erf(x * 0.70710678f)) + x * 0.39894228f * fmath_exp(-0.5f * x * x);
}

#endif

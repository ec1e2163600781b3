/* pass: plain C, and the choice among the variants (see pass.h). */
#include "config.h"

#include "nn/pass.h"

const pass_t *pass_at(isa_t isa)
{
    switch (isa) {
    case ISA_VEC: return &pass_vec;
#ifdef HAVE_AVX2
    case ISA_AVX2: return &pass_avx2;
#endif
#ifdef HAVE_AVX512
    case ISA_AVX512: return &pass_avx512;
#endif
    default: return &pass_ref;
    }
}

static void moment(const float *x, size_t vox, size_t b, const float *m, int square, double *s)
{
    for (size_t l = 0; l < b; l++) {
        s[l] = 0;
        for (size_t v0 = 0; v0 < vox; v0 += PASS_PIECE) {
            float part = 0;
            for (size_t v = v0; v < vox && v < v0 + PASS_PIECE; v++) {
                float d = x[v * b + l] - (m ? m[l] : 0);
                part += square ? d * d : d;
            }
            s[l] += (double)part;
        }
    }
}

static void apply(const float *x, const float *scale, const float *shift, const float *add, int relu, size_t vox, size_t b,
                  float *y)
{
    for (size_t v = 0; v < vox; v++)
        for (size_t l = 0; l < b; l++) {
            float p = x[v * b + l];
            if (scale) p = p * scale[l] + shift[l];
            if (add) p += add[v * b + l];
            y[v * b + l] = relu && p < 0 ? 0 : p;
        }
}

static void back(float *d, const float *out, const float *x, const float *m, size_t vox, size_t b, float *dadd, int sum,
                 double *s, double *t)
{
    for (size_t i = 0; i < vox * b; i++) {
        if (out && out[i] <= 0) d[i] = 0;
        if (dadd) dadd[i] = sum ? dadd[i] + d[i] : d[i];
    }
    if (!x) return;
    moment(d, vox, b, NULL, 0, s);
    for (size_t l = 0; l < b; l++) {
        t[l] = 0;
        for (size_t v0 = 0; v0 < vox; v0 += PASS_PIECE) {
            float part = 0;
            for (size_t v = v0; v < vox && v < v0 + PASS_PIECE; v++) part += d[v * b + l] * (x[v * b + l] - m[l]);
            t[l] += (double)part;
        }
    }
}

static void back_x(const float *d, const float *x, const float *k, size_t vox, size_t b, float *dx, int sum)
{
    for (size_t v = 0; v < vox; v++)
        for (size_t l = 0; l < b; l++) {
            float g = d[v * b + l] * k[b + l] + (x[v * b + l] - k[l]) * k[2 * b + l] + k[3 * b + l];
            dx[v * b + l] = sum ? dx[v * b + l] + g : g;
        }
}

static void product(size_t m, size_t n, size_t kn, const float *a, size_t ars, size_t acs, const float *b, size_t bs, float *c,
                    size_t cs, int sum)
{
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++) {
            float s = 0;
            for (size_t k = 0; k < kn; k++) s += a[i * ars + k * acs] * b[k * bs + j];
            c[i * cs + j] = sum ? c[i * cs + j] + s : s;
        }
}

const pass_t pass_ref = {moment, apply, back, back_x, product};

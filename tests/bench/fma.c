/* fma: independent chains of multiply-adds in registers, for every instruction set that isa.h knows. */
#include "config.h"

#include "tests/bench/fma.h"

#include <time.h>

enum { CHAINS = 10, TURNS = 50000 };

typedef float four_t __attribute__((vector_size(16)));
typedef float eight_t __attribute__((vector_size(32)));
typedef float sixteen_t __attribute__((vector_size(64)));

/* Ten chains, each with its own start so that none is the same as another: two units of latency 4 or 5 are always busy. */
#define CHAINS_OF(name, type, target)                                                                                \
    target static float name(void)                                                                                   \
    {                                                                                                                \
        type f = {0.5f}, g = {0.25f}, a0 = f, a1 = g, a2 = f + f, a3 = f + g, a4 = g * g, a5 = a4 + f, a6 = a4 + g; \
        type a7 = a5 + f, a8 = a5 + g, a9 = a7 + f;                                                                  \
        for (int i = 0; i < TURNS; i++) {                                                                            \
            __asm__ volatile("" : "+x"(f), "+x"(g));                                                                 \
            a0 = a0 * f + g, a1 = a1 * f + g, a2 = a2 * f + g, a3 = a3 * f + g, a4 = a4 * f + g;                     \
            a5 = a5 * f + g, a6 = a6 * f + g, a7 = a7 * f + g, a8 = a8 * f + g, a9 = a9 * f + g;                     \
        }                                                                                                            \
        a0 += a1 + a2 + a3 + a4 + a5 + a6 + a7 + a8 + a9;                                                            \
        return a0[0];                                                                                                \
    }

CHAINS_OF(plain, four_t, )
#ifdef HAVE_AVX2
CHAINS_OF(avx2, eight_t, __attribute__((target("avx2,fma"))))
#endif
#ifdef HAVE_AVX512
CHAINS_OF(avx512, sixteen_t, __attribute__((target("avx2,fma,avx512f"))))
#endif

#define READ_OF(name, type, target)                                                       \
    target static float name(const float *p, size_t n)                                    \
    {                                                                                     \
        const type *q = (const type *)p, *end = (const type *)(p + n);                    \
        type a = {0}, b = a, c = a, d = a;                                                \
        float sum = 0;                                                                    \
        for (; q < end; q += 4) a += q[0], b += q[1], c += q[2], d += q[3];               \
        a += b + c + d;                                                                   \
        for (size_t i = 0; i < sizeof a / sizeof sum; i++) sum += a[i];                   \
        return sum;                                                                       \
    }

READ_OF(read_plain, four_t, )
#ifdef HAVE_AVX2
READ_OF(read_avx2, eight_t, __attribute__((target("avx2"))))
#endif

float fma_read(isa_t isa, const float *p, size_t n)
{
#ifdef HAVE_AVX2
    if (isa >= ISA_AVX2) return read_avx2(p, n);
#endif
    (void)isa;
    return read_plain(p, n);
}

double fma_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double fma_peak(isa_t isa)
{
    float (*run)(void) = plain;
    double width = 4, t;
#ifdef HAVE_AVX2
    if (isa == ISA_AVX2) run = avx2, width = 8;
#endif
#ifdef HAVE_AVX512
    if (isa == ISA_AVX512) run = avx512, width = 16;
#endif
    t = fma_clock();
    volatile float sink = run();
    (void)sink;
    return 2.0 * CHAINS * TURNS * width / (fma_clock() - t) * 1e-9;
}

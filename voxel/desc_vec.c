/* desc_vec: the loop of desc_kern in the compiler's vectors of KERN_VEC numbers. Compiled once for every instruction set, with KERN_VEC and
 * DESC_ENTRY given. */
#include "voxel/desc_kern.h"

#ifndef DESC_ENTRY
#define KERN_VEC 4 /* what every machine has, or the compiler makes up */
#define DESC_ENTRY desc_kern_vec
#define KERN_NAME "vec"
#endif

typedef int8_t bytes_t __attribute__((vector_size(KERN_VEC), aligned(1), may_alias));
typedef int32_t whole_t __attribute__((vector_size(KERN_VEC * sizeof(int32_t))));
typedef float loose_t __attribute__((vector_size(KERN_VEC * sizeof(float)), aligned(4), may_alias)); /* any address */

static void unpack(const int8_t *d, size_t n, float *x, int32_t sum[2])
{
    whole_t all = {0}, squares = {0};
    size_t i = 0;
    for (; i + KERN_VEC <= n; i += KERN_VEC) {
        const whole_t v = __builtin_convertvector(*(const bytes_t *)(d + i), whole_t);
        *(loose_t *)(x + i) = __builtin_convertvector(v, loose_t);
        all += v;
        squares += v * v;
    }
    desc_kern_ref.unpack(d + i, n - i, x + i, sum);
    for (int k = 0; k < KERN_VEC; k++) {
        sum[0] += all[k];
        sum[1] += squares[k];
    }
}

const desc_kern_t DESC_ENTRY = {KERN_NAME, unpack};

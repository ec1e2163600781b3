/* desc_kern: the inner loop of desc over bytes. The table's entries agree to the last bit. */
#ifndef CRYOLEX_VOXEL_DESC_KERN_H
#define CRYOLEX_VOXEL_DESC_KERN_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    const char *name;
    /* x (n): the bytes d (n) as floats; sum[0]: of them, sum[1]: of their squares. n at most 2^16. */
    void (*unpack)(const int8_t *d, size_t n, float *x, int32_t sum[2]);
    /* x (n): the bytes d (n) + 128; the same sums, of d. */
    void (*lift)(const int8_t *d, size_t n, uint8_t *x, int32_t sum[2]);
} desc_kern_t;

/* Entry i, best last, entry 0 plain C; NULL past the end or when this CPU cannot run it. */
const desc_kern_t *desc_kern_at(int i);
/* The best one; entry 0 when the environment has CRYOLEX_KERNEL=ref. */
const desc_kern_t *desc_kern(void);

/* The entries, one object each. */
extern const desc_kern_t desc_kern_ref, desc_kern_vec, desc_kern_avx2;

#endif

/* direct: convolution by its definition, all three passes; and how conv.c sees a way of computing them.
 * Letters and layouts are those of nn/conv.h. */
#ifndef CRYOLEX_NN_DIRECT_H
#define CRYOLEX_NN_DIRECT_H

#include "nn/conv.h"

typedef enum { CONV_WORK, CONV_PACKED, CONV_BACK, CONV_ACC, CONV_SLAB } convsize_t;

/* A way of computing; the functions do what those of nn/conv.h do that end in the same word. `plan` is what make()
 * returned; read only. The shape was checked by conv_new(). */
typedef struct {
    const char *name;
    void *(*make)(const convshape_t *s, isa_t isa, err_t *err); /* NULL: ERR_NOMEM */
    void (*drop)(void *plan);
    size_t (*size)(const void *plan, convsize_t what); /* floats; CONV_SLAB: planes */
    void (*pack)(const void *plan, const float *w, float *packed);
    void (*pack_back)(const void *plan, const float *w, float *back);
    void (*forward)(const void *plan, const float *packed, size_t n, const float *x, size_t xstep, float *y,
                    size_t ystep, size_t z0, size_t z1, const epilogue_t *e, float *work);
    void (*grad_data)(const void *plan, const float *back, size_t n, const float *dy, size_t ystep, float *dx,
                      size_t xstep, int sum, float *work);
    void (*grad_weight)(const void *plan, size_t n, const float *x, size_t xstep, const float *dy, size_t ystep,
                        float *acc, float *work);
    void (*grad_weight_end)(const void *plan, const float *acc, float *dw);
} convalg_t;

extern const convalg_t direct_ref; /* clear loops, sums in double */
extern const convalg_t direct;     /* the kernels of nn/direct_kern.h; any set but ISA_REF */

struct direct_kern;
/* direct.make() with another kernel: for tests. */
void *direct_make(const convshape_t *s, const struct direct_kern *kern, err_t *err);

#endif

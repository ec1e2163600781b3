/* axes: sections to their places (see axes.h). */
#include "mrc/axes.h"

void axes_scatter(const size_t *n, const int *axis, const float *in, size_t section, size_t count, const vol_t *v)
{
    const size_t stride[3] = {1, v->nx, v->nx * v->ny}, len[3] = {n[0], n[1], count}, from[3] = {1, n[0], n[0] * n[1]};
    size_t to[3], order[3];
    for (size_t k = 0; k < 3; k++) {
        to[k] = stride[axis[k]];
        order[axis[k]] = k; /* which of column, row, section is x, y, z */
    }
    float *out = v->data + section * to[2];
    const size_t x = order[0], y = order[1], z = order[2];
    for (size_t c = 0; c < len[z]; c++)
        for (size_t b = 0; b < len[y]; b++) {
            float *dst = out + c * to[z] + b * to[y];
            const float *src = in + c * from[z] + b * from[y];
            for (size_t a = 0; a < len[x]; a++) dst[a] = src[a * from[x]];
        }
}

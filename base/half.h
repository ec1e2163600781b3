/* half: IEEE 754 binary16, the float16 of NumPy and HDF5, to and from float. */
#ifndef CRYOLEX_BASE_HALF_H
#define CRYOLEX_BASE_HALF_H

#include <stddef.h>
#include <stdint.h>

/* out (n): the nearest half, ties to even; past 65504 it is infinite; a NaN stays one. */
void half_pack(const float *x, size_t n, uint16_t *out);
/* out (n): exact. */
void half_unpack(const uint16_t *h, size_t n, float *out);

#endif

/* data: raw voxels of a mode to float32 and back. */
#ifndef CRYOLEX_MRC_DATA_H
#define CRYOLEX_MRC_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    RAW_INT8, RAW_UINT8, RAW_INT16, RAW_FLOAT32, RAW_UINT16, RAW_FLOAT16, RAW_NIBBLE,
    /* not in MRC */
    RAW_INT32, RAW_UINT32, RAW_INT64, RAW_UINT64, RAW_FLOAT64
} raw_t;

size_t raw_bytes(raw_t kind);      /* of a value; 0 for RAW_NIBBLE */
const char *raw_name(raw_t kind);  /* "int8", ..., "float64", "4-bit"; static */
bool raw_big_machine(void);        /* what this machine is */

/* Kind of the voxels of a density mode (0, 1, 2, 6, 12, 101). */
raw_t raw_of_mode(int mode, bool mode0_unsigned);
/* Are these bytes float32 as this machine holds them? Then no conversion is needed. */
bool raw_is_native(raw_t kind, bool big_endian);

/* n voxels of one row at `raw` to out[0..n-1], each the nearest float (low four bits first in RAW_NIBBLE). out may lie in the same block as raw
 * only if they do not overlap. NaN payloads survive. */
void raw_to_float(raw_t kind, bool big_endian, const unsigned char *raw, float *out, size_t n);

/* The other way, for kinds of 8 and 16 bits and RAW_FLOAT32: n values, whole and within range where the kind is an integer's (the caller
 * sees to that), to raw. */
void raw_from_float(raw_t kind, bool big_endian, const float *x, unsigned char *raw, size_t n);

size_t raw_count_bad(const float *x, size_t n); /* NaN and infinities */

float raw_half_to_float(uint16_t h); /* exact; IEEE 754 binary16, NaN payload kept */
uint16_t raw_float_to_half(float f); /* nearest, ties to even; too large becomes infinity */

#endif

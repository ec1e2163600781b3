/* h5matrix: the large matrices of an index (see h5matrix.h). */
#include "pipeline/h5matrix.h"

#include <libdeflate.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/half.h"
#include "base/mem.h"
#include "pipeline/h5.h"

static int bad(const h5in_t *in, const char *name, err_t *err)
{
    return err_set(err, ERR_FORMAT, "%s: /%s: missing, damaged or of another shape", in->path, name);
}

/* Columns of a matrix of n rows, or 0. */
static size_t cols_of(const h5in_t *in, const char *name, size_t n, bool *half)
{
    hid_t d = H5Dopen2(in->file, name, H5P_DEFAULT), space = d >= 0 ? H5Dget_space(d) : -1, type = d >= 0 ? H5Dget_type(d) : -1;
    hsize_t dim[2] = {0, 0};
    bool ok = space >= 0 && type >= 0 && H5Sget_simple_extent_ndims(space) == 2 && H5Sget_simple_extent_dims(space, dim, NULL) >= 0 &&
              dim[0] == n && dim[1] <= H5MATRIX_COLS_MAX && H5Tget_class(type) == H5T_FLOAT;
    if (ok) {
        hid_t want = h5_half_type();
        *half = H5Tequal(type, want) > 0;
        H5Tclose(want);
    }
    if (type >= 0) H5Tclose(type);
    if (space >= 0) H5Sclose(space);
    if (d >= 0) H5Dclose(d);
    return ok ? (size_t)dim[1] : 0;
}

int h5matrix_cols(const h5in_t *in, const char *name, size_t n, size_t *d, err_t *err)
{
    bool half;
    *d = cols_of(in, name, n, &half);
    return *d ? 0 : bad(in, name, err);
}

/* What rounding (h5_put_half) may do to a length of 1. */
#define LENGTH_OFF 0.05

int h5matrix_unit(const h5in_t *in, const char *name, size_t n, size_t *d, float **z, err_t *err)
{
    bool half = false;
    uint16_t *h = NULL;
    *z = NULL;
    *d = cols_of(in, name, n, &half);
    if (!*d) return bad(in, name, err);
    if (half) {
        hid_t type = h5_half_type();
        int rc = h5read_data(in, name, type, sizeof *h, n, *d, &h, err);
        H5Tclose(type);
        if (rc) return -1;
        if ((*z = mem_new(n * *d, sizeof **z, err))) half_unpack(h, n * *d, *z);
        mem_free(h);
        if (!*z) return -1;
    } else if (h5read_data(in, name, H5T_NATIVE_FLOAT, sizeof **z, n, *d, z, err))
        return -1;
    for (size_t i = 0; i < n; i++) {
        float *row = *z + i * *d;
        double sq = 0;
        for (size_t k = 0; k < *d; k++) sq += (double)row[k] * (double)row[k];
        if (!(fabs(sqrt(sq) - 1) < LENGTH_OFF)) {
            mem_free(*z);
            *z = NULL;
            return err_set(err, ERR_FORMAT, "%s: /%s: row %zu has length %g (1 is wanted)", in->path, name, i, sqrt(sq));
        }
        if (!half && fabs(sqrt(sq) - 1) <= 1e-6) continue;
        for (size_t k = 0; k < *d; k++) row[k] = (float)((double)row[k] / sqrt(sq));
    }
    return 0;
}

/* Rows of a block, where the dataset is bytes deflated by blocks of whole rows and nothing else; else 0. */
static size_t block_rows(hid_t d, size_t cols)
{
    hid_t plist = H5Dget_create_plist(d), type = H5Dget_type(d);
    hsize_t chunk[2] = {0, 0};
    unsigned flags, config;
    size_t values = 0;
    bool ok = plist >= 0 && type >= 0 && H5Tequal(type, H5T_STD_I8LE) > 0 && H5Pget_layout(plist) == H5D_CHUNKED &&
              H5Pget_nfilters(plist) == 1 && H5Pget_filter2(plist, 0, &flags, &values, NULL, 0, NULL, &config) == H5Z_FILTER_DEFLATE &&
              H5Pget_chunk(plist, 2, chunk) == 2 && chunk[1] == cols;
    if (type >= 0) H5Tclose(type);
    if (plist >= 0) H5Pclose(plist);
    return ok ? (size_t)chunk[0] : 0;
}

typedef struct {
    unsigned char *bytes; /* as it lies in the file */
    size_t size;
    bool deflated;
} block_t;

static int get_block(hid_t d, size_t row, block_t *b, err_t *err)
{
    const hsize_t at[2] = {row, 0};
    hsize_t size = 0;
    uint32_t mask = 0;
    if (H5Dget_chunk_storage_size(d, at, &size) < 0 || !size) return -1;
    b->size = (size_t)size;
    if (!(b->bytes = mem_new(b->size, 1, err)) || H5Dread_chunk(d, H5P_DEFAULT, at, &mask, b->bytes) < 0) return -1;
    b->deflated = !(mask & 1);
    return 0;
}

/* Inflate the blocks of `rows` rows, the last one longer than the table, into out (n,cols). */
static int inflate_blocks(const block_t *b, size_t blocks, size_t rows, size_t n, size_t cols, int8_t *out)
{
    int failed = 0;
#pragma omp parallel reduction(| : failed)
    {
        struct libdeflate_decompressor *z = libdeflate_alloc_decompressor();
        int8_t *last = mem_new(rows, cols, NULL);
        failed = !z || !last;
#pragma omp for schedule(dynamic, 1)
        for (size_t i = 0; i < blocks; i++) {
            size_t here = n - i * rows < rows ? n - i * rows : rows;
            int8_t *to = here < rows ? last : out + i * rows * cols;
            if (!z || !last) continue;
            if (b[i].deflated)
                failed |= libdeflate_zlib_decompress(z, b[i].bytes, b[i].size, to, rows * cols, NULL) != LIBDEFLATE_SUCCESS;
            else if (b[i].size == rows * cols)
                memcpy(to, b[i].bytes, b[i].size);
            else
                failed = 1;
            if (here < rows) memcpy(out + i * rows * cols, last, here * cols);
        }
        libdeflate_free_decompressor(z);
        mem_free(last);
    }
    return failed ? -1 : 0;
}

int h5matrix_bytes(const h5in_t *in, const char *name, size_t n, size_t cols, int8_t **out, err_t *err)
{
    hid_t d = H5Dopen2(in->file, name, H5P_DEFAULT);
    size_t rows = d >= 0 ? block_rows(d, cols) : 0, have = 0;
    *out = NULL;
    if (!rows || rows > n || h5read_rows(in, name, cols, &have, NULL) || have != n) {
        if (d >= 0) H5Dclose(d);
        return h5read_data(in, name, H5T_NATIVE_INT8, 1, n, cols, out, err);
    }
    size_t blocks = (n + rows - 1) / rows;
    block_t *b = mem_zero(blocks, sizeof *b, err);
    int rc = b && (*out = mem_new(n, cols, err)) ? 0 : -1;
    for (size_t i = 0; !rc && i < blocks; i++) rc = get_block(d, i * rows, &b[i], err);
    if (!rc) rc = inflate_blocks(b, blocks, rows, n, cols, *out);
    for (size_t i = 0; b && i < blocks; i++) mem_free(b[i].bytes);
    mem_free(b);
    H5Dclose(d);
    if (!rc) return 0;
    mem_free(*out);
    *out = NULL;
    return bad(in, name, err); /* nothing where err holds "memory" already */
}

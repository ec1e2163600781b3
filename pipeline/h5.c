/* h5: writing HDF5 files whole (see h5.h). */
#include "pipeline/h5.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/half.h"
#include "base/mem.h"

enum { CHUNK = 1024, CHUNK_LARGE = 1 << 16, LARGE = 1 << 20 }; /* rows */

void h5_quiet(void)
{
    H5dont_atexit();
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

int h5_create(h5out_t *o, const char *path, err_t *err)
{
    *o = (h5out_t){.file = H5I_INVALID_HID};
    bool whole = outfile_whole(path); /* first: to open a pipe may take for ever */
    if (whole && outfile_open(&o->out, path, err)) return -1;
    if (!whole || !o->out.tmp) {
        outfile_abort(&o->out);
        return err_set(err, ERR_IO, "%s: cannot write: HDF5 needs a regular file", path);
    }
    h5_quiet();
    errno = 0;
    o->file = H5Fcreate(o->out.tmp, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT); /* the file just made: empty, and ours */
    if (o->file >= 0) return 0;
    err_set(err, ERR_IO, "%s: cannot write: %s", path, errno ? strerror(errno) : "HDF5 failed");
    outfile_abort(&o->out);
    return -1;
}

int h5_finish(h5out_t *o, bool ok, err_t *err)
{
    if (H5Fflush(o->file, H5F_SCOPE_GLOBAL) < 0) ok = false;
    if (H5Fclose(o->file) < 0) ok = false;
    if (ok) return outfile_close(&o->out, err); /* its fsync is of the file, whoever wrote it */
    err_set(err, ERR_IO, "%s: cannot write: %s", o->out.path, errno ? strerror(errno) : "HDF5 failed");
    outfile_abort(&o->out);
    return -1;
}

int h5_put_attr(hid_t file, const char *name, hid_t type, const void *value)
{
    hid_t space = H5Screate(H5S_SCALAR), a = H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    int rc = a < 0 || H5Awrite(a, type, value) < 0 ? -1 : 0;
    if (a >= 0) H5Aclose(a);
    H5Sclose(space);
    return rc;
}

hid_t h5_text_type(size_t n)
{
    hid_t t = H5Tcopy(H5T_C_S1);
    H5Tset_size(t, n);
    H5Tset_cset(t, H5T_CSET_UTF8);
    H5Tset_strpad(t, H5T_STR_NULLPAD);
    return t;
}

int h5_put_attr_text(hid_t file, const char *name, const char *value)
{
    hid_t type = h5_text_type(strlen(value));
    int rc = h5_put_attr(file, name, type, value);
    H5Tclose(type);
    return rc;
}

/* A dataset of n rows; in chunks of `chunk` rows and deflated where that is above 0, bytes as hard as it goes. */
static int put(hid_t file, const char *name, hid_t type, size_t n, size_t cols, size_t chunk, bool bytes, const void *data)
{
    hsize_t dim[2] = {n, cols}, block[2] = {n < chunk ? n : chunk, cols};
    int rank = cols ? 2 : 1;
    hid_t space = H5Screate_simple(rank, dim, NULL), plist = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_obj_track_times(plist, 0);
    if (chunk && n) {
        H5Pset_chunk(plist, rank, block);
        if (!bytes) H5Pset_shuffle(plist);
        H5Pset_deflate(plist, bytes ? 9 : 6);
    }
    hid_t d = H5Dcreate2(file, name, type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    int rc = d < 0 || H5Dwrite(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0 ? -1 : 0;
    if (d >= 0) H5Dclose(d);
    H5Pclose(plist);
    H5Sclose(space);
    return rc;
}

int h5_put_data(hid_t file, const char *name, hid_t type, size_t n, size_t cols, bool deflate, const void *data)
{
    return put(file, name, type, n, cols, !deflate ? 0 : n > LARGE ? CHUNK_LARGE : CHUNK, false, data);
}

int h5_put_text(hid_t file, const char *name, size_t n, char *const *text, err_t *err)
{
    size_t width = 1;
    for (size_t i = 0; i < n; i++) {
        size_t k = strlen(text[i]);
        if (k > width) width = k;
    }
    char *buf = mem_zero(n, width, err);
    if (!buf) return -1;
    for (size_t i = 0; i < n; i++) memcpy(buf + i * width, text[i], strlen(text[i]));
    hid_t type = h5_text_type(width);
    int rc = h5_put_data(file, name, type, n, 0, true, buf);
    H5Tclose(type);
    mem_free(buf);
    return rc;
}

int h5_put_blocks(hid_t file, const char *name, size_t n, size_t cols, const int8_t *data)
{
    enum { BLOCK = 1 << 20 }; /* bytes */
    return put(file, name, H5T_STD_I8LE, n, cols, BLOCK / cols ? BLOCK / cols : 1, true, data);
}

hid_t h5_half_type(void)
{
    hid_t t = H5Tcopy(H5T_IEEE_F32LE);
    H5Tset_fields(t, 15, 10, 5, 0, 10);
    H5Tset_size(t, sizeof(uint16_t));
    H5Tset_ebias(t, 15);
    return t;
}

int h5_put_half(hid_t file, const char *name, size_t n, size_t cols, bool deflate, const float *data, double step, err_t *err)
{
    uint16_t *h = mem_new(n * cols, sizeof *h, err);
    if (!h) return -1;
    for (size_t i = 0; step > 0 && i < n * cols; i++) {
        float x = (float)(step * rint((double)data[i] / step));
        half_pack(&x, 1, h + i);
    }
    if (!(step > 0)) half_pack(data, n * cols, h);
    hid_t type = h5_half_type();
    int rc = h5_put_data(file, name, type, n, cols, deflate, h);
    H5Tclose(type);
    mem_free(h);
    return rc;
}

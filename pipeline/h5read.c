/* h5read: reading HDF5 files (see h5read.h). */
#include "pipeline/h5read.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "pipeline/h5.h"

int h5read_open(h5in_t *in, const char *path, const char *format, const char *what, err_t *err)
{
    char have[64] = "";
    *in = (h5in_t){.file = H5I_INVALID_HID, .path = path};
    if (access(path, R_OK)) return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    h5_quiet();
    in->file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (in->file < 0) return err_set(err, ERR_FORMAT, "%s: no HDF5 file, or a damaged one (%s is wanted)", path, what);
    if (!h5read_attr_text(in, "format", have, sizeof have, NULL) && !strcmp(have, format)) return 0;
    h5read_close(in);
    return err_set(err, ERR_FORMAT, "%s: an HDF5 file, but not %s", path, what);
}

void h5read_close(h5in_t *in)
{
    if (in->file >= 0) H5Fclose(in->file);
    in->file = H5I_INVALID_HID;
}

int h5read_attr(const h5in_t *in, const char *name, hid_t type, void *out, err_t *err)
{
    hid_t a = H5Aopen(in->file, name, H5P_DEFAULT), space = a >= 0 ? H5Aget_space(a) : -1;
    int rc = space >= 0 && H5Sget_simple_extent_npoints(space) == 1 && H5Aread(a, type, out) >= 0 ? 0 : -1;
    if (space >= 0) H5Sclose(space);
    if (a >= 0) H5Aclose(a);
    return rc ? err_set(err, ERR_FORMAT, "%s: attribute %s: missing or damaged", in->path, name) : 0;
}

int h5read_attr_text(const h5in_t *in, const char *name, char *out, size_t room, err_t *err)
{
    hid_t a = H5Aopen(in->file, name, H5P_DEFAULT), own = a >= 0 ? H5Aget_type(a) : -1, space = a >= 0 ? H5Aget_space(a) : -1;
    bool ok = own >= 0 && space >= 0 && H5Tget_class(own) == H5T_STRING && !H5Tis_variable_str(own) && H5Tget_size(own) < room &&
              H5Sget_simple_extent_npoints(space) == 1;
    memset(out, 0, room);
    if (ok) ok = H5Aread(a, own, out) >= 0;
    if (space >= 0) H5Sclose(space);
    if (own >= 0) H5Tclose(own);
    if (a >= 0) H5Aclose(a);
    return ok ? 0 : err_set(err, ERR_FORMAT, "%s: attribute %s: missing or damaged", in->path, name);
}

static int bad(const h5in_t *in, const char *name, err_t *err)
{
    return err_set(err, ERR_FORMAT, "%s: /%s: missing, damaged or of another shape", in->path, name);
}

/* Rows of a dataset, or -1. */
static int rows_of(hid_t d, size_t cols, size_t *n)
{
    hid_t space = d >= 0 ? H5Dget_space(d) : -1;
    hsize_t dim[2] = {0, 0};
    bool ok = space >= 0 && H5Sget_simple_extent_ndims(space) == (cols ? 2 : 1) && H5Sget_simple_extent_dims(space, dim, NULL) >= 0 &&
              (!cols || dim[1] == cols);
    if (space >= 0) H5Sclose(space);
    *n = (size_t)dim[0];
    return ok ? 0 : -1;
}

/* Whether so many bytes can be in the file: deflate makes a thousandth at best, and what was never written is not there. */
static bool stored(hid_t d, size_t n, size_t size)
{
    size_t bytes;
    return !n || (mem_mul(n, size, &bytes) && bytes / 1100 <= H5Dget_storage_size(d) && H5Dget_storage_size(d) > 0);
}

int h5read_rows(const h5in_t *in, const char *name, size_t cols, size_t *n, err_t *err)
{
    hid_t d = H5Dopen2(in->file, name, H5P_DEFAULT);
    int rc = rows_of(d, cols, n);
    if (d >= 0) H5Dclose(d);
    return rc ? bad(in, name, err) : 0;
}

int h5read_data(const h5in_t *in, const char *name, hid_t type, size_t size, size_t n, size_t cols, void *out, err_t *err)
{
    hid_t d = H5Dopen2(in->file, name, H5P_DEFAULT);
    size_t have = 0, len;
    void *p = NULL;
    int rc = rows_of(d, cols, &have) || have != n || !mem_mul(n, cols ? cols : 1, &len) || !stored(d, len, size) ? bad(in, name, err) : 0;
    if (!rc && !(p = mem_new(len, size, err))) rc = -1;
    if (!rc && len && H5Dread(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, p) < 0) rc = bad(in, name, err);
    if (d >= 0) H5Dclose(d);
    if (rc) {
        mem_free(p);
        p = NULL;
    }
    memcpy(out, &p, sizeof p);
    return rc;
}

/* Zero-ended strings of width + 1 bytes each into one block. */
static char **pack(const char *s, size_t n, size_t width, err_t *err)
{
    size_t bytes = n * sizeof(char *);
    for (size_t i = 0; i < n; i++) bytes += strlen(s + i * (width + 1)) + 1;
    char **out = mem_new(bytes, 1, err), *p = (char *)(out + n);
    for (size_t i = 0; out && i < n; i++) {
        size_t k = strlen(s + i * (width + 1)) + 1;
        out[i] = memcpy(p, s + i * (width + 1), k);
        p += k;
    }
    return out;
}

int h5read_text(const h5in_t *in, const char *name, size_t n, char ***out, err_t *err)
{
    hid_t d = H5Dopen2(in->file, name, H5P_DEFAULT), own = d >= 0 ? H5Dget_type(d) : -1, wide = -1;
    size_t width = own >= 0 && H5Tget_class(own) == H5T_STRING && !H5Tis_variable_str(own) ? H5Tget_size(own) : 0, have;
    char *buf = NULL;
    int rc = -1;
    *out = NULL;
    if (!width || rows_of(d, 0, &have) || have != n || !stored(d, n, width)) {
        bad(in, name, err);
        goto done;
    }
    wide = H5Tcopy(own); /* one more, so that every string ends */
    H5Tset_size(wide, width + 1);
    H5Tset_strpad(wide, H5T_STR_NULLTERM);
    if (!(buf = mem_zero(n, width + 1, err))) goto done;
    if (n && H5Dread(d, wide, H5S_ALL, H5S_ALL, H5P_DEFAULT, buf) < 0) {
        bad(in, name, err);
        goto done;
    }
    for (size_t i = 0; i < n; i++) buf[i * (width + 1) + width] = 0;
    if ((*out = pack(buf, n, width, err))) rc = 0;
done:
    mem_free(buf);
    if (wide >= 0) H5Tclose(wide);
    if (own >= 0) H5Tclose(own);
    if (d >= 0) H5Dclose(d);
    return rc;
}

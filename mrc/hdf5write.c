/* hdf5write: a map as EMAN2 stores it in HDF5: /MDF/images/0/image, its numbers as attributes EMAN.* of the group 0 (see hdf5.c).
 * Integers are stored with the range that they stand for (EMAN.stored_rendermin, max and bits), which EMAN2 applies on reading. */
#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "mrc/hdf5.h"
#include "mrc/output.h"

enum { SLAB = 1 << 22 }; /* bytes, or one row if that is more */

static int put_attr(hid_t at, const char *name, hid_t type, const void *x)
{
    hid_t s = H5Screate(H5S_SCALAR), a = s < 0 ? -1 : H5Acreate2(at, name, type, s, H5P_DEFAULT, H5P_DEFAULT);
    int rc = a >= 0 && H5Awrite(a, type, x) >= 0 ? 0 : -1;
    if (a >= 0) H5Aclose(a);
    if (s >= 0) H5Sclose(s);
    return rc;
}

static int put_int(hid_t at, const char *name, int x) { return put_attr(at, name, H5T_NATIVE_INT, &x); }
static int put_real(hid_t at, const char *name, double x) { return put_attr(at, name, H5T_NATIVE_DOUBLE, &x); }

static int put_numbers(hid_t group, const output_t *o)
{
    static const int datatype[] = {[RAW_UINT8] = 2, [RAW_UINT16] = 4, [RAW_FLOAT32] = 7}; /* of EMAN2's list */
    const vol_t *v = o->v;
    const fit_t *f = &o->fit;
    const struct {
        const char *name;
        double x;
    } reals[] = {{"EMAN.apix_x", v->voxel[0]},     {"EMAN.apix_y", v->voxel[1]},    {"EMAN.apix_z", v->voxel[2]},
                 {"EMAN.origin_x", v->origin[0]},  {"EMAN.origin_y", v->origin[1]}, {"EMAN.origin_z", v->origin[2]},
                 {"EMAN.minimum", (o->stat.min - f->add) / f->mul},                 {"EMAN.maximum", (o->stat.max - f->add) / f->mul},
                 {"EMAN.mean", (o->stat.mean - f->add) / f->mul},                   {"EMAN.sigma", o->stat.sd / f->mul}};
    int rc = put_int(group, "EMAN.nx", (int)v->nx) || put_int(group, "EMAN.ny", (int)v->ny) || put_int(group, "EMAN.nz", (int)v->nz) ||
             put_int(group, "EMAN.is_complex", 0) || put_int(group, "EMAN.datatype", datatype[f->kind]);
    for (size_t k = 0; !rc && k < sizeof reals / sizeof *reals; k++) rc = put_real(group, reals[k].name, reals[k].x);
    if (!rc && f->whole)
        rc = put_int(group, "EMAN.stored_renderbits", 8 * (int)raw_bytes(f->kind)) ||
             put_real(group, "EMAN.stored_rendermin", (f->lo - f->add) / f->mul) || put_real(group, "EMAN.stored_rendermax", (f->hi - f->add) / f->mul);
    return rc ? -1 : 0;
}

static hid_t file_type(const output_t *o)
{
    switch (o->fit.kind) {
    case RAW_UINT8: return H5T_STD_U8LE;
    case RAW_UINT16: return o->big_endian ? H5T_STD_U16BE : H5T_STD_U16LE;
    default: return o->big_endian ? H5T_IEEE_F32BE : H5T_IEEE_F32LE;
    }
}

/* Rows together, through one buffer: bytes are made here, and HDF5 has nothing to convert. */
static int put_values(hid_t dset, hid_t space, const output_t *o, err_t *err)
{
    const vol_t *v = o->v;
    const size_t row = v->nx * raw_bytes(o->fit.kind), fit = SLAB / row, rows = fit < 1 ? 1 : fit < v->ny ? fit : v->ny;
    unsigned char *buf = mem_new(rows * row, 1, err);
    int rc = buf ? 0 : -1;
    for (size_t z = 0; z < v->nz && !rc; z++)
        for (size_t y = 0; y < v->ny && !rc; y += rows) {
            const size_t n = v->ny - y < rows ? v->ny - y : rows;
            hsize_t start[3] = {z, y, 0}, count[3] = {1, n, v->nx}, all = n * v->nx;
            hid_t mem = H5Screate_simple(1, &all, NULL);
            values_encode(&o->fit, o->big_endian, v->data + vol_idx(v, 0, y, z), buf, n * v->nx);
            rc = mem >= 0 && H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
                         H5Dwrite(dset, file_type(o), mem, space, H5P_DEFAULT, buf) >= 0
                     ? 0
                     : -1;
            if (mem >= 0) H5Sclose(mem);
        }
    mem_free(buf);
    return rc;
}

static int put_all(hid_t file, const output_t *o, err_t *err)
{
    const hsize_t n[3] = {o->v->nz, o->v->ny, o->v->nx};
    int rc = -1;
    hid_t mdf = H5Gcreate2(file, "MDF", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), dset = -1;
    hid_t images = mdf < 0 ? -1 : H5Gcreate2(mdf, "images", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t group = images < 0 ? -1 : H5Gcreate2(images, "0", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t plist = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(3, n, NULL);
    if (group < 0 || plist < 0 || space < 0 || put_int(images, "imageid_max", 0) || put_numbers(group, o)) goto done;
    /* no time in the file: equal maps are equal bytes */
    if (H5Pset_obj_track_times(plist, 0) < 0 || H5Pset_fill_time(plist, H5D_FILL_TIME_NEVER) < 0) goto done;
    dset = H5Dcreate2(group, "image", file_type(o), space, H5P_DEFAULT, plist, H5P_DEFAULT);
    if (dset >= 0) rc = put_values(dset, space, o, err);
done:
    if (dset >= 0 && H5Dclose(dset) < 0) rc = -1;
    if (space >= 0) H5Sclose(space);
    if (plist >= 0) H5Pclose(plist);
    if (group >= 0) H5Gclose(group);
    if (images >= 0) H5Gclose(images);
    if (mdf >= 0) H5Gclose(mdf);
    return rc;
}

static int write_locked(const char *tmp, const output_t *o, err_t *err)
{
    H5dont_atexit();
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    errno = 0;
    hid_t file = H5Fcreate(tmp, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT); /* the file just made: empty, and ours */
    int rc = file < 0 ? -1 : put_all(file, o, err);
    if (file >= 0 && H5Fflush(file, H5F_SCOPE_GLOBAL) < 0) rc = -1;
    if (file >= 0 && H5Fclose(file) < 0) rc = -1;
    if (!rc) return 0;
    return err_set(err, ERR_IO, "%s: cannot write: %s", o->path, errno ? strerror(errno) : "HDF5 failed"); /* an earlier cause is kept */
}

int output_hdf5(const output_t *o, err_t *err)
{
    outfile_t out = {0};
    int rc;
    const bool whole = outfile_whole(o->path); /* first: to open a pipe may take for ever */
    if (whole && outfile_open(&out, o->path, err)) return -1;
    if (!whole || !out.tmp) {
        outfile_abort(&out);
        return err_set(err, ERR_USAGE, "%s: HDF5 needs a regular file, no pipe or device", o->path);
    }
#pragma omp critical(cryolex_hdf5)
    rc = write_locked(out.tmp, o, err);
    if (!rc) return outfile_close(&out, err); /* its fsync is of the file, whoever wrote it */
    outfile_abort(&out);
    return -1;
}

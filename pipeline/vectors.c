/* vectors: embeddings with their ids as a file (see vectors.h). */
#include "pipeline/vectors.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "config.h"
#include "pipeline/h5.h"
#include "pipeline/h5read.h"
#include "voxel/cube.h"

int vectors_add(vectors_t *v, const char *id, float rg, const float *z, err_t *err)
{
    const struct {
        void *p;
        size_t size;
    } part[] = {{&v->id, sizeof *v->id}, {&v->rg, sizeof *v->rg}, {&v->z, v->d * sizeof *v->z}};
    size_t cap = v->cap;
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
        cap = v->cap;
        if (mem_grow(part[i].p, &cap, v->n + 1, part[i].size, err)) return -1;
    }
    v->cap = cap;
    if (!(v->id[v->n] = mem_str(id, err))) return -1;
    v->rg[v->n] = rg;
    memcpy(v->z + v->n * v->d, z, v->d * sizeof *z);
    v->n++;
    return 0;
}

void vectors_free(vectors_t *v)
{
    for (size_t i = 0; i < v->n; i++) mem_free(v->id[i]);
    mem_free(v->id);
    mem_free(v->rg);
    mem_free(v->z);
    *v = (vectors_t){0};
}

int vectors_npy(const char *path, const vectors_t *v, err_t *err)
{
    enum { HEAD = 128 }; /* magic, version, length, and a Python dict padded with spaces to a line end */
    unsigned char head[HEAD] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, HEAD - 10, 0};
    static const uint16_t order = 1;
    char *dict = (char *)head + 10;
    memset(dict, ' ', HEAD - 10);
    int n = snprintf(dict, HEAD - 10, "{'descr': '%cf4', 'fortran_order': False, 'shape': (%zu, %zu), }",
                     *(const unsigned char *)&order ? '<' : '>', v->n, v->d);
    dict[n] = ' ';
    dict[HEAD - 11] = '\n';
    outfile_t o;
    if (outfile_open(&o, path, err)) return -1;
    fwrite(head, 1, HEAD, o.f); /* that all was written is checked by outfile_close */
    if (v->n) fwrite(v->z, v->d * sizeof *v->z, v->n, o.f);
    return outfile_close(&o, err);
}

int vectors_h5(const char *path, const vectors_t *v, const char *model, int frames, err_t *err)
{
    h5out_t o;
    int version = VECTORS_VERSION, cube = CUBE_VERSION;
    if (!v->n) return err_set(err, ERR_RANGE, "%s: no embedding to write", path);
    if (h5_create(&o, path, err)) return -1;
    int rc = h5_put_attr_text(o.file, "format", VECTORS_FORMAT) || h5_put_attr_text(o.file, "program", PACKAGE_STRING) ||
             h5_put_attr(o.file, "format_version", H5T_NATIVE_INT, &version) ||
             h5_put_attr(o.file, "cube_version", H5T_NATIVE_INT, &cube) || h5_put_attr_text(o.file, "model", model) ||
             h5_put_attr(o.file, "frames", H5T_NATIVE_INT, &frames) || h5_put_text(o.file, "ids", v->n, v->id, err) ||
             h5_put_data(o.file, "embeddings", H5T_NATIVE_FLOAT, v->n, v->d, false, v->z) ||
             h5_put_data(o.file, "rg", H5T_NATIVE_FLOAT, v->n, 0, false, v->rg);
    return h5_finish(&o, !rc, err);
}

int vectors_read(const char *path, vectors_t *v, err_t *err)
{
    h5in_t in;
    char **text = NULL;
    float *rg = NULL, *z = NULL;
    hsize_t dims[2] = {0};
    size_t n = 0;
    *v = (vectors_t){0};
    h5_quiet();
    if (h5read_open(&in, path, VECTORS_FORMAT, "embeddings of sweep or embed", err)) return -1;
    hid_t set = H5Dopen2(in.file, "/embeddings", H5P_DEFAULT), space = set >= 0 ? H5Dget_space(set) : -1;
    int rc = space >= 0 && H5Sget_simple_extent_ndims(space) == 2 && H5Sget_simple_extent_dims(space, dims, NULL) == 2 && dims[1] > 0 ? 0
           : err_set(err, ERR_FORMAT, "%s: /embeddings is missing, or no matrix", path);
    if (space >= 0) H5Sclose(space);
    if (set >= 0) H5Dclose(set);
    if (!rc && !h5read_rows(&in, "/embeddings", (size_t)dims[1], &n, err) && !h5read_text(&in, "/ids", n, &text, err) &&
        !h5read_data(&in, "/rg", H5T_NATIVE_FLOAT, sizeof *rg, n, 0, &rg, err) && !h5read_data(&in, "/embeddings", H5T_NATIVE_FLOAT, sizeof *z, n, (size_t)dims[1], &z, err)) {
        v->d = (size_t)dims[1];
        for (size_t i = 0; !rc && i < n; i++) rc = vectors_add(v, text[i], rg[i], z + i * v->d, err);
    } else {
        rc = -1;
    }
    h5read_close(&in);
    mem_free(text);
    mem_free(rg);
    mem_free(z);
    if (rc) vectors_free(v);
    return rc;
}

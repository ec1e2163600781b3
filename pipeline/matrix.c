/* matrix: vectors of a file (see matrix.h). */
#include "pipeline/matrix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "pipeline/h5.h"
#include "pipeline/h5matrix.h"
#include "pipeline/h5read.h"

enum { HEAD_MAX = 4096 }; /* bytes of a .npy header, a Python dict as text */

/* The value of a key in the dict, or NULL. */
static const char *value_of(const char *head, const char *key)
{
    const char *p = strstr(head, key);
    if (!p) return NULL;
    p += strlen(key);
    return p + strspn(p, " :");
}

/* One side of the shape; *p moves behind it. */
static bool side(const char **p, size_t *out)
{
    char *end;
    if (**p < '0' || **p > '9') return false;
    errno = 0;
    unsigned long long v = strtoull(*p, &end, 10);
    *out = (size_t)v;
    *p = end + strspn(end, " ,");
    return errno == 0 && v <= SIZE_MAX / 4;
}

/* The dict of a header; *size gets the bytes of a number. */
static int npy_head(const char *path, const char *head, matrix_t *m, size_t *size, err_t *err)
{
    const char *type = value_of(head, "'descr'"), *order = value_of(head, "'fortran_order'"), *shape = value_of(head, "'shape'");
    if (!type || !order || !shape || *shape != '(') return err_set(err, ERR_FORMAT, "%s: a damaged .npy header", path);
    *size = !strncmp(type, "'<f4'", 5) ? 4 : !strncmp(type, "'<f2'", 5) ? 2 : 0;
    if (!*size) return err_set(err, ERR_UNSUP, "%s: numbers of type %.*s (float32 or float16, little endian, is wanted)", path, (int)strcspn(type, ",}"), type);
    if (strncmp(order, "False", 5) != 0) return err_set(err, ERR_UNSUP, "%s: a matrix by columns (rows are wanted: numpy.ascontiguousarray)", path);
    shape++;
    if (!side(&shape, &m->n) || !side(&shape, &m->d) || *shape != ')' || !m->d || m->d > H5MATRIX_COLS_MAX)
        return err_set(err, ERR_FORMAT, "%s: no matrix of vectors (two dimensions are wanted, the second of 1 to %d)", path, H5MATRIX_COLS_MAX);
    return 0;
}

static int npy_open(const char *path, int fd, const unsigned char *start, size_t have, unsigned parts, matrix_t *m, err_t *err)
{
    char head[HEAD_MAX + 1] = "";
    struct stat st;
    size_t size = 0, bytes, at = start[6] > 1 ? 12 : 10, length = start[8] + 256u * start[9];
    if (have < at || start[6] < 1 || start[6] > 3 || (start[6] > 1 && (start[10] || start[11])) || length > HEAD_MAX || fstat(fd, &st) ||
        pread(fd, head, length, (off_t)at) != (ssize_t)length)
        return err_set(err, ERR_FORMAT, "%s: a damaged .npy header", path);
    at += length;
    if (npy_head(path, head, m, &size, err)) return -1;
    if (!mem_mul(m->n, m->d * size, &bytes) || bytes > (size_t)st.st_size || at > (size_t)st.st_size - bytes)
        return err_set(err, ERR_FORMAT, "%s: %lld bytes, too few for a matrix of %zu x %zu", path, (long long)st.st_size, m->n, m->d);
    if (!(parts & MATRIX_ROWS) || !m->n) return 0;
    if (at % size) return err_set(err, ERR_UNSUP, "%s: numbers at an odd place, %zu", path, at);
    m->map_bytes = at + bytes;
    m->map = mmap(NULL, m->map_bytes, PROT_READ, MAP_SHARED, fd, 0);
    if (m->map == MAP_FAILED) {
        m->map = NULL;
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    }
    const void *p = (const char *)m->map + at;
    if (size == 4) m->f = p;
    else m->h = p;
    return 0;
}

static int h5_open(const char *path, unsigned parts, matrix_t *m, err_t *err)
{
    h5in_t in = {.path = path};
    h5_quiet();
    in.file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (in.file < 0) return err_set(err, ERR_FORMAT, "%s: a damaged HDF5 file", path);
    const char *ids = H5Lexists(in.file, "ids", H5P_DEFAULT) > 0 ? "ids" : "id";
    int rc = H5Lexists(in.file, "embeddings", H5P_DEFAULT) > 0 ? 0 : err_set(err, ERR_FORMAT, "%s: an HDF5 file without embeddings", path);
    if (!rc) rc = h5read_rows(&in, ids, 0, &m->n, err);
    if (!rc) rc = h5matrix_cols(&in, "embeddings", m->n, &m->d, err);
    if (!rc && (parts & MATRIX_ROWS)) rc = h5matrix_unit(&in, "embeddings", m->n, &m->d, &m->own, err);
    if (!rc && (parts & MATRIX_IDS)) rc = h5read_text(&in, ids, m->n, &m->id, err);
    m->f = m->own;
    H5Fclose(in.file);
    return rc;
}

int matrix_open(const char *path, unsigned parts, matrix_t *m, err_t *err)
{
    static const unsigned char npy[] = "\x93NUMPY", h5[] = "\x89HDF\r\n\x1a\n";
    unsigned char start[12] = {0};
    *m = (matrix_t){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC), rc;
    if (fd < 0) return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    ssize_t have = pread(fd, start, sizeof start, 0);
    if (have < 0) rc = err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    else if (!memcmp(start, npy, sizeof npy - 1)) rc = npy_open(path, fd, start, (size_t)have, parts, m, err);
    else if (!memcmp(start, h5, sizeof h5 - 1)) rc = h5_open(path, parts, m, err);
    else rc = err_set(err, ERR_FORMAT, "%s: no vectors (.npy, or HDF5 of cryolex embed or index build)", path);
    close(fd);
    if (rc) matrix_close(m);
    return rc;
}

void matrix_close(matrix_t *m)
{
    if (m->map) munmap(m->map, m->map_bytes);
    mem_free(m->own);
    mem_free(m->id);
    *m = (matrix_t){0};
}

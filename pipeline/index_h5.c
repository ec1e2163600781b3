/* index_h5: an index as an HDF5 file (see index.h). */
#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "config.h"
#include "pipeline/h5.h"
#include "pipeline/h5matrix.h"
#include "pipeline/h5read.h"
#include "pipeline/index.h"
#include "pipeline/terms_h5.h"

/* Numeric datasets: name, columns (0: a vector), type, where the array's pointer is in index_t. */
static const struct {
    const char *name;
    size_t cols, size, at;
    int floats;
    unsigned part; /* bit of index_read; 0: always */
} array[] = {
    {"rg", 0, sizeof(float), offsetof(index_t, rg), 1, 0},
    {"volume", 0, sizeof(float), offsetof(index_t, volume), 1, INDEX_VOLUME},
    {"cube", DESC_LEN, 1, offsetof(index_t, cube), 0, INDEX_CUBE},
    {"zernike", DESCRIBE_ZERNIKE, sizeof(float), offsetof(index_t, zernike), 1, INDEX_ZERNIKE},
    {"profile", DESCRIBE_PROFILE, sizeof(float), offsetof(index_t, profile), 1, INDEX_PROFILE},
};
enum { ARRAYS = sizeof array / sizeof *array };

/* Of a shard: which, of how many, of how many rows of a manifest. */
enum { SHARD_ATTRS = 3 };
static const char *const shard_attr[SHARD_ATTRS] = {"shard", "shards", "manifest_items"};

static void *array_of(const index_t *x, int k)
{
    void *p;
    memcpy(&p, (const char *)x + array[k].at, sizeof p);
    return p;
}

/* The dataset of a text column; terms is the name of a group since version 2. */
static const char *text_dataset(int c, int version)
{
    return c == INDEX_TERMS && version > 1 ? "manifest_terms" : index_text_name[c];
}

/* Whether the index is stored without this array. */
static bool left_out(const indexstore_t *s, int k)
{
    return (array[k].part == INDEX_ZERNIKE && s->no_zernike) || (array[k].part == INDEX_PROFILE && s->no_profile);
}

/* The names of attributes of the evidence and where their numbers are, one after the other. */
enum { EVIDENCE_NUMBERS = TERM_KINDS * EVIDENCE_FEATURES + KNOWN_FEATURES + 1 };
static double *evidence_number(evidence_t *e, size_t k, char name[64])
{
    const size_t weights = (size_t)TERM_KINDS * EVIDENCE_FEATURES;
    if (k < weights) {
        snprintf(name, 64, "evidence_%s_%s", term_space_name[k / EVIDENCE_FEATURES], evidence_name[k % EVIDENCE_FEATURES]);
        return &e->weight[k / EVIDENCE_FEATURES][k % EVIDENCE_FEATURES];
    }
    k -= weights;
    snprintf(name, 64, "known_%s", k < KNOWN_FEATURES ? known_name[k] : "cut");
    return k < KNOWN_FEATURES ? &e->known[k] : &e->cut;
}

static int put_evidence(hid_t file, const evidence_t *e)
{
    evidence_t own = *e;
    char name[64];
    int rc = 0;
    for (size_t k = 0; !rc && k < EVIDENCE_NUMBERS; k++) {
        const double *x = evidence_number(&own, k, name);
        if (H5Aexists(file, name) > 0) rc = H5Adelete(file, name) < 0;
        if (!rc) rc = h5_put_attr(file, name, H5T_NATIVE_DOUBLE, x);
    }
    return rc ? -1 : 0;
}

int index_put_evidence(const char *path, const char *out, const evidence_t *e, err_t *err)
{
    size_t n;
    unsigned char *b = file_read(path, SIZE_MAX / 2, &n, err);
    outfile_t o;
    if (!b || outfile_open(&o, out, err)) {
        mem_free(b);
        return -1;
    }
    bool ok = o.tmp && fwrite(b, 1, n, o.f) == n && !fflush(o.f);
    mem_free(b);
    h5_quiet();
    hid_t file = ok ? H5Fopen(o.tmp, H5F_ACC_RDWR, H5P_DEFAULT) : -1;
    ok = file >= 0 && !put_evidence(file, e);
    if (file >= 0 && H5Fclose(file) < 0) ok = false;
    if (ok) return outfile_close(&o, err);
    outfile_abort(&o);
    return err_set(err, ERR_IO, "%s: cannot write the evidence", out);
}

static int put_attrs(hid_t file, const index_t *x)
{
    int version = INDEX_VERSION, cube = CUBE_VERSION, side = CUBE_SIDE;
    const indexstore_t *s = &x->store;
    const char *without = s->no_zernike && s->no_profile ? "zernike,profile" : s->no_zernike ? "zernike" : "profile";
    int rc = h5_put_attr_text(file, "format", INDEX_FORMAT) || h5_put_attr_text(file, "program", PACKAGE_STRING) ||
             h5_put_attr(file, "format_version", H5T_NATIVE_INT, &version) ||
             h5_put_attr(file, "cube_version", H5T_NATIVE_INT, &cube) || h5_put_attr(file, "cube_side", H5T_NATIVE_INT, &side);
    if (!rc && (s->no_zernike || s->no_profile)) rc = h5_put_attr_text(file, "without", without);
    if (!rc && x->d) rc = h5_put_attr_text(file, "model", x->model) || h5_put_attr(file, "frames", H5T_NATIVE_INT, &x->frames);
    scoring_t scoring = x->scoring;
    for (size_t k = 0; !rc && x->scored && k < SCORING_FIELDS; k++) {
        char name[64];
        snprintf(name, sizeof name, "scoring_%s", scoring_name[k]);
        rc = h5_put_attr(file, name, H5T_NATIVE_DOUBLE, scoring_field(&scoring, k));
    }
    const uint64_t part[] = {x->shard, x->shards, x->items};
    for (int k = 0; !rc && x->shards && k < SHARD_ATTRS; k++) rc = h5_put_attr(file, shard_attr[k], H5T_NATIVE_UINT64, &part[k]);
    return rc || (x->evidence.fitted && put_evidence(file, &x->evidence)) ? -1 : 0;
}

/* Cubes of fewer levels, which deflate to a sixth. */
static int put_compact(hid_t file, const index_t *x, err_t *err)
{
    enum { STEP = INDEX_COMPACT_STEP, MOST = 127 / STEP * STEP };
    int8_t *cube = mem_new(x->n, DESC_LEN, err);
    if (!cube) return -1;
    for (size_t i = 0; i < x->n * DESC_LEN; i++) {
        long v = STEP * lrint((double)x->cube[i] / STEP);
        cube[i] = (int8_t)(v > MOST ? MOST : v < -MOST ? -MOST : v);
    }
    int rc = h5_put_blocks(file, "cube", x->n, DESC_LEN, cube);
    mem_free(cube);
    return rc;
}

static int put_column(hid_t file, const index_t *x, int c, err_t *err)
{
    static char none[] = "";
    const char *name = text_dataset(c, INDEX_VERSION);
    if (c != INDEX_PATH || !x->store.no_path) return h5_put_text(file, name, x->n, x->text[c], err);
    char **empty = mem_new(x->n, sizeof *empty, err);
    if (!empty) return -1;
    for (size_t i = 0; i < x->n; i++) empty[i] = none;
    int rc = h5_put_text(file, name, x->n, empty, err);
    mem_free(empty);
    return rc;
}

int index_write(const char *path, const index_t *x, err_t *err)
{
    h5out_t o;
    const indexstore_t *s = &x->store;
    if (!x->n) return err_set(err, ERR_RANGE, "%s: no entry to write", path);
    if (h5_create(&o, path, err)) return -1;
    double step = s->compact ? INDEX_EMBED_STEP : 0;
    int rc = put_attrs(o.file, x);
    for (int c = 0; !rc && c < INDEX_TEXTS; c++) rc = put_column(o.file, x, c, err);
    for (int k = 0; !rc && k < ARRAYS; k++) {
        if (left_out(s, k)) continue;
        rc = s->compact && array[k].part == INDEX_CUBE
                 ? put_compact(o.file, x, err)
                 : h5_put_data(o.file, array[k].name, array[k].floats ? H5T_NATIVE_FLOAT : H5T_NATIVE_INT8, x->n, array[k].cols,
                               s->compact && array[k].floats, array_of(x, k));
    }
    if (!rc && x->d)
        rc = s->float32 ? h5_put_data(o.file, "embeddings", H5T_NATIVE_FLOAT, x->n, x->d, false, x->z)
                        : h5_put_half(o.file, "embeddings", x->n, x->d, s->compact, x->z, step, err);
    if (!rc) rc = terms_write(o.file, &x->terms, s->compact ? INDEX_VOCAB_STEP : 0, s->exact, err);
    if (!rc && x->shards) rc = h5_put_data(o.file, "position", H5T_NATIVE_UINT64, x->n, 0, false, x->position);
    return h5_finish(&o, !rc, err);
}

static int get_int(hid_t file, const char *name, int *out)
{
    hid_t a = H5Aopen(file, name, H5P_DEFAULT);
    int rc = a >= 0 && H5Aread(a, H5T_NATIVE_INT, out) >= 0 ? 0 : -1;
    if (a >= 0) H5Aclose(a);
    return rc;
}

/* The attribute `format` is ours; its character set does not matter. */
static bool is_index(hid_t file)
{
    char s[64] = "";
    hid_t a = H5Aopen(file, "format", H5P_DEFAULT), own = a >= 0 ? H5Aget_type(a) : -1;
    bool ok = own >= 0 && H5Tget_class(own) == H5T_STRING && !H5Tis_variable_str(own) && H5Tget_size(own) < sizeof s &&
              H5Aread(a, own, s) >= 0;
    if (own >= 0) H5Tclose(own);
    if (a >= 0) H5Aclose(a);
    return ok && !strcmp(s, INDEX_FORMAT);
}

/* Rows of a dataset whose other dimension is cols (0: a vector), or -1. */
static long rows_of(hid_t d, size_t cols)
{
    hid_t space = H5Dget_space(d);
    hsize_t dim[2] = {0, 0};
    int rank = H5Sget_simple_extent_ndims(space);
    long n = -1;
    if (rank == (cols ? 2 : 1) && H5Sget_simple_extent_dims(space, dim, NULL) >= 0 && (!cols || dim[1] == cols)) n = (long)dim[0];
    H5Sclose(space);
    return n;
}

/* A text column into x->text[c][0..n-1]: one block of memory, a place of width + 1 bytes for each string. */
static int get_text(hid_t file, int version, int c, index_t *x, size_t n, err_t *err)
{
    hid_t d = H5Dopen2(file, text_dataset(c, version), H5P_DEFAULT), own = d >= 0 ? H5Dget_type(d) : -1, wide = -1;
    size_t width = own >= 0 && H5Tget_class(own) == H5T_STRING && !H5Tis_variable_str(own) ? H5Tget_size(own) : 0;
    int rc = -1;
    if (c >= INDEX_RESOLUTION && d < 0) { /* an older index */
        x->text[c] = mem_new(n, sizeof **x->text, err);
        x->block[c] = mem_zero(n, 1, err);
        for (size_t i = 0; x->text[c] && x->block[c] && i < n; i++) x->text[c][i] = x->block[c] + i;
        x->block_bytes[c] = n;
        rc = x->text[c] && x->block[c] ? 0 : -1;
        goto done;
    }
    if (!width || rows_of(d, 0) != (long)n) goto done;
    wide = H5Tcopy(own); /* one more, so that every string ends */
    H5Tset_size(wide, width + 1);
    H5Tset_strpad(wide, H5T_STR_NULLTERM);
    x->block[c] = mem_new(n, width + 1, err);
    x->text[c] = mem_new(n, sizeof **x->text, err);
    x->block_bytes[c] = n * (width + 1);
    if (!x->block[c] || !x->text[c] || H5Dread(d, wide, H5S_ALL, H5S_ALL, H5P_DEFAULT, x->block[c]) < 0) goto done;
    for (size_t i = 0; i < n; i++) {
        x->text[c][i] = x->block[c] + i * (width + 1);
        x->text[c][i][width] = 0;
    }
    rc = 0;
done:
    if (rc) { /* nothing that index_free would walk */
        mem_free(x->text[c]);
        x->text[c] = NULL;
    }
    if (wide >= 0) H5Tclose(wide);
    if (own >= 0) H5Tclose(own);
    if (d >= 0) H5Dclose(d);
    return rc;
}

/* Let x->cube point into the file, where the dataset lies in it as it is. 0 if so. */
static int map_cubes(hid_t file, const char *path, index_t *x, size_t n)
{
    hid_t d = H5Dopen2(file, "cube", H5P_DEFAULT), type = d >= 0 ? H5Dget_type(d) : -1;
    haddr_t at = type >= 0 && H5Tequal(type, H5T_STD_I8LE) > 0 && rows_of(d, DESC_LEN) == (long)n ? H5Dget_offset(d) : HADDR_UNDEF;
    int fd = at != HADDR_UNDEF ? open(path, O_RDONLY | O_CLOEXEC) : -1, rc = -1;
    struct stat st;
    if (fd >= 0 && !fstat(fd, &st) && at + n * DESC_LEN <= (haddr_t)st.st_size) {
        void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p != MAP_FAILED) {
            x->map = p;
            x->map_bytes = (size_t)st.st_size;
            x->cube = (int8_t *)p + at;
            rc = 0;
        }
    }
    if (fd >= 0) close(fd);
    if (type >= 0) H5Tclose(type);
    if (d >= 0) H5Dclose(d);
    return rc;
}

static int get_array(hid_t file, int k, index_t *x, size_t n, err_t *err)
{
    hid_t d = H5Dopen2(file, array[k].name, H5P_DEFAULT);
    int rc = -1;
    if (d >= 0 && rows_of(d, array[k].cols) == (long)n) {
        void *p = mem_new(n * (array[k].cols ? array[k].cols : 1), array[k].size, err);
        memcpy((char *)x + array[k].at, &p, sizeof p);
        hid_t type = array[k].floats ? H5T_NATIVE_FLOAT : H5T_NATIVE_INT8;
        if (p && H5Dread(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, p) >= 0) rc = 0;
    }
    if (d >= 0) H5Dclose(d);
    return rc;
}

/* Format version into *version. */
static int check_versions(hid_t file, const char *path, int *version, err_t *err)
{
    int v[2] = {0, 0};
    if (!is_index(file) || get_int(file, "format_version", &v[0]) || get_int(file, "cube_version", &v[1]))
        return err_set(err, ERR_FORMAT, "%s: an HDF5 file, but no cryolex index", path);
    if (v[0] < 1 || v[0] > INDEX_VERSION)
        return err_set(err, ERR_UNSUP, "%s: index format %d (this program reads 1 to %d)", path, v[0], INDEX_VERSION);
    if (v[1] != CUBE_VERSION)
        return err_set(err, ERR_UNSUP, "%s: cubes of version %d (this program makes %d): build the index again", path, v[1],
                       CUBE_VERSION);
    *version = v[0];
    return 0;
}

static bool finite_array(const index_t *x, int k)
{
    const float *p = array_of(x, k);
    for (size_t i = 0, n = x->n * (array[k].cols ? array[k].cols : 1); i < n; i++)
        if (!isfinite(p[i])) return false;
    return true;
}

/* What is said to be left out, the model of the embeddings, the scoring. */
static int get_attrs(const h5in_t *in, int version, index_t *x, err_t *err)
{
    char without[64] = "";
    x->scoring = scoring_default;
    x->version = version;
    if (version < 2) return 0;
    if (H5Aexists(in->file, "without") > 0 && h5read_attr_text(in, "without", without, sizeof without, err)) return -1;
    x->store.no_zernike = strstr(without, "zernike");
    x->store.no_profile = strstr(without, "profile");
    for (size_t k = 0; k < SCORING_FIELDS; k++) {
        char name[64];
        snprintf(name, sizeof name, "scoring_%s", scoring_name[k]);
        if (H5Aexists(in->file, name) <= 0) continue;
        if (h5read_attr(in, name, H5T_NATIVE_DOUBLE, scoring_field(&x->scoring, k), err)) return -1;
        x->scored = true;
    }
    x->evidence = evidence_default(x->scoring.text);
    for (size_t k = 0; k < EVIDENCE_NUMBERS; k++) {
        char name[64];
        double *to = evidence_number(&x->evidence, k, name);
        if (H5Aexists(in->file, name) <= 0) continue;
        if (h5read_attr(in, name, H5T_NATIVE_DOUBLE, to, err)) return -1;
        x->evidence.fitted = true;
    }
    err_t own = {0};
    if (scoring_check(&x->scoring, &own) || evidence_check(&x->evidence, &own)) return err_set(err, ERR_FORMAT, "%s: %s", in->path, own.msg);
    if (H5Lexists(in->file, "embeddings", H5P_DEFAULT) <= 0) return 0;
    return h5read_attr_text(in, "model", x->model, sizeof x->model, err) || h5read_attr(in, "frames", H5T_NATIVE_INT, &x->frames, err)
               ? -1
               : 0;
}

static int get_arrays(const h5in_t *in, unsigned parts, index_t *x, err_t *err)
{
    for (int k = 0; k < ARRAYS; k++) {
        if ((array[k].part && !(parts & array[k].part)) || left_out(&x->store, k)) continue;
        if (array[k].part == INDEX_CUBE && (parts & INDEX_MAPPED) && !map_cubes(in->file, in->path, x, x->n)) continue;
        if (array[k].part == INDEX_CUBE) {
            if (h5matrix_bytes(in, array[k].name, x->n, DESC_LEN, &x->cube, err)) return -1;
            continue;
        }
        if (get_array(in->file, k, x, x->n, err))
            return err_set(err, ERR_FORMAT, "%s: /%s: missing, damaged or of another shape", in->path, array[k].name);
        if (!finite_array(x, k)) return err_set(err, ERR_FORMAT, "%s: /%s: a value that is not finite", in->path, array[k].name);
    }
    for (size_t i = 0; i < x->n; i++)
        if (!(x->rg[i] > 0))
            return err_set(err, ERR_FORMAT, "%s: /rg: %g in row %zu (a length above 0)", in->path, (double)x->rg[i], i);
    return 0;
}

/* Of a shard: which, and the rows of the manifest. */
static int get_shard(const h5in_t *in, index_t *x, err_t *err)
{
    uint64_t part[SHARD_ATTRS] = {0};
    if (H5Aexists(in->file, "shards") <= 0) return 0;
    for (int k = 0; k < SHARD_ATTRS; k++)
        if (h5read_attr(in, shard_attr[k], H5T_NATIVE_UINT64, &part[k], err)) return -1;
    x->shard = (size_t)part[0];
    x->shards = (size_t)part[1];
    x->items = (size_t)part[2];
    if (part[0] >= part[1] || part[1] > INDEX_SHARDS_MAX)
        return err_set(err, ERR_FORMAT, "%s: shard %llu of %llu", in->path, (unsigned long long)part[0], (unsigned long long)part[1]);
    if (h5read_data(in, "position", H5T_NATIVE_UINT64, sizeof *x->position, x->n, 0, &x->position, err)) return -1;
    for (size_t i = 0; i < x->n; i++)
        if (x->position[i] >= part[2] || x->position[i] % part[1] != part[0])
            return err_set(err, ERR_FORMAT, "%s: /position: row %llu of a manifest of %llu is not of shard %llu of %llu", in->path, (unsigned long long)x->position[i],
                           (unsigned long long)part[2], (unsigned long long)part[0], (unsigned long long)part[1]);
    return 0;
}

/* How the file is stored. */
static void get_store(hid_t file, indexstore_t *was)
{
    hid_t cube = H5Dopen2(file, "cube", H5P_DEFAULT), plist = cube >= 0 ? H5Dget_create_plist(cube) : -1;
    hid_t z = H5Lexists(file, "embeddings", H5P_DEFAULT) > 0 ? H5Dopen2(file, "embeddings", H5P_DEFAULT) : -1, type = z >= 0 ? H5Dget_type(z) : -1;
    was->compact = plist >= 0 && H5Pget_layout(plist) == H5D_CHUNKED;
    was->float32 = type >= 0 && H5Tget_size(type) == sizeof(float);
    if (type >= 0) H5Tclose(type);
    if (z >= 0) H5Dclose(z);
    if (plist >= 0) H5Pclose(plist);
    if (cube >= 0) H5Dclose(cube);
}

static int get_parts(const h5in_t *in, int version, unsigned parts, index_t *x, err_t *err)
{
    for (int c = 0; c < INDEX_TEXTS; c++)
        if ((parts & INDEX_TEXT(c)) && get_text(in->file, version, c, x, x->n, err))
            return err_set(err, ERR_FORMAT, "%s: /%s: missing, damaged or of another shape", in->path, text_dataset(c, version));
    get_store(in->file, &x->was);
    if (get_attrs(in, version, x, err) || get_shard(in, x, err) || get_arrays(in, parts, x, err)) return -1;
    if ((parts & INDEX_EMBED) && *x->model && h5matrix_unit(in, "embeddings", x->n, &x->d, &x->z, err)) return -1;
    if (version > 1 && (parts & (INDEX_VOCAB | INDEX_VOCAB_EMBED)))
        return terms_read(in->file, in->path, x->n, (parts & INDEX_VOCAB_EMBED) != 0, &x->terms, err);
    return 0;
}

int index_read(const char *path, unsigned parts, index_t *x, err_t *err)
{
    *x = (index_t){0};
    if (access(path, R_OK)) return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    h5_quiet();
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0) return err_set(err, ERR_FORMAT, "%s: no HDF5 file, or a damaged one (an index is wanted)", path);
    int version = 0, rc = check_versions(file, path, &version, err);
    hid_t d = rc ? -1 : H5Dopen2(file, "rg", H5P_DEFAULT);
    long n = d >= 0 ? rows_of(d, 0) : -1;
    if (d >= 0) H5Dclose(d);
    if (!rc && n <= 0) rc = err_set(err, ERR_FORMAT, "%s: /rg: missing or empty", path);
    x->n = x->cap = n > 0 && !rc ? (size_t)n : 0;
    const h5in_t in = {.file = file, .path = path};
    if (!rc) rc = get_parts(&in, version, parts, x, err);
    H5Fclose(file);
    if (rc) index_free(x);
    return rc;
}

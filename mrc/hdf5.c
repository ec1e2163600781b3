/* hdf5: maps in HDF5 files.
 *
 * Layouts, by their authors' descriptions and files:
 *   EMAN2    /MDF/images/N/image, attributes EMAN.* of the group N (images, or volumes with the slowest axis first)
 *   IMOD     the same groups, attributes IMOD.MRC.* of /MDF/images, of N or of the dataset
 *   Chimera  /Chimera/NAME/data_zyx or another order of axes, attributes step, origin, cell_angles, rotation_*; copies of
 *            fewer voxels have an attribute subsample_spacing
 *   else     the only numeric dataset of three dimensions, its slowest axis taken for z
 * Links that lead out of the file are not followed. */
#include "mrc/hdf5.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { VISIT_MAX = 100000 }; /* objects of a file that are looked at */

/* ---- errors ---- */

static herr_t innermost(unsigned n, const H5E_error2_t *e, void *ctx)
{
    const char **desc = ctx;
    (void)n;
    if (!*desc) *desc = e->desc;
    return 0;
}

const char *h5map_why(char *why, size_t n)
{
    const char *desc = NULL;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, innermost, &desc);
    snprintf(why, n, "%s", desc ? desc : "it does not say why");
    return why;
}

/* ---- the file ---- */

static herr_t refuse_link(const char *pf, const char *pg, const char *cf, const char *cg, unsigned *acc, hid_t fapl, void *ctx)
{
    (void)pf, (void)pg, (void)cf, (void)cg, (void)acc, (void)fapl, (void)ctx;
    return -1;
}

/* The image of a file in memory is borrowed, not copied. */
static void *image_malloc(size_t n, H5FD_file_image_op_t op, void *ctx) { (void)n, (void)op; return ((mapfile_t *)ctx)->src.own; }
static void *image_memcpy(void *to, const void *from, size_t n, H5FD_file_image_op_t op, void *ctx)
{
    (void)from, (void)n, (void)op, (void)ctx;
    return to;
}
static void *image_realloc(void *p, size_t n, H5FD_file_image_op_t op, void *ctx) { (void)p, (void)n, (void)op, (void)ctx; return NULL; }
static herr_t image_free(void *p, H5FD_file_image_op_t op, void *ctx) { (void)p, (void)op, (void)ctx; return 0; }
static void *image_copy(void *ctx) { return ctx; }
static herr_t image_drop(void *ctx) { (void)ctx; return 0; }

static int from_memory(mapfile_t *m, hid_t fapl)
{
    H5FD_file_image_callbacks_t cb = {image_malloc, image_memcpy, image_realloc, image_free, image_copy, image_drop, m};
    if (H5Pset_fapl_core(fapl, 1 << 20, 0) < 0) return -1;
    if (m->src.own && H5Pset_file_image_callbacks(fapl, &cb) < 0) return -1; /* else HDF5 copies what the caller owns */
    return H5Pset_file_image(fapl, (void *)(uintptr_t)m->src.mem, m->src.mem_n) < 0 ? -1 : 0;
}

static int open_file(mapfile_t *m, h5map_t *h, err_t *err)
{
    char why[128];
    hid_t fapl = H5Pcreate(H5P_FILE_ACCESS);
    bool ready = fapl >= 0 && H5Pset_fclose_degree(fapl, H5F_CLOSE_STRONG) >= 0;
#if H5_VERSION_GE(1, 10, 7)
    ready = ready && H5Pset_file_locking(fapl, 0, 1) >= 0;
#endif
    if (ready && m->src.mem) ready = !from_memory(m, fapl);
    if (ready) h->file = H5Fopen(m->src.mem ? "memory" : m->name, H5F_ACC_RDONLY, fapl);
    h5map_why(why, sizeof why);
    if (fapl >= 0) H5Pclose(fapl);
    h->access = H5Pcreate(H5P_DATASET_ACCESS);
    if (h->file < 0 && strstr(why, "truncated"))
        return err_set(err, ERR_IO, "%s: an HDF5 file that is cut short (%s)", m->name, why);
    if (h->file < 0) return err_set(err, ERR_FORMAT, "%s: HDF5 cannot open it: %s", m->name, why);
    if (h->access < 0 || H5Pset_elink_cb(h->access, refuse_link, NULL) < 0) return err_set(err, ERR_INTERNAL, "%s: HDF5 fails", m->name);
    return 0;
}

/* ---- objects and attributes ---- */

static bool exists(const h5map_t *h, const char *path)
{
    char part[H5MAP_PATH];
    for (const char *p = path + 1; p; p = strchr(p, '/') ? strchr(p, '/') + 1 : NULL) { /* every step of the way */
        const char *end = strchr(p, '/');
        snprintf(part, sizeof part, "%.*s", (int)(end ? (size_t)(end - path) : strlen(path)), path);
        if (H5Lexists(h->file, part, h->access) <= 0) return false;
    }
    return H5Oexists_by_name(h->file, path, h->access) > 0;
}

/* n numbers of an attribute of the object at path. */
static bool get_attr(const h5map_t *h, const char *path, const char *name, double *x, size_t n)
{
    if (H5Aexists_by_name(h->file, path, name, h->access) <= 0) return false;
    hid_t a = H5Aopen_by_name(h->file, path, name, H5P_DEFAULT, h->access), t = a < 0 ? -1 : H5Aget_type(a), s = a < 0 ? -1 : H5Aget_space(a);
    H5T_class_t c = t < 0 ? H5T_NO_CLASS : H5Tget_class(t);
    bool ok = s >= 0 && (c == H5T_INTEGER || c == H5T_FLOAT) && H5Sget_simple_extent_npoints(s) == (hssize_t)n && H5Aread(a, H5T_NATIVE_DOUBLE, x) >= 0;
    if (s >= 0) H5Sclose(s);
    if (t >= 0) H5Tclose(t);
    if (a >= 0) H5Aclose(a);
    return ok;
}

/* A text attribute, of fixed or variable length, cut to fit. */
static bool get_text(const h5map_t *h, const char *path, const char *name, char *out, size_t n)
{
    bool ok = false;
    *out = 0;
    if (H5Aexists_by_name(h->file, path, name, h->access) <= 0) return false;
    hid_t a = H5Aopen_by_name(h->file, path, name, H5P_DEFAULT, h->access), t = a < 0 ? -1 : H5Aget_type(a), s = a < 0 ? -1 : H5Aget_space(a);
    size_t size = t < 0 ? 0 : H5Tget_size(t);
    if (s >= 0 && H5Tget_class(t) == H5T_STRING && H5Sget_simple_extent_npoints(s) == 1) {
        char *text = NULL;
        if (H5Tis_variable_str(t) > 0) {
            ok = H5Aread(a, t, &text) >= 0 && text;
            if (ok) snprintf(out, n, "%s", text);
            if (ok) H5free_memory(text);
        } else if (size < 65536 && (text = mem_zero(size + 1, 1, NULL))) {
            ok = H5Aread(a, t, text) >= 0;
            if (ok) snprintf(out, n, "%s", text);
            mem_free(text);
        }
    }
    if (s >= 0) H5Sclose(s);
    if (t >= 0) H5Tclose(t);
    if (a >= 0) H5Aclose(a);
    return ok;
}

static int open_dataset(mapfile_t *m, h5map_t *h, err_t *err)
{
    char why[128];
    if (h->dset >= 0) H5Dclose(h->dset);
    h->dset = H5Dopen2(h->file, h->path, h->access);
    if (h->dset >= 0) return 0;
    return err_set(err, ERR_FORMAT, "%s: %s: HDF5 cannot open this dataset: %s", m->name, h->path, h5map_why(why, sizeof why));
}

/* ---- /MDF/images ---- */

typedef struct {
    h5map_t *h;
    size_t cap;
    bool no_memory;
} ids_t;

static herr_t take_id(hid_t group, const char *name, const H5L_info_t *info, void *ctx)
{
    ids_t *x = ctx;
    char *end;
    (void)group, (void)info;
    if (*name < '0' || *name > '9' || strlen(name) > 9) return 0;
    long id = strtol(name, &end, 10);
    if (*end) return 0;
    if (mem_grow(&x->h->id, &x->cap, x->h->ids + 1, sizeof *x->h->id, NULL)) {
        x->no_memory = true;
        return -1;
    }
    x->h->id[x->h->ids++] = id;
    return 0;
}

static int by_number(const void *a, const void *b)
{
    long x = *(const long *)a, y = *(const long *)b;
    return (x > y) - (x < y);
}

static const char mdf[] = "/MDF/images";

/* An attribute of the dataset, of its group or of the whole: IMOD puts the same at each of these places. */
static bool get_mdf(const h5map_t *h, const char *name, double *x)
{
    char group[H5MAP_PATH];
    snprintf(group, sizeof group, "%s/%ld", mdf, h->id[h->one]);
    return get_attr(h, h->path, name, x, 1) || get_attr(h, group, name, x, 1) || get_attr(h, mdf, name, x, 1);
}

/* Three attributes PREFIX + a, b, c; the missing are left. How many there are. */
static int get_three(const h5map_t *h, const char *const name[3], double *x)
{
    int n = 0;
    for (int k = 0; k < 3; k++) n += get_mdf(h, name[k], &x[k]);
    return n;
}

static int use_image(mapfile_t *m, h5map_t *h, size_t k, err_t *err)
{
    if (h->dset >= 0 && h->one == k) return 0;
    h->one = k;
    snprintf(h->path, sizeof h->path, "%s/%ld/image", mdf, h->id[k]);
    if (!exists(h, h->path)) return err_set(err, ERR_FORMAT, "%s: no %s", m->name, h->path);
    return open_dataset(m, h, err);
}

static bool is_set(const h5map_t *h, const char *name)
{
    double x = 0;
    return get_mdf(h, name, &x) && (x > 0 || x < 0);
}

/* EMAN2's numbers. What was packed into integers is unpacked: stored = 2^bits - 1 stands for rendermax. */
static int take_eman(mapfile_t *m, h5map_t *h, err_t *err)
{
    static const char *const sides[3] = {"EMAN.nx", "EMAN.ny", "EMAN.nz"}, *const apix[3] = {"EMAN.apix_x", "EMAN.apix_y", "EMAN.apix_z"},
                             *const origin[3] = {"EMAN.origin_x", "EMAN.origin_y", "EMAN.origin_z"};
    double n[3] = {0}, v[3] = {0}, bits = 0, lo = 0, hi = 0;
    const double d[3] = {(double)m->n[0], (double)m->n[1], (double)m->n[2]};
    if (is_set(h, "EMAN.is_complex")) return err_set(err, ERR_UNSUP, "%s: EMAN.is_complex: a transform (a density is real)", m->name);
    if (get_three(h, sides, n) == 3 && !h->stack && memcmp(n, d, sizeof n) != 0) {
        if (n[0] == d[2] && n[1] == d[1] && n[2] == d[0]) {
            h->reversed = m->whole = true;
            for (int k = 0; k < 3; k++) m->n[k] = (size_t)n[k];
            m->batch = m->n[2];
            notes_add(m->notes, "sides stored as x, y, z, as early EMAN2 did: taken as EMAN.nx, ny, nz say, %g x %g x %g", n[0], n[1], n[2]);
        } else {
            notes_add(m->notes, "EMAN.nx, ny, nz %g, %g, %g, but the data are %g x %g x %g: these are believed", n[0], n[1], n[2], d[0], d[1], d[2]);
        }
    }
    if (get_three(h, apix, v) == 3) format_take_voxel(m, "EMAN.apix_x, y, z", v);
    get_three(h, origin, m->info.place);
    if (get_mdf(h, "EMAN.stored_renderbits", &bits) && bits > 0 && bits <= 32 && get_mdf(h, "EMAN.stored_rendermin", &lo) &&
        get_mdf(h, "EMAN.stored_rendermax", &hi) && hi > lo) {
        h->scale = (hi - lo) / (ldexp(1, (int)bits) - 1);
        h->add = lo;
        notes_add(&m->info.text, "values %g bits for %g to %g", bits, lo, hi);
    } else if (h->kind != RAW_FLOAT32 && h->kind != RAW_FLOAT64 && h->kind != RAW_FLOAT16) {
        notes_add(m->notes, "EMAN2 stores integers scaled to a range that this file does not tell: values are as stored");
    }
    return 0;
}

static int take_imod(mapfile_t *m, h5map_t *h, err_t *err)
{
    static const char *const mx[3] = {"IMOD.MRC.mx", "IMOD.MRC.my", "IMOD.MRC.mz"}, *const len[3] = {"IMOD.MRC.xlen", "IMOD.MRC.ylen", "IMOD.MRC.zlen"},
                             *const origin[3] = {"IMOD.MRC.xorigin", "IMOD.MRC.yorigin", "IMOD.MRC.zorigin"},
                             *const axis[3] = {"IMOD.MRC.mapc", "IMOD.MRC.mapr", "IMOD.MRC.maps"};
    double n[3] = {0}, l[3] = {0}, a[3] = {1, 2, 3};
    if (is_set(h, "IMOD.is_complex") || is_set(h, "IMOD.is_rgb"))
        return err_set(err, ERR_UNSUP, "%s: IMOD.is_complex or is_rgb: no density", m->name);
    if (get_three(h, mx, n) == 3 && get_three(h, len, l) == 3) {
        double v[3];
        for (int k = 0; k < 3; k++) v[k] = n[k] > 0 ? l[k] / n[k] : 0;
        format_take_voxel(m, "IMOD.MRC.xlen / mx", v);
    }
    get_three(h, origin, m->info.place);
    if (get_three(h, axis, a) == 3) {
        int32_t crs[3] = {0};
        for (int k = 0; k < 3; k++)
            if (a[k] >= 1 && a[k] <= 3) crs[k] = (int32_t)a[k];
        if (crs[0] * crs[1] * crs[2] != 6 || crs[0] + crs[1] + crs[2] != 6)
            return err_set(err, ERR_FORMAT, "%s: IMOD.MRC.mapc, mapr, maps %g, %g, %g (a permutation of 1, 2, 3)", m->name, a[0], a[1], a[2]);
        for (int k = 0; k < 3; k++) m->info.axis[k] = crs[k] - 1;
    }
    return 0;
}

static int open_mdf(mapfile_t *m, h5map_t *h, err_t *err)
{
    ids_t x = {.h = h};
    double any;
    H5Literate_by_name(h->file, mdf, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, take_id, &x, h->access);
    if (x.no_memory) return err_set(err, ERR_NOMEM, "%s: no memory for its list of images", m->name);
    if (!h->ids) return err_set(err, ERR_FORMAT, "%s: no image in %s", m->name, mdf);
    qsort(h->id, h->ids, sizeof *h->id, by_number);
    size_t k = m->opts.volume > 0 && (size_t)m->opts.volume <= h->ids ? (size_t)m->opts.volume - 1 : 0;
    h->one = h->ids;
    if (use_image(m, h, k, err) || h5data_check(m, h, err)) return -1;
    if (m->n[2] == 1 && h->ids > 1) { /* images */
        if (h->ids > VOL_SIDE_MAX) return err_set(err, ERR_RANGE, "%s: %zu images (at most %d)", m->name, h->ids, VOL_SIDE_MAX);
        h->stack = m->info.image_stack = true;
        m->n[2] = h->ids;
        m->batch = 1;
    } else {
        m->info.volumes = h->ids;
    }
    m->info.layout = get_mdf(h, "IMOD.MRC.mx", &any) || get_mdf(h, "IMOD.MRC.nxstart", &any) ? "IMOD" : "EMAN2";
    return *m->info.layout == 'I' ? take_imod(m, h, err) : take_eman(m, h, err);
}

/* ---- /Chimera ---- */

typedef struct {
    h5map_t *h;
    const char *group;    /* of which the members are looked at; NULL: those of /Chimera */
    size_t want, seen;    /* which volume, from 0, and how many there are */
    char first[H5MAP_PATH]; /* dataset of the one */
} chimera_t;

static int rank_of(const h5map_t *h, const char *path)
{
    hid_t d = H5Dopen2(h->file, path, h->access), s = d < 0 ? -1 : H5Dget_space(d), t = d < 0 ? -1 : H5Dget_type(d);
    H5T_class_t c = t < 0 ? H5T_NO_CLASS : H5Tget_class(t);
    int rank = s < 0 || (c != H5T_INTEGER && c != H5T_FLOAT) ? 0 : H5Sget_simple_extent_ndims(s);
    if (t >= 0) H5Tclose(t);
    if (s >= 0) H5Sclose(s);
    if (d >= 0) H5Dclose(d);
    return rank;
}

/* Is it the map itself, not a copy of fewer voxels? */
static herr_t take_data(hid_t group, const char *name, const H5L_info_t *info, void *ctx)
{
    chimera_t *x = ctx;
    char path[H5MAP_PATH];
    double step[3] = {1, 1, 1};
    (void)group, (void)info;
    if (snprintf(path, sizeof path, "%s/%s", x->group, name) >= (int)sizeof path || rank_of(x->h, path) != 3) return 0;
    if (H5Aexists_by_name(x->h->file, path, "subsample_spacing", x->h->access) > 0 &&
        (!get_attr(x->h, path, "subsample_spacing", step, 3) || step[0] * step[1] * step[2] != 1))
        return 0;
    if (x->seen == x->want) memcpy(x->first, path, sizeof path);
    return 1; /* one a group */
}

static herr_t take_group(hid_t parent, const char *name, const H5L_info_t *info, void *ctx)
{
    chimera_t *x = ctx;
    char path[H5MAP_PATH];
    (void)parent, (void)info;
    if (snprintf(path, sizeof path, "/Chimera/%s", name) >= (int)sizeof path) return 0;
    x->group = path;
    if (H5Literate_by_name(x->h->file, path, H5_INDEX_NAME, H5_ITER_INC, NULL, take_data, x, x->h->access) > 0) x->seen++;
    x->group = NULL;
    return 0;
}

/* data_zyx: the axes from the slowest to the fastest. */
static void take_order(mapfile_t *m, const char *name)
{
    bool used[3] = {false};
    if (strncmp(name, "data_", 5) != 0 || strlen(name) < 8) return;
    for (int k = 0; k < 3; k++) {
        int a = name[5 + k] - 'x';
        if (a < 0 || a > 2 || used[a]) return;
        used[a] = true;
    }
    for (int k = 0; k < 3; k++) m->info.axis[k] = name[7 - k] - 'x';
}

static int open_chimera(mapfile_t *m, h5map_t *h, err_t *err)
{
    chimera_t x = {.h = h, .want = m->opts.volume > 0 ? (size_t)m->opts.volume - 1 : 0};
    char group[H5MAP_PATH], text[256];
    double v[3], axis[3] = {0, 0, 1}, angle = 0;
    m->info.layout = "Chimera";
    H5Literate_by_name(h->file, "/Chimera", H5_INDEX_NAME, H5_ITER_INC, NULL, take_group, &x, h->access);
    if (!x.seen) return err_set(err, ERR_FORMAT, "%s: no dataset of three dimensions in /Chimera", m->name);
    if (x.seen <= x.want) return err_set(err, ERR_NOTFOUND, "%s: volume %ld (there are %zu)", m->name, m->opts.volume, x.seen);
    memcpy(h->path, x.first, sizeof h->path);
    if (open_dataset(m, h, err) || h5data_check(m, h, err)) return -1;
    m->info.volumes = x.seen;
    memcpy(group, h->path, sizeof group);
    *strrchr(group, '/') = 0;
    take_order(m, strrchr(h->path, '/') + 1);
    if (get_text(h, group, "name", text, sizeof text)) notes_add(&m->info.text, "name %s", text);
    if (get_attr(h, group, "step", v, 3)) format_take_voxel(m, "step", v);
    get_attr(h, group, "origin", m->info.place, 3);
    get_attr(h, group, "cell_angles", m->info.angle, 3);
    get_attr(h, group, "rotation_axis", axis, 3);
    if (get_attr(h, group, "rotation_angle", &angle, 1) && (angle > 0 || angle < 0))
        notes_add(m->notes, "rotation_angle %g about %g, %g, %g is not applied: the map lies along its own axes", angle, axis[0], axis[1], axis[2]);
    return 0;
}

/* ---- anything else ---- */

typedef struct {
    h5map_t *h;
    size_t found, seen;
    char names[160]; /* of the first few */
} visit_t;

static herr_t take_any(hid_t root, const char *name, const H5O_info_t *info, void *ctx)
{
    visit_t *x = ctx;
    char path[H5MAP_PATH];
    (void)root;
    if (++x->seen > VISIT_MAX) return 1;
    if (info->type != H5O_TYPE_DATASET || snprintf(path, sizeof path, "/%s", name) >= (int)sizeof path || rank_of(x->h, path) != 3) return 0;
    if (!x->found++) memcpy(x->h->path, path, sizeof path);
    if (strlen(x->names) + strlen(path) + 3 < sizeof x->names) {
        if (*x->names) strcat(x->names, ", ");
        strcat(x->names, path);
    }
    return 0;
}

static int open_any(mapfile_t *m, h5map_t *h, err_t *err)
{
    visit_t x = {.h = h};
    m->info.layout = "one dataset";
#if H5_VERSION_GE(1, 10, 3)
    H5Ovisit2(h->file, H5_INDEX_NAME, H5_ITER_INC, take_any, &x, H5O_INFO_BASIC);
#else
    H5Ovisit(h->file, H5_INDEX_NAME, H5_ITER_INC, take_any, &x);
#endif
    if (!x.found) return err_set(err, ERR_UNSUP, "%s: HDF5, but no numeric dataset of three dimensions", m->name);
    if (x.found > 1)
        return err_set(err, ERR_UNSUP, "%s: HDF5 of no layout that we know, with %zu datasets of three dimensions: %s", m->name, x.found, x.names);
    if (open_dataset(m, h, err) || h5data_check(m, h, err)) return -1;
    notes_add(m->notes, "HDF5 of no layout that we know: %s is its only dataset of three dimensions, taken as z, y, x", h->path);
    return 0;
}

/* What is no density, though it may hold datasets of three dimensions. */
static int refuse_others(mapfile_t *m, const h5map_t *h, err_t *err)
{
    static const struct {
        const char *path, *attr, *value, *what;
    } rows[] = {
        {"/", "format", "segger", "a Segger segmentation"},
        {"/segments", NULL, NULL, "an EMDB-SFF segmentation"},
        {"/segment_list", NULL, NULL, "an EMDB-SFF segmentation"},
        {"/", "file_format", "HyperSpy", "a HyperSpy signal"},
        {"/Experiments", NULL, NULL, "a HyperSpy signal"},
        {"/Scan 0/EBSD", NULL, NULL, "diffraction patterns (EBSD)"},
        {"/", "format", "cryolex", "an index or a data set of CryoLex"},
    };
    char text[64];
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        bool is = strcmp(rows[k].path, "/") == 0 || exists(h, rows[k].path);
        if (is && rows[k].attr) is = get_text(h, rows[k].path, rows[k].attr, text, sizeof text) && !strncmp(text, rows[k].value, strlen(rows[k].value));
        if (is) return err_set(err, ERR_UNSUP, "%s: HDF5, %s (a map is of EMAN2, IMOD or Chimera)", m->name, rows[k].what);
    }
    return 0;
}

int h5map_open(mapfile_t *m, h5map_t *h, err_t *err)
{
    int rc;
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    if (open_file(m, h, err)) return -1;
    if (exists(h, mdf)) rc = open_mdf(m, h, err);
    else if (exists(h, "/Chimera")) rc = open_chimera(m, h, err);
    else rc = refuse_others(m, h, err) ? -1 : open_any(m, h, err);
    if (!rc) notes_add(&m->info.text, "dataset %s", h->path);
    return rc;
}

int h5map_sections(mapfile_t *m, h5map_t *h, size_t z0, size_t nz, float *out, err_t *err)
{
    const size_t plane = m->n[0] * m->n[1];
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    if (!h->stack) return h5data_read(m, h, z0, nz, out, err);
    for (size_t k = 0; k < nz; k++) { /* each is checked, and must be like the first */
        const size_t n[3] = {m->n[0], m->n[1], m->n[2]};
        if (use_image(m, h, z0 + k, err) || h5data_check(m, h, err)) return -1;
        bool same = m->n[0] == n[0] && m->n[1] == n[1] && m->n[2] == 1;
        memcpy(m->n, n, sizeof m->n);
        if (!same) return err_set(err, ERR_UNSUP, "%s: %s: images of different sizes", m->name, h->path);
        if (h5data_read(m, h, 0, 1, out + k * plane, err)) return -1;
    }
    return 0;
}

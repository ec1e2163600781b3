/* h5data: the values of a map in HDF5 (see hdf5.h). What a dataset claims is not trusted: its sides, its chunks and what it stores are
 * compared before anything is read. */
#include <string.h>

#include "base/mem.h"
#include "mrc/hdf5.h"

enum { LAYER_MAX = 256 << 20 }; /* bytes of a layer of chunks that are held while a map is read plane by plane */
enum { DEFLATE_MOST = 1032, SPARSE = 64 << 20 };

/* Filters that files of the field use and HDF5 does not have. */
static const char *filter_name(H5Z_filter_t id, const char *own)
{
    static const struct {
        H5Z_filter_t id;
        const char *name;
    } known[] = {{H5Z_FILTER_SZIP, "szip"}, {305, "lzo"},        {307, "bzip2"},     {32000, "lzf"},   {32001, "blosc"}, {32004, "lz4"},
                 {32008, "bitshuffle"},     {32013, "zfp"},      {32015, "zstd"},    {32017, "sz"},    {32019, "jpeg"},  {32026, "blosc2"},
                 {H5Z_FILTER_DEFLATE, "deflate"}, {H5Z_FILTER_SHUFFLE, "shuffle"}, {H5Z_FILTER_FLETCHER32, "fletcher32"},
                 {H5Z_FILTER_NBIT, "nbit"}, {H5Z_FILTER_SCALEOFFSET, "scaleoffset"}};
    for (size_t k = 0; k < sizeof known / sizeof *known; k++)
        if (known[k].id == id) return known[k].name;
    return *own ? own : "unknown";
}

/* Is every filter here? *packs: one of them makes bytes fewer; *other: one that is not deflate does. */
static int check_filters(mapfile_t *m, const h5map_t *h, hid_t plist, bool *packs, bool *other, err_t *err)
{
    char list[256] = "", own[64];
    int n = H5Pget_nfilters(plist);
    for (int k = 0; k < n; k++) {
        unsigned flags, config;
        size_t values = 0;
        own[0] = 0;
        H5Z_filter_t id = H5Pget_filter2(plist, (unsigned)k, &flags, &values, NULL, sizeof own, own, &config);
        own[sizeof own - 1] = 0;
        const char *name = filter_name(id, own);
        if (id < 0) return err_set(err, ERR_FORMAT, "%s: %s: a damaged list of filters", m->name, h->path);
        if (H5Zfilter_avail(id) <= 0)
            return err_set(err, ERR_UNSUP, "%s: %s: compressed by HDF5's filter %d (%s), which is not installed here (HDF5_PLUGIN_PATH names the folder of plugins)",
                           m->name, h->path, (int)id, name);
        snprintf(list + strlen(list), sizeof list - strlen(list), " %s", name);
        *packs = *packs || (id != H5Z_FILTER_SHUFFLE && id != H5Z_FILTER_FLETCHER32);
        *other = *other || (id != H5Z_FILTER_SHUFFLE && id != H5Z_FILTER_FLETCHER32 && id != H5Z_FILTER_DEFLATE);
    }
    if (n > 0 && !h->told) notes_add(&m->info.text, "filters%s", list);
    return 0;
}

static int check_type(mapfile_t *m, h5map_t *h, err_t *err)
{
    static const raw_t ints[2][9] = {{[1] = RAW_UINT8, [2] = RAW_UINT16, [4] = RAW_UINT32, [8] = RAW_UINT64},
                                     {[1] = RAW_INT8, [2] = RAW_INT16, [4] = RAW_INT32, [8] = RAW_INT64}};
    static const raw_t floats[9] = {[2] = RAW_FLOAT16, [4] = RAW_FLOAT32, [8] = RAW_FLOAT64};
    hid_t t = H5Dget_type(h->dset);
    H5T_class_t c = t < 0 ? H5T_NO_CLASS : H5Tget_class(t);
    size_t size = t < 0 ? 0 : H5Tget_size(t);
    bool is_signed = t >= 0 && c == H5T_INTEGER && H5Tget_sign(t) == H5T_SGN_2;
    if (t >= 0 && (c == H5T_INTEGER || c == H5T_FLOAT)) m->info.big_endian = H5Tget_order(t) == H5T_ORDER_BE;
    if (t >= 0) H5Tclose(t);
    if (c == H5T_COMPOUND) return err_set(err, ERR_UNSUP, "%s: %s: a compound type, as of complex numbers (a density is of numbers)", m->name, h->path);
    bool good = (c == H5T_INTEGER && (size == 1 || size == 2 || size == 4 || size == 8)) || (c == H5T_FLOAT && (size == 2 || size == 4 || size == 8));
    if (!good) return err_set(err, ERR_UNSUP, "%s: %s: values of class %d and %zu bytes (a density has integers or floats)", m->name, h->path, (int)c, size);
    h->kind = c == H5T_INTEGER ? ints[is_signed][size] : floats[size];
    m->info.type = raw_name(h->kind);
    return 0;
}

static int check_shape(mapfile_t *m, h5map_t *h, err_t *err)
{
    static const char *const sides[3] = {"side (fastest)", "side (middle)", "side (slowest)"};
    hsize_t d[3] = {1, 1, 1};
    hid_t s = H5Dget_space(h->dset);
    int rank = s < 0 ? -1 : H5Sget_simple_extent_ndims(s);
    if (rank == 2) H5Sget_simple_extent_dims(s, d + 1, NULL);
    if (rank == 3) H5Sget_simple_extent_dims(s, d, NULL);
    if (s >= 0) H5Sclose(s);
    if (rank != 2 && rank != 3) return err_set(err, ERR_UNSUP, "%s: %s: %d dimensions (a density has 3)", m->name, h->path, rank);
    const double n[3] = {(double)d[2], (double)d[1], (double)d[0]};
    if (format_check_sides(m, sides, n, err)) return -1;
    for (int k = 0; k < 3; k++) m->n[k] = (size_t)d[2 - k];
    return 0;
}

/* No side above the most that the file allows it: libhdf5 1.10 takes such a file and reads past its own memory. */
static int check_extent(const mapfile_t *m, const h5map_t *h, err_t *err)
{
    hsize_t d[H5S_MAX_RANK], most[H5S_MAX_RANK];
    hid_t space = H5Dget_space(h->dset);
    int rank = space < 0 ? -1 : H5Sget_simple_extent_dims(space, d, most), k = 0;
    if (space >= 0) H5Sclose(space);
    while (k < rank && (most[k] == H5S_UNLIMITED || d[k] <= most[k])) k++;
    if (rank >= 0 && k == rank) return 0;
    return err_set(err, ERR_FORMAT, "%s: %s: its size makes no sense: damaged", m->name, h->path);
}

/* What the dataset claims against what is stored. */
static int check_stored(mapfile_t *m, const h5map_t *h, size_t claims, bool packs, bool other, bool chunks, err_t *err)
{
    const double stored = (double)H5Dget_storage_size(h->dset);
    haddr_t at = H5Dget_offset(h->dset);
    if (!(stored > 0)) return err_set(err, ERR_FORMAT, "%s: %s: no data are stored", m->name, h->path);
    if (stored > (double)m->src.size)
        return err_set(err, ERR_IO, "%s: %s: claims %.0f stored bytes of a file of %zu", m->name, h->path, stored, m->src.size);
    if (!chunks && (stored < (double)claims || (at != HADDR_UNDEF && (double)at + stored > (double)m->src.size)))
        return err_set(err, ERR_IO, "%s: %s: cut short: %.0f bytes are stored, %zu are claimed", m->name, h->path, stored, claims);
    const double most = !packs ? stored : stored * DEFLATE_MOST;
    if (chunks && !other && (double)claims > most && claims > SPARSE)
        return err_set(err, ERR_FORMAT, "%s: %s: %.0f stored bytes cannot be the %zu that are claimed", m->name, h->path, stored, claims);
    return 0;
}

/* A layer of chunks is held where planes are asked for one by one; else chunks come and go. */
static void set_batch(mapfile_t *m, h5map_t *h, hid_t plist)
{
    hsize_t c[3] = {1, 1, 1};
    int rank = H5Pget_chunk(plist, 3, c);
    if (rank == 2) c[2] = c[1], c[1] = c[0], c[0] = 1;
    if (rank < 2) return;
    double layer = (double)raw_bytes(h->kind) * (double)c[0], one = layer * (double)c[1] * (double)c[2];
    for (int k = 1; k < 3; k++) layer *= (double)c[k] * (double)((m->n[2 - k] + c[k] - 1) / c[k]);
    m->batch = c[0] < m->n[2] ? (size_t)c[0] : m->n[2];
    m->extra = (size_t)(2 * one); /* as stored, and decoded; chunks are below 4 GB */
    if (!h->told) notes_add(&m->info.text, "chunks %zu x %zu x %zu", (size_t)c[2], (size_t)c[1], (size_t)c[0]);
    if (!m->by_planes || layer > LAYER_MAX || h->stack) return;
    hid_t again, access = H5Dget_access_plist(h->dset);
    if (access < 0) return;
    if (H5Pset_chunk_cache(access, 10007, (size_t)layer, 1) >= 0 && (again = H5Dopen2(h->file, h->path, access)) >= 0) {
        H5Dclose(h->dset);
        h->dset = again;
        m->extra += (size_t)layer;
    }
    H5Pclose(access);
}

int h5data_check(mapfile_t *m, h5map_t *h, err_t *err)
{
    bool packs = false, other = false;
    int rc = -1;
    if (check_extent(m, h, err) || check_type(m, h, err) || check_shape(m, h, err)) return -1;
    hid_t plist = H5Dget_create_plist(h->dset);
    if (plist < 0) return err_set(err, ERR_FORMAT, "%s: %s: HDF5 cannot tell how it is stored", m->name, h->path);
    H5D_layout_t layout = H5Pget_layout(plist);
    size_t claims = raw_bytes(h->kind) * m->n[0] * m->n[1] * m->n[2];
    if (layout == H5D_VIRTUAL || H5Pget_external_count(plist) > 0) {
        err_set(err, ERR_UNSUP, "%s: %s: its values lie in other files", m->name, h->path);
        goto done;
    }
    if (check_filters(m, h, plist, &packs, &other, err) || check_stored(m, h, claims, packs, other, layout == H5D_CHUNKED, err)) goto done;
    if (layout == H5D_CHUNKED) set_batch(m, h, plist);
    h->told = true;
    rc = 0;
done:
    H5Pclose(plist);
    return rc;
}

int h5data_read(const mapfile_t *m, const h5map_t *h, size_t z0, size_t nz, float *out, err_t *err)
{
    char why[128];
    const size_t plane = m->n[0] * m->n[1];
    hid_t space = H5Dget_space(h->dset), mem = -1;
    int rc = -1, rank = space < 0 ? 0 : H5Sget_simple_extent_ndims(space);
    if (rank == 3 && !h->reversed) {
        hsize_t start[3] = {z0, 0, 0}, count[3] = {nz, m->n[1], m->n[0]};
        if (H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) < 0) rank = 0;
    }
    hsize_t all = nz * plane;
    if (rank >= 2 && H5Sget_select_npoints(space) == (hssize_t)all) mem = H5Screate_simple(1, &all, NULL);
    if (mem >= 0 && H5Dread(h->dset, H5T_NATIVE_FLOAT, mem, space, H5P_DEFAULT, out) >= 0) rc = 0;
    if (rc) err_set(err, ERR_FORMAT, "%s: %s: HDF5 cannot read it: %s", m->name, h->path, h5map_why(why, sizeof why));
    if (mem >= 0) H5Sclose(mem);
    if (space >= 0) H5Sclose(space);
    const double scale = h->scale, add = h->add;
    for (size_t i = 0; !rc && (scale > 0 || scale < 0) && i < nz * plane; i++) out[i] = (float)((double)out[i] * scale + add);
    return rc;
}

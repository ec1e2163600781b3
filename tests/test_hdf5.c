/* test_hdf5: maps in HDF5, made here by libhdf5: each layout, type and way of storing; one fault a row; nothing printed. */
#include "tests/h5faults.h"
#include "tests/volfile.h"

#include <hdf5.h>
#include <fcntl.h>

#include "base/mem.h"
#include "mrc/planes.h"

static hid_t file;
static float values[VN];

static const char *path(void) { return volfile_path(".h5"); }

static void begin(void)
{
    file = H5Fcreate(path(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(file >= 0);
}

static void end(void) { assert_true(H5Fclose(file) >= 0); }

/* The groups on the way to a dataset are made, too. */
static hid_t links(void)
{
    hid_t l = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(l, 1);
    return l;
}

typedef struct {
    hid_t type;
    const hsize_t *chunk;
    bool deflate, shuffle, fletcher;
    hsize_t dims[3]; /* 0: VZ, VY, VX */
    int rank;        /* 0: 3 */
    const float *data;
} how_t;

static void put(const char *name, how_t h)
{
    const hsize_t whole[3] = {VZ, VY, VX};
    int rank = h.rank ? h.rank : 3;
    hid_t l = links(), p = H5Pcreate(H5P_DATASET_CREATE), s = H5Screate_simple(rank, h.dims[0] ? h.dims : whole, NULL);
    if (h.chunk) H5Pset_chunk(p, rank, h.chunk);
    if (h.shuffle) H5Pset_shuffle(p);
    if (h.deflate) H5Pset_deflate(p, 6);
    if (h.fletcher) H5Pset_fletcher32(p);
    hid_t d = H5Dcreate2(file, name, h.type ? h.type : H5T_IEEE_F32LE, s, l, p, H5P_DEFAULT);
    assert_true(d >= 0);
    assert_true(H5Dwrite(d, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, h.data ? h.data : values) >= 0);
    H5Dclose(d);
    H5Sclose(s);
    H5Pclose(p);
    H5Pclose(l);
}

static void attr(const char *object, const char *name, hid_t type, size_t n, const double *x)
{
    hsize_t k = n;
    hid_t s = H5Screate_simple(1, &k, NULL), a = H5Acreate_by_name(file, object, name, type, s, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(a >= 0 && H5Awrite(a, H5T_NATIVE_DOUBLE, x) >= 0);
    H5Aclose(a);
    H5Sclose(s);
}

static void number(const char *object, const char *name, double x) { attr(object, name, H5T_IEEE_F32LE, 1, &x); }

static void text(const char *object, const char *name, const char *value)
{
    hid_t t = H5Tcopy(H5T_C_S1), s = H5Screate(H5S_SCALAR);
    H5Tset_size(t, strlen(value) + 1);
    hid_t a = H5Acreate_by_name(file, object, name, t, s, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(a >= 0 && H5Awrite(a, t, value) >= 0);
    H5Aclose(a);
    H5Sclose(s);
    H5Tclose(t);
}

static const double place[3] = {7, -2, 3.25};

/* Numbers of EMAN2 for the image k, as floats and as integers, all of them one-element arrays. */
static void eman(const char *group)
{
    static const char *const names[3][3] = {{"EMAN.nx", "EMAN.ny", "EMAN.nz"}, {"EMAN.apix_x", "EMAN.apix_y", "EMAN.apix_z"}, {"EMAN.origin_x", "EMAN.origin_y", "EMAN.origin_z"}};
    const double n[3] = {VX, VY, VZ}, v[3] = {1.5, 1.5, 1.5};
    for (int k = 0; k < 3; k++) {
        attr(group, names[0][k], H5T_STD_I32LE, 1, &n[k]);
        attr(group, names[1][k], H5T_IEEE_F64BE, 1, &v[k]);
        attr(group, names[2][k], H5T_IEEE_F32LE, 1, &place[k]);
    }
}

static void imod(const char *object)
{
    static const char *const names[] = {"mx", "my", "mz", "xlen", "ylen", "zlen", "xorigin", "yorigin", "zorigin", "mapc", "mapr", "maps"};
    const double x[] = {VX, VY, VZ, 1.5 * VX, 1.5 * VY, 1.5 * VZ, place[0], place[1], place[2], 1, 2, 3};
    char name[64];
    for (size_t k = 0; k < 12; k++) {
        snprintf(name, sizeof name, "IMOD.MRC.%s", names[k]);
        number(object, name, x[k]);
    }
}

static void chimera(const char *group)
{
    attr(group, "step", H5T_IEEE_F32LE, 3, (const double[]){1.5, 1.5, 1.5});
    attr(group, "origin", H5T_IEEE_F64LE, 3, place);
    attr(group, "cell_angles", H5T_IEEE_F32LE, 3, (const double[]){90, 90, 90});
    text(group, "name", "made here");
}

static void every_type_and_storage(void **state)
{
    (void)state;
    static const hsize_t chunks[][3] = {{1, VY, VX}, {2, 3, 4}, {VZ, VY, VX}, {3, 1, 7}};
    const hid_t types[] = {H5T_STD_I8LE, H5T_STD_U8LE, H5T_STD_I16BE, H5T_STD_U16LE, H5T_STD_I32LE, H5T_STD_U32BE, H5T_STD_I64LE, H5T_STD_U64BE,
                           H5T_IEEE_F32LE, H5T_IEEE_F32BE, H5T_IEEE_F64LE, H5T_IEEE_F64BE};
    for (size_t t = 0; t < sizeof types / sizeof *types; t++)
        for (size_t c = 0; c < 5; c++) {
            begin();
            put("/MDF/images/0/image", (how_t){.type = types[t], .chunk = c ? chunks[c - 1] : NULL, .deflate = c > 1, .shuffle = c > 2, .fletcher = c == 2});
            eman("/MDF/images/0");
            end();
            volfile_reads("EMAN2", path(), NULL, 1.5, place);
        }
    hid_t half = H5Tcopy(H5T_IEEE_F32LE); /* float16 is no type of HDF5's own */
    H5Tset_fields(half, 15, 10, 5, 0, 10);
    H5Tset_size(half, 2);
    H5Tset_ebias(half, 15);
    begin();
    put("/one", (how_t){.type = half});
    end();
    H5Tclose(half);
    volfile_reads("float16", path(), NULL, 0, NULL);
}

static void layouts(void **state)
{
    (void)state;
    static const char *const at[] = {"/MDF/images", "/MDF/images/0", "/MDF/images/0/image"};
    for (int k = 0; k < 3; k++) {
        begin();
        put("/MDF/images/0/image", (how_t){.chunk = (const hsize_t[]){1, VY, VX}});
        imod(at[k]);
        end();
        volfile_reads(at[k], path(), NULL, 1.5, place);
    }
    begin(); /* sides the wrong way round, as EMAN2 once wrote them */
    put("/MDF/images/0/image", (how_t){.dims = {VX, VY, VZ}});
    eman("/MDF/images/0");
    end();
    volfile_reads("reversed", path(), NULL, 1.5, place);
    volfile_notes("reversed", path(), "as early EMAN2 did");
    /* every order of axes of Chimera */
    static const char orders[6][4] = {"zyx", "zxy", "yzx", "yxz", "xzy", "xyz"};
    for (int k = 0; k < 6; k++) {
        const size_t n[3] = {VX, VY, VZ};
        size_t a[3], i[3];
        hsize_t d[3];
        float turned[VN], *out = turned;
        char name[64];
        for (int j = 0; j < 3; j++) a[j] = (size_t)(orders[k][j] - 'x'), d[j] = n[a[j]];
        for (i[a[0]] = 0; i[a[0]] < d[0]; i[a[0]]++)
            for (i[a[1]] = 0; i[a[1]] < d[1]; i[a[1]]++)
                for (i[a[2]] = 0; i[a[2]] < d[2]; i[a[2]]++) *out++ = volfile_value(i[0], i[1], i[2]);
        snprintf(name, sizeof name, "/Chimera/any name/data_%s", orders[k]);
        begin();
        put("/Chimera/any name/data_2", (how_t){.dims = {1, 2, 3}});
        attr("/Chimera/any name/data_2", "subsample_spacing", H5T_STD_I32LE, 3, (const double[]){2, 2, 2});
        put(name, (how_t){.dims = {d[0], d[1], d[2]}, .data = turned, .deflate = true, .chunk = (const hsize_t[]){2, 2, 2}});
        chimera("/Chimera/any name");
        end();
        volfile_reads(name, path(), NULL, 1.5, place);
    }
    begin(); /* all fields missing */
    put("/Chimera/image1/data_zyx", (how_t){.rank = 3});
    end();
    volfile_reads("Chimera, no field", path(), NULL, 0, NULL);
    begin();
    put("/a/b/c", (how_t){.rank = 3});
    put("/a/line", (how_t){.rank = 1, .dims = {3}});
    end();
    volfile_reads("one dataset", path(), NULL, 0, NULL);
    volfile_notes("one dataset", path(), "/a/b/c is its only dataset");
}

static void stacks(void **state)
{
    (void)state;
    char name[64];
    float other[VN] = {0};
    begin(); /* volumes, by number and not by name: 9, 10 */
    put("/MDF/images/10/image", (how_t){.rank = 3});
    put("/MDF/images/9/image", (how_t){.data = other});
    eman("/MDF/images/10");
    end();
    volfile_reads("second volume", path(), &(mrc_opts_t){.volume = 2}, 1.5, place);
    volfile_fails("which volume", path(), NULL, ERR_USAGE, "a stack of 2 volumes");
    volfile_fails("third volume", path(), &(mrc_opts_t){.volume = 3}, ERR_NOTFOUND, "volume 3 (there are 2)");
    begin();
    put("/Chimera/a/data_zyx", (how_t){.data = other});
    put("/Chimera/b/data_zyx", (how_t){.rank = 3});
    chimera("/Chimera/b");
    end();
    volfile_reads("second of Chimera", path(), &(mrc_opts_t){.volume = 2}, 1.5, place);
    volfile_fails("third of Chimera", path(), &(mrc_opts_t){.volume = 3}, ERR_NOTFOUND, "volume 3 (there are 2)");
    begin();
    for (size_t k = 0; k < VZ; k++) {
        snprintf(name, sizeof name, "/MDF/images/%zu/image", k);
        put(name, (how_t){.rank = 2, .dims = {VY, VX}, .data = values + k * VX * VY});
    }
    end();
    volfile_reads("images", path(), &(mrc_opts_t){.images = true}, 0, NULL);
    volfile_fails("images", path(), NULL, ERR_UNSUP, "a stack of 5 images");
    file = H5Fopen(path(), H5F_ACC_RDWR, H5P_DEFAULT);
    put("/MDF/images/5/image", (how_t){.rank = 2, .dims = {VX, VY}});
    end();
    volfile_fails("images", path(), &(mrc_opts_t){.images = true, .apix = 1}, ERR_UNSUP, "/MDF/images/5/image: images of different sizes");
}

static void packed_integers(void **state)
{
    (void)state;
    mrc_opts_t o = {.any_voxel = true};
    begin();
    put("/MDF/images/0/image", (how_t){.type = H5T_STD_U8LE});
    number("/MDF/images/0", "EMAN.stored_renderbits", 8);
    number("/MDF/images/0", "EMAN.stored_rendermin", -1);
    number("/MDF/images/0", "EMAN.stored_rendermax", 2);
    end();
    vol_t *v = map_read(path(), &o, NULL, NULL, NULL);
    assert_non_null(v);
    for (size_t i = 0; i < VN; i++) assert_close((double)v->data[i], (double)values[i] / 255 * 3 - 1, 1e-6);
    vol_free(v);
    begin();
    put("/MDF/images/0/image", (how_t){.type = H5T_STD_U8LE});
    end();
    volfile_notes("integers", path(), "values are as stored");
}

/* ---- one fault a row ---- */

static void fault_type(const char *name)
{
    hid_t s = H5Screate_simple(3, (const hsize_t[]){VZ, VY, VX}, NULL), t = H5Tcreate(H5T_COMPOUND, 8), l = links();
    H5Tinsert(t, "r", 0, H5T_IEEE_F32LE);
    H5Tinsert(t, "i", 4, H5T_IEEE_F32LE);
    hid_t d = H5Dcreate2(file, name, t, s, l, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(d >= 0);
    H5Dclose(d);
    H5Tclose(t);
    H5Sclose(s);
    H5Pclose(l);
}

/* A dataset of which nothing is written, of these sides. */
static void empty(hsize_t n, bool chunked, bool deflate, bool one)
{
    const hsize_t dims[3] = {n, n, n}, chunk[3] = {10, 10, 10};
    hid_t s = H5Screate_simple(3, dims, NULL), p = H5Pcreate(H5P_DATASET_CREATE);
    if (chunked) H5Pset_chunk(p, 3, chunk);
    if (deflate) H5Pset_deflate(p, 9);
    hid_t d = H5Dcreate2(file, "/d", H5T_IEEE_F32LE, s, H5P_DEFAULT, p, H5P_DEFAULT);
    assert_true(d >= 0);
    if (one) {
        float x = 1;
        const hsize_t a[3] = {0}, c[3] = {1, 1, 1};
        hid_t m = H5Screate_simple(3, c, NULL);
        H5Sselect_hyperslab(s, H5S_SELECT_SET, a, NULL, c, NULL);
        assert_true(H5Dwrite(d, H5T_NATIVE_FLOAT, m, s, H5P_DEFAULT, &x) >= 0);
        H5Sclose(m);
    }
    H5Dclose(d);
    H5Sclose(s);
    H5Pclose(p);
}

static size_t filter(unsigned flags, size_t count, const unsigned v[], size_t nbytes, size_t *size, void **buf)
{
    (void)flags, (void)count, (void)v, (void)size, (void)buf;
    return nbytes;
}

/* Written through a filter that is then taken away. */
static void missing_filter(void)
{
    const H5Z_class2_t c = {H5Z_CLASS_T_VERS, 32015, 1, 1, "zstandard of a test", NULL, NULL, filter};
    hid_t s = H5Screate_simple(3, (const hsize_t[]){VZ, VY, VX}, NULL), p = H5Pcreate(H5P_DATASET_CREATE);
    assert_true(H5Zregister(&c) >= 0);
    H5Pset_chunk(p, 3, (const hsize_t[]){VZ, VY, VX});
    H5Pset_filter(p, 32015, 0, 0, NULL);
    hid_t d = H5Dcreate2(file, "/d", H5T_IEEE_F32LE, s, H5P_DEFAULT, p, H5P_DEFAULT);
    assert_true(d >= 0 && H5Dwrite(d, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Dclose(d);
    H5Sclose(s);
    H5Pclose(p);
}

static void make_fault(const char *fault)
{
    const char *image = "/MDF/images/0/image";
    double x[3] = {2, 2, 2};
    begin();
    if (!strcmp(fault, "no image")) H5Gclose(H5Gcreate2(file, "/MDF", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)), H5Gclose(H5Gcreate2(file, "/MDF/images", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    if (!strcmp(fault, "no dataset")) put("/MDF/images/0/imagine", (how_t){.rank = 3});
    if (!strcmp(fault, "compound")) fault_type(image);
    if (!strcmp(fault, "line")) put(image, (how_t){.rank = 1, .dims = {VN}});
    if (!strcmp(fault, "complex") || !strcmp(fault, "imod complex")) put(image, (how_t){.rank = 3});
    if (!strcmp(fault, "complex")) number("/MDF/images/0", "EMAN.is_complex", 1);
    if (!strcmp(fault, "imod complex")) imod("/MDF/images"), number("/MDF/images", "IMOD.is_complex", 1);
    if (!strcmp(fault, "axes")) {
        put(image, (how_t){.rank = 3});
        imod("/MDF/images/0");
        H5Adelete_by_name(file, "/MDF/images/0", "IMOD.MRC.mapr", H5P_DEFAULT);
        number("/MDF/images/0", "IMOD.MRC.mapr", 3);
    }
    if (!strcmp(fault, "only samples")) put("/Chimera/a/data_zyx", (how_t){.rank = 3}), attr("/Chimera/a/data_zyx", "subsample_spacing", H5T_STD_I32LE, 3, x);
    if (!strcmp(fault, "two")) put("/a", (how_t){.rank = 3}), put("/b/c", (how_t){.rank = 3});
    if (!strcmp(fault, "none")) put("/a", (how_t){.rank = 1, .dims = {4}});
    if (!strcmp(fault, "terabytes") || !strcmp(fault, "bomb")) empty(30000, true, !strcmp(fault, "bomb"), true);
    if (!strcmp(fault, "unwritten") || !strcmp(fault, "contiguous")) empty(30000, !strcmp(fault, "unwritten"), false, false);
    if (!strcmp(fault, "side")) empty(40000, true, true, true);
    if (!strcmp(fault, "filter")) missing_filter();
    if (!strcmp(fault, "segger")) put("/mask", (how_t){.rank = 3}), text("/", "format", "segger");
    if (!strcmp(fault, "sff")) put("/segments/1/mask", (how_t){.rank = 3});
    if (!strcmp(fault, "index")) put("/x", (how_t){.rank = 3}), text("/", "format", "cryolex-index");
    if (!strcmp(fault, "link")) assert_true(H5Lcreate_external("elsewhere.h5", "/MDF", file, "/MDF", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    if (!strcmp(fault, "raw") || !strcmp(fault, "virtual")) {
        hid_t p = H5Pcreate(H5P_DATASET_CREATE), s = H5Screate_simple(3, (const hsize_t[]){VZ, VY, VX}, NULL);
        if (*fault == 'r') H5Pset_external(p, "elsewhere.raw", 0, 4 * VN);
        else H5Pset_virtual(p, s, "elsewhere.h5", "/d", s);
        H5Dclose(H5Dcreate2(file, "/d", H5T_IEEE_F32LE, s, H5P_DEFAULT, p, H5P_DEFAULT));
        H5Sclose(s);
        H5Pclose(p);
    }
    if (!strcmp(fault, "cut") || !strcmp(fault, "nothing")) put("/d", (how_t){.rank = 3});
    end();
    H5Zunregister(32015);
    if (!strcmp(fault, "cut")) assert_int_equal(truncate(path(), 2500), 0);
    if (!strcmp(fault, "nothing")) assert_int_equal(truncate(path(), 8), 0);
}

static void one_fault_a_row(void **state)
{
    (void)state;
    static const struct {
        const char *fault;
        errcode_t code;
        const char *says;
    } rows[] = {
        {"no image", ERR_FORMAT, "no image in /MDF/images"},
        {"no dataset", ERR_FORMAT, "no /MDF/images/0/image"},
        {"compound", ERR_UNSUP, "/MDF/images/0/image: a compound type"},
        {"line", ERR_UNSUP, "/MDF/images/0/image: 1 dimensions"},
        {"complex", ERR_UNSUP, "EMAN.is_complex"},
        {"imod complex", ERR_UNSUP, "IMOD.is_complex"},
        {"axes", ERR_FORMAT, "IMOD.MRC.mapc, mapr, maps 1, 3, 3"},
        {"only samples", ERR_FORMAT, "no dataset of three dimensions in /Chimera"},
        {"two", ERR_UNSUP, "2 datasets of three dimensions: /a, /b/c"},
        {"none", ERR_UNSUP, "no numeric dataset of three dimensions"},
        {"terabytes", ERR_FORMAT, "stored bytes cannot be the 108000000000000 that are claimed"},
        {"bomb", ERR_FORMAT, "stored bytes cannot be the 108000000000000 that are claimed"},
        {"unwritten", ERR_FORMAT, "/d: no data are stored"},
        {"contiguous", ERR_FORMAT, "/d: no data are stored"},
        {"side", ERR_RANGE, "side (fastest) 40000"},
        {"filter", ERR_UNSUP, "filter 32015 (zstd), which is not installed"},
        {"segger", ERR_UNSUP, "a Segger segmentation"},
        {"sff", ERR_UNSUP, "an EMDB-SFF segmentation"},
        {"index", ERR_UNSUP, "an index or a data set of CryoLex"},
        {"link", ERR_UNSUP, "no numeric dataset"},
        {"raw", ERR_UNSUP, "/d: its values lie in other files"},
        {"virtual", ERR_UNSUP, "/d: its values lie in other files"},
        {"cut", ERR_IO, "cut short"},
        {"nothing", ERR_FORMAT, "HDF5 cannot open it"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        make_fault(rows[i].fault);
        volfile_fails(rows[i].fault, path(), NULL, rows[i].code, rows[i].says);
    }
    begin();
    put("/d", (how_t){.chunk = (const hsize_t[]){2, VY, VX}, .deflate = true});
    end();
    volfile_fails("no voxel", path(), NULL, ERR_USAGE, "this HDF5 file does not tell the voxel size");
    volfile_fails("memory", path(), &(mrc_opts_t){.apix = 1, .mem_limit = 4 * VN + 671 + 8 * VX * VY}, ERR_RANGE, "bytes of memory");
    volfile_reads("just enough", path(), &(mrc_opts_t){.apix = 1.5, .mem_limit = 4 * VN + 672 + 8 * VX * VY}, 1.5, NULL);
}

static void by_planes(void **state)
{
    (void)state;
    static const hsize_t chunks[][3] = {{1, VY, VX}, {2, 3, 4}, {VZ, VY, VX}};
    for (int c = 0; c < 4; c++) {
        vol_t shape;
        float out[VX * VY];
        begin();
        put("/MDF/images/0/image", (how_t){.chunk = c ? chunks[c - 1] : NULL, .deflate = c > 1});
        eman("/MDF/images/0");
        end();
        planes_t *p = planes_open(path(), NULL, &shape, NULL, NULL);
        assert_non_null(p);
        for (size_t k = 0; k < 2 * VZ; k++) {
            size_t z = k < VZ ? k : 2 * VZ - 1 - k;
            assert_int_equal(planes_read(p, z, 1, out, NULL), 0);
            assert_memory_equal(out, values + z * VX * VY, sizeof out);
        }
        planes_close(p);
    }
    vol_t shape;
    begin();
    put("/Chimera/a/data_xyz", (how_t){.rank = 3});
    chimera("/Chimera/a");
    end();
    assert_null(planes_open(path(), NULL, &shape, NULL, NULL));
}

/* Bytes changed here and there: an error or a volume, and not a word on stderr. */
static void says_nothing(void **state)
{
    (void)state;
    char log[160];
    snprintf(log, sizeof log, "%s.log", path());
    fflush(stderr);
    int was = dup(STDERR_FILENO), fd = open(log, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(was >= 0 && fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
    begin();
    put("/MDF/images/0/image", (how_t){.chunk = (const hsize_t[]){2, VY, VX}, .deflate = true});
    eman("/MDF/images/0");
    end();
    FILE *f = fopen(path(), "rb");
    unsigned char b[1 << 16];
    size_t n = fread(b, 1, sizeof b, f);
    fclose(f);
    mrc_opts_t o = {.any_voxel = true, .mem_limit = 1 << 22};
    for (size_t i = 0; i < n; i += 37) {
        err_t e = {0};
        b[i] ^= 0x55;
        vol_t *v = map_read_mem(b, n, "changed", &o, NULL, NULL, &e);
        if (!v && e.code == ERR_OK) fail_msg("changed at %zu: no code", i);
        vol_free(v);
        b[i] ^= 0x55;
    }
    vol_t *v = map_read_mem(b, n, "whole", &o, NULL, NULL, NULL);
    assert_non_null(v);
    vol_free(v);
    fflush(stderr);
    off_t said = lseek(fd, 0, SEEK_END);
    dup2(was, STDERR_FILENO);
    close(was);
    close(fd);
    remove(log);
    assert_int_equal(said, 0);
}

/* From many threads at once: HDF5 is called by one at a time. */
static void many_threads(void **state)
{
    (void)state;
    begin();
    put("/MDF/images/0/image", (how_t){.chunk = (const hsize_t[]){2, 3, 4}, .deflate = true});
    eman("/MDF/images/0");
    end();
    const char *name = path();
    int bad = 0;
#pragma omp parallel for num_threads(4) reduction(+ : bad)
    for (int k = 0; k < 64; k++) {
        vol_t *v = map_read(name, NULL, NULL, NULL, NULL);
        bad += !v || memcmp(v->data, values, sizeof values) != 0;
        vol_free(v);
    }
    assert_int_equal(bad, 0);
}

int main(void)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    volfile_fill(values);
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_type_and_storage), cmocka_unit_test(layouts),   cmocka_unit_test(stacks),
                                       cmocka_unit_test(packed_integers),        cmocka_unit_test(one_fault_a_row), cmocka_unit_test(by_planes),
                                       cmocka_unit_test(says_nothing),           cmocka_unit_test(many_threads)};
    int failed = cmocka_run_group_tests_name("hdf5", tests, NULL, NULL);
    remove(path());
    return failed;
}

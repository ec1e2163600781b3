/* test_formats: Situs, OpenDX, SPIDER and EM files, made here byte by byte; compressed, by planes, from a pipe; one fault a row. */
#include "tests/volfile.h"

#include <zlib.h>

#include "base/mem.h"
#include "mrc/planes.h"
#include "mrc/sniff.h"

typedef struct {
    unsigned char b[1 << 17];
    size_t n;
} bytes_t;

static bytes_t f; /* the file being made */

static void put(const void *p, size_t n)
{
    assert_true(f.n + n <= sizeof f.b);
    memcpy(f.b + f.n, p, n);
    f.n += n;
}

static void put_text(const char *fmt, ...)
{
    char line[256];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    put(line, (size_t)n);
}

static void put_word(uint64_t u, size_t bytes, bool big)
{
    unsigned char b[8];
    for (size_t k = 0; k < bytes; k++) b[k] = (unsigned char)(u >> 8 * (big ? bytes - 1 - k : k));
    put(b, bytes);
}

static void put_float(double x, bool big)
{
    float y = (float)x;
    uint32_t u;
    memcpy(&u, &y, sizeof u);
    put_word(u, 4, big);
}

static const char *save(void)
{
    const char *path = volfile_path("");
    volfile_write(path, f.b, f.n);
    return path;
}

/* ---- makers: each takes one fault from a row, by name, or NULL ---- */

static bool is(const char *fault, const char *name) { return fault && !strcmp(fault, name); }

static void make_situs(const char *fault)
{
    f.n = 0;
    put_text("%s %s -2 3.25 %s %d %d\n\n", is(fault, "voxel") ? "-1.5" : is(fault, "tiny voxel") ? "1e-9" : "1.5", is(fault, "origin") ? "x7" : "7",
             is(fault, "side 0") ? "0" : is(fault, "side half") ? "7.5" : is(fault, "side huge") ? "40000" : "7", VY, is(fault, "claims") ? 30000 : VZ);
    for (size_t i = 0; i < VN - (is(fault, "cut") ? 1u : 0u); i++)
        put_text("%11.5f%s", i == 9 && is(fault, "nan") ? (double)NAN : (double)volfile_value(i % VX, i / VX % VY, i / VX / VY), i % 10 == 9 ? "\n" : " ");
    if (is(fault, "word")) put_text("\n"), f.b[200] = '!';
    if (is(fault, "more")) put_text("\n 5 6");
}

static void make_dx(const char *fault)
{
    f.n = 0;
    put_text("# a comment\n\nobject 1 class gridpositions counts %s %d %d\n", is(fault, "count") ? "x" : is(fault, "count huge") ? "99999" : "7", VY, VZ);
    if (!is(fault, "no origin")) put_text(is(fault, "bare") ? "7 -2 3.25\n" : is(fault, "origin") ? "origin 7 -2\n" : "origin 7 -2 3.25\n");
    put_text(is(fault, "bare") ? "1.5 0 0\n" : is(fault, "skew") ? "delta 1.5 0.5 0\n" : is(fault, "down") ? "delta -1.5 0 0\n" : "delta 1.5 0 0\n");
    put_text(is(fault, "bare") ? "0 1.5 0\n" : "delta 0 1.5 0\n");
    if (!is(fault, "two deltas")) put_text(is(fault, "bare") ? "0 0 1.5\n" : is(fault, "same axis") ? "delta 0 1.5 0\n" : "delta 0 0 1.5\n");
    if (is(fault, "line")) put_text("what is this\n");
    put_text("object 2 class gridconnections counts %d %d %d\n", VX, VY, VZ);
    if (is(fault, "no array")) return;
    put_text("object 3 class array type \"double\" rank %s items %d %s\n", is(fault, "rank") ? "1 shape 3" : "0", is(fault, "items") ? 209 : VN,
             is(fault, "binary") ? "lsb ieee data follows" : is(fault, "elsewhere") ? "data 7" : "data follows");
    for (size_t x = 0; x < VX; x++) /* the last axis fastest */
        for (size_t y = 0; y < VY; y++)
            for (size_t z = 0; z < VZ - (is(fault, "cut") && x == VX - 1 && y == VY - 1 ? 1u : 0u); z++)
                put_text("%g%s", (double)volfile_value(x, y, z), z % 3 == 2 ? "\n" : " ");
    put_text("\nattribute \"dep\" string \"positions\"\n");
}

/* A SPIDER header of words. */
static void put_spider_head(bool big, double nsam, double nrow, double nslice, double iform, double istack, double maxim, double pixel, double matrix)
{
    double w[257] = {0};
    w[1] = nslice, w[2] = nrow, w[5] = iform, w[12] = nsam;
    w[13] = ceil(1024 / (4 * nsam)), w[23] = 4 * nsam, w[22] = w[13] * w[23];
    w[24] = istack, w[26] = maxim, w[38] = pixel, w[46] = w[54] = matrix;
    size_t bytes = (size_t)w[22];
    for (size_t k = 1; k <= 256; k++) put_float(w[k], big);
    while (bytes > 1024) put_word(0, 1, big), bytes--;
}

static void make_spider(bool big, const char *fault)
{
    f.n = 0;
    bool stack = is(fault, "volumes") || is(fault, "no members"), images = is(fault, "images");
    double members = is(fault, "no members") ? 0 : is(fault, "volumes") ? 2 : VZ, matrix = is(fault, "xmipp") ? 1.875 : 0;
    double pixel = is(fault, "xmipp") ? 1.875 : is(fault, "pixel") ? -3 : is(fault, "no pixel") ? 0 : 1.5;
    put_spider_head(big, VX, VY, images ? 1 : is(fault, "claims") ? 30000 : is(fault, "side") ? 40000 : VZ, is(fault, "fourier") ? -21 : images ? 1 : 3,
                    stack || images ? 2 : is(fault, "indexed") ? -2 : 0, members, pixel, matrix);
    for (int m = 0; m < (is(fault, "volumes") ? 2 : 1); m++) {
        if (stack) put_spider_head(big, VX, VY, VZ, 3, 0, 0, 0, 0);
        for (size_t i = 0; i < VN; i++) {
            if (images && i % (VX * VY) == 0) put_spider_head(big, VX, VY, 1, 1, 0, 0, 0, 0);
            put_float((double)volfile_value(i % VX, i / VX % VY, i / VX / VY) + (m == 0 && stack ? 500 : 0), big);
        }
    }
    if (is(fault, "cut")) f.n -= 2;
    if (is(fault, "more")) put_text("more");
}

static void make_em(unsigned char machine, unsigned char type, const char *fault)
{
    static const size_t bytes[10] = {0, 1, 2, 0, 4, 4, 0, 0, 8, 8};
    bool big = machine != 1 && machine != 6;
    f.n = 0;
    put_word(machine, 1, big), put_word(0, 2, big), put_word(type, 1, big);
    put_word(VX, 4, big), put_word(VY, 4, big), put_word(VZ, 4, big);
    put_text("a comment");
    while (f.n < 512) put_word(0, 1, big);
    for (size_t i = 0; i < VN; i++) {
        double x = (double)volfile_value(i % VX, i / VX % VY, i / VX / VY);
        float y = (float)x;
        uint64_t u = (uint64_t)x;
        uint32_t w;
        memcpy(&w, &y, sizeof w);
        if (type == 5) u = w;
        if (type == 9) memcpy(&u, &x, sizeof u);
        put_word(u, bytes[type], big);
    }
    if (is(fault, "cut")) f.n -= 1;
}

/* ---- what is read ---- */

static const double place[3] = {7, -2, 3.25};

static void reads(void **state)
{
    (void)state;
    make_situs(NULL);
    volfile_reads("Situs", save(), NULL, 1.5, place);
    make_dx(NULL);
    volfile_reads("OpenDX", save(), NULL, 1.5, place);
    make_dx("bare");
    volfile_reads("OpenDX without words", save(), NULL, 1.5, place);
    for (int big = 0; big < 2; big++) {
        make_spider(big, NULL);
        volfile_reads("SPIDER", save(), NULL, 1.5, NULL);
        make_spider(big, "no pixel");
        volfile_reads("SPIDER without voxel", save(), NULL, 0, NULL);
        make_spider(big, "xmipp");
        volfile_reads("SPIDER of Xmipp", save(), NULL, 0, NULL);
        make_spider(big, "volumes");
        volfile_reads("SPIDER, second of a stack", save(), &(mrc_opts_t){.volume = 2}, 1.5, NULL);
        make_spider(big, "images");
        volfile_reads("SPIDER images", save(), &(mrc_opts_t){.images = true}, 1.5, NULL);
    }
    static const unsigned char machines[] = {0, 3, 5, 6}, types[] = {1, 2, 4, 5, 9};
    for (size_t k = 0; k < sizeof machines; k++)
        for (size_t t = 0; t < sizeof types; t++) {
            make_em(machines[k], types[t], NULL);
            volfile_reads("EM", save(), NULL, 0, NULL);
        }
    make_em(6, 5, NULL);
    volfile_reads("--apix", save(), &(mrc_opts_t){.apix = 2}, 2, NULL);
    make_situs(NULL);
    volfile_reads("--origin none", save(), &(mrc_opts_t){.origin = MRC_ORIGIN_NONE}, 1.5, NULL);
}

typedef void (*make_t)(const char *fault);
static void spider(const char *fault) { make_spider(false, fault); }
static void em(const char *fault)
{
    make_em(is(fault, "vax") ? 1 : is(fault, "convex") ? 2 : 6, is(fault, "complex") ? 8 : 5, fault);
}

static void one_fault_a_row(void **state)
{
    (void)state;
    static const struct {
        make_t make;
        const char *fault;
        errcode_t code;
        const char *says;
    } rows[] = {
        {make_situs, "voxel", ERR_UNSUP, "plain text"},
        {make_situs, "tiny voxel", ERR_FORMAT, "voxel size 1e-09"},
        {make_situs, "origin", ERR_UNSUP, "plain text"},
        {make_situs, "side 0", ERR_UNSUP, "plain text"},
        {make_situs, "side half", ERR_UNSUP, "plain text"},
        {make_situs, "side huge", ERR_UNSUP, "plain text"},
        {make_situs, "claims", ERR_IO, "cut short (the header promises 2520000)"},
        {make_situs, "cut", ERR_IO, "ends after voxel 209, cut short (the header promises 210)"},
        {make_situs, "word", ERR_FORMAT, "no number"},
        {make_dx, "count", ERR_FORMAT, "gridpositions counts"},
        {make_dx, "count huge", ERR_RANGE, "count 1 99999"},
        {make_dx, "no origin", ERR_FORMAT, "no origin"},
        {make_dx, "origin", ERR_FORMAT, "origin ' 7 -2' (three numbers)"},
        {make_dx, "skew", ERR_UNSUP, "delta 1.5 0.5 0"},
        {make_dx, "down", ERR_UNSUP, "delta -1.5 0 0"},
        {make_dx, "same axis", ERR_UNSUP, "delta 0 1.5 0"},
        {make_dx, "two deltas", ERR_FORMAT, "2 deltas (three are wanted)"},
        {make_dx, "line", ERR_FORMAT, "'what is this' in the header"},
        {make_dx, "no array", ERR_FORMAT, "no array of values"},
        {make_dx, "rank", ERR_UNSUP, "an array of rank 1"},
        {make_dx, "items", ERR_FORMAT, "209 items for counts 7, 6, 5"},
        {make_dx, "binary", ERR_UNSUP, "'ieee' in its array"},
        {make_dx, "elsewhere", ERR_UNSUP, "data do not follow"},
        {make_dx, "cut", ERR_FORMAT, "voxel 210 is 'attribute', no number"},
        {spider, "side", ERR_RANGE, "NSLICE (word 1) 40000"},
        {spider, "claims", ERR_IO, "cut short"},
        {spider, "fourier", ERR_UNSUP, "IFORM (word 5) -21"},
        {spider, "indexed", ERR_UNSUP, "ISTACK (word 24) -2"},
        {spider, "no members", ERR_FORMAT, "MAXIM (word 26) 0"},
        {spider, "no pixel", ERR_USAGE, "this SPIDER file does not tell the voxel size; it has to be given (--apix"},
        {spider, "images", ERR_UNSUP, "a stack of 5 images, not a volume; see --images"},
        {spider, "volumes", ERR_USAGE, "a stack of 2 volumes; choose one with --volume"},
        {spider, "cut", ERR_IO, "cut short"},
        {em, "complex", ERR_UNSUP, "data type (byte 3) 8, complex"},
        {em, "vax", ERR_UNSUP, "machine (byte 0) 1, numbers of a VAX"},
        {em, "convex", ERR_UNSUP, "machine (byte 0) 2, numbers of a Convex"},
        {em, NULL, ERR_USAGE, "it has to be given (--apix"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char what[64];
        rows[i].make(rows[i].fault);
        snprintf(what, sizeof what, "row %zu (%s)", i, rows[i].fault ? rows[i].fault : "-");
        volfile_fails(what, save(), NULL, rows[i].code, rows[i].says);
    }
    make_spider(false, "volumes");
    volfile_fails("no third volume", save(), &(mrc_opts_t){.volume = 3}, ERR_NOTFOUND, "volume 3 (there are 2)");
    make_situs(NULL);
    volfile_fails("memory", save(), &(mrc_opts_t){.mem_limit = 4 * VN - 1}, ERR_RANGE, "need 840 bytes of memory (the limit is 839)");
    volfile_reads("just enough", save(), &(mrc_opts_t){.mem_limit = 4 * VN}, 1.5, place);
}

static void notes_what_it_reads_past(void **state)
{
    (void)state;
    make_situs("more");
    volfile_notes("Situs", save(), "more text than the 210 voxels");
    make_situs("nan");
    volfile_notes("Situs", save(), "1 voxels are NaN or infinite");
    make_spider(true, "more");
    volfile_notes("SPIDER", save(), "4 bytes more");
    make_spider(true, "pixel");
    volfile_notes("SPIDER", save(), "PIXSIZ (word 38) -3, -3, -3 is no voxel size");
    make_spider(true, "images");
    volfile_notes("SPIDER", save(), "a stack of 5 images");
    make_em(6, 5, NULL);
    volfile_notes("EM", save(), "does not tell the voxel size: 1 A taken");
}

static void gzip_it(const char *path)
{
    gzFile z = gzopen(path, "wb");
    assert_int_equal(gzwrite(z, f.b, (unsigned)f.n), (int)f.n);
    assert_int_equal(gzclose(z), Z_OK);
}

/* Compressed, in memory and from standard input: the same; and cut short there. */
static void other_sources(void **state)
{
    (void)state;
    static const struct {
        make_t make;
        double voxel;
        bool placed;
    } rows[] = {{make_situs, 1.5, true}, {make_dx, 1.5, true}, {spider, 1.5, false}, {em, 0, false}};
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        const char *path = volfile_path(".gz");
        rows[k].make(NULL);
        gzip_it(path);
        volfile_reads("gzip", path, NULL, rows[k].voxel, rows[k].placed ? place : NULL);
        assert_non_null(freopen(path, "rb", stdin));
        volfile_reads("gzip from standard input", "-", NULL, rows[k].voxel, rows[k].placed ? place : NULL);
        assert_non_null(freopen(save(), "rb", stdin));
        volfile_reads("standard input", "-", NULL, rows[k].voxel, rows[k].placed ? place : NULL);
        f.n -= f.n / 4;
        gzip_it(volfile_path(".gz"));
        err_t e = {0};
        assert_null(map_read(volfile_path(".gz"), &(mrc_opts_t){.apix = 1}, NULL, NULL, &e));
        assert_int_equal(e.code, ERR_IO);
        remove(volfile_path(".gz"));
    }
}

/* From memory, every byte cut or changed: nothing but a volume or an error. */
static void any_byte(void **state)
{
    (void)state;
    static const make_t make[] = {make_situs, make_dx, spider, em};
    mrc_opts_t o = {.any_voxel = true, .images = true, .volume = 1, .mem_limit = 1 << 22};
    for (size_t k = 0; k < sizeof make / sizeof *make; k++) {
        make[k](NULL);
        for (size_t i = 0; i < f.n; i += i < 600 ? 1 : 41) {
            err_t e = {0};
            vol_t *v = map_read_mem(f.b, i, "cut", &o, NULL, NULL, &e);
            if (!v && e.code == ERR_OK) fail_msg("cut at %zu: no code", i);
            vol_free(v);
            unsigned char was = f.b[i];
            f.b[i] ^= 0xff;
            e = (err_t){0};
            v = map_read_mem(f.b, f.n, "changed", &o, NULL, NULL, &e);
            if (!v && e.code == ERR_OK) fail_msg("changed at %zu: no code", i);
            vol_free(v);
            f.b[i] = was;
        }
    }
}

static void by_planes(void **state)
{
    (void)state;
    static const make_t make[] = {spider, em};
    mrc_opts_t o = {.any_voxel = true};
    float out[VX * VY], all[VN];
    volfile_fill(all);
    for (size_t k = 0; k < 2; k++) {
        vol_t shape;
        make[k](NULL);
        planes_t *p = planes_open(save(), &o, &shape, NULL, NULL);
        assert_non_null(p);
        assert_true(shape.nx == VX && shape.ny == VY && shape.nz == VZ);
        for (size_t z = VZ; z-- > 0;) {
            assert_int_equal(planes_read(p, z, 1, out, NULL), 0);
            assert_memory_equal(out, all + z * VX * VY, sizeof out);
        }
        assert_int_equal(planes_read(p, VZ, 1, out, NULL), -1);
        planes_close(p);
    }
    vol_t shape;
    make_situs(NULL); /* text comes in order only */
    assert_null(planes_open(save(), &o, &shape, NULL, NULL));
    make_spider(false, "images");
    assert_null(planes_open(save(), &o, &shape, NULL, NULL));
    make_spider(false, "no pixel"); /* and map_read says why */
    assert_null(planes_open(save(), NULL, &shape, NULL, NULL));
}

static void others_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        const char *says;
    } rows[] = {{":-) origin 0 0 0", 16, "BRIX"}, {"# vtk DataFile", 14, "VTK"}, {"NRRD0004\n", 9, "NRRD"}, {"\x0e\x03\x13\x01", 4, "HDF4"},
                {"ZYX\n", 4, "X-PLOR"}, {"PK\x03\x04", 4, "ZIP"}, {"\x93NUMPY", 6, "NumPy"}, {"HEADER    X", 11, "atomic model"},
                {"version https://git-lfs", 23, "LFS"}, {"\x89PNG", 4, "PNG"}};
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        f.n = 0;
        put(rows[k].bytes, rows[k].n);
        volfile_fails(rows[k].says, save(), NULL, ERR_UNSUP, rows[k].says);
    }
    f.n = 0;
    for (int k = 0; k < 256; k++) put_word(k == 18 ? 100 : k < 19 ? 40 : 0, 2, true);
    volfile_fails("DSN6", save(), NULL, ERR_UNSUP, "DSN6");
    f.n = 0;
    volfile_fails("empty", save(), NULL, ERR_IO, "an empty file");
    err_t e = {0};
    assert_null(map_read("/nonexistent", NULL, NULL, NULL, &e));
    assert_int_equal(e.code, ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads),         cmocka_unit_test(one_fault_a_row), cmocka_unit_test(notes_what_it_reads_past),
                                       cmocka_unit_test(other_sources), cmocka_unit_test(any_byte),        cmocka_unit_test(by_planes),
                                       cmocka_unit_test(others_by_name)};
    int failed = cmocka_run_group_tests_name("formats", tests, NULL, NULL);
    remove(volfile_path(""));
    return failed;
}

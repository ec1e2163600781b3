/* test_tiff: volumes in TIFF, made here by libtiff, and where it cannot, by hand: every sample type, strips and tiles, byte orders,
 * predictors, codecs, BigTIFF, ImageJ hyperstacks; one fault a row; nothing printed. */
#include "tests/volfile.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <tiffio.h>

#include "base/mem.h"
#include "mrc/data.h"
#include "mrc/planes.h"

static const char *path(void) { return volfile_path(".tif"); }

typedef struct {
    const char *mode;   /* of TIFFOpen */
    uint16_t bits, format, pack, predictor;
    uint32_t tile, rows; /* tile side, or rows of a strip; 0: one strip */
    const char *description;
    int pages;          /* 0: VZ */
    const char *fault;
} how_t;

/* One value as libtiff takes it, in this machine's order; returns its bytes. */
static size_t encode(const how_t *h, float v, unsigned char *b)
{
    uint64_t u = (uint64_t)v;
    int64_t i = (int64_t)v;
    double d = (double)v;
    uint16_t half = raw_float_to_half(v);
    const void *from = h->format == SAMPLEFORMAT_INT ? (const void *)&i : (const void *)&u;
    if (h->format == SAMPLEFORMAT_IEEEFP) from = h->bits == 16 ? (const void *)&half : h->bits == 32 ? (const void *)&v : (const void *)&d;
    memcpy(b, from, h->bits / 8); /* little-endian, as this program's machines are */
    return h->bits / 8;
}

/* Row y of section z to b, packed where values have no whole bytes. */
static void encode_row(const how_t *h, size_t z, size_t y, size_t x0, size_t n, unsigned char *b)
{
    uint32_t have = 0;
    unsigned left = 0;
    for (size_t x = x0; x < x0 + n; x++) {
        float v = x < VX && y < VY ? volfile_value(x, y, z) : 0;
        if (h->bits % 8 == 0) {
            b += encode(h, v, b);
            continue;
        }
        have = have << h->bits | (uint32_t)v % (1u << h->bits);
        for (left += h->bits; left >= 8; left -= 8) *b++ = (unsigned char)(have >> (left - 8));
    }
    if (left) *b = (unsigned char)(have << (8 - left));
}

static bool is(const how_t *h, const char *fault) { return h->fault && !strcmp(h->fault, fault); }

static void put_page(TIFF *t, const how_t *h, size_t z)
{
    unsigned char b[64 * 64 * 8];
    uint32_t nx = is(h, "other size") && z == 2 ? VX - 1 : VX, ny = VY;
    TIFFSetField(t, TIFFTAG_IMAGEWIDTH, is(h, "wide") ? 40000 : nx);
    TIFFSetField(t, TIFFTAG_IMAGELENGTH, ny);
    TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, h->bits);
    TIFFSetField(t, TIFFTAG_SAMPLEFORMAT, h->format);
    TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, is(h, "colours") ? 3 : 1);
    TIFFSetField(t, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(t, TIFFTAG_PHOTOMETRIC, is(h, "colours") ? PHOTOMETRIC_RGB : is(h, "palette") ? PHOTOMETRIC_PALETTE : is(h, "white") ? PHOTOMETRIC_MINISWHITE : PHOTOMETRIC_MINISBLACK);
    TIFFSetField(t, TIFFTAG_COMPRESSION, h->pack ? h->pack : COMPRESSION_NONE);
    if (h->predictor) TIFFSetField(t, TIFFTAG_PREDICTOR, h->predictor);
    if (is(h, "palette")) {
        uint16_t map[256] = {0};
        TIFFSetField(t, TIFFTAG_COLORMAP, map, map, map);
    }
    if (is(h, "turned")) TIFFSetField(t, TIFFTAG_ORIENTATION, ORIENTATION_BOTLEFT);
    if (is(h, "thumbnails") && z % 2) TIFFSetField(t, TIFFTAG_SUBFILETYPE, FILETYPE_REDUCEDIMAGE);
    if (h->description && z == 0) TIFFSetField(t, TIFFTAG_IMAGEDESCRIPTION, h->description);
    if (is(h, "thumbnails")) z /= 2;
    if (h->tile) {
        size_t row = (h->tile * h->bits + 7) / 8;
        TIFFSetField(t, TIFFTAG_TILEWIDTH, h->tile);
        TIFFSetField(t, TIFFTAG_TILELENGTH, h->tile);
        for (uint32_t y = 0; y < ny; y += h->tile)
            for (uint32_t x = 0; x < nx; x += h->tile) {
                for (uint32_t j = 0; j < h->tile; j++) encode_row(h, z, y + j, x, h->tile, b + j * row);
                assert_true(TIFFWriteEncodedTile(t, TIFFComputeTile(t, x, y, 0, 0), b, (tmsize_t)(row * h->tile)) > 0);
            }
    } else {
        size_t row = (nx * h->bits + 7) / 8, samples = is(h, "colours") ? 3 : 1;
        uint32_t rows = h->rows ? h->rows : ny;
        TIFFSetField(t, TIFFTAG_ROWSPERSTRIP, rows);
        memset(b, 0, sizeof b);
        for (uint32_t y = 0; y < ny; y += rows) {
            uint32_t n = ny - y < rows ? ny - y : rows;
            for (uint32_t j = 0; j < n; j++) encode_row(h, z, y + j, 0, nx, b + j * row);
            assert_true(TIFFWriteEncodedStrip(t, TIFFComputeStrip(t, y, 0), b, (tmsize_t)(row * n * samples)) > 0 || is(h, "wide"));
        }
    }
    assert_int_equal(TIFFWriteDirectory(t), 1);
}

static void make(how_t h)
{
    TIFF *t = TIFFOpen(path(), h.mode ? h.mode : "w");
    assert_non_null(t);
    if (!h.bits) h.bits = 32, h.format = SAMPLEFORMAT_IEEEFP;
    if (!h.format) h.format = SAMPLEFORMAT_UINT;
    for (int z = 0; z < (h.pages ? h.pages : VZ); z++) put_page(t, &h, (size_t)z);
    TIFFClose(t);
}

static void every_type(void **state)
{
    (void)state;
    static const uint16_t types[][2] = {{8, SAMPLEFORMAT_UINT},  {8, SAMPLEFORMAT_INT},   {16, SAMPLEFORMAT_UINT},   {16, SAMPLEFORMAT_INT},
                                        {32, SAMPLEFORMAT_UINT}, {32, SAMPLEFORMAT_INT},  {64, SAMPLEFORMAT_UINT},   {64, SAMPLEFORMAT_INT},
                                        {16, SAMPLEFORMAT_IEEEFP}, {32, SAMPLEFORMAT_IEEEFP}, {64, SAMPLEFORMAT_IEEEFP}, {10, SAMPLEFORMAT_UINT},
                                        {12, SAMPLEFORMAT_UINT}, {14, SAMPLEFORMAT_UINT}};
    static const char *const modes[] = {"wl", "wb", "wl8", "wb8"};
    static const uint32_t shape[][2] = {{0, 0}, {0, 1}, {0, 4}, {16, 0}}; /* tile, rows */
    for (size_t k = 0; k < sizeof types / sizeof *types; k++)
        for (size_t m = 0; m < 4; m++)
            for (size_t s = 0; s < 4; s++) {
                char what[64];
                snprintf(what, sizeof what, "format %u, %u bits, %s, tile %u, rows %u", types[k][1], types[k][0], modes[m], shape[s][0], shape[s][1]);
                make((how_t){.mode = modes[m], .bits = types[k][0], .format = types[k][1], .tile = shape[s][0], .rows = shape[s][1]});
                volfile_reads(what, path(), NULL, 0, NULL);
            }
    volfile_reads("--apix", path(), &(mrc_opts_t){.apix = 1.5}, 1.5, NULL);
}

/* Fewer bits than the values have: their lowest. */
static void few_bits(void **state)
{
    (void)state;
    static const uint16_t bits[] = {1, 2, 4, 6};
    mrc_opts_t o = {.any_voxel = true};
    for (size_t k = 0; k < 4; k++)
        for (uint32_t tile = 0; tile <= 16; tile += 16) {
            make((how_t){.bits = bits[k], .tile = tile});
            vol_t *v = map_read(path(), &o, NULL, NULL, NULL);
            assert_non_null(v);
            for (size_t i = 0; i < VN; i++)
                assert_true(v->data[i] == (float)((int)volfile_value(i % VX, i / VX % VY, i / VX / VY) % (1 << bits[k])));
            vol_free(v);
        }
}

static void every_codec(void **state)
{
    (void)state;
    static const uint16_t packs[] = {COMPRESSION_LZW, COMPRESSION_PACKBITS, COMPRESSION_ADOBE_DEFLATE, COMPRESSION_DEFLATE, COMPRESSION_LZMA, COMPRESSION_ZSTD};
    static const uint16_t types[][3] = {{8, SAMPLEFORMAT_UINT, 2}, {16, SAMPLEFORMAT_INT, 2}, {32, SAMPLEFORMAT_UINT, 2}, {16, SAMPLEFORMAT_IEEEFP, 3},
                                        {32, SAMPLEFORMAT_IEEEFP, 3}, {64, SAMPLEFORMAT_IEEEFP, 3}, {64, SAMPLEFORMAT_UINT, 2}};
    int tried = 0;
    for (size_t p = 0; p < sizeof packs / sizeof *packs; p++)
        for (size_t k = 0; k < sizeof types / sizeof *types; k++)
            for (uint16_t predictor = 0; predictor < 2 && TIFFIsCODECConfigured(packs[p]); predictor++)
                for (int big = 0; big < 2; big++) {
                    char what[64];
                    if (big && predictor && types[k][2] == 3) continue; /* libtiff 4.5 writes this wrongly; parity/formats.py has tifffile's */
                    uint16_t pred = predictor && packs[p] != COMPRESSION_PACKBITS ? types[k][2] : 0;
                    snprintf(what, sizeof what, "compression %u, predictor %u, format %u, %u bits", packs[p], pred, types[k][1], types[k][0]);
                    make((how_t){.mode = big ? "wb" : "wl", .bits = types[k][0], .format = types[k][1], .pack = packs[p], .predictor = pred, .tile = k % 2 ? 16 : 0, .rows = 4});
                    volfile_reads(what, path(), NULL, 0, NULL);
                    tried++;
                }
    printf("# %d files\n", tried);
    assert_true(tried > 28);
}

/* ---- ImageJ: one page, the other planes behind its first ---- */

static unsigned char b[1 << 16];
static size_t n;

static void word(uint32_t u, size_t bytes, bool big)
{
    for (size_t k = 0; k < bytes; k++) b[n++] = (unsigned char)(u >> 8 * (big ? bytes - 1 - k : k));
}

static void tag(uint16_t id, uint16_t type, uint32_t count, uint32_t value, bool big)
{
    word(id, 2, big), word(type, 2, big), word(count, 4, big);
    if (type == 3) word(value, 2, big), word(0, 2, big);
    else word(value, 4, big);
}

/* float32 planes; `images` in the description, `planes` in the file. */
static void make_imagej(bool big, const char *description, size_t planes, uint16_t pack, uint16_t bits)
{
    const uint32_t at_text = 8 + 2 + 12 * 9 + 4, at_data = at_text + 200;
    n = 0;
    word(big ? 0x4d4d : 0x4949, 2, big), word(42, 2, big), word(8, 4, big);
    word(9, 2, big);
    tag(256, 4, 1, VX, big), tag(257, 4, 1, VY, big), tag(258, 3, 1, bits, big), tag(259, 3, 1, pack, big), tag(262, 3, 1, 1, big);
    tag(270, 2, (uint32_t)strlen(description) + 1, at_text, big);
    tag(273, 4, 1, at_data, big);
    tag(278, 4, 1, VY, big), tag(279, 4, 1, (uint32_t)(VX * VY * bits / 8), big);
    word(0, 4, big);
    if (bits == 32) { /* IEEE floats: SampleFormat stands where RowsPerStrip, which is optional, would */
        n -= 4 + 24;
        tag(279, 4, 1, VX * VY * 4, big), tag(339, 3, 1, 3, big);
        word(0, 4, big);
    }
    memcpy(b + at_text, description, strlen(description) + 1);
    n = at_data;
    for (size_t z = 0; z < planes; z++)
        for (size_t i = 0; i < VX * VY; i++) {
            float v = volfile_value(i % VX, i / VX, z % VZ);
            uint32_t u;
            memcpy(&u, &v, sizeof u);
            word(bits == 32 ? u : (uint32_t)v, bits / 8u, big);
        }
    volfile_write(path(), b, n);
}

static const char five[] = "ImageJ=1.53t\nimages=5\nslices=5\nloop=false\n";

static void imagej(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        make_imagej(big, five, 5, 1, 32);
        volfile_reads("ImageJ float32", path(), NULL, 0, NULL);
        make_imagej(big, five, 5, 1, 16);
        volfile_reads("ImageJ uint16", path(), NULL, 0, NULL);
        make_imagej(big, "ImageJ=1.53t\nimages=10\nslices=5\nframes=2\nhyperstack=true\n", 10, 1, 8);
        volfile_reads("ImageJ, second frame", path(), &(mrc_opts_t){.volume = 2}, 0, NULL);
        volfile_fails("ImageJ, which frame", path(), NULL, ERR_USAGE, "a stack of 2 volumes");
    }
    make((how_t){.description = "ImageJ=1.11a\nimages=5\n"}); /* with a page for each */
    volfile_reads("ImageJ pages", path(), NULL, 0, NULL);
    make_imagej(false, "ImageJ=1.11a\nimages=5\nchannels=5\nhyperstack=true\n", 5, 1, 32);
    volfile_reads("ImageJ channels", path(), NULL, 0, NULL);
    volfile_notes("ImageJ channels", path(), "5 channels of one section: taken for sections");
    make((how_t){.description = "ImageJ=1.11a\nimages=7\n"});
    volfile_notes("ImageJ pages", path(), "images=7 in ImageDescription, but 5 pages");
}

/* Past 4 GB: 65 536 MB of nothing in a sparse file, the last plane written. Offsets of 32 bits do not reach it. */
static void past_four_gigabytes(void **state)
{
    (void)state;
    enum { SIDE = 4096, PLANES = 70 }; /* 64 MB each as float32 */
    make_imagej(false, "ImageJ=1.53t\nimages=70\nslices=70\n", 1, 1, 32);
    n = 10;
    tag(256, 4, 1, SIDE, false), tag(257, 4, 1, SIDE, false);
    n = 8 + 2 + 12 * 7;
    tag(279, 4, 1, SIDE * SIDE * 4, false);
    volfile_write(path(), b, 500);
    const off_t at_data = 8 + 2 + 12 * 9 + 4 + 200, plane = (off_t)SIDE * SIDE * 4;
    int fd = open(path(), O_RDWR);
    float x = 42;
    struct stat st;
    bool sparse = fd >= 0 && !ftruncate(fd, at_data + plane * PLANES) && pwrite(fd, &x, 4, at_data + plane * PLANES - 4) == 4 && !fstat(fd, &st) && st.st_blocks < 10000;
    close(fd);
    if (!sparse) skip();
    vol_t shape;
    mrc_opts_t o = {.any_voxel = true};
    planes_t *p = planes_open(path(), &o, &shape, NULL, NULL);
    assert_non_null(p);
    assert_true(shape.nx == SIDE && shape.ny == SIDE && shape.nz == PLANES);
    float *out = mem_new((size_t)SIDE * SIDE, sizeof *out, NULL);
    assert_int_equal(planes_read(p, PLANES - 1, 1, out, NULL), 0);
    assert_true(out[SIDE * SIDE - 1] == 42 && !(out[SIDE * SIDE - 2] > 0));
    mem_free(out);
    planes_close(p);
    err_t e = {0};
    o.mem_limit = (size_t)1 << 30;
    assert_null(map_read(path(), &o, NULL, NULL, &e));
    assert_int_equal(e.code, ERR_RANGE);
    volfile_write(path(), "", 0);
}

static void one_fault_a_row(void **state)
{
    (void)state;
    static const struct {
        how_t how;
        errcode_t code;
        const char *says;
    } rows[] = {
        {{.bits = 0}, ERR_USAGE, "this TIFF file does not tell the voxel size; it has to be given (--apix"},
        {{.bits = 8, .fault = "colours"}, ERR_UNSUP, "SamplesPerPixel 3"},
        {{.bits = 8, .fault = "palette"}, ERR_UNSUP, "Photometric 3"},
        {{.bits = 8, .fault = "wide"}, ERR_RANGE, "ImageWidth 40000"},
        {{.bits = 16, .fault = "other size"}, ERR_UNSUP, "page 3 is 6 x 6 of 16 bits, the first 7 x 6 of 16 bits"},
        {{.bits = 32, .format = SAMPLEFORMAT_COMPLEXIEEEFP}, ERR_UNSUP, "SampleFormat 6 with BitsPerSample 32"},
        {{.bits = 24}, ERR_UNSUP, "SampleFormat 1 with BitsPerSample 24"},
        {{.bits = 8, .description = "<OME><Pixels SizeC=\"2\" SizeT=\"1\"/></OME>"}, ERR_UNSUP, "2 channels, 1 times"},
        {{.bits = 8, .description = "<OME><Pixels SizeC=\"1\" SizeT=\"5\"/></OME>"}, ERR_UNSUP, "1 channels, 5 times"},
        {{.bits = 8, .pages = 4, .description = "ImageJ=1\nimages=4\nchannels=2\nslices=2\n"}, ERR_UNSUP, "2 channels"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        make(rows[i].how);
        volfile_fails(rows[i].says, path(), NULL, rows[i].code, rows[i].says);
    }
    static const struct {
        const char *description;
        size_t planes;
        uint16_t pack, bits;
        errcode_t code;
        const char *says;
    } stacks[] = {{"ImageJ=1.53t\nimages=6\n", 5, 1, 32, ERR_IO, "images=6 in ImageDescription, but 840 bytes from StripOffsets on (168 an image)"},
                  {"ImageJ=1.53t\nimages=2000000000\n", 5, 1, 32, ERR_RANGE, "images=2000000000"},
                  {"ImageJ=1.53t\nimages=5\n", 5, 5, 16, ERR_UNSUP, "hyperstack of 5 images in one page, compressed"},
                  {"ImageJ=1.53t\nimages=5\n", 5, 60000, 16, ERR_UNSUP, "Compression 60000 (unknown)"},
                  {"ImageJ=1.53t\nimages=10\nchannels=2\n", 10, 1, 16, ERR_UNSUP, "2 channels"}};
    for (size_t i = 0; i < sizeof stacks / sizeof *stacks; i++) {
        make_imagej(false, stacks[i].description, stacks[i].planes, stacks[i].pack, stacks[i].bits);
        volfile_fails(stacks[i].says, path(), NULL, stacks[i].code, stacks[i].says);
    }
    static const struct {
        how_t how;
        const char *says;
    } cuts[] = {{{.bits = 32}, "page"}, {{.bits = 8, .pack = COMPRESSION_LZW}, "page"}};
    for (size_t i = 0; i < 2; i++) { /* the end of the data, the directory having come first: the last byte of the last strip */
        make(cuts[i].how);
        struct stat st;
        assert_int_equal(stat(path(), &st), 0);
        assert_int_equal(truncate(path(), st.st_size / 2), 0);
        err_t e = {0};
        assert_null(map_read(path(), &(mrc_opts_t){.apix = 1}, NULL, NULL, &e));
        assert_true(e.code == ERR_FORMAT || e.code == ERR_IO);
    }
    make((how_t){.bits = 8});
    volfile_fails("memory", path(), &(mrc_opts_t){.apix = 1, .mem_limit = 4 * VN + 83}, ERR_RANGE, "need 924 bytes of memory");
    make((how_t){.fault = "white"});
    volfile_notes("white is zero", path(), "white is zero");
    make((how_t){.fault = "turned"});
    volfile_notes("turned", path(), "Orientation 4");
    volfile_reads("turned", path(), NULL, 0, NULL);
    make((how_t){.fault = "thumbnails", .pages = 2 * VZ});
    volfile_notes("thumbnails", path(), "5 pages are smaller copies or masks");
    volfile_reads("thumbnails", path(), NULL, 0, NULL);
}

/* A page of 30000 x 30000 whose deflate data are a few bytes. */
static void bombs(void **state)
{
    (void)state;
    make_imagej(false, "x", 1, 8, 8);
    n = 10;
    tag(256, 4, 1, 30000, false), tag(257, 4, 1, 30000, false);
    volfile_write(path(), b, 400);
    err_t e = {0};
    assert_null(map_read(path(), &(mrc_opts_t){.apix = 1}, NULL, NULL, &e));
    assert_int_equal(e.code, ERR_FORMAT);
    assert_non_null(strstr(e.msg, "cannot be the 900000000 bytes that its pages claim"));
}

static void by_planes(void **state)
{
    (void)state;
    mrc_opts_t o = {.apix = 1.5};
    float all[VN], out[VX * VY];
    volfile_fill(all);
    for (uint32_t tile = 0; tile <= 16; tile += 16) {
        vol_t shape;
        make((how_t){.bits = 16, .tile = tile, .pack = COMPRESSION_LZW});
        planes_t *p = planes_open(path(), &o, &shape, NULL, NULL);
        assert_non_null(p);
        for (size_t z = VZ; z-- > 0;) {
            assert_int_equal(planes_read(p, z, 1, out, NULL), 0);
            assert_memory_equal(out, all + z * VX * VY, sizeof out);
        }
        planes_close(p);
    }
}

/* Any byte changed: an error or a volume, and not a word on stderr. */
static void says_nothing(void **state)
{
    (void)state;
    char log[160];
    snprintf(log, sizeof log, "%s.log", path());
    fflush(stderr);
    int was = dup(STDERR_FILENO), fd = open(log, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(was >= 0 && fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
    mrc_opts_t o = {.any_voxel = true, .mem_limit = 1 << 22};
    for (int k = 0; k < 3; k++) {
        make((how_t){.bits = k == 1 ? 8 : 32, .format = k == 1 ? 0 : SAMPLEFORMAT_IEEEFP, .pack = k ? COMPRESSION_ADOBE_DEFLATE : 0, .tile = k == 2 ? 16 : 0});
        FILE *f = fopen(path(), "rb");
        n = fread(b, 1, sizeof b, f);
        fclose(f);
        for (size_t i = 0; i < n; i++) {
            err_t e = {0};
            b[i] ^= 0x55;
            vol_t *v = map_read_mem(b, n, "changed", &o, NULL, NULL, &e);
            if (!v && e.code == ERR_OK) fail_msg("changed at %zu: no code", i);
            vol_free(v);
            b[i] ^= 0x55;
        }
    }
    fflush(stderr);
    off_t said = lseek(fd, 0, SEEK_END);
    dup2(was, STDERR_FILENO);
    close(was);
    close(fd);
    remove(log);
    assert_int_equal(said, 0);
}

int main(void)
{
    TIFFSetWarningHandler(NULL); /* of the writers here */
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_type),          cmocka_unit_test(few_bits),        cmocka_unit_test(every_codec),
                                       cmocka_unit_test(imagej),              cmocka_unit_test(past_four_gigabytes), cmocka_unit_test(one_fault_a_row),
                                       cmocka_unit_test(bombs),               cmocka_unit_test(by_planes),       cmocka_unit_test(says_nothing)};
    int failed = cmocka_run_group_tests_name("tiff", tests, NULL, NULL);
    remove(path());
    return failed;
}

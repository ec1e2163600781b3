/* test_mrc: reading and writing MRC files. */
#include "tests/test.h"

#include <bzlib.h>
#include <lzma.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/threads.h"
#include "mrc/data.h"
#include "mrc/mrc.h"
#include "tests/mrcfile.h"

static const int all_modes[] = {0, 1, 2, 6, 12, 101};
static const int all_crs[6][3] = {{1, 2, 3}, {1, 3, 2}, {2, 1, 3}, {2, 3, 1}, {3, 1, 2}, {3, 2, 1}};

static void check_values(const vol_t *v, int mode)
{
    for (size_t z = 0; z < v->nz; z++)
        for (size_t y = 0; y < v->ny; y++)
            for (size_t x = 0; x < v->nx; x++)
                assert_close((double)v->data[vol_idx(v, x, y, z)], mrcfile_value(mode, x, y, z), 0);
}

static void spill(const char *name, const unsigned char *b, size_t n)
{
    FILE *f = fopen(name, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(b, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static bool noted(const notes_t *notes, const char *text)
{
    for (size_t k = 0; k < notes->n; k++)
        if (strstr(notes->line[k], text)) return true;
    return false;
}

/* Every mode, byte order and axis order gives the same volume, voxel size and origin, from memory and from a file. */
static void reads_every_kind(void **state)
{
    (void)state;
    for (size_t a = 0; a < sizeof all_modes / sizeof *all_modes; a++)
        for (size_t c = 0; c < 6; c++)
            for (int k = 0; k < 4; k++) {
                mrcfile_t m = mrcfile_good();
                m.mode = all_modes[a];
                m.big = k % 2;
                m.size[2] = 37; /* more than one batch of sections */
                m.ext = c * 80;
                memcpy(m.crs, all_crs[c], sizeof m.crs);
                size_t n;
                unsigned char *b = mrcfile_make(&m, &n);
                err_t e = {0};
                notes_t notes = {0};
                mrc_header_t h;
                if (k > 1) spill("test_mrc.tmp.mrc", b, n);
                vol_t *v = k > 1 ? mrc_read("test_mrc.tmp.mrc", NULL, &h, &notes, &e)
                                 : mrc_read_mem(b, n, "good", NULL, &h, &notes, &e);
                if (!v) fail_msg("%s", e.msg);
                if (notes.n && (c || m.ext)) notes_free(&notes); /* EXTTYP is not set; see no note of it */
                assert_int_equal(notes.n, 0);
                assert_int_equal(v->nx, 5);
                assert_int_equal(v->ny, 4);
                assert_int_equal(v->nz, 37);
                check_values(v, m.mode);
                for (int i = 0; i < 3; i++) {
                    assert_close(v->voxel[i], 1.5 + i, 1e-6);
                    assert_close(v->origin[i], (2 + 2 * i) * (1.5 + i), 1e-5);
                }
                assert_int_equal(h.big_endian, m.big);
                assert_string_equal(h.label[0], "a label");
                vol_free(v);
                free(b);
            }
    remove("test_mrc.tmp.mrc");
}

/* One change to a good file, and what becomes of it. */
typedef struct {
    const char *what;
    size_t at;        /* byte that is changed */
    char kind;        /* i: int32, f: float, s: string, n: nothing */
    double number;
    const char *text;
    long cut;         /* bytes cut off (below 0: added) */
    errcode_t code;   /* ERR_OK: it is read, with a note that contains `says` (NULL: without any) */
    const char *says; /* or what the message contains */
} fault_t;

static const fault_t faults[] = {
    {"nothing", 0, 'n', 0, NULL, 0, ERR_OK, NULL},
    {"NX 0", 0, 'i', 0, NULL, 0, ERR_FORMAT, "NX 0"},
    {"NY -4", 4, 'i', -4, NULL, 0, ERR_FORMAT, "NY -4"},
    {"NZ 32769", 8, 'i', 32769, NULL, 0, ERR_RANGE, "NZ 32769"},
    {"NZ 32768", 8, 'i', 32768, NULL, 0, ERR_IO, "cut short"},
    {"NX 2^31-1", 0, 'i', 2147483647, NULL, 0, ERR_RANGE, "NX 2147483647"},
    {"mode 3", 12, 'i', 3, NULL, 0, ERR_UNSUP, "mode 3, complex"},
    {"mode 4", 12, 'i', 4, NULL, 0, ERR_UNSUP, "mode 4, complex"},
    {"mode 16", 12, 'i', 16, NULL, 0, ERR_UNSUP, "mode 16, RGB"},
    {"mode 5", 12, 'i', 5, NULL, 0, ERR_FORMAT, "mode 5"},
    {"mode -1", 12, 'i', -1, NULL, 0, ERR_FORMAT, "mode -1"},
    {"mode 1: half the bytes", 12, 'i', 1, NULL, 0, ERR_OK, "120 bytes more"},
    {"mode 0 with float32 data", 12, 'i', 0, NULL, 0, ERR_OK, "read as mode 2"},
    {"MAPC twice", 64, 'i', 2, NULL, 0, ERR_FORMAT, "MAPC, MAPR, MAPS 2, 2, 3"},
    {"MAPC 4", 64, 'i', 4, NULL, 0, ERR_FORMAT, "MAPC, MAPR, MAPS 4, 2, 3"},
    {"MAPS 0", 72, 'i', 0, NULL, 0, ERR_FORMAT, "MAPC, MAPR, MAPS 1, 2, 0"},
    {"cut by one", 0, 'n', 0, NULL, 1, ERR_IO, "cut short"},
    {"cut at the data", 0, 'n', 0, NULL, 240, ERR_IO, "cut short"},
    {"cut in the header", 0, 'n', 0, NULL, 241, ERR_IO, "1023 bytes"},
    {"cut to 4 bytes", 0, 'n', 0, NULL, 1260, ERR_IO, "4 bytes"},
    {"cut to nothing", 0, 'n', 0, NULL, 1264, ERR_IO, "empty"},
    {"too long", 0, 'n', 0, NULL, -3, ERR_OK, "3 bytes more"},
    {"NSYMBT not there", 92, 'i', 80, NULL, 0, ERR_OK, "not there"},
    {"NSYMBT absurd", 92, 'i', 2147483647, NULL, 0, ERR_OK, "not there"},
    {"NSYMBT absurd and cut", 92, 'i', 2147483647, NULL, 1, ERR_IO, "cut short"},
    {"NSYMBT -1", 92, 'i', -1, NULL, 0, ERR_OK, "NSYMBT -1"},
    {"NSYMBT -1 and cut", 92, 'i', -1, NULL, 1, ERR_IO, "cut short"},
    {"NSYMBT -1 and long", 92, 'i', -1, NULL, -1, ERR_FORMAT, "NSYMBT -1"},
    {"MAP NUL", 208, 's', 0, "MAP", 0, ERR_OK, "ends in a NUL"},
    {"no MAP", 208, 's', 0, "ABC", 0, ERR_OK, "old-style"},
    {"stamp 44 11", 212, 's', 0, "\x44\x11", 0, ERR_OK, "44 11 00 00 is none"},
    {"stamp 44 20", 212, 's', 0, "\x44\x20", 0, ERR_OK, "is none"},
    {"stamp 00", 212, 'i', 0, NULL, 0, ERR_OK, "is none"},
    {"stamp 44 41", 212, 's', 0, "\x44\x41", 0, ERR_OK, NULL},
    {"stamp of the other order", 212, 's', 0, "\x11\x11", 0, ERR_OK, "says big-endian"},
    {"MX 0", 28, 'i', 0, NULL, 0, ERR_OK, "gives no voxel size (0, 2.5, 3.5): taken as 2.5"},
    {"MZ -3", 36, 'i', -3, NULL, 0, ERR_OK, "gives no voxel size"},
    {"CELLA 0", 40, 'f', 0, NULL, 0, ERR_OK, "gives no voxel size"},
    {"CELLA NaN", 40, 'f', NAN, NULL, 0, ERR_OK, "gives no voxel size"},
    {"CELLA infinite", 44, 'f', INFINITY, NULL, 0, ERR_OK, "gives no voxel size"},
    {"CELLA tiny", 48, 'f', 1e-40, NULL, 0, ERR_OK, "gives no voxel size"},
    {"angle 0", 52, 'f', 0, NULL, 0, ERR_OK, "make no cell"},
    {"angle NaN", 56, 'f', NAN, NULL, 0, ERR_OK, "make no cell"},
    {"angle 180", 60, 'f', 180, NULL, 0, ERR_OK, "make no cell"},
    {"angle 120", 60, 'f', 120, NULL, 0, ERR_OK, "resampled"},
    {"angle 90.001", 60, 'f', 90.001, NULL, 0, ERR_OK, NULL},
    {"ORIGIN NaN", 196, 'f', NAN, NULL, 0, ERR_OK, "ORIGIN nan"},
    {"ORIGIN huge", 200, 'f', 1e30, NULL, 0, ERR_OK, "makes no sense"},
    {"ORIGIN and NSTART", 196, 'f', 100, NULL, 0, ERR_OK, "disagree"},
    {"NSTART huge", 16, 'i', 2000000000, NULL, 0, ERR_OK, "beyond ten times the box"},
    {"ISPG 1.0f", 88, 'f', 1, NULL, 0, ERR_OK, NULL},
    {"ISPG 0", 88, 'i', 0, NULL, 0, ERR_OK, NULL},
    {"ISPG 19", 88, 'i', 19, NULL, 0, ERR_OK, NULL},
    {"ISPG 401", 88, 'i', 401, NULL, 0, ERR_OK, NULL},
    {"MZ 1", 36, 'i', 1, NULL, 0, ERR_UNSUP, "stack of 3 images"},
    {"NLABL absurd", 220, 'i', -7, NULL, 0, ERR_OK, NULL},
    {"voxel NaN", 1024 + 8, 'f', NAN, NULL, 0, ERR_OK, "1 voxels are NaN"},
    {"git", 0, 's', 0, "version https://git-lfs.github.com/spec/v1", 0, ERR_FORMAT, NULL},
};

static void apply(const fault_t *f, unsigned char *b)
{
    if (f->kind == 'i') poke32(b, f->at, (uint32_t)(int32_t)f->number, false);
    if (f->kind == 'f') pokef(b, f->at, (float)f->number, false);
    if (f->kind == 's') memcpy(b + f->at, f->text, strlen(f->text) + (f->at == 208));
}

static void judges_each_fault(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof faults / sizeof *faults; k++) {
        const fault_t *f = &faults[k];
        mrcfile_t m = mrcfile_good();
        size_t n;
        unsigned char *good = mrcfile_make(&m, &n), *b = calloc(n + 16, 1);
        memcpy(b, good, n);
        apply(f, b);
        err_t e = {0};
        notes_t notes = {0};
        vol_t *v = mrc_read_mem(b, (size_t)((long)n - f->cut), "x.mrc", NULL, NULL, &notes, &e);
        if (e.code != f->code || !v != (f->code != ERR_OK)) {
            fail_msg("%s: code %s, message %s", f->what, err_name(e.code), e.msg);
        } else if (v && f->says && !noted(&notes, f->says)) {
            fail_msg("%s: %zu notes, none says '%s'; first: %s", f->what, notes.n, f->says, notes.n ? notes.line[0] : "-");
        } else if (v && !f->says && notes.n) {
            fail_msg("%s: noted %s", f->what, notes.line[0]);
        } else if (!v && f->says && !strstr(e.msg, f->says)) {
            fail_msg("%s: %s", f->what, e.msg);
        }
        if (!v && strncmp(e.msg, "x.mrc: ", 7)) fail_msg("%s: %s", f->what, e.msg);
        vol_free(v);
        notes_free(&notes);
        free(b);
        free(good);
    }
}

/* The values and the place of a file with some fields set; opts as given. */
static vol_t *read_with(const mrcfile_t *m, const fault_t *f, size_t nf, const mrc_opts_t *o, mrc_header_t *h, err_t *e)
{
    size_t n;
    unsigned char *b = mrcfile_make(m, &n);
    for (size_t k = 0; k < nf; k++) apply(&f[k], b);
    vol_t *v = mrc_read_mem(b, n, "x.mrc", o, h, NULL, e);
    free(b);
    return v;
}

static void origin_by_rule(void **state)
{
    (void)state;
    /* NSTART x 2, 4, 6 voxels of 1.5, 2.5, 3.5; ORIGIN as in the row */
    static const struct {
        int origin;
        double o0;
        bool map, start;
        double want;
    } rows[] = {
        {MRC_ORIGIN_AUTO, 0, true, true, 3},      {MRC_ORIGIN_AUTO, 50, true, true, 50},    {MRC_ORIGIN_AUTO, 50, true, false, 50},
        {MRC_ORIGIN_AUTO, 0, true, false, 0},     {MRC_ORIGIN_AUTO, 50, false, true, 3},    {MRC_ORIGIN_AUTO, NAN, true, true, 3},
        {MRC_ORIGIN_AUTO, -1e9, true, true, 3},   {MRC_ORIGIN_START, 50, true, true, 3},    {MRC_ORIGIN_START, 50, true, false, 0},
        {MRC_ORIGIN_ORIGIN, 50, true, true, 50},  {MRC_ORIGIN_ORIGIN, 0, true, true, 0},    {MRC_ORIGIN_ORIGIN, 50, false, true, 50},
        {MRC_ORIGIN_ORIGIN, NAN, true, true, 0},  {MRC_ORIGIN_NONE, 50, true, true, 0},
    };
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        mrcfile_t m = mrcfile_good();
        fault_t f[5] = {{.at = 196, .kind = 'f', .number = rows[k].o0}};
        size_t nf = 1;
        if (!rows[k].map) f[nf++] = (fault_t){.at = 208, .kind = 's', .text = "XXX"};
        for (size_t a = 0; a < 3 && !rows[k].start; a++) f[nf++] = (fault_t){.at = 16 + 4 * a, .kind = 'i', .number = 0};
        mrc_opts_t o = {.origin = rows[k].origin};
        err_t e = {0};
        vol_t *v = read_with(&m, f, nf, &o, NULL, &e);
        if (!v) fail_msg("%zu: %s", k, e.msg);
        if (!(fabs(v->origin[0] - rows[k].want) < 1e-5)) fail_msg("row %zu: origin %g, not %g", k, v->origin[0], rows[k].want);
        vol_free(v);
    }
}

static void mode0_by_rule(void **state)
{
    (void)state;
    /* value 200 as a byte; the flag of IMOD at 152 and 156 */
    static const struct {
        int opt;
        bool map, imod;
        int flags;
        double want;
    } rows[] = {
        {MRC_MODE0_AUTO, true, false, 0, -56},    {MRC_MODE0_AUTO, false, false, 0, 200}, {MRC_MODE0_AUTO, true, true, 0, 200},
        {MRC_MODE0_AUTO, true, true, 1, -56},     {MRC_MODE0_AUTO, false, true, 1, -56},  {MRC_MODE0_AUTO, true, true, 2, 200},
        {MRC_MODE0_SIGNED, false, true, 0, -56},  {MRC_MODE0_UNSIGNED, true, true, 1, 200},
    };
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        mrcfile_t m = mrcfile_good();
        m.mode = 0; /* the value at (0,0,0) is -56 */
        fault_t f[3] = {{.at = 152, .kind = 'i', .number = rows[k].imod ? 1146047817 : 0},
                        {.at = 156, .kind = 'i', .number = rows[k].flags},
                        {.at = 208, .kind = 's', .text = rows[k].map ? "MAP " : "\0\0\0\0"}};
        mrc_opts_t o = {.mode0 = rows[k].opt};
        err_t e = {0};
        vol_t *v = read_with(&m, f, 2 + !rows[k].map, &o, NULL, &e);
        if (!v) fail_msg("%zu: %s", k, e.msg);
        if ((double)v->data[0] != rows[k].want) fail_msg("row %zu: %g, not %g", k, (double)v->data[0], rows[k].want);
        vol_free(v);
    }
    /* four bytes a voxel: float32, unless the user insists */
    mrcfile_t m = mrcfile_good();
    fault_t f = {.at = 12, .kind = 'i', .number = 0};
    mrc_opts_t o = {.mode0 = MRC_MODE0_SIGNED};
    err_t e = {0};
    vol_t *v = read_with(&m, &f, 1, NULL, NULL, &e);
    assert_non_null(v);
    check_values(v, 2);
    vol_free(v);
    v = read_with(&m, &f, 1, &o, NULL, &e);
    assert_non_null(v);
    assert_close((double)v->data[1], 0, 0); /* second byte of the float -5600: 0xc5af0000 */
    vol_free(v);
}

static void voxel_size_by_apix(void **state)
{
    (void)state;
    mrcfile_t m = mrcfile_good();
    fault_t f = {.at = 40, .kind = 'f', .number = 0};
    mrc_opts_t o = {.apix = 2.25};
    err_t e = {0};
    vol_t *v = read_with(&m, &f, 1, &o, NULL, &e);
    for (int k = 0; k < 3; k++) assert_close(v->voxel[k], 2.25, 0);
    assert_close(v->origin[2], 6 * 2.25, 1e-9); /* NSTART counts voxels */
    vol_free(v);
    fault_t all[3] = {{.at = 40, .kind = 'f'}, {.at = 44, .kind = 'f'}, {.at = 48, .kind = 'f'}};
    v = read_with(&m, all, 3, NULL, NULL, &e);
    for (int k = 0; k < 3; k++) assert_close(v->voxel[k], 1, 0);
    vol_free(v);
}

static void chooses_a_volume(void **state)
{
    (void)state;
    mrcfile_t m = mrcfile_good();
    m.size[2] = 6;
    fault_t f[2] = {{.at = 88, .kind = 'i', .number = 401}, {.at = 36, .kind = 'i', .number = 2}};
    static const struct {
        long k;
        errcode_t code;
    } rows[] = {{0, ERR_USAGE}, {1, ERR_OK}, {2, ERR_OK}, {3, ERR_OK}, {4, ERR_NOTFOUND}, {-1, ERR_NOTFOUND}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        mrc_opts_t o = {.volume = rows[i].k};
        mrc_header_t h;
        err_t e = {0};
        vol_t *v = read_with(&m, f, 2, &o, &h, &e);
        assert_int_equal(e.code, rows[i].code);
        assert_int_equal(h.volumes, 3);
        if (!v) continue;
        assert_int_equal(v->nz, 2);
        assert_close((double)v->data[0], mrcfile_value(2, 0, 0, 2 * ((size_t)rows[i].k - 1)), 0);
        vol_free(v);
    }
    err_t e = {0};
    f[1].number = 4; /* does not divide 6 */
    assert_null(read_with(&m, f, 2, NULL, NULL, &e));
    assert_int_equal(e.code, ERR_FORMAT);
    e = (err_t){0};
    f[1].number = 0;
    assert_null(read_with(&m, f, 2, NULL, NULL, &e));
    assert_int_equal(e.code, ERR_FORMAT);
}

static void images_on_request(void **state)
{
    (void)state;
    mrcfile_t m = mrcfile_good();
    size_t n;
    unsigned char *b = mrcfile_make(&m, &n);
    static const char *const names[] = {"a.mrcs", "/x.y/a.mrcs.gz", "a.mrc", "/x.mrcs/a.mrc"};
    for (size_t k = 0; k < 4; k++) {
        mrc_opts_t o = {.images = true};
        err_t e = {0};
        vol_t *v = mrc_read_mem(b, n, names[k], NULL, NULL, NULL, &e);
        assert_int_equal(e.code, k < 2 ? ERR_UNSUP : ERR_OK);
        vol_free(v);
        e = (err_t){0};
        v = mrc_read_mem(b, n, names[k], &o, NULL, NULL, &e);
        assert_non_null(v);
        check_values(v, 2);
        vol_free(v);
    }
    free(b);
}

/* A compressor of bytes, for the test: out has room for 2 n + 1000. */
static size_t squeeze(int how, const unsigned char *in, size_t n, unsigned char *out, size_t room)
{
    if (how == 0) { /* gzip */
        z_stream z = {0};
        assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
        z.next_in = (unsigned char *)(uintptr_t)in, z.avail_in = (unsigned)n;
        z.next_out = out, z.avail_out = (unsigned)room;
        assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
        deflateEnd(&z);
        return room - z.avail_out;
    }
    if (how == 1) {
        unsigned got = (unsigned)room;
        assert_int_equal(BZ2_bzBuffToBuffCompress((char *)out, &got, (char *)(uintptr_t)in, (unsigned)n, 5, 0, 0), BZ_OK);
        return got;
    }
    if (how == 2) {
        size_t got = 0;
        assert_int_equal(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, in, n, out, &got, room), LZMA_OK);
        return got;
    }
    ZSTD_CCtx *c = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1); /* as zstd(1) does */
    size_t got = ZSTD_compress2(c, out, room, in, n);
    assert_false(ZSTD_isError(got));
    ZSTD_freeCCtx(c);
    return got;
}

static const char *const squeezers[] = {"gzip", "bzip2", "xz", "zstd"};

/* Whole, in two members, cut at every byte, damaged at every byte: read right or refused, never wrong. */
static void reads_compressed(void **state)
{
    (void)state;
    for (int how = 0; how < 4; how++)
        for (int kind = 0; kind < 4; kind++) {
            mrcfile_t m = mrcfile_good();
            m.mode = kind == 1 ? 1 : kind == 3 ? 101 : 2;
            if (kind == 2) memcpy(m.crs, all_crs[4], sizeof m.crs);
            m.ext = 160;
            size_t n, room = 8000, k;
            unsigned char *b = mrcfile_make(&m, &n), *z = calloc(room, 1), *two = calloc(2 * room, 1), *t = calloc(room, 1);
            k = squeeze(how, b, n, z, room);
            mrc_header_t h;
            err_t e = {0};
            notes_t notes = {0};
            vol_t *v = mrc_read_mem(z, k, "x", NULL, &h, &notes, &e);
            if (!v) fail_msg("%s", e.msg);
            check_values(v, m.mode);
            assert_int_equal(notes.n, 0);
            assert_int_equal(h.file_bytes, n);
            assert_string_equal(h.codec, squeezers[how]);
            vol_free(v);

            size_t a = squeeze(how, b, n / 2, two, room); /* two members */
            a += squeeze(how, b + n / 2, n - n / 2, two + a, room);
            v = mrc_read_mem(two, a, "x", NULL, &h, &notes, &e);
            if (!v) fail_msg("%s, two members: %s", squeezers[how], e.msg);
            check_values(v, m.mode);
            assert_int_equal(notes.n, 0);
            vol_free(v);

            for (size_t cut = 7; cut < k; cut++) {
                e = (err_t){0};
                v = mrc_read_mem(z, cut, "x", NULL, NULL, NULL, &e);
                if (v || (e.code != ERR_IO && e.code != ERR_FORMAT)) fail_msg("%s cut at %zu: %s", squeezers[how], cut, e.msg);
            }
            for (size_t bit = 0; bit < k; bit++) {
                memcpy(t, z, k);
                t[bit] ^= 0x55;
                e = (err_t){0};
                v = mrc_read_mem(t, k, "x", NULL, NULL, NULL, &e);
                if (v) check_values(v, m.mode); /* a field without influence, such as gzip's time */
                vol_free(v);
            }
            notes_free(&notes);
            free(b), free(z), free(two), free(t);
        }
}

/* What follows the compressed data is told, and not read. */
static void notes_what_follows(void **state)
{
    (void)state;
    for (int how = 0; how < 4; how++) {
        mrcfile_t m = mrcfile_good();
        size_t n, room = 8000;
        unsigned char *b = mrcfile_make(&m, &n), *z = calloc(room + 5, 1);
        size_t k = squeeze(how, b, n, z, room);
        memcpy(z + k, "stray", 5);
        err_t e = {0};
        notes_t notes = {0};
        vol_t *v = mrc_read_mem(z, k + 5, "x", NULL, NULL, &notes, &e);
        if (!v) fail_msg("%s: %s", squeezers[how], e.msg);
        check_values(v, 2);
        assert_true(noted(&notes, "5 bytes after the"));
        vol_free(v);
        notes_free(&notes);
        free(b), free(z);
    }
}

/* A zstd frame whose window is 128 MB is read, one of 256 MB refused: a few bytes do not make us take any memory. */
static void limits_zstd_window(void **state)
{
    (void)state;
    mrcfile_t m = mrcfile_good();
    size_t n;
    unsigned char *b = mrcfile_make(&m, &n), *z = calloc(n + 9, 1);
    static const unsigned char magic[] = {0x28, 0xb5, 0x2f, 0xfd};
    memcpy(z, magic, sizeof magic);                /* then the frame's flags, 0; its window; one raw block, the last */
    poke16(z, 6, (unsigned)(1 | n << 3) & 0xffff, false); /* RFC 8878, 3.1.1 */
    z[8] = (unsigned char)(n >> 13);
    memcpy(z + 9, b, n);
    for (unsigned log = 27; log <= 28; log++) {
        z[5] = (unsigned char)((log - 10) << 3);
        err_t e = {0};
        vol_t *v = mrc_read_mem(z, n + 9, "x", NULL, NULL, NULL, &e);
        if ((v != NULL) != (log == 27)) fail_msg("window 2^%u: %s", log, e.msg);
        vol_free(v);
    }
    free(b), free(z);
}

/* The same faults in a compressed file, whose size is not known beforehand. */
static void judges_compressed_sizes(void **state)
{
    (void)state;
    static const struct {
        int nsymbt;
        long cut;
        errcode_t code;
        const char *says;
    } rows[] = {
        {80, 0, ERR_OK, "not there"},  {2147483647, 0, ERR_OK, "not there"}, {0, 1, ERR_IO, "cut short"},
        {0, -5, ERR_OK, "5 bytes more"},  {80, 1, ERR_IO, "cut short"},         {-80, 0, ERR_OK, "NSYMBT -80: taken as 0"},
        {-80, -5, ERR_FORMAT, "NSYMBT"}, {-80, -65536, ERR_FORMAT, "NSYMBT"}, {-80, 1, ERR_IO, "cut short"},
        {0, -65536, ERR_OK, "at least"}, {0, 240, ERR_IO, "cut short"}, {0, 300, ERR_IO, "header"},
    };
    for (int how = 0; how < 4; how++)
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            mrcfile_t m = mrcfile_good();
            size_t n, room = 8000;
            unsigned char *good = mrcfile_make(&m, &n), *b = calloc(n + 65536, 1), *z = calloc(room, 1);
            memcpy(b, good, n);
            poke32(b, 92, (uint32_t)rows[i].nsymbt, false);
            size_t k = squeeze(how, b, (size_t)((long)n - rows[i].cut), z, room);
            err_t e = {0};
            notes_t notes = {0};
            vol_t *v = mrc_read_mem(z, k, "x", NULL, NULL, &notes, &e);
            if (e.code != rows[i].code) fail_msg("%s row %zu: %s", squeezers[how], i, e.msg);
            if (v ? !noted(&notes, rows[i].says) : !strstr(e.msg, rows[i].says)) fail_msg("%s row %zu: %s", squeezers[how], i, e.msg);
            if (v) check_values(v, 2);
            vol_free(v);
            notes_free(&notes);
            free(good), free(b), free(z);
        }
}

/* Mode 0 with four bytes a voxel is float32 in a compressed file, too; of a damaged stack no volume is read. */
static void rereads_compressed(void **state)
{
    (void)state;
    for (int how = 0; how < 4; how++) {
        mrcfile_t m = mrcfile_good();
        size_t n, room = 8000, k;
        unsigned char *b = mrcfile_make(&m, &n), *z = calloc(room, 1);
        poke32(b, 12, 0, false);
        k = squeeze(how, b, n, z, room);
        mrc_header_t h;
        err_t e = {0};
        vol_t *v = mrc_read_mem(z, k, "x", NULL, &h, NULL, &e);
        if (!v) fail_msg("%s", e.msg);
        check_values(v, 2);
        assert_int_equal(h.read_mode, 2);
        vol_free(v);
        poke32(b, 12, 2, false); /* three volumes of one section; the last is damaged, the first is asked for */
        poke32(b, 88, 401, false);
        poke32(b, 36, 1, false);
        for (int bad = 0; bad < 2; bad++) {
            mrc_opts_t o = {.volume = 1};
            k = squeeze(how, b, n, z, room) - (size_t)bad;
            e = (err_t){0};
            v = mrc_read_mem(z, k, "x", &o, NULL, NULL, &e);
            if ((v == NULL) != (bad == 1)) fail_msg("%s: %s", squeezers[how], e.msg);
            vol_free(v);
        }
        free(b), free(z);
    }
}

/* A few bytes that claim 4 GB are refused by the limit, or by their own length, and cost nothing. */
static void refuses_bombs(void **state)
{
    (void)state;
    mrcfile_t m = mrcfile_good();
    size_t n, room = 8000;
    unsigned char *b = mrcfile_make(&m, &n), *z = calloc(room, 1);
    for (size_t k = 0; k < 3; k++) poke32(b, 4 * k, 1024, false);
    size_t k = squeeze(0, b, n, z, room);
    mrc_opts_t o = {.mem_limit = 1 << 30};
    err_t e = {0};
    assert_null(mrc_read_mem(z, k, "x", &o, NULL, NULL, &e));
    assert_int_equal(e.code, ERR_RANGE);
    assert_non_null(strstr(e.msg, "need 4294968320 bytes")); /* the voxels, and the header that is decoded with them */
    e = (err_t){0};
    assert_null(mrc_read_mem(z, k, "x", NULL, NULL, NULL, &e));
    assert_int_equal(e.code, ERR_IO);
    e = (err_t){0};
    o.mem_limit = 239; /* the good file needs 240 */
    free(b);
    b = mrcfile_make(&m, &n);
    assert_null(mrc_read_mem(b, n, "x", &o, NULL, NULL, &e));
    assert_int_equal(e.code, ERR_RANGE);
    o.mem_limit = 240;
    vol_t *v = mrc_read_mem(b, n, "x", &o, NULL, NULL, NULL);
    assert_non_null(v);
    vol_free(v);
    free(b), free(z);
}

/* Standard input: plain, compressed, with an extended header that is there or not. */
static void reads_standard_input(void **state)
{
    (void)state;
    for (int kind = 0; kind < 6; kind++) {
        mrcfile_t m = mrcfile_good();
        m.ext = kind == 1 ? 80 : 0;
        m.mode = kind == 5 ? 0 : 2;
        size_t n, room = 8000, k;
        unsigned char *b = mrcfile_make(&m, &n), *z = calloc(room, 1);
        if (kind == 2) poke32(b, 92, 80, false);
        if (kind == 4) poke32(b, 12, 0, false); /* mode 0 with float32 data */
        k = kind == 3 ? squeeze(3, b, n, z, room) : n;
        int fd[2], keep = dup(STDIN_FILENO);
        assert_int_equal(pipe(fd), 0);
        assert_int_equal(write(fd[1], kind == 3 ? z : b, k), k); /* fits a pipe */
        close(fd[1]);
        dup2(fd[0], STDIN_FILENO);
        close(fd[0]);
        err_t e = {0};
        vol_t *v = mrc_read("-", NULL, NULL, NULL, &e);
        dup2(keep, STDIN_FILENO);
        close(keep);
        if (!v) fail_msg("kind %d: %s", kind, e.msg);
        check_values(v, m.mode);
        vol_free(v);
        free(b), free(z);
    }
}

/* A file cut short is a departure on a pipe as it is on a disk. */
static void validates_standard_input(void **state)
{
    (void)state;
    for (int cut = 0; cut < 2; cut++) {
        mrcfile_t m = mrcfile_good();
        size_t n;
        unsigned char *b = mrcfile_make(&m, &n);
        int fd[2], keep = dup(STDIN_FILENO);
        assert_int_equal(pipe(fd), 0);
        assert_int_equal(write(fd[1], b, n - (size_t)cut), n - (size_t)cut);
        close(fd[1]);
        dup2(fd[0], STDIN_FILENO);
        close(fd[0]);
        err_t e = {0};
        notes_t list = {0};
        int rc = mrc_validate("-", NULL, &list, &e);
        dup2(keep, STDIN_FILENO);
        close(keep);
        if (rc) fail_msg("%s", e.msg);
        assert_int_equal(noted(&list, "cut short"), cut);
        notes_free(&list);
        free(b);
    }
}

/* What the limit counts: the voxels, sections held for permuted axes, the compressed file; and the message names the file. */
static void counts_memory(void **state)
{
    (void)state;
    static const struct {
        int crs, how; /* row of all_crs; of squeezers, or -1 */
        size_t nz, bytes;
        float angle;
    } rows[] = {{0, -1, 3, 240, 90}, {5, -1, 3, 480, 90}, {5, -1, 40, 80 * 40 * 2, 90}, {2, -1, 40, 80 * 40 + 80 * 16, 90},
                {0, 1, 40, 80 * 40, 90}, {2, 3, 40, 80 * 40 + 80 * 16, 90}, {0, -1, 40, 2 * 80 * 40 + 1, 120}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        mrcfile_t m = mrcfile_good();
        size_t n, room = 8000, k;
        m.size[2] = rows[i].nz;
        m.angle[2] = rows[i].angle;
        memcpy(m.crs, all_crs[rows[i].crs], sizeof m.crs);
        unsigned char *b = mrcfile_make(&m, &n), *z = calloc(room, 1);
        k = rows[i].how < 0 ? 0 : squeeze(rows[i].how, b, n, z, room);
        spill("test_mrc.tmp.mrc", k ? z : b, k ? k : n);
        mrc_opts_t o = {.mem_limit = rows[i].bytes + k - 1};
        err_t e = {0};
        assert_null(mrc_read("test_mrc.tmp.mrc", &o, NULL, NULL, &e));
        assert_int_equal(e.code, ERR_RANGE);
        if (strncmp(e.msg, "test_mrc.tmp.mrc: ", 18) != 0) fail_msg("row %zu: %s", i, e.msg);
        o.mem_limit++;
        if (rows[i].angle > 90) o.mem_limit = 1 << 20; /* the straight grid is larger */
        e = (err_t){0};
        vol_t *v = mrc_read("test_mrc.tmp.mrc", &o, NULL, NULL, &e);
        if (!v) fail_msg("row %zu: %s", i, e.msg);
        vol_free(v);
        free(b), free(z);
    }
    remove("test_mrc.tmp.mrc");
}

/* A quadratic density on a skew grid is the same density on the straight one: at the right places, to rounding. */
static double quadratic(const double *p)
{
    return 3 + 0.2 * p[0] - 0.3 * p[1] + 0.1 * p[2] + 0.02 * p[0] * p[0] - 0.01 * p[1] * p[1] + 0.015 * p[0] * p[1];
}

static void straightens_cells(void **state)
{
    (void)state;
    static const float angles[][3] = {{90, 90, 120}, {90, 101.7f, 90}, {80, 95, 105}, {110, 90, 90}, {60, 60, 60}};
    for (size_t t = 0; t < sizeof angles / sizeof *angles; t++) {
        mrcfile_t m = mrcfile_good();
        m.size[0] = 12, m.size[1] = 11, m.size[2] = 10;
        memcpy(m.angle, angles[t], sizeof m.angle);
        double rad = M_PI / 180, ca = cos((double)angles[t][0] * rad), cb = cos((double)angles[t][1] * rad),
               cg = cos((double)angles[t][2] * rad), sg = sin((double)angles[t][2] * rad), yz = (ca - cb * cg) / sg,
               zz = sqrt(1 - cb * cb - yz * yz);
        size_t n;
        unsigned char *b = mrcfile_make(&m, &n);
        for (size_t z = 0; z < 10; z++)
            for (size_t y = 0; y < 11; y++)
                for (size_t x = 0; x < 12; x++) {
                    double u = (double)(x + 2) * 1.5, v = (double)(y + 4) * 2.5, w = (double)(z + 6) * 3.5;
                    double p[3] = {u + v * cg + w * cb, v * sg + w * yz, w * zz}; /* NSTART 2, 4, 6 */
                    pokef(b, 1024 + 4 * ((z * 11 + y) * 12 + x), (float)quadratic(p), false);
                }
        err_t e = {0};
        vol_t *v = mrc_read_mem(b, n, "x", NULL, NULL, NULL, &e);
        if (!v) fail_msg("%s", e.msg);
        size_t inside = 0;
        for (size_t z = 0; z < v->nz; z++)
            for (size_t y = 0; y < v->ny; y++)
                for (size_t x = 0; x < v->nx; x++) {
                    double p[3] = {v->origin[0] + (double)x * v->voxel[0], v->origin[1] + (double)y * v->voxel[1],
                                   v->origin[2] + (double)z * v->voxel[2]};
                    /* where it lies on the skew grid: one voxel inside, the four taps are its own */
                    double w = p[2] / zz, q = (p[1] - w * yz) / sg, u = p[0] - q * cg - w * cb;
                    double i = u / 1.5 - 2, j = q / 2.5 - 4;
                    float got = v->data[vol_idx(v, x, y, z)];
                    if (i >= 1 && i <= 10 && j >= 1 && j <= 9) {
                        assert_close((double)got, quadratic(p), 1e-3);
                        inside++;
                    } else if (i < -0.001 || i > 11.001 || j < -0.001 || j > 10.001) {
                        assert_close((double)got, 0, 0);
                    }
                }
        if (inside < 500) fail_msg("only %zu points compared", inside);
        mrc_opts_t o = {.as_stored = true};
        vol_t *s = mrc_read_mem(b, n, "x", &o, NULL, NULL, &e);
        assert_int_equal(s->nx, 12);
        vol_free(s);
        threads_set(1);
        s = mrc_read_mem(b, n, "x", NULL, NULL, NULL, &e);
        assert_memory_equal(s->data, v->data, vol_len(v) * sizeof *v->data);
        threads_set(4);
        vol_free(s);
        vol_free(v);
        free(b);
    }
}

/* Large enough for several blocks and threads: the same bytes for any number of them, NaN payloads kept. */
static void reads_large_files(void **state)
{
    (void)state;
    mrcfile_t m = mrcfile_good();
    m.size[0] = 130, m.size[1] = 120, m.size[2] = 200;
    size_t n;
    unsigned char *b = mrcfile_make(&m, &n);
    poke32(b, 1024 + 4 * 1500000, 0x7fc12345, false);
    spill("test_mrc.tmp.mrc", b, n);
    for (int k = 1; k < 4; k++) {
        threads_set(k);
        notes_t notes = {0};
        vol_t *v = mrc_read("test_mrc.tmp.mrc", NULL, NULL, &notes, NULL);
        assert_non_null(v);
        assert_memory_equal(v->data, b + 1024, n - 1024); /* on a little-endian machine */
        assert_true(noted(&notes, "1 voxels are NaN"));
        notes_free(&notes);
        vol_free(v);
    }
    remove("test_mrc.tmp.mrc");
    free(b);
}

static vol_t *wave(void)
{
    vol_t *v = vol_new(6, 5, 4, 2.5, NULL);
    for (size_t i = 0; i < vol_len(v); i++) v->data[i] = (float)((i * 37) % 120);
    v->origin[0] = -5;
    v->origin[1] = 2.5;
    v->origin[2] = 10;
    return v;
}

/* What is written comes back, in every mode, plain and compressed, with its place and statistics. */
static void writes_what_it_reads(void **state)
{
    (void)state;
    static const int modes[] = {0, 1, 2, 6, 12};
    vol_t *v = wave();
    volstat_t s;
    vol_stats(v, &s);
    for (size_t k = 0; k < 10; k++) {
        mrc_wopts_t o = {.mode = modes[k % 5], .label = (const char *const[]){"second label"}, .labels = 1};
        const char *name = k < 5 ? "test_mrc.tmp.mrc" : "test_mrc.tmp.mrc.gz";
        err_t e = {0};
        notes_t notes = {0};
        mrc_header_t h;
        if (mrc_write(name, v, &o, &e)) fail_msg("%s", e.msg);
        vol_t *w = mrc_read(name, NULL, &h, &notes, &e);
        if (!w) fail_msg("%s", e.msg);
        assert_int_equal(notes.n, 0);
        assert_memory_equal(v->data, w->data, vol_len(v) * sizeof *v->data);
        for (int a = 0; a < 3; a++) {
            assert_close(w->voxel[a], 2.5, 1e-6);
            assert_close(w->origin[a], v->origin[a], 1e-6);
            assert_close(h.start[a] * 2.5, v->origin[a], 1e-6);
        }
        assert_close((double)h.dmin, s.min, 1e-6);
        assert_close((double)h.dmax, s.max, 1e-6);
        assert_close((double)h.dmean, s.mean, 1e-4);
        assert_close((double)h.rms, s.sd, 1e-4);
        assert_string_equal(h.codec, k < 5 ? "none" : "gzip");
        assert_string_equal(h.label[1], "second label");
        assert_int_equal(mrc_validate(name, NULL, &notes, &e), 0);
        if (notes.n) fail_msg("%s", notes.line[0]);
        vol_free(w);
        remove(name);
    }
    v->origin[1] = 2; /* no whole number of voxels: ORIGIN alone */
    mrc_header_t h;
    assert_int_equal(mrc_write("test_mrc.tmp.mrc", v, NULL, NULL), 0);
    assert_int_equal(mrc_head("test_mrc.tmp.mrc", NULL, &h, NULL, NULL), 0);
    assert_close(h.place[1], 2, 1e-6);
    assert_int_equal(h.nstart[0], 0);
    remove("test_mrc.tmp.mrc");
    vol_free(v);
}

/* The statistics are those of the rounded values; what a mode cannot hold is refused and leaves the old file. */
static void writes_what_fits(void **state)
{
    (void)state;
    static const struct {
        int mode;
        float value;
        errcode_t code;
        double stored;
    } rows[] = {
        {0, 127.4f, ERR_OK, 127},        {0, 127.6f, ERR_RANGE, 0}, {0, -128.5f, ERR_OK, -128},   {0, -129, ERR_RANGE, 0},
        {0, NAN, ERR_RANGE, 0},          {1, 32767, ERR_OK, 32767}, {1, 32768, ERR_RANGE, 0},     {1, 2.5f, ERR_OK, 2},
        {1, 3.5f, ERR_OK, 4},            {6, -1, ERR_RANGE, 0},     {6, 65535, ERR_OK, 65535},    {6, 65536, ERR_RANGE, 0},
        {6, INFINITY, ERR_RANGE, 0},     {12, 65504, ERR_OK, 65504}, {12, 65519, ERR_OK, 65504},  {12, 65520, ERR_RANGE, 0},
        {12, 1e30f, ERR_RANGE, 0},       {12, 0.1f, ERR_OK, 0.0999755859375}, {2, 1e38f, ERR_OK, 0x1.2ced32p126},
        {3, 1, ERR_USAGE, 0},            {101, 1, ERR_USAGE, 0},
    };
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        vol_t *v = vol_new(3, 3, 3, 1.25, NULL);
        for (int i = 0; i < 5; i++) v->data[i] = rows[k].value;
        mrc_wopts_t o = {.mode = rows[k].mode};
        err_t e = {0};
        spill("test_mrc.tmp.mrc", (const unsigned char *)"old", 3);
        int rc = mrc_write("test_mrc.tmp.mrc", v, &o, &e);
        if (e.code != rows[k].code || (rc != 0) != (e.code != ERR_OK)) fail_msg("row %zu: %s %s", k, err_name(e.code), e.msg);
        if (rc) {
            size_t n;
            unsigned char *b = file_read("test_mrc.tmp.mrc", 10, &n, NULL);
            assert_string_equal((char *)b, "old");
            mem_free(b);
        } else {
            mrc_header_t h;
            vol_t *w = mrc_read("test_mrc.tmp.mrc", NULL, &h, NULL, &e);
            assert_close((double)w->data[4], rows[k].stored, 0);
            assert_close((double)w->data[5], 0, 0);
            assert_close((double)(rows[k].stored > 0 ? h.dmax : h.dmin), rows[k].stored, 0);
            assert_close((double)h.dmean, rows[k].stored * 5 / 27, fabs(rows[k].stored) * 1e-6);
            vol_free(w);
        }
        vol_free(v);
    }
    remove("test_mrc.tmp.mrc");
}

static void writes_not_finite(void **state)
{
    (void)state;
    vol_t *v = wave();
    v->data[7] = NAN;
    v->data[8] = -INFINITY;
    for (int mode = 2; mode <= 12; mode += 10) {
        mrc_wopts_t o = {.mode = mode};
        mrc_header_t h;
        assert_int_equal(mrc_write("test_mrc.tmp.mrc", v, &o, NULL), 0);
        vol_t *w = mrc_read("test_mrc.tmp.mrc", NULL, &h, NULL, NULL);
        assert_memory_equal(v->data + 8, w->data + 8, (vol_len(v) - 8) * sizeof *v->data);
        assert_true(isnan(w->data[7]));
        assert_true(isfinite(h.dmin) && isfinite(h.dmean) && isfinite(h.rms));
        vol_free(w);
    }
    remove("test_mrc.tmp.mrc");
    vol_free(v);
    err_t e = {0};
    v = wave();
    assert_int_equal(mrc_write("/nonexistent/x.mrc", v, NULL, &e), -1);
    assert_int_equal(e.code, ERR_IO);
    vol_free(v);
}

/* Every half: to float and back is itself; and the float halfway to the next rounds to even. */
static void halves(void **state)
{
    (void)state;
    for (unsigned u = 0; u < 0x10000; u++) {
        float f = raw_half_to_float((uint16_t)u);
        int e = (int)(u >> 10 & 31), m = (int)(u & 1023);
        double want = e == 31 ? (m ? NAN : INFINITY) : e ? ldexp(1024 + m, e - 25) : ldexp(m, -24);
        if (u & 0x8000) want = -want;
        if (isnan(want)) {
            assert_true(isnan(f));
            assert_true((raw_float_to_half(f) & 0x7c00) == 0x7c00 && (raw_float_to_half(f) & 1023));
            continue;
        }
        assert_true((double)f == want && !signbit(f) == !(u & 0x8000));
        assert_int_equal(raw_float_to_half(f), u);
        if (e >= 30) continue;
        float next = raw_half_to_float((uint16_t)(u + 1));
        double mid = ((double)f + (double)next) / 2;
        assert_int_equal(raw_float_to_half((float)mid), u + (u & 1));
        assert_int_equal(raw_float_to_half(nextafterf((float)mid, f)), u);
        assert_int_equal(raw_float_to_half(nextafterf((float)mid, next)), u + 1);
    }
}

/* Each departure from MRC2014, one a row. */
static void validates(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        char kind;
        double number;
        const char *text;
        long cut;
        const char *says; /* NULL: no departure */
    } rows[] = {
        {0, 'n', 0, NULL, 0, NULL},                      {208, 's', 0, "MAP", 0, "MAP: "},
        {212, 's', 0, "\x44\x11", 0, "MACHST"},          {212, 's', 0, "\x11\x11", 0, "MACHST: big-endian"},
        {215, 's', 0, "\x01", 0, "MACHST"},              {108, 'i', 0, NULL, 0, "NVERSION: 0"},
        {12, 'i', 7, NULL, 0, "MODE: 7"},                {0, 'i', -5, NULL, 0, "NX: -5"},
        {28, 'i', 0, NULL, 0, "MX: 0"},                  {40, 'f', 0, NULL, 0, "CELLA: x"},
        {44, 'f', -1, NULL, 0, "CELLA: y"},              {48, 'f', NAN, NULL, 0, "CELLA: z"},
        {52, 'f', 0, NULL, 0, "CELLB: angle 1"},         {64, 'i', 3, NULL, 0, "MAPC"},
        {88, 'i', 1065353216, NULL, 0, "ISPG"},          {88, 'i', -1, NULL, 0, "ISPG"},
        {92, 'i', -4, NULL, 0, "NSYMBT"},                {92, 'i', 80, NULL, -80, "EXTTYP"},
        {196, 'f', NAN, NULL, 0, "ORIGIN"},              {220, 'i', 2, NULL, 0, "NLABL: 2"},
        {224 + 160, 's', 0, "later", 0, "LABEL"},        {76, 'f', 1, NULL, 0, "DMIN"},
        {80, 'f', 1, NULL, 0, "DMAX"},                   {84, 'f', 1e4, NULL, 0, "DMEAN"},
        {216, 'f', 1, NULL, 0, "RMS"},                   {216, 'f', -1, NULL, 0, NULL},
        {84, 'f', -1e9, NULL, 0, NULL},                  {1024, 'f', INFINITY, NULL, 0, "data: 1"},
        {0, 'n', 0, NULL, 4, "shorter"},                 {0, 'n', 0, NULL, -4, "longer"},
        {0, 'n', 0, NULL, 500, "shorter than the header"},           {0, 'n', 0, NULL, 1264, "an empty file"},
    };
    mrcfile_t m = mrcfile_good();
    size_t n;
    unsigned char *b = mrcfile_make(&m, &n), *t = calloc(n + 100, 1);
    vol_t *v = mrc_read_mem(b, n, "x", NULL, NULL, NULL, NULL);
    volstat_t s;
    vol_stats(v, &s);
    vol_free(v);
    pokef(b, 76, (float)s.min, false);
    pokef(b, 80, (float)s.max, false);
    pokef(b, 84, (float)s.mean, false);
    pokef(b, 216, (float)s.sd, false);
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        fault_t f = {.at = rows[k].at, .kind = rows[k].kind, .number = rows[k].number, .text = rows[k].text};
        memset(t, 0, n + 100);
        memcpy(t, b, n);
        apply(&f, t);
        spill("test_mrc.tmp.mrc", t, (size_t)((long)n - rows[k].cut));
        notes_t list = {0};
        err_t e = {0};
        if (mrc_validate("test_mrc.tmp.mrc", NULL, &list, &e)) fail_msg("row %zu: %s", k, e.msg);
        if (rows[k].says ? !noted(&list, rows[k].says) : list.n)
            fail_msg("row %zu: %zu departures: %s", k, list.n, list.n ? list.line[0] : "");
        notes_free(&list);
    }
    unsigned char c[1024 + 480] = {0}; /* complex: conforms, and its header can be read */
    memcpy(c, b, 1024);
    poke32(c, 12, 4, false);
    spill("test_mrc.tmp.mrc", c, sizeof c);
    err_t e = {0};
    notes_t list = {0};
    mrc_header_t h;
    assert_int_equal(mrc_validate("test_mrc.tmp.mrc", NULL, &list, &e), 0);
    assert_int_equal(list.n, 0);
    assert_int_equal(mrc_head("test_mrc.tmp.mrc", NULL, &h, NULL, &e), 0);
    assert_int_equal(h.data_bytes, 480);
    assert_int_equal(mrc_validate("/nonexistent", NULL, &list, &e), -1);
    assert_int_equal(e.code, ERR_IO);
    remove("test_mrc.tmp.mrc");
    free(b), free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_kind),     cmocka_unit_test(judges_each_fault),
        cmocka_unit_test(origin_by_rule),       cmocka_unit_test(mode0_by_rule),
        cmocka_unit_test(voxel_size_by_apix),   cmocka_unit_test(chooses_a_volume),
        cmocka_unit_test(images_on_request),    cmocka_unit_test(reads_compressed),
        cmocka_unit_test(judges_compressed_sizes), cmocka_unit_test(rereads_compressed),
        cmocka_unit_test(refuses_bombs),
        cmocka_unit_test(notes_what_follows), cmocka_unit_test(limits_zstd_window),
        cmocka_unit_test(validates_standard_input), cmocka_unit_test(counts_memory),
        cmocka_unit_test(reads_standard_input), cmocka_unit_test(straightens_cells),
        cmocka_unit_test(reads_large_files),    cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(writes_what_fits),     cmocka_unit_test(writes_not_finite),
        cmocka_unit_test(halves),               cmocka_unit_test(validates),
    };
    return cmocka_run_group_tests_name("mrc", tests, NULL, NULL);
}

/* test_fsc: curves that are known beforehand, and what is refused. */
#include "tests/test.h"

#include "base/rng.h"
#include "base/threads.h"
#include "voxel/filter.h"
#include "voxel/fsc.h"

static vol_t *noise(size_t nx, size_t ny, size_t nz, uint64_t seed)
{
    vol_t *v = vol_new(nx, ny, nz, 1.5, NULL);
    rng_t r;
    rng_seed(&r, seed);
    for (size_t i = 0; i < vol_len(v); i++) v->data[i] = (float)rng_normal(&r);
    return v;
}

/* v = scale v + offset */
static vol_t *affine(vol_t *v, double scale, double offset)
{
    for (size_t i = 0; i < vol_len(v); i++) v->data[i] = (float)(scale * (double)v->data[i] + offset);
    return v;
}

/* a + scale b, a new volume */
static vol_t *sum(const vol_t *a, const vol_t *b, double scale)
{
    vol_t *v = vol_clone(a, NULL);
    for (size_t i = 0; i < vol_len(a); i++) v->data[i] += (float)(scale * (double)b->data[i]);
    return v;
}

/* 1 within radius r (voxels) of the centre, 0 beyond r + edge, a cosine between. */
static vol_t *ball(size_t n, double r, double edge)
{
    vol_t *v = vol_new(n, n, n, 1.5, NULL);
    double c = (double)(n / 2);
    for (size_t z = 0; z < n; z++)
        for (size_t y = 0; y < n; y++)
            for (size_t x = 0; x < n; x++) {
                double d = sqrt(((double)x - c) * ((double)x - c) + ((double)y - c) * ((double)y - c) + ((double)z - c) * ((double)z - c));
                double t = (d - r) / edge;
                v->data[vol_idx(v, x, y, z)] = (float)(t <= 0 ? 1 : t >= 1 ? 0 : 0.5 * (1 + cos(M_PI * t)));
            }
    return v;
}

static const size_t sides[][3] = {{32, 32, 32}, {31, 31, 31}, {24, 40, 33}, {20, 20, 1}, {1, 1, 16}, {2, 2, 2}};
enum { SIDES = sizeof sides / sizeof *sides };

static void of_itself_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < SIDES; i++) {
        vol_t *a = noise(sides[i][0], sides[i][1], sides[i][2], 1);
        fsc_t f;
        bool limited = false;
        assert_int_equal(fsc_make(a, a, NULL, &f, NULL), 0);
        for (size_t k = 0; k < f.n; k++) assert_close(f.curve[FSC_UNMASKED][k], 1, 1e-12);
        assert_close(fsc_resolution(&f, FSC_UNMASKED, FSC_GOLD, &limited), 1 / (f.step * (double)(f.n - 1)), 1e-9);
        assert_true(limited);
        fsc_free(&f);
        vol_free(a);
    }
}

/* Shells of a cube are RELION's, and one of other sides and voxels has them by frequency. */
static void shells(void **state)
{
    (void)state;
    static const struct {
        size_t side[3];
        double voxel[3];
        size_t n;
        double edge;
    } rows[] = {{{32, 32, 32}, {1.5, 1.5, 1.5}, 17, 48}, {{31, 31, 31}, {1, 1, 1}, 16, 31},   {{24, 40, 33}, {1, 1, 1}, 21, 40},
                {{24, 40, 32}, {2, 1, 1}, 13, 48},       {{20, 10, 1}, {1, 2, 70}, 18, 70}, {{100, 8, 8}, {1.01, 1.01, 1.01}, 51, 101}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vol_t *a = noise(rows[i].side[0], rows[i].side[1], rows[i].side[2], 1);
        memcpy(a->voxel, rows[i].voxel, sizeof a->voxel);
        fsc_t f;
        assert_int_equal(fsc_make(a, a, NULL, &f, NULL), 0);
        assert_int_equal(f.n, rows[i].n);
        assert_close(f.step, 1 / rows[i].edge, 1e-12);
        assert_int_equal(f.count[0], 1);
        if (i < 2) assert_int_equal(f.count[1], 13); /* 6 + 12 of the whole transform, kx >= 0 */
        fsc_free(&f);
        vol_free(a);
    }
}

/* A wave lies in the shell of its frequency: where one volume has it and the other its opposite, that shell is -1. */
static void wave_in_its_shell(void **state)
{
    (void)state;
    static const struct {
        int k[3];
        size_t shell;
    } rows[] = {{{1, 2, 2}, 5}, {{3, 0, 0}, 3}, {{0, -4, 0}, 8}, {{0, 0, 5}, 5}, {{3, 2, -1}, 5}, {{1, 1, 1}, 2}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vol_t *a = vol_new(24, 24, 24, 1, NULL);
        a->voxel[1] = 0.5; /* twice the frequency */
        for (size_t z = 0; z < 24; z++)
            for (size_t y = 0; y < 24; y++)
                for (size_t x = 0; x < 24; x++)
                    a->data[vol_idx(a, x, y, z)] =
                        (float)cos(2 * M_PI * (rows[i].k[0] * (double)x + rows[i].k[1] * (double)y + rows[i].k[2] * (double)z) / 24);
        vol_t *tiny = noise(24, 24, 24, 3), *b, *c;
        tiny->voxel[0] = tiny->voxel[2] = 1, tiny->voxel[1] = 0.5;
        b = sum(tiny, a, 1000), c = sum(tiny, a, -1000);
        fsc_t f;
        assert_int_equal(fsc_make(b, c, NULL, &f, NULL), 0);
        for (size_t k = 1; k < f.n; k++) assert_close(f.curve[FSC_UNMASKED][k], k == rows[i].shell ? -1 : 1, 1e-3);
        fsc_free(&f);
        vol_free(a);
        vol_free(b);
        vol_free(c);
        vol_free(tiny);
    }
}

/* Shell by shell within 4 / sqrt(n), and nearly all within 3 / sqrt(n) (n: independent numbers, half of those on kx = 0). */
static void of_noise_none(void **state)
{
    (void)state;
    size_t beyond = 0, all = 0;
    for (uint64_t seed = 0; seed < 10; seed++) {
        vol_t *a = noise(40, 40, 40, 10 + seed), *b = noise(40, 40, 40, 1000 + seed);
        fsc_t f;
        assert_int_equal(fsc_make(a, b, NULL, &f, NULL), 0);
        for (size_t k = 1; k < f.n; k++) {
            double c = fabs(f.curve[FSC_UNMASKED][k]), n = (double)f.count[k] / 1.5;
            if (k > 3) assert_close(c, 0, 4 / sqrt(n));
            beyond += c > 3 / sqrt(n);
            all++;
        }
        assert_true(fsc_resolution(&f, FSC_UNMASKED, 0.9, NULL) > 0 ? false : true); /* none: NAN */
        fsc_free(&f);
        vol_free(a);
        vol_free(b);
    }
    assert_true(all == 200 && beyond <= 6);
}

static void scale_and_offset_go(void **state)
{
    (void)state;
    vol_t *s = noise(30, 26, 28, 5), *n = noise(30, 26, 28, 6), *b = sum(s, n, 0.7);
    fsc_t f, g;
    assert_int_equal(fsc_make(s, b, NULL, &f, NULL), 0);
    affine(s, 3.7e-3, 20);
    affine(b, 250, -1e4);
    assert_int_equal(fsc_make(s, b, NULL, &g, NULL), 0);
    for (size_t k = 0; k < f.n; k++) assert_close(f.curve[FSC_UNMASKED][k], g.curve[FSC_UNMASKED][k], 2e-3); /* float32 at 5000 times its deviation */
    affine(b, -1, 0);
    fsc_free(&g);
    assert_int_equal(fsc_make(s, b, NULL, &g, NULL), 0);
    for (size_t k = 1; k < f.n; k++) assert_close(f.curve[FSC_UNMASKED][k], -g.curve[FSC_UNMASKED][k], 2e-3);
    fsc_free(&f);
    fsc_free(&g);
    vol_free(s);
    vol_free(n);
    vol_free(b);
}

/* Signal with a Gaussian spectrum and white noise: the curve is SNR / (1 + SNR) of each frequency. */
static void halves_of_known_ratio(void **state)
{
    (void)state;
    enum { N = 64 };
    const filter_t blur = {.sigma = 1.5};
    vol_t *s = noise(N, N, N, 21), *n1 = noise(N, N, N, 22), *n2 = noise(N, N, N, 23);
    assert_int_equal(filter_apply(s, &blur, NULL), 0);
    vol_t *a = sum(s, n1, 0.3), *b = sum(s, n2, 0.3);
    fsc_t f;
    assert_int_equal(fsc_make(a, b, NULL, &f, NULL), 0);
    for (size_t k = 3; k < f.n; k++) {
        /* power of the signal at the shell, mean over its thickness */
        double gain = 0;
        for (int i = -5; i <= 5; i++) {
            double r = (double)k + i / 11.0, g = filter_gain(&blur, r * f.step);
            gain += g * g / 11;
        }
        double snr = gain / (0.3 * 0.3);
        assert_close(f.curve[FSC_UNMASKED][k], snr / (1 + snr), 4 / sqrt((double)f.count[k] / 1.5));
    }
    /* SNR = t / (1 - t) where exp(-4 pi^2 sigma^2 s^2) = 0.09 t / (1 - t) */
    for (double t = 0.2; t < 0.9; t += 0.3) {
        double at = sqrt(-log(0.09 * t / (1 - t)) / (4 * M_PI * M_PI * 1.5 * 1.5));
        assert_close(1 / fsc_resolution(&f, FSC_UNMASKED, t, NULL), at, 0.7 * f.step);
    }
    fsc_free(&f);
    vol_free(s);
    vol_free(n1);
    vol_free(n2);
    vol_free(a);
    vol_free(b);
}

static void interpolated(void **state)
{
    (void)state;
    double c[] = {1, 0.9, 0.8, 0.4, 0.2, 0.1, 0.3};
    fsc_t f = {.n = 7, .step = 0.01, .curve = {[FSC_UNMASKED] = c}};
    bool limited = true;
    assert_close(fsc_resolution(&f, FSC_UNMASKED, 0.5, &limited), 1 / 0.0275, 1e-9);
    assert_false(limited);
    assert_close(fsc_resolution(&f, FSC_UNMASKED, 0.143, NULL), 1 / 0.0457, 1e-9);
    assert_close(fsc_resolution(&f, FSC_UNMASKED, 0.2, NULL), 1 / 0.04, 1e-9); /* at the threshold is not below it */
    assert_close(fsc_resolution(&f, FSC_UNMASKED, 0.05, &limited), 1 / 0.06, 1e-9);
    assert_true(limited);
    assert_true(isnan(fsc_resolution(&f, FSC_UNMASKED, 0.95, &limited)) && !limited);
}

/* Two halves with a common signal up to a frequency, none beyond, under a tight mask: the mask makes a correlation beyond that the
 * correction takes away; and there the randomised maps have what the masked ones have. */
static void correction_takes_the_mask_away(void **state)
{
    (void)state;
    enum { N = 48 };
    const filter_t low = {.lowpass = 6, .edge = 0.02}; /* shell 12 */
    vol_t *s = noise(N, N, N, 31), *mask = ball(N, 10, 3), *n1 = noise(N, N, N, 32), *n2 = noise(N, N, N, 33);
    for (size_t i = 0; i < vol_len(s); i++) s->data[i] *= 1 + mask->data[i];
    assert_int_equal(filter_apply(s, &low, NULL), 0);
    vol_t *a = sum(s, n1, 0.1), *b = sum(s, n2, 0.1);
    fsc_opts_t o = {.mask = mask, .randomise = true, .seed = 1};
    fsc_t f;
    assert_int_equal(fsc_make(a, b, &o, &f, NULL), 0);
    assert_int_equal(fsc_best(&f), FSC_CORRECTED);
    assert_in_range(f.from, 11, 14);
    double excess = 0;
    for (size_t k = 0; k < f.n; k++) {
        double t = f.curve[FSC_MASKED][k], r = f.curve[FSC_RANDOMISED][k], c = f.curve[FSC_CORRECTED][k];
        if (k < f.from + 2) assert_close(c, t, 0);
        else assert_close(c, r > t ? 0 : (t - r) / (1 - r), 1e-12);
        if (k + 4 < f.from) assert_close(r, t, 0.02);
        if (k >= f.from + 4) assert_close(c, 0, 0.2);
        excess = fmax(excess, k >= f.from ? t - f.curve[FSC_UNMASKED][k] : 0);
    }
    assert_true(excess > 0.03);
    fsc_free(&f);
    vol_free(s);
    vol_free(mask);
    vol_free(n1);
    vol_free(n2);
    vol_free(a);
    vol_free(b);
}

/* Under a mask of ones the randomised maps are the random maps themselves: as before up to the shell, none beyond. Amplitudes
 * are kept, and two seeds give two curves. */
static void random_phases(void **state)
{
    (void)state;
    static const size_t box[][3] = {{40, 40, 40}, {33, 35, 37}, {24, 40, 32}};
    for (size_t i = 0; i < 3; i++) {
        const filter_t blur = {.sigma = 1};
        vol_t *s = noise(box[i][0], box[i][1], box[i][2], 41), *n1 = noise(box[i][0], box[i][1], box[i][2], 42), *n2 = noise(box[i][0], box[i][1], box[i][2], 43);
        vol_t *ones = affine(vol_clone(s, NULL), 0, 1);
        assert_int_equal(filter_apply(s, &blur, NULL), 0);
        vol_t *a = sum(s, n1, 0.3), *b = sum(s, n2, 0.3);
        fsc_opts_t o = {.mask = ones, .randomise = true, .seed = 1}, other = {.mask = ones, .randomise = true, .seed = 2};
        fsc_t f, g;
        assert_int_equal(fsc_make(a, b, &o, &f, NULL), 0);
        assert_int_equal(fsc_make(a, b, &other, &g, NULL), 0);
        assert_true(f.from > 2 && f.from + 4 < f.n);
        bool differ = false;
        for (size_t k = 0; k < f.n; k++) {
            double u = f.curve[FSC_UNMASKED][k], r = f.curve[FSC_RANDOMISED][k];
            assert_close(f.curve[FSC_MASKED][k], u, 1e-6);
            if (k < f.from) assert_close(r, u, 1e-5);
            if (k > f.from) assert_close(r, 0, 4 / sqrt((double)f.count[k] / 1.5));
            differ |= fabs(r - g.curve[FSC_RANDOMISED][k]) > 1e-3;
        }
        assert_true(differ);
        fsc_free(&f);
        fsc_free(&g);
        /* a volume against itself: other phases on the two, or the curve would stay 1 */
        affine(n1, 0.3, 0);
        fsc_opts_t tight = {.mask = ones, .randomise = true};
        assert_int_equal(fsc_make(a, a, &tight, &f, NULL), 0);
        assert_int_equal(f.from, 0);
        for (size_t k = 0; k < f.n; k++) {
            assert_close(f.curve[FSC_RANDOMISED][k], 0, 0);
            assert_close(f.curve[FSC_CORRECTED][k], 1, 1e-9);
        }
        fsc_free(&f);
        vol_t *all[] = {s, n1, n2, ones, a, b};
        for (size_t k = 0; k < 6; k++) vol_free(all[k]);
    }
}

/* In place: amplitudes as before, low frequencies untouched, and on the planes kx = 0 and kx = nx/2 what lies at -k is the conjugate. */
static void phases_of_a_real_volume(void **state)
{
    (void)state;
    static const size_t box[][3] = {{12, 10, 8}, {11, 9, 7}, {12, 9, 8}, {8, 1, 6}};
    for (size_t i = 0; i < 4; i++) {
        size_t nx = box[i][0], ny = box[i][1], nz = box[i][2], nxh = nx / 2 + 1, turned = 0;
        vol_t *v = noise(nx, ny, nz, 81);
        cplx_t *c = calloc(nxh * ny * nz, sizeof *c), *d = calloc(nxh * ny * nz, sizeof *d);
        assert_int_equal(fft_forward(nx, ny, nz, v->data, c, NULL), 0);
        memcpy(d, c, nxh * ny * nz * sizeof *c);
        assert_int_equal(fsc_randomise(v, 2, 5, d, NULL), 0);
        for (size_t z = 0; z < nz; z++)
            for (size_t y = 0; y < ny; y++)
                for (size_t x = 0; x < nxh; x++) {
                    size_t k = (z * ny + y) * nxh + x, mate = ((nz - z) % nz * ny + (ny - y) % ny) * nxh + x;
                    double a = hypot((double)c[k][0], (double)c[k][1]);
                    assert_close(hypot((double)d[k][0], (double)d[k][1]), a, 1e-5 * a);
                    turned += fabs((double)(c[k][0] - d[k][0])) > 1e-3 * a;
                    if (x && 2 * x != nx) continue;
                    assert_close((double)d[k][0], (double)d[mate][0], 1e-4 * a);
                    assert_close((double)d[k][1], -(double)d[mate][1], 1e-4 * a);
                }
        assert_memory_equal(c[0], d[0], 2 * sizeof *c); /* the mean, and kx = 1 */
        assert_true(turned > nxh * ny * nz / 2);
        free(c);
        free(d);
        vol_free(v);
    }
}

static void same_bytes_for_any_threads(void **state)
{
    (void)state;
    vol_t *a = noise(48, 48, 48, 51), *n = noise(48, 48, 48, 52), *mask = ball(48, 12, 6);
    filter_apply(a, &(filter_t){.sigma = 2}, NULL);
    vol_t *b = sum(a, n, 0.03);
    fsc_opts_t o = {.mask = mask, .randomise = true};
    fsc_t f, g;
    threads_set(1);
    assert_int_equal(fsc_make(a, b, &o, &f, NULL), 0);
    threads_set(5);
    assert_int_equal(fsc_make(a, b, &o, &g, NULL), 0);
    assert_true(f.from > 0 && f.from == g.from);
    for (int k = 0; k < FSC_CURVES; k++) assert_memory_equal(f.curve[k], g.curve[k], f.n * sizeof **f.curve);
    fsc_free(&f);
    fsc_free(&g);
    threads_set(0);
    vol_free(a);
    vol_free(b);
    vol_free(n);
    vol_free(mask);
}

static int from_memory(void *ctx, size_t z0, size_t nz, float *planes, err_t *err)
{
    const vol_t *v = ctx;
    size_t len = v->nx * v->ny;
    (void)err;
    memcpy(planes, v->data + z0 * len, nz * len * sizeof *planes);
    return 0;
}

static int cannot(void *ctx, size_t z0, size_t nz, float *planes, err_t *err)
{
    const vol_t *v = ctx;
    memset(planes, 0, nz * v->nx * v->ny * sizeof *planes);
    return z0 < 2 ? 0 : err_set(err, ERR_IO, "cut short");
}

static void average_and_its_curve(void **state)
{
    (void)state;
    vol_t *s = noise(30, 26, 28, 61), *n = noise(30, 26, 28, 62), *b = sum(s, n, 0.7), *a = vol_clone(s, NULL);
    const char *const name[2] = {"a.mrc", "b.mrc"};
    fsc_t f, g;
    assert_int_equal(fsc_make(s, b, NULL, &f, NULL), 0);
    assert_int_equal(fsc_average(a, from_memory, b, name, &g, NULL), 0);
    for (size_t i = 0; i < vol_len(a); i++) assert_true(a->data[i] == (s->data[i] + b->data[i]) * 0.5f);
    assert_int_equal(f.n, g.n);
    assert_true(!g.curve[FSC_MASKED] && fsc_best(&g) == FSC_UNMASKED);
    for (size_t k = 0; k < f.n; k++) assert_close(f.curve[FSC_UNMASKED][k], g.curve[FSC_UNMASKED][k], 2e-6);
    fsc_free(&g);

    err_t e = {0};
    assert_int_equal(fsc_average(a, cannot, b, name, &g, &e), -1);
    assert_true(e.code == ERR_IO && !g.n && !g.count);
    e = (err_t){0};
    b->data[77] = INFINITY;
    assert_int_equal(fsc_average(a, from_memory, b, name, &g, &e), -1);
    assert_true(e.code == ERR_FORMAT && strstr(e.msg, "b.mrc: 1 of 21840 voxels NaN"));
    e = (err_t){0};
    affine(b, 0, 3);
    b->data[77] = 3;
    assert_int_equal(fsc_average(s, from_memory, b, name, &g, &e), -1);
    assert_true(e.code == ERR_FORMAT && strstr(e.msg, "b.mrc: every voxel is 3"));
    fsc_free(&f);
    vol_free(s);
    vol_free(n);
    vol_free(a);
    vol_free(b);
}

/* One fault per row. */
static void refused(void **state)
{
    (void)state;
    enum { SIDE_OF_B, VOXEL_OF_B, SIDE_OF_MASK, VOXEL_OF_MASK, NAN_IN_A, INF_IN_B, NAN_IN_MASK, FLAT_A, FLAT_B, MASK_HIGH, MASK_LOW, MASK_EMPTY, NO_MASK, ONE_VOXEL, FAULTS };
    static const struct {
        errcode_t code;
        const char *text;
    } want[FAULTS] = {[SIDE_OF_B] = {ERR_RANGE, "b.mrc: side z of 13 voxels (a.mrc has 12)"},
                      [VOXEL_OF_B] = {ERR_RANGE, "b.mrc: voxel size y of 1.51 angstrom (a.mrc has 1.5)"},
                      [SIDE_OF_MASK] = {ERR_RANGE, "m.mrc: side x of 11 voxels (a.mrc has 10)"},
                      [VOXEL_OF_MASK] = {ERR_RANGE, "m.mrc: voxel size z of 2 angstrom (a.mrc has 1.5)"},
                      [NAN_IN_A] = {ERR_FORMAT, "a.mrc: 1 of 1200 voxels NaN or infinite"},
                      [INF_IN_B] = {ERR_FORMAT, "b.mrc: 1 of 1200 voxels NaN or infinite"},
                      [NAN_IN_MASK] = {ERR_FORMAT, "m.mrc: 1 of 1200 voxels NaN or infinite"},
                      [FLAT_A] = {ERR_FORMAT, "a.mrc: every voxel is 2: nothing to correlate"},
                      [FLAT_B] = {ERR_FORMAT, "b.mrc: every voxel is 0: nothing to correlate"},
                      [MASK_HIGH] = {ERR_RANGE, "m.mrc: values from 1 to 1.5 (a mask has 0 to 1)"},
                      [MASK_LOW] = {ERR_RANGE, "m.mrc: values from -1 to 1 (a mask has 0 to 1)"},
                      [MASK_EMPTY] = {ERR_RANGE, "m.mrc: nothing above 0"},
                      [NO_MASK] = {ERR_USAGE, "without a mask"},
                      [ONE_VOXEL] = {ERR_FORMAT, "a.mrc: every voxel is"}};
    for (int i = 0; i < FAULTS; i++) {
        size_t nx = i == ONE_VOXEL ? 1 : 10, ny = i == ONE_VOXEL ? 1 : 10, nz = i == ONE_VOXEL ? 1 : 12;
        vol_t *a = noise(nx, ny, nz, 1), *b = noise(nx, ny, nz + (i == SIDE_OF_B), 2), *m = affine(noise(nx + (i == SIDE_OF_MASK), ny, nz, 3), 0, 1);
        fsc_opts_t o = {.mask = i == NO_MASK ? NULL : m, .randomise = true, .name = {"a.mrc", "b.mrc", "m.mrc"}};
        err_t e = {0};
        fsc_t f;
        if (i == VOXEL_OF_B) b->voxel[1] = 1.51;
        if (i == VOXEL_OF_MASK) m->voxel[2] = 2;
        if (i == NAN_IN_A) a->data[5] = NAN;
        if (i == INF_IN_B) b->data[5] = -INFINITY;
        if (i == NAN_IN_MASK) m->data[5] = NAN;
        if (i == FLAT_A) affine(a, 0, 2);
        if (i == FLAT_B) affine(b, 0, 0);
        if (i == MASK_HIGH) m->data[9] = 1.5f;
        if (i == MASK_LOW) m->data[9] = -1;
        if (i == MASK_EMPTY) affine(m, 0, 0);
        assert_int_equal(fsc_make(a, b, &o, &f, &e), -1);
        if (e.code != want[i].code || !strstr(e.msg, want[i].text)) fail_msg("fault %d: %d, %s", i, (int)e.code, e.msg);
        assert_true(!f.n && !f.count && !f.curve[FSC_UNMASKED]);
        vol_free(a);
        vol_free(b);
        vol_free(m);
    }
}

/* A voxel size that differs by less than the slack passes, and shells without power are 0. */
static void allowed(void **state)
{
    (void)state;
    vol_t *a = noise(24, 24, 24, 71), *b = vol_clone(a, NULL);
    fsc_t f;
    b->voxel[0] *= 1.0009;
    assert_int_equal(fsc_make(a, b, NULL, &f, NULL), 0);
    fsc_free(&f);
    for (size_t i = 0; i < vol_len(b); i++) b->data[i] = (i / 24 / 24) % 2 ? 1 : -1; /* Nyquist along z alone */
    assert_int_equal(fsc_make(a, b, NULL, &f, NULL), 0);
    for (size_t k = 1; k + 1 < f.n; k++) assert_close(f.curve[FSC_UNMASKED][k], 0, 0);
    fsc_free(&f);
    vol_free(a);
    vol_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_itself_one),
        cmocka_unit_test(shells),
        cmocka_unit_test(wave_in_its_shell),
        cmocka_unit_test(of_noise_none),
        cmocka_unit_test(scale_and_offset_go),
        cmocka_unit_test(halves_of_known_ratio),
        cmocka_unit_test(interpolated),
        cmocka_unit_test(correction_takes_the_mask_away),
        cmocka_unit_test(random_phases),
        cmocka_unit_test(phases_of_a_real_volume),
        cmocka_unit_test(same_bytes_for_any_threads),
        cmocka_unit_test(average_and_its_curve),
        cmocka_unit_test(refused),
        cmocka_unit_test(allowed),
    };
    return cmocka_run_group_tests_name("fsc", tests, NULL, NULL);
}

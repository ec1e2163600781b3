/* test_cube: contour, frame, canonical cube and its descriptor: what must not change them does not. */
#include "tests/test.h"

#include "base/mem.h"
#include "base/threads.h"
#include "tests/blobs.h"
#include "voxel/blur.h"
#include "voxel/contour.h"
#include "voxel/cube.h"
#include "voxel/desc.h"
#include "voxel/frame.h"
#include "voxel/spectrum.h"

static double one[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};

/* A box of the given sides and voxel with the blobs turned by m about its centre, shifted by t. */
static vol_t *scene(uint64_t seed, size_t nx, size_t ny, size_t nz, double voxel, double m[3][3], const double t[3])
{
    blobs_t b;
    vol_t *v = vol_new(nx, ny, nz, voxel, NULL);
    assert_non_null(v);
    v->origin[0] = -0.5 * voxel * (double)(nx - 1);
    v->origin[1] = -0.5 * voxel * (double)(ny - 1);
    v->origin[2] = -0.5 * voxel * (double)(nz - 1);
    blobs_make(&b, seed);
    blobs_draw(&b, m, t, v);
    return v;
}

static const double nowhere[3] = {0, 0, 0};

/* Correlation of the descriptors of two volumes over 24 turns; ratio of their Rg. */
static double agree(const vol_t *a, const vol_t *b, double *ratio)
{
    cube_t ca, cb;
    err_t err = {0};
    int8_t da[DESC_LEN], db[DESC_LEN];
    float *turns = mem_new((size_t)DESC_TURNS * DESC_LEN, sizeof *turns, NULL), best;
    size_t row = 0;
    if (cube_make(a, NULL, &ca, &err) || cube_make(b, NULL, &cb, &err)) fail_msg("%s", err.msg);
    desc_pack(ca.data, ca.side, da);
    desc_pack(cb.data, cb.side, db);
    desc_turns(da, turns);
    assert_int_equal(desc_match(turns, 1, db, &row, sizeof row, 1, &best, NULL), 0);
    *ratio = cb.frame.rg / ca.frame.rg;
    cube_free(&ca);
    cube_free(&cb);
    mem_free(turns);
    return (double)best;
}

static void expect_same(const vol_t *a, const vol_t *b, double corr, double rg)
{
    double ratio, c = agree(a, b, &ratio);
    if (!(c >= corr)) fail_msg("correlation %.4f, wanted %.4f", c, corr);
    assert_close(ratio, 1, rg);
}

static void cube_ignores_rotation(void **state)
{
    (void)state;
    rng_t r;
    rng_seed(&r, 5);
    vol_t *a = scene(1, 64, 64, 64, 2.5, one, nowhere);
    for (int i = 0; i < 4; i++) {
        double m[3][3];
        blobs_rotation(&r, m);
        vol_t *b = scene(1, 64, 64, 64, 2.5, m, nowhere);
        expect_same(a, b, 0.99, 0.01);
        vol_free(b);
    }
    vol_free(a);
}

static void cube_ignores_translation(void **state)
{
    (void)state;
    const double t[3] = {13.3, -9.1, 4.4};
    vol_t *a = scene(2, 64, 64, 64, 2.5, one, nowhere), *b = scene(2, 64, 64, 64, 2.5, one, t);
    b->origin[0] += 1000;
    expect_same(a, b, 0.995, 0.005);
    vol_free(a);
    vol_free(b);
}

static void cube_ignores_padding(void **state)
{
    (void)state;
    vol_t *a = scene(3, 48, 52, 56, 3, one, nowhere), *b = scene(3, 150, 90, 121, 3, one, nowhere);
    expect_same(a, b, 0.995, 0.005);
    vol_free(a);
    vol_free(b);
}

static void cube_ignores_scale_and_offset(void **state)
{
    (void)state;
    vol_t *a = scene(4, 60, 60, 60, 2.5, one, nowhere), *b = vol_clone(a, NULL);
    for (size_t i = 0; i < vol_len(b); i++) b->data[i] = 1e-4f * b->data[i] - 7e-4f;
    expect_same(a, b, 0.999, 0.001);
    for (size_t i = 0; i < vol_len(b); i++) b->data[i] = 5 + a->data[i]; /* what is not finite is background, not 0 */
    for (size_t i = 0; i < vol_len(b); i += 7)
        if (a->data[i] < 0.01f) b->data[i] = i % 2 ? NAN : -INFINITY;
    expect_same(a, b, 0.999, 0.002);
    vol_free(a);
    vol_free(b);
}

/* Two sides at one go are the same bytes as one after the other. */
static void cube_two_sides(void **state)
{
    (void)state;
    const cube_opts_t large = {.side = 48};
    cube_t a, b, c, d;
    err_t err = {0};
    vol_t *v = scene(6, 60, 50, 56, 2.5, one, nowhere);
    if (cube_make(v, NULL, &a, &err) || cube_make(v, &large, &b, &err) || cube_make_both(v, NULL, &c, &d, 48, &err)) fail_msg("%s", err.msg);
    assert_memory_equal(a.data, c.data, (size_t)32 * 32 * 32 * sizeof *a.data);
    assert_memory_equal(b.data, d.data, (size_t)48 * 48 * 48 * sizeof *b.data);
    assert_close(b.voxel, d.voxel, 0);
    contour_t own;
    assert_int_equal(contour_estimate(v, &own, NULL), 0);
    assert_close(c.map_level, own.level, 0);
    cube_free(&a), cube_free(&b), cube_free(&c), cube_free(&d);
    assert_int_equal(cube_make_both(v, NULL, &c, &d, 15, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    assert_null(c.data);
    assert_null(d.data);
    vol_free(v);
}

static void cube_ignores_axis_order(void **state)
{
    (void)state;
    vol_t *a = scene(5, 60, 50, 56, 2.5, one, nowhere), *b = vol_new(56, 60, 50, 2.5, NULL);
    for (size_t z = 0; z < a->nz; z++)
        for (size_t y = 0; y < a->ny; y++)
            for (size_t x = 0; x < a->nx; x++) b->data[vol_idx(b, z, x, y)] = a->data[vol_idx(a, x, y, z)];
    expect_same(a, b, 0.995, 0.005);
    vol_free(a);
    vol_free(b);
}

static void cube_ignores_sampling(void **state)
{
    (void)state;
    vol_t *a = scene(6, 100, 100, 100, 1.5, one, nowhere), *b = scene(6, 30, 30, 30, 5, one, nowhere);
    b->voxel[1] = 4.99999;
    expect_same(a, b, 0.97, 0.02);
    vol_free(a);
    vol_free(b);
}

static void cube_ignores_specks_and_noise(void **state)
{
    (void)state;
    rng_t r;
    rng_seed(&r, 6);
    vol_t *a = scene(7, 72, 72, 72, 2.5, one, nowhere), *b = vol_clone(a, NULL);
    for (size_t i = 0; i < vol_len(b); i++) b->data[i] += (float)(0.5 * rng_normal(&r));
    for (size_t z = 2; z < 5; z++)
        for (size_t y = 2; y < 5; y++)
            for (size_t x = 2; x < 5; x++) b->data[vol_idx(b, x, y, z)] = 3;
    b->data[vol_idx(b, 3, 3, 3)] = NAN;
    expect_same(a, b, 0.95, 0.03);
    vol_free(a);
    vol_free(b);
}

static void cube_ignores_hot_and_cold_voxels(void **state)
{
    (void)state;
    static const float value[] = {100, 1e3f, 1e6f, 1e20f, -1e3f, -1e12f};
    vol_t *a = scene(7, 64, 64, 64, 2.5, one, nowhere);
    for (size_t i = 0; i < sizeof value / sizeof *value; i++) {
        vol_t *b = vol_clone(a, NULL);
        b->data[vol_idx(b, 5, 9, 50)] = b->data[vol_idx(b, 40, 60, 3)] = value[i];
        expect_same(a, b, 0.99, 0.01);
        vol_free(b);
    }
    vol_free(a);
}

static void cube_tells_shapes_apart(void **state)
{
    (void)state;
    vol_t *a = scene(8, 64, 64, 64, 2.5, one, nowhere), *b = scene(9, 64, 64, 64, 2.5, one, nowhere);
    double ratio, c = agree(a, b, &ratio);
    if (!(c < 0.9)) fail_msg("two shapes correlate %.3f", c);
    vol_free(a);
    vol_free(b);
}

static void cube_is_normal(void **state)
{
    (void)state;
    cube_t c, d;
    vol_t *v = scene(10, 64, 64, 64, 2.5, one, nowhere);
    cube_opts_t o = {.side = 48};
    assert_int_equal(cube_make(v, &o, &c, NULL), 0);
    assert_int_equal(c.side, 48);
    assert_close(c.voxel * 48, CUBE_EDGE * c.frame.rg, 1e-9);
    float top = 0;
    for (size_t i = 0; i < 48 * 48 * 48; i++) {
        assert_true(c.data[i] >= 0 && c.data[i] <= 1);
        if (c.data[i] > top) top = c.data[i];
    }
    assert_close(top, 1, 0);
    threads_set(1);
    assert_int_equal(cube_make(v, &o, &d, NULL), 0);
    assert_memory_equal(c.data, d.data, 48 * 48 * 48 * sizeof *c.data);
    threads_set(2);
    cube_free(&c);
    cube_free(&d);
    vol_free(v);
}

static void cube_refuses(void **state)
{
    (void)state;
    cube_t c;
    err_t e = {0};
    vol_t *v = vol_new(20, 20, 20, 1, NULL);
    assert_int_equal(cube_make(v, NULL, &c, &e), -1);
    assert_int_equal(e.code, ERR_RANGE);
    assert_null(c.data);
    e = (err_t){0};
    cube_opts_t o = {.side = 33};
    assert_int_equal(cube_make(v, &o, &c, &e), -1);
    assert_int_equal(e.code, ERR_USAGE);
    vol_t *thin = vol_new(50, 50, 3, 1, NULL);
    thin->data[3000] = 1;
    e = (err_t){0};
    assert_int_equal(cube_make(thin, NULL, &c, &e), -1);
    assert_int_equal(e.code, ERR_RANGE);
    vol_free(thin);
    for (size_t i = 0; i < vol_len(v); i++) v->data[i] = NAN;
    e = (err_t){0};
    assert_int_equal(cube_make(v, NULL, &c, &e), -1);
    assert_int_equal(e.code, ERR_RANGE);
    vol_free(v);
}

static void cube_obeys_the_contour(void **state)
{
    (void)state;
    vol_t *v = scene(11, 64, 64, 64, 2.5, one, nowhere);
    double high = 1.2;
    cube_opts_t o = {.contour = &high};
    cube_t a, b;
    assert_int_equal(cube_make(v, NULL, &a, NULL), 0);
    assert_int_equal(cube_make(v, &o, &b, NULL), 0);
    double voxels = 0; /* the envelope is near the volume of what stands above the level */
    for (size_t i = 0; i < vol_len(v); i++) voxels += (double)v->data[i] > a.level;
    assert_close(a.volume / (voxels * 2.5 * 2.5 * 2.5), 1, 0.1);
    assert_true(b.volume < a.volume);
    for (double shift = -5; shift < 6; shift += 10) { /* the background need not be 0 */
        vol_t *w = vol_clone(v, NULL);
        cube_t c;
        for (size_t i = 0; i < vol_len(w); i++) w->data[i] += (float)shift;
        high = 1.2 + shift;
        assert_int_equal(cube_make(w, &o, &c, NULL), 0);
        assert_close(c.volume / b.volume, 1, 0.01);
        assert_close(c.frame.rg / b.frame.rg, 1, 0.005);
        cube_free(&c);
        vol_free(w);
    }
    cube_free(&b);
    for (double background = 0; background < 0.2; background += 0.0813) { /* a constant that rounding leaves a pattern on */
        err_t e = {0};
        for (size_t i = 0; i < vol_len(v); i++) v->data[i] += (float)background;
        high = 100;
        assert_int_equal(cube_make(v, &o, &b, &e), -1);
        assert_int_equal(e.code, ERR_RANGE);
        assert_non_null(strstr(e.msg, "contour 100: above all of the map"));
    }
    cube_free(&a);
    vol_free(v);
}

/* A box of density has moments a^2/12 along its edges. */
static void frame_of_a_box(void **state)
{
    (void)state;
    vol_t *v = vol_new(40, 40, 40, 2, NULL);
    frame_t f;
    for (size_t z = 10; z < 20; z++)
        for (size_t y = 5; y < 35; y++)
            for (size_t x = 8; x < 28; x++) v->data[vol_idx(v, x, y, z)] = 3;
    v->origin[2] = 100;
    v->data[0] = NAN;
    v->data[1] = -1e9f;
    v->data[2] = INFINITY;
    assert_int_equal(frame_of(v, v->data, &f, NULL), 0);
    assert_close(f.centre[0], 2 * 17.5, 1e-9);
    assert_close(f.centre[1], 2 * 19.5, 1e-9);
    assert_close(f.centre[2], 100 + 2 * 14.5, 1e-9);
    assert_close(f.moment[0], 4 * (30 * 30 - 1) / 12.0, 1e-8);
    assert_close(f.moment[1], 4 * (20 * 20 - 1) / 12.0, 1e-8);
    assert_close(f.moment[2], 4 * (10 * 10 - 1) / 12.0, 1e-8);
    assert_close(f.rg * f.rg, f.moment[0] + f.moment[1] + f.moment[2], 1e-8);
    assert_close(fabs(f.axis[0][1]), 1, 1e-9);
    assert_close(f.mass, 3 * 10 * 20 * 30 * 8, 1e-6);
    double det = 0;
    for (int i = 0; i < 3; i++)
        det += f.axis[0][i] * (f.axis[1][(i + 1) % 3] * f.axis[2][(i + 2) % 3] - f.axis[1][(i + 2) % 3] * f.axis[2][(i + 1) % 3]);
    assert_close(det, 1, 1e-9);
    vol_free(v);
}

/* Two plateaus with noise: the level lies half way up the molecule, whatever a few hot voxels say. */
static void contour_of_a_plateau(void **state)
{
    (void)state;
    rng_t r;
    contour_t c;
    rng_seed(&r, 7);
    vol_t *v = vol_new(50, 50, 50, 1, NULL);
    for (size_t i = 0; i < vol_len(v); i++) {
        size_t x = i % 50, y = i / 50 % 50, z = i / 2500;
        double in = x > 15 && x < 35 && y > 15 && y < 35 && z > 15 && z < 35;
        v->data[i] = (float)(5 + 2 * in + 0.2 * rng_normal(&r));
    }
    v->data[7] = 60;
    assert_int_equal(contour_estimate(v, &c, NULL), 0);
    assert_close(c.background, 5, 0.1);
    assert_close(c.level, 6, 0.1);
    assert_close(c.plateau, 7, 0.1);
    assert_close(c.inside, 6859.0 / 125000, 0.002);
    unsigned char *mask = mem_new(vol_len(v), 1, NULL);
    size_t inside;
    assert_int_equal(contour_mask(v, c.level, 0.1, mask, &inside, NULL), 0);
    assert_close((double)inside, 6859, 30);
    assert_int_equal(mask[7], 0);
    mem_free(mask);
    vol_free(v);
}

/* A small molecule in a large noisy box: the noise, which has more voxels, is not taken for it. */
static void contour_is_above_the_noise(void **state)
{
    (void)state;
    rng_t r;
    contour_t c;
    rng_seed(&r, 9);
    vol_t *v = vol_new(80, 80, 80, 1, NULL);
    for (size_t i = 0; i < vol_len(v); i++) {
        size_t x = i % 80, y = i / 80 % 80, z = i / 6400;
        double in = x > 35 && x < 45 && y > 35 && y < 45 && z > 35 && z < 45;
        v->data[i] = (float)(in + 0.15 * rng_normal(&r));
    }
    assert_int_equal(contour_estimate(v, &c, NULL), 0);
    assert_close(c.noise, 0.15, 0.02);
    assert_close(c.level, 0.47, 0.07);
    vol_free(v);
}

static void blur_is_gaussian(void **state)
{
    (void)state;
    vol_t *v = vol_new(31, 33, 35, 2, NULL), *w = vol_new(31, 33, 35, 2, NULL);
    double sum = 0;
    v->data[vol_idx(v, 15, 16, 17)] = 1;
    assert_int_equal(blur_gauss(v, w, 5, 0, NULL), 0);
    for (size_t i = 0; i < vol_len(w); i++) sum += (double)w->data[i];
    assert_close(sum, 1, 1e-5);
    double top = (double)w->data[vol_idx(w, 15, 16, 17)];
    assert_close((double)w->data[vol_idx(w, 17, 16, 17)] / top, exp(-0.5 * 16 / 25), 1e-5);
    assert_close((double)w->data[vol_idx(w, 15, 19, 17)] / top, exp(-0.5 * 36 / 25), 1e-5);
    assert_close((double)w->data[vol_idx(w, 15, 16, 14)] / top, exp(-0.5 * 36 / 25), 1e-5);
    for (size_t i = 0; i < vol_len(v); i++) v->data[i] = 4;
    assert_int_equal(blur_gauss(v, v, 5, 4, NULL), 0);
    for (size_t i = 0; i < vol_len(v); i++) assert_close(v->data[i], 4, 1e-5);
    vol_free(v);
    vol_free(w);
}

/* Blurring a cube and sharpening it back: the match makes them one. */
/* One line by the plain loop; n values, `step` apart. */
static void plain_blur(float *x, size_t n, size_t step, const float *k, size_t r, float outside)
{
    float *y = mem_new(n, sizeof *y, NULL);
    for (size_t i = 0; i < n; i++) {
        y[i] = k[0] * x[i * step];
        for (size_t j = 1; j <= r; j++) y[i] += k[j] * ((i >= j ? x[(i - j) * step] : outside) + (i + j < n ? x[(i + j) * step] : outside));
    }
    for (size_t i = 0; i < n; i++) x[i * step] = y[i];
    mem_free(y);
}

/* Sides that are no multiple of a vector, one shorter than the Gaussian reaches: as the plain loops, along x, y and z, near enough. */
static void blur_as_plain(void **state)
{
    (void)state;
    enum { NX = 37, NY = 21, NZ = 5, R = 7 };
    const double sigma = 2;
    const float outside = 0.25f;
    float k[R + 1], sum = 0;
    rng_t r;
    rng_seed(&r, 3);
    vol_t *v = vol_new(NX, NY, NZ, 1, NULL), *w;
    for (size_t i = 0; i < vol_len(v); i++) v->data[i] = (float)rng_normal(&r);
    w = vol_clone(v, NULL);
    for (int i = 0; i <= R; i++) sum += (i ? 2 : 1) * (k[i] = (float)exp(-0.5 * i * i / (sigma * sigma)));
    for (int i = 0; i <= R; i++) k[i] /= sum;
    assert_int_equal(blur_gauss(v, v, sigma, (double)outside, NULL), 0);
    for (size_t i = 0; i < NY * NZ; i++) plain_blur(w->data + i * NX, NX, 1, k, R, outside);
    for (size_t z = 0; z < NZ; z++)
        for (size_t x = 0; x < NX; x++) plain_blur(w->data + z * NX * NY + x, NY, NX, k, R, outside);
    for (size_t i = 0; i < NX * NY; i++) plain_blur(w->data + i, NZ, NX * NY, k, R, outside);
    for (size_t i = 0; i < vol_len(v); i++) assert_close((double)v->data[i], (double)w->data[i], 2e-6);
    vol_free(v);
    vol_free(w);
}

static void spectrum_cancels_blur(void **state)
{
    (void)state;
    vol_t *v = scene(12, 32, 32, 32, 5, one, nowhere), *w = vol_clone(v, NULL);
    blur_gauss(w, w, 6, 0, NULL);
    assert_int_equal(spectrum_match(v->data, 32, NULL), 0);
    assert_int_equal(spectrum_match(w->data, 32, NULL), 0);
    double a[SPECTRUM_MAX], b[SPECTRUM_MAX];
    spectrum_of(v->data, 32, a, NULL);
    spectrum_of(w->data, 32, b, NULL);
    static const double want[] = {0, 1, 0.4494, 0.1958, 0.1157}; /* the reference */
    for (size_t s = 1; s < 5; s++) {
        assert_close(b[s] / b[1], a[s] / a[1], 1e-3);
        assert_close(a[s] / a[1], want[s], 1e-3);
    }
    for (size_t s = CUBE_SHELLS; s <= 16; s++) assert_close(a[s] / a[1], 0, 1e-5);
    blur_gauss(w, w, 14, 0, NULL); /* what is blurred away is not brought back by more than the gain */
    double c[SPECTRUM_MAX];
    spectrum_of(w->data, 32, b, NULL);
    assert_int_equal(spectrum_match(w->data, 32, NULL), 0);
    spectrum_of(w->data, 32, c, NULL);
    assert_close(c[8] / b[8], CUBE_GAIN, 0.01);
    vol_free(v);
    vol_free(w);
}

/* All 24 turns are different, each is a permutation, and the group is closed: a turned copy matches perfectly. */
static void desc_knows_24_turns(void **state)
{
    (void)state;
    rng_t r;
    rng_seed(&r, 8);
    float cube[DESC_LEN], best;
    int8_t d[DESC_LEN], e[DESC_LEN];
    float *t = mem_new((size_t)DESC_TURNS * DESC_LEN, sizeof *t, NULL);
    for (size_t i = 0; i < DESC_LEN; i++) cube[i] = (float)rng_unit(&r);
    desc_pack(cube, DESC_SIDE, d);
    desc_turns(d, t);
    size_t row = 0;
    assert_int_equal(desc_match(t, 1, d, &row, sizeof row, 1, &best, NULL), 0);
    assert_close(best, 1, 1e-5);
    for (int a = 0; a < DESC_TURNS; a++)
        for (int b = 0; b < a; b++) {
            double c = 0;
            for (size_t i = 0; i < DESC_LEN; i++) c += (double)t[(size_t)a * DESC_LEN + i] * (double)t[(size_t)b * DESC_LEN + i];
            assert_close(c, 0, 0.2);
        }
    /* x -> y -> z -> x is proper; swapping x and y alone is a mirror image, which must not match */
    for (int mirror = 0; mirror < 2; mirror++) {
        for (size_t z = 0; z < 16; z++)
            for (size_t y = 0; y < 16; y++)
                for (size_t x = 0; x < 16; x++) e[(z * 16 + y) * 16 + x] = mirror ? d[(z * 16 + x) * 16 + y] : d[(y * 16 + x) * 16 + z];
        assert_int_equal(desc_match(t, 1, e, &row, sizeof row, 1, &best, NULL), 0);
        if (mirror)
            assert_true(best < 0.2f);
        else
            assert_close(best, 1, 1e-5);
    }
    memset(d, 0, sizeof d);
    assert_int_equal(desc_match(t, 1, d, &row, sizeof row, 1, &best, NULL), 0);
    assert_close(best, 0, 0);
    mem_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cube_ignores_rotation),
        cmocka_unit_test(cube_ignores_translation),
        cmocka_unit_test(cube_ignores_padding),
        cmocka_unit_test(cube_ignores_scale_and_offset),
        cmocka_unit_test(cube_two_sides), cmocka_unit_test(cube_ignores_axis_order),
        cmocka_unit_test(cube_ignores_sampling),
        cmocka_unit_test(cube_ignores_specks_and_noise),
        cmocka_unit_test(cube_ignores_hot_and_cold_voxels),
        cmocka_unit_test(cube_tells_shapes_apart),
        cmocka_unit_test(cube_is_normal),
        cmocka_unit_test(cube_refuses),
        cmocka_unit_test(cube_obeys_the_contour),
        cmocka_unit_test(frame_of_a_box),
        cmocka_unit_test(contour_of_a_plateau),
        cmocka_unit_test(contour_is_above_the_noise),
        cmocka_unit_test(blur_is_gaussian), cmocka_unit_test(blur_as_plain),
        cmocka_unit_test(spectrum_cancels_blur),
        cmocka_unit_test(desc_knows_24_turns),
    };
    return cmocka_run_group_tests_name("cube", tests, NULL, NULL);
}

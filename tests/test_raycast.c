/* test_raycast: surfaces of known shape, what hides what, orientation, tubes, slices and projections, equal bytes. */
#include "tests/test.h"

#include <math.h>

#include "base/mem.h"
#include "base/threads.h"
#include "voxel/flat.h"
#include "voxel/raycast.h"
#include "voxel/refine.h"
#include "voxel/surface.h"
#include "voxel/tubes.h"

/* R less the distance from a place, angstrom: a ball of radius R at level 0. The greater of that and what is there. */
static void add_ball(vol_t *v, const double at[3], double radius)
{
    for (size_t z = 0; z < v->nz; z++)
        for (size_t y = 0; y < v->ny; y++)
            for (size_t x = 0; x < v->nx; x++) {
                double dx = v->origin[0] + (double)x * v->voxel[0] - at[0], dy = v->origin[1] + (double)y * v->voxel[1] - at[1];
                double dz = v->origin[2] + (double)z * v->voxel[2] - at[2];
                float *p = &v->data[vol_idx(v, x, y, z)];
                *p = fmaxf(*p, (float)(radius - sqrt(dx * dx + dy * dy + dz * dz)));
            }
}

static vol_t *empty(size_t nx, size_t ny, size_t nz, double vx, double vy, double vz)
{
    vol_t *v = vol_new(nx, ny, nz, 1, NULL);
    v->voxel[0] = vx, v->voxel[1] = vy, v->voxel[2] = vz;
    for (size_t i = 0; i < vol_len(v); i++) v->data[i] = -1000;
    return v;
}

static vol_t *ball(size_t nx, size_t ny, size_t nz, double vx, double vy, double vz, double radius)
{
    vol_t *v = empty(nx, ny, nz, vx, vy, vz);
    const double at[3] = {(double)(nx - 1) / 2 * vx, (double)(ny - 1) / 2 * vy, (double)(nz - 1) / 2 * vz};
    add_ball(v, at, radius);
    return v;
}

/* A picture of w x h pixels; free with mem_free(). */
static float *view(const surface_t *s, const camera_t *c)
{
    raycast_room_t room = {0};
    float *px = mem_new(c->w * c->h, 4 * sizeof *px, NULL);
    memset(px, 0xff, c->w * c->h * 4 * sizeof *px); /* NAN: all of it is written */
    assert_int_equal(raycast(s, c, &room, px, NULL), 0);
    raycast_room_free(&room);
    return px;
}

static camera_t camera(const surface_t *s, raycastview_t from, size_t w, size_t h)
{
    camera_t c = {.w = w, .h = h, .colour = {1, 1, 1}};
    raycast_frame(s, NULL, 0, c.centre, &c.half);
    raycast_turn(from, c.turn);
    return c;
}

static double cover(const float *px, const camera_t *c)
{
    double sum = 0, pitch = 2 * c->half / (double)(c->w < c->h ? c->w : c->h);
    for (size_t i = 0; i < c->w * c->h; i++) sum += (double)px[4 * i + 3];
    return sum * pitch * pitch;
}

/* The shadow of a ball is a disc, from all sides, however the grid lies. */
static void silhouette(void **state)
{
    (void)state;
    static const struct {
        size_t n[3];
        double voxel[3];
    } rows[] = {{{64, 64, 64}, {1, 1, 1}}, {{150, 150, 150}, {0.4, 0.4, 0.4}}, {{40, 64, 90}, {1.5, 1, 0.7}}, {{24, 26, 28}, {3, 2.5, 2.2}}, {{430, 44, 45}, {0.15, 1.5, 1.5}}};
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
        for (int k = 0; k < RAYCAST_VIEWS; k++) {
            vol_t *v = ball(rows[r].n[0], rows[r].n[1], rows[r].n[2], rows[r].voxel[0], rows[r].voxel[1], rows[r].voxel[2], 20);
            surface_t *s = surface_new(v, 0, 0, NULL);
            camera_t c = camera(s, (raycastview_t)k, 160, 130 + 20 * (size_t)k);
            float *px = view(s, &c);
            double area = cover(px, &c), want = M_PI * 400;
            if (!(fabs(area / want - 1) <= 0.012)) fail_msg("grid %zu, view %d: the shadow is %g square angstrom (wanted %g)", r, k, area, want);
            assert_true(c.half >= 20 && c.half <= 24);
            mem_free(px);
            surface_free(s);
            vol_free(v);
        }
}

/* A ball looks the same from the three sides, is lit from above on the left, and nothing exceeds 1. */
static void shading(void **state)
{
    (void)state;
    vol_t *v = ball(65, 65, 65, 1, 1, 1, 22);
    surface_t *s = surface_new(v, 0, 0, NULL);
    float *px[RAYCAST_VIEWS];
    enum { N = 96 };
    for (int k = 0; k < RAYCAST_VIEWS; k++) {
        camera_t c = camera(s, (raycastview_t)k, N, N);
        px[k] = view(s, &c);
    }
    double apart = 0;
    for (size_t i = 0; i < N * N * 4; i++) {
        assert_true(px[0][i] >= 0 && px[0][i] <= 1);
        for (int k = 1; k < RAYCAST_VIEWS; k++) apart = fmax(apart, (double)fabsf(px[k][i] - px[0][i]));
    }
    if (!(apart <= 0.02)) fail_msg("views of a ball differ by %g", apart);
    const float *p = px[0];
    double high = (double)p[4 * (24 * N + 36)], low = (double)p[4 * (72 * N + 60)];
    if (!(high > low + 0.1)) fail_msg("above on the left %g, below on the right %g", high, low);
    for (int k = 0; k < RAYCAST_VIEWS; k++) mem_free(px[k]);
    surface_free(s);
    vol_free(v);
}

/* Balls on the axes are where the turn of the view says; slices and projections agree. */
static void orientation(void **state)
{
    (void)state;
    enum { W = 120, H = 90 };
    const double p[3] = {44, 30, 13}, far[3] = {8, 6, 50};
    for (int k = 0; k < RAYCAST_VIEWS; k++) {
        vol_t *v = empty(64, 48, 60, 1, 1.2, 1);
        v->origin[0] = -7, v->origin[1] = 3, v->origin[2] = 100;
        double at[3], away[3], to[2], where[2];
        for (int d = 0; d < 3; d++) at[d] = v->origin[d] + p[d], away[d] = v->origin[d] + far[d];
        add_ball(v, at, 6);
        add_ball(v, away, 3);
        surface_t *s = surface_new(v, 0, 0, NULL);
        camera_t c = camera(s, (raycastview_t)k, W, H);
        float *px = view(s, &c);
        for (int d = 0; d < 2; d++) {
            to[d] = 0;
            for (int e = 0; e < 3; e++) to[d] += c.turn[d][e] * (at[e] - c.centre[e]);
        }
        double pitch = 2 * c.half / H;
        size_t i = (size_t)(W / 2 + to[0] / pitch), j = (size_t)(H / 2 - to[1] / pitch);
        assert_true(i < W && j < H && px[4 * (j * W + i) + 3] > 0.99f);
        assert_true(px[4 * (j * W + (W - 1 - i)) + 3] < 0.01f && px[4 * ((H - 1 - j) * W + i) + 3] < 0.01f);

        flat_t slice, sum;
        assert_int_equal(flat_slice(v, (raycastview_t)k, at, &slice, NULL), 0);
        assert_int_equal(flat_project(v, (raycastview_t)k, &sum, NULL), 0);
        flat_where(v, (raycastview_t)k, at, where);
        size_t best = 0;
        for (size_t n = 0; n < slice.w * slice.h; n++)
            if (slice.v[n] > slice.v[best]) best = n;
        if (!(fabs((double)(best % slice.w) - where[0]) <= 0.51 && fabs((double)(best / slice.w) - where[1]) <= 0.51))
            fail_msg("view %d: the slice is brightest at (%zu,%zu) (wanted %g,%g)", k, best % slice.w, best / slice.w, where[0], where[1]);
        double all = 0, mean = 0;
        for (size_t n = 0; n < sum.w * sum.h; n++) all += (double)sum.v[n];
        for (size_t n = 0; n < vol_len(v); n++) mean += (double)v->data[n];
        assert_true(fabs(all / (double)(sum.w * sum.h) - mean / (double)vol_len(v)) <= 1e-3);
        float mid;
        flat_fit(&slice, where, 1, 1, 1, &mid); /* one pixel, on the ball */
        assert_true(mid > 4.5f);
        flat_free(&slice);
        flat_free(&sum);
        mem_free(px);
        surface_free(s);
        vol_free(v);
    }
}

static void refused(void **state)
{
    (void)state;
    err_t err = {0};
    vol_t *v = ball(20, 20, 20, 1, 1, 1, 6), *thin = vol_new(5, 1, 5, 1, NULL);
    assert_null(surface_new(v, 7, 0, &err));
    assert_int_equal(err.code, ERR_RANGE);
    assert_non_null(strstr(err.msg, "contour level, 7 ("));
    err = (err_t){0};
    assert_null(surface_new(thin, -1, 0, &err));
    assert_int_equal(err.code, ERR_RANGE);
    err = (err_t){0};
    assert_null(surface_new(v, 0, 1.5, &err));
    assert_int_equal(err.code, ERR_RANGE);
    surface_t *s = surface_new(v, 0, 0, NULL);
    camera_t c = camera(s, RAYCAST_FRONT, 0, 10);
    raycast_room_t room = {0};
    err = (err_t){0};
    assert_int_equal(raycast(s, &c, &room, NULL, &err), -1);
    assert_int_equal(err.code, ERR_RANGE);
    c.w = 10, c.half = 0, err = (err_t){0};
    assert_int_equal(raycast(s, &c, &room, NULL, &err), -1);
    assert_int_equal(err.code, ERR_RANGE);
    const size_t at[3] = {0, 0, 15}, side[3] = {20, 20, 6};
    err = (err_t){0};
    assert_null(refine_part(v, at, side, 2, 0, &err));
    assert_int_equal(err.code, ERR_RANGE);
    surface_free(s);
    vol_free(v);
    vol_free(thin);
}

/* Specks go, or stay; NAN and infinity are outside; a map that ends inside is closed. */
static void bodies(void **state)
{
    (void)state;
    vol_t *v = ball(60, 60, 60, 1, 1, 1, 12);
    const double at[3] = {52, 52, 30};
    add_ball(v, at, 2);
    v->data[vol_idx(v, 2, 2, 2)] = NAN;
    v->data[vol_idx(v, 3, 55, 3)] = INFINITY;
    for (int k = 0; k < 2; k++) {
        surface_t *s = surface_new(v, 0, k ? 0.05 : 0, NULL);
        assert_int_equal(s->specks, k);
        assert_true(k ? s->hi[0] < 44 : s->hi[0] > 52);
        assert_true(s->lo[0] > 14 && s->lo[2] > 14);
        surface_free(s);
    }
    for (size_t i = 0; i < vol_len(v); i++) v->data[i] = 1;
    surface_t *s = surface_new(v, 0.5, 0, NULL);
    camera_t c = camera(s, RAYCAST_TOP, 100, 100);
    float *px = view(s, &c);
    double area = cover(px, &c);
    if (!(fabs(area - 3600) <= 130)) fail_msg("a full box covers %g (wanted about 3600)", area);
    mem_free(px);
    surface_free(s);
    vol_free(v);
}

/* A tube before the surface hides it, one within shows through, one behind shows where there is none. */
static void tubes_hide(void **state)
{
    (void)state;
    enum { N = 90 };
    vol_t *v = ball(60, 60, 60, 1, 1, 1, 18);
    surface_t *s = surface_new(v, 0, 0, NULL);
    camera_t c = camera(s, RAYCAST_FRONT, N, N);
    const tubeat_t tube[] = {{{12, 40, 29.5f}, 3, 1}, {{47, 40, 29.5f}, 3, 0}, {{12, 20, 55}, 3, 1}, {{47, 20, 55}, 3, 0}};
    float want[3], *plain = view(s, &c);
    const tubeat_t out[] = {{{8, 30, 60}, 0, 1}}, away[] = {{{500, 30, 60}, 0, 1}};
    double centre[3], half;
    raycast_frame(s, out, 1, centre, &half);
    assert_true(centre[0] < c.centre[0] && half > c.half + 5);
    raycast_frame(s, away, 1, centre, &half);
    assert_true(half == c.half);
    c.tube = tube, c.n = 4, c.thick = 2;
    float *px = view(s, &c);
    raycast_chain(3, want);
    double pitch = 2 * c.half / N;
    size_t in = (size_t)(N / 2 - (40 - 29.5) / pitch) * N + N / 2, before = (size_t)(N / 2 - (20 - 29.5) / pitch) * N + N / 2, none = N / 2 * N + N / 2;
    assert_true(plain[4 * in + 3] > 0.99f && px[4 * none + 3] < 0.5f); /* translucent */
    assert_true(px[4 * in + 3] > 0.99f && px[4 * before + 3] > 0.99f);
    float redder[2]; /* the colour of the chain is mostly red */
    for (int k = 0; k < 2; k++) redder[k] = px[4 * (k ? before : in)] - px[4 * (k ? before : in) + 2];
    if (!(redder[1] > redder[0] + 0.05f && redder[0] > 0.1f)) fail_msg("red over blue: %g within, %g in front", (double)redder[0], (double)redder[1]);
    mem_free(px);
    mem_free(plain);
    surface_free(s);
    vol_free(v);
}

/* Breaks at gaps and between chains; through each CA. */
static void tubes_break(void **state)
{
    (void)state;
    atom_t a[8] = {0};
    for (int i = 0; i < 8; i++) {
        a[i] = (atom_t){.x = (float)(3.8 * i), .y = (float)(i % 2), .element = 6, .kind = KIND_PROTEIN, .name = "CA", .chain = (uint16_t)(i > 4)};
        if (i > 1) a[i].x += 20;
    }
    memcpy(a[4].name, "CB", 3);
    a[7].kind = KIND_LIGAND; /* calcium is no alpha carbon */
    model_t m = {.atom = a, .n = 8};
    size_t n, begins = 0, met = 0;
    tubeat_t *t = tubes_of(&m, &n, NULL);
    for (size_t i = 0; i < n; i++) {
        begins += t[i].begins;
        for (int k = 0; k < 8; k++) met += k != 4 && k != 7 && fabsf(t[i].at[0] - a[k].x) < 1e-4f && fabsf(t[i].at[1] - a[k].y) < 1e-4f;
        if (i && !t[i].begins) assert_true(fabsf(t[i].at[0] - t[i - 1].at[0]) < 0.6f);
    }
    assert_int_equal(begins, 3);
    assert_int_equal(met, 6);
    mem_free(t);
}

/* The spline goes through the voxels, and follows what is smooth; times 1 copies. */
static void refined(void **state)
{
    (void)state;
    vol_t *v = vol_new(12, 9, 7, 2, NULL);
    for (size_t i = 0; i < vol_len(v); i++) {
        double x = (double)(i % 12), y = (double)(i / 12 % 9), z = (double)(i / 108);
        v->data[i] = (float)(sin(0.5 * x) * cos(0.4 * y) + 0.3 * sin(0.6 * z + 1));
    }
    const size_t at[3] = {1, 0, 0}, side[3] = {11, 9, 7};
    for (size_t times = 1; times <= 4; times++) {
        vol_t *r = refine_part(v, at, side, times, 0, NULL);
        assert_int_equal(r->nx, 10 * times + 1);
        assert_true(r->origin[0] == 2 && r->voxel[2] == 2.0 / (double)times);
        double at_voxels = 0, between = 0;
        for (size_t i = 0; i < vol_len(r); i++) {
            size_t x = i % r->nx, y = i / r->nx % r->ny, z = i / r->nx / r->ny;
            double X = 1 + (double)x / (double)times, Y = (double)y / (double)times, Z = (double)z / (double)times;
            double off = fabs((double)r->data[i] - (sin(0.5 * X) * cos(0.4 * Y) + 0.3 * sin(0.6 * Z + 1)));
            if (x % times == 0 && y % times == 0 && z % times == 0) at_voxels = fmax(at_voxels, off);
            if (X > 4 && X < 8 && Y > 3 && Y < 5 && Z > 2.5 && Z < 3.5) between = fmax(between, off);
        }
        if (!(at_voxels <= 2e-6 && between <= 5e-3)) fail_msg("times %zu: %g at the voxels, %g between", times, at_voxels, between);
        vol_free(r);
    }
    vol_free(v);
}

static void same_bytes(void **state)
{
    (void)state;
    enum { N = 70 };
    vol_t *v = ball(50, 61, 40, 1, 1, 1.3, 17);
    const tubeat_t tube[] = {{{10, 30, 20}, 0, 1}, {{40, 30, 30}, 0, 0}};
    float *first = NULL;
    for (int j = 1; j <= 4; j++) {
        threads_set(j);
        surface_t *s = surface_new(v, 0.1, 0.01, NULL);
        camera_t c = camera(s, RAYCAST_SIDE, N, N);
        c.tube = tube, c.n = 2, c.thick = 1;
        float *px = view(s, &c);
        if (!first) first = px;
        else {
            assert_memory_equal(px, first, N * N * 4 * sizeof *px);
            mem_free(px);
        }
        surface_free(s);
    }
    mem_free(first);
    vol_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silhouette), cmocka_unit_test(shading),     cmocka_unit_test(orientation), cmocka_unit_test(refused),    cmocka_unit_test(bodies),
        cmocka_unit_test(tubes_hide), cmocka_unit_test(tubes_break), cmocka_unit_test(refined),     cmocka_unit_test(same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

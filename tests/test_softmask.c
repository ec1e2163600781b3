/* test_softmask: distances against every pair, the mask of a ball. */
#include "tests/test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/threads.h"
#include "voxel/softmask.h"

static double nearest(const vol_t *v, const unsigned char *in, size_t x, size_t y, size_t z)
{
    double best = INFINITY;
    for (size_t c = 0; c < v->nz; c++)
        for (size_t b = 0; b < v->ny; b++)
            for (size_t a = 0; a < v->nx; a++) {
                if (!in[vol_idx(v, a, b, c)]) continue;
                double dx = ((double)x - (double)a) * v->voxel[0], dy = ((double)y - (double)b) * v->voxel[1],
                       dz = ((double)z - (double)c) * v->voxel[2];
                best = fmin(best, dx * dx + dy * dy + dz * dz);
            }
    return best;
}

static void distances_by_every_pair(void **state)
{
    (void)state;
    static const size_t side[][3] = {{9, 7, 8}, {1, 1, 20}, {12, 12, 1}, {6, 6, 6}, {1, 1, 1}};
    rng_t r;
    rng_seed(&r, 4);
    for (size_t k = 0; k < 40; k++) {
        const size_t *n = side[k % 5];
        vol_t *v = vol_new(n[0], n[1], n[2], 1, NULL);
        if (k % 2) v->voxel[0] = 1.3, v->voxel[1] = 0.7, v->voxel[2] = 2.1;
        unsigned char *in = mem_zero(vol_len(v), 1, NULL);
        double part = k % 3 ? 0.01 : 0.2;
        for (size_t i = 0; i < vol_len(v); i++) in[i] = rng_unit(&r) < part;
        in[(size_t)(rng_unit(&r) * (double)vol_len(v))] = 1;
        assert_int_equal(softmask_distance(v, in, NULL), 0);
        for (size_t z = 0; z < n[2]; z++)
            for (size_t y = 0; y < n[1]; y++)
                for (size_t x = 0; x < n[0]; x++) {
                    double want = nearest(v, in, x, y, z);
                    assert_close((double)v->data[vol_idx(v, x, y, z)], want, 1e-5 * (1 + want));
                }
        mem_free(in);
        vol_free(v);
    }
}

/* A ball of radius 20 with a smooth edge, and a speck. */
static vol_t *ball(void)
{
    vol_t *v = vol_new(60, 60, 60, 2, NULL);
    rng_t r;
    rng_seed(&r, 1);
    for (size_t z = 0; z < 60; z++)
        for (size_t y = 0; y < 60; y++)
            for (size_t x = 0; x < 60; x++) {
                double dx = (double)x - 30, dy = (double)y - 30, dz = (double)z - 30, d = 2 * sqrt(dx * dx + dy * dy + dz * dz);
                v->data[vol_idx(v, x, y, z)] = (float)(1 / (1 + exp((d - 20) / 2)) + 0.01 * rng_normal(&r));
            }
    v->data[vol_idx(v, 50, 50, 50)] = 5;
    return v;
}

static void ball_and_edge(void **state)
{
    (void)state;
    vol_t *v = ball(), *m = softmask_make(v, NULL, NULL), *w = softmask_make(v, &(softmask_opts_t){.extend = 5, .edge = 10}, NULL);
    assert_true(m && w);
    double last = 1, at_half = 0, at_half_w = 0;
    for (size_t x = 30; x < 60; x++) {
        double a = (double)m->data[vol_idx(m, x, 30, 30)], b = (double)w->data[vol_idx(w, x, 30, 30)];
        assert_true(a <= last && b >= a);
        last = a;
        if (a >= 0.5) at_half = 2 * ((double)x - 30);
        if (b >= 0.5) at_half_w = 2 * ((double)x - 30);
    }
    assert_close(at_half, 20 + 6 + 6, 3);         /* radius, extension, half the edge */
    assert_close(at_half_w - at_half, 4 + 4, 2.1); /* 2 voxels more, half of 4 more */
    assert_close((double)m->data[vol_idx(m, 50, 50, 50)], 0, 0);
    for (size_t i = 0; i < vol_len(m); i++) assert_true(m->data[i] >= 0 && m->data[i] <= 1);
    vol_free(m);
    vol_free(w);
    vol_free(v);
}

static void threads_and_flat(void **state)
{
    (void)state;
    vol_t *v = ball(), *flat = vol_new(20, 20, 20, 2, NULL);
    err_t e = {0};
    threads_set(1);
    vol_t *a = softmask_make(v, NULL, NULL);
    threads_set(5);
    vol_t *b = softmask_make(v, NULL, NULL);
    threads_set(0);
    assert_memory_equal(a->data, b->data, vol_len(a) * sizeof *a->data);
    assert_true(!softmask_make(flat, NULL, &e) && e.code == ERR_RANGE);
    vol_free(a);
    vol_free(b);
    vol_free(v);
    vol_free(flat);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances_by_every_pair),
        cmocka_unit_test(ball_and_edge),
        cmocka_unit_test(threads_and_flat),
    };
    return cmocka_run_group_tests_name("softmask", tests, NULL, NULL);
}

/* test_fit: rigid motions; models put back where their maps were made. */
#include "tests/test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/threads.h"
#include "mrc/map.h"
#include "pdb/pdb.h"
#include "tests/blobs.h"
#include "voxel/contour.h"
#include "voxel/fit.h"
#include "voxel/simulate.h"

static const pose_t still = {.r = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};

/* ---- poses ---- */

static void quaternions(void **state)
{
    (void)state;
    rng_t r;
    rng_seed(&r, 3);
    for (int k = 0; k < 200; k++) {
        double m[3][3], back[3][3], q[4], square = 0;
        if (k < 4) pose_matrix((const double[4]){k == 0, k == 1, k == 2, k == 3}, m); /* none, half turns */
        else blobs_rotation(&r, m);
        pose_quaternion(m, q);
        for (int i = 0; i < 4; i++) square += q[i] * q[i];
        assert_close(square, 1, 1e-12);
        assert_true(q[0] >= 0);
        pose_matrix(q, back);
        for (int i = 0; i < 9; i++) assert_close(back[i / 3][i % 3], m[i / 3][i % 3], 1e-12);
    }
}

static void turns(void **state)
{
    (void)state;
    static const double lengths[] = {0, 1e-6, 0.99e-4, 1.01e-4, 0.3, 2, 3.1};
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
        const double w[3] = {0.6 * lengths[k], -0.48 * lengths[k], 0.64 * lengths[k]};
        double r[3][3], j[3][3], near[3][3], turn[3][3], both[3][3];
        pose_turn(w, r, j);
        assert_close(pose_angle(still.r, r), lengths[k], 1e-9);
        for (int d = 0; d < 3; d++) { /* exp(w + h) = exp(j h) exp(w) */
            double moved[3] = {w[0], w[1], w[2]}, by[3], h = 1e-5;
            moved[d] += h;
            for (int i = 0; i < 3; i++) by[i] = j[i][d] * h;
            pose_turn(moved, near, NULL);
            pose_turn(by, turn, NULL);
            pose_product(turn, r, both);
            for (int i = 0; i < 9; i++) assert_close(both[i / 3][i % 3], near[i / 3][i % 3], 1e-9);
        }
    }
}

/* No rotation is farther from the nearest sample than the spacing that was asked for; a half turn less or more makes no other quaternion. */
static void even_rotations(void **state)
{
    (void)state;
    static const double angles[] = {60, 30, 20};
    rng_t r;
    rng_seed(&r, 5);
    assert_int_equal(pose_count(30 * M_PI / 180), 551);
    for (size_t k = 0; k < 3; k++) {
        size_t n = pose_count(angles[k] * M_PI / 180);
        double worst = 0;
        for (int t = 0; t < 300; t++) {
            double m[3][3], s[3][3], q[4], least = 10;
            blobs_rotation(&r, m);
            for (size_t i = 0; i < n; i++) {
                pose_spread(i, n, q);
                pose_matrix(q, s);
                least = fmin(least, pose_angle(m, s));
            }
            worst = fmax(worst, least);
        }
        assert_true(worst <= 1.1 * angles[k] * M_PI / 180);
    }
}

/* ---- models ---- */

/* A walk of carbon atoms, 4 angstrom a step, about the origin: a body without symmetry, some 60 angstrom long. */
static model_t *walk(size_t n, uint64_t seed)
{
    model_t *m = mem_zero(1, sizeof *m, NULL);
    blobs_t b;
    rng_t r;
    blobs_make(&b, seed);
    rng_seed(&r, seed);
    m->atom = mem_zero(n, sizeof *m->atom, NULL);
    m->n = m->nres = n;
    m->nchain = 1;
    for (size_t i = 0; i < n; i++) {
        const double *p = b.p[i % BLOBS];
        m->atom[i] = (atom_t){.x = (float)(p[0] + 4 * rng_normal(&r)), .y = (float)(p[1] + 4 * rng_normal(&r)), .z = (float)(p[2] + 4 * rng_normal(&r)),
                              .occ = 1, .residue = (uint32_t)i, .element = 6, .kind = KIND_LIGAND, .name = "C"};
    }
    return m;
}

static void move(model_t *m, const pose_t *p)
{
    for (size_t i = 0; i < m->n; i++) {
        double x[3] = {(double)m->atom[i].x, (double)m->atom[i].y, (double)m->atom[i].z};
        pose_apply(p, x, x);
        m->atom[i].x = (float)x[0];
        m->atom[i].y = (float)x[1];
        m->atom[i].z = (float)x[2];
    }
}

static model_t *copy(const model_t *m)
{
    model_t *c = mem_new(1, sizeof *c, NULL);
    *c = *m;
    c->atom = mem_new(m->n, sizeof *c->atom, NULL);
    memcpy(c->atom, m->atom, m->n * sizeof *m->atom);
    return c;
}

static void drop(model_t *m)
{
    mem_free(m->atom);
    mem_free(m);
}

static double rmsd(const model_t *a, const model_t *b)
{
    double sum = 0;
    assert_int_equal(a->n, b->n);
    for (size_t i = 0; i < a->n; i++) {
        double x = (double)(a->atom[i].x - b->atom[i].x), y = (double)(a->atom[i].y - b->atom[i].y), z = (double)(a->atom[i].z - b->atom[i].z);
        sum += x * x + y * y + z * z;
    }
    return sqrt(sum / (double)a->n);
}

/* The map of a model with noise of so many hundredths of its highest value, its voxel 0 at a place of no merit. */
static vol_t *map_of(const model_t *m, double resolution, double voxel, double noise)
{
    vol_t *v = simulate(m, &(sim_opts_t){.resolution = resolution, .voxel = voxel, .pad = 20}, NULL);
    volstat_t s;
    rng_t r;
    assert_non_null(v);
    vol_stats(v, &s);
    rng_seed(&r, 11);
    for (size_t i = 0; i < vol_len(v); i++) v->data[i] += (float)(noise / 100 * s.max * rng_normal(&r));
    return v;
}

static fitmap_t *ready(const vol_t *v, double resolution)
{
    contour_t c;
    assert_int_equal(contour_estimate(v, &c, NULL), 0);
    fitmap_t *f = fit_map_new(v, c.level, resolution, NULL);
    assert_non_null(f);
    return f;
}

static pose_t any_pose(uint64_t seed)
{
    pose_t p;
    rng_t r;
    rng_seed(&r, seed);
    blobs_rotation(&r, p.r);
    for (int d = 0; d < 3; d++) p.t[d] = 100 * rng_normal(&r);
    return p;
}

static void put_back(void **state)
{
    (void)state;
    static const struct {
        double resolution, voxel, noise;
    } rows[] = {{8, 2, 0}, {8, 2, 10}, {5, 1.2, 5}, {15, 5, 3}};
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        model_t *m = walk(600, 2 + k), *away = copy(m);
        vol_t *v = map_of(m, rows[k].resolution, rows[k].voxel, rows[k].noise);
        fitmap_t *f = ready(v, rows[k].resolution);
        pose_t p = any_pose(k);
        fit_t got;
        move(away, &p);
        assert_int_equal(fit_model(f, away, NULL, &got, NULL), 0);
        move(away, &got.pose);
        assert_close(rmsd(m, away), 0, 0.3);
        assert_true(got.correlation > 0.8 && got.correlation <= 1);
        assert_true(got.inside > 0.4 && got.occupied > 0.9 && got.z > 3);
        fit_map_free(f);
        vol_free(v);
        drop(m);
        drop(away);
    }
}

/* A part finds its place in the whole, though elsewhere it is denser. */
static void part_in_whole(void **state)
{
    (void)state;
    model_t *part = walk(400, 21), *rest = walk(900, 22), *both = walk(1300, 1);
    const pose_t aside = {.r = {{0, 1, 0}, {-1, 0, 0}, {0, 0, 1}}, .t = {40, -35, 30}};
    move(rest, &aside);
    memcpy(both->atom, part->atom, part->n * sizeof *part->atom);
    memcpy(both->atom + part->n, rest->atom, rest->n * sizeof *rest->atom);
    vol_t *v = map_of(both, 8, 2, 2);
    fitmap_t *f = ready(v, 8);
    model_t *away = copy(part);
    pose_t p = any_pose(9);
    fit_t got;
    move(away, &p);
    assert_int_equal(fit_model(f, away, NULL, &got, NULL), 0);
    move(away, &got.pose);
    assert_close(rmsd(part, away), 0, 1);
    assert_true(got.occupied < 0.8 && got.overall < got.correlation - 0.1);
    fit_map_free(f);
    vol_free(v);
    drop(part);
    drop(rest);
    drop(both);
    drop(away);
}

/* Two equal halves: either way round is right. */
static void symmetric(void **state)
{
    (void)state;
    model_t *half = walk(300, 31), *m = walk(600, 1), *other = copy(m), *away;
    const pose_t aside = {.r = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, .t = {25, 0, 0}}, turn = {.r = {{-1, 0, 0}, {0, -1, 0}, {0, 0, 1}}};
    move(half, &aside);
    for (int k = 0; k < 2; k++) {
        memcpy(m->atom + (k ? half->n : 0), half->atom, half->n * sizeof *half->atom);
        memcpy(other->atom + (k ? 0 : half->n), half->atom, half->n * sizeof *half->atom);
        move(half, &turn);
    }
    vol_t *v = map_of(m, 8, 2, 2);
    fitmap_t *f = ready(v, 8);
    pose_t p = any_pose(4);
    fit_t got;
    away = copy(m);
    move(away, &p);
    assert_int_equal(fit_model(f, away, NULL, &got, NULL), 0);
    move(away, &got.pose);
    assert_close(fmin(rmsd(m, away), rmsd(other, away)), 0, 0.3);
    fit_map_free(f);
    vol_free(v);
    drop(half);
    drop(m);
    drop(other);
    drop(away);
}

/* A map of flat voxels and one with voxels that are no numbers. */
static void odd_maps(void **state)
{
    (void)state;
    model_t *m = walk(600, 2), *away = copy(m);
    vol_t *v = map_of(m, 8, 2, 1);
    for (size_t i = 0; i < vol_len(v); i += 97) v->data[i] = i % 2 ? (float)NAN : (float)INFINITY;
    vol_t *flat = vol_new(v->nx, v->ny, v->nz / 2, 2, NULL);
    memcpy(flat->origin, v->origin, sizeof v->origin);
    flat->voxel[2] = 4; /* every other plane */
    for (size_t z = 0; z < flat->nz; z++)
        memcpy(flat->data + vol_idx(flat, 0, 0, z), v->data + vol_idx(v, 0, 0, 2 * z), v->nx * v->ny * sizeof *v->data);
    const vol_t *maps[2] = {v, flat};
    pose_t p = any_pose(5);
    move(away, &p);
    for (int k = 0; k < 2; k++) {
        fitmap_t *f = ready(maps[k], 8);
        model_t *back = copy(away);
        fit_t got;
        assert_int_equal(fit_model(f, back, NULL, &got, NULL), 0);
        move(back, &got.pose);
        assert_close(rmsd(m, back), 0, 0.6);
        assert_true(got.correlation > 0.8);
        drop(back);
        fit_map_free(f);
    }
    vol_free(v);
    vol_free(flat);
    drop(m);
    drop(away);
}

static void any_threads(void **state)
{
    (void)state;
    model_t *m = walk(400, 6);
    vol_t *v = map_of(m, 8, 2, 5);
    fit_t got[2];
    pose_t p = any_pose(2);
    move(m, &p);
    for (int k = 0; k < 2; k++) {
        threads_set(k ? 3 : 1);
        fitmap_t *f = ready(v, 8);
        memset(&got[k], 0, sizeof got[k]);
        assert_int_equal(fit_model(f, m, &(fit_opts_t){.angle = 30}, &got[k], NULL), 0);
        fit_map_free(f);
    }
    assert_memory_equal(&got[0], &got[1], sizeof got[0]);
    vol_free(v);
    drop(m);
}

static void as_it_stands(void **state)
{
    (void)state;
    model_t *m = walk(600, 7);
    vol_t *v = map_of(m, 8, 2, 0);
    volstat_t s;
    vol_stats(v, &s);
    fitmap_t *f = fit_map_new(v, FIT_MASK * s.max, 8, NULL);
    fit_t got;
    pose_t far = still;
    assert_int_equal(fit_measure(f, m, NULL, &got, NULL), 0);
    assert_close(got.correlation, 1, 1e-3); /* the highest values of the map are cut */
    assert_close(got.overall, 1, 1e-3);
    assert_close(got.inside, 1, 0.01);
    assert_close(got.occupied, 1, 0.01);
    assert_true(isnan(got.z));
    far.t[0] = 500;
    move(m, &far);
    assert_int_equal(fit_measure(f, m, NULL, &got, NULL), 0);
    assert_close(got.correlation, 0, 0);
    assert_close(got.inside, 0, 0);
    assert_close(got.occupied, 0, 0);
    fit_map_free(f);
    vol_free(v);
    drop(m);
}

/* What has no pose to be found, or hardly any density: a ball, all of whose rotations are equal, and one atom. Their centre is found, and that is all. */
static void featureless(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 3000};
    for (size_t k = 0; k < 2; k++) {
        model_t *m = walk(sizes[k], 9), *home;
        rng_t r;
        rng_seed(&r, 12);
        for (size_t i = 0; i < m->n; i++) {
            double x[3], square = 2;
            while (square > 1) {
                square = 0;
                for (int d = 0; d < 3; d++) x[d] = 2 * rng_unit(&r) - 1, square += x[d] * x[d];
            }
            for (int d = 0; d < 3; d++) (&m->atom[i].x)[d] = (float)(sizes[k] > 1 ? 25 * x[d] : 0);
        }
        vol_t *v = map_of(m, 8, 2, 0);
        fitmap_t *f = ready(v, 8);
        const pose_t away = any_pose(4);
        fit_t got;
        home = copy(m);
        move(m, &away);
        assert_int_equal(fit_model(f, m, NULL, &got, NULL), 0);
        move(m, &got.pose);
        double off = 0;
        for (int d = 0; d < 3; d++) {
            double sum = 0;
            for (size_t i = 0; i < m->n; i++) sum += (double)((&m->atom[i].x)[d] - (&home->atom[i].x)[d]) / (double)m->n;
            off = fmax(off, fabs(sum));
        }
        assert_true(off < 1.5);
        assert_true(got.correlation > 0.8);
        fit_map_free(f);
        vol_free(v);
        drop(m);
        drop(home);
    }
}

static void refused(void **state)
{
    (void)state;
    model_t *m = walk(100, 8);
    vol_t *v = map_of(m, 8, 2, 0);
    err_t err = {0};
    fit_t got;
    assert_null(fit_map_new(v, 1e9, 8, &err));
    assert_int_equal(err.code, ERR_RANGE);
    err = (err_t){0};
    assert_null(fit_map_new(v, 0.1, 0, &err));
    assert_int_equal(err.code, ERR_USAGE);
    err = (err_t){0};
    assert_null(fit_map_new(v, 0.1, (double)NAN, &err));
    assert_int_equal(err.code, ERR_USAGE);
    fitmap_t *f = ready(v, 8);
    static const fit_opts_t bad[] = {{.step = -1}, {.step = (double)INFINITY}, {.angle = -1}, {.angle = 121}, {.angle = (double)NAN}};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        err = (err_t){0};
        assert_int_equal(fit_model(f, m, &bad[k], &got, &err), -1);
        assert_int_equal(err.code, ERR_USAGE);
    }
    err = (err_t){0};
    assert_int_equal(fit_model(f, m, &(fit_opts_t){.memory = 1000}, &got, &err), -1);
    assert_int_equal(err.code, ERR_RANGE);
    fit_map_free(f);
    vol_free(v);
    drop(m);
}

/* A real map and the model that was deposited in its frame. */
static void real_pair(void **state)
{
    (void)state;
    const char *data = test_data();
    char path[4096];
    if (!data) skip();
    assert_true(snprintf(path, sizeof path, "%s/maps/EMD-3342_5A.mrc", data) < (int)sizeof path);
    vol_t *v = map_read(path, NULL, NULL, NULL, NULL);
    assert_true(snprintf(path, sizeof path, "%s/maps/models/5fwm.pdb.gz", data) < (int)sizeof path);
    model_t *m = pdb_read(path, NULL, NULL, NULL);
    assert_non_null(v);
    assert_non_null(m);
    model_t *away = copy(m);
    pose_t p = any_pose(1);
    fitmap_t *f = ready(v, 8);
    fit_t got;
    move(away, &p);
    assert_int_equal(fit_model(f, away, NULL, &got, NULL), 0);
    move(away, &got.pose);
    assert_close(rmsd(m, away), 0, 3);
    fit_map_free(f);
    vol_free(v);
    drop(away);
    model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quaternions), cmocka_unit_test(turns),       cmocka_unit_test(even_rotations), cmocka_unit_test(put_back),
        cmocka_unit_test(part_in_whole), cmocka_unit_test(symmetric), cmocka_unit_test(odd_maps),       cmocka_unit_test(any_threads),
        cmocka_unit_test(as_it_stands), cmocka_unit_test(featureless), cmocka_unit_test(refused),    cmocka_unit_test(real_pair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

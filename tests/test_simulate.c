/* test_simulate: density from atoms. */
#include "tests/test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/threads.h"
#include "voxel/simulate.h"
#include "voxel/trace.h"

enum { MANY = 400 };

/* n carbon-like atoms in a box of `side` angstrom, deterministic. */
static model_t *cloud(size_t n, double side)
{
    model_t *m = mem_zero(1, sizeof *m, NULL);
    rng_t r;
    rng_seed(&r, 7);
    m->atom = mem_zero(n, sizeof *m->atom, NULL);
    m->n = m->nres = n;
    m->nchain = 1;
    for (size_t i = 0; i < n; i++)
        m->atom[i] = (atom_t){.x = (float)(side * rng_unit(&r)), .y = (float)(side * rng_unit(&r)), .z = (float)(side * rng_unit(&r)),
                              .occ = (float)(0.5 + 0.5 * rng_unit(&r)), .b = (float)(80 * rng_unit(&r)), .residue = (uint32_t)i,
                              .element = (uint8_t)(6 + i % 3), .kind = KIND_LIGAND, .name = "C"};
    return m;
}

static double total(const vol_t *v)
{
    double sum = 0;
    for (size_t i = 0; i < vol_len(v); i++) sum += (double)v->data[i];
    return sum * v->voxel[0] * v->voxel[1] * v->voxel[2];
}

static double largest_difference(const vol_t *a, const vol_t *b)
{
    double d = 0, top = 0;
    assert_int_equal(vol_len(a), vol_len(b));
    for (size_t i = 0; i < vol_len(a); i++) {
        double e = fabs((double)a->data[i] - (double)b->data[i]);
        if (!(e <= d)) d = e; /* keeps NaN */
        top = fmax(top, fabs((double)a->data[i]));
    }
    return d / top;
}

static void integral_is_the_weight(void **state)
{
    (void)state;
    model_t *m = cloud(MANY, 40);
    double want = 0;
    for (size_t i = 0; i < m->n; i++) want += (double)m->atom[i].occ * m->atom[i].element;
    for (double res = 4; res < 25; res *= 2) {
        vol_t *v = simulate(m, &(sim_opts_t){.resolution = res, .voxel = res / 4}, NULL);
        assert_non_null(v);
        assert_close(total(v) / want, 1, 1e-5);
        vol_free(v);
    }
    model_free(m);
}

/* One atom against the formula, at every voxel. */
static void one_atom_is_a_gaussian(void **state)
{
    (void)state;
    model_t *m = cloud(1, 3);
    m->atom[0].occ = 0.5F;
    m->atom[0].element = 8;
    double res = 6, s = SIM_SIGMA * res, peak = 0.5 * 8 / pow(2 * M_PI * s * s, 1.5);
    vol_t *v = simulate(m, &(sim_opts_t){.resolution = res, .voxel = 1.1}, NULL);
    for (size_t z = 0; z < v->nz; z++)
        for (size_t y = 0; y < v->ny; y++)
            for (size_t x = 0; x < v->nx; x++) {
                double dx = v->origin[0] + (double)x * 1.1 - (double)m->atom[0].x, dy = v->origin[1] + (double)y * 1.1 - (double)m->atom[0].y,
                       dz = v->origin[2] + (double)z * 1.1 - (double)m->atom[0].z;
                double want = peak * exp(-(dx * dx + dy * dy + dz * dz) / (2 * s * s));
                assert_close((double)v->data[vol_idx(v, x, y, z)], want, 5e-6 * peak);
            }
    for (int k = 0; k < 3; k++) assert_close(v->origin[k] / 1.1, round(v->origin[k] / 1.1), 1e-9);
    vol_free(v);
    model_free(m);
}

static void both_paths_agree(void **state)
{
    (void)state;
    model_t *m = cloud(MANY, 40);
    for (int kind = SIM_MOLMAP; kind <= SIM_ELECTRON; kind++)
        for (double res = 8; res < 33; res *= 2) {
            sim_opts_t o = {.resolution = res, .voxel = 1, .kind = (simkind_t)kind, .path = SIM_DIRECT};
            vol_t *a = simulate(m, &o, NULL);
            o.path = SIM_SPLAT;
            vol_t *b = simulate(m, &o, NULL);
            double d = largest_difference(a, b);
            printf("# kind %d, %g A: paths differ by %.1e of the largest value\n", kind, res, d);
            assert_true(d > 0); /* it did go the other way */
            assert_close(d, 0, SIM_TOLERANCE);
            vol_free(a);
            vol_free(b);
        }
    model_free(m);
}

/* Moved by whole voxels, the model gives the same map elsewhere. */
static void shift_moves_the_map(void **state)
{
    (void)state;
    model_t *m = cloud(MANY, 40);
    sim_opts_t o = {.resolution = 8, .voxel = 2};
    vol_t *a = simulate(m, &o, NULL);
    for (size_t i = 0; i < m->n; i++) m->atom[i].x += 256, m->atom[i].z -= 64;
    vol_t *b = simulate(m, &o, NULL);
    assert_close(b->origin[0] - a->origin[0], 256, 1e-9);
    assert_close(b->origin[2] - a->origin[2], -64, 1e-9);
    assert_close(largest_difference(a, b), 0, 1e-4); /* float coordinates */
    vol_free(a);
    vol_free(b);
    model_free(m);
}

static void threads_change_nothing(void **state)
{
    (void)state;
    model_t *m = cloud(MANY, 40);
    for (int path = SIM_DIRECT; path <= SIM_SPLAT; path++) {
        sim_opts_t o = {.resolution = 10, .voxel = 1, .path = (simpath_t)path, .kind = SIM_ELECTRON};
        threads_set(1);
        vol_t *a = simulate(m, &o, NULL);
        threads_set(5);
        vol_t *b = simulate(m, &o, NULL);
        threads_set(0);
        assert_memory_equal(a->data, b->data, vol_len(a) * sizeof *a->data);
        vol_free(a);
        vol_free(b);
    }
    model_free(m);
}

/* A zigzag of alanines, a ligand atom at its end. */
static model_t *zigzag(void)
{
    model_t *m = cloud(7, 1);
    for (size_t i = 0; i < 7; i++) {
        m->atom[i] = (atom_t){.x = 3.3F * (float)i, .y = i % 2 ? 1.8F : 0, .occ = 1, .residue = (uint32_t)i, .element = 6,
                              .kind = i < 6 ? KIND_PROTEIN : KIND_LIGAND, .name = "CA", .resname = "ALA"};
    }
    return m;
}

/* Each CA weighs as its residue (33 for alanine); the side chain lies away from the neighbours, the backbone towards them. */
static void trace_stands_for_residues(void **state)
{
    (void)state;
    model_t *m = zigzag();
    size_t n;
    blob_t *b = trace_blobs(m, &n, NULL);
    assert_int_equal(n, 1 + 4 * 2 + 1 + 1); /* the two ends have no frame */
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)b[i].weight;
    assert_close(sum, 6 * 33 + 6, 1e-3);
    assert_true(b[0].var > 0 && b[1].var > 0);
    assert_close((double)b[0].x, 0, 0);
    assert_close((double)b[10].var, 0, 0); /* the ligand keeps its own atom */
    assert_close((double)b[10].weight, 6, 0);
    assert_true(b[1].y < 1.8F && b[2].y > 1.8F); /* residue 1 is up, its neighbours down */
    mem_free(b);
    vol_t *v = simulate(m, &(sim_opts_t){.resolution = 8, .voxel = 2}, NULL);
    assert_close(total(v), 6 * 33 + 6, 1e-3 * 204);
    vol_free(v);

    /* Far apart: no neighbours, one blob each. Full residues: atoms. Unknown name: the mean residue. */
    for (size_t i = 0; i < 6; i++) m->atom[i].x *= 10;
    b = trace_blobs(m, &n, NULL);
    assert_int_equal(n, 7);
    mem_free(b);
    for (size_t i = 0; i < 6; i++) m->atom[i].residue /= 2;
    b = trace_blobs(m, &n, NULL);
    assert_int_equal(n, 7);
    assert_close((double)b[0].weight, 6, 0);
    mem_free(b);
    for (size_t i = 0; i < 6; i++) m->atom[i].residue = (uint32_t)i, memcpy(m->atom[i].resname, "XYZ", 4);
    b = trace_blobs(m, &n, NULL);
    assert_close((double)b[0].weight, 52, 2);
    mem_free(b);
    model_free(m);
}

static void refusals(void **state)
{
    (void)state;
    model_t *m = cloud(2, 10);
    static const struct {
        sim_opts_t o;
        errcode_t code;
    } row[] = {
        {{.resolution = 0, .voxel = 1}, ERR_USAGE},
        {{.resolution = 8, .voxel = 0}, ERR_USAGE},
        {{.resolution = 8, .voxel = 1, .pad = -1}, ERR_USAGE},
        {{.resolution = (double)NAN, .voxel = 1}, ERR_USAGE},
        {{.resolution = 8, .voxel = 1e-3}, ERR_RANGE},
        {{.resolution = 8, .voxel = 1, .memory = 1000}, ERR_RANGE},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        err_t e = {0};
        assert_null(simulate(m, &row[i].o, &e));
        assert_int_equal(e.code, row[i].code);
    }
    model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integral_is_the_weight), cmocka_unit_test(one_atom_is_a_gaussian), cmocka_unit_test(both_paths_agree),
        cmocka_unit_test(shift_moves_the_map),    cmocka_unit_test(threads_change_nothing), cmocka_unit_test(refusals),
        cmocka_unit_test(trace_stands_for_residues),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_view: membranes found, bodies cut and joined, and views that are what their options say. */
#include "tests/test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/threads.h"
#include "tests/blobs.h"
#include "voxel/body.h"
#include "voxel/desc.h"
#include "voxel/membrane.h"
#include "voxel/simulate.h"
#include "voxel/view.h"

enum { RODS = 7, RISE = 56 }; /* helices of a bundle; residues of each: 84 angstrom */

/* A bundle of helices along z whose residues between z = -15 and 15 are oily, the rest charged; all charged without `oily`.
 * Then turned by t and moved. extra: a second atom in each residue. */
static model_t *bundle(bool oily, double t[3][3], const double move[3], bool extra)
{
    size_t atoms = extra ? 2 : 1;
    model_t *m = mem_zero(1, sizeof *m, NULL);
    m->atom = mem_zero((size_t)RODS * RISE * atoms, sizeof *m->atom, NULL);
    m->nres = (size_t)RODS * RISE;
    m->nchain = RODS;
    m->trace = !extra;
    for (int k = 0; k < RODS; k++)
        for (int i = 0; i < RISE; i++) {
            double a = 1.745 * i, c = k ? 10 * cos(1.0472 * k) : 0, s = k ? 10 * sin(1.0472 * k) : 0;
            const double p[3] = {c + 2.3 * cos(a), s + 2.3 * sin(a), 1.5 * (i - RISE / 2)};
            bool in = oily && fabs(p[2]) < 15;
            atom_t x = {.occ = 1, .residue = (uint32_t)(k * RISE + i), .chain = (uint16_t)k, .element = 6, .kind = KIND_PROTEIN, .name = "CA"};
            memcpy(x.resname, in ? "LEU" : i % 2 ? "LYS" : "GLU", 3);
            x.x = (float)(t[0][0] * p[0] + t[0][1] * p[1] + t[0][2] * p[2] + move[0]);
            x.y = (float)(t[1][0] * p[0] + t[1][1] * p[1] + t[1][2] * p[2] + move[1]);
            x.z = (float)(t[2][0] * p[0] + t[2][1] * p[1] + t[2][2] * p[2] + move[2]);
            m->atom[m->n++] = x;
            if (!extra) continue;
            memcpy(x.name, "CB\0", 4);
            m->atom[m->n++] = x;
        }
    return m;
}

static void end(model_t *m)
{
    mem_free(m->atom);
    mem_free(m);
}

static double identity[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
static const double nowhere[3] = {0, 0, 0};

static void membrane_is_found_wherever_it_lies(void **state)
{
    (void)state;
    rng_t r;
    rng_seed(&r, 4);
    for (int k = 0; k < 6; k++) {
        double t[3][3];
        blobs_rotation(&r, t);
        const double move[3] = {40 * rng_normal(&r), 300 * rng_normal(&r), -70};
        model_t *m = bundle(true, t, move, k % 2);
        membrane_t s;
        assert_int_equal(membrane_find(m, &s, NULL), 0);
        double dot = 0, mid = 0, len = 0;
        for (int d = 0; d < 3; d++) {
            dot += (double)s.normal[d] * t[d][2];
            mid += (double)s.normal[d] * move[d];
            len += (double)s.normal[d] * (double)s.normal[d];
        }
        assert_close(len, 1, 1e-5);
        assert_true(fabs(dot) > 0.98);
        assert_close((double)s.offset, mid, 2);
        assert_close((double)s.half, 15, 3);
        assert_true((double)s.score > 0.8);
        end(m);
    }
}

static void no_membrane_where_nothing_is_oily(void **state)
{
    (void)state;
    membrane_t s;
    model_t *m = bundle(false, identity, nowhere, false);
    assert_int_equal(membrane_find(m, &s, NULL), 0);
    assert_true(!(s.half > 0) && !(s.half < 0));
    m->n = 0;
    assert_int_equal(membrane_find(m, &s, NULL), 0);
    assert_true(!(s.half > 0));
    m->n = 3;
    for (int i = 0; i < 3; i++) m->atom[i].x = i ? NAN : 1e6f;
    assert_int_equal(membrane_find(m, &s, NULL), 0);
    assert_true(!(s.half > 0));
    end(m);
}

static void bodies_lose_and_gain_what_is_asked(void **state)
{
    (void)state;
    model_t *m = bundle(true, identity, nowhere, false);
    body_t b;
    rng_t r;
    rng_seed(&r, 9);
    assert_int_equal(body_new(m, 1, false, &b, NULL), 0);
    assert_int_equal(body_measure(&b, NULL), 0);
    double mass = b.mass, rg = b.rg;
    size_t n = b.n;
    const double up[3] = {0, 0, 1};
    body_drop(&b, BODY_ALONG, up, 0.25);
    assert_close((double)b.n, 0.75 * (double)n, 6);
    for (size_t i = 0; i < b.n; i++) assert_true(b.point[i].p[2] < 25);
    assert_int_equal(body_add_ball(&b, 5000, &r, NULL), 0);
    assert_int_equal(body_measure(&b, NULL), 0);
    assert_true(b.mass > 0.75 * mass - 2000 + 5000 && b.mass < 0.75 * mass + 2000 + 5000);
    body_free(&b);

    assert_int_equal(body_new(m, 1.1, true, &b, NULL), 0);
    assert_int_equal(body_measure(&b, NULL), 0);
    assert_close(b.rg / rg, 1.1, 0.01);
    assert_int_equal(body_drop_chains(&b, 0.5, &r, NULL), 0);
    assert_int_equal(body_measure(&b, NULL), 0);
    assert_close(b.mass / mass, 4.0 / 7, 1e-6); /* three of seven */
    n = b.n;
    assert_int_equal(body_add_copy(&b, 0.5, &r, NULL), 0);
    assert_close((double)b.n, 1.5 * (double)n, 2);
    body_free(&b);
    end(m);
}

static void splatting_keeps_weight_and_centre(void **state)
{
    (void)state;
    model_t *m = bundle(true, identity, nowhere, false);
    body_t b;
    const double focus[3] = {10, 0, 20};
    assert_int_equal(body_new(m, 1, false, &b, NULL), 0);
    assert_int_equal(body_measure(&b, NULL), 0);
    vol_t *v = vol_new(20, 20, 40, 3, NULL), *far = vol_new(20, 20, 40, 3, NULL);
    for (int d = 0; d < 3; d++) v->origin[d] = d == 2 ? -60 : -28.5;
    memcpy(far->origin, v->origin, sizeof far->origin);
    body_splat(&b, focus, v, far);
    double sum = 0, z = 0;
    for (size_t i = 0; i < vol_len(v); i++) {
        double w = (double)v->data[i] + (double)far->data[i];
        sum += w;
        z += w * (v->origin[2] + 3 * (double)(i / 400));
    }
    assert_close(sum / b.mass, 1, 1e-4);
    assert_close(z / sum, b.centre[2], 0.01);
    vol_free(v);
    vol_free(far);
    body_free(&b);
    end(m);
}

static double correlation(const float *a, const float *b, size_t n)
{
    double sa = 0, sb = 0, aa = 0, bb = 0, ab = 0;
    for (size_t i = 0; i < n; i++) {
        sa += (double)a[i];
        sb += (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
        ab += (double)a[i] * (double)b[i];
    }
    double k = (double)n;
    return (ab - sa * sb / k) / sqrt((aa - sa * sa / k) * (bb - sb * sb / k));
}

/* An asymmetric walk of n residues. */
static model_t *walk(size_t n, uint64_t seed)
{
    rng_t r;
    double p[3] = {0}, u[3];
    model_t *m = mem_zero(1, sizeof *m, NULL);
    m->atom = mem_zero(n, sizeof *m->atom, NULL);
    m->n = m->nres = n;
    m->nchain = 1;
    m->trace = 1;
    rng_seed(&r, seed);
    for (size_t i = 0; i < n; i++) {
        static const double spread[3] = {20, 12, 7};
        body_direction(&r, u);
        for (int d = 0; d < 3; d++) p[d] += 3.8 * u[d] - p[d] * 1.4 / spread[d];
        m->atom[i] = (atom_t){.x = (float)p[0], .y = (float)p[1], .z = (float)p[2], .occ = 1, .residue = (uint32_t)i, .element = 6,
                              .kind = KIND_PROTEIN, .name = "CA", .resname = "ALA"};
    }
    return m;
}

/* Best correlation of two cubes over the 24 turns. */
static double agreement(const cube_t *a, const cube_t *b)
{
    int8_t da[DESC_LEN], db[DESC_LEN];
    float best, *turns = mem_new((size_t)DESC_TURNS * DESC_LEN, sizeof *turns, NULL);
    size_t row = 0;
    desc_pack(a->data, a->side, da);
    desc_pack(b->data, b->side, db);
    desc_turns(da, turns);
    assert_int_equal(desc_match(turns, 1, db, &row, sizeof row, 1, &best, NULL), 0);
    mem_free(turns);
    return (double)best;
}

static void without_options_a_view_is_the_clean_cube(void **state)
{
    (void)state;
    viewopts_t none = {.side = 32};
    for (uint64_t seed = 1; seed < 6; seed++) {
        model_t *m = walk(300 * seed, seed);
        cube_t c, v;
        err_t err = {0};
        const sim_opts_t so = {.resolution = 8, .voxel = 2, .pad = 8};
        vol_t *d = simulate(m, &so, &err);
        assert_non_null(d);
        if (cube_make(d, NULL, &c, &err) || view_make(m, NULL, &none, seed, &v, &err)) fail_msg("%s", err.msg);
        double r = agreement(&c, &v);
        if (!(r > 0.97)) fail_msg("correlation %.3f", r);
        assert_close(v.frame.rg / c.frame.rg, 1, 0.02);
        assert_close(v.volume / c.volume, 1, 0.1);
        cube_free(&c);
        cube_free(&v);
        vol_free(d);
        end(m);
    }
}

static void views_are_cubes_and_repeat(void **state)
{
    (void)state;
    viewopts_t o = view_em;
    model_t *m = bundle(true, identity, nowhere, false);
    membrane_t s;
    o.side = 24;
    assert_int_equal(membrane_find(m, &s, NULL), 0);
    int threads = threads_max();
    for (uint64_t seed = 0; seed < 40; seed++) {
        cube_t a, b, c;
        err_t err = {0};
        threads_set(1);
        if (view_make(m, &s, &o, seed, &a, &err)) fail_msg("seed %d: %s", (int)seed, err.msg);
        threads_set(3);
        assert_int_equal(view_make(m, &s, &o, seed, &b, NULL), 0);
        assert_int_equal(view_make(m, &s, &o, seed + 1000, &c, NULL), 0);
        assert_int_equal(a.side, 24);
        for (size_t i = 0; i < (size_t)24 * 24 * 24; i++) assert_true(a.data[i] >= 0 && a.data[i] <= 1);
        assert_memory_equal(a.data, b.data, (size_t)24 * 24 * 24 * sizeof(float));
        double r = correlation(a.data, c.data, (size_t)24 * 24 * 24);
        assert_true(r < 0.99999);
        cube_free(&a);
        cube_free(&b);
        cube_free(&c);
    }
    threads_set(threads);
    end(m);
}

static double volume_with(const model_t *m, const membrane_t *s, const viewopts_t *o)
{
    double sum = 0;
    for (uint64_t seed = 0; seed < 8; seed++) {
        cube_t c;
        assert_int_equal(view_make(m, s, o, seed, &c, NULL), 0);
        sum += c.volume / 8;
        cube_free(&c);
    }
    return sum;
}

static void options_do_what_they_say(void **state)
{
    (void)state;
    model_t *m = bundle(true, identity, nowhere, false);
    membrane_t s;
    assert_int_equal(membrane_find(m, &s, NULL), 0);
    const viewopts_t none = {0}, belt = {.belt = {1, 20, 20}, .belt_density = {0.9, 0.9}, .belt_half = {15, 15}}, weak = {.weak = {1, 20, 20}, .belt_density = {0.9, 0.9}, .belt_half = {15, 15}},
                     less = {.plane = {1, 0.3, 0.3}}, more = {.partner = {1, 0.4, 0.4}}, large = {.magnify = {1, 1.1, 1.1}}, noise = {.noise = {1, 0.1, 0.1}, .colour = {1, 1}};
    double v = volume_with(m, &s, &none);
    assert_true(volume_with(m, &s, &belt) > 1.4 * v);
    assert_close(volume_with(m, NULL, &belt) / v, 1, 1e-9); /* no span, no belt */
    assert_close(volume_with(m, &s, &weak) / v, 1, 1e-9);   /* it is known */
    assert_true(volume_with(m, NULL, &weak) > 1.2 * v);
    assert_true(volume_with(m, &s, &less) < 0.85 * v);
    assert_true(volume_with(m, &s, &more) > 1.1 * v);
    assert_close(volume_with(m, &s, &large) / v, 1.331, 0.05);
    assert_close(volume_with(m, &s, &noise) / v, 1, 0.15);
    end(m);
}

static void the_hand_can_be_flipped(void **state)
{
    (void)state;
    model_t *m = walk(400, 3);
    for (size_t i = 0; i < m->n; i++) { /* a turn and a half of a spiral, ever thicker */
        double t = 0.024 * (double)i, r = 25 + (i % 3 ? 2.5 : -2.5) * t / 4;
        m->atom[i].x = (float)(r * cos(t));
        m->atom[i].y = (float)(1.3 * r * sin(t));
        m->atom[i].z = (float)(9 * t);
    }
    const viewopts_t none = {.side = 32}, flip = {.side = 32, .hand = {1, 0, 0}};
    cube_t a, b;
    assert_int_equal(view_make(m, NULL, &none, 1, &a, NULL), 0);
    assert_int_equal(view_make(m, NULL, &flip, 1, &b, NULL), 0);
    assert_true(agreement(&a, &b) < 0.9);
    for (size_t z = 0; z < 32; z++) /* mirrored back */
        for (size_t y = 0; y < 32; y++)
            for (size_t x = 0; x < 16; x++) {
                float *p = b.data + (z * 32 + y) * 32, t = p[x];
                p[x] = p[31 - x];
                p[31 - x] = t;
            }
    assert_true(agreement(&a, &b) > 0.97);
    cube_free(&a);
    cube_free(&b);
    end(m);
}

static void nothing_cannot_be_viewed(void **state)
{
    (void)state;
    model_t *m = walk(20, 3);
    err_t err = {0};
    cube_t c;
    for (size_t i = 0; i < m->n; i++) m->atom[i].occ = 0;
    assert_int_equal(view_make(m, NULL, &view_em, 1, &c, &err), -1);
    assert_int_equal(err.code, ERR_RANGE);
    assert_null(c.data);
    end(m);
}

static void frames_shake_by_how_sure_they_are(void **state)
{
    (void)state;
    rng_t r;
    rng_seed(&r, 2);
    double tilt = 0, turn = 0;
    for (int k = 0; k < 200; k++) {
        frame_t sure = {.rg = 30, .axis = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, .moment = {600, 200, 100}};
        frame_t even = {.rg = 30, .axis = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, .moment = {400, 400, 100}};
        frame_shake(&sure, 0.03, &r);
        frame_shake(&even, 0.03, &r);
        tilt = fmax(tilt, acos(fmin(1, fabs(sure.axis[0][0]))));
        turn += fabs(even.axis[0][0]) < 0.7 ? 1.0 / 200 : 0;
        assert_close(even.moment[0] + even.moment[1] + even.moment[2], 900, 1e-6);
        assert_true(fabs(even.axis[2][2]) > 0.95);
    }
    assert_true(tilt > 0.02 && tilt < 0.25);
    assert_true(turn > 0.3 && turn < 0.7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(membrane_is_found_wherever_it_lies),
        cmocka_unit_test(no_membrane_where_nothing_is_oily),
        cmocka_unit_test(bodies_lose_and_gain_what_is_asked),
        cmocka_unit_test(splatting_keeps_weight_and_centre),
        cmocka_unit_test(without_options_a_view_is_the_clean_cube),
        cmocka_unit_test(views_are_cubes_and_repeat),
        cmocka_unit_test(options_do_what_they_say),
        cmocka_unit_test(the_hand_can_be_flipped),
        cmocka_unit_test(nothing_cannot_be_viewed),
        cmocka_unit_test(frames_shake_by_how_sure_they_are),
    };
    return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}

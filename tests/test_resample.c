/* test_resample: Fourier crop and pad against the full transform, against waves, and by property. */
#include "tests/test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/threads.h"
#include "voxel/lines.h"
#include "voxel/lines_kern.h"
#include "voxel/resample.h"

static vol_t *noise(size_t nx, size_t ny, size_t nz, uint64_t seed)
{
    rng_t r;
    rng_seed(&r, seed);
    vol_t *v = vol_new(nx, ny, nz, 1, NULL);
    v->voxel[0] = 1.1;
    v->voxel[1] = 0.9;
    v->voxel[2] = 2;
    v->origin[0] = -7;
    v->origin[1] = 3.25;
    v->origin[2] = 100;
    for (size_t i = 0; i < vol_len(v); i++) v->data[i] = (float)(3 + rng_normal(&r));
    return v;
}

static void assert_vol_close(const vol_t *a, const vol_t *b, double tol)
{
    assert_true(a->nx == b->nx && a->ny == b->ny && a->nz == b->nz);
    for (int i = 0; i < 3; i++) {
        assert_close(a->voxel[i], b->voxel[i], 1e-12);
        assert_close(a->origin[i], b->origin[i], 1e-12);
    }
    for (size_t i = 0; i < vol_len(a); i++) assert_close((double)a->data[i], (double)b->data[i], tol);
}

/* The matrix by its definition: a sum of cosines. */
static double kernel(size_t n, size_t m, size_t i, size_t j)
{
    size_t lo = n < m ? n : m;
    double t = (double)i / (double)n - (double)j / (double)m, s = 1;
    for (size_t k = 1; 2 * k <= lo; k++) s += (2 * k == lo ? 1 : 2) * cos(2 * M_PI * (double)k * t);
    return s / (double)n;
}

static const size_t pairs[][2] = {{1, 1},   {1, 2},   {2, 1},   {1, 7},   {2, 2},  {2, 3},   {3, 2},    {2, 4},   {4, 2},
                                  {3, 1},   {5, 4},   {4, 5},   {7, 7},   {6, 4},  {4, 6},   {8, 6},    {9, 5},   {5, 9},
                                  {12, 8},  {13, 7},  {16, 16}, {33, 32}, {32, 33}, {36, 10}, {10, 36},  {31, 9},  {100, 64},
                                  {130, 6}, {64, 70}, {67, 66}, {66, 67}, {90, 2}, {2, 90},  {1, 64},   {64, 1},  {256, 20}};
enum { NPAIRS = sizeof pairs / sizeof *pairs };

/* Both ways, every width that matters, turned or not, guards before and after. */
static void lines_are_the_matrix(void **state)
{
    (void)state;
    static const size_t widths[] = {1, 7, 16, 33, 64};
    for (size_t p = 0; p < NPAIRS; p++)
        for (size_t q = 0; q < 5; q++)
            for (int way = LINES_FOLD; way <= LINES_FFT; way++)
                for (int turn = 0; turn < 2; turn++) {
                    size_t n = pairs[p][0], m = pairs[p][1], w = widths[q], stride = w + 3, pitch = (turn ? m : w) + 2;
                    size_t lines = turn ? w : m, len = turn ? m : w;
                    vol_t *in = noise(stride, n, 1, p);
                    lines_t *l = lines_new(n, m, (linesway_t)way, NULL);
                    float *work = mem_zero(lines_work(l), sizeof *work, NULL), *out = mem_new(lines * pitch, sizeof *out, NULL);
                    for (size_t i = 0; i < lines * pitch; i++) out[i] = 777;
                    lines_run(l, in->data, stride, w, turn, out, pitch, work);
                    for (size_t i = 0; i < lines; i++)
                        for (size_t k = len; k < pitch; k++) assert_true(out[i * pitch + k] == 777);
                    for (size_t c = 0; c < w; c += w > 3 ? w / 3 : 1)
                        for (size_t j = 0; j < m; j++) {
                            double want = 0;
                            for (size_t i = 0; i < n; i++) want += kernel(n, m, i, j) * (double)in->data[i * stride + c];
                            double got = (double)(turn ? out[c * pitch + j] : out[j * pitch + c]);
                            if (!(fabs(got - want) <= 1e-5)) fail_msg("%zu -> %zu, line %zu, %zu: %g, not %g", n, m, c, j, got, want);
                        }
                    mem_free(work);
                    mem_free(out);
                    vol_free(in);
                    lines_free(l);
                }
}

/* Room for `n` floats with 16 guards on each side. */
enum { GUARD = 16 };
static float *guarded(size_t n)
{
    float *p = mem_new(n + 2 * GUARD, sizeof *p, NULL);
    for (size_t i = 0; i < n + 2 * GUARD; i++) p[i] = 777;
    return p + GUARD;
}

static void unguard(float *p, size_t n)
{
    for (size_t i = 0; i < GUARD; i++) assert_true(p[n + i] == 777 && (p - GUARD)[i] == 777);
    mem_free(p - GUARD);
}

static void one_product(const lines_kern_t *k, size_t rows, size_t cols, size_t w)
{
    size_t panel = (cols + 3) * KERN_COLS, len = (rows ? rows - 1 : 0) * LINES_W + w;
    vol_t *a = noise(rows + 1, cols + 1, 1, rows), *u = noise(panel, LINES_W / KERN_COLS, 1, cols);
    float *got = guarded(len), *want = guarded(len);
    k->product(a->data, rows, cols, u->data, panel, w, got);
    lines_kern_at(0)->product(a->data, rows, cols, u->data, panel, w, want);
    for (size_t i = 0; rows && i < len; i++) assert_close((double)got[i], (double)want[i], 2e-5 * (double)(cols + 1));
    unguard(got, len);
    unguard(want, len);
    vol_free(a);
    vol_free(u);
}

static void one_fold(const lines_kern_t *k, size_t w, size_t skew)
{
    size_t panel = 5 * KERN_COLS, len = 4 * panel;
    vol_t *in = noise(4 * LINES_W + skew, 1, 1, w);
    const float *a = in->data + skew, *b = a + LINES_W;
    float *got[4], *want[4];
    for (int r = 0; r < 4; r++) {
        got[r] = guarded(len);
        want[r] = guarded(len);
    }
    k->fold(a, b, 2 * LINES_W, w, got, panel);
    lines_kern_at(0)->fold(a, b, 2 * LINES_W, w, want, panel);
    for (int r = 0; r < 4; r++) {
        assert_memory_equal(got[r], want[r], len * sizeof *got[r]); /* sums of the same pairs: exactly equal */
        unguard(got[r], len);
        unguard(want[r], len);
    }
    vol_free(in);
}

static void one_turn(const lines_kern_t *k, size_t m, size_t w)
{
    size_t pitch = m + 3, len = w * pitch;
    vol_t *v = noise(LINES_W, m, 1, m);
    float *got = guarded(len), *want = guarded(len);
    k->turn(v->data, m, w, got, pitch);
    lines_kern_at(0)->turn(v->data, m, w, want, pitch);
    assert_memory_equal(got, want, len * sizeof *got);
    unguard(got, len);
    unguard(want, len);
    vol_free(v);
}

static void variants_are_the_reference(void **state)
{
    (void)state;
    static const size_t len[] = {0, 1, 3, 4, 7, 8, 9, 31, 33, 1000};
    assert_string_equal(lines_kern_at(0)->name, "ref");
    for (int i = 1; lines_kern_at(i); i++) {
        const lines_kern_t *k = lines_kern_at(i);
        printf("# kernel %s\n", k->name);
        for (size_t c = 0; c < sizeof len / sizeof *len; c++)
            for (size_t w = KERN_COLS; w <= LINES_W; w += KERN_COLS)
                for (size_t rows = 0; rows <= 3 * KERN_ROWS; rows += KERN_ROWS) one_product(k, rows, len[c], w);
        for (size_t w = 0; w <= LINES_W; w += KERN_COLS)
            for (size_t skew = 0; skew < 8; skew++) one_fold(k, w, skew);
        for (size_t m = 1; m < 40; m++)
            for (size_t w = 0; w <= 33; w++) one_turn(k, m, w);
    }
    assert_int_equal(setenv("CRYOLEX_KERNEL", "ref", 1), 0);
    assert_string_equal(lines_kern()->name, "ref");
    unsetenv("CRYOLEX_KERNEL");
}

static const size_t boxes[][6] = {{16, 16, 16, 8, 8, 8},   {16, 16, 16, 7, 7, 7},  {15, 15, 15, 8, 8, 8},   {15, 17, 13, 9, 7, 5},
                                  {8, 8, 8, 16, 16, 16},   {8, 8, 8, 15, 15, 15},  {7, 9, 5, 12, 18, 10},   {12, 20, 9, 20, 12, 9},
                                  {10, 10, 1, 6, 6, 1},    {1, 1, 12, 1, 1, 6},    {70, 12, 10, 66, 70, 8}, {10, 12, 14, 10, 12, 14},
                                  {10, 12, 14, 10, 6, 20}, {2, 2, 2, 1, 1, 1},     {1, 1, 1, 3, 4, 5},      {140, 6, 6, 130, 4, 4}};
enum { NBOXES = sizeof boxes / sizeof *boxes };

static void pruned_is_reference(void **state)
{
    (void)state;
    for (size_t i = 0; i < NBOXES; i++) {
        const size_t *b = boxes[i];
        vol_t *v = noise(b[0], b[1], b[2], i), *w = resample_box(v, b[3], b[4], b[5], NULL);
        vol_t *r = resample_ref(v, b[3], b[4], b[5], NULL);
        assert_non_null(w);
        assert_vol_close(w, r, 1e-5);
        volstat_t a, c;
        vol_stats(v, &a);
        vol_stats(w, &c);
        assert_close(c.mean, a.mean, 1e-6); /* mean kept */
        for (int k = 0; k < 3; k++) { /* field of view kept */
            size_t n[3] = {v->nx, v->ny, v->nz}, m[3] = {w->nx, w->ny, w->nz};
            assert_close((double)m[k] * w->voxel[k], (double)n[k] * v->voxel[k], 1e-12);
            assert_close(w->origin[k], v->origin[k], 0);
        }
        vol_free(v);
        vol_free(w);
        vol_free(r);
    }
}

/* A wave below both Nyquist limits, sampled at the new voxels' old coordinates. */
static void waves_stay_in_place(void **state)
{
    (void)state;
    static const int k[][3] = {{0, 0, 0}, {1, 2, -1}, {3, -2, 1}, {-3, 0, 2}};
    for (size_t i = 0; i < NBOXES; i++)
        for (size_t q = 0; q < 4; q++) {
            const size_t *b = boxes[i];
            bool fits = true;
            for (int a = 0; a < 3; a++)
                fits = fits && 2 * (size_t)abs(k[q][a]) < b[a] && 2 * (size_t)abs(k[q][a]) < b[a + 3];
            if (!fits) continue;
            vol_t *v[2] = {vol_new(b[0], b[1], b[2], 1, NULL), vol_new(b[3], b[4], b[5], 1, NULL)};
            for (int s = 0; s < 2; s++)
                for (size_t j = 0; j < vol_len(v[s]); j++) {
                    double x = (double)(j % v[s]->nx) / (double)v[s]->nx, y = (double)(j / v[s]->nx % v[s]->ny) / (double)v[s]->ny;
                    double z = (double)(j / v[s]->nx / v[s]->ny) / (double)v[s]->nz;
                    v[s]->data[j] = (float)cos(2 * M_PI * (k[q][0] * x + k[q][1] * y + k[q][2] * z) + 0.7);
                }
            vol_t *w = resample_box(v[0], b[3], b[4], b[5], NULL);
            for (size_t j = 0; j < vol_len(w); j++) assert_close((double)w->data[j], (double)v[1]->data[j], 3e-6);
            vol_free(v[0]);
            vol_free(v[1]);
            vol_free(w);
        }
}

/* +Nyquist and -Nyquist have half weight each: cos keeps half of itself going down from above it, sin is gone. */
static void nyquist(void **state)
{
    (void)state;
    vol_t *v = vol_new(16, 1, 1, 1, NULL);
    for (size_t x = 0; x < 16; x++) v->data[x] = (float)(cos(M_PI * (double)x / 2) + sin(M_PI * (double)x / 2));
    vol_t *w = resample_box(v, 8, 1, 1, NULL); /* k = 4 is the new Nyquist */
    for (size_t x = 0; x < 8; x++) assert_close((double)w->data[x], x % 2 ? -0.5 : 0.5, 1e-6);
    vol_free(v);
    vol_free(w);
    v = vol_new(8, 1, 1, 1, NULL);
    for (size_t x = 0; x < 8; x++) v->data[x] = x % 2 ? -1 : 1;
    w = resample_box(v, 16, 1, 1, NULL); /* going up: cos(pi x), real */
    for (size_t x = 0; x < 16; x++) assert_close((double)w->data[x], cos(M_PI * (double)x / 2), 1e-6);
    vol_free(v);
    vol_free(w);
}

/* What a small grid can hold survives a detour over a larger one, and the reverse mirror symmetry holds. */
static void up_and_down(void **state)
{
    (void)state;
    vol_t *v = noise(11, 9, 13, 4), *up = resample_box(v, 24, 25, 26, NULL), *down = resample_box(up, 11, 9, 13, NULL);
    assert_vol_close(down, v, 5e-6); /* odd sides: no Nyquist, nothing lost */
    vol_t *again = resample_box(down, 24, 25, 26, NULL);
    assert_vol_close(again, up, 5e-6);
    vol_free(v);
    vol_free(up);
    vol_free(down);
    vol_free(again);

    vol_t *a = noise(20, 1, 1, 8), *b = vol_clone(a, NULL);
    for (size_t x = 0; x < 20; x++) b->data[x] = a->data[(20 - x) % 20];
    vol_t *c = resample_box(a, 12, 1, 1, NULL), *d = resample_box(b, 12, 1, 1, NULL);
    for (size_t x = 0; x < 12; x++) assert_close((double)d->data[x], (double)c->data[(12 - x) % 12], 1e-6);
    vol_free(a);
    vol_free(b);
    vol_free(c);
    vol_free(d);
}

static vol_t *by_slabs(const vol_t *v, size_t nx, size_t ny, size_t nz, size_t slab, bool backwards)
{
    resample_t *r = resample_begin(v, nx, ny, nz, NULL);
    size_t n = (v->nz + slab - 1) / slab;
    for (size_t i = 0; i < n; i++) {
        size_t z = (backwards ? n - 1 - i : i) * slab, many = v->nz - z < slab ? v->nz - z : slab;
        assert_null(resample_end(r, NULL));
        assert_int_equal(resample_slab(r, z, many, v->data + z * v->nx * v->ny, NULL), 0);
    }
    vol_t *w = resample_end(r, NULL);
    resample_free(r);
    assert_non_null(w);
    return w;
}

/* A part where it lies, and copied. */
static void part_of_a_volume(void **state)
{
    (void)state;
    vol_t *v = noise(41, 37, 20, 3), *part = vol_new(20, 31, 11, 1, NULL);
    const float *at = v->data + vol_idx(v, 5, 3, 7);
    for (size_t z = 0; z < part->nz; z++)
        for (size_t y = 0; y < part->ny; y++) memcpy(part->data + vol_idx(part, 0, y, z), at + (z * v->ny + y) * v->nx, part->nx * sizeof *at);
    vol_t *want = resample_box(part, 13, 16, 6, NULL);
    resample_t *r = resample_begin(part, 13, 16, 6, NULL);
    assert_int_equal(resample_part(r, 0, 4, at, v->nx, v->nx * v->ny, NULL), 0);
    assert_int_equal(resample_part(r, 4, 7, at + 4 * v->nx * v->ny, v->nx, v->nx * v->ny, NULL), 0);
    vol_t *got = resample_end(r, NULL);
    assert_memory_equal(got->data, want->data, vol_len(want) * sizeof *want->data);
    resample_free(r);
    vol_free(v);
    vol_free(part);
    vol_free(want);
    vol_free(got);
}

static void same_bytes_for_slabs_and_threads(void **state)
{
    (void)state;
    static const size_t box[][6] = {{70, 75, 40, 24, 20, 16}, {70, 75, 41, 68, 73, 33}, {20, 20, 20, 30, 31, 32}};
    for (size_t i = 0; i < 3; i++) {
        const size_t *b = box[i];
        vol_t *v = noise(b[0], b[1], b[2], i);
        threads_set(1);
        vol_t *one = resample_box(v, b[3], b[4], b[5], NULL);
        for (int t = 1; t <= 4; t++)
            for (size_t slab = 1; slab <= 41; slab = slab * 2 + 1) {
                threads_set(t);
                vol_t *w = by_slabs(v, b[3], b[4], b[5], slab, t % 2);
                assert_memory_equal(one->data, w->data, vol_len(w) * sizeof *w->data);
                assert_memory_equal(one->voxel, w->voxel, sizeof w->voxel);
                vol_free(w);
            }
        vol_free(v);
        vol_free(one);
    }
}

typedef struct {
    const vol_t *v;
    size_t bad; /* plane that cannot be read; nz: none */
} source_t;

static int give(void *ctx, size_t z0, size_t nz, float *planes, err_t *err)
{
    const source_t *s = ctx;
    if (z0 <= s->bad && s->bad < z0 + nz) return err_set(err, ERR_IO, "plane %zu", s->bad);
    memcpy(planes, s->v->data + z0 * s->v->nx * s->v->ny, nz * s->v->nx * s->v->ny * sizeof *planes);
    return 0;
}

static void from_a_source(void **state)
{
    (void)state;
    vol_t *v = noise(30, 28, 26, 3), *w = resample_box(v, 12, 10, 8, NULL);
    for (int t = 1; t <= 3; t++) {
        threads_set(t);
        source_t s = {v, v->nz};
        resample_t *r = resample_begin(v, 12, 10, 8, NULL);
        assert_int_equal(resample_from(r, give, &s, NULL), 0);
        assert_int_equal(resample_from(r, give, &s, NULL), -1);
        vol_t *x = resample_end(r, NULL);
        assert_memory_equal(w->data, x->data, vol_len(w) * sizeof *w->data);
        vol_free(x);
        resample_free(r);
        s.bad = 17;
        err_t e = {0};
        r = resample_begin(v, 12, 10, 8, NULL);
        assert_int_equal(resample_from(r, give, &s, &e), -1);
        assert_int_equal(e.code, ERR_IO);
        assert_string_equal(e.msg, "plane 17");
        assert_null(resample_end(r, NULL));
        resample_free(r);
    }
    vol_free(v);
    vol_free(w);
}

static void slabs_are_checked(void **state)
{
    (void)state;
    vol_t *v = noise(6, 6, 6, 1);
    resample_t *r = resample_begin(v, 4, 4, 4, NULL);
    static const struct {
        size_t z0, nz;
        errcode_t code;
    } rows[] = {{0, 2, ERR_OK}, {1, 2, ERR_USAGE}, {6, 1, ERR_USAGE}, {5, 2, ERR_USAGE}, {7, 0, ERR_USAGE},
                {SIZE_MAX, 2, ERR_USAGE}, {2, SIZE_MAX, ERR_USAGE}, {6, 0, ERR_OK}, {2, 4, ERR_OK}, {0, 1, ERR_USAGE}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        err_t e = {0};
        resample_slab(r, rows[i].z0, rows[i].nz, v->data, &e);
        assert_int_equal(e.code, rows[i].code);
    }
    vol_t *w = resample_end(r, NULL);
    assert_non_null(w);
    vol_free(w);
    resample_free(r);
    static const size_t bad[][3] = {{0, 4, 4}, {4, VOL_SIDE_MAX + 1, 4}, {4, 4, 0}};
    for (size_t i = 0; i < 3; i++) {
        err_t e = {0};
        assert_null(resample_box(v, bad[i][0], bad[i][1], bad[i][2], &e));
        assert_int_equal(e.code, ERR_RANGE);
    }
    vol_free(v);
}

static void new_voxel_size(void **state)
{
    (void)state;
    vol_t *v = noise(10, 12, 9, 1); /* 11 x 10.8 x 18 angstrom */
    size_t m[3];
    assert_int_equal(resample_sides(v, 1.8, m, NULL), 0);
    assert_true(m[0] == 6 && m[1] == 6 && m[2] == 10);
    vol_t *w = resample_apix(v, 1.8, NULL);
    assert_close(w->voxel[0], 11.0 / 6, 1e-12);
    assert_close(w->voxel[1], 1.8, 1e-12);
    assert_int_equal(w->nz, 10);
    vol_free(w);
    assert_int_equal(resample_sides(v, 1000, m, NULL), 0);
    assert_true(m[0] == 2 && m[1] == 2 && m[2] == 2);
    static const double bad[] = {0, -1, NAN, INFINITY, 1e-4};
    for (size_t i = 0; i < 5; i++) {
        err_t e = {0};
        assert_null(resample_apix(v, bad[i], &e));
        assert_int_equal(e.code, ERR_RANGE);
    }
    vol_free(v);
    v = noise(8, 8, 1, 1); /* a single plane stays one */
    assert_int_equal(resample_sides(v, 0.3, m, NULL), 0);
    assert_int_equal(m[2], 1);
    vol_free(v);
}

/* Every voxel that remains keeps its place in space; the centre goes to the centre. */
static void window_around_the_centre(void **state)
{
    (void)state;
    static const size_t box[][3] = {{4, 4, 4}, {5, 5, 5}, {12, 13, 14}, {3, 20, 6}, {8, 7, 6}, {1, 1, 1}};
    vol_t *v = noise(8, 7, 6, 2);
    for (size_t i = 0; i < 6; i++) {
        vol_t *w = resample_window(v, box[i][0], box[i][1], box[i][2], -5, NULL);
        size_t found = 0;
        for (size_t z = 0; z < w->nz; z++)
            for (size_t y = 0; y < w->ny; y++)
                for (size_t x = 0; x < w->nx; x++) {
                    double o[3] = {(double)x, (double)y, (double)z};
                    for (int a = 0; a < 3; a++) o[a] = round((w->origin[a] + o[a] * w->voxel[a] - v->origin[a]) / v->voxel[a]);
                    bool in = o[0] >= 0 && o[0] < 8 && o[1] >= 0 && o[1] < 7 && o[2] >= 0 && o[2] < 6;
                    float want = in ? v->data[vol_idx(v, (size_t)o[0], (size_t)o[1], (size_t)o[2])] : -5;
                    assert_true(w->data[vol_idx(w, x, y, z)] == want);
                    found += in;
                }
        size_t each[3] = {8, 7, 6}, want = 1;
        for (int a = 0; a < 3; a++) want *= box[i][a] < each[a] ? box[i][a] : each[a];
        assert_int_equal(found, want);
        assert_true(w->data[vol_idx(w, w->nx / 2, w->ny / 2, w->nz / 2)] == v->data[vol_idx(v, 4, 3, 3)]);
        vol_free(w);
    }
    vol_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variants_are_the_reference),
        cmocka_unit_test(lines_are_the_matrix), cmocka_unit_test(pruned_is_reference),
        cmocka_unit_test(waves_stay_in_place),  cmocka_unit_test(nyquist),
        cmocka_unit_test(up_and_down),          cmocka_unit_test(same_bytes_for_slabs_and_threads),
        cmocka_unit_test(slabs_are_checked),    cmocka_unit_test(part_of_a_volume),     cmocka_unit_test(from_a_source),
           cmocka_unit_test(new_voxel_size),
        cmocka_unit_test(window_around_the_centre),
    };
    return cmocka_run_group_tests_name("resample", tests, NULL, NULL);
}

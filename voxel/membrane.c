/* membrane: a slab of hydrophobic surface (see membrane.h). */
#include "voxel/membrane.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/mem.h"

enum { DIRECTIONS = 400, STEPS = 4, AROUND = 6 };  /* first grid; rounds of refinement, neighbours tried in each */
static const double SPHERE = 13;                   /* radius of the half sphere, angstrom */
static const int EXPOSED = 9;                      /* most CA atoms in it */
static const int THIN = 20, THICK = 36;            /* slab, angstrom */
static const double SUM = 12, MEAN = 0.22;         /* of the weights, for a membrane */

/* An exposed residue. */
typedef struct {
    float p[3];
    float weight;
    bool oily;
} face_t;

/* CA atoms in a grid of cells of one sphere radius: those of cell c are list[start[c]] to list[start[c + 1]]. */
typedef struct {
    double lo[3], edge;
    size_t side[3], *start, *list;
} cells_t;

/* Weight of a residue that faces the slab: positive in lipid, negative in water. */
static float weight_of(const char name[4], bool *oily)
{
    static const struct {
        char name[4];
        float weight;
    } table[] = {{"ILE", 1.0f}, {"LEU", 1.0f}, {"PHE", 1.0f}, {"VAL", 0.9f}, {"MET", 0.7f}, {"TRP", 0.6f}, {"ALA", 0.4f}, {"CYS", 0.4f},
                 {"GLY", 0.2f}, {"TYR", 0.1f}, {"THR", 0}, {"SER", -0.2f}, {"PRO", -0.3f}, {"HIS", -0.7f}, {"GLN", -1.0f},
                 {"ASN", -1.0f}, {"GLU", -1.5f}, {"ASP", -1.5f}, {"LYS", -1.5f}, {"ARG", -1.3f}};
    *oily = false;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (!strncmp(table[i].name, name, 4)) {
            *oily = table[i].weight >= 0.4f;
            return table[i].weight;
        }
    return 0;
}

static bool is_ca(const atom_t *a) { return a->kind == KIND_PROTEIN && !memcmp(a->name, "CA\0", 4) && isfinite(a->x + a->y + a->z); }

static size_t cell_of(const cells_t *c, const atom_t *a)
{
    const double p[3] = {(double)a->x, (double)a->y, (double)a->z};
    size_t at = 0;
    for (int d = 3; d-- > 0;) at = at * c->side[d] + (size_t)((p[d] - c->lo[d]) / c->edge);
    return at;
}

static int cells_make(const atom_t *const *ca, size_t n, cells_t *c, err_t *err)
{
    double hi[3], cells;
    *c = (cells_t){.edge = SPHERE};
    for (int d = 0; d < 3; d++) {
        c->lo[d] = INFINITY;
        hi[d] = -INFINITY;
    }
    for (size_t i = 0; i < n; i++) {
        const double p[3] = {(double)ca[i]->x, (double)ca[i]->y, (double)ca[i]->z};
        for (int d = 0; d < 3; d++) {
            c->lo[d] = fmin(c->lo[d], p[d]);
            hi[d] = fmax(hi[d], p[d]);
        }
    }
    for (;; c->edge *= 2) { /* a box of far-flung atoms gets wider cells */
        cells = 1;
        for (int d = 0; d < 3; d++) cells *= floor((hi[d] - c->lo[d]) / c->edge) + 1;
        if (cells <= 8 * (double)n + 64) break;
    }
    for (int d = 0; d < 3; d++) c->side[d] = (size_t)((hi[d] - c->lo[d]) / c->edge) + 1;
    size_t count = c->side[0] * c->side[1] * c->side[2];
    c->start = mem_zero(count + 1, sizeof *c->start, err);
    c->list = mem_new(n, sizeof *c->list, err);
    if (!c->start || !c->list) return -1;
    for (size_t i = 0; i < n; i++) c->start[cell_of(c, ca[i]) + 1]++;
    for (size_t k = 0; k < count; k++) c->start[k + 1] += c->start[k];
    for (size_t i = n; i-- > 0;) c->list[--c->start[cell_of(c, ca[i]) + 1]] = i;
    /* Filling backwards has moved each end to its own start: start[k + 1] is now the start of k. */
    memmove(c->start, c->start + 1, count * sizeof *c->start);
    c->start[count] = n;
    return 0;
}

/* Where the side chain of ca[i] points, from its neighbours along the chain; false at a break. */
static bool outward(const atom_t *const *ca, size_t n, size_t i, double u[3])
{
    if (!i || i + 1 >= n) return false;
    const atom_t *a = ca[i - 1], *b = ca[i], *c = ca[i + 1];
    if (a->chain != b->chain || c->chain != b->chain) return false;
    const double p[3][3] = {{(double)a->x, (double)a->y, (double)a->z}, {(double)b->x, (double)b->y, (double)b->z},
                            {(double)c->x, (double)c->y, (double)c->z}};
    double ab = 0, bc = 0, len = 0;
    for (int d = 0; d < 3; d++) {
        ab += (p[1][d] - p[0][d]) * (p[1][d] - p[0][d]);
        bc += (p[2][d] - p[1][d]) * (p[2][d] - p[1][d]);
        u[d] = 2 * p[1][d] - p[0][d] - p[2][d];
        len += u[d] * u[d];
    }
    if (!(ab < 20 && bc < 20 && len > 0.01)) return false;
    for (int d = 0; d < 3; d++) u[d] /= sqrt(len);
    return true;
}

/* Number of CA atoms in the half sphere about ca[i] towards u. */
static int crowd(const atom_t *const *ca, const cells_t *c, size_t i, const double u[3])
{
    const double p[3] = {(double)ca[i]->x, (double)ca[i]->y, (double)ca[i]->z};
    size_t lo[3], hi[3];
    int n = 0;
    for (int d = 0; d < 3; d++) {
        double a = floor((p[d] - SPHERE - c->lo[d]) / c->edge), b = floor((p[d] + SPHERE - c->lo[d]) / c->edge);
        lo[d] = a > 0 ? (size_t)a : 0;
        hi[d] = b < (double)c->side[d] - 1 ? (size_t)b : c->side[d] - 1;
    }
    for (size_t z = lo[2]; z <= hi[2]; z++)
        for (size_t y = lo[1]; y <= hi[1]; y++) {
            size_t row = (z * c->side[1] + y) * c->side[0];
            for (size_t k = c->start[row + lo[0]]; k < c->start[row + hi[0] + 1]; k++) {
                const atom_t *o = ca[c->list[k]];
                const double v[3] = {(double)o->x - p[0], (double)o->y - p[1], (double)o->z - p[2]};
                n += v[0] * v[0] + v[1] * v[1] + v[2] * v[2] <= SPHERE * SPHERE && v[0] * u[0] + v[1] * u[1] + v[2] * u[2] > 0;
            }
        }
    return n;
}

/* The exposed residues; *n receives their number. NULL: ERR_NOMEM. */
static face_t *find_faces(const model_t *m, size_t *n, err_t *err)
{
    size_t k = 0;
    cells_t c = {0};
    const atom_t **ca = mem_new(m->n, sizeof *ca, err);
    face_t *f = NULL;
    *n = 0;
    if (!ca) return NULL;
    for (size_t i = 0; i < m->n; i++)
        if (is_ca(&m->atom[i])) ca[k++] = &m->atom[i];
    if (!(f = mem_new(k, sizeof *f, err)) || !k) goto done;
    if (cells_make(ca, k, &c, err)) {
        mem_free(f);
        f = NULL;
        goto done;
    }
    for (size_t i = 0; i < k; i++) {
        double u[3];
        if (!outward(ca, k, i, u) || crowd(ca, &c, i, u) > EXPOSED) continue;
        face_t *x = &f[(*n)++];
        *x = (face_t){.p = {ca[i]->x, ca[i]->y, ca[i]->z}};
        x->weight = weight_of(ca[i]->resname, &x->oily);
    }
done:
    mem_free(c.start);
    mem_free(c.list);
    mem_free(ca);
    return f;
}

/* Weights along one direction in bins of an angstrom, summed from the first: bins + 1 places. */
typedef struct {
    size_t bins;
    double lo, *sum;
} ramp_t;

typedef struct {
    double normal[3], offset, half, sum;
} slab_t;

/* Best slab across direction u; s->sum is kept where none is better. */
static void try_direction(const face_t *f, size_t n, const double u[3], ramp_t *r, slab_t *s)
{
    memset(r->sum, 0, (r->bins + 1) * sizeof *r->sum);
    for (size_t i = 0; i < n; i++) {
        double t = u[0] * (double)f[i].p[0] + u[1] * (double)f[i].p[1] + u[2] * (double)f[i].p[2] - r->lo;
        size_t b = t < 0 ? 0 : t < (double)r->bins ? (size_t)t : r->bins - 1;
        r->sum[b + 1] += (double)f[i].weight;
    }
    for (size_t b = 0; b < r->bins; b++) r->sum[b + 1] += r->sum[b];
    for (int t = THIN; t <= THICK; t += 2)
        for (size_t b = 0; b + (size_t)t <= r->bins; b++) {
            double sum = r->sum[b + (size_t)t] - r->sum[b];
            if (sum <= s->sum) continue;
            *s = (slab_t){{u[0], u[1], u[2]}, r->lo + (double)b + 0.5 * t, 0.5 * t, sum};
        }
}

/* k-th of n points on the upper half sphere (Fibonacci). */
static void direction(int k, int n, double u[3])
{
    double z = ((double)k + 0.5) / n, r = sqrt(1 - z * z), a = 2.399963229728653 * k;
    u[0] = r * cos(a);
    u[1] = r * sin(a);
    u[2] = z;
}

/* A direction `tilt` radians away from u, the k-th of AROUND. */
static void lean(const double u[3], double tilt, int k, double out[3])
{
    int a = fabs(u[0]) < 0.6 ? 0 : 1;
    double e[3] = {0}, v[3], w[3], len = 0, t = 6.283185307179586 * k / AROUND;
    e[a] = 1;
    for (int d = 0; d < 3; d++) v[d] = u[(d + 1) % 3] * e[(d + 2) % 3] - u[(d + 2) % 3] * e[(d + 1) % 3];
    for (int d = 0; d < 3; d++) len += v[d] * v[d];
    for (int d = 0; d < 3; d++) v[d] /= sqrt(len);
    for (int d = 0; d < 3; d++) w[d] = u[(d + 1) % 3] * v[(d + 2) % 3] - u[(d + 2) % 3] * v[(d + 1) % 3];
    for (int d = 0; d < 3; d++) out[d] = cos(tilt) * u[d] + sin(tilt) * (cos(t) * v[d] + sin(t) * w[d]);
}

/* All directions. 0, or -1: ERR_NOMEM. */
static int search(face_t *f, size_t n, const double centre[3], slab_t *s, err_t *err)
{
    double far = 0, u[3], tilt = 0.08;
    for (size_t i = 0; i < n; i++) {
        double d = 0;
        for (int k = 0; k < 3; k++) d += (double)f[i].p[k] * (double)f[i].p[k];
        far = fmax(far, sqrt(d));
    }
    ramp_t r = {.bins = (size_t)fmin(2 * ceil(far) + 2 * THICK, 1e5)};
    r.lo = -0.5 * (double)r.bins;
    if (!(r.sum = mem_new(r.bins + 1, sizeof *r.sum, err))) return -1;
    *s = (slab_t){0};
    for (int k = 0; k < DIRECTIONS; k++) {
        direction(k, DIRECTIONS, u);
        try_direction(f, n, u, &r, s);
    }
    for (int step = 0; step < STEPS && s->sum > 0; step++, tilt *= 0.5) {
        slab_t from = *s;
        for (int k = 0; k < AROUND; k++) {
            lean(from.normal, tilt, k, u);
            try_direction(f, n, u, &r, s);
        }
    }
    mem_free(r.sum);
    for (int k = 0; k < 3; k++) s->offset += s->normal[k] * centre[k];
    return 0;
}

int membrane_find(const model_t *m, membrane_t *out, err_t *err)
{
    size_t n, count[2] = {0}, oily[2] = {0};
    double centre[3] = {0}, mean = 0;
    slab_t s;
    *out = (membrane_t){.normal = {0, 0, 1}};
    face_t *f = find_faces(m, &n, err);
    if (!f) return -1;
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < 3; k++) centre[k] += (double)f[i].p[k] / (double)n;
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < 3; k++) f[i].p[k] -= (float)centre[k];
    int rc = n ? search(f, n, centre, &s, err) : 0;
    if (n && !rc && s.sum > 0) {
        double mid = s.offset;
        for (int k = 0; k < 3; k++) mid -= s.normal[k] * centre[k];
        for (size_t i = 0; i < n; i++) {
            double t = s.normal[0] * (double)f[i].p[0] + s.normal[1] * (double)f[i].p[1] + s.normal[2] * (double)f[i].p[2];
            int outside = fabs(t - mid) > s.half;
            count[outside]++;
            oily[outside] += f[i].oily;
            if (!outside) mean += (double)f[i].weight;
        }
        mean /= fmax(1, (double)count[0]);
        double in = (double)oily[0] / fmax(1, (double)count[0]), away = (double)oily[1] / fmax(1, (double)count[1]);
        out->score = (float)(in - (count[1] ? away : 0));
        out->offset = (float)s.offset;
        out->half = s.sum >= SUM && mean >= MEAN ? (float)s.half : 0;
        for (int k = 0; k < 3; k++) out->normal[k] = (float)s.normal[k];
    }
    mem_free(f);
    return rc;
}

/* trace: Gaussians that stand for the residues of a CA or P trace (see trace.h). Weights, offsets and variances are means over full-atom
 * entries, made by tests/parity/trace_table.py. */
#include "voxel/trace.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

typedef struct {
    double weight, off[3], var; /* off in the frame (u, t, u x t) of the three trace atoms */
} part_t;

typedef struct {
    const char *name; /* "": any other of its kind */
    int kind, copies;
    double weight, var; /* the whole residue about CA or P */
    part_t part[TRACE_PARTS];
} shape_t;

static const shape_t shapes[] = {
#include "voxel/trace_table.h"
};

static const shape_t *shape_of(const atom_t *a)
{
    const shape_t *any = NULL;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const shape_t *s = &shapes[i];
        if (s->kind != a->kind) continue;
        if (!*s->name) any = s;
        else if (!strncmp(s->name, a->resname, sizeof a->resname)) return s;
    }
    return any;
}

static bool is_polymer(const atom_t *a) { return a->kind == KIND_PROTEIN || a->kind == KIND_NUCLEIC; }

/* Atom i is the one atom, CA or P, of its residue. */
static bool stands_alone(const model_t *m, size_t i)
{
    const atom_t *a = &m->atom[i];
    if (!is_polymer(a) || (i && a[-1].residue == a->residue) || (i + 1 < m->n && a[1].residue == a->residue)) return false;
    return !memcmp(a->name, a->kind == KIND_PROTEIN ? "CA\0" : "P\0\0", 4);
}

/* One past the last atom of the chain of atom i; *trace: most of its polymer residues have one atom. */
static size_t chain_end(const model_t *m, size_t i, bool *trace)
{
    size_t all = 0, single = 0, end = i;
    for (; end < m->n && m->atom[end].chain == m->atom[i].chain; end++) {
        if (is_polymer(&m->atom[end]) && (end == i || m->atom[end].residue != m->atom[end - 1].residue)) all++;
        single += stands_alone(m, end);
    }
    *trace = 2 * single > all;
    return end;
}

/* The vector from a to b divided by its length; false when they are no neighbours along a chain. */
static bool step(const atom_t *a, const atom_t *b, double u[3])
{
    if (a->kind != b->kind || a->chain != b->chain) return false;
    u[0] = (double)b->x - (double)a->x;
    u[1] = (double)b->y - (double)a->y;
    u[2] = (double)b->z - (double)a->z;
    double d = sqrt(u[0] * u[0] + u[1] * u[1] + u[2] * u[2]);
    for (int k = 0; k < 3; k++) u[k] /= d;
    return d > 1 && d < (a->kind == KIND_PROTEIN ? 4.3 : 8.0);
}

static bool unit(double v[3])
{
    double d = sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
    for (int k = 0; k < 3; k++) v[k] /= d;
    return d >= 0.1;
}

/* Frame f at b: u points away from both neighbours, t along the chain, and u x t. */
static bool frame_at(const atom_t *a, const atom_t *b, const atom_t *c, double f[3][3])
{
    double p[3], q[3];
    if (!step(a, b, p) || !step(b, c, q)) return false;
    for (int k = 0; k < 3; k++) {
        f[0][k] = p[k] - q[k];
        f[1][k] = p[k] + q[k];
    }
    if (!unit(f[0]) || !unit(f[1])) return false;
    for (int k = 0; k < 3; k++) f[2][k] = f[0][(k + 1) % 3] * f[1][(k + 2) % 3] - f[0][(k + 2) % 3] * f[1][(k + 1) % 3];
    return true;
}

static size_t put_residue(const model_t *m, size_t i, blob_t *out)
{
    const atom_t *a = &m->atom[i];
    const shape_t *s = shape_of(a);
    double f[3][3];
    size_t n = 0;
    if (i == 0 || i + 1 >= m->n || !stands_alone(m, i - 1) || !stands_alone(m, i + 1) || !frame_at(a - 1, a, a + 1, f)) {
        *out = (blob_t){a->x, a->y, a->z, (float)s->weight * a->occ, (float)s->var, 6, 0, a->chain};
        return 1;
    }
    for (int k = 0; k < TRACE_PARTS; k++) {
        const part_t *p = &s->part[k];
        if (!(p->weight > 0)) continue;
        double d[3];
        for (int x = 0; x < 3; x++) d[x] = p->off[0] * f[0][x] + p->off[1] * f[1][x] + p->off[2] * f[2][x];
        out[n++] = (blob_t){a->x + (float)d[0], a->y + (float)d[1], a->z + (float)d[2], (float)p->weight * a->occ,
                            (float)p->var, 6, 0, a->chain};
    }
    return n;
}

blob_t *trace_blobs(const model_t *m, size_t *n, err_t *err)
{
    blob_t *out = mem_new(m->n, TRACE_PARTS * sizeof *out, err);
    if (!out) return NULL;
    *n = 0;
    for (size_t i = 0, end; i < m->n; i = end) {
        bool trace;
        end = chain_end(m, i, &trace);
        for (size_t k = i; k < end; k++) {
            const atom_t *a = &m->atom[k];
            int element = a->element ? a->element : 6;
            if (!(a->occ > 0)) continue;
            if (trace && stands_alone(m, k)) *n += put_residue(m, k, out + *n);
            else out[(*n)++] = (blob_t){a->x, a->y, a->z, (float)element * a->occ, 0, element, a->b, a->chain};
        }
    }
    return out;
}

/* tubes: Catmull-Rom splines through CA and P atoms (see tubes.h). */
#include "voxel/tubes.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

enum { CARBON = 6, PHOSPHORUS = 15 };
static const double STEP = 0.5; /* angstrom */

/* The longest way to the next one, or 0 for an atom that no tube goes through. */
static double reach(const atom_t *a)
{
    if (a->kind == KIND_PROTEIN && a->element == CARBON && !strncmp(a->name, "CA", 4)) return TUBES_CA;
    if (a->kind == KIND_NUCLEIC && a->element == PHOSPHORUS && !strncmp(a->name, "P", 4)) return TUBES_P;
    return 0;
}

static double apart(const atom_t *a, const atom_t *b)
{
    double x = (double)(a->x - b->x), y = (double)(a->y - b->y), z = (double)(a->z - b->z);
    return sqrt(x * x + y * y + z * z);
}

static bool joined(const atom_t *a, const atom_t *b) { return a->chain == b->chain && a->kind == b->kind && apart(a, b) <= reach(a); }

typedef struct {
    tubeat_t *at;
    size_t n, cap;
} list_t;

static int put(list_t *l, double x, double y, double z, uint32_t chain, bool begins, err_t *err)
{
    if (mem_grow(&l->at, &l->cap, l->n + 1, sizeof *l->at, err)) return -1;
    l->at[l->n++] = (tubeat_t){{(float)x, (float)y, (float)z}, chain, begins};
    return 0;
}

/* From q[1] to q[2], without the first place. */
static int bend(list_t *l, const atom_t *const q[4], err_t *err)
{
    size_t steps = (size_t)ceil(apart(q[1], q[2]) / STEP);
    for (size_t k = 1; k <= steps; k++) {
        double t = (double)k / (double)steps, t2 = t * t, t3 = t2 * t, p[3];
        const double w[4] = {(-t3 + 2 * t2 - t) / 2, (3 * t3 - 5 * t2 + 2) / 2, (-3 * t3 + 4 * t2 + t) / 2, (t3 - t2) / 2};
        for (int d = 0; d < 3; d++) {
            p[d] = 0;
            for (int i = 0; i < 4; i++) p[d] += w[i] * (double)(d == 0 ? q[i]->x : d == 1 ? q[i]->y : q[i]->z);
        }
        if (put(l, p[0], p[1], p[2], q[1]->chain, false, err)) return -1;
    }
    return 0;
}

tubeat_t *tubes_of(const model_t *m, size_t *n, err_t *err)
{
    list_t l = {0};
    const atom_t **on = mem_new(m->n, sizeof *on, err);
    size_t k = 0;
    if (!on) return NULL;
    for (size_t i = 0; i < m->n; i++)
        if (reach(&m->atom[i]) > 0) on[k++] = &m->atom[i];
    int rc = mem_grow(&l.at, &l.cap, 1, sizeof *l.at, err);
    for (size_t i = 0; !rc && i < k; i++) {
        bool next = i + 1 < k && joined(on[i], on[i + 1]), before = i && joined(on[i - 1], on[i]);
        if (!before) rc = put(&l, (double)on[i]->x, (double)on[i]->y, (double)on[i]->z, on[i]->chain, true, err);
        if (rc || !next) continue;
        const atom_t *const q[4] = {before ? on[i - 1] : on[i], on[i], on[i + 1], i + 2 < k && joined(on[i + 1], on[i + 2]) ? on[i + 2] : on[i + 1]};
        rc = bend(&l, q, err);
    }
    mem_free(on);
    if (rc) {
        mem_free(l.at);
        return NULL;
    }
    *n = l.n;
    return l.at;
}

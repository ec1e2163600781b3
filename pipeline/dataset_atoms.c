/* dataset_atoms: atoms of many models in little memory (see dataset_atoms.h). */
#include "pipeline/dataset_atoms.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "pipeline/dataset.h"

enum { SLOTS = 4 * ATOMS_TYPES, STEPS_MAX = 32767, OCC_MAX = 65535 };
#define CENTRE_GRID 0.1 /* angstrom: coordinates of CA traces are multiples of it, and stay exact */

dataset_atoms_t *atoms_new(err_t *err)
{
    dataset_atoms_t *a = mem_zero(1, sizeof *a, err);
    if (!a) return NULL;
    for (int k = 0; k < 2; k++)
        if (!(a->slot[k] = mem_zero(SLOTS, sizeof **a->slot, err))) goto fail;
    size_t **const starts[] = {&a->at, &a->res_at, &a->chain_at, &a->occ_at};
    for (size_t k = 0; k < sizeof starts / sizeof *starts; k++)
        if (!(*starts[k] = mem_zero(1, sizeof **starts[k], err))) goto fail;
    return a;
fail:
    atoms_free(a);
    return NULL;
}

void atoms_free(dataset_atoms_t *a)
{
    if (!a) return;
    void *const owned[] = {a->at,   a->res_at, a->chain_at, a->occ_at,  a->centre, a->step,     a->trace,   a->xyz,    a->type,
                           a->res_n, a->res_type, a->chain_n, a->occ, a->atomtype, a->restype, a->slot[0], a->slot[1]};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) mem_free(owned[i]);
    mem_free(a);
}

/* ---- types ---- */

static size_t hash_of(uint64_t key)
{
    key *= 0x9e3779b97f4a7c15;
    return (size_t)(key >> 32) & (SLOTS - 1);
}

static uint64_t atom_key(const atomtype_t *t)
{
    uint64_t key = (uint64_t)t->element << 8 | t->kind;
    for (int i = 0; i < 4; i++) key = key << 8 | (unsigned char)t->name[i];
    return key;
}

static uint64_t res_key(const restype_t *t)
{
    uint64_t key = 0;
    for (int i = 0; i < 4; i++) key = key << 8 | (unsigned char)t->name[i];
    return key;
}

/* Row of the type of an atom, added where it is new; or -1. */
static long atom_type(dataset_atoms_t *a, const atom_t *x, err_t *err)
{
    atomtype_t t = {.element = x->element, .kind = x->kind};
    if (x->kind == KIND_PROTEIN || x->kind == KIND_NUCLEIC) memcpy(t.name, x->name, sizeof t.name);
    size_t i = hash_of(atom_key(&t));
    for (; a->slot[0][i]; i = (i + 1) & (SLOTS - 1))
        if (atom_key(&a->atomtype[a->slot[0][i] - 1]) == atom_key(&t)) return (long)a->slot[0][i] - 1;
    if (a->atomtypes == ATOMS_TYPES) return err_set(err, ERR_RANGE, "more than %d kinds of atom in one dataset", ATOMS_TYPES);
    if (mem_grow(&a->atomtype, &a->cap_atomtype, a->atomtypes + 1, sizeof t, err)) return -1;
    a->atomtype[a->atomtypes++] = t;
    a->slot[0][i] = (uint32_t)a->atomtypes;
    return (long)a->atomtypes - 1;
}

static long res_type(dataset_atoms_t *a, const atom_t *x, err_t *err)
{
    restype_t t;
    memcpy(t.name, x->resname, sizeof t.name);
    size_t i = hash_of(res_key(&t));
    for (; a->slot[1][i]; i = (i + 1) & (SLOTS - 1))
        if (res_key(&a->restype[a->slot[1][i] - 1]) == res_key(&t)) return (long)a->slot[1][i] - 1;
    if (a->restypes == ATOMS_TYPES) return err_set(err, ERR_RANGE, "more than %d names of residues in one dataset", ATOMS_TYPES);
    if (mem_grow(&a->restype, &a->cap_restype, a->restypes + 1, sizeof t, err)) return -1;
    a->restype[a->restypes++] = t;
    a->slot[1][i] = (uint32_t)a->restypes;
    return (long)a->restypes - 1;
}

/* ---- in ---- */

static double axis(const atom_t *x, int k) { return (double)(k == 0 ? x->x : k == 1 ? x->y : x->z); }

/* Centre (on a coarse grid) and step of a model's coordinates. */
static double frame_of(const model_t *m, double centre[3])
{
    double step = DATASET_STEP;
    for (int k = 0; k < 3; k++) {
        double lo = INFINITY, hi = -INFINITY;
        for (size_t i = 0; i < m->n; i++) {
            double x = axis(&m->atom[i], k);
            lo = fmin(lo, x);
            hi = fmax(hi, x);
        }
        centre[k] = (double)(float)(round((lo + hi) / 2 / CENTRE_GRID) * CENTRE_GRID);
        double half = fmax(hi - centre[k], centre[k] - lo);
        if (half / STEPS_MAX > step) step = half / STEPS_MAX;
    }
    return (double)nextafterf((float)step, step > DATASET_STEP ? INFINITY : (float)step);
}

static int make_room(dataset_atoms_t *a, const model_t *m, err_t *err)
{
    size_t n = a->n, atoms = a->at[n] + m->n, res = a->res_at[n] + m->n, chain = a->chain_at[n] + m->n, cap;
    const struct {
        void *p;
        size_t *cap, want, size;
    } part[] = {{&a->xyz, &a->cap_xyz, atoms, 3 * sizeof *a->xyz},       {&a->type, &a->cap_type, atoms, sizeof *a->type},
                {&a->res_n, &a->cap_res_n, res, sizeof *a->res_n},       {&a->res_type, &a->cap_res_type, res, sizeof *a->res_type},
                {&a->chain_n, &a->cap_chain, chain, sizeof *a->chain_n}, {&a->occ, &a->cap_occ, a->occ_at[n] + m->n, sizeof *a->occ}};
    for (size_t k = 0; k < sizeof part / sizeof *part; k++)
        if (mem_grow(part[k].p, part[k].cap, part[k].want, part[k].size, err)) return -1;
    if (n < a->cap) return 0;
    const struct {
        void *p;
        size_t size;
    } row[] = {{&a->at, sizeof *a->at},         {&a->res_at, sizeof *a->res_at}, {&a->chain_at, sizeof *a->chain_at},
               {&a->occ_at, sizeof *a->occ_at}, {&a->centre, 3 * sizeof *a->centre}, {&a->step, sizeof *a->step}, {&a->trace, 1}};
    size_t want = 2 * n + 64;
    for (size_t k = 0; k < sizeof row / sizeof *row; k++) {
        cap = n + 1; /* (n + 1) of the starts, n of the others; a little less than they have does no harm */
        if (k > 3) cap = n;
        if (mem_grow(row[k].p, &cap, want + 1, row[k].size, err)) return -1;
    }
    a->cap = want;
    return 0;
}

int atoms_add(dataset_atoms_t *a, const model_t *m, err_t *err)
{
    double centre[3];
    if (!m->n) return err_set(err, ERR_RANGE, "a model without atoms");
    if (make_room(a, m, err)) return -1;
    double step = frame_of(m, centre);
    size_t n = a->n, at = a->at[n], res = a->res_at[n], chain = a->chain_at[n], occ = a->occ_at[n];
    bool whole = true;
    for (size_t i = 0; i < m->n; i++, at++) {
        const atom_t *x = &m->atom[i];
        bool new_chain = !i || x->chain != x[-1].chain, new_res = new_chain || x->residue != x[-1].residue;
        long type = atom_type(a, x, err), rtype = new_res ? res_type(a, x, err) : 0;
        if (type < 0 || rtype < 0) return -1;
        a->type[at] = (uint16_t)type;
        for (int k = 0; k < 3; k++) a->xyz[3 * at + (size_t)k] = (int16_t)lround((axis(x, k) - centre[k]) / step);
        if (new_chain) a->chain_n[chain++] = 0;
        if (new_res) {
            a->chain_n[chain - 1]++;
            a->res_type[res] = (uint16_t)rtype;
            a->res_n[res++] = 0;
        }
        if (++a->res_n[res - 1] == 0) return err_set(err, ERR_RANGE, "a residue of more than 65535 atoms");
        a->occ[occ + i] = (uint16_t)fmin(round((double)x->occ * 100), OCC_MAX);
        if (a->occ[occ + i] != 100) whole = false;
    }
    a->at[n + 1] = at;
    a->res_at[n + 1] = res;
    a->chain_at[n + 1] = chain;
    a->occ_at[n + 1] = whole ? occ : occ + m->n;
    for (int k = 0; k < 3; k++) a->centre[3 * n + (size_t)k] = (float)centre[k];
    a->step[n] = (float)step;
    a->trace[n] = m->trace != 0;
    a->n++;
    return 0;
}

/* ---- out ---- */

size_t dataset_atom_count(const dataset_t *d, size_t i) { return d->atoms->at[i + 1] - d->atoms->at[i]; }

static float place(const dataset_atoms_t *a, size_t e, size_t at, size_t k)
{
    return (float)((double)a->centre[3 * e + k] + (double)a->step[e] * a->xyz[3 * at + k]);
}

static void put_atoms(const dataset_atoms_t *a, size_t e, model_t *m)
{
    size_t at = a->at[e], res = a->res_at[e], occ = a->occ_at[e];
    bool whole = a->occ_at[e + 1] == occ;
    atom_t *x = m->atom;
    for (size_t c = 0, r = 0; c < m->nchain; c++)
        for (size_t k = 0; k < a->chain_n[a->chain_at[e] + c]; k++, r++)
            for (size_t j = 0; j < a->res_n[res + r]; j++, x++, at++) {
                const atomtype_t *t = &a->atomtype[a->type[at]];
                *x = (atom_t){.occ = whole ? 1 : (float)a->occ[occ + (size_t)(x - m->atom)] / 100,
                              .residue = (uint32_t)r,
                              .chain = (uint16_t)c,
                              .element = t->element,
                              .kind = t->kind};
                x->x = place(a, e, at, 0);
                x->y = place(a, e, at, 1);
                x->z = place(a, e, at, 2);
                memcpy(x->name, t->name, sizeof x->name);
                memcpy(x->resname, a->restype[a->res_type[res + r]].name, sizeof x->resname);
            }
}

static int empty_strings(model_t *m, err_t *err)
{
    modelfacts_t *f = &m->facts;
    char **const all[] = {&m->assembly,  &f->id,        &f->title, &f->method, &f->keywords,
                          &f->molecules, &f->organisms, &f->ec,    &f->uniprot};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        if (!(*all[k] = mem_str("", err))) return -1;
    return 0;
}

model_t *dataset_model(const dataset_t *d, size_t i, err_t *err)
{
    const dataset_atoms_t *a = d->atoms;
    model_t *m = mem_zero(1, sizeof *m, err);
    if (!m) return NULL;
    m->n = a->at[i + 1] - a->at[i];
    m->nres = a->res_at[i + 1] - a->res_at[i];
    m->nchain = a->chain_at[i + 1] - a->chain_at[i];
    m->trace = a->trace[i];
    if (!(m->atom = mem_new(m->n, sizeof *m->atom, err)) || empty_strings(m, err)) {
        model_free(m);
        return NULL;
    }
    put_atoms(a, i, m);
    return m;
}

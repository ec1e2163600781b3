/* build: from what the file says to the model that pdb_read promises (see raw.h, pdb.h). */
#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "pdb/pdb.h"
#include "pdb/raw.h"

enum { ALT_MAX = 4096 }; /* atoms with alternate locations in one residue */

/* The deposited model: the kept atoms of each kept residue, in the order of the finished model. */
typedef struct {
    size_t *start;  /* start[i] .. start[i+1]-1: atoms of residue i in `atom` */
    uint32_t *atom; /* indices into raw->atom, by residue */
    uint32_t *res;  /* residues by chain, indices into raw->res; only those with atoms left */
    size_t nres, natom;
    uint8_t *kind; /* entkind_t of raw->res[i] */
} order_t;

static void order_free(order_t *o)
{
    mem_free(o->start);
    mem_free(o->atom);
    mem_free(o->res);
    mem_free(o->kind);
}

static int group_atoms(const raw_t *r, order_t *o, err_t *err)
{
    o->start = mem_zero(r->nres + 2, sizeof *o->start, err);
    o->atom = mem_new(r->natom, sizeof *o->atom, err);
    o->kind = mem_zero(r->nres, 1, err);
    o->res = mem_new(r->nres, sizeof *o->res, err);
    if (!o->start || !o->atom || !o->kind || !o->res) return -1;
    size_t *fill = o->start + 1; /* after filling, fill[i-1] has become start[i] */
    for (size_t i = 0; i < r->natom; i++) fill[r->atom[i].res + 1]++;
    for (size_t i = 0; i < r->nres; i++) fill[i + 1] += fill[i];
    for (size_t i = 0; i < r->natom; i++) o->atom[fill[r->atom[i].res]++] = (uint32_t)i;
    return 0;
}

/* ---- what is kept ---- */

/* Remove, in place, hydrogens and all but the best of alternate locations. Returns the atoms left. */
static size_t choose_atoms(const raw_t *r, uint32_t *list, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        const rawatom_t *a = &r->atom[list[i]];
        if (a->element == 1) continue;
        size_t j = kept;
        if (a->alt)
            for (j = 0; j < kept; j++) {
                const rawatom_t *b = &r->atom[list[j]];
                if (b->alt && b->alt != a->alt && !memcmp(a->name, b->name, sizeof a->name)) break;
            }
        if (j == kept) list[kept++] = list[i];
        else if (a->occ > r->atom[list[j]].occ) list[j] = list[i];
    }
    return kept;
}

/* Best occupancy of a residue whose every atom is an alternate location; -1 for any other residue. */
static float alt_occupancy(const raw_t *r, const order_t *o, size_t res)
{
    float best = -1;
    for (size_t i = o->start[res]; i < o->start[res + 1]; i++) {
        const rawatom_t *a = &r->atom[o->atom[i]];
        if (!a->alt) return -1;
        if (a->occ > best) best = a->occ;
    }
    return best;
}

static bool same_place(const rawres_t *a, const rawres_t *b)
{
    return a->chain == b->chain && a->key == b->key && a->seq == b->seq && a->icode == b->icode;
}

/* Of neighbouring residues at one place, all of them alternate locations, drop all but the best. */
static void choose_residues(const raw_t *r, const order_t *o, uint8_t *drop)
{
    for (size_t i = 1, best = 0; i < r->nres; i++) {
        float a = same_place(&r->res[best], &r->res[i]) ? alt_occupancy(r, o, best) : -1;
        float b = a < 0 ? -1 : alt_occupancy(r, o, i);
        if (b >= 0) drop[b > a ? best : i] = 1;
        if (b < 0 || b > a) best = i;
    }
}

static bool has_carbon(const raw_t *r, const order_t *o, size_t res, const char *name)
{
    char key[4] = {0};
    memcpy(key, name, strlen(name));
    for (size_t i = o->start[res]; i < o->start[res + 1]; i++) {
        const rawatom_t *a = &r->atom[o->atom[i]];
        if (!memcmp(a->name, key, 4) && (a->element == 6 || a->element == 0)) return true;
    }
    return false;
}

static bool has_phosphorus(const raw_t *r, const order_t *o, size_t res)
{
    for (size_t i = o->start[res]; i < o->start[res + 1]; i++) {
        const rawatom_t *a = &r->atom[o->atom[i]];
        if (a->element == 15 && !memcmp(a->name, "P\0\0", 4)) return true;
    }
    return false;
}

static entkind_t kind_of(const raw_t *r, const order_t *o, size_t res)
{
    const rawres_t *q = &r->res[res];
    bool free = q->ent == ENT_NONPOLYMER || q->ent == ENT_BRANCHED;
    if (q->cls == RES_WATER || q->ent == ENT_WATER) return KIND_WATER;
    if (q->cls == RES_SUGAR || q->ent == ENT_BRANCHED) return KIND_SUGAR;
    if (free) return KIND_LIGAND;
    if (q->cls == RES_AMINO) return KIND_PROTEIN;
    if (q->cls == RES_NUCLEIC) return KIND_NUCLEIC;
    /* An unknown name counts as polymer where the file says so or, failing that, as an ATOM record. */
    if (q->ent == ENT_POLYMER || (q->ent == ENT_UNKNOWN && !q->het && q->cls == RES_UNKNOWN)) {
        if (has_carbon(r, o, res, "CA")) return KIND_PROTEIN;
        if (has_phosphorus(r, o, res) || has_carbon(r, o, res, "C1'")) return KIND_NUCLEIC;
    }
    return KIND_LIGAND;
}

/* Stable sort of the residues that keep atoms, by chain. */
static int order_residues(const raw_t *r, order_t *o, const size_t *left, err_t *err)
{
    size_t *fill = mem_zero(r->nchain + 1, sizeof *fill, err);
    if (!fill) return -1;
    for (size_t i = 0; i < r->nres; i++)
        if (left[i]) fill[r->res[i].chain + 1]++, o->natom += left[i], o->nres++;
    for (size_t c = 0; c < r->nchain; c++) fill[c + 1] += fill[c];
    for (size_t i = 0; i < r->nres; i++)
        if (left[i]) o->res[fill[r->res[i].chain]++] = (uint32_t)i;
    mem_free(fill);
    return 0;
}

/* *left receives how many atoms residue i keeps, at the front of its range. */
static int choose(const raw_t *r, const char *name, order_t *o, size_t **left, err_t *err)
{
    uint8_t *drop = mem_zero(r->nres, 1, err);
    int rc = -1;
    *left = mem_zero(r->nres, sizeof **left, err);
    if (!drop || !*left || group_atoms(r, o, err)) goto done;
    choose_residues(r, o, drop);
    for (size_t i = 0; i < r->nres; i++) {
        size_t n = o->start[i + 1] - o->start[i], alts = 0;
        o->kind[i] = (uint8_t)kind_of(r, o, i);
        if (drop[i] || o->kind[i] == KIND_WATER) continue;
        for (size_t k = o->start[i]; k < o->start[i + 1]; k++) alts += r->atom[o->atom[k]].alt != 0;
        if (alts > ALT_MAX) {
            err_set(err, ERR_RANGE, "%s: %zu atoms with alternate locations in one residue (at most %d)", name, alts, ALT_MAX);
            goto done;
        }
        (*left)[i] = choose_atoms(r, o->atom + o->start[i], n);
    }
    rc = order_residues(r, o, *left, err);
done:
    mem_free(drop);
    return rc;
}

/* ---- copies ---- */

static const rawop_t identity = {{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}};

typedef struct {
    const raw_t *r;
    const order_t *o;
    const size_t *left;
    uint8_t *part; /* which parts the generator takes */
} source_t;

static void select_parts(const source_t *s, const rawgen_t *g)
{
    memset(s->part, g->all ? 1 : 0, s->r->nparts);
    for (size_t k = 0; k < g->nkey; k++) s->part[s->r->key[g->key0 + k]] = 1;
}

/* Atoms and chains that one copy of the selected parts takes. */
static void count_parts(const source_t *s, size_t *natom, size_t *nchain)
{
    size_t last = SIZE_MAX;
    *natom = *nchain = 0;
    for (size_t i = 0; i < s->o->nres; i++) {
        const rawres_t *q = &s->r->res[s->o->res[i]];
        if (!s->part[q->key]) continue;
        *natom += s->left[s->o->res[i]];
        *nchain += q->chain != last;
        last = q->chain;
    }
}

static void put_atom(model_t *m, const rawatom_t *a, const rawres_t *q, uint8_t kind, const rawop_t *op)
{
    atom_t *t = &m->atom[m->n++];
    float *xyz[3] = {&t->x, &t->y, &t->z};
    for (int k = 0; k < 3; k++)
        *xyz[k] = (float)(op->m[k][0] * a->x + op->m[k][1] * a->y + op->m[k][2] * a->z + op->m[k][3]);
    t->occ = a->occ;
    t->b = a->b;
    t->residue = (uint32_t)m->nres;
    t->chain = (uint16_t)(m->nchain - 1);
    t->element = a->element;
    t->kind = kind;
    memcpy(t->name, a->name, sizeof t->name);
    memcpy(t->resname, q->name, sizeof t->resname);
}

static void put_copy(model_t *m, const source_t *s, const rawop_t *op)
{
    size_t last = SIZE_MAX;
    for (size_t i = 0; i < s->o->nres; i++) {
        size_t res = s->o->res[i];
        const rawres_t *q = &s->r->res[res];
        if (!s->part[q->key]) continue;
        if (q->chain != last) m->nchain++;
        last = q->chain;
        for (size_t k = 0; k < s->left[res]; k++)
            put_atom(m, &s->r->atom[s->o->atom[s->o->start[res] + k]], q, s->o->kind[res], op);
        m->nres++;
    }
}

/* All generators of assembly `id`, or the deposited model (id < 0), into m. 0 or -1 with ERR_RANGE, ERR_NOMEM.
 * No atom at all is not an error here. */
static int put_all(model_t *m, const source_t *s, long id, const char *name, err_t *err)
{
    static const rawgen_t deposited = {.all = 1, .nop = 1};
    const rawgen_t *gen = id < 0 ? &deposited : s->r->gen;
    size_t ngen = id < 0 ? 1 : s->r->ngen, natom = 0, nchain = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t g = 0; g < ngen; g++) {
            if (id >= 0 && gen[g].assembly != (uint32_t)id) continue;
            size_t a, c;
            select_parts(s, &gen[g]);
            if (pass) {
                for (size_t k = 0; k < gen[g].nop; k++) put_copy(m, s, id < 0 ? &identity : &s->r->op[gen[g].op0 + k]);
                continue;
            }
            count_parts(s, &a, &c);
            /* Operators are at most a million and atoms a file's worth: no overflow. */
            natom += a * gen[g].nop;
            nchain += c * gen[g].nop;
            if (natom > PDB_ATOM_MAX)
                return err_set(err, ERR_RANGE, "%s: more than %zu atoms in the assembly", name, PDB_ATOM_MAX);
            if (nchain > UINT16_MAX) return err_set(err, ERR_RANGE, "%s: more than %d chains", name, UINT16_MAX);
        }
        if (!pass && !(m->atom = mem_zero(natom, sizeof *m->atom, err))) return -1;
    }
    return 0;
}

/* ---- which assembly ---- */

static bool contains(const char *text, const char *word)
{
    for (size_t n = strlen(word); text && *text; text++)
        if (!strncasecmp(text, word, n)) return true;
    return false;
}

static bool wants_assembly(const char *method)
{
    return !method || !*method || contains(method, "DIFFRACTION") || contains(method, "CRYSTALLOGRAPHY");
}

static long find_assembly(const raw_t *r, const char *id)
{
    for (size_t i = 0; i < r->nassembly; i++)
        if (!strcmp(r->assembly[i], id)) return (long)i;
    return -1;
}

static int not_listed(const raw_t *r, const char *name, const char *id, err_t *err)
{
    char list[256] = "";
    size_t n = 0;
    for (size_t i = 0; i < r->nassembly && n < sizeof list; i++)
        n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", i ? ", " : "", r->assembly[i]);
    return err_set(err, ERR_NOTFOUND, "%s: no assembly %s (listed: %s)", name, id, *list ? list : "none");
}

static int assemble(model_t *m, const source_t *s, const char *name, const char *wanted, notes_t *notes, err_t *err)
{
    long id = -1;
    if (!wanted) id = wants_assembly(s->r->facts.method) ? find_assembly(s->r, "1") : -1;
    else if (strcmp(wanted, "asu") && (id = find_assembly(s->r, wanted)) < 0) return not_listed(s->r, name, wanted, err);
    if (put_all(m, s, id, name, err)) return -1;
    if (!m->n && !wanted && id >= 0) {
        notes_add(notes, "assembly 1 holds none of the atoms; the deposited model is taken");
        mem_free(m->atom);
        id = -1;
        if (put_all(m, s, id, name, err)) return -1;
    }
    if (!m->n && id >= 0) return err_set(err, ERR_FORMAT, "%s: assembly %s holds none of the atoms", name, wanted);
    m->assembly = mem_str(id < 0 ? "" : s->r->assembly[id], err);
    return m->assembly ? 0 : -1;
}

/* ---- the rest ---- */

static int is_trace(const model_t *m)
{
    size_t single = 0, all = 0;
    for (size_t i = 0; i < m->n;) {
        size_t end = i + 1;
        while (end < m->n && m->atom[end].residue == m->atom[i].residue) end++;
        if (m->atom[i].kind == KIND_PROTEIN || m->atom[i].kind == KIND_NUCLEIC) {
            all++;
            single += end == i + 1;
        }
        i = end;
    }
    return 2 * single > all;
}

/* Length of the UTF-8 character at s, 0 when it is none (RFC 3629). */
static size_t utf8_len(const unsigned char *s)
{
    if (s[0] < 0x80) return 1;
    size_t n = s[0] >= 0xF0 && s[0] <= 0xF4 ? 4 : s[0] >= 0xE0 ? 3 : s[0] >= 0xC2 ? 2 : 0;
    if (s[0] > 0xF4) return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xC0) != 0x80) return 0;
    if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F) || (s[0] == 0xF0 && s[1] < 0x90) ||
        (s[0] == 0xF4 && s[1] > 0x8F))
        return 0;
    return n;
}

/* Bytes that are no UTF-8 become '?'; runs of white space and control characters one blank; ends are trimmed. */
static void clean(char *text)
{
    unsigned char *to = (unsigned char *)text;
    for (const unsigned char *s = to; *s;) {
        size_t n = utf8_len(s);
        if (n <= 1 && (*s <= ' ' || *s == 127)) {
            if (to > (unsigned char *)text && to[-1] != ' ') *to++ = ' ';
            s++;
        } else if (!n) {
            *to++ = '?';
            s++;
        } else
            while (n--) *to++ = *s++;
    }
    if (to > (unsigned char *)text && to[-1] == ' ') to--;
    *to = 0;
}

static int take_facts(model_t *m, const modelfacts_t *from, err_t *err)
{
    const char *in[] = {from->id, from->title, from->method, from->keywords, from->molecules, from->organisms, from->ec, from->uniprot};
    modelfacts_t *f = &m->facts;
    char **out[] = {&f->id, &f->title, &f->method, &f->keywords, &f->molecules, &f->organisms, &f->ec, &f->uniprot};
    for (size_t i = 0; i < sizeof in / sizeof *in; i++) {
        if (!(*out[i] = mem_str(in[i] ? in[i] : "", err))) return -1;
        clean(*out[i]);
    }
    for (char *p = f->id; *p; p++) *p = (char)tolower((unsigned char)*p);
    f->resolution = from->resolution;
    return 0;
}

model_t *raw_build(const raw_t *r, const char *name, const char *assembly, notes_t *notes, err_t *err)
{
    order_t o = {0};
    size_t *left = NULL;
    source_t s = {.r = r, .o = &o, .part = mem_zero(r->nparts, 1, err)};
    model_t *m = mem_zero(1, sizeof *m, err);
    int rc = -1;
    if (!m || !s.part || choose(r, name, &o, &left, err)) goto done;
    s.left = left;
    if (!o.natom) {
        err_set(err, ERR_FORMAT, "%s: no atoms (hydrogens and waters are left out)", name);
        goto done;
    }
    if (r->nmodel > 1 && !contains(r->facts.method, "NMR"))
        notes_add(notes, "%zu models; the first is taken", r->nmodel);
    if (assemble(m, &s, name, assembly, notes, err) || take_facts(m, &r->facts, err)) goto done;
    m->trace = is_trace(m);
    rc = 0;
done:
    order_free(&o);
    mem_free(left);
    mem_free(s.part);
    if (rc) model_free(m);
    return rc ? NULL : m;
}

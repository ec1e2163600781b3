/* dataset_h5: a dataset as an HDF5 file (see dataset.h).
 *
 * Attributes: format, format_version, program, seed; text_model, text_hash where captions are embedded.
 * Strings are of fixed length, UTF-8. A list NAME is NAME (rows of its vocabulary) and NAME_at (where each row begins).
 *   /id /pdb /split /group /span (n); /terms /pruned -> /term /term_name; /clusters -> /cluster; /uniprots -> /uniprot;
 *   /sequences -> /sequence; /families -> /family; /maps_pdb /maps_families /maps_clusters /maps_uniprots;
 *   /captions (all in one, UTF-8 bytes), /captions_at (n + 1), /caption_bytes_at (captions + 1), /text (captions, dim) float16;
 *   /atoms_at /residues_at /chains_at /occupancies_at (n + 1), /centre (n, 3), /step (n), /trace (n), /xyz (atoms, 3), /type (atoms),
 *   /residue_atoms /residue_type (residues), /chain_residues (chains), /occupancy, /type_element /type_kind /type_name,
 *   /residue_name: see dataset_atoms.h. */
#include <hdf5.h>
#include <inttypes.h>
#include <lzma.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "config.h"
#include "pipeline/dataset.h"
#include "pipeline/dataset_atoms.h"
#include "pipeline/h5.h"
#include "pipeline/h5read.h"

_Static_assert(sizeof(size_t) == sizeof(uint64_t), "starts of rows are stored as 64 bits");
_Static_assert(sizeof(membrane_t) == 6 * sizeof(float), "membrane_t is six numbers");
enum { SPAN = 6 };

#define AT(field) offsetof(dataset_t, field)

static const struct {
    const char *name;
    size_t at; /* of a vocab_t */
} vocab[] = {{"term", AT(term)}, {"cluster", AT(cluster)}, {"uniprot", AT(uniprot)}, {"sequence", AT(sequence)}, {"family", AT(family)}, {"maps_pdb", AT(maps.pdb)}};

static const struct {
    const char *name, *starts;
    size_t at, of, rows; /* of a lists_t, its vocab_t, and the number of rows */
} list[] = {
    {"terms", "terms_at", AT(terms), AT(term), AT(n)},
    {"pruned", "pruned_at", AT(pruned), AT(term), AT(n)},
    {"clusters", "clusters_at", AT(clusters), AT(cluster), AT(n)},
    {"uniprots", "uniprots_at", AT(uniprots), AT(uniprot), AT(n)},
    {"sequences", "sequences_at", AT(sequences), AT(sequence), AT(n)},
    {"families", "families_at", AT(families), AT(family), AT(n)},
    {"maps_clusters", "maps_clusters_at", AT(maps.clusters), AT(cluster), AT(maps.pdb.n)},
    {"maps_uniprots", "maps_uniprots_at", AT(maps.uniprots), AT(uniprot), AT(maps.pdb.n)},
    {"maps_families", "maps_families_at", AT(maps.families), AT(family), AT(maps.pdb.n)},
};
enum { VOCABS = sizeof vocab / sizeof *vocab, LISTS = sizeof list / sizeof *list };

/* Arrays of the atoms; how many rows by what starts them. */
typedef enum { U8, U16, I16, U32, U64, F32 } number_t;
static const size_t number_size[] = {1, 2, 2, 4, 8, 4};
enum { PER_ENTRY, PER_START, PER_ATOM, PER_RESIDUE, PER_CHAIN, PER_OCC };

#define IN(field) offsetof(dataset_atoms_t, field)
static const struct {
    const char *name;
    number_t type;
    int rows;
    size_t cols, at;
} array[] = {
    {"atoms_at", U64, PER_START, 0, IN(at)},          {"residues_at", U64, PER_START, 0, IN(res_at)},
    {"chains_at", U64, PER_START, 0, IN(chain_at)},   {"occupancies_at", U64, PER_START, 0, IN(occ_at)},
    {"centre", F32, PER_ENTRY, 3, IN(centre)},        {"step", F32, PER_ENTRY, 0, IN(step)},
    {"trace", U8, PER_ENTRY, 0, IN(trace)},           {"xyz", I16, PER_ATOM, 3, IN(xyz)},
    {"type", U16, PER_ATOM, 0, IN(type)},             {"residue_atoms", U16, PER_RESIDUE, 0, IN(res_n)},
    {"residue_type", U16, PER_RESIDUE, 0, IN(res_type)}, {"chain_residues", U32, PER_CHAIN, 0, IN(chain_n)},
    {"occupancy", U16, PER_OCC, 0, IN(occ)},
};
enum { ARRAYS = sizeof array / sizeof *array };

static hid_t number_type(number_t t)
{
    switch (t) {
    case U8: return H5T_NATIVE_UINT8;
    case U16: return H5T_NATIVE_UINT16;
    case I16: return H5T_NATIVE_INT16;
    case U32: return H5T_NATIVE_UINT32;
    case U64: return H5T_NATIVE_UINT64;
    default: return H5T_NATIVE_FLOAT;
    }
}

static void *field(const void *base, size_t at) { return (char *)(uintptr_t)base + at; }

static void *pointer(const void *base, size_t at)
{
    void *p;
    memcpy(&p, field(base, at), sizeof p);
    return p;
}

/* Rows of array k; those of the starts are read first. */
static size_t array_rows(const dataset_atoms_t *a, int k)
{
    switch (array[k].rows) {
    case PER_ENTRY: return a->n;
    case PER_START: return a->n + 1;
    case PER_ATOM: return a->at[a->n];
    case PER_RESIDUE: return a->res_at[a->n];
    case PER_CHAIN: return a->chain_at[a->n];
    default: return a->occ_at[a->n];
    }
}

/* ---- out ---- */

static int put_attrs(hid_t file, const dataset_t *d)
{
    int version = DATASET_VERSION;
    int rc = h5_put_attr_text(file, "format", DATASET_FORMAT) || h5_put_attr_text(file, "program", PACKAGE_STRING) ||
             h5_put_attr(file, "format_version", H5T_NATIVE_INT, &version) || h5_put_attr(file, "seed", H5T_NATIVE_UINT64, &d->seed);
    if (!rc && d->dim) rc = h5_put_attr_text(file, "text_model", d->text_model) || h5_put_attr_text(file, "text_hash", d->text_hash);
    return rc ? -1 : 0;
}

static int put_names(hid_t file, const dataset_t *d, err_t *err)
{
    int rc = h5_put_text(file, "id", d->n, d->id, err) || h5_put_text(file, "pdb", d->n, d->pdb, err) ||
             h5_put_data(file, "split", H5T_NATIVE_UINT8, d->n, 0, true, d->split) ||
             h5_put_data(file, "group", H5T_NATIVE_UINT32, d->n, 0, true, d->group) ||
             h5_put_data(file, "span", H5T_NATIVE_FLOAT, d->n, SPAN, true, d->span);
    for (int k = 0; !rc && k < VOCABS; k++) {
        const vocab_t *v = field(d, vocab[k].at);
        rc = h5_put_text(file, vocab[k].name, v->n, v->name, err);
    }
    if (!rc) rc = h5_put_text(file, "term_name", d->term_name.n, d->term_name.name, err);
    for (int k = 0; !rc && k < LISTS; k++) {
        const lists_t *l = field(d, list[k].at);
        const size_t *rows = field(d, list[k].rows);
        rc = h5_put_data(file, list[k].starts, H5T_NATIVE_UINT64, *rows + 1, 0, true, l->at) ||
             h5_put_data(file, list[k].name, H5T_NATIVE_UINT32, l->at[*rows], 0, true, l->item);
    }
    return rc ? -1 : 0;
}

static int put_captions(hid_t file, const dataset_t *d, err_t *err)
{
    size_t *at = mem_new(d->captions + 1, sizeof *at, err);
    if (!at) return -1;
    at[0] = 0;
    for (size_t i = 0; i < d->captions; i++) at[i + 1] = at[i] + strlen(d->caption[i]);
    char *all = mem_new(at[d->captions], 1, err);
    int rc = all ? 0 : -1;
    for (size_t i = 0; !rc && i < d->captions; i++) memcpy(all + at[i], d->caption[i], at[i + 1] - at[i]);
    if (!rc)
        rc = h5_put_data(file, "captions_at", H5T_NATIVE_UINT64, d->n + 1, 0, true, d->caption_at) ||
             h5_put_data(file, "caption_bytes_at", H5T_NATIVE_UINT64, d->captions + 1, 0, true, at) ||
             h5_put_data(file, "captions", H5T_NATIVE_UINT8, at[d->captions], 0, true, all) ||
             (d->dim && h5_put_half(file, "text", d->captions, d->dim, true, d->text, 0, err));
    mem_free(at);
    mem_free(all);
    return rc ? -1 : 0;
}

static int put_types(hid_t file, const dataset_atoms_t *a, err_t *err)
{
    uint8_t *element = mem_new(a->atomtypes, 1, err), *kind = mem_new(a->atomtypes, 1, err);
    char(*name)[4] = mem_new(a->atomtypes, sizeof *name, err);
    int rc = element && kind && name ? 0 : -1;
    for (size_t i = 0; !rc && i < a->atomtypes; i++) {
        element[i] = a->atomtype[i].element;
        kind[i] = a->atomtype[i].kind;
        memcpy(name[i], a->atomtype[i].name, sizeof *name);
    }
    hid_t four = h5_text_type(sizeof *name);
    if (!rc)
        rc = h5_put_data(file, "type_element", H5T_NATIVE_UINT8, a->atomtypes, 0, true, element) ||
             h5_put_data(file, "type_kind", H5T_NATIVE_UINT8, a->atomtypes, 0, true, kind) ||
             h5_put_data(file, "type_name", four, a->atomtypes, 0, true, name) ||
             h5_put_data(file, "residue_name", four, a->restypes, 0, true, a->restype);
    H5Tclose(four);
    mem_free(element);
    mem_free(kind);
    mem_free(name);
    return rc ? -1 : 0;
}

int dataset_write(const char *path, const dataset_t *d, err_t *err)
{
    h5out_t o;
    if (!d->n) return err_set(err, ERR_RANGE, "%s: no entry to write", path);
    if (h5_create(&o, path, err)) return -1;
    int rc = put_attrs(o.file, d) || put_names(o.file, d, err) || put_captions(o.file, d, err) || put_types(o.file, d->atoms, err);
    for (int k = 0; !rc && k < ARRAYS; k++)
        rc = h5_put_data(o.file, array[k].name, number_type(array[k].type), array_rows(d->atoms, k), array[k].cols, true,
                         pointer(d->atoms, array[k].at));
    return h5_finish(&o, !rc, err);
}

/* ---- in ---- */

/* Starts of rows: from 0, never falling, the last within what a file can hold. */
static int get_starts(const h5in_t *in, const char *name, size_t rows, size_t **out, err_t *err)
{
    if (h5read_data(in, name, H5T_NATIVE_UINT64, sizeof **out, rows + 1, 0, out, err)) return -1;
    bool ok = (*out)[0] == 0;
    for (size_t i = 0; ok && i < rows; i++) ok = (*out)[i] <= (*out)[i + 1];
    return ok ? 0 : err_set(err, ERR_FORMAT, "%s: /%s: not the starts of rows (from 0, never falling)", in->path, name);
}

/* The first files of this version have no families of chains: then all three of their datasets are missing. */
static bool no_sequences(const h5in_t *in, const char *name)
{
    return !strncmp(name, "sequence", 8) && H5Lexists(in->file, "sequence", H5P_DEFAULT) <= 0 &&
           H5Lexists(in->file, "sequences", H5P_DEFAULT) <= 0 && H5Lexists(in->file, "sequences_at", H5P_DEFAULT) <= 0;
}

static int get_list(const h5in_t *in, int k, dataset_t *d, err_t *err)
{
    lists_t *l = field(d, list[k].at);
    const vocab_t *v = field(d, list[k].of);
    const size_t *rows = field(d, list[k].rows);
    if (no_sequences(in, list[k].name)) {
        l->at = mem_zero(*rows + 1, sizeof *l->at, err);
        l->item = mem_new(0, sizeof *l->item, err);
        return l->at && l->item ? 0 : -1;
    }
    if (get_starts(in, list[k].starts, *rows, &l->at, err) ||
        h5read_data(in, list[k].name, H5T_NATIVE_UINT32, sizeof *l->item, l->at[*rows], 0, &l->item, err))
        return -1;
    for (size_t i = 0; i < *rows; i++)
        for (size_t j = l->at[i]; j < l->at[i + 1]; j++)
            if (l->item[j] >= v->n || (j > l->at[i] && l->item[j] <= l->item[j - 1]))
                return err_set(err, ERR_FORMAT, "%s: /%s: %" PRIu32 " in row %zu (below %zu, ascending)", in->path, list[k].name,
                               l->item[j], i, v->n);
    return 0;
}

static int get_vocab(const h5in_t *in, const char *name, vocab_t *v, bool sorted, err_t *err)
{
    if (h5read_rows(in, name, 0, &v->n, err) || h5read_text(in, name, v->n, &v->name, err)) return -1;
    for (size_t i = 1; sorted && i < v->n; i++)
        if (strcmp(v->name[i - 1], v->name[i]) >= 0)
            return err_set(err, ERR_FORMAT, "%s: /%s: '%s' after '%s' (ascending, each once)", in->path, name, v->name[i], v->name[i - 1]);
    return 0;
}

static int get_entries(const h5in_t *in, dataset_t *d, err_t *err)
{
    if (h5read_rows(in, "id", 0, &d->n, err)) return -1;
    if (!d->n) return err_set(err, ERR_FORMAT, "%s: /id: empty", in->path);
    if (h5read_text(in, "id", d->n, &d->id, err) || h5read_text(in, "pdb", d->n, &d->pdb, err) ||
        h5read_data(in, "split", H5T_NATIVE_UINT8, 1, d->n, 0, &d->split, err) ||
        h5read_data(in, "group", H5T_NATIVE_UINT32, sizeof *d->group, d->n, 0, &d->group, err) ||
        h5read_data(in, "span", H5T_NATIVE_FLOAT, sizeof(float), d->n, SPAN, &d->span, err))
        return -1;
    for (size_t i = 0; i < d->n; i++) {
        const membrane_t *s = &d->span[i];
        if (d->split[i] >= SPLITS) return err_set(err, ERR_FORMAT, "%s: /split: %u in row %zu (below %d)", in->path, d->split[i], i, SPLITS);
        if (d->group[i] >= d->n)
            return err_set(err, ERR_FORMAT, "%s: /group: %" PRIu32 " in row %zu (below %zu)", in->path, d->group[i], i, d->n);
        if (!isfinite(s->normal[0] + s->normal[1] + s->normal[2] + s->offset + s->half + s->score) || !(s->half >= 0))
            return err_set(err, ERR_FORMAT, "%s: /span: row %zu is no membrane", in->path, i);
    }
    return 0;
}

/* Text of unit length again: half precision has moved it by 1e-4. */
static int get_text(const h5in_t *in, dataset_t *d, err_t *err)
{
    char name[256];
    if (H5Aexists(in->file, "text_hash") <= 0) return 0;
    hid_t s = H5Dopen2(in->file, "text", H5P_DEFAULT), space = s >= 0 ? H5Dget_space(s) : -1;
    hsize_t dim[2] = {0, 0};
    if (space >= 0 && H5Sget_simple_extent_ndims(space) == 2) H5Sget_simple_extent_dims(space, dim, NULL);
    if (space >= 0) H5Sclose(space);
    if (s >= 0) H5Dclose(s);
    d->dim = (size_t)dim[1];
    if (!d->dim) return err_set(err, ERR_FORMAT, "%s: /text: missing, damaged or of another shape", in->path);
    if (h5read_attr_text(in, "text_model", name, sizeof name, err) || !(d->text_model = mem_str(name, err)) ||
        h5read_attr_text(in, "text_hash", d->text_hash, sizeof d->text_hash, err) ||
        h5read_data(in, "text", H5T_NATIVE_FLOAT, sizeof *d->text, d->captions, d->dim, &d->text, err))
        return -1;
    for (size_t i = 0; i < d->captions; i++) {
        float *t = d->text + i * d->dim;
        double sum = 0;
        for (size_t k = 0; k < d->dim; k++) sum += (double)t[k] * (double)t[k];
        if (!(fabs(sum - 1) < 0.01)) return err_set(err, ERR_FORMAT, "%s: /text: row %zu has length %g (1)", in->path, i, sqrt(sum));
        for (size_t k = 0; k < d->dim; k++) t[k] = (float)((double)t[k] / sqrt(sum));
    }
    return 0;
}

static int get_captions(const h5in_t *in, dataset_t *d, err_t *err)
{
    size_t *at = NULL;
    char *all = NULL;
    int rc = -1;
    if (get_starts(in, "captions_at", d->n, &d->caption_at, err)) return -1;
    d->captions = d->caption_at[d->n];
    if (d->captions >= SIZE_MAX / sizeof *at / 2) return err_set(err, ERR_FORMAT, "%s: /captions_at: %zu", in->path, d->captions);
    if (get_starts(in, "caption_bytes_at", d->captions, &at, err) ||
        h5read_data(in, "captions", H5T_NATIVE_UINT8, 1, at[d->captions], 0, &all, err))
        goto done;
    size_t bytes = at[d->captions] + d->captions * (1 + sizeof *d->caption);
    if (!(d->caption = mem_new(bytes, 1, err))) goto done;
    char *p = (char *)(d->caption + d->captions);
    for (size_t i = 0; i < d->captions; i++) {
        size_t k = at[i + 1] - at[i];
        if (memchr(all + at[i], 0, k)) {
            err_set(err, ERR_FORMAT, "%s: /captions: NUL in caption %zu", in->path, i);
            goto done;
        }
        d->caption[i] = memcpy(p, all + at[i], k);
        p[k] = 0;
        p += k + 1;
    }
    rc = get_text(in, d, err);
done:
    mem_free(at);
    mem_free(all);
    return rc;
}

static int get_types(const h5in_t *in, dataset_atoms_t *a, err_t *err)
{
    uint8_t *element = NULL, *kind = NULL;
    char(*name)[4] = NULL;
    hid_t four = h5_text_type(sizeof *name);
    int rc = -1;
    if (!h5read_rows(in, "type_element", 0, &a->atomtypes, err) && !h5read_rows(in, "residue_name", 0, &a->restypes, err) &&
        !h5read_data(in, "type_element", H5T_NATIVE_UINT8, 1, a->atomtypes, 0, &element, err) &&
        !h5read_data(in, "type_kind", H5T_NATIVE_UINT8, 1, a->atomtypes, 0, &kind, err) &&
        !h5read_data(in, "type_name", four, sizeof *name, a->atomtypes, 0, &name, err) &&
        !h5read_data(in, "residue_name", four, sizeof *a->restype, a->restypes, 0, &a->restype, err) &&
        (a->atomtype = mem_zero(a->atomtypes, sizeof *a->atomtype, err)))
        rc = 0;
    for (size_t i = 0; !rc && i < a->atomtypes; i++) {
        a->atomtype[i].element = element[i];
        a->atomtype[i].kind = kind[i];
        memcpy(a->atomtype[i].name, name[i], sizeof *name);
        if (kind[i] > KIND_WATER)
            rc = err_set(err, ERR_FORMAT, "%s: /type_kind: %u in row %zu (at most %d)", in->path, kind[i], i, KIND_WATER);
    }
    H5Tclose(four);
    mem_free(element);
    mem_free(kind);
    mem_free(name);
    return rc;
}

/* Every number of entry e is in range, and its runs add up. */
static bool atoms_sound(const dataset_atoms_t *a, size_t e)
{
    size_t atoms = 0, residues = 0, n = a->at[e + 1] - a->at[e], occ = a->occ_at[e + 1] - a->occ_at[e];
    for (size_t i = a->at[e]; i < a->at[e + 1]; i++)
        if (a->type[i] >= a->atomtypes) return false;
    for (size_t i = a->res_at[e]; i < a->res_at[e + 1]; i++) {
        if (a->res_type[i] >= a->restypes || !a->res_n[i]) return false;
        atoms += a->res_n[i];
    }
    for (size_t i = a->chain_at[e]; i < a->chain_at[e + 1]; i++) residues += a->chain_n[i];
    for (size_t k = 0; k < 3; k++)
        if (!isfinite(a->centre[3 * e + k])) return false;
    return n && atoms == n && residues == a->res_at[e + 1] - a->res_at[e] && a->chain_at[e + 1] - a->chain_at[e] <= UINT16_MAX &&
           (!occ || occ == n) && a->trace[e] <= 1 && isfinite(a->step[e]) && a->step[e] > 0;
}

static int get_atoms(const h5in_t *in, dataset_t *d, err_t *err)
{
    dataset_atoms_t *a = d->atoms = mem_zero(1, sizeof *a, err);
    if (!a) return -1;
    a->n = d->n;
    if (get_types(in, a, err)) return -1;
    for (int k = 0; k < ARRAYS; k++) {
        void *p;
        int rc = array[k].rows == PER_START
                     ? get_starts(in, array[k].name, a->n, field(a, array[k].at), err)
                     : h5read_data(in, array[k].name, number_type(array[k].type), number_size[array[k].type], array_rows(a, k),
                                   array[k].cols, &p, err);
        if (rc) return -1;
        if (array[k].rows != PER_START) memcpy(field(a, array[k].at), &p, sizeof p);
    }
    for (size_t e = 0; e < a->n; e++)
        if (!atoms_sound(a, e)) return err_set(err, ERR_FORMAT, "%s: atoms of entry %zu (%s): a value out of range", in->path, e, d->id[e]);
    return 0;
}

static int get_all(const h5in_t *in, dataset_t *d, err_t *err)
{
    int version = 0;
    if (h5read_attr(in, "format_version", H5T_NATIVE_INT, &version, err)) return -1;
    if (version != DATASET_VERSION)
        return err_set(err, ERR_UNSUP, "%s: dataset format %d (this program reads %d)", in->path, version, DATASET_VERSION);
    if (h5read_attr(in, "seed", H5T_NATIVE_UINT64, &d->seed, err) || get_entries(in, d, err)) return -1;
    for (int k = 0; k < VOCABS; k++)
        if (!no_sequences(in, vocab[k].name) && get_vocab(in, vocab[k].name, field(d, vocab[k].at), true, err)) return -1;
    if (get_vocab(in, "term_name", &d->term_name, false, err)) return -1;
    if (d->term_name.n != d->term.n)
        return err_set(err, ERR_FORMAT, "%s: /term_name: %zu rows (%zu as /term)", in->path, d->term_name.n, d->term.n);
    for (int k = 0; k < LISTS; k++)
        if (get_list(in, k, d, err)) return -1;
    return get_captions(in, d, err) || get_atoms(in, d, err) ? -1 : 0;
}

static int get_hash(const char *path, char hash[17], err_t *err)
{
    enum { BLOCK = 1 << 20 };
    FILE *f = fopen(path, "rb");
    unsigned char *buf = f ? mem_new(BLOCK, 1, err) : NULL;
    uint64_t crc = 0;
    for (size_t n; buf && (n = fread(buf, 1, BLOCK, f)) > 0;) crc = lzma_crc64(buf, n, crc);
    bool ok = buf && !ferror(f);
    if (f) fclose(f);
    mem_free(buf);
    snprintf(hash, 17, "%016" PRIx64, crc);
    return ok ? 0 : err_set(err, ERR_IO, "%s: cannot read", path);
}

int dataset_read(const char *path, dataset_t *d, err_t *err)
{
    h5in_t in;
    *d = (dataset_t){0};
    if (h5read_open(&in, path, DATASET_FORMAT, "a cryolex dataset", err)) return -1;
    int rc = get_all(&in, d, err);
    h5read_close(&in);
    if (!rc) rc = get_hash(path, d->hash, err);
    if (rc) dataset_free(d);
    return rc;
}

void dataset_free(dataset_t *d)
{
    for (int k = 0; k < VOCABS; k++) vocab_free(field(d, vocab[k].at));
    for (int k = 0; k < LISTS; k++) lists_free(field(d, list[k].at));
    vocab_free(&d->term_name);
    void *const owned[] = {d->id, d->pdb, d->split, d->group, d->span, d->caption_at, d->caption, d->text, d->text_model};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) mem_free(owned[i]);
    atoms_free(d->atoms);
    *d = (dataset_t){0};
}

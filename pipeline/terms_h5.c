/* terms_h5: the vocabulary of an index in its HDF5 file (see terms_h5.h). */
#include "pipeline/terms_h5.h"

#include <string.h>

#include "base/half.h"
#include "base/mem.h"
#include "pipeline/h5.h"
#include "pipeline/h5matrix.h"
#include "pipeline/h5read.h"

enum { MODEL_NAME = 256 };

static int put_lists(hid_t file, const char *indptr, const char *indices, size_t rows, const lists_t *l, err_t *err)
{
    uint64_t *at = mem_new(rows + 1, sizeof *at, err);
    if (!at) return -1;
    for (size_t i = 0; i <= rows; i++) at[i] = l->at[i];
    int rc = h5_put_data(file, indptr, H5T_NATIVE_UINT64, rows + 1, 0, true, at) ||
             h5_put_data(file, indices, H5T_NATIVE_UINT32, l->at[rows], 0, l->at[rows] > 0, l->item);
    mem_free(at);
    return rc ? -1 : 0;
}

static int put_group(hid_t file, const char *name)
{
    hid_t g = H5Gcreate2(file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    return g < 0 || H5Gclose(g) < 0 ? -1 : 0;
}

int terms_write(hid_t file, const terms_t *t, double step, bool exact, err_t *err)
{
    if (!t->n) return 0;
    char **space = mem_new(t->n, sizeof *space, err);
    if (!space) return -1;
    for (size_t i = 0; i < t->n; i++) memcpy(&space[i], &term_space_name[t->space[i]], sizeof *space);
    int rc = put_group(file, "vocab") || put_group(file, "terms") || h5_put_text(file, "vocab/id", t->n, t->id, err) ||
             h5_put_text(file, "vocab/name", t->n, t->name, err) || h5_put_text(file, "vocab/namespace", t->n, space, err) ||
             put_lists(file, "vocab/parents_indptr", "vocab/parents_indices", t->n, &t->parents, err) ||
             put_lists(file, "terms/indptr", "terms/indices", t->entries, &t->of, err);
    if (!rc && t->z)
        rc = h5_put_attr_text(file, "text_model", t->text_model) || h5_put_attr_text(file, "text_hash", t->text_hash) ||
             (exact ? h5_put_data(file, "vocab/embeddings", H5T_NATIVE_FLOAT, t->n, t->d, false, t->z)
                    : h5_put_half(file, "vocab/embeddings", t->n, t->d, step > 0, t->z, step, err));
    mem_free(space);
    return rc ? -1 : 0;
}

/* Lists whose rows are in order, and whose items are ascending and less than `below`, or where that is 0, than their row. */
static int get_lists(const h5in_t *in, const char *indptr, const char *indices, size_t rows, size_t below, lists_t *l, err_t *err)
{
    uint64_t *at = NULL;
    size_t n;
    *l = (lists_t){0};
    if (h5read_rows(in, indices, 0, &n, err) || h5read_data(in, indptr, H5T_NATIVE_UINT64, sizeof *at, rows + 1, 0, &at, err)) return -1;
    int rc = (l->at = mem_new(rows + 1, sizeof *l->at, err)) ? 0 : -1;
    bool ok = at[0] == 0 && at[rows] == n;
    for (size_t i = 0; !rc && i <= rows; i++) {
        ok = ok && at[i] <= n && (!i || at[i] >= at[i - 1]);
        l->at[i] = (size_t)at[i];
    }
    mem_free(at);
    if (!rc && ok) rc = h5read_data(in, indices, H5T_NATIVE_UINT32, sizeof *l->item, n, 0, &l->item, err);
    for (size_t i = 0; !rc && ok && i < rows; i++)
        for (size_t k = l->at[i]; k < l->at[i + 1]; k++)
            ok = ok && l->item[k] < (below ? below : i) && (k == l->at[i] || l->item[k] > l->item[k - 1]);
    if (!rc && !ok) rc = err_set(err, ERR_FORMAT, "%s: /%s: lists that are not in order", in->path, indices);
    return rc;
}

static int get_space(const h5in_t *in, terms_t *t, err_t *err)
{
    char **name;
    if (h5read_text(in, "vocab/namespace", t->n, &name, err)) return -1;
    int rc = (t->space = mem_new(t->n, 1, err)) ? 0 : -1;
    for (size_t i = 0; !rc && i < t->n; i++) {
        uint8_t s = 0;
        while (s < TERM_SPACES && strcmp(name[i], term_space_name[s]) != 0) s++;
        t->space[i] = s;
        if (s == TERM_SPACES) rc = err_set(err, ERR_FORMAT, "%s: /vocab/namespace: '%s' is none", in->path, name[i]);
    }
    mem_free(name);
    return rc;
}

static int get_embeddings(const h5in_t *in, terms_t *t, err_t *err)
{
    char name[MODEL_NAME];
    if (H5Lexists(in->file, "vocab/embeddings", H5P_DEFAULT) <= 0) return 0;
    if (h5read_attr_text(in, "text_model", name, sizeof name, err) ||
        h5read_attr_text(in, "text_hash", t->text_hash, sizeof t->text_hash, err))
        return -1;
    t->text_model = mem_str(name, err);
    return t->text_model ? h5matrix_unit(in, "vocab/embeddings", t->n, &t->d, &t->z, err) : -1;
}

int terms_read(hid_t file, const char *path, size_t entries, bool embeddings, terms_t *t, err_t *err)
{
    const h5in_t in = {.file = file, .path = path};
    *t = (terms_t){.entries = entries};
    if (H5Lexists(file, "vocab", H5P_DEFAULT) <= 0) return 0;
    if (h5read_rows(&in, "vocab/id", 0, &t->n, err) || !t->n || t->n >= UINT32_MAX) {
        *t = (terms_t){0};
        return err_set(err, ERR_FORMAT, "%s: /vocab/id: no terms", path);
    }
    int rc = h5read_text(&in, "vocab/id", t->n, &t->id, err) || h5read_text(&in, "vocab/name", t->n, &t->name, err) ||
                     get_space(&in, t, err) ||
                     get_lists(&in, "vocab/parents_indptr", "vocab/parents_indices", t->n, 0, &t->parents, err) ||
                     get_lists(&in, "terms/indptr", "terms/indices", entries, t->n, &t->of, err) ||
                     (embeddings && get_embeddings(&in, t, err))
                 ? -1
                 : 0;
    if (rc) terms_free(t);
    return rc;
}

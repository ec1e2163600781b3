/* manifest: the list of files that a batch command works on (DESIGN 5). */
#ifndef CRYOLEX_PIPELINE_MANIFEST_H
#define CRYOLEX_PIPELINE_MANIFEST_H

#include <stddef.h>

#include "base/err.h"
#include "base/notes.h"

typedef enum { ITEM_AUTO, ITEM_MAP, ITEM_MODEL } itemkind_t;

/* One row. Strings are owned by the manifest; an empty field is NULL. */
typedef struct {
    const char *id;
    const char *path;     /* as to be opened: relative paths of a TSV start at its folder */
    const char *half;     /* the other half-map, path being one; borrowed, never set by manifest_add(); NULL: none */
    itemkind_t kind;      /* column kind: map, model; empty: by content */
    double contour;       /* NAN: none */
    double resolution;    /* angstrom; 0: none */
    double apix;          /* angstrom; 0: the header's */
    const char *assembly; /* NULL: by the rule of pdb.h */
    const char *title, *group, *split, *pair, *caption, *terms;
} item_t;

typedef struct {
    item_t *item;
    size_t n, cap;
    char **own; /* every string */
    size_t nown, owncap;
} manifest_t;

/* Add what `path` names:
 *   a folder             every file below it named *.pdb *.ent *.cif *.mmcif *.mrc *.map *.ccp4 (also .gz .bz2 .xz .zst), by name
 *   *.tsv, *.tsv.txt, -  a table with a header row; columns id and path are required, kind contour resolution apix
 *                        assembly title caption terms group split pair are known, others are ignored
 *   anything else        one file
 * The id of a file is its name without folder and suffixes. *m starts from {0}; end with manifest_free().
 * Notes: columns that are not known; what could not be looked at in a folder. 0, or -1: ERR_IO, ERR_FORMAT (column missing, bad number or kind; with the
 * line), ERR_RANGE, ERR_NOMEM. */
int manifest_add(manifest_t *m, const char *path, notes_t *notes, err_t *err);
void manifest_free(manifest_t *m);

/* What the name of a file says that it is, capitals or not; ITEM_AUTO where it says nothing. */
itemkind_t manifest_kind(const char *path);

#endif

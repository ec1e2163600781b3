/* structures: files of PDB entries in a folder, by id. */
#ifndef CRYOLEX_PIPELINE_STRUCTURES_H
#define CRYOLEX_PIPELINE_STRUCTURES_H

#include "base/err.h"

/* The file of entry `id` (letters, digits, "-" and "_"; capitals count as small letters): the first that is there of ID.cif, ID.mmcif, ID.pdb, ID.ent and pdbID.ent,
 * each as it is or .gz, in `dir` itself, else in the folder below it that is named by the second and third letter of the id, as the
 * archive's mirrors are laid out. Free with mem_free(). NULL: ERR_USAGE an id with other characters; ERR_NOTFOUND none of them; ERR_NOMEM. */
char *structures_find(const char *dir, const char *id, err_t *err);

/* Name of an entry from that of its file: without folder and suffixes, and without "pdb" before the id in pdbID.ent. Free with mem_free();
 * NULL: ERR_NOMEM. */
char *structures_name(const char *path, err_t *err);

#endif

/* pdb: atomic models from PDB and mmCIF files. */
#ifndef CRYOLEX_PDB_PDB_H
#define CRYOLEX_PDB_PDB_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/notes.h"
#include "pdb/model.h"

#define PDB_FILE_MAX ((size_t)1 << 30) /* bytes of a file, after decompression */
#define PDB_ATOM_MAX ((size_t)50000000) /* atoms of a model */

/* Read an atomic model.
 *
 * In:   path      PDB or mmCIF, plain or gzip, told apart by content; "-" is standard input
 *       assembly  NULL: assembly 1 of an entry from diffraction (X-ray, neutron, fibre, powder, electron
 *                 crystallography) or without a method, the deposited model of any other (EM, NMR, ...);
 *                 the deposited model, too, where assembly 1 is not listed or holds none of the atoms.
 *                 "asu": the deposited model. Otherwise the id of an assembly (REMARK 350, _pdbx_struct_assembly_gen)
 *       notes     what was odd but read (several models, the fallback above); may be NULL
 * Out:  err       why it failed
 *
 * Returns a new model; free with model_free(). Taken are: the first model of several; of alternate locations the one of
 * the highest occupancy (the first where they tie; of two residues at one place likewise); no hydrogen, deuterium or
 * water. Blank occupancy is 1 (in PDB also one that is no number, with a note), blank B is 0 (20 where a PDB line ends before column 65). model->trace is 1 when more
 * than half of the protein and nucleic residues have a single atom, CA or P, which then stands for the residue.
 * Order: chains as they first appear, residues as they appear in the chain, atoms as in the file; with an assembly,
 * generator by generator, copy by copy. Element 0 means unknown.
 * NULL on failure, err->code:
 *   ERR_IO        cannot open or read
 *   ERR_FORMAT    neither PDB nor mmCIF, damaged (gzip too), a coordinate (at most a
 *                 million angstrom), occupancy (0 to 1000) or B factor (at most a million) that is none, no atom left
 *   ERR_RANGE     more than PDB_FILE_MAX bytes, PDB_ATOM_MAX atoms, 65,535 chains or
 *                 a million operators in the assemblies of an mmCIF file
 *   ERR_NOTFOUND  the assembly is not listed; the message names those that are
 *   ERR_NOMEM     no memory
 * Thread-safe. Source: wwPDB file format 3.3; PDBx/mmCIF dictionary; parsed by gemmi. */
model_t *pdb_read(const char *path, const char *assembly, notes_t *notes, err_t *err);

/* The same from n bytes in memory, which are not changed; name is for messages. */
model_t *pdb_read_mem(const unsigned char *buf, size_t n, const char *name, const char *assembly, notes_t *notes,
                      err_t *err);

/* Write a model as it lies after x -> r x + t (rotation by rows, angstrom), as mmCIF.
 *
 * In:   path      the file, as for pdb_read(), but not standard input
 *       assembly  what is moved: model_t.assembly of the model that was read, "" for the deposited one
 *       out       the file to write, which appears whole or not at all
 *
 * All atoms of the file are written (hydrogens, waters, every alternate location), of the deposited model with all its models, of an assembly
 * those of the first model, copy by copy: the second copy of chain A is A-2, and atoms are numbered anew. Coordinates have three decimals. Of an mmCIF file
 * everything else stays, but: what tells of the crystal goes (cell, symmetry, scale matrices, NCS); operators of assemblies and
 * anisotropic displacements are turned with the deposited model, and go with an assembly. Of a PDB file what the reader keeps of it is written: atoms,
 * title, names of molecules, remarks that gemmi knows.
 * 0, or -1: the errors of pdb_read(); ERR_IO out cannot be written. Thread-safe. */
int pdb_place(const char *path, const char *assembly, const double r[3][3], const double t[3], const char *out, err_t *err);

/* Whether the first n bytes of a file (after decompression) look like PDB or mmCIF. A few kilobytes are enough. */
bool pdb_sniff(const unsigned char *buf, size_t n);

#endif

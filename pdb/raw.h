/* raw: what a file says, before any choice is made; between the readers and build.c. Internal to pdb/. */
#ifndef CRYOLEX_PDB_RAW_H
#define CRYOLEX_PDB_RAW_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/notes.h"
#include "pdb/model.h"

/* What the residue's name means. */
typedef enum { RES_UNKNOWN, RES_AMINO, RES_NUCLEIC, RES_WATER, RES_SUGAR, RES_OTHER } resclass_t;
/* What the file says of its entity. */
typedef enum { ENT_UNKNOWN, ENT_POLYMER, ENT_NONPOLYMER, ENT_BRANCHED, ENT_WATER } enttype_t;

typedef struct {
    double x, y, z;
    float occ, b;
    uint32_t res;    /* index into raw_t.res */
    char name[4];    /* zero padded */
    char alt;        /* 0 when none */
    uint8_t element; /* 1 for deuterium, 0 unknown */
} rawatom_t;

typedef struct {
    char name[8];   /* zero padded */
    int seq;
    char icode;
    uint8_t cls;    /* resclass_t */
    uint8_t ent;    /* enttype_t */
    uint8_t het;    /* a HETATM */
    uint32_t chain; /* index into the chain names, by first appearance */
    uint32_t key;   /* index into the names by which assemblies call their parts */
} rawres_t;

typedef struct {
    double m[3][4]; /* rotation | translation, angstrom */
} rawop_t;

/* One line of an assembly: `nop` copies of the parts `key`. */
typedef struct {
    uint32_t assembly;     /* index into raw_t.assembly */
    size_t key0, nkey;     /* raw_t.key[key0 .. key0+nkey-1] */
    size_t op0, nop;       /* raw_t.op[op0 .. op0+nop-1] */
    int all;               /* every part */
} rawgen_t;

typedef struct {
    rawatom_t *atom;
    rawres_t *res;
    rawgen_t *gen;
    rawop_t *op;
    uint32_t *key;
    char **assembly; /* ids, as listed */
    size_t natom, nres, ngen, nop, nkey, nassembly;
    size_t atom_cap, res_cap, gen_cap, op_cap, key_cap, assembly_cap;
    size_t nchain, nparts, nmodel; /* chain names, part names, models in the file */
    modelfacts_t facts;            /* strings owned; not yet checked for UTF-8 */
} raw_t;

void raw_free(raw_t *r); /* leaves {0} */

/* gemmi_shim.cc: parse n bytes into *r, which starts as {0}. 0, or -1 with ERR_FORMAT, ERR_RANGE or ERR_NOMEM. The caller frees
 * *r either way. No exception leaves. gemmi_pdb wants text prepared by text_prepare(). */
#ifdef __cplusplus
extern "C" {
#endif
int gemmi_pdb(const char *buf, size_t n, const char *name, raw_t *r, err_t *err);
int gemmi_cif(const char *buf, size_t n, const char *name, raw_t *r, err_t *err);

/* gemmi_place.cc: write to `out` what pdb_place() promises. buf: the text that r was parsed from (pdb: prepared PDB text, else mmCIF);
 * assembly: one of r's, or "". m: rotation | translation. 0, or -1 with ERR_FORMAT or ERR_NOMEM. */
int gemmi_place(const char *buf, size_t n, const char *name, int pdb, const raw_t *r, const char *assembly, const double m[3][4], FILE *out,
                err_t *err);
#ifdef __cplusplus
}
#endif

/* text.c: make n bytes of PDB text fit for the parser, in place: occupancies that are blank or no number become 1
 * (a note tells of the latter), records that we do not want are struck out, and the text ends after the first model.
 * *models is how many there are. Returns the bytes to parse, or 0 with ERR_FORMAT (a coordinate that is no number). */
size_t text_prepare(char *buf, size_t n, const char *name, size_t *models, notes_t *notes, err_t *err);
/* Header facts that the parser leaves out: molecules, organisms, EC numbers. 0, or -1 with ERR_NOMEM. */
int text_facts(const char *buf, size_t n, modelfacts_t *facts, err_t *err);

/* build.c: the model that pdb_read promises. */
model_t *raw_build(const raw_t *r, const char *name, const char *assembly, notes_t *notes, err_t *err);

#endif

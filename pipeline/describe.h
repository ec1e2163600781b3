/* describe: from a file, map or model, to the descriptors that an index holds. */
#ifndef CRYOLEX_PIPELINE_DESCRIBE_H
#define CRYOLEX_PIPELINE_DESCRIBE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/notes.h"
#include "base/progress.h"
#include "mrc/emdb.h"
#include "mrc/map.h"
#include "pdb/model.h"
#include "pipeline/manifest.h"
#include "voxel/cube.h"
#include "voxel/desc.h"
#include "voxel/profile.h"
#include "voxel/zernike.h"

#define DESCRIBE_ZERNIKE 121                   /* invariants, order 20 */
#define DESCRIBE_PROFILE PROFILE_COUNT           /* shell means and deviations */
#define DESCRIBE_RESOLUTION 8.0                /* angstrom: a model is simulated at this, or coarser where it is large */

/* What is the same for every file. Read only after describe_new(); one for all threads. */
typedef struct {
    zernike_t *zernike;
    mrc_opts_t map; /* how to read maps; apix and the like */
    emdb_where_t header; /* where the EMDB headers of maps are; {0} after describe_new(): beside them */
    bool cubes;     /* records keep the canonical cube; false after describe_new() */
    size_t coarse_from, coarse_to; /* of coarse_read(), voxels; 0 (after describe_new()): COARSE_FROM, COARSE_TO */
    size_t side;    /* of that cube; 0 (after describe_new()): CUBE_SIDE. All else is made of the cube of CUBE_SIDE */
    bool digests;   /* describe_many() makes digests; false after describe_new() */
} describer_t;

/* One map or model. All strings are owned; "" where unknown. */
typedef struct {
    itemkind_t kind; /* ITEM_MAP or ITEM_MODEL */
    char *title, *method, *molecules, *organisms;
    float rg;        /* angstrom */
    float volume;    /* cubic angstrom of the envelope: inside the contour at the cube's resolution */
    float level;     /* contour level of a map at its own resolution and in its units: the one given, else the one of its EMDB header, or what
                      * contour_estimate() makes of it (the cube does not use that); NAN for a model, or where there is none */
    bool estimated;  /* the last of these */
    float resolution; /* angstrom: of half-maps what halves_read() finds; the item's, else of the map's EMDB header; of a model that of its file; 0 unknown */
    int8_t cube[DESC_LEN];
    float zernike[DESCRIBE_ZERNIKE]; /* unit length */
    float profile[DESCRIBE_PROFILE];
    float *density; /* (side,side,side) the canonical cube of cube.h, owned; NULL unless describer_t.cubes */
} record_t;

/* Density of a model, no finer than its cube can use: at DESCRIBE_RESOLUTION, or a fifth of the radius of gyration where that
 * is coarser. A new volume; NULL with the errors of simulate. */
vol_t *describe_density(const model_t *m, err_t *err);

/* 0, or -1: ERR_NOMEM. map may be NULL: defaults. End with describe_end(). */
int describe_new(describer_t *d, const mrc_opts_t *map, err_t *err);
void describe_end(describer_t *d);

/* Read the file of an item and describe it: a map as it is, a model simulated into density first. kind ITEM_AUTO goes
 * by the name's suffix, and by content where that says nothing. A map's contour is the item's, else that of its EMDB header
 * (header_of_map(), whose notes tell), else estimated; the header's title, method, molecules and organisms are the record's where the item says
 * nothing. A map of more than d->coarse_from voxels is read onto a coarser grid (coarse_read()). Half-maps (it->half) are averaged by halves_read(), which tells their resolution in a note. Free with record_free().
 * 0, or -1 with *r empty and the errors of map_read, halves_read, header_of_map, pdb_read, simulate and cube_make. Thread-safe. */
int describe_file(const describer_t *d, const item_t *it, record_t *r, notes_t *notes, err_t *err);
void record_free(record_t *r); /* leaves {0} */

/* What an item is described from, in 16 hexadecimal digits: of a SHA-256 of the bytes of its file, of its other half-map and EMDB header where it has them, and
 * of what the manifest and d say of contour, resolution, voxel size, assembly, kind and title. 0, or -1: ERR_IO, ERR_NOMEM. Thread-safe. */
#define DESCRIBE_DIGEST 17
int describe_digest(const describer_t *d, const item_t *it, char out[DESCRIBE_DIGEST], err_t *err);

/* Describe a density in memory as describe_file() describes that of a map without a header, at this contour level or, NAN, without one: kind
 * ITEM_MAP, level as given, texts "". 0, or -1 with *r empty and the errors of cube_make. Thread-safe. */
int describe_volume(const describer_t *d, const vol_t *v, double contour, record_t *r, err_t *err);

/* Mass in kilodaltons by the envelope's volume. */
#define DESCRIBE_DALTONS 0.65 /* a cubic angstrom: less than of protein, as an envelope at 8 angstrom takes in more than the molecule does */
double describe_mass(const record_t *r);

/* What became of one item of a batch. */
typedef struct {
    record_t rec; /* when err.code is ERR_OK */
    err_t err;
    notes_t notes;
    char digest[DESCRIBE_DIGEST]; /* "" unless asked for */
} described_t;

#define DESCRIBE_BATCH 256

/* Describe n items, one a thread; out (n) starts from {0} and each is freed with described_free(). skip (n) marks items
 * that are left as they are, or is NULL. Steps the bar. The same bytes for any number of threads. */
void describe_many(const describer_t *d, const item_t *it, size_t n, const unsigned char *skip, described_t *out, progress_t *bar);
void described_free(described_t *out); /* leaves {0} */

#endif

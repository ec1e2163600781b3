/* hdf5: what the reader of HDF5 maps is made of: hdf5.c opens files, finds the map and its numbers; h5data.c reads values; h5apart.c, the
 * reader as map.c knows it, does both in a process of its own, as damaged files crash libhdf5. */
#ifndef CRYOLEX_MRC_HDF5_H
#define CRYOLEX_MRC_HDF5_H

#include <hdf5.h>

#include "mrc/format.h"

enum { H5MAP_PATH = 512 };

/* One file. Identifiers are below 0 where nothing is open. */
typedef struct {
    hid_t file, access;     /* access: of links and datasets, following none out of the file */
    hid_t dset;             /* that of the volume; of an image stack the one read last */
    char path[H5MAP_PATH];  /* of that dataset */
    long *id;               /* of EMAN2 and IMOD: numbers of the images, ascending */
    size_t ids;
    bool stack;             /* each section is a dataset */
    bool reversed;          /* sides stored as x, y, z of data with x fastest */
    bool told;              /* filters and chunks are in info.text */
    size_t one;             /* id that dset is of */
    double scale, add;      /* value = stored * scale + add, where scale is not 0 */
    raw_t kind;
} h5map_t;

/* Open the file, find the map and fill m. 0, or -1. */
int h5map_open(mapfile_t *m, h5map_t *h, err_t *err);
/* As format_t.sections. */
int h5map_sections(mapfile_t *m, h5map_t *h, size_t z0, size_t nz, float *out, err_t *err);

/* With h->dset open: check that it is a density of three dimensions (or two) that can be read here, and fill sides, type, batch and
 * extra. 0, or -1. */
int h5data_check(mapfile_t *m, h5map_t *h, err_t *err);
/* nz sections of h->dset from z0 on. 0, or -1. */
int h5data_read(const mapfile_t *m, const h5map_t *h, size_t z0, size_t nz, float *out, err_t *err);

/* The innermost cause of the last failure of HDF5 into why[n]; "" if it says none. */
const char *h5map_why(char *why, size_t n);

#endif

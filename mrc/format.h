/* format: what a reader of a format other than MRC offers, and what they share. map.c is the only caller of the table. */
#ifndef CRYOLEX_MRC_FORMAT_H
#define CRYOLEX_MRC_FORMAT_H

#include "mrc/data.h"
#include "mrc/map.h"
#include "mrc/sniff.h"
#include "mrc/source.h"

typedef struct mapfile mapfile_t;

typedef struct {
    sniffed_t is; /* the kind of file that it reads */
    bool random;  /* needs any byte at any time: src is a plain file or uncompressed memory */
    bool planes;  /* sections may come in any order; else they are asked for once, from the first on */
    /* Fill info (but format and codec), n and what else is below from the header. 0, or -1. */
    int (*open)(mapfile_t *m, err_t *err);
    /* Sections z0..z0+nz-1 of m->volume to out (nz, n[1], n[0]). One thread at a time. 0, or -1. */
    int (*sections)(mapfile_t *m, size_t z0, size_t nz, float *out, err_t *err);
    void (*close)(mapfile_t *m); /* self and what it holds; also after a failed open. NULL: nothing to do */
} format_t;

/* One file being read. */
struct mapfile {
    const format_t *format;
    source_t src;
    const char *name; /* for messages */
    mrc_opts_t opts;
    notes_t *notes;
    map_info_t info;
    size_t n[3];   /* columns, rows, sections as stored */
    size_t volume; /* which of a stack, from 0 */
    size_t batch;  /* sections that are best read together; 1 if it does not matter */
    size_t extra;  /* bytes of memory that the reader takes beside the volume */
    bool by_planes; /* set before open: sections will be asked for one by one */
    bool whole;    /* all sections have to be read at once */
    size_t data_at, data_bytes; /* of binary data that lie straight in the file; 0 else */
    raw_t raw;     /* and their kind */
    void *self;    /* the reader's own */
};

extern const format_t format_hdf5, format_tiff, format_situs, format_dx, format_spider, format_em;

/* A field that may hold a voxel size. */
bool format_is_voxel(double v);
/* Three of them: false, with a note where they are not 0, unless all can be. `field` is for the note. */
bool format_take_voxel(mapfile_t *m, const char *field, const double *v);
/* Sides within 1..VOL_SIDE_MAX? 0, or -1 with ERR_FORMAT or ERR_RANGE that names the side by what[k]. */
int format_check_sides(const mapfile_t *m, const char *const what[3], const double *n, err_t *err);
/* Compare what the header promises with the length of the file, or with what its compressed bytes can become: 0, or -1 with ERR_IO. */
int format_check_size(const mapfile_t *m, size_t bytes, err_t *err);
/* sections() of data that lie straight: at data_at, of kind raw. */
int format_raw_sections(mapfile_t *m, size_t z0, size_t nz, float *out, err_t *err);
/* From any byte, any order of bytes; `tmp` not needed by the caller. */
int format_raw_read(mapfile_t *m, size_t at, size_t n, float *out, err_t *err);

#endif

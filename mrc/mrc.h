/* mrc: density maps in MRC2014 and CCP4 files. Whoever wants a map of any format reads it by map.h.
 *
 * Sources: Cheng et al. 2015, J. Struct. Biol. 192:146 (MRC2014); the CCP4 map format; IMOD's notes on modes 0 and 101.
 * Files may be gzip, bzip2, xz or zstd; the bytes decide, not the name. What real files get wrong is read past,
 * with one note each; what would give wrong values is an error. */
#ifndef CRYOLEX_MRC_MRC_H
#define CRYOLEX_MRC_MRC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/notes.h"
#include "base/vol.h"

/* Where the map lies. AUTO: ORIGIN where it is set and sane in a file with "MAP ", else NSTART (as ChimeraX does). */
enum { MRC_ORIGIN_AUTO, MRC_ORIGIN_START, MRC_ORIGIN_ORIGIN, MRC_ORIGIN_NONE };
/* Mode 0. AUTO: signed, unless IMOD's flag says unsigned or the file is old-style (no "MAP "); and data of exactly
 * four bytes a voxel are taken for the float32 that they are. SIGNED and UNSIGNED are obeyed. */
enum { MRC_MODE0_AUTO, MRC_MODE0_SIGNED, MRC_MODE0_UNSIGNED };

/* How to read. {0} or NULL: the defaults. */
typedef struct {
    int origin;       /* MRC_ORIGIN_* */
    int mode0;        /* MRC_MODE0_* */
    long volume;      /* which volume of a stack of volumes, from 1; 0: the only one */
    double apix;      /* voxel size in angstrom, cubic, instead of the header's; 0: the header's */
    size_t mem_limit; /* bytes that one read may take; 0: no limit */
    bool images;      /* take a stack of images for a volume of that many sections */
    bool any_voxel;   /* map.h: a file without a voxel size is read with 1 angstrom and a note, not refused */
    bool unchecked;   /* NaN and infinities are not looked for, and there is no note of them */
    bool as_stored;   /* leave the grid of a non-orthogonal cell as it is, as if its angles were 90 */
} mrc_opts_t;

/* The header in native order, as the file has it, and what we make of it. Column, row, section order is marked CRS;
 * all else is x, y, z. */
typedef struct {
    /* as the file has it */
    int32_t n[3];           /* CRS: NX NY NZ */
    int32_t mode;
    int32_t nstart[3];      /* CRS: NXSTART NYSTART NZSTART */
    int32_t m[3];           /* MX MY MZ */
    float cella[3];         /* angstrom */
    float cellb[3];         /* degrees: alpha, beta, gamma */
    int32_t mapcrs[3];      /* MAPC MAPR MAPS */
    float dmin, dmax, dmean, rms;
    int32_t ispg, nsymbt, nversion, nlabl;
    char exttyp[5];         /* bytes 104-107; "" if they are no printable text */
    float origin[3];        /* angstrom */
    unsigned char map[4];   /* bytes 208-211, "MAP " */
    unsigned char stamp[4]; /* MACHST */
    int32_t imod_stamp, imod_flags; /* bytes 152-159 */
    char label[10][81];     /* bytes of the file, trailing blanks cut; the encoding is unknown */

    /* what we make of it */
    bool big_endian;
    const char *codec;  /* "none", "gzip", "bzip2", "xz", "zstd"; static */
    int read_mode;      /* mode that the data are read as (see MRC_MODE0_AUTO) */
    bool mode0_unsigned;
    int axis[3];        /* 0 x, 1 y, 2 z of column, row, section; always a permutation */
    size_t size[3];     /* voxels along x, y, z of one volume, as stored */
    size_t volumes;     /* 1, or more in a stack of volumes */
    bool image_stack;   /* NZ images, not a volume */
    bool skewed;        /* the cell is not orthogonal */
    double angle[3];    /* degrees; 90 where the header's are nonsense */
    double voxel[3];    /* angstrom, along the cell's edges */
    int start[3];       /* NSTART as x, y, z; 0 where nonsense */
    double place[3];    /* angstrom: centre of voxel (0,0,0) by the chosen rule */
    size_t data_at;     /* byte of the (uncompressed) file where the data begin */
    size_t data_bytes;  /* bytes of all volumes */
    size_t file_bytes;  /* of the uncompressed file, as far as it was read; SIZE_MAX: not known */
} mrc_header_t;

/* Read a density map.
 *
 * In:   path   file name, or "-" for standard input (read once, to the end of the map)
 *       opts   or NULL
 * Out:  head   the header, or NULL; filled as far as it was understood, also on failure
 *       notes  one line for every fault read past, and for what the reader had to decide; or NULL
 *       err    why it failed
 *
 * Returns a new volume, float32 in file units bit for bit (NaN and infinities too: one note with their number),
 * x fastest, axes x, y, z whatever MAPC/R/S say; voxel size CELLA / M and origin in angstrom. Free with vol_free().
 * A non-orthogonal cell is resampled to an orthogonal grid (see skew.h). An image (NZ 1) is a volume of one section.
 * Where CELLA or M give no voxel size it is 1, with a note, unless opts->apix. NULL on failure, err->code:
 *   ERR_IO        cannot open; shorter than its header promises; a compressed file cut short
 *   ERR_FORMAT    no MRC file and nothing else that we know; a field that makes no sense; damaged compressed data
 *   ERR_RANGE     a side outside 1..VOL_SIDE_MAX; more than mem_limit (the message has the number)
 *   ERR_UNSUP     another format, named; mode 3, 4 (complex) or 16 (RGB); a stack of images without opts->images
 *   ERR_USAGE     a stack of several volumes and opts->volume 0
 *   ERR_NOTFOUND  opts->volume beyond the stack
 *   ERR_NOMEM     no memory
 * Memory: the volume; the compressed file where it is compressed; the file where it is a pipe whose length has to decide (mode 0, or
 * an extended header); 16 sections where axes are permuted; a second
 * volume only for a non-orthogonal cell. The header's claim is compared with the file's length before anything is
 * allocated where that is known, and no more is ever decompressed than the header claims. Thread-safe. */
vol_t *mrc_read(const char *path, const mrc_opts_t *opts, mrc_header_t *head, notes_t *notes, err_t *err);

/* The same from the n bytes at buf; name is for messages. */
vol_t *mrc_read_mem(const unsigned char *buf, size_t n, const char *name, const mrc_opts_t *opts, mrc_header_t *head,
                    notes_t *notes, err_t *err);

/* The header alone; the data are not read (nor is their length known in a compressed file). 0, or -1 with the codes
 * of mrc_read, of which ERR_UNSUP for complex modes and image stacks, ERR_USAGE and ERR_NOTFOUND do not occur. */
int mrc_head(const char *path, const mrc_opts_t *opts, mrc_header_t *head, notes_t *notes, err_t *err);

/* How to write. {.mode = 2} or NULL: the default. */
typedef struct {
    int mode;                 /* 0, 1, 2, 6, 12; integers are rounded to nearest, ties to even */
    const char *const *label; /* label[0..labels-1], at most 9 of up to 80 bytes, after the program's own; longer is cut */
    size_t labels;
} mrc_wopts_t;

/* Write a map: MRC2014, little-endian, ISPG 1, statistics of the values as written (of the finite ones), ORIGIN, and
 * NSTART too where the origin is a whole number of voxels. A name that ends in ".gz" is compressed; "-" is standard
 * output. The file appears whole or not at all. 0, or -1:
 *   ERR_IO     cannot write
 *   ERR_RANGE  a value that the mode cannot hold (NaN in an integer mode, 300 in mode 0); nothing is written
 *   ERR_USAGE  another mode
 *   ERR_NOMEM
 * Equal volumes give equal bytes. */
int mrc_write(const char *path, const vol_t *v, const mrc_wopts_t *opts, err_t *err);

/* Every departure from MRC2014 of one file, as lines in `list` (the checks of mrcfile's validator, and more).
 * Returns 0 when the file could be judged, with list->n departures; -1 with ERR_IO, ERR_NOMEM or ERR_RANGE
 * (opts->mem_limit) when it could not. A file that is no MRC at all is one departure that says what it is. */
int mrc_validate(const char *path, const mrc_opts_t *opts, notes_t *list, err_t *err);

#endif

/* map: density maps in every format that we read; the one door for whoever wants a density.
 *
 * The bytes decide what a file is, never its name:
 *   MRC, CCP4   see mrc.h
 *   HDF5        EMAN2 and IMOD (/MDF/images), Chimera (/Chimera), else the only dataset of three dimensions (hdf5.c)
 *   TIFF        pages, or an ImageJ hyperstack, as sections (tiff.c)
 *   Situs, OpenDX (text), SPIDER, EM
 * each as it is or compressed by gzip, bzip2, xz or zstd. Other formats are refused by name. */
#ifndef CRYOLEX_MRC_MAP_H
#define CRYOLEX_MRC_MAP_H

#include "mrc/mrc.h"

/* What a file holds. Start from {0}, end with map_info_free(). */
typedef struct {
    const char *format;  /* "MRC", "HDF5", "TIFF", "Situs", "OpenDX", "SPIDER", "EM"; NULL: none of them. Static, as the next three */
    const char *layout;  /* of HDF5: "EMAN2", "IMOD", "Chimera", "one dataset"; of TIFF: "pages", "ImageJ", "OME"; "" else */
    const char *codec;   /* of the whole file: "none", "gzip", "bzip2", "xz", "zstd" */
    const char *type;    /* of a value as stored: "int8", "uint8", ..., "float64", "text" */
    bool big_endian;     /* values as stored; of no meaning for text and bytes */
    size_t size[3];      /* voxels along x, y, z of one volume, as stored */
    size_t volumes;      /* 1, or more in a stack of volumes */
    bool image_stack;    /* images, not a volume */
    bool voxel_known;    /* false: the file has no voxel size, nor did the caller; `voxel` is 1 */
    bool skewed;         /* the grid is not orthogonal */
    int axis[3];         /* 0 x, 1 y, 2 z of column, row, section as stored */
    double voxel[3];     /* angstrom, along the cell's edges */
    double angle[3];     /* degrees: alpha, beta, gamma */
    double place[3];     /* angstrom: centre of voxel (0,0,0) */
    notes_t text;        /* what else the header says, "name value" a line */
    mrc_header_t mrc;    /* of an MRC file */
} map_info_t;

void map_info_free(map_info_t *info); /* leaves {0} */

/* Read a density map of any format.
 *
 * In:   path   file name, or "-" for standard input
 *       opts   or NULL. mode0 is of MRC only; of `origin`, MRC_ORIGIN_NONE is for every format and the others let every format
 *              but MRC say where it lies
 * Out:  info   or NULL; filled as far as it was understood, also on failure
 *       notes  one line for every fault read past, and for what the reader had to decide; or NULL
 *       err    why it failed
 *
 * Returns a new volume as mrc_read() does: float32 (the nearest, where the file has wider numbers), x fastest, axes x, y, z;
 * NaN and infinities stay, with one note. Rows of images are not turned: the first row of a TIFF page is y = 0. Free with
 * vol_free(). NULL on failure, err->code as of mrc_read(), and:
 *   ERR_USAGE     no voxel size in the file (of TIFF only our own have one that can be trusted) and neither opts->apix nor opts->any_voxel
 *   ERR_UNSUP     a format, a kind of value or of compression that we do not read, named
 *   ERR_INTERNAL  a library failed
 * What a file claims is compared with its length, where the format tells, and with opts->mem_limit before memory is taken.
 * Memory: the volume; the file where it is compressed, and what that becomes for HDF5 and TIFF; one layer of chunks or a
 * strip or tile; 16 sections where axes are permuted; a second volume for a non-orthogonal cell; of HDF5 a layer of chunks once more. Thread-safe.
 * HDF5 is read by a fork of the process, since damaged files crash libhdf5: that is ERR_FORMAT here. HDF5 and libtiff print nothing. */
vol_t *map_read(const char *path, const mrc_opts_t *opts, map_info_t *info, notes_t *notes, err_t *err);

/* The same from the n bytes at buf; name is for messages. */
vol_t *map_read_mem(const unsigned char *buf, size_t n, const char *name, const mrc_opts_t *opts, map_info_t *info, notes_t *notes,
                    err_t *err);

/* Every departure of one file from its format, as lines in `list`: of MRC those of mrc_validate(), of the others what map_read() has
 * to note, and what makes it fail. 0 when the file could be judged, with list->n departures; -1 with ERR_IO, ERR_NOMEM or
 * ERR_RANGE (opts->mem_limit) when it could not. A file of no format is one departure that says what it is. That a TIFF has no
 * voxel size is none. */
int map_validate(const char *path, const mrc_opts_t *opts, notes_t *list, err_t *err);

/* Formats that are written. */
enum { MAP_BY_NAME, MAP_MRC, MAP_HDF5, MAP_TIFF };

/* How to write. {0} or NULL: the defaults. */
typedef struct {
    int format;       /* MAP_*; by name: see map_format_of(), and "-" is MRC */
    const char *type; /* of a value, "float32" where NULL. MRC: int8, int16, uint16, float16, float32 (modes 0, 1, 6, 12, 2);
                       * HDF5: uint8, uint16, float32; TIFF: uint8, int16, uint16, float32 */
    bool big_endian;
    bool scale;       /* of integers: the finite values, least to greatest, become the whole range of the type */
    bool clip;        /* what is out of range becomes the nearest limit; in integers NaN becomes 0 */
    bool bigtiff;     /* of TIFF: BigTIFF below 4 GB, too */
    const char *const *label; /* labels of the header, of up to 80 bytes; MRC takes 9, or 8 with `scale` */
    size_t labels;
} map_wopts_t;

/* Write a map.
 *   MRC   as mrc_write() does, in either byte order; compressed where the name ends in .gz
 *   HDF5  EMAN2's layout, /MDF/images/0/image, with EMAN.nx, apix_x, origin_x and so on; integers with the range that they stand
 *         for, so that scaled values read back as they were, to half a step
 *   TIFF  a page a section, uncompressed, with ImageJ's description (unit, spacing); voxel size and origin also in lines that map_read() reads.
 *         BigTIFF past 4 GB
 * Integers are rounded to nearest, ties to even. The file appears whole or not at all; HDF5 cannot go to a pipe. Equal volumes give equal
 * bytes.
 *
 * Out:  notes  a line for whatever the file cannot hold as it is: values rounded, clipped or scaled, origin, labels; or NULL
 *
 * 0, or -1:
 *   ERR_IO     cannot write
 *   ERR_RANGE  a value that the type cannot hold, without opts->clip; nothing is written
 *   ERR_USAGE  a name that tells no format; a type that the format does not have; .gz of HDF5 or TIFF; HDF5 to a pipe; scale of floats
 *   ERR_NOMEM
 * Memory beside the volume: some hundred kB, of HDF5 4 MB. Thread-safe, as map_read(). */
int map_write(const char *path, const vol_t *v, const map_wopts_t *opts, notes_t *notes, err_t *err);

/* Would map_write() take this name and these options? 0, or -1 with its ERR_USAGE; nothing is opened. */
int map_write_check(const char *path, const map_wopts_t *opts, err_t *err);

/* The format that the end of a name tells, whatever its case: .mrc, .map, .ccp4, .rec, .st MRC; .hdf, .hdf5, .h5 HDF5; .tif, .tiff TIFF;
 * *gz where .gz follows it. MAP_BY_NAME where it tells none. */
int map_format_of(const char *path, bool *gz);

#endif

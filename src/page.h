/* page: what annotate or search found for one map or model, as one HTML page.
 *
 * The page is one file: style, script and pictures are in it (pictures as data: URIs), so that it can be kept, sent and opened without
 * a network; it asks for nothing from outside, and its policy forbids that. Beside it lie, in a folder of the page's name, only what is too large for that: placed models and
 * the ChimeraX script that opens them, and in molstar/ the viewer Mol*, once for all pages of a folder. Where these are missing the page has its pictures. */
#ifndef CRYOLEX_SRC_PAGE_H
#define CRYOLEX_SRC_PAGE_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "base/err.h"
#include "base/notes.h"
#include "pipeline/describe.h"
#include "pipeline/index.h"

/* Parts of an index that pages use; for index_read() or query_open(). */
#define PAGE_PARTS                                                                                                                              \
    (INDEX_TEXT(INDEX_ID) | INDEX_TEXT(INDEX_PATH) | INDEX_TEXT(INDEX_METHOD) | INDEX_TEXT(INDEX_ORGANISMS) | INDEX_TEXT(INDEX_RESOLUTION) |    \
     INDEX_CUBE | INDEX_MAPPED)

/* What pages are made with. All is borrowed; the same one serves any number of pages. */
typedef struct {
    const index_t *index;      /* read with PAGE_PARTS at least; NULL: no thumbnails, organisms and resolutions of hits */
    const char *index_path;    /* for "search with this hit"; NULL: the index that comes with the program */
    const describer_t *describer; /* reads the query's map, and the files of hits */
    double contour;            /* of the query's map; NAN: of its header, else estimated */
    const char *structures;    /* folder of models by id (structures_find()), or NULL */
    const char *molstar;       /* folder with molstar.js and molstar.css, copied to DIR/molstar; NULL: no view in 3D */
    size_t fits;               /* best hits that are placed in the map, where their models are found */
    size_t memory;             /* bytes: limit of a fit */
    bool home;                 /* a link to index.html */
} pageopts_t;

/* The page of one answer.
 *
 * In:   answer  an object as annotate --format json prints one, or as results.h makes of search's: query, entries, terms and so on. Of any shape; what is missing or of
 *               another type is left out, and whatever text is in it is text on the page
 *       query   file of the map or model, NULL for none: then there are no pictures of it. What cannot be read is told on the page and in a note
 *       title   of the page; NULL: the file's name, without its folder
 *       dir     folder for what lies beside the page, which exists, or NULL: nothing lies beside it, nothing is placed
 *       name    of the page's own folder in dir, made when needed: letters, digits, "-", "_", "."
 * Out:  f       the page
 *       notes   what was left out and why; or NULL
 * 0, or -1: ERR_NOMEM; ERR_IO what lies beside cannot be written (whether f could be written is for the caller to see). Not thread-safe with HDF5 maps. */
int page_print(FILE *f, const json_t *answer, const char *query, const char *title, const char *dir, const char *name, const pageopts_t *o, notes_t *notes, err_t *err);

/* The same as the file DIR/NAME.html, whole or not at all. */
int page_write(const char *dir, const char *name, const json_t *answer, const char *query, const char *title, const pageopts_t *o, notes_t *notes, err_t *err);

#endif

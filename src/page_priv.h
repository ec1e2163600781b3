/* page_priv: what the parts of a page share; only page*.c include it. */
#ifndef CRYOLEX_SRC_PAGE_PRIV_H
#define CRYOLEX_SRC_PAGE_PRIV_H

#include "mrc/map.h"
#include "pdb/model.h"
#include "src/page.h"
#include "src/picture.h"
#include "voxel/tubes.h"

/* The file of a query, as far as it could be read. */
typedef struct {
    vol_t *v;             /* NULL: nothing of it */
    bool is_model;        /* v is simulated from a model */
    map_info_t info;      /* of a map */
    emdb_t header;
    bool has_header;
    notes_t faults;       /* what was odd in it, and from where the header comes */
    double level;
    const char *level_from;
    surface_t *s;
    double centre[3], half; /* of it, angstrom */
    tubeat_t *tube;       /* (tubes) of a model */
    size_t tubes;
    float *density;       /* (CUBE_SIDE,CUBE_SIDE,CUBE_SIDE) its canonical cube, or NULL */
    float *unit;          /* (DESC_LEN) that for comparison (desc_unit()); NULL as density */
    double rg;
} subject_t;

typedef struct {
    FILE *f;
    const json_t *answer;
    const char *query, *title, *dir, *name;
    const pageopts_t *o;
    notes_t *notes;
    subject_t q;
    raycast_room_t room;
} page_t;

/* Read the query's file into p->q. What fails is a note and a fault; never an error but ERR_NOMEM. */
int page_read_query(page_t *p, err_t *err);
void page_free_query(page_t *p);

/* Sections. 0, or -1: ERR_NOMEM, ERR_IO. */
int page_pictures(page_t *p, err_t *err); /* of the query */
int page_facts(page_t *p, err_t *err);    /* of it, and the faults that were read past */
int page_hits(page_t *p, err_t *err);
int page_terms(page_t *p, err_t *err);
int page_fits(page_t *p, err_t *err);     /* models placed in the map, in 3D and as pictures */
int page_downloads(page_t *p, err_t *err);

/* <img> of a picture, with alt text; ends the picture. */
int page_image(page_t *p, picture_t *x, const char *class, const char *alt, err_t *err);

/* An address of the entry or term; false (and nothing) for what has none. */
bool page_entry_url(const char *id, char out[256]);
bool page_term_url(const char *id, char out[256]);

/* A probability as a bar and a number; "-" for NAN. */
void page_bar(FILE *f, double p);

/* The file of an index entry: its own path, else by its id in the folder of structures. NULL: neither is there. mem_free(). */
char *page_entry_file(const page_t *p, const char *id);

/* Row of an entry in the index by its id, -1 none. */
long page_entry_row(const page_t *p, const char *id);

#endif

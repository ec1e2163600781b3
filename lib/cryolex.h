/* cryolex.h: libcryolex, what is this cryo-EM map, and what does it do?
 *
 *     clx_err_t err = {0};
 *     clx_t *c = clx_open(NULL, NULL, &err);                        the index and the model that come with the library
 *     clx_query_t *q = c ? clx_query_file(c, "map.mrc", NULL, &err) : NULL;
 *     clx_hits_t *h = q ? clx_search(c, q, 10, &err) : NULL;        the ten nearest entries
 *     if (!h) fprintf(stderr, "%s\n", err.msg);
 *
 * The numbers are those of the commands `cryolex search` and `cryolex annotate` with the same index and model.
 *
 * Errors. Functions that can fail take an error value of the caller's, which starts from {0} and may be NULL, and return a handle or
 * NULL, or 0 or -1. The first error is kept: set the value to {0} before it is used again. The library never prints and never ends the process.
 *
 * Ownership. What clx_open, clx_query_*, clx_search* and clx_annotate return is the caller's, to be given to the _free or _close of its
 * name, which take NULL too. Pointers that other functions return belong to the handle that they were asked of, and live as long as it
 * does; hits and annotations also point into the clx_t that they are of, so that it is closed last. Arguments are borrowed for the
 * call. Strings are UTF-8 and zero-ended, without control characters: what is none in a file, or in the name of one, is '?'; what is not known is "", or NAN
 * where it is a number.
 *
 * Threads. Any function may be called from any thread, with the same handles too, as long as none is freed meanwhile. Queries of one
 * clx_t are embedded one after the other. Each call works on every core, or on as many as the environment variable OMP_NUM_THREADS says;
 * results are the same bytes for any number. Calls must not come from inside an OpenMP parallel region of the caller's. While a call runs, OpenBLAS
 * is set to one thread, which another user of the same library in the process shares. clx_open reads HDF5, whose library in most builds
 * takes one thread at a time: calls of clx_open wait for one another, but a process that uses libhdf5 itself must not do so meanwhile, and finds its
 * printing of errors turned off. FFTW in single precision (libfftw3f) has one planner for a process: who uses it too must not plan, or touch wisdom, while a call runs,
 * unless fftwf_make_planner_thread_safe() came before both; fftwf_execute() is free. fftwf_cleanup() spoils the library's plans, which live as long as the process; wisdom and
 * fftwf_plan_with_nthreads() change them, and with them the last digits of results. Environment variables are read: not while another thread sets some.
 *
 * Processes. A child made by fork() after a call has not the threads of OpenMP that its parent has, and must not call the library, which would wait for them for
 * ever: let it exec (in Python, multiprocessing by "spawn"), or fork before the first call. A map in HDF5 is read by such a child of the library's own, which ends with
 * the call: a process that waits for any child, or ignores SIGCHLD, may see it, and must not do so meanwhile.
 *
 * Compatibility. Within one version of the shared library (libcryolex.so.0) functions keep their meaning. Structures that functions return pointers
 * to may get more members at their end, and those that the caller fills tell by their `size` how many they have.
 *
 * Letters: n entries; d numbers of an embedding; p poses of a query; s side of a cube. Lengths are in angstrom. */
#ifndef CRYOLEX_H
#define CRYOLEX_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CLX_VERSION "0.1.0" /* of this header; that of the library is clx_version() */
const char *clx_version(void);

/* ---- errors ---- */

enum {
    CLX_OK,
    CLX_IO,       /* cannot open, read or write; shorter than promised */
    CLX_FORMAT,   /* the bytes do not make sense as the format they claim */
    CLX_RANGE,    /* a number outside what is accepted, or past a memory limit; a density with nothing in it */
    CLX_UNSUP,    /* well-formed, but of a kind that is not read; an index or a model that has not what is asked for */
    CLX_NOMEM,    /* no memory */
    CLX_USAGE,    /* an argument that is not possible */
    CLX_NOTFOUND, /* a name, a file that comes with the library, or a text encoder that is not there */
    CLX_INTERNAL  /* a fault of this library or of one below it */
};

typedef struct {
    int code;      /* CLX_OK, or why it failed */
    char msg[512]; /* "what: found (wanted)", one line, with the file's name */
} clx_err_t;

const char *clx_err_name(int code); /* "ok", "io", "format", "range", "unsupported", "nomem", "usage", "notfound", "internal"; static */

/* ---- an index and its model ---- */

typedef struct clx clx_t;

/* An entry of the index. */
typedef struct {
    const char *id, *title, *method, *molecules, *organisms;
    double resolution; /* as deposited; NAN unknown */
    double rg;         /* radius of gyration */
    double volume;     /* cubic angstrom of the envelope at the resolution of the canonical cube */
} clx_entry_t;

/* Open an index and the model that it was made with.
 * In:   index, model  files; NULL: what the environment variable CRYOLEX_INDEX or CRYOLEX_MODEL names, else the file that comes with the
 *                     library, in the folder that CRYOLEX_SHARE names or in that of the installation
 * NULL: CLX_NOTFOUND neither is there; CLX_IO, CLX_FORMAT, CLX_RANGE, CLX_UNSUP a file that cannot be read, is damaged, or of another
 * version; an index without embeddings, or of another model than this one; CLX_NOMEM. Memory is that of the index without its cubes, which stay in the file
 * where they are not compressed: the file must not be changed while it is open (replaced it may be). Memory that queries took is kept for the next, until a
 * clx_close. */
clx_t *clx_open(const char *index, const char *model, clx_err_t *err);
void clx_close(clx_t *c);

size_t clx_entries(const clx_t *c);                             /* n */
const clx_entry_t *clx_entry(const clx_t *c, size_t row);       /* NULL: row is not below n */
const float *clx_embeddings(const clx_t *c, size_t *n, size_t *d); /* (n, d), each of length 1; n and d may be NULL */

/* ---- queries ---- */

typedef struct clx_query clx_query_t;

/* How to read a query's file: start from {.size = sizeof(clx_how_t)}, which is the same as NULL instead. */
typedef struct {
    size_t size;           /* sizeof(clx_how_t) */
    const double *contour; /* contour level, in the map's units; NULL: that of the map's EMDB header, else none is needed */
    double voxel;          /* voxel size, instead of the file's; 0: the file's */
    const char *half;      /* file of the other half-map, the query's being one: they are averaged; NULL: none */
    const char *assembly;  /* of a model: id of the biological assembly, or "asu"; NULL: the first, or of EM entries the model as deposited */
    const char *header;    /* EMDB header, or folder of headers; NULL: looked for beside the map; "": not looked for */
    size_t memory;         /* bytes that reading a map may take; 0: no limit */
} clx_how_t;

/* A query from a file: a map (MRC, CCP4, HDF5, TIFF, Situs, OpenDX, SPIDER or EM, plain or compressed, told by its content) or an atomic
 * model (PDB, mmCIF, plain or gzip). A map of more than 512^3 voxels is read onto a coarser grid.
 * NULL: CLX_IO, CLX_FORMAT, CLX_UNSUP, CLX_INTERNAL the file; CLX_USAGE a file without a voxel size, a stack of volumes, how->size; CLX_RANGE a size, how->memory, or
 * no density above the contour; CLX_NOTFOUND the assembly; CLX_NOMEM. */
clx_query_t *clx_query_file(clx_t *c, const char *path, const clx_how_t *how, clx_err_t *err);

/* A query from a density in memory.
 * In:   data     (nz, ny, nx) float32, x fastest: a C-ordered NumPy array of shape (nz, ny, nx). In any units; NaN counts as 0
 *       voxel    (3) voxel size along x, y, z, above 0
 *       contour  level, in the units of data; NULL: none is needed
 * The hand matters: x, y, z are right-handed. NULL: CLX_USAGE a voxel size that is not above 0 and finite; CLX_RANGE a side outside 1..32768, or no density above
 * the contour; CLX_NOMEM. Memory: a copy of data, and what the Fourier transform of it takes. */
clx_query_t *clx_query_array(clx_t *c, const float *data, size_t nx, size_t ny, size_t nz, const double voxel[3], const double *contour,
                             clx_err_t *err);
void clx_query_free(clx_query_t *q);

/* What is known of a query. */
typedef struct {
    int is_model;          /* 1 an atomic model, 0 a map */
    int contour_estimated; /* 1: of a map's file, and neither given nor of a header; for information, the query does not depend on it. 0 of an array, where none is estimated */
    double contour;        /* NAN for a model, or an array without one */
    double rg, volume;     /* as of clx_entry_t */
    double mass;           /* kilodaltons, by the volume */
    double resolution;     /* of two half-maps, else of the header or the model's file; NAN unknown */
    const char *title, *method, *molecules, *organisms; /* of the header or the model's file */
    size_t notes;          /* faults that were read past, and what the reader had to decide, */
    const char *const *note; /* (notes) one line each */
} clx_about_t;

const clx_about_t *clx_query_about(const clx_query_t *q);
const float *clx_query_embeddings(const clx_query_t *q, size_t *p, size_t *d); /* (p, d), of length 1: an entry is compared with the nearest
                                                                                * of p poses; p and d may be NULL */
const float *clx_query_cube(const clx_query_t *q, size_t *s); /* (s, s, s), x fastest, 0..1: the canonical cube, whose edge is 5 rg */

/* Point group of the density: "C1" (none seen) to "C12", "D2" to "D12", "T", "O", "I", and the least correlation of the density with itself under its rotations
 * (1 for C1); score may be NULL. 0, or -1: CLX_NOMEM. */
int clx_query_symmetry(const clx_query_t *q, char group[8], double *score, clx_err_t *err);

/* ---- search ---- */

typedef struct clx_hits clx_hits_t;

typedef struct {
    const clx_entry_t *entry;
    size_t row;        /* of the index */
    double score;      /* higher is nearer */
    double confidence; /* 0..1: probability that it is the same protein; NAN of a text */
    double cosine;     /* of the embeddings, -1..1 */
    double cube;       /* aligned correlation of the canonical cubes, -1..1; NAN of a text */
    double dlog_rg;    /* ln(rg of the entry / rg of the query); NAN of a text */
} clx_hit_t;

/* The `top` entries nearest to a query, best first: `cryolex search`. NULL: CLX_USAGE top is 0; CLX_NOMEM. */
clx_hits_t *clx_search(clx_t *c, const clx_query_t *q, size_t top, clx_err_t *err);

/* The entries nearest to a text: `cryolex search --text`.
 * In:   encoder  the sentence encoder of the model: "minilm", "mpnet" (in the user's cache, where fetch-text-model puts them) or a folder;
 *                NULL: what CRYOLEX_TEXT_MODEL says, else minilm. It is kept open for the next text
 * NULL: CLX_USAGE top is 0, or an empty text; CLX_NOTFOUND no such encoder; CLX_UNSUP the model knows no text, or was trained with another
 * encoder; CLX_IO, CLX_FORMAT its files, or a text that is not UTF-8; CLX_NOMEM. */
clx_hits_t *clx_search_text(clx_t *c, const char *text, const char *encoder, size_t top, clx_err_t *err);

size_t clx_hits_count(const clx_hits_t *h);                     /* top, or n where that is less */
const clx_hit_t *clx_hits_at(const clx_hits_t *h, size_t i);    /* NULL: i is not below the count */
void clx_hits_free(clx_hits_t *h);

/* ---- what it is and does ---- */

typedef struct clx_annotation clx_annotation_t;

/* Kinds of terms. */
enum { CLX_FUNCTION = 1, CLX_PROCESS = 2, CLX_COMPONENT = 4, CLX_EC = 8, CLX_PFAM = 16, CLX_CATH = 32, CLX_MOLECULE = 64, CLX_TERMS_ALL = 127 };

/* What is told: start from CLX_TELL, which is the same as NULL instead. */
typedef struct {
    size_t size;           /* sizeof(clx_tell_t) */
    size_t voters;         /* nearest entries whose terms count, above 0 */
    size_t terms;          /* most terms of a kind, above 0 */
    double min_confidence; /* 0..1: terms below are left out */
    unsigned kinds;        /* sum of kinds above */
    int ancestors;         /* 1: also general terms that follow from special ones */
    int force;             /* 1: terms of a novel query, too */
} clx_tell_t;
#define CLX_TELL {sizeof(clx_tell_t), 50, 8, 0.3, CLX_TERMS_ALL, 0, 0}

typedef struct {
    int kind;            /* CLX_FUNCTION, ... */
    const char *space;   /* "molecular_function", "biological_process", "cellular_component", "ec", "pfam", "cath", "molecule" */
    const char *id;      /* "GO:0003824", "EC:3.2.1.17", "PF00042", "CATH:1.10.490.10"; "" of a molecule */
    const char *name;
    double confidence;   /* 0..1: probability that the query has it */
    double vote;         /* share of the nearest entries, by weight, that have it */
    double text;         /* standard deviations by which the cosine of query and term stands above the mean of the kind; NAN of a molecule */
    size_t hits;         /* how many of the nearest entries have it, */
    size_t nearest;      /* and the first of these: */
    size_t rank[3];      /* (nearest) their places in clx_annotation_hits(), from 0 */
} clx_term_t;

/* What a query is and does: `cryolex annotate`. NULL: CLX_USAGE a member of tell that is not possible; CLX_NOMEM. */
clx_annotation_t *clx_annotate(clx_t *c, const clx_query_t *q, const clx_tell_t *tell, clx_err_t *err);
double clx_annotation_known(const clx_annotation_t *a); /* probability that a relative is among the ten nearest entries; NAN: the index is not calibrated */
int clx_annotation_novel(const clx_annotation_t *a);    /* 1: that is so low that no term is told, unless forced */
const clx_hits_t *clx_annotation_hits(const clx_annotation_t *a); /* nearest entries, best first; not to be freed */
size_t clx_annotation_count(const clx_annotation_t *a); /* of terms, by kind in the order above, then by confidence */
const clx_term_t *clx_annotation_at(const clx_annotation_t *a, size_t i); /* NULL: i is not below the count */
void clx_annotation_free(clx_annotation_t *a);

#ifdef __cplusplus
}
#endif
#endif

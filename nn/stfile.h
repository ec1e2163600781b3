/* stfile: safetensors files, read by mmap and written atomically.
 * Format: 8 bytes little endian with the length of a JSON header; the header, name -> {dtype, shape, data_offsets [begin,
 * end) from the end of the header}, and __metadata__, string -> string; the data, row major, little endian.
 * Source: https://github.com/huggingface/safetensors (format). */
#ifndef CRYOLEX_NN_STFILE_H
#define CRYOLEX_NN_STFILE_H

#include <stddef.h>

#include "base/err.h"

#define STFILE_DIMS 8
#define STFILE_HEADER_MAX (100u << 20) /* bytes, as in the reference implementation */

typedef enum { ST_F64, ST_F32, ST_F16, ST_BF16, ST_I64, ST_I32, ST_I16, ST_I8, ST_U64, ST_U32, ST_U16, ST_U8, ST_BOOL, ST_COUNT } sttype_t;

typedef struct {
    const char *name;
    sttype_t type;
    size_t ndim, shape[STFILE_DIMS];
    size_t count;      /* elements */
    const void *data;  /* bytes; may lie unaligned */
} sttensor_t;

typedef struct stfile stfile_t;

/* Open and check all: header within the file and at most STFILE_HEADER_MAX; strict JSON, no key twice; known dtypes; products
 * without overflow; offsets that fit shape and dtype, do not overlap, leave no hole, and end with the file. Further fields
 * of a tensor are passed over. A file that is cut while it is open ends the program (SIGBUS), as with any mmap.
 * NULL: ERR_IO (cannot open, not a regular file, shorter than its header promises), ERR_FORMAT (the message names file,
 * tensor and field), ERR_UNSUP (another dtype, more than STFILE_DIMS, more than 4 million JSON values), ERR_NOMEM.
 * Free with stfile_close(). Tensors and strings live as long as the file. Thread-safe once open. */
stfile_t *stfile_open(const char *path, err_t *err);
stfile_t *stfile_mem(const char *name, const void *bytes, size_t size, err_t *err); /* bytes are borrowed; name for messages */
void stfile_close(stfile_t *f); /* NULL is fine */

size_t stfile_count(const stfile_t *f);                          /* in the order of the data */
const sttensor_t *stfile_at(const stfile_t *f, size_t i);
const sttensor_t *stfile_find(const stfile_t *f, const char *name); /* NULL: there is none */
const char *stfile_meta(const stfile_t *f, const char *key);        /* NULL: there is none */

/* Elements as float32, from F64, F32, F16 or BF16. 0, or -1 ERR_UNSUP another type (the message names the tensor). */
int stfile_floats(const stfile_t *f, const sttensor_t *t, float *out, err_t *err);
/* The same with the shape checked: ERR_FORMAT when there is no such tensor or it has another shape, both named. */
int stfile_get(const stfile_t *f, const char *name, size_t ndim, const size_t *shape, float *out, err_t *err);

typedef struct {
    const char *key, *value;
} stmeta_t;

/* Write tensors (names unique, data in the machine's order, which is the file's: configure refuses big-endian machines)
 * and metadata: to a temporary file, synced and renamed. Tensors stand in the order given; the first begins at a multiple
 * of 8. Equal input gives equal bytes. 0, or -1: ERR_IO; ERR_NOMEM; ERR_USAGE: a name twice, "__metadata__", text that is
 * not UTF-8, a count that is not the shape's, a header past STFILE_HEADER_MAX. */
int stfile_write(const char *path, const sttensor_t *t, size_t n, const stmeta_t *meta, size_t nmeta, err_t *err);

#endif

/* modelfile: an encoder as a file (DESIGN 5): safetensors, its tensors under the network's own names, those of PyTorch, and
 * all else as metadata:
 *   format      "cryolex model 1"
 *   network     the table of nn/net.h, JSON
 *   cube        JSON {"side", "version", "edge", "shells"}: what cube.h has to make
 *   features    JSON list of names, in order: "log_rg", "profile", "zernike" (encoder.h)
 *   frames      "4" or "1"
 *   provenance  JSON object: how the parameters came about; "trained": false where they are starting values
 * A model that knows text has besides
 *   text        JSON {"name", "hash", "dim"}: the frozen sentence encoder (text/sentence.h)
 *   tensor text.weight (d, dim): a text's embedding is this times the sentence's vector, at unit length
 * and one that was trained
 *   scales      JSON {"view", "text"}: what cosines between structures, and of a structure with a text, were multiplied by */
#ifndef CRYOLEX_PIPELINE_MODELFILE_H
#define CRYOLEX_PIPELINE_MODELFILE_H

#include <stdbool.h>

#include "base/err.h"
#include "text/sentence.h"
#include "voxel/encoder.h"

#define MODELFILE_FORMAT "cryolex model 1"
#define MODELFILE_MAX ((size_t)1 << 32) /* bytes */
#define MODELFILE_TEXT "text.weight"    /* name of the tensor, which no layer of a network may have */
#define MODELFILE_DIM_MAX 65536         /* of a sentence's vector */

/* From sentence vectors to the space of the encoder. All owned. */
typedef struct {
    size_t dim;               /* of a sentence's vector; 0: the model knows no text */
    float *weight;            /* (d, dim) */
    char *name;               /* of the sentence encoder, */
    char hash[SENTENCE_HASH]; /* and its hash */
} modeltext_t;

typedef struct {
    encoder_t *encoder;
    modeltext_t text;
    double scale_view, scale_text; /* 0: unknown */
    char *provenance; /* JSON object */
    bool half;        /* write parameters in float16 */
    bool untrained;   /* read: provenance has "trained": false */
    char hash[17];    /* CRC-64 (that of xz) of the bytes of the file, in hexadecimal: tells models apart, proves nothing.
                       * "" for one that was not read */
} modelfile_t;

/* Read and check all. End with modelfile_free().
 * 0, or -1 with *m empty:
 *   ERR_IO      cannot read, or cut short
 *   ERR_RANGE   larger than MODELFILE_MAX
 *   ERR_UNSUP   another format, a cube that this program does not make, a feature or type of tensor that it does not know
 *   ERR_FORMAT  no safetensors; metadata missing or damaged; a network that is no encoder (net_new, encoder_new); a tensor
 *               that is missing, of another shape or too many; a value that is not finite, a running variance below 0
 *   ERR_NOMEM
 * Messages name the file. */
int modelfile_read(const char *path, modelfile_t *m, err_t *err);
void modelfile_free(modelfile_t *m); /* leaves {0} */

/* Write atomically; equal input gives equal bytes. 0, or -1: ERR_IO; ERR_NOMEM. */
int modelfile_write(const char *path, const modelfile_t *m, err_t *err);

/* out (n, d): embeddings of n sentence vectors (n, dim), of length 1; all 0 where a vector is projected to nothing. One thread. */
void modelfile_project(const modelfile_t *m, size_t n, const float *text, float *out);

#endif

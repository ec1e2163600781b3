/* modelfile: an encoder as a file (DESIGN 5): safetensors, its tensors under the network's own names, those of PyTorch, and
 * all else as metadata:
 *   format      "cryolex model 1"
 *   network     the table of nn/net.h, JSON
 *   cube        JSON {"side", "version", "edge", "shells"}: what cube.h has to make
 *   features    JSON list of names, in order: "log_rg", "profile", "zernike" (encoder.h)
 *   frames      "4" or "1"
 *   provenance  JSON object: how the parameters came about; "trained": false where they are starting values */
#ifndef CRYOLEX_PIPELINE_MODELFILE_H
#define CRYOLEX_PIPELINE_MODELFILE_H

#include <stdbool.h>

#include "base/err.h"
#include "voxel/encoder.h"

#define MODELFILE_FORMAT "cryolex model 1"
#define MODELFILE_MAX ((size_t)1 << 32) /* bytes */

typedef struct {
    encoder_t *encoder;
    char *provenance; /* JSON object */
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

/* Write atomically; equal input gives equal bytes. 0, or -1: ERR_IO; ERR_UNSUP a network for another cube than that of
 * cube.h; ERR_NOMEM. */
int modelfile_write(const char *path, const modelfile_t *m, err_t *err);

#endif

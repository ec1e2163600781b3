/* train_start: where the linear path of a posed network starts: the principal components of the clean cubes. */
#ifndef CRYOLEX_PIPELINE_TRAIN_START_H
#define CRYOLEX_PIPELINE_TRAIN_START_H

#include <stdint.h>

#include "base/err.h"
#include "pipeline/train_data.h"
#include "voxel/encoder.h"

#define TRAIN_LINEAR "skip_fc.weight" /* the tensor of that path (encoder_table.h) */
#define TRAIN_START_SCALE 16.0f /* of the components: what the other path, which starts at random, adds is little beside them */

/* Set the layer "skip_fc" of e, a linear map of the whole cube (encoder_table.h), to the d leading principal components, not centred,
 * of the clean cubes of the training split, each with its mean off and of length 1, times TRAIN_START_SCALE. The cosine of two
 * embeddings then starts as nearly the correlation of the two cubes, and training goes on from there. A random linear map of as many
 * numbers starts far below. Where there are fewer entries than d, the rows beyond are 0. A network without such a layer stays as it is.
 * Then, unless view is NULL, directions in which EM-like views of the entries differ from their clean cubes are made smaller: the
 * map is multiplied by (C + mean(diagonal of C))^-1/2, C the covariance of those differences among the components (within-class
 * covariance normalisation, Hatch, Kajarekar and Stolcke 2006, Interspeech).
 * By block power iteration from random starting vectors (Halko, Martinsson and Tropp 2011, SIAM Rev. 53:217), which need not
 * converge to be of use. The same bytes for any number of threads, with OpenBLAS at one, and on every rank.
 * 0, or -1: ERR_NOMEM. */
int trainstart_linear(const traindata_t *t, encoder_t *e, const viewopts_t *view, uint64_t seed, err_t *err);

#endif

/* indexopts: how to store an index, and what its entries do: what the commands that write one have in common. */
#ifndef CRYOLEX_SRC_INDEXOPTS_H
#define CRYOLEX_SRC_INDEXOPTS_H

#include "pipeline/index.h"
#include "pipeline/modelfile.h"
#include "pipeline/manifest.h"
#include "src/cmd.h"
#include "src/headopts.h"
#include "src/mapopts.h"

typedef struct {
    const char *without, *scoring;
    bool compact, float32;
} storeopts_t;

extern const opt_t storeopts_rows[];

/* Take the options into the index. 0, or -1 with ERR_USAGE. */
int storeopts_take(const char *cmd, const storeopts_t *o, index_t *x, err_t *err);

/* What the entries of an index are made of, and with what: options of the commands that describe them. */
typedef struct {
    const char *model, *annot, *text_model, *assembly;
    storeopts_t store;
    mapopts_t map;
    headopts_t header;
} entryopts_t;

/* Read the manifest, folders and files that the index `out` is to be made of into *m, {0} before, and get ready for describing them. 0, or -1: ERR_USAGE the index
 * would be in the place of one of them, or of the model; the errors of inputs_read(), describe_new() and headopts_where(). */
int entryopts_open(const app_t *app, const char *out, const entryopts_t *o, int argc, char **argv, manifest_t *m, describer_t *d, err_t *err);

#define ANNOT_HELP                                                                                                                   \
    "Give the entries the GO terms, EC numbers and Pfam families that the tables in FOLDER (see cryolex caption -h) know for their PDB ids (the ids up " \
    "to the first _) or EMDB ids (emd_1234, EMD-1234), and titles where there are none. With a model that knows text the terms are embedded, too"
#define TEXT_MODEL_HELP                                                                                                              \
    "The sentence encoder of the model, for the terms: minilm, mpnet or a folder; without it, what the environment variable "         \
    "CRYOLEX_TEXT_MODEL says, else minilm"

/* Give all entries the terms and names of the tables in `annot`, in place of terms that they have; embedded where a model (NULL or {0}: none), read from model_path, knows
 * text. out: the index, for the log. 0, or -1. */
int indexopts_annotate(const app_t *app, const char *out, const char *annot, const char *text_model, const modelfile_t *model, const char *model_path,
                       index_t *x, err_t *err);

#endif

/* table: one cmd_t in each cmd_<name>.c, listed by table.c. */
#ifndef CRYOLEX_SRC_TABLE_H
#define CRYOLEX_SRC_TABLE_H

#include "src/cmd.h"

extern const cmd_t cmd_info, cmd_validate, cmd_resample, cmd_simulate, cmd_index_build, cmd_index_info, cmd_index_merge, cmd_index_update, cmd_index_calibrate,
    cmd_dataset_build, cmd_dataset_info, cmd_dataset_preview, cmd_search, cmd_annotate, cmd_embed, cmd_encode_text, cmd_model_new,
    cmd_model_info, cmd_model_compact, cmd_train, cmd_caption, cmd_convert, cmd_fsc, cmd_fit, cmd_bench, cmd_nearest, cmd_sweep,
    cmd_render, cmd_report, cmd_serve;

#endif

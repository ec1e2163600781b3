/* table: the commands of the program, in the order of `cryolex -h`. */
#include "src/table.h"

const cmd_t *const cmd_table[] = {
    &cmd_info,
    &cmd_validate,
    &cmd_resample,
    &cmd_simulate,
    &cmd_fsc,
    &cmd_convert,
    &cmd_index_build,
    &cmd_index_info,
    &cmd_index_merge,
    &cmd_search,
    &cmd_annotate,
    &cmd_fit,
    &cmd_bench,
    &cmd_embed,
    &cmd_encode_text,
    &cmd_caption,
    &cmd_dataset_build,
    &cmd_dataset_info,
    &cmd_dataset_preview,
    &cmd_model_new,
    &cmd_model_info,
    &cmd_model_compact,
    &cmd_train,
    NULL,
};

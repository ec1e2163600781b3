/* table: the commands of the program, in the order of `cryolex -h`. */
#include "src/table.h"

const cmd_t *const cmd_table[] = {
    &cmd_info,
    &cmd_validate,
    &cmd_simulate,
    NULL,
};

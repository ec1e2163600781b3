/* cryolex validate: departures of density files from MRC2014. */
#include <stdio.h>

#include "mrc/mrc.h"
#include "src/mapopts.h"
#include "src/table.h"

static int run(const app_t *app, const void *opts, int argc, char **argv)
{
    (void)opts;
    int status = EXIT_DONE;
    mrc_opts_t o = {.mem_limit = app->memory};
    for (int i = 0; i < argc; i++) {
        notes_t list = {0};
        err_t err = {0};
        if (mrc_validate(argv[i], &o, &list, &err)) {
            log_msg(&app->log, LOG_ERROR, "%s", err.msg);
            status = EXIT_SOME_FAILED;
        }
        for (size_t k = 0; k < list.n; k++) printf("%s\t%s\n", argv[i], list.line[k]);
        if (list.n) status = EXIT_SOME_FAILED;
        notes_free(&list);
    }
    return status;
}

const cmd_t cmd_validate = {
    .name = "validate",
    .args = "FILE...",
    .summary = "Every departure of density maps from MRC2014",
    .about = "One line a departure: the file, a tab, and the header field (or \"file\", \"data\") with what was found\n"
             "and, in brackets, what MRC2014 wants. A file that conforms prints nothing. Compressed files are\n"
             "judged by what is in them; \"-\" is standard input.\n\n"
             "Status 0 when every file conforms, 1 when one does not or cannot be read.",
    .example = "cryolex validate emd_1080.map.gz",
    .min_args = 1,
    .max_args = -1,
    .run = run,
};

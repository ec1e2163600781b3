/* cryolex validate: departures of density files from their format. */
#include <stdio.h>

#include "base/tsv.h"
#include "mrc/map.h"
#include "src/mapopts.h"
#include "src/table.h"

static int run(const app_t *app, const void *opts, int argc, char **argv)
{
    (void)opts;
    int failed = 0;
    bool departs = false;
    printf("file\tdeparture\n");
    mrc_opts_t o = {.mem_limit = app->memory};
    for (int i = 0; i < argc; i++) {
        notes_t list = {0};
        err_t err = {0};
        if (map_validate(argv[i], &o, &list, &err)) {
            log_msg(&app->log, LOG_ERROR, "%s", err.msg);
            failed++;
        }
        for (size_t k = 0; k < list.n; k++) {
            tsv_put(stdout, argv[i]);
            printf("\t%s\n", list.line[k]);
        }
        departs = departs || list.n;
        notes_free(&list);
    }
    if (failed == argc) return EXIT_NOT_RUN;
    return failed || departs ? EXIT_SOME_FAILED : EXIT_DONE;
}

const cmd_t cmd_validate = {
    .name = "validate",
    .args = "FILE...",
    .summary = "Every departure of density maps from their format",
    .about = "After a header row, one line a departure: the file, a tab, and the header field (or \"file\", \"data\") with what was found\n"
             "and, in brackets, what MRC2014 wants. A file that conforms has no line. Of the other formats that are read\n"
             "a line is what had to be read past, or why the file cannot be read. Compressed files are\n"
             "judged by what is in them; \"-\" is standard input.\n\n"
             "Status 0 when every file conforms, 1 when one does not or some cannot be read, 3 when none can.",
    .example = "cryolex validate emd_1080.map.gz",
    .min_args = 1,
    .max_args = -1,
    .run = run,
};

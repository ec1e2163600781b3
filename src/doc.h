/* doc: help, man pages and shell completion, all from the command and option tables. */
#ifndef CRYOLEX_SRC_DOC_H
#define CRYOLEX_SRC_DOC_H

#include <stdio.h>

#include "src/cmd.h"

void doc_overview(FILE *f);                                   /* cryolex -h */
void doc_version(FILE *f);                                    /* cryolex --version: version, then the parts built in */
void doc_help(const cmd_t *c, const opt_t *common, FILE *f);  /* cryolex CMD -h */
int doc_man(const char *page, const opt_t *common, FILE *f);  /* "cryolex" or a command with '-' for ' '; exit status */
void doc_completion(const opt_t *common, FILE *f);            /* a bash completion script */

#endif

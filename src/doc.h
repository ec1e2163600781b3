/* doc: help, man pages and shell completion, all from the command and option tables. */
#ifndef CRYOLEX_SRC_DOC_H
#define CRYOLEX_SRC_DOC_H

#include <stdio.h>

#include "src/cmd.h"

void doc_overview(FILE *f);                                  /* cryolex -h */
void doc_version(FILE *f);                                   /* cryolex --version: version, then the parts built in */
void doc_help(const cmd_t *c, const opt_t *common, FILE *f); /* cryolex CMD -h */
void doc_pages(FILE *f);                                     /* the names of the man pages, one a line */
void doc_completion(const opt_t *common, FILE *f);           /* a bash completion script */

/* One man page by its name in doc_pages(). 0, or -1 when there is no such page. */
int doc_man(const char *page, const opt_t *common, FILE *f);

/* The second words of the commands whose first of two words is `first`, with `before` ahead of them and `between` between.
 * How many there are; nothing is printed when there are none. */
int doc_group(const char *first, const char *before, const char *between, FILE *f);

/* Those commands with what they do. How many, and nothing printed where none, likewise. */
int doc_group_help(const char *first, FILE *f);

#endif

/* page_text: style and scripts of pages, which the build makes strings of (page.css, page.js, overview.js); and the frame that all pages have. */
#ifndef CRYOLEX_SRC_PAGE_TEXT_H
#define CRYOLEX_SRC_PAGE_TEXT_H

#include <stdbool.h>
#include <stdio.h>

/* Lines, with their ends; NULL is the end. */
extern const char *const page_css[], *const page_js[], *const overview_js[];

void page_text(FILE *f, const char *const *line);

/* From the doctype to <body>, for a page that may show Mol* or not; from <footer> to the end, with the script of pages and one more, or NULL. */
void page_head(FILE *f, const char *title, bool viewer);
void page_foot(FILE *f, const char *const *script);

#endif

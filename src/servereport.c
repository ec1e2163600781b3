/* servereport: the report page of a query (see servereport.h). */
#include "src/servereport.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/html.h"
#include "src/page.h"
#include "src/query.h"

static const char back[] = "<nav><p><a href=\"/\">Another query</a></p></nav>\n";

/* html without the path, and with a way back to the form. */
static int put_page(FILE *f, const char *html, const char *path, const char *name, err_t *err)
{
    const char *end = strstr(html, "</body>"), *at;
    size_t n = strlen(path);
    while ((at = strstr(html, path))) {
        if (end && at > end) break;
        fwrite(html, 1, (size_t)(at - html), f);
        html_text(f, name);
        html = at + n;
    }
    if (end) {
        fwrite(html, 1, (size_t)(end - html), f);
        fputs(back, f);
        html = end;
    }
    fputs(html, f);
    return fflush(f) || ferror(f) ? err_set(err, ERR_IO, "the page cannot be kept") : 0;
}

int servereport_print(FILE *f, const job_t *j, const char *path, const joblimits_t *lim, err_t *err)
{
    app_t app = {.cmd = "serve", .memory = lim->memory, .threads = lim->threads}; /* a log without a file says nothing */
    queryopts_t look = {.index = lim->index, .model = lim->model, .contour = j->contour, .header = {.off = true}};
    mapopts_t map = {.apix = isnan(j->apix) ? 0 : j->apix};
    query_t q = {0};
    notes_t notes = {0};
    char *html = NULL;
    size_t n = 0;
    json_t *answer = json_loads(j->result, 0, NULL);
    FILE *m = open_memstream(&html, &n);
    int rc = m && answer ? query_open(&q, &app, &look, &map, 1, QUERY_PLAIN, PAGE_PARTS, 0, 0, err) : err_set(err, ERR_NOMEM, "no memory for a page");
    pageopts_t how = {.index = &q.x, .index_path = lim->index, .describer = &q.d, .contour = j->contour, .memory = lim->memory};
    if (!rc) rc = page_print(m, answer, path, j->name, NULL, "query", &how, &notes, err);
    if (m && fclose(m) && !rc) rc = err_set(err, ERR_NOMEM, "no memory for a page");
    if (!rc) rc = put_page(f, html, path, j->name, err);
    free(html); /* of the stream */
    notes_free(&notes);
    query_close(&q);
    json_decref(answer);
    return rc;
}

/* dump_emdb: what the reader makes of a header of EMDB, for comparison with another.
 *
 * usage: dump_emdb FILE
 * To stdout: "field TAB value" for each that is known, sets a line a member. A refusal goes to stderr as "code: message", status 1. */
#include <math.h>
#include <stdio.h>

#include "mrc/emdb.h"

static void number(const char *field, double x)
{
    if (!isnan(x)) printf("%s\t%.17g\n", field, x);
}

static void text(const char *field, const char *s)
{
    if (!*s) return;
    printf("%s\t", field);
    for (; *s; s++) putchar(*s == '\n' || *s == '\t' || *s == '\r' ? ' ' : *s);
    putchar('\n');
}

static void set(const char *field, const intern_t *t)
{
    for (size_t i = 0; i < t->n; i++) text(field, t->str[i]);
}

int main(int argc, char **argv)
{
    emdb_t e;
    err_t err = {0};
    if (argc != 2) return 2;
    if (emdb_read(argv[1], &e, NULL, &err)) {
        fprintf(stderr, "%s: %s\n", err_name(err.code), err.msg);
        return 1;
    }
    text("id", e.id), text("version", e.version), text("title", e.title), text("keywords", e.keywords), text("method", e.method);
    text("state", e.state), number("resolution", e.resolution), text("resolution_method", e.resolution_method);
    number("contour", e.contour), text("contour_source", e.contour_source), text("file", e.file);
    number("columns", e.size[0]), number("rows", e.size[1]), number("sections", e.size[2]);
    number("pixel_x", e.pixel[0]), number("pixel_y", e.pixel[1]), number("pixel_z", e.pixel[2]);
    number("min", e.min), number("max", e.max), text("sample", e.sample), set("molecule", &e.molecules), set("organism", &e.organisms);
    for (size_t i = 0; i < e.fitted.n; i++) printf("fitted\t%s %s\n", e.fitted.str[i], emdb_relation[e.relation[i]]);
    for (int k = 0; k < EMDB_REFS; k++) set(emdb_ref[k], &e.ref[k]);
    emdb_free(&e);
    return 0;
}

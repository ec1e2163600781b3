/* json: values for JSON lines (see json.h). */
#include "src/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

json_t *json_text(const char *s)
{
    char *clean = mem_new(strlen(s) + 1, 1, NULL);
    if (!clean) return json_null();
    utf8_clean(s, clean);
    json_t *j = json_string(clean);
    mem_free(clean);
    return j;
}

json_t *json_rounded(double x, int digits)
{
    char s[400]; /* the largest double has 309 digits before the point */
    snprintf(s, sizeof s, "%.*f", digits, x);
    json_t *j = json_real(strtod(s, NULL));
    return j ? j : json_null();
}

json_t *json_significant(double x, int digits)
{
    char s[64];
    snprintf(s, sizeof s, "%.*g", digits, x);
    json_t *j = json_real(strtod(s, NULL));
    return j ? j : json_null();
}

enum { LINE = JSON_COMPACT | JSON_REAL_PRECISION(9) };

char *json_line_text(json_t *j, err_t *err)
{
    size_t n = json_dumpb(j, NULL, 0, LINE);
    char *s = mem_new(n + 1, 1, err);
    if (s) s[json_dumpb(j, s, n, LINE)] = 0;
    json_decref(j);
    return s;
}

void json_line(json_t *j)
{
    json_dumpf(j, stdout, LINE);
    putchar('\n');
    json_decref(j);
}

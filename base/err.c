/* err: one error value, the first cause kept (see err.h). */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(err_t *err, errcode_t code, const char *fmt, ...)
{
    if (!err || err->code != ERR_OK) return -1;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err->msg, sizeof err->msg, fmt, ap);
    va_end(ap);
    for (char *p = err->msg; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f) *p = '?';
    err->code = code;
    return -1;
}

const char *err_name(errcode_t code)
{
    static const char *const name[] = {"ok",    "io",       "format",   "range",   "unsupported",
                                       "nomem", "usage",    "notfound", "internal", "busy"};
    return (size_t)code < sizeof name / sizeof *name ? name[code] : "unknown";
}

void err_prefix(err_t *err, const char *name)
{
    char msg[sizeof err->msg];
    size_t n = strlen(name);
    if (!err || err->code == ERR_OK || (!strncmp(err->msg, name, n) && err->msg[n] == ':')) return;
    err_t e = {0};
    memcpy(msg, err->msg, sizeof msg);
    err_set(&e, err->code, "%s: %s", name, msg);
    *err = e;
}

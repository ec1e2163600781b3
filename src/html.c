/* html: what goes into a page, made harmless (see html.h). */
#include "src/html.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

void html_text(FILE *f, const char *s)
{
    for (; *s; s++) {
        size_t n = utf8_len(s);
        if (n > 1) {
            fwrite(s, 1, n, f);
            s += n - 1;
        } else if (*s == '&') fputs("&amp;", f);
        else if (*s == '<') fputs("&lt;", f);
        else if (*s == '>') fputs("&gt;", f);
        else if (*s == '"') fputs("&quot;", f);
        else if (*s == '\'') fputs("&#39;", f);
        else putc(!n || (unsigned char)*s < ' ' || *s == 0x7f ? *s == '\n' || *s == '\t' ? ' ' : '?' : *s, f);
    }
}

void html_printf(FILE *f, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    html_text(f, text);
}

void html_url(FILE *f, const char *s, int path)
{
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-_.~", c) || (path && c == '/')) putc(c, f);
        else fprintf(f, "%%%02X", c);
    }
}

void html_data(FILE *f, const char *type, const void *bytes, size_t n)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = bytes;
    fprintf(f, "data:%s;base64,", type);
    for (size_t i = 0; i < n; i += 3) {
        unsigned long v = (unsigned long)p[i] << 16 | (i + 1 < n ? (unsigned long)p[i + 1] << 8 : 0) | (i + 2 < n ? p[i + 2] : 0);
        char out[4] = {digit[v >> 18 & 63], digit[v >> 12 & 63], i + 1 < n ? digit[v >> 6 & 63] : '=', i + 2 < n ? digit[v & 63] : '='};
        fwrite(out, 1, sizeof out, f);
    }
}

void html_json(FILE *f, const json_t *j)
{
    char *text = json_dumps(j, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(9) | JSON_ENSURE_ASCII); /* no character beyond ASCII */
    for (const char *p = text ? text : "null"; *p; p++) {
        if (*p == '<' || *p == '>' || *p == '&') fprintf(f, "\\u%04x", *p);
        else putc(*p, f);
    }
    free(text);
}

/* utf8: text of unknown encoding, made fit for terminals and JSON (see utf8.h). */
#include "base/utf8.h"

/* Characters by their first byte, and the range of the second (RFC 3629, section 4). */
static const struct {
    unsigned char first, last, len, lo, hi;
} rows[] = {
    {0x00, 0x7f, 1, 0, 0},       {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf}, {0xe1, 0xec, 3, 0x80, 0xbf},
    {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf}, {0xf0, 0xf0, 4, 0x90, 0xbf}, {0xf1, 0xf3, 4, 0x80, 0xbf},
    {0xf4, 0xf4, 4, 0x80, 0x8f},
};

size_t utf8_len(const char *s)
{
    const unsigned char *u = (const unsigned char *)s;
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        if (u[0] < rows[k].first || u[0] > rows[k].last) continue;
        for (size_t i = 1; i < rows[k].len; i++)
            if (u[i] < (i == 1 ? rows[k].lo : 0x80) || u[i] > (i == 1 ? rows[k].hi : 0xbf)) return 0;
        return rows[k].len;
    }
    return 0;
}

void utf8_clean(const char *s, char *out)
{
    while (*s) {
        if ((unsigned char)*s >= 0x20 && (unsigned char)*s < 0x7f) { /* most of all */
            *out++ = *s++;
            continue;
        }
        size_t n = utf8_len(s);
        if (!n || (unsigned char)*s < 0x20 || *s == 0x7f) {
            *out++ = '?';
            s++;
        } else {
            while (n--) *out++ = *s++;
        }
    }
    *out = 0;
}

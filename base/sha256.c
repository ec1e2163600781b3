/* sha256: FIPS 180-4 (see sha256.h). The constants are the fractional parts of roots of primes, as the standard defines them, found here by
 * integer arithmetic. */
#include "base/sha256.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { ROUNDS = 64, BLOCK = 64 };

/* Fraction, 32 bits, of the square root (power 2) or cube root (power 3) of p. */
static uint32_t root_fraction(unsigned p, int power)
{
    /* The largest r with r^power <= p x 2^(32 power), of which the low 32 bits are wanted; r < 2^36. */
    uint64_t r = 0;
    for (int bit = 36; bit-- > 0;) {
        unsigned __int128 t = r | (uint64_t)1 << bit, most = (unsigned __int128)p << (power == 2 ? 64 : 96), x = t * t;
        if (power == 3) x *= t;
        if (x <= most) r = (uint64_t)t;
    }
    return (uint32_t)r;
}

static void constants(uint32_t *out, size_t n, int power)
{
    for (unsigned p = 2, k = 0; k < n; p++) {
        unsigned d = 2;
        while (d * d <= p && p % d) d++;
        if (d * d > p) out[k++] = root_fraction(p, power);
    }
}

static uint32_t turn(uint32_t x, int n) { return x >> n | x << (32 - n); }

static void block(uint32_t h[8], const unsigned char *p, const uint32_t k[ROUNDS])
{
    uint32_t w[ROUNDS], s[8];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 | (uint32_t)p[4 * i + 2] << 8 | (uint32_t)p[4 * i + 3];
    for (int i = 16; i < ROUNDS; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + (turn(a, 7) ^ turn(a, 18) ^ a >> 3) + w[i - 7] + (turn(b, 17) ^ turn(b, 19) ^ b >> 10);
    }
    memcpy(s, h, sizeof s);
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t e = s[4], a = s[0];
        uint32_t one = s[7] + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & s[5]) ^ (~e & s[6])) + k[i] + w[i];
        uint32_t two = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += one;
        s[0] = one + two;
    }
    for (int i = 0; i < 8; i++) h[i] += s[i];
}

void sha256_start(sha256_t *s)
{
    *s = (sha256_t){.bytes = 0};
    constants(s->h, 8, 2);
}

void sha256_add(sha256_t *s, const void *p, size_t n)
{
    uint32_t k[ROUNDS];
    const unsigned char *b = p;
    constants(k, ROUNDS, 3);
    while (n) {
        size_t at = s->bytes % BLOCK, m = BLOCK - at < n ? BLOCK - at : n;
        memcpy(s->block + at, b, m);
        s->bytes += m;
        b += m;
        n -= m;
        if (at + m == BLOCK) block(s->h, s->block, k);
    }
}

void sha256_end(sha256_t *s, char out[SHA256_HEX])
{
    uint64_t bits = 8 * s->bytes;
    unsigned char end[BLOCK + 8] = {0x80};
    size_t pad = 1 + (2 * BLOCK - 9 - s->bytes % BLOCK) % BLOCK;
    for (int i = 0; i < 8; i++) end[pad + (size_t)i] = (unsigned char)(bits >> (56 - 8 * i));
    sha256_add(s, end, pad + 8);
    for (int i = 0; i < 8; i++) snprintf(out + 8 * i, 9, "%08x", (unsigned)s->h[i]);
}

int sha256_file(const char *path, char out[SHA256_HEX], err_t *err)
{
    unsigned char buf[65536];
    sha256_t s;
    FILE *f = fopen(path, "rb");
    if (!f) return err_set(err, ERR_IO, "%s: cannot open: %s", path, strerror(errno));
    sha256_start(&s);
    for (size_t n; (n = fread(buf, 1, sizeof buf, f)) > 0;) sha256_add(&s, buf, n);
    int rc = ferror(f) ? err_set(err, ERR_IO, "%s: cannot read: %s", path, strerror(errno)) : 0;
    fclose(f);
    sha256_end(&s, out);
    return rc;
}

/* sniff: formats by their first bytes (see sniff.h). */
#include "mrc/sniff.h"

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mrc/head.h"

#define MAGIC(at, s, name) {at, s, sizeof(s) - 1, IS_OTHER, name}
#define MAGIC_OF(is, s, name) {0, s, sizeof(s) - 1, is, name}

/* Bytes at a fixed place. The first that fits counts. */
static const struct {
    size_t at;
    const char *bytes;
    size_t n;
    sniffed_t is;
    const char *name;
} magics[] = {
    MAGIC(0, "version https://git-lfs", "a Git LFS pointer (the file itself was not fetched)"),
    MAGIC_OF(IS_HDF5, "\x89HDF\r\n\x1a\n", "HDF5"),
    MAGIC(0, "\x0e\x03\x13\x01", "HDF4"),
    MAGIC_OF(IS_TIFF, "II*\0", "TIFF"),
    MAGIC_OF(IS_TIFF, "MM\0*", "TIFF"),
    MAGIC_OF(IS_TIFF, "II+\0", "TIFF (BigTIFF)"),
    MAGIC_OF(IS_TIFF, "MM\0+", "TIFF (BigTIFF)"),
    MAGIC(0, ":-) ", "BRIX (O map)"),
    MAGIC(0, "II\x97\x01", "an FEI/TIA series"),
    MAGIC(0, "\x1f\x8b", "gzip data inside the compressed file"),
    MAGIC(0, "BZh", "bzip2 data inside the compressed file"),
    MAGIC(0, "\xfd" "7zXZ", "xz data inside the compressed file"),
    MAGIC(0, "\x28\xb5\x2f\xfd", "zstd data inside the compressed file"),
    MAGIC(0, "\x1f\x9d", "data of compress(1)"),
    MAGIC(0, "PK\x03\x04", "a ZIP archive"),
    MAGIC(0, "7z\xbc\xaf\x27\x1c", "a 7z archive"),
    MAGIC(257, "ustar", "a tar archive"),
    MAGIC(0, "\x89PNG", "PNG"),
    MAGIC(0, "\xff\xd8\xff", "JPEG"),
    MAGIC(0, "%PDF", "PDF"),
    MAGIC(0, "\x93NUMPY", "a NumPy array"),
    MAGIC(0, "SQLite format 3", "an SQLite database"),
    MAGIC(4, "JED-2200", "JEOL EDS data"),
    MAGIC(0, "<?xml", "XML"),
    MAGIC(0, "<!DOCTYPE", "an HTML page"),
    MAGIC(0, "<html", "an HTML page"),
    MAGIC(0, "# vtk DataFile", "VTK"),
    MAGIC(0, "NRRD", "NRRD"),
};

/* Word that opens a line of a text format, and which. */
static const struct {
    const char *word, *name;
    sniffed_t is;
} texts[] = {
    {"HEADER ", "a PDB file (an atomic model)", IS_OTHER}, {"ATOM  ", "a PDB file (an atomic model)", IS_OTHER},
    {"HETATM", "a PDB file (an atomic model)", IS_OTHER},  {"CRYST1", "a PDB file (an atomic model)", IS_OTHER},
    {"data_", "mmCIF (an atomic model)", IS_OTHER},        {"object 1 class gridpositions", "OpenDX", IS_DX},
    {"ZYX", "an X-PLOR map", IS_OTHER},
};

static bool has(const unsigned char *b, size_t n, size_t at, const char *s, size_t len)
{
    return n >= at + len && !memcmp(b + at, s, len);
}

/* EM: byte 0 the machine, byte 3 the voxel type, then three sides; 512 bytes of header. */
static bool is_em(const unsigned char *b, size_t n, size_t size)
{
    static const unsigned char bytes[10] = {0, 1, 2, 0, 4, 4, 0, 0, 8, 8};
    if (n < 512 || b[0] > 6 || b[3] > 9 || !bytes[b[3]]) return false;
    bool big = b[0] != 1 && b[0] != 6;
    double want = bytes[b[3]];
    for (size_t k = 1; k < 4; k++) {
        uint32_t side = head_word(b + 4 * k, big);
        if (side < 1 || side > 32768) return false;
        want *= side;
    }
    return size == SIZE_MAX || (double)size == want + 512;
}

/* SPIDER: float words; 1 nslice, 2 nrow, 5 iform, 12 nsam, 13 records of the header, 22 its bytes, 23 bytes of a record. */
static bool is_spider(const unsigned char *b, size_t n)
{
    if (n < 92) return false;
    for (int big = 0; big < 2; big++) {
        double w[24];
        bool whole = true;
        for (size_t k = 1; k < 24; k++) {
            uint32_t u = head_word(b + 4 * (k - 1), big);
            float f;
            memcpy(&f, &u, sizeof f);
            w[k] = (double)f;
        }
        static const int sides[] = {1, 2, 12, 13, 22, 23};
        for (size_t k = 0; k < sizeof sides / sizeof *sides; k++) {
            double x = fabs(w[sides[k]]);
            whole = whole && x >= 1 && x <= 1e7 && x == floor(x);
        }
        bool form = w[5] == 1 || w[5] == 3 || w[5] == -11 || w[5] == -12 || w[5] == -21 || w[5] == -22;
        if (whole && form && w[22] == w[13] * w[23] && w[23] == 4 * w[12]) return true;
    }
    return false;
}

/* Gatan: version 3 or 4, length (4 or 8 bytes), byte order 0 or 1, all big-endian. */
static const char *gatan(const unsigned char *b, size_t n)
{
    if (n < 20) return NULL;
    if (head_word(b, true) == 3 && head_word(b + 8, true) <= 1) return "Gatan DM3";
    if (head_word(b, true) == 4 && head_word(b + 12, true) <= 1) return "Gatan DM4";
    return NULL;
}

/* DSN6: 16-bit words; 19 is 100 in the file's order, 1 to 9 extents and cell divisions. */
static bool is_dsn6(const unsigned char *b, size_t n)
{
    return n >= 512 && ((b[36] == 0 && b[37] == 100) || (b[36] == 100 && b[37] == 0)) && b[38] == 0 && b[39] == 0;
}

static bool is_text(const unsigned char *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (b[i] == 0 || (b[i] < 0x20 && !strchr("\t\n\r\f\x1b", b[i]))) return false;
    return n > 0;
}

/* Situs: a line of seven numbers (voxel, origin, sides), then numbers. */
static bool is_situs(const char *s)
{
    double x[8];
    int k = 0;
    for (; k < 8; k++) {
        char *end;
        x[k] = strtod(s, &end);
        if (end == s) break;
        s = end;
    }
    if (k < 8 || !(x[0] > 0)) return false;
    for (k = 4; k < 7; k++)
        if (!(x[k] >= 1 && x[k] <= 32768 && x[k] == floor(x[k]))) return false;
    return true;
}

static sniff_t text_format(const unsigned char *b, size_t n)
{
    char buf[SNIFF_BYTES + 1];
    if (n > SNIFF_BYTES) n = SNIFF_BYTES;
    memcpy(buf, b, n);
    buf[n] = 0;
    for (const char *line = buf; line; line = strchr(line, '\n')) {
        while (*line == '\n' || *line == '\r') line++;
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
            if (!strncmp(line, texts[k].word, strlen(texts[k].word))) return (sniff_t){texts[k].is, texts[k].name};
    }
    if (is_situs(buf)) return (sniff_t){IS_SITUS, "a Situs map"};
    return (sniff_t){IS_OTHER, "plain text"};
}

sniff_t sniff(const unsigned char *b, size_t n, size_t size)
{
    if (n == 0) return (sniff_t){IS_OTHER, "an empty file"};
    for (size_t k = 0; k < sizeof magics / sizeof *magics; k++)
        if (has(b, n, magics[k].at, magics[k].bytes, magics[k].n)) return (sniff_t){magics[k].is, magics[k].name};
    if (is_text(b, n)) return text_format(b, n);
    if (gatan(b, n)) return (sniff_t){IS_OTHER, gatan(b, n)};
    if (is_spider(b, n)) return (sniff_t){IS_SPIDER, "SPIDER"};
    if (is_em(b, n, size)) return (sniff_t){IS_EM, "EM (TOM toolbox)"};
    if (is_dsn6(b, n)) return (sniff_t){IS_OTHER, "DSN6 (O map)"};
    return (sniff_t){IS_OTHER, NULL};
}

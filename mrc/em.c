/* em: EM files of the TOM toolbox, PyTom and IMP.
 *
 * Source: the description in the TOM toolbox (Nickell et al. 2005, J. Struct. Biol. 149:227). 512 bytes of header: 0 the machine, 3 the
 * kind of value, three int32 sides at 4, a comment at 16, 40 int32 at 96. The pixel size among these is in nanometres for
 * some programs and in angstrom for others, each times 1000, so it is told and not used. */
#include <string.h>

#include "mrc/format.h"
#include "mrc/head.h"

enum { HEADER = 512, AT_TYPE = 3, AT_SIDES = 4, AT_COMMENT = 16, COMMENT = 80, AT_PIXEL = 96 + 4 * 6 };

static int kind_of(const mapfile_t *m, const unsigned char *b, raw_t *kind, err_t *err)
{
    switch (b[AT_TYPE]) {
    case 1: *kind = RAW_INT8; break;
    case 2: *kind = RAW_INT16; break;
    case 4: *kind = RAW_INT32; break;
    case 5: *kind = RAW_FLOAT32; break;
    case 9: *kind = RAW_FLOAT64; break;
    case 8: return err_set(err, ERR_UNSUP, "%s: data type (byte 3) 8, complex (a density has 1, 2, 4, 5 or 9)", m->name);
    default: return err_set(err, ERR_FORMAT, "%s: data type (byte 3) %d (a density has 1, 2, 4, 5 or 9)", m->name, b[AT_TYPE]);
    }
    if ((b[0] == 1 || b[0] == 2) && (*kind == RAW_FLOAT32 || *kind == RAW_FLOAT64))
        return err_set(err, ERR_UNSUP, "%s: machine (byte 0) %d, numbers of a %s", m->name, b[0], b[0] == 1 ? "VAX" : "Convex");
    return 0;
}

static int em_open(mapfile_t *m, err_t *err)
{
    static const char *const sides[3] = {"side x (byte 4)", "side y (byte 8)", "side z (byte 12)"};
    unsigned char b[HEADER];
    char comment[COMMENT + 1];
    double n[3];
    size_t got;
    if (source_read(&m->src, b, sizeof b, &got, err)) return -1;
    if (got < sizeof b) return err_set(err, ERR_IO, "%s: %zu bytes (an EM header has %d)", m->name, got, HEADER);
    m->info.big_endian = b[0] != 1 && b[0] != 6;
    if (kind_of(m, b, &m->raw, err)) return -1;
    for (size_t k = 0; k < 3; k++) n[k] = (int32_t)head_word(b + AT_SIDES + 4 * k, m->info.big_endian);
    if (format_check_sides(m, sides, n, err)) return -1;
    for (int k = 0; k < 3; k++) m->n[k] = (size_t)n[k];
    m->data_at = HEADER;
    m->data_bytes = raw_bytes(m->raw) * m->n[0] * m->n[1] * m->n[2];
    if (format_check_size(m, m->data_at + m->data_bytes, err)) return -1;
    m->info.type = raw_name(m->raw);
    memcpy(comment, b + AT_COMMENT, COMMENT);
    comment[COMMENT] = 0;
    if (comment[0]) notes_add(&m->info.text, "comment %s", comment);
    int32_t pixel = (int32_t)head_word(b + AT_PIXEL, m->info.big_endian);
    if (pixel) notes_add(&m->info.text, "pixel size %g (nanometres or angstrom: not used)", pixel / 1000.0);
    return 0;
}

const format_t format_em = {IS_EM, false, true, em_open, format_raw_sections, NULL};

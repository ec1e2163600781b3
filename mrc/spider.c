/* spider: SPIDER volumes, images and stacks of them.
 *
 * Source: SPIDER's documentation of its file header: words of float32, counted from 1, in the byte order of the writer. 1 NSLICE,
 * 2 NROW, 5 IFORM (1 image, 3 volume, below 0 Fourier), 12 NSAM, 13 records of the header, 22 its bytes, 23 bytes of a record,
 * 24 above 0: a stack, in which each member has a header of its own, 26 the number of members, 38 voxel size.
 * Word 38 is not to be trusted where Xmipp wrote: its matrix of doubles lies there, and the upper half of 1.0 read as a
 * float is 1.875, in words 38, 46 and 54. */
#include <math.h>
#include <string.h>

#include "mrc/format.h"
#include "mrc/head.h"

enum { HEADER = 1024, WORDS = 256, NSLICE = 1, NROW = 2, IFORM = 5, NSAM = 12, LABREC = 13, LABBYT = 22, LENBYT = 23, ISTACK = 24,
       MAXIM = 26, PIXSIZ = 38, MATRIX_2 = 46, MATRIX_3 = 54 };

/* Words 1 to 256 to w[1..]. */
static void parse(const unsigned char *b, bool big, double *w)
{
    for (size_t k = 1; k <= WORDS; k++) {
        uint32_t u = head_word(b + 4 * (k - 1), big);
        float f;
        memcpy(&f, &u, sizeof f);
        w[k] = (double)f;
    }
}

static bool is_count(double x) { return x >= 1 && x <= 1e7 && x == floor(x); }

static bool makes_sense(const double *w)
{
    return is_count(fabs(w[NSLICE])) && is_count(w[NROW]) && is_count(w[NSAM]) && is_count(w[LABBYT]) && fabs(w[IFORM]) < 100;
}

static void take_voxel(mapfile_t *m, const double *w)
{
    const double one = 1.875; /* see above */
    if (w[PIXSIZ] == one && w[MATRIX_2] == one && w[MATRIX_3] == one) return;
    format_take_voxel(m, "PIXSIZ (word 38)", (double[3]){w[PIXSIZ], w[PIXSIZ], w[PIXSIZ]});
}

static int spider_open(mapfile_t *m, err_t *err)
{
    static const char *const sides[3] = {"NSAM (word 12)", "NROW (word 2)", "NSLICE (word 1)"};
    unsigned char b[HEADER];
    double w[WORDS + 1];
    size_t got;
    if (source_read(&m->src, b, sizeof b, &got, err)) return -1;
    if (got < sizeof b) return err_set(err, ERR_IO, "%s: %zu bytes (a SPIDER header has %d or more)", m->name, got, HEADER);
    for (int big = 0; big < 2; big++) {
        m->info.big_endian = big;
        parse(b, big, w);
        if (makes_sense(w)) break;
    }
    if (w[IFORM] < 0)
        return err_set(err, ERR_UNSUP, "%s: IFORM (word 5) %g, a Fourier transform (1 is an image, 3 a volume)", m->name, w[IFORM]);
    if (w[ISTACK] < 0) return err_set(err, ERR_UNSUP, "%s: ISTACK (word 24) %g, an indexed stack", m->name, w[ISTACK]);
    const double n[3] = {w[NSAM], w[NROW], fabs(w[NSLICE])};
    if (format_check_sides(m, sides, n, err)) return -1;
    if (w[LABBYT] < HEADER || !is_count(w[LABBYT]))
        return err_set(err, ERR_FORMAT, "%s: LABBYT (word 22) %g (%d or more)", m->name, w[LABBYT], HEADER);
    for (int k = 0; k < 3; k++) m->n[k] = (size_t)n[k];
    size_t members = 1, label = (size_t)w[LABBYT], one = 4 * m->n[0] * m->n[1] * m->n[2];
    if (w[ISTACK] > 0) {
        if (!is_count(w[MAXIM])) return err_set(err, ERR_FORMAT, "%s: MAXIM (word 26) %g (the members of the stack)", m->name, w[MAXIM]);
        members = (size_t)w[MAXIM];
    }
    m->data_at = label;
    m->data_bytes = w[ISTACK] > 0 ? members * (label + one) : one;
    if (format_check_size(m, label + m->data_bytes, err)) return -1;
    m->extra = w[ISTACK] > 0 ? label : 0; /* of each member; no memory worth counting */
    m->info.image_stack = members > 1 && m->n[2] == 1;
    if (m->info.image_stack && members > VOL_SIDE_MAX)
        return err_set(err, ERR_RANGE, "%s: MAXIM (word 26) %zu images (at most %d)", m->name, members, VOL_SIDE_MAX);
    if (m->info.image_stack) m->n[2] = members;
    else m->info.volumes = members;
    m->raw = RAW_FLOAT32;
    m->info.type = raw_name(m->raw);
    take_voxel(m, w);
    return 0;
}

/* In a stack a header stands before each member. */
static int spider_sections(mapfile_t *m, size_t z0, size_t nz, float *out, err_t *err)
{
    const size_t plane = m->n[0] * m->n[1], label = m->extra;
    if (!m->info.image_stack)
        return format_raw_read(m, m->data_at + label + m->volume * (label + 4 * plane * m->n[2]) + 4 * plane * z0, nz * plane, out, err);
    for (size_t k = 0; k < nz; k++)
        if (format_raw_read(m, m->data_at + (z0 + k) * (label + 4 * plane) + label, plane, out + k * plane, err)) return -1;
    return 0;
}

const format_t format_spider = {IS_SPIDER, false, true, spider_open, spider_sections, NULL};

/* situs: maps of the Situs package, as text.
 *
 * Source: the Situs user guide: a line with the voxel size, the place of the first voxel (both in angstrom) and the sides along x, y, z,
 * then as many densities, x fastest. */
#include "base/mem.h"
#include "mrc/format.h"
#include "mrc/text.h"

static int situs_open(mapfile_t *m, err_t *err)
{
    static const char *const fields[7] = {"voxel size", "origin x", "origin y", "origin z", "side x", "side y", "side z"};
    double x[7];
    text_t *t = m->self = text_new(&m->src, err);
    if (!t) return -1;
    for (size_t k = 0; k < 7; k++) {
        int rc = text_number(t, fields[k], k + 1, &x[k], err);
        if (rc < 0) return -1;
        if (!rc) return err_set(err, ERR_IO, "%s: ends before its %s", m->name, fields[k]);
    }
    if (!format_is_voxel(x[0])) return err_set(err, ERR_FORMAT, "%s: voxel size %g (angstrom, more than 0)", m->name, x[0]);
    if (format_check_sides(m, fields + 4, x + 4, err)) return -1;
    for (int k = 0; k < 3; k++) {
        m->n[k] = (size_t)x[4 + k];
        m->info.voxel[k] = x[0];
        m->info.place[k] = x[1 + k];
    }
    m->info.voxel_known = true;
    m->info.type = "text";
    return format_check_size(m, 2 * m->n[0] * m->n[1] * m->n[2], err); /* a digit and a blank each */
}

static int situs_sections(mapfile_t *m, size_t z0, size_t nz, float *out, err_t *err)
{
    const size_t plane = m->n[0] * m->n[1];
    double more;
    if (text_floats(m->self, "voxel", z0 * plane, nz * plane, plane * m->n[2], out, err)) return -1;
    if (z0 + nz == m->n[2] && text_number(m->self, "voxel", m->n[2] * plane + 1, &more, NULL) != 0)
        notes_add(m->notes, "more text than the %zu voxels of the header: not read", plane * m->n[2]);
    return 0;
}

static void situs_close(mapfile_t *m) { mem_free(m->self); }

const format_t format_situs = {IS_SITUS, false, false, situs_open, situs_sections, situs_close};

/* judge: what the fields of an MRC header mean, and what of them is not to be believed (see head.h). */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "mrc/head.h"

static const double VOXEL_MIN = 1e-3, VOXEL_MAX = 1e5; /* angstrom */
static const double ORIGIN_MAX = 1e6;                  /* angstrom */
static const double RIGHT = 0.01;                      /* degrees from 90 that do not count */

static int judge_sides(const mrc_header_t *h, const char *name, err_t *err)
{
    for (int k = 0; k < 3; k++) {
        if (h->n[k] < 1)
            return err_set(err, ERR_FORMAT, "%s: N%c %d (a side is 1 to %d)", name, 'X' + k, h->n[k], VOL_SIDE_MAX);
        if (h->n[k] > VOL_SIDE_MAX)
            return err_set(err, ERR_RANGE, "%s: N%c %d (a side is 1 to %d)", name, 'X' + k, h->n[k], VOL_SIDE_MAX);
    }
    return 0;
}

static int judge_axes(mrc_header_t *h, const char *name, notes_t *notes, err_t *err)
{
    const int32_t *a = h->mapcrs;
    if (head_is_permutation(a)) {
        for (int k = 0; k < 3; k++) h->axis[k] = a[k] - 1;
    } else if (!a[0] && !a[1] && !a[2]) {
        for (int k = 0; k < 3; k++) h->axis[k] = k;
        notes_add(notes, "MAPC, MAPR, MAPS are 0: taken as 1, 2, 3");
    } else {
        return err_set(err, ERR_FORMAT, "%s: MAPC, MAPR, MAPS %d, %d, %d (a permutation of 1, 2, 3)", name, a[0], a[1], a[2]);
    }
    return 0;
}

static void judge_stamp(const mrc_header_t *h, notes_t *notes)
{
    const unsigned char *s = h->stamp, *m = h->map;
    bool big;
    if (!head_has_map(h))
        notes_add(notes, "no \"MAP \" at byte 208 (found %02x %02x %02x %02x): an old-style file", m[0], m[1], m[2], m[3]);
    else if (!m[3])
        notes_add(notes, "\"MAP\" ends in a NUL, not a blank");
    if (!head_stamp_order(h, &big))
        notes_add(notes, "machine stamp %02x %02x %02x %02x is none; the fields are %s-endian", s[0], s[1], s[2], s[3],
                  h->big_endian ? "big" : "little");
    else if (big != h->big_endian)
        notes_add(notes, "machine stamp %02x %02x says %s-endian, but the fields are %s-endian", s[0], s[1],
                  big ? "big" : "little", h->big_endian ? "big" : "little");
}

/* Is it called NAME.mrcs, or NAME.mrcs.gz and the like? */
static bool named_stack(const char *name)
{
    const char *base = strrchr(name, '/'), *at = strstr(base ? base : name, ".mrcs");
    return at && (!at[5] || at[5] == '.');
}

/* Volumes of a stack, images of a stack, or one volume. */
static int judge_stack(mrc_header_t *h, const char *name, notes_t *notes, err_t *err)
{
    size_t sections = (size_t)h->n[2];
    if (h->ispg >= 401 && h->ispg <= 630) {
        if (h->m[2] < 1 || h->n[2] % h->m[2])
            return err_set(err, ERR_FORMAT, "%s: a stack of volumes (ISPG %d) with NZ %d and MZ %d (MZ divides NZ)", name,
                           h->ispg, h->n[2], h->m[2]);
        h->volumes = sections / (size_t)h->m[2];
        sections = (size_t)h->m[2];
    } else if (sections > 1 && (h->m[2] == 1 || named_stack(name))) {
        h->image_stack = true;
    } else if (sections == 1) {
        notes_add(notes, "one section (NZ 1): an image, read as a volume one voxel thick");
    }
    for (int k = 0; k < 3; k++) h->size[h->axis[k]] = k == 2 ? sections : (size_t)h->n[k];
    return 0;
}

static void judge_angles(mrc_header_t *h, notes_t *notes)
{
    double a[3], sum = 0, rad = M_PI / 180;
    bool sane = true;
    for (int k = 0; k < 3; k++) {
        a[k] = (double)h->cellb[k];
        sane = sane && a[k] > 0 && a[k] < 180;
        sum += a[k];
    }
    if (sane) {
        double ca = cos(a[0] * rad), cb = cos(a[1] * rad), cg = cos(a[2] * rad);
        sane = sum < 360 && 1 - ca * ca - cb * cb - cg * cg + 2 * ca * cb * cg > 1e-6;
    }
    for (int k = 0; k < 3; k++) {
        h->angle[k] = sane ? a[k] : 90;
        h->skewed = h->skewed || !(fabs(h->angle[k] - 90) <= RIGHT);
    }
    if (!sane)
        notes_add(notes, "cell angles %g, %g, %g make no cell: taken as 90", (double)h->cellb[0], (double)h->cellb[1],
                  (double)h->cellb[2]);
}

static void judge_voxel(mrc_header_t *h, const mrc_opts_t *opts, notes_t *notes)
{
    bool good[3];
    double known = 0;
    for (int k = 0; k < 3; k++) {
        double v = h->m[k] > 0 ? (double)h->cella[k] / h->m[k] : 0;
        good[k] = v >= VOXEL_MIN && v <= VOXEL_MAX;
        h->voxel[k] = v;
        if (good[k] && !(known > 0)) known = v;
    }
    if (opts->apix > 0) {
        for (int k = 0; k < 3; k++) h->voxel[k] = opts->apix;
        return;
    }
    double v0 = h->voxel[0], v1 = h->voxel[1], v2 = h->voxel[2];
    for (int k = 0; k < 3; k++)
        if (!good[k]) h->voxel[k] = known > 0 ? known : 1;
    if (!good[0] || !good[1] || !good[2])
        notes_add(notes, "CELLA / M gives no voxel size (%g, %g, %g): taken as %g, %g, %g A; it can be given", v0, v1, v2,
                  h->voxel[0], h->voxel[1], h->voxel[2]);
    else if (v0 == 1 && v1 == 1 && v2 == 1)
        notes_add(notes, "the voxel size is exactly 1 A, as when it was lost; it can be given");
}

/* Is any of the three set, and are all of them finite and of a possible size? */
static bool judge_origin_field(const mrc_header_t *h, bool *sane)
{
    bool set = false;
    *sane = true;
    for (int k = 0; k < 3; k++) {
        double x = (double)h->origin[k];
        set = set || !(x == 0);
        *sane = *sane && fabs(x) <= ORIGIN_MAX;
    }
    return set;
}

static void judge_start(mrc_header_t *h, notes_t *notes)
{
    int32_t side = 0;
    bool sane = true;
    for (int k = 0; k < 3; k++) {
        if (h->n[k] > side) side = h->n[k];
        if (h->m[k] <= VOL_SIDE_MAX && h->m[k] > side) side = h->m[k];
    }
    for (int k = 0; k < 3; k++) {
        sane = sane && h->nstart[k] <= 10 * side && h->nstart[k] >= -10 * side;
        h->start[h->axis[k]] = h->nstart[k];
    }
    if (sane) return;
    notes_add(notes, "NSTART %d, %d, %d is beyond ten times the box: taken as 0", h->nstart[0], h->nstart[1], h->nstart[2]);
    memset(h->start, 0, sizeof h->start);
}

/* Cartesian place of grid point `start` (in voxels along the cell's edges), a along x, b in the xy plane. */
static void cell_to_xyz(const mrc_header_t *h, bool skewed, double *out)
{
    double u = h->start[0] * h->voxel[0], v = h->start[1] * h->voxel[1], w = h->start[2] * h->voxel[2];
    out[0] = u, out[1] = v, out[2] = w;
    if (!skewed) return;
    double rad = M_PI / 180, ca = cos(h->angle[0] * rad), cb = cos(h->angle[1] * rad), cg = cos(h->angle[2] * rad),
           sg = sin(h->angle[2] * rad), yz = (ca - cb * cg) / sg;
    out[0] = u + v * cg + w * cb;
    out[1] = v * sg + w * yz;
    out[2] = w * sqrt(1 - cb * cb - yz * yz);
}

static void judge_place(mrc_header_t *h, const mrc_opts_t *opts, notes_t *notes)
{
    bool sane, set = judge_origin_field(h, &sane), use;
    double start[3], far = 0;
    judge_start(h, notes);
    cell_to_xyz(h, h->skewed && !opts->as_stored, start);
    for (int k = 0; k < 3; k++) h->place[k] = 0;
    if (opts->origin == MRC_ORIGIN_NONE) return;
    if (!sane && opts->origin != MRC_ORIGIN_START)
        notes_add(notes, "ORIGIN %g, %g, %g makes no sense: taken as 0", (double)h->origin[0], (double)h->origin[1],
                  (double)h->origin[2]);
    use = opts->origin == MRC_ORIGIN_ORIGIN || (opts->origin == MRC_ORIGIN_AUTO && set && sane && head_has_map(h));
    for (int k = 0; k < 3; k++) {
        h->place[k] = !use ? start[k] : sane ? (double)h->origin[k] : 0;
        double d = fabs(start[k] - (double)h->origin[k]) / h->voxel[k];
        if (d > far) far = d;
    }
    if (opts->origin != MRC_ORIGIN_AUTO || !set || !sane) return;
    bool started = h->start[0] || h->start[1] || h->start[2];
    if (!head_has_map(h))
        notes_add(notes, "ORIGIN %g, %g, %g is not used in an old-style file; see --origin", (double)h->origin[0],
                  (double)h->origin[1], (double)h->origin[2]);
    else if (started && far > 0.5)
        notes_add(notes, "ORIGIN %g, %g, %g A and NSTART (%g, %g, %g A) disagree: ORIGIN is used; see --origin", h->place[0],
                  h->place[1], h->place[2], start[0], start[1], start[2]);
}

static int judge_mode(mrc_header_t *h, const char *name, const mrc_opts_t *opts, notes_t *notes, err_t *err)
{
    enum { IMOD_STAMP = 1146047817, IMOD_SIGNED = 1 };
    if (!head_mode_name(h->mode))
        return err_set(err, ERR_FORMAT, "%s: mode %d (a density has mode 0, 1, 2, 6, 12 or 101)", name, h->mode);
    h->read_mode = h->mode;
    if (h->mode != 0) return 0;
    bool imod = h->imod_stamp == IMOD_STAMP;
    switch (opts->mode0) {
    case MRC_MODE0_SIGNED: return 0;
    case MRC_MODE0_UNSIGNED: h->mode0_unsigned = true; return 0;
    default: h->mode0_unsigned = imod ? !(h->imod_flags & IMOD_SIGNED) : !head_has_map(h);
    }
    if (h->mode0_unsigned)
        notes_add(notes, "mode 0 read as unsigned bytes (%s); see --mode0", imod ? "IMOD's flag" : "an old-style file");
    else if (h->dmin >= 0 && h->dmax > 127 && h->dmax <= 255)
        notes_add(notes, "mode 0 read as signed bytes, but the header's statistics (%g to %g) are those of unsigned ones; see --mode0",
                  (double)h->dmin, (double)h->dmax);
    return 0;
}

int head_judge(mrc_header_t *h, const char *name, const mrc_opts_t *opts, notes_t *notes, err_t *err)
{
    if (judge_mode(h, name, opts, notes, err) || judge_sides(h, name, err)) return -1;
    if (judge_axes(h, name, notes, err)) return -1;
    judge_stamp(h, notes);
    if (judge_stack(h, name, notes, err)) return -1;
    judge_angles(h, notes);
    judge_voxel(h, opts, notes);
    judge_place(h, opts, notes);
    size_t row = head_row_bytes(h->mode, (size_t)h->n[0]);
    h->data_bytes = row * (size_t)h->n[1] * (size_t)h->n[2]; /* at most 2^47 */
    h->data_at = HEAD_BYTES + (h->nsymbt > 0 ? (size_t)h->nsymbt : 0);
    return 0;
}

int head_layout(mrc_header_t *h, const char *name, size_t size, const mrc_opts_t *opts, notes_t *notes, err_t *err)
{
    size_t voxels = (size_t)h->n[0] * (size_t)h->n[1] * (size_t)h->n[2], bare = HEAD_BYTES + h->data_bytes;
    h->file_bytes = size;
    if (size == SIZE_MAX) return 0;
    if (h->nsymbt < 0 && size > bare) return err_set(err, ERR_FORMAT, "%s: NSYMBT %d (0 or more)", name, h->nsymbt);
    if (h->nsymbt < 0 && size == bare) notes_add(notes, "NSYMBT %d: taken as 0, which fits the length of the file", h->nsymbt);
    if (h->mode == 0 && opts->mode0 == MRC_MODE0_AUTO && size == h->data_at + 4 * voxels) {
        notes_add(notes, "mode 0, but the file holds exactly 4 bytes a voxel: read as mode 2 (float32); see --mode0");
        h->read_mode = 2;
        h->mode0_unsigned = false;
        h->data_bytes = 4 * voxels;
    }
    size_t want = h->data_at + h->data_bytes;
    if (size < want && size == bare && h->nsymbt > 0) {
        notes_add(notes, "an extended header of %d bytes is claimed, but the length of the file leaves no room: not there",
                  h->nsymbt);
        h->data_at = HEAD_BYTES;
        return 0;
    }
    if (size < want)
        return err_set(err, ERR_IO, "%s: %zu bytes, cut short (%d x %d x %d voxels of mode %d with an extended header of %zu make %zu)",
                       name, size, h->n[0], h->n[1], h->n[2], h->mode, h->data_at - HEAD_BYTES, want);
    if (size > want) notes_add(notes, "%zu bytes more than the header accounts for: not read", size - want);
    return 0;
}

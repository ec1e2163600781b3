/* dx: OpenDX regular grids as text, as APBS, PyMOL and GridDataFormats write them.
 *
 * Source: the OpenDX user's guide, and what those programs write: an object of class gridpositions with counts, an origin and three
 * deltas (PyMOL leaves these two words out), then an object of class array, whose values follow with the last axis fastest. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "mrc/format.h"
#include "mrc/text.h"

enum { LINES_MAX = 1000 }; /* of header */

typedef struct {
    double n[3], origin[3], delta[3][3];
    int origins, deltas; /* seen */
    bool counts;
    double items;
} grid_t;

/* Three numbers after the word, if it stands there. Bare numbers are the origin, then the deltas. */
static int take_vector(const mapfile_t *m, grid_t *g, const char *s, bool origin, err_t *err)
{
    double x[3];
    if (text_scan(s, x, 3, NULL) < 3)
        return err_set(err, ERR_FORMAT, "%s: %s '%s' (three numbers)", m->name, origin ? "origin" : "delta", s);
    for (int k = 0; k < 3; k++)
        if (!isfinite(x[k])) return err_set(err, ERR_FORMAT, "%s: %s %g is not finite", m->name, origin ? "origin" : "delta", x[k]);
    if (origin && !g->origins++) memcpy(g->origin, x, sizeof x);
    if (!origin && g->deltas < 3) memcpy(g->delta[g->deltas++], x, sizeof x);
    return 0;
}

/* "object 3 class array type double rank 0 items 8 data follows": 1 the values follow, or -1. */
static int take_array(const mapfile_t *m, grid_t *g, const char *line, err_t *err)
{
    static const char *const others[] = {"binary", "ieee", "lsb", "msb", "data file", "complex", "string"};
    for (size_t k = 0; k < sizeof others / sizeof *others; k++)
        if (strstr(line, others[k])) return err_set(err, ERR_UNSUP, "%s: '%s' in its array (values as text are read)", m->name, others[k]);
    const char *rank = strstr(line, "rank "), *items = strstr(line, "items ");
    double r = 0;
    if (rank && text_scan(rank + 5, &r, 1, NULL) && r > 0)
        return err_set(err, ERR_UNSUP, "%s: an array of rank %g (a density has rank 0)", m->name, r);
    if (!items || !text_scan(items + 6, &g->items, 1, NULL)) return err_set(err, ERR_FORMAT, "%s: an array without a number of items", m->name);
    if (!strstr(line, "data follows")) return err_set(err, ERR_UNSUP, "%s: an array whose data do not follow it", m->name);
    return 1;
}

static int take_line(const mapfile_t *m, grid_t *g, const char *line, err_t *err)
{
    static const char gridpositions[] = "class gridpositions counts", connections[] = "class gridconnections", array[] = "class array";
    const char *at;
    double x;
    while (*line == ' ' || *line == '\t') line++;
    if (!*line || *line == '#') return 0;
    if ((at = strstr(line, gridpositions)) && !g->counts) {
        if (text_scan(at + sizeof gridpositions - 1, g->n, 3, NULL) < 3)
            return err_set(err, ERR_FORMAT, "%s: gridpositions counts '%s' (three numbers)", m->name, at + sizeof gridpositions - 1);
        g->counts = true;
        return 0;
    }
    if (strstr(line, connections)) return 0;
    if (strstr(line, array)) return take_array(m, g, line, err);
    if (!strncmp(line, "origin", 6)) return take_vector(m, g, line + 6, true, err);
    if (!strncmp(line, "delta", 5)) return take_vector(m, g, line + 5, false, err);
    if (g->counts && text_scan(line, &x, 1, NULL)) return take_vector(m, g, line, !g->origins, err);
    return err_set(err, ERR_FORMAT, "%s: '%.60s' in the header", m->name, line);
}

/* Each delta along one axis, upwards: axes of section, row, column and the voxel size. */
static int take_deltas(mapfile_t *m, const grid_t *g, err_t *err)
{
    bool used[3] = {false};
    double voxel[3] = {0};
    for (int k = 0; k < 3; k++) {
        int along = -1, more = 0;
        for (int i = 0; i < 3; i++) {
            if (!(fabs(g->delta[k][i]) > 0)) continue;
            along = i;
            more++;
        }
        const double *d = g->delta[k];
        if (more != 1 || used[along] || d[along] < 0)
            return err_set(err, ERR_UNSUP, "%s: delta %g %g %g (each is along another axis, and above 0)", m->name, d[0], d[1], d[2]);
        used[along] = true;
        voxel[along] = d[along];
        m->info.axis[2 - k] = along;
    }
    if (!format_take_voxel(m, "delta", voxel)) return err_set(err, ERR_FORMAT, "%s: delta %g, %g, %g", m->name, voxel[0], voxel[1], voxel[2]);
    return 0;
}

static int dx_open(mapfile_t *m, err_t *err)
{
    static const char *const sides[3] = {"count 3", "count 2", "count 1"};
    char line[TEXT_LINE];
    grid_t g = {.counts = false};
    int rc = 0;
    if (!(m->self = text_new(&m->src, err))) return -1;
    for (int k = 0; !rc; k++) {
        rc = k < LINES_MAX ? text_line(m->self, line, err) : 0;
        if (rc < 0) return -1;
        if (!rc) return err_set(err, ERR_FORMAT, "%s: no array of values", m->name);
        rc = take_line(m, &g, line, err);
        if (rc < 0) return -1;
    }
    if (!g.counts) return err_set(err, ERR_FORMAT, "%s: no gridpositions before the array", m->name);
    if (!g.origins) return err_set(err, ERR_FORMAT, "%s: no origin", m->name);
    if (g.deltas < 3) return err_set(err, ERR_FORMAT, "%s: %d deltas (three are wanted)", m->name, g.deltas);
    const double n[3] = {g.n[2], g.n[1], g.n[0]};
    if (format_check_sides(m, sides, n, err)) return -1;
    if (g.items != n[0] * n[1] * n[2])
        return err_set(err, ERR_FORMAT, "%s: %.0f items for counts %.0f, %.0f, %.0f", m->name, g.items, g.n[0], g.n[1], g.n[2]);
    for (int k = 0; k < 3; k++) m->n[k] = (size_t)n[k];
    if (take_deltas(m, &g, err)) return -1;
    memcpy(m->info.place, g.origin, sizeof m->info.place);
    m->info.type = "text";
    return format_check_size(m, 2 * m->n[0] * m->n[1] * m->n[2], err);
}

static int dx_sections(mapfile_t *m, size_t z0, size_t nz, float *out, err_t *err)
{
    const size_t plane = m->n[0] * m->n[1];
    return text_floats(m->self, "voxel", z0 * plane, nz * plane, plane * m->n[2], out, err);
}

static void dx_close(mapfile_t *m) { mem_free(m->self); }

const format_t format_dx = {IS_DX, false, false, dx_open, dx_sections, dx_close};

/* components: connected components of a mask, in two passes with union-find over runs along x (see components.h).
 *
 * The forest lives in the label array. During the work label[i] is 0 outside, else 1 + the index of the parent of
 * voxel i, which never lies after i: a voxel points to the first voxel of its run or nearer to the root, and a root
 * (label[i] == i + 1) is the first voxel of its component in scan order. Numbering the roots in that order is
 * therefore independent of the order of the unions, and of the number of threads. */
#include "voxel/components.h"

#include <string.h>

enum { SLAB = 8 }; /* planes that one thread joins by itself */

/* A neighbouring row that comes earlier in scan order, and how far past a run's ends it touches. */
typedef struct {
    int dy, dz, reach;
} row_t;

static const struct {
    int connectivity, n;
    row_t row[4];
} table[] = {
    {6, 2, {{-1, 0, 0}, {0, -1, 0}}},
    {18, 4, {{-1, 0, 1}, {0, -1, 1}, {-1, -1, 0}, {1, -1, 0}}},
    {26, 4, {{-1, 0, 1}, {0, -1, 1}, {-1, -1, 1}, {1, -1, 1}}},
};

typedef struct {
    const unsigned char *mask;
    size_t nx, ny, nz;
    uint32_t *label;
} grid_t;

/* First x' >= x with a mask byte other than 0, or nx. */
static size_t run_start(const unsigned char *m, size_t x, size_t nx)
{
    uint64_t eight;
    for (; x + 8 <= nx; x += 8) {
        memcpy(&eight, m + x, 8);
        if (eight) break;
    }
    while (x < nx && !m[x]) x++;
    return x;
}

static size_t run_end(const unsigned char *m, size_t x, size_t nx)
{
    while (x < nx && m[x]) x++;
    return x;
}

/* Root of voxel i, halving the path. */
static uint32_t find(uint32_t *label, uint32_t i)
{
    while (label[i] != i + 1) {
        uint32_t up = label[i] - 1;
        label[i] = label[up];
        i = label[i] - 1;
    }
    return i;
}

static void join(uint32_t *label, uint32_t a, uint32_t b)
{
    a = find(label, a);
    b = find(label, b);
    if (a < b)
        label[b] = a + 1;
    else
        label[a] = b + 1;
}

/* Join the run [x0,x1) that starts at voxel `first` with the runs of the neighbouring row at voxel `base`. */
static void join_row(const grid_t *g, size_t first, size_t x0, size_t x1, size_t base, size_t reach)
{
    const unsigned char *m = g->mask + base;
    size_t lo = x0 < reach ? 0 : x0 - reach, hi = x1 + reach > g->nx ? g->nx : x1 + reach;
    for (size_t x = run_start(m, lo, hi); x < hi; x = run_start(m, run_end(m, x, hi), hi))
        join(g->label, (uint32_t)first, (uint32_t)(base + x));
}

/* Join the runs of row (y,z) with those of the earlier rows; only rows of this plane (below = 0) or only those
 * of the plane below (below = 1). */
static void join_rows(const grid_t *g, size_t y, size_t z, const row_t *row, int n, int below)
{
    size_t base = (z * g->ny + y) * g->nx;
    const unsigned char *m = g->mask + base;
    for (size_t x0 = run_start(m, 0, g->nx), x1; x0 < g->nx; x0 = run_start(m, x1, g->nx)) {
        x1 = run_end(m, x0, g->nx);
        for (int k = 0; k < n; k++) {
            if (-row[k].dz != below) continue;
            if ((row[k].dy < 0 && y == 0) || (row[k].dy > 0 && y + 1 == g->ny)) continue;
            size_t yy = row[k].dy < 0 ? y - 1 : y + (size_t)row[k].dy, zz = z - (size_t)below;
            join_row(g, base + x0, x0, x1, (zz * g->ny + yy) * g->nx, (size_t)row[k].reach);
        }
    }
}

/* Point each voxel of row r to the first of its run. */
static void fill_runs(const grid_t *g, size_t r)
{
    size_t base = r * g->nx;
    const unsigned char *m = g->mask + base;
    memset(g->label + base, 0, g->nx * sizeof *g->label);
    for (size_t x = run_start(m, 0, g->nx); x < g->nx; x = run_start(m, x, g->nx)) {
        uint32_t start = (uint32_t)(base + x + 1);
        for (; x < g->nx && m[x]; x++) g->label[base + x] = start;
    }
}

/* Second pass. A parent comes before its child, so its number stands already when the child asks. */
static size_t number_runs(const grid_t *g)
{
    size_t rows = g->ny * g->nz, count = 0;
    for (size_t r = 0; r < rows; r++) {
        size_t base = r * g->nx;
        const unsigned char *m = g->mask + base;
        for (size_t x = run_start(m, 0, g->nx); x < g->nx; x = run_start(m, run_end(m, x, g->nx), g->nx)) {
            uint32_t *p = g->label + base + x;
            *p = *p == base + x + 1 ? (uint32_t)++count : g->label[*p - 1];
        }
    }
#pragma omp parallel for schedule(static)
    for (size_t r = 0; r < rows; r++) {
        const unsigned char *m = g->mask + r * g->nx;
        uint32_t *p = g->label + r * g->nx;
        for (size_t x = 1; x < g->nx; x++)
            if (m[x] && m[x - 1]) p[x] = p[x - 1];
    }
    return count;
}

int components_label(const unsigned char *mask, size_t nx, size_t ny, size_t nz, int connectivity, uint32_t *label,
                     size_t *count, err_t *err)
{
    size_t k = 0, rows = sizeof table / sizeof *table;
    while (k < rows && table[k].connectivity != connectivity) k++;
    if (k == rows) return err_set(err, ERR_USAGE, "components: connectivity %d (wanted 6, 18 or 26)", connectivity);
    if (!nx || !ny || !nz || nx >= UINT32_MAX || ny > (UINT32_MAX - 1) / nx || nz > (UINT32_MAX - 1) / (nx * ny))
        return err_set(err, ERR_RANGE, "components: %zu x %zu x %zu voxels (wanted 1 to 2^32 - 2)", nx, ny, nz);

    grid_t g = {mask, nx, ny, nz, label};
    size_t slabs = (nz + SLAB - 1) / SLAB;
#pragma omp parallel for schedule(dynamic)
    for (size_t s = 0; s < slabs; s++) {
        size_t z0 = s * SLAB, z1 = z0 + SLAB < nz ? z0 + SLAB : nz;
        for (size_t r = z0 * ny; r < z1 * ny; r++) fill_runs(&g, r);
        for (size_t z = z0; z < z1; z++)
            for (size_t y = 0; y < ny; y++)
                for (int below = 0; below <= (z > z0); below++)
                    join_rows(&g, y, z, table[k].row, table[k].n, below);
    }
    for (size_t z = SLAB; z < nz; z += SLAB)
        for (size_t y = 0; y < ny; y++) join_rows(&g, y, z, table[k].row, table[k].n, 1);
    *count = number_runs(&g);
    return 0;
}

void components_sizes(const uint32_t *label, size_t n, size_t count, size_t *size)
{
    memset(size, 0, (count + 1) * sizeof *size);
    for (size_t i = 0, end; i < n; i = end) { /* by runs: a counter that goes up by one a voxel waits for itself */
        for (end = i + 1; end < n && label[end] == label[i];) end++;
        size[label[i]] += end - i;
    }
}

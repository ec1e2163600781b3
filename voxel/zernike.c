/* zernike: 3D Zernike invariants (see zernike.h).
 *
 * Z_nl^m(x) = sqrt(4 pi / 3) R_nl(r) Y_lm(x / r), with R_nl(r) = sqrt(2n + 3) r^l P_k^(0, l + 1/2)(2 r^2 - 1),
 * k = (n - l) / 2, P the Jacobi polynomial (Canterakis 1999). In real form each is a polynomial in x, y, z of degree n
 * and of even or odd parity in each of the three. Here it is kept as a sum of products of Legendre polynomials
 * p_r(x) p_s(y) p_t(z), orthonormal on [-1,1], r + s + t <= n: the integral of a density of constant voxels against
 * such a product is exact, and separable. Rounding grows about tenfold from one even order to the next, and reaches
 * 3e-8 of a polynomial's size at order 20. */
#include "voxel/zernike.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

enum {
    SIDE = ZERNIKE_ORDER + 1,
    NODES = ZERNIKE_ORDER / 2 + 1,
    POINTS = NODES * NODES * NODES,
    ROWS = NODES * (NODES + 1) * (NODES + 2) / 6 /* polynomials of even parity in x, y, z: the most of one parity */
};

/* The polynomials of one parity, bit 0 of the parity for x, 1 for y, 2 for z. Sorted by degree: the products r, s, t
 * from low to high, the polynomials n from high to low. Product j enters into the first reach[j] polynomials, with
 * coefficients from coef[first[j]] on. */
typedef struct {
    size_t n; /* products, and as many polynomials */
    uint8_t (*rst)[3];
    uint16_t *place; /* of polynomial i in the vector of invariants */
    uint32_t *reach, *first;
    double *coef;
} parity_t;

struct zernike {
    int order;
    parity_t par[8];
};

size_t zernike_place(int n, int l)
{
    assert(n >= 0 && l >= 0 && l <= n && (n - l) % 2 == 0);
    size_t half = (size_t)n / 2; /* sum over k < n of k / 2 + 1, then l / 2 */
    return half * (half + 1) + (n % 2 ? half + 1 : 0) + (size_t)l / 2;
}

size_t zernike_count(const zernike_t *z) { return zernike_place(z->order, z->order) + 1; }

size_t zernike_terms(const zernike_t *z)
{
    size_t n = (size_t)z->order;
    return (n + 1) * (n + 2) * (n + 3) / 6;
}

/* p[0..order]: Legendre polynomials at x. */
static void legendre(int order, double x, double *p)
{
    p[0] = 1;
    if (order > 0) p[1] = x;
    for (int r = 2; r <= order; r++) p[r] = ((2 * r - 1) * x * p[r - 1] - (r - 1) * p[r - 2]) / r;
}

/* Gauss-Legendre nodes x[0..half-1] > 0 of the rule with 2 * half points, by Newton's method; the rule's weights. */
static void gauss(int half, double *x, double *w)
{
    int n = 2 * half;
    double p[2 * NODES + 1], slope = 1;
    for (int i = 0; i < half; i++) {
        x[i] = cos(M_PI * (i + 0.75) / (n + 0.5));
        for (int step = 0; step < 8; step++) {
            legendre(n, x[i], p);
            slope = n * (x[i] * p[n] - p[n - 1]) / (x[i] * x[i] - 1);
            x[i] -= p[n] / slope;
        }
        w[i] = 2 / ((1 - x[i] * x[i]) * slope * slope);
    }
}

/* Work space of zernike_new(): nodes of the positive octant, and functions sampled there. */
typedef struct {
    int nodes; /* order / 2 + 1 to each side: exact to degree 2 * order + 3 */
    double x[NODES], w[NODES];
    double leg[SIDE][NODES];             /* 2 w p_r: quadrature over both signs */
    double solid[POINTS];                /* r^l Y_lm */
    double jacobi[POINTS], last[POINTS]; /* P_k, P_k-1 */
    double value[POINTS];
    double xy[SIDE][NODES][NODES], xyz[SIDE][SIDE][NODES];
} work_t;

/* r^l Y_lm at a point, real form, orthonormal on the sphere; m < 0 is the sine. */
static double solid(int l, int m, double x, double y, double z)
{
    int a = m < 0 ? -m : m;
    double re = 1, im = 0, q = sqrt(a ? 0.5 / M_PI : 0.25 / M_PI), before = 0, rr = x * x + y * y + z * z;
    for (int k = 1; k <= a; k++) {
        double t = re * x - im * y;
        im = re * y + im * x;
        re = t;
        q *= sqrt((2 * k + 1) / (2.0 * k));
    }
    for (int k = a + 1; k <= l; k++) {
        double up = sqrt((4.0 * k * k - 1) / (k * k - a * a));
        double down = k > a + 1 ? sqrt(((k - 1.0) * (k - 1) - a * a) / (4.0 * (k - 1) * (k - 1) - 1)) : 0;
        double next = up * (z * q - down * rr * before);
        before = q;
        q = next;
    }
    return q * (m < 0 ? im : re);
}

/* P_k^(0,b)(t) from P_k-1 and P_k-2. */
static double jacobi_next(int k, double b, double t, double p1, double p2)
{
    if (k == 0) return 1;
    if (k == 1) return ((b + 2) * t - b) / 2;
    double c = 2 * k + b;
    double up = (c - 1) * (c * (c - 2) * t - b * b), down = 2 * (k - 1) * (k + b - 1) * c;
    return (up * p1 - down * p2) / (2 * k * (k + b) * (c - 2));
}

/* Multiply the function in w->value by p_r p_s p_t and integrate, for all products of one parity up to degree n. */
static void project(work_t *w, const parity_t *p, int parity, int n, size_t row)
{
    int px = parity & 1, py = parity >> 1 & 1;
    for (int r = px; r <= n; r += 2)
        for (int k = 0; k < w->nodes; k++)
            for (int j = 0; j < w->nodes; j++) {
                const double *v = w->value + (k * w->nodes + j) * w->nodes;
                double sum = 0;
                for (int i = 0; i < w->nodes; i++) sum += v[i] * w->leg[r][i];
                w->xy[r][k][j] = sum;
            }
    for (int r = px; r <= n; r += 2)
        for (int s = py; r + s <= n; s += 2)
            for (int k = 0; k < w->nodes; k++) {
                double sum = 0;
                for (int j = 0; j < w->nodes; j++) sum += w->xy[r][k][j] * w->leg[s][j];
                w->xyz[r][s][k] = sum;
            }
    for (size_t j = 0; j < p->n; j++) {
        const uint8_t *d = p->rst[j];
        if (d[0] + d[1] + d[2] > n) break;
        double sum = 0;
        for (int k = 0; k < w->nodes; k++) sum += w->xyz[d[0]][d[1]][k] * w->leg[d[2]][k];
        p->coef[p->first[j] + row] = sum;
    }
}

/* Parity of r^l Y_lm. */
static int parity_of(int l, int m)
{
    int a = m < 0 ? -m : m, sine = m < 0;
    return ((a + sine) & 1) | sine << 1 | ((l - a) & 1) << 2;
}

/* All polynomials of one l, m: order n = l, l + 2, ... */
static void expand(zernike_t *z, work_t *w, int l, int m, size_t next[8][SIDE])
{
    int parity = parity_of(l, m);
    parity_t *p = &z->par[parity];
    size_t nodes = (size_t)w->nodes, points = nodes * nodes * nodes;
    for (size_t i = 0; i < points; i++)
        w->solid[i] = solid(l, m, w->x[i % nodes], w->x[i / nodes % nodes], w->x[i / nodes / nodes]);
    for (int n = l; n <= z->order; n += 2) {
        double scale = sqrt((2 * n + 3) * 4 * M_PI / 3);
        for (size_t i = 0; i < points; i++) {
            double x = w->x[i % nodes], y = w->x[i / nodes % nodes], u = w->x[i / nodes / nodes];
            double t = 2 * (x * x + y * y + u * u) - 1;
            double now = jacobi_next((n - l) / 2, l + 0.5, t, w->jacobi[i], w->last[i]);
            w->last[i] = w->jacobi[i];
            w->jacobi[i] = now;
            w->value[i] = scale * now * w->solid[i];
        }
        size_t row = next[parity][n]++;
        p->place[row] = (uint16_t)zernike_place(n, l);
        project(w, p, parity, n, row);
    }
}

/* The products of one parity, in order of degree, and room for the coefficients. next[n] is the first polynomial of
 * order n. */
static int layout(parity_t *p, int parity, int order, size_t *next, err_t *err)
{
    int px = parity & 1, py = parity >> 1 & 1, pz = parity >> 2;
    size_t count[SIDE] = {0}, total = 0;
    for (int r = px; r <= order; r += 2)
        for (int s = py; r + s <= order; s += 2)
            for (int t = pz; r + s + t <= order; t += 2) count[r + s + t]++;
    for (int n = order; n >= 0; n--) {
        next[n] = p->n;
        p->n += count[n];
    }
    p->rst = mem_new(p->n, sizeof *p->rst, err);
    p->place = mem_new(p->n, sizeof *p->place, err);
    p->reach = mem_new(p->n, sizeof *p->reach, err);
    p->first = mem_new(p->n, sizeof *p->first, err);
    if (!p->rst || !p->place || !p->reach || !p->first) return -1;
    size_t j = 0;
    for (int n = 0; n <= order; n++)
        for (int r = px; r <= n; r += 2)
            for (int s = py; r + s <= n; s += 2) {
                if ((n - r - s) % 2 != pz) continue;
                p->rst[j][0] = (uint8_t)r;
                p->rst[j][1] = (uint8_t)s;
                p->rst[j][2] = (uint8_t)(n - r - s);
                p->reach[j] = (uint32_t)(next[n] + count[n]);
                p->first[j] = (uint32_t)total;
                total += p->reach[j++];
            }
    p->coef = mem_new(total, sizeof *p->coef, err);
    return p->coef ? 0 : -1;
}

zernike_t *zernike_new(int order, err_t *err)
{
    if (order < 0 || order > ZERNIKE_ORDER) {
        err_set(err, ERR_RANGE, "Zernike: order %d (wanted 0 to %d)", order, ZERNIKE_ORDER);
        return NULL;
    }
    size_t next[8][SIDE];
    zernike_t *z = mem_zero(1, sizeof *z, err);
    work_t *w = mem_zero(1, sizeof *w, err);
    if (!z || !w) goto fail;
    z->order = order;
    for (int parity = 0; parity < 8; parity++)
        if (layout(&z->par[parity], parity, order, next[parity], err)) goto fail;
    w->nodes = order / 2 + 1;
    gauss(w->nodes, w->x, w->w);
    for (int i = 0; i < w->nodes; i++) {
        double p[SIDE];
        legendre(order, w->x[i], p);
        for (int r = 0; r <= order; r++) w->leg[r][i] = 2 * w->w[i] * sqrt(r + 0.5) * p[r];
    }
    for (int l = 0; l <= order; l++)
        for (int m = -l; m <= l; m++) expand(z, w, l, m, next);
    mem_free(w);
    return z;
fail:
    mem_free(w);
    zernike_free(z);
    return NULL;
}

void zernike_free(zernike_t *z)
{
    if (!z) return;
    for (int i = 0; i < 8; i++) {
        mem_free(z->par[i].rst);
        mem_free(z->par[i].place);
        mem_free(z->par[i].reach);
        mem_free(z->par[i].first);
        mem_free(z->par[i].coef);
    }
    mem_free(z);
}

/* Integrals of a density against the products: m[t][s][r], r + s + t <= order. */
typedef struct {
    double m[SIDE][SIDE][SIDE];
    double plane[SIDE][SIDE]; /* [s][r] of one plane */
    double row[SIDE];
    double leg[]; /* (n,SIDE): integral of p_r over voxel i */
} moments_t;

/* Distance from the centre of a cube of side n to the farther face of voxel i, along one axis. */
static double far_face(size_t i, size_t n)
{
    size_t k = 2 * i + 1 > n ? i : n - 1 - i;
    return (double)(k + 1) - (double)n / 2;
}

/* Integral of p_r over each voxel along one axis, r = 0..order: (P_r+1 - P_r-1) / (2r + 1) between its edges. Voxels
 * that reach out of the ball stay 0. */
static void voxel_integrals(double *leg, size_t n, double radius, int order)
{
    double a[SIDE + 1], b[SIDE + 1];
    for (size_t i = 0; i < n; i++, leg += SIDE) {
        double mid = (double)i + 0.5 - (double)n / 2;
        if (far_face(i, n) > radius) continue;
        legendre(order + 1, (mid - 0.5) / radius, a);
        legendre(order + 1, (mid + 0.5) / radius, b);
        leg[0] = sqrt(0.5) / radius;
        for (int r = 1; r <= order; r++) leg[r] = ((b[r + 1] - a[r + 1]) - (b[r - 1] - a[r - 1])) / (2 * sqrt(r + 0.5));
    }
}

/* Integral along x of a row, for all r. Voxels x0..n-1-x0 are in the ball. A voxel and its mirror image share |p_r|. */
static void row_integrals(const moments_t *w, const float *row, size_t n, size_t x0, int order, double *out)
{
    for (int r = 0; r <= order; r++) out[r] = 0;
    for (size_t x = x0; x < n - x; x++) {
        size_t mirror = n - 1 - x;
        const double *leg = w->leg + x * SIDE;
        double a = (double)row[x], b = x < mirror ? (double)row[mirror] : 0;
        double even = a + b, odd = a - b;
        for (int r = 0; r + 1 <= order; r += 2) {
            out[r] += even * leg[r];
            out[r + 1] += odd * leg[r + 1];
        }
        if (order % 2 == 0) out[order] += even * leg[order];
    }
}

/* Voxels to skip at each end of a row so that the rest lie in the ball; dd is the square of the distance of the row's
 * far edge from the axis. n when all are outside. */
static size_t skip(size_t n, double radius, double dd)
{
    for (size_t x = 0; x < n - x; x++) {
        double d = far_face(x, n);
        if (d * d + dd <= radius * radius) return x;
    }
    return n;
}

/* Integral over a plane: plane[s][r], r + s <= order. */
static void plane_integrals(moments_t *w, const float *plane, size_t n, double radius, double dz, int order)
{
    memset(w->plane, 0, sizeof w->plane);
    for (size_t y = 0; y < n; y++) {
        double dy = far_face(y, n);
        size_t x0 = skip(n, radius, dy * dy + dz * dz);
        if (x0 == n) continue;
        row_integrals(w, plane + y * n, n, x0, order, w->row);
        const double *leg = w->leg + y * SIDE;
        for (int s = 0; s <= order; s++)
            for (int r = 0; r <= order - s; r++) w->plane[s][r] += leg[s] * w->row[r];
    }
}

static void cube_integrals(moments_t *w, const float *cube, size_t n, double radius, int order)
{
    voxel_integrals(w->leg, n, radius, order);
    for (size_t z = 0; z < n; z++) {
        plane_integrals(w, cube + z * n * n, n, radius, far_face(z, n), order);
        const double *leg = w->leg + z * SIDE;
        for (int t = 0; t <= order; t++)
            for (int s = 0; s <= order - t; s++)
                for (int r = 0; r <= order - t - s; r++) w->m[t][s][r] += leg[t] * w->plane[s][r];
    }
}

/* Add |Omega|^2 of all polynomials to sum (zernike_count). */
static void power(const zernike_t *z, const moments_t *w, double *omega, double *sum)
{
    for (int parity = 0; parity < 8; parity++) {
        const parity_t *p = &z->par[parity];
        memset(omega, 0, p->n * sizeof *omega);
        for (size_t j = 0; j < p->n; j++) {
            const double *c = p->coef + p->first[j];
            double m = w->m[p->rst[j][2]][p->rst[j][1]][p->rst[j][0]] * 3 / (4 * M_PI);
            for (size_t i = 0; i < p->reach[j]; i++) omega[i] += c[i] * m;
        }
        for (size_t i = 0; i < p->n; i++) sum[p->place[i]] += omega[i] * omega[i];
    }
}

/* Scale the invariants. -1 when there is nothing to divide by. */
static int normalise(double *f, size_t n, zernorm_t norm)
{
    double by = 0;
    if (norm == ZERNIKE_RAW) return 0;
    if (norm == ZERNIKE_MASS) by = f[0];
    if (norm == ZERNIKE_UNIT)
        for (size_t i = 0; i < n; i++) by += f[i] * f[i];
    if (norm == ZERNIKE_UNIT) by = sqrt(by);
    if (!(by > 0)) return -1;
    for (size_t i = 0; i < n; i++) f[i] /= by;
    return 0;
}

int zernike_invariants(const zernike_t *z, const float *cube, size_t n, double radius, zernorm_t norm, float *out,
                       err_t *err)
{
    if (n < 1 || n > ZERNIKE_SIDE_MAX)
        return err_set(err, ERR_RANGE, "Zernike: cube of side %zu (wanted 1 to %d)", n, ZERNIKE_SIDE_MAX);
    if (!(radius > 0 && radius <= ZERNIKE_SIDE_MAX))
        return err_set(err, ERR_RANGE, "Zernike: ball of radius %g voxels (wanted > 0, to %d)", radius,
                       ZERNIKE_SIDE_MAX);

    double omega[ROWS], sum[SIDE * SIDE] = {0};
    size_t count = zernike_count(z);
    moments_t *w = mem_zero(1, sizeof *w + n * SIDE * sizeof *w->leg, err);
    if (!w) return -1;
    cube_integrals(w, cube, n, radius, z->order);
    bool finite = isfinite(w->m[0][0][0]);
    power(z, w, omega, sum);
    mem_free(w);

    if (!finite) return err_set(err, ERR_RANGE, "Zernike: the cube holds NaN or infinite voxels");
    for (size_t i = 0; i < count; i++) sum[i] = sqrt(sum[i]);
    if (normalise(sum, count, norm))
        return err_set(err, ERR_RANGE, "Zernike: no density in a ball of radius %g voxels", radius);
    for (size_t i = 0; i < count; i++) out[i] = (float)sum[i];
    return 0;
}

void zernike_values(const zernike_t *z, const double x[3], double *value, size_t *place)
{
    double leg[3][SIDE];
    for (int axis = 0; axis < 3; axis++) {
        legendre(z->order, x[axis], leg[axis]);
        for (int r = 0; r <= z->order; r++) leg[axis][r] *= sqrt(r + 0.5);
    }
    memset(value, 0, zernike_terms(z) * sizeof *value);
    for (int parity = 0; parity < 8; parity++) {
        const parity_t *p = &z->par[parity];
        for (size_t j = 0; j < p->n; j++) {
            double product = leg[0][p->rst[j][0]] * leg[1][p->rst[j][1]] * leg[2][p->rst[j][2]];
            for (size_t i = 0; i < p->reach[j]; i++) value[i] += p->coef[p->first[j] + i] * product;
        }
        if (place)
            for (size_t i = 0; i < p->n; i++) place[i] = p->place[i];
        value += p->n;
        if (place) place += p->n;
    }
}

double zernike_distance(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double d = (double)a[i] - (double)b[i];
        sum += d * d;
    }
    return sqrt(sum);
}

/* profile: mean and standard deviation of a density in spherical shells (see profile.h). */
#include "voxel/profile.h"

#include <math.h>

/* Shell of a voxel at squared distance dd; PROFILE_SHELLS and more outside. */
static size_t shell_of(double dd, size_t n) { return (size_t)(sqrt(dd) * (2 * PROFILE_SHELLS) / (double)n); }

/* Mean over each shell of (density - from[k])^power, power 1 or 2. */
static void shell_means(const float *cube, size_t n, const double *from, int power, double *mean)
{
    double sum[PROFILE_SHELLS] = {0}, count[PROFILE_SHELLS] = {0}, half = ((double)n - 1) / 2;
    for (size_t z = 0; z < n; z++)
        for (size_t y = 0; y < n; y++) {
            double dz = (double)z - half, dy = (double)y - half;
            const float *row = cube + (z * n + y) * n;
            for (size_t x = 0; x < n; x++) {
                double dx = (double)x - half;
                size_t k = shell_of(dx * dx + dy * dy + dz * dz, n);
                if (k >= PROFILE_SHELLS) continue;
                double v = (double)row[x] - from[k];
                sum[k] += power == 2 ? v * v : v;
                count[k]++;
            }
        }
    for (size_t k = 0; k < PROFILE_SHELLS; k++) mean[k] = count[k] > 0 ? sum[k] / count[k] : 0;
}

int profile_make(const float *cube, size_t n, float *out, err_t *err)
{
    if (n < 1 || n > PROFILE_SIDE_MAX)
        return err_set(err, ERR_RANGE, "profile: cube of side %zu (wanted 1 to %d)", n, PROFILE_SIDE_MAX);
    double zero[PROFILE_SHELLS] = {0}, value[PROFILE_COUNT], *sd = value + PROFILE_SHELLS, length = 0;
    shell_means(cube, n, zero, 1, value);
    shell_means(cube, n, value, 2, sd);
    for (size_t k = 0; k < PROFILE_SHELLS; k++) sd[k] = sqrt(sd[k]);
    for (size_t i = 0; i < PROFILE_COUNT; i++) length += value[i] * value[i];
    length = sqrt(length);
    if (!isfinite(length)) return err_set(err, ERR_RANGE, "profile: the cube holds NaN or infinite voxels");
    if (!(length > 0))
        return err_set(err, ERR_RANGE, "profile: no density within %g voxels of the centre", (double)n / 2);
    for (size_t i = 0; i < PROFILE_COUNT; i++) out[i] = (float)(value[i] / length);
    return 0;
}

double profile_distance(const float *a, const float *b)
{
    double sum = 0;
    for (size_t i = 0; i < PROFILE_COUNT; i++) sum += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
    return sqrt(sum);
}

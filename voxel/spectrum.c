/* spectrum: radial amplitude spectrum of a cube, and its match to one reference (see spectrum.h). */
#include "voxel/spectrum.h"

#include <math.h>

#include "base/mem.h"
#include "voxel/cube.h"
#include "voxel/fft.h"

/* Amplitude of shells 0..9 relative to shell 1: the median over 8,668 structures of the PDB, as printed by
 * tests/bench/reference_spectrum. Shell 0, the mean, is left as it is. */
static const double reference[CUBE_SHELLS] = {1, 1, 0.4494, 0.1958, 0.1157, 0.0739, 0.0520, 0.0379, 0.0279, 0.0193};

/* Shell of a half-complex coefficient. */
static size_t shell_of(size_t kx, size_t ky, size_t kz, size_t n)
{
    double y = ky <= n / 2 ? (double)ky : (double)ky - (double)n, z = kz <= n / 2 ? (double)kz : (double)kz - (double)n;
    return (size_t)lrint(sqrt((double)(kx * kx) + y * y + z * z));
}

static void amplitudes(const cplx_t *f, size_t n, double *amp)
{
    double sum[SPECTRUM_MAX] = {0}, count[SPECTRUM_MAX] = {0};
    size_t i = 0;
    for (size_t z = 0; z < n; z++)
        for (size_t y = 0; y < n; y++)
            for (size_t x = 0; x <= n / 2; x++, i++) {
                size_t s = shell_of(x, y, z, n);
                if (s > n / 2) continue;
                double w = x == 0 || x == n / 2 ? 1 : 2; /* the other half of the transform */
                sum[s] += w * ((double)f[i][0] * (double)f[i][0] + (double)f[i][1] * (double)f[i][1]);
                count[s] += w;
            }
    for (size_t s = 0; s <= n / 2; s++) amp[s] = sqrt(sum[s] / count[s]);
}

int spectrum_of(const float *cube, size_t side, double *amp, err_t *err)
{
    cplx_t *f = mem_new(side * side * (side / 2 + 1), sizeof *f, err);
    int rc = f ? fft_forward(side, side, side, cube, f, err) : -1;
    if (!rc) amplitudes(f, side, amp);
    mem_free(f);
    return rc;
}

int spectrum_match(float *cube, size_t side, err_t *err)
{
    double amp[SPECTRUM_MAX];
    float gain[SPECTRUM_MAX] = {0};
    cplx_t *f = mem_new(side * side * (side / 2 + 1), sizeof *f, err);
    int rc = -1;
    if (!f || fft_forward(side, side, side, cube, f, err)) goto done;
    amplitudes(f, side, amp);
    gain[0] = 1;
    for (size_t s = 1; s < CUBE_SHELLS && s <= side / 2; s++) {
        double g = amp[s] > 0 ? reference[s] * amp[1] / amp[s] : 0;
        gain[s] = (float)fmin(g, CUBE_GAIN);
    }
    size_t i = 0;
    for (size_t z = 0; z < side; z++)
        for (size_t y = 0; y < side; y++)
            for (size_t x = 0; x <= side / 2; x++, i++) {
                size_t s = shell_of(x, y, z, side);
                float g = s < SPECTRUM_MAX ? gain[s] : 0;
                f[i][0] *= g;
                f[i][1] *= g;
            }
    rc = fft_inverse(side, side, side, f, cube, err);
done:
    mem_free(f);
    return rc;
}

/* simulate: density from atoms. */
#ifndef CRYOLEX_VOXEL_SIMULATE_H
#define CRYOLEX_VOXEL_SIMULATE_H

#include <stddef.h>

#include "base/err.h"
#include "base/vol.h"
#include "pdb/model.h"

/* SIM_MOLMAP   each atom a Gaussian whose integral is its atomic number (carbon's when unknown) times its occupancy,
 *              sigma = SIM_SIGMA * resolution, as ChimeraX molmap; the B factor is not used
 * SIM_ELECTRON electron scattering factors (five Gaussians) with the B factor, then blurred by the same Gaussian; the
 *              integral of an atom is its scattering length at zero angle, angstrom, times its occupancy */
typedef enum { SIM_MOLMAP, SIM_ELECTRON } simkind_t;

/* How it is computed; the choice changes values by less than SIM_TOLERANCE of the largest. */
typedef enum {
    SIM_AUTO,  /* whichever is cheaper */
    SIM_DIRECT, /* every Gaussian summed on the grid, cut at SIM_CUT sigma: the reference */
    SIM_SPLAT  /* narrow Gaussians summed on the grid, then one separable Gaussian filter; direct all the same where the
                  voxel is too coarse for it or the pad too small */
} simpath_t;

#define SIM_SIGMA 0.225
#define SIM_CUT 5.0
#define SIM_TOLERANCE 2e-5

/* Start from {0}. */
typedef struct {
    double resolution; /* angstrom, > 0 */
    double voxel;      /* angstrom, > 0; half the resolution or less, or the sampled density aliases */
    double pad;        /* angstrom around the atoms' centres; 0: SIM_CUT times the widest sigma */
    simkind_t kind;
    simpath_t path;
    size_t memory;     /* bytes for the grid; 0: 4 GiB */
} sim_opts_t;

/* The density of m.
 *
 * Returns a new volume; value is weight per cubic angstrom; its voxel centres lie on multiples of the voxel in the model's frame;
 * free with vol_free(). Equal bytes for any number of threads.
 * In a chain that is a trace (most of its residues have one atom), each CA or P stands for its residue or nucleotide:
 * weight and shape of it by name, see trace.h. In SIM_ELECTRON it is so many carbons.
 * NULL: ERR_USAGE resolution, voxel or pad that is not positive (pad: negative) or not finite; ERR_RANGE the grid is larger than
 * `memory`, or a side than VOL_SIDE_MAX; ERR_NOMEM.
 * Thread-safe. Sources: ChimeraX molmap (sigma, weights); International Tables C 4.3.2.2 (scattering factors). */
vol_t *simulate(const model_t *m, const sim_opts_t *o, err_t *err);

#endif

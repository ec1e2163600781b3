/* cryolex simulate: a density map from an atomic model. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mrc/mrc.h"
#include "pdb/pdb.h"
#include "src/outpath.h"
#include "src/table.h"
#include "voxel/simulate.h"

typedef struct {
    double resolution, apix, pad;
    const char *assembly;
    int kind, mode;
} opts_t;

#define AT(field) offsetof(opts_t, field)
static const opt_t opts[] = {
    {'r', "resolution", OPT_REAL, AT(resolution), "A", 0.5, 200, NULL, "8", "Resolution in angstrom"},
    {'a', "apix", OPT_MAYBE, AT(apix), "A", 1e-3, 100, NULL, NULL, "Voxel size in angstrom (default: a third of the resolution)"},
    {0, "assembly", OPT_STR, AT(assembly), "ID", 0, 0, NULL, NULL,
     "Biological assembly, or asu for the deposited model (default: assembly 1 of an entry from diffraction, the deposited model of others)"},
    {0, "kind", OPT_CHOICE, AT(kind), NULL, 0, 0, "molmap|electron", "molmap",
     "Atoms as Gaussians of their atomic number, or by electron scattering factors and B factors"},
    {0, "pad", OPT_REAL, AT(pad), "A", 0, 10000, NULL, "0", "Angstrom around the atoms; 0: as far as their density reaches"},
    {0, "mode", OPT_CHOICE, AT(mode), NULL, 0, 0, "2|12", "2", "MRC mode: 2 (float32) or 12 (float16)"},
    {0},
};

static int run(const app_t *app, const void *options, int argc, char **argv)
{
    const opts_t *o = options;
    (void)argc;
    err_t err = {0}, why = {0};
    notes_t notes = {0};
    vol_t *v = NULL;
    int rc = -1;
    sim_opts_t so = {.resolution = o->resolution, .voxel = isnan(o->apix) ? o->resolution / 3 : o->apix, .pad = o->pad,
                     .kind = o->kind ? SIM_ELECTRON : SIM_MOLMAP, .memory = app->memory};
    mrc_wopts_t wo = {.mode = o->mode ? 12 : 2};
    model_t *m = NULL;
    if (!outpath_not_input("simulate", argv[1], argv[0], &err)) m = pdb_read(argv[0], o->assembly, &notes, &err);
    log_notes(&app->log, argv[0], &notes);
    if (m && so.voxel > so.resolution / 2)
        log_msg(&app->log, LOG_WARN, "%s: voxels of %g angstrom are too coarse for a resolution of %g (at most half of it)",
                argv[0], so.voxel, so.resolution);
    if (m && !(v = simulate(m, &so, &why))) err_set(&err, why.code, "%s: %s", argv[0], why.msg);
    if (v && !mrc_write(argv[1], v, &wo, &err)) {
        log_msg(&app->log, LOG_INFO, "%s: %zu atoms%s%s, %zu x %zu x %zu voxels of %g angstrom", argv[1], m->n,
                *m->assembly ? ", assembly " : "", m->assembly, v->nx, v->ny, v->nz, so.voxel);
        rc = 0;
    }
    vol_free(v);
    model_free(m);
    notes_free(&notes);
    return rc ? cmd_fail(app, &err) : EXIT_DONE;
}

const cmd_t cmd_simulate = {
    .name = "simulate",
    .args = "MODEL OUT",
    .summary = "Make a density map from an atomic model",
    .about = "MODEL is a PDB or mmCIF file, plain or gzip; \"-\" is standard input.\n"
             "OUT is an MRC2014 map that overlays the model; \"-\" is standard output.\n\n"
             "Each atom is a Gaussian of sigma 0.225 times the resolution, as in ChimeraX\n"
             "molmap. Hydrogens and waters are left out. Where a model has one atom a residue\n"
             "(CA or P), each stands for its residue or nucleotide, which serves 6 angstrom\n"
             "and worse.",
    .example = "cryolex simulate --resolution 8 --apix 2 1abc.cif.gz 1abc.mrc",
    .opts = opts,
    .opt_size = sizeof(opts_t),
    .min_args = 2,
    .max_args = 2,
    .run = run,
};

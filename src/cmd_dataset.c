/* cmd_dataset: cryolex dataset build | info. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "pipeline/dataset.h"
#include "pipeline/dataset_build.h"
#include "pipeline/textmodel.h"
#include "src/inputs.h"
#include "src/outpath.h"
#include "src/table.h"

enum { VARIANTS_MAX = 64, GROUPS_SHOWN = 5 };

typedef struct {
    const char *out, *assembly, *annot, *maps, *text;
    long seed, variants;
    double valid, test, large;
    bool alike;
} build_opts_t;

#define AT(field) offsetof(build_opts_t, field)
static const opt_t build_rows[] = {
    {'o', "output", OPT_STR, AT(out), "DATASET", 0, 0, NULL, NULL, "The dataset to write (HDF5): a file, no pipe"},
    {'a', "annot", OPT_STR, AT(annot), "FOLDER", 0, 0, NULL, NULL,
     "Tables of what is known about PDB entries, ours or as published (see cryolex caption -h): GO terms, EC numbers, Pfam families, UniProt accessions, sequence clusters. Without "
     "it entries have no terms and no captions, and each PDB entry is its own group"},
    {0, "maps", OPT_STR, AT(maps), "TABLE", 0, 0, NULL, NULL,
     "A table of real maps with the columns family and fitted_pdb (PDB ids, or -). The entries that it names, and whatever shares a group "
     "with one, whether the dataset holds it or not, are for test"},
    {'m', "text-model", OPT_STR, AT(text), "MODEL", 0, 0, NULL, NULL,
     "Embed captions with this sentence encoder: minilm or mpnet, as fetch-text-model has put them into the cache, or a "
     "sentence-transformers folder. Without it the dataset has no captions"},
    {0, "variants", OPT_INT, AT(variants), "N", 1, VARIANTS_MAX, NULL, "4", "Captions of each entry, at most: equal ones are kept once"},
    {0, "valid", OPT_REAL, AT(valid), "SHARE", 0, 1, NULL, "0.05", "Share of the entries for validation, about: groups stay whole"},
    {0, "test", OPT_REAL, AT(test), "SHARE", 0, 1, NULL, "0.1", "Share of the entries for test, about"},
    {0, "large", OPT_REAL, AT(large), "SHARE", 0, 1, NULL, "0.02", "A group with a larger share of the entries is for training"},
    {0, "alike", OPT_FLAG, AT(alike), NULL, 0, 0, NULL, NULL,
     "Keep entries on one side, too, whose chains have much of their sequence in common, whatever the tables say: groups grow"},
    {0, "seed", OPT_INT, AT(seed), "N", 0, 1L << 53, NULL, "1", "Seed of the split and of the captions"},
    {0, "assembly", OPT_STR, AT(assembly), "ID", 0, 0, NULL, NULL,
     "Biological assembly of the models: an id, or asu for the model as deposited; without it, assembly 1 of crystal "
     "entries and the deposited model of others. A manifest's column assembly comes first"},
    {0},
};

/* Sides, largest groups and leaks, as a table of their own each. */
static void print_sides(const dataset_t *d, FILE *f)
{
    size_t entries[SPLITS] = {0}, groups[SPLITS] = {0}, captions[SPLITS] = {0}, atoms[SPLITS] = {0};
    for (size_t i = 0, next = 0; i < d->n; i++) {
        int s = d->split[i];
        entries[s]++;
        captions[s] += d->caption_at[i + 1] - d->caption_at[i];
        atoms[s] += dataset_atom_count(d, i);
        if (d->group[i] == next) { /* numbered by first member */
            groups[s]++;
            next++;
        }
    }
    fprintf(f, "split\tentries\tshare\tgroups\tcaptions\tatoms\n");
    for (int s = 0; s < SPLITS; s++)
        fprintf(f, "%s\t%zu\t%.4f\t%zu\t%zu\t%zu\n", split_name[s], entries[s], (double)entries[s] / (double)d->n, groups[s], captions[s],
                atoms[s]);
}

/* The table of leaks; returns how many faults there are, or -1 with err. */
static long print_leaks(const dataset_t *d, FILE *f, err_t *err)
{
    leak_t leak[LEAKS];
    if (split_leaks(d, leak, err)) return -1;
    fprintf(f, "leak\tall\ton_several_sides\ton_train_and_test\tof_real_maps\tof_these_not_test\texample\tverdict\n");
    for (int k = 0; k < LEAKS; k++) {
        const leak_t *l = &leak[k];
        fprintf(f, "%s\t%zu\t%zu\t%zu\t%zu\t%zu\t%s\t%s\n", leak_name[k], l->all, l->shared, l->train_test, l->maps, l->maps_shared,
                *l->example ? l->example : "-", k >= LEAK_SEQUENCE ? "information" : l->shared + l->maps_shared ? "LEAK" : "none");
    }
    return (long)split_faults(leak);
}

static int check(const app_t *app, const build_opts_t *o, int argc, char **argv, manifest_t *m, err_t *err)
{
    if (!o->out) return err_set(err, ERR_USAGE, "dataset build: no output; give -o DATASET");
    if (o->valid + o->test > 1) return err_set(err, ERR_USAGE, "dataset build: --valid and --test are together over 1");
    if (o->text && !o->annot) return err_set(err, ERR_USAGE, "dataset build: captions are made from facts; give --annot FOLDER");
    if (outpath_whole("dataset build", o->out, err) || inputs_read(app, argc, argv, m, err) ||
        inputs_spare("dataset build", o->out, argc, argv, m, err))
        return -1;
    return o->maps ? outpath_not_input("dataset build", o->out, o->maps, err) : 0;
}

static annot_t *open_annot(const app_t *app, const char *folder, err_t *err)
{
    notes_t notes = {0};
    annot_t *a = annot_open(folder, &notes, err);
    log_notes(&app->log, folder, &notes);
    notes_free(&notes);
    return a;
}

static int run_build(const app_t *app, const void *opts, int argc, char **argv)
{
    const build_opts_t *o = opts;
    manifest_t m = {0};
    annot_t *annot = NULL;
    sentence_t *text = NULL;
    dataset_t d = {0};
    err_t err = {0};
    size_t failed = 0;
    int status = EXIT_NOT_RUN;

    if (check(app, o, argc, argv, &m, &err) || (o->annot && !(annot = open_annot(app, o->annot, &err))) ||
        (o->text && !(text = textmodel_open(o->text, &err))))
        goto done;
    for (size_t i = 0; i < m.n; i++)
        if (!m.item[i].assembly) m.item[i].assembly = o->assembly;
    dataset_opts_t how = {.annot = annot, .maps = o->maps, .text = text, .variants = (unsigned)o->variants,
                          .split = {.seed = (uint64_t)o->seed, .valid = o->valid, .test = o->test, .large = o->large, .alike = o->alike}};
    if (dataset_build(&m, &how, &app->log, &d, &failed, &err) || dataset_write(o->out, &d, &err)) goto done;
    log_msg(&app->log, LOG_INFO, "%s: %zu entries, %zu left out, %zu captions", o->out, d.n, failed, d.captions);
    if (!d.dim) log_msg(&app->log, LOG_INFO, "%s: no captions: no text model was given", o->out);
    if (!app->quiet) print_sides(&d, stderr);
    long faults = print_leaks(&d, stderr, &err);
    if (faults < 0) goto done;
    if (faults) log_msg(&app->log, LOG_WARN, "%s: the split leaks; see cryolex dataset info --leaks", o->out);
    status = failed || faults ? EXIT_SOME_FAILED : EXIT_DONE;
done:
    if (err.code != ERR_OK) status = cmd_fail(app, &err);
    dataset_free(&d);
    sentence_close(text);
    annot_free(annot);
    manifest_free(&m);
    return status;
}

const cmd_t cmd_dataset_build = {
    .name = "dataset build",
    .args = "-o DATASET MANIFEST|FOLDER|FILE...",
    .summary = "Gather atoms, captions, terms and a split to train on",
    .about = "Reads atomic models (PDB or mmCIF, plain or gzip) and writes one HDF5 file that holds what training needs: the atoms (views "
             "are simulated from them), the place of the membrane, GO terms with their ancestors, EC numbers and Pfam families, "
             "captions made of these facts and their vectors by a frozen sentence encoder, and which entries are for training, for "
             "validation and for test.\n\n"
             "The split is by group: entries that share, directly or through others, a PDB id, a 30 % sequence cluster, a UniProt "
             "accession, a family of the real maps or the manifest's column group, stand on one side. A manifest's column split (train, "
             "valid, test) decides for the entry's group. Facts are found by the PDB id that an entry's id begins with, "
             "else by that in the model's header.\n\n"
             "Whether any of these stands on two sides is counted afterwards from the dataset itself, and printed on stderr; see cryolex "
             "dataset info --leaks. Equal input and seed give equal bytes, whatever the number of threads.\n\n"
             "An entry that cannot be read is reported and left out, and the exit status is then 1, as it is after a leak.",
    .example = "cryolex dataset build -o d.h5 -a annot --maps maps.tsv -m minilm ~/structures",
    .opts = build_rows,
    .opt_size = sizeof(build_opts_t),
    .min_args = 1,
    .max_args = -1,
    .run = run_build,
};

/* ---- info ---- */

typedef struct {
    bool leaks;
} info_opts_t;

static const opt_t info_rows[] = {
    {0, "leaks", OPT_FLAG, offsetof(info_opts_t, leaks), NULL, 0, 0, NULL, NULL,
     "Print what stands on two sides of the split instead; the exit status is 1 when something does"},
    {0},
};

/* Entries of the largest groups, largest first. */
static int print_groups(const dataset_t *d, err_t *err)
{
    size_t *size = mem_zero(d->n, sizeof *size, err), groups = 0;
    if (!size) return -1;
    for (size_t i = 0; i < d->n; i++) {
        size[d->group[i]]++;
        if (d->group[i] + 1 > groups) groups = d->group[i] + 1;
    }
    printf("groups\t%zu\n", groups);
    for (int k = 1; k <= GROUPS_SHOWN; k++) {
        size_t best = 0, first = 0;
        for (size_t g = 0; g < groups; g++)
            if (size[g] > size[best]) best = g;
        if (!size[best]) break;
        while (d->group[first] != best) first++;
        printf("group_%d\t%zu entries, %s, first %s\n", k, size[best], split_name[d->split[first]], d->id[first]);
        size[best] = 0;
    }
    mem_free(size);
    return 0;
}

static void print_fields(const char *path, const dataset_t *d)
{
    size_t membranes = 0, atoms = 0, with_terms = 0, with_captions = 0;
    for (size_t i = 0; i < d->n; i++) {
        membranes += d->span[i].half > 0;
        atoms += dataset_atom_count(d, i);
        with_terms += d->terms.at[i + 1] > d->terms.at[i];
        with_captions += d->caption_at[i + 1] > d->caption_at[i];
    }
    printf("field\tvalue\npath\t%s\nformat\t%s %d\nhash\t%s\nseed\t%llu\n", path, DATASET_FORMAT, DATASET_VERSION, d->hash,
           (unsigned long long)d->seed);
    printf("entries\t%zu\natoms\t%zu\nmembranes\t%zu\nterms\t%zu\nentries_with_terms\t%zu\n", d->n, atoms, membranes, d->term.n, with_terms);
    printf("clusters_30\t%zu\nuniprots\t%zu\nfamilies\t%zu\nreal_map_entries\t%zu\n", d->cluster.n, d->uniprot.n, d->family.n, d->maps.pdb.n);
    printf("captions\t%zu\nentries_with_captions\t%zu\ntext_model\t%s\ntext_model_hash\t%s\ntext_dim\t%zu\n", d->captions, with_captions,
           d->dim ? d->text_model : "-", d->dim ? d->text_hash : "-", d->dim);
}

static int run_info(const app_t *app, const void *opts, int argc, char **argv)
{
    const info_opts_t *o = opts;
    dataset_t d;
    err_t err = {0};
    long faults = 0;
    (void)argc;
    if (dataset_read(argv[0], &d, &err)) return cmd_fail(app, &err);
    if (o->leaks)
        faults = print_leaks(&d, stdout, &err);
    else {
        print_fields(argv[0], &d);
        print_groups(&d, &err);
        putchar('\n');
        print_sides(&d, stdout);
    }
    dataset_free(&d);
    if (err.code != ERR_OK) return cmd_fail(app, &err);
    return faults ? EXIT_SOME_FAILED : EXIT_DONE;
}

const cmd_t cmd_dataset_info = {
    .name = "dataset info",
    .args = "DATASET",
    .summary = "What a dataset holds, and whether its split leaks",
    .about = "Prints numbers of entries, terms, clusters and captions as a table of two columns, then entries, groups, captions and atoms of "
             "each side of the split.\n\n"
             "With --leaks: for PDB ids, 30 % sequence clusters, UniProt accessions, families of real maps, families of chains with much of their sequence in common, and Pfam families, how many there "
             "are; how many stand on more than one side, and on train and test; how many the entries of the real maps have, and how many of these stand "
             "on train or valid. All but the last two, which are told as information, have to be 0.",
    .example = "cryolex dataset info --leaks d.h5",
    .opts = info_rows,
    .opt_size = sizeof(info_opts_t),
    .min_args = 1,
    .max_args = 1,
    .run = run_info,
};

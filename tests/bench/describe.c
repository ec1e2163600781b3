/* describe: what each part of the way from a map's file to its annotation takes, beside decompressing the file alone.
 *     make tests/bench/describe && CRYOLEX_SHARE=share tests/bench/describe REPEATS FILE...
 * One thread. TSV: a row a file, milliseconds of its time on the processor, medians of REPEATS, with the spread (quartiles over the median) of the total:
 *   inflate   read the file and decompress it with libdeflate into memory that is there already: the floor (of a plain file: read it)
 *   read      the density from the file, as describe_file() does, and `cube` and `rest` (descriptor, Zernike invariants, profile) from that; `level`, the
 *             contour at the map's own resolution by itself, which describe_file() has from the cube
 *   describe  describe_file(), all of these and the EMDB header
 *   embed     the encoder, in all poses;   annotate  annotate_run();   symmetry  symmetry_guess()
 *   total     the last four;   ratio  total / inflate */
#include <libdeflate.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/threads.h"
#include "pipeline/annotate.h"
#include "pipeline/coarse.h"
#include "pipeline/modelfile.h"
#include "pipeline/share.h"
#include "voxel/contour.h"
#include "voxel/symmetry.h"

enum { INFLATE, READ, CUBE, LEVEL, REST, DESCRIBE, EMBED, ANNOTATE, SYMMETRY, PARTS, REPEATS_MAX = 101 };
static const char *const part_name[PARTS] = {"inflate", "read", "cube", "level", "rest", "describe", "embed", "annotate", "symmetry"};

typedef struct {
    describer_t d;
    modelfile_t m;
    index_t x;
    unsigned char *room; /* what a file becomes */
    size_t room_n;
} bench_t;

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double since(double *t)
{
    double now = clock_cpu(), ms = 1e3 * (now - *t);
    *t = now;
    return ms;
}

/* Bytes of the file, and of what it holds. */
static int inflate_one(bench_t *b, const char *path, size_t *bytes, size_t *held, err_t *err)
{
    unsigned char *in = file_read(path, (size_t)1 << 36, bytes, err);
    if (!in) return -1;
    *held = *bytes;
    int rc = 0;
    if (*bytes > 18 && in[0] == 0x1f && in[1] == 0x8b) {
        struct libdeflate_decompressor *z = libdeflate_alloc_decompressor();
        size_t used;
        if (libdeflate_gzip_decompress_ex(z, in, *bytes, b->room, b->room_n, &used, held) != LIBDEFLATE_SUCCESS)
            rc = err_set(err, ERR_FORMAT, "%s: cannot decompress, or more than %zu bytes", path, b->room_n);
        libdeflate_free_decompressor(z);
    }
    mem_free(in);
    return rc;
}

/* The parts of describe_file(), one by one. */
static int in_parts(bench_t *b, const char *path, double *ms, vol_t *shape, err_t *err)
{
    double t = clock_cpu();
    const mrc_opts_t as_described = {.unchecked = true};
    vol_t *v = coarse_read(path, &as_described, COARSE_FROM, COARSE_TO, NULL, err);
    cube_t c = {0};
    contour_t level;
    int8_t desc[DESC_LEN];
    float zernike[DESCRIBE_ZERNIKE], profile[DESCRIBE_PROFILE];
    ms[READ] = since(&t);
    int rc = v && !cube_make(v, NULL, &c, err) ? 0 : -1;
    ms[CUBE] = since(&t);
    if (!rc) contour_estimate(v, &level, NULL);
    ms[LEVEL] = since(&t);
    if (!rc) {
        desc_pack(c.data, c.side, desc);
        rc = zernike_invariants(b->d.zernike, c.data, c.side, (double)c.side / 2, ZERNIKE_UNIT, zernike, err) || profile_make(c.data, c.side, profile, err) ? -1 : 0;
    }
    ms[REST] = since(&t);
    if (v) *shape = *v;
    shape->data = NULL;
    cube_free(&c);
    vol_free(v);
    return rc;
}

/* All of it; what comes of it to stderr, so that it is seen to be the same. */
static int whole(bench_t *b, const char *path, double *ms, bool tell, err_t *err)
{
    static const item_t none = {.contour = NAN};
    item_t it = none;
    record_t r;
    annotation_t a;
    symmetry_t s;
    annotate_opts_t o = {.hits = 50, .terms = 8, .min_confidence = 0.3, .spaces = ~0u, .scoring = &b->x.scoring};
    encoder_t *e = b->m.encoder;
    int poses = (int)index_poses(&b->x);
    float *z = mem_new((size_t)poses, e->d * sizeof *z, err), *f = mem_new(e->features, sizeof *f, err);
    it.id = it.path = path;
    double t = clock_cpu();
    int rc = z && f ? describe_file(&b->d, &it, &r, NULL, err) : -1;
    ms[DESCRIBE] = since(&t);
    if (!rc) {
        encoder_features(e, (double)r.rg, r.profile, r.zernike, f);
        rc = encoder_embed_poses(e, 1, r.density, f, poses, z, err);
        ms[EMBED] = since(&t);
        if (!rc && !(rc = annotate_run(&b->x, &r, z, &o, &a, err))) {
            ms[ANNOTATE] = since(&t);
            rc = symmetry_guess(r.density, e->side, &s, err);
            ms[SYMMETRY] = since(&t);
            if (tell && !rc)
                fprintf(stderr, "%s: rg %.3f volume %.6g level %.6g first %s %.4f known %.3f symmetry %s %.4f\n", path, (double)r.rg, (double)r.volume, (double)r.level,
                        b->x.text[INDEX_ID][a.hit[0].entry], (double)a.hit[0].score, a.known, s.group, s.score);
            annotation_free(&a);
        }
        record_free(&r);
    }
    mem_free(z);
    mem_free(f);
    return rc;
}

static int measure(bench_t *b, const char *path, int repeats, err_t *err)
{
    double all[PARTS + 1][REPEATS_MAX], ms[PARTS], mid[PARTS + 1];
    size_t bytes = 0, held = 0;
    vol_t shape = {0};
    for (int k = 0; k < repeats; k++) {
        double t = clock_cpu();
        if (inflate_one(b, path, &bytes, &held, err)) return -1;
        ms[INFLATE] = since(&t);
        if (in_parts(b, path, ms, &shape, err) || whole(b, path, ms, !k, err)) return -1;
        for (int p = 0; p < PARTS; p++) all[p][k] = ms[p];
        all[PARTS][k] = ms[DESCRIBE] + ms[EMBED] + ms[ANNOTATE] + ms[SYMMETRY];
    }
    for (int p = 0; p <= PARTS; p++) {
        qsort(all[p], (size_t)repeats, sizeof **all, by_value);
        mid[p] = all[p][repeats / 2];
    }
    const char *name = strrchr(path, '/');
    printf("%s\t%zu x %zu x %zu\t%.2f\t%.2f", name ? name + 1 : path, shape.nx, shape.ny, shape.nz, (double)bytes * 0x1p-20, (double)held * 0x1p-20);
    for (int p = 0; p <= PARTS; p++) printf("\t%.1f", mid[p]);
    printf("\t%.2f\t%.3f\n", mid[PARTS] / mid[INFLATE], (all[PARTS][repeats * 3 / 4] - all[PARTS][repeats / 4]) / mid[PARTS]);
    fflush(stdout);
    return 0;
}

static int start(bench_t *b, err_t *err)
{
    char *model = share_file(SHARE_MODEL, err), *index = share_file(SHARE_INDEX, err);
    int rc = model && index && !modelfile_read(model, &b->m, err) && !encoder_ready(b->m.encoder, err) && !describe_new(&b->d, NULL, err) &&
                     !index_read(index, INDEX_TEXT(INDEX_ID) | INDEX_CUBE | INDEX_EMBED | INDEX_VOCAB | INDEX_VOCAB_EMBED, &b->x, err)
                 ? 0
                 : -1;
    mem_free(model);
    mem_free(index);
    if (rc) return -1;
    b->d.cubes = true;
    b->d.side = b->m.encoder->side;
    b->m.encoder->frames = b->x.frames == 1 ? 1 : ENCODER_FRAMES;
    b->room_n = (size_t)1 << 30;
    b->room = mem_zero(b->room_n, 1, err); /* zeroed: its pages are there */
    return b->room ? 0 : -1;
}

int main(int argc, char **argv)
{
    bench_t b = {0};
    err_t err = {0};
    long repeats = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
    if (repeats < 1 || repeats > REPEATS_MAX) return fprintf(stderr, "usage: describe REPEATS FILE... (1 to %d)\n", REPEATS_MAX), 2;
    threads_set(1);
    int rc = start(&b, &err);
    if (!rc) printf("file\tvoxels\tMiB\theld");
    for (int p = 0; !rc && p < PARTS; p++) printf("\t%s", part_name[p]);
    if (!rc) printf("\ttotal\tratio\tspread\n");
    for (int i = 2; !rc && i < argc; i++) rc = measure(&b, argv[i], (int)repeats, &err);
    if (rc) fprintf(stderr, "describe: %s\n", err.msg);
    mem_free(b.room);
    describe_end(&b.d);
    modelfile_free(&b.m);
    index_free(&b.x);
    return rc ? 1 : 0;
}

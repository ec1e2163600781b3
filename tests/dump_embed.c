/* dump_embed MODEL OUT.safetensors FILE...: what the network is fed and what it gives, of maps and models: cubes (n,S,S,S),
 * features (n,F), embeddings (n,d) and one_frame (n,d). For tests/parity/embed.py. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "nn/stfile.h"
#include "pipeline/describe.h"
#include "pipeline/modelfile.h"

int main(int argc, char **argv)
{
    modelfile_t m = {0};
    describer_t d = {0};
    err_t err = {0};
    size_t n = 0, most = argc > 3 ? (size_t)argc - 3 : 0;
    if (!most || modelfile_read(argv[1], &m, &err) || describe_new(&d, NULL, &err) || encoder_ready(m.encoder, &err)) goto done;
    encoder_t *e = m.encoder;
    size_t side = e->side, cube = side * side * side;
    float *cubes = mem_new(most, cube * sizeof *cubes, &err), *features = mem_new(most, e->features * sizeof *features, &err);
    float *z = mem_new(most, e->d * sizeof *z, &err), *one = mem_new(most, e->d * sizeof *one, &err);
    if (!cubes || !features || !z || !one) goto done;
    d.cubes = true;
    d.side = side;
    for (size_t i = 0; i < most; i++) {
        record_t r;
        item_t it = {.id = argv[i + 3], .path = argv[i + 3], .contour = NAN};
        err_t why = {0};
        if (describe_file(&d, &it, &r, NULL, &why)) {
            fprintf(stderr, "%s\n", why.msg);
            continue;
        }
        memcpy(cubes + n * cube, r.density, cube * sizeof *cubes);
        encoder_features(e, (double)r.rg, r.profile, r.zernike, features + n++ * e->features);
        record_free(&r);
    }
    e->frames = 4;
    if (encoder_embed(e, n, cubes, features, z, &err)) goto done;
    e->frames = 1;
    if (encoder_embed(e, n, cubes, features, one, &err)) goto done;
    const sttensor_t t[] = {
        {.name = "cubes", .type = ST_F32, .ndim = 4, .shape = {n, side, side, side}, .count = n * cube, .data = cubes},
        {.name = "features", .type = ST_F32, .ndim = 2, .shape = {n, e->features}, .count = n * e->features, .data = features},
        {.name = "embeddings", .type = ST_F32, .ndim = 2, .shape = {n, e->d}, .count = n * e->d, .data = z},
        {.name = "one_frame", .type = ST_F32, .ndim = 2, .shape = {n, e->d}, .count = n * e->d, .data = one}};
    stfile_write(argv[2], t, sizeof t / sizeof *t, NULL, 0, &err);
done:
    if (err.code != ERR_OK || !most) fprintf(stderr, "%s\n", most ? err.msg : "usage: dump_embed MODEL OUT.safetensors FILE...");
    return err.code != ERR_OK || !most;
}

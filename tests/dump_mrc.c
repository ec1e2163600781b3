/* dump_mrc: what the reader makes of a map, for comparison with other readers.
 *
 * usage: dump_mrc [--any] [--images] [--volume K] [--stored] FILE
 * --any reads every format of map.h, and takes 1 angstrom where the file has no voxel size.
 * To stdout: one line "nx ny nz  voxel x y z  origin x y z", then the values as raw float32 of this machine, x fastest.
 * --stored leaves the grid of a non-orthogonal cell as it is. A refusal goes to stderr as "code: message", status 1. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mrc/map.h"

int main(int argc, char **argv)
{
    mrc_opts_t o = {0};
    bool any = false;
    int i = 1;
    for (; i < argc - 1; i++) {
        if (!strcmp(argv[i], "--any"))
            any = o.any_voxel = true;
        else if (!strcmp(argv[i], "--images"))
            o.images = true;
        else if (!strcmp(argv[i], "--stored"))
            o.as_stored = true;
        else if (!strcmp(argv[i], "--volume"))
            o.volume = atol(argv[++i]);
    }
    if (i != argc - 1) return 2;
    err_t err = {0};
    vol_t *v = any ? map_read(argv[i], &o, NULL, NULL, &err) : mrc_read(argv[i], &o, NULL, NULL, &err);
    if (!v) {
        fprintf(stderr, "%s: %s\n", err_name(err.code), err.msg);
        return 1;
    }
    printf("%zu %zu %zu %.9g %.9g %.9g %.9g %.9g %.9g\n", v->nx, v->ny, v->nz, v->voxel[0], v->voxel[1], v->voxel[2],
           v->origin[0], v->origin[1], v->origin[2]);
    int bad = fwrite(v->data, sizeof *v->data, vol_len(v), stdout) != vol_len(v) || fflush(stdout);
    vol_free(v);
    return bad;
}

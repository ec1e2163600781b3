/* volfile: a small volume and what every reader must make of a file of it, for the tests of map formats. */
#ifndef CRYOLEX_TESTS_VOLFILE_H
#define CRYOLEX_TESTS_VOLFILE_H

#include <unistd.h>

#include "mrc/map.h"
#include "tests/test.h"

enum { VX = 7, VY = 6, VZ = 5, VN = VX * VY * VZ };

/* Whole numbers 0 to 126, none twice in a row of any axis. */
static inline float volfile_value(size_t x, size_t y, size_t z) { return (float)((x + 10 * y + 31 * z) % 127); }

static inline void volfile_fill(float *out)
{
    for (size_t i = 0; i < VN; i++) out[i] = volfile_value(i % VX, i / VX % VY, i / VX / VY);
}

/* A name of its own in the working folder. */
static inline const char *volfile_path(const char *suffix)
{
    static char path[128];
    snprintf(path, sizeof path, "volfile.%ld%s.tmpfile", (long)getpid(), suffix);
    return path;
}

static inline void volfile_write(const char *path, const void *b, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(b, 1, n, f), n);
    fclose(f);
}

/* Reads as the volume, with this voxel size (0: none told) and place of voxel 0? */
static inline void volfile_reads(const char *what, const char *path, const mrc_opts_t *opts, double voxel, const double *place)
{
    mrc_opts_t o = opts ? *opts : (mrc_opts_t){0};
    map_info_t info = {0};
    notes_t notes = {0};
    err_t e = {0};
    o.any_voxel = true;
    vol_t *v = map_read(path, &o, &info, &notes, &e);
    if (!v) fail_msg("%s: %s", what, e.msg);
    if (v->nx != VX || v->ny != VY || v->nz != VZ) fail_msg("%s: %zu x %zu x %zu", what, v->nx, v->ny, v->nz);
    for (size_t i = 0; i < VN; i++)
        if (!(v->data[i] == volfile_value(i % VX, i / VX % VY, i / VX / VY))) fail_msg("%s: voxel %zu is %g", what, i, (double)v->data[i]);
    assert_int_equal(info.voxel_known, voxel > 0);
    for (int k = 0; k < 3; k++) {
        assert_close(v->voxel[k], voxel > 0 ? voxel : 1, 1e-6);
        assert_close(v->origin[k], place ? place[k] : 0, 1e-5);
    }
    vol_free(v);
    map_info_free(&info);
    notes_free(&notes);
}

/* Fails with this code, and says this? */
static inline void volfile_fails(const char *what, const char *path, const mrc_opts_t *opts, errcode_t code, const char *says)
{
    err_t e = {0};
    vol_t *v = map_read(path, opts, NULL, NULL, &e);
    if (v) fail_msg("%s: was read", what);
    if (e.code != code || !strstr(e.msg, says) || strncmp(e.msg, path, strlen(path)) != 0)
        fail_msg("%s: %s: %s (wanted %s: %s)", what, err_name(e.code), e.msg, err_name(code), says);
    notes_t list = {0};
    e = (err_t){0};
    if (code != ERR_USAGE && code != ERR_NOTFOUND && !map_validate(path, opts, &list, &e) && !list.n)
        fail_msg("%s: map_validate finds nothing", what);
    notes_free(&list);
}

/* Notes `says`? */
static inline void volfile_notes(const char *what, const char *path, const char *says)
{
    mrc_opts_t o = {.any_voxel = true, .images = true, .volume = 1};
    notes_t notes = {0};
    err_t e = {0};
    vol_t *v = map_read(path, &o, NULL, &notes, &e);
    if (!v) fail_msg("%s: %s", what, e.msg);
    bool said = false;
    for (size_t i = 0; i < notes.n; i++) said = said || strstr(notes.line[i], says);
    if (!said) fail_msg("%s: %zu notes, none with '%s'", what, notes.n, says);
    vol_free(v);
    notes_free(&notes);
}

#endif

/* share: where the files are that come with the program (see share.h). */
#include "pipeline/share.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

enum { PATH_ROOM = 4096, PLACES = 4 };

/* The folder that the running program lies in; empty where the system does not tell. */
static void program_folder(char out[PATH_ROOM])
{
    ssize_t n = readlink("/proc/self/exe", out, PATH_ROOM - 1);
    out[n > 0 ? n : 0] = 0;
    char *slash = strrchr(out, '/');
    if (slash) *slash = 0;
}

/* A new string of the path where it can be read, else NULL; *nomem when there is no memory. */
static char *readable(const char *folder, const char *tail, const char *name, err_t *err)
{
    size_t n = strlen(folder) + strlen(tail) + strlen(name) + 2;
    char *path = mem_new(n, 1, err);
    if (!path) return NULL;
    snprintf(path, n, "%s%s/%s", folder, tail, name);
    if (!access(path, R_OK)) return path;
    mem_free(path);
    return NULL;
}

char *share_file(const char *name, err_t *err)
{
    const char *set = getenv("CRYOLEX_SHARE");
    char program[PATH_ROOM];
    err_t own = {0};
    char *path = NULL;
    program_folder(program);
    const struct {
        const char *folder, *tail;
    } place[PLACES] = {{CRYOLEX_PKGDATADIR, ""}, {program, "/../share/cryolex"}, {program, "/share"}, {program, "/../share"}};
    bool given = set && *set;
    if (given) path = readable(set, "", name, &own);
    for (size_t i = 0; !given && !path && i < PLACES; i++)
        if (*place[i].folder) path = readable(place[i].folder, place[i].tail, name, &own);
    if (path) return path;
    if (own.code != ERR_OK) {
        err_set(err, own.code, "%s", own.msg);
        return NULL;
    }
    if (given) err_set(err, ERR_NOTFOUND, "no %s in %s (CRYOLEX_SHARE)", name, set);
    else err_set(err, ERR_NOTFOUND, "no %s in %s, %s/../share/cryolex, %s/share or %s/../share", name, CRYOLEX_PKGDATADIR, program, program, program);
    return NULL;
}

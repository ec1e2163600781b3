/* structures: files of PDB entries in a folder, by id (see structures.h). */
#include "pipeline/structures.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/mem.h"

enum { ID_MOST = 64 };

static const char *const kind[][2] = {{"", ".cif"}, {"", ".mmcif"}, {"", ".pdb"}, {"", ".ent"}, {"pdb", ".ent"}}; /* before and after the id */
static const char *const suffix[] = {".gz", ".cif", ".mmcif", ".pdb", ".ent"};
enum { KINDS = sizeof kind / sizeof *kind, SUFFIXES = sizeof suffix / sizeof *suffix };

static char *look(const char *folder, const char *sub, const char *id, err_t *err)
{
    size_t room = strlen(folder) + strlen(sub) + strlen(id) + 32;
    char *path = mem_new(room, 1, err);
    for (size_t k = 0; path && k < 2 * KINDS; k++) {
        const char *const *of = kind[k / 2];
        snprintf(path, room, "%s/%s%s%s%s%s%s", folder, sub, *sub ? "/" : "", of[0], id, of[1], k % 2 ? ".gz" : "");
        if (!access(path, R_OK)) return path;
    }
    mem_free(path);
    return NULL;
}

char *structures_find(const char *dir, const char *id, err_t *err)
{
    char small[ID_MOST + 1], sub[3] = "";
    size_t n = strlen(id);
    err_t own = {0};
    for (size_t i = 0; i <= n && i <= ID_MOST; i++) {
        small[i] = (char)tolower((unsigned char)id[i]);
        if (i < n && !isalnum((unsigned char)id[i]) && id[i] != '-' && id[i] != '_') n = 0;
    }
    if (!n || n > ID_MOST) {
        err_set(err, ERR_USAGE, "%s: neither a file nor the id of an entry", id);
        return NULL;
    }
    char *path = look(dir, "", small, &own);
    if (!path && n >= 3) {
        snprintf(sub, sizeof sub, "%.2s", small + 1);
        path = look(dir, sub, small, &own);
    }
    if (!path && own.code != ERR_OK) err_set(err, own.code, "%s", own.msg);
    else if (!path) err_set(err, ERR_NOTFOUND, "%s: no structure file of it in %s (as %s.cif.gz, %s%s%s.pdb)", id, dir, small, sub, *sub ? "/" : "", small);
    return path;
}

char *structures_name(const char *path, err_t *err)
{
    const char *slash = strrchr(path, '/');
    char *name = mem_str(slash ? slash + 1 : path, err);
    bool archive = false;
    for (size_t k = 0; name && k < SUFFIXES; k++) {
        size_t n = strlen(name), s = strlen(suffix[k]);
        if (n <= s || strcasecmp(name + n - s, suffix[k])) continue;
        name[n - s] = 0;
        if (k) {
            archive = k == SUFFIXES - 1 && !strncasecmp(name, "pdb", 3) && strlen(name) >= 7;
            break;
        }
    }
    if (archive) memmove(name, name + 3, strlen(name + 3) + 1);
    return name;
}

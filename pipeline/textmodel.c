/* textmodel: where the sentence encoder is that a command works with (see textmodel.h). */
#include "pipeline/textmodel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

static const char *const names[] = {"minilm", "mpnet"}; /* of scripts/fetch-text-model */

static bool is_name(const char *which)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(which, names[i])) return true;
    return false;
}

/* The folder of that name in the cache. By the XDG specification a path that is not absolute counts as not set. */
static char *cached(const char *name, err_t *err)
{
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    bool set = xdg && *xdg == '/';
    const char *head = set ? xdg : home, *tail = set ? "/cryolex/text/" : "/.cache/cryolex/text/";
    if (!head || *head != '/') {
        err_set(err, ERR_NOTFOUND, "%s: neither XDG_CACHE_HOME nor HOME tells where the cache is; give the folder of a model",
                name);
        return NULL;
    }
    size_t n = strlen(head) + strlen(tail) + strlen(name) + 1;
    char *path = mem_new(n, 1, err);
    if (path) snprintf(path, n, "%s%s%s", head, tail, name);
    return path;
}

static bool is_folder(const char *path)
{
    struct stat st;
    return !stat(path, &st) && S_ISDIR(st.st_mode);
}

char *textmodel_folder(const char *which, err_t *err)
{
    const char *asked = which ? which : getenv("CRYOLEX_TEXT_MODEL");
    if (!asked || !*asked) asked = names[0];
    char *path = is_name(asked) ? cached(asked, err) : mem_str(asked, err);
    if (!path || is_folder(path)) return path;
    if (is_name(asked))
        err_set(err, ERR_NOTFOUND,
                "no sentence encoder %s in %s; fetch-text-model %s, in scripts/ or where CryoLex is installed, fetches it", asked,
                path, asked);
    else
        err_set(err, ERR_NOTFOUND, "%s: no such folder (minilm, mpnet or a sentence-transformers folder is wanted)", path);
    mem_free(path);
    return NULL;
}

sentence_t *textmodel_open(const char *which, err_t *err)
{
    char *path = textmodel_folder(which, err);
    sentence_t *s = path ? sentence_open(path, err) : NULL;
    mem_free(path);
    return s;
}

sentence_t *textmodel_of(const char *which, const modelfile_t *m, const char *path, err_t *err)
{
    char hash[SENTENCE_HASH];
    if (!m->text.dim) {
        err_set(err, ERR_UNSUP, "%s: the model knows no text", path);
        return NULL;
    }
    sentence_t *s = textmodel_open(which, err);
    if (!s) return NULL;
    if (!sentence_hash(s, hash, err)) {
        if (sentence_info(s)->dim == m->text.dim && !strcmp(hash, m->text.hash)) return s;
        err_set(err, ERR_UNSUP, "%s: trained with sentence encoder %s %s (%s %s was given)", path, m->text.name, m->text.hash,
                sentence_info(s)->name, hash);
    }
    sentence_close(s);
    return NULL;
}

int textmodel_embed(const sentence_t *s, const modelfile_t *m, const char *text, float *z, err_t *err)
{
    float *v = mem_new(m->text.dim, sizeof *v, err);
    int rc = v ? sentence_encode(s, &text, 1, v, NULL, err) : -1;
    if (!rc) modelfile_project(m, 1, v, z);
    mem_free(v);
    return rc;
}

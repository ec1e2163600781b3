/* file: whole files in, atomic files out (see file.h). */
#include "base/file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

unsigned char *file_read(const char *path, size_t max, size_t *n, err_t *err)
{
    int std = !strcmp(path, "-");
    FILE *f = std ? stdin : fopen(path, "rb");
    unsigned char *buf = NULL;
    size_t cap = 0, len = 0;
    struct stat st;
    if (!f) {
        err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
        return NULL;
    }
    if (fstat(fileno(f), &st) == 0) {
        if (S_ISDIR(st.st_mode)) {
            err_set(err, ERR_IO, "%s: a directory (a file is wanted)", path);
            goto fail;
        }
        if (S_ISREG(st.st_mode)) {
            if ((size_t)st.st_size > max) {
                err_set(err, ERR_RANGE, "%s: %lld bytes (at most %zu)", path, (long long)st.st_size, max);
                goto fail;
            }
            cap = (size_t)st.st_size + 1;
            if (!(buf = mem_new(cap, 1, err))) goto fail;
        }
    }
    for (;;) {
        if (len + 1 >= cap && mem_grow(&buf, &cap, len + 65536, 1, err)) goto fail;
        size_t got = fread(buf + len, 1, cap - 1 - len, f);
        len += got;
        if (len > max) {
            err_set(err, ERR_RANGE, "%s: more than %zu bytes", path, max);
            goto fail;
        }
        if (got == 0) break;
    }
    if (ferror(f)) {
        err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
        goto fail;
    }
    if (!std) fclose(f);
    buf[len] = 0;
    *n = len;
    return buf;
fail:
    if (!std) fclose(f);
    mem_free(buf);
    return NULL;
}

int outfile_open(outfile_t *o, const char *path, err_t *err)
{
    *o = (outfile_t){0};
    if (!strcmp(path, "-")) {
        o->f = stdout;
        return 0;
    }
    size_t n = strlen(path) + 32;
    o->path = mem_str(path, err);
    o->tmp = mem_new(n, 1, err);
    if (!o->path || !o->tmp) goto fail;
    snprintf(o->tmp, n, "%s.tmp.%ld", path, (long)getpid());
    o->f = fopen(o->tmp, "wb");
    if (o->f) return 0;
    err_set(err, ERR_IO, "%s: cannot write: %s", path, strerror(errno));
fail:
    mem_free(o->path);
    mem_free(o->tmp);
    *o = (outfile_t){0};
    return -1;
}

int outfile_close(outfile_t *o, err_t *err)
{
    int rc = 0;
    if (!o->path) {
        if (o->f && fflush(o->f)) rc = err_set(err, ERR_IO, "standard output: %s", strerror(errno));
        *o = (outfile_t){0};
        return rc;
    }
    if (fflush(o->f) || ferror(o->f) || fsync(fileno(o->f)))
        rc = err_set(err, ERR_IO, "%s: cannot write: %s", o->path, strerror(errno));
    if (fclose(o->f) && !rc) rc = err_set(err, ERR_IO, "%s: cannot write: %s", o->path, strerror(errno));
    if (!rc && rename(o->tmp, o->path)) rc = err_set(err, ERR_IO, "%s: cannot rename: %s", o->path, strerror(errno));
    if (rc) unlink(o->tmp);
    mem_free(o->path);
    mem_free(o->tmp);
    *o = (outfile_t){0};
    return rc;
}

void outfile_abort(outfile_t *o)
{
    if (o->path) {
        if (o->f) fclose(o->f);
        unlink(o->tmp);
    }
    mem_free(o->path);
    mem_free(o->tmp);
    *o = (outfile_t){0};
}

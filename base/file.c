/* file: whole files in, atomic files out (see file.h). */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
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
            cap = (size_t)st.st_size + 2; /* the zero byte, and room to see the end */
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

/* A new file beside path, never one that is there already (a link, say, that someone else put in its place). */
static FILE *open_beside(outfile_t *o, err_t *err)
{
    enum { TRIES = 100 };
    size_t n = strlen(o->path) + 48;
    int fd = -1;
    o->tmp = mem_new(n, 1, err);
    if (!o->tmp) return NULL;
    for (int i = 0; i < TRIES; i++) {
        snprintf(o->tmp, n, i ? "%s.tmp.%ld.%d" : "%s.tmp.%ld", o->path, (long)getpid(), i);
        fd = open(o->tmp, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
        if (fd >= 0 || errno != EEXIST) break;
    }
    FILE *f = fd < 0 ? NULL : fdopen(fd, "wb");
    if (f) return f;
    err_set(err, ERR_IO, "%s: cannot write: %s", o->path, strerror(errno));
    if (fd >= 0) {
        close(fd);
        unlink(o->tmp);
    }
    return NULL;
}

/* The name that a link leads to; any other name as it is. */
static char *resolve(const char *path, err_t *err)
{
    struct stat st;
    if (lstat(path, &st) || !S_ISLNK(st.st_mode)) return mem_str(path, err);
    char *real = realpath(path, NULL), *s = NULL;
    if (real)
        s = mem_str(real, err);
    else
        err_set(err, ERR_IO, "%s: cannot write through this link: %s", path, strerror(errno));
    free(real);
    return s;
}

bool outfile_whole(const char *path)
{
    struct stat st;
    return strcmp(path, "-") != 0 && (stat(path, &st) || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
}

int outfile_open(outfile_t *o, const char *path, err_t *err)
{
    struct stat st;
    *o = (outfile_t){0};
    if (!strcmp(path, "-")) {
        o->f = stdout;
        return 0;
    }
    if (!*path) return err_set(err, ERR_IO, "the name of the output is empty");
    if (!(o->path = resolve(path, err))) return -1;
    if (stat(o->path, &st) || S_ISREG(st.st_mode)) {
        o->f = open_beside(o, err);
    } else if (S_ISDIR(st.st_mode)) {
        err_set(err, ERR_IO, "%s: a directory (a file is wanted)", path);
    } else if (!(o->f = fopen(o->path, "wb"))) { /* a pipe or a device */
        err_set(err, ERR_IO, "%s: cannot write: %s", path, strerror(errno));
    }
    if (o->f) return 0;
    mem_free(o->path);
    mem_free(o->tmp);
    *o = (outfile_t){0};
    return -1;
}

/* All bytes out. A write that failed earlier has left its mark but not its reason. */
static int flush(FILE *f, const char *name, err_t *err)
{
    int earlier = ferror(f);
    if (fflush(f)) return err_set(err, ERR_IO, "%s: cannot write: %s", name, strerror(errno));
    return earlier ? err_set(err, ERR_IO, "%s: cannot write", name) : 0;
}

int outfile_close(outfile_t *o, err_t *err)
{
    if (!o->path) {
        int failed = o->f ? flush(o->f, "standard output", err) : 0;
        *o = (outfile_t){0};
        return failed;
    }
    int rc = flush(o->f, o->path, err);
    if (!rc && o->tmp && fsync(fileno(o->f)) && errno != EINVAL) /* EINVAL: no such thing there */
        rc = err_set(err, ERR_IO, "%s: cannot write: %s", o->path, strerror(errno));
    if (fclose(o->f) && !rc) rc = err_set(err, ERR_IO, "%s: cannot write: %s", o->path, strerror(errno));
    if (!rc && o->tmp && rename(o->tmp, o->path))
        rc = err_set(err, ERR_IO, "%s: cannot rename: %s", o->path, strerror(errno));
    if (rc && o->tmp) unlink(o->tmp);
    mem_free(o->path);
    mem_free(o->tmp);
    *o = (outfile_t){0};
    return rc;
}

void outfile_abort(outfile_t *o)
{
    if (o->path && o->f) fclose(o->f);
    if (o->tmp) unlink(o->tmp);
    mem_free(o->path);
    mem_free(o->tmp);
    *o = (outfile_t){0};
}

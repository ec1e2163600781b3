/* outpath: whether a path can be written to (see outpath.h). */
#include "src/outpath.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

int outpath_not_input(const char *cmd, const char *out, const char *in, err_t *err)
{
    struct stat a, b;
    if (!strcmp(out, "-") || stat(out, &a) || !S_ISREG(a.st_mode)) return 0;
    if (strcmp(in, "-") ? stat(in, &b) : fstat(STDIN_FILENO, &b)) return 0;
    if (a.st_dev != b.st_dev || a.st_ino != b.st_ino) return 0;
    return err_set(err, ERR_USAGE, "%s: %s: the output is an input", cmd, out);
}

int outpath_whole(const char *cmd, const char *out, err_t *err)
{
    if (outfile_whole(out)) return 0;
    if (!strcmp(out, "-"))
        return err_set(err, ERR_USAGE, "%s: HDF5 cannot go to standard output; give the name of a file", cmd);
    return err_set(err, ERR_USAGE, "%s: %s: a pipe or a device (HDF5 needs a regular file)", cmd, out);
}

/* A name for mkstemp in the folder of path. */
static char *beside(const char *path, err_t *err)
{
    static const char name[] = ".cryolex-XXXXXX";
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) + 1 : 0;
    char *t = mem_new(n + sizeof name, 1, err);
    if (!t) return NULL;
    memcpy(t, path, n);
    memcpy(t + n, name, sizeof name);
    return t;
}

int outpath_writable(const char *out, err_t *err)
{
    struct stat st;
    if (!strcmp(out, "-")) return 0; /* standard output */
    bool there = !stat(out, &st);
    if (there && S_ISDIR(st.st_mode)) return err_set(err, ERR_IO, "%s: cannot write: it is a directory", out);
    if (there && !S_ISREG(st.st_mode)) return 0;
    if (!there && !lstat(out, &st) && S_ISLNK(st.st_mode))
        return err_set(err, ERR_IO, "%s: cannot write through this link: it leads nowhere", out);
    char *real = there ? realpath(out, NULL) : NULL; /* a link is followed */
    char *probe = beside(real ? real : out, err);
    free(real);
    if (!probe) return -1;
    int fd = mkstemp(probe), rc = 0;
    if (fd < 0) rc = err_set(err, ERR_IO, "%s: cannot write into its folder: %s", out, strerror(errno));
    if (fd >= 0) {
        close(fd);
        unlink(probe);
    }
    mem_free(probe);
    return rc;
}

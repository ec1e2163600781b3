/* err: one error value, the first cause kept. */
#ifndef CRYOLEX_BASE_ERR_H
#define CRYOLEX_BASE_ERR_H

typedef enum {
    ERR_OK = 0,
    ERR_IO,       /* cannot open, read or write; shorter than promised */
    ERR_FORMAT,   /* the bytes do not make sense as the format they claim */
    ERR_RANGE,    /* a number outside what we accept, or past a memory limit */
    ERR_UNSUP,    /* well-formed, but of a kind that we do not read */
    ERR_NOMEM,    /* no memory */
    ERR_USAGE,    /* the caller asked for something impossible */
    ERR_NOTFOUND, /* a name (assembly, column, entry) that is not there */
    ERR_INTERNAL, /* a fault of ours or of a library */
    ERR_BUSY      /* another process is at work there */
} errcode_t;

/* The caller's; start from {0}. Safe to copy. */
typedef struct {
    errcode_t code;
    char msg[512]; /* "what: found (wanted)"; names the file; no newline */
} err_t;

#if defined(__GNUC__)
#define ERR_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define ERR_PRINTF(f, a)
#endif

/* Record a failure. If err already holds one, the first is kept; err may be NULL.
 * Control characters that come from a file are shown as '?'.
 * Returns -1, so that `return err_set(...)` is the idiom. The one place for a breakpoint. */
int err_set(err_t *err, errcode_t code, const char *fmt, ...) ERR_PRINTF(3, 4);

/* Put "name: " before the message, unless it begins so already: for whoever knows the file, when what failed below did
 * not. Nothing without an error; err may be NULL. */
void err_prefix(err_t *err, const char *name);

/* Short lower-case name of a code, "io", "format", ...; static storage. */
const char *err_name(errcode_t code);

#endif

/* serve_none: a program that was built without libmicrohttpd (see serve.h). */
#include "src/serve.h"

int serve_run(const serveopts_t *o, const joblimits_t *lim, const log_t *log, err_t *err)
{
    (void)o, (void)lim, (void)log;
    return err_set(err, ERR_UNSUP, "serve: built without libmicrohttpd; Debian: apt-get install libmicrohttpd-dev, then configure and make");
}

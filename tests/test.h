/* test: what every cmocka test program includes first. */
#ifndef CRYOLEX_TESTS_TEST_H
#define CRYOLEX_TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Fails on NaN too. */
#define assert_close(a, b, tol)                                                                                 \
    do {                                                                                                        \
        double a_ = (a), b_ = (b), t_ = (tol);                                                                  \
        if (!(fabs(a_ - b_) <= t_)) fail_msg("%s = %.9g, %s = %.9g, tolerance %g", #a, a_, #b, b_, t_);         \
    } while (0)

/* Folder of the real data, or NULL: then the test skips and says so. */
static inline const char *test_data(void)
{
    const char *d = getenv("CRYOLEX_DATA");
    FILE *f;
    char path[4096];
    if (!d || snprintf(path, sizeof path, "%s/README.md", d) >= (int)sizeof path || !(f = fopen(path, "r"))) {
        printf("# skipped: no data folder (CRYOLEX_DATA)\n");
        return NULL;
    }
    fclose(f);
    return d;
}

#endif

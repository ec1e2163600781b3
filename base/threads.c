/* threads: how many the program uses (see threads.h). */
#include "base/threads.h"

#include <omp.h>

void threads_set(int n)
{
    if (n > 0) omp_set_num_threads(n);
}

int threads_max(void) { return omp_get_max_threads(); }

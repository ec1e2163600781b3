/* schedule: the learning rate of a step (see schedule.h). */
#include "nn/schedule.h"

#include <math.h>

double schedule_rate(const schedule_t *s, uint64_t t)
{
    if (t < s->warmup) return s->peak * (double)(t + 1) / (double)s->warmup;
    if (t >= s->steps) return s->floor;
    return s->floor + (s->peak - s->floor) * (1 + cos(M_PI * (double)(t - s->warmup) / (double)(s->steps - s->warmup))) / 2;
}

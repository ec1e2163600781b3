/* place: segments of a plan, and the places of its values and gradients (see plan.h). */
#ifndef CRYOLEX_NN_PLACE_H
#define CRYOLEX_NN_PLACE_H

#include "nn/plan.h"

/* Everything of p that plan.c left open. 0, or -1 ERR_NOMEM. */
int place(plan_t *p, err_t *err);

#endif

/* clock: time and peak memory of this process. Thread-safe. */
#ifndef CRYOLEX_BASE_CLOCK_H
#define CRYOLEX_BASE_CLOCK_H

double clock_wall(void); /* seconds since some fixed point; monotonic */
double clock_cpu(void);  /* seconds of CPU, user and system, all threads */
double clock_peak(void); /* peak resident memory, bytes */

#endif

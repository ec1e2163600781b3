/* threads: how many the program uses. The only owner of the cores; see STYLE 4. */
#ifndef CRYOLEX_BASE_THREADS_H
#define CRYOLEX_BASE_THREADS_H

/* n >= 1, or 0 for every core that this process may run on (OMP_NUM_THREADS is honoured). Call once, at the start. */
void threads_set(int n);
int threads_max(void); /* what the next parallel region of the calling thread uses */

#endif

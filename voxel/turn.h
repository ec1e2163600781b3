/* turn: the 24 proper rotations that map the axes of a cube onto one another. */
#ifndef CRYOLEX_VOXEL_TURN_H
#define CRYOLEX_VOXEL_TURN_H

#include <stddef.h>

#define TURNS 24

/* How turn k, 0..23, walks a cube (side,side,side), x fastest: voxel (x,y,z) of the turned cube is that at
 * first + x step[0] + y step[1] + z step[2]. Turn 0 is the identity; 1, 2 and 3 are half turns about x, y and z. */
void turn_steps(size_t side, int k, size_t *first, ptrdiff_t step[3]);

/* out (side,side,side) = cube under turn k. No value changes. Thread-safe. */
void turn_cube(const float *cube, size_t side, int k, float *out);

#endif

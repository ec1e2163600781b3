/* turn: the 24 proper rotations that map the axes of a cube onto one another (see turn.h). */
#include "voxel/turn.h"

void turn_steps(size_t side, int k, size_t *first, ptrdiff_t step[3])
{
    static const int axes[6][3] = {{0, 1, 2}, {1, 2, 0}, {2, 0, 1}, {1, 0, 2}, {0, 2, 1}, {2, 1, 0}};
    static const int back[4][3] = {{0, 0, 0}, {0, 1, 1}, {1, 0, 1}, {1, 1, 0}}; /* half turns about x, y, z */
    const ptrdiff_t stride[3] = {1, (ptrdiff_t)side, (ptrdiff_t)(side * side)};
    const int *axis = axes[k / 4], odd = k / 4 >= 3;
    ptrdiff_t at = 0;
    for (int d = 0; d < 3; d++) {
        int reversed = back[k % 4][d] ^ odd; /* swapping two axes mirrors, reversing all three mirrors back */
        step[d] = reversed ? -stride[axis[d]] : stride[axis[d]];
        if (reversed) at += stride[axis[d]] * (ptrdiff_t)(side - 1);
    }
    *first = (size_t)at;
}

void turn_cube(const float *cube, size_t side, int k, float *out)
{
    ptrdiff_t step[3];
    size_t first;
    turn_steps(side, k, &first, step);
    for (size_t z = 0; z < side; z++)
        for (size_t y = 0; y < side; y++) {
            const float *from = cube + first + (ptrdiff_t)z * step[2] + (ptrdiff_t)y * step[1];
            for (size_t x = 0; x < side; x++) *out++ = from[(ptrdiff_t)x * step[0]];
        }
}

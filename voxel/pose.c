/* pose: rigid motions, and rotations spread evenly over all there are (see pose.h). */
#include "voxel/pose.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

void pose_apply(const pose_t *p, const double x[3], double out[3])
{
    const double in[3] = {x[0], x[1], x[2]};
    for (int i = 0; i < 3; i++) out[i] = p->r[i][0] * in[0] + p->r[i][1] * in[1] + p->r[i][2] * in[2] + p->t[i];
}

void pose_product(const double a[3][3], const double b[3][3], double out[3][3])
{
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) out[i][j] = a[i][0] * b[0][j] + a[i][1] * b[1][j] + a[i][2] * b[2][j];
}

void pose_matrix(const double q[4], double r[3][3])
{
    double w = q[0], x = q[1], y = q[2], z = q[3];
    const double m[3][3] = {{1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)},
                            {2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)},
                            {2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)}};
    memcpy(r, m, sizeof m);
}

/* By the largest of the four: nothing small is divided by. */
void pose_quaternion(const double r[3][3], double q[4])
{
    const double square[4] = {1 + r[0][0] + r[1][1] + r[2][2], 1 + r[0][0] - r[1][1] - r[2][2], 1 - r[0][0] + r[1][1] - r[2][2],
                              1 - r[0][0] - r[1][1] + r[2][2]};
    const double product[4][4] = {
        {0, r[2][1] - r[1][2], r[0][2] - r[2][0], r[1][0] - r[0][1]},
        {r[2][1] - r[1][2], 0, r[1][0] + r[0][1], r[0][2] + r[2][0]},
        {r[0][2] - r[2][0], r[1][0] + r[0][1], 0, r[2][1] + r[1][2]},
        {r[1][0] - r[0][1], r[0][2] + r[2][0], r[2][1] + r[1][2], 0},
    };
    int top = 0;
    double length = 0;
    for (int i = 1; i < 4; i++)
        if (square[i] > square[top]) top = i;
    for (int i = 0; i < 4; i++) {
        q[i] = i == top ? square[top] : product[top][i];
        length += q[i] * q[i];
    }
    length = copysign(sqrt(length), q[0]);
    for (int i = 0; i < 4; i++) q[i] /= length;
}

double pose_angle(const double a[3][3], const double b[3][3])
{
    double trace = 0, skew = 0, d[3][3];
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) d[i][j] = a[i][0] * b[j][0] + a[i][1] * b[j][1] + a[i][2] * b[j][2];
    for (int i = 0; i < 3; i++) {
        int j = (i + 1) % 3;
        trace += d[i][i];
        skew += (d[i][j] - d[j][i]) * (d[i][j] - d[j][i]);
    }
    return atan2(sqrt(skew), trace - 1);
}

void pose_turn(const double w[3], double r[3][3], double j[3][3])
{
    double angle2 = w[0] * w[0] + w[1] * w[1] + w[2] * w[2], angle = sqrt(angle2);
    bool small = angle < 1e-4; /* series to the second order */
    double a = small ? 1 - angle2 / 6 : sin(angle) / angle, b = small ? 0.5 - angle2 / 24 : (1 - cos(angle)) / angle2;
    double c = small ? 1.0 / 6 - angle2 / 120 : (angle - sin(angle)) / (angle2 * angle);
    const double k[3][3] = {{0, -w[2], w[1]}, {w[2], 0, -w[0]}, {-w[1], w[0], 0}};
    for (int p = 0; p < 3; p++)
        for (int q = 0; q < 3; q++) {
            double one = p == q, square = w[p] * w[q] - one * angle2;
            if (r) r[p][q] = one + a * k[p][q] + b * square;
            if (j) j[p][q] = one + b * k[p][q] + c * square;
        }
}

size_t pose_count(double angle)
{
    double n = ceil(8 * M_PI * M_PI / (angle * angle * angle));
    return n < 24 ? 24 : (size_t)n;
}

void pose_spread(size_t i, size_t n, double q[4])
{
    static const double PHI = 1.41421356237309504880, PSI = 1.53375116875520428812; /* psi^4 = psi + 4 */
    double s = (double)i + 0.5, t = s / (double)n, d = 2 * M_PI * s, r = sqrt(t), R = sqrt(1 - t);
    q[0] = r * sin(d / PHI);
    q[1] = r * cos(d / PHI);
    q[2] = R * sin(d / PSI);
    q[3] = R * cos(d / PSI);
}

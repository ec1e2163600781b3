#!/usr/bin/env python3
"""The plain and the aligned correlation of cubes by numpy, for tests/test_align.c. (python3 with numpy from PyPI.)

  python3 tests/parity/align.py > tests/parity/align.tsv

The aligned one straight from its definition in voxel/align.h: derivatives by FFT, and for each of the 24 turns, found as the
signed permutations of determinant 1, the ridge regression of the entry on the turned query and its derivatives, solved as least
squares on rows extended by the priors. Columns: seeds of the query and of the entry, plain, aligned."""
import itertools

import numpy as np

N, NOISE = 16, 0.025
SIGMA = [3.0] * 3 + [np.deg2rad(30)] * 3 + [0.3]
PAIRS = [(1, 2), (1, 5), (2, 3), (3, 3), (4, 8), (5, 17), (6, 7), (7, 11), (8, 9), (9, 1), (10, 22), (11, 12)]


def cube(seed):
    """As parity_cube() of the test: (z,y,x)."""
    x, noise = seed, np.empty(N**3, int)
    for i in range(N**3):
        x = (x * 1664525 + 1013904223) % 2**32
        noise[i] = x >> 28
    z, y, x = np.meshgrid(*3 * [np.arange(N)], indexing="ij")
    bump = abs(x - 6 - seed % 4) + abs(y - 9 + seed % 3) + abs(z - 8)
    return np.maximum(noise.reshape(N, N, N) + 60 - (4 + seed % 5) * bump, 0).astype(float)


def turns(q):
    """All 24, as a rotation matrix acts on the axes."""
    for perm in itertools.permutations(range(3)):
        for sign in itertools.product((1, -1), repeat=3):
            if round(np.linalg.det(np.eye(3)[list(perm)] * np.array(sign)[:, None])) == 1:
                yield np.flip(q.transpose(perm), [d for d in range(3) if sign[d] < 0])


def derivative(q, axis):
    k = np.fft.fftfreq(N) * 2 * np.pi
    k[N // 2] = 0
    return np.fft.ifft(1j * k.reshape([-1 if d == axis else 1 for d in range(3)]) * np.fft.fft(q, axis=axis), axis=axis).real


def flat(x):
    x = x.reshape(-1)
    return x - x.mean()


def aligned(q, c):
    gz, gy, gx = (derivative(q, d) for d in range(3))
    z, y, x = np.meshgrid(*3 * [np.arange(N) - (N - 1) / 2], indexing="ij")
    modes = [gx, gy, gz, y * gz - z * gy, z * gx - x * gz, x * gy - y * gx, x * gx + y * gy + z * gz]
    unit = flat(q) / np.linalg.norm(flat(q))
    if unit @ c <= 0:
        return unit @ c
    b = np.stack([unit, *(flat(m) / np.linalg.norm(flat(q)) for m in modes)], axis=1)
    prior = np.diag([0, *(np.sqrt(NOISE) / s for s in SIGMA)])
    a, *_ = np.linalg.lstsq(np.vstack([b, prior]), np.concatenate([c, np.zeros(8)]), rcond=None)
    return np.sqrt(1 - np.sum((c - b @ a) ** 2) - np.sum((prior @ a) ** 2))


def main():
    print(f"# numpy {np.__version__}: query, entry, plain correlation, aligned correlation")
    for s, t in PAIRS:
        q, c = cube(s), flat(cube(t))
        c /= np.linalg.norm(c)
        plain = max(flat(r) @ c / np.linalg.norm(flat(r)) for r in turns(q))
        print(f"{s}\t{t}\t{plain:.7f}\t{max(aligned(r, c) for r in turns(q)):.7f}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""voxel/zernike against two evaluations that nobody here wrote, and its speed beside one of them.

  python3 tests/parity/zernike.py [MAP.mrc ...] > tests/parity/zernike.tsv    needs numpy, scipy, zmpy3d, mrcfile (PyPI)

MAPs are densities simulated by `cryolex simulate --resolution 8 --apix 2 MODEL MAP.mrc`, sampled here about their
centre of mass, edge 5 Rg; against zmpy3d only.

quadrature  the definition itself: SciPy's spherical harmonics times SciPy's Jacobi polynomials, integrated by a
            Gauss-Legendre rule of 5 x 5 x 5 points in each voxel
zmpy3d      ZMPY3D 0.0.2 (Lai, Burley and Duarte 2024): geometric moments over voxel extents in double precision, and
            its table of coefficients; its descriptor of order 20

Columns: volume; rival; largest |difference| / length of the rival's vector; largest |difference| / rival's own value
over the invariants above 1e-3 of the largest; median ms of the rival and of zernike_invariants on one core in the same
run; ratio. Volumes are cubes of side 32 (ball of radius 16), voxels not wholly inside the ball cleared first."""
import ctypes
import os
import pickle
import statistics
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
import mrcfile
import numpy as np
import scipy
import ZMPY3D
from scipy import ndimage
from scipy.special import eval_jacobi, sph_harm_y

from clib import Err, build

ORDER, N = 20, 32
LIB = build("voxel/zernike.c", "base/err.c", "base/mem.c")
LIB.zernike_new.restype = ctypes.c_void_p
PLAN = ctypes.c_void_p(LIB.zernike_new(ORDER, None))
NL = [(n, l) for n in range(ORDER + 1) for l in range(n % 2, n + 1, 2)]


def ours(cube):
    out, err = np.empty(len(NL), np.float32), Err()
    ptr = ctypes.c_void_p
    if LIB.zernike_invariants(PLAN, ptr(cube.ctypes.data), ctypes.c_size_t(N), ctypes.c_double(N / 2), 0,
                              ptr(out.ctypes.data), ctypes.byref(err)):
        sys.exit(err.msg.decode())
    return out.astype(float)


def quadrature(cube, points=5):
    node, weight = np.polynomial.legendre.leggauss(points)
    x = ((np.arange(N) + 0.5 - N / 2)[:, None] + node / 2).ravel() / (N / 2)
    w = np.tile(weight / N, N)
    fine = np.kron(cube.astype(float), np.ones((points,) * 3)) * w[:, None, None] * w[:, None] * w
    z, y, x = np.meshgrid(x, x, x, indexing="ij")
    keep = fine != 0
    f, x, y, z = fine[keep], x[keep], y[keep], z[keep]
    r = np.sqrt(x * x + y * y + z * z)
    theta, phi = np.arccos(z / r), np.arctan2(y, x)
    power = dict.fromkeys(NL, 0.0)
    for l in range(ORDER + 1):
        radial = np.array([np.sqrt(2 * n + 3) * r**l * eval_jacobi((n - l) // 2, 0, l + 0.5, 2 * r * r - 1)
                           for n in range(l, ORDER + 1, 2)])
        for m in range(l + 1):
            omega = np.sqrt(3 / (4 * np.pi)) * (radial @ (f * sph_harm_y(l, m, theta, phi).conj()))
            for n, value in zip(range(l, ORDER + 1, 2), omega):
                power[n, l] += (1 if m == 0 else 2) * abs(value) ** 2
    return np.sqrt([power[nl] for nl in NL])


def tables():
    path = os.path.join(os.path.dirname(ZMPY3D.__file__), "cache_data", "LogG_CLMCache_MaxOrder20.pkl")
    with open(path, "rb") as file:
        t = pickle.load(file)
    return t["GCache_complex"], t["GCache_pqr_linear"], t["GCache_complex_index"], t["CLMCache3D"]


TABLES = tables()


def zmpy3d(cube):
    dense = cube.transpose(2, 1, 0).astype(float)  # its axes are x, y, z
    sample = ZMPY3D.get_bbox_moment_xyz_sample([N / 2] * 3, N / 2, dense.shape)
    _, _, moment = ZMPY3D.calculate_bbox_moment(dense, ORDER, sample)
    scaled, _ = ZMPY3D.calculate_bbox_moment_2_zm(ORDER, *TABLES, moment)
    table = ZMPY3D.get_3dzd_121_descriptor(scaled)
    return np.array([table[n, l] for n, l in NL])


def volumes():
    rng = np.random.default_rng(2)
    x = np.arange(N) + 0.5 - N / 2
    far = np.abs(x) + 0.5
    inside = far[:, None, None] ** 2 + far[:, None] ** 2 + far**2 <= (N / 2) ** 2
    rr = x[:, None, None] ** 2 + x[:, None] ** 2 + x**2
    blobs, chain = np.zeros((N, N, N)), np.cumsum(rng.normal(0, 1.2, (400, 3)), 0)
    chain -= chain.mean(0)
    chain *= 6 / np.sqrt((chain**2).sum(1).mean())
    for c in chain:  # a random walk blurred as a model at low resolution is
        d = [np.exp(-((x - a) ** 2) / 4) for a in c]
        blobs += d[0][:, None, None] * d[1][:, None] * d[2]
    yield "random voxels, one in 20", rng.random((N, N, N)) * (rng.random((N, N, N)) < 0.05), inside
    yield "one voxel", np.eye(N)[:, :, None] * np.eye(N)[20] * (np.arange(N) == 17)[:, None, None], inside
    yield "shell, radius 8.5 to 9", (rr <= 81) * (rr > 72) * 1.0, inside
    yield "corner of the ball", (x > 8) * (x[:, None] > 4) * (x[:, None, None] > -3) * 1.0, inside
    yield "blurred random walk", blobs / blobs.max() * (blobs > 0.3 * blobs.max()), inside
    yield "its inner contour", (blobs > 0.4 * blobs.max()) * 1.0, inside
    for path in sys.argv[1:]:
        yield os.path.basename(path), simulated(path), inside


def simulated(path):
    with mrcfile.open(path) as file:
        data = file.data.astype(float)
    at = np.indices(data.shape).reshape(3, -1)
    centre = at @ data.ravel() / data.sum()
    rg = np.sqrt((((at - centre[:, None]) ** 2).sum(0) * data.ravel()).sum() / data.sum())
    step = 5 * rg / N
    smooth = ndimage.gaussian_filter(data, step / 2)
    cube = ndimage.affine_transform(smooth, np.full(3, step), centre - step * (N - 1) / 2, (N, N, N), order=1)
    return cube / cube.max()


def timed(call, cube, repeats):
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        out = call(cube)
        times.append(time.perf_counter() - start)
    return out, 1e3 * statistics.median(times)


print(f"# numpy {np.__version__}, scipy {scipy.__version__}; order {ORDER}, side {N}, one core")
print("volume\trival\tof_length\trelative\trival_ms\tours_ms\tratio")
for name, volume, inside in volumes():
    cube = np.ascontiguousarray(volume * inside, np.float32)
    rivals = ((quadrature, 1), (zmpy3d, 15))
    for rival, repeats in rivals[name.endswith(".mrc"):]:
        want, slow = timed(rival, cube, repeats)
        got, fast = timed(ours, cube, 25)
        big = want > 1e-3 * np.nanmax(want)
        difference = np.abs(got - np.nan_to_num(want))
        print(f"{name}\t{rival.__name__}\t{difference.max() / np.sqrt(np.nansum(want**2)):.1e}"
              f"\t{(difference[big] / want[big]).max():.1e}\t{slow:.1f}\t{fast:.3f}\t{slow / fast:.0f}", flush=True)

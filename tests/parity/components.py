#!/usr/bin/env python3
"""voxel/components against scipy.ndimage.label: equal labels, and the time of both on one core.

  python3 tests/parity/components.py > tests/parity/components.tsv

Columns: mask, connectivity, components, voxels that differ, median ms of scipy and of components_label over 5 runs
in turn, their ratio. SciPy numbers components in another order for 26-connectivity, so labels are compared after
renumbering SciPy's by first voxel in scan order."""
import ctypes
import os
import statistics
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np
import scipy
from scipy import ndimage

from clib import Err, build

LIB = build("voxel/components.c", "base/err.c")


def ours(mask, connectivity):
    label = np.empty(mask.shape, np.uint32)
    count, err = ctypes.c_size_t(), Err()
    nz, ny, nx = (ctypes.c_size_t(n) for n in mask.shape)
    ptr = ctypes.c_void_p
    if LIB.components_label(ptr(mask.ctypes.data), nx, ny, nz, connectivity, ptr(label.ctypes.data),
                            ctypes.byref(count), ctypes.byref(err)):
        sys.exit(err.msg.decode())
    return label, count.value


def scan_order(label, count):
    first = np.full(count + 1, label.size)
    np.minimum.at(first, label.ravel(), np.arange(label.size))
    new = np.zeros(count + 1, np.uint32)
    new[1 + np.argsort(first[1:])] = np.arange(1, count + 1)
    return new[label]


def masks():
    rng = np.random.default_rng(1)
    for fill in (0.01, 0.1, 0.3117, 0.5):
        yield f"random {fill:g}, 101 x 90 x 83", rng.random((83, 90, 101)) < fill
    for sigma, top in ((1, 0.02), (2, 0.1), (4, 0.3)):
        field = ndimage.gaussian_filter(rng.standard_normal((256, 256, 256)).astype(np.float32), sigma)
        yield f"smooth noise sigma {sigma}, top {top:g}, 256^3", field > np.quantile(field[::4, ::4, ::4], 1 - top)


print(f"# scipy {scipy.__version__}, numpy {np.__version__}")
print("mask\tconnectivity\tcomponents\tdiffer\tscipy_ms\tours_ms\tratio")
for name, mask in masks():
    mask = np.ascontiguousarray(mask, np.uint8)
    for rank, connectivity in ((1, 6), (2, 18), (3, 26)):
        times = [], []
        for _ in range(5):
            t0 = time.perf_counter()
            theirs, n_theirs = ndimage.label(mask, ndimage.generate_binary_structure(3, rank))
            t1 = time.perf_counter()
            label, n = ours(mask, connectivity)
            times[0].append(t1 - t0)
            times[1].append(time.perf_counter() - t1)
        bad = np.count_nonzero(scan_order(theirs, n_theirs) != label) + abs(n - n_theirs)
        a, b = (1e3 * statistics.median(t) for t in times)
        print(f"{name}\t{connectivity}\t{n}\t{bad}\t{a:.1f}\t{b:.1f}\t{a / b:.1f}", flush=True)

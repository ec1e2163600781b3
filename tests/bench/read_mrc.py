#!/usr/bin/python3
"""Time to read a map: ours against mrcfile, and against plain decompression; all from the page cache, in one run.

usage: read_mrc.py BUILD_FOLDER [SIDE [REPEATS]]         (python3-mrcfile, python3-numpy; gzip)

Makes a float32 map of SIDE^3 voxels of smooth noise in a temporary folder, and its .gz. `tests/bench_mrc` (ours, and
the machine's memcpy of the same bytes, and libdeflate alone) and mrcfile take turns; medians, and ratios to ours.
"""
import os
import statistics
import subprocess
import sys
import tempfile
import time

import mrcfile
import numpy as np


def make(path, side):
    rng = np.random.default_rng(1)
    a = rng.standard_normal((side, side, side), dtype=np.float32)
    a = (a + np.roll(a, 1, 0) + np.roll(a, 1, 1) + np.roll(a, 1, 2)) * (rng.random((side, 1, 1)) > 0.3)
    with mrcfile.new(path, overwrite=True) as m:
        m.set_data(a.astype(np.float32))
        m.voxel_size = 1.2
    subprocess.run(["gzip", "-kf", path], check=True)
    return path + ".gz"


def theirs(path):
    t = time.perf_counter()
    with mrcfile.open(path) as m:
        assert m.data.size
    return time.perf_counter() - t


def main():
    build = sys.argv[1]
    side = int(sys.argv[2]) if len(sys.argv) > 2 else 256
    repeats = int(sys.argv[3]) if len(sys.argv) > 3 else 7
    with tempfile.TemporaryDirectory() as d:
        plain = os.path.join(d, "x.mrc")
        gz = make(plain, side)
        times = {}
        for _ in range(repeats):
            for name, path in (("plain", plain), ("gz", gz)):
                times.setdefault((name, "mrcfile"), []).append(theirs(path))
                out = subprocess.run([os.path.join(build, "tests/bench_mrc"), path], capture_output=True, check=True, text=True)
                for line in out.stdout.splitlines():
                    what, seconds = line.split("\t")
                    times.setdefault((name, what), []).append(float(seconds))
        size = os.path.getsize(plain)
        print("file\treader\tmedian_s\tspread_s\tMB_per_s\tratio_to_ours")
        for (name, what), t in sorted(times.items()):
            m, ours = statistics.median(t), statistics.median(times[name, "ours"])
            print(f"{name}\t{what}\t{m:.4f}\t{max(t) - min(t):.4f}\t{size / m / 1e6:.0f}\t{m / ours:.2f}")


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""Time to read a map: ours against mrcfile, gemmi and h5py, and against plain decompression; all from the page cache, in one run.

usage: read_mrc.py BUILD_FOLDER [SIDE [REPEATS]]         (mrcfile, gemmi, h5py, numpy from PyPI; gzip)

Makes a map of SIDE^3 voxels of smooth noise in a temporary folder: float32, the same big-endian, int16, gzip, and HDF5 as EMAN2 has it
(`cryolex convert`). `tests/bench_mrc` (ours, the machine's memcpy of the volume's bytes, and libdeflate alone) and the others take turns; medians,
and ratios to ours. Each gives the values as an array in memory, mrcfile and h5py in the type of the file, the others as float32.
"""
import os
import statistics
import subprocess
import sys
import tempfile
import time

import gemmi
import h5py
import mrcfile
import numpy as np


def make(cryolex, folder, side):
    rng = np.random.default_rng(1)
    a = rng.standard_normal((side, side, side), dtype=np.float32)
    a = (a + np.roll(a, 1, 0) + np.roll(a, 1, 1) + np.roll(a, 1, 2)) * (rng.random((side, 1, 1)) > 0.3)
    plain = os.path.join(folder, "plain.mrc")
    with mrcfile.new(plain, overwrite=True) as m:
        m.set_data(a.astype(np.float32))
        m.voxel_size = 1.2
    files = {"float32": plain}
    for name, out, options in (("float32, big-endian", "big.mrc", ["--byte-order", "big"]), ("int16", "int16.mrc", ["--type", "int16", "--scale"]),
                               ("HDF5", "x.hdf", [])):
        files[name] = os.path.join(folder, out)
        subprocess.run([cryolex, "convert", "-q", *options, plain, files[name]], check=True, stderr=subprocess.DEVNULL)
    subprocess.run(["gzip", "-kf", plain], check=True)
    files["float32, gzip"] = plain + ".gz"
    return files


def by_mrcfile(path):
    with mrcfile.open(path) as m:
        return m.data.size


def by_gemmi(path):
    return np.array(gemmi.read_ccp4_map(path).grid, copy=False).size


def by_h5py(path):
    with h5py.File(path) as f:
        return f["MDF/images/0/image"][()].size


def timed(fn, path):
    t = time.perf_counter()
    assert fn(path)
    return time.perf_counter() - t


def main():
    build = sys.argv[1]
    side = int(sys.argv[2]) if len(sys.argv) > 2 else 256
    repeats = int(sys.argv[3]) if len(sys.argv) > 3 else 7
    with tempfile.TemporaryDirectory() as d:
        files = make(os.path.join(build, "cryolex"), d, side)
        times = {}
        for _ in range(repeats):
            for name, path in files.items():
                for fn in [by_h5py] if name == "HDF5" else [by_mrcfile, by_gemmi]:
                    times.setdefault((name, fn.__name__[3:]), []).append(timed(fn, path))
                out = subprocess.run([os.path.join(build, "tests/bench_mrc"), path], capture_output=True, check=True, text=True)
                for line in out.stdout.splitlines():
                    what, seconds = line.split("\t")
                    times.setdefault((name, what), []).append(float(seconds))
        size = side**3 * 4
        print("file\treader\tmedian_s\tspread_s\tMB_per_s\tratio_to_ours")
        for (name, what), t in sorted(times.items()):
            m, ours = statistics.median(t), statistics.median(times[name, "ours"])
            print(f"{name}\t{what}\t{m:.4f}\t{max(t) - min(t):.4f}\t{size / m / 1e6:.0f}\t{m / ours:.2f}")


if __name__ == "__main__":
    main()

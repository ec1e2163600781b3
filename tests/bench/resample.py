#!/usr/bin/python3
"""Time to bring a float32 map of side 256 and 400 to a cube of 64: cryolex, RELION, numpy, and reading alone.

usage: resample.py CRYOLEX BENCH_RESAMPLE [ROUNDS]     (BENCH_RESAMPLE: make tests/bench/bench_resample)

Every round runs every contestant once, on a file in the page cache. Printed: medians over the rounds and the spread
(lower to upper quartile) of wall time, CPU time (all threads; less hurt by a busy machine), and ratios of the medians
to 'cat FILE > /dev/null'. 'touch' is one pass over the map in memory, the limit that bandwidth sets to resample_box.
RELION's and numpy's figures are whole programs; numpy works in double precision.
"""
import os, subprocess, sys, tempfile, time
import numpy as np, mrcfile

NUMPY = """
import sys, numpy as np, mrcfile
x = mrcfile.open(sys.argv[1]).data; m = int(sys.argv[3]); n = x.shape[0]
f = np.fft.rfftn(x)
k = np.r_[0:m // 2, n - m // 2:n]
y = np.fft.irfftn(f[np.ix_(k, k, np.arange(m // 2 + 1))], (m, m, m)) * (m / n) ** 3
with mrcfile.new(sys.argv[2], overwrite=True) as o: o.set_data(y.astype(np.float32))
"""


def timed(cmd, out=subprocess.DEVNULL):
    t = time.perf_counter()
    p = subprocess.Popen(cmd, stdout=out, stderr=subprocess.DEVNULL)
    text = p.stdout.read().decode() if out == subprocess.PIPE else ""
    _, status, use = os.wait4(p.pid, 0)
    t = time.perf_counter() - t
    assert status == 0, cmd
    return 1e3 * t, 1e3 * (use.ru_utime + use.ru_stime), text


def main():
    cryolex, bench = sys.argv[1:3]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 7
    print("side\twhat\twall_ms\tq1\tq3\tcpu_ms\twall/cat\tcpu/cat")
    for n in (256, 400):
        with tempfile.TemporaryDirectory() as tmp:
            i, o = os.path.join(tmp, "in.mrc"), os.path.join(tmp, "out.mrc")
            with mrcfile.new(i) as f:
                f.set_data(np.random.default_rng(n).standard_normal((n, n, n), dtype=np.float32))
                f.voxel_size = 1.1
            apix = str(1.1 * n / 64)
            contestants = {
                "cat": ["cat", i],
                "cryolex": [cryolex, "resample", "-q", "--apix", apix, i, o],
                "cryolex -j 1": [cryolex, "resample", "-q", "-j", "1", "--apix", apix, i, o],
                "cryolex --version": [cryolex, "--version"],
                "relion": ["relion_image_handler", "--i", i, "--o", o, "--angpix", "1.1", "--rescale_angpix", apix, "--new_box", "64"],
                "numpy": [sys.executable, "-c", NUMPY, i, o, "64"],
            }
            wall, cpu = {}, {}
            add = lambda k, w, c: (wall.setdefault(k, []).append(w), cpu.setdefault(k, []).append(c))
            for _ in range(rounds):
                for k, cmd in contestants.items():
                    add(k, *timed(cmd)[:2])
                for line in timed([bench, i, "64"], subprocess.PIPE)[2].splitlines():
                    k, w, c = line.split("\t")
                    add("in process: " + k, float(w), float(c))
            base, base_cpu = np.median(wall["cat"]), np.median(cpu["cat"])
            for k in wall:
                w, c = np.median(wall[k]), np.median(cpu[k])
                q1, q3 = np.percentile(wall[k], [25, 75])
                print(f"{n}\t{k}\t{w:.1f}\t{q1:.1f}\t{q3:.1f}\t{c:.1f}\t{w / base:.2f}\t{c / base_cpu:.2f}", flush=True)


if __name__ == "__main__":
    main()

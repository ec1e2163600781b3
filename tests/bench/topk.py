#!/usr/bin/env python3
"""Exact search of nn/topk against FAISS's IndexFlatIP: the same file of float32 vectors, mapped by both, in one run.

usage: topk.py make FOLDER ROWS [INDEX.h5]   FOLDER/base.npy and queries.npy: ROWS x 256 clustered unit vectors from a seed, or with an
                                             index its embeddings, tiled, with noise
       topk.py run BUILD FOLDER [OUT.tsv]    [--rounds N] [--batches 1,64,1024] [--tops 10,100] [--threads N]
                                             --packed: also with the base packed once; --cold: no round before the first that counts; --kernels LIST: default,Haswell,SkylakeX;
                                             --cpu: queries a second of CPU time, for a machine that does other work, best with --threads 1

BUILD is the build folder; there: make tests/bench/topk. python3 with numpy, faiss-cpu and h5py from PyPI. OPENBLAS_CORETYPE and
OPENBLAS_L2_SIZE are taken out of the environment; FAISS runs once with the kernels that its OpenBLAS chooses by itself, which are printed, and once
with each of --kernels (OPENBLAS_CORETYPE). All ratios are to the fastest of these.

Every contestant is a process of its own that has the base in memory. In each round each runs every task once, one after the other; a task is
some batches of queries, and its figure in a round is queries per second. FAISS's are faiss.knn() on the mapped array, which is what IndexFlatIP.search()
calls on its own copy (two copies of 10 million vectors are not in memory at once). Written: medians over rounds, lowest and highest, the ratio to FAISS
round by round, and of the last batch how many lists of ids are equal, how many differ, and the largest difference in score between two hits of
one rank that differ (in double; two libraries round sums differently).
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)
import numpy as np

D, QUERIES, CHUNK = 256, 3072, 100000
BATCHES = {1: 8, 64: 3, 1024: 1}  # of a task
COLUMNS = ("base", "rows", "batch", "top", "who", "way", "per_second", "low", "high", "ratio", "ratio_low", "ratio_high", "rounds", "equal", "differ", "largest_gap")


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def make(folder, rows, index):
    """Vectors at a cosine of some 0.8 to one of rows / 100 centres; queries likewise. With an index, some 0.99 to a row of it."""
    os.makedirs(folder, exist_ok=True)
    r = np.random.default_rng(1)
    if index:
        import h5py
        with h5py.File(index) as f:
            centre, noise = unit(np.asarray(f["embeddings"], np.float32)), 0.01
    else:
        centre, noise = unit(r.standard_normal((max(rows // 100, 10), D), np.float32)), 0.75 / 16
    base = np.lib.format.open_memmap(os.path.join(folder, "base.npy"), "w+", np.float32, (rows, centre.shape[1]))

    def some(n):
        return unit(centre[r.integers(len(centre), size=n)] + noise * r.standard_normal((n, centre.shape[1]), np.float32))
    for at in range(0, rows, CHUNK):
        base[at:at + CHUNK] = some(min(CHUNK, rows - at))
    np.save(os.path.join(folder, "queries.npy"), some(QUERIES))


def faiss_worker(base, queries, threads, now):
    """The same lines as tests/bench/topk.c."""
    import faiss
    faiss.omp_set_num_threads(threads)
    x, q = np.load(base, mmap_mode="r"), np.load(queries)
    for line in sys.stdin:
        batches, b, k, _, _, *path = line.split()
        out = []
        for i in range(int(batches)):
            start = now()
            _, ids = faiss.knn(q[i * int(b):(i + 1) * int(b)], x, int(k), metric=faiss.METRIC_INNER_PRODUCT)
            out.append(now() - start)
        if path:
            np.asarray(ids, np.int64).tofile(path[0])
        print(*("%.6f" % s for s in out), "faiss " + faiss.__version__, flush=True)


class Contestant:
    def __init__(self, name, command, how, threads, **env):
        self.name, self.how = name, how
        self.p = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                  env={**os.environ, "OMP_NUM_THREADS": str(threads), **env})

    def ask(self, batches, b, k, path=""):
        """Seconds of all batches, and what ran."""
        self.p.stdin.write(f"{batches} {b} {k} {self.how} {path}\n")
        self.p.stdin.flush()
        words = self.p.stdout.readline().split(" ", batches)
        if len(words) <= batches:
            sys.exit(f"{self.name} ended")
        return sum(map(float, words[:batches])), words[batches].strip()


def compare(x, q, a, b):
    """Lists of ids that are equal, that are not, and the largest gap between scores of one rank."""
    same = (a == b).all(1)
    gap = 0.0
    for i in np.flatnonzero(~same):
        for j in np.flatnonzero(a[i] != b[i]):
            s = [float(x[h].astype(np.float64) @ q[i].astype(np.float64)) for h in (a[i, j], b[i, j])]
            gap = max(gap, abs(s[0] - s[1]))
    return int(same.sum()), int((~same).sum()), gap


def run(o):
    base, queries = (os.path.join(o.folder, f) for f in ("base.npy", "queries.npy"))
    ours = os.path.join(o.build, "tests/bench/topk")
    x, q = np.load(base, mmap_mode="r"), np.load(queries)
    cpu = ["cpu"] if o.cpu else []
    theirs = [sys.executable, __file__, "worker", base, queries, str(o.threads), *cpu]
    who = [Contestant(f"faiss, {k}", theirs, "0 0", o.threads, **({} if k == "default" else {"OPENBLAS_CORETYPE": k})) for k in o.kernels]
    rivals = [w.name for w in who]
    who.append(Contestant("cryolex", [ours, base, queries, *cpu], "0 0", o.threads))
    if o.packed:
        who.append(Contestant("cryolex, packed before", [ours, base, queries, *cpu], "0 1", o.threads))
    table = [COLUMNS]
    for b in o.batches:
        for k in o.tops:
            n, speed, way, hits = BATCHES[b], {}, {}, {}
            for round_ in range(int(o.cold), o.rounds + 1):  # round 0 is not counted
                for w in who:
                    with tempfile.NamedTemporaryFile() as f:
                        seconds, way[w.name] = w.ask(n if round_ else 1, b, k, f.name)
                        hits[w.name] = np.fromfile(f.name, np.int64).reshape(b, k)
                    if round_:
                        speed.setdefault(w.name, []).append(n * b / seconds)
            rival = max(rivals, key=lambda name: statistics.median(speed[name]))
            last = q[(n - 1) * b:n * b]
            for w in who:
                s, ratio = speed[w.name], [p / r for p, r in zip(speed[w.name], speed[rival])]
                equal, differ, gap = compare(x, last, hits[w.name], hits[rival])
                table.append((os.path.basename(o.folder.rstrip("/")), len(x), b, k, w.name, way[w.name], *("%.4g" % v for v in (statistics.median(s), min(s), max(s))),
                              *("%.2f" % v for v in (statistics.median(ratio), min(ratio), max(ratio))), o.rounds, equal, differ, "%.1e" % gap))
                print(*table[-1], sep="\t", file=sys.stderr)
    with open(o.out, "w") if o.out else sys.stdout as f:
        for row in table:
            print(*row, sep="\t", file=f)


def machine():
    """Print what is compared on, and the kernel that FAISS's OpenBLAS chooses."""
    import ctypes
    import glob

    import faiss
    with open("/proc/cpuinfo") as f:
        print("#", next(line.split(":")[1].strip() for line in f if line.startswith("model name")), len(os.sched_getaffinity(0)), "cores", file=sys.stderr)
    kernel = "unknown"
    for lib in glob.glob(os.path.join(os.path.dirname(faiss.__file__), "..", "faiss_cpu.libs", "*openblas*")):
        get = ctypes.CDLL(lib).openblas_get_corename
        get.restype = ctypes.c_char_p
        kernel = get().decode()
    print("# FAISS", faiss.__version__, faiss.get_compile_options(), "- OpenBLAS kernel:", kernel, file=sys.stderr)


def main():
    if sys.argv[1:2] == ["worker"]:
        return faiss_worker(sys.argv[2], sys.argv[3], int(sys.argv[4]), time.process_time if sys.argv[5:] else time.perf_counter)
    p = argparse.ArgumentParser(usage=__doc__)
    sub = p.add_subparsers(dest="what", required=True)
    m = sub.add_parser("make")
    m.add_argument("folder")
    m.add_argument("rows", type=int)
    m.add_argument("index", nargs="?")
    r = sub.add_parser("run")
    r.add_argument("build")
    r.add_argument("folder")
    r.add_argument("out", nargs="?")
    r.add_argument("--rounds", type=int, default=5)
    r.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    r.add_argument("--packed", action="store_true")
    r.add_argument("--kernels", type=lambda s: s.split(","), default=["default", "Haswell", "SkylakeX"])
    r.add_argument("--cold", action="store_true")
    r.add_argument("--cpu", action="store_true")
    for name, value in (("--batches", "1,64,1024"), ("--tops", "10,100")):
        r.add_argument(name, type=lambda s: [int(v) for v in s.split(",")], default=[int(v) for v in value.split(",")])
    o = p.parse_args()
    if o.what == "make":
        return make(o.folder, o.rows, o.index)
    machine()
    run(o)


if __name__ == "__main__":
    main()

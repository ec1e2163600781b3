#!/usr/bin/env python3
"""How long cryolex render takes: a map brought to a box of 256 by cryolex resample, whole and by parts.

usage: render.py CRYOLEX MAP [REPEATS] >render.tsv

Columns: parts drawn, threads, repeats, median and least and greatest wall time of the whole program in seconds, median of its CPU time."""
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time


def timed(cmd):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(cmd, check=True)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    cryolex, source = sys.argv[1:3]
    repeats = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    with tempfile.TemporaryDirectory() as tmp:
        box = os.path.join(tmp, "box.mrc")
        subprocess.run([cryolex, "resample", "-q", "--box", "256", source, box], check=True)
        print("parts\tthreads\trepeats\twall_s\tleast_s\tmost_s\tcpu_s")
        for threads in (1, 2):
            for parts in ("surface,slices,projections", "surface", "slices", "projections"):
                runs = [timed([cryolex, "render", "-q", "-j", str(threads), "-p", parts, box, os.path.join(tmp, "box.png")]) for _ in range(repeats)]
                wall = [r[0] for r in runs]
                print(f"{parts}\t{threads}\t{repeats}\t{statistics.median(wall):.2f}\t{min(wall):.2f}\t{max(wall):.2f}\t{statistics.median(r[1] for r in runs):.2f}", flush=True)


if __name__ == "__main__":
    main()

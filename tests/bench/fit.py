#!/usr/bin/env python3
"""How long cryolex fit takes a pair, and how near it comes, at the samplings that VESPER's times are known for.

usage: fit.py CRYOLEX DATA_FOLDER [REPEATS]

For each pair of tests/parity/fit.py and each sampling (step in angstrom, degrees): the median of REPEATS (5) runs of the program, wall time, of
which `read` is that of the same run with the coarsest sampling there is (120 degrees, one pose kept): reading, simulation and
refinement of that. moved (the length of the translation) and angle are from the deposited place, where the models stand when they are read: the search does not
know. They do not know the symmetry of models either, which tests/parity/fit.py does, and which has the errors. Run on an idle machine.
Samplings that are too fine for a map (voxels of 5 angstrom) are coarsened: the column step has what was used.
"""
import ast
import math
import os
import platform
import statistics
import subprocess
import sys
import time

SAMPLINGS = [(7, 30), (5, 20), (4, 15)]
here = os.path.dirname(os.path.abspath(__file__))
tree = ast.parse(open(os.path.join(here, "..", "parity", "fit.py")).read())
PAIRS = next(ast.literal_eval(n.value) for n in tree.body if isinstance(n, ast.Assign) and n.targets[0].id == "PAIRS")


def timed(args, repeats):
    took = []
    for _ in range(repeats):
        t = time.perf_counter()
        run = subprocess.run(args, check=True, capture_output=True, text=True)
        took.append(time.perf_counter() - t)
    head, row = [line.split("\t") for line in run.stdout.splitlines()]
    return statistics.median(took), max(took) - min(took), dict(zip(head, row))


def main():
    cryolex, maps = os.path.abspath(sys.argv[1]), os.path.join(sys.argv[2], "maps")
    repeats = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    print(f"# {platform.processor() or platform.machine()}, {len(os.sched_getaffinity(0))} cores, {repeats} runs")
    print("map\tmodel\tdegrees\tstep\trotations\tseconds\tspread\tread\tmoved\tangle\tz")
    for m, model in PAIRS:
        base = [cryolex, "fit", "-q", "--assembly", "asu", os.path.join(maps, m), os.path.join(maps, "models", model)]
        for step, degrees in SAMPLINGS:
            read, _, _ = timed(base + ["--step", str(step), "--angle", "120", "--keep", "1"], repeats)
            took, spread, row = timed(base + ["--step", str(step), "--angle", str(degrees)], repeats)
            moved = sum(float(row[k]) ** 2 for k in ("tx", "ty", "tz")) ** 0.5
            angle = 2 * math.degrees(math.acos(min(1, float(row["qw"]))))
            print(m, model, degrees, row["step"], row["rotations"], f"{took:.3f}", f"{spread:.3f}", f"{read:.3f}", f"{moved:.2f}", f"{angle:.2f}", row["z"],
                  sep="\t", flush=True)


main()

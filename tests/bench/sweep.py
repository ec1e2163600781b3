#!/usr/bin/env python3
"""How fast cryolex sweep is, beside the floor of decompressing the same files by libdeflate on the same cores.

    make tests/bench/sweep_maps tests/bench/sweep_floor
    tests/bench/sweep.py -n 2000 --distinct 500 --real ../shared/data/maps --work /var/tmp/sweep

Makes --distinct maps (sweep_maps; about 60 MB each) in the folder --work, unless they are there, and writes a manifest with them under -n names, one after the
other, and with every map of --real. Then floor and sweep take turns, --repeats times. One TSV row a run goes to standard output, a summary to standard error: maps and MB a second, the
ratio, peak memory, where the time of the threads went. --keep leaves the maps there."""
import argparse
import csv
import os
import re
import shutil
import statistics
import subprocess
import sys
import time

SUFFIXES = (".map", ".mrc", ".map.gz", ".mrc.gz", ".ccp4", ".ccp4.gz")


def manifest(args):
    made = os.path.join(args.work, "maps")
    if not os.path.exists(os.path.join(made, "manifest.tsv")):
        os.makedirs(made, exist_ok=True)
        free = shutil.disk_usage(made).free
        if free < args.distinct * 80e6:
            sys.exit(f"sweep.py: {free / 1e9:.0f} GB free in {made}, {args.distinct * 0.08:.0f} wanted; give a smaller --distinct")
        subprocess.run([os.path.join(args.build, "tests/bench/sweep_maps"), args.structures, made, str(args.distinct), "1"], check=True)
    files = sorted(f for f in os.listdir(made) if f.endswith(".map.gz"))
    path = os.path.join(args.work, "manifest.tsv")
    with open(path, "w", encoding="utf-8") as f:
        f.write("id\tpath\n")
        for i in range(args.n):
            f.write(f"made-{i:05d}\t{os.path.join(os.path.abspath(made), files[i % len(files)])}\n")
        for name in sorted(os.listdir(args.real)) if args.real else []:
            if name.endswith(SUFFIXES):
                f.write(f"real-{name.split('.')[0]}\t{os.path.join(os.path.abspath(args.real), name)}\n")
    return path, min(len(files), args.n)


def floor(args, path):
    out = subprocess.run([os.path.join(args.build, "tests/bench/sweep_floor"), path], check=True, capture_output=True, text=True).stdout.split()
    return int(out[0]), int(out[1]), int(out[2]), float(out[3]), float(out[4])


def sweep(args, path):
    out = os.path.join(args.work, "out")
    shutil.rmtree(out, ignore_errors=True)
    start = time.monotonic()
    run = subprocess.run([os.path.join(args.build, "cryolex"), "sweep", "--memory", args.memory, "-o", out, path], capture_output=True, text=True, check=False)
    wall = time.monotonic() - start
    if run.returncode not in (0, 1):
        sys.exit(f"sweep.py: status {run.returncode}: {run.stderr[-2000:]}")
    workers = re.search(r"workers: ([\d.]+) s CPU, (\d+) MB peak", run.stderr)
    with open(os.path.join(out, "times.tsv"), encoding="utf-8") as f:
        rows = list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))
    parts = [sum(float(r[k]) for r in rows) for k in ("cube", "network", "search")]
    failed = sum(r["state"] == "failed" for r in rows)
    return wall, float(workers[1]), float(workers[2]), parts, failed, os.path.getsize(os.path.join(out, "ledger.sqlite"))


def main():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("-n", type=int, default=100, help="maps [100]")
    parse.add_argument("--distinct", type=int, default=0, help="files that are made [as many]")
    parse.add_argument("--real", help="a folder of real maps that are swept too")
    parse.add_argument("--structures", default="../shared/data/structures", help="models that maps are made of")
    parse.add_argument("--work", default="sweep_bench", help="folder to work in")
    parse.add_argument("--build", default="build")
    parse.add_argument("--memory", default="4G")
    parse.add_argument("--repeats", type=int, default=1)
    parse.add_argument("--keep", action="store_true")
    args = parse.parse_args()
    args.distinct = args.distinct or args.n
    os.makedirs(args.work, exist_ok=True)
    path, distinct = manifest(args)
    cores = len(os.sched_getaffinity(0))
    print("repeat\tmaps\tdistinct\tfile_mb\tmap_mb\tfloor_s\tfloor_cpu_s\tsweep_s\tratio\tcpu_ratio\tmaps_per_s\tmb_per_s\tcpu_s\tpeak_mb\tfailed\tcube_s\tnetwork_s\tsearch_s\tledger_mb")
    ratios = []
    for k in range(args.repeats):
        n, read, held, least, least_cpu = floor(args, path)
        wall, cpu, peak, parts, failed, ledger = sweep(args, path)
        ratios.append(wall / least)
        print(f"{k + 1}\t{n}\t{distinct}\t{read / 1e6:.0f}\t{held / 1e6:.0f}\t{least:.2f}\t{least_cpu:.2f}\t{wall:.2f}\t{wall / least:.3f}\t{cpu / least_cpu:.3f}\t{n / wall:.3f}\t{held / wall / 1e6:.1f}\t{cpu:.1f}\t{peak:.0f}\t{failed}\t"
              + "\t".join(f"{p:.1f}" for p in parts) + f"\t{ledger / 1e6:.1f}", flush=True)
        total = sum(parts)
        print(f"{n} maps ({distinct} distinct made), {read / 1e9:.2f} GB, {held / 1e9:.2f} GB inflated, {cores} cores: floor {least:.1f} s, sweep {wall:.1f} s, {wall / least:.2f} x ({cpu / least_cpu:.2f} x in CPU, which other work on the machine disturbs less); "
              f"{n / wall:.2f} maps/s, {held / wall / 1e6:.0f} MB/s of density; peak {peak:.0f} MB of {args.memory}; {failed} failed; threads: cube {100 * parts[0] / total:.0f} %, network {100 * parts[1] / total:.0f} %, "
              f"search {100 * parts[2] / total:.0f} %, of {100 * total / (wall * cores):.0f} % of the time of all cores", file=sys.stderr)
    print(f"ratio: median {statistics.median(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f}", file=sys.stderr)
    if not args.keep:
        shutil.rmtree(args.work)


if __name__ == "__main__":
    main()

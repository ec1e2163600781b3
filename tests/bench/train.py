#!/usr/bin/env python3
"""Training speed against the same network in PyTorch, same threads, one run. (python3 with torch from PyPI.)

    train.py [--rounds N] [--steps N] [--batch N] [--threads N] CRYOLEX DATASET [option of cryolex train]...

A round is N steps of `cryolex train` on DATASET, then one of each rival. A sample is an entry: two cubes, one clean, one a view, and its
text. Ours makes the views while it trains; the rivals get their cubes ready-made, and neither keep an average of the parameters nor write
a log. Printed: samples a second, medians over the rounds with least and most; ours as a whole and without the time of the
views. DATASET need not be large: the clean cubes of all of it are made before the first step, which is not counted."""
import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile

from nn import Contestant

HERE = os.path.dirname(os.path.abspath(__file__))
RIVALS = {"torch": "PyTorch", "torch-cl": "PyTorch, channels last", "compile": "torch.compile"}


def ours(o, folder, n):
    """Rows of the log of a run of its own, without the first ones, in which memory is touched for the first time."""
    out = os.path.join(folder, f"m{n}")
    cmd = [o.cryolex, "train", "-q", "-j", str(o.threads), "-d", o.dataset, "-o", out, "--steps", str(o.steps + 2), "--batch", str(o.batch)]
    cmd += ["--warmup", "1", "--valid-every", "0", "--valid-queries", "2", "--valid-gallery", "2", "--check-every", "0", *o.option]
    subprocess.run(cmd, check=True, env={**os.environ, "OMP_NUM_THREADS": str(o.threads)})
    with open(f"{out}.tsv") as f:
        return out, list(csv.DictReader(f, delimiter="\t"))[2:]


def table(cryolex, model, folder):
    """The model's network, in a file."""
    path = os.path.join(folder, "table.json")
    text = subprocess.run([cryolex, "model", "info", "-q", "--table", model], stdout=subprocess.PIPE, check=True).stdout
    with open(path, "w") as f:
        json.dump(json.loads(text), f)
    return path


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--rounds", type=int, default=3)
    a.add_argument("--steps", type=int, default=8)
    a.add_argument("--batch", type=int, default=64)
    a.add_argument("--threads", type=int, default=2)
    a.add_argument("cryolex")
    a.add_argument("dataset")
    a.add_argument("option", nargs=argparse.REMAINDER)
    o = a.parse_args()
    rate = {"cryolex, views and all": [], "cryolex, the network alone": [], **{name: [] for name in RIVALS.values()}}
    people = {}
    with tempfile.TemporaryDirectory() as folder:
        for n in range(o.rounds):
            model, rows = ours(o, folder, n)
            rate["cryolex, views and all"].append(o.batch / statistics.median(float(r["views_s"]) + float(r["network_s"]) for r in rows))
            rate["cryolex, the network alone"].append(o.batch / statistics.median(float(r["network_s"]) for r in rows))
            for kind, name in RIVALS.items():
                if not people.get(kind):
                    worker = [sys.executable, os.path.join(HERE, "nn_worker.py"), kind, str(o.threads), table(o.cryolex, model, folder)]
                    people[kind] = Contestant(kind, worker, o.threads)
                answer = people[kind].ask(f"both {2 * o.batch}")
                if answer[0] != "-":
                    rate[name].append(1e3 * o.batch / float(answer[0]))
    for p in people.values():
        p.end()
    print(f"batch {o.batch} entries, {o.threads} threads, {o.rounds} rounds; load {os.getloadavg()[0]:.1f}")
    print("program\tsamples_per_s\tleast\tmost\tours_over_it\tleast\tmost")
    whole = rate["cryolex, views and all"]
    for name, r in rate.items():
        if r:
            ratio = [a / b for a, b in zip(whole, r)]
            print("\t".join([name, *(f"{f(x):.{d}f}" for x, d in ((r, 1), (ratio, 2)) for f in (statistics.median, min, max))]))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Top-1 and Top-5 on simulated views for other weights and widths of the search score than the program's.

    weights.py CRYOLEX INDEX FOLDER CLUSTERS        FOLDER as tests/bench/views left it

Scores are made from the columns shape and dlog_rg of `cryolex search --shape-only`:
weight x shape - (dlog_rg / width)^2 / 2. For choosing them on views, never on real maps.
"""
import csv
import os
import subprocess
import sys

from retrieval import entry, same_clusters


def main():
    cryolex, index, folder, clusters = sys.argv[1:5]
    truth = {os.path.join(folder, r["file"]): entry(r["id"]) for r in csv.DictReader(open(os.path.join(folder, "truth.tsv")), delimiter="\t")}
    kin = same_clusters(clusters)
    print("descriptor\twidth\tweight\ttop1\ttop5")
    for kind, sign in (("cube", 1), ("zernike", -1), ("profile", -1)):
        cmd = [cryolex, "search", "-q", "-i", index, "-k", "1000000000", "-d", kind, "--shape-only", *truth]
        out = subprocess.run(cmd, stdout=subprocess.PIPE, text=True, check=False).stdout
        found = {}
        for r in csv.DictReader(out.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
            found.setdefault(r["query"], []).append((entry(r["id"]), float(r["shape"]), float(r["dlog_rg"])))
        for width in (0.03, 0.05, 0.08, 0.12):
            for weight in (15, 25, 40, 80):
                top1 = top5 = 0
                for query, own in truth.items():
                    best = sorted(found.get(query, []), key=lambda h: (h[2] / width) ** 2 / 2 - sign * weight * h[1])[:5]
                    right = [e in kin.get(own, {own}) or e == own for e, _, _ in best]
                    top1 += right[:1] == [True]
                    top5 += any(right)
                print(f"{kind}\t{width}\t{weight}\t{100 * top1 / len(truth):.1f}\t{100 * top5 / len(truth):.1f}", flush=True)


if __name__ == "__main__":
    main()

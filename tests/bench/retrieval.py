#!/usr/bin/env python3
"""Rank of the right entry for many queries, by every descriptor of `cryolex search`.

    retrieval.py real  CRYOLEX INDEX MAPS.tsv            maps with a fitted model whose complex is in the index
    retrieval.py views CRYOLEX INDEX FOLDER [CLUSTERS]   maps that tests/bench/views made (FOLDER/truth.tsv)

Views are made by the program's own simulator from models that are in the index: they show what pose, noise, resolution and
padding cost, not what a real map costs. Runs the program once a descriptor with -k as large as the index and reads the ranks off its output. Prints one row a
query, then Top-1, Top-5 and Top-10 with the 95 % interval of 2,000 bootstrap resamplings of the families (seed 1).
Relevant are, for a real map, the entries fitted to any map of its family (same complex); `exact` is the entry
fitted to the map itself. For a view it is the entry that it was made of. `random` is the expectation of a random order.
"""
import csv
import gzip
import os
import random
import subprocess
import sys
from math import comb

METHODS = [  # name, options of cryolex search
    ("cube", ["-d", "cube"]),
    ("cube, shape only", ["-d", "cube", "--shape-only"]),
    ("zernike", ["-d", "zernike"]),
    ("zernike, shape only", ["-d", "zernike", "--shape-only"]),
    ("profile", ["-d", "profile"]),
    ("profile, shape only", ["-d", "profile", "--shape-only"]),
    ("size (Rg alone)", ["-d", "size"]),
]


def entry(index_id):
    """PDB id of an index id such as 1abc or 1abc_AB."""
    return index_id.split("_")[0].lower()


def real_queries(maps_tsv, present):
    rows = list(csv.DictReader(open(maps_tsv), delimiter="\t"))
    family = {}
    kin = [r["family"] if r["family"] != "-" else r["emdb_id"] for r in rows]
    for r, k in zip(rows, kin):
        if r["fitted_pdb"] != "-":
            family.setdefault(k, set()).add(r["fitted_pdb"])
    for r, k in zip(rows, kin):
        same = family.get(k, set()) & present
        if same:
            yield os.path.join(os.path.dirname(maps_tsv), r["file"]), same, r["fitted_pdb"], k


def view_queries(folder, present):
    same = same_clusters(sys.argv[5]) if len(sys.argv) > 5 else {}
    for r in csv.DictReader(open(os.path.join(folder, "truth.tsv")), delimiter="\t"):
        own = entry(r["id"])
        kin = ({own} | same.get(own, set())) & present | {own}
        yield os.path.join(folder, r["file"]), kin, own, min(kin)


def same_clusters(path):
    """{entry: entries whose entities lie in the same clusters}"""
    clusters = {}
    with gzip.open(path, "rt") if path.endswith(".gz") else open(path) as f:
        for number, line in enumerate(f):
            for member in line.split():
                clusters.setdefault(entry(member), set()).add(number)
    kin = {}
    for e, c in clusters.items():
        kin.setdefault(frozenset(c), set()).add(e)
    return {e: kin[frozenset(c)] for e, c in clusters.items()}


def search(cryolex, index, options, files):
    """{file: [id, ...] best first}"""
    cmd = [cryolex, "search", "-q", "-i", index, "-k", "1000000000", *options, *files]
    out = subprocess.run(cmd, stdout=subprocess.PIPE, text=True, check=False)
    if out.returncode not in (0, 1):
        sys.exit(f"{cmd}: status {out.returncode}")
    hits = {f: [] for f in files}
    for r in csv.DictReader(out.stdout.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
        hits[r["query"]].append(r["id"])
    return hits


def rank(ids, wanted):
    return next((i for i, x in enumerate(ids, 1) if entry(x) in wanted), 10**9)


def top(ranks, k):
    return 100 * sum(r <= k for r in ranks) / len(ranks)


def interval(ranks, families, k, rng):
    """Families are drawn, not queries: three states of one complex are hardly three trials."""
    group = {}
    for r, f in zip(ranks, families):
        group.setdefault(f, []).append(r)
    groups = list(group.values())
    s = sorted(top([r for g in rng.choices(groups, k=len(groups)) for r in g], k) for _ in range(2000))
    return s[50], s[1949]


def main():
    kind, cryolex, index, where = sys.argv[1:5]
    info = subprocess.run([cryolex, "index", "info", "-q", index], stdout=subprocess.PIPE, text=True, check=True).stdout
    size = int(dict(line.split("\t") for line in info.splitlines())["entries"])
    # one search by size names every id of the index
    probe = list((real_queries if kind == "real" else view_queries)(where, AnySet()))  # all of them
    every = search(cryolex, index, ["-d", "size"], [probe[0][0]])[probe[0][0]]
    present = {entry(i) for i in every}
    queries = list((real_queries if kind == "real" else view_queries)(where, present))
    files, families = [q[0] for q in queries], [q[3] for q in queries]
    table = {}
    for name, options in METHODS:
        hits = search(cryolex, index, options, files)
        table[name] = ([rank(hits[f], same) for f, same, _, _ in queries], [rank(hits[f], {own}) for f, _, own, _ in queries])

    if kind == "real":
        print("map\tfitted\tin_index\t" + "\t".join(f"{n}: complex / exact" for n, _ in METHODS))
        for i, (f, same, own, _) in enumerate(queries):
            ranks = "\t".join(f"{table[n][0][i]} / {table[n][1][i] if own in present else '-'}" for n, _ in METHODS)
            print(f"{os.path.basename(f)}\t{own}\t{len(same)}\t{ranks}")
        print()
    meaning = (
        "a hit is any entry of the same complex"
        if kind == "real"
        else "a hit is any entry of the same sequence clusters (simulated views of entries of the gallery)" if len(sys.argv) > 5 else "a hit is the same entry"
    )
    print(f"{len(queries)} queries, gallery of {size} entries; {meaning}")
    print("method\ttop1\ttop1_95%\ttop5\ttop5_95%\ttop10\ttop10_95%")
    for name, _ in METHODS:
        rng = random.Random(1)
        cells = []
        for k in (1, 5, 10):
            lo, hi = interval(table[name][0], families, k, rng)
            cells.append(f"{top(table[name][0], k):.0f}\t{lo:.0f}-{hi:.0f}")
        print(name + "\t" + "\t".join(cells))
    relevant = [sum(entry(e) in same for e in every) for _, same, _, _ in queries]
    chance = [100 * sum(1 - comb(size - m, k) / comb(size, k) for m in relevant) / len(queries) for k in (1, 5, 10)]
    print("random\t" + "\t".join(f"{c:.2f}\t" for c in chance))


class AnySet(set):
    """Intersects to the other set: stands for an index that holds everything."""

    def __rand__(self, other):
        return other


if __name__ == "__main__":
    main()

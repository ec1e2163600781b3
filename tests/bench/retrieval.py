#!/usr/bin/env python3
"""Rank of the right entry for many queries, by every descriptor of `cryolex search`, and by the embeddings of networks.

    retrieval.py real  CRYOLEX INDEX MAPS.tsv [NETWORK...]            maps with a fitted model whose complex is in the index
    retrieval.py views CRYOLEX INDEX FOLDER [CLUSTERS] [NETWORK...]   maps that tests/bench/views made (FOLDER/truth.tsv)

A NETWORK is NAME=MODEL,GALLERY.npy, where `cryolex embed -m MODEL -o GALLERY.npy STRUCTURES >GALLERY.tsv` has embedded the same
entries. Its score is the cosine ("shape only"), or WEIGHT x cosine and the size term of cryolex search;
"best weight" takes the weight with the highest Top-1 on these very queries, so that it is an upper bound.

Views are made by the program's own simulator from models that are in the index: they show what pose, noise, resolution and
padding cost, not what a real map costs. Runs the program once a descriptor with -k as large as the index and reads the ranks off its output. Prints one row a
query, then Top-1, Top-5 and Top-10 with the 95 % interval of 2,000 bootstrap resamplings of the families (seed 1).
Relevant are, for a real map, the entries fitted to any map of its family (same complex); `exact` is the entry
fitted to the map itself. For a view it is the entry that it was made of. `random` is the expectation of a random order.
(python3 with numpy from PyPI.)
"""
import csv
import gzip
import os
import random
import subprocess
import sys
import tempfile
from math import comb

import numpy as np
from metrics import Bootstrap

METHODS = [  # name, options of cryolex search
    ("cube", ["-d", "cube"]),
    ("cube, shape only", ["-d", "cube", "--shape-only"]),
    ("zernike", ["-d", "zernike"]),
    ("zernike, shape only", ["-d", "zernike", "--shape-only"]),
    ("profile", ["-d", "profile"]),
    ("profile, shape only", ["-d", "profile", "--shape-only"]),
    ("size (Rg alone)", ["-d", "size"]),
]
WEIGHT = 14  # of the cosine, DESIGN 2
WEIGHTS = [2, 5, 10, 14, 20, 30, 50, 100, 200, 500, 1000, 2000, 5000]
SIZE_WIDTH = 0.08  # in ln Rg, pipeline/search.h


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
    same = same_clusters(CLUSTERS) if CLUSTERS else {}
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


def embeddings(cryolex, model, files):
    """(n, d) embeddings, zero where there is none, and (n) Rg."""
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/files.tsv", "w") as f:
            f.write("id\tpath\n" + "".join(f"{i}\t{os.path.abspath(name)}\n" for i, name in enumerate(files)))
        cmd = [cryolex, "embed", "-q", "-m", model, "-o", f"{folder}/z.npy", f"{folder}/files.tsv"]
        out = subprocess.run(cmd, stdout=subprocess.PIPE, text=True, check=False)
        if out.returncode not in (0, 1):
            sys.exit(f"{cmd}: status {out.returncode}")
        rows = list(csv.DictReader(out.stdout.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
        got = np.load(f"{folder}/z.npy")
    z, rg = np.zeros((len(files), got.shape[1])), np.ones(len(files))
    for r in rows:
        z[int(r["id"])], rg[int(r["id"])] = got[int(r["row"])], float(r["rg"])
    return z, rg


def network(cryolex, model, gallery, queries):
    """[(name, {file: [id, ...] best first}), ...]"""
    files = [q[0] for q in queries]
    entries = list(csv.DictReader(open(gallery[: -len(".npy")] + ".tsv"), delimiter="\t", quoting=csv.QUOTE_NONE))
    ids, rg = [e["id"] for e in entries], np.array([float(e["rg"]) for e in entries])
    z, size = embeddings(cryolex, model, files)
    cosine = z @ np.load(gallery).astype(float).T
    term = -((np.log(rg[None, :] / size[:, None]) / SIZE_WIDTH) ** 2) / 2

    def order(score):
        return {f: [ids[i] for i in np.argsort(-s, kind="stable")] for f, s in zip(files, score)}

    def first(weight):
        best = np.argmax(weight * cosine + term, axis=1)
        return sum(entry(ids[b]) in q[1] for b, q in zip(best, queries))

    best = max(WEIGHTS, key=first)
    yield f", {WEIGHT} x cosine", order(WEIGHT * cosine + term)
    yield f", best weight ({best})", order(best * cosine + term)
    yield ", shape only", order(cosine)


def rank(ids, wanted):
    return next((i for i, x in enumerate(ids, 1) if entry(x) in wanted), 10**9)


def top(ranks, k):
    return 100 * sum(r <= k for r in ranks) / len(ranks)


def ranks_of(hits, queries):
    """Rank of any right entry, and of the exact one, a query each."""
    return [rank(hits[f], same) for f, same, _, _ in queries], [rank(hits[f], {own}) for f, _, own, _ in queries]


def main():
    kind, cryolex, index, where = sys.argv[1:5]
    methods = [name for name, _ in METHODS]
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
        table[name] = ranks_of(search(cryolex, index, options, files), queries)
    for option in NETWORKS:
        name, rest = option.split("=", 1)
        for what, hits in network(cryolex, *rest.rsplit(",", 1), queries):
            methods.append(name + what)
            table[name + what] = ranks_of(hits, queries)

    if kind == "real":
        print("map\tfitted\tin_index\t" + "\t".join(f"{n}: complex / exact" for n in methods))
        for i, (f, same, own, _) in enumerate(queries):
            ranks = "\t".join(f"{table[n][0][i]} / {table[n][1][i] if own in present else '-'}" for n in methods)
            print(f"{os.path.basename(f)}\t{own}\t{len(same)}\t{ranks}")
        print()
    meaning = (
        "a hit is any entry of the same complex"
        if kind == "real"
        else "a hit is any entry of the same sequence clusters (simulated views of entries of the gallery)" if CLUSTERS else "a hit is the same entry"
    )
    print(f"{len(queries)} queries, gallery of {size} entries; {meaning}")
    print("method\ttop1\ttop1_95%\ttop5\ttop5_95%\ttop10\ttop10_95%")
    for name in methods:
        rng = random.Random(1)
        cells = []
        for k in (1, 5, 10):
            lo, hi = Bootstrap(families, rng).mean(np.array([100.0 * (r <= k) for r in table[name][0]]))
            cells.append(f"{top(table[name][0], k):.0f}\t{lo:.0f}-{hi:.0f}")
        print(name + "\t" + "\t".join(cells))
    relevant = [sum(entry(e) in same for e in every) for _, same, _, _ in queries]
    chance = [100 * sum(1 - comb(size - m, k) / comb(size, k) for m in relevant) / len(queries) for k in (1, 5, 10)]
    print("random\t" + "\t".join(f"{c:.2f}\t" for c in chance))


NETWORKS = [a for a in sys.argv[5:] if "=" in a]
CLUSTERS = next((a for a in sys.argv[5:] if "=" not in a), None)


class AnySet(set):
    """Intersects to the other set: stands for an index that holds everything."""

    def __rand__(self, other):
        return other


if __name__ == "__main__":
    main()

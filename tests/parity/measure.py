#!/usr/bin/env python3
"""The measures of cryolex bench against cafaeval (Fmax, Smin) and scikit-learn (average precision, ranks), on methods of random scores, which are made here and handed over
as rivals; recorded in measure.tsv.

usage: measure.py CRYOLEX INDEX MODEL DATASET MAPS.tsv     (python3 with numpy, h5py, scikit-learn, cafaeval from PyPI)

The ontology that cafaeval gets is the vocabulary of the index, and the information of terms that of Clark and Radivojac 2013 over its entries. Scores are rounded to 0.001, as bench
does, and lie 0.000001 above that, so that a threshold of 0.15 is reached by 0.15 in either program. A line a check: what, how many, largest difference."""
import csv
import os
import subprocess
import sys
import tempfile

import cafaeval
import h5py
import numpy as np
import sklearn
from cafaeval.evaluation import cafa_eval
from sklearn.metrics import average_precision_score

SPACES = ("molecular_function", "biological_process", "cellular_component")
NEAREST = 10


def read(path):
    with open(path, encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


def texts(f, name):
    return [x.decode() for x in f[name][:]]


def lists(f, a, b):
    at, item = f[a][:], f[b][:]
    return [item[at[i]:at[i + 1]] for i in range(len(at) - 1)]


def report(what, n, worst, limit):
    print(f"{what}\t{n}\t{worst:.1e}", flush=True)
    assert n > 0 and worst <= limit, what


class Index:
    def __init__(self, path):
        with h5py.File(path) as f:
            self.id, self.term, self.space = texts(f, "id"), texts(f, "vocab/id"), texts(f, "vocab/namespace")
            self.of, self.parents = lists(f, "terms/indptr", "terms/indices"), lists(f, "vocab/parents_indptr", "vocab/parents_indices")

    def information(self):
        n = len(self.term)
        have, could, some = np.zeros(n), np.zeros(n), {s: 0 for s in set(self.space)}
        for own in self.of:
            mine = set(own.tolist())
            for s in {self.space[k] for k in mine}:
                some[s] += 1
            for j in range(n):
                if len(self.parents[j]) and all(p in mine for p in self.parents[j]):
                    could[j] += 1
            have[own] += 1
        for j in range(n):
            if not len(self.parents[j]):
                could[j] = some[self.space[j]]
        return np.where((have > 0) & (have < could), -np.log2(np.maximum(have, 1) / np.maximum(could, 1)), 0)


def functions(cryolex, index, model, dataset, maps, tmp):
    x = Index(index)
    base = [cryolex, "bench", "function", "-q", "-i", index, "-m", model, "-d", dataset, "--queries", maps, "--times", "10"]
    subprocess.run(base + ["-o", f"{tmp}/first"], check=True)
    queries = read(f"{tmp}/first/queries.tsv")
    rng = np.random.default_rng(1)
    told, rows = {}, []
    annotated = [i for i in range(len(x.id)) if len(x.of[i])]
    for q in queries:
        chosen = rng.choice(annotated, 40, replace=False)
        for k, i in enumerate(chosen):
            rows.append((q["query"], x.id[i], 40 - k))
        score = np.zeros(len(x.term))
        for k, i in enumerate(chosen[:NEAREST]):
            score[x.of[i]] += 1 / (k + 1)
        told[q["query"]] = score / sum(1 / (k + 1) for k in range(NEAREST))
    with open(f"{tmp}/random.tsv", "w") as f:
        f.write("query\tentry\tscore\n" + "".join(f"{a}\t{b}\t{c}\n" for a, b, c in rows))
    subprocess.run(base + ["-o", f"{tmp}/second", "--scores", f"guess={tmp}/random.tsv"], check=True)
    got = {r["namespace"]: r for r in read(f"{tmp}/second/function.tsv") if r["gallery"] == "all" and r["method"].startswith("guess")}
    ids = [i.lower() for i in x.id]
    go = [j for j, s in enumerate(x.space) if s in SPACES]
    # the entry whose terms count: the first of the gallery that the map's column names
    truth = {}
    for q in queries:
        own = [e.lower() for e in q["entry"].replace(",", " ").replace(";", " ").replace("|", " ").split()]
        truth[q["query"]] = next(i for i, s in enumerate(ids) if s.split("_")[0] in own)
    os.makedirs(f"{tmp}/pred")
    with open(f"{tmp}/go.obo", "w") as f:
        f.write("format-version: 1.2\n")
        for j in go:
            f.write(f"\n[Term]\nid: {x.term[j]}\nname: x\nnamespace: {x.space[j]}\n" + "".join(f"is_a: {x.term[p]}\n" for p in x.parents[j]))
    info = x.information()
    with open(f"{tmp}/ia.tsv", "w") as f:
        f.write("".join(f"{x.term[j]}\t{info[j]:.9f}\n" for j in go))
    with open(f"{tmp}/truth.tsv", "w") as f:
        f.write("".join(f"{q}\t{x.term[k]}\n" for q, i in truth.items() for k in x.of[i] if x.space[k] in SPACES))
    with open(f"{tmp}/pred/guess.tsv", "w") as f:
        f.write("".join(f"{q}\t{x.term[j]}\t{min(round(s[j], 3) + 1e-6, 1):.7f}\n" for q, s in told.items() for j in go if s[j] > 0))
    every, best = cafa_eval(f"{tmp}/go.obo", f"{tmp}/pred", f"{tmp}/truth.tsv", ia=f"{tmp}/ia.tsv", th_step=0.01)
    fmax = {r["ns"]: r["f"] for _, r in best["f"].reset_index().iterrows()}
    smin = every.groupby(level="ns")["s_w"].min().to_dict()  # weighted by information, as Smin is
    for what, theirs in (("fmax", fmax), ("smin", smin)):
        off = [abs(float(got[s][what]) - theirs[s]) / max(1, theirs[s]) for s in SPACES]
        report(f"{what}: relative difference from cafaeval, {len(queries)} queries", len(off), max(off), 2e-5)


def ranking(cryolex, index, model, dataset, tmp):
    with h5py.File(dataset) as f:
        ids, split = texts(f, "id"), f["split"][:]
        clusters = lists(f, "clusters/indptr", "clusters/indices") if "clusters/indptr" in f else None
    rng = np.random.default_rng(2)
    first = [cryolex, "bench", "pdb", "-q", "-i", index, "-m", model, "-d", dataset, "--times", "10", "-o"]
    subprocess.run(first + [f"{tmp}/a"], check=True)
    order = [r["query"] for r in read(f"{tmp}/a/queries.tsv") if r["task"] == "structure to text"]
    z = {i: rng.normal(size=8) for q in order for i in (q, q + ".text")}
    with open(f"{tmp}/z.tsv", "w") as f:
        f.write("id\t" + "\t".join(f"c{k}" for k in range(8)) + "\n" + "".join(f"{i}\t" + "\t".join(f"{v:.6f}" for v in z[i]) + "\n" for i in z))
    subprocess.run(first + [f"{tmp}/b", "--embeddings", f"guess={tmp}/z.tsv"], check=True)
    row = {i: k for k, i in enumerate(ids)}
    unit = {i: (lambda v: v / np.linalg.norm(v))(np.round(z[i], 6)) for i in z}
    a = np.array([unit[q] for q in order])
    b = np.array([unit[q + ".text"] for q in order])
    kinds = {"entry": np.eye(len(order), dtype=bool)}
    if clusters is not None:
        sets = [frozenset(clusters[row[q]].tolist()) for q in order]
        kinds["same clusters"] = np.array([[s == t and len(s) > 0 or i == k for k, t in enumerate(sets)] for i, s in enumerate(sets)])
    ours = {(r["task"], r["query"], r["relevance"]): r for r in read(f"{tmp}/b/ranks.tsv") if r["method"] == "guess" and r["gallery"] == "all"}
    for task, score, suffix in (("structure to text", a @ b.T, ""), ("text to structure", b @ a.T, ".text")):
        for kind, relevant in kinds.items():
            ap, rank = [], []
            for i, q in enumerate(order):
                r = ours[task, q + suffix, kind]
                ap.append(abs(float(r["average_precision"]) - average_precision_score(relevant[i], score[i])))
                rank.append(abs(float(r["rank"]) - (1 + min((score[i] > s).sum() for s in score[i][relevant[i]]))))
            report(f"{task}, {kind}: average precision, scikit-learn", len(ap), max(ap), 2e-6)
            report(f"{task}, {kind}: rank of the first", len(rank), max(rank), 0)


def main():
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    cryolex, index, model, dataset, maps = (os.path.abspath(p) for p in sys.argv[1:])
    print(f"# cafaeval {getattr(cafaeval, '__version__', '')}, scikit-learn {sklearn.__version__}")
    with tempfile.TemporaryDirectory() as tmp:
        ranking(cryolex, index, model, dataset, tmp)
        functions(cryolex, index, model, dataset, maps, tmp)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""tests/bench/metrics.py against scikit-learn, brute force and cases worked by hand. (python3 with numpy and scikit-learn
from PyPI.) Prints a line a check, stops at the first that fails. Recorded in metrics.tsv."""
import os
import random
import sys

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    average_precision_score,
    label_ranking_average_precision_score,
    precision_score,
    recall_score,
    top_k_accuracy_score,
)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench"))
import metrics as m


def report(what, n, worst, limit=1e-12):
    print(f"{what}\t{n}\t{worst:.1e}", flush=True)
    assert worst <= limit, what


def difference(a, b):
    return float(np.max(np.abs(np.asarray(a, float) - np.asarray(b, float))))


def by_hand():
    score = np.array([[4.0, 3, 2, 1], [4, 3, 2, 1], [1, 2, 3, 4], [1, 2, 3, 4]])
    relevant = np.array([[1, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0], [0, 1, 1, 1]], bool)
    first, ap = m.rank(score, relevant)
    report("by hand: rank", 3, difference(first[[0, 1, 3]], [1, 4, 1]))
    report("by hand: average precision", 3, difference(ap[[0, 1, 3]], [(1 + 2 / 3) / 2, 1 / 4, 1]))
    v = m.values(first, ap)
    assert all(np.isnan(v[k][2]) for k in m.NAMES)
    report("by hand: Top-1, Top-5, MRR", 3, difference([np.nanmean(v[k]) for k in ("Top-1", "Top-5", "MRR")], [2 / 3, 1, 0.75]))
    # Two queries, terms a b c. Query 1, truth ab, predicted a .9 b .5 c .5; query 2, truth c, predicted a .7.
    # t <= .5: precision (2/3 + 0)/2 = 1/3, recall (1 + 0)/2, F .4. t in .5...7: precision (1 + 0)/2, recall 1/4, F 1/3.
    # t in .7...9: precision 1 (query 2 predicts nothing), recall 1/4, F .4.
    s, t = np.array([[0.9, 0.5, 0.5], [0.7, 0, 0]]), np.array([[1, 1, 0], [0, 0, 1]], bool)
    report("by hand: Fmax", 1, difference(m.fmax(s, t)[0], 0.4))
    t[1] = False  # a query without truth counts nowhere: t <= .5 gives precision 2/3, recall 1
    report("by hand: Fmax, one query", 1, difference(m.fmax(s, t)[0], 0.8))


def ties():
    """The relevant one of five with one score is first in a fifth of the random orders."""
    first = [m.rank(np.zeros((1, 5)), np.eye(5, dtype=bool)[:1], seed)[0][0] for seed in range(4000)]
    report("ties: share of first ranks against 1/5", 4000, abs(np.mean(np.array(first) == 1) - 0.2), 0.02)


def retrieval(rng):
    score = rng.standard_normal((300, 80))
    relevant = rng.random((300, 80)) < rng.random((300, 1)) * 0.2
    relevant[:, 0] |= ~relevant.any(axis=1)
    first, ap = m.rank(score, relevant)
    report("average precision against sklearn", 300, difference(ap, [average_precision_score(r, s) for r, s in zip(relevant, score)]))
    report("mean of them against label ranking", 300, abs(ap.mean() - label_ranking_average_precision_score(relevant, score)))
    truth = rng.integers(80, size=300)
    first, ap = m.rank(score, np.eye(80, dtype=bool)[truth])
    v = m.values(first, ap)
    for k in m.CUTS:
        report(f"Top-{k} against sklearn", 300, abs(v[f"Top-{k}"].mean() - top_k_accuracy_score(truth, score, k=k, labels=range(80))))
    report("MRR against label ranking, one label", 300,
           abs(v["MRR"].mean() - label_ranking_average_precision_score(np.eye(80, dtype=int)[truth], score)))


def annotation(rng):
    truth = rng.random((120, 40)) < 0.15
    truth[:3] = False
    score = np.round(np.clip(rng.random((120, 40)) * 0.7 + 0.3 * truth, 0, 1), 2) * (rng.random((120, 40)) < 0.5)
    score[3:6] = 0  # nothing predicted
    best, use = 0, truth.any(axis=1)
    for k in range(1, 101):  # CAFA's definition over scikit-learn
        p = score[use] >= k / 100 - 1e-9
        some = p.any(axis=1)
        if some.any():
            pr = precision_score(truth[use][some], p[some], average="samples", zero_division=0)
            rc = recall_score(truth[use], p, average="samples", zero_division=0)
            best = max(best, 2 * pr * rc / (pr + rc) if pr + rc else 0)
    report("Fmax against sklearn's precision and recall", 120, abs(m.fmax(score, truth)[0] - best))
    group = rng.integers(25, size=120)
    boot = m.Bootstrap(group, times=200)
    low, high = m.fmax(score, truth, boot)[1:]
    draws, names = random.Random(1), list(dict.fromkeys(group))
    found = []
    for _ in range(200):  # by drawing the queries themselves
        rows = np.concatenate([np.flatnonzero(group == g) for g in draws.choices(names, k=len(names))])
        found.append(m.fmax(score[rows], truth[rows])[0])
    found.sort()
    report("interval of Fmax against drawn queries", 200, difference((low, high), (found[5], found[194])))
    value = np.where(rng.random(120) < 0.1, np.nan, rng.random(120))
    draws, found = random.Random(1), []
    for _ in range(200):
        rows = np.concatenate([np.flatnonzero(group == g) for g in draws.choices(names, k=len(names))])
        found.append(np.nanmean(value[rows]))
    found.sort()
    report("interval of a mean against drawn queries", 200, difference(boot.mean(value), (found[5], found[194])))


def regression(rng):
    x = rng.standard_normal((500, 3))
    y = (rng.random(500) < 1 / (1 + np.exp(-(0.5 + x @ [2, -1, 0.3])))).astype(float)
    ref = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(x, y)
    report("logistic weights against sklearn", 500, difference(m.logistic(x, y), [*ref.intercept_, *ref.coef_[0]]), 1e-4)


def main():
    rng = np.random.default_rng(5)
    print(f"# numpy {np.__version__}, scikit-learn {sklearn.__version__}\ncheck\tcases\tlargest_difference")
    by_hand()
    ties()
    retrieval(rng)
    annotation(rng)
    regression(rng)


if __name__ == "__main__":
    main()

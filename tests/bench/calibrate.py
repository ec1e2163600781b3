"""Weights of the two-stage score and of its confidence, from views of the validation split; used by learned.py.

Score: a x cosine + b x cube - (dlog Rg / width)^2 / 2, read as a log-likelihood up to a constant of the query: the weights are
those under which the right entry is most probable among all of the gallery. Cube is the aligned correlation, or where it says
plain, the plain one.
Confidence of a hit (pipeline/scoring.h): logistic(bias + margin x (its score - the best score of another entry) + quality x
(a x cosine + b x cube) / (a + b)), the chance that it is the same protein (entry, set of 30 % clusters, or UniProt
accession), over the first hits of each view in the whole gallery and in the gallery without the view's relatives: half of the
queries are of something that the gallery has not."""
import numpy as np
from metrics import CUTS, logistic, rank

HITS = 5
LEAST, MOST = (0.0, 0.0, 0.01), (200.0, 200.0, 1.0)
START = {  # weights and plain
    "cube_size": ((0.0, 25.0, 0.08), True),
    "aligned_size": ((0.0, 25.0, 0.08), False),
    "learned_size": ((20.0, 0.0, 0.08), False),
    "two_stage_plain": ((15.0, 20.0, 0.08), True),
    "two_stage": ((15.0, 20.0, 0.08), False),
}


def surprise(score, relevant):
    """Mean of -log of the probability that the relevant entries have together, over the queries that have any."""
    top = score.max(axis=1, keepdims=True)
    e = np.exp(score - top)
    p = (e * relevant).sum(axis=1) / e.sum(axis=1)
    return float(np.mean(-np.log(np.maximum(p[relevant.any(axis=1)], 1e-30))))


def descend(s, relevant, start, plain):
    """Weights a, b and width by coordinate steps that shrink; a weight that starts at 0 stays."""
    x, step = np.array(start), 1.5
    best = surprise(s.both("learned", *x, plain), relevant)
    while step > 1.04:
        moved = False
        for i in range(3):
            for f in (step, 1 / step):
                y = x.copy()
                y[i] = min(max(y[i] * f, LEAST[i]), MOST[i])
                v = surprise(s.both("learned", *y, plain), relevant) if y[i] != x[i] else best
                if v < best - 1e-6:
                    x, best, moved = y, v, True
        step = step if moved else step**0.5
    return {"a": round(float(x[0]), 2), "b": round(float(x[1]), 2), "width": round(float(x[2]), 4), "plain": plain}, best


def hits(s, weights, kin, gone):
    """Features and truth of the first HITS of every view, without those that are `gone` (Q,N)."""
    score = np.where(gone, -np.inf, s.search("learned", **weights))
    order = np.argsort(-score, axis=1, kind="stable")[:, :HITS + 1]
    q = np.arange(len(score))[:, None]
    top = score[q, order]
    margin = top[:, :-1] - np.where(np.arange(HITS) == 0, top[:, 1:2], top[:, :1])
    shape = weights["a"] * s.cosine["learned"][q, order] + weights["b"] * s.aligned[q, order]
    x = np.stack([margin, shape[:, :-1] / (weights["a"] + weights["b"])], axis=2)
    return x.reshape(-1, 2), kin[q, order[:, :-1]].astype(float).reshape(-1)


def confidence(s, weights, kin, gone):
    both = [hits(s, weights, kin, np.zeros_like(gone)), hits(s, weights, kin & ~gone, gone)]
    x, y = (np.concatenate(p) for p in zip(*both))
    w = logistic(x, y)
    p = 1 / (1 + np.exp(-(w[0] + x @ w[1:])))
    bins = [(p >= lo) & (p < lo + 0.2) for lo in (0, 0.2, 0.4, 0.6, 0.8)]
    return {"bias": round(float(w[0]), 4), "margin": round(float(w[1]), 4), "quality": round(float(w[2]), 4), "hits": len(y), "right": float(y.mean()),
            "reliability": [{"said": round(float(p[b].mean()), 3), "was": round(float(y[b].mean()), 3), "hits": int(b.sum())} for b in bins if b.any()]}


def run(s, exact, kin, gone):
    """Of Scores of validation views: exact, kin and gone (Q,N) bool."""
    out = {"score": {}, "surprise": {}, "top": {}}
    for name, start in START.items():
        out["score"][name], out["surprise"][name] = descend(s, exact, *start)
        first = rank(s.search("learned", **out["score"][name]), exact)[0]
        out["top"][name] = [round(float(np.nanmean(first <= k)), 4) for k in CUTS]
    out["confidence"] = confidence(s, out["score"]["two_stage"], kin, gone)
    out["queries"], out["gallery"] = exact.shape
    return out

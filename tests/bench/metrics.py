"""Measures of retrieval and annotation, with bootstrap intervals over groups. (python3 with numpy from PyPI.)
tests/parity/metrics.py checks them against scikit-learn, brute force and cases worked by hand.

Letters: Q queries; N entries of a gallery; T terms; G groups of queries."""
import random

import numpy as np

CUTS = (1, 5, 10)
NAMES = [f"Top-{k}" for k in CUTS] + ["MRR", "mAP"]


def tie_order(n, seed=1):
    """Columns in random order: put before a stable sort, it decides between equal scores."""
    return np.random.default_rng(seed).permutation(n)


def rank(score, relevant, seed=1):
    """Rank (Q) of the first relevant entry, from 1, and average precision (Q), both NaN where none is relevant, of score
    (Q,N), higher is nearer, and relevant (Q,N), bool. Equal scores come in random order, the same for all queries."""
    cols = tie_order(score.shape[1], seed)
    first, ap = np.full(len(score), np.nan), np.full(len(score), np.nan)
    for i, s in enumerate(score):
        assert not np.isnan(s).any(), "a score is not a number"
        at = np.flatnonzero(relevant[i][cols[np.argsort(-s[cols], kind="stable")]]) + 1
        if len(at):
            first[i], ap[i] = at[0], np.mean(np.arange(1, len(at) + 1) / at)
    return first, ap


def values(first, ap):
    """{measure: value (Q) of each query}; NaN where nothing is relevant."""
    none = np.isnan(first)
    v = {f"Top-{k}": np.where(none, np.nan, first <= k) for k in CUTS}
    return v | {"MRR": 1 / first, "mAP": ap}


class Bootstrap:
    """95 % intervals by resampling groups, not queries: three states of one complex are hardly three trials."""

    def __init__(self, group, rng=None, times=2000):
        rng = rng or random.Random(1)
        place = {g: i for i, g in enumerate(dict.fromkeys(group))}
        self.of, self.n, self.times = np.array([place[g] for g in group]), len(place), times
        draw = (rng.choices(range(self.n), k=self.n) for _ in range(times))
        self.weight = np.array([np.bincount(d, minlength=self.n) for d in draw], float)  # (times, G)

    def sums(self, x):
        """x (Q, ...) summed over groups (G, ...)."""
        out = np.zeros((self.n, *x.shape[1:]))
        np.add.at(out, self.of, x)
        return out

    def ends(self, resampled):
        s = np.sort(resampled[~np.isnan(resampled)])
        return (s[len(s) // 40], s[len(s) - len(s) // 40 - 1]) if len(s) else (np.nan, np.nan)

    def mean(self, value):
        """Of the mean of value (Q) without NaN: low, high."""
        ok = ~np.isnan(value)
        count = self.weight @ self.sums(ok.astype(float))
        with np.errstate(invalid="ignore"):
            return self.ends(self.weight @ self.sums(np.where(ok, value, 0)) / count)


THRESHOLDS = np.arange(1, 101) / 100


def curves(score, truth):
    """Of each query with a true term, at each threshold t: precision (Q,t), 0 where nothing is predicted, whether anything
    is (Q,t), recall (Q,t), and whether the query counts (Q). Predicted: score (Q,T) >= t; truth (Q,T) bool."""
    counts = truth.any(axis=1)
    shape = len(score), len(THRESHOLDS)
    precision, some, recall = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for i in np.flatnonzero(counts):
        all_ = np.sort(score[i])
        true = np.sort(score[i][truth[i]])
        predicted = len(all_) - np.searchsorted(all_, THRESHOLDS - 1e-9)
        right = len(true) - np.searchsorted(true, THRESHOLDS - 1e-9)
        some[i], recall[i] = predicted > 0, right / len(true)
        precision[i] = right / np.maximum(predicted, 1)
    return precision, some, recall, counts


def fmax(score, truth, boot=None):
    """CAFA's protein-centred Fmax (Radivojac et al. 2013, Nat. Methods 10:221): the largest F over thresholds, of the mean
    precision over queries with a prediction and the mean recall over all with a true term. (value, low, high), NaN where no
    query counts. Terms have to be closed under ancestors, without roots; that is the caller's."""
    precision, some, recall, counts = curves(score, truth)

    def best(p, s, r, n):  # sums over queries, the last axis thresholds
        with np.errstate(invalid="ignore", divide="ignore"):
            p, r = np.where(s > 0, p / s, 0), r / n
            return np.max(np.where(p + r > 0, 2 * p * r / (p + r), np.where(n > 0, 0, np.nan)), axis=-1)

    value = float(best(precision.sum(0), some.sum(0), recall.sum(0), np.array([float(counts.sum())])))
    if not boot:
        return value, np.nan, np.nan
    w = boot.weight
    sums = [w @ boot.sums(x) for x in (precision, some, recall)]
    return value, *boot.ends(best(*sums, (w @ boot.sums(counts.astype(float)))[:, None]))


def logistic(x, y, ridge=1e-6, steps=100):
    """Weights (1 + features) of P(y) = 1 / (1 + exp(-(w0 + x w))), the most likely ones, by Newton's method."""
    x = np.column_stack([np.ones(len(x)), x])
    w = np.zeros(x.shape[1])
    for _ in range(steps):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -40, 40)))
        h = (x * (p * (1 - p))[:, None]).T @ x + ridge * np.eye(len(w))
        d = np.linalg.solve(h, x.T @ (y - p) - ridge * w)
        w += d * min(1, 5 / np.abs(d).max())
        if np.abs(d).max() < 1e-9:
            break
    return w

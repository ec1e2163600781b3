#!/usr/bin/env python3
"""What a trained model is worth: text, views, real maps, GO terms, free text; tables in markdown. (python3 with numpy and h5py
from PyPI.)

    learned.py prepare  WORK CRYOLEX EMBED_VIEWS DATASET DATA MODEL [UNTRAINED]
    learned.py calibrate|text|views|maps|robust|terms|free WORK

prepare fills the folder WORK by running the program; what is there and newer than what it is made of is kept. DATASET is that of
`cryolex dataset build`, all of whose entries are the gallery; DATA the folder with maps/ and annot/; UNTRAINED a model of
random parameters (`cryolex model new`). EMBED_VIEWS: make tests/bench/embed_views.

calibrate  weights of the score and of the confidence, from views of the validation split: JSON, also kept in WORK for the rest
text       structure to text and back, test split
views      structure to structure, EM-like views of the test split against the whole gallery
maps       real maps with a fitted model: ranks, and the choice of weights leaving a family out
robust     the same maps blurred and sharpened
terms      GO terms of the hits once all relatives are out of the gallery: views of the test split and real maps
free       twenty queries of queries.txt: the first five hits, TSV

In brackets: 95 % intervals of 2,000 bootstrap resamplings of groups (entries that share cluster, accession or family) or of
the maps' families, seed 1. Equal scores stand in random order, seed 1."""
import csv
import glob
import gzip
import json
import os
import subprocess
import sys

import calibrate
import numpy as np
from metrics import NAMES, Bootstrap, fmax, rank, values
from retrieval import entry, real_queries
from scores import Dataset, Entries, Scores, cosine, cube, projection, unit

HERE = os.path.dirname(os.path.abspath(__file__))
SHARED = (1, 3)  # GO terms, pruned of ancestors
TWIN = 0.99
NEIGHBOURS = (1, 3, 5, 10, 20, 50, 100)
VOTES = (0.25, 0.5, 1, 2, 4, 8, 16, 32)
SPACES = ("molecular_function", "biological_process", "cellular_component")
ROOTS = ("GO:0003674", "GO:0008150", "GO:0005575")
BLURS, SHARPENINGS = (0, 2, 4, 6, 8, 10), (-100, -200, -300, -400)  # sigma in angstrom; B in square angstrom
TWO_STAGE = "two-stage: learned, aligned cube and size"
CALIBRATED = {"cube_size": "cube and size, calibrated", "aligned_size": "aligned cube and size, calibrated", "learned_size": "learned and size",
              "two_stage_plain": "two-stage: learned, cube and size", "two_stage": TWO_STAGE}
PAPER = "Top-1 35.18, Top-5 59.70 in the paper (its own split of some 200,000 pairs; gallery and split are not ours)"


class Work:
    """The folder."""

    def __init__(self, folder):
        self.folder = folder
        self.plan = self.load("plan.json") if os.path.exists(self.at("plan.json")) else {}

    def at(self, name):
        return os.path.join(self.folder, name)

    def load(self, name):
        with open(self.at(name)) as f:
            return json.load(f)

    def save(self, name, what):
        with open(self.at(name), "w") as f:
            json.dump(what, f, indent=1)

    def dataset(self):
        return Dataset(self.plan["dataset"])

    def entries(self, name):
        return Entries(self.at(f"{name}.index.h5"), {m: self.at(f"{name}.{m}.h5") for m in self.plan["models"]})

    def scores(self, name, gallery, queries=None):
        return Scores(queries or self.entries(name), gallery, self.at(name))

    def weights(self):
        """Of calibrate: {name: {a, b, width, plain}}."""
        return self.load("calibration.json")["score"]

    def made(self, outputs, inputs, command):
        """Run a command unless its outputs are newer than the inputs. Whether it ran."""
        outputs = [self.at(o) for o in outputs]
        new = max(os.path.getmtime(i) for i in inputs)
        if all(os.path.exists(o) and os.path.getmtime(o) >= new for o in outputs):
            return False
        print("$ " + " ".join(command), file=sys.stderr, flush=True)
        done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False, env={**os.environ, "OMP_WAIT_POLICY": "passive"})
        if done.returncode:
            sys.exit(f"status {done.returncode}")
        return True


# ---- prepare ----

def vary_maps(w, cryolex, files):
    """Each map padded, then blurred or sharpened, and a manifest of them all."""
    os.makedirs(w.at("robust"), exist_ok=True)
    rows = ["id\tpath"]
    for name, path in files:
        side = max(np.fromfile(path, "<i4", 3)) + 16
        padded = w.at(f"robust/{name}.mrc")
        w.made([f"robust/{name}.mrc"], [path], [cryolex, "resample", "-q", "--box", str(side), path, padded])
        kinds = [(f"blur{s}", 8 * np.pi**2 * s * s) for s in BLURS] + [(f"sharp{-b}", b) for b in SHARPENINGS]
        for kind, b in kinds:
            out = f"robust/{name}.{kind}.mrc" if b else f"robust/{name}.mrc"
            if b:
                w.made([out], [padded], [cryolex, "resample", "-q", "--bfactor", f"{b:.6g}", padded, w.at(out)])
            rows.append(f"{name}.{kind}\t{os.path.basename(out)}")
    with open(w.at("robust/manifest.tsv"), "w") as f:
        f.write("\n".join(rows) + "\n")


def prepare(w, cryolex, embed_views, dataset, data, *models):
    os.makedirs(w.folder, exist_ok=True)
    paths = {k: os.path.abspath(m) for k, m in zip(("learned", "untrained"), models)}
    w.plan = {"cryolex": os.path.abspath(cryolex), "dataset": os.path.abspath(dataset), "data": os.path.abspath(data), "models": paths}
    w.save("plan.json", w.plan)
    files = [(os.path.basename(f).split(".")[0], f) for f, _, _, _ in real_queries(f"{data}/maps/maps.tsv", set(Dataset(dataset).pdb))]
    with open(w.at("maps.tsv"), "w") as f:
        f.write("id\tpath\n" + "".join(f"{n}\t{os.path.abspath(p)}\n" for n, p in files))
    vary_maps(w, cryolex, files)
    maps, robust = (w.at("maps.tsv"), "maps"), (w.at("robust/manifest.tsv"), "maps")
    inputs = {"maps": [p for _, p in files], "robust": [p for _, p in files]}
    for name, source, views, seed in (("maps", maps, 1, 0), ("robust", robust, 1, 0), ("gallery", (dataset, "all"), 0, 0),
                                      ("valid", (dataset, "valid"), 1, 1), ("test", (dataset, "test"), 1, 2)):
        for k, p in paths.items():
            command = [embed_views, *source, str(views), str(seed), w.at(name), f"{k}={p}"]
            if w.made([f"{name}.{k}.h5"], [*inputs.get(name, [dataset]), embed_views, p], command):
                of = "*" if name == "gallery" else name
                for kept in glob.glob(w.at(f"{of}.cube.npy")) + glob.glob(w.at(f"{of}.aligned.npy")):
                    os.unlink(kept)


# ---- relevance ----

def shared(lists, of, among):
    """How many items row of[i] has in common with row among[j] (Q,N); -1 is a row without items."""
    holders = {}
    for j, r in enumerate(among):
        for item in lists[r] if r >= 0 else ():
            holders.setdefault(item, []).append(j)
    holders = {k: np.array(v) for k, v in holders.items()}
    out = np.zeros((len(of), len(among)), np.uint16)
    for i, r in enumerate(of):
        for item in lists[r] if r >= 0 else ():
            if item in holders:
                out[i, holders[item]] += 1
    return out


def same_set(lists, of, among):
    """Both have the same items, and some."""
    count = lambda rows: np.array([len(lists[r]) if r >= 0 else 0 for r in rows])
    n, a, b = shared(lists, of, among), count(of), count(among)
    return (n == a[:, None]) & (n == b[None, :]) & (n > 0)


def same_entry(ids, gallery):
    return np.array([entry(i) for i in ids])[:, None] == np.array([entry(i) for i in gallery])[None, :]


# ---- tables ----

def cell(value, ends, percent=True):
    f, digits = (100, 1) if percent else (1, 3)
    return "-" if np.isnan(value) else f"{f * value:.{digits}f} ({f * ends[0]:.{digits}f}-{f * ends[1]:.{digits}f})"


def retrieval_table(title, methods, relevant, boot):
    """One row a method of {name: score (Q,N)}; relevant (Q,N)."""
    n = int(relevant.any(axis=1).sum())
    print(f"\n**{title}**: {n} queries, gallery {relevant.shape[1]}, {relevant.sum() / max(n, 1):.1f} relevant on average\n")
    print("| method | " + " | ".join(f"{m} %" if m != "MRR" else m for m in NAMES) + " |\n|" + "---|" * (len(NAMES) + 1))
    for name, score in methods.items():
        v = values(*rank(score, relevant))
        mean = {m: np.nanmean(v[m]) if n else np.nan for m in NAMES}
        print(f"| {name} | " + " | ".join(cell(mean[m], boot.mean(v[m]), m != "MRR") for m in NAMES) + " |", flush=True)


def with_learned(s, weights):
    """All methods: baselines, networks, and what is calibrated on the validation split."""
    m = s.baselines()
    if "untrained" in s.cosine:
        m["untrained network, cosine"] = s.cosine["untrained"]
    m["learned, cosine"] = s.cosine["learned"]
    for name, what in CALIBRATED.items():
        m[what] = s.search("learned", **weights[name])
    return m


# ---- 1. text ----

def transfer(data, score, train, k):
    """Text vectors (Q,dim): the mean of the captions of the k nearest of the training entries `train` (rows of data)."""
    first = data.text[data.caption_at[train]]
    return unit(np.array([first[np.argsort(-s, kind="stable")[:k]].mean(axis=0) for s in score]))


def run_text(w):
    data, gallery = w.dataset(), w.entries("gallery")
    weight = projection(w.plan["models"]["learned"])
    if data.text is None:
        sys.exit(f"{w.plan['dataset']}: no captions")
    row = data.rows(gallery.id)
    exact = np.array([r >= 0 and data.id[r] == i for r, i in zip(row, gallery.id)])  # parts that the dataset lacks have no caption
    has = exact & np.array([r >= 0 and data.caption_at[r] < data.caption_at[r + 1] for r in row])
    side = np.where(row >= 0, data.split[row], 9)
    all_, test, train = np.flatnonzero(has), np.flatnonzero(has & (side == 2)), np.flatnonzero(has & (side == 0))
    frozen = data.text[data.caption_at[row[all_]]]
    own = np.searchsorted(all_, test)  # places of the test entries in all_
    t = unit(frozen @ weight.T) if weight is not None else None
    z = gallery.z["learned"]
    clean = w.scores("test_clean", gallery, gallery.take(test))  # structures of the test split against the gallery
    near = {"cube and size": clean.both("learned", 0, 25, plain=True)} | {f"{k} cosine": v for k, v in clean.cosine.items()}
    moved = {f"caption of the nearest training structure by {n}" if k == 1 else f"mean caption of the nearest {k} by {n}":
             transfer(data, s[:, train], row[train], k) for n, s in near.items() for k in (1, 10)}
    view = w.entries("test")
    at = {i: k for k, i in enumerate(view.id)}
    seen = np.array([at.get(gallery.id[i], -1) for i in test])
    boot = Bootstrap(data.group[row[test]])
    print(f"Captions: the first of each entry; {len({data.caption[c] for c in data.caption_at[row[all_]]})} different among "
          f"{len(all_)}. {PAPER}. Shared GO terms are counted without their ancestors.")
    rng = np.random.default_rng(1)
    for where, cols, who in (("captions of the test split", own, test), ("captions of all entries", np.arange(len(all_)), all_)):
        to_text = {"random": rng.random((len(test), len(cols)))}
        to_text |= {n: v @ frozen[cols].T for n, v in moved.items()}
        to_structure = {"random": rng.random((len(test), len(cols)))}
        if len(cols) == len(test):
            to_structure |= {n: frozen[cols] @ v.T for n, v in moved.items()}
        if t is not None:
            to_text["learned"] = cosine(z[test], t[cols, None])
            to_text["learned, from an EM-like view"] = np.where((seen >= 0)[:, None], cosine(view.z["learned"][seen], t[cols, None]), -1)
            to_structure["learned"] = cosine(t[own, None], z[all_[cols]])
        n = shared(data.pruned, row[test], row[who])
        kinds = {"exact entry": same_entry([gallery.id[i] for i in test], [gallery.id[i] for i in who]),
                 "same set of GO terms": same_set(data.pruned, row[test], row[who])}
        kinds |= {f"at least {k} shared GO term{'s' * (k > 1)}": n >= k for k in SHARED}
        for kind, relevant in kinds.items():
            retrieval_table(f"Structure to text, {where}; {kind}", to_text, relevant, boot)
            retrieval_table(f"Text to structure, {where.replace('captions', 'structures')}; {kind}", to_structure, relevant, boot)


# ---- 2. views ----

def run_views(w):
    data, gallery, weights = w.dataset(), w.entries("gallery"), w.weights()
    s = w.scores("test", gallery)
    of, among = data.rows(s.q.id), data.rows(gallery.id)
    methods, boot = with_learned(s, weights), Bootstrap(data.group[of])
    print(f"EM-like views (seed 2), one of each test entry, against all of the gallery. Calibrated on the validation split: {weights}")
    place = {entry: i for i, entry in enumerate(gallery.id)}
    like = cube(gallery.take([place[i] for i in s.q.id]), gallery)
    twins = like > TWIN
    alone = twins.sum(axis=1) == 1
    print(f"{len(alone) - alone.sum()} of the {len(alone)} are of an entry with twins: others whose clean cube correlates above {TWIN} with its own")
    for kind, relevant in (("exact entry", same_entry(s.q.id, gallery.id)), (f"the entry or a twin of it (above {TWIN})", twins),
                           ("exact entry, of those without twins", same_entry(s.q.id, gallery.id) & alone[:, None]),
                           ("same set of 30 % clusters", same_set(data.clusters, of, among)),
                           ("a shared UniProt accession", shared(data.uniprots, of, among) > 0)):
        retrieval_table(f"View to structure; {kind}", methods, relevant, boot)


# ---- 3. real maps ----

def truth(w, ids):
    """Of each real map: PDB ids of its complex, of its own model, and family."""
    data = w.dataset()
    found = {os.path.basename(f).split(".")[0]: (same, own, k)
             for f, same, own, k in real_queries(os.path.join(w.plan["data"], "maps", "maps.tsv"), set(data.pdb))}
    return [found[i.split(".")[0]] for i in ids]


def of_complex(kin, gallery):
    name = np.array([entry(i) for i in gallery.id])
    same = np.array([[n in k[0] for n in name] for k in kin])
    own = np.array([[n == k[1] for n in name] for k in kin])
    return same, own


def left_out(s, relevant, family):
    """Score with a, b and width chosen for each family on the others' maps: by Top-1, then Top-5, then MRR."""
    grid = [(a, b, wd) for a in (0, 5, 10, 20, 40, 80) for b in (0, 10, 25, 50, 100) for wd in (0.05, 0.08, 0.12, 0.2) if a + b > 0]
    first = np.array([rank(s.both("learned", *g), relevant)[0] for g in grid])
    out, chosen = np.empty_like(s.cube), {}
    for f in dict.fromkeys(family):
        inside = np.array([x == f for x in family])
        r = first[:, ~inside]
        best = max(range(len(grid)), key=lambda i: ((r[i] <= 1).mean(), (r[i] <= 5).mean(), (1 / r[i]).mean()))
        chosen[f] = grid[best]
        out[inside] = s.both("learned", *grid[best])[inside]
    return out, chosen


def map_methods(w, s, relevant, family):
    weights = w.weights()
    m = {k: v for k, v in with_learned(s, weights).items() if "profile" not in k and "Zernike" not in k}
    m["two-stage, weights chosen on the other families"], chosen = left_out(s, relevant, family)
    return m, chosen


def run_maps(w):
    gallery = w.entries("gallery")
    s = w.scores("maps", gallery)
    kin = truth(w, s.q.id)
    family = [k[2] for k in kin]
    same, own = of_complex(kin, gallery)
    methods, chosen = map_methods(w, s, same, family)
    boot, data = Bootstrap(family), w.dataset()
    print(f"Weights by the validation split (views, no real map): {w.weights()}.\nLeaving one family out: a, b and width {chosen}")
    retrieval_table("Real maps; same complex", methods, same, boot)
    retrieval_table("Real maps; exact entry", methods, own, boot)
    fitted = data.rows([k[1] for k in kin])
    for n in SHARED:
        relevant = shared(data.pruned, fitted, data.rows(gallery.id)) >= n
        retrieval_table(f"Real maps; at least {n} GO term{'s' * (n > 1)} shared with the fitted entry", methods, relevant, boot)
    some = [m for m in methods if m not in ("random", CALIBRATED["cube_size"], "cube and size", "aligned cube and size")]
    print("\nRanks, any entry of the complex / the fitted one:\n\n| map | fitted | " + " | ".join(some) + " |\n|" + "---|" * (len(some) + 2))
    ranks = {m: (rank(methods[m], same)[0], rank(methods[m], own)[0]) for m in some}
    for i, name in enumerate(s.q.id):
        cells = " | ".join(f"{a[i]:.0f} / {b[i]:.0f}" for a, b in ranks.values())
        print(f"| {name} | {kin[i][1]} | {cells} |")
    first, names = ranks[TWO_STAGE][0], molecules(w)
    for i in np.flatnonzero(first > 1):
        best = int(np.argmax(methods[TWO_STAGE][i]))
        right = np.flatnonzero(same[i])
        print(f"\nMissed: {s.q.id[i]} (rank {first[i]:.0f}): Rg of the map {s.q.rg[i]:.1f}, of the right entries "
              f"{', '.join(f'{gallery.id[j]} {gallery.rg[j]:.1f}' for j in right)} angstrom; best aligned correlation of those "
              f"{s.aligned[i, right].max():.2f} and cosine {s.cosine['learned'][i, right].max():.2f}; found {gallery.id[best]} "
              f"({names.get(entry(gallery.id[best]), '')[:60]}), {s.aligned[i, best]:.2f} and {s.cosine['learned'][i, best]:.2f}.")


def run_robust(w):
    gallery = w.entries("gallery")
    s = w.scores("robust", gallery)
    kin = truth(w, s.q.id)
    same, _ = of_complex(kin, gallery)
    weights = w.weights()
    methods = {"cube": s.cube, "aligned cube": s.aligned, "learned, cosine": s.cosine["learned"]}
    methods |= {what: s.search("learned", **weights[name]) for name, what in CALIBRATED.items()}
    ranks = {m: rank(x, same)[0] for m, x in methods.items()}
    kind = np.array([i.rsplit(".", 1)[1] for i in s.q.id])
    print(f"{(kind == 'blur0').sum()} maps; same complex; gallery {len(gallery.id)}; Top-1 / Top-5 / Top-10 in per cent. Cosine: of a map's "
          "embedding with that of the map as it is\n")
    print("| change | " + " | ".join(methods) + " | cosine, mean | least |\n|" + "---|" * (len(methods) + 3))
    z = s.q.z["learned"]
    at = {i: k for k, i in enumerate(s.q.id)}
    for k in dict.fromkeys(kind):
        rows = np.flatnonzero(kind == k)
        c = np.array([(z[r] @ z[at[s.q.id[r].rsplit(".", 1)[0] + ".blur0"]].T).max() for r in rows])
        what = f"blurred, sigma {k[4:]} angstrom" if k.startswith("blur") else f"sharpened, B = -{k[5:]}"
        cells = " | ".join(" / ".join(f"{100 * (r[rows] <= n).mean():.0f}" for n in (1, 5, 10)) for r in ranks.values())
        print(f"| {what if k != 'blur0' else 'none'} | {cells} | {c.mean():.3f} | {c.min():.3f} |")


# ---- GO terms of the hits ----

class Terms:
    """GO terms of the dataset's entries by namespace, closed under ancestors, roots left out."""

    def __init__(self, w, data):
        path = os.path.join(w.plan["data"], "annot", "go_terms.tsv")
        with (gzip.open(path + ".gz", "rt") if os.path.exists(path + ".gz") else open(path)) as f:
            rows = csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE)
            space = {r["go_id"]: r["namespace"] for r in rows}
        kind = np.array([SPACES.index(space[t]) if t in space and t not in ROOTS else -1 for t in data.term])
        self.columns = [np.flatnonzero(kind == k) for k in range(len(SPACES))]
        place = np.full(len(kind), -1)
        go = np.flatnonzero(kind >= 0)
        place[go] = np.arange(len(go))
        self.kind, self.n = kind[go], len(go)
        self.rows = [place[data.terms[i]] for i in range(data.n)]
        self.rows = [r[r >= 0] for r in self.rows]

    def matrix(self, rows):
        """(len(rows), terms) bool; -1 has none."""
        out = np.zeros((len(rows), self.n), bool)
        for i, r in enumerate(rows):
            if r >= 0:
                out[i, self.rows[r]] = True
        return out

    def predict(self, order, row, weight):
        """Of each query the share of its nearest entries that have a term. order (Q,k): entries of the gallery, best first; row: of
        the dataset, of each; weight (k) or (Q,k)."""
        weight = np.broadcast_to(weight, order.shape)
        weight = weight / weight.sum(axis=1, keepdims=True)
        out = np.zeros((len(order), self.n), np.float32)
        for o, w, g in zip(order, weight, out):
            for j, v in zip(o, w):
                g[self.rows[row[j]]] += v
        return out


def by_rank(order, k):
    """The first k entries, and their weights."""
    return order[:, :k], 1 / np.arange(1, min(k, order.shape[1]) + 1)


def by_score(order, score, vote):
    """All of them, and weights as of cryolex annotate."""
    s = np.take_along_axis(score, order, axis=1)
    return order, np.exp((s - s[:, :1]) / vote)


def nearest(score, allowed):
    """The best entries (Q,K) among those allowed (Q,N), as many as NEIGHBOURS wants."""
    return np.argsort(-np.where(allowed, score, -np.inf), axis=1, kind="stable")[:, :max(NEIGHBOURS)]


def fmaxes(terms, guess, wanted, boot=None):
    return [fmax(guess[:, terms.kind == k], wanted[:, terms.kind == k], boot) for k in range(len(SPACES))]


def fmean(terms, row, chosen, wanted):
    """Mean over namespaces."""
    order, weight = chosen
    return float(np.nanmean([f[0] for f in fmaxes(terms, terms.predict(order, row, weight), wanted)]))


def most(of):
    return max(of, key=of.get)


def confidence(s, calibration, order, score):
    """Of the best hit of each query (Q), as pipeline/scoring.h has it."""
    c, w, q = calibration["confidence"], calibration["score"]["two_stage"], np.arange(len(order))
    best, next_ = order[:, 0], order[:, 1]
    quality = (w["a"] * s.cosine["learned"][q, best] + w["b"] * s.aligned[q, best]) / (w["a"] + w["b"])
    return 1 / (1 + np.exp(-(c["bias"] + c["margin"] * (score[q, best] - score[q, next_]) + c["quality"] * quality)))


def term_methods(s, weights):
    m = {"random hits": s.baselines()["random"], "size": s.size(), "Zernike and size": s.baselines()["Zernike and size"], "cube": s.cube,
         "cube and size": s.both("learned", 0, 25, plain=True), "aligned cube and size": s.search("learned", **weights["aligned_size"])}
    m |= {f"{k}, cosine": s.cosine[k] for k in sorted(s.cosine, reverse=True)}
    return m | {"learned and size": s.search("learned", **weights["learned_size"]), "two-stage": s.search("learned", **weights["two_stage"])}


def term_table(title, terms, s, row, fitted, gone, boot, count, calibration, ks=None):
    """Prints with ks {method: k}; without, returns the best ks. gone (Q,N): relatives, out of the gallery."""
    weights = calibration["score"]
    wanted = terms.matrix(fitted)
    told = np.array([r >= 0 and len(terms.rows[r]) > 0 for r in row])
    allowed = told[None, :] & ~gone
    best = {}
    if ks:
        print(f"\n**{title}**: queries with terms {', '.join(f'{wanted[:, terms.kind == k].any(axis=1).sum()} ({n})' for k, n in enumerate(SPACES))}; "
              f"gallery {len(s.g.id)}, of these {int(told.sum())} with terms, less {gone.sum(axis=1).mean():.0f} relatives on average\n")
        print("| hits by | k | " + " | ".join(SPACES) + " | mean |\n|" + "---|" * 6)
        show("frequency in training", "-", fmaxes(terms, np.tile(count, (len(fitted), 1)), wanted, boot))
    for name, score in term_methods(s, weights).items():
        order = nearest(score, allowed)
        if not ks:
            best[name] = most({k: fmean(terms, row, by_rank(order, k), wanted) for k in NEIGHBOURS})
        else:
            o, weight = by_rank(order, ks[name])
            show(name, ks[name], fmaxes(terms, terms.predict(o, row, weight), wanted, boot))
    if ks:  # order and score are those of the last method, the two stages
        o, weight = by_score(order, score, calibration["vote"])
        vote = terms.predict(o, row, weight)
        show("two-stage, votes by score", len(o[0]), fmaxes(terms, vote, wanted, boot))
        sure = confidence(s, calibration, order, score)[:, None]
        share = terms.matrix(row[told]).mean(axis=0)
        show("the same, as cryolex annotate has it (1)", len(o[0]), fmaxes(terms, sure * vote + (1 - sure) * share, wanted, boot))
        print("\n(1) Confidence of the best hit x votes + the rest x how common the term is in the gallery; without the part of text.")
    return best


def show(name, k, f):
    cells = " | ".join("-" if np.isnan(v) else f"{v:.3f} ({lo:.3f}-{hi:.3f})" for v, lo, hi in f)
    print(f"| {name} | {k} | {cells} | {np.nanmean([x[0] for x in f]):.3f} |", flush=True)


def run_terms(w):
    data, gallery, calibration = w.dataset(), w.entries("gallery"), w.load("calibration.json")
    terms, row = Terms(w, data), data.rows(gallery.id)
    count = terms.matrix(data.of_split("train")).mean(axis=0)
    group = np.where(row >= 0, data.group[row], -1)
    ks = None
    print("Fmax (CAFA, protein-centred): terms closed under ancestors, roots left out; a term's score is the share of the k nearest hits "
          "that have it, weighted by 1 / rank; k by the validation split. Votes by score: exp((score - best) / vote), as cryolex annotate. All entries of the query's group are out of the gallery.")
    for split in ("valid", "test"):
        s = w.scores(split, gallery)
        of = data.rows(s.q.id)
        gone = data.group[of][:, None] == group[None, :]
        ks = term_table("EM-like views of the test split", terms, s, row, of, gone, Bootstrap(data.group[of]), count, calibration, ks) or ks
    s = w.scores("maps", gallery)
    kin = truth(w, s.q.id)
    fitted = data.rows([k[1] for k in kin])
    relatives = [set(data.group[[data.row[p] for p in k[0] | {k[1]} if p in data.row]]) for k in kin]
    gone = np.array([[g in r for g in group] for r in relatives])
    term_table("Real maps", terms, s, row, fitted, gone, Bootstrap([k[2] for k in kin]), count, calibration, ks)


# ---- 4. free text ----

def run_free(w):
    gallery, weight = w.entries("gallery"), projection(w.plan["models"]["learned"])
    if weight is None:
        sys.exit(f"{w.plan['models']['learned']}: knows no text")
    with open(os.path.join(HERE, "queries.txt")) as f:
        queries = f.read().splitlines()
    npy = w.at("queries.npy")
    subprocess.run([w.plan["cryolex"], "encode-text", "-q", "-l", os.path.join(HERE, "queries.txt"), "-o", npy], check=True)
    near = cosine(unit(np.load(npy) @ weight.T)[:, None], gallery.z["learned"])
    names = molecules(w)
    print("query\trank\tid\tcosine\tmolecules\tright")
    for q, c in zip(queries, near):
        for n, j in enumerate(np.argsort(-c, kind="stable")[:5], 1):
            print(f"{q}\t{n}\t{gallery.id[j]}\t{c[j]:.3f}\t{names.get(entry(gallery.id[j]), '')[:100]}\t")


def molecules(w):
    path = os.path.join(w.plan["data"], "annot", "pdb_names.tsv.gz")
    with gzip.open(path, "rt") as f:
        rows = csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE)
        key = next(c for c in rows.fieldnames if c.startswith("molecule"))
        return {r[rows.fieldnames[0]].lower(): r[key] or r.get("title", "") for r in rows}


def run_calibrate(w):
    data, gallery = w.dataset(), w.entries("gallery")
    s = w.scores("valid", gallery)
    of, among = data.rows(s.q.id), data.rows(gallery.id)
    kin = same_entry(s.q.id, gallery.id) | same_set(data.clusters, of, among) | (shared(data.uniprots, of, among) > 0)
    gone = data.group[of][:, None] == np.where(among >= 0, data.group[among], -1)[None, :]
    out = calibrate.run(s, same_entry(s.q.id, gallery.id), kin, gone)
    out["vote"] = calibrate_vote(w, data, s, of, among, gone, out["score"]["two_stage"])
    best, sure = out["score"]["two_stage"], out["confidence"]
    out["scoring"] = (f"cosine={best['a']},cube={best['b']},size={best['width']},bias={sure['bias']},margin={sure['margin']},"
                      f"quality={sure['quality']},vote={out['vote']}")
    w.save("calibration.json", out)
    print(json.dumps(out, indent=1))


def calibrate_vote(w, data, s, of, among, gone, weights):
    """With the largest Fmax, the mean over namespaces and over galleries with and without relatives."""
    terms, score = Terms(w, data), s.search("learned", **weights)
    wanted = terms.matrix(of)
    told = np.array([r >= 0 and len(terms.rows[r]) > 0 for r in among])
    itself = same_entry(s.q.id, s.g.id)
    orders = [nearest(score, told & ~g) for g in (gone, itself)]
    return most({v: sum(fmean(terms, among, by_score(o, score, v), wanted) for o in orders) for v in VOTES})


RUN = {"calibrate": run_calibrate, "text": run_text, "views": run_views, "maps": run_maps, "robust": run_robust, "terms": run_terms, "free": run_free}


def main():
    if len(sys.argv) in (8, 9) and sys.argv[1] == "prepare":
        prepare(Work(sys.argv[2]), *sys.argv[3:])
    elif len(sys.argv) == 3 and sys.argv[1] in RUN:
        RUN[sys.argv[1]](Work(sys.argv[2]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()

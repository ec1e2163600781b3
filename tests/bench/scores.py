"""What learned.py evaluates: a dataset, the entries of an index with their embeddings, and scores between two such sets.
(python3 with numpy and h5py from PyPI.)

Letters: Q queries; N entries of the gallery; d numbers of an embedding."""
import itertools
import json
import os

import h5py
import numpy as np
from retrieval import SIZE_WIDTH, entry

SIDE, TURNS = 16, 24


def text(column):
    return [s.decode() if isinstance(s, bytes) else s for s in column[:]]


class Lists:
    """Row i: item[at[i]:at[i + 1]]."""

    def __init__(self, at, item):
        self.at, self.item = np.asarray(at).astype(int), np.asarray(item).astype(int)

    def __getitem__(self, i):
        return self.item[self.at[i]:self.at[i + 1]]


class Dataset:
    """dataset.h, without its atoms."""

    def __init__(self, path):
        with h5py.File(path) as f:
            self.id, self.pdb, self.split, self.group = text(f["id"]), text(f["pdb"]), f["split"][:], f["group"][:]
            self.n = len(self.id)
            for name, starts in (("terms", "terms_at"), ("pruned", "pruned_at"), ("clusters", "clusters_at"), ("uniprots", "uniprots_at")):
                setattr(self, name, Lists(f[starts][:], f[name][:]))
            self.term, self.term_name = text(f["term"]), text(f["term_name"])
            self.caption_at = f["captions_at"][:].astype(int)
            self.text = f["text"][:].astype(np.float32) if "text" in f else None
            at, block = f["caption_bytes_at"][:].astype(int), f["captions"][:].tobytes()
            self.caption = [block[a:b].rstrip(b"\0").decode() for a, b in itertools.pairwise(at)]
        self.row = {name: i for i, name in enumerate(self.id)}
        for i, name in enumerate(self.pdb):
            self.row.setdefault(name, i)

    def rows(self, ids):
        """Entry of each id; a part of an entry that the dataset lacks counts as the entry; -1: unknown."""
        return np.array([self.row.get(i, self.row.get(entry(i), -1)) for i in ids], int)

    def of_split(self, name):
        return np.flatnonzero(self.split == ("train", "valid", "test").index(name))


class Entries:
    """Of an index: id, rg, cube, zernike, profile; z {network: (n,P,d)}, P embeddings of each, 1 or one a pose."""

    def __init__(self, index, vectors):
        with h5py.File(index) as f:
            self.id, self.rg = text(f["id"]), f["rg"][:].astype(float)
            self.cube, self.zernike, self.profile = f["cube"][:], f["zernike"][:], f["profile"][:]
        self.z = {name: self.join(path) for name, path in vectors.items()}

    def join(self, path):
        with h5py.File(path) as f:
            ids, z = text(f["ids"]), f["embeddings"][:].astype(np.float32)
        poses = len(ids) // len(self.id)
        assert ids == [i for i in self.id for _ in range(poses)], f"{path}: other entries than in the index"
        return z.reshape(len(self.id), poses, -1)

    def take(self, rows):
        """Some of them."""
        e = object.__new__(Entries)
        e.id = [self.id[i] for i in rows]
        e.rg, e.cube, e.zernike, e.profile = self.rg[rows], self.cube[rows], self.zernike[rows], self.profile[rows]
        e.z = {k: z[rows] for k, z in self.z.items()}
        return e


def unit(x):
    """Rows at length 1; one of zeros stays."""
    length = np.linalg.norm(x, axis=-1, keepdims=True)
    return x / np.where(length > 0, length, 1)


def turns(cubes):
    """(Q, 24, 4096): cubes (Q, 4096) under the proper rotations that map the axes onto one another (voxel/desc.h), mean off,
    length 1."""
    x = unit(cubes.astype(np.float32) - cubes.mean(axis=1, dtype=np.float64, keepdims=True).astype(np.float32))
    x, out = x.reshape(-1, SIDE, SIDE, SIDE), []
    for perm in ((0, 1, 2), (1, 2, 0), (2, 0, 1), (1, 0, 2), (0, 2, 1), (2, 1, 0)):
        odd = perm in ((1, 0, 2), (0, 2, 1), (2, 1, 0))
        for flip in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)):
            axes = [i + 1 for i in range(3) if flip[i] != odd]
            out.append(np.flip(x.transpose(0, *(p + 1 for p in perm)), axes).reshape(len(x), -1))
    return np.stack(out, axis=1)


def cube(queries, gallery, block=32):
    """Correlation (Q,N) of the cubes, the best of the turns."""
    g = gallery.cube.astype(np.float32)
    g = unit(g - g.mean(axis=1, keepdims=True))
    best = np.empty((len(queries.id), len(g)), np.float32)
    for at in range(0, len(best), block):
        t = turns(queries.cube[at:at + block])
        best[at:at + block] = (g @ t.reshape(-1, t.shape[2]).T).reshape(len(g), -1, TURNS).max(axis=2).T
    return best


def cosine(a, b):
    """(Q,N) of a (Q,P,d) and b (N,R,d): that of the nearest two of their embeddings."""
    best = np.full((len(a), len(b)), -np.inf, np.float32)
    for p in range(a.shape[1]):
        for r in range(b.shape[1]):
            np.maximum(best, a[:, p] @ b[:, r].T, out=best)
    return best


def distance(a, b):
    """Euclidean (Q,N)."""
    sq = (a * a).sum(1)[:, None] + (b * b).sum(1)[None, :] - 2 * a @ b.T
    return np.sqrt(np.maximum(sq, 0))


class Scores:
    """Parts of every score (Q,N). Cubes take half a minute; `keep` is a file that they are kept in."""

    def __init__(self, queries, gallery, keep=None):
        self.q, self.g = queries, gallery
        self.dlog = np.log(gallery.rg[None, :] / queries.rg[:, None]).astype(np.float32)
        shape = len(queries.id), len(gallery.id)
        if keep and os.path.exists(keep):
            self.cube = np.load(keep)
        if not keep or not os.path.exists(keep) or self.cube.shape != shape:
            self.cube = cube(queries, gallery)
            if keep:
                np.save(keep, self.cube)
        self.zernike = distance(queries.zernike, gallery.zernike)
        self.profile = distance(queries.profile, gallery.profile)
        self.cosine = {name: cosine(queries.z[name], gallery.z[name]) for name in gallery.z}

    def size(self, width=SIZE_WIDTH):
        return -((self.dlog / width) ** 2) / 2

    def both(self, name, a, b, width=SIZE_WIDTH):
        """a x cosine + b x cube + size, the two-stage score of cryolex search."""
        return a * self.cosine[name] + b * self.cube + self.size(width)

    def baselines(self):
        """{name: score (Q,N)} of everything that is not learned."""
        rng = np.random.default_rng(1)
        return {
            "random": rng.random(self.cube.shape, np.float32),
            "size (Rg alone)": self.size(),
            "profile": -self.profile,
            "profile and size": -25 * self.profile + self.size(),
            "Zernike": -self.zernike,
            "Zernike and size": -25 * self.zernike + self.size(),
            "cube": self.cube,
            "cube and size": 25 * self.cube + self.size(),
        }


def projection(model):
    """text.weight (d, dim) of a model file (safetensors), or None."""
    with open(model, "rb") as f:
        n = int.from_bytes(f.read(8), "little")
        head = json.loads(f.read(n))
        part = head.get("text.weight")
        if not part:
            return None
        kind = {"F32": "<f4", "F16": "<f2"}[part["dtype"]]
        f.seek(8 + n + part["data_offsets"][0])
        return np.frombuffer(f.read(part["data_offsets"][1] - part["data_offsets"][0]), kind).reshape(part["shape"]).astype(np.float32)

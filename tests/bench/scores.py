"""What learned.py evaluates: a dataset, the entries of an index with their embeddings, and scores between two such sets.
(python3 with numpy and h5py from PyPI.)

Letters: Q queries; N entries of the gallery; d numbers of an embedding."""
import functools
import itertools
import json
import os

import h5py
import numpy as np
from retrieval import SIZE_WIDTH, entry

SIDE, TURNS = 16, 24
NOISE, SHIFT, ANGLE, SCALE = 0.025, 3.0, np.pi / 6, 0.3  # voxel/align.h
ALIGNED = 1000  # pipeline/search.h
SIZED, SIZED_WIDTH = 60.0, 0.2  # which entries are aligned: about what is calibrated


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


def turned(x):
    """(n, 24, 4096): images (n, 4096) under the proper rotations that map the axes onto one another (voxel/turn.h)."""
    x, out = x.reshape(-1, SIDE, SIDE, SIDE), []
    for perm in ((0, 1, 2), (1, 2, 0), (2, 0, 1), (1, 0, 2), (0, 2, 1), (2, 1, 0)):
        odd = perm in ((1, 0, 2), (0, 2, 1), (2, 1, 0))
        for flip in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)):
            axes = [i + 1 for i in range(3) if flip[i] != odd]
            out.append(np.flip(x.transpose(0, *(p + 1 for p in perm)), axes).reshape(len(x), -1))
    return np.stack(out, axis=1)


def centred(x):
    return x - x.mean(axis=-1, keepdims=True)


def modes(q):
    """(n, 8, 4096): images q (n, 4096) of mean 0 and what becomes of them by a shift along x, y and z, a turn about x, y and z, and a
    change of scale, all to first order and of mean 0 (voxel/align.h)."""
    k = 2 * np.pi * np.fft.fftfreq(SIDE)
    k[SIDE // 2] = 0
    f = np.fft.fftn(q.reshape(-1, SIDE, SIDE, SIDE), axes=(1, 2, 3))
    at = np.arange(SIDE) - (SIDE - 1) / 2
    x, y, z = at[None, None, :], at[None, :, None], at[:, None, None]
    gx, gy, gz = (np.fft.ifftn(1j * f * k.reshape(shape), axes=(1, 2, 3)).real for shape in ((1, 1, -1), (1, -1, 1), (-1, 1, 1)))
    d = [gx, gy, gz, y * gz - z * gy, z * gx - x * gz, x * gy - y * gx, x * gx + y * gy + z * gz]
    return centred(np.stack([q, *(i.reshape(len(q), -1) for i in d)], axis=1))


def aligned_images(cubes):
    """(n, 8, 4096): the images of descriptors (n, 4096) whose products with a cube have the aligned correlation for norm."""
    b = modes(unit(centred(cubes.astype(float))))
    r = np.diag([0, *3 * [NOISE / SHIFT**2], *3 * [NOISE / ANGLE**2], NOISE / SCALE**2])
    return np.linalg.solve(np.linalg.cholesky(b @ b.transpose(0, 2, 1) + r), b).astype(np.float32)


def cube(queries, gallery, block=32):
    """Correlation (Q,N) of the cubes, the best of the turns."""
    g = unit(centred(gallery.cube.astype(np.float32)))
    best = np.empty((len(queries.id), len(g)), np.float32)
    for at in range(0, len(best), block):
        t = turned(unit(centred(queries.cube[at:at + block].astype(np.float32))))
        best[at:at + block] = (g @ t.reshape(-1, t.shape[2]).T).reshape(len(g), -1, TURNS).max(axis=2).T
    return best


def aligned(queries, gallery, some):
    """The aligned correlation (Q,K) of voxel/align.h with entries some (Q,K) of the gallery."""
    best = np.empty(some.shape, np.float32)
    for q, columns in enumerate(some):
        g = unit(centred(gallery.cube[columns].astype(np.float32)))
        t = turned(aligned_images(queries.cube[q:q + 1])[0])
        dot = (t.reshape(-1, t.shape[2]) @ g.T).reshape(-1, TURNS, len(g))
        best[q] = np.where(dot[0] > 0, np.sqrt((dot * dot).sum(axis=0)), dot[0]).max(axis=0)
    return best


def first(score, n=ALIGNED):
    """The n best entries (Q,n), in no order."""
    return np.argpartition(-score, min(n, score.shape[1]) - 1, axis=1)[:, :n]


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
    """Parts of every score (Q,N). Cubes take minutes; `keep` is where they are kept: keep.cube.npy, keep.aligned.npy."""

    def __init__(self, queries, gallery, keep=None):
        self.q, self.g, self.keep = queries, gallery, keep
        self.dlog = np.log(gallery.rg[None, :] / queries.rg[:, None]).astype(np.float32)
        self.zernike = distance(queries.zernike, gallery.zernike)
        self.profile = distance(queries.profile, gallery.profile)
        self.cosine = {name: cosine(queries.z[name], gallery.z[name]) for name in gallery.z}

    def size(self, width=SIZE_WIDTH):
        return -((self.dlog / width) ** 2) / 2

    def kept(self, name, make):
        path = self.keep and f"{self.keep}.{name}.npy"
        if path and os.path.exists(path):
            x = np.load(path)
            if x.shape == self.dlog.shape:
                return x
        x = make(self.q, self.g)
        if path:
            np.save(path, x)
        return x

    @functools.cached_property
    def cube(self):
        return self.kept("cube", cube)

    @functools.cached_property
    def aligned(self):
        """Of the ALIGNED best by correlation, and by correlation and size; else the plain one, which is never above it."""
        return self.kept("aligned", self.align)

    def align(self, q, g):
        out = self.cube.copy()
        for some in (first(self.cube), first(SIZED * self.cube + self.size(SIZED_WIDTH))):
            np.put_along_axis(out, some, aligned(q, g, some), axis=1)
        return out

    def both(self, name, a, b, width=SIZE_WIDTH, plain=False):
        """a x cosine + b x correlation + size; the aligned correlation, or the plain one."""
        c = 0 if b == 0 else b * (self.cube if plain else self.aligned)
        return a * self.cosine[name] + c + self.size(width)

    def search(self, name, a, b, width=SIZE_WIDTH, plain=False):
        """The score of cryolex search: the best ALIGNED by the plain correlation are compared again, aligned; the others come after."""
        out = self.both(name, a, b, width, True)
        if not plain and b:
            some = first(out)
            np.put_along_axis(out, some, np.take_along_axis(self.both(name, a, b, width), some, axis=1), axis=1)
        return out

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
            "aligned cube": self.aligned,
            "aligned cube and size": 25 * self.aligned + self.size(),
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

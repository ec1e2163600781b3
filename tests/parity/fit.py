#!/usr/bin/env python3
"""cryolex fit against gemmi and against the deposited frames.

usage: fit.py CRYOLEX DATA_FOLDER >fit.tsv     (needs gemmi 0.5.7 from PyPI; Debian: python3-numpy python3-mrcfile)

Each model of DATA_FOLDER/maps/models whose map is in its frame is turned by a random rotation and moved (a seed a row), written by gemmi as PDB, and
placed again. Columns: map; model; rmsd, of all atoms of the placed mmCIF, as gemmi reads it, from the deposited coordinates, in angstrom; angle of
what remains of the rotation, in degrees; sym_rmsd and sym_angle, the same from the nearest of the deposited model's own symmetric copies (chains of
equal sequence laid on one another, those that superpose the whole within 3 angstrom); written, the largest difference of a coordinate of
that file from the printed quaternion and translation as applied by numpy to what gemmi reads of the input; correlation as printed, and by
numpy with mrcfile from `cryolex simulate` of the placed model on voxels of the map (nearest voxel; background and cut of the map left out, so it differs a little); z.

The last line counts rows with sym_rmsd at most 3 and sym_angle at most 5. A model that has symmetry may come out as any of its copies: rmsd is then large
and sym_rmsd is not. Real-helix EMD-5168 is a piece of an endless filament, which repeats beyond the model, and is left out.
"""
import itertools
import os
import subprocess
import sys
import tempfile

import gemmi
import numpy as np

PAIRS = [("EMD-3198_5A.mrc", "5fkv.pdb.gz"), ("EMD-3202_5A.mrc", "5fkw.pdb.gz"), ("EMD-3340_5A.mrc", "5fwp.pdb.gz"), ("EMD-3342_5A.mrc", "5fwm.pdb.gz"),
         ("EMD-3661_5A.mrc", "5no2.pdb.gz"), ("EMD-3802_5A.mrc", "5of4.pdb.gz"), ("EMD-4138_5A.mrc", "5m0q.pdb.gz"), ("EMD-4141_5A.mrc", "5m1s.pdb.gz"),
         ("EMD-6206_5A.mrc", "3j96.pdb.gz"), ("EMD-6208_5A.mrc", "3j98.pdb.gz"), ("EMD-6209_5A.mrc", "3j99.pdb.gz"), ("EMD-6441_5A.mrc", "3jca.pdb.gz"),
         ("EMD-8131_5A.mrc", "5ivw.pdb.gz"), ("EMD-8481_5A.mrc", "5u1c.pdb.gz"), ("EMD-8632_5A.mrc", "5v4s.pdb.gz"), ("EMD-8633_5A.mrc", "5v4s.pdb.gz"),
         ("EMD-2566_3J6B_9.mrc", "3J6B_9.pdb"), ("EMD-20353_6PJ6_hairpin3.mrc", "6PJ6_hairpin3_2606.pdb"), ("EMD-5168_monomer.mrc", "3mfp.pdb.gz")]


def rotation(q):
    w, x, y, z = q
    return np.array([[1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
                     [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
                     [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]])


def atoms(st):
    return np.array([c.atom.pos.tolist() for c in st[0].all()])


def superpose(a, b):
    """r, t with r a + t nearest to b."""
    ma, mb = a.mean(0), b.mean(0)
    u, _, vt = np.linalg.svd((a - ma).T @ (b - mb))
    d = np.diag([1, 1, np.sign(np.linalg.det(u @ vt))])
    r = (u @ d @ vt).T
    return r, mb - r @ ma


def angle(r):
    return np.degrees(np.arccos(np.clip((np.trace(r) - 1) / 2, -1, 1)))


def traces(st):
    """Of each chain: the sequence of its residues, and the places of its CA and P."""
    out = []
    for chain in st[0]:
        at = {}
        for res in chain:
            for a in res:
                if a.name in ("CA", "P"):
                    at[(str(res.seqid), res.name)] = a.pos.tolist()
        if len(at) > 10:
            out.append(at)
    return out


def symmetries(st):
    """Motions that lay the model on itself, the identity first."""
    ops, chains = [(np.eye(3), np.zeros(3))], traces(st)
    whole = np.array([p for c in chains for p in c.values()])
    for a, b in itertools.permutations(chains[:60], 2):
        common = [k for k in a if k in b]
        if len(common) < 0.8 * max(len(a), len(b)) or a is not chains[0]:
            continue
        r, t = superpose(np.array([a[k] for k in common]), np.array([b[k] for k in common]))
        moved = whole @ r.T + t
        near = np.mean([np.min(np.sum((whole - p) ** 2, 1)) for p in moved[:: max(1, len(moved) // 500)]])
        if near < 9:
            ops.append((r, t))
    return ops


def correlation(cryolex, placed, path, resolution, folder):
    """In voxels of the map where the simulated density is above a twentieth of its highest."""
    import mrcfile
    with mrcfile.open(path, permissive=True) as m:
        data, voxel = m.data.astype(float), float(m.voxel_size.x)
        h = m.header
        origin = np.array([float(h.origin[k]) for k in "xyz"])
        if not origin.any():
            origin = voxel * np.array([int(h.nxstart), int(h.nystart), int(h.nzstart)])
    st = gemmi.read_structure(placed)
    for c in st[0].all():
        c.atom.pos = gemmi.Position(*(np.array(c.atom.pos.tolist()) - origin))
    shifted, sim = os.path.join(folder, "shifted.cif"), os.path.join(folder, "sim.mrc")
    st.make_mmcif_document().write_file(shifted)
    subprocess.run([cryolex, "simulate", "-q", "--resolution", str(resolution), "--apix", repr(voxel), shifted, sim], check=True)
    with mrcfile.open(sim) as m:
        s = m.data.astype(float)
        first = np.round(np.array([float(m.header.origin[k]) for k in "xyz"]) / voxel).astype(int)
        if not np.array([float(m.header.origin[k]) for k in "xyz"]).any():
            first = np.array([int(m.header.nxstart), int(m.header.nystart), int(m.header.nzstart)])
    z, y, x = np.nonzero(s > 0.05 * s.max())
    at = np.stack([z + first[2], y + first[1], x + first[0]], 1)
    ok = np.all((at >= 0) & (at < data.shape), 1)
    v = np.zeros(len(at))
    v[ok] = data[tuple(at[ok].T)]
    return np.corrcoef(v, s[z, y, x])[0, 1]


def main():
    cryolex, maps = os.path.abspath(sys.argv[1]), os.path.join(sys.argv[2], "maps")
    good = 0
    print("map\tmodel\trmsd\tangle\tsym_rmsd\tsym_angle\twritten\tcorrelation\tnumpy\tz")
    for seed, (m, model) in enumerate(PAIRS):
        rng = np.random.default_rng(seed)
        q = rng.normal(size=4)
        r0, t0 = rotation(q / np.linalg.norm(q)), rng.normal(size=3) * 50
        st = gemmi.read_structure(os.path.join(maps, "models", model))
        home = atoms(st)
        ops = symmetries(st)
        with tempfile.TemporaryDirectory() as d:
            moved = st.clone() if hasattr(st, "clone") else gemmi.read_structure(os.path.join(maps, "models", model))
            for c in moved[0].all():
                c.atom.pos = gemmi.Position(*(r0 @ np.array(c.atom.pos.tolist()) + t0))
            away, path = os.path.join(d, "away.cif"), os.path.join(maps, m)
            moved.make_mmcif_document().write_file(away)
            start = atoms(gemmi.read_structure(away))
            run = subprocess.run([cryolex, "fit", "--assembly", "asu", "-o", d + "/w", path, away], check=True, capture_output=True, text=True)
            head, row = [line.split("\t") for line in run.stdout.splitlines()]
            row = dict(zip(head, row))
            res = float(run.stderr.split(" angstrom\n")[0].split()[-1])
            back = atoms(gemmi.read_structure(d + "/w/away.cif"))
            r = rotation([float(row[k]) for k in ("qw", "qx", "qy", "qz")])
            t = np.array([float(row[k]) for k in ("tx", "ty", "tz")])
            written = np.abs(start @ r.T + t - back).max()
            numpy = correlation(cryolex, d + "/w/away.cif", path, res, d)
        best = min(((np.sqrt(np.mean(np.sum((back - (home @ a.T + b)) ** 2, 1))), angle(r @ r0 @ a.T)) for a, b in ops))
        good += best[0] <= 3 and best[1] <= 5
        rmsd = np.sqrt(np.mean(np.sum((back - home) ** 2, 1)))
        print(m, model, f"{rmsd:.2f}", f"{angle(r @ r0):.2f}", f"{best[0]:.2f}", f"{best[1]:.2f}", f"{written:.4f}", row["correlation"], f"{numpy:.4f}", row["z"],
              sep="\t", flush=True)
    print(f"# within 3 angstrom and 5 degrees: {good} of {len(PAIRS)}")


main()

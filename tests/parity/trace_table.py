#!/usr/bin/env python3
"""Weight and shape of residues and nucleotides about their CA or P atom, for voxel/trace_table.h.

    python3 tests/parity/trace_table.py ../shared/data/structures > voxel/trace_table.h

Reads the full-atom entries of the data folder (structures.tsv, level "full", first model, first conformer) with gemmi and prints, for
each residue name seen in at least 50 complete copies (nucleotides: 15):
  weight  sum of atomic numbers of its heavy atoms (median)
  var     variance along one axis, square angstrom, of its density about CA or P
and, where both neighbours are there, split into backbone and side chain (nucleotide: phosphate, sugar, base):
  w, off, var  weight, mean offset in the frame of the three trace atoms (trace.c), variance about that offset.
Needs gemmi 0.5.7 and numpy from PyPI.
"""
import collections
import csv
import os
import sys

import gemmi
import numpy as np

BASE = {"N1", "C2", "N3", "C4", "C5", "C6", "N7", "C8", "N9", "O2", "O4", "O6", "N2", "N4", "N6", "C7", "C5M"}
PHOSPHATE = {"P", "OP1", "OP2", "O1P", "O2P", "O5'"}
PARTS = 3


def part_of(kind, name):
    """Which of the parts an atom belongs to: backbone, (none), side chain; phosphate, sugar, base. Cutting the backbone
    in two changes the correlation by less than 0.001."""
    if kind == "protein":
        return 0 if name in ("N", "CA", "C", "O") else 2
    return 0 if name in PHOSPHATE else 2 if name in BASE else 1


def frame(a, b, c):
    """Rows u, v, w of the frame at b; None where the three atoms do not neighbour each other or lie on a line."""
    p, q = b - a, c - b
    lp, lq = np.linalg.norm(p), np.linalg.norm(q)
    u = p / lp - q / lq  # points away from both neighbours
    t = p / lp + q / lq  # along the chain
    lu, lt = np.linalg.norm(u), np.linalg.norm(t)
    if lu < 0.1 or lt < 0.1:
        return None
    u, t = u / lu, t / lt
    return np.array([u, t, np.cross(u, t)])


def trace_atom(res, kind):
    name, el = ("CA", 6) if kind == "protein" else ("P", 15)
    for a in res:
        if a.name == name and a.element.atomic_number == el:
            return np.array(a.pos.tolist())
    return None


def heavy(res):
    out, seen = [], set()
    for a in res:
        if a.is_hydrogen() or a.name in seen or a.name in ("OXT", "OP3"):
            continue
        seen.add(a.name)
        out.append((a.name, a.element.atomic_number, np.array(a.pos.tolist())))
    return out


def kind_of(res):
    info = gemmi.find_tabulated_residue(res.name)
    if info.is_amino_acid():
        return "protein"
    return "nucleic" if info.is_nucleic_acid() else None


def main():
    root = sys.argv[1]
    rows = [r for r in csv.DictReader(open(os.path.join(root, "structures.tsv")), delimiter="\t") if r["level"] == "full"]
    res_data = collections.defaultdict(list)  # (kind, name) -> [(weight, moment, frame parts or None)]
    for r in rows:
        try:
            st = gemmi.read_structure(os.path.join(root, r["file"]))
        except (RuntimeError, ValueError) as e:
            print(e, file=sys.stderr)
            continue
        for chain in (st[0] if len(st) else []):
            rs = [x for x in chain if kind_of(x)]
            ks = [kind_of(x) for x in rs]
            ts = [trace_atom(x, k) for x, k in zip(rs, ks)]
            for i, (x, k, t) in enumerate(zip(rs, ks, ts)):
                if t is None:
                    continue
                atoms = heavy(x)
                z = np.array([a[1] for a in atoms], float)
                d = np.array([a[2] for a in atoms]) - t
                f = None
                if 0 < i < len(rs) - 1 and ks[i - 1] == ks[i + 1] == k and ts[i - 1] is not None and ts[i + 1] is not None:
                    lim = 4.3 if k == "protein" else 8.0
                    if all(1 < np.linalg.norm(ts[j] - t) < lim for j in (i - 1, i + 1)):
                        f = frame(ts[i - 1], t, ts[i + 1])
                group = np.array([part_of(k, a[0]) for a in atoms])
                parts = None
                if f is not None:
                    parts = [(z[s].sum(), d[s] @ f.T, z[s]) for s in (group == p for p in range(PARTS))]
                res_data[k, x.name].append((z.sum(), (z * (d ** 2).sum(1)).sum(), parts))

    print("/* trace_table: made by tests/parity/trace_table.py from the full-atom entries of the data folder.\n"
          " * name, kind, copies, weight, variance about CA or P; then for each part: weight, offset u v w, variance. */")
    average = collections.defaultdict(list)
    for (kind, name), items in sorted(res_data.items()):
        least = 50 if kind == "protein" else 15
        if len(items) < least:
            continue
        weights = np.array([i[0] for i in items])
        w = np.median(weights)
        whole = [i for i in items if i[0] == w]  # complete copies only
        if len(whole) < least:
            continue
        var = np.mean([i[1] for i in whole]) / w / 3
        part = []
        for s in range(PARTS):
            ps = [i[2][s] for i in whole if i[2] is not None and i[2][s][0] > 0]
            if not ps:
                part.append((0, np.zeros(3), 0))
                continue
            pw = np.median([p[0] for p in ps])
            off = np.mean([(p[2][:, None] * p[1]).sum(0) / p[2].sum() for p in ps], axis=0)
            v = np.mean([(p[2] * ((p[1] - off) ** 2).sum(1)).sum() / p[2].sum() for p in ps]) / 3
            part.append((pw, off, v))
        average[kind].append((len(items), w, var, part))
        emit(name, kind, len(whole), w, var, part)
    for kind, rows in average.items():
        n = np.array([r[0] for r in rows], float)
        n /= n.sum()
        w = sum(a * r[1] for a, r in zip(n, rows))
        var = sum(a * r[2] for a, r in zip(n, rows))
        part = []
        for s in range(PARTS):
            pw = sum(a * r[3][s][0] for a, r in zip(n, rows))
            if pw == 0:
                part.append((0, np.zeros(3), 0))
                continue
            off = sum(a * r[3][s][0] * r[3][s][1] for a, r in zip(n, rows)) / pw
            v = sum(a * r[3][s][0] * (r[3][s][2] + ((r[3][s][1] - off) ** 2).sum() / 3) for a, r in zip(n, rows)) / pw
            part.append((pw, off, v))
        emit("", kind, 0, w, var, part)


def emit(name, kind, copies, w, var, part):
    ps = ", ".join("{%.2f, {%.3f, %.3f, %.3f}, %.3f}" % (p[0], *p[1], p[2]) for p in part)
    print('    {"%s", KIND_%s, %d, %.2f, %.3f, {%s}},' % (name, kind.upper(), copies, w, var, ps))


main()

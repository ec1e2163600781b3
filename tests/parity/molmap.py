#!/usr/bin/env python3
"""`cryolex simulate` against two independent evaluations.

    python3 tests/parity/molmap.py ./cryolex ../shared/data/structures [n=40] > tests/parity/molmap.tsv

On n full-atom entries (deposited model, evenly spread over structures.tsv, 300 to 4000 atoms):
  molmap    numpy: at every grid point within 5.5 sigma the sum over atoms of Z occ (2 pi)^-1.5 sigma^-3 exp(-r^2 / 2 sigma^2),
            sigma = 0.225 resolution, the formula of ChimeraX molmap (there scaled by 1/sqrt(2)^3 and normalised by another constant)
  electron  gemmi.DensityCalculatorE (coefficients of International Tables C 4.3.2.2), every atom's B raised by
            8 pi^2 sigma^2, cut-off 1e-7, on a cell that is the map itself
Columns: largest absolute difference over the largest value, and the correlation. Needs numpy, gemmi 0.5.7 from PyPI.
"""
import csv
import math
import os
import subprocess
import sys
import tempfile

import gemmi
import numpy as np


def read_map(path):
    """Float32 MRC as (nz, ny, nx), voxel, origin; the header by hand, so that nothing but numpy is in the way."""
    raw = open(path, "rb").read()
    i4 = np.frombuffer(raw[:1024], "<i4")
    f4 = np.frombuffer(raw[:1024], "<f4")
    nx, ny, nz = i4[:3]
    data = np.frombuffer(raw, "<f4", nx * ny * nz, 1024 + i4[23]).reshape(nz, ny, nx)
    return data.astype(float), float(f4[10]) / i4[7], f4[49:52].astype(float)


def simulate(prog, path, kind, resolution, voxel):
    with tempfile.TemporaryDirectory() as d:
        out = os.path.join(d, "o.mrc")
        subprocess.run([prog, "simulate", "-q", "--assembly", "asu", "--kind", kind, "--resolution", str(resolution), "--apix", str(voxel),
                        path, out], check=True)
        return read_map(out)


def molmap(atoms, shape, voxel, origin, sigma):
    v = np.zeros(shape)
    r = 5.5 * sigma
    for z, occ, pos, _b in atoms:
        lo = np.maximum(np.ceil((pos - r - origin) / voxel).astype(int), 0)
        hi = np.minimum(np.floor((pos + r - origin) / voxel).astype(int) + 1, shape[::-1])
        g = np.meshgrid(*[np.arange(lo[k], hi[k]) * voxel + origin[k] - pos[k] for k in (2, 1, 0)], indexing="ij")
        r2 = g[0] ** 2 + g[1] ** 2 + g[2] ** 2
        v[lo[2]:hi[2], lo[1]:hi[1], lo[0]:hi[0]] += z * occ * (2 * math.pi * sigma ** 2) ** -1.5 * np.exp(-r2 / (2 * sigma ** 2))
    return v


def electron(model, shape, voxel, origin, sigma):
    dc = gemmi.DensityCalculatorE()
    nz, ny, nx = shape
    dc.grid.set_size(int(nx), int(ny), int(nz))
    dc.grid.set_unit_cell(gemmi.UnitCell(nx * voxel, ny * voxel, nz * voxel, 90, 90, 90))
    dc.cutoff = 1e-7
    m = model.clone()
    for cra in m.all():
        cra.atom.b_iso += 8 * math.pi ** 2 * sigma ** 2
        cra.atom.aniso = gemmi.SMat33f(0, 0, 0, 0, 0, 0)
        cra.atom.pos -= gemmi.Position(*origin)
    dc.add_model_density_to_grid(m)
    return np.array(dc.grid, copy=True).transpose(2, 1, 0)


def main():
    prog, root = sys.argv[1], sys.argv[2]
    n = int(sys.argv[3]) if len(sys.argv) > 3 else 40
    rows = [r for r in csv.DictReader(open(os.path.join(root, "structures.tsv")), delimiter="\t")
            if r["level"] == "full" and 300 <= int(r["atoms"]) <= 4000]
    rows = rows[:: max(1, len(rows) // n)][:n]
    print("file\tkind\tresolution\tvoxel\tatoms\tlargest_difference\tcorrelation")
    for i, r in enumerate(rows):
        path = os.path.join(root, r["file"])
        st = gemmi.read_structure(path)
        st.remove_hydrogens()
        st.remove_waters()
        st.remove_alternative_conformations()
        st.remove_empty_chains()
        blank_occupancy = path.endswith(".pdb.gz")  # the folder's PDB files leave it blank, which gemmi reads as 0
        for cra in st[0].all():
            if blank_occupancy:
                cra.atom.occ = 1
            if cra.atom.element.atomic_number == 0:  # 4u9n: "M" for Mn
                cra.atom.element = gemmi.Element(cra.residue.name)
        atoms = [(c.atom.element.atomic_number, c.atom.occ, np.array(c.atom.pos.tolist()), c.atom.b_iso) for c in st[0].all()]
        resolution, voxel = ((4, 1.2), (6, 1.5), (8, 2.0), (10, 1.0))[i % 4]
        sigma = 0.225 * resolution
        for kind in ("molmap", "electron"):
            ours, h, origin = simulate(prog, path, kind, resolution, voxel)
            assert abs(h - voxel) < 1e-5
            origin = np.round(origin / voxel) * voxel
            want = molmap(atoms, ours.shape, voxel, origin, sigma) if kind == "molmap" else electron(st[0], ours.shape, voxel, origin, sigma)
            print(r["file"], kind, resolution, voxel, len(atoms), "%.1e" % (np.abs(ours - want).max() / want.max()),
                  "%.8f" % np.corrcoef(ours.ravel(), want.ravel())[0, 1], sep="\t", flush=True)


main()

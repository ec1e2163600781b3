#!/usr/bin/env python3
"""A picture of models that cryolex fit has placed: projections of the map (grey) with outlines of the projected, simulated model before (blue, as it was moved
away) and after (red).

usage: fit_picture.py CRYOLEX DATA_FOLDER OUT.png [MAP=MODEL...]     (python3 with numpy, mrcfile, gemmi, matplotlib from PyPI)

Each model is turned and moved at random first (a seed a row), as in tests/parity/fit.py, so that nothing tells fit where it was."""
import os
import subprocess
import sys
import tempfile

import gemmi
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import mrcfile
import numpy as np

DEFAULT = ["EMD-3661_5A.mrc=5no2.pdb.gz", "EMD-6206_5A.mrc=3j96.pdb.gz", "EMD-3342_5A.mrc=5fwm.pdb.gz"]


def scatter(st, rng):
    """Turn and move."""
    q = rng.normal(size=4)
    w, x, y, z = q / np.linalg.norm(q)
    m = gemmi.Mat33([[1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)], [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
                     [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]])
    for model in st:
        model.transform_pos_and_adp(gemmi.Transform(m, gemmi.Vec3(*rng.uniform(-40, 40, 3))))


def density(cryolex, path, like, out):
    """The model on the grid of the map: by nearest voxel, blurred as simulate does it."""
    subprocess.run([cryolex, "simulate", "-q", "--resolution", "15", "--apix", str(float(like.voxel_size.x)), path, out], check=True)
    with mrcfile.open(out, permissive=True) as f:
        at = np.array([f.header.origin[k] for k in "xyz"]) if any(f.header.origin[k] for k in "xyz") else np.array([f.header[k] for k in ("nxstart", "nystart", "nzstart")]) * float(f.voxel_size.x)
        return f.data.astype(float).copy(), at


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    cryolex, data, out = sys.argv[1:4]
    pairs = [p.split("=") for p in sys.argv[4:] or DEFAULT]
    figure, axes = plt.subplots(len(pairs), 3, figsize=(9.6, 3.3 * len(pairs)), squeeze=False, constrained_layout=True)
    for row, (name, model) in enumerate(pairs):
        path = f"{data}/maps/{name}"
        with tempfile.TemporaryDirectory() as tmp:
            st = gemmi.read_structure(f"{data}/maps/models/{model}")
            st.setup_entities()
            scatter(st, np.random.default_rng(row + 1))
            st.write_pdb(f"{tmp}/moved.pdb")
            run = subprocess.run([cryolex, "fit", "-q", "-o", f"{tmp}/placed", path, f"{tmp}/moved.pdb"], check=True, capture_output=True, text=True)
            head, first = [line.split("\t") for line in run.stdout.splitlines()[:2]]
            fit = dict(zip(head, first))
            placed = next(os.path.join(tmp, "placed", f) for f in sorted(os.listdir(f"{tmp}/placed")) if f.endswith(".cif"))
            with mrcfile.open(path, permissive=True) as f:
                grid, voxel = f.data.astype(float).copy(), float(f.voxel_size.x)
                origin = np.array([f.header.origin[k] for k in "xyz"]) if any(f.header.origin[k] for k in "xyz") else np.array([f.header[k] for k in ("nxstart", "nystart", "nzstart")]) * voxel
                parts = [(density(cryolex, f"{tmp}/moved.pdb", f, f"{tmp}/a.mrc"), "tab:blue"), (density(cryolex, placed, f, f"{tmp}/b.mrc"), "tab:red")]
        grid = np.clip(grid - np.quantile(grid, 0.9), 0, None)
        for column, axis in enumerate(("along z", "along y", "along x")):
            a = axes[row][column]
            of = {0: (0, 1), 1: (0, 2), 2: (1, 2)}[column]  # x, y, z of the picture's axes
            extent = [origin[of[0]], origin[of[0]] + voxel * grid.shape[2 - of[0]], origin[of[1]], origin[of[1]] + voxel * grid.shape[2 - of[1]]]
            a.imshow(grid.sum(axis=column), origin="lower", extent=extent, cmap="Greys", interpolation="bilinear")
            for (d, at), colour in parts:
                p = d.sum(axis=column)
                x = at[of[0]] + voxel * (np.arange(p.shape[1]) + 0.5)
                y = at[of[1]] + voxel * (np.arange(p.shape[0]) + 0.5)
                a.contour(x, y, p, levels=[0.15 * p.max()], colors=colour, linewidths=1.3)
            a.set(xlim=extent[:2], ylim=extent[2:], xticks=[], yticks=[])
            if column == 0:
                a.set_title(f"{name.split('_')[0]} and {model.split('.')[0]}: correlation {float(fit['correlation']):.2f}, z {float(fit['z']):.1f}", fontsize=9, loc="left")
            else:
                a.set_title(axis, fontsize=8)
    figure.savefig(out, dpi=90, metadata={"Software": None})


if __name__ == "__main__":
    main()

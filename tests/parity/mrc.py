#!/usr/bin/python3
"""The MRC reader and validator against mrcfile (and gemmi, where it is installed), file by file; other formats are for formats.py.

usage: mrc.py BUILD_FOLDER DATA_FOLDER >mrc.tsv      (python3-mrcfile, python3-numpy; python3-gemmi)

For every file of DATA_FOLDER/zoo and DATA_FOLDER/maps: what mrcfile reads permissively, put into x, y, z order by its own
MAPC/R/S, must equal what tests/dump_mrc reads, as float32 bit for bit; or both refuse. gemmi.read_ccp4_map reads maps of
modes 0, 1, 2, 6. Then the verdicts of `cryolex validate` and of mrcfile.validate. Columns:

  file  ours  mrcfile  gemmi  valid_ours  valid_mrcfile  why

ours and mrcfile are "read" or the refusal; "equal" where the values are the same bits. Wherever the two differ, `why` has
the reason from the tables below; a difference without one, or a reason without a difference, is status 1.
"""
import io
import json
import os
import subprocess
import sys
import warnings

import mrcfile
import numpy as np

try:
    import gemmi
except ImportError:
    gemmi = None

# A difference in reading: the start of a file's name, or None and a test of (ours, theirs).
READING = {
    "imp__sampled.mrc": "mode 0, but four bytes a voxel: float32 in fact; mrcfile takes the first quarter as int8",
    "maptools__file.mrc": "mode 0, but four bytes a voxel: float32 in fact; mrcfile takes the first quarter as int8",
    "EMD-5625_huge_nsymbt.mrc": "the extended header is not there: we take the data, mrcfile finds none",
    "EMD-5625_volume_stack.mrcs": "mrcfile reads the stack whole; compared volume by volume",
    "EMD-5625_image_stack.mrcs": "a stack of images is refused unless asked for (compared with --images)",
    "cryojax__000000.mrcs": "a stack of images is refused unless asked for (compared with --images)",
    "cryojax__d0f918_ribosome_4ug0_micrograph.mrcs": "a stack of images is refused unless asked for (compared with --images)",
    "cryojax__example_image_stack.mrcs": "a stack of images is refused unless asked for (compared with --images)",
}

# A difference in the verdict, by what our validator says of the file and mrcfile's does not.
VALID = [
    # in our favour: mrcfile refuses what conforms
    ("=EMD-5625_mode12.mrc", "mrcfile sums float16 values in float16, and their deviation overflows"),
    ("CELLA", "cell of length 0: mrcfile allows it, its own contract and MRC2014 do not"),
    ("CELLB", "cell angle 0: mrcfile does not look"),
    ("MX", "MX, MY, MZ 0: mrcfile allows it"),
    ("ISPG", "space group: mrcfile looks only at its sign"),
    ("data", "NaN or infinite values"),
    ("DMIN", "mrcfile does not judge extremes that are equal"),
    ("DMEAN", "the mean"),
    ("RMS", "the deviation"),
    ("MACHST", "stamp"),
]


def ours(build, path, *options):
    """(nz,ny,nx) array and None, or None and the refusal."""
    p = subprocess.run([os.path.join(build, "tests/dump_mrc"), *options, "--stored", path], capture_output=True)
    if p.returncode:
        return None, p.stderr.decode(errors="replace").strip()
    head, data = p.stdout.split(b"\n", 1)
    nx, ny, nz = (int(w) for w in head.split()[:3])
    return np.frombuffer(data, np.float32).reshape(nz, ny, nx), None


def theirs(path):
    """What mrcfile holds, along z, y, x."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with mrcfile.open(path, permissive=True) as m:
                if m.data is None:
                    return None, "header only"
                a = np.array(m.data)
                if np.iscomplexobj(a):
                    return None, "complex"
                h = m.header
                if a.ndim == 4:
                    a = a.reshape(-1, *a.shape[2:])
                if a.ndim == 2:
                    a = a[None]
                crs = [int(h.mapc), int(h.mapr), int(h.maps)]  # of array axes 2, 1, 0
                order = [2 - crs.index(k) for k in (3, 2, 1)] if sorted(crs) == [1, 2, 3] else [0, 1, 2]
                return a.transpose(order).astype(np.float32), None
        except Exception as e:  # any refusal
            return None, type(e).__name__


def by_gemmi(path):
    if gemmi is None:
        return None, "-"
    try:
        m = gemmi.read_ccp4_map(path)
        order = m.axis_positions()
        # the grid as stored: columns fastest; then x, y, z by the axes
        a = np.array(m.grid, copy=False)  # (nu, nv, nw): columns, rows, sections
        a = a.transpose([order[2], order[1], order[0]])
        return a.astype(np.float32), None
    except Exception as e:
        return None, type(e).__name__


def same(a, b):
    return a.shape == b.shape and np.ascontiguousarray(a).tobytes() == np.ascontiguousarray(b).tobytes()


def volumes(build, path, b):
    """The volumes of a stack one after the other."""
    parts = []
    while True:
        a, _ = ours(build, path, "--volume", str(len(parts) + 1))
        if a is None:
            return np.concatenate(parts) if parts else None
        parts.append(a)


def reading(build, path, name):
    """Columns ours, mrcfile, gemmi; and whether they differ."""
    a, no = ours(build, path)
    b, nob = theirs(path)
    g, nog = by_gemmi(path)
    col = [no or "read", nob or "read", nog or "read"]
    if a is not None and b is not None:
        col[1] = "equal" if same(a, b) else "other values"
    elif b is not None and name in READING:
        c, _ = ours(build, path, "--images")
        if c is None:
            c = volumes(build, path, b)
        if c is not None:
            col[1] = "equal on request" if same(c, b) else "other values"
    if a is not None and g is not None:
        col[2] = "equal" if same(a, g) else "other values"
    return col, (a is None) != (b is None) or col[1].startswith("other")


def validity(build, path):
    p = subprocess.run([os.path.join(build, "cryolex"), "validate", "-q", path], capture_output=True)
    said = [line.split("\t", 1)[1] for line in p.stdout.decode(errors="replace").splitlines()]
    out = io.StringIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            good = mrcfile.validate(path, print_file=out)
        except Exception:
            good = False
    return p.returncode == 0, bool(good), said


def other_format(build, path):
    """Is it a map of another format?"""
    p = subprocess.run([os.path.join(build, "cryolex"), "info", "-q", "--no-header", "--format", "json", path], capture_output=True)
    return p.returncode == 0 and json.loads(p.stdout)["format"] != "MRC"


def main():
    build, data = sys.argv[1:3]
    bad = files = equal = 0
    print("file\tours\tmrcfile\tgemmi\tvalid_ours\tvalid_mrcfile\twhy")
    for folder in ("zoo", "maps"):
        for name in sorted(os.listdir(os.path.join(data, folder))):
            path = os.path.join(data, folder, name)
            if not os.path.isfile(path) or name.endswith((".tsv", ".tsv.gz")):
                continue
            if other_format(build, path):
                continue
            files += 1
            col, differs = reading(build, path, name)
            valid, their_valid, said = validity(build, path)
            why = []
            if differs:
                why.append(READING.get(name, "UNEXPLAINED"))
            if valid != their_valid:
                fields = {s.split(":")[0].split(",")[0] for s in said} | {"=" + name}
                why += [text for field, text in VALID if any(f.startswith(field) for f in fields)] or ["UNEXPLAINED"]
            if "UNEXPLAINED" in why:
                bad += 1
            equal += col[1].startswith("equal")
            col = [c.replace(data, "").replace("\t", " ") for c in col]
            print("\t".join([f"{folder}/{name}", *col, *("yes" if v else "no" for v in (valid, their_valid)), "; ".join(why)]))
    print(f"{files} files, {equal} with equal values, {bad} differences unexplained", file=sys.stderr)
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())

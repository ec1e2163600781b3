#!/usr/bin/python3
"""Every file of the test data in every format: what CryoLex makes of it, and what the reader does that others trust.

usage: formats.py BUILD_FOLDER DATA_FOLDER [--markdown] >formats.tsv
       (mrcfile, gemmi, h5py, tifffile with imagecodecs, emfile, pillow, GridDataFormats, numpy; as of pip)

CryoLex's values come from tests/dump_mrc --any, its facts from `cryolex info --format json`. The reference of a file is chosen by
what the file is: mrcfile and gemmi (MRC, CCP4), h5py (HDF5), tifffile (TIFF), emfile (EM), Pillow (SPIDER images) or numpy.fromfile
after the header (SPIDER volumes, which Pillow does not read), GridDataFormats (OpenDX). Columns:

  file  format  type  size  voxel  origin  min  max  mean  sha1   of CryoLex: values as float32, x fastest; sha1 is of their bytes,
                                                                  12 digits. A refusal stands in `format`, the rest is "-"
  reference  values  voxel_ref  origin_ref                        "equal" (bit for bit as float32), or what it says, or its refusal
  why                                                             the reason of each difference, of the table below

After these, files that tifffile and h5py write here of one volume in every sample type, byte order, compression, predictor, tiling and
chunking: values equal, or a fault.

A difference without a reason is status 1. --markdown prints the tables of doc/formats.md.
"""
import gzip
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import warnings

import emfile
import gemmi
import gridData
import h5py
import mrcfile
import numpy as np
import tifffile
from PIL import Image

TEXT = {
    "stack": "a stack of images is refused unless asked for (compared with --images)",
    "volumes": "the reference reads the stack whole; volume 1 is compared",
    "mode0": "mode 0, but four bytes a voxel: float32 in fact; mrcfile takes the first quarter as int8",
    "novoxel": "the file does not tell a voxel size: CryoLex asks for --apix, the reference has none or a default",
    "cella0": "CELLA or M is 0: CryoLex takes 1 A with a note, mrcfile tells 0",
    "nstart": "ORIGIN is 0 and NSTART is not: CryoLex takes NSTART times the voxel size, as ChimeraX does; mrcfile tells ORIGIN as it is",
    "nolength": "mrcfile, permissive, takes bytes that are no map for a header",
    "colour": "colours: no density",
    "segger": "a segmentation (Segger), no density",
    "sff": "a segmentation (EMDB-SFF), no density",
    "ebsd": "diffraction patterns, no density",
    "hyperspy": "a spectrum",
    "none": "no dataset of three dimensions",
    "complex": "complex values: no density",
    "order": "the axes of the file are permuted: CryoLex gives x, y, z, and so the voxel size, in that order",
    "badorigin": "the origin makes no sense (not finite, or beyond all bounds): taken as 0",
    "badstart": "NSTART makes no sense (beyond ten boxes): taken as 0",
    "nomap": 'no "MAP ": an old-style file, in which these bytes are no ORIGIN (ChimeraX does so, too)',
    "noextended": "the extended header that is promised is not there: CryoLex takes the data, mrcfile finds none",
    "skew": "compared on the grid as stored",
    "dx": "GridDataFormats gives the axes as x, y, z: compared so",
}


def run_ours(build, path, *options):
    """(nz,ny,nx) array, voxel, origin; or None and the refusal."""
    p = subprocess.run([os.path.join(build, "tests/dump_mrc"), "--any", *options, "--stored", path], capture_output=True)
    if p.returncode:
        return None, p.stderr.decode(errors="replace").strip()
    head, data = p.stdout.split(b"\n", 1)
    w = head.split()
    nx, ny, nz = (int(x) for x in w[:3])
    return (np.frombuffer(data, np.float32).reshape(nz, ny, nx), [float(x) for x in w[3:6]], [float(x) for x in w[6:9]]), None


def facts(build, path):
    p = subprocess.run([os.path.join(build, "cryolex"), "info", "-q", "--no-header", "--format", "json", path], capture_output=True)
    return json.loads(p.stdout) if p.returncode == 0 else None


class Reference:
    """values (z, y, x), voxel (x, y, z) or None, origin or None; `no` is the refusal."""

    def __init__(self, name, values=None, voxel=None, origin=None, no=None, why=()):
        self.name, self.values, self.voxel, self.origin, self.no, self.why = name, values, voxel, origin, no, list(why)


def to_zyx(a, crs):
    """Sections, rows, columns to z, y, x."""
    return a.transpose([2 - crs.index(k) for k in (3, 2, 1)]) if sorted(crs) == [1, 2, 3] else a


def by_mrcfile(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with mrcfile.open(path, permissive=True) as m:
                h = m.header
                if m.data is None:
                    return Reference("mrcfile", no="header only")
                a = np.array(m.data)
                if np.iscomplexobj(a):
                    return Reference("mrcfile", no="complex values", why=["complex"])
                why = []
                if a.ndim == 4:
                    a, why = a[0], ["volumes"]
                if a.ndim == 2:
                    a = a[None]
                crs = [int(h.mapc), int(h.mapr), int(h.maps)]
                v = [float(h.cella[k]) / int(h["m" + k]) if int(h["m" + k]) else 0.0 for k in "xyz"]
                o = [float(h.origin[k]) for k in "xyz"]
                start = [int(h.nxstart), int(h.nystart), int(h.nzstart)]
                place = [start[crs.index(k)] * v[k - 1] for k in (1, 2, 3)] if sorted(crs) == [1, 2, 3] else [0.0] * 3
                r = Reference("mrcfile", to_zyx(a, crs).astype(np.float32), v, o, why=why)
                r.place, r.map = place, bytes(h.map)[:3] == b"MAP"
                return r
        except Exception as e:
            return Reference("mrcfile", no=type(e).__name__)


def by_gemmi(path):
    try:
        m = gemmi.read_ccp4_map(path)
        order = m.axis_positions()
        a = np.array(m.grid, copy=False).transpose([order[2], order[1], order[0]])
        return a.astype(np.float32)
    except Exception:
        return None


def first(attrs, *names):
    return [float(np.ravel(attrs[n])[0]) for n in names] if all(n in attrs for n in names) else None


def by_h5py(path):
    with h5py.File(path, "r") as f:
        if f.attrs.get("format") == b"segger":
            return Reference("h5py", no="mask of a segmentation", why=["segger"])
        if "segments" in f or "segment_list" in f:
            return Reference("h5py", no="lattices of a segmentation", why=["sff"])
        if "Scan 0" in f:
            return Reference("h5py", no="patterns", why=["ebsd"])
        if "Experiments" in f:
            return Reference("h5py", no="one dimension", why=["hyperspy"])
        if "MDF" in f:
            g = f["MDF/images/0"]
            a = g["image"][()]
            v = first(g.attrs, "EMAN.apix_x", "EMAN.apix_y", "EMAN.apix_z")
            return Reference("h5py", a.astype(np.float32), v, first(g.attrs, "EMAN.origin_x", "EMAN.origin_y", "EMAN.origin_z") or [0.0] * 3)
        if "Chimera" in f:
            g = f["Chimera"][sorted(f["Chimera"])[0]]
            name = next(n for n in g if n.startswith("data_") and "subsample_spacing" not in g[n].attrs)
            a = g[name][()].transpose([name[5:8].index(k) for k in "zyx"])
            return Reference("h5py", a.astype(np.float32), [float(x) for x in g.attrs["step"]], [float(x) for x in g.attrs["origin"]])
        found = []
        f.visititems(lambda n, o: found.append(n) if isinstance(o, h5py.Dataset) and o.ndim == 3 and o.dtype.kind in "iuf" else None)
        if len(found) != 1:
            return Reference("h5py", no="no dataset of three dimensions", why=["none"])
        return Reference("h5py", f[found[0]][()].astype(np.float32))


def by_tifffile(path):
    f = gzip.open(path) if path.endswith(".gz") else path
    with tifffile.TiffFile(f) as t:
        page = t.pages[0]
        if page.samplesperpixel != 1:
            return Reference("tifffile", no=f"{page.samplesperpixel} samples", why=["colour"])
        a = t.asarray() if t.is_imagej or t.is_ome else np.stack([p.asarray() for p in t.pages if p.shape == page.shape])
    a = np.squeeze(a)
    return Reference("tifffile", (a[None] if a.ndim == 2 else a).astype(np.float32))


def by_emfile(path):
    _, a = emfile.read(path)
    return Reference("emfile", np.asarray(a, np.float32).reshape((1,) * (3 - a.ndim) + a.shape))


def by_pillow(path):
    """Pillow reads images and stacks of them; the values of a volume follow its header."""
    with open(path, "rb") as f:
        head = f.read(1024)
    for order in "<>":
        w = np.frombuffer(head, order + "f4")
        if w[4] in (1, 3) and w[11] >= 1 and w[21] >= 1024:
            break
    nz, ny, nx, label = (int(w[k]) for k in (0, 1, 11, 21))
    if w[4] == 3:
        a = np.fromfile(path, order + "f4", nx * ny * nz, offset=label).reshape(nz, ny, nx)
        return Reference("numpy", a.astype(np.float32))
    if w[23] > 0:  # a stack: a header before each; Pillow goes no further than the first of this one
        one = label // 4 + nx * ny
        a = np.fromfile(path, order + "f4", offset=label).reshape(-1, one)[:, label // 4:].reshape(-1, ny, nx)
        return Reference("numpy", a.astype(np.float32))
    with Image.open(path) as im:
        return Reference("Pillow", np.array(im, np.float32)[None])


def by_griddata(path):
    g = gridData.Grid(path, file_format="DX") if not path.endswith("mapnumeric.dx") else None
    if g is None:
        with open(path, encoding="ascii") as f:  # words left out, which GridDataFormats does not read
            rows = [r.split() for r in f if not r.startswith(("#", "object"))]
        a = np.array([float(x) for r in rows[4:] for x in r]).reshape(2, 2, 2)
        return Reference("numpy", a.transpose(2, 1, 0).astype(np.float32), [float(rows[k + 1][k]) for k in range(3)], [float(x) for x in rows[0]])
    return Reference("GridDataFormats", g.grid.transpose(2, 1, 0).astype(np.float32), [float(x) for x in g.delta], [float(x) for x in g.origin])


BY = {"HDF5": by_h5py, "TIFF": by_tifffile, "EM": by_emfile, "SPIDER": by_pillow, "OpenDX": by_griddata}


def sniff(path):
    """The format by h5py's and others' own marks: a reference for what CryoLex refuses, too."""
    with (gzip.open(path) if path.endswith(".gz") else open(path, "rb")) as f:
        try:
            b = f.read(1024)
        except Exception:
            b = b""
    if b[:8] == b"\x89HDF\r\n\x1a\n":
        return "HDF5"
    if b[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "TIFF"
    return "MRC"


def same(a, b):
    return a.shape == b.shape and np.ascontiguousarray(a).tobytes() == np.ascontiguousarray(b).tobytes()


def near(a, b):
    return all(abs(x - y) <= 1e-5 * max(1, abs(x), abs(y)) for x, y in zip(a, b))


def three(x):
    return "-" if x is None else ",".join(f"{v:.6g}" for v in x)


def judge_mrc(path, name, r, voxel, origin):
    """Reasons why voxel size and place are not as mrcfile's header has them; None: there is none."""
    why = []
    if not near(voxel, r.voxel):
        why.append("cella0" if not all(v > 0 for v in r.voxel) else None)
    if not near(origin, r.origin):
        big = any(not abs(o) <= 1e6 for o in r.origin)
        if not any(r.origin) and near(origin, r.place):
            why.append("nstart")
        elif big:
            why.append("badorigin")
        elif not r.map:
            why.append("nomap")
        elif not any(r.origin) and not any(origin):
            why.append("badstart")
        elif "cella0" in why:
            why.append("nstart")
        else:
            why.append(None)
    return why


def compare(build, path, name):
    """One row."""
    ours, no = run_ours(build, path)
    j = facts(build, path)
    what = j["format"] if j else sniff(path)
    r = BY.get(what, by_mrcfile)(path)
    row = {"file": name, "why": []}
    if ours is None and j is not None:  # read where asked for
        asked = "--images" if "image" in j["kind"] else "--volume"
        row["why"].append("stack" if asked == "--images" else "volumes")
        ours, _ = run_ours(build, path, *([asked] if asked == "--images" else [asked, "1"]))
        if asked == "--volume":
            r.values = r.values[: ours[0].shape[0]] if r.values is not None else None
            r.why = []
    if ours is None:
        row.update(format=no.replace(os.path.dirname(path) + "/", ""), reference=r.name, values=r.no or three(r.values.shape[::-1]))
        row["why"] += r.why
        return row, r.values is not None and not row["why"]
    a, voxel, origin = ours
    told = j["voxel"] is not None
    s = j["statistics"]
    row.update(format=j["format"] + (f" ({j['layout']})" if j["layout"] else ""), type=j["values"], size=three(a.shape[::-1]),
               voxel=three(voxel) if told else "-", origin=three(origin), min=f"{s['min']:.6g}", max=f"{s['max']:.6g}", mean=f"{s['mean']:.6g}",
               sha1=hashlib.sha1(np.ascontiguousarray(a).tobytes()).hexdigest()[:12], reference=r.name)
    unexplained = False
    if r.values is None:
        row["values"] = r.no
        unexplained = True
        if r.name == "mrcfile" and r.no == "header only" and "huge_nsymbt" in name:
            row["why"].append("noextended")
            unexplained = False
    elif same(a, r.values):
        row["values"] = "equal"
    else:
        row["values"] = "other values"
        if name in ("zoo/imp__sampled.mrc", "zoo/maptools__file.mrc"):
            row["why"].append("mode0")
        else:
            unexplained = True
    if what == "MRC":
        g = by_gemmi(path)
        if g is not None and "volumes" not in row["why"]:
            row["reference"] += ", gemmi" + ("" if same(a, g) else " (other values)")
            unexplained = unexplained or (not same(a, g) and "mode0" not in row["why"])
        if r.values is not None:
            why = judge_mrc(path, name, r, voxel, origin)
            unexplained = unexplained or None in why
            row["why"] += [w for w in why if w]
    elif not told:
        row["why"].append("novoxel")
        unexplained = unexplained or r.voxel is not None
    elif not near(voxel, r.voxel) or not near(origin, r.origin or [0.0] * 3):
        unexplained = True
    row["voxel_ref"], row["origin_ref"] = three(r.voxel), three(r.origin)
    row["why"] += r.why
    return row, unexplained


def made(build, folder):
    """Files that tifffile and h5py write of one volume, in every way that matters: equal, or a fault."""
    rng = np.random.default_rng(20261124)
    a = rng.normal(60, 20, (5, 21, 34))
    kinds = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"]
    cases = []
    for kind in kinds:
        v = a.astype(kind) if kind[0] == "f" else np.clip(np.rint(a), 0, 127).astype(kind)
        for order in "<>":
            for pack in (None, "lzw", "zlib", "packbits", "lzma", "zstd"):
                for predictor in (False, True):
                    for tile in (None, (16, 16)):
                        if predictor and (pack in (None, "packbits") or kind in ("i1", "u8", "i8")):
                            continue
                        name = f"tiff {order}{kind} {pack or 'plain'}{' predictor' if predictor else ''}{' tiles' if tile else ''}.tif"
                        cases.append((name, v, lambda p, v=v, o=order, c=pack, q=predictor, t=tile: tifffile.imwrite(
                            p, v, byteorder=o, compression=c, predictor=q, tile=t, rowsperstrip=None if t else 8, photometric="minisblack", metadata=None)))
            cases.append((f"tiff {order}{kind} BigTIFF.tif", v, lambda p, v=v, o=order: tifffile.imwrite(
                p, v, byteorder=o, bigtiff=True, photometric="minisblack", metadata=None)))
            if kind in ("u1", "u2", "f4"):
                cases.append((f"tiff {order}{kind} ImageJ.tif", v, lambda p, v=v, o=order: tifffile.imwrite(p, v, byteorder=o, imagej=True)))
            for pack in (None, "gzip", "shuffle", "fletcher32", "szip", "scaleoffset"):
                if pack == "scaleoffset" and kind[0] == "f" or pack == "szip" and kind not in ("u1", "u2", "i4", "f4"):
                    continue
                more = {} if pack is None else {"compression": pack} if pack in ("gzip", "szip") else {"shuffle": True, "compression": "gzip"} if pack == "shuffle" else {"fletcher32": True} if pack == "fletcher32" else {"scaleoffset": True}
                for chunks in ((1, 21, 34), (2, 8, 16)):
                    def write(p, v=v, o=order, m=more, c=chunks):
                        with h5py.File(p, "w") as f:
                            f.create_dataset("MDF/images/0/image", data=v.astype(v.dtype.newbyteorder(o)), chunks=c, **m)
                    cases.append((f"hdf5 {order}{kind} {pack or 'plain'} chunks {chunks[0]}x{chunks[1]}x{chunks[2]}.hdf", v, write))
    rows, bad = [], 0
    for name, v, write in cases:
        path = os.path.join(folder, name)
        try:
            write(path)
        except Exception as e:  # what this writer cannot do
            print(f"not written: {name}: {e}", file=sys.stderr)
            continue
        ours, no = run_ours(build, path)
        equal = ours is not None and same(ours[0], v.astype(np.float32))
        bad += not equal
        rows.append((name, equal, no))
        if not equal:
            print("UNEXPLAINED", name, no, file=sys.stderr)
        os.remove(path)
    return rows, bad


COLUMNS = ["file", "format", "type", "size", "voxel", "origin", "min", "max", "mean", "sha1", "reference", "values", "voxel_ref", "origin_ref", "why"]


def cell(row, column):
    if column == "why":
        return "; ".join(TEXT[w] for w in row["why"])
    return row.get(column, "-").replace("\t", " ").replace("\n", " ")


def markdown(rows):
    """What is not MRC, file by file; of MRC the files where the two differ."""
    def table(columns, chosen):
        print("| " + " | ".join(columns) + " |")
        print("|" + "---|" * len(columns))
        for r in chosen:
            print("| " + " | ".join(cell(r, c).replace("|", "\\|") for c in columns) + " |")
        print()

    read = [r for r in rows if "sha1" in r]
    other = [r for r in read if r["type"] and not r["format"].startswith("MRC")]
    mrc = [r for r in read if r["format"].startswith("MRC")]
    print(f"### Read, of formats other than MRC ({len(other)} files)\n")
    table(["file", "format", "type", "size", "voxel", "origin", "mean", "reference", "values", "why"], other)
    print(f"### MRC and CCP4 where mrcfile's header tells another thing ({sum(bool(r['why']) for r in mrc)} of {len(mrc)} files; "
          f"the values of {sum(r['values'] == 'equal' for r in mrc)} are equal, bit for bit)\n")
    table(["file", "size", "voxel", "voxel_ref", "origin", "origin_ref", "values", "why"], [r for r in mrc if r["why"]])
    refused = [r for r in rows if "sha1" not in r]
    print(f"### Refused ({len(refused)} files)\n")
    table(["file", "format", "reference", "values", "why"], refused)


def main():
    build, data = sys.argv[1:3]
    rows, bad = [], 0
    for folder in ("zoo", "maps"):
        for name in sorted(os.listdir(os.path.join(data, folder))):
            path = os.path.join(data, folder, name)
            if not os.path.isfile(path) or name.endswith((".tsv", ".tsv.gz")):
                continue
            row, unexplained = compare(build, path, f"{folder}/{name}")
            if unexplained:
                bad += 1
                print("UNEXPLAINED", row, file=sys.stderr)
            rows.append(row)
    with tempfile.TemporaryDirectory() as folder:
        ways, faults = made(build, folder)
    bad += faults
    if "--markdown" in sys.argv:
        markdown(rows)
    else:
        print("\t".join(COLUMNS))
        for r in rows:
            print("\t".join(cell(r, c) for c in COLUMNS))
        for name, equal, _ in ways:
            print("\t".join(["made/" + name] + ["-"] * 9 + ["tifffile" if name[0] == "t" else "h5py", "equal" if equal else "other values", "-", "-", ""]))
    print(f"{len(rows)} files, {sum('sha1' in r for r in rows)} read, {sum(r.get('values') == 'equal' for r in rows)} with equal values; "
          f"{len(ways)} made, {sum(w[1] for w in ways)} with equal values; {bad} differences unexplained", file=sys.stderr)
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""What cryolex convert writes, read by mrcfile, h5py, tifffile and gemmi. (python3 with these and numpy from PyPI.)

    convert.py CRYOLEX DATA_FOLDER >convert.tsv

Every file of zoo/ and maps/ that mrcfile reads as a volume, whose axes are in the order x, y, z, is converted to MRC (both byte orders,
compressed, float16, scaled int16), HDF5 and TIFF. A row has, for one file, the largest difference of a value between what the other
reader finds in our file and what mrcfile finds in the original (0: bit for bit; of float16 and int16 relative to the range), that of the voxel
size and of the origin in angstrom, and what mrcfile.validate says of our MRC files. "RMS deviation is inf" of
float16 is mrcfile's own sum in float16, and "nan" that of a map with NaN, whose statistics ours leaves out. A last line sums up."""
import glob
import io
import os
import subprocess
import sys
import tempfile
import warnings

import gemmi
import h5py
import mrcfile
import numpy as np
import tifffile

warnings.simplefilter("ignore")


def original(path):
    """Values (z,y,x), or None."""
    try:
        with mrcfile.open(path, permissive=True) as m:
            h = m.header
            if m.data is None or m.data.ndim != 3 or m.data.dtype.kind == "c" or [int(h.mapc), int(h.mapr), int(h.maps)] != [1, 2, 3]:
                return None
            if not all(abs(float(a) - 90) < 1e-3 for a in (h.cellb.alpha, h.cellb.beta, h.cellb.gamma)):
                return None
            if int(h.mode) == 0 and os.path.getsize(path) == 1024 + int(h.nsymbt) + 4 * m.data.size:
                return None  # float32 in fact, of which mrcfile takes the first quarter as int8
            return np.array(m.data)
    except (ValueError, OSError, EOFError, OverflowError, MemoryError):
        return None


def by_mrcfile(path):
    with mrcfile.open(path) as m:
        return np.array(m.data), [float(m.voxel_size[k]) for k in "xyz"], [float(m.header.origin[k]) for k in "xyz"]


def by_gemmi(path):
    m = gemmi.read_ccp4_map(path)
    g = m.grid
    return np.array(g, copy=False).transpose(2, 1, 0), [g.unit_cell.a / g.nu, g.unit_cell.b / g.nv, g.unit_cell.c / g.nw], None


def by_h5py(path):
    with h5py.File(path) as f:
        g = f["MDF/images/0"]
        a = g.attrs
        return g["image"][()], [float(a[f"EMAN.apix_{k}"]) for k in "xyz"], [float(a[f"EMAN.origin_{k}"]) for k in "xyz"]


def by_tifffile(path):
    with tifffile.TiffFile(path) as f:
        ij, tags = f.imagej_metadata, f.pages[0].tags
        x, y = (tags[k].value for k in ("XResolution", "YResolution"))
        data = f.asarray()
        return data.reshape((-1,) + data.shape[-2:]), [x[1] / x[0], y[1] / y[0], float(ij["spacing"])], None


KINDS = (("MRC", "x.mrc", [], by_mrcfile), ("MRC, big-endian", "b.mrc", ["--byte-order", "big"], by_mrcfile), ("MRC, gzip", "z.mrc.gz", [], by_mrcfile),
         ("MRC float16", "h.mrc", ["--type", "float16"], by_mrcfile), ("MRC int16, scaled", "i.mrc", ["--type", "int16", "--scale"], by_mrcfile),
         ("MRC", "x.mrc", [], by_gemmi), ("HDF5", "x.hdf", [], by_h5py), ("HDF5, big-endian", "b.hdf", ["--byte-order", "big"], by_h5py),
         ("TIFF", "x.tif", [], by_tifffile), ("BigTIFF, big-endian", "b.tif", ["--bigtiff", "--byte-order", "big"], by_tifffile))


def one(cryolex, path, kind, name, options, reader, folder, want):
    out = os.path.join(folder, name)
    for base in ([], ["--images"], ["--apix", "1"]):
        run = subprocess.run([cryolex, "convert", "-q", *base, *options, path, out], capture_output=True, text=True, check=False)
        if not run.returncode:
            break
    else:
        return [kind, "refused: " + run.stderr.strip().splitlines()[-1][-90:]]
    data, voxel, origin = reader(out)
    _, _, where = by_mrcfile(os.path.join(folder, "x.mrc"))
    data, scale = data.astype(np.float64), 1.0
    good = np.isfinite(want)
    if options[:1] == ["--type"]:
        scale = np.ptp(want[good].astype(float)) or 1
    if "--scale" in options:
        with mrcfile.open(out) as m:
            text = next(str(x.decode() if isinstance(x, bytes) else x) for x in m.get_labels() if "stored" in str(x))
        add, mul = float(text.split("- ")[1].split(")")[0]), float(text.split("/ ")[1])
        data = (data - add) / mul
    off = np.abs(data.reshape(want.shape)[good] - want[good].astype(np.float64)).max(initial=0) / scale
    with mrcfile.open(os.path.join(folder, "x.mrc"), header_only=True) as m:
        dv = max(abs(a - float(m.voxel_size[k])) for a, k in zip(voxel, "xyz"))
    do = max(abs(a - b) for a, b in zip(origin, where)) if origin else None
    valid = "-"
    if reader is by_mrcfile:
        said = io.StringIO()
        valid = "valid" if mrcfile.validate(out, print_file=said) else said.getvalue().strip().replace("\n", "; ")
    return [kind, f"{off:.2g}", f"{dv:.1g}", "-" if do is None else f"{do:.1g}", valid]


def main():
    cryolex, data = os.path.abspath(sys.argv[1]), sys.argv[2]
    files = sorted(f for f in glob.glob(f"{data}/zoo/**/*", recursive=True) + glob.glob(f"{data}/maps/*") if os.path.isfile(f))
    rows, worst, refused = 0, {}, 0
    print("file\treader\tkind\tlargest difference\tvoxel\torigin\tvalidate")
    for path in files:
        if os.path.getsize(path) > 200e6 or path.endswith((".txt", ".md", ".tsv", ".json")):
            continue
        want = original(path)
        if want is None or want.size > 3e7:
            continue
        with tempfile.TemporaryDirectory() as folder:
            for kind, name, options, reader in KINDS:
                row = one(cryolex, path, kind, name, options, reader, folder, want)
                print(os.path.relpath(path, data), reader.__name__[3:], *row, sep="\t", flush=True)
                if row[1].startswith("refused"):
                    refused += 1
                    if name == "x.mrc":
                        break
                    continue
                rows += 1
                key = (reader.__name__[3:], kind)
                worst[key] = max(worst.get(key, 0), float(row[1]))
    print(f"# {rows} files written and read, {refused} refused; largest difference: " + "; ".join(f"{k} by {r} {v:.2g}" for (r, k), v in worst.items()))


main()

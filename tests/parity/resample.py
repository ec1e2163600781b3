#!/usr/bin/python3
"""cryolex resample against numpy and RELION (relion_image_handler), on noise: every frequency is there.

usage: resample.py CRYOLEX [OUT.tsv]     (Debian: python3-numpy python3-mrcfile relion)

Columns: the case; sides; the rival; rms difference over rms of the rival's map, for frequencies below the Nyquist
limit of both grids ('below'), and for those on it ('at'); after --box, of the whole map, whose input then has nothing at
the limit. The recorded run is resample.tsv beside this file.

numpy    crop or pad of the shifted fftn, real part of ifftn: agrees to float32 rounding below the limit. At an even
         limit it keeps -Nyquist alone, whose real part is the mean of +Nyquist and -Nyquist on the faces, as in
         ours; only where two or three axes are at the limit does it differ.
relion   3.1.3. Below the limit the same to rounding. At it, RELION keeps one of the two ends along y and z, which is not
         symmetric under mirroring. Padding, it fills only a sphere of the old Nyquist radius and drops the corners:
         compared inside that sphere; --bfactor clears those corners too. It writes origin 0 after --new_box; ours moves the origin with the box.
"""
import os, subprocess, sys, tempfile
import numpy as np, mrcfile


def write(path, a, apix):
    with mrcfile.new(path, overwrite=True) as m:
        m.set_data(a)
        m.voxel_size = apix


def read(path):
    with mrcfile.open(path) as m:
        return m.data.astype(float), float(m.voxel_size.x)


def numpy_box(x, m):
    """Fourier crop or pad of (n0,n1,n2) to m, by the definition."""
    f = np.fft.fftshift(np.fft.fftn(x.astype(float)))
    g = np.zeros(m, complex)
    src, dst = [], []
    for n, k in zip(x.shape, m):
        lo = min(n, k)
        src.append(slice(n // 2 - lo // 2, n // 2 - lo // 2 + lo))
        dst.append(slice(k // 2 - lo // 2, k // 2 - lo // 2 + lo))
    g[tuple(dst)] = f[tuple(src)]
    return np.fft.ifftn(np.fft.ifftshift(g)).real * (np.prod(m) / x.size)


def window(x, m):
    """Crop or pad with zeros, voxel n/2 to m/2."""
    y = np.zeros(m)
    src, dst = [], []
    for n, k in zip(x.shape, m):
        s = n // 2 - k // 2
        src.append(slice(max(s, 0), min(n, s + k)))
        dst.append(slice(max(-s, 0), min(k, n - s)))
    y[tuple(dst)] = x[tuple(src)]
    return y


def split(ours, rival, n, sphere):
    """Relative differences below and at the lower Nyquist limit of sides n and ours.shape."""
    a, b = np.fft.fftn(ours), np.fft.fftn(rival)
    below, at, r2 = True, False, 0
    for ax, (k, old) in enumerate(zip(ours.shape, n)):
        f = np.abs(np.fft.fftfreq(k, 1 / k)).reshape([-1 if i == ax else 1 for i in range(3)])
        lim = min(k, old) / 2
        below, at, r2 = below & (f < lim), at | (f == lim), r2 + (f / (old // 2)) ** 2
    if sphere:
        below = below & (r2 <= 1)
    rel = lambda m: np.sqrt((np.abs(a - b)[m] ** 2).sum() / max((np.abs(b)[m] ** 2).sum(), 1e-30)) if m.any() else 0
    return rel(below), rel(at)


CASES = [  # name, sides (z,y,x), voxel, options of ours
    ("down", (100, 100, 100), 1.3, {"apix": 2.03125}),
    ("down odd", (99, 99, 99), 1.3, {"apix": 2}),
    ("down far", (256, 256, 256), 1.1, {"apix": 4.4}),
    ("down 400", (400, 400, 400), 1.1, {"apix": 6.875}),
    ("up", (100, 100, 100), 1.3, {"apix": 0.9}),
    ("up odd", (75, 75, 75), 1.3, {"apix": 0.9}),
    ("aspect", (60, 81, 100), 1.3, {"apix": 2.6}),
    ("box", (100, 100, 100), 1.3, {"apix": 2.03125, "box": 90}),
    ("box small", (100, 100, 100), 1.3, {"apix": 2.03125, "box": 41}),
    ("lowpass", (100, 100, 100), 1.3, {"lowpass": 130 / 22, "edge": 2 / 22}),
    ("bfactor", (100, 100, 100), 1.3, {"bfactor": 60}),
]


def run_case(cryolex, tmp, name, sides, apix, o):
    i, ours, theirs = (os.path.join(tmp, f) for f in ("in.mrc", "ours.mrc", "theirs.mrc"))
    x = np.random.default_rng(len(name) + sides[0]).standard_normal(sides, dtype=np.float32) + np.float32(1)
    if "box" in o:
        f = [np.abs(np.fft.fftfreq(n)).reshape([-1 if k == ax else 1 for k in range(3)]) for ax, n in enumerate(sides)]
        x = np.fft.ifftn(np.fft.fftn(x) * (np.maximum(np.maximum(f[0], f[1]), f[2]) < 0.3)).real.astype(np.float32)
    write(i, x, apix)
    subprocess.run([cryolex, "resample", "-q", i, ours] + [a for k, v in o.items() for a in ("--" + k, repr(v))], check=True)
    a, va = read(ours)
    base = a.shape if "box" not in o else tuple(2 * round(n * apix / o["apix"] / 2) for n in sides)
    if "apix" in o:
        y = numpy_box(x, base)
        whole = y
        if "box" in o:
            whole = window(y, a.shape)
            d = np.sqrt(((a - whole) ** 2).mean() / (whole ** 2).mean())
            yield "numpy", d, float("nan"), va, va
        else:
            yield "numpy", *split(a, whole, sides, False), va, va
    cmd = ["relion_image_handler", "--i", i, "--o", theirs, "--angpix", str(apix)]
    if "apix" in o: cmd += ["--rescale_angpix", str(o["apix"])]
    if "box" in o: cmd += ["--new_box", str(o["box"])]
    if "lowpass" in o: cmd += ["--lowpass", str(o["lowpass"]), "--filter_edge_width", "2"]
    if "bfactor" in o: cmd += ["--bfactor", str(o["bfactor"])]
    if len(set(sides)) == 1 and "box" not in o:
        subprocess.run(cmd, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        b, vb = read(theirs)
        assert b.shape == a.shape
        below, at = split(a, b, sides, a.shape[0] > sides[0] or "bfactor" in o)
        yield "relion", below, at if "apix" in o and a.shape[0] < sides[0] else float("nan"), va, vb
    elif len(set(sides)) == 1:
        subprocess.run(cmd, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        b, vb = read(theirs)
        yield "relion", np.sqrt(((a - b) ** 2).mean() / (b ** 2).mean()), float("nan"), va, vb


def main():
    out = open(sys.argv[2], "w") if len(sys.argv) > 2 else sys.stdout
    print("case\tsides\trival\tbelow\tat\tvoxel\tvoxel_rival", file=out)
    with tempfile.TemporaryDirectory() as tmp:
        for name, sides, apix, o in CASES:
            for rival, below, at, va, vb in run_case(sys.argv[1], tmp, name, sides, apix, o):
                print(f"{name}\t{'x'.join(map(str, sides[::-1]))}\t{rival}\t{below:.2e}\t{at:.2e}\t{va:.6g}\t{vb:.6g}", file=out)


if __name__ == "__main__":
    main()

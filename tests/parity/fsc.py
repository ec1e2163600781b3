#!/usr/bin/python3
"""cryolex fsc against RELION and numpy, on half-maps: real maps, and to each half its own noise.

usage: fsc.py CRYOLEX DATA_FOLDER >fsc.tsv     (Debian: python3-numpy python3-mrcfile relion)

The maps are those of DATA_FOLDER/maps named below; the noise is white, from a seed, of so many standard deviations of the map. The mask
is a soft ball. Columns: map; side; noise; mask, "yes" where there is one; curve; the rival; largest difference of the curves over the shells
from 1 on; the resolution at 0.143, ours and by the same rule from the rival's curve; what the rival itself says it is, in angstrom.

relion  relion_postprocess 3.1.3, --skip_fsc_weighting, all curves; relion_image_handler --fsc, the unmasked one. It prints six digits. Its own
        resolution is that of the last shell before the curve falls below 0.143, without interpolation. Its random phases are not
        ours, so of "randomised" and "corrected" the difference is that of two draws: "reseeded" has that of two of ours.
numpy   the definition in double: "half" with RELION's sums over kx >= 0, "full" with each Fourier voxel counted once. "any box" has sides and
        voxel sizes that differ, which RELION does not take.
"""
import os
import subprocess
import sys
import tempfile

import mrcfile
import numpy as np

MAPS = [("EMD-1997.map", 1.0), ("EMD-1080.mrc", 0.5), ("noacc_betaGal_relion.mrc", 0.3), ("EMD-5168.map", 2.0)]
GOLD = 0.143


def write(path, a, voxel):
    with mrcfile.new(path, overwrite=True) as m:
        m.set_data(a.astype(np.float32))
        m.voxel_size = voxel


def shells(shape, voxel):
    """Shell of each voxel of the half transform, number of shells, step; by the definition in voxel/fsc.h."""
    edge = max(n * v for n, v in zip(shape, voxel))
    k = [np.fft.fftfreq(n) * n for n in shape[:2]] + [np.arange(shape[2] // 2 + 1)]
    s = [q * edge / (n * v) for q, n, v in zip(k, shape, voxel)]
    r = np.sqrt(s[0][:, None, None] ** 2 + s[1][None, :, None] ** 2 + s[2] ** 2)
    last = int(min(edge / (2 * v) for n, v in zip(shape, voxel) if n > 1) + 1e-6)
    return np.floor(r + 0.5).astype(int), last + 1, 1 / edge


def numpy_fsc(a, b, voxel, full):
    fa, fb = np.fft.rfftn(a.astype(float)), np.fft.rfftn(b.astype(float))
    r, n, _ = shells(a.shape, voxel)
    w = np.ones(r.shape)
    if full:
        w[..., 1:(a.shape[2] + 1) // 2] = 2
    ok = r < n
    total = lambda q: np.bincount(r[ok], (w * q)[ok], n)
    return total((fa * fb.conj()).real) / np.sqrt(total(abs(fa) ** 2) * total(abs(fb) ** 2))


def resolution(curve, step, threshold=GOLD):
    for k in range(1, len(curve)):
        if curve[k] < threshold:
            return float("nan") if k == 1 else 1 / (step * (k - 1 + (curve[k - 1] - threshold) / (curve[k - 1] - curve[k])))
    return 1 / (step * (len(curve) - 1))


def ours(cryolex, *args):
    """{curve: array}; of the resolutions, those at 0.143."""
    table = subprocess.run([cryolex, "fsc", "-q", *args], capture_output=True, text=True, check=True).stdout.splitlines()
    columns = dict(zip(table[0].split("\t"), zip(*(line.split("\t") for line in table[1:]))))
    curves = {c: np.array(columns[c], float) for c in columns if c not in ("shell", "frequency", "resolution")}
    told = subprocess.run([cryolex, "fsc", "-q", "--format", "summary", *args], capture_output=True, text=True, check=True).stdout
    at = {line.split("\t")[0]: float(line.split("\t")[2].replace("-", "nan")) for line in told.splitlines()[1:] if "\t0.143\t" in line}
    return curves, at


def star(text, block):
    """Columns of the loop in a block of a STAR file."""
    names, rows, on = [], [], False
    for line in text.splitlines():
        w = line.split()
        if line.startswith("data_"):
            on = w[0] == block
        elif on and line.startswith("_rln") and w[1].startswith("#"):
            names.append(w[0][4:])
        elif on and names and len(w) == len(names):
            rows.append([float(x) for x in w])
    return {n: np.array(c) for n, c in zip(names, zip(*rows))}


def relion(folder, a, b, voxel, mask):
    """{curve: array}, and the resolution that it reports."""
    out = os.path.join(folder, "post")
    command = ["relion_postprocess", "--i", a, "--i2", b, "--o", out, "--angpix", str(voxel), "--skip_fsc_weighting"]
    # without a mask 3.1.3 fails at its picture, after the table is written
    subprocess.run(command + (["--mask", mask, "--force_mask"] if mask else []), capture_output=True, check=bool(mask))
    text = open(out + ".star").read()
    loop = star(text, "data_fsc")
    name = {"unmasked": "FourierShellCorrelationUnmaskedMaps", "masked": "FourierShellCorrelationMaskedMaps",
            "randomised": "CorrectedFourierShellCorrelationPhaseRandomizedMaskedMaps", "corrected": "FourierShellCorrelationCorrected"}
    final = next(line.split()[1] for line in text.splitlines() if line.startswith("_rlnFinalResolution"))
    return {c: loop[n] for c, n in name.items() if n in loop}, float(final)


def ball(n):
    k = np.arange(n) - n // 2
    d = np.sqrt(k[:, None, None] ** 2 + k[None, :, None] ** 2 + k ** 2)
    return 0.5 * (1 + np.cos(np.pi * np.clip((d - 0.3 * n) / (0.06 * n), 0, 1)))


def row(name, shape, noise, mask, curve, rival, mine, theirs, mine_at, theirs_at, said="-"):
    print(name, "x".join(str(s) for s in shape[::-1]), noise, "yes" if mask else "no", curve, rival,
          f"{abs(mine[1:] - theirs[1:]).max():.1e}", f"{mine_at:.3f}" if mine_at else "-", f"{theirs_at:.3f}" if theirs_at else "-", said, sep="\t")


def half_maps(folder, data, name, noise):
    with mrcfile.open(os.path.join(data, "maps", name), permissive=True) as m:
        a, voxel = m.data.astype(np.float32), float(m.voxel_size.x)
    rng = np.random.default_rng(1997)
    halves = [(a + noise * a.std() * rng.standard_normal(a.shape)).astype(np.float32) for _ in range(2)]
    paths = [os.path.join(folder, f"half{i}.mrc") for i in (1, 2)]
    for p, h in zip(paths, halves):
        write(p, h, voxel)
    return halves, paths, voxel


def one_map(cryolex, folder, data, name, noise):
    (a, b), paths, voxel = half_maps(folder, data, name, noise)
    mask = os.path.join(folder, "mask.mrc")
    m = ball(a.shape[0]).astype(np.float32)
    write(mask, m, voxel)
    step = 1 / (a.shape[0] * voxel)
    options = paths + ["--mask", mask, "--randomise"]
    mine, at = ours(cryolex, *options)
    handler = subprocess.run(["relion_image_handler", "--i", paths[0], "--fsc", paths[1]], capture_output=True, text=True, check=True).stdout
    plain = star(handler, "data_fsc")["FourierShellCorrelation"]
    row(name, a.shape, noise, False, "unmasked", "relion_image_handler", mine["unmasked"], plain, at["unmasked"], resolution(plain, step))
    theirs, said = relion(folder, *paths, voxel, None)
    row(name, a.shape, noise, False, "unmasked", "relion_postprocess", mine["unmasked"], theirs["unmasked"], at["unmasked"],
        resolution(theirs["unmasked"], step), said)
    theirs, said = relion(folder, *paths, voxel, mask)
    for c in ("masked", "randomised", "corrected"):
        judged = c != "randomised"
        row(name, a.shape, noise, True, c, "relion_postprocess", mine[c], theirs[c], at[c] if judged else None,
            resolution(theirs[c], step) if judged else None, said if c == "corrected" else "-")
    again, at2 = ours(cryolex, *options, "--seed", "7")
    for c in ("randomised", "corrected"):
        judged = c != "randomised"
        row(name, a.shape, noise, True, c, "reseeded", mine[c], again[c], at[c] if judged else None, at2[c] if judged else None)
    for c, x, y in (("unmasked", a, b), ("masked", a * m, b * m)):
        for kind in ("half", "full"):
            curve = numpy_fsc(x, y, (voxel,) * 3, kind == "full")
            row(name, a.shape, noise, c == "masked", c, f"numpy {kind}", mine[c], curve, at[c], resolution(curve, step))


def any_box(cryolex, folder):
    rng = np.random.default_rng(5)
    for shape, voxel in (((40, 51, 36), (1.5, 1.5, 1.5)), ((33, 30, 44), (2.0, 1.1, 1.4)), ((1, 60, 48), (1, 1, 1))):
        s = rng.standard_normal(shape)
        k = [np.fft.fftfreq(n, v) for n, v in zip(shape, voxel)]
        gain = np.exp(-20 * (k[0][:, None, None] ** 2 + k[1][None, :, None] ** 2 + k[2] ** 2))
        s = np.fft.ifftn(np.fft.fftn(s) * gain).real
        paths, halves = [], []
        for i in (1, 2):
            halves.append((s + 0.2 * rng.standard_normal(shape)).astype(np.float32))
            paths.append(os.path.join(folder, f"box{i}.mrc"))
            write(paths[-1], halves[-1], voxel[::-1])
        mine, at = ours(cryolex, *paths)
        curve = numpy_fsc(*halves, voxel, False)
        row("any box", shape, 0.2, False, "unmasked", "numpy half", mine["unmasked"], curve, at["unmasked"], resolution(curve, shells(shape, voxel)[2]))


def main():
    cryolex, data = sys.argv[1:]
    version = subprocess.run(["relion_postprocess", "--version"], capture_output=True, text=True).stdout.split()
    print(f"# {' '.join(version[:3])}; numpy {np.__version__}")
    print("map", "side", "noise", "mask", "curve", "rival", "largest_difference", "resolution", "rival_resolution", "rival_says", sep="\t")
    with tempfile.TemporaryDirectory() as folder:
        for name, noise in MAPS:
            one_map(cryolex, folder, data, name, noise)
        any_box(cryolex, folder)


main()

#!/usr/bin/env python3
"""What search --rerank does to the first hit on the real maps: the shipped model and index, the maps of 5 angstrom voxels with a known model.

usage: rerank.py CRYOLEX DATA_FOLDER [N=5] >rerank.tsv

Columns: map; its entry; the first hit by score and by the overall correlation of the placed models; the N hits with these correlations. The last
lines count right first hits by exact entry and by family (entries of maps of one family), of the maps whose entry has a structure file.
"""
import csv
import glob
import os
import subprocess
import sys
import tempfile


def main():
    cryolex, data = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    n = sys.argv[3] if len(sys.argv) > 3 else "5"
    with open(data + "/maps/maps.tsv") as f:
        rows = [r for r in csv.DictReader(f, delimiter="\t") if r["file"].endswith("_5A.mrc") and r["fitted_pdb"] != "-"]
    family = {}
    for r in rows:
        family.setdefault(r["family"], set()).add(r["fitted_pdb"])
    count, right = 0, {"exact": [0, 0], "family": [0, 0]}
    print("map\tentry\tby_score\tby_fit\thits")
    with tempfile.TemporaryDirectory() as d:
        for path in glob.glob(data + "/structures/*/*.gz") + glob.glob(data + "/maps/models/*.gz"):
            if not os.path.lexists(to := os.path.join(d, os.path.basename(path))):
                os.symlink(path, to)
        for r in rows:
            if not glob.glob(f"{d}/{r['fitted_pdb']}.*"):
                continue
            run = subprocess.run([cryolex, "search", "-q", "-k", n, "--rerank", n, "--structures", d, f"{data}/maps/{r['file']}"], check=True,
                                 capture_output=True, text=True)
            hits = list(csv.DictReader(run.stdout.splitlines(), delimiter="\t"))
            first = max(hits, key=lambda h: float(h["score"]))["id"], hits[0]["id"]
            count += 1
            for k in range(2):
                right["exact"][k] += first[k] == r["fitted_pdb"]
                right["family"][k] += first[k] in family[r["family"]]
            print(r["file"], r["fitted_pdb"], *first, " ".join(f"{h['id']}:{h['fit']}" for h in hits), sep="\t", flush=True)
    for what, (a, b) in right.items():
        print(f"# right first hit by {what}: {a} by score, {b} by fit, of {count}")


main()

#!/usr/bin/env python3
"""The contour level that `cryolex search` estimates against the one that the authors of a map recommend.

    contour.py CRYOLEX INDEX MAPS.tsv > contour.tsv

For every map of the table that has an author's contour and was not cut at it already (the *_5A maps were): both levels, the
radius of gyration and the envelope under each, and the first hit of a search under each. What counts is that the search does
not change.
"""
import csv
import os
import re
import subprocess
import sys


def look(cryolex, index, path, options):
    out = subprocess.run([cryolex, "search", "-i", index, "-k", "1", *options, path], capture_output=True, text=True, check=True)
    told = re.search(r"Rg ([\d.]+) A, envelope (\d+) nm\^3, contour (?:about )?(\S+)", out.stderr)
    hit = out.stdout.splitlines()[1].split("\t")
    return float(told[1]), float(told[2]), float(told[3]), hit[2], float(hit[3])


def main():
    cryolex, index, table = sys.argv[1:4]
    print("map\tauthor_level\testimated_level\trg_author\trg_estimated\tenvelope_author_nm3\tenvelope_estimated_nm3\tfirst_author\tfirst_estimated\tscore_author\tscore_estimated")
    for r in csv.DictReader(open(table), delimiter="\t"):
        if r["contour"] == "-" or r["file"].endswith("_5A.mrc"):
            continue
        path = os.path.join(os.path.dirname(table), r["file"])
        a, e = look(cryolex, index, path, ["-c", r["contour"]]), look(cryolex, index, path, [])
        print(f"{r['file']}\t{r['contour']}\t{e[2]:.4g}\t{a[0]}\t{e[0]}\t{a[1]:.0f}\t{e[1]:.0f}\t{a[3]}\t{e[3]}\t{a[4]}\t{e[4]}")


if __name__ == "__main__":
    main()

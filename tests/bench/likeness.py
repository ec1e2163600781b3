#!/usr/bin/env python3
"""Do views differ from clean cubes as real maps do? (see tests/bench/likeness.c)

usage: likeness.py PROGRAM DATA [VIEWS [SAMPLE [TABLE]]]

PROGRAM is tests/bench/likeness, DATA the data folder. For the 16 maps *_5A that have a model in their own frame, and for
SAMPLE whole entries of the structures, the differences between clean cube and map or view: one table, with the quantiles of
real maps beside those of the views of the same models and of the sample. `covered` is the share of the real maps whose value
lies between the 2.5 % and 97.5 % quantiles of the views of the same models; `outside` names the others. TABLE keeps all rows.
"""
import csv
import io
import os
import random
import subprocess
import sys

SHOW = ["correlation", "log_rg", "log_volume", "shift", "angle_long", "angle_short", "log_filled", "mean", "sd", "full",
        "histogram"] + ["shell%d" % s for s in range(2, 10)]


def quantile(x, q):
    x = sorted(x)
    t = q * (len(x) - 1)
    i = min(int(t), len(x) - 2)
    return x[i] + (t - i) * (x[i + 1] - x[i])


def pairs(data, sample):
    out = []
    for r in csv.DictReader(open(data + "/maps/maps.tsv"), delimiter="\t"):
        model = "%s/maps/models/%s.pdb.gz" % (data, r["fitted_pdb"])
        if r["file"].endswith("_5A.mrc") and os.path.exists(model):
            out.append((r["emdb_id"], "%s/maps/%s" % (data, r["file"]), model))
    rows = [r for r in csv.DictReader(open(data + "/structures/structures.tsv"), delimiter="\t") if r["scope"] == "whole"]
    random.seed(5)
    for r in random.sample(rows, sample):
        out.append((r["pdb_id"], "-", "%s/structures/%s" % (data, r["file"])))
    return out


def main():
    program, data = sys.argv[1:3]
    views, sample = (int(a) for a in (sys.argv[3:5] + ["40", "300"][len(sys.argv) - 3:]))
    todo = pairs(data, sample)
    text = subprocess.run([program, str(views), "1"], input="".join("\t".join(p) + "\n" for p in todo), text=True, check=True,
                          stdout=subprocess.PIPE).stdout
    if len(sys.argv) > 5:
        open(sys.argv[5], "w").write(text)
    rows = list(csv.DictReader(io.StringIO(text), delimiter="\t"))
    known = {p[0] for p in todo if p[1] != "-"}
    real = [r for r in rows if r["kind"] == "real"]
    own = [r for r in rows if r["kind"] != "real" and r["id"] in known]
    other = [r for r in rows if r["kind"] != "real" and r["id"] not in known]
    print("%d maps, %d views of their models, %d views of %d others" % (len(real), len(own), len(other), sample))
    print("| difference | real: 10 % | median | 90 % | views: 10 % | median | 90 % | others: 10 % | median | 90 % | covered | outside |")
    print("|---|" + 11 * "---|")
    for k in SHOW:
        cells, inside, out = [], 0, []
        for group in (real, own, other):
            cells += ["%.2f" % quantile([float(r[k]) for r in group], q) for q in (0.1, 0.5, 0.9)]
        for r in real:
            mine = [float(v[k]) for v in own if v["id"] == r["id"]]
            if quantile(mine, 0.025) <= float(r[k]) <= quantile(mine, 0.975):
                inside += 1
            else:
                out.append(r["id"][4:] + ("-" if float(r[k]) < quantile(mine, 0.5) else "+"))
        print("| %s | %s | %d/%d | %s |" % (k, " | ".join(cells), inside, len(real), " ".join(out)))


main()

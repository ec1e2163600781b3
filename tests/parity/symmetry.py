#!/usr/bin/env python3
"""Point groups that cryolex annotate says of entries, against the operators of their biological assemblies as gemmi reads them.

usage: symmetry.py CRYOLEX DATA [EVERY]      (gemmi from PyPI); DATA has structures/structures.tsv; every EVERYth entry (10) that has assembly 1

The group of the operators is a lower bound: copies in the asymmetric unit may add to it. Truth counts as C1 only where the assembly is one protein chain.
Printed: group by operators, entries, said the same, said more (a group that contains it), said less or another."""
import collections
import csv
import json
import math
import os
import subprocess
import sys

import gemmi


def group_of(ops):
    """Of rotation matrices: a symbol, or None where they make no point group."""
    n, best = len(ops), 1
    for m in ops:
        t = max(-1.0, min(1.0, (m[0][0] + m[1][1] + m[2][2] - 1) / 2))
        angle = math.acos(t)
        if angle > 1e-3:
            fold = 2 * math.pi / angle
            for k in range(1, 6):
                if abs(fold * k - round(fold * k)) < 0.02:
                    best = max(best, round(fold * k))
                    break
    if n == best:
        return f"C{n}"
    if n == 2 * best:
        return f"D{best}"
    return {(12, 3): "T", (24, 4): "O", (60, 5): "I"}.get((n, best))


def contains(said, true):
    if said == true or true == "C1":
        return True
    if said in "TOI" and true in ("C2", "C3", "D2", "D3", "T", "C4", "C5", "D4", "D5"):
        return True
    if said[0] in "CD" and true[0] in "CD" and said != "C1":
        a, b = int(said[1:]), int(true[1:])
        if said[0] == "D":
            return a % b == 0 or true == "C2" or (true == "D2" and a % 2 == 0)
        return true[0] == "C" and a % b == 0
    return False


def main():
    cryolex, data, every = sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 10
    folder = f"{data}/structures"
    with open(f"{folder}/structures.tsv", encoding="utf-8") as f:
        rows = list(csv.DictReader(f, delimiter="\t"))
    truth = {}
    for r in rows[::every]:
        path = f"{folder}/{r['file']}"
        try:
            st = gemmi.read_structure(path)
        except Exception:
            continue
        if not st.assemblies or not len(st):
            continue
        a = st.assemblies[0]
        if len(a.generators) != 1:
            continue
        ops = [o.transform.mat.tolist() for o in a.generators[0].operators]
        chains = [c for c in st[0] if len([x for x in c if x.find_atom("CA", "*")]) > 30]
        group = group_of(ops)
        if group and (group != "C1" or len(chains) == 1):
            truth[path] = group
    paths = sorted(truth)
    said = {}
    for k in range(0, len(paths), 200):
        out = subprocess.run([cryolex, "annotate", "-q", "--format", "json", "-k", "1", "--namespace", "ec", "--assembly", "1", *paths[k : k + 200]], capture_output=True, text=True).stdout
        for line in out.splitlines():
            a = json.loads(line)
            said[a["query"]] = a["symmetry"]["group"]
    count = collections.defaultdict(collections.Counter)
    wrong = []
    for p in paths:
        if p not in said:
            continue
        t, s = truth[p], said[p]
        kind = "same" if s == t else "more" if contains(s, t) and t != "C1" else "other"
        count[t]["entries"] += 1
        count[t][kind] += 1
        if kind == "other":
            wrong.append((os.path.basename(p).split(".")[0], t, s))
    print("group\tentries\tsame\tmore\tother")
    for t in sorted(count, key=lambda g: -count[g]["entries"]):
        c = count[t]
        print(f"{t}\t{c['entries']}\t{c['same']}\t{c['more']}\t{c['other']}")
    print("# other: " + " ".join(f"{i}:{t}:{s}" for i, t, s in wrong[:60]))


if __name__ == "__main__":
    main()

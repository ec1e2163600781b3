#!/usr/bin/env python3
"""What cryolex annotate says of real maps, beside what is known of them: a table in Markdown, and one as TSV where a name is given.

usage: annotate.py CRYOLEX DATA [TSV]     DATA: the folder with maps/maps.tsv and annot/; maps with a fitted PDB entry count

Known: the molecules of the fitted entries (annot/pdb_names), and which of the terms that are told with 0.5 or more they have (pdb_go_entry with all ancestors, pdb_ec,
pdb_pfam, pdb_class). Nothing is tuned on these maps."""
import csv
import gzip
import json
import subprocess
import sys


def table(path):
    with gzip.open(path, "rt", encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


def closed(terms, parents):
    out, todo = set(), list(terms)
    while todo:
        t = todo.pop()
        if t not in out:
            out.add(t)
            todo += parents.get(t, [])
    return out


def ec_classes(ec):
    p = ec.split(".")
    return {"EC:" + ".".join(p[:k] + ["-"] * (4 - k)) for k in range(1, 5) if p[k - 1] != "-"}


def nodes(code):
    p = code.split(".")
    return {"CATH:" + ".".join(p[:k]) for k in range(1, len(p) + 1)}


def truths(annot, wanted):
    parents = {}
    for r in table(f"{annot}/go_terms.tsv.gz"):
        parents[r["go_id"]] = [x.split("=")[-1] for x in r["parents"].replace(";", "|").split("|") if x]
    out = {i: set() for i in wanted}
    for name, column, make in (("pdb_go_entry", "go_ids", None), ("pdb_ec", "ec", ec_classes), ("pdb_pfam", "pfam", lambda x: {x}), ("pdb_class", "code", nodes)):
        for r in table(f"{annot}/{name}.tsv.gz"):
            i = r["pdb_id"].lower()
            if i not in out or (name == "pdb_class" and not r["scheme"].startswith("CATH")):
                continue
            out[i] |= closed(r[column].replace("|", ";").split(";"), parents) if make is None else make(r[column])
    names = {r["pdb_id"].lower(): r["molecule_names"] for r in table(f"{annot}/pdb_names.tsv.gz") if r["pdb_id"].lower() in out}
    return out, names


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    cryolex, data = sys.argv[1:3]
    with open(f"{data}/maps/maps.tsv", encoding="utf-8", newline="") as f:
        maps = [r for r in csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE) if r["fitted_pdb"] not in ("-", "")]
    known, names = truths(f"{data}/annot", {i.lower() for r in maps for i in r["fitted_pdb"].replace(",", " ").replace(";", " ").split()})
    rows = []
    for r in maps:
        run = subprocess.run([cryolex, "annotate", "-q", "--format", "json", "-k", "1", "-n", "50", "--min-confidence", "0.5", f"{data}/maps/{r['file']}"], capture_output=True, text=True)
        if run.returncode:
            print(f"{r['file']}: {run.stderr.strip()}", file=sys.stderr)
            continue
        a = json.loads(run.stdout)
        ids = [i.lower() for i in r["fitted_pdb"].replace(",", " ").replace(";", " ").split()]
        true = set().union(*(known[i] for i in ids))
        told = [t for t in a["terms"] if t["kind"] != "molecule"]
        molecule = next((t for t in a["terms"] if t["kind"] == "molecule"), None)
        best = max(told, key=lambda t: (t["namespace"] == "molecular_function", t["confidence"]), default=None)
        e = a["entries"][0]
        rows.append({"map": r["file"], "is": (names.get(ids[0], "") or r["notes"]).split(";")[0].split("|")[0].strip(), "fitted": " ".join(ids), "mass_kda": a["mass_kda"],
                     "relative": a.get("known", ""), "novel": "yes" if a.get("novel") else "no", "hit": e["id"], "hit_confidence": e["confidence"],
                     "molecule": f"{molecule['name']} {molecule['confidence']:.2f}" if molecule else "-",
                     "term": f"{best['name']} {best['confidence']:.2f}" if best else "-", "told": len(told), "right": sum(t["id"] in true for t in told) if true else "-"})
    print("| map | what it is | mass, kDa | relative | first hit | molecule | a function | terms told | of these known |\n|---|---|---|---|---|---|---|---|---|")
    for x in rows:
        print(f"| {x['map']} | {x['is']} ({x['fitted']}) | {x['mass_kda']:.0f} | {x['relative']} | {x['hit']} {x['hit_confidence']:.2f} | {x['molecule']} | {x['term']} | {x['told']} | {x['right']} |")
    if len(sys.argv) > 3:
        with open(sys.argv[3], "w", encoding="utf-8", newline="") as f:
            w = csv.DictWriter(f, list(rows[0]), delimiter="\t", lineterminator="\n")
            w.writeheader()
            w.writerows(rows)


if __name__ == "__main__":
    main()

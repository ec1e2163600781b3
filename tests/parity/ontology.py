#!/usr/bin/env python3
"""Pruned and closed GO sets of every PDB entry of the real tables, by plain Python sets: ontology.py ANNOT_FOLDER > ontology.tsv

Terms that follow from nothing but an incomplete EC number are left out first, by the rule of pipeline/annot_priv.h.
For each entry of pdb_go_entry, in order of id, the terms that are no ancestor of another one of it (pruned), and the terms with
all their ancestors (closed), by is_a and part_of edges. Recorded: how many in all, and the CRC-32 of the lines
`id<TAB>GO:1;GO:2<LF>`, terms in order of the table go_terms. tests/test_annot.c compares.
"""
import collections
import functools
import gzip
import sys
import zlib


def rows(name):
    with gzip.open(f"{sys.argv[1]}/{name}.tsv.gz", "rt", encoding="utf-8", newline="\n") as f:
        head = f.readline().rstrip("\n").split("\t")
        for line in f:
            yield dict(zip(head, line.rstrip("\n").split("\t")))


parents, order, activity = {}, {}, set()
for r in rows("go_terms"):
    edges = [e.split("=") for e in r["parents"].split(";") if e]
    parents[r["go_id"]] = {to for kind, to in edges if kind in ("isa", "part of")}
    order[r["go_id"]] = len(order)
    if r["namespace"] == "molecular_function" and r["name"].endswith("activity"):
        activity.add(r["go_id"])
children = {t: set() for t in parents}
for t, up in parents.items():
    for p in up:
        children[p].add(t)
narrow = {t for t in activity if len(children[t]) <= 2 and not any(children[c] for c in children[t])}


@functools.lru_cache(None)
def ancestors(term):
    return frozenset(parents[term]).union(*(ancestors(p) for p in parents[term]))


sys.setrecursionlimit(10000)
count, crc = {"entries": 0, "pruned": 0, "closed": 0}, {"pruned": 0, "closed": 0}
entries = {r["pdb_id"].lower(): set(r["go_ids"].split(";")) for r in rows("pdb_go_entry")}
group, accessions = {}, {}
for r in rows("pdb_ec"):
    if "-" in r["ec"] and r["pdb_id"] in entries:
        group.setdefault(r["ec"], set()).add(r["pdb_id"])
for r in rows("pdb_uniprot"):
    accessions.setdefault(r["pdb_id"], set()).add(r["uniprot"])
drop = {}
for ids in group.values():
    if len(ids) >= 10 and len(set().union(*(accessions.get(i, set()) for i in ids))) >= 5:
        have = collections.Counter(t for i in ids for t in entries[i] & narrow)
        for i in ids:
            drop.setdefault(i, set()).update(t for t, n in have.items() if 100 * n >= 97 * len(ids))
for pdb_id, terms in sorted(entries.items()):
    terms = {t for t in terms if t in parents} - drop.get(pdb_id, set())
    if not terms:
        continue
    above = set().union(*(ancestors(t) for t in terms))
    count["entries"] += 1
    for what, s in (("pruned", terms - above), ("closed", terms | above)):
        count[what] += len(s)
        line = f"{pdb_id}\t{';'.join(sorted(s, key=order.get))}\n"
        crc[what] = zlib.crc32(line.encode(), crc[what])
print("set\tentries\tterms\tcrc32")
for what in crc:
    print(what, count["entries"], count[what], f"{crc[what]:08x}", sep="\t")

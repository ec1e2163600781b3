#!/usr/bin/python3
"""The reader of EMDB headers against Python's xml.etree, file by file and field by field.

usage: emdb.py BUILD_FOLDER FILE|FOLDER... >emdb.tsv

FOLDER: every *.xml below it whose root element is emd or emdEntry. Each is parsed by xml.etree.ElementTree, the fields of mrc/emdb.h
are taken from the tree by paths of their own, and what tests/dump_emdb prints has to be the same: texts byte for byte, numbers equal as
float64, sets in order. Columns: file, size in bytes, sha256 (first 16 digits), schema, fields that both have, members of the sets, and the
number that differ. Status 1 where any does.

emdb.tsv has the six real headers that there were (four entries by schema 1.9.6, one of them by 3.0.0.1 too, twice), and the two that are
made for the tests: tests/fuzz/replay_emdb --write FOLDER, whose 0 and 1 they are.
"""
import hashlib
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

STATES = ["full", "partial", "apart", "unsaid", "initial"]


def texts(nodes):
    return [t for t in ((n.text or "").strip(" \t\r\n") for n in nodes if len(n) == 0) if t]


def unique(items):
    return list(dict.fromkeys(items))


def first(nodes):
    return next(iter(texts(nodes)), None)


def flat(s):
    return s and re.sub(r"[\n\t\r]", " ", s)


def models(pairs):
    best = {}
    for pdb, state in pairs:
        pdb = pdb.lower()
        if re.fullmatch(r"[0-9][0-9a-z]{3}|pdb_[0-9a-z]{8}", pdb):
            best[pdb] = min(best.get(pdb, len(STATES)), STATES.index(state))
    return ["%s %s" % (k, STATES[v]) for k, v in best.items()]


def axes(root, path, names):
    return [first(root.findall(path + "/" + n)) for n in names]


def refs(pairs):
    known = {"GO": "GO", "UNIPROTKB": "UniProt", "UNIPROT": "UniProt", "INTERPRO": "InterPro"}
    out = {}
    for kind, text in pairs:
        if kind.upper() in known:
            out.setdefault(known[kind.upper()], []).append(text)
    return out


def numbers(f, root, **paths):
    for k, p in paths.items():
        f[k] = first(root.findall(p))


def old(root):
    part = "./sample/sampleComponentList/sampleComponent"
    f = {"id": "EMD-" + root.get("accessCode", ""), "version": root.get("version")}
    for k, p in dict(title="deposition/title", keywords="deposition/keywords", method="processing/method", sample="sample/name",
                     state="experiment/specimenPreparation/specimenState", file="map/file",
                     resolution_method="processing/reconstruction/resolutionMethod").items():
        f[k] = first(root.findall(p))
    f["resolution"] = first(root.findall("processing/reconstruction/resolutionByAuthor"))
    f["contour"] = first(root.findall("map/contourLevel"))
    level = root.find("map/contourLevel")
    f["contour_source"] = level.get("source") if f["contour"] is not None else None
    f["columns"], f["rows"], f["sections"] = axes(root, "map/dimensions", ["numColumns", "numRows", "numSections"])
    f["pixel_x"], f["pixel_y"], f["pixel_z"] = axes(root, "map/pixelSpacing", ["pixelX", "pixelY", "pixelZ"])
    f["min"], f["max"] = axes(root, "map/statistics", ["minimum", "maximum"])
    f["molecule"] = unique(t for c in root.findall(part) for n in c if n.tag in ("sciName", "synName") for t in texts([n]))
    f["organism"] = unique(texts(n for c in root.findall(part) for k in c for n in k if n.tag == "sciSpeciesName"))
    f["fitted"] = models([(t, "unsaid") for t in texts(root.findall("deposition/fittedPDBEntryIdList/fittedPDBEntryId"))] +
                         [(t, "initial") for t in texts(root.findall("experiment/fitting/pdbEntryIdList/pdbEntryId"))])
    f.update(refs((n.tag[3:], t) for n in root.findall(part + "/*/externalReferences/*") if n.tag.startswith("ref")
                  for t in texts([n])))
    return f


def new(root):
    supra, macro = "sample/supramolecule_list/*", "sample/macromolecule_list/*"
    sd = "structure_determination_list/structure_determination"
    f = {"id": root.get("emdb_id"), "version": root.get("version")}
    for k, p in dict(title="admin/title", keywords="admin/keywords", method=sd + "/method", state=sd + "/aggregation_state",
                     file="map/file", sample="sample/name").items():
        f[k] = first(root.findall(p))
    final = [n for d in root.findall(sd) for p in d if p.tag.endswith("_processing") for n in p.findall("final_reconstruction")]
    f["resolution"] = first(n for r in final for n in r.findall("resolution"))
    f["resolution_method"] = first(n for r in final for n in r.findall("resolution_method"))
    levels = [c for c in root.findall("map/contour_list/contour") if first(c.findall("level"))]
    chosen = next((c for c in levels if c.get("primary") == "true"), levels[0] if levels else None)
    f["contour"] = first(chosen.findall("level")) if chosen is not None else None
    f["contour_source"] = first(chosen.findall("source")) if chosen is not None else None
    f["columns"], f["rows"], f["sections"] = axes(root, "map/dimensions", ["col", "row", "sec"])
    f["pixel_x"], f["pixel_y"], f["pixel_z"] = axes(root, "map/pixel_spacing", "xyz")
    f["min"], f["max"] = axes(root, "map/statistics", ["minimum", "maximum"])
    molecules = root.findall(supra) + root.findall(macro)
    f["molecule"] = unique(t for m in molecules for t in texts(m.findall("name")))
    f["organism"] = unique(t for m in molecules for n in m for t in
                           (texts([n]) if n.tag == "sci_species_name" else texts(n.findall("organism")) if n.tag == "natural_source" else []))
    said = {"FULLOVERLAP": "full", "PARTIALOVERLAP": "partial", "NOOVERLAP": "apart"}
    f["fitted"] = models([(first(r.findall("pdb_id")) or "", said.get(first(r.findall("relationship/in_frame")), "unsaid"))
                          for r in root.findall("crossreferences/pdb_list/pdb_reference")] +
                         [(t, "initial") for t in texts(root.findall("interpretation/modelling_list/modelling/initial_model/access_code"))])
    pairs = [(n.get("type", ""), t) for m in molecules for n in m.iter() for t in texts([n])
             if n.tag == "external_references" or (n.tag == "category" and t.startswith("GO:"))]
    f.update(refs(pairs))
    f["EC"] = texts(n for m in root.findall(macro) for n in m.findall("ec_number"))
    return f


def theirs(path):
    root = ET.parse(path).getroot()
    f = {"emd": new, "emdEntry": old}[root.tag](root)
    for k in ("GO", "UniProt", "InterPro", "EC"):
        f[k] = unique(f.get(k, []))
    return {k: [flat(x) for x in v] if isinstance(v, list) else [flat(v)] for k, v in f.items() if v}


def ours(build, path):
    p = subprocess.run([os.path.join(build, "tests/dump_emdb"), path], capture_output=True, check=True)
    f = {}
    for line in p.stdout.decode("utf-8").split("\n")[:-1]:
        k, v = line.split("\t")
        f.setdefault(k, []).append(v)
    return f


NUMBERS = {"resolution", "contour", "columns", "rows", "sections", "pixel_x", "pixel_y", "pixel_z", "min", "max"}


def same(k, a, b):
    return [float(x) for x in a] == [float(x) for x in b] if k in NUMBERS and a and b else a == b


def headers(args):
    for a in args:
        for p in sorted(os.path.join(d, n) for d, _, names in os.walk(a) for n in names) if os.path.isdir(a) else [a]:
            if p.endswith(".xml") and ET.parse(p).getroot().tag in ("emd", "emdEntry"):
                yield p


def main():
    build, bad = sys.argv[1], 0
    print("file\tbytes\tsha256\tschema\tfields\tmembers\tdiffer")
    for path in headers(sys.argv[2:]):
        a, b = ours(build, path), theirs(path)
        differ = [k for k in sorted(set(a) | set(b)) if not same(k, a.get(k, []), b.get(k, []))]
        for k in differ:
            print("%s: %s: %r, xml.etree %r" % (path, k, a.get(k), b.get(k)), file=sys.stderr)
        with open(path, "rb") as f:
            data = f.read()
        print("%s\t%d\t%s\t%s\t%d\t%d\t%d" % (os.path.basename(path), len(data), hashlib.sha256(data).hexdigest()[:16],
                                               b["version"][0], len(a), sum(map(len, a.values())), len(differ)))
        bad += len(differ)
    return bad != 0


sys.exit(main())

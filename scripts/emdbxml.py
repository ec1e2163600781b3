"""What the header XML of an EMDB entry says, of either generation of the schema (1.9 and 3.0). Python 3 standard library only.

Numbers stay the text that the header has. The program reads the same headers (cryolex info); a test holds the two
against each other."""
import os
import re
import xml.etree.ElementTree as xml

import fetch

SIZE_MAX = 1 << 26
NUMBERS = ("contour", "resolution", "columns", "rows", "sections", "kbytes")
REBUILT = "structure_determination_list/structure_determination/*/final_reconstruction/resolution"
RELATIONS = {"FULLOVERLAP": "full", "PARTIALOVERLAP": "partial", "NOOVERLAP": "apart"}


def number(name):
    """The number, as text, of EMD-1234, emd_1234 or 1234."""
    m = re.fullmatch(r"(?:emd[-_])?([0-9]{4,9})", name.lower())
    if not m:
        raise fetch.Failed("not an EMDB accession (EMD-1234 is wanted)")
    return m.group(1)


def parse(path):
    """The root element. Headers have no document type, so that no entity can be declared either."""
    name = os.path.basename(path)
    if os.path.getsize(path) > SIZE_MAX:
        raise fetch.Failed(f"{name}: more than {SIZE_MAX} bytes")
    with open(path, "rb") as f:
        text = f.read()
    if b"<!DOCTYPE" in text or b"\0" in text:  # or in UTF-16
        raise fetch.Failed(f"{name}: a document type declaration")
    try:
        return xml.fromstring(text)
    except (xml.ParseError, ValueError) as e:
        raise fetch.Failed(f"{name}: not XML ({e})") from None


def models_of(root):
    """PDB ids deposited with the map, and how each lies in it: full, partial, apart, or unsaid."""
    out = {}
    for ref in root.findall("crossreferences/pdb_list/pdb_reference"):
        said = RELATIONS.get((ref.findtext("relationship/in_frame") or "").strip(), "unsaid")
        out.setdefault((ref.findtext("pdb_id") or "").strip().lower(), said)
    for e in root.findall("deposition/fittedPDBEntryIdList/fittedPDBEntryId"):
        out.setdefault((e.text or "").strip().lower(), "unsaid")
    return {i: said for i, said in out.items() if re.fullmatch(r"[0-9][a-z0-9]{3}|pdb_[a-z0-9]{8}", i)}


def read(path):
    """The facts by name, as text, "" where the header is silent; lists under half and mask (names of files), a dict under
    models. A header that is none is removed, so that the next run fetches it anew."""
    try:
        root = parse(path)
        if root.tag not in ("emd", "emdEntry"):
            raise fetch.Failed(f"{os.path.basename(path)}: no EMDB header (whose root element is emd or emdEntry)")

        def first(*paths):
            return next((t.strip() for t in map(root.findtext, paths) if t and t.strip()), "")

        def names(path):
            return [t for t in (os.path.basename((e.text or "").strip()) for e in root.findall(path)) if re.match(r"emd_[0-9]", t)]

        facts = {
            "id": (root.get("emdb_id") or "EMD-" + (root.get("accessCode") or "")).upper(),
            "title": first("admin/title", "deposition/title"),
            "method": first("structure_determination_list/structure_determination/method", "processing/method"),
            "contour": first("map/contour_list/contour[@primary='true']/level", "map/contour_list/contour/level", "map/contourLevel"),
            "resolution": first(REBUILT, ".//final_reconstruction/resolution", ".//reconstruction/resolutionByAuthor"),
            "columns": first("map/dimensions/col", "map/dimensions/numColumns"),
            "rows": first("map/dimensions/row", "map/dimensions/numRows"),
            "sections": first("map/dimensions/sec", "map/dimensions/numSections"),
            "kbytes": (root.find("map[@size_kbytes]").get("size_kbytes")).strip() if root.find("map[@size_kbytes]") is not None else "",
            "models": models_of(root),
            "half": names("interpretation/half_map_list/half_map/file"),
            "mask": names("interpretation/segmentation_list/segmentation/mask_details/file"),
        }
        for key in NUMBERS:
            if facts[key] and value(facts, key) is None:
                raise fetch.Failed(f"{os.path.basename(path)}: {key} '{facts[key][:40]}' (a number is wanted)")
    except fetch.Failed:
        os.remove(path)
        raise
    if facts["resolution"] and value(facts, "resolution") <= 0:
        facts["resolution"] = ""
    return facts


def value(facts, key):
    """A number, or None where it is unknown or none."""
    return float(facts[key]) if re.fullmatch(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,2})?", facts[key]) else None

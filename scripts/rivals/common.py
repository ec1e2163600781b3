"""What the wrappers share: queries, candidates, a table of scores for cryolex bench --scores NAME=FILE."""
import argparse
import csv
import os
import shutil
import subprocess
import sys

csv.field_size_limit(1 << 30)


def cryolex():
    """The program: what CRYOLEX names, else that of the clone, else the one that is installed."""
    here = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "cryolex")
    return os.environ.get("CRYOLEX") or (os.path.normpath(here) if os.path.exists(here) else "cryolex")


def arguments(what, program, variable, help_):
    p = argparse.ArgumentParser(description=what)
    p.add_argument("queries", help="the table that cryolex bench --queries gets: path (or file), and id if it has one")
    p.add_argument("structures", help="folder with the files of entries: 1abc.cif.gz, ab/1abc.pdb.gz and so on")
    p.add_argument("-k", type=int, default=20, help="candidates of a query: the first hits of cryolex search (20); pairs beyond them come last")
    p.add_argument("--cryolex", default=cryolex(), help="[%(default)s]")
    p.add_argument("--program", default=os.environ.get(variable, program), help=help_)
    p.add_argument("--resolution", type=float, default=10, help="of the simulated entries, angstrom (10)")
    o = p.parse_args()
    for x in (o.cryolex, o.program):
        if not shutil.which(x):
            sys.exit(f"{os.path.basename(sys.argv[0])}: {x}: no such program; --cryolex, --program or {variable} names it")
    return o


def queries(path):
    """(id, path of the map), as cryolex bench names them."""
    folder = os.path.dirname(os.path.abspath(path))
    with open(path, encoding="utf-8", newline="") as f:
        for r in csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE):
            name = r.get("path") or r["file"]
            entry = r.get("entry") or r.get("fitted_pdb") or "-"
            if entry != "-":
                yield r.get("id") or os.path.basename(name).split(".")[0], os.path.join(folder, name)


def candidates(o, path, *more):
    run = subprocess.run([o.cryolex, "search", "-q", "-k", str(o.k), *more, path], capture_output=True, text=True)
    if run.returncode:
        print(f"{path}: {run.stderr.strip()}", file=sys.stderr)
        return []
    rows = [line.split("\t") for line in run.stdout.splitlines()]
    at = rows[0].index("id")
    return [r[at] for r in rows[1:]]


def file_of(folder, entry):
    pdb = entry.split("_")[0].lower()
    for sub in ("", pdb[1:3], pdb[:2]):
        for end in (".cif.gz", ".cif", ".pdb.gz", ".pdb", ".ent.gz"):
            p = os.path.join(folder, sub, pdb + end)
            if os.path.exists(p):
                return p
    return None


def scores(o, score, out=sys.stdout):
    """score(map, model file) for every pair; a pair that fails is left out, with a line on standard error."""
    out.write("query\tentry\tscore\n")
    for name, path in queries(o.queries):
        for entry in candidates(o, path):
            model = file_of(o.structures, entry)
            value = score(path, model) if model else None
            if value is None:
                print(f"{name} {entry}: {'no score' if model else 'no file'}", file=sys.stderr)
            else:
                out.write(f"{name}\t{entry}\t{value:.6g}\n")
                out.flush()

"""Cases for scripts/mirror-emdb and scripts/mirror-pdb, as TAP: the local server of fetch_cases.py with listings and dates,
and rsync's own daemon where rsync is there."""
import argparse
import email.utils
import glob
import gzip
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import fetch_cases  # noqa: E402
from fetch_cases import BODY, SCRIPTS  # noqa: E402

sys.path.insert(0, SCRIPTS)
import emdbxml  # noqa: E402
import fetch  # noqa: E402
import mirror  # noqa: E402

CRYOLEX = os.environ.get("CRYOLEX")
DATE, LATER = 1_700_000_000, 1_700_600_000
EMDB, PDB = "/emdb/structures/", "/pub/pdb/data/structures/divided/mmCIF/"


def header(number, method="singleParticle", resolution="3.4", side=64, contour="0.018", models=(("9xyz", "FULLOVERLAP"),), extra=""):
    refs = "".join(f"<pdb_reference><pdb_id>{i}</pdb_id><relationship><in_frame>{r}</in_frame></relationship></pdb_reference>"
                   for i, r in models)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<emd emdb_id="EMD-{number}" version="3.0.11.3"><admin><title>Map\tof {number} &amp; more</title>{extra}</admin>
<crossreferences><pdb_list>{refs}</pdb_list></crossreferences>
<structure_determination_list><structure_determination><method>{method}</method><singleparticle_processing>
<final_reconstruction><resolution units="A">{resolution}</resolution></final_reconstruction></singleparticle_processing>
</structure_determination></structure_determination_list>
<map format="CCP4" size_kbytes="{side ** 3 // 256}"><dimensions><col>{side}</col><row>{side}</row><sec>{side - 2}</sec></dimensions>
<contour_list><contour><level>9</level></contour><contour primary="true"><level>{contour}</level></contour></contour_list></map>
</emd>""".encode()


HEADERS = {
    "1001": header(1001, models=(("8abc", "PARTIALOVERLAP"), ("9XYZ", "FULLOVERLAP"))),
    "1002": header(1002, resolution="12.5", models=()),
    "1003": header(1003, method="tomography", side=512),
    "12345": header(12345, side=200),
}
ROW = "EMD-1001\tEMD-1001/map/emd_1001.map.gz\tmap\t0.018\t3.4\tMap of 1001 & more\t9xyz;8abc\n"
OLD = b"""<emdEntry accessCode="1004" version="1.9.6"><deposition><title>old</title><fittedPDBEntryIdList><fittedPDBEntryId>1ABC</fittedPDBEntryId>
</fittedPDBEntryIdList></deposition><map><dimensions><numRows>30</numRows><numColumns>20</numColumns><numSections>40</numSections></dimensions>
<contourLevel source="author">1.5</contourLevel></map><processing><method>helical</method><reconstruction><resolutionByAuthor>23.5</resolutionByAuthor>
</reconstruction></processing></emdEntry>"""


def emdb_files(number, text):
    return {f"{EMDB}EMD-{number}/header/emd-{number}.xml": text, f"{EMDB}EMD-{number}/map/emd_{number}.map.gz": BODY}


class Handler(fetch_cases.Handler):
    files, dates, hidden, slow, busy = {}, {}, (), 0.0, {}
    gate = None  # an Event, before which no file is answered
    extra = ""  # of every listing

    def do_GET(self):
        fetch_cases.FILES, path = self.files, self.path
        if not path.endswith("/"):
            time.sleep(self.slow)
            if self.gate:
                self.seen.append((path, "gate", None))
                self.gate.wait(30)
            date = self.dates.get(path, DATE)
            since = self.headers.get("If-Modified-Since")
            if since and path in self.files and email.utils.mktime_tz(email.utils.parsedate_tz(since)) >= date:
                self.seen.append((path, "304", None))
                return self.refuse(304)
            if self.busy.get(path):
                self.busy[path] -= 1
                self.seen.append((path, "429", None))
                return self.refuse(429, "Retry-After", "0")
            return super().do_GET()
        names = {}
        for f in self.files:
            if f.startswith(path) and not any(h in f for h in self.hidden):
                rest = f[len(path):]
                names[rest.split("/")[0] + ("/" if "/" in rest else "")] = f
        body = "".join(f'<tr><td><a href="{n}">{n[:20]}</a></td><td>{self.dates.get(f, DATE)}  </td><td> 12K</td></tr>\n'
                       for n, f in names.items())
        text = f'<html><h1>Index of x</h1><table><a href="?C=N;O=D">Name</a><a href="../">Parent</a>{body}{self.extra}</table></html>'.encode()
        self.seen.append((path, None, None))
        if self.faults and self.faults[0] == "cut":
            self.faults.pop(0)
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            super().end_headers()
            self.wfile.write(text[:len(text) // 2])
            self.close_connection = True
            return None
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        super().end_headers()
        return self.wfile.write(text)

    def end_headers(self):
        if not self.path.endswith("/"):
            self.send_header("Last-Modified", email.utils.formatdate(self.dates.get(self.path, DATE), usegmt=True))
        super().end_headers()


class Case(fetch_cases.Case):
    def __init__(self, base, folder):
        super().__init__(base, folder)
        Handler.faults, Handler.seen, Handler.version = [], [], '"v1"'
        Handler.dates, Handler.hidden, Handler.slow, Handler.busy, Handler.extra, Handler.gate = {}, (), 0.0, {}, "", None
        Handler.files = {f"{PDB}{c[1:3]}/{c}.cif.gz": BODY for c in ("1abc", "2abd", "3def")}
        for number, text in HEADERS.items():
            Handler.files |= emdb_files(number, text)

    def command(self, program, *args, base=None):
        base = base or self.base + ("/emdb" if program == "mirror-emdb" else "/pub/pdb/data")
        return [sys.executable, os.path.join(SCRIPTS, program), "--base", base, "-o", self.dir, "--delay", "0",
                "--wait", "0.01", "--tries", "4", "--timeout", "5", *args]

    def run(self, program, *args, status=0, base=None):
        p = subprocess.run(self.command(program, *args, base=base), capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        assert p.returncode == status, f"status {p.returncode} (wanted {status})\n{p.stdout}{p.stderr}"
        return p

    def manifest(self):
        return self.read("manifest.tsv").decode()

    def ids(self):
        return [line.split("\t")[0] for line in self.manifest().splitlines()[1:]]

    def asked(self):
        return [path for path, _, _ in Handler.seen]

    def stray(self):
        return [f for f in self.left() if f.endswith((".part", ".tag", ".tmp")) or "/." in f]


def emdb_all(c):
    p = c.run("mirror-emdb")
    assert c.manifest().startswith("id\tpath\tkind\tcontour\tresolution\ttitle\tpair\n" + ROW), c.manifest()
    assert c.ids() == ["EMD-1001", "EMD-1002", "EMD-1003", "EMD-12345"], c.ids()
    assert c.read("EMD-1002/map/emd_1002.map.gz") == BODY and c.read("EMD-1001/header/emd-1001.xml") == HEADERS["1001"]
    assert "4 there, 0 left out by the filters, 0 failed" in p.stderr and p.stdout.count("\n") == 4 and not c.stray(), c.stray()
    assert os.path.getmtime(os.path.join(c.dir, "EMD-1002/map/emd_1002.map.gz")) == DATE


def again_asks_only_for_the_listing(c):
    c.run("mirror-emdb")
    Handler.seen = []
    before = c.manifest()
    c.run("mirror-emdb")
    assert c.asked() == [EMDB] and c.manifest() == before, c.asked()


def filters_before_the_map(c):
    for option, left in ((["--method", "singleparticle,helical"], ["EMD-1001", "EMD-1002", "EMD-12345"]),
                         (["--max-resolution", "5"], ["EMD-1001", "EMD-1003", "EMD-12345"]),
                         (["--max-box", "199"], ["EMD-1001", "EMD-1002"]),
                         (["--max-size", "30.6", "--fitted"], ["EMD-1001", "EMD-12345"])):
        c.dir = tempfile.mkdtemp(dir=c.dir)
        Handler.seen = []
        c.run("mirror-emdb", *option)
        assert c.ids() == left, (option, c.ids())
        assert len([f for f in c.asked() if "/map/" in f]) == len(left)


def old_header_and_silent_header(c):
    Handler.files |= emdb_files("1004", OLD) | emdb_files("1005", b'<emd emdb_id="EMD-1005"/>')
    c.run("mirror-emdb", "EMD-1004", "emd_1005")
    assert "EMD-1004\tEMD-1004/map/emd_1004.map.gz\tmap\t1.5\t23.5\told\t1abc\n" in c.manifest(), c.manifest()
    assert "EMD-1005\tEMD-1005/map/emd_1005.map.gz\tmap\t\t\t\t\n" in c.manifest()
    c.run("mirror-emdb", "--max-box", "100", "1004", "1005")
    c.dir = tempfile.mkdtemp(dir=c.dir)
    c.run("mirror-emdb", "--max-box", "39", "1004", "1005")
    assert c.ids() == []


def bad_headers(c):
    bomb = b'<!DOCTYPE emd [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + header(1003)
    Handler.files |= emdb_files("1001", header(999)) | emdb_files("1002", b"<html>sorry<br>") | emdb_files("1003", bomb)
    Handler.files |= emdb_files("1006", header(1006, contour="high")) | emdb_files("1007", header(1007, resolution="-1"))
    Handler.files |= emdb_files("1008", b"<html/>") | emdb_files("1009", header(1009, contour="1e999"))
    p = c.run("mirror-emdb", status=1)
    assert c.ids() == ["EMD-1007", "EMD-12345"] and "EMD-1007\tEMD-1007/map/emd_1007.map.gz\tmap\t0.018\t\t" in c.manifest(), c.manifest()
    for text in ("EMD-1001: the header is of EMD-999", "EMD-1002: emd-1002.xml: not XML", "EMD-1003: emd-1003.xml: a document type",
                 "EMD-1006: emd-1006.xml: contour 'high'", "EMD-1008: emd-1008.xml: no EMDB header", "EMD-1009: emd-1009.xml: contour"):
        assert text in p.stderr, (text, p.stderr)
    assert not any("1001" in f or "1002" in f for f in c.left())
    Handler.files |= emdb_files("1001", HEADERS["1001"])
    c.run("mirror-emdb", "1001")
    assert ROW in c.manifest()


def missing_header_and_map(c):
    del Handler.files[f"{EMDB}EMD-1001/header/emd-1001.xml"], Handler.files[f"{EMDB}EMD-1003/map/emd_1003.map.gz"]
    p = c.run("mirror-emdb", status=1)
    assert c.ids() == ["EMD-1002", "EMD-12345"] and p.stderr.count("status 404") == 2 and "2 failed" in p.stderr
    assert c.asked().count(f"{EMDB}EMD-1001/header/emd-1001.xml") == 1, "404 is not tried again"


def list_and_limit(c):
    with open(os.path.join(c.dir, "ids"), "w") as f:
        f.write("# mine\nEMD-12345\n1001\nEMD-77x\n1002\n")
    p = c.run("mirror-emdb", "--list", os.path.join(c.dir, "ids"), "--limit", "2", status=1)
    assert c.ids() == ["EMD-12345", "EMD-1001"] and EMDB not in c.asked() and "EMD-77x: not an EMDB accession" in p.stderr
    c.run("mirror-emdb", "--list", os.path.join(c.dir, "ids"), "--limit", "2", status=1)
    assert c.ids() == ["EMD-12345", "EMD-1001", "EMD-1002"]


def limit_is_of_what_passes_the_filters(c):
    c.run("mirror-emdb", "--max-box", "300", "--limit", "1", "--batch", "1", "1003", "12345", "1001")
    assert c.ids() == ["EMD-12345"], c.ids()


def dry_run(c):
    c.run("mirror-emdb", "1002")
    Handler.seen, before = [], c.left()
    p = c.run("mirror-emdb", "--dry-run")
    assert p.stdout == "EMD-1001\nEMD-1003\nEMD-12345\n" and c.asked() == [EMDB] and c.left() == before


def tricks_in_the_listing(c):
    Handler.extra = "".join(f'<a href="{h}">x</a>' for h in (
        "../../../etc/", "EMD-1001/../../../../x/", "%2e%2e/%2e%2e/etc/", "/etc/", "http://example.invalid/EMD-6666/", "EMD-1001%2f..%2f..%2fx/",
        "EMD-7777/x/", "//example.invalid/EMD-8888/", "EMD-99999999999/", "EMD-1001\n/", "EMD-ab/", "EMD-6\x00001/", "file:///etc/passwd", "EMD-1001;rm/"))
    c.run("mirror-emdb")
    assert c.ids() == ["EMD-1001", "EMD-1002", "EMD-1003", "EMD-12345"], c.ids()
    assert all(f.startswith(("EMD-1", "manifest.tsv", ".mirror.")) for f in c.left()), c.left()
    Handler.extra = '<a href="../ab/9zzz.cif.gz">x</a><a href="9zz/">x</a><a href="..%2f1abc.cif.gz">x</a><a href="4zzz.cif.gz">x</a>'
    c.dir = tempfile.mkdtemp(dir=c.dir)
    c.run("mirror-pdb")
    assert c.ids() == ["1abc", "2abd", "3def"], c.ids()


def cut_listing(c):
    Handler.faults = ["cut"]
    p = c.run("mirror-emdb", "--dry-run")
    assert p.stdout.count("\n") == 4 and "the connection ended after" in p.stderr
    Handler.faults = ["cut"] * 4
    assert "given up after 4 tries" in c.run("mirror-emdb", status=3).stderr


def no_entries_no_server(c):
    Handler.files = {"/emdb/structures/README": b"x"}
    assert "no entries in the listing" in c.run("mirror-emdb", status=3).stderr
    assert "connection" in c.run("mirror-emdb", status=3, base="http://127.0.0.1:9").stderr
    assert "no https:// or rsync:// address" in c.run("mirror-emdb", status=3, base="file:///etc").stderr


def busy(c):
    path = f"{EMDB}EMD-1001/map/emd_1001.map.gz"
    Handler.busy = {path: 2, f"{EMDB}EMD-1002/map/emd_1002.map.gz": 99}
    p = c.run("mirror-emdb", status=1)
    assert c.asked().count(path) == 3 and c.ids() == ["EMD-1001", "EMD-1003", "EMD-12345"] and "status 429; given up after 4 tries" in p.stderr


def truncated_then_resumed(c):
    Handler.faults = [None, "cut"]
    c.run("mirror-emdb", "1001")
    assert Handler.seen[-1][1] == f"bytes={len(BODY) // 2}-" and c.read("EMD-1001/map/emd_1001.map.gz") == BODY


def killed(c, sig):
    """A run that is ended while maps come, then another."""
    Handler.slow = 0.15
    p = subprocess.Popen(c.command("mirror-emdb", "--batch", "1"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert p.stdout.readline().rstrip("\n").endswith("emd_1001.map.gz")
    p.send_signal(sig)
    p.wait(20)
    p.stdout.close()
    Handler.slow = 0.0
    first = [f for f in c.asked() if f.endswith(".map.gz")]
    if sig == signal.SIGTERM:
        assert p.returncode == 3 and c.ids()[:1] == ["EMD-1001"], p.returncode
    Handler.seen = []
    c.run("mirror-emdb")
    assert c.ids() == ["EMD-1001", "EMD-1002", "EMD-1003", "EMD-12345"] and not c.stray(), (c.ids(), c.stray())
    assert first[0] not in c.asked() and len(first) < 4, first
    c.dir, before = tempfile.mkdtemp(dir=c.dir), c.manifest()
    c.run("mirror-emdb")
    assert c.manifest() == before, "as an undisturbed run"


def killed_by_term(c):
    killed(c, signal.SIGTERM)


def killed_by_kill(c):
    killed(c, signal.SIGKILL)


def two_runs_at_once(c):
    Handler.gate = threading.Event()
    p = subprocess.Popen(c.command("mirror-emdb", "1001"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not Handler.seen:
        time.sleep(0.01)
    assert "another run is at it" in c.run("mirror-emdb", "1001", status=3).stderr
    Handler.gate.set()
    assert p.wait(20) == 0


def update(c):
    c.run("mirror-emdb")
    Handler.seen = []
    c.run("mirror-emdb", "--update")
    assert c.asked() == [EMDB], "compared just now"
    path = f"{EMDB}EMD-1001/header/emd-1001.xml"
    Handler.files[path], Handler.dates[path] = header(1001, contour="0.5"), LATER
    c.run("mirror-emdb", "--update", "--age", "0")
    fetched = [p for p, r, _ in Handler.seen if r != "304" and p != EMDB]
    assert fetched == [path] and "\t0.5\t3.4\t" in c.manifest() and len(c.ids()) == 4, (fetched, c.manifest())


def update_loses_obsolete_entries(c):
    c.run("mirror-emdb")
    Handler.hidden = ("EMD-1002",)
    c.run("mirror-emdb")
    assert "EMD-1002" in c.ids(), "only an update drops"
    p = c.run("mirror-emdb", "--update")
    assert "EMD-1002" not in c.ids() and "obsolete" in p.stderr and c.read("EMD-1002/map/emd_1002.map.gz") == BODY


def update_does_not_believe_a_short_listing(c):
    with open(os.path.join(c.dir, "manifest.tsv"), "w") as f:
        f.write("id\tpath\nmine\tm.mrc\n" + "".join(f"EMD-{n}\tx\n" for n in range(2000, 2030)))
    p = c.run("mirror-emdb", "--update", "--limit", "1")
    assert "too many to be believed" in p.stderr and len(c.ids()) == 32 and "mine" in c.ids()


def pdb_all(c):
    c.run("mirror-pdb")
    assert c.manifest().startswith("id\tpath\tkind\tcontour\tresolution\ttitle\tpair\n1abc\tab/1abc.cif.gz\tmodel\t\t\t\t\n2abd\t"), c.manifest()
    assert c.read("ab/2abd.cif.gz") == BODY and c.ids() == ["1abc", "2abd", "3def"]


def pdb_update_by_the_listing(c):
    c.run("mirror-pdb")
    path = f"{PDB}ab/2abd.cif.gz"
    Handler.files[path], Handler.dates[path], Handler.seen = gzip.compress(b"new"), LATER, []
    c.run("mirror-pdb", "--update", "--age", "0")
    assert [f for f in c.asked() if f.endswith(".gz")] == [path] and gzip.decompress(c.read("ab/2abd.cif.gz")) == b"new", c.asked()


def pdb_assembly(c):
    Handler.files |= {"/pub/pdb/data/assemblies/mmCIF/divided/ab/1abc-assembly1.cif.gz": BODY,
                      "/pub/pdb/data/assemblies/mmCIF/divided/ab/1abc-assembly2.cif.gz": BODY}
    c.run("mirror-pdb", "--assembly", "1")
    assert c.ids() == ["1abc-1"] and c.read("ab/1abc-assembly1.cif.gz") == BODY


def misuse(c):
    for option in (["--jobs", "9"], ["--limit", "0"], ["--batch", "x"]):
        c.run("mirror-emdb", *option, status=2)


def headers_as_the_program_reads_them(c):
    """Also the real ones, where they are."""
    folder, maps = os.environ.get("CRYOLEX_DATA", ""), os.path.join(c.dir, "m.mrc")
    paths = sorted(glob.glob(os.path.join(folder, "maps", "headers", "*.xml")))
    with open(maps, "wb") as f:
        f.write(small_map())
    for number, text in {**HEADERS, "1004": OLD}.items():
        paths.append(os.path.join(c.dir, f"emd-{number}.xml"))
        with open(paths[-1], "wb") as f:
            f.write(text)
    for path in paths:
        p = subprocess.run([CRYOLEX, "info", "--format", "json", "--header", path, maps], capture_output=True, text=True, check=True, timeout=60)
        theirs, ours = json.loads(p.stdout)["emdb"], emdbxml.read(path)
        for key in ("contour", "resolution"):
            assert theirs[key] == emdbxml.value(ours, key), (path, key, theirs[key], ours[key])
        assert {m["id"]: m["relation"] for m in theirs["models"] if m["relation"] != "initial"} == ours["models"], (theirs, ours["models"])
        assert [theirs["id"], theirs["title"].replace("?", " ").split(), theirs["method"]] == [ours["id"], ours["title"].split(), ours["method"]], theirs


def small_map():
    import struct
    words = [4, 4, 4, 2, 0, 0, 0, 4, 4, 4]
    head = struct.pack("<10i6f3i3f2i", *words, 4, 4, 4, 90, 90, 90, 1, 2, 3, 0, 1, .5, 1, 0)
    head += b"\0" * (104 - len(head)) + b"\0\0\0\0" + struct.pack("<i", 20140)
    head += b"\0" * (208 - len(head)) + b"MAP DD\0\0" + struct.pack("<fi", 1, 0)
    return head + b"\0" * (1024 - len(head)) + struct.pack("<64f", *(float(i % 2) for i in range(64)))


def index_reads_the_manifest(c):
    Handler.files[f"{EMDB}EMD-1001/map/emd_1001.map.gz"] = gzip.compress(small_map())
    c.run("mirror-emdb", "1001")
    p = subprocess.run([CRYOLEX, "index", "build", "-o", os.path.join(c.dir, "i.h5"), os.path.join(c.dir, "manifest.tsv")],
                       capture_output=True, text=True, timeout=60, check=False)
    assert p.returncode == 0 and "not known" not in p.stderr and "1 entries, 0 failed" in p.stderr, p.stderr


class Rsync:
    """rsync's daemon over a folder with the files of the server."""

    def __init__(self, c):
        self.c, self.root = c, tempfile.mkdtemp(dir=c.dir)
        c.dir = tempfile.mkdtemp(dir=c.dir)
        self.write()
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        conf = os.path.join(self.root, "..", "rsyncd.conf")
        who = "uid = 0\ngid = 0\n" if os.getuid() == 0 else ""
        with open(conf, "w") as f:
            f.write(f"use chroot = no\n{who}[emdb]\npath = {self.root}/emdb\nread only = yes\n[pdb]\npath = {self.root}/pub/pdb/data\nread only = yes\n")
        self.process = subprocess.Popen(["rsync", "--daemon", "--no-detach", f"--config={conf}", f"--port={port}", "--address=127.0.0.1"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        self.emdb, self.pdb = f"rsync://127.0.0.1:{port}/emdb", f"rsync://127.0.0.1:{port}/pdb"
        for _ in range(100):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError("no daemon")

    def write(self):
        for name, body in Handler.files.items():
            path = self.root + name
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as f:
                f.write(body)
            os.utime(path, (Handler.dates.get(name, DATE),) * 2)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)


def rsync_emdb(c):
    c.run("mirror-emdb")
    want = c.manifest()
    with Rsync(c) as r:
        os.symlink("/etc", r.root + "/emdb/structures/EMD-5555")
        p = c.run("mirror-emdb", base=r.emdb)
        assert c.manifest() == want and not c.stray(), (c.manifest(), c.stray())
        p = c.run("mirror-emdb", base=r.emdb)
        assert "bytes" not in p.stderr and p.stdout == ""
        path = f"{EMDB}EMD-1001/header/emd-1001.xml"
        Handler.files[path], Handler.dates[path] = header(1001, contour="0.5"), LATER
        r.write()
        p = c.run("mirror-emdb", "--update", "--age", "0", base=r.emdb)
        assert p.stderr.count(" bytes\n") == 1 and "\t0.5\t3.4\t" in c.manifest(), p.stderr


def rsync_faults(c):
    Handler.files[f"{EMDB}EMD-1001/map/emd_1001.map.gz"] = BODY[:-5]
    del Handler.files[f"{EMDB}EMD-1002/header/emd-1002.xml"], Handler.files[f"{EMDB}EMD-1003/map/emd_1003.map.gz"]
    with Rsync(c) as r:
        p = c.run("mirror-emdb", base=r.emdb, status=1)
        assert c.ids() == ["EMD-12345"] and p.stderr.count("not there, or damaged") == 3, p.stderr
        assert not any(f.endswith("emd_1001.map.gz") for f in c.left())
        assert "Unknown module" in c.run("mirror-emdb", base=r.emdb + "x", status=3).stderr
    assert "failed to connect" in c.run("mirror-emdb", base=r.emdb, status=3).stderr


def rsync_listing_without_end(c):
    a = argparse.Namespace(delay=0, tries=2, wait=0.01, timeout=5)
    with Rsync(c) as r:
        s = mirror.Rsync(a, r.emdb + "/structures")
        assert len(s.listing("")) > 3
        most, mirror.LISTING_MAX = mirror.LISTING_MAX, 100
        try:
            s.listing("")
        except fetch.Failed as e:
            assert "a listing of more than 100 bytes" in str(e), e
        else:
            raise AssertionError("it was read")
        finally:
            mirror.LISTING_MAX = most


def rsync_pdb(c):
    with Rsync(c) as r:
        c.run("mirror-pdb", base=r.pdb)
        assert c.ids() == ["1abc", "2abd", "3def"] and c.read("ab/1abc.cif.gz") == BODY
        Handler.files[f"{PDB}ab/2abd.cif.gz"], Handler.dates[f"{PDB}ab/2abd.cif.gz"] = gzip.compress(b"new"), LATER
        r.write()
        p = c.run("mirror-pdb", "--update", base=r.pdb)
        assert p.stderr.count(" bytes\n") == 1 and gzip.decompress(c.read("ab/2abd.cif.gz")) == b"new", p.stderr


def rsync_resumes(c):
    """What an ended run left of a file is gone on with."""
    with Rsync(c) as r:
        part = os.path.join(c.dir, "EMD-1001/map/.part")
        os.makedirs(part)
        with open(os.path.join(part, "emd_1001.map.gz"), "wb") as f:
            f.write(BODY[:200_000])
        c.run("mirror-emdb", "1001", base=r.emdb)
        assert c.read("EMD-1001/map/emd_1001.map.gz") == BODY and not os.path.exists(part), c.left()


CASES = [emdb_all, again_asks_only_for_the_listing, filters_before_the_map, old_header_and_silent_header, bad_headers,
         missing_header_and_map, list_and_limit, limit_is_of_what_passes_the_filters, dry_run, tricks_in_the_listing, cut_listing,
         no_entries_no_server, busy, truncated_then_resumed, killed_by_term, killed_by_kill, two_runs_at_once, update,
         update_loses_obsolete_entries, update_does_not_believe_a_short_listing, pdb_all, pdb_update_by_the_listing, pdb_assembly, misuse]
PROGRAM = [headers_as_the_program_reads_them, index_reads_the_manifest]
RSYNC = [rsync_emdb, rsync_faults, rsync_listing_without_end, rsync_pdb, rsync_resumes]


def cases():
    out = list(CASES)
    for group, there, what in ((PROGRAM, CRYOLEX, "the program, CRYOLEX"), (RSYNC, shutil.which("rsync"), "rsync")):
        if there:
            out += group
        else:
            print(f"# left out, without {what}: {', '.join(f.__name__ for f in group)}")
    return out


if __name__ == "__main__":
    sys.exit(fetch_cases.run(Handler, Case, cases()))

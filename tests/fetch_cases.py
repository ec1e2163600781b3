"""Cases for scripts/fetch-emdb and scripts/fetch-pdb, as TAP: a local server with ranges and faults on demand."""
import argparse
import contextlib
import errno
import gzip
import hashlib
import http.server
import io
import os
import random
import resource
import ssl
import subprocess
import sys
import tempfile
import threading
import traceback
import zipfile
from importlib.machinery import SourceFileLoader

SCRIPTS = sys.argv[1]
sys.dont_write_bytecode = True
sys.path.insert(0, SCRIPTS)
import fetch  # noqa: E402

BODY = gzip.compress(random.Random(1).randbytes(300_000))
HEADER = b"""<emd emdb_id="EMD-1234"><map><contour_list><contour><level>9</level></contour>
<contour primary="true"><level>0.018</level></contour></contour_list></map>
<a><final_reconstruction><resolution units="A">3.4</resolution></final_reconstruction></a><interpretation>
<half_map_list><half_map><file>emd_1234_half_map_1.map.gz</file></half_map><half_map><file>emd_1234_half_map_2.map.gz</file></half_map></half_map_list>
<segmentation_list><segmentation><mask_details><file>emd_1234_msk_1.map</file></mask_details></segmentation></segmentation_list>
</interpretation></emd>"""
OLD_HEADER = b"""<emdEntry accessCode="1235"><map><contourLevel source="author">1.5</contourLevel></map>
<processing><reconstruction><resolutionByAuthor>23.5</resolutionByAuthor></reconstruction></processing></emdEntry>"""
EMDB, PDB = "/emdb/structures/EMD-", "/pub/pdb/data/"
FILES = {
    EMDB + "1234/header/emd-1234.xml": HEADER,
    EMDB + "1234/map/emd_1234.map.gz": BODY,
    EMDB + "1234/other/emd_1234_half_map_1.map.gz": BODY,
    EMDB + "1234/other/emd_1234_half_map_2.map.gz": BODY,
    EMDB + "1234/masks/emd_1234_msk_1.map": b"mask" * 300,
    EMDB + "1235/header/emd-1235.xml": OLD_HEADER,
    EMDB + "1235/map/emd_1235.map.gz": BODY,
    EMDB + "1236/header/emd-1236.xml": b"<html>sorry<br></html>",
    PDB + "structures/divided/mmCIF/ab/1abc.cif.gz": BODY,
    PDB + "assemblies/mmCIF/divided/ab/1abc-assembly1.cif.gz": BODY,
    PDB + "structures/divided/mmCIF/de/2def.cif.gz": BODY + BODY,  # two members
}
PDB_FILE = PDB + "structures/divided/mmCIF/ab/1abc.cif.gz"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    faults = []  # each used up by one request: 503, "cut", "long", "garbage", "no range", "total"
    seen = []  # (path, Range, User-Agent)
    version = '"v1"'

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.seen.append((self.path, self.headers.get("Range"), self.headers.get("User-Agent")))
        fault = self.faults.pop(0) if self.faults else None
        body = FILES.get(self.path)
        if isinstance(fault, tuple):
            return self.refuse(*fault)
        if body is None:
            return self.refuse(404)
        if self.version == '"v2"':
            body = BODY[:10] + gzip.compress(body)[10:]
        if fault == "garbage":
            body = body[:1000] + b"\0" * 50 + body[1050:]
        start, status = 0, 200
        asked = self.headers.get("Range")
        if asked and fault != "no range" and self.headers.get("If-Range") in (None, self.version):
            start, status = int(asked[6:].rstrip("-")), 206
            if start >= len(body):
                return self.refuse(416)
        rest = body[start:]
        self.send_response(status)
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body) + (5 if fault == 'total' else 0)}")
        if self.version:
            self.send_header("ETag", self.version)
        self.send_header("Content-Length", str(len(rest) + (7 if fault == "long" else 0)))
        self.end_headers()
        self.wfile.write(rest[: len(rest) // 2] if fault == "cut" else rest)
        if fault in ("cut", "long"):
            self.close_connection = True

    def refuse(self, status, *header):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        if header:
            self.send_header(*header)
        self.end_headers()


class Case:
    def __init__(self, base, folder):
        self.base, self.dir = base, folder
        Handler.faults, Handler.seen, Handler.version = [], [], '"v1"'

    def run(self, program, *args, status=0, tries=4):
        base = self.base + ("/emdb" if program == "fetch-emdb" else "")
        p = subprocess.run([sys.executable, os.path.join(SCRIPTS, program), "--base", base, "-o", self.dir, "--delay", "0",
                            "--wait", "0.01", "--tries", str(tries), "--timeout", "5", *args],
                           capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        assert p.returncode == status, f"status {p.returncode} (wanted {status})\n{p.stdout}{p.stderr}"
        return p

    def read(self, name):
        with open(os.path.join(self.dir, name), "rb") as f:
            return f.read()

    def left(self):
        return sorted(os.path.join(d, f)[len(self.dir) + 1:] for d, _, files in os.walk(self.dir) for f in files)

    def ranges(self):
        return [r for _, r, _ in Handler.seen]


def pdb_entry(c):
    p = c.run("fetch-pdb", "1ABC")
    assert c.read("1abc.cif.gz") == BODY
    assert c.left() == ["1abc.cif.gz", "manifest.tsv"], c.left()
    assert c.read("manifest.tsv") == b"id\tpath\tkind\tcontour\tresolution\n1abc\t1abc.cif.gz\tmodel\t\t\n"
    assert p.stdout == os.path.join(c.dir, "1abc.cif.gz") + "\n", p.stdout
    assert "cryolex" in Handler.seen[0][2]


def pdb_long_id_and_assembly(c):
    c.run("fetch-pdb", "--assembly", "1", "pdb_00001abc")
    assert c.read("1abc-assembly1.cif.gz") == BODY
    assert b"1abc-1\t1abc-assembly1.cif.gz" in c.read("manifest.tsv")


def there_already(c):
    c.run("fetch-pdb", "1abc")
    n = len(Handler.seen)
    p = c.run("fetch-pdb", "1abc")
    assert len(Handler.seen) == n and "already there" in p.stderr
    assert c.read("manifest.tsv").count(b"1abc.cif") == 1


def two_members(c):
    c.run("fetch-pdb", "2def")
    assert c.read("2def.cif.gz") == BODY + BODY


def list_of_ids(c):
    with open(os.path.join(c.dir, "ids"), "w") as f:
        f.write("# mine\n1abc\n\n2def 4.0 comment\n1abc\n")
    c.run("fetch-pdb", "--from", os.path.join(c.dir, "ids"))
    assert len(Handler.seen) == 2 and c.read("manifest.tsv").count(b"\n") == 3


def emdb_entry(c):
    c.run("fetch-emdb", "EMD-1234")
    assert c.left() == ["EMD-1234/emd-1234.xml", "EMD-1234/emd_1234.map.gz", "manifest.tsv"], c.left()
    assert b"\nEMD-1234\tEMD-1234/emd_1234.map.gz\tmap\t0.018\t3.4\n" in c.read("manifest.tsv")


def emdb_old_header(c):
    c.run("fetch-emdb", "emd_1235")
    assert b"\nEMD-1235\tEMD-1235/emd_1235.map.gz\tmap\t1.5\t23.5\n" in c.read("manifest.tsv")


def emdb_half_maps_and_masks(c):
    c.run("fetch-emdb", "--half-maps", "--masks", "1234")
    assert c.read("EMD-1234/emd_1234_half_map_2.map.gz") == BODY
    assert c.read("EMD-1234/emd_1234_msk_1.map") == b"mask" * 300


def emdb_header_is_no_xml(c):
    c.run("fetch-emdb", "1236", status=1)
    assert c.left() == [], c.left()


def missing_entry(c):
    p = c.run("fetch-pdb", "9zzz", "1abc", status=1)
    assert len(Handler.seen) == 2, "404 is not tried again"
    assert "404" in p.stderr and "1 of 2 there" in p.stderr
    assert c.left() == ["1abc.cif.gz", "manifest.tsv"]


def bad_id(c):
    p = c.run("fetch-pdb", "../../etc/passwd", status=1)
    assert not Handler.seen and "not a PDB id" in p.stderr
    p = c.run("fetch-emdb", "EMD-12x", status=1)
    assert not Handler.seen and "not an EMDB accession" in p.stderr


def no_id(c):
    assert "no id given" in c.run("fetch-pdb", status=2).stderr


def busy_then_well(c):
    Handler.faults = [(503,), (429, "Retry-After", "0")]
    c.run("fetch-pdb", "1abc")
    assert len(Handler.seen) == 3 and c.read("1abc.cif.gz") == BODY


def busy_for_ever(c):
    Handler.faults = [(503,)] * 9
    p = c.run("fetch-pdb", "1abc", status=1)
    assert len(Handler.seen) == 4 and "given up after 4 tries" in p.stderr and c.left() == [], c.left()


def cut_and_continued(c):
    Handler.faults = ["cut", "cut"]
    c.run("fetch-pdb", "1abc")
    half = len(BODY) // 2
    assert c.ranges() == [None, f"bytes={half}-", f"bytes={half + (len(BODY) - half) // 2}-"], c.ranges()
    assert c.read("1abc.cif.gz") == BODY and c.left() == ["1abc.cif.gz", "manifest.tsv"]


def cut_and_continued_by_a_later_run(c):
    Handler.faults = ["cut"]
    c.run("fetch-pdb", "1abc", status=1, tries=1)
    assert c.left() == ["1abc.cif.gz.part", "1abc.cif.gz.part.tag"], c.left()
    c.run("fetch-pdb", "1abc")
    assert c.ranges()[1] == f"bytes={len(BODY) // 2}-" and c.read("1abc.cif.gz") == BODY


def changed_on_the_server(c):
    Handler.faults = ["cut"]
    c.run("fetch-pdb", "1abc", status=1, tries=1)
    Handler.version = '"v2"'
    c.run("fetch-pdb", "1abc")
    assert c.ranges()[1] is not None and len(Handler.seen) == 2 and gzip.decompress(c.read("1abc.cif.gz")) == BODY, c.ranges()


def server_without_ranges(c):
    Handler.faults = ["cut", "no range"]
    c.run("fetch-pdb", "1abc")
    assert c.read("1abc.cif.gz") == BODY


def server_without_versions(c):
    Handler.faults, Handler.version = ["cut"], None
    c.run("fetch-pdb", "1abc")
    assert c.ranges() == [None, None] and c.read("1abc.cif.gz") == BODY


def partial_longer_than_the_file(c):
    for name, text in (("1abc.cif.gz.part", BODY + b"x"), ("1abc.cif.gz.part.tag", b'"v1"')):
        with open(os.path.join(c.dir, name), "wb") as f:
            f.write(text)
    c.run("fetch-pdb", "1abc")
    assert len(Handler.seen) == 2 and c.read("1abc.cif.gz") == BODY


def wrong_length(c):
    Handler.faults = ["long"]
    c.run("fetch-pdb", "1abc")
    assert c.read("1abc.cif.gz") == BODY
    Handler.faults = ["long"] * 4
    os.remove(os.path.join(c.dir, "1abc.cif.gz"))
    c.run("fetch-pdb", "1abc", status=1)
    assert not os.path.exists(os.path.join(c.dir, "1abc.cif.gz"))


def wrong_total(c):
    Handler.faults = [None, None, "cut", "total"]
    p = c.run("fetch-emdb", "--masks", "1234")
    assert len(Handler.seen) == 5 and "promised" in p.stderr and c.read("EMD-1234/emd_1234_msk_1.map") == b"mask" * 300


def damaged_gzip(c):
    Handler.faults = ["garbage"]
    p = c.run("fetch-pdb", "1abc")
    assert "damaged" in p.stderr and c.ranges() == [None, None] and c.read("1abc.cif.gz") == BODY


def damaged_gzip_for_ever(c):
    Handler.faults = ["garbage"] * 4
    c.run("fetch-pdb", "1abc", status=1)
    assert c.left() == [], c.left()


def manifest_keeps_other_columns(c):
    with open(os.path.join(c.dir, "manifest.tsv"), "w") as f:
        f.write("id\tpath\tgroup\nmine\tmine.pdb\tg1\n1abc\told.cif\tg2\n")
    c.run("fetch-pdb", "1abc")
    assert c.read("manifest.tsv") == (b"id\tpath\tgroup\tkind\tcontour\tresolution\nmine\tmine.pdb\tg1\t\t\t\n"
                                      b"1abc\t1abc.cif.gz\tg2\tmodel\t\t\n"), c.read("manifest.tsv")


def manifest_with_a_long_field(c):
    with open(os.path.join(c.dir, "manifest.tsv"), "w") as f:
        f.write("id\tpath\ttitle\nmine\tmine.pdb\t" + "x" * 200_000 + "\n")
    c.run("fetch-pdb", "1abc")
    assert b"x" * 200_000 in c.read("manifest.tsv")


def manifest_that_is_no_text(c):
    with open(os.path.join(c.dir, "manifest.tsv"), "wb") as f:
        f.write(b"id\tpath\nmine\tm\xff.pdb\n")
    p = c.run("fetch-pdb", "1abc", status=3)
    assert "manifest.tsv: 'utf-8' codec" in p.stderr and "Traceback" not in p.stderr, p.stderr


def fetcher(faults, blocks=1):
    """A fetcher in this process, whose answers break after so many blocks: an error for each."""
    f = fetch.Fetcher(argparse.Namespace(delay=0, tries=3, wait=0.01, timeout=5))
    opened, real = [], f.open

    def broken(url, headers):
        r = real(url, headers)
        opened.append(headers)
        whole, error = r.read, faults.pop(0) if faults else None
        left = [1] * blocks

        def read(n):
            if error and not left:
                raise error
            return whole(min(n, 1000)) if error and left.pop() else whole(n)

        r.read = read
        return r

    f.open = broken
    return f, opened


def connection_breaks_as_it_is_read(c):
    path = os.path.join(c.dir, "x.cif.gz")
    f, opened = fetcher([ssl.SSLError(1, "bad record mac"), OSError(113, "No route to host")])
    assert f.get(c.base + PDB_FILE, path) and c.read("x.cif.gz") == BODY
    assert opened[1]["Range"] == "bytes=1000-" and opened[2]["Range"] == "bytes=2000-", opened
    for error in (ssl.SSLError(1, "bad record mac"), OSError(113, "No route to host")):
        f, opened = fetcher([error], 0)
        url = c.base + EMDB + "1234/header/emd-1234.xml"
        assert f.text(url, 1 << 20) == HEADER.decode() and len(opened) == 2


def full_disk_is_not_tried_again(c):
    """As by a limit of the size of files."""
    f, opened = fetcher([])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        f.get(c.base + PDB_FILE, os.path.join(c.dir, "x.cif.gz"))
    except OSError as e:
        assert e.errno == errno.EFBIG and len(opened) == 1, (e, opened)
    else:
        raise AssertionError("it was written")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def molstar_by_two_at_once(c):
    m = SourceFileLoader("fetch_molstar", os.path.join(SCRIPTS, "fetch-molstar")).load_module()
    wheel, out, both, status = os.path.join(c.dir, "m.whl"), os.path.join(c.dir, "molstar"), threading.Barrier(2), []
    with zipfile.ZipFile(wheel, "w") as z:
        for name in m.FILES:
            z.writestr(m.INSIDE + name, name)
    m.FILES, fill = {name: hashlib.sha256(name.encode()).hexdigest() for name in m.FILES}, m.fill

    def together(args, part):
        both.wait(20)
        fill(args, part)
        both.wait(20)

    m.fill, argv, sys.argv = together, sys.argv, ["fetch-molstar", "-o", out, "--wheel", wheel]
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            runs = [threading.Thread(target=lambda: status.append(m.main())) for _ in range(2)]
            for t in runs:
                t.start()
            for t in runs:
                t.join()
    finally:
        sys.argv = argv
    assert status == [0, 0] and not m.fault(out) and sorted(os.listdir(c.dir)) == ["m.whl", "molstar"], (status, c.left())


def no_server(c):
    c.base = "http://127.0.0.1:9"
    assert "connection" in c.run("fetch-pdb", "1abc", status=1, tries=2).stderr


def pause_between_requests(c):
    import time
    t = time.monotonic()
    c.run("fetch-pdb", "--delay", "0.3", "1abc", "2def")
    assert time.monotonic() - t >= 0.3


CASES = [pdb_entry, pdb_long_id_and_assembly, there_already, two_members, list_of_ids, emdb_entry, emdb_old_header,
         emdb_half_maps_and_masks, emdb_header_is_no_xml, missing_entry, bad_id, no_id, busy_then_well, busy_for_ever,
         cut_and_continued, cut_and_continued_by_a_later_run, changed_on_the_server, server_without_ranges,
         server_without_versions, partial_longer_than_the_file, wrong_length, wrong_total, damaged_gzip, damaged_gzip_for_ever,
         manifest_keeps_other_columns, manifest_with_a_long_field, manifest_that_is_no_text, connection_breaks_as_it_is_read,
         full_disk_is_not_tried_again, molstar_by_two_at_once, no_server, pause_between_requests]


def run(handler, case_of, cases):
    """Every case against one server; case_of(base, folder) makes what a case is given. The exit status."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        os.environ.pop(name, None)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base, failed = f"http://127.0.0.1:{server.server_address[1]}", 0
    print(f"1..{len(cases)}")
    with tempfile.TemporaryDirectory() as root:
        for n, case in enumerate(cases, 1):
            name = case.__name__.replace("_", " ")
            try:
                case(case_of(base, tempfile.mkdtemp(dir=root)))
                print(f"ok {n} - {name}", flush=True)
            except Exception:
                failed += 1
                print(f"not ok {n} - {name}")
                print("".join("# " + line + "\n" for line in traceback.format_exc().splitlines()), end="", flush=True)
    server.shutdown()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(run(Handler, Case, CASES))

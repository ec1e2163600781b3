"""Fetch files from the public archives: what the fetch-* and mirror-* programs share. Python 3 standard library only.

A file is written to NAME.part and takes its name, and the server's date, once its length, and for gzip its checksum, are
right; so a file under its own name is whole, and is not fetched again, or (update) only if the server has a newer one. A
NAME.part that was left is continued by a range request, on condition (If-Range) that the file on the server is still the
same one. Requests start one after another with a pause between them, whichever thread makes them; a busy server (429, 5xx)
and a broken connection are tried again after a growing wait, and the wait that a server asks for is everybody's.

Exit status: 0 all there, 1 some items failed, 2 misuse, 3 could not run.
"""
import argparse
import csv
import email.utils
import http.client
import os
import re
import sys
import threading
import time
import urllib.error
import urllib.request
import zlib

BLOCK = 1 << 18
WAIT_MAX = 300.0
AGENT = "cryolex-fetch/0.1"
BUSY = (408, 429, 500, 502, 503, 504)
csv.field_size_limit(1 << 30)  # a title, or a list of molecules, may be longer than csv's own 128 KiB
COLUMNS = ["id", "path", "kind", "contour", "resolution"]


class Failed(Exception):
    """An item that cannot be had; the text says why."""


class Stopped(Exception):
    """The user, or a failure elsewhere, asked to stop; what was fetched so far stays."""


class Again(Exception):
    """A try that failed and may be repeated, after `wait` seconds where the server said so."""

    def __init__(self, text, wait=None):
        super().__init__(text)
        self.wait = wait


def say(text):
    print(text, file=sys.stderr, flush=True)


def parser(about, ids_help):
    """The options that the programs for entries have."""
    p = argparse.ArgumentParser(description=about, allow_abbrev=False)
    p.add_argument("ids", nargs="*", metavar="ID", help=ids_help)
    entry_options(p)
    return p


def entry_options(p):
    p.add_argument("-f", "--from", "--list", dest="list", metavar="FILE", help="also the ids in FILE, one a line ('-': standard input)")
    p.add_argument("-o", "--output", default=".", metavar="DIR", help="folder to write to; its manifest.tsv gets a line per item [.]")
    network_options(p)


def network_options(p):
    p.add_argument("--delay", type=float, default=0.5, metavar="S", help="pause between requests, in seconds [0.5]")
    p.add_argument("--tries", type=int, default=6, metavar="N", help="tries for each file [6]")
    p.add_argument("--wait", type=float, default=2.0, metavar="S", help="wait before the second try, doubled for each further one [2]")
    p.add_argument("--timeout", type=float, default=60.0, metavar="S", help="give up a connection that is silent for this long [60]")


def ids_of(args, p, required=True):
    """The ids of the command line and of the list, each once."""
    ids = list(args.ids)
    if args.list:
        try:
            with sys.stdin if args.list == "-" else open(args.list, encoding="utf-8") as f:
                ids += [line.split()[0] for line in f if line.split() and not line.startswith("#")]
        except OSError as e:
            p.error(f"{args.list}: {e.strerror}")
    if not ids and (required or args.list):
        p.error("no id given")
    return list(dict.fromkeys(ids))


def pdb_code(name):
    """The four-character code of 1abc, 1ABC or pdb_00001abc."""
    m = re.fullmatch(r"(?:pdb_0000)?([0-9][a-z0-9]{3})", name.lower())
    if not m:
        raise Failed("not a PDB id (1abc or pdb_00001abc is wanted)")
    return m.group(1)


def gzip_whole(path):
    """True when path is gzip members from first to last byte, each with the right checksum and length."""
    d, members = None, 0
    with open(path, "rb") as f:
        while block := f.read(BLOCK >> 4):
            while block:
                d = d or zlib.decompressobj(31)
                try:
                    d.decompress(block)
                except zlib.error:
                    return False
                block = d.unused_data
                if d.eof:
                    d, members = None, members + 1
    return d is None and members > 0


class Fetcher:
    """Of any number of threads. set() on stop ends every transfer at its next block."""

    def __init__(self, args):
        self.args = args
        self.next = 0.0  # no request before
        self.lock = threading.Lock()
        self.stop = threading.Event()

    def pause(self):
        with self.lock:
            left = self.next - time.monotonic()
            self.next = max(self.next, time.monotonic()) + self.args.delay
        self.sleep(left)

    def sleep(self, seconds):
        if (self.stop.wait(seconds) if seconds > 0 else self.stop.is_set()):
            raise Stopped

    def retry(self, url, name, once):
        """once() until it gives no Again."""
        wait = self.args.wait
        for n in range(1, self.args.tries + 1):
            try:
                return once()
            except Again as e:
                if n == self.args.tries:
                    raise Failed(f"{url}: {e}; given up after {n} tries") from None
                pause = min(WAIT_MAX, e.wait if e.wait is not None else wait)
                if e.wait is not None:
                    with self.lock:
                        self.next = max(self.next, time.monotonic() + pause)
                say(f"{name}: {e}; again in {pause:g} s")
                self.sleep(pause)
                wait *= 2
        raise Failed(f"{url}: not tried")

    def get(self, url, path, update=False):
        """Fetch url into path, unless path is there and, with update, the server has none newer. True when it was fetched now."""
        name, since = os.path.basename(path), None
        if os.path.exists(path):
            if not update:
                say(f"{name}: already there")
                return False
            since = email.utils.formatdate(os.path.getmtime(path), usegmt=True)
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        if not self.retry(url, name, lambda: self.once(url, path, since)):
            return False
        say(f"{name}: {os.path.getsize(path)} bytes")
        return True

    def once(self, url, path, since):
        part, tag = path + ".part", path + ".part.tag"
        have, mark = resume_point(part, tag)
        headers = {"If-Modified-Since": since} if since else {}
        if have:
            headers |= {"Range": f"bytes={have}-", "If-Range": mark}
        try:
            with self.open(url, headers) as r:
                total = receive(r, part, tag, have, self.stop)
                date = r.headers.get("Last-Modified")
        except urllib.error.HTTPError as e:
            if e.code == 304:
                discard(part, tag)
                return False
            if e.code == 416:  # what we hold is not a beginning of what is there
                discard(part, tag)
                raise Again("the partial file does not fit the one on the server") from None
            raise Failed(f"{url}: status {e.code} ({e.reason})") from None
        finish(part, tag, path, total, date)
        return True

    def open(self, url, headers):
        """The answer; Again where the server is busy or cannot be reached, HTTPError for other statuses."""
        self.pause()
        request = urllib.request.Request(url, headers={"User-Agent": AGENT, "Accept-Encoding": "identity", **headers})
        try:
            return urllib.request.urlopen(request, timeout=self.args.timeout)
        except urllib.error.HTTPError as e:
            e.close()
            if e.code in BUSY:
                raise Again(f"status {e.code}", retry_after(e.headers.get("Retry-After"))) from None
            raise
        except TROUBLE as e:
            raise broken(e) from None

    def text(self, url, most):
        """A page of at most so many bytes, whole."""
        def once():
            try:
                with self.open(url, {}) as r:
                    body = read(r, most + 1)
                    length = r.headers.get("Content-Length")
            except urllib.error.HTTPError as e:
                raise Failed(f"{url}: status {e.code} ({e.reason})") from None
            if len(body) > most:
                raise Failed(f"{url}: more than {most} bytes")
            if length and length.isdigit() and len(body) < int(length):
                raise Again(f"the connection ended after {len(body)} of {length} bytes")
            return body.decode("utf-8", "replace")

        return self.retry(url, url, once)


TROUBLE = (OSError, http.client.HTTPException)  # of a connection: URLError, time-outs, ssl.SSLError and ConnectionError are all OSError


def read(r, n):
    """Of an answer. What goes wrong is the connection's; OSError elsewhere is the disk's."""
    try:
        return r.read(n)
    except TROUBLE as e:
        raise broken(e) from None


def broken(e):
    return Again(f"connection: {getattr(e, 'reason', e) or type(e).__name__}")


def resume_point(part, tag):
    """How much of the file is here, and the server's mark of its version; (0, None) to begin anew."""
    try:
        with open(tag, encoding="ascii") as f:
            mark = f.read().strip()
        have = os.path.getsize(part)
        if have and mark:
            return have, mark
    except (OSError, UnicodeDecodeError):
        pass
    discard(part, tag)
    return 0, None


def discard(*paths):
    for p in paths:
        if os.path.exists(p):
            os.remove(p)


def receive(r, part, tag, have, stop):
    """Append the body to part (from its beginning unless the server goes on where we were). Returns the whole file's
    length, or None when the server did not tell it."""
    length = r.headers.get("Content-Length")
    length = int(length) if length and length.isdigit() else None
    if r.status == 206:
        unit, _, span = (r.headers.get("Content-Range") or "").partition(" ")
        span, _, total = span.partition("/")
        if unit != "bytes" or span.partition("-")[0] != str(have):
            discard(part, tag)
            raise Again("the server sent another range than was asked for")
        total = int(total) if total.isdigit() else None
    else:
        have, total = 0, length
        mark = r.headers.get("ETag") or r.headers.get("Last-Modified") or ""
        with open(tag, "w", encoding="ascii", errors="ignore") as f:
            f.write("" if mark.startswith("W/") else mark)
    got = 0
    with open(part, "ab" if have else "wb") as f:
        while block := read(r, BLOCK):
            f.write(block)
            got += len(block)
            if stop.is_set():
                raise Stopped
    if length is not None and got < length:
        raise Again(f"the connection ended after {have + got} of {have + length} bytes")
    return total


def finish(part, tag, path, total, date):
    """Check the whole file and give it its name, and the date of the server's."""
    size = os.path.getsize(part)
    if total is not None and size != total:
        discard(part, tag)
        raise Again(f"{size} bytes (the server promised {total})")
    if path.endswith(".gz") and not gzip_whole(part):
        discard(part, tag)
        raise Again("damaged: gzip checksum or length is wrong")
    if size == 0:
        discard(part, tag)
        raise Again("empty")
    when = email.utils.parsedate_tz(date) if date else None
    if when:
        os.utime(part, (time.time(), email.utils.mktime_tz(when)))
    with open(part, "rb") as f:
        os.fsync(f.fileno())
    os.replace(part, path)
    discard(tag)


def retry_after(text):
    return float(text) if text and text.isdigit() else None


class Manifest:
    """The folder's manifest.tsv, by id. A row with the id of an older one takes its place; columns that are not ours stay."""

    def __init__(self, folder, columns=COLUMNS):
        self.path = os.path.join(folder, "manifest.tsv")
        self.columns, self.rows = list(columns), {}
        if os.path.exists(self.path):
            try:
                with open(self.path, encoding="utf-8", newline="") as f:
                    reader = csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE)
                    self.columns = list(reader.fieldnames or columns)
                    self.rows = {row["id"]: row for row in reader if row.get("id")}
            except (csv.Error, UnicodeDecodeError) as e:
                raise Failed(f"{self.path}: {e}") from None
        self.columns += [c for c in columns if c not in self.columns]

    def add(self, row):
        self.rows[row["id"]] = {**self.rows.get(row["id"], {}), **row}

    def save(self):
        with open(self.path + ".tmp", "w", encoding="utf-8", newline="") as f:
            f.write("\t".join(self.columns) + "\n")
            for row in self.rows.values():
                f.write("\t".join(" ".join((row.get(c) or "").split()) for c in self.columns) + "\n")
            f.flush()
            os.fsync(f.fileno())
        os.replace(self.path + ".tmp", self.path)


def fetch_all(args, ids, item):
    """item(fetcher, id) fetches one item and returns its row of the manifest. Returns the exit status."""
    fetcher, failed = Fetcher(args), 0
    try:
        os.makedirs(args.output, exist_ok=True)
        manifest = Manifest(args.output)
        for n, i in enumerate(ids, 1):
            try:
                row = item(fetcher, i)
                manifest.add(row)
                manifest.save()
                print(os.path.join(args.output, row["path"]), flush=True)
            except Failed as e:
                failed += 1
                say(f"{i}: {e}")
        say(f"{len(ids) - failed} of {len(ids)} there")
    except OSError as e:
        say(f"{e.filename or args.output}: {e.strerror or e}")
        return 3
    except Failed as e:
        say(str(e))
        return 3
    except KeyboardInterrupt:
        say("interrupted; run this again to go on")
        return 3
    return 1 if failed else 0

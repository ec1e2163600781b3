"""Fetch files from the public archives: what the fetch-* programs share. Python 3 standard library only.

A file is written to NAME.part and takes its name once its length, and for gzip its checksum, are right; so a file under
its own name is whole, and is not fetched again. A NAME.part that was left is continued by a range request, on
condition (If-Range) that the file on the server is still the same one. Requests go one after another with a pause
between them; a busy server (429, 5xx) and a broken connection are tried again after a growing wait.

Exit status: 0 all there, 1 some items failed, 2 misuse, 3 could not run.
"""
import argparse
import csv
import http.client
import os
import socket
import sys
import time
import urllib.error
import urllib.request
import zlib

BLOCK = 1 << 18
WAIT_MAX = 300.0
BUSY = (408, 429, 500, 502, 503, 504)
COLUMNS = ["id", "path", "kind", "contour", "resolution"]


class Failed(Exception):
    """An item that cannot be had; the text says why."""


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
    p.add_argument("-f", "--from", dest="list", metavar="FILE", help="also the ids in FILE, one a line ('-': standard input)")
    p.add_argument("-o", "--output", default=".", metavar="DIR", help="folder to write to; its manifest.tsv gets a line per item [.]")
    network_options(p)
    return p


def network_options(p):
    p.add_argument("--delay", type=float, default=0.5, metavar="S", help="pause between requests, in seconds [0.5]")
    p.add_argument("--tries", type=int, default=6, metavar="N", help="tries for each file [6]")
    p.add_argument("--wait", type=float, default=2.0, metavar="S", help="wait before the second try, doubled for each further one [2]")
    p.add_argument("--timeout", type=float, default=60.0, metavar="S", help="give up a connection that is silent for this long [60]")


def ids_of(args, p):
    """The ids of the command line and of the list, each once."""
    ids = list(args.ids)
    if args.list:
        try:
            with sys.stdin if args.list == "-" else open(args.list, encoding="utf-8") as f:
                ids += [line.split()[0] for line in f if line.split() and not line.startswith("#")]
        except OSError as e:
            p.error(f"{args.list}: {e.strerror}")
    if not ids:
        p.error("no id given")
    return list(dict.fromkeys(ids))


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
    def __init__(self, args):
        self.args = args
        self.last = 0.0

    def pause(self):
        left = self.last + self.args.delay - time.monotonic()
        if left > 0:
            time.sleep(left)
        self.last = time.monotonic()

    def get(self, url, path):
        """Fetch url into path, unless path is there. Returns True when it was fetched now."""
        name = os.path.basename(path)
        if os.path.exists(path):
            say(f"{name}: already there")
            return False
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        wait = self.args.wait
        for n in range(1, self.args.tries + 1):
            try:
                self.once(url, path)
                say(f"{name}: {os.path.getsize(path)} bytes")
                return True
            except Again as e:
                if n == self.args.tries:
                    raise Failed(f"{url}: {e}; given up after {n} tries") from None
                pause = min(WAIT_MAX, e.wait if e.wait is not None else wait)
                say(f"{name}: {e}; again in {pause:g} s")
                time.sleep(pause)
                wait *= 2
        raise Failed(f"{url}: not tried")

    def once(self, url, path):
        part, tag = path + ".part", path + ".part.tag"
        have, mark = resume_point(part, tag)
        request = urllib.request.Request(url, headers={"User-Agent": "cryolex-fetch/0.1", "Accept-Encoding": "identity"})
        if have:
            request.add_header("Range", f"bytes={have}-")
            request.add_header("If-Range", mark)
        self.pause()
        try:
            with urllib.request.urlopen(request, timeout=self.args.timeout) as r:
                total = receive(r, part, tag, have)
        except urllib.error.HTTPError as e:
            e.close()
            if e.code == 416:  # what we hold is not a beginning of what is there
                discard(part, tag)
                raise Again("the partial file does not fit the one on the server") from None
            if e.code in BUSY:
                raise Again(f"status {e.code}", retry_after(e.headers.get("Retry-After"))) from None
            raise Failed(f"{url}: status {e.code} ({e.reason})") from None
        except (urllib.error.URLError, http.client.HTTPException, socket.timeout, ConnectionError) as e:
            raise Again(f"connection: {getattr(e, 'reason', e) or type(e).__name__}") from None
        finish(part, tag, path, total)


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


def receive(r, part, tag, have):
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
        while block := r.read(BLOCK):
            f.write(block)
            got += len(block)
    if length is not None and got < length:
        raise Again(f"the connection ended after {have + got} of {have + length} bytes")
    return total


def finish(part, tag, path, total):
    """Check the whole file and give it its name."""
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
    with open(part, "rb") as f:
        os.fsync(f.fileno())
    os.replace(part, path)
    discard(tag)


def retry_after(text):
    return float(text) if text and text.isdigit() else None


def manifest_add(folder, rows):
    """Add rows to the folder's manifest.tsv; a row with the id of an older one takes its place."""
    path = os.path.join(folder, "manifest.tsv")
    old, columns = [], list(COLUMNS)
    if os.path.exists(path):
        with open(path, encoding="utf-8", newline="") as f:
            reader = csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE)
            columns = list(reader.fieldnames or COLUMNS)
            old = list(reader)
    columns += [c for c in COLUMNS if c not in columns]
    table = {row["id"]: row for row in old if row.get("id")}
    for row in rows:
        table[row["id"]] = {**table.get(row["id"], {}), **row}
    with open(path + ".tmp", "w", encoding="utf-8", newline="") as f:
        f.write("\t".join(columns) + "\n")
        for row in table.values():
            f.write("\t".join(row.get(c) or "" for c in columns) + "\n")
        f.flush()
        os.fsync(f.fileno())
    os.replace(path + ".tmp", path)


def fetch_all(args, ids, item):
    """item(fetcher, id) fetches one item and returns its row of the manifest. Returns the exit status."""
    fetcher, failed = Fetcher(args), 0
    try:
        os.makedirs(args.output, exist_ok=True)
        for n, i in enumerate(ids, 1):
            try:
                row = item(fetcher, i)
                manifest_add(args.output, [row])
                print(os.path.join(args.output, row["path"]), flush=True)
            except Failed as e:
                failed += 1
                say(f"{i}: {e}")
        say(f"{len(ids) - failed} of {len(ids)} there")
    except OSError as e:
        say(f"{e.filename or args.output}: {e.strerror or e}")
        return 3
    except KeyboardInterrupt:
        say("interrupted; run this again to go on")
        return 3
    return 1 if failed else 0

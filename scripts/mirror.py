"""Mirror an archive, or what is wanted of it: what mirror-emdb and mirror-pdb share. Python 3 standard library only.

The folder has the files where the server has them. A file under its own name is whole, so an interrupted run goes on where
it was by being started again; the manifest is made anew from what is there. --update asks for what has changed: over https
each file on condition that it is newer, and where the server's listing has a line for each file, only those whose line is
another one than last time; rsync compares dates and sizes itself.
"""
import argparse
import concurrent.futures
import fcntl
import html.parser
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.parse

import fetch

COLUMNS = ["id", "path", "kind", "contour", "resolution", "title", "pair"]
LISTING_MAX = 1 << 28
SAID_MAX = 1 << 16
SAVE_EVERY = 30.0
STATE = ".mirror.tsv"
RSYNC_AGAIN = (10, 12, 30, 35)  # connection, protocol, time-outs; also 5, the server refuses, where it is full
POLITE = """
The archive serves everybody: keep to few connections and short bursts, mirror at night or at the weekend, fetch once and
update weekly (releases are on Wednesdays, 00:00 UTC), and use rsync or a mirror near you for all of it. What the server
says (429, Retry-After) is kept to.
"""


def positive(text):
    if int(text) < 1:
        raise ValueError
    return int(text)


def options(about, ids_help, base, folder):
    """The options that both programs have."""
    p = argparse.ArgumentParser(description=about + POLITE, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("ids", nargs="*", metavar="ID", help=ids_help + "; without any, all that the server lists")
    fetch.entry_options(p)
    p.add_argument("--base", default=base, metavar="URL", help=f"archive or mirror, https or rsync, in which {folder} is [{base}]")
    p.add_argument("--jobs", type=int, default=2, choices=range(1, 9), metavar="N", help="connections at a time, 1 to 8; rsync has one [2]")
    p.add_argument("--limit", type=positive, metavar="N", help="stop after N entries that were not there, or compared")
    p.add_argument("--update", action="store_true", help="also what is here and has changed on the server; entries that are "
                   "no longer listed leave the manifest, their files stay")
    p.add_argument("--age", type=float, default=6.0, metavar="DAYS", help="with --update, not what was compared within so many days, "
                   "so that an interrupted update goes on [6]")
    p.add_argument("--bwlimit", type=int, metavar="KIB", help="rsync: no more than so many KiB a second")
    p.add_argument("--batch", type=positive, default=100, metavar="N", help="entries whose headers are looked at before their files are fetched [100]")
    p.add_argument("-n", "--dry-run", action="store_true", help="write the ids that would be looked at; fetch only the listing")
    return p


class Links(html.parser.HTMLParser):
    """The links of a directory listing, and the text after each up to the next, which has date and size."""

    def __init__(self, url):
        super().__init__()
        self.url, self.found, self.name, self.inside = url, {}, None, False

    def handle_starttag(self, tag, attrs):
        if tag != "a":
            return
        target = urllib.parse.urljoin(self.url, dict(attrs).get("href") or "")
        self.name = urllib.parse.unquote(target[len(self.url):]) if target.startswith(self.url) else None
        self.inside = True
        if self.name:
            self.found.setdefault(self.name, "")

    def handle_endtag(self, tag):
        self.inside = self.inside and tag != "a"

    def handle_data(self, data):
        if self.name and not self.inside:
            self.found[self.name] = " ".join((self.found[self.name] + " " + data).split())


class Https:
    """Files by http or https, several at a time."""

    def __init__(self, args, base):
        self.args, self.base, self.fetcher = args, base, fetch.Fetcher(args)

    def listing(self, folder):
        """What the server has in the folder: name (a folder's ends with /) to its date and size, in the server's words."""
        url = f"{self.base}/{folder}".rstrip("/") + "/"
        links = Links(url)
        links.feed(self.fetcher.text(url, LISTING_MAX))
        links.close()
        return links.found

    def get(self, files, update):
        """Fetch the files, paths below the base; with update also what is here and has changed. Returns those that failed, with
        the reason."""
        failed = {}

        def one(file):
            try:
                self.fetcher.get(f"{self.base}/{urllib.parse.quote(file)}", os.path.join(self.args.output, file), update)
            except fetch.Failed as e:
                failed[file] = str(e)

        with concurrent.futures.ThreadPoolExecutor(self.args.jobs) as pool:
            todo = [pool.submit(one, f) for f in files if update or not here(self.args, f)]
            try:
                for t in todo:
                    t.result()
            except BaseException:
                self.fetcher.stop.set()
                pool.shutdown(cancel_futures=True)
                raise
        return failed


class Rsync:
    """Files by the program rsync, one connection for many."""

    def __init__(self, args, base):
        self.args, self.base, self.fetcher = args, base + "/", fetch.Fetcher(args)
        # Files are asked for from the module's root: the daemon of rsync 3.5.0, unless in a chroot, loses those below a folder of it.
        url = urllib.parse.urlsplit(self.base)
        module, _, folder = url.path.lstrip("/").partition("/")
        self.root, self.prefix = f"rsync://{url.netloc}/{module}/", folder + "./"
        if not shutil.which("rsync"):
            raise fetch.Failed("no rsync here; Debian: apt-get install rsync")

    def run(self, what, options, given=None):
        """rsync's status, the lines of its output and what it complains of; tried again where the server was busy or the
        connection broke."""
        command = ["rsync", "--no-motd", f"--timeout={int(self.args.timeout)}", f"--contimeout={int(self.args.timeout)}", *options]

        def once():
            self.fetcher.pause()
            with tempfile.TemporaryFile() as names, concurrent.futures.ThreadPoolExecutor(1) as pool:
                names.write(given or b"")
                names.seek(0)
                with subprocess.Popen(command, stdin=names, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
                    try:
                        said = pool.submit(complaint, p.stderr)
                        out = p.stdout.read(LISTING_MAX + 1)
                        if len(out) > LISTING_MAX:
                            raise fetch.Failed(f"{self.base}: rsync: a listing of more than {LISTING_MAX} bytes")
                        why = said.result()
                    except BaseException:
                        p.terminate()  # it keeps what it has of a file
                        raise
            if p.returncode in RSYNC_AGAIN or (p.returncode == 5 and "max connections" in why):
                raise fetch.Again(f"rsync: {why} (status {p.returncode})")
            return p.returncode, out.decode("utf-8", "replace").splitlines(), why

        return self.fetcher.retry(self.base, what, once)

    def listing(self, folder):
        status, lines, why = self.run(folder or self.base, ["--list-only", "--dirs", self.base + folder])
        if status:
            raise fetch.Failed(f"{self.base}{folder}: rsync: {why}")
        found = {}
        for line in lines:
            part = line.split(None, 4)  # -rw-r--r--  1,234 2024/05/01 00:12:33 name
            if len(part) == 5 and part[0][0] in "d-":
                found[part[4] + ("/" if part[0][0] == "d" else "")] = " ".join(part[1:4])
        return found

    def get(self, files, update):
        files = [f for f in files if update or not here(self.args, f)]
        if not files:
            return {}
        limit = [f"--bwlimit={self.args.bwlimit}"] if self.args.bwlimit else []
        status, lines, why = self.run(f"{len(files)} files", ["--times", "--partial-dir=.part", "--files-from=-", "--out-format=%n", *limit,
                                             self.root, os.path.abspath(self.args.output)], "".join(f"{self.prefix}{f}\n" for f in files).encode())
        for name in lines:
            path = os.path.join(self.args.output, name)
            if name in files and os.path.exists(path):
                fetch.say(f"{os.path.basename(name)}: {os.path.getsize(path)} bytes")
                if name.endswith(".gz") and not fetch.gzip_whole(path):
                    os.remove(path)
        if status not in (0, 23, 24):  # 23 and 24: some files were not there
            raise fetch.Failed(f"{self.base}: rsync: {why} (status {status})")
        return {f: f"{self.base}{f}: not there, or damaged" + (f"; rsync: {why}" if status else "") for f in files if not here(self.args, f)}


def complaint(stream):
    """The first line of what rsync complains of; the rest is read past."""
    text = stream.read(SAID_MAX)
    while stream.read(SAID_MAX):
        pass
    return next((line.strip() for line in text.decode("utf-8", "replace").splitlines() if line.strip()), "failed")


def here(args, file):
    return os.path.isfile(os.path.join(args.output, file))


def source(args, folder):
    base = args.base.rstrip("/") + ("/" + folder if folder else "")
    scheme = urllib.parse.urlsplit(base).scheme
    if scheme not in ("http", "https", "rsync"):
        raise fetch.Failed(f"{args.base}: no https:// or rsync:// address")
    return (Rsync if scheme == "rsync" else Https)(args, base)


class State:
    """When each entry was last compared with the server's, and its line in the listing then. One line is added for each, so
    that a run that is killed loses none."""

    def __init__(self, folder, write):
        self.path, self.rows = os.path.join(folder, STATE), {}
        if os.path.exists(self.path):
            with open(self.path, encoding="utf-8", errors="replace") as f:
                for line in f:
                    part = line.rstrip("\n").split("\t")
                    if len(part) == 3 and re.fullmatch(r"[0-9]+", part[1]):
                        self.rows[part[0]] = (int(part[1]), part[2])
        if not write:
            return
        with open(self.path + ".tmp", "w", encoding="utf-8") as f:
            f.writelines(f"{i}\t{when}\t{mark}\n" for i, (when, mark) in self.rows.items())
        os.replace(self.path + ".tmp", self.path)
        self.file = open(self.path, "a", encoding="utf-8")

    def set(self, i, mark):
        self.rows[i] = (int(time.time()), mark)
        self.file.write("\t".join((i, str(self.rows[i][0]), mark)) + "\n")
        self.file.flush()


def stop_at_term(*_):
    raise KeyboardInterrupt


class Mirror:
    """archive has .list(source) -> {id: mark}, .clean(id) -> id or Failed, .batch(mirror, ids) -> {id: row, None (left out) or
    a reason (str)}."""

    def __init__(self, args, archive, folder):
        self.args, self.archive = args, archive
        self.source = source(args, folder)
        self.failed = self.left = self.there = self.added = 0

    def plan(self, ids):
        """The entries to look at, with their marks, and which of the ids asked for are none."""
        asked = {}
        for i in ids:
            try:
                asked[self.archive.clean(i)] = ""
            except fetch.Failed as e:
                self.failed += 1
                fetch.say(f"{i}: {e}")
        return asked if ids else self.archive.list(self.source)

    def fresh(self, i, mark):
        """True when entry i is here, and needs no look at the server."""
        row = self.manifest.rows.get(i)
        if not row or not row.get("path") or not here(self.args, row["path"]):
            return False
        when, seen = self.state.rows.get(i, (0, ""))
        return not self.args.update or (mark == seen if mark else time.time() - when < self.args.age * 86400)

    def drop(self, listed):
        """Entries that the server lists no more leave the manifest; a listing that lost a tenth of them is not believed."""
        gone = [i for i in self.manifest.rows if self.archive.ours(i) and i not in listed]
        if len(gone) > max(10, len(self.manifest.rows) // 10):
            fetch.say(f"{len(gone)} of {len(self.manifest.rows)} entries are not in the listing, too many to be believed; the manifest keeps them")
            return
        for i in gone:
            fetch.say(f"{i}: obsolete; left out of the manifest, {self.manifest.rows[i].get('path')} stays")
            del self.manifest.rows[i]

    def run(self, ids):
        a = self.args
        todo = self.plan(ids)
        self.manifest, self.state = fetch.Manifest(a.output, COLUMNS), State(a.output, not a.dry_run)
        if a.update and not ids and not a.dry_run:
            self.drop(todo)
        work = [i for i, mark in todo.items() if not self.fresh(i, mark)]
        fetch.say(f"{len(todo)} entries, {len(work)} to look at")
        if a.dry_run:
            print("".join(i + "\n" for i in work), end="")
            return
        self.there, saved = len(todo) - len(work), time.monotonic()
        try:
            while work and self.added != a.limit:
                n = a.batch if a.limit is None else min(a.batch, a.limit - self.added)
                self.batch(work[:n], todo)
                work = work[n:]
                if time.monotonic() - saved > SAVE_EVERY:
                    self.manifest.save()
                    saved = time.monotonic()
        finally:
            self.manifest.save()

    def batch(self, ids, todo):
        for i, row in self.archive.batch(self, ids).items():
            if isinstance(row, str):
                self.failed += 1
                fetch.say(f"{i}: {row}")
                continue
            if row:
                self.added += 1
                self.manifest.add(row)
                print(os.path.join(self.args.output, row["path"]), flush=True)
            else:
                self.left += 1
                self.manifest.rows.pop(i, None)
            self.state.set(i, todo[i])

    def get(self, files):
        return self.source.get(files, self.args.update)


def main(args, ids, archive, folder):
    """The exit status."""
    try:
        os.makedirs(args.output, exist_ok=True)
        with open(os.path.join(args.output, ".mirror.lock"), "w", encoding="ascii") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise fetch.Failed(f"{args.output}: another run is at it") from None
            signal.signal(signal.SIGTERM, stop_at_term)
            m = Mirror(args, archive, folder)
            m.run(ids)
    except fetch.Failed as e:
        fetch.say(str(e))
        return 3
    except OSError as e:
        fetch.say(f"{e.filename or args.output}: {e.strerror or e}")
        return 3
    except (KeyboardInterrupt, fetch.Stopped):
        fetch.say("interrupted; run this again to go on")
        return 3
    if not args.dry_run:
        fetch.say(f"{m.there + m.added} there, {m.left} left out by the filters, {m.failed} failed")
    return 1 if m.failed else 0

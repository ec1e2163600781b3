"""cryolex serve under load and abuse: 200 uploads from 16 clients, while others do what they should not.

    CRYOLEX=build/cryolex python3 tests/bench/serve_abuse.py MAP [UPLOADS [CLIENTS [SECONDS]]]

No upload begins after SECONDS (3600).

Clients upload MAP, are sent away while the queue of 8 is full, come again, and look for their result until they have it; each result has
to be the one that cryolex annotate prints. Beside them, each over and over: uploads that break off, a body declared as 10 GB, a gzip file
of a map of 98 GB (its beginning; once as a whole), paths out of the tree, requests of other hosts and pages, headers and bodies that come a byte at a
time, and a client that takes no answer. Printed is a table of what came of it: answers by kind of request and status, times, and at most every 0.1 s measured
memory of the server, memory of the query's processes, open files and bytes in the spool."""
import collections
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))
from serve_client import CRYOLEX, Server, bomb, read_all  # noqa: E402

UPLOADS, CLIENTS, SECONDS = (int(a) for a in (sys.argv[2:] + ["200", "16", "3600"][len(sys.argv) - 2:]))
OPTIONS = ["--queue", "8", "--patience", "5", "--max-upload", "256M", "--memory", "2G", "--time", "120"]
with open(sys.argv[1], "rb") as f:
    MAP = f.read()


class Run:
    def __init__(self, server):
        self.s, self.left, self.lock = server, UPLOADS, threading.Lock()
        self.count, self.seconds, self.wrong = collections.Counter(), [], 0
        self.peak = dict.fromkeys(("server, MB", "query, MB", "open files", "spool, MB"), 0.0)
        self.done, self.end = threading.Event(), time.monotonic() + SECONDS
        out = subprocess.run([CRYOLEX, "annotate", "-q", "--format", "json", "--no-header", sys.argv[1]], capture_output=True, check=True).stdout
        self.want = json.loads(out)

    def note(self, kind, status):
        with self.lock:
            self.count[kind, str(status)] += 1

    # ---- who means well ----

    def client(self):
        while True:
            with self.lock:
                if not self.left or time.monotonic() > self.end:
                    return
                self.left -= 1
                name = f"map {self.left}.mrc"
            began = time.monotonic()
            while True:
                status, j = self.s.post(MAP, "name=" + name.replace(" ", "+"))
                self.note("upload", status)
                if status == 201:
                    break
                time.sleep(random.uniform(0.5, 2))
            j = self.s.wait(j["id"], 900, 0.5)
            self.note("result", j["state"])
            with self.lock:
                self.seconds.append(time.monotonic() - began)
                self.wrong += j.get("result") != {**self.want, "query": name}

    # ---- who does not ----

    def post_head(self, length, name="x"):
        return f"POST /api/query?name={name} HTTP/1.1\r\nHost: {self.s.host}\r\nContent-Length: {length}\r\n\r\n".encode()

    def raw(self, kind, data):
        r = self.s.raw(data)
        text = read_all(r)
        r.close()
        self.note(kind, text.split(b" ")[1].decode() if b" " in text else "closed")

    def truncated(self, rng):
        r = self.s.raw(self.post_head(len(MAP)) + MAP[:rng.randrange(len(MAP))])
        r.close()
        self.note("upload that breaks off", "closed by us")

    def ten_gigabytes(self, _):
        self.raw("body of 10 GB, declared", self.post_head(10 ** 10))

    def zip_bomb(self, _, whole=False):
        status, j = self.s.post(bomb(whole=whole), "name=bomb.map.gz")
        if status == 201:
            j = self.s.wait(j["id"], 900, 0.5)
            self.note("bomb of 98 GB" + (", whole" if whole else ""), j.get("error", j["state"])[:60])
        else:
            self.note("bomb of 98 GB" + (", whole" if whole else ""), status)

    def tricks(self, rng):
        path = rng.choice(["/../../../etc/passwd", "/query/%2e%2e%2f%2e%2e%2fetc/passwd", "/api/query/../../../../etc/passwd", "//etc/passwd"])
        self.raw("path out of the tree", f"GET {path} HTTP/1.1\r\nHost: {self.s.host}\r\nConnection: close\r\n\r\n".encode())

    def foreign(self, rng):
        h = rng.choice(["Host: evil.example", f"Host: {self.s.host}\r\nOrigin: http://evil.example"])
        self.raw("another host or page", f"GET / HTTP/1.1\r\n{h}\r\nConnection: close\r\n\r\n".encode())

    def slow(self, rng):
        r = self.s.raw(rng.choice([b"GET / HTTP/1.1\r\nX: ", self.post_head(10 ** 6)]))
        began = time.monotonic()
        try:
            while not self.done.wait(0.5):
                r.sendall(b"x")
            self.note("a byte at a time", "still open at the end")
        except OSError:
            self.note("a byte at a time", f"closed after {5 * round((time.monotonic() - began) / 5)} s")
        r.close()

    def deaf(self, _):
        r = self.s.raw(f"GET / HTTP/1.1\r\nHost: {self.s.host}\r\n\r\n".encode() * 2000)
        self.done.wait(8)
        r.close()
        self.note("takes no answer", "closed by us")

    def abuser(self, seed, kinds):
        rng = random.Random(seed)
        while not self.done.is_set():
            kind = rng.choice(kinds)
            try:
                kind(rng)
            except (OSError, TimeoutError, ValueError) as e:
                self.note(kind.__name__, type(e).__name__)
            self.done.wait(0.3)

    # ---- who watches ----

    def watch(self):
        pid = self.s.process.pid
        while not self.done.wait(0.1):
            try:
                spool = sum(os.stat(f"/proc/{pid}/fd/{f}").st_size for f in os.listdir(f"/proc/{pid}/fd")
                            if os.readlink(f"/proc/{pid}/fd/{f}").startswith(self.s.folder))
                now = (self.s.memory()[0] / 1e6, sum(resident(k) for k in self.s.children()) / 1e6, self.s.open_files(), spool / 1e6)
            except OSError:
                continue
            for key, value in zip(self.peak, now):
                self.peak[key] = max(self.peak[key], value)


def resident(pid):
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def main():
    folder = tempfile.mkdtemp(prefix="abuse_")
    with Server(*OPTIONS, folder=folder) as s:
        run = Run(s)
        begun = s.memory()[0] / 1e6
        quick = [run.truncated, run.ten_gigabytes, run.tricks, run.foreign]
        others = [threading.Thread(target=run.abuser, args=(n, kinds)) for n, kinds in enumerate([quick, quick, [run.zip_bomb], [run.slow], [run.slow], [run.deaf]])]
        others.append(threading.Thread(target=run.watch))
        others.append(threading.Thread(target=run.zip_bomb, args=(None, True)))
        honest = [threading.Thread(target=run.client) for _ in range(CLIENTS)]
        began = time.monotonic()
        for t in others + honest:
            t.start()
        for t in honest:
            t.join()
        wall = time.monotonic() - began
        others[-1].join()
        run.done.set()
        for t in others:
            t.join()
        time.sleep(6)  # what was left open is closed by the server's patience
        kids, files, after, most = len(s.children()), s.open_files(), *(m / 1e6 for m in s.memory())
        ended = time.monotonic()
        status = s.stop()
        ended = time.monotonic() - ended
    print("what\tof it\tvalue")
    for (kind, came), n in sorted(run.count.items()):
        print(kind, came, n, sep="\t")
    print("results", "other than annotate's", run.wrong, sep="\t")
    t = sorted(run.seconds)
    print("upload to result, s", "median, 95 %, longest", f"{t[len(t) // 2]:.1f}, {t[int(len(t) * 0.95)]:.1f}, {t[-1]:.1f}", sep="\t")
    print("all, s", "", f"{wall:.0f}", sep="\t")
    print("server, MB", "at first, at the end, highest", f"{begun:.1f}, {after:.1f}, {most:.1f}", sep="\t")
    for key, value in run.peak.items():
        print(key, "highest seen", f"{value:.0f}", sep="\t")
    print("at the end", "processes of queries, open files", f"{kids}, {files}", sep="\t")
    print("SIGTERM", "status, seconds, files left in the folder", f"{status}, {ended:.2f}, {len(os.listdir(folder))}", sep="\t")
    os.rmdir(folder)
    return run.wrong > 0 or status != 0


if __name__ == "__main__":
    sys.exit(main())

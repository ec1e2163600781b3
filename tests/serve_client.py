"""A server of cryolex serve, and a client that does as it is told, well or badly; for serve_cases.py and bench/serve_abuse.py."""
import functools
import gzip
import http.client
import json
import os
import signal
import socket
import struct
import subprocess
import tempfile
import time

CRYOLEX = os.environ.get("CRYOLEX", "cryolex")


class Server:
    def __init__(self, *options, folder=None):
        self.folder = folder or tempfile.mkdtemp(prefix="serve_")
        self.process = subprocess.Popen([CRYOLEX, "serve", "--port", "0", "--folder", self.folder, *options], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
        self.address = self.process.stdout.readline().strip()
        if not self.address:
            raise RuntimeError(self.process.stderr.read())
        self.port = int(self.address.rstrip("/").rpartition(":")[2])
        self.host = f"127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self, sig=signal.SIGTERM):
        """The exit status."""
        if self.process.poll() is None:
            self.process.send_signal(sig)
        try:
            self.process.wait(20)
        finally:
            self.process.stdout.close()
            self.process.stderr.close()
        return self.process.returncode

    def ask(self, method, path, body=None, headers=None, timeout=60):
        """(status, headers, body); one connection for each."""
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            c.request(method, path, body, headers or {})
            r = c.getresponse()
            return r.status, dict(r.getheaders()), r.read()
        finally:
            c.close()

    def json(self, method, path, body=None, headers=None):
        status, _, text = self.ask(method, path, body, headers)
        return status, json.loads(text)

    def post(self, body, query="name=q.mrc", headers=None):
        return self.json("POST", "/api/query?" + query, body, headers)

    def wait(self, i, seconds=120, pause=0.05):
        """A query when it is done or has failed."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            _, j = self.json("GET", "/api/query/" + i)
            if j.get("state") not in ("waiting", "running"):
                return j
            time.sleep(pause)
        raise TimeoutError(i)

    def raw(self, data=b"", timeout=20):
        """A socket on which data have been sent."""
        s = socket.create_connection(("127.0.0.1", self.port), timeout=timeout)
        s.sendall(data)
        return s

    def children(self):
        return children_of(self.process.pid)

    def spooled(self):
        """Bytes of its files without a name."""
        folder, n = f"/proc/{self.process.pid}/fd/", 0
        for fd in os.listdir(folder):
            try:
                if os.readlink(folder + fd).endswith(" (deleted)"):
                    n += os.stat(folder + fd).st_size
            except OSError:
                pass
        return n

    def open_files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def memory(self):
        """Resident bytes now and at most."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
            kb = {line.split(":")[0]: int(line.split()[1]) for line in f if line.startswith(("VmRSS", "VmHWM"))}
        return kb["VmRSS"] * 1024, kb["VmHWM"] * 1024


def children_of(pid):
    """Processes that it has started, at any depth."""
    found, more = [], [pid]
    while more:
        try:
            with open(f"/proc/{more[0]}/task/{more[0]}/children", encoding="ascii") as f:
                kids = [int(k) for k in f.read().split()]
        except OSError:
            kids = []
        more = more[1:] + kids
        found += kids
    return found


def read_all(s):
    """What comes until the other side closes."""
    out = b""
    try:
        while block := s.recv(65536):
            out += block
    except ConnectionError:
        pass
    return out


def header(n, mode=2):
    """Of an MRC map of n voxels a side."""
    b = struct.pack("<10i6f3i3f2i", n, n, n, mode, 0, 0, 0, n, n, n, *[float(n)] * 3, 90, 90, 90, 1, 2, 3, 0, 1, .1, 1, 0)
    b = b.ljust(104, b"\0") + b"\0\0\0\0" + struct.pack("<i", 20140)
    return (b.ljust(208, b"\0") + b"MAP DD\0\0" + struct.pack("<fi", 1, 0)).ljust(1024, b"\0")


@functools.lru_cache(maxsize=None)
def bomb(n=2900, whole=True):
    """A gzip file that unpacks to an MRC map of 4 n^3 bytes: nearly 100 GB for 2900; not whole: only its beginning."""
    block = gzip.compress(bytes(1 << 28), 9 if whole else 1)
    return gzip.compress(header(n)) + block * ((4 * n ** 3 >> 28) + 1 if whole else 1)

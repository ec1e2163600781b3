"""Cases for cryolex serve, as TAP: in a folder with share/, models/ and query.mrc (see test_cmd_serve.sh)."""
import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from serve_client import CRYOLEX, Server, bomb, children_of, header, read_all  # noqa: E402

with open("query.mrc", "rb") as f:
    MAP = f.read()
with open("models/1abc.pdb", "rb") as f:
    MODEL = f.read()


def caught(s, page=False):
    """A query that runs, and its process, or that of its page; one that was too quick for us is followed by another."""
    for _ in range(20):
        i = s.post(MAP)[1]["id"]
        while s.json("GET", "/api/query/" + i)[1]["state"] in ("waiting", "running"):
            for pid in s.children():
                try:
                    with open(f"/proc/{pid}/cmdline", "rb") as f:
                        command = f.read()
                    if os.readlink(f"/proc/{pid}/fd/1").startswith("/") if page else b"annotate" in command:
                        return i, pid
                except OSError:
                    pass
            time.sleep(0.005)
    raise TimeoutError


def alive(s):
    """An honest query is answered."""
    assert s.wait(s.post(MAP)[1]["id"])["state"] == "done"


def pages(s):
    for path, kind, text in (("/", "text/html", b"<form"), ("/serve.css", "text/css", b"body"), ("/serve.js", "text/javascript", b"XMLHttpRequest")):
        status, h, body = s.ask("GET", path)
        assert status == 200 and h["Content-Type"].startswith(kind) and text in body, path
        assert "default-src 'none'" in h["Content-Security-Policy"] and h["X-Content-Type-Options"] == "nosniff" and h["X-Frame-Options"] == "DENY"
    assert s.ask("HEAD", "/")[0] == 200


def result_is_that_of_annotate(s):
    status, j = s.post(MAP, "name=my+map.mrc")
    assert status == 201 and j["state"] in ("waiting", "running") and len(j["id"]) == 32 and j["name"] == "my map.mrc", j
    got = s.wait(j["id"])
    want = json.loads(subprocess.run([CRYOLEX, "annotate", "-q", "--format", "json", "query.mrc"], capture_output=True, check=True).stdout)
    assert got["result"] == {**want, "query": "my map.mrc"} and got["result"]["entries"][0]["id"] == "2abc", got
    status, h, page = s.ask("GET", "/query/" + j["id"])
    assert status == 200 and b"2abc" in page and b"data-id" not in page and page.count(b"data:image/png") > 6 and b"/dev/fd" not in page
    assert b"my map.mrc</h1>" in page and b">Another query</a>" in page and "sandbox" in h["Content-Security-Policy"]


def model_and_gzip(s):
    for body, name in ((MODEL, "1abc.pdb"), (gzip.compress(MODEL), "x"), (gzip.compress(MAP), "m.map.gz")):
        j = s.wait(s.post(body, "name=" + name)[1]["id"])
        assert j["state"] == "done" and j["result"]["query"] == name, j
        page = s.ask("GET", "/query/" + j["id"])[2]
        assert page.count(b"data:image/png") > 6 and b"/dev/fd" not in page, (name, page[:1000])


def contour_and_voxel_size(s):
    plain, bigger = (s.wait(s.post(MAP, q)[1]["id"])["result"]["rg"] for q in ("", "apix=6"))
    assert bigger > 1.5 * plain, (plain, bigger)
    assert s.wait(s.post(MAP, "contour=-1e9")[1]["id"])["state"] in ("done", "failed")
    j = s.wait(s.post(MAP, "contour=1e9")[1]["id"])
    assert j["state"] == "failed" and j["error"].startswith("upload: "), j
    for q in ("contour=x", "contour=1e999", "contour=nan", "apix=-1", "apix=1;rm", "apix=0x", "contour=1%20--index%20x"):
        status, j = s.post(MAP, q)
        assert status == 400 and "a number is wanted" in j["error"], (q, status, j)


def names_are_only_text(s):
    for name, shown in (("../../../etc/passwd", "../../../etc/passwd"), ("%2Fetc%2Fshadow", "/etc/shadow"), ("-m%0Aevil", "-m?evil"),
                        ("$(touch%20x)", "$(touch x)"), ("%FF%FE", "??"), ("a" * 500, "a" * 159), ("", "upload")):
        j = s.post(MAP, "name=" + name)[1]
        assert j["name"] == shown and s.json("DELETE", "/api/query/" + j["id"])[0] == 200, j
    j = s.wait(s.post(MAP, "name=%3Cscript%3Ealert(1)%3C/script%3E")[1]["id"])
    assert j["state"] == "done" and j["result"]["query"] == "<script>alert(1)</script>", j
    assert b"<script>alert" not in s.ask("GET", "/query/" + j["id"])[2]
    j = s.wait(s.post(b"junk" * 100, "name=%3Cb%3Ejunk")[1]["id"])
    assert j["state"] == "failed" and j["error"].startswith("<b>junk: ") and "/dev/" not in j["error"], j
    page = s.ask("GET", "/query/" + j["id"])[2]
    assert b"&lt;b&gt;junk" in page and b"<b>" not in page


def path_tricks(s):
    for path in ("/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/query/../../../etc/passwd", "/api/query/../../etc/passwd", "/query/" + "0" * 32,
                 "/query/%00", "/serve.css/../../x", "/query/", "/api/query/%2fetc%2fpasswd", "/api", "/.git/config", "/query/" + "A" * 20000):
        r = s.raw(f"GET {path} HTTP/1.1\r\nHost: {s.host}\r\nConnection: close\r\n\r\n".encode())
        text = read_all(r)
        r.close()
        assert text.split(b" ")[1] in (b"404", b"414", b"431") and b"root:" not in text, (path, text[:200])


def other_methods(s):
    for method, path in (("POST", "/"), ("PUT", "/api/query"), ("GET", "/api/query"), ("DELETE", "/"), ("DELETE", "/api/query"), ("TRACE", "/")):
        assert s.ask(method, path)[0] == 405, (method, path)
    assert s.ask("POST", "/", b"x" * 1000)[0] == 413
    for text in (b"GARBAGE\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"\0" * 1000 + b"\r\n\r\n", b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n"):
        r = s.raw(text)
        got = read_all(r)
        r.close()
        assert not got or got.split(b" ")[1][:1] in (b"4", b"5"), got[:100]


def only_from_here(s):
    i = s.post(MAP)[1]["id"]
    for host in ("evil.example", f"evil.example:{s.port}", "127.0.0.1.evil.example", "localhost.evil.example", "127.0.0.1:x", "", "127.0.0.1:8350@evil"):
        assert s.ask("GET", "/", headers={"Host": host})[0] in (400, 403), host
    for origin in ("http://evil.example", "null", "https://" + s.host, "http://127.0.0.1:1", f"http://{s.host}.evil.example", "http://localhost:%d" % s.port):
        for method, path, body in (("POST", "/api/query", MAP), ("DELETE", "/api/query/" + i, None), ("GET", "/api/query/" + i, None)):
            assert s.ask(method, path, body, {"Origin": origin})[0] == 403, origin
    assert s.ask("DELETE", "/api/query/" + i, headers={"Sec-Fetch-Site": "cross-site"})[0] == 403
    assert s.ask("GET", "/", headers={"Host": "localhost:9999"})[0] == 200, "a forwarded port"
    assert s.post(MAP, headers={"Origin": "http://" + s.host, "Sec-Fetch-Site": "same-origin"})[0] == 201
    with open("/proc/net/tcp", encoding="ascii") as f:
        at = [line.split()[1] for line in f if line.split()[1].endswith(f":{s.port:04X}") and line.split()[3] == "0A"]
    assert at == [f"0100007F:{s.port:04X}"], at


def bodies_that_are_refused(s):
    t = time.monotonic()
    r = s.raw(f"POST /api/query?name=x HTTP/1.1\r\nHost: {s.host}\r\nContent-Length: 10000000000\r\n\r\n".encode())
    text = read_all(r)
    r.close()
    assert b" 413 " in text and b"larger than 4 MiB" in text and time.monotonic() - t < 5, text[:200]
    assert s.post(b"")[0] == 400
    status, j = s.post(iter([b"x" * 65536] * 80))
    assert status == 413, j
    assert s.post(iter([MAP[k:k + 5000] for k in range(0, len(MAP), 5000)]))[0] == 201
    for n in (b"-1", b"x", b"99999999999999999999999999"):
        r = s.raw(b"POST /api/query HTTP/1.1\r\nHost: " + s.host.encode() + b"\r\nContent-Length: " + n + b"\r\n\r\nabc")
        text = read_all(r)
        r.close()
        assert not text or text.split(b" ")[1] in (b"400", b"413"), text[:100]
    alive(s)


def truncated_uploads(s):
    n = s.open_files()
    for k in (0, 1, 1000, len(MAP) - 1):
        r = s.raw(f"POST /api/query?name=x HTTP/1.1\r\nHost: {s.host}\r\nContent-Length: {len(MAP)}\r\n\r\n".encode() + MAP[:k])
        r.close()
    for _ in range(100):
        if s.open_files() <= n:
            break
        time.sleep(0.1)
    else:
        raise AssertionError("something is kept of them")
    alive(s)


def slow_clients(s):
    """A header and a body that come a byte at a time, an answer that nobody takes: closed after --patience 2."""
    slow = [s.raw(b"GET / HT"), s.raw(f"POST /api/query HTTP/1.1\r\nHost: {s.host}\r\nContent-Length: 1000000\r\n\r\n".encode())]
    end, closed = time.monotonic() + 15, set()
    while len(closed) < 2 and time.monotonic() < end:
        for k, r in enumerate(slow):
            try:
                r.sendall(b"x")
            except OSError:
                closed.add(k)
        assert s.ask("GET", "/")[0] == 200
        time.sleep(0.3)
    for r in slow:
        r.close()
    assert closed == {0, 1}, closed


def bombs(s):
    t = time.monotonic()
    j = s.wait(s.post(bomb(2900, whole=False), "name=bomb.map.gz")[1]["id"])
    assert j["state"] == "failed" and j["error"].startswith("bomb.map.gz: 2900 x 2900 x 2900 voxels, 97.6 GB unpacked (at most"), j
    assert time.monotonic() - t < 30
    j = s.wait(s.post(gzip.compress(bytes(1 << 28), 1), "name=zeros.gz")[1]["id"])
    assert j["state"] == "failed", j
    alive(s)


def damaged(s):
    for body in (MAP[:-100], MAP[:500], gzip.compress(MAP)[:-20], header(20000), b"\x89HDF\r\n\x1a\n" + b"\0" * 500, b"II*\0" + b"\xff" * 500):
        j = s.wait(s.post(body)[1]["id"])
        assert j["state"] == "failed" and j["error"], j
    alive(s)


def crash_of_a_query(s):
    i, pid = caught(s)
    assert len(os.listdir(f"/proc/{pid}/fd")) < 12, "no connections of the server's"
    os.kill(pid, signal.SIGSEGV)
    j = s.wait(i)
    assert j["state"] == "failed" and "crashed (signal 11)" in j["error"], j
    alive(s)


def crash_of_a_page(s):
    """The result is there, and told in a plain page."""
    i, pid = caught(s, page=True)
    os.kill(pid, signal.SIGSEGV)
    j = s.wait(i)
    page = s.ask("GET", "/query/" + i)[2]
    assert j["state"] == "done" and b">2abc</a>" in page and b"data:image/png" not in page, page[:500]
    alive(s)


def queue(s):
    """Order, position, a full queue, deletion."""
    ids = [s.post(MAP)[1]["id"] for _ in range(5)]
    status, h, body = s.ask("POST", "/api/query", MAP)
    if status == 201:  # the first was done in the meantime
        ids.append(json.loads(body)["id"])
        status, h, body = s.ask("POST", "/api/query", MAP)
    assert status == 503 and int(h["Retry-After"]) > 0 and b"waiting" in body, (status, body)
    state = [s.json("GET", "/api/query/" + i)[1] for i in ids]
    ahead = [j["ahead"] for j in state if j["state"] == "waiting"]
    assert ahead == sorted(ahead) and len(set(ahead)) == len(ahead) >= 2, state
    assert s.json("DELETE", "/api/query/" + ids[-1])[0] == 200 and s.ask("GET", "/api/query/" + ids[-1])[0] == 404
    for i in ids[:-1]:
        assert s.wait(i)["state"] == "done"
    i, pid = caught(s)
    assert s.json("DELETE", "/api/query/" + i)[0] == 200 and not os.path.exists(f"/proc/{pid}") and not s.children()
    alive(s)


def old_results_go():
    with Server("--age", "1.5", "--keep", "2") as s:
        ids = [s.post(MAP)[1]["id"] for _ in range(3)]
        s.wait(ids[2])
        assert s.ask("GET", "/api/query/" + ids[0])[0] == 404
        time.sleep(3)
        assert s.ask("GET", "/query/" + ids[2])[0] == 404


def time_limit():
    with Server("--time", "0.1") as s:
        j = s.wait(s.post(MAP)[1]["id"])
        assert j["state"] == "failed" and j["error"] == "it took more than 0.1 s", j
        assert not s.children()


def spool_limit():
    with Server("--spool", str(2 * len(MAP) + 100)) as s:
        status = [s.post(MAP)[0] for _ in range(4)]
        assert status[:2] == [201, 201] and set(status) <= {201, 503}, status


def spool_holds_pages():
    """Uploads and pages together; old pages make room for new ones and for uploads, and their results stay."""
    with Server() as s:
        i = s.post(MAP)[1]["id"]
        s.wait(i)
        page = len(s.ask("GET", "/query/" + i)[2])
    with Server("--spool", "30M") as s:  # of which what a page may take while it is made is a quarter
        ids = [s.post(MAP)[1]["id"] for _ in range(3)]
        s.wait(ids[-1])
        assert all(b"data:image/png" in s.ask("GET", "/query/" + i)[2] for i in ids)
    spool, most = len(MAP) + 4 * page, 0
    with Server("--spool", str(spool)) as s:
        ids = []
        for _ in range(5):
            ids.append(s.post(MAP)[1]["id"])
            while s.json("GET", "/api/query/" + ids[-1])[1]["state"] in ("waiting", "running"):
                most = max(most, s.spooled())
        most = max(most, s.spooled())
        assert 3 * page < most <= spool, (page, most, spool)
        shown = [b"data:image/png" in s.ask("GET", "/query/" + i)[2] for i in ids]
        assert shown == [False, False, True, True, True] and b"2abc" in s.ask("GET", "/query/" + ids[0])[2], shown
        r = s.raw(f"POST /api/query HTTP/1.1\r\nHost: {s.host}\r\nContent-Length: {spool}\r\n\r\n".encode() + bytes(spool - page // 2))
        for _ in range(200):
            if s.spooled() == spool - page // 2:
                break
            time.sleep(0.05)
        else:
            raise AssertionError(s.spooled())
        r.close()


def farewell():
    """While answers are on their way nothing is begun: no query, and no upload is taken that only now is complete."""
    with Server("--patience", "20") as s:
        i = s.post(MAP)[1]["id"]
        s.wait(i)
        head = f"Host: {s.host}\r\n"
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(("127.0.0.1", s.port))
        slow.sendall(f"GET /query/{i} HTTP/1.1\r\n{head}\r\n".encode() * 20)
        late = s.raw(f"POST /api/query HTTP/1.1\r\n{head}Content-Length: {len(MAP)}\r\n\r\n".encode() + MAP[:-1])
        for _ in range(3):
            s.post(MAP)
        time.sleep(0.5)
        s.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert s.process.poll() is None and not s.children(), s.children()
        late.sendall(MAP[-1:])
        text = read_all(late)
        assert b" 503 " in text and b"The server is ending." in text and not s.children(), text
        assert s.process.wait(10) == 0
        for r in (slow, late):
            r.close()


def ends_while_it_tries():
    """Before it listens: the process that tries the model, which never comes, ends with it."""
    os.mkfifo("never")
    with subprocess.Popen([CRYOLEX, "serve", "--port", "0", "--model", "never"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as p:
        for _ in range(200):
            child = children_of(p.pid)
            if child:
                break
            time.sleep(0.05)
        time.sleep(0.3)
        p.terminate()
        p.wait(10)
    for _ in range(100):
        if not os.path.exists(f"/proc/{child[0]}") or open(f"/proc/{child[0]}/stat").read().split(") ")[1][0] == "Z":
            break
        time.sleep(0.05)
    else:
        os.kill(child[0], signal.SIGKILL)
        raise AssertionError("its process goes on")


def ends(sig, status):
    folder = tempfile.mkdtemp(dir=".")
    s = Server(folder=folder)
    _, child = caught(s)
    s.post(MAP)
    r = s.raw(f"POST /api/query HTTP/1.1\r\nHost: {s.host}\r\nContent-Length: 1000000\r\n\r\nabc".encode())
    t = time.monotonic()
    assert s.stop(sig) == status and time.monotonic() - t < 10
    r.close()
    for _ in range(100):
        if not os.path.exists(f"/proc/{child}") or open(f"/proc/{child}/stat").read().split(") ")[1][0] == "Z":
            break
        time.sleep(0.05)
    else:
        raise AssertionError("its process goes on")
    assert os.listdir(folder) == []


def ends_by_sigterm():
    ends(signal.SIGTERM, 0)


def ends_by_sigkill():
    ends(signal.SIGKILL, -9)


def misuse_and_failure():
    def run(*args, env=None):
        p = subprocess.run([CRYOLEX, "serve", *args], capture_output=True, text=True, timeout=60, env={**os.environ, **(env or {})}, check=False)
        return p.returncode, p.stderr
    assert run("x")[0] == 2 and run("--port", "70000")[0] == 2
    status, said = run("--folder", "none")
    assert status == 3 and "none: no file can be made here" in said, said
    status, said = run(env={"CRYOLEX_SHARE": "none"})
    assert status == 2 and "no index" in said, said
    with Server() as s:
        status, said = run("--port", str(s.port))
        assert status == 3 and "Address already in use" in said, said


SHARED = [pages, result_is_that_of_annotate, model_and_gzip, contour_and_voxel_size, names_are_only_text, path_tricks, other_methods, only_from_here,
          bodies_that_are_refused, truncated_uploads, slow_clients, bombs, damaged, crash_of_a_query, crash_of_a_page, queue]
OWN = [old_results_go, time_limit, spool_limit, spool_holds_pages, farewell, ends_while_it_tries, ends_by_sigterm, ends_by_sigkill, misuse_and_failure]


def main():
    failed = 0
    print(f"1..{len(SHARED) + len(OWN)}")
    with Server("--max-upload", "4M", "--queue", "4", "--patience", "2", "--memory", "512M", "--max-unpacked", "64M") as s:
        for n, case in enumerate(SHARED + OWN, 1):
            began = time.monotonic()
            try:
                case(*([s] if case in SHARED else []))
                print(f"# {time.monotonic() - began:.1f} s")
                print(f"ok {n} - {case.__name__.replace('_', ' ')}", flush=True)
            except Exception:
                failed += 1
                print(f"not ok {n} - {case.__name__.replace('_', ' ')}")
                print("".join("# " + line + "\n" for line in traceback.format_exc().splitlines()), end="", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

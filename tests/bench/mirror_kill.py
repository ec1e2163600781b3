"""scripts/mirror-emdb, killed at random moments and started again until it is done, against an undisturbed run.

    python3 tests/bench/mirror_kill.py [KILLS [ENTRIES]]

A server on this machine (tests/mirror_cases.py: https, and rsync's daemon) has 200 entries of 300 KB. Printed is a table: by
which protocol, kills that met a running mirror, runs, files fetched that were whole before (there should be none), whether
manifest and files equal those of the undisturbed run, and what was left lying about."""
import hashlib
import http.server
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading

TESTS = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..")
KILLS, ENTRIES = (int(a) for a in (sys.argv[1:] + ["20", "200"][len(sys.argv) - 1:]))
sys.argv[1:] = [os.path.join(TESTS, "..", "scripts")]
sys.dont_write_bytecode = True
sys.path.insert(0, TESTS)
import mirror_cases as m  # noqa: E402


def tree(folder):
    out = {}
    for d, _, files in os.walk(folder):
        for f in files:
            path = os.path.join(d, f)
            with open(path, "rb") as g:
                out[os.path.relpath(path, folder)] = hashlib.sha256(g.read()).hexdigest()
    return out


def ended(case, base, rng):
    """Runs until one ends by itself; kills and runs, and how often a whole file came again."""
    kills = runs = twice = 0
    while True:
        m.Handler.seen, before = [], {f for f in case.left() if f.endswith((".gz", ".xml"))}
        runs += 1
        with subprocess.Popen(case.command("mirror-emdb", "--batch", "10", base=base), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as p:
            try:
                _, said = p.communicate(timeout=rng.uniform(0.15, 0.8) if kills < KILLS else 600)
            except subprocess.TimeoutExpired:
                p.send_signal(signal.SIGKILL)
                _, said = p.communicate()
                kills += 1
        come = {path[len(m.EMDB):] for path, mark, _ in m.Handler.seen if mark != "304"}
        names = {line.split(":")[0] for line in said.splitlines() if line.endswith(" bytes")}
        twice += len(come & before) + (len({n for n in names if any(b.endswith("/" + n) for b in before)}) if base else 0)
        if p.returncode == 0:
            return kills, runs, twice
        if p.returncode > 0:
            sys.exit(said)


def main():
    rng = random.Random(1)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), m.Handler)
    server.handle_error = lambda *_: None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("protocol\tkills\truns\ttwice\tequal\tleft")
    with tempfile.TemporaryDirectory() as root:
        c = m.Case(f"http://127.0.0.1:{server.server_address[1]}", tempfile.mkdtemp(dir=root))
        m.Handler.files = {}
        for n in range(ENTRIES):
            m.Handler.files |= m.emdb_files(str(2000 + n), m.header(2000 + n))
        c.run("mirror-emdb")
        want = tree(c.dir)
        for protocol in ("https", "rsync"):
            c.dir = tempfile.mkdtemp(dir=root)
            if protocol == "https":
                m.Handler.slow = 0.005
                figures = ended(c, None, rng)
            else:
                with m.Rsync(c) as r:
                    figures = ended(c, r.emdb, rng)
            got = tree(c.dir)
            equal = {k: v for k, v in got.items() if k in want and k != ".mirror.tsv"} == {k: v for k, v in want.items() if k != ".mirror.tsv"}
            print(protocol, *figures, "yes" if equal else "no", len([f for f in got if f not in want]), sep="\t", flush=True)
    server.shutdown()


if __name__ == "__main__":
    main()

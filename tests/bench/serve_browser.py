"""cryolex serve in a browser: the page is opened, a file chosen, the button pressed, progress read, the result looked at.

    CRYOLEX=build/cryolex python3 tests/bench/serve_browser.py MAP FOLDER [CHROMIUM]

Drives headless Chromium through its debugging pipe; Python's standard library only. Pictures of the three pages, wide and narrow, light and
dark, go to FOLDER; printed is what was checked. Status 1 where something is not so."""
import base64
import json
import os
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))
from serve_client import Server  # noqa: E402

MAP, FOLDER = sys.argv[1:3]
CHROMIUM = sys.argv[3] if len(sys.argv) > 3 else "chromium"


class Browser:
    def __init__(self):
        self.profile = tempfile.TemporaryDirectory()
        to_read, self.write = os.pipe()
        self.read, to_write = os.pipe()

        def fds():
            os.dup2(os.dup(to_read), 3)
            os.dup2(os.dup(to_write), 4)

        for fd in (to_read, to_write):  # out of the way of 3 and 4
            os.set_inheritable(fd, True)
        self.process = subprocess.Popen([CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--disable-dev-shm-usage",
                                         f"--user-data-dir={self.profile.name}", "about:blank"], close_fds=False, preexec_fn=fds,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self.n, self.rest, self.session, self.logged = 0, b"", None, []
        target = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "DOM", "Runtime", "Log"):
            self.call(domain + ".enable")

    def call(self, method, **params):
        self.n += 1
        message = {"id": self.n, "method": method, "params": params} | ({"sessionId": self.session} if self.session else {})
        os.write(self.write, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self.rest:
                block = os.read(self.read, 1 << 20)
                if not block:
                    raise RuntimeError("the browser ended")
                self.rest += block
            one, _, self.rest = self.rest.partition(b"\0")
            got = json.loads(one)
            if got.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown"):
                self.logged.append(json.dumps(got["params"])[:300])
            if got.get("id") == self.n:
                if "error" in got:
                    raise RuntimeError(got["error"])
                return got["result"]

    def run(self, script):
        return self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)["result"].get("value")

    def until(self, script, seconds=120):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if got := self.run(script):
                return got
            time.sleep(0.05)
        raise TimeoutError(script)

    def open(self, url):
        self.call("Page.navigate", url=url)
        self.until("document.readyState === 'complete'")

    def pictures(self, name):
        for size, width, height in (("wide", 1280, 900), ("narrow", 390, 844)):
            for scheme in ("light", "dark"):
                self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=size == "narrow")
                self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
                data = self.call("Page.captureScreenshot", format="png")["data"]
                with open(os.path.join(FOLDER, f"{name}-{size}-{scheme}.png"), "wb") as f:
                    f.write(base64.b64decode(data))
                if size == "narrow":
                    check(f"{name}: nothing sticks out at 390 pixels", self.run("document.documentElement.scrollWidth <= 390"))

    def close(self):
        self.process.terminate()
        self.process.wait(20)
        self.profile.cleanup()


failed = 0


def check(what, so):
    global failed
    failed += not so
    print("ok" if so else "NOT SO", what, sep="\t", flush=True)


def main():
    os.makedirs(FOLDER, exist_ok=True)
    browser = Browser()
    try:
        with Server() as s:
            browser.open(s.address)
            browser.pictures("upload")
            check("every input has a label", browser.run("[...document.querySelectorAll('input')].every(i => i.labels.length === 1)"))
            check("Tab reaches file, contour, voxel size, button", browser.run("[...document.querySelectorAll('input,button')].every(e => e.tabIndex === 0)"))
            node = browser.call("DOM.querySelector", nodeId=browser.call("DOM.getDocument")["root"]["nodeId"], selector="input[type=file]")["nodeId"]
            browser.call("DOM.setFileInputFiles", files=[os.path.realpath(MAP)], nodeId=node)
            s.post(open(MAP, "rb").read(), "name=before")  # so that there is a queue
            browser.run("document.querySelector('button').click()")
            browser.until("location.pathname.startsWith('/query/') && document.readyState === 'complete'")
            said = browser.until("document.getElementById('say') && document.getElementById('say').textContent")
            check(f"progress is told: {said}", "before yours" in said or "Being computed" in said)
            browser.pictures("progress")
            browser.until("document.querySelectorAll('tbody tr').length > 1", 300)
            check(f"the result comes by itself: {browser.run('document.querySelector(`tbody tr a`).textContent')}", True)
            browser.pictures("result")
            browser.open(browser.run("document.querySelector('nav a').href"))
            check("and back to the form", browser.run("!!document.querySelector('form')"))
            node = browser.call("DOM.querySelector", nodeId=browser.call("DOM.getDocument")["root"]["nodeId"], selector="input[type=file]")["nodeId"]
            browser.call("DOM.setFileInputFiles", files=[os.path.realpath(__file__)], nodeId=node)
            browser.run("document.querySelector('button').click()")
            why = browser.until("document.querySelector('.why') && document.querySelector('.why').textContent", 120)
            check(f"a file that is none: {why[:90]}", os.path.basename(__file__) in why)
            check(f"no errors and no blocked loads in the browser's log {browser.logged or ''}", not browser.logged)
    finally:
        browser.close()
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())

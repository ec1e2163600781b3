#!/usr/bin/env python3
"""Drive the pages of cryolex report in a headless Chromium, as somebody at the keyboard would, with no network. Prints TAP; --shots DIR keeps screenshots, wide and
narrow, light and dark.

usage: pages.py FOLDER [--shots DIR]     FOLDER: what cryolex report wrote for several queries"""
import base64
import json
import os
import pathlib
import sys
import time

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys


def browser(width, height, dark):
    o = Options()
    for a in ("--headless=new", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--hide-scrollbars", f"--window-size={width},{height}"):
        o.add_argument(a)
    o.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    d = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=o)
    d.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
    d.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
    return d


def shot(d, path, whole=True):
    size = d.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize" if whole else "cssLayoutViewport"]
    w, h = size.get("width", size.get("clientWidth")), min(size.get("height", size.get("clientHeight")), 8000)
    got = d.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": whole, "clip": {"x": 0, "y": 0, "width": w, "height": h, "scale": 1}} if whole else {})
    pathlib.Path(path).write_bytes(base64.b64decode(got["data"]))


class Tap:
    n = failed = 0

    def __call__(self, name, fine, more=""):
        self.n += 1
        self.failed += not fine
        print(f"{'ok' if fine else 'not ok'} {self.n} - {name}" + (f"\n# {more}" if more and not fine else ""), flush=True)


def column(d, k):
    return [td.text for td in d.find_elements(By.CSS_SELECTOR, f"#rows tbody td:nth-child({k})")]


def press(d, element, key):
    d.execute_script("arguments[0].focus()", element)
    element.send_keys(key)


def overview(d, url, tap):
    d.get(url)
    rows = json.loads(d.execute_script("return document.getElementById('data').textContent"))
    tap("the overview has a row for each query", len(column(d, 1)) == min(100, len(rows)))
    head = {b.text: b for b in d.find_elements(By.CSS_SELECTOR, "#rows th button")}
    press(d, head["Query"], Keys.ENTER)
    names = column(d, 1)
    press(d, head["Query"], Keys.ENTER)
    tap("sorted by name, with the keyboard, and the other way round", len(set(names)) > 1 and column(d, 1) == names[::-1], names)
    press(d, head["Confidence"], Keys.ENTER)
    got = [float(c) for c in column(d, 3) if c not in ("-", "")]
    tap("sorted by confidence, the highest first", got == sorted(got, reverse=True) and d.find_element(By.CSS_SELECTOR, "th[aria-sort=descending]").text.startswith("Confidence"), got)
    press(d, head["Confidence"], Keys.SPACE)
    got = [float(c) for c in column(d, 3) if c not in ("-", "")]
    tap("and the lowest", got == sorted(got), got)
    box = d.find_element(By.ID, "filter")
    box.send_keys(rows[0]["query"])
    left = column(d, 1)
    tap("filtered by a name", rows[0]["query"] in left and len(left) < max(2, len(rows)), left)
    box.send_keys(" no-such-word")
    tap("filtered to nothing", not column(d, 1) and d.find_element(By.ID, "count").text.startswith("0 of"))
    box.clear()
    box.send_keys(Keys.SPACE)
    points = d.find_elements(By.CSS_SELECTOR, "#plot circle")
    if points:
        fills = {p.get_attribute("fill") for p in points}
        d.execute_script("const s = document.getElementById('colour'); s.value = 'confidence'; s.dispatchEvent(new Event('input'))")
        again = d.find_elements(By.CSS_SELECTOR, "#plot circle")
        tap("points of the map change colour", len(again) == len(points) and {p.get_attribute("fill") for p in again} != fills)
        d.execute_script("arguments[0].focus()", again[0])
        tap("a point says what it is", any(r["query"] in d.find_element(By.ID, "pointed").text for r in rows))
    link = d.find_element(By.CSS_SELECTOR, "#rows a")
    name = link.text
    press(d, link, Keys.ENTER)
    time.sleep(0.5)
    tap("a page opened from the table", "index.html" not in d.current_url and name.split(".")[0] in d.find_element(By.TAG_NAME, "h1").text, d.current_url)


def page(d, tap):
    first = lambda: [r.get_attribute("id") for r in d.find_elements(By.CSS_SELECTOR, ".hits tbody tr")]
    was, button = first(), d.find_elements(By.CSS_SELECTOR, ".hits th button")
    press(d, button[0], Keys.ENTER)
    press(d, button[0], Keys.ENTER)
    tap("hits sorted the other way round", first() == was[::-1], first())
    hit = d.find_element(By.CSS_SELECTOR, ".hits details")
    press(d, hit.find_element(By.TAG_NAME, "summary"), Keys.ENTER)
    tap("a hit opened", hit.get_attribute("open") is not None and "cryolex search" in hit.text)
    copy = hit.find_element(By.CSS_SELECTOR, "button.copy")
    press(d, copy, Keys.ENTER)
    time.sleep(0.3)
    tap("its command copied or selected", "--like" in d.execute_script("return getSelection().toString()") and copy.text != "Copy")
    seen = d.execute_script("return [...document.images].every(i => i.complete && i.naturalWidth > 0) && document.images.length")
    tap("all pictures are seen", seen is not False and seen > 0, seen)
    wide = d.execute_script("return document.documentElement.scrollWidth <= innerWidth + 1")
    tap("nothing sticks out", wide)


def in_3d(d, tap, shots):
    button = d.find_elements(By.ID, "open-3d")
    if not button:
        print("# no view in 3D on this page")
        return
    press(d, button[0], Keys.ENTER)
    stage = d.find_element(By.CSS_SELECTOR, ".stage")
    for _ in range(120):
        time.sleep(0.5)
        if stage.get_attribute("data-ready") or "cannot" in stage.text:
            break
    time.sleep(3)
    d.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", stage)
    tap("the view in 3D is there", stage.get_attribute("data-ready") == "yes", stage.text)
    if stage.get_attribute("data-ready") != "yes":
        return
    camera = lambda: d.execute_script("return [...cryolexViewer.plugin.canvas3d.camera.state.position]")
    was = camera()
    if shots:
        shot(d, os.path.join(shots, "3d-before.png"), False)
    box = stage.rect
    middle = {"x": box["width"] / 2, "y": d.execute_script("return innerHeight / 2")}
    for kind, dx in (("mousePressed", 0), ("mouseMoved", 60), ("mouseMoved", 160), ("mouseReleased", 160)):
        d.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": kind, "x": middle["x"] + dx, "y": middle["y"], "button": "left", "buttons": 1, "clickCount": 1})
        time.sleep(0.3)
    time.sleep(1)
    now = camera()
    tap("dragging turns it", sum((a - b) ** 2 for a, b in zip(was, now)) > 1, (was, now))
    if shots:
        shot(d, os.path.join(shots, "3d-turned.png"), False)


def requests(d):
    """Addresses that were asked for, other than of files, data and blobs."""
    out = []
    for entry in d.get_log("performance"):
        m = json.loads(entry["message"])["message"]
        if m["method"] == "Network.requestWillBeSent":
            url = m["params"]["request"]["url"]
            if not url.startswith(("file:", "data:", "blob:", "chrome:", "devtools:")):
                out.append(url)
    return out


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    shots = sys.argv[3] if len(sys.argv) > 3 else None
    tap = Tap()
    d = browser(1200, 900, False)
    try:
        overview(d, (folder / "index.html").as_uri(), tap)
        page(d, tap)
        in_3d(d, tap, shots)
        asked = requests(d)
        tap("nothing was asked for outside", not asked, asked[:5])
        wrong = [e["message"] for e in d.get_log("browser") if e["level"] == "SEVERE"]
        tap("no error in the browser's log", not wrong, wrong[:5])
        here = d.current_url
    finally:
        d.quit()
    for width in (320, 600, 740, 800, 1000):
        d = browser(width, 800, False)
        stick = []
        for url in ((folder / "index.html").as_uri(), here):
            d.get(url)
            if not d.execute_script("return document.documentElement.scrollWidth <= innerWidth + 1"):
                stick.append(url)
        d.quit()
        tap(f"nothing sticks out of a window of {width}", not stick, stick)
    d = browser(390, 800, True)
    try:
        for url in ((folder / "index.html").as_uri(), here):
            d.get(url)
            tap("nothing sticks out of a narrow window", d.execute_script("return document.documentElement.scrollWidth <= innerWidth + 1"), url)
            tap("dark where that is preferred", d.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 27)")
    finally:
        d.quit()
    if shots:
        for width, dark in ((1200, False), (1200, True), (390, False), (390, True)):
            d = browser(width, 900, dark)
            for name, url in (("index", (folder / "index.html").as_uri()), ("page", here)):
                d.get(url)
                time.sleep(0.5)
                shot(d, os.path.join(shots, f"{name}-{'wide' if width > 600 else 'narrow'}-{'dark' if dark else 'light'}.png"))
            d.quit()
    print(f"1..{tap.n}")
    return tap.failed > 0


if __name__ == "__main__":
    sys.exit(main())

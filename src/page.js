"use strict";
// Columns are sorted by data-sort where a cell has it, else by its text: numbers before words.
for (const table of document.querySelectorAll("table.sortable")) {
  table.querySelectorAll("thead th").forEach((th, column) => {
    const button = th.querySelector("button");
    if (!button) return;
    button.addEventListener("click", () => {
      const down = th.getAttribute("aria-sort") === "ascending";
      for (const other of table.querySelectorAll("th")) other.removeAttribute("aria-sort");
      th.setAttribute("aria-sort", down ? "descending" : "ascending");
      const value = row => { const cell = row.cells[column]; return cell.dataset.sort ?? cell.textContent.trim(); };
      const rows = [...table.tBodies[0].rows].sort((a, b) => {
        const p = value(a), q = value(b), n = Number(p) - Number(q);
        return (isNaN(n) ? p.localeCompare(q) : n) * (down ? -1 : 1);
      });
      table.tBodies[0].append(...rows);
    });
  });
}
for (const button of document.querySelectorAll("button.copy")) {
  button.addEventListener("click", async () => {
    const code = button.parentElement.querySelector("code"), was = button.textContent;
    const range = document.createRange();
    range.selectNodeContents(code);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    try { await navigator.clipboard.writeText(code.textContent); button.textContent = "Copied"; }
    catch { button.textContent = document.execCommand("copy") ? "Copied" : "Press Ctrl+C"; }
    setTimeout(() => { button.textContent = was; }, 2000);
  });
}
// The viewer Mol* lies beside the page and is loaded when it is asked for.
const open3d = document.getElementById("open-3d");
if (open3d) open3d.addEventListener("click", async () => {
  const stage = open3d.parentElement, load = (tag, set) => new Promise((done, failed) => {
    const e = Object.assign(document.createElement(tag), set);
    e.onload = done;
    e.onerror = () => failed(new Error("molstar/ is not beside this page"));
    document.head.append(e);
  });
  const bytes = uri => Uint8Array.from(atob(uri.slice(uri.indexOf(",") + 1)), c => c.charCodeAt(0));
  const level = Number(open3d.dataset.level);
  open3d.disabled = true;
  open3d.textContent = "Loading...";
  try {
    await load("link", { rel: "stylesheet", href: "molstar/molstar.css" });
    await load("script", { src: "molstar/molstar.js" });
    stage.textContent = "";
    stage.classList.add("on");
    const room = document.createElement("div");
    room.id = "molstar-room";
    room.style.cssText = "position:absolute;inset:0";
    stage.append(room);
    const viewer = await molstar.Viewer.create(room, { layoutIsExpanded: false, layoutShowControls: false, layoutShowSequence: false, layoutShowLog: false,
      layoutShowLeftPanel: false, viewportShowExpand: true, viewportShowSelectionMode: false, viewportShowAnimation: false, pdbProvider: "rcsb" });
    window.cryolexViewer = viewer;
    for (const model of document.querySelectorAll("script.scene-model"))
      await viewer.loadStructureFromData(new TextDecoder().decode(bytes(model.textContent)), "pdb", { dataLabel: model.dataset.label });
    const url = URL.createObjectURL(new Blob([bytes(document.getElementById("scene-map").textContent)]));
    await viewer.loadVolumeFromUrl({ url, format: "ccp4", isBinary: true }, [{ type: "absolute", value: level, alpha: 0.35, color: 0x9dbbdc }]);
    stage.dataset.ready = "yes";
  } catch (why) {
    stage.classList.remove("on");
    stage.textContent = "The view in 3D cannot be shown: " + why.message + ". The pictures below show the same.";
  }
});

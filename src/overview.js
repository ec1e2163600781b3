const data = JSON.parse(document.getElementById("data").textContent), PAGE = 100, NS = "http://www.w3.org/2000/svg";
data.forEach((row, i) => { row.words = [row.query, row.hit, row.title, row.family, row.function, row.symmetry].join(" ").toLowerCase(); row.order = i; });
const columns = [["query", "Query"], ["hit", "Nearest entry"], ["confidence", "Confidence"], ["known", "Known"], ["mass", "Mass, kDa"], ["symmetry", "Symmetry"], ["resolution", "Resolution, Å"], ["family", "Family"], ["function", "Function"]]
  .filter(([key]) => key === "query" || data.some(row => row[key] !== undefined));
const state = { key: "order", down: false, page: 0 }, get = id => document.getElementById(id);
const make = (tag, text, set) => Object.assign(document.createElement(tag), text === undefined ? {} : { textContent: text }, set);
let shown = data;

const table = make("table", undefined, { className: "stack" }), head = table.createTHead().insertRow(), body = table.createTBody();
for (const [key, title] of columns) {
  const th = make("th", undefined, { scope: "col" }), button = make("button", title, { type: "button" });
  button.addEventListener("click", () => {
    state.down = state.key === key ? !state.down : typeof data.find(row => row[key] !== undefined)?.[key] === "number";
    state.key = key;
    for (const other of head.cells) other.removeAttribute("aria-sort");
    th.setAttribute("aria-sort", state.down ? "descending" : "ascending");
    update();
  });
  th.append(button);
  head.append(th);
}
get("rows").append(table);

function cell(row, key) {
  const value = row[key], td = make("td");
  td.dataset.label = columns.find(c => c[0] === key)[1];
  if (key === "query" && row.page) td.append(make("a", value, { href: encodeURIComponent(row.page) + ".html" }));
  else if (key === "hit") {
    td.append(make("strong", value ?? "-"), make("div", row.title ?? "", { className: "soft" }));
  } else if (key === "confidence" && value !== undefined) {
    const bar = make("span", undefined, { className: "bar" }), fill = make("span");
    fill.style.width = 100 * value + "%";
    bar.append(fill);
    td.append(bar, make("span", value.toFixed(2), { className: "num" }));
  } else td.textContent = value === undefined ? "-" : key === "known" && row.novel ? value.toFixed(2) + ", unlike anything" : key === "known" ? value.toFixed(2) : value;
  return td;
}

// Missing values come last, whichever way.
function compare(a, b) {
  const p = a[state.key], q = b[state.key];
  if (p === undefined || q === undefined) return (p === undefined) - (q === undefined);
  return (typeof p === "number" ? p - q : p.localeCompare(q, undefined, { numeric: true })) * (state.down ? -1 : 1);
}

function update() {
  const words = get("filter").value.toLowerCase().split(/\s+/).filter(Boolean), least = Number(get("least").value), novel = get("novel").value;
  shown = data.filter(row => words.every(w => row.words.includes(w)) && (least < 0 || row.confidence >= least) && (!novel || (novel === "novel") === !!row.novel)).sort(compare);
  const pages = Math.max(1, Math.ceil(shown.length / PAGE));
  state.page = Math.min(state.page, pages - 1);
  body.replaceChildren(...shown.slice(state.page * PAGE, (state.page + 1) * PAGE).map(row => {
    const tr = make("tr");
    tr.append(...columns.map(([key]) => cell(row, key)));
    return tr;
  }));
  get("count").textContent = `${shown.length} of ${data.length}`;
  get("where").textContent = `Page ${state.page + 1} of ${pages}`;
  document.querySelector(".pager").hidden = pages === 1;
  get("back").disabled = state.page === 0;
  get("next").disabled = state.page === pages - 1;
  draw();
}

// The map: circles where there are few, else a canvas.
const palette = ["#3b6fb6", "#e07b39", "#3f9b53", "#c2443f", "#8661b0", "#9a6a4f", "#d86ba9", "#b0a22e", "#2ba5b5", "#6c8f2f"], GREY = "#8a929b", W = 800, H = 560, PAD = 20;
const ramp = t => { const c = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]], i = Math.min(3, Math.floor(t * 4)), f = t * 4 - i; return `rgb(${c[i].map((v, k) => Math.round(v + f * (c[i + 1][k] - v)))})`; };
const points = data.filter(row => row.x !== undefined), span = key => { const v = points.map(p => p[key]); return [v.reduce((a, b) => Math.min(a, b), Infinity), v.reduce((a, b) => Math.max(a, b), -Infinity)]; };
function placed() {
  const [x0, x1] = span("x"), [y0, y1] = span("y");
  for (const p of points) {
    p.px = PAD + (p.x - x0) / (x1 - x0 || 1) * (W - 2 * PAD);
    p.py = H - PAD - (p.y - y0) / (y1 - y0 || 1) * (H - 2 * PAD);
  }
}
function colours(key) {
  const legend = get("legend");
  if (key === "family") {
    const count = new Map();
    for (const p of points) if (p.family) count.set(p.family, (count.get(p.family) ?? 0) + 1);
    const top = [...count].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).slice(0, palette.length).map(c => c[0]), list = make("ul", undefined, { className: "legend" });
    [...top, "others, or none told"].forEach((name, i) => {
      const li = make("li"), dot = make("i");
      dot.style.background = i < top.length ? palette[i] : GREY;
      li.append(dot, name);
      list.append(li);
    });
    legend.replaceChildren(list);
    return p => top.includes(p.family) ? palette[top.indexOf(p.family)] : GREY;
  }
  const v = points.map(p => p[key]).filter(x => x !== undefined), lo = key === "confidence" ? 0 : v.reduce((a, b) => Math.min(a, b), Infinity), hi = key === "confidence" ? 1 : v.reduce((a, b) => Math.max(a, b), -Infinity);
  const bar = make("div", undefined, { className: "ramp" });
  bar.style.background = `linear-gradient(90deg, ${[0, 1, 2, 3, 4].map(i => ramp(i / 4))})`;
  legend.replaceChildren(bar, make("div", v.length ? `${+lo.toPrecision(3)} to ${+hi.toPrecision(3)}${key === "resolution" ? " Å" : ""}; grey: not known` : "not known of any"));
  return p => p[key] === undefined ? GREY : ramp(hi > lo ? (p[key] - lo) / (hi - lo) : 0);
}
const tell = p => { get("pointed").textContent = `${p.query}: ${p.hit ?? "no hit"}${p.title ? ", " + p.title : ""}`; };
const open = p => { if (p.page) location.href = encodeURIComponent(p.page) + ".html"; };
function draw() {
  const plot = get("plot");
  if (!plot) return;
  const colour = colours(get("colour").value), on = new Set(shown);
  if (points.length > 4000) {
    const canvas = plot.firstChild ?? plot.appendChild(make("canvas", undefined, { width: W, height: H })), c = canvas.getContext("2d");
    canvas.style.width = "100%";
    c.clearRect(0, 0, W, H);
    for (const p of points) {
      c.globalAlpha = on.has(p) ? 0.8 : 0.08;
      c.fillStyle = colour(p);
      c.fillRect(p.px - 1.5, p.py - 1.5, 3, 3);
    }
    const near = e => {
      const x = e.offsetX * W / canvas.clientWidth, y = e.offsetY * H / canvas.clientHeight, away = p => (p.px - x) ** 2 + (p.py - y) ** 2;
      const best = shown.reduce((a, p) => p.x !== undefined && (!a || away(p) < away(a)) ? p : a, undefined);
      return best && away(best) < 64 ? best : undefined;
    };
    canvas.onmousemove = e => { const p = near(e); if (p) tell(p); };
    canvas.onclick = e => { const p = near(e); if (p) open(p); };
    return;
  }
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("viewBox", `0 0 ${W} ${H}`);
  svg.setAttribute("role", "group");
  svg.setAttribute("aria-label", "Map of the embeddings");
  for (const p of points) {
    const dot = document.createElementNS(NS, "circle"), title = document.createElementNS(NS, "title");
    for (const [k, v] of [["cx", p.px], ["cy", p.py], ["r", points.length > 500 ? 4 : 6], ["fill", colour(p)], ["tabindex", "0"], ["role", "link"]]) dot.setAttribute(k, v);
    if (!on.has(p)) dot.setAttribute("class", "off");
    title.textContent = `${p.query}: ${p.hit ?? "no hit"}`;
    dot.append(title);
    dot.addEventListener("focus", () => tell(p));
    dot.addEventListener("mouseenter", () => tell(p));
    dot.addEventListener("click", () => open(p));
    dot.addEventListener("keydown", e => { if (e.key === "Enter") open(p); });
    svg.append(dot);
  }
  plot.replaceChildren(svg);
}
for (const id of ["filter", "least", "novel"]) get(id).addEventListener("input", () => { state.page = 0; update(); });
get("colour")?.addEventListener("input", draw);
get("back").addEventListener("click", () => { state.page--; update(); });
get("next").addEventListener("click", () => { state.page++; update(); });
placed();
update();

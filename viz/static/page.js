// @ts-check
// The page around a picture: zoom and pan, details of what is pointed at, folding of modules, search, keyboard.
// What is drawn stays the SVG's business: this reads its data attributes and its titles, then moves and hides things.

/** @typedef {{x0: number, y0: number, x1: number, y1: number}} Area */
/** @typedef {{el: SVGGraphicsElement, home: Area, area: Area, frame: Frame | null, text: string}} Box */
/** @typedef {{el: SVGGraphicsElement, home: Area, area: Area, frame: Frame | null, text: string, path: string, boxes: Box[],
 *   rect: SVGGraphicsElement, label: SVGGraphicsElement | null, words: Area, folded: boolean,
 *   spot: [number, number], size: [number, number],
 *   open: SVGGElement, card: SVGGElement}} Frame  A module: `home` is where it was drawn, `area` where it is now. */
/** @typedef {Box | Frame} Item  What can be focused: a box, a mark of a chart, or a module's button. */
/** @typedef {{el: SVGElement, d: string | null, home: Area}} Shape */
/** @typedef {{el: SVGGElement, tail: Box, head: Box, text: string, shapes: Shape[]}} Edge */
/** @typedef {[number, number][]} Gaps  The strips to be closed up along an axis. */

const SVG = "http://www.w3.org/2000/svg";
const ALONG = document.documentElement.dataset.direction === "TB" ? 1 : 0; // the axis that data flows along
const ARROW = 7, ROOM = 14; // an arrow's length; room kept free around what is drawn
const PAIR = /(-?[\d.]+)[ ,](-?[\d.]+)/g; // a point of a path
const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** @type {<T extends Element = HTMLElement>(selector: string, root?: ParentNode) => T} */
const find = (selector, root = document) => /** @type {any} */ (root.querySelector(selector));
/** @type {<T extends Element = SVGGraphicsElement>(selector: string, root?: ParentNode) => T[]} */
const all = (selector, root = document) => /** @type {any} */ ([...root.querySelectorAll(selector)]);
/** @type {(name: string, attributes?: Record<string, string | number>, ...children: (Node | string)[]) => any} */
const draw = (name, attributes = {}, ...children) => {
  const el = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) el.setAttribute(key, String(value));
  el.append(...children);
  return el;
};
/** @type {(name: string, text?: string, ...children: (Node | string)[]) => HTMLElement} */
const html = (name, text = "", ...children) => {
  const el = document.createElement(name);
  el.append(text, ...children);
  return el;
};
/** @type {(low: number, x: number, high: number) => number} */
const within = (low, x, high) => Math.max(low, Math.min(x, high));
/** @type {(a: Area) => [number, number]} */
const centre = (a) => [(a.x0 + a.x1) / 2, (a.y0 + a.y1) / 2];
/** @type {(a: Area, x: number, y: number) => Area} */
const moved = (a, x, y) => ({ x0: a.x0 + x, y0: a.y0 + y, x1: a.x1 + x, y1: a.y1 + y });
/** @type {(text: string, key: string) => string | undefined} The rest of the line that begins with a key. */
const line = (text, key) => text.split("\n").find((l) => l.startsWith(`${key} `))?.slice(key.length + 1);
/** @type {(x: number) => string} A number as the picture writes it. */
const brief = (x) => {
  const [digits, power] = Number(x.toPrecision(4)).toString().split("e");
  return ((/[.\D]/.test(digits.slice(1)) ? digits : `${digits}.0`) + (power ? `e${+power}` : "")).replaceAll("-", "−");
};
/** @type {(rect: Element, a: Area, room?: number) => void} */
const enclose = (rect, a, room = 0) => {
  const sides = { x: a.x0 - room, y: a.y0 - room, width: a.x1 - a.x0 + 2 * room, height: a.y1 - a.y0 + 2 * room };
  for (const [key, value] of Object.entries(sides)) rect.setAttribute(key, String(+value.toFixed(2)));
};

// ---------------------------------------------------------------- what is drawn

const view = find("#view"), facts = find("#facts"), query = /** @type {HTMLInputElement} */ (find("#query"));
const svg = /** @type {SVGSVGElement} */ (find("#view svg"));
const drawing = find("[data-drawing]", svg) ?? svg;
const fromScreen = () => /** @type {DOMMatrix} */ (/** @type {any} */ (drawing).getScreenCTM()).inverse();
const origin = fromScreen();
/** @type {(el: Element, matrix?: DOMMatrix) => Area} Where in the drawing something is. */
const areaOf = (el, matrix = origin) => {
  const r = el.getBoundingClientRect();
  const [p, q] = [new DOMPoint(r.left, r.top), new DOMPoint(r.right, r.bottom)].map((point) => point.matrixTransform(matrix));
  return { x0: p.x, y0: p.y, x1: q.x, y1: q.y };
};

// Titles become details, and what a screen reader calls a thing: browsers would show them a second time as tooltips.
/** @type {Map<Element, string>} */
const texts = new Map();
for (const title of all("title", svg)) {
  const owner = /** @type {Element} */ (title.parentElement);
  if (owner === svg) svg.setAttribute("aria-label", title.textContent ?? "");
  else texts.set(owner, title.textContent ?? "");
  title.remove();
}
svg.removeAttribute("aria-labelledby");

const whole = areaOf(drawing);
/** @type {Frame[]} */
const names = all("[data-label]", drawing);
const frames = all("[data-frame]", drawing).map((rect) => {
  const open = draw("g"), card = draw("g"), el = draw("g", { class: "module", role: "button" }, open, card);
  const label = names.find((g) => g.dataset.label === rect.dataset.frame) ?? null;
  const { x, y, width, height } = rect.getBBox(), home = { x0: x, y0: y, x1: x + width, y1: y + height };
  const words = label ? areaOf(label) : { x0: x + 8, y0: y + 4, x1: x + 8, y1: y + 20 }, path = rect.dataset.frame ?? "";
  const state = { area: home, folded: false, spot: centre(home), size: /** @type {[number, number]} */ ([0, 0]) };
  return { el, home, frame: null, text: path, path, boxes: [], rect, label, words, open, card, ...state };
});
/** @type {(inner: Area, outer: Area) => boolean} */
const inside = (inner, outer) => {
  const [x, y] = centre(inner);
  return x > outer.x0 && x < outer.x1 && y > outer.y0 && y < outer.y1 && inner.x1 - inner.x0 < outer.x1 - outer.x0;
};
/** @type {(a: Area) => number} */
const size = (a) => (a.x1 - a.x0) * (a.y1 - a.y0);
/** @type {(area: Area) => Frame | null} The innermost module around. */
const around = (area) =>
  frames.filter((f) => f.home !== area && inside(area, f.home)).sort((a, b) => size(a.home) - size(b.home))[0] ?? null;
for (const frame of frames) frame.frame = around(frame.home);

const ends = new Set(all("[data-edge]", drawing).flatMap((el) => [el.dataset.tail, el.dataset.head]));
const units = all("[data-unit]", drawing).filter((el) => ends.has(el.dataset.unit)), cards = all("[data-box]", drawing);
const nodes = cards.length ? cards : units; // a box may have cells of units in it: these are no boxes
const isGraph = nodes.length > 0; // of boxes, or of units with their weights; all else is a chart
const marks = isGraph ? nodes : /** @type {SVGGraphicsElement[]} */ ([...texts.keys()]);
/** @type {Box[]} */
const boxes = marks.map((el) => {
  const home = areaOf(el), text = texts.get(el) ?? el.textContent ?? "";
  const frame = around(home);
  el.setAttribute("role", !isGraph && marks.some((other) => other !== el && el.contains(other)) ? "group" : "img");
  el.setAttribute("aria-label", text.replaceAll("\n", ", "));
  el.setAttribute("tabindex", "-1");
  return { el, home, area: home, frame, text };
});
for (const box of boxes) for (let f = box.frame; f; f = f.frame) f.boxes.push(box);
/** @type {Map<Element, Item>} */
const items = new Map([...boxes, ...frames].map((item) => [item.el, item]));
/** @type {(el: Element) => Item | undefined} The item that something in the drawing is, or is a part of. */
const itemOf = (el) => items.get(el) ?? (el.parentElement && el !== svg ? itemOf(el.parentElement) : undefined);
/** @type {(item: Item) => item is Frame} */
const isFrame = (item) => "rect" in item;
/** @type {(item: Item) => string} */
const nameOf = (item) => {
  const value = line(item.text, "value"), called = item.text.split("\n")[0].split(", made by ")[0];
  if (isFrame(item) || item.el.dataset.name || value === undefined || Number.isNaN(+value)) return item.el.dataset.name || called;
  return `${called} = ${brief(+value)}`;
};

const byNumber = new Map(boxes.map((box) => [box.el.dataset.box ?? box.el.dataset.unit, box]));
/** @type {Map<Element, Edge>} */
const edges = new Map();
for (const el of /** @type {SVGGElement[]} */ (all("[data-edge]", drawing))) {
  const tail = byNumber.get(el.dataset.tail), head = byNumber.get(el.dataset.head);
  if (!tail || !head) continue;
  const shapes = /** @type {SVGElement[]} */ ([...el.children]).map((shape) => {
    const d = shape.getAttribute("d"), bends = d !== null && shape.getAttribute("fill") === "none" && /^[MCL\d .,-]+$/.test(d);
    return { el: shape, d: bends ? d : null, home: areaOf(shape) };
  });
  edges.set(el, { el, tail, head, text: texts.get(el) ?? "", shapes });
}
for (const { el, shapes } of edges.values()) for (const { d, home } of [...shapes]) { // thin lines are hard to point at
  const wide = d && draw("path", { d, class: "reach", fill: "none" });
  if (wide) el.prepend(wide), shapes.push({ el: wide, d, home });
}

// The heading is on the page already; the legend becomes a list that wraps and never shrinks.
for (const el of [...svg.children]) {
  const after = drawing.compareDocumentPosition(el) & Node.DOCUMENT_POSITION_FOLLOWING;
  if (el === drawing || el.contains(drawing) || el.localName === "defs" || el.localName === "desc") continue;
  if (after && el.localName === "g") {
    const box = /** @type {SVGGraphicsElement} */ (el).getBBox(), pad = 1.5;
    el.removeAttribute("transform");
    const piece = draw("svg", {
      viewBox: `${box.x - pad} -9 ${box.width + 2 * pad} 18`, width: box.width + 2 * pad, height: 18, role: "img",
      "aria-label": el.textContent ?? "", "font-family": svg.getAttribute("font-family") ?? "",
    }, el);
    find("#legend").append(html("li", "", piece));
  } else el.remove();
}
const over = draw("g"), bundles = draw("g"), ring = draw("rect", { class: "ring", rx: 9 });
/** @type {Map<Edge, SVGGElement>} */
const bundleOf = new Map();
if (isGraph) boxes[0].el.before(bundles, ...frames.map((frame) => frame.el));
drawing.append(over, ring);

/** @type {Item | null} */
let chosen = null;
/** @type {Element | null} */
let pointed = null;
let upstream = false; // Shift is held
/** @type {Box[]} */
let hits = [];
let hit = 0;

// ---------------------------------------------------------------- zoom and pan

let scale = 1, fitted = true, entire = false; // asked to be seen whole, however small
let page = whole; // what the drawing takes up at the moment
const PAD = 22, LEAST = 0.01, SMALL = 0.4, READABLE = 0.7; // a picture that would open smaller than SMALL opens at READABLE, where it begins

const show = () => {
  const wide = page.x1 - page.x0 + 2 * PAD, high = page.y1 - page.y0 + 2 * PAD;
  const shift = /translate\(([-\d.]+)[ ,]+([-\d.]+)/.exec(drawing.getAttribute("transform") ?? "");
  const room = Math.min((view.clientWidth - 2) / wide, (view.clientHeight - 2) / high);
  if (fitted) scale = room < SMALL && !entire ? READABLE : within(LEAST, room, 1.5);
  svg.setAttribute("viewBox", `${page.x0 + +(shift?.[1] ?? 0) - PAD} ${page.y0 + +(shift?.[2] ?? 0) - PAD} ${wide} ${high}`);
  svg.setAttribute("width", String(wide * scale));
  svg.setAttribute("height", String(high * scale));
  view.classList.toggle("partly", wide * scale > view.clientWidth || high * scale > view.clientHeight);
  find("#scale").textContent = `${Math.round(scale * 100)} %`;
};
const fit = () => {
  fitted = entire = true;
  show();
};
/** Scroll to where the data begins: to the leftmost box, or to the topmost. */
const begin = () => {
  view.scrollTo(0, 0);
  if (!isGraph) return;
  const key = ALONG ? "y0" : "x0", first = boxes.reduce((a, b) => shown(b).area[key] < shown(a).area[key] ? b : a);
  const at = shown(first).el.getBoundingClientRect(), port = view.getBoundingClientRect();
  const off = [(at.left + at.right - port.left - port.right) / 2, (at.top + at.bottom - port.top - port.bottom) / 2];
  view.scrollBy(ALONG ? off[0] : 0, ALONG ? 0 : off[1]);
};
/** @type {(to: number, x?: number, y?: number) => void} Zoom, keeping a point of the screen, or what is chosen, where it is. */
const zoom = (to, x, y) => {
  const port = view.getBoundingClientRect(), before = svg.getBoundingClientRect(), old = scale;
  const at = (chosen ? shown(chosen).el : view).getBoundingClientRect();
  x ??= within(port.left, at.left + at.width / 2, port.right);
  y ??= within(port.top, at.top + at.height / 2, port.bottom);
  fitted = false;
  scale = within(LEAST, to, 8);
  show();
  const now = svg.getBoundingClientRect();
  view.scrollBy(now.left + (x - before.left) / old * scale - x, now.top + (y - before.top) / old * scale - y);
};
/** @type {(item: Item, readable?: boolean) => void} Bring into view what is not there, large enough to read if asked to. */
const bring = (item, readable = false) => {
  if (readable && scale < 0.7) zoom(0.9);
  const port = view.getBoundingClientRect(), at = item.el.getBoundingClientRect(), behavior = calm.matches ? "auto" : "smooth";
  const far = at.left < port.left + 8 || at.right > port.right - 8 || at.top < port.top + 8 || at.bottom > port.bottom - 8;
  if (far || readable) view.scrollBy({
    left: (at.left + at.right - port.left - port.right) / 2, top: (at.top + at.bottom - port.top - port.bottom) / 2,
    behavior: /** @type {ScrollBehavior} */ (behavior),
  });
};

view.addEventListener("wheel", (event) => {
  if (!event.ctrlKey && !event.metaKey) return; // a plain wheel scrolls the picture, then the page
  event.preventDefault();
  zoom(scale * Math.exp(-within(-60, event.deltaY, 60) / 180), event.clientX, event.clientY);
}, { passive: false });
view.addEventListener("dblclick", (event) => {
  if (/** @type {Element} */ (event.target).closest(".module")) return;
  zoom(scale * (event.shiftKey ? 1 / 1.6 : 1.6), event.clientX, event.clientY);
});
/** @type {{x: number, y: number, far: boolean} | null} */
let drag = null;
view.addEventListener("pointerdown", (event) => {
  const onBar = event.offsetX > view.clientWidth && event.target === view;
  if (event.pointerType === "mouse" && event.button === 0 && !onBar) drag = { x: event.clientX, y: event.clientY, far: false };
});
addEventListener("pointermove", (event) => {
  if (!drag) return;
  if (!drag.far && Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < 4) return;
  view.classList.add("dragged");
  view.scrollBy(drag.x - event.clientX, drag.y - event.clientY);
  drag = { x: event.clientX, y: event.clientY, far: true };
});
addEventListener("pointerup", () => {
  drag = null;
  setTimeout(() => view.classList.remove("dragged")); // after the click that ends a drag
});
let pinched = 0;
/** @type {(event: TouchEvent) => void} */
const pinch = (event) => {
  if (event.touches.length !== 2) return;
  event.preventDefault();
  const [a, b] = event.touches, apart = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
  if (event.type === "touchmove") zoom(scale * apart / pinched, (a.clientX + b.clientX) / 2, (a.clientY + b.clientY) / 2);
  pinched = apart;
};
view.addEventListener("touchstart", pinch, { passive: false });
view.addEventListener("touchmove", pinch, { passive: false });

// ---------------------------------------------------------------- folding
// A folded module is a card in its frame, in the middle or behind what flows into it. Strips of the page that this leaves
// empty are closed up: all that is drawn goes through one monotone map an axis, so nothing can come to overlap.

/** @type {(item: Item) => Item} What stands for a box or a module: the outermost folded module around it, or itself. */
const shown = (item) => {
  let top = item;
  for (let f = isFrame(item) ? item : item.frame; f; f = f.frame) if (f.folded) top = f;
  return top;
};
/** @type {(gaps: Gaps, x: number) => number} Where a coordinate is once the gaps are closed up. */
const at = (gaps, x) => {
  let closed = 0;
  for (const [from, to] of gaps) closed += Math.max(0, to - from - ROOM) * within(0, (x - from) / (to - from), 1);
  return x - closed;
};
/** Choose the spots of the cards, so that edges go forward. */
const settle = () => {
  const [low, high] = ALONG ? /** @type {const} */ (["y0", "y1"]) : /** @type {const} */ (["x0", "x1"]);
  const cut = frames.filter((f) => f.folded && shown(f) === f).sort((a, b) => a.home[low] - b.home[low]);
  for (const f of cut) {
    f.spot = centre(f.home);
    const half = f.size[ALONG] / 2, before = linked(f, false).map(({ other }) =>
      isFrame(other) ? other.spot[ALONG] + other.size[ALONG] / 2 : other.home[high]);
    f.spot[ALONG] = Math.min(Math.max(f.spot[ALONG], ...before.map((end) => end + 3 * ROOM + half)), f.home[high] - half);
  }
};
/** @type {(low: "x0" | "y0", high: "x1" | "y1") => Gaps} The strips that folding left empty. */
const squeezed = (low, high) => {
  const cut = frames.filter((f) => f.folded && shown(f) === f);
  /** @type {[number, number][]} */
  const taken = [];
  for (const box of boxes) if (shown(box) === box) taken.push([box.home[low] - ROOM, box.home[high] + ROOM]);
  for (const f of frames) {
    if (shown(f) !== f) continue;
    const half = f.size[low === "x0" ? 0 : 1] / 2 + ROOM, middle = f.spot[low === "x0" ? 0 : 1];
    taken.push(f.folded ? [middle - half, middle + half] : [f.home[low], f.words[high] + (low === "x0" ? 32 : 8)]);
  }
  for (const { tail, head, shapes } of edges.values()) {
    if (shown(tail) === tail && shown(head) === head)
      for (const { d, home } of shapes) if (!d && home[high] > home[low]) taken.push([home[low] - 3, home[high] + 3]);
  }
  taken.sort((a, b) => a[0] - b[0]);
  const gaps = /** @type {Gaps} */ ([]), zones = cut.map((f) => [f.home[low], f.home[high]]).sort((a, b) => a[0] - b[0]);
  let done = -Infinity;
  for (const [from, to] of zones) {
    let free = Math.max(from, done);
    for (const [a, b] of taken) {
      if (a > free && free < to) gaps.push([free, Math.min(a, to)]);
      free = Math.max(free, b);
    }
    if (free < to) gaps.push([free, to]);
    done = Math.max(done, to);
  }
  return gaps;
};

/** @type {WeakMap<Element, string | null>} The transforms that things came with. */
const turned = new WeakMap();
/** @type {(x: (v: number) => number, y: (v: number) => number) => void} Put everything where these maps say. */
const place = (x, y) => {
  const still = x === y;
  /** @type {(el: Element, home: Area) => Area} */
  const shift = (el, home) => {
    const [cx, cy] = centre(home), dx = x(cx) - cx, dy = y(cy) - cy;
    if (!turned.has(el)) turned.set(el, el.getAttribute("transform"));
    const was = turned.get(el);
    if (dx || dy) el.setAttribute("transform", `translate(${dx.toFixed(2)} ${dy.toFixed(2)}) ${was ?? ""}`);
    else if (was === null) el.removeAttribute("transform");
    else el.setAttribute("transform", was ?? "");
    return moved(home, dx, dy);
  };
  for (const box of boxes) if (shown(box) === box) box.area = shift(box.el, box.home);
  for (const f of frames) {
    if (shown(f) !== f) continue;
    if (f.folded) {
      const [cx, cy] = f.spot, [wide, high] = f.size;
      f.area = moved({ x0: -wide / 2, y0: -high / 2, x1: wide / 2, y1: high / 2 }, x(cx), y(cy));
      f.card.setAttribute("transform", `translate(${f.area.x0} ${f.area.y0})`);
      continue;
    }
    f.area = { x0: x(f.home.x0), y0: y(f.home.y0), x1: x(f.home.x1), y1: y(f.home.y1) };
    if (f.rect.localName === "rect") enclose(f.rect, f.area);
    for (const el of [f.label, f.open]) el?.setAttribute("transform", `translate(${f.area.x0 - f.home.x0} ${f.area.y0 - f.home.y0})`);
  }
  for (const { tail, head, shapes } of edges.values()) {
    if (shown(tail) !== tail || shown(head) !== head) continue;
    for (const { el, d, home } of shapes) {
      if (!d) shift(el, home);
      else el.setAttribute("d", still ? d : d.replace(PAIR, (_, a, b) => `${x(+a).toFixed(1)} ${y(+b).toFixed(1)}`));
    }
  }
  page = { x0: x(whole.x0), y0: y(whole.y0), x1: x(whole.x1), y1: y(whole.y1) };
  bundle(x, y);
  circle();
};
/** @type {(x: (v: number) => number, y: (v: number) => number) => void} Edges of folded modules, one for all between two. */
const bundle = (x, y) => {
  /** @type {Map<string, {tail: Item, head: Item, edges: Edge[]}>} */
  const found = new Map(), order = new Map([...items.values()].map((item, i) => [item, i]));
  for (const edge of edges.values()) {
    const tail = shown(edge.tail), head = shown(edge.head);
    if (tail === head || (tail === edge.tail && head === edge.head)) continue;
    const key = `${order.get(tail)} ${order.get(head)}`;
    if (!found.has(key)) found.set(key, { tail, head, edges: [] });
    found.get(key)?.edges.push(edge);
  }
  const row = (/** @type {Item} */ i) => Math.round(centre(i.area)[1 - ALONG] / ROOM); // in a row, the nearest comes first
  const each = [...found.values()].sort((a, b) =>
    row(a.tail) - row(b.tail) || centre(b.tail.area)[ALONG] - centre(a.tail.area)[ALONG]);
  const standing = [...items.values()].filter((i) => shown(i) === i && (!isFrame(i) || i.folded)).map(({ area }) =>
    ALONG ? { near: area.y0, low: area.x0, high: area.x1 } : { near: area.x0, low: area.y0, high: area.y1 });
  /** @type {(start: number[], lead: number[], follow: number[], end: number[]) => string} Round what stands ahead in the row. */
  const curve = (start, lead, follow, end) => {
    const [from, to, level] = [start[ALONG], end[ALONG], start[1 - ALONG]];
    const wall = Math.min(to, ...standing.filter((s) => s.near > from && s.low < level && level < s.high).map((s) => s.near));
    if (wall === to || Math.abs(end[1 - ALONG] - level) < 2 * ROOM) return `M${start}C${lead} ${follow} ${end}`;
    const turn = Math.min(wall - 2, from + 3 * ROOM), point = (/** @type {number} */ a, /** @type {number} */ b) => ALONG ? [b, a] : [a, b];
    return `M${start}C${point(turn, level)} ${point(from, end[1 - ALONG])} ${point(turn, end[1 - ALONG])}L${end}`;
  };
  bundles.replaceChildren();
  bundleOf.clear();
  for (const { tail, head, edges: many } of each) {
    const lines = many.flatMap((e) => e.shapes.find((s) => s.d)?.el ?? []);
    const points = [...(many[0].shapes.find((s) => s.d)?.d ?? "").matchAll(PAIR)].map((m) => [x(+m[1]), y(+m[2])]);
    const near = (/** @type {Area} */ a, /** @type {"x0" | "x1"} */ side) =>
      ALONG ? [(a.x0 + a.x1) / 2, side === "x0" ? a.y0 : a.y1] : [a[side], (a.y0 + a.y1) / 2];
    const start = isFrame(tail) ? near(tail.area, "x1") : points[0] ?? near(tail.area, "x1");
    const end = isFrame(head) ? near(head.area, "x0") : points.at(-1) ?? near(head.area, "x0");
    if (isFrame(head)) { // arrows that meet get an entry each
      const rivals = each.filter((b) => b.head === head), high = ALONG ? head.area.x1 - head.area.x0 : head.area.y1 - head.area.y0;
      const step = Math.min(14, 0.6 * high / Math.max(1, rivals.length - 1));
      end[1 - ALONG] += (rivals.findIndex((b) => b.tail === tail) - (rivals.length - 1) / 2) * step;
      end[ALONG] -= ARROW;
    }
    const bow = Math.max(10, Math.abs(end[ALONG] - start[ALONG]) / 2);
    const lead = [...start], follow = [...end], tip = [...end];
    lead[ALONG] += bow, follow[ALONG] -= bow, tip[ALONG] += ARROW;
    const strokes = new Set(lines.map((l) => l.getAttribute("stroke"))), colour = strokes.size === 1 ? [...strokes][0] ?? "" : "var(--grey)";
    const thick = Math.max(1.25, ...lines.map((l) => Number(l.getAttribute("stroke-width")))), half = 2.4 + 0.55 * thick;
    const d = curve(start, lead, follow, end), dash = lines.every((l) => l.hasAttribute("stroke-dasharray")) ? "5 4" : "none";
    const side = ALONG ? [half, 0] : [0, half];
    const arrow = `M${end[0] - side[0]} ${end[1] - side[1]}L${tip}L${end[0] + side[0]} ${end[1] + side[1]}Z`;
    const lit = many.some((e) => e.el.classList.contains("lit")) ? " lit" : "";
    const g = draw("g", { class: `bundle${lit}`, "data-bundle": many.map((e) => e.el.dataset.edge).join(" ") },
      draw("path", { d, class: "reach", fill: "none" }),
      draw("path", { d, fill: "none", stroke: colour, "stroke-width": thick, "stroke-dasharray": dash }),
      draw("path", { d: arrow, fill: colour }));
    const first = `${many.length === 1 ? "1 edge" : `${many.length} edges`} from ${nameOf(tail)} to ${nameOf(head)}`;
    texts.set(g, [first, ...many.slice(0, 12).map((e) => e.text), many.length > 12 ? "…" : ""].filter(Boolean).join("\n"));
    for (const edge of many) bundleOf.set(edge, g);
    bundles.append(g);
  }
};

let axes = /** @type {[Gaps, Gaps]} */ ([[], []]), running = 0;
/** @type {(anchor?: Frame | null, anew?: boolean) => void}
 *  Show what is folded and what is not; `anchor` stays where it is on the screen, or the view goes to the beginning. */
const refold = (anchor = null, anew = false) => {
  for (const f of frames) {
    const there = shown(f) === f;
    f.el.style.display = there ? "" : "none";
    f.el.setAttribute("aria-expanded", String(!f.folded));
    for (const el of [f.rect, f.label, f.open]) if (el) el.style.display = there && !f.folded ? "" : "none";
    f.card.style.display = f.folded ? "" : "none";
  }
  for (const box of boxes) box.el.style.display = shown(box) === box ? "" : "none";
  for (const { el, tail, head } of edges.values())
    el.style.display = shown(tail) === tail && shown(head) === head ? "" : "none";
  settle();
  const before = axes, after = /** @type {[Gaps, Gaps]} */ ([squeezed("x0", "x1"), squeezed("y0", "y1")]);
  axes = after;
  const start = performance.now(), long = calm.matches ? 0 : 220, own = ++running;
  const spot = () => /** @type {Element} */ (anchor?.folded ? anchor.card : anchor?.open)?.getBoundingClientRect();
  const step = () => {
    if (own !== running) return;
    const t = long ? within(0, (performance.now() - start) / long, 1) : 1, ease = 1 - (1 - t) ** 3, was = anchor && spot();
    const map = (/** @type {0 | 1} */ k) => (/** @type {number} */ v) => (1 - ease) * at(before[k], v) + ease * at(after[k], v);
    const same = (/** @type {number} */ v) => v;
    const still = t === 1 && !after[0].length && !after[1].length;
    place(still ? same : map(0), still ? same : map(1));
    show();
    const now = anchor && spot();
    if (was && now) view.scrollBy(now.left - was.left, now.top - was.top);
    if (t < 1) return void requestAnimationFrame(step);
    if (anew) begin();
    view.dataset.settled = String(own);
  };
  delete view.dataset.settled;
  step();
  try {
    const which = frames.flatMap((f, i) => f.folded ? [i] : []);
    history.replaceState(null, "", which.length ? `#folded=${which}` : location.href.split("#")[0]);
  } catch { /* a page without an address has nothing to remember it in */ }
};
/** @type {(frame: Frame, fold?: boolean) => void} */
const toggle = (frame, fold = !frame.folded) => {
  frame.folded = fold;
  refold(frame);
  say(`${frame.path} ${fold ? "folded" : "unfolded"}`);
  const focus = items.get(/** @type {any} */ (document.activeElement));
  if (fold && focus && shown(focus) !== focus) frame.el.focus({ preventScroll: true });
  choose(frame);
};
/** @type {(fold: boolean) => void} */
const toggleAll = (fold) => {
  for (const frame of frames) frame.folded = fold;
  refold(null, !chosen);
  if (chosen && shown(chosen) !== chosen) choose(shown(chosen));
  say(fold ? "all modules folded" : "all modules unfolded");
};
/** @type {(item: Item) => void} Unfold whatever hides an item. */
const reveal = (item) => {
  if (shown(item) === item) return;
  for (let f = item.frame; f; f = f.frame) f.folded = false;
  refold();
};
/** @type {(f: Frame) => number} */
const nodesIn = (f) => f.boxes.reduce((n, b) => n + Number(/^([\d,]+) nodes folded/m.exec(b.text)?.[1].replaceAll(",", "") ?? 1), 0);
/** @type {(f: Frame) => Box[]} The boxes that something outside uses, or nothing at all. */
const outputs = (f) => f.boxes.filter((b) => {
  const uses = [...edges.values()].filter((e) => e.tail === b);
  return !uses.length || uses.some((e) => !f.boxes.includes(e.head));
});
for (const f of frames) { // the button: the label with a mark behind it, and the card
  const nodes = nodesIn(f), count = nodes === 1 ? "1 node" : `${nodes.toLocaleString("en")} nodes`;
  f.el.setAttribute("aria-label", `Module ${f.path}, ${count}`);
  const y = (f.words.y0 + f.words.y1) / 2, x = f.words.x1 + 8;
  f.open.append(
    draw("rect", { x: f.words.x0 - 6, y: y - 12, width: x - f.words.x0 + 20, height: 24, rx: 6, class: "grip" }),
    draw("path", { d: `M${x} ${y - 2.5}l4.5 5l4.5 -5`, fill: "none", class: "mark" }));
  const [out, more] = outputs(f), value = out && !more ? line(out.text, "value") : undefined;
  const [short, long] = (f.label?.textContent || f.path).split(" · ");
  const rows = [...(long ? [long] : []), `${count} folded`, ...(value === undefined || Number.isNaN(+value) ? [] : [`out ${brief(+value)}`])];
  const name = draw("text", { x: 27, y: 20, "font-size": 13, "font-weight": 600, class: "ink" }, short);
  const small = rows.map((row, i) => draw("text", { x: 27, y: 37 + 16 * i, "font-size": 12, class: row.startsWith("out ") ? "ink" : "soft" }, row));
  f.card.append(name, ...small);
  const most = Math.max(70, f.home.x1 - f.home.x0 - 40);
  while (name.getComputedTextLength() > most && name.textContent.length > 2) name.textContent = name.textContent.slice(0, -2) + "…";
  const wide = Math.max(...[name, ...small].map((t) => t.getComputedTextLength())) + 39, high = 29 + 16 * small.length;
  f.card.prepend(
    draw("rect", { x: 4, y: 4, width: wide, height: high, rx: 6, class: "behind" }),
    draw("rect", { width: wide, height: high, rx: 6, class: "card" }),
    draw("path", { d: "M11.5 11l5 4.5l-5 4.5", fill: "none", class: "mark" }));
  f.size = [wide, high];
}

// ---------------------------------------------------------------- details

/** @type {(text: string) => void} */
const say = (text) => { find("#status").textContent = text; };
/** @type {(item: Item, ahead: boolean) => {edge: Edge, other: Item}[]} The edges that leave an item, or arrive. */
const linked = (item, ahead) => [...edges.values()].flatMap((edge) => {
  const [tail, head] = [shown(edge.tail), shown(edge.head)];
  if (tail === head || (ahead ? tail : head) !== item) return [];
  return [{ edge, other: ahead ? head : tail }];
});
/** @type {(text: string) => HTMLElement[]} A title's lines: the first as heading, facts with their names. */
const told = (text) => {
  const [head, ...lines] = text.split("\n"), list = html("dl");
  const heading = html("h2", head);
  heading.dir = "auto";
  for (const l of lines.filter(Boolean)) {
    const [, key, value] = /^([a-z -]+) (-?(?:\d[\d.e+-]*|nan|inf))$/.exec(l) ?? /^(in|shape) (.+)$/.exec(l) ?? [];
    list.append(html("div", "", ...(key ? [html("dt", key), html("dd", value)] : [html("dd", l)])));
  }
  return [heading, list];
};
const inspect = () => {
  const target = pointed ?? chosen?.el ?? null, item = target && items.get(target);
  const key = target && (isGraph ? `${chosen === item}` : ""), parts = /** @type {HTMLElement[]} */ ([]);
  if (!target) {
    parts.push(html("p", isGraph
      ? "Point at a box or an arrow, tap it, or reach it with Tab: here are its full numbers and its formulas. Press ? for all keys."
      : "Point at the picture, tap it, or press Tab: here are the numbers in full. Press ? for all keys."));
    parts.push(html("p", "Drag the picture to see the rest of it, or press Fit to see it whole."));
    parts[1].className = "more";
  } else if (item && isFrame(item)) {
    parts.push(...told(`${item.path}\n${item.el.getAttribute("aria-label")?.split(", ").at(-1)}${item.folded ? ", folded" : ""}`));
    for (const out of outputs(item).slice(0, 8)) parts.push(...told(`out: ${out.text}`));
  } else parts.push(...told(texts.get(target) ?? ""));
  if (item && isGraph && key) for (const ahead of [false, true]) {
    const list = html("ul"), found = linked(item, ahead);
    for (const { edge, other } of found.slice(0, 24)) {
      const go = html("button", nameOf(other));
      go.addEventListener("click", () => { bring(other); other.el.focus({ preventScroll: true }); });
      list.append(html("li", "", go, ...edge.text.split("\n").map((l) => html("span", l))));
    }
    if (found.length > 24) list.append(html("li", `and ${found.length - 24} more`));
    if (found.length) parts.push(html("h3", ahead ? "Goes into" : "Comes from"), list);
  }
  facts.replaceChildren(...parts);
  facts.scrollTop = 0;
  light();
};
/** Light up what is told about with its edges and neighbours, and dim the rest. */
const light = () => {
  const target = pointed ?? chosen?.el, item = target && itemOf(target);
  for (const el of all(".lit", svg)) el.classList.remove("lit");
  svg.classList.toggle("dimmed", isGraph && !!target && !(item && isFrame(item) && !item.folded));
  if (!target || !isGraph) return;
  (item?.el ?? target).classList.add("lit");
  const edge = edges.get(target);
  for (const end of edge ? [edge.tail, edge.head] : []) end.el.classList.add("lit");
  const queue = item ? [item] : [], seen = new Set(queue);
  for (const next of queue) { // grows while it is walked: with Shift held, all the way back
    for (const ahead of upstream || next !== item ? [false] : [false, true]) for (const { edge: e, other } of linked(next, ahead)) {
      e.el.classList.add("lit");
      other.el.classList.add("lit");
      bundleOf.get(e)?.classList.add("lit");
      if (upstream && !seen.has(other)) seen.add(other), queue.push(other);
    }
  }
};
/** The ring around what is chosen, and outlines around what was searched for. */
const circle = () => {
  ring.style.display = chosen ? "" : "none";
  if (chosen) enclose(ring, isGraph && !(isFrame(chosen) && !chosen.folded) ? shown(chosen).area
    : areaOf(isFrame(chosen) ? find(".grip", chosen.open) : chosen.el, fromScreen()), 5);
  over.replaceChildren(...[...new Set(hits.map(shown))].filter((item) => item !== chosen).map((item) => {
    const outline = draw("rect", { class: "hit", rx: 7 });
    enclose(outline, item.area, 3);
    return outline;
  }));
};
/** @type {(item: Item | null) => void} */
const choose = (item) => {
  chosen = item;
  pointed = null;
  rove();
  circle();
  inspect();
};
/** One box and one module are in the order of Tab: arrows reach the others. */
const rove = () => {
  for (const group of /** @type {Item[][]} */ ([frames, boxes])) {
    const there = group.filter((item) => shown(item) === item);
    const stop = there.find((item) => item === chosen) ?? there.find((item) => item.el.tabIndex === 0) ?? there[0];
    for (const item of group) item.el.setAttribute("tabindex", item === stop ? "0" : "-1");
  }
};

/** @type {(target: EventTarget | null) => Element | null} What the details of a spot belong to. */
const ownerOf = (target) => {
  for (let el = /** @type {Element | null} */ (target); el && el !== svg && el !== view; el = el.parentElement)
    if (texts.has(el) || items.has(el)) return el;
  return null;
};
view.addEventListener("pointerover", (event) => {
  const owner = drag?.far ? pointed : ownerOf(event.target);
  if (owner === pointed) return;
  pointed = owner;
  upstream = event.shiftKey;
  inspect();
});
view.addEventListener("pointerleave", () => { if (pointed) pointed = null, inspect(); });
view.addEventListener("focusin", (event) => {
  const item = items.get(/** @type {Element} */ (event.target));
  if (item && item !== chosen) choose(item);
});
view.addEventListener("click", (event) => {
  if (view.classList.contains("dragged")) return;
  const owner = ownerOf(event.target), item = owner && itemOf(owner);
  if (item && isFrame(item)) toggle(item);
  else if (item) item.el.focus({ preventScroll: true });
  else choose(null);
});

// ---------------------------------------------------------------- search

/** @type {(item: Item) => string} */
const words = (item) => {
  const { name = "", op = "", module = line(item.text, "in") ?? "" } = item.el.dataset;
  return `${item.text.split("\n")[0]}\n${name}\n${op}\n${module}`.toLowerCase();
};
const count = () => { find("#found").textContent = query.value.trim() ? (hits.length ? `${hit + 1} of ${hits.length}` : "none") : ""; };
query.addEventListener("input", () => {
  const wanted = query.value.trim().toLowerCase();
  for (const el of all(".found", svg)) el.classList.remove("found");
  hits = wanted ? boxes.filter((box) => words(box).includes(wanted)) : [];
  hit = 0;
  svg.classList.toggle("searched", wanted !== "");
  for (const item of hits) for (const el of [item.el, shown(item).el]) el.classList.add("found");
  count();
  circle();
  if (hits.length) choose(shown(hits[0])), bring(shown(hits[0]), true);
});
find("#search").addEventListener("submit", (event) => event.preventDefault());
query.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !query.value) view.focus();
  if (event.key !== "Enter" || !hits.length) return;
  if (chosen === hits[hit]) hit = (hit + (event.shiftKey ? -1 : 1) + hits.length) % hits.length;
  reveal(hits[hit]);
  count();
  choose(hits[hit]);
  bring(hits[hit], true);
});

// ---------------------------------------------------------------- keyboard

/** @type {{from?: Item, to?: Item, key?: string}} The last step taken: the opposite arrow takes it back. */
let step = {};
/** @type {Record<string, string>} */
const BACK = { ArrowLeft: "ArrowRight", ArrowRight: "ArrowLeft", ArrowUp: "ArrowDown", ArrowDown: "ArrowUp" };
/** @type {(item: Item, key: string) => Item | undefined} Where an arrow leads: along edges, or to the nearest beside. */
const neighbour = (item, key) => {
  if (step.to === item && step.from && step.key === BACK[key] && shown(step.from) === step.from) return step.from;
  const ahead = key === "ArrowRight" || key === "ArrowDown", axis = key === "ArrowRight" || key === "ArrowLeft" ? 0 : 1;
  const list = /** @type {Item[]} */ (isFrame(item) ? frames : boxes).filter((i) => shown(i) === i);
  if (!isGraph || (isFrame(item) && !item.folded)) return list[list.indexOf(item) + (ahead ? 1 : -1)];
  const from = centre(item.area);
  /** @type {(other: Item) => number} A constant leads nowhere: it comes last. */
  const far = (other) => {
    const to = centre(other.area), last = other.el.dataset.kind === "constant" ? 1e5 : 0;
    return Math.abs(to[axis] - from[axis]) + 3 * Math.abs(to[1 - axis] - from[1 - axis]) + last;
  };
  /** @type {(found: Item[]) => Item | undefined} */
  const nearest = (found) => found.sort((a, b) => far(a) - far(b))[0];
  if (axis === ALONG) return nearest(linked(item, ahead).map(({ other }) => other));
  const places = [...items.values()].filter((i) => shown(i) === i && (!isFrame(i) || i.folded));
  return nearest(places.filter((i) => (centre(i.area)[axis] - from[axis]) * (ahead ? 1 : -1) > 1));
};
view.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const item = items.get(/** @type {Element} */ (event.target)), key = event.key;
  const frame = item && (isFrame(item) ? item : item.frame);
  if (key === "+" || key === "=") zoom(scale * 1.25);
  else if (key === "-" || key === "_") zoom(scale / 1.25);
  else if (key === "0") fit();
  else if (key === "1") zoom(1);
  else if (key === "Escape") choose(null), view.focus();
  else if (item && key.startsWith("Arrow")) {
    const next = neighbour(item, key);
    if (next) step = { from: item, to: next, key }, next.el.focus({ preventScroll: true }), bring(next);
  } else if (item && (key === "Enter" || key === " ") && isFrame(item)) toggle(item);
  else if (frame && key.toLowerCase() === "f") toggle(frame), frame.el.focus({ preventScroll: true });
  else return;
  event.preventDefault();
});
addEventListener("keydown", (event) => {
  if (event.key === "Shift" && !upstream) upstream = true, light();
  if (/** @type {Element} */ (event.target).matches("input, select") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/" && isGraph) query.focus(), query.select(), event.preventDefault();
  if (event.key === "?") keys.showModal();
});
addEventListener("keyup", (event) => { if (event.key === "Shift") upstream = false, light(); });

// ---------------------------------------------------------------- the rest of the page

const keys = /** @type {HTMLDialogElement} */ (find("#keys")), theme = /** @type {HTMLSelectElement} */ (find("#theme"));
find("#smaller").addEventListener("click", () => zoom(scale / 1.25));
find("#larger").addEventListener("click", () => zoom(scale * 1.25));
find("#scale").addEventListener("click", () => zoom(1));
find("#fit").addEventListener("click", fit);
find("#fold").addEventListener("click", () => toggleAll(true));
find("#unfold").addEventListener("click", () => toggleAll(false));
find("#help").addEventListener("click", () => keys.showModal());
find("#close").addEventListener("click", () => keys.close());
theme.value = document.documentElement.dataset.theme ?? "auto";
theme.addEventListener("change", () => { document.documentElement.dataset.theme = theme.value; });

svg.setAttribute("role", "group");
for (const [part, useful] of Object.entries({ graph: isGraph, frames: frames.length > 0, chart: !isGraph }))
  for (const el of all(`body [data-${part}]`)) if (!svg.contains(el)) el.toggleAttribute("hidden", !useful);
find(".tools").hidden = false;
facts.hidden = !boxes.length; // nothing can be pointed at
document.documentElement.classList.add("live");
const remembered = /#folded=([\d,]+)/.exec(location.hash);
for (const i of remembered?.[1].split(",") ?? []) if (frames[+i]) frames[+i].folded = true;
refold();
choose(null);
let begun = false;
const resized = new ResizeObserver(() => {
  document.documentElement.style.setProperty("--head", `${find("header").offsetHeight}px`);
  if (fitted) show();
  if (!begun) begin();
  begun = true;
});
for (const el of [view, find("header")]) resized.observe(el);

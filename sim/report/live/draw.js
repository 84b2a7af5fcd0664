// Drawing: elements, numbers as people read them, and pictures in SVG whose marks differ in shape as well as in colour.
"use strict";

/** An element with attributes and children; `svg:` before the name makes it one of SVG, a function listens. */
function el(name, attributes = {}, ...children) {
  const [kind, tag] = name.startsWith("svg:") ? ["http://www.w3.org/2000/svg", name.slice(4)]
    : ["http://www.w3.org/1999/xhtml", name];
  const made = document.createElementNS(kind, tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key, value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

const Draw = (() => {
  const INK = "#1a1a1a", GREY = "#6b6b6b", PALE = "#d0d0d0", BETTER = "#0072b2", WORSE = "#c44e00";
  const FONT = 'system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';
  const STEP = 16, ACROSS = 20;

  /** A number's size as people read it: whole from 3 on, else with one decimal. */
  function size(value) {
    const one = Math.abs(value);
    return one >= 2.95 ? one.toFixed(0) : one.toFixed(1).replace(/\.0$/, "");
  }

  function unit(outcome, shown) {
    return outcome.unit.replace("{s}", shown === "1" ? "" : "s");
  }

  /** A difference in an outcome: "4 hours a week less". */
  function effect(outcome, value) {
    const shown = size(value * outcome.factor);
    return shown === "0" ? "no change" : `${shown} ${unit(outcome, shown)} ${value > 0 ? outcome.more : outcome.less}`;
  }

  /** Whether there is little room, as on a phone: pictures are then drawn with fewer and larger marks. */
  const narrow = () => matchMedia("(max-width: 46rem)").matches;

  const capital = (text) => text.slice(0, 1).toUpperCase() + text.slice(1);

  /** What the classes of an effect are called, above first: better and worse where everybody agrees. */
  function classNames({ direction }) {
    const names = direction ? ["better", "worse"] : ["higher", "lower"];
    return direction < 0 ? names.reverse() : names;
  }

  /** How a class is drawn: a full square is better or higher, an open one worse or lower, a dot too small to matter. */
  function mark(outcome, one) {
    if (one === null) return { shape: "dot", colour: PALE };
    if (one === 0) return { shape: "dot", colour: GREY };
    const full = one === (outcome.direction || 1);
    const colour = !outcome.direction ? INK : full ? BETTER : WORSE;
    return { shape: full ? "full" : "open", colour };
  }

  function square({ shape, colour }, x, y, attributes = {}) {
    if (shape === "dot") return el("svg:circle", { cx: x, cy: y, r: 2.6, fill: colour, ...attributes });
    const rim = shape === "open" ? { fill: "#fff", stroke: colour, "stroke-width": 2.6 }
      : { fill: colour, stroke: colour, "stroke-width": 2.6 };
    return el("svg:rect", { x: x - 4.9, y: y - 4.9, width: 9.8, height: 9.8, ...rim, ...attributes });
  }

  /** A hundred marks, the best first: `classes` by version; `ghost` are the counts of the run before. */
  function hundred(outcome, classes, label, choose, ghost = null) {
    const rank = (one) => (one === null ? 3 : 1 - one * (outcome.direction || 1));
    const order = classes.map((_, k) => k).sort((a, b) => rank(classes[a]) - rank(classes[b]) || a - b);
    const width = STEP * ACROSS, height = STEP * Math.ceil(classes.length / ACROSS);
    const picture = el("svg:svg", { viewBox: `0 0 ${width} ${height + 14}`, role: "img", "aria-label": label });
    order.forEach((version, place) => {
      const [x, y] = [place % ACROSS, Math.floor(place / ACROSS)].map((at) => (at + 0.5) * STEP);
      const click = () => choose(version + 1);
      const drawn = square(mark(outcome, classes[version]), x, y, { class: "version", click });
      drawn.append(el("svg:title", {}, `Version ${version + 1}`));
      picture.append(drawn);
    });
    if (ghost) ghosts(picture, ghost, outcome, height + 7);
    return picture;
  }

  /** The run before, as a thin bar below: what was better, too small, worse. */
  function ghosts(picture, counts, outcome, y) {
    const [first, last] = outcome.direction < 0 ? ["below", "above"] : ["above", "below"], whole = STEP * ACROSS;
    const all = counts.above + counts.within + counts.below || 1,
      ends = [whole * counts[first] / all, whole * (1 - counts[last] / all)];
    const colours = outcome.direction ? [BETTER, WORSE] : [INK, INK];
    const bar = (x1, x2, colour, width) =>
      el("svg:line", { x1, x2, y1: y, y2: y, stroke: colour, "stroke-width": width });
    picture.append(bar(0, whole, PALE, 1), bar(0, ends[0], colours[0], 5));
    picture.append(el("svg:rect", { x: ends[1] + 1, y: y - 2, width: Math.max(0, whole - ends[1] - 2), height: 4,
      fill: "#fff", stroke: colours[1], "stroke-width": 1.4 }));
  }

  function text(x, y, content, more = {}) {
    return el("svg:text", { x, y, fill: INK, "font-size": 13, "font-family": FONT, ...more }, content);
  }

  /** Lines over the months of a run. `lines` have values (natural units), name, and dash, ghost or colour; `ends` are
   * those of the axis, which does not move unless a line would leave it; `now` marks a month, `until` ends
   * the lines. */
  function paths({ lines, ends: usual, title, unit: told, now = null, until = Infinity, height = 190 }) {
    const [W, apart] = narrow() ? [360, 4] : [520, 2], left = 34, top = 26, right = W - 112, bottom = height - 24;
    const months = lines[0].values.length, most = Math.max(...lines.flatMap(({ values }) => values.map(Math.abs)));
    let ends = usual;
    while (most > ends[1]) ends = ends.map((end) => 2 * end);
    const [low, high] = ends, x = (t) => left + (right - left) * t / (months - 1);
    const y = (v) => bottom - (bottom - top) * (Math.max(low, v) - low) / (high - low);
    const said = lines.filter(({ ghost }) => !ghost).map(({ name, values }) =>
      `${name} from ${size(values[0])} to ${size(values[months - 1])}`);
    const picture = el("svg:svg", { viewBox: `0 0 ${W} ${height}`, role: "img",
      "aria-label": `${title}, ${told}: ${said.join("; ")}` });
    const small = (anchor) => ({ fill: GREY, "font-size": 11.5, "text-anchor": anchor });
    picture.append(text(0, 13, title, { "font-weight": 600 }), text(W, 13, told, small("end")));
    for (const v of [low, (low + high) / 2, high]) {
      const shown = String(Math.round(v * 10) / 10).replace("-", "−");
      picture.append(el("svg:line", { x1: left, x2: right, y1: y(v), y2: y(v), stroke: PALE }),
        text(left - 5, y(v) + 4, shown, small("end")));
    }
    for (let year = 0; year * 12 < months; year += apart) {
      picture.append(text(x(year * 12), height - 6, year ? `year ${year}` : "start", small("middle")));
    }
    if (now !== null) {
      const here = { x1: x(now), x2: x(now), y1: top, y2: bottom };
      picture.append(el("svg:line", { ...here, stroke: GREY, "stroke-dasharray": "2 3" }));
    }
    const named = lines.map(({ values, name, ghost, dash = "none", colour = INK }) => {
      const shown = values.slice(0, until + 1), [stroke, width] = ghost ? ["#a8a8a8", 1.4] : [colour, 2.6];
      const points = shown.map((v, t) => `${x(t).toFixed(1)},${y(v).toFixed(1)}`).join(" ");
      const look = { fill: "none", stroke, "stroke-width": width, "stroke-dasharray": dash };
      picture.append(el("svg:polyline", { points, ...look }));
      return { name, at: y(shown[shown.length - 1]), fill: ghost ? GREY : colour };
    }).filter(({ name }) => name).sort((a, b) => a.at - b.at);
    named.forEach((one, k) => { // names must not lie on each other
      one.at = Math.max(one.at, k ? named[k - 1].at + 14 : top);
      picture.append(text(right + 6, one.at + 4, one.name, { fill: one.fill, "font-size": 12 }));
    });
    return picture;
  }

  /** A shade for a share from 0 to 1: the darker, the more; it can be read in grey. */
  function shade(value) {
    const t = Math.min(1, Math.max(0, value)), mix = (a, b) => Math.round(a + (b - a) * t);
    return `rgb(${mix(250, 90)},${mix(244, 12)},${mix(232, 20)})`;
  }

  /** A text in lines of at most so many letters. */
  function wrapped(content, most) {
    const lines = [""];
    for (const word of content.split(" ")) {
      if (`${lines[lines.length - 1]} ${word}`.length > most) lines.push("");
      lines.push(`${lines.pop()} ${word}`.trim());
    }
    return lines;
  }

  /** The pictures of a part of the page under a title, two in a row where they are many, as a PNG. */
  async function png(title, subtitle, pictures, address) {
    const W = 1200, margin = 50, parts = [], lines = wrapped(subtitle, 105), two = pictures.length > 3;
    const wide = two ? (W - 3 * margin) / 2 : W - 2 * margin, bold = { "font-size": 21, "font-weight": 600 };
    let y = 125 + 26 * lines.length, tallest = 0;
    pictures.forEach(({ caption, note, svg }, k) => {
      const [, , w, h] = svg.getAttribute("viewBox").split(" ").map(Number), scale = Math.min(wide / w, two ? 2.4 : 2);
      const x = two && k % 2 ? 2 * margin + wide : margin, copy = svg.cloneNode(true);
      const box = { x, y: y + 30, width: w * scale, height: h * scale };
      for (const [key, value] of Object.entries(box)) copy.setAttribute(key, value);
      parts.push(text(x, y - 6, caption, bold), text(x, y + 17, note, { "font-size": 15 }), copy);
      tallest = Math.max(tallest, h * scale + 70);
      if (!two || k % 2 || k === pictures.length - 1) [y, tallest] = [y + tallest, 0];
    });
    const height = y + 40, extent = { width: W, height }, grey = (points) => ({ "font-size": points, fill: GREY });
    const said = lines.map((line, k) => text(margin, 100 + 26 * k, line, grey(20)));
    const whole = el("svg:svg", { xmlns: "http://www.w3.org/2000/svg", viewBox: `0 0 ${W} ${height}`, ...extent },
      el("svg:rect", { ...extent, fill: "#fff" }), text(margin, 62, title, { "font-size": 34, "font-weight": 700 }),
      ...said, ...parts, text(margin, y + 18, address.length > 130 ? `${address.slice(0, 129)}…` : address, grey(15)));
    const image = new Image();
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(whole))}`;
    await image.decode();
    const canvas = el("canvas", extent);
    canvas.getContext("2d").drawImage(image, 0, 0);
    return new Promise((done) => { canvas.toBlob(done, "image/png"); });
  }

  return { INK, GREY, PALE, BETTER, WORSE, size, effect, unit, capital, narrow, classNames, mark, square,
    hundred, text, paths, shade, png };
})();

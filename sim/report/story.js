"use strict";
// What a reader changes: how much matters, which weights count, and which world is followed. The page is whole without.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
  const views = Object.fromEntries(Object.entries(data.views).map(([name, view]) => [name,
    { weights: new Float32Array(bytes(view.weights)), effects: new Int16Array(bytes(view.effects)) }]));
  const NOT_STORED = -32768, DEEP = 5, PITCH = 6, ZERO = 150, GREY = 306, USUAL = 5; // fifths of what matters
  const all = (css, from = document) => [...from.querySelectorAll(css)];
  const one = (id) => document.getElementById(id);
  const state = { view: "main", fifths: {}, world: null };
  const rows = all("[data-row]").map((element) => {
    const number = +element.dataset.row, row = data.rows[number];
    const size = element.querySelector(".size"), who = element.querySelector(".who");
    return { ...row, number, element, size, who, usual: [size.textContent, who.textContent, who.className],
      marks: element.querySelector(".marks"), label: element.querySelector(".name").textContent };
  });
  let weights, N; // those of the view, as is row.values
  const look = (view) => {
    state.view = view;
    weights = views[view].weights;
    N = weights.length;
    for (const row of rows) {
      row.values = views[view].effects.subarray(row.number * N, (row.number + 1) * N);
      row.stored = row.values[0] !== NOT_STORED;
    }
  };
  look("main");

  const number = (value) => { // as sim.model.words has it: whole from 3 on, else with one decimal
    const size = Math.abs(value), told = size >= 2.95 ? size.toFixed(0) : size.toFixed(1).replace(/\.0$/, "");
    return (value < 0 && told !== "0" ? "−" : "") + told;
  };
  const sized = (row, value) => `${number(value)} ${number(Math.abs(value)) === "1" ? row.unit[0] : row.unit[1]}`;
  const change = (row, value) =>
    number(value) === "0" || number(value) === "-0" ? "no change" : (value > 0 ? "+" : "") + sized(row, value);
  const of100 = (shares) => { // whole numbers that add up to 100, by largest remainder
    const exact = shares.map((share) => 100 * share), whole = exact.map((share) => Math.floor(share + 1e-9));
    const ranked = exact.map((_, k) => k).sort((a, b) => whole[a] - exact[a] - (whole[b] - exact[b]));
    const missing = 100 - whole.reduce((sum, each) => sum + each, 0);
    for (const k of ranked.slice(0, missing)) whole[k] += 1;
    return whole;
  };

  const fifths = (row) => state.fifths[row.outcome] ?? USUAL;
  const limit = (row) => (row.steps / USUAL) * fifths(row);
  const side = (row, step) => (step > limit(row) ? 1 : step < -limit(row) ? -1 : 0);
  const shares = (row) => { // above, within and below what matters, and the mean
    if (!row.stored) return null;
    const found = [0, 0, 0];
    let mean = 0;
    for (let k = 0; k < N; k++) {
      found[1 - side(row, row.values[k])] += weights[k];
      mean += weights[k] * row.values[k];
    }
    const sum = found[0] + found[1] + found[2];
    return [...found.map((share) => share / sum), (mean / sum / row.steps) * row.matters];
  };
  const counts = (row) => { // of 100 worlds, by place
    const found = shares(row);
    if (!found) return null;
    const [above, within, below] = of100(found.slice(0, 3));
    const [left, right] = row.direction < 0 ? [above, below] : [below, above];
    return { left, right, grey: within };
  };

  const start = { left: ZERO - 3 - PITCH, right: ZERO + 3, grey: GREY };
  const way = { left: -1, right: 1, grey: 1 };
  const place = (where, k) => [start[where] + way[where] * PITCH * Math.floor(k / DEEP), PITCH * (k % DEEP)];
  const named = (row) => (row.direction ? { left: "worse", right: "better" } : { left: "lower", right: "higher" });

  const draw = (row) => {
    const there = counts(row), known = there ?? { left: 0, right: 0, grey: 0 };
    for (const where of ["left", "right", "grey"]) {
      const squares = Array.from({ length: known[where] }, (_, k) => "M" + place(where, k).join(" ") + "h5v5h-5z");
      row.marks.querySelector(`path.${where}`).setAttribute("d", squares.join(""));
      const text = row.marks.querySelector(`text.${where}`), columns = Math.ceil(known[where] / DEEP);
      const x = { left: ZERO - 6 - PITCH * columns, right: ZERO + 5 + PITCH * columns, grey: GREY + 2 + PITCH * columns };
      text.setAttribute("x", x[where]);
      text.textContent = known[where] || "";
    }
    const names = { ...named(row), grey: "too small to matter" };
    const said = Object.keys(names).sort((a, b) => known[b] - known[a]).map((key) => `${names[key]} in ${known[key]}`);
    row.marks.setAttribute("aria-label", there ? `${row.label}: of 100 worlds, ${said.join(", ")}.`
      : `${row.label}: not stored for these worlds.`);
    row.counts = there;
    const own = state.view === "main" && fifths(row) === USUAL;
    const most = there && Object.keys(there).find((key) => there[key] > 50);
    row.who.textContent = own ? row.usual[1] : !there ? "not stored" : most ? `${names[most]} in most` : "divided";
    if (most === "grey" && !own) row.who.textContent = "too small in most";
    row.who.className = own ? row.usual[2] : "who";
    light(row);
  };

  // One world in every row: its square is the one that stands where the world does among those of its class

  const member = (row, where) => {
    const sign = { left: -1, right: 1, grey: 0 }[where] * (row.direction || 1);
    return Array.from({ length: N }, (_, k) => k).filter((k) => side(row, row.values[k]) === sign && weights[k] > 0)
      .sort((a, b) => Math.abs(row.values[a]) - Math.abs(row.values[b]));
  };
  const whereIs = (row, world) => {
    const sign = side(row, row.values[world]) * (row.direction || 1);
    return sign > 0 ? "right" : sign < 0 ? "left" : "grey";
  };
  const light = (row) => {
    row.marks.querySelector(".world")?.remove();
    const followed = state.world !== null && row.stored;
    row.size.classList.toggle("lit", Boolean(followed));
    if (!followed) {
      const found = state.view === "main" ? null : shares(row);
      row.size.textContent = state.view === "main" ? row.usual[0] : found ? change(row, found[3]) : "";
      return;
    }
    const where = whereIs(row, state.world), reach = Math.abs(row.values[state.world]);
    let before = 0, sum = 0;
    for (let k = 0; k < N; k++) {
      if (whereIs(row, k) !== where) continue;
      sum += weights[k];
      if (Math.abs(row.values[k]) < reach) before += weights[k];
    }
    const number = Math.max(row.counts[where], 1);
    const [x, y] = place(where, Math.min(number - 1, Math.floor((before / sum) * number)));
    const mark = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    const box = { class: "world", x: x - 1.5, y: y - 1.5, width: 8, height: 8 };
    for (const [name, value] of Object.entries(box)) mark.setAttribute(name, value);
    row.marks.append(mark);
    row.size.textContent = change(row, (row.values[state.world] / row.steps) * row.matters);
  };

  const follow = (world) => {
    state.world = world;
    rows.forEach(light);
    one("all").hidden = world === null;
    const told = world === null ? "" : rows.slice(0, 3).map((row) => `${row.label} ${row.size.textContent}`).join(", ");
    one("lit").textContent = told && `In this one: ${told}.`;
  };
  const nth = (row, where, k) => { // the world at square k of a place
    const worlds = member(row, where), sum = worlds.reduce((total, each) => total + weights[each], 0);
    let target = ((k + 0.5) / Math.max(row.counts[where], 1)) * sum;
    return worlds.find((each) => (target -= weights[each]) <= 0) ?? worlds[worlds.length - 1];
  };
  const pointed = (row, event) => {
    if (!row.stored) return;
    const box = row.marks.getBoundingClientRect(), scale = 456 / box.width;
    const x = (event.clientX - box.left) * scale, y = Math.floor(((event.clientY - box.top) * scale) / PITCH);
    const where = x >= GREY - 2 ? "grey" : x >= ZERO ? "right" : "left";
    const column = Math.floor(where === "left" ? (ZERO - 3 - x) / PITCH : (x - start[where]) / PITCH);
    const k = Math.max(column, 0) * DEEP + Math.min(Math.max(y, 0), DEEP - 1);
    if (k < row.counts[where]) follow(nth(row, where, k));
  };

  for (const row of rows) row.counts = counts(row);

  // Controls

  const redraw = () => rows.forEach(draw);
  const shown = (range) => {
    const row = rows.find((each) => each.outcome === range.dataset.outcome);
    const text = sized(row, (row.matters / USUAL) * range.value);
    document.querySelector(`[data-limit="${range.dataset.outcome}"]`).textContent = text;
    range.setAttribute("aria-valuetext", text);
  };
  for (const range of all("[data-outcome]")) {
    range.addEventListener("input", () => {
      state.fifths[range.dataset.outcome] = +range.value;
      shown(range);
      redraw();
    });
  }
  for (const row of rows) {
    row.marks.addEventListener("click", (event) => pointed(row, event));
    row.marks.addEventListener("pointermove", (event) => event.pointerType === "mouse" && pointed(row, event));
  }
  if (one("tools")) {
    for (const radio of all("[name=view]")) {
      radio.addEventListener("change", () => {
        look(radio.value);
        follow(null);
        redraw();
      });
    }
    one("world").addEventListener("input", (event) => { // by the effect in the first row, from the worst to the best
      const row = rows[0], good = row.direction || 1;
      const order = Array.from({ length: N }, (_, k) => k).sort((a, b) => good * (row.values[a] - row.values[b]));
      let target = ((+event.target.value - 0.5) / 100) * weights.reduce((sum, each) => sum + each, 0);
      follow(order.find((each) => (target -= weights[each]) <= 0) ?? order[N - 1]);
    });
    one("all").addEventListener("click", () => follow(null));
    one("reset").addEventListener("click", () => {
      state.fifths = {};
      for (const range of all("[data-outcome]")) { range.value = USUAL; shown(range); }
      redraw();
    });
    one("tools").hidden = false;
  }
  const emphasis = document.querySelector(".emphasis");
  emphasis.hidden = false;
  for (const button of all("button", emphasis)) {
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") !== "true";
      for (const other of all("button", emphasis)) other.setAttribute("aria-pressed", String(on && other === button));
      for (const fold of all("details[data-for]")) fold.open = on && fold.dataset.for.includes(button.dataset.reader);
    });
  }
  const sorting = document.querySelector(".sorting");
  if (sorting) {
    sorting.hidden = false;
    one("sort").addEventListener("change", (event) => {
      const by = event.target.value, cards = all(".card"), value = (card) => card.dataset[by];
      cards.sort((a, b) => by === "side" ? value(b).localeCompare(value(a)) : by === "share" ? value(b) - value(a)
        : value(a) - value(b));
      document.querySelector(".cards").append(...cards);
    });
  }
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = all("details:not([open])");
    for (const fold of opened) fold.open = true;
  });
  addEventListener("afterprint", () => { for (const fold of opened) fold.open = false; });
})();

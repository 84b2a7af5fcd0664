// One version of the NHS under two kinds of oversight: months play over a map of its trusts, which can be opened.
"use strict";

class Film {
  /** Draws into `place`, the lines of some outcomes by name; `page` has data and pool. `done` is told both nations. */
  constructor(place, page, outcomes) {
    Object.assign(this, { page, outcomes: outcomes.map(page.outcome), nations: [], names: [], before: null });
    Object.assign(this, { trust: null, post: null, timer: null, done: () => {} });
    this.last = page.data.sizes.version.months - 1;
    this.month = this.last;
    this.maps = el("div", { class: "maps" });
    this.lines = el("div", { class: "lines" });
    this.panel = el("div", { "aria-live": "polite" });
    this.says = el("p", { class: "says", role: "status" }, "Running …");
    this.slider = el("input", { type: "range", min: 1, max: this.last + 1, value: this.last + 1, "aria-label": "Month",
      input: () => this.at(Number(this.slider.value) - 1) });
    this.clock = el("output", {}, "");
    this.button = el("button", { type: "button", click: () => this.play() }, "Play ten years");
    const player = el("div", { class: "player" }, this.button, this.slider, this.clock);
    place.replaceChildren(player, this.maps, this.says, this.panel, this.lines);
  }

  /** Run a version under two arms, which are called `names`. */
  set(version, { arms, names }) {
    const key = JSON.stringify([version, arms]);
    this.names = names;
    if (key === this.key) return;
    this.key = key;
    this.before = this.nations.length === 2 && this.version === version ? this.nations[0].series : null;
    this.version = version;
    const found = [];
    this.page.pool.watch({ kind: "watch", world: version - 1, arms }, (watched) => {
      found[watched.number] = new Nation(watched, this.page.data.about, this.page.data.sizes.version);
      if (found[0] && found[1]) {
        this.nations = found;
        this.at(this.month);
        this.done(found);
      }
    });
  }

  play() {
    if (this.timer) {
      this.stop();
      return;
    }
    if (this.month >= this.last) this.at(0);
    this.button.textContent = "Stop";
    this.timer = setInterval(() => (this.month < this.last ? this.at(this.month + 1) : this.stop()), 90);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.button.textContent = "Play ten years";
  }

  at(month) {
    this.month = month;
    if (this.nations.length < 2) return;
    this.slider.value = month + 1;
    this.clock.textContent = `year ${Math.floor(month / 12) + 1}, month ${(month % 12) + 1}`;
    this.slider.setAttribute("aria-valuetext", this.clock.textContent);
    this.drawMaps();
    this.drawLines();
    if (this.trust) this.open(...this.trust);
  }

  drawMaps() {
    const order = [1, 0]; // what it is compared with stands first
    if (!this.maps.children.length) this.maps.append(...order.map((k) => this.map(k)));
    order.forEach((k, place) => {
      const [heading, picture] = this.maps.children[place].children, nation = this.nations[k];
      heading.textContent = Draw.capital(this.names[k]);
      picture.querySelectorAll("[data-trust]").forEach((trust) => {
        const number = Number(trust.dataset.trust), value = nation.inTrust("fear", this.month, number);
        trust.firstChild.setAttribute("fill", Draw.shade(value / DARKEST));
        trust.setAttribute("aria-label", `${trust.dataset.name}: fear ${Draw.size(100 * value)} of 100`);
        trust.setAttribute("aria-pressed", String(this.trust?.[0] === k && this.trust[1] === number));
      });
    });
  }

  /** A map: systems as boxes, a dot for each trust; one of them can be reached by the tab key, the others by arrows. */
  map(k) {
    const { systems, organisations } = this.page.data.sizes.version, SYSTEMS_ACROSS = 3, dots = [];
    const picture = el("svg:svg", { viewBox: "0 0 300 204", role: "group",
      "aria-label": "Map of trusts; the darker, the more fear" });
    for (let s = 0; s < systems; s++) {
      const left = (s % SYSTEMS_ACROSS) * 100 + 4, top = Math.floor(s / SYSTEMS_ACROSS) * 102 + 4;
      const box = { x: left, y: top, width: 92, height: 94, rx: 6, fill: "#fff", stroke: Draw.PALE };
      picture.append(el("svg:rect", box));
      for (let o = 0; o < organisations; o++) {
        const angle = 2 * Math.PI * o / organisations - Math.PI / 2, number = s * organisations + o;
        const [cx, cy] = [left + 46 + 30 * Math.cos(angle), top + 48 + 30 * Math.sin(angle)];
        const dot = el("svg:g", { role: "button", tabindex: number ? -1 : 0, "data-trust": number,
          "data-name": `Trust ${o + 1} of system ${s + 1}`, click: () => this.choose(k, number),
          keydown: (event) => this.pressed(event, k, number, dots),
          focus: () => dots.forEach((one) => one.setAttribute("tabindex", one === dot ? 0 : -1)),
        }, el("svg:circle", { cx, cy, r: 14, stroke: Draw.GREY }));
        dots.push(dot);
        picture.append(dot);
      }
    }
    return el("figure", {}, el("figcaption", {}), picture);
  }

  pressed(event, k, number, dots) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    if (step) dots[(number + step + dots.length) % dots.length].focus();
    else this.choose(k, number);
  }

  /** A trust that the reader asked for: its panel is where the reader goes on. */
  choose(k, trust) {
    this.stop();
    if (this.trust?.[1] !== trust) this.post = null;
    this.open(k, trust);
    this.drawMaps();
    this.panel.querySelector("h4").focus();
  }

  open(k, trust) {
    this.trust = [k, trust];
    const pick = (post) => {
      this.post = post;
      this.open(k, trust);
      this.panel.querySelector('[aria-pressed="true"]')?.focus();
    };
    const close = () => {
      this.trust = this.post = null;
      this.panel.replaceChildren();
      this.drawMaps();
    };
    const inside = trustPanel(this.nations[k], trust, this.month, this.post, pick, this.page.outcome("fear"), close);
    this.panel.replaceChildren(el("p", { class: "under" }, `Under ${this.names[k]}`), inside);
  }

  drawLines() {
    const looks = [{ dash: "none", colour: Draw.INK }, { dash: "6 4", colour: Draw.GREY }];
    this.lines.replaceChildren(...this.outcomes.map((outcome) => {
      const values = (series) => smooth(series[outcome.at], outcome.factor);
      const ghost = this.before ? [{ values: values(this.before), name: "last run", ghost: true, dash: "2 3" }] : [];
      const lines = [1, 0].map((k) => ({ values: values(this.nations[k].series), name: this.names[k], ...looks[k] }));
      return Draw.paths({ lines: [...ghost, ...lines], ends: outcome.axis, title: Draw.capital(outcome.label),
        unit: `${Draw.unit(outcome, "2")} ${outcome.of}`.trim(), now: this.month, until: this.month });
    }));
  }
}

/** The mean of the last twelve months, or as many as there are, in natural units. */
function smooth(values, factor) {
  return Array.from(values, (_, t) => {
    const some = values.slice(Math.max(0, t - 11), t + 1);
    return factor * some.reduce((sum, value) => sum + value, 0) / some.length;
  });
}

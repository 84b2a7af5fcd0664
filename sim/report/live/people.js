// People: the twelve managers of a trust, and the ten years of one post, told from what happened in each month.
"use strict";

const DARKEST = 0.6; // the fear at which a manager or a trust is darkest

class Nation {
  /** What a watched run left: `rows`, months by posts by columns. */
  constructor(watched, about, sizes) {
    Object.assign(this, watched, { sizes, columns: about.columns,
      posts: sizes.systems * sizes.organisations * sizes.managers });
    this.at = Object.fromEntries(about.columns.map((name, k) => [name, k]));
  }

  /** What a post had in a month, from 0. */
  of(column, month, post) {
    return this.rows[(month * this.posts + post) * this.columns.length + this.at[column]];
  }

  /** The mean over a trust's managers. */
  inTrust(column, month, trust) {
    const { managers } = this.sizes;
    let sum = 0;
    for (let k = 0; k < managers; k++) sum += this.of(column, month, trust * managers + k);
    return sum / managers;
  }

  /** What happened in a post, a sentence for each month in which something did. */
  events(post) {
    const told = [];
    for (let month = 0; month < this.sizes.months; month++) {
      const parts = this.month(post, (column) => this.of(column, month, post) > 0);
      if (parts.length) told.push({ month: month + 1, text: parts.join("; ") });
    }
    return told;
  }

  /** What happened in a month of which `did` tells. */
  month(post, did) {
    const parts = [], what = did("negligence") ? "a slip through neglect" : "a slip", punished = did("sanctions");
    if (did("initiative_rate")) parts.push("tried something new");
    if (did("slips") && did("spoken")) parts.push(`owned up to ${what} and was ${punished ? "" : "not "}punished`);
    else if (did("slips")) parts.push(`kept quiet about ${what}${punished ? ", was found out and punished" : ""}`);
    else if (punished) parts.push("missed the target, was called to account and punished");
    if (did("exits")) parts.push(`${did("dismissals") ? "lost the post" : "left"}; somebody else took over`);
    return parts;
  }

  /** Ten years of a post in a few sentences. */
  life(post) {
    const { months } = this.sizes, LONGEST = 24, SHORTEST = 6;
    const at = (column) => [...Array(months).keys()].filter((t) => this.of(column, t, post) > 0);
    const tries = at("initiative_rate"), punished = at("sanctions"), slips = at("slips").length;
    const holders = at("exits").length + 1, first = punished[0] ?? 0;
    const many = (n, word) => `${n || "no"} ${word}${n === 1 ? "" : "s"}`;
    const times = (n) => (n === 0 ? "never" : n === 1 ? "once" : `${n} times`);
    const turns = `${holders} people held this post in turn`;
    const who = holders === 1 ? "One person held this post for all ten years" : turns;
    const owned = slips ? `, ${at("spoken").length} of them owned up to` : "";
    const said = `${who}: ${many(slips, "slip")}${owned}; punished ${times(punished.length)}; `
      + `tried something new ${times(tries.length)}.`;
    const span = Math.min(LONGEST, first, months - first - 1);
    if (span < SHORTEST) return said;
    const [before, after] = [[first - span, first], [first + 1, first + 1 + span]].map(([from, to]) =>
      tries.filter((t) => t >= from && t < to).length);
    return `${said} In the ${span} months before the first punishment there were ${many(before, "attempt")} at `
      + `something new, in the ${span} months after it ${before === after ? "as many" : after || "none"}.`;
  }
}

/** The panel of a trust: its managers in a month, and one post's ten years; `pick` is told when a manager is chosen. */
function trustPanel(nation, trust, month, chosen, pick, fear, close) {
  const { managers, organisations } = nation.sizes, first = trust * managers;
  const title = `Trust ${(trust % organisations) + 1} of system ${Math.floor(trust / organisations) + 1}`;
  const person = (k) => {
    const value = nation.of("fear", month, first + k), name = k ? `Manager ${k + 1}` : "Chief executive";
    const dot = el("svg:circle", { cx: 15, cy: 15, r: 13, fill: Draw.shade(value / DARKEST), stroke: Draw.GREY });
    const face = el("svg:svg", { viewBox: "0 0 30 30", "aria-hidden": "true" }, dot);
    const told = { type: "button", class: "manager", "aria-pressed": String(chosen === first + k) };
    const words = el("span", {}, `${name}: fear ${Draw.size(100 * value)}`);
    return el("li", {}, el("button", { ...told, click: () => pick(first + k) }, face, words));
  };
  const heading = el("h4", { tabindex: "-1" }, `${title}: its ${managers} managers in month ${month + 1}`);
  const people = el("ul", { class: "managers" }, ...Array.from({ length: managers }, (_, k) => person(k)));
  const panel = el("section", { class: "panel", "aria-label": title }, heading,
    el("p", {}, "Choose one to read ten years."), people,
    el("button", { type: "button", click: close }, "Close the trust"));
  const inside = chosen !== null && chosen >= first && chosen < first + managers;
  if (inside) panel.append(biography(nation, chosen, chosen - first, fear));
  return panel;
}

function biography(nation, post, number, fear) {
  const values = Array.from({ length: nation.sizes.months }, (_, t) => nation.of("fear", t, post) * fear.factor);
  const picture = Draw.paths({ lines: [{ values, name: "" }], ends: [0, 100], height: 150,
    title: `Their ${fear.label}, month by month`, unit: Draw.unit(fear, "2") });
  const events = nation.events(post).map(({ month, text }) => el("li", {}, `Month ${month}: ${text}.`));
  const whose = number ? `manager ${number + 1}` : "the chief executive";
  return el("div", { class: "life" }, el("h5", {}, `Ten years of ${whose}`), el("p", {}, nation.life(post)), picture,
    el("ol", { class: "events", tabindex: "0", "aria-label": "What happened, month by month" }, ...events));
}

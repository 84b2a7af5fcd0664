// People: the twelve managers of a trust, and the ten years of one post, told from what happened in each month.
"use strict";

class Nation {
  /** What a watched run left: `rows`, months by posts by columns. */
  constructor(watched, about, sizes) {
    Object.assign(this, watched, { sizes, columns: about.columns, posts: sizes.systems * sizes.organisations * sizes.managers });
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
    const told = [], did = (column, month) => this.of(column, month, post) > 0;
    for (let month = 0; month < this.sizes.months; month++) {
      const parts = [];
      if (did("initiative_rate", month)) parts.push("tried something new");
      if (did("slips", month)) {
        const what = did("negligence", month) ? "a slip through neglect" : "a slip";
        const end = did("sanctions", month) ? "was punished" : "was not punished";
        parts.push(did("spoken", month) ? `owned up to ${what} and ${end}` : did("sanctions", month) ? `kept quiet about ${what}, was found out and punished` : `kept quiet about ${what}`);
      } else if (did("sanctions", month)) parts.push("missed the target, was called to account and punished");
      if (did("exits", month)) parts.push(did("dismissals", month) ? "lost the post; somebody else took over" : "left; somebody else took over");
      if (parts.length) told.push({ month: month + 1, text: parts.join("; ") });
    }
    return told;
  }

  /** Ten years of a post in two or three sentences. */
  life(post) {
    const months = this.sizes.months, count = (column, from = 0, to = months) => {
      let times = 0;
      for (let t = from; t < to; t++) times += this.of(column, t, post) > 0;
      return times;
    };
    const first = [...Array(months).keys()].find((t) => this.of("sanctions", t, post) > 0), holders = count("exits") + 1;
    const times = (n) => (n === 0 ? "never" : n === 1 ? "once" : `${n} times`);
    const slips = count("slips");
    const said = [`${holders === 1 ? "One person held this post for all ten years" : `${holders} people held this post one after the other`}: `
      + `${slips === 0 ? "no slips" : `${slips} slip${slips === 1 ? "" : "s"}, ${count("spoken")} of them owned up to`}; punished ${times(count("sanctions"))}; tried something new ${times(count("initiative_rate"))}.`];
    if (first !== undefined && first >= 6 && first < months - 6) {
      const span = Math.min(24, first, months - first - 1);
      said.push(`In the ${span} months before the first punishment there were ${count("initiative_rate", first - span, first)} attempts at something new, in the ${span} months after it ${count("initiative_rate", first + 1, first + 1 + span)}.`);
    }
    return said.join(" ");
  }
}

/** The panel of a trust: its managers in a month, and one post's ten years; `pick` is told when a manager is chosen. */
function trustPanel(nation, trust, month, chosen, pick, fear, close) {
  const { managers, organisations } = nation.sizes, first = trust * managers;
  const title = `Trust ${(trust % organisations) + 1} of system ${Math.floor(trust / organisations) + 1}`;
  const people = Array.from({ length: managers }, (_, k) => {
    const value = nation.of("fear", month, first + k), name = k ? `Manager ${k + 1}` : "Chief executive";
    const face = el("svg:svg", { viewBox: "0 0 30 30", "aria-hidden": "true" }, el("svg:circle", { cx: 15, cy: 15, r: 13, fill: Draw.shade(value / 0.8), stroke: Draw.GREY }));
    return el("li", {}, el("button", { type: "button", class: "manager", "aria-pressed": String(chosen === first + k), click: () => pick(first + k) }, face, el("span", {}, `${name}: fear ${Draw.size(100 * value)}`)));
  });
  const panel = el("section", { class: "panel", "aria-label": title }, el("h4", { tabindex: "-1" }, `${title}: its ${managers} managers in month ${month + 1}`),
    el("p", {}, "Choose one to read ten years."), el("ul", { class: "managers" }, ...people), el("button", { type: "button", click: close }, "Close the trust"));
  if (chosen !== null && chosen >= first && chosen < first + managers) panel.append(biography(nation, chosen, chosen - first, fear));
  return panel;
}

function biography(nation, post, number, fear) {
  const values = Array.from({ length: nation.sizes.months }, (_, t) => nation.of("fear", t, post) * fear.factor);
  const picture = Draw.paths({ lines: [{ values, name: "" }], ends: [0, 100], title: `Their ${fear.label}, month by month`, unit: Draw.unit(fear, "2"), height: 150 });
  return el("div", { class: "life" }, el("h5", {}, number ? `Ten years of manager ${number + 1}` : "Ten years of the chief executive"), el("p", {}, nation.life(post)), picture,
    el("ol", { class: "events", tabindex: "0", "aria-label": "What happened, month by month" }, ...nation.events(post).map(({ month, text }) => el("li", {}, `Month ${month}: ${text}.`))));
}

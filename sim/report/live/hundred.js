// A hundred versions of the NHS: one picture for each outcome, drawn at once on one pair of runs and better with each.
"use strict";

class Hundred {
  /** Draws into `place`; `bet`, if any, gives what was bet on an outcome; `changed` is called whenever more is known. */
  constructor(place, page, outcomes, { bet = () => undefined, changed = () => {}, choose }) {
    Object.assign(this, { page, bet, changed, choose, ghost: null, key: null, active: false });
    this.shown = outcomes.map((name) => page.data.outcomes.findIndex((one) => one.name === name));
    this.says = el("p", { class: "says", role: "status" });
    this.again = el("button", { type: "button", hidden: true, click: () => this.recompute() }, "Run them again here");
    this.finding = el("p", { class: "finding" });
    this.cards = this.shown.map((k) => el("figure", { class: "card", "data-outcome": page.data.outcomes[k].name }));
    place.replaceChildren(this.finding, el("div", { class: "progress" }, this.says, this.again), el("div", { class: "cards" }, ...this.cards));
  }

  /** What is compared: two arms of levers and mechanisms that are off; the first less the second is the effect. `names`
   * say what the arms are called. */
  set({ arms, names }) {
    this.names = names;
    const key = JSON.stringify(arms);
    if (key !== this.key) {
      if (this.tally && !this.tally.found.includes(null)) this.ghost = this.shown.map((k) => this.tally.counts(k));
      Object.assign(this, { key, arms });
      this.begin(this.page.stored(arms));
    }
    this.active = true;
    this.next();
    this.draw();
  }

  begin(stored) {
    this.tally = new Tally(this.page.data.seeds.length, this.page.data.outcomes, this.page.data.rule);
    this.runs = 0;
    this.began = performance.now();
    stored?.forEach(([mean, error, pairs], world) => this.tally.set(world, mean, error, pairs));
  }

  recompute() {
    this.begin(null);
    this.next();
    this.draw();
  }

  pause() {
    this.active = false;
    this.page.pool.stop();
  }

  next() {
    const { pair, worlds } = this.tally.wanting, { tally } = this;
    if (!worlds.length || !this.active) return;
    const task = { kind: "pairs", pair, worlds, arms: this.arms };
    this.page.pool.pairs(task, ({ world, means }) => {
      if (tally !== this.tally) return;
      tally.add(world, means[0].map((value, k) => value - means[1][k]));
      this.runs += 2;
      this.soon();
    }, () => {
      if (pair === 0) this.page.firstPair = performance.now() - this.began;
      if (tally === this.tally) this.next();
    });
  }

  /** Draw, but no more than a few times in a second. */
  soon() {
    this.drawing ??= setTimeout(() => {
      this.drawing = null;
      if (this.active) this.draw();
    }, 200);
  }

  draw() {
    const { tally } = this, open = tally.found.filter((one) => !one).length, settled = tally.found.filter((_, k) => tally.settled(k)).length, all = tally.found.length;
    const stored = tally.found.every((one) => one?.stored);
    this.says.textContent = stored ? "Stored with the page: computed before, by the same engine."
      : open ? `Running: ${all - open} of ${all} versions so far.`
        : settled < all ? `Settling: every version is drawn, ${settled} of ${all} are known well enough; ${this.runs} runs of ten years so far.`
          : `Settled, after ${this.runs} runs of ten years in this page.`;
    this.says.dataset.state = open ? "running" : settled < all ? "settling" : "settled";
    this.again.hidden = !stored;
    this.finding.textContent = open ? "" : this.inWords();
    this.shown.forEach((k, place) => this.card(this.cards[place], k, this.ghost?.[place]));
    this.changed(this);
  }

  /** What the headline's outcomes do, in a sentence: the commoner side of each, and the other where it is not rare. */
  inWords() {
    const RARE = 10, { outcomes, story } = this.page.data;
    const moved = story.bet.map((name) => outcomes.findIndex((one) => one.name === name)).map((k) => {
      const { above, below } = this.tally.counts(k), { raises, lowers } = outcomes[k];
      return above >= below ? [raises, above, below] : [lowers, below, above];
    }).filter(([, most]) => most > 0).map(([does, most, least], place) =>
      `${does} in ${most}${place ? "" : " of 100 versions"}${least < RARE ? "" : ` (the opposite in ${least})`}`);
    const last = moved.pop(), all = moved.length ? `${moved.join(", ")} and ${last}` : last;
    return `${Draw.capital(this.names[0])}, compared with ${this.names[1]}, ${all ?? "changes nothing that matters"}.`;
  }

  card(place, k, ghost) {
    const outcome = this.page.data.outcomes[k], counts = this.tally.counts(k), [above, below] = Draw.classNames(outcome);
    const told = outcome.direction < 0 ? [[below, counts.below], [above, counts.above]] : [[above, counts.above], [below, counts.below]];
    const words = [...told.map(([name, n]) => `${name} in ${n}`), `too small to matter in ${counts.within}`].join(", ");
    const known = this.tally.found.length - counts.open, label = `${Draw.capital(outcome.label)}: ${words}, of ${known} versions`;
    const line = el("p", { class: "counts" }), marks = [outcome.direction || 1, -(outcome.direction || 1), 0];
    [...told, ["too small to matter", counts.within]].forEach(([name, n], place_) => line.append(el("span", {}, key(Draw.mark(outcome, marks[place_])), ` ${name} in ${n}`)));
    const parts = [el("figcaption", {}, Draw.capital(outcome.label)), line, Draw.hundred(outcome, this.tally.classes(k), label, this.choose, ghost)];
    const middle = this.tally.middle(k);
    if (known) parts.push(el("p", { class: "small" }, `In the middle version: ${Draw.effect(outcome, middle)}.${ghost ? " The bar is your last run." : ""}`));
    const bet = this.bet(outcome.name);
    if (bet !== undefined && known) {
      const hit = counts[{ 1: "above", 0: "within", [-1]: "below" }[bet]], said = { 1: "it rises", 0: "it hardly changes", [-1]: "it falls" }[bet];
      parts.push(el("p", { class: "bet" }, `Your bet, that ${said}, comes true in ${hit} of ${known}.`));
    }
    place.replaceChildren(...parts);
  }
}

/** A mark beside its name. */
function key(mark) {
  return el("svg:svg", { viewBox: "0 0 16 16", class: "key", "aria-hidden": "true" }, Draw.square(mark, 8, 8));
}

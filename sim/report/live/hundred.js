// A hundred versions of the NHS: one picture for each outcome, drawn at once on one pair of runs and better with each.
"use strict";

class Hundred {
  /** Draws into `place`. `bet` gives what was bet on an outcome; `changed` hears whenever more is known. */
  constructor(place, page, outcomes, { bet = () => undefined, changed = () => {}, choose }) {
    Object.assign(this, { page, outcomes, bet, changed, choose, ghost: null, key: null, active: false });
    this.says = el("p", { class: "says", role: "status" });
    this.again = el("button", { type: "button", hidden: true, click: () => this.recompute() }, "Run them again here");
    this.finding = el("p", { class: "finding" });
    this.cards = outcomes.map(({ name }) => el("figure", { class: "card", "data-outcome": name }));
    const progress = el("div", { class: "progress" }, this.says, this.again);
    place.replaceChildren(this.finding, progress, el("div", { class: "cards" }, ...this.cards));
  }

  /** What is compared: two arms of levers and mechanisms that are off; the first less the second is the effect. `names`
   * say what the arms are called. */
  set({ arms, names }) {
    this.names = names;
    const key = JSON.stringify(arms);
    if (key !== this.key) {
      if (this.tally && !this.tally.found.includes(null)) this.ghost = this.counts();
      Object.assign(this, { key, arms });
      this.begin(this.page.stored(arms));
    }
    this.active = true;
    this.next();
    this.draw();
  }

  counts() {
    return this.outcomes.map(({ at }) => this.tally.counts(at));
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
    const { found } = this.tally, all = found.length, open = found.filter((one) => !one).length;
    const settled = found.filter((_, world) => this.tally.settled(world)).length;
    const stored = found.every((one) => one?.stored), state = open ? "running" : settled < all ? "settling" : "settled";
    const told = {
      running: `Running: ${all - open} of ${all} versions so far.`,
      settling: `Settling: ${settled} of ${all} versions are known well enough; ${this.runs} runs of ten years so far.`,
      settled: `Settled, after ${this.runs} runs of ten years in this page.`,
    };
    this.says.textContent = stored ? "Stored with the page, computed by the same engine: 100 versions that stand for all, so numbers may differ by one or two from the report's." : told[state];
    this.says.dataset.state = state;
    this.again.hidden = !stored;
    this.finding.textContent = open ? "" : this.inWords();
    this.counts().forEach((counts, k) => {
      this.cards[k].replaceChildren(...this.card(this.outcomes[k], counts, this.ghost?.[k]));
    });
    this.changed(this);
  }

  /** What the headline's outcomes do, in a sentence: the commoner side of each, and the other where it is not rare. */
  inWords() {
    const RARE = 10, { data, outcome } = this.page;
    const sides = data.story.bet.map(outcome).map(({ at, raises, lowers }) => {
      const { above, below } = this.tally.counts(at);
      return above >= below ? [raises, above, below] : [lowers, below, above];
    });
    const moved = sides.filter(([, most]) => most > 0).map(([does, most, least], place) =>
      `${does} in ${most}${place ? "" : " of 100 versions"}${least < RARE ? "" : ` (the opposite in ${least})`}`);
    const last = moved.pop() ?? "changes nothing that matters";
    const all = moved.length ? `${moved.join(", ")} and ${last}` : last;
    const { length } = this.arms[0].off, off = `, with ${length} mechanism${length === 1 ? "" : "s"} switched off`;
    return `${Draw.capital(this.names[0])}, compared with ${this.names[1]}${length ? off : ""}, ${all}.`;
  }

  /** What stands on an outcome's card. */
  card(outcome, counts, ghost) {
    const { at, direction, label, name } = outcome, [above, below] = Draw.classNames(outcome);
    const known = this.tally.found.length - counts.open, classes = this.tally.classes(at), bet = this.bet(name);
    const sides = [[above, counts.above, 1], [below, counts.below, -1]], TOO_SMALL = "too small to matter";
    const told = [...(direction < 0 ? sides.reverse() : sides), [TOO_SMALL, counts.within, 0]];
    const words = told.map(([word, number]) => `${word} in ${number}`), title = Draw.capital(label);
    const spans = told.map(([, , one], k) => el("span", {}, key(Draw.mark(outcome, one)), ` ${words[k]}`));
    const described = `${title}: ${words.join(", ")}, of ${known} versions`;
    const parts = [el("figcaption", {}, title), el("p", { class: "counts" }, ...spans),
      Draw.hundred(outcome, classes, described, this.choose, ghost)];
    if (!known) return parts;
    const middle = `In the middle version: ${Draw.effect(outcome, this.tally.middle(at))}.`;
    parts.push(el("p", { class: "small" }, ghost ? `${middle} The bar is your last run.` : middle));
    if (bet !== undefined) {
      const said = { 1: "it rises", 0: "it hardly changes", [-1]: "it falls" }[bet];
      const right = counts[{ 1: "above", 0: "within", [-1]: "below" }[bet]];
      parts.push(el("p", { class: "bet" }, `Your bet, that ${said}, comes true in ${right} of ${known}.`));
    }
    return parts;
  }
}

/** A mark beside its name. */
function key(mark) {
  return el("svg:svg", { viewBox: "0 0 16 16", class: "key", "aria-hidden": "true" }, Draw.square(mark, 8, 8));
}

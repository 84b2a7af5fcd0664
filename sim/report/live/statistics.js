// What pairs of runs come to in each version of the NHS. The rule is that of sim.worlds.evaluate: blocks of pairs until
// the standard error of every outcome's effect is small enough, or there are as many as a claim gets.
"use strict";

/** The mean of numbers and its standard error, summed in their order. */
function summary(values) {
  const n = values.length, mean = values.reduce((sum, value) => sum + value, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0);
  return { mean, error: n > 1 ? Math.sqrt(squares / (n - 1)) / Math.sqrt(n) : Infinity };
}

/** The middle of numbers. */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b), half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

class Tally {
  /** `outcomes` have delta and finer; `rule` has block and most, numbers of pairs. */
  constructor(worlds, outcomes, rule) {
    Object.assign(this, { outcomes, rule });
    this.effects = Array.from({ length: worlds }, () => []); // pairs by outcomes
    this.found = new Array(worlds).fill(null); // means and errors by outcome, and how many pairs
  }

  /** One more pair in a world: the effect on each outcome. */
  add(world, effect) {
    const pairs = this.effects[world];
    pairs.push(effect);
    const each = this.outcomes.map((_, k) => summary(pairs.map((values) => values[k])));
    this.found[world] = { mean: each.map((one) => one.mean), error: each.map((one) => one.error), pairs: pairs.length };
  }

  /** Effects that were computed before. */
  set(world, mean, error, pairs) {
    this.found[world] = { mean, error, pairs, stored: true };
  }

  settled(world) {
    const found = this.found[world], { block, most } = this.rule;
    if (!found || found.stored) return Boolean(found);
    if (found.pairs >= most) return true;
    return found.pairs % block === 0 && this.outcomes.every((o, k) => found.error[k] <= o.delta / o.finer);
  }

  /** The worlds that want one more pair now: those with the fewest of them first. */
  get wanting() {
    const open = this.found.map((_, world) => world).filter((world) => !this.settled(world));
    const fewest = Math.min(...open.map((world) => this.effects[world].length));
    return { pair: fewest, worlds: open.filter((world) => this.effects[world].length === fewest) };
  }

  /** The class of each world's effect on an outcome: 1 above what matters, 0 within, -1 below, null not known yet. */
  classes(outcome) {
    const { delta } = this.outcomes[outcome];
    return this.found.map((found) => found && (found.mean[outcome] > delta ? 1 : found.mean[outcome] < -delta ? -1
      : 0));
  }

  counts(outcome) {
    const classes = this.classes(outcome), count = (one) => classes.filter((each) => each === one).length;
    return { above: count(1), within: count(0), below: count(-1), open: count(null) };
  }

  /** The middle version's effect on an outcome, of those known. */
  middle(outcome) {
    const known = this.found.filter(Boolean).map((found) => found.mean[outcome]);
    return known.length ? median(known) : NaN;
  }
}

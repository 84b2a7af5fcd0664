// The first step: one slip in one trust, three answers to it, and the fear that spreads from there.
"use strict";

class Slip {
  /** Draws into `place` and says into `clock` and `says`; `page` has data and pool. */
  constructor(page, { place, clock, says }) {
    Object.assign(this, { page, clock, says, nations: [], timer: null, playing: null }, page.data.slip);
    this.people = Array.from({ length: this.sizes.organisations * this.sizes.managers }, (_, k) => this.person(k));
    const label = "Five trusts of twelve managers", viewBox = Draw.narrow() ? "0 0 360 346" : "0 0 640 300";
    const marks = this.people.flatMap(({ dot, number }) => [dot, number]);
    place.replaceChildren(el("svg:svg", { viewBox, role: "img", "aria-label": label }, ...marks, ...this.trustNames()));
  }

  /** Where the middle of a trust stands; the first is the one with the slip. */
  middle(trust) {
    const [column, row] = [(trust - 1) % 2, Math.floor((trust - 1) / 2)];
    if (Draw.narrow()) return trust ? [46 + (trust - 1) * 89, 300] : [180, 125];
    return trust ? [375 + column * 190, 78 + row * 148] : [150, 152];
  }

  person(k) {
    const { managers } = this.sizes, trust = Math.floor(k / managers), angle = 2 * Math.PI * (k % managers) / managers;
    const [ring, radius, size] = trust ? (Draw.narrow() ? [32, 8.1, 8] : [46, 11.5, 9.5]) : [98, 21, 14];
    const [x, y] = this.middle(trust), [cx, cy] = [x + ring * Math.sin(angle), y - ring * Math.cos(angle)];
    const rim = k === this.post ? { stroke: Draw.INK, "stroke-width": 4 } : { stroke: Draw.GREY, "stroke-width": 1 };
    const dot = el("svg:circle", { cx, cy, r: radius, fill: "#fff", ...rim });
    return { dot, number: Draw.text(cx, cy + 4, "", { "text-anchor": "middle", "font-size": size }) };
  }

  trustNames() {
    const name = (x, y, content, size) =>
      Draw.text(x, y, content, { "text-anchor": "middle", "font-size": size, fill: Draw.GREY });
    const here = name(...this.middle(0), "this trust", 15);
    if (Draw.narrow()) return [here, name(180, 255, "elsewhere", 15)];
    return [here, ...[1, 2, 3, 4].map((trust) => name(...this.middle(trust), "elsewhere", 11))];
  }

  /** The fear of a post, in points of 100, beyond what it would be had the slip never come to light. */
  added(answer, month, post) {
    const fear = (name) => this.nations[this.names.indexOf(name)].of("fear", month, post);
    return 100 * (fear(answer) - fear("let_go"));
  }

  /** The picture of a month, which counts from 0; before the slip all is alike. */
  show(answer, month) {
    const since = month + 1 - this.month;
    this.people.forEach(({ dot, number }, k) => {
      const points = since < 0 ? 0 : this.added(answer, month, k), size = Math.abs(points).toFixed(0);
      const shade = points > 0.3 ? Draw.shade(Math.sqrt(points / 36)) : points < -0.3 ? "#d6e9f5" : "#fff";
      dot.setAttribute("fill", shade);
      number.setAttribute("fill", points > 12 ? "#fff" : Draw.INK);
      number.textContent = size !== "0" ? `${points > 0 ? "+" : "−"}${size}` : k === this.post ? "!" : "";
    });
    const later = `${since} month${since === 1 ? "" : "s"} later`;
    this.clock.textContent = since < 0 ? "The month before" : since === 0 ? "The month of the slip" : later;
  }

  /** What an answer did, in words. */
  told(answer) {
    if (answer === "let_go") {
      return "Nobody looks, so the slip never comes to light. Nobody is more afraid, and nobody learns from it. "
        + "This is what the other two answers are measured against.";
    }
    const all = [...this.people.keys()], here = all.slice(0, this.sizes.managers), HALF_A_YEAR = 6;
    const groups = [[this.post], here.filter((k) => k !== this.post), all.slice(this.sizes.managers)];
    const mean = (group, month) => group.reduce((sum, k) => sum + this.added(answer, month, k), 0) / group.length;
    const rise = (month) => groups.map((group) => mean(group, month));
    const points = (x) => `${Draw.size(x)} point${Draw.size(x) === "1" ? "" : "s"}`;
    const [one, near, far] = rise(this.month - 1), [later, nearLater] = rise(this.month - 1 + HALF_A_YEAR);
    if (answer === "look") {
      return `It is looked into and cleared: the one who slipped is less afraid, by ${points(one)} of 100, `
        + `a colleague by ${points(near)} on average. Being judged fairly reassures.`;
    }
    return `Fear rises by ${points(one)} of 100 in the one who slipped, by ${points(near)} in each of `
      + `${groups[1].length} colleagues who saw it, and by ${points(far)} in each of ${groups[2].length} managers `
      + "who heard of it. "
      + `Six months later ${points(later)} and ${points(nearLater)} are left. And the slip was honest.`;
  }

  /** A year month by month, then the month of the slip with what it did; at once for who wants no motion. */
  play(answer) {
    const slip = this.month - 1, YEAR = 12;
    this.stop();
    this.says.textContent = "";
    let month = matchMedia("(prefers-reduced-motion: reduce)").matches ? slip + YEAR : slip - 1;
    const step = () => {
      this.show(answer, month);
      if (month++ < slip + YEAR) return;
      this.stop();
      this.show(answer, slip);
      this.says.textContent = this.told(answer);
    };
    this.timer = setInterval(step, 320);
    step();
  }

  stop() {
    clearInterval(this.timer);
  }

  /** Play an answer, once the runs are there. */
  answer(answer) {
    if (!answer || answer === this.playing) return;
    this.playing = answer;
    if (this.nations.length === this.names.length) {
      this.play(answer);
      return;
    }
    const found = [];
    this.page.pool.watch({ kind: "slip" }, (watched) => {
      found[watched.number] = new Nation(watched, this.page.data.about, this.sizes);
      if (found.filter(Boolean).length < this.names.length) return;
      this.nations = found;
      this.play(this.playing);
    });
  }

  leave() {
    this.stop();
    this.playing = null;
  }
}

// The steps of the story: each takes the reader's state and shows its part of the page.
"use strict";

const Steps = (() => {
  const find = (step, name) => document.querySelector(`#step-${step} [data-part="${name}"]`);
  const GOALS = [{ outcome: "quality", better: 50 }, { outcome: "fear", better: 50 }, { outcome: "harm", worse: 20 }, { outcome: "time_left", worse: 20 }];
  const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  /** What a step compares: the arms, and what they are called under "under". */
  function compared(page, step = page.state.step) {
    const { data, state } = page, called = (name) => data.regimes.find((one) => one.name === name).label, { off } = state;
    if (step === 5) return { arms: [{ levers: { targets: state.pull }, off: [] }, { levers: { targets: 0 }, off: [] }], names: ["these targets", "no targets"] };
    if (step === 7) return { arms: [{ levers: state.levers, off }, { levers: {}, off }], names: ["your oversight", called("baseline")] };
    const used = step === 6 ? off : [];
    return { arms: [{ levers: data.story.plus, off: used }, { levers: data.story.minus, off: used }], names: [called("heavy"), called("light")] };
  }

  // 1

  function slip(page) {
    const { data } = page, place = find(1, "map"), says = find(1, "says"), clock = find(1, "clock"), { post, month: at, sizes, names } = data.slip;
    const AFTER = 12, people = [], nations = [];
    const narrow = Draw.narrow(), small = narrow ? [32, 8.1] : [46, 11.5];
    const centreOf = (trust) => (trust === 0 ? (narrow ? [180, 125] : [150, 152]) : narrow ? [46 + (trust - 1) * 89, 300] : [375 + ((trust - 1) % 2) * 190, 78 + Math.floor((trust - 1) / 2) * 148]);
    const picture = el("svg:svg", { viewBox: narrow ? "0 0 360 346" : "0 0 640 300", role: "img", "aria-label": "Five trusts of twelve managers" });
    for (let k = 0; k < sizes.organisations * sizes.managers; k++) {
      const trust = Math.floor(k / sizes.managers), seat = k % sizes.managers, centre = centreOf(trust);
      const ring = trust ? small : [98, 21], angle = 2 * Math.PI * seat / sizes.managers, [x, y] = [centre[0] + ring[0] * Math.sin(angle), centre[1] - ring[0] * Math.cos(angle)];
      const dot = el("svg:circle", { cx: x, cy: y, r: ring[1], fill: "#fff", stroke: k === post ? Draw.INK : Draw.GREY, "stroke-width": k === post ? 4 : 1 });
      const number = Draw.text(x, y + 4, "", { "text-anchor": "middle", "font-size": trust ? (narrow ? 8 : 9.5) : 14 });
      people.push({ dot, number });
      picture.append(dot, number);
      if (!seat && !(trust && narrow)) picture.append(Draw.text(centre[0], centre[1] + 4, trust ? "elsewhere" : "this trust", { "text-anchor": "middle", "font-size": trust ? 11 : 15, fill: Draw.GREY }));
    }
    if (narrow) picture.append(Draw.text(180, 255, "elsewhere", { "text-anchor": "middle", "font-size": 15, fill: Draw.GREY }));
    place.replaceChildren(picture);
    let timer = null;

    const added = (answer, month, k) => nations[answer].of("fear", month, k) - nations[names.indexOf("let_go")].of("fear", month, k);
    function show(answer, month) {
      people.forEach(({ dot, number }, k) => {
        const points = month < at - 1 ? 0 : 100 * added(answer, month, k), shown = Math.abs(points) >= 0.95;
        dot.setAttribute("fill", points > 0.3 ? Draw.shade(Math.sqrt(points / 36)) : points < -0.3 ? "#d6e9f5" : "#fff");
        number.textContent = shown ? `${points > 0 ? "+" : "−"}${Math.abs(points).toFixed(0)}` : k === post ? "!" : "";
        number.setAttribute("fill", points > 12 ? "#fff" : Draw.INK);
      });
      const since = month - at + 1;
      clock.textContent = since < 0 ? "The month before" : since === 0 ? "The month of the slip" : `${since} month${since === 1 ? "" : "s"} later`;
    }
    function told(answer) {
      const groups = [[post], [...Array(sizes.managers).keys()].filter((k) => k !== post), [...Array(people.length).keys()].slice(sizes.managers)];
      const rise = (month) => groups.map((group) => 100 * group.reduce((sum, k) => sum + added(answer, month, k), 0) / group.length);
      const [one, near, far] = rise(at - 1), [later, nearLater] = rise(at + 5), points = (x) => `${x.toFixed(Math.abs(x) < 9.5 ? 1 : 0).replace("-", "−")} points`;
      if (names[answer] === "let_go") return "Nobody looks, so the slip never comes to light. Nobody is more afraid, and nobody learns from it. This is what the other two answers are measured against.";
      if (names[answer] === "look") return `It is looked into and cleared: the one who slipped is less afraid, by ${points(-one)} of 100; a colleague by ${points(-near)} on average. Being judged fairly reassures, a little and not for long.`;
      return `Fear rises by ${points(one)} of 100 in the one who slipped, by ${points(near)} in each of 11 colleagues who saw it, and by ${points(far)} in each of 48 managers who heard of it. Six months later ${points(later)} and ${points(nearLater)} are left. And the slip was honest.`;
    }
    function play(answer) {
      clearInterval(timer);
      says.textContent = "";
      const end = () => { clearInterval(timer); says.textContent = told(answer); };
      if (still()) { show(answer, at - 1); return end(); }
      let month = at - 2;
      show(answer, month);
      timer = setInterval(() => { month++; show(answer, month); if (month >= at - 1 + AFTER) { end(); show(answer, at - 1); clock.textContent = "The month of the slip, once more"; } }, 320);
      return undefined;
    }
    document.querySelectorAll("#step-1 [data-slip]").forEach((button) => button.addEventListener("click", () => page.change({ slip: button.dataset.slip })));
    let last = null;
    return {
      enter() {
        const { slip: answer } = page.state;
        document.querySelectorAll("#step-1 [data-slip]").forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.slip === answer)));
        if (answer === last) return;
        const go = () => { last = answer; if (answer) play(names.indexOf(answer)); };
        if (nations.filter(Boolean).length === names.length) return void go();
        page.pool.watch({ kind: "slip" }, (watched) => {
          nations[watched.number] = new Nation(watched, data.about, sizes);
          if (nations.filter(Boolean).length === names.length) go();
        });
      },
      leave() { clearInterval(timer); last = null; },
    };
  }

  // 2

  function bet(page) {
    const place = find(2, "bets"), words = ["falls", "hardly changes", "rises"], arrows = {};
    place.replaceChildren(...page.data.story.bet.map((name) => {
      const outcome = page.outcome(name), arrow = el("svg:svg", { viewBox: "0 0 60 60", class: "arrow", "aria-hidden": "true" });
      arrows[name] = arrow;
      const options = [-1, 0, 1].map((one) => el("label", {}, el("input", { type: "radio", name: `bet-${name}`, value: one, change: () => page.change({ bet: { ...page.state.bet, [name]: one } }) }), el("span", {}, words[one + 1])));
      return el("fieldset", { class: "bet-row" }, el("legend", {}, Draw.capital(outcome.label)), arrow, el("div", { class: "options" }, ...options));
    }));
    return {
      enter() {
        for (const name of page.data.story.bet) {
          const one = page.state.bet[name];
          place.querySelectorAll(`[name="bet-${name}"]`).forEach((input) => { input.checked = Number(input.value) === one; });
          const turn = one === undefined ? "" : `rotate(${-45 * one} 30 30)`;
          arrows[name].replaceChildren(one === undefined ? Draw.text(30, 38, "?", { "text-anchor": "middle", "font-size": 26, fill: Draw.GREY })
            : el("svg:path", { d: "M6 26h30v-9l18 13-18 13v-9H6z", fill: Draw.INK, transform: turn }));
        }
        const made = Object.keys(page.state.bet).length, all = page.data.story.bet.length;
        find(2, "says").textContent = made === all ? "Your bet is placed. Go on, and see." : made ? `${all - made} to go.` : "Nothing is shown before you have said what you expect.";
      },
      leave() {},
    };
  }

  // 3

  function one(page) {
    const film = new Film(find(3, "film"), page, { outcomes: page.data.story.bet }), input = find(3, "version");
    input.max = page.data.seeds.length;
    input.addEventListener("change", () => {
      const value = Math.round(Number(input.value));
      if (value >= 1 && value <= page.data.seeds.length) page.change({ version: value });
    });
    film.done = (nations) => {
      page.took = nations.map((nation) => nation.took);
      const said = page.data.story.bet.map((name) => {
        const k = page.data.outcomes.findIndex((each) => each.name === name), outcome = page.data.outcomes[k];
        return `${outcome.label}: ${Draw.effect(outcome, nations[0].means[k] - nations[1].means[k])}`;
      });
      film.says.textContent = `After ten years under ${film.names[0]}, compared with ${film.names[1]}: ${said.join("; ")}. This was one version. Nobody knows which one we live in.`;
    };
    return { enter() { input.value = page.state.version; const { arms, names } = compared(page, 3); film.set(page.state.version, arms, names); }, leave() { film.stop(); } };
  }

  // 4

  function hundred(page) {
    const picture = new Hundred(find(4, "hundred"), page, page.data.outcomes.map(({ name }) => name), { bet: (name) => page.state.bet[name], choose: (version) => page.change({ version, step: 3 }) });
    return { enter() { picture.set(compared(page, 4)); }, leave() { picture.pause(); } };
  }

  // 5

  function figures(page) {
    const slider = find(5, "pull"), place = find(5, "lines"), says = find(5, "says"), shownValue = find(5, "value");
    const lever = page.data.levers.find(({ name }) => name === "targets");
    let before = null, current = null;
    slider.addEventListener("input", () => page.change({ pull: Number(slider.value) }));
    return {
      enter() {
        slider.value = page.state.pull;
        shownValue.textContent = page.state.pull.toFixed(2);
        slider.setAttribute("aria-valuetext", `${page.state.pull.toFixed(2)}, from ${lever.ends[0]} to ${lever.ends[1]}`);
        const found = [], { arms } = compared(page, 5);
        page.pool.watch({ kind: "watch", world: page.state.version - 1, arms }, (watched) => {
          found[watched.number] = watched;
          if (!found[0] || !found[1]) return;
          const lines = ["reported", "quality"].map((name) => {
            const k = page.data.outcomes.findIndex((each) => each.name === name), outcome = page.data.outcomes[k];
            const [a, b] = found.map(({ series }) => smooth(series[k], outcome.factor));
            return { name: outcome.label, values: a.map((value, t) => value - b[t]), dash: name === "quality" ? "none" : "7 4", colour: name === "quality" ? Draw.BETTER : Draw.INK, end: found[0].means[k] - found[1].means[k], outcome };
          });
          if (current && JSON.stringify(current.map(({ end }) => end)) !== JSON.stringify(lines.map(({ end }) => end))) before = current;
          current = lines;
          const ghosts = (before ?? []).map(({ values }) => ({ values, name: "", ghost: true, dash: "2 3" }));
          place.replaceChildren(Draw.paths({ lines: [...ghosts, ...lines], ends: [-20, 20], title: "Compared with no targets at all", unit: "points of 100", height: 300 }));
          says.textContent = `Ten years on, reported results are ${Draw.effect(lines[0].outcome, lines[0].end)}, and the quality of care is ${Draw.effect(lines[1].outcome, lines[1].end)}. Which of the two lines would you see in the board papers?`;
        });
      },
      leave() { before = current = null; },
    };
  }

  // 6

  function cases(page) {
    const { mechanisms } = page.data, boxes = {}, camps = { for: "for", against: "against" };
    const of = (one) => mechanisms.filter((mechanism) => mechanism.case === one).map(({ name }) => name);
    const sets = { all: [], "without-for": of("for"), "without-against": of("against") };
    document.querySelectorAll("#step-6 [data-set]").forEach((button) => button.addEventListener("click", () => page.change({ off: sets[button.dataset.set] })));
    for (const one of Object.values(camps)) {
      find(6, one).replaceChildren(...mechanisms.filter((mechanism) => mechanism.case === one).map(({ name, label, meaning }) => {
        const box = el("input", { type: "checkbox", id: `off-${name}`, change: () => page.change({ off: box.checked ? page.state.off.filter((each) => each !== name) : [...page.state.off, name] }) });
        boxes[name] = box;
        return el("li", {}, el("label", { for: box.id, title: meaning }, box, ` ${label}`));
      }));
    }
    const picture = new Hundred(find(6, "hundred"), page, page.data.story.bet, { choose: (version) => page.change({ version, step: 3 }) });
    const same = (a, b) => a.length === b.length && a.every((name) => b.includes(name));
    return {
      enter() {
        const { off } = page.state;
        for (const [name, box] of Object.entries(boxes)) box.checked = !off.includes(name);
        document.querySelectorAll("#step-6 [data-set]").forEach((button) => button.setAttribute("aria-pressed", String(same(off, sets[button.dataset.set]))));
        picture.set(compared(page, 6));
      },
      leave() { picture.pause(); },
    };
  }

  // 7

  function own(page) {
    const { data } = page, controls = {};
    find(7, "presets").replaceChildren(...data.regimes.map(({ name, label, meaning, levers }) => el("button", { type: "button", title: meaning, "data-preset": name, click: () => page.change({ levers: { ...levers } }) }, Draw.capital(label))));
    for (const lever of data.levers) {
      const { name, label, ends, meaning, low, high } = lever, shown = el("output", {}), id = `lever-${name}`;
      const input = el("input", { type: "range", id, min: low, max: high, step: high > 1 ? 0.01 : 0.05, "aria-describedby": `ends-${name}`, input: () => page.change({ levers: { ...page.state.levers, [name]: Number(input.value) } }) });
      const back = el("button", { type: "button", "aria-label": `${label}: as today`, click: () => { const { [name]: _, ...others } = page.state.levers; page.change({ levers: others }); input.focus(); } }, "as today");
      controls[name] = { input, shown, back, lever };
      find(7, lever.first ? "levers" : "more").append(el("div", { class: "lever" }, el("div", { class: "top" }, el("label", { for: id }, Draw.capital(label)), shown, back), input,
        el("div", { class: "ends", id: `ends-${name}` }, el("span", {}, ends[0]), el("span", {}, ends[1])), el("details", {}, el("summary", { "aria-label": `What ${label} means` }, "what is this?"), el("p", {}, meaning))));
    }
    const film = new Film(find(7, "film"), page, { outcomes: ["fear", "harm"] });
    const watching = find(7, "watch");
    const goals = (picture) => {
      const met = GOALS.map(({ outcome, better, worse }) => {
        const k = data.outcomes.findIndex(({ name }) => name === outcome), { direction, label } = data.outcomes[k], counts = picture.tally.counts(k);
        const [good, bad] = direction > 0 ? [counts.above, counts.below] : [counts.below, counts.above], ok = better ? good >= better : bad <= worse && !counts.open;
        return { ok, label, now: better ? `better in ${good}` : `worse in ${bad}`, aim: better ? `at least ${better}` : `at most ${worse}` };
      });
      find(7, "goals").replaceChildren(...met.map(({ ok, label, now, aim }) => el("li", { class: ok ? "met" : "" }, el("b", {}, `${ok ? "✓ Met" : "○ Not yet"}: ${label}`), `${now}; the goal is ${aim}`)));
    };
    const picture = new Hundred(find(7, "hundred"), page, data.outcomes.map(({ name }) => name), { changed: goals, choose: (version) => { watching.open = true; page.change({ version }); } });
    const watch = () => {
      if (!watching.open) return;
      const { arms, names } = compared(page, 7);
      film.says.textContent = `Version ${page.state.version} of ${data.seeds.length}. Choose another by its square above.`;
      film.set(page.state.version, arms, names);
    };
    watching.addEventListener("toggle", watch);
    return {
      enter() {
        const { levers, off } = page.state;
        for (const [name, { input, shown, back, lever }] of Object.entries(controls)) {
          const set = name in levers;
          input.value = set ? levers[name] : lever.default;
          shown.textContent = set ? String(levers[name]) : lever.differs ? "as today, which differs" : `as today, ${lever.default}`;
          input.setAttribute("aria-valuetext", shown.textContent);
          back.hidden = !set;
        }
        const same = (one) => Object.keys(one).length === Object.keys(levers).length && Object.entries(one).every(([name, value]) => levers[name] === value);
        document.querySelectorAll("#step-7 [data-preset]").forEach((button) => button.setAttribute("aria-pressed", String(same(data.regimes.find(({ name }) => name === button.dataset.preset).levers))));
        find(7, "off").textContent = off.length ? `Without ${off.length} mechanism${off.length === 1 ? "" : "s"}, as chosen in the step before.` : "";
        picture.set(compared(page, 7));
        watch();
      },
      leave() { picture.pause(); film.stop(); },
    };
  }

  return { all: (page) => [slip, bet, one, hundred, figures, cases, own].map((make) => make(page)), compared };
})();

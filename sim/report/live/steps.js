// The steps of the story: each takes the reader's state and shows its part of the page.
"use strict";

const Steps = (() => {
  const find = (step, name) => document.querySelector(`#step-${step} [data-part="${name}"]`);
  const press = (button, on) => button.setAttribute("aria-pressed", String(on));
  const GOALS = [{ outcome: "quality", better: 50 }, { outcome: "fear", better: 50 }, { outcome: "harm", worse: 20 },
    { outcome: "time_left", worse: 20 }];

  /** The preset that sets just what the reader has set; undefined where there is none. */
  function preset({ data, state }) {
    const set = Object.entries(state.levers);
    return data.regimes.find(({ levers }) => Object.keys(levers).length === set.length
      && set.every(([name, value]) => levers[name] === value));
  }

  /** What a step compares: the arms, and what they are called under "under". */
  function compared(page, step = page.state.step) {
    const { data, state } = page, { off } = state;
    const two = (plus, minus, without) => [{ levers: plus, off: without }, { levers: minus, off: without }];
    const called = (...names) => names.map((name) => data.regimes.find((one) => one.name === name).label);
    const pulled = () => two({ targets: state.pull }, { targets: 0 }, []);
    if (step === 5) return { arms: pulled(), names: ["these targets", "no targets"] };
    const own = preset(page)?.label ?? "your oversight";
    if (step === 7) return { arms: two(state.levers, {}, off), names: [own, ...called("baseline")] };
    return { arms: two(data.story.plus, data.story.minus, step === 6 ? off : []), names: called("heavy", "light") };
  }

  // 1

  function slip(page) {
    const buttons = document.querySelectorAll("#step-1 [data-slip]");
    const one = new Slip(page, { place: find(1, "map"), clock: find(1, "clock"), says: find(1, "says") });
    for (const button of buttons) button.addEventListener("click", () => page.change({ slip: button.dataset.slip }));
    return {
      enter() {
        for (const button of buttons) press(button, button.dataset.slip === page.state.slip);
        one.answer(page.state.slip);
      },
      leave() { one.leave(); },
    };
  }

  // 2

  function bet(page) {
    const { bet: names } = page.data.story, WORDS = { [-1]: "falls", 0: "hardly changes", 1: "rises" };
    const arrows = {}, inputs = [];
    const option = (name, value) => {
      const change = () => page.change({ bet: { ...page.state.bet, [name]: value } });
      const input = el("input", { type: "radio", name: `bet-${name}`, value, change });
      inputs.push({ input, name, value });
      return el("label", {}, input, el("span", {}, WORDS[value]));
    };
    const row = (name) => {
      arrows[name] = el("svg:svg", { viewBox: "0 0 60 60", class: "arrow", "aria-hidden": "true" });
      const options = el("div", { class: "options" }, ...[-1, 0, 1].map((value) => option(name, value)));
      const legend = el("legend", {}, Draw.capital(page.outcome(name).label));
      return el("fieldset", { class: "bet-row" }, legend, arrows[name], options);
    };
    const arrow = (value) => {
      const open = { "text-anchor": "middle", "font-size": 26, fill: Draw.GREY };
      if (value === undefined) return Draw.text(30, 38, "?", open);
      const transform = `rotate(${-45 * value} 30 30)`;
      return el("svg:path", { d: "M6 26h30v-9l18 13-18 13v-9H6z", fill: Draw.INK, transform });
    };
    find(2, "bets").replaceChildren(...names.map(row));
    return {
      enter() {
        const { bet: placed } = page.state, open = names.length - Object.keys(placed).length;
        for (const { input, name, value } of inputs) input.checked = placed[name] === value;
        for (const name of names) arrows[name].replaceChildren(arrow(placed[name]));
        const some = open < names.length ? `${open} to go.` : "Nothing is shown before you have said what you expect.";
        find(2, "says").textContent = open ? some : "Your bet is placed. Go on, and see.";
      },
      leave() {},
    };
  }

  // 3

  function one(page) {
    const film = new Film(find(3, "film"), page, page.data.story.bet), input = find(3, "version");
    input.addEventListener("change", () => {
      const value = Math.round(Number(input.value));
      if (value >= 1 && value <= page.data.seeds.length) page.change({ version: value });
    });
    film.done = ([plus, minus]) => {
      const said = page.data.story.bet.map(page.outcome).map((outcome) =>
        `${outcome.label}: ${Draw.effect(outcome, plus.means[outcome.at] - minus.means[outcome.at])}`);
      film.says.textContent = `After ten years under ${film.names[0]}, compared with ${film.names[1]}: `
        + `${said.join("; ")}. This was one version. Nobody knows which one we live in.`;
    };
    return {
      enter() {
        input.value = page.state.version;
        film.set(page.state.version, compared(page, 3));
      },
      leave() { film.stop(); },
    };
  }

  // 4

  function hundred(page) {
    const choose = (version) => page.change({ version, step: 3 }), bets = (name) => page.state.bet[name];
    const picture = new Hundred(find(4, "hundred"), page, page.data.outcomes, { bet: bets, choose });
    return { enter() { picture.set(compared(page, 4)); }, leave() { picture.pause(); } };
  }

  // 5

  function figures(page) {
    const slider = find(5, "pull"), place = find(5, "lines"), says = find(5, "says"), told = find(5, "value");
    const { ends } = page.data.levers.find(({ name }) => name === "targets");
    const looks = { reported: { dash: "7 4", colour: Draw.INK }, quality: { dash: "none", colour: Draw.BETTER } };
    let before = [], current = null;
    slider.addEventListener("input", () => page.change({ pull: Number(slider.value) }));

    function draw([plus, minus]) {
      const outcomes = Object.keys(looks).map(page.outcome);
      const moved = outcomes.map(({ at }) => plus.means[at] - minus.means[at]);
      const lines = outcomes.map(({ name, label, at, factor }) => {
        const without = smooth(minus.series[at], factor);
        const values = smooth(plus.series[at], factor).map((value, t) => value - without[t]);
        return { name: label, values, ...looks[name] };
      });
      const key = JSON.stringify(moved);
      if (current && current.key !== key) before = current.lines;
      current = { key, lines };
      const ghosts = before.map(({ values }) => ({ values, name: "", ghost: true, dash: "2 3" }));
      place.replaceChildren(Draw.paths({ lines: [...ghosts, ...lines], ends: [-20, 20], height: 300,
        title: "Compared with no targets at all", unit: Draw.unit(outcomes[0], "2") }));
      const [reports, care] = outcomes.map((outcome, k) => `${outcome.label}: ${Draw.effect(outcome, moved[k])}`);
      says.textContent = `Ten years on, ${reports}; ${care}. Which of the two lines would you see in the board papers?`;
    }

    return {
      enter() {
        const { pull, version } = page.state, found = [];
        slider.value = pull;
        told.textContent = pull.toFixed(2);
        slider.setAttribute("aria-valuetext", `${pull.toFixed(2)}, from ${ends[0]} to ${ends[1]}`);
        page.pool.watch({ kind: "watch", world: version - 1, arms: compared(page, 5).arms }, (watched) => {
          found[watched.number] = watched;
          if (found[0] && found[1]) draw(found);
        });
      },
      leave() { [before, current] = [[], null]; },
    };
  }

  // 6

  function cases(page) {
    const { mechanisms } = page.data, boxes = {}, buttons = document.querySelectorAll("#step-6 [data-set]");
    const of = (camp) => mechanisms.filter((mechanism) => mechanism.case === camp);
    const names = (camp) => of(camp).map(({ name }) => name);
    const sets = { all: [], "without-for": names("for"), "without-against": names("against") };
    for (const button of buttons) {
      button.addEventListener("click", () => page.change({ off: sets[button.dataset.set] }));
    }
    const item = ({ name, label, meaning }) => {
      const change = () => {
        const others = page.state.off.filter((each) => each !== name);
        page.change({ off: boxes[name].checked ? others : [...others, name] });
      };
      boxes[name] = el("input", { type: "checkbox", id: `off-${name}`, change });
      return el("li", {}, el("label", { for: `off-${name}`, title: meaning }, boxes[name], ` ${label}`));
    };
    for (const camp of ["for", "against"]) find(6, camp).replaceChildren(...of(camp).map(item));
    const choose = (version) => page.change({ version, step: 3 });
    const picture = new Hundred(find(6, "hundred"), page, page.data.story.bet.map(page.outcome), { choose });
    const same = (a, b) => a.length === b.length && a.every((name) => b.includes(name));
    return {
      enter() {
        const { off } = page.state;
        for (const [name, box] of Object.entries(boxes)) box.checked = !off.includes(name);
        for (const button of buttons) press(button, same(off, sets[button.dataset.set]));
        picture.set(compared(page, 6));
      },
      leave() { picture.pause(); },
    };
  }

  // 7

  /** A lever's control; `show` takes its value, undefined where it is as today. */
  function control(page, lever) {
    const { name, label, ends, meaning, low, high } = lever, id = `lever-${name}`, step = high > 1 ? 0.01 : 0.05;
    const set = (value) => {
      const { [name]: _, ...others } = page.state.levers;
      page.change({ levers: value === undefined ? others : { ...others, [name]: value } });
    };
    const input = el("input", { type: "range", id, min: low, max: high, step, "aria-describedby": `ends-${name}`,
      input: () => set(Number(input.value)) });
    const back = el("button", { type: "button", "aria-label": `${label}: as today`,
      click: () => { set(undefined); input.focus(); } }, "as today");
    const shown = el("output", { for: id });
    const whole = el("div", { class: "lever" },
      el("div", { class: "top" }, el("label", { for: id }, Draw.capital(label)), shown, back), input,
      el("div", { class: "ends", id: `ends-${name}` }, ...ends.map((end) => el("span", {}, end))),
      el("details", {}, el("summary", { "aria-label": `What ${label} means` }, "what is this?"), el("p", {}, meaning)));
    const show = (value) => {
      const today = lever.differs ? "as today, which differs" : `as today, ${lever.default}`;
      input.value = value ?? lever.default;
      shown.textContent = value === undefined ? today : String(value);
      input.setAttribute("aria-valuetext", shown.textContent);
      back.hidden = value === undefined;
    };
    return { whole, show };
  }

  /** A goal, and whether it is met by the versions of a `tally`; without one it is only told. */
  function goal(page, { outcome: name, better, worse }, tally) {
    const { at, direction, label } = page.outcome(name);
    if (!tally) {
      const aim = better ? `better in at least ${better}` : `worse in at most ${worse}`;
      return el("li", {}, el("b", {}, `○ Goal: ${label}`), aim);
    }
    const counts = tally.counts(at);
    const [good, bad] = direction > 0 ? [counts.above, counts.below] : [counts.below, counts.above];
    const met = better ? good >= better : bad <= worse && !counts.open;
    const [now, aim] = better ? [`better in ${good}`, `at least ${better}`] : [`worse in ${bad}`, `at most ${worse}`];
    const title = el("b", {}, `${met ? "✓ Met" : "○ Not yet"}: ${label}`);
    return el("li", { class: met ? "met" : "" }, title, `${now}; the goal is ${aim}`);
  }

  function own(page) {
    const { data } = page;
    const controls = Object.fromEntries(data.levers.map((lever) => [lever.name, control(page, lever)]));
    const presets = data.regimes.map(({ name, label, meaning, levers }) => {
      const click = () => page.change({ levers: { ...levers } });
      const told = { type: "button", title: meaning, "data-preset": name, click };
      return { name, button: el("button", told, Draw.capital(label)) };
    });
    find(7, "presets").replaceChildren(...presets.map(({ button }) => button));
    for (const { name, first } of data.levers) find(7, first ? "levers" : "more").append(controls[name].whole);
    const film = new Film(find(7, "film"), page, ["fear", "harm"]), watching = find(7, "watch");
    const judge = (tally) => find(7, "goals").replaceChildren(...GOALS.map((one) => goal(page, one, tally)));
    const picture = new Hundred(find(7, "hundred"), page, data.outcomes, {
      changed: ({ tally }) => judge(tally),
      choose: (version) => { watching.open = true; page.change({ version }); },
    });
    const watch = () => {
      if (!watching.open) return;
      const { version } = page.state;
      film.says.textContent = `Version ${version} of ${data.seeds.length}. Choose another by its square above.`;
      film.set(version, compared(page, 7));
    };
    watching.addEventListener("toggle", watch);
    return {
      enter() {
        const { levers, off } = page.state, set = data.levers.filter(({ name }) => name in levers);
        for (const { name } of data.levers) controls[name].show(levers[name]);
        for (const { name, button } of presets) press(button, preset(page)?.name === name);
        const many = `${off.length} mechanism${off.length === 1 ? "" : "s"}`;
        find(7, "off").textContent = off.length ? `Without ${many}, as chosen in the step before.` : "";
        const today = !set.length; // nothing differs, so there is nothing to run and nothing to see
        find(7, "start").hidden = !today;
        const told = set.map(({ name, label }) => `${label} ${levers[name]}`);
        find(7, "differs").textContent = today ? "" : `Set here: ${told.join(", ")}. All else is as today.`;
        find(7, "hundred").hidden = watching.hidden = today;
        if (today) {
          picture.pause();
          film.stop();
          judge();
        } else {
          picture.set(compared(page, 7));
          watch();
        }
      },
      leave() { picture.pause(); film.stop(); },
    };
  }

  return { all: (page) => [slip, bet, one, hundred, figures, cases, own].map((make) => make(page)), compared };
})();

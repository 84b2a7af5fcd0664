// What a reader has chosen, as the page's address: the address is the experiment. And the same as a study file.
"use strict";

const State = (() => {
  const STEPS = 7;
  const start = () => ({ step: 1, slip: "", bet: {}, version: 1, pull: 0.2, levers: {}, off: [] });

  /** A number as it was written, if it is one from low to high. */
  function number(text, low, high) {
    const value = /^-?\d{1,9}(\.\d{1,17})?$/.test(text) ? Number(text) : NaN;
    return value >= low && value <= high ? value : null;
  }

  /** The state that an address holds, and what is wrong with it, a sentence each. `hash` comes without its #. */
  function read(hash, data) {
    const state = start(), wrong = [];
    const levers = Object.fromEntries(data.levers.map((lever) => [lever.name, lever]));
    const bets = { falls: -1, stays: 0, rises: 1 };
    for (const [key, text] of new URLSearchParams(hash.slice(0, 4000))) {
      const shown = `${key}=${text}`.slice(0, 60), whole = (high) => {
        const value = number(text, 1, high);
        return Number.isInteger(value) ? value : null;
      };
      let value = null;
      if (key === "step") value = state.step = whole(STEPS) ?? wrongly(shown, `a step from 1 to ${STEPS}`, wrong, state.step);
      else if (key === "version") value = state.version = whole(data.seeds.length) ?? wrongly(shown, `a version from 1 to ${data.seeds.length}`, wrong, state.version);
      else if (key === "pull") value = state.pull = number(text, 0, 1) ?? wrongly(shown, "a number from 0 to 1", wrong, state.pull);
      else if (key === "slip") state.slip = data.slip.names.includes(text) ? text : wrongly(shown, data.slip.names.join(", "), wrong, "");
      else if (key === "off") {
        for (const name of text.split(" ").filter(Boolean)) {
          if (data.mechanisms.some((one) => one.name === name)) state.off.push(name);
          else wrongly(`off=${name.slice(0, 40)}`, "a mechanism of the model", wrong);
        }
        state.off = [...new Set(state.off)];
      } else if (key.startsWith("bet-") && data.story.bet.includes(key.slice(4)) && text in bets) state.bet[key.slice(4)] = bets[text];
      else if (Object.hasOwn(levers, key)) {
        const { low, high } = levers[key];
        value = number(text, low, high);
        if (value === null) wrongly(shown, `a number from ${low} to ${high}`, wrong);
        else state.levers[key] = value;
      } else wrongly(shown, "something that this page knows", wrong);
    }
    return { state, wrong };
  }

  function wrongly(shown, allowed, wrong, instead) {
    wrong.push(`“${shown}” is not ${allowed}`);
    return instead;
  }

  /** The address of a state, without #: what differs from the start, in a fixed order. */
  function write(state, data) {
    const names = ["falls", "stays", "rises"], parts = [["step", state.step]];
    if (state.slip) parts.push(["slip", state.slip]);
    for (const name of data.story.bet) if (name in state.bet) parts.push([`bet-${name}`, names[state.bet[name] + 1]]);
    if (state.version !== 1) parts.push(["version", state.version]);
    if (state.pull !== start().pull) parts.push(["pull", state.pull]);
    for (const { name } of data.levers) if (name in state.levers) parts.push([name, state.levers[name]]);
    if (state.off.length) parts.push(["off", state.off.join(" ")]);
    return new URLSearchParams(parts).toString();
  }

  /** Two arms in one version as a study that sim run takes. Numbers keep all their digits, so that the bits are equal. */
  function study(data, version, arms, sizes, title) {
    const world = version - 1, n = data.about.values.length, m = data.about.levers.length, off = new Set(arms[0].off);
    data.mechanisms.forEach(({ name }, k) => { if (data.off[world * data.mechanisms.length + k]) off.add(name); });
    const held = new Set([...off].flatMap((name) => Object.keys(data.nulls[name])));
    const own = (names, values) => names.map((name, k) => [name, values[k]])
      .filter(([name, value]) => value !== data.defaults[name] && !held.has(name));
    const levers = Object.fromEntries(own(data.about.levers, data.leverValues.subarray(world * m, (world + 1) * m)));
    const values = own(data.about.values, data.values.subarray(world * n, (world + 1) * n));
    const set = new Set(arms.flatMap((arm) => Object.keys(arm.levers)));
    const fixed = [...values, ...Object.entries(levers).filter(([name]) => !set.has(name))];
    const cell = (name, arm) => [`\n[[design.cell]]`, `name = "${name}"`,
      ...[...set].map((lever) => `${lever} = ${toml(arm.levers[lever] ?? levers[lever] ?? data.defaults[lever])}`)];
    return [
      `# Version ${version} of ${data.seeds.length} of the live page, ${title}.`,
      `# sim run FILE gives the numbers that the page shows for it, to the bit, with model ${data.identity}.`, "",
      `title = "Version ${version} of the NHS: ${title}"`, 'regime = "baseline"', "seeds = 1", `seed = ${data.seeds[world]}`,
      `mechanisms_off = [${[...off].map((name) => `"${name}"`).join(", ")}]`, "", "[parameters]",
      ...Object.entries(sizes).filter(([name]) => name !== "window").map(([name, value]) => `${name} = ${value}`),
      ...fixed.map(([name, value]) => `${name} = ${toml(value)}`), "", "[design]", 'kind = "list"',
      ...cell("compared with", arms[1]), ...cell("this oversight", arms[0]), "", "[outcomes]",
      `keep = [${data.outcomes.map(({ name }) => `"${name}"`).join(", ")}]`, `window = ${sizes.window}`, "",
    ].join("\n");
  }

  const toml = (value) => (Number.isInteger(value) ? `${value}.0` : String(value));

  return { start, read, write, study, STEPS };
})();

// What a reader has chosen, as the page's address: the address is the experiment. And the same as a study file.
"use strict";

const State = (() => {
  const STEPS = 7, BETS = ["falls", "stays", "rises"];
  const start = () => ({ step: 1, slip: "", bet: {}, version: 1, pull: 0.2, levers: {}, off: [] });

  /** A number as it was written, if it is one from low to high; else undefined. */
  function number(text, low, high) {
    const value = /^-?\d{1,9}(\.\d{1,17})?$/.test(text) ? Number(text) : NaN;
    return value >= low && value <= high ? value : undefined;
  }

  function whole(text, high) {
    const value = number(text, 1, high);
    return Number.isInteger(value) ? value : undefined;
  }

  /** For every key of an address: what it takes from a text, undefined where it cannot, and what is allowed. */
  function keys(data) {
    const versions = data.seeds.length, mechanisms = data.mechanisms.map(({ name }) => name);
    const known = new Map([
      ["step", [(text) => ({ step: whole(text, STEPS) }), `a step from 1 to ${STEPS}`]],
      ["slip", [(text) => ({ slip: data.slip.names.find((name) => name === text) }), data.slip.names.join(", ")]],
      ["version", [(text) => ({ version: whole(text, versions) }), `a version from 1 to ${versions}`]],
      ["pull", [(text) => ({ pull: number(text, 0, 1) }), "a number from 0 to 1"]],
      ["off", [(text) => ({ off: some(text.split(" "), mechanisms) }), "a list of mechanisms of the model"]],
    ]);
    for (const name of data.story.bet) {
      const bet = (text) => (BETS.includes(text) ? BETS.indexOf(text) - 1 : undefined);
      const read = (text, state) => ({ bet: within(state.bet, name, bet(text)) });
      known.set(`bet-${name}`, [read, BETS.join(", ")]);
    }
    for (const { name, low, high } of data.levers) {
      const read = (text, state) => ({ levers: within(state.levers, name, number(text, low, high)) });
      known.set(name, [read, `a number from ${low} to ${high}`]);
    }
    return known;
  }

  const within = (table, name, value) => (value === undefined ? undefined : { ...table, [name]: value });
  const some = (given, known) => (given.every((name) => known.includes(name)) ? [...new Set(given)] : undefined);

  /** The state that an address holds, and what is wrong with it, a sentence each. `hash` comes without its #. */
  function read(hash, data) {
    const known = keys(data), wrong = [], LONGEST = 4000;
    let state = start();
    for (const [key, text] of new URLSearchParams(hash.slice(0, LONGEST))) {
      const [take, allowed] = known.get(key) ?? [() => ({ key: undefined }), "something that this page knows"];
      const taken = take(text, state);
      if (Object.values(taken)[0] === undefined) wrong.push(`“${`${key}=${text}`.slice(0, 60)}” is not ${allowed}`);
      else state = { ...state, ...taken };
    }
    return { state, wrong };
  }

  /** The address of a state, without #: what differs from the start, in a fixed order. */
  function write(state, data) {
    const parts = [["step", state.step]];
    if (state.slip) parts.push(["slip", state.slip]);
    for (const name of data.story.bet) if (name in state.bet) parts.push([`bet-${name}`, BETS[state.bet[name] + 1]]);
    if (state.version !== 1) parts.push(["version", state.version]);
    if (state.pull !== start().pull) parts.push(["pull", state.pull]);
    for (const { name } of data.levers) if (name in state.levers) parts.push([name, state.levers[name]]);
    if (state.off.length) parts.push(["off", state.off.join(" ")]);
    return new URLSearchParams(parts).toString();
  }

  /** Two arms in one version as a study that sim run takes; numbers keep all their digits, so the bits are equal. */
  function study(data, version, [plus, minus], sizes, title) {
    const { about, defaults, mechanisms, nulls } = data, world = version - 1;
    const row = (table, width) => Array.from(table.subarray(world * width, (world + 1) * width));
    const there = row(data.off, mechanisms.length);
    const off = mechanisms.map(({ name }) => name).filter((name, k) => there[k] || plus.off.includes(name));
    const held = new Set(off.flatMap((name) => Object.keys(nulls[name])));
    const named = (names, values) => names.map((name, k) => [name, values[k]]);
    const values = named(about.values, row(data.values, about.values.length)).filter(([name]) => !held.has(name));
    const levers = named(about.levers, row(data.leverValues, about.levers.length));
    const own = Object.fromEntries(levers), set = [...new Set([plus, minus].flatMap((arm) => Object.keys(arm.levers)))];
    const fixed = [...values, ...levers.filter(([name]) => !set.includes(name))];
    const line = ([name, value]) => `${name} = ${Number.isInteger(value) ? `${value}.0` : value}`;
    const cell = (name, arm) => ["", "[[design.cell]]", `name = "${name}"`,
      ...set.map((lever) => line([lever, arm.levers[lever] ?? own[lever]]))];
    const quoted = (names) => `[${names.map((name) => `"${name}"`).join(", ")}]`, { window, ...lengths } = sizes;
    return [
      `# Version ${version} of ${data.seeds.length} of the live page, ${title}.`,
      `# sim run FILE gives the numbers that the page shows for it, to the bit, with model ${data.identity}.`, "",
      `title = "Version ${version} of the NHS: ${title}"`, 'regime = "baseline"', "seeds = 1",
      `seed = ${data.seeds[world]}`, `mechanisms_off = ${quoted(off)}`, "", "[parameters]",
      ...Object.entries(lengths).map(([name, value]) => `${name} = ${value}`),
      ...fixed.filter(([name, value]) => value !== defaults[name]).map(line), "", "[design]", 'kind = "list"',
      ...cell("compared with", minus), ...cell("this oversight", plus), "", "[outcomes]",
      `keep = ${quoted(data.outcomes.map(({ name }) => name))}`, `window = ${window}`, "",
    ].join("\n");
  }

  return { start, read, write, study, STEPS };
})();

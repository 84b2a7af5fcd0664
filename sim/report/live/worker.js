// The page's worker: it runs versions of the NHS one after the other and posts what came of each. Between two of them
// it listens, so that a newer task of its kind takes the place of the one under way. It needs engine.js before it.
"use strict";

const Runs = (() => {
  const WINDOW = "window";

  /** numpy's mean of up to 128 numbers: eight partial sums, so that the bits are those of sim.worlds.evaluate.means. */
  function mean(values) {
    const n = values.length;
    let sum = 0;
    if (n < 8) {
      for (const value of values) sum += value;
      return sum / n;
    }
    const r = Array.from(values.subarray(0, 8));
    let i = 8;
    for (; i < n - (n % 8); i += 8) for (let j = 0; j < 8; j++) r[j] += values[i + j];
    sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    for (; i < n; i++) sum += values[i];
    return sum / n;
  }

  /** What the engine is asked for: a world's numbers, what is switched off at its null, and the arm's levers set. */
  function asked(model, world, { levers, off = [] }, sizes, pair = 0) {
    const { values: names, levers: leverNames } = model.about;
    const values = model.values.slice(world * names.length, (world + 1) * names.length);
    const switched = model.mechanisms.filter((name, k) => model.off[world * model.mechanisms.length + k]
      || off.includes(name));
    for (const name of switched) {
      for (const [parameter, none] of Object.entries(model.nulls[name])) values[names.indexOf(parameter)] = none;
    }
    const month = model.levers.slice(world * leverNames.length, (world + 1) * leverNames.length);
    for (const [name, value] of Object.entries(levers)) month[leverNames.indexOf(name)] = value;
    return { seed: BigInt(model.seeds[world]) + BigInt(pair), sizes, values, levers: everyMonth(month, sizes.months) };
  }

  function everyMonth(month, months) {
    const table = new Float64Array(months * month.length);
    for (let t = 0; t < months; t++) table.set(month, t * month.length);
    return table;
  }

  /** National outcomes month by month, an array for each name. */
  function series(about, sums, posts, names) {
    const fields = about.lengths.fields, months = sums.length / fields;
    return names.map((name) => {
      const k = about.fields.indexOf(name), values = new Float64Array(months);
      for (let t = 0; t < months; t++) values[t] = sums[t * fields + k] / posts;
      return values;
    });
  }

  /** Means over the window at the end of a run, as sim.worlds.evaluate has them. */
  function means(about, sums, sizes, names) {
    const posts = sizes.systems * sizes.organisations * sizes.managers;
    const last = sums.subarray((sizes.months - sizes[WINDOW]) * about.lengths.fields);
    return Float64Array.from(series(about, last, posts, names), mean);
  }

  return { asked, everyMonth, series, means };
})();

const Work = (() => {
  const channel = new MessageChannel(), cached = new Map(), KEPT = 20000;
  const newest = {}; // the latest job of each kind
  let engine, model, loaded;

  const turns = []; // several tasks may be waiting
  channel.port1.onmessage = () => turns.shift()();
  const others = () => new Promise((go) => { turns.push(go); channel.port2.postMessage(0); });

  const tasks = {
    async load(task) {
      model = task.model;
      engine = await LiveEngine.load(task.wasm, model.about, model.identity);
    },

    /** One pair of runs in each of some worlds. */
    async pairs({ job, pair, worlds, arms }) {
      for (const world of worlds) {
        await others();
        if (newest.pairs !== job) return;
        postMessage({ kind: "pair", job, world, means: arms.map((arm) => once(world, arm, pair)) });
      }
      postMessage({ kind: "round", job });
    },

    /** One world under each arm, with every post in every month. */
    async watch({ job, world, arms }) {
      for (const [number, arm] of arms.entries()) {
        await others();
        if (newest.watch !== job) return;
        tell("watched", job, number, Runs.asked(model, world, arm, model.sizes.version));
      }
    },

    /** One slip, and three ways to answer it. */
    async slip({ job }) {
      const { seed, levers, values, arms, members, sizes } = model.slip;
      for (const [number, policy] of arms.entries()) {
        const given = { seed, sizes, values, levers: Runs.everyMonth(levers, sizes.months), policy, members };
        tell("watched", job, number, given);
      }
    },
  };

  function once(world, arm, pair) {
    const key = JSON.stringify([world, pair, arm]);
    if (!cached.has(key)) {
      const sizes = model.sizes.pairs, run = engine.run(Runs.asked(model, world, arm, sizes, pair));
      if (cached.size >= KEPT) cached.clear();
      cached.set(key, Runs.means(model.about, run.sums, sizes, model.outcomes));
    }
    return cached.get(key);
  }

  function tell(kind, job, number, asked) {
    const { sizes } = asked, posts = sizes.systems * sizes.organisations * sizes.managers;
    const columns = model.about.columns.length, rows = new Float64Array(sizes.months * posts * columns),
      began = performance.now();
    const { sums } = engine.run({ ...asked, watch: (month, found) => rows.set(found, month * posts * columns) });
    const took = performance.now() - began, series = Runs.series(model.about, sums, posts, model.outcomes);
    const means = Runs.means(model.about, sums, sizes, model.outcomes);
    postMessage({ kind, job, number, rows, sums, series, means, took }, [rows.buffer, sums.buffer]);
  }

  async function take(task) {
    newest[task.kind] = task.job;
    try {
      if (task.kind === "load") loaded = tasks.load(task);
      await loaded;
      if (task.kind !== "load") await tasks[task.kind](task);
    } catch (error) {
      postMessage({ kind: "failed", message: error.message });
    }
  }

  return { take };
})();

onmessage = ({ data }) => Work.take(data);

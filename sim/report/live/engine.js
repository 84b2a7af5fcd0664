// The engine in a page or in node: lays a run's arrays into WebAssembly's memory and calls the compiled months.
// It knows nothing of the model: names and lengths stand in engine.json. A run has the bits of `sim.simulate`.
"use strict";

const LiveEngine = (() => {
  const PAGE = 65536, WORD = 8;

  async function sha256(bytes) {
    if (!globalThis.crypto?.subtle) {
      throw new Error("the engine cannot be checked here: open the page over https or as a file");
    }
    const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    return Array.from(sum, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  /** The engine, from the bytes of engine.wasm and what engine.json says; `identity` is that of the page's model. */
  async function load(bytes, about, identity = about.identity) {
    if ((await sha256(bytes)) !== about.sha256) {
      throw new Error("the engine is damaged: its bytes are not those that were built");
    }
    const module = await WebAssembly.compile(bytes);
    const [mark] = WebAssembly.Module.customSections(module, "identity").map((part) => new TextDecoder().decode(part));
    if (mark !== about.identity || mark !== identity) {
      throw new Error(`the engine is of another model (${mark}) than the page (${identity}): build both again`);
    }
    const { exports } = await WebAssembly.instantiate(module, {});
    return { about, run: (asked) => run(exports, about, asked) };
  }

  /** Months 1 ... of one run. `sizes` has systems, organisations, managers, months, window; `values` is a number for
   * each name of about.values, `levers` one for each month and name of about.levers, month by month; `seed` may be a
   * BigInt. `policy` and `members` are what sim.model.local.encoded makes of local rules. Where `watch` is given, it is
   * called after each month with the month, from 0, and that month's posts by about.columns; `totals` are then those of
   * the last month. */
  function run(exports, about, { seed, sizes, values, levers, policy = [], members = [], watch = null }) {
    const n = about.lengths, { systems, organisations, managers, months } = sizes;
    const perSystem = organisations * managers, posts = systems * perSystem, blocks = Math.ceil(perSystem / n.lanes);
    let room = posts + perSystem + 2;
    const lengths = {
      sizes: about.sizes.length, values: about.values.length, levers: months * about.levers.length,
      policy: policy.length, members: members.length,
      work: blocks * n.block, sums: n.recorded, drawn: n.lanes * n.abreast, home: systems * blocks * n.home_block,
      places: systems * organisations * n.place, nation: n.nation + systems, streams: 4 * n.abreast,
      market: room * n.candidate, given: 0, by_month: months * n.fields, totals: systems * blocks * n.kept_block,
      last: posts * 2, by_organisation: 0, fear: 0,
    };
    if (values.length !== lengths.values || levers.length !== lengths.levers) {
      throw new Error(`a run of ${months} months needs ${lengths.values} values and ${lengths.levers} levers`);
    }
    const base = (exports.__heap_base.value + 63) & -64, at = {};
    let top = base + 64; // the result stands at the base
    for (const name of [...about.arrays.filter((each) => each !== "market"), "market"]) { // which can grow at the end
      if (!(name in lengths)) throw new Error(`the engine asks for ${name}, which this page does not know`);
      at[name] = top;
      top += (lengths[name] * WORD + 63) & -64;
    }
    reserve(exports.memory, top);
    new Uint8Array(exports.memory.buffer, base, at.market - base).fill(0);
    const floats = (name) => new Float64Array(exports.memory.buffer, at[name], lengths[name]);
    floats("values").set(values);
    floats("levers").set(levers);
    floats("policy").set(policy);
    floats("members").set(members);
    const numbers = { everywhere: 0, sanction_month: -1, sanction_post: -1, ...sizes };
    for (let reached = 0; reached < months; ) {
      const until = watch ? reached + 1 : months; // a run that ends here goes on there: its memory lasts
      if (watch) {
        Object.assign(numbers, { months: until, window: 1 });
        floats("totals").fill(0);
      }
      const given = new BigInt64Array(exports.memory.buffer, at.sizes, lengths.sizes);
      about.sizes.forEach((name, k) => { given[k] = BigInt(name === "room" ? room : numbers[name]); });
      const passed = about.arrays.flatMap((name) => [at[name], lengths[name]]);
      if (exports.advance(base, base + WORD, reached, BigInt.asIntN(64, BigInt(seed)), ...passed)) {
        throw new Error("the engine stopped");
      }
      reached = Number(new BigInt64Array(exports.memory.buffer, base, 1)[0]);
      if (reached === until) {
        watch?.(reached - 1, byPost(floats("totals"), n, systems, blocks, perSystem));
      } else {
        room += Math.max(room >> 1, posts);
        lengths.market = room * n.candidate;
        reserve(exports.memory, at.market + lengths.market * WORD);
      }
    }
    return { sums: floats("by_month").slice(), totals: byPost(floats("totals"), n, systems, blocks, perSystem),
      last: floats("last").slice() };
  }

  /** Blocks hold a column's posts beside each other; a table has a row for each post. */
  function byPost(kept, n, systems, blocks, perSystem) {
    const rows = new Float64Array(systems * perSystem * n.columns);
    for (let s = 0, to = 0; s < systems; s++) {
      for (let post = 0; post < perSystem; post++) {
        const first = (s * blocks + Math.floor(post / n.lanes)) * n.kept_block + (post % n.lanes);
        for (let column = 0; column < n.columns; column++) rows[to++] = kept[first + column * n.lanes];
      }
    }
    return rows;
  }

  function reserve(memory, bytes) {
    const missing = Math.ceil((bytes - memory.buffer.byteLength) / PAGE);
    if (missing > 0) {
      try {
        memory.grow(missing);
      } catch {
        throw new Error("the run is too large for this browser's memory");
      }
    }
  }

  return { load };
})();

if (typeof module !== "undefined") module.exports = LiveEngine;

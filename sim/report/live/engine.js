// The compiled engine in a browser (or in node): load(bytes, facts) -> {facts, run}.
//
// `bytes` are those of engine.wasm, `facts` what engine.json says. run({seed, sizes, values, levers}) computes one
// run and returns its results by name, as arrays of their own. `sizes` and `values` are objects by name (facts.sizes,
// facts.values); `levers` is an object by name of numbers, or of one number for each month.

export async function load(bytes, facts) {
  const module = await checked(bytes, facts);
  const { exports } = await WebAssembly.instantiate(module);
  return { facts, run: (asked) => run(exports, facts, asked) };
}

async function checked(bytes, facts) {
  const broken = (why) => new Error(`This page is broken: ${why}. Get it again, or build it again.`);
  const subtle = globalThis.crypto?.subtle; // absent from a page that came over plain http
  if (subtle) {
    const digest = new Uint8Array(await subtle.digest("SHA-256", bytes));
    const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
    if (found !== facts.sha256) throw broken("its engine was cut or changed");
  }
  const module = await WebAssembly.compile(bytes).catch(() => { throw broken("its engine cannot be read"); });
  const [section] = WebAssembly.Module.customSections(module, "identity");
  const identity = section ? new TextDecoder().decode(section) : "none";
  if (identity !== facts.identity) throw broken(`its engine is of model ${identity}, its numbers of ${facts.identity}`);
  return module;
}

const PAGE = 65536;
const KINDS = { float64: Float64Array, int64: BigInt64Array, uint64: BigUint64Array };

function run({ advance, lengths, memory, __heap_base }, facts, { seed, sizes, values, levers }) {
  const names = Object.keys(facts.arrays);
  const view = (name, at, length) => new KINDS[facts.arrays[name] ?? "int64"](memory.buffer, at, length);
  const reserve = (end) => {
    const missing = Math.ceil((end - memory.buffer.byteLength) / PAGE);
    if (missing > 0) memory.grow(missing);
  };

  // How long each array is, the engine says itself
  const whole = facts.sizes.map((name) => BigInt(sizes[name] ?? missing("size", name)));
  const start = Math.ceil(__heap_base.value / 64) * 64;
  const answer = start + 8 * whole.length;
  reserve(answer + 8 * names.length);
  view("sizes", start, whole.length).set(whole);
  lengths(start, BigInt(whole.length), answer, BigInt(names.length));
  const long = Array.from(new BigInt64Array(memory.buffer, answer, names.length), Number);

  // The market comes last, so that it can grow where it is
  const places = {};
  let end = start;
  for (const name of [...names.filter((name) => name !== "market"), "market"]) {
    const length = long[names.indexOf(name)];
    places[name] = { at: end, length };
    end += Math.ceil(length / 8) * 64;
  }
  reserve(end);
  new Uint8Array(memory.buffer, start, end - start).fill(0);

  const array = (name) => view(name, places[name].at, places[name].length);
  array("sizes").set(whole);
  array("values").set(facts.values.map((name) => values[name] ?? missing("value", name)));
  const table = array("levers");
  facts.levers.forEach((name, column) => {
    const given = levers[name] ?? missing("lever", name);
    for (let month = 0; month < sizes.months; month++) {
      table[month * facts.levers.length + column] = typeof given === "number" ? given : given[month];
    }
  });

  for (let month = 0; month < sizes.months; ) {
    const given = names.flatMap((name) => [places[name].at, BigInt(places[name].length)]);
    const reached = Number(advance(BigInt(month), BigInt.asIntN(64, BigInt(seed)), ...given));
    if (reached < month) throw new Error("The engine stopped: it was given what it cannot compute.");
    if (reached < sizes.months) {
      const { market } = places;
      const more = Math.max(market.length, 4096);
      reserve(market.at + 8 * (market.length + more));
      new Float64Array(memory.buffer, market.at + 8 * market.length, more).fill(0);
      market.length += more;
    }
    month = reached;
  }
  return Object.fromEntries(facts.results.map((name) => [name, array(name).slice()]));
}

function missing(what, name) {
  throw new Error(`The ${what} ${name} is missing.`);
}

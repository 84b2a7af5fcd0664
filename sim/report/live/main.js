// The page itself: its data, the workers that run the engine, the address, going from step to step, what can be saved.
"use strict";

class Pool {
  /** Workers from the text `code`, each given `model`; `failed` is told what goes wrong. */
  constructor(code, model, wasm, failed) {
    const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
    const number = Math.max(1, Math.min(4, (navigator.hardwareConcurrency || 2) - 1));
    this.job = 0;
    this.waiting = {};
    this.workers = Array.from({ length: number }, () => {
      const worker = new Worker(address);
      worker.onmessage = ({ data }) => {
        if (data.kind === "failed") failed(data.message);
        else this.waiting[data.job]?.(data);
      };
      worker.onerror = (event) => { event.preventDefault(); failed(event.message || "the engine's worker stopped"); };
      worker.postMessage({ kind: "load", model, wasm });
      return worker;
    });
  }

  /** One pair of runs in each of `task.worlds`, over all workers; a newer task takes its place. */
  pairs(task, each, end) {
    this.stop();
    const job = this.paired = ++this.job, many = Math.min(this.workers.length, task.worlds.length);
    let left = many;
    this.waiting[job] = (found) => {
      if (found.kind === "pair") each(found);
      else if (--left === 0) { delete this.waiting[job]; end(); }
    };
    for (let k = 0; k < many; k++) {
      this.workers[k].postMessage({ ...task, job, worlds: task.worlds.filter((_, place) => place % many === k) });
    }
  }

  stop() {
    delete this.waiting[this.paired];
    for (const worker of this.workers) worker.postMessage({ kind: "pairs", job: ++this.job, worlds: [], arms: [] });
  }

  /** A run of which every month is kept, by the last worker. */
  watch(task, each) {
    delete this.waiting[this.watched];
    const job = this.watched = ++this.job;
    this.waiting[job] = each;
    this.workers[this.workers.length - 1].postMessage({ ...task, job });
  }
}

const Page = (() => {
  const $ = (id) => document.getElementById(id);

  function bytes(text) {
    return Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  }

  /** The data with its arrays, and with every outcome's place. */
  function decoded(data) {
    const floats = (text) => new Float64Array(bytes(text).buffer);
    const singles = (text) => new Float32Array(bytes(text).buffer);
    const { slip, stored } = data, outcomes = data.outcomes.map((outcome, at) => ({ ...outcome, at }));
    return {
      ...data, outcomes, values: floats(data.values), leverValues: floats(data.leverValues), off: bytes(data.off),
      slip: { ...slip, values: floats(slip.values), levers: floats(slip.levers), members: floats(slip.members),
        arms: slip.arms.map(floats) },
      stored: stored && { ...stored, estimate: singles(stored.estimate), error: singles(stored.error),
        pairs: singles(stored.pairs) },
    };
  }

  /** What the workers need of the data. */
  function modelOf({ about, identity, values, leverValues, off, seeds, nulls, sizes, slip, mechanisms, outcomes }) {
    const names = (table) => table.map(({ name }) => name);
    return { about, identity, values, levers: leverValues, off, seeds, nulls, sizes, slip,
      mechanisms: names(mechanisms), outcomes: names(outcomes) };
  }

  /** What is stored of two arms: means, errors and pairs for each world, or null. */
  function known({ stored, outcomes, seeds }, [plus, minus]) {
    if (!stored || plus.off.length || minus.off.length) return null;
    const text = (levers) => JSON.stringify(Object.entries(levers).sort());
    const place = stored.arms.findIndex(([a, b]) => text(a) === text(plus.levers) && text(b) === text(minus.levers));
    if (place < 0) return null;
    return seeds.map((_, world) => {
      const first = (world * stored.arms.length + place) * outcomes.length;
      const of = (name) => Array.from(stored[name].subarray(first, first + outcomes.length));
      return [of("estimate"), of("error"), of("pairs")[0]];
    });
  }

  function start() {
    const data = decoded(JSON.parse($("data").textContent));
    const failed = (message) => say("failed", `This page cannot run: ${message}.`);
    const page = {
      data, state: State.start(),
      pool: new Pool(data.worker, modelOf(data), bytes(data.wasm), failed),
      outcome: (name) => data.outcomes.find((one) => one.name === name),
      stored: (arms) => known(data, arms),

      /** Take what the reader chose into the state, the address and the picture. */
      change(some) {
        const step = page.state.step;
        page.state = { ...page.state, ...some };
        history[page.state.step === step ? "replaceState" : "pushState"](null, "", `#${State.write(page.state, data)}`);
        show(step, page.state.step !== step);
      },
    };
    const steps = Steps.all(page);

    function show(before, moved) {
      const { step } = page.state;
      if (before && before !== step) steps[before - 1].leave();
      for (let k = 1; k <= State.STEPS; k++) {
        $(`step-${k}`).hidden = k !== step;
        const link = document.querySelector(`[data-go="${k}"]`);
        link.href = `#${State.write({ ...page.state, step: k }, data)}`;
        if (k === step) link.setAttribute("aria-current", "step");
        else link.removeAttribute("aria-current");
      }
      $("back").disabled = step === 1;
      $("next").disabled = step === State.STEPS;
      steps[step - 1].enter();
      $("lead").hidden = step > 1;
      $("check").hidden = $("save-study").hidden = step < 3; // there is nothing to run before
      $("which").textContent = page.state.version;
      $("command").textContent = `sim run ${file(page)}.toml`;
      if (moved) { scrollTo(0, 0); $(`step-${step}`).querySelector("h2").focus(); }
    }

    function fromAddress(moved) {
      const { state, wrong } = State.read(location.hash.slice(1), data), before = page.state.step;
      page.state = state;
      const some = wrong.slice(0, 3).join("; ") + (wrong.length > 3 ? "; and more" : "");
      say("wrong", some && `The address holds what this page cannot use, and is shown without it: ${some}.`);
      show(moved ? before : 0, moved && before !== state.step);
    }

    addEventListener("hashchange", () => fromAddress(true));
    $("back").addEventListener("click", () => page.change({ step: page.state.step - 1 }));
    $("next").addEventListener("click", () => page.change({ step: page.state.step + 1 }));
    $("save-picture").addEventListener("click", () => picture(page));
    $("save-study").addEventListener("click", () => {
      const { arms, names: [mine, theirs] } = Steps.compared(page), { version } = page.state;
      const study = State.study(data, version, arms, data.sizes.version, `${mine} instead of ${theirs}`);
      download(new Blob([study], { type: "application/toml" }), `${file(page)}.toml`);
    });
    $("copy").addEventListener("click", () => {
      const refused = "Copy it from the address bar: this browser does not let the page do it.";
      const local = location.protocol !== "file:" ? "" : " It leads to a file on this device. For others, put this "
        + "file on a website and add what follows the # to its address there; or send them both.";
      navigator.clipboard.writeText(location.href)
        .then(() => say("copied", `Copied.${local}`), () => say("copied", refused + local));
    });
    fromAddress(false);
    return page;
  }

  const file = ({ state }) => `version-${state.version}-step-${state.step}`;

  function say(place, message) {
    $(place).textContent = message;
    $(place).hidden = !message;
  }

  function download(blob, name) {
    const address = URL.createObjectURL(blob), link = el("a", { href: address, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
  }

  /** The pictures of this step as a PNG. */
  async function picture(page) {
    const { step } = page.state, part = $(`step-${step}`), [mine, theirs] = Steps.compared(page).names;
    const seen = (svg) => svg.getClientRects().length && !svg.closest("button, .counts, fieldset");
    const said = (svg, what) => {
      const found = svg.closest("figure")?.querySelectorAll(what) ?? [];
      return [...found].map((one) => one.textContent.trim()).join(" · ");
    };
    const pictures = [...part.querySelectorAll("svg[viewBox]")].filter(seen)
      .map((svg) => ({ svg, caption: said(svg, "figcaption"), note: said(svg, ".counts span") }));
    const compared = step === 1 ? "" : `${Draw.capital(mine)}, compared with ${theirs}`;
    const finding = part.querySelector(".finding")?.textContent || compared;
    const blob = await Draw.png(part.querySelector("h2").textContent, finding, pictures, location.hash);
    download(blob, `${file(page)}.png`);
  }

  return { start };
})();

const page = Page.start();

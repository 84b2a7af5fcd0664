"""Whether memory stays flat in long use. Usage: python experiments/benchmarks/long_use.py [--quick]

Each use has a process of its own, whose resident memory is read again and again:

- `simulate`: 100,000 small runs in turn, each with other settings, each read as a table;
- `study`: one study of 100,000 runs, in a hundred chunks;
- `studies`: 400 studies in turn, each run, opened, summarised and thrown away;
- `mesa`: 400 runs of the Mesa model;
- `app`, `page`: a quarter of an hour of the app, used by a script in a headless browser (`browsing.py`): the process
  that serves it, and the browser's pages.

The first third is a warm-up, in which caches fill. The rest is cut into twelve pieces of equal length; a line through
the medians of their memory gives the growth, with a 95 % interval by Student's t. Columns: `done`, how much was done,
and of what; `first_mib` and `last_mib`, the memory of the first piece and the last; `growth`, `low` and `high`, bytes
for each thing done; `objects`, how many Python objects more there were for each of them; `flat`: the interval holds
no growth at all, or all that was done, at `high`, comes to less than a twentieth of the memory.

A second table tells how the app answered: what was done, how often, and within how many seconds (half of the time and
95 % of the time); a third has the memory over time. Errors of the page, the server or the script end the program.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import measuring
import numpy as np
import pandas as pd
import psutil
from browsing import Visitor, chromium, served
from scipy import stats

Samples = list[tuple[float, float]]
"""How much was done, and the resident bytes then."""

WARM_UP = 1 / 3
PIECES = 12
FLAT = 0.05
MIB = 2**20
TINY: dict[str, Any] = {"systems": 1, "organisations": 2, "managers": 5, "months": 6}


class Watch:
    """The memory of this process and its objects while something is done `total` times."""

    def __init__(self, total: int) -> None:
        self.samples: Samples = []
        self._process, self._every = psutil.Process(), max(1, total // 200)
        self._objects: list[tuple[int, int]] = []
        self._half = total // 2

    def __call__(self, done: int) -> None:
        """So much is done."""
        if done % self._every == 0:
            self.samples.append((done, self._process.memory_info().rss))
        if done in (self._half, 2 * self._half):
            gc.collect()
            self._objects.append((done, len(gc.get_objects())))

    @property
    def objects(self) -> float:
        """Python objects for each thing done, in its second half."""
        (first, fewer), (last, more) = self._objects
        return (more - fewer) / (last - first)


def simulate(total: int) -> tuple[Samples, float]:
    """Small runs in turn; settings and seeds differ, so nothing that is remembered by them helps."""
    import sim  # noqa: PLC0415

    watch = Watch(total)
    for done in range(1, total + 1):
        sim.simulate(done, monitoring=done / total, **TINY).series  # noqa: B018
        watch(done)
    return watch.samples, watch.objects


def mesa(total: int) -> tuple[Samples, float]:
    """Runs of the Mesa model in turn."""
    import sim  # noqa: PLC0415

    watch = Watch(total)
    for done in range(1, total + 1):
        model = sim.LeadershipModel(rng=done, monitoring=done / total, **TINY)
        model.run_model()
        model.datacollector.get_model_vars_dataframe()
        watch(done)
    return watch.samples, watch.objects


def studies(total: int) -> tuple[Samples, float]:
    """Small studies in turn, each in a folder of its own that is removed."""
    from sim.study import Study  # noqa: PLC0415

    watch = Watch(total)
    for done in range(1, total + 1):
        design = {"kind": "grid", "monitoring": [0.0, done / total]}
        table = {"seed": done, "seeds": 20, "parameters": TINY, "design": design, "outcomes": {"series": True}}
        with tempfile.TemporaryDirectory() as folder:
            results = Study.from_dict(table).run(folder, workers=2)
            results.summary(), results.series()
        watch(done)
    return watch.samples, watch.objects


def study(total: int) -> tuple[Samples, float]:
    """One study with `total` runs, whose memory is read whenever a chunk is done."""
    from sim.study import Study, chunks  # noqa: PLC0415

    design = {"kind": "lhs", "samples": total // 100, "seed": 1, "monitoring": [0.0, 1.0], "relationship": [0.0, 1.0]}
    asked = Study.from_dict({"seeds": 100, "parameters": TINY, "design": design})
    chunks.BUDGET = total * 60 // 100  # a hundred chunks
    process, samples = psutil.Process(), []

    def progress(done: int, failed: int, planned: int) -> None:
        samples.append((done, process.memory_info().rss))

    with tempfile.TemporaryDirectory() as folder:
        asked.run(folder, workers=2, progress=progress)
    return samples, float("nan")


USES: dict[str, tuple[Callable[[int], tuple[Samples, float]], int, str]] = {
    "simulate": (simulate, 100_000, "runs"),
    "study": (study, 100_000, "runs"),
    "studies": (studies, 400, "studies"),
    "mesa": (mesa, 400, "runs"),
}


def alone(work: Callable[[int], tuple[Samples, float]], total: int) -> tuple[Samples, float]:
    """Do it in a new process."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, total).result()


def app(seconds: float) -> tuple[Samples, Samples, Visitor]:
    """The memory of the server and of the browser's pages over the seconds, and who visited."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as kept:
        folder, log = Path(kept), Path(kept) / "log"
        with served(log) as (address, server), chromium(folder) as browser:
            visitor = Visitor(browser, address, folder)
            driver = browser.service.process.pid
            asked = (lambda: memory(server), lambda: memory(driver, "--type=renderer"))
            with sampled(*asked, every=seconds / 180) as (own, page):
                end = time.monotonic() + seconds
                while time.monotonic() < end:
                    visitor.act()
        for line in log.read_text(encoding="utf-8").splitlines():
            if "Error" in line or "Traceback" in line:
                visitor.problems[f"server: {line[:100]}"] += 1
        return own, page, visitor


def memory(pid: int, marked: str = "") -> int:
    """Resident bytes of a process and all that it started; where `marked`, of those with this on their command line."""
    total = 0
    for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        try:
            if marked in " ".join(process.cmdline()):
                total += process.memory_info().rss
        except psutil.NoSuchProcess:  # it has just ended
            continue
    return total


@contextmanager
def sampled(*asked: Callable[[], int], every: float) -> Iterator[list[Samples]]:
    """What each of `asked` answers every few seconds, from another thread, with the seconds since the start."""
    samples: list[Samples] = [[] for _ in asked]
    stop, started = threading.Event(), time.monotonic()

    def look() -> None:
        while not stop.wait(every):
            for one, ask in zip(samples, asked, strict=True):
                one.append((time.monotonic() - started, ask()))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield samples
    finally:
        stop.set()
        thread.join()


def row(use: str, samples: Samples, unit: str, objects: float = float("nan")) -> dict[str, Any]:
    """Growth of memory after the warm-up."""
    done, resident = np.array(samples).T
    after = done > WARM_UP * done[-1]
    pieces = np.array_split(np.flatnonzero(after), min(PIECES, after.sum() // 2))
    x, y = (np.array([np.median(values[piece]) for piece in pieces]) for values in (done, resident))
    line = stats.linregress(x, y)
    half = stats.t.ppf(0.975, len(pieces) - 2) * line.stderr
    low, high = line.slope - half, line.slope + half
    return {
        "use": use,
        "done": f"{done[-1]:,.0f} {unit}",
        "first_mib": y[0] / MIB,
        "last_mib": y[-1] / MIB,
        "growth": line.slope,
        "low": low,
        "high": high,
        "objects": objects,
        "flat": bool(low <= 0.0 or high * done[-1] < FLAT * y[0]),
    }


def over_time(use: str, samples: Samples, most: int = 60) -> pd.DataFrame:
    """Memory by share of what was done, in `most` rows at most."""
    done, resident = np.array(samples)[:: max(1, len(samples) // most)].T
    return pd.DataFrame({"use": use, "share_done": done / done[-1], "mib": resident / MIB})


def answers(visitor: Visitor) -> pd.DataFrame:
    """How the app answered."""
    return pd.DataFrame(
        [
            {"action": name, "times": len(took), "median_s": np.median(took), "within_s": np.quantile(took, 0.95)}
            for name, took in visitor.seconds.items()
            if took
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a minute in all, to see that it works")
    parser.add_argument("--only", nargs="+", choices=[*USES, "app"], default=[*USES, "app"], help="not all uses")
    chosen = parser.parse_args()
    made_with = measuring.versions("numba", "numpy", "mesa", "pandas", "pyarrow", "marimo")
    rows, series = [], []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) if chosen.quick or len(chosen.only) <= len(USES) else measuring.PROOF
        for use in chosen.only:
            if use == "app":
                own, page, visitor = app(60 if chosen.quick else 900)
                found = [("app", own, "s", float("nan")), ("page", page, "s", float("nan"))]
                measuring.save(answers(visitor), "long_use_answers", made_with, folder)
            else:
                work, total, unit = USES[use]
                samples, objects = alone(work, total // 20 if chosen.quick else total)
                found = [(use, samples, unit, objects)]
            rows += [row(*one) for one in ((name, samples, unit, more) for name, samples, unit, more in found)]
            series += [over_time(name, samples) for name, samples, _, _ in found]
            print(rows[-1], flush=True)
        measuring.save(pd.DataFrame(rows), "long_use", made_with, folder)
        measuring.save(pd.concat(series), "long_use_series", made_with, folder)
    if "app" in chosen.only and visitor.problems:
        raise SystemExit("\n".join(f"{times} times: {problem}" for problem, times in visitor.problems.items()))


if __name__ == "__main__":
    main()

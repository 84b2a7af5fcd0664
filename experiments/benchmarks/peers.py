"""The same model and the same sweep through other tools. Usage: python experiments/benchmarks/peers.py [--quick]

    pip install -c constraints.txt -e '.[test]' 'ema_workbench>=3'      (Python 3.12 or later)

The first table holds the model as Mesa's and NumPy's users would write it (`sim.LeadershipModel` and
`tests/numpy_model.py`) against the compiled engine, all on one core, from settings to a table of outcomes by month.
Columns: `agreement` of a run with this package's random streams, outcome by outcome and month by month; `microseconds`
for a manager and month, the fastest of alternating turns (NumPy draws its own numbers); `times ours`; `peak MiB` of a
new process that makes one such run, with all that it imports.

The second table is a Latin hypercube over twenty factors, 2,000 cells of one run each, drawn once and given to all: as
small runs in the model that the users of a tool would have, and as larger ones in the compiled engine through every
tool, which leaves the cost of the tool. Each sweep is a process of its own, timed from its start to its end; compiled
code is cached before. Columns: `wall s`, the faster of two turns where the model is the compiled engine; `times ours`;
`peak MiB`, the largest memory of all its processes together, each page that several share counted once; `same bits`,
the cells whose outcomes of the last month equal those of `sim.simulate`.

The third table kills all processes of such a sweep at half of its `wall s`: `left`, the cells whose outcomes can then
be read, right to the bit; `then takes`, the time of a second start in the same folder for a whole sweep's.

Mesa's `batch_run` takes a list for each parameter and runs every combination, so it is given one parameter that is a
row of the design; it writes nothing. The workbench's `FileBasedCallback` is given an argument that it does not take
and needs a subclass to drop it; it keeps lines in buffers and begins with an empty folder.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from measuring import HERE, fastest, killed, peak_memory, show, versions
from numpy.typing import NDArray

import sim
from sim.model.outcomes import OUTCOMES

sys.path.append(str(HERE.parents[1] / "tests"))  # where numpy_model.py lies
Row = dict[str, float]
Found = list[tuple[float, ...]]
"""Fear and quality in the last month, cell by cell."""

# The same model

MODEL_SIZES = {2: 120, 17: 120, 167: 24}
"""Systems of sixty managers, and for how many months."""
COUNTED = [
    name for name, outcome in OUTCOMES.items() if outcome.unit in ("events a manager a month", "share of managers")
]


def ours(seed: int, regime: str = "baseline", **settings: Any) -> pd.DataFrame:
    """This package, compiled."""
    return sim.simulate(seed, regime, **settings).series


def in_mesa(seed: int, regime: str = "baseline", **settings: Any) -> pd.DataFrame:
    """This package's model in Mesa."""
    return sim.simulate(seed, regime, engine="mesa", **settings).series


def in_numpy(seed: int, regime: str = "baseline", **settings: Any) -> pd.DataFrame:
    """NumPy, with its own generator."""
    import numpy_model  # noqa: PLC0415

    return numpy_model.simulate(seed, regime, **settings)


def in_numpy_with_our_numbers(seed: int, regime: str = "baseline", **settings: Any) -> pd.DataFrame:
    """NumPy, with this package's streams."""
    import numpy_model  # noqa: PLC0415

    return numpy_model.simulate(seed, regime, numpy_model.Shared, **settings)


IMPLEMENTATIONS: dict[str, tuple[Callable[..., pd.DataFrame], Callable[..., pd.DataFrame]]] = {
    "this package": (ours, ours),
    "Mesa": (in_mesa, in_mesa),
    "NumPy": (in_numpy, in_numpy_with_our_numbers),
}
"""By name: what is timed, and what is held against this package."""


def difference(one: pd.DataFrame, other: pd.DataFrame) -> float:
    """The largest difference in any outcome of any month; 0 means equal bits."""
    if set(one) != set(other) or len(one) != len(other):
        raise ValueError("the two tables have different columns or months")
    return float(np.abs(one.to_numpy() - other[list(one)].to_numpy()).max())


def events(series: pd.DataFrame, managers: int) -> NDArray[np.int64]:
    """How many managers did or were what `COUNTED` names, by month."""
    return np.asarray(np.rint(series[COUNTED].to_numpy() * managers), dtype=np.int64)


def agreement(name: str, sizes: Mapping[str, Any]) -> str:
    """How a run with this package's streams agrees with this package's, in words."""
    one, other = IMPLEMENTATIONS[name][1](1, **sizes), ours(1, **sizes)
    if (off := difference(one, other)) == 0.0:
        return "equal bits"
    managers = sizes["systems"] * 60
    same = np.array_equal(events(one, managers), events(other, managers))
    return f"{'same events' if same else 'OTHER EVENTS'}, outcomes within {off:.0e}"


def models(sizes: Mapping[int, int], turns: int) -> pd.DataFrame:
    """The first table."""
    rows = []
    for systems, months in sizes.items():
        size, managers = {"systems": systems, "months": months}, systems * 60
        agrees = {name: agreement(name, size) for name in IMPLEMENTATIONS}  # compiles and imports, too
        runs = [partial(run, 1, **size) for run, _ in IMPLEMENTATIONS.values()]
        took = dict(zip(IMPLEMENTATIONS, fastest(runs, turns), strict=True))
        for name, (run, _) in IMPLEMENTATIONS.items():
            peak = peak_memory(f"import peers\npeers.{run.__name__}(1, **{size!r})")
            row = {"implementation": name, "managers": managers, "months": months, "agreement": agrees[name]}
            row |= {"microseconds": 1e6 * took[name] / (managers * months)}
            row |= {"times ours": took[name] / took["this package"], "peak MiB": peak / 2**20}
            rows.append(row)
    return pd.DataFrame(rows)


# The same sweep: what each tool is given, each in a process of its own

# fmt: off
FACTORS = (
    "punitiveness", "discernment", "leniency", "distress_gain", "fear_blamed",
    "fear_system", "fear_ambient", "fear_extinction", "fear_conformity", "cascade",
    "trust_invest", "trust_control", "trust_unfair", "loss_aversion", "deterrence",
    "reciprocity", "gaming_max", "burden", "slip_negligence", "skill_practice",
)
# fmt: on
KEPT = ("fear", "quality")
SEED = 0
SMALL, LARGE = (1, 12), (4, 120)  # systems of sixty managers, months
CASES = (  # tool, model, size, workers
    ("this package", "compiled", SMALL, 2),
    ("Mesa batch_run", "Mesa", SMALL, 2),
    ("EMA Workbench", "Mesa", SMALL, 2),
    ("this package", "compiled", LARGE, 2),
    ("Mesa batch_run", "compiled", LARGE, 2),
    ("EMA Workbench", "compiled", LARGE, 2),
    ("a loop", "compiled", LARGE, 1),
)


def plan(cells: int, systems: int, months: int) -> dict[str, Any]:
    """The sweep as a study: twenty factors over their plausible ranges, one run for each cell."""
    return {
        "seeds": 1,
        "seed": SEED,
        "parameters": {"systems": systems, "months": months},
        "outcomes": {"keep": list(KEPT), "window": 1},
        "design": {"kind": "lhs", "samples": cells, "seed": 1, **dict.fromkeys(FACTORS, "range")},
    }


@cache
def sweep() -> dict[str, Any]:
    """What all tools are given: ``plan``, the ``bounds`` of each factor, and ``rows``, the settings of each cell."""
    found: dict[str, Any] = json.loads(Path("sweep.json").read_text(encoding="utf-8"))
    return found


def compiled_cell(**row: float) -> Row:
    """A cell by the compiled engine."""
    last = ours(SEED, **row).iloc[-1]
    return {name: last[name] for name in KEPT}


def mesa_cell(**row: float) -> Row:
    """A cell by the Mesa model."""
    last = in_mesa(SEED, **row).iloc[-1]
    return {name: last[name] for name in KEPT}


def mesa_model(row: Row, rng: Any = None) -> Any:
    """The Mesa model as `batch_run` makes it; all cells share the seed."""
    return sim.LeadershipModel(rng=SEED, **row)


def compiled_model(row: Row, rng: Any = None) -> Any:
    """The compiled engine as a Mesa model, whose one step is the whole run."""
    import mesa  # noqa: PLC0415

    class Model(mesa.Model):
        def step(self) -> None:
            self.fear, self.quality = compiled_cell(**row).values()
            self.datacollector.collect(self)
            self.running = False

    model = Model(rng=SEED)
    model.datacollector = mesa.DataCollector({name: name for name in KEPT})
    return model


def loop(model: str, workers: int) -> Found:
    """No tool: one cell after the other."""
    return [tuple(compiled_cell(**row).values()) for row in sweep()["rows"]]


def by_study(model: str, workers: int) -> Found:
    """This package's runner of studies, which also writes a folder of results."""
    runs = sim.Study.from_dict(sweep()["plan"]).run("results", workers=workers).runs.sort_values("cell")
    return list(runs[list(KEPT)].itertuples(index=False, name=None))


def by_batch_run(model: str, workers: int) -> Found:
    """Mesa's `batch_run`."""
    import mesa  # noqa: PLC0415

    made = {"Mesa": mesa_model, "compiled": compiled_model}[model]
    found = mesa.batch_run(made, {"row": sweep()["rows"]}, number_processes=workers, display_progress=False)  # type: ignore[arg-type]
    found.sort(key=lambda run: run["RunId"])
    return [tuple(run[name] for name in KEPT) for run in found]


def workbench(model: str, workers: int, **how: Any) -> Any:
    """What the EMA Workbench's evaluator with a pool of processes gives."""
    import ema_workbench as ema  # noqa: PLC0415

    rows, bounds = sweep()["rows"], sweep()["bounds"]
    of = ema.Model("leadership", {"Mesa": mesa_cell, "compiled": compiled_cell}[model])
    of.uncertainties = [ema.RealParameter(name, *bounds[name]) for name in FACTORS]
    of.constants = [ema.Constant(name, value) for name, value in rows[0].items() if name not in FACTORS]
    of.outcomes = [ema.ScalarOutcome(name) for name in KEPT]
    samples = [ema.Sample(str(cell), **{name: row[name] for name in FACTORS}) for cell, row in enumerate(rows)]
    with ema.MultiprocessingEvaluator(of, n_processes=workers) as evaluator:
        return evaluator.perform_experiments(samples, **how)


def by_workbench(model: str, workers: int) -> Found:
    """The EMA Workbench, which keeps all in memory."""
    experiments, found = workbench(model, workers)
    order = np.argsort(experiments["scenario"].astype(int).to_numpy())
    return list(zip(*(found[name][order].tolist() for name in KEPT), strict=True))


def by_workbench_in_files(model: str, workers: int) -> Found:
    """The EMA Workbench, which writes files."""
    from ema_workbench.em_framework.callbacks import FileBasedCallback  # noqa: PLC0415

    class Files(FileBasedCallback):
        def __init__(self, *given: Any, log_progress: bool, **named: Any) -> None:
            super().__init__(*given, **named)

    workbench(model, workers, callback=Files)
    return [found for _, found in sorted(in_files(Path()).items())]


TOOLS: dict[str, Callable[[str, int], Found]] = {
    "this package": by_study,
    "Mesa batch_run": by_batch_run,
    "EMA Workbench": by_workbench,
    "EMA Workbench to files": by_workbench_in_files,
    "a loop": loop,
}


# What is left of a sweep


def in_folder(folder: Path) -> dict[int, tuple[float, ...]]:
    """Outcomes by cell, from 0, in a folder of this package's, finished or not."""
    with suppress(sim.InputError):
        runs = sim.Results(folder / "results").runs
        return {cell - 1: tuple(found) for cell, *found in runs[["cell", *KEPT]].itertuples(index=False, name=None)}
    return {}


def in_files(folder: Path) -> dict[int, tuple[float, ...]]:
    """Outcomes by cell, from 0, in files of the workbench's, whose last lines may be cut off."""
    with suppress(FileNotFoundError):
        made, *outcomes = (
            [*csv.reader((folder / "temp" / f"{name}.csv").open(encoding="utf-8"))] for name in ("experiments", *KEPT)
        )
        wide = [row for row in made[1:] if len(row) == len(FACTORS) + 3]
        found = zip(wide, *outcomes, strict=False)
        return {int(row[-3]): tuple(float(value) for (value,) in values) for row, *values in found}
    return {}


READERS = {"this package": in_folder, "EMA Workbench to files": in_files}


# The same sweep: measured from outside


def given(cells: int, systems: int, months: int) -> dict[str, Any]:
    """What `sweep` reads."""
    asked = plan(cells, systems, months)
    study = sim.Study.from_dict(asked)
    shared = {**study.plan.parameters, "window": 1}
    bounds = {name: study.plan.design[name] for name in FACTORS}
    return {"plan": asked, "bounds": bounds, "rows": [{**shared, **cell.own} for cell in study.points]}


def begun(folder: Path, tool: str, model: str, workers: int) -> subprocess.Popen[bytes]:
    """A sweep in a process of its own."""
    command = [sys.executable, str(HERE / "peers.py"), "--one", tool, model, str(workers)]
    with (folder / "errors").open("wb") as errors:
        return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True)


def ended(child: subprocess.Popen[bytes], folder: Path) -> Found:
    """What a sweep found; a tool that fails ends the program."""
    if child.wait():
        raise SystemExit((folder / "errors").read_text(encoding="utf-8"))
    return [tuple(row) for row in np.load(folder / "found.npy").tolist()]


def measured(tool: str, model: str, workers: int, asked: Mapping[str, Any]) -> tuple[float, float, Found]:
    """Seconds, MiB at the peak and the outcomes of one sweep."""
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(1) as pool:
        folder = Path(name)
        (folder / "sweep.json").write_text(json.dumps(asked), encoding="utf-8")
        started = time.perf_counter()
        child = begun(folder, tool, model, workers)
        peak = pool.submit(watched, child.pid)
        found = ended(child, folder)
        return time.perf_counter() - started, peak.result(), found


def struck(tool: str, model: str, workers: int, asked: Mapping[str, Any], wall: float, right: Found) -> dict[str, Any]:
    """The columns of the third table, of a sweep that takes `wall` seconds."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "sweep.json").write_text(json.dumps(asked), encoding="utf-8")
        killed(begun(folder, tool, model, workers), wall / 2)
        left = READERS.get(tool, lambda _: {})(folder)
        started = time.perf_counter()
        if ended(begun(folder, tool, model, workers), folder) != right:
            raise SystemExit(f"{tool}: other outcomes after a kill and a second start")
        again = time.perf_counter() - started
    same = sum(found == right[cell] for cell, found in left.items())
    return {"left": f"{same} of {len(right)}", "then takes": again / wall}


def watched(pid: int) -> float:
    """The largest memory in MiB of a process and its children, looked at until it ends."""
    import psutil  # noqa: PLC0415

    process, peak = psutil.Process(pid), 0.0
    with suppress(psutil.NoSuchProcess):
        while process.status() != psutil.STATUS_ZOMBIE:
            started, total = time.perf_counter(), 0
            for one in [process, *process.children(recursive=True)]:
                with suppress(psutil.NoSuchProcess, psutil.AccessDenied):  # it may end meanwhile
                    total += one.memory_full_info().pss
            peak = max(peak, total / 2**20)
            time.sleep(max(0.05, 20 * (time.perf_counter() - started)))
    return peak


def sweeps(cells: int, turns: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows of the second and the third table; turns of cases with the compiled engine alternate."""
    asked = {size: given(cells, *size) for size in (SMALL, LARGE)}
    right = {size: [tuple(compiled_cell(**row).values()) for row in asked[size]["rows"]] for size in asked}
    in_mesa(SEED, systems=1, months=2)  # compiles what Mesa's model needs
    done: dict[Any, list[tuple[float, float, Found]]] = {case: [] for case in CASES}
    for turn in range(turns):
        for case in CASES:
            tool, model, size, workers = case
            if turn == 0 or model == "compiled":
                done[case].append(measured(tool, model, workers, asked[size]))
    best = {case: min(wall for wall, _, _ in found) for case, found in done.items()}
    whole, rest = [], []
    for case in CASES:
        tool, model, size, workers = case
        what = {"tool": tool, "model": model, "managers": size[0] * 60, "months": size[1], "workers": workers}
        whole.append(
            {
                **what,
                "wall s": best[case],
                "times ours": best[case] / best["this package", "compiled", size, 2],
                "peak MiB": max(peak for _, peak, _ in done[case]),
                "same bits": f"{sum(map(tuple.__eq__, done[case][0][2], right[size]))} of {cells}",
            }
        )
        if workers > 1:
            to_files = f"{tool} to files" if tool == "EMA Workbench" else tool
            rest.append(what | struck(to_files, model, workers, asked[size], best[case], right[size]))
    return whole, rest


def main() -> None:
    """Print the tables, or do one sweep that `measured` asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it works")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        tool, model, workers = asked.one
        np.save("found.npy", np.asarray(TOOLS[tool](model, int(workers))))
        return
    made_with = versions("mesa", "ema_workbench", "numpy", "numba", "pandas")
    show(models({2: 6} if asked.quick else MODEL_SIZES, 1 if asked.quick else 3), "the same model", made_with)
    cells, turns = (40, 1) if asked.quick else (2_000, 2)
    whole, rest = sweeps(cells, turns)
    show(pd.DataFrame(whole), "the same sweep", made_with)
    show(pd.DataFrame(rest), "the same sweep, killed at half of its time", made_with)


if __name__ == "__main__":
    main()

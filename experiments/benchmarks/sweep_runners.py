"""One sweep through one tool, in a process of its own, which `sweeps.py` starts and measures from outside.

Usage: python experiments/benchmarks/sweep_runners.py TOOL MODEL WORKERS, in a folder that holds sweep.json

It writes each cell's outcomes of the last month to outcomes.npy, in the order of the cells, and prints how many cells
it computed. Imports stay in the functions that need them, so that no tool pays for another.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# fmt: off
FACTORS = (
    "punitiveness", "discernment", "leniency", "distress_gain", "fear_blamed",
    "fear_system", "fear_ambient", "fear_extinction", "fear_conformity", "cascade",
    "trust_invest", "trust_control", "trust_unfair", "loss_aversion", "deterrence",
    "reciprocity", "gaming_max", "burden", "slip_negligence", "skill_practice",
)
# fmt: on
OUTCOMES = ("fear", "quality")
SEED = 0
SWEEP, FOUND = "sweep.json", "outcomes.npy"

Row = dict[str, float]
Found = tuple[Any, int]
"""Outcomes, a row for each cell in order, and how many cells were computed for it."""


def plan(cells: int, systems: int, months: int) -> dict[str, Any]:
    """The sweep as a study: twenty factors over their plausible ranges, one run for each cell, 60 managers a system."""
    return {
        "seeds": 1,
        "seed": SEED,
        "parameters": {"systems": systems, "organisations": 5, "managers": 12, "months": months},
        "outcomes": {"keep": list(OUTCOMES), "window": 1},
        "design": {"kind": "lhs", "samples": cells, "seed": 1, **dict.fromkeys(FACTORS, "range")},
    }


@cache
def sweep() -> dict[str, Any]:
    """What all tools are given: ``plan``, the ``bounds`` of each factor, and ``rows``, the settings of each cell."""
    found: dict[str, Any] = json.loads(Path(SWEEP).read_text(encoding="utf-8"))
    return found


def compiled(row: Row) -> tuple[float, float]:
    """A cell's last month by this package's compiled engine."""
    import sim  # noqa: PLC0415

    last = sim.simulate(SEED, **row).series.iloc[-1]
    return last["fear"], last["quality"]


def in_mesa(row: Row) -> tuple[float, float]:
    """A cell's last month by this package's Mesa model."""
    from sim import LeadershipModel  # noqa: PLC0415

    model = LeadershipModel(rng=SEED, **row)
    model.run_model()
    return model.outcomes["fear"], model.outcomes["quality"]


MODELS = {"Mesa": in_mesa, "compiled": compiled}


def loop(model: str, workers: int) -> Found:
    """No tool: one cell after the other, and nothing kept until the end."""
    found = [MODELS[model](row) for row in sweep()["rows"]]
    return found, len(found)


def ours(model: str, workers: int) -> Found:
    """This package's studies, which write finished chunks to a folder and go on from there."""
    from sim import Study  # noqa: PLC0415

    done: list[int] = []
    study = Study.from_dict(sweep()["plan"])
    study.run("results", workers=workers, progress=lambda now, *_: done.append(now))
    return stored(Path("results"), study.size), done[-1] - done[0]


def batch_run(model: str, workers: int) -> Found:
    """Mesa's `batch_run`, with one parameter that holds a whole row, because it combines several in every way."""
    import mesa  # noqa: PLC0415
    from sweep_mesa import CompiledInMesa, InMesa  # noqa: PLC0415

    made = {"Mesa": InMesa, "compiled": CompiledInMesa}[model]
    found = mesa.batch_run(made, {"row": sweep()["rows"]}, number_processes=workers, display_progress=False)
    found.sort(key=lambda run: run["RunId"])
    return [[run[name] for name in OUTCOMES] for run in found], len(found)


def experiment(model: str, workers: int) -> Found:
    """AgentPy's `Experiment`, which takes the rows as they are."""
    import agentpy as ap  # noqa: PLC0415
    from sweep_agentpy import CompiledInAgentPy, InAgentPy  # noqa: PLC0415

    made = {"AgentPy": InAgentPy, "compiled": CompiledInAgentPy}[model]
    found = ap.Experiment(made, sweep()["rows"]).run(n_jobs=workers, display=False).reporters
    return found[list(OUTCOMES)], len(found)


def mesa_for_ema(**row: float) -> Row:
    """The Mesa model as a function of its parameters."""
    return dict(zip(OUTCOMES, in_mesa(row), strict=True))


def compiled_for_ema(**row: float) -> Row:
    """The compiled engine as a function of its parameters."""
    return dict(zip(OUTCOMES, compiled(row), strict=True))


def workbench(model: str, workers: int, files: bool = False) -> Found:
    """The EMA Workbench's evaluators, and where `files` says so its callback that writes rows while it runs."""
    import ema_workbench as ema  # noqa: PLC0415
    from ema_workbench.em_framework.callbacks import FileBasedCallback  # noqa: PLC0415

    class Files(FileBasedCallback):  # type: ignore[misc]
        """In 2.5.3 it does not know an argument that `perform_experiments` hands over, and ends with a TypeError."""

        def __init__(self, *arguments: Any, log_progress: bool = False, **options: Any) -> None:
            super().__init__(*arguments, **options)

    rows, bounds = sweep()["rows"], sweep()["bounds"]
    of = ema.Model("leadership", {"Mesa": mesa_for_ema, "compiled": compiled_for_ema}[model])
    of.uncertainties = [ema.RealParameter(name, *bounds[name]) for name in FACTORS]
    of.constants = [ema.Constant(name, value) for name, value in rows[0].items() if name not in FACTORS]
    of.outcomes = [ema.ScalarOutcome(name) for name in OUTCOMES]
    scenarios = [ema.Scenario(str(cell), **{name: row[name] for name in FACTORS}) for cell, row in enumerate(rows)]
    evaluator = ema.SequentialEvaluator(of) if workers == 1 else ema.MultiprocessingEvaluator(of, n_processes=workers)
    with evaluator:
        callback = evaluator.perform_experiments(scenarios, callback=Files if files else None, return_callback=True)
    found = callback.get_results()
    if files:
        return written(Path(found), len(rows)), callback.i
    return np.column_stack([found[1][name] for name in OUTCOMES]), callback.i


def stored(folder: Path, cells: int) -> NDArray[np.float64]:
    """What `ours` left: outcomes, a row for each cell, not a number where a cell is missing."""
    from sim import Results  # noqa: PLC0415

    runs = Results(folder).runs
    return spread(runs["cell"] - 1, runs[list(OUTCOMES)], cells)


def written(folder: Path, cells: int) -> NDArray[np.float64]:
    """What the workbench's callback left, as `stored` gives it; rows end where the shortest of its files ends."""
    import pandas as pd  # noqa: PLC0415

    done = pd.read_csv(folder / "experiments.csv")["scenario_id"].dropna()
    read = partial(pd.read_csv, header=None, names=["value"], float_precision="round_trip")
    columns = [read(folder / f"{name}.csv")["value"] for name in OUTCOMES]
    rows = min(map(len, [done, *columns]))
    return spread(done[:rows].astype(int), np.column_stack([column[:rows] for column in columns]), cells)


def spread(places: Any, values: Any, cells: int) -> NDArray[np.float64]:
    """Values in the order of all cells, not a number where there is none; places count from 0."""
    found = np.full((cells, len(OUTCOMES)), np.nan)
    found[places] = values
    return found


TOOLS: dict[str, Callable[[str, int], Found]] = {
    "this package": ours,
    "Mesa batch_run": batch_run,
    "AgentPy Experiment": experiment,
    "EMA Workbench": workbench,
    "EMA Workbench to files": partial(workbench, files=True),
    "a loop": loop,
}


def main() -> None:
    """Do the sweep that was asked for at the shell."""
    tool, model, workers = sys.argv[1:]
    found, computed = TOOLS[tool](model, int(workers))
    np.save(FOUND, np.asarray(found, dtype=np.float64))
    print(computed)


if __name__ == "__main__":
    main()

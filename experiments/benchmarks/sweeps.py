"""The same sweep through the field's runners and ours. Usage: python experiments/benchmarks/sweeps.py [--quick]

A Latin hypercube over twenty factors, 2,000 cells of one run each, drawn once and given to all, in two sizes: sixty
managers for a year, by the model that the users of a tool would have; and 240 managers for ten years, by this package's
compiled engine in every tool, which leaves the cost of the tool. Everyone returns fear and quality in the last month.
Needs mesa, agentpy, ema_workbench and psutil; the workbench is 2.5.3, because 3.0 needs Python 3.12.

Each sweep is a process of its own (`sweep_runners.py`), from its start to its end, imports and workers' start included;
compiled code is cached before. The columns:

- tool, model, managers, months, workers: what ran the cells, and in how many processes (threads in this package)
- wall s: seconds, the faster of two alternating turns, or of one where the model is not the compiled engine
- times ours: how many times as long as this package took for the same size
- runs a second: cells by wall s
- peak MiB: largest memory of all processes together, each page that several share counted once (proportional set
  size), looked at every 50 ms, or less often where looking would take more than a twentieth of the time
- same bits: cells whose outcomes equal those of `sim.simulate` to the bit
- left after a kill: cells that can be read back, right to the bit, when all processes are killed at half of wall s
- computed again: cells that a second start in the same folder computes

What stands in the way, and what its users do about it: Mesa's `batch_run` takes a list for each parameter and runs
every combination, so that the model gets one parameter that is a row of the design. AgentPy's `Experiment` sends
itself, with all rows, along with every run. The workbench's `FileBasedCallback` ends with a TypeError until a subclass
drops an argument; it keeps lines in buffers, which a kill loses, and deletes the folder when it starts again.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
from measuring import HERE, PROOF, save, versions
from numpy.typing import NDArray
from sweep_runners import FACTORS, FOUND, OUTCOMES, SWEEP, compiled, in_mesa, plan, stored, written

from sim import Study, engine
from sim.errors import InputError

SMALL, LARGE = (1, 12), (4, 120)  # systems of sixty managers, months
CASES = (  # tool, model, size, workers
    ("this package", "compiled", SMALL, 2),
    ("Mesa batch_run", "Mesa", SMALL, 2),
    ("AgentPy Experiment", "AgentPy", SMALL, 2),
    ("EMA Workbench to files", "Mesa", SMALL, 2),
    ("EMA Workbench", "Mesa", SMALL, 1),
    ("this package", "compiled", LARGE, 2),
    ("Mesa batch_run", "compiled", LARGE, 2),
    ("AgentPy Experiment", "compiled", LARGE, 2),
    ("EMA Workbench to files", "compiled", LARGE, 2),
    ("EMA Workbench", "compiled", LARGE, 2),
    ("EMA Workbench", "compiled", LARGE, 1),
    ("a loop", "compiled", LARGE, 1),
)
ERRORS = "errors.txt"
INTERVAL = 0.05  # seconds
LOOKING = 20  # at most one part in so many goes into looking at the memory


class Sweep:
    """The cells of one size, as all tools get them, and their outcomes by `sim.simulate`."""

    def __init__(self, cells: int, systems: int, months: int) -> None:
        self.managers, self.months = systems * 60, months
        asked = plan(cells, systems, months)
        study = Study.from_dict(asked)
        shared = {**study.plan.parameters, "window": study.plan.outcomes.window}
        self.rows = [{**shared, **cell.own} for cell in study.points]
        bounds = {name: study.plan.design[name] for name in FACTORS}
        self.text = json.dumps({"plan": asked, "bounds": bounds, "rows": self.rows})

    @cached_property
    def outcomes(self) -> NDArray[np.float64]:
        """A row for each cell: fear and quality."""
        return np.array([compiled(row) for row in self.rows])

    def right(self, found: NDArray[np.float64]) -> int:
        """How many cells have the same outcomes, to the bit."""
        return int((found == self.outcomes).all(axis=1).sum())


@dataclass
class Case:
    """One sweep through one tool, and what was measured of it."""

    tool: str
    model: str
    sweep: Sweep
    workers: int
    wall: float = np.inf
    peak: float = 0.0
    same: int = 0
    left: int = 0
    again: int = 0

    def start(self, folder: Path) -> subprocess.Popen[str]:
        """Start it in a process group of its own."""
        (folder / SWEEP).write_text(self.sweep.text, encoding="utf-8")
        command = [sys.executable, str(HERE / "sweep_runners.py"), self.tool, self.model, str(self.workers)]
        with (folder / ERRORS).open("w", encoding="utf-8") as errors:
            return subprocess.Popen(
                command, cwd=folder, stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True
            )

    def measure(self) -> None:
        """Do it once, undisturbed."""
        with tempfile.TemporaryDirectory() as name:
            started = time.perf_counter()
            child = self.start(Path(name))
            with ThreadPoolExecutor(1) as pool:
                peak = pool.submit(watch, child.pid)
                finish(child, Path(name))
                self.wall = min(self.wall, time.perf_counter() - started)
            self.peak = max(self.peak, peak.result())
            self.same = self.sweep.right(np.load(Path(name) / FOUND))

    def kill(self) -> None:
        """Start it, kill all of its processes at half of the time that it takes, see what is left, and start again."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            child = self.start(folder)
            time.sleep(self.wall / 2)
            os.killpg(child.pid, signal.SIGKILL)
            child.communicate()  # until the last of its processes has let go of the pipe
            if {path.name for path in folder.iterdir()} == {SWEEP, ERRORS}:
                self.again = len(self.sweep.rows)  # there is nothing that a second start could know of
                return
            self.left = self.sweep.right(left(folder, len(self.sweep.rows)))
            self.again = finish(self.start(folder), folder)
            if self.sweep.right(np.load(folder / FOUND)) < self.same:
                raise SystemExit(f"{self.tool}: other outcomes after a kill and a second start")

    def row(self, ours: float) -> dict[str, Any]:
        """A row of the table; `ours` is this package's wall time for the same size."""
        cells = len(self.sweep.rows)
        return {
            "tool": self.tool,
            "model": self.model,
            "managers": self.sweep.managers,
            "months": self.sweep.months,
            "workers": self.workers,
            "wall s": self.wall,
            "times ours": self.wall / ours,
            "runs a second": cells / self.wall,
            "peak MiB": self.peak,
            "same bits": f"{self.same} of {cells}",
            "left after a kill": self.left,
            "computed again": self.again,
        }


def finish(child: subprocess.Popen[str], folder: Path) -> int:
    """Wait for the end; how many cells were computed. A tool that fails ends the program."""
    said, _ = child.communicate()
    if child.returncode:
        raise SystemExit(f"{child.args}:\n{(folder / ERRORS).read_text(encoding='utf-8')}")
    return int(said.split()[-1])


def left(folder: Path, cells: int) -> NDArray[np.float64]:
    """What can be read of a sweep that was killed, not a number for the other cells."""
    for place, read in (("results", stored), ("temp", written)):
        if (folder / place).exists():
            with suppress(InputError, pd.errors.EmptyDataError):
                return read(folder / place, cells)
    return np.full((cells, len(OUTCOMES)), np.nan)


def watch(pid: int) -> float:
    """The largest memory, in MiB, of a process and its children until it ends."""
    process, peak = psutil.Process(pid), 0.0
    with suppress(psutil.NoSuchProcess):
        while process.status() != psutil.STATUS_ZOMBIE:
            started = time.perf_counter()
            peak = max(peak, memory(process))
            time.sleep(max(INTERVAL, LOOKING * (time.perf_counter() - started)))
    return peak


def memory(process: psutil.Process) -> float:
    """MiB of a process and its children now, each page that several share counted once."""
    total = 0
    with suppress(psutil.NoSuchProcess):
        for one in [process, *process.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):  # it may end meanwhile
                total += one.memory_full_info().pss
    return total / 2**20


def measured(cells: int, turns: int) -> pd.DataFrame:
    """The table; turns of cases with the compiled engine alternate."""
    sweeps = {size: Sweep(cells, *size) for size in (SMALL, LARGE)}
    cases = [Case(tool, model, sweeps[size], workers) for tool, model, size, workers in CASES]
    engine.warm_up()
    in_mesa(sweeps[SMALL].rows[0])
    for turn in range(turns):
        for case in cases:
            if turn == 0 or case.model == "compiled":
                case.measure()
    for case in cases:
        case.kill()
        print(f"{case.tool}, {case.model}, {case.sweep.managers} managers: {case.wall:.1f} s", flush=True)
    ours = {case.sweep: case.wall for case in cases if case.tool == "this package"}
    return pd.DataFrame([case.row(ours[case.sweep]) for case in cases])


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="40 cells, to see that it works; nothing is kept")
    quick = parser.parse_args().quick
    cells, turns = (40, 1) if quick else (2_000, 2)
    made_with = versions("mesa", "agentpy", "ema_workbench", "numpy", "numba", "pandas")
    with tempfile.TemporaryDirectory() as nowhere:
        save(measured(cells, turns), "sweeps", made_with, Path(nowhere) if quick else PROOF)


if __name__ == "__main__":
    main()

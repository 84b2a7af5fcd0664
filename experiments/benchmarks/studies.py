"""How fast studies are, as ratios measured in one run. Usage: python experiments/benchmarks/studies.py [--quick]

Ratios hold on any machine. Timings of two things that are compared alternate, and the fastest of several counts,
because whatever else a machine does only ever slows it down.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import mesa
import numpy as np
from measuring import busy, fastest, killed, seconds

from sim.model import engine
from sim.model.mesa_model import LeadershipModel
from sim.model.outcomes import OUTCOMES
from sim.model.parameters import resolve
from sim.model.run import provenance
from sim.study import Results, Study

SMALL = {"systems": 1, "months": 60}  # 60 managers
TINY = {"systems": 1, "organisations": 1, "managers": 2, "months": 2}


def sweep(parameters: dict[str, Any], cells: int, seeds: int) -> Study:
    """A grid over monitoring."""
    design = {"kind": "grid", "monitoring": np.linspace(0.0, 1.0, cells).tolist()}
    return Study.from_dict({"seeds": seeds, "parameters": parameters, "design": design})


def bare(study: Study) -> None:
    """The same runs by the kernel alone, in a loop."""
    for cell in study.points:
        parameters = resolve(**cell.settings)
        for seed in range(study.plan.seeds):
            engine.run(parameters, seed)


def run(study: Study, workers: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        study.run(Path(folder) / "r", workers=workers)


def against_bare(parameters: dict[str, Any], cells: int, seeds: int, most: float, times: int) -> str:
    study = sweep(parameters, cells, seeds)
    ours, loop = fastest([lambda: run(study, 1), lambda: bare(study)], times)
    return f"{ours / loop:5.2f} times as long (at most {most}): {study.size / ours:,.0f} runs a second"


def two_workers(cells: int, seeds: int, times: int) -> str:
    study = sweep({}, cells, seeds)
    one, two = fastest([lambda: run(study, 1), lambda: run(study, 2)], times)
    return f"{one / two:5.2f} times as fast (at least 1.85, two cores)"


def against_batch_run(cells: int, seeds: int) -> str:
    """Mesa's own runner on our Mesa model with two processes, the same cells and seeds."""
    study = sweep(SMALL, cells, seeds)
    values = {**SMALL, "monitoring": [cell.own["monitoring"] for cell in study.points]}
    options: dict[str, Any] = {"number_processes": 2, "max_steps": SMALL["months"] - 1, "display_progress": False}
    try:
        import inspect  # noqa: PLC0415

        newer = "rng" in inspect.signature(mesa.batch_run).parameters
    except (TypeError, ValueError):
        newer = False
    if newer:
        options["rng"] = list(range(seeds))
    else:
        values["seed"] = list(range(seeds))
    found: list[Any] = []
    theirs = seconds(lambda: found.append(mesa.batch_run(LeadershipModel, values, **options)))
    assert len(found[0]) == study.size, (len(found[0]), study.size)
    (ours,) = fastest([lambda: run(study, 2)], 3)
    return f"{theirs / ours:5.0f} times as fast (at least 100): {ours:.2f} s against {theirs:.1f} s, {study.size} runs"


MEMORY = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from studies import SMALL, sweep
peaks = []
study = sweep(SMALL, int(sys.argv[3]), 10)
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 if sys.platform != "darwin" else 1024) / 2**20
study.run(sys.argv[2], progress=lambda done, total, note="": peaks.append((done / total, peak())))
half = next(size for share, size in peaks if share > 0.25)
print(half, peak())
"""


def memory(runs: int) -> str:
    """Peak memory after a quarter of the runs and in the end, and bytes on disk for each number that is kept."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", MEMORY, str(Path(__file__).parent), str(Path(folder) / "r"), str(runs // 10)]
        quarter, end = map(float, subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    each = size / (runs * len(OUTCOMES))
    space = f"{end:.2f} GiB (at most 1), {quarter:.2f} after a quarter"
    return f"{space}; {each:.1f} bytes a number (at most 16), {runs:,} runs"


def finished(runs: int) -> str:
    """`sim run` on a finished study with as many cells as runs, and on one of ten runs a cell."""
    times = []
    for seeds in (1, 10):
        side = round((runs / seeds) ** 0.5)
        monitoring, targets = (np.linspace(0.0, 1.0, n).tolist() for n in (side, -(-runs // seeds // side)))
        text = f'seeds = {seeds}\n[outcomes]\nkeep = ["fear", "quality"]\n[parameters]\n'
        text += "".join(f"{name} = {value}\n" for name, value in TINY.items())
        text += f'[design]\nkind = "grid"\nmonitoring = {monitoring}\ntargets = {targets}\n'
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "mine.toml"
            file.write_text(text)
            command = [sys.executable, "-m", "sim", "run", str(file), "--out", str(Path(folder) / "r")]
            call = lambda command=command: subprocess.run(command, check=True, capture_output=True)  # noqa: E731
            call()
            times.append(fastest([call], 3)[0])
    return (
        f"{times[0]:.2f} s with a cell for each run, {times[1]:.2f} s with ten runs a cell (at most 3), {runs:,} runs"
    )


def left(names: tuple[str, ...]) -> str:
    """Studies of the gallery, all processes of which are killed at half of their time: what is left of their runs."""
    told = []
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "sim", "run", name, "--out"]
            wall = seconds(lambda: subprocess.run([*command, f"{folder}/a"], check=True, capture_output=True))  # noqa: B023
            quiet: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            killed(subprocess.Popen([*command, f"{folder}/b"], **quiet, start_new_session=True), wall / 2)
            told.append(f"{len(Results(f'{folder}/b'))} of {len(Results(f'{folder}/a'))} ({name}, {wall:.1f} s)")
    return "; ".join(told)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it works")
    quick = parser.parse_args().quick
    engine.warm_up()
    print(provenance())
    print("load before:                     ", busy())
    print("national sweep against the kernel:", against_bare({}, 3, 4 if quick else 30, 1.10, 2 if quick else 5))
    print("two workers against one:          ", two_workers(4, 13 if quick else 52, 2 if quick else 5))
    print("small runs against the kernel:    ", against_bare(SMALL, 20, 50 if quick else 500, 1.5, 2 if quick else 5))
    print("against Mesa's batch_run:         ", against_batch_run(4, 2 if quick else 10))
    print("memory and disk:                  ", memory(10_000 if quick else 200_000))
    print("a finished study returns in:      ", finished(10_000 if quick else 100_000))
    print("killed at half of their time:     ", left(("toxic",) if quick else ("surveillance", "fear", "toxic")))
    print("load after:                      ", busy())


if __name__ == "__main__":
    main()

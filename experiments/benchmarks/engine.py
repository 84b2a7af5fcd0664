"""How fast the engine is, as ratios measured in one run.

    python experiments/benchmarks/engine.py [--quick] [--before FOLDER]

`--before` is a checkout of an earlier version, such as `git worktree add FOLDER 1226d55`, the engine of one manager at
a time; the same runs are made with it, turn by turn.

Ratios hold on any machine; the nanoseconds beside them are this machine's. Timings of two things that are compared
alternate, and the fastest of several counts, because whatever else a machine does only ever slows it down.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from measuring import HERE, fastest, peak_memory, seconds

from sim.model import engine
from sim.model.mesa_model import LeadershipModel
from sim.model.parameters import resolve
from sim.model.run import provenance

NATIONAL = 42 * 5 * 12
TURNS = 8


def against_draws(months: int) -> str:
    """The engine against drawing 14 uniform numbers and one normal number for each manager-month."""
    generator, room = np.random.default_rng(0), np.empty(NATIONAL)
    parameters = resolve(months=months)

    def draw() -> None:
        for _ in range(months):
            for _ in range(14):
                generator.random(out=room)
            generator.standard_normal(out=room)

    ours, draws = fastest([lambda: engine.run(parameters, 1), draw], TURNS)
    unit = 1e9 / (NATIONAL * months)
    return f"{ours / draws:5.2f} times as long (at most 5): {ours * unit:.0f} ns against {draws * unit:.0f} ns"


def against_mesa(months: int) -> str:
    """The engine against the Mesa reference at national size, one core, with equal bits."""
    parameters = resolve(months=months)
    LeadershipModel(rng=0, systems=1, months=2).run_model()  # compiles the rules
    model = LeadershipModel(rng=1, months=months)
    mesa = seconds(model.run_model)
    (ours,) = fastest([lambda: engine.run(parameters, 1)], TURNS)
    equal = np.array_equal(engine.run(parameters, 1).sums, model.record.sums)
    unit = 1e6 / (NATIONAL * months)
    return (
        f"{mesa / ours:5.0f} times as fast (at least 350), bits {'equal' if equal else 'DIFFERENT'}: "
        f"{ours * unit:.3f} µs against {mesa * unit:.1f} µs"
    )


BEFORE = """
import time
try:
    from sim.model import engine
    from sim.model.parameters import resolve
except ImportError:
    from sim import engine
    from sim.parameters import resolve
p, turns = resolve(months={months}), []
engine.run(p, 1)
for _ in range(5):
    started = time.process_time()
    engine.run(p, 1)
    turns.append(time.process_time() - started)
print(min(turns))
"""


def against_before(folder: str, months: int) -> str:
    """The engine against an earlier one from its checkout, at national size, on one core, in processes by turns."""

    def spent(where: str) -> float:
        command = [sys.executable, "-c", BEFORE.format(months=months)]
        environment = {**os.environ, "PYTHONPATH": where}
        done = subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True, check=True)
        return float(done.stdout.split()[-1])

    here = str(HERE.parent.parent)
    turns = [(spent(folder), spent(here)) for _ in range(4)]
    before, now = (min(column) for column in zip(*turns, strict=True))
    unit = 1e9 / (NATIONAL * months)
    return f"{before / now:5.2f} times as fast: {now * unit:.0f} ns against {before * unit:.0f} ns"


def growth(largest: int) -> list[str]:
    """Cost of a manager-month from a thousand managers to a million, and the peak memory of the largest run."""
    costs = {}
    for managers in (1_020, 10_020, 100_020, 1_000_020):
        if managers > largest:
            break
        months = max(24, min(120, 6_000_000 // managers))  # two years at least, or starting would count most
        parameters = resolve(systems=managers // 60, months=months)
        (spent,) = fastest([lambda p=parameters: engine.run(p, 1)], 4)  # type: ignore[misc]
        costs[managers] = spent / (managers * months) * 1e9
    lines = [f"{managers:>9,} managers: {cost:.0f} ns" for managers, cost in costs.items()]
    lines.append(f"largest over smallest {max(costs.values()) / min(costs.values()):.2f} (at most 1.3)")
    return lines


def memory(managers: int) -> str:
    """Peak memory of a fresh process that makes one ten-year run."""
    code = (
        f"from sim.model import engine\nfrom sim.model.parameters import resolve\n"
        f"engine.run(resolve(systems={managers // 60}), 1)"
    )
    return f"{peak_memory(code) / 2**30:5.2f} GiB (at most 1) for {managers:,} managers over 120 months"


def threads(months: int) -> str:
    """Two runs on two threads against the same two in turn."""
    parameters = resolve(months=months)
    with ThreadPoolExecutor(2) as pool:
        one, two = fastest(
            [
                lambda: [engine.run(parameters, seed) for seed in (1, 2)],
                lambda: list(pool.map(lambda seed: engine.run(parameters, seed), (1, 2))),
            ],
            TURNS,
        )
    return f"{one / two:5.2f} times as fast (at least 1.8, two cores)"


def command_line() -> list[str]:
    """`sim --help`, and the first compilation with an empty cache."""

    def shell(*arguments: str, **environment: str) -> float:
        command = [sys.executable, *arguments]
        return seconds(
            lambda: subprocess.run(command, check=True, capture_output=True, env={**os.environ, **environment})
        )

    shell("-m", "sim", "--help")
    helps = min(shell("-m", "sim", "--help") for _ in range(5))
    code = "import sim; sim.simulate(seed=0, systems=1, months=1)"
    with tempfile.TemporaryDirectory() as empty:
        cold = shell("-c", code, XDG_CACHE_HOME=empty)
        warm = shell("-c", code, XDG_CACHE_HOME=empty)
    return [
        f"sim --help {helps:.2f} s (at most 0.5)",
        f"first run with an empty cache {cold:.1f} s (at most 30), the next process {warm:.1f} s",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it works")
    parser.add_argument("--before", metavar="FOLDER", help="a checkout of an earlier version")
    given = parser.parse_args()
    quick = given.quick
    print(provenance())
    if given.before:
        print("engine against the one before:  ", against_before(given.before, 12 if quick else 120))
    print("engine against the draws:       ", against_draws(12 if quick else 120))
    print("engine against the Mesa model:  ", against_mesa(2 if quick else 24))
    print("two threads against one:        ", threads(12 if quick else 120))
    print("cost of a manager-month:        ", "; ".join(growth(10_020 if quick else 1_000_020)))
    print("peak memory:                    ", memory(10_020 if quick else 1_000_020))
    print("command line:                   ", "; ".join(command_line()))


if __name__ == "__main__":
    main()

"""How time, memory and disk grow: with the managers of a run, and with the runs of a study.

    python experiments/benchmarks/growth.py [--quick]

Managers: one run of 24 months of the compiled engine on one core, systems of 60 managers each. Runs: a study of 60
managers and 12 months, ten runs a cell, by one worker into a new folder, every outcome kept. Seconds are the least of
several alternating turns, repeated within a turn where one takes less than a tenth of a second. Memory is the peak of
a new process, with Python and all libraries in it.
`growth`: `of` what there are more of, their `number`, `seconds`, peak `memory` in MiB, and for studies the folder's
`disk` in MiB and its `files`. `growth_exponents`: the exponent of a power law, by least squares on logarithms, `low`
and `high` its 95 % interval by Student's t; over `all` sizes, where fixed costs bend it, and over the `upper` half,
from which one may extrapolate. The picture `growth` shows the points and the fits over the upper half.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import measuring
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from sim import engine
from sim.parameters import resolve
from sim.study import Study

SYSTEM = 60  # managers
MONTHS = {"managers": 24, "runs": 12}
SEEDS = 10
MIB = 2**20
LONG_ENOUGH = 0.1  # seconds
MEASURED = {"managers": ("seconds", "memory"), "runs": ("seconds", "memory", "disk", "files")}


class Fit(NamedTuple):
    """A power law y = exp(`level`) x**`exponent`, and what its intervals are made of."""

    exponent: float
    level: float
    error: float  # standard error of the exponent
    quantile: float  # of Student's t
    middle: float  # mean of the logarithms of x
    noise: float  # standard error of a fitted logarithm at the middle

    @property
    def low(self) -> float:
        return self.exponent - self.quantile * self.error

    @property
    def high(self) -> float:
        return self.exponent + self.quantile * self.error

    def at(self, x: np.ndarray, side: float = 0.0) -> np.ndarray:
        """The fit, or with `side` -1 or 1 an end of its 95 % interval."""
        away = np.log(x) - self.middle
        spread = self.quantile * np.sqrt(self.noise**2 + (self.error * away) ** 2)
        return np.asarray(np.exp(self.level + self.exponent * np.log(x) + side * spread))


def fitted(x: ArrayLike, y: ArrayLike) -> Fit:
    """The power law through some points, by ordinary least squares on logarithms."""
    from scipy import stats  # noqa: PLC0415

    u, v = np.log(np.asarray(x)), np.log(np.asarray(y))
    away, free = u - u.mean(), len(u) - 2
    exponent = (away @ v) / (away @ away)
    rest = v - v.mean() - exponent * away
    noise = np.sqrt((rest @ rest) / free)
    error, level = noise / np.sqrt(away @ away), v.mean() - exponent * u.mean()
    return Fit(exponent, level, error, stats.t.ppf(0.975, free), u.mean(), noise / np.sqrt(len(u)))


def one_run(managers: int) -> Callable[[], object]:
    """What makes one run with so many managers."""
    parameters = resolve(systems=managers // SYSTEM, months=MONTHS["managers"])
    return lambda: engine.run(parameters, 1)


def study(runs: int) -> Study:
    """A grid over monitoring with so many runs."""
    design = {"kind": "grid", "monitoring": np.linspace(0.0, 1.0, runs // SEEDS).tolist()}
    parameters = {"systems": 1, "months": MONTHS["runs"]}
    return Study.from_dict({"seeds": SEEDS, "parameters": parameters, "design": design})


def one_study(runs: int) -> Callable[[], object]:
    """What lays out and makes a study of so many runs."""

    def work() -> None:
        with tempfile.TemporaryDirectory() as folder:
            study(runs).run(folder, workers=1)

    return work


def repeated(work: Callable[[], object]) -> tuple[Callable[[], object], int]:
    """The work as often as it takes to be timed well, and how often that is; done once before, which warms up."""
    times = max(1, round(LONG_ENOUGH / measuring.seconds(work)))
    return lambda: [work() for _ in range(times)], times


def least_seconds(works: Sequence[Callable[[], object]], turns: int) -> list[float]:
    """Seconds of each work once."""
    many = [repeated(work) for work in works]
    total = measuring.fastest([work for work, _ in many], turns)
    return [spent / times for spent, (_, times) in zip(total, many, strict=True)]


def peak(of: str, number: int) -> float:
    """Peak memory in MiB of a new process that does one of these."""
    made = {"managers": "one_run", "runs": "one_study"}[of]
    return measuring.peak_memory(f"import growth\ngrowth.{made}({number})()") / MIB


def folder(runs: int) -> dict[str, float]:
    """Size of a study's folder, and the number of its files."""
    with tempfile.TemporaryDirectory() as made:
        study(runs).run(made, workers=1)
        files = [path.stat().st_size for path in Path(made).rglob("*") if path.is_file()]
    return {"disk": sum(files) / MIB, "files": len(files)}


def points(managers: Sequence[int], runs: Sequence[int], turns: int) -> pd.DataFrame:
    """A row for each size."""
    engine.warm_up()
    spent = {
        "managers": least_seconds([one_run(number) for number in managers], turns),
        "runs": least_seconds([one_study(number) for number in runs], turns),
    }
    return pd.DataFrame(
        {"of": of, "number": number, "seconds": seconds, "memory": peak(of, number), **more(number)}
        for of, numbers, more in (("managers", managers, lambda _: {}), ("runs", runs, folder))
        for number, seconds in zip(numbers, spent[of], strict=True)
    )


def upper(rows: pd.DataFrame) -> pd.DataFrame:
    """The larger half of some sizes, the middle one included."""
    return rows.iloc[len(rows) // 2 :]


def exponents(table: pd.DataFrame) -> pd.DataFrame:
    """A row for each quantity and range of sizes."""
    found = []
    for of, quantities in MEASURED.items():
        rows = table[table["of"] == of]
        for name in quantities:
            for which, part in (("all", rows), ("upper", upper(rows))):
                fit = fitted(part["number"], part[name])
                ends = {"from": part["number"].iloc[0], "to": part["number"].iloc[-1]}
                size = {"exponent": fit.exponent, "low": fit.low, "high": fit.high}
                found.append({"of": of, "quantity": name, "sizes": which, **ends, "points": len(part), **size})
    return pd.DataFrame(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it works; nothing is kept")
    quick = parser.parse_args().quick
    from growth_picture import save_picture  # noqa: PLC0415

    managers = [SYSTEM * max(2, round(10**power / SYSTEM)) for power in np.arange(2, 4.6 if quick else 6.1, 0.5)]
    runs = [SEEDS * round(10**power / SEEDS) for power in np.arange(1, 3.1 if quick else 5.1, 0.5)]
    made_with = measuring.versions("leadership-sim", "numba", "numpy", "pyarrow")
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary) if quick else measuring.PROOF
        table = points(managers, runs, 1 if quick else 3)
        measuring.save(table, "growth", made_with, out)
        measuring.save(exponents(table), "growth_exponents", made_with, out)
        save_picture(table, out / "growth", made_with)


if __name__ == "__main__":
    main()

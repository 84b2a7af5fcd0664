"""What common random numbers save: the spread of heavy minus light, in pairs under one seed and between seeds.

    python experiments/benchmarks/common_random_numbers.py --replications 30

For each outcome, averaged over the last `--window` months: the mean difference between the two regimes, its standard
deviation over replications in pairs under one seed, the standard deviation that independent seeds would give (the
square root of the sum of the two regimes' variances), the ratio of the two, and how many times as many independent
replications give the same precision as paired ones (one over the squared ratio).
"""

from __future__ import annotations

import argparse
import shlex
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd

import sim
from sim.model.run import provenance

OUTCOMES = [
    *("fear", "trust", "toxic", "fearful", "confidence", "skill", "integrity", "distress", "cooperation", "effort"),
    *("quality", "reported", "gaming", "harm", "moral_strain", "initiative_rate", "successes", "slips", "silence"),
    *("sanctions", "exits", "recycled", "misfit", "record_share"),
]


def arguments() -> argparse.Namespace:
    """What was asked for at the shell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--regimes", nargs=2, default=["heavy", "light"], metavar=("ONE", "OTHER"))
    parser.add_argument("--replications", type=int, default=30)
    for name, default in (("systems", 42), ("organisations", 5), ("managers", 12), ("months", 120), ("window", 24)):
        parser.add_argument(f"--{name}", type=int, default=default)
    return parser.parse_args()


def summaries(regime: str, asked: argparse.Namespace) -> pd.DataFrame:
    """A row for each seed, a column for each outcome: means over the window."""
    sizes = {name: getattr(asked, name) for name in ("systems", "organisations", "managers", "months", "window")}

    def one(seed: int) -> pd.Series:
        return sim.simulate(seed, regime, **sizes).series[OUTCOMES].tail(asked.window).mean()

    one(0)  # compile before threads start
    with ThreadPoolExecutor() as threads:
        return pd.DataFrame(list(threads.map(one, range(asked.replications))))


def table(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Differences between two regimes and their spread, by outcome."""
    difference = one - other
    paired, independent = difference.std(), np.sqrt(one.var() + other.var())
    ratio = paired / independent
    return pd.DataFrame(
        {
            "difference": difference.mean(),
            "sd, paired": paired,
            "sd, independent": independent,
            "ratio": ratio,
            "replications saved": ratio**-2.0,
        }
    )


def main() -> None:
    """Print versions, sizes, the command and the table."""
    asked = arguments()
    made = provenance()
    versions = ", ".join(f"{name} {made['packages'][name]}" for name in ("numpy", "numba"))
    print(f"python {shlex.join(sys.argv)}")
    print(f"Python {made['python']} on {made['platform']}, {versions}")
    print(f"{asked.systems} systems, {asked.organisations} organisations, {asked.managers} managers, {asked.months} "
          f"months, window {asked.window}, {asked.replications} replications")  # fmt: skip
    one, other = (summaries(regime, asked) for regime in asked.regimes)
    print(f"{asked.regimes[0]} minus {asked.regimes[1]}:")
    print(table(one, other).to_string(float_format=lambda number: f"{number:.4g}"))


if __name__ == "__main__":
    main()

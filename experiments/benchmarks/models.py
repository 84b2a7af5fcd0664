"""The same model in this package, in Mesa, in AgentPy and in plain NumPy: does it agree, and what does it cost?

    pip install agentpy
    python experiments/benchmarks/models.py [--quick]

Mesa is this package's reference, `sim.LeadershipModel`; `agentpy_model.py` and `numpy_model.py` are the other two. All
run on one core, from settings to a table of outcomes by month, with the default policy.

The first table, `models_agreement`, holds the others against this package in `CASES`: policies, schedules and sizes
that differ. Columns: `numbers`, "shared" where this package's random streams are used, "its own" where NumPy draws as
NumPy's users would; `runs`; in how many of them every outcome of every month is `equal to the bit`, and in how many
every count of events is the same (`same events`), so that no decision fell out differently; the `largest difference`
in any outcome; for numbers of its own, how many of the outcomes `differ` by Welch's test at 5 % (by chance alone a
twentieth of them would), and the smallest `p` among them, corrected for their number (Bonferroni).

The second, `models`: `agreement` of the very run that is timed, with this package's of the same seed (for NumPy, whose
timed run draws its own numbers, of a run like it with shared ones); `microseconds` for a manager and month; `times
ours`, the ratio to this package at the same size; `peak MiB` of a new process that makes one such run, with all that
it imports (the others call on this package to check their settings, so they import it too); `bytes a manager`, the
peak above that of a process which makes the run `SMALL`, for each manager more; nothing where it is less than
`SMALLEST` in all, and too little where a run fits into what loading has freed. A run that takes longer than `LONGEST`
by the cost at the size before is not made. Timings of quick runs alternate and the fastest of `TURNS` counts; a run of
more than `SLOW` seconds is timed once.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from measuring import PROOF, fastest, peak_memory, save, versions
from numpy.typing import NDArray

import sim
from sim.outcomes import OUTCOMES

Run = Callable[..., pd.DataFrame]
OURS, MESA, AGENTPY, NUMPY = "this package", "Mesa", "AgentPy", "NumPy"
PACKAGES = ("mesa", "agentpy", "numpy", "numba", "pandas", "scipy")
LONGEST, SLOW, TURNS, SMALLEST = 60.0, 3.0, 5, 2 * 2**20
SIZES = {2: 120, 17: 120, 167: 24, 1667: 24}
"""Systems of sixty managers, and for how many months."""
SMALL = {"systems": 1, "months": 12}
"""A run in which everything happens that the program must load or compile for."""
CASES: tuple[dict[str, Any], ...] = (
    {},
    {"regime": "heavy", "schedule": {"monitoring": {6: 0.2, 18: 0.9}, "relationship": {12: 0.8}}},
    {"regime": "kark_full", "dismissal": 0.3, "recycling": 0.9, "exit_base": 0.02},
    {"regime": "targets_and_terror", "monitoring_sd": 0.1, "relationship_sd": 0.2, "risk_based": 0.5},
    {"regime": "integrated", "standardisation": 0.7, "social_care_budget": 0.8, "focus_ideal": 0.4, "managers": 9},
    {"regime": "supportive", "mechanisms_off": ["paperwork", "learned_fear"], "organisations": 3},
)
COUNTED = [
    name for name, outcome in OUTCOMES.items() if outcome.unit in ("events a manager a month", "share of managers")
]


def ours(seed: int, regime: str = "baseline", **settings: Any) -> pd.DataFrame:
    """This package, compiled."""
    return sim.simulate(seed, regime, **settings).series


def in_mesa(seed: int, regime: str = "baseline", **settings: Any) -> pd.DataFrame:
    """This package's reference."""
    return sim.simulate(seed, regime, engine="mesa", **settings).series


def in_agentpy(seed: int, regime: str = "baseline", **settings: Any) -> pd.DataFrame:
    """AgentPy, with this package's streams."""
    import agentpy_model  # noqa: PLC0415

    return agentpy_model.simulate(seed, regime, **settings)


def in_numpy(seed: int, regime: str = "baseline", **settings: Any) -> pd.DataFrame:
    """NumPy, with its own generator."""
    import numpy_model  # noqa: PLC0415

    return numpy_model.simulate(seed, regime, **settings)


def in_numpy_with_our_numbers(seed: int, regime: str = "baseline", **settings: Any) -> pd.DataFrame:
    """NumPy, with this package's streams."""
    import numpy_model  # noqa: PLC0415

    return numpy_model.simulate(seed, regime, numpy_model.Shared, **settings)


def implementations() -> dict[str, Run]:
    """Each implementation by name: seed, regime and settings of `sim.simulate` to outcomes by month."""
    return {OURS: ours, MESA: in_mesa, AGENTPY: in_agentpy, NUMPY: in_numpy}


CHECKED: dict[str, Run] = {MESA: in_mesa, AGENTPY: in_agentpy, NUMPY: in_numpy_with_our_numbers}
"""Those with shared streams, which can be held against this package run by run."""


def difference(one: pd.DataFrame, other: pd.DataFrame) -> float:
    """The largest difference in any outcome of any month; 0 means equal bits."""
    if list(one) != list(other) or len(one) != len(other):
        raise ValueError("the two tables have different columns or months")
    return float(np.abs(one.to_numpy() - other.to_numpy()).max())


def events(series: pd.DataFrame, managers: int) -> NDArray[np.int64]:
    """How many managers did or were what `COUNTED` names, by month."""
    return np.asarray(np.rint(series[COUNTED].to_numpy() * managers), dtype=np.int64)


def managers_of(systems: int, organisations: int = 5, managers: int = 12, **_: Any) -> int:
    """The size of the nation under some settings."""
    return systems * organisations * managers


def checked(
    name: str, cases: Sequence[Mapping[str, Any]], seeds: Sequence[int], sizes: Mapping[str, Any]
) -> dict[str, Any]:
    """The row of `models_agreement` for one that has the shared streams."""
    differences, same = [], 0
    for case in ({**sizes, **case} for case in cases):
        for seed in seeds:
            one, other = CHECKED[name](seed, **case), ours(seed, **case)
            differences.append(difference(one, other))
            same += np.array_equal(events(one, managers_of(**case)), events(other, managers_of(**case)))
    return {
        "implementation": name,
        "numbers": "shared",
        "runs": len(differences),
        "equal to the bit": differences.count(0.0),
        "same events": same,
        "largest difference": max(differences),
    }


def compared(seeds: int, sizes: Mapping[str, Any]) -> dict[str, Any]:
    """The row of `models_agreement` for NumPy with its own numbers, against as many runs of ours with other seeds."""
    from scipy.stats import ttest_ind  # noqa: PLC0415

    means = [[run(seed, **sizes).mean() for seed in range(seeds)] for run in (in_numpy, ours)]
    one, other = (pd.DataFrame(rows) for rows in means)
    varied = [name for name in OUTCOMES if np.ptp(other[name]) > 0.0]
    p = np.asarray(ttest_ind(one[varied], other[varied], equal_var=False).pvalue)
    return {
        "implementation": NUMPY,
        "numbers": "its own",
        "runs": seeds,
        "differ": f"{int((p < 0.05).sum())} of {len(p)}",
        "p": min(1.0, float(p.min()) * len(p)),
    }


def agreement(quick: bool) -> pd.DataFrame:
    """The table `models_agreement`."""
    cases, seeds = (CASES[:2], range(1)) if quick else (CASES, range(3))
    sizes = {"systems": 2, "months": 20 if quick else 36}
    rows = [checked(name, cases, seeds, sizes) for name in CHECKED]
    return pd.DataFrame([*rows, compared(4 if quick else 40, sizes)])


def verdict(name: str, found: pd.DataFrame, seed: int, sizes: Mapping[str, Any]) -> str:
    """How the run that was timed agrees with ours of the same seed, in words."""
    if name == OURS:
        return ""
    series, managers = ours(seed, **sizes), managers_of(**sizes)
    shared = in_numpy_with_our_numbers(seed, **sizes) if name == NUMPY else found
    if (off := difference(shared, series)) == 0.0:
        return "equal bits"
    same = np.array_equal(events(shared, managers), events(series, managers))
    return f"{'same events' if same else 'OTHER EVENTS'}, outcomes within {off:.0e}"


def timed(sizes: Mapping[str, Any], expected: Mapping[str, float], seed: int = 1) -> dict[str, tuple[float, str]]:
    """Seconds of a run at this size, and how it agrees, for each of those whose seconds are `expected`."""
    found: dict[str, pd.DataFrame] = {}

    def work(name: str) -> Callable[[], None]:
        return lambda: found.update({name: implementations()[name](seed, **sizes)})

    quick, slow = ([n for n, s in expected.items() if (s > SLOW) == late] for late in (False, True))
    took: dict[str, float] = {}
    for names, turns in ((quick, TURNS), (slow, 1)):
        took |= zip(names, fastest([work(name) for name in names], turns), strict=True)
    return {name: (took[name], verdict(name, found[name], seed, sizes)) for name in expected}


def peak(name: str, sizes: Mapping[str, Any]) -> int:
    """Peak bytes of a new process that makes one run."""
    return peak_memory(f"import models\nmodels.implementations()[{name!r}](1, **{dict(sizes)!r})")


def costs(sizes_by_systems: Mapping[int, int]) -> pd.DataFrame:
    """The table `models`."""
    for run in implementations().values():
        run(1, **SMALL)  # compiles the rules and imports what there is to import
    empty = {name: peak(name, SMALL) for name in implementations()}
    rows, each = [], dict.fromkeys(implementations(), 0.0)
    for systems, months in sizes_by_systems.items():
        sizes, managers = {"systems": systems, "months": months}, managers_of(systems)
        expected = {name: cost * managers * months for name, cost in each.items()}
        done = timed(sizes, {name: seconds for name, seconds in expected.items() if seconds <= LONGEST})
        for name, seconds in expected.items():
            row: dict[str, Any] = {"implementation": name, "managers": managers, "months": months}
            if name not in done:
                rows.append({**row, "agreement": f"not run: about {seconds:.0f} s"})
                continue
            took, agrees = done[name]
            each[name] = took / (managers * months)
            bytes_ = peak(name, sizes)
            grown, more = bytes_ - empty[name], managers - managers_of(**SMALL)
            row |= {"agreement": agrees, "microseconds": 1e6 * each[name], "times ours": took / done[OURS][0]}
            row |= {"peak MiB": bytes_ / 2**20, "bytes a manager": grown / more if grown >= SMALLEST else np.nan}
            rows.append(row)
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it works")
    quick = parser.parse_args().quick
    made_with = versions(*PACKAGES)
    with tempfile.TemporaryDirectory() as nowhere:
        folder = Path(nowhere) if quick else PROOF
        save(agreement(quick), "models_agreement", made_with, folder)
        save(costs({2: 6, 4: 6} if quick else SIZES), "models", made_with, folder)


if __name__ == "__main__":
    main()

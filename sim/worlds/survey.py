"""Virtual surveys and trials: what the studies behind the evidence would have found in a world of the model.

Each kind of pattern names the runs that it needs (its arms) and computes its measure from them. A run that several
patterns need is made once; runs that are compared have the same seed.

- correlation: over the posts of the survey run, means over its last `window` months. Each measured variable, all but
  monitoring, carries noise of its own with the standard deviation sd(variable)·√(1/reliability − 1).
- level: the mean of an outcome over the last `window` months of the survey run, transformed.
- bunching: the share of posts of the survey run with a last reported indicator in [target, target + 0.03), less the
  share with the honest one there.
- contrast: `before` for 60 months and `after` from then on; the mean of months 85 to 96, less that of a run that stays
  at `before`.
- share: `before` and `after` throughout, 120 months each; the share of posts whose mean over the last 24 is lower in
  `after`.
- path: a lever at `value_off`, but at `value_on` from month `on` until month `off`; the difference from the run in
  which it never moves, in the months named.

Levers that neither a pattern nor the survey sets are the world's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError, shown
from sim.model.outcomes import POST_COLUMNS
from sim.model.parameters import Parameters
from sim.model.record import outcomes
from sim.model.run import Run, run_parameters
from sim.model.streams import stream_key
from sim.worlds.evidence import TRANSFORMS, VARIABLES, Evidence, Pattern
from sim.worlds.pattern_file import load
from sim.worlds.prior import World

__all__ = [
    "DEFAULT_SIZES",
    "Evidence",
    "Measured",
    "Pattern",
    "Sizes",
    "load",
    "log_agreement",
    "measure",
    "measurements",
    "simulation_variance",
]

Measured = float | NDArray[np.float64]
"""The model's value of a pattern; of a path, one for each of its months."""

CHANGE, FIRST, LAST = 61, 85, 96  # months of a contrast: the change of policy, and what is averaged
SHARE_MONTHS, SHARE_WINDOW = 120, 24
JUST_ABOVE = 0.03  # how far above the target a report counts as bunched
PERFECTLY_MEASURED = ("monitoring",)
_COLUMN = {name: number for number, name in enumerate(POST_COLUMNS)}
FEWEST_SEEDS = 2


@dataclass(frozen=True)
class Sizes:
    """How large the virtual studies are: systems of the survey and of each arm of a trial, organisations in each
    system, managers in each organisation.

    The defaults cost about as much as 46 systems over 120 months; over a dozen worlds of the prior, the simulation's
    own standard deviation is then at most 0.7 of the tolerance of each shipped pattern.
    """

    survey_systems: int = 32
    trial_systems: int = 4
    organisations: int = 5
    managers: int = 12


DEFAULT_SIZES = Sizes()

Levers = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Arm:
    """A run that patterns need: policies in turn, each from a month on, the first from month 1."""

    course: tuple[tuple[int, Levers], ...]
    systems: int
    months: int
    window: int

    def parameters(self, world: World, sizes: Sizes) -> Parameters:
        """The parameters of this run in a world."""
        (_, first), *later = self.course
        own: dict[str, Any] = dict(first)
        schedule: dict[str, dict[int, float]] = {}
        for month, levers in later:
            policy: dict[str, Any] = dict(levers)
            resolved = world.parameters(**policy)  # a lever that this policy leaves open is the world's again
            for name in own | policy:
                schedule.setdefault(name, {})[month] = getattr(resolved, name)
        return world.parameters(
            **own,
            systems=self.systems,
            organisations=sizes.organisations,
            managers=sizes.managers,
            months=self.months,
            window=self.window,
            schedule=schedule,
        )


class Kind(NamedTuple):
    """How a kind of pattern is measured: the arms it needs, and its value from their runs, in that order."""

    arms: Callable[[Pattern, Evidence, Sizes], tuple[Arm, ...]]
    value: Callable[[Pattern, Sequence[Run], float], Measured]


def measurements(
    evidence: Evidence, world: World, seed: int, sizes: Sizes = DEFAULT_SIZES
) -> Iterator[dict[str, Measured]]:
    """What the studies find in a world, group of runs after group of runs, the most patterns for the
    least computing first.

    Each dictionary holds, by the id of its pattern, the model's value. A consumer that has seen enough may stop: the
    runs that it did not ask for are not made. The values depend on the world, the seed and the sizes alone.
    """
    runs: dict[Arm, Run] = {}
    for arms, patterns in _groups(evidence, sizes):
        for arm in arms:
            if arm not in runs:
                runs[arm] = run_parameters(arm.parameters(world, sizes), seed)
        needed = [runs[arm] for arm in arms]
        yield {p.id: _KINDS[p.kind].value(p, needed, world.reliability) for p in patterns}


def measure(evidence: Evidence, world: World, seed: int, sizes: Sizes = DEFAULT_SIZES) -> dict[str, Measured]:
    """What the studies find in a world: the model's value of each pattern, by id, in the order of the evidence.

    >>> from sim.worlds.prior import DEFAULT
    >>> found = measure(load(), DEFAULT, seed=0, sizes=Sizes(1, 1, 2, 3))
    >>> 0.0 <= found["mixed-response-to-control"] <= 1.0
    True
    """
    found = {name: value for group in measurements(evidence, world, seed, sizes) for name, value in group.items()}
    return {pattern.id: found[pattern.id] for pattern in evidence.patterns}


def simulation_variance(
    evidence: Evidence, worlds: Iterable[World], seeds: int, sizes: Sizes = DEFAULT_SIZES
) -> dict[str, Measured]:
    """How much each pattern's value varies in one and the same world: its variance over seeds 0 to `seeds` − 1,
    averaged over worlds.

    Raises `InputError` for fewer than two seeds or no world.
    """
    worlds = tuple(worlds)
    if seeds < FEWEST_SEEDS or not worlds:
        raise InputError([f"simulation variance: needs a world and at least {FEWEST_SEEDS} seeds, not {shown(seeds)}"])
    found = [[measure(evidence, world, seed, sizes) for seed in range(seeds)] for world in worlds]
    return {p.id: _pooled(np.array([[values[p.id] for values in own] for own in found])) for p in evidence.patterns}


def _pooled(values: NDArray[np.float64]) -> Measured:
    """The variance over seeds, averaged over worlds, of an array of worlds by seeds (by months)."""
    return _plain(values.var(axis=1, ddof=1).mean(axis=0))


def _plain(value: NDArray[np.float64]) -> Measured:
    return value if value.ndim else float(value)


def log_agreement(pattern: Pattern, measured: Measured, simulation_variance: Measured) -> float:
    """How well a world's value agrees with the finding: −½ (x − value)²/(sd² + simulation variance), at most 0,
    summed over the months of a path.

    >>> log_agreement(Pattern("churn", "level", 0.235, 0.03), 0.295, 0.0)
    -2.0
    """
    misses = (np.asarray(measured) - pattern.value) ** 2 / (np.square(pattern.sd) + simulation_variance)
    return float(-0.5 * np.sum(misses))


def _groups(evidence: Evidence, sizes: Sizes) -> list[tuple[tuple[Arm, ...], list[Pattern]]]:
    """The patterns by the arms that they need; first where a pattern costs least, to rule a world out early."""
    groups: dict[tuple[Arm, ...], list[Pattern]] = {}
    for pattern in evidence.patterns:
        groups.setdefault(_KINDS[pattern.kind].arms(pattern, evidence, sizes), []).append(pattern)
    return sorted(groups.items(), key=lambda g: sum(arm.systems * arm.months for arm in g[0]) / len(g[1]))


def _policy(levers: Mapping[str, float]) -> Levers:
    return tuple(sorted(levers.items()))


def _survey_arms(_: Pattern, evidence: Evidence, sizes: Sizes) -> tuple[Arm, ...]:
    levers = {name: value for name, value in evidence.survey.items() if name not in ("months", "window")}
    return (Arm(((1, _policy(levers)),), sizes.survey_systems, evidence.survey["months"], evidence.survey["window"]),)


def _contrast_arms(pattern: Pattern, _: Evidence, sizes: Sizes) -> tuple[Arm, ...]:
    before, after = _policy(pattern.needs["before"]), _policy(pattern.needs["after"])
    courses = ((1, before),), ((1, before), (CHANGE, after))
    return tuple(Arm(course, sizes.trial_systems, LAST, LAST - FIRST + 1) for course in courses)


def _share_arms(pattern: Pattern, _: Evidence, sizes: Sizes) -> tuple[Arm, ...]:
    policies = (_policy(pattern.needs[name]) for name in ("before", "after"))
    return tuple(Arm(((1, policy),), sizes.trial_systems, SHARE_MONTHS, SHARE_WINDOW) for policy in policies)


def _path_arms(pattern: Pattern, _: Evidence, sizes: Sizes) -> tuple[Arm, ...]:
    needs, months = pattern.needs, pattern.needs["months"][-1]
    off, on = (((needs["lever"], needs[name]),) for name in ("value_off", "value_on"))
    moved = [change for change in ((1, off), (needs["on"], on), (needs["off"], off)) if change[0] <= months]
    return tuple(Arm(course, sizes.trial_systems, months, 1) for course in (((1, off),), tuple(moved)))


def _national(run: Run, name: str, months: slice) -> NDArray[np.float64]:
    """A national outcome in some months, counted from 0."""
    monthly: NDArray[np.float64] = outcomes(run.record.sums[months], len(run.record.totals))[name]
    return monthly


def _column(run: Run, name: str) -> NDArray[np.float64]:
    """A column of posts, averaged over the last `window` months."""
    means: NDArray[np.float64] = run.record.totals[:, _COLUMN[name]] / run.parameters.window
    return means


def _correlation(pattern: Pattern, runs: Sequence[Run], reliability: float) -> float:
    (run,) = runs
    return correlation(*(_measured(run, pattern.needs[axis], reliability) for axis in ("x", "y")))


def _measured(run: Run, name: str, reliability: float) -> NDArray[np.float64]:
    """A variable as a survey of a run measures it. A variable has the same noise in each of its correlations."""
    variable = VARIABLES[name]
    true = variable.of(*(_column(run, column) for column in variable.columns))
    if name in PERFECTLY_MEASURED:
        return true
    return noisy(true, reliability, np.random.default_rng([run.seed, stream_key(f"survey {name}")]))


def noisy(true: NDArray[np.float64], reliability: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Values with the noise that leaves `reliability` of their variance true; what does not vary stays as it is."""
    sd = float(true.std()) * math.sqrt(1.0 / reliability - 1.0)
    return true + sd * rng.standard_normal(len(true)) if _varies(true) else true


def correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Pearson's correlation; 0 where one of the two does not vary.

    >>> correlation(np.array([1.0, 2.0, 3.0]), np.array([5.0, 5.0, 5.0]))
    0.0
    """
    return float(np.corrcoef(x, y)[0, 1]) if _varies(x) and _varies(y) else 0.0


def _varies(values: NDArray[np.float64]) -> bool:
    """Whether values differ: the standard deviation of equal ones may be a rounding error above 0."""
    return bool(values.min() < values.max())


def _level(pattern: Pattern, runs: Sequence[Run], _: float) -> float:
    (run,) = runs
    monthly = _national(run, pattern.needs["outcome"], slice(-run.parameters.window, None))
    return TRANSFORMS[pattern.needs.get("transform", "none")](float(monthly.mean()))


def _bunching(_: Pattern, runs: Sequence[Run], __: float) -> float:
    (run,) = runs
    reported, honest = run.record.last.T
    return bunching(reported, honest, run.parameters.target_level)


def bunching(reported: NDArray[np.float64], honest: NDArray[np.float64], target: float) -> float:
    """The share of reports that are just above the target, less the share that would be if all were honest."""
    just_above = ((target <= values) & (values < target + JUST_ABOVE) for values in (reported, honest))
    with_gaming, without = (float(np.mean(inside)) for inside in just_above)
    return with_gaming - without


def _contrast(pattern: Pattern, runs: Sequence[Run], _: float) -> float:
    months = slice(FIRST - 1, LAST)
    stays, changes = (float(_national(run, pattern.needs["outcome"], months).mean()) for run in runs)
    return changes - stays


def _share(pattern: Pattern, runs: Sequence[Run], _: float) -> float:
    before, after = (_column(run, pattern.needs["outcome"]) for run in runs)
    return float(np.mean(after < before))


def _path(pattern: Pattern, runs: Sequence[Run], _: float) -> NDArray[np.float64]:
    still, moved = (_national(run, pattern.needs["outcome"], slice(None)) for run in runs)
    difference: NDArray[np.float64] = (moved - still)[np.array(pattern.needs["months"]) - 1]
    return difference


_KINDS: dict[str, Kind] = {
    "correlation": Kind(_survey_arms, _correlation),
    "level": Kind(_survey_arms, _level),
    "bunching": Kind(_survey_arms, _bunching),
    "contrast": Kind(_contrast_arms, _contrast),
    "share": Kind(_share_arms, _share),
    "path": Kind(_path_arms, _path),
}

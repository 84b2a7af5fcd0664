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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError, shown
from sim.model import engine
from sim.model.outcomes import POST_COLUMNS
from sim.model.parameters import Parameters
from sim.model.record import outcomes
from sim.model.run import Run, run_parameters
from sim.model.streams import stream_key
from sim.pool import Progress, in_parallel
from sim.worlds.evidence import TRANSFORMS, VARIABLES, Evidence, Pattern
from sim.worlds.prior import World

Floats = NDArray[np.float64]
Measured = float | Floats
"""The model's value of a pattern; of a path, one for each of its months."""

CHANGE, FIRST, LAST = 61, 85, 96  # months of a contrast: the change of policy, and what is averaged
SHARE_MONTHS, SHARE_WINDOW = 120, 24
JUST_ABOVE = 0.03  # how far above the target a report counts as bunched
_COLUMN = {name: number for number, name in enumerate(POST_COLUMNS)}


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
Course = tuple[tuple[int, tuple[tuple[str, float], ...]], ...]
"""Levers that are set, each time from a month on."""


@dataclass(frozen=True)
class Arm:
    """A run that patterns need: a course of policies, each from a month on, the first from month 1."""

    course: Course
    systems: int
    months: int
    window: int

    def parameters(self, world: World, sizes: Sizes) -> Parameters:
        """The parameters of this run in a world."""
        own: dict[str, Any] = dict(self.course[0][1])
        schedule: dict[str, dict[int, float]] = {}
        for month, levers in self.course[1:]:
            resolved = world.parameters(**dict[str, Any](levers))  # a lever that it leaves open is the world's again
            for name in own | dict(levers):
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


def measurements(
    evidence: Evidence, world: World, seed: int, sizes: Sizes = DEFAULT_SIZES
) -> Iterator[dict[str, Measured]]:
    """What the studies find in a world, group of runs after group of runs, the most patterns for the least computing
    first.

    Each dictionary holds, by the id of its pattern, the model's value. A consumer that has seen enough may stop: the
    runs that it did not ask for are not made. The values depend on the world, the seed and the sizes alone.
    """
    groups: dict[tuple[Arm, ...], list[Pattern]] = {}
    for pattern in evidence.patterns:
        groups.setdefault(_arms(pattern, evidence.survey, sizes), []).append(pattern)
    cost = {arms: sum(arm.systems * arm.months for arm in arms) / len(those) for arms, those in groups.items()}
    runs: dict[Arm, Run] = {}
    for arms in sorted(groups, key=lambda arms: cost[arms]):
        for arm in arms:
            if arm not in runs:
                runs[arm] = run_parameters(arm.parameters(world, sizes), seed)
        needed = [runs[arm] for arm in arms]
        yield {p.id: _value(p, needed, world.reliability) for p in groups[arms]}


def measure(evidence: Evidence, world: World, seed: int, sizes: Sizes = DEFAULT_SIZES) -> dict[str, Measured]:
    """What the studies find in a world: the model's value of each pattern, by id, in the order of the evidence.

    >>> from sim.worlds.evidence import load
    >>> from sim.worlds.prior import DEFAULT
    >>> found = measure(load(), DEFAULT, seed=0, sizes=Sizes(1, 1, 2, 3))
    >>> 0.0 <= found["mixed-response-to-control"] <= 1.0
    True
    """
    found = {name: value for group in measurements(evidence, world, seed, sizes) for name, value in group.items()}
    return {pattern.id: found[pattern.id] for pattern in evidence.patterns}


def measure_all(
    evidence: Evidence,
    worlds: Iterable[World],
    seeds: Iterable[int],
    sizes: Sizes = DEFAULT_SIZES,
    progress: Progress | None = None,
    workers: int | None = None,
) -> dict[str, Floats]:
    """`measure` of each world under its seed, by threads: arrays by the id of the pattern, their first axis worlds."""
    jobs = [(world, int(seed)) for world, seed in zip(worlds, seeds, strict=True)]
    engine.warm_up()
    found = in_parallel(lambda job: measure(evidence, *job, sizes), jobs, progress, workers)
    return {p.id: np.array([values[p.id] for values in found]) for p in evidence.patterns}


def simulation_variance(
    evidence: Evidence, worlds: Iterable[World], seeds: int, sizes: Sizes = DEFAULT_SIZES, workers: int | None = None
) -> dict[str, Measured]:
    """How much each pattern's value varies in one and the same world: its variance over seeds 0 to `seeds` − 1,
    averaged over worlds.

    Raises `InputError` for fewer than two seeds or no world.
    """
    worlds = tuple(worlds)
    if seeds < 2 or not worlds:
        raise InputError([f"simulation variance: needs a world and at least 2 seeds, not {shown(seeds)}"])
    each, again = zip(*((world, seed) for world in worlds for seed in range(seeds)), strict=True)
    found = measure_all(evidence, each, again, sizes, workers=workers)
    own = {name: values.reshape(len(worlds), seeds, *values.shape[1:]) for name, values in found.items()}
    variances = {name: values.var(axis=1, ddof=1).mean(axis=0) for name, values in own.items()}
    return {name: variance if variance.ndim else float(variance) for name, variance in variances.items()}


def log_agreement(pattern: Pattern, measured: Measured, simulation_variance: Measured) -> float:
    """How well a world's value agrees with the finding: −½ (x − value)²/(sd² + simulation variance), at most 0,
    summed over the months of a path.

    >>> log_agreement(Pattern("churn", "level", 0.235, 0.03), 0.295, 0.0)
    -2.0
    """
    misses = (np.asarray(measured) - pattern.value) ** 2 / (np.square(pattern.sd) + simulation_variance)
    return float(-0.5 * np.sum(misses))


def _arms(pattern: Pattern, survey: Mapping[str, Any], sizes: Sizes) -> tuple[Arm, ...]:
    """The runs that a pattern needs, in the order in which `_value` takes them."""
    needs = pattern.needs
    if pattern.kind == "path":
        off, on = (((needs["lever"], needs[name]),) for name in ("value_off", "value_on"))
        months, window, still = needs["months"][-1], 1, (1, off)
        changes = [change for change in ((needs["on"], on), (needs["off"], off)) if change[0] <= months]
        courses: list[Course] = [(still,), (still, *changes)]
    elif "before" in needs:
        before, after = (tuple(sorted(needs[name].items())) for name in ("before", "after"))
        courses, months, window = [((1, before),), ((1, before), (CHANGE, after))], LAST, LAST - FIRST + 1
        if pattern.kind == "share":
            courses, months, window = [((1, before),), ((1, after),)], SHARE_MONTHS, SHARE_WINDOW
    else:
        levers = tuple(sorted((name, value) for name, value in survey.items() if name not in ("months", "window")))
        return (Arm(((1, levers),), sizes.survey_systems, survey["months"], survey["window"]),)
    return tuple(Arm(course, sizes.trial_systems, months, window) for course in courses)


def _value(pattern: Pattern, runs: Sequence[Run], reliability: float) -> Measured:
    """The value of a pattern from the runs that it needs."""
    needs, run = pattern.needs, runs[0]
    match pattern.kind:
        case "correlation":
            return correlation(*(_measured(run, needs[axis], reliability) for axis in ("x", "y")))
        case "level":
            level = float(_national(run, needs["outcome"])[-run.parameters.window :].mean())
            return TRANSFORMS[needs.get("transform", "none")](level)
        case "bunching":
            reported, honest = run.record.last.T
            return bunching(reported, honest, run.parameters.target_level)
        case "share":
            before, after = (_column(run, needs["outcome"]) for run in runs)
            return float(np.mean(after < before))
        case "contrast":
            stays, changes = (float(_national(run, needs["outcome"])[FIRST - 1 : LAST].mean()) for run in runs)
            return changes - stays
        case _:  # a path
            still, moved = (_national(run, needs["outcome"]) for run in runs)
            return np.asarray((moved - still)[np.array(needs["months"]) - 1])


def _national(run: Run, name: str) -> Floats:
    """A national outcome by month."""
    return np.asarray(outcomes(run.record.sums, len(run.record.totals))[name])


def _column(run: Run, name: str) -> Floats:
    """A column of posts, averaged over the last `window` months."""
    return np.asarray(run.record.totals[:, _COLUMN[name]] / run.parameters.window)


def _measured(run: Run, name: str, reliability: float) -> Floats:
    """A variable as a survey of a run measures it. A variable has the same noise in each of its correlations."""
    variable = VARIABLES[name]
    true = variable.of(*(_column(run, column) for column in variable.columns))
    if name == "monitoring":  # which is measured perfectly
        return true
    return noisy(true, reliability, np.random.default_rng([run.seed, stream_key(f"survey {name}")]))


def noisy(true: Floats, reliability: float, rng: np.random.Generator) -> Floats:
    """Values with the noise that leaves `reliability` of their variance true; what does not vary stays as it is."""
    sd = float(true.std()) * math.sqrt(1.0 / reliability - 1.0)
    return true + sd * rng.standard_normal(len(true)) if np.ptp(true) > 0.0 else true


def correlation(x: Floats, y: Floats) -> float:
    """Pearson's correlation; 0 where one of the two does not vary.

    >>> correlation(np.array([1.0, 2.0, 3.0]), np.array([5.0, 5.0, 5.0]))
    0.0
    """
    # The standard deviation of equal values may be a rounding error above 0; their range is not.
    return float(np.corrcoef(x, y)[0, 1]) if np.ptp(x) > 0.0 and np.ptp(y) > 0.0 else 0.0


def bunching(reported: Floats, honest: Floats, target: float) -> float:
    """The share of reports that are just above the target, less the share that would be if all were honest."""
    gamed, own = (float(np.mean((target <= x) & (x < target + JUST_ABOVE))) for x in (reported, honest))
    return gamed - own

"""Virtual surveys and trials: what the studies behind the evidence would have found in a world of the model.

A world's *statistics* are the patterns that it is held against and, beside them, the candidates that a study could
measure (`sim.worlds.candidates`), where the runs that they need are made for patterns anyway. Each statistic names its
runs (its arms) and is computed from them. A run that several need is made once; runs that are compared have the same
seed. What counts for a world is the mean of a statistic over several seeds.

- correlation: over the posts of the survey run, means over its last `window` months. Each measured variable, all but
  monitoring, carries noise of its own with the standard deviation sd(variable)·√(1/reliability − 1).
- level: the mean of an outcome over the last `window` months of the survey run, transformed.
- bunching: the share of posts of the survey run with a last reported indicator in [target, target + 0.03), less the
  share with the honest one there.
- contrast: `before` for 60 months and `after` from then on; the mean of months 85 to 96, less that of a run that stays
  at `before`.
- share: `before` and `after` throughout, 120 months each; the share of posts whose mean over the last 24 is lower in
  `after`.
- difference: the same runs; the national mean over the last 24 months in `after`, less that in `before`.
- path: a lever at `value_off`, but at `value_on` from month `on` until month `off`; the difference from the run in
  which it never moves, in the months named.

Levers that neither a pattern nor the survey sets are the world's, and so is what the survey gives as a range.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Self

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
from sim.worlds.candidates import CANDIDATES, Candidate
from sim.worlds.evidence import SIZES, TRANSFORMS, UNKNOWN, VARIABLES, Evidence, Pattern
from sim.worlds.prior import Nuisance, World

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
    system, managers in each organisation. By default those of the shipped patterns."""

    survey_systems: int = SIZES["systems"]
    trial_systems: int = SIZES["trial_systems"]
    organisations: int = SIZES["organisations"]
    managers: int = SIZES["managers"]

    @classmethod
    def of(cls, evidence: Evidence) -> Self:
        """Those that a file of patterns gives."""
        return cls(*(evidence.size(name) for name in ("systems", "trial_systems", "organisations", "managers")))


Course = tuple[tuple[int, tuple[tuple[str, Any], ...]], ...]
"""Levers that are set, each time from a month on."""
Statistic = Pattern | Candidate


@dataclass(frozen=True)
class Arm:
    """A run that statistics need: a course of policies, each from a month on, the first from month 1."""

    course: Course
    systems: int
    months: int
    window: int
    unknown: tuple[str, ...] = ()
    """Names of nuisance numbers of the world that are levers or spreads of this run."""

    def parameters(self, world: World, sizes: Sizes) -> Parameters:
        """The parameters of this run in a world."""
        own: dict[str, Any] = dict(self.course[0][1]) | {name: getattr(world.nuisance, name) for name in self.unknown}
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


@dataclass(frozen=True)
class Plan:
    """What is measured of a world: each statistic with its arms, and where its numbers stand in a row of all."""

    statistics: tuple[tuple[Statistic, tuple[Arm, ...]], ...]
    columns: Mapping[str, slice]


@lru_cache(maxsize=16)
def plan(evidence: Evidence, sizes: Sizes) -> Plan:
    """The patterns, in the order of the evidence, and the candidates that need no run beside theirs."""
    found: list[tuple[Statistic, tuple[Arm, ...]]] = []
    found.extend((pattern, _arms(pattern, evidence.survey, sizes)) for pattern in evidence.patterns)
    ids, made = {pattern.id for pattern in evidence.patterns}, {arm for _, arms in found for arm in arms}
    more = [(each, _arms(each, evidence.survey, sizes)) for each in CANDIDATES if each.id not in ids]
    found.extend((each, arms) for each, arms in more if made.issuperset(arms))
    widths = [np.size(each.value) if isinstance(each, Pattern) else 1 for each, _ in found]
    ends = np.cumsum(widths).tolist()
    columns = {each.id: slice(end - w, end) for (each, _), w, end in zip(found, widths, ends, strict=True)}
    return Plan(tuple(found), columns)


def columns(evidence: Evidence) -> Mapping[str, slice]:
    """Where each statistic, by its id, stands in a row of `vector`: patterns first, then candidates."""
    return plan(evidence, Sizes.of(evidence)).columns


def vector(evidence: Evidence, world: World, seed: int, sizes: Sizes | None = None) -> Floats:
    """What the studies find in a world with one seed, shape (numbers,), each where `columns` says.

    It depends on the world, the seed and the sizes alone; a statistic not on what else is measured.
    """
    sizes = Sizes.of(evidence) if sizes is None else sizes
    runs: dict[Arm, _Seen] = {}
    row: list[float] = []
    for each, arms in plan(evidence, sizes).statistics:
        for arm in arms:
            if arm not in runs:
                runs[arm] = _Seen(run_parameters(arm.parameters(world, sizes), seed), world.nuisance)
        row.extend(_value(each, [runs[arm] for arm in arms]))
    return np.array(row)


def seeds_of(number: int, surveys: int) -> list[int]:
    """The seeds of a world's surveys, from the number that an ensemble keeps of it.

    >>> seeds_of(7, 3)
    [21, 22, 23]
    """
    return [surveys * number + k for k in range(surveys)]


def statistics(evidence: Evidence, world: World, seed: int, sizes: Sizes | None = None) -> dict[str, Measured]:
    """`vector` by the id of the statistic.

    >>> from sim.worlds.evidence import load
    >>> from sim.worlds.prior import DEFAULT
    >>> found = statistics(load(), DEFAULT, seed=0, sizes=Sizes(1, 1, 2, 3))
    >>> 0.0 <= found["mixed-response-to-control"] <= 1.0
    True
    """
    return measure(evidence, world, (seed,), sizes)


def measure(evidence: Evidence, world: World, seeds: Sequence[int], sizes: Sizes | None = None) -> dict[str, Measured]:
    """A world's statistics: the mean of each over surveys and trials with these seeds, by its id."""
    rows = measure_all(evidence, (world,), (seeds,), sizes, workers=1)
    return {name: found[0] if found.ndim > 1 else float(found[0]) for name, found in rows.items()}


def measure_all(
    evidence: Evidence,
    worlds: Iterable[World],
    seeds: Iterable[Sequence[int] | int],
    sizes: Sizes | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
) -> dict[str, Floats]:
    """`measure` of each world under its seed or seeds, by threads: arrays by the id of the statistic, whose first axis
    is worlds; that of a path has a second, its months."""
    jobs = [(world, np.atleast_1d(own).tolist()) for world, own in zip(worlds, seeds, strict=True)]
    engine.warm_up()

    def mean(job: tuple[World, list[int]]) -> Floats:
        return np.asarray(np.mean([vector(evidence, job[0], seed, sizes) for seed in job[1]], axis=0))

    rows = np.array(in_parallel(mean, jobs, progress, workers))
    return by_statistic(evidence, rows)


def by_statistic(evidence: Evidence, rows: Floats) -> dict[str, Floats]:
    """Rows of `vector`, shape (worlds, numbers), as arrays by the id of the statistic."""
    paths = {pattern.id for pattern in evidence.patterns if pattern.kind == "path"}
    return {name: rows[:, at] if name in paths else rows[:, at.start] for name, at in columns(evidence).items()}


def simulation_variance(
    evidence: Evidence,
    worlds: Iterable[World],
    seeds: int,
    sizes: Sizes | None = None,
    workers: int | None = None,
) -> dict[str, Measured]:
    """How much each statistic of one seed varies in one and the same world: its variance over seeds 0 to `seeds` − 1,
    averaged over worlds. It is told, and enters no weight.

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


def log_agreement(pattern: Pattern, measured: Measured) -> float:
    """How well a world's value agrees with the finding: −½ ((x − value)/sd)², at most 0, summed over the months of a
    path.

    >>> log_agreement(Pattern("churn", "level", 0.235, 0.03), 0.295)
    -2.0
    """
    return float(-0.5 * np.sum(((np.asarray(measured) - pattern.value) / pattern.sd) ** 2))


def _arms(statistic: Statistic, survey: Mapping[str, Any], sizes: Sizes) -> tuple[Arm, ...]:
    """The runs that a statistic needs, in the order in which `_value` takes them."""
    needs = statistic.needs
    if statistic.kind == "path":
        off, on = (((needs["lever"], needs[name]),) for name in ("value_off", "value_on"))
        months, window, still = needs["months"][-1], 1, (1, off)
        changes = [change for change in ((needs["on"], on), (needs["off"], off)) if change[0] <= months]
        courses: list[Course] = [(still,), (still, *changes)]
    elif "before" in needs:
        before, after = (tuple(sorted(needs[name].items())) for name in ("before", "after"))
        courses, months, window = [((1, before),), ((1, after),)], SHARE_MONTHS, SHARE_WINDOW
        if statistic.kind == "contrast":
            courses, months, window = [((1, before),), ((1, before), (CHANGE, after))], LAST, LAST - FIRST + 1
    else:
        unknown = tuple(name for name in UNKNOWN if isinstance(survey.get(name), list))
        fixed = {n: v for n, v in survey.items() if n not in (*unknown, *SIZES, "months", "window")}
        course = ((1, tuple(sorted(fixed.items()))),)
        return (Arm(course, sizes.survey_systems, survey["months"], survey["window"], unknown),)
    return tuple(Arm(course, sizes.trial_systems, months, window) for course in courses)


@dataclass(frozen=True)
class _Seen:
    """A run as a study sees it in a world; what several statistics need of it is computed once."""

    run: Run
    nuisance: Nuisance

    @cached_property
    def national(self) -> Mapping[str, Floats]:
        """National outcomes by month."""
        return outcomes(self.run.record.sums, len(self.run.record.totals))

    def late(self, outcome: str) -> float:
        """A national outcome, averaged over the last `window` months."""
        return float(self.national[outcome][-self.run.parameters.window :].mean())

    def column(self, name: str) -> Floats:
        """A column of posts, averaged over the last `window` months."""
        return np.asarray(self.run.record.totals[:, _COLUMN[name]] / self.run.parameters.window)

    @cached_property
    def _measured(self) -> dict[str, Floats]:
        return {}

    def measured(self, name: str) -> Floats:
        """A variable as a survey measures it. A variable has the same noise in each of its correlations."""
        if name not in self._measured:
            variable, nuisance = VARIABLES[name], self.nuisance
            values = variable.of(*(self.column(column) for column in variable.columns), nuisance.quality_share)
            if name != "monitoring":  # which is measured perfectly
                rng = np.random.default_rng([self.run.seed, stream_key(f"survey {name}")])
                values = noisy(values, nuisance.reliability, rng)
            self._measured[name] = values
        return self._measured[name]


def _value(statistic: Statistic, runs: Sequence[_Seen]) -> Sequence[float]:
    """The value of a statistic from the runs that it needs; of a path, one for each of its months."""
    needs, seen = statistic.needs, runs[0]
    match statistic.kind:
        case "correlation":
            value = correlation(seen.measured(needs["x"]), seen.measured(needs["y"]))
        case "level":
            value = TRANSFORMS[needs.get("transform", "none")](seen.late(needs["outcome"]))
        case "bunching":
            reported, honest = seen.run.record.last.T
            value = bunching(reported, honest, seen.run.parameters.target_level)
        case "share":
            free, held = (each.column(needs["outcome"]) for each in runs)
            value = float(np.mean(held < free))
        case "difference":
            before, after = (each.late(needs["outcome"]) for each in runs)
            value = after - before
        case "contrast":
            stays, changes = (float(each.national[needs["outcome"]][FIRST - 1 : LAST].mean()) for each in runs)
            value = changes - stays
        case _:  # a path
            still, moved = (each.national[needs["outcome"]] for each in runs)
            return [float(moved[month - 1] - still[month - 1]) for month in needs["months"]]
    return [value]


def noisy(true: Floats, reliability: float, rng: np.random.Generator) -> Floats:
    """Values with the noise that leaves `reliability` of their variance true; what does not vary stays as it is."""
    known = true[~np.isnan(true)]
    sd = float(known.std()) * math.sqrt(1.0 / reliability - 1.0) if _varies(known) else 0.0
    return true + sd * rng.standard_normal(len(true)) if sd > 0.0 else true


def correlation(x: Floats, y: Floats) -> float:
    """Pearson's correlation over the pairs of which both are known; 0 where one of the two does not vary.

    >>> correlation(np.array([1.0, 2.0, 3.0, np.nan]), np.array([5.0, 5.0, 5.0, 6.0]))
    0.0
    """
    unknown = np.isnan(x) | np.isnan(y)
    if unknown.any():
        x, y = x[~unknown], y[~unknown]
    if not (_varies(x) and _varies(y)):
        return 0.0
    x, y = x - x.mean(), y - y.mean()
    return float(x @ y) / math.sqrt(float(x @ x) * float(y @ y))


def _varies(values: Floats) -> bool:
    # The standard deviation of equal values may be a rounding error above 0; their range is not.
    return len(values) > 0 and float(np.ptp(values)) > 0.0


def bunching(reported: Floats, honest: Floats, target: float) -> float:
    """The share of reports that are just above the target, less the share that would be if all were honest."""
    gamed, own = (float(np.mean((target <= x) & (x < target + JUST_ABOVE))) for x in (reported, honest))
    return gamed - own

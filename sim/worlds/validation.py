"""Findings that nothing is fitted to, and in how many of the worlds each is reproduced.

``validation.toml`` holds the findings: what was found, where, for or against the claim, and a list of checks, all of
which must hold in a world. A check is a number computed from runs that must lie between ``above`` and ``below``, both
excluded. What it is computed from is an expression, a sum of terms ``run outcome months``, as in
``"on effort 50-54 - off effort 50-54"``; without months the last `window` are meant. Runs are named in the file. A term
is a national mean, or one number for each post or organisation (``over``). The kinds of checks are in `KINDS`.

Runs of one world that are compared have the same seeds, and a check is the mean over these: six, unless the finding
says how many. Where a world has a mechanism off without which a check means nothing, ``unless_off``, it is left out.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.errors import whole
from sim.model import engine
from sim.model.outcomes import POST_COLUMNS
from sim.model.parameters import MECHANISMS
from sim.model.record import outcomes
from sim.model.run import Run, run_parameters
from sim.pool import Progress, in_parallel
from sim.worlds.evidence import VARIABLES
from sim.worlds.prior import World, Worlds
from sim.worlds.survey import correlation

Floats = NDArray[np.float64]
Over = Literal["nation", "posts", "organisations"]

SHIPPED = Path(__file__).with_name("validation.toml")
WORLDS, SEEDS = 150, 6
REPRODUCED = 0.5
"""A finding is reproduced where it holds in worlds with at least this share of the weight."""
_SIZES = {"systems": 4, "organisations": 5, "managers": 12, "months": 120, "window": 24}
_COLUMN = {name: number for number, name in enumerate(POST_COLUMNS)}


@dataclass(frozen=True)
class Finding:
    """A published finding that nothing is fitted to, and how it is looked for.

    Attributes
    ----------
    id, text, source : str
    confidence, side : how sure (`sim.worlds.evidence.CONFIDENCES`), and for or against the claim; "" where nobody said
    check : tuple of tables, as the file has them
    first_model : share of weight in which the first version of the model reproduced it, or None where it was not tried
    prompted : the mechanism that was put in because of it, or ""
    seeds : how many paired seeds a check is the mean over
    """

    id: str
    text: str
    source: str
    check: tuple[Mapping[str, Any], ...]
    confidence: str = ""
    side: str = ""
    first_model: float | None = None
    prompted: str = ""
    seeds: int = SEEDS


@dataclass(frozen=True)
class Term:
    """One term of an expression: a sign, a run, an outcome and perhaps its first and last month."""

    sign: int
    run: str
    outcome: str
    months: tuple[int, int] | None


@cache
def parse(expression: str) -> tuple[Term, ...]:
    """The terms of an expression.

    >>> parse("on effort 50-54 - off effort")[1]
    Term(sign=-1, run='off', outcome='effort', months=None)
    """
    terms, sign, words = list[Term](), 1, list[str]()
    for word in [*expression.split(), "+"]:
        if word not in ("+", "-"):
            words.append(word)
            continue
        run, outcome, *months = words
        first, last = map(int, months[0].split("-")) if months else (0, 0)
        terms.append(Term(sign, run, outcome, (first, last) if months else None))
        sign, words = 1 if word == "+" else -1, []
    return tuple(terms)


@cache
def read() -> tuple[Mapping[str, Mapping[str, Any]], tuple[Finding, ...]]:
    """The runs, by name, and the findings of the file that comes with the package."""
    table = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))
    return table["run"], tuple(Finding(**each | {"check": tuple(each["check"])}) for each in table["finding"])


@dataclass(frozen=True)
class Tried:
    """A world in which findings are looked for: its runs, each made when it is first needed."""

    world: World
    first_seed: int
    runs: Mapping[str, Mapping[str, Any]]
    _made: dict[tuple[str, int], Run] = field(default_factory=dict)

    def run(self, name: str, number: int) -> Run:
        """The run of this name under the seed of this number, from 0. What belongs to a mechanism that is off in the
        world stays off."""
        if (name, number) not in self._made:
            told = dict(self.runs[name])
            by_month, schedule = told.pop("by_month", False), told.pop("schedule", {})
            months = {lever: {int(month): value for month, value in at.items()} for lever, at in schedule.items()}
            held = {parameter for key in self.world.off for parameter in MECHANISMS[key].parameters}
            free = {key: value for key, value in told.items() if key not in held}
            parameters = self.world.parameters(**{**_SIZES, **free, "schedule": months})
            self._made[name, number] = run_parameters(parameters, self.first_seed + number, by_month)
        return self._made[name, number]

    def values(self, expression: str, over: Over, number: int) -> Floats:
        """An expression under a seed: one number, or one for each post or organisation."""
        terms = parse(expression)
        each = (term.sign * _term(self.run(term.run, number), term, over, self.world) for term in terms)
        return np.asarray(sum(each))


def _term(run: Run, term: Term, over: Over, world: World) -> Floats:
    p, record = run.parameters, run.record
    first, last = term.months or (p.months - p.window + 1, p.months)
    if over == "nation":
        by_month = outcomes(record.sums, len(record.totals))[term.outcome]
        return np.asarray(by_month[first - 1 : last].mean())
    if term.months and over == "organisations":
        return np.asarray(record.organisations[first - 1 : last, :, _COLUMN[term.outcome]].mean(axis=0) / p.managers)
    posts = record.totals / p.window
    rows = posts.reshape(-1, p.managers, posts.shape[1]).mean(axis=1) if over == "organisations" else posts
    variable = VARIABLES[term.outcome]
    return variable.of(*(rows[:, _COLUMN[name]] for name in variable.columns), world.nuisance.quality_share)


def _value(tried: Tried, seeds: range, of: str) -> float:
    """A national number."""
    return float(np.mean([tried.values(of, "nation", number) for number in seeds]))


def _ratio(tried: Tried, seeds: range, of: str, to: str) -> float:
    """One national number by another; infinite, or 1, where the other is 0."""
    a, b = _value(tried, seeds, of), _value(tried, seeds, to)
    return a / b if b else (np.inf if a else 1.0)


def _peak(tried: Tried, seeds: range, of: Sequence[str]) -> float:
    """How often the largest of several national numbers, but the first and the last, holds the larger of these two."""
    first, *between, last = (_value(tried, seeds, each) for each in of)
    ends, top = max(first, last), max(between)
    return top / ends if ends else (np.inf if top else 1.0)


def _correlation(tried: Tried, seeds: range, over: Over, x: str, y: str) -> float:
    """Pearson's correlation over posts or organisations, 0 where one of the two does not vary."""
    return float(np.mean([correlation(*(tried.values(each, over, number) for each in (x, y))) for number in seeds]))


def _spread(tried: Tried, seeds: range, over: Over, of: str, less: str) -> float:
    """The standard deviation of one thing over posts or organisations, less that of another."""
    spreads = [[tried.values(each, over, number).std() for each in (of, less)] for number in seeds]
    return float(np.mean([one - other for one, other in spreads]))


def _share_falling(tried: Tried, seeds: range, over: Over, of: str, less: str) -> float:
    """The share of posts or organisations in which one thing is below 0, less the share in which another is."""
    shares = [[np.mean(tried.values(each, over, number) < 0.0) for each in (of, less)] for number in seeds]
    return float(np.mean([one - other for one, other in shares]))


def _explained(tried: Tried, seeds: range, over: Over, y: str, x: Sequence[str]) -> float:
    """R² of the linear regression of one thing on several others, within the sample."""
    found = []
    for number in seeds:
        outcome = tried.values(y, over, number)
        columns = np.column_stack([np.ones_like(outcome), *(tried.values(each, over, number) for each in x)])
        rest = outcome - columns @ np.linalg.lstsq(columns, outcome, rcond=None)[0]
        found.append(1.0 - rest.var() / outcome.var() if np.ptp(outcome) > 0.0 else 0.0)
    return float(np.mean(found))


def _slope(tried: Tried, seeds: range, over: Over, x: str, y: str) -> float:
    """What one standard deviation of x goes with in y by linear regression, as a part of the mean of y."""
    found = []
    for number in seeds:
        a, b = (tried.values(each, over, number) for each in (x, y))
        found.append(correlation(a, b) * b.std() / abs(b.mean()) if b.mean() else 0.0)
    return float(np.mean(found))


KINDS: dict[str, Callable[..., float]] = {
    "value": _value,
    "ratio": _ratio,
    "peak": _peak,
    "correlation": _correlation,
    "spread": _spread,
    "share_falling": _share_falling,
    "explained": _explained,
    "slope": _slope,
}
"""What a check may compute, each with the keys that it takes from the file."""


def checked(tried: Tried, finding: Finding) -> Iterator[tuple[float, bool]]:
    """The number of each check of a finding that means something in a world, and whether it is where it must be."""
    for table in finding.check:
        keys = dict(table)
        kind, above, below = keys.pop("kind"), keys.pop("above", -np.inf), keys.pop("below", np.inf)
        if keys.pop("unless_off", None) in tried.world.off:
            continue
        number = KINDS[kind](tried, range(finding.seeds), **keys)
        yield number, bool(above < number < below)


def reproduced(world: World, first_seed: int = 0) -> dict[str, bool]:
    """Whether each finding holds in a world, by its id."""
    runs, findings = read()
    tried = Tried(world, first_seed, runs)
    return {finding.id: all(holds for _, holds in checked(tried, finding)) for finding in findings}


def validate(
    worlds: Worlds,
    number: int = WORLDS,
    seed: int = 0,
    *,
    progress: Progress | None = None,
    workers: int | None = None,
) -> pd.DataFrame:
    """In which share of the weight of some worlds each finding is reproduced.

    `number` worlds are drawn by weight; world number n has the seeds from 6n on. A row for each finding: ``id``,
    ``finding``, ``share`` with its standard ``error``, ``reproduced`` (whether the share is at least a half),
    ``first_model`` (the share in the first version of the model, NaN where it was not tried), ``fitted`` (``"no"``, or
    the mechanism that the finding prompted), ``side`` and ``source``.
    """
    sample = worlds.sample(whole("worlds", number, 2, 10**6), seed)
    engine.warm_up()
    jobs = list(enumerate(sample))
    found = in_parallel(lambda job: reproduced(job[1], SEEDS * job[0]), jobs, progress, workers)
    rows = []
    for each in read()[1]:
        share, error = sample.share([holds[each.id] for holds in found])
        fitted = f"prompted {each.prompted}" if each.prompted else "no"
        first = np.nan if each.first_model is None else each.first_model
        half = round(share, 9) >= REPRODUCED  # a sum of equal weights may miss a half by a rounding error
        row = (each.id, each.text, share, error, half, first, fitted, each.side, each.source)
        rows.append(row)
    columns = ["id", "finding", "share", "error", "reproduced", "first_model", "fitted", "side", "source"]
    return pd.DataFrame(rows, columns=columns)

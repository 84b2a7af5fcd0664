"""Does it hold? The verdict formed again with other worlds, other findings, other calibrations, other sizes.

A column differs from the main answer where its verdict by point estimates is another one and the change that makes it
so exceeds two of its errors; where it does not differ, but the change of the share is not known within 5 points, it
cannot tell. Pure functions of stored effects.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim import statistics
from sim.claims.verdict import CLASSES, Array, Class, Over, by_points, classes, over
from sim.model.glossary import joined
from sim.statistics import Estimate

HOLDS, DIFFERS, CANNOT_TELL, NO_FINDING = "holds", "differs", "cannot tell", "no finding"
COLUMNS = {
    "prior": "the published findings",
    "all_on": "mechanisms being off in some worlds",
    "left_out": "the findings on the same outcome",
    "halves": "which half of the calibrations is asked",
    "managers_4": "the size of organisations, at 4 managers",
    "managers_40": "the size of organisations, at 40 managers",
    "months_60": "the time, after 5 years",
    "months_240": "the time, after 20 years",
}
"""What a verdict is formed again with, and what it depends on where that differs."""
CLEARLY = 2.0
"""Errors that a change must exceed."""
UNCLEAR = 0.05
"""The error of a change of share above which nothing can be told."""
FEW = 6
"""Calibrations below which a column's own errors are not trusted."""
Calibrations = NDArray[np.int64]


@dataclass(frozen=True)
class Change:
    """What a column changes: the mean effect and the share of each class, column less main answer, with errors."""

    mean: Estimate
    shares: Mapping[Class, Estimate]


@dataclass(frozen=True)
class Again:
    """The verdict of a column by point estimates, what it changes, and whether it holds."""

    over: Over
    verdict: Class | None
    change: Change
    status: str


def status(main: Class | None, column: Class | None, change: Change, largest: Class, times: float = CLEARLY) -> str:
    """Whether a column differs, holds, or cannot tell.

    `main` and `column` are the verdicts by point estimates. What counts is the change of the mean and of the shares
    that the verdicts are about: the `largest` of the main answer, and those of the classes that are carried.
    """
    asked = {largest, *({main, column} - {None})}
    clear = [
        abs(c.estimate) > times * c.error for c in (change.mean, *(change.shares[k] for k in asked if k is not None))
    ]
    if main != column and any(clear):
        return DIFFERS
    return HOLDS if change.shares[largest].error <= UNCLEAR else CANNOT_TELL


def same_worlds(
    main: ArrayLike,
    column: ArrayLike,
    limit: float,
    weights: Array,
    calibrations: Calibrations,
    column_weights: Array | None = None,
    answer: Over | None = None,
) -> Again:
    """A column in the worlds of the main answer: other effects, other weights, or both.

    The change is that from `main` to `column` in these worlds, its error the jackknife of the change. The verdict that
    it is held against is that of the `answer`, by default of `main` in these worlds.
    """
    x, y = np.asarray(main, dtype=np.float64), np.asarray(column, dtype=np.float64)
    own = weights if column_weights is None else column_weights
    ratio = np.divide(own, weights, out=np.zeros(len(weights)), where=weights > 0.0)
    before, after = (np.stack([z, *(classes(z, limit) == one for one in CLASSES)]) for z in (x, y))

    def change(w: Array) -> Array:
        v = w * ratio
        return np.asarray(after @ v / v.sum() - before @ w)

    values, errors = statistics.jackknife(change, weights, calibrations)
    mean, *shares = (Estimate(*pair) for pair in zip(values.tolist(), errors.tolist(), strict=True))
    first = over(x, limit, weights, calibrations) if answer is None else answer
    return _again(
        first, over(y, limit, own, calibrations), limit, Change(mean, dict(zip(CLASSES, shares, strict=True)))
    )


def other_worlds(main: Over, spread: Change, column: Over, limit: float, calibrations: int) -> Again:
    """A column in other worlds, from so many `calibrations`.

    The error of the change is √(e₁² + e₂²). `spread` holds the main answer's standard deviations between calibrations
    as errors: of a column with fewer than `FEW` calibrations e₂ is that over the root of its effective number.
    """

    def apart(a: Estimate, b: Estimate, s: Estimate) -> Estimate:
        error = s.error / column.r_eff**0.5 if calibrations < FEW else b.error
        return Estimate(b.estimate - a.estimate, float(np.hypot(a.error, error)))

    shares = {one: apart(main.shares[one], column.shares[one], spread.shares[one]) for one in CLASSES}
    return _again(main, column, limit, Change(apart(main.mean, column.mean, spread.mean), shares))


def spread_of(effects: ArrayLike, limit: float, weights: Array, calibrations: Calibrations) -> Change:
    """Mean and shares with, as errors, their standard deviations between calibrations."""
    x = np.asarray(effects, dtype=np.float64)

    def one(values: ArrayLike) -> Estimate:
        return Estimate(statistics.weighted_mean(weights, values), statistics.between(weights, values, calibrations))

    return Change(one(x), {k: one(classes(x, limit) == k) for k in CLASSES})


def halves(
    effects: ArrayLike, limit: float, weights: Array, calibrations: Calibrations, largest: Class
) -> Again | None:
    """Each half of the calibrations, in the order of their numbers, held against the other; None for fewer than 4."""
    x, numbers = np.asarray(effects, dtype=np.float64), np.unique(calibrations)
    if len(numbers) < 4:
        return None
    first = np.isin(calibrations, numbers[: len(numbers) // 2])
    a, b = (over(x[half], limit, weights[half] / weights[half].sum(), calibrations[half]) for half in (first, ~first))

    def apart(p: Estimate, q: Estimate) -> Estimate:
        return Estimate(q.estimate - p.estimate, float(np.hypot(p.error, q.error)))

    change = Change(apart(a.mean, b.mean), {one: apart(a.shares[one], b.shares[one]) for one in CLASSES})
    times = float(statistics.student(a.r_eff + b.r_eff - 1.0))
    verdicts = by_points(a, limit), by_points(b, limit)
    return Again(b, verdicts[1], change, status(*verdicts, change, largest, times))


def one_left_out(effects: ArrayLike, limit: float, weights: Array, calibrations: Calibrations) -> list[Class | None]:
    """The verdict by point estimates without each of the calibrations; printed, and decides nothing."""
    x = np.asarray(effects, dtype=np.float64)
    kept = (calibrations != number for number in np.unique(calibrations))
    return [by_points(over(x[k], limit, weights[k] / weights[k].sum(), calibrations[k]), limit) for k in kept]


def overall(statuses: Mapping[str, str]) -> str:
    """Robust, or what the answer depends on, from the status of each of `COLUMNS`; one that is missing cannot tell.

    >>> overall({**dict.fromkeys(COLUMNS, "holds"), "prior": "differs"})
    'depends on the published findings'
    """
    found = {name: statuses.get(name, CANNOT_TELL) for name in COLUMNS}

    def which(status: str) -> Iterable[str]:
        return [words for name, words in COLUMNS.items() if found[name] == status]

    if differing := which(DIFFERS):
        return f"depends on {joined(list(differing))}"
    unclear = list(which(CANNOT_TELL))
    return "robust" if len(unclear) <= 1 else f"depends on what cannot be told: {joined(unclear)}"


def _again(main: Over, column: Over, limit: float, change: Change) -> Again:
    verdict = by_points(column, limit)
    return Again(column, verdict, change, status(by_points(main, limit), verdict, change, main.largest))

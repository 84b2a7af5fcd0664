"""Does it hold? The verdict formed again with other worlds, other findings, other calibrations, other sizes.

A column differs from the main answer where its verdict by point estimates is another one and the change that makes it
so exceeds two of its errors; where it does not differ, but the change of the share is not known within 5 points, it
cannot tell. Pure functions of stored effects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim import statistics
from sim.claims.verdict import CLASSES, Array, Class, Over, by_points, classes, over, said
from sim.model.glossary import joined
from sim.statistics import Estimate
from sim.worlds.evaluate import Effects

HOLDS, DIFFERS, CANNOT_TELL, NO_FINDING = "holds", "differs", "cannot tell", "no finding"
COLUMNS = {
    "prior": "the published findings",
    "all_on": "mechanisms being off in some worlds",
    "left_out": "the findings on the same outcome",
    "halves": "which half of the calibrations is asked",
    "managers_4": "the size of organisations (4 managers)",
    "managers_40": "the size of organisations (40 managers)",
    "months_60": "the time (5 years)",
    "months_240": "the time (20 years)",
}
"""What a verdict is formed again with, and what it depends on where that differs."""
CLEARLY = 2.0
"""Errors that a change must exceed."""
UNCLEAR = 0.05
"""The error of a change of share above which nothing can be told."""
LEFT = 400.0
"""The effective size below which the worlds that are left without some findings say too little."""
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
    unclear = len(list(which(CANNOT_TELL)))
    return "robust" if unclear <= 1 else f"depends on what {unclear} of {len(COLUMNS)} columns cannot tell"


def _again(main: Over, column: Over, limit: float, change: Change) -> Again:
    verdict = by_points(column, limit)
    return Again(column, verdict, change, status(by_points(main, limit), verdict, change, main.largest))


@dataclass(frozen=True)
class Columns:
    """The effects that verdicts are formed again with.

    Attributes
    ----------
    others : mapping, column to effects in other worlds.
    same : mapping, column to the main effects in some of the worlds, and those under other sizes there.
    refits : mapping, findings to effects in worlds calibrated without them.
    without : function, from findings to the weights of the main worlds without them.
    """

    without: Callable[[Sequence[str]], Array]
    others: Mapping[str, Effects] = field(default_factory=dict)
    same: Mapping[str, tuple[Effects, Effects]] = field(default_factory=dict)
    refits: Mapping[frozenset[str], Effects] = field(default_factory=dict)


def held(
    e: Effects,
    columns: Columns,
    rows: Sequence[Mapping[str, Any]],
    sizes: Mapping[str, float],
    left_out: Callable[[str, str], tuple[str, ...]],
) -> Iterator[dict[str, Any]]:
    """A row for each row of the answer that has a limit, and each column that was asked.

    ``verdict`` by point estimates, ``status``, the change of the mean and of the main answer's largest share, the mean
    and the shares with their errors, and ``worlds`` by effective size. `left_out` names the findings on an outcome of
    a contrast.
    """
    for row in rows:
        if "delta" not in row:
            continue
        key, delta = (row["contrast"], row["outcome"]), sizes[row["outcome"]]
        x, w, c = e.of(*key), e.sample.weights, e.sample.calibrations
        main, spread = over(x, delta, w, c), spread_of(x, delta, w, c)
        named = {name: row[name] for name in ("contrast", "outcome")}

        def told(column: str, found: Again, size: float, row: Any = row, named: Any = named, main: Over = main) -> Any:
            change = found.change.shares[main.largest]
            shares = {n: found.over.shares[one] for one, n in CLASSES.items()} | {"mean": found.over.mean}
            return {
                **named, "column": column, "status": found.status, "worlds": size,
                "verdict": said(found.verdict, row["sign"], row["direction"]),
                "change_mean": found.change.mean.estimate, "change_mean_error": found.change.mean.error,
                "change_share": change.estimate, "change_share_error": change.error,
                **{k: v for n, s in shares.items() for k, v in ((n, s.estimate), (f"{n}_error", s.error))},
            }  # fmt: skip

        def elsewhere(
            other: Effects, key: Any = key, delta: float = delta, main: Over = main, spread: Change = spread
        ) -> Again:
            there = over(other.of(*key), delta, other.sample.weights, other.sample.calibrations)
            return other_worlds(main, spread, there, delta, len(np.unique(other.sample.calibrations)))

        for name, other in columns.others.items():
            yield told(name, elsewhere(other), other.sample.effective_size)
        if not (findings := left_out(*key)):
            yield {**named, "column": "left_out", "status": NO_FINDING, "verdict": ""}
        elif (refit := columns.refits.get(frozenset(findings))) is not None:
            yield told("left_out", elsewhere(refit), refit.sample.effective_size)
        else:
            own = columns.without(findings)
            size, found = statistics.effective_size(own), same_worlds(x, x, delta, w, c, own)
            enough = size >= LEFT
            yield told("left_out", found, size) | ({} if enough else {"status": CANNOT_TELL})
        if (half := halves(x, delta, w, c, main.largest)) is not None:
            yield told("halves", half, e.sample.effective_size)
        for name, (before, after) in columns.same.items():
            s = before.sample
            again = same_worlds(before.of(*key), after.of(*key), delta, s.weights, s.calibrations, answer=main)
            yield told(name, again, s.effective_size)


def left_one_out(
    e: Effects, rows: Sequence[Mapping[str, Any]], sizes: Mapping[str, float], most: int = 50
) -> Iterator[dict[str, Any]]:
    """A row for each row of the answer and each calibration: the verdict by point estimates without it. None where
    there are more than `most` calibrations, as with worlds of the prior."""
    numbers = np.unique(e.sample.calibrations)
    for row in rows if 1 < len(numbers) <= most else ():
        if "delta" in row:
            key = row["contrast"], row["outcome"]
            found = one_left_out(e.of(*key), sizes[key[1]], e.sample.weights, e.sample.calibrations)
            for number, verdict in zip(numbers.tolist(), found, strict=True):
                told = said(verdict, row["sign"], row["direction"])
                yield {"contrast": key[0], "outcome": key[1], "without": number, "verdict": told}

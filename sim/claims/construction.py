"""By construction: effects that one parameter, or a formula, decides, and the value of the parameter where they turn.

Such an outcome gets its break-even and no verdict, because what the worlds say about it was put in by hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sim import statistics
from sim.claims.discovery import factors
from sim.claims.statements import FORMULAS
from sim.claims.verdict import Array, Sign
from sim.model.words import phrase
from sim.statistics import Estimate
from sim.worlds.evaluate import Contrast
from sim.worlds.prior import DRAWN, Worlds

Truth = NDArray[np.bool_]
Calibrations = NDArray[np.int64]

FEWEST = 40.0
"""Effective worlds that the smaller class must have."""
CUT, FORMULA = 0.85, 0.9
"""The balanced accuracy from which on an effect counts as decided."""
NOT_TESTABLE = "not testable"
MOST_FOLDS = 20  # worlds of the prior are a calibration each, and are dealt into so many folds
GRID = 101  # values of a parameter at which its regression is told


class Cut(NamedTuple):
    """One cut on one parameter: `beyond` says whether what is true lies above it."""

    parameter: str
    value: float
    beyond: bool
    accuracy: float


class Decision(NamedTuple):
    """Whether an outcome is decided by construction, by which `parameter`, and how well that was told on worlds left
    out; `how` is "one cut", "formula", "no" or "not testable"."""

    how: str
    parameter: str = ""
    accuracy: Estimate = Estimate(np.nan, np.nan)

    @property
    def decided(self) -> bool:
        """Whether there is no verdict on it."""
        return self.how in ("one cut", "formula")


def decision(
    effects: ArrayLike, contrast: Contrast, outcome: str, delta: float, side: Sign, sample: Worlds, table: pd.DataFrame
) -> Decision:
    """Whether an effect beyond δ on the claimed side, or of an outcome without a sign (0) on the commoner one, is
    decided by a formula or by one cut on one of the factors in `table`, which has the worlds' effective values."""
    x = np.asarray(effects, dtype=np.float64)
    if side == 0:
        side = 1 if sample.share(x > delta).estimate >= sample.share(x < -delta).estimate else -1
    truth = side * x > delta
    if min(_size(sample.weights[truth]), _size(sample.weights[~truth])) < FEWEST:
        return Decision(NOT_TESTABLE)
    if (found := formula(contrast, outcome, table, sample)) is not None:
        right = accuracy(side * found[0] > delta, truth, sample.weights, sample.calibrations)
        if right.estimate >= FORMULA:
            return Decision("formula", found[1], right)
    parameter, right = one_cut(table[list(DRAWN)], truth, sample.weights, sample.calibrations)
    return Decision("one cut" if right.estimate - right.error >= CUT else "no", parameter, right)


def _size(weights: Array) -> float:
    return statistics.effective_size(weights) if weights.sum() > 0.0 else 0.0


def formula(contrast: Contrast, outcome: str, table: pd.DataFrame, sample: Worlds) -> tuple[Array, str] | None:
    """The effect that a formula of `FORMULAS` gives in each world, and the parameter that decides it; None where there
    is no formula for it."""
    if outcome not in FORMULAS or [sign for sign, _ in contrast.arms] != [1, -1]:
        return None
    (_, plus), (_, minus) = contrast.arms
    regimes = [[arm.parameters(world, systems=1) for world in sample] for arm in (plus, minus)]
    (m1, r1), (m0, r0) = (
        tuple(np.array([getattr(p, name) for p in arms]) for name in ("monitoring", "relationship")) for arms in regimes
    )
    burden, power, time = (table[n].to_numpy() for n in ("burden", "burden_power", "relationship_time"))
    deciding = "burden" if (m1 != m0).any() else "relationship_time"
    return np.asarray(-burden * (m1**power - m0**power) - time * (r1 - r0)), deciding


def accuracy(predicted: Truth, truth: Truth, weights: Array, calibrations: Calibrations) -> Estimate:
    """Weighted balanced accuracy, the mean of the shares of both classes that are told rightly, with its error."""

    def balanced(w: Array) -> Array:
        masses = np.array([w @ truth, w @ ~truth])
        right = np.array([w @ (truth & predicted), w @ (~truth & ~predicted)])
        return np.asarray(np.divide(right, masses, out=np.zeros(2), where=masses > 0.0).mean())

    found, error = statistics.jackknife(balanced, weights, calibrations)
    return Estimate(float(found), float(error))


def one_cut(table: pd.DataFrame, truth: Truth, weights: Array, calibrations: Calibrations) -> tuple[str, Estimate]:
    """How well one cut on one factor tells where something is true, on calibrations left out: parameter and cut are
    chosen anew without each of them. Also the parameter that is chosen from all worlds."""
    x, names = table.to_numpy(dtype=np.float64), list(map(str, table))
    order = np.argsort(x, axis=0, kind="stable")
    _, number = np.unique(calibrations, return_inverse=True)
    fold, predicted = number % MOST_FOLDS, np.zeros(len(x), dtype=bool)
    for one in np.unique(fold):
        out = fold == one
        column, value, beyond, _ = _best(x, order, truth, np.where(out, 0.0, weights))
        predicted[out] = (x[out, column] > value) == beyond
    column, *_ = _best(x, order, truth, weights)
    return names[column], accuracy(predicted, truth, weights, calibrations)


def best_cut(table: pd.DataFrame, truth: Truth, weights: Array) -> Cut:
    """The cut on one factor with the highest weighted balanced accuracy in these worlds."""
    x = table.to_numpy(dtype=np.float64)
    column, value, beyond, right = _best(x, np.argsort(x, axis=0, kind="stable"), truth, weights)
    return Cut(str(table.columns[column]), value, beyond, right)


def _best(x: Array, order: NDArray[np.int64], truth: Truth, weights: Array) -> tuple[int, float, bool, float]:
    """The column, the cut, the side and the balanced accuracy of the best cut; `order` sorts each column of x."""
    masses = weights @ truth, weights @ ~truth
    if not min(masses) > 0.0:
        return 0, np.inf, bool(masses[0] > 0.0), 0.5
    step = np.where(truth, weights / masses[0], -weights / masses[1])
    gap = np.cumsum(step[order], axis=0)[:-1]  # how much more of what is true than of what is not lies below
    values = np.take_along_axis(x, order, axis=0)
    gap[values[:-1] == values[1:]] = 0.0
    row, column = divmod(int(np.argmax(np.abs(gap))), gap.shape[1])
    cut = (values[row, column] + values[row + 1, column]) / 2.0
    return column, float(cut), bool(gap[row, column] < 0.0), 0.5 + abs(float(gap[row, column])) / 2.0


def break_even(
    values: ArrayLike, effects: ArrayLike, sample: Worlds, levels: Mapping[str, float]
) -> Iterator[dict[str, Any]]:
    """Where the monotone regression of an effect on a parameter's value crosses each of the `levels`, by name.

    A row for each level: ``level``, ``at``, the ``value`` of the parameter where it is crossed, NaN where it is not,
    and the interval, ``low`` and ``high``, which holds all values at which the fitted effect ± t·error contains the
    level; the error is the jackknife over calibrations at that value. Also the share of weight ``above`` the value.
    """
    x, y = np.asarray(values, dtype=np.float64), np.asarray(effects, dtype=np.float64)
    grid = np.linspace(np.min(x), np.max(x), GRID)
    rising = bool(np.cov(x, y, aweights=sample.weights)[0, 1] >= 0.0)
    calibrations = sample.calibrations
    if len(np.unique(calibrations)) > MOST_FOLDS:  # worlds of the prior: in groups, so that the jackknife ends
        calibrations = np.unique(calibrations, return_inverse=True)[1] % MOST_FOLDS
    fitted, error = statistics.jackknife(lambda w: monotone(x, y, w, rising, grid), sample.weights, calibrations)
    half = float(statistics.student(statistics.effective_calibrations(sample.weights, calibrations))) * error
    for name, level in levels.items():
        value = crossing(grid, fitted, level)
        inside = grid[(fitted - half <= level) & (level <= fitted + half)]
        inside = np.append(inside, [] if np.isnan(value) else value)  # it may lie between two values of the grid
        low, high = (float(np.min(inside)), float(np.max(inside))) if len(inside) else (np.nan, np.nan)
        above = np.nan if np.isnan(value) else sample.share(x > value).estimate
        yield {"level": name, "at": level, "value": value, "low": low, "high": high, "above": above}


def monotone(x: Array, y: Array, weights: Array, rising: bool, grid: Array) -> Array:
    """The weighted monotone regression of y on x, at the values of a grid; straight between worlds."""
    from sklearn.isotonic import IsotonicRegression  # noqa: PLC0415

    some = weights > 0.0
    model = IsotonicRegression(increasing=rising, out_of_bounds="clip")
    return np.asarray(model.fit(x[some], y[some], sample_weight=weights[some]).predict(grid), dtype=np.float64)


def crossing(grid: Array, fitted: Array, level: float) -> float:
    """Where a monotone curve first reaches or passes a level, by straight lines; NaN where it never does.

    >>> crossing(np.array([0.0, 1.0, 2.0]), np.array([-1.0, 0.0, 3.0]), 1.5)
    1.5
    """
    side = np.sign(fitted - level)
    change = np.flatnonzero(side != side[0])
    if not len(change) or side[0] == 0.0:
        return float(grid[0]) if side[0] == 0.0 else float("nan")
    k = int(change[0])
    a, b = fitted[k - 1], fitted[k]
    return float(grid[k - 1] + (level - a) / (b - a) * (grid[k] - grid[k - 1]))


def effective(sample: Worlds) -> pd.DataFrame:
    """The values of parameters that have effect in each world: the null where a mechanism is off."""
    return factors(sample)[list(DRAWN)]


def levels_of(delta: float, sign: Sign) -> dict[str, float]:
    """The levels at which a break-even is told: 0, and δ on the claimed side, or on both.

    >>> levels_of(0.02, -1)
    {'0': 0.0, 'δ': -0.02}
    """
    return {"0": 0.0, "δ": sign * delta} if sign else {"0": 0.0, "δ": delta, "−δ": -delta}


def marked(rows: Sequence[Mapping[str, Any]], decisions: Mapping[tuple[str, str], Decision]) -> list[dict[str, Any]]:
    """Rows with what was found; where an outcome is decided by construction, it stands in the place of the
    verdict."""
    told = []
    for row in rows:
        found = decisions.get((row["contrast"], row["outcome"]))
        more = {} if found is None else {
            "construction": found.how, "decided_by": found.parameter if found.decided else "",
            "construction_accuracy": found.accuracy.estimate, "construction_error": found.accuracy.error,
        }  # fmt: skip
        if found is not None and found.decided:
            more |= {"verdict": BY_CONSTRUCTION, "words": f"{BY_CONSTRUCTION} it depends on {phrase(found.parameter)}"}
        told.append({**row, **more})
    return told


BY_CONSTRUCTION = "by construction"

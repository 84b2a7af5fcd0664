"""Means, shares and quantiles with their errors: of independent values, and of weighted worlds.

Worlds come from independent calibrations, and what is common to the worlds of one is no evidence about the next. So
the error of whatever is computed from weighted worlds is the jackknife that deletes one calibration at a time (Efron
1982), and the weights say how much each calibration counts. Worlds drawn from the prior are a calibration each.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.errors import InputError

Weights = NDArray[np.float64]
Whole = NDArray[np.int64]

CONFIDENCE = 0.95
"""Of every interval."""


class Estimate(NamedTuple):
    """A weighted mean or share with its standard error."""

    estimate: float
    error: float


def student(n: ArrayLike) -> NDArray[np.float64]:
    """Student's quantile for a mean of `n` values: half of its `CONFIDENCE` interval in standard errors; NaN for n < 2.

    >>> float(student(3).round(3))
    4.303
    """
    from scipy.special import stdtrit  # noqa: PLC0415

    size = np.asarray(n, dtype=np.float64)
    return np.where(size < 2, np.nan, stdtrit(np.maximum(size - 1, 1), 0.5 + CONFIDENCE / 2))


def mean_interval(values: ArrayLike, axis: int = -1) -> NDArray[np.float64]:
    """Means of independent values along an axis with their intervals by Student's t: estimate, low and high.

    The first axis of the result has these three, the others are those of `values` without `axis`. Values that are all
    the same have an interval without width; low and high are NaN for fewer than two values, all three for none.

    >>> mean_interval([[1.0, 2.0, 3.0], [5.0, 5.0, 5.0]]).round(3).tolist()
    [[2.0, 5.0], [-0.484, 5.0], [4.484, 5.0]]
    """
    x = np.moveaxis(np.asarray(values, dtype=np.float64), axis, -1)
    if (n := x.shape[-1]) < 2:
        estimate = x[..., 0] if n else np.full(x.shape[:-1], np.nan)
        return np.stack([estimate, np.full_like(estimate, np.nan), np.full_like(estimate, np.nan)])
    same = np.ptp(x, axis=-1) == 0.0  # rounding in the mean must not make an interval of it
    estimate = np.where(same, x[..., 0], x.mean(axis=-1))
    half = np.where(same, 0.0, student(n) * x.std(axis=-1, ddof=1) / n**0.5)
    return np.stack([estimate, estimate - half, estimate + half])


def normalised(logarithms: ArrayLike) -> Weights:
    """Weights that sum to 1 from their logarithms, known up to a constant; −inf is a weight of zero.

    Raises `ValueError` where no weight is above zero.
    """
    logs = np.asarray(logarithms, dtype=np.float64)
    top = logs.max(initial=-np.inf)
    if not np.isfinite(top):
        raise ValueError("no weight is above zero")
    weights = np.exp(logs - top)
    return np.asarray(weights / weights.sum())


def log_sum(logarithms: ArrayLike) -> float:
    """The logarithm of the sum of numbers whose logarithms are given; −inf is none."""
    logs = np.asarray(logarithms, dtype=np.float64)
    top = logs.max(initial=-np.inf)
    return float(top + np.log(np.exp(logs - top).sum())) if np.isfinite(top) else -np.inf


def effective_size(weights: ArrayLike) -> float:
    """How many equally weighted worlds would be as many, (Σw)²/Σw² (Kish).

    >>> effective_size([0.5, 0.5, 0.0])
    2.0
    """
    w = np.asarray(weights, dtype=np.float64)
    return float(w.sum() ** 2 / (w**2).sum())


def by_calibration(values: ArrayLike, calibrations: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sums of `values` over the worlds of each calibration, in the order of their numbers."""
    which = _numbered(np.asarray(calibrations, dtype=np.int64).tobytes())
    return np.asarray(np.bincount(which, weights=np.asarray(values, dtype=np.float64)), dtype=np.float64)


@lru_cache(maxsize=32)
def _numbered(calibrations: bytes) -> Whole:
    """The place of each world's calibration among them all, kept: an answer asks thousands of times about the same
    worlds, and looking for it is most of the time."""
    return np.asarray(np.unique(np.frombuffer(calibrations, dtype=np.int64), return_inverse=True)[1])


def effective_calibrations(weights: Weights, calibrations: NDArray[np.int64]) -> float:
    """R_eff, how many calibrations of equal weight would be as many: 1/Σw².

    >>> effective_calibrations(np.full(4, 0.25), np.array([1, 1, 2, 2]))
    2.0
    """
    return effective_size(by_calibration(weights, calibrations))


def jackknife(
    function: Callable[[Weights], ArrayLike], weights: Weights, calibrations: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What a function of the weights gives, and its standard error: √((R−1)/R·Σ(θ₍₋r₎ − mean θ₍₋.₎)²).

    Each of the R calibrations is deleted in turn: its weights become 0, and the rest sum to 1 again. Both results have
    the shape of what the function gives; the error is NaN where there is one calibration only.
    """
    w = weights / weights.sum()
    whole = np.asarray(function(w), dtype=np.float64)
    there = np.unique(calibrations[w > 0.0])
    if len(there) < 2:
        return whole, np.full(whole.shape, np.nan)
    rest = (np.where(calibrations == one, 0.0, w) for one in there)
    without = np.array([function(left / left.sum()) for left in rest], dtype=np.float64)
    return whole, _spread(without)


def _spread(without: NDArray[np.float64]) -> NDArray[np.float64]:
    """The jackknife's error from the values that deleting each in turn leaves, along the first axis."""
    n = len(without)
    return np.asarray(np.sqrt((n - 1) / n * ((without - without.mean(axis=0)) ** 2).sum(axis=0)))


def mean(weights: Weights, values: ArrayLike, calibrations: NDArray[np.int64]) -> Estimate:
    """Weighted mean of a value for each world with its `jackknife` error; NaN for a single calibration.

    >>> mean(np.full(4, 0.25), [1.0, 2.0, 3.0, 4.0], np.array([1, 1, 2, 2]))
    Estimate(estimate=2.5, error=1.0)
    """
    x = _for_each(weights, values)
    some = weights > 0.0
    mass, sums = (by_calibration(part[some], calibrations[some]) for part in (weights, weights * x))
    centre = float(sums.sum() / mass.sum())
    if len(mass) < 2:
        return Estimate(centre, float("nan"))
    return Estimate(centre, float(_spread((sums.sum() - sums) / (mass.sum() - mass))))


def share(weights: Weights, truth: ArrayLike, calibrations: NDArray[np.int64]) -> Estimate:
    """The share of weight where `truth` holds, with its `jackknife` error.

    >>> share(np.full(4, 0.25), [True, True, False, False], np.arange(4)).estimate
    0.5
    """
    return mean(weights, np.asarray(truth) != 0, calibrations)


def between(weights: Weights, values: ArrayLike, calibrations: NDArray[np.int64]) -> float:
    """The standard deviation, between calibrations, of the weighted mean in each; NaN for a single one.

    >>> between(np.full(4, 0.25), [1.0, 1.0, 3.0, 3.0], np.array([1, 1, 2, 2])) == 2**0.5
    True
    """
    x, some = _for_each(weights, values), weights > 0.0
    mass, sums = (by_calibration(part[some], calibrations[some]) for part in (weights, weights * x))
    if len(mass) < 2:
        return float("nan")
    w, means = mass / mass.sum(), sums / mass
    return float(np.sqrt(w @ (means - w @ means) ** 2 / (1.0 - w @ w)))


def interval(estimate: float, error: float, r_eff: float) -> tuple[float, float]:
    """estimate ± t(0.975, R_eff − 1)·error; NaN where there is less than one degree of freedom.

    >>> [round(end, 2) for end in interval(1.0, 0.1, 10.0)]
    [0.77, 1.23]
    """
    half = float(student(r_eff)) * error
    return estimate - half, estimate + half


def n_eff(share: float, error: float) -> float:
    """How many independent worlds would know a share as well, p(1 − p)/error²; NaN where the error is 0.

    >>> round(n_eff(0.5, 0.05))
    100
    """
    return share * (1.0 - share) / error**2 if error > 0.0 else float("nan")


def weighted_mean(weights: Weights, values: ArrayLike) -> float:
    """The weighted mean alone."""
    return float(weights @ np.asarray(values, dtype=np.float64) / weights.sum())


def weighted_sd(weights: Weights, values: ArrayLike) -> float:
    """The weighted standard deviation."""
    x, w = np.asarray(values, dtype=np.float64), weights / weights.sum()
    return float(np.sqrt(w @ (x - w @ x) ** 2))


def weighted_quantile(weights: Weights, values: ArrayLike, probabilities: ArrayLike) -> NDArray[np.float64]:
    """For each probability the smallest value that has at least that share of the weight at or below it.

    >>> weighted_quantile(np.array([0.1, 0.8, 0.1]), [3.0, 1.0, 2.0], [0.5, 0.95]).tolist()
    [1.0, 3.0]
    """
    x = _for_each(weights, values)
    order = np.argsort(x, kind="stable")
    below = np.cumsum(weights[order])
    return np.asarray(x[order][np.searchsorted(below / below[-1], np.asarray(probabilities) - 1e-12)])


def kolmogorov_smirnov(weights: Weights, uniforms: ArrayLike) -> float:
    """The largest distance between the weighted distribution of `uniforms` and the uniform one on [0, 1]."""
    u = np.asarray(uniforms, dtype=np.float64)
    order = np.argsort(u, kind="stable")
    after = np.cumsum(weights[order]) / weights.sum()
    before = np.concatenate([[0.0], after[:-1]])
    return float(np.maximum(np.abs(after - u[order]), np.abs(before - u[order])).max())


def systematic(weights: Weights, number: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Which of the weighted items to take, `number` in all: each as often as its weight says, give or take one."""
    points = (np.arange(number) + rng.random()) / number
    below = np.cumsum(weights)
    return np.minimum(np.searchsorted(below / below[-1], points, side="right"), len(weights) - 1)


def top_of_parabola(at: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where each row of `values` is highest: the top of the parabola through the highest of the equally spaced points
    `at` and its neighbours; the highest point itself at an end.

    >>> top_of_parabola(np.array([0.0, 1.0, 2.0]), np.array([[0.0, 1.0, 1.0], [2.0, 1.0, 0.0]])).tolist()
    [1.5, 0.0]
    """
    top, rows = values.argmax(axis=1), np.arange(len(values))
    inside = (top > 0) & (top < len(at) - 1)
    k = np.clip(top, 1, len(at) - 2)
    before, peak, after = values[rows, k - 1], values[rows, k], values[rows, k + 1]
    bend = before - 2.0 * peak + after
    shift = np.divide(0.5 * (before - after), bend, out=np.zeros(len(values)), where=inside & (bend < 0.0))
    return np.asarray(at[top] + shift * (at[1] - at[0]))


def _for_each(weights: Weights, values: ArrayLike) -> NDArray[np.float64]:
    """Values as an array, if there is one for each world."""
    if (x := np.asarray(values, dtype=np.float64)).shape != weights.shape:
        raise InputError([f"values: must be one for each of {len(weights)} worlds, not of shape {x.shape}"])
    return x

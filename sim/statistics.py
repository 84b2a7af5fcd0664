"""Means, shares and quantiles with their errors: of independent values, and of weighted worlds.

Worlds of an ensemble that descend from the same draw of the prior resemble each other, so they are not independent
evidence. Errors therefore treat each ancestor's descendants as one cluster (the estimator of Chan & Lai 2013 and Lee
& Whiteley 2018 for particle methods): where descendants have moved so far apart that they are as good as independent,
it gives the error of independent worlds; where they have not, it grows towards that of as many worlds as ancestors.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.errors import InputError

Weights = NDArray[np.float64]

CONFIDENCE = 0.95
"""Of every interval."""


class Estimate(NamedTuple):
    """A weighted mean or share with the standard error that is due to the finite number of worlds."""

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


def effective_size(weights: ArrayLike) -> float:
    """How many equally weighted worlds would be as many, (Σw)²/Σw² (Kish).

    >>> effective_size([0.5, 0.5, 0.0])
    2.0
    """
    w = np.asarray(weights, dtype=np.float64)
    return float(w.sum() ** 2 / (w**2).sum())


def effective_ancestors(weights: Weights, ancestors: NDArray[np.int64]) -> float:
    """The effective size that is left if all descendants of one ancestor count as one world: a lower bound."""
    return effective_size(_by_ancestor(weights, ancestors))


def mean(weights: Weights, values: ArrayLike, ancestors: NDArray[np.int64]) -> Estimate:
    """Weighted mean of `values` (shape n) and its standard error, clustered by ancestor; NaN for one ancestor."""
    x = _for_each(weights, values)
    w = weights / weights.sum()
    centre = float(w @ x)
    clusters = _by_ancestor(w * (x - centre), ancestors)
    k = len(clusters)
    return Estimate(centre, float(np.sqrt((clusters**2).sum() * k / (k - 1))) if k > 1 else np.nan)


def share(weights: Weights, truth: ArrayLike, ancestors: NDArray[np.int64]) -> Estimate:
    """The share of weight where `truth` holds, and its standard error.

    Where all worlds agree, nothing in them tells how many others there may be. The error is then that of Laplace's
    rule for as many observations as there are effective ancestors n: 1/(n + 2).

    >>> share(np.full(4, 0.25), [True, True, False, False], np.arange(4)).estimate
    0.5
    """
    holds = _for_each(weights, truth)[weights > 0.0] != 0.0
    found = mean(weights, truth, ancestors)
    if holds.all() or not holds.any():
        return Estimate(float(holds.all()), 1.0 / (effective_ancestors(weights, ancestors) + 2.0))
    return found


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
    at = np.searchsorted(below / below[-1], np.asarray(probabilities) - 1e-12)
    return np.asarray(x[order][np.minimum(at, len(x) - 1)])


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


def _by_ancestor(values: NDArray[np.float64], ancestors: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sums over the descendants of each ancestor."""
    _, which = np.unique(ancestors, return_inverse=True)
    return np.asarray(np.bincount(which, weights=values), dtype=np.float64)

"""Sensitivity indices of one outcome, with bootstrap intervals; what they mean is told in `sim.study.sensitivity`.

Every function returns its measures by name, each an array of shape (3, drivers): estimate, and low and high end of the
95 % interval by the percentile method. `seed` seeds the bootstrap; without `resamples` the ends are missing values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.statistics import CONFIDENCE

if TYPE_CHECKING:
    from sim.study.design import Sampled

Array = NDArray[np.float64]
Estimates = dict[str, Array]

RESAMPLES = 500
_FEWEST_RESAMPLES = 100
_MOST_NUMBERS = 20_000_000  # of a resampled array that is held in memory at once
_TAILS = (0.5 - CONFIDENCE / 2, 0.5 + CONFIDENCE / 2)


def sobol(y: Array, drivers: int, seed: int, resamples: int = RESAMPLES) -> Estimates:
    """First-order and total indices from the outcomes of a Saltelli design, in its order, shape (rows,)."""
    from SALib.analyze import sobol as salib  # noqa: PLC0415

    if np.ptp(y) == 0.0:
        return {"first_order": np.zeros((3, drivers)), "total": np.zeros((3, drivers))}
    problem = {"num_vars": drivers, "names": [str(k) for k in range(drivers)], "bounds": [[0.0, 1.0]] * drivers}
    found = salib.analyze(
        problem,
        y,
        calc_second_order=False,
        num_resamples=max(2, _affordable(resamples, len(y) // (drivers + 2))),
        keep_resamples=True,
        seed=seed + 1,  # SALib takes 0 for no seed at all
    )
    pairs = {"first_order": "S1", "total": "ST"}
    return {name: _with_ends(found[key], found[f"{key}_conf_all"], resamples) for name, key in pairs.items()}


def morris(unit: Array, y: Array, levels: int, seed: int, resamples: int = RESAMPLES) -> Estimates:
    """Mu star, mu and sigma from a design of trajectories, shape (rows, drivers), and its outcomes, shape (rows,)."""
    effects = elementary_effects(unit, y, levels)
    rng = np.random.default_rng(seed)
    count = len(effects)
    draws = np.array([_moments(effects[rng.integers(count, size=count)]) for _ in range(resamples)])
    draws = draws.reshape(resamples, *_moments(effects).shape)
    pairs = zip(("mu_star", "mu", "sigma"), _moments(effects), range(3), strict=True)
    return {name: _with_ends(estimate, draws[:, k], resamples) for name, estimate, k in pairs}


def _moments(effects: Array) -> Array:
    """Mean size, mean and standard deviation of effects, shape (3, drivers)."""
    return np.stack([np.abs(effects).mean(axis=0), effects.mean(axis=0), effects.std(axis=0, ddof=1)])


def elementary_effects(unit: Array, y: Array, levels: int) -> Array:
    """The change in the outcome over each driver's step, as if it crossed its whole range; shape (trajectories,
    drivers)."""
    count = unit.shape[1]
    x = unit.reshape(-1, count + 1, count)
    steps = np.diff(x, axis=1)
    change = np.diff(y.reshape(-1, count + 1), axis=1)
    size = levels / (2.0 * (levels - 1.0))
    return np.asarray(np.einsum("tsd,ts->td", np.sign(np.round(steps, 9)), change) / size)


class Regressors(NamedTuple):
    """Columns of a regression, shape (rows, columns), and for each driver which of them are its own."""

    columns: Array
    own: list[slice]


def ranks_and_categories(drawn: Sampled, unit: Array) -> Regressors:
    """Ranks of each driver's settings, or a column for each but the first value where these have no order."""
    from scipy.stats import rankdata  # noqa: PLC0415

    columns: list[Array] = []
    own = []
    for k, driver in enumerate(drawn.drivers):
        scores = driver.scores(unit[:, k])
        first = len(columns)
        if driver.categories:
            columns += [(scores == level).astype(np.float64) for level in range(1, driver.categories)]
        else:
            columns.append(rankdata(scores) / len(scores))
        own.append(slice(first, len(columns)))
    return Regressors(np.column_stack(columns), own)


def rank_regression(
    x: Regressors, y: Array, seed: int, resamples: int = RESAMPLES
) -> tuple[Estimates, tuple[float, float, float]]:
    """Standardised rank regression coefficients, and estimate, low and high of the share of variance explained."""
    from scipy.stats import rankdata  # noqa: PLC0415

    if np.ptp(y) == 0.0:
        return {"srrc": np.zeros((3, len(x.own)))}, (0.0, 0.0, 0.0)
    rows = len(y)
    table = np.column_stack([x.columns, rankdata(y) / rows])
    estimate, share = _fit(table, np.ones(rows), x.own, 1)
    rng = np.random.default_rng(seed)
    draws = _affordable(resamples, table.size // 10)
    fits = [
        _fit(table, np.bincount(rng.integers(rows, size=rows), minlength=rows).astype(np.float64), x.own, 2)
        for _ in range(draws)
    ]
    srrc = _with_ends(estimate, np.array([fit for fit, _ in fits]), resamples)
    ends = _with_ends(np.array([share]), np.array([[s] for _, s in fits]), resamples)[:, 0]
    return {"srrc": srrc}, (float(ends[0]), float(ends[1]), float(ends[2]))


def _fit(table: Array, weights: Array, own: list[slice], noise: int) -> tuple[Array, float]:
    """Coefficients of the drivers and R², of rows with these weights; the outcome is the last column.

    `noise` is 1 for a sample and 2 for a resample of one: how many times chance alone adds to squared effects.
    """
    rows = weights.sum()
    centred = table - weights @ table / rows
    s = (centred * weights[:, None]).T @ centred / rows
    total = float(s[-1, -1])
    if total == 0.0:
        return np.zeros(len(own)), 0.0
    c = np.linalg.lstsq(s[:-1, :-1], s[:-1, -1], rcond=None)[0]
    r2 = float(c @ s[:-1, -1]) / total
    found = np.empty(len(own))
    for k, part in enumerate(own):
        share = float(c[part] @ s[part, part] @ c[part]) / total
        columns = part.stop - part.start
        if columns == 1:
            found[k] = np.copysign(share**0.5, c[part.start])
        else:
            found[k] = max(0.0, share - noise * columns * (1.0 - r2) / rows) ** 0.5
    return found, r2


def _affordable(resamples: int, numbers: int) -> int:
    """As many resamples of so many numbers as are quickly done and fit into memory."""
    return min(resamples, max(_FEWEST_RESAMPLES, _MOST_NUMBERS // max(1, numbers)))


def _with_ends(estimate: Any, draws: Any, resamples: int) -> Array:
    values = np.asarray(estimate, dtype=np.float64)
    if not resamples:
        return np.stack([values, np.full_like(values, np.nan), np.full_like(values, np.nan)])
    low, high = np.quantile(np.asarray(draws), _TAILS, axis=0)
    return np.stack([values, low, high])

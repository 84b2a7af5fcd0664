"""Tables about an ensemble: what evidence says about its worlds, and how they do on other findings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from sim.model.parameters import MECHANISMS, PARAMETERS
from sim.pool import Progress
from sim.statistics import (
    Weights,
    effective_ancestors,
    effective_size,
    kolmogorov_smirnov,
    mean,
    share,
    weighted_quantile,
    weighted_sd,
)
from sim.worlds import survey
from sim.worlds.ensemble import Ensemble, check_size
from sim.worlds.evidence import Evidence, Pattern
from sim.worlds.prior import DRAWN
from sim.worlds.survey import Sizes

BAND = (0.05, 0.95)
TOLERANCES = 2.0
UNREACHED = 0.05
"""A pattern is not reached where at most this share of the weight lies within two tolerances of it."""
_NOISE = 1.63  # 1 % of samples of n uniform numbers are further than 1.63/√n from uniform (Kolmogorov)
_SURE = 2.58  # standard errors: 1 %


def quality(ensemble: Ensemble) -> dict[str, float]:
    """How much the ensemble can bear: ``worlds``, ``effective_size``, ``distinct_ancestors``, ``effective_ancestors``
    (the size if all descendants of one draw count as one) and ``largest_weight``."""
    return {
        "worlds": len(ensemble),
        "effective_size": ensemble.effective_size,
        "distinct_ancestors": ensemble.distinct_ancestors,
        "effective_ancestors": effective_ancestors(ensemble.weights, ensemble.ancestors),
        "largest_weight": ensemble.largest_weight,
    }


def parameters(ensemble: Ensemble) -> pd.DataFrame:
    """Prior against posterior of each parameter, over the worlds in which its mechanism is on.

    A row for each of `DRAWN`: ``parameter``; ``low``, ``high`` of the prior, which is uniform; ``mean`` with its Monte
    Carlo standard ``error``, ``p5`` and ``p95`` of the posterior, in the parameter's unit; ``contraction``, by which
    share its standard deviation is smaller than the prior's; ``distance``, the largest one between the two
    distributions; ``noise``, what that would reach by chance in one case of a hundred; and ``informed``, whether it is
    beyond. The others are parameters that this evidence says nothing about.
    """
    return pd.DataFrame([_parameter(ensemble, number, name) for number, name in enumerate(DRAWN)])


def _parameter(ensemble: Ensemble, number: int, name: str) -> dict[str, Any]:
    low, high = float(PARAMETERS[name].low or 0.0), float(PARAMETERS[name].high or 0.0)
    used = ensemble.is_on(name) & (ensemble.weights > 0.0)
    row: dict[str, Any] = {"parameter": name, "low": low, "high": high}
    if used.sum() < 2:
        return row | {"informed": False}
    w, x, ancestors = ensemble.weights[used], ensemble.values[used, number], ensemble.ancestors[used]
    found, sd = mean(w, x, ancestors), weighted_sd(w, x)
    size = effective_size(w) if not found.error > 0.0 else min(effective_size(w), (sd / found.error) ** 2)
    p5, p95 = weighted_quantile(w, x, BAND)
    distance, noise = kolmogorov_smirnov(w, (x - low) / (high - low)), _NOISE / np.sqrt(size)
    return row | {
        "mean": found.estimate,
        "error": found.error,
        "p5": p5,
        "p95": p95,
        "contraction": 1.0 - sd / ((high - low) / np.sqrt(12.0)),
        "distance": distance,
        "noise": noise,
        "informed": distance > noise,
    }


def mechanisms(ensemble: Ensemble) -> pd.DataFrame:
    """For each ``mechanism`` the share of worlds in which it is on: ``prior``, ``posterior`` with its Monte Carlo
    ``error``, and ``informed``, whether they differ by more than chance would in one case of a hundred."""
    rows = []
    for number, key in enumerate(MECHANISMS):
        if f"{key} off" in ensemble.unheard:
            continue
        on = share(ensemble.weights, ~ensemble.off[:, number], ensemble.ancestors)
        before = 1.0 - ensemble.chance_off
        informed = 0.0 < before < 1.0 and abs(on.estimate - before) > _SURE * on.error
        rows.append((key, before, on.estimate, on.error, informed))
    return pd.DataFrame(rows, columns=["mechanism", "prior", "posterior", "error", "informed"])


def patterns(ensemble: Ensemble) -> pd.DataFrame:
    """How the worlds do on each pattern that they were weighted by.

    A row for each pattern (for a path, each of its months): ``pattern``, ``value`` and ``sd`` (the finding and its
    tolerance), ``prior_low``, ``prior_median``, ``prior_high``, ``prior_within``; ``median``, ``low``, ``high``: 5 to
    95 % of weight; ``within`` (the share of weight within two tolerances) with its Monte Carlo ``error``; ``reached``,
    whether that is more than 5 %.
    """
    rows = []
    for pattern in ensemble.evidence.patterns:
        before = ensemble.prior[pattern.id]
        bands = pd.DataFrame({f"prior_{name}": np.atleast_1d(value) for name, value in before.items()})
        found = _bands(pattern, ensemble, ensemble.measured[pattern.id])
        rows += [row | band for row, band in zip(found, bands.to_dict("records"), strict=True)]
    return pd.DataFrame(rows)


def _bands(
    pattern: Pattern, ensemble: Ensemble, measured: ArrayLike, weights: Weights | None = None
) -> list[dict[str, Any]]:
    """The predictive band of a pattern: a row, or one for each month of a path."""
    w = ensemble.weights if weights is None else weights
    columns = np.asarray(measured, dtype=np.float64).reshape(len(ensemble), -1).T
    goals = zip(np.atleast_1d(pattern.value).tolist(), np.atleast_1d(pattern.sd).tolist(), strict=True)
    names = [f"{pattern.id}, month {m}" for m in pattern.needs["months"]] if pattern.kind == "path" else [pattern.id]
    rows = []
    for name, values, (value, sd) in zip(names, columns, goals, strict=True):
        low, median, high = weighted_quantile(w, values, (BAND[0], 0.5, BAND[1]))
        within = share(w, np.abs(values - value) <= TOLERANCES * sd, ensemble.ancestors)
        rows.append(
            {"pattern": name, "value": value, "sd": sd, "low": low, "median": median, "high": high,
             "within": within.estimate, "error": within.error, "reached": within.estimate > UNREACHED}
        )  # fmt: skip
    return rows


def leave_one_out(ensemble: Ensemble) -> pd.DataFrame:
    """How much each pattern matters: what changes when its agreement is divided out of the weights.

    A row for each pattern: ``pattern``; ``effective_size`` of the weights without it; ``within``, the share of that
    weight within two tolerances of it, so how well the other patterns foretell it; ``shift``, the largest shift of a
    parameter's posterior mean, in standard deviations of its prior, and ``parameter``, whose it is. Where the effective
    size is below `FEWEST` of `sim.worlds.ensemble`, the rest is chance.
    """
    widths = np.array([float(PARAMETERS[n].high or 0.0) - float(PARAMETERS[n].low or 0.0) for n in DRAWN])
    rows = []
    for pattern in ensemble.evidence.patterns:
        w = ensemble.without([pattern.id])
        shifts = np.abs((w - ensemble.weights) @ ensemble.values) * np.sqrt(12.0) / widths
        within = min(row["within"] for row in _bands(pattern, ensemble, ensemble.measured[pattern.id], w))
        most = int(shifts.argmax())
        rows.append((pattern.id, effective_size(w), within, shifts[most], DRAWN[most]))
    return pd.DataFrame(rows, columns=["pattern", "effective_size", "within", "shift", "parameter"])


def predict(
    evidence: Evidence,
    ensemble: Ensemble,
    number: int = 100,
    seed: int = 0,
    *,
    sizes: Sizes = survey.DEFAULT_SIZES,
    progress: Progress | None = None,
    workers: int | None = None,
) -> pd.DataFrame:
    """How the worlds of an ensemble do on patterns of the user's, without fitting anything to them.

    `number` worlds are taken by weight, and each is surveyed once, under a seed that follows from `seed`. The table is
    that of `patterns`, without the prior. `progress` is called with the number of worlds done and the total. Raises
    `InputError` where the sample is too small to say anything.
    """
    worlds = ensemble.sample(number, seed)
    check_size(worlds.weights, f"{number} worlds")
    seeds = np.random.default_rng(seed).integers(2**31, size=len(worlds))
    columns = survey.measure_all(evidence, worlds, seeds, sizes, progress, workers)
    return pd.DataFrame([row for p in evidence.patterns for row in _bands(p, worlds, columns[p.id])])

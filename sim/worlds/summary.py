"""Tables about an ensemble: what evidence says about its worlds, and how they do on other findings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from sim import statistics
from sim.model.parameters import MECHANISMS
from sim.pool import Progress
from sim.statistics import effective_size, weighted_quantile
from sim.worlds import survey
from sim.worlds.ensemble import Ensemble, check_size
from sim.worlds.evidence import Evidence, Pattern
from sim.worlds.prior import DRAWN, HIGH, LOW, Worlds
from sim.worlds.smc import SEEDS
from sim.worlds.survey import Sizes

BAND = (0.05, 0.95)
TOLERANCES = 2.0
UNREACHED = 0.05
"""A pattern is not reached where at most this share of the weight lies within two tolerances of it."""
_NOISE = 1.63  # 1 % of samples of n uniform numbers are further than 1.63/√n from uniform (Kolmogorov)
_SURE = 2.58  # standard errors: 1 %


def quality(ensemble: Ensemble) -> dict[str, float]:
    """How much the ensemble can bear: ``worlds``; ``calibrations``, how many of equal weight would be as many
    (``effective_calibrations``), the ``largest_share`` of weight of one, and ``sd_log_z``, the standard deviation of
    the logarithms of their constants; ``effective_size``; ``distinct_ancestors``."""
    numbers, logs = list(ensemble.log_z), list(ensemble.log_z.values())
    shares = [float(ensemble.weights[ensemble.calibrations == number].sum()) for number in numbers]
    return {
        "worlds": len(ensemble),
        "calibrations": len(numbers),
        "effective_calibrations": ensemble.effective_calibrations,
        "largest_share": max(shares),
        "sd_log_z": float(np.std(logs, ddof=1)) if len(logs) > 1 else np.nan,
        "effective_size": ensemble.effective_size,
        "distinct_ancestors": ensemble.distinct_ancestors,
    }


def parameters(ensemble: Ensemble) -> pd.DataFrame:
    """Prior against posterior of each parameter, over the worlds in which its mechanism is on.

    A row for each of `DRAWN`: ``parameter``; ``low``, ``high`` of the prior, which is uniform; ``mean`` with its Monte
    Carlo standard ``error``, ``p5`` and ``p95`` of the posterior, in the parameter's unit; ``contraction``, by which
    share its standard deviation is smaller than the prior's; ``distance``, the largest one between the two
    distributions; ``noise``, what that would reach by chance in one case of a hundred; and ``informed``, whether it is
    beyond. The others are parameters that this evidence says nothing about.
    """
    rows = []
    for name, low, high, values in zip(DRAWN, LOW.tolist(), HIGH.tolist(), ensemble.values.T, strict=True):
        used = ensemble.is_on(name) & (ensemble.weights > 0.0)
        row: dict[str, Any] = {"parameter": name, "low": low, "high": high, "informed": False}
        if used.sum() >= 2:
            w, x = ensemble.weights[used], values[used]
            (row["mean"], error), sd = statistics.mean(w, x, ensemble.calibrations[used]), statistics.weighted_sd(w, x)
            size = effective_size(w) if not error > 0.0 else max(1.0, min(effective_size(w), (sd / error) ** 2))
            row["error"], (row["p5"], row["p95"]) = error, weighted_quantile(w, x, BAND)
            row["contraction"] = 1.0 - sd / ((high - low) / np.sqrt(12.0))
            row["distance"] = statistics.kolmogorov_smirnov(w, (x - low) / (high - low))
            row["noise"] = _NOISE / np.sqrt(size)
            row["informed"] = row["distance"] > row["noise"]
        rows.append(row)
    columns = ["parameter", "low", "high", "mean", "error", "p5", "p95", "contraction", "distance", "noise", "informed"]
    return pd.DataFrame(rows, columns=columns)


def mechanisms(ensemble: Ensemble) -> pd.DataFrame:
    """For each ``mechanism`` the share of worlds in which it is on: ``prior``, ``posterior`` with its Monte Carlo
    ``error``, and ``informed``, whether they differ by more than chance would in one case of a hundred."""
    before, rows = 1.0 - ensemble.chance_off, []
    for key, off in zip(MECHANISMS, ensemble.off.T, strict=True):
        if f"{key} off" not in ensemble.unheard:
            on, error = ensemble.share(~off)
            informed = 0.0 < before < 1.0 and abs(on - before) > _SURE * error
            rows.append((key, before, on, error, informed))
    return pd.DataFrame(rows, columns=["mechanism", "prior", "posterior", "error", "informed"])


def patterns(ensemble: Ensemble) -> pd.DataFrame:
    """How the worlds do on each pattern that they were weighted by.

    A row for each pattern (for a path, each of its months): ``pattern``, ``value`` and ``sd`` (the finding and its
    tolerance), ``prior_low``, ``prior_median``, ``prior_high``, ``prior_within``; ``median``, ``low``, ``high``: 5 to
    95 % of weight; ``within`` (the share of weight within two tolerances) with its Monte Carlo ``error``; ``reached``,
    whether that is more than 5 %.
    """
    frames = []
    for pattern in ensemble.evidence.patterns:
        before = {f"prior_{name}": np.atleast_1d(band) for name, band in ensemble.prior[pattern.id].items()}
        frames.append(_bands(pattern, ensemble, ensemble.measured[pattern.id]).assign(**before))
    return pd.concat(frames, ignore_index=True)


def _bands(pattern: Pattern, worlds: Worlds, measured: ArrayLike) -> pd.DataFrame:
    """The predictive band of a pattern: a row, or one for each month of a path."""
    columns = np.asarray(measured, dtype=np.float64).reshape(len(worlds), -1).T
    values, sds = (np.atleast_1d(of).tolist() for of in (pattern.value, pattern.sd))
    names = [f"{pattern.id}, month {m}" for m in pattern.needs["months"]] if pattern.kind == "path" else [pattern.id]
    rows = []
    for name, column, value, sd in zip(names, columns, values, sds, strict=True):
        low, median, high = worlds.quantiles(column, (BAND[0], 0.5, BAND[1]))
        within, error = worlds.share(np.abs(column - value) <= TOLERANCES * sd)
        rows.append((name, value, sd, low, median, high, within, error, within > UNREACHED))
    return pd.DataFrame(rows, columns=["pattern", "value", "sd", "low", "median", "high", "within", "error", "reached"])


def leave_one_out(ensemble: Ensemble) -> pd.DataFrame:
    """How much each pattern matters: what changes when its agreement is divided out of the weights.

    A row for each pattern: ``pattern``; ``effective_size`` of the weights without it; ``within``, the share of that
    weight within two tolerances of it, so how well the other patterns foretell it; ``shift``, the largest shift of a
    parameter's posterior mean, in standard deviations of its prior, and ``parameter``, whose it is. Where the effective
    size is below `FEWEST` of `sim.worlds.ensemble`, the rest is chance.
    """
    rows = []
    for pattern in ensemble.evidence.patterns:
        others = replace(ensemble, weights=ensemble.without([pattern.id]))
        shifts = np.abs((others.weights - ensemble.weights) @ ensemble.values) * np.sqrt(12.0) / (HIGH - LOW)
        within = _bands(pattern, others, ensemble.measured[pattern.id])["within"].min()
        most = int(shifts.argmax())
        rows.append((pattern.id, others.effective_size, within, shifts[most], DRAWN[most]))
    return pd.DataFrame(rows, columns=["pattern", "effective_size", "within", "shift", "parameter"])


def predict(
    evidence: Evidence,
    ensemble: Ensemble,
    number: int = 100,
    seed: int = 0,
    *,
    sizes: Sizes | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
) -> pd.DataFrame:
    """How the worlds of an ensemble do on patterns of the user's, without fitting anything to them.

    `number` worlds are taken by weight, and each is surveyed under seeds that follow from `seed`. The table is
    that of `patterns`, without the prior. `progress` is called with the number of worlds done and the total. Raises
    `InputError` where the sample is too small to say anything.
    """
    worlds = ensemble.sample(number, seed)
    check_size(worlds.weights, f"{number} worlds")
    worlds = replace(worlds, seeds=np.random.default_rng(seed).integers(SEEDS, size=len(worlds)))
    columns = survey.measure_all(evidence, worlds, worlds.surveys(evidence), sizes, progress, workers)
    return pd.concat([_bands(p, worlds, columns[p.id]) for p in evidence.patterns], ignore_index=True)

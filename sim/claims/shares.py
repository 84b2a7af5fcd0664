"""What many worlds say together: shares of their weight for each verdict, and how the effect is distributed.

A share is of plausible worlds, by weight. It is no probability that the claim is true.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim import statistics as weighing
from sim.claims.statements import Measure
from sim.claims.verdict import Sign
from sim.statistics import Estimate
from sim.worlds.draws import Sample
from sim.worlds.ensemble import FEWEST
from sim.worlds.evaluate import Array, Contrasts, contrast_many

UNCLEAR, TOO_FEW = "no clear answer", "too few worlds to say"
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_CLEARLY = 2.0  # Monte Carlo errors


def possible(sign: Sign) -> tuple[str, str, str, str]:
    """The verdicts that an outcome with this claimed sign can get; the first two have opposite directions.

    >>> possible(0)
    ('higher', 'lower', 'negligible', 'undecided')
    """
    return ("higher", "lower", "negligible", "undecided") if sign == 0 else (
        "supported", "opposed", "negligible", "undecided")  # fmt: skip


def shares(verdicts: NDArray[np.str_], sign: Sign, weights: Array, ancestors: NDArray[np.int64]) -> dict[str, Estimate]:
    """The share of weight of each possible verdict, with its Monte Carlo standard error."""
    return {name: weighing.share(weights, verdicts == name, ancestors) for name in possible(sign)}


def overall(found: Mapping[str, Estimate]) -> str:
    """The verdict with the largest share, if that less two of its Monte Carlo errors is still above the next.

    >>> overall({"supported": Estimate(0.6, 0.05), "opposed": Estimate(0.4, 0.05)})
    'supported'
    >>> overall({"supported": Estimate(0.6, 0.11), "opposed": Estimate(0.4, 0.11)})
    'no clear answer'
    """
    ranked = sorted(found, key=lambda name: found[name].estimate, reverse=True)
    first, second = (found[name] for name in ranked[:2])
    return ranked[0] if first.estimate - _CLEARLY * first.error > second.estimate else UNCLEAR


def summary(contrasts: Contrasts, measure: Measure, weights: Array, ancestors: NDArray[np.int64]) -> dict[str, Any]:
    """One row: ``verdict``, the share of each verdict with its ``_error``, the effect and the effective size.

    ``median`` and ``q05`` to ``q95`` are weighted quantiles of the effects over worlds and ``mean`` their weighted
    mean with its Monte Carlo ``mean_error``, in the outcome's unit; ``in_sesoi_...`` the quantiles in smallest effects
    of interest. Where there is none, there are no shares; where the effective size is below `FEWEST`, nothing but it.
    """
    size = weighing.effective_size(weights)
    row: dict[str, Any] = {"verdict": TOO_FEW, "effective_size": size}
    if size < FEWEST:
        return row
    row |= _quantiles("q", contrasts.estimate, weights)
    mean, error = weighing.mean(weights, contrasts.estimate, ancestors)
    row |= {"median": row["q50"], "mean": mean, "mean_error": error}
    if measure.sesoi is None:
        return row | {"verdict": "estimate"}
    scaled = in_sesoi(contrasts)
    row |= _quantiles("in_sesoi_q", scaled, weights)
    found = shares(contrasts.verdict, measure.sign, weights, ancestors)
    for name, (estimate, error) in found.items():
        row |= {name: estimate, f"{name}_error": error}
    return row | {"verdict": overall(found)}


def in_sesoi(contrasts: Contrasts) -> Array:
    """Effects in smallest effects of interest; where that is 0, no effect is 0 and any other infinite."""
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = contrasts.estimate / contrasts.sesoi
    return np.where(contrasts.estimate == 0.0, 0.0, scaled)


def _quantiles(prefix: str, values: Array, weights: Array) -> dict[str, float]:
    found = weighing.weighted_quantile(weights, values, QUANTILES)
    return {f"{prefix}{100 * q:02.0f}": float(value) for q, value in zip(QUANTILES, found, strict=True)}


def contrasts_of(differences: Array, minus: Array, measure: Measure) -> Contrasts:
    """The differences (worlds by replications) against the arm after the minus, by the rules of a measure."""
    return contrast_many(differences, minus.mean(axis=1), measure.sesoi, measure.sign)


def described(sample: Sample, values: Array) -> dict[str, float]:
    """Weighted mean with its Monte Carlo error, and 5, 50 and 95 % of worlds, of a value for each world."""
    mean, error = weighing.mean(sample.weights, values, sample.ancestors)
    low, median, high = weighing.weighted_quantile(sample.weights, values, (0.05, 0.5, 0.95)).tolist()
    return {"mean": mean, "error": error, "low": low, "median": median, "high": high}

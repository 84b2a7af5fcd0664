"""Paired runs in worlds drawn by weight, and the estimates that every question makes from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.model import engine
from sim.model import record as recording
from sim.model.parameters import Parameters
from sim.pool import Progress
from sim.worlds.evaluate import in_each
from sim.worlds.prior import World, Worlds

Values = NDArray[np.float64]
Policy = dict[str, Any]
"""What `World.parameters` is called with."""

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Of what tables show over worlds."""
BAND = (0.05, 0.95)
"""The quantiles over worlds that tables show as ``low`` and ``high``."""


def paired(
    drawn: Worlds,
    plus: Policy,
    minus: Policy,
    measure: Callable[[Parameters, int], Values],
    progress: Progress | None = None,
    workers: int | None = None,
) -> Values:
    """In each world a measure of a run under one policy less that under another, both under the world's seed."""

    def difference(world: World, seed: int) -> Values:
        return measure(world.parameters(**plus), seed) - measure(world.parameters(**minus), seed)

    return np.array(in_each(drawn, difference, progress, workers))


def monthly(p: Parameters, seed: int, outcome: str) -> Values:
    """An outcome by month, shape (months,), of one run."""
    record = engine.run(p, seed)
    return recording.outcomes(record.sums, len(record.totals))[outcome]


def mean_and_band(drawn: Worlds, values: Values) -> tuple[float, float, float, float]:
    """Mean with its standard error, and the `BAND` over worlds."""
    low, high = drawn.quantiles(values, BAND).tolist()
    return *drawn.mean(values), low, high


def share_and_error(share: float, error: float) -> tuple[str, str]:
    """A share and its standard error in per cent, with a decimal where they are small.

    >>> share_and_error(0.31, 0.042), share_and_error(0.012, 0.004)
    (('31 %', '4'), ('1.2 %', '0.4'))
    """
    places = 1 if error < 0.01 else 0
    return f"{100 * share:.{places}f} %", f"{100 * error:.{places}f}"

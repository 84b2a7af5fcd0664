"""Worlds drawn by weight for a question: their runs, paired under one seed, and estimates over them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sim.model import engine
from sim.model import record as recording
from sim.model.parameters import Parameters
from sim.pool import Progress
from sim.worlds.evaluate import in_each
from sim.worlds.prior import World, Worlds

Values = NDArray[np.float64]
Policy = dict[str, Any]
"""What `World.parameters` is called with."""

BAND = (0.05, 0.95)
"""The quantiles over worlds that tables show as ``low`` and ``high``."""


@dataclass(frozen=True)
class Drawn:
    """Worlds drawn by weight, each with a seed; `progress` and `workers` are those of `sim.pool.in_parallel`."""

    worlds: Worlds
    progress: Progress | None = None
    workers: int | None = None

    def each(self, work: Callable[[World, int], Any]) -> list[Any]:
        """`work` of each world and its seed."""
        return in_each(self.worlds, work, self.progress, self.workers)

    def paired(self, plus: Policy, minus: Policy, outcome: str) -> Values:
        """An outcome under one policy less that under another, both under the world's seed: draws by months."""

        def difference(world: World, seed: int) -> Values:
            return monthly(world.parameters(**plus), seed, outcome) - monthly(world.parameters(**minus), seed, outcome)

        return np.array(self.each(difference))

    def means(self, keys: Mapping[str, Any], values: Values, band: bool = False) -> pd.DataFrame:
        """A row for each column of `values`, draws by rows: its keys, ``mean`` over worlds with its standard error
        ``error``, and where asked for the `BAND`."""
        rows: list[tuple[float, ...]] = [self.worlds.mean(column) for column in values.T]
        if band:
            rows = [(*row, *self.worlds.quantiles(column, BAND)) for row, column in zip(rows, values.T, strict=True)]
        found = pd.DataFrame(rows, columns=["mean", "error", "low", "high"][: len(rows[0])])
        return pd.DataFrame(dict(keys)).join(found)


def shares(key: str, truths: Mapping[str, tuple[Worlds, ArrayLike]]) -> pd.DataFrame:
    """A row for each thing that holds in some of given worlds: its name, ``share`` of weight, ``error``."""
    rows = [(name, *worlds.share(truth)) for name, (worlds, truth) in truths.items()]
    return pd.DataFrame(rows, columns=[key, "share", "error"])


def monthly(p: Parameters, seed: int, outcome: str) -> Values:
    """An outcome by month, shape (months,), of one run."""
    record = engine.run(p, seed)
    return recording.outcomes(record.sums, len(record.totals))[outcome]


def share_and_error(share: float, error: float) -> tuple[str, str]:
    """A share and its standard error in per cent, with a decimal where they are small.

    >>> share_and_error(0.31, 0.042), share_and_error(0.012, 0.004)
    (('31 %', '4'), ('1.2 %', '0.4'))
    """
    places = 1 if 0.0 < error < 0.01 else 0
    return f"{100 * share:.{places}f} %", f"{100 * error:.{places}f}"

"""What may tell plausible worlds apart, and a map of an answer over two of these factors.

A parameter of a mechanism that is off counts at the value it then has, its null; whether a mechanism is on is a factor
of its own.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sim import statistics as weighted
from sim.errors import InputError, named, nearest, shown
from sim.model.parameters import DECLARATIONS, MECHANISMS
from sim.statistics import Estimate
from sim.worlds.draws import Weighted
from sim.worlds.prior import DRAWN, Worlds

Values = NDArray[np.float64]

SWITCH = "mechanism "
"""What the factor "this mechanism is on" begins with; several mechanisms share their name with an outcome."""
FEWEST_IN_CELL = 5.0
"""The effective number of worlds below which a cell of the map stays empty."""
BINS = 5


class Factors(NamedTuple):
    """What may tell worlds apart: `values`, worlds by `names`."""

    values: Values
    names: tuple[str, ...]


def factors(worlds: Worlds) -> Factors:
    """Parameters and levers at the values that have effect, then for each mechanism 1 where it is on.

    >>> from sim.worlds.prior import prior
    >>> factors(prior(2)).values.shape[1] == len(DRAWN) + len(MECHANISMS)
    True
    """
    values = worlds.values.copy()
    for k, mechanism in enumerate(MECHANISMS.values()):
        for name in mechanism.parameters:
            if name in DRAWN:
                values[worlds.off[:, k], DRAWN.index(name)] = DECLARATIONS[name].null
    on = (~worlds.off).astype(np.float64)
    return Factors(np.hstack([values, on]), (*DRAWN, *(SWITCH + name for name in MECHANISMS)))


def grid(
    source: Weighted, truth: ArrayLike, x: str, y: str, effects: ArrayLike | None = None, bins: int = BINS
) -> pd.DataFrame:
    """A map of two factors: in each cell the share of weight for which something is true.

    Parameters
    ----------
    source : Weighted
    truth : array of bool, shape (worlds,)
    x, y : str
        Names from `factors`; those of mechanisms begin with `SWITCH`.
    effects : array, shape (worlds,), optional
    bins : int
        Of equal width over the values that occur; a mechanism has two.

    Returns
    -------
    A row for each cell: ``x_low``, ``x_high``, ``y_low``, ``y_high``, ``share`` with its standard error ``error``, the
    mean ``effect``, and ``worlds``, the effective number of them. Cells with too few are empty: NaN but for ``worlds``.
    """
    values, names = factors(source.worlds)
    known = tuple(names)
    lines = [f"{named(f)}: no such factor{nearest(f, known)}" for f in (x, y) if f not in known]
    if not isinstance(bins, int) or isinstance(bins, bool) or not 1 <= bins <= 100:
        lines.append(f"bins: {shown(bins)} is not a whole number from 1 to 100")
    if lines:
        raise InputError(lines)
    amounts = np.full(len(values), np.nan) if effects is None else np.asarray(effects, dtype=np.float64)
    holds = np.asarray(truth, dtype=bool)
    (x_cell, x_edges), (y_cell, y_edges) = (_binned(values[:, known.index(f)], f, bins) for f in (x, y))
    rows = []
    for i, j in np.ndindex(len(x_edges) - 1, len(y_edges) - 1):
        inside = (x_cell == i) & (y_cell == j) & (source.weights > 0.0)
        w, ancestors = source.weights[inside], source.ancestors[inside]
        size = weighted.effective_size(w) if inside.any() else 0.0
        enough = size >= FEWEST_IN_CELL
        share = weighted.share(w, holds[inside], ancestors) if enough else Estimate(np.nan, np.nan)
        effect = weighted.weighted_mean(w, amounts[inside]) if enough else np.nan
        rows.append((*x_edges[i : i + 2], *y_edges[j : j + 2], *share, effect, size))
    return pd.DataFrame(rows, columns=["x_low", "x_high", "y_low", "y_high", "share", "error", "effect", "worlds"])


def _binned(values: Values, name: str, bins: int) -> tuple[NDArray[np.int64], Values]:
    """The bin of each value, from 0, and the edges."""
    edges = np.array([0.0, 0.5, 1.0]) if name.startswith(SWITCH) else np.linspace(values.min(), values.max(), bins + 1)
    return np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2), edges

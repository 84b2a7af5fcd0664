"""Scenario discovery: in which part of the plausible worlds a verdict holds, and maps of it over two factors.

A parameter of a mechanism that is off counts at the value it then has, its null; whether a mechanism is on is a factor
of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sim import statistics as weighted
from sim.model.parameters import MECHANISMS, PARAMETERS
from sim.model.words import clause, phrase
from sim.statistics import Estimate
from sim.study.regions import Regions, everywhere, is_rare, regions
from sim.worlds.prior import DRAWN, Worlds

Values = NDArray[np.float64]

SWITCH = "mechanism "
"""What the factor "this mechanism is on" begins with; several mechanisms share their name with an outcome."""
FEWEST_IN_CELL = 5.0
"""The effective number of worlds below which a cell of the map stays empty."""
BINS = 5
_SIDES = (("supported", "opposed"), ("better", "worse"), ("higher", "lower"))


def flips(
    rows: Sequence[Mapping[str, Any]],
    verdicts: Sequence[Values],
    effects: Sequence[Values],
    worlds: Worlds,
    seed: int = 0,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Where each verdict flips, and the table of two-way maps, for rows of an answer with what is said in each of the
    `worlds`, and the effects there.

    A region is ``found`` where it beats always guessing the commoner answer on worlds left out. A map is of the two
    factors that matter most; there is none where nothing is to be told apart.
    """
    told, maps = [], [pd.DataFrame()]
    for row, said, effect in zip(rows, verdicts, effects, strict=True):
        key = {name: row[name] for name in ("claim", "contrast", "outcome")}
        found = flip(worlds, said.tolist(), seed)
        right = Estimate(np.nan, np.nan) if found.chosen is None else found.chosen.balanced
        beats = found.chosen is not None and found.chosen.gain.estimate > 2.0 * found.chosen.gain.error
        told.append({**key, "sentence": found.sentence, "found": bool(found.regions) and beats,
                     "accuracy": right.estimate, "accuracy_error": right.error})  # fmt: skip
        if len(found.leading) == 2:
            x, y = found.leading
            cells = grid(worlds, said == found.answer, x, y, effect)
            maps.append(cells.assign(**key, answer=found.answer, x=x, y=y))
    return pd.DataFrame(told), pd.concat(maps, ignore_index=True)


def flip(worlds: Worlds, verdicts: Sequence[str], seed: int = 0) -> Regions:
    """Where the verdict on one outcome flips, of which `verdicts` has one for each world; `seed` is that of the folds,
    which are of whole calibrations.

    Supported is told from opposed (or better from worse, higher from lower), or where one of them is rare the other
    from all else; a verdict that is rare, or that nearly all worlds share, flips nowhere.
    """
    said, w = np.asarray(verdicts, dtype=np.str_), worlds.weights

    def told(truth: NDArray[np.bool_], kept: NDArray[np.bool_], answer: str, other: str) -> Regions:
        table, groups = factors(worlds).loc[kept], worlds.calibrations[kept]
        return regions(table, truth[kept], w[kept], groups, seed, answer, other, "worlds", named)

    for answer, other in _SIDES:
        one, two = said == answer, said == other
        if not is_rare(one, w) and not is_rare(two, w):
            return told(one, (one | two) & (w > 0.0), answer, other)
        for name, truth in ((answer, one), (other, two)):
            if not is_rare(truth, w) and not is_rare(~truth, w):
                return told(truth, w > 0.0, name, f"not {name}")
    return Regions("", "", everywhere(said, w, "worlds"))


def named(factor: str) -> str:
    """A factor in words.

    >>> named("burden"), named("mechanism audit")
    ('“how much time monitoring takes”', 'the mechanism “monitoring keeps reports honest”')
    """
    if factor.startswith(SWITCH):
        return f"the mechanism “{clause(factor.removeprefix(SWITCH))}”"
    return f"“{phrase(factor)}”"


def factors(worlds: Worlds) -> pd.DataFrame:
    """A row for each world: parameters and levers at the values that have effect, then for each mechanism 1 where it is
    on.

    >>> from sim.worlds.prior import prior
    >>> factors(prior(2)).shape == (2, len(DRAWN) + len(MECHANISMS))
    True
    """
    values = worlds.values.copy()
    for k, mechanism in enumerate(MECHANISMS.values()):
        for name in mechanism.parameters:
            if name in DRAWN:
                values[worlds.off[:, k], DRAWN.index(name)] = PARAMETERS[name].null
    names = [*DRAWN, *(SWITCH + name for name in MECHANISMS)]
    return pd.DataFrame(np.hstack([values, ~worlds.off]), columns=names)


def grid(
    worlds: Worlds, truth: ArrayLike, x: str, y: str, effects: ArrayLike | None = None, bins: int = BINS
) -> pd.DataFrame:
    """A map of two of `factors`: in each cell the share of weight for which something is true.

    There are `bins` of equal width over the values that occur; a mechanism has two. A row for each cell has ``x_low``,
    ``x_high``, ``y_low``, ``y_high``, ``share`` with its standard error ``error``, the mean ``effect``, and ``worlds``,
    the effective number of them. Cells with too few are empty: NaN but for ``worlds``.
    """
    values = factors(worlds)
    amounts = np.full(len(values), np.nan) if effects is None else np.asarray(effects, dtype=np.float64)
    holds = np.asarray(truth, dtype=bool)
    (x_cell, x_edges), (y_cell, y_edges) = (_binned(values[f].to_numpy(), f, bins) for f in (x, y))
    rows = []
    for i, j in np.ndindex(len(x_edges) - 1, len(y_edges) - 1):
        inside = (x_cell == i) & (y_cell == j) & (worlds.weights > 0.0)
        w, groups = worlds.weights[inside], worlds.calibrations[inside]
        size = weighted.effective_size(w) if inside.any() else 0.0
        enough = size >= FEWEST_IN_CELL
        share = weighted.share(w, holds[inside], groups) if enough else Estimate(np.nan, np.nan)
        effect = weighted.weighted_mean(w, amounts[inside]) if enough else np.nan
        rows.append((*x_edges[i : i + 2], *y_edges[j : j + 2], *share, effect, size))
    return pd.DataFrame(rows, columns=["x_low", "x_high", "y_low", "y_high", "share", "error", "effect", "worlds"])


def _binned(values: Values, name: str, bins: int) -> tuple[NDArray[np.int64], Values]:
    """The bin of each value, from 0, and the edges."""
    edges = np.array([0.0, 0.5, 1.0]) if name.startswith(SWITCH) else np.linspace(values.min(), values.max(), bins + 1)
    return np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2), edges

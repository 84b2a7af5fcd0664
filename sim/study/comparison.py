"""Two cells of a study against each other, seed by seed: common random numbers take most of the noise away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sim.errors import InputError, named, nearest, shown
from sim.statistics import mean_interval

if TYPE_CHECKING:
    from sim.study import Results

Which = int | Mapping[str, Any]
"""A cell: its number, from 1, or values of what the design varies that fit no other."""


def compare(results: Results, a: Which, b: Which) -> pd.DataFrame:
    """The paired differences between two cells of a study.

    Parameters
    ----------
    results : Results
    a, b : int or mapping
        The number of a cell, or values of the design's columns, ``{"monitoring": 0.75, "relationship": 0.1}``.

    Returns
    -------
    A row for each outcome: ``outcome``, the means ``a`` and ``b`` over the seeds that worked in both, ``difference``
    a − b with its 95 % interval ``low`` and ``high`` by Student's t, all in the outcome's unit, and ``n``, the number
    of pairs. The interval is missing where n < 2.

    Raises
    ------
    InputError
        For a cell that the study does not have or that has no runs yet, or values that fit several cells.
    """
    cells = results.study.cells
    left, right = (_values(results, _number(cells, which)) for which in (a, b))
    pairs = left.add_suffix("_a").join(right.add_suffix("_b"), how="inner")
    rows = []
    for name in results.outcomes:
        both = pairs[[f"{name}_a", f"{name}_b"]].dropna().to_numpy(dtype=np.float64)
        difference = both[:, 0] - both[:, 1]
        means = both.mean(axis=0) if len(both) else np.full(2, np.nan)
        rows.append((name, *means, *mean_interval(difference), len(both)))
    return pd.DataFrame(rows, columns=["outcome", "a", "b", "difference", "low", "high", "n"])


def _values(results: Results, number: int) -> pd.DataFrame:
    runs = results.runs
    mine = runs[runs["cell"] == number]
    if mine.empty:
        raise InputError([f"cell {number}: none of its runs is done yet; run the study again"])
    return mine.set_index("seed")[list(results.outcomes)]


def _number(cells: pd.DataFrame, which: Which) -> int:
    if not isinstance(which, Mapping):
        if isinstance(which, bool) or which not in cells.index:
            raise InputError([f"cell {shown(which)}: there are cells 1 to {len(cells)}"])
        return int(which)
    fits = np.ones(len(cells), dtype=bool)
    for name, value in which.items():
        if name not in cells:
            hint = nearest(name, cells.columns) or f"; it varies {', '.join(cells.columns) or 'nothing'}"
            raise InputError([f"{named(name)} = {shown(value)}: the design does not vary this{hint}"])
        fits &= (cells[name] == value).to_numpy()
        if not (cells[name] == value).any():
            some = ", ".join(map(str, cells[name].unique()[:10]))
            raise InputError([f"{named(name)} = {shown(value)}: no cell has this value; there are {some}"])
    found = cells.index[fits]
    if len(found) != 1:
        many = f"cells {', '.join(map(str, found[:5]))} fit; say more" if len(found) else "no cell has all of these"
        raise InputError([f"{shown(dict(which))}: {many}"])
    return int(found[0])

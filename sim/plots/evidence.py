"""The model against the evidence: where each published finding lies, before and after worlds are weighted by them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from sim.plots import cells, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDEST = 4.0  # tolerances to either side; what lies beyond is cut off there
_TOLERANCES = 2.0


def model_against_evidence(table: pd.DataFrame, note: str = "") -> Figure:
    """Each pattern in units of its tolerance: 0 is the published value, the grey band two tolerances.

    Parameters
    ----------
    table : DataFrame
        A row for each pattern: ``pattern``, ``target``, ``sd`` (its tolerance), the range of the worlds before
        weighting, ``prior_low``, ``prior_median``, ``prior_high``, that of the weighted worlds, ``low``, ``median``,
        ``high``, and ``within_two_tolerances``.
    note : what the ranges are and how many worlds there are, for the foot of the picture.
    """
    rows = table.reset_index(drop=True)
    y = np.arange(len(rows))
    with theme.style():
        figure = theme.slide()
        axes = figure.add_axes((0.33, 0.15, 0.64, 0.66))
        axes.axvspan(-_TOLERANCES, _TOLERANCES, color=theme.PALE, zorder=0)
        axes.axvline(0.0, color=theme.BLACK, linewidth=1.5)
        _ranges(axes, rows, y + 0.18, "prior_", theme.GREY, 3)
        _ranges(axes, rows, y - 0.14, "", theme.BLUE, 6)
        axes.set_xlim(-WIDEST - 0.2, WIDEST + 0.2)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        size = theme.TEXT if len(rows) <= 20 else theme.SMALL if len(rows) <= 28 else 9
        axes.set_yticks(y, [_words(row) for row in rows.to_dict("records")], fontsize=size)
        axes.tick_params(axis="y", length=0)
        axes.tick_params(axis="x", labelsize=theme.TEXT)
        axes.set_xlabel("tolerances away from the published value", fontsize=theme.TEXT)
        axes.spines["left"].set_visible(False)
        _key(figure)
        found = _finding(rows)
        theme.headline(figure, found)
        cut = f"Ranges end at {WIDEST:g} tolerances. Numbers beside the names: the published values."
        theme.footnote(figure, f"{note} {cut}".strip())
        theme.describe(figure, f"Ranges for {len(rows)} published findings beside their values. {found}.")
        return figure


def _words(row: Mapping[Any, Any]) -> str:
    return f"{cells.plain(str(row['pattern']))[:38]}  {theme.minus(format(row['target'], '.3g'))}"


def _ranges(axes: Axes, rows: pd.DataFrame, y: np.ndarray, which: str, colour: str, width: float) -> None:
    names = [f"{which}{end}" for end in ("low", "median", "high")]
    low, middle, high = (
        (rows[name] - rows["target"]).div(rows["sd"]).clip(-WIDEST, WIDEST).to_numpy() for name in names
    )
    axes.hlines(y, low, high, color=colour, linewidth=width)
    within = rows["within_two_tolerances"].to_numpy(dtype=bool) if not which else np.ones(len(rows), dtype=bool)
    for inside, marker in ((True, "o"), (False, "X")):
        axes.plot(middle[within == inside], y[within == inside], linestyle="none", marker=marker,
                  color=colour if inside else theme.VERMILLION, markersize=9 if not which else 6,
                  markeredgecolor="white")  # fmt: skip


def _key(figure: Figure) -> None:
    keys = [
        Line2D([], [], color=theme.GREY, linewidth=3, marker="o", markersize=6, label="all plausible worlds"),
        Line2D([], [], color=theme.BLUE, linewidth=6, marker="o", markersize=9, label="weighted by the evidence"),
        Line2D([], [], color=theme.VERMILLION, marker="X", linestyle="none", markersize=9, label="missed"),
        Patch(color=theme.PALE, label="within two tolerances"),
    ]
    figure.legend(handles=keys, loc="center left", bbox_to_anchor=(0.02, 0.85), ncols=4, frameon=False,
                  fontsize=theme.TEXT)  # fmt: skip


def _finding(rows: pd.DataFrame) -> str:
    within = rows["within_two_tolerances"].to_numpy(dtype=bool)
    before = ((rows["prior_median"] - rows["target"]).abs() <= _TOLERANCES * rows["sd"]).sum()
    missed = [cells.plain(str(name)) for name in rows.loc[~within, "pattern"]]
    which = f"; it misses {', '.join(missed)}" if 0 < len(missed) <= 3 else ""
    return (
        f"The weighted worlds agree with {within.sum()} of {len(rows)} published findings within two tolerances, "
        f"{before} before weighting{which}"
    )

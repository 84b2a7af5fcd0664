"""A study whose cells are no grid of numbers: a row for each cell, a column for each outcome."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sim.claims.text import joined, label
from sim.plots import cells, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.study import Results

MOST_COLUMNS = 4
MOST_ROWS = 24
LEFT = 0.29


def cells_in_rows(results: Results, outcomes: Sequence[str] = ()) -> Figure:
    """Means of up to four outcomes with their 95 % intervals, a row for each cell (24 at most).

    The title names the cells where the first outcome is highest and lowest, and how far apart they are.
    """
    names = cells.checked(results, outcomes, MOST_COLUMNS)
    summary = results.summary()
    shown = min(summary["cell"].nunique(), MOST_ROWS)
    with theme.style():
        figure = theme.slide()
        width = (0.985 - LEFT) / len(names)
        for k, name in enumerate(names):
            axes = figure.add_axes((LEFT + k * width, 0.13, width - 0.025, 0.66))
            _column(axes, summary[summary["outcome"] == name].iloc[:shown], name)
            if k == 0:
                cells.row_labels(axes, summary[summary["outcome"] == name].iloc[:shown].to_dict("records"), results)
            else:
                axes.tick_params(axis="y", length=0, labelleft=False)
        found = extremes(results, names[0])
        theme.headline(figure, found)
        first = f" The first {shown} cells are shown." if summary["cell"].nunique() > shown else ""
        more = len(results.outcomes) - len(names)
        rest = f" {more} more outcome{'s were' if more > 1 else ' was'} kept." if more else ""
        theme.footnote(figure, f"{cells.source(results)} Bars: 95 % intervals of the means.{first}{rest}")
        what = joined([label(name) for name in names])
        theme.describe(figure, f"Dots with intervals for {what}, a row for each of {shown} cells. {found}.")
        return figure


def _column(axes: Axes, table: pd.DataFrame, name: str) -> None:
    y = np.arange(len(table))
    axes.errorbar(table["mean"], y, xerr=table["half_width"], fmt="o", color=theme.BLUE, capsize=4, markersize=8,
                  elinewidth=2.5)  # fmt: skip
    axes.set_ylim(len(table) - 0.5, -0.5)
    axes.set_title(textwrap.fill(label(name), 16), fontsize=theme.LARGE, fontweight="bold")
    axes.tick_params(axis="x", labelsize=theme.TEXT)
    axes.locator_params(axis="x", nbins=4)
    axes.grid(color=theme.PALE)
    axes.set_axisbelow(True)


def extremes(results: Results, name: str) -> str:
    """Which cells have the highest and the lowest mean, and how far they are apart, paired by seed."""
    table = results.summary().query("outcome == @name").dropna(subset=["mean"])
    order = table.sort_values("mean", ascending=False, kind="stable").to_dict("records")
    most, least = order[0], order[-1]
    what = label(name)[0].upper() + label(name)[1:]
    if len(order) == 1:
        mean, half = most["mean"], most["half_width"]
        return f"{what} is {cells.sized((mean, mean - half, mean + half))}"
    row = results.compare(most["cell"], least["cell"]).set_index("outcome").to_dict("index")[name]
    apart = (row["difference"], row["low"], row["high"])
    if row["low"] <= 0.0:
        return f"{what} does not differ clearly between the cells: {cells.sized(apart)}"
    high, low = (cells.where(cells.cell_words(cell, results)) for cell in (most, least))
    return f"{what} is highest {high} and lowest {low}: {cells.sized(apart)} apart"

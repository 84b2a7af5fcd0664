"""The loop of hysteresis: what an outcome is at each level of a lever on the way up, and on the way down again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sim.claims.text import label
from sim.plots import cells, theme

_WAYS = {"up": (theme.BLUE, "-", "o"), "down": (theme.VERMILLION, "--", "s")}


def hysteresis(table: pd.DataFrame, lever: str = "monitoring", outcome: str = "fear", note: str = "") -> Figure:
    """The two ways through the levels of a lever, with bands.

    Parameters
    ----------
    table : DataFrame
        A row for each level and direction: ``level``, ``direction`` ("up" or "down"), ``mean``, ``low``, ``high``.
    lever, outcome : names of what is moved and of what is measured.
    note : how the bands are made and whose numbers these are, for the foot of the picture.

    The title says where the two ways are furthest apart, and whether their bands still overlap there.
    """
    with theme.style():
        figure = theme.slide()
        axes = figure.add_axes((0.09, 0.16, 0.86, 0.64))
        for way, (colour, dash, marker) in _WAYS.items():
            part = table[table["direction"] == way].sort_values("level", ascending=way == "up")
            axes.fill_between(part["level"], part["low"], part["high"], color=colour, alpha=0.18, linewidth=0)
            axes.plot(
                part["level"], part["mean"], color=colour, linestyle=dash, marker=marker, linewidth=4, markersize=10
            )
            _arrow(axes, part, colour)
        axes.set_xlabel(cells.plain(lever), fontsize=theme.LARGE)
        axes.set_ylabel(label(outcome), fontsize=theme.LARGE)
        axes.tick_params(labelsize=theme.LARGE)
        axes.grid(axis="y", color=theme.PALE)
        looks = [{"color": c, "linestyle": d, "marker": m, "linewidth": 4} for c, d, m in _WAYS.values()]
        cells.key(figure, cells.plain(lever), ["on the way up", "on the way down"], looks)
        found = _finding(table, lever, outcome)
        theme.headline(figure, found)
        theme.footnote(figure, note)
        theme.describe(figure, f"Two curves of {label(outcome)} by {cells.plain(lever)}, up and down. {found}.")
        return figure


def _arrow(axes: Any, part: pd.DataFrame, colour: str) -> None:
    """Which way time runs, at the middle of the curve."""
    if len(part) < 2:
        return
    k = len(part) // 2
    ends = part[["level", "mean"]].to_numpy()
    axes.annotate("", ends[k], (ends[k - 1] + ends[k]) / 2,
                  arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 4, "mutation_scale": 34})  # fmt: skip


def _finding(table: pd.DataFrame, lever: str, outcome: str) -> str:
    wide = table.pivot(index="level", columns="direction", values=["mean", "low", "high"]).dropna()
    what = f"{label(outcome)[0].upper()}{label(outcome)[1:]}"
    if wide.empty:
        return f"{what} by {cells.plain(lever)}: no level was passed both ways"
    apart = wide["mean"]["down"] - wide["mean"]["up"]
    level = np.abs(apart).idxmax()
    row, higher = wide.loc[level], apart[level] > 0
    upper, lower = ("down", "up") if higher else ("up", "down")
    clear = row["low"][upper] > row["high"][lower]
    size = cells.sized((abs(apart[level]), np.nan, np.nan))
    direction = "higher" if higher else "lower"
    bands = "and the bands do not overlap there" if clear else "though the bands overlap there"
    there = f"At {cells.plain(lever)} {level:g}, {label(outcome)}"
    return f"{there} is {size} {direction} on the way down than on the way up, {bands}"

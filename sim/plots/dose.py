"""Dose and response: outcomes against a factor that is a number, a line for each value of a second factor."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from sim.claims.text import joined, label
from sim.plots import cells, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.study import Results

MOST_PANELS = 6


def dose_response(results: Results, outcomes: Sequence[str] = ()) -> Figure:
    """Means of up to six outcomes of a grid with their 95 % intervals against its first factor that is a number.

    Other factors than the one that makes the lines are averaged over. The title says what the factor does to the
    first outcome, from the lowest to the highest value, paired by seed.
    """
    names = cells.checked(results, outcomes, MOST_PANELS)
    axis = cells.numbers(results)[0]
    lines = cells.lines_by(results, axis)
    with theme.style():
        figure = theme.slide()
        for name, box in zip(names, cells.boxes(len(names)), strict=True):
            _panel(figure.add_axes(box), results, name, axis, lines)
        if lines is not None:
            values = results.runs[lines].unique()
            cells.key(figure, cells.plain(lines), [v if isinstance(v, str) else f"{v:g}" for v in values])
        found = _finding(results, names[0], axis, lines)
        theme.headline(figure, found)
        more = len(results.outcomes) - len(names)
        rest = f" {more} more outcome{'s were' if more > 1 else ' was'} kept." if more else ""
        theme.footnote(figure, f"{cells.source(results)} Bands: 95 % intervals of the means.{rest}")
        by = f", a line for each {cells.plain(lines)}" if lines else ""
        theme.describe(
            figure, f"Line charts of {joined([label(n) for n in names])} by {cells.plain(axis)}{by}. {found}."
        )
        return figure


def _panel(axes: Axes, results: Results, name: str, axis: str, lines: str | None) -> None:
    runs = results.runs
    groups = [(None, runs)] if lines is None else list(runs.groupby(lines, sort=False))
    for k, (_, group) in enumerate(groups):
        colour, dash = theme.LINES[k % len(theme.LINES)]
        found = [(x, *cells.interval(cells.by_seed(part, name).to_numpy())) for x, part in group.groupby(axis)]
        x, mean, low, high = np.array(found, dtype=np.float64).T
        axes.plot(x, mean, color=colour, linestyle=dash, linewidth=3, marker="o", markersize=6)
        axes.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
    axes.set_title(textwrap.fill(label(name), 40), fontsize=theme.LARGE, fontweight="bold")
    axes.set_xlabel(cells.plain(axis), fontsize=theme.TEXT)
    axes.margins(y=0.12)
    axes.locator_params(nbins=5)
    axes.tick_params(labelsize=theme.TEXT)
    axes.grid(color=theme.PALE, axis="y")


def _finding(results: Results, name: str, axis: str, lines: str | None) -> str:
    """What the factor does to an outcome at the first and at the last line, with the intervals of the differences."""
    runs = results.runs
    groups = [("", runs)] if lines is None else [(f" at {cells.said(lines, v)}", p) for v, p in runs.groupby(lines)]
    changes = [f"{cells.moved(cells.change(part, name, axis))}{where}" for where, part in groups]
    what = joined([changes[0], changes[-1]] if len(changes) > 1 else changes)
    low, high = runs[axis].min(), runs[axis].max()
    return f"As {cells.plain(axis)} goes from {low:g} to {high:g}, {label(name)} {what}"

"""A study in one picture: its outcomes against what was varied, with intervals."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from pandas.api.types import is_numeric_dtype

from sim.errors import InputError, nearest, shown
from sim.inference.contrast import FEWEST_PAIRS, mean_interval
from sim.inference.words import label
from sim.show import theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.study import Results

MOST_PANELS = 6
MOST_COLUMNS = 4
MOST_LINES = 7
MOST_ROWS = 24


def study_figure(results: Results, outcomes: Sequence[str] = ()) -> Figure:
    """Means of outcomes with their 95 % intervals, on one slide: six panels at most, four where cells are rows.

    For a grid, against the first factor that is a number, a line for each value of the second factor; other factors
    are averaged over. For other designs, a row for each cell. The title says which change moves the first outcome
    most. Raises `InputError` for outcomes that were not kept, and where nothing is finished.
    """
    names = list(dict.fromkeys(outcomes)) or list(results.outcomes)
    if unknown := [name for name in names if name not in results.outcomes]:
        raise InputError(
            [f"{shown(name)}: not kept by this study{nearest(name, results.outcomes)}" for name in unknown]
        )
    if results.runs["error"].isna().sum() == 0:
        raise InputError([f"{results.folder}: no run is finished yet, so there is nothing to draw"])
    axis, lines = _factors(results)
    names = names[: MOST_COLUMNS if axis is None else MOST_PANELS]
    with theme.style():
        figure = theme.slide()
        boxes = _boxes(len(names), by_cell=axis is None)
        for k, (name, box) in enumerate(zip(names, boxes, strict=True)):
            axes = figure.add_axes(box)
            if axis is None:
                _rows(axes, results, name, first=k == 0)
            else:
                _lines(axes, results, name, axis, lines)
            axes.set_title(
                textwrap.fill(label(name), 16 if axis is None else 40), fontsize=theme.LARGE, fontweight="bold"
            )
            axes.tick_params(labelsize=theme.SMALL)
            axes.grid(color=theme.PALE, axis="x" if axis is None else "y")
        if axis is not None and lines is not None:
            _legend(figure, results, lines)
        title = textwrap.fill(_finding(results, names[0], axis, lines), 76)
        figure.text(0.03, 0.965, title, fontsize=theme.TITLE, fontweight="bold", va="top")
        figure.text(0.03, 0.02, _note(results, names), fontsize=theme.SMALL, color=theme.GREY)
        return figure


def _factors(results: Results) -> tuple[str | None, str | None]:
    """The factor on the axis and the one that makes the lines, for a grid that has a factor that is a number."""
    runs = results.runs
    numbers = [name for name in results.columns if is_numeric_dtype(runs[name])]
    if results.study.plan.design.get("kind") != "grid" or not numbers:
        return None, None
    others = [name for name in results.columns if name != numbers[0] and runs[name].nunique() > 1]
    return numbers[0], next((name for name in others if runs[name].nunique() <= MOST_LINES), None)


def _boxes(panels: int, by_cell: bool) -> list[tuple[float, float, float, float]]:
    """Left, bottom, width and height of each panel, row by row."""
    if by_cell:
        left, width = 0.26, 0.72 / panels
        return [(left + k * width, 0.13, width - 0.025, 0.66) for k in range(panels)]
    across = min(panels, 3 if panels > 4 else 2)
    down = -(-panels // across)
    width, height = 0.94 / across, 0.70 / down
    return [
        (0.055 + (k % across) * width, 0.83 - (k // across + 1) * height + 0.075, width - 0.055, height - 0.125)
        for k in range(panels)
    ]


def _means(runs: pd.DataFrame, name: str) -> tuple[float, float]:
    """Mean of an outcome, and the half-width of its 95 % interval: seeds are independent, cells of one seed are not."""
    return _interval(runs.dropna(subset=[name]).groupby("seed")[name].mean().to_numpy())


def _interval(values: np.ndarray) -> tuple[float, float]:
    if len(values) < FEWEST_PAIRS:
        return (float(values[0]) if len(values) else np.nan), np.nan
    mean, low, _ = mean_interval(values)
    return mean, mean - low


def _lines(axes: Axes, results: Results, name: str, axis: str, lines: str | None) -> None:
    runs = results.runs
    groups = [(None, runs)] if lines is None else list(runs.groupby(lines, sort=False))
    for k, (_, group) in enumerate(groups):
        colour, dash = theme.LINES[k % len(theme.LINES)]
        found = [(x, *_means(part, name)) for x, part in group.groupby(axis, sort=True)]
        x, mean, half = np.array(found, dtype=np.float64).T
        axes.plot(x, mean, color=colour, linestyle=dash, linewidth=2.5, marker="o", markersize=5)
        axes.fill_between(x, mean - half, mean + half, color=colour, alpha=0.18, linewidth=0)
    axes.set_xlabel(axis.replace("_", " "), fontsize=theme.TEXT)
    axes.margins(y=0.12)


def _legend(figure: Figure, results: Results, lines: str) -> None:
    """One line with the values that the colours and dashes stand for."""
    handles: list[Any] = []
    for k, value in enumerate(results.runs[lines].unique()):
        style: Any = theme.LINES[k % len(theme.LINES)]
        text = value if isinstance(value, str) else f"{value:g}"
        handles.append(Line2D([], [], color=style[0], linestyle=style[1], linewidth=2.5, label=text))
    figure.text(0.03, 0.856, lines.replace("_", " "), fontsize=theme.LARGE, va="center")
    left = 0.04 + 0.0095 * len(lines)
    figure.legend(handles=handles, loc="center left", bbox_to_anchor=(left, 0.856), ncols=len(handles), frameon=False,
                  fontsize=theme.LARGE)  # fmt: skip


def _rows(axes: Axes, results: Results, name: str, first: bool) -> None:
    table = results.summary().query("outcome == @name").reset_index(drop=True)
    shown_rows = table.iloc[:MOST_ROWS]
    y = np.arange(len(shown_rows))
    axes.errorbar(shown_rows["mean"], y, xerr=shown_rows["half_width"], fmt="o", color=theme.BLUE, capsize=3)
    axes.set_ylim(len(shown_rows) - 0.5, -0.5)
    labels = [_cell_label(row, results) for row in shown_rows.to_dict("records")] if first else []
    axes.set_yticks(y, labels if first else [""] * len(y))


def _cell_label(row: Any, results: Results) -> str:
    values = [value if name in ("regime", "mechanisms_off") else _said(name, value)
              for name in results.columns if (value := row[name]) != ""]  # fmt: skip
    return textwrap.shorten(f"{row['cell']}  {', '.join(values)}", 40, placeholder=" ...")


def _finding(results: Results, name: str, axis: str | None, lines: str | None) -> str:
    """The title: what moves the first outcome most, computed from the runs, with the interval of the difference."""
    if axis is None:
        return _extremes(results, name)
    runs = results.runs
    low, high = runs[axis].min(), runs[axis].max()
    if low == high:
        return _extremes(results, name)
    groups = [("", runs)] if lines is None else [(f" at {_said(lines, v)}", part) for v, part in runs.groupby(lines)]
    changes = [(where, _change(part, name, axis, low, high)) for where, part in groups]
    shown_changes = [changes[0], changes[-1]] if len(changes) > 1 else changes
    said = " and ".join(f"{_moved(*change)}{where}" for where, change in shown_changes)
    return f"As {axis.replace('_', ' ')} goes from {low:g} to {high:g}, {label(name)} {said}"


def _said(name: str, value: object) -> str:
    if name == "schedule":
        plans = json.loads(str(value))
        return ", ".join(f"{lever} {v:g} from month {m}" for lever, plan in plans.items() for m, v in plan.items())
    return f"{name.replace('_', ' ')} {value if isinstance(value, str) else format(value, 'g')}"


def _change(runs: pd.DataFrame, name: str, axis: str, low: float, high: float) -> tuple[float, float]:
    """How much an outcome is higher at the upper end of a factor, paired by seed, and the half-width of that."""
    ends = [runs[runs[axis] == end].dropna(subset=[name]).groupby("seed")[name].mean() for end in (high, low)]
    return _interval((ends[0] - ends[1]).dropna().to_numpy())


def _moved(change: float, half: float) -> str:
    if not np.isnan(half) and abs(change) <= half:
        return theme.minus(f"does not clearly change ({change - half:+.3f} to {change + half:+.3f})")
    size = abs(change)
    between = "" if np.isnan(half) else f" ({size - half:.3f} to {size + half:.3f})"
    return f"{'rises' if change > 0 else 'falls'} by {size:.3f}{between}"


def _extremes(results: Results, name: str) -> str:
    """Which cells have the highest and the lowest mean, and how far they are apart."""
    table = results.summary().query("outcome == @name").dropna(subset=["mean"])
    most, least = (table.loc[table["mean"].agg(which)] for which in ("idxmax", "idxmin"))
    if most["cell"] == least["cell"]:
        return f"{label(name).capitalize()} is {most['mean']:.3f}"
    apart = results.compare(int(most["cell"]), int(least["cell"])).set_index("outcome").loc[name]
    interval = "" if np.isnan(apart["low"]) else f" ({apart['low']:.3f} to {apart['high']:.3f})"
    if apart["low"] <= 0.0:
        return theme.minus(f"{label(name).capitalize()} does not differ clearly between the cells{interval}")
    return theme.minus(
        f"{label(name).capitalize()} is highest in cell {_cell_label(most, results)}, lowest in cell "
        f"{_cell_label(least, results)}: {apart['difference']:.3f} apart{interval}"
    )


def _note(results: Results, names: Sequence[str]) -> str:
    n = results.runs.groupby("cell").size()
    runs = f"{n.min():,} runs" if n.min() == n.max() else f"{n.min():,} to {n.max():,} runs"
    more = len(results.outcomes) - len(names)
    parts = [
        results.study.title if results.study.title[-1] in ".?!" else f"{results.study.title}.",
        f"Means over {runs} of each of {len(n):,} cells; bands and bars: 95 % intervals.",
    ]
    if len(n) > MOST_ROWS and results.study.plan.design.get("kind") != "grid":
        parts.append(f"The first {MOST_ROWS} cells are shown.")
    if more > 0:
        parts.append(f"{more} more outcome{'s were' if more > 1 else ' was'} kept.")
    return " ".join(parts)

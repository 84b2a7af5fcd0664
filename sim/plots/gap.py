"""True and reported performance side by side: how far reports run ahead of what patients get."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sim.claims.text import label
from sim.plots import cells, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.study import Results

MOST_PANELS = 3
MOST_ROWS = 16
TRUE = ("quality", "honest_indicator")
"""What a report is held against, the first of these that is kept."""
_LOOKS = {
    "reported": (theme.VERMILLION, "--", "s"),
    "honest_indicator": (theme.GREEN, "-.", "D"),
    "quality": (theme.BLUE, "-", "o"),
}
_SCALE = (
    "All are points of service: with honest reports, balanced attention, fitting practice and no slips they would be "
    "equal."
)


def shows_gap(kept: Sequence[str]) -> bool:
    """Whether a study keeps what this picture needs: what is reported, and what is true."""
    return "reported" in kept and any(name in kept for name in TRUE)


def true_and_reported(results: Results) -> Figure:
    """Reported results, the honest indicator and quality, as far as they are kept, with the gap shaded.

    For a grid, against its first factor that is a number, a panel for each of up to three values of a second factor;
    for other designs a row for each of up to 16 cells. The title says where the gap is widest or how it moves.
    """
    kept = [name for name in _LOOKS if name in cells.checked(results, (), len(results.outcomes))]
    true = next(name for name in TRUE if name in kept)
    runs = results.runs.assign(gap=results.runs["reported"] - results.runs[true])
    axis = next(iter(cells.numbers(results)), None)
    with theme.style():
        figure = theme.slide()
        if axis is None:
            found = _rows(figure, results, runs, kept, true)
        else:
            found = _curves(figure, results, runs, kept, true, axis)
        looks = [_look(name, axis is not None) for name in kept]
        cells.key(figure, "", [label(name) for name in kept], looks)
        theme.headline(figure, found)
        theme.footnote(figure, f"{cells.source(results)} Shaded: reported less {label(true)}. {_SCALE}")
        theme.describe(figure, f"Reported results beside {label(true)}, the gap between them shaded. {found}.")
        return figure


def _look(name: str, line: bool) -> dict[str, Any]:
    colour, dash, marker = _LOOKS[name]
    style = {"linestyle": dash, "linewidth": 3.5} if line else {"linestyle": "none"}
    return {"color": colour, "marker": marker, "markersize": 7 if line else 11, **style}


def _curves(figure: Figure, results: Results, runs: pd.DataFrame, kept: list[str], true: str, axis: str) -> str:
    lines = cells.lines_by(results, axis)
    panels = [("", runs)] if lines is None else [(cells.said(lines, v), part) for v, part in runs.groupby(lines)]
    chosen = np.unique(np.linspace(0, len(panels) - 1, min(len(panels), MOST_PANELS)).round().astype(int))
    width = 0.94 / len(chosen)
    values = [part.groupby(axis)[kept].mean() for _, part in (panels[k] for k in chosen)]
    low, high = min(v.min().min() for v in values), max(v.max().max() for v in values)
    for k, (place, means) in enumerate(zip(chosen, values, strict=True)):
        axes = figure.add_axes((0.07 + k * width, 0.17, width - 0.035, 0.58))
        axes.fill_between(means.index, means["reported"], means[true], color=theme.PALE, linewidth=0)
        for name in kept:
            axes.plot(means.index, means[name], **_look(name, True))
        axes.set_ylim(low - 0.06 * (high - low), high + 0.06 * (high - low))
        axes.set_title(panels[place][0], fontsize=theme.LARGE, fontweight="bold")
        axes.set_xlabel(cells.plain(axis), fontsize=theme.LARGE)
        axes.tick_params(labelsize=theme.TEXT, labelleft=k == 0)
        axes.locator_params(nbins=5)
    gap = cells.interval(cells.by_seed(runs, "gap").to_numpy())
    ends = f"from {runs[axis].min():g} to {runs[axis].max():g}"
    change = cells.moved(cells.change(runs, "gap", axis))
    level = f"Reports {_exceed(gap, true)} on average"
    return f"{level}; as {cells.plain(axis)} goes {ends}, the gap {change}"


def _exceed(gap: cells.Interval, true: str) -> str:
    if gap[0] < 0.0:
        return f"fall short of {label(true)} by {cells.sized(cells.turned(gap))}"
    return f"exceed {label(true)} by {cells.sized(gap)}"


def _rows(figure: Figure, results: Results, runs: pd.DataFrame, kept: list[str], true: str) -> str:
    means = runs.groupby("cell")[[*kept, "gap"]].mean().dropna()
    shown = means.iloc[:MOST_ROWS]
    axes = figure.add_axes((0.30, 0.16, 0.62, 0.65))
    y = np.arange(len(shown))
    axes.barh(y, shown["gap"], left=shown[true], height=0.5, color=theme.PALE)
    for name in kept:
        axes.plot(shown[name], y, **_look(name, False))
    cells.row_labels(axes, [cells.settings_of(results, number) for number in shown.index], results)
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.margins(x=0.04)
    axes.use_sticky_edges = False
    axes.tick_params(axis="x", labelsize=theme.TEXT)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=theme.PALE)
    axes.set_axisbelow(True)
    _write_gaps(axes, shown["gap"].to_numpy())
    return _widest(results, runs, means["gap"], true)


def _write_gaps(axes: Axes, gaps: np.ndarray) -> None:
    across = axes.get_yaxis_transform()
    axes.text(1.02, -0.75, "gap", transform=across, fontsize=theme.TEXT, fontweight="bold", va="bottom")
    for place, gap in enumerate(gaps):
        axes.text(1.02, place, theme.minus(f"{gap:+.2f}"), transform=across, fontsize=theme.TEXT, va="center")


def _widest(results: Results, runs: pd.DataFrame, gaps: pd.Series, true: str) -> str:
    """Where reports are furthest above the truth and where least, with the paired difference."""
    most, least = (int(str(number)) for number in (gaps.idxmax(), gaps.idxmin()))
    of_most, of_least = (cells.by_seed(runs[runs["cell"] == number], "gap") for number in (most, least))
    if most == least:
        return f"Reports {_exceed(cells.interval(of_most.to_numpy()), true)}"
    apart = cells.interval((of_most - of_least).dropna().to_numpy())
    if apart[1] <= 0.0:
        return f"How far reports exceed {label(true)} does not differ clearly between the cells: {cells.sized(apart)}"
    here, there = (
        cells.where(cells.cell_words(cells.settings_of(results, number), results)) for number in (most, least)
    )
    return theme.minus(
        f"Reports exceed {label(true)} most {here} ({gaps[most]:+.2f}) and least {there} ({gaps[least]:+.2f}): "
        f"{cells.sized(apart)} apart"
    )

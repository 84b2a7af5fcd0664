"""Maps over two factors: outcomes of a grid, and where among plausible worlds a claim holds.

Darker is less and brighter is more in every map, in colour and in grey; numbers stand in the cells where they fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from sim.claims.text import joined, label, shown_numbers
from sim.model.outcomes import OUTCOMES
from sim.plots import cells, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.study import Results

MOST_MAPS = 2
MOST_NUMBERS = 9  # cells across with numbers in them
COLOURS = "cividis"  # brightness rises throughout: told apart by the colour-blind, and in grey
_CONTOURS = 4
_SMOOTH = 4  # values of a factor, below which lines of equal level would be guesses
FEWEST = 20.0  # worlds, effectively, below which a bin of a map stays empty


def factor_map(results: Results, outcomes: Sequence[str] = ()) -> Figure:
    """One or two outcomes of a grid over its first two factors that are numbers, as heat maps with contours.

    Other factors are averaged over. The title says where the first outcome is highest and lowest, and how far apart.
    """
    names = cells.checked(results, outcomes, MOST_MAPS)
    across, up = cells.numbers(results)[:2]
    with theme.style():
        figure = theme.slide()
        width = 0.96 / len(names)
        for k, name in enumerate(names):
            table = _means(results.runs, name, across, up)
            axes = figure.add_axes((0.07 + k * width, 0.16, width - 0.16, 0.62))
            _map(figure, axes, table, OUTCOMES[name].unit)
            axes.set_title(label(name), fontsize=theme.LARGE + 2, fontweight="bold")
            axes.set_xlabel(cells.plain(across), fontsize=theme.LARGE)
            axes.set_ylabel(cells.plain(up), fontsize=theme.LARGE)
        found = [_finding(results.runs, name, across, up) for name in names]
        theme.headline(figure, found[0])
        lines = " Lines: equal levels." if min(table.shape) >= _SMOOTH else ""
        theme.footnote(figure, f"{cells.source(results)} Means; brighter is more.{lines}")
        what = f"Heat maps of {joined([label(name) for name in names])} by {cells.plain(across)} and {cells.plain(up)}"
        theme.describe(figure, f"{what}. {'. '.join(found)}.")
        return figure


def _means(runs: pd.DataFrame, name: str, across: str, up: str) -> pd.DataFrame:
    """Rows: values of `up`, ascending; columns: values of `across`."""
    return runs.dropna(subset=[name]).groupby([up, across])[name].mean().unstack()


def _map(figure: Figure, axes: Axes, table: pd.DataFrame, unit: str, scale: tuple[float, float] | None = None) -> None:
    values = np.ma.masked_invalid(table.to_numpy(dtype=np.float64))
    low, high = scale or (float(values.min()), float(values.max()))
    high = high if high > low else low + 1e-9
    axes.set_facecolor(theme.PALE)
    mesh = axes.pcolormesh(values, cmap=COLOURS, vmin=low, vmax=high, rasterized=True)
    axes.set_xticks(np.arange(table.shape[1]) + 0.5, _ticks(table.columns))
    axes.set_yticks(np.arange(table.shape[0]) + 0.5, _ticks(table.index))
    axes.tick_params(labelsize=theme.TEXT, length=0)
    axes.spines[:].set_visible(False)
    if min(table.shape) >= _SMOOTH and not np.ma.is_masked(values) and np.ptp(values) > 0:
        _contours(axes, values)
    if max(table.shape) <= MOST_NUMBERS:
        _numbers(axes, values, low, high)
    x0, y0, width, height = axes.get_position().bounds
    bar = figure.colorbar(mesh, cax=figure.add_axes((x0 + width + 0.012, y0, 0.012, height)))
    bar.ax.tick_params(labelsize=theme.TEXT)
    bar.ax.locator_params(nbins=5)
    bar.outline.set_visible(False)
    bar.ax.set_title(unit, fontsize=theme.SMALL, loc="right")


def _ticks(values: pd.Index) -> list[str]:
    """Labels for bins, every second or third of them where there are many."""
    every = -(-len(values) // 12)
    return ["" if k % every else v if isinstance(v, str) else f"{v:g}" for k, v in enumerate(values)]


def _contours(axes: Axes, values: Any) -> None:
    x, y = np.arange(values.shape[1]) + 0.5, np.arange(values.shape[0]) + 0.5
    lines = axes.contour(x, y, values, levels=_CONTOURS, colors="white", linewidths=1.2)
    lines.set_path_effects([withStroke(linewidth=2.2, foreground=theme.BLACK)])


def _numbers(axes: Axes, values: Any, low: float, high: float) -> None:
    texts = shown_numbers(*values.compressed())
    colours = colormaps[COLOURS]
    places = [(i, j) for i, j in np.ndindex(values.shape) if not np.ma.getmaskarray(values)[i, j]]
    for (i, j), text in zip(places, texts, strict=True):
        red, green, blue, _ = colours((values[i, j] - low) / (high - low))
        dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
        ink, halo = ("white", theme.BLACK) if dark else (theme.BLACK, "white")
        written = axes.text(j + 0.5, i + 0.5, text.replace("-", "−"), ha="center", va="center", color=ink,
                            fontsize=theme.LARGE, fontweight="bold")  # fmt: skip
        written.set_path_effects([withStroke(linewidth=3, foreground=halo)])


def _finding(runs: pd.DataFrame, name: str, across: str, up: str) -> str:
    """Where an outcome is highest and lowest, and the paired difference between the two."""
    table = _means(runs, name, across, up)
    values = np.ma.masked_invalid(table.to_numpy(dtype=np.float64))
    places = [divmod(int(k), values.shape[1]) for k in (values.argmax(), values.argmin())]
    ends = [(table.columns[j], table.index[i]) for i, j in places]
    high, low = (cells.by_seed(runs[(runs[across] == x) & (runs[up] == y)], name) for x, y in ends)
    what = f"{label(name)[0].upper()}{label(name)[1:]}"
    apart = cells.interval((high - low).dropna().to_numpy())
    if apart[1] <= 0.0 or places[0] == places[1]:
        return f"{what} does not differ clearly over the map: {cells.sized(apart)}"
    where = [f"{cells.plain(across)} {x:g}, {cells.plain(up)} {y:g}" for x, y in ends]
    return f"{what} is highest at {where[0]} and lowest at {where[1]}: {cells.sized(apart)} apart"


def flip_map(
    table: pd.DataFrame, across: str, up: str, claim: str, note: str = "", answer: str = "supported"
) -> Figure:
    """Where among plausible worlds a claim holds: its weighted share by bins of the two factors that matter most.

    Parameters
    ----------
    table : DataFrame
        A row for each bin: ``x_low``, ``x_high``, ``y_low``, ``y_high`` (its bounds, in the units of the two factors),
        ``share`` of worlds by weight in which `answer` is the verdict, from 0 to 1, and ``effective_size``, the
        effective number of worlds in the bin. Bins with fewer than 20 stay empty.
    across, up : the factors' names.
    claim : what holds or does not, in a few words; the title begins with it.
    note : whose worlds these are, for the foot of the picture.
    answer : the verdict whose share is drawn.
    """
    enough = table[table["effective_size"] >= FEWEST]
    grids = {name: _binned(table, name) for name in ("share", "effective_size")}
    shares = 100.0 * grids["share"].where(grids["effective_size"] >= FEWEST)
    with theme.style():
        figure = theme.slide()
        axes = figure.add_axes((0.16, 0.17, 0.70, 0.64))
        _map(figure, axes, shares, "% of worlds", (0.0, 100.0))
        axes.set_xlabel(cells.plain(across), fontsize=theme.LARGE)
        axes.set_ylabel(cells.plain(up), fontsize=theme.LARGE)
        found = _flips(enough, across, up, claim, answer)
        theme.headline(figure, found)
        reading = f"Share of plausible worlds, by weight, in which it is {answer}; brighter is more. "
        few = f"Grey: worth fewer than {FEWEST:g} worlds."
        theme.footnote(figure, reading + few, note)
        theme.describe(figure, f"Heat map by {cells.plain(across)} and {cells.plain(up)}. {found}.")
        return figure


def _binned(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Rows and columns named by the bounds of the bins, ascending."""
    wide = (
        table.pivot(index=["y_low", "y_high"], columns=["x_low", "x_high"], values=name).sort_index().sort_index(axis=1)
    )
    wide.index, wide.columns = _bounds(wide.index.to_list()), _bounds(wide.columns.to_list())
    return wide


def _bounds(bins: Sequence[Any]) -> pd.Index:
    return pd.Index([f"{low:.3g} to {high:.3g}" for low, high in bins])


def _flips(enough: pd.DataFrame, across: str, up: str, claim: str, answer: str) -> str:
    if enough.empty:
        return f"{claim}: too few worlds in every part of the map to say"
    most, least = (enough.loc[enough["share"].agg(which)] for which in ("idxmax", "idxmin"))
    if most["share"] == least["share"]:
        return f"{claim}: {answer} in {100 * most['share']:.0f} % of worlds by weight all over the map"
    where = [
        f"{cells.plain(across)} {bin_['x_low']:.3g} to {bin_['x_high']:.3g} and "
        f"{cells.plain(up)} {bin_['y_low']:.3g} to {bin_['y_high']:.3g}"
        for bin_ in (most, least)
    ]
    return (
        f"{claim}: {answer} in {100 * most['share']:.0f} % of worlds, by weight, with {where[0]}, "
        f"in {100 * least['share']:.0f} % with {where[1]}"
    )

"""What pictures share: cells in words, differences in sentences, rows with names, keys, heat maps."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from pandas.api.types import is_numeric_dtype

from sim.claims.statements import LIMITS
from sim.errors import KEPT, InputError, chosen, counted
from sim.model import words
from sim.model.glossary import shown_numbers
from sim.model.parameters import PARAMETERS
from sim.plots import theme
from sim.statistics import mean_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from sim.study import Results

Interval = Sequence[float] | np.ndarray
"""Mean, low and high; the ends are missing where there are too few runs."""

MOST_LINES = 7
PREFERRED = ("fear", "quality")
"""The outcomes that stand for the rest where a picture has no room for all: both sides' strongest case."""
_LABEL = 34  # letters of a row's label on one line
_TWO_LINES = 12  # rows, beyond which labels have one line
_KEY = 46  # letters of a key where they take two lines
_KEYS = ((theme.LARGE, 96), (theme.TEXT, 112))  # points, and letters of a key that fit on a line

COLOURS = "cividis"
"""Of heat maps: brightness rises throughout, so that they are told apart by the colour-blind, and in grey."""
MOST_NUMBERS = 9  # cells of a heat map across with numbers in them
_CONTOURS = 4
SMOOTH = 4
"""Values of a factor, below which lines of equal level would be guesses."""


def checked(results: Results, outcomes: Sequence[str], most: int) -> list[str]:
    """The first `most` of these outcomes, or of all that are kept, those of `PREFERRED` first.

    Raises `InputError` for outcomes that were not kept, and where no run is finished.
    """
    names = chosen("outcomes", outcomes, results.outcomes, KEPT)
    if results.runs["error"].isna().sum() == 0:
        raise InputError([f"{results.folder}: no run is finished yet, so there is nothing to draw"])
    return list(names[:most]) or preferred(results.outcomes, most)


def preferred(names: Sequence[str], most: int) -> list[str]:
    """The first `most` of these names, or where there is no room for all, those of `PREFERRED` before others."""
    if len(names) <= most:
        return list(names)
    return [*(n for n in PREFERRED if n in names), *(n for n in names if n not in PREFERRED)][:most]


def numbers(results: Results) -> list[str]:
    """The factors of a grid that take several numbers, in order; none for other designs."""
    study = results.study
    if study.plan.design.get("kind") != "grid":
        return []
    return [name for name in study.columns if is_numeric_dtype(study.cells[name]) and study.cells[name].nunique() > 1]


def plain(name: str) -> str:
    """A name as it is said."""
    return name.replace("_", " ").replace("@", " from month ")


def named(name: str) -> str:
    """A factor of a study as it stands at an axis: a lever's name, what a parameter or size is in a clause; what users
    named keeps its name."""
    return words.SCALES[name].label if name in words.SCALES else words.PHRASES.get(name, plain(name))


def driver(name: str) -> str:
    """What a sampled study varies, so that it follows "depends on"."""
    if name in words.CLAUSES and name not in words.PHRASES:
        return f"whether {words.clause(name)}"
    return "the way of overseeing" if name == "regime" else words.phrase(name)


def said(name: str, value: object) -> str:
    """A factor and its value in words: "weight on targets 0.5", "heavy oversight", "monitoring 0.9 from month 25"."""
    if name == "schedule":
        plans = json.loads(str(value))
        return ", ".join(f"{named(k)} {v:g} from month {m}" for k, plan in plans.items() for m, v in plan.items())
    if name == "regime":
        return words.policy(str(value))
    if name == "local":
        return plain(str(value))
    if name == "mechanisms_off":
        return f"unless {' and '.join(words.clause(each) for each in str(value).split(', '))}"
    shown = value if isinstance(value, str) else format(value, "g")
    return f"{words.SCALES[name].label if name in words.SCALES else plain(name)} {shown}"


def heading(name: str, width: int = 38) -> str:
    """What stands over a panel with an outcome: its name and its unit, in two lines where that is wider."""
    told = words.capital(words.label(name)), words.measured_in(name)
    return (", " if sum(map(len, told)) < width else ",\n").join(told)


def cell_words(number: int, results: Results, width: int = 60) -> str:
    """A cell's name, or what it sets, such as "heavy oversight, monitoring 0.8"; its number where that is too long."""
    row, point = results.study.cells.loc[number], results.study.points[number - 1]
    listed = results.study.plan.design.get("kind") == "list"
    told = [n for n in results.columns if row[n] != "" and (not listed or n == "regime" or n in point.own)]
    text = row.get("name") or ", ".join(said(name, row[name]) for name in told)
    short = textwrap.shorten(text, width, placeholder=" ...")
    return short if text == short != "" else f"cell {number} {short}".strip()


def place(table: pd.DataFrame, at: Mapping[str, float]) -> str:
    """Values of factors as a sentence refers to them: little of a factor at its lowest in a table, much at its highest,
    else some."""
    ends = {name: {table[name].min(): "little", table[name].max(): "much"} for name in at}
    told = [f"{ends[name].get(value, 'some')} {named(name)}" for name, value in at.items()]
    return f"with {' and '.join(told)}"


def where(number: int, results: Results) -> str:
    """A cell as a sentence refers to it: "under heavy oversight", "with much monitoring", "with “from above”"."""
    row, told = results.study.cells.loc[number], cell_words(number, results)
    if name := row.get("name"):
        return f"with “{name}”"
    if factors := numbers(results):
        rest = [said(name, row[name]) for name in results.columns if name not in factors and row[name] != ""]
        return ", ".join([place(results.study.cells, {name: float(str(row[name])) for name in factors}), *rest])
    return f"in {told}" if told.startswith("cell ") else f"under {told}"


def cell_labels(numbers: Sequence[int], results: Results) -> list[str]:
    """Cells as names of the rows of a picture; in two lines where that takes it."""
    texts = [words.capital(cell_words(number, results, 200)) for number in numbers]
    short = max(map(len, texts)) <= _LABEL
    if short or len(texts) > _TWO_LINES:
        return [textwrap.shorten(text, _LABEL if short else _LABEL + 8, placeholder=" ...") for text in texts]
    return ["\n".join(textwrap.wrap(text, _LABEL, max_lines=2, placeholder=" ...")) for text in texts]


def rows(axes: Axes, labels: Sequence[str], size: float = 0.0) -> None:
    """Make rows with names of a panel, the first on top; `size` of the names in points, by default as they fit."""
    small = len(labels) > 16 or any("\n" in text or len(text) > _LABEL for text in labels)
    axes.set_ylim(max(len(labels), 1) - 0.5, -0.5)
    axes.set_yticks(range(len(labels)), labels, fontsize=size or (theme.SMALL if small else theme.TEXT))
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def by_seed(runs: pd.DataFrame, name: str) -> pd.Series:
    """Means of an outcome by seed over the cells in `runs`: seeds are independent, cells of one seed are not."""
    return runs.dropna(subset=[name]).groupby("seed")[name].mean()


def difference(high: pd.DataFrame, low: pd.DataFrame, name: str) -> NDArray[np.float64]:
    """How much an outcome is higher in some runs than in others, paired by seed, with its interval."""
    return mean_interval((by_seed(high, name) - by_seed(low, name)).dropna())


def change(runs: pd.DataFrame, name: str, axis: str) -> NDArray[np.float64]:
    """How much an outcome is higher at the upper end of a factor than at the lower; see `difference`."""
    return mean_interval(_move(runs, name, axis).dropna())


def difference_of(one: pd.DataFrame, other: pd.DataFrame, name: str, axis: str) -> NDArray[np.float64]:
    """How much further an outcome moves along a factor in some runs than in others, paired by seed."""
    first, second = (_move(runs, name, axis) for runs in (one, other))
    return mean_interval((first - second).dropna())


def _move(runs: pd.DataFrame, name: str, axis: str) -> pd.Series:
    high, low = (by_seed(runs[runs[axis] == end], name) for end in (runs[axis].max(), runs[axis].min()))
    return high - low


def number(value: float, _: object = None) -> str:
    """A number at an axis."""
    return theme.minus(f"{value:g}")


def matters(name: str, found: Interval) -> int:
    """Whether a difference in an outcome rises above what matters and chance (1), falls below (−1), or neither (0)."""
    mean, low, high = found
    least = LIMITS[name].size if name in LIMITS and not LIMITS[name].of_baseline else 0.0
    clear = abs(mean) >= least and not low <= 0.0 <= high
    return int(np.sign(mean)) if clear else 0


def moved(name: str, found: Interval) -> str:
    """A change of an outcome as a predicate: "rises by 7 points of 100", or that it hardly changes."""
    way = matters(name, found)
    by = words.change(name, abs(float(found[0]))).lstrip("+")
    return f"{words.verb(name, way)} by {by}" if way else words.verb(name, way)


def extremes(name: str, high: tuple[str, pd.DataFrame], low: tuple[str, pd.DataFrame], region: str) -> str:
    """A sentence on where an outcome is highest and lowest, or that it hardly differs.

    `high` and `low` are places in words, with their runs.
    """
    what = words.capital(words.label(name))
    if high[0] == low[0] or matters(name, difference(high[1], low[1], name)) <= 0:
        return f"{what} hardly differs {region}"
    return f"{what} is highest {high[0]} and lowest {low[0]}"


def limit(axes: Axes, name: str, around: float = 0.0, upright: bool = True) -> None:
    """Shade what is too small to matter around a value of an outcome, and show a good deal more than that, so that what
    is alike looks alike. The axis is in the unit that people own."""
    if name not in LIMITS or LIMITS[name].of_baseline:
        return
    least, middle = words.natural(name, LIMITS[name].size), words.natural(name, around)
    span, ends, show = (
        (axes.axvspan, axes.get_xlim, axes.set_xlim) if upright else (axes.axhspan, axes.get_ylim, axes.set_ylim)
    )
    low, high = ends()
    span(middle - least, middle + least, color="#EFEFEF", zorder=-2)
    show(min(low, middle - 2.2 * least), max(high, middle + 2.2 * least))


def strip(axes: Axes, plans: Sequence[Mapping[str, Mapping[str, float]]], looks: Sequence[tuple[str, str]]) -> None:
    """The schedules of some cells, over the months of the picture below: what each lever is set to, in the colour and
    dash of the cell. Levers of several kinds share the scale from 0 to 1."""
    low, high = axes.get_xlim()
    levers = list(dict.fromkeys(lever for plan in plans for lever in plan))
    for plan, (colour, dash) in zip(plans, looks, strict=False):
        for by_month in plan.values():
            steps = sorted((int(month), value) for month, value in by_month.items())
            before = PARAMETERS[next(k for k, v in plan.items() if v is by_month)].default
            x = [low, *(month for month, _ in steps), high]
            y = [before, *(value for _, value in steps)]
            axes.step(x, [*y, y[-1]], where="post", color=colour, linestyle=dash, linewidth=2.5)
    axes.set_title(words.capital(" and ".join(named(lever) for lever in levers)), fontsize=theme.TEXT)
    axes.tick_params(labelbottom=False)
    axes.margins(y=0.15)
    axes.set_yticks([0, 1] if max(axes.get_ylim()) <= 1.2 else [1])


def key(figure: Figure, labels: Sequence[str], looks: Sequence[Mapping[str, Any]] = ()) -> None:
    """Below the title of a `theme.slide`, what colours and dashes stand for, on one line or two.

    `looks` are arguments of Matplotlib's `Line2D`, or of `Patch` where they have nothing but a colour; by default
    those of `theme.LINES`.
    """
    looks = looks or [{"color": colour, "linestyle": dash, "linewidth": 3} for colour, dash in theme.LINES]
    letters = sum(7 + len(text) for text in labels)
    size = next((size for size, most in _KEYS if letters <= most), 0)
    labels = labels if size else [textwrap.shorten(text, _KEY, placeholder=" ...") for text in labels]
    handles = [
        Patch(label=text, **look) if set(look) == {"color"} else Line2D([], [], label=text, **look)
        for text, look in zip(labels, looks, strict=False)
    ]
    figure.subfigs[0].legend(
        handles=handles, loc="outside upper left", ncols=len(labels) if size else -(-len(labels) // 2), frameon=False,
        fontsize=size or theme.TEXT, handlelength=2.0, handletextpad=0.5, columnspacing=1.4, labelspacing=0.2,
        borderpad=0.0,
    )  # fmt: skip


def source(results: Results) -> str:
    """Whose numbers these are, for the note below a picture: the title and what the runs are."""
    title = results.title if results.title[-1] in ".?!" else f"{results.title}."
    n = results.runs[results.runs["error"].isna()].groupby("cell").size()
    runs = counted(n.max(), "run") if n.min() == n.max() else f"{n.min():,} to {n.max():,} runs"
    missing = f" {results.missing:,} runs are still to be done." if results.missing else ""
    return f"{title} {runs}{'' if len(n) == 1 else f' for each of {len(n):,} cells'}.{missing}"


def left_out(results: Results, names: Sequence[str]) -> str:
    """A sentence on how many outcomes a picture leaves out; nothing where it has all of them."""
    more = len(results.outcomes) - len(names)
    return f" {counted(more, 'more outcome')} {'were' if more > 1 else 'was'} kept." if more else ""


def heat_map(
    axes: Axes,
    table: pd.DataFrame,
    unit: str,
    scale: tuple[float, float] | None = None,
    colours: str | Colormap = COLOURS,
) -> None:
    """Rows and columns of a table as a map: with a number in each cell where they fit, else with a bar of its colours
    in some `unit`, and lines of equal level where it is smooth.

    By default darker is less and brighter is more; what is missing is grey. `scale` are the values at the ends of the
    colours, by default the smallest and the largest.
    """
    values = np.ma.masked_invalid(table.to_numpy(dtype=np.float64))
    low, high = scale or (float(values.min()), float(values.max()))
    high = high if high > low else low + 1e-9
    shades = colormaps[colours] if isinstance(colours, str) else colours
    axes.set_facecolor(theme.PALE)
    mesh = axes.pcolormesh(
        values, cmap=shades, vmin=low, vmax=high, rasterized=True, edgecolor=theme.PALE, linewidth=0.8
    )
    middles = [np.arange(number) + 0.5 for number in table.shape]
    axes.set_xticks(middles[1], _ticks(table.columns))
    axes.set_yticks(middles[0], _ticks(table.index))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if numbered(table):
        places = np.argwhere(~np.ma.getmaskarray(values))
        for (i, j), text in zip(places, shown_numbers(*values.compressed()), strict=True):
            red, green, blue, _ = shades((values[i, j] - low) / (high - low))
            ink = "white" if 0.299 * red + 0.587 * green + 0.114 * blue < 0.5 else theme.BLACK
            axes.text(j + 0.5, i + 0.5, theme.minus(text), ha="center", va="center", color=ink, fontweight="bold",
                      fontsize=theme.LARGE)  # fmt: skip
        return
    if min(table.shape) >= SMOOTH and not np.ma.is_masked(values) and np.ptp(values) > 0:
        lines = axes.contour(middles[1], middles[0], values, levels=_CONTOURS, colors="white", linewidths=1.2)
        lines.set_path_effects([withStroke(linewidth=2.2, foreground=theme.BLACK)])
    bar = axes.figure.colorbar(mesh, ax=axes, fraction=0.05, pad=0.02, aspect=40)
    bar.ax.tick_params(labelsize=theme.TEXT)
    bar.ax.locator_params(nbins=5)
    bar.outline.set_visible(False)
    bar.ax.set_title(unit, fontsize=theme.SMALL, fontweight="normal", loc="right")


def numbered(table: pd.DataFrame) -> bool:
    """Whether the cells of a heat map have room for a number."""
    return max(table.shape) <= MOST_NUMBERS


def _ticks(values: pd.Index) -> list[str]:
    """Labels for bins, every second or third of them where there are many."""
    every = -(-len(values) // 12)
    return ["" if k % every else v if isinstance(v, str) else f"{v:g}" for k, v in enumerate(values)]

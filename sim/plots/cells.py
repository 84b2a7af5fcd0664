"""What pictures of studies share: the factors of a design, cells in words, means with intervals, keys."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from pandas.api.types import is_numeric_dtype

from sim.claims.text import shown_numbers
from sim.claims.verdict import FEWEST_PAIRS, mean_interval
from sim.errors import InputError, nearest, shown
from sim.plots import theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.study import Results

Interval = tuple[float, float, float]
"""Mean, low and high; the ends are missing where there are too few runs."""

MOST_LINES = 7
PREFERRED = ("fear", "quality")
"""The outcomes that stand for the rest where a picture has no room for all: both sides' strongest case."""
_KEY = 0.848  # height of the key below the title
_LABEL = 34  # letters of a row's label on one line
_TWO_LINES = 12  # rows, beyond which labels have one line


def checked(results: Results, outcomes: Sequence[str], most: int) -> list[str]:
    """The first `most` of these outcomes, or of all that are kept, those of `PREFERRED` first.

    Raises `InputError` for outcomes that were not kept, and where no run is finished.
    """
    kept = results.outcomes
    unknown = [name for name in outcomes if name not in kept]
    if unknown:
        raise InputError([f"{shown(name)}: not kept by this study{nearest(name, kept)}" for name in unknown])
    if results.runs["error"].isna().sum() == 0:
        raise InputError([f"{results.folder}: no run is finished yet, so there is nothing to draw"])
    return list(dict.fromkeys(outcomes))[:most] or preferred(kept, most)


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


def lines_by(results: Results, axis: str) -> str | None:
    """The factor that makes the lines of a picture with this factor on its axis: the first with few values."""
    cells = results.study.cells
    return next((str(name) for name in cells if name != axis and 1 < cells[name].nunique() <= MOST_LINES), None)


def plain(name: str) -> str:
    """A name as it is said."""
    return name.replace("_", " ").replace("@", " from month ")


def said(name: str, value: object) -> str:
    """A factor and its value in words: "relationship 0.5", "targets and terror", "monitoring 0.9 from month 25"."""
    if name == "schedule":
        plans = json.loads(str(value))
        return ", ".join(f"{plain(k)} {v:g} from month {m}" for k, plan in plans.items() for m, v in plan.items())
    if name == "regime":
        return plain(str(value))
    if name == "mechanisms_off":
        return f"without {plain(str(value))}"
    return f"{plain(name)} {value if isinstance(value, str) else format(value, 'g')}"


def cell_words(row: Mapping[Any, Any], results: Results, width: int = 60) -> str:
    """What a cell sets: "heavy, relationship 0.8"; its number where that is nothing or too long.

    `row` has the number under ``cell`` and the design's columns.
    """
    text = ", ".join(said(name, row[name]) for name in results.columns if row[name] != "")
    short = textwrap.shorten(text, width, placeholder=" ...")
    return short if text == short != "" else f"cell {row['cell']} {short}".strip()


def where(words: str) -> str:
    """What `cell_words` says of a cell as a sentence refers to it: "under heavy", "in cell 3"."""
    return f"in {words}" if words.startswith("cell ") else f"under {words}"


def row_labels(axes: Axes, rows: Sequence[Mapping[Any, Any]], results: Results) -> None:
    """Name the cells that are the rows of a picture, with their numbers; in two lines where that takes it."""
    texts = [_numbered(row, results) for row in rows]
    short = max(map(len, texts)) <= _LABEL
    if short or len(rows) > _TWO_LINES:
        texts = [textwrap.shorten(text, _LABEL if short else _LABEL + 8, placeholder=" ...") for text in texts]
    else:
        texts = ["\n".join(textwrap.wrap(text, _LABEL, max_lines=2, placeholder=" ...")) for text in texts]
    axes.set_yticks(range(len(rows)), texts)
    axes.tick_params(axis="y", labelsize=theme.TEXT if short and len(rows) <= 16 else theme.SMALL, length=0)


def _numbered(row: Mapping[Any, Any], results: Results) -> str:
    words = cell_words(row, results, 200)
    return words.removeprefix("cell ") if words.startswith("cell ") else f"{row['cell']}  {words}"


def settings_of(results: Results, number: int) -> dict[str, Any]:
    """The row of `Study.cells` with this number, with the number under ``cell``."""
    return {"cell": number, **{str(name): v for name, v in results.study.cells.loc[number].items()}}


def interval(values: Sequence[float] | np.ndarray) -> Interval:
    """Mean of independent values with its 95 % interval."""
    data = np.asarray(values, dtype=np.float64)
    if len(data) < FEWEST_PAIRS:
        return (float(data[0]) if len(data) else np.nan), np.nan, np.nan
    return mean_interval(data)


def by_seed(runs: pd.DataFrame, name: str) -> pd.Series:
    """Means of an outcome by seed over the cells in `runs`: seeds are independent, cells of one seed are not."""
    return runs.dropna(subset=[name]).groupby("seed")[name].mean()


def change(runs: pd.DataFrame, name: str, axis: str) -> Interval:
    """How much an outcome is higher at the upper end of a factor than at the lower, paired by seed."""
    high, low = (by_seed(runs[runs[axis] == end], name) for end in (runs[axis].max(), runs[axis].min()))
    return interval((high - low).dropna().to_numpy())


def sized(found: Interval) -> str:
    """A mean with its interval: "0.070 (0.050 to 0.091)"; without one where there are too few runs."""
    mean, low, high = found
    if np.isnan(low):
        return theme.minus(shown_numbers(mean)[0])
    mean_, low_, high_ = shown_numbers(mean, low, high, finest=(high - low) / 20)
    return theme.minus(f"{mean_} ({low_} to {high_})")


def moved(found: Interval) -> str:
    """A change as a predicate: "rises by 0.070 (0.050 to 0.091)", or that it does not clearly change."""
    mean, low, high = found
    if low <= 0.0 <= high:
        return f"does not clearly change: {sized(found)}"
    return f"rises by {sized(found)}" if mean > 0 else f"falls by {sized(turned(found))}"


def turned(found: Interval) -> Interval:
    """The same difference seen from the other side."""
    mean, low, high = found
    return -mean, -high, -low


def key(figure: Figure, heading: str, labels: Sequence[str], looks: Sequence[Mapping[str, Any]] = ()) -> None:
    """Below the title, what colours and dashes stand for: a heading, then labels on one line or two.

    `looks` are arguments of Matplotlib's `Line2D`, by default those of `theme.LINES`.
    """
    looks = looks or [{"color": colour, "linestyle": dash, "linewidth": 3} for colour, dash in theme.LINES]
    handles = [Line2D([], [], label=label, **looks[k % len(looks)]) for k, label in enumerate(labels)]
    left = theme.MARGIN
    if heading:
        figure.text(left, _KEY, heading, fontsize=theme.LARGE, va="center")
        left += 0.012 + 0.0098 * len(heading)
    across = len(labels) if _widths(labels) < 0.97 - left else -(-len(labels) // 2)
    figure.legend(handles=handles, loc="center left", bbox_to_anchor=(left - 0.01, _KEY), ncols=across, frameon=False,
                  fontsize=theme.LARGE if across == len(labels) else theme.TEXT, handlelength=2.6, columnspacing=1.6,
                  labelspacing=0.2)  # fmt: skip


def _widths(labels: Sequence[str]) -> float:
    return sum(0.065 + 0.0096 * len(label) for label in labels)


def boxes(panels: int, top: float = 0.80, bottom: float = 0.15) -> list[tuple[float, float, float, float]]:
    """Left, bottom, width and height of each panel, row by row: three across, or two where there are few."""
    across = min(panels, 3 if panels > 4 else 2)
    down = -(-panels // across)
    width, height = 0.95 / across, (top - bottom + 0.09) / down
    return [
        (0.065 + (k % across) * width, top - (k // across + 1) * height + 0.09, width - 0.065, height - 0.135)
        for k in range(panels)
    ]


def source(results: Results) -> str:
    """Whose numbers these are, for the note below a picture: the title and what the runs are."""
    title = results.title if results.title[-1] in ".?!" else f"{results.title}."
    n = results.runs[results.runs["error"].isna()].groupby("cell").size()
    runs = f"{n.min():,} runs" if n.min() == n.max() else f"{n.min():,} to {n.max():,} runs"
    missing = f" {results.missing:,} runs are still to be done." if results.missing else ""
    return f"{title} {runs} of each of {len(n):,} cells.{missing}".replace(" 1 runs", " 1 run").replace(
        "1 cells", "1 cell"
    )

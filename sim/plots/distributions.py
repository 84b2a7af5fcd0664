"""Distributions over organisations or posts, not only means: who has it better and who has it worse."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sim.claims.text import joined, label
from sim.errors import InputError, nearest, shown
from sim.model.outcomes import POST_COLUMNS
from sim.plots import cells, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.model.run import Run
    from sim.study import Results

MOST_PANELS = 3
MOST_ROWS = 10
LEFT = 0.27
_DOTS = 400  # of each row, at most
_SPREAD = 0.6180339887  # golden ratio: dots scattered evenly, and the same every time


def over_organisations(results: Results, outcomes: Sequence[str] = ()) -> Figure:
    """Up to three outcomes of organisations, averaged over the last `window` months, in up to ten cells of a study
    with ``organisations = true``.

    A dot for each organisation of the first seed; bars for the middle 50 and 90 % of organisations over all seeds.
    The title says how often an organisation of one cell has more than one of another, seed by seed. Raises
    `InputError` where the study kept no organisations, or nothing of what it is asked for.
    """
    kept = [name for name in results.outcomes if name in POST_COLUMNS]
    asked = cells.checked(results, outcomes, len(results.outcomes))
    names = cells.preferred([name for name in asked if name in kept], MOST_PANELS) or list(cells.PREFERRED)
    table = _last_months(results, names)
    words = {n: cells.cell_words(cells.settings_of(results, n), results) for n in table["group"].unique()}
    more = f" The first {len(words)} of {results.cells} cells." if results.cells > len(words) else ""
    note = f"{cells.source(results)} Means over the last months of each organisation.{more}"
    return _picture(table, words, names, "organisation", note)


def over_posts(runs: Mapping[str, Run] | Run, columns: Sequence[str] = ("fear", "quality")) -> Figure:
    """Up to three columns of `Run.posts`, for one run or for several with a name each; all else as above."""
    named = runs if isinstance(runs, Mapping) else {f"seed {runs.seed}": runs}
    if unknown := [name for name in columns if name not in POST_COLUMNS]:
        raise InputError([f"{shown(name)}: no column of posts{nearest(name, POST_COLUMNS)}" for name in unknown])
    names = list(dict.fromkeys(columns))[:MOST_PANELS]
    parts = [run.posts[names].assign(group=k, seed=0) for k, run in enumerate(list(named.values())[:MOST_ROWS])]
    words = dict(enumerate(list(named)[:MOST_ROWS]))
    return _picture(
        pd.concat(parts, ignore_index=True), words, names, "manager", "Means over the last months of each post."
    )


def _last_months(results: Results, names: Sequence[str]) -> pd.DataFrame:
    """A row for each organisation of each run of the first cells: ``group``, ``seed``, ``organisation``, `names`."""
    window = results.study.plan.outcomes.window
    parts = []
    for part in results.pieces("organisations", ["seed", "month", "organisation", *names]):
        some = part[part["cell"] <= MOST_ROWS]
        last = some.groupby(["cell", "seed"])["month"].transform("max")
        some = some[some["month"] > last - window]
        parts.append(some.groupby(["cell", "seed", "organisation"], as_index=False)[list(names)].mean())
    table = pd.concat(parts, ignore_index=True).rename(columns={"cell": "group"})
    return table.sort_values(["group", "seed", "organisation"], ignore_index=True)


def _picture(table: pd.DataFrame, words: Mapping[int, str], names: Sequence[str], unit: str, note: str) -> Figure:
    labels = ["\n".join(textwrap.wrap(text, 30, max_lines=2, placeholder=" ...")) for text in words.values()]
    with theme.style():
        figure = theme.slide()
        width = (0.985 - LEFT) / len(names)
        for k, name in enumerate(names):
            axes = figure.add_axes((LEFT + k * width, 0.14, width - 0.03, 0.66))
            for place, number in enumerate(words):
                _row(axes, place, table[table["group"] == number], name)
            axes.set_ylim(len(words) - 0.4, -0.6)
            axes.set_yticks(range(len(words)), labels)
            axes.tick_params(labelsize=theme.TEXT)
            axes.tick_params(axis="y", length=0, labelleft=k == 0)
            axes.set_title(textwrap.fill(label(name), 22), fontsize=theme.LARGE, fontweight="bold")
            axes.locator_params(axis="x", nbins=5)
            axes.grid(axis="x", color=theme.PALE)
            axes.set_axisbelow(True)
            axes.spines["left"].set_visible(False)
        found = _finding(table, words, names[0], unit)
        theme.headline(figure, found)
        reading = (
            f"Dots: {unit}s of the first seed. White dot, thick and thin bar: median, middle 50 and 90 % of {unit}s."
        )
        theme.footnote(figure, f"{note} {reading}")
        what = joined([label(name) for name in names])
        theme.describe(figure, f"Distributions of {what} over {unit}s, a row for each of {len(words)} groups. {found}.")
        return figure


def _row(axes: Axes, place: int, part: pd.DataFrame, name: str) -> None:
    dots = part.loc[part["seed"] == part["seed"].iloc[0], name].to_numpy()
    dots = dots[:: -(-len(dots) // _DOTS)]
    scatter = (np.arange(len(dots)) * _SPREAD) % 1.0
    axes.scatter(dots, place + 0.12 + 0.26 * scatter, s=16, color=theme.SKY, linewidths=0, alpha=0.8)
    low, lower, middle, upper, high = part[name].quantile([0.05, 0.25, 0.5, 0.75, 0.95])
    axes.plot([low, high], [place - 0.1] * 2, color=theme.BLUE, linewidth=3, solid_capstyle="butt")
    axes.plot([lower, upper], [place - 0.1] * 2, color=theme.BLUE, linewidth=11, solid_capstyle="butt")
    axes.plot(middle, place - 0.1, marker="o", color="white", markersize=7, markeredgecolor=theme.BLACK)


def _finding(table: pd.DataFrame, words: Mapping[int, str], name: str, unit: str) -> str:
    """How often one of the highest group has more than one of the lowest; or how one group is spread."""
    means = table.groupby("group")[name].mean()
    most, least = (int(str(number)) for number in (means.idxmax(), means.idxmin()))
    if most == least:
        low, lower, upper, high = table[name].quantile([0.05, 0.25, 0.75, 0.95])
        what = f"{label(name)[0].upper()}{label(name)[1:]} of {unit}s"
        return f"{what}: half lie between {lower:.2f} and {upper:.2f}, nine in ten between {low:.2f} and {high:.2f}"
    pairs = [
        _chance(a, table.loc[(table["group"] == least) & (table["seed"] == seed), name].to_numpy())
        for seed, a in table[table["group"] == most].groupby("seed")[name]
        if ((table["group"] == least) & (table["seed"] == seed)).any()
    ]
    chance = cells.interval(pairs)
    if chance[1] <= 0.5 <= chance[2]:
        groups = f"{cells.where(words[most])} and {cells.where(words[least])}"
        what = f"{label(name)[0].upper()}{label(name)[1:]} of {unit}s"
        return f"{what} does not differ clearly {groups}: more of it in {100 * chance[0]:.0f} % of pairs"
    mean, low, high = (min(max(100.0 * value, 0.0), 100.0) for value in chance)
    between = "" if np.isnan(low) else f" ({low:.0f} to {high:.0f} %)"
    article = "An" if unit[0] in "aeio" else "A"
    more = f"{article} {unit} {cells.where(words[most])} has more {label(name)} than one {cells.where(words[least])}"
    return f"{more} in {mean:.0f} % of pairs{between}"


def _chance(a: Sequence[float] | pd.Series, b: np.ndarray) -> float:
    """The chance that one of `a` is above one of `b`; a tie counts half."""
    ordered, values = np.sort(b), np.asarray(a)
    below, up_to = (np.searchsorted(ordered, values, side=side).mean() for side in ("left", "right"))
    return float(below + up_to) / 2 / len(ordered)

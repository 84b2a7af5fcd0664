"""Time paths with a fan: the median over replications, and the middle 50 and 90 % of them, month by month."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sim.claims.text import joined, label
from sim.errors import InputError, nearest, shown
from sim.model.outcomes import OUTCOMES
from sim.plots import cells, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.model.run import Run
    from sim.study import Results

MOST_PANELS = 4
MOST_GROUPS = 4
_SHORT = 150  # letters of a title that stays large
_FAN = ((0.05, 0.95, 0.14), (0.25, 0.75, 0.26))  # two quantiles and how dark it is between them


def fan(results: Results, outcomes: Sequence[str] = ()) -> Figure:
    """Up to four outcomes by month in up to four cells of a study with ``series = true``.

    For a grid these are the cells at the ends of its first two factors, for other designs the first four. Raises
    `InputError` where the study kept no series.
    """
    names = cells.checked(results, outcomes, MOST_PANELS)
    chosen = _chosen(results)
    columns = ["seed", "month", *names]
    pieces = (part[part["cell"].isin(chosen)] for part in results.pieces("series", columns))
    series = pd.concat(list(pieces), ignore_index=True)
    table = results.study.cells
    words = {n: cells.cell_words(cells.settings_of(results, n), results) for n in chosen}
    present = {n: words[n] for n in chosen if n in set(series["cell"])}
    changes = _scheduled(results, chosen)
    left = f" {len(present)} of {len(table)} cells are shown." if len(table) > len(present) else ""
    return _picture(series.rename(columns={"cell": "group"}), present, names, f"{cells.source(results)}{left}", changes)


def fan_of_runs(runs: Sequence[Run], outcomes: Sequence[str] = ()) -> Figure:
    """The same for runs that were made one by one: those with equal parameters are replications of each other.

    >>> from sim.model.run import simulate
    >>> runs = [simulate(seed=seed, systems=1, months=6) for seed in range(3)]
    >>> fan_of_runs(runs, ["fear"]).get_suptitle()[:4]
    'Fear'
    """
    if not runs:
        raise InputError(["runs: give at least one run"])
    if unknown := [name for name in outcomes if name not in OUTCOMES]:
        raise InputError([f"{shown(name)}: no such outcome{nearest(name, OUTCOMES)}" for name in unknown])
    from sim.plots.figures import DEFAULT_PATHS, policy  # noqa: PLC0415

    names = (list(dict.fromkeys(outcomes)) or list(DEFAULT_PATHS))[:MOST_PANELS]
    policies = list(dict.fromkeys(run.parameters.model_dump_json() for run in runs))
    if len(policies) > MOST_GROUPS:
        raise InputError([f"{len(policies)} different policies: a picture shows at most {MOST_GROUPS}"])
    group = {policy: number for number, policy in enumerate(policies, 1)}
    series, words = [], {}
    for run in runs:
        number = group[run.parameters.model_dump_json()]
        words[number] = textwrap.shorten(policy(run.parameters), 48, placeholder=" ...")
        series.append(run.series[names].reset_index().assign(group=number, seed=run.seed))
    return _picture(pd.concat(series, ignore_index=True), words, names, f"{len(runs)} runs.", [])


def _chosen(results: Results) -> list[int]:
    """The numbers of the cells that are shown."""
    table = results.study.cells
    if results.study.plan.design.get("kind") == "grid":
        for name in table.columns[2:]:
            table = table[table[name] == table[name].iloc[0]]
        for name in table.columns[:2]:
            order = list(table[name].unique())
            table = table[table[name].isin([order[0], order[-1]])]
    return [int(number) for number in table.index[:MOST_GROUPS]]


def _scheduled(results: Results, chosen: Sequence[int]) -> list[int]:
    """The months in which a lever changes in one of these cells."""
    plans = [results.study.points[number - 1].settings.get("schedule", {}) for number in chosen]
    return sorted({int(month) for plan in plans for by_month in plan.values() for month in by_month})


def _picture(
    series: pd.DataFrame, words: Mapping[int, str], names: Sequence[str], note: str, changes: Sequence[int]
) -> Figure:
    with theme.style():
        figure = theme.slide()
        for name, box in zip(names, cells.boxes(len(names), top=0.785), strict=True):
            _panel(figure.add_axes(box), series, words, name, changes)
        if len(words) > 1:
            cells.key(figure, "", list(words.values()))
        found = _finding(series, words, names[0])
        theme.headline(figure, found)
        dotted = " Dotted: months in which a lever changes." if changes else ""
        reading = f"Lines: medians over runs. Dark and pale bands: the middle 50 and 90 % of runs.{dotted}"
        theme.footnote(figure, f"{note} {reading}")
        theme.describe(figure, f"Time paths of {joined([label(name) for name in names])} with bands. {found}.")
        return figure


def _panel(axes: Axes, series: pd.DataFrame, words: Mapping[int, str], name: str, changes: Sequence[int]) -> None:
    for k, number in enumerate(words):
        colour, dash = theme.LINES[k % len(theme.LINES)]
        months = series[series["group"] == number].groupby("month")[name]
        for low, high, dark in _FAN:
            axes.fill_between(months.quantile(low).index, months.quantile(low), months.quantile(high), color=colour,
                              alpha=dark, linewidth=0)  # fmt: skip
        axes.plot(months.median(), color=colour, linestyle=dash, linewidth=3)
    for month in changes:
        axes.axvline(month, color=theme.GREY, linestyle=":", linewidth=2)
    axes.set_xlim(1, max(2, series["month"].max()))
    axes.set_title(label(name), fontsize=theme.LARGE, fontweight="bold")
    axes.set_xlabel("month", fontsize=theme.TEXT)
    axes.tick_params(labelsize=theme.TEXT)
    axes.locator_params(axis="y", nbins=5)
    axes.grid(color=theme.PALE, axis="y")


def _finding(series: pd.DataFrame, words: Mapping[int, str], name: str) -> str:
    """How an outcome moves in one group of runs; or how far two groups are apart at most and at the end."""
    what = f"{label(name)[0].upper()}{label(name)[1:]}"
    wide = {n: series[series["group"] == n].pivot(index="seed", columns="month", values=name) for n in words}
    last = int(series["month"].max())
    if len(words) == 1:
        (only,) = wide.values()
        start, end = (cells.interval(only[month].dropna().to_numpy()) for month in (1, last))
        return f"{what} goes from {cells.sized(start)} in month 1 to {cells.sized(end)} in month {last}"
    first, other = next(iter(words)), list(words)[-1]
    apart = (wide[other] - wide[first]).dropna(how="all")
    if apart.empty:
        return f"{what} by month"
    month = int(np.abs(apart.mean()).idxmax())
    most, end = (cells.interval(apart[m].dropna().to_numpy()) for m in (month, last))
    pair = f", {words[other]} less {words[first]}"
    at_most = f"{what} differs most in month {month}, by {cells.sized(most)}"
    found = f"{at_most}, at the end" if month == last else f"{at_most}, and by {cells.sized(end)} at the end"
    return f"{found}{pair}" if len(words) > 2 or len(found + pair) <= _SHORT else found

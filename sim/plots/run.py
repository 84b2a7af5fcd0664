"""Pictures of runs: time paths of one run or of two, of many with bands, and distributions over organisations."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sim.errors import InputError, Mistake, chosen, counted
from sim.model.glossary import joined, shown_numbers
from sim.model.outcomes import OUTCOMES, POST_COLUMNS
from sim.model.parameters import COEFFICIENTS, LEVERS, REGIMES, SPREADS, Parameters, resolve
from sim.model.run import Run
from sim.model.words import capital, label
from sim.plots import layout, theme
from sim.statistics import mean_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sim.study import Results

DEFAULT_PATHS = ("fear", "trust", "quality", "reported")
MOST_NAMED = 6
CLOSEST = 0.06  # between two labels at the right, as a share of the height
MOST_PANELS, MOST_GROUPS = 4, 4
MOST_COLUMNS, MOST_ROWS = 3, 10  # of distributions
_SHORT = 150  # letters of a title that stays large
_FAN = ((0.05, 0.95, 0.14), (0.25, 0.75, 0.26))  # two quantiles and how dark it is between them
_DOTS = 400  # of each row, at most
_SPREAD = 0.6180339887  # golden ratio: dots scattered evenly, and the same every time


def time_paths(run: Run, outcomes: Sequence[str] = (), against: Run | None = None) -> Figure:
    """National outcomes of a run by month, on one scale, each line with its name at its end.

    `outcomes` are names of `sim.model.outcomes.OUTCOMES`, by default fear, trust, quality and reported. With a second
    run, `against`, its lines are dashed and have the colours of the first; the title then says where the first outcome
    ends in both. Dotted verticals mark the months in which a schedule changes a lever. Raises `InputError` for a name
    that is no outcome.
    """
    names = chosen("outcomes", outcomes, OUTCOMES, "outcome") or DEFAULT_PATHS
    if not isinstance(against, Run | None):
        raise InputError([Mistake(("against",), against, "must be a run, as sim.simulate makes it")])
    runs = (run,) if against is None else (run, against)
    titles = [f"{policy(each.parameters)}, seed {each.seed}" for each in runs]
    title = titles[0] if against is None else _compared(run, against, names[0])
    alt = f"Time paths of {joined([label(name) for name in names])}{'' if against is None else ' in two runs'}"
    with theme.slide(title, alt=alt, grid="y") as (figure, (axes,)):
        ends = []
        for which, each in enumerate(runs):
            for k, (name, path) in enumerate(each.series[list(names)].items()):
                colour, dash = theme.LINES[k % len(theme.LINES)]
                dash = dash if against is None else ("-", "--")[which]
                axes.plot(path.index, path, color=colour, linestyle=dash, linewidth=3)
                ends.append((layout.plain(str(name)), path.iloc[-1], colour))
        axes.set_xlim(1, max(2, *(len(each.series) for each in runs)))
        axes.margins(y=0.06)
        _label_lines(axes, ends)
        _mark_schedule(axes, *(each.parameters for each in runs))
        axes.set_xlabel("month")
        units = {OUTCOMES[name].unit for name in names}
        axes.set_ylabel(units.pop() if len(units) == 1 else "each in its own unit")
        axes.tick_params(labelsize=theme.LARGE)
        if against is not None:
            looks = [{"color": theme.BLACK, "linestyle": dash, "linewidth": 3} for dash in ("-", "--")]
            layout.key(figure, titles, looks)
        return figure


def _compared(run: Run, other: Run, name: str) -> str:
    """Where an outcome is at the end of two runs, named by their policies, or by their seeds where these are equal."""
    last = min(len(run.series), len(other.series))
    values = shown_numbers(*(each.series[name].loc[last] for each in (run, other)))
    one, two = (f"with regime {policy(each.parameters).removeprefix('Regime ')}" for each in (run, other))
    if one == two:
        one, two = (f"under seed {each.seed}" for each in (run, other))
    return f"In month {last} {label(name)} is {values[0]} {one}, and {values[1]} {two}"


def policy(p: Parameters) -> str:
    """The regime that comes nearest to `p`, and the levers and parameters that differ from it."""
    options = {}
    for regime in REGIMES:
        reference = resolve(regime)
        every = (*LEVERS, *SPREADS, *COEFFICIENTS)
        options[regime] = [name for name in every if getattr(p, name) != getattr(reference, name)]
    nearest_one = min(options, key=lambda name: (len(options[name]), name != "baseline"))
    settings = [f"{layout.plain(name)} {getattr(p, name):g}" for name in options[nearest_one]]
    more = [f"{len(settings) - MOST_NAMED} more settings"] if len(settings) > MOST_NAMED else []
    return ", ".join([f"Regime {layout.plain(nearest_one)}", *settings[:MOST_NAMED], *more])


def _label_lines(axes: Axes, ends: Sequence[tuple[str, float, str]]) -> None:
    """Each line's name and last value at its end, in its colour, moved apart where two ends are close."""
    low, high = axes.get_ylim()
    heights = (np.array([value for _, value, _ in ends]) - low) / (high - low)
    order = np.argsort(heights, kind="stable")
    steps, places = CLOSEST * np.arange(len(ends)), heights[order]
    pushed_up = np.maximum.accumulate(places - steps)
    pushed_up[-1] = min(pushed_up[-1], max(1.0, places[-1]) - steps[-1])  # and back down into the picture
    for k, place in zip(order, np.minimum.accumulate(pushed_up[::-1])[::-1] + steps, strict=True):
        name, value, colour = ends[k]
        axes.annotate(f"{name}  {value:.2g}", xy=(1.0, heights[k]), xytext=(1.03, place), xycoords="axes fraction",
                      textcoords="axes fraction", color=colour, fontsize=theme.LARGE + 2, fontweight="bold",
                      va="center", arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 1},
                      annotation_clip=False)  # fmt: skip


def _mark_schedule(axes: Axes, *every: Parameters) -> None:
    """A dotted vertical in every month that changes levers, with what changes written beside it."""
    plans = [plan for p in every for plan in p.schedule.items()]
    steps = sorted({(month, lever, value) for lever, plan in plans for month, value in plan.items()})
    for k, (month, changes) in enumerate(groupby(steps, lambda step: step[0])):
        text = "\n".join(f"{layout.plain(lever)} {value:g}" for _, lever, value in changes)
        axes.axvline(month, color=theme.GREY, linestyle=":", linewidth=2)
        axes.annotate(text, xy=(month, 1.0), xycoords=axes.get_xaxis_transform(), xytext=(0, 5 + 20 * (k % 3)),
                      textcoords="offset points", ha="right" if month > 0.7 * axes.get_xlim()[1] else "left",
                      va="bottom", annotation_clip=False, fontsize=theme.TEXT, color=theme.GREY)  # fmt: skip


def fan(results: Results, outcomes: Sequence[str] = ()) -> Figure:
    """Up to four outcomes by month in up to four cells of a study with ``series = true``: medians with bands.

    For a grid these are the cells at the ends of its first two factors, for other designs the first four. Raises
    `InputError` where the study kept no series.
    """
    names = layout.checked(results, outcomes, MOST_PANELS)
    chosen = _corners(results)
    pieces = (part[part["cell"].isin(chosen)] for part in results.pieces("series", ["seed", "month", *names]))
    series = pd.concat(list(pieces), ignore_index=True)
    words = {n: layout.cell_words(n, results) for n in chosen if n in set(series["cell"])}
    plans = [results.study.points[number - 1].settings.get("schedule", {}) for number in chosen]
    changes = sorted({int(month) for plan in plans for by_month in plan.values() for month in by_month})
    left = f" {len(words)} of {results.cells} cells are shown." if results.cells > len(words) else ""
    dotted = " Dotted: months in which a lever changes." if changes else ""
    note = (
        f"{layout.source(results)}{left} Lines: medians over runs. Dark and pale bands: the middle 50 and 90 % of runs."
    )
    alt = f"Time paths of {joined([label(name) for name in names])} with bands"
    with theme.slide(_told(series, words, names[0]), note + dotted, alt, len(names), grid="y") as (figure, panels):
        for axes, name in zip(panels, names, strict=True):
            for number, (colour, dash) in zip(words, theme.LINES, strict=False):
                months = series[series["cell"] == number].groupby("month")[name]
                for low, high, dark in _FAN:
                    ends = months.quantile(low), months.quantile(high)
                    axes.fill_between(ends[0].index, *ends, color=colour, alpha=dark, linewidth=0)
                axes.plot(months.median(), color=colour, linestyle=dash, linewidth=3)
            for month in changes:
                axes.axvline(month, color=theme.GREY, linestyle=":", linewidth=2)
            axes.set_xlim(1, max(2, series["month"].max()))
            axes.set_title(label(name))
            axes.set_xlabel("month", fontsize=theme.TEXT)
            axes.locator_params(axis="y", nbins=5)
        if len(words) > 1:
            layout.key(figure, list(words.values()))
        return figure


def _corners(results: Results) -> list[int]:
    """The numbers of the cells that a fan shows."""
    table = results.study.cells
    if results.study.plan.design.get("kind") == "grid":
        for name in table.columns[2:]:
            table = table[table[name] == table[name].iloc[0]]
        for name in table.columns[:2]:
            order = list(table[name].unique())
            table = table[table[name].isin([order[0], order[-1]])]
    return [int(number) for number in table.index[:MOST_GROUPS]]


def _told(series: pd.DataFrame, words: dict[int, str], name: str) -> str:
    """How an outcome moves in one cell; or how far two cells are apart at most and at the end."""
    what, last = capital(label(name)), int(series["month"].max())
    wide = {n: series[series["cell"] == n].pivot(index="seed", columns="month", values=name) for n in words}
    if len(words) == 1:
        (only,) = wide.values()
        start, end = (layout.sized(mean_interval(only[month].dropna())) for month in (1, last))
        return f"{what} goes from {start} in month 1 to {end} in month {last}"
    first, other = next(iter(words)), list(words)[-1]
    apart = (wide[other] - wide[first]).dropna(how="all")
    if apart.empty:
        return f"{what} by month"
    month = int(np.abs(apart.mean()).idxmax())
    most, end = (layout.sized(mean_interval(apart[m].dropna())) for m in (month, last))
    then = ", at the end" if month == last else f", and by {end} at the end"
    found = f"{what} differs most in month {month}, by {most}{then}"
    pair = f", {words[other]} less {words[first]}"
    return f"{found}{pair}" if len(words) > 2 or len(found + pair) <= _SHORT else found


def over_organisations(results: Results, outcomes: Sequence[str] = ()) -> Figure:
    """Distributions of up to three outcomes over organisations, averaged over the last `window` months, in up to ten
    cells of a study with ``organisations = true``.

    A dot for each organisation of the first seed; bars for the middle 50 and 90 % of organisations over all seeds.
    The title says how often an organisation of one cell has more than one of another, seed by seed. Raises
    `InputError` where the study kept no organisations, or nothing of what it is asked for.
    """
    asked = layout.checked(results, outcomes, len(results.outcomes))
    kept = [name for name in asked if name in POST_COLUMNS]
    names = layout.preferred(kept, MOST_COLUMNS) or list(layout.PREFERRED)
    table = _last_months(results, names)
    words = {int(n): layout.cell_words(int(n), results) for n in table["cell"].unique()}
    labels = ["\n".join(textwrap.wrap(text, 30, max_lines=2, placeholder=" ...")) for text in words.values()]
    more = f" The first {len(words)} of {results.cells} cells." if results.cells > len(words) else ""
    note = (
        f"{layout.source(results)} Means over the last months of each organisation.{more} Dots: organisations of the "
        "first seed. White dot, thick and thin bar: median, middle 50 and 90 % of organisations."
    )
    what = joined([label(name) for name in names])
    alt = f"Distributions of {what} over organisations, a row for each of {counted(len(words), 'group')}"
    title, n = _paired(table, results, names[0]), len(names)
    with theme.slide(title, note, alt, n, n, "x") as (figure, panels):
        for axes, name in zip(panels, names, strict=True):
            for place, number in enumerate(words):
                _distribution(axes, place, table[table["cell"] == number], name)
            layout.rows(axes, labels, theme.TEXT)
            axes.tick_params(axis="y", labelleft=axes is panels[0])
            axes.set_title(textwrap.fill(label(name), 22))
            axes.locator_params(axis="x", nbins=5)
        return figure


def _last_months(results: Results, names: Sequence[str]) -> pd.DataFrame:
    """A row for each organisation of each run of the first cells: ``cell``, ``seed``, ``organisation``, `names`."""
    window = results.study.plan.outcomes.window
    parts = []
    for part in results.pieces("organisations", ["seed", "month", "organisation", *names]):
        some = part[part["cell"] <= MOST_ROWS]
        last = some.groupby(["cell", "seed"])["month"].transform("max")
        some = some[some["month"] > last - window]
        parts.append(some.groupby(["cell", "seed", "organisation"], as_index=False)[list(names)].mean())
    return pd.concat(parts, ignore_index=True).sort_values(["cell", "seed", "organisation"], ignore_index=True)


def _distribution(axes: Axes, place: int, part: pd.DataFrame, name: str) -> None:
    dots = part.loc[part["seed"] == part["seed"].iloc[0], name].to_numpy()
    dots = dots[:: -(-len(dots) // _DOTS)]
    scatter = (np.arange(len(dots)) * _SPREAD) % 1.0
    axes.scatter(dots, place + 0.12 + 0.26 * scatter, s=16, color=theme.SKY, linewidths=0, alpha=0.8)
    low, lower, middle, upper, high = part[name].quantile([0.05, 0.25, 0.5, 0.75, 0.95])
    axes.plot([low, high], [place - 0.1] * 2, color=theme.BLUE, linewidth=3, solid_capstyle="butt")
    axes.plot([lower, upper], [place - 0.1] * 2, color=theme.BLUE, linewidth=11, solid_capstyle="butt")
    axes.plot(middle, place - 0.1, marker="o", color="white", markersize=7, markeredgecolor=theme.BLACK)


def _paired(table: pd.DataFrame, results: Results, name: str) -> str:
    """How often an organisation of the highest cell has more than one of the lowest; or how one cell is spread."""
    means = table.groupby("cell")[name].mean()
    most, least = (int(str(number)) for number in (means.idxmax(), means.idxmin()))
    what = f"{capital(label(name))} of organisations"
    if most == least:
        low, lower, upper, high = shown_numbers(*table[name].quantile([0.05, 0.25, 0.75, 0.95]))
        return theme.minus(f"{what}: half lie between {lower} and {upper}, nine in ten between {low} and {high}")
    above, below = (
        {seed: part[name].to_numpy() for seed, part in table[table["cell"] == number].groupby("seed")}
        for number in (most, least)
    )
    mean, low, high = 100.0 * mean_interval([_chance(above[s], below[s]) for s in above if s in below])
    here, there = layout.where(most, results), layout.where(least, results)
    if low <= 50.0 <= high:
        return f"{what} does not differ clearly {here} and {there}: more of it in {mean:.0f} % of pairs"
    between = "" if np.isnan(low) else f" ({max(low, 0.0):.0f} to {min(high, 100.0):.0f} %)"
    return f"An organisation {here} has more {label(name)} than one {there} in {mean:.0f} % of pairs{between}"


def _chance(a: np.ndarray, b: np.ndarray) -> float:
    """The chance that one of `a` is above one of `b`; a tie counts half."""
    ordered = np.sort(b)
    below, up_to = (np.searchsorted(ordered, a, side=side).mean() for side in ("left", "right"))
    return float(below + up_to) / 2 / len(ordered)

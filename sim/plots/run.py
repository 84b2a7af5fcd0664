"""Pictures of runs: time paths of one run or of two, of many with bands, and distributions over organisations."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sim.errors import InputError, Mistake, chosen, counted
from sim.model import words
from sim.model.glossary import joined
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
_FAN = ((0.05, 0.95, 0.14), (0.25, 0.75, 0.26))  # two quantiles and how dark it is between them
_STEADY = ("stock from 0 to 1", "share of managers")
"""Units of what changes little from month to month."""
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
    titles = [capital(f"{policy(each.parameters)}, seed {each.seed}") for each in runs]
    title = titles[0] if against is None else _compared(run, against, names[0])
    alt = f"Time paths of {joined([label(name) for name in names])}{'' if against is None else ' in two runs'}"
    with theme.slide(title, alt=alt, grid="y") as (figure, (axes,)):
        ends = []
        for which, each in enumerate(runs):
            for k, (name, path) in enumerate(each.series[list(names)].items()):
                colour, dash = theme.LINES[k % len(theme.LINES)]
                dash = dash if against is None else ("-", "--")[which]
                told = path * words.natural(str(name), 1.0)
                axes.plot(path.index, told, color=colour, linestyle=dash, linewidth=3)
                ends.append((label(str(name)), told.iloc[-1], colour))
        axes.set_xlim(1, max(2, *(len(each.series) for each in runs)))
        axes.margins(y=0.06)
        _label_lines(axes, ends)
        _mark_schedule(axes, *(each.parameters for each in runs))
        axes.set_xlabel("month")
        units = {words.measured_in(name) for name in names}
        axes.set_ylabel(units.pop() if len(units) == 1 else "each in its own unit")
        axes.tick_params(labelsize=theme.LARGE)
        if against is not None:
            looks = [{"color": theme.BLACK, "linestyle": dash, "linewidth": 3} for dash in ("-", "--")]
            layout.key(figure, titles, looks)
        return figure


def _compared(run: Run, other: Run, name: str) -> str:
    """Where an outcome is at the end of two runs, named by their policies, or by their seeds where these are equal."""
    last = min(len(run.series), len(other.series))
    ends = [float(each.series[name].loc[last]) for each in (run, other)]
    one, two = (policy(each.parameters) for each in (run, other))
    if one == two:
        one, two = (f"seed {each.seed}" for each in (run, other))
    apart = words.effect(name, ends[0] - ends[1])
    than = f"the same under {one} as under" if apart == "no change" else f"{apart} under {one} than under"
    return f"After {last} months, {label(name)} is {than} {two}"


def policy(p: Parameters) -> str:
    """The regime that comes nearest to `p`, and the levers and parameters that differ from it."""
    options = {}
    for regime in REGIMES:
        reference = resolve(regime)
        every = (*LEVERS, *SPREADS, *COEFFICIENTS)
        options[regime] = [name for name in every if getattr(p, name) != getattr(reference, name)]
    nearest_one = min(options, key=lambda name: (len(options[name]), name != "baseline"))
    settings = [layout.said(name, getattr(p, name)) for name in options[nearest_one]]
    more = [f"{len(settings) - MOST_NAMED} more settings"] if len(settings) > MOST_NAMED else []
    return ", ".join([words.policy(nearest_one), *settings[:MOST_NAMED], *more])


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
        told = f"{name}  {value:.0f}" if abs(value) >= 3 else f"{name}  {value:.1f}"
        axes.annotate(told, xy=(1.0, heights[k]), xytext=(1.03, place), xycoords="axes fraction",
                      textcoords="axes fraction", color=colour, fontsize=theme.LARGE + 2, fontweight="bold",
                      va="center", arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 1},
                      annotation_clip=False)  # fmt: skip


def _mark_schedule(axes: Axes, *every: Parameters) -> None:
    """A dotted vertical in every month that changes levers, with what changes written beside it."""
    plans = [plan for p in every for plan in p.schedule.items()]
    steps = sorted({(month, lever, value) for lever, plan in plans for month, value in plan.items()})
    for k, (month, changes) in enumerate(groupby(steps, lambda step: step[0])):
        text = "\n".join(layout.said(lever, value) for _, lever, value in changes)
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
    for name in names:
        if OUTCOMES[name].unit not in _STEADY:
            series[name] = series.groupby(["cell", "seed"])[name].transform(
                lambda x: x.rolling(12, min_periods=1).mean()
            )
    told = {n: layout.cell_words(n, results) for n in chosen if n in set(series["cell"])}
    plans = [results.study.points[number - 1].settings.get("schedule", {}) for number in told]
    left = f" {len(told)} of {results.cells} cells are shown." if results.cells > len(told) else ""
    strips = any(plans)
    note = (
        f"{layout.source(results)}{left} Lines: medians over runs. Bands: the middle 50 and 90 % of runs. What "
        "happens rather than is: means of twelve months."
    )
    alt = f"Time paths of {joined([label(name) for name in names])} with bands"
    n, across = len(names), len(names) if strips else 0
    more: dict[str, Any] = {"height_ratios": [1, 4]} if strips else {}
    with theme.slide(_told(series, told, names[0]), note, alt, n * (1 + strips), across, grid="y", **more) as (
        figure,
        panels,
    ):
        for axes, name in zip(panels[-n:], names, strict=True):
            _paths(axes, series, list(told), name)
        for above, axes in zip(panels if strips else (), panels[-n:], strict=False):
            above.set_xlim(axes.get_xlim())
            layout.strip(above, plans, theme.LINES)
        if len(told) > 1:
            layout.key(figure, [capital(text) for text in told.values()])
        return figure


def _paths(axes: Axes, series: pd.DataFrame, cells: Sequence[int], name: str) -> None:
    """The median path of an outcome in each of some cells, with bands, in the unit that people own."""
    for number, (colour, dash) in zip(cells, theme.LINES, strict=False):
        by_month = series[series["cell"] == number].groupby("month")[name]
        for low, high, dark in _FAN:
            least, most = (by_month.quantile(end) * words.natural(name, 1.0) for end in (low, high))
            axes.fill_between(least.index, least, most, color=colour, alpha=dark, linewidth=0)
        axes.plot(by_month.median() * words.natural(name, 1.0), color=colour, linestyle=dash, linewidth=3)
    axes.set_xlim(1, max(2, series["month"].max()))
    axes.set_title(layout.heading(name, 24), linespacing=0.95)
    axes.set_xlabel("month", fontsize=theme.TEXT)
    axes.locator_params(axis="y", nbins=4)
    axes.yaxis.set_major_formatter(layout.number)


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


def _told(series: pd.DataFrame, cells: dict[int, str], name: str) -> str:
    """How an outcome moves in one cell; or whether the first and the last cell end alike."""
    what, last = label(name), int(series["month"].max())
    ends = {
        n: series[(series["cell"] == n) & (series["month"] == last)].set_index("seed")[name].dropna() for n in cells
    }
    if len(cells) == 1:
        (only,) = ends.values()
        start = series.loc[series["month"] == 1, name].mean()
        return f"In {last} months, {what} {layout.moved(name, mean_interval(only - start))}"
    first, other = next(iter(cells)), list(cells)[-1]
    apart = (ends[other] - ends[first]).dropna()
    if apart.empty:
        return f"{capital(what)} by month"
    found = mean_interval(apart)
    if not layout.matters(name, found):
        return f"{capital(what)} ends at much the same level, whichever way it went"
    sized = words.effect(name, float(found[0]))
    return f"{capital(what)} ends {sized} with “{cells[other]}” than with “{cells[first]}”"


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
    told = {int(n): capital(layout.cell_words(int(n), results)) for n in table["cell"].unique()}
    labels = ["\n".join(textwrap.wrap(text, 30, max_lines=2, placeholder=" ...")) for text in told.values()]
    more = f" The first {len(told)} of {results.cells} cells." if results.cells > len(told) else ""
    note = (
        f"{layout.source(results)} Means over the last months of each organisation.{more} Dots: organisations of the "
        "first seed. White dot, thick and thin bar: median, middle 50 and 90 % of organisations."
    )
    what = joined([label(name) for name in names])
    alt = f"Distributions of {what} over organisations, a row for each of {counted(len(told), 'group')}"
    title, n = _paired(table, results, names[0]), len(names)
    with theme.slide(title, note, alt, n, n, "x") as (figure, panels):
        for axes, name in zip(panels, names, strict=True):
            for place, number in enumerate(told):
                _distribution(axes, place, table[table["cell"] == number], name)
            layout.rows(axes, labels, theme.TEXT)
            axes.tick_params(axis="y", labelleft=axes is panels[0])
            axes.set_title(textwrap.fill(capital(label(name)), 22))
            axes.set_xlabel(words.measured_in(name), fontsize=theme.TEXT, color=theme.GREY)
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
    dots, values = words.natural(name, 1.0) * dots, words.natural(name, 1.0) * part[name]
    axes.scatter(dots, place + 0.12 + 0.26 * scatter, s=16, color=theme.SKY, linewidths=0, alpha=0.8)
    low, lower, middle, upper, high = values.quantile([0.05, 0.25, 0.5, 0.75, 0.95])
    axes.plot([low, high], [place - 0.1] * 2, color=theme.BLUE, linewidth=3, solid_capstyle="butt")
    axes.plot([lower, upper], [place - 0.1] * 2, color=theme.BLUE, linewidth=11, solid_capstyle="butt")
    axes.plot(middle, place - 0.1, marker="o", color="white", markersize=7, markeredgecolor=theme.BLACK)


def _paired(table: pd.DataFrame, results: Results, name: str) -> str:
    """How often an organisation of the highest cell has more than one of the lowest; or how one cell is spread."""
    means = table.groupby("cell")[name].mean()
    most, least = (int(str(number)) for number in (means.idxmax(), means.idxmin()))
    if most == least:
        lower, upper = table[name].quantile([0.25, 0.75])
        return (
            f"In {label(name)}, half of the organisations lie within {words.level(name, upper - lower)} of each other"
        )
    above, below = (
        {seed: part[name].to_numpy() for seed, part in table[table["cell"] == number].groupby("seed")}
        for number in (most, least)
    )
    mean, low, high = 100.0 * mean_interval([_chance(above[s], below[s]) for s in above if s in below])
    here, there = layout.where(most, results), layout.where(least, results)
    if low <= 50.0 <= high:
        return f"{capital(label(name))} of organisations hardly differs {here} and {there}"
    return f"In {mean:.0f} of 100 pairs, an organisation {here} has more {label(name)} than one {there}"


def _chance(a: np.ndarray, b: np.ndarray) -> float:
    """The chance that one of `a` is above one of `b`; a tie counts half."""
    ordered = np.sort(b)
    below, up_to = (np.searchsorted(ordered, a, side=side).mean() for side in ("left", "right"))
    return float(below + up_to) / 2 / len(ordered)

"""Pictures of studies: which of them a design and its outcomes call for, and how each is drawn."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from sim.claims.statements import LIMITS
from sim.errors import InputError, chosen, counted
from sim.model import words
from sim.model.glossary import joined
from sim.model.words import capital, label
from sim.plots import layout, theme
from sim.plots.run import fan, over_organisations
from sim.statistics import mean_interval
from sim.study.sensitivity import MAIN, Sensitivity

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sim.study import Results

Draw = Callable[["Results"], "Figure"]

NAMES = ("figure", "figure_map", "figure_gap", "figure_paths", "figure_organisations")
"""What the files of a study's pictures are called, without their endings."""
TRUE = ("quality", "honest_indicator")
"""What a report is held against, the first of these that is kept."""

MOST_LINE_CHARTS, MOST_COLUMNS, MOST_CELLS = 6, 4, 24
MOST_GAPS, MOST_GAP_ROWS, MOST_MAPS, MOST_NAMED = 3, 16, 2, 2
MOST_SENSITIVITIES, MOST_DRIVERS = 2, 9
_GAP_LOOKS = {
    "reported": (theme.EITHER, "--", "s"),
    "honest_indicator": (theme.GREEN, "-.", "D"),
    "quality": (theme.BLUE, "-", "o"),
}
_SCALE = (
    "All are points of service: with honest reports, balanced attention, fitting practice and no slips they would be "
    "equal."
)
_INDICES = {
    "lhs": "strength of the link, 0 none to 1 total",
    "sobol": "share of the variance",
    "morris": "change across the range (μ*)",
}
_SECOND = {
    "sobol": ("first_order", "with all its interactions", "by itself"),
    "morris": ("sigma", "μ*: mean size of the effect", "σ: unevenness of the effect"),
}
"""The second index of a design, and what its two are called."""


def study_figure(results: Results, outcomes: Sequence[str] = ()) -> Figure:
    """The first picture of a study, with its outcomes or some of them.

    What matters for one or two outcomes of a sampled design; dose and response for a grid over a number; what policies
    do over worlds; else a row for each cell. The title says what was found. Raises `InputError` for outcomes that were
    not kept, and where nothing is finished.
    """
    if results.is_sampled:
        return importance(results.sensitivity(), outcomes)
    if results.policies:
        return policies_in_rows(results, outcomes)
    return dose_response(results, outcomes) if layout.numbers(results) else cells_in_rows(results, outcomes)


def pictures(results: Results) -> dict[str, Draw]:
    """The pictures that fit a study, by names of `NAMES`; each is drawn when it is called with the results.

    Beside the first one these are, where the design is neither sampled nor over worlds, a map over two numbers that
    take several values, true and reported performance, time paths where series are kept, and distributions where
    organisations are.
    """
    kept, others = results.study.plan.kept, not results.is_sampled and not results.policies
    crossed = layout.numbers(results)[:2]
    smooth = len(crossed) == 2 and all(results.study.cells[name].nunique() >= layout.SMOOTH for name in crossed)
    fits: dict[str, tuple[Draw, bool]] = {
        "figure": (study_figure, True),
        "figure_map": (factor_map, others and smooth),
        "figure_gap": (true_and_reported, others and "reported" in results.outcomes and _truth(results) is not None),
        "figure_paths": (fan, others and kept.series),
        "figure_organisations": (over_organisations, others and kept.organisations),
    }
    return {name: draw for name, (draw, wanted) in fits.items() if wanted}


def _truth(results: Results) -> str | None:
    return next((name for name in TRUE if name in results.outcomes), None)


def dose_response(results: Results, outcomes: Sequence[str] = ()) -> Figure:
    """Means of up to six outcomes of a grid with their 95 % intervals against its first factor that is a number.

    Other factors than the one that makes the lines are averaged over. The title says what the factor does to the
    first outcome, from the lowest to the highest value, paired by seed.
    """
    names = layout.checked(results, outcomes, MOST_LINE_CHARTS)
    axis = layout.numbers(results)[0]
    by, groups = layout.named(axis), _lines(results, results.runs, axis)
    note = f"{layout.source(results)} Bands: 95 % intervals of the means. Grey: as at the left end, or too little to "
    note += f"matter.{layout.left_out(results, names)}"
    each = f", lines for {joined([told for told, _ in groups])}" if len(groups) > 1 else ""
    alt = f"Line charts of {joined([label(n) for n in names])} by {by}{each}"
    title = _response(results, groups, axis, names[0])
    with theme.slide(title, note, alt, len(names), grid="y") as (figure, panels):
        for axes, name in zip(panels, names, strict=True):
            for (_, group), (colour, dash) in zip(groups, theme.LINES, strict=False):
                by_value = group.groupby(axis)
                found = np.array([(x, *mean_interval(layout.by_seed(part, name))) for x, part in by_value])
                x, *moments = found.astype(np.float64).T
                mean, low, high = (words.natural(name, 1.0) * values for values in moments)
                axes.plot(x, mean, color=colour, linestyle=dash, linewidth=3, marker="o", markersize=6)
                axes.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
            axes.margins(y=0.12)
            first = groups[0][1]
            layout.limit(axes, name, first.loc[first[axis] == first[axis].min(), name].mean(), upright=False)
            axes.set_title(layout.heading(name), linespacing=0.95)
            axes.set_xlabel(by, fontsize=theme.TEXT)
            axes.locator_params(nbins=5)
            axes.yaxis.set_major_formatter(layout.number)
        if len(groups) > 1:
            layout.key(figure, _key([told for told, _ in groups]))
        return figure


def _key(labels: list[str]) -> list[str]:
    """Names of lines, which say only once what they have in common.

    >>> _key(["weight on targets 0.1", "weight on targets 0.9"])
    ['weight on targets 0.1', '0.9']
    """
    common = labels[0].rpartition(" ")[0] + " "
    if not all(told.startswith(common) for told in labels):
        return labels
    return [labels[0], *(told.removeprefix(common) for told in labels[1:])]


_MOVES = {1: "rises", -1: "falls", 0: "hardly changes"}


def _response(results: Results, groups: list[tuple[str, pd.DataFrame]], axis: str, name: str) -> str:
    """What more of a factor does to an outcome, and whether that differs between the first and the last group."""
    by, what = layout.named(axis), label(name)
    ways = [layout.matters(name, layout.change(group, name, axis)) for _, group in (groups[0], groups[-1])]
    if not any(ways):
        return f"{capital(what)} hardly changes with {by}"
    if len(groups) == 1:
        return f"With more {by}, {what} {layout.moved(name, layout.change(results.runs, name, axis))}"
    first, last = _ends(results, groups, axis)
    if ways[0] != ways[1]:
        return f"With more {by}, {what} {_MOVES[ways[0]]} {first} and {_MOVES[ways[1]]} {last}"
    apart = layout.difference_of(groups[-1][1], groups[0][1], name, axis)
    further = {1: f"more so {last}", -1: f"less so {last}", 0: f"{first} as {last}"}
    return f"With more {by}, {what} {_MOVES[ways[0]]}, {further[layout.matters(name, apart) * ways[0]]}"


def _ends(results: Results, groups: list[tuple[str, pd.DataFrame]], axis: str) -> tuple[str, str]:
    """What the first and the last line of a picture stand for: little and much of a number, else their names."""
    other = _other(results, axis)
    if is_numeric_dtype(results.study.cells[other]):
        return f"with little {layout.named(other)}", f"with much {layout.named(other)}"
    return f"under {groups[0][0]}", f"under {groups[-1][0]}"


def _lines(results: Results, runs: pd.DataFrame, axis: str) -> list[tuple[str, pd.DataFrame]]:
    """The runs of each line of a picture, named by the first other factor with few values; else all of them as one."""
    by = _other(results, axis)
    return [(layout.said(by, v), part) for v, part in runs.groupby(by, sort=False)] if by else [("", runs)]


def _other(results: Results, axis: str) -> str:
    """The first factor beside the one on the axis that takes few values; "" where there is none."""
    cells = results.study.cells
    few = (str(name) for name in cells if name != axis and 1 < cells[name].nunique() <= layout.MOST_LINES)
    return next(few, "")


def cells_in_rows(results: Results, outcomes: Sequence[str] = ()) -> Figure:
    """Means of up to four outcomes with their 95 % intervals, a row for each cell (24 at most).

    The title names the cells where the first outcome is highest and lowest.
    """
    names = layout.checked(results, outcomes, MOST_COLUMNS)
    summary = results.summary()
    means = summary[summary["outcome"] == names[0]].set_index("cell")["mean"].dropna()
    order = means.sort_values(ascending=False).index.astype(int).tolist()[:MOST_CELLS]
    first = f" {MOST_CELLS} cells are shown." if summary["cell"].nunique() > MOST_CELLS else ""
    note = (
        f"{layout.source(results)} In the order of the first outcome. Bars: 95 % intervals of the means. Grey: within "
        f"what matters of the mean of all.{first}{layout.left_out(results, names)}"
    )
    n, what = len(names), joined([label(name) for name in names])
    alt = f"Dots with intervals for {what}, a row for each of {counted(len(order), 'cell')}"
    with theme.slide(_highest(results, means, names[0]), note, alt, n, n, "x") as (figure, panels):
        for axes, name in zip(panels, names, strict=True):
            table = summary[summary["outcome"] == name].set_index("cell").loc[order]
            _row_of_dots(
                axes, name, table["mean"].to_numpy(), table["half_width"].to_numpy(), results.runs[name].mean()
            )
            layout.rows(axes, layout.cell_labels(order, results))
            axes.tick_params(axis="y", labelleft=axes is panels[0])
        return figure


def _row_of_dots(axes: Axes, name: str, means: Any, half: Any, around: float) -> None:
    """Dots with their intervals below each other, in the unit that people own, beside what is too little to matter."""
    factor = words.natural(name, 1.0)
    axes.errorbar(factor * means, range(len(means)), xerr=factor * half, fmt="o", color=theme.BLUE, capsize=4,
                  markersize=8, elinewidth=2.5)  # fmt: skip
    axes.margins(x=0.1)
    layout.limit(axes, name, around)
    axes.set_title(textwrap.fill(capital(label(name)), 16), linespacing=0.95)
    axes.set_xlabel(textwrap.fill(words.measured_in(name), 20), fontsize=theme.SMALL + 1, color=theme.GREY)
    axes.locator_params(axis="x", nbins=4)
    axes.xaxis.set_major_formatter(layout.number)


def policies_in_rows(results: Results, outcomes: Sequence[str] = ()) -> Figure:
    """What each later policy changes in up to four outcomes against the first, over worlds, with 95 % intervals.

    The title says which of them moves the first outcome most, and by how much.
    """
    names = layout.checked(results, outcomes, MOST_COLUMNS)
    first, *later = results.policies
    tables = {name: results.compare(name, first).set_index("outcome") for name in later[:MOST_CELLS]}
    by_size = {name: float(table["difference"][names[0]]) for name, table in tables.items()}
    order = sorted(by_size, key=lambda name: -by_size[name])
    most = max(order, key=lambda name: np.nan_to_num(abs(by_size[name]), nan=-1.0))
    found, worlds = tables[most].loc[names[0]], int(tables[most]["n"][names[0]])
    does = layout.moved(names[0], found[["difference", "low", "high"]].to_numpy(np.float64))
    title = f"Under {_policy(most)}, {label(names[0])} {does if worlds else 'is not known yet'}"
    lead = f"Compared with {_policy(first)}: means over {worlds:,} plausible worlds, by weight."
    note = (
        f"{layout.source(results)} Bars: 95 % intervals between calibrations. Grey: too small to "
        f"matter.{layout.left_out(results, names)}"
    )
    what, n = joined([label(name) for name in names]), len(names)
    alt = f"Dots with intervals for the change in {what}, a row for each of {joined([words.policy(p) for p in order])}"
    with theme.slide(title, note, alt, n, n, "x", lead=lead) as (figure, panels):
        for axes, name in zip(panels, names, strict=True):
            rows = [tables[each].loc[name, ["difference", "low", "high"]] for each in order]
            change, low, high = np.array(rows, float).T
            _row_of_dots(axes, name, change, (high - low) / 2, 0.0)
            axes.axvline(0.0, color=theme.BLACK, linewidth=1.5)
            layout.rows(axes, [textwrap.shorten(capital(words.policy(each)), 34, placeholder=" ...") for each in order])
            axes.tick_params(axis="y", labelleft=axes is panels[0])
        return figure


def _policy(name: str) -> str:
    """A policy as it follows "under"; a user's own in quotes, so that any name can stand there."""
    return words.POLICIES.get(name, f"“{name}”")


def _highest(results: Results, means: pd.Series, name: str) -> str:
    """Which cells have the highest and the lowest mean, or that they hardly differ; the level of a single cell."""
    if len(means) == 1:
        return f"{capital(label(name))}: {words.level(name, float(means.iloc[0]))}"
    ends = (int(str(means.idxmax())), int(str(means.idxmin())))
    high, low = ((layout.where(cell, results), results.runs[results.runs["cell"] == cell]) for cell in ends)
    return layout.extremes(name, high, low, f"between the {len(means)} cells")


def true_and_reported(results: Results) -> Figure:
    """Reported results, the honest indicator and quality, as far as they are kept, with the gap shaded.

    For a grid, against its first factor that is a number, a panel for each of up to three values of a second factor;
    for other designs a row for each of up to 16 cells. The title says where the gap is widest or how it moves.
    """
    kept = [name for name in _GAP_LOOKS if name in layout.checked(results, (), len(results.outcomes))]
    true = _truth(results) or TRUE[0]
    runs = results.runs.assign(gap=results.runs["reported"] - results.runs[true])
    axis = next(iter(layout.numbers(results)), None)
    note = f"{layout.source(results)} Shaded: reported results less {label(true)}. {_SCALE}"
    alt = f"Reported results beside {label(true)}, the gap between them shaded"
    if axis is None:
        return _gap_rows(results, runs, kept, true, note, alt)
    return _gap_curves(results, runs, kept, true, axis, note, alt)


def _gap_look(name: str, line: bool) -> dict[str, Any]:
    colour, dash, marker = _GAP_LOOKS[name]
    style = {"linestyle": dash, "linewidth": 3.5} if line else {"linestyle": "none"}
    return {"color": colour, "marker": marker, "markersize": 7 if line else 11, **style}


def _gap_curves(
    results: Results, runs: pd.DataFrame, kept: list[str], true: str, axis: str, note: str, alt: str
) -> Figure:
    by, groups = layout.named(axis), _lines(results, runs, axis)
    n = min(len(groups), MOST_GAPS)
    chosen = [groups[place] for place in np.linspace(0, len(groups) - 1, n).round().astype(int)]
    way = layout.matters("gap", layout.change(runs, "gap", axis))
    further = ("{By} hardly changes how far reports run ahead of {true}",
               "The more {by}, the further reports run ahead of {true}",
               "The more {by}, the less reports run ahead of {true}")[way]  # fmt: skip
    title = further.format(by=by, By=capital(by), true=label(true))
    with theme.slide(title, note, alt, n, n, sharey=True) as (figure, panels):
        for axes, (heading, part) in zip(panels, chosen, strict=True):
            means = part.groupby(axis)[kept].mean() * words.natural("gap", 1.0)
            axes.fill_between(means.index, means["reported"], means[true], color=theme.PALE, linewidth=0)
            for name in kept:
                axes.plot(means.index, means[name], **_gap_look(name, True))
            axes.set_title(capital(heading))
            axes.set_xlabel(by)
            axes.margins(y=0.06)
            axes.locator_params(nbins=5)
        panels[0].set_ylabel(words.measured_in("quality"))
        layout.key(figure, [label(name) for name in kept], [_gap_look(name, True) for name in kept])
        return figure


def _gap_rows(results: Results, runs: pd.DataFrame, kept: list[str], true: str, note: str, alt: str) -> Figure:
    means = runs.groupby("cell")[[*kept, "gap"]].mean().dropna().sort_values("gap", ascending=False)
    some = means.iloc[:MOST_GAP_ROWS] * words.natural("gap", 1.0)
    with theme.slide(_widest(results, runs, means["gap"], true), note, alt, grid="x") as (figure, (axes,)):
        axes.barh(range(len(some)), some["gap"], left=some[true], height=0.5, color=theme.PALE)
        for name in kept:
            axes.plot(some[name], range(len(some)), **_gap_look(name, False))
        axes.use_sticky_edges = False
        axes.margins(x=0.04)
        layout.rows(axes, layout.cell_labels([int(str(number)) for number in some.index], results))
        across = axes.get_yaxis_transform()
        axes.text(1.02, 1.01, "gap", transform=axes.transAxes, fontsize=theme.TEXT, fontweight="bold", va="bottom")
        for place, gap in enumerate(some["gap"]):
            axes.text(1.02, place, theme.minus(f"{gap:+.0f}"), transform=across, fontsize=theme.TEXT, va="center")
        axes.set_xlabel(words.measured_in("quality"), fontsize=theme.TEXT, color=theme.GREY)
        if len(kept) > MOST_NAMED:
            layout.key(figure, [label(name) for name in kept], [_gap_look(name, False) for name in kept])
            return figure
        ordered = sorted(kept, key=lambda name: float(some[name].to_numpy()[0]))
        for name, side in zip(ordered, ("left", "right"), strict=False):
            at = float(some[name].to_numpy()[0]), 0.0
            axes.annotate(label(name), at, (0, 12), textcoords="offset points", ha=side, fontsize=theme.TEXT,
                          fontweight="bold", color=_GAP_LOOKS[name][0])  # fmt: skip
        axes.set_ylim(top=-1.1)
        return figure


def _widest(results: Results, runs: pd.DataFrame, gaps: pd.Series, true: str) -> str:
    """Where reports are furthest above the truth and where least."""
    most, least = (int(str(number)) for number in (gaps.idxmax(), gaps.idxmin()))
    if most == least:
        return f"Reports and {label(true)} are {words.level('gap', abs(float(gaps.iloc[0])))} apart"
    apart = layout.difference(runs[runs["cell"] == most], runs[runs["cell"] == least], "gap")
    if layout.matters("gap", apart) <= 0:
        return f"How far reports run ahead of {label(true)} hardly differs between the {len(gaps)} cells"
    here, there = (layout.where(number, results) for number in (most, least))
    return f"Reports run furthest ahead of {label(true)} {here}, and least {there}"


def factor_map(results: Results, outcomes: Sequence[str] = ()) -> Figure:
    """One or two outcomes of a grid over its first two factors that are numbers, as heat maps.

    Other factors are averaged over. The title says where the first outcome is highest and lowest, and how far apart.
    """
    names = layout.checked(results, outcomes, MOST_MAPS)
    across, up = layout.numbers(results)[:2]
    by = f"{layout.named(across)} and {layout.named(up)}"
    means = [results.runs.dropna(subset=[name]).groupby([up, across])[name].mean() for name in names]
    tables = [words.natural(name, 1.0) * each.unstack() for name, each in zip(names, means, strict=True)]
    found = [_peaks(results.runs, each) for each in means]
    lines = "" if all(map(layout.numbered, tables)) else " Lines: equal levels."
    note = f"{layout.source(results)} Means; brighter is more.{lines}"
    alt = f"Heat maps of {joined([label(name) for name in names])} by {by}. {'. '.join(found[1:])}".strip(" .")
    with theme.slide(found[0], note, alt, len(names)) as (figure, panels):
        for axes, name, table in zip(panels, names, tables, strict=True):
            layout.heat_map(axes, table, words.measured_in(name))
            axes.set_title(layout.heading(name))
            axes.set_xlabel(layout.named(across))
            axes.set_ylabel(layout.named(up))
        return figure


def _peaks(runs: pd.DataFrame, means: pd.Series) -> str:
    """Where an outcome is highest and lowest over two factors."""
    up, across = map(str, means.index.names)
    high, low = (
        (layout.place(runs, {across: x, up: y}), runs[(runs[across] == x) & (runs[up] == y)])
        for y, x in (means.index[int(place)] for place in (means.argmax(), means.argmin()))
    )
    return layout.extremes(str(means.name), high, low, "over the map")


def importance(found: Sensitivity, outcomes: Sequence[str] = ()) -> Figure:
    """The leading drivers of one or two outcomes (the first ones by default), with 95 % intervals.

    Drivers that clearly matter (`Sensitivity.mattering`) are drawn in full colour, the others pale.
    Raises `InputError` for an outcome that was not analysed, and for more than two.
    """
    asked = chosen("outcomes", outcomes, found.outcomes, "outcome in this analysis")
    names = list(asked) or found.outcomes[:MOST_SENSITIVITIES]
    if len(names) > MOST_SENSITIVITIES:
        raise InputError([f"{len(names)} outcomes: a picture shows 1 to {MOST_SENSITIVITIES}"])
    alt = f"Bars for the leading drivers of {joined([label(name) for name in names])}"
    with theme.slide(_leading(found, names), _reading(found, names), alt, len(names), grid="x") as (figure, panels):
        for axes, name in zip(panels, names, strict=True):
            drivers = found.ranking(name).head(MOST_DRIVERS)["driver"].tolist()
            two = found.kind in _SECOND
            _bars(axes, found, name, MAIN[found.kind], drivers, -0.14 if two else 0.0, 0.46 if two else 0.62)
            if two:
                _bars(axes, found, name, _SECOND[found.kind][0], drivers, 0.26, 0.26)
            axes.axvline(0.0, color=theme.BLACK, linewidth=1.5)
            layout.rows(axes, [textwrap.fill(capital(layout.driver(each)), 30) for each in drivers], theme.SMALL + 1)
            axes.locator_params(axis="x", nbins=5)
            axes.set_xlabel(_INDICES[found.kind], fontsize=theme.TEXT)
            explained = f" (R² {found.r2['estimate'].to_dict()[name]:.2f})" if found.kind == "lhs" else ""
            axes.set_title(f"{capital(label(name))}{explained}")
        if found.kind in _SECOND:
            layout.key(figure, _SECOND[found.kind][1:], [{"color": theme.EITHER}, {"color": theme.SMALL_EFFECT}])
        return figure


def _leading(found: Sensitivity, names: list[str]) -> str:
    """What each outcome depends on most."""
    first = {name: next(iter(found.leading(name)), "") for name in names}
    told = [
        f"{label(name)} on {layout.driver(one) if one else 'nothing that stands out'}" for name, one in first.items()
    ]
    most = "depends most on" if first[names[0]] else "depends on"
    return capital(", ".join(told).replace(" on ", f" {most} ", 1))


def _bars(
    axes: Axes, found: Sensitivity, outcome: str, measure: str, drivers: list[str], shift: float, height: float
) -> None:
    """A bar for each driver, pale where it does not clearly matter, with its interval."""
    table = found.table[(found.table["outcome"] == outcome) & (found.table["measure"] == measure)]
    values = table.set_index("driver")[["estimate", "low", "high"]].loc[drivers].to_numpy(dtype=np.float64)
    clear, main = found.mattering(outcome), measure == MAIN[found.kind]
    direction = LIMITS[outcome].direction if outcome in LIMITS else 0
    for place, (driver, (estimate, low, high)) in enumerate(zip(drivers, values, strict=True)):
        good = np.sign(estimate) * direction if found.kind == "lhs" else 0
        colour = {1: theme.BETTER, -1: theme.WORSE, 0: theme.EITHER if main else theme.SMALL_EFFECT}[int(good)]
        axes.barh(place + shift, estimate, height, color=colour, alpha=1.0 if driver in clear else 0.3)
        axes.errorbar((low + high) / 2, place + shift, xerr=(high - low) / 2, fmt="none", ecolor=theme.BLACK,
                      elinewidth=2, capsize=5 if main else 3, capthick=2)  # fmt: skip


def _reading(found: Sensitivity, names: list[str]) -> str:
    """How to read the bars, and whether more samples could change the order."""
    kinds = {
        "lhs": f"Latin hypercube of {found.samples:,} cells. To the right: the more of it, the "
        "more of the outcome. Blue: better; orange: worse. R²: share of the variance of the ranks explained.",
        "sobol": f"Sobol' design of {found.samples:,} base samples. Shares of the variance of the outcome.",
        "morris": f"Morris design of {found.samples:,} trajectories. Effects in the unit of the outcome.",
    }
    runs = f" {found.runs:,} runs." if found.runs else ""
    drivers = len(found.ranking(names[0]))
    more = f" The {MOST_DRIVERS} leading of {drivers} drivers." if drivers > MOST_DRIVERS else ""
    first = f"{kinds[found.kind]}{runs} Black: 95 % intervals. Pale: does not clearly matter.{more}"
    open_ = [label(name) for name in names if not found.settled(name)]
    second = [f"More samples might change the order of the first places for {joined(open_)}."] if open_ else []
    return "\n".join((first, *second, *found.notes()))

"""Pictures of studies: which of them a design and its outcomes call for, and how each is drawn."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sim.errors import InputError, chosen, counted
from sim.model.glossary import joined
from sim.model.outcomes import OUTCOMES
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
MOST_GAPS, MOST_GAP_ROWS, MOST_MAPS = 3, 16, 2
MOST_SENSITIVITIES, MOST_DRIVERS = 2, 9
_GAP_LOOKS = {
    "reported": (theme.VERMILLION, "--", "s"),
    "honest_indicator": (theme.GREEN, "-.", "D"),
    "quality": (theme.BLUE, "-", "o"),
}
_SCALE = (
    "All are points of service: with honest reports, balanced attention, fitting practice and no slips they would be "
    "equal."
)
_INDICES = {
    "lhs": "standardised rank regression coefficient",
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

    Beside the first one these are, where the design is neither sampled nor over worlds, a map over two numbers, true
    and reported performance, time paths where series are kept, and distributions where organisations are.
    """
    kept, others = results.study.plan.kept, not results.is_sampled and not results.policies
    fits: dict[str, tuple[Draw, bool]] = {
        "figure": (study_figure, True),
        "figure_map": (factor_map, others and len(layout.numbers(results)) > 1),
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
    runs, by, groups = results.runs, layout.plain(axis), _lines(results, results.runs, axis)
    moves = [layout.moved(layout.change(group, names[0], axis)) for _, group in groups]
    ends = [f"{move} at {words}" for move, (words, _) in zip(moves, groups, strict=True)]
    what = joined([ends[0], ends[-1]]) if len(groups) > 1 else moves[0]
    title = f"As {by} goes from {runs[axis].min():g} to {runs[axis].max():g}, {label(names[0])} {what}"
    note = f"{layout.source(results)} Bands: 95 % intervals of the means.{layout.left_out(results, names)}"
    each = f", lines for {joined([words for words, _ in groups])}" if len(groups) > 1 else ""
    alt = f"Line charts of {joined([label(n) for n in names])} by {by}{each}"
    with theme.slide(title, note, alt, len(names), grid="y") as (figure, panels):
        for axes, name in zip(panels, names, strict=True):
            for (_, group), (colour, dash) in zip(groups, theme.LINES, strict=False):
                by_value = group.groupby(axis)
                found = np.array([(x, *mean_interval(layout.by_seed(part, name))) for x, part in by_value])
                x, mean, low, high = found.astype(np.float64).T
                axes.plot(x, mean, color=colour, linestyle=dash, linewidth=3, marker="o", markersize=6)
                axes.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
            axes.set_title(textwrap.fill(label(name), 40))
            axes.set_xlabel(by, fontsize=theme.TEXT)
            axes.margins(y=0.12)
            axes.locator_params(nbins=5)
        if len(groups) > 1:
            layout.key(figure, [words for words, _ in groups])
        return figure


def _lines(results: Results, runs: pd.DataFrame, axis: str) -> list[tuple[str, pd.DataFrame]]:
    """The runs of each line of a picture, named by the first other factor with few values; else all of them as one."""
    cells = results.study.cells
    by = next((str(name) for name in cells if name != axis and 1 < cells[name].nunique() <= layout.MOST_LINES), None)
    return [("", runs)] if by is None else [(layout.said(by, v), part) for v, part in runs.groupby(by, sort=False)]


def cells_in_rows(results: Results, outcomes: Sequence[str] = ()) -> Figure:
    """Means of up to four outcomes with their 95 % intervals, a row for each cell (24 at most).

    The title names the cells where the first outcome is highest and lowest, and how far apart they are.
    """
    names = layout.checked(results, outcomes, MOST_COLUMNS)
    summary = results.summary()
    numbers = list(summary["cell"].unique())
    labels = layout.cell_labels(numbers[:MOST_CELLS], results)
    first = f" The first {MOST_CELLS} cells are shown." if len(numbers) > MOST_CELLS else ""
    note = f"{layout.source(results)} Bars: 95 % intervals of the means.{first}{layout.left_out(results, names)}"
    what = joined([label(name) for name in names])
    alt = f"Dots with intervals for {what}, a row for each of {counted(len(labels), 'cell')}"
    n = len(names)
    means = summary[summary["outcome"] == names[0]].set_index("cell")["mean"].dropna()
    with theme.slide(_highest(results, means, names[0]), note, alt, n, n, "both") as (figure, panels):
        for axes, name in zip(panels, names, strict=True):
            table = summary[summary["outcome"] == name].iloc[:MOST_CELLS]
            axes.errorbar(table["mean"], range(len(table)), xerr=table["half_width"], fmt="o", color=theme.BLUE,
                          capsize=4, markersize=8, elinewidth=2.5)  # fmt: skip
            layout.rows(axes, labels)
            axes.tick_params(axis="y", labelleft=axes is panels[0])
            axes.set_title(textwrap.fill(label(name), 16))
            axes.locator_params(axis="x", nbins=4)
        return figure


def policies_in_rows(results: Results, outcomes: Sequence[str] = ()) -> Figure:
    """What each later policy changes in up to four outcomes against the first, over worlds, with 95 % intervals.

    The title says what the first of them does to the first outcome.
    """
    names = layout.checked(results, outcomes, MOST_COLUMNS)
    first, *later = results.policies
    tables = [results.compare(name, first).set_index("outcome") for name in later[:MOST_CELLS]]
    labels, n = [textwrap.shorten(name, 34, placeholder=" ...") for name in later[:MOST_CELLS]], len(names)
    found = tables[0].loc[names[0]]
    does = layout.moved(found[["difference", "low", "high"]].to_numpy(np.float64)) if found["n"] else "is not known yet"
    title = f"Under {later[0]} instead of {first}, {label(names[0])} {does}"
    note = f"{layout.source(results)} Weighted means over worlds. Bars: 95 % intervals between calibrations."
    what = joined([label(name) for name in names])
    alt = f"Dots with intervals for the change in {what}, a row for each of {joined(labels)}"
    with theme.slide(title, f"{note}{layout.left_out(results, names)}", alt, n, n, "both") as (figure, panels):
        for axes, name in zip(panels, names, strict=True):
            change, low, high = np.array([table.loc[name, ["difference", "low", "high"]] for table in tables], float).T
            axes.errorbar(change, range(len(change)), xerr=(high - low) / 2, fmt="o", color=theme.BLUE, capsize=4,
                          markersize=8, elinewidth=2.5)  # fmt: skip
            axes.axvline(0.0, color=theme.BLACK, linewidth=1.5)
            layout.rows(axes, labels)
            axes.tick_params(axis="y", labelleft=axes is panels[0])
            axes.set_title(textwrap.fill(label(name), 16))
            axes.locator_params(axis="x", nbins=4)
        return figure


def _highest(results: Results, means: pd.Series, name: str) -> str:
    """Which cells have the highest and the lowest mean, and how far they are apart, paired by seed."""
    if len(means) == 1:
        return f"{capital(label(name))} is {layout.sized(mean_interval(results.runs[name].dropna()))}"
    ends = (int(str(means.idxmax())), int(str(means.idxmin())))
    high, low = ((layout.where(cell, results), results.runs[results.runs["cell"] == cell]) for cell in ends)
    return layout.extremes(name, high, low, "between the cells")


def true_and_reported(results: Results) -> Figure:
    """Reported results, the honest indicator and quality, as far as they are kept, with the gap shaded.

    For a grid, against its first factor that is a number, a panel for each of up to three values of a second factor;
    for other designs a row for each of up to 16 cells. The title says where the gap is widest or how it moves.
    """
    kept = [name for name in _GAP_LOOKS if name in layout.checked(results, (), len(results.outcomes))]
    true = _truth(results) or TRUE[0]
    runs = results.runs.assign(gap=results.runs["reported"] - results.runs[true])
    axis = next(iter(layout.numbers(results)), None)
    note = f"{layout.source(results)} Shaded: reported less {label(true)}. {_SCALE}"
    alt = f"Reported results beside {label(true)}, the gap between them shaded"
    if axis is None:
        return _gap_rows(results, runs, kept, true, note, alt)
    return _gap_curves(results, runs, kept, true, axis, note, alt)


def _gap_look(name: str, line: bool) -> dict[str, Any]:
    colour, dash, marker = _GAP_LOOKS[name]
    style = {"linestyle": dash, "linewidth": 3.5} if line else {"linestyle": "none"}
    return {"color": colour, "marker": marker, "markersize": 7 if line else 11, **style}


def _exceed(runs: pd.DataFrame, true: str) -> str:
    mean, low, high = mean_interval(layout.by_seed(runs, "gap"))
    if mean < 0.0:
        return f"fall short of {label(true)} by {layout.sized((-mean, -high, -low))}"
    return f"exceed {label(true)} by {layout.sized((mean, low, high))}"


def _gap_curves(
    results: Results, runs: pd.DataFrame, kept: list[str], true: str, axis: str, note: str, alt: str
) -> Figure:
    by, groups = layout.plain(axis), _lines(results, runs, axis)
    n = min(len(groups), MOST_GAPS)
    chosen = [groups[place] for place in np.linspace(0, len(groups) - 1, n).round().astype(int)]
    ends = f"from {runs[axis].min():g} to {runs[axis].max():g}"
    moved = layout.moved(layout.change(runs, "gap", axis))
    title = f"Reports {_exceed(runs, true)} on average; as {by} goes {ends}, the gap {moved}"
    with theme.slide(title, note, alt, n, n, sharey=True) as (figure, panels):
        for axes, (heading, part) in zip(panels, chosen, strict=True):
            means = part.groupby(axis)[kept].mean()
            axes.fill_between(means.index, means["reported"], means[true], color=theme.PALE, linewidth=0)
            for name in kept:
                axes.plot(means.index, means[name], **_gap_look(name, True))
            axes.set_title(heading)
            axes.set_xlabel(by)
            axes.margins(y=0.06)
            axes.locator_params(nbins=5)
        layout.key(figure, [label(name) for name in kept], [_gap_look(name, True) for name in kept])
        return figure


def _gap_rows(results: Results, runs: pd.DataFrame, kept: list[str], true: str, note: str, alt: str) -> Figure:
    means = runs.groupby("cell")[[*kept, "gap"]].mean().dropna()
    some = means.iloc[:MOST_GAP_ROWS]
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
            axes.text(1.02, place, theme.minus(f"{gap:+.2f}"), transform=across, fontsize=theme.TEXT, va="center")
        layout.key(figure, [label(name) for name in kept], [_gap_look(name, False) for name in kept])
        return figure


def _widest(results: Results, runs: pd.DataFrame, gaps: pd.Series, true: str) -> str:
    """Where reports are furthest above the truth and where least, with the paired difference."""
    most, least = (int(str(number)) for number in (gaps.idxmax(), gaps.idxmin()))
    if most == least:
        return f"Reports {_exceed(runs[runs['cell'] == most], true)}"
    apart = layout.difference(runs[runs["cell"] == most], runs[runs["cell"] == least], "gap")
    if apart[1] <= 0.0:
        return f"How far reports exceed {label(true)} does not differ clearly between the cells: {layout.sized(apart)}"
    here, there = (f"{layout.where(number, results)} ({gaps[number]:+.2f})" for number in (most, least))
    return theme.minus(f"Reports exceed {label(true)} most {here} and least {there}: {layout.sized(apart)} apart")


def factor_map(results: Results, outcomes: Sequence[str] = ()) -> Figure:
    """One or two outcomes of a grid over its first two factors that are numbers, as heat maps with contours.

    Other factors are averaged over. The title says where the first outcome is highest and lowest, and how far apart.
    """
    names = layout.checked(results, outcomes, MOST_MAPS)
    across, up = layout.numbers(results)[:2]
    by = f"{layout.plain(across)} and {layout.plain(up)}"
    means = [results.runs.dropna(subset=[name]).groupby([up, across])[name].mean() for name in names]
    tables = [each.unstack() for each in means]
    found = [_peaks(results.runs, each) for each in means]
    lines = " Lines: equal levels." if min(tables[0].shape) >= layout.SMOOTH else ""
    note = f"{layout.source(results)} Means; brighter is more.{lines}"
    alt = f"Heat maps of {joined([label(name) for name in names])} by {by}. {'. '.join(found[1:])}".strip(" .")
    with theme.slide(found[0], note, alt, len(names)) as (figure, panels):
        for axes, name, table in zip(panels, names, tables, strict=True):
            layout.heat_map(axes, table, OUTCOMES[name].unit)
            axes.set_title(label(name), fontsize=theme.LARGE + 2)
            axes.set_xlabel(layout.plain(across))
            axes.set_ylabel(layout.plain(up))
        return figure


def _peaks(runs: pd.DataFrame, means: pd.Series) -> str:
    """Where an outcome is highest and lowest over two factors, and the paired difference between the two."""
    up, across = map(str, means.index.names)
    high, low = (
        (f"at {layout.said(across, x)}, {layout.said(up, y)}", runs[(runs[across] == x) & (runs[up] == y)])
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
            layout.rows(axes, [textwrap.fill(layout.plain(driver), 24) for driver in drivers], theme.LARGE)
            axes.locator_params(axis="x", nbins=5)
            axes.set_xlabel(_INDICES[found.kind], fontsize=theme.TEXT)
            explained = f" (R² {found.r2['estimate'].to_dict()[name]:.2f})" if found.kind == "lhs" else ""
            axes.set_title(f"{label(name).capitalize()}{explained}")
        if found.kind in _SECOND:
            layout.key(figure, _SECOND[found.kind][1:], [{"color": theme.BLUE}, {"color": theme.ORANGE}])
        return figure


def _leading(found: Sensitivity, names: list[str]) -> str:
    """What each outcome depends on most, computed."""
    parts = []
    for name in names:
        drivers = [layout.plain(driver) for driver in found.leading(name)]
        parts.append(f"{label(name)} on {joined(drivers) if drivers else 'nothing that stands out'}")
    text = capital("; ".join(parts).replace(" on ", " depends most on ", 1))
    return text.replace("depends most on nothing", "depends on nothing")


def _bars(
    axes: Axes, found: Sensitivity, outcome: str, measure: str, drivers: list[str], shift: float, height: float
) -> None:
    """A bar for each driver, pale where it does not clearly matter, with its interval."""
    table = found.table[(found.table["outcome"] == outcome) & (found.table["measure"] == measure)]
    values = table.set_index("driver")[["estimate", "low", "high"]].loc[drivers].to_numpy(dtype=np.float64)
    clear, main = found.mattering(outcome), measure == MAIN[found.kind]
    for place, (driver, (estimate, low, high)) in enumerate(zip(drivers, values, strict=True)):
        falling = found.kind == "lhs" and estimate < 0.0
        colour = theme.VERMILLION if falling else theme.BLUE if main else theme.ORANGE
        axes.barh(place + shift, estimate, height, color=colour, alpha=1.0 if driver in clear else 0.3)
        axes.errorbar((low + high) / 2, place + shift, xerr=(high - low) / 2, fmt="none", ecolor=theme.BLACK,
                      elinewidth=2, capsize=5 if main else 3, capthick=2)  # fmt: skip


def _reading(found: Sensitivity, names: list[str]) -> str:
    """How to read the bars, and whether more samples could change the order."""
    kinds = {
        "lhs": f"Latin hypercube of {found.samples:,} cells. Blue: more of it, more of the "
        "outcome; red: less. R²: share of the variance of the ranks explained.",
        "sobol": f"Sobol' design of {found.samples:,} base samples. Shares of the variance of the outcome.",
        "morris": f"Morris design of {found.samples:,} trajectories. Effects in the unit of the outcome.",
    }
    runs = f" {found.runs:,} runs." if found.runs else ""
    drivers = len(found.ranking(names[0]))
    more = f" The {MOST_DRIVERS} leading of {drivers} drivers." if drivers > MOST_DRIVERS else ""
    first = f"{kinds[found.kind]}{runs} Black: 95 % intervals. Pale: does not clearly matter.{more}"
    verdicts = [f"{label(name)}: {'no' if found.settled(name) else 'perhaps'}" for name in names]
    second = f"Would more samples change the order of the first places? {'; '.join(verdicts).capitalize()}."
    return "\n".join((first, second, *found.notes()))

"""What outcomes depend on, in one picture: a panel for each outcome, its most important drivers on top."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from sim.claims.text import joined, label
from sim.errors import InputError, nearest, shown
from sim.plots import theme
from sim.study.sensitivity import MAIN, Sensitivity

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_PANELS = 2
MOST_DRIVERS = 9
LEFT, RIGHT, BOTTOM, TOP = 0.02, 0.985, 0.225, 0.79
_SCALES = {
    "lhs": "standardised rank regression coefficient",
    "sobol": "share of the variance",
    "morris": "change across the range (μ*)",
}
_SECOND = {"sobol": ("first_order", "by itself"), "morris": ("sigma", "σ: unevenness of the effect")}
_FIRST = {"sobol": "with all its interactions", "morris": "μ*: mean size of the effect"}
_WIDEST = 24  # letters of a driver's name on one line


def importance(found: Sensitivity, outcomes: Iterable[str] | None = None) -> Figure:
    """The leading drivers of one or two outcomes (the first ones by default), with 95 % intervals.

    Drivers that clearly matter (`Sensitivity.mattering`) are drawn in full colour, the others pale.
    Raises `InputError` for an outcome that was not analysed, and for more than two.
    """
    names = _checked(found, outcomes)
    with theme.style():
        figure = theme.slide()
        title = _title(found, names)
        theme.headline(figure, title)
        theme.describe(figure, f"Bars for the leading drivers of {joined([label(name) for name in names])}. {title}.")
        width = (RIGHT - LEFT) / len(names)
        for k, name in enumerate(names):
            labels = 0.21
            axes = figure.add_axes((LEFT + k * width + labels, BOTTOM, width - labels - 0.025, TOP - BOTTOM))
            _panel(axes, found, name)
            figure.text(LEFT + k * width, TOP + 0.035, _heading(found, name), fontsize=theme.LARGE + 1,
                        fontweight="bold", va="center")  # fmt: skip
        if found.kind in _SECOND:
            _legend(figure, found.kind)
        figure.text(LEFT, 0.018, _footnote(found, names), fontsize=theme.SMALL, color=theme.GREY, va="bottom")
        return figure


def _checked(found: Sensitivity, outcomes: Iterable[str] | None) -> list[str]:
    if outcomes is None:
        return found.outcomes[:MOST_PANELS]
    names = list(dict.fromkeys([outcomes] if isinstance(outcomes, str) else outcomes))
    lines = [
        f"{shown(name)}: not among the outcomes analysed{nearest(name, found.outcomes)}"
        for name in names
        if name not in found.outcomes
    ]
    if not 1 <= len(names) <= MOST_PANELS:
        lines.append(f"{len(names)} outcomes: a picture shows 1 to {MOST_PANELS}")
    if lines:
        raise InputError(lines)
    return names


def _title(found: Sensitivity, names: list[str]) -> str:
    """What each outcome depends on most, computed."""
    parts = []
    for name in names:
        drivers = [_words(driver) for driver in found.leading(name)]
        parts.append(f"{label(name)} on {joined(drivers)}" if drivers else f"{label(name)} on nothing that stands out")
    text = "; ".join(parts).replace(" on ", " depends most on ", 1)
    return f"{text[0].upper()}{text[1:]}".replace("depends most on nothing", "depends on nothing")


def _words(driver: str) -> str:
    return driver.replace("_", " ").replace("@", " from month ")


def _heading(found: Sensitivity, name: str) -> str:
    heading = label(name).capitalize()
    return f"{heading} (R² {found.r2['estimate'].to_dict()[name]:.2f})" if found.kind == "lhs" else heading


def _panel(axes: Axes, found: Sensitivity, outcome: str) -> None:
    drivers = found.ranking(outcome).head(MOST_DRIVERS)["driver"].tolist()
    two = found.kind in _SECOND
    _bars(axes, found, outcome, MAIN[found.kind], drivers, -0.14 if two else 0.0, 0.46 if two else 0.62)
    if two:
        _bars(axes, found, outcome, _SECOND[found.kind][0], drivers, 0.26, 0.26)
    axes.axvline(0.0, color=theme.BLACK, linewidth=1.5)
    axes.set_ylim(len(drivers) - 0.4, -0.6)
    axes.set_yticks(range(len(drivers)), [textwrap.fill(_words(name), _WIDEST) for name in drivers])
    axes.tick_params(axis="y", labelsize=theme.LARGE, length=0)
    axes.tick_params(axis="x", labelsize=theme.TEXT)
    axes.locator_params(axis="x", nbins=5)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=theme.PALE)
    axes.set_axisbelow(True)
    axes.set_xlabel(_SCALES[found.kind], fontsize=theme.TEXT)


def _bars(
    axes: Axes, found: Sensitivity, outcome: str, measure: str, drivers: list[str], shift: float, height: float
) -> None:
    """A bar for each driver, pale where it does not clearly matter, with its interval."""
    table = found.table[(found.table["outcome"] == outcome) & (found.table["measure"] == measure)]
    values = table.set_index("driver")[["estimate", "low", "high"]].loc[drivers].to_numpy(dtype=np.float64)
    clear = set(found.mattering(outcome))
    main = measure == MAIN[found.kind]
    for place, (driver, (estimate, low, high)) in enumerate(zip(drivers, values, strict=True)):
        colour = theme.BLUE if main else theme.ORANGE
        if found.kind == "lhs" and estimate < 0.0:
            colour = theme.VERMILLION
        y = place + shift
        axes.barh(y, estimate, height, color=colour, alpha=1.0 if driver in clear else 0.3)
        axes.errorbar((low + high) / 2, y, xerr=(high - low) / 2, fmt="none", ecolor=theme.BLACK,
                      elinewidth=2, capsize=5 if main else 3, capthick=2)  # fmt: skip


def _legend(figure: Figure, kind: str) -> None:
    keys = [Patch(color=theme.BLUE, label=_FIRST[kind]), Patch(color=theme.ORANGE, label=_SECOND[kind][1])]
    figure.legend(handles=keys, loc="lower right", bbox_to_anchor=(RIGHT, 0.092), ncols=2, frameon=False,
                  fontsize=theme.TEXT)  # fmt: skip


def _footnote(found: Sensitivity, names: list[str]) -> str:
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
    return "\n".join(textwrap.fill(line, 165) for line in (first, second, *found.notes()))

"""The claims in one picture: every difference in units of its smallest effect of interest.

The grey band holds what is too small to matter. The tinted side of a row is where whoever made the claim would be
right; the marker shows where the model puts it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from sim.inference.statements import DOSES, Finding
from sim.inference.words import label, shown_numbers
from sim.show import theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.inference.report import ClaimReport

LIMIT = 5.0
"""Smallest effects of interest to either side; what lies beyond is drawn as an arrow with its number."""

LOOKS = {
    "supported": (theme.GREEN, "o", theme.GREEN),
    "opposed": (theme.VERMILLION, "X", theme.VERMILLION),
    "negligible": (theme.GREY, "o", "white"),
    "undecided": (theme.BLACK, "D", theme.YELLOW),
    "higher": (theme.BLACK, "^", theme.BLACK),
    "lower": (theme.BLACK, "v", theme.BLACK),
}
"""Colour, marker and filling of each verdict; none is the colour of a side."""
TINTS = {"Berwick": "#CFE8F8", "government": "#FBE3B0"}
SIDES = {"Berwick": "Berwick: ", "government": "gov't: ", "": ""}
HEADING = 1.15  # height of a heading, in rows
MARGINS = (0.016, 0.514)  # where the two columns begin, as shares of the width
LABELS, WIDTH = 0.148, 0.176  # for the labels and for the axes
BOTTOM, HEIGHT = 0.176, 0.607


class Line(NamedTuple):
    """A line of the picture: a heading, or a finding (then `text` labels it), at a height counted downwards."""

    place: float
    text: str
    finding: Finding | None


def claims_forest(report: ClaimReport) -> Figure:
    """All findings that have a smallest effect of interest, in two columns on one slide.

    The columns are surveillance by dose and everything else; where one is empty, the findings are split in half.
    """
    findings = [f for f in report.findings if f.difference.sesoi is not None]
    with theme.style():
        figure = theme.slide()
        _title(figure, report)
        left, right = _columns(findings)
        depth = max((_lines(column)[-1].place for column in (left, right) if column), default=1.0) + 0.6
        for x, column in zip(MARGINS, (left, right), strict=True):
            if column:
                _panel(figure, x, column, depth)
        _legend(figure)
        _footnote(figure, report)
        return figure


def _columns(findings: list[Finding]) -> tuple[list[Finding], list[Finding]]:
    doses = [f for f in findings if _is_dose(f)]
    others = [f for f in findings if not _is_dose(f)]
    if doses and others:
        return doses, others
    half = (len(findings) + 1) // 2
    return findings[:half], findings[half:]


def _is_dose(finding: Finding) -> bool:
    return finding.comparison.plus in DOSES and finding.comparison.minus in DOSES


def _lines(findings: Sequence[Finding]) -> list[Line]:
    """Headings and findings with their places, from 0 downwards."""
    lines: list[Line] = []
    place = 0.0
    for (heading, _), group in groupby(findings, lambda f: (_heading(f), f.comparison)):
        lines.append(Line(place, heading, None))
        place += HEADING
        for finding in group:
            lines.append(Line(place, label(finding.measure.outcome), finding))
            place += 1.0
        place += 0.15
    return lines


def _heading(finding: Finding) -> str:
    return finding.comparison.heading or finding.claim.heading


def _panel(figure: Figure, x: float, findings: Sequence[Finding], depth: float) -> None:
    figure.text(x, 0.808, _panel_title(findings), fontsize=theme.LARGE, fontweight="bold", va="center")
    axes = figure.add_axes((x + LABELS, BOTTOM, WIDTH, HEIGHT))
    axes.set_xlim(-LIMIT, LIMIT)
    axes.set_ylim(depth, -0.6)
    for line in _lines(findings):
        if line.finding is None:
            axes.text(-LABELS / WIDTH, line.place, line.text, transform=axes.get_yaxis_transform(),
                      fontsize=theme.TEXT, fontweight="bold", va="center")  # fmt: skip
        else:
            _row(axes, line.place, line.text, line.finding)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xticks([-5, -3, -1, 1, 3, 5], ["−5", "−3", "−1", "1", "3", "5"])
    axes.tick_params(labelsize=theme.SMALL)
    axes.set_xlabel("smallest effects of interest", fontsize=theme.SMALL, labelpad=2)


def _panel_title(findings: Sequence[Finding]) -> str:
    subjects = {finding.comparison.subject for finding in findings}
    return subjects.pop() if len(subjects) == 1 else "Other policies"


def _row(axes: Axes, place: float, text: str, finding: Finding) -> None:
    colour, marker, filling = LOOKS[finding.difference.verdict]
    _background(axes, place, finding)
    across = axes.get_yaxis_transform()
    axes.text(-0.04, place, text, transform=across, fontsize=theme.TEXT, ha="right", va="center")
    result = f"{SIDES[finding.measure.side]}{finding.difference.verdict}"
    axes.text(1.03, place, result, transform=across, fontsize=theme.TEXT, color=colour, fontweight="bold",
              va="center")  # fmt: skip
    low, middle, high = _scaled(finding)
    if abs(middle) > LIMIT:
        _beyond(axes, place, middle, colour)
        return
    axes.plot([max(low, -LIMIT), min(high, LIMIT)], [place, place], color=colour, linewidth=3, solid_capstyle="butt")
    axes.plot(middle, place, marker=marker, markersize=9.5, markeredgewidth=2, color=colour, markerfacecolor=filling)


def _background(axes: Axes, place: float, finding: Finding) -> None:
    """The grey band, and the tint where the claimant would be right."""
    sign, side = finding.measure.sign, finding.measure.side
    if sign:
        axes.barh(place, sign * (LIMIT - 1.0), height=1.0, left=sign, color=TINTS[side], zorder=0)
    axes.barh(place, 2.0, height=1.0, left=-1.0, color=theme.PALE, zorder=0)
    axes.plot([0, 0], [place - 0.5, place + 0.5], color="white", linewidth=1.5, zorder=1)


def _beyond(axes: Axes, place: float, value: float, colour: str) -> None:
    """An arrow at the edge, with the number that has no room."""
    edge = LIMIT if value > 0 else -LIMIT
    axes.annotate("", (edge, place), (0.5 * edge, place),
                  arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 3, "shrinkA": 0, "shrinkB": 0,
                              "mutation_scale": 18})  # fmt: skip
    text = shown_numbers(value)[0].replace("-", "−")
    axes.text(0.46 * edge, place, text, fontsize=theme.TEXT, color=colour, fontweight="bold", va="center",
              ha="right" if value > 0 else "left")  # fmt: skip


def _scaled(finding: Finding) -> tuple[float, float, float]:
    """Low end, estimate and high end in smallest effects of interest; 0 where that is 0 and nothing differs."""
    d = finding.difference
    unit = d.sesoi or 1.0
    return d.low / unit, d.estimate / unit, d.high / unit


def _title(figure: Figure, report: ClaimReport) -> None:
    headline = theme.minus(report.headline())
    size = theme.TITLE if len(headline) <= 2 * 72 else theme.TITLE * 2 * 72 / len(headline)
    title = textwrap.fill(headline, int(76 * theme.TITLE / size))
    figure.text(MARGINS[0], 0.975, title, fontsize=size, fontweight="bold", va="top")
    figure.text(MARGINS[0], 0.868, report.tally(), fontsize=theme.SMALL + 0.5, va="top", color=theme.GREY)


def _legend(figure: Figure) -> None:
    keys: list[Line2D | Patch] = [
        Patch(color=theme.PALE, label="too small to matter"),
        Patch(color=TINTS["Berwick"], label="Berwick is right"),
        Patch(color=TINTS["government"], label="the government is right"),
    ]
    for name, (colour, marker, filling) in LOOKS.items():
        keys.append(Line2D([], [], color=colour, marker=marker, markerfacecolor=filling, linestyle="none",
                           markersize=9, markeredgewidth=2, label=name))  # fmt: skip
    figure.legend(handles=keys, loc="lower center", bbox_to_anchor=(0.5, 0.06), ncols=len(keys), frameon=False,
                  fontsize=theme.SMALL, handletextpad=0.4, columnspacing=1.1, handlelength=1.4)  # fmt: skip


def _footnote(figure: Figure, report: ClaimReport) -> None:
    p = report.provenance
    size = p["sizes"]
    managers = size["systems"] * size["organisations"] * size["managers"]
    last = min(size["window"], size["months"])
    text = (
        "Scale: difference divided by its smallest effect of interest, with 95 % intervals. "
        f"{p['replications']} paired replications, {managers:,} managers, means of the last {last} of "
        f"{size['months']} months.\n"
        "One world with default parameters: other plausible worlds are not accounted for, nor is agreement with "
        "published findings."
    )
    figure.text(MARGINS[0], 0.014, text, fontsize=theme.SMALL, color=theme.GREY, va="bottom")

"""The claims in pictures: how every effect is distributed over plausible worlds, and how many worlds say what.

On the left an effect in units of its smallest effect of interest: the median world as a dot, half of the worlds as a
thick line, nine tenths as a thin one, by weight; below it in grey the same without weighting by evidence. The grey
band holds what is too small to matter, the tinted side is where whoever made the claim would be right. On the right
the shares of worlds with each verdict.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from sim.claims import text as words
from sim.claims.text import Row, label
from sim.plots import theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.claims.report import ClaimReport

LIMIT = 6.0
"""Smallest effects of interest to either side; what lies beyond is cut off, a median there is an arrow."""
MOST_ROWS = 19
"""Rows that can be read from the back of a room."""

LOOKS = {
    "supported": (theme.GREEN, "white"),
    "higher": (theme.BLUE, "white"),
    "negligible": ("#BDBDBD", theme.BLACK),
    "undecided": (theme.YELLOW, theme.BLACK),
    "lower": (theme.SKY, theme.BLACK),
    "opposed": (theme.VERMILLION, "white"),
}
"""Colour of each verdict and of the writing on it, in the order of the bars; none is the colour of a side."""
TINTS = {"Berwick": "#CFE8F8", "government": "#FBE3B0"}
SIDES = {"Berwick": "Berwick ", "government": "gov't ", "": ""}
LEFT, EFFECTS, BARS, RIGHT = 0.016, (0.405, 0.275), (0.695, 0.135), 0.84  # shares of the width: begin, and width
BOTTOM, HEIGHT = 0.165, 0.655
_SMALLEST_WRITTEN = 0.14


def pages(report: ClaimReport) -> list[str]:
    """The names of the pictures that show all findings with a smallest effect of interest."""
    return [name for name, _ in _pages(report)]


def claims_forest(report: ClaimReport, page: str = "claims") -> Figure:
    """One picture of the findings: ``claims`` is surveillance, the others are named by `pages`."""
    rows = dict(_pages(report))[page]
    with theme.style():
        figure = theme.slide()
        _title(figure, report.headline() if page == "claims" else words.tally(rows), words.tally(rows))
        if rows:
            _panels(figure, report, rows)
        _legend(figure)
        _footnote(figure, report)
        what = f"Effects over plausible worlds, and shares of worlds with each verdict, for {len(rows)} findings"
        theme.describe(figure, f"{what}. {theme.finding(figure)}")
        return figure


def _pages(report: ClaimReport) -> Iterator[tuple[str, list[Row]]]:
    """Surveillance first, then the other claims, as many to a picture as can be read; no claim is torn apart."""
    contrasts = {c.id: [comparison.name for comparison in c.comparisons] for c in report.claims}
    shown = [row for row in report.table.to_dict("records") if row["sesoi_rule"] and _is_shown(row, contrasts)]
    doses = set(report.tables["doses"].get("claim", ()))
    yield "claims", [row for row in shown if row["claim"] in doses]
    page: list[Row] = []
    number = 2
    for _, group in groupby((row for row in shown if row["claim"] not in doses), lambda row: row["claim"]):
        rows: list[Row] = list(group)
        if page and len(page) + len(rows) > MOST_ROWS:
            yield f"claims_{number}", page
            page, number = [], number + 1
        page = page + rows
    if page:
        yield f"claims_{number}", page


def _is_shown(row: Row, contrasts: dict[str, list[str]]) -> bool:
    """Everything but, for the paths through fear, the outcomes after the first: the tables have them."""
    is_path = row["claim"] == "risk" and row["contrast"] != contrasts["risk"][0]
    return not is_path or row["outcome"] == "initiative_rate"


def _panels(figure: Figure, report: ClaimReport, rows: Sequence[Row]) -> None:
    depth = max(len(rows), 8)
    height = HEIGHT * min(1.0, 1.6 * depth / MOST_ROWS)
    frames = [(begin, BOTTOM + HEIGHT - height, width, height) for begin, width in (EFFECTS, BARS)]
    effects, bars = (figure.add_axes(frame) for frame in frames)
    for axes in (effects, bars):
        axes.set_ylim(depth - 0.4, -0.6)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
    effects.set_xlim(-LIMIT, LIMIT)
    effects.set_xticks([-5, -3, -1, 1, 3, 5], ["−5", "−3", "−1", "1", "3", "5"])
    effects.tick_params(labelsize=theme.SMALL)
    effects.set_xlabel("effect, in smallest effects of interest", fontsize=theme.SMALL, labelpad=2)
    bars.set_xlim(0, 1)
    bars.set_xticks([])
    bars.spines["bottom"].set_visible(False)
    bars.set_xlabel("% of worlds, by weight", fontsize=theme.SMALL, labelpad=6)
    _headings(effects, report, rows)
    for place, row in enumerate(rows):
        _effect(effects, place, row)
        _bar(bars, place, row)


def _headings(axes: Axes, report: ClaimReport, rows: Sequence[Row]) -> None:
    """What the claim is, once beside its outcomes."""
    headings = {(c.id, k.name): k.heading or c.heading for c in report.claims for k in c.comparisons}
    before = None
    for place, row in enumerate(rows):
        if (key := (row["claim"], row["contrast"])) != before:
            axes.text((LEFT - EFFECTS[0]) / EFFECTS[1], place, headings[key], transform=axes.get_yaxis_transform(),
                      fontsize=theme.TEXT, fontweight="bold", va="center")  # fmt: skip
            if place:
                axes.plot([(LEFT - EFFECTS[0]) / EFFECTS[1], (1 - 0.016 - EFFECTS[0]) / EFFECTS[1]],
                          [place - 0.5] * 2, transform=axes.get_yaxis_transform(), color=theme.PALE, linewidth=1,
                          clip_on=False, zorder=-1)  # fmt: skip
        before = key


def _effect(axes: Axes, place: int, row: Row) -> None:
    axes.text(-0.03, place, label(row["outcome"]), transform=axes.get_yaxis_transform(), fontsize=theme.TEXT,
              ha="right", va="center")  # fmt: skip
    if row["sign"]:
        axes.barh(place, row["sign"] * (LIMIT - 1.0), height=1.0, left=row["sign"], color=TINTS[row["side"]], zorder=0)
    axes.barh(place, 2.0, height=1.0, left=-1.0, color=theme.PALE, zorder=0)
    axes.plot([0, 0], [place - 0.5, place + 0.5], color="white", linewidth=1.5, zorder=1)
    _range(axes, place - 0.1, row, "", (theme.BLACK, 2.0, 6.0, 9.0))
    _range(axes, place + 0.28, row, "unweighted_", (theme.GREY, 1.0, 2.5, 4.0))


def _range(axes: Axes, place: float, row: Row, prefix: str, look: tuple[str, float, float, float]) -> None:
    """Nine tenths and half of the worlds as lines, the median world as a dot or, off the scale, an arrow."""
    colour, thin, thick, dot = look
    values = [row.get(f"{prefix}in_sesoi_q{q}", math.nan) for q in ("05", "25", "50", "75", "95")]
    if any(math.isnan(value) for value in values):
        return
    low, lower, middle, upper, high = (min(max(value, -LIMIT), LIMIT) for value in values)
    axes.plot([low, high], [place] * 2, color=colour, linewidth=thin, solid_capstyle="butt", zorder=2)
    axes.plot([lower, upper], [place] * 2, color=colour, linewidth=thick, solid_capstyle="butt", zorder=2)
    marker = "o" if abs(middle) < LIMIT else ">" if middle > 0 else "<"
    axes.plot(middle * 0.985, place, marker=marker, markersize=dot, color=colour, markerfacecolor="white",
              markeredgewidth=dot / 5, zorder=3)  # fmt: skip


def _bar(axes: Axes, place: int, row: Row) -> None:
    """The shares of the verdicts side by side, and the overall one in words."""
    left = 0.0
    for verdict, (colour, ink) in LOOKS.items():
        share = row.get(verdict, math.nan)
        if math.isnan(share) or share <= 0.0:
            continue
        axes.barh(place, share, left=left, height=0.74, color=colour)
        if share >= _SMALLEST_WRITTEN:
            axes.text(left + share / 2, place, f"{100 * share:.0f}", fontsize=theme.SMALL, color=ink, ha="center",
                      va="center")  # fmt: skip
        left += share
    verdict = row["verdict"]
    side = SIDES[row["side"]] if verdict in ("supported", "opposed") else ""
    axes.text((RIGHT - BARS[0]) / BARS[1], place, f"{side}{verdict}", fontsize=theme.TEXT, va="center",
              fontweight="bold" if verdict in LOOKS else "normal",
              color=theme.BLACK if verdict in LOOKS else theme.GREY)  # fmt: skip


def _title(figure: Figure, finding: str, below: str) -> None:
    title, fits = theme.minus(finding).replace(" %", "\N{NO-BREAK SPACE}%"), 2 * 76
    size = theme.TITLE * min(1.0, fits / max(1, len(title)))
    figure.suptitle(textwrap.fill(title, int(78 * theme.TITLE / size)), x=LEFT, y=0.975, fontsize=size,
                    fontweight="bold", ha="left", va="top")  # fmt: skip
    if below != finding:
        figure.text(LEFT, 0.868, below, fontsize=theme.SMALL + 0.5, va="top", color=theme.GREY)


def _legend(figure: Figure) -> None:
    keys: list[Any] = [Patch(color=theme.PALE, label="too small to matter")]
    keys += [Patch(color=TINTS[side], label=f"{who} is right") for side, who in
             (("Berwick", "Berwick"), ("government", "gov't"))]  # fmt: skip
    for name, colour, width in (("by evidence", theme.BLACK, 5), ("unweighted", theme.GREY, 2)):
        keys.append(Line2D([], [], color=colour, linewidth=width, marker="o", markerfacecolor="white",
                           markersize=width + 3, label=name))  # fmt: skip
    keys += [Patch(color=colour, label=name) for name, (colour, _) in LOOKS.items()]
    figure.legend(handles=keys, loc="lower center", bbox_to_anchor=(0.5, 0.072), ncols=len(keys), frameon=False,
                  fontsize=theme.SMALL - 0.5, handletextpad=0.4, columnspacing=0.9, handlelength=1.3)  # fmt: skip


def _footnote(figure: Figure, report: ClaimReport) -> None:
    text = (
        "Dot: the median world; thick line: half of the worlds; thin line: nine tenths. Worlds are plausible ones, "
        f"weighted by agreement with published findings, mostly on other people than NHS managers. {report.scale()}"
    )
    figure.text(LEFT, 0.014, textwrap.fill(text, 185), fontsize=theme.SMALL - 2, color=theme.GREY, va="bottom")

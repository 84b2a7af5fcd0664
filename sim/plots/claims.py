"""Pictures of the claims over plausible worlds: effects and verdicts, what carries them, where they flip, and the
evidence.

In the first ones, an effect is on the left in units of its smallest effect of interest: the mean as a dot, half of the
worlds as a thick line, nine tenths as a thin one, by weight. The grey band holds what is too small to matter, the
tinted side is where whoever made the claim would be right. On the right are the shares of worlds in which the effect
is beyond what matters, the verdict, and whether it holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.patches import Patch
from matplotlib.transforms import blended_transform_factory

from sim.claims import text as words
from sim.claims.statements import SURVEILLANCE
from sim.claims.text import Row
from sim.claims.verdict import CLASSES, TOO_SMALL, words_of
from sim.model.glossary import joined, signed_numbers
from sim.model.words import capital, label
from sim.plots import layout, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sim.claims.answer import ClaimReport

LIMIT = 6.0
"""Smallest effects of interest to either side; what lies beyond is cut off, a median there is an arrow."""
MOST_ROWS = 19
"""Rows that can be read from the back of a room."""
FEWEST = 20.0
"""Worlds, effectively, below which a bin of a map stays empty."""
WIDEST = 4.0
"""Tolerances to either side of a published value; what lies beyond is cut off."""

LOOKS = {
    "supported": (theme.GREEN, "white"),
    "better": (theme.GREEN, "white"),
    "higher": (theme.BLUE, "white"),
    TOO_SMALL: ("#BDBDBD", theme.BLACK),
    "lower": (theme.SKY, theme.BLACK),
    "worse": (theme.VERMILLION, "white"),
    "opposed": (theme.VERMILLION, "white"),
}
"""Colour of each class of effects and of the writing on it, in the order of the bars; none is the colour of a side."""
TINTS = {"Berwick": "#CFE8F8", "government": "#FBE3B0"}
SIDES = {"Berwick": "Berwick ", "government": "gov't ", "": ""}
_FEW_ROWS = 12  # with fewer, the rest of the picture stays empty
_SMALLEST_WRITTEN = 0.14
_CASES = {"for": (theme.BLUE, "for the warning"), "against": (theme.ORANGE, "against the warning")}
_MOST_MECHANISMS = 8  # of each side
_CLEAR = 2.0  # standard errors, or tolerances
_WAYS = {"up": (theme.BLUE, "-", "o"), "down": (theme.VERMILLION, "--", "s")}


def pages(report: ClaimReport) -> dict[str, list[Row]]:
    """The findings with a smallest effect of interest, by the names of the pictures that show them.

    Surveillance first, then the other claims, as many to a picture as can be read; no claim is torn apart.
    """
    shown = [row for row in words.rows_of(report.table) if "delta" in row]
    found = {"claims": [row for row in shown if row["contrast"] == SURVEILLANCE.name]}
    page: list[Row] = []
    for _, group in groupby((row for row in shown if row not in found["claims"]), lambda row: row["claim"]):
        claim = list(group)
        if not page or len(page) + len(claim) > MOST_ROWS:
            page = found.setdefault(f"claims_{len(found) + 1}", [])
        page += claim
    return found


def claims_forest(report: ClaimReport, page: str = "claims") -> Figure:
    """One picture of the findings: ``claims`` is surveillance, the others are named by `pages`."""
    rows = pages(report)[page]
    title = words.headline(rows)
    note = (
        "Dot: the mean; thick line: half of the worlds; thin line: nine tenths. Worlds are plausible ones, "
        f"weighted by agreement with published findings, mostly on other people than NHS managers. *: it depends on "
        f"what holds.csv names. {report.scale()}"
    )
    alt = f"Effects over plausible worlds, and shares of worlds with each verdict, for {len(rows)} findings"
    with theme.slide(title, note, alt, 3, 3, width_ratios=(0.16, 0.45, 0.22)) as (figure, panels):
        headings, effects, bars = panels
        if report.notes:
            figure.subfigs[0].suptitle(" ".join(report.notes), x=0.009, ha="left", fontsize=theme.SMALL)
        for axes, labels in ((headings, []), (effects, [label(row["outcome"]) for row in rows]), (bars, [])):
            layout.rows(axes, labels, theme.TEXT, max(len(rows), _FEW_ROWS))
        headings.set_axis_off()
        effects.set_xlim(-LIMIT, LIMIT)
        effects.set_xticks([-5, -3, -1, 1, 3, 5], ["−5", "−3", "−1", "1", "3", "5"], fontsize=theme.SMALL)
        effects.set_xlabel("effect, in smallest effects of interest", fontsize=theme.SMALL)
        bars.set_xlim(0, 1)
        bars.set_xticks([])
        bars.spines["bottom"].set_visible(False)
        bars.set_xlabel("% of worlds, by weight", fontsize=theme.SMALL)
        _headings(figure, headings, report, rows)
        for place, row in enumerate(rows):
            _effect(effects, place, row)
            _shares(bars, place, row)
        _forest_key(figure)
        return figure


def _headings(figure: Figure, axes: Axes, report: ClaimReport, rows: Sequence[Row]) -> None:
    """What the claim is, once beside its outcomes, and lines between claims across the picture."""
    headings = {(c.id, k.contrast.name): k.heading or c.heading for c in report.claims for k in c.cases}
    across = blended_transform_factory(figure.transFigure, axes.transData)
    before = None
    for place, row in enumerate(rows):
        if (key := (row["claim"], row["contrast"])) != before:
            axes.text(0, place, headings[key], transform=axes.get_yaxis_transform(), fontsize=theme.TEXT,
                      fontweight="bold", va="center_baseline")  # fmt: skip
            if place:
                (line,) = axes.plot([theme.MARGIN, 1 - theme.MARGIN], [place - 0.5] * 2, transform=across,
                                    color=theme.PALE, linewidth=1, clip_on=False, zorder=-1)  # fmt: skip
                line.set_in_layout(False)
        before = key


def _effect(axes: Axes, place: int, row: Row) -> None:
    """Nine tenths and half of the worlds as lines, the mean as a dot or, off the scale, an arrow."""
    if row["sign"]:
        axes.barh(place, row["sign"] * (LIMIT - 1.0), height=1.0, left=row["sign"], color=TINTS[row["side"]], zorder=0)
    axes.barh(place, 2.0, height=1.0, left=-1.0, color=theme.PALE, zorder=0)
    axes.plot([0, 0], [place - 0.5, place + 0.5], color="white", linewidth=1.5, zorder=1)
    low, lower, upper, high, mean = (
        np.clip(row[name] / row["delta"], -LIMIT, LIMIT) for name in ("q05", "q25", "q75", "q95", "mean")
    )
    axes.plot([low, high], [place, place], color=theme.BLACK, linewidth=2.0, solid_capstyle="butt", zorder=2)
    axes.plot([lower, upper], [place, place], color=theme.BLACK, linewidth=6.0, solid_capstyle="butt", zorder=2)
    marker = "o" if abs(mean) < LIMIT else ">" if mean > 0 else "<"
    axes.plot(mean * 0.985, place, marker=marker, markersize=9.0, color=theme.BLACK, markerfacecolor="white",
              markeredgewidth=1.8, zorder=3)  # fmt: skip


def _shares(axes: Axes, place: int, row: Row) -> None:
    """The shares of the classes side by side, and the verdict in words on the right, with what it depends on."""
    left, verdict, names = 0.0, row["verdict"], words_of(row["sign"], row["direction"])
    shares = {names[one]: row[name] for one, name in CLASSES.items()}
    for name, (colour, ink) in LOOKS.items():
        if not (share := shares.get(name, 0.0)) > 0.0:
            continue
        axes.barh(place, share, left=left, height=0.74, color=colour)
        if share >= _SMALLEST_WRITTEN:
            axes.text(left + share / 2, place, f"{100 * share:.0f}", fontsize=theme.SMALL, color=ink, ha="center",
                      va="center")  # fmt: skip
        left += share
    side = SIDES[row.get("side", "")] if verdict in ("supported", "opposed") else ""
    weight, ink = ("bold", theme.BLACK) if verdict in LOOKS else ("normal", theme.GREY)
    holds = "" if row["holds"] == "robust" else " *"
    axes.text(1.04, place, side + verdict + holds, transform=axes.get_yaxis_transform(), fontsize=theme.TEXT,
              va="center", fontweight=weight, color=ink)  # fmt: skip


def _forest_key(figure: Figure) -> None:
    keys: list[Any] = [Patch(color=theme.PALE, label="too small to matter")]
    keys += [Patch(color=tint, label=f"{SIDES[side].strip()} is right") for side, tint in TINTS.items()]
    keys += [Patch(color=colour, label=name) for name, (colour, _) in LOOKS.items() if name != TOO_SMALL]
    figure.subfigs[0].legend(handles=keys, loc="outside lower left", ncols=len(keys), frameon=False, borderpad=0.0,
                             fontsize=theme.SMALL - 0.5, handletextpad=0.4, columnspacing=0.6,
                             handlelength=1.2)  # fmt: skip


def what_carries(table: pd.DataFrame, effect: str, outcome: str, note: str = "") -> Figure:
    """The contribution of each mechanism to an `effect`, "heavy − light surveillance" for one, with two standard
    errors: for each side the total of its mechanisms, then the eight largest of them.

    `table` is ``carriers`` of `ClaimReport.tables`, with a row of an empty ``mechanism`` for each case's total where
    that is known; `note` stands at the foot of the picture.
    """
    is_total = table["mechanism"] == ""
    mechanisms = table[~is_total].sort_values("contribution", key=abs, ascending=False)
    totals: list[dict[Any, Any]] = []
    lines: list[dict[Any, Any]] = []
    for case in _CASES:
        rows = mechanisms[mechanisms["case"] == case]
        given = table[(table["case"] == case) & is_total].to_dict("records")
        if len(rows) or given:
            summed = {"case": case, "contribution": rows["contribution"].sum(), "standard_error": 0.0}
            totals.append((given[0] if given else summed) | {"mechanism": ""})
            lines += [totals[-1], *rows.head(_MOST_MECHANISMS).to_dict("records")]
    left = len(mechanisms) + len(totals) - len(lines)
    more = f" {left} smaller ones are in the totals only." if left else ""
    note = f"{note} Black: two standard errors. Pale: not clear of zero.{more}".strip()
    alt = f"Bars for the contribution of each mechanism to {label(outcome)}"
    with theme.slide(_carried(mechanisms, totals, effect, outcome), note, alt, grid="x") as (figure, (axes,)):
        layout.rows(
            axes, [layout.plain(line["mechanism"]) or f"all {_CASES[line['case']][1]}" for line in lines], theme.TEXT
        )
        for place, line in enumerate(lines):
            value, error = line["contribution"], _CLEAR * line["standard_error"]
            axes.barh(place, value, 0.6 if line["mechanism"] else 0.85, color=_CASES[line["case"]][0],
                      alpha=1.0 if abs(value) > error else 0.35)  # fmt: skip
            if error > 0.0:
                axes.errorbar(value, place, xerr=error, fmt="none", ecolor=theme.BLACK, elinewidth=2, capsize=5,
                              capthick=2)  # fmt: skip
            if not line["mechanism"]:
                axes.get_yticklabels()[place].set_fontweight("bold")
                if place:
                    axes.axhline(place - 0.5, color=theme.GREY, linewidth=1.5)
        axes.axvline(0.0, color=theme.BLACK, linewidth=1.5)
        axes.set_xlabel(f"contribution to the difference in {label(outcome)}", fontsize=theme.TEXT)
        colours, cases = zip(*_CASES.values(), strict=True)
        layout.key(figure, [f"mechanisms {case}" for case in cases], [{"color": colour} for colour in colours])
        return figure


def _carried(mechanisms: pd.DataFrame, totals: Sequence[Mapping[Any, Any]], effect: str, outcome: str) -> str:
    """Which mechanisms carry an effect, the clear ones, largest first, and what each side's come to."""
    clear = mechanisms[mechanisms["contribution"].abs() > _CLEAR * mechanisms["standard_error"]].head(3)
    sizes = signed_numbers(*(total["contribution"] for total in totals))
    sides = "; ".join(f"{_CASES[total['case']][1]} {size}" for total, size in zip(totals, sizes, strict=True))
    if clear.empty:
        return f"No mechanism stands out in what {effect} does to {label(outcome)} (all mechanisms {sides})"
    carried = zip(clear["mechanism"], signed_numbers(*clear["contribution"]), strict=True)
    names = joined([f"{layout.plain(name)} ({size})" for name, size in carried])
    return f"What {effect} does to {label(outcome)} is carried most by {names} (all mechanisms {sides})"


def flip_map(
    table: pd.DataFrame, across: str, up: str, claim: str, note: str = "", answer: str = "supported"
) -> Figure:
    """Where among plausible worlds a claim holds: its weighted share by bins of the two factors that matter most.

    `table` is that of `sim.claims.discovery.grid` for the factors `across` and `up`, where `answer` is the verdict. The
    title begins with `claim`, in a few words; `note` stands at the foot of the picture.
    """
    enough = table["worlds"] >= FEWEST
    shares = table.assign(share=(100.0 * table["share"]).where(enough)).pivot(
        index=["y_low", "y_high"], columns=["x_low", "x_high"], values="share"
    )
    shares = shares.sort_index().sort_index(axis=1)
    named = [
        [theme.minus(f"{low:.3g} to {high:.3g}") for low, high in bins.to_frame().to_numpy()]
        for bins in (shares.index, shares.columns)
    ]
    shares = shares.set_axis(named[0]).set_axis(named[1], axis=1)
    reading = f"Share of plausible worlds, by weight, in which it is {answer}; brighter is more. "
    note = f"{reading}Grey: worth fewer than {FEWEST:g} worlds.\n{note}"
    alt = f"Heat map by {layout.plain(across)} and {layout.plain(up)}"
    with theme.slide(_flips(table[enough], across, up, claim, answer), note, alt) as (figure, (axes,)):
        layout.heat_map(axes, shares, "% of worlds", (0.0, 100.0))
        axes.set_xlabel(layout.plain(across))
        axes.set_ylabel(layout.plain(up))
        return figure


def _flips(enough: pd.DataFrame, across: str, up: str, claim: str, answer: str) -> str:
    """Where the share of worlds is highest and where lowest."""
    if enough.empty:
        return f"{claim}: too few worlds in every part of the map to say"
    most, least = (enough.loc[enough["share"].agg(which)] for which in ("idxmax", "idxmin"))
    if most["share"] == least["share"]:
        return f"{claim}: {answer} in {100 * most['share']:.0f} % of worlds by weight all over the map"
    (high, here), (low, there) = (
        (
            f"{100 * part['share']:.0f} %",
            f"{layout.plain(across)} {part['x_low']:.2g} to {part['x_high']:.2g} and "
            f"{layout.plain(up)} {part['y_low']:.2g} to {part['y_high']:.2g}",
        )
        for part in (most, least)
    )
    return f"{claim}: {answer} in {high} of worlds, by weight, with {here}, in {low} with {there}"


def hysteresis(table: pd.DataFrame, lever: str = "monitoring", outcome: str = "fear", note: str = "") -> Figure:
    """An outcome at each level of a lever on the way up and on the way down again, with bands.

    `table` is ``tipping_curve`` of `sim.questions.hysteresis`; `note` stands at the foot of the picture. The title says
    where the two ways are furthest apart, and whether their bands still overlap there.
    """
    alt = f"Two curves of {label(outcome)} by {layout.plain(lever)}, up and down"
    with theme.slide(_loop(table, lever, outcome), note, alt, grid="y") as (figure, (axes,)):
        for way, (colour, dash, marker) in _WAYS.items():
            part = table[table["direction"] == way].sort_values("level", ascending=way == "up")
            axes.fill_between(part["level"], part["low"], part["high"], color=colour, alpha=0.18, linewidth=0)
            axes.plot(part["level"], part["mean"], color=colour, linestyle=dash, marker=marker, linewidth=4,
                      markersize=10)  # fmt: skip
            if len(part) > 1:  # which way time runs, at the middle of the curve
                ends, k = part[["level", "mean"]].to_numpy(), len(part) // 2
                arrow = {"arrowstyle": "-|>", "color": colour, "linewidth": 4, "mutation_scale": 34}
                axes.annotate("", ends[k], (ends[k - 1] + ends[k]) / 2, arrowprops=arrow)
        axes.set_xlabel(layout.plain(lever))
        axes.set_ylabel(label(outcome))
        axes.tick_params(labelsize=theme.LARGE)
        looks = [{"color": c, "linestyle": d, "marker": m, "linewidth": 4} for c, d, m in _WAYS.values()]
        layout.key(figure, [f"{layout.plain(lever)} on the way {way}" for way in _WAYS], looks)
        return figure


def _loop(table: pd.DataFrame, lever: str, outcome: str) -> str:
    """Where the two ways are furthest apart."""
    wide = table.pivot(index="level", columns="direction", values=["mean", "low", "high"]).dropna()
    if wide.empty:
        return f"{capital(label(outcome))} by {layout.plain(lever)}: no level was passed both ways"
    apart = wide["mean"]["down"] - wide["mean"]["up"]
    level = np.abs(apart).idxmax()
    upper, lower = ("down", "up") if apart[level] > 0 else ("up", "down")
    clear = wide.loc[level, ("low", upper)] > wide.loc[level, ("high", lower)]
    bands = "and the bands do not overlap there" if clear else "though the bands overlap there"
    size = layout.sized((abs(apart[level]), np.nan, np.nan))
    direction = "higher" if upper == "down" else "lower"
    there = f"At {layout.plain(lever)} {level:g}, {label(outcome)}"
    return f"{there} is {size} {direction} on the way down than on the way up, {bands}"


def model_against_evidence(rows: pd.DataFrame, note: str = "") -> Figure:
    """Each pattern of `sim.worlds.summary.patterns` in units of its tolerance: 0 is the published value, the grey band
    two tolerances. A finding is reached where the median is in the band; `note` stands at the foot of the picture."""
    before, within = (
        ((rows[name] - rows["value"]).abs() <= _CLEAR * rows["sd"]).to_numpy() for name in ("prior_median", "median")
    )
    missed = [layout.plain(str(name)) for name in rows.loc[~within, "pattern"]]
    which = f"; it misses {', '.join(missed)}" if 0 < len(missed) <= 3 else ""
    title = (
        f"The weighted worlds agree with {within.sum()} of {len(rows)} published findings within two tolerances, "
        f"{before.sum()} before weighting{which}"
    )
    note = f"{note} Ranges end at {WIDEST:g} tolerances. Numbers beside the names: the published values.".strip()
    alt = f"Ranges for {len(rows)} published findings beside their values"
    with theme.slide(title, note, alt) as (figure, (axes,)):
        axes.axvspan(-_CLEAR, _CLEAR, color=theme.PALE, zorder=0)
        axes.axvline(0.0, color=theme.BLACK, linewidth=1.5)
        for which, shift, colour, width, dot, hits in (
            ("prior_", 0.18, theme.GREY, 3, 6, np.ones(len(rows), dtype=bool)), ("", -0.14, theme.BLUE, 6, 9, within)
        ):  # fmt: skip
            low, middle, high = (
                (rows[f"{which}{end}"] - rows["value"]).div(rows["sd"]).clip(-WIDEST, WIDEST).to_numpy()
                for end in ("low", "median", "high")
            )
            y = np.arange(len(rows)) + shift
            axes.hlines(y, low, high, color=colour, linewidth=width)
            for inside, marker in ((True, "o"), (False, "X")):
                axes.plot(middle[hits == inside], y[hits == inside], linestyle="none", marker=marker, markersize=dot,
                          color=colour if inside else theme.VERMILLION, markeredgecolor="white")  # fmt: skip
        axes.set_xlim(-WIDEST - 0.2, WIDEST + 0.2)
        size = theme.TEXT if len(rows) <= 20 else theme.SMALL if len(rows) <= 28 else 9
        pairs = zip(rows["pattern"], rows["value"], strict=True)
        layout.rows(axes, [f"{layout.plain(name)[:38]}  {theme.minus(f'{value:.3g}')}" for name, value in pairs], size)
        axes.set_xlabel("tolerances away from the published value", fontsize=theme.TEXT)
        looks: dict[str, dict[str, Any]] = {
            "all plausible worlds": {"color": theme.GREY, "linewidth": 3, "marker": "o", "markersize": 6},
            "weighted by the evidence": {"color": theme.BLUE, "linewidth": 6, "marker": "o", "markersize": 9},
            "missed": {"color": theme.VERMILLION, "marker": "X", "linestyle": "none", "markersize": 9},
            "within two tolerances": {"color": theme.PALE},
        }
        layout.key(figure, list(looks), list(looks.values()))
        return figure

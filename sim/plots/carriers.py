"""What carries an answer: the contribution of each mechanism to an effect, and of each side's mechanisms together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from sim.claims.text import joined, label
from sim.plots import cells, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 8  # of each side
_CASES = {"for": (theme.BLUE, "for the warning"), "against": (theme.ORANGE, "against the warning")}
_CLEAR = 2.0  # standard errors


def what_carries(table: pd.DataFrame, effect: str, outcome: str, note: str = "") -> Figure:
    """Bars with two standard errors: for each side the total of its mechanisms, then the eight largest of them.

    Parameters
    ----------
    table : DataFrame
        A row for each mechanism, and optionally one with an empty ``mechanism`` for each case's total:
        ``mechanism``, ``case`` ("for" or "against" the warning), ``contribution`` to the effect in the outcome's
        unit, and ``se``, its standard error. Totals without a row are drawn without an error.
    effect : what is explained, in a few words: "heavy − light surveillance".
    outcome : its name.
    note : how the contributions are made, for the foot of the picture.
    """
    groups = _grouped(table)
    lines = [line for group in groups for line in (group.total, *group.rows.head(MOST_ROWS).to_dict("records"))]
    heads = [k for k, line in enumerate(lines) if not line["mechanism"]]
    with theme.style():
        figure = theme.slide()
        axes = figure.add_axes((0.30, 0.15, 0.66, 0.66))
        for place, line in enumerate(lines):
            _bar(axes, place, line)
        for place in heads[1:]:
            axes.axhline(place - 0.5, color=theme.GREY, linewidth=1.5)
        axes.axvline(0.0, color=theme.BLACK, linewidth=1.5)
        axes.set_yticks(
            range(len(lines)), [cells.plain(line["mechanism"]) or f"all {_CASES[line['case']][1]}" for line in lines]
        )
        for place in heads:
            axes.get_yticklabels()[place].set_fontweight("bold")
        axes.set_ylim(len(lines) - 0.4, -0.6)
        axes.tick_params(labelsize=theme.TEXT)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x", color=theme.PALE)
        axes.set_axisbelow(True)
        axes.set_xlabel(f"contribution to the difference in {label(outcome)}", fontsize=theme.TEXT)
        keys = [Patch(color=colour, label=f"mechanisms {words}") for colour, words in _CASES.values()]
        figure.legend(handles=keys, loc="center left", bbox_to_anchor=(0.02, 0.85), ncols=2, frameon=False,
                      fontsize=theme.LARGE)  # fmt: skip
        found = _finding(groups, effect, outcome)
        theme.headline(figure, found)
        left = sum(max(0, len(group.rows) - MOST_ROWS) for group in groups)
        more = f" {left} smaller ones are in the totals only." if left else ""
        theme.footnote(figure, f"{note} Black: two standard errors. Pale: not clear of zero.{more}".strip())
        theme.describe(figure, f"Bars for the contribution of each mechanism to {label(outcome)}. {found}.")
        return figure


class _Group(NamedTuple):
    """One side's mechanisms, largest contribution first, and their total as a line of its own."""

    rows: pd.DataFrame
    total: dict[Any, Any]


def _grouped(table: pd.DataFrame) -> list[_Group]:
    is_total = table["mechanism"].isna() | (table["mechanism"] == "")
    groups = []
    for case in _CASES:
        rows = table[(table["case"] == case) & ~is_total].sort_values("contribution", key=abs, ascending=False)
        given = table[(table["case"] == case) & is_total].to_dict("records")
        summed = {"case": case, "contribution": rows["contribution"].sum(), "se": 0.0}
        if len(rows) or given:
            groups.append(_Group(rows, {**(given[0] if given else summed), "mechanism": ""}))
    return groups


def _bar(axes: Axes, place: int, line: Mapping[Any, Any]) -> None:
    value, error = line["contribution"], _CLEAR * line["se"]
    alpha = 1.0 if abs(value) > error else 0.35
    axes.barh(place, value, 0.6 if line["mechanism"] else 0.85, color=_CASES[line["case"]][0], alpha=alpha)
    if error > 0.0:
        axes.errorbar(value, place, xerr=error, fmt="none", ecolor=theme.BLACK, elinewidth=2, capsize=5, capthick=2)


def _finding(groups: Sequence[_Group], effect: str, outcome: str) -> str:
    """Which mechanisms carry an effect, the clear ones, largest first, and what each side's come to."""
    rows = pd.concat([group.rows for group in groups]).sort_values("contribution", key=abs, ascending=False)
    clear = rows[rows["contribution"].abs() > _CLEAR * rows["se"]].head(3)
    sums = [f"{_CASES[group.total['case']][1]} {group.total['contribution']:+.3f}" for group in groups]
    sides = f" (all mechanisms {'; '.join(sums)})"
    if clear.empty:
        return f"No mechanism stands out in what {effect} does to {label(outcome)}{sides}"
    names = [f"{cells.plain(row['mechanism'])} ({row['contribution']:+.3f})" for row in clear.to_dict("records")]
    return f"What {effect} does to {label(outcome)} is carried most by {joined(names)}{sides}"

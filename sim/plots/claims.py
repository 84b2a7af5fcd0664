"""Pictures of an answer in worlds: how many of 100 get better or worse, what each of them sees, what can be chosen, and
how much must matter for that.

Blue is better, orange worse, grey too small to matter; violet is higher or lower where neither is better. Everything
follows from the tables of a `sim.claims.answer.ClaimReport`; no number is typed in.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.collections import PatchCollection
from matplotlib.patches import Rectangle

from sim.claims.outline import (
    MORE_THAN_HALF,
    effects_of,
    groups,
    in_most,
    in_worlds,
    ranked,
    rows_of,
    side_by_side,
    side_of,
)
from sim.claims.statements import CHOSEN_BY, CLAIMS, SURVEILLANCE
from sim.claims.text import Row, carried, who, worlds_in
from sim.claims.verdict import TOLD, TOO_SMALL, classes, words_of
from sim.model import words
from sim.model.glossary import joined
from sim.plots import theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sim.claims.answer import ClaimReport

_WIDE, _ZERO, _GREY, _SIZE, _WHO = 1333.0, 505.0, 710.0, 918.0, 1155.0
"""Where the columns of the main picture stand, on a scale of its width."""
_PITCH, _DEEP = 6.4, 4  # of squares, and how many stand on each other
_HEADING, _ROW, _LONG, _SHORT = 1.15, 0.36, 42, 18  # in rows, in inches, and in letters
_PALE, _BINS = 0.45, 32
MOST_PANELS, MOST_CHOICES = 6, 8
_COLUMNS = {"worse": theme.WORSE, "better": theme.BETTER, "lower": theme.EITHER, "higher": theme.EITHER,
            TOO_SMALL: theme.SMALL_EFFECT}  # fmt: skip
NOT_PROBABILITIES = (
    "Shares of worlds are not probabilities: they rest on the model, and on findings mostly about others than NHS "
    "managers."
)


def better_or_worse(found: ClaimReport) -> Figure:
    """The main picture: a row for each outcome, with 100 squares for 100 plausible worlds, better, worse or too small
    to matter, the mean effect, and who was right.

    An answer to all claims shows surveillance, and below it what works instead; one to some claims shows theirs.
    """
    shown = groups(found)
    rows = [row for group in shown for row in group.rows]
    either = "" if all(row["direction"] for row in rows) else "violet: lower or higher, neither is better; "
    note = (
        f"Each square: 1 of 100 plausible worlds; {either}pale: it may lie on either side of what matters. †: another "
        f"choice of method could say otherwise. {NOT_PROBABILITIES} {sample(found)}"
    )
    alt = f"Rows of 100 squares for {joined([words.label(row['outcome']) for row in rows])}"
    months = found.provenance["sizes"]["months"]
    lasting = {60: "Five years", 120: "Ten years", 240: "Twenty years"}.get(months, f"{months} months")
    asked = f"{lasting} in a model: of 100 plausible versions of the NHS, how many get better?"
    lead, high = " ".join([*found.notes, asked]), 2.6 + _ROW * (len(rows) + 1.5 * len(shown))
    with theme.slide(found.headline().rstrip("."), note, alt, lead=lead, high=min(theme.SLIDE[1], high)) as (
        figure,
        (axes,),
    ):
        y, heads = 0.0, -1.0 if len(shown[0].heading) > _LONG else 0.0
        for x, name, side in ((_ZERO - 8, "worse", "right"), (_ZERO + 8, "better", "left")):
            axes.text(
                x, heads, name, fontsize=theme.LARGE, fontweight="bold", color=_COLUMNS[name], ha=side, va="center"
            )
        for x, name in ((_GREY, TOO_SMALL), (_SIZE, "on average"), (_WHO, "who was right")):
            axes.text(x, heads, name, fontsize=theme.TEXT, color=theme.GREY, va="center")
        for group in shown:
            if group is not shown[0]:
                y += 0.2
                axes.axhline(y - 0.6, color=theme.PALE, linewidth=1.2)
            axes.text(0.0, y, group.heading, fontsize=theme.LARGE, fontweight="bold", va="center")
            y += _HEADING
            for row in group.rows:
                _row(axes, y, found, row)
                y += 1.0
            axes.plot([_ZERO, _ZERO], [y - len(group.rows) - 0.5, y - 0.5], color=theme.BLACK, linewidth=1.2)
        axes.set_xlim(0.0, _WIDE)
        axes.set_ylim(y - 0.4, heads - 0.6)
        axes.set_axis_off()
    return figure


def worlds_of(found: ClaimReport, row: Row) -> dict[str, tuple[int, int]]:
    """`worlds_in`, and with each how many of these lie within two errors of the limit."""
    names, whole = words_of(0, row["direction"]), worlds_in(row)
    x, error, weight = effects_of(found, row)
    near, which = np.abs(np.abs(x) - row["delta"]) <= 2.0 * error, classes(x, row["delta"])
    close = {name: 100.0 * weight[near & (which == one)].sum() for one, name in names.items()}
    return {name: (number, min(number, round(close[name]))) for name, number in whole.items()}


def _row(axes: Axes, y: float, found: ClaimReport, row: Row) -> None:
    """One outcome: its name, its squares, the mean effect, and who was right."""
    label = words.capital(words.label(row["outcome"]))
    label = side_by_side(row) if len(label) <= _SHORT else label
    axes.text(0.0, y, label, fontsize=theme.TEXT, va="center")
    for name, (number, close) in worlds_of(found, row).items():
        colour, left = _COLUMNS[name], name in ("worse", "lower")
        start, way = (_GREY, 1) if name == TOO_SMALL else (_ZERO - 3, -1) if left else (_ZERO + 3, 1)
        _squares(axes, start, way, y, number, close, colour)
        if number:
            x = start + way * (_PITCH * -(-number // _DEEP) + 6)
            ink = theme.GREY if name == TOO_SMALL else colour
            axes.text(x, y, f"{number}", fontsize=theme.TEXT, color=ink, va="center",
                      ha="right" if left else "left", fontweight="normal" if name == TOO_SMALL else "bold")  # fmt: skip
    axes.text(_SIZE, y, words.change(row["outcome"], row["mean"]), fontsize=theme.SMALL + 0.5, va="center")
    sure = carried(row) not in (None, 0) and bool(row.get("side"))
    axes.text(_WHO, y, who(row), fontsize=theme.TEXT, va="center",
              fontweight="bold" if sure else "normal", color=theme.BLACK if sure else theme.GREY)  # fmt: skip


def _squares(axes: Axes, start: float, way: int, y: float, number: int, close: int, colour: str) -> None:
    """So many squares in columns from a line outwards, those close to the limit pale and last."""
    high = 0.74 / _DEEP
    each = [
        Rectangle((start + way * _PITCH * (k // _DEEP) - (_PITCH if way < 0 else 0), y - 0.37 + high * (k % _DEEP)),
                  _PITCH - 1.2, 0.8 * high)
        for k in range(number)
    ]  # fmt: skip
    for some, strength in ((each[: number - close], 1.0), (each[number - close :], _PALE)):
        axes.add_collection(PatchCollection(some, facecolor=colour, linewidth=0.0, alpha=strength))


def each_world(found: ClaimReport, contrast: str = SURVEILLANCE.name, outcomes: Sequence[str] = ()) -> Figure:
    """What each of 100 plausible worlds sees: a panel for each of up to six outcomes of a contrast, a dot for a world,
    at the change in a unit that people own.

    By default the outcomes that everybody wants to move, those of `CHOSEN_BY` first.
    """
    rows = rows_of(found, contrast)
    names = [n for n in outcomes or (*CHOSEN_BY, *rows) if n in rows and (outcomes or rows[n]["direction"])]
    shown = [rows[name] for name in dict.fromkeys(names)][:MOST_PANELS]
    subjects = {case.contrast.name: case.subject for claim in CLAIMS for case in claim.cases}
    subject = subjects.get(contrast, contrast)
    lead = f"{subject.rstrip(',')}. Each dot: 1 of 100 plausible versions of the NHS, at the change that it sees."
    title = in_worlds(shown[0]) if len(shown) == 1 else in_most(subject, shown)
    note = f"Shaded: too small to matter. {NOT_PROBABILITIES} {sample(found)}"
    alt = f"Dot plots of 100 worlds for {joined([words.label(row['outcome']) for row in shown])}"
    high = theme.SLIDE[1] if len(shown) > 3 else 4.8
    with theme.slide(title, note, alt, len(shown), min(3, len(shown)), lead=lead, high=high) as (figure, panels):
        for axes, row in zip(panels, shown, strict=True):
            _dots(axes, found, row, 90.0 / len(shown) ** 0.5)
            if len(shown) > 1:
                told = {name: many for name, (many, _) in worlds_of(found, row).items() if name != TOO_SMALL and many}
                most_first = sorted(told.items(), key=lambda one: -one[1])
                counts = ", ".join(f"{many} {name}" for name, many in most_first) or TOO_SMALL
                axes.set_title(f"{words.capital(words.label(row['outcome']))}\n{counts}", linespacing=0.95)
        return figure


def _dots(axes: Axes, found: ClaimReport, row: Row, size: float) -> None:
    """A hundred worlds as dots that stand on each other, with what is too small to matter shaded."""
    x, _, weight = effects_of(found, row)
    order = np.argsort(x, kind="stable")
    taken = order[np.searchsorted(np.cumsum(weight[order]), (np.arange(100) + 0.5) / 100.0).clip(0, len(x) - 1)]
    names, factor = words_of(0, row["direction"]), words.natural(row["outcome"], 1.0)
    colours = [_COLUMNS[names[one]] for one in classes(x[taken], row["delta"])]
    values, limit = factor * x[taken], factor * row["delta"]
    low = min(values.min(), -1.6 * limit)
    step = (max(values.max(), 1.6 * limit) - low) / _BINS
    bins = np.floor((values - low) / step).clip(0, _BINS - 1)
    heights = [int((bins[:k] == each).sum()) + 1 for k, each in enumerate(bins)]
    axes.axvspan(-limit, limit, color="#EFEFEF", zorder=0)
    axes.axvline(0.0, color=theme.GREY, linewidth=1)
    axes.scatter(low + (bins + 0.5) * step, heights, s=size, c=colours, linewidths=0.0, zorder=3)
    axes.set_ylim(0.2, max(*heights, 12) + 1)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.locator_params(axis="x", nbins=6)
    axes.xaxis.set_major_formatter(lambda value, _: theme.minus(f"{value:+g}") if value else "0")
    axes.set_xlabel(words.measured_in(row["outcome"]), fontsize=theme.TEXT, color=theme.GREY)


def choices(found: ClaimReport) -> Figure:
    """What can be chosen instead of today's oversight: a row for each policy, the best on top, and for each outcome in
    how many of 100 worlds it gets better or worse."""
    table = found.rows("against_baseline")
    every, outcomes = ranked(table)
    names = every[:MOST_CHOICES]
    best = [row for row in table if row["choice"] == names[0]]
    title = in_most(words.capital(words.policy(names[0])), best)
    lead = f"Instead of {words.TODAY}: of 100 plausible versions of the NHS, how many get better, how many worse?"
    note = (
        "The rest: too small to matter. Policies are in the order of better less worse. Costs are not counted. "
        f"{NOT_PROBABILITIES} {sample(found)}"
    )
    alt = f"Bars for {joined([words.policy(name) for name in names])} by outcome"
    with theme.slide(title, note, alt, lead=lead) as (figure, (axes,)):
        for k, outcome in enumerate(outcomes):
            axes.text(k + 0.5, -0.1, textwrap.fill(words.capital(words.label(outcome)), 12), fontsize=theme.TEXT,
                      fontweight="bold", ha="center", va="bottom", linespacing=0.9)  # fmt: skip
        for y, name in enumerate(names):
            told = textwrap.fill(words.capital(words.policy(name)), 20)
            axes.text(-0.05, y + 0.5, told, fontsize=theme.TEXT + 0.5, va="center", ha="right", linespacing=0.9)
            for row in table:
                if row["choice"] == name:
                    _cell(axes, outcomes.index(row["outcome"]), y, row)
        axes.set_xlim(-1.6, len(outcomes))
        axes.set_ylim(len(names), -0.8)
        axes.set_axis_off()
        return figure


def _cell(axes: Axes, x: int, y: int, row: Row) -> None:
    """Better to the right and worse to the left of a line, and what there is most of in a word and a number."""
    names, shares = words_of(0, row["direction"]), worlds_in(row)
    middle = x + 0.5
    plain = Rectangle((x + 0.04, y + 0.06), 0.92, 0.88, facecolor="#F4F4F4", linewidth=0.0)
    bars = [
        Rectangle((middle, y + 0.6), way * (row["direction"] or 1) * 0.44 * shares[names[way]] / 100, 0.22,
                  facecolor=_COLUMNS[names[way]], linewidth=0.0)
        for way in (1, -1)
    ]  # fmt: skip
    for patch in (plain, *bars):
        axes.add_patch(patch)
    axes.plot([middle, middle], [y + 0.55, y + 0.87], color=theme.BLACK, linewidth=1)
    name = max((names[1], names[-1]), key=lambda each: shares[each])
    clear = shares[name] >= 100 * TOLD
    told, ink = (f"{name} in {shares[name]}", _COLUMNS[name]) if clear else ("little change", theme.GREY)
    axes.text(middle, y + 0.33, told, ha="center", va="center", fontsize=theme.TEXT, color=ink,
              fontweight="bold" if clear else "normal")  # fmt: skip


def how_much_matters(found: ClaimReport, contrast: str = SURVEILLANCE.name) -> Figure:
    """In how many of 100 worlds an outcome gets better or worse, over how large a change must be to matter: a panel for
    each of the outcomes that everybody wants to move, with the limit of the answer and the spread between posts."""
    rows, table = rows_of(found, contrast), [row for row in found.rows("curves") if row["contrast"] == contrast]
    names = [name for name in CHOSEN_BY if name in rows and rows[name]["direction"]][:MOST_PANELS]
    twice = {row["outcome"] for row in table if row["times"] == 2.0 and max(row["above"], row["below"]) > 0.5}
    lasting = [words.label(name) for name in names if name in twice]
    told = f"{joined(lasting)} still {'move' if len(lasting) > 1 else 'moves'}" if lasting else "nothing moves"
    title = f"Ask for twice as much, and {told} {MORE_THAN_HALF}"
    lead = "How large must a change be to matter to you? In how many of 100 plausible worlds it is larger."
    note = (
        "Line: what this project takes to matter. Dotted: how much posts differ today (standard deviation). "
        f"{sample(found)}"
    )
    alt = f"Curves for {joined([words.label(name) for name in names])}"
    with theme.slide(title, note, alt, len(names), min(3, len(names)), lead=lead, sharey=True) as (figure, panels):
        for axes, name in zip(panels, names, strict=True):
            _curve(axes, [row for row in table if row["outcome"] == name], rows[name], axes is panels[0])
        return figure


def _curve(axes: Axes, table: Sequence[Row], row: Row, first: bool) -> None:
    """The shares that get better and worse by how much matters, named in the `first` panel."""
    factor = words.natural(row["outcome"], 1.0)
    x = factor * np.array([one["delta"] for one in table])
    for way, name in ((1, "better"), (-1, "worse")):
        y = 100.0 * np.array([one[side_of(row, way)] for one in table])
        axes.plot(x, y, color=_COLUMNS[name], linewidth=3)
        if first:
            axes.text(0.98, 0.98 if way > 0 else 0.8, name, transform=axes.transAxes, color=_COLUMNS[name],
                      fontsize=theme.TEXT, fontweight="bold", va="top", ha="right")  # fmt: skip
    axes.axvline(factor * row["delta"], color=theme.BLACK, linewidth=1.2)
    if (spread := table[0].get("between_posts")) and factor * spread < x[-1]:
        axes.axvline(factor * spread, color=theme.GREY, linewidth=1.5, linestyle=":")
    axes.set_ylim(0, 108)
    axes.set_yticks([0, 50, 100])
    axes.set_xlim(0, x[-1])
    axes.locator_params(axis="x", nbins=5)
    axes.set_title(words.capital(words.label(row["outcome"])))
    axes.set_xlabel(words.measured_in(row["outcome"]), fontsize=theme.TEXT, color=theme.GREY)


def sample(found: ClaimReport) -> str:
    """How much was run."""
    pairs = found.provenance["pairs"]
    return f"{found.provenance['worlds']['main']:,} worlds, {pairs['fewest']} to {pairs['most']} pairs of runs in each."

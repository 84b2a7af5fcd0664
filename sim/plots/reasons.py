"""Pictures of why: what carries an effect, fear and initiative, whether fear comes back down, and the model against
what was published."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patheffects import withStroke

from sim import statistics
from sim.claims.discovery import SWITCH
from sim.claims.statements import ATMOSPHERE, LIMITS
from sim.claims.text import STANDS_OUT
from sim.model import words
from sim.model.glossary import percent
from sim.plots import layout, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from sim.claims.answer import ClaimReport

MOST_MECHANISMS = 8
_COLOURS = {1: theme.BETTER, 0: theme.EITHER, -1: theme.WORSE}
_REST = "everything else"
_MOST_LINES = 150
_TAUGHT = (
    ("half as much", (-8, 10), "right"),
    ("as it is", (0, -30), "center"),
    ("half as much again", (8, 10), "left"),
)


def what_carries(table: pd.DataFrame, effect: str, outcome: str, note: str = "") -> Figure:
    """A waterfall: what each mechanism adds to an effect, "heavy surveillance instead of light" for one, the largest
    first, what all others add, and the sum.

    `table` has the rows of ``carriers`` of `ClaimReport.tables` about one outcome of a contrast; `note` stands at the
    foot of the picture. A mechanism that is not told from chance is pale.
    """
    found = table.sort_values("contribution", key=abs, ascending=False)
    found = found[found["contribution"] != 0.0]
    first, rest = found.head(MOST_MECHANISMS), found.iloc[MOST_MECHANISMS:]
    sizes = [*first["contribution"], *([rest["contribution"].sum()] if len(rest) else [])]
    names = [words.capital(words.clause(name)) for name in first["mechanism"]]
    names += [f"{words.capital(_REST)} ({len(rest)})"] if len(rest) else []
    sure = [*(_clear(first)), *([True] if len(rest) else [])]
    steps = np.array([words.natural(outcome, size) for size in sizes])
    starts = np.concatenate([[0.0], np.cumsum(steps)])
    direction = LIMITS[outcome].direction if outcome in LIMITS else 0
    lead = f"{effect}: {words.label(outcome)} changes, on average, by ..."
    note = f"Pale: may be chance. A mechanism's part: its average over all orders of switching mechanisms off. {note}"
    alt = f"Waterfall of what {len(first)} mechanisms add to {words.label(outcome)}"
    with theme.slide(_because(first, outcome, starts[-1]), note, alt, lead=lead) as (figure, (axes,)):
        for y, (step, start, clear) in enumerate(zip(steps, starts, sure, strict=False)):
            axes.barh(y, step, 0.66, left=start, color=_COLOURS[np.sign(direction * step)], alpha=1.0 if clear else 0.4)
            axes.plot([start + step] * 2, [y - 0.33, y + 1.33], color=theme.GREY, linewidth=1.2)
            _beside(axes, y, min(start, start + step), max(start, start + step), step, False)
        total = len(steps)
        axes.barh(total, starts[-1], 0.66, color=theme.BLACK)
        _beside(axes, total, min(0.0, starts[-1]), max(0.0, starts[-1]), starts[-1], True)
        axes.axvline(0.0, color=theme.BLACK, linewidth=1.2)
        layout.rows(axes, [*names, "All together"], theme.TEXT)
        ends = np.array([starts.min(), starts.max()])
        axes.set_xlim(*(ends + np.array([-0.12, 0.12]) * np.ptp(ends)))
        axes.xaxis.set_major_formatter(lambda value, _: theme.minus(f"{value:+g}") if value else "0")
        axes.set_xlabel(words.measured_in(outcome), fontsize=theme.TEXT, color=theme.GREY)
        return figure


def _clear(table: pd.DataFrame) -> list[bool]:
    """Which contributions stand out from chance."""
    return (table["contribution"].abs() > STANDS_OUT * table["standard_error"].fillna(np.inf)).tolist()


def _beside(axes: Axes, y: float, low: float, high: float, number: float, bold: bool) -> None:
    """A number at the end of a bar to which it points."""
    right = number >= 0
    axes.annotate(theme.minus(f"{number:+.1f}"), (high if right else low, y), (5 if right else -5, 0),
                  textcoords="offset points", ha="left" if right else "right", va="center", fontsize=theme.TEXT,
                  fontweight="bold" if bold else "normal")  # fmt: skip


_NEAR = 0.1  # of what matters: a mean that is so near to it lies on neither side surely


def _because(table: pd.DataFrame, outcome: str, total: float) -> str:
    """Why an outcome moves the way it does, and what holds against it."""
    way = 1.0 if total > 0 else -1.0
    sizes = table["contribution"] * way
    told = table.assign(size=sizes)[_clear(table)]
    along, against = (
        told.loc[told["size"] * side > least * sizes.max(), "mechanism"] for side, least in ((1, 1 / 3), (-1, 1 / 5))
    )
    limit = words.natural(outcome, LIMITS[outcome].size) if outcome in LIMITS else 0.0
    small, near = abs(total) <= limit, abs(abs(total) - limit) <= _NEAR * limit
    moves = words.capital(words.moves(outcome, way))
    less = " by about as much as matters" if near else " by less than matters" if small else ""
    if along.empty:
        return f"{moves}{less} on average, and no single mechanism stands out as the reason"
    if less:
        others = f", but {words.clause(against.iloc[0])}" if len(against) else ""
        return f"{moves}{less} on average: {words.clause(along.iloc[0])}{others}"
    because = f"{moves} {', and '.join(f'because {words.clause(name)}' for name in along.head(2))}"
    return because if against.empty else f"{because}; against that, {words.clause(against.iloc[0])}"


def fear_and_initiative(found: ClaimReport) -> Figure | None:
    """Fear and trying something new within worlds, where fear is taught half as strongly, as it is, and half as
    strongly again: a thin line for each world and a thick one for their mean. None where the answer has no such runs.
    """
    e, told = found.effects, found.rows("atmosphere")
    fear: NDArray[np.float64]
    trying: NDArray[np.float64]
    parts = [e[e["contrast"] == contrast.name] for contrast in ATMOSPHERE.values()]
    if not told or any(part.empty for part in parts):
        return None
    fear, trying = (
        np.stack([part.loc[part["outcome"] == name, "estimate"].to_numpy(np.float64) for part in parts])
        * words.natural(name, 1.0)
        for name in ("fear", "initiative_rate")
    )
    weight = parts[0].loc[parts[0]["outcome"] == "fear", "weight"].to_numpy(np.float64)
    falling = told[0]["falling"]
    does = "less" if falling >= 0.5 else "no less"
    share = round(100 * (falling if falling >= 0.5 else 1 - falling))
    where = "every plausible world" if share == 100 else f"{share} of 100 plausible worlds"
    title = f"The more fear, the {does} leaders try, in {where} where fear moves"
    note = (
        "Today's oversight. Thin lines: worlds; thick: their mean by weight. Worlds whose fear hardly moves "
        f"({percent(told[0]['left_out'])}) are not counted."
    )
    lead = "What if being punished and hearing of it taught half as much fear, or half as much again?"
    with theme.slide(title, note, "Lines of trying something new over fear", grid="y", lead=lead) as (figure, (axes,)):
        some = statistics.systematic(weight / weight.sum(), min(_MOST_LINES, len(weight)), np.random.default_rng(0))
        axes.plot(
            fear[:, np.unique(some)], trying[:, np.unique(some)], color=theme.SMALL_EFFECT, linewidth=1, alpha=0.6
        )
        x, y = (values @ weight / weight.sum() for values in (fear, trying))
        axes.plot(x, y, color=theme.WORSE, linewidth=4, marker="o", markersize=10)
        for place, (name, shift, side) in enumerate(_TAUGHT):
            axes.annotate(
                name,
                (x[place], y[place]),
                shift,
                textcoords="offset points",
                fontsize=theme.TEXT,
                ha=side,
                fontweight="bold",
                color=theme.WORSE,
                path_effects=[withStroke(linewidth=4, foreground="white")],
            )
        axes.set_xlabel(f"{words.label('fear')}, {words.measured_in('fear')}")
        axes.set_ylabel(f"{words.label('initiative_rate')},\n{words.measured_in('initiative_rate')}")
        axes.set_ylim(bottom=0.0)
        return figure


_WAYS = {"up": (theme.WORSE, "-", "o", "going up", -28), "down": (theme.BLUE, "--", "s", "coming down", 28)}
"""Colour, dash and marker of a way, its name, and how far from the line that stands, in points."""


def hysteresis(table: pd.DataFrame, lever: str = "monitoring", outcome: str = "fear", note: str = "") -> Figure:
    """An outcome at each level of a lever on the way up and on the way down again, beside what matters.

    `table` is ``tipping_curve`` of `sim.questions.hysteresis`; `note` stands at the foot of the picture. The title says
    whether the outcome comes back down.
    """
    factor, limit = words.natural(outcome, 1.0), LIMITS[outcome].size
    alt = f"Two curves of {words.label(outcome)} by {lever}, up and down"
    note = f"Bar at the left: how much must change to matter. {note}".strip()
    with theme.slide(_back(table, outcome, limit), note, alt, grid="y") as (figure, (axes,)):
        for way, (colour, dash, marker, name, shift) in _WAYS.items():
            part = table[table["direction"] == way].sort_values("level", ascending=way == "up")
            if way == "up":
                axes.fill_between(part["level"], factor * part["low"], factor * part["high"], color=colour, alpha=0.13,
                                  linewidth=0)  # fmt: skip
            axes.plot(part["level"], factor * part["mean"], color=colour, linestyle=dash, marker=marker, linewidth=4,
                      markersize=9)  # fmt: skip
            if len(part):
                x, y = part[["level", "mean"]].to_numpy()[len(part) // 2]
                axes.annotate(name, (x, factor * y), (0, shift), textcoords="offset points", color=colour, ha="center",
                              fontsize=theme.LARGE, fontweight="bold", va="center")  # fmt: skip
        low = factor * float(table["mean"].min())
        axes.plot([0.0, 0.0], [low, low + factor * limit], transform=axes.get_yaxis_transform(), color=theme.BLACK,
                  linewidth=7, solid_capstyle="butt", clip_on=False)  # fmt: skip
        axes.set_xlabel(lever)
        axes.set_ylabel(f"{words.label(outcome)}, {words.measured_in(outcome)}")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(lambda value, _: theme.minus(f"{value:g}"))
        return figure


def _back(table: pd.DataFrame, outcome: str, limit: float) -> str:
    """Whether an outcome comes back: how far the two ways are apart, where they are furthest."""
    what = words.capital(words.label(outcome))
    wide = table.pivot(index="level", columns="direction", values="mean").reindex(columns=["up", "down"]).dropna()
    if wide.empty:
        return f"{what}: no level was passed both ways"
    apart = wide["down"] - wide["up"]
    worst = float(apart.iloc[int(apart.abs().argmax())])
    if abs(worst) <= limit:
        return f"{what} does not get stuck: lower the surveillance, and it comes back down"
    return f"{what} stays {words.effect(outcome, worst)} on the way down than it was on the way up"


WIDEST, BAND = 4.0, 2.0
"""Tolerances to either side of a published value: what is shown, and what counts as reached."""


def model_against_evidence(rows: pd.DataFrame, note: str = "", unfitted: pd.DataFrame | None = None) -> Figure:
    """What was published, in words, and whether the model says so: on the left what it was fitted to, before and after,
    and on the right, where given, findings that nothing was fitted to.

    `rows` is the table of `sim.worlds.summary.patterns`, `unfitted` that of `sim.worlds.validation.validate`; `note`
    stands at the foot of the picture.
    """
    within = ((rows["median"] - rows["value"]).abs() <= BAND * rows["sd"]).to_numpy()
    other = None if unfitted is None else unfitted[unfitted["fitted"] == "no"].sort_values("share", ascending=False)
    near = words.part(int(within.sum()), len(rows))
    title = f"Fitted to published findings, the model comes near {near} of them"
    if other is not None and len(other):
        told = words.part(int(other["reproduced"].sum()), len(other))
        title += f"; of those that nothing was fitted to, it reproduces {told}"
    note = f"Grey band: within two tolerances. Thin: before fitting; thick: after; ends: 90 % of worlds. {note}".strip()
    alt = f"Ranges for {len(rows)} published findings beside their values"
    beside = other if other is not None and len(other) else None
    with theme.slide(title, note, alt, 1 if beside is None else 2) as (figure, panels):
        _fitted(panels[0], rows, within, beside is not None)
        if beside is not None:
            _unfitted(panels[1], beside)
        return figure


def _fitted(axes: Axes, rows: pd.DataFrame, within: Any, narrow: bool) -> None:
    """A row for each finding: where worlds lie, in tolerances from what was published."""
    axes.axvspan(-BAND, BAND, color=theme.PALE, zorder=0)
    axes.axvline(0.0, color=theme.BLACK, linewidth=1.5)
    for which, shift, colour, width, dot, hits in (
        ("prior_", 0.2, theme.GREY, 2.5, 6, np.ones(len(rows), dtype=bool)), ("", -0.12, theme.BLUE, 6, 9, within)
    ):  # fmt: skip
        low, middle, high = (
            (rows[f"{which}{end}"] - rows["value"]).div(rows["sd"]).clip(-WIDEST, WIDEST).to_numpy()
            for end in ("low", "median", "high")
        )
        y = np.arange(len(rows)) + shift
        axes.hlines(y, low, high, color=colour, linewidth=width)
        for inside, marker in ((True, "o"), (False, "X")):
            axes.plot(middle[hits == inside], y[hits == inside], linestyle="none", marker=marker, markersize=dot,
                      color=colour if inside else theme.WORSE, markeredgecolor="white")  # fmt: skip
    told = [words.finding(str(name)) for name in rows["pattern"]]
    lines = [words.capital(one.text) + (f" ({one.whom})" if one.whom and not narrow else "") for one in told]
    layout.rows(axes, [textwrap.shorten(line, 64, placeholder=" ...") for line in lines],
                theme.SMALL if narrow or len(rows) > 14 else theme.TEXT)  # fmt: skip
    axes.set_xlim(-WIDEST - 0.2, WIDEST + 0.2)
    axes.set_xticks([-3.0, 0.0, 3.0], ["less", "as published", "more"])
    if narrow:
        axes.set_title("Fitted")


def _unfitted(axes: Axes, table: pd.DataFrame) -> None:
    """A bar for each finding: in how many of 100 worlds it is reproduced."""
    for y, (share, hit) in enumerate(zip(100.0 * table["share"], table["reproduced"], strict=True)):
        axes.barh(y, share, 0.6, color=theme.BLUE if hit else theme.SMALL_EFFECT)
    axes.axvline(50.0, color=theme.BLACK, linewidth=1.2)
    labels = [textwrap.fill(str(text).rstrip("."), 46, max_lines=2, placeholder=" ...") for text in table["finding"]]
    layout.rows(axes, labels, theme.SMALL if len(table) <= 14 else 9)
    axes.set_xlim(0, 100)
    axes.set_xlabel("reproduced in so many of 100 worlds", fontsize=theme.TEXT, color=theme.GREY)
    axes.set_title("Nothing was fitted to these")


FEWEST = 20.0
"""Worlds, effectively, below which a bin of a map stays empty."""


def flip_map(table: pd.DataFrame, subject: str, outcome: str, way: int, note: str = "") -> Figure | None:
    """In how many of 100 plausible worlds a policy moves an outcome up (`way` 1) or down (−1): a number for each bin of
    the two factors that decide it most.

    `table` has the rows of ``flip_maps`` of `ClaimReport.tables` about one outcome; `subject` is the policy, as it
    follows "whether", and `note` stands at the foot. None where fewer than half of the bins have enough worlds to say
    anything.
    """
    enough = (table["worlds"] >= FEWEST) & table["share"].notna()
    if enough.mean() < 0.5:
        return None
    across, up = (str(table.iloc[0][name]) for name in ("x", "y"))
    shares = table.assign(share=(100.0 * table["share"]).where(enough)).pivot(
        index="y_low", columns="x_low", values="share"
    )
    shares = shares.sort_index().sort_index(axis=1)
    does = words.does(outcome, way)
    title = f"Whether {subject} {does} depends most on {_factor(across)}"
    lead = f"In each box: of 100 plausible versions of the NHS like that, in how many {subject} {does}."
    note = f"{'' if enough.all() else 'Grey: too few worlds. '}{note}"
    with theme.slide(title, note, f"A number by {_factor(across)} and {_factor(up)}", lead=lead) as (figure, (axes,)):
        shares = shares.set_axis(_ends(across, shares.shape[1]), axis="columns")
        shares = shares.set_axis(_ends(up, shares.shape[0]), axis="index")
        colour = _COLOURS[way * LIMITS[outcome].direction]
        layout.heat_map(axes, shares, "", (0.0, 100.0), LinearSegmentedColormap.from_list("", ["white", colour]))
        axes.set_xlabel(_factor(across))
        axes.set_ylabel(_factor(up))
        return figure


def _ends(name: str, bins: int) -> list[str]:
    """Names of the bins of a factor, all different: what its lowest and its highest are, and blanks."""
    low, high = ("off", "on") if name.startswith(SWITCH) else ("low", "high")
    return [low, *(" " * k for k in range(1, bins - 1)), high]


def _factor(name: str) -> str:
    """A parameter or the switch of a mechanism as it follows "depends on"."""
    return f"whether {words.clause(name.removeprefix(SWITCH))}" if name.startswith(SWITCH) else words.phrase(name)

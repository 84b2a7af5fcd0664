"""The pictures of the app: time paths of two sides, maps of a month, and what carries a difference.

Small pictures come as HTML with a description in words, so that a page can put them side by side or one below the
other, as its width allows; `slide` puts the time paths into one picture to take away.
"""

from __future__ import annotations

import base64
import gc
import html
import io
import json
import textwrap
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from sim.explore import REPLICATIONS, Comparison, Replay, address, without_each
from sim.inference.contrast import Difference
from sim.inference.words import label, shown_numbers
from sim.outcomes import OUTCOMES
from sim.show import theme
from sim.show.panel import map_of, panel
from sim.show.stage import YEAR

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_MECHANISMS = 8
_SIDES = ("A", "B")


def paths(comparison: Comparison, outcomes: Sequence[str]) -> str:
    """Each outcome by month, as HTML: a line for the mean of each side, a band from its lowest to its highest run."""
    return _row([_panel(comparison, name) for name in outcomes], 420)


def slide(comparison: Comparison, outcomes: Sequence[str]) -> Figure:
    """The same as one picture of 16 by 9, of up to four outcomes, with a title and a note."""
    with theme.style():
        figure = theme.slide()
        down = 1 if len(outcomes) < 3 else 2
        grid = figure.subplots(down, -(-len(outcomes) // down), squeeze=False).ravel()
        for name, axes in zip_longest(outcomes, grid):
            if name is None:
                axes.set_axis_off()
            else:
                _draw(axes, comparison, name)
        figure.subplots_adjust(0.06, 0.18, 0.96, 0.74, 0.16, 0.75)
        figure.text(0.03, 0.96, finding(comparison, outcomes[0]), fontsize=theme.TITLE, fontweight="bold", va="top")
        for y, name, text, (colour, _) in zip(
            (0.9, 0.86), _SIDES, (comparison.a.text, comparison.b.text), theme.LINES, strict=False
        ):
            figure.text(0.03, y, f"{name}: {text}", color=colour, fontsize=theme.LARGE, fontweight="bold", va="top")
        figure.text(0.03, 0.03, textwrap.fill(note(comparison), 130), fontsize=theme.TEXT, color=theme.GREY)
        return figure


def png(comparison: Comparison, outcomes: Sequence[str]) -> bytes:
    """`slide` as a PNG file, with what made it inside."""
    made = comparison.sides[0].runs[0].provenance | {"address": address(comparison)}
    about = {"Title": finding(comparison, outcomes[0]), "Description": json.dumps(made)}
    return _file(slide(comparison, outcomes), "png", about | {"Software": f"leadership-sim {made['version']}"})


def finding(comparison: Comparison, outcome: str) -> str:
    """What the sides differ in, as a sentence with the interval of the difference."""
    name = label(outcome)
    name = name[0].upper() + name[1:]
    if comparison.a == comparison.b:
        return f"{name}: A and B are the same"
    found = comparison.difference(outcome)
    if found.low <= 0.0 <= found.high:
        return f"{name}: no clear difference ({_between(found)})"
    size, *_ = shown_numbers(abs(found.estimate), *found.interval)
    higher, lower = _SIDES if found.estimate > 0 else _SIDES[::-1]
    return f"{name}: higher under {higher} than {lower} by {size} ({_between(found)})"


def note(comparison: Comparison) -> str:
    """What the lines and bands are."""
    last = comparison.seed + REPLICATIONS - 1
    off = f" Switched off: {', '.join(comparison.off).replace('_', ' ')}." if comparison.off else ""
    return (
        f"Lines: mean of {REPLICATIONS} runs, seeds {comparison.seed} to {last}; bands: lowest to highest run. "
        f"Differences: last two years, with 95 % intervals.{off}"
    )


def maps(comparison: Comparison, month: int) -> str:
    """Fear in every organisation in a month (from 1), one map a side, as HTML; the runs are those of the first seed."""
    sides = zip(_SIDES, (comparison.a.text, comparison.b.text), comparison.sides, strict=True)
    return _row([_one_map(name, text, side, month) for name, text, side in sides], 440)


def carriers(comparison: Comparison, outcome: str) -> str:
    """How the difference between the sides changes when one mechanism more is switched off, as HTML.

    Takes seconds the first time. Shown are the mechanisms that change it most.
    """
    found = without_each(comparison, outcome)
    whole = comparison.difference(outcome)
    names = sorted(found, key=lambda name: abs(found[name].estimate - whole.estimate), reverse=True)
    with theme.style():
        figure = Figure(figsize=(9.0, 4.2), dpi=theme.DPI, facecolor="white")
        axes = figure.add_axes((0.3, 0.16, 0.66, 0.72))
        rows: list[tuple[str, Difference]] = [
            ("nothing more", whole),
            *((name, found[name]) for name in names[:_MOST_MECHANISMS]),
        ]
        for y, (_, d) in enumerate(rows):
            colour = theme.BLACK if y == 0 else theme.BLUE
            axes.plot([d.low, d.high], [y, y], color=colour, linewidth=3)
            axes.plot([d.estimate], [y], "o", color=colour, markersize=9)
        axes.axvline(0.0, color=theme.GREY, linewidth=1)
        axes.axvline(whole.estimate, color=theme.GREY, linestyle=":", linewidth=2)
        axes.set_yticks(range(len(rows)), [name.replace("_", " ") for name, _ in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlabel(f"{label(outcome)}: A less B, with its 95 % interval")
        figure.text(0.01, 0.97, carried(comparison, outcome), fontsize=theme.LARGE, fontweight="bold", va="top")
        figure.text(0.01, 0.9, "switched off", fontsize=theme.TEXT, color=theme.GREY, va="top")
    words = [f"without {name}: {d.estimate:.3f} ({_between(d)})" for name, d in rows]
    return _image(figure, f"{carried(comparison, outcome)}. " + "; ".join(words))


def carried(comparison: Comparison, outcome: str) -> str:
    """Which single mechanism the difference hangs on most, as a sentence."""
    whole, found = comparison.difference(outcome), without_each(comparison, outcome)
    if not found:
        return "Every mechanism is switched off"
    name = max(found, key=lambda name: abs(found[name].estimate - whole.estimate))
    before, after = (theme.minus(f"{d.estimate:+.3f}") for d in (whole, found[name]))
    return f"Without {name.replace('_', ' ')} the difference in {label(outcome)} goes from {before} to {after}"


def _between(found: Difference) -> str:
    """The interval of a difference; of its size, where its sign is sure."""
    sure = found.low > 0.0 or found.high < 0.0
    ends = sorted((abs(found.low), abs(found.high))) if sure else found.interval
    _, low, high = shown_numbers(found.estimate, *ends)
    return theme.minus(f"{low} to {high}")


def _panel(comparison: Comparison, outcome: str) -> str:
    sides = [side.paths(outcome) for side in comparison.sides]
    ends = ", ".join(f"{name} ends at {side[:, -1].mean():.3f}" for name, side in zip(_SIDES, sides, strict=True))
    said = finding(comparison, outcome)
    return panel(sides, _SIDES, said.split(": ", 1), OUTCOMES[outcome].unit, f"{said}. Mean by month: {ends}.")


def _draw(axes: Axes, comparison: Comparison, outcome: str) -> None:
    """The lines and bands of both sides, each with its letter at the end."""
    sides = [side.paths(outcome) for side in comparison.sides]
    month = np.arange(1, sides[0].shape[1] + 1)
    for path, (colour, dash) in zip(sides, theme.LINES, strict=False):
        axes.fill_between(month, path.min(axis=0), path.max(axis=0), color=colour, alpha=0.15, linewidth=0)
        axes.plot(month, path.mean(axis=0), color=colour, linestyle=dash, linewidth=2.5)
    ends = [float(path[:, -1].mean()) for path in sides]
    above = ("bottom", "top") if ends[0] >= ends[1] else ("top", "bottom")
    for name, end, place, (colour, _) in zip(_SIDES, ends, above, theme.LINES, strict=False):
        axes.annotate(
            name, (month[-1], end), (6, 0), textcoords="offset points", va=place, color=colour, fontweight="bold"
        )
    axes.set_xlim(1, month[-1])
    axes.set_xticks(years := range(2 * YEAR, len(month) + 1, 2 * YEAR), [str(year // YEAR) for year in years])
    axes.set_xlabel("years", fontsize=theme.TEXT, loc="right", color=theme.GREY)
    name, said = finding(comparison, outcome).split(": ", 1)
    for corner, up, text, more in (
        ((0, 1), 25, name, {"fontsize": theme.LARGE, "fontweight": "bold"}),
        ((0, 1), 8, said, {"fontsize": theme.TEXT}),
        ((0, 0), -36, OUTCOMES[outcome].unit, {"fontsize": theme.TEXT, "color": theme.GREY}),
    ):
        axes.annotate(text, corner, (0, up), xycoords="axes fraction", textcoords="offset points", **more)
    axes.tick_params(labelsize=theme.TEXT)
    axes.grid(axis="y", color=theme.PALE)


def _one_map(name: str, text: str, side: Replay, month: int) -> str:
    run = side.runs[0]
    fear = run.organisations.query("month == @month")["fear"].to_numpy()
    title = f"{name}: mean fear {side.paths('fear')[0, month - 1]:.2f}, highest {float(fear.max()):.2f}"
    words = f"Map of month {month} under {text}. {title} of {len(fear)} organisations."
    return map_of(fear, run.parameters.organisations, title, words)


def tag(text: str) -> str:
    """A label in front of a control, as HTML: all of one width, A and B in the colours of their lines."""
    colours = {name: f"font-weight:bold;color:{colour}" for name, (colour, _) in zip(_SIDES, theme.LINES, strict=False)}
    return f'<span style="display:inline-block;width:6.2em;{colours.get(text, "")}">{html.escape(text)}</span>'


def message(lines: Sequence[str]) -> str:
    """What is wrong, a line each, as HTML that is also read aloud; nothing where nothing is wrong."""
    told = "".join(f"<div>{html.escape(line)}</div>" for line in lines)
    edge = f"border-left:5px solid {theme.VERMILLION};padding:4px 12px;margin-bottom:8px;overflow-wrap:anywhere"
    return f'<div role="alert" style="{edge}">{told}</div>' if lines else ""


def beside(*columns: tuple[str, int]) -> str:
    """Pieces of HTML side by side, each with the width that it would like, in points; one below the other where the
    page has no room."""
    parts = (f'<div style="flex:{width} 1 {width}px;min-width:0">{piece}</div>' for piece, width in columns)
    return f'<div style="display:flex;flex-wrap:wrap;gap:8px 24px">{"".join(parts)}</div>'


def _row(pictures: Sequence[str], widest: int) -> str:
    """Pictures side by side, as many as there is room for."""
    boxes = (f'<div style="flex:1 1 320px;min-width:0;max-width:{widest}px">{picture}</div>' for picture in pictures)
    return f'<div style="display:flex;flex-wrap:wrap;gap:8px">{"".join(boxes)}</div>'


def _image(figure: Figure, words: str) -> str:
    data = base64.b64encode(_file(figure, "svg", {"Date": None})).decode("ascii")
    return f'<img style="width:100%" alt="{html.escape(words)}" src="data:image/svg+xml;base64,{data}">'


def _file(figure: Figure, kind: str, about: Mapping[str, str | None]) -> bytes:
    target = io.BytesIO()
    with theme.style():
        figure.savefig(target, format=kind, metadata=dict(about))
    figure.clear()
    gc.collect()  # a drawn figure holds 11 MB in circles of references, of which Python lets many pile up
    return target.getvalue()

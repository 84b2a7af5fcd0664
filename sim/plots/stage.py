"""The picture of a film: two maps of organisations coloured by fear, and between them the numbers that matter."""

from __future__ import annotations

import textwrap
from math import isqrt
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PatchCollection
from matplotlib.colors import BoundaryNorm
from matplotlib.patches import Circle, Rectangle
from numpy.typing import NDArray

from sim.model.parameters import PARAMETERS, SIZES
from sim.model.run import Run
from sim.plots import theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text

Frame = NDArray[np.uint8]
"""A picture: rows by columns by red, green and blue."""

COUNTERS = {
    "fear": ("mean fear", "{:.2f}"),
    "toxic": ("in a toxic climate", "{:.0%}"),
    "initiative_rate": ("try something new", "{:.1%}"),
    "harm": ("harm to patients", "{:.3f}"),
    "quality": ("quality of care", "{:.2f}"),
}
"""The outcomes whose numbers are shown, what they are called, and how they are written."""

YEAR = 12
"""Numbers are averages over this many months: those of a single month would flicker."""

COLOURS = "inferno_r"  # pale for little, dark for much: told apart without colour vision and in grey
STEPS = np.linspace(0.1, 0.6, 11)
"""The scale of fear, the same in every film; the means of organisations rarely leave it."""

_WIDE, _HIGH, _DPI = 1280, 720, 96
_NUMBER, _CLOCK = 26, 24
_HEADINGS = 0.83  # height of the line with the names of the sides and the month
_ON_A_RING = 7  # more organisations in a system stand in rows


class Take(NamedTuple):
    """One side of a film: what to call it, and its run, made with ``record_organisations=True``."""

    name: str
    run: Run


def finding(takes: tuple[Take, Take]) -> str:
    """What the film shows, in a sentence: mean fear in the last twelve months of each run."""
    first, second = (f"{counters(take.run)[0][-1]:.2f}" for take in takes)
    months = takes[0].run.parameters.months
    when = f"After {months // YEAR} years" if months % YEAR == 0 and months > YEAR else f"After {months} months"
    if first == second:
        return f"{when} mean fear is {first} under both: {takes[0].name}, and {takes[1].name}"
    return f"{when} mean fear is {second} under {takes[1].name}, and {first} under {takes[0].name}"


class Stage:
    """The picture of a month, in which only colours and numbers change."""

    def __init__(self, takes: tuple[Take, Take]) -> None:
        self._figure = theme.slide()
        self._figure.set_dpi(_DPI)
        self._figure.set_size_inches(_WIDE / _DPI, _HIGH / _DPI)
        self._canvas = FigureCanvasAgg(self._figure)
        self._fear = [_by_month(take.run) for take in takes]
        self._numbers = [counters(take.run) for take in takes]
        self._title(takes)
        boxes = ((0.02, 0.135, 0.36, 0.67), (0.62, 0.135, 0.36, 0.67))
        self._dots = [self._side(take, box) for take, box in zip(takes, boxes, strict=True)]
        self._clock = self._text(0.5, _HEADINGS, "", _CLOCK, weight="bold")
        self._values = [self._counter(k, label) for k, (label, _) in enumerate(COUNTERS.values())]
        self._scale()

    def at(self, month: int) -> Frame:
        """The picture of a month, counted from 0."""
        self._clock.set_text(f"Year {month // YEAR + 1}, month {month % YEAR + 1}")
        for dots, fear in zip(self._dots, self._fear, strict=True):
            dots.set_array(fear[month])
        for k, (texts, (_, how)) in enumerate(zip(self._values, COUNTERS.values(), strict=True)):
            for text, numbers in zip(texts, self._numbers, strict=True):
                text.set_text(written(how, numbers[k][month]))
        self._canvas.draw()  # type: ignore[no-untyped-call]
        drawn = np.asarray(self._canvas.buffer_rgba())  # type: ignore[no-untyped-call]
        return drawn[:, :, :3].copy()

    def _text(self, x: float, y: float, text: str, size: float, **more: Any) -> Text:
        return self._figure.text(x, y, text, fontsize=size, **{"ha": "center", "va": "center", **more})

    def _title(self, takes: tuple[Take, Take]) -> None:
        said = finding(takes)
        title = textwrap.fill(said, len(said) // 2 + 6 if len(said) > 66 else 66)
        self._text(0.025, 0.975, title, theme.TITLE + 2, weight="bold", ha="left", va="top")
        self._text(0.025, 0.065, textwrap.fill(_note(takes), 90), theme.TEXT, ha="left", color=theme.GREY)

    def _side(self, take: Take, box: tuple[float, float, float, float]) -> PatchCollection:
        name = textwrap.shorten(take.name, 40, placeholder=" ...")
        self._text(box[0] + box[2] / 2, _HEADINGS, name, _CLOCK if len(name) < 20 else theme.LARGE, weight="bold")
        axes = self._figure.add_axes(box)
        axes.set_axis_off()
        return _map(axes, take.run)

    def _counter(self, k: int, label: str) -> tuple[Text, Text]:
        y = 0.765 - 0.13 * k
        self._text(0.5, y, label, theme.LARGE + 1)
        left, right = (self._text(x, y - 0.052, "", _NUMBER, weight="bold") for x in (0.44, 0.56))
        return left, right

    def _scale(self) -> None:
        axes = self._figure.add_axes((0.72, 0.075, 0.25, 0.032))
        bar = self._figure.colorbar(self._dots[0], cax=axes, orientation="horizontal", ticks=STEPS[::2])
        bar.ax.tick_params(labelsize=theme.TEXT)
        self._text(0.705, 0.091, "fear", theme.LARGE, ha="right", weight="bold")


def _note(takes: tuple[Take, Take]) -> str:
    p, other = (take.run.parameters for take in takes)
    alike = all(getattr(p, name) == getattr(other, name) for name in (*PARAMETERS, *SIZES))
    same = ": the same people at the start, the same luck" if alike else ""
    return (
        f"Each dot is an organisation, each square a system. One run a side, both of seed {takes[0].run.seed}{same}. "
        "Numbers: means of the last twelve months."
    )


def _map(axes: Axes, run: Run) -> PatchCollection:
    """Systems as squares in rows, organisations as dots in them; colours come with the month."""
    p = run.parameters
    radius, inside = places(p.organisations)
    across = isqrt(p.systems)
    corners = [(float(k % across), -float(k // across)) for k in range(p.systems)]
    squares = [Rectangle((x - 0.47, y - 0.47), 0.94, 0.94) for x, y in corners]
    axes.add_collection(PatchCollection(squares, facecolor="#F3F3F3", edgecolor=theme.PALE, linewidth=1))
    circles = [Circle((x + dx, y + dy), 0.95 * radius) for x, y in corners for dx, dy in inside]
    norm = BoundaryNorm(STEPS.tolist(), 256, extend="both")
    dots = PatchCollection(circles, cmap=COLOURS, norm=norm, edgecolor=theme.GREY, linewidth=0.6)
    axes.add_collection(dots)
    axes.set_aspect("equal")
    axes.margins(0)
    axes.autoscale_view()
    return dots


def places(n: int) -> tuple[float, list[tuple[float, float]]]:
    """The radius of `n` dots that touch within a square of side 0.88, and their places around its middle."""
    half = 0.44
    if n == 1:
        return half, [(0.0, 0.0)]
    if n <= _ON_A_RING:
        share = np.sin(np.pi / n)
        ring = half / (1.0 + share)
        angles = 2.0 * np.pi * np.arange(n) / n + np.pi / 2
        return ring * share, [(ring * np.cos(angle), ring * np.sin(angle)) for angle in angles]
    across = isqrt(n - 1) + 1
    radius = half / across
    return radius, [((2 * (k % across) + 1) * radius - half, half - (2 * (k // across) + 1) * radius) for k in range(n)]


def _by_month(run: Run) -> NDArray[np.float64]:
    """Fear of each organisation, months by organisations."""
    months = run.parameters.months
    return run.organisations["fear"].to_numpy().reshape(months, -1)


def counters(run: Run) -> list[NDArray[np.float64]]:
    """For each of `COUNTERS` the average over the last twelve months, or as many as there are, by month."""
    means = run.series[list(COUNTERS)].rolling(YEAR, min_periods=1).mean()
    return [means[name].to_numpy() for name in COUNTERS]


def written(how: str, number: float) -> str:
    """A number of one of `COUNTERS` as it is shown."""
    return how.format(number).replace("%", " %")

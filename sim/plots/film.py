"""A film of two runs side by side: every organisation in its system, coloured by fear, month by month.

Both runs begin with the same people and the same luck, so that month 0 is alike and what differs later is policy.
Between the two maps stand the numbers that matter, below them fear draws itself as a line, and the title grows with the
years. It is one world: the last frame says in how many of 100 plausible worlds it goes so.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from itertools import chain, repeat
from math import isqrt
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PatchCollection
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle
from numpy.typing import NDArray

from sim import files
from sim.claims.answer import answer
from sim.claims.outline import in_worlds
from sim.claims.stored import SHIPPED
from sim.errors import InputError, misnamed, nearest, place
from sim.model import words
from sim.model.parameters import COEFFICIENTS, REGIMES, SIZES, seed_of
from sim.model.rules import START_FEAR
from sim.model.run import Run, simulate
from sim.plots import layout, theme

if TYPE_CHECKING:
    from matplotlib.lines import Line2D
    from matplotlib.text import Text

    from sim.claims.answer import ClaimReport
    from sim.pool import Progress
    from sim.study import Results

DEFAULT_REGIMES = ("light", "heavy")
SUFFIXES = (".gif", ".mp4")
_A_SECOND = 10  # frames
_STILL = 3  # seconds that the first and the last frame stay

Frame = NDArray[np.uint8]
"""A picture: rows by columns by red, green and blue."""

COUNTERS = ("fear", "toxic", "initiative_rate", "harm", "quality")
"""The outcomes whose numbers are shown; fear, the first, is also drawn as a line."""

YEAR = 12
"""Numbers are averages over this many months: those of a single month would flicker."""

COLOURS = "inferno_r"  # pale for little, dark for much: told apart without colour vision and in grey
STEPS = np.linspace(0.1, 0.6, 11)
"""The scale of fear, the same in every film; the means of organisations rarely leave it."""

_WIDE, _HIGH, _DPI = 1280, 720, 96
_NUMBER, _CLOCK = 22, 20
_HEADINGS = 0.845  # height of the line with the names of the sides and the month
_ON_A_RING = 7  # more organisations in a system stand in rows


class Take(NamedTuple):
    """One side of a film: what to call it, its run, made with ``record_organisations=True``, and the regime that it is,
    where it is nothing else."""

    name: str
    run: Run
    regime: str = ""


def save(
    path: Path | str,
    regimes: Sequence[str] | None = None,
    seed: int | None = None,
    results: Results | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> Path:
    """Make a film of two regimes from the same start, or of the first and the last cell of a study; return its path.

    The path ends in ``.gif``, or in ``.mp4`` where the extra ``film`` is installed. By default the regimes are light
    and heavy, and the seed, the same for both, is 0; `settings` are what else `sim.simulate` takes. `results` is a
    study in the place of all these, whose runs of the first seed are made again. `progress` counts frames.

    Raises `InputError` with a line for each mistake: a file that cannot be written, an unknown regime or suffix, an
    extra that is missing, a study with one cell, or whose first and last cell do not last equally long.
    """
    names = DEFAULT_REGIMES if regimes is None else regimes
    if results is not None:
        given = {"--regimes": regimes, "--seed": seed, **settings}
        of_study = "the film of a study shows its first and its last cell, with its first seed; leave this out"
        lines = [f"{name}: {of_study}" for name, value in given.items() if value is not None]
    else:
        lines = [mistake.line for name in names for mistake in misnamed(("--regimes",), [name], REGIMES, "regime")]
        if len(names) != 2:
            lines.append(f"--regimes {','.join(names)}: must be two names, such as light,heavy")
    _check(path := Path(path), lines)
    if results is not None:
        takes = _of_results(results)
    else:
        runs = [simulate(seed_of(seed or 0), name, record_organisations=True, **settings) for name in names]
        own = [name if not settings else "" for name in names]
        first, second = (
            Take(words.policy(name), run, regime) for name, run, regime in zip(names, runs, own, strict=True)
        )
        takes = (first, second)
    months = sorted({take.run.parameters.months for take in takes})
    if len(months) > 1:
        raise InputError([f"{place(path)}: the two runs last {months[0]} and {months[1]} months; a film needs one"])
    about = {"made_by": files.OURS, "title": finding(takes), "alt": _alternative(takes),
             "provenance": [take.run.provenance for take in takes]}  # fmt: skip
    with files.explained(path), TemporaryDirectory() as folder:
        made = Path(folder) / path.name
        write = _write_gif if path.suffix.lower() == ".gif" else _write_mp4
        write(made, frames_of(takes, progress), about)
        files.write_new(path, made.read_bytes(), files.OURS.encode())
    return path


def frames_of(takes: tuple[Take, Take], progress: Progress | None = None) -> Iterator[Frame]:
    """A picture of 720 by 1280 points for the start and for each month."""
    months = takes[0].run.parameters.months
    with theme.style():
        stage = Stage(takes)
    for month in range(months + 1):
        with theme.style():
            picture = stage.at(month)
        yield picture
        if progress is not None:
            progress(month + 1, months + 1)


def _of_results(results: Results) -> tuple[Take, Take]:
    points, seed = results.study.points, results.study.plan.seed
    if len(points) < 2:
        raise InputError([f"{place(results.folder)}: this study has one cell; a film compares two"])
    ends = {1: points[0], len(points): points[-1]}
    runs = [simulate(seed, record_organisations=True, **point.settings) for point in ends.values()]
    first, last = (Take(layout.cell_words(number, results), run) for number, run in zip(ends, runs, strict=True))
    return first, last


def _check(path: Path, lines: list[str]) -> None:
    """Raise `InputError` for a path that no film can be written to, and for `lines`."""
    suffix, wrong = path.suffix.lower(), ""
    if suffix not in SUFFIXES:
        wrong = f"must end in .gif or .mp4{nearest(suffix, SUFFIXES)}"
    elif path.is_dir() or not path.parent.is_dir():
        wrong = f"cannot be written: {'a folder' if path.is_dir() else 'no such folder'}"
    elif suffix == ".mp4" and find_spec("imageio_ffmpeg") is None:
        wrong = "MP4 needs the extra: pip install '.[film]'; or write a .gif"
    if lines or wrong:
        raise InputError([*lines, f"{place(path)}: {wrong}"] if wrong else lines)
    files.check_new(path, files.OURS.encode())


def _alternative(takes: tuple[Take, Take]) -> str:
    """The film in words, for those who do not see it."""
    p, ends = takes[0].run.parameters, []
    for name, run, _ in takes:
        moves = [
            f"{words.label(n)} {words.level(n, path[-1])}" for n, path in zip(COUNTERS, counters(run), strict=True)
        ]
        ends.append(f"At the end, {name}: {', '.join(moves)}")
    what = f"{p.systems * p.organisations} organisations in {p.systems} systems, darker where managers fear more"
    return f"Film of {p.months} months, two maps side by side: {what}. {'. '.join(ends)}."


def _write_gif(path: Path, frames: Iterator[Frame], about: dict[str, Any]) -> None:
    from PIL import Image  # noqa: PLC0415

    none = Image.Dither.NONE  # dots of noise would change with every frame and make the file large
    start = next(frames)
    colours = Image.fromarray(start).quantize(256, dither=none)  # the scale is in it, with every colour
    first, *more = [Image.fromarray(frame).quantize(palette=colours, dither=none) for frame in chain([start], frames)]
    durations = [1000 // _A_SECOND] * (len(more) + 1)
    durations[0] = durations[-1] = 1000 * _STILL
    comment = json.dumps(about).encode()
    first.save(path, save_all=True, append_images=more, duration=durations, loop=0, comment=comment)


def _write_mp4(path: Path, frames: Iterator[Frame], about: dict[str, Any]) -> None:
    from imageio_ffmpeg import write_frames  # noqa: PLC0415

    still, first = _A_SECOND * _STILL, next(frames)
    comment = json.dumps({name: value for name, value in about.items() if name != "title"})
    words = ["-metadata", f"title={about['title']}", "-metadata", f"comment={comment}", "-fflags", "+bitexact"]
    writer = write_frames(str(path), (_WIDE, _HIGH), fps=_A_SECOND, codec="libx264", macro_block_size=16, quality=8,
                          output_params=words)  # fmt: skip
    writer.send(None)
    for frame in chain(repeat(first, still), frames):
        writer.send(frame)
    for _ in range(still - 1):
        writer.send(frame)
    writer.close()


def finding(takes: tuple[Take, Take], month: int | None = None) -> str:
    """What the film shows after so many months, by default all: how much more fear there is on the second side."""
    last = takes[0].run.parameters.months if month is None else month
    when = "1 year" if last == YEAR else f"{last // YEAR} years" if last % YEAR == 0 else f"{last} months"
    first, second = (float(counters(take.run)[0][last - 1]) for take in takes)
    apart = words.effect("fear", second - first)
    if apart == "no change":
        return f"After {when}, fear is the same under {takes[0].name} and under {takes[1].name}"
    return f"After {when}, fear is {apart} under {takes[1].name}"


def in_how_many(takes: tuple[Take, Take], found: ClaimReport | None = None) -> str:
    """In how many of 100 plausible worlds fear goes so, in a sentence, by the answer that comes with the package or
    another; only that it is one world where no answer compares these two."""
    alone = "This is one world of many."
    if found is None:
        if not SHIPPED.is_file():
            return alone
        found = answer()
    pair = " - ".join(take.regime for take in reversed(takes))
    every = [*found.rows("against_baseline"), *found.rows("vector")]
    row = next((row for row in every if (row["contrast"], row["outcome"]) == (pair, "fear")), None)
    return alone if row is None or found.notes else f"This is one world. {in_worlds(row)}."


class Stage:
    """The picture of a month, in which only colours, numbers, a line and the title change. The title grows: a question
    at first, then what every full year has shown, and at the end in how many worlds it goes so."""

    def __init__(self, takes: tuple[Take, Take]) -> None:
        self._figure = Figure(figsize=(_WIDE / _DPI, _HIGH / _DPI), dpi=_DPI, facecolor="white")
        self._canvas = FigureCanvasAgg(self._figure)
        self._takes, self._months = takes, takes[0].run.parameters.months
        self._fear = [take.run.organisations["fear"].to_numpy().reshape(self._months, -1) for take in takes]
        self._numbers = [counters(take.run) for take in takes]
        p, other = (take.run.parameters for take in takes)
        alike = all(getattr(p, name) == getattr(other, name) for name in (*COEFFICIENTS, *SIZES))
        same = ": the same people at the start, the same luck" if alike else ""
        note = (
            f"Each dot is an organisation, each square a system. One run a side, both of seed {takes[0].run.seed}"
            f"{same}. Numbers: means of the last twelve months."
        )
        self._title = self._text(0.025, 0.975, "", theme.TITLE - 3, weight="bold", ha="left", va="top", linespacing=0.9)
        self._text(0.025, 0.022, note, theme.SMALL + 1, ha="left", color=theme.GREY)
        self._dots = [self._side(take, left) for take, left in zip(takes, (0.02, 0.62), strict=True)]
        self._clock = self._text(0.5, _HEADINGS, "", _CLOCK, weight="bold")
        self._values: list[tuple[Text, Text]] = []
        for k, name in enumerate(COUNTERS):
            y = 0.785 - 0.1 * k
            self._text(0.5, y, f"{words.label(name)}, {words.measured_in(name)}", theme.SMALL + 1)
            left, right = (self._text(x, y - 0.043, "", _NUMBER, weight="bold") for x in (0.45, 0.55))
            self._values.append((left, right))
        self._lines = self._chart()
        axes = self._figure.add_axes((0.76, 0.2, 0.21, 0.03))
        bar = self._figure.colorbar(self._dots[0], cax=axes, orientation="horizontal", ticks=STEPS[::2])
        bar.ax.set_xticks(STEPS[::2], [f"{100 * step:.0f}" for step in STEPS[::2]], fontsize=theme.TEXT)
        self._text(0.76, 0.255, f"fear, {words.measured_in('fear')}", theme.TEXT, ha="left", weight="bold")

    def at(self, month: int) -> Frame:
        """The picture after so many months; at 0 both sides are alike."""
        when = f"Year {(month - 1) // YEAR + 1}, month {(month - 1) % YEAR + 1}" if month else "The start"
        self._clock.set_text(when)
        title, years = "Two ways to oversee the same leaders: what happens to fear?", month - month % YEAR
        if month == self._months:
            title = f"{finding(self._takes)}.\n{in_how_many(self._takes)}"
        elif years:
            title = finding(self._takes, years)
        self._title.set_text(title)
        for dots, fear in zip(self._dots, self._fear, strict=True):
            dots.set_array(fear[month - 1] if month else np.full(fear.shape[1], START_FEAR))
        for k, (texts, name) in enumerate(zip(self._values, COUNTERS, strict=True)):
            for text, numbers in zip(texts, self._numbers, strict=True):
                text.set_text(written(name, numbers[k][month - 1]) if month else "–")
        for line, numbers in zip(self._lines, self._numbers, strict=True):
            path = np.concatenate([[START_FEAR], numbers[0][:month]])
            line.set_data(np.arange(month + 1), words.natural("fear", 1.0) * path)
        self._canvas.draw()  # type: ignore[no-untyped-call]
        drawn = np.asarray(self._canvas.buffer_rgba())  # type: ignore[no-untyped-call]
        return drawn[:, :, :3].copy()

    def _chart(self) -> list[Line2D]:
        """The lines of fear, still empty, with the names of the sides at the right."""
        axes = self._figure.add_axes((0.065, 0.145, 0.63, 0.13))
        paths = words.natural("fear", 1.0) * np.concatenate([[START_FEAR], *(numbers[0] for numbers in self._numbers)])
        low, high = float(np.min(paths)), float(np.max(paths))
        axes.set_xlim(0, self._months)
        axes.set_ylim(low - 0.1 * (high - low) - 0.5, high + 0.1 * (high - low) + 0.5)
        step = YEAR * max(1, round(self._months / YEAR / 10))
        ticks = range(0, self._months + 1, step)
        axes.set_xticks(list(ticks), [f"{month // YEAR}" for month in ticks], fontsize=theme.SMALL)
        axes.tick_params(labelsize=theme.SMALL)
        axes.locator_params(axis="y", nbins=3)
        axes.set_xlabel("years", fontsize=theme.SMALL, labelpad=1)
        axes.set_ylabel("fear", fontsize=theme.TEXT)
        lines = []
        for (colour, dash), take in zip(((theme.BLUE, "-"), (theme.WORSE, "--")), self._takes, strict=True):
            lines += axes.plot([], [], color=colour, linestyle=dash, linewidth=3, label=take.name)
        return lines

    def _text(self, x: float, y: float, text: str, size: float, **more: Any) -> Text:
        return self._figure.text(x, y, text, fontsize=size, **{"ha": "center", "va": "center", **more})

    def _side(self, take: Take, left: float) -> PatchCollection:
        """Systems as squares in rows, organisations as dots in them; colours come with the month."""
        name = words.capital(textwrap.shorten(take.name, 34, placeholder=" ..."))
        colour = theme.BLUE if take is self._takes[0] else theme.WORSE
        self._text(left + 0.18, _HEADINGS, name, theme.LARGE + 2, weight="bold", color=colour)
        axes = self._figure.add_axes((left, 0.29, 0.36, 0.525))
        axes.set_axis_off()
        p = take.run.parameters
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


def counters(run: Run) -> list[NDArray[np.float64]]:
    """For each of `COUNTERS` the average over the last twelve months, or as many as there are, by month."""
    means = run.series[list(COUNTERS)].rolling(YEAR, min_periods=1).mean()
    return [means[name].to_numpy() for name in COUNTERS]


def written(outcome: str, number: float) -> str:
    """A number of one of `COUNTERS` as it is shown, in the unit that people own."""
    return f"{words.natural(outcome, number):.0f}"

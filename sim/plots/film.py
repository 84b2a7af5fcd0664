"""A film of two runs side by side: every organisation in its system, coloured by fear, month by month.

Both runs begin with the same people and the same luck, so that they differ by policy only.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from sim import files
from sim.errors import InputError, nearest, place, shown
from sim.model.parameters import REGIMES
from sim.model.run import simulate
from sim.model.seeds import seed_of
from sim.plots import theme
from sim.plots.stage import COUNTERS, Frame, Stage, Take, counters, finding, written

if TYPE_CHECKING:
    from sim.study import Results

DEFAULT_REGIMES = ("light", "heavy")
SUFFIXES = (".gif", ".mp4")
_A_SECOND = 10  # frames
_STILL = 3  # seconds that the first and the last frame stay


def save(
    path: Path | str,
    regimes: Sequence[str] | None = None,
    seed: int | None = None,
    results: Results | None = None,
    progress: Callable[[int, int, int], None] | None = None,
    **settings: Any,
) -> Path:
    """Make a film of two regimes from the same start, or of the first and the last cell of a study; return its path.

    Parameters
    ----------
    path : path
        Ends in ``.gif``, or in ``.mp4`` where the extra ``film`` is installed.
    regimes : two names of regimes, light and heavy by default
    seed : int
        The same for both, 0 by default.
    results : Results, optional
        The study, in place of `regimes`, `seed` and `settings`. The runs of its first seed are made again.
    progress : callable, optional
        Called with the number of frames done, 0, and the number of all.
    **settings
        What else `sim.simulate` takes, for both.

    Raises `InputError` with a line for each mistake: a file that cannot be written, an unknown regime or suffix, an
    extra that is missing, a study with one cell.
    """
    path = Path(path)
    if results is not None:
        given = {"--regimes": regimes, "--seed": seed, **settings}
        of_study = "the film of a study shows its first and its last cell, with its first seed; leave this out"
        _check(path, [f"{name}: {of_study}" for name, value in given.items() if value is not None])
        return film(_of_results(results), path, progress)
    regimes = DEFAULT_REGIMES if regimes is None else regimes
    _check(path, _mistaken(regimes))
    return film(_of_regimes(regimes, 0 if seed is None else seed, settings), path, progress)


def film(takes: tuple[Take, Take], path: Path, progress: Callable[[int, int, int], None] | None = None) -> Path:
    """Write the film of two runs of the same length; see `save`."""
    months = {take.run.parameters.months for take in takes}
    if len(months) > 1:
        raise InputError([f"{place(path)}: the two runs last {min(months)} and {max(months)} months; a film needs one"])
    _check(path, [])
    frames = _reported(frames_of(takes), months.pop(), progress)
    about = {
        "made_by": files.OURS,
        "title": finding(takes),
        "alt": _alternative(takes),
        "provenance": [t.run.provenance for t in takes],
    }
    with files.explained(path), TemporaryDirectory() as folder:
        made = Path(folder) / path.name
        (_write_gif if path.suffix.lower() == ".gif" else _write_mp4)(made, frames, about)
        files.write_new(path, made.read_bytes(), files.OURS.encode())
    return path


def frames_of(takes: tuple[Take, Take]) -> Iterator[Frame]:
    """A picture of 720 by 1280 points for each month."""
    with theme.style():
        stage = Stage(takes)
    for month in range(takes[0].run.parameters.months):
        with theme.style():
            picture = stage.at(month)
        yield picture


def _of_regimes(regimes: Sequence[str], seed: int, settings: dict[str, Any]) -> tuple[Take, Take]:
    seed = seed_of(seed)
    first, second = (
        Take(f"{name.replace('_', ' ')} oversight", simulate(seed, name, record_organisations=True, **settings))
        for name in regimes
    )
    return first, second


def _of_results(results: Results) -> tuple[Take, Take]:
    from sim.plots.cells import cell_words, settings_of  # noqa: PLC0415

    points = results.study.points
    if len(points) < 2:
        raise InputError([f"{place(results.folder)}: this study has one cell; a film compares two"])
    seed = results.study.plan.seed
    first, second = (
        Take(
            cell_words(settings_of(results, number), results),
            simulate(seed, record_organisations=True, **points[number - 1].settings),
        )
        for number in (1, len(points))
    )
    return first, second


def _mistaken(regimes: Sequence[str]) -> list[str]:
    lines = [
        f"--regimes {shown(name)}: no such regime{nearest(name, REGIMES)}; there are {', '.join(REGIMES)}"
        for name in regimes
        if name not in REGIMES
    ]
    if len(regimes) != 2:
        lines.append(f"--regimes {','.join(regimes)}: must be two names, such as light,heavy")
    return lines


def _check(path: Path, lines: list[str]) -> None:
    """Raise `InputError` for a path that no film can be written to, and for `lines`."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        lines = [*lines, f"{place(path)}: must end in .gif or .mp4{nearest(suffix, SUFFIXES)}"]
    elif path.is_dir() or not path.parent.is_dir():
        lines = [*lines, f"{place(path)}: cannot be written: {'a folder' if path.is_dir() else 'no such folder'}"]
    elif suffix == ".mp4" and not _has_encoder():
        lines = [*lines, f"{place(path)}: MP4 needs the extra: pip install '.[film]'; or write a .gif"]
    if lines:
        raise InputError(lines)
    files.check_new(path, files.OURS.encode())


def _has_encoder() -> bool:
    from importlib.util import find_spec  # noqa: PLC0415

    return find_spec("imageio_ffmpeg") is not None


def _reported(frames: Iterator[Frame], total: int, progress: Callable[[int, int, int], None] | None) -> Iterator[Frame]:
    for done, frame in enumerate(frames, 1):
        if progress is not None:
            progress(done, 0, total)
        yield frame


def _alternative(takes: tuple[Take, Take]) -> str:
    """The film in words, for those who do not see it."""
    p = takes[0].run.parameters
    ends = [
        f"{take.name}: "
        + ", ".join(
            f"{label} {written(how, numbers[0])} at the start and {written(how, numbers[-1])} at the end"
            for (label, how), numbers in zip(COUNTERS.values(), counters(take.run), strict=True)
        )
        for take in takes
    ]
    what = f"{p.systems * p.organisations} organisations in {p.systems} systems, darker where managers fear more"
    return f"Film of {p.months} months, two maps side by side: {what}. {'. '.join(ends)}."


def _write_gif(path: Path, frames: Iterator[Frame], about: dict[str, Any]) -> None:
    from PIL import Image  # noqa: PLC0415

    none = Image.Dither.NONE  # dots of noise would change with every frame and make the file large
    start = next(frames)
    colours = Image.fromarray(start).quantize(256, dither=none)  # the scale is in it, with every colour
    first, *more = [Image.fromarray(f).quantize(palette=colours, dither=none) for f in chain([start], frames)]
    durations = [1000 // _A_SECOND] * (len(more) + 1)
    durations[0] = durations[-1] = 1000 * _STILL
    comment = json.dumps(about).encode()
    first.save(path, save_all=True, append_images=more, duration=durations, loop=0, comment=comment)


def _write_mp4(path: Path, frames: Iterator[Frame], about: dict[str, Any]) -> None:
    from imageio_ffmpeg import write_frames  # noqa: PLC0415

    first = next(frames)
    height, width, _ = first.shape
    comment = json.dumps({name: value for name, value in about.items() if name != "title"})
    words = ["-metadata", f"title={about['title']}", "-metadata", f"comment={comment}", "-fflags", "+bitexact"]
    writer = write_frames(
        str(path), (width, height), fps=_A_SECOND, codec="libx264", macro_block_size=16, quality=8, output_params=words
    )
    writer.send(None)
    frame = first
    still = [first] * (_A_SECOND * _STILL - 1)
    for frame in chain(still, [first], frames):
        writer.send(np.ascontiguousarray(frame))
    for _ in still:
        writer.send(np.ascontiguousarray(frame))
    writer.close()

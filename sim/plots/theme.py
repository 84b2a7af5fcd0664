"""How pictures look and how they are written: one palette, one frame for a 16:9 slide, provenance inside the file.

Nothing here changes Matplotlib's settings for anyone else: they hold inside `style` only, one thread at a time.
"""

from __future__ import annotations

import io
import json
import re
import textwrap
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.style import context
from matplotlib.transforms import Bbox

from sim import files
from sim.errors import InputError, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# The palette of Okabe and Ito, which colour-blind people can tell apart
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILLION, PURPLE = "#0072B2", "#D55E00", "#CC79A7"
GREY, PALE = "#6B6B6B", "#E4E4E4"
LINES = ((BLUE, "-"), (VERMILLION, "--"), (GREEN, "-."), (PURPLE, ":"), (BLACK, "-"), (ORANGE, "--"), (SKY, "-."))
"""Colour and dash of the first, second ... line of a picture: told apart in grey, too."""

BETTER, WORSE, EITHER, SMALL_EFFECT = BLUE, VERMILLION, "#7A6A8F", "#C4C4C4"
"""What every picture of effects means by a colour: better, worse, higher or lower without being either, too small."""

SLIDE = (13.333, 7.5)
TITLE, LARGE, TEXT, SMALL = 26, 17, 15, 12
"""Font sizes in points on a slide of 13.33 by 7.5 inches."""
DPI = 150

FORMATS = (".png", ".svg", ".pdf")
"""How pictures are written: PNG for slides, SVG and PDF for papers."""
MARGIN = 0.03
"""Where texts begin, as a share of the width."""
_HEADLINES = ((TITLE, 74), (22, 88), (18, 108), (16, 122))  # points, and letters that fit on a line
_FOOTNOTE = 180  # letters

for _file in sorted(Path(__file__).with_name("fonts").glob("*.ttf")):
    fontManager.addfont(_file)  # Source Sans 3 by Adobe, under the Open Font License: the same letters everywhere

_RC = {
    "font.family": ["Source Sans 3", "DejaVu Sans"],  # the second, for letters that the first lacks
    "font.size": TEXT,
    "axes.axisbelow": True,
    "axes.labelsize": LARGE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": LARGE,
    "axes.titleweight": "bold",
    "axes.unicode_minus": True,
    "svg.hashsalt": "leadership-sim",
    "svg.fonttype": "path",
    "path.simplify": True,
    "pdf.fonttype": 42,
    "text.parse_math": False,  # a dollar in somebody's title is a dollar
}
_LOCK = RLock()


@contextmanager
def style() -> Iterator[None]:
    """Matplotlib's own defaults with this project's on top, whatever a user's matplotlibrc says."""
    with _LOCK, context(["default", _RC]):
        yield


@contextmanager
def slide(
    title: str,
    note: str = "",
    alt: str = "",
    panels: int = 1,
    across: int = 0,
    grid: str = "",
    lead: str = "",
    high: float = SLIDE[1],
    **more: Any,
) -> Iterator[tuple[Figure, list[Axes]]]:
    """A slide to draw on, with its texts, which make room for each other: gives the figure and its panels.

    The title says what the picture found; it is smaller where it is long. `note`, at the bottom, says how to read it
    and where it comes from; a newline begins a paragraph. `alt` says what is drawn, for people who do not see it; the
    title is added. `lead` stands under the title, in grey. `across` is how many panels stand beside each other: by
    default two, or three of more than four. `high` is the height in inches, where there is little to show. `grid` is
    "x", "y" or "both"; `more` goes to Matplotlib's ``Figure.subplots``.
    """
    across = across or min(panels, 3 if panels > 4 else 2)
    paragraphs = minus(note).splitlines()
    with style():
        figure = Figure(figsize=(SLIDE[0], high), dpi=DPI, facecolor="white")
        figure.set_layout_engine("constrained", w_pad=0.1, h_pad=0.09, rect=(MARGIN - 0.009, 0.0, 0.97, 1.0))
        fitted = [(size, textwrap.wrap(minus(title), width)) for size, width in _HEADLINES]
        size, lines = next((fit for fit in fitted if len(fit[1]) <= 2), fitted[-1])
        headline = "\n".join(lines[:3]) + (" ..." if len(lines) > 3 else "")
        figure.suptitle(headline, x=MARGIN, ha="left", fontsize=size, fontweight="bold", linespacing=0.85)
        figure.supxlabel("\n".join(line for text in paragraphs for line in textwrap.wrap(text, _FOOTNOTE)), x=MARGIN,
                         ha="left", fontsize=SMALL, color=GREY)  # fmt: skip
        figure.set_label(minus(" ".join(f"{alt}. {title.rstrip('.')}.".split())))
        body: Any = figure.subfigures()
        if lead:
            body.suptitle(minus(textwrap.fill(lead, 130)), x=0.009, ha="left", fontsize=TEXT + 1, color=GREY)
        every = list(body.subplots(-(-panels // across), across, squeeze=False, **more).flat)
        for axes in every[:panels]:
            axes.tick_params(labelsize=TEXT, grid_color=PALE)
            if grid:
                axes.grid(axis=grid)
        for axes in every[panels:]:
            axes.remove()
        yield figure, every[:panels]
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # laid out once and for all, and no last digits of the solver in any file
        for part in figure.subfigs:
            part.bbox_relative.set_points(part.bbox_relative.get_points().round(5))
        for axes in figure.axes:
            left, bottom, width, height = (round(number, 5) for number in axes.get_position(original=True).bounds)
            axes.set_position((left, bottom, width, height))


def minus(text: str) -> str:
    """Text with a true minus sign in front of its numbers.

    >>> minus("from -1 to (-2), by --run")
    'from −1 to (−2), by --run'
    """
    return re.sub(r"(?<![^ (])-(?=[\d.])", "−", text)


def finding(figure: Figure) -> str:
    """The title of a picture on one line: what it found."""
    return " ".join(figure.get_suptitle().split())


def alternative(figure: Figure) -> str:
    """A picture in words, for people who do not see it."""
    return str(figure.get_label())


def wanted(path: Path) -> tuple[Path, tuple[str, ...]]:
    """A path without its ending, and the formats that the ending asks for: all three where there is none.

    Raises `InputError` for an ending that is none of `FORMATS`.

    >>> wanted(Path("fear.pdf")), wanted(Path("fear"))[1]
    ((PosixPath('fear'), ('.pdf',)), ('.png', '.svg', '.pdf'))
    """
    ending = path.suffix.lower()
    if not ending:
        return path, FORMATS
    if ending not in FORMATS:
        which = f"pictures end in {', '.join(FORMATS[:-1])} or {FORMATS[-1]}; without an ending all three are written"
        raise InputError([f"{shown(str(path))}: {which}"])
    return path.with_suffix(""), (ending,)


def save(
    figure: Figure, stem: Path, provenance: Mapping[str, Any], title: str, formats: Sequence[str] = (".png", ".svg")
) -> list[Path]:
    """Write the files of `drawn` beside each other, `stem` with each ending, and return the paths.

    Raises `InputError` where something is there that is no picture of ours, and where they cannot be written.
    """
    contents = drawn(figure, stem.name, provenance, title, formats)
    for name in contents:
        files.check_new(stem.with_name(name), files.OURS.encode())
    for name, content in contents.items():
        files.write_new(stem.with_name(name), content, files.OURS.encode())
    return [stem.with_name(name) for name in contents]


def untitled(figure: Figure) -> Bbox:
    """What is left of a picture below its title, in inches: for a slide that has the title as a text of its own, given
    to `encoded`."""
    width = figure.get_size_inches()[0]
    title = next(text for text in figure.texts if text.get_text() == figure.get_suptitle())
    return Bbox.from_bounds(0.0, 0.0, width, title.get_window_extent().y0 / figure.dpi - 0.05)


def drawn(
    figure: Figure, name: str, provenance: Mapping[str, Any], title: str, formats: Sequence[str] = (".png", ".svg")
) -> dict[str, bytes]:
    """The names and contents of a picture's files, with title, alternative text and provenance (as JSON) inside.

    They hold no date and no random names: the same picture gives the same bytes.
    """
    return {f"{name}{ending}": encoded(figure, ending, provenance, title) for ending in formats}


def encoded(figure: Figure, ending: str, provenance: Mapping[str, Any], title: str, part: Bbox | None = None) -> bytes:
    """A picture, or a part of it, as the content of a file in one of `FORMATS`; see `drawn` and `untitled`."""
    origin, words = json.dumps(provenance), alternative(figure)
    creator = f"leadership-sim {provenance.get('version', '')}".strip()
    metadata = {
        ".png": {"Title": title, "Description": origin, "Comment": words, "Software": creator},
        ".svg": {"Title": title, "Description": origin, "Creator": creator, "Date": None},
        ".pdf": {"Title": title, "Subject": words, "Keywords": origin, "Creator": creator, "CreationDate": None},
    }
    buffer = io.BytesIO()
    with style(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph .* missing from font")  # boxes stand for letters that it lacks
        figure.savefig(buffer, format=ending[1:], metadata=metadata[ending], bbox_inches=part)
    content = buffer.getvalue()
    if ending == ".svg":  # a picture for screen readers, with a description after its title
        content = content.replace(b"</title>", f"</title>\n <desc>{escape(words)}</desc>".encode(), 1)
        content = content.replace(b"<svg ", b'<svg role="img" ', 1)
    return content

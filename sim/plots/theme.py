"""How pictures look and how they are written: one palette, sizes for a 16:9 slide, provenance inside the file.

Nothing here changes Matplotlib's settings for anyone else: they hold inside `style` only, one thread at a time.
"""

from __future__ import annotations

import io
import json
import textwrap
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any
from xml.sax.saxutils import escape

import matplotlib as mpl
from matplotlib.figure import Figure

from sim import files
from sim.errors import InputError, shown

# The palette of Okabe and Ito, which colour-blind people can tell apart
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILLION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
GREY, PALE = "#6B6B6B", "#E4E4E4"
LINES = ((BLUE, "-"), (VERMILLION, "--"), (GREEN, "-."), (PURPLE, ":"), (BLACK, "-"), (ORANGE, "--"), (SKY, "-."))
"""Colour and dash of the first, second ... line of a picture: told apart in grey, too."""

SLIDE = (13.333, 7.5)
TITLE, LARGE, TEXT, SMALL = 20, 15, 13, 11
"""Font sizes in points on a slide of 13.33 by 7.5 inches."""
DPI = 150

FORMATS = (".png", ".svg", ".pdf")
"""How pictures are written: PNG for slides, SVG and PDF for papers."""
MARGIN = 0.03
"""Where texts begin, as a share of the width."""
_HEADLINES = ((TITLE, 76), (17, 90), (14, 108))  # points, and letters that fit on a line
_FOOTNOTE = 165  # letters

_RC = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with Matplotlib: the same letters everywhere
    "font.size": TEXT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
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
    with _LOCK, mpl.rc_context(_settings()):
        yield


def _settings() -> Any:
    groups = ("font", "axes", "lines", "xtick", "ytick", "text", "svg", "path", "savefig", "figure", "legend", "patch",
              "pdf", "image", "contour", "hatch")  # fmt: skip
    return {key: value for key, value in mpl.rcParamsDefault.items() if key.split(".")[0] in groups} | _RC


def slide() -> Figure:
    """An empty figure in the proportions of a slide; call it inside `style`."""
    return Figure(figsize=SLIDE, dpi=DPI, facecolor="white")


def minus(text: str) -> str:
    """Text with a true minus sign in front of its numbers."""
    return text.replace(" -", " −").replace("(-", "(−") if not text.startswith("-") else minus("−" + text[1:])


def headline(figure: Figure, finding: str) -> None:
    """Write what a picture found at its top, smaller where it is long: two lines, or three of the smallest size."""
    fitted = [(size, textwrap.wrap(minus(finding), width)) for size, width in _HEADLINES]
    size, lines = next((fit for fit in fitted if len(fit[1]) <= 2), fitted[-1])
    text = "\n".join(lines[:3]) + (" ..." if len(lines) > 3 else "")
    figure.suptitle(text, x=MARGIN, y=0.972, ha="left", va="top", fontsize=size, fontweight="bold")


def footnote(figure: Figure, *paragraphs: str) -> None:
    """Write how to read a picture and where it comes from at its bottom."""
    lines = [line for text in paragraphs if text for line in textwrap.wrap(minus(text), _FOOTNOTE)]
    figure.text(MARGIN, 0.02, "\n".join(lines), fontsize=SMALL, color=GREY, va="bottom")


def describe(figure: Figure, alternative: str) -> None:
    """Give a picture the words for people who do not see it; they go into its files."""
    figure.set_label(minus(" ".join(alternative.split())))


def finding(figure: Figure) -> str:
    """What `headline` wrote at the top of a picture, on one line."""
    return " ".join(figure.get_suptitle().split())


def alternative(figure: Figure) -> str:
    """The words of `describe`, or else what stands at the top of the picture."""
    return str(figure.get_label() or "") or finding(figure)


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
    figure: Figure,
    stem: Path,
    provenance: Mapping[str, Any],
    title: str,
    formats: Sequence[str] = (".png", ".svg"),
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


def drawn(
    figure: Figure,
    name: str,
    provenance: Mapping[str, Any],
    title: str,
    formats: Sequence[str] = (".png", ".svg"),
) -> dict[str, bytes]:
    """The names and contents of a picture's files, with title, alternative text and provenance (as JSON) inside.

    They hold no date and no random names: the same picture gives the same bytes.
    """
    return {f"{name}{ending}": encoded(figure, ending, provenance, title) for ending in formats}


def encoded(figure: Figure, ending: str, provenance: Mapping[str, Any], title: str) -> bytes:
    """A picture as the content of a file in one of `FORMATS`; see `drawn`."""
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
        figure.savefig(buffer, format=ending[1:], metadata=metadata[ending])
    content = buffer.getvalue()
    return _with_words(content, words) if ending == ".svg" else content


def _with_words(svg: bytes, words: str) -> bytes:
    """An SVG whose root is a picture for screen readers, with a description after its title."""
    described = svg.replace(b"</title>", f"</title>\n <desc>{escape(words)}</desc>".encode(), 1)
    return described.replace(b"<svg ", b'<svg role="img" ', 1)

"""How pictures look and how they are written: one palette, sizes for a 16:9 slide, provenance inside the file.

Nothing here changes Matplotlib's settings for anyone else: they hold inside `style` only, one thread at a time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

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
}
_LOCK = RLock()


@contextmanager
def style() -> Iterator[None]:
    """Matplotlib's own defaults with this project's on top, whatever a user's matplotlibrc says."""
    with _LOCK, mpl.rc_context(_settings()):
        yield


def _settings() -> Any:
    groups = ("font", "axes", "lines", "xtick", "ytick", "text", "svg", "path", "savefig", "figure", "legend", "patch")
    return {key: value for key, value in mpl.rcParamsDefault.items() if key.split(".")[0] in groups} | _RC


def slide() -> Figure:
    """An empty figure in the proportions of a slide; call it inside `style`."""
    return Figure(figsize=SLIDE, dpi=DPI, facecolor="white")


def minus(text: str) -> str:
    """Text with a true minus sign in front of its numbers."""
    return text.replace(" -", " −").replace("(-", "(−") if not text.startswith("-") else minus("−" + text[1:])


def save(figure: Figure, stem: Path, provenance: Mapping[str, Any], title: str) -> list[Path]:
    """Write `stem`.png and `stem`.svg with the title and the provenance (as JSON) inside; return their paths.

    The files hold no date and no random names: the same picture gives the same bytes.
    """
    origin = json.dumps(provenance)
    creator = f"leadership-sim {provenance.get('version', '')}".strip()
    png = {"Title": title, "Description": origin, "Software": creator}
    svg = {"Title": title, "Description": origin, "Creator": creator, "Date": None}
    with style():
        for suffix, metadata in ((".png", png), (".svg", svg)):
            figure.savefig(stem.with_suffix(suffix), metadata=metadata)
    return [stem.with_suffix(".png"), stem.with_suffix(".svg")]

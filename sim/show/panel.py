"""Small pictures for a page, as SVG drawn in a millisecond, so that they follow a slider: time paths, and maps.

Matplotlib takes fifty times as long.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from math import cos, pi, sin

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import BoundaryNorm, to_hex
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from sim.show import theme
from sim.show.stage import COLOURS, STEPS, YEAR

Paths = NDArray[np.float64]
"""Runs by months."""

WIDTH, HEIGHT = 420, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 24, 44, 38
_DASHES = {"-": "none", "--": "7 4"}


def panel(sides: Sequence[Paths], names: Sequence[str], title: Sequence[str], unit: str, words: str) -> str:
    """An SVG element: for each side a line for the mean of its runs and a band from the lowest to the highest.

    `title` has one or two lines, `words` describe the picture to those who do not see it. The line of the side called
    A has the class ``mean-A``.
    """
    low, high = min(side.min() for side in sides), max(side.max() for side in sides)
    ticks = MaxNLocator(4, min_n_ticks=2).tick_values(low, high if high > low else low + 0.01)
    scale = _Scale(sides[0].shape[1], float(ticks[0]), float(ticks[-1]))
    parts = [_axes(scale, ticks, unit)]
    for side, name, (colour, dash) in zip(sides, names, theme.LINES, strict=False):
        band = [*scale.points(side.max(axis=0)), *reversed(scale.points(side.min(axis=0)))]
        parts.append(f'<polygon points="{" ".join(band)}" fill="{colour}" fill-opacity="0.15"/>')
        line = " ".join(scale.points(side.mean(axis=0)))
        parts.append(
            f'<polyline class="mean-{name}" points="{line}" fill="none" stroke="{colour}" stroke-width="2.5" '
            f'stroke-dasharray="{_DASHES[dash]}"/>'
        )
    parts += _letters(scale, sides, names)
    parts += [
        f'<text x="4" y="{15 + 17 * k}" font-size="{14 - k}" font-weight="{700 - 200 * k}">{html.escape(line)}</text>'
        for k, line in enumerate(title)
    ]
    return _svg(HEIGHT, parts, words)


def map_of(fear: NDArray[np.float64], organisations: int, title: str, words: str) -> str:
    """An SVG element: a dot for each organisation, `organisations` of them in a ring in each system's square.

    `fear` has a value for each organisation, system by system; the colours are those of the film.
    """
    size, across = WIDTH / 3, 3
    radius = min(0.14, 0.9 / (organisations + 1)) * size
    rows = -(-len(fear) // (organisations * across))
    colour = _Colours()
    parts = [f'<text x="4" y="16" font-size="14" font-weight="700">{html.escape(title)}</text>']
    for k in range(len(fear) // organisations):
        x, y = (k % across + 0.5) * size, 28 + (k // across + 0.5) * size
        corner = f'x="{x - 0.47 * size:.1f}" y="{y - 0.47 * size:.1f}"'
        parts.append(f'<rect {corner} width="{0.94 * size:.1f}" height="{0.94 * size:.1f}" fill="{theme.PALE}"/>')
        for j, value in enumerate(fear[k * organisations : (k + 1) * organisations].tolist()):
            angle = 2 * pi * j / organisations - pi / 2
            place = f'cx="{x + 0.29 * size * cos(angle):.1f}" cy="{y + 0.29 * size * sin(angle):.1f}"'
            parts.append(f'<circle {place} r="{radius:.1f}" fill="{colour(value)}" stroke="{theme.GREY}"/>')
    bottom = 28 + rows * size
    return _svg(bottom + 44, [*parts, *_key(colour, bottom + 8)], words)


class _Colours:
    """From a fear to its colour on the film's scale."""

    def __init__(self) -> None:
        self._norm, self._map = BoundaryNorm(STEPS.tolist(), 256, extend="both"), colormaps[COLOURS]

    def __call__(self, fear: float) -> str:
        return to_hex(self._map(self._norm(fear)))


def _key(colour: _Colours, top: float) -> list[str]:
    """The colours with the fear that they stand for; the outermost mean less, and more."""
    width = 22
    left = (WIDTH - width * (len(STEPS) + 1)) / 2 + 14
    middles = [STEPS[0] - 0.01, *(STEPS[:-1] + STEPS[1:]) / 2, STEPS[-1] + 0.01]
    parts = [f'<text x="{left - 8}" y="{top + 13}" text-anchor="end">fear</text>']
    parts += [
        f'<rect x="{left + width * k}" y="{top}" width="{width}" height="16" fill="{colour(value)}"/>'
        for k, value in enumerate(middles)
    ]
    parts += [
        f'<text x="{left + width * (k + 1)}" y="{top + 31}" text-anchor="middle">{step:.1f}</text>'
        for k, step in enumerate(STEPS.tolist())
        if k % 2 == 0
    ]
    return parts


def _svg(height: float, parts: Sequence[str], words: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{html.escape(words)}" font-size="12" '
        f'font-family="DejaVu Sans, Verdana, sans-serif" fill="currentColor">{"".join(parts)}</svg>'
    )


class _Scale:
    """From months and values to places in the picture."""

    def __init__(self, months: int, low: float, high: float) -> None:
        self.months, self._low, self._high = months, low, high

    def x(self, month: float) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * (month - 1) / max(self.months - 1, 1)

    def y(self, value: float) -> float:
        return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * (value - self._low) / (self._high - self._low)

    def points(self, values: NDArray[np.float64]) -> list[str]:
        return [f"{self.x(month):.1f},{self.y(value):.2f}" for month, value in enumerate(values.tolist(), 1)]


def _axes(scale: _Scale, ticks: Sequence[float], unit: str) -> str:
    """Horizontal lines with their values, years, and what the value counts."""
    right, bottom = WIDTH - _RIGHT, HEIGHT - _BOTTOM
    digits = next(n for n in range(10) if n == 9 or all(abs(round(tick, n) - tick) < 1e-9 for tick in ticks))
    lines = [
        f'<line x1="{_LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="{theme.PALE}"/>'
        f'<text x="{_LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{theme.minus(f"{tick:.{digits}f}")}</text>'
        for tick, y in ((tick, scale.y(tick)) for tick in ticks)
    ]
    lines += [
        f'<text x="{scale.x(month):.1f}" y="{bottom + 16}" text-anchor="middle">{month // YEAR}</text>'
        for month in range(2 * YEAR, scale.months + 1, 2 * YEAR)
    ]
    grey = f'fill="{theme.GREY}"'
    return "".join(lines) + (
        f'<text x="{right}" y="{HEIGHT - 5}" text-anchor="end" {grey}>years</text>'
        f'<text x="4" y="{HEIGHT - 5}" {grey}>{html.escape(unit)}</text>'
    )


def _letters(scale: _Scale, sides: Sequence[Paths], names: Sequence[str]) -> list[str]:
    """The name of each side at the end of its line, moved apart where they are close."""
    ends = [float(side[:, -1].mean()) for side in sides]
    places = [scale.y(end) + 5 for end in ends]
    upper = int(np.argmin(places))
    if abs(places[0] - places[1]) < 14:
        middle = sum(places) / 2
        places = [middle + (-7 if k == upper else 7) for k in range(2)]
    return [
        f'<text x="{WIDTH - _RIGHT + 5}" y="{y:.1f}" fill="{colour}" font-size="15" font-weight="700">{name}</text>'
        for name, y, (colour, _) in zip(names, places, theme.LINES, strict=False)
    ]

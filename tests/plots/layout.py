"""Whether the texts of a picture fit: nothing is cut off, nothing lies on something else."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

SLACK = 1.0  # pixels


def texts(figure: Figure) -> list[str]:
    """Every text that is drawn, on one line each."""
    figure.draw_without_rendering()  # places of texts need no pixels
    return [" ".join(text.get_text().split()) for text in drawn(figure)]


def drawn(figure: Figure) -> Iterator[Text]:
    """Every text that is visible, tick labels and legends included; the figure has to be drawn before."""
    every = list(figure.texts)
    legends = list(figure.legends)
    for part in figure.subfigs:
        every += part.texts
        legends += part.legends
    for axes in figure.axes:
        every += [*axes.texts, *_labels(axes)]
        legends += [axes.get_legend()] if axes.get_legend() else []
    for legend in legends:
        every += [*legend.get_texts(), legend.get_title()]
    return (text for text in every if text.get_visible() and text.get_text().strip())


def _labels(axes: Axes) -> Iterator[Text]:
    yield from (axes.title, axes._left_title, axes._right_title)
    for axis in (axes.xaxis, axes.yaxis):
        if axes.axison and axis.get_visible():
            yield from (axis.label, axis.offsetText)
            yield from (label for tick in axis._update_ticks() for label in (tick.label1, tick.label2))


def faults(figure: Figure) -> list[str]:
    """A line for each text that is cut off at the edge, and for each pair that overlaps."""
    canvas = FigureCanvasAgg(figure)
    figure.draw_without_rendering()
    width, height = figure.get_size_inches() * figure.dpi
    found = [(text.get_text(), Text.get_window_extent(text, canvas.get_renderer())) for text in drawn(figure)]
    lines = [
        f"cut off: {text!r}" for text, b in found if min(b.x0, b.y0) < -SLACK or b.x1 > width + SLACK or b.y1 > height
    ]
    for (one, a), (other, b) in combinations(found, 2):
        across, up = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        if across > SLACK and up > SLACK:
            lines.append(f"overlap of {across:.0f} by {up:.0f} pixels: {one!r} and {other!r}")
    return lines

"""The picture of `growth.py`: time, memory, disk and files by size, with fitted power laws."""

from __future__ import annotations

from pathlib import Path

import measuring
import numpy as np
import pandas as pd
from growth import MEASURED, MONTHS, SYSTEM, fitted, upper
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from sim.run import provenance
from sim.show import cells, theme

QUANTITIES = {"seconds": "seconds", "memory": "peak memory, MiB", "disk": "on disk, MiB", "files": "files"}
ONE = {"managers": "a run", "runs": "a study"}


def save_picture(table: pd.DataFrame, stem: Path, made_with: str) -> None:
    """Draw it and write it as PNG and SVG."""
    drawn = picture(table, made_with)
    theme.save(drawn, stem, provenance(), theme.finding(drawn))


def picture(table: pd.DataFrame, made_with: str) -> Figure:
    """A panel for each quantity, on logarithmic axes."""
    panels = [(of, name) for of, names in MEASURED.items() for name in names]
    with theme.style():
        figure = theme.slide()
        for (of, name), box in zip(panels, cells.boxes(len(panels), bottom=0.17), strict=True):
            _panel(figure.add_axes(box), table[table["of"] == of], of, name)
        found = finding(table)
        theme.headline(figure, found)
        theme.footnote(
            figure,
            "Lines: power laws fitted to the larger half of the sizes (filled points), with the 95 % intervals of the"
            " fits; in brackets that of the exponent, by Student's t. Dotted: in proportion, exponent 1. Runs of"
            f" {MONTHS['managers']} months; studies of {SYSTEM} managers and {MONTHS['runs']} months, one worker.",
            f"{made_with}. {measuring.machine()}.",
        )
        theme.describe(figure, f"Six panels with logarithmic axes: time, memory, disk and files by size. {found}.")
        return figure


def _panel(axes: Axes, rows: pd.DataFrame, of: str, name: str) -> None:
    part = upper(rows)
    fit = fitted(part["number"], part[name])
    colour = theme.BLUE if of == "managers" else theme.VERMILLION
    x = np.geomspace(part["number"].iloc[0], part["number"].iloc[-1])
    axes.fill_between(x, fit.at(x, -1), fit.at(x, 1), color=colour, alpha=0.18, linewidth=0)
    axes.plot(x, fit.at(x), color=colour, linewidth=3)
    axes.plot(x, part[name].iloc[-1] * x / x[-1], color=theme.GREY, linewidth=1.5, linestyle=":")
    axes.plot(rows["number"], rows[name], "o", color=colour, markerfacecolor="white", markersize=8)
    axes.plot(part["number"], part[name], "o", color=colour, markersize=8)
    axes.set_xscale("log")
    axes.set_yscale("log")
    low, high = rows[name].min(), rows[name].max()
    if high / low < 100:  # or a flat line would fill the panel
        axes.set_ylim((low * high) ** 0.5 / 12, (low * high) ** 0.5 * 12)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda number, _: f"{number:,.0f}" if number >= 1 else f"{number:g}"))
        axis.set_minor_formatter("")
    title = f"{ONE[of].capitalize()}: {QUANTITIES[name]}"
    power = f"∝ {of}^{fit.exponent:.2f} ({fit.low:.2f} to {fit.high:.2f})"
    axes.set_title(theme.minus(f"{title}\n{power}"), fontsize=theme.TEXT, fontweight="bold")
    axes.set_xlabel(of, fontsize=theme.TEXT)
    axes.tick_params(labelsize=theme.SMALL)
    axes.grid(color=theme.PALE)


def finding(table: pd.DataFrame) -> str:
    """What the largest against the smallest of the upper half took."""
    said = []
    for of, what in (("managers", "a run"), ("runs", "a study")):
        part = upper(table[table["of"] == of])
        times = part[["number", "seconds", "memory"]].iloc[-1] / part[["number", "seconds", "memory"]].iloc[0]
        said.append(
            f"{what} with {times['number']:,.0f} times the {of} takes {times['seconds']:,.0f} times the time "
            f"and {times['memory']:.1f} times the memory"
        )
    text = "; ".join(said)
    return text[0].upper() + text[1:]

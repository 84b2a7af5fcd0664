"""Pictures of runs. Each returns a Matplotlib figure and touches no global state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from sim.claims.text import joined, label
from sim.errors import InputError, nearest, shown
from sim.model.outcomes import OUTCOMES
from sim.model.parameters import LEVERS, PARAMETERS, REGIMES, SPREADS, Parameters, resolve
from sim.plots import theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.model.run import Run

DEFAULT_PATHS = ("fear", "trust", "quality", "reported")
MOST_NAMED = 6
CLOSEST = 0.06  # between two labels at the right, as a share of the height


def time_paths(run: Run, outcomes: Sequence[str] = ()) -> Figure:
    """National outcomes of a run by month, on one scale, each line with its name at its end.

    `outcomes` are names of `OUTCOMES`, by default fear, trust, quality and reported. Dotted verticals
    mark the months in which the schedule changes a lever. Raises `InputError` for a name that is no outcome.
    """
    unknown = [name for name in outcomes if not isinstance(name, str) or name not in OUTCOMES]
    if unknown:
        raise InputError([f"{shown(name)}: no such outcome{nearest(name, OUTCOMES)}" for name in unknown])
    names = tuple(dict.fromkeys(outcomes or DEFAULT_PATHS))
    with theme.style():
        figure = theme.slide()
        axes = figure.add_axes((0.08, 0.11, 0.70, 0.68))
        series = run.series[list(names)]
        for k, name in enumerate(names):
            colour, dash = theme.LINES[k % len(theme.LINES)]
            axes.plot(series.index, series[name], color=colour, linestyle=dash, linewidth=3)
        last = len(series)
        axes.set_xlim(1, max(last, 2))
        axes.margins(y=0.06)
        _label_lines(axes, names, series.iloc[-1].to_numpy())
        _mark_schedule(axes, run.parameters)
        axes.set_xlabel("month", fontsize=theme.LARGE)
        units = {OUTCOMES[name].unit for name in names}
        axes.set_ylabel(units.pop() if len(units) == 1 else "each in its own unit", fontsize=theme.LARGE)
        axes.tick_params(labelsize=theme.LARGE)
        axes.grid(axis="y", color=theme.PALE)
        theme.headline(figure, _run_title(run))
        theme.describe(figure, f"Time paths of {joined([label(name) for name in names])}. {_run_title(run)}.")
        return figure


def _run_title(run: Run) -> str:
    """Regime and levers of a run, and its seed."""
    return f"{policy(run.parameters)}, seed {run.seed}"


def policy(p: Parameters) -> str:
    """The regime that comes nearest to `p`, and the levers and parameters that differ from it."""
    options = {name: _differing(p, name) for name in REGIMES}
    regime = min(options, key=lambda name: (len(options[name]), name != "baseline"))
    settings = [f"{name.replace('_', ' ')} {getattr(p, name):g}" for name in options[regime]]
    more = [f"{len(settings) - MOST_NAMED} more settings"] if len(settings) > MOST_NAMED else []
    return ", ".join([f"Regime {regime.replace('_', ' ')}", *settings[:MOST_NAMED], *more])


def _differing(p: Parameters, regime: str) -> list[str]:
    reference = resolve(regime)
    return [name for name in (*LEVERS, *SPREADS, *PARAMETERS) if getattr(p, name) != getattr(reference, name)]


def _label_lines(axes: Axes, names: Sequence[str], ends: np.ndarray) -> None:
    """Each line's name at its end, moved apart where two ends are close."""
    low, high = axes.get_ylim()
    order = np.argsort(ends, kind="stable")
    places = _apart((ends[order] - low) / (high - low), CLOSEST)
    for k, place in zip(order, places, strict=True):
        colour, _ = theme.LINES[k % len(theme.LINES)]
        axes.annotate(
            f"{names[k].replace('_', ' ')}  {ends[k]:.2g}",
            xy=(1.0, (ends[k] - low) / (high - low)),
            xytext=(1.03, place),
            xycoords="axes fraction",
            textcoords="axes fraction",
            color=colour,
            fontsize=theme.LARGE + 2,
            fontweight="bold",
            va="center",
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 1},
            annotation_clip=False,
        )


def _apart(places: np.ndarray, gap: float) -> np.ndarray:
    """Ascending places pushed up until neighbours are `gap` apart, then back down into the picture."""
    moved = places.astype(float).copy()
    for k in range(1, len(moved)):
        moved[k] = max(moved[k], moved[k - 1] + gap)
    if len(moved):
        moved[-1] = min(moved[-1], max(1.0, places[-1]))
    for k in range(len(moved) - 2, -1, -1):
        moved[k] = min(moved[k], moved[k + 1] - gap)
    return moved


def _mark_schedule(axes: Axes, p: Parameters) -> None:
    """A dotted vertical in every month that changes levers, with what changes written beside it."""
    changes: dict[int, list[str]] = {}
    for lever, by_month in p.schedule.items():
        for month, value in by_month.items():
            changes.setdefault(month, []).append(f"{lever.replace('_', ' ')} {value:g}")
    for k, month in enumerate(sorted(changes)):
        axes.axvline(month, color=theme.GREY, linestyle=":", linewidth=2)
        right = month > 0.7 * p.months
        axes.annotate(
            "\n".join(changes[month]),
            xy=(month, 1.0),
            xycoords=axes.get_xaxis_transform(),
            xytext=(0, 5 + 20 * (k % 3 if len(changes) > 1 else 0)),
            textcoords="offset points",
            ha="right" if right else "left",
            va="bottom",
            annotation_clip=False,
            fontsize=theme.TEXT,
            color=theme.GREY,
        )

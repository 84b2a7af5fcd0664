"""The pictures of a study: which of them its design and its outcomes call for, and how they are drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sim.plots import cells
from sim.plots.distributions import over_organisations
from sim.plots.dose import dose_response
from sim.plots.gap import shows_gap, true_and_reported
from sim.plots.maps import factor_map
from sim.plots.paths import fan
from sim.plots.rows import cells_in_rows
from sim.plots.sensitivity import importance

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sim.study import Results

Draw = Callable[["Results"], "Figure"]

NAMES = ("figure", "figure_map", "figure_gap", "figure_paths", "figure_organisations")
"""What the files of a study's pictures are called, without their endings."""


def study_figure(results: Results, outcomes: Sequence[str] = ()) -> Figure:
    """The first picture of a study, with its outcomes or some of them.

    What matters for one or two outcomes of a sampled design; dose and response for a grid over a number; else a row
    for each cell. The title says what was found. Raises `InputError` for outcomes that were not kept, and where
    nothing is finished.
    """
    if results.is_sampled:
        return importance(results.sensitivity(), outcomes or None)
    return dose_response(results, outcomes) if cells.numbers(results) else cells_in_rows(results, outcomes)


def pictures(results: Results) -> dict[str, Draw]:
    """The pictures that fit a study, by names of `NAMES`; each is drawn when it is called with the results.

    Beside the first one these are, where the design is not sampled, a map over two numbers, true and reported
    performance, time paths where series are kept, and distributions where organisations are.
    """
    found: dict[str, Draw] = {"figure": study_figure}
    if results.is_sampled:
        return found
    keeps = results.study.plan.kept
    if len(cells.numbers(results)) > 1:
        found["figure_map"] = factor_map
    if shows_gap(results.outcomes):
        found["figure_gap"] = true_and_reported
    if keeps.series:
        found["figure_paths"] = fan
    if keeps.organisations:
        found["figure_organisations"] = over_organisations
    return found

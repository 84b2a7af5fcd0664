"""Does what surveillance did go away when surveillance does? It is raised step by step and lowered again.

At equal levels an outcome coming down may differ from what it was going up. Part of that is mere delay: stocks such as
fear move slowly. So after the way down the lowest level is kept for some years more; what then remains is no delay.
Everything is an excess over a paired run that stays at the lowest level throughout, so drift drops out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.claims.text import label, shown_numbers
from sim.errors import InputError, shown
from sim.model import engine
from sim.model import record as recording
from sim.model.outcomes import OUTCOMES
from sim.model.parameters import Parameters
from sim.worlds.draws import FEWEST, Draws, Weighted, check, draw
from sim.worlds.runs import Progress, in_parallel

Values = NDArray[np.float64]

MOVED = ("monitoring", "targets")
"""The levers that are raised and lowered together."""
LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
BAND = (0.05, 0.95)
"""The quantiles over worlds that tables show as ``low`` and ``high``."""


@dataclass(frozen=True)
class Loop:
    """What raising and lowering surveillance leaves behind, in the unit of the outcome.

    Attributes
    ----------
    outcome : str
    sesoi : float
    curve : ``direction`` ("up", "down"), ``level``, and the excess: ``mean``, ``error``, ``low``, ``high``
        Along the way; the highest level belongs to the way up.
    worlds : ``end``, ``rested``, ``area``, a row for each draw
        The excess at the lowest level as soon as it is reached again and at the end of the rest, and the area between
        the ways down and up (unit of the outcome times level).
    shares : ``when`` ("end", "rested"), ``share``, ``error``
        The share of weight in which the excess is above the smallest effect of interest.
    area : tuple of float
        The mean area and its standard error.
    sentence : str
    """

    outcome: str
    sesoi: float
    curve: pd.DataFrame
    worlds: pd.DataFrame
    shares: pd.DataFrame
    area: tuple[float, float]
    sentence: str


def hysteresis(
    source: Weighted,
    draws: int = 100,
    seed: int = 0,
    progress: Progress | None = None,
    workers: int | None = None,
    *,
    outcome: str = "fear",
    levels: Sequence[float] = LEVELS,
    hold: int = 12,
    rest: int = 60,
    sesoi: float = 0.05,
    **sizes: Any,
) -> Loop:
    """Raise monitoring and targets through `levels`, lower them again, and compare at equal levels.

    Parameters
    ----------
    source : Weighted
        An ensemble, or a `Sample`, of which `draws` worlds are drawn by weight.
    outcome : str
        One of the model's outcomes.
    levels : sequence of float
        Rising, from 0 to 1, at least two.
    hold, rest : int
        Months at each level, of which the later half is averaged, and months at the lowest level after the last.
    sesoi : float
        The smallest effect of interest, in the outcome's unit.
    progress, workers
        As in `sim.worlds.runs.in_parallel`.
    **sizes
        Of the runs, without ``months``; by default six systems.

    Raises
    ------
    InputError
        With a line for each mistake.
    """
    counts = {"draws": (draws, FEWEST), "hold": (hold, 1), "rest": (rest, 1)}
    check([outcome], OUTCOMES, counts, sizes, settled=("months",))
    _check_levels(levels)
    way = [*levels, *levels[-2::-1]]
    changes = {1 + k * hold: level for k, level in enumerate(way)}
    settings = {"systems": 6, **sizes, "months": len(way) * hold + rest, **dict.fromkeys(MOVED, levels[0])}
    drawn = draw(source, draws, seed)

    def excess(number: int) -> Values:
        world, own = drawn.worlds[number], drawn.seeds[number]
        schedule = dict.fromkeys(MOVED, changes)
        moved, held = (world.parameters(**settings, schedule=plan) for plan in (schedule, {}))
        return monthly(moved, own, outcome) - monthly(held, own, outcome)

    found = np.array(in_parallel(excess, range(draws), progress, workers))
    late = hold - hold // 2
    steps = found[:, : len(way) * hold].reshape(draws, len(way), hold)[:, :, -late:].mean(axis=2)
    return _loop(drawn, steps, found[:, -late:].mean(axis=1), outcome, levels, sesoi, rest)


def monthly(p: Parameters, seed: int, outcome: str) -> Values:
    """An outcome by month, shape (months,), of one run."""
    record = engine.run(p, seed)
    return recording.outcomes(record.sums, len(record.totals))[outcome]


def loop_areas(steps: Values, levels: Sequence[float]) -> Values:
    """The area between the way down and the way up, by the trapezoidal rule.

    `steps`, draws by 2n − 1, are an outcome at the n `levels` going up and then coming down; positive where it is
    higher coming down.
    """
    n = len(levels)
    between = steps[:, : n - 2 : -1] - steps[:, :n]
    return np.asarray(((between[:, 1:] + between[:, :-1]) / 2.0) @ np.diff(levels))


def _loop(
    drawn: Draws, steps: Values, rested: Values, outcome: str, levels: Sequence[float], sesoi: float, rest: int
) -> Loop:
    n = len(levels)
    places = [*(("up", level) for level in levels), *(("down", level) for level in levels[-2::-1])]
    rows = [(*place, *summary(drawn, steps[:, k])) for k, place in enumerate(places)]
    worlds = pd.DataFrame({"end": steps[:, -1], "rested": rested, "area": loop_areas(steps, levels)})
    shares = [(when, *drawn.share(worlds[when] > sesoi)) for when in ("end", "rested")]
    area = drawn.mean(worlds["area"])
    gap = drawn.mean((steps[:, n:][:, ::-1] - steps[:, : n - 1]).mean(axis=1))
    (end, end_error), (later, later_error) = (percent(share, error) for _, share, error in shares)
    by, error = shown_numbers(abs(gap.estimate), gap.error)
    sentence = (
        f"With surveillance back at {levels[0]:g} after having been raised to {levels[-1]:g}, {label(outcome)} is more "
        f"than {sesoi:g} above where it would have been in {end} of worlds by weight (standard error {end_error}), and "
        f"in {later} ({later_error}) when it has been back for {rest} months more. At equal levels it is "
        f"{'higher' if gap.estimate > 0 else 'lower'} coming down than going up by {by} on average ({error})."
    )
    return Loop(
        outcome,
        sesoi,
        pd.DataFrame(rows, columns=["direction", "level", "mean", "error", "low", "high"]),
        worlds,
        pd.DataFrame(shares, columns=["when", "share", "error"]),
        (area.estimate, area.error),
        sentence,
    )


def summary(drawn: Draws, values: Values) -> tuple[float, float, float, float]:
    """Mean with its standard error, and the `BAND` over worlds."""
    low, high = drawn.quantiles(values, BAND).tolist()
    return *drawn.mean(values), low, high


def percent(share: float, error: float) -> tuple[str, str]:
    """A share and its standard error in per cent, with a decimal where they are small.

    >>> percent(0.31, 0.042), percent(0.012, 0.004)
    (('31 %', '4'), ('1.2 %', '0.4'))
    """
    places = 1 if error < 0.01 else 0
    return f"{100 * share:.{places}f} %", f"{100 * error:.{places}f}"


def _check_levels(levels: Sequence[float]) -> None:
    rising = len(levels) > 1 and all(a < b for a, b in pairwise(levels))
    if not rising or not 0.0 <= levels[0] < levels[-1] <= 1.0:
        raise InputError([f"levels: {shown(levels)} must be at least two numbers that rise, from 0 to 1"])

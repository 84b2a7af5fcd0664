"""How much monitoring is best: is there an optimum between none and all, where, and what moves it?

In each world an outcome is simulated at several levels of monitoring under the same seeds. The best level is chosen by
one half of the seeds and tried against both ends by the other, because the best of several noisy means would beat the
ends by luck.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.claims.text import joined, label, shown_numbers, signed
from sim.claims.verdict import mean_interval
from sim.questions.hysteresis import percent
from sim.worlds.draws import Draws, Weighted, check, draw
from sim.worlds.runs import MEASURES, PLACE, Progress, in_parallel, run_means

Values = NDArray[np.float64]

LEVELS = tuple(np.linspace(0.0, 1.0, 9).tolist())
"""Levels of monitoring."""
SHIFTS = (
    ("relationship", 0.1, 0.3),
    ("relationship", 0.3, 0.6),
    ("discernment", 0.2, 0.8),
    ("leniency", 0.1, 0.7),
)
"""Levers that may move the optimum, and from where to where; relationship is the lever that builds trust."""
_BASE = ("relationship", 0.3)  # its default: the worlds as they are
_POLICIES: tuple[tuple[str, float], ...] = tuple(
    dict.fromkeys((_BASE, *((lever, x) for lever, *ends in SHIFTS for x in ends)))
)
FEWER = 3
"""What moves the optimum is a mean over worlds and needs fewer seeds in each: a third of them."""
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


class Best(NamedTuple):
    """The best level of monitoring in a world: where, and by how much it surely beats the worse-beaten of both ends
    (the lower end of the 95 % interval, −inf where an end is best)."""

    location: float
    margin: float


@dataclass(frozen=True)
class Optimum:
    """The optimum of monitoring for an outcome, in its unit.

    Attributes
    ----------
    outcome : str
    worlds : ``location``, ``margin``, a row for each draw, see `Best`
    shares : ``what``, ``share``, ``error``
        Of weight: by estimates alone "best at none", "best between" and "best at all"; and "interior" (beats both ends
        by more than chance) and "interior, beyond the smallest effect".
    locations : ``quantile``, ``monitoring``
        Over worlds with an interior optimum; empty without any.
    shifts : ``lever``, ``low``, ``high``, ``shift``, ``error``, ``slope_shift``, ``slope_error``
        How far the best level moves (ends included) when the lever goes from low to high, and how the slope of the
        outcome over monitoring changes, paired in each world.
    curves : ``lever``, ``value``, ``monitoring``, ``mean``, ``error``
    sentence : str
    """

    outcome: str
    worlds: pd.DataFrame
    shares: pd.DataFrame
    locations: pd.DataFrame
    shifts: pd.DataFrame
    curves: pd.DataFrame
    sentence: str


def optimum(
    source: Weighted,
    draws: int = 100,
    seed: int = 0,
    progress: Progress | None = None,
    workers: int | None = None,
    *,
    outcome: str = "quality",
    replications: int = 12,
    sesoi: float = 0.02,
    **sizes: Any,
) -> Optimum:
    """The level of monitoring, from 0 to 1, at which an outcome is highest.

    Parameters
    ----------
    source : Weighted
        An ensemble, or a `Sample`, of which `draws` worlds are drawn by weight.
    outcome : str
        One of `sim.worlds.runs.MEASURES`; more of it is better.
    replications : int
        Seeds for each level, at least 4; half of them choose and half of them try. See `FEWER`.
    sesoi : float
        The smallest effect of interest, in the outcome's unit.
    progress, workers
        As in `sim.worlds.runs.in_parallel`.
    **sizes
        Of the runs; by default three systems over 120 months.

    Raises
    ------
    InputError
        With a line for each mistake.
    """
    sizes = {"systems": 3, "months": 120, **sizes}
    check([outcome], MEASURES, {"draws": (draws, 2), "replications": (replications, 4)}, sizes)
    drawn = draw(source, draws, seed)

    def curves(number: int) -> tuple[Values, Values]:
        world, first = drawn.worlds[number], drawn.seeds[number]

        def curve(lever: str, value: float, seeds: int) -> Values:
            policies: list[dict[str, Any]] = [{lever: value, "monitoring": m, **sizes} for m in LEVELS]
            runs = [world.parameters(**policy) for policy in policies]
            return np.array([[run_means(p, first + k)[PLACE[outcome]] for k in range(seeds)] for p in runs])

        base, few = curve(*_BASE, replications), replications // FEWER
        moved = [base[:, :few] if policy == _BASE else curve(*policy, few) for policy in _POLICIES]
        return base, np.array(moved).mean(axis=2)

    bases, means = zip(*in_parallel(curves, range(draws), progress, workers), strict=True)
    return _optimum(drawn, np.array(bases), np.array(means), outcome, sesoi)


def vertex(levels: Sequence[float], means: Values) -> float:
    """Where a parabola through the best point and its neighbours is highest; the best point where it is an end.

    >>> round(vertex([0.0, 0.5, 1.0], np.array([0.0, 0.24, 0.16])), 6)
    0.7
    """
    k = int(np.argmax(means))
    if k in (0, len(means) - 1):
        return float(levels[k])
    left, middle, right = means[k - 1 : k + 2].tolist()
    bend = left - 2.0 * middle + right
    return float(levels[k] + (levels[k + 1] - levels[k]) * (left - right) / 2.0 / bend) if bend else float(levels[k])


def best(curve: Values) -> Best:
    """The best level of a curve, levels of monitoring by seeds."""
    location = vertex(LEVELS, curve.mean(axis=1))
    half = curve.shape[1] // 2
    k = int(np.argmax(curve[:, :half].mean(axis=1)))
    if k in (0, len(curve) - 1):
        return Best(location, -np.inf)
    return Best(location, min(mean_interval((curve[k] - curve[end])[half:])[1] for end in (0, -1)))


def slopes(curves: Values) -> Values:
    """The slope of a straight line through each curve; levels are the last dimension."""
    centred = np.asarray(LEVELS) - np.mean(LEVELS)
    return np.asarray(curves @ centred / (centred @ centred))


def _optimum(drawn: Draws, bases: Values, means: Values, outcome: str, sesoi: float) -> Optimum:
    """`bases`: draws by levels by seeds; `means`: draws by policies by levels."""
    worlds = pd.DataFrame([best(curve) for curve in bases], columns=list(Best._fields))
    location, margin = (worlds[name].to_numpy() for name in Best._fields)
    truths = {
        "best at none": location == LEVELS[0],
        "best between": (location > LEVELS[0]) & (location < LEVELS[-1]),
        "best at all": location == LEVELS[-1],
        "interior": margin > 0.0,
        "interior, beyond the smallest effect": margin > sesoi,
    }
    shares = pd.DataFrame([(what, *drawn.share(t)) for what, t in truths.items()], columns=["what", "share", "error"])
    interior = truths["interior"]
    where = drawn.where(interior).quantiles(location[interior], QUANTILES) if interior.any() else np.empty(0)
    curves = [
        (lever, value, m, *drawn.mean(means[:, k, j]))
        for k, (lever, value) in enumerate(_POLICIES)
        for j, m in enumerate(LEVELS)
    ]
    shifts = _shifts(drawn, means)
    return Optimum(
        outcome,
        worlds,
        shares,
        pd.DataFrame({"quantile": QUANTILES[: len(where)], "monitoring": where}),
        shifts,
        pd.DataFrame(curves, columns=["lever", "value", "monitoring", "mean", "error"]),
        _sentence(outcome, sesoi, shares, where, shifts),
    )


def _shifts(drawn: Draws, means: Values) -> pd.DataFrame:
    """`means`: draws by policies by levels."""
    places = np.array([[vertex(LEVELS, curve) for curve in world] for world in means])
    inclines = slopes(means)
    rows = []
    for lever, low, high in SHIFTS:
        a, b = _POLICIES.index((lever, low)), _POLICIES.index((lever, high))
        moved, tilted = (drawn.mean(values[:, b] - values[:, a]) for values in (places, inclines))
        rows.append((lever, low, high, *moved, *tilted))
    columns = ["lever", "low", "high", "shift", "error", "slope_shift", "slope_error"]
    return pd.DataFrame(rows, columns=columns)


def _sentence(outcome: str, sesoi: float, shares: pd.DataFrame, where: Values, shifts: pd.DataFrame) -> str:
    said = {row["what"]: percent(row["share"], row["error"]) for row in shares.to_dict("records")}
    none, between, every, inside, beyond = said.values()
    text = (
        f"By estimates alone {label(outcome)} is best without monitoring in {none[0]} of worlds by weight, with all of "
        f"it in {every[0]} and with some in {between[0]}; some beats both ends by more than chance in {inside[0]} "
        f"(standard error {inside[1]}), by more than {sesoi:g} in {beyond[0]} ({beyond[1]})."
    )
    if len(where):
        low, middle, high = (f"{m:.2f}" for m in where[[0, len(where) // 2, -1]])
        text += f" There, the best monitoring is {middle} in the middle world, {low} to {high} in nine of ten."
    moved = [
        f"{signed(row['shift'])} (standard error {shown_numbers(row['error'])[0]}) when {row['lever']} goes from "
        f"{row['low']:g} to {row['high']:g}"
        for row in shifts.to_dict("records")
    ]
    return f"{text} The best level moves by {joined(moved)}."

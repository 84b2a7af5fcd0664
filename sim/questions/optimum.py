"""The best amount of monitoring: whether there is an optimum between none and all, where, and what moves it.

In each world an outcome is simulated at several levels of monitoring under the same seeds. The best level is chosen by
one half of the seeds and tried against both ends by the other, because the best of several noisy means would beat the
ends by luck.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sim.claims.answer import Reply
from sim.claims.tables import QUANTILES
from sim.model.glossary import joined, shown_numbers, signed
from sim.model.words import label
from sim.questions.paired import Drawn, Values, share_and_error, shares
from sim.statistics import mean_interval, top_of_parabola
from sim.worlds.evaluate import MEASURES, PLACE, check, run_means
from sim.worlds.prior import World

QUESTION = "Is there a best amount of monitoring for quality, and what moves it?"
LEVELS = tuple(np.linspace(0.0, 1.0, 9).tolist())
"""Levels of monitoring."""
SHIFTS = (("relationship", 0.1, 0.3), ("relationship", 0.3, 0.6), ("discernment", 0.2, 0.8), ("leniency", 0.1, 0.7))
"""Levers that may move the optimum, and from where to where; relationship is the lever that builds trust."""
_BASE = ("relationship", 0.3)  # its default: the worlds as they are
_POLICIES: tuple[tuple[str, float], ...] = tuple(
    dict.fromkeys((_BASE, *((lever, x) for lever, *ends in SHIFTS for x in ends)))
)
FEWER = 3
"""What moves the optimum is a mean over worlds and needs fewer seeds in each: a third of them."""
_AT = np.array(LEVELS)


class Best(NamedTuple):
    """The best level of monitoring in a world: where, and by how much it surely beats the worse-beaten of both ends
    (the lower end of the 95 % interval, −inf where an end is best)."""

    location: float
    margin: float


def optimum(
    drawn: Drawn, *, outcome: str = "quality", replications: int = 12, sesoi: float = 0.02, **sizes: Any
) -> Reply:
    """The level of monitoring, from 0 to 1, at which an outcome of `MEASURES` is highest; more of it is better.

    There are `replications` seeds for each level, at least 4, of which half choose and half try (see `FEWER`); `sesoi`
    is the smallest effect of interest, in the outcome's unit. Runs have three systems and 120 months unless `sizes` say
    otherwise. The reply has these tables, in the unit of the outcome:

    ``optimum_worlds`` : ``location``, ``margin``, a row for each draw, see `Best`
    ``optimum_shares`` : ``what``, ``share``, ``error``
        Of weight: by estimates alone "best at none", "best between" and "best at all"; and "interior" (beats both ends
        by more than chance) and "interior, beyond the smallest effect".
    ``optimum_locations`` : ``quantile``, ``monitoring``
        Over worlds with an interior optimum; empty without any.
    ``optimum_shifts`` : ``lever``, ``low``, ``high``, ``shift``, ``error``, ``slope_shift``, ``slope_error``
        How far the best level moves (ends included) when the lever goes from low to high, and how the slope of the
        outcome over monitoring changes, paired in each world.
    ``optimum_curves`` : ``lever``, ``value``, ``monitoring``, ``mean``, ``error``
    """
    sizes = {"systems": 3, "months": 120, **sizes}
    check([outcome], MEASURES, {"replications": (replications, 4)}, sizes)

    def curves(world: World, first: int) -> tuple[Values, Values]:
        def curve(lever: str, value: float, seeds: int) -> Values:
            runs = [world.parameters(**{lever: value, "monitoring": m, **sizes}) for m in LEVELS]
            return np.array([[run_means(p, first + k)[PLACE[outcome]] for k in range(seeds)] for p in runs])

        base, few = curve(*_BASE, replications), replications // FEWER
        moved = [base[:, :few] if policy == _BASE else curve(*policy, few) for policy in _POLICIES]
        return base, np.array(moved).mean(axis=2)

    bases, means = zip(*drawn.each(curves), strict=True)
    return _reply(drawn, np.array(bases), np.array(means), outcome, sesoi)


def best(curve: Values) -> Best:
    """The best level of a curve, levels of monitoring by seeds."""
    location = float(top_of_parabola(_AT, curve.mean(axis=1)[None])[0])
    half = curve.shape[1] // 2
    k = int(np.argmax(curve[:, :half].mean(axis=1)))
    if k in (0, len(curve) - 1):
        return Best(location, -np.inf)
    return Best(location, float(min(mean_interval((curve[k] - curve[end])[half:])[1] for end in (0, -1))))


def slopes(curves: Values) -> Values:
    """The slope of a straight line through each curve; levels are the last dimension."""
    centred = np.asarray(LEVELS) - np.mean(LEVELS)
    return np.asarray(curves @ centred / (centred @ centred))


def _reply(drawn: Drawn, bases: Values, means: Values, outcome: str, sesoi: float) -> Reply:
    """`bases`: draws by levels by seeds; `means`: draws by policies by levels."""
    found = pd.DataFrame([best(curve) for curve in bases], columns=list(Best._fields))
    location, margin = (found[name].to_numpy() for name in Best._fields)
    truths = {
        "best at none": location == LEVELS[0],
        "best between": (location > LEVELS[0]) & (location < LEVELS[-1]),
        "best at all": location == LEVELS[-1],
        "interior": margin > 0.0,
        "interior, beyond the smallest effect": margin > sesoi,
    }
    told = shares("what", {what: (drawn.worlds, truth) for what, truth in truths.items()})
    inside = truths["interior"]
    where = drawn.worlds.where(inside).quantiles(location[inside], QUANTILES) if inside.any() else np.empty(0)
    places = top_of_parabola(_AT, means.reshape(-1, len(LEVELS))).reshape(means.shape[:2])
    shifts, said = [], []
    for lever, low, high in SHIFTS:
        a, b = _POLICIES.index((lever, low)), _POLICIES.index((lever, high))
        moved, tilted = (drawn.worlds.mean(values[:, b] - values[:, a]) for values in (places, slopes(means)))
        shifts.append((lever, low, high, *moved, *tilted))
        by, error = signed(moved.estimate), shown_numbers(moved.error)[0]
        said.append(f"{by} (standard error {error}) when {lever} goes from {low:g} to {high:g}")
    columns = ["lever", "low", "high", "shift", "error", "slope_shift", "slope_error"]
    at = zip(*((*policy, m) for policy in _POLICIES for m in LEVELS), strict=True)
    tables = {
        "optimum_shares": told,
        "optimum_locations": pd.DataFrame({"quantile": QUANTILES[: len(where)], "monitoring": where}),
        "optimum_shifts": pd.DataFrame(shifts, columns=columns),
        "optimum_curves": drawn.means(
            dict(zip(("lever", "value", "monitoring"), at, strict=True)), means.reshape(len(means), -1)
        ),
        "optimum_worlds": found,
    }
    none, between, every, some, beyond = map(share_and_error, told["share"], told["error"])
    sentence = (
        f"By estimates alone {label(outcome)} is best without monitoring in {none[0]} of worlds by weight, with all of "
        f"it in {every[0]} and with some in {between[0]}; some beats both ends by more than chance in {some[0]} "
        f"(standard error {some[1]}), by more than {sesoi:g} in {beyond[0]} ({beyond[1]})."
    )
    if len(where):
        lowest, middle, highest = (f"{m:.2f}" for m in where[[0, len(where) // 2, -1]])
        sentence += (
            f" There, the best monitoring is {middle} in the middle world, {lowest} to {highest} in nine of ten."
        )
    return Reply(QUESTION, (f"{sentence} The best level moves by {joined(said)}.",), tables)

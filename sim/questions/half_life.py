"""How long a heavy spell is remembered: an outcome after years of heavy surveillance, against light all along."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.claims.text import label
from sim.model.outcomes import OUTCOMES
from sim.model.parameters import REGIMES
from sim.questions.hysteresis import monthly, percent, summary
from sim.worlds.draws import FEWEST, Draws, Weighted, check, draw
from sim.worlds.runs import Progress, in_parallel

Values = NDArray[np.float64]

SMOOTHED = 5
"""Months of the moving average in which the half is looked for."""
LAST = 6
"""The last months of the spell; their mean excess is what is halved."""
QUARTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Spell:
    """What a heavy spell leaves behind, in the unit of the outcome.

    Attributes
    ----------
    outcome : str
    path : ``month`` (after the spell; up to 0 is within it), ``mean``, ``error``, ``low``, ``high``
        The excess over light surveillance throughout, over all worlds drawn.
    worlds : ``excess``, ``half_life``, a row for each draw
        The excess at the end of the spell, and months until half of it is left: infinite where that does not happen
        in the months looked at, NaN where there is too little excess to speak of.
    shares : ``what`` ("excess": enough of it; "halved": of those, halved in the months looked at), ``share``, ``error``
    half_life : ``quantile``, ``months``
        Over the worlds with enough excess; empty without any.
    sentence : str
    """

    outcome: str
    path: pd.DataFrame
    worlds: pd.DataFrame
    shares: pd.DataFrame
    half_life: pd.DataFrame
    sentence: str


def heavy_spell(
    source: Weighted,
    draws: int = 100,
    seed: int = 0,
    progress: Progress | None = None,
    workers: int | None = None,
    *,
    outcome: str = "fear",
    spell: int = 60,
    after: int = 120,
    least: float = 0.02,
    **sizes: Any,
) -> Spell:
    """Heavy surveillance for `spell` months and light for `after` more, paired with light throughout.

    Parameters
    ----------
    source : Weighted
        An ensemble, or a `Sample`, of which `draws` worlds are drawn by weight.
    outcome : str
        One of the model's outcomes.
    least : float
        An excess at the end of the spell below this is too little to speak of a half of it.
    progress, workers
        As in `sim.worlds.runs.in_parallel`.
    **sizes
        Of the runs, without ``months``; by default ten systems, because halves are small.

    Raises
    ------
    InputError
        With a line for each mistake.
    """
    counts = {"draws": (draws, FEWEST), "spell": (spell, LAST), "after": (after, SMOOTHED)}
    check([outcome], OUTCOMES, counts, sizes, settled=("months",))
    sizes = {"systems": 10, **sizes, "months": spell + after}
    light = REGIMES["light"].levers
    schedule = {lever: {1: value, spell + 1: light[lever]} for lever, value in REGIMES["heavy"].levers.items()}
    drawn = draw(source, draws, seed)

    def excess(number: int) -> Values:
        world, own = drawn.worlds[number], drawn.seeds[number]
        heavy, calm = (world.parameters("light", **sizes, schedule=plan) for plan in (schedule, {}))
        return monthly(heavy, own, outcome) - monthly(calm, own, outcome)

    found = np.array(in_parallel(excess, range(draws), progress, workers))
    return _spell(drawn, found, outcome, spell, least)


def half_life(excess: Values, spell: int, least: float) -> tuple[float, float]:
    """The mean excess in the last `LAST` months of the spell, and months after it until half is left.

    `excess`, shape (months,), begins with the spell. A moving average over `SMOOTHED` months is followed and read
    between its months.

    >>> decaying = np.concatenate([np.ones(12), 0.5 ** (np.arange(1, 60) / 10.0)])
    >>> start, months = half_life(decaying, 12, 0.02)
    >>> abs(months - 10.0) < 0.1
    True
    """
    start = float(excess[spell - LAST : spell].mean())
    if start < least:
        return start, np.nan
    margin = SMOOTHED // 2
    smooth = np.convolve(excess, np.full(SMOOTHED, 1.0 / SMOOTHED), "valid")[spell - margin :]
    left = np.concatenate([[start], smooth])
    below = np.flatnonzero(left <= start / 2.0)
    if not len(below):
        return start, np.inf
    k = below[0]
    return start, float(k - 1 + (left[k - 1] - start / 2.0) / (left[k - 1] - left[k]))


def _spell(drawn: Draws, found: Values, outcome: str, spell: int, least: float) -> Spell:
    worlds = pd.DataFrame([half_life(one, spell, least) for one in found], columns=["excess", "half_life"])
    months = np.arange(1, found.shape[1] + 1) - spell
    rows = [(month, *summary(drawn, found[:, k])) for k, month in enumerate(months)]
    enough = worlds["half_life"].notna().to_numpy()
    shares = [("excess", *drawn.share(enough))]
    quantiles = np.empty(0)
    if enough.any():
        those, lives = drawn.where(enough), worlds["half_life"].to_numpy()[enough]
        shares.append(("halved", *those.share(np.isfinite(lives))))
        quantiles = those.quantiles(lives, QUARTILES)
    return Spell(
        outcome,
        pd.DataFrame(rows, columns=["month", "mean", "error", "low", "high"]),
        worlds,
        pd.DataFrame(shares, columns=["what", "share", "error"]),
        pd.DataFrame({"quantile": QUARTILES[: len(quantiles)], "months": quantiles}),
        _sentence(outcome, spell, least, shares, quantiles, found.shape[1] - spell),
    )


def _sentence(
    outcome: str, spell: int, least: float, shares: list[tuple[str, float, float]], quantiles: Values, after: int
) -> str:
    share, error = percent(*shares[0][1:])
    opening = (
        f"At the end of {spell} months of heavy surveillance {label(outcome)} is at least {least:g} above what light "
        f"surveillance would have made it in {share} of worlds by weight (standard error {error})"
    )
    if not len(quantiles):
        return f"{opening}; a half-life says nothing."
    low, _, middle, _, high = (f"{m:.0f}" if np.isfinite(m) else f"more than {after}" for m in quantiles)
    return (
        f"{opening}. There, half of that is gone after {middle} months in the middle world; in the middle 90 % of "
        f"worlds by weight, after {low} to {high}."
    )

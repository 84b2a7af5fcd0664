"""Half-life: an outcome after years of heavy surveillance, against light surveillance throughout."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from sim.claims.answer import Reply
from sim.model.glossary import label
from sim.model.outcomes import OUTCOMES
from sim.model.parameters import REGIMES
from sim.pool import Progress
from sim.questions.paired import QUANTILES, Values, mean_and_band, monthly, paired, share_and_error
from sim.worlds.evaluate import FEWEST, check
from sim.worlds.prior import Worlds

QUESTION = "How long does the fear of a heavy spell last?"
SMOOTHED = 5
"""Months of the moving average in which the half is looked for."""
LAST = 6
"""The last months of the spell; their mean excess is what is halved."""


def heavy_spell(
    source: Worlds,
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
) -> Reply:
    """Heavy surveillance for `spell` months and light for `after` more, paired with light throughout.

    Parameters
    ----------
    outcome : str
        One of the model's outcomes.
    least : float
        An excess at the end of the spell below this is too little to speak of a half of it.
    **sizes
        Of the runs, without ``months``; by default ten systems, because halves are small.

    Returns
    -------
    A reply with the tables, in the unit of the outcome:

    ``memory_path`` : ``month`` (after the spell; up to 0 is within it), ``mean``, ``error``, ``low``, ``high``
        The excess over light surveillance throughout, over all worlds drawn.
    ``memory_worlds`` : ``excess``, ``half_life``, a row for each draw
        The excess at the end of the spell, and months until half of it is left: infinite where that does not happen
        in the months looked at, NaN where there is too little excess to speak of.
    ``memory_shares`` : ``what`` ("excess": enough of it; "halved": of those, halved in the months looked at),
        ``share``, ``error``
    ``memory_half_life`` : ``quantile``, ``months``
        Over the worlds with enough excess; empty without any.
    """
    counts = {"draws": (draws, FEWEST), "spell": (spell, LAST), "after": (after, SMOOTHED)}
    check([outcome], OUTCOMES, counts, sizes, settled=("months",))
    light = REGIMES["light"].levers
    schedule = {lever: {1: value, spell + 1: light[lever]} for lever, value in REGIMES["heavy"].levers.items()}
    calm = {"regime": "light", "systems": 10, **sizes, "months": spell + after, "schedule": {}}
    drawn = source.resample(draws, seed)
    found = paired(drawn, calm | {"schedule": schedule}, calm, partial(monthly, outcome=outcome), progress, workers)
    return _reply(drawn, found, outcome, spell, least)


def _reply(drawn: Worlds, found: Values, outcome: str, spell: int, least: float) -> Reply:
    """`found` is the excess, draws by months."""
    worlds = pd.DataFrame([half_life(one, spell, least) for one in found], columns=["excess", "half_life"])
    rows = [(k + 1 - spell, *mean_and_band(drawn, found[:, k])) for k in range(found.shape[1])]
    enough = worlds["half_life"].notna().to_numpy()
    shares = [("excess", *drawn.share(enough))]
    share, error = share_and_error(*shares[0][1:])
    sentence = (
        f"At the end of {spell} months of heavy surveillance {label(outcome)} is at least {least:g} above what light "
        f"surveillance would have made it in {share} of worlds by weight (standard error {error})"
    )
    quantiles = np.empty(0)
    if enough.any():
        those, lives = drawn.where(enough), worlds["half_life"].to_numpy()[enough]
        shares.append(("halved", *those.share(np.isfinite(lives))))
        quantiles = those.quantiles(lives, QUANTILES)
        low, _, middle, _, high = (
            f"{m:.0f}" if np.isfinite(m) else f"more than {found.shape[1] - spell}" for m in quantiles
        )
        sentence += (
            f". There, half of that is gone after {middle} months in the middle world; in the middle 90 % of worlds by "
            f"weight, after {low} to {high}."
        )
    else:
        sentence += "; a half-life says nothing."
    tables = {
        "memory_path": pd.DataFrame(rows, columns=["month", "mean", "error", "low", "high"]),
        "memory_shares": pd.DataFrame(shares, columns=["what", "share", "error"]),
        "memory_half_life": pd.DataFrame({"quantile": QUANTILES[: len(quantiles)], "months": quantiles}),
        "memory_worlds": worlds,
    }
    return Reply(QUESTION, (sentence,), tables)


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

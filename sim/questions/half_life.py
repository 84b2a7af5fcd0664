"""Half-life: an outcome after years of heavy surveillance, against light surveillance throughout."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sim.claims.answer import Reply
from sim.claims.statements import LIMITS
from sim.claims.tables import QUANTILES
from sim.model.outcomes import OUTCOMES
from sim.model.parameters import REGIMES
from sim.model.words import label, level
from sim.questions.paired import Drawn, Values, share_and_error, shares
from sim.worlds.evaluate import check

CLAIM = "fear"
QUESTION = "How long does the fear of a heavy spell last?"
SMOOTHED = 5
"""Months of the moving average in which the half is looked for."""
LAST = 6
"""The last months of the spell; their mean excess is what is halved."""
LEAST = LIMITS["fear"].size
"""An excess at the end of the spell below this is too little to speak of a half of it."""


def heavy_spell(drawn: Drawn, *, outcome: str = "fear", spell: int = 60, after: int = 120, **sizes: Any) -> Reply:
    """Heavy surveillance for `spell` months and light for `after` more, paired with light throughout.

    Runs have ten systems unless `sizes`, without ``months``, say otherwise, because halves are small. The reply has
    these tables, in the unit of the outcome, which is one of the model's:

    ``memory_path`` : ``month`` (after the spell; up to 0 is within it), ``mean``, ``error``, ``low``, ``high``
        The excess over light surveillance throughout, over all worlds drawn.
    ``memory_worlds`` : ``excess``, ``half_life``, a row for each draw
        The excess at the end of the spell, and months until half of it is left: infinite where that does not happen
        in the months looked at, NaN where the excess is below `LEAST`.
    ``memory_shares`` : ``what`` ("excess": enough of it; "halved": of those, halved in the months looked at),
        ``share``, ``error``
    ``memory_half_life`` : ``quantile``, ``months``
        Over the worlds with enough excess; empty without any.
    """
    check([outcome], OUTCOMES, {"spell": (spell, LAST), "after": (after, SMOOTHED)}, sizes, settled=("months",))
    light = REGIMES["light"].levers
    schedule = {lever: {1: value, spell + 1: light[lever]} for lever, value in REGIMES["heavy"].levers.items()}
    calm = {"regime": "light", "systems": 10, **sizes, "months": spell + after, "schedule": {}}
    excess = drawn.paired(calm | {"schedule": schedule}, calm, outcome)
    found = pd.DataFrame([half_life(one, spell) for one in excess], columns=["excess", "half_life"])
    enough = found["half_life"].notna().to_numpy()
    truths, quantiles = {"excess": (drawn.worlds, enough)}, np.empty(0)
    if enough.any():
        those, lives = drawn.worlds.where(enough), found["half_life"].to_numpy()[enough]
        truths["halved"] = those, np.isfinite(lives)
        quantiles = those.quantiles(lives, QUANTILES)
    tables = {
        "memory_path": drawn.means({"month": range(1 - spell, after + 1)}, excess, band=True),
        "memory_shares": shares("what", truths),
        "memory_half_life": pd.DataFrame({"quantile": QUANTILES[: len(quantiles)], "months": quantiles}),
        "memory_worlds": found,
    }
    share, error = share_and_error(*drawn.worlds.share(enough))
    sentence = (
        f"At the end of {spell} months of heavy surveillance {label(outcome)} is at least {level(outcome, LEAST)} "
        f"above what light surveillance would have made it in {share} of worlds by weight (standard error {error})"
    )
    if not enough.any():
        return Reply(CLAIM, QUESTION, (f"{sentence}; a half-life says nothing.",), tables)
    low, _, middle, _, high = (f"{m:.0f}" if np.isfinite(m) else f"more than {after}" for m in quantiles)
    sentence += (
        f". There, half of that is gone after {middle} months in the middle world; in the middle 90 % of worlds by "
        f"weight, after {low} to {high}."
    )
    return Reply(CLAIM, QUESTION, (sentence,), tables)


def half_life(excess: Values, spell: int) -> tuple[float, float]:
    """The mean excess in the last `LAST` months of the spell, and months after it until half is left; NaN where that
    excess is below `LEAST`.

    `excess`, shape (months,), begins with the spell. A moving average over `SMOOTHED` months is followed and read
    between its months.

    >>> decaying = np.concatenate([np.ones(12), 0.5 ** (np.arange(1, 60) / 10.0)])
    >>> start, months = half_life(decaying, 12)
    >>> abs(months - 10.0) < 0.1
    True
    """
    start = float(excess[spell - LAST : spell].mean())
    if start < LEAST:
        return start, np.nan
    margin = SMOOTHED // 2
    smooth = np.convolve(excess, np.full(SMOOTHED, 1.0 / SMOOTHED), "valid")[spell - margin :]
    left = np.concatenate([[start], smooth])
    below = np.flatnonzero(left <= start / 2.0)
    if not len(below):
        return start, np.inf
    k = below[0]
    return start, float(k - 1 + (left[k - 1] - start / 2.0) / (left[k - 1] - left[k]))

"""Hysteresis: raise monitoring and targets step by step, lower them again, and compare an outcome at equal levels.

Part of what differs between the ways up and down is mere delay: stocks such as fear move slowly. So after the way down
the lowest level is kept for some years more; what then remains is no delay. Everything is an excess over a paired run
that stays at the lowest level throughout, so drift drops out.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from sim.claims.answer import Reply
from sim.claims.statements import LIMITS
from sim.errors import InputError, Mistake
from sim.model.glossary import shown_numbers
from sim.model.outcomes import OUTCOMES
from sim.model.words import label, level, natural, unit
from sim.questions.paired import Drawn, Values, share_and_error, shares
from sim.worlds.evaluate import check

CLAIM = "fear"
QUESTION = "Surveillance is raised slowly and lowered again: does fear come back down?"
MOVED = ("monitoring", "targets")
"""The levers that are raised and lowered together."""
LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def hysteresis(
    drawn: Drawn,
    *,
    outcome: str = "fear",
    levels: Sequence[float] = LEVELS,
    hold: int = 12,
    rest: int = 60,
    sesoi: float = LIMITS["fear"].size,
    **sizes: Any,
) -> Reply:
    """Raise monitoring and targets through `levels`, lower them again, and compare at equal levels.

    The `levels` rise, from 0 to 1, and are at least two. Each is held for `hold` months, of which the later half is
    averaged, and the lowest for `rest` more after the last; `sesoi` is the smallest effect of interest. Runs have six
    systems unless `sizes`, without ``months``, say otherwise. The reply has these tables, in the unit of the outcome,
    which is one of the model's:

    ``tipping_curve`` : ``direction`` ("up", "down"), ``level``, and the excess: ``mean``, ``error``, ``low``, ``high``
        Along the way; the highest level belongs to the way up.
    ``tipping_worlds`` : ``end``, ``rested``, ``area``, a row for each draw
        The excess at the lowest level as soon as it is reached again and at the end of the rest, and the area between
        the ways down and up (unit of the outcome times level).
    ``tipping_shares`` : ``when`` ("end", "rested"), ``share``, ``error``
        The share of weight in which the excess is above the smallest effect of interest.
    """
    check([outcome], OUTCOMES, {"hold": (hold, 1), "rest": (rest, 1)}, sizes, settled=("months",))
    rising = len(levels) > 1 and all(a < b for a, b in pairwise(levels))
    if not rising or not 0.0 <= levels[0] < levels[-1] <= 1.0:
        raise InputError([Mistake(("levels",), levels, "must be at least two numbers that rise, from 0 to 1")])
    down = levels[-2::-1]
    way = [*levels, *down]
    changes = {1 + k * hold: level for k, level in enumerate(way)}
    held = {"systems": 6, **sizes, "months": len(way) * hold + rest, **dict.fromkeys(MOVED, levels[0]), "schedule": {}}
    found = drawn.paired(held | {"schedule": dict.fromkeys(MOVED, changes)}, held, outcome)
    late, n = hold - hold // 2, len(levels)
    steps = found[:, : len(way) * hold].reshape(len(found), len(way), hold)[:, :, -late:].mean(axis=2)
    end, rested = steps[:, -1], found[:, -late:].mean(axis=1)
    places = {"direction": ["up"] * n + ["down"] * len(down), "level": way}
    left = shares("when", {"end": (drawn.worlds, end > sesoi), "rested": (drawn.worlds, rested > sesoi)})
    tables = {
        "tipping_curve": drawn.means(places, steps, band=True),
        "tipping_shares": left,
        "tipping_worlds": pd.DataFrame({"end": end, "rested": rested, "area": loop_areas(steps, levels)}),
    }
    gap = drawn.worlds.mean((steps[:, n:][:, ::-1] - steps[:, : n - 1]).mean(axis=1))
    (now, now_error), (later, later_error) = map(share_and_error, left["share"], left["error"])
    by, error = shown_numbers(natural(outcome, abs(gap.estimate)), natural(outcome, gap.error))
    sentence = (
        f"With surveillance back at {levels[0]:g} after having been raised to {levels[-1]:g}, {label(outcome)} is more "
        f"than {level(outcome, sesoi)} above where it would have been in {now} of worlds by weight "
        f"(standard error {now_error}), and in {later} ({later_error}) when it has been back for {rest} months more. "
        f"At equal levels it is {'higher' if gap.estimate > 0 else 'lower'} coming down than going up by {by} "
        f"{unit(outcome)} on average (standard error {error})."
    )
    return Reply(CLAIM, QUESTION, (sentence,), tables)


def loop_areas(steps: Values, levels: Sequence[float]) -> Values:
    """The area between the way down and the way up, by the trapezoidal rule.

    `steps`, draws by 2n − 1, are an outcome at the n `levels` going up and then coming down; positive where it is
    higher coming down.
    """
    n = len(levels)
    between = steps[:, : n - 2 : -1] - steps[:, :n]
    return np.asarray(((between[:, 1:] + between[:, :-1]) / 2.0) @ np.diff(levels))

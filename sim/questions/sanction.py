"""One publicised sanction: the fear that it adds, person by person and month by month.

Two runs under one seed differ by one sanction in each system, out of the blue. Fear belongs to whoever holds a post:
who is sanctioned may lose it, and the successor does not share the memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sim.claims.answer import Reply
from sim.errors import Mistake, Mistakes
from sim.model import engine
from sim.model.glossary import joined, shown_numbers
from sim.model.interventions import LEARNED, Interventions, Sanction
from sim.model.parameters import Parameters
from sim.model.words import natural
from sim.questions.paired import Drawn, Values
from sim.worlds.evaluate import check
from sim.worlds.prior import DEFAULT, World

CLAIM = "fear"
QUESTION = "How far and how long does one publicised sanction reach?"
GROUPS = ("the one", "colleagues", "rest of the system")
"""Whose fear: the one who is sanctioned, the others in the organisation, the other organisations of the system."""
PUBLICITIES = (0.0, 0.5, 1.0)
POST = 1  # not the first, the chief executive, whose fear tightens scrutiny
SMOOTHED = 3  # months, of the mean curve in which the half is looked for


def sanction_reach(
    drawn: Drawn, *, publicities: Sequence[float] = PUBLICITIES, before: int = 36, after: int = 48, **sizes: Any
) -> Reply:
    """One sanction in each system after `before` months, under baseline oversight, followed for `after` months.

    `publicities` are values of the lever publicity, from 0 to 1. Runs have ten systems, each a replicate, unless
    `sizes`, without ``months``, say otherwise; there are at least two organisations of at least two managers. The reply
    has a sentence for each publicity, and these tables, means over worlds and systems:

    ``reach_path`` : ``publicity``, ``group``, ``month`` (0: the month of the sanction), ``rise``, ``error``
        For each person of the group.
    ``reach_summary`` : ``publicity``, ``group``, ``people``, ``rise``, ``error``, ``total``, ``total_error``, ``half``
        In the month of the sanction: the rise for each of so many people and for all together; and the first month in
        which half or less of it is left for each, NaN where that does not happen or nothing rose.
    """
    mistakes = Mistakes()
    with mistakes:
        check(counts={"before": (before, 1), "after": (after, 1)}, sizes=sizes, settled=("months",))
    mistakes += [Mistake(("publicity",), x, "must be a number from 0 to 1") for x in publicities if not 0.0 <= x <= 1.0]
    few = [name for name in ("organisations", "managers") if sizes.get(name) == 1]
    mistakes += [Mistake((name,), 1, "must be at least 2; there are no others") for name in few]
    mistakes.tell()
    sizes = {"systems": 10, **sizes, "months": before + after}

    def rises(world: World, own: int) -> Values:
        return np.array([_rises(world.parameters(publicity=x, **sizes), own, before) for x in publicities])

    found, p = np.array(drawn.each(rises)), DEFAULT.parameters(**sizes)
    people = (1, p.managers - 1, (p.organisations - 1) * p.managers)
    paths, rows, sentences = [], [], []
    for k, publicity in enumerate(publicities):
        halves = []
        for g, (group, many) in enumerate(zip(GROUPS, people, strict=True)):
            keys = {"publicity": publicity, "group": group, "month": range(after + 1)}
            paths.append(drawn.means(keys, found[:, k, g]).rename(columns={"mean": "rise"}))
            rise, error = drawn.worlds.mean(found[:, k, g, 0])
            half = months_until_half(paths[-1]["rise"].to_numpy())
            rows.append((publicity, group, many, rise, error, many * rise, many * error, half))
            if np.isfinite(half):
                halves.append(f"{half:.0f} months for {group if group == 'the one' else f'the {group}'}")
        amounts = found[:, k, 0, 0], found[:, k, 1:, 0] @ np.array(people[1:])
        means = (np.array(drawn.worlds.mean(x)) * natural("fear", 1.0) for x in amounts)
        one, others = ("{} (standard error {})".format(*shown_numbers(*mean)) for mean in means)
        sentences.append(
            f"With publicity {publicity:g}, one sanction adds {one} points of 100 to the fear of the one and {others} "
            f"to that of {sum(people[1:])} others in the system taken together."
            + (f" Half of it is gone after {joined(halves)}." if halves else "")
        )
    columns = ["publicity", "group", "people", "rise", "error", "total", "total_error", "half"]
    tables = {
        "reach_path": pd.concat(paths, ignore_index=True),
        "reach_summary": pd.DataFrame(rows, columns=columns),
    }
    return Reply(CLAIM, QUESTION, tuple(sentences), tables)


def _rises(p: Parameters, seed: int, month: int) -> Values:
    """What a sanction adds to fear, groups by months from `month` on, means over people and systems."""
    with_it, without = (
        engine.run(p, seed, interventions=Interventions(sanction=sanction, record_fear=True)).fear[
            month - 1 :, :, LEARNED
        ]
        for sanction in (Sanction(month, POST), None)
    )
    added = (with_it - without).reshape(len(with_it), p.systems, -1)
    own, elsewhere = added[:, :, : p.managers], added[:, :, p.managers :]
    colleagues = np.delete(own, POST, axis=2)
    return np.array([group.mean(axis=(1, 2)) for group in (own[:, :, [POST]], colleagues, elsewhere)])


def months_until_half(curve: Values) -> float:
    """The first month in which half or less of `curve[0]` is left, in a moving average; NaN where there is none.

    >>> months_until_half(np.array([0.4, 0.3, 0.2, 0.1, 0.0, 0.0]))
    2.0
    """
    smooth = np.convolve(curve[1:], np.full(SMOOTHED, 1.0 / SMOOTHED), "valid")
    below = np.flatnonzero(smooth <= curve[0] / 2.0 + 1e-12)
    return float(below[0] + SMOOTHED // 2 + 1) if curve[0] > 0.0 and len(below) else np.nan

"""Attribution: which of the model's mechanisms make an effect what it is, by Shapley values.

The mechanisms that are on in a world are switched off one after the other in a random order, and what each takes with
it is averaged over orders and worlds. The parts sum to the effect with everything on less the effect with everything
off, in each draw and so on average. A mechanism that is off in a world contributes nothing there. (Switching off each
mechanism alone would ignore that mechanisms stand in for each other.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.claims.statements import Claim, cases
from sim.model import engine
from sim.model.parameters import MECHANISMS
from sim.model.version import identity
from sim.pool import Progress, in_blocks, in_parallel
from sim.worlds import evaluate
from sim.worlds.evaluate import BLOCK, KEPT, PLACE, Arm, Contrast, run_means
from sim.worlds.prior import World, Worlds

Values = NDArray[np.float64]
Game = Callable[[tuple[str, ...]], Values]
"""What there is when these players are off: an array, of the same shape whoever is off."""
Draw = tuple[World, int, list[str]]
"""A world, its seed, and an order of its mechanisms."""
MADE_BY = (*evaluate.MADE_BY, __name__)
"""Modules that make the numbers of a block, for `sim.model.version.identity`."""


class Walk(NamedTuple):
    """What each player took away, by name, when they went one after the other, and the values at both ends."""

    parts: dict[str, Values]
    on: Values
    off: Values


class Attribution(NamedTuple):
    """Shapley values of the mechanisms; tables in the units of the outcomes, each with its standard error ``error``.

    mechanisms : ``contrast``, ``outcome``, ``mechanism``, ``case``, ``contribution``, ``error``
    cases : ``contrast``, ``outcome``, ``case`` ("for", "against", "all"), ``contribution``, ``error``
    ends : ``contrast``, ``outcome``, ``mechanisms`` ("on": as the worlds have them; "off"), ``effect``, ``error``
    """

    mechanisms: pd.DataFrame
    cases: pd.DataFrame
    ends: pd.DataFrame


def attributed(claims: Sequence[Claim], worlds: Worlds, **how: Any) -> dict[str, pd.DataFrame]:
    """By name ``carriers``, ``carriers_by_case`` and ``carriers_ends``: `shapley` of the claims, told `how`."""
    asked = [(claim.id, case.contrast, m.outcome) for claim, case in cases(tuple(claims)) for m in case.measures]
    if not asked:
        return {}
    contrasts, outcomes = dict.fromkeys(c for _, c, _ in asked), dict.fromkeys(name for *_, name in asked)
    found = shapley(list(contrasts), list(outcomes), worlds, **how)
    keys = pd.DataFrame([(claim, c.name, name) for claim, c, name in asked], columns=["claim", "contrast", "outcome"])
    mechanisms, by_case, ends = (keys.merge(table, on=["contrast", "outcome"]) for table in found)
    carriers = mechanisms.rename(columns={"error": "standard_error"})
    return {"carriers": carriers, "carriers_by_case": by_case, "carriers_ends": ends}


def shapley(
    contrasts: Sequence[Contrast],
    outcomes: Sequence[str],
    worlds: Worlds,
    draws: int = 200,
    seed: int = 0,
    *,
    folder: Path | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
    **sizes: Any,
) -> Attribution:
    """Shapley values of the mechanisms for each contrast's effect on each outcome, over weighted worlds.

    The contrasts are of policies: where an arm has another run's fear there is nothing to switch off. `draws` worlds
    are drawn by weight, each with a seed and an order of its own, about 30 runs an arm for each. (Walking an order in
    its reverse as well was no better than a new draw: the worlds differ more than the orders.) `sizes` are those of
    the runs; `folder` keeps finished blocks of draws.
    """
    drawn, jobs = worlds.resample(draws, seed), list[Draw]()
    for number, (world, own) in enumerate(zip(drawn, drawn.seeds.tolist(), strict=True)):
        on = [name for name in MECHANISMS if name not in world.off]
        jobs.append((world, own, np.random.default_rng([seed, number]).permutation(on).tolist()))

    def one(job: Draw) -> Walk:
        world, own, order = job
        return walk(effects_of(world, contrasts, outcomes, own, **sizes), order)

    def block(some: Sequence[Draw], later: Progress) -> dict[str, Values]:
        walks = in_parallel(one, some, later, workers)
        parts = [[w.parts.get(name, np.zeros_like(w.on)) for name in MECHANISMS] for w in walks]
        return {"parts": np.array(parts), **{end: np.array([getattr(w, end) for w in walks]) for end in ("on", "off")}}

    engine.warm_up()
    made = (identity(*MADE_BY), contrasts, outcomes, sorted(sizes.items()))
    found = in_blocks(block, jobs, BLOCK, made, folder, KEPT, progress)
    parts = found["parts"]
    of_case = {case: [m.case == case for m in MECHANISMS.values()] for case in ("for", "against")}
    of_case["all"] = [True] * len(MECHANISMS)
    # draws side by side in memory, because a mean's last bit depends on it
    sums = {(case,): np.asfortranarray(parts[:, which].sum(axis=1)) for case, which in of_case.items()}

    def table(columns: Sequence[str], values: Mapping[Any, Values]) -> pd.DataFrame:
        rows = [
            (contrast.name, outcome, *name, *drawn.mean(value[:, c, o]))
            for c, contrast in enumerate(contrasts)
            for o, outcome in enumerate(outcomes)
            for name, value in values.items()
        ]
        return pd.DataFrame(rows, columns=["contrast", "outcome", *columns, "error"])

    return Attribution(
        table(
            ["mechanism", "case", "contribution"],
            {(m.name, m.case): parts[:, k] for k, m in enumerate(MECHANISMS.values())},
        ),
        table(["case", "contribution"], sums),
        table(
            ["mechanisms", "effect"],
            {(end,): found[end] for end in ("on", "off")},
        ),
    )


def walk(game: Game, order: Sequence[str]) -> Walk:
    """Switch players off in this order.

    >>> walk(lambda off: np.array([2.0 - len(off)]), ("a", "b")).parts["a"].tolist()
    [1.0]
    """
    on = before = game(())
    parts = {}
    for k, player in enumerate(order, start=1):
        after = game(tuple(order[:k]))
        parts[player] = before - after
        before = after
    return Walk(parts, on, before)


def effects_of(world: World, contrasts: Sequence[Contrast], outcomes: Sequence[str], seed: int, **sizes: Any) -> Game:
    """The effects in a world, shape (contrasts, outcomes), as a game whose players are the mechanisms.

    Both arms of a contrast run under `seed`. Runs with equal parameters are made once, so contrasts that share an
    arm share its runs, and a mechanism whose parameters are at their null anyway costs none.
    """
    done: dict[str, Values] = {}
    places = [PLACE[name] for name in outcomes]

    def means(arm: Arm, off: tuple[str, ...]) -> Values:
        p = world.parameters(arm.regime, mechanisms_off=off, **{**dict(arm.settings), **sizes})
        key = p.model_dump_json()
        if key not in done:
            done[key] = run_means(p, seed)[places]
        return done[key]

    return lambda off: np.stack([np.asarray(sum(sign * means(arm, off) for sign, arm in c.arms)) for c in contrasts])

"""What carries an effect: which of the model's mechanisms make it what it is.

Two answers. *One off in turn*: the effect as a world has it less the effect with one mechanism off. It ignores that
mechanisms stand in for each other. *Shapley values*: the mechanisms that are on in a world are switched off one after
the other in a random order, and what each takes with it is averaged over orders and worlds. The parts sum to the effect
with everything on less the effect with everything off, in each draw and so on average. A mechanism that is off in a
world contributes nothing there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.claims.text import joined, label, shown_numbers, signed
from sim.errors import InputError
from sim.model.parameters import MECHANISMS
from sim.worlds.draws import FEWEST, Draws, Weighted, check, draw
from sim.worlds.prior import World
from sim.worlds.runs import MEASURES, PLACE, Progress, in_parallel, run_means

if TYPE_CHECKING:
    from sim.claims.statements import Arm, Comparison

Values = NDArray[np.float64]
Game = Callable[[tuple[str, ...]], Values]
"""What there is when these players are off: an array, of the same shape whoever is off."""

SIZES_OF_RUNS = {"systems": 3, "months": 120}
STANDS_OUT = 3.0
"""Standard errors beyond which a contribution is told from nothing. At 2, about two of 34 would pass by chance."""
NAMED = 4
"""The most mechanisms that a sentence names."""
_CASES = ("for", "against")


class Walk(NamedTuple):
    """What each player took away, by name, when they went one after the other, and the values at both ends."""

    parts: dict[str, Values]
    on: Values
    off: Values


@dataclass(frozen=True)
class Attribution:
    """Shapley values of the mechanisms; tables in the units of the outcomes, each with its standard error ``error``.

    Attributes
    ----------
    mechanisms : ``comparison``, ``outcome``, ``mechanism``, ``case``, ``contribution``, ``error``
    cases : ``comparison``, ``outcome``, ``case`` ("for", "against", "all"), ``contribution``, ``error``
    ends : ``comparison``, ``outcome``, ``mechanisms`` ("on": as the worlds have them; "off"), ``effect``, ``error``
    draws : int
        Pairs of a world and an order.
    """

    mechanisms: pd.DataFrame
    cases: pd.DataFrame
    ends: pd.DataFrame
    draws: int


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


def each_alone(game: Game, players: Sequence[str]) -> Walk:
    """What each player alone takes away from everything on."""
    on = game(())
    return Walk({name: on - game((name,)) for name in players}, on, on)


def effects_of(
    world: World, comparisons: Sequence[Comparison], outcomes: Sequence[str], seed: int, **sizes: Any
) -> Game:
    """The effects in a world, shape (comparisons, outcomes), as a game whose players are the mechanisms.

    Both arms of a comparison run under `seed`. Runs with equal parameters are made once, so comparisons that share an
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

    return lambda off: np.stack([means(c.plus, off) - means(c.minus, off) for c in comparisons])


def shapley(
    comparisons: Sequence[Comparison],
    outcomes: Sequence[str],
    source: Weighted,
    draws: int = 200,
    seed: int = 0,
    progress: Progress | None = None,
    workers: int | None = None,
    **sizes: Any,
) -> Attribution:
    """Shapley values of the mechanisms for each comparison's effect on each outcome, over weighted worlds.

    Parameters
    ----------
    comparisons : sequence of Comparison
    outcomes : sequence of str, from `sim.worlds.runs.MEASURES`
    source : Weighted
        An ensemble, or a `Sample`.
    draws : int
        Worlds drawn by weight, each with a seed and an order of its own; about 30 runs an arm for each. (Walking an
        order in its reverse as well was no better than a new draw: the worlds differ more than the orders.)
    progress, workers
        As in `sim.worlds.runs.in_parallel`. The numbers do not depend on them.
    **sizes
        Of the runs; by default three systems over 120 months.

    Raises
    ------
    InputError
        With a line for each mistake.
    """
    sizes = SIZES_OF_RUNS | sizes
    _check(comparisons, outcomes, draws, sizes)
    drawn = draw(source, draws, seed)

    def one(number: int) -> Walk:
        game = effects_of(drawn.worlds[number], comparisons, outcomes, drawn.seeds[number], **sizes)
        order = np.random.default_rng([seed, number]).permutation(_on(drawn.worlds[number])).tolist()
        return walk(game, order)

    walks = in_parallel(one, range(draws), progress, workers)
    parts = _parts(walks)
    table = _by_mechanism(parts, drawn, comparisons, outcomes)
    cases = _by_case(parts, drawn, comparisons, outcomes)
    return Attribution(table, cases, _ends(walks, drawn, comparisons, outcomes), draws)


def one_off(
    comparisons: Sequence[Comparison],
    outcomes: Sequence[str],
    source: Weighted,
    draws: int = 200,
    seed: int = 0,
    progress: Progress | None = None,
    workers: int | None = None,
    **sizes: Any,
) -> pd.DataFrame:
    """Each effect as the worlds have it less the effect with one mechanism off, for each mechanism in turn.

    Arguments and errors as in `shapley`; returns a table like `Attribution.mechanisms`.
    """
    sizes = SIZES_OF_RUNS | sizes
    _check(comparisons, outcomes, draws, sizes)
    drawn = draw(source, draws, seed)

    def one(number: int) -> Walk:
        world = drawn.worlds[number]
        return each_alone(effects_of(world, comparisons, outcomes, drawn.seeds[number], **sizes), _on(world))

    parts = _parts(in_parallel(one, range(draws), progress, workers))
    return _by_mechanism(parts, drawn, comparisons, outcomes)


def carriers(attribution: Attribution, comparison: str, outcome: str) -> pd.DataFrame:
    """The mechanisms whose contribution stands out, the largest first.

    Their ``share`` is of all movement, up and down: of the sum of the absolute contributions.
    """
    mine = _rows(attribution.mechanisms, comparison, outcome)
    size = mine["contribution"].abs()
    found = mine.assign(share=size / size.sum())[size > STANDS_OUT * mine["error"]]
    return found.sort_values("share", ascending=False, kind="stable").reset_index(drop=True)


def carriers_sentence(attribution: Attribution, comparison: str, outcome: str) -> str:
    """Which mechanisms carry an effect, in a few sentences that can be read aloud."""
    cases = _rows(attribution.cases, comparison, outcome).set_index("case")[["contribution", "error"]].T.to_dict()
    ends = _rows(attribution.ends, comparison, outcome).set_index("mechanisms")["effect"].to_dict()
    found = carriers(attribution, comparison, outcome)
    on, off = signed(ends["on"]), signed(ends["off"])
    opening = f"On average over the worlds the effect on {label(outcome)} is {on}, and {off} without any mechanism."
    if found.empty:
        return f"{opening} No single mechanism stands out from chance."
    parts = [
        f"{row['mechanism'].replace('_', ' ')} ({signed(row['contribution'])}, {100 * row['share']:.0f} %)"
        for row in found.head(NAMED).to_dict("records")
    ]
    more = f", then {len(found) - NAMED} more" if len(found) > NAMED else ""
    sides = [
        f"{signed(cases[case]['contribution'])} (standard error {shown_numbers(cases[case]['error'])[0]}) from "
        f"mechanisms put in {'for the warning' if case == 'for' else 'against it'}"
        for case in _CASES
    ]
    return (
        f"{opening} It is carried by {joined(parts)}{more}; percentages are of all movement, up or down. "
        f"Together: {joined(sides)}."
    )


def _rows(table: pd.DataFrame, comparison: str, outcome: str) -> pd.DataFrame:
    return table[(table["comparison"] == comparison) & (table["outcome"] == outcome)]


def _on(world: World) -> list[str]:
    return [name for name in MECHANISMS if name not in world.off]


def _check(comparisons: Sequence[Comparison], outcomes: Sequence[str], draws: object, sizes: dict[str, Any]) -> None:
    check(outcomes, MEASURES, {"draws": (draws, FEWEST)}, sizes)
    given = [c.name for c in comparisons if c.plus.fear_of or c.minus.fear_of]
    lines = [f'comparison "{name}": an arm has another run\'s fear; only policies can be attributed' for name in given]
    lines += [] if comparisons else ["comparisons: there are none"]
    lines += [] if outcomes else ["outcomes: there are none"]
    if lines:
        raise InputError(lines)


def _parts(walks: Sequence[Walk]) -> Values:
    """Contributions, draws by mechanisms by comparisons by outcomes; zero where a mechanism is off in the world."""
    nothing = np.zeros_like(walks[0].on)
    return np.array([[w.parts.get(name, nothing) for name in MECHANISMS] for w in walks])


def _by_mechanism(
    parts: Values, drawn: Draws, comparisons: Sequence[Comparison], outcomes: Sequence[str]
) -> pd.DataFrame:
    rows = [
        (comparison.name, outcome, m.name, m.case, *drawn.mean(parts[:, k, c, o]))
        for (c, comparison), (o, outcome), (k, m) in product(
            enumerate(comparisons), enumerate(outcomes), enumerate(MECHANISMS.values())
        )
    ]
    return pd.DataFrame(rows, columns=["comparison", "outcome", "mechanism", "case", "contribution", "error"])


def _by_case(parts: Values, drawn: Draws, comparisons: Sequence[Comparison], outcomes: Sequence[str]) -> pd.DataFrame:
    members = {case: [m.case == case for m in MECHANISMS.values()] for case in _CASES}
    members["all"] = [True] * len(MECHANISMS)
    rows = [
        (comparison.name, outcome, case, *drawn.mean(parts[:, which, c, o].sum(axis=1)))
        for (c, comparison), (o, outcome), (case, which) in product(
            enumerate(comparisons), enumerate(outcomes), members.items()
        )
    ]
    return pd.DataFrame(rows, columns=["comparison", "outcome", "case", "contribution", "error"])


def _ends(
    walks: Sequence[Walk], drawn: Draws, comparisons: Sequence[Comparison], outcomes: Sequence[str]
) -> pd.DataFrame:
    values = {"on": np.array([w.on for w in walks]), "off": np.array([w.off for w in walks])}
    rows = [
        (comparison.name, outcome, which, *drawn.mean(effect[:, c, o]))
        for (c, comparison), (o, outcome), (which, effect) in product(
            enumerate(comparisons), enumerate(outcomes), values.items()
        )
    ]
    return pd.DataFrame(rows, columns=["comparison", "outcome", "mechanisms", "effect", "error"])

"""Draws from weighted worlds."""

from __future__ import annotations

import numpy as np
import pytest

from sim.errors import InputError
from sim.worlds.draws import Sample, check, draw, unweighted
from sim.worlds.prior import prior

WORLDS = prior(20)


def test_a_world_is_drawn_as_often_as_its_weight_says():
    weights = np.arange(20) / np.arange(20).sum()
    ancestors = np.arange(20) // 2
    drawn = draw(Sample(WORLDS, weights, ancestors), 190)
    demand = [world.values["demand"] for world in drawn.worlds]
    assert [demand.count(world.values["demand"]) for world in WORLDS] == list(range(20))
    assert np.array_equal(np.bincount(drawn.ancestors), [2 * k + 2 * k + 1 for k in range(10)])
    assert drawn.mean(demand).estimate == pytest.approx(weights @ [world.values["demand"] for world in WORLDS])


def test_each_draw_has_a_seed_of_its_own_that_follows_from_the_first():
    one, again, other = (draw(unweighted(WORLDS), 40, seed) for seed in (0, 0, 1))
    assert len(set(one.seeds)) == 40
    assert one.seeds == again.seeds != other.seeds


def test_chosen_draws_keep_what_belongs_to_them():
    drawn = draw(unweighted(WORLDS), 20)
    chosen = drawn.where(np.arange(20) % 2 == 1)
    assert chosen.seeds == drawn.seeds[1::2] and chosen.worlds == drawn.worlds[1::2]
    assert chosen.weights.sum() == pytest.approx(1.0)


def test_every_mistake_gets_a_line():
    with pytest.raises(InputError) as refused:
        check(["feer"], ["fear"], {"draws": (True, 2)}, {"sistems": 3, "managers": 0, "months": 4}, settled=("months",))
    assert refused.value.lines == (
        'feer: no such outcome (did you mean "fear"?)',
        "draws: True is not a whole number from 2 to 1000000",
        'sistems: no size of a run (did you mean "systems"?)',
        "months: cannot be set here; it follows from the rest",
        "managers = 0: must be a whole number from 1 to 1 000 000 000",
    )

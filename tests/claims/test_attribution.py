"""What carries an effect: parts that sum to the whole, known games, and mechanisms that cannot matter."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sim.claims import attribution as module
from sim.claims.attribution import effects_of, shapley, walk
from sim.claims.statements import LIMITS
from sim.claims.text import carriers_sentence
from sim.claims.verdict import classes
from sim.model.parameters import MECHANISMS
from sim.pool import in_parallel
from sim.worlds.evaluate import PLACE, Arm, less, run_means
from sim.worlds.prior import DEFAULT, World, prior

HEAVY, LIGHT = Arm("heavy", "heavy"), Arm("light", "light")
SURVEILLANCE = less(HEAVY, LIGHT)
NOTHING = less(HEAVY, HEAVY)
OUTCOMES = ("fear", "quality", "harm")
SMALL: dict[str, Any] = {"systems": 1, "organisations": 2, "managers": 3, "months": 6}
SOURCE = prior(12)


def off(case: str) -> tuple[str, ...]:
    return tuple(m.name for m in MECHANISMS.values() if m.case == case)


def average(game, players):
    """Exact Shapley values: the mean over all orders."""
    walks = [walk(game, order) for order in permutations(players)]
    return {name: float(np.mean([w.parts[name] for w in walks])) for name in players}


def test_the_players_of_a_known_game_get_their_shapley_values():
    """The glove game: a left glove and either of two right ones make a pair worth 1; 2/3, 1/6, 1/6."""

    def pair(off):
        return np.array(float("left" not in off and not {"right", "other"} <= set(off)))

    assert average(pair, ("left", "right", "other")) == pytest.approx({"left": 2 / 3, "right": 1 / 6, "other": 1 / 6})


def test_symmetric_players_get_the_same_and_a_null_player_nothing():
    def game(off):
        on = {"a", "b", "c", "null"} - set(off)
        return np.array(3.0 * len(on & {"a", "b"}) + 5.0 * ({"a", "b", "c"} <= on))

    values = average(game, ("a", "b", "c", "null"))
    assert values["a"] == pytest.approx(values["b"]) == pytest.approx(3 + 5 / 3)
    assert values["c"] == pytest.approx(5 / 3) and values["null"] == 0.0


def test_players_that_stand_in_for_each_other_share_what_they_carry():
    """Switching off each alone would find nothing."""

    def either(off):
        return np.array(float(not {"a", "b"} <= set(off)))

    assert average(either, ("a", "b")) == {"a": 0.5, "b": 0.5}


def test_contributions_sum_to_the_effect_with_all_on_less_that_with_all_off():
    found = shapley((SURVEILLANCE, NOTHING), OUTCOMES, SOURCE, 6, **SMALL)
    keys = ["contrast", "outcome"]
    parts = found.mechanisms.groupby(keys)["contribution"].sum()
    ends = found.ends.pivot(index=keys, columns="mechanisms", values="effect")
    cases = found.cases.pivot(index=keys, columns="case", values="contribution")
    assert len(parts) == 6 and len(found.mechanisms) == 6 * len(MECHANISMS)
    assert np.allclose(parts, ends["on"] - ends["off"], rtol=0, atol=1e-14)
    assert np.allclose(parts, cases["all"], rtol=0, atol=1e-14)
    assert np.allclose(cases["for"] + cases["against"], cases["all"], rtol=0, atol=1e-14)
    assert (ends["on"]["heavy - light"] != 0.0).all() and (ends["on"]["heavy - heavy"] == 0.0).all()


def test_the_ends_are_the_effects_that_runs_of_these_worlds_have():
    world = World({"burden": 0.2}, off=("gaming",))
    found = effects_of(world, (SURVEILLANCE,), ("quality",), 7, **SMALL)
    for switched in ((), tuple(MECHANISMS)):
        plus, minus = (
            run_means(world.parameters(regime, mechanisms_off=switched, **SMALL), 7) for regime in ("heavy", "light")
        )
        assert found(switched)[0, 0] == (plus - minus)[PLACE["quality"]]


def test_a_mechanism_whose_parameters_cannot_matter_contributes_exactly_nothing():
    """Nobody is held to a standard, social care is not cut, and a mechanism that is off has nothing to give."""
    found = shapley((SURVEILLANCE,), OUTCOMES, prior(6, off=0.0), 6, **SMALL).mechanisms
    idle = found[found["mechanism"].isin(["safe_standards", "bed_blocking"])]
    assert (idle[["contribution", "error"]] == 0.0).all(axis=None) and len(idle) == 6
    fearless = World({}, off=("learned_fear",))
    assert "learned_fear" not in shapley_parts(fearless)
    assert "learned_fear" in shapley_parts(DEFAULT)


def on(world: World) -> list[str]:
    return [name for name in MECHANISMS if name not in world.off]


def shapley_parts(world: World) -> dict[str, Any]:
    return walk(effects_of(world, (SURVEILLANCE,), OUTCOMES, 0, **SMALL), on(world)).parts


def test_no_run_is_made_twice(monkeypatch):
    """Arms that are shared, steps that change nothing and both ends come from the same runs."""
    runs = []
    monkeypatch.setattr(module, "run_means", lambda p, seed: runs.append(p.model_dump_json()) or run_means(p, seed))
    third = less(HEAVY, Arm("baseline"))
    game = effects_of(World({"burden": 0.0}), (SURVEILLANCE, third, NOTHING), OUTCOMES, 0, **SMALL)
    order = list(MECHANISMS)
    walk(game, order)
    walk(game, order)
    assert len(runs) == len(set(runs)) == 3 * len(order)  # 3 arms; paperwork has nothing to switch off


def test_numbers_do_not_depend_on_the_workers_and_do_on_the_seed():
    one, two, other = (
        shapley((SURVEILLANCE,), ("fear",), SOURCE, 4, seed, workers=workers, **SMALL).mechanisms
        for seed, workers in ((0, 1), (0, 2), (1, 2))
    )
    pd.testing.assert_frame_equal(one, two)
    assert not one["contribution"].equals(other["contribution"])


def test_worlds_without_weight_have_no_say():
    worlds = replace(prior(4, off=0.0), weights=np.array([0.0, 1.0, 0.0, 0.0]))
    found = shapley((SURVEILLANCE,), ("quality",), worlds, 2, **SMALL)
    assert found.ends["error"].isna().all()  # one world says nothing about others
    seeds = worlds.resample(2).seeds.tolist()
    games = [effects_of(worlds[1], (SURVEILLANCE,), ("quality",), seed, **SMALL) for seed in seeds]
    mean = found.ends.set_index("mechanisms").loc["on", "effect"]
    assert mean == pytest.approx(np.mean([game(()) for game in games]))


def carriers(contributions: dict[str, float], error: float) -> list[dict[str, Any]]:
    return [
        {"outcome": "fear", "mechanism": name, "case": m.case, "contribution": contributions.get(name, 0.0),
         "standard_error": error}
        for name, m in MECHANISMS.items()
    ]  # fmt: skip


def test_what_stands_out_is_named_the_largest_first():
    said = carriers_sentence(carriers({"reassurance": -0.03, "learned_fear": 0.09, "cascade": 0.002}, error=0.001))
    assert said == (
        "Mainly because punishment and watching are remembered (+9 points of 100); against that, being cleared "
        "reassures (−3 points of 100)."
    )


def test_nothing_stands_out_from_noise():
    noise = dict(zip(MECHANISMS, np.random.default_rng(0).normal(0, 0.01, len(MECHANISMS)).tolist(), strict=True))
    assert carriers_sentence(carriers(noise, error=0.01)) == ""


def found_in(case: str, outcome: str) -> list[int]:
    """Where the effect of heavy against light lies with the mechanisms of one case off, in worlds in which all others
    are on."""

    def pair(world: World) -> int:
        arms = [world.parameters(name, mechanisms_off=off(case), systems=1) for name in ("heavy", "light")]
        plus, minus = (np.mean([run_means(p, seed)[PLACE[outcome]] for seed in range(4)]) for p in arms)
        return int(classes(plus - minus, LIMITS[outcome].size))

    return in_parallel(pair, [DEFAULT, *prior(20, seed=8, off=0.0)])


@pytest.mark.parametrize("outcome", ["fear", "toxic"])
def test_without_the_mechanisms_for_the_warning_surveillance_does_not_frighten(outcome):
    assert set(found_in("for", outcome)) == {0}


def test_without_the_mechanisms_against_the_warning_surveillance_does_not_pay():
    found = found_in("against", "quality")
    assert 1 not in found
    assert found.count(-1) > len(found) / 2

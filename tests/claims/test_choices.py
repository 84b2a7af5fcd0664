"""What can be chosen: utility, regret and trade-offs in worlds made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from sim.claims.choices import against_baseline, follows_fear, regret, regrets, sentences, trade_offs, utilities
from sim.claims.statements import (
    AFTER_FEAR,
    BASELINE,
    CHOICES,
    CHOSEN_BY,
    LIMITS,
    REACHED,
    WEIGHTINGS,
    sizes_of_interest,
)
from sim.worlds.evaluate import MEASURES, PLACE, Arm, Effects, less
from sim.worlds.prior import Worlds, prior

SIZES = sizes_of_interest({"quality_per_cost": 0.5})
MINE = {name: less(Arm(name), BASELINE) for name in ("calm", "stern")}
WEIGHTS = np.array([0.5, 0.3, 0.2])


def made(**outcomes):
    """Effects of two choices in three worlds that weigh 0.5, 0.3 and 0.2; each outcome worlds by choices, in δ."""
    worlds = prior(3)
    x = np.zeros((3, 2, len(MEASURES)), dtype=np.float32)
    for name, values in outcomes.items():
        x[..., PLACE[name]] = np.array(values) * SIZES[name]
    sample = Worlds(worlds.values, worlds.off, worlds.nuisance, weights=WEIGHTS)
    return Effects(sample, tuple(c.name for c in MINE.values()), x, x * 0, np.ones((3, 2), dtype=np.int64))


E = made(harm=[[-2, 2], [4, 0], [0, -6]], quality=[[2, 0], [0, 2], [0, 0]], fear=[[-3, 3], [-3, 3], [-3, 3]])


def test_what_is_better_counts_for_a_choice_in_smallest_effects_and_baseline_is_a_choice_too():
    worth = utilities(E, SIZES, WEIGHTINGS["patients"], MINE)
    assert worth == pytest.approx(np.array([[0, 2, -1], [0, -2, 1], [0, 0, 3]]), abs=1e-5)


def test_regret_is_what_the_best_choice_of_that_world_has_more():
    worth = np.array([[0.0, 2.0, -1.0], [0.0, -2.0, 1.0], [0.0, -1.0, -3.0]])
    assert regret(worth).tolist() == [[2, 0, 3], [1, 3, 0], [0, 1, 3]]


def test_regrets_are_weighted_and_every_world_has_one_best_and_one_worst_choice():
    rows = [row for row in regrets(E, SIZES, MINE) if row["weighting"] == "patients"]
    by = {row["choice"]: row for row in rows}
    assert {name: by[name]["best"] for name in by} == pytest.approx({"baseline": 0, "calm": 0.5, "stern": 0.5})
    assert {name: by[name]["worst"] for name in by} == pytest.approx({"baseline": 0.2, "calm": 0.3, "stern": 0.5})
    assert by["baseline"]["regret"] == pytest.approx(0.5 * 2 + 0.3 * 1 + 0.2 * 3)
    assert by["calm"]["regret"] == pytest.approx(0.3 * 3 + 0.2 * 3)
    assert by["stern"]["utility"] == pytest.approx(-0.5 + 0.3 + 0.6)
    assert by["stern"]["regret_q90"] == pytest.approx(3.0)
    assert "regret_error" in by["calm"] and "regret_q90_error" in by["calm"]


def test_weights_sum_to_one_and_reported_which_nobody_would_call_better_has_none():
    for weights in WEIGHTINGS.values():
        assert sum(weights.values()) == pytest.approx(1.0)
        assert all(LIMITS[name].direction for name in weights)
    assert set(WEIGHTINGS["equal"]) == set(CHOSEN_BY) - {"reported"}


def test_trade_offs_count_worlds_in_which_both_are_better_or_one_of_them():
    rows = {(r["choice"], r["one"], r["other"]): r for r in trade_offs(E, SIZES, MINE)}
    calm = rows["calm", "harm", "quality"]
    assert (calm["both"], calm["only_one"], calm["only_other"], calm["neither"]) == pytest.approx((0.5, 0, 0, 0.5))
    stern = rows["stern", "harm", "quality"]
    assert (stern["both"], stern["only_one"], stern["only_other"], stern["neither"]) == pytest.approx(
        (0, 0.2, 0.3, 0.5)
    )
    assert rows["calm", "harm", "fear"]["only_other"] == pytest.approx(0.5)
    assert len(rows) == 2 * 15  # pairs of six outcomes


def test_what_is_just_as_large_as_the_limit_is_not_better():
    e = made(harm=[[-0.999, 0]] * 3, quality=[[1.5, 0]] * 3)
    row = next(r for r in trade_offs(e, SIZES, MINE) if (r["one"], r["other"]) == ("harm", "quality"))
    assert (row["both"], row["only_other"]) == pytest.approx((0.0, 1.0))


def test_choices_are_told_as_better_or_worse_and_those_of_a_user_stand_in_the_same_table():
    rows = {(row["choice"], row["outcome"]): row for row in against_baseline(E, SIZES, MINE)}
    assert len(rows) == 2 * len(CHOSEN_BY)
    assert rows["calm", "fear"]["by_points"] == "better"
    assert rows["stern", "fear"]["by_points"] == "worse"
    assert rows["calm", "fear"]["sign"] == 0


def test_the_agreed_policies_can_be_chosen():
    agreed = "light heavy punitive just_culture heavy_supportive supportive hands_off barring"
    assert list(CHOICES) == agreed.split()
    assert all(contrast.arms[1] == (-1, BASELINE) for contrast in CHOICES.values())


def test_a_sentence_names_what_is_best_most_often_and_what_loses_least():
    said = told(E)
    assert len(said) == 3
    assert "calm is the best choice in 50 of 100 plausible worlds (stern in 50); " in said[1]


def test_what_a_weighting_does_not_count_is_told_where_the_best_choice_makes_it_worse():
    """Whoever asks about leaders alone hears of patients in the same sentence."""
    everybody, patients, staff = told(made(fear=[[-3, 3]] * 3, harm=[[4, 0], [0, 0], [4, 0]]))
    assert "calm is the best choice in 100 of 100" in staff
    assert "but harm to patients rises in 70, which is not counted; " in staff
    assert "not counted" not in everybody and "not counted" not in patients
    assert "not counted" not in told(made(fear=[[-3, 3]] * 3, harm=[[0, 0], [4, 0], [4, 0]]))[2]


def told(e):
    return list(sentences(list(regrets(e, SIZES, MINE)), list(against_baseline(e, SIZES, MINE))))


def test_support_that_follows_fear_is_told_where_its_rule_reaches_some_and_not_all():
    names = (AFTER_FEAR.name, REACHED.name)
    x = np.zeros((3, 2, len(MEASURES)), dtype=np.float32)
    x[:, 1, PLACE["relationship_level"]] = [0.3, 0.5, 0.79]  # none, two in five, nearly all
    x[:, 0, PLACE["fear"]] = [9.0, -0.03, 9.0]
    worlds = prior(3)
    sample = Worlds(worlds.values, worlds.off, worlds.nuisance, weights=WEIGHTS)
    e = Effects(sample, names, x, x * 0, np.ones((3, 2), dtype=np.int64))
    rows = {row["outcome"]: row for row in follows_fear(e, SIZES)}
    assert list(rows) == list(CHOSEN_BY)
    assert (rows["fear"]["mean"], rows["fear"]["by_points"]) == (pytest.approx(-0.03), "better")
    assert rows["fear"]["left_out"] == pytest.approx(0.7)
    assert not list(follows_fear(e.take(np.array([0, 2]), np.array([0.5, 0.5])), SIZES))

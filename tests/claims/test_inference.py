"""Is the inference right: checks that pass where the truth is known, and fail where something is wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sim.claims import inference
from sim.claims.inference import (
    AGREEMENT,
    Known,
    conflicts,
    coverage,
    holm,
    pseudo_data,
    rank,
    ranks,
    thin,
    truths,
    uniformity,
)
from sim.errors import InputError
from tests.ensembles import by_hand

KEYS = (("heavy - light", "harm"), ("heavy - light", "trust"), ("calm - baseline", "quality"))
SDS = np.array([0.3, 0.2])


def posterior(number=3000, seed=0):
    """Draws from a known posterior: three standard normal numbers, the first two of them measured, with findings of
    0.5 and −0.2. Half of the worlds weigh three times the others, for no reason."""
    rng = np.random.default_rng(seed)
    precision = 1.0 + SDS**-2
    x = rng.standard_normal((number, 3))
    x[:, :2] = (np.array([0.5, -0.2]) / SDS**2) / precision + x[:, :2] / np.sqrt(precision)
    weights = np.where(np.arange(number) % 2, 1.0, 3.0)
    effects = np.column_stack([x[:, 0], x[:, 0] - x[:, 1], x[:, 1] + 0.1 * x[:, 2]])
    groups = {"world": np.arange(number), "family": np.arange(number) // 5}
    return Known(weights / weights.sum(), x[:, :2], effects, KEYS, groups)


def simulated(sds_of_the_refit, refits=300):
    worlds = posterior()
    true = truths(worlds.weights, refits)
    return ranks(worlds, true, pseudo_data(worlds.statistics[true], SDS), sds_of_the_refit)


def test_ranks_are_uniform_and_intervals_hold_where_the_refit_is_right():
    found = simulated(SDS)
    assert len(found) == 300 * 3 * (len(KEYS) + 1)
    assert uniformity(found)["uniform"].all()
    held = coverage(found)
    assert (held["covered"] - held["level"]).abs().max() < 0.09
    assert held["agrees"].mean() > 0.7
    assert len(thin(found)) < 10


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_ranks_are_not_uniform_where_the_tolerance_of_the_refit_is_wrong_by_a_factor_of_two(factor):
    found = simulated(factor * SDS)
    wrong = ~uniformity(found).set_index(["left_out", "contrast", "outcome"])["uniform"]
    assert wrong.xs(AGREEMENT, level=("contrast", "outcome")).all()
    half = coverage(found).query("level == 0.5 and contrast != 'pseudo-data'")["covered"]
    assert factor > 1.0 or (wrong.all() and (half < 0.45).all())


def test_a_refit_that_learns_nothing_has_uniform_ranks_of_effects_and_is_betrayed_by_its_agreement():
    found = uniformity(simulated(1e6 * SDS)).set_index("contrast")["uniform"]
    assert found.drop("pseudo-data").all() and not found["pseudo-data"].any()


def test_a_refit_that_is_shifted_is_found_out():
    worlds = posterior()
    true = truths(worlds.weights, 200)
    found = ranks(worlds, true, pseudo_data(worlds.statistics[true] + 0.15, SDS), SDS)
    wrong = uniformity(found).set_index("outcome")["uniform"]
    assert not wrong["harm"].any()


def test_the_true_world_is_not_among_those_that_it_is_compared_with_nor_is_its_family():
    weights, groups = np.full(4, 0.25), {"world": np.arange(4), "family": np.array([7, 7, 8, 9])}
    worlds = Known(weights, np.zeros((4, 1)), np.array([[5.0], [4.0], [6.0], [7.0]]), KEYS[:1], groups)
    found = ranks(worlds, np.array([0]), np.zeros((1, 1)), 1.0).query("outcome == 'harm'").set_index("left_out")
    assert found["effective_size"].to_dict() == pytest.approx({"nothing": 4.0, "world": 3.0, "family": 2.0})
    assert 0.25 <= found["rank"]["nothing"] <= 0.5
    assert 0.25 <= found["rank"]["world"] <= 0.5  # one of three is below
    assert 0.0 <= found["rank"]["family"] <= 1 / 3  # none of two
    alone = replace(worlds, groups={"world": np.arange(4), "family": np.zeros(4, int)})
    none = ranks(alone, np.array([0]), np.zeros((1, 1)), 1.0).query("outcome == 'harm'").set_index("left_out")
    assert none["effective_size"]["family"] == 0.0 and np.isnan(none["rank"]["family"])
    assert thin(none.reset_index())["left_out"].tolist() == ["world", "family"]
    lost = uniformity(none.reset_index()).set_index("left_out")
    assert not lost["uniform"]["family"]


def test_ties_are_broken_at_random_and_ranks_of_equal_draws_are_uniform():
    rng = np.random.default_rng(3)
    tied = np.array([rank(np.zeros(1), np.zeros((3, 1)), np.ones(3), rng)[0] for _ in range(400)])
    assert tied.min() < 0.1 and tied.max() > 0.9
    x = rng.integers(3, size=(2000, 5))
    found = [rank(row[:1].astype(float), row[1:, None].astype(float), np.ones(4), rng)[0] for row in x]
    assert np.histogram(found, 5, (0, 1))[0].min() > 320  # of 400


def test_thin_refits_are_told_and_count_until_moved_worlds_take_their_place():
    worlds = posterior(60)
    true = truths(worlds.weights, 100)
    found = ranks(worlds, true, pseudo_data(worlds.statistics[true], SDS), SDS)
    assert len(thin(found)) == 200  # 100 refits, each with two things left out
    assert uniformity(found)["refits"].eq(100).all()
    moved = inference.replaced(found, 3, np.zeros(4), np.full((150, 4), -1.0), 150.0)
    assert len(thin(moved)) == 198
    here = moved[(moved["refit"] == 3) & (moved["left_out"] != "nothing")]
    assert (here["rank"] > 0.99).all() and (here["effective_size"] == 150).all()
    assert found[found["refit"] != 3].equals(moved[moved["refit"] != 3])


def test_with_nothing_left_out_ranks_are_uniform_however_few_worlds_count_and_betray_a_wrong_tolerance():
    worlds = replace(posterior(60), groups={})
    true = truths(worlds.weights, 400)
    for factor, right in ((1.0, True), (2.0, False)):
        found = uniformity(ranks(worlds, true, pseudo_data(worlds.statistics[true], SDS), factor * SDS))
        assert found.set_index("contrast")["uniform"]["pseudo-data"] == right
        assert not right or found["uniform"].all()


def test_worlds_of_a_table_are_known_by_their_number_and_surveyed_again_under_other_seeds(monkeypatch):
    worlds, seeds = by_hand(8), []
    patterns = worlds.evidence.patterns
    stored = pd.DataFrame({"world": [5, 2, 3], "calibration": worlds.calibrations[[5, 2, 3]], "weight": [0.5, 0.3, 0.2],
                           "contrast": "heavy - light", "outcome": "harm", "estimate": [50.0, 20.0, 30.0]})  # fmt: skip

    def measured(evidence, some, own, sizes, workers):
        seeds.extend(own)
        return {p.id: some.seeds[:, None].repeat(np.size(p.value), 1).squeeze(axis=1) for p in evidence.patterns}

    monkeypatch.setattr(inference.survey, "measure_all", measured)
    found = inference.known(worlds, stored, KEYS[:1])
    assert found.effects.ravel().tolist() == [20.0, 30.0, 50.0] and found.weights.tolist() == [0.3, 0.2, 0.5]
    assert found.statistics[:, 0].tolist() == [2, 3, 5] and found.statistics.shape[1] >= len(patterns)
    assert found.groups["calibration"].tolist() == worlds.calibrations[[2, 3, 5]].tolist()
    assert not set(np.ravel(seeds)) & set(np.ravel(worlds.surveys)) and len(set(np.ravel(seeds))) == 9


def test_adjusted_chances_are_those_of_holm_and_never_above_one():
    assert holm([0.02, 0.2, 0.01]).tolist() == pytest.approx([0.04, 0.2, 0.03])
    assert holm([0.7, 0.9]).tolist() == [1.0, 1.0]


def test_two_findings_that_exclude_each_other_stand_first_though_each_is_met_alone():
    """x and y sum to 1 in every world, so both cannot be 0.9; z is free, and w is never met."""
    rng = np.random.default_rng(0)
    x, z = rng.random(20_000), rng.random(20_000)
    misses = np.column_stack([(x - 0.9) / 0.1, (1 - x - 0.9) / 0.1, (z - 0.5) / 0.1, 2.0 + z])
    found = conflicts(misses, ["x", "y", "z", "w"])
    worst = found.pairs.iloc[0]
    assert (worst["one"], worst["other"]) == ("x", "y")
    assert worst["joint"] == pytest.approx(4.0, abs=0.01)
    assert worst["conflict"] == pytest.approx(4.0, abs=0.01)
    assert found.joint == pytest.approx(4.0, abs=0.05)
    assert found.singles["x"] < 0.01 and found.singles["w"] == pytest.approx(2.0, abs=0.01)
    others = found.pairs[found.pairs["conflict"] < 3.9]
    assert len(others) == 5 and (others["conflict"] < 0.6).all()  # w and z: z is 0.5 where w misses by 2.5
    relief = found.leverage.set_index("pattern")["relief"]
    assert set(relief.index[:2]) == {"x", "y"} and relief["x"] > 1.0 and relief["z"] < 0.05
    assert found.worlds == 20_000


def test_a_path_counts_by_its_largest_miss_and_a_world_without_a_number_not_at_all():
    misses = np.array([[0.1, 3.0, 0.2], [1.0, 1.5, 0.4], [0.0, np.nan, 0.0]])
    found = conflicts(misses, ["path", "path", "level"])
    assert found.singles == {"path": 1.5, "level": 0.2}
    assert found.joint == 1.5 and found.worlds == 2
    with pytest.raises(InputError, match="no world can be compared"):
        conflicts(np.full((2, 1), np.nan), ["level"])


def test_information_is_what_weights_owe_to_a_finding():
    """Weights that would be equal without the one finding that there is, and what the other changes: nothing."""
    misses = np.column_stack([[0.0, 1.0, 2.0], np.ones(3)])
    weights = np.exp(-0.5 * misses[:, 0] ** 2)
    weights /= weights.sum()
    found = conflicts(misses, ["one", "none"], weights).leverage.set_index("pattern")
    assert found["information"]["one"] == pytest.approx(weights @ np.log(3 * weights))
    assert found["information"]["none"] == pytest.approx(0.0, abs=1e-12)
    assert found["pull"]["none"] == pytest.approx(1.0)


def effects(values, seed=0, calibrations=8, shift=0.0):
    """A table of stored effects: of each key, in 200 worlds, with calibrations that differ a little."""
    rng = np.random.default_rng(seed)
    numbers = np.arange(200) % calibrations
    frames = []
    for (contrast, outcome), value in zip(KEYS, values, strict=True):
        x = value + shift + 0.05 * rng.standard_normal(calibrations)[numbers] + 0.2 * rng.standard_normal(200)
        frames.append(pd.DataFrame({"world": np.arange(200), "calibration": numbers, "weight": 1 / 200,
                                    "contrast": contrast, "outcome": outcome, "estimate": x}))  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def test_two_ensembles_of_the_same_worlds_agree_and_one_that_is_off_by_six_errors_does_not():
    a, b = effects([0.1, -0.3, 0.0]), effects([0.1, -0.3, 0.0], 1, 200)
    found = inference.compare(a, b, KEYS)
    assert found["agrees"].all()
    assert (np.abs(found["errors_off"]) < 3).all() and found["error"].between(0.01, 0.06).all()
    off = inference.compare(a, effects([0.1, -0.3, 0.2], 1), KEYS).set_index("outcome")
    assert off["agrees"].to_dict() == {"harm": True, "trust": True, "quality": False}
    assert off["difference"]["quality"] == pytest.approx(-0.2, abs=0.06)
    with pytest.raises(InputError, match="have no fear of heavy - light"):
        inference.compare(a, b, [("heavy - light", "fear")])

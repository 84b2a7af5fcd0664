"""Worlds: drawn from the prior, each value by a stream of its own; weighted, resampled, and as a table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sim import statistics
from sim.errors import InputError
from sim.model.parameters import PARAMETERS
from sim.worlds import prior as world
from sim.worlds.prior import COLUMNS, DRAWN, RANGED, prior

WORLDS = prior(20)
WEIGHTED = replace(
    WORLDS, weights=np.arange(20) / np.arange(20).sum(), calibrations=np.arange(20) // 5, ancestors=np.arange(20) // 2
)


def test_draws_from_the_prior_have_equal_weights_and_are_their_own_ancestors():
    assert WORLDS.weights.tolist() == [1 / 20] * 20
    assert WORLDS.ancestors.tolist() == list(range(20))
    assert (WORLDS.effective_size, WORLDS.distinct_ancestors) == (pytest.approx(20), 20)


def test_a_world_is_drawn_as_often_as_its_weight_says():
    drawn = WEIGHTED.resample(190)
    demand = [world.values["demand"] for world in drawn]
    assert [demand.count(world.values["demand"]) for world in WORLDS] == list(range(20))
    assert np.array_equal(np.bincount(drawn.ancestors), [2 * k + 2 * k + 1 for k in range(10)])
    assert drawn.mean(demand).estimate == pytest.approx(WEIGHTED.weights @ WORLDS.values[:, DRAWN.index("demand")])


def test_each_draw_has_a_seed_of_its_own_that_follows_from_the_first():
    one, again, other = (WORLDS.resample(40, seed).seeds.tolist() for seed in (0, 0, 1))
    assert len(set(one)) == 40
    assert one == again != other


def test_a_sample_has_each_world_once_with_the_weight_of_its_copies():
    few = WEIGHTED.sample(30, seed=3)
    times = few.weights * 30
    assert len(few) == len(np.unique(few.values[:, 0])) and times.sum() == pytest.approx(30)
    assert np.allclose(times, np.rint(times))
    assert (np.abs(times - 30 * WEIGHTED.weights[few.seeds]) < 1).all()
    with pytest.raises(InputError, match="0: must be a whole number from 1"):
        WEIGHTED.sample(0)


def test_chosen_worlds_keep_what_belongs_to_them_and_their_relative_weights():
    chosen = WEIGHTED.where(np.arange(20) % 2 == 1)
    assert chosen.seeds.tolist() == list(range(1, 20, 2))
    assert [world.values for world in chosen] == [WORLDS[k].values for k in range(1, 20, 2)]
    assert chosen.weights == pytest.approx(np.arange(1, 20, 2) / 100)
    assert WORLDS.where(np.arange(20) < 3).weights.tolist() == [1 / 3] * 3, "equal weights stay equal to the last bit"


def test_estimates_of_worlds_are_weighted_and_their_errors_between_calibrations():
    x, about = WORLDS.values[:, 0], (WEIGHTED.weights, WORLDS.values[:, 0])
    assert WEIGHTED.mean(x) == statistics.mean(*about, WEIGHTED.calibrations)
    assert WEIGHTED.share(x > 0.1) == statistics.share(WEIGHTED.weights, x > 0.1, WEIGHTED.calibrations)
    assert np.array_equal(WEIGHTED.quantiles(x, [0.1, 0.9]), statistics.weighted_quantile(*about, [0.1, 0.9]))


def test_a_table_of_worlds_has_their_values_in_units_and_what_they_weigh():
    table = WEIGHTED.frame()
    ranges = {name: (PARAMETERS[name].low, PARAMETERS[name].high) for name in DRAWN}
    assert all(table[name].between(*ends).all() for name, ends in ranges.items())
    assert table.loc[7, list(DRAWN)].to_dict() == dict(WEIGHTED[7].values)
    assert {key for key in table if str(key).endswith(" off") and table.loc[7, key]} == {
        f"{m} off" for m in WEIGHTED[7].off
    }
    assert table[["weight", "calibration", "ancestor"]].iloc[7].tolist() == [7 / 190, 1, 3]


def test_a_new_parameter_and_a_new_mechanism_leave_all_others_where_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    before = prior(50, seed=7)
    drawn = (*DRAWN[:3], "mentoring", *DRAWN[3:])
    columns = (*drawn, *COLUMNS[len(DRAWN) : RANGED], "mentoring off", *COLUMNS[RANGED:])
    monkeypatch.setattr(world, "DRAWN", drawn)
    monkeypatch.setattr(world, "COLUMNS", columns)
    monkeypatch.setattr(world, "RANGED", RANGED + 1)
    for name in ("_LOW", "_HIGH"):
        monkeypatch.setattr(world, name, np.insert(getattr(world, name), 3, 0.5))
    after = prior(50, seed=7)
    assert np.array_equal(np.delete(after.values, 3, axis=1), before.values)
    assert np.array_equal(after.off[:, 1:], before.off)
    assert np.array_equal(after.nuisance, before.nuisance)


def test_more_worlds_begin_with_the_same_ones() -> None:
    few, many = prior(5, seed=7), prior(50, seed=7)
    assert np.array_equal(few.values, many.values[:5])
    assert not np.array_equal(few.values, prior(5, seed=8).values)


def test_columns_are_drawn_apart() -> None:
    """A mechanism and a parameter may have one name, and no two columns rise together."""
    assert len(set(COLUMNS)) == len(COLUMNS)
    found = prior(2_000, off=0.5)
    columns = np.column_stack([found.values[:, np.ptp(found.values, axis=0) > 0], found.nuisance, found.off])
    correlations = np.corrcoef(columns.T) - np.eye(columns.shape[1])
    assert abs(correlations).max() < 0.12  # five standard errors

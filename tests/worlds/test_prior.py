"""Worlds of the prior: each of their values has a stream of its own."""

from __future__ import annotations

import numpy as np
import pytest

from sim.worlds import prior as world
from sim.worlds.prior import COLUMNS, DRAWN, prior


def test_a_new_parameter_and_a_new_mechanism_leave_all_others_where_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    before = prior(50, seed=7)
    drawn = (*DRAWN[:3], "mentoring", *DRAWN[3:])
    columns = (*drawn, "reliability", "mentoring off", *COLUMNS[len(DRAWN) + 1 :])
    monkeypatch.setattr(world, "DRAWN", drawn)
    monkeypatch.setattr(world, "COLUMNS", columns)
    for name in ("_LOW", "_HIGH"):
        monkeypatch.setattr(world, name, np.insert(getattr(world, name), 3, 0.5))
    after = prior(50, seed=7)
    assert np.array_equal(np.delete(after.values, 3, axis=1), before.values)
    assert np.array_equal(after.off[:, 1:], before.off)
    assert np.array_equal(after.reliability, before.reliability)


def test_more_worlds_begin_with_the_same_ones() -> None:
    few, many = prior(5, seed=7), prior(50, seed=7)
    assert np.array_equal(few.values, many.values[:5])
    assert not np.array_equal(few.values, prior(5, seed=8).values)


def test_columns_are_drawn_apart() -> None:
    """A mechanism and a parameter may have one name, and no two columns rise together."""
    assert len(set(COLUMNS)) == len(COLUMNS)
    found = prior(2_000, off=0.5)
    columns = np.column_stack([found.values[:, np.ptp(found.values, axis=0) > 0], found.reliability, found.off])
    correlations = np.corrcoef(columns.T) - np.eye(columns.shape[1])
    assert abs(correlations).max() < 0.12  # five standard errors

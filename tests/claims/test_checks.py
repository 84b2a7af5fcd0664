"""The check of a stored answer: it passes what is right and finds what is wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ensembles import by_hand

from sim.claims.answer import Effort, compute
from sim.claims.checks import chances_of_change, check, errors_off, most_changes
from sim.errors import InputError

SIZES = {"organisations": 2, "managers": 3, "months": 6, "window": 3}
TINY = Effort(worlds=24, prior=20, all_on=20, again=0, systems=1, orders=2)


@pytest.fixture(scope="module")
def worlds():
    return by_hand(40)


@pytest.fixture(scope="module")
def report(worlds):
    return compute(worlds, by_hand(24, seed=1, off=0.0), claims=("fear", "pays"), effort=TINY, **SIZES)


def wrong(report, change):
    effects = report.effects.copy()
    effects["estimate"] = change(effects)
    return replace(report, effects=effects)


def test_an_answer_agrees_with_its_worlds_run_again(report, worlds):
    found = check(report, worlds, 30)
    assert found.agrees, found.lines
    assert len(found.lines) == 1 and "10 effects were computed again to the bit" in found.lines[0]


def test_a_shifted_mean_is_found(report, worlds):
    found = check(wrong(report, lambda e: e["estimate"] + 2 * e["error"].mean()), worlds, 30)
    assert not found.agrees
    assert any("errors off" in line for line in found.lines)


def test_one_bit_is_found(report, worlds):
    found = check(wrong(report, lambda e: np.nextafter(e["estimate"].to_numpy(), np.float32(9))), worlds, 30)
    assert not found.agrees
    assert sum("is stored" in line for line in found.lines) >= 9
    assert not any("errors off" in line for line in found.lines)


def test_worlds_that_change_their_class_by_more_than_chance_are_found(report, worlds):
    """Effects that are swapped between worlds have the same mean."""
    turned = check(wrong(report, lambda e: e.groupby(["contrast", "outcome"], observed=True)["estimate"].transform(
        lambda x: x.to_numpy()[::-1])), worlds, 40)  # fmt: skip
    assert not turned.agrees


def test_an_answer_about_other_worlds_is_refused(report):
    with pytest.raises(InputError, match="about other worlds"):
        check(report, by_hand(20), 20)


def test_errors_off_grow_with_the_difference_and_nothing_is_off_by_nothing():
    w = np.full(4, 0.25)
    assert errors_off(np.full(4, 0.1), np.full(4, 0.1), w) == pytest.approx(2.0)
    assert errors_off(np.zeros(4), np.zeros(4), w) == 0.0
    assert errors_off(np.full(4, 0.1), np.zeros(4), w) == np.inf


def test_the_expected_changes_of_class_are_those_of_the_errors():
    rng = np.random.default_rng(0)
    x, error = rng.uniform(-0.05, 0.05, 50), 0.01
    chances = chances_of_change(x, np.full(50, error), 0.02)
    again = x + error * rng.standard_normal((20_000, 50))

    def cls(v):
        return np.where(v > 0.02, 1, np.where(v < -0.02, -1, 0))

    changed = cls(again) != cls(x)
    assert chances == pytest.approx(changed.mean(axis=0), abs=0.02)
    assert most_changes(chances, 0.999) == pytest.approx(np.quantile(changed.sum(axis=1), 0.999), abs=1)

"""By construction: a rule that was planted is found, chance is not, and break-evens lie where they were put."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sim.claims.construction import (
    NOT_TESTABLE,
    accuracy,
    best_cut,
    break_even,
    crossing,
    decision,
    effective,
    formula,
    levels_of,
    marked,
    monotone,
    one_cut,
)
from sim.claims.statements import BASELINE, SURVEILLANCE
from sim.model.parameters import MECHANISMS
from sim.worlds.evaluate import Arm, less
from sim.worlds.prior import DRAWN, prior

DELTA = 0.02
WORLDS = 400


def worlds(calibrations=8):
    return replace(prior(WORLDS, seed=2), calibrations=np.arange(WORLDS) % calibrations)


SAMPLE = worlds()
TABLE = effective(SAMPLE)
NOISE = np.random.default_rng(0).standard_normal(WORLDS)


def asked(effects, outcome="quality", sign=1, contrast=SURVEILLANCE):
    return decision(effects, contrast, outcome, DELTA, sign, SAMPLE, TABLE)


def test_one_parameter_that_decides_is_found_and_there_is_no_verdict():
    x = np.where(TABLE["slip_negligence"] > 0.25, 0.05, 0.0) + 0.001 * NOISE
    found = asked(x)
    assert (found.how, found.parameter, found.decided) == ("one cut", "slip_negligence", True)
    assert found.accuracy.estimate - found.accuracy.error >= 0.85
    (row,) = marked([{"contrast": "c", "outcome": "o", "verdict": "supported"}], {("c", "o"): found})
    assert row["verdict"] == "by construction"


def test_chance_and_a_weak_rule_are_not_by_construction():
    assert asked(0.02 + 0.05 * NOISE).how == "no"
    weak = 0.04 * (TABLE["slip_negligence"].to_numpy() - 0.05) / 0.35 + 0.02 * NOISE
    assert asked(weak).how == "no"


def test_cuts_are_judged_on_calibrations_that_did_not_choose_them():
    """With a hundred parameters and few worlds some cut always fits the worlds that it was chosen on."""
    few = SAMPLE.take(np.arange(60))
    truth = NOISE[:60] > 0
    fitted = best_cut(TABLE.iloc[:60], truth, few.weights)
    _, judged = one_cut(TABLE.iloc[:60], truth, few.weights, few.calibrations)
    assert fitted.accuracy > 0.68
    assert judged.estimate < 0.62


def test_a_mechanism_that_is_off_counts_at_its_null():
    off = SAMPLE.off[:, list(MECHANISMS).index("paperwork")]
    assert (TABLE["burden"][off] == 0).all() and (TABLE["burden"][~off] > 0).any()


def test_fewer_than_40_worlds_in_a_class_are_not_testable():
    assert asked(np.where(np.arange(WORLDS) < 39, 0.05, 0.0)).how == NOT_TESTABLE
    assert asked(np.where(np.arange(WORLDS) < 41, 0.05, 0.0)).how != NOT_TESTABLE


def test_an_outcome_without_a_sign_is_asked_about_its_commoner_side():
    x = np.where(TABLE["slip_negligence"] > 0.25, -0.05, 0.0)
    assert asked(x, sign=0).how == "one cut"
    assert asked(x, sign=1).how == NOT_TESTABLE


def test_the_formula_of_time_left_is_found_where_it_gives_the_effect():
    x, decides = formula(SURVEILLANCE, "time_left", TABLE, SAMPLE)
    burden, power = TABLE["burden"].to_numpy(), TABLE["burden_power"].to_numpy()
    assert x == pytest.approx(-burden * (0.8**power - 0.2**power)) and decides == "burden"
    found = asked(x + 0.001 * NOISE, "time_left", -1)
    assert (found.how, found.parameter) == ("formula", "burden")
    assert asked(-x, "time_left", 1).how != "formula"
    assert formula(SURVEILLANCE, "quality", TABLE, SAMPLE) is None


def test_the_formula_knows_the_levers_of_both_arms():
    relationship = Arm("invested", settings=(("relationship", 0.8),))
    x, decides = formula(less(relationship, BASELINE), "time_left", TABLE, SAMPLE)
    assert x == pytest.approx(-0.5 * TABLE["relationship_time"].to_numpy()) and decides == "relationship_time"


def test_accuracy_counts_both_classes_the_same():
    truth = np.repeat([True, False], [90, 10])
    always = np.ones(100, dtype=bool)
    assert accuracy(always, truth, np.full(100, 0.01), np.arange(100) % 5).estimate == pytest.approx(0.5)
    assert accuracy(truth, truth, np.full(100, 0.01), np.arange(100) % 5) == pytest.approx((1.0, 0.0))


def test_a_break_even_lies_where_it_was_put_and_its_interval_holds_it():
    x = np.random.default_rng(3).random(WORLDS)
    y = 0.1 * (x - 0.3) + 0.002 * NOISE
    found = {row["level"]: row for row in break_even(x, y, SAMPLE, levels_of(DELTA, 1))}
    assert found["0"]["value"] == pytest.approx(0.3, abs=0.04)
    assert found["δ"]["value"] == pytest.approx(0.5, abs=0.04)
    for row in found.values():
        assert row["low"] <= row["value"] <= row["high"]
        assert row["above"] == pytest.approx((x > row["value"]).mean())


def test_a_falling_effect_has_its_break_even_too_and_none_in_range_is_an_answer():
    x = np.random.default_rng(3).random(WORLDS)
    falling = {row["level"]: row for row in break_even(x, 0.1 * (0.3 - x), SAMPLE, levels_of(DELTA, -1))}
    assert falling["0"]["value"] == pytest.approx(0.3, abs=0.03)
    assert falling["δ"]["value"] == pytest.approx(0.5, abs=0.03)
    (none,) = break_even(x, 0.5 + 0.001 * x, SAMPLE, {"0": 0.0})
    assert np.isnan([none["value"], none["low"], none["high"]]).all()


def test_the_regression_never_turns_back():
    x = np.random.default_rng(3).random(WORLDS)
    fitted = monotone(x, np.sin(6 * x), np.full(WORLDS, 1 / WORLDS), True, np.linspace(0, 1, 50))
    assert (np.diff(fitted) >= -1e-12).all()


@pytest.mark.parametrize(
    ("fitted", "level", "expected"),
    [([0.0, 1.0, 2.0], 0.0, 0.0), ([2.0, 1.0, 0.0], 0.5, 1.5), ([1.0, 1.0, 1.0], 2.0, np.nan)],
)
def test_crossings_by_straight_lines(fitted, level, expected):
    assert crossing(np.arange(3.0), np.array(fitted), level) == pytest.approx(expected, nan_ok=True)


def test_the_table_is_of_all_that_is_drawn():
    assert list(TABLE) == list(DRAWN) and isinstance(TABLE, pd.DataFrame)

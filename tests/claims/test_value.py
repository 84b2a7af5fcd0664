"""Which study would change the answer: a statistic that carries an effect is told from one that carries nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ensembles import by_hand

from sim.claims.value import Design, chances, designs, parameters, r_squared, sentences, studies
from sim.worlds.candidates import CANDIDATES, Study
from sim.worlds.prior import DRAWN

N = 800
KEY = ("heavy - light", "quality")
RNG = np.random.default_rng(1)
KNOWN, NOISE = RNG.normal(size=N), RNG.normal(size=N)
EFFECT = 0.03 * KNOWN + 0.01 * RNG.normal(size=N)
AT = np.arange(N) % 8
W = np.full(N, 1 / N)
ASKED = Study("managers", 720, 120)


def design(sd):
    return Design("a statistic", "something", ASKED, sd)


def test_what_is_known_is_the_share_of_variance_that_a_statistic_removes_on_calibrations_left_out():
    found = r_squared(KNOWN, EFFECT, W, AT)
    assert found.estimate == pytest.approx(0.9, abs=0.03)
    assert 0 < found.error < 0.03
    assert abs(r_squared(NOISE, EFFECT, W, AT).estimate) < 0.02
    assert r_squared(KNOWN, np.abs(KNOWN), W, AT).estimate > 0.7  # smooth, and no straight line


def test_a_statistic_without_spread_tells_nothing():
    assert r_squared(np.ones(N), EFFECT, W, AT).estimate == pytest.approx(0.0, abs=0.01)


def test_a_precise_study_of_what_carries_the_effect_changes_divided_worlds_into_agreed_ones():
    sharp, few = chances(design(0.3), KNOWN, {KEY: EFFECT}, {KEY: 0.03}, W)
    blunt, none = chances(design(100.0), KNOWN, {KEY: EFFECT}, {KEY: 0.03}, W)
    beside, _ = chances(design(0.3), NOISE, {KEY: EFFECT}, {KEY: 0.03}, W)
    assert sharp[KEY] > 0.2
    assert blunt[KEY] == none == 0.0
    assert beside[KEY] < 0.05
    assert few < 0.5


def test_results_that_leave_too_few_worlds_are_counted():
    _, few = chances(design(0.001), KNOWN, {KEY: EFFECT}, {KEY: 0.03}, W)
    assert few == 1.0


def test_a_candidate_has_the_error_of_its_own_study_and_a_finding_that_of_asking_nhs_managers():
    ensemble = by_hand(24)
    one = CANDIDATES[0]
    ensemble = replace(ensemble, measured={**ensemble.measured, one.id: np.zeros(24)})
    found = designs(ensemble)
    assert (found[one.id].sd, found[one.id].study) == (one.sd, one.study)
    assert set(found) == set(ensemble.measured)
    n = 720 / (1 + (720 / 120 - 1) * 0.1)
    assert found["monitoring-stress"].sd == pytest.approx(n**-0.5)
    targets = next(p for p in ensemble.evidence.patterns if p.id == "targets-work")
    assert found["targets-work"].sd == targets.sd


def test_what_can_be_measured_is_ranked_and_parameters_stand_in_a_list_of_their_own():
    ensemble = by_hand(N)
    measured = {"churn": KNOWN, "records": NOISE}
    ensemble = replace(ensemble, measured=measured, calibrations=AT)
    rows = list(studies(ensemble, {KEY: EFFECT}, {KEY: 0.02}))
    assert [row["statistic"] for row in rows] == ["churn", "records"]
    assert "measure the finding churn again; ask 720 people in 120 trusts" in next(sentences(rows))
    column = ensemble.values[:, DRAWN.index("demand")]
    told = list(parameters(ensemble, {KEY: column - column.mean()}))
    assert told[0]["parameter"] == "demand" and told[0]["r2"] > 0.99

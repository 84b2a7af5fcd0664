"""The verdict rule: what it says, and how often it errs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.claims.verdict import Contrasts, Sesoi, contrast
from sim.claims.verdict import verdict as verdicts_on
from sim.statistics import mean_interval

numbers = st.floats(-10, 10, allow_nan=False)
sizes = st.floats(0.001, 5)
signs = st.sampled_from([-1, 0, 1])
pairs = st.lists(st.tuples(numbers, numbers), min_size=2, max_size=12)


def verdict(interval, sesoi, sign=0) -> str:
    """The verdict on one interval."""
    return verdicts_on(*interval, sesoi, sign).item()


def compared(plus, minus, sesoi=None, sign=0) -> Contrasts:
    """The contrast of two arms in one world."""
    return contrast(np.subtract(plus, minus), np.mean(minus), sesoi, sign)


MIRROR = {"supported": "opposed", "opposed": "supported", "higher": "lower", "lower": "higher"}


@pytest.mark.parametrize(
    ("interval", "sign", "expected"),
    [
        ((0.06, 0.08), 1, "supported"),
        ((0.06, 0.08), -1, "opposed"),
        ((0.06, 0.08), 0, "higher"),
        ((-0.08, -0.06), -1, "supported"),
        ((-0.08, -0.06), 1, "opposed"),
        ((-0.08, -0.06), 0, "lower"),
        ((-0.04, 0.04), 1, "negligible"),
        ((0.01, 0.04), 1, "negligible"),  # surely above zero and still too small to matter
        ((0.04, 0.06), 1, "undecided"),
        ((-0.2, 0.2), 0, "undecided"),
    ],
)
def test_verdicts_by_the_rules_of_the_claims(interval, sign, expected):
    assert verdict(interval, 0.05, sign) == expected


def test_beyond_is_strict_and_inside_is_not():
    assert verdict((0.05, 0.07), 0.05, 1) == "undecided"
    assert verdict((np.nextafter(0.05, 1), 0.07), 0.05, 1) == "supported"
    assert verdict((-0.05, 0.05), 0.05, 1) == "negligible"
    assert verdict((-0.05, np.nextafter(0.05, 1)), 0.05, 1) == "undecided"


@given(st.tuples(numbers, numbers).map(sorted), sizes, signs)
def test_each_interval_has_one_verdict_and_its_mirror_image_the_mirrored_one(interval, sesoi, sign):
    low, high = interval
    there, back = verdict((low, high), sesoi, sign), verdict((-high, -low), sesoi, sign)
    assert back == MIRROR.get(there, there)
    outside = low > sesoi or high < -sesoi
    assert outside == (there in MIRROR)
    assert (there == "negligible") == (max(abs(low), abs(high)) <= sesoi)


@given(numbers, sizes, signs)
def test_an_interval_without_width_is_never_undecided(point, sesoi, sign):
    assert verdict((point, point), sesoi, sign) != "undecided"


def test_without_a_smallest_effect_of_interest_there_is_an_estimate_only():
    found = compared([1.0, 2.0], [0.0, 0.5])
    assert found.verdict == "estimate" and np.isnan(found.sesoi)


def test_where_nothing_else_is_said_nobody_claims_a_direction_and_a_size_is_in_the_outcomes_unit():
    assert verdict((0.06, 0.08), 0.05) == compared([4.1, 4.2], [4.0, 4.1], Sesoi(0.05)).verdict == "higher"
    assert compared([4.0, 4.1], [4.1, 4.2], Sesoi(0.05)).verdict == "lower"


def test_an_effect_of_interest_of_zero_leaves_only_no_difference_at_all_negligible():
    assert verdict((0.0, 0.0), 0.0, 1) == "negligible"
    assert verdict((0.0, 0.1), 0.0, 1) == verdict((-0.1, 0.0), 0.0, 1) == "undecided"
    assert verdict((0.1, 0.2), 0.0, 1) == "supported"


@pytest.mark.parametrize("sign", [-2, 0.5, 2])
def test_a_claim_has_one_of_three_directions(sign):
    with pytest.raises(ValueError, match="sign"):
        verdict((0.0, 1.0), 0.1, sign)


def test_a_table_says_whether_a_size_is_a_share():
    assert (Sesoi(0.05).text, Sesoi(0.05, relative=True).text) == ("0.05", "5 % rel")


@given(pairs, sizes, st.sampled_from([-1, 1]))
def test_swapping_the_arms_swaps_supported_and_opposed(values, size, sign):
    plus, minus = zip(*values, strict=True)
    there, back = compared(plus, minus, Sesoi(size), sign), compared(minus, plus, Sesoi(size), sign)
    said = there.verdict.item()
    assert back.verdict == MIRROR.get(said, said)
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low), abs=1e-12)


@given(st.lists(numbers, min_size=2, max_size=9), st.booleans(), signs)
def test_identical_pairs_are_negligible_with_an_interval_of_exactly_zero(values, relative, sign):
    found = compared(values, values, Sesoi(0.1, relative), sign)
    assert (found.estimate, found.low, found.high, found.verdict) == (0.0, 0.0, 0.0, "negligible")


def test_pairs_that_all_differ_by_as_much_are_decisive():
    minus = np.array([0.25, 0.5, 0.75])
    assert compared(minus + 0.25, minus, Sesoi(0.2), 1).verdict == "supported"
    assert compared(minus + 0.25, minus, Sesoi(0.3), 1).verdict == "negligible"


def test_relative_sizes_refer_to_the_absolute_mean_of_the_arm_after_the_minus():
    found = compared([-3.0, -5.0], [-2.0, -2.0], Sesoi(0.1, relative=True), -1)
    assert found.sesoi == pytest.approx(0.2)
    assert found.estimate == -2.0


@pytest.mark.parametrize("differences", [[1.0], [1.0, np.nan], [[1.0], [2.0]], 1.0])
def test_too_few_pairs_and_values_that_are_not_finite_are_refused(differences):
    with pytest.raises(ValueError, match=r"at least 2 pairs|finite"):
        contrast(differences, 0.0)


@pytest.mark.parametrize("sign", [-1, 0, 1])
@pytest.mark.parametrize("sesoi", [None, Sesoi(0.05), Sesoi(0.1, relative=True)])
def test_many_worlds_at_once_are_judged_as_one_by_one(sign, sesoi):
    rng = np.random.default_rng(1)
    minus = 0.4 + 0.05 * rng.standard_normal((200, 4))
    plus = minus + 0.08 * rng.standard_normal((200, 1)) + 0.03 * rng.standard_normal((200, 4)) * rng.random((200, 1))
    plus[0] = minus[0]
    minus[1], plus[1] = 0.4, 0.47  # a difference without variance
    many = contrast(plus - minus, minus.mean(axis=1), sesoi, sign)
    one = [compared(a, b, sesoi, sign) for a, b in zip(plus, minus, strict=True)]
    for name in Contrasts._fields:
        assert getattr(many, name).astype(str).tolist() == [str(getattr(d, name)) for d in one]
    assert len(set(many.verdict)) == (1 if sesoi is None else 4)


@pytest.mark.parametrize("size", [0.0, -0.1, np.nan, np.inf])
def test_a_smallest_effect_of_interest_is_positive(size):
    with pytest.raises(ValueError, match="positive"):
        Sesoi(size)


@pytest.mark.parametrize("ends", [(1.0, 0.0), (np.nan, 1.0)])
def test_no_interval_no_verdict(ends):
    with pytest.raises(ValueError, match="no interval"):
        verdict(ends, 0.1)


# How often the rule errs, over many synthetic experiments with normal differences of standard deviation 1.

EXPERIMENTS, N = 4000, 30


def verdicts(effect: float, sesoi: float, seed: int) -> np.ndarray:
    differences = np.random.default_rng(seed).normal(effect, 1.0, (EXPERIMENTS, N))
    return contrast(differences, np.zeros(EXPERIMENTS), Sesoi(sesoi), 1).verdict


def within_four_errors(share: float, expected: float) -> bool:
    return abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / EXPERIMENTS)


def test_the_interval_covers_the_true_difference_in_95_of_100_experiments():
    rng = np.random.default_rng(1)
    _, low, high = mean_interval(rng.normal(0.3, 2.0, (EXPERIMENTS, 8)))
    assert within_four_errors(np.mean((low <= 0.3) & (high >= 0.3)), 0.95)


def test_an_effect_exactly_as_large_as_the_smallest_of_interest_is_supported_in_one_experiment_of_forty():
    found = verdicts(effect=0.5, sesoi=0.5, seed=2)
    assert within_four_errors(np.mean(found == "supported"), 0.025)
    assert within_four_errors(np.mean(found == "negligible"), 0.025)
    assert not (found == "opposed").any()


def test_no_effect_is_negligible_where_there_are_pairs_enough():
    assert np.mean(verdicts(effect=0.0, sesoi=1.0, seed=3) == "negligible") > 0.997


def test_no_effect_is_undecided_rather_than_anything_else_where_pairs_are_too_few():
    found = verdicts(effect=0.0, sesoi=0.1, seed=4)
    assert np.mean(found == "undecided") > 0.97


def test_a_large_effect_is_supported():
    assert (verdicts(effect=2.0, sesoi=0.5, seed=5) == "supported").all()

"""The verdict rule: what it says, and how often it errs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.claims.verdict import Sesoi, contrast, mean_interval, verdict

numbers = st.floats(-10, 10, allow_nan=False)
sizes = st.floats(0.001, 5)
signs = st.sampled_from([-1, 0, 1])
pairs = st.lists(st.tuples(numbers, numbers), min_size=2, max_size=12)
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
    found = contrast([1.0, 2.0], [0.0, 0.5])
    assert (found.verdict, found.sesoi) == ("estimate", None)


def test_where_nothing_else_is_said_nobody_claims_a_direction_and_a_size_is_in_the_outcomes_unit():
    assert verdict((0.06, 0.08), 0.05) == contrast([4.1, 4.2], [4.0, 4.1], Sesoi(0.05)).verdict == "higher"
    assert contrast([4.0, 4.1], [4.1, 4.2], Sesoi(0.05)).verdict == "lower"


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
    there, back = contrast(plus, minus, Sesoi(size), sign), contrast(minus, plus, Sesoi(size), sign)
    assert back.verdict == MIRROR.get(there.verdict, there.verdict)
    assert back.interval == pytest.approx((-there.high, -there.low), abs=1e-12)


@given(st.lists(numbers, min_size=2, max_size=9), st.booleans(), signs)
def test_identical_pairs_are_negligible_with_an_interval_of_exactly_zero(values, relative, sign):
    found = contrast(values, values, Sesoi(0.1, relative), sign)
    assert (found.estimate, found.interval, found.sd, found.verdict) == (0.0, (0.0, 0.0), 0.0, "negligible")


def test_pairs_that_all_differ_by_as_much_are_decisive():
    minus = np.array([0.25, 0.5, 0.75])
    assert contrast(minus + 0.25, minus, Sesoi(0.2), 1).verdict == "supported"
    assert contrast(minus + 0.25, minus, Sesoi(0.3), 1).verdict == "negligible"


def test_a_constant_row_has_no_width_whatever_the_rounding():
    assert mean_interval([0.1] * 30) == (0.1, 0.1, 0.1)
    assert contrast([0.1] * 30, [0.0] * 30).sd == 0.0


def test_the_interval_is_students():
    mean, low, high = mean_interval([1.0, 2.0, 3.0, 4.0])
    half = 3.182446305 * np.sqrt(5 / 3) / 2  # t with 3 degrees of freedom, from a printed table
    assert (mean, low, high) == pytest.approx((2.5, 2.5 - half, 2.5 + half))


def test_the_spread_is_that_of_the_paired_differences():
    found = contrast([3.0, 6.0, 9.0], [2.0, 3.0, 4.0])  # differences 1, 3, 5
    assert found.sd == pytest.approx(2.0)


def test_relative_sizes_refer_to_the_absolute_mean_of_the_arm_after_the_minus():
    found = contrast([-3.0, -5.0], [-2.0, -2.0], Sesoi(0.1, relative=True), -1)
    assert found.sesoi == pytest.approx(0.2)
    assert (found.plus, found.minus, found.estimate, found.n) == (-4.0, -2.0, -2.0, 2)


@pytest.mark.parametrize(
    ("plus", "minus"),
    [
        ([1.0], [2.0]),
        ([1.0, 2.0], [1.0, 2.0, 3.0]),
        ([1.0, 2.0, 3.0], [1.0, 2.0]),
        ([1.0, np.nan], [1.0, 2.0]),
        ([[1.0, 2.0]], [[1.0, 2.0]]),
        ([[1.0, 2.0], [3.0, 5.0]], [[1.0, 2.0], [3.0, 4.0]]),
        (1.0, 2.0),
    ],
)
def test_what_cannot_be_paired_is_refused(plus, minus):
    with pytest.raises(ValueError, match="value"):
        contrast(plus, minus)


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
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(EXPERIMENTS, N))
    differences = rng.normal(effect, 1.0, (EXPERIMENTS, N))
    return np.array([contrast(c + d, c, Sesoi(sesoi), 1).verdict for c, d in zip(common, differences, strict=True)])


def within_four_errors(share: float, expected: float) -> bool:
    return abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / EXPERIMENTS)


def test_the_interval_covers_the_true_difference_in_95_of_100_experiments():
    rng = np.random.default_rng(1)
    covered = [low <= 0.3 <= high for _, low, high in map(mean_interval, rng.normal(0.3, 2.0, (EXPERIMENTS, 8)))]
    assert within_four_errors(np.mean(covered), 0.95)


def test_an_effect_exactly_as_large_as_the_smallest_of_interest_is_supported_in_one_experiment_of_forty():
    found = verdicts(effect=0.5, sesoi=0.5, seed=2)
    assert within_four_errors(np.mean(found == "supported"), 0.025)
    assert within_four_errors(np.mean(found == "negligible"), 0.025)
    assert not (found == "opposed").any()


def test_no_effect_is_negligible_where_there_are_pairs_enough():
    assert np.mean(verdicts(effect=0.0, sesoi=1.0, seed=3) == "negligible") > 0.999


def test_no_effect_is_undecided_rather_than_anything_else_where_pairs_are_too_few():
    found = verdicts(effect=0.0, sesoi=0.1, seed=4)
    assert np.mean(found == "undecided") > 0.97


def test_a_large_effect_is_supported():
    assert (verdicts(effect=2.0, sesoi=0.5, seed=5) == "supported").all()

"""The verdict rule: what effects in worlds made by hand say, and how often the rule errs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.claims.tables import in_words
from sim.claims.verdict import Over, by_points, classes, how_many, how_often, over, said, verdict, words_of
from sim.statistics import Estimate

DELTA = 0.02
signs = st.sampled_from([-1, 0, 1])


def worlds(*per_calibration, delta=DELTA, errors=0.0, weights=None):
    """Calibrations with these effects, as many worlds in each, weighing the same unless told."""
    x = np.concatenate([np.asarray(one, dtype=float) for one in per_calibration])
    at = np.repeat(np.arange(len(per_calibration)), [len(one) for one in per_calibration])
    shares = np.full(len(per_calibration), 1 / len(per_calibration)) if weights is None else np.asarray(weights)
    w = np.concatenate([np.full(len(one), s / len(one)) for one, s in zip(per_calibration, shares, strict=True)])
    return over(x, delta, w, at, errors)


def test_beyond_is_strict_and_on_the_limit_is_too_small():
    assert classes([0.02, np.nextafter(0.02, 1), -0.02, -0.03, 0.0], DELTA).tolist() == [0, 1, 0, -1, 0]


def test_a_side_is_carried_where_mean_and_share_surely_lie_on_it():
    found = worlds(*[[0.05, 0.05, 0.05, 0.0]] * 8)
    assert found.mean == pytest.approx((0.0375, 0.0), abs=1e-12)
    assert found.shares[1].estimate == pytest.approx(0.75)
    assert (verdict(found, DELTA), by_points(found, DELTA)) == (1, 1)


def test_the_share_alone_or_the_mean_alone_carries_nothing():
    few_far = worlds(*[[0.3, 0.0, 0.0, 0.0]] * 8)  # the mean is beyond, in a quarter of worlds
    many_near = worlds(*[[0.021, 0.021, 0.021, -0.05]] * 8)  # three quarters are beyond, the mean is not
    for found in (few_far, many_near):
        assert verdict(found, DELTA) is None
        assert by_points(found, DELTA) is None


def test_what_differs_from_calibration_to_calibration_is_not_sure():
    rng = np.random.default_rng(0)
    shaky = worlds(*[[0.05 * b] * 4 for b in rng.permutation([1, 1, 1, 0, 1, 0, 1, 1])])
    assert shaky.mean.estimate > DELTA and shaky.shares[1].estimate == pytest.approx(0.75)
    assert by_points(shaky, DELTA) == 1
    assert shaky.low < DELTA
    assert verdict(shaky, DELTA) is None


def test_a_share_must_exceed_one_half_by_two_errors():
    """Shares of 0.6 ± 0.026 and of 0.6 ± 0.065 between eight calibrations; all means are far beyond."""
    surely, hardly = (
        worlds(*[[1.0] * (60 + k) + [0.0] * (40 - k) for k in range(-b, b + 1, 2 * b // 7)]) for b in (14, 35)
    )
    for found in (surely, hardly):
        assert found.shares[1].estimate == pytest.approx(0.6, abs=0.01)
        assert found.low > DELTA
    assert verdict(surely, DELTA) == 1
    assert verdict(hardly, DELTA) is None


def on(one, share, error=0.0, low=0.0, high=0.0):
    """An effect whose interval is [low, high], with this share of worlds in a class and none known of the others."""
    none = Estimate(0.0, 0.0)
    shares = {1: none, 0: none, -1: none, one: Estimate(share, error)}
    return Over(Estimate((low + high) / 2, 0.0), low, high, shares, 0.0, 10.0)


def test_what_lies_on_a_limit_of_the_rule_is_not_beyond_it():
    assert verdict(on(1, 0.6, 0.0499, low=0.03, high=0.04), DELTA) == 1
    assert verdict(on(1, 0.6, 0.0501, low=0.03, high=0.04), DELTA) is None
    assert verdict(on(1, 0.9, low=DELTA, high=0.04), DELTA) is None
    assert verdict(on(0, 0.9, low=-DELTA, high=DELTA), DELTA) == 0
    assert verdict(on(-1, 0.9, low=-0.04, high=-DELTA), DELTA) is None
    for one, at in ((1, 0.03), (0, 0.0), (-1, -0.03)):
        assert verdict(on(one, 0.5, low=at, high=at), DELTA) is by_points(on(one, 0.5, low=at, high=at), DELTA) is None
        assert verdict(on(one, 0.51, low=at, high=at), DELTA) == by_points(on(one, 0.51, low=at, high=at), DELTA) == one


def test_too_small_to_matter_is_a_finding_of_its_own():
    found = worlds(*[[0.01, 0.0, -0.01, 0.03]] * 6)
    assert verdict(found, DELTA) == 0
    assert said(verdict(found, DELTA), 1) == "too small to matter"


def test_a_mean_that_may_lie_beyond_is_not_surely_too_small():
    found = worlds(*[[0.0, 0.0, 0.0, v] for v in np.linspace(0.03, 0.105, 8)])
    assert found.shares[0] == pytest.approx((0.75, 0.0))
    assert found.high > DELTA > found.mean.estimate
    assert (verdict(found, DELTA), by_points(found, DELTA)) == (None, 0)


def test_one_calibration_carries_nothing():
    assert verdict(worlds([0.5] * 100), DELTA) is None
    assert by_points(worlds([0.5] * 100), DELTA) == 1


def test_nothing_is_undecided_and_the_shares_are_all_there_is():
    found = worlds([0.5, 0.01, -0.3], [0.1, 0.2, 0.0])
    assert sum(share.estimate for share in found.shares.values()) == pytest.approx(1.0)


def test_a_calibration_counts_by_its_constant():
    found = worlds([0.05], [0.0], weights=[0.8, 0.2])
    assert found.mean.estimate == pytest.approx(0.04)
    assert found.shares[1].estimate == pytest.approx(0.8)
    assert found.r_eff == pytest.approx(1 / 0.68)


def test_near_is_what_lies_within_two_errors_of_either_limit():
    found = worlds([0.025, -0.025, 0.05, 0.0], errors=np.array([0.003, 0.003, 0.003, 0.009]))
    assert found.near == pytest.approx(0.5)
    assert over([DELTA, 0.0], DELTA, np.full(2, 0.5), np.arange(2)).near == 0.5  # or on it


@pytest.mark.parametrize(
    ("sign", "direction", "above", "below"),
    [
        (1, -1, "supported", "opposed"),
        (-1, -1, "opposed", "supported"),
        (0, 1, "better", "worse"),
        (0, -1, "worse", "better"),
        (0, 0, "higher", "lower"),
    ],
)
def test_a_claimed_sign_comes_before_what_everybody_would_call_better(sign, direction, above, below):
    assert (words_of(sign, direction)[1], words_of(sign, direction)[-1]) == (above, below)


@given(st.lists(st.floats(-0.1, 0.1, allow_nan=False), min_size=6, max_size=24), signs)
def test_the_mirror_image_gets_the_mirrored_verdict(effects, sign):
    at, w = np.arange(len(effects)) % 3, np.full(len(effects), 1 / len(effects))
    there, back = (verdict(over(side * np.array(effects), DELTA, w, at), DELTA) for side in (1, -1))
    assert there == (None if back is None else -back)
    assert said(there, sign) == said(back, -sign) or sign == 0


@pytest.mark.parametrize(
    ("share", "words"), [(0.8, "nearly all"), (0.799, "most"), (2 / 3, "most"), (0.66, "more than half")]
)
def test_how_many_worlds_in_words(share, words):
    assert how_many(share) == f"in {words} of 100 plausible worlds"


def test_divided_worlds_are_told_by_their_three_shares_the_largest_first():
    found = worlds(*[[0.05] * 3 + [0.0] * 5 + [-0.05] * 2] * 6)
    assert in_words(found, verdict(found, DELTA), -1, -1) == (
        "divided: too small to matter in 50, opposed in 30, supported in 20"
    )


def test_a_share_that_is_not_known_within_8_points_gets_no_words():
    found = worlds([0.05] * 4, [0.0] * 4, [0.05] * 4, [0.0] * 4)
    assert found.shares[1].error > 0.08
    assert in_words(found, None, 1, 1) == "the share of worlds is not known well enough to say"
    assert in_words(on(1, 0.9, 0.08), 1, 1, 1) == "supported in nearly all of 100 plausible worlds"


@pytest.mark.parametrize(
    ("share", "often"),
    [
        (1.0, "almost always"),
        (0.8, "almost always"),
        (0.79, "usually"),
        (2 / 3, "usually"),
        (0.6, "more often than not"),
    ],
)
def test_how_often_is_said_as_how_many(share, often):
    assert how_often(share) == often


def test_what_nobody_claims_or_wants_is_higher_or_lower():
    assert [said(carried) for carried in (1, 0, -1)] == ["higher", "too small to matter", "lower"]


def test_no_sentence_speaks_of_probability():
    for carried in (1, 0, -1, None):
        assert "probab" not in in_words(worlds(*[[0.05, 0.0]] * 6), carried, 1, 1)


def test_shares_do_not_depend_on_how_many_pairs_were_run():
    """A third of worlds has an effect well beyond δ, the others none: errors of δ/3 and of δ/12 find the same."""
    rng, true = np.random.default_rng(4), np.repeat([0.06, 0.0, 0.0], 400)
    w, at = np.full(1200, 1 / 1200), np.arange(1200) % 10
    found = [over(true + e * rng.standard_normal(1200), DELTA, w, at, e).shares[1] for e in (DELTA / 3, DELTA / 12)]
    assert found[0].estimate == pytest.approx(found[1].estimate, abs=0.01)
    assert found[0].estimate == pytest.approx(1 / 3, abs=0.01)


def test_a_wrong_verdict_is_rare_where_the_truth_lies_on_the_limit():
    """Calibrations whose means scatter around δ itself: at most one in forty is called beyond, or too small."""
    rng, wrong = np.random.default_rng(6), 0
    for _ in range(400):
        means = DELTA + 0.005 * rng.standard_normal(10)
        wrong += verdict(worlds(*[[m] * 3 for m in means]), DELTA) is not None
    assert wrong / 400 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)

"""Intervals of means that cover; weighted worlds: sizes, quantiles, and errors that cover."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from sim import statistics as w


def test_intervals_of_means_are_students_and_along_any_axis():
    x = np.random.default_rng(0).normal(0.3, 2.0, (4, 9))
    low, high = stats.t.interval(0.95, 8, x.mean(axis=1), stats.sem(x, axis=1))
    assert w.mean_interval(x) == pytest.approx(np.stack([x.mean(axis=1), low, high]))
    assert np.array_equal(w.mean_interval(x), w.mean_interval(x.T, axis=0))
    assert np.array_equal(w.mean_interval(x)[:, 2], w.mean_interval(x[2]))


def test_values_that_are_all_the_same_have_no_width_and_fewer_than_two_have_no_interval():
    assert w.mean_interval([0.1] * 30).tolist() == [0.1, 0.1, 0.1]
    assert w.mean_interval([[0.5], [0.7]])[0].tolist() == [0.5, 0.7]
    assert np.isnan(w.mean_interval([[0.5], [0.7]])[1:]).all()
    for none, shape in ([], (3,)), (np.empty((2, 0)), (3, 2)):
        assert np.array_equal(w.mean_interval(none), np.full(shape, np.nan), equal_nan=True)


def test_intervals_of_means_cover_at_the_nominal_rate():
    _, low, high = w.mean_interval(np.random.default_rng(4).normal(0.3, 2.0, (2000, 5)))
    covered = (np.abs(low + high - 0.6) <= high - low).mean()
    assert abs(covered - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 2000)


def test_equal_weights_count_in_full_and_a_single_one_as_one():
    assert w.effective_size(np.full(50, 0.02)) == pytest.approx(50)
    assert w.effective_size([1.0, 0.0, 0.0]) == 1.0
    assert w.student([1.9, 2.0, 2.5]) == pytest.approx(stats.t.ppf(0.975, [np.nan, 1.0, 1.5]), nan_ok=True)


def test_logarithms_of_any_size_become_weights_and_minus_infinity_is_zero():
    assert w.normalised([-5000.0, -5000.0, -np.inf]) == pytest.approx([0.5, 0.5, 0.0])
    with pytest.raises(ValueError, match="no weight"):
        w.normalised([-np.inf, -np.inf])


def test_a_weight_of_three_is_three_worlds():
    values, weights = np.array([0.4, 0.1, 0.7]), np.array([1.0, 3.0, 2.0])
    repeated = np.repeat(values, [1, 3, 2])
    at = [0.05, 0.3, 0.5, 0.55, 0.9]
    assert w.weighted_quantile(weights, values, at) == pytest.approx(np.quantile(repeated, at, method="inverted_cdf"))
    assert w.weighted_sd(weights, values) == pytest.approx(repeated.std())


def test_a_mean_of_prior_draws_has_the_standard_error_of_independent_values():
    x = np.random.default_rng(0).normal(size=40)
    found = w.mean(np.full(40, 1 / 40), x, np.arange(40))
    assert found == pytest.approx((x.mean(), x.std(ddof=1) / np.sqrt(40)))


def test_the_error_deletes_one_calibration_at_a_time_and_the_rest_weigh_as_before():
    """Three calibrations of weights 0.5, 0.3 and 0.2 whose means are 0, 1 and 4."""
    weights, at = np.array([0.5, 0.1, 0.2, 0.2]), np.array([7, 2, 2, 5])
    found = w.mean(weights, [0.0, 1.0, 1.0, 4.0], at)
    without = np.array([1.1 / 0.5, 0.8 / 0.7, 0.3 / 0.8])
    assert found.estimate == pytest.approx(1.1)
    assert found.error == pytest.approx(np.sqrt(2 / 3 * ((without - without.mean()) ** 2).sum()))
    assert w.effective_calibrations(weights, at) == pytest.approx(1 / (0.25 + 0.09 + 0.04))


def test_weights_in_any_unit_give_the_same_mean_and_error():
    weights, x, at = np.array([0.5, 0.1, 0.2, 0.2]), [0.0, 1.0, 1.0, 4.0], np.array([7, 2, 2, 5])
    assert w.mean(3.0 * weights, x, at) == pytest.approx(w.mean(weights, x, at))


def test_a_calibration_without_weight_is_none():
    weights, x, at = np.array([0.5, 0.3, 0.2, 0.0]), np.array([0.0, 1.0, 4.0, 9.0]), np.array([1, 2, 3, 4])
    there = weights[:3], x[:3], at[:3]
    assert w.mean(weights, x, at) == pytest.approx(w.mean(*there))
    assert w.between(weights, x, at) == pytest.approx(w.between(*there))
    assert w.jackknife(lambda v: v @ x, weights, at)[1] == pytest.approx(w.mean(*there).error)
    alone = np.array([1.0, 0.0, 0.0, 0.0])
    assert all(np.isnan([w.mean(alone, x, at).error, w.between(alone, x, at), w.jackknife(np.sum, alone, at)[1]]))


def test_what_differs_between_calibrations_is_their_means_not_the_worlds_within():
    """Three calibrations of weights 0.5, 0.3 and 0.2 whose means are 0, 1 and 4."""
    weights, at = np.array([0.25, 0.25, 0.3, 0.2]), np.array([7, 7, 2, 5])
    centre = 0.3 + 0.8
    spread = 0.5 * centre**2 + 0.3 * (1 - centre) ** 2 + 0.2 * (4 - centre) ** 2
    assert w.between(weights, [-2.0, 2.0, 1.0, 4.0], at) == pytest.approx(np.sqrt(spread / (1 - 0.38)))
    assert np.isnan(w.between(weights, [-2.0, 2.0, 1.0, 4.0], np.zeros(4, dtype=int)))


def test_a_functional_has_the_error_of_the_same_jackknife():
    rng = np.random.default_rng(2)
    weights, x, at = rng.dirichlet(np.ones(30)), rng.normal(size=30), np.arange(30) % 5
    both = w.jackknife(lambda v: [v @ x, v @ (x > 0)], weights, at)
    assert both[0] == pytest.approx([w.mean(weights, x, at).estimate, w.share(weights, x > 0, at).estimate])
    assert both[1] == pytest.approx([w.mean(weights, x, at).error, w.share(weights, x > 0, at).error])


def test_a_share_without_dissent_has_no_error_and_no_effective_number():
    assert w.share(np.full(8, 1 / 8), np.ones(8), np.arange(8)) == pytest.approx((1.0, 0.0))
    assert np.isnan(w.n_eff(1.0, 0.0))
    assert w.n_eff(0.2, 0.04) == pytest.approx(100)


def test_a_single_calibration_says_nothing_about_the_next():
    assert np.isnan(w.mean(np.full(3, 1 / 3), [1.0, 2.0, 3.0], np.zeros(3, dtype=int)).error)
    assert np.isnan(w.interval(1.0, 0.1, 1.0)).all()


def test_intervals_of_pooled_calibrations_cover_at_the_nominal_rate():
    """What is common to the worlds of a calibration makes up most of the error."""
    rng, covered, repetitions = np.random.default_rng(5), 0, 1000
    at = np.repeat(np.arange(8), 20)
    for _ in range(repetitions):
        x = np.repeat(rng.normal(size=8), 20) + rng.normal(size=160)
        low, high = w.interval(*w.mean(np.full(160, 1 / 160), x, at), 8.0)
        covered += low <= 0.0 <= high
    assert abs(covered / repetitions - 0.95) < 4 * np.sqrt(0.95 * 0.05 / repetitions)


def test_logarithms_are_added_as_their_numbers():
    assert w.log_sum([np.log(2.0), np.log(3.0), -np.inf]) == pytest.approx(np.log(5.0))
    assert w.log_sum([-np.inf]) == -np.inf


def test_the_distance_from_uniform_is_the_largest_gap():
    assert w.kolmogorov_smirnov(np.full(2, 0.5), [0.25, 0.75]) == pytest.approx(0.25)
    assert w.kolmogorov_smirnov(np.array([1.0]), [0.9]) == pytest.approx(0.9)


def test_systematic_resampling_takes_each_as_often_as_its_weight_says_give_or_take_one():
    weights = np.random.default_rng(1).dirichlet(np.ones(30))
    times = np.bincount(w.systematic(weights, 200, np.random.default_rng(2)), minlength=30)
    assert (np.abs(times - 200 * weights) < 1).all()
    assert np.array_equal(w.systematic(3 * weights, 200, np.random.default_rng(2)), np.repeat(np.arange(30), times))


def test_the_largest_number_that_can_be_drawn_takes_the_last_item():
    """Added to 3 it is rounded to 4, and 4 of 4 is beyond all of the weight."""
    largest = SimpleNamespace(random=lambda: np.nextafter(1.0, 0.0))
    assert w.systematic(np.full(4, 0.25), 4, largest)[-1] == 3


def test_intervals_of_weighted_shares_cover_at_the_nominal_rate():
    """Proposals uniform, target density 2x, so the share above a half is three quarters."""
    rng, covered, repetitions = np.random.default_rng(3), 0, 600
    for _ in range(repetitions):
        x = rng.random(600)
        found = w.share(x / x.sum(), x > 0.5, np.arange(600))
        covered += abs(found.estimate - 0.75) < 1.96 * found.error
    assert abs(covered / repetitions - 0.95) < 4 * np.sqrt(0.95 * 0.05 / repetitions)


@pytest.mark.parametrize("top", [0.1, 0.2, 0.5, 0.61, 0.9])
def test_the_top_of_a_parabola_is_found_between_the_points_and_an_end_may_be_best(top):
    at = np.linspace(0.0, 1.0, 9)
    found = w.top_of_parabola(at, np.array([1 - (at - top) ** 2, -((at - 1.5) ** 2), -((at + 0.5) ** 2)]))
    assert found == pytest.approx([top, 1.0, 0.0])
    assert w.top_of_parabola(at + 3.0, -((at[None] - top) ** 2)).item() == pytest.approx(top + 3.0)
    assert w.top_of_parabola(np.array([0.0, 0.5, 1.0]), np.ones((1, 3))).item() == 0.0
    hardly = np.array([[1.0 - 2.0**-53, 1.0, 1.0]])  # a bend that rounding takes away
    assert w.top_of_parabola(np.array([0.0, 0.5, 1.0]), hardly).item() == 0.5

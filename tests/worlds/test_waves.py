"""A second algorithm, history matching by waves, against posteriors that are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, WhiteKernel

from sim.errors import InputError
from sim.statistics import weighted_mean
from sim.worlds import waves
from sim.worlds.prior import OFF, UNIFORMS, prior, uniforms_of
from sim.worlds.smc import Target
from sim.worlds.waves import Plan, matched
from tests.worlds.test_calibration import LINEAR, linear, plain, truths

PLAN = Plan(first=200, waves=(100,), draws=500, points=200, steps=20)


@pytest.mark.parametrize("tilt", [0.0, 1.0])
def test_a_known_posterior_and_its_constant_are_recovered_uniformly_or_tilted(tilt):
    made = [matched(LINEAR, replace(PLAN, tilt=tilt), seed=seed) for seed in range(3)]
    m1, v1, m2, _, log_z = truths()
    found = []
    for one in made:
        u, w = uniforms_of(one.codes), one.weights
        found.append([
            weighted_mean(w, u[:, 0]), weighted_mean(w, (u[:, 0] - m1) ** 2), weighted_mean(w, u[:, 1]),
            weighted_mean(w, u[:, 5]), one.log_z,
        ])  # fmt: skip
    runs = np.array(found)
    assert np.abs(runs.mean(axis=0) - [m1, v1, m2, 0.5, log_z]).max() < 0.1
    assert np.abs(runs.mean(axis=0) - [m1, v1, m2, 0.5, log_z])[:2] == pytest.approx([0, 0], abs=0.02)
    assert all(one.surveys == 200 + 100 + 500 * 3 for one in made)
    sizes = [one.effective_size for one in made]
    assert min(sizes) > (250 if tilt else 50)


def test_the_same_seed_gives_the_same_bits_with_any_number_of_threads():
    small = Plan(100, (40,), 60, 100, steps=10)
    one, two, other = (
        matched(LINEAR, small, workers=1),
        matched(LINEAR, small, workers=2),
        matched(LINEAR, small, seed=1),
    )
    assert np.array_equal(one.codes, two.codes) and np.array_equal(one.weights, two.weights)
    assert not np.array_equal(one.codes, other.codes)


def test_a_wave_rules_out_what_misses_and_keeps_what_agrees():
    made = matched(LINEAR, replace(PLAN, draws=100))
    shares = [each["log_share"] for each in made.history]
    assert len(shares) == 2 and shares[1] < -0.5
    assert (
        np.quantile(np.abs(LINEAR.misses(made.statistics)), 0.95) < 4.5
    )  # 3 errors, of tolerance and one seed's noise


def test_a_process_learns_a_bend_and_says_how_far_off_it_is():
    rng = np.random.default_rng(0)
    x = rng.random((400, 6)) - 0.5
    y = np.column_stack([3 * x[:, 0] + 4 * x[:, 0] ** 2 - x[:, 1], 2 * x[:, 2] + rng.normal(0, 0.5, 400)])
    found = waves.fit(x, y)
    new = rng.random((300, 6)) - 0.5
    miss = found.misses(new) - np.column_stack([3 * new[:, 0] + 4 * new[:, 0] ** 2 - new[:, 1], 2 * new[:, 2]])
    assert miss[:, 0].std() < 0.1 and miss[:, 1].std() < 0.2
    assert found.variance[0] < 0.02 and 0.08 < found.variance[1] < 0.5


@pytest.mark.filterwarnings("ignore:The optimal value found")
def test_the_mean_of_a_process_is_that_of_the_library():
    rng = np.random.default_rng(0)
    x = rng.random((60, 3)) - 0.5
    y = np.sin(3 * x[:, 0]) + x[:, 1] + 2.0 + rng.normal(0.0, 0.3, 60)
    own = waves._process(x, y, 0)
    kernel = ConstantKernel(1.0) * DotProduct(1.0, "fixed") + ConstantKernel(1.0) * RBF(1.0, (0.05, 50.0))
    scaled = x * own.relevance
    theirs = GaussianProcessRegressor(kernel + WhiteKernel(0.2, (1e-6, 10.0)), random_state=0)
    theirs.fit(scaled, (y - y.mean()) / y.std())
    assert own(x) == pytest.approx(theirs.predict(scaled) * y.std() + y.mean(), abs=1e-6)


def test_what_is_found_can_be_used_as_weighted_worlds():
    target = replace(LINEAR, dimension=UNIFORMS)
    worlds = matched(target, Plan(100, (), 40, 90, steps=5)).worlds(OFF)
    assert len(worlds) == 40 and worlds.weights.sum() == pytest.approx(1.0)
    assert worlds.values.shape[1] == prior(1).values.shape[1] and worlds[0].parameters()
    assert len(np.unique(worlds.calibrations)) == 40
    assert worlds.mean(np.ones(40)).estimate == pytest.approx(1.0)


def test_evidence_that_no_draw_can_be_compared_with_is_refused():
    broken = Target(3, lambda u, seed: np.full(2, np.nan), plain, LINEAR.values, LINEAR.sds)
    with pytest.raises(InputError, match="no draw"):
        matched(broken, Plan(30, (), 20, 30, steps=2))
    assert linear(np.full(12, 0.5), 0).shape == (3,)

"""Worlds that are moved to agree with further data: against a posterior that is known, and their codes."""

from __future__ import annotations

import numpy as np
import pytest

from sim.statistics import normalised
from sim.worlds import emulator, refit, smc
from sim.worlds.prior import MECHANISMS, OFF, UNIFORMS, uniforms_of, worlds_from
from sim.worlds.refit import Plan, States
from sim.worlds.survey import seeds_of
from tests.worlds.test_calibration import LINEAR, NOISE, plain

DATA = np.array([0.35, 0.45])  # 3.5 and 5 tolerances from the evidence


@pytest.fixture(scope="module")
def start():
    """Worlds weighted by the evidence, from the prior, and an emulator of them."""
    rng = np.random.default_rng(0)
    codes, seeds = rng.integers(smc.GRID, size=(800, 12), dtype=np.uint16), rng.integers(smc.SEEDS, size=800)
    both = refit.twice(LINEAR, DATA)
    found = np.array([
        np.mean([both.statistics(u, seed) for seed in seeds_of(number, 3)], axis=0)
        for u, number in zip(uniforms_of(codes), seeds.tolist(), strict=True)
    ])  # fmt: skip
    some = normalised(LINEAR.agreement(found))
    states = States(codes, seeds, found, some)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(emulator, "NETWORKS", 1)
        return states, emulator.fit(plain(uniforms_of(codes)), LINEAR.misses(found), 0)


def truth():
    """Posterior mean and standard deviation of the first number, and the mean of the second."""
    grid, noise = (np.arange(800) + 0.5) / 800, NOISE**2 / 3
    first = np.exp(-0.5 * ((grid - 0.7) ** 2 + (grid - DATA[0]) ** 2) / (0.1**2 + noise))
    gap = grid[:, None] - grid
    second = np.exp(-0.5 * ((gap - 0.2) ** 2 + (gap - DATA[1]) ** 2) / (0.05**2 + noise)).sum(axis=1)
    first, second = first / first.sum(), second / second.sum()
    return first @ grid, np.sqrt(first @ grid**2 - (first @ grid) ** 2), second @ grid


def test_moved_worlds_have_the_posterior_of_both_likelihoods_where_weights_alone_leave_few(start):
    states, learned = start
    alone = smc.effective_size(normalised(refit._agreement(refit.twice(LINEAR, DATA), states.statistics, 1.0)))
    plan = Plan(particles=120, steps=30, surveys=2_000)
    made = [refit.refit(LINEAR, states, DATA, learned, plan, seed=seed) for seed in range(3)]
    u = np.array([uniforms_of(one.states.codes) for one in made])
    mean, sd, second = truth()
    assert alone < 30
    assert min(one.effective_size for one in made) > 80
    assert u[..., 0].mean() == pytest.approx(mean, abs=0.02)
    assert u[..., 0].std() == pytest.approx(sd, abs=0.015)
    assert u[..., 1].mean() == pytest.approx(second, abs=0.03)
    assert u[..., 5].mean() == pytest.approx(0.5, abs=0.06)


def test_surveys_are_counted_and_end_where_the_plan_says(start):
    states, learned = start
    calls = []

    def counted(uniforms, seed):
        calls.append(seed)
        return LINEAR.statistics(uniforms, seed)

    target = smc.Target(12, counted, plain, LINEAR.values, LINEAR.sds)
    made = refit.refit(target, states, DATA, learned, Plan(20, 10, 300))
    assert made.surveys == len(calls) == 120 * len(made.sweeps)
    assert made.sweeps[-1][0] == 1.0 and 300 < made.surveys <= 300 + 120 * len(made.sweeps)
    firsts = [seed for seed in calls if seed < refit.FRESH]
    assert len(firsts) == len(calls) / 2 and max(firsts) < 3 * smc.SEEDS <= refit.FRESH


def test_a_doubled_emulator_believes_in_both_likelihoods_the_second_to_a_power(start):
    _, learned = start
    x = plain(np.random.default_rng(1).random((50, 12)))
    shift = (LINEAR.values - DATA) / LINEAR.sds
    first = learned.misses(x)
    found = refit.doubled(learned, shift, 0.25)
    assert found.misses(x) == pytest.approx(np.hstack([first, 0.5 * (first + shift)]), abs=1e-3)
    of_data = (0.25 * (first + shift) ** 2 / (1 + 0.25 * learned.variance)).sum(axis=1)
    assert found.agreement(x) == pytest.approx(learned.agreement(x) - 0.5 * of_data, rel=1e-3)


def test_codes_stand_for_the_worlds_they_are_of():
    codes = np.random.default_rng(2).integers(smc.GRID, size=(50, UNIFORMS), dtype=np.uint16)
    worlds = worlds_from(uniforms_of(codes), OFF)
    again = refit.codes_of(worlds, OFF)
    back = worlds_from(uniforms_of(again), OFF)
    assert np.array_equal(back.values, worlds.values) and np.array_equal(back.off, worlds.off)
    assert np.array_equal(back.nuisance, worlds.nuisance)
    ranged = UNIFORMS - len(MECHANISMS)
    assert np.array_equal(again[:, :ranged], codes[:, :ranged])
    on = worlds_from(uniforms_of(codes), 0.0)
    assert not worlds_from(uniforms_of(refit.codes_of(on, 0.0)), 0.0).off.any()

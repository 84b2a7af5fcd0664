"""Calibration: a sampler that finds known posteriors, goes on where it stopped, and refuses what it cannot use."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm, truncnorm

from sim.errors import InputError
from sim.statistics import Estimate, log_sum, mean, normalised, student
from sim.worlds import calibrate as calibration
from sim.worlds import emulator, smc
from sim.worlds.calibrate import calibrate, recalibrate
from sim.worlds.ensemble import load, pooled
from sim.worlds.evidence import Evidence
from sim.worlds.evidence import load as findings
from sim.worlds.prior import uniforms_of
from sim.worlds.smc import Plan, Target, sample
from sim.worlds.survey import Sizes

TINY = Sizes(1, 1, 2, 3)
FEW = Evidence(findings().survey, tuple(p for p in findings().patterns if p.id in ("speaking-up", "churn")))
SMALL = Plan(prior=60, rounds=(20,), candidates=30, particles=20, sweeps=1, steps=5)
NOISE = 0.05


def linear(uniforms, seed):
    """The first uniform number with noise, then the difference of the next two."""
    noise = np.random.default_rng(seed).normal(0.0, NOISE, 2)
    return np.array([uniforms[0] + noise[0], uniforms[1] - uniforms[2] + noise[1], 9.0])


def plain(uniforms):
    return (uniforms - 0.5).astype(np.float32)


LINEAR = Target(12, linear, plain, np.array([0.7, 0.2]), np.array([0.1, 0.05]))
PLAN = Plan(prior=300, rounds=(100,), candidates=200, particles=200, sweeps=2, steps=30)


def truths():
    """Posterior mean and variance of the first number, those of the second, and the logarithm of the constant."""
    noise = NOISE / np.sqrt(LINEAR.surveys)
    sd = np.hypot(0.1, noise)
    first = truncnorm(-0.7 / sd, 0.3 / sd, 0.7, sd)
    of_first = (norm.cdf(0.3 / sd) - norm.cdf(-0.7 / sd)) * np.sqrt(2 * np.pi) * 0.1
    grid, wide = (np.arange(800) + 0.5) / 800, np.hypot(0.05, noise)
    density = np.exp(-0.5 * ((grid[:, None] - grid - 0.2) / wide) ** 2)
    of_second, density = density.mean() * 0.05 / wide, density.sum(axis=1) / density.sum()
    middle = density @ grid
    return first.mean(), first.var(), middle, density @ (grid - middle) ** 2, np.log(of_first * of_second)


def found(seed):
    """What one run finds of the truths, and of a number without influence, whose mean is one half."""
    made = sample(LINEAR, PLAN, seed=seed, workers=1)
    u, (m1, _, m2, _, _) = uniforms_of(made.particles.codes), truths()
    values = (u[:, 0], (u[:, 0] - m1) ** 2, u[:, 1], (u[:, 1] - m2) ** 2)
    return np.array([*(x.mean() for x in values), made.log_z, u[:, 5].mean()])


def test_a_known_posterior_and_its_constant_are_recovered_and_runs_differ_as_much_as_they_say():
    """Six runs; the error of their mean is that between runs, so a bias of some errors would show."""
    runs = np.array([found(seed) for seed in range(6)])
    miss = (runs.mean(axis=0) - [*truths(), 0.5]) / (runs.std(axis=0, ddof=1) / np.sqrt(len(runs)))
    assert (np.abs(miss) < student(len(runs)) * 2.0).all()
    assert (runs.std(axis=0, ddof=1) < [0.03, 0.004, 0.05, 0.01, 0.2, 0.06]).all()


def test_runs_pooled_by_their_constants_are_as_good_as_one_long_run():
    """The mean over pooled runs and its jackknife error, against the truth."""
    made = [sample(LINEAR, PLAN, seed=10 + k, workers=1) for k in range(6)]
    weights = np.repeat(normalised([one.log_z for one in made]), PLAN.particles) / PLAN.particles
    numbers = np.repeat(np.arange(6), PLAN.particles)
    u = np.concatenate([uniforms_of(one.particles.codes)[:, 0] for one in made])
    estimate = mean(weights, u, numbers)
    assert isinstance(estimate, Estimate)
    assert abs(estimate.estimate - truths()[0]) < 4.0 * estimate.error < 0.08


def test_an_emulator_that_knows_nothing_costs_time_and_not_truth():
    blind = Target(12, linear, lambda uniforms: np.zeros((len(uniforms), 1), np.float32), LINEAR.values, LINEAR.sds)
    plan = Plan(prior=200, rounds=(), candidates=1000, particles=400, sweeps=30, steps=5)
    made = [sample(blind, plan, seed=seed, workers=1) for seed in range(3)]
    means = [uniforms_of(one.particles.codes)[:, 0].mean() for one in made]
    assert abs(np.mean(means) - truths()[0]) < 0.03
    assert abs(np.mean([one.log_z for one in made]) - truths()[-1]) < 0.5


def test_without_evidence_the_prior_comes_back():
    flat = Target(12, lambda uniforms, seed: uniforms[:1], plain, np.array([0.5]), np.array([1e6]))
    made = sample(flat, Plan(400, (), 400, 400, 1, 10), workers=1)
    u = uniforms_of(made.particles.codes)
    assert abs(made.log_z) < 1e-6
    assert (np.abs(u.mean(axis=0) - 0.5) < 4 / np.sqrt(12 * 400)).all()
    (step,), (forecast,) = made.history["bridge"], made.history["rounds"]
    jumps = step.pop("jumps")
    assert step == {
        "gamma": 1.0, "effective_size": pytest.approx(400.0), "heaviest": pytest.approx(1 / 400, rel=1e-3),
        "accepted": [1.0], "ancestors": 400,
    }  # fmt: skip
    assert len(jumps) == 12 and 0.1 < min(jumps) <= max(jumps) < 2.0
    assert made.history["surveys"] == 400 + 3 * 400 + 3 * 400
    assert forecast["effective_share"] == pytest.approx(1.0) and abs(forecast["log_z_emulated"]) < 1e-3


def test_a_world_that_gives_no_number_counts_for_nothing():
    def broken(uniforms, seed):
        return np.array([np.nan if uniforms[0] > 0.5 else uniforms[0], 0.2])

    target = Target(3, broken, plain, LINEAR.values, LINEAR.sds)
    made = sample(target, Plan(200, (), 200, 100, 1, 10), workers=1)
    assert (uniforms_of(made.particles.codes)[:, 0] <= 0.5).all()


def test_a_shifted_number_stays_on_the_grid_and_shifts_back_as_likely():
    codes = np.array([-3, -1, 0, 65535, 65536, 65540])
    assert smc._reflected(codes).tolist() == [2, 0, 0, 65535, 65535, 65531]


def settings(**changes):
    return {"evidence": FEW, "plan": SMALL, "sizes": TINY, "kept": 10, **changes}


@pytest.fixture(autouse=True)
def small_work(monkeypatch):
    monkeypatch.setattr(smc, "BATCH", 16)
    monkeypatch.setattr(smc, "_MIXING", 100)
    monkeypatch.setattr(emulator, "NETWORKS", 1)


class Killed(Exception):
    pass


def same(one, other):
    arrays = ("values", "off", "nuisance", "weights", "ancestors", "seeds", "calibrations")
    return (
        all(np.array_equal(getattr(one, name), getattr(other, name)) for name in arrays)
        and all(np.array_equal(one.measured[name], other.measured[name]) for name in one.measured)
        and one.log_z == other.log_z
    )


def test_a_killed_run_goes_on_and_gives_the_same_bits_with_any_number_of_threads(tmp_path):
    whole = calibrate(tmp_path / "whole", workers=2, **settings())
    for moment in (("prior", 32), ("round-1", 16), ("step-1-1", 16)):

        def killer(done, total, note, moment=moment):
            if (note, done) == moment:
                raise Killed

        folder = tmp_path / f"killed in {moment[0]}"
        with pytest.raises(Killed):
            calibrate(folder, workers=1, progress=killer, **settings())
        last = max(folder.glob("*.npz"))
        last.write_bytes(last.read_bytes()[:100])  # as if the disk had lost the rest of it
        assert same(whole, calibrate(folder, workers=1, **settings()))


def test_another_run_gives_other_worlds_and_a_finished_one_is_not_surveyed_again(tmp_path, monkeypatch):
    one, other = (calibrate(tmp_path / str(number), number, **settings()) for number in (1, 2))
    assert not same(one, other)
    monkeypatch.setattr(calibration.survey, "vector", None)
    assert same(one, calibrate(tmp_path / "1", 1, **settings()))


def test_runs_end_in_files_that_are_pooled_by_their_constants(tmp_path):
    paths = recalibrate(tmp_path, runs=[1, 2, 3], **settings())
    assert [path.name for path in paths] == ["main-01.parquet", "main-02.parquet", "main-03.parquet"]
    pool = load(tmp_path)
    weights = [pool.weights[pool.calibrations == number].sum() for number in (1, 2, 3)]
    logs = np.array([pool.log_z[number] for number in (1, 2, 3)])
    assert np.allclose(np.log(weights), logs - log_sum(logs))
    with pytest.raises(InputError, match="two of them have the same number"):
        pooled([pool, pool])


@pytest.mark.slow  # two processes start, and four whole emulators are fitted
def test_runs_side_by_side_are_the_same_and_what_is_there_is_not_made_again(tmp_path, monkeypatch):
    monkeypatch.undo()  # other processes know nothing of it
    alone = recalibrate(tmp_path / "alone", runs=[1, 2], **settings())
    side = recalibrate(tmp_path / "side", runs=[1, 2], cluster="local:2", **settings())
    for one, other in zip(alone, side, strict=True):
        assert one.name == other.name
    assert same(load(tmp_path / "alone", checked=False), load(tmp_path / "side", checked=False))
    before = [path.stat().st_mtime_ns for path in side]
    recalibrate(tmp_path / "side", runs=[1, 2], cluster="local:2", **settings())
    assert [path.stat().st_mtime_ns for path in side] == before


def test_other_settings_are_refused_with_a_line_for_each(tmp_path):
    calibrate(tmp_path, **settings())
    with pytest.raises(InputError) as caught:
        calibrate(tmp_path, 2, **settings(off=0.0))
    assert len(caught.value.lines) == 2
    assert "was begun with run = 1, not 2" in str(caught.value)


def test_every_wrong_argument_has_its_line_and_nothing_is_written(tmp_path):
    with pytest.raises(InputError) as caught:
        calibrate(tmp_path / "new", 0, **settings(kept=True, off=1.2))
    assert [line.split(" = ")[0] for line in caught.value.lines] == ["run", "kept", "off"]
    assert not (tmp_path / "new").exists()


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="holds other files"):
        calibrate(tmp_path, **settings())

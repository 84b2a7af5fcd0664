"""Calibration: a sampler that finds known posteriors, goes on where it stopped, and refuses what it cannot use."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import truncnorm

from sim.errors import InputError
from sim.statistics import mean, share
from sim.worlds import calibrate as calibration
from sim.worlds import smc as tempering
from sim.worlds.calibrate import calibrate
from sim.worlds.evidence import Evidence, load
from sim.worlds.prior import uniforms_of
from sim.worlds.smc import Target, sample
from sim.worlds.survey import Sizes

TINY = Sizes(1, 1, 2, 3)
FEW = Evidence(load().survey, tuple(p for p in load().patterns if p.id in ("speaking-up", "churn")))
NOISE = 0.05


def linear(uniforms, seed):
    """The first uniform number with noise, then the difference of the next two."""
    noise = np.random.default_rng(seed).normal(0.0, NOISE, 2)
    yield {"first": uniforms[0] + noise[0]}
    yield {"difference": uniforms[1] - uniforms[2] + noise[1]}


GOALS = {"first": (0.7, 0.1), "difference": (0.2, 0.05)}
LINEAR = Target(
    12, dict.fromkeys(GOALS, 1), linear, lambda name, x: -0.5 * ((x - GOALS[name][0]) / GOALS[name][1]) ** 2
)


def truths():
    """Posterior mean and variance of the first number, mean and variance of the second, and its share above 0.6."""
    sd = np.hypot(0.1, NOISE)
    first = truncnorm(-0.7 / sd, 0.3 / sd, 0.7, sd)
    grid = (np.arange(800) + 0.5) / 800
    density = np.exp(-0.5 * (grid[:, None] - grid - 0.2) ** 2 / (0.05**2 + NOISE**2)).sum(axis=1)
    density /= density.sum()
    middle = density @ grid
    return first.mean(), first.var(), middle, density @ (grid - middle) ** 2, density[grid > 0.6].sum()


def errors_of(seed):
    """For each truth, and for a number without any influence, how many standard errors the estimate is off."""
    found = sample(LINEAR, draws=1000, particles=300, sweeps=3, seed=seed, workers=1).particles
    u, w = uniforms_of(found.codes), np.full(300, 1 / 300)
    m1, v1, m2, v2, s2 = truths()
    columns = (u[:, 0], (u[:, 0] - m1) ** 2, u[:, 1], (u[:, 1] - m2) ** 2)
    pairs = [(mean(w, x, found.ancestors), truth) for x, truth in zip(columns, (m1, v1, m2, v2), strict=True)]
    pairs += [(share(w, u[:, 1] > 0.6, found.ancestors), s2), (mean(w, u[:, 5], found.ancestors), 0.5)]
    return [(estimate.estimate - truth) / estimate.error for estimate, truth in pairs]


def test_a_known_posterior_is_recovered_correlated_numbers_included():
    """Means over repetitions, which show a bias that single samples hide."""
    off = np.mean([errors_of(seed) for seed in range(3)], axis=0) * np.sqrt(3)
    assert (np.abs(off) < 4.0).all()


@pytest.mark.slow
def test_monte_carlo_errors_cover_the_truth_at_the_nominal_rate():
    off = np.array([errors_of(seed) for seed in range(100)])
    coverage = (np.abs(off) < 1.96).mean(axis=0)
    assert (np.abs(coverage - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 100)).all()
    assert (np.abs(off.mean(axis=0)) * 10 < 4.5).all()


def test_without_evidence_the_prior_comes_back():
    flat = Target(12, {"nothing": 1}, lambda uniforms, seed: [{"nothing": uniforms[0]}], lambda name, x: 0.0)
    found = sample(flat, draws=800, particles=400, sweeps=1, workers=1)
    assert [stage.beta for stage in found.stages] == [1.0]
    assert found.stages[0].acceptances == (1.0, 1.0)
    u = uniforms_of(found.particles.codes)
    assert (np.abs(u.mean(axis=0) - 0.5) < 4 / np.sqrt(12 * 400)).all()


def test_stopping_a_hopeless_simulation_early_changes_nothing():
    def whole(uniforms, seed):
        yield {name: x for group in linear(uniforms, seed) for name, x in group.items()}

    patient = Target(12, LINEAR.widths, whole, LINEAR.agreement)
    one, other = (sample(t, draws=300, particles=60, sweeps=2, workers=1) for t in (LINEAR, patient))
    assert np.array_equal(one.particles.codes, other.particles.codes)
    row = LINEAR.row(np.zeros(12), 0, enough=-1.0)
    assert np.isnan(row).all()


def test_a_simulation_that_gives_no_number_counts_for_nothing():
    def broken(uniforms, seed):
        yield {"first": np.nan if uniforms[0] > 0.5 else uniforms[0], "difference": 0.2}

    found = sample(Target(3, LINEAR.widths, broken, LINEAR.agreement), draws=200, particles=50, sweeps=1, workers=1)
    assert (uniforms_of(found.particles.codes)[:, 0] <= 0.5).all()


def settings(**changes):
    return {"evidence": FEW, "draws": 60, "particles": 20, "sweeps": 1, "sizes": TINY, **changes}


@pytest.fixture(autouse=True)
def small_work(monkeypatch):
    monkeypatch.setattr(tempering, "BATCH", 32)
    monkeypatch.setattr(calibration, "VARIANCE_WORLDS", 3)
    monkeypatch.setattr(calibration, "VARIANCE_SEEDS", 2)


class Killed(Exception):
    pass


def same(one, other):
    arrays = ("weights", "ancestors", "seeds")
    return (
        np.array_equal(one.values, other.values)
        and np.array_equal(one.off, other.off)
        and all(np.array_equal(getattr(one, name), getattr(other, name)) for name in arrays)
        and all(np.array_equal(one.measured[name], other.measured[name]) for name in one.measured)
    )


def test_a_killed_calibration_goes_on_and_gives_the_same_bits_with_any_number_of_threads(tmp_path):
    whole = calibrate(tmp_path / "whole", workers=2, **settings())
    for moment in ((0, 32), (1, 20)):

        def killer(done, total, note, moment=moment):
            if (int(note.split(",")[0].removeprefix("stage ")), done) == moment:
                raise Killed

        folder = tmp_path / f"killed in stage {moment[0]}"
        with pytest.raises(Killed):
            calibrate(folder, workers=1, progress=killer, **settings())
        last = max(folder.glob("00*.npz"))
        last.write_bytes(last.read_bytes()[:100])  # as if the disk had lost the rest of it
        assert same(whole, calibrate(folder, workers=1, **settings()))


def test_another_seed_gives_other_worlds_and_a_finished_calibration_is_not_simulated_again(tmp_path, monkeypatch):
    few = settings(draws=30, particles=10)
    one, other = (calibrate(tmp_path / str(seed), seed=seed, **few) for seed in (0, 1))
    assert not same(one, other)
    monkeypatch.setattr(calibration.survey, "measurements", None)
    assert same(one, calibrate(tmp_path / "0", seed=0, **few))


def test_other_settings_are_refused_with_a_line_for_each(tmp_path):
    calibrate(tmp_path, **settings(draws=20, particles=5))
    with pytest.raises(InputError) as caught:
        calibrate(tmp_path, **settings(draws=60, particles=5, off=0.0))
    assert len(caught.value.lines) == 2
    assert "was begun with draws = 20, not 60" in str(caught.value)


def test_every_wrong_argument_has_its_line_and_nothing_is_written(tmp_path):
    with pytest.raises(InputError) as caught:
        calibrate(tmp_path / "new", draws=0, particles=True, sweeps=1.5, off=1.2, workers=-1)
    assert [line.split(" = ")[0] for line in caught.value.lines] == ["draws", "particles", "sweeps", "workers", "off"]
    assert not (tmp_path / "new").exists()


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="holds other files"):
        calibrate(tmp_path, **settings())

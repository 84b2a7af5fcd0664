"""The ensemble: what its file keeps, what its weights say, and what is refused."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from sim.errors import InputError
from sim.inference import ensemble as module
from sim.inference import survey, worlds
from sim.inference.ensemble import Ensemble, load, model_fingerprint
from sim.inference.survey import Sizes
from sim.inference.tempering import GRID, uniforms_of
from sim.inference.world import DRAWN, UNIFORMS, worlds_from
from sim.parameters import MECHANISMS

N = 200
EVIDENCE = survey.load()


@pytest.fixture(scope="module")
def made() -> Ensemble:
    """Worlds with made-up measurements: those of speaking-up follow the parameter speak_base."""
    rng = np.random.default_rng(0)
    u = uniforms_of(rng.integers(GRID, size=(N, UNIFORMS), dtype=np.uint16))
    measured = {p.id: rng.normal(p.value, p.sd, N).astype(np.float32).astype(np.float64) for p in EVIDENCE.patterns}
    measured["speaking-up"] = (0.5 + 0.4 * u[:, DRAWN.index("speak_base")]).astype(np.float32).astype(np.float64)
    measured["churn"] = np.full(N, np.float64(np.float32(0.9)))
    variance = dict.fromkeys(measured, 0.0)
    logs = survey_logs("speaking-up", measured, variance)
    weights = np.exp(logs - logs.max())
    prior = {name: {"low": 0.0, "high": 1.0, "within": 0.5} for name in measured}
    ancestors = np.repeat(np.arange(N // 2), 2)
    return Ensemble(worlds_from(u), weights / weights.sum(), ancestors, rng.integers(2**31, size=N), measured, EVIDENCE,
                    variance, prior=prior, provenance={"seed": 0})  # fmt: skip


def survey_logs(name, measured, variance):
    pattern = next(p for p in EVIDENCE.patterns if p.id == name)
    return np.array([survey.log_agreement(pattern, x, variance[name]) for x in measured[name]])


def test_a_file_keeps_every_bit(made, tmp_path):
    made.save(tmp_path / "e.parquet")
    found = load(tmp_path / "e.parquet")
    assert np.array_equal(found.worlds.values, made.worlds.values)
    assert np.array_equal(found.worlds.reliability, made.worlds.reliability)
    assert np.array_equal(found.worlds.off, made.worlds.off)
    assert all(np.array_equal(getattr(found, n), getattr(made, n)) for n in ("weights", "ancestors", "seeds"))
    assert all(np.array_equal(found.measured[name], made.measured[name]) for name in made.measured)
    assert (found.evidence, found.provenance, found.prior) == (made.evidence, made.provenance, made.prior)


def test_three_thousand_worlds_fit_into_a_mebibyte(made, tmp_path):
    rng = np.random.default_rng(1)
    u = uniforms_of(rng.integers(GRID, size=(1500, UNIFORMS), dtype=np.uint16))
    measured = {name: rng.random(1500) for name in made.measured}
    many = Ensemble(worlds_from(u), np.full(1500, 1 / 1500), rng.integers(20_000, size=1500),
                    rng.integers(2**31, size=1500), measured, EVIDENCE, made.variance)  # fmt: skip
    many.save(tmp_path / "e.parquet")
    assert 2 * (tmp_path / "e.parquet").stat().st_size <= 2**20


def test_worlds_that_a_file_cannot_keep_exactly_are_not_written(made, tmp_path):
    values = made.worlds.values.copy()
    values[0, 0] += 1e-3 * (values[1, 0] - values[0, 0])
    off_grid = dataclasses.replace(made, worlds=dataclasses.replace(made.worlds, values=values))
    with pytest.raises(ValueError, match="grid"):
        off_grid.save(tmp_path / "e.parquet")
    assert not list(tmp_path.iterdir())


def test_leaving_out_the_only_pattern_that_weighted_gives_equal_weights(made):
    assert made.without(["speaking-up"]) == pytest.approx(np.full(N, 1 / N))
    assert made.without([]) == pytest.approx(made.weights)
    with pytest.raises(InputError, match='did you mean "speaking-up"'):
        made.without(["speakingup"])


def test_a_sample_has_the_weights_of_the_whole(made):
    few = made.sample(50, seed=3)
    assert few.weights.sum() == pytest.approx(1.0)
    assert len(few) <= 50
    assert np.allclose(few.weights * 50, np.rint(few.weights * 50))
    taken = [int(np.flatnonzero((made.worlds.values == row).all(axis=1))[0]) for row in few.worlds.values]
    assert (np.abs(few.weights * 50 - made.weights[taken] * 50) < 1).all()


@pytest.mark.parametrize("damage", [lambda b: b[:-40], lambda b: b"", lambda b: b"PAR1" + b[5:], lambda b: b"worlds"])
def test_a_damaged_file_is_one_line(made, tmp_path, damage):
    file = tmp_path / "e.parquet"
    made.save(file)
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(InputError, match="is damaged") as caught:
        load(file)
    assert len(caught.value.lines) == 1


def test_a_missing_file_another_model_and_too_few_worlds_are_refused(made, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path / "none.parquet")
    made.sample(10).save(tmp_path / "few.parquet")
    with pytest.raises(InputError, match="too small to say anything"):
        load(tmp_path / "few.parquet")
    made.save(tmp_path / "e.parquet")
    monkeypatch.setattr(module, "model_fingerprint", lambda: "another")
    with pytest.raises(InputError, match="another version of the model"):
        load(tmp_path / "e.parquet")
    with pytest.raises(InputError, match="no such prior"):
        load(prior="all_of")


def test_the_fingerprint_sees_code_and_not_comments():
    code = 'def f(x):\n    """Text."""\n    return x + 1  # why\n'
    bare = "def f(x):\n    return x + 1"
    assert module._bare(code) == module._bare("# how\n\ndef f(x):\n\n    return x + 1\n") == bare
    assert module._bare(code) != module._bare(code.replace("+ 1", "+ 2"))
    assert len(model_fingerprint()) == 16


def test_what_was_weighted_by_is_informed_and_the_rest_is_mostly_not(made):
    table = worlds.parameters(made).set_index("parameter")
    assert table.loc["speak_base", "informed"]
    assert table["informed"].sum() < 8
    assert table.loc["speak_base", "contraction"] > 0.2


def test_a_pattern_that_no_world_comes_near_is_not_reached(made):
    table = worlds.patterns(made).set_index("pattern")
    assert not table.loc["churn", "reached"]
    assert table.drop("churn")["reached"].all()
    assert "Not reached: churn." in worlds.report(made)


def test_the_pattern_that_weighted_is_the_one_that_matters(made):
    table = worlds.leave_one_out(made).set_index("pattern")
    assert table.loc["speaking-up", "parameter"] == "speak_base"
    assert table.loc["speaking-up", "effective_size"] == pytest.approx(N)


def test_a_mechanism_that_the_weights_favour_is_informed(made):
    off = made.worlds.off[:, 0]
    w = np.where(off, 1.0, 0.02)
    table = worlds.mechanisms(dataclasses.replace(made, weights=w / w.sum())).set_index("mechanism")
    key = next(iter(MECHANISMS))
    assert table.loc[key, "informed"]
    assert table.loc[key, "posterior"] < 1.0 - made.off
    assert table["informed"].sum() <= 3


def test_users_patterns_are_predicted_without_refitting(made):
    mine = survey.Evidence(EVIDENCE.survey, tuple(p for p in EVIDENCE.patterns if p.kind == "level"))
    table = worlds.predict(mine, made, 30, sizes=Sizes(1, 1, 2, 3))
    assert list(table["pattern"]) == ["speaking-up", "churn"]
    assert (table["low"] <= table["high"]).all()
    assert table.equals(worlds.predict(mine, made, 30, sizes=Sizes(1, 1, 2, 3), workers=1))
    with pytest.raises(InputError, match="too small"):
        worlds.predict(mine, made, 5, sizes=Sizes(1, 1, 2, 3))

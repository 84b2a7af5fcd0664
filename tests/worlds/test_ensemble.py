"""The ensemble: what its file keeps, what its weights say, and what is refused."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from ensembles import kept

from sim.errors import InputError
from sim.model.parameters import DECLARATIONS, MECHANISMS
from sim.worlds import ensemble as module
from sim.worlds import summary as worlds
from sim.worlds import survey
from sim.worlds.ensemble import SHIPPED, Ensemble, load
from sim.worlds.prior import DRAWN, GRID, UNIFORMS, uniforms_of, worlds_from
from sim.worlds.survey import Sizes

N = 200
EVIDENCE = survey.load()
TINY = Sizes(1, 1, 2, 3)
MECHANISMS_IN_ORDER = tuple(MECHANISMS)


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


def test_a_missing_file_and_too_few_worlds_are_refused(made, tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path / "none.parquet")
    made.sample(10).save(tmp_path / "few.parquet")
    with pytest.raises(InputError, match="too small to say anything"):
        load(tmp_path / "few.parquet")
    with pytest.raises(InputError, match="no such prior"):
        load(prior="all_of")


@pytest.fixture(scope="module")
def surveyed() -> Ensemble:
    """Worlds without paperwork, with what surveys of them find."""
    worlds_there = kept(24, seed=2).worlds
    worlds_there.off[:, MECHANISMS_IN_ORDER.index("paperwork")] = True
    found = [survey.measure(EVIDENCE, world, seed, TINY) for seed, world in enumerate(worlds_there)]
    measured = {
        p.id: np.array([each[p.id] for each in found]).astype(np.float32).astype(float) for p in EVIDENCE.patterns
    }
    return dataclasses.replace(
        kept(24), worlds=worlds_there, measured=measured, provenance={"sizes": dataclasses.asdict(TINY)}
    )


def made_by_another(monkeypatch):
    monkeypatch.setattr(module, "identity", lambda *names: "another")


def test_under_another_identity_worlds_with_equal_statistics_count_and_a_line_says_so(surveyed, tmp_path, monkeypatch):
    surveyed.save(tmp_path / "e.parquet")
    assert load(tmp_path / "e.parquet").notes == ()
    made_by_another(monkeypatch)
    found = load(tmp_path / "e.parquet")
    assert np.array_equal(found.weights, surveyed.weights)
    (line,) = found.notes
    assert "another version of the model; 8 worlds surveyed again give equal statistics" in line


def test_under_another_identity_worlds_with_other_statistics_are_refused(surveyed, tmp_path, monkeypatch):
    slightly = {**surveyed.measured, "churn": surveyed.measured["churn"] + 1e-5}
    dataclasses.replace(surveyed, measured=slightly).save(tmp_path / "e.parquet")
    assert len(load(tmp_path / "e.parquet")) == 24  # of this model: nothing is surveyed again
    made_by_another(monkeypatch)
    with pytest.raises(InputError, match=r"other statistics \(churn by 1e-05\); sim worlds --check 20"):
        load(tmp_path / "e.parquet")


def test_check_signs_what_agrees_and_changes_nothing_else(surveyed, tmp_path, monkeypatch):
    files = [tmp_path / file.name for file in SHIPPED.values()]
    for file in files:
        surveyed.save(file)
    before = [pq.read_table(file) for file in files]
    made_by_another(monkeypatch)
    assert all("24 of 24 worlds were surveyed again; all statistics are equal" in s for s in worlds.check(tmp_path, 99))
    assert len(worlds.check(tmp_path, 3, signed=True)) == 3
    assert [ensemble.notes for ensemble in worlds.both(tmp_path)] == [(), ()]
    for file, old in zip(files, before, strict=True):
        now = pq.read_table(file)
        assert now.equals(old)
        (key,) = now.schema.metadata
        changed, kept_before = (json.loads(table.schema.metadata[key]) for table in (now, old))
        assert changed == {**kept_before, "model": "another"}


def test_worlds_with_other_statistics_are_not_signed(surveyed, tmp_path, monkeypatch):
    files = [tmp_path / file.name for file in SHIPPED.values()]
    surveyed.save(files[0])
    dataclasses.replace(surveyed, measured={**surveyed.measured, "churn": surveyed.measured["churn"] + 0.1}).save(
        files[1]
    )
    before = [file.read_bytes() for file in files]
    made_by_another(monkeypatch)
    assert "other statistics: churn by 0.1" in worlds.check(tmp_path, 3)[1]
    with pytest.raises(InputError, match=r"ensemble_all_on\.parquet: not signed"):
        worlds.check(tmp_path, 3, signed=True)
    assert [file.read_bytes() for file in files] == before


def without(file, *columns):
    """Make a file that has never heard of some columns."""
    table = pq.read_table(file)
    pq.write_table(table.drop_columns(list(columns)), file)


def test_a_mechanism_that_a_file_has_never_heard_of_is_off_in_all_of_its_worlds(surveyed, tmp_path, monkeypatch):
    file = tmp_path / "e.parquet"
    surveyed.save(file)
    without(file, "burden", "paperwork off")
    made_by_another(monkeypatch)
    found = load(file)
    heard, agreed = found.notes
    assert "had never heard of burden, paperwork: without effect in all of its worlds" in heard
    assert "equal statistics" in agreed
    assert found.worlds[0].parameters().burden == DECLARATIONS["burden"].null
    others = [k for k, name in enumerate(DRAWN) if name != "burden"]
    assert np.array_equal(found.worlds.values[:, others], surveyed.worlds.values[:, others])
    assert np.array_equal(found.worlds.off, surveyed.worlds.off)
    assert "paperwork" not in set(worlds.mechanisms(found)["mechanism"])
    found.save(file)
    assert "burden" not in pq.read_table(file).column_names


def test_a_parameter_that_a_file_has_never_heard_of_is_at_its_null(surveyed, tmp_path):
    surveyed.save(tmp_path / "e.parquet")
    without(tmp_path / "e.parquet", "burden")
    assert (load(tmp_path / "e.parquet").worlds.values[:, DRAWN.index("burden")] == DECLARATIONS["burden"].null).all()


def test_worlds_of_another_model_are_refused(surveyed, tmp_path):
    file = tmp_path / "e.parquet"
    surveyed.save(file)
    no_null = next(n for n in DRAWN if DECLARATIONS[n].null is None and DECLARATIONS[n].kind == "parameter")
    without(file, no_null)
    with pytest.raises(InputError, match=f"is another model's: only one of the two has {no_null}"):
        load(file)
    surveyed.save(file)
    table = pq.read_table(file)
    pq.write_table(table.append_column("mentoring", table.column("burden")), file)
    with pytest.raises(InputError, match="is another model's: only one of the two has mentoring"):
        load(file)


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

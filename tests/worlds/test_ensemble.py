"""The ensemble: what its file keeps, what its weights say, and what is refused."""

from __future__ import annotations

import dataclasses
import json
from itertools import islice

import numpy as np
import pyarrow.parquet as pq
import pytest
from ensembles import kept

from sim.errors import InputError
from sim.model.parameters import MECHANISMS, PARAMETERS
from sim.model.run import run_parameters
from sim.report.worlds import text
from sim.statistics import mean_interval, student
from sim.worlds import ensemble as module
from sim.worlds import evidence, survey
from sim.worlds import summary as worlds
from sim.worlds.ensemble import Ensemble, load
from sim.worlds.evaluate import seeds_of
from sim.worlds.prior import DRAWN, GRID, UNIFORMS, uniforms_of, worlds_from
from sim.worlds.survey import Sizes

N = 600
EVIDENCE = evidence.load()
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
    logs = survey_logs("speaking-up", measured)
    weights = np.exp(logs - logs.max())
    prior = {name: {"low": 0.0, "median": 0.5, "high": 1.0, "within": 0.5} for name in measured}
    ancestors = np.repeat(np.arange(N // 2), 2)
    calibrations = np.arange(N) % 4 + 1
    own = {"weights": weights / weights.sum(), "calibrations": calibrations, "ancestors": ancestors,
           "seeds": rng.integers(2**31, size=N)}  # fmt: skip
    return Ensemble(**vars(worlds_from(u)) | own, measured=measured, evidence=EVIDENCE,
                    log_z={k: float(np.log(weights[calibrations == k].sum())) for k in range(1, 5)},
                    prior=prior, provenance={"calibrations": [{"sizes": {}}]})  # fmt: skip


def survey_logs(name, measured):
    pattern = next(p for p in EVIDENCE.patterns if p.id == name)
    return np.array([survey.log_agreement(pattern, x) for x in measured[name]])


def test_a_file_keeps_every_bit(made, tmp_path):
    course = np.random.default_rng(2).random((len(made), 3), np.float32).astype(np.float64)
    made = dataclasses.replace(made, measured={**made.measured, "month by month": course})
    made.save(tmp_path / "main-01.parquet")
    found = load(tmp_path)
    assert np.array_equal(found.values, made.values)
    assert np.array_equal(found.nuisance, made.nuisance)
    assert np.array_equal(found.off, made.off)
    assert all(
        np.array_equal(getattr(found, n), getattr(made, n)) for n in ("weights", "calibrations", "ancestors", "seeds")
    )
    assert all(np.array_equal(found.measured[name], made.measured[name]) for name in made.measured)
    assert (found.evidence, found.provenance, found.prior) == (made.evidence, made.provenance, made.prior)
    assert found.log_z == made.log_z


def test_weights_in_a_file_are_at_least_0_and_sum_to_1(tmp_path):
    worlds = kept(60)
    for first, told in ((0.0, False), (1e-3, True), (-1e-3, True)):
        weights = np.concatenate([[first], np.full(59, 1 / 59 - min(first, 0.0) / 59)])
        dataclasses.replace(worlds, weights=weights).save(tmp_path / "main-01.parquet")
        if told:
            with pytest.raises(InputError, match="is damaged"):
                load(tmp_path)
        else:
            assert np.array_equal(load(tmp_path).weights, weights)


@pytest.mark.parametrize("name", ["seeds", "ancestors"])
def test_numbers_of_seeds_and_ancestors_are_at_least_0(tmp_path, name):
    dataclasses.replace(kept(60), **{name: np.arange(60) - 1}).save(tmp_path / "main-01.parquet")
    with pytest.raises(InputError, match="is damaged"):
        load(tmp_path)


def test_five_thousand_worlds_fit_into_four_mebibytes(made, tmp_path):
    rng = np.random.default_rng(1)
    u = uniforms_of(rng.integers(GRID, size=(1500, UNIFORMS), dtype=np.uint16))
    measured = {f"statistic {k}": rng.random(1500) for k in range(40)}
    own = {"ancestors": rng.integers(20_000, size=1500), "seeds": rng.integers(2**31, size=1500),
           "calibrations": np.ones(1500, dtype=np.int64)}  # fmt: skip
    many = dataclasses.replace(made, **vars(worlds_from(u)) | own, measured=measured)
    many.save(tmp_path / "main-01.parquet")
    assert 5000 / 1500 * (tmp_path / "main-01.parquet").stat().st_size <= 4 * 2**20


def test_worlds_that_a_file_cannot_keep_exactly_are_not_written(made, tmp_path):
    values = made.values.copy()
    values[0, 0] += 1e-3 * (values[1, 0] - values[0, 0])
    off_grid = dataclasses.replace(made, values=values)
    with pytest.raises(ValueError, match="grid"):
        off_grid.save(tmp_path / "main-01.parquet")
    assert not list(tmp_path.iterdir())


def test_leaving_out_the_only_pattern_that_weighted_gives_equal_weights(made):
    assert made.without(["speaking-up"]) == pytest.approx(np.full(N, 1 / N))
    assert made.without([]) == pytest.approx(made.weights)
    with pytest.raises(InputError, match='did you mean "speaking-up"'):
        made.without(["speakingup"])


def test_worlds_that_what_is_stored_gives_no_weight_are_refused_in_a_line(made):
    spoiled = dataclasses.replace(made, measured={**made.measured, "speaking-up": np.full(N, np.inf)})
    with pytest.raises(InputError, match="without speaking-up the worlds that are stored cannot be weighted"):
        spoiled.without(["speaking-up"])


def test_a_sample_has_the_weights_of_the_whole(made):
    few = made.sample(50, seed=3)
    assert few.weights.sum() == pytest.approx(1.0)
    assert len(few) <= 50
    assert np.allclose(few.weights * 50, np.rint(few.weights * 50))
    taken = [int(np.flatnonzero((made.values == row).all(axis=1))[0]) for row in few.values]
    assert (np.abs(few.weights * 50 - made.weights[taken] * 50) < 1).all()


@pytest.mark.parametrize("damage", [lambda b: b[:-40], lambda b: b"", lambda b: b"PAR1" + b[5:], lambda b: b"worlds"])
def test_a_damaged_file_is_one_line(made, tmp_path, damage):
    file = tmp_path / "main-01.parquet"
    made.save(file)
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(InputError, match="is damaged") as caught:
        load(tmp_path)
    assert len(caught.value.lines) == 1


def test_a_missing_file_and_too_few_worlds_are_refused(made, tmp_path):
    with pytest.raises(InputError, match="holds no calibration of the prior main"):
        load(tmp_path)
    made.sample(10).save(tmp_path / "main-01.parquet")
    with pytest.raises(InputError, match="too small to say anything"):
        load(tmp_path)
    with pytest.raises(InputError, match="no such prior"):
        load(prior="all_of")


@pytest.fixture(scope="module")
def surveyed() -> Ensemble:
    """Worlds without paperwork, with what surveys of them find."""
    there = kept(24, seed=2)
    there.off[:, MECHANISMS_IN_ORDER.index("paperwork")] = True
    found = survey.measure_all(EVIDENCE, there, there.surveys(EVIDENCE), TINY)
    measured = {name: values.astype(np.float32).astype(float) for name, values in found.items()}
    return dataclasses.replace(
        there, measured=measured, provenance={"calibrations": [{"sizes": dataclasses.asdict(TINY)}]}
    )


def made_by_another(monkeypatch):
    monkeypatch.setattr("sim.worlds.ensemble_file.identity", lambda *names: "another")


def test_under_another_identity_worlds_with_equal_statistics_count_and_a_line_says_so(surveyed, tmp_path, monkeypatch):
    surveyed.save(tmp_path / "main-01.parquet")
    assert load(tmp_path).notes == ()
    made_by_another(monkeypatch)
    found = load(tmp_path)
    assert np.array_equal(found.weights, surveyed.weights)
    (line,) = found.notes
    assert "another version of the model; 8 worlds surveyed again give equal statistics" in line


def test_under_another_identity_worlds_with_other_statistics_are_refused(surveyed, tmp_path, monkeypatch):
    slightly = {**surveyed.measured, "churn": surveyed.measured["churn"] + 1e-5}
    dataclasses.replace(surveyed, measured=slightly).save(tmp_path / "main-01.parquet")
    assert len(load(tmp_path)) == 24  # of this model: nothing is surveyed again
    made_by_another(monkeypatch)
    with pytest.raises(InputError, match=r"other statistics \(churn by 1e-05\); sim worlds --check 20"):
        load(tmp_path)


def test_check_signs_what_agrees_and_changes_nothing_else(surveyed, tmp_path, monkeypatch):
    files = [tmp_path / "main-01.parquet", tmp_path / "all_on-01.parquet"]
    for file in files:
        surveyed.save(file)
    before = [pq.read_table(file) for file in files]
    made_by_another(monkeypatch)
    assert all("24 of 24 worlds were surveyed again; all statistics are equal" in s for s in module.check(tmp_path, 24))
    assert len(module.check(tmp_path, 3, signed=True)) == 3
    assert [load(tmp_path, prior).notes for prior in ("main", "all_on")] == [(), ()]
    for file, old in zip(files, before, strict=True):
        now = pq.read_table(file)
        assert now.equals(old)
        (key,) = now.schema.metadata
        changed, kept_before = (json.loads(table.schema.metadata[key]) for table in (now, old))
        assert changed == {**kept_before, "model": "another"}


def test_worlds_with_other_statistics_are_not_signed(surveyed, tmp_path, monkeypatch):
    files = [tmp_path / "main-01.parquet", tmp_path / "all_on-01.parquet"]
    surveyed.save(files[0])
    dataclasses.replace(surveyed, measured={**surveyed.measured, "churn": surveyed.measured["churn"] + 0.1}).save(
        files[1]
    )
    before = [file.read_bytes() for file in files]
    made_by_another(monkeypatch)
    assert "other statistics: churn by 0.1" in module.check(tmp_path, 3)[1]
    with pytest.raises(InputError, match="all_on: not signed"):
        module.check(tmp_path, 3, signed=True)
    assert [file.read_bytes() for file in files] == before


def test_differences_are_told_from_the_tolerance_on_the_most_first_and_what_is_no_number_is_one():
    assert module.differing({"a": 1e-6, "b": 1.1e-6, "c": 0.5}) == ["c by 0.5", "b by 1.1e-06"]
    assert module.differing({"a": np.nan}) == ["a by nan"]


def test_a_difference_is_relative_where_a_value_is_beyond_one(surveyed):
    apart = {name: values + 0.25 for name, values in surveyed.measured.items()}
    small = module.differences(dataclasses.replace(surveyed, measured=apart), 1)
    large = {name: values * 4.0 + 8.0 for name, values in surveyed.measured.items()}
    now = surveyed.measured["churn"][0]
    assert small["churn"] == pytest.approx(0.25, rel=1e-5)
    found = module.differences(dataclasses.replace(surveyed, measured=large), 1)
    assert found["churn"] == pytest.approx((3.0 * now + 8.0) / (4.0 * now + 8.0), rel=1e-5)


def test_worlds_are_checked_evenly_spaced_in_every_file_and_progress_counts_the_files(surveyed, tmp_path, monkeypatch):
    for name in ("main-01", "all_on-01"):
        surveyed.save(tmp_path / f"{name}.parquet")
    two = dataclasses.replace(surveyed, calibrations=surveyed.calibrations + 4,
                              log_z={number + 4: z for number, z in surveyed.log_z.items()})  # fmt: skip
    two.save(tmp_path / "main-02.parquet")
    asked, told = [], []
    monkeypatch.setattr(
        survey, "measure_all", lambda evidence, some, *_, **__: asked.append(some.seeds) or some.measured
    )
    lines = module.check(tmp_path, 8, progress=lambda done, total, *_: told.append((done, total)))
    ends = surveyed.seeds[np.linspace(0, 23, 4).round().astype(int)]
    assert [len(seeds) for seeds in asked] == [4, 4, 8] and np.array_equal(asked[0], ends)
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert lines[0] == "main: 8 of 48 worlds were surveyed again; all statistics are equal."
    made_by_another(monkeypatch)
    asked.clear()
    assert "8 worlds surveyed again give equal statistics" in load(tmp_path).notes[0]
    assert [len(seeds) for seeds in asked] == [4, 4]


def test_twenty_worlds_that_count_are_enough_and_fewer_are_not():
    module.check_size(np.full(20, 0.05), "these")
    with pytest.raises(InputError, match=r"these: an effective size of 19\.0 worlds is too small"):
        module.check_size(np.full(19, 1 / 19), "these")


def test_the_band_of_a_statistic_and_the_share_within_two_tolerances_of_the_finding():
    values = np.arange(101.0)
    assert module.prior_band(values) == {"low": 5.0, "median": 50.0, "high": 95.0}
    level = evidence.Pattern("a", "level", 50.0, 10.0)
    assert module.prior_band(values, level)["within"] == pytest.approx(41 / 101)
    course = evidence.Pattern("b", "path", (50.0, 0.0), (10.0, 5.0))
    band = module.prior_band(np.column_stack([values, values]), course)
    assert (band["low"], band["within"]) == ([5.0, 5.0], pytest.approx([41 / 101, 11 / 101]))


def test_calibrations_of_other_evidence_or_another_prior_are_not_pooled(made):
    numbers = {"calibrations": made.calibrations + 4, "log_z": {n + 4: z for n, z in made.log_z.items()}}
    other = dataclasses.replace(made, **numbers)
    assert len(module.pooled([made, other])) == 2 * N
    less = dataclasses.replace(EVIDENCE, patterns=EVIDENCE.patterns[1:])
    for change in ({"evidence": less}, {"chance_off": 0.5}):
        with pytest.raises(InputError, match="are of different evidence or priors"):
            module.pooled([made, dataclasses.replace(other, **change)])
    with pytest.raises(InputError, match="two of them have the same number"):
        module.pooled([made, made])


def without(file, *columns):
    """Make a file that has never heard of some columns."""
    table = pq.read_table(file)
    pq.write_table(table.drop_columns(list(columns)), file)


def test_a_mechanism_that_a_file_has_never_heard_of_is_off_in_all_of_its_worlds(surveyed, tmp_path, monkeypatch):
    file = tmp_path / "main-01.parquet"
    surveyed.save(file)
    without(file, "burden", "paperwork off")
    made_by_another(monkeypatch)
    found = load(tmp_path)
    heard, agreed = found.notes
    assert "had never heard of burden, paperwork: without effect in all of them" in heard
    assert "equal statistics" in agreed
    assert found[0].parameters().burden == PARAMETERS["burden"].null
    others = [k for k, name in enumerate(DRAWN) if name != "burden"]
    assert np.array_equal(found.values[:, others], surveyed.values[:, others])
    assert np.array_equal(found.off, surveyed.off)
    assert "paperwork" not in set(worlds.mechanisms(found)["mechanism"])
    found.save(file)
    assert "burden" not in pq.read_table(file).column_names


def test_a_parameter_that_a_file_has_never_heard_of_is_at_its_null(surveyed, tmp_path):
    surveyed.save(tmp_path / "main-01.parquet")
    without(tmp_path / "main-01.parquet", "burden")
    assert (load(tmp_path).values[:, DRAWN.index("burden")] == PARAMETERS["burden"].null).all()


def test_what_a_file_does_not_say_of_the_survey_is_the_least_of_its_range(surveyed, tmp_path):
    surveyed.save(tmp_path / "main-01.parquet")
    without(tmp_path / "main-01.parquet", "survey reliability")
    least, found = worlds_from(uniforms_of(np.zeros((1, UNIFORMS), dtype=np.uint16))), load(tmp_path)
    assert (found.nuisance[:, 0] == least.nuisance[0, 0]).all()
    assert np.array_equal(found.nuisance[:, 1:], surveyed.nuisance[:, 1:])


def test_what_other_programs_note_in_a_file_is_not_read(made, tmp_path):
    file = tmp_path / "main-01.parquet"
    made.save(file)
    table, index = pq.read_table(file), json.dumps({"index_columns": ["weight"], "columns": [], "column_indexes": []})
    pq.write_table(table.replace_schema_metadata({**table.schema.metadata, b"pandas": index}), file)
    assert np.array_equal(load(tmp_path).weights, made.weights)


def test_worlds_of_another_model_are_refused(surveyed, tmp_path):
    file = tmp_path / "main-01.parquet"
    surveyed.save(file)
    no_null = next(n for n in DRAWN if PARAMETERS[n].null is None and PARAMETERS[n].kind == "parameter")
    without(file, no_null)
    with pytest.raises(InputError, match=f"is another model's: only one of the two has {no_null}"):
        load(tmp_path)
    surveyed.save(file)
    table = pq.read_table(file)
    for name, told in {"mentoring": "mentoring", "a\nb": r"'a\\nb'"}.items():
        pq.write_table(table.append_column(name, table.column("burden")), file)
        with pytest.raises(InputError, match=f"is another model's: only one of the two has {told}, and"):
            load(tmp_path)


def test_what_was_weighted_by_is_informed_and_the_rest_is_mostly_not(made):
    table = worlds.parameters(made).set_index("parameter")
    assert table.loc["speak_base", "informed"]
    assert table["informed"].sum() < 8
    assert table.loc["speak_base", "contraction"] > 0.2


def test_a_pattern_that_no_world_comes_near_is_not_reached(made):
    table = worlds.patterns(made).set_index("pattern")
    assert not table.loc["churn", "reached"]
    assert table.drop("churn")["reached"].all()
    assert "Not reached: churn." in text(made)


def test_the_pattern_that_weighted_is_the_one_that_matters(made):
    table = worlds.leave_one_out(made).set_index("pattern")
    assert table.loc["speaking-up", "parameter"] == "speak_base"
    assert table.loc["speaking-up", "effective_size"] == pytest.approx(N)


def test_a_mechanism_that_the_weights_favour_is_informed(made):
    off = made.off[:, 0]
    w = np.where(off, 1.0, 0.02)
    table = worlds.mechanisms(dataclasses.replace(made, weights=w / w.sum())).set_index("mechanism")
    key = next(iter(MECHANISMS))
    assert table.loc[key, "informed"]
    assert table.loc[key, "posterior"] < 1.0 - made.chance_off
    assert table["informed"].sum() <= 3


def test_users_patterns_are_predicted_without_refitting(made):
    mine = evidence.Evidence(EVIDENCE.survey, tuple(p for p in EVIDENCE.patterns if p.kind == "level"))
    table = worlds.predict(mine, made, 30, sizes=TINY)
    assert list(table["pattern"]) == ["speaking-up", "churn", "records"]
    assert (table["low"] <= table["high"]).all()
    assert table.equals(worlds.predict(mine, made, 30, sizes=TINY, workers=1))
    with pytest.raises(InputError, match="too small"):
        worlds.predict(mine, made, 5, sizes=TINY)


def reweighted(made, pattern, **how):
    return made.reweight(evidence.Evidence(EVIDENCE.survey, (pattern,)), sizes=TINY, **how)


def test_further_findings_multiply_onto_the_weights_and_can_be_left_out_again(made):
    silent = evidence.Pattern("silence", "level", 0.9, 0.3, needs={"outcome": "silence"})
    found = reweighted(made, silent)
    values = [survey.measure(found.evidence, made[k], made.surveys(EVIDENCE)[k], TINY) for k in (0, 7)]
    assert found.measured["silence"][[0, 7]].tolist() == [value["silence"] for value in values]
    gain = np.exp([survey.log_agreement(silent, x) for x in found.measured["silence"]])
    assert found.weights == pytest.approx(made.weights * gain / (made.weights @ gain))
    own = made.calibrations == 2
    more = np.log(made.weights[own] @ gain[own] / made.weights[own].sum())
    assert found.log_z[2] == pytest.approx(made.log_z[2] + more)
    assert found.without(["silence"]) == pytest.approx(made.weights)
    assert found.prior["silence"]["low"] < found.prior["silence"]["median"] < found.prior["silence"]["high"]
    assert list(worlds.patterns(found)["pattern"])[-1] == "silence"
    assert np.array_equal(found.weights, reweighted(made, silent, workers=1).weights)


def test_worlds_that_were_weighted_again_are_surveyed_again_as_they_were_then(surveyed, tmp_path, monkeypatch):
    """Further findings come from a survey of their own."""
    setting = {**EVIDENCE.survey, "monitoring": 0.9}
    silent = evidence.Evidence(setting, (evidence.Pattern("silence", "level", 0.9, 1.0, needs={"outcome": "silence"}),))
    other = Sizes(2, 1, 2, 3)
    surveyed.reweight(silent, sizes=other).save(tmp_path / "main-01.parquet")
    made_by_another(monkeypatch)
    found = load(tmp_path)
    assert "equal statistics" in found.notes[0]
    assert set(module.differences(found, 2)) == set(found.measured)
    assert module.differing(module.differences(dataclasses.replace(found, provenance=surveyed.provenance), 2))


def test_findings_that_count_already_or_leave_too_few_worlds_are_refused(made):
    with pytest.raises(InputError, match='"churn": these worlds are weighted by it already'):
        reweighted(made, evidence.Pattern("churn", "level", 0.2, 0.1, needs={"outcome": "exits"}))
    with pytest.raises(InputError, match="too small to say anything"):
        reweighted(made, evidence.Pattern("odd", "level", 5.0, 1e-4, needs={"outcome": "fear"}))


SMALL = {"systems": 1, "organisations": 2, "managers": 3, "months": 12, "window": 6}


def test_policies_are_compared_pair_by_pair_and_estimates_are_weighted(made):
    few = made.sample(25)
    policies = {"today": "baseline", "same": {}, "mine": {"regime": "heavy", "relationship": 0.6}}
    table = few.evaluate(policies, ["fear", "gap"], replications=3, **SMALL).set_index(["policy", "outcome"])
    assert (table["against"] == "today").all()
    same = table.loc["same"]
    assert (same[["estimate", "low", "high", "p5", "p95", "higher", "lower"]] == 0.0).all(axis=None)

    def fear(world, seed, *policy, **settings):
        run = run_parameters(world.parameters(*policy, **settings, **SMALL), seed)
        return run.series["fear"].tail(6).mean()

    effects = np.array(
        [
            [fear(world, seed, "heavy", relationship=0.6) - fear(world, seed) for seed in islice(seeds_of(world), 3)]
            for world in few
        ]
    )
    row, estimate = table.loc[("mine", "fear")], few.mean(effects.mean(axis=1))
    assert row["estimate"] == pytest.approx(estimate.estimate, rel=1e-5)  # effects are kept in single precision
    half = float(student(few.effective_calibrations)) * estimate.error
    assert row["high"] - row["estimate"] == pytest.approx(half, rel=1e-5)
    low, high = mean_interval(effects)[1:]
    assert (row["higher"], row["lower"]) == pytest.approx((few.weights @ (low > 0), few.weights @ (high < 0)))


def test_runs_have_two_systems_where_nothing_is_said(made):
    few, sizes = made.sample(25), {name: size for name, size in SMALL.items() if name != "systems"}
    found = [few.evaluate({"a": {}, "b": "heavy"}, ["fear"], 2, **sizes, **more) for more in ({}, {"systems": 2})]
    assert found[0].equals(found[1])


def test_a_policy_may_be_local(made):
    """Its rules reach whom they say, and those that set what is there already change nothing."""
    few = made.sample(25)
    rules = [{"relationship": 0.9, "organisations": [1]}]
    policies = {
        "today": {"relationship": 0.3},
        "same": {"relationship": 0.3, "local": [{"relationship": 0.3, "where": "fear > 0.1"}]},
        "one": {"relationship": 0.3, "local": rules},
        "all": {"relationship": 0.3, "local": [{"relationship": 0.9, "share": 1}]},
    }
    table = few.evaluate(policies, ["relationship_level", "trust"], 2, **SMALL).set_index(["policy", "outcome"])
    assert (table.loc["same"][["estimate", "low", "high"]] == 0.0).all(axis=None)
    assert table["estimate"].loc[["one", "all"], "relationship_level"].to_numpy() == pytest.approx([0.3, 0.6])
    assert table.loc[("all", "trust"), "estimate"] > 0
    arm = few._arm("one", policies["one"], SMALL)
    assert arm.told == {"regime": "baseline", "relationship": 0.3, "local": rules}
    with pytest.raises(InputError, match=r'policy "one": local\.rule 1\.organisations = 2: no such organisation'):
        few.evaluate({"today": {}, "one": {"local": [{"targets": 0, "organisations": [2]}]}}, **SMALL)


def test_every_mistake_in_policies_has_its_line(made):
    with pytest.raises(InputError) as caught:
        made.evaluate(
            {"a": "hevy", "b": {"monitorng": 1}, "c": {"schedule": {"targets": {3: 0.1}}}}, ["feer"], 1, **SMALL
        )
    beginnings = (
        'outcomes = "feer": no such outcome',
        "replications = 1",
        'policy "a": regime',
        'policy "b": monitorng',
        'policy "c"',
    )
    assert [line.startswith(begin) for line, begin in zip(caught.value.lines, beginnings, strict=True)] == [True] * 5
    with pytest.raises(InputError, match="at least two"):
        made.evaluate({"today": "baseline"}, **SMALL)
    with pytest.raises(InputError, match="must be at least two policies by name"):
        made.evaluate(["baseline"], **SMALL)


def test_only_an_ensemble_is_replaced_by_one(tmp_path):
    kept(30).save(tmp_path / "mine.parquet")
    kept(30).save(tmp_path / "mine.parquet")
    (tmp_path / "thesis.txt").write_text("ten years")
    with pytest.raises(InputError, match="is there already"):
        kept(30).save(tmp_path / "thesis.txt")
    assert (tmp_path / "thesis.txt").read_text() == "ten years"


def test_worlds_are_told_in_a_line_and_a_misspelt_parameter_is_no_answer():
    assert repr(kept(30)).startswith("<Ensemble: 30 worlds, effective size ")
    with pytest.raises(InputError, match="fear_blamed"):
        kept(30).is_on("fear_blamd")

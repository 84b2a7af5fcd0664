"""Virtual surveys and trials: what the studies behind the evidence would find in a world of the model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sim
from sim.errors import InputError
from sim.worlds import survey
from sim.worlds.evidence import TRANSFORMS, Pattern, load
from sim.worlds.prior import DEFAULT, World, prior
from sim.worlds.survey import Sizes, bunching, correlation, log_agreement, measure, noisy

SMALL = Sizes(survey_systems=1, trial_systems=1, organisations=2, managers=3)
MEDIUM = Sizes(survey_systems=4, trial_systems=1)
PUBLISHED = {
    "monitoring-stress": (0.11, 0.06, "S"),
    "monitoring-satisfaction": (-0.10, 0.06, "S"),
    "monitoring-performance": (-0.01, 0.05, "S"),
    "monitoring-deviance": (0.09, 0.06, "S"),
    "relationship-performance": (0.24, 0.10, "S"),
    "relationship-deviance": (-0.24, 0.12, "S"),
    "targets-work": (0.12, 0.06, "S"),
    "bunching": (0.05, 0.04, "S"),
    "speaking-up": (0.68, 0.08, "2"),
    "churn": (0.235, 0.03, "S"),
    "mixed-response-to-control": (0.42, 0.08, "D"),
}
SURVEY = """[survey]
monitoring = 0.4
targets = 0.5
relationship = 0.3
monitoring_sd = 0.2
relationship_sd = 0.25
months = 12
window = 6
"""
LEVEL = '[[pattern]]\nid = "a"\nkind = "level"\noutcome = "fear"\nvalue = 0.1\nsd = 0.1\n'
CONTRAST = (
    '[[pattern]]\nid = "b"\nkind = "contrast"\noutcome = "fear"\nvalue = 0.1\nsd = 0.1\n'
    'before = { monitoring = 0.1 }\nafter = "heavy"\n'
)
PATH = (
    '[[pattern]]\nid = "c"\nkind = "path"\noutcome = "fear"\nlever = "monitoring"\nvalue_off = 0.2\nvalue_on = 0.9\n'
    "on = 6\noff = 12\nmonths = [3, 5, 12, 18]\nvalues = [0, 0, 0.1, 0.05]\nsd = 0.02\n"
)


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def mistakes(folder: Path, text: str) -> list[str]:
    """What is wrong with a file, without its name."""
    with pytest.raises(InputError) as caught:
        load(written(folder, text))
    assert all("mine.toml: " in line for line in caught.value.lines)
    return [line.split("mine.toml: ", 1)[1] for line in caught.value.lines]


@pytest.fixture
def runs_made(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The parameters of every run that a measurement makes."""
    made: list[Any] = []

    def counted(parameters: Any, seed: int) -> sim.model.run.Run:
        made.append(parameters)
        return sim.model.run.run_parameters(parameters, seed)

    monkeypatch.setattr(survey, "run_parameters", counted)
    return made


# The published findings


def test_the_findings_are_those_that_were_published():
    found = {p.id: (p.value, p.sd, p.confidence) for p in load().patterns}
    assert found == PUBLISHED


def test_the_survey_and_the_trials_are_set_as_the_studies_were():
    evidence = load()
    assert evidence.survey == {
        **{"monitoring": 0.4, "targets": 0.5, "relationship": 0.3, "monitoring_sd": 0.2, "relationship_sd": 0.25},
        **{"months": 120, "window": 24},
    }
    policies = {p.id: (p.needs["before"], p.needs["after"]) for p in evidence.patterns if "before" in p.needs}
    assert policies["targets-work"] == (
        {"monitoring": 0.2, "targets": 0.1, "punitiveness": 0.2},
        {"monitoring": 0.5, "targets": 0.9, "punitiveness": 0.8},
    )
    assert policies["mixed-response-to-control"] == tuple(
        {"monitoring": monitoring, "targets": 0.0, "punitiveness": 0.0} for monitoring in (0.0, 0.6)
    )


def test_each_pattern_names_the_outcomes_that_it_involves():
    outcomes = {p.id: set(p.outcomes) for p in load().patterns}
    assert outcomes["monitoring-stress"] == {"monitoring", "fear", "distress"}
    assert outcomes["relationship-deviance"] == {"trust", "gaming"}
    assert outcomes["churn"] == {"exits"}


# What is measured, on numbers made for the purpose


def test_noise_weakens_a_correlation_by_the_root_of_the_reliability():
    rng = np.random.default_rng(1)
    x = rng.standard_normal(200_000)
    y = 0.6 * x + 0.8 * rng.standard_normal(len(x))
    one, both = correlation(x, noisy(y, 0.64, rng)), correlation(noisy(x, 0.64, rng), noisy(y, 0.64, rng))
    assert one == pytest.approx(0.6 * 0.8, abs=0.01)
    assert both == pytest.approx(0.6 * 0.64, abs=0.01)


def test_a_perfectly_reliable_variable_is_measured_as_it_is():
    values = np.array([0.1, 0.7, 0.4])
    assert np.array_equal(noisy(values, 1.0, np.random.default_rng(0)), values)


def test_what_does_not_vary_goes_with_nothing():
    varies, constant = np.array([0.1, 0.2, 0.3]), np.full(3, 0.1)
    assert correlation(varies, constant) == correlation(constant, varies) == 0.0
    assert correlation(varies, noisy(constant, 0.6, np.random.default_rng(0))) == 0.0
    assert correlation(varies, -varies) == pytest.approx(-1.0)


def test_bunching_counts_reports_from_the_target_to_just_above_it():
    honest = np.array([0.40, 0.50, 0.51, 0.60])
    reported = np.array([0.50, 0.50, 0.529, 0.53])
    assert bunching(reported, honest, 0.5) == 3 / 4 - 2 / 4


def test_levels_may_be_turned_round_or_into_the_chance_in_a_year():
    assert TRANSFORMS["complement"](0.3) == 0.7
    assert TRANSFORMS["yearly_hazard"](0.5) == 1 - 0.5**12
    assert TRANSFORMS["none"](0.3) == 0.3


def test_agreement_falls_with_the_squared_miss_and_less_where_the_simulation_is_noisy():
    finding = Pattern("a", "level", 0.5, 0.3)
    assert log_agreement(finding, 0.5, 0.0) == 0.0
    assert log_agreement(finding, 1.0, 0.0) == pytest.approx(-0.5 * 0.25 / 0.09)
    assert log_agreement(finding, 1.0, 0.16) == pytest.approx(-0.5 * 0.25 / 0.25)


def test_agreement_with_a_path_is_summed_over_its_months():
    finding = Pattern("a", "path", (0.0, 1.0), (1.0, 2.0))
    assert log_agreement(finding, np.array([3.0, 1.0]), np.array([0.0, 5.0])) == pytest.approx(-4.5)
    assert log_agreement(finding, np.array([0.0, 4.0]), np.array([0.0, 5.0])) == pytest.approx(-0.5)


# What is measured, from runs


def test_a_survey_measures_what_the_run_left_behind():
    world = World({}, reliability=1.0)
    found = measure(load(), world, seed=3, sizes=SMALL)
    sizes = {"systems": 1, "organisations": 2, "managers": 3}
    run = sim.simulate(3, **load().survey, **sizes)
    posts, months = run.posts, run.series.tail(24)
    stress, satisfaction = posts["fear"] + posts["distress"], posts["trust"] + posts["confidence"] - posts["distress"]
    assert found["monitoring-stress"] == pytest.approx(posts["monitoring"].corr(stress))
    assert found["monitoring-satisfaction"] == pytest.approx(posts["monitoring"].corr(satisfaction))
    assert found["relationship-performance"] == pytest.approx(posts["trust"].corr(posts["quality"]))
    assert found["speaking-up"] == pytest.approx(1 - months["silence"].mean())
    assert found["churn"] == pytest.approx(1 - (1 - months["exits"].mean()) ** 12)
    reported, honest, target = posts["last_reported"], posts["last_honest"], run.parameters.target_level
    expected = reported.between(target, target + 0.03).mean() - honest.between(target, target + 0.03).mean()
    assert found["bunching"] == pytest.approx(expected)


def test_a_trial_compares_a_run_that_changes_policy_with_one_that_does_not():
    before = {"monitoring": 0.2, "targets": 0.1, "punitiveness": 0.2}
    sizes = {"systems": 1, "organisations": 2, "managers": 3}
    schedule = {"monitoring": {61: 0.5}, "targets": {61: 0.9}, "punitiveness": {61: 0.8}}
    stays, changes = (sim.simulate(2, **before, **sizes, schedule=plan).series for plan in ({}, schedule))
    expected = (changes - stays).loc[85:96, "reported"].mean()
    assert measure(load(), DEFAULT, 2, SMALL)["targets-work"] == pytest.approx(expected)


def test_a_share_counts_the_posts_that_are_lower_under_the_second_policy():
    sizes = {"systems": 1, "organisations": 5, "managers": 12}
    free, watched = (
        sim.simulate(2, monitoring=m, targets=0.0, punitiveness=0.0, **sizes).posts["effort"] for m in (0.0, 0.6)
    )
    assert 0 < (watched < free).mean() < 1
    found = measure(load(), DEFAULT, 2, replace(SMALL, organisations=5, managers=12))
    assert found["mixed-response-to-control"] == (watched < free).mean()


def test_no_post_is_lower_under_the_same_policy(tmp_path):
    same = LEVEL.replace("level", "share").replace("fear", "effort") + 'before = {}\nafter = "baseline"\n'
    assert measure(load(written(tmp_path, same)), DEFAULT, 0, SMALL)["a"] == 0.0


def test_a_lever_that_a_policy_leaves_open_goes_back_to_what_it_is_in_the_world(tmp_path, runs_made):
    world = World({"punitiveness": 0.8})
    policies = "before = { punitiveness = 0.1, targets = 0.1 }\nafter = { monitoring = 0.9 }\n"
    evidence = load(written(tmp_path, CONTRAST.partition("before")[0] + policies))
    measure(evidence, world, 0, SMALL)
    stays, changes = runs_made
    assert stays.schedule == {}
    assert (changes.punitiveness, changes.targets, changes.monitoring) == (0.1, 0.1, 0.45)
    assert changes.schedule == {"punitiveness": {61: 0.8}, "targets": {61: 0.5}, "monitoring": {61: 0.9}}


def test_a_path_is_the_way_of_an_outcome_against_the_undisturbed_run(tmp_path):
    found = measure(load(written(tmp_path, PATH)), DEFAULT, 1, SMALL)["c"]
    sizes = {"systems": 1, "organisations": 2, "managers": 3, "months": 18}
    still, moved = (
        sim.simulate(1, monitoring=0.2, **sizes, schedule=plan).series["fear"]
        for plan in ({}, {"monitoring": {6: 0.9, 12: 0.2}})
    )
    assert found == pytest.approx((moved - still).loc[[3, 5, 12, 18]].to_numpy())
    assert found[0] == found[1] == 0.0
    assert found[2] != 0.0


def test_a_path_of_a_lever_that_never_changes_is_exactly_flat(tmp_path):
    still = load(written(tmp_path, PATH.replace("value_on = 0.9", "value_on = 0.2")))
    assert np.array_equal(measure(still, DEFAULT, 0, SMALL)["c"], np.zeros(4))


def test_without_gaming_nothing_goes_with_it_and_nothing_bunches():
    found = measure(load(), World({}, off=("gaming",)), seed=0, sizes=SMALL)
    assert found["monitoring-deviance"] == found["relationship-deviance"] == found["bunching"] == 0.0
    assert measure(load(), DEFAULT, seed=0, sizes=SMALL)["monitoring-deviance"] != 0.0


def test_a_less_reliable_survey_finds_a_weaker_correlation_of_the_same_run():
    pattern = next(p for p in load().patterns if p.id == "monitoring-stress")
    evidence = replace(load(), patterns=(pattern,))
    found = [
        [measure(evidence, World({}, reliability=r), seed, MEDIUM)["monitoring-stress"] for seed in range(12)]
        for r in (1.0, 0.25)
    ]
    exact, noisy_ones = np.mean(found, axis=1)
    assert 0.25 * exact < noisy_ones < 0.8 * exact  # the expected ratio is a half


# Runs and seeds


def test_runs_that_patterns_share_are_made_once(runs_made):
    measure(load(), DEFAULT, 0, SMALL)
    assert sorted(p.months for p in runs_made) == [96, 96, 120, 120, 120]
    assert sum(p.monitoring_sd > 0 for p in runs_made) == 1


def test_two_trials_that_begin_alike_share_the_run_that_stays(tmp_path, runs_made):
    other = CONTRAST.replace('"b"', '"d"').replace('"heavy"', "{ monitoring = 0.7 }")
    evidence = load(written(tmp_path, CONTRAST + other))
    measure(evidence, DEFAULT, 0, SMALL)
    assert len(runs_made) == 3


def test_the_runs_that_compare_most_for_least_come_first_and_a_consumer_may_stop(runs_made):
    groups = survey.measurements(load(), DEFAULT, 0, replace(SMALL, survey_systems=8))
    assert len(next(groups)) == 9
    assert len(runs_made) == 1
    assert list(next(groups)) == ["targets-work"]
    assert list(next(groups)) == ["mixed-response-to-control"]
    assert next(groups, None) is None


def test_a_measure_is_a_matter_of_world_and_seed_alone():
    one, other = prior(2)
    first = measure(load(), one, 5, SMALL)
    assert measure(load(), one, 5, SMALL) == first
    assert list(first) == list(PUBLISHED)
    assert measure(load(), one, 6, SMALL) != first != measure(load(), other, 5, SMALL)


def test_a_pattern_is_measured_alike_whatever_stands_beside_it():
    alone = replace(load(), patterns=load().patterns[4:5])
    assert measure(alone, DEFAULT, 1, SMALL).items() <= measure(load(), DEFAULT, 1, SMALL).items()


def test_simulation_variance_is_that_within_worlds_and_not_between_them(tmp_path):
    evidence, worlds = load(written(tmp_path, SURVEY + LEVEL + PATH)), list(prior(3))
    found = survey.simulation_variance(evidence, worlds, 4, SMALL)
    values = [[measure(evidence, world, seed, SMALL) for seed in range(4)] for world in worlds]
    fear = np.array([[value["a"] for value in own] for own in values])
    assert found["a"] == pytest.approx(np.mean([np.var(own, ddof=1) for own in fear]))
    assert np.asarray(found["c"]).shape == (4,)
    assert np.asarray(found["c"])[0] == 0.0 < np.asarray(found["c"])[3]


def test_simulation_variance_of_one_seed_is_refused():
    with pytest.raises(InputError, match="at least 2 seeds"):
        survey.simulation_variance(load(), [DEFAULT], 1, SMALL)


# Files of patterns


def test_a_file_may_leave_the_survey_to_the_shipped_one(tmp_path):
    assert load(written(tmp_path, LEVEL)).survey == load().survey
    assert load(written(tmp_path, SURVEY + LEVEL)).survey["months"] == 12


def test_a_path_has_a_tolerance_for_each_month(tmp_path):
    (pattern,) = load(written(tmp_path, PATH)).patterns
    assert (pattern.value, pattern.sd) == ((0.0, 0.0, 0.1, 0.05), (0.02,) * 4)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "pattern: there must be a table [[pattern]] for each finding, at least one"),
        ("title = 1\n" + LEVEL, "title: no such key; there are survey, pattern"),
        (LEVEL.replace("level", "levle"), 'pattern "a": kind = "levle": no such kind (did you mean "level"?)'),
        (LEVEL.replace("fear", "faer"), 'pattern "a": outcome = "faer": no such outcome (did you mean "fear"?)'),
        (LEVEL.replace("sd = 0.1", "sd = 0"), 'pattern "a": sd = 0: must be a finite number above 0'),
        (LEVEL.replace("sd = 0.1", "sd = -0.1"), 'pattern "a": sd = -0.1: must be a finite number above 0'),
        (LEVEL.replace("sd = 0.1", "sd = inf"), 'pattern "a": sd = inf: must be a finite number above 0'),
        (LEVEL.replace("sd = 0.1", ""), 'pattern "a": sd: missing'),
        (LEVEL.replace("value = 0.1", "value = nan"), 'pattern "a": value = nan: must be a finite number'),
        (LEVEL.replace("value = 0.1", "value = 1" + "0" * 400), "must be a finite number"),
        (LEVEL.replace("value = 0.1", "value = true"), 'pattern "a": value = True: must be a finite number'),
        (LEVEL.replace("value", "valeu"), '"a": valeu: no such key (did you mean "value"?)'),
        (LEVEL + 'transform = "complment"\n', '(did you mean "complement"?)'),
        (LEVEL + LEVEL, 'pattern "a": id: is given 2 times; each may be given once'),
        (LEVEL.replace('"a"', '"a b"'), 'pattern 1: id = "a b": must be a short name of letters, digits, - and _'),
        (LEVEL + 'confidence = "M"\n', 'confidence = "M": no such confidence; there are S, D, 2'),
        (CONTRAST.replace('"heavy"', '"heavvy"'), 'after = "heavvy": no such regime (did you mean "heavy"?)'),
        (CONTRAST.replace("monitoring =", "monitorng ="), 'no such lever (did you mean "monitoring"?)'),
        (CONTRAST.replace("= 0.1 }", "= 1.1 }"), "before.monitoring = 1.1: must be a number from 0 to 1"),
        (PATH.replace("months = [3, 5", "months = [5, 3"), "each later than the one before"),
        (PATH.replace("off = 12", "off = 6"), 'pattern "c": off = 6: must come after on = 6'),
        (PATH.replace('"monitoring"', '"monitoring_sd"'), 'lever = "monitoring_sd": no such lever'),
        (PATH.replace("value_on = 0.9", "value_on = 1.9"), "value_on = 1.9: must be a number from 0 to 1"),
        (PATH.replace("[0, 0, 0.1", "[0, 0.1"), "values: has 3 numbers for 4 months; there must be one for each"),
        (PATH.replace("sd = 0.02", "sd = [0.1, 0, 0.1, 0.1]"), "or a list of them, one for each month"),
        (LEVEL.replace('level"\noutcome = "fear', 'correlation"\nx = "stress"\ny = "stress'), 'y = "stress": is x as'),
        (LEVEL.replace('level"\noutcome = "fear', 'correlation"\nx = "stres"\ny = "trust'), 'mean "stress"?)'),
        (
            LEVEL.replace('level"\noutcome = "fear"\nvalue = 0', 'bunching"\nvalue = 2'),
            "value = 2.1: must be a number from -1 to 1",
        ),
        (SURVEY.replace("window = 6", "window = 13") + LEVEL, "survey.window = 13: must be at most survey.months = 12"),
        (SURVEY.replace("targets = 0.5", "") + LEVEL, "survey.targets: missing"),
        (SURVEY.replace("targets = 0.5", "targets = 5") + LEVEL, "survey.targets = 5: must be a number from 0 to 1"),
        (SURVEY.replace("months = 12", "months = 0") + LEVEL, "survey.months = 0: must be a whole number from 1 to"),
        ("survey = 3\n" + LEVEL, "survey = 3: must be a section [survey]"),
        ("pattern = [1]", "pattern 1: 1 is not a table"),
    ],
)
def test_a_mistake_gets_one_line_that_says_what_is_allowed(tmp_path, text, line):
    found = mistakes(tmp_path, text)
    assert any(line in each for each in found), found


def test_all_mistakes_of_a_file_are_named_at_once(tmp_path):
    text = LEVEL.replace("fear", "faer") + CONTRAST.replace("sd = 0.1", "sd = 0") + PATH.replace("on = 6", "on = 0")
    assert len(mistakes(tmp_path, text)) == 3


def test_a_file_that_is_no_toml_or_not_there_is_refused_in_one_line(tmp_path):
    with pytest.raises(InputError, match=r"line 1.*not valid TOML"):
        load(written(tmp_path, "[survey"))
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path / "none.toml")

"""Virtual surveys and trials: what the studies behind the evidence would find in a world of the model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sim
from sim.errors import InputError
from sim.worlds import survey
from sim.worlds.candidates import CANDIDATES
from sim.worlds.evidence import UNKNOWN, VARIABLES, Pattern, load, standardised
from sim.worlds.prior import DEFAULT, Nuisance, World, prior
from sim.worlds.survey import Sizes, bunching, correlation, log_agreement, measure, noisy, statistics

SMALL = Sizes(survey_systems=1, trial_systems=1, organisations=2, managers=3)
MEDIUM = Sizes(survey_systems=4, trial_systems=1)
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


@pytest.fixture
def runs_made(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The parameters of every run that a measurement makes."""
    made: list[Any] = []

    def counted(parameters: Any, seed: int) -> sim.model.run.Run:
        made.append(parameters)
        return sim.model.run.run_parameters(parameters, seed)

    monkeypatch.setattr(survey, "run_parameters", counted)
    return made


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


def test_what_stands_for_deviance_is_gamed_or_hidden_each_in_its_own_standard_deviations():
    gaming, slips, spoken = np.array([0.0, 0.1, 0.2]), np.array([3.0, 2.0, 2.0]), np.array([1.0, 0.0, 0.0])
    hidden = np.array([2.0, 2.0, 2.0])  # equal, so all of the difference is in what is gamed
    found = VARIABLES["deviance"].of(gaming, slips, spoken, 0.3)
    assert np.array_equal(slips - spoken, hidden)
    assert found == pytest.approx(np.sqrt(1.5) * np.array([-1.0, 0.0, 1.0]))
    assert VARIABLES["deviance"].of(gaming, 100 * slips, spoken, 0.3)[0] > found[0]  # hides most
    assert VARIABLES["deviance"].columns == ("gaming", "slips", "spoken")


def test_stress_is_fear_and_distress_and_whoever_is_satisfied_trusts_is_sure_and_is_not_distressed():
    stress, satisfaction = (VARIABLES[name].of for name in ("stress", "satisfaction"))
    assert stress(0.2, 0.6, 0.3) == pytest.approx(0.4)
    assert satisfaction(0.3, 0.6, 0.3, 0.3) == pytest.approx(1.6 / 3)
    assert (satisfaction(1.0, 1.0, 0.0, 0.3), satisfaction(0.0, 0.0, 1.0, 0.3)) == (1.0, 0.0)


def test_who_rates_performance_sees_care_or_figures_and_their_units_do_not_matter():
    quality, reported = np.array([0.1, 0.3, 0.2]), np.array([7.0, 5.0, 6.0])
    rated = VARIABLES["performance"].of
    assert rated(quality, reported, 1.0) == pytest.approx(standardised(quality))
    assert rated(quality, reported, 0.0) == pytest.approx(standardised(reported))
    assert rated(quality, reported, 0.5) == pytest.approx(np.zeros(3))
    assert rated(quality, reported, 0.75) == pytest.approx(0.5 * standardised(quality))
    assert rated(10 * quality, reported, 0.7) == pytest.approx(rated(quality, reported, 0.7))


def test_who_made_no_slip_has_no_candour_and_is_left_out():
    slips, spoken = np.array([0.2, 0.0, 0.1, 0.4]), np.array([0.1, 0.0, 0.1, 0.0])
    candour = VARIABLES["candour"].of(slips, spoken, 0.5)
    assert candour == pytest.approx([0.5, np.nan, 1.0, 0.0], nan_ok=True)
    fear = np.array([0.5, 9.0, 0.0, 1.0])
    assert correlation(fear, candour) == pytest.approx(-1.0)
    assert np.isnan(noisy(candour, 0.6, np.random.default_rng(0))).tolist() == [False, True, False, False]


def test_agreement_falls_with_the_squared_miss_in_tolerances():
    finding = Pattern("a", "level", 0.5, 0.3)
    assert log_agreement(finding, 0.5) == 0.0
    assert log_agreement(finding, 1.0) == log_agreement(finding, 0.0) == pytest.approx(-0.5 * 0.25 / 0.09)


def test_agreement_with_a_path_is_summed_over_its_months():
    finding = Pattern("a", "path", (0.0, 1.0), (1.0, 2.0))
    assert log_agreement(finding, np.array([3.0, 1.0])) == pytest.approx(-4.5)
    assert log_agreement(finding, np.array([3.0, 5.0])) == pytest.approx(-4.5 - 2.0)


# What is measured, from runs


def z(column: pd.Series) -> pd.Series:
    return (column - column.mean()) / column.std(ddof=0)


def test_a_survey_measures_what_the_run_left_behind():
    world = World({}, nuisance=Nuisance(reliability=1.0, quality_share=0.3, monitoring_sd=0.15, risk_based=0.6))
    found = statistics(load(), world, seed=3, sizes=SMALL)
    levers = {"monitoring": 0.4, "targets": 0.5, "relationship": 0.3, "relationship_sd": 0.25}
    sizes = {"systems": 1, "organisations": 2, "managers": 3, "months": 120, "window": 24}
    run = sim.simulate(3, **levers, monitoring_sd=0.15, risk_based=0.6, **sizes)
    posts, months = run.posts, run.series.tail(24)
    stress, satisfaction = posts["fear"] + posts["distress"], posts["trust"] + posts["confidence"] - posts["distress"]
    assert found["monitoring-stress"] == pytest.approx(posts["monitoring"].corr(stress))
    assert found["monitoring-satisfaction"] == pytest.approx(posts["monitoring"].corr(satisfaction))
    rated = 0.3 * z(posts["quality"]) + 0.7 * z(posts["reported"])
    assert found["relationship-performance"] == pytest.approx(posts["trust"].corr(rated))
    assert found["monitoring-performance"] == pytest.approx(posts["monitoring"].corr(rated))
    deviance = z(posts["gaming"]) + z(posts["slips"] - posts["spoken"])
    assert found["relationship-deviance"] == pytest.approx(posts["trust"].corr(deviance))
    assert found["fear-candour"] == pytest.approx(posts["fear"].corr(posts["spoken"] / posts["slips"]))
    assert found["speaking-up"] == pytest.approx(1 - months["silence"].mean())
    assert found["churn"] == pytest.approx(1 - (1 - months["exits"].mean()) ** 12)
    assert found["records"] == pytest.approx(months["record_share"].mean())
    assert found["level-fear"] == pytest.approx(months["fear"].mean())
    reported, honest, target = posts["last_reported"], posts["last_honest"], run.parameters.target_level
    expected = reported.between(target, target + 0.03).mean() - honest.between(target, target + 0.03).mean()
    assert found["bunching"] == pytest.approx(expected)


def test_monitoring_is_known_and_everything_else_is_asked():
    run = sim.simulate(3, systems=1, organisations=2, managers=3, monitoring_sd=0.2)
    seen = survey._Seen(run, DEFAULT.nuisance._replace(reliability=0.5))
    assert np.array_equal(seen.measured("monitoring"), run.posts["monitoring"])
    assert np.array_equal(seen.column("fear"), run.posts["fear"])
    assert not np.isclose(seen.measured("fear"), run.posts["fear"]).any()


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_a_file_fixes_is_the_same_in_all_worlds_and_what_it_leaves_open_is_the_worlds(name, tmp_path, runs_made):
    for given in (f"{name} = 0.25\n", f"{name} = [0.0, 0.5]\n"):
        text = SURVEY.replace("monitoring_sd = 0.2\n", "" if name == "monitoring_sd" else "monitoring_sd = 0.2\n")
        statistics(load(written(tmp_path, text + given + LEVEL)), DEFAULT, 0, SMALL)
    assert [getattr(p, name) for p in runs_made] == [0.25, getattr(DEFAULT.nuisance, name)]


def test_a_difference_is_what_a_policy_throughout_changes_in_the_last_months():
    sizes = {"systems": 1, "organisations": 2, "managers": 3}
    free, watched = (
        sim.simulate(2, monitoring=m, targets=0.0, punitiveness=0.0, **sizes).series["skill"] for m in (0.0, 0.6)
    )
    expected = (watched - free).tail(24).mean()
    assert statistics(load(), DEFAULT, 2, SMALL)["control-skill"] == pytest.approx(expected)
    assert expected != 0.0


def test_a_trial_compares_a_run_that_changes_policy_with_one_that_does_not():
    before = {"monitoring": 0.2, "targets": 0.1, "punitiveness": 0.2}
    sizes = {"systems": 1, "organisations": 2, "managers": 3}
    schedule = {"monitoring": {61: 0.5}, "targets": {61: 0.9}, "punitiveness": {61: 0.8}}
    stays, changes = (sim.simulate(2, **before, **sizes, schedule=plan).series for plan in ({}, schedule))
    expected = (changes - stays).loc[85:96, "reported"].mean()
    assert statistics(load(), DEFAULT, 2, SMALL)["targets-work"] == pytest.approx(expected)


def test_a_share_counts_the_posts_that_are_lower_under_the_second_policy():
    sizes = {"systems": 1, "organisations": 5, "managers": 12}
    free, watched = (
        sim.simulate(2, monitoring=m, targets=0.0, punitiveness=0.0, **sizes).posts["effort"] for m in (0.0, 0.6)
    )
    assert 0 < (watched < free).mean() < 1
    found = statistics(load(), DEFAULT, 2, replace(SMALL, organisations=5, managers=12))
    assert found["mixed-response-to-control"] == (watched < free).mean()


def test_no_post_is_lower_under_the_same_policy(tmp_path):
    same = LEVEL.replace("level", "share").replace("fear", "effort") + 'before = {}\nafter = "baseline"\n'
    assert statistics(load(written(tmp_path, same)), DEFAULT, 0, SMALL)["a"] == 0.0


def test_a_lever_that_a_policy_leaves_open_goes_back_to_what_it_is_in_the_world(tmp_path, runs_made):
    world = World({"punitiveness": 0.8})
    policies = "before = { punitiveness = 0.1, targets = 0.1 }\nafter = { monitoring = 0.9 }\n"
    evidence = load(written(tmp_path, CONTRAST.partition("before")[0] + policies))
    statistics(evidence, world, 0, SMALL)
    stays, changes = runs_made
    assert stays.schedule == {}
    assert (changes.punitiveness, changes.targets, changes.monitoring) == (0.1, 0.1, 0.45)
    assert changes.schedule == {"punitiveness": {61: 0.8}, "targets": {61: 0.5}, "monitoring": {61: 0.9}}


def test_a_path_is_the_way_of_an_outcome_against_the_undisturbed_run(tmp_path):
    found = statistics(load(written(tmp_path, PATH)), DEFAULT, 1, SMALL)["c"]
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
    assert np.array_equal(statistics(still, DEFAULT, 0, SMALL)["c"], np.zeros(4))


def test_without_gaming_deviance_is_what_is_hidden_and_nothing_bunches():
    found = statistics(load(), World({}, off=("gaming",)), seed=0, sizes=SMALL)
    assert found["bunching"] == 0.0 != found["monitoring-deviance"]


def test_a_less_reliable_survey_finds_a_weaker_correlation_of_the_same_run():
    pattern = next(p for p in load().patterns if p.id == "monitoring-stress")
    evidence = replace(load(), patterns=(pattern,))
    found = [
        [
            statistics(evidence, World({}, nuisance=DEFAULT.nuisance._replace(reliability=r)), seed, MEDIUM)[
                "monitoring-stress"
            ]
            for seed in range(12)
        ]
        for r in (1.0, 0.25)
    ]
    exact, noisy_ones = np.mean(found, axis=1)
    assert 0.25 * exact < noisy_ones < 0.8 * exact  # the expected ratio is a half


# Runs and seeds


def test_runs_that_patterns_share_are_made_once(runs_made):
    statistics(load(), DEFAULT, 0, SMALL)
    assert sorted(p.months for p in runs_made) == [96, 96, 120, 120, 120]
    assert sum(p.monitoring_sd > 0 for p in runs_made) == 1


def test_two_trials_that_begin_alike_share_the_run_that_stays(tmp_path, runs_made):
    other = CONTRAST.replace('"b"', '"d"').replace('"heavy"', "{ monitoring = 0.7 }")
    evidence = load(written(tmp_path, CONTRAST + other))
    statistics(evidence, DEFAULT, 0, SMALL)
    assert len(runs_made) == 3


def test_a_measure_is_the_mean_over_whole_surveys_one_for_each_seed(tmp_path):
    evidence = load(written(tmp_path, SURVEY + LEVEL + PATH))
    each = [statistics(evidence, DEFAULT, seed, SMALL) for seed in (4, 9, 2)]
    found = measure(evidence, DEFAULT, (4, 9, 2), SMALL)
    assert found.keys() == each[0].keys()
    assert found["a"] == pytest.approx(np.mean([one["a"] for one in each]))
    assert found["c"] == pytest.approx(np.mean([one["c"] for one in each], axis=0))
    assert len({one["a"] for one in each}) == 3
    both = survey.measure_all(evidence, [DEFAULT, World({}, off=("gaming",))], [(4, 9, 2), (4, 9, 2)], SMALL)
    assert both["a"][0] == found["a"]
    assert np.array_equal(both["c"][0], found["c"])


def test_a_row_holds_the_patterns_and_then_the_candidates_each_where_it_is_said(tmp_path):
    row, found = survey.vector(load(), DEFAULT, 5, SMALL), statistics(load(), DEFAULT, 5, SMALL)
    assert list(found) == [*(pattern.id for pattern in load().patterns), *(each.id for each in CANDIDATES)]
    assert row.tolist() == list(found.values())
    mine = load(written(tmp_path, PATH + LEVEL))
    assert survey.columns(mine)["c"] == slice(0, 4)
    assert survey.columns(mine)["a"] == slice(4, 5)


def test_a_candidate_that_would_need_a_run_of_its_own_is_left_out_and_so_is_one_that_is_a_pattern(tmp_path):
    trial = load(written(tmp_path, CONTRAST))
    assert list(statistics(trial, DEFAULT, 0, SMALL)) == ["b"]
    asked = load(written(tmp_path, SURVEY + LEVEL.replace('"a"', '"level-trust"')))
    found = statistics(asked, DEFAULT, 0, SMALL)
    assert found["level-trust"] == pytest.approx(found["level-fear"])  # the pattern of that name is about fear
    assert not any(name.startswith("control") for name in found)


def test_a_measure_is_a_matter_of_world_and_seed_alone():
    one, other = prior(2)
    first = statistics(load(), one, 5, SMALL)
    assert statistics(load(), one, 5, SMALL) == first
    assert statistics(load(), one, 6, SMALL) != first != statistics(load(), other, 5, SMALL)


def test_a_pattern_is_measured_alike_whatever_stands_beside_it():
    alone = replace(load(), patterns=load().patterns[4:5])
    assert statistics(alone, DEFAULT, 1, SMALL).items() <= statistics(load(), DEFAULT, 1, SMALL).items()


def test_simulation_variance_is_that_within_worlds_and_not_between_them(tmp_path):
    evidence, worlds = load(written(tmp_path, SURVEY + LEVEL + PATH)), list(prior(3))
    found = survey.simulation_variance(evidence, worlds, 4, SMALL)
    values = [[statistics(evidence, world, seed, SMALL) for seed in range(4)] for world in worlds]
    fear = np.array([[value["a"] for value in own] for own in values])
    assert found["a"] == pytest.approx(np.mean([np.var(own, ddof=1) for own in fear]))
    assert np.asarray(found["c"]).shape == (4,)
    assert np.asarray(found["c"])[0] == 0.0 < np.asarray(found["c"])[3]


def test_simulation_variance_of_one_seed_is_refused():
    with pytest.raises(InputError, match="at least 2 seeds"):
        survey.simulation_variance(load(), [DEFAULT], 1, SMALL)

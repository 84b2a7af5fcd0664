"""What the parameters, levers, regimes and mechanisms are, and how mistakes in them are answered."""

from __future__ import annotations

import dataclasses
import pickle
import re
import string

import pytest
from pydantic import ValidationError

import sim.model.parameters
from sim.errors import InputError, nearest
from sim.model.parameters import (
    DECLARATIONS,
    LEVERS,
    MECHANISMS,
    PARAMETERS,
    REGIMES,
    SIZES,
    SPREADS,
    Parameters,
    resolve,
)

# The specification's table: name, default, low, high, null, under the headings of its groups.
SPECIFIED = """
# people
motivation_mean 0.65 0.4 0.9 -
motivation_sd 0.15 0.05 0.25 -
integrity_mean 0.75 0.4 0.95 -
integrity_sd 0.15 0.05 0.25 -
skill_mean 0.5 0.35 0.65 -
skill_sd 0.15 0.05 0.25 -
boldness_sd 0.5 0 1 -
poor_share 0.05 0 0.15 0
poor_factor 0.4 0.2 0.7 1
crowding_mean 0.05 -0.3 0.6 0
crowding_sd 0.35 0.1 0.6 0
anxiety_sd 0.4 0 0.8 0
# motivation and effort
reciprocity 0.5 0 1 0
complacency 0.1 0 0.5 0
impunity 0.1 0 0.4 0
motivation_speed 0.1 0.03 0.3 -
deterrence 0.5 0 1.2 0
burden 0.13 0 0.3 0
burden_power 1.5 1 2 -
relationship_time 0.07 0 0.15 0
# indicator
focus_own 0.42 0.3 0.6 -
focus_pull 0.4 0.1 0.9 0
focus_ideal 0.5 0.5 0.5 -
target_level 0.57 0.45 0.7 -
gaming_max 0.35 0 1 0
gaming_cost 0.5 0 1 0
audit 0.4 0 0.8 0
# initiative
opportunity 0.3 0.1 0.5 -
gain 1 1 1 -
loss_aversion 2 1 5 1
initiative_cost 0.28 0.1 0.5 -
aspiration 0.7 0 1.5 0
sensitivity 4 2 6 -
success_base 0.25 0.15 0.35 -
success_skill 0.5 0.3 0.7 -
success_cooperation 0.15 0 0.3 0
step 0.3 0.1 0.5 -
career_stakes 0.5 0 1.5 0
# need and practice
need_sd 1 0.2 1.5 -
common_need 0.3 0 0.8 -
need_turnover 0.015 0 0.05 0
niche_width 1 1 1 -
standard_pull 0.1 0.05 0.2 -
standard_lag 12 6 36 -
standard_safety 0.3 0 0.6 0
# slips
slip_negligence 0.24 0.05 0.4 -
slip_mishap 0.03 0 0.06 -
slip_unskilled 0.07 0 0.15 -
overload_slip 2 0 4 0
account_rate 0.14 0 0.3 0
safety_learning 0.025 0 0.05 0
safety_decay 0.02 0.01 0.04 -
safety_effect 0.6 0.2 0.9 0
exoneration 0.3 0 0.8 0
# voice and harm
speak_base 0.7 -1 1.5 -
speak_sensitivity 4.5 2 7 -
speak_negligence 0.6 0.3 1 -
speak_prudence 2 0 6 0
harm_known 0.3 0.05 0.6 -
harm_hidden_factor 2 1 3 1
# fear
fear_blamed 0.35 0.05 0.6 0
fear_spared 0.2 0.03 0.4 0
fear_peer_blamed 0.05 0 0.12 0
fear_peer_spared 0.03 0 0.06 0
fear_system 0.004 0 0.01 0
fear_conformity 0.08 0 0.15 0
fear_extinction 0.05 0.01 0.1 -
fear_ambient 0.4 0 0.8 0
cascade 0.35 0 0.8 0
# trust
trust_invest 0.07 0.02 0.12 0
trust_control 0.025 -0.02 0.06 0
trust_decay 0.01 0.005 0.02 -
trust_unfair 0.3 0.05 0.6 0
trust_fair 0.15 0 0.3 0
trust_spared 0.06 0 0.12 0
trust_conformity 0.05 0 0.1 0
# confidence
confidence_success 0.15 0.05 0.3 0
confidence_failure 0.1 0 0.2 0
confidence_blamed 0.2 0 0.4 0
confidence_invest 0.02 0 0.05 0
confidence_feedback 0.015 0 0.04 0
confidence_idle 0.01 0.005 0.03 -
# skill and integrity
skill_practice 0.03 0 0.06 0
skill_invest 0.01 0 0.03 0
skill_feedback 0.02 0 0.05 0
skill_decay 0.003 0.001 0.006 -
skill_floor 0.6 0.4 0.8 -
integrity_invest 0.003 0 0.01 0
# distress
distress_gain 0.12 0.03 0.25 0
distress_recovery 0.06 0.03 0.12 -
distress_moral 1 0 2 0
strain_gaming 2 0 4 0
distress_paperwork 0.3 0 0.6 0
distress_overload 0.3 0 0.6 0
distress_fear 0.2 0 0.5 0
# careers
exit_base 0.014 0.005 0.02 -
exit_distress 0.04 0 0.08 0
exit_fear 0.01 0 0.03 0
dismissal 0.15 0.02 0.3 0
recycling 0.5 0 0.9 0
assessment_noise 0.15 0.05 0.3 -
deterred_entry 0.5 0 1 0
market_months 12 3 24 -
# cooperation and resources
cooperation_gain 0.2 0 0.4 0
cooperation_cost 0.05 0 0.1 0
cooperation_speed 0.15 0.05 0.3 -
cooperation_sensitivity 4 2 6 -
cooperation_reciprocity 0.6 0 1 0
cooperation_rivalry 0.5 0 1 0
cooperation_oversight 0.4 0 1 0
demand 1.12 0.95 1.3 -
bed_blocking 0.3 0 0.6 0
# levers left open
punitiveness 0.5 0.1 0.9 -
discernment 0.5 0.1 0.9 -
leniency 0.4 0 0.8 -
"""

SPECIFIED_LEVERS = {
    "monitoring": 0.45,
    "targets": 0.5,
    "punitiveness": 0.5,
    "discernment": 0.5,
    "leniency": 0.4,
    "relationship": 0.3,
    "recognition": 0.3,
    "risk_based": 0.0,
    "publicity": 0.5,
    "standardisation": 0.0,
    "competency_standard": 0.0,
    "register": 0.0,
    "disbarring": 0.0,
    "cooperation_incentive": 0.2,
    "acute_budget": 1.0,
    "social_care_budget": 1.0,
}
SPECIFIED_SIZES = {"systems": 42, "organisations": 5, "managers": 12, "months": 120, "window": 24}

# Mechanism, whose case it carries, its parameters.
SPECIFIED_MECHANISMS = """
paperwork for burden
crowding_out for crowding_mean crowding_sd
social_exchange for reciprocity
complacency against complacency
impunity against impunity
deterrence against deterrence
attention against focus_pull
gaming for gaming_max
aspiration against aspiration
loss_aversion for loss_aversion
learned_fear for fear_blamed fear_peer_blamed fear_system fear_ambient confidence_blamed
contagion for fear_conformity trust_conformity
reassurance against fear_spared fear_peer_spared trust_spared
cascade for cascade
distrust for trust_control trust_unfair trust_fair
exoneration against exoneration
prudence against speak_prudence
feedback against skill_feedback confidence_feedback
practice for skill_practice
development for skill_invest confidence_invest integrity_invest
organisational_learning for safety_effect
early_discovery against harm_hidden_factor
moral_distress for distress_moral
strain_of_work for distress_paperwork distress_overload distress_fear
careers for dismissal exit_distress exit_fear career_stakes deterred_entry
unfit_leaders against poor_share
cooperation for cooperation_gain success_cooperation cooperation_cost
rivalry for cooperation_rivalry
safe_standards against standard_safety
audit against audit
called_to_account for account_rate
trust_building for trust_invest
oversight_of_cooperation against cooperation_oversight
bed_blocking for bed_blocking
"""

HEAVY = {"monitoring": 0.8, "targets": 0.8}
SPECIFIED_REGIMES = {
    "hands_off": {"monitoring": 0, "targets": 0, "punitiveness": 0.1, "relationship": 0.1},
    "light": {"monitoring": 0.2, "targets": 0.2},
    "baseline": {},
    "heavy": HEAVY,
    "punitive": HEAVY | {"punitiveness": 0.8},
    "targets_and_terror": {"monitoring": 0.6, "targets": 1, "punitiveness": 0.9, "relationship": 0.1},
    "supportive": {
        "monitoring": 0.3,
        "targets": 0.3,
        "punitiveness": 0.3,
        "discernment": 0.8,
        "leniency": 0.7,
        "relationship": 0.8,
    },
    "just_culture": HEAVY | {"discernment": 0.9, "leniency": 0.8},
    "kark_adopted": {"competency_standard": 0.7, "register": 0.8},
    "kark_full": {"competency_standard": 0.7, "register": 0.8, "disbarring": 0.8},
    "one_size": {"standardisation": 0.7},
    "integrated": {"cooperation_incentive": 0.8, "social_care_budget": 1.14, "acute_budget": 0.96},
}

# Every finding that a source may rest on.
FINDINGS = (
    "Balliet et al. 2011",
    "Boly 2011",
    "Brown et al. 2024",
    "Burdin et al. 2018",
    "Falk & Kosfeld 2006",
    "Hill et al. 2010",
    "Integrated care systems in England, April 2021",
    "Kark review 2019",
    "Kelman & Friedman 2009",
    "Kluger & DeNisi 1996",
    "Lacerenza et al. 2017",
    "Martin et al. 2016",
    "Mason et al. 2012",
    "Miner et al. 2005",
    "NHS Staff Survey 2014 and 2019",
    "NHS Staff Survey 2018",
    "Seidman et al. 2020",
    "Siegel et al. 2022",
    "The King's Fund and NHS Providers 2018",
    "Wu & Wang 2020",
    "Ziegelmeyer et al. 2012",
)


def rows() -> list[tuple[str, str, float, float, float, float | None]]:
    """The specified table as (group, name, default, low, high, null)."""
    found, group = [], ""
    for line in SPECIFIED.strip().splitlines():
        if line.startswith("#"):
            group = line[2:]
            continue
        name, default, low, high, null = line.split()
        found.append((group, name, float(default), float(low), float(high), None if null == "-" else float(null)))
    return found


def refused(*arguments: object, **settings: object) -> tuple[str, ...]:
    """The lines with which `resolve` answers mistakes."""
    with pytest.raises(InputError) as caught:
        resolve(*arguments, **settings)  # type: ignore[arg-type]
    assert str(caught.value) == "\n".join(caught.value.lines)
    assert all("\n" not in line for line in caught.value.lines)
    return caught.value.lines


@pytest.fixture
def sixteen_gib(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of 16 GiB, whatever this one has."""
    monkeypatch.setattr(sim.model.parameters, "_memory", lambda: 16 * 2**30)


@pytest.mark.parametrize(("group", "name", "default", "low", "high", "null"), rows())
def test_a_parameter_is_as_specified(
    group: str, name: str, default: float, low: float, high: float, null: float | None
) -> None:
    declared = DECLARATIONS[name]
    assert (declared.default, declared.low, declared.high, declared.null) == (default, low, high, null)
    assert getattr(resolve(), name) == default
    assert declared.group == ("levers" if group == "levers left open" else group)


def test_nothing_is_declared_that_is_not_specified() -> None:
    specified = [row[1] for row in rows() if row[0] != "levers left open"]
    assert [name for name in PARAMETERS if name != "social_care_size"] == specified
    assert {name: DECLARATIONS[name].default for name in LEVERS} == SPECIFIED_LEVERS
    assert {name: DECLARATIONS[name].default for name in SIZES} == SPECIFIED_SIZES
    assert SPREADS == ("monitoring_sd", "relationship_sd")
    assert set(DECLARATIONS) == {*PARAMETERS, *LEVERS, *SIZES, *SPREADS}
    assert set(Parameters.model_fields) == {*DECLARATIONS, "schedule"}


def test_only_the_levers_left_open_are_drawn_by_ensembles() -> None:
    drawn = {name for name in (*LEVERS, *SPREADS, *SIZES) if DECLARATIONS[name].low is not None}
    assert drawn == {"punitiveness", "discernment", "leniency"}


@pytest.mark.parametrize("declared", DECLARATIONS.values(), ids=lambda declared: declared.name)
def test_everything_declared_is_explained(declared: sim.model.parameters.Declaration) -> None:
    assert declared.unit and declared.group and declared.meaning
    assert declared.meaning[0] in string.ascii_uppercase and declared.meaning.endswith(".")
    assert declared.source == "assumption" or declared.source.startswith(FINDINGS)


@pytest.mark.parametrize("declared", DECLARATIONS.values(), ids=lambda declared: declared.name)
def test_no_source_names_a_finding_that_is_not_in_the_evidence(declared: sim.model.parameters.Declaration) -> None:
    rest = declared.source
    for finding in FINDINGS:
        rest = rest.replace(finding, "")
    assert not re.search(r"\b(19|20)\d\d\b", rest)


@pytest.mark.parametrize("declared", DECLARATIONS.values(), ids=lambda declared: declared.name)
def test_the_bounds_admit_default_range_and_null(declared: sim.model.parameters.Declaration) -> None:
    for value in (declared.default, declared.low, declared.high, declared.null):
        assert value is None or declared.allows(value)


@pytest.mark.parametrize("declared", DECLARATIONS.values(), ids=lambda declared: declared.name)
def test_the_bounds_hold(declared: sim.model.parameters.Declaration, sixteen_gib: None) -> None:
    for value in (
        declared.minimum - 0.001,
        declared.maximum + 1,
        float("nan"),
        float("inf"),
        True,
        "1",
        None,
    ):
        (line,) = refused(**{declared.name: value})
        assert line.startswith(f"{declared.name} = ")
        assert line.endswith(f"must be {declared.allowed}")


@pytest.mark.parametrize("name", ["step", "niche_width", "target_level", "acute_budget", "social_care_budget"])
def test_steps_widths_levels_and_budgets_are_positive(name: str) -> None:
    assert DECLARATIONS[name].minimum > 0
    refused(**{name: 0})


@pytest.mark.parametrize(
    ("name", "value"),
    [("focus_own", 0), ("focus_own", 0.96), ("focus_pull", 1), ("focus_ideal", 0), ("focus_ideal", 1)],
)
def test_the_shares_of_attention_leave_something_for_both_halves(name: str, value: float) -> None:
    (line,) = refused(**{name: value})
    assert re.search(r"above|below|at most", line)


def test_a_standard_follows_no_faster_than_at_once() -> None:
    refused(standard_lag=0.99)
    assert resolve(standard_lag=1).standard_lag == 1


def test_whole_numbers_serve_as_numbers_but_not_the_other_way_round() -> None:
    assert resolve(monitoring=1).monitoring == 1.0
    assert isinstance(resolve(monitoring=1).monitoring, float)
    assert refused(months=12.0) == ("months = 12.0: must be a whole number from 1 to 1 000 000 000",)


def test_the_mechanisms_are_as_specified() -> None:
    specified = {}
    for line in SPECIFIED_MECHANISMS.strip().splitlines():
        name, case, *parameters = line.split()
        specified[name] = (case, tuple(parameters))
    assert {m.name: (m.case, m.parameters) for m in MECHANISMS.values()} == specified
    assert all(mechanism.meaning.endswith(".") for mechanism in MECHANISMS.values())


@pytest.mark.parametrize("name", MECHANISMS)
def test_switching_a_mechanism_off_sets_its_parameters_to_their_null_and_nothing_else(name: str) -> None:
    without = resolve(mechanisms_off=[name])
    for parameter in PARAMETERS:
        declared = DECLARATIONS[parameter]
        expected = declared.null if parameter in MECHANISMS[name].parameters else declared.default
        assert expected is not None
        assert getattr(without, parameter) == expected


@pytest.mark.parametrize("name", SPECIFIED_REGIMES)
def test_a_regime_sets_the_specified_levers_and_no_other(name: str) -> None:
    assert REGIMES[name].levers == SPECIFIED_REGIMES[name]
    parameters = resolve(name)
    assert {lever: getattr(parameters, lever) for lever in LEVERS} == SPECIFIED_LEVERS | SPECIFIED_REGIMES[name]


def test_no_regime_is_left_out() -> None:
    assert list(REGIMES) == list(SPECIFIED_REGIMES)


def test_a_setting_wins_over_the_regime() -> None:
    parameters = resolve("heavy", monitoring=0.1)
    assert (parameters.monitoring, parameters.targets) == (0.1, 0.8)


def test_a_setting_may_not_contradict_a_mechanism_that_is_off() -> None:
    assert refused(mechanisms_off=["paperwork"], burden=0.2) == (
        "burden = 0.2: belongs to the mechanism paperwork, which is switched off and holds it at 0; "
        "leave out one of the two",
    )


def test_the_cost_of_a_regime_weighs_both_budgets() -> None:
    assert resolve().cost == 1
    assert resolve(acute_budget=0.9).cost == pytest.approx(1 - 0.1 / 1.28)
    assert resolve("integrated").cost == pytest.approx(1, abs=0.001)


def test_parameters_are_frozen_and_survive_pickling() -> None:
    parameters = resolve("heavy", schedule={"targets": {3: 0.1}})
    with pytest.raises(ValidationError):
        parameters.monitoring = 0.1
    assert pickle.loads(pickle.dumps(parameters)) == parameters
    with pytest.raises(dataclasses.FrozenInstanceError):
        DECLARATIONS["burden"].default = 1  # type: ignore[misc]


def test_parameters_made_without_resolve_are_checked_too() -> None:
    for wrong in ({"monitorng": 1}, {"monitoring": 2}, {"months": True}, {"schedule": {"burden": {1: 0.1}}}):
        with pytest.raises(ValidationError):
            Parameters.model_validate(wrong)


def test_a_typing_error_gets_the_nearest_name() -> None:
    assert refused(monitorng=1) == (
        'monitorng = 1: no parameter, lever or size has this name (did you mean "monitoring"?)',
    )
    assert refused("hevy")[0].startswith('regime = "hevy": no such regime (did you mean "heavy"?)')
    assert refused(mechanisms_off=["cascad"]) == (
        'mechanisms_off = "cascad": no such mechanism (did you mean "cascade"?)',
    )
    assert nearest("Just-Culture", REGIMES) == ' (did you mean "just_culture"?)'
    assert nearest("xyzzy", REGIMES) == ""


def test_all_mistakes_are_named_at_once_each_in_one_line(sixteen_gib: None) -> None:
    lines = refused(
        "hevy",
        mechanisms_off=["cascad", "paperwork"],
        burden=0.2,
        monitorng=1,
        targets=2,
        systems=10**9,
        schedule={"monitoring": {500: 0.1, 3: 7}},
    )
    about = [line.partition(":")[0].partition(" = ")[0] for line in lines]
    assert sorted(about) == sorted(
        [
            "regime",
            "mechanisms_off",
            "burden",
            "monitorng",
            "targets",
            "schedule.monitoring.500",
            "schedule.monitoring.3",
            "systems",
        ]
    )


def test_a_mistake_stays_on_one_line_whatever_was_typed() -> None:
    (line,) = refused(**{"two\nlines": "three\nlines"})
    assert line.startswith("'two\\nlines' = 'three\\nlines'")
    assert len(refused(burden="x" * 1000)[0]) < 150


@pytest.mark.parametrize("wrong", [None, 3, "cascade_", ["cascade", 3], [["cascade"]]])
def test_mechanisms_are_switched_off_by_name(wrong: object) -> None:
    assert "no such mechanism" in refused(mechanisms_off=wrong)[0]


def test_one_mechanism_needs_no_list() -> None:
    assert resolve(mechanisms_off="cascade").cascade == 0


def test_a_schedule_is_put_into_order() -> None:
    parameters = resolve(schedule={"monitoring": {"36": 0.9, 4: 1}, "targets": {}})
    assert parameters.schedule == {"monitoring": {4: 1.0, 36: 0.9}}
    assert list(parameters.schedule["monitoring"]) == [4, 36]
    assert resolve(schedule=parameters.schedule) == parameters


@pytest.mark.parametrize("name", LEVERS)
def test_every_lever_can_follow_a_schedule(name: str) -> None:
    assert resolve(schedule={name: {1: 0.5, 120: 1}}).schedule == {name: {1: 0.5, 120: 1.0}}


@pytest.mark.parametrize("name", [*SPREADS, "burden", "months", "systms"])
def test_nothing_else_can_follow_a_schedule(name: str) -> None:
    (line,) = refused(schedule={name: {1: 0.5}})
    assert line.startswith(f"schedule.{name}: ")
    assert "lever" in line


def test_a_lever_misspelt_in_a_schedule_gets_the_nearest_lever() -> None:
    assert refused(schedule={"target": {1: 0.5}}) == (
        'schedule.target: no lever has this name (did you mean "targets"?)',
    )


@pytest.mark.parametrize("month", [0, -1, 25, "25", "x", "1.5", 1.5, True, "²", None])
def test_a_scheduled_month_lies_within_the_run(month: object) -> None:
    (line,) = refused(months=24, schedule={"monitoring": {month: 0.5}})
    assert line.endswith("the month must be a whole number from 1 to 24, the last month of the run")


@pytest.mark.parametrize("value", [-0.1, 1.1, "0.5", True, float("nan"), None])
def test_a_scheduled_value_is_one_that_the_lever_can_have(value: object) -> None:
    (line,) = refused(schedule={"monitoring": {3: value}})
    assert line.startswith("schedule.monitoring.3 = ")
    assert line.endswith("the value must be a number from 0 to 1")


def test_a_scheduled_month_is_given_once() -> None:
    assert refused(schedule={"monitoring": {3: 0.1, "3": 0.2}}) == (
        "schedule.monitoring.3 = 0.2: month 3 is given twice",
    )


@pytest.mark.parametrize("schedule", [3, [], {"monitoring": 0.5}])
def test_a_schedule_is_a_table_of_tables(schedule: object) -> None:
    assert "must be a table" in refused(schedule=schedule)[0]


def test_a_window_may_be_longer_than_the_run() -> None:
    assert resolve(months=12, window=24).window == 24


def test_a_run_that_memory_would_not_hold_is_refused(sixteen_gib: None) -> None:
    (line,) = refused(systems=10**6)
    assert "systems = 1000000, organisations = 5, managers = 12, months = 120" in line
    assert re.search(r"would need [\d.]+ GiB of memory; at most 16\.0 GiB", line)
    assert resolve(systems=10**4).systems == 10**4


def test_a_run_that_would_never_finish_is_refused(sixteen_gib: None) -> None:
    lines = refused(systems=10**5, months=10**8)
    assert "would never finish" in lines[0]


def test_where_the_memory_is_unknown_16_gib_are_assumed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("os.sysconf", raising=False)
    assert "at most 16.0 GiB" in refused(systems=10**7)[0]

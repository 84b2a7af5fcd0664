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
    COEFFICIENTS,
    LEVERS,
    MECHANISMS,
    PARAMETERS,
    REGIMES,
    SIZES,
    SPREADS,
    Parameters,
    resolve,
)

# Every finding that a source may rest on.
FINDINGS = (
    "Balliet et al. 2011",
    "Boly 2011",
    "Brown et al. 2024",
    "Burdin et al. 2018",
    "Crawford et al. 2021",
    "Falk & Kosfeld 2006",
    "Hill et al. 2010",
    "Integrated care systems in England, April 2021",
    "Janke et al. 2019",
    "Kark review 2019",
    "Kelman & Friedman 2009",
    "Kluger & DeNisi 1996",
    "Lacerenza et al. 2017",
    "Martin et al. 2016",
    "Martin et al. 2021",
    "Mason et al. 2012",
    "Miner et al. 2005",
    "NHS Providers 2023 and 2024",
    "NHS Staff Survey 2014 and 2019",
    "NHS Staff Survey 2018",
    "Seamer et al. 2019",
    "Seidman et al. 2020",
    "Siegel et al. 2022",
    "The King's Fund and NHS Providers 2018",
    "Wu & Wang 2020",
    "Ziegelmeyer et al. 2012",
)


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


def test_every_value_is_a_lever_a_size_or_a_parameter() -> None:
    assert SPREADS == ("monitoring_sd", "relationship_sd")
    assert list(PARAMETERS) == [*LEVERS, *SPREADS, *SIZES, *COEFFICIENTS]
    assert list(Parameters.model_fields) == [*PARAMETERS, "schedule", "local"]
    assert all(getattr(resolve(), name) == declared.default for name, declared in PARAMETERS.items())


def test_only_the_levers_left_open_are_drawn_by_ensembles() -> None:
    drawn = {name for name in (*LEVERS, *SPREADS, *SIZES) if PARAMETERS[name].low is not None}
    assert drawn == {"punitiveness", "discernment", "leniency"}


@pytest.mark.parametrize("declared", PARAMETERS.values(), ids=lambda declared: declared.name)
def test_everything_declared_is_explained(declared: sim.model.parameters.Declaration) -> None:
    assert declared.unit and declared.group and declared.meaning
    assert declared.meaning[0] in string.ascii_uppercase and declared.meaning.endswith(".")
    assert declared.source == "assumption" or declared.source.startswith(FINDINGS)


@pytest.mark.parametrize("declared", PARAMETERS.values(), ids=lambda declared: declared.name)
def test_no_source_names_a_finding_that_is_not_in_the_evidence(declared: sim.model.parameters.Declaration) -> None:
    rest = declared.source
    for finding in FINDINGS:
        rest = rest.replace(finding, "")
    assert not re.search(r"\b(19|20)\d\d\b", rest)


@pytest.mark.parametrize("declared", PARAMETERS.values(), ids=lambda declared: declared.name)
def test_the_bounds_admit_default_range_and_null(declared: sim.model.parameters.Declaration) -> None:
    for value in (declared.default, declared.low, declared.high, declared.null):
        assert value is None or declared.allows(value)


@pytest.mark.parametrize("declared", PARAMETERS.values(), ids=lambda declared: declared.name)
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


@pytest.mark.parametrize("name", ["step", "relationship_power", "target_level", "acute_budget", "social_care_budget"])
def test_steps_widths_levels_and_budgets_are_positive(name: str) -> None:
    assert PARAMETERS[name].minimum > 0 or PARAMETERS[name].exclusive_minimum
    refused(**{name: 0})


@pytest.mark.parametrize(
    ("name", "value"),
    [("focus_own", 0), ("focus_own", 0.96), ("focus_pull", 1)],
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


def test_every_mechanism_holds_parameters_that_have_a_null_and_no_other_mechanism_holds() -> None:
    held = [name for mechanism in MECHANISMS.values() for name in mechanism.parameters]
    assert len(set(held)) == len(held)
    assert all(PARAMETERS[name].null is not None for name in held)
    assert all(mechanism.meaning.endswith(".") for mechanism in MECHANISMS.values())


@pytest.mark.parametrize("name", MECHANISMS)
def test_switching_a_mechanism_off_sets_its_parameters_to_their_null_and_nothing_else(name: str) -> None:
    without = resolve(mechanisms_off=[name])
    for parameter in COEFFICIENTS:
        declared = PARAMETERS[parameter]
        expected = declared.null if parameter in MECHANISMS[name].parameters else declared.default
        assert expected is not None
        assert getattr(without, parameter) == expected


@pytest.mark.parametrize("name", REGIMES)
def test_a_regime_sets_its_levers_and_no_other(name: str) -> None:
    defaults = {lever: PARAMETERS[lever].default for lever in LEVERS}
    assert {lever: getattr(resolve(name), lever) for lever in LEVERS} == defaults | REGIMES[name].levers


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
        PARAMETERS["burden"].default = 1  # type: ignore[misc]


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

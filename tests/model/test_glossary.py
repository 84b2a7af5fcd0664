"""Every name of the model is explained, in each of its meanings."""

from __future__ import annotations

import pytest

from sim.errors import InputError
from sim.model.glossary import Meaning, by_group, meanings
from sim.model.outcomes import OUTCOMES, POST_COLUMNS, Outcome
from sim.model.parameters import MECHANISMS, PARAMETERS, REGIMES


def fact(meaning: Meaning, label: str) -> str | None:
    return dict(meaning.facts).get(label)


def of_kind(kind: str, name: str) -> Meaning:
    (found,) = [meaning for meaning in meanings(name) if meaning.kind == kind]
    return found


def test_an_outcome_of_posts_is_the_same_as_of_months() -> None:
    for name, column in POST_COLUMNS.items():
        assert column is OUTCOMES.get(name, column)
        assert column.name == name


@pytest.mark.parametrize("outcome", (OUTCOMES | POST_COLUMNS).values(), ids=lambda outcome: outcome.name)
def test_every_outcome_is_explained(outcome: Outcome) -> None:
    assert outcome.unit
    assert outcome.meaning.endswith(".")
    assert outcome.low is None or outcome.high is None or outcome.low < outcome.high


def test_every_name_has_a_meaning() -> None:
    for name in {*PARAMETERS, *MECHANISMS, *REGIMES, *OUTCOMES, *POST_COLUMNS}:
        assert all(meaning.name == name and meaning.text for meaning in meanings(name))


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("cooperation", ["mechanism", "outcome"]),
        ("gaming", ["mechanism", "outcome"]),
        ("cascade", ["parameter", "mechanism"]),
        ("deterrence", ["parameter", "mechanism"]),
        ("bed_blocking", ["parameter", "mechanism"]),
        ("monitoring", ["lever", "column of posts"]),
        ("baseline", ["regime"]),
        ("months", ["size"]),
        ("fear", ["outcome"]),
    ],
)
def test_a_name_is_shown_in_all_its_meanings(name: str, kinds: list[str]) -> None:
    assert [meaning.kind for meaning in meanings(name)] == kinds


def test_a_parameter_tells_which_mechanism_switches_it_off() -> None:
    assert fact(of_kind("parameter", "burden"), "switched off with") == "paperwork"
    assert fact(of_kind("parameter", "burden"), "null") == "0"
    assert fact(of_kind("parameter", "demand"), "switched off with") is None


def test_a_lever_tells_which_regimes_set_it_and_to_what() -> None:
    assert fact(of_kind("lever", "disbarring"), "set by") == "kark_full 0.8, barring 0.8"
    assert fact(of_kind("lever", "relationship"), "set by") == (
        "hands_off 0.1, targets_and_terror 0.1, supportive 0.8, heavy_supportive 0.8"
    )
    assert fact(of_kind("lever", "monitoring_sd"), "schedule") == "not possible: fixed for a run"


def test_a_mechanism_tells_its_case_and_what_switches_it_off() -> None:
    found = of_kind("mechanism", "loss_aversion")
    assert fact(found, "case") == "for the warning against surveillance"
    assert fact(found, "switched off by") == "loss_aversion = 1"


def test_a_regime_tells_its_levers() -> None:
    assert fact(of_kind("regime", "heavy"), "levers") == "monitoring = 0.8, targets = 0.8"


def test_an_outcome_tells_its_name_its_unit_and_the_values_it_can_take() -> None:
    told = ("in few words", "fear"), ("unit", "stock from 0 to 1"), ("values", "from 0 to 1")
    assert of_kind("outcome", "fear").facts == told
    assert fact(of_kind("outcome", "quality"), "values") == "any number"
    assert fact(of_kind("outcome", "overload"), "values") == "from 0"


def test_an_unknown_name_gets_the_nearest_one() -> None:
    with pytest.raises(InputError) as caught:
        meanings("fearr")
    assert caught.value.lines == ('fearr: nothing in the model has this name (did you mean "fear"?)',)


def test_the_listing_holds_every_meaning_under_one_heading() -> None:
    listed = [(meaning.kind, meaning.name) for group in by_group().values() for meaning in group]
    only_posts = set(POST_COLUMNS) - set(OUTCOMES)
    expected = len(PARAMETERS) + len(MECHANISMS) + len(REGIMES) + len(OUTCOMES) + len(only_posts)
    assert len(listed) == len(set(listed)) == expected
    assert list(by_group())[:3] == ["levers", "size", "people"]

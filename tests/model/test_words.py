"""Every name has a word that people read, and numbers are told in units that people own."""

from __future__ import annotations

import re
from itertools import permutations

import pytest

from sim.claims.statements import LIMITS
from sim.model import words
from sim.model.outcomes import POST_COLUMNS
from sim.model.parameters import MECHANISMS, PARAMETERS, REGIMES
from sim.worlds.evaluate import MEASURED
from sim.worlds.evidence import load

LETTERS = 46
"""Of a name that fits beside a row of a picture."""


def test_every_name_has_a_word_and_every_word_a_name() -> None:
    assert {**words.SCALES, **words.PHRASES}.keys() == PARAMETERS.keys()
    assert words.CLAUSES.keys() == MECHANISMS.keys()
    assert words.POLICIES.keys() == REGIMES.keys()
    assert {*MEASURED} <= words.MEASURES.keys() <= {*MEASURED, *POST_COLUMNS}
    assert words.FINDINGS.keys() == {pattern.id for pattern in load().patterns}


@pytest.mark.parametrize("told", [words.PHRASES, words.CLAUSES, words.POLICIES], ids=["phrases", "clauses", "policies"])
def test_no_two_things_are_called_the_same_and_names_fit_beside_a_row(told: dict[str, str]) -> None:
    assert len({*told.values()}) == len(told)
    assert max(map(len, told.values())) <= LETTERS
    assert not any("_" in text for text in told.values())


def test_what_matters_is_a_round_number_in_the_unit_that_people_own() -> None:
    found = {name: words.level(name, limit.size) for name, limit in LIMITS.items() if not limit.of_baseline}
    told = {"fear": "2 points of 100", "initiative_rate": "1 attempt a trust and year", "harm": "10 % of today's",
            "exits": "1 manager of 100 a year", "toxic": "2 managers of 100"}  # fmt: skip
    assert found | told == found


@pytest.mark.parametrize("outcome", words.MEASURES)
def test_an_effect_and_its_opposite_differ_in_one_word(outcome: str) -> None:
    measure = words.MEASURES[outcome]
    up, down = words.effect(outcome, 0.5), words.effect(outcome, -0.5)
    assert up != down
    assert up.removesuffix(measure.more) == down.removesuffix(measure.less)
    assert words.does(outcome, 1) != words.does(outcome, -1)


def test_leaders_are_named_once_unless_they_are_counted() -> None:
    """In whatever order outcomes are told."""
    every = [words.does(outcome, way) for outcome in words.MEASURES for way in (1, -1)]
    for one, other in permutations(every, 2):
        told = words.once(f"{one} and {other}")
        assert "more them" not in told and "fewer them" not in told
        assert re.sub("(more|fewer) leaders", "", told).count("leaders") <= 1


def test_an_effect_that_rounds_to_nothing_is_no_change() -> None:
    assert words.effect("fear", 0.0004) == words.change("fear", -0.0004) == "no change"


def test_what_nobody_named_keeps_its_name() -> None:
    assert words.policy("my_policy") == "my policy"
    assert words.finding("my-own").text == "my own"

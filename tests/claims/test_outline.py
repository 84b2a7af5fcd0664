"""Sentences on what a policy does, from rows made by hand."""

from __future__ import annotations

from typing import Any

import pytest

from sim.claims.outline import in_most
from sim.claims.text import brief, story
from sim.claims.verdict import TOO_SMALL

KINDER = "A kinder regime"


def row(outcome: str, direction: int, above: float, below: float, verdict: str = "") -> dict[str, Any]:
    within = 1.0 - above - below
    return {"outcome": outcome, "sign": 0, "direction": direction, "above": above, "within": within, "below": below,
            "verdict": verdict, "share": within, "words": verdict, "mean": 0.0, "holds": ""}  # fmt: skip


CARE = row("quality", 1, 0.7, 0.1)


@pytest.mark.parametrize(("worse", "told"), [(0.3, "; harm to patients rises in 30 of 100"), (0.1, "")])
def test_whoever_recommends_says_how_often_patients_are_harmed(worse: float, told: str) -> None:
    found = in_most(KINDER, [row("harm", -1, worse, 0.2), CARE])
    assert found == f"{KINDER} makes care better in more than half of the plausible worlds{told}"


def test_harm_in_most_worlds_is_told_once_and_without_a_recommendation_it_is_no_caveat() -> None:
    often = in_most(KINDER, [row("harm", -1, 0.6, 0.2), CARE])
    assert often == f"{KINDER} makes care better, but makes care less safe in more than half of the plausible worlds"
    assert "harm" not in in_most("A sterner regime", [row("harm", -1, 0.3, 0.2), row("fear", -1, 0.8, 0.0)])


def test_what_hardly_changes_on_the_whole_but_does_in_many_worlds_is_not_left_at_that() -> None:
    harm = row("harm", -1, 0.3, 0.1, TOO_SMALL)
    fear = row("fear", -1, 0.1, 0.1, TOO_SMALL)
    assert story(KINDER, [harm, fear]) == (
        f"{KINDER} hardly changes fear and harm to patients, which rises in 30 of 100 worlds"
    )
    assert brief(harm) == f"harm to patients: {TOO_SMALL}, worse in 30, no change on average"
    assert brief(fear) == f"fear: {TOO_SMALL}, no change on average"

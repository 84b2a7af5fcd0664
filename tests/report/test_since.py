"""Whoever changes a line of a study and runs it again reads what the line did."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from sim.report.since import last
from sim.study import Study

SIZES = {"systems": 1, "organisations": 2, "managers": 6, "months": 24}
FILE: dict[str, Any] = {
    "seeds": 3,
    "parameters": SIZES,
    "design": {"kind": "grid", "monitoring": [0.1, 0.9]},
    "outcomes": {"keep": ["fear", "recycled"], "window": 12},
}


def again(folder: Path, **other: Any) -> list[str]:
    """What is told after a study was run, and then run with something else in it."""
    Study.from_dict(FILE).run(folder)
    before = last(folder)
    assert before is not None
    return list(before.told(Study.from_dict(FILE | other).run(folder)))


def test_a_changed_parameter_is_told_with_its_meaning_and_with_what_it_does(tmp_path: Path) -> None:
    changed, did = again(tmp_path, parameters=SIZES | {"fear_blamed": 0.9, "fear_ambient": 0.2})
    assert "fear_blamed 0.9 instead of 0.35, how much a sanction frightens" in changed
    assert "(in learned_fear: punishment and watching are remembered)" in changed
    by = r"\d+ points of 100 \(95 % interval: ± [\d.]+ points of 100\)"
    assert re.match(f"In the same cells under the same seeds, fear rises by {by}", did)
    assert did.endswith("; posts that go to former managers hardly change.")


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"mechanisms_off": ["learned_fear"]}, "learned_fear, that punishment and watching are remembered, is off."),
        ({"regime": "punitive"}, "heavy oversight that punishes instead of today's oversight."),
        ({"schedule": {"targets": {12: 1.0}}}, "what changes on the way."),
        ({"local": [{"targets": 1.0, "share": 0.5}]}, "what is different in some organisations."),
    ],
)
def test_whatever_is_changed_is_named(tmp_path: Path, other: dict[str, Any], told: str) -> None:
    assert again(tmp_path, **other)[0] == f"Changed since the last run: {told}"


@pytest.mark.parametrize(
    "other",
    [
        {"title": "Another title"},
        {"seeds": 4},
        {"parameters": SIZES | {"fear_blamed": 0.9}, "design": {"kind": "grid", "monitoring": [0.1, 0.8]}},
        {"parameters": SIZES | {"fear_blamed": 0.9}, "outcomes": {"keep": ["fear"], "window": 6}},
    ],
)
def test_nothing_is_told_where_nothing_else_was_set_or_other_things_are_compared(
    tmp_path: Path, other: dict[str, Any]
) -> None:
    assert again(tmp_path, **other) == []


def test_one_seed_has_no_interval(tmp_path: Path) -> None:
    _, did = again(tmp_path, regime="punitive", seeds=1)
    assert "rises by" in did and "interval" not in did


def test_another_folder_is_named(tmp_path: Path) -> None:
    """As with --set, whose results go to a folder of their own."""
    Study.from_dict(FILE).run(tmp_path / "one")
    before = last(tmp_path / "one")
    assert before is not None
    changed, _ = before.told(Study.from_dict(FILE | {"regime": "punitive"}).run(tmp_path / "other"))
    assert changed.startswith(f"Changed from {tmp_path / 'one'}: heavy oversight")


def test_without_an_earlier_run_there_is_nothing_to_compare(tmp_path: Path) -> None:
    assert last(tmp_path) is None
    (tmp_path / "ledger").write_text("no ledger of ours")
    assert last(tmp_path) is None

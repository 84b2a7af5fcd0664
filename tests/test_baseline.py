"""Results stay what they were until somebody changes them on purpose (`python docs/generate.py`).

Outcomes must be equal to the bit on every machine. Replications that still agree with those of the file statistically
tell a change of the last digits from a change of the model.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from update_baseline import (
    DECLARED,
    FILE,
    MONTHS,
    RUN,
    declared,
    disagreements,
    exact,
    is_right,
    replications,
)

from sim.model.outcomes import OUTCOMES

BASELINE: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def means() -> Any:
    return replications()[0]


@pytest.mark.parametrize("kind", declared())
def test_what_the_tables_declare_is_what_they_declared(kind: str) -> None:
    """Numbers, names and their order; `python docs/generate.py` where a change is meant."""
    now, was = declared()[kind], json.loads(DECLARED.read_text(encoding="utf-8"))[kind]
    assert list(now) == list(was)
    assert not {name: (was[name], now[name]) for name in now if now[name] != was[name]}


def test_the_baseline_holds_every_outcome() -> None:
    for table in ("exact", "mean", "sd"):
        assert set(BASELINE[table]) == set(RUN)
        for months in BASELINE[table].values():
            assert set(months) == set(map(str, MONTHS))
            assert all(set(outcomes) == set(OUTCOMES) for outcomes in months.values())


@pytest.mark.parametrize("regime", RUN)
def test_outcomes_equal_the_baseline_to_the_bit(regime: str) -> None:
    now, was = exact()[regime], BASELINE["exact"][regime]
    changed = [(month, name) for month in was for name in was[month] if now[month][name] != was[month][name]]
    assert not changed


def test_replications_agree_with_the_baseline_statistically(means: Any) -> None:
    assert disagreements(BASELINE, means) == []


def test_a_baseline_is_right_or_not(means: Any) -> None:
    assert is_right(BASELINE, means)
    shifted = {regime: {month: {**row, "fear": row["fear"] + 0.1} for month, row in months.items()}
               for regime, months in means.items()}  # fmt: skip
    assert not is_right(BASELINE, shifted)
    assert not is_right({**BASELINE, "exact": {}}, means)

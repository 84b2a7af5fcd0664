"""Sequential replication: every cell gets as many runs as it needs, whoever does them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from conftest import table

from sim.errors import InputError
from sim.statistics import mean_interval
from sim.study import Results, Study
from sim.study.chunks import half_width, totals

PRECISE = {"outcome": "fear", "half_width": 0.03, "maximum": 40}


def study(**changes: Any) -> Study:
    return Study.from_dict(table(**{"seeds": 4, "precision": PRECISE} | changes))


def test_the_schedule_grows_by_half_up_to_the_maximum() -> None:
    assert list(totals(10, 40)) == [10, 15, 23, 35, 40]
    assert list(totals(1, 4)) == [1, 2, 3, 4]
    assert list(totals(7, 7)) == [7]


def test_the_half_width_is_that_of_the_interval() -> None:
    values = [0.1, 0.4, 0.35, 0.2, 0.31]
    mean, low, _ = mean_interval(values)
    assert half_width(values) == pytest.approx(mean - low, rel=1e-12)
    assert half_width([0.1, 0.4]) == pytest.approx(12.706 * 0.15, rel=1e-4)
    assert half_width([0.3] * 5) == pytest.approx(0.0) and half_width([1.0]) == math.inf


def test_every_cell_has_the_runs_it_needs_and_the_table_says_why(tmp_path: Path) -> None:
    results = study().run(tmp_path / "r")
    precision = results.precision()
    assert list(precision) == ["cell", "monitoring", "regime", "n", "half_width", "ended"]
    assert len(set(precision["n"])) > 1
    for row in precision.to_dict("records"):
        mine = results.runs[results.runs["cell"] == row["cell"]]
        assert mine["seed"].tolist() == list(range(row["n"]))
        reached = [
            n for n in totals(4, 40) if half_width(mine["fear"].to_numpy()[:n].tolist()) <= PRECISE["half_width"]
        ]
        assert row["n"] == min(reached, default=40)
        assert row["ended"] == ("reached" if reached else "maximum")
    assert results.runs["cell"].is_monotonic_increasing
    assert set(precision["ended"]) <= {"reached", "maximum"}


def test_cells_that_stay_too_wide_end_at_the_maximum(tmp_path: Path) -> None:
    results = study(precision={**PRECISE, "half_width": 1e-6, "maximum": 7}).run(tmp_path / "r")
    table = results.precision()
    assert not results.missing and set(table["n"]) == {7} and set(table["ended"]) == {"maximum"}


def test_a_half_width_that_is_just_reached_is_enough(tmp_path: Path) -> None:
    first = study(precision={**PRECISE, "half_width": 1.0}).run(tmp_path / "first").precision()
    widest = float(first["half_width"].max())
    assert set(study(precision={**PRECISE, "half_width": widest}).run(tmp_path / "r").precision()["n"]) == {4}


def test_a_cell_is_decided_by_its_own_rows_alone(tmp_path: Path) -> None:
    whole = study().run(tmp_path / "whole").runs
    alone = study(design={"kind": "grid", "monitoring": [0.5], "regime": ["heavy"]}).run(tmp_path / "alone").runs
    same = whole[(whole["monitoring"] == 0.5) & (whole["regime"] == "heavy")].reset_index(drop=True)
    pd.testing.assert_frame_equal(same.drop(columns="cell"), alone.drop(columns="cell"), check_exact=True)


@pytest.mark.usefixtures("small_chunks")
def test_it_goes_on_from_any_round(tmp_path: Path) -> None:
    whole = study().run(tmp_path / "whole").runs
    for after in (3, 20, 40, 60):

        def interrupt(done: int, total: int, note: str = "", after: int = after) -> None:
            if done >= after:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            study().run(tmp_path / "r", progress=interrupt)
    partial = Results(tmp_path / "r")
    assert "" in set(partial.precision()["ended"])
    told: list[tuple[Any, ...]] = []
    results = study().run(tmp_path / "r", progress=lambda *news: told.append(news))
    pd.testing.assert_frame_equal(results.runs, whole, check_exact=True)
    assert told[0][0] >= 60 and told[-1][0] == told[-1][1] == len(whole)
    ledger = (tmp_path / "r/ledger").read_bytes()
    assert not study().run(tmp_path / "r").missing
    assert (tmp_path / "r/ledger").read_bytes() == ledger  # a finished study is left as it is


def test_the_estimate_says_at_least_and_at_most(tmp_path: Path) -> None:
    before = study().estimate(tmp_path / "r")
    assert (before.runs, before.most, before.done) == (24, 240, 0)
    runs = len(study().run(tmp_path / "r").runs)
    after = study().estimate(tmp_path / "r")
    assert (after.runs, after.most, after.done) == (runs, runs, runs)


def test_a_study_without_precision_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no \[precision\]"):
        Study.from_dict(table()).run(tmp_path / "r").precision()


@pytest.mark.parametrize(
    ("section", "where", "value", "hint"),
    [
        ({"outcome": "feer"}, "outcome", "feer", "fear"),
        ({"outcome": "harm"}, "outcome", "harm", "outcomes.keep"),
        ({"half_width": 0}, "half_width", 0, "above 0"),
        ({"maximum": 3}, "maximum", 3, "seeds = 4"),
        ({"maximun": 3}, "maximun", 3, "maximum"),
    ],
)
def test_a_mistake_is_told_once(section: dict[str, Any], where: str, value: Any, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        study(precision=section)
    (mistake,) = caught.value.mistakes
    assert (mistake.where, mistake.value) == (("precision", where), value) and hint in mistake.line

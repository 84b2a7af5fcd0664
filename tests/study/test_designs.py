"""Sampled designs: what varies, how it is drawn, and what is answered where something is wrong."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sim
from sim.errors import InputError
from sim.model.parameters import MECHANISMS, PARAMETERS
from sim.study import Study
from sim.study.design import sampled

THREE = {"monitoring": [0.2, 0.8], "targets": [0.0, 1.0], "trust_invest": "range"}


def study(kind: str, samples: int, top: dict[str, Any] | None = None, **factors: Any) -> Study:
    return Study.from_dict({"seeds": 1, "design": {"kind": kind, "samples": samples, **factors}, **(top or {})})


def mistakes(top: dict[str, Any] | None = None, **section: Any) -> tuple[str, ...]:
    with pytest.raises(InputError) as caught:
        Study.from_dict({"design": section, **(top or {})})
    assert all("\n" not in line for line in caught.value.lines)
    return tuple(line.removeprefix("study: ") for line in caught.value.lines)


def test_each_margin_of_a_latin_hypercube_has_one_value_in_each_stratum() -> None:
    cells = study("lhs", 50, **THREE).cells
    low, high = PARAMETERS["trust_invest"].low, PARAMETERS["trust_invest"].high
    for name, (a, b) in {"monitoring": (0.2, 0.8), "targets": (0.0, 1.0), "trust_invest": (low, high)}.items():
        strata = np.floor((cells[name] - a) / (b - a) * 50).astype(int)
        assert sorted(strata) == list(range(50)), name


@pytest.mark.parametrize(("kind", "samples", "cells"), [("lhs", 8, 8), ("sobol", 8, 8 * 5), ("morris", 8, 8 * 4)])
def test_a_seed_makes_a_design_and_is_always_recorded(kind: str, samples: int, cells: int) -> None:
    one, again = study(kind, samples, **THREE), study(kind, samples, **THREE, seed=0)
    assert one.points == again.points
    assert one.points != study(kind, samples, **THREE, seed=1).points
    assert len(sampled(one.plan.design).unit) == cells
    assert len(one.points) <= cells  # short walks may meet
    assert tomllib.loads(one.plan.toml())["design"]["seed"] == 0


def test_the_seed_of_the_runs_is_not_the_seed_of_the_design() -> None:
    table = {"seeds": 1, "design": {"kind": "lhs", "samples": 4, "seed": 7, "targets": [0, 1]}}
    plan = Study.from_dict(table, ["seed=3", "samples=5"]).plan
    assert (plan.seed, plan.design["seed"], plan.design["samples"]) == (3, 7, 5)


@pytest.mark.parametrize(("kind", "samples"), [("lhs", 80), ("sobol", 16), ("morris", 60)])
def test_whole_numbers_reach_both_ends(kind: str, samples: int) -> None:
    values = study(kind, samples, systems=[2, 5], targets=[0, 1]).cells["systems"]
    assert values.dtype.kind == "i" and set(values) == {2, 3, 4, 5}
    if kind == "lhs":
        assert values.value_counts().eq(20).all()


def test_categories_and_choices_have_equal_shares() -> None:
    regimes = ["light", "heavy", "supportive"]
    cells = study("lhs", 60, regime=regimes, leniency={"choices": [0.1, 0.9]}, trust_decay="range").cells
    assert cells["regime"].value_counts().to_dict() == dict.fromkeys(regimes, 20)
    assert cells["leniency"].value_counts().to_dict() == {0.1: 30, 0.9: 30}


def test_cells_that_set_the_same_are_run_once() -> None:
    one = study("sobol", 16, regime=["light", "heavy"], leniency={"choices": [0.1, 0.9]})
    assert len(one.points) == 4
    assert set(sampled(one.plan.design).cell) == {1, 2, 3, 4}


def test_factors_that_move_together_are_one_number() -> None:
    pair = {"name": "surveillance", "monitoring": [0.2, 0.8], "targets": [0.9, 0.1]}
    one = study("lhs", 40, together=[pair], relationship=[0.1, 0.5])
    assert one.columns == ("relationship", "monitoring", "targets")
    correlation = one.cells.corr()
    assert correlation.loc["monitoring", "targets"] == pytest.approx(-1.0)
    assert abs(correlation.loc["monitoring", "relationship"]) < 0.5
    drivers = sampled(one.plan.design).drivers
    assert [(d.name, d.sets) for d in drivers] == [
        ("relationship", "relationship"),
        ("surveillance", "monitoring, targets"),
    ]


def test_a_group_or_a_mechanism_varies_every_parameter_over_its_range() -> None:
    cells = study("lhs", 200, groups=["trust", "feedback"]).cells
    names = [d.name for d in PARAMETERS.values() if d.group == "trust"]
    assert set(cells) == {*names, *MECHANISMS["feedback"].parameters}
    for name in cells:
        d = PARAMETERS[name]
        assert cells[name].min() == pytest.approx(d.low, abs=(d.high - d.low) / 100)
        assert cells[name].max() == pytest.approx(d.high, abs=(d.high - d.low) / 100)


def test_bounds_of_ones_own_come_before_the_range_of_the_group() -> None:
    cells = study("lhs", 50, groups=["trust"], trust_invest=[0.5, 0.6]).cells
    assert cells["trust_invest"].between(0.5, 0.6).all()


def test_a_scheduled_lever_varies_from_its_month_on() -> None:
    top = {"schedule": {"monitoring": {"12": 0.1}, "targets": {"6": 0.3}}}
    one = study("lhs", 10, top, **{"monitoring@36": [0.2, 0.9]}, monitoring=[0.3, 0.4])
    for cell, value in zip(one.points, one.cells["monitoring@36"], strict=True):
        schedule = cell.settings["schedule"]
        assert schedule == {"monitoring": {"12": 0.1, "36": value}, "targets": {"6": 0.3}}
    assert one.cells["monitoring@36"].between(0.2, 0.9).all() and one.cells["monitoring"].max() < 0.4


def test_mechanisms_are_off_with_the_chance_that_is_given_and_hold_their_parameters_at_the_null() -> None:
    cells = study("lhs", 400, gaming_max=[0.1, 0.9], mechanisms_off=0.15).cells
    off = cells["mechanisms_off"].str.split(", ")
    for name in MECHANISMS:
        assert off.map(lambda names, name=name: name in names).mean() == pytest.approx(0.15, abs=0.003)
    without = off.map(lambda names: "gaming" in names)
    assert (cells.loc[without, "gaming_max"] == 0.0).all()
    assert cells.loc[~without, "gaming_max"].between(0.1, 0.9).all()


@pytest.mark.parametrize(("kind", "samples"), [("sobol", 32), ("morris", 20)])
def test_mechanisms_can_be_factors(kind: str, samples: int) -> None:
    cells = study(kind, samples, targets=[0, 1], mechanisms=["gaming", "audit"]).cells
    assert set(cells["mechanisms_off"]) == {"", "gaming", "audit", "audit, gaming"}


def test_every_cell_differs_from_its_neighbour_in_a_walk_by_one_factor() -> None:
    drawn = sampled(study("morris", 6, **THREE).plan.design)
    walks = drawn.unit.reshape(6, 4, 3)
    assert (np.count_nonzero(np.diff(walks, axis=1), axis=2) == 1).all()
    assert set(np.round(drawn.unit.ravel() * 3)) == {0, 1, 2, 3}


@pytest.mark.parametrize("kind", ["lhs", "sobol", "morris"])
def test_a_resolved_study_is_drawn_again_as_it_was(kind: str) -> None:
    pair = {"name": "both", "relationship": [0.1, 0.5], "recognition": {"choices": [0.1, 0.9]}}
    factors = {"leniency": {"choices": [0.1, 0.9]}, "groups": ["fear"], "together": [pair], "mechanisms": ["audit"]}
    one = study(kind, 8, **factors, targets=[0, 1], **{"publicity@12": [0, 1]})
    again = Study.from_dict(tomllib.loads(one.plan.toml()))
    assert again.columns == one.columns and again.points == one.points


PAIR = {"targets": [0, 1], "leniency": [0, 1]}
LINES: list[tuple[dict[str, Any], str, str]] = [
    ({"kind": "lsh"}, "kind", "lhs"),
    ({"kind": "lhs", "samples": 8}, "", "varies nothing"),
    ({"kind": "lhs", "targets": [0, 1]}, "samples", "number of cells"),
    ({"samples": 0}, "samples", "at least 2"),
    ({"samples": True}, "samples", "at least 2"),
    ({"samples": 10**9}, "samples", "at most 1000000"),
    ({"kind": "sobol", "samples": 1000}, "samples", "1024"),
    ({"kind": "sobol", "samples": 2**20}, "samples", "3145728 cells"),
    ({"seed": -1}, "seed", "from 0 to 2**63 - 1"),
    ({"levels": 4}, "levels", "morris"),
    ({"kind": "morris", "levels": 5}, "levels", "from 2 to 100"),
    ({"targets": [0.8, 0.2]}, "targets", "write [0.2, 0.8]"),
    ({"targets": [0.2, 0.2]}, "targets", "[parameters]"),
    ({"targets": []}, "targets", "bounds [low, high]"),
    ({"targets": [0, 1.5]}, "targets", "1.5 must be a number from 0 to 1"),
    ({"targets": [10, 50]}, "targets", "10 % is written 0.1"),
    ({"targets": [0, 0.1, 1]}, "targets", "{ choices = [0, 0.1, 1] }"),
    ({"targets": {"choices": [0.1, 0.1]}}, "targets", "0.1 is given 2 times"),
    ({"targets": "range"}, "targets", "no plausible range"),
    ({"social_care_size": "range"}, "social_care_size", "fixed at 0.28"),
    ({"target": [0, 1]}, "target", "targets"),
    ({"fear": [0, 1]}, "fear", "is an outcome"),
    ({"systems": [1, 2.5]}, "systems", "2.5 must be a whole number"),
    ({"groups": ["feer"]}, "groups", "fear"),
    ({"groups": ["size"]}, "groups", "no"),
    ({"mechanisms": ["gamin"]}, "mechanisms", "gaming"),
    ({"mechanisms_off": 1.5}, "mechanisms_off", "above 0 and below 1"),
    ({"monitorin@3": [0, 1]}, "monitorin@3", "monitoring"),
    ({"window": [1, 2]}, "window", "[outcomes]"),
    ({"together": [{**PAIR, "name": "x"}], "targets": [0, 1]}, "together.targets", "2 times"),
    ({"together": [{**PAIR, "name": "name"}]}, "together.name", "another name"),
    ({"together": [{**PAIR, "name": "monitoring@3"}], "monitoring@3": [0, 1]}, "together.name", "2 times"),
    ({"regime": ["light", "hevy"]}, "regime", "heavy"),
    ({"regime": ["light", "light"]}, "regime", "2 times"),
    ({"regime": ["light"]}, "regime", "at least two values"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "where", "hint"), LINES)
def test_a_mistake_is_told_once_with_its_place_and_what_is_meant_or_allowed(
    changes: dict[str, Any], where: str, hint: str
) -> None:
    whole = hint in ("varies nothing", "number of cells")
    section = changes if whole else {"kind": "lhs", "samples": 8, "publicity": [0, 1]} | changes
    (line,) = mistakes(**section)
    assert line.split(": ")[0].split(" = ")[0] == f"design.{where}".rstrip(".") and hint in line


def test_a_month_after_the_last_is_one_mistake_of_all_cells() -> None:
    (line,) = mistakes(kind="lhs", samples=8, **{"monitoring@500": [0, 1]})
    assert line.startswith("schedule.monitoring.500: ") and "from 1 to 120" in line


def test_all_mistakes_are_named_at_once_with_what_is_varied_and_fixed() -> None:
    top = {"parameters": {"targets": 0.5}, "regime": "heavy", "schedule": {"publicity": {"12": 0.5}}}
    factors = {"targets": [0.1, 0.2], "regime": ["light", "hevy"], "publicity@12": [0, 1], "leniency": [1, 0]}
    lines = mistakes(top, kind="sobol", samples=100, **factors)
    starts = [
        "design.samples = 100",
        "design.regime = ",
        "design.leniency = ",
        "design.targets: varied here and fixed in",
    ]
    starts += ["design.regime: varied here and fixed at", "design.publicity@12: varied here and fixed in [schedule]"]
    assert len(lines) == len(starts)
    assert all(sum(line.startswith(start) for line in lines) == 1 for start in starts)


def test_a_parameter_fixed_while_its_mechanism_may_be_off_is_one_line() -> None:
    top = {"parameters": {"gaming_max": 0.2}}
    (line,) = mistakes(top, kind="lhs", samples=50, mechanisms_off=0.5)
    assert "cells" in line and "parameters.gaming_max = 0.2: belongs to the mechanism gaming" in line


CSV = 'name,monitoring,regime,months,mechanisms_off\nclose, 0.9,heavy,6,\nfar,0.1,,6,"gaming, audit"\n\n'


def csv_study(folder: Path, content: str = CSV, **section: Any) -> Study:
    (folder / "points.csv").write_text(content)
    return Study.from_dict({"seeds": 2, "design": {"kind": "csv", "file": "points.csv", **section}}, folder=folder)


def test_the_rows_of_a_csv_file_are_the_cells_of_a_list_wherever_it_lies(tmp_path: Path) -> None:
    cells = [
        {"name": "close", "monitoring": 0.9, "regime": "heavy", "months": 6, "mechanisms_off": []},
        {"name": "far", "monitoring": 0.1, "months": 6, "mechanisms_off": ["gaming", "audit"]},
    ]
    study = csv_study(tmp_path)
    assert study == Study.from_dict({"seeds": 2, "design": {"kind": "list", "cell": cells}})
    assert study.cells["name"].tolist() == ["close", "far"]
    (tmp_path / "mine.toml").write_text('seeds = 2\n[design]\nkind = "csv"\nfile = "points.csv"\n')
    assert Study.load(tmp_path / "mine.toml").points == study.points
    assert Study.from_dict(tomllib.loads(study.plan.toml())).points == study.points  # it needs the file no more


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        ("", "first row"),
        ("monitoring\n", "a row for each cell"),
        ("monitoring,monitoring\n1,1\n", "each once"),
        ("monitoring,targets\n0.1,0.2,0.3\n", "row 2: has 3 fields"),
        ('monitoring\n"0,1"\n', "0,1 is written 0.1"),
        ("monitorng\n0.1\n", '"monitoring"'),
        ("monitoring\n" + "1" * 200_000, "CSV"),
    ],
)
def test_a_mistake_in_a_csv_file_is_one_line(content: str, hint: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        csv_study(tmp_path, content)
    (line,) = caught.value.lines
    assert hint in line


def test_a_csv_design_has_only_a_file_that_is_there(tmp_path: Path) -> None:
    for section in ({"file": "no.csv"}, {"file": "."}, {"file": 3}, {"targets": [1]}):
        with pytest.raises(InputError) as caught:
            csv_study(tmp_path, **section)
        assert len(caught.value.lines) == 1


def test_a_design_may_be_a_data_frame_and_its_values_any_sequence() -> None:
    frame = pd.DataFrame({"monitoring": [0.1, np.nan], "months": [6, 7], "name": ["a", None]})
    cells = [{"monitoring": 0.1, "months": 6, "name": "a"}, {"months": 7}]
    assert (
        Study.from_dict({"design": frame}).points == Study.from_dict({"design": {"kind": "list", "cell": cells}}).points
    )
    grid = Study.from_dict({"design": {"kind": "grid", "targets": [0.0, 0.5, 1.0], "systems": [1, 2]}})
    for sequence in (np.linspace(0, 1, 3), (0, 0.5, 1), pd.Series([0, 0.5, 1])):
        varied = {"kind": "grid", "targets": sequence, "systems": range(1, 3)}
        assert Study.from_dict({"design": varied}).points == grid.points


def test_a_name_changes_no_run(tmp_path: Path) -> None:
    top = {"seeds": 2, "parameters": {"systems": 1, "months": 6}, "outcomes": {"keep": ["fear"]}}
    cells = [{"targets": 0.1}, {"targets": 0.9}]
    plain = Study.from_dict({**top, "design": {"kind": "list", "cell": cells}}).run(tmp_path / "plain").runs
    named = [{**cell, "name": f"cell {k}"} for k, cell in enumerate(cells)]
    runs = Study.from_dict({**top, "design": {"kind": "list", "cell": named}}).run(tmp_path / "named").runs
    assert runs["name"].tolist() == ["cell 0", "cell 0", "cell 1", "cell 1"]
    pd.testing.assert_frame_equal(runs.drop(columns="name"), plain, check_exact=True)


def test_a_sweep_gives_the_rows_of_the_same_grid(tmp_path: Path) -> None:
    small = {"systems": 1, "organisations": 2, "managers": 3, "months": 6}
    design = {"kind": "grid", "monitoring": [0.0, 0.5], "regime": ["light", "heavy"]}
    table = {"seeds": 3, "seed": 5, "parameters": small, "design": design, "mechanisms_off": ["gaming"]}
    grid = Study.from_dict({**table, "outcomes": {"keep": ["fear"], "window": 4}}).run(tmp_path / "r").runs
    levels = {"monitoring": np.array([0, 0.5]), "regime": ["light", "heavy"], "mechanisms_off": "gaming"}
    runs = sim.sweep(**levels, seeds=3, seed=5, keep=["fear"], window=4, **small)
    pd.testing.assert_frame_equal(runs, grid, check_exact=True)
    with pytest.raises(InputError, match=r"sweep: .*monitoring"):
        sim.sweep(monitorng=[0, 1])

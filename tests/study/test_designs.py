"""Sampled designs: what varies, how it is drawn, and what is answered where something is wrong."""
# ruff: noqa: E501 - a mistake and its answer stand on one line, like the answer itself

from __future__ import annotations

import tomllib
from typing import Any

import numpy as np
import pytest

from sim.errors import InputError
from sim.model.parameters import DECLARATIONS, MECHANISMS
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
    low, high = DECLARATIONS["trust_invest"].low, DECLARATIONS["trust_invest"].high
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
    names = [d.name for d in DECLARATIONS.values() if d.group == "trust"]
    assert set(cells) == {*names, *MECHANISMS["feedback"].parameters}
    for name in cells:
        d = DECLARATIONS[name]
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


LINES: list[tuple[dict[str, Any], str]] = [
    ({"kind": "lsh"}, 'design.kind = "lsh": must be "grid", "list", "lhs", "sobol" or "morris" (did you mean "lhs"?)'),
    ({"kind": "lhs", "samples": 8}, "design: varies nothing; name at least one factor, such as monitoring = [0.2, 0.8]"),
    ({"kind": "lhs", "targets": [0, 1]}, "design.samples: missing; give the number of cells"),
    ({"samples": 0}, "design.samples = 0: must be a whole number, at least 2"),
    ({"samples": True}, "design.samples = True: must be a whole number, at least 2"),
    ({"samples": 10**9}, "design.samples = 1000000000: makes 1000000000 cells; at most 1000000 are allowed"),
    ({"kind": "sobol", "samples": 1000}, "design.samples = 1000: must be a power of two; the next one is 1024"),
    ({"kind": "sobol", "samples": 2**20}, "design.samples = 1048576: makes 3145728 cells; at most 1000000 are allowed"),
    ({"seed": -1}, "design.seed = -1: must be a whole number from 0 to 2**63 - 1"),
    ({"levels": 4}, "design.levels = 4: only a morris design has levels"),
    ({"kind": "morris", "levels": 5}, "design.levels = 5: must be an even number from 2 to 100"),
    ({"targets": [0.8, 0.2]}, "design.targets = [0.8, 0.2]: the bounds are reversed; write [0.2, 0.8]"),
    ({"targets": [0.2, 0.2]}, "design.targets = [0.2, 0.2]: the bounds are equal; fix targets under [parameters] instead"),
    ({"targets": []}, 'design.targets = []: must be bounds [low, high], "range" or { choices = [...] }'),
    ({"targets": [0, 1.5]}, "design.targets = [0, 1.5]: 1.5 must be a number from 0 to 1"),
    ({"targets": [0, 0.1, 1]}, "design.targets = [0, 0.1, 1]: must be two bounds [low, high], or { choices = [0, 0.1, 1] }"),
    ({"targets": {"choices": [0.1, 0.1]}}, "design.targets = {'choices': [0.1, 0.1]}: 0.1 is given 2 times"),
    ({"targets": "range"}, 'design.targets = "range": targets has no plausible range; give bounds [low, high]'),
    ({"gain": "range"}, 'design.gain = "range": gain has no plausible range: it is fixed at 1; give bounds [low, high]'),
    ({"target": [0, 1]}, 'design.target = [0, 1]: no parameter, lever or size has this name (did you mean "targets"?)'),
    ({"systems": [1, 2.5]}, "design.systems = [1, 2.5]: 2.5 must be a whole number from 1 to 1 000 000 000"),
    ({"groups": ["feer"]}, 'design.groups = "feer": no group or mechanism has this name (did you mean "fear"?)'),
    ({"groups": ["size"]}, 'design.groups = "size": nothing in this group has a plausible range'),
    ({"mechanisms": ["gamin"]}, 'design.mechanisms = "gamin": no such mechanism (did you mean "gaming"?)'),
    ({"mechanisms_off": 1.5}, "design.mechanisms_off = 1.5: must be a number above 0 and below 1, the chance that a mechanism is off"),
    ({"monitorin@3": [0, 1]}, 'design.monitorin@3 = [0, 1]: must name a lever and a month, such as "monitoring@36" (did you mean "monitoring"?)'),
    ({"monitoring@500": [0, 1]}, "schedule.monitoring.500: the month must be a whole number from 1 to 120, the last month of the run"),
    ({"window": [1, 2]}, "design.window: varied here and set in [outcomes] for all runs; leave out one of the two"),
    ({"together": [{"name": "x", "targets": [0, 1], "leniency": [0, 1]}], "targets": [0, 1]}, "design.together.targets: targets is varied 2 times; leave out all but one"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "line"), LINES)
def test_a_mistake_is_one_line(changes: dict[str, Any], line: str) -> None:
    whole = "varies nothing" in line or "missing" in line
    section = changes if whole else {"kind": "lhs", "samples": 8, "publicity": [0, 1]} | changes
    assert mistakes(**section) == (line,)


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
    assert "cells" in line and "parameters.gaming_max: belongs to the mechanism gaming" in line

"""Studies whose cells are worlds crossed with policies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ensembles import kept

from sim.errors import InputError
from sim.model.parameters import MECHANISMS, PARAMETERS, resolve
from sim.study import Results, Study
from sim.worlds.evaluate import seeds_of

SIZES = {"systems": 1, "organisations": 2, "managers": 3, "months": 6}
POLICIES = {"today": "baseline", "mine": {"regime": "heavy", "relationship": 0.6}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny ensemble."""
    home = tmp_path_factory.mktemp("ensemble")
    kept().save(home / "main-01.parquet")
    return home


def study(folder: Path | str, top: dict[str, Any] | None = None, **section: Any) -> Study:
    design = {"kind": "worlds", "worlds": 40, "ensemble": str(folder), "policies": POLICIES} | section
    table = {"seeds": 2, "parameters": SIZES, "design": design, "outcomes": {"keep": ["fear", "quality"], "window": 3}}
    return Study.from_dict(table | (top or {}))


def mistakes(*given: Any, **section: Any) -> tuple[str, ...]:
    with pytest.raises(InputError) as caught:
        study(*given, **section)
    assert all("\n" not in line for line in caught.value.lines)
    return tuple(line.removeprefix("study: ") for line in caught.value.lines)


@pytest.fixture(scope="module")
def results(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Results:
    return study(folder).run(tmp_path_factory.mktemp("results") / "study", workers=1)


def test_a_cell_is_a_world_under_a_policy_with_its_weight(folder: Path) -> None:
    one, ensemble = study(folder), kept()
    assert one.columns == ("world", "calibration", "weight", "policy")
    sample, today = ensemble.sample(40), one.cells[one.cells["policy"] == "today"]
    assert today["weight"].tolist() == sample.weights.tolist()
    assert today["calibration"].tolist() == ensemble.calibrations[today["world"]].tolist()
    for cell, world, policy in zip(one.points, one.cells["world"], one.cells["policy"], strict=True):
        levers = {"regime": "baseline"} if policy == "today" else POLICIES["mine"]
        expected = ensemble[world].parameters(**levers, **SIZES, window=3)
        assert resolve(**cell.settings) == expected


def test_what_the_study_fixes_holds_in_all_cells(folder: Path) -> None:
    plan = {"schedule": {"targets": {"4": 0.9}}, "local": [{"recognition": 0.9, "share": 0.5}]}
    for cell in study(folder, plan).points:
        p = resolve(**cell.settings)
        assert p.schedule == {"targets": {4: 0.9}} and len(p.local) == 1


def test_policies_meet_the_same_seeds_in_a_world_and_other_worlds_others(folder: Path, results: Results) -> None:
    runs = results.runs
    for world, of in runs.groupby("world"):
        first = next(seeds_of(kept()[world]))
        assert of.groupby("policy")["seed"].agg(list).tolist() == [[first, first + 1]] * 2
    assert runs["seed"].nunique() == 2 * runs["world"].nunique()


def test_effects_are_those_of_the_ensemble(results: Results) -> None:
    sizes = {**SIZES, "window": 3}
    found = kept().sample(40).evaluate(POLICIES, ["fear", "quality"], replications=2, workers=1, **sizes)
    table = results.compare("mine", "today")
    assert table["outcome"].tolist() == found["outcome"].tolist()
    both = found[["estimate", "low", "high"]].to_numpy(), table[["difference", "low", "high"]].to_numpy()
    assert both[0] == pytest.approx(both[1], abs=1e-6)  # kept in single precision there
    assert np.abs(both[0][:, 0]).min() > 0.0 and np.isfinite(both[0]).all()
    assert (table["difference"] - (table["a"] - table["b"])).abs().max() < 1e-12
    assert table["n"].tolist() == [results.runs["world"].nunique()] * 2


def test_weights_count(results: Results) -> None:
    runs = results.runs
    wide = runs.pivot_table("fear", ["world", "weight"], "policy")
    change, weights = wide["mine"] - wide["today"], wide.index.get_level_values("weight")
    assert weights.nunique() > 1
    assert results.compare("mine", "today")["difference"][0] == pytest.approx(np.average(change, weights=weights))


def test_a_cell_of_a_world_can_be_named(results: Results) -> None:
    world = int(results.runs["world"].iloc[0])
    one = results.compare({"world": world, "policy": "mine"}, {"world": world, "policy": "today"})
    assert one.equals(results.compare(2, 1)) and one["n"].tolist() == [2, 2]


def test_runs_are_known_by_the_weight_that_stands_in_their_rows(folder: Path) -> None:
    few, many = ({cell.labels[::3]: cell for cell in study(folder, worlds=n).points} for n in (5, 40))
    both = few.keys() & many.keys()
    assert both
    assert all(few[key].labels != many[key].labels and few[key].digest != many[key].digest for key in both)


def test_the_folder_says_which_worlds_it_has_wherever_it_is_opened(
    results: Results, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    again = Results(results.folder)
    assert again.policies == ("today", "mine")
    assert again.study.cells["world"].tolist() == results.runs.drop_duplicates("cell")["world"].tolist()


def test_the_ensemble_lies_beside_the_study(folder: Path) -> None:
    table = {"design": {"kind": "worlds", "worlds": 2, "ensemble": folder.name, "policies": POLICIES}}
    assert Study.from_dict(table, folder=folder.parent).points
    assert table["design"]["ensemble"] == folder.name


def test_report_picture_and_table(results: Results) -> None:
    from sim.report.study import save  # noqa: PLC0415
    from sim.terminal import policies  # noqa: PLC0415

    assert {path.name for path in save(results)} >= {"report.html", "figure.png", "summary.csv"}
    page = (results.folder / "report.html").read_text()
    assert "worlds drawn by weight, crossed with today and mine" in page
    assert results.plot("fear").get_suptitle().startswith("Under “mine”, fear ")
    assert len(policies(results).splitlines()) == 3


def test_a_picture_tells_the_policy_that_moves_most_and_what_it_is_compared_with(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = {"mine": 0.03, "light": -0.09, "more": np.nan}
    monkeypatch.setattr(Results, "policies", ("today", *moved))
    monkeypatch.setattr(Results, "compare", lambda self, one, other: pd.DataFrame(
        {"outcome": ["fear"], "difference": moved[one], "low": moved[one], "high": moved[one], "n": 4}))  # fmt: skip
    figure = Results(results.folder).plot("fear")
    assert figure.get_suptitle() == "Under light oversight, fear falls by 9 points of 100"
    (body,) = figure.subfigs
    assert body.get_suptitle() == "Compared with “today”: means over 4 plausible worlds, by weight."


def test_a_policy_that_is_missing_has_no_effect_yet(results: Results) -> None:
    part = Results(results.folder)
    part.__dict__["runs"] = results.runs[results.runs["policy"] == "today"]
    assert part.compare("mine", "today")["n"].tolist() == [0, 0]
    assert part.plot("fear").get_suptitle().endswith("fear is not known yet")


def test_every_mistake_gets_a_line(folder: Path, results: Results, tmp_path: Path) -> None:
    assert mistakes(folder, worlds=1, world=3, policies={"a": {"relationshp": 0.6}, "b": 7, "c": {"months": 3}}) == (
        'design.world = 3: no such key (did you mean "worlds"?)',
        "design.worlds = 1: must be a whole number from 2 to 1000000",
        'design.policies.a.relationshp = 0.6: no parameter, lever or size has this name (did you mean "relationship"?)',
        'design.policies.b = 7: must be a regime or a table of settings, such as today = "baseline" and mine = '
        "{ targets = 0 }",
        "design.policies.c.months = 3: a size is the same in all runs, so it is no part of a policy",
    )
    (line,) = mistakes(folder, policies={"a": "hevy", "b": "heavy"})
    assert line.startswith('design.policies.a.regime = "hevy": ') and '"heavy"' in line
    (line,) = mistakes(folder, policies={"a": "light"})
    assert ": must be at least two policies by name, such as" in line
    (line,) = mistakes(folder, policies={"a": {"mechanisms_off": 3}, "b": "heavy"})
    assert line.startswith("design.policies.a.mechanisms_off = 3: no such mechanism")
    (line,) = mistakes(tmp_path)
    assert line.endswith("holds no calibration of the prior main; sim worlds --calibrate makes some")
    (line,) = mistakes(folder, ensemble=3)
    assert line == "design.ensemble = 3: must be the path of a folder of calibrations"
    with pytest.raises(InputError, match=r'policy = "min": no such policy .did you mean "mine"'):
        results.compare("min", "today")


def test_what_a_world_decides_cannot_be_fixed_for_all(folder: Path) -> None:
    top = {"regime": "light", "mechanisms_off": ["gaming"], "parameters": {**SIZES, "fear_blamed": 0.5}}
    lines = mistakes(folder, top)
    assert [line.split(":")[0] for line in lines] == ["mechanisms_off", "regime", "fear_blamed"]
    assert all("but every world or policy has its own" in line for line in lines)


def test_what_is_off_in_a_world_cannot_be_set_there(folder: Path) -> None:
    name = MECHANISMS["gaming"].parameters[0]
    world = int(np.flatnonzero(kept().off[:, list(MECHANISMS).index("gaming")])[0])
    (line,) = mistakes(folder, policies={"today": "baseline", "a": {name: PARAMETERS[name].default}})
    assert line.startswith(f"world {world}: design.policies.a.{name} = ") and "gaming, which is switched off" in line


@pytest.mark.parametrize("strange", ["", "\0", "a" * 5000, [], 0.5])
def test_a_strange_path_gets_a_line(strange: Any) -> None:
    assert len(mistakes("x", ensemble=strange)) == 1


def test_an_ensemble_of_another_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.worlds.ensemble_file.FORMAT", 1)
    monkeypatch.setattr("sim.worlds.ensemble_file.MARK", b'{"format": 1, "model": "')
    kept().save(tmp_path / "main-01.parquet")
    monkeypatch.undo()
    (line,) = mistakes(tmp_path)
    assert "was written by another version" in line


def test_a_list_has_no_such_columns() -> None:
    with pytest.raises(InputError) as caught:
        Study.from_dict({"design": {"kind": "list", "cell": [{"policy": "a"}, {"weight": 0.5}]}})
    assert [line.split(" = ")[0] for line in caught.value.lines] == [
        "study: cell 1: design.cell.policy", "study: cell 2: design.cell.weight"
    ]  # fmt: skip

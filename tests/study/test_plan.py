"""What a study's file may say, and how every mistake in it is answered."""
# ruff: noqa: E501 - a mistake and its answer stand on one line, like the answer itself

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import table

from sim.errors import InputError
from sim.model.parameters import REGIMES
from sim.study import Study

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


def mistakes(**changes: Any) -> tuple[str, ...]:
    with pytest.raises(InputError) as caught:
        Study.from_dict(table(**changes))
    assert all("\n" not in line for line in caught.value.lines)
    return caught.value.lines


def saved(folder: Path, content: str | bytes) -> Path:
    path = folder / "mine.toml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def one_line(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        Study.load(path)
    (line,) = caught.value.lines
    assert "\n" not in line
    return line


def test_a_grid_combines_every_value_and_the_last_factor_varies_fastest() -> None:
    cells = Study.from_dict(table()).cells
    assert cells.index.tolist() == [1, 2, 3, 4, 5, 6]
    assert cells["monitoring"].tolist() == [0.1, 0.1, 0.5, 0.5, 0.9, 0.9]
    assert cells["regime"].tolist() == ["light", "heavy"] * 3


def test_a_list_has_the_cells_that_are_written_and_shows_what_each_resolves_to() -> None:
    written = [{"regime": "heavy"}, {"targets": 0.1}, {"mechanisms_off": ["gaming", "audit"], "targets": 0.1}]
    cells = Study.from_dict(table(design={"kind": "list", "cell": written})).cells
    assert cells["regime"].tolist() == ["heavy", "baseline", "baseline"]
    assert cells["targets"].tolist() == [0.8, 0.1, 0.1]
    assert cells["mechanisms_off"].tolist() == ["", "", "audit, gaming"]


def test_a_study_without_a_design_is_one_cell() -> None:
    assert Study.from_dict({"seeds": 7}).size == 7


def test_the_experiments_can_be_run_and_cover_every_regime() -> None:
    studies = {path.stem: Study.load(path) for path in EXPERIMENTS.glob("*.toml")}
    assert {"surveillance", "regimes", "schedule"} <= set(studies)
    assert set(studies["regimes"].cells["regime"]) == set(REGIMES)
    assert studies["schedule"].plan.outcomes.series


def test_a_resolved_study_reads_back_as_itself(tmp_path: Path) -> None:
    for path in EXPERIMENTS.glob("*.toml"):
        study = Study.load(path, ["seeds=2"])
        again = Study.load(saved(tmp_path, study.plan.toml()))
        assert again.points == study.points
        assert [chunk.id for chunk in again.chunks] == [chunk.id for chunk in study.chunks]


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"titel": "x"}, 'study: titel = "x": no such key (did you mean "title"?)'),
    ({"monitoring": 0.5}, "study: monitoring = 0.5: no such key; it belongs under [parameters]"),
    ({"title": "two\nlines"}, "study: title = 'two\\nlines': must be a text on one line, of at most 300 characters"),
    ({"seeds": 0}, "study: seeds = 0: must be a whole number from 1 to 1000000"),
    ({"seeds": 2.0}, "study: seeds = 2.0: must be a whole number from 1 to 1000000"),
    ({"seeds": True}, "study: seeds = True: must be a whole number from 1 to 1000000"),
    ({"seed": -1}, "study: seed = -1: must be a whole number, at least 0, below 2**63 - 10**6"),
    ({"schedule": 3}, "study: schedule = 3: must be a table, such as [schedule]"),
    ({"outcomes": {"keep": ["feer"]}}, 'study: outcomes.keep = "feer": no such outcome (did you mean "fear"?)'),
    ({"outcomes": {"keep": []}}, "study: outcomes.keep = []: must be a list of outcomes, at least one"),
    ({"outcomes": {"series": 1}}, "study: outcomes.series = 1: must be true or false"),
    ({"outcomes": {"windo": 1}}, 'study: outcomes.windo = 1: no such key (did you mean "window"?)'),
    ({"parameters": {"window": 3}}, "study: parameters.window = 3: belongs under [outcomes]"),
    ({"parameters": {"seeds": 3}}, "study: parameters.seeds = 3: belongs at the top of the file, before the first [section]"),
    ({"parameters": {"fear_syst": 0.1}}, 'study: parameters.fear_syst = 0.1: no parameter, lever or size has this name (did you mean "fear_system"?)'),
    ({"parameters": {"targets": float("nan")}}, "study: parameters.targets = nan: must be a number from 0 to 1"),
    ({"schedule": {"targets": {200: 0.1}}}, "study: schedule.targets.200 = 0.1: the month must be a whole number from 1 to 6, the last month of the run"),
    ({"design": {"kind": "grd"}}, 'study: design.kind = "grd": must be "grid", "list", "lhs", "sobol" or "morris" (did you mean "grid"?)'),
    ({"design": {"monitoring": [1]}}, 'study: design.kind: missing; must be "grid", "list", "lhs", "sobol" or "morris"'),
    ({"design": {"kind": "sobol", "samples": 8}}, "study: design: varies nothing; name at least one factor, such as monitoring = [0.2, 0.8]"),
    ({"design": {"kind": "grid", "targets": []}}, "study: design.targets = []: must be a list of at least one value, such as [0.1, 0.5]"),
    ({"design": {"kind": "grid", "targets": [0, 1, 0.0]}}, "study: design.targets = [0, 1, 0.0]: 0 is given 2 times"),
    ({"design": {"kind": "grid", "target": [0]}}, 'study: design.target = [0]: no parameter, lever or size has this name (did you mean "targets"?)'),
    ({"design": {"kind": "grid", "months": [6]}}, "study: design.months: varied here and fixed in [parameters]; leave out one of the two"),
    ({"design": {"kind": "grid", "window": [6]}}, "study: design.window: varied here and set in [outcomes] for all runs; leave out one of the two"),
    ({"regime": "heavy"}, "study: design.regime: varied here and fixed at the top of the file; leave out one of the two"),
    ({"design": {"kind": "grid", "targets": [0.5, 1.5]}}, "study: cell 2: design.targets = 1.5: must be a number from 0 to 1"),
    ({"design": {"kind": "list", "cell": [{}, {"regime": "heavi"}]}}, 'study: cell 2: design.cell.regime = "heavi": no such regime (did you mean "heavy"?); there are ' + ", ".join(REGIMES)),
    ({"design": {"kind": "list", "cell": [{"targets": 1}, {"targets": 1.0}]}}, "study: cell 2: the same as cell 1; leave out one of the two"),
    ({"design": {"kind": "list"}}, "study: design.cell: missing; write a [[design.cell]] table for each cell"),
    ({"design": {"kind": "grid", "targets": list(range(1001)), "monitoring": list(range(1000))}}, "study: design: 1001000 cells; at most 1000000 are allowed"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "line"), MISTAKES)
def test_a_mistake_is_one_line_that_names_key_value_and_what_is_allowed(changes: dict[str, Any], line: str) -> None:
    assert mistakes(**changes) == (line,)


def test_all_mistakes_of_a_file_are_named_at_once() -> None:
    parameters = {"targets": 2, "months": 2.5}
    design = {"kind": "list", "cell": [{"relationship": 3}, {"gaming_max": 0.1, "mechanisms_off": ["gaming"]}]}
    lines = mistakes(seeds=0, regime="heavi", parameters=parameters, design=design, outcomes={"windw": 3})
    for part in ("seeds = 0", "windw", '"heavi"', "parameters.targets = 2", "parameters.months = 2.5"):
        assert sum(part in line for line in lines) == 1, part
    assert sum("cell 1: design.cell.relationship = 3" in line for line in lines) == 1
    assert sum("cell 2: design.cell.gaming_max = 0.1" in line for line in lines) == 1
    assert len(lines) == 7


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    assert one_line(tmp_path) == f"{tmp_path}: cannot be read: Is a directory"
    assert one_line(tmp_path / "no.toml") == f"{tmp_path}/no.toml: cannot be read: No such file or directory"
    path = saved(tmp_path, "title = 'é'".encode("latin-1"))
    assert one_line(path) == f"{path}: byte 10 is not UTF-8; save the file as UTF-8 text"


def test_malformed_toml_is_one_line_with_the_place(tmp_path: Path) -> None:
    path = saved(tmp_path, "seeds = 3\nregime = heavy\n")
    assert one_line(path) == f"{path}, line 2, column 10: not valid TOML: Invalid value"
    path = saved(tmp_path, "seeds = 3\n\nregime = [")
    assert one_line(path).startswith(f"{path}, line 3: not valid TOML: ")
    path = saved(tmp_path, "seeds = " + "[" * 100_000)
    assert one_line(path) == f"{path}: not valid TOML: nested too deeply"


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    assert Study.load(saved(tmp_path, b"\xef\xbb\xbfseeds = 2\n")).size == 2


def test_overrides_go_where_they_belong() -> None:
    settings = ["targets=0.3", "seeds=1", "parameters.months=5", "outcomes.window=2", "title=short", "managers = 2"]
    plan = Study.from_dict(table(), settings).plan
    assert (plan.seeds, plan.outcomes.window, plan.title) == (1, 2, "short")
    assert plan.parameters == {"systems": 1, "organisations": 2, "managers": 2, "months": 5, "targets": 0.3}


def test_an_override_of_something_varied_replaces_its_values() -> None:
    assert Study.from_dict(table(), {"monitoring": "0.3", "regime": '["light"]'}).cells.values.tolist() == [
        [0.3, "light"]
    ]
    assert Study.from_dict(table(), {"design.monitoring": "0.3"}).cells["monitoring"].tolist() == [0.3, 0.3]


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ("relationsip=1", '--set relationsip: no setting, parameter, lever or size has this name (did you mean "relationship"?)'),
        ("seeds", "--set seeds: a setting reads name=value, such as relationship=0.5"),
        ("seeds=[", '--set seeds="[": not a TOML value such as 0.5, true, [1, 2] or "heavy"'),
        ("seeds=1\nseed=2", "--set seeds='1\\nseed=2': not a TOML value such as 0.5, true, [1, 2] or \"heavy\""),
        ("design.monitoring.x=1", "--set design.monitoring.x: monitoring is not a table that holds settings by name"),
        ("seeds=many", 'study: seeds = "many": must be a whole number from 1 to 1000000'),
    ],
)  # fmt: skip
def test_a_mistaken_override_is_one_line(setting: str, line: str) -> None:
    with pytest.raises(InputError) as caught:
        Study.from_dict(table(), [setting])
    assert caught.value.lines == (line,)


def test_an_override_does_not_change_the_table_it_is_applied_to() -> None:
    mine = table()
    Study.from_dict(mine, ["monitoring=0.3", "months=5"])
    assert mine == table()


@pytest.mark.parametrize("name", ["..", ".", "...toml", "a/../../b", "..\\x"])
def test_results_stay_under_results_whatever_a_study_is_called(name: str) -> None:
    folder = Study.from_dict(table(), name=name).folder()
    assert folder.parent == Path("results") and folder.name not in ("", ".", "..")
    assert "\\" not in folder.name


@pytest.mark.parametrize("name", ["foo", "off", "seed", "title", "fear"])
def test_a_wrong_name_in_one_cell_of_a_list_is_one_line(name):
    cells = [{"monitoring": 0.1}, {"monitoring": 0.2, name: 1}]
    with pytest.raises(InputError) as error:
        Study.from_dict({"design": {"kind": "list", "cell": cells}})
    assert len(error.value.lines) == 1
    assert name in error.value.lines[0]


def test_a_study_named_without_its_ending_is_hinted_at(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("seeds = 2\n")
    with pytest.raises(InputError, match=r"cannot be read: .* \(did you mean .*mine\.toml\?\)"):
        Study.load(tmp_path / "mine")
    with pytest.raises(InputError) as nothing:
        Study.load(tmp_path / "yours")
    assert "did you mean" not in str(nothing.value)

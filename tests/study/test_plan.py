"""What a study's file may say, and how every mistake in it is answered."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import table

from sim.errors import InputError, Mistake
from sim.model.parameters import REGIMES, resolve
from sim.study import Study

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


def mistakes(**changes: Any) -> tuple[Mistake, ...]:
    with pytest.raises(InputError) as caught:
        Study.from_dict(table(**changes))
    assert all("\n" not in line for line in caught.value.lines)
    return caught.value.mistakes


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


LOCAL = [{"relationship": 0.8, "where": "fear > 0.3"}, {"targets": 0.1, "organisations": [0], "from": 2, "to": 4}]


def test_local_rules_are_the_same_in_all_cells_or_each_cells_own() -> None:
    own = [{"name": "nobody"}, {"name": "some", "local": LOCAL}]
    study = Study.from_dict(table(design={"kind": "list", "cell": own}))
    assert study.cells["local"].tolist() == [
        "",
        "relationship 0.8 where fear > 0.3; targets 0.1 in organisations 0 from month 2 to month 4",
    ]
    everywhere = Study.from_dict(table(design={}, local=LOCAL))
    assert everywhere.points[0].digest != Study.from_dict(table(design={})).points[0].digest
    assert everywhere.points == Study.from_dict(tomllib.loads(everywhere.plan.toml())).points
    rules = resolve(**everywhere.points[0].settings).local
    assert [rule.table for rule in rules] == LOCAL
    assert Study.from_dict(table(design={}, local=rules)).plan == everywhere.plan


def test_local_rules_are_put_in_at_the_shell() -> None:
    setting = "local=[{ targets = 0.1, share = 0.5 }]"
    assert Study.from_dict(table(), [setting]).plan.local == [{"targets": 0.1, "share": 0.5}]


def test_a_resolved_study_reads_back_as_itself(tmp_path: Path) -> None:
    for path in EXPERIMENTS.glob("*.toml"):
        study = Study.load(path, ["seeds=2"])
        again = Study.load(saved(tmp_path, study.plan.toml()))
        assert again.points == study.points
        assert [chunk.id for chunk in again.chunks] == [chunk.id for chunk in study.chunks]


NOTHING: Any = ...
MISTAKES: list[tuple[dict[str, Any], str, Any, str]] = [
    ({"titel": "x"}, "titel", "x", "title"),
    ({"monitoring": 0.5}, "monitoring", 0.5, "under [parameters]"),
    ({"levers": {"monitoring": 0.5}}, "levers", NOTHING, "did you mean [parameters]?"),
    ({"title": "two\nlines"}, "title", "two\nlines", "300 characters"),
    ({"seeds": 0}, "seeds", 0, "from 1 to 1000000"),
    ({"seeds": 2.0}, "seeds", 2.0, "from 1 to 1000000"),
    ({"seeds": True}, "seeds", True, "from 1 to 1000000"),
    ({"seed": -1}, "seed", -1, "at least 0"),
    ({"schedule": 3}, "schedule", 3, "a table"),
    ({"local": {"targets": 0.1}}, "local", {"targets": 0.1}, "a list of rules, each a table [[local]]"),
    ({"local": [{"targets": 0.1}]}, "local.rule 1", NOTHING, "does not say who"),
    ({"local": [{"targets": 0.1, "share": 0.5, "to": 7}]}, "local.rule 1.to", 7, "from 1 to 6"),
    ({"parameters": {"local": []}}, "parameters.local", [], "belongs in tables [[local]]"),
    ({"design": {"kind": "grid", "local": [[{"targets": 0.1}], []]}}, "design.local.rule 1", NOTHING, "say who"),
    ({"design": {"kind": "list", "cell": [{}, {"local": [{"targets": 2, "share": 1}]}]}},
     "design.cell.local.rule 1.targets", 2, "from 0 to 1"),
    ({"outcomes": {"keep": ["feer"]}}, "outcomes.keep", "feer", "fear"),
    ({"outcomes": {"keep": ["fear", "fear"]}}, "outcomes.keep", "fear", "2 times"),
    ({"outcomes": {"keep": []}}, "outcomes.keep", [], "at least one"),
    ({"outcomes": {"series": 1}}, "outcomes.series", 1, "true or false"),
    ({"outcomes": {"windo": 1}}, "outcomes.windo", 1, "window"),
    ({"parameters": {"window": 3}}, "parameters.window", 3, "[outcomes]"),
    ({"parameters": {"seeds": 3}}, "parameters.seeds", 3, "top of the file"),
    ({"parameters": {"fear_syst": 0.1}}, "parameters.fear_syst", 0.1, "fear_system"),
    ({"parameters": {"targets": float("inf")}}, "parameters.targets", float("inf"), "from 0 to 1"),
    ({"parameters": {"targets": 10}}, "parameters.targets", 10, "10 % is written 0.1"),
    ({"parameters": {"targets": "10%"}}, "parameters.targets", "10%", "10% is written 0.1"),
    ({"parameters": {"targets": "0,5"}}, "parameters.targets", "0,5", "0,5 is written 0.5"),
    ({"mechanisms_off": ["fear"]}, "mechanisms_off", "fear", "learned_fear"),
    ({"schedule": {"targets": {200: 0.1}}}, "schedule.targets.200", 0.1, "from 1 to 6"),
    ({"design": {"kind": "grd"}}, "design.kind", "grd", "grid"),
    ({"design": {"monitoring": [1]}}, "design.kind", NOTHING, '"grid", "list"'),
    ({"design": {"kind": "sobol", "samples": 8}}, "design", NOTHING, "varies nothing"),
    ({"design": {"kind": "grid", "targets": []}}, "design.targets", [], "at least one value"),
    ({"design": {"kind": "grid", "targets": [0, 1, 0.0]}}, "design.targets", [0, 1, 0.0], "0 is given 2 times"),
    ({"design": {"kind": "grid", "target": [0]}}, "design.target", [0], "targets"),
    ({"design": {"kind": "grid", "fear": [0]}}, "design.fear", [0], "is an outcome"),
    ({"design": {"kind": "grid", "months": [6]}}, "design.months", NOTHING, "[parameters]"),
    ({"design": {"kind": "grid", "window": [6]}}, "design.window", NOTHING, "[outcomes]"),
    ({"regime": "heavy"}, "design.regime", NOTHING, "top of the file"),
    ({"design": {"kind": "grid", "targets": [0.5, 30, 60]}}, "design.targets", [0.5, 30, 60], "30 % is written 0.3"),
    ({"design": {"kind": "list", "cell": [{}, {"regime": "heavi"}]}}, "design.cell.regime", "heavi", "heavy"),
    ({"design": {"kind": "list", "cell": [{"step": -1}, {"step": -2}]}}, "design.cell.step", NOTHING, "cells 1, 2"),
    ({"design": {"kind": "list", "cell": [{"targets": 1}, {"targets": 1.0}]}}, "", NOTHING, "cell 1"),
    ({"design": {"kind": "list", "cell": [{"name": "a"}, {"name": "a"}]}}, "design.cell.name", "a", "2 times"),
    ({"design": {"kind": "list"}}, "design.cell", NOTHING, "[[design.cell]]"),
    ({"design": {"kind": "grid", "audit": [k / 1000 for k in range(1001)], "targets": [k / 1000 for k in range(1001)]}},
     "design", NOTHING, "at most 1000000"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "where", "value", "hint"), MISTAKES)
def test_a_mistake_is_told_once_with_its_place_its_value_and_what_is_meant_or_allowed(
    changes: dict[str, Any], where: str, value: Any, hint: str
) -> None:
    (mistake,) = mistakes(**changes)
    assert (".".join(map(str, mistake.where)), mistake.value) == (where, value)
    assert hint in mistake.line and str(mistake) == mistake.line


def test_all_mistakes_of_a_file_are_named_at_once() -> None:
    parameters = {"targets": 2, "months": 2.5}
    design = {"kind": "list", "cell": [{"relationship": 3}, {"gaming_max": 0.1, "mechanisms_off": ["gaming"]}]}
    found = mistakes(seeds=0, regime="heavi", parameters=parameters, design=design, outcomes={"windw": 3})
    lines = [mistake.line for mistake in found]
    for part in ("seeds = 0", "windw", '"heavi"', "parameters.targets = 2", "parameters.months = 2.5"):
        assert sum(part in line for line in lines) == 1, part
    assert sum("cell 1: design.cell.relationship = 3" in line for line in lines) == 1
    assert sum("cell 2: design.cell.gaming_max = 0.1" in line for line in lines) == 1
    assert len(lines) == 7


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # where no study is
    assert one_line(tmp_path) == f"{tmp_path}: cannot be read: Is a directory"
    assert one_line(tmp_path / "no.toml") == f"{tmp_path}/no.toml: cannot be read: No such file or directory"
    path = saved(tmp_path, "title = 'é'".encode("latin-1"))
    assert one_line(path) == f"{path}: byte 10 is not UTF-8; save the file as UTF-8 text"


def test_malformed_toml_is_one_line_with_the_place(tmp_path: Path) -> None:
    path = saved(tmp_path, "seeds = 3\nregime = heavy\n")
    assert one_line(path).startswith(f"{path}, line 2, column 10: not valid TOML: ")
    path = saved(tmp_path, "seeds = 3\n\nregime = [")
    assert one_line(path).startswith(f"{path}, line 3")
    path = saved(tmp_path, "seeds = " + "[" * 100_000)
    assert one_line(path) == f"{path}: not valid TOML: nested too deeply"


@pytest.mark.parametrize(
    ("content", "line", "pointed", "guess"),
    [
        ("seeds = 2\ntitle = My first study\n", 2, "M", '"My first study"'),
        ("regime = baseline # as it is\n", 1, "b", '"baseline"'),
        ("title = \u201cMine\u201d\n", 1, "\u201c", "straight"),
        ("seeds = 2\n[parameters]\ntargets = 0,5\n", 3, ",", "0.5"),
        ("[design]\nmonitoring = [10%, 50%]\n", 2, "%", "10 % is written 0.1"),
        ("[design]\nmonitoring = [0,1; 0,5]\n", 2, ";", "0.1"),
        ("[design]\nmonitoring = [0.1, 0.5\ntargets = [0.1]\n", 2, "[", "]"),
        ("seeds = 3\nseed = 1\nseeds = 4\n", 3, None, "line 1"),
        ("[parameters]\nx = 1\n[design]\nx = 1\n[parameters]\n", 5, None, "line 1"),
        ("[parameters]\ngain = 1\n[outcomes]\nwindow = 1\nwindow = 2\n", 5, None, "line 4"),
        ('title = "My study\n', 1, None, "not closed"),
        ("title =\n", 1, None, "missing"),
        ("cell,fear\n1,0.5\n", 1, None, "no study"),
        ("# Title\n\nSome words about it.\n", 3, None, "no study"),
    ],
)
def test_a_slip_in_toml_is_shown_pointed_at_and_guessed(
    content: str, line: int, pointed: str | None, guess: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as caught:
        Study.load(saved(tmp_path, content))
    (mistake,) = caught.value.mistakes
    assert f", line {line}" in mistake.about and guess in mistake.why
    shown, caret = mistake.excerpt
    assert shown.strip() == content.split("\n")[line - 1]
    assert pointed is None or shown[caret.index("^")] == pointed
    assert str(caught.value).split("\n") == [mistake.line, shown, caret]


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    assert Study.load(saved(tmp_path, b"\xef\xbb\xbfseeds = 2\n")).size == 2


def test_overrides_go_where_they_belong() -> None:
    settings = ["targets=0.3", "seeds=1", "parameters.months=5", "outcomes.window=2", "title=short", "managers = 2"]
    plan = Study.from_dict(table(), settings).plan
    assert (plan.seeds, plan.outcomes.window, plan.title) == (1, 2, "short")
    assert plan.parameters == {"systems": 1, "organisations": 2, "managers": 2, "months": 5, "targets": 0.3}


def test_an_override_of_something_varied_replaces_its_values() -> None:
    light = Study.from_dict(table(), ["monitoring=0.3", 'regime=["light"]'])
    assert light.cells.values.tolist() == [[0.3, "light"]]
    assert Study.from_dict(table(), {"monitoring": np.array([0.3]), "regime": ("light",)}) == light
    assert Study.from_dict(table(), {"design.monitoring": 0.3}).cells["monitoring"].tolist() == [0.3, 0.3]
    assert Study.from_dict(table(), {"outcomes.series": True, "title": "Two words"}).plan.outcomes.series


@pytest.mark.parametrize(
    ("setting", "where", "hint"),
    [
        ("relationsip=1", "relationsip", "relationship"),
        ("quality=1", "quality", "is an outcome"),
        ("seeds", "seeds", "name=value"),
        ("seeds=[", "seeds", "TOML value"),
        ("seeds=1\nseed=2", "seeds", "TOML value"),
        ("design.monitoring.x=1", "design.monitoring.x", "monitoring is not a table"),
        ("seeds=many", "seeds", '"many"'),
    ],
)
def test_a_mistaken_override_is_one_line(setting: str, where: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        Study.from_dict(table(), [setting])
    (mistake,) = caught.value.mistakes
    assert ".".join(mistake.where) == where and hint in mistake.line
    assert mistake.about == ("study" if setting == "seeds=many" else "--set")


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


def test_a_study_named_without_folder_or_ending_or_misspelt_is_hinted_at(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "mine.toml").write_text("seeds = 2\n")
    with pytest.raises(InputError, match=r"cannot be read: .* \(did you mean .*mine\.toml\?\)"):
        Study.load(tmp_path / "mine")
    with pytest.raises(InputError) as nothing:
        Study.load(tmp_path / "yours")
    assert f"there are {tmp_path / 'mine.toml'}, " in str(nothing.value)
    monkeypatch.chdir(EXPERIMENTS.parent)
    for name in ("surveilance", "surveilance.toml", "experiments/surveilance.toml", "experiments/surveillance"):
        with pytest.raises(InputError, match=r"did you mean .*experiments/surveillance\.toml\?"):
            Study.load(name)
    with pytest.raises(InputError, match=r"experiments/cooperation\.toml"):
        Study.load("experiments")


def test_a_mistake_of_meaning_names_its_line_where_it_is_set_in_one_place(tmp_path: Path) -> None:
    text = 'seeds = 2\n\n[parameters]\nmonitorng = 0.5  # a slip\n[design]\nkind = "grid"\ntargets = [2.0]\n'
    path = saved(tmp_path, text)
    with pytest.raises(InputError) as caught:
        Study.load(path)
    assert sorted(line.split(": ")[0] for line in caught.value.lines) == [f"{path}, line 4", f"{path}, line 7"]
    cells = '[design]\nkind = "list"\n[[design.cell]]\ntargets = 0.5\n[[design.cell]]\ntargets = 2.0\n'
    assert one_line(saved(tmp_path, cells)).startswith(f"{path}: cell 2: design.cell.targets")
    assert one_line(saved(tmp_path, "[levers]\nmonitoring = 0.5\n")).startswith(
        f"{path}, line 1: levers: no such section"
    )
    with pytest.raises(InputError) as caught:
        Study.load(saved(tmp_path, "seeds = 2\n"), ["seeds=0"])
    assert "line" not in str(caught.value), "it is not the file's"


def test_a_bare_name_is_here_or_else_in_the_gallery(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    assert (
        Study.load("surveillance") == Study.load("surveillance.toml") == Study.load(EXPERIMENTS / "surveillance.toml")
    )
    with pytest.raises(InputError, match=r"did you mean surveillance\?"):
        Study.load("surveilance")
    with pytest.raises(InputError, match="No such file"):
        Study.load("somewhere/surveillance")
    (tmp_path / "surveillance.toml").write_text("seeds = 2\n")
    assert Study.load("surveillance").plan.seeds == 2


def test_a_study_says_what_it_is_in_a_notebook() -> None:
    assert repr(Study.from_dict(table(), name="mine")) == "<Study 'mine': 6 cells × 3 runs, varying monitoring, regime>"
    assert repr(Study.from_dict({"seeds": 7})) == "<Study 'study': 1 cell × 7 runs>"

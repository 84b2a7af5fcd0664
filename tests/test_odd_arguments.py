"""What a caller in Python gives by mistake is told in one line, as at the command line, and nothing is left behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import sim

TINY = {"systems": 1, "organisations": 2, "managers": 2, "months": 6}


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A run, a study, its results and a few worlds."""
    design = {"kind": "grid", "monitoring": [0.1, 0.9]}
    study = sim.Study.from_dict({"seeds": 2, "parameters": TINY, "design": design})
    results = study.run(tmp_path_factory.mktemp("odd") / "r")
    return {
        "sim": sim,
        "run": sim.simulate(**TINY),
        "study": study,
        "results": results,
        "worlds": sim.worlds().sample(30),
    }


@pytest.mark.parametrize(
    ("call", "line"),
    [
        ("worlds.share([1, 2])", "values: must be one for each of 30 worlds, not of shape (2,)"),
        ("worlds.mean([1, 2])", "values: must be one for each of 30 worlds"),
        ("worlds.quantiles([1, 2], [0.5])", "values: must be one for each of 30 worlds"),
        ("worlds.without(3)", "patterns = 3: no such pattern"),
        ("worlds.reweight(3)", "evidence = 3: must be a path"),
        ("worlds.evaluate(['baseline'])", "policies = ['baseline']: must be at least two policies by name"),
        ("worlds.evaluate({'a': 3, 'b': 'light'})", "policies.a = 3: must be a regime, or a mapping of settings"),
        ("results.regions(3)", "3: must be an outcome, <, <=, > or >=, and a number"),
        ("results.plot(3)", "outcomes = 3: no such outcome kept by this study"),
        ("results.to_csv(3)", "path = 3: must be a path"),
        ("run.plot(against=3)", "against = 3: must be a run"),
        ("run.plot(3)", "outcomes = 3: no such outcome"),
        ("study.run(3)", "out = 3: must be a path"),
        ("study.run('left', cluster=3)", "cluster = 3: must be an address or"),
        ("study.run('left', cluster='foo')", 'cluster = "foo": must be an address such as'),
        ("sim.Study.load(3)", "path = 3: must be a path"),
        ("sim.Study.from_dict(3)", "study: must be a table"),
        ("sim.Study.from_dict({}, 3)", "study: overrides = 3: must be settings"),
        ("sim.Results(3)", "folder = 3: must be a path"),
        ("sim.worlds(3)", "folder = 3: must be a path"),
        ("sim.answer(3)", "folder = 3: must be a path"),
        ("sim.value_of_studies(3)", "ensemble = 3: must be an ensemble of worlds"),
    ],
)
def test_an_odd_argument_is_one_line(
    things: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, call: str, line: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(sim.InputError) as caught:
        eval(call, things)
    assert len(caught.value.lines) == 1 and line in caught.value.lines[0]
    assert list(tmp_path.iterdir()) == []


def test_one_name_alone_is_not_read_letter_by_letter(things: dict[str, Any]) -> None:
    policies = {"today": "baseline", "mine": {"targets": 0}}
    found = things["worlds"].evaluate(policies, "fear", replications=2, **TINY)
    assert found["outcome"].tolist() == ["fear"]


def test_an_empty_study_and_a_row_of_points_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty.toml").write_text("")
    with pytest.raises(sim.InputError, match=r"empty\.toml: is empty; sim new NAME writes a study to start from"):
        sim.Study.load(tmp_path / "empty.toml")
    (tmp_path / "points.csv").write_text("targets\n0.1\noops\n")
    (tmp_path / "s.toml").write_text('[design]\nkind = "csv"\nfile = "points.csv"\n')
    with pytest.raises(
        sim.InputError, match=r"s\.toml: points\.csv \(its row 2 is cell 1\): cell 2: design\.cell\.targets"
    ):
        sim.Study.load(tmp_path / "s.toml")


def test_commands_name_what_they_would_ignore_or_cannot_make(sim) -> None:
    code, _, err = sim("worlds", "--check", "2", "--out", "tables")
    assert (code, err.count("\n")) == (2, 1) and "--check: goes with --sign and --ensemble alone" in err
    code, _, err = sim("new", "a/b")
    assert (code, err.count("\n")) == (2, 1) and "a/b.toml: there is no folder a; make it, or give a name alone" in err
    assert list(Path().iterdir()) == []

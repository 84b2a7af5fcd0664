"""What `sim new` writes: a study that runs, whose every word about settings is true."""

from __future__ import annotations

import re
import sys
import tomllib

import pytest

from sim import cli
from sim.errors import InputError
from sim.study import Study
from sim.study.file import new

TINY = {"systems": 1, "parameters.organisations": 2, "managers": 2, "months": 6, "seeds": 2, "window": 3}


def switched_on(text: str) -> str:
    """The text with every setting that is switched off switched on."""
    return re.sub(r"^#(?=[^\s#])", "", text, flags=re.M)


def one_line(name: str) -> str:
    with pytest.raises(InputError) as caught:
        new(name)
    (line,) = caught.value.lines
    assert "\n" not in line
    return line


@pytest.fixture(autouse=True)
def empty_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["mine", "mine.toml", "my first study", "über-2"])
def test_what_is_written_runs(name, empty_folder):
    path = new(name)
    assert path.suffix == ".toml" and list(empty_folder.iterdir()) == [empty_folder / path]
    results = Study.load(path, TINY).run(workers=1)
    assert not results.missing and results.cells == 6
    assert results.folder.name.startswith(f"{path.stem}-")


def test_every_setting_that_is_switched_off_can_be_switched_on(empty_folder):
    on = switched_on(new("mine").read_text(encoding="utf-8"))
    (empty_folder / "on.toml").write_text(on, encoding="utf-8")
    (rule,) = Study.load("on.toml").plan.local
    settings = {**TINY, "schedule.punitiveness": {2: 0.9, 4: 0.3}, "local": [rule | {"from": 2, "to": 4}]}
    study = Study.load("on.toml", settings)
    assert {"schedule", "local", "precision"} <= set(tomllib.loads(on))
    assert rule == {"relationship": 0.8, "where": "fear > 0.3", "from": 37, "to": 72}
    assert study.plan.outcomes.series and study.plan.mechanisms_off == ["gaming"]
    assert Study.load("on.toml").plan.schedule == {"punitiveness": {"37": 0.9, "85": 0.3}}


def test_the_text_names_its_own_file_and_only_names_that_exist(empty_folder, monkeypatch):
    text = new("my study").read_text(encoding="utf-8")
    assert "sim run 'my study.toml'" in text
    from sim.model import glossary  # noqa: PLC0415

    for name in re.findall(r"sim parameters (\w+)", text):
        assert glossary.meanings(name)
    assert max(map(len, text.splitlines())) <= 120
    assert all(section in text for section in ("[parameters]", "[design]", "[schedule]", "[outcomes]", "[precision]"))


def test_the_command_names_what_it_wrote_and_what_comes_next(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["sim", "new", "mine"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert not stop.value.code
    out = capsys.readouterr().out
    assert "mine.toml" in out.splitlines()[1] and out.endswith("  sim run mine.toml\n")


def test_nothing_is_overwritten(empty_folder):
    path = new("mine")
    path.write_text("title = 'changed'\n", encoding="utf-8")
    assert one_line("mine") == "mine.toml: is there already, and is left as it is; choose another name"
    assert path.read_text(encoding="utf-8") == "title = 'changed'\n"


@pytest.mark.parametrize(
    "name", ["", ".", "..", "sub/", "a\nb", "a\0b", '"', "sub/-x", " x", "*", "x" * 200, "no/folder", ".toml"]
)
def test_a_bad_name_is_one_line_and_writes_nothing(name, empty_folder):
    assert one_line(name)
    assert list(empty_folder.iterdir()) == []

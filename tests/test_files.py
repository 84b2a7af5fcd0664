"""What is somebody else's is neither deleted nor written over, whatever it is called and whichever command is given."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ensembles import by_hand, make_answers_small

from sim import files
from sim.claims.statements import CLAIMS
from sim.errors import InputError
from sim.plots import film as animation
from sim.report.claims import answer_to, reply_to
from sim.report.study import save, sensitivity_text
from sim.study import Results, Study

STUDY = """
seeds = 2
parameters = { systems = 1, organisations = 2, managers = 3, months = 4 }
outcomes = { window = 2 }
design = { kind = "grid", monitoring = [0.1, 0.9] }
"""
CHUNK = "0" * 32
THEIRS = {
    "ledger": "2026-01-01 * Opening\n",
    f"runs/{CHUNK}.parquet": "sales",
    "series/sales.parquet": "sales",
    "earlier/runs/sales.parquet": "sales",
    "unfinished/thesis/chapter1.txt": "ten years",
    "unfinished/block.npz": "ten years",
    "claims.txt": "mine",
    "report.html": "<html>about leadership-sim</html>",
    "figure.png": "mine",
    "summary.csv": "mine",
    "study.toml": "mine",
    "settings.json": "{}",
    "manifest.json": '{"files": {"claims.txt": "", "../thesis.txt": ""}}',
    "lock": "mine",
    "study.toml.part": "mine",
    ".study.toml.0123abcd.part": "mine",
    "main/variance.npz": "mine",
    "ensemble.parquet": "mine",
    "patterns.csv": "mine",
    "tipping_curve.csv": "mine",
}
CLAIM = ["--run", "--worlds", "20", "--systems", "1", "--months", "2"]
COMMANDS = {
    "run": ["run", "s.toml"],
    "run fresh": ["run", "s.toml", "--fresh"],
    "run with settings": ["run", "s.toml", "--set", "seeds=3"],
    "claim": ["claim", *CLAIM],
    "claim alone": ["claim", "fear", *CLAIM],
    "question": ["claim", "tipping", "--worlds", "3", "--systems", "1"],
    "worlds": ["worlds"],
    "calibrate": ["worlds", "--calibrate"],
}
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def little_to_do(monkeypatch: pytest.MonkeyPatch, undrawn: None) -> None:
    """Few worlds, and pictures that are not drawn."""
    monkeypatch.setattr(animation, "frames_of", lambda takes, _=None: iter([np.zeros((8, 8, 3), np.uint8)] * 2))
    monkeypatch.setattr(
        "sim.worlds.ensemble.load", lambda folder=None, prior="main", **_: by_hand(off=0.15 if prior == "main" else 0.0)
    )
    make_answers_small(monkeypatch)


def put(folder: Path, names: Iterator[str] | list[str]) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(THEIRS[name])


def everything(folder: Path) -> dict[str, bytes | None]:
    """Every file below a folder with its content, and every folder."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_folder_of_somebody_else_is_refused_and_left_as_it_is(sim: Command, command: str) -> None:
    Path("s.toml").write_text(STUDY)
    for number, names in enumerate(([name] for name in THEIRS), 1):
        put(Path(str(number)), names)
    put(Path("all"), list(THEIRS))
    before = everything(Path())
    for folder in ("all", *map(str, range(1, len(THEIRS) + 1))):
        code, _, err = sim(*COMMANDS[command], "--out", folder)
        assert (code, len(err.splitlines())) == (2, 1), (folder, err)
        assert "holds other files" in err
    assert everything(Path()) == before


@pytest.mark.slow
def test_what_somebody_puts_into_a_folder_of_ours_stays(sim: Command) -> None:
    Path("s.toml").write_text(STUDY)
    put(Path("beside"), list(THEIRS))
    for command in ("run", "claim", "worlds"):
        assert sim(*COMMANDS[command], "--out", command)[0] == 0
    mine = [name for name in THEIRS if name.startswith(("runs/", "series/", "earlier/", "unfinished/", "study.toml."))]
    for command in ("run", "claim", "worlds"):
        put(Path(command), mine)
    before = {name: content for name, content in everything(Path()).items() if name.partition("/")[2] in mine}
    assert len(before) == 4 * len(mine)
    assert sim("run", "s.toml", "--fresh", "--out", "run")[0] == 0
    assert sim("run", "s.toml", "--set", "relationship=0.9", "--out", "run")[0] == 0
    assert sim(*COMMANDS["worlds"], "--out", "worlds")[0] == 0
    code, _, err = sim(*COMMANDS["claim"], "--out", "claim")
    assert (code, "claim/unfinished: holds other files (block.npz)" in err) == (2, True)
    assert before.items() <= everything(Path()).items()
    assert everything(Path("beside")).keys() >= set(THEIRS)


def test_a_file_of_somebody_else_under_the_name_of_one_of_ours_is_not_replaced(sim: Command) -> None:
    Path("s.toml").write_text(STUDY)
    assert sim("run", "s.toml", "--out", "r")[0] == 0
    Path("r/manifest.json").unlink()  # so report and pictures are nobody's
    before = {name: content for name, content in everything(Path("r")).items() if name != "ledger"}
    code, _, err = sim("run", "s.toml", "--set", "seeds=3", "--out", "r")
    assert (code, "is not this program's; move it elsewhere" in err) == (2, True)
    after = everything(Path("r"))
    assert all(after[name] == before[name] for name in before if Path(name).suffix in (".html", ".png", ".csv"))


@pytest.mark.parametrize(
    ("option", "path"),
    [("--csv", "runs.csv"), ("--figure", "picture.svg"), ("--film", "film.gif"), ("--figures", "figure.png")],
)
def test_show_replaces_no_file_but_its_own_pictures(sim: Command, option: str, path: str) -> None:
    Path("s.toml").write_text(STUDY)
    assert sim("run", "s.toml", "--out", "r")[0] == 0
    Path("other").mkdir()
    theirs, target = Path("other") / path, "other" if option == "--figures" else f"other/{path}"
    theirs.write_text("mine, about leading")
    before = everything(Path("other"))
    code, _, err = sim("show", "r", option, target)
    assert (code, "is there already, and is left as it is; choose another name" in err) == (2, True)
    assert everything(Path("other")) == before
    theirs.unlink()
    assert sim("show", "r", option, target)[0] == 0
    assert sim("show", "r", option, target)[0] == (2 if option == "--csv" else 0)


@pytest.mark.slow
def test_a_claim_asked_for_alone_and_a_study_with_settings_have_folders_of_their_own(sim: Command) -> None:
    Path("s.toml").write_text(STUDY)
    for command in ("run", "claim"):
        assert sim(*COMMANDS[command])[0] == 0
    before = everything(Path())
    _, out, _ = sim(*COMMANDS["run with settings"])
    assert out.startswith("With --set, the results go to results/s-seeds=3;")
    assert sim(*COMMANDS["claim alone"])[0] == sim(*COMMANDS["question"])[0] == 0
    assert before.items() <= everything(Path()).items()
    assert {path.name for path in Path("results").iterdir()} == {"s", "s-seeds=3", "claim-run", "claim-fear",
                                                                 "claim-tipping"}  # fmt: skip
    for other in ("claim alone", "question", "worlds", "run"):
        code, _, err = sim(*COMMANDS[other], "--out", "results/claim-run")
        assert (code, "choose another folder" in err) == (2, True)
    assert before.items() <= everything(Path()).items()


def test_an_answer_is_not_written_over_another_answer_and_settings_name_a_folder(tmp_path: Path) -> None:
    files.Folder(tmp_path / "claim", answer_to(CLAIMS)).fill({"claims.txt": b"all"})
    for what in (answer_to(CLAIMS[:1]), reply_to("Why?"), "tables of sim worlds"):
        with pytest.raises(InputError, match=r"holds the answer of sim claim, not .*; choose another folder"):
            files.Folder(tmp_path / "claim", what)
    folders = {
        Study.from_dict({}, settings).folder() for settings in ([], ["seeds=3"], ["seeds=4"], ["parameters.months=3"])
    }
    assert len(folders) == 4


def test_only_plain_names_in_a_manifest_count(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    folder = files.Folder(tmp_path / "ours", "things")
    folder.fill({"a.csv": b"1", "b.csv": b"2"})
    told = json.loads((folder.path / files.MANIFEST).read_text())
    told["files"] |= {"../thesis.txt": "", str(tmp_path / "thesis.txt"): "", "..": "", "": "", "sub/x": ""}
    (folder.path / files.MANIFEST).write_text(json.dumps(told))
    files.Folder(folder.path, "things").fill({"a.csv": b"3"})
    assert (tmp_path / "thesis.txt").read_text() == "mine"
    assert everything(folder.path).keys() == {"a.csv", files.MANIFEST}
    files.forget(folder.path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_every_file_is_synced_with_every_folder_that_was_made_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced, sync = [], os.fsync

    def noted(descriptor: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        sync(descriptor)

    if not Path("/proc/self/fd").exists():
        pytest.skip("only Linux names open files")
    monkeypatch.setattr(os, "fsync", noted)
    files.make(tmp_path / "a" / "b")
    assert synced == [str(tmp_path), str(tmp_path / "a")]
    synced.clear()
    files.write(tmp_path / "a" / "b" / "file", b"x")
    assert Path(synced[0]).parent == Path(synced[1]) == tmp_path / "a" / "b"


@pytest.mark.parametrize("number", sorted(files._UNSYNCED))
def test_a_folder_that_cannot_be_synced_is_written_nevertheless(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    sync = os.fsync

    def refusing(descriptor: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            raise OSError(number, os.strerror(number))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", refusing)
    files.Folder(tmp_path / "r", "things").fill({"a": b"1"})
    assert (tmp_path / "r" / "a").read_bytes() == b"1"


@pytest.mark.parametrize("harm", range(12))
def test_kept_arrays_that_were_harmed_are_made_again(tmp_path: Path, harm: int) -> None:
    made: list[int] = []

    def compute() -> dict[str, Any]:
        made.append(1)
        return {"values": np.arange(20.0).reshape(4, 5)}

    kept = files.Folder(tmp_path / "kept", "arrays")
    first = kept.arrays("a", compute)["values"]
    again = files.Folder(tmp_path / "kept", "arrays")
    assert (again.arrays("a", compute)["values"] == first).all() and len(made) == 1
    path = tmp_path / "kept" / "a.npz"
    content = bytearray(path.read_bytes())
    content[len(content) * harm // 12] ^= 1 << harm % 8
    path.write_bytes(content)
    assert (again.arrays("a", compute)["values"] == first).all() and len(made) == 2


def test_a_second_process_is_turned_away_and_where_there_are_no_locks_one_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with files.locked(tmp_path / "r"), pytest.raises(InputError, match="another process"), files.locked(tmp_path / "r"):
        pass

    def unsupported(_: Any) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(files, "_acquire", unsupported)
    with files.locked(tmp_path / "r"):
        pass
    line = f"sim: {tmp_path}/r: its file system has no locks; see to it that no other process writes there\n"
    assert capsys.readouterr().err == line


def test_no_table_holds_a_formula() -> None:
    table = pd.DataFrame({"text": ["=cmd|' /C calc'!A0", "+1", "-1", "@x", "\t=1", "plain"], "number": [-1.5] * 6})
    lines = files.csv(table).decode().splitlines()
    assert [line.rpartition(",")[0] for line in lines[1:]] == ["'=cmd|' /C calc'!A0", "'+1", "'-1", "'@x", "'\t=1",
                                                               "plain"]  # fmt: skip
    assert all(line.endswith(",-1.5") for line in lines[1:])


SAMPLED = """
seeds = 2
parameters = { systems = 1, organisations = 2, managers = 3, months = 4 }
outcomes = { keep = ["fear"], window = 2 }
design = { kind = "lhs", samples = 16, monitoring = [0.1, 0.9], targets = [0.1, 0.9] }
"""


def test_what_was_made_of_other_runs_is_made_again_whatever_the_times_of_files_say(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(SAMPLED)
    first, more = (Study.load(tmp_path / "s.toml", settings) for settings in ([], ["seeds=4"]))
    save(first.run(tmp_path / "r"))
    more.run(tmp_path / "r")  # and nothing saved
    save(more.run(tmp_path / "whole"))
    shutil.copytree(tmp_path / "r", tmp_path / "copy", copy_function=shutil.copyfile)
    os.utime(tmp_path / "copy" / "ledger", (0, 0))
    text = (tmp_path / "whole" / "sensitivity.txt").read_text()
    assert (tmp_path / "copy" / "sensitivity.txt").read_text() != text
    results = Results(tmp_path / "copy")
    assert sensitivity_text(results) == text.rstrip("\n")
    save(results)
    assert (tmp_path / "copy" / "sensitivity.txt").read_text() == text


def test_what_is_there_whole_is_left_alone_and_what_is_torn_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "s.toml").write_text(STUDY)
    results = Study.load(tmp_path / "s.toml").run(tmp_path / "r")
    paths = save(results)
    before = everything(results.folder)
    for path in paths:
        os.utime(path, (0, 0))
    assert save(Results(results.folder)) == paths
    assert all(not path.stat().st_mtime for path in paths)
    for path in paths:
        path.write_bytes(path.read_bytes()[:-3])
        assert save(Results(results.folder)) == paths
        assert everything(results.folder) == before
    staged = files._staged

    def full(path: Path, content: bytes) -> Path:
        if path.name == "report.html":
            raise OSError(28, "No space left on device")
        return staged(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(files, "_staged", full)
        (results.folder / "report.html").unlink()
        with pytest.raises(InputError, match="cannot be written: No space left on device"):
            save(Results(results.folder))
    save(Results(results.folder))
    assert everything(results.folder) == before


def test_no_file_of_a_study_holds_a_formula(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(STUDY)
    results = Study.load(tmp_path / "s.toml").run(tmp_path / "r")
    summary = results.summary().assign(outcome="=cmd|' /C calc'!A0")
    results.summary = lambda: summary  # type: ignore[method-assign]
    save(results)
    assert pd.read_csv(tmp_path / "r" / "summary.csv")["outcome"].unique().tolist() == ["'=cmd|' /C calc'!A0"]


@pytest.mark.slow
def test_nonsense_in_the_environment_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(STUDY)
    nonsense = {"GIT_DIR": str(tmp_path), "GIT_WORK_TREE": str(tmp_path), "MPLBACKEND": "x", "NUMBA_NUM_THREADS": "0"}
    environment = {**os.environ, "PYTHONPATH": str(Path(files.__file__).parents[1])}
    commits = set()
    for number, more in enumerate(({}, nonsense)):
        command = [sys.executable, "-m", "sim", "run", "s.toml", "--out", str(number)]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment | more, capture_output=True, text=True, check=False
        )
        assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
        commits.add(str(Results(tmp_path / str(number)).origin["computed_by"][0]["commit"]))
    assert len(commits) == 1

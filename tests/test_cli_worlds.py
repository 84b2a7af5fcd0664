"""The command line on worlds that somebody gives: what it shows of them, what it tries on them, what it refuses."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import test_cli
from ensembles import heavy_on_one, kept, saved

from sim.questions import QUESTIONS, ask
from sim.worlds import calibrate as calibration
from sim.worlds import evidence as findings
from sim.worlds import summary as worlds
from sim.worlds import survey
from sim.worlds.ensemble import load
from sim.worlds.evidence import Evidence, Pattern
from sim.worlds.smc import SEEDS, Plan
from sim.worlds.survey import Sizes

TINY = Sizes(1, 1, 2, 3)
N = 40

SURVEY = """
[survey]
monitoring = 0.4
targets = 0.5
relationship = 0.3
monitoring_sd = 0.2
relationship_sd = 0.25
months = 6
window = 3
"""
LEVEL = """
[[pattern]]
id = "unease"
kind = "level"
outcome = "fear"
value = {value}
sd = {sd}
"""
PATH = """
[[pattern]]
id = "fear-course"
kind = "path"
outcome = "fear"
lever = "monitoring"
value_off = 0.1
value_on = 0.9
on = 2
off = 4
months = [3, 6]
values = [0.0, 5.0]
sd = [9.0, 0.01]
"""
CONTRAST = """
[[pattern]]
id = "heavier"
kind = "contrast"
outcome = "fear"
before = "light"
after = "heavy"
value = 0.1
sd = 0.05
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Worlds of unequal weight, in the files of a calibration."""
    return saved(tmp_path_factory.mktemp("worlds") / "made", kept(N))


@pytest.fixture
def folder(files: Path, tmp_path: Path) -> Path:
    """A copy of these files; for the command line, their folder is `mine`."""
    return Path(shutil.copytree(files, tmp_path / "mine"))


@pytest.fixture
def small_surveys(monkeypatch):
    monkeypatch.setattr(worlds, "predict", partial(worlds.predict, sizes=TINY))


def predicted(out: str) -> dict[str, dict[str, float]]:
    """The printed table, by pattern; names may have spaces, numbers have none."""
    head, *lines = (line for line in out.splitlines() if re.search(r"within|-?\d", line))
    names = head.split()[1:]
    rows = (re.split(r"\s+", line.strip()) for line in lines)
    return {" ".join(row[: -len(names)]): dict(zip(names, row[-len(names) :], strict=True)) for row in rows}


def test_worlds_are_shown_with_what_they_can_bear_and_how_they_do_on_each_finding(sim, folder):
    code, out, err = sim("worlds", "--ensemble", "mine")
    assert (code, err) == (0, "")
    w = np.linspace(1.0, 3.0, N)
    size, mass = w.sum() ** 2 / (w**2).sum(), w.reshape(4, -1).sum(axis=1) / w.sum()
    assert f"{N} worlds of 4 calibrations (R_eff {1 / (mass**2).sum():.1f}, the largest weight {mass.max():.2f}" in out
    assert f"effective size {size:.0f}, from {N // 2} distinct ancestors" in out
    patterns = findings.load().patterns
    assert all(pattern.id in out for pattern in patterns)
    assert "Not reached: none." in out


def test_the_tables_and_the_picture_of_the_worlds_are_written_where_asked(sim, folder):
    code, out, _ = sim("worlds", "--ensemble", "mine", "--out", "there")
    assert code == 0
    names = {path.name for path in Path("there").iterdir()} - {"manifest.json"}
    assert names == {"evidence.png", "evidence.svg", "leave_one_out.csv", "mechanisms.csv", "parameters.csv",
                     "patterns.csv"}  # fmt: skip
    assert all(f"there/{name}" in out for name in names)
    pd.testing.assert_frame_equal(pd.read_csv("there/patterns.csv"), worlds.patterns(load(folder)))


def test_findings_of_the_users_own_are_tried_and_nothing_is_fitted_to_them(sim, folder, small_surveys):
    found = []
    before = {path: path.read_bytes() for path in folder.iterdir()}
    for value, sd in ((5.0, 0.01), (0.1, 9.0)):
        Path("own.toml").write_text(SURVEY + LEVEL.format(value=value, sd=sd) + PATH)
        code, out, _ = sim("worlds", "--ensemble", "mine", "--patterns", "own.toml", "--worlds", "25", "--seed", "3")
        assert code == 0
        found.append(predicted(out))
    assert list(found[0]) == ["unease", "fear-course, month 3", "fear-course, month 6"]
    far, near = (rows["unease"] for rows in found)
    assert (float(far["within"]), float(near["within"])) == (0.0, 1.0)
    assert (far["reached"], near["reached"]) == ("False", "True")
    assert [float(found[0][f"fear-course, month {m}"]["within"]) for m in (3, 6)] == [1.0, 0.0]
    for band in ("low", "median", "high"):
        assert far[band] == near[band], "the worlds follow the finding"
    assert 0.0 <= float(far["low"]) < float(far["median"]) < float(far["high"]) < 1.0
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_what_is_printed_is_the_band_of_surveys_of_worlds_taken_by_weight(sim, folder, small_surveys):
    Path("own.toml").write_text(SURVEY + LEVEL.format(value=0.2, sd=0.05))
    _, out, _ = sim("worlds", "--ensemble", "mine", "--patterns", "own.toml", "--worlds", "25", "--out", "there")
    taken, evidence = load(folder).sample(25, 0), findings.load("own.toml")
    taken = replace(taken, seeds=np.random.default_rng(0).integers(SEEDS, size=len(taken)))
    values = np.array([survey.measure(evidence, world, seeds, TINY)["unease"]
                       for world, seeds in zip(taken, taken.surveys(evidence), strict=True)])  # fmt: skip
    within = float(taken.weights @ (np.abs(values - 0.2) <= 0.1))
    row = predicted(out)["unease"]
    assert float(row["within"]) == pytest.approx(within, rel=0.01)
    assert 0.0 < within < 1.0
    assert values.min() < float(row["low"]) < float(row["high"]) < values.max()
    assert pd.read_csv("there/patterns.csv")["within"].item() == pytest.approx(within)
    assert not list(Path("there").glob("*.png"))  # there is no prior to draw


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (LEVEL.format(value=0.2, sd=0.05).replace('"fear"', '"feer"'), ['"unease": outcome', 'did you mean "fear"']),
        (CONTRAST.replace('"heavy"', '"hevy"'), ['"heavier": after', 'did you mean "heavy"']),
        (PATH.replace('"monitoring"', '"monitorng"'), ['"fear-course": lever', 'did you mean "monitoring"']),
        (LEVEL.format(value=0.2, sd=0.0), ['"unease": sd = 0.0', "above 0"]),
        ("", ["[[pattern]]"]),
    ],
)
def test_a_mistake_in_the_findings_is_one_line(sim, folder, text, expected):
    Path("own.toml").write_text(SURVEY + text)
    code, out, err = sim("worlds", "--ensemble", "mine", "--patterns", "own.toml")
    assert (code, out) == (2, "")
    (line,) = test_cli.mistakes(err)
    assert all(words in line for words in ("own.toml", *expected))


def damage(folder: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    main, second = folder / "main-01.parquet", folder / "all_on-01.parquet"
    if how == "another model":
        monkeypatch.setattr("sim.worlds.ensemble_file.identity", lambda *names: "another")
    elif how == "damaged":
        main.write_bytes(b"damaged")
    elif how == "cut off":
        second.write_bytes(second.read_bytes()[:-100])
    elif how == "one missing":
        second.unlink()
    elif how == "too few":
        heavy_on_one(kept(N)).save(main)


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("another model", "main-01.parquet: was made by another version of the model, and its worlds now give other"),
        ("damaged", "main-01.parquet: is damaged or no calibration"),
        ("cut off", "all_on-01.parquet: is damaged or no calibration"),
        ("one missing", "holds no calibration of the prior all_on"),
        ("too few", "worlds of this prior: an effective size of 1.0 worlds is too small to say anything; it takes 20"),
    ],
)
@pytest.mark.parametrize(
    "arguments", [["worlds"], ["claim", "--run", "--out", "there"], ["claim", "tipping", "--out", "there"]]
)
def test_worlds_that_cannot_be_used_are_refused_with_one_line(sim, folder, monkeypatch, arguments, how, expected):
    if "all_on" in expected and "--run" not in arguments:
        pytest.skip("looks at the main prior alone")
    damage(folder, monkeypatch, how)
    code, out, err = sim(*arguments, "--ensemble", "mine")
    assert (code, out) == (2, "")
    (line,) = test_cli.mistakes(err)
    assert expected in line
    assert not Path("there").exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["worlds", "--ensemble", "nowhere"], "nowhere: holds no calibration of the prior main"),
        (["worlds", "--patterns", "nowhere.toml", "--ensemble", "mine"], "nowhere.toml"),
        (["worlds", "--patterns", "own.toml", "--worlds", "5", "--ensemble", "mine"], "5 worlds: an effective size of"),
        (["worlds", "--calibrate", "--out", "own.toml"], "own.toml"),
        (["worlds", "--out", "own.toml", "--ensemble", "mine"], "own.toml"),
        (
            ["claim", "nosuch", "--ensemble", "mine"],
            '"nosuch": no such claim, or question beside them; there are fearful',
        ),
        (
            ["claim", "tiping", "--ensemble", "mine"],
            'or question beside them (did you mean "tipping"?)',
        ),
        (["claim", "tipping", "--worlds", "1", "--ensemble", "mine"], "draws = 1: must be a whole number from 2"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(sim, folder, arguments, expected):
    Path("own.toml").write_text(SURVEY + LEVEL.format(value=0.2, sd=0.05))
    before = sorted(Path().rglob("*"))
    code, _, err = sim(*arguments)
    assert code == 2
    (line,) = test_cli.mistakes(err)
    assert expected in line
    assert sorted(Path().rglob("*")) == before


def test_a_question_beside_the_claims_is_answered_and_its_tables_are_written(sim, folder, monkeypatch):
    question = QUESTIONS["tipping"]
    small = partial(question, levels=(0.1, 0.9), hold=2, rest=2, systems=1, organisations=2, managers=2)
    monkeypatch.setitem(QUESTIONS, "tipping", small)
    code, out, err = sim("claim", "tipping", "--ensemble", "mine", "--worlds", "3", "--seed", "4", "--out", "there")
    assert code == 0
    assert "3 of 3 draws" in err
    reply = ask("tipping", load(folder), 3, 4)
    assert out.startswith(f"{reply.question}\n\n{reply.sentences[0]}")
    names = {path.name for path in Path("there").iterdir()} - {"manifest.json"}
    assert names == {"tipping_curve.csv", "tipping_shares.csv", "tipping_worlds.csv"}
    assert all(f"there/{name}" in out for name in names)
    assert len(pd.read_csv("there/tipping_worlds.csv")) == 3


@pytest.fixture
def small_calibration(monkeypatch):
    setting = {"monitoring": 0.4, "targets": 0.5, "relationship": 0.3, "months": 6, "window": 3}
    finding = Pattern("readiness", "level", 0.05, 0.2, needs={"outcome": "initiative_rate"})
    small = {
        "plan": Plan(60, (20,), 40, 30, 1, 5),
        "sizes": TINY,
        "evidence": Evidence(setting, (finding,)),
        "kept": 25,
    }
    whole = calibration.calibrate

    def calibrate(folder, number, **options):
        return whole(folder, number, **{**options, **small})

    monkeypatch.setattr(calibration, "calibrate", calibrate)
    monkeypatch.setattr(calibration, "PRIORS", {"main": {"off": 0.15, "runs": 2}, "all_on": {"off": 0.0, "runs": 1}})


@pytest.mark.slow
def test_worlds_are_made_again_under_both_priors_and_used_from_their_folder(sim, small_calibration):
    code, _, err = sim("worlds", "--calibrate", "--prior", "all_on", "--out", "made")
    assert code == 0
    assert "worlds surveyed" in err
    code, out, _ = sim("worlds", "--calibrate", "--out", "made")
    assert code == 0
    main, second = load("made"), load("made", "all_on")
    assert f"{len(main)} worlds of 2 calibrations" in out
    assert main.off.any()
    assert not second.off.any()
    assert all(f"made/main-0{number}.parquet" in out for number in (1, 2))
    batches = {path: path.stat().st_mtime_ns for path in Path("made").rglob("*.npz")}
    files = [path.read_bytes() for path in Path("made").glob("*.parquet")]
    assert len(batches) >= 6
    code, again, _ = sim("worlds", "--calibrate", "--out", "made")
    assert (code, again) == (0, out)
    assert {path: path.stat().st_mtime_ns for path in Path("made").rglob("*.npz")} == batches
    assert [path.read_bytes() for path in Path("made").glob("*.parquet")] == files
    code, shown, _ = sim("worlds", "--ensemble", "made")
    assert (code, shown.strip()) == (0, out[: out.index("Written:")].strip())

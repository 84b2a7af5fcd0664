"""The command line: what it prints, what it exits with, and that every mistake is one line without a traceback."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from answers import drawn
from ensembles import by_hand, few_pairs, make_answers_small

from sim import __version__, cli
from sim.claims.answer import claims_named
from sim.claims.statements import CLAIMS
from sim.claims.structure import WEIGHTS
from sim.files import Folder
from sim.model import engine
from sim.model.mechanisms import REGIMES
from sim.model.outcomes import OUTCOMES
from sim.model.parameters import LEVERS, PARAMETERS
from sim.plots.claims import better_or_worse
from sim.study.file import GALLERY

COMMANDS = ["list", "claim", "worlds", "run", "show", "new", "check", "parameters"]
TINY_CLAIM = ["claim", "--run", "--worlds", "20", "--systems", "1", "--months", "3"]

STUDY = """
title = "A tiny study"
seeds = 2
[parameters]
systems = 1
organisations = 2
managers = 2
months = 3
[design]
kind = "grid"
monitoring = [0.1, 0.9]
[outcomes]
keep = ["fear", "quality"]
"""


def mistakes(err: str) -> list[str]:
    """The lines on standard error, which must all be ours and hold no traceback; without those that show the place."""
    assert "Traceback" not in err
    lines = err.splitlines()
    assert all(line.startswith("sim: ") for line in lines), err
    return [line for line in lines if not line.startswith("sim:  ")]


def test_without_arguments_it_helps(sim):
    code, out, _ = sim()
    assert code == 0
    assert all(command in out for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_helps_in_plain_words(sim, command):
    code, out, _ = sim(command, "-h")
    assert code == 0
    assert out == sim(command, "--help")[1]
    assert "[[" not in out
    assert not re.search(r"--\w+ <", out), "an option that tells its type instead of what it takes"


def test_it_says_its_version(sim):
    assert sim("--version")[:2] == (0, f"leadership-sim {__version__}\n")


def test_a_shell_completes_commands_and_options():
    for line, place, expected in (("sim sh", 1, "show"), ("sim show --fi", 2, "--figure")):
        env = {**os.environ, "_SIM_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(place)}
        done = subprocess.run([sys.executable, "-m", "sim"], env=env, capture_output=True, text=True, check=True)
        assert expected in done.stdout.split()


def test_what_there_is_is_listed(sim, undrawn):
    Path("mine.toml").write_text(STUDY)
    Path("pyproject.toml").write_text('[project]\nname = "theirs"\n')
    Path("broken.toml").write_text("title = \n")
    Path("results/photos").mkdir(parents=True)
    assert sim("run", "mine.toml")[0] == 0
    Folder("results/claim-fear", "the answer of sim claim fear").fill({"claims.txt": b""})
    code, every, _ = sim("list")
    assert code == 0
    assert re.search(r"^  mine\.toml +A tiny study$", every, re.M)
    assert re.search(r"^  results/mine +A tiny study: 4 runs, 0 to be done$", every, re.M)
    assert re.search(r"^  results/claim-fear +the answer of sim claim fear$", every, re.M)
    assert not re.search("pyproject|broken|photos", every)
    assert all(re.search(rf"^  {name} ", every, re.M) for name in [*REGIMES, *(claim.id for claim in CLAIMS)])
    assert all(sim("list", kind)[1].startswith(kind.upper()) for kind in ("studies", "results", "claims", "regimes"))
    assert all(claim.statement in sim("list", "claims")[1] for claim in CLAIMS)


@pytest.fixture
def few_worlds(monkeypatch):
    """Ensembles made by hand in the place of those that come with the package, and fewer pictures."""
    made = {"main": by_hand(), "all_on": by_hand(off=0.0)}
    monkeypatch.setattr("sim.worlds.ensemble.load", lambda folder=None, prior="main": made[prior])
    make_answers_small(monkeypatch)
    with few_pairs():
        yield


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Where an answer is kept once it was computed, and what was printed then."""
    return {"folder": tmp_path_factory.mktemp("kept") / "answer"}


@pytest.fixture
def computed(sim, few_worlds, kept):
    """What `sim claim --run` printed; its answer, computed once, is in the folder `answer`."""
    if "told" not in kept:
        kept["told"] = sim(*TINY_CLAIM, "--out", "answer")
        shutil.copytree("answer", kept["folder"])
    else:
        shutil.copytree(kept["folder"], "answer")
    return kept["told"]


def test_an_answer_is_computed_shown_on_one_screen_and_written_whole(computed):
    code, out, err = computed
    assert code == 0
    lines = out.splitlines()
    assert len(lines) <= 24 and max(map(len, lines)) <= 80
    assert " ".join(lines[-2:]).endswith("pictures and tables: answer/report.html")
    names = {path.name for path in Path("answer").iterdir()}
    assert names >= {"claims.csv", "claims.parquet", "claims.png", "claims.svg", "claims.txt", "effects.parquet"}
    whole = Path("answer/claims.txt").read_text(encoding="utf-8")
    assert re.search(r"^pays: Surveillance makes services better", whole, re.M)
    assert "20 of 24 worlds" in " ".join(whole.split())
    assert not Path("answer/unfinished").exists()
    assert "worlds" in err  # the progress


def test_one_claim_is_answered_in_depth(sim, few_worlds):
    code, out, _ = sim("claim", "relationship", *TINY_CLAIM[1:], "--out", "answer")
    assert code == 0
    assert "Quality of care is best with all of the budget on relationships" in " ".join(out.split())
    assert "pays:" not in out


def test_a_stored_answer_is_shown_checked_and_asked_which_study_would_change_it(sim, computed):
    assert sim("claim", "--answer", "answer")[1].endswith("The whole report: answer/report.html\n")
    code, out, _ = sim("claim", "fear", "--answer", "answer", "--out", "fear")
    assert code == 0 and "Does it hold for fear?" in " ".join(out.split()) and Path("fear/claims.png").exists()
    code, out, _ = sim("claim", "--check", "--answer", "answer", "--worlds", "20")
    assert code in (0, 1)  # so few managers have too few events for errors to be trusted
    assert "10 effects were computed again to the bit" in out and "is stored" not in out


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """An answer in the place of the one that comes with the package."""
    (tmp_path / "shipped.zip").write_bytes(drawn(claims_named("fear", "pays")).file())
    monkeypatch.setattr("sim.claims.stored.SHIPPED", tmp_path / "shipped.zip")


def test_the_first_command_leaves_a_report_and_says_where(sim, shipped):
    code, out, _ = sim("claim")
    assert code == 0 and out.endswith("The whole report: results/claim/report.html\n")
    assert {path.name for path in Path("results/claim").iterdir()} == {"report.html", "claims.txt", "manifest.json"}
    assert sim("claim")[1] == out


def test_a_report_is_never_written_over_anything_else_and_the_answer_is_shown_all_the_same(sim, shipped):
    Path("results/claim").mkdir(parents=True)
    Path("results/claim/mine.txt").write_text("mine")
    code, out, _ = sim("claim")
    assert code == 0 and "No report was written: results/claim" in out
    assert "It makes leaders fearful" in out
    assert [path.name for path in Path("results/claim").iterdir()] == ["mine.txt"]


def test_letters_that_a_terminal_lacks_are_spelt(sim, shipped, monkeypatch):
    class Old(io.StringIO):
        encoding = "ascii"

    out = Old()
    monkeypatch.setattr(sys, "stdout", out)
    cli._echo("█░▒ −3 ◐ “so”")
    assert out.getvalue() == '#.x -3 + "so"\n'


def test_slides_are_written_of_an_answer(sim, shipped, monkeypatch):
    pytest.importorskip("pptx")
    monkeypatch.setattr("sim.report.slides.pictures", lambda found: {"claims": better_or_worse(found)})
    code, out, _ = sim("show", "--slides", "deck.pptx")
    assert code == 0 and "deck.pptx" in out and Path("deck.pdf").read_bytes().startswith(b"%PDF")


def test_a_stored_answer_is_formed_again_under_other_choices(sim, computed, monkeypatch):
    few = [choice for choice in WEIGHTS if choice.name in ("tolerances wider", "first limits")]
    monkeypatch.setattr("sim.claims.structure.choices_of", lambda _: few)
    code, out, err = sim("claim", "--structure", "--answer", "answer", "--out", "otherwise")
    assert code == 0 and "0 surveys of 20 worlds" in err
    assert re.search(r"^fear: .*no verdict: tolerances wider", out, re.M)
    assert {path.name for path in Path("otherwise").iterdir()} >= {"answer.zip", "structure.csv", "structure.png"}
    otherwise, before = (sim("claim", "--answer", name)[1].splitlines() for name in ("otherwise", "answer"))
    assert otherwise[:-1] == before[:-1]
    assert otherwise[-1] == "The whole report: add --out FOLDER to write it."


def test_without_a_stored_answer_one_line_says_how_to_compute_it(sim, monkeypatch):
    monkeypatch.setattr("sim.claims.stored.SHIPPED", Path("nowhere.zip"))
    code, _, err = sim("claim")
    assert code == 2
    assert mistakes(err) == ["sim: nowhere.zip: there is no stored answer here; sim claim --run computes one"]


@pytest.mark.slow
def test_an_interrupted_answer_keeps_what_is_finished_and_says_how_to_go_on(sim, few_worlds, monkeypatch):
    monkeypatch.setattr("sim.worlds.evaluate.BLOCK", 10)
    monkeypatch.setattr(cli, "_leave", sys.exit)

    def stopped(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("sim.report.claims.save", stopped)
        code, _, err = sim(*TINY_CLAIM, "--out", "answer")
    assert code == 130
    assert "to go on: sim claim --run --worlds 20" in err
    assert list(Path("answer/unfinished").glob("*.npz"))
    managers, bare = [], engine.run

    def counted(p, *more, **named):
        managers.append(p.managers)
        return bare(p, *more, **named)

    with monkeypatch.context() as patched:
        patched.setattr(engine, "run", counted)
        code, _, err = sim(*TINY_CLAIM, "--out", "answer")
    assert code == 0
    assert {*managers} == {1}, "but for warming up, something is computed again"
    assert not Path("answer/unfinished").exists()


def test_a_study_is_checked_and_run(sim):
    Path("study.toml").write_text(STUDY)
    code, out, _ = sim("check", "study.toml")
    assert code == 0
    assert "4 runs in 2 cells, 0 of them done" in out
    code, out, _ = sim("run", "study.toml", "--out", "there")
    assert code == 0
    assert "4 runs in 2 cells" in out
    assert Path("there/ledger").exists()
    assert {path.name for path in Path("there").glob("*.*")} >= {"figure.png", "figure.svg", "summary.csv"}
    code, out, _ = sim("check", "study.toml", "--out", "there", "--set", "seeds=3")
    assert "6 runs in 2 cells" in out


def test_a_study_is_run_in_parts_that_are_merged(sim, undrawn):
    Path("study.toml").write_text(STUDY)
    for number in (1, 2):
        code, out, _ = sim("run", "study.toml", "--part", f"{number}/2")
        assert code == 0
    assert out == "Part 2 of 2: 0 of 4 runs are in results/study-parts/2-of-2\n"
    code, out, _ = sim("run", "study.toml", "--merge", "results/study-parts")
    assert code == 0
    assert "4 runs in 2 cells" in out
    assert Path("results/study/report.html").exists()
    for wrong in ("3/2", "0/2", "1", "1/2/3", "-1/2", "²/2"):
        code, _, err = sim("run", "study.toml", f"--part={wrong}")
        assert code == 2
        assert err == f'sim: --part "{wrong}": must be such as 3/20, the third of twenty parts\n'


@pytest.mark.parametrize("name", ["fear", "monitoring", "heavy", "gaming", "loss_aversion", "months", "spoken"])
def test_a_name_is_explained(sim, name):
    code, out, _ = sim("parameters", name)
    assert code == 0
    assert out.startswith(f"{name} (")
    assert "values" in out or "default" in out or "levers" in out


def test_every_meaning_of_a_name_is_explained(sim):
    _, out, _ = sim("parameters", "cooperation")
    assert "cooperation (mechanism)" in out
    assert "cooperation (outcome)" in out


def test_all_names_are_listed_by_group(sim):
    code, out, _ = sim("parameters")
    assert code == 0
    assert out.startswith("LEVERS: ")
    assert re.search(r"^  loss_aversion +how much more losses weigh than gains +2 \(1 to 5\)$", out, re.M)
    assert re.search(r"^  monitoring +how closely managers are watched +0.45$", out, re.M)
    assert max(map(len, out.splitlines())) <= 110


def test_a_group_is_explained_as_a_whole(sim):
    _, out, _ = sim("parameters", "levers")
    assert all(lever in out for lever in LEVERS) and "fear_blamed" not in out
    assert "At 0 nobody asks for the number, at 1 everything depends on it. Default: 0.5; share." in " ".join(
        out.split()
    )
    _, out, _ = sim("parameters", "fear")  # an outcome, and a group of parameters
    assert out.startswith("fear (outcome)")
    assert re.search(r"^  fear_blamed +how much a sanction frightens", out, re.M)


def test_all_names_are_written_with_their_ranges(sim):
    assert sim("parameters", "--csv", "names.csv", "--json", "names.json")[0] == 0
    table = pd.read_csv("names.csv").set_index(["kind", "name"])
    fear_blamed = table.loc[("parameter", "fear_blamed")]
    assert (fear_blamed["low"], fear_blamed["high"], fear_blamed["null"]) == (0.05, 0.6, 0.0)
    assert {name for kind, name in table.index if kind in ("parameter", "lever", "size")} == PARAMETERS.keys()
    assert {name for kind, name in table.index if kind == "outcome"} == OUTCOMES.keys()
    assert [one["name"] for one in json.loads(Path("names.json").read_text())] == list(table.index.get_level_values(1))
    code, _, err = sim("parameters", "--csv", "names.csv")
    assert code == 2 and "is there already" in err


def test_run_without_a_study_says_which_there_are(sim):
    code, out, err = sim("run")
    assert code == 2
    assert all(re.search(rf"^  {path.stem} +\S", out, re.M) for path in GALLERY.glob("*.toml"))
    assert "sim new" in out and "sim run surveillance" in out
    assert mistakes(err) == ["sim: STUDY: missing; name a study, such as surveillance or my_study.toml"]


def test_a_study_of_the_gallery_is_known_by_its_name_and_one_of_ones_own_goes_first(sim, undrawn):
    small = ["--set", "seeds=1", "--set", "systems=1", "--set", "months=25"]
    code, out, _ = sim("run", "harder", *small, "--out", "there")
    assert code == 0 and out.startswith("Does surveillance make the work harder?")
    Path("harder.toml").write_text(STUDY)
    assert "A tiny study" in sim("check", "harder")[1]
    code, out, _ = sim("check", "Harder")
    assert code == 2


def test_results_are_known_by_their_study(sim, undrawn):
    Path("mine.toml").write_text(STUDY)
    assert sim("run", "mine")[0] == 0
    shown = {sim("show", name)[1] for name in ("mine", "mine.toml", "results/mine")}
    assert len(shown) == 1 and "A tiny study" in shown.pop()
    assert "there are results/mine" in sim("show", "results")[2]
    assert "there are results/mine" in sim("show", "yours")[2]


def test_a_table_that_is_too_wide_is_turned_and_outcomes_keep_the_order_of_the_file(sim, undrawn):
    Path("wide.toml").write_text(STUDY.split("[outcomes]", maxsplit=1)[0])
    _, out, _ = sim("run", "wide")
    assert max(len(line) for line in out.splitlines() if "±" in line) < 60
    assert re.search(r"^quality  +\d", out, re.M)
    Path("order.toml").write_text(STUDY.replace('["fear", "quality"]', '["quality", "harm", "fear"]'))
    assert re.search(r"^cell +monitoring +quality +harm +fear$", sim("run", "order")[1], re.M)


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (("monitoring = [0.1, 0.9]", "monitoring = [0,1]"), "two values, 0 and 1; one number is written 0.1"),
        (("seeds = 2", "seed = 2"), "seed = 2: is the first of 30 seeds"),
        (("months = 3", "months = 24"), "window = 24: the runs have 24 months"),
        (("months = 3", "months = 25\nfear_blamed = 0.99"), "outside the plausible range, 0.05 to 0.6"),
    ],
)
def test_what_is_allowed_and_may_not_be_meant_is_noted(sim, change, note):
    text = STUDY.replace("months = 3", "months = 25")
    Path("plain.toml").write_text(text)
    assert "note:" not in sim("check", "plain.toml")[2]
    Path("study.toml").write_text((STUDY if change[0] in STUDY and "months" in change[0] else text).replace(*change))
    code, _, err = sim("check", "study.toml")
    assert code == 0
    assert [line for line in err.splitlines() if line.startswith("note: ") and note in line]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["parameters", "feer"], ["fear"]),
        (["clam"], ["clam"]),
        (["show", "--template", "trust.potx"], ["--template: belongs to slides"]),
        (["show", "--slides", "deck.pptx", "--film", "film.gif"], ["--film: is no part of the slides"]),
        (["show", "--slides", "deck.ppt"], ["deck.ppt: a deck ends in .pptx"]),
        (["claim", "--run", "--systems", "one"], ["--systems: must be a whole number"]),
        (["claim", "--run", "--systems", "1000000000"], ["GiB"]),
        (["claim", "--run", "--months", "0"], ["--months: must be at least 1"]),
        (["claim", "--structure", "--run"], ["--structure: --run computes"]),
        (["claim", "--full"], ["--full: the answer is stored; add --run"]),
        (["claim", "--worlds", "50"], ["--worlds: the answer is stored; add --run"]),
        (["claim", "--run", "--check"], ["--check: --run computes an answer"]),
        (["claim", "tipping", "--check"], ["--check: a question beside the claims is always run"]),
        (["claim", "--nonsense"], ["--nonsense"]),
        (["list", "study"], ["studies"]),
        (["claim", "faer"], ["fear"]),
        (["claim", "--run", "--worlds", "5"], ["worlds"]),
        (["claim", "--run", "--out", "file.txt/below"], ["file.txt"]),
        (["check", "a.toml", "b.toml"], ["b.toml: one too many; give one at a time"]),
        (["run", "toxic", "--set", "seeds", "1"], ["write --set NAME=VALUE"]),
        (["parameters", "fear", "--csv", "names.csv"], ["--json: all names are written; leave out NAME"]),
        (["run", "missing.toml"], ["missing.toml"]),
        (["run", "."], ["cannot be read"]),
        (["check", "bad.toml"], ["line 1"]),
        (["run", "typo.toml"], ["monitoring", "heavy", "fear"]),
    ],
)
def test_a_mistake_is_a_line_on_standard_error_and_exit_2(sim, arguments, expected):
    Path("file.txt").write_text("a file, no folder")
    Path("bad.toml").write_text("title = \n")
    Path("typo.toml").write_text('regime = "hevy"\n[parameters]\nmonitorng = 1\n[outcomes]\nkeep = ["feer"]\n')
    before = sorted(Path().rglob("*"))
    code, out, err = sim(*arguments)
    assert code == 2
    assert out == ""
    assert all(word in err for word in expected)
    assert len(mistakes(err)) == len(expected)
    assert sorted(Path().rglob("*")) == before, "something was written"


def test_a_failure_of_ours_exits_with_1(sim, monkeypatch):
    def broken(name: str) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("sim.model.glossary.meanings", broken)
    code, _, err = sim("parameters", "monitoring")
    assert code == 1
    assert "mistake in the program" in err


def test_python_m_sim_does_the_same_and_a_reader_may_leave_early():
    listing = subprocess.run([sys.executable, "-m", "sim", "parameters"], capture_output=True, text=True, check=True)
    assert listing.stdout.startswith("LEVERS")
    early = subprocess.run(
        f"'{sys.executable}' -m sim parameters | head -n 1", shell=True, capture_output=True, text=True, check=False
    )
    assert early.stderr == "", "a traceback, where somebody had merely seen enough"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_output_that_cannot_be_written_is_one_line():
    done = subprocess.run(
        f"'{sys.executable}' -m sim parameters > /dev/full", shell=True, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert len(mistakes(done.stderr)) == 1


def test_letters_that_the_terminal_lacks_are_no_failure(tmp_path):
    (tmp_path / "study.toml").write_text(STUDY.replace("A tiny study", "Ω − fear"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "sim", "check", "study.toml"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "cp1252"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout.startswith(rb"\u03a9")


def test_a_sampled_study_says_what_matters(sim):
    design = 'kind = "lhs"\nsamples = 12\nmonitoring = [0.1, 0.9]\ndeterrence = "range"'
    Path("study.toml").write_text(STUDY.replace('kind = "grid"\nmonitoring = [0.1, 0.9]', design))
    code, out, _ = sim("run", "study.toml", "--out", "there")
    assert code == 0
    assert "fear" in out.lower()
    assert "sensitivity.csv" in out
    code, shown, _ = sim("show", "there", "--csv", "runs.csv")
    assert code == 0
    assert shown.splitlines()[:3] == out.splitlines()[:3]
    assert len(Path("runs.csv").read_text().splitlines()) == 1 + 24


def test_ctrl_c_while_something_is_cleared_away_is_heard(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background may ignore it

    class Finished:
        def __del__(self) -> None:
            raise KeyboardInterrupt  # as if it came now, when Python can only tell of it

    with pytest.raises(KeyboardInterrupt), cli._interrupts_heard():
        Finished()
        time.sleep(1.0)
    signal.signal(signal.SIGINT, before)
    assert capsys.readouterr().err == ""

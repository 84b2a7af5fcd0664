"""The film: two runs of one seed side by side, whose words and numbers are those of the runs."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib import colormaps
from PIL import Image

from sim import cli
from sim.errors import InputError
from sim.model import words
from sim.model.rules import START_FEAR
from sim.model.run import simulate
from sim.plots import film as animation
from sim.plots import theme
from sim.study import Results, Study

TINY = {"systems": 2, "organisations": 3, "managers": 2, "months": 4, "window": 4}


@pytest.fixture(scope="module")
def takes():
    return tuple(
        animation.Take(f"{name} oversight", simulate(3, name, record_organisations=True, **TINY), name)
        for name in ("light", "heavy")
    )


@pytest.fixture(scope="module")
def frames(takes):
    return list(animation.frames_of(takes))


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    table = {
        "seeds": 1,
        "seed": 7,
        "parameters": {k: v for k, v in TINY.items() if k != "window"},
        "design": {"kind": "grid", "monitoring": [0.1, 0.5, 0.9]},
        "outcomes": {"keep": ["fear"], "window": 4},
    }
    return Study.from_dict(table).run(tmp_path_factory.mktemp("study") / "r", workers=1)


def mistakes(path, *arguments, **settings):
    with pytest.raises(InputError) as caught:
        animation.save(path, *arguments, **settings)
    assert not path.exists()
    return caught.value.lines


def staged(takes):
    with theme.style():
        return animation.Stage(takes)


def test_there_is_a_frame_for_the_start_and_for_each_month_and_each_looks_different(frames):
    assert len(frames) == TINY["months"] + 1
    assert all(frame.shape == (720, 1280, 3) for frame in frames)
    assert len({frame.tobytes() for frame in frames}) == len(frames)


def test_both_sides_are_alike_at_the_start(takes):
    shown = staged(takes)
    shown.at(0)
    left, right = (dots.get_array().tolist() for dots in shown._dots)
    assert left == right and len(set(left)) == 1
    assert {text.get_text() for pair in shown._values for text in pair} == {"–"}


def test_the_dots_have_the_colour_of_the_fear_in_their_organisation(takes):
    shown = staged(takes)
    for month in (1, 4):
        shown.at(month)
        for dots, take in zip(shown._dots, takes, strict=True):
            table = take.run.organisations
            assert dots.get_array().tolist() == table.loc[table["month"] == month, "fear"].tolist()


def test_fear_draws_itself_as_a_line_from_the_same_start(takes):
    shown = staged(takes)
    shown.at(3)
    for line, take in zip(shown._lines, takes, strict=True):
        assert line.get_xdata().tolist() == [0, 1, 2, 3]
        means = take.run.series["fear"].expanding().mean().to_numpy()[:3]
        assert line.get_ydata() == pytest.approx(100 * np.array([START_FEAR, *means]))


def test_the_title_grows_with_the_years_and_ends_in_worlds(monkeypatch):
    monkeypatch.setattr(animation, "in_how_many", lambda takes: "Fear rises in 30 of 100 plausible worlds.")
    longer = {**TINY, "months": 25}
    takes = tuple(animation.Take(n, simulate(3, n, record_organisations=True, **longer), n) for n in ("light", "heavy"))
    shown = staged(takes)
    told = []
    for month in (0, 11, 12, 23, 24, 25):
        shown.at(month)
        told.append(shown._title.get_text())
    assert told[0] == told[1] and told[0].endswith("?")
    assert told[2] == told[3] and told[2].startswith("After 1 year, fear is")
    assert told[4].startswith("After 2 years, fear is")
    assert told[5].startswith("After 25 months, fear is") and "30 of 100" in told[5]


def test_in_how_many_worlds_it_goes_so_is_that_of_an_answer_to_the_same_question(takes):
    row = {"outcome": "fear", "direction": -1, "above": 0.3, "within": 0.6, "below": 0.1}

    def found(contrast, notes=()):
        rows = [{**row, "contrast": contrast}]
        return SimpleNamespace(notes=notes, rows=lambda name: rows if name == "vector" else [])

    told = animation.in_how_many(takes, found("heavy - light"))
    assert told == "This is one world. Fear hardly changes in 60 of 100 plausible worlds."
    assert animation.in_how_many(takes, found("punitive - light")) == "This is one world of many."
    assert animation.in_how_many(takes, found("heavy - light", ("NOT THIS MODEL'S ANSWER",))) == (
        "This is one world of many."
    )


def test_the_numbers_are_those_of_the_run_and_the_clock_counts_from_one(takes):
    shown = staged(takes)
    shown.at(4)
    assert shown._clock.get_text() == "Year 1, month 4"
    for k, name in enumerate(animation.COUNTERS):
        for text, take in zip(shown._values[k], takes, strict=True):
            mean = words.natural(name, take.run.series[name].mean())
            assert float(text.get_text()) == pytest.approx(mean, abs=0.5)


def test_no_text_leaves_the_picture_or_covers_another(takes):
    shown = staged(takes)
    shown.at(4)
    renderer = shown._canvas.get_renderer()
    found = [(t.get_text(), t.get_window_extent(renderer)) for t in shown._figure.texts]
    for text, box in found:
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= 1280 and box.y1 <= 720, text
    for k, (one, a) in enumerate(found):
        for other, b in found[k + 1 :]:
            assert min(a.x1, b.x1) - max(a.x0, b.x0) <= 1 or min(a.y1, b.y1) - max(a.y0, b.y0) <= 2, (one, other)


def test_the_finding_is_computed_from_the_last_year(takes):
    light, heavy = (take.run.series["fear"].mean() for take in takes)
    told = words.effect("fear", heavy - light)
    assert animation.finding(takes) == f"After 4 months, fear is {told} under heavy oversight"
    assert "fear is the same under light oversight" in animation.finding((takes[0], takes[0]))


def test_more_fear_is_darker_in_grey_too():
    grey = colormaps[animation.COLOURS](np.linspace(0, 1, len(animation.STEPS) + 1))[:, :3] @ [0.299, 0.587, 0.114]
    assert (np.diff(grey) < -0.03).all()


@pytest.mark.parametrize("n", [1, 2, 3, 5, 7, 8, 20])
def test_dots_of_a_system_stay_in_their_square_and_do_not_overlap(n):
    radius, places = animation.places(n)
    found = np.array(places)
    assert len(found) == n
    assert (np.abs(found) + radius <= 0.45).all()
    apart = np.hypot(*(found[:, None] - found[None, :]).transpose(2, 0, 1))[np.triu_indices(n, 1)]
    assert (apart >= 2 * radius - 1e-9).all()


def test_a_gif_carries_words_and_provenance_and_has_the_same_bytes_again(tmp_path):
    one, two = (animation.save(tmp_path / name, ["light", "heavy"], 3, **TINY) for name in ("one.gif", "two.gif"))
    assert one.read_bytes() == two.read_bytes()
    with Image.open(one) as image:
        assert image.n_frames == TINY["months"] + 1
        about = json.loads(image.info["comment"])
    assert about["title"].startswith("After 4 months, fear is ")
    assert "6 organisations in 2 systems" in about["alt"]
    assert [origin["seed"] for origin in about["provenance"]] == [3, 3]


def test_an_mp4_is_a_film_of_the_same_frames(tmp_path):
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    path = animation.save(tmp_path / "film.mp4", seed=3, **TINY)
    still = 2 * animation._STILL * animation._A_SECOND
    assert ffmpeg.count_frames_and_secs(str(path))[0] == TINY["months"] - 1 + still
    assert b"After 4 months, fear is" in path.read_bytes()


def test_the_film_of_a_study_shows_its_first_and_last_cell(results, tmp_path):
    first, last = animation._of_results(Results(results.folder))
    assert (first.name, last.name) == ("monitoring 0.1", "monitoring 0.9")
    fear = [take.run.series["fear"].mean() for take in (first, last)]
    assert fear == results.runs["fear"].iloc[[0, -1]].tolist(), "the runs are those of the study, to the bit"
    assert animation.save(tmp_path / "study.gif", results=results).stat().st_size


def test_mistakes_are_named_all_at_once_and_nothing_is_written(tmp_path, results, monkeypatch):
    assert mistakes(tmp_path / "a.gif", ["light", "hevy"])[0].startswith(
        '--regimes = "hevy": no such regime (did you me'
    )
    assert mistakes(tmp_path / "a.gif", ["light"]) == ("--regimes light: must be two names, such as light,heavy",)
    lines = mistakes(tmp_path / "a.gof", ["hevy"])
    assert len(lines) == 3 and lines[-1].endswith('a.gof: must end in .gif or .mp4 (did you mean ".gif"?)')
    assert mistakes(tmp_path / "no" / "a.gif")[0].endswith("cannot be written: no such folder")
    assert mistakes(tmp_path / "a.gif", ["light", "heavy"], results=results)[0].startswith(
        "--regimes: the film of a st"
    )
    monkeypatch.setattr(animation, "find_spec", lambda name: None)
    (line,) = mistakes(tmp_path / "a.mp4")
    assert "pip install '.[film]'" in line


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "RESULTS: missing"),
        (["--film", "a.gif", "--csv", "a.csv"], "RESULTS: missing"),
        (["--film", "a.gif", "--regimes", "light,hevy"], "hevy"),
        (["--film", "a.gif", "--seed", "-1"], "--seed"),
        (["--film", "a.txt"], ".mp4"),
        (["--seed", "1"], "--film"),
    ],
)
def test_a_mistake_at_the_shell_is_one_line(arguments, expected, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["sim", "show", *arguments])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    out, err = capsys.readouterr()
    assert (stop.value.code, out, len(err.splitlines())) == (2, "", 1)
    assert expected in err
    assert not any(tmp_path.iterdir())


def test_runs_of_different_lengths_make_no_film(tmp_path):
    design = {"kind": "grid", "months": [4, 6]}
    parameters = {name: TINY[name] for name in ("systems", "organisations", "managers")}
    study = Study.from_dict({"seeds": 1, "parameters": parameters, "design": design, "outcomes": {"window": 4}})
    results = study.run(tmp_path / "r", workers=1)
    assert "last 4 and 6 months" in mistakes(tmp_path / "a.gif", results=results)[0]

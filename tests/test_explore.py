"""What the app asks of the model: two sides replayed, as an address, as a study, as a line of Python."""

from __future__ import annotations

import json
import tomllib
from io import BytesIO

import pytest
from PIL import Image

import sim
from sim import explore
from sim.explore import Comparison, Side
from sim.outcomes import OUTCOMES
from sim.parameters import MECHANISMS
from sim.show import explore as pictures
from sim.study import Study

OTHER = Comparison(Side.of("just_culture", monitoring=0.35, targets=0.9), Side.of("light"), 7, ("gaming", "cascade"))
SHOWN = explore.OUTCOMES_SHOWN


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """A system instead of six, three runs instead of eight."""
    monkeypatch.setattr(explore, "SYSTEMS", 1)
    monkeypatch.setattr(explore, "REPLICATIONS", 3)
    explore.replay.cache_clear()
    explore.without_each.cache_clear()
    yield
    explore.replay.cache_clear()


def test_a_side_is_its_regime_until_a_lever_is_moved():
    assert Side.of("heavy").moved == {}
    assert Side.of("heavy", targets=0.8).moved == {}
    assert Side.of("heavy", targets=0.7).moved == {"targets": 0.7}
    assert Side.of("heavy", targets=0.7).text == "heavy, targets 0.7"


def test_the_seed_shown_is_the_seed_of_the_first_run_and_the_others_follow():
    a, b = OTHER.sides
    assert [run.seed for run in a.runs] == [run.seed for run in b.runs] == [7, 8, 9]
    again = sim.simulate(7, "just_culture", monitoring=0.35, targets=0.9, mechanisms_off=OTHER.off, systems=1)
    assert a.paths("fear")[0].tolist() == again.series["fear"].tolist()


def test_an_address_brings_back_the_comparison():
    query = dict(pair.split("=") for pair in explore.address(OTHER)[1:].split("&"))
    assert explore.from_address(query) == (OTHER, [])
    assert explore.from_address({}) == (explore.START, [])


@pytest.mark.parametrize(
    ("query", "line"),
    [
        ({"seed": "abc"}, 'seed = "abc": must be a whole number from 0 to'),
        ({"seed": "-1"}, 'seed = "-1": must be'),
        ({"seed": "9" * 5000}, "seed = "),
        ({"monitoring": "9"}, 'monitoring = "9": must be a number from 0 to 1'),
        ({"b_targets": "nan"}, 'b_targets = "nan": must be a number from 0 to 1'),
        ({"regime": "hevy"}, 'regime = "hevy": no such regime (did you mean "heavy"?)'),
        ({"monitorng": "0.5"}, 'monitorng: no setting has this name (did you mean "monitoring"?)'),
        ({"mechanisms_off": "gamin"}, 'mechanisms_off = "gamin": no such mechanism (did you mean "gaming"?)'),
    ],
)
def test_a_mistake_in_the_address_is_one_line_and_changes_nothing(query, line):
    comparison, lines = explore.from_address(query)
    assert len(lines) == 1
    assert lines[0].startswith(line)
    assert len(lines[0]) < 200
    assert comparison == explore.START


def test_all_mistakes_of_an_address_are_named_at_once_and_the_rest_counts():
    comparison, lines = explore.from_address({"seed": ["x"], "monitoring": "high", "b_regime": "supportive"})
    assert len(lines) == 2
    assert comparison.b == Side.of("supportive")


def test_the_saved_study_does_the_same_runs(tmp_path):
    file = tmp_path / "my_study.toml"
    file.write_text(explore.study(OTHER, ("fear", "quality")), encoding="utf-8")
    runs = Study.load(file).run(tmp_path / "results").runs
    for cell, side in zip((1, 2), OTHER.sides, strict=True):
        mine = runs[runs["cell"] == cell].sort_values("seed")
        for outcome in ("fear", "quality"):
            assert mine[outcome].tolist() == pytest.approx(side.late(outcome).tolist(), rel=1e-12)


def test_two_sides_that_are_the_same_are_saved_as_one_cell():
    heavy = Side.of("heavy")
    spelled = Side.of("baseline", monitoring=0.8, targets=0.8)
    table = tomllib.loads(explore.study(Comparison(heavy, spelled)))
    assert Study.from_dict(table).size == 3


def test_what_carries_a_difference_is_found_one_mechanism_at_a_time():
    found = explore.without_each(OTHER, "fear")
    assert list(found) == [name for name in MECHANISMS if name not in OTHER.off]
    without = Comparison(OTHER.a, OTHER.b, OTHER.seed, (*OTHER.off, "learned_fear"))
    assert found["learned_fear"] == without.difference("fear")
    assert found["learned_fear"] != OTHER.difference("fear")


def test_titles_say_which_side_is_higher_and_by_how_much():
    found = OTHER.difference("trust")
    assert found.low > 0
    assert pictures.finding(OTHER, "trust").startswith("Trust: higher under A than B by 0.")
    turned = Comparison(OTHER.b, OTHER.a, OTHER.seed, OTHER.off)
    assert pictures.finding(turned, "trust") == pictures.finding(OTHER, "trust").replace("A than B", "B than A")
    same = Comparison(OTHER.a, OTHER.a)
    assert pictures.finding(same, "fear") == "Fear: A and B are the same"


def test_every_outcome_can_be_drawn_and_is_described_in_words():
    html = pictures.paths(OTHER, list(OUTCOMES))
    assert html.count("<svg") == html.count('class="mean-A"') == html.count('class="mean-B"') == len(OUTCOMES)
    assert "nan" not in html.split("aria-label")[0]
    assert all(pictures.finding(OTHER, name) in html for name in OUTCOMES)


def test_a_map_has_a_dot_for_each_organisation_and_darkens_with_fear():
    html = pictures.maps(OTHER, 60)
    assert html.count("<circle") == 2 * OTHER.sides[0].runs[0].parameters.organisations
    assert html != pictures.maps(OTHER, 61)


def test_the_picture_says_where_it_comes_from():
    for outcomes in (SHOWN, SHOWN[:1]):
        with Image.open(BytesIO(pictures.png(OTHER, outcomes))) as image:
            assert image.width / image.height == pytest.approx(16 / 9, abs=0.01)
            assert image.info["Title"] == pictures.finding(OTHER, "fear")
            made = json.loads(image.info["Description"])
    assert made["seed"] == 7
    assert made["address"] == explore.address(OTHER)

"""Pictures of an answer and of a run: they say what the numbers say, fit on the slide and carry their provenance."""

from __future__ import annotations

import dataclasses
import json
import re

import matplotlib as mpl
import numpy as np
import pytest
from ensembles import whole_answer
from layout import faults, texts
from matplotlib.collections import PatchCollection
from matplotlib.font_manager import findfont
from PIL import Image

from sim.claims import text
from sim.claims.outline import MOST_ROWS, groups, rows_of
from sim.claims.statements import CHOICES, SURVEILLANCE
from sim.claims.text import who, worlds_in
from sim.claims.verdict import CLASSES, said
from sim.errors import InputError
from sim.model import words
from sim.model.run import simulate
from sim.plots import theme
from sim.plots.answer import pictures
from sim.plots.claims import better_or_worse, choices, each_world, how_much_matters, worlds_of
from sim.plots.run import time_paths

TINY = {"systems": 1, "organisations": 2, "managers": 3, "months": 8, "window": 4}
INTERVAL = re.compile(r"\d\s*(?:to|–|±)\s*[−+]?\d")


def numbers(title: str) -> list[str]:
    """The numbers of a title; "of 100" is a unit."""
    return re.findall(r"\d+(?:\.\d+)?", title.replace("of 100", ""))


@pytest.fixture(scope="module")
def report():
    return whole_answer()[0]


def shifted(report, effect: float, **more: object):
    """The report as it would be if every effect were so many smallest effects of interest in every world, on the side
    where more is; `more` are columns of the table."""
    one = 0 if abs(effect) <= 1 else 1 if effect > 0 else -1

    def moved(table):
        table = table.copy()
        some = table["delta"].notna()
        for name in ("q05", "q25", "q50", "mean", "q75", "q95", "low", "high"):
            table.loc[some, name] = effect * table.loc[some, "delta"]
        for k, name in CLASSES.items():
            table.loc[some, [name, f"{name}_error"]] = float(k == one), 0.0
        pairs = zip(table["sign"], table["direction"], strict=True)
        table.loc[some, "verdict"] = np.array([said(one, *pair) for pair in pairs], dtype=object)[some]
        table.loc[some, ["share", "share_error"]] = 1.0, 0.0
        return table.assign(**more)

    deltas = report.provenance["smallest_effects"]
    sized = report.effects["outcome"].astype(str).map(deltas).fillna(1.0).to_numpy(np.float32)
    effects = report.effects.assign(estimate=np.float32(effect) * sized, error=np.float32(0.0))
    tables = {**report.tables, **{name: moved(report.tables[name]) for name in ("vector", "against_baseline")}}
    return dataclasses.replace(report, table=moved(report.table), effects=effects, tables=tables)


@pytest.fixture(scope="module")
def every(report):
    """The pictures of the report as it is: drawn once, looked at by several tests."""
    return pictures(report)


def test_an_answer_has_every_picture_that_its_tables_allow(report, every):
    assert {"claims", "worlds", "choices", "matters", "why_fear", "evidence"} <= every.keys()
    few = pictures(report.of("fear"))
    assert "worlds" not in few and "worlds_fear" in few
    bare = dataclasses.replace(report, table=report.table.drop(columns="delta"), tables={}, replies=())
    assert pictures(bare) == {}


def test_every_picture_fits_and_its_title_is_a_finding_in_words(every):
    for name, figure in every.items():
        title = theme.finding(figure)
        assert faults(figure) == [], name
        assert len(numbers(title)) <= 1, title
        assert not INTERVAL.search(title), title
        assert len(title.split()) > 3 and "_" not in title
        assert len(theme.alternative(figure)) > len(title)
    assert len({theme.finding(figure) for figure in every.values()}) == len(every)


@pytest.mark.parametrize("effect", [0.0, 1.5, -40.0])
def test_the_pictures_fit_whatever_the_verdicts(report, effect):
    changed = shifted(report, effect, holds="depends on the published findings")
    for draw in (better_or_worse, each_world, choices, how_much_matters):
        assert faults(draw(changed)) == [], draw.__name__


def test_the_main_picture_shows_surveillance_and_what_works_instead_with_harm_in_each(report):
    first, *others = shown = groups(report)
    assert first.rows[0]["contrast"] == SURVEILLANCE.name
    assert len(others) == 2
    for group in shown:
        assert group.rows[0]["outcome"] == "harm"
    assert sum(len(group.rows) for group in shown) <= MOST_ROWS


def test_what_nobody_wants_to_move_is_not_read_as_better_or_worse(report):
    """Reported results stand under these heads as well, so their own sides are named."""
    told = texts(better_or_worse(report))
    assert "Reported results (lower, higher)" in told and "Harm to patients" in told


def test_a_picture_of_one_claim_is_lower_and_shows_that_claim(report):
    alone = better_or_worse(report.of("cuts"))
    assert alone.get_size_inches()[1] < better_or_worse(report).get_size_inches()[1] == theme.SLIDE[1]
    assert "Cutting the acute budget by 10 %" in texts(alone)
    assert faults(alone) == []


def test_there_are_a_hundred_squares_a_row_and_they_are_the_shares_of_the_table(report):
    figure = better_or_worse(report)
    rows = [row for group in groups(report) for row in group.rows]
    squares = [c for c in figure.axes[0].collections if isinstance(c, PatchCollection)]
    assert sum(len(each.get_paths()) for each in squares) == 100 * len(rows)
    for row in rows:
        told = worlds_in(row)
        assert sum(told.values()) == 100
        assert all(abs(told[name] - 100 * row[share]) < 1 for name, share in zip(told, CLASSES.values(), strict=True))
        assert all(close <= number for number, close in worlds_of(report, row).values())


def test_blue_is_better_and_orange_is_worse_whichever_way_an_outcome_points(report):
    for effect in (2.0, -2.0):
        for row in rows_of(shifted(report, effect), SURVEILLANCE.name).values():
            good = effect * row["direction"]
            name = ("higher" if effect > 0 else "lower") if not good else "better" if good > 0 else "worse"
            assert worlds_in(row)[name] == 100


def test_who_was_right_names_the_side_and_marks_what_depends_on_a_choice(report):
    row = next(r for r in text.rows_of(shifted(report, 2.0, holds="robust").table) if r["claim"] == "pays")
    assert who(row) == "Government right"
    assert who({**row, "holds": "depends on the published findings"}) == "Government right †"
    assert who({**row, "verdict": "opposed"}) == "Government wrong"
    assert who({**row, "share_error": 0.09}) == "cannot be told"


def test_the_title_is_computed_and_is_the_headline_of_the_text(report):
    up, down, none = (shifted(report, effect) for effect in (2.0, -2.0, 0.0))
    told = [theme.finding(better_or_worse(changed)) for changed in (up, down, none)]
    assert "almost always makes care better" in told[0] and "frightens them" in told[0]
    assert "but almost always makes care worse, costs them time and makes them try less" in told[1]
    assert "takes fear from leaders" in told[1].partition(", but ")[0]
    assert "hardly changes harm to patients, quality of care" in told[2]
    assert told == [changed.headline().rstrip(".") for changed in (up, down, none)]


def test_words_of_an_effect_are_the_same_in_the_picture_and_in_the_dictionary(report):
    shown = texts(better_or_worse(report))
    for row in (row for group in groups(report) for row in group.rows):
        assert words.change(row["outcome"], row["mean"]) in shown
        assert any(one.startswith(words.capital(words.label(row["outcome"]))) for one in shown)


def test_a_dot_is_a_world_at_its_effect_in_a_unit_that_people_own(report):
    changed = shifted(report, 2.0)
    (axes,) = each_world(changed, SURVEILLANCE.name, ["initiative_rate"]).axes
    (dots,) = (c for c in axes.collections if len(c.get_offsets()) == 100)
    assert np.ptp(dots.get_offsets()[:, 0]) == 0.0
    assert dots.get_offsets()[0, 0] == pytest.approx(2.0, abs=0.2)
    assert axes.get_xlabel() == "attempts a trust and year"
    title = theme.finding(each_world(changed, SURVEILLANCE.name, ["initiative_rate"]))
    assert title == "Trying something new rises in 100 of 100 plausible worlds"


def test_choices_are_in_the_order_of_what_gets_better(report):
    table = report.tables["against_baseline"]
    best = table["choice"] == "punitive"
    one = shifted(report, -2.0)
    low = one.tables["against_baseline"]
    good = low["direction"] < 0
    for name, side in (("above", 0.0), ("below", 1.0), ("within", 0.0)):
        low.loc[best & good, name] = side
        low.loc[~best & good, name] = 0.0 if name != "within" else 1.0
    figure = choices(one)
    told = [words.capital(words.policy(name)) for name in CHOICES]
    names = [each for each in texts(figure) if each in told]
    assert names[0] == words.capital(words.policy("punitive"))
    assert sorted(names) == sorted(told)


def test_how_much_must_matter_is_told_at_twice_what_does(report):
    curves = report.tables["curves"]
    none = dataclasses.replace(report, tables={**report.tables, "curves": curves.assign(above=0.1, below=0.1)})
    assert "nothing moves" in theme.finding(how_much_matters(none))
    fear = curves["outcome"] == "fear"
    some = curves.assign(above=np.where(fear, 0.9, 0.1), below=0.1)
    moved = dataclasses.replace(report, tables={**report.tables, "curves": some})
    assert "fear still moves" in theme.finding(how_much_matters(moved))


def test_files_carry_title_and_provenance_and_no_date(report, every, tmp_path):
    png, svg = theme.save(every["claims"], tmp_path / "claims", report.provenance, report.headline())
    with Image.open(png) as image:
        assert image.info["Title"] == report.headline()
        assert json.loads(image.info["Description"]) == report.provenance
    written = svg.read_text(encoding="utf-8")
    assert "smallest_effects" in written
    assert not re.search(r"<dc:date>", written)


def test_the_same_picture_gives_the_same_bytes(report, every, tmp_path):
    for name, figure in {"one": every["claims"], "two": better_or_worse(report)}.items():
        theme.save(figure, tmp_path / name, report.provenance, "title")
    for suffix in ("png", "svg"):
        assert (tmp_path / f"one.{suffix}").read_bytes() == (tmp_path / f"two.{suffix}").read_bytes()


def test_a_slide_can_have_the_title_as_a_text_of_its_own(every, tmp_path):
    figure = every["claims"]
    whole, below = (theme.encoded(figure, ".png", {}, "", part) for part in (None, theme.untitled(figure)))
    for name, content in (("whole", whole), ("below", below)):
        (tmp_path / f"{name}.png").write_bytes(content)
    with Image.open(tmp_path / "whole.png") as one, Image.open(tmp_path / "below.png") as other:
        assert other.width == pytest.approx(one.width, abs=2)
        assert 0.75 * one.height < other.height < 0.95 * one.height


def test_there_is_one_typeface_and_it_comes_with_the_package():
    with theme.style():
        assert mpl.rcParams["font.family"][0] == "Source Sans 3"
    for weight in ("normal", "bold"):
        found = findfont(
            mpl.font_manager.FontProperties(family="Source Sans 3", weight=weight), fallback_to_default=False
        )
        assert "sim/plots/fonts" in found.replace("\\", "/")


def test_nobody_elses_settings_are_changed_or_obeyed(report, every):
    before, first = dict(mpl.rcParams), texts(every["claims"])
    better_or_worse(report)
    assert dict(mpl.rcParams) == before
    with mpl.rc_context({"font.size": 40, "axes.grid": True, "figure.facecolor": "red"}):
        figure = better_or_worse(report)
    assert texts(figure) == first
    assert faults(figure) == []


def test_a_run_plots_its_time_paths():
    run = simulate(seed=3, regime="heavy", relationship=0.6, schedule={"monitoring": {4: 0.2}}, **TINY)
    figure = run.plot()
    shown = texts(figure)
    assert "Heavy oversight, investment in relationships 0.6, seed 3" in shown
    assert "monitoring 0.2" in shown
    assert any(line.startswith("quality of care ") for line in shown)
    assert "points of 100" in shown
    assert faults(figure) == []


def test_two_runs_share_a_picture_each_with_its_name_and_its_own_dash():
    light, heavy = (simulate(seed=3, regime=regime, **TINY) for regime in ("light", "heavy"))
    figure = light.plot("fear", "trust", against=heavy)
    solid, dashed = figure.axes[0].lines[:2], figure.axes[0].lines[2:]
    for lines, run, dash in ((solid, light, "-"), (dashed, heavy, "--")):
        assert [line.get_linestyle() for line in lines] == [dash, dash]
        for line, name in zip(lines, ("fear", "trust"), strict=True):
            assert line.get_ydata() == pytest.approx(100 * run.series[name].to_numpy())
    assert [line.get_color() for line in solid] == [line.get_color() for line in dashed]
    assert {"Light oversight, seed 3", "Heavy oversight, seed 3"} <= set(texts(figure))
    apart = words.effect("fear", light.series["fear"].iloc[-1] - heavy.series["fear"].iloc[-1])
    assert theme.finding(figure) == f"After 8 months, fear is {apart} under light oversight than under heavy oversight"
    assert faults(figure) == []
    again = simulate(seed=4, regime="light", **{**TINY, "months": 5})
    assert "After 5 months" in (title := theme.finding(light.plot("fear", against=again)))
    assert "seed 3" in title and "seed 4" in title


def test_close_lines_keep_their_labels_apart():
    run = simulate(seed=3, **TINY)
    figure = time_paths(run, ("toxic", "fearful", "record_share", "slips", "sanctions", "successes", "exits"))
    assert faults(figure) == []


def test_one_month_and_one_outcome_are_enough():
    run = simulate(seed=3, **{**TINY, "months": 1})
    assert faults(run.plot("fear")) == []


def test_an_unknown_outcome_is_named_with_the_nearest():
    run = simulate(seed=3, **TINY)
    with pytest.raises(InputError, match='did you mean "fear"'):
        run.plot("faer")

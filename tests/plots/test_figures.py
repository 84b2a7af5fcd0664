"""Pictures: they say what the numbers say, fit on the slide and carry their provenance."""

from __future__ import annotations

import dataclasses
import functools
import json
import re

import matplotlib as mpl
import numpy as np
import pytest
from ensembles import by_hand
from layout import faults, texts
from PIL import Image

from sim.claims.answer import Effort, compute
from sim.claims.statements import CLAIMS, LIMITS, SURVEILLANCE
from sim.claims.verdict import CLASSES, words_of
from sim.errors import InputError
from sim.model.run import simulate
from sim.plots import theme
from sim.plots.claims import LIMIT, claims_forest, pages
from sim.plots.run import time_paths

TINY = {"systems": 1, "organisations": 2, "managers": 3, "months": 8, "window": 4}


@pytest.fixture(scope="module")
def report():
    sizes = {name: value for name, value in TINY.items() if name != "systems"}
    return compute(by_hand(), by_hand(), effort=Effort(20, 20, 20, 0, 1, 2), **sizes)


def shifted(report, effect: float, spread: float = 0.0, verdict: str = ""):
    """The report as it would be if every effect were `effect` smallest effects of interest in the mean, and every world
    lay on the same side: all of them beyond what matters, or none."""
    table = report.table.copy()
    for k, name in enumerate(("q05", "q25", "mean", "q75", "q95")):
        table[name] = (effect + spread * (k - 2)) * table["delta"].fillna(1.0)
    one = 0 if abs(effect) <= 1 else 1 if effect > 0 else -1
    for k, name in CLASSES.items():
        table[name] = float(k == one)
    some = table["delta"].notna()
    said = [words_of(sign, direction)[one] for sign, direction in zip(table["sign"], table["direction"], strict=True)]
    table["verdict"] = np.where(some, verdict or said, "estimate")
    table["share"] = 1.0
    return dataclasses.replace(report, table=table)


def drawn(report):
    return [claims_forest(report, page) for page in pages(report)]


@pytest.fixture(scope="module")
def plain(report):
    """The pictures of the report as it is: drawn once, looked at by several tests."""
    return drawn(report)


@pytest.fixture(scope="module")
def forest(report):
    """The pictures of `shifted` reports, each drawn once."""
    return functools.cache(lambda effect, spread=0.0, verdict="": drawn(shifted(report, effect, spread, verdict)))


@pytest.mark.parametrize(
    ("effect", "spread", "verdict"), [(0.0, 0.0, ""), (1.5, 0.1, ""), (-2.0, 5.0, "divided"), (40.0, 0.0, "")]
)
def test_the_claims_fit_on_slides_whatever_the_verdicts(forest, effect, spread, verdict):
    for figure in forest(effect, spread, verdict):
        assert faults(figure) == []


def test_the_title_is_computed(report, forest):
    figures = (forest(2.0)[0], claims_forest(shifted(report, -2.0)), forest(0.0)[0])
    up, down, none = (figure.texts[0].get_text() for figure in figures)
    words = [" ".join(title.split()) for title in (up, down, none)]
    assert "raises leaders' fear in nearly all of 100 plausible worlds" in words[0]
    assert "raises readiness" in words[0]
    assert "lowers leaders' fear in nearly all of 100 plausible worlds" in words[1]
    assert "hardly changes leaders' fear in nearly all of 100 plausible worlds" in words[2]


def test_every_verdict_with_a_smallest_effect_is_shown_with_its_side(report, forest):
    changed = shifted(report, 2.0)
    shown = [text for figure in forest(2.0) for text in texts(figure)]
    table = changed.table.dropna(subset=["delta"])
    for side, text in {"Berwick": "Berwick ", "government": "gov't "}.items():
        for verdict in ("supported", "opposed"):
            mine = table[(table["side"] == side) & (table["verdict"] == verdict)]
            marked = (mine["holds"] != "robust").sum()
            assert shown.count(f"{text}{verdict} *") == marked > 0
            assert shown.count(f"{text}{verdict}") == len(mine) - marked
    assert shown.count("higher *") == ((table["verdict"] == "higher") & (table["holds"] != "robust")).sum() > 0


def test_a_mean_off_the_scale_is_an_arrow_at_the_edge(report, forest):
    def arrows(figure):
        axes = figure.axes[1]
        return {line.get_marker() for line in axes.lines if abs(line.get_xdata()[0]) > LIMIT * 0.98}

    assert ">" in arrows(forest(40.0)[0])
    assert "<" in arrows(claims_forest(shifted(report, -40.0)))
    assert not {"<", ">"} & arrows(forest(2.0)[0])


def test_one_claim_makes_a_picture_too_and_none_makes_an_empty_one(report):
    few = dataclasses.replace(report, table=report.table[report.table["claim"] == "pride"])
    assert list(pages(few)) == ["claims", "claims_2"]
    for figure in drawn(few):
        assert faults(figure) == []
        assert figure.texts


def test_files_carry_title_and_provenance_and_no_date(report, plain, tmp_path):
    png, svg = theme.save(plain[0], tmp_path / "claims", report.provenance, report.headline())
    with Image.open(png) as image:
        assert image.info["Title"] == report.headline()
        assert json.loads(image.info["Description"]) == report.provenance
        assert image.width / image.height == pytest.approx(16 / 9, abs=0.01)
    text = svg.read_text(encoding="utf-8")
    assert "smallest_effects" in text
    assert not re.search(r"<dc:date>", text)


def test_the_same_picture_gives_the_same_bytes(report, plain, tmp_path):
    for name, figure in {"one": plain[0], "two": claims_forest(report)}.items():
        theme.save(figure, tmp_path / name, report.provenance, "title")
    for suffix in ("png", "svg"):
        assert (tmp_path / f"one.{suffix}").read_bytes() == (tmp_path / f"two.{suffix}").read_bytes()


def test_nobody_elses_settings_are_changed_or_obeyed(report, plain):
    before, first = dict(mpl.rcParams), texts(plain[0])
    claims_forest(report)
    assert dict(mpl.rcParams) == before
    with mpl.rc_context({"font.size": 40, "axes.grid": True, "figure.facecolor": "red"}):
        figure = claims_forest(report)
    assert texts(figure) == first
    assert faults(figure) == []


def test_a_run_plots_its_time_paths():
    run = simulate(seed=3, regime="heavy", relationship=0.6, schedule={"monitoring": {4: 0.2}}, **TINY)
    figure = run.plot()
    shown = texts(figure)
    assert "Regime heavy, relationship 0.6, seed 3" in shown
    assert "monitoring 0.2" in shown
    assert {text.split()[0] for text in shown} >= {"fear", "trust", "quality", "reported"}
    assert faults(figure) == []


def test_two_runs_share_a_picture_each_with_its_name_and_its_own_dash():
    light, heavy = (simulate(seed=3, regime=regime, **TINY) for regime in ("light", "heavy"))
    figure = light.plot("fear", "trust", against=heavy)
    solid, dashed = figure.axes[0].lines[:2], figure.axes[0].lines[2:]
    for lines, run, dash in ((solid, light, "-"), (dashed, heavy, "--")):
        assert [line.get_linestyle() for line in lines] == [dash, dash]
        assert [line.get_ydata().tolist() for line in lines] == [run.series[n].tolist() for n in ("fear", "trust")]
    assert [line.get_color() for line in solid] == [line.get_color() for line in dashed]
    assert {"Regime light, seed 3", "Regime heavy, seed 3"} <= set(texts(figure))
    ends = (
        f"{run.series['fear'].iloc[-1]:.2f} with regime {name}" for run, name in ((light, "light"), (heavy, "heavy"))
    )
    assert theme.finding(figure) == f"In month 8 fear is {', and '.join(ends)}"
    assert faults(figure) == []
    again = simulate(seed=4, regime="light", **{**TINY, "months": 5})
    assert "In month 5 fear is" in (title := theme.finding(light.plot("fear", against=again)))
    assert "under seed 3" in title and "under seed 4" in title


def test_close_lines_keep_their_labels_apart():
    run = simulate(seed=3, **TINY)
    figure = time_paths(run, ("toxic", "fearful", "exits", "harm", "negligence", "misfit", "slips"))
    assert faults(figure) == []


def test_one_month_and_one_outcome_are_enough():
    run = simulate(seed=3, **{**TINY, "months": 1})
    assert faults(run.plot("fear")) == []


def test_an_unknown_outcome_is_named_with_the_nearest():
    run = simulate(seed=3, **TINY)
    with pytest.raises(InputError, match='did you mean "fear"'):
        run.plot("faer")


def test_the_pictures_show_every_claim_that_has_a_verdict(plain):
    shown = [text for figure in plain for text in texts(figure)]
    for claim in CLAIMS:
        for case in claim.cases:
            if case.contrast != SURVEILLANCE:
                assert (case.heading or claim.heading) in shown
            elif any(measure.outcome in LIMITS for measure in case.measures):
                assert claim.heading in shown

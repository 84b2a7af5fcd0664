"""Pictures: they say what the numbers say, fit on the slide and carry their provenance."""

from __future__ import annotations

import dataclasses
import json
import re

import matplotlib as mpl
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from PIL import Image

from sim.errors import InputError
from sim.inference.claims import CLAIMS, answer
from sim.inference.contrast import contrast
from sim.run import simulate
from sim.show import theme
from sim.show.figures import time_paths
from sim.show.forest import claims_forest

TINY = {"systems": 1, "organisations": 2, "managers": 3, "months": 8, "window": 4}


@pytest.fixture(scope="module")
def report():
    return answer(replications=2, **TINY)


def shifted(report, effect: float, spread: float = 0.0):
    """The report as it would be if every difference were `effect` times its smallest effect of interest."""

    def invented(finding):
        sesoi = finding.measure.sesoi
        if sesoi is None:
            return finding
        size = sesoi.value(0.4)
        plus = [0.4 + size * (effect - spread), 0.4 + size * (effect + spread)]
        return dataclasses.replace(finding, difference=contrast(plus, [0.4, 0.4], sesoi, finding.measure.sign))

    return dataclasses.replace(report, findings=tuple(invented(finding) for finding in report.findings))


def texts(figure):
    inside = [text for axes in figure.axes for text in axes.texts]
    return [text.get_text() for text in (*figure.texts, *inside) if text.get_text()]


def boxes(figure):
    """Every text of a figure with its extent in pixels."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    drawn = [*figure.texts, *(text for axes in figure.axes for text in axes.texts)]
    drawn += [text for axes in figure.axes for text in axes.get_xticklabels()]
    drawn += [text for legend in figure.legends for text in legend.get_texts()]
    return [(text.get_text(), Text.get_window_extent(text, renderer)) for text in drawn if text.get_text()]


def overlaps(figure):
    found = boxes(figure)
    return [
        (one, other)
        for k, (one, a) in enumerate(found)
        for other, b in found[k + 1 :]
        if min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 4
    ]


def outside(figure):
    width, height = figure.get_size_inches() * figure.dpi
    return [text for text, b in boxes(figure) if b.x0 < 0 or b.y0 < 0 or b.x1 > width or b.y1 > height]


@pytest.mark.parametrize(("effect", "spread"), [(0.0, 0.0), (1.5, 0.01), (-2.0, 0.01), (0.9, 0.1), (40.0, 0.1)])
def test_the_claims_fit_on_a_slide_whatever_the_verdicts(report, effect, spread):
    figure = claims_forest(shifted(report, effect, spread))
    assert not outside(figure)
    assert not overlaps(figure)


def test_the_title_is_computed(report):
    up, down, none = (claims_forest(shifted(report, effect)).texts[0].get_text() for effect in (2.0, -2.0, 0.0))
    assert len({up, down, none}) == 3
    words = [" ".join(title.split()) for title in (up, down, none)]
    assert "raises leaders' fear (+0.10)" in words[0]
    assert "lowers leaders' fear (−0.10)" in words[1]
    assert "hardly changes leaders' fear" in words[2]
    assert claims_forest(shifted(report, 3.0)).texts[0].get_text() != up


def test_every_verdict_with_a_smallest_effect_is_shown_with_its_side(report):
    shown = texts(claims_forest(shifted(report, 2.0)))
    table = shifted(report, 2.0).table
    for side, text in {"Berwick": "Berwick: ", "government": "gov't: "}.items():
        for verdict in ("supported", "opposed"):
            expected = ((table["side"] == side) & (table["verdict"] == verdict)).sum()
            assert shown.count(f"{text}{verdict}") == expected > 0
    assert shown.count("higher") == 2


def test_an_effect_off_the_scale_is_an_arrow_with_its_number(report):
    assert "40" in texts(claims_forest(shifted(report, 40.0)))


def test_a_few_claims_make_a_picture_too(report):
    few = dataclasses.replace(report, findings=report.findings[:1])
    assert not outside(claims_forest(few))
    none = dataclasses.replace(report, findings=())
    assert claims_forest(none).texts


def test_files_carry_title_and_provenance_and_no_date(report, tmp_path):
    figure = claims_forest(report)
    png, svg = theme.save(figure, tmp_path / "claims", report.provenance, report.headline())
    with Image.open(png) as image:
        assert image.info["Title"] == report.headline()
        assert json.loads(image.info["Description"]) == report.provenance
        assert image.width / image.height == pytest.approx(16 / 9, abs=0.01)
    text = svg.read_text(encoding="utf-8")
    assert "first_seed" in text
    assert not re.search(r"<dc:date>", text)


def test_the_same_picture_gives_the_same_bytes(report, tmp_path):
    for name in ("one", "two"):
        theme.save(claims_forest(report), tmp_path / name, report.provenance, "title")
    for suffix in ("png", "svg"):
        assert (tmp_path / f"one.{suffix}").read_bytes() == (tmp_path / f"two.{suffix}").read_bytes()


def test_nobody_elses_settings_are_changed_or_obeyed(report):
    before = dict(mpl.rcParams)
    first = texts(claims_forest(report))
    assert dict(mpl.rcParams) == before
    with mpl.rc_context({"font.size": 40, "axes.grid": True, "figure.facecolor": "red"}):
        figure = claims_forest(report)
    assert texts(figure) == first
    assert not overlaps(figure)


def test_a_run_plots_its_time_paths():
    run = simulate(seed=3, regime="heavy", relationship=0.6, schedule={"monitoring": {4: 0.2}}, **TINY)
    figure = run.plot()
    shown = texts(figure)
    assert "Regime heavy, relationship 0.6, seed 3" in shown
    assert "monitoring 0.2" in shown
    assert {text.split("  ")[0] for text in shown if "  " in text} == {"fear", "trust", "quality", "reported"}
    assert not outside(figure)
    assert not overlaps(figure)


def test_close_lines_keep_their_labels_apart():
    run = simulate(seed=3, **TINY)
    figure = time_paths(run, ("toxic", "toxic_40", "toxic_60", "fearful", "fearful_40", "fearful_60", "exits"))
    assert not overlaps(figure)
    assert not outside(figure)


def test_one_month_and_one_outcome_are_enough():
    run = simulate(seed=3, **{**TINY, "months": 1})
    assert not outside(run.plot("fear"))


def test_an_unknown_outcome_is_named_with_the_nearest():
    run = simulate(seed=3, **TINY)
    with pytest.raises(InputError, match='did you mean "fear"'):
        run.plot("faer")


def test_the_picture_shows_every_claim(report):
    shown = texts(claims_forest(report))
    for claim in CLAIMS:
        for comparison in claim.comparisons:
            assert (comparison.heading or claim.heading) in shown

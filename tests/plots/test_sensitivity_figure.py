"""The picture of a sensitivity analysis says what the numbers say and fits on the slide."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from sim.errors import InputError
from sim.model.outcomes import OUTCOMES
from sim.plots import theme
from sim.plots.study import importance
from sim.study import Study
from sim.study.sensitivity import of_means


def analysed(kind, samples, weights=(1.0, -3.0, 2.0)):
    factors = {"monitoring": [0, 1], "targets": [0, 1], "leniency": [0, 1], "groups": ["fear", "confidence"]}
    design = {"kind": kind, "samples": samples, **factors, "mechanisms": ["organisational_learning"]}
    study = Study.from_dict({"seeds": 1, "design": design})
    c = study.cells
    y = sum(w * c[name] for w, name in zip(weights, ("monitoring", "targets", "leniency"), strict=True))
    return of_means(study, pd.DataFrame({"initiative_rate": y, "needless": 0 * y, "quality": y**3}))


def extents(figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    texts = [*figure.texts, *(t for legend in figure.legends for t in legend.get_texts())]
    for axes in figure.axes:
        texts += [*axes.get_yticklabels(), axes.xaxis.label]
    return [(text.get_text(), text.get_window_extent(renderer)) for text in texts if text.get_text()]


@pytest.mark.parametrize(("kind", "samples"), [("lhs", 100), ("sobol", 16), ("morris", 10)])
def test_it_fits_on_the_slide_without_overlaps(kind, samples):
    figure = importance(analysed(kind, samples))
    width, height = figure.get_size_inches() * figure.dpi
    assert width / height == pytest.approx(16 / 9, rel=0.01)
    found = extents(figure)
    assert [text for text, b in found if b.x0 < 0 or b.y0 < 0 or b.x1 > width or b.y1 > height] == []
    pairs = [(s, t) for k, (s, a) in enumerate(found) for t, b in found[k + 1 :]
             if min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 4]  # fmt: skip
    assert pairs == []


def test_the_title_is_computed():
    one, other = (importance(analysed("lhs", 100, w), ["initiative_rate"]) for w in ((1, -3, 2), (3, 0, 0)))
    assert "depends most on how much hangs on targets" in " ".join(one.texts[0].get_text().split())
    assert "depends most on how closely managers are watched" in " ".join(other.texts[0].get_text().split())
    nothing = importance(analysed("lhs", 100), ["needless"]).texts[0].get_text()
    assert "depends on nothing that stands out" in " ".join(nothing.split())


def test_bars_and_intervals_are_those_of_the_table():
    found = analysed("lhs", 100)
    axes = importance(found, ["quality"]).axes[0]
    rows = found.ranking("quality").head(9)
    assert [bar.get_width() for bar in axes.patches] == pytest.approx(rows["estimate"].tolist())
    ends = np.array([c.get_segments()[0][:, 0] for c in axes.collections])
    assert ends == pytest.approx(rows[["low", "high"]].to_numpy())


def test_provenance_travels_inside_the_file(tmp_path):
    figure = importance(analysed("lhs", 100))
    png, _ = theme.save(figure, tmp_path / "sensitivity", {"version": "1", "design": {"seed": 0}}, "Sensitivity")
    with Image.open(png) as picture:
        assert json.loads(picture.info["Description"])["design"] == {"seed": 0}


def test_an_outcome_that_was_not_analysed_is_one_line():
    with pytest.raises(InputError, match=r'"qualty": no such outcome in this analysis \(did you mean "quality"\?\)'):
        importance(analysed("lhs", 100), ["qualty"])
    with pytest.raises(InputError, match="a picture shows 1 to 2"):
        importance(analysed("lhs", 100), list(OUTCOMES)[:0] or ["initiative_rate", "needless", "quality"])

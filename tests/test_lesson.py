"""The lesson: its picture holds the whole model, its notebook runs, and the answers on the teachers' page are true."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

import sim
from sim.claims.statements import LIMITS

ROOT = Path(__file__).parent.parent
ASKED = ["fear", "initiative_rate", "harm", "quality"]


def module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


causal = module(ROOT / "docs" / "causal.py")


# The picture


def test_every_mechanism_and_every_lever_stands_in_one_box() -> None:
    inside = [name for box in causal.MECHANISM_BOXES.values() for name in box.names]
    assert sorted(inside) == sorted(sim.MECHANISMS)
    levers = [name for box in causal.LEVER_BOXES.values() for name in box.names]
    assert sorted(levers) == sorted(name for name, one in sim.PARAMETERS.items() if one.kind == "lever")
    assert {name for box in causal.OUTCOME_BOXES.values() for name in box.names} <= sim.OUTCOMES.keys()


def test_every_box_is_reached_and_leads_somewhere() -> None:
    left, middle, right = causal.COLUMNS
    reached = {to for column in causal.COLUMNS for box in column.values() for to in box.moves}
    assert reached == {*middle, *right}
    assert all(box.moves for column in (left, middle) for box in column.values())


def test_a_box_has_the_colour_of_those_whose_argument_it_is() -> None:
    boxes = causal.MECHANISM_BOXES
    assert causal.case(boxes["remembered"]) == "for"
    assert causal.case(boxes["found"]) == "against"
    assert causal.case(boxes["together"]) == "both"


def test_boxes_hold_their_texts_and_do_not_overlap() -> None:
    figure = causal.picture()
    (axes,) = figure.axes
    renderer = FigureCanvasAgg(figure).get_renderer()
    frames = [patch.get_window_extent(renderer) for patch in axes.patches if hasattr(patch, "get_boxstyle")]
    assert len(frames) == sum(map(len, causal.COLUMNS))
    assert not any(a.overlaps(b) for k, a in enumerate(frames) for b in frames[:k])
    texts = {text.get_text(): text.get_window_extent(renderer) for text in axes.texts}
    inside = [texts[box.text] for column in causal.COLUMNS for box in column.values()]
    assert all(any(frame.x0 < t.x0 and t.x1 < frame.x1 for frame in frames) for t in inside)
    assert min(text.get_fontsize() for text in axes.texts) >= 13, "too small for the back of a room"


def test_the_picture_is_as_the_code_draws_it() -> None:
    assert causal.is_fresh(), "run: python docs/generate.py"


# The answers on the teachers' page


def outcomes(**policy: Any) -> dict[str, float]:
    """As in the notebook."""
    return sim.sweep(keep=ASKED, systems=3, seeds=6, **policy)[ASKED].mean().to_dict()


def changed(outcome: str, after: dict[str, float], before: dict[str, float]) -> int:
    """-1, 0 or 1: whether an outcome fell or rose by as much as matters."""
    change = after[outcome] - before[outcome]
    return 0 if abs(change) < LIMITS[outcome].size else 1 if change > 0 else -1


def without(mechanism: str, outcome: str, light: dict[str, float], heavy: dict[str, float]) -> float:
    """The share of the difference between heavy and light that is left without a mechanism."""
    off = {"mechanisms_off": [mechanism]}
    left = outcomes(regime="heavy", **off)[outcome] - outcomes(regime="light", **off)[outcome]
    return left / (heavy[outcome] - light[outcome])


def test_heavy_oversight_frightens_and_fear_hangs_on_what_punishment_teaches() -> None:
    light, heavy = outcomes(regime="light"), outcomes(regime="heavy")
    assert [changed(name, heavy, light) for name in ("fear", "initiative_rate", "harm")] == [1, -1, -1]
    off = {"mechanisms_off": ["learned_fear"]}
    assert changed("fear", outcomes(regime="heavy", **off), outcomes(regime="light", **off)) == 0
    assert without("contagion", "fear", light, heavy) > 0.9
    assert without("early_discovery", "harm", light, heavy) < 0.5 > without("deterrence", "harm", light, heavy)
    assert without("paperwork", "quality", light, heavy) < 0 > without("distrust", "quality", light, heavy)
    assert without("learned_fear", "quality", light, heavy) > 0.5, "quality does not fall because of fear"


def test_watching_that_judges_fairly_frightens_less_than_little_watching() -> None:
    light, fair = outcomes(regime="light"), outcomes(regime="just_culture")
    assert changed("fear", fair, light) == -1
    assert changed("harm", fair, light) == -1


def test_the_minister_can_win() -> None:
    today = outcomes()
    mine = outcomes(monitoring=0.6, leniency=0.8, discernment=0.9, relationship=0.8)
    assert changed("fear", mine, today) == changed("harm", mine, today) == -1
    for alone in ({"punitiveness": 0.1}, {"leniency": 1.0, "discernment": 0.9}):  # mildness, fairness
        tried = outcomes(**alone)
        assert (changed("fear", tried, today), changed("harm", tried, today)) == (-1, 0), "is not enough"


# The notebook


def test_the_notebook_runs_from_guess_to_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("marimo")
    monkeypatch.setattr(sys, "path", [str(ROOT / "experiments"), *sys.path])
    lesson = module(ROOT / "experiments" / "lesson.py")
    guesses = dict(zip(ASKED, ("rises", "falls", "falls", "stays"), strict=True))
    _, found = lesson.app.run(defs={"guesses": guesses})
    light, heavy = outcomes(regime="light"), outcomes(regime="heavy")
    assert all(found["light"][name] == light[name] and found["heavy"][name] == heavy[name] for name in ASKED)
    assert found["right"] == sum(
        {"falls": -1, "stays": 0, "rises": 1}[guesses[name]] == changed(name, heavy, light) for name in ASKED
    )
    assert found["without"]["fear"].startswith("+0.1")
    assert not found["won"], "nothing was changed yet"

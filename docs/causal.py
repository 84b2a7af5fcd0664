"""The model in one picture: what overseers decide, what the mechanisms make of it, and what comes of that.

    python docs/generate.py

draws it to ``docs/causal.svg`` and ``docs/causal.png``. Mechanisms and levers are grouped so that the picture can be
read from the back of a room; each stands in one box, and whose argument a box is follows from the mechanisms in it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from sim.model.parameters import LEVERS, MECHANISMS, PARAMETERS, SPREADS
from sim.plots import theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HERE = Path(__file__).resolve().parent


class Box(NamedTuple):
    """A box: what it says, the names that it stands for, and the boxes that it moves, up (+1) or down (-1)."""

    text: str
    names: tuple[str, ...]
    moves: Mapping[str, int]


LEVER_BOXES = {
    "watch": Box("Watching closely", ("monitoring", "risk_based", "monitoring_sd"),
                 {"paperwork": 1, "control": 1, "found": 1, "remembered": 1}),
    "invest": Box("Investing in leaders", ("relationship", "recognition", "relationship_sd"), {"pays": 1}),
    "system": Box("Money, standards, joint work",
                  ("cooperation_incentive", "acute_budget", "social_care_budget", "standardisation"), {"together": 1}),
    "targets": Box("Setting targets", ("targets",), {"gaming": 1, "steer": 1, "remembered": 1}),
    "choose": Box("Choosing leaders", ("competency_standard", "register", "disbarring"), {"found": 1}),
    "judge": Box("Judging fairly", ("discernment", "leniency"), {"fair": 1}),
    "punish": Box("Punishing", ("punitiveness", "publicity"), {"found": 1, "remembered": 1}),
}  # fmt: skip
MECHANISM_BOXES = {
    "paperwork": Box("Paperwork takes time, strain wears out", ("paperwork", "strain_of_work", "careers"),
                     {"time": -1}),
    "pays": Box("Investment in people pays back", ("development", "trust_building"), {"quality": 1}),
    "together": Box("Joint work and common ways help",
                    ("cooperation", "bed_blocking", "oversight_of_cooperation", "safe_standards"), {"quality": 1}),
    "control": Box("Control costs trust and will", ("distrust", "crowding_out", "social_exchange"), {"quality": -1}),
    "gaming": Box("Targets invite gaming", ("gaming", "moral_distress", "rivalry"), {"quality": -1}),
    "steer": Box("Targets steer effort", ("attention", "aspiration"), {"quality": 1}),
    "found": Box("Slips are found, people take care",
                 ("early_discovery", "deterrence", "complacency", "impunity", "audit", "unfit_leaders"),
                 {"harm": -1}),
    "fair": Box("Fairness and feedback reassure", ("reassurance", "exoneration", "prudence", "feedback"), {"fear": -1}),
    "remembered": Box("Punishment is remembered, fear spreads",
                      ("learned_fear", "contagion", "cascade", "called_to_account", "circumstances"), {"fear": 1}),
    "timid": Box("The frightened try and learn less",
                 ("loss_aversion", "practice", "innovation", "organisational_learning"), {"trying": -1}),
}  # fmt: skip
OUTCOME_BOXES = {
    "time": Box("Time and peace of mind", ("time_left", "distress"), {}),
    "quality": Box("Quality of care", ("quality",), {}),
    "harm": Box("Harm to patients", ("harm",), {}),
    "fear": Box("Leaders' fear", ("fear",), {"timid": 1}),
    "trying": Box("Trying something new", ("initiative_rate",), {}),
}
COLUMNS = (LEVER_BOXES, MECHANISM_BOXES, OUTCOME_BOXES)
HEADS = ("What overseers decide", "What that does to people", "What comes of it")
CASES = {"for": theme.VERMILLION, "against": theme.BLUE, "both": theme.GREY}
"""The colour of a box of mechanisms by whose argument they are, Berwick's ("for" his warning) or his opponents'."""
_LEFT, _WIDTH, _HEIGHT = (0.0, 0.325, 0.77), (0.25, 0.36, 0.23), 0.07
_TOP = 0.925


def case(box: Box) -> str:
    """Whose argument the mechanisms of a box are: "for", "against" or "both"."""
    cases = {MECHANISMS[name].case for name in box.names}
    return cases.pop() if len(cases) == 1 else "both"


def levers() -> list[str]:
    """All levers, those that say how much organisations differ included."""
    return [name for name in (*LEVERS, *SPREADS) if PARAMETERS[name].kind == "lever"]


def places() -> dict[str, tuple[float, float, float]]:
    """Left end, width and middle of each box."""
    return {
        key: (left, width, _TOP * (1 - (row + 0.5) / len(column)))
        for column, left, width in zip(COLUMNS, _LEFT, _WIDTH, strict=True)
        for row, key in enumerate(column)
    }


def picture() -> Figure:
    """Three columns of boxes and the arrows between them."""
    note = (
        "Arrows: + raises, − lowers. Each box in the middle stands for mechanisms that can be switched off. "
        "Dashed: fear works back on people."
    )
    alt = "Boxes in three columns: levers, mechanisms and outcomes, joined by arrows"
    with theme.slide("How oversight works on leaders, in the model", note, alt) as (figure, (axes,)):
        axes.set_axis_off()
        axes.set_xlim(-0.005, 1.005)
        axes.set_ylim(-0.03, 1.0)
        for head, left in zip(HEADS, _LEFT, strict=True):
            axes.text(left, 0.975, head, fontsize=theme.LARGE, fontweight="bold", va="center", color=theme.GREY)
        where = places()
        for column in COLUMNS:
            for key, box in column.items():
                _arrows(axes, key, box, where)
        for column in COLUMNS:
            for key, box in column.items():
                colour = CASES[case(box)] if column is MECHANISM_BOXES else theme.BLACK
                _box(axes, box.text, *where[key], colour)
        _key(axes)
        return figure


def _box(axes: Axes, text: str, left: float, width: float, middle: float, colour: str) -> None:
    frame = FancyBboxPatch((left, middle - _HEIGHT / 2), width, _HEIGHT, boxstyle="round,pad=0,rounding_size=0.012",
                           linewidth=2.2, edgecolor=colour, facecolor="white", zorder=3)  # fmt: skip
    axes.add_patch(frame)
    axes.text(left + width / 2, middle, text, ha="center", va="center", fontsize=theme.LARGE, zorder=4)


def _arrows(axes: Axes, key: str, box: Box, where: Mapping[str, tuple[float, float, float]]) -> None:
    left, width, middle = where[key]
    for to, sign in box.moves.items():
        target, wide, height = where[to]
        back = target < left  # fear works back on what people do
        start, end = ((left, middle), (target + wide, height)) if back else ((left + width, middle), (target, height))
        axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=16, linewidth=1.7, shrinkA=0,
                                       shrinkB=1, color=theme.BLACK if back else theme.GREY, zorder=1,
                                       linestyle="--" if back else "-"))  # fmt: skip
        if not back and key in MECHANISM_BOXES:
            x, y = (start[0] + 0.2 * (end[0] - start[0]), start[1] + 0.2 * (end[1] - start[1]))
            axes.text(x, y, "+" if sign > 0 else "−", fontsize=theme.TITLE, fontweight="bold", ha="center",
                      va="center", zorder=2, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5})  # fmt: skip


def _key(axes: Axes) -> None:
    told = {"for": "critics' argument", "against": "defenders' argument", "both": "of both"}
    for number, (name, text) in enumerate(told.items()):
        axes.text(_LEFT[1] + (0.0, 0.155, 0.335)[number], -0.012, text, fontsize=theme.TEXT, fontweight="bold",
                  color=CASES[name], va="center")  # fmt: skip


def made_of() -> str:
    """A digest of what the picture is drawn from."""
    told = [Path(__file__).read_text(encoding="utf-8"), {name: one.case for name, one in MECHANISMS.items()}]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def is_fresh() -> bool:
    """Whether the files hold the picture as it would be drawn now."""
    mark = made_of().encode()
    return all(path.exists() and mark in path.read_bytes() for path in map(HERE.joinpath, ("causal.svg", "causal.png")))


def write() -> None:
    """Draw the picture into its files."""
    figure = picture()
    for name, content in theme.drawn(figure, "causal", {"made_of": made_of()}, "How oversight works").items():
        (HERE / name).write_bytes(content)

"""What a claim is made of: the policies that decide it, the outcomes it is about, and who says so.

The claims themselves are in `sim.claims.table`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sim.claims.verdict import Sesoi, Sign
from sim.model.outcomes import OUTCOMES, POINTS, Outcome

Side = Literal["Berwick", "government", ""]
Settings = tuple[tuple[str, float], ...]
SeenBy = Literal["initiative", "every rule"]


@dataclass(frozen=True)
class Arm:
    """A policy: a regime and the settings that differ from it.

    Where `fear_of` is given, the fear of the paired run under that policy takes the place of the managers' own, for
    the decision to try something new alone or for every rule (see `sim.model.interventions.GivenFear`).
    """

    name: str
    regime: str = "baseline"
    settings: Settings = ()
    fear_of: Arm | None = None
    seen_by: SeenBy = "initiative"


@dataclass(frozen=True)
class Comparison:
    """`plus` minus `minus`, all else equal. `subject` begins a sentence about the difference, `heading` stands over
    it in a picture where the claim has several comparisons."""

    subject: str
    plus: Arm
    minus: Arm
    heading: str = ""

    @property
    def name(self) -> str:
        """As a table shows it."""
        return f"{self.plus.name} - {self.minus.name}"


@dataclass(frozen=True)
class Measure:
    """An outcome of a claim: the sign that `side` claims (0 and "" where nobody does), the smallest effect of
    interest (None: estimate only) and a remark where one is needed to read the result."""

    outcome: str
    sign: Sign
    side: Side
    sesoi: Sesoi | None
    remark: str = ""


@dataclass(frozen=True)
class Claim:
    """Something said about leaders and oversight. `statement` says it in full, `heading` in a few words; `note` says
    how to read the answer. A claim about a level has no comparison."""

    id: str
    heading: str
    statement: str
    comparisons: tuple[Comparison, ...]
    measures: tuple[Measure, ...]
    note: str = ""


@dataclass(frozen=True)
class BreakEven:
    """A sign that follows from the value of one parameter: under `comparison`, `outcome` moves in direction `sign`
    exactly where the parameter's effective value is above `value`. `why` says how that follows."""

    claim: str
    comparison: Comparison
    outcome: str
    sign: Sign
    parameter: str
    value: float
    why: str


MEASURED: dict[str, Outcome] = OUTCOMES | {
    "satisfaction": Outcome(
        "satisfaction",
        "stock from 0 to 1",
        0.0,
        1.0,
        "How good managers feel about their work: the mean of trust, confidence and freedom from distress.",
    ),
    "gap": Outcome(
        "gap", POINTS, None, None, "Reported indicator less quality; only its change says something: scales differ."
    ),
    "quality_per_cost": Outcome(
        "quality_per_cost", POINTS, None, None, "Quality divided by what the budgets cost; today's budgets cost 1."
    ),
}
"""Every outcome that a claim may name."""

_MADE_OF = {
    "satisfaction": ("trust", "confidence", "distress"),
    "gap": ("reported", "quality"),
    "quality_per_cost": ("quality",),
    **{f"fearful{limit}": ("fear",) for limit in ("", "_40", "_60")},
    **{f"toxic{limit}": ("fear", "trust") for limit in ("", "_40", "_60")},
}


def made_of(outcome: str) -> frozenset[str]:
    """An outcome with those that it is computed from: evidence on any of them is evidence on it.

    >>> sorted(made_of("gap"))
    ['gap', 'quality', 'reported']
    """
    return frozenset((outcome, *_MADE_OF.get(outcome, ())))

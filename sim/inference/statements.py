"""The claims as data: what is said, which two policies decide it, by which outcomes, and who says so.

The contrasts, signs and smallest effects of interest were fixed before any result; a test holds a second copy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from sim.inference.contrast import Difference, Sesoi, Sign
from sim.outcomes import OUTCOMES, POINTS, Outcome

Side = Literal["Berwick", "government", ""]
Settings = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Arm:
    """A policy: a regime and the settings that differ from it."""

    name: str
    regime: str = "baseline"
    settings: Settings = ()


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
    """Something said about leaders and oversight. `statement` says it in full, `heading` in a few words."""

    id: str
    heading: str
    statement: str
    comparisons: tuple[Comparison, ...]
    measures: tuple[Measure, ...]


@dataclass(frozen=True)
class Finding:
    """What the runs say about one outcome of one claim in one comparison."""

    claim: Claim
    comparison: Comparison
    measure: Measure
    difference: Difference


def satisfaction(outcomes: pd.DataFrame) -> pd.Series:
    """How good managers feel about their work, from columns ``trust``, ``confidence`` and ``distress``."""
    return (outcomes["trust"] + outcomes["confidence"] + 1.0 - outcomes["distress"]) / 3.0


def gap(outcomes: pd.DataFrame) -> pd.Series:
    """How much better the reported indicator looks than quality, from columns of these names."""
    return outcomes["reported"] - outcomes["quality"]


DERIVED = {"satisfaction": satisfaction, "gap": gap}
"""Outcomes of claims that are computed from a run's outcomes."""

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
}
"""Every outcome that a claim may name."""

LIGHT, BASELINE, HEAVY = (Arm(name, name) for name in ("light", "baseline", "heavy"))
_SURVEILLANCE = (Comparison("Heavy surveillance instead of light", HEAVY, LIGHT),)
_RECOGNITION = (
    Comparison(
        "Much recognition instead of little, under heavy surveillance,",
        Arm("heavy, recognition 0.8", "heavy", (("recognition", 0.8),)),
        Arm("heavy, recognition 0.1", "heavy", (("recognition", 0.1),)),
    ),
)
_SUPPORT = (Comparison("The supportive regime instead of heavy surveillance", Arm("supportive", "supportive"), HEAVY),)
_DEVELOPMENT = (
    Comparison(
        "Much investment in leaders instead of some",
        Arm("relationship 0.8", "baseline", (("relationship", 0.8),)),
        Arm("relationship 0.3", "baseline", (("relationship", 0.3),)),
    ),
)
_REGULATION = (
    Comparison(
        "Regulating managers as the government agreed",
        Arm("kark_adopted", "kark_adopted"),
        BASELINE,
        "Regulating managers as agreed",
    ),
    Comparison(
        "Regulating managers with striking-off as well",
        Arm("kark_full", "kark_full"),
        BASELINE,
        "Regulating with striking-off as well",
    ),
)

_TENTH = Sesoi(0.10, relative=True)
_BY_CONSTRUCTION = "skill rises by construction, because investment in leaders is defined as raising it"


def _berwick(outcome: str, sign: Sign, sesoi: float | Sesoi) -> Measure:
    return Measure(outcome, sign, "Berwick", sesoi if isinstance(sesoi, Sesoi) else Sesoi(sesoi))


def _government(outcome: str, sign: Sign, sesoi: float | Sesoi) -> Measure:
    return Measure(outcome, sign, "government", sesoi if isinstance(sesoi, Sesoi) else Sesoi(sesoi))


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "fear",
        "It makes leaders fearful",
        "Leaders under close surveillance fear that a single slip will bring them trouble.",
        _SURVEILLANCE,
        (_berwick("fear", 1, 0.05),),
    ),
    Claim(
        "toxic",
        "Too much of it is toxic",
        "Too much surveillance makes for a toxic climate.",
        _SURVEILLANCE,
        tuple(_berwick(name, 1, 0.05) for name in ("toxic", "toxic_40", "toxic_60")),
    ),
    Claim(
        "moral",
        "It strains the conscience",
        "Close measurement and ticking of boxes put leaders into moral difficulty.",
        _SURVEILLANCE,
        (_berwick("moral_strain", 1, _TENTH), _berwick("distress", 1, 0.03)),
    ),
    Claim(
        "harder",
        "It makes the work harder",
        "Close measurement makes the work much harder.",
        _SURVEILLANCE,
        (_berwick("time_left", -1, 0.05), _berwick("overload", 1, 0.02)),
    ),
    Claim(
        "pays",
        "It makes services better",
        "Surveillance makes services better; this is the government's case.",
        _SURVEILLANCE,
        (
            _government("quality", 1, 0.02),
            _government("harm", -1, _TENTH),
            Measure("reported", 0, "", Sesoi(0.02)),
            Measure("gap", 0, "", None),
        ),
    ),
    Claim(
        "risk",
        "It stops leaders taking risks",
        "In an atmosphere of fear, leaders do not take risks and so do not mature.",
        _SURVEILLANCE,
        (
            _berwick("initiative_rate", -1, _TENTH),
            _berwick("successes", -1, _TENTH),
            Measure("needless", 0, "", _TENTH),
            _berwick("practice_gain", -1, _TENTH),
        ),
    ),
    Claim(
        "pride",
        "Recognition, under heavy surveillance",
        "It matters that leaders feel pride and confidence: recognition helps even under heavy surveillance.",
        _RECOGNITION,
        (_berwick("confidence", 1, 0.05), _berwick("initiative_rate", 1, _TENTH), _berwick("quality", 1, 0.02)),
    ),
    Claim(
        "good_about_work",
        "Support instead of heavy surveillance",
        "People should feel good about their work, and do where they are supported.",
        _SUPPORT,
        (_berwick("satisfaction", 1, 0.03),),
    ),
    Claim(
        "development",
        "Developing leaders: 0.8 instead of 0.3",
        "Investment in leaders' training and development, behaviour included, is worth while.",
        _DEVELOPMENT,
        (
            _berwick("confidence", 1, 0.03),
            _berwick("integrity", 1, 0.03),
            _berwick("exits", -1, _TENTH),
            _berwick("quality", 1, 0.02),
            Measure("skill", 0, "", None, _BY_CONSTRUCTION),
        ),
    ),
    Claim(
        "regulation",
        "Regulating managers",
        "Regulating managers more makes services better, says the government; it makes leaders more fearful and "
        "more timid, says Berwick.",
        _REGULATION,
        (
            _government("quality", 1, 0.02),
            _government("harm", -1, _TENTH),
            _berwick("fear", 1, 0.05),
            _berwick("initiative_rate", -1, _TENTH),
        ),
    ),
)
"""The claims of this first version, in the order of the interview's list."""

DOSES = (LIGHT, BASELINE, HEAVY)
"""Surveillance by dose; the levels of `DOSED` are reported under each."""

DOSED = (
    "fearful",
    "fearful_40",
    "fearful_60",
    *dict.fromkeys(m.outcome for claim in CLAIMS if claim.comparisons == _SURVEILLANCE for m in claim.measures),
)
"""Outcomes whose levels are reported by dose."""

"""What a study could measure: statistics of the virtual surveys and trials that are no patterns.

The table is fixed beforehand, so that the question which study would change the answer is asked of a list that no
result has shaped. Each candidate is measured as a pattern is, in runs that the patterns need anyway, and has the
standard deviation of a finding by a study that someone could carry out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ICC = 0.1
"""Share of the variance between people that lies between trusts: what asking colleagues costs. An assumption."""
TRANSFER = 0.06
"""Tolerance of a finding, in parts of a scale from 0 to 1, that is not of NHS managers, as the patterns have it."""
SCALE = 0.08
"""How far the level of a questionnaire's scale may lie from that of the model's, as in the pattern on speaking up."""

CHANGE = 0.02
"""The same of a change, by the same people before and after."""


@dataclass(frozen=True)
class Study:
    """A study that someone could carry out.

    Attributes
    ----------
    asked : who is asked, and how.
    people, trusts : how many, in how many organisations.
    tolerance : how far what is asked may be from what is meant; one standard deviation, in units of the statistic.
    """

    asked: str
    people: int
    trusts: int
    tolerance: float = 0.0

    @property
    def effective(self) -> float:
        """How many people, each from another trust, would tell as much."""
        return self.people / (1.0 + (self.people / self.trusts - 1.0) * ICC)


@dataclass(frozen=True)
class Candidate:
    """A statistic that a study could measure.

    Attributes
    ----------
    id, words : its name in a table, and in a sentence.
    kind, needs : how it is measured, as for a pattern; and of kind ``difference``: `before` and `after` throughout, the
        national mean of an outcome over the last months under `after` less that under `before`.
    study : who would be asked.
    spread : of a level or a difference, the standard deviation between people of what is averaged.
    """

    id: str
    words: str
    kind: str
    needs: Mapping[str, Any] = field(hash=False)
    study: Study
    spread: float = 1.0

    @property
    def sd(self) -> float:
        """Standard deviation of the study's finding about the statistic.

        Of a correlation √((1 − r²)²/(n − 1)) at r = 0, where it is largest; of a mean spread/√n; of a difference
        between two halves 2·spread/√n; n is the effective number of people. The study's tolerance is added in squares.

        >>> round(CANDIDATES[0].sd, 3)
        0.046
        """
        n = self.study.effective
        chance = {"correlation": 1.0 / math.sqrt(n - 1.0), "level": self.spread / math.sqrt(n)}
        return math.hypot(chance.get(self.kind, 2.0 * self.spread / math.sqrt(n)), self.study.tolerance)


_ASKED = Study(
    "directors and their direct reports, by questionnaire; monitoring is the trust's count of returns", 720, 120
)
_FILES = Study("directors and their direct reports, by questionnaire and from the trust's records", 720, 120)
_STAFF = Study("all directors and their direct reports, from staff records", 2_400, 200)
_LEVEL = Study("directors and their direct reports, by questionnaire", 720, 120, SCALE)
_TRIAL = (
    {"monitoring": 0.2, "targets": 0.1, "punitiveness": 0.2},
    {"monitoring": 0.5, "targets": 0.9, "punitiveness": 0.8},
)
_GAME = tuple({"monitoring": m, "targets": 0.0, "punitiveness": 0.0} for m in (0.0, 0.6))


def _correlation(x: str, y: str, words: str, study: Study) -> Candidate:
    return Candidate(f"{x}-{y}", words, "correlation", {"x": x, "y": y}, study)


def _level(outcome: str, words: str, spread: float, study: Study = _LEVEL) -> Candidate:
    return Candidate(f"level-{outcome}", words, "level", {"outcome": outcome}, study, spread)


def _targets(outcome: str, words: str, spread: float, scale: float = CHANGE) -> Candidate:
    study = Study("managers of trusts that are given targets early or late, before and two years after", 480, 60, scale)
    needs = {"outcome": outcome, "before": _TRIAL[0], "after": _TRIAL[1]}
    return Candidate(f"targets-{outcome}", words, "contrast", needs, study, spread)


def _control(outcome: str, words: str, spread: float, transfer: float = TRANSFER) -> Candidate:
    study = Study("team leaders outside the NHS, half of whose sites are monitored, for two years", 480, 60, transfer)
    needs = {"outcome": outcome, "before": _GAME[0], "after": _GAME[1]}
    return Candidate(f"control-{outcome}", words, "difference", needs, study, spread)


CANDIDATES: tuple[Candidate, ...] = (
    _correlation("monitoring", "fear", "whether managers who are monitored more fear more", _ASKED),
    _correlation("monitoring", "trust", "whether managers who are monitored more trust less", _ASKED),
    _correlation("monitoring", "initiative_rate", "whether managers who are monitored more try less", _FILES),
    _correlation("monitoring", "skill", "whether managers who are monitored more are more able", _FILES),
    _correlation("monitoring", "candour", "whether managers who are monitored more report their own slips", _FILES),
    _correlation("monitoring", "harm", "whether slips harm patients less where more is monitored", _FILES),
    _correlation("fear", "initiative_rate", "whether managers who fear more try less", _FILES),
    _correlation("fear", "candour", "whether managers who fear more report fewer of their own slips", _FILES),
    _correlation("fear", "distress", "whether managers who fear more are more distressed", _ASKED),
    _correlation("trust", "initiative_rate", "whether managers who trust more try more", _FILES),
    _correlation("confidence", "initiative_rate", "whether managers with more confidence try more", _FILES),
    _correlation("skill", "quality", "whether units of more able managers give better care", _FILES),
    _correlation("distress", "exits", "whether posts whose holders are distressed change hands more", _STAFF),
    _correlation(
        "record_share",
        "negligence",
        "whether managers who were dismissed elsewhere are negligent more often",
        Study("all directors and their direct reports, from staff records and inquiries", 2_400, 200, TRANSFER),
    ),
    _level("fear", "how much managers fear that a slip-up is punished", 0.15),
    _level("fearful", "how many managers are fearful", 0.4),
    _level("toxic", "how many managers fear much and trust little", 0.4),
    _level("trust", "how far managers trust those above them", 0.15),
    _level("distress", "how distressed managers are", 0.15),
    _level(
        "overload",
        "how far the work exceeds what can be done",
        0.1,
        Study("trusts, from activity and staffing returns", 120, 120, 0.03),
    ),
    _level(
        "time_left",
        "how much of their time managers have for running the unit",
        0.1,
        Study("directors and their direct reports, by a diary of two weeks", 240, 60, 0.02),
    ),
    _targets("fear", "what targets with sanctions do to fear", 0.15),
    _targets("quality", "what targets with sanctions do to the quality of care", 0.15),
    _targets("initiative_rate", "what targets with sanctions do to initiative", 0.1, 0.0),
    _control("trust", "what monitoring without sanctions does to trust", 0.15),
    _control("quality", "what monitoring without sanctions does to the quality of care", 0.15),
    _control("initiative_rate", "what monitoring without sanctions does to initiative", 0.1, TRANSFER / 2.0),
    _control("skill", "what monitoring without sanctions does to skill", 0.15),
)

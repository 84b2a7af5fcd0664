"""Every outcome of the model once: its name, its unit, the values it can take and what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from sim.model.tables import Table

POINTS = "points of the indicator"
QUALITY = "points of quality"


@dataclass(frozen=True)
class Outcome:
    """Something that is measured each month, as a mean over managers unless its meaning says otherwise.

    `low` and `high` are the smallest and largest possible values, None where there is no such limit.
    """

    name: str
    meaning: str
    unit: str
    low: float | None = 0.0
    high: float | None = 1.0


_stock = partial(Outcome, unit="stock from 0 to 1")
_share = partial(Outcome, unit="share of managers")
_rate = partial(Outcome, unit="events a manager a month")

OUTCOMES: Table[Outcome] = Table(
    _stock(
        "fear",
        "How firmly managers believe that a slip-up brings punishment. A fear of 0.34 means that, on average, they are "
        "a third of the way from no fear at all to certainty of it.",
    ),
    _stock(
        "trust",
        "How far managers trust those above them. A trust of 0.5 is neither trust nor distrust; below it, a manager "
        "holds back.",
    ),
    _stock(
        "confidence",
        "How far managers believe that what they try will succeed. A confidence of 0.5 is where people start and where "
        "they return when nothing happens.",
    ),
    _stock("skill", "How able managers are. A skill of 0.5 means half-way to mastery."),
    _stock(
        "integrity",
        "How much it matters to managers to do right. An integrity of 0.75 means that they resist three quarters of "
        "the gaming that pressure would otherwise produce.",
    ),
    _stock(
        "distress",
        "How much moral strain, paperwork, overload and fear have worn managers down. A distress of 0.2 means a fifth "
        "of the way from calm to breaking point.",
    ),
    _stock(
        "motivation",
        "The will to work that comes from within. A motivation of 0.6 means that managers would make six tenths of the "
        "possible effort if nobody watched.",
    ),
    _stock(
        "cooperation",
        "How far managers work with others in their system. A cooperation of 0.3 means three tenths of the joint work "
        "that could be done.",
    ),
    Outcome(
        "effort",
        "How hard managers work, from motivation and from fear of being caught. An effort of 0.7 means seven tenths of "
        "what is possible; what is missing breeds negligence.",
        "share of possible effort",
    ),
    Outcome(
        "assurance",
        "The time that goes into satisfying those who monitor. 0.04 means about a day a month.",
        "share of working time",
    ),
    Outcome(
        "time_left",
        "The time left for running the unit after assurance, development and cooperation. 0.92 means that 8 % went "
        "into these.",
        "share of working time",
        low=0.05,
    ),
    Outcome(
        "overload",
        "How far the work that arrives exceeds what can be done. An overload of 0.1 means about a tenth too much.",
        "share of capacity",
        high=None,
    ),
    Outcome(
        "quality",
        "What patients get: service that is balanced, honest and fits local need, less the harm done by slips. A "
        "manager of full effort and skill with all the time and the right practice would reach 1; a month of much harm "
        "can fall below 0.",
        QUALITY,
        low=None,
        high=None,
    ),
    Outcome(
        "reported",
        "The indicator as managers report it, gaming included. 0.48 means 0.48 points on the scale of the target, "
        "which is 0.57 by default.",
        POINTS,
        low=None,
        high=None,
    ),
    Outcome(
        "honest_indicator",
        "The indicator as it would be without gaming: the service given to what is measured, and the luck of the "
        "month.",
        POINTS,
        low=None,
        high=None,
    ),
    Outcome(
        "gaming",
        "What gaming adds to the reported indicator. 0.02 means that reports are better than the truth by 0.02 points.",
        POINTS,
        high=None,
    ),
    Outcome(
        "harm",
        "What slips cost patients, most where they stay hidden and least where they are reported. A harm of 0.03 takes "
        "0.03 from quality.",
        QUALITY,
        high=None,
    ),
    Outcome(
        "moral_strain",
        "What it costs people of integrity to do what is counted rather than what is right, and to game. At 0 nobody "
        "acts against conscience.",
        "points of strain",
        high=None,
    ),
    _rate("initiative_rate", "The share of managers who try something new in a month. 0.10 means one in ten."),
    _rate("successes", "The share of managers who try something new in a month and succeed."),
    _rate(
        "needless",
        "The share of managers who try something new in a month although their practice was already close to what is "
        "needed.",
    ),
    Outcome(
        "success_rate",
        "The share of the month's initiatives that succeed; 0 in a month without any.",
        "share of initiatives",
    ),
    Outcome(
        "practice_gain",
        "The skill learned in a month from trying something new, averaged over all managers, those who tried nothing "
        "included.",
        "skill a manager a month",
    ),
    _rate(
        "slips",
        "The share of managers with a slip in a month: negligence, an honest failure or a mishap. 0.16 means about two "
        "slips a manager a year.",
    ),
    _rate("negligence", "The share of managers with a negligent slip in a month."),
    Outcome(
        "silence",
        "The share of the month's slips that managers did not report themselves, whether or not they were discovered. "
        "A silence of 0.35 means that about one in three goes unreported; 0 in a month without slips.",
        "share of slips",
    ),
    _rate("sanctions", "The share of managers punished in a month, for a slip or for the indicator."),
    _rate(
        "exits",
        "The share of managers who leave their post in a month, dismissed or by choice. 0.022 means that nearly a "
        "quarter leave in a year.",
    ),
    _rate("dismissals", "The share of managers dismissed in a month."),
    _rate(
        "recycled",
        "The share of posts filled in a month with a former manager from the market rather than with a newcomer.",
    ),
    Outcome(
        "monitoring_level",
        "How closely managers' organisations are monitored, on average: the lever, and what follows risk or differs "
        "between organisations, before frightened chief executives tighten it.",
        "probability a month",
    ),
    Outcome(
        "targets_level", "How much judgement rests on the targets in managers' organisations, on average.", "share"
    ),
    Outcome("relationship_level", "The investment in relationships that managers receive, on average.", "share"),
    Outcome(
        "misfit",
        "How far practice is from what is needed, on average and regardless of direction. At a misfit of 1 a unit's "
        "quality is down by about 40 %.",
        "distance in practice",
        high=None,
    ),
    Outcome(
        "practice_variation",
        "How much practice differs between the units of the nation. At 0 care is the same everywhere.",
        "standard deviation of practice",
        high=None,
    ),
    _share(
        "toxic",
        "The share of managers in a toxic climate of their own: fear above 0.5 and trust below 0.5. 0.12 means about "
        "one in eight.",
    ),
    _share("fearful", "The share of managers with a fear above 0.5. 0.15 means about one in seven."),
    _share(
        "record_share",
        "The share of managers who were dismissed from another post before. 0.16 means about one in six.",
    ),
)
"""What each month of a run yields, in order."""

_ONLY_OF_POSTS = Table(
    Outcome(
        "monitoring",
        "How closely the overseer monitors the organisation, before its own chief executive tightens scrutiny.",
        "probability a month",
    ),
    Outcome("relationship", "The investment in relationships that the post receives.", "share"),
    _rate("spoken", "Slips that the manager of the post reported, a month."),
)

_OF_POSTS = (
    "monitoring relationship fear trust confidence skill integrity distress motivation cooperation effort "
    "quality reported honest_indicator gaming harm initiative_rate slips negligence spoken sanctions exits dismissals "
    "record_share"
)

POST_COLUMNS: Table[Outcome] = Table(*((OUTCOMES | _ONLY_OF_POSTS)[name] for name in _OF_POSTS.split()))
"""What is averaged for each post and for each organisation, in order."""

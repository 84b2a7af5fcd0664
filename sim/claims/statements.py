"""The claims as data: what is said, which policies decide it, by which outcomes, who says so, and what matters.

Limits, directions, contrasts and signs were fixed before any calibrated result of this model; a test holds a second
copy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sim.claims.verdict import Sign
from sim.model.local import LocalRule
from sim.model.parameters import PARAMETERS, REGIMES
from sim.worlds.evaluate import Arm, Contrast, less, level

Side = Literal["Berwick", "government", ""]


@dataclass(frozen=True)
class Limit:
    """The smallest effect of interest: `size` in the outcome's unit, or, where `of_baseline`, as a share of its
    weighted mean at baseline. `direction` is where everybody would call it better, 0 where they would not; the
    standard error of an effect in one world is at most 1/`finer` of the size."""

    direction: Sign
    size: float
    words: str
    of_baseline: bool = False
    finer: float = 3.0


_POINTS = "2 points of 100; national figures of the NHS Staff Survey moved by 0.6 to 1.9 points a year"
_ATTEMPT = "one attempt a trust and year"

LIMITS: dict[str, Limit] = {
    **{name: Limit(-1, 0.02, _POINTS) for name in ("fear", "distress", "toxic", "fearful", "overload")},
    **{
        name: Limit(1, 0.02, _POINTS)
        for name in ("trust", "confidence", "integrity", "skill", "cooperation", "satisfaction", "time_left")
    },
    "quality": Limit(1, 0.02, "what a cut of the budget by some 5 % does"),
    **{name: Limit(0, 0.02, "2 points on the target") for name in ("reported", "gap")},
    **{name: Limit(1, 0.007, _ATTEMPT) for name in ("initiative_rate", "successes")},
    "needless": Limit(0, 0.007, _ATTEMPT),
    "harm": Limit(-1, 0.006, "a tenth of today's"),
    "negligence": Limit(-1, 0.002, "one slip a trust in three and a half years", finer=2.0),
    "exits": Limit(-1, 0.0008, "one point a year", finer=2.0),
    "record_share": Limit(0, 0.02, "2 posts of 100"),
    "quality_per_cost": Limit(1, 0.05, "5 % of its mean at baseline, one number for all worlds", of_baseline=True),
}
"""What matters, by outcome."""

VECTOR = ("fear", "distress", "trust", "initiative_rate", "skill", "cooperation", "time_left", "quality", "harm",
          "reported", "exits")  # fmt: skip
"""Outcomes that are told of every contrast, whether or not a side claims them."""


def sizes_of_interest(at_baseline: Mapping[str, float]) -> dict[str, float]:
    """δ of each outcome in its unit, given the weighted means at baseline.

    >>> sizes_of_interest({"quality_per_cost": 0.5})["quality_per_cost"]
    0.025
    """
    return {n: limit.size * (at_baseline[n] if limit.of_baseline else 1.0) for n, limit in LIMITS.items()}


def precision(sizes: Mapping[str, float]) -> dict[str, float]:
    """The largest standard error of an effect in one world, by outcome.

    Where δ follows from the worlds, one digit of it, rounded down, so that further worlds hardly ever change what was
    run in the others.

    >>> precision({"fear": 0.02, "quality_per_cost": 0.0264})["quality_per_cost"]
    0.008
    """
    largest = {name: size / LIMITS[name].finer for name, size in sizes.items()}
    return {name: _one_digit(x) if LIMITS[name].of_baseline else x for name, x in largest.items()}


def _one_digit(x: float) -> float:
    digit = 10.0 ** math.floor(math.log10(x))
    return float(f"{math.floor(x / digit) * digit:.1g}")


@dataclass(frozen=True)
class Measure:
    """An outcome of a claim with the sign that `side` claims, 0 and "" where nobody does. One that `LIMITS` lacks is
    an estimate without a verdict."""

    outcome: str
    sign: Sign = 0
    side: Side = ""


@dataclass(frozen=True)
class Case:
    """A contrast by which a claim is decided, and its outcomes. `subject` begins a sentence about the difference,
    `heading` stands over it in a picture."""

    contrast: Contrast
    subject: str
    measures: tuple[Measure, ...]
    heading: str = ""


@dataclass(frozen=True)
class Claim:
    """Something said about leaders and oversight. `statement` says it in full, `heading` in a few words; `note` says
    how to read the answer; `beside` are contrasts that further tables need. A claim about a level has no cases; its
    `levels` are told at baseline. The primary outcome is the first of the first case."""

    id: str
    heading: str
    statement: str
    cases: tuple[Case, ...]
    note: str = ""
    beside: tuple[Contrast, ...] = ()
    levels: tuple[str, ...] = ()


def _arm(name: str, regime: str = "baseline", **settings: float) -> Arm:
    return Arm(name, regime, tuple(settings.items()))


LIGHT, BASELINE, HEAVY = (Arm(name, name) for name in ("light", "baseline", "heavy"))
SURVEILLANCE = less(HEAVY, LIGHT)

# Dose

_LITTLE, _MUCH = REGIMES["light"].levers["monitoring"], REGIMES["heavy"].levers["monitoring"]
DOSES = {
    dose: less(_arm(f"monitoring and targets {dose:g}", monitoring=dose, targets=dose), BASELINE)
    for dose in (0.0, 0.2, 0.8, 1.0)
}
"""Surveillance by dose, against today's, all else as the world has it."""
BUNDLE = less(Arm("hands_off", "hands_off"), BASELINE)
"""No surveillance, and no investment in leaders either: a bundle, beside the doses."""
_MONITORING = _arm("monitoring alone", monitoring=_MUCH, targets=_LITTLE)
_TARGETS = _arm("targets alone", monitoring=_LITTLE, targets=_MUCH)
TWO_BY_TWO = {
    "monitoring alone": less(_MONITORING, LIGHT),
    "targets alone": less(_TARGETS, LIGHT),
    "both": SURVEILLANCE,
    "interaction": Contrast("interaction", ((1, HEAVY), (-1, _MONITORING), (-1, _TARGETS), (1, LIGHT))),
}
"""Monitoring and targets, each little or much."""
DOSED = (*DOSES.values(), BUNDLE, *TWO_BY_TWO.values())

# The path through fear, and an atmosphere of fear

PATHS = {
    "the part through fear": less(HEAVY, Arm("heavy, fear of light", "heavy", fear_of=LIGHT)),
    "the other order": less(Arm("light, fear of heavy", "light", fear_of=HEAVY), LIGHT),
    "seen by every rule": less(
        HEAVY, Arm("heavy, fear of light in every rule", "heavy", fear_of=LIGHT, seen_by="every rule")
    ),
}
"""Only fear is exchanged: the same post in the same month of the paired run lends it."""
_TEACHERS = ("fear_blamed", "fear_peer_blamed", "fear_system", "fear_ambient")
ATMOSPHERE = {
    factor: level(Arm(f"fear taught times {factor:g}", scaled=tuple((name, factor) for name in _TEACHERS)), 16)
    for factor in (0.5, 1.0, 1.5)
}
"""Levels at baseline's levers where what teaches fear is weaker or stronger than the world has it."""

# Relationship on a budget

PRICE = 2.0
"""Of relationship, in the oversight budget: monitoring + targets + price × relationship."""


def oversight_budget() -> float:
    """What baseline spends on oversight.

    >>> round(oversight_budget(), 6)
    1.55
    """
    monitoring, targets, relationship = (PARAMETERS[n].default for n in ("monitoring", "targets", "relationship"))
    return monitoring + targets + PRICE * relationship


def budget_line(points: int = 6) -> tuple[Arm, ...]:
    """Policies that spend the oversight budget, from none of it on relationship to all."""
    budget, arms = oversight_budget(), []
    for exact in np.linspace(0.0, budget / PRICE, points).tolist():
        r, each = round(exact, 6), round((budget - PRICE * exact) / 2, 6)
        arms.append(_arm(f"relationship {r:.4g}, surveillance {each:.4g}", relationship=r, monitoring=each,
                         targets=each))  # fmt: skip
    return tuple(arms)


_LINE = budget_line()
BUDGET_LINE = {dict(arm.settings)["relationship"]: less(arm, _LINE[0]) for arm in _LINE[1:]}
"""The way from none of the budget on relationship to all of it."""

# What can be chosen

CHOICES = {
    regime: less(Arm(regime, regime), BASELINE)
    for regime in ("light", "heavy", "punitive", "just_culture", "heavy_supportive", "supportive", "hands_off",
                   "barring")
}  # fmt: skip
"""Policies against baseline."""
FOLLOWS = Arm(
    "support that follows fear",
    settings=(("local", (LocalRule((("relationship", 0.8),), where="fear > 0.3"),)),),
)
AFTER_FEAR = less(FOLLOWS, Arm("the same support spread evenly", evenly=FOLLOWS))
"""Support where fear is high, against the same spending everywhere."""
REACHED = level(Arm("support that follows fear, from the first month", settings=(*FOLLOWS.settings, ("window", 120))))
"""How much of all organisation-months the rule reaches."""
CHOSEN_BY = ("harm", "quality", "time_left", "distress", "initiative_rate", "fear", "reported")
"""Outcomes that they are compared by."""
WEIGHTINGS: dict[str, dict[str, float]] = {
    "equal": dict.fromkeys((name for name in CHOSEN_BY if LIMITS[name].direction), 1 / 6),
    "patients": dict.fromkeys(("harm", "quality"), 1 / 2),
    "staff": dict.fromkeys(("distress", "fear", "time_left"), 1 / 3),
}
"""What counts how much, in what a choice is worth."""

# Arms of the claims

CUT, UNCUT = (_arm(f"acute budget {budget:g}", acute_budget=budget) for budget in (0.9, 1.0))
_PRAISED, _UNPRAISED = (_arm(f"heavy, recognition {r:g}", "heavy", recognition=r) for r in (0.8, 0.1))
_INVESTED, _LESS_INVESTED = (_arm(f"relationship {r:g}", relationship=r) for r in (0.8, 0.3))
_LISTED, _UNLISTED = (_arm(f"register {r:g}", register=r) for r in (1.0, 0.0))
_INCENTIVE, _LESS_INCENTIVE = (_arm(f"cooperation incentive {c:g}", cooperation_incentive=c) for c in (0.8, 0.2))
_ON_LESS = _arm("cooperation incentive 0.8, acute budget 0.95", cooperation_incentive=0.8, acute_budget=0.95)
_SHIFTED = _arm("social care 1.14, acute 0.96", social_care_budget=1.14, acute_budget=0.96)
NEW_MONEY, SHIFT = less(_arm("social care 1.14", social_care_budget=1.14), BASELINE), less(_SHIFTED, BASELINE)
REGISTER = less(_LISTED, _UNLISTED)


def _measures(side: Side, said: str) -> tuple[Measure, ...]:
    """Outcomes that a side says rise (+) or fall (-), or that nobody claims anything about."""
    signs: dict[str, Sign] = {"+": 1, "-": -1}
    found = []
    for word in said.split():
        sign = signs.get(word[0], 0)
        found.append(Measure(word.lstrip("+-"), sign, side if sign else ""))
    return tuple(found)


def _surveillance(said: str, side: Side = "Berwick") -> tuple[Case, ...]:
    return (Case(SURVEILLANCE, "Heavy surveillance instead of light", _measures(side, said)),)


_REGULATED = (*_measures("government", "+quality -harm"), *_measures("Berwick", "+fear -initiative_rate"))

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "fearful",
        "Too many leaders are fearful",
        "Too many leaders are fearful as things are.",
        (),
        "How many are too many is not for a model to say: these are levels under baseline surveillance. A band of "
        "nearly everything is no answer.",
        levels=("fearful",),
    ),
    Claim(
        "fear",
        "It makes leaders fearful",
        "Leaders under close surveillance fear that a single slip will bring them trouble.",
        _surveillance("+fear"),
        beside=DOSED,
    ),
    Claim(
        "toxic",
        "Too much of it is toxic",
        "Too much surveillance makes for a toxic climate.",
        _surveillance("+toxic"),
        beside=DOSED,
    ),
    Claim(
        "moral",
        "It strains the conscience",
        "Close measurement and ticking of boxes put leaders into moral difficulty.",
        _surveillance("+distress moral_strain"),
        beside=DOSED,
    ),
    Claim(
        "harder",
        "It makes the work harder",
        "Close measurement makes the work much harder.",
        _surveillance("+overload -time_left"),
        beside=DOSED,
    ),
    Claim(
        "pays",
        "It makes services better",
        "Surveillance makes services better; this is the government's case.",
        _surveillance("+quality -harm reported gap", "government"),
        beside=DOSED,
    ),
    Claim(
        "risk",
        "It stops leaders taking risks",
        "In an atmosphere of fear, leaders do not take risks and so do not mature.",
        _surveillance("-initiative_rate -skill -successes needless"),
        "The part through fear answers: what would managers under heavy surveillance do if, when they decide whether "
        "to try something new, each felt the fear that was felt in the same post in the same month under light "
        "surveillance? Everything else stays as it is, including what follows from what they then do. It is not what "
        "would happen if fear were cured. The post may be held by somebody else in the other run, so it is a fear of "
        "the post rather than of the person; surveillance also moves trust, confidence and time, and what goes "
        "through these is not counted, although fear and trust move each other; and the two orders need not agree, "
        "because fear weighs more where confidence is low. Where every rule sees the other run's fear, nothing that "
        "is learned about fear counts any more.",
        beside=(*DOSED, *PATHS.values(), *ATMOSPHERE.values()),
    ),
    Claim(
        "pride",
        "Recognition under watch",
        "It matters that leaders feel pride and confidence: recognition helps even under heavy surveillance.",
        (
            Case(
                less(_PRAISED, _UNPRAISED),
                "Much recognition instead of little, under heavy surveillance,",
                _measures("Berwick", "+confidence +initiative_rate +quality"),
            ),
        ),
    ),
    Claim(
        "good_about_work",
        "Support makes work feel good",
        "People should feel good about their work, and do where they are supported.",
        (
            Case(
                less(Arm("supportive", "supportive"), HEAVY),
                "The supportive regime instead of heavy surveillance",
                _measures("Berwick", "+satisfaction harm +quality"),
            ),
        ),
    ),
    Claim(
        "relationship",
        "Relationships, not metrics",
        "There is too much accountability and measurement and not enough development of relationships: the same "
        "effort does more good the other way round.",
        (
            Case(
                BUDGET_LINE[max(BUDGET_LINE)],
                "Spending all oversight on relationships instead of none",
                _measures("Berwick", "+quality -fear +initiative_rate harm"),
            ),
        ),
        f"The budget is monitoring + targets + {PRICE:g} × relationship = {oversight_budget():g}, which is what "
        "baseline spends; the price of relationship is an assumption.",
        beside=tuple(BUDGET_LINE.values()),
    ),
    Claim(
        "development",
        "Developing leaders",
        "Investment in leaders' training and development, behaviour included, is worthwhile.",
        (
            Case(
                less(_INVESTED, _LESS_INVESTED),
                "Much investment in leaders instead of some",
                _measures("Berwick", "+quality +confidence +integrity -exits -harm"),
            ),
        ),
    ),
    Claim(
        "regulation",
        "Regulating managers",
        "Regulating managers more makes services better, says the government; it makes leaders more fearful and "
        "more timid, says Berwick.",
        tuple(
            Case(less(Arm(regime, regime), BASELINE), subject, _REGULATED, heading)
            for regime, subject, heading in (
                ("barring", "Statutory barring with a leadership standard", "Barring, as announced"),
                ("kark_adopted", "Regulating managers as agreed in 2019", "Regulating managers as agreed"),
                ("kark_full", "Regulating managers with striking-off as well", "Regulating with striking-off as well"),
            )
        ),
    ),
    Claim(
        "recycling",
        "A register of dismissals",
        "Poor managers were moved on into new posts, and patients paid for it.",
        (
            Case(
                REGISTER,
                "A register of dismissals instead of none",
                _measures("Berwick", "+quality -negligence record_share"),
            ),
        ),
        "Whether those with a record slip more is asked within each world, between posts at baseline.",
    ),
    Claim(
        "cooperation",
        "Cooperation instead of cuts",
        "Efficiency comes from cooperating better, not from cutting the budgets of institutions.",
        (
            Case(
                less(_INCENTIVE, _LESS_INCENTIVE),
                "More cooperation on today's budget",
                _measures("Berwick", "+quality_per_cost +quality"),
                "Cooperating more",
            ),
            Case(
                less(_ON_LESS, _LESS_INCENTIVE),
                "More cooperation together with an acute budget cut by 5 %",
                _measures("Berwick", "+quality_per_cost +quality"),
                "Cooperating, on 5 % less",
            ),
        ),
    ),
    Claim(
        "cuts",
        "Cutting the budget",
        "Nobody can go on cutting the budget and expect excellence.",
        (Case(less(CUT, UNCUT), "Cutting the acute budget by 10 %", _measures("Berwick", "-quality")),),
    ),
    Claim(
        "variation",
        "The same process everywhere",
        "Processes of care should not be the same everywhere.",
        (
            Case(
                less(Arm("one_size", "one_size"), BASELINE),
                "Holding every practice to one standard",
                _measures("Berwick", "-quality harm misfit"),
            ),
        ),
    ),
    Claim(
        "social_care",
        "Money for social care",
        "There is no integrated care without social care: give it new money, or move money from acute care.",
        (
            Case(
                NEW_MONEY,
                "New money for social care, 14 % of its budget,",
                _measures("Berwick", "-overload +quality"),
                "New money, 14 %",
            ),
            Case(SHIFT, "Moving 4 % of the acute budget to social care", _measures("", "quality"), "Money moved"),
        ),
        "Whether the shift pays turns on how far patients who wait for social care fill acute beds.",
    ),
)
"""Everything that the interview asserts, in its order."""

Key = tuple[str, str]
"""A contrast and an outcome, by name."""


@dataclass(frozen=True)
class BreakEven:
    """The value of a parameter at which an effect turns, told of a claim."""

    claim: str
    contrast: Contrast
    outcome: str
    parameter: str


BREAK_EVENS = (
    BreakEven("harder", SURVEILLANCE, "time_left", "burden"),
    BreakEven("social_care", SHIFT, "quality", "bed_blocking"),
)

FORMULAS: dict[str, str] = {
    "time_left": "−burden·(M₁^burden_power − M₀^burden_power) − relationship_time·(relationship₁ − relationship₀)",
}
"""Outcomes whose effect a formula gives, 1 and 0 being the arms."""

LEFT_OUT: dict[str, tuple[str, ...]] = {
    **{
        name: ("monitoring-stress", "monitoring-satisfaction")
        for name in ("fear", "distress", "toxic", "fearful", "trust", "confidence", "satisfaction")
    },
    **{name: ("monitoring-performance", "relationship-performance") for name in ("quality", "quality_per_cost", "gap")},
    "reported": ("monitoring-performance", "relationship-performance", "targets-work", "bunching"),
    **{name: ("monitoring-deviance", "relationship-deviance", "speaking-up") for name in ("harm", "negligence")},
    "exits": ("churn",),
}
"""The published findings on an outcome, by id; an outcome that is not here has none."""


def findings_on(claim: str, outcome: str) -> tuple[str, ...]:
    """The findings that are left out where an outcome of a claim is judged without those on it.

    >>> findings_on("recycling", "quality")[-1], findings_on("risk", "skill")
    ('records', ())
    """
    return (*LEFT_OUT.get(outcome, ()), *(("records",) if claim in ("regulation", "recycling") else ()))


HEADLINE = (("fear", "fear"), ("risk", "initiative_rate"), ("pays", "harm"), ("pays", "quality"))
"""Claims and outcomes whose reasons are told first: both sides' strongest case."""


def cases(claims: tuple[Claim, ...] = CLAIMS) -> Iterator[tuple[Claim, Case]]:
    """Every contrast of every claim."""
    for claim in claims:
        for case in claim.cases:
            yield claim, case


def primary(claims: tuple[Claim, ...] = CLAIMS) -> dict[str, Key]:
    """The contrast and the outcome that decide each claim which has one.

    >>> primary()["pays"]
    ('heavy - light', 'quality')
    """
    return {c.id: (c.cases[0].contrast.name, c.cases[0].measures[0].outcome) for c in claims if c.cases}


def contrasts_of(claims: tuple[Claim, ...] = CLAIMS, choices: bool = True) -> tuple[Contrast, ...]:
    """The contrasts that an answer needs, each once; with `choices` also those of what can be chosen."""
    found = [*(case.contrast for _, case in cases(claims)), *(c for claim in claims for c in claim.beside)]
    return tuple(dict.fromkeys([*found, *((*CHOICES.values(), AFTER_FEAR, REACHED) if choices else ())]))

"""The claims as data: what is said, which two policies decide it, by which outcomes, and who says so.

The contrasts, signs and smallest effects of interest were fixed before any result; a test holds a second copy.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from sim.claims.verdict import Sesoi, Sign
from sim.model.parameters import PARAMETERS, REGIMES
from sim.worlds.evaluate import Arm

Side = Literal["Berwick", "government", ""]


@dataclass(frozen=True)
class Contrast:
    """`plus` minus `minus`, all else equal. `subject` begins a sentence about the difference, `heading` stands over
    it in a picture where the claim has several contrasts; of an `aside` texts and pictures show the first outcome
    only."""

    subject: str
    plus: Arm
    minus: Arm
    heading: str = ""
    aside: bool = False

    @property
    def name(self) -> str:
        """As a table shows it."""
        return f"{self.plus.name} - {self.minus.name}"


@dataclass(frozen=True)
class Measure:
    """An outcome of a claim: the sign that `side` claims (0 and "" where nobody does), the smallest effect of
    interest (None: estimate only) and a remark where one is needed to read the result."""

    outcome: str
    sign: Sign = 0
    side: Side = ""
    sesoi: Sesoi | None = None
    remark: str = ""


@dataclass(frozen=True)
class Analysis:
    """A further table of an answer, by the name of its function in `sim.claims.tables` and of its sentences in
    `sim.claims.text`: the arms that it needs, and `deep` those that it has beside them in a closer look."""

    name: str
    arms: tuple[Arm, ...] = ()
    deep: tuple[Arm, ...] = ()


@dataclass(frozen=True)
class BreakEven:
    """A sign that follows from the value of one parameter: under `contrast`, `outcome` moves in direction `sign`
    exactly where the parameter's effective value is above `value`. `why` says how that follows."""

    contrast: Contrast
    outcome: str
    sign: Sign
    parameter: str
    value: float
    why: str


@dataclass(frozen=True)
class Claim:
    """Something said about leaders and oversight. `statement` says it in full, `heading` in a few words; `note` says
    how to read the answer. A claim about a level has no contrast; one whose sign one parameter decides has a
    `break_even`, reported beside the verdicts."""

    id: str
    heading: str
    statement: str
    contrasts: tuple[Contrast, ...]
    measures: tuple[Measure, ...]
    note: str = ""
    analyses: tuple[Analysis, ...] = ()
    break_even: BreakEven | None = None


def _arm(name: str, regime: str = "baseline", **settings: float) -> Arm:
    return Arm(name, regime, tuple(settings.items()))


LIGHT, BASELINE, HEAVY = (Arm(name, name) for name in ("light", "baseline", "heavy"))
DOSES = (LIGHT, BASELINE, HEAVY)
"""Surveillance by dose."""

_LITTLE, _MUCH = REGIMES["light"].levers["monitoring"], REGIMES["heavy"].levers["monitoring"]
MONITORING = _arm("monitoring alone", monitoring=_MUCH, targets=_LITTLE)
TARGETS = _arm("targets alone", monitoring=_LITTLE, targets=_MUCH)

SignedArms = tuple[tuple[int, Arm], ...]
STEPS: dict[str, SignedArms] = {
    "baseline - light": ((1, BASELINE), (-1, LIGHT)),
    "heavy - baseline": ((1, HEAVY), (-1, BASELINE)),
    "monitoring alone": ((1, MONITORING), (-1, LIGHT)),
    "targets alone": ((1, TARGETS), (-1, LIGHT)),
    "both": ((1, HEAVY), (-1, LIGHT)),
    "interaction": ((1, HEAVY), (-1, MONITORING), (-1, TARGETS), (1, LIGHT)),
}
"""What a dose adds, and monitoring and targets two by two: sums of arms; the last arm is what "rel" refers to."""

SURVEILLANCE = Contrast("Heavy surveillance instead of light", HEAVY, LIGHT)


def _path(place: str, plus: Arm, minus: Arm, heading: str) -> Contrast:
    subject = f"Fear of heavy surveillance instead of light, in {place},"
    return Contrast(subject, plus, minus, heading, aside=True)


_TRYING = "the decision to try something new under"
_FEARING_LESS = Arm("heavy, fear of light", "heavy", fear_of=LIGHT)
_FEARING_MORE = Arm("light, fear of heavy", "light", fear_of=HEAVY)
_EVERY_RULE = Arm("heavy, fear of light in every rule", "heavy", fear_of=LIGHT, seen_by="every rule")
PATHS = (
    _path(f"{_TRYING} heavy surveillance", HEAVY, _FEARING_LESS, "The part through fear"),
    _path(f"{_TRYING} light surveillance", _FEARING_MORE, LIGHT, "Through fear, the other order"),
    _path("every decision under heavy surveillance", HEAVY, _EVERY_RULE, "Through fear, in every rule"),
)
"""The path through fear: the same post in the same month of the paired run lends its fear."""

PRICE = 2.0
"""Of relationship, in the oversight budget: monitoring + targets + price × relationship."""
PRICES = (1.0, 4.0)
"""Other prices of relationship, for a closer look."""
_POINTS = 6


def oversight_budget(price: float = PRICE) -> float:
    """What baseline spends on oversight at this price of relationship.

    >>> round(oversight_budget(), 6)
    1.55
    """
    monitoring, targets, relationship = (PARAMETERS[n].default for n in ("monitoring", "targets", "relationship"))
    return monitoring + targets + price * relationship


def budget_line(price: float = PRICE) -> tuple[Arm, ...]:
    """Policies that spend the same oversight budget, from as little relationship as levers up to 1 allow to as much."""
    budget, arms = oversight_budget(price), []
    for exact in np.linspace(max(0.0, (budget - 2.0) / price), min(1.0, budget / price), _POINTS).tolist():
        r, each = round(exact, 6), round((budget - price * exact) / 2, 6)
        name = f"relationship {r:.4g}, monitoring and targets {each:.4g}"
        arms.append(_arm(name, relationship=r, monitoring=each, targets=each))
    return tuple(arms)


CUT, UNCUT = (_arm(f"acute budget {budget:g}", acute_budget=budget) for budget in (0.9, 1.0))
INCENTIVES = (0.5, 0.8, 1.0)
MADE_UP = tuple(
    _arm(f"acute budget 0.9, cooperation {c:g}", acute_budget=0.9, cooperation_incentive=c) for c in INCENTIVES
)
"""The cut with more and more cooperation."""
_SUPPORTIVE, _AGREED, _STRIKING_OFF, _ONE_SIZE = (
    Arm(name, name) for name in ("supportive", "kark_adopted", "kark_full", "one_size")
)
_NEW_MONEY, _MORE_MONEY = (_arm(f"social care {money:g}", social_care_budget=money) for money in (1.14, 1.28))
_SHIFTED = _arm("social care 1.14, acute 0.96", social_care_budget=1.14, acute_budget=0.96)
SHIFT = Contrast("Moving money from acute to social care", _SHIFTED, BASELINE, "Money moved to social care")

REGIMES_SEEN = (LIGHT, BASELINE, HEAVY, _SUPPORTIVE, MONITORING, TARGETS)
"""Regimes across which the initiative rate is set against fear."""

_PRAISED, _UNPRAISED = (_arm(f"heavy, recognition {r:g}", "heavy", recognition=r) for r in (0.8, 0.1))
_INVESTED, _LESS_INVESTED = (_arm(f"relationship {r:g}", relationship=r) for r in (0.8, 0.3))
_DEVELOPMENT = Contrast("Much investment in leaders instead of some", _INVESTED, _LESS_INVESTED)
_LISTED, _UNLISTED = (_arm(f"register {r:g}", register=r) for r in (1.0, 0.0))
_REGISTER = Contrast("A register of dismissals instead of none", _LISTED, _UNLISTED, "A register of dismissals")
_MORE_COOPERATION, _LESS_COOPERATION = (
    _arm(f"cooperation incentive {c:g}", cooperation_incentive=c) for c in (0.8, 0.2)
)
_ON_LESS = _arm("cooperation incentive 0.8, acute budget 0.95", cooperation_incentive=0.8, acute_budget=0.95)
_LINE = budget_line()
_OTHER_LINES = tuple(arm for price in PRICES for arm in budget_line(price))

LEVELS = Analysis("levels", DOSES)
BY_DOSE = Analysis("doses", (*DOSES, MONITORING, TARGETS))

_TENTH = Sesoi(0.10, relative=True)
_LOAD = "the load on acute care falls where 0.14 × bed_blocking is above the 0.04 that acute care gives up"


def _claimed(side: Side, *said: str) -> tuple[Measure, ...]:
    """Outcomes that a side says rise (+) or fall (-), each with what matters, in its unit or in % of its level."""
    found = []
    for outcome, size in map(str.split, said):
        sesoi = Sesoi(float(size[1:-1]) / 100, relative=True) if size.endswith("%") else Sesoi(float(size[1:]))
        found.append(Measure(outcome, 1 if size[0] == "+" else -1, side, sesoi))
    return tuple(found)


_berwick, _government = partial(_claimed, "Berwick"), partial(_claimed, "government")

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "fearful",
        "Too many leaders are fearful",
        "Too many leaders are fearful as things are.",
        (),
        (Measure("fearful"), Measure("fearful_40"), Measure("fearful_60")),
        "How many are too many is not for a model to say: these are levels under baseline surveillance.",
        analyses=(LEVELS,),
    ),
    Claim(
        "fear",
        "It makes leaders fearful",
        "Leaders under close surveillance fear that a single slip will bring them trouble.",
        (SURVEILLANCE,),
        _berwick("fear +0.05"),
        analyses=(BY_DOSE,),
    ),
    Claim(
        "toxic",
        "Too much of it is toxic",
        "Too much surveillance makes for a toxic climate.",
        (SURVEILLANCE,),
        _berwick("toxic +0.05", "toxic_40 +0.05", "toxic_60 +0.05"),
        analyses=(BY_DOSE,),
    ),
    Claim(
        "moral",
        "It strains the conscience",
        "Close measurement and ticking of boxes put leaders into moral difficulty.",
        (SURVEILLANCE,),
        _berwick("moral_strain +10%", "distress +0.03"),
        analyses=(BY_DOSE,),
    ),
    Claim(
        "harder",
        "It makes the work harder",
        "Close measurement makes the work much harder.",
        (SURVEILLANCE,),
        _berwick("time_left -0.05", "overload +0.02"),
        analyses=(BY_DOSE,),
    ),
    Claim(
        "pays",
        "It makes services better",
        "Surveillance makes services better; this is the government's case.",
        (SURVEILLANCE,),
        (*_government("quality +0.02", "harm -10%"), Measure("reported", sesoi=Sesoi(0.02)), Measure("gap")),
        analyses=(BY_DOSE,),
    ),
    Claim(
        "risk",
        "It stops leaders taking risks",
        "In an atmosphere of fear, leaders do not take risks and so do not mature.",
        (SURVEILLANCE, *PATHS),
        (
            *_berwick("initiative_rate -10%", "successes -10%"),
            Measure("needless", sesoi=_TENTH),
            *_berwick("practice_gain -10%"),
        ),
        "The part through fear answers: what would managers under heavy surveillance do if, when they decide whether "
        "to try something new, each felt the fear that was felt in the same post in the same month under light "
        "surveillance? Everything else stays as it is, including what follows from what they then do. It is not what "
        "would happen if fear were cured. The post may be held by somebody else in the other run, so it is a fear of "
        "the post rather than of the person; surveillance also moves trust, confidence and time, and what goes "
        "through these is not counted, although fear and trust move each other; and the two orders need not agree, "
        "because fear weighs more where confidence is low. Where every rule sees the other run's fear, nothing that "
        "is learned about fear counts any more.",
        analyses=(BY_DOSE, Analysis("atmosphere", REGIMES_SEEN), Analysis("fear_slope", REGIMES_SEEN)),
    ),
    Claim(
        "pride",
        "Recognition, under heavy surveillance",
        "It matters that leaders feel pride and confidence: recognition helps even under heavy surveillance.",
        (Contrast("Much recognition instead of little, under heavy surveillance,", _PRAISED, _UNPRAISED),),
        _berwick("confidence +0.05", "initiative_rate +10%", "quality +0.02"),
    ),
    Claim(
        "good_about_work",
        "Support instead of heavy surveillance",
        "People should feel good about their work, and do where they are supported.",
        (Contrast("The supportive regime instead of heavy surveillance", _SUPPORTIVE, HEAVY),),
        _berwick("satisfaction +0.03"),
    ),
    Claim(
        "relationship",
        "Relationship instead of metrics",
        "There is too much accountability and measurement and not enough development of relationships: the same "
        "effort does more good the other way round.",
        (Contrast("Spending all oversight on relationships instead of none", _LINE[-1], _LINE[0]),),
        _berwick("fear -0.05", "initiative_rate +10%", "quality +0.02"),
        f"The budget is monitoring + targets + {PRICE:g} × relationship = {oversight_budget():g}, which is what "
        "baseline spends; the price of relationship is an assumption.",
        analyses=(Analysis("budget_curve", _LINE, _OTHER_LINES), Analysis("optimum", _LINE, _OTHER_LINES)),
    ),
    Claim(
        "development",
        "Developing leaders: 0.8 instead of 0.3",
        "Investment in leaders' training and development, behaviour included, is worth while.",
        (_DEVELOPMENT,),
        (
            *_berwick("confidence +0.03", "integrity +0.03", "exits -10%", "quality +0.02"),
            Measure("skill", remark="by construction: investment in leaders is defined as raising skill"),
        ),
        break_even=BreakEven(_DEVELOPMENT, "skill", 1, "skill_invest", 0.0, "investment in leaders is defined as it"),
    ),
    Claim(
        "regulation",
        "Regulating managers",
        "Regulating managers more makes services better, says the government; it makes leaders more fearful and "
        "more timid, says Berwick.",
        (
            Contrast(
                "Regulating managers as the government agreed", _AGREED, BASELINE, "Regulating managers as agreed"
            ),
            Contrast(
                "Regulating managers with striking-off as well",
                _STRIKING_OFF,
                BASELINE,
                "Regulating with striking-off as well",
            ),
        ),
        (*_government("quality +0.02", "harm -10%"), *_berwick("fear +0.05", "initiative_rate -10%")),
    ),
    Claim(
        "recycling",
        "A register of dismissals",
        "Poor managers were moved on into new posts, and patients paid for it.",
        (_REGISTER,),
        (
            *_berwick("quality +0.02", "negligence -10%"),
            Measure("record_share", remark="by construction: the register bars those with a record"),
        ),
        break_even=BreakEven(_REGISTER, "record_share", -1, "dismissal", 0.0, "only the dismissed have a record"),
    ),
    Claim(
        "cooperation",
        "Cooperation instead of cuts",
        "Efficiency comes from cooperating better, not from cutting the budgets of institutions.",
        (
            Contrast("More cooperation on today's budget", _MORE_COOPERATION, _LESS_COOPERATION, "Cooperating more"),
            Contrast(
                "More cooperation together with an acute budget cut by 5 %",
                _ON_LESS,
                _LESS_COOPERATION,
                "Cooperating, on 5 % less",
            ),
        ),
        _berwick("quality_per_cost +5%", "quality +0.02"),
    ),
    Claim(
        "cuts",
        "Cutting the budget",
        "Nobody can go on cutting the budget and expect excellence.",
        (Contrast("Cutting the acute budget by 10 %", CUT, UNCUT),),
        _berwick("quality -0.02"),
        analyses=(Analysis("made_up", MADE_UP),),
    ),
    Claim(
        "variation",
        "The same process everywhere",
        "Processes of care should not be the same everywhere.",
        (Contrast("Holding every practice to one standard", _ONE_SIZE, BASELINE),),
        (*_berwick("quality -0.02"), Measure("harm", sesoi=_TENTH), Measure("misfit")),
    ),
    Claim(
        "social_care",
        "Money for social care",
        "There is no integrated care without social care: give it new money, or move money from acute care.",
        (
            Contrast("New money for social care, 14 % of its budget,", _NEW_MONEY, BASELINE, "New money, 14 %"),
            Contrast("New money for social care, 28 % of its budget,", _MORE_MONEY, BASELINE, "New money, 28 %"),
            SHIFT,
        ),
        (Measure("overload"), Measure("quality")),
        "Estimates without a verdict. Whether the shift relieves acute care follows from one parameter.",
        break_even=BreakEven(SHIFT, "overload", -1, "bed_blocking", 0.04 / 0.14, _LOAD),
    ),
)
"""Everything that the interview asserts, in its order."""

DOSED = tuple(
    dict.fromkeys(m.outcome for claim in CLAIMS if {LEVELS, BY_DOSE} & {*claim.analyses} for m in claim.measures)
)
"""Outcomes whose levels are reported by dose."""

HEADLINE = {
    ("fear", "fear"): "leaders' fear",
    ("risk", "initiative_rate"): "readiness to try something new",
    ("pays", "harm"): "harm to patients",
    ("pays", "quality"): "the quality of care",
}
"""Claims and outcomes that the headline names, both sides' strongest case, and what it calls them."""


def arms_of(claim: Claim, deep: bool = False) -> tuple[Arm, ...]:
    """The arms that the answer to a claim needs, each once; with `deep` also those for a closer look."""
    arms = [arm for contrast in claim.contrasts for arm in (contrast.plus, contrast.minus)]
    for analysis in claim.analyses:
        arms += [*analysis.arms, *(analysis.deep if deep else ())]
    return tuple(dict.fromkeys(arms))


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

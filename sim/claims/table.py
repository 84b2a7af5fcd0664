"""The claims as data: what is said, which two policies decide it, by which outcomes, and who says so.

The contrasts, signs and smallest effects of interest were fixed before any result; a test holds a second copy.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

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
    sign: Sign
    side: Side
    sesoi: Sesoi | None
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


LIGHT, BASELINE, HEAVY = (Arm(name, name) for name in ("light", "baseline", "heavy"))
DOSES = (LIGHT, BASELINE, HEAVY)
"""Surveillance by dose."""

_LITTLE, _MUCH = REGIMES["light"].levers["monitoring"], REGIMES["heavy"].levers["monitoring"]
MONITORING = Arm("monitoring alone", settings=(("monitoring", _MUCH), ("targets", _LITTLE)))
TARGETS = Arm("targets alone", settings=(("monitoring", _LITTLE), ("targets", _MUCH)))

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
PATHS = (
    Contrast(
        "Fear of heavy surveillance instead of light, in the decision to try something new under heavy surveillance,",
        HEAVY,
        Arm("heavy, fear of light", "heavy", fear_of=LIGHT),
        "The part through fear",
        aside=True,
    ),
    Contrast(
        "Fear of heavy surveillance instead of light, in the decision to try something new under light surveillance,",
        Arm("light, fear of heavy", "light", fear_of=HEAVY),
        LIGHT,
        "Through fear, the other order",
        aside=True,
    ),
    Contrast(
        "Fear of heavy surveillance instead of light, in every decision under heavy surveillance,",
        HEAVY,
        Arm("heavy, fear of light in every rule", "heavy", fear_of=LIGHT, seen_by="every rule"),
        "Through fear, in every rule",
        aside=True,
    ),
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
    least, most = max(0.0, (budget - 2.0) / price), min(1.0, budget / price)
    for k in range(_POINTS):
        exact = least + (most - least) * k / (_POINTS - 1)
        relationship, each = round(exact, 6), round((budget - price * exact) / 2, 6)
        settings = (("relationship", relationship), ("monitoring", each), ("targets", each))
        arms.append(Arm(f"relationship {relationship:.4g}, monitoring and targets {each:.4g}", settings=settings))
    return tuple(arms)


CUT, UNCUT = (Arm(f"acute budget {budget:g}", settings=(("acute_budget", budget),)) for budget in (0.9, 1.0))
INCENTIVES = (0.5, 0.8, 1.0)
MADE_UP = tuple(
    Arm(f"acute budget 0.9, cooperation {c:g}", settings=(("acute_budget", 0.9), ("cooperation_incentive", c)))
    for c in INCENTIVES
)
"""The cut with more and more cooperation."""
_SUPPORTIVE = Arm("supportive", "supportive")
_NEW_MONEY = Arm("social care 1.14", settings=(("social_care_budget", 1.14),))
_MORE_MONEY = Arm("social care 1.28", settings=(("social_care_budget", 1.28),))
_SHIFTED = Arm("social care 1.14, acute 0.96", settings=(("social_care_budget", 1.14), ("acute_budget", 0.96)))
SHIFT = Contrast("Moving money from acute to social care", _SHIFTED, BASELINE, "Money moved to social care")

REGIMES_SEEN = (LIGHT, BASELINE, HEAVY, _SUPPORTIVE, MONITORING, TARGETS)
"""Regimes across which the initiative rate is set against fear."""


def _set(name: str, value: float, regime: str = "baseline", begin: str = "") -> Arm:
    return Arm(f"{begin}{name.replace('_', ' ')} {value:g}", regime, ((name, value),))


_RECOGNITION = Contrast(
    "Much recognition instead of little, under heavy surveillance,",
    _set("recognition", 0.8, "heavy", "heavy, "),
    _set("recognition", 0.1, "heavy", "heavy, "),
)
_DEVELOPMENT = Contrast(
    "Much investment in leaders instead of some", _set("relationship", 0.8), _set("relationship", 0.3)
)
_REGISTER = Contrast(
    "A register of dismissals instead of none", _set("register", 1.0), _set("register", 0.0), "A register of dismissals"
)
_LINE = budget_line()
_OTHER_LINES = tuple(arm for price in PRICES for arm in budget_line(price))

LEVELS = Analysis("levels", DOSES)
BY_DOSE = Analysis("doses", (*DOSES, MONITORING, TARGETS))

_TENTH = Sesoi(0.10, relative=True)
_LOAD = "the load on acute care falls where 0.14 × bed_blocking is above the 0.04 that acute care gives up"


def _claimed(side: Side, outcome: str, sign: Sign, sesoi: float | Sesoi) -> Measure:
    return Measure(outcome, sign, side, sesoi if isinstance(sesoi, Sesoi) else Sesoi(sesoi))


_berwick, _government = partial(_claimed, "Berwick"), partial(_claimed, "government")


def _nobody(outcome: str, sesoi: Sesoi | None = None, remark: str = "") -> Measure:
    return Measure(outcome, 0, "", sesoi, remark)


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "fearful",
        "Too many leaders are fearful",
        "Too many leaders are fearful as things are.",
        (),
        tuple(_nobody(name) for name in ("fearful", "fearful_40", "fearful_60")),
        "How many are too many is not for a model to say: these are levels under baseline surveillance.",
        analyses=(LEVELS,),
    ),
    Claim(
        "fear",
        "It makes leaders fearful",
        "Leaders under close surveillance fear that a single slip will bring them trouble.",
        (SURVEILLANCE,),
        (_berwick("fear", 1, 0.05),),
        analyses=(BY_DOSE,),
    ),
    Claim(
        "toxic",
        "Too much of it is toxic",
        "Too much surveillance makes for a toxic climate.",
        (SURVEILLANCE,),
        tuple(_berwick(name, 1, 0.05) for name in ("toxic", "toxic_40", "toxic_60")),
        analyses=(BY_DOSE,),
    ),
    Claim(
        "moral",
        "It strains the conscience",
        "Close measurement and ticking of boxes put leaders into moral difficulty.",
        (SURVEILLANCE,),
        (_berwick("moral_strain", 1, _TENTH), _berwick("distress", 1, 0.03)),
        analyses=(BY_DOSE,),
    ),
    Claim(
        "harder",
        "It makes the work harder",
        "Close measurement makes the work much harder.",
        (SURVEILLANCE,),
        (_berwick("time_left", -1, 0.05), _berwick("overload", 1, 0.02)),
        analyses=(BY_DOSE,),
    ),
    Claim(
        "pays",
        "It makes services better",
        "Surveillance makes services better; this is the government's case.",
        (SURVEILLANCE,),
        (
            _government("quality", 1, 0.02),
            _government("harm", -1, _TENTH),
            _nobody("reported", Sesoi(0.02)),
            _nobody("gap"),
        ),
        analyses=(BY_DOSE,),
    ),
    Claim(
        "risk",
        "It stops leaders taking risks",
        "In an atmosphere of fear, leaders do not take risks and so do not mature.",
        (SURVEILLANCE, *PATHS),
        (
            _berwick("initiative_rate", -1, _TENTH),
            _berwick("successes", -1, _TENTH),
            _nobody("needless", _TENTH),
            _berwick("practice_gain", -1, _TENTH),
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
        (_RECOGNITION,),
        (_berwick("confidence", 1, 0.05), _berwick("initiative_rate", 1, _TENTH), _berwick("quality", 1, 0.02)),
    ),
    Claim(
        "good_about_work",
        "Support instead of heavy surveillance",
        "People should feel good about their work, and do where they are supported.",
        (Contrast("The supportive regime instead of heavy surveillance", _SUPPORTIVE, HEAVY),),
        (_berwick("satisfaction", 1, 0.03),),
    ),
    Claim(
        "relationship",
        "Relationship instead of metrics",
        "There is too much accountability and measurement and not enough development of relationships: the same "
        "effort does more good the other way round.",
        (Contrast("Spending all oversight on relationships instead of none", _LINE[-1], _LINE[0]),),
        (_berwick("fear", -1, 0.05), _berwick("initiative_rate", 1, _TENTH), _berwick("quality", 1, 0.02)),
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
            _berwick("confidence", 1, 0.03),
            _berwick("integrity", 1, 0.03),
            _berwick("exits", -1, _TENTH),
            _berwick("quality", 1, 0.02),
            _nobody("skill", remark="by construction: investment in leaders is defined as raising skill"),
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
                "Regulating managers as the government agreed",
                Arm("kark_adopted", "kark_adopted"),
                BASELINE,
                "Regulating managers as agreed",
            ),
            Contrast(
                "Regulating managers with striking-off as well",
                Arm("kark_full", "kark_full"),
                BASELINE,
                "Regulating with striking-off as well",
            ),
        ),
        (
            _government("quality", 1, 0.02),
            _government("harm", -1, _TENTH),
            _berwick("fear", 1, 0.05),
            _berwick("initiative_rate", -1, _TENTH),
        ),
    ),
    Claim(
        "recycling",
        "A register of dismissals",
        "Poor managers were moved on into new posts, and patients paid for it.",
        (_REGISTER,),
        (
            _berwick("quality", 1, 0.02),
            _berwick("negligence", -1, _TENTH),
            _nobody("record_share", remark="by construction: the register bars those with a record"),
        ),
        break_even=BreakEven(_REGISTER, "record_share", -1, "dismissal", 0.0, "only the dismissed have a record"),
    ),
    Claim(
        "cooperation",
        "Cooperation instead of cuts",
        "Efficiency comes from cooperating better, not from cutting the budgets of institutions.",
        tuple(
            Contrast(f"More cooperation {with_}", arm, _set("cooperation_incentive", 0.2), heading)
            for with_, heading, arm in (
                ("on today's budget", "Cooperating more", _set("cooperation_incentive", 0.8)),
                (
                    "together with an acute budget cut by 5 %",
                    "Cooperating, on 5 % less",
                    Arm(
                        "cooperation incentive 0.8, acute budget 0.95",
                        settings=(("cooperation_incentive", 0.8), ("acute_budget", 0.95)),
                    ),
                ),
            )
        ),
        (_berwick("quality_per_cost", 1, Sesoi(0.05, relative=True)), _berwick("quality", 1, 0.02)),
    ),
    Claim(
        "cuts",
        "Cutting the budget",
        "Nobody can go on cutting the budget and expect excellence.",
        (Contrast("Cutting the acute budget by 10 %", CUT, UNCUT),),
        (_berwick("quality", -1, 0.02),),
        analyses=(Analysis("made_up", MADE_UP),),
    ),
    Claim(
        "variation",
        "The same process everywhere",
        "Processes of care should not be the same everywhere.",
        (Contrast("Holding every practice to one standard", Arm("one_size", "one_size"), BASELINE),),
        (_berwick("quality", -1, 0.02), _nobody("harm", _TENTH), _nobody("misfit")),
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
        (_nobody("overload"), _nobody("quality")),
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

"""The claims as data: what is said, which two policies decide it, by which outcomes, and who says so.

The contrasts, signs and smallest effects of interest were fixed before any result; a test holds a second copy.
"""

from __future__ import annotations

from sim.claims.statements import Arm, BreakEven, Claim, Comparison, Measure
from sim.claims.verdict import Sesoi, Sign
from sim.model.parameters import DECLARATIONS, REGIMES

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

SURVEILLANCE = Comparison("Heavy surveillance instead of light", HEAVY, LIGHT)
PATHS = (
    Comparison(
        "Fear of heavy surveillance instead of light, in the decision to try something new under heavy surveillance,",
        HEAVY,
        Arm("heavy, fear of light", "heavy", fear_of=LIGHT),
        "The part through fear",
    ),
    Comparison(
        "Fear of heavy surveillance instead of light, in the decision to try something new under light surveillance,",
        Arm("light, fear of heavy", "light", fear_of=HEAVY),
        LIGHT,
        "Through fear, the other order",
    ),
    Comparison(
        "Fear of heavy surveillance instead of light, in every decision under heavy surveillance,",
        HEAVY,
        Arm("heavy, fear of light in every rule", "heavy", fear_of=LIGHT, seen_by="every rule"),
        "Through fear, in every rule",
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
    monitoring, targets, relationship = (DECLARATIONS[n].default for n in ("monitoring", "targets", "relationship"))
    return monitoring + targets + price * relationship


def budget_line(price: float = PRICE) -> tuple[Arm, ...]:
    """Policies that spend the same oversight budget, from as little relationship as levers up to 1 allow to as much."""
    budget = oversight_budget(price)
    least, most = max(0.0, (budget - 2.0) / price), min(1.0, budget / price)
    return tuple(_spending(least + (most - least) * k / (_POINTS - 1), price) for k in range(_POINTS))


def _spending(relationship: float, price: float) -> Arm:
    relationship, each = round(relationship, 6), round((oversight_budget(price) - price * relationship) / 2, 6)
    settings = (("relationship", relationship), ("monitoring", each), ("targets", each))
    return Arm(f"relationship {relationship:.4g}, monitoring and targets {each:.4g}", settings=settings)


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
SHIFT = Comparison("Moving money from acute to social care", _SHIFTED, BASELINE, "Money moved to social care")

REGIMES_SEEN = (LIGHT, BASELINE, HEAVY, _SUPPORTIVE, MONITORING, TARGETS)
"""Regimes across which the initiative rate is set against fear."""


def _set(name: str, value: float, regime: str = "baseline", begin: str = "") -> Arm:
    return Arm(f"{begin}{name.replace('_', ' ')} {value:g}", regime, ((name, value),))


_RECOGNITION = Comparison(
    "Much recognition instead of little, under heavy surveillance,",
    _set("recognition", 0.8, "heavy", "heavy, "),
    _set("recognition", 0.1, "heavy", "heavy, "),
)
_DEVELOPMENT = Comparison(
    "Much investment in leaders instead of some", _set("relationship", 0.8), _set("relationship", 0.3)
)
_REGISTER = Comparison(
    "A register of dismissals instead of none", _set("register", 1.0), _set("register", 0.0), "A register of dismissals"
)
_LINE = budget_line()

_TENTH = Sesoi(0.10, relative=True)
_LOAD = "the load on acute care falls where 0.14 × bed_blocking is above the 0.04 that acute care gives up"


def _berwick(outcome: str, sign: Sign, sesoi: float | Sesoi) -> Measure:
    return Measure(outcome, sign, "Berwick", sesoi if isinstance(sesoi, Sesoi) else Sesoi(sesoi))


def _government(outcome: str, sign: Sign, sesoi: float | Sesoi) -> Measure:
    return Measure(outcome, sign, "government", sesoi if isinstance(sesoi, Sesoi) else Sesoi(sesoi))


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
    ),
    Claim(
        "fear",
        "It makes leaders fearful",
        "Leaders under close surveillance fear that a single slip will bring them trouble.",
        (SURVEILLANCE,),
        (_berwick("fear", 1, 0.05),),
    ),
    Claim(
        "toxic",
        "Too much of it is toxic",
        "Too much surveillance makes for a toxic climate.",
        (SURVEILLANCE,),
        tuple(_berwick(name, 1, 0.05) for name in ("toxic", "toxic_40", "toxic_60")),
    ),
    Claim(
        "moral",
        "It strains the conscience",
        "Close measurement and ticking of boxes put leaders into moral difficulty.",
        (SURVEILLANCE,),
        (_berwick("moral_strain", 1, _TENTH), _berwick("distress", 1, 0.03)),
    ),
    Claim(
        "harder",
        "It makes the work harder",
        "Close measurement makes the work much harder.",
        (SURVEILLANCE,),
        (_berwick("time_left", -1, 0.05), _berwick("overload", 1, 0.02)),
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
        (Comparison("The supportive regime instead of heavy surveillance", _SUPPORTIVE, HEAVY),),
        (_berwick("satisfaction", 1, 0.03),),
    ),
    Claim(
        "relationship",
        "Relationship instead of metrics",
        "There is too much accountability and measurement and not enough development of relationships: the same "
        "effort does more good the other way round.",
        (Comparison("Spending all oversight on relationships instead of none", _LINE[-1], _LINE[0]),),
        (_berwick("fear", -1, 0.05), _berwick("initiative_rate", 1, _TENTH), _berwick("quality", 1, 0.02)),
        f"The budget is monitoring + targets + {PRICE:g} × relationship = {oversight_budget():g}, which is what "
        "baseline spends; the price of relationship is an assumption.",
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
    ),
    Claim(
        "regulation",
        "Regulating managers",
        "Regulating managers more makes services better, says the government; it makes leaders more fearful and "
        "more timid, says Berwick.",
        (
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
    ),
    Claim(
        "cooperation",
        "Cooperation instead of cuts",
        "Efficiency comes from cooperating better, not from cutting the budgets of institutions.",
        tuple(
            Comparison(f"More cooperation {with_}", arm, _set("cooperation_incentive", 0.2), heading)
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
        (Comparison("Cutting the acute budget by 10 %", CUT, UNCUT),),
        (_berwick("quality", -1, 0.02),),
    ),
    Claim(
        "variation",
        "The same process everywhere",
        "Processes of care should not be the same everywhere.",
        (Comparison("Holding every practice to one standard", Arm("one_size", "one_size"), BASELINE),),
        (_berwick("quality", -1, 0.02), _nobody("harm", _TENTH), _nobody("misfit")),
    ),
    Claim(
        "social_care",
        "Money for social care",
        "There is no integrated care without social care: give it new money, or move money from acute care.",
        (
            Comparison("New money for social care, 14 % of its budget,", _NEW_MONEY, BASELINE, "New money, 14 %"),
            Comparison("New money for social care, 28 % of its budget,", _MORE_MONEY, BASELINE, "New money, 28 %"),
            SHIFT,
        ),
        (_nobody("overload"), _nobody("quality")),
        "Estimates without a verdict. Whether the shift relieves acute care follows from one parameter.",
    ),
)
"""Everything that the interview asserts, in its order."""

BREAK_EVENS = (
    BreakEven("development", _DEVELOPMENT, "skill", 1, "skill_invest", 0.0, "investment in leaders is defined as it"),
    BreakEven("recycling", _REGISTER, "record_share", -1, "dismissal", 0.0, "only the dismissed have a record"),
    BreakEven("social_care", SHIFT, "overload", -1, "bed_blocking", 0.04 / 0.14, _LOAD),
)
"""Signs that one parameter decides: reported with their break-even value, not as verdicts."""

DOSED = tuple(
    dict.fromkeys(
        m.outcome for claim in CLAIMS if not claim.comparisons or SURVEILLANCE in claim.comparisons
        for m in claim.measures
    )
)  # fmt: skip
"""Outcomes whose levels are reported by dose."""


def surveillance(claim: Claim) -> bool:
    """Whether the claim is about surveillance, so that it is answered by dose."""
    return SURVEILLANCE in claim.comparisons


def arms_of(claim: Claim, deep: bool = False) -> tuple[Arm, ...]:
    """The arms that the answer to a claim needs, each once; with `deep` also those for a closer look."""
    arms = [arm for comparison in claim.comparisons for arm in (comparison.plus, comparison.minus)]
    if not claim.comparisons or surveillance(claim):
        arms += DOSES
    if surveillance(claim):
        arms += [MONITORING, TARGETS]
    if claim.id == "risk":
        arms += REGIMES_SEEN
    if claim.id == "relationship":
        arms += [*_LINE, *(arm for price in PRICES for arm in budget_line(price) if deep)]
    if claim.id == "cuts":
        arms += MADE_UP
    return tuple(dict.fromkeys(arms))

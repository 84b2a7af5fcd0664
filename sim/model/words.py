"""What people read: the name of everything in the model, once, and its numbers in units that people own.

Pictures, pages and messages take names from here and sentences from the tables' own meanings
(`sim.model.glossary.meanings`); claims and what they compare carry theirs in `sim.claims.statements`.

- `label` of an outcome, `policy` of a regime, `clause` of a mechanism, `scale` of a lever, and `phrase` of any lever,
  parameter or size, which completes "it depends on ..."; `called` asks for any of them by its kind.
- `effect` says a difference in an outcome ("4 hours a week less"), `change` the same with a sign ("−4 hours a week"),
  `level` a value ("31 points of 100"), and `does` what something does to it ("costs leaders time").
- `of_100` makes shares of worlds whole numbers that add up to 100.

All begin small; `capital` makes the beginning of a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sim.model.outcomes import OUTCOMES

POINT = "point{s} of 100"
ATTEMPT = "attempt{s} a trust and year"
TODAY = "today's oversight"


@dataclass(frozen=True)
class Measure:
    """How an outcome is told: its name, what a policy does that raises or lowers it, the `unit` with ``{s}`` where
    many differ from one, how many of it there are in one of the model's, what is said of more and less, and what a
    value of it is a part `of`."""

    label: str
    raises: str = ""
    lowers: str = ""
    unit: str = POINT
    factor: float = 100.0
    more: str = "higher"
    less: str = "lower"
    of: str = ""


@dataclass(frozen=True)
class Scale:
    """How a lever is told: its name, what it is in a clause, and what its lower and upper end mean."""

    label: str
    phrase: str
    low: str = "none"
    high: str = "full"


def _attempts(label: str, raises: str, lowers: str) -> Measure:
    return Measure(label, raises, lowers, ATTEMPT, 144.0, "more", "fewer")  # 12 managers, 12 months


def _people(label: str, raises: str, lowers: str, unit: str = "manager{s} of 100", factor: float = 100.0) -> Measure:
    return Measure(label, raises, lowers, unit, factor, "more", "fewer")


MEASURES: dict[str, Measure] = {
    "fear": Measure("fear", "frightens leaders", "takes fear from leaders"),
    "trust": Measure("trust", "builds trust", "costs trust"),
    "confidence": Measure("confidence", "gives leaders confidence", "costs leaders confidence"),
    "skill": Measure("skill", "makes leaders more able", "makes leaders less able"),
    "integrity": Measure("integrity", "strengthens integrity", "weakens integrity"),
    "distress": Measure("distress", "wears leaders down", "eases distress"),
    "motivation": Measure("motivation", "motivates leaders", "saps motivation"),
    "cooperation": Measure("cooperation", "brings cooperation", "costs cooperation"),
    "effort": Measure("effort", "makes leaders work harder", "makes leaders work less hard"),
    "assurance": Measure("time for paperwork", "makes paperwork", "saves paperwork", "hour{s} a week", 37.5,
                         "more", "less"),
    "time_left": Measure("time for the unit", "leaves leaders more time", "costs leaders time", "hour{s} a week", 37.5,
                         "more", "less"),
    "overload": Measure("overload", "overloads leaders", "lightens the load"),
    "quality": Measure("quality of care", "makes care better", "makes care worse"),
    "reported": Measure("reported results", "makes reports look better", "makes reports look worse"),
    "honest_indicator": Measure("results without gaming", "improves what is measured", "worsens what is measured"),
    "gaming": Measure("gaming of results", "invites gaming", "curbs gaming"),
    "harm": Measure("harm to patients", "makes care less safe", "makes care safer", "%", 100 / 0.06, "more", "less",
                    "of today's"),
    "moral_strain": Measure("moral strain", "strains the conscience", "spares the conscience"),
    "initiative_rate": _attempts("trying something new", "makes leaders try more", "makes leaders try less"),
    "successes": _attempts("new things that succeed", "brings more successes", "brings fewer successes"),
    "needless": _attempts("needless attempts", "brings more needless attempts", "saves needless attempts"),
    "success_rate": Measure("chance of success", unit="of 100 attempts"),
    "practice_gain": Measure("learning by trying", unit="point{s} of 100 a year", factor=1200.0),
    "slips": Measure("slips", "brings more slips", "prevents slips", "slip{s} a trust and year", 144.0, "more",
                     "fewer"),
    "negligence": Measure("negligent slips", "brings more neglect", "prevents neglect",
                          "slip{s} a trust in ten years", 1440.0, "more", "fewer"),
    "silence": Measure("slips kept quiet", "makes leaders keep quiet", "makes leaders speak up", "of 100 slips", 100.0,
                       "more", "fewer"),
    "sanctions": _people("sanctions", "brings more sanctions", "brings fewer sanctions",
                         "sanction{s} a trust and year", 144.0),
    "exits": _people("leaving the post", "drives leaders out", "keeps leaders in post", "manager{s} of 100 a year",
                     1200.0),
    "dismissals": _people("dismissals", "brings more dismissals", "brings fewer dismissals",
                          "manager{s} of 100 a year", 1200.0),
    "recycled": _people("posts that go to former managers", "moves more managers on", "moves fewer managers on",
                        "post{s} of 100 a year", 1200.0),
    "monitoring_level": Measure("monitoring"),
    "targets_level": Measure("weight on targets"),
    "relationship_level": Measure("investment in relationships"),
    "misfit": Measure("misfit to local need", "fits care less to local need", "fits care better to local need"),
    "practice_variation": Measure("variation between units", "lets practice differ more", "makes practice more alike"),
    "toxic": _people("managers in a toxic climate", "makes for a toxic climate", "clears the climate"),
    "fearful": _people("fearful managers", "makes more leaders fearful", "makes fewer leaders fearful"),
    "record_share": _people("leaders dismissed elsewhere before", "lets more come back elsewhere",
                            "keeps more from coming back", "post{s} of 100"),
    "satisfaction": Measure("feeling good about work", "makes leaders feel better about work",
                            "makes leaders feel worse about work"),
    "gap": Measure("lead of reports over care", "lets reports run ahead of care", "brings reports closer to care"),
    "quality_per_cost": Measure("quality for the money", "makes money go further", "makes money go less far"),
    "spoken": Measure("slips that are reported", "makes leaders speak up", "makes leaders keep quiet",
                      "slip{s} a trust and year", 144.0, "more", "fewer"),
}  # fmt: skip
"""Outcomes. An hour is one of a working week of 37.5, a trust has 12 managers; today's harm is ten times the smallest
effect of interest, which is fixed as a tenth of it."""

PLURALS = {"reported", "honest_indicator", "successes", "needless", "slips", "negligence", "silence", "sanctions",
           "spoken", "dismissals", "recycled", "toxic", "fearful", "record_share"}  # fmt: skip
"""Outcomes whose names are plurals."""

POLICIES: dict[str, str] = {
    "hands_off": "hands-off oversight",
    "light": "light oversight",
    "baseline": TODAY,
    "heavy": "heavy oversight",
    "punitive": "heavy oversight that punishes",
    "targets_and_terror": "targets and terror",
    "supportive": "supportive oversight",
    "just_culture": "heavy oversight that judges fairly",
    "kark_adopted": "Kark review as adopted",
    "kark_full": "Kark review in full",
    "barring": "barring as announced",
    "heavy_supportive": "heavy oversight with support",
    "one_size": "one standard for all",
    "integrated": "joined-up care",
}
"""Regimes, so that they follow "under"."""

SCALES: dict[str, Scale] = {
    "monitoring": Scale("monitoring", "how closely managers are watched", "nobody looks", "every slip is seen"),
    "targets": Scale("weight on targets", "how much hangs on targets", "nobody asks", "everything"),
    "punitiveness": Scale("punishment", "how readily slips are punished", "never", "always"),
    "discernment": Scale("telling failure from neglect", "how well failure is told from neglect",
                         "all are punished alike", "only neglect is punished"),
    "leniency": Scale("leniency for owning up", "how much owning up is rewarded"),
    "relationship": Scale("investment in relationships", "how much is invested in relationships", "none",
                          "all that is conceivable"),
    "recognition": Scale("recognition of success", "how far success is noticed"),
    "risk_based": Scale("more monitoring where results are poor", "how far monitoring follows poor results"),
    "publicity": Scale("publicity of sanctions", "how far news of sanctions travels", "nobody hears", "all hear"),
    "standardisation": Scale("national standard", "how far all are held to one standard", "own ways", "one way"),
    "competency_standard": Scale("competitive appointments", "how many appointments are assessed", "none", "all"),
    "register": Scale("register of dismissals", "how often earlier dismissals are seen", "never", "always"),
    "disbarring": Scale("striking off", "how often the dismissed are struck off", "never", "always"),
    "cooperation_incentive": Scale("judging the whole system", "how far managers are judged on the whole system",
                                   "own institution only", "whole system only"),
    "acute_budget": Scale("acute budget", "the acute budget", "half of today's", "half as much again"),
    "social_care_budget": Scale("social care budget", "the social care budget", "half of today's",
                                "half as much again"),
    "monitoring_sd": Scale("differences in monitoring", "how much monitoring differs between trusts"),
    "relationship_sd": Scale("differences in relationships", "how much relationships differ between posts"),
}  # fmt: skip
"""Levers."""

PHRASES: dict[str, str] = {
    "systems": "the number of care systems",
    "organisations": "the number of trusts in a system",
    "managers": "the number of managers in a trust",
    "months": "the length of the run",
    "window": "the months averaged over",
    "motivation_mean": "how motivated people are",
    "motivation_sd": "how much people differ in motivation",
    "integrity_mean": "how honest people are",
    "integrity_sd": "how much people differ in integrity",
    "skill_mean": "how able newcomers are",
    "skill_sd": "how much newcomers differ in skill",
    "boldness_sd": "how much people differ in boldness",
    "poor_share": "how many are unfit to lead",
    "poor_factor": "how close the unfit come to others",
    "crowding_mean": "how much control saps motivation",
    "crowding_sd": "how differently people take control",
    "anxiety_sd": "how much people differ in anxiety",
    "reciprocity": "how far trust is repaid with motivation",
    "complacency": "how far the unwatched ease off",
    "impunity": "how much unpunished neglect discourages",
    "motivation_speed": "how fast motivation adapts",
    "deterrence": "how strongly being caught deters neglect",
    "burden": "how much time monitoring takes",
    "burden_power": "how steeply paperwork grows with monitoring",
    "relationship_time": "how much time relationships take",
    "relationship_power": "how far more investment still adds",
    "focus_own": "how much attention the measured gets anyway",
    "focus_pull": "how strongly targets draw attention",
    "target_level": "how high the target is",
    "gaming_max": "how far reports can be bent",
    "gaming_cost": "what gaming costs patients",
    "audit": "how much gaming monitoring prevents",
    "opportunity": "how often there is something to try",
    "loss_aversion": "how much more losses weigh than gains",
    "initiative_cost": "how much trouble trying takes",
    "aspiration": "how much missing a target spurs trying",
    "sensitivity": "how sharply trying follows its value",
    "success_base": "how often beginners succeed",
    "success_skill": "how much skill helps success",
    "success_cooperation": "how much cooperation helps success",
    "step": "how far one success moves practice",
    "innovation": "how much a success improves methods",
    "innovation_decay": "how fast better methods are lost",
    "career_stakes": "how far a sanction can end a career",
    "unit_sd": "how much units differ in circumstances",
    "chance_sd": "how much chance moves results",
    "need_sd": "how much local needs differ",
    "common_need": "how much of need is common to all",
    "need_turnover": "how fast needs change",
    "standard_pull": "how fast a standard changes practice",
    "standard_lag": "how far the standard lags behind need",
    "standard_safety": "how many mishaps standards prevent",
    "slip_negligence": "how often the idle slip",
    "slip_mishap": "how often mishaps happen",
    "slip_unskilled": "how often the unskilled slip",
    "overload_slip": "how much overload breeds slips",
    "account_rate": "how often missing the target is punished",
    "safety_learning": "how much a reported slip teaches",
    "safety_decay": "how fast safety is forgotten",
    "safety_effect": "how many mishaps learning prevents",
    "exoneration": "how far monitoring clears the innocent",
    "speak_base": "how ready people are to own up",
    "speak_sensitivity": "how far fear silences people",
    "speak_negligence": "how readily neglect is owned up to",
    "speak_prudence": "how far people own up out of prudence",
    "harm_known": "how much harm a reported slip does",
    "harm_hidden_factor": "how much worse hidden slips become",
    "rescue": "how much harm discovery averts",
    "peers_see": "how far colleagues see hidden neglect",
    "found_reassures": "how far being found out and let go reassures",
    "fear_blamed": "how much a sanction frightens",
    "fear_spared": "how much being spared reassures",
    "fear_peer_blamed": "how much a colleague's sanction frightens",
    "fear_peer_spared": "how much a colleague's reprieve reassures",
    "fear_system": "how much news of sanctions frightens",
    "fear_conformity": "how catching fear is",
    "fear_extinction": "how fast fear fades",
    "fear_ambient": "how much living under watch frightens",
    "fear_targets": "how far targets are felt as watching",
    "cascade": "how far pressure is passed down",
    "trust_invest": "how fast investment builds trust",
    "trust_control": "how fast monitoring wears trust down",
    "trust_decay": "how fast trust fades",
    "trust_unfair": "how much trust an unfair sanction destroys",
    "trust_fair": "how much trust a fair sanction destroys",
    "trust_spared": "how much trust being spared builds",
    "trust_conformity": "how catching trust is",
    "confidence_success": "how much confidence success gives",
    "confidence_failure": "how much confidence failure costs",
    "confidence_blamed": "how much confidence a sanction costs",
    "confidence_invest": "how fast investment builds confidence",
    "confidence_feedback": "how fast feedback builds confidence",
    "confidence_idle": "how fast confidence fades when idle",
    "skill_practice": "how much trying teaches",
    "skill_invest": "how fast investment builds skill",
    "skill_feedback": "how fast feedback builds skill",
    "skill_decay": "how fast unused skill fades",
    "skill_floor": "how much the unskilled achieve",
    "integrity_invest": "how fast investment builds integrity",
    "distress_gain": "how fast strain becomes distress",
    "distress_recovery": "how fast distress heals",
    "distress_moral": "how heavily conscience weighs",
    "strain_gaming": "how heavily one's own gaming weighs",
    "distress_paperwork": "how heavily paperwork weighs",
    "distress_overload": "how heavily overload weighs",
    "distress_fear": "how heavily fear weighs",
    "exit_base": "how many leave anyway",
    "exit_distress": "how far distress drives people out",
    "exit_fear": "how far fear drives people out",
    "dismissal": "how often a sanction costs the post",
    "recycling": "how often vacancies go to former managers",
    "assessment_noise": "how far assessments err",
    "deterred_entry": "how far fear deters bold newcomers",
    "market_months": "how long those who left stay available",
    "cooperation_gain": "how far cooperation relieves the load",
    "cooperation_cost": "how much time cooperation takes",
    "cooperation_speed": "how fast cooperation adapts",
    "cooperation_sensitivity": "how sharply cooperation responds",
    "cooperation_reciprocity": "how far cooperation is returned",
    "cooperation_rivalry": "how far targets make rivals",
    "cooperation_oversight": "how far oversight makes people cooperate",
    "demand": "how much work arrives",
    "bed_blocking": "how far cuts in social care fill beds",
    "social_care_size": "how large social care's budget is",
}
"""Parameters and sizes, so that they follow "depends on"; those of levers are in `SCALES`."""

CLAUSES: dict[str, str] = {
    "paperwork": "assurance work takes time",
    "crowding_out": "control changes the will to work",
    "social_exchange": "trust is repaid with motivation",
    "complacency": "the unwatched ease off",
    "impunity": "unpunished neglect discourages others",
    "deterrence": "being caught is feared, so people work harder",
    "attention": "targets draw attention to what is measured",
    "gaming": "reports are made to look better",
    "aspiration": "missing the target spurs new ideas",
    "loss_aversion": "losses weigh more than gains",
    "learned_fear": "punishment and watching are remembered",
    "contagion": "fear and trust are catching",
    "reassurance": "being cleared reassures",
    "cascade": "pressure is passed down",
    "distrust": "control and sanctions wear trust down",
    "exoneration": "good records clear the innocent",
    "prudence": "owning up pays",
    "feedback": "being monitored teaches",
    "practice": "trying new things teaches",
    "development": "investment builds leaders up",
    "organisational_learning": "reported slips prevent mishaps",
    "early_discovery": "slips found early do less harm",
    "moral_distress": "acting against conscience hurts",
    "strain_of_work": "the work wears people down",
    "careers": "sanctions cost posts and drive people out",
    "unfit_leaders": "some leaders are unfit",
    "cooperation": "working together relieves the load",
    "rivalry": "targets make partners into rivals",
    "safe_standards": "common standards prevent mishaps",
    "audit": "monitoring keeps reports honest",
    "called_to_account": "missing the target is punished",
    "trust_building": "investment builds trust",
    "oversight_of_cooperation": "oversight makes people cooperate",
    "bed_blocking": "cuts in social care fill hospital beds",
    "circumstances": "people answer for bad luck",
    "innovation": "successes leave better ways of working",
}
"""Mechanisms, so that they follow "because"."""


@dataclass(frozen=True)
class Finding:
    """A published finding in words, and who was studied."""

    text: str
    whom: str


FINDINGS: dict[str, Finding] = {
    "monitoring-stress": Finding("closer monitoring goes with more stress", "employees"),
    "monitoring-satisfaction": Finding("closer monitoring goes with less satisfaction", "employees"),
    "monitoring-performance": Finding("closer monitoring hardly goes with performance", "employees"),
    "monitoring-deviance": Finding("closer monitoring goes with more rule-breaking", "employees"),
    "relationship-performance": Finding("good relationships go with performance", "employees"),
    "relationship-deviance": Finding("good relationships go with less rule-breaking", "employees"),
    "targets-work": Finding("a target improves what it measures", "emergency departments"),
    "bunching": Finding("results bunch just within the limit", "emergency departments"),
    "speaking-up": Finding("two of three would speak up", "NHS staff"),
    "churn": Finding("a quarter of leaders leave each year", "NHS directors"),
    "mixed-response-to-control": Finding("two of five give less when controlled", "experiments"),
    "records": Finding("one in twenty was dismissed before", "other professions"),
}
"""Published findings that worlds are held against, by id."""


def label(outcome: str) -> str:
    """An outcome in few words."""
    return MEASURES[outcome].label if outcome in MEASURES else outcome.replace("_", " ")


def policy(name: str) -> str:
    """A regime as it follows "under"; a user's own policy keeps its name."""
    return POLICIES.get(name, name.replace("_", " "))


def clause(mechanism: str) -> str:
    """A mechanism as it follows "because"."""
    return CLAUSES.get(mechanism, mechanism.replace("_", " "))


def scale(lever: str) -> Scale:
    """A lever's name, clause and ends."""
    return SCALES[lever]


def phrase(name: str) -> str:
    """A lever, parameter or size as it follows "depends on".

    >>> phrase("fear_blamed"), phrase("monitoring")
    ('how much a sanction frightens', 'how closely managers are watched')
    """
    return SCALES[name].phrase if name in SCALES else PHRASES.get(name, name.replace("_", " "))


def finding(pattern: str) -> Finding:
    """A published finding in words; one that a user added keeps its id."""
    return FINDINGS.get(pattern, Finding(pattern.replace("-", " "), ""))


def called(kind: str, name: str) -> str:
    """A name as people read it where it is a lever, parameter, size, mechanism, regime, outcome or column of posts.

    >>> called("mechanism", "cooperation"), called("outcome", "cooperation")
    ('working together relieves the load', 'cooperation')
    """
    if kind == "lever" or (kind == "column of posts" and name in SCALES):
        return SCALES[name].label
    of_kind = {"parameter": phrase, "size": phrase, "mechanism": clause, "regime": policy}
    return of_kind.get(kind, label)(name)


def plain(value: float) -> str:
    """A parameter's value in two digits, never with an exponent.

    >>> plain(0.000074), plain(-0.0017), plain(1.6)
    ('0.000074', '−0.0017', '1.6')
    """
    told = f"{value:.2g}"
    return (f"{Decimal(told):f}" if "e" in told else told).replace("-", "−")


def natural(outcome: str, value: float) -> float:
    """A value or a difference of an outcome in the unit that people own.

    >>> round(natural("time_left", -0.1), 2)
    -3.75
    """
    return value * MEASURES[outcome].factor if outcome in MEASURES else value


def unit(outcome: str, number: float = 2.0) -> str:
    """The unit that people own, of so many.

    >>> unit("fear"), unit("initiative_rate", 1.0)
    ('points of 100', 'attempt a trust and year')
    """
    own = MEASURES[outcome].unit if outcome in MEASURES else OUTCOMES[outcome].unit
    return own.format(s="" if abs(number) == 1.0 else "s")


def _number(size: float) -> str:
    """A size without its sign: whole from 3 on, else with one decimal, and none where that is zero."""
    return f"{size:.0f}" if size >= 2.95 else f"{size:.1f}".removesuffix(".0")


def number(value: float) -> str:
    """A number as people read it: whole from 3 on, else with one decimal.

    >>> number(-16.8), number(1.52), number(-0.01)
    ('−17', '1.5', '0')
    """
    told = _number(abs(value))
    return f"−{told}" if value < 0 and told != "0" else told


def _sized(outcome: str, value: float) -> str:
    number = _number(abs(natural(outcome, value)))
    return f"{number} {unit(outcome, float(number))}"


def effect(outcome: str, value: float) -> str:
    """A difference in an outcome as people say it.

    >>> effect("time_left", -0.107), effect("fear", 0.031), effect("initiative_rate", 0.007), effect("harm", 0.0)
    ('4 hours a week less', '3 points of 100 higher', '1 attempt a trust and year more', 'no change')
    """
    if _number(abs(natural(outcome, value))) == "0":
        return "no change"
    measure = MEASURES.get(outcome, Measure(""))
    return f"{_sized(outcome, value)} {measure.more if value > 0 else measure.less}"


def change(outcome: str, value: float) -> str:
    """A difference in an outcome with its sign.

    >>> change("harm", -0.0101), change("quality", 0.0149), change("quality", 0.0)
    ('−17 %', '+1.5 points of 100', 'no change')
    """
    if _number(abs(natural(outcome, value))) == "0":
        return "no change"
    return f"{'+' if value > 0 else '−'}{_sized(outcome, value)}"


def level(outcome: str, value: float) -> str:
    """A value of an outcome.

    >>> level("fear", 0.307), level("fearful", 0.01), level("harm", 0.066)
    ('31 points of 100', '1 manager of 100', "110 % of today's")
    """
    of = MEASURES[outcome].of if outcome in MEASURES else ""
    return f"{'−' if value < 0 else ''}{_sized(outcome, value)} {of}".rstrip()


def measured_in(outcome: str) -> str:
    """The unit of an outcome's values.

    >>> measured_in("harm"), measured_in("fear")
    ("% of today's", 'points of 100')
    """
    of = MEASURES[outcome].of if outcome in MEASURES else ""
    return f"{unit(outcome)} {of}".rstrip()


def does(outcome: str, sign: float) -> str:
    """What something does that raises (a sign above 0) or lowers an outcome.

    >>> does("time_left", -1), does("harm", 1)
    ('costs leaders time', 'makes care less safe')
    """
    measure = MEASURES.get(outcome, Measure(label(outcome)))
    told = measure.raises if sign > 0 else measure.lowers
    return told or f"{'raises' if sign > 0 else 'lowers'} {measure.label}"


def moves(outcome: str, way: float) -> str:
    """An outcome and how it changes: up (a way above 0), hardly, or down.

    >>> moves("harm", 1), moves("slips", -1), moves("fear", 0)
    ('harm to patients rises', 'slips fall', 'fear hardly changes')
    """
    return f"{label(outcome)} {verb(outcome, way)}"


def verb(outcome: str, way: float) -> str:
    """What an outcome does as it goes up (a way above 0), hardly changes, or goes down, after its label."""
    some = "rise" if way > 0 else "fall" if way < 0 else "hardly change"
    return some if outcome in PLURALS else f"{some}s"


_LEADERS = re.compile(r"(?<!more )(?<!fewer )\bleaders\b")
"""Leaders as those to whom something is done; "more leaders" are counted, and stay."""


def once(text: str) -> str:
    """A text that names the leaders to whom something is done once.

    >>> once("frightens leaders and makes leaders try less")
    'frightens leaders and makes them try less'
    >>> once("frightens leaders and makes more leaders fearful")
    'frightens leaders and makes more leaders fearful'
    """
    first, *rest = _LEADERS.split(text, maxsplit=1)
    return "".join([first, *(f"leaders{_LEADERS.sub('them', after)}" for after in rest)])


def of_100(shares: Sequence[float]) -> list[int]:
    """Shares that add up to 1 as whole numbers that add up to 100, by largest remainder.

    >>> of_100([0.335, 0.335, 0.33])
    [34, 33, 33]
    """
    exact = [100.0 * share for share in shares]
    whole = [int(number + 1e-9) for number in exact]
    ranked = sorted(range(len(exact)), key=lambda k: whole[k] - exact[k])
    for k in ranked[: 100 - sum(whole)]:
        whole[k] += 1
    return whole


def part(some: int, every: int) -> str:
    """How many of a number, in words that go before "of them".

    >>> part(3, 3), part(0, 3), part(2, 3), part(9, 16), part(2, 5)
    ('all', 'none', 'all but one', 'more than half', 'fewer than half')
    """
    if some in (0, every):
        return "none" if not some else "all"
    if some == every - 1 and every > 2:
        return "all but one"
    if 3 * some >= 2 * every:
        return "most"
    return "half" if 2 * some == every else "more than half" if 2 * some > every else "fewer than half"


def capital(text: str) -> str:
    """A text as a sentence begins."""
    return text[:1].upper() + text[1:]


def uncapital(text: str) -> str:
    """The beginning of a sentence as it follows other words."""
    return text[:1].lower() + text[1:]

"""Each rule follows its equation, points in its direction and keeps within its bounds, at plausible values."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import equations
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sim import rules
from sim.parameters import DECLARATIONS

Arguments = dict[str, Any]

RULES: dict[str, Callable[..., Any]] = {
    name: rule
    for name, rule in vars(rules).items()
    if getattr(getattr(rule, "py_func", rule), "__module__", None) == "sim.rules"
}
"""Every compiled function of the rule book."""

UP, DOWN = "up", "down"
TOWARDS = "moves faster towards where the stock is going, which may be above or below"
SPREAD = "spreads people apart, in both directions"

DIRECTIONS: dict[str, dict[str, str]] = {
    "clip": dict(x=UP),
    "logistic": dict(x=UP),
    "power": dict(base=UP, times=DOWN),
    # 1. Climate
    "monitoring_of_organisation": dict(
        monitoring=UP, deviation=UP, mean_reputation=UP, reputation=DOWN,
        risk_based="more monitoring below the average reputation, less above it"),
    "felt_monitoring": dict(monitoring=UP, chief_fear=UP, cascade=UP),
    "stakes": dict(register=UP, disbarring=UP, career_stakes=UP),
    # 2. Time and load
    "assurance": dict(m=UP, burden=UP, burden_power=DOWN),
    "relationship_received": dict(relationship=UP, uniqueness=UP, relationship_sd=SPREAD),
    "time_left": dict(assurance_share=DOWN, relationship_i=DOWN, cooperation=DOWN, relationship_time=DOWN,
                      cooperation_cost=DOWN),
    "load": dict(system_cooperation=DOWN, acute_budget=DOWN, social_care_budget=DOWN, demand=UP, cooperation_gain=DOWN,
                 bed_blocking="a cut in social care adds to the load, more social care relieves it"),
    "overload": dict(load_=UP),
    # 3. Effort
    "motivation_after_climate": dict(
        motivation=UP, motivation_at_start=UP, crowding_i=DOWN, targets=UP, complacency=DOWN, motivation_speed=TOWARDS,
        m="crowds out or in, by the sign of crowding, and dispels complacency",
        trust="is repaid, but breeds complacency, and shields those who respond well to control",
        reciprocity="repays trust above one half and distrust below"),
    "effort": dict(motivation=UP, fear=UP, m=UP, k=UP, punitiveness=UP, deterrence=UP),
    # 4. The indicator
    "pressure": dict(targets=UP, fear=UP),
    "attention": dict(pressure_=UP, focus_own=UP, focus_pull=UP),
    "balance": dict(attention_="best at the ideal focus", focus_ideal="best at the present focus"),
    "service": dict(time_left_=UP, effort_=UP, skill=UP, overload_=DOWN, skill_floor=UP),
    "honest_indicator": dict(service_=UP, attention_=UP, focus_ideal=DOWN),
    "shortfall": dict(indicator=DOWN, target_level=UP),
    "gaming": dict(shortfall_=UP, integrity=DOWN, pressure_=UP, monitoring=DOWN, gaming_max=UP, audit=DOWN),
    # 5. Initiative
    "change_needed": dict(distance=UP, step=DOWN),
    "unneeded": dict(distance=DOWN, step=UP),
    "spread_of_need": dict(need_sd=UP, share=UP),
    "toxic": dict(fear=UP, trust=DOWN, limit=DOWN),
    "value_of_initiative": dict(
        confidence=UP, trust=UP, fear=DOWN, skill=DOWN, change_needed_=UP, k=DOWN, shortfall_=UP, targets=UP, gain=UP,
        loss_aversion=DOWN, initiative_cost=DOWN, aspiration=UP, target_level=DOWN),
    "chance_of_occasion": dict(time_left_=UP, overload_=DOWN, opportunity=UP),
    "chance_of_initiative": dict(value=UP, boldness=UP, time_left_=UP, overload_=DOWN, opportunity=UP,
                                 sensitivity="follows the sign of the value"),
    "chance_of_success": dict(skill=UP, system_cooperation=UP, change_needed_=UP, success_base=UP, success_skill=UP,
                              success_cooperation=UP),
    "practice_after_initiative": dict(practice=UP, need=UP, succeeded="moves towards the need, from either side",
                                      step="moves further towards the need, from either side"),
    # 6. Slips
    "chance_of_negligence": dict(effort_=DOWN, overload_=UP, slip_negligence=UP, overload_slip=UP),
    "chance_of_mishap": dict(skill=DOWN, overload_=UP, safety=DOWN, standardisation=DOWN, slip_mishap=UP,
                             slip_unskilled=UP, overload_slip=UP, safety_effect=DOWN, standard_safety=DOWN),
    # 7 and 8. Speaking up, discovery, being held to account
    "chance_of_speaking_up": dict(
        trust=UP, fear=DOWN, negligent=DOWN, m=UP, punitiveness=UP, leniency=UP, speak_base=UP, speak_prudence=UP,
        speak_negligence=UP, speak_sensitivity="follows the sign of trust minus fear"),
    "harm_of_slip": dict(known=DOWN, harm_known=UP, harm_hidden_factor=UP),
    "chance_of_sanction": dict(negligent=UP, reported=DOWN, m=DOWN, punitiveness=UP, discernment=DOWN, leniency=DOWN,
                               exoneration=DOWN),
    "chance_of_account": dict(reported_indicator=DOWN, targets=UP, account_rate=UP, target_level=UP),
    "chance_of_account_sanction": dict(effort_=DOWN, punitiveness=UP, discernment=DOWN),
    # 9 and 10. Result and distress
    "fit": dict(distance=DOWN, niche_width=UP),
    "quality": dict(service_=UP, gaming_=DOWN, balance_=UP, fit_=UP, harm=DOWN, gaming_cost=DOWN),
    "moral_strain": dict(integrity=UP, balance_=DOWN, gaming_=UP, strain_gaming=UP),
    "distress_after_month": dict(
        distress=UP, strain=UP, assurance_share=UP, overload_=UP, fear=UP, trust=DOWN, relationship_i=DOWN,
        distress_gain=UP, distress_recovery=DOWN, distress_moral=UP, distress_paperwork=UP, distress_overload=UP,
        distress_fear=UP),
    # 11. The world moves
    "need_after_month": dict(need=UP, shock=UP, need_turnover="forgets the old need, whatever its sign",
                             spread="widens the shock, whatever its sign"),
    "practice_after_standard": dict(practice=UP, standard=UP, standardisation=TOWARDS, standard_pull=TOWARDS),
    "standard_after_month": dict(standard=UP, common_need=UP, standard_lag=TOWARDS),
    "reputation_after_month": dict(reputation=UP, mean_reported=UP),
    # 12. Learning
    "fear_after_month": dict(
        fear=UP, trust=DOWN, organisation_fear=UP, anxiety=UP, m=UP, k=UP, sanctioned=UP, spared=DOWN,
        colleagues_sanctioned=UP, colleagues_spared=DOWN, others_sanctioned=UP, punitiveness=UP, publicity=UP,
        fear_extinction=TOWARDS, fear_ambient=UP, fear_conformity=TOWARDS, fear_peer_blamed=UP, fear_system=UP,
        fear_peer_spared=DOWN, fear_blamed=UP, fear_spared=DOWN),
    "trust_after_month": dict(
        trust=UP, organisation_trust=UP, relationship_i=UP, m="wears trust down, or builds it if trust_control < 0",
        sanctioned=DOWN, unfair="costs trust_unfair instead of trust_fair, either of which may be larger", spared=UP,
        trust_invest=UP, trust_control=DOWN, trust_decay=DOWN, trust_conformity=TOWARDS, trust_unfair=DOWN,
        trust_fair=DOWN, trust_spared=UP),
    "confidence_after_month": dict(
        confidence=UP, fear=DOWN, trust=UP, relationship_i=UP, m=UP, succeeded=UP, failed=DOWN, sanctioned=DOWN,
        recognition=UP, confidence_invest=UP, confidence_feedback=UP, confidence_idle=TOWARDS, confidence_success=UP,
        confidence_failure=DOWN, confidence_blamed=DOWN),
    "practice_gain": dict(skill=DOWN, skill_practice=UP),
    "skill_after_training": dict(skill=UP, fear=DOWN, relationship_i=UP, m=UP, skill_invest=UP, skill_feedback=UP,
                                 skill_decay=DOWN),
    "integrity_after_month": dict(integrity=UP, relationship_i=UP, integrity_invest=UP),
    "motivation_after_impunity": dict(motivation=UP, unpunished=DOWN, managers=UP, impunity=DOWN),
    "cooperation_after_month": dict(
        cooperation=UP, trust=UP, fear=DOWN, system_cooperation=UP, m=UP, targets=DOWN, cooperation_incentive=UP,
        cooperation_speed=TOWARDS, cooperation_sensitivity="follows the sign of the inclination",
        cooperation_reciprocity="repays cooperation above one half and its lack below", cooperation_rivalry=DOWN,
        cooperation_oversight=UP),
    "safety_after_month": dict(safety=UP, slips_reported=UP, safety_learning=UP, safety_decay=DOWN),
    # 13. Careers
    "chance_of_leaving": dict(distress=UP, fear=UP, trust=DOWN, exit_base=UP, exit_distress=UP, exit_fear=UP),
    "drawn_share": dict(drawn=UP, mean=UP, sd=SPREAD),
    "person": dict(
        unfit=UP, motivation=UP, integrity=UP, skill=UP, boldness=UP, crowding=UP, anxiety=UP, boldness_mean=UP,
        motivation_mean=UP, motivation_sd=SPREAD, integrity_mean=UP, integrity_sd=SPREAD, skill_mean=UP,
        skill_sd=SPREAD, boldness_sd=SPREAD, crowding_mean=UP, crowding_sd=SPREAD, anxiety_sd=SPREAD, poor_share=DOWN,
        poor_factor=UP),
    "assessed": dict(skill=UP, error=UP, assessment_noise=SPREAD),
    "newcomer_fear": dict(organisation_fear=UP),
    "appointed_trust": dict(organisation_trust=UP),
}  # fmt: skip
"""For every rule and argument, where the result goes when the argument rises: UP, DOWN, or else why either way."""

UNUSUAL: dict[str, tuple[float, float]] = {
    "x": (-3.0, 3.0), "deviation": (-0.4, 0.4), "uniqueness": (-3.0, 3.0), "drawn": (-3.0, 3.0), "load_": (0.5, 6.0),
    "load": (0.5, 6.0), "overload_": (0.0, 0.6), "k": (1.0, 2.5), "crowding_i": (-1.0, 1.0), "attention_": (0.2, 0.95),
    "time_left_": (0.05, 1.0), "indicator": (0.0, 1.2), "reported_indicator": (0.0, 1.2), "mean_reported": (0.0, 1.2),
    "distance": (0.0, 3.0), "value": (-2.0, 2.0), "boldness_mean": (-1.0, 0.0), "practice": (-2.0, 2.0),
    "need": (-2.0, 2.0), "standard": (-2.0, 2.0), "common_need": (-2.0, 2.0), "shock": (-3.0, 3.0),
    "spread": (0.0, 1.5), "strain": (0.0, 0.5), "gaming_": (0.0, 0.7), "harm": (0.0, 1.8), "anxiety": (0.3, 3.0),
    "relationship_sd": (0.0, 0.5), "focus_ideal": (0.3, 0.7), "mean": (0.35, 0.95), "sd": (0.05, 0.25),
    "gain": (0.5, 2.0), "niche_width": (0.5, 2.0), "acute_budget": (0.5, 1.5), "social_care_budget": (0.5, 1.5),
}  # fmt: skip
"""Arguments that are neither stocks or shares in [0, 1] nor parameters with a range."""
UNIFORM = (1e-6, 1.0 - 1e-6)
"""Uniform numbers, whose quantile in the equations is that of the number, not of the middle of its interval."""
DRAWN = ("boldness", "anxiety", "crowding", "error")
MOST = {"times": 40, "managers": 12, "unpunished": 12}
"""Largest whole numbers; 8 where nothing is said."""


def span(rule: str, name: str) -> tuple[float, float]:
    """Plausible values of a rule's argument."""
    if rule in ("person", "assessed") and name in DRAWN:
        return UNIFORM
    if rule == "chance_of_initiative" and name == "boldness":
        return -3.0, 3.0
    if name in UNUSUAL:
        return UNUSUAL[name]
    declared = DECLARATIONS.get(name)
    if declared and declared.kind == "parameter" and declared.low is not None and declared.high is not None:
        return declared.low, declared.high
    return UNIFORM if rule == "person" else (0.0, 1.0)


def allowed(rule: str, name: str) -> tuple[float, float]:
    """Values that a user may give a parameter though nobody thinks them plausible: up to 1 at least."""
    low, high = (0.0, 2.0) if name == "overload_" else span(rule, name)
    declared = DECLARATIONS.get(name)
    most = declared.maximum - declared.exclusive_maximum * 1e-3 if declared else high
    return low, max(high, min(1.0, most))


def signature(rule: str) -> dict[str, str]:
    """Names and types of a rule's arguments."""
    plain = getattr(RULES[rule], "py_func", RULES[rule])
    return {name: parameter.annotation for name, parameter in inspect.signature(plain).parameters.items()}


def argument(rule: str, name: str, kind: str) -> st.SearchStrategy[Any]:
    if kind == "bool":
        return st.booleans()
    if kind == "int":
        return st.integers(1 if name == "managers" else 0, MOST.get(name, 8))
    return st.floats(*span(rule, name), allow_subnormal=False)


def arguments(rule: str) -> st.SearchStrategy[Arguments]:
    """Plausible arguments, in the order of the rule."""
    names = signature(rule)
    values = st.tuples(*(argument(rule, name, kind) for name, kind in names.items()))
    return values.map(lambda drawn: dict(zip(names, drawn, strict=True)))


def possible(rule: str, given: Arguments) -> bool:
    """Whether the model can ask this of a rule; and nothing warrants a fear above the largest one."""
    if rule == "fear_after_month":
        warranted = math.prod(given[name] for name in ("anxiety", "fear_ambient", "m", "punitiveness", "k"))
        return warranted <= 1.0 and not (given["sanctioned"] and given["spared"])
    if rule == "confidence_after_month":
        return not (given["succeeded"] and given["failed"])
    if rule == "trust_after_month":
        return not (given["sanctioned"] and given["spared"])
    return rule != "motivation_after_impunity" or given["unpunished"] < given["managers"]


def result(rule: str, given: Arguments) -> np.ndarray:
    return np.atleast_1d(RULES[rule](*given.values())).astype(float)


def equation(rule: str, given: Arguments) -> np.ndarray:
    return np.atleast_1d(getattr(equations, rule)(*given.values())).astype(float)


def test_the_tables_hold_every_rule_and_every_argument() -> None:
    assert set(DIRECTIONS) == set(RULES)
    for rule, directions in DIRECTIONS.items():
        assert set(directions) == set(signature(rule)), rule
    assert {name for name, f in vars(equations).items() if f.__class__ is type(span)} - {"ndtri"} == set(RULES)
    for rule in RULES:
        assert list(inspect.signature(getattr(equations, rule)).parameters) == list(signature(rule))


@pytest.mark.parametrize("rule", RULES)
@given(data=st.data())
def test_a_rule_is_its_equation(rule: str, data: st.DataObject) -> None:
    given = data.draw(arguments(rule))
    np.testing.assert_allclose(result(rule, given), equation(rule, given), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_its_equation_at_all_that_a_user_may_ask(rule: str) -> None:
    """Also where chances would exceed one, effects more than use up what they act on, or no time would be left."""
    rng = np.random.default_rng(2)

    def at_random(name: str, kind: str) -> Any:
        if kind == "float":
            return float(rng.choice([*allowed(rule, name), rng.uniform(*allowed(rule, name))]))
        return bool(rng.integers(2)) if kind == "bool" else int(rng.integers(name == "managers", 4))

    cases = [{name: at_random(name, kind) for name, kind in signature(rule).items()} for _ in range(200)]
    expected = [equation(rule, given) for given in cases]
    np.testing.assert_allclose([result(rule, given) for given in cases], expected, rtol=1e-9, atol=1e-12)


def test_everything_starts_where_the_specification_says() -> None:
    assert {name: value for name, value in vars(rules).items() if name.startswith("START_")} == equations.START


@pytest.mark.parametrize("rule", [rule for rule in RULES if {UP, DOWN} & {*DIRECTIONS[rule].values()}])
@given(data=st.data())
def test_a_rule_points_in_its_direction(rule: str, data: st.DataObject) -> None:
    """Whatever the other arguments are, the result never goes the other way when one of them rises."""
    given = data.draw(arguments(rule))
    name = data.draw(st.sampled_from([name for name, way in DIRECTIONS[rule].items() if way in (UP, DOWN)]))
    low, high = sorted((given[name], data.draw(argument(rule, name, signature(rule)[name]))))
    assume(all(possible(rule, given | {name: value}) for value in (low, high)))
    change = result(rule, given | {name: high}) - result(rule, given | {name: low})
    assert ((change if DIRECTIONS[rule][name] == UP else -change) >= -1e-12).all(), name


@pytest.mark.parametrize("rule", RULES)
def test_every_argument_of_a_rule_matters(rule: str) -> None:
    """And what is said to go either way does go up at one place and down at another."""
    rng = np.random.default_rng(1)

    def at_random(name: str, kind: str) -> Any:
        if kind == "float":
            return float(rng.uniform(*span(rule, name)))
        return bool(rng.integers(2)) if kind == "bool" else int(rng.integers(1, MOST.get(name, 8) + 1))

    kinds, seen = signature(rule), {name: set() for name in DIRECTIONS[rule]}
    for _ in range(300):
        given = {name: at_random(name, kind) for name, kind in kinds.items()}
        for name, kind in kinds.items():
            low, high = sorted((given[name], at_random(name, kind)))
            if possible(rule, given | {name: low}) and possible(rule, given | {name: high}):
                change = result(rule, given | {name: high}) - result(rule, given | {name: low})
                seen[name] |= set(np.sign(change[abs(change) > 1e-12]))
    ways = {UP: {1.0}, DOWN: {-1.0}}
    assert seen == {name: ways.get(way, {1.0, -1.0}) for name, way in DIRECTIONS[rule].items()}


BOUNDS: dict[str, Callable[[Arguments], tuple[float, float]]] = {
    "clip": lambda a: (0, 1),
    "logistic": lambda a: (0, 1),
    "power": lambda a: (0, 1),
    "monitoring_of_organisation": lambda a: (0, 1),
    "felt_monitoring": lambda a: (a["monitoring"], 1),
    "stakes": lambda a: (1, 1 + a["career_stakes"]),
    "assurance": lambda a: (0, a["burden"]),
    "relationship_received": lambda a: (0, 1),
    "time_left": lambda a: (0.05, 1),
    "load": lambda a: (0, math.inf),
    "overload": lambda a: (max(0, a["load_"] - 1), max(0, a["load_"] - 1) + math.log(2) / 10),
    "motivation_after_climate": lambda a: (0, 1),
    "effort": lambda a: (a["motivation"], 1),
    "pressure": lambda a: (a["targets"] / 2, a["targets"]),
    "attention": lambda a: (a["focus_own"], 0.95),
    "balance": lambda a: (0, 1),
    "service": lambda a: (0, min(a["time_left_"], a["effort_"])),
    "honest_indicator": lambda a: (0, a["service_"] / a["focus_ideal"]),
    "shortfall": lambda a: (0, a["target_level"]),
    "gaming": lambda a: (0, min(a["shortfall_"], a["gaming_max"])),
    "change_needed": lambda a: (0, 1),
    "chance_of_occasion": lambda a: (0, a["opportunity"]),
    "chance_of_initiative": lambda a: (0, a["opportunity"]),
    "chance_of_success": lambda a: (0, 0.95),
    "practice_after_initiative": lambda a: (min(a["practice"], a["need"]), max(a["practice"], a["need"])),
    "chance_of_negligence": lambda a: (0, 1),
    "chance_of_mishap": lambda a: (0, 1),
    "chance_of_speaking_up": lambda a: (0, 1),
    "harm_of_slip": lambda a: (a["harm_known"], a["harm_known"] * a["harm_hidden_factor"]),
    "chance_of_sanction": lambda a: (0, a["punitiveness"]),
    "chance_of_account": lambda a: (0, a["targets"] * a["account_rate"]),
    "chance_of_account_sanction": lambda a: (0, a["punitiveness"]),
    "fit": lambda a: (0, 1),
    "quality": lambda a: (-a["harm"], a["service_"] - a["harm"]),
    "moral_strain": lambda a: (0, math.inf),
    "distress_after_month": lambda a: (0, 1),
    "practice_after_standard": lambda a: (min(a["practice"], a["standard"]), max(a["practice"], a["standard"])),
    "standard_after_month": lambda a: (min(a["standard"], a["common_need"]), max(a["standard"], a["common_need"])),
    "reputation_after_month": lambda a: (min(a.values()), max(a.values())),
    "fear_after_month": lambda a: (0, 1),
    "confidence_after_month": lambda a: (0, 1),
    "practice_gain": lambda a: (0, 1 - a["skill"]),
    "skill_after_training": lambda a: (0, 1),
    "integrity_after_month": lambda a: (a["integrity"], 1),
    "motivation_after_impunity": lambda a: (0, a["motivation"]),
    "cooperation_after_month": lambda a: (0, 1),
    "safety_after_month": lambda a: (0, 1),
    "chance_of_leaving": lambda a: (a["exit_base"], 1),
    "drawn_share": lambda a: (0.01, 0.99),
    "newcomer_fear": lambda a: (0.1, 0.6),
    "appointed_trust": lambda a: (0.35, 0.65),
}


@pytest.mark.parametrize("rule", BOUNDS)
@given(data=st.data())
def test_a_rule_keeps_within_its_bounds(rule: str, data: st.DataObject) -> None:
    """Chances and stocks are in [0, 1]; nobody works less than they want to, or games more than the shortfall."""
    given = data.draw(arguments(rule).filter(lambda drawn: possible(rule, drawn)))
    low, high = BOUNDS[rule](given)
    assert low - 1e-12 <= result(rule, given)[0] <= high + 1e-12


@given(arguments("chance_of_initiative"))
def test_initiative_is_never_likelier_than_an_occasion_for_it(drawn: Arguments) -> None:
    """To the last digit: the engine asks nobody to weigh what they have no occasion for."""
    occasion = {name: drawn[name] for name in signature("chance_of_occasion")}
    assert result("chance_of_initiative", drawn) <= result("chance_of_occasion", occasion)


@given(st.floats(-1e6, 1e6))
def test_overload_never_overflows(load: float) -> None:
    beyond = max(0.0, load - 1.0)
    assert beyond * (1 - 1e-12) <= rules.overload(load) <= beyond * (1 + 1e-12) + 0.07


@given(st.floats(1e3, 1e6))
def test_logistic_never_overflows_nor_vanishes(x: float) -> None:
    assert 0.0 < rules.logistic(-x) < 1e-300
    assert rules.logistic(x) == 1.0


def test_balance_is_its_equation_at_the_ideal_focus_that_every_world_has() -> None:
    """One half, where the rule does without logarithms."""
    for attention in np.linspace(0.02, 0.98, 25):
        assert rules.balance(attention, 0.5) == pytest.approx(equations.balance(attention, 0.5))


def test_a_distance_of_exactly_half_a_step_is_not_unneeded() -> None:
    assert not rules.unneeded(0.25, 0.5)


def test_where_the_share_of_the_unfit_is_zero_no_person_is_unfit() -> None:
    """Whatever number is drawn, and zero may be."""
    given = dict.fromkeys(signature("person"), 0.5) | dict(unfit=0.0, poor_share=0.0, poor_factor=0.1)
    assert rules.person(*given.values())[:2] == pytest.approx((0.5, 0.5))


@given(st.floats(0.0, 1.0), st.floats(0.001, 0.999))
def test_balance_is_best_at_the_ideal_focus(attention: float, ideal: float) -> None:
    assert rules.balance(ideal, ideal) == pytest.approx(1.0)
    assume(0.0 < attention < 1.0)
    assert rules.balance(attention, ideal) <= 1.0 + 1e-12

"""Each rule follows its equation, points in its direction and keeps within its bounds, at plausible values."""

from __future__ import annotations

import ast
import inspect
import math
from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any, get_type_hints

import equations
import numpy as np
import pytest
from equations import DIRECTIONS, DOWN, UP
from hypothesis import assume, given
from hypothesis import strategies as st

from sim.model import rules
from sim.model.parameters import PARAMETERS, resolve
from sim.model.streams import PERSON

Arguments = dict[str, Any]

SOURCE = {node.name: node for node in ast.parse(inspect.getsource(rules)).body if isinstance(node, ast.FunctionDef)}
RULES: dict[str, Callable[..., Any]] = {name: getattr(rules, name) for name in SOURCE if name != "rule"}
"""Every function of the rule book, by name."""
NAMES = {name: list(inspect.signature(rule).parameters) for name, rule in RULES.items()}
"""The arguments of each."""
STATES = ("post", "unit", "place", "month", "lever", "p")
"""Arguments of a rule that hold several numbers, by name."""
IN_EQUATIONS = {
    "place.felt": "m", "place.fear": "organisation_fear", "place.trust": "organisation_trust",
    "place.assurance": "assurance_share", "post.crowding": "crowding_i", "month.support": "support_",
    "month.unmoved": "unmoved_", "month.unrelieved": "unrelieved_",
    "month.colleagues_unpunished": "unpunished",
}  # fmt: skip
"""Names in the equations of numbers that a rule reads from a state under another name."""
KINDS = {f"month.{name}": kind.__name__ for name, kind in get_type_hints(rules.Month).items()}

UNUSUAL: dict[str, tuple[float, float]] = {
    "x": (-3.0, 3.0), "deviation": (-0.4, 0.4), "uniqueness": (-3.0, 3.0), "drawn": (-3.0, 3.0), "load_": (0.5, 6.0),
    "load": (0.5, 6.0), "overload_": (0.0, 0.6), "k": (1.0, 2.5), "crowding_i": (-1.0, 1.0), "attention_": (0.2, 0.95),
    "time_left_": (0.05, 1.0), "indicator": (-0.3, 1.2), "reported_indicator": (-0.3, 1.2),
    "mean_reported": (-0.3, 1.2), "circumstances": (0.5, 1.7), "method": (1.0, 1.4), "chance": (-3.0, 3.0),
    "colleagues": (0.0, 11.0), "strangers": (0.0, 48.0), "times": (0.0, 48.0), "lost": (0.0, 0.99),
    "unpunished": (0.0, 11.0),
    "distance": (0.0, 3.0), "value": (-2.0, 2.0), "boldness_mean": (-1.0, 0.0), "practice": (-2.0, 2.0),
    "need": (-2.0, 2.0), "standard": (-2.0, 2.0), "common_need": (-2.0, 2.0), "shock": (-3.0, 3.0),
    "spread": (0.0, 1.5), "strain": (0.0, 0.5), "gaming_": (0.0, 0.7), "harm": (0.0, 1.8), "anxiety": (0.3, 3.0),
    "relationship_sd": (0.0, 0.5), "mean": (0.35, 0.95), "sd": (0.05, 0.25), "slips_reported": (0.0, 8.0),
    "acute_budget": (0.5, 1.5), "social_care_budget": (0.5, 1.5),
}  # fmt: skip
"""Arguments that are neither stocks or shares in [0, 1] nor parameters with a range."""
UNIFORM = (1e-6, 1.0 - 1e-6)
"""Uniform numbers, whose quantile in the equations is that of the number, not of the middle of its interval."""
DRAWN = ("boldness", "anxiety", "crowding", "error")
MOST = {"managers": 12}
"""Largest whole numbers; 8 where nothing is said."""
SIZES = ("managers", "organisations")
"""Whole numbers that are at least 1."""


FARTHEST: dict[str, tuple[float, float]] = {
    "x": (-1e9, 1e9), "deviation": (-10.0, 10.0), "uniqueness": (-9.0, 9.0), "drawn": (-9.0, 9.0),
    "load_": (0.0, 20.0), "overload_": (0.0, 20.0), "k": (1.0, 11.0), "crowding_i": (-50.0, 50.0),
    "attention_": (5e-324, 0.95), "indicator": (-1e6, 1e6), "reported_indicator": (-1e6, 1e6),
    "mean_reported": (-1e6, 1e6), "reputation": (-1e6, 1e6), "mean_reputation": (-1e6, 1e6),
    "circumstances": (0.0, 1e12), "method": (1.0, 2.0), "chance": (-9.0, 9.0), "colleagues": (0.0, 11.0),
    "strangers": (0.0, 48.0), "times": (0.0, 48.0), "lost": (0.0, 1.0 - 2.0**-53), "unpunished": (0.0, 11.0),
    "distance": (0.0, 1e3), "value": (-1e5, 1e6), "boldness": (-150.0, 100.0), "boldness_mean": (-50.0, 0.0),
    "practice": (-1e3, 1e3), "need": (-1e3, 1e3), "standard": (-1e3, 1e3), "common_need": (-1e3, 1e3),
    "shock": (-9.0, 9.0), "spread": (0.0, 10.0), "strain": (0.0, 200.0), "gaming_": (0.0, 10.0),
    "shortfall_": (0.0, 1e6), "harm": (0.0, 1e3), "anxiety": (0.0, 1e9), "slips_reported": (0.0, 1e9),
    "mean": (0.0, 1.0), "sd": (0.0, 10.0),
}  # fmt: skip
"""How far numbers other than shares can go where every parameter may be at the end of what is allowed."""


def corners(rule: str, name: str, kind: str) -> list[Any]:
    """The ends of what a rule may be asked: declared bounds, and how far states can go."""
    if kind == "bool":
        return [False, True]
    if kind == "int":
        return [1, 10**9] if name in SIZES else [0, 1, 10**9]
    if name in ("unfit", "error"):
        return [0.0, 0.5, 1.0 - 2.0**-53]
    if rule == "person" and name in PERSON:
        return [-9.0, 0.0, 9.0]
    declared = PARAMETERS.get(name)
    if declared is None or (rule == "felt_monitoring" and name == "monitoring"):
        return list(FARTHEST.get(name, (0.0, 1.0)))
    ends = np.nextafter(declared.minimum, 1e9), np.nextafter(declared.maximum, -1e9)
    inner = [float(end) for end in ends]
    return [value for value in (declared.minimum, *inner, declared.maximum) if declared.allows(value)]


def span(rule: str, name: str) -> tuple[float, float]:
    """Plausible values of a rule's argument."""
    if rule == "person" and name in PERSON and name != "unfit":
        return -3.0, 3.0
    if name == "error":
        return UNIFORM
    if rule == "chance_of_initiative" and name == "boldness":
        return -3.0, 3.0
    if name in UNUSUAL:
        return UNUSUAL[name]
    declared = PARAMETERS.get(name)
    if declared and declared.kind == "parameter" and declared.low is not None and declared.high is not None:
        return declared.low, declared.high
    return 0.0, 1.0


def allowed(rule: str, name: str) -> tuple[float, float]:
    """Values that a user may give a parameter though nobody thinks them plausible: up to 1 at least."""
    low, high = (0.0, 2.0) if name == "overload_" else span(rule, name)
    declared = PARAMETERS.get(name)
    most = declared.maximum - declared.exclusive_maximum * 1e-3 if declared else high
    return low, max(high, min(1.0, most))


@cache
def reads(rule: str) -> dict[str, str]:
    """Every number that a rule depends on, with its type: arguments, and what it and the rules that it calls read from
    states, such as "post.fear"."""
    found = {name: kind for name, kind in inspect.get_annotations(RULES[rule]).items() if name in NAMES[rule]}
    found = {name: kind for name, kind in found.items() if name not in (*STATES, "z")}
    for node in ast.walk(SOURCE[rule]):
        match node:
            case ast.Attribute(ast.Name(state), field) if state in NAMES[rule]:
                found[f"{state}.{field}"] = KINDS.get(f"{state}.{field}", "float")
            case ast.Call(ast.Name(called)) if called in RULES:
                found |= {name: kind for name, kind in reads(called).items() if "." in name}
    return found | ({f"z.{name}": "float" for name in PERSON[1:]} if "z" in NAMES[rule] else {})


@cache
def flat(name: str) -> str:
    """The name in the equations of a number that a rule reads."""
    return IN_EQUATIONS.get(name, name.rpartition(".")[2])


@cache
def signature(rule: str) -> dict[str, str]:
    """The numbers that a rule depends on, by their names in the equations, and their types."""
    return {flat(name): kind for name, kind in reads(rule).items()}


def argument(rule: str, name: str, kind: str) -> st.SearchStrategy[Any]:
    if kind == "bool":
        return st.booleans()
    if kind == "int":
        return st.integers(int(name in SIZES), MOST.get(name, 8))
    return st.floats(*span(rule, name), allow_subnormal=False)


def arguments(rule: str) -> st.SearchStrategy[Arguments]:
    """Plausible arguments, in the order of the rule."""
    names = signature(rule)
    values = st.tuples(*(argument(rule, name, kind) for name, kind in names.items()))
    return values.map(lambda drawn: dict(zip(names, drawn, strict=True)))


def possible(rule: str, given: Arguments) -> bool:
    """Whether the model can ask this of a rule. (Whoever is sanctioned is never spared, but each would act alike.)"""
    if rule == "safety_after_month":
        return given["slips_reported"] <= given["managers"]
    if rule == "harm_of_slip":
        return not (given["reported"] and given["discovered"])
    return rule != "confidence_after_month" or given["tried"] or not given["succeeded"]


def result(rule: str, given: Arguments) -> np.ndarray:
    """The rule's result, from numbers by their names in the equations."""
    given = given | {"z": [given[name] for name in PERSON]} if rule == "person" else given
    held: dict[str, dict[str, Any]] = {}
    for name in reads(rule):
        state, _, field = name.rpartition(".")
        held.setdefault(state, {})[field] = given[flat(name)]
    states = {state: SimpleNamespace(**numbers) for state, numbers in held.items()}
    arguments = [states[name] if name in STATES else given[name] for name in NAMES[rule]]
    return np.atleast_1d(RULES[rule](*arguments)).astype(float)


def equation(rule: str, given: Arguments) -> np.ndarray:
    return np.atleast_1d(getattr(equations, rule)(**given)).astype(float)


def test_every_rule_has_its_equation_and_directions_for_every_number_that_it_reads() -> None:
    own = {name for name, f in vars(equations).items() if f.__class__ is type(span)}
    assert own - {"logistic"} == set(RULES) == set(DIRECTIONS)  # which is arithmetic
    for rule in RULES:
        assert set(inspect.signature(getattr(equations, rule)).parameters) == set(signature(rule)), rule
        assert set(DIRECTIONS[rule]) == set(signature(rule)), rule


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_takes_states_then_levers_then_parameters_and_not_many(rule: str) -> None:
    assert NAMES[rule] == sorted(NAMES[rule], key=lambda name: {"lever": 1, "p": 2}.get(name, 0))
    assert len(NAMES[rule]) <= 7


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
        return bool(rng.integers(2)) if kind == "bool" else int(rng.integers(name in SIZES, 4))

    cases = [{name: at_random(name, kind) for name, kind in signature(rule).items()} for _ in range(200)]
    expected = [equation(rule, given) for given in cases]
    np.testing.assert_allclose([result(rule, given) for given in cases], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("rule", RULES)
def test_no_rule_leaves_its_domain_at_the_corners_of_all_bounds(rule: str) -> None:
    """Plain Python raises at a division by zero, a logarithm of zero or a power of a negative number."""
    rng = np.random.default_rng(3)
    choices = {name: corners(rule, name, kind) for name, kind in signature(rule).items()}
    for _ in range(1000):
        given = {name: values[rng.integers(len(values))] for name, values in choices.items()}
        assert np.isfinite(result(rule, given)).all(), given


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
    "support": lambda a: (a["relationship_i"], 1),
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
    "service": lambda a: (0, min(a["time_left_"], a["effort_"]) * a["circumstances"] * a["method"]),
    "shortfall": lambda a: (0, math.inf),
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
    "chance_of_account": lambda a: (0, 1),
    "chance_of_account_sanction": lambda a: (0, a["punitiveness"]),
    "weight_of_mercy": lambda a: (a["found_reassures"], 1),
    "weight_of_impunity": lambda a: (a["peers_see"], 1),
    "fit": lambda a: (0, 1),
    "quality": lambda a: (-a["harm"], a["service_"] - a["harm"]),
    "moral_strain": lambda a: (0, math.inf),
    "distress_after_month": lambda a: (0, 1),
    "method_after_month": lambda a: (1, 2),
    "practice_after_standard": lambda a: (min(a["practice"], a["standard"]), max(a["practice"], a["standard"])),
    "standard_after_month": lambda a: (min(a["standard"], a["common_need"]), max(a["standard"], a["common_need"])),
    "reputation_after_month": lambda a: (min(a.values()), max(a.values())),
    "decline": lambda a: (-math.inf, 0),
    "unmoved": lambda a: (0, 1),
    "unrelieved": lambda a: (0, 1),
    "fear_after_month": lambda a: (0, 1),
    "confidence_after_month": lambda a: (min(0.0, a["confidence_feedback"]), 1),
    "practice_gain": lambda a: (0, 1 - a["skill"]),
    "skill_after_training": lambda a: (min(0.0, a["skill_feedback"]), 1),
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


def test_a_distance_of_exactly_half_a_step_is_not_unneeded() -> None:
    assert not result("unneeded", dict(distance=0.25, step=0.5))


def test_where_the_share_of_the_unfit_is_zero_no_person_is_unfit() -> None:
    """Whatever number is drawn, and zero may be."""
    drawn = dict.fromkeys(PERSON[1:], 0.0)
    given = dict.fromkeys(signature("person"), 0.5) | drawn | dict(unfit=0.0, poor_share=0.0, poor_factor=0.1)
    assert result("person", given)[:2] == pytest.approx((0.5, 0.5))


@given(st.floats(0.0, 1.0))
def test_balance_is_best_where_both_halves_get_the_same_attention(attention: float) -> None:
    assert rules.balance(0.5) == 1.0
    assert rules.balance(attention) <= 1.0
    assert rules.balance(attention) == pytest.approx(rules.balance(1.0 - attention), abs=1e-7)


@given(st.floats(0.0, 1.0), st.floats(0.0, 60.0))
def test_what_is_left_after_real_many_times_is_a_power(lost: float, times: float) -> None:
    """Also where nothing is left after once, and nothing happened: 0⁰ = 1."""
    assert rules.exp(rules.decline(lost, times)) == pytest.approx((1.0 - lost) ** times, rel=1e-12, abs=1e-300)


def test_people_hear_of_a_share_of_what_happens_whatever_the_sizes() -> None:
    """A month in which every tenth is sanctioned is heard of alike in organisations of every size."""
    for managers in (2, 11, 12, 41):
        assert rules.share_of_colleagues(managers) * (managers - 1) == pytest.approx(11.0)
        assert rules.share_of_strangers(5, managers) * 4 * managers == pytest.approx(48.0)
    assert rules.share_of_colleagues(12) == rules.share_of_strangers(5, 12) == 1.0
    assert rules.share_of_colleagues(1) == rules.share_of_strangers(1, 12) == 0.0


def test_the_first_versions_rules_return_where_the_second_has_no_null() -> None:
    """With rescue, peers_see, found_reassures and relationship_power at 1."""
    p = resolve(rescue=1.0, peers_see=1.0, found_reassures=1.0, relationship_power=1.0)
    assert rules.harm_of_slip(False, True, p) == rules.harm_of_slip(True, False, p) == p.harm_known
    assert rules.harm_of_slip(False, False, p) == p.harm_known * p.harm_hidden_factor
    assert rules.weight_of_mercy(False, p) == rules.weight_of_mercy(True, p) == 1.0
    assert rules.weight_of_impunity(False, p) == rules.weight_of_impunity(True, p) == 1.0
    for invested in (0.0, 0.1, 0.3, 0.7, 1.0):
        assert rules.support(invested, p) == pytest.approx(invested, rel=1e-15)
    assert rules.method_after_month(1.0, True, resolve(innovation=0.0)) == 1.0
    assert rules.drawn_factor(2.0, 0.0) == 1.0

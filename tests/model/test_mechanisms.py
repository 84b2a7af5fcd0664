"""A mechanism that is switched off leaves no trace: what acts only through it no longer matters."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from comparison import differing

import sim
from sim.model import rules
from sim.model.outcomes import OUTCOMES
from sim.model.parameters import LEVERS, MECHANISMS, PARAMETERS, Parameters, resolve
from sim.model.streams import Streams

SMALL: dict[str, Any] = dict(seed=0, systems=4, organisations=2, managers=6, months=24)
EVERYTHING = tuple(OUTCOMES)


@dataclass(frozen=True)
class Null:
    """`change` acts on `outcomes` through one mechanism alone, once those in `without` are off as well."""

    change: dict[str, float]
    outcomes: tuple[str, ...] = EVERYTHING
    without: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)


def all_but(*names: str) -> tuple[str, ...]:
    return tuple(name for name in OUTCOMES if name not in names)


FIRST_MONTH = {"months": 1, "systems": 42}
"""Before anything was learned, with enough managers that a small change in a chance shows."""
MOTIVES = ("crowding_out", "social_exchange", "complacency", "impunity", "careers")
"""What moves motivation, and who leaves: the others but one are switched off to see that one."""
MONITORED = ("paperwork", "crowding_out", "complacency", "deterrence")
"""How monitoring acts on the work of the first month."""


def others(mechanism: str, group: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in group if name != mechanism)


def other_end(lever: str) -> float:
    """The end of a lever's bounds that is not its default."""
    declared = PARAMETERS[lever]
    return declared.minimum if declared.default == declared.maximum else declared.maximum


def factors(node: ast.AST) -> list[ast.AST]:
    """What is multiplied in a product."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return [*factors(node.left), *factors(node.right)]
    return [node]


def occurrences(node: ast.AST, multiplied_by: frozenset[str] = frozenset()) -> Iterator[tuple[str, frozenset[str]]]:
    """Each name read from a state in the rules, and what else stands in the products around it."""
    if isinstance(node, ast.Attribute):
        yield node.attr, multiplied_by
    multiplied_by |= {factor.attr for factor in factors(node) if isinstance(factor, ast.Attribute)}
    for child in ast.iter_child_nodes(node):
        yield from occurrences(child, multiplied_by)


OCCURRENCES = list(occurrences(ast.parse(inspect.getsource(rules))))


def upstream(mechanism: str) -> dict[str, float]:
    """Other values of the levers that the rules only ever multiply by a parameter whose null of zero is set."""
    zeros = {name for name in MECHANISMS[mechanism].parameters if PARAMETERS[name].null == 0.0}
    through = {name: [zeros & with_ for read, with_ in OCCURRENCES if read == name] for name in LEVERS}
    return {name: other_end(name) for name, found in through.items() if found and all(found)}


EXCEPTIONS: dict[str, Null] = {
    "paperwork": Null({"burden_power": 2.0, "distress_paperwork": 0.6}),
    "crowding_out": Null({"trust_invest": 0.12}, ("motivation",), others("crowding_out", MOTIVES)),
    "social_exchange": Null({"trust_invest": 0.12}, ("motivation",), others("social_exchange", MOTIVES)),
    "complacency": Null({"trust_invest": 0.12}, ("motivation",), others("complacency", MOTIVES), {"relationship": 1.0}),
    "impunity": Null({"slip_negligence": 0.4, "peers_see": 1.0}, ("motivation",), others("impunity", MOTIVES)),
    "deterrence": Null({"punitiveness": 0.9, "fear_ambient": 0.8}, ("motivation", "effort"), MOTIVES),
    "attention": Null({"targets": 1.0}, ("honest_indicator",), ("complacency",), FIRST_MONTH),
    "gaming": Null({"audit": 0.8, "gaming_cost": 1.0, "strain_gaming": 4.0}),
    "aspiration": Null({"target_level": 0.7}, EVERYTHING, ("gaming", "called_to_account")),
    "called_to_account": Null({"target_level": 0.7}, EVERYTHING, ("gaming", "aspiration")),
    "reassurance": Null(
        {"speak_base": -1.0}, ("fear", "trust", "exits", "quality"),
        ("learned_fear", "distrust", "organisational_learning", "early_discovery", "impunity", "careers")),
    "cascade": Null({"fear_blamed": 0.6}, ("assurance",)),
    "distrust": Null({"monitoring": 0.9, "punitiveness": 0.9}, ("trust",), ("reassurance", "careers")),
    "exoneration": Null(
        {"monitoring": 0.9}, ("sanctions",), (*MONITORED, "prudence", "called_to_account"),
        FIRST_MONTH | {"speak_base": 50.0, "speak_negligence": 1.0, "leniency": 0.0, "punitiveness": 1.0}),
    "prudence": Null({"leniency": 1.0}, ("silence",), (), FIRST_MONTH),
    "feedback": Null({"monitoring": 0.9}, ("skill",), ("practice", "careers")),
    "practice": Null({"opportunity": 0.5}, ("skill", "practice_gain"), ("feedback", "careers")),
    "development": Null({"relationship": 0.9}, ("skill", "integrity"), ("practice", "feedback", "careers")),
    "organisational_learning": Null({"safety_learning": 0.05, "safety_decay": 0.04}),
    "early_discovery": Null(
        {"speak_base": -1.0}, all_but("silence"), ("reassurance", "organisational_learning", "impunity"),
        {"punitiveness": 0.0}),
    "moral_distress": Null({"strain_gaming": 4.0}, all_but("moral_strain")),
    "strain_of_work": Null(
        {"demand": 1.3, "burden": 0.3, "fear_blamed": 0.6}, ("distress",), ("moral_distress", "careers")),
    "unfit_leaders": Null({"poor_factor": 0.2}),
    "cooperation": Null(
        {"cooperation_incentive": 0.9, "cooperation_speed": 0.3, "cooperation_sensitivity": 6.0,
         "cooperation_reciprocity": 1.0, "cooperation_rivalry": 1.0, "cooperation_oversight": 1.0},
        all_but("cooperation")),
    "rivalry": Null({"targets": 1.0}, ("cooperation",), ("careers",), FIRST_MONTH),
    "safe_standards": Null({"standardisation": 0.7}, EVERYTHING, (), {"standard_pull": 0.0}),
    "audit": Null({"monitoring": 0.9}, ("gaming",), MONITORED, FIRST_MONTH),
    "trust_building": Null({"relationship": 0.9}, ("trust",), ("distrust", "reassurance", "careers")),
    "innovation": Null({"innovation_decay": 0.03}),
    "oversight_of_cooperation": Null({"monitoring": 0.9}, ("cooperation",), ("careers",), FIRST_MONTH),
}  # fmt: skip
"""Mechanisms through which more acts than levers of their own, or less than on all outcomes."""

RULES_ONLY = {"contagion", "loss_aversion", "circumstances"}
"""No input acts on a run through these alone: their rules are looked at instead."""

NULLS = {name: Null(upstream(name)) for name in sorted(set(MECHANISMS) - RULES_ONLY) if upstream(name)} | EXCEPTIONS


def changed(null: Null, *off: str) -> set[str]:
    """The outcomes that the change changes."""
    asked = SMALL | null.settings | {"mechanisms_off": (*null.without, *off)}
    return set(differing(sim.simulate(**asked), sim.simulate(**asked | null.change)))


def test_the_exceptions_are_mechanisms_and_no_other_needs_to_be_one() -> None:
    assert {*NULLS, *RULES_ONLY} <= set(MECHANISMS)
    assert set(NULLS) - set(EXCEPTIONS) >= {"learned_fear", "careers", "bed_blocking"}


@pytest.mark.parametrize("mechanism", NULLS)
def test_what_acts_through_a_mechanism_alone_no_longer_matters_without_it(mechanism: str) -> None:
    assert not changed(NULLS[mechanism], mechanism) & set(NULLS[mechanism].outcomes)


@pytest.mark.parametrize("mechanism", NULLS)
def test_it_does_matter_while_the_mechanism_is_on(mechanism: str) -> None:
    assert changed(NULLS[mechanism]) & set(NULLS[mechanism].outcomes)


@pytest.mark.parametrize(("rule", "climate"), [("fear_after_month", "fear"), ("trust_after_month", "trust")])
def test_without_contagion_nobody_feels_what_colleagues_feel(rule: str, climate: str) -> None:
    month = rules.Month(0.3, True, True, False, False, 0.0, 0.8, 0.9, 0.0)
    states = dict(post=SimpleNamespace(fear=0.4, trust=0.5, anxiety=1.0), month=month, k=1.0)
    function = getattr(rules, rule)

    def after(felt_by_colleagues: float, p: Parameters) -> float:
        place = SimpleNamespace(**{"felt": 0.5, "fear": 0.2, "trust": 0.2, climate: felt_by_colleagues})
        given = states | dict(place=place, lever=p, p=p)
        return function(*(given[name] for name in inspect.signature(function).parameters))

    without = resolve(mechanisms_off=["contagion"])
    assert after(0.2, without) == after(0.9, without)
    assert after(0.2, resolve()) != after(0.9, resolve())


def test_without_loss_aversion_losses_do_not_weigh_more_than_gains() -> None:
    """At 1, its null, a dread of one half just cancels a hope of one half."""
    manager = SimpleNamespace(confidence=0.5, trust=1.0, skill=0.0)
    for loss_aversion, value in ((1.0, 0.0), (2.0, -0.5)):
        p = resolve(loss_aversion=loss_aversion, initiative_cost=0.0)
        assert rules.value_of_initiative(manager, 1.0, 1.0, 0.0, 1.0, p, p) == value


class OtherLuck(Streams):
    """The model's streams, but for other chance in the indicator and other circumstances."""

    def month(self) -> dict[str, list[float]]:
        numbers = super().month()
        return numbers | {"chance": numbers["chance"][::-1]}

    def keyed(self, name: str, index: int, count: int = 0) -> list[float]:
        return super().keyed(name, index, count + (name == "circumstances"))


@pytest.mark.parametrize(("off", "same"), [((), False), (("circumstances",), True)])
def test_without_circumstances_neither_luck_nor_what_nobody_can_change_acts(off: tuple[str, ...], same: bool) -> None:
    class Lucky(sim.LeadershipModel):
        streams_class = OtherLuck

    seed, settings = SMALL["seed"], {name: value for name, value in SMALL.items() if name != "seed"}
    models = [kind(rng=seed, mechanisms_off=off, **settings) for kind in (sim.LeadershipModel, Lucky)]
    for model in models:
        model.run_model()
    assert np.array_equal(models[0].record.sums, models[1].record.sums) == same


WHERE_IT_ACTS = {"complacency": {"relationship": 0.9, "targets": 0.1}}
"""Where a mechanism acts, if neither at the default policy nor with one lever at its other end."""


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_switching_a_mechanism_off_changes_something(mechanism: str) -> None:
    policies = [{}, *({name: other_end(name)} for name in LEVERS), WHERE_IT_ACTS.get(mechanism, {})]
    pairs = ([sim.simulate(mechanisms_off=off, **SMALL | asked) for off in ([], [mechanism])] for asked in policies)
    assert any(differing(*pair) for pair in pairs)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_mechanism_whose_parameters_are_at_their_null_is_off(mechanism: str) -> None:
    nulls = {name: sim.model.parameters.PARAMETERS[name].null for name in MECHANISMS[mechanism].parameters}
    off, null = sim.simulate(mechanisms_off=[mechanism], **SMALL), sim.simulate(**SMALL, **nulls)
    assert off.parameters == null.parameters
    assert not differing(off, null)

"""A mechanism that is switched off leaves no trace: what acts only through it no longer matters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from comparison import differing

import sim
from sim.outcomes import OUTCOMES
from sim.parameters import MECHANISMS
from sim.rules import fear_after_month, trust_after_month, value_of_initiative

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


NULLS: dict[str, Null] = {
    "paperwork": Null({"burden_power": 2.0, "distress_paperwork": 0.6}),
    "crowding_out": Null({"trust_invest": 0.12}, ("motivation",), others("crowding_out", MOTIVES)),
    "social_exchange": Null({"trust_invest": 0.12}, ("motivation",), others("social_exchange", MOTIVES)),
    "complacency": Null({"trust_invest": 0.12}, ("motivation",), others("complacency", MOTIVES), {"relationship": 1.0}),
    "impunity": Null({"slip_negligence": 0.4}, ("motivation",), others("impunity", MOTIVES)),
    "deterrence": Null({"punitiveness": 0.9, "fear_ambient": 0.8}, ("motivation", "effort"), MOTIVES),
    "attention": Null({"targets": 1.0}, ("honest_indicator",), ("complacency",), FIRST_MONTH),
    "gaming": Null({"audit": 0.8, "gaming_cost": 1.0, "strain_gaming": 4.0}),
    "aspiration": Null({"target_level": 0.7}, EVERYTHING, ("gaming", "called_to_account")),
    "called_to_account": Null({"target_level": 0.7}, EVERYTHING, ("gaming", "aspiration")),
    "learned_fear": Null({"publicity": 1.0, "anxiety_sd": 0.8}),
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
        {"speak_base": -1.0}, all_but("silence"), ("reassurance", "organisational_learning"), {"punitiveness": 0.0}),
    "moral_distress": Null({"strain_gaming": 4.0}, all_but("moral_strain")),
    "strain_of_work": Null(
        {"demand": 1.3, "burden": 0.3, "fear_blamed": 0.6}, ("distress",), ("moral_distress", "careers")),
    "careers": Null({"register": 0.8, "disbarring": 0.8}),
    "unfit_leaders": Null({"poor_factor": 0.2}),
    "cooperation": Null(
        {"cooperation_incentive": 0.9, "cooperation_speed": 0.3, "cooperation_sensitivity": 6.0,
         "cooperation_reciprocity": 1.0, "cooperation_rivalry": 1.0, "cooperation_oversight": 1.0},
        all_but("cooperation")),
    "rivalry": Null({"targets": 1.0}, ("cooperation",), ("careers",), FIRST_MONTH),
    "safe_standards": Null({"standardisation": 0.7}, EVERYTHING, (), {"standard_pull": 0.0}),
    "audit": Null({"monitoring": 0.9}, ("gaming",), MONITORED, FIRST_MONTH),
    "trust_building": Null({"relationship": 0.9}, ("trust",), ("distrust", "reassurance", "careers")),
    "oversight_of_cooperation": Null({"monitoring": 0.9}, ("cooperation",), ("careers",), FIRST_MONTH),
    "bed_blocking": Null({"social_care_budget": 0.9}),
}  # fmt: skip

RULES_ONLY = {"contagion", "loss_aversion"}
"""No input acts on a run through these alone: their rules are looked at instead."""


def changed(null: Null, *off: str) -> set[str]:
    """The outcomes that the change changes."""
    asked = SMALL | null.settings | {"mechanisms_off": (*null.without, *off)}
    return set(differing(sim.simulate(**asked), sim.simulate(**asked | null.change)))


def test_the_table_holds_every_mechanism() -> None:
    assert {*NULLS, *RULES_ONLY} == set(MECHANISMS)
    assert not RULES_ONLY & set(NULLS)


@pytest.mark.parametrize("mechanism", NULLS)
def test_what_acts_through_a_mechanism_alone_no_longer_matters_without_it(mechanism: str) -> None:
    assert not changed(NULLS[mechanism], mechanism) & set(NULLS[mechanism].outcomes)


@pytest.mark.parametrize("mechanism", NULLS)
def test_it_does_matter_while_the_mechanism_is_on(mechanism: str) -> None:
    assert changed(NULLS[mechanism]) & set(NULLS[mechanism].outcomes)


FEAR = dict(fear=0.4, trust=0.5, organisation_fear=0.2, anxiety=1.0, m=0.5, k=1.0, sanctioned=False, spared=False,
            colleagues_sanctioned=1, colleagues_spared=1, others_sanctioned=1, punitiveness=0.5, publicity=0.5,
            fear_extinction=0.05, fear_ambient=0.4, fear_conformity=0.0, fear_peer_blamed=0.05, fear_system=0.004,
            fear_peer_spared=0.03, fear_blamed=0.35, fear_spared=0.2)  # fmt: skip
TRUST = dict(trust=0.5, organisation_trust=0.2, relationship_i=0.3, m=0.5, sanctioned=False, unfair=False, spared=False,
             trust_invest=0.07, trust_control=0.025, trust_decay=0.01, trust_conformity=0.0, trust_unfair=0.3,
             trust_fair=0.15, trust_spared=0.06)  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "at", "climate", "conformity"),
    [
        (fear_after_month, FEAR, "organisation_fear", "fear_conformity"),
        (trust_after_month, TRUST, "organisation_trust", "trust_conformity"),
    ],
)
def test_without_contagion_nobody_feels_what_colleagues_feel(
    rule: Any, at: dict[str, Any], climate: str, conformity: str
) -> None:
    def after(**other: float) -> float:
        return rule(*(at | other).values())

    assert after() == after(**{climate: 0.9})
    assert after(**{conformity: 0.1}) != after(**{conformity: 0.1, climate: 0.9})


def test_without_loss_aversion_losses_do_not_weigh_more_than_gains() -> None:
    """At 1, its null, a dread of one half just cancels a hope of one half."""
    at = dict(confidence=0.5, trust=1.0, fear=1.0, skill=0.0, change_needed_=1.0, k=1.0, shortfall_=0.0, targets=0.0,
              gain=1.0, loss_aversion=1.0, initiative_cost=0.0, aspiration=0.0, target_level=0.5)  # fmt: skip
    assert value_of_initiative(*at.values()) == 0.0
    assert value_of_initiative(*(at | {"loss_aversion": 2.0}).values()) == -0.5


WHERE_IT_ACTS = {
    "safe_standards": {"standardisation": 0.5},
    "bed_blocking": {"social_care_budget": 0.9},
    "complacency": {"relationship": 0.9, "targets": 0.1},
}


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_switching_a_mechanism_off_changes_something(mechanism: str) -> None:
    asked = SMALL | WHERE_IT_ACTS.get(mechanism, {})
    assert differing(sim.simulate(**asked), sim.simulate(mechanisms_off=[mechanism], **asked))


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_mechanism_whose_parameters_are_at_their_null_is_off(mechanism: str) -> None:
    nulls = {name: sim.parameters.DECLARATIONS[name].null for name in MECHANISMS[mechanism].parameters}
    off, null = sim.simulate(mechanisms_off=[mechanism], **SMALL), sim.simulate(**SMALL, **nulls)
    assert off.parameters == null.parameters
    assert not differing(off, null)

"""What the names of the model mean: `meanings` looks one up, `by_group` lists them all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sim.errors import InputError, named, nearest
from sim.model.outcomes import OUTCOMES, POST_COLUMNS, Outcome
from sim.model.parameters import DECLARATIONS, LEVERS, MECHANISMS, REGIMES, Declaration, Mechanism, Regime

Fact = tuple[str, str]


@dataclass(frozen=True)
class Meaning:
    """One meaning of a name: what kind of thing it is, the facts about it as labels and values, and a text.

    `kind` is one of parameter, lever, size, mechanism, regime, outcome and "column of posts".
    """

    kind: str
    name: str
    facts: tuple[Fact, ...]
    text: str


def meanings(name: str) -> list[Meaning]:
    """Every meaning of a name; some, such as `gaming`, have several.

    Raises `InputError` with the nearest valid name where there is none.

    >>> [meaning.kind for meaning in meanings("gaming")]
    ['mechanism', 'outcome']
    """
    every = [meaning for group in by_group().values() for meaning in group]
    found = [meaning for meaning in every if meaning.name == name]
    if not found:
        hint = nearest(name, dict.fromkeys(meaning.name for meaning in every))
        raise InputError([f"{named(name)}: nothing in the model has this name{hint}"])
    return found


def by_group() -> dict[str, list[Meaning]]:
    """Every name of the model under the heading it belongs to, in the order of the model's description."""
    groups: dict[str, list[Meaning]] = {}
    for heading, meaning in _all():
        groups.setdefault(heading, []).append(meaning)
    return groups


def _all() -> Iterator[tuple[str, Meaning]]:
    for declared in DECLARATIONS.values():
        yield declared.group, _of_declaration(declared)
    for mechanism in MECHANISMS.values():
        yield f"mechanisms {mechanism.case} the warning", _of_mechanism(mechanism)
    for regime in REGIMES.values():
        yield "regimes", _of_regime(regime)
    for outcome in OUTCOMES.values():
        yield "outcomes", _of_outcome("outcome", outcome)
    for name, column in POST_COLUMNS.items():
        if name not in OUTCOMES:
            yield "columns of posts", _of_outcome("column of posts", column)


def _of_declaration(declared: Declaration) -> Meaning:
    facts = [("unit", declared.unit), ("default", f"{declared.default:g}"), ("allowed", declared.allowed)]
    if declared.low is not None:
        facts.append(("plausible range", f"{declared.low:g} to {declared.high:g}"))
    if declared.null is not None:
        facts.append(("null", f"{declared.null:g}"))
    if off := [mechanism.name for mechanism in MECHANISMS.values() if declared.name in mechanism.parameters]:
        facts.append(("switched off with", ", ".join(off)))
    if set_by := _regimes_that_set(declared.name):
        facts.append(("set by", set_by))
    if declared.kind == "lever":
        facts.append(("schedule", "possible" if declared.name in LEVERS else "not possible: fixed for a run"))
    facts += [("group", declared.group), ("source", declared.source)]
    return Meaning(declared.kind, declared.name, tuple(facts), declared.meaning)


def _regimes_that_set(lever: str) -> str:
    return ", ".join(f"{regime.name} {regime.levers[lever]:g}" for regime in REGIMES.values() if lever in regime.levers)


def _of_mechanism(mechanism: Mechanism) -> Meaning:
    nulls = ", ".join(f"{name} = {DECLARATIONS[name].null:g}" for name in mechanism.parameters)
    facts = (("case", f"{mechanism.case} the warning against surveillance"), ("switched off by", nulls))
    return Meaning("mechanism", mechanism.name, facts, mechanism.meaning)


def _of_regime(regime: Regime) -> Meaning:
    levers = ", ".join(f"{name} = {value:g}" for name, value in regime.levers.items())
    return Meaning("regime", regime.name, (("levers", levers or "all at their defaults"),), regime.meaning)


def _of_outcome(kind: str, outcome: Outcome) -> Meaning:
    return Meaning(kind, outcome.name, (("unit", outcome.unit), ("values", _values(outcome))), outcome.meaning)


def _values(outcome: Outcome) -> str:
    if outcome.low is None:
        return "any number"
    return f"from {outcome.low:g}" + ("" if outcome.high is None else f" to {outcome.high:g}")

"""The meanings of the model's names, all of them `by_group`, and numbers as people read them; short names are in
`sim.model.words`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sim.errors import InputError, named, nearest
from sim.model import words
from sim.model.outcomes import OUTCOMES, POST_COLUMNS, Outcome
from sim.model.parameters import LEVERS, MECHANISMS, PARAMETERS, REGIMES, Declaration, Mechanism, Regime

if TYPE_CHECKING:
    import pandas as pd

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


def groups_of(name: str) -> dict[str, list[Meaning]]:
    """The groups that a name stands for: one by its heading, or all of a kind, as in "levers"; none for other names.

    >>> [*groups_of("levers")], [*groups_of("trust")], [*groups_of("mechanisms")][:1]
    (['levers'], ['trust'], ['mechanisms for the warning'])
    """
    every, kind = by_group(), name.lower().removesuffix("s")
    if name.lower() in every:
        return {name.lower(): every[name.lower()]}
    return {heading: group for heading, group in every.items() if group[0].kind == kind}


def looked_up(name: str) -> tuple[list[Meaning], dict[str, list[Meaning]]]:
    """The meanings of a name, and the groups that it stands for; raises `InputError` where there is neither."""
    groups = groups_of(name)
    every = [meaning for group in by_group().values() for meaning in group]
    return [one for one in every if one.name == name] if groups else meanings(name), groups


def table() -> pd.DataFrame:
    """A row for each meaning of each name: kind, name, the name in few words, group, unit, default, plausible range
    (`low`, `high`), what is allowed (`minimum`, `maximum`), null, meaning and source; empty where there is none."""
    import pandas as pd  # noqa: PLC0415

    tables: dict[str, Mapping[str, Any]]
    tables = {"mechanism": MECHANISMS, "regime": REGIMES, "outcome": OUTCOMES, "column of posts": POST_COLUMNS}
    rows = []
    for group in by_group().values():
        for one in group:
            entry = tables.get(one.kind, PARAMETERS)[one.name]
            told: dict[str, Any] = {"kind": one.kind, "name": one.name, "in_few_words": dict(one.facts)["in few words"]}
            told["group"] = getattr(entry, "group", getattr(entry, "case", ""))
            told |= {fact: getattr(entry, fact, None) for fact in ("unit", "default", *_BOUNDS, "null")}
            if isinstance(entry, Outcome):  # whose bounds are those of its values
                told |= {"low": None, "high": None, "minimum": entry.low, "maximum": entry.high}
            rows.append({**told, "meaning": one.text, "source": getattr(entry, "source", "")})
    return pd.DataFrame(rows)


_BOUNDS = ("low", "high", "minimum", "maximum")


def by_group() -> dict[str, list[Meaning]]:
    """Every name of the model under the heading it belongs to, in the order of the model's description."""
    groups: dict[str, list[Meaning]] = {}

    def add(heading: str, kind: str, entry: Declaration | Mechanism | Regime | Outcome, *facts: Fact) -> None:
        named = ("in few words", words.called(kind, entry.name))
        groups.setdefault(heading, []).append(Meaning(kind, entry.name, (named, *facts), entry.meaning))

    for declared in PARAMETERS.values():
        add(declared.group, declared.kind, declared, *_facts(declared))
    for mechanism in MECHANISMS.values():
        nulls = ", ".join(f"{name} = {PARAMETERS[name].null:g}" for name in mechanism.parameters)
        case = f"{mechanism.case} the warning"
        facts = (("case", f"{case} against surveillance"), ("switched off by", nulls))
        add(f"mechanisms {case}", "mechanism", mechanism, *facts)
    for regime in REGIMES.values():
        levers = ", ".join(f"{name} = {value:g}" for name, value in regime.levers.items())
        add("regimes", "regime", regime, ("levers", levers or "all at their defaults"))
    for name, outcome in (OUTCOMES | POST_COLUMNS).items():
        limits = "any number" if outcome.low is None else f"from {outcome.low:g}"
        limits += "" if outcome.high is None else f" to {outcome.high:g}"
        heading, kind = ("outcomes", "outcome") if name in OUTCOMES else ("columns of posts", "column of posts")
        add(heading, kind, outcome, ("unit", outcome.unit), ("values", limits))
    return groups


def _facts(declared: Declaration) -> list[Fact]:
    """What is known about a parameter, lever or size."""
    facts = [("unit", declared.unit), ("default", f"{declared.default:g}"), ("allowed", declared.allowed)]
    if declared.low is not None:
        facts.append(("plausible range", f"{declared.low:g} to {declared.high:g}"))
    if declared.null is not None:
        facts.append(("null", f"{declared.null:g}"))
    if off := [mechanism.name for mechanism in MECHANISMS.values() if declared.name in mechanism.parameters]:
        facts.append(("switched off with", ", ".join(off)))
    if set_by := [f"{r.name} {r.levers[declared.name]:g}" for r in REGIMES.values() if declared.name in r.levers]:
        facts.append(("set by", ", ".join(set_by)))
    if declared.kind == "lever":
        facts.append(("schedule", "possible" if declared.name in LEVERS else "not possible: fixed for a run"))
    return [*facts, ("group", declared.group), ("source", declared.source)]


def shown_numbers(*numbers: float, finest: float = 0.0) -> list[str]:
    """Numbers with equally many decimals: two digits of the largest, and a third where `finest` is that small.

    >>> shown_numbers(0.0714, 0.0682, finest=0.003)
    ['0.071', '0.068']
    """
    largest = max((abs(number) for number in numbers), default=0.0)
    places = 1 - math.floor(math.log10(largest)) if largest else 0
    if finest:
        places = max(places, min(-math.floor(math.log10(abs(finest))), places + 1))
    texts = [f"{number:.{min(max(0, places), 7)}f}" for number in numbers]
    return [text if text.strip("-0.") else text.removeprefix("-") for text in texts]


def signed(number: float) -> str:
    """A number with its sign and two digits; zero without a sign.

    >>> signed(0.0731), signed(-0.0064), signed(0.0)
    ('+0.073', '-0.0064', '0')
    """
    return signed_numbers(number)[0]


def signed_numbers(*numbers: float) -> list[str]:
    """Numbers with their signs and equally many decimals; zero without a sign.

    >>> signed_numbers(0.0731, -0.0064, 0.0)
    ['+0.073', '-0.006', '0.000']
    """
    texts = shown_numbers(*numbers)
    return [
        f"+{text}" if number > 0 and text.strip("0.") else text for number, text in zip(numbers, texts, strict=True)
    ]


def percent(share: float) -> str:
    """A share in whole per cent; what is neither none nor all is never shown as such.

    >>> percent(0.003), percent(0.997), percent(1.0)
    ('below 1 %', 'above 99 %', '100 %')
    """
    if 0.0 < share < 0.005:
        return "below 1 %"
    return "above 99 %" if 0.995 <= share < 1.0 else f"{100 * share:.0f} %"


def joined(parts: Sequence[str]) -> str:
    """Parts with commas and an "and" before the last; "" where there are none.

    >>> joined(["fear", "trust", "harm"]), joined(["fear"]), joined([])
    ('fear, trust and harm', 'fear', '')
    """
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)

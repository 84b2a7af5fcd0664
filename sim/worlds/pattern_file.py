"""A file of published findings: how it is written, read, and what can be wrong with it.

A file of patterns has a section ``[survey]``, the setting of the virtual survey (without it, that of the shipped
file), and a table ``[[pattern]]`` for each finding with ``id``, ``kind``, ``value``, ``sd`` and, as its kind needs:

==============  ====================================================================================================
correlation     ``x``, ``y``: two of `VARIABLES`, over the posts of the survey
level           ``outcome``: its national mean in the survey; ``transform``: one of `TRANSFORMS`
bunching        nothing: how many posts of the survey report just enough, less those that honestly would
contrast        ``outcome``, ``before``, ``after``: what changing from one policy to the other does to a nation
share           ``outcome``, ``before``, ``after``: the share of posts in which it is lower under the second policy
path            ``outcome``, ``lever``, ``value_off``, ``value_on``, ``on``, ``off``, ``months``, ``values``: how an
                outcome moves while a lever is at another value from month `on` until month `off`; no ``value``
==============  ====================================================================================================

A policy is the name of a regime or a table of levers; ``confidence`` (`CONFIDENCES`) and ``source`` may be left out.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

from sim.errors import InputError, first, named, nearest, place, shown
from sim.model.outcomes import OUTCOMES, POST_COLUMNS
from sim.model.parameters import DECLARATIONS, LEVERS, REGIMES, SPREADS
from sim.study import file as toml
from sim.worlds.evidence import CONFIDENCES, TRANSFORMS, VARIABLES, Evidence, Pattern

SHIPPED = Path(__file__).with_name("patterns.toml")
MOST_MONTHS = 1200
_TOLD = 3
_LARGEST = 1e100  # beyond it, or below its inverse, squares are no longer finite or above 0
SURVEY = ("monitoring", "targets", "relationship", *SPREADS, "months", "window")
"""What ``[survey]`` must set; it may set other levers as well."""


def load(path: str | Path | None = None) -> Evidence:
    """The patterns of a file; by default those that come with the package.

    Raises `InputError` with a line for each mistake in the file.

    >>> load().patterns[0].id
    'monitoring-stress'
    """
    path = SHIPPED if path is None else Path(path)
    table = toml.read(path)
    survey = table["survey"] if "survey" in table else toml.read(SHIPPED)["survey"]
    patterns = table.get("pattern")
    lines = first(chain(_unknown(table, ("survey", "pattern")), _survey_mistakes(survey), _list_mistakes(patterns)))
    if lines:
        raise InputError(f"{place(path)}: {line}" for line in lines)
    return Evidence(survey, tuple(_pattern(table) for table in patterns or ()))


def _pattern(table: Mapping[str, Any]) -> Pattern:
    """A pattern from a table without mistakes."""
    value, sd = _figures(table)
    own = {name: table[name] for name in KINDS[table["kind"]] if name in table}
    return Pattern(
        id=table["id"],
        kind=table["kind"],
        value=value,
        sd=sd,
        confidence=table.get("confidence", ""),
        source=table.get("source", ""),
        outcomes=_outcomes(table),
        needs=own | {name: _levers(own[name]) for name in _POLICIES if name in own},
    )


def _figures(table: Mapping[str, Any]) -> tuple[Any, Any]:
    """Value and tolerance, for a path one for each month."""
    if table["kind"] != "path":
        return float(table["value"]), float(table["sd"])
    values, sd = tuple(map(float, table["values"])), table["sd"]
    return values, tuple(map(float, sd)) if isinstance(sd, list) else (float(sd),) * len(values)


def _levers(policy: str | Mapping[str, float]) -> Mapping[str, float]:
    return REGIMES[policy].levers if isinstance(policy, str) else policy


def _outcomes(table: Mapping[str, Any]) -> tuple[str, ...]:
    if table["kind"] == "correlation":
        columns = (column for name in (table["x"], table["y"]) for column in VARIABLES[name].columns)
        return tuple(dict.fromkeys(columns))
    return ("reported", "honest_indicator") if table["kind"] == "bunching" else (table["outcome"],)


def _unknown(table: Mapping[str, Any], known: Iterable[str]) -> Iterator[str]:
    known = tuple(known)
    for name in table:
        if name not in known:
            yield f"{named(name)}: no such key{nearest(name, known) or '; there are ' + ', '.join(known)}"


def _survey_mistakes(survey: Any) -> Iterator[str]:
    if not isinstance(survey, Mapping):
        yield f"survey = {shown(survey)}: must be a section [survey]"
        return
    known = (*LEVERS, *SPREADS, "months", "window")
    yield from (f"survey.{line}" for line in _unknown(survey, known))
    yield from (f"survey.{name}: missing" for name in SURVEY if name not in survey)
    for name in known:
        wrong = _not_a_month(survey.get(name)) if name in ("months", "window") else _not_for(name, survey.get(name))
        if name in survey and wrong:
            yield f"survey.{name} = {shown(survey[name])}: {wrong}"
    months: Any = survey.get("months")
    window: Any = survey.get("window")
    if not _not_a_month(months) and not _not_a_month(window) and window > months:
        yield f"survey.window = {window}: must be at most survey.months = {months}"


def _list_mistakes(patterns: Any) -> Iterator[str]:
    if not isinstance(patterns, list) or not patterns:
        yield "pattern: there must be a table [[pattern]] for each finding, at least one"
        return
    ids = [table.get("id") if isinstance(table, Mapping) else None for table in patterns]
    for number, table in enumerate(patterns, start=1):
        here = f'pattern "{ids[number - 1]}"' if not _not_an_id(ids[number - 1]) else f"pattern {number}"
        wrong = _mistakes(table) if isinstance(table, Mapping) else (f"{shown(table)} is not a table",)
        yield from (f"{here}: {line}" for line in wrong)
    times = Counter(name for name in ids if isinstance(name, str))
    yield from (
        f'pattern "{name}": id: is given {n} times; each may be given once' for name, n in times.items() if n > 1
    )


def _mistakes(table: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with one pattern."""
    kind = table.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        every = nearest(kind, KINDS) or "; there are " + ", ".join(KINDS)
        yield f"kind: missing{every}" if kind is None else f"kind = {shown(kind)}: no such kind{every}"
        return
    checks = _COMMON | (_A_NUMBER_A_MONTH if kind == "path" else _ONE_NUMBER) | KINDS[kind]
    yield from _unknown(table, checks)
    for name, check in checks.items():
        if name not in table and name not in _OPTIONAL:
            yield f"{name}: missing"
        elif name in table and (wrong := check(table[name])):
            yield f"{name} = {shown(table[name])}: {wrong}"
    yield from _contradictions(table)


def _contradictions(table: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong between the keys of a pattern, each right by itself."""
    kind = table["kind"]
    value: Any = table.get("value")
    low, high = _BOUNDS.get(kind, (-math.inf, math.inf))
    if not _not_a_number(value) and not low <= value <= high:
        yield f"value = {shown(value)}: a {kind} is from {low:g} to {high:g}"
    if kind == "correlation" and "x" in table and table["x"] == table.get("y"):
        yield f"y = {shown(table['y'])}: is x as well; a variable says nothing about itself"
    if kind == "path":
        yield from _path_contradictions(table)


def _path_contradictions(table: Mapping[str, Any]) -> Iterator[str]:
    on: Any = table.get("on")
    off: Any = table.get("off")
    lever = table.get("lever")
    if not _not_a_month(on) and not _not_a_month(off) and not on < off:
        yield f"off = {off}: must come after on = {on}"
    for name in ("value_off", "value_on"):
        if isinstance(lever, str) and lever in LEVERS and name in table and (wrong := _not_for(lever, table[name])):
            yield f"{name} = {shown(table[name])}: {wrong}"
    for name in ("values", "sd"):
        listed, months = table.get(name), table.get("months")
        if isinstance(listed, list) and isinstance(months, list) and len(listed) != len(months):
            yield f"{name}: has {len(listed)} numbers for {len(months)} months; there must be one for each"


# Each check says in words what a value must be, and nothing where it is right.


def _not_a_number(value: Any) -> str:
    right = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST
    return "" if right else "must be a finite number"


def _not_a_spread(value: Any) -> str:
    return "must be a finite number above 0" if _not_a_number(value) or value < 1.0 / _LARGEST else ""


def _not_a_month(value: Any) -> str:
    right = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_MONTHS
    return "" if right else f"must be a whole number from 1 to {MOST_MONTHS}"


def _not_months(value: Any) -> str:
    right = isinstance(value, list) and value and not any(map(_not_a_month, value))
    right = right and all(earlier < later for earlier, later in pairwise(value))
    return "" if right else f"must be a list of months from 1 to {MOST_MONTHS}, each later than the one before"


def _not_numbers(value: Any) -> str:
    right = isinstance(value, list) and value and not any(map(_not_a_number, value))
    return "" if right else "must be a list of finite numbers, one for each month"


def _not_spreads(value: Any) -> str:
    wrong = any(map(_not_a_spread, value)) or not value if isinstance(value, list) else _not_a_spread(value)
    return "must be a finite number above 0, or a list of them, one for each month" if wrong else ""


def _not_text(value: Any) -> str:
    return "" if isinstance(value, str) else "must be text"


def _not_an_id(value: Any) -> str:
    right = isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}", value)
    return "" if right else "must be a short name of letters, digits, - and _"


def _not_one_of(choices: Iterable[str], what: str) -> Callable[[Any], str]:
    choices = tuple(choices)

    def check(value: Any) -> str:
        if isinstance(value, str) and value in choices:
            return ""
        return f"no such {what}{nearest(value, choices) or '; there are ' + ', '.join(choices)}"

    return check


def _not_for(lever: str, value: Any) -> str:
    declared = DECLARATIONS.get(lever)
    return "" if declared is None or declared.allows(value) else f"must be {declared.allowed}"


def _not_a_policy(value: Any) -> str:
    if not isinstance(value, Mapping):
        return (
            _not_one_of(REGIMES, "regime")(value) if isinstance(value, str) else "must be a regime or a table of levers"
        )
    wrong = [f"{named(name)}: {_not_one_of(LEVERS, 'lever')(name)}" for name in value if name not in LEVERS]
    wrong += [
        f"{name} = {shown(v)} {why}" for name, v in value.items() if name in LEVERS and (why := _not_for(name, v))
    ]
    more = [f"and {len(wrong) - _TOLD} more"] if len(wrong) > _TOLD else []
    return "; ".join([*wrong[:_TOLD], *more])


_BOUNDS = {"correlation": (-1.0, 1.0), "share": (0.0, 1.0), "bunching": (-1.0, 1.0)}
_COMMON = {
    "id": _not_an_id,
    "kind": _not_text,
    "confidence": _not_one_of(CONFIDENCES, "confidence"),
    "source": _not_text,
}
_ONE_NUMBER = {"value": _not_a_number, "sd": _not_a_spread}
_A_NUMBER_A_MONTH = {"values": _not_numbers, "sd": _not_spreads}
_OPTIONAL = ("confidence", "source", "transform")
_POLICIES = {"before": _not_a_policy, "after": _not_a_policy}
_NATIONAL = {"outcome": _not_one_of(OUTCOMES, "outcome")}

KINDS: dict[str, dict[str, Callable[[Any], str]]] = {
    "correlation": {"x": _not_one_of(VARIABLES, "variable"), "y": _not_one_of(VARIABLES, "variable")},
    "level": _NATIONAL | {"transform": _not_one_of(TRANSFORMS, "transform")},
    "bunching": {},
    "contrast": _NATIONAL | _POLICIES,
    "share": {"outcome": _not_one_of(POST_COLUMNS, "column of posts")} | _POLICIES,
    "path": _NATIONAL
    | {
        "lever": _not_one_of(LEVERS, "lever"),
        "value_off": _not_a_number,
        "value_on": _not_a_number,
        "on": _not_a_month,
        "off": _not_a_month,
        "months": _not_months,
    },
}
"""What each kind of pattern needs of its own, with the check of each key."""

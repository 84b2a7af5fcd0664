"""Designs: from the section that says what varies to a table of cells.

A design is a function from its section, without ``kind``, to a list of `Settings`, one for each cell, that raises
`InputError` with a line for each mistake. Another kind of design is another function in `DESIGNS`. Whether the
settings themselves are allowed is not its business: every cell is resolved afterwards, before anything runs.

``grid`` and ``list`` are here; what ``lhs``, ``sobol`` and ``morris`` can vary, and how it is written, is in
`sim.study.factors`. In any design a setting such as ``"monitoring@36"`` is the value of a lever from a month on.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from itertools import product
from typing import Any

from sim.errors import InputError, first, named, nearest, shown
from sim.model.parameters import DECLARATIONS
from sim.study import factors
from sim.study.sampled import Sampled, sample

Settings = dict[str, Any]
"""What one cell sets: parameters, levers and sizes, and perhaps `CHOICES` and scheduled levers."""

CHOICES = ("regime", "mechanisms_off", "schedule")
"""What a cell may set beside numbers."""

MOST_CELLS = 1_000_000


def cells(section: dict[str, Any]) -> list[Settings]:
    """The cells of a design section; one cell that sets nothing where the section is empty."""
    if not section:
        return [{}]
    kind = section.get("kind")
    if isinstance(kind, str) and kind in DESIGNS:
        return DESIGNS[kind]({name: value for name, value in section.items() if name != "kind"})
    if kind is None:
        raise InputError([f"design.kind: missing; must be {_known()}"])
    raise InputError([f"design.kind = {shown(kind)}: must be {_known()}{nearest(kind, DESIGNS)}"])


def varied(section: dict[str, Any]) -> list[str]:
    """The names that a design varies, in the order in which they are first written; none where its kind is unknown."""
    kind = section.get("kind")
    if not isinstance(kind, str) or kind not in DESIGNS:
        return []
    if is_sampled(section):
        return factors.varied(section)
    listed = section.get("cell")
    tables = listed if isinstance(listed, list) else [section]
    return list(dict.fromkeys(name for table in tables if isinstance(table, dict) for name in table if name != "kind"))


def grid(section: dict[str, Any]) -> list[Settings]:
    """Every combination of the factors' values; the factor written last varies fastest."""
    mistakes = first(line for name, values in section.items() for line in _factor_mistakes(name, values))
    if mistakes:
        raise InputError(mistakes)
    if (size := math.prod(map(len, section.values()))) > MOST_CELLS:
        raise InputError([f"design: {shown(size)} cells; at most {MOST_CELLS} are allowed"])
    return [dict(zip(section, values, strict=True)) for values in product(*section.values())]


def listed(section: dict[str, Any]) -> list[Settings]:
    """The cells as they are written, one table ``[[design.cell]]`` each."""
    mistakes = first(
        f"design.{named(name)} = {shown(value)}: a list design has only cells, written as [[design.cell]] tables"
        for name, value in section.items()
        if name != "cell"
    )
    tables = section.get("cell")
    if not isinstance(tables, list) or not tables:
        wrong = "missing" if tables is None else f"{shown(tables)} is not a list of cells"
        raise InputError([*mistakes, f"design.cell: {wrong}; write a [[design.cell]] table for each cell"])
    for number, table in enumerate(tables, 1):
        if not isinstance(table, dict):
            mistakes.append(f"design.cell: cell {number} is {shown(table)}; must be a [[design.cell]] table")
    if mistakes:
        raise InputError(first(mistakes))
    return [dict(table) for table in tables]


def sampled(section: dict[str, Any]) -> Sampled:
    """A design of the kinds lhs, sobol or morris as it is drawn, for what must know more of it than its cells."""
    return sample(section, MOST_CELLS)


DESIGNS: dict[str, Callable[[dict[str, Any]], list[Settings]]] = {
    "grid": grid,
    "list": listed,
    "lhs": lambda section: sampled({"kind": "lhs", **section}).settings,
    "sobol": lambda section: sampled({"kind": "sobol", **section}).settings,
    "morris": lambda section: sampled({"kind": "morris", **section}).settings,
}


def is_sampled(section: dict[str, Any]) -> bool:
    """Whether the design is of the kinds lhs, sobol or morris."""
    return section.get("kind") in factors.SAMPLED


def put_into_schedule(own: Settings, schedule: dict[str, Any]) -> Settings:
    """What a cell sets, with its scheduled levers put into its schedule, or into a copy of the one of all cells.

    >>> put_into_schedule({"gain": 1.0, "monitoring@36": 0.9}, {"targets": {"12": 0.1}})
    {'gain': 1.0, 'schedule': {'targets': {'12': 0.1}, 'monitoring': {'36': 0.9}}}
    """
    months = {name: found for name in own if (found := factors.scheduled(name))}
    merged = own.get("schedule", schedule)
    if not months or not isinstance(merged, dict):
        return own
    merged = dict(merged)
    for name, (lever, month) in months.items():
        plan = merged.get(lever, {})
        merged[lever] = {**plan, str(month): own[name]} if isinstance(plan, dict) else plan
    return {**{name: value for name, value in own.items() if name not in months}, "schedule": merged}


def _known() -> str:
    *others, last = (f'"{kind}"' for kind in DESIGNS)
    return f"{', '.join(others)} or {last}"


def _factor_mistakes(name: str, values: object) -> list[str]:
    here = f"design.{named(name)} = {shown(values)}"
    if name not in DECLARATIONS and name not in CHOICES and not factors.scheduled(name):
        hint = nearest(name, [*DECLARATIONS, *CHOICES])
        return [f"{here}: no parameter, lever or size has this name{hint}"]
    if not isinstance(values, list) or not values:
        return [f"{here}: must be a list of at least one value, such as [0.1, 0.5]"]
    times = Counter(map(_key, values))
    return [f"{here}: {shown(value)} is given {count} times" for value, count in times.items() if count > 1]


def _key(value: object) -> object:
    """What tells values apart: 1 is 1.0, but neither is true."""
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else repr(value)

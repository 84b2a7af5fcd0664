"""Levers that change during a run: what is written is checked and put into order."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from sim.errors import MOST_LINES, InputError, first, named, nearest, shown
from sim.model.declaration import LARGEST_SIZE, Declaration, plain

Schedule = dict[str, dict[int, float]]


def checked(
    written: object, months: int | None, levers: Collection[str], declarations: Mapping[str, Declaration]
) -> Schedule:
    """The schedule with months as sorted numbers, without levers that never change.

    Months may be written as text, as they are in TOML. `months` is the length of the run, None where that is
    itself mistaken. Raises `InputError` with a line for each mistake.
    """
    if not isinstance(written, Mapping):
        raise InputError([f"schedule = {shown(written)}: must be a table of levers, each with values by month"])
    mistakes: list[str] = []
    schedule: Schedule = {}
    for lever, plan in written.items():
        if len(mistakes) > MOST_LINES:
            break
        if lever not in levers:
            mistakes.append(_no_lever(lever, levers, declarations))
        elif not isinstance(plan, Mapping):
            mistakes.append(f"schedule.{lever} = {shown(plan)}: must be a table such as {{ 36 = 0.9 }}")
        else:
            values, wrong = _plan(declarations[lever], plan, months or LARGEST_SIZE)
            schedule[lever] = values
            mistakes += wrong
    if mistakes:
        raise InputError(first(mistakes))
    return {lever: dict(sorted(values.items())) for lever, values in schedule.items() if values}


def _no_lever(name: object, levers: Collection[str], declarations: Mapping[str, Declaration]) -> str:
    hint = nearest(name, levers) or "; the levers are " + ", ".join(levers)
    known = declarations.get(name) if isinstance(name, str) else None
    if known is None:
        return f"schedule.{named(name)}: no lever has this name{hint}"
    what = "fixed for a run" if known.kind == "lever" else f"a {known.kind}"
    return f"schedule.{name}: only levers can follow a schedule, and {name} is {what}{hint}"


def _plan(lever: Declaration, plan: Mapping[Any, Any], last: int) -> tuple[dict[int, float], list[str]]:
    """The values of one lever by month, and what is wrong with it."""
    values: dict[int, float] = {}
    wrong: list[str] = []
    for written, given in plan.items():
        here = f"schedule.{lever.name}.{named(written)} = {shown(given)}"
        month, value = _month(written), plain(given)
        if month is None or not 1 <= month <= last:
            wrong.append(f"{here}: the month must be a whole number from 1 to {last}, the last month of the run")
        elif month in values:
            wrong.append(f"{here}: month {month} is given twice")
        if not lever.allows(value):
            wrong.append(f"{here}: the value must be {lever.allowed}")
        elif month is not None:
            values[month] = float(value)
    return values, wrong


def _month(written: object) -> int | None:
    if isinstance(written, str) and re.fullmatch(r"[0-9]{1,9}", written):
        return int(written)
    number = plain(written)
    return number if isinstance(number, int) and not isinstance(number, bool) else None

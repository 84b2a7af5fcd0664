"""Declarations of parameters, levers and sizes: what is known about a value, and whether one may be used.

Meaning and source are not among the arguments: they are the docstring that follows the attribute.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral, Real
from typing import Any, Literal, TypeGuard

from pydantic import Field
from pydantic.fields import FieldInfo

from sim.errors import Mistake, Mistakes, closest

Schedule = dict[str, dict[int, float]]
"""For each scheduled lever its values by the month from which they hold."""
Kind = Literal["parameter", "lever", "size"]

ASSUMPTION = "assumption"
LARGEST_SIZE = 10**9


def plain(value: object) -> object:
    """A number of any library as Python's own; anything else, true and false included, as it is."""
    if isinstance(value, bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real) else value


@dataclass(frozen=True)
class Declaration:
    """Everything known about a value that a run needs.

    `low` and `high` are the plausible range that ensembles draw from (None: it is not drawn), `null` is the
    value that switches the mechanism behind a parameter off (None: there is no such value), `minimum` and
    `maximum` are what the software accepts at all; an exclusive bound is itself refused.
    """

    name: str
    kind: Kind
    group: str
    default: float
    unit: str
    meaning: str
    source: str
    low: float | None = None
    high: float | None = None
    null: float | None = None
    minimum: float = 0.0
    maximum: float = 1.0
    exclusive_minimum: bool = False
    exclusive_maximum: bool = False

    @property
    def integer(self) -> bool:
        """Whether only whole numbers are allowed."""
        return self.kind == "size"

    @property
    def allowed(self) -> str:
        """What may be given, in words: "a number from 0 to 1"."""
        number = "a whole number" if self.integer else "a number"
        lowest, highest = (f"{bound:,.10g}".replace(",", " ") for bound in (self.minimum, self.maximum))
        if not (self.exclusive_minimum or self.exclusive_maximum):
            return f"{number} from {lowest} to {highest}"
        lower = f"above {lowest}" if self.exclusive_minimum else f"of at least {lowest}"
        upper = f"below {highest}" if self.exclusive_maximum else f"at most {highest}"
        return f"{number} {lower} and {upper}"

    def allows(self, value: object) -> TypeGuard[float]:
        """Whether a value may be used: a finite number (a whole one for sizes) within the bounds."""
        if isinstance(value, bool) or not isinstance(value, int if self.integer else (int, float)):
            return False
        if not self.minimum <= value <= self.maximum:
            return False
        on_open_minimum = self.exclusive_minimum and value == self.minimum
        on_open_maximum = self.exclusive_maximum and value == self.maximum
        return not (on_open_minimum or on_open_maximum)

    def refused(self, value: object, *where: str) -> Mistake:
        """The mistake of a value that is not allowed; it says how per cent and decimal commas are written."""
        number = re.fullmatch(r"(-?\d{1,9})[.,]?(\d{0,9})\s*(%?)", value.strip()) if isinstance(value, str) else None
        hint = ""
        if number and (number[3] or (not self.integer and "," in number[0])):
            meant = float(f"{number[1]}.{number[2] or 0}") / (100 if number[3] else 1)
            hint = f"{number[0]} is written {meant:.9g}"
        elif self.maximum == 1.0 and isinstance(value, (int, float)) and 2 < value <= 100:
            hint = f"{value:g} % is written {value / 100:g}"
        return Mistake(where or (self.name,), value, f"must be {self.allowed}", allowed=hint)

    @classmethod
    def of(cls, name: str, field: FieldInfo) -> Declaration:
        """Read back what `declare` wrote into a field, and the docstring below it."""
        facts: Any = field.json_schema_extra
        meaning, _, source = " ".join((field.description or "").split()).partition(" Source: ")
        return cls(name, default=field.default, meaning=meaning, source=source or ASSUMPTION, **facts)


def declare(default: float, *, bounds: tuple[float, float] = (0.0, 1.0), **facts: Any) -> Any:
    """A field of the table of parameters; `Any`, so that the annotation of the attribute rules.

    `facts` are those of `Declaration`: always a unit, for a parameter also `group`, `low` and `high`.
    """
    return Field(default, json_schema_extra={"minimum": bounds[0], "maximum": bounds[1], **facts})


parameter = partial(declare, kind="parameter")
"""Declare a parameter of the model."""
lever = partial(declare, kind="lever", group="levers", unit="share")
"""Declare a lever of policy; ensembles draw only the few that have a plausible range."""
size = partial(declare, kind="size", group="size", bounds=(1, LARGEST_SIZE))
"""Declare a size of the run: a whole number, at least 1."""


def checked(
    written: object, months: int | None, levers: Collection[str], declarations: Mapping[str, Declaration]
) -> Schedule:
    """A schedule with months as sorted numbers, without levers that never change.

    Months may be written as text, as they are in TOML. `months` is the length of the run, None where that is
    itself mistaken. Raises `InputError` with a line for each mistake.
    """
    found, schedule = Mistakes(), {}
    if not isinstance(written, Mapping):
        found.append(Mistake(("schedule",), written, "must be a table of levers, each with values by month"))
        written = {}
    for lever, plan in written.items():
        if found.full:
            break
        if lever not in levers:
            known, near = declarations.get(str(lever)), closest(lever, levers)
            what = "fixed for a run" if known and known.kind == "lever" else f"a {known.kind}" if known else ""
            why = f"only levers can follow a schedule, and {lever} is {what}" if what else "no lever has this name"
            found.append(
                Mistake(("schedule", lever), ..., why, near, "" if near else f"the levers are {', '.join(levers)}")
            )
        elif not isinstance(plan, Mapping):
            found.append(Mistake(("schedule", lever), plan, "must be a table such as { 36 = 0.9 }"))
        else:
            values = _by_month(declarations[lever], plan, months or LARGEST_SIZE, found)
            schedule[lever] = dict(sorted(values.items()))
    found.tell()
    return {lever: values for lever, values in schedule.items() if values}


def _by_month(lever: Declaration, plan: Mapping[Any, Any], last: int, found: Mistakes) -> dict[int, float]:
    """The values of one lever by month; what is wrong with them is added to `found`."""
    values: dict[int, float] = {}
    for written, given in plan.items():
        where, value = ("schedule", lever.name, written), plain(given)
        in_digits = isinstance(written, str) and re.fullmatch(r"[0-9]{1,9}", written)
        month = int(written) if in_digits else plain(written)
        if type(month) is not int or not 1 <= month <= last:
            why = f"the month must be a whole number from 1 to {last}, the last month of the run"
            found.append(Mistake(where, given, why))
        elif month in values:
            found.append(Mistake(where, given, f"month {month} is given twice"))
        if not lever.allows(value):
            refused = lever.refused(given, *where)
            found.append(replace(refused, why=f"the value {refused.why}"))
        elif type(month) is int:
            values[month] = float(value)
    return values

"""Factors of sampled designs: what varies, over which values, and which sampled number drives it.

Beside ``kind``, ``samples``, ``seed`` and, for morris, ``levels``, every key of the section is a factor::

    monitoring = [0.2, 0.8]                  # bounds
    trust_invest = "range"                   # its plausible range: sim parameters trust_invest
    systems = [1, 6]                         # a size: both ends included, each whole number equally likely
    relationship = { choices = [0.2, 0.8] }  # one of these values
    regime = ["light", "heavy"]              # one of these names
    "monitoring@36" = [0.2, 0.9]             # a scheduled lever: its value from month 36 on

or one of these::

    groups = ["fear", "gaming"]              # every parameter of a group or a mechanism, over its plausible range
    mechanisms = ["gaming", "audit"]         # each on or off
    mechanisms_off = 0.15                    # the chance of being off; of all mechanisms where `mechanisms` is absent

    [[design.together]]                      # one number drives several factors; [0.8, 0.2] runs the other way
    name = "surveillance"
    monitoring = [0.2, 0.8]
    targets = [0.2, 0.8]

"careers" names both a group and a mechanism; the group is meant. Parameters whose range is a single value do not vary
with their group, nor does what the section varies by itself.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim import files
from sim.errors import InputError, Mistake, Mistakes, misnamed, repeated, shown
from sim.model.declaration import Declaration
from sim.model.outcomes import OUTCOMES
from sim.model.parameters import LEVERS, MECHANISMS, PARAMETERS, REGIMES, unknown

SAMPLED = ("lhs", "sobol", "morris")
SETTINGS = ("kind", "samples", "seed", "levels")
"""Keys of a sampled design that vary nothing."""
BUNDLES = ("groups", "together", "mechanisms", "mechanisms_off")
"""Keys of a sampled design that vary several things at once."""
GROUPS = {name: mechanism.parameters for name, mechanism in MECHANISMS.items()} | {
    group: tuple(d.name for d in PARAMETERS.values() if d.group == group)
    for group in dict.fromkeys(d.group for d in PARAMETERS.values())
}
"""The parameters of each group of them, and of each mechanism."""
_EVERY_GROUP = ", ".join(name for name in GROUPS if name not in MECHANISMS) + ", and each mechanism"
TAKEN = {*PARAMETERS, *OUTCOMES, "regime", "mechanisms_off", "schedule", "local", "seed", "cell", "name", "error"}
"""What the numbers of a [[design.together]] table cannot be called: results have columns of these names."""
MOST_LETTERS = 100
NO_NAME = f"must be a text on one line, of at most {MOST_LETTERS} characters"
"""What is told of a value that is not `is_name`."""

_SCHEDULED = re.compile(r"(\w+)@([1-9]\d{0,8})")
_EVEN = 0.5


@dataclass(frozen=True)
class Factor:
    """A factor: a setting and its values, `choices` or else all from `low` to `high`, both included.

    `low` may be above `high`: then the setting falls where its driver rises.
    """

    name: str
    low: float = 0.0
    high: float = 1.0
    integer: bool = False
    choices: tuple[Any, ...] = ()

    @property
    def levels(self) -> int | None:
        """How many values it can take; None where these are countless."""
        if self.choices:
            return len(self.choices)
        return int(abs(self.high - self.low)) + 1 if self.integer else None

    def at(self, u: float) -> Any:
        """The value at `u` from 0 to 1, which gives each of several values an equal share."""
        if not self.choices and not self.integer:
            inside = self.low * (1.0 - u) + self.high * u  # rounding must not take it outside
            return min(max(inside, min(self.low, self.high)), max(self.low, self.high))
        levels = self.levels or 1
        k = min(int(u * levels), levels - 1)
        return self.choices[k] if self.choices else int(self.low) + (k if self.low < self.high else -k)


@dataclass(frozen=True)
class Driver:
    """One sampled number from 0 to 1 and what it drives: factors, or a mechanism that is off below `off`."""

    name: str
    factors: tuple[Factor, ...] = ()
    mechanism: str = ""
    off: float = _EVEN

    @property
    def sets(self) -> str:
        """What it sets, in words."""
        return ", ".join(factor.name for factor in self.factors) or "mechanisms_off"

    @property
    def categories(self) -> int:
        """The number of values where these have no order, else 0. Two values can always be put in order."""
        only = self.factors[0] if len(self.factors) == 1 else None
        return len(only.choices) if only and only.name == "regime" and len(only.choices) > 2 else 0

    def scores(self, u: NDArray[np.float64]) -> NDArray[np.float64]:
        """Numbers in the order of what is set: as `u`, shape (n,), but equal where the settings are."""
        if self.mechanism:
            return (u >= self.off).astype(np.float64)
        levels = {factor.levels for factor in self.factors}
        if len(levels) > 1 or None in levels:
            return u
        (k,) = levels
        return np.minimum(np.floor(u * float(k or 1)), float(k or 1) - 1.0)


def scheduled(name: str) -> tuple[str, int] | None:
    """Lever and month of a name such as ``monitoring@36``."""
    found = _SCHEDULED.fullmatch(name)
    return (found[1], int(found[2])) if found and found[1] in LEVERS else None


def declared(name: str) -> Declaration | None:
    """The declaration of a parameter, lever or size, or of the lever of a scheduled one."""
    lever = scheduled(name)
    return PARAMETERS.get(lever[0] if lever else name)


def is_name(value: object) -> bool:
    """Whether a value is a text that can name a cell or a factor."""
    return isinstance(value, str) and value.isprintable() and len(value) <= MOST_LETTERS


def varied(section: dict[str, Any]) -> list[str]:
    """The settings that a design varies, in the order in which they are first written; groups must be spelled out."""
    if section.get("kind") == "worlds":
        return ["world", "calibration", "weight", "policy"]
    names: list[str] = []
    for name, value in section.items():
        if name in ("cell", "together"):
            tables = [table for table in value if isinstance(table, dict)] if isinstance(value, list) else []
            names += [each for table in tables for each in table if (name, each) != ("together", "name")]
        elif name not in (*SETTINGS, "groups"):
            names.append("mechanisms_off" if name == "mechanisms" else name)
    return list(dict.fromkeys(names))


def resolved(section: dict[str, Any]) -> dict[str, Any]:
    """The section of a sampled design with defaults, ranges and groups spelled out; what is mistaken stays as it is."""
    if section.get("kind") not in SAMPLED:
        return section
    defaults = {"seed": 0, "levels": 4} if section["kind"] == "morris" else {"seed": 0}
    table: dict[str, Any] = {"kind": section["kind"]}
    for name, value in (defaults | section).items():
        if name == "groups" and not any(_group_mistakes(value)):
            members = dict.fromkeys(member for group in value for member in GROUPS[group])
            own = varied(section)
            table |= {member: _range(member) for member in members if _range(member) and member not in own}
        elif name == "together" and isinstance(value, list):
            table[name] = [_with_ranges(each) if isinstance(each, dict) else each for each in value]
        else:
            table |= _with_ranges({name: value})
    # tables come last in TOML, so drivers keep their order when a resolved study is written and read again
    return dict(sorted(table.items(), key=lambda item: 2 if item[0] == "together" else isinstance(item[1], dict)))


def _with_ranges(table: dict[str, Any]) -> dict[str, Any]:
    return {name: (_range(name) or value) if value == "range" else value for name, value in table.items()}


def _range(name: str) -> list[float]:
    """The plausible range of a parameter, or of the lever of a scheduled one; nothing where it has none."""
    d = declared(name)
    return [d.low, d.high] if d and d.low is not None and d.high is not None and d.low < d.high else []


def drivers(section: dict[str, Any]) -> list[Driver]:
    """What drives the factors of a sampled design that is `resolved`; raises `InputError` with a line for each mistake.

    The same setting may not be varied twice, nor may two drivers have one name.
    """
    found: list[Driver] = []
    wrong = Mistakes()
    for name, value in section.items():
        if wrong.full:
            break
        with wrong:
            if name == "groups":
                raise InputError(_group_mistakes(value))  # the others are resolved
            if name == "together":
                found += _together(value)
            elif name not in (*SETTINGS, *BUNDLES):
                found.append(Driver(name, (factor(value, "design", name),)))
    with wrong:
        found += _mechanisms(section)
    here, only = ("design", "together"), "leave out all but one"
    times = Counter(each.name for driver in found for each in driver.factors)
    wrong.take(Mistake((*here, n), ..., f"{n} is varied {k} times", "", only) for n, k in times.items() if k > 1)
    wrong.take(Mistake((*here, "name"), n, why) for n, why in repeated(driver.name for driver in found) if why)
    if not found and not wrong:
        why = "varies nothing; name at least one factor, such as monitoring = [0.2, 0.8]"
        wrong.append(Mistake(("design",), ..., why))
    wrong.tell()
    return found


def factor(value: Any, *where: str, reverse: bool = False) -> Factor:
    """One factor from the value that is written under the keys `where`; raises `InputError` with a line."""
    name, wrong = where[-1], Mistakes()
    d = declared(name)
    if name == "regime":
        several = isinstance(value, list) and len(value) > 1
        example = '["light", "heavy"]'
        wrong.take(misnamed(where, value, REGIMES, "regime") if several else list_mistakes(where, value, d, 2, example))
    elif d is None:
        wrong.append(Mistake(where, value, *unknown(name, "regime", *BUNDLES, *SETTINGS)))
    elif isinstance(value, dict) and list(value) == ["choices"]:
        wrong.take(list_mistakes(where, value["choices"], d, 2, "{ choices = [0.2, 0.8] }"))
    else:
        wrong.take(_bound_mistakes(value, where, d, reverse))
    wrong.tell()
    given: Any = value["choices"] if isinstance(value, dict) else value
    if d is None or isinstance(value, dict):
        return Factor(name, choices=tuple(given))
    low, high = given
    return Factor(name, low, high, d.integer)


def list_mistakes(
    where: tuple[str, ...], values: object, d: Declaration | None, least: int, example: str
) -> Iterator[Mistake]:
    """What is wrong with the values of a factor without bounds: at least one or two, each allowed and given once."""
    if not isinstance(values, list) or len(values) < least:
        number = "one value" if least == 1 else "two values"
        yield Mistake(where, values, f"must be a list of at least {number}, such as {example}")
    elif refused := [d.refused(value) for value in values if not d.allows(value)] if d else []:
        yield Mistake(where, values, f"{shown(refused[0].value)} {refused[0].why}", allowed=refused[0].allowed)
    else:
        yield from (Mistake(where, values, f"{shown(value)} {why}") for value, why in repeated(values) if why)


def _bound_mistakes(value: object, where: tuple[str, ...], d: Declaration, reverse: bool) -> Iterator[Mistake]:
    if value == "range":
        single = f": it is fixed at {d.low:g}" if d.low is not None else ""
        yield Mistake(where, value, f"{where[-1]} has no plausible range{single}; give bounds [low, high]")
    elif not isinstance(value, list) or not value:
        yield Mistake(where, value, 'must be bounds [low, high], "range" or { choices = [...] }')
    elif len(value) != 2:
        yield Mistake(where, value, f"must be two bounds [low, high], or {{ choices = {shown(value)} }}")
    elif refused := [d.refused(each) for each in value if not d.allows(each)]:
        yield Mistake(where, value, f"{shown(refused[0].value)} {refused[0].why}", allowed=refused[0].allowed)
    elif value[0] == value[1]:
        yield Mistake(where, value, f"the bounds are equal; fix {d.name} under [parameters] instead")
    elif value[0] > value[1] and not reverse:
        yield Mistake(where, value, f"the bounds are reversed; write [{value[1]}, {value[0]}]")


def _group_mistakes(value: object) -> Iterator[Mistake]:
    where = ("design", "groups")
    if not isinstance(value, list) or not value:
        yield Mistake(where, value, 'must be a list of groups or mechanisms, such as ["fear", "trust"]')
        return
    for group in value:
        if not isinstance(group, str) or group not in GROUPS:
            yield from misnamed(where, [group], GROUPS, "group or mechanism", _EVERY_GROUP)
        elif not any(map(_range, GROUPS[group])):
            yield Mistake(where, group, "nothing in this group has a plausible range")


def _together(value: object) -> list[Driver]:
    where = ("design", "together")
    example = 'such as { name = "surveillance", monitoring = [0.2, 0.8], targets = [0.2, 0.8] }'
    if not isinstance(value, list) or not value or not all(isinstance(table, dict) for table in value):
        raise InputError([Mistake(where, value, f"must be [[design.together]] tables, {example}")])
    found: list[Driver] = []
    wrong = Mistakes()
    for table in value:
        specs = {name: spec for name, spec in table.items() if name != "name"}
        factors = []
        for name, spec in specs.items():
            if not wrong.full:
                with wrong:
                    factors.append(factor(spec, *where, name, reverse=True))
        title = table.get("name", " + ".join(specs))
        if not is_name(title) or not title.strip():
            wrong.append(Mistake((*where, "name"), title, NO_NAME))
        elif title in TAKEN or title.lstrip()[0] in files.FORMULA:
            why = "means something else in a table, or a spreadsheet would compute it; choose another name"
            wrong.append(Mistake((*where, "name"), title, why))
        elif len(specs) < 2:
            wrong.append(Mistake(where, table, f"needs at least two factors, {example}"))
        found.append(Driver(title, tuple(factors)))
    wrong.tell()
    return found


def _mechanisms(section: dict[str, Any]) -> list[Driver]:
    """A driver for each mechanism that is on or off."""
    if "mechanisms" not in section and "mechanisms_off" not in section:
        return []
    names, off = section.get("mechanisms", list(MECHANISMS)), section.get("mechanisms_off", _EVEN)
    where, wrong = ("design", "mechanisms"), Mistakes()
    if isinstance(names, list) and names:
        wrong.take(misnamed(where, names, MECHANISMS, "mechanism"))
    else:
        wrong.append(Mistake(where, names, 'must be a list of mechanisms, such as ["gaming"]'))
    if section["kind"] == "morris" and "mechanisms_off" in section:
        why = "not in a morris design; name what is to be on or off in mechanisms"
        wrong.append(Mistake(("design", "mechanisms_off"), off, why))
    elif isinstance(off, bool) or not isinstance(off, (int, float)) or not 0.0 < off < 1.0:
        why = "must be a number above 0 and below 1, the chance that a mechanism is off"
        wrong.append(Mistake(("design", "mechanisms_off"), off, why))
    wrong.tell()
    return [Driver(f"mechanism {name}", (), name, float(off)) for name in names]

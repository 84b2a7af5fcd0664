"""What a sampled design varies: the factors of its section, and what drives each of them.

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
from sim.errors import MOST_LINES, InputError, first, named, nearest, shown
from sim.model.declaration import Declaration
from sim.model.outcomes import OUTCOMES
from sim.model.parameters import DECLARATIONS, LEVERS, MECHANISMS, REGIMES

SAMPLED = ("lhs", "sobol", "morris")
SETTINGS = ("kind", "samples", "seed", "levels")
"""Keys of a sampled design that vary nothing."""
BUNDLES = ("groups", "together", "mechanisms", "mechanisms_off")
"""Keys of a sampled design that vary several things at once."""

_SCHEDULED = re.compile(r"(\w+)@([1-9]\d{0,8})")
_EVEN = 0.5
_LONGEST = 100


@dataclass(frozen=True)
class Factor:
    """A setting and the values it can take: `choices`, or else what lies between `low` and `high`, both included.

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
            inside = self.low * (1.0 - u) + self.high * u
            if self.low <= inside <= self.high:
                return inside
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


def resolved(section: dict[str, Any]) -> dict[str, Any]:
    """The section of a sampled design with defaults, ranges and groups spelled out; what is mistaken stays as it is."""
    if section.get("kind") not in SAMPLED:
        return section
    defaults = {"seed": 0, "levels": 4} if section["kind"] == "morris" else {"seed": 0}
    table: dict[str, Any] = {"kind": section["kind"]}
    for name, value in (defaults | section).items():
        if name == "groups" and not _group_mistakes(value):
            for parameter in _members(value, taken={*section, *_in_tables(section)}):
                table[parameter] = _range(parameter)
        elif name == "together" and isinstance(value, list):
            table[name] = [_spelled(driver) if isinstance(driver, dict) else driver for driver in value]
        else:
            table[name] = _range(name) if value == "range" and _range(name) else value
    return dict(sorted(table.items(), key=_place_in_file))


def _place_in_file(item: tuple[str, Any]) -> int:
    """Tables come last in TOML, so drivers keep their order when a resolved study is written and read again."""
    name, value = item
    return 2 if name == "together" else int(isinstance(value, dict))


def _spelled(table: dict[str, Any]) -> dict[str, Any]:
    return {name: _range(name) if value == "range" and _range(name) else value for name, value in table.items()}


def _range(name: str) -> list[float]:
    """The plausible range of a parameter, or of the lever of a scheduled one; nothing where it has none."""
    lever = scheduled(name)
    d = DECLARATIONS.get(lever[0] if lever else name)
    return [d.low, d.high] if d and d.low is not None and d.high is not None and d.low < d.high else []


def _of_bundle(name: str) -> list[str]:
    """The parameters of a group or else of a mechanism."""
    group = [d.name for d in DECLARATIONS.values() if d.group == name]
    return group or list(MECHANISMS[name].parameters if name in MECHANISMS else ())


def _members(groups: list[str], taken: set[str]) -> list[str]:
    """The parameters of these groups and mechanisms that have a range, each once, without those in `taken`."""
    every = [name for group in groups for name in _of_bundle(group)]
    return [name for name in dict.fromkeys(every) if name not in taken and _range(name)]


def _in_tables(section: dict[str, Any]) -> list[str]:
    """The factors that are varied together with others."""
    tables = section.get("together")
    tables = tables if isinstance(tables, list) else []
    return [name for table in tables if isinstance(table, dict) for name in table if name != "name"]


def varied(section: dict[str, Any]) -> list[str]:
    """The settings that a sampled design varies, in the order in which they are written."""
    names: list[str] = []
    for name in resolved(section):
        if name in ("mechanisms", "mechanisms_off"):
            names.append("mechanisms_off")
        elif name == "together":
            names += _in_tables(section)
        elif name not in SETTINGS and name != "groups":
            names.append(name)
    return list(dict.fromkeys(names))


def drivers(section: dict[str, Any]) -> list[Driver]:
    """What drives the factors of a sampled design; raises `InputError` with a line for each mistake."""
    section = resolved(section)
    found: list[Driver] = []
    mistakes: list[str] = []
    for name, value in section.items():
        if len(mistakes) > MOST_LINES:
            break
        try:
            if name == "groups":
                mistakes += _group_mistakes(value)
            elif name == "together":
                found += _together(value)
            elif name not in (*SETTINGS, *BUNDLES):
                found.append(Driver(name, (factor(f"design.{named(name)}", name, value),)))
        except InputError as error:
            mistakes += error.lines
    try:
        found += _mechanisms(section)
    except InputError as error:
        mistakes += error.lines
    mistakes += _given_twice(section, found)
    if not found and not mistakes:
        mistakes.append("design: varies nothing; name at least one factor, such as monitoring = [0.2, 0.8]")
    if mistakes:
        raise InputError(mistakes)
    return found


def _given_twice(section: dict[str, Any], found: list[Driver]) -> Iterator[str]:
    written = [name for name in section if name not in (*SETTINGS, *BUNDLES)]
    for name, times in Counter([*written, *_in_tables(section)]).items():
        if times > 1:
            yield f"design.together.{named(name)}: {named(name)} is varied {times} times; leave out all but one"
    for name, times in Counter(driver.name for driver in found).items():
        if times > 1 and name not in written:
            yield f"design.together.name = {shown(name)}: is given {times} times"


def factor(here: str, name: str, value: object, reverse: bool = False) -> Factor:
    """One factor from what is written of it at `here`; raises `InputError` with one line."""
    here = f"{here} = {shown(value)}"
    if name == "regime":
        return Factor(name, choices=_choices(here, value, '["light", "heavy"]', REGIMES))
    lever = scheduled(name)
    d = DECLARATIONS.get(lever[0] if lever else name)
    if d is None:
        raise InputError([f"{here}: {_unknown(name)}"])
    if isinstance(value, dict) and list(value) == ["choices"]:
        choices = _choices(here, value["choices"], "{ choices = [0.2, 0.8] }")
        if refused := [choice for choice in choices if not d.allows(choice)]:
            raise InputError([f"{here}: {shown(refused[0])} must be {d.allowed}"])
        return Factor(name, choices=choices)
    return Factor(name, *_bounds(here, d, value, reverse), d.integer)


def _unknown(name: str) -> str:
    if name == "schedule":
        return 'cannot be sampled; name lever and month, such as "monitoring@36" = [0.2, 0.9]'
    if "@" in name:
        lever = name.partition("@")[0]
        hint = "" if lever in LEVERS else nearest(lever, LEVERS)
        return f'must name a lever and a month, such as "monitoring@36"{hint}'
    return f"no parameter, lever or size has this name{nearest(name, [*DECLARATIONS, 'regime', *BUNDLES, *SETTINGS])}"


def _bounds(here: str, d: Declaration, value: object, reverse: bool) -> tuple[float, float]:
    if value == "range":
        single = f": it is fixed at {d.low:g}" if d.low is not None else ""
        raise InputError([f"{here}: {d.name} has no plausible range{single}; give bounds [low, high]"])
    if not isinstance(value, list) or not value:
        raise InputError([f'{here}: must be bounds [low, high], "range" or {{ choices = [...] }}'])
    if len(value) != 2:
        raise InputError([f"{here}: must be two bounds [low, high], or {{ choices = {shown(value)} }}"])
    if refused := [bound for bound in value if not d.allows(bound)]:
        raise InputError([f"{here}: {shown(refused[0])} must be {d.allowed}"])
    low, high = value
    if low == high:
        raise InputError([f"{here}: the bounds are equal; fix {d.name} under [parameters] instead"])
    if low > high and not reverse:
        raise InputError([f"{here}: the bounds are reversed; write [{high}, {low}]"])
    return low, high


def _choices(here: str, value: object, example: str, allowed: Any = None) -> tuple[Any, ...]:
    if not isinstance(value, list) or len(value) < 2:
        raise InputError([f"{here}: must be a list of at least two values, such as {example}"])
    lines = first(
        f"{here}: {shown(choice)}: no such regime{nearest(choice, allowed)}; there are {', '.join(allowed)}"
        for choice in value
        if allowed and not (isinstance(choice, str) and choice in allowed)
    )
    times = Counter(map(shown, value))
    lines += first(f"{here}: {choice} is given {count} times" for choice, count in times.items() if count > 1)
    if lines:
        raise InputError(lines)
    return tuple(value)


def _group_mistakes(value: object) -> list[str]:
    return first(_wrong_groups(value))


def _wrong_groups(value: object) -> Iterator[str]:
    groups = list(dict.fromkeys(d.group for d in DECLARATIONS.values()))
    if not isinstance(value, list) or not value:
        yield f'design.groups = {shown(value)}: must be a list of groups or mechanisms, such as ["fear", "trust"]'
        return
    for group in value:
        if not isinstance(group, str) or not _of_bundle(group):
            hint = nearest(group, [*groups, *MECHANISMS]) or "; the groups are " + ", ".join(groups)
            yield f"design.groups = {shown(group)}: no group or mechanism has this name{hint}"
        elif not _members([group], set()):
            yield f"design.groups = {shown(group)}: nothing in this group has a plausible range"


TAKEN = {*DECLARATIONS, *OUTCOMES, "regime", "mechanisms_off", "schedule", "seed", "cell", "error"}
"""What the numbers of a [[design.together]] table cannot be called: results have columns of these names."""


def _together(value: object) -> list[Driver]:
    example = 'such as { name = "surveillance", monitoring = [0.2, 0.8], targets = [0.2, 0.8] }'
    if not isinstance(value, list) or not value or not all(isinstance(table, dict) for table in value):
        raise InputError([f"design.together = {shown(value)}: must be [[design.together]] tables, {example}"])
    found: list[Driver] = []
    mistakes: list[str] = []
    for table in value:
        factors = []
        for name, spec in table.items():
            if name == "name" or len(mistakes) > MOST_LINES:
                continue
            try:
                factors.append(factor(f"design.together.{named(name)}", name, spec, reverse=True))
            except InputError as error:
                mistakes += error.lines
        title = table.get("name", " + ".join(name for name in table))
        if not isinstance(title, str) or not title.strip() or not title.isprintable() or len(title) > _LONGEST:
            line = f"must be a text on one line, of at most {_LONGEST} characters"
            mistakes.append(f"design.together.name = {shown(title)}: {line}")
        elif title.lstrip()[0] in files.FORMULA:
            mistakes.append(
                f"design.together.name = {shown(title)}: a spreadsheet would compute it; begin with a letter"
            )
        elif title in TAKEN:
            mistakes.append(f"design.together.name = {shown(title)}: means something else; choose another name")
        elif len(table) - ("name" in table) < 2:
            mistakes.append(f"design.together = {shown(table)}: needs at least two factors, {example}")
        else:
            found.append(Driver(title, tuple(factors)))
    if mistakes:
        raise InputError(mistakes)
    return found


def _mechanisms(section: dict[str, Any]) -> list[Driver]:
    """A driver for each mechanism that is on or off."""
    if "mechanisms" not in section and "mechanisms_off" not in section:
        return []
    names, off = section.get("mechanisms", list(MECHANISMS)), section.get("mechanisms_off", _EVEN)
    mistakes = []
    if not isinstance(names, list) or not names:
        mistakes.append(f'design.mechanisms = {shown(names)}: must be a list of mechanisms, such as ["gaming"]')
        names = []
    for name, times in Counter(name if isinstance(name, str) else shown(name) for name in names).items():
        if len(mistakes) > MOST_LINES:
            break
        if name not in MECHANISMS:
            every = "; there are " + ", ".join(MECHANISMS)
            hint = nearest(name, MECHANISMS) or every
            mistakes.append(f"design.mechanisms = {shown(name)}: no such mechanism{hint}")
        elif times > 1:
            mistakes.append(f"design.mechanisms = {shown(name)}: is given {times} times")
    here = f"design.mechanisms_off = {shown(off)}"
    if section["kind"] == "morris" and "mechanisms_off" in section:
        mistakes.append(f"{here}: not in a morris design; name what is to be on or off in mechanisms")
    elif isinstance(off, bool) or not isinstance(off, (int, float)) or not 0.0 < off < 1.0:
        mistakes.append(f"{here}: must be a number above 0 and below 1, the chance that a mechanism is off")
    if mistakes:
        raise InputError(mistakes)
    return [Driver(f"mechanism {name}", (), name, float(off)) for name in names]

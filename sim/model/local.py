"""Local policies: levers that have a value of their own in some organisations, for some months.

A local policy is a list of rules. Each sets levers to values, says *who* (organisations by number, a share of all of
them, or those where something lies above or below a threshold), and perhaps the first and the last month. The later
rule goes over the earlier, and all of them over the regime and the schedule.

As a user writes it: ``[{"relationship": 0.8, "where": "fear > 0.3"}, {"monitoring": 0.7, "share": 0.5, "from": 37}]``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError, Mistake, Mistakes, closest, repeated, whole
from sim.model.declaration import LARGEST_SIZE, Declaration, plain
from sim.model.streams import trial

LOCAL = ("monitoring", "targets", "punitiveness", "discernment", "leniency", "relationship", "recognition",
                "standardisation")  # fmt: skip
"""The levers that act inside an organisation, so that it can have values of its own."""
STATISTICS = ("fear", "trust", "reputation", "safety")
"""What a condition may be about: what step 1 sees of an organisation at the start of a month."""
WHO = ("organisations", "share", "where")
"""The ways to say who a rule is for; a rule has one of them."""
COLUMNS = ("statistic", "sign", "threshold", "first", "last", *LOCAL)
"""What the engine holds of a rule, see `encoded`."""
MOST_RULES = 1_000


class Seen(Protocol):
    """What a condition looks at: an organisation's mean fear and trust, reputation and safety."""

    fear: float
    trust: float
    reputation: float
    safety: float


@dataclass(frozen=True)
class LocalRule:
    """One rule of a local policy.

    Attributes
    ----------
    levers : pairs of a lever and its value, in the order of `LOCAL`.
    organisations : their numbers over the nation, from 0, or None.
    share : the share of all organisations that is drawn for the whole run, or None.
    where : a condition such as "fear > 0.3", or None.
    first, last : the months, from 1, in which the rule holds; no `last` is the end of the run.
    """

    levers: tuple[tuple[str, float], ...]
    organisations: tuple[int, ...] | None = None
    share: float | None = None
    where: str | None = None
    first: int = 1
    last: int | None = None

    @property
    def table(self) -> dict[str, Any]:
        """The rule as it is written in a file.

        >>> LocalRule((("targets", 0.2),), organisations=(0, 3), last=12).table
        {'targets': 0.2, 'organisations': [0, 3], 'to': 12}
        """
        numbers = None if self.organisations is None else list(self.organisations)
        first = None if self.first == 1 else self.first
        facts = {"organisations": numbers, "share": self.share, "where": self.where, "from": first, "to": self.last}
        return dict(self.levers) | {name: value for name, value in facts.items() if value is not None}

    def __str__(self) -> str:
        """The rule in words.

        >>> str(LocalRule((("relationship", 0.8),), where="fear > 0.3", first=37))
        'relationship 0.8 where fear > 0.3 from month 37'
        """
        levers = " and ".join(f"{lever} {value!r}" for lever, value in self.levers)
        numbers = ", ".join(map(str, self.organisations or ()))
        who = f"where {self.where}" if self.where else f"in a share of {self.share!r}"
        months = f" from month {self.first}" * (self.first > 1) + f" to month {self.last}" * (self.last is not None)
        return f"{levers} {who if self.organisations is None else f'in organisations {numbers}'}{months}"

    def members(self, seed: int, organisations: int) -> NDArray[np.bool_]:
        """Who may be reached at all in a run, one for each organisation of the nation: all of them by a condition.

        Of a share, those with the smallest of the numbers that the stream ``trial`` has for them, so that a larger
        share contains a smaller one, and rules with the same share reach the same organisations.
        """
        if self.where is not None:
            return np.ones(organisations, dtype=bool)
        inside = np.zeros(organisations, dtype=bool)
        if self.share is not None:
            order = np.argsort(trial(seed, organisations), kind="stable")
            inside[order[: math.floor(self.share * organisations + 0.5)]] = True
        else:
            inside[list(self.organisations or ())] = True
        return inside

    def holds(self, month: int, place: Seen) -> bool:
        """Whether the rule holds for a member in a month, from 1."""
        statistic, sign, threshold = condition(self.where)
        value = float(getattr(place, statistic))
        return self.first <= month <= (self.last or month) and sign * value > sign * threshold


def condition(where: str | None) -> tuple[str, float, float]:
    """A condition as a statistic, a sign (1 for above, -1 for below) and a threshold; without one, what always holds.

    >>> condition("trust < 0.4")
    ('trust', -1.0, 0.4)
    """
    if where is None:
        return "fear", 1.0, -math.inf
    found = re.fullmatch(r"\s*(\w+)\s*([<>])\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d{1,3})?)\s*", where)
    if found is None or found[1] not in STATISTICS or not math.isfinite(float(found[3])):
        about, names = re.split("[<>]", where)[0].strip(), ", ".join(STATISTICS)
        near = "" if about in STATISTICS else closest(about, STATISTICS)
        why = f'must compare one of {names} with a number by > or <, such as "fear > 0.3"'
        raise InputError([Mistake((), where, why, near)])
    statistic, sign, threshold = found[1], 1.0 if found[2] == ">" else -1.0, float(found[3])
    if statistic != "reputation" and (threshold >= 1.0 if sign > 0 else threshold <= 0.0):
        raise InputError([Mistake((), where, f"can never hold: {statistic} lies from 0 to 1")])
    return statistic, sign, threshold


def encoded(
    rules: Sequence[LocalRule], seed: int, organisations: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The rules as the engine reads them: rules by `COLUMNS`, and rules by organisations.

    In a month (from 1) a rule reaches an organisation where that is a member (1 in the second array), `first` <= month
    <= `last`, and `sign` times the statistic of number `statistic` (in `STATISTICS`) is above `sign` times `threshold`.
    A lever that it does not set is NaN.
    """
    table = np.full((len(rules), len(COLUMNS)), np.nan)
    members = np.zeros((len(rules), organisations))
    for number, rule in enumerate(rules):
        statistic, sign, threshold = condition(rule.where)
        last = math.inf if rule.last is None else rule.last
        table[number, : len(COLUMNS) - len(LOCAL)] = (
            STATISTICS.index(statistic), sign, threshold, rule.first, last)  # fmt: skip
        for lever, value in rule.levers:
            table[number, COLUMNS.index(lever)] = value
        members[number] = rule.members(seed, organisations)
    return table, members


def checked(
    written: object, months: int | None, organisations: int, declarations: Mapping[str, Declaration]
) -> tuple[LocalRule, ...]:
    """A local policy as rules, from tables or from rules that were made before.

    `months` is None and `organisations`, how many there are in the nation, is 0 where they are themselves mistaken.
    Raises `InputError` with a line for each mistake; rules are counted from 1.
    """
    if isinstance(written, str | Mapping | Set) or not isinstance(written, Iterable):  # a set has no order
        why = 'must be a list of rules, such as [{"relationship": 0.8, "where": "fear > 0.3"}]'
        raise InputError([Mistake(("local",), written, why)])
    given, found, rules = list(islice(written, MOST_RULES + 1)), Mistakes(), []
    if len(given) > MOST_RULES:
        raise InputError([Mistake(("local",), why=f"at most {MOST_RULES:,} rules are allowed")])
    for number, rule in enumerate(given, 1):
        if found.full:
            break
        try:
            table = rule.table if isinstance(rule, LocalRule) else rule
            rules.append(_rule(table, months or LARGEST_SIZE, organisations or LARGEST_SIZE, declarations))
        except InputError as error:
            found.take(mistake.within("local", f"rule {number}") for mistake in error.mistakes)
    found.tell()
    return tuple(rules)


def _rule(table: Any, months: int, organisations: int, declarations: Mapping[str, Declaration]) -> LocalRule:
    """A rule from its table; raises `InputError` with a line for each mistake."""
    if not isinstance(table, Mapping):
        raise InputError([Mistake((), table, "must be a table, such as { targets = 0.2, organisations = [0, 3] }")])
    found, who = Mistakes(), [name for name in WHO if table.get(name) is not None]
    found.take(_misnamed(name, value, declarations) for name, value in table.items() if name not in _KEYS)
    all_known = not found
    levers: list[tuple[str, Any]] = [(lever, plain(table[lever])) for lever in LOCAL if lever in table]
    found.take(declarations[lever].refused(table[lever], lever) for lever, value in levers
               if not declarations[lever].allows(value))  # fmt: skip
    if not levers and all_known:
        found.append(Mistake((), ..., "sets no lever", allowed=f"the local levers are {', '.join(LOCAL)}"))
    if len(who) > 1:
        found.append(Mistake((), ..., f"says who by {' and by '.join(who)}", allowed="leave out all but one"))
    elif not who and all_known:
        found.append(Mistake((), ..., "does not say who", allowed=f"give one of {', '.join(WHO)}"))
    chosen: dict[str, Any] = {}
    for name in who:
        with found:
            chosen[name] = _numbers(table[name], organisations) if name == "organisations" else _READ[name](table[name])
    first, last = 1, None
    with found:
        first = whole("from", table.get("from", 1), 1, months)
    with found:
        last = whole("to", table["to"], 1, months) if "to" in table else None
    if last is not None and first > last:
        found.append(Mistake(("from",), first, f"is after the last month, to = {last}"))
    found.tell()
    return LocalRule(tuple((lever, float(value)) for lever, value in levers), **chosen, first=first, last=last)


_KEYS = (*LOCAL, *WHO, "from", "to")


def _misnamed(name: object, value: object, declarations: Mapping[str, Declaration]) -> Mistake:
    """The mistake of a key that no local rule has."""
    known, where = declarations.get(str(name)), (str(name),)
    every = f"the local levers are {', '.join(LOCAL)}"
    if known and known.kind == "lever":
        return Mistake(where, value, "is set for the whole nation and not by organisation", allowed=every)
    if known:
        return Mistake(where, value, f"is a {known.kind}; a local rule sets levers", allowed=every)
    near = closest(name, _KEYS)
    return Mistake(where, value, "no such key of a local rule", near, "" if near else f"there are {', '.join(_KEYS)}")


def _numbers(given: Any, organisations: int) -> tuple[int, ...]:
    """Numbers of organisations, in order."""
    where, last = ("organisations",), organisations - 1
    if (
        isinstance(given, str | Mapping)
        or not isinstance(given, Iterable)
        or not (listed := list(islice(given, organisations + 1)))
    ):
        raise InputError([Mistake(where, given, "must be a list of numbers of organisations, such as [0, 3]")])
    found = Mistakes()
    for number, again in repeated(map(plain, listed)):
        if type(number) is not int or not 0 <= number <= last:
            why = f"no such organisation; the nation's are numbered from 0 to {last}"
            found.append(Mistake(where, number, why))
        elif again:
            found.append(Mistake(where, number, again))
    found.tell()
    return tuple(sorted(map(int, listed)))


def _share(given: Any) -> float:
    value = plain(given)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise InputError([Mistake(("share",), given, "must be a number from 0 to 1, the share of all organisations")])
    return float(value)


def _where(given: Any) -> str:
    """A condition, spelled in one way."""
    if not isinstance(given, str):
        raise InputError([Mistake(("where",), given, 'must be a text, such as "fear > 0.3"')])
    try:
        statistic, sign, threshold = condition(given)
    except InputError as error:
        raise InputError(mistake.within("where") for mistake in error.mistakes) from None
    return f"{statistic} {'>' if sign > 0 else '<'} {threshold!r}"


_READ = {"share": _share, "where": _where}

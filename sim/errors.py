"""Mistakes in what a user gave: each is data, and is put into words once, when it is told."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from numbers import Integral
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any

LONGEST = 60
KEPT = "outcome kept by this study"
MOST_LINES = 50
"""More mistakes than this are not told one by one."""
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Mistake:
    """One mistake in what a user gave.

    Attributes
    ----------
    where : keys that lead to the value, from the outside inwards: ``("design", "monitoring")``.
    value : what was given there; an ellipsis where there is nothing to show.
    why : what is wrong with it, or what it must be.
    nearest : the name that was probably meant, or "".
    allowed : what there is to choose from, or "".
    about : what the mistake was found in, such as a file or a cell; it stands in front.
    excerpt : lines of a file that show the place; they stand below.

    >>> str(Mistake(("parameters", "targets"), 2, "must be a number from 0 to 1"))
    'parameters.targets = 2: must be a number from 0 to 1'
    """

    where: tuple[str, ...]
    value: Any = ...
    why: str = ""
    nearest: str = ""
    allowed: str = ""
    about: str = ""
    excerpt: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """The mistake in one line."""
        here = ".".join(map(named, self.where)) + ("" if self.value is ... else f" = {shown(self.value)}")
        near = f' (did you mean "{self.nearest}"?)' if self.nearest else ""
        why = self.why + near + (f"; {self.allowed}" if self.allowed else "")
        return ": ".join(part for part in (self.about, here, why) if part)

    def __str__(self) -> str:
        return "\n".join([self.line, *self.excerpt])

    def within(self, *keys: str) -> Mistake:
        """The same mistake, seen from further outside."""
        return replace(self, where=(*keys, *self.where))

    def found_in(self, about: str) -> Mistake:
        """The same mistake with what it was found in in front, such as a file."""
        return replace(self, about=f"{about}: {self.about}" if self.about else about)


class InputError(ValueError):
    """Input that cannot be used. `mistakes` are what is wrong with it, `lines` one sentence for each.

    Made of mistakes, or of plain sentences; of very many, only the first are told.

    >>> str(InputError([Mistake(("months",), 0, "must be a whole number from 1 to 10")]))
    'months = 0: must be a whole number from 1 to 10'
    """

    def __init__(self, mistakes: Iterable[Mistake | str]) -> None:
        given = iter([mistakes] if isinstance(mistakes, str) else mistakes)
        told = list(islice(given, MOST_LINES))
        if next(given, None) is not None:
            told.append("there are more mistakes like these")
        self.mistakes = tuple(one if isinstance(one, Mistake) else Mistake((), why=one) for one in told)
        super().__init__(self.mistakes)

    @property
    def lines(self) -> tuple[str, ...]:
        """One line for each mistake."""
        return tuple(mistake.line for mistake in self.mistakes)

    def __str__(self) -> str:
        return "\n".join(map(str, self.mistakes))


class Mistakes(list[Mistake]):
    """A list of mistakes that goes on where one is found: errors in ``with`` blocks are collected, not raised.

    >>> found = Mistakes()
    >>> with found:
    ...     whole("months", 0, 1, 10)
    >>> len(found)
    1
    """

    def __enter__(self) -> Mistakes:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> bool:
        if isinstance(error, InputError):
            self.take(error.mistakes)
            return True
        return False

    @property
    def full(self) -> bool:
        """Whether there are more than will be told."""
        return len(self) > MOST_LINES

    def take(self, more: Iterable[Mistake]) -> None:
        """Add mistakes, of very many only as many as will be told: the others are not even made."""
        self.extend(islice(more, max(0, MOST_LINES + 1 - len(self))))

    def tell(self) -> None:
        """Raise `InputError` if there are any."""
        if self:
            raise InputError(self)


class StudyStopped(RuntimeError):
    """A study that could not go on, though nothing was wrong with what was typed. What is finished is kept."""


def whole(name: str, value: object, low: int, high: int) -> int:
    """A whole number from `low` to `high`, of any library, as Python's own; raises `InputError` for anything else.

    A `name` with dots leads from the outside inwards.

    >>> whole("design.seed", 3, 0, 10)
    3
    """
    if not isinstance(value, bool) and isinstance(value, Integral) and low <= int(value) <= high:
        return int(value)
    highest = "2**63 - 1" if high == 2**63 - 1 else high
    raise InputError([Mistake((*name.split("."),), value, f"must be a whole number from {low} to {highest}")])


def truth(name: str, value: object) -> bool:
    """True or False of any library, as Python's own; raises `InputError` for anything else.

    >>> truth("record_organisations", True)
    True
    """
    if isinstance(value, Hashable) and value in (True, False):
        return bool(value)
    raise InputError([Mistake((name,), value, "must be True or False")])


def path_of(name: str, value: object) -> Path:
    """A path that was given as a text or a path; raises `InputError` for anything else."""
    if isinstance(value, str | PathLike):
        return Path(value)
    raise InputError([Mistake((name,), value, "must be a path, such as a text")])


def closest(name: object, choices: Iterable[str]) -> str:
    """The choice that is spelled most like a name, or else the only one of which it is a word; "" where there is none.

    >>> closest("monitorng", ["monitoring", "targets"]), closest("fear", ["learned_fear", "gaming"])
    ('monitoring', 'learned_fear')
    """
    text, every = name if isinstance(name, str) else shown(name), list(choices)
    spelled = text.strip().lower().replace("-", "_").replace(" ", "_")
    if len(text) > LONGEST:
        return ""
    with_word = [choice for choice in every if spelled in choice.split("_")]
    found = difflib.get_close_matches(spelled, every, n=1) or (with_word if len(with_word) == 1 else [])
    return found[0] if found else ""


def chosen(where: str, given: object, choices: Collection[str], what: str) -> tuple[str, ...]:
    """What is given of some choices, each once: one name, or several. Raises `InputError` with a line for each that is
    none of the choices.

    >>> chosen("outcomes", "fear", ["fear", "trust"], "outcome")
    ('fear',)
    """
    names = tuple(given) if isinstance(given, Iterable) and not isinstance(given, str | bytes) else (given,)
    wrong = Mistakes()
    for name in names:
        wrong.take(misnamed((where,), [name], choices, what))
    wrong.tell()
    return tuple(dict.fromkeys(names))


def nearest(name: object, choices: Iterable[str]) -> str:
    """`closest` as the hint that follows an unknown name: ``' (did you mean "monitoring"?)'``, or ""."""
    found = closest(name, choices)
    return f' (did you mean "{found}"?)' if found else ""


def misnamed(
    where: tuple[str, ...], names: Iterable[Any], choices: Collection[str], what: str, every: str = ""
) -> Iterator[Mistake]:
    """Mistakes in a list of names: those that are no choice, and those that are given more than once. `every` says what
    the choices are, where they are too many to be listed.

    >>> [mistake.line for mistake in misnamed(("keep",), ["feer", "trust", "trust"], ["fear", "trust"], "outcome")]
    ['keep = "feer": no such outcome (did you mean "fear"?)', 'keep = "trust": is given 2 times']
    """
    known, every = {*choices}, f"there are {every or ', '.join(choices)}"
    for name, why in repeated(names):
        if not isinstance(name, str) or name not in known:
            near = closest(name, choices)
            yield Mistake(where, name, f"no such {what}", near, "" if near else every)
        elif why:
            yield Mistake(where, name, why)


def repeated(values: Iterable[Any]) -> Iterator[tuple[Any, str]]:
    """Each value once, with words for how often it is given where that is more: 1 is 1.0, but neither is true.

    >>> [*repeated([1, True, 1.0])]
    [(1, 'is given 2 times'), (True, '')]
    """
    given: dict[object, list[Any]] = {}
    for value in values:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        given.setdefault(value if is_number else (shown(value),), []).append(value)
    yield from ((same[0], f"is given {len(same)} times" if len(same) > 1 else "") for same in given.values())


def named(name: object) -> str:
    """A name as a user typed it, quoted where it would not stay on one line."""
    plain = isinstance(name, str) and name.isprintable() and len(name) <= LONGEST
    return str(name) if plain else shown(name)


def shown(value: object) -> str:
    """A value as a user typed it, on one line and not too long."""
    try:
        text = f'"{value}"' if isinstance(value, str) and value.isprintable() else " ".join(repr(value).split())
    except (ValueError, RecursionError):  # thousands of digits, or lists in lists in lists
        text = f"a {type(value).__name__} too large to be shown"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def counted(number: int, thing: str) -> str:
    """A number of things.

    >>> counted(1, "cell"), counted(1200, "run")
    ('1 cell', '1,200 runs')
    """
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def place(path: Path) -> str:
    """A path on one line, in full."""
    return str(path) if str(path).isprintable() else repr(str(path))


def visible(text: str) -> str:
    """Text for a terminal, which would obey some characters: these are written out, so that no file commands it.

    >>> visible("\\x1b[2J")
    '\\\\x1b[2J'
    """
    return _OBEYED.sub(lambda found: repr(found[0])[1:-1], text)

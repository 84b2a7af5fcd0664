"""Mistakes in what a user typed: every one is named, all at once, one line each."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

LONGEST = 60
MOST_LINES = 50
"""More mistakes than this are not told one by one."""
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class InputError(ValueError):
    """Input that cannot be used. `lines` holds one complete sentence for each mistake.

    >>> str(InputError(["months = 0: must be a whole number from 1 to 10"]))
    'months = 0: must be a whole number from 1 to 10'
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines: tuple[str, ...] = (lines,) if isinstance(lines, str) else tuple(lines)
        super().__init__(self.lines)

    def __str__(self) -> str:
        return "\n".join(self.lines)


class StudyStopped(RuntimeError):
    """A study that could not go on, though nothing was wrong with what was typed. What is finished is kept."""


def nearest(name: object, choices: Iterable[str]) -> str:
    """The hint that follows an unknown name, or nothing where no choice resembles it.

    >>> nearest("monitorng", ["monitoring", "targets"])
    ' (did you mean "monitoring"?)'
    """
    text = name if isinstance(name, str) else shown(name)
    if len(text) > LONGEST:
        return ""
    spelled = text.strip().lower().replace("-", "_").replace(" ", "_")
    found = difflib.get_close_matches(spelled, list(choices), n=1)
    return f' (did you mean "{found[0]}"?)' if found else ""


def named(name: object) -> str:
    """A name as a user typed it, quoted where it would not stay on one line."""
    plain = isinstance(name, str) and name.isprintable() and len(name) <= LONGEST
    return str(name) if plain else shown(name)


def place(path: Path) -> str:
    """A path on one line, in full."""
    return str(path) if str(path).isprintable() else repr(str(path))


def shown(value: object) -> str:
    """A value as a user typed it, on one line and not too long."""
    plain = isinstance(value, str) and value.isprintable()
    text = f'"{value}"' if plain else " ".join(_spelled(value).split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def counted(number: int, thing: str) -> str:
    """A number of things.

    >>> counted(1, "cell"), counted(1200, "run")
    ('1 cell', '1,200 runs')
    """
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _spelled(value: object) -> str:
    try:
        return repr(value)
    except (ValueError, RecursionError):  # thousands of digits, or lists in lists in lists
        return f"a {type(value).__name__} too large to be shown"


def first(lines: Iterable[str]) -> list[str]:
    """The first of many lines about mistakes, and a word on the rest, which is not even made.

    >>> len(first(f"mistake {number}" for number in range(10**9)))
    51
    """
    left = iter(lines)
    told = list(islice(left, MOST_LINES))
    return [*told, *(["there are more mistakes like these"] if next(left, None) is not None else [])]


def visible(text: str) -> str:
    """Text for a terminal, which would obey some characters: these are written out, so that no file commands it.

    >>> visible("\\x1b[2J")
    '\\\\x1b[2J'
    """
    return _OBEYED.sub(lambda found: repr(found[0])[1:-1], text)

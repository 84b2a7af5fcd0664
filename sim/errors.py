"""Mistakes in what a user typed: every one is named, all at once, one line each."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LONGEST = 60


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
    spelled = str(name).strip().lower().replace("-", "_").replace(" ", "_")
    found = difflib.get_close_matches(spelled, list(choices), n=1)
    return f' (did you mean "{found[0]}"?)' if found else ""


def named(name: object) -> str:
    """A name as a user typed it, quoted where it would not stay on one line."""
    return str(name) if str(name).isprintable() and len(str(name)) <= LONGEST else shown(name)


def shown(value: object) -> str:
    """A value as a user typed it, on one line and not too long."""
    plain = isinstance(value, str) and value.isprintable()
    text = f'"{value}"' if plain else " ".join(repr(value).split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."

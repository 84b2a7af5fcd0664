"""Study files as text: reading TOML, settings given beside a file, and writing what was resolved."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import tomli_w

from sim import files
from sim.errors import InputError, named, nearest, place, shown
from sim.model.parameters import DECLARATIONS

Table = dict[str, Any]
Overrides = Mapping[str, str] | Sequence[str]

MOST_BYTES = 2**23
"""A file larger than this is refused: a list of a hundred thousand cells takes 5 MB."""
MOST_LEVELS = 20
_DOTTED = re.compile(rb"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*"|'[^'\n]*')[ \t]*+\.[ \t]*+){20}""")
_PLACE = re.compile(r"(?P<what>.*?) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)", re.S)
_LONGEST, _LONGEST_VARIANT = 200, 60
_OUTCOMES = ("keep", "window", "series", "organisations")
_DESIGN = ("kind", "samples", "levels", "groups", "mechanisms")
_BARE_WORD = re.compile(r"[A-Za-z_][\w-]*")


def read(path: Path) -> Table:
    """The table in a TOML file; raises `InputError` with one line where there is none, or one nested too deeply."""
    content = _content(path)
    if found := _DOTTED.search(content):  # the parser takes the square of their number
        line = content.count(b"\n", 0, found.start()) + 1
        raise InputError([f"{place(path)}, line {line}: not valid TOML: nested too deeply"])
    try:
        text = content.decode("utf-8-sig")  # some editors begin a file with a byte-order mark
    except UnicodeDecodeError as error:
        raise InputError([f"{place(path)}: byte {error.start + 1} is not UTF-8; save the file as UTF-8 text"]) from None
    try:
        table = tomllib.loads(text)
    except RecursionError:
        table = None
    except ValueError as error:
        raise InputError([_malformed(path, text, str(error))]) from None
    if table is None or _too_deep(table):
        raise InputError([f"{place(path)}: not valid TOML: nested too deeply"])
    return table


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:  # a device may never end, so it is not read as a whole
            content = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:  # a null byte in a path is a ValueError
        why = getattr(error, "strerror", None) or error
        raise InputError([f"{place(path)}: cannot be read: {why}{_with_ending(path)}"]) from None
    if len(content) > MOST_BYTES:
        raise InputError([f"{place(path)}: larger than {MOST_BYTES >> 20} MiB, which no study needs"])
    return content


def _too_deep(value: object) -> bool:
    """Whether tables and lists lie in each other for more than `MOST_LEVELS` levels, which nothing here needs."""
    level = [value]
    for _ in range(MOST_LEVELS):
        held = {id(each): each for each in level if isinstance(each, (dict, list))}.values()
        level = [below for each in held for below in (each.values() if isinstance(each, dict) else each)]
    return bool(level)


def _with_ending(path: Path) -> str:
    """The hint that the file is there under its full name, or nothing."""
    full = Path(f"{path}.toml")
    with suppress(OSError, ValueError):  # a name that is too long, or holds a null character
        return f" (did you mean {place(full)}?)" if full.is_file() else ""
    return ""


def _malformed(path: Path, text: str, message: str) -> str:
    found = _PLACE.fullmatch(message)
    what = " ".join((found["what"] if found else message).split())
    what = what if len(what) <= _LONGEST else f"{what[:_LONGEST]}..."
    line = (found and found["line"]) or text.rstrip("\n").count("\n") + 1
    column = f", column {found['column']}" if found and found["column"] else ""
    return f"{place(path)}, line {line}{column}: not valid TOML: {what}"


def written(table: Table) -> str:
    """A table as TOML text."""
    return tomli_w.dumps(table)


def overridden(table: Table, overrides: Overrides, keys: Sequence[str]) -> Table:
    """A copy of a study's table with settings such as ``relationship=0.5`` or ``outcomes.window=12`` put in.

    `keys` are the names allowed at the top of a study. A name without a dot is one of these, or a parameter, lever
    or size: that goes to the design where the study varies it, else to ``[parameters]``. Values are TOML; a bare word
    counts as text. Raises `InputError` with a line for each setting that cannot be understood.
    """
    if _too_deep(table):
        raise InputError(["nested too deeply"])
    table, mistakes = deepcopy(table), []
    for name, text in _pairs(overrides):
        try:
            _put(table, _home(name, table, keys), _value(name, text))
        except InputError as error:
            mistakes += [f"--set {line}" for line in error.lines]
    if mistakes:
        raise InputError(mistakes)
    return table


def variant(overrides: Overrides) -> str:
    """What settings add to the name of a folder, "" where there are none; other settings add something else.

    >>> variant(["seeds=3", "months=24"])
    '-months=24,seeds=3'
    """
    text = ",".join(sorted(name if value is None else f"{name}={value}" for name, value in _pairs(overrides)))
    plain = re.sub(r"[^\w.=,+-]", "_", text)[:_LONGEST_VARIANT]
    return f"-{plain}" if plain == text and text else text and f"-{plain}-{files.digest(text.encode())[:8]}"


def _pairs(overrides: Overrides) -> list[tuple[str, str | None]]:
    if isinstance(overrides, Mapping):
        return [(str(name), str(text)) for name, text in overrides.items()]
    split = [str(setting).partition("=") for setting in overrides]
    return [(name.strip(), text.strip() if equals else None) for name, equals, text in split]


def _value(name: str, text: str | None) -> Any:
    if text is None:
        raise InputError([f"{named(name)}: a setting reads name=value, such as relationship=0.5"])
    try:
        found = {} if _DOTTED.search(os.fsencode(text)) else tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        found = {"value": text} if _BARE_WORD.fullmatch(text) else {}
    if list(found) != ["value"] or _too_deep(found):  # a line break in the text could smuggle in a second key
        raise InputError([f'{named(name)}={shown(text)}: not a TOML value such as 0.5, true, [1, 2] or "heavy"'])
    return found["value"]


def _home(name: str, table: Table, keys: Sequence[str]) -> list[str]:
    """Where in the study a setting belongs."""
    if "." in name:
        if name.count(".") > MOST_LEVELS:
            raise InputError([f"{named(name)}: nested too deeply"])
        return name.split(".")
    design = table.get("design")
    if isinstance(design, dict) and name in design and name not in ("kind", "seed"):
        return ["design", name]
    if name in keys:
        return [name]
    if name in _OUTCOMES:
        return ["outcomes", name]
    if name in _DESIGN and isinstance(design, dict):
        return ["design", name]
    if name in DECLARATIONS:
        return ["parameters", name]
    hint = nearest(name, [*keys, *_OUTCOMES, *_DESIGN, *DECLARATIONS])
    raise InputError([f"{named(name)}: no setting, parameter, lever or size has this name{hint}"])


def _put(table: Table, path: list[str], value: Any) -> None:
    *sections, key = path
    for section in sections:
        table = table.setdefault(section, {})
        if not isinstance(table, dict):
            raise InputError([f"{named('.'.join(path))}: {named(section)} is not a table that holds settings by name"])
    varied = sections == ["design"] and isinstance(table.get(key), list)
    table[key] = [value] if varied and not isinstance(value, list) else value

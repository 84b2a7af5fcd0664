"""Files of studies: TOML read, with settings given beside it, and written; points from CSV; a first study."""

from __future__ import annotations

import csv
import re
import shlex
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from sim import files
from sim.errors import InputError, Mistake, Mistakes, closest, named, place, shown
from sim.model.local import LocalRule
from sim.model.parameters import unknown

Table = dict[str, Any]
Overrides = Mapping[str, Any] | Sequence[str]
"""Settings that replace or join those of a file: values by name, or texts ``name=value`` with the value in TOML."""

MOST_BYTES = 2**23
"""A file larger than this is refused: a list of a hundred thousand cells takes 5 MB."""
MOST_LEVELS = 20
_DOTTED = re.compile(r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*"|'[^'\n]*')[ \t]*+\.[ \t]*+){20}""")
_PLACE = re.compile(r"(?P<what>.*?) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)", re.S)
_LONGEST, _LONGEST_VARIANT = 200, 60
_WIDEST = 100
_MOST_NAMED = 8
_DESIGN = ("kind", "samples", "levels", "groups", "mechanisms", "file")
_BARE_WORD = re.compile(r"[A-Za-z_][\w-]*")
_PACKAGE = Path(__file__).parent.parent
GALLERY = next(
    (folder for folder in (_PACKAGE / "gallery", _PACKAGE.parent / "experiments") if folder.is_dir()), _PACKAGE
)
"""The studies that come with the program, in the package or beside it in a checkout."""


def located(path: Path) -> Path:
    """Where a study is: at its path, or where that is a name alone, here, in ``experiments`` or in the gallery that
    comes with the program. The ending may be left out; a path under which there is nothing stays as it is."""
    with suppress(OSError, ValueError):  # a name that is too long, or holds a null character
        if not path.exists() and path.name == str(path):
            name = path.name if path.suffix == ".toml" else f"{path.name}.toml"
            places = (folder / name for folder in (Path(), Path("experiments"), GALLERY))
            return next((place for place in places if place.is_file()), path)
    return path


def gallery() -> dict[str, str]:
    """The titles of the studies of the gallery, by name."""
    tables = {path.stem: read(path) for path in sorted(GALLERY.glob("*.toml"))}
    return {name: str(table.get("title", "")) for name, table in tables.items()}


def read(path: Path, is_study: bool = False) -> Table:
    """The table in a TOML file; raises `InputError` with one line where there is none, or one nested too deeply.

    Where a study cannot be read, the line says which there are.
    """
    text = _text(path, is_study)
    try:
        if _DOTTED.search(text):  # the parser takes the square of their number
            raise RecursionError
        table: Table = plain(tomllib.loads(text))
    except (RecursionError, InputError):
        raise InputError([f"{place(path)}: not valid TOML: nested too deeply"]) from None
    except ValueError as error:
        raise InputError([_malformed(path, text, str(error))]) from None
    return table


def _text(path: Path, is_study: bool = False) -> str:
    try:
        return files.read(path, MOST_BYTES).decode("utf-8-sig")  # some editors begin a file with a byte-order mark
    except UnicodeDecodeError as error:
        raise InputError([f"{place(path)}: byte {error.start + 1} is not UTF-8; save the file as UTF-8 text"]) from None
    except (OSError, ValueError) as error:  # a null byte in a path is a ValueError
        why = getattr(error, "strerror", None) or error
        raise InputError([f"{place(path)}: cannot be read: {why}{_meant(path) if is_study else ''}"]) from None


def _meant(path: Path) -> str:
    """The hint which study was probably meant, or which there are in this folder or in ``experiments``."""
    with suppress(OSError, ValueError):  # a name that is too long, or holds a null character
        if path.exists() and not path.is_dir():
            return ""
        folders = (path if path.is_dir() else path.parent, Path("experiments"))
        here, others = ({file.stem: place(file) for file in sorted(folder.glob("*.toml"))} for folder in folders)
        there = here | others | here
        if not there and path.name == str(path):
            there = {file.stem: file.stem for file in sorted(GALLERY.glob("*.toml"))}
        if near := path.stem if path.stem in there else closest(path.stem, there):
            return f" (did you mean {there[near]}?)"
        more = ", ..." if len(there) > _MOST_NAMED else ""
        return f"; there are {', '.join([*there.values()][:_MOST_NAMED])}{more}" if there else ""
    return ""


def line_of(text: str, where: Sequence[str]) -> int:
    """The line, from 1, on which a study's file sets what keys lead to; 0 where none or one of several might.

    >>> line_of("seeds = 2\\n[design]\\nmonitoring = [0.1]", ("design", "monitoring"))
    3
    """
    section: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.split("#")[0].strip()
        if bare.startswith("["):
            here = section = tuple(
                part.strip(" \"'") for part in bare[1:-1].split(".")
            )  # of [[tables]] as no table has
        elif "=" in bare:
            here = (*section, bare.split("=")[0].strip(" \"'"))
        else:
            continue
        if here == tuple(where[: len(here)]) and (not bare.startswith("[") or len(here) == len(where)):
            return number
    return 0


def with_lines(mistakes: Iterable[Mistake], path: Path, overrides: Overrides) -> Iterator[Mistake]:
    """The mistakes with the lines on which they stand in a study's file, where that can be told; overrides do not."""
    text, elsewhere = _text(path), {name.rpartition(".")[2] for name, _ in _pairs(overrides)}
    for mistake in mistakes:
        is_here = mistake.about == place(path) and elsewhere.isdisjoint(mistake.where)
        line = line_of(text, mistake.where) if is_here else 0
        yield replace(mistake, about=f"{mistake.about}, line {line}") if line else mistake


def _malformed(path: Path, text: str, message: str) -> Mistake:
    """What is wrong with a text that is no TOML: the parser's words, the line, and what was probably meant."""
    found, lines = _PLACE.fullmatch(message), text.split("\n")
    what = " ".join((found["what"] if found else message).split())
    what = what if len(what) <= _LONGEST else f"{what[:_LONGEST]}..."
    number = int(found["line"]) if found and found["line"] else text.rstrip("\n").count("\n") + 1
    column = int(found["column"]) if found and found["column"] else 0
    if "Unclosed" in what or not column:  # told where the parser gave up, not where it began
        opened = [k for k, line in enumerate(lines[:number], 1) if line.count("[") > line.count("]")]
        number, column = (opened[-1], lines[opened[-1] - 1].rindex("[") + 1) if opened else (number, column)
    line = lines[number - 1].rstrip("\r")
    guess = _guess(lines, number, what)
    if "=" not in text:
        guess = "this is no study, which is a TOML file with lines such as seeds = 10"
    start = max(0, column - _WIDEST)
    part = "".join(c if c.isprintable() else " " for c in line[start : start + _WIDEST])
    excerpt = (f"  {part}", f"  {' ' * (column - 1 - start)}^") if column else (f"  {part}",)
    at = f", column {column}" if column else ""
    why = f"not valid TOML: {what}" + (f"; {guess}" if guess else "")
    return Mistake((), ..., why, about=f"{place(path)}, line {number}{at}", excerpt=excerpt if part.strip() else ())


_CURLY = "\u201c\u201d\u201e\u2018\u2019\u201a\u00ab\u00bb"
_GUESSES: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
    (r"=\s*(?:#|$)", lambda found: "a value is missing after the ="),
    (rf"=.*[{_CURLY}]", lambda found: 'curly quotes do not count; write straight ones, "'),
    (r"(\d+(?:\.\d+)?)\s*%", lambda found: f"{found[1]} % is written {float(found[1]) / 100:.9g}"),
    (r"=\s*(-?\d+),(\d+)\s*(?:#|$)", lambda found: f"a decimal point may be meant: {found[1]}.{found[2]}"),
    (r"[\[,;]\s*(-?\d+),(\d+)\s*;", lambda found: "values are divided by commas and have decimal points: [0.1, 0.5]"),
    (r"\[[^\]#]*;", lambda found: "values are divided by commas: [0.1, 0.5]"),
    (
        r"=\s*(?!(?:true|false|inf|nan)\b)([^\W\d][^#\"'\[\]{}=]*?)\s*(?:#|$)",
        lambda found: f'a text stands in quotes: "{found[1]}"',
    ),
    (r"=\s*[^#\"']*([\"'])[^\"']*$", lambda found: f"a quote is not closed; put {found[1]} at the end of the text"),
    (r"=[^#\]]*\[[^\]]*$", lambda found: "a bracket is not closed; put ] at the end of the list"),
)
"""What newcomers write, and what is told about it; the first that fits the line counts."""


def _guess(lines: list[str], number: int, what: str) -> str:
    """What was probably meant by a line that is no TOML; "" where nothing comes to mind."""
    before, line = lines[: number - 1], lines[number - 1].rstrip("\r")
    if re.match(r"Cannot (overwrite|declare|mutate)|Duplicate", what, re.I):
        key = line.split("=", maxsplit=1)[0].strip()
        start = max((k for k, each in enumerate(before) if each.lstrip().startswith("[")), default=0)
        first = [k for k, each in enumerate(before, 1) if each.split("#")[0].split("=")[0].strip() == key]
        first = [k for k in first if key.startswith("[") or k > start]
        return f"{shown(key)} is given twice; the first is in line {first[0]}" if first else ""
    return next((told(found) for pattern, told in _GUESSES if (found := re.search(pattern, line))), "")


def plain(value: Any, levels: int = MOST_LEVELS) -> Any:
    """A copy of a table in Python's own types: arrays and other sequences as lists, rows of a data frame as cells.

    Raises `InputError` with one line where tables and lists lie in each other for more than `levels` levels.
    """
    if isinstance(value, (str, bytes, int, float)) and not hasattr(value, "tolist"):
        return value
    if levels < 0:
        raise InputError(["nested too deeply"])
    if isinstance(value, LocalRule):
        return value.table
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        rows = [{name: each for name, each in row.items() if pd.notna(each)} for row in value.to_dict("records")]
        return {"kind": "list", "cell": plain(rows, levels)}
    if hasattr(value, "tolist"):
        return plain(value.tolist(), levels)
    if isinstance(value, Mapping):
        return {plain(name): plain(each, levels - 1) for name, each in value.items()}
    return [plain(each, levels - 1) for each in value] if isinstance(value, Sequence) else value


def overridden(table: Mapping[str, Any], overrides: Overrides, homes: Mapping[str, str]) -> Table:
    """A copy of a study's table with settings such as ``relationship=0.5`` or ``outcomes.window=12`` put in.

    A name without a dot goes to the design where the study varies it, else to its section by `homes`, where "" is the
    top of the file. In texts, values are TOML, and a bare word counts as text. Raises `InputError` with a line for each
    setting that cannot be understood.
    """
    changed: Table = plain(table)
    wrong = Mistakes()
    as_text = not isinstance(overrides, Mapping)
    for name, given in _pairs(overrides):
        with wrong:
            _put(changed, _home(name, given, changed, homes), _value(name, given) if as_text else plain(given))
    if wrong:
        raise InputError(mistake.found_in("--set" if as_text else "overrides") for mistake in wrong)
    return changed


def variant(overrides: Overrides) -> str:
    """What settings add to the name of a folder, "" where there are none; other settings add something else.

    >>> variant(["seeds=3", "months=24"])
    '-months=24,seeds=3'
    """
    text = ",".join(sorted(name if value is None else f"{name}={value}" for name, value in _pairs(overrides)))
    plain = re.sub(r"[^\w.=,+-]", "_", text)[:_LONGEST_VARIANT]
    return f"-{plain}" if plain == text and text else text and f"-{plain}-{files.digest(text.encode())[:8]}"


def _pairs(overrides: Overrides) -> list[tuple[str, Any]]:
    if isinstance(overrides, Mapping):
        return [(str(name), value) for name, value in overrides.items()]
    if isinstance(overrides, str) or not isinstance(overrides, Iterable):
        raise InputError([Mistake(("overrides",), overrides, 'must be settings, such as {"seeds": 3} or ["seeds=3"]')])
    split = [str(setting).partition("=") for setting in overrides]
    return [(name.strip(), text.strip() if equals else None) for name, equals, text in split]


def _value(name: str, text: str | None) -> Any:
    if text is None:
        raise InputError([Mistake((name,), ..., "a setting reads name=value, such as relationship=0.5")])
    try:
        found = {} if _DOTTED.search(text) else plain(tomllib.loads(f"value = {text}"))
    except (ValueError, RecursionError):
        found = {"value": text} if _BARE_WORD.fullmatch(text) else {}
    if list(found) != ["value"]:  # a line break in the text could smuggle in a second key
        raise InputError([Mistake((name,), text, 'not a TOML value such as 0.5, true, [1, 2] or "heavy"')])
    return found["value"]


def _home(name: str, value: Any, table: Table, homes: Mapping[str, str]) -> list[str]:
    """Where in the study a setting belongs."""
    if name.count(".") > MOST_LEVELS:
        raise InputError([f"{named(name)}: nested too deeply"])
    if "." in name:
        return name.split(".")
    design = table.get("design")
    if isinstance(design, dict) and name != "seed" and name in (*design, *_DESIGN):
        return ["design", name]
    if name in homes:
        return [homes[name], name] if homes[name] else [name]
    raise InputError([Mistake((name,), value, *unknown(name, *homes, *_DESIGN))])


def _put(table: Any, path: list[str], value: Any) -> None:
    *sections, key = path
    for section in sections:
        table = table.setdefault(section, {})
        if not isinstance(table, dict):
            why = f"{named(section)} is not a table that holds settings by name"
            raise InputError([Mistake(tuple(path), why=why)])
    varied = sections == ["design"] and isinstance(table.get(key), list)
    table[key] = [value] if varied and not isinstance(value, list) else value


def points(section: Table, folder: Path) -> Table:
    """The list design whose cells are the rows of the CSV file that ``file`` names, from the study's folder.

    The first row names what each column sets; an empty field sets nothing. Raises `InputError` with one line for a
    file that is not such a table.
    """
    name, others = section.get("file", ...), section.keys() - {"kind", "file"}
    if others:
        raise InputError(Mistake(("design", other), section[other], "a csv design has only a file") for other in others)
    if not isinstance(name, str) or not name:
        raise InputError([Mistake(("design", "file"), name, 'must be the name of a CSV file, such as "points.csv"')])
    path = folder / name
    if path.exists() and not path.is_file():
        raise InputError([Mistake(("design", "file"), name, "is no file")])
    try:
        rows = [row for row in csv.reader(_text(path).splitlines()) if any(row)]
    except csv.Error as error:
        raise InputError([f"{place(path)}: not valid CSV: {error}"]) from None
    header = [column.strip() for column in rows[0]] if rows else []
    if len(rows) < 2 or not all(header) or len(set(header)) < len(header):
        why = "must have a first row with a name for each column, each once, and a row for each cell"
        raise InputError([f"{place(path)}: {why}"])
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(header):
            raise InputError([f"{place(path)}, row {number}: has {len(row)} fields; the first row has {len(header)}"])
    return {"kind": "list", "cell": [_cell(header, row) for row in rows[1:]]}


def _cell(header: list[str], row: list[str]) -> Table:
    """What one row of a CSV file sets."""
    cell: Table = {}
    for name, field in zip(header, map(str.strip, row), strict=True):
        if name == "mechanisms_off":
            cell[name] = [each.strip() for each in field.split(",") if each.strip()]
        elif field:
            cell[name] = field
            for number in (int, float) if name not in ("name", "regime") else ():
                with suppress(ValueError):
                    cell[name] = number(field)
                    break
    return cell


TEMPLATE = Path(__file__).with_name("new.toml")
"""The study that ``sim new`` writes: small, ready to run, explained to whoever opens it first."""

_NAME = re.compile(r"\w[\w .-]*")  # letters, digits, spaces, hyphens and dots
_LONGEST_NAME = 100


def new(name: str) -> Path:
    """Write a commented study that runs to ``name.toml``, in the present folder or wherever `name` leads.

    Returns its path. Raises `InputError` with one line for a name that no study can have, a file that is there
    already, and a folder that is not.
    """
    path = Path(name) if name.lower().endswith(".toml") else Path(f"{name}.toml")
    if len(path.stem) > _LONGEST_NAME:
        raise InputError([f"{shown(name)}: too long for a name; at most {_LONGEST_NAME} characters"])
    if not name.isprintable() or not _NAME.fullmatch(path.stem):
        why = "no name for a study; use letters, digits, spaces, - and _, such as my_study"
        raise InputError([f"{shown(name)}: {why}"])
    if not path.parent.is_dir():
        raise InputError([f"{place(path)}: there is no folder {place(path.parent)}; make it, or give a name alone"])
    text = TEMPLATE.read_text(encoding="utf-8")
    files.write_new(path, text.replace("{file}", shlex.quote(path.as_posix())).encode())
    return path

"""What is wrong with a study, in words that name the key, the value and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ValidationError

from sim.errors import MOST_LINES, InputError, first, named, nearest, shown
from sim.model.parameters import DECLARATIONS
from sim.study.design import Settings

_CELLS_NAMED = 5
_ENOUGH = 1_000
_VALUE = re.compile(r" = [^:]*:")


def complaints(error: ValidationError, top: type[BaseModel], sections: dict[str, type[BaseModel]]) -> list[str]:
    """Pydantic's complaints about a study's table in this project's words, each once."""
    lines = (line for problem in error.errors(include_url=False) for line in _complaint(problem, top, sections))
    return list(dict.fromkeys(first(lines)))


def _complaint(problem: Any, top: type[BaseModel], sections: dict[str, type[BaseModel]]) -> Iterable[str]:
    if isinstance(why := problem.get("ctx", {}).get("error"), InputError):
        return why.lines
    path = [part for part in problem["loc"] if isinstance(part, str)]
    here = f"{'.'.join(map(named, path))} = {shown(problem['input'])}"
    model = sections[path[0]] if len(path) > 1 and path[0] in sections else top
    if problem["type"] == "extra_forbidden":
        return [f"{here}: no such key{_belongs(path[-1], model, top, sections)}"]
    field = model.model_fields[path[1] if model is not top else path[0]]
    return [f"{here}: must be {field.description}"]


def _belongs(name: str, model: type[BaseModel], top: type[BaseModel], sections: dict[str, type[BaseModel]]) -> str:
    """Where an unknown key belongs, or the key that may be meant."""
    if model is not top and name in top.model_fields:
        return "; it belongs at the top of the file, before the first [section]"
    if name in DECLARATIONS and name != "window":
        return "; it belongs under [parameters]"
    for section, fields in sections.items():
        if name in fields.model_fields:
            return f"; it belongs under [{section}]"
    return nearest(name, model.model_fields) or "; there are " + ", ".join(model.model_fields)


def misplaced(parameters: dict[str, Any], keys: Iterable[str]) -> list[str]:
    """Keys under ``[parameters]`` that belong elsewhere."""
    homes = {name: "at the top of the file, before the first [section]" for name in keys}
    homes |= {"window": "under [outcomes]", "schedule": "in a section [schedule]"}
    return [
        f"parameters.{name} = {shown(value)}: belongs {homes[name]}"
        for name, value in parameters.items()
        if name in homes
    ]


def contradictions(
    varied: Iterable[str], once: Iterable[str], fixed: Iterable[str], parameters: Iterable[str]
) -> list[str]:
    """What a design varies although it is settled elsewhere: `once` for every study, the rest in this one."""
    settled = dict.fromkeys(once, "set once for all runs")
    settled |= {name: "fixed in [schedule]" if "@" in name else "fixed at the top of the file" for name in fixed}
    settled |= {"window": "set in [outcomes] for all runs"}
    settled |= dict.fromkeys(parameters, "fixed in [parameters]")
    return [
        f"design.{named(name)}: varied here and {settled[name]}; leave out one of the two"
        for name in varied
        if name in settled
    ]


class CellMistakes:
    """Mistakes that cells made, each said once with the numbers of the cells that made it."""

    def __init__(self, listed: bool, parameters: Iterable[str], sampled: bool = False) -> None:
        self._listed = listed
        self._sampled = sampled
        self._parameters = frozenset(parameters)
        self._cells: dict[str, list[int]] = {}

    @property
    def enough(self) -> bool:
        """Whether so much is wrong that nobody wants to hear of the other cells."""
        return len(self._cells) > _ENOUGH

    def add(self, number: int, own: Settings, error: InputError) -> None:
        """Note what `resolve` said of the cell with this number, which itself sets `own`."""
        for line in error.lines:
            what = _VALUE.sub(":", line, count=1) if self._sampled else line  # sampled values are all different
            self._cells.setdefault(self._key(line, own) + what, []).append(number)

    def lines(self, cells: int) -> list[str]:
        """A line for each mistake; what is wrong with all cells of a design needs no numbers."""
        lines = [
            line if len(numbers) == cells and not line.startswith("design.cell.") else f"{_numbers(numbers)}: {line}"
            for line, numbers in self._cells.items()
        ]
        more = len(lines) - MOST_LINES
        most = "more than " if self.enough else ""
        return [*lines[:MOST_LINES], f"{most}{more} more mistakes in cells"] if more > 1 else lines

    def _key(self, line: str, own: Settings) -> str:
        """The section that holds what a line begins with."""
        name = line.replace(":", " ").replace(".", " ").split(" ", 1)[0]
        if name in own:
            return "design.cell." if self._listed else "design."
        return "parameters." if name in self._parameters else ""


def _numbers(cells: list[int]) -> str:
    if len(cells) == 1:
        return f"cell {cells[0]}"
    more = len(cells) - _CELLS_NAMED
    return f"cells {', '.join(map(str, cells[:_CELLS_NAMED]))}" + (f" and {more} more" if more > 0 else "")

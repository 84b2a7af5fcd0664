"""A module imports only from the rooms to its left, so the house can be read, and taken apart, from one end."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import sim

HOUSE = Path(sim.__file__).parent
ORDER = [
    "errors",
    "files",
    "pool",
    "statistics",
    "model",
    "study",
    "worlds",
    "claims",
    "questions",
    "plots",
    "report",
    "terminal",
    "cli",
]
DOORS = {("model/run.py", "plots"), ("study/results.py", "plots"), ("study/design.py", "worlds")}
"""`Run.plot` and `Results.plot` go the other way, because a user expects them; so does a study whose cells are
worlds."""


def rooms(code: str) -> Iterator[str]:
    """The rooms that Python code imports from, imports inside functions included."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (parts[1] for name in names if (parts := name.split("."))[0] == "sim" and len(parts) > 1)


def wrong(path: str, code: str) -> list[str]:
    """Imports of the module at `path`, from the folder of the package, that go to the right."""
    room = path.split("/", 1)[0].removesuffix(".py")
    here = ORDER.index(room)
    return [to for to in rooms(code) if to in ORDER and ORDER.index(to) > here and (path, to) not in DOORS]


def test_every_module_has_its_place() -> None:
    found = {path.relative_to(HOUSE).parts[0].removesuffix(".py") for path in HOUSE.rglob("*.py")}
    assert found - {"__init__", "__main__"} == set(ORDER)


def test_a_module_imports_only_from_the_left() -> None:
    files = [path for path in HOUSE.rglob("*.py") if path.parent != HOUSE or path.stem in ORDER]
    found = {
        str(path.relative_to(HOUSE)): wrong(path.relative_to(HOUSE).as_posix(), path.read_text()) for path in files
    }
    assert {path: to for path, to in found.items() if to} == {}


@pytest.mark.parametrize("line", ["from sim.plots import theme", "import sim.claims.text", "from sim import report"])
def test_an_import_inside_a_function_is_seen(line: str) -> None:
    assert wrong("worlds/prior.py", f"def f():\n    {line}\n")
    assert not wrong("report/html.py", f"def f():\n    {line}\n")

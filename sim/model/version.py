"""The identity of the model: a hash of everything that decides its numbers, and of nothing else.

It covers the code of the modules named in `MODEL`, the tables of parameters, mechanisms, regimes and outcomes, and the
options of the compiler. Comments, docstrings, annotations, meanings, units and messages are left out, so changing a
word changes no identity; changing a digit, an operator or a name in the code changes it. It is the same under every
supported version of Python.

What is kept on disk carries it: compiled code, chunks of studies, ensembles of worlds and blocks of an answer. Those
that rest on more than the model name their own modules beside it, as in ``identity("sim.study.compute")``.

All source files are read when `sim` is imported, before any module of the model is loaded. `identity` makes sure
that what was loaded is what was read.
"""

from __future__ import annotations

import ast
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from sim.errors import InputError

MODEL = ("arithmetic", "streams", "rules", "engine", "record", "interventions", "local", "outcomes", "catalogue",
         "declaration", "parameters", "mechanisms", "tables")  # fmt: skip
"""Modules that decide a run's numbers, beside this one."""
NOT_THE_MODEL = ("__init__", "compiling", "glossary", "mesa_model", "run", "version", "words")
"""The other modules beside this one. They hold words, show something, or compute what `MODEL` computes once more; of
``compiling`` the options of the compiler count."""
WORDY = ("outcomes", "catalogue", "declaration", "parameters", "mechanisms", "interventions", "local")
"""Modules of `MODEL` in which prose stands between numbers and code; see `bare`."""
PROSE = ("meaning", "unit", "source", "group", "case")
"""Columns of the tables that decide no number."""

_PACKAGE, _HERE = __name__.partition(".")[0], __name__.rpartition(".")[0]
_ROOT = Path(sys.modules[_PACKAGE].__path__[0])


_SOURCES = {
    ".".join([_PACKAGE, *file.relative_to(_ROOT).with_suffix("").parts]): file.read_bytes()
    for file in _ROOT.rglob("*.py")
}
"""The source of every module of the package, by its full name."""


@cache
def identity(*beside: str) -> str:
    """The identity of the model, 16 hexadecimal digits; with `beside`, of the model and further modules.

    Parameters
    ----------
    *beside : str
        Full names of modules, such as "sim.study.compute".

    Raises
    ------
    InputError
        With one line for each module whose source changed after `sim` was imported: what is loaded may then be older
        than what is on disk, and nothing must be stored under either's name.
    """
    names = [*(f"{_HERE}.{name}" for name in MODEL), *beside]
    for name in names:
        import_module(name)
    if doubts := [f"{name}: {doubt}" for name in names if (doubt := _doubt(name))]:
        raise InputError(doubts)
    return fingerprint({name: _SOURCES[name] for name in names}, tables())


def fingerprint(sources: Mapping[str, str | bytes], numbers: object) -> str:
    """A hash of the code of modules, given by name, and of `numbers`, which JSON can hold."""
    wordy = {f"{_HERE}.{name}" for name in WORDY}
    code = [f"{name}\n{bare(source, name in wordy)}" for name, source in sorted(sources.items())]
    return hashlib.sha256("\0".join([*code, json.dumps(numbers)]).encode()).hexdigest()[:16]


def tables() -> list[Any]:
    """The tables of the model without their prose, and the options of the compiler."""
    names = ("parameters", "outcomes", "local", "compiling")
    parameters, outcomes, local, compiling = (import_module(f"{_HERE}.{name}") for name in names)
    own = (parameters.PARAMETERS, parameters.MECHANISMS, parameters.REGIMES, outcomes.OUTCOMES, outcomes.POST_COLUMNS)
    return [_numbers(table) for table in (*own, local.COLUMNS, local.STATISTICS, compiling.OPTIONS)]


def _numbers(value: Any) -> Any:
    """A table as lists that JSON can hold, in order, without its columns of prose."""
    if is_dataclass(value):
        return [[f.name, _numbers(getattr(value, f.name))] for f in fields(value) if f.name not in PROSE]
    if isinstance(value, Mapping):
        return [[key, _numbers(entry)] for key, entry in value.items()]
    return [_numbers(entry) for entry in value] if isinstance(value, tuple | list) else value


@cache
def bare(source: str | bytes, wordy: bool = False) -> str:
    """What a module does, as text: its syntax tree without positions, comments, docstrings, annotations, imports for
    annotations, and what stands in a ``raise``. The same under every supported version of Python.

    In a `wordy` module most texts are prose and left out, too: those outside functions, where what decides a number is
    counted with the tables, f-strings, and those with spaces, unless they are compared with something.

    >>> bare("def f(x: float) -> float:\\n    'Twice x.'\\n    return 2.0 * x  # why") == bare("def f(x): return 2.0*x")
    True
    >>> bare("x = 2.0") == bare("x = 2.5")
    False
    """
    return "".join(_parts(ast.parse(source), "outside" if wordy else "counted"))


_LEFT_OUT = ("annotation", "returns", "type_comment", "kind", "exc", "cause")


def _parts(node: ast.AST, texts: str) -> Iterator[str]:
    """The parts of `bare`, walked here: what `ast.dump` writes differs between versions of Python."""
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        node = ast.Assign([node.target], node.value)
    if texts != "counted" and isinstance(node, ast.JoinedStr):
        yield "text"
        return
    if isinstance(node, ast.FunctionDef) and texts == "outside":
        texts = "inside"
    if isinstance(node, ast.Compare):
        texts = "counted"
    yield f"({type(node).__name__}"
    for name, value in ast.iter_fields(node):
        if name not in _LEFT_OUT and value is not None and value != []:
            yield f" {name}:"
            for each in value if isinstance(value, list) else [value]:
                if not isinstance(each, ast.AST):
                    prose = isinstance(each, str) and (texts == "outside" or (texts == "inside" and " " in each))
                    yield "text" if prose else repr(each)
                elif not _says_nothing(each, node):
                    yield from _parts(each, texts)
    yield ")"


def _says_nothing(node: ast.AST, parent: ast.AST) -> bool:
    """Whether this is a docstring, imports names for annotations only, or is an empty piece of an f-string, of which
    versions of Python make more or fewer."""
    if isinstance(node, ast.Constant):
        return isinstance(parent, ast.JoinedStr) and node.value == ""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _doubt(name: str) -> str:
    """Why what Python has loaded as a module may not be what was read from its source; empty where it is.

    The file must not have changed since in anything that counts, and the compiled copy that Python keeps of it must be
    a copy of this: Python itself compares only their times, to the second, and their sizes.
    """
    module = sys.modules[name]
    file = Path(str(module.__file__))
    now, before = file.read_bytes(), _SOURCES.get(name, b"")
    if now != before and bare(now) != bare(before):
        return "changed since it was loaded; start Python again, or results would be kept under a wrong name"
    loader: Any = module.__spec__.loader if module.__spec__ else None
    if loader.get_code(name) != compile(now, str(file), "exec", dont_inherit=True):
        return "Python has an old copy of it in __pycache__; delete that folder and start Python again"
    return ""

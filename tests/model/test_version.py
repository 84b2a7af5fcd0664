"""The identity of the model: every change that decides a number, and no other, is noticed, and only where it counts."""

from __future__ import annotations

import ast
import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sim.model import compiling as compiled
from sim.model import local, outcomes, version
from sim.model.catalogue import PARAMETERS
from sim.model.mechanisms import MECHANISMS, REGIMES
from sim.model.outcomes import OUTCOMES
from sim.study import chunks
from sim.worlds import ensemble_file
from sim.worlds import evaluate as evaluation

BESIDE = {"model": (), "chunks": chunks.MADE_BY, "ensembles": ensemble_file.MADE_BY, "blocks": evaluation.MADE_BY}
"""Modules beside the model behind each identity."""
EVERYWHERE = set(BESIDE)
ROOM = Path(version.__file__).parent
MODEL = {f"{version._HERE}.{name}" for name in version.MODEL}


def noticing(module: str, old: str, new: str) -> set[str]:
    """Which identities change when a text in the source of a module does."""
    (name,) = [n for n in version._SOURCES if n.endswith(f".{module}")]
    source = version._SOURCES[name].decode()
    assert old in source
    changed = {**version._SOURCES, name: source.replace(old, new, 1).encode()}
    numbers = version.tables()

    def fingerprint(sources: dict[str, bytes], beside: tuple[str, ...]) -> str:
        return version.fingerprint({n: sources[n] for n in (*MODEL, *beside)}, numbers)

    return {k for k, names in BESIDE.items() if fingerprint(version._SOURCES, names) != fingerprint(changed, names)}


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("arithmetic", "import math\n", "import math  # for the root\n"),
        ("rules", '"""`x` kept to [0, 1]."""', '"""`x`, but from 0 to 1."""'),
        ("rules", "def clip(x: float) -> float:", "def clip(x):"),
        ("engine", '"""Run the model once.', '"""Run it once.'),
        ("catalogue", "How closely managers are watched", "How closely one watches managers"),
        ("catalogue", 'unit="probability a month"', 'unit="chance a month"'),
        ("outcomes", "A skill of 0.5 means half-way", "A skill of 0.5 is half-way"),
        ("outcomes", "events a manager a month", "events a month"),
        ("mechanisms", "The oldest argument for oversight.", "The classical argument for oversight."),
        ("mechanisms", '        "against",\n', '        "for",\n'),
        ("parameters", "no such mechanism", "no mechanism of this name"),
        ("declaration", "is given twice", "stands there twice"),
        ("interventions", "fear path: has the shape", "fear path: is of the shape"),
        ("local", "does not say who", "leaves open who is meant"),
        ("survey", "simulation variance: needs a world", "variance: needs a world"),
        ("evaluate", '"""Evaluate every contrast in every world', '"""Evaluate each contrast in each world'),
    ],
)
def test_words_change_no_identity(module: str, old: str, new: str) -> None:
    assert noticing(module, old, new) == set()


@pytest.mark.parametrize(
    ("module", "old", "new", "where"),
    [
        ("rules", "return min(1.0, max(0.0, x))", "return min(1.1, max(0.0, x))", EVERYWHERE),
        ("arithmetic", "return 1.0 / (1.0 +", "return 1.0 / (1.0 -", EVERYWHERE),
        ("rules", "= 0.2, 0.5, 0.5, 0.3", "= 0.25, 0.5, 0.5, 0.3", EVERYWHERE),
        ("catalogue", "lever(0.5, low=0.1, high=0.9", "lever(0.5, low=0.2, high=0.9", EVERYWHERE),
        ("catalogue", "monitoring: float = lever(0.45", "monitoring: float = lever(0.46", EVERYWHERE),
        ("streams", '"negligence"', '"neglect"', EVERYWHERE),
        ("streams", '"idle {k}"', '"idler {k}"', EVERYWHERE),
        ("engine", "levers[month - 1 :, column]", "levers[month:, column]", EVERYWHERE),
        ("record", "1.0 - share, 0.0)", "share, 0.0)", EVERYWHERE),
        ("interventions", 'seen_by == "every rule"', 'seen_by == "any rule"', EVERYWHERE),
        ("local", "organisations + 0.5)", "organisations + 0.4)", EVERYWHERE),
        ("parameters", "{**REGIMES[regime].levers, **values}", "{**values, **REGIMES[regime].levers}", EVERYWHERE),
        ("compute", "kept.window :].mean(axis=1)", "kept.window :].sum(axis=1)", {"chunks"}),
        ("survey", "JUST_ABOVE = 0.03", "JUST_ABOVE = 0.04", {"ensembles"}),
        ("survey", '"survey {name}"', '"surveyed {name}"', {"ensembles"}),
        ("evidence", "(1.0 - x) ** 12", "(1.0 - x) ** 11", {"ensembles"}),
        ("prior", "OFF = 0.15", "OFF = 0.2", {"ensembles", "blocks"}),
        ("evaluate", '1.0 - mean["distress"]) / 3.0', '1.0 - mean["distress"]) / 4.0', {"blocks"}),
        ("evaluate", "number = min([PAIRS,", "number = min([4,", {"blocks"}),
    ],
)
def test_what_decides_a_number_changes_the_identities_that_rest_on_it(
    module: str, old: str, new: str, where: set[str]
) -> None:
    assert noticing(module, old, new) == where


def test_the_tables_count_as_they_were_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their numbers, names and order, but not their words."""
    before = version.tables()
    for table, prose, counts in (
        (PARAMETERS, {"meaning": "x", "unit": "x", "source": "x", "group": "x"}, {"null": -1.0}),
        (MECHANISMS, {"meaning": "x", "case": "x"}, {"parameters": ("x",)}),
        (REGIMES, {"meaning": "x"}, {"levers": {}}),
        (OUTCOMES, {"meaning": "x", "unit": "x"}, {"low": -1.0}),
    ):
        name, entry = next(iter(table.items()))
        monkeypatch.setitem(table, name, replace(entry, **prose))
        assert version.tables() == before
        monkeypatch.setitem(table, name, replace(entry, **counts))
        assert version.tables() != before
        monkeypatch.setitem(table, name, entry)
    for module, name, turned in (
        (local, "STATISTICS", local.STATISTICS[::-1]),
        (local, "COLUMNS", local.COLUMNS[::-1]),
        (outcomes, "OUTCOMES", dict(reversed(OUTCOMES.items()))),
    ):
        with monkeypatch.context() as changed:
            changed.setattr(module, name, turned)
            assert version.tables() != before


def test_an_option_of_the_compiler_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    before = version.tables()
    monkeypatch.setitem(compiled.OPTIONS, "fastmath", True)
    assert version.tables() != before


def test_every_module_of_the_model_is_listed_once() -> None:
    here = {file.stem for file in ROOM.glob("*.py")}
    assert here <= {*version.MODEL, *version.NOT_THE_MODEL}
    assert set(version.MODEL) <= here
    assert not {*version.MODEL} & {*version.NOT_THE_MODEL}


def test_what_decides_numbers_rests_on_nothing_that_is_left_out() -> None:
    for name in MODEL:
        tree = ast.parse(version._SOURCES[name])
        modules = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
        names = [f"{n.module}.{a.name}" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for a in n.names]
        used = {n.rpartition(".")[2] for n in (*modules, *names) if n in version._SOURCES} - {"sim"}
        assert used <= {*version.MODEL, "compiling", "errors"}, name


SAMPLE = '''
"""A module."""
from __future__ import annotations
import math as m
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from collections.abc import Iterator
LIMIT: float = -1e-3  # why
HEX, BIG, YES, NOTHING, DOTS, RAW, BYTES = 0xFF, 10**20, True, None, ..., r"\\d", b"\\x00"
class Point(tuple):
    """A point."""
    x: float
    y: float = 0.5
    """How far up."""
@decorated(nogil=True)
def rule(p: Point, /, a=1, *rest, key: int = 2, **more) -> float:
    """What a manager does."""
    try:
        if not (0 < a <= 2 and p.x is not None) or key in {1, 2}:
            raise ValueError(f"a = {a!r}: must be above 0") from None
    except (OSError, ValueError) as error:
        del error
    with open(a) as file, file:
        total = sum(x * y ** 2 if x else -y for x, y in zip(rest, more, strict=True) if y)
    while total > 1: total //= 2; total @= a; total <<= 1
    else: pass
    (b := total); assert b, "never"; global LIMIT
    match a:
        case {"k": [1, *_], **kw} | Point(x=0): return lambda z, *, w=3: z[1:2, ::3] + w
        case _: yield from (f"{a:{key}.3f} and {b!r:>10} {a:{key}}", [*rest], {**more}, {1: 2}, {c for c in rest})
    async def g(): await h(); return [i async for i in j]
    return m.exp(~a) if a != b else "text " "joined"
'''


def test_the_identity_is_the_same_under_every_version_of_python() -> None:
    """Each version that runs the tests finds this number."""
    digests = [hashlib.sha256(version.bare(SAMPLE, wordy).encode()).hexdigest()[:16] for wordy in (False, True)]
    assert digests == ["9ee3958aab9e5da6", "c3f802840ceb96db"]


OTHERS = [p for k in range(11, 16) if k != sys.version_info.minor and (p := shutil.which(f"python3.{k}"))]


@pytest.mark.parametrize("python", OTHERS)
def test_another_version_of_python_finds_the_same(python: str) -> None:
    """For the present sources, wherever there is one; it needs no packages."""
    script = (
        "from sim.model.version import *; from sim.model import version as v\n"
        "print(v.fingerprint({n: v._SOURCES[n] for n in v._SOURCES}, 0))"
    )
    command = [python, "-c", script]
    there = subprocess.run(command, cwd=version._ROOT.parent, capture_output=True, text=True, check=False)
    if there.returncode == 127:
        pytest.skip("a name without a Python behind it")
    assert there.stdout.strip() == version.fingerprint(version._SOURCES, 0)


LOADED = """
from pathlib import Path
from sim.errors import InputError
from sim.model import engine, rules, version
file = Path(rules.__file__)
text = file.read_text("utf-8")
print(version.identity())
file.write_text(text.replace("return min(1.0", "# to 1\\n    return min(1.0"), "utf-8")
version.identity.cache_clear()
print(version.identity())
file.write_text(text.replace("return min(1.0", "return min(1.1"), "utf-8")
version.identity.cache_clear()
try:
    version.identity()
except InputError as error:
    print(error)
"""
STALE = """
from sim.errors import InputError
from sim.model import version
try:
    import sim.model.engine
    version.identity()
except InputError as error:
    print(error)
"""


def copied(folder: Path) -> Path:
    package = Path(sys.modules["sim"].__path__[0])
    shutil.copytree(package, folder / "sim", ignore=shutil.ignore_patterns("__pycache__", "*.parquet"))
    return folder


def said(folder: Path, script: str) -> list[str]:
    environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": ""}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def test_the_identity_is_that_of_what_was_loaded(tmp_path: Path) -> None:
    """A process that loaded the model before its files changed gives no name to what it computes."""
    before, commented, refused = said(copied(tmp_path), LOADED)
    assert before == commented == version.identity()
    assert "rules: changed since it was loaded; start Python again" in refused


def test_an_old_copy_that_python_kept_is_noticed(tmp_path: Path) -> None:
    """Python takes its compiled copy for that of a source of the same size and time."""
    folder = copied(tmp_path)
    assert said(folder, STALE) == []
    file = folder / (ROOM / "rules.py").relative_to(version._ROOT.parent)
    text = file.read_text("utf-8")
    times = file.stat().st_atime_ns, file.stat().st_mtime_ns
    file.write_text(text.replace("return min(1.0", "return min(1.1"), "utf-8")
    os.utime(file, ns=times)
    (line,) = said(folder, STALE)
    assert "rules: Python has an old copy of it in __pycache__" in line

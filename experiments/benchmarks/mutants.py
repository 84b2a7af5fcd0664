"""Would the tests see a mistake? Small changes of the program, one at a time, against the tests of the changed file.

Usage: python experiments/benchmarks/mutants.py [--sample 60] [--seed 0] [FILE ...]

A mutant is one change of one file: a comparison, an operator, `and` or `or` for its neighbour, a condition turned
round, a number one larger, True for False, or a statement left out. Texts, annotations and messages are left alone. It
is loaded in place of the file in a process of its own; nothing on the disk is changed. It is `caught` where a test of
`TESTS` fails, or takes more than `SECONDS` of the processor, which only a loop without end does. The sample is drawn
evenly from the files named, by default all of `TESTS`; a seed gives the same one again.
"""

from __future__ import annotations

import argparse
import ast
import importlib.machinery
import os
import random
import resource
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import hypothesis  # noqa: F401  what tests import and no mutant changes is loaded once
import numba  # noqa: F401
import numpy  # noqa: F401
import pandas  # noqa: F401
import PIL.Image  # noqa: F401
import pyarrow.compute
import pyarrow.parquet  # noqa: F401
import pydantic  # noqa: F401
import pytest
import scipy.stats  # noqa: F401

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 45
EXAMPLES = "tests/test_examples.py::test_the_examples_of_a_module_come_out_as_they_are_written"
FAULTS = "tests/study/test_faults.py"
FAILED = "test_a_failed_run_is_a_row_or_stops_the_study_and_can_be_done_again"
ASKED = "test_more_runs_than_anyone_means_need_a_yes"
SPOILED = "tests/test_bad_input.py::test_worlds_whose_parts_do_not_fit_together_are_one_line"
TESTS = {
    "sim/statistics.py": ["tests/test_statistics.py", f"{EXAMPLES}[sim.statistics]", "tests/claims/test_tables.py"],
    "sim/claims/verdict.py": ["tests/claims/test_verdict.py", f"{EXAMPLES}[sim.claims.verdict]"],
    "sim/claims/tables.py": ["tests/claims/test_tables.py", f"{EXAMPLES}[sim.claims.tables]",
                             "tests/claims/test_verdict.py"],
    "sim/worlds/evidence.py": ["tests/worlds/test_evidence.py", f"{EXAMPLES}[sim.worlds.evidence]",
                               "tests/worlds/test_survey.py"],
    "sim/study/chunks.py": ["tests/study/test_precision.py", "tests/study/test_runner.py"],
    "sim/files.py": ["tests/test_folders.py", "tests/study/test_hostile.py", "tests/test_files.py"],
    "sim/study/store.py": ["tests/study/test_hostile.py", "tests/study/test_runner.py"],
    "sim/study/runner.py": ["tests/study/test_precision.py", f"{FAULTS}::{FAILED}", f"{FAULTS}::{ASKED}",
                            "tests/study/test_runner.py", "tests/study/test_machine.py"],
    "sim/worlds/ensemble_file.py": ["tests/worlds/test_ensemble.py", SPOILED, "tests/worlds/test_shipped.py"],
    "sim/worlds/ensemble.py": ["tests/worlds/test_ensemble.py", SPOILED, f"{EXAMPLES}[sim.worlds.ensemble]"],
    "sim/worlds/evaluate.py": ["tests/worlds/test_evaluate.py", "tests/worlds/test_package.py"],
    "sim/study/compute.py": ["tests/study/test_runner.py", "tests/study/test_hostile.py"],
    "sim/worlds/smc.py": ["tests/worlds/test_refit.py", "tests/worlds/test_calibration.py"],
    "sim/model/rules.py": ["tests/model/test_rules.py"],
}  # fmt: skip
"""Of each file the tests that ask most of it, the quickest first."""
OTHERS: dict[type, type] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Pow: ast.Mult, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr, ast.LShift: ast.RShift,
}  # fmt: skip
"""What stands for what."""


UNREAD = {"annotation", "returns", "decorator_list"}
LEFT_ALONE = ast.JoinedStr | ast.Import | ast.ImportFrom | ast.Raise


def places(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a file that may be changed, in order: not what people or type checkers alone read."""
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            checked = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
            checked |= isinstance(child, ast.Subscript) and ast.unparse(child.value) == "Literal"
            if isinstance(child, ast.AST) and name not in UNREAD and not isinstance(child, LEFT_ALONE) and not checked:
                yield child
                yield from places(child)


def changes(node: ast.AST) -> list[str]:
    """In which ways a node can be changed."""
    found = []
    if isinstance(node, ast.Compare) and type(node.ops[0]) in OTHERS:
        found.append("compare")
    if isinstance(node, ast.BinOp | ast.BoolOp) and type(node.op) in OTHERS:
        found.append("operator")
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        found.append("negate")
    if isinstance(node, ast.Constant) and type(node.value) in (int, float, bool):
        found.append("constant")
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        found.append("leave out")
    return found


class Mutant(NamedTuple):
    """A change of a file: of which of `places`, and how."""

    file: str
    number: int
    how: str

    def make(self) -> tuple[ast.Module, str]:
        """The changed file, and what was changed in which line."""
        tree = ast.parse((ROOT / self.file).read_text(encoding="utf-8"))
        node: Any = list(places(tree))[self.number]
        before = ast.unparse(node)
        if self.how == "compare":
            node.ops[0] = OTHERS[type(node.ops[0])]()
        elif self.how == "operator":
            node.op = OTHERS[type(node.op)]()
        elif self.how == "negate":
            node.test = ast.UnaryOp(ast.Not(), node.test)
        elif self.how == "constant":
            node.value = (not node.value) if isinstance(node.value, bool) else node.value + 1
        else:
            node.value = ast.Constant(None)
        first, last = (text.splitlines()[0][:100] for text in (before, ast.unparse(node)))
        return ast.fix_missing_locations(tree), f"{self.file}:{node.lineno}: {first}  ->  {last}"


def mutants(file: str) -> list[Mutant]:
    """All mutants of a file, in order."""
    nodes = places(ast.parse((ROOT / file).read_text(encoding="utf-8")))
    return [Mutant(file, number, how) for number, node in enumerate(nodes) for how in changes(node)]


class Changed(importlib.machinery.PathFinder):
    """Finds one module of this program in its changed form, and all others as they are."""

    name, tree = "", ast.Module([], [])

    @classmethod
    def find_spec(cls, fullname: str, path: Any = None, target: Any = None) -> Any:
        """See `importlib`."""
        if fullname != cls.name:
            return None
        spec: Any = super().find_spec(fullname, path, target)
        own, once = spec.loader.get_code, [compile(cls.tree, spec.origin, "exec")]
        spec.loader.get_code = lambda name: once.pop() if once else own(name)  # who asks later compares with the disk
        return spec


def is_caught(mutant: Mutant | None, file: str) -> bool:
    """Whether a test of a file fails with a mutant, or with none."""
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    if mutant:
        Changed.name, Changed.tree = file.removesuffix(".py").replace("/", "."), mutant.make()[0]
        sys.meta_path.insert(0, Changed)
    # A process that a test starts and kills runs the program as it is on the disk.
    options = ["-x", "-q", "-p", "no:cacheprovider", "--assert=plain", "--hypothesis-seed=0", "-k", "not killed"]
    os._exit(int(pytest.main([*options, *TESTS[file]])))


def main() -> None:
    """Draw, try, tell."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", metavar="FILE", default=list(TESTS))
    parser.add_argument("--sample", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    os.chdir(ROOT)
    warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside threads, which do nothing meanwhile
    tried = caught = 0
    for k, file in enumerate(asked.files):
        if is_caught(None, file):
            raise SystemExit(f"{file}: its tests fail without a change")
        share = len(range(k, asked.sample, len(asked.files)))
        every = mutants(file)
        found = 0
        for mutant in (drawn := random.Random(asked.seed).sample(every, min(share, len(every)))):
            if is_caught(mutant, file):
                found += 1
            else:
                print("survived:", mutant.make()[1], flush=True)
        print(f"{file}: {found} of {len(drawn)} caught, of {len(every)} mutants", flush=True)
        tried, caught = tried + len(drawn), caught + found
    print(f"{caught} of {tried} caught")


if __name__ == "__main__":
    main()

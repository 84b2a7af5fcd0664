"""Would the tests see a wrong rule? Every small fault that cosmic-ray can put into two files, against their tests.

    pip install cosmic-ray
    python experiments/benchmarks/mutation.py [--quick] [--jobs 2]

A mutant is one change of `sim/rules.py` or `sim/inference/contrast.py`: one of + - * / ** for another, a comparison
for another, `and` for `or`, a sign or a `not` gone or added, a condition turned round, a number one larger or smaller.
It is put into the running program, uncompiled, in a process of its own; no file is changed. The mutant of a rule meets
those tests of `tests/test_rules.py` that name the rule, and a mutant outside of any rule those that name none; one of
the verdict meets `tests/inference/test_contrast.py`. Examples come from one fixed seed, so a second run finds
the same. All other tests, which run whole models, are left out; they could only catch more.

Left out are changes that would flatter, since any test catches them: operators for whole numbers (// % & | ^ << >> ~)
among broken ones; `is` for a comparison, which nobody writes; and changes of annotations and decorators, since they
change nothing that runs (compiling is switched off). cosmic-ray does not change `+=`, a name for another, or a call.
mutmut 3 was no choice: it skips every function with a decorator, so every rule.

`mutation`: for each file its `mutants`, how many the tests `caught`, how many were `too_slow` (a loop without end,
which nobody would miss), how many `survived`, how many of these are `explained`, and the share that did not survive.
`mutation_survivors`: each one's definition and line, unchanged and mutated, and the reason in `survivors.toml`.
"""

from __future__ import annotations

import argparse
import ast
import os
import signal
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from types import FunctionType
from typing import Any, NamedTuple

import pandas as pd
from measuring import HERE, save, versions

ROOT = HERE.parents[1]
RULES = "sim/rules.py"
FILES = {
    RULES: ("sim.rules", "tests/test_rules.py"),
    "sim/inference/contrast.py": ("sim.inference.contrast", "tests/inference/test_contrast.py"),
}
"""For each file that is changed, the module and the tests."""
ARITHMETIC = {"Add", "Sub", "Mul", "Div", "Pow"}
WITHHELD = {"RemoveDecorator", "VariableReplacer", "VariableInserter"}
"""The latter two want to be told which variables."""
OUTCOMES = CAUGHT, TOO_SLOW, SURVIVED = "caught", "too_slow", "survived"
LIMIT = 10.0
"""Seconds of the processor after which a mutant is too slow; its tests take a second or two without a change."""


class Mutant(NamedTuple):
    """One change: a definition of a file, "" for a constant, its changed text, and the line that differs."""

    file: str
    name: str
    text: str
    line: int
    before: str
    after: str


def worthwhile(operator: str) -> bool:
    """Whether a change of this kind says something about the tests, as the docstring above explains."""
    kind, *names = operator.removeprefix("core/").split("_")
    if kind == "ReplaceBinaryOperator":
        return names[0] == "BitAnd" or ARITHMETIC.issuperset(names)  # the one & asks whether a number is odd
    return kind not in WITHHELD and not {"Is", "IsNot", "Invert"}.intersection(names)


def definitions(file: str) -> list[tuple[int, int, str, str]]:
    """Of each definition and other statement that does something: first line, line after the decorators, name, text."""
    text = (ROOT / file).read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    found = []
    for node in ast.parse(text).body:
        is_type = isinstance(getattr(node, "value", None), ast.Subscript)
        if not isinstance(node, ast.Import | ast.ImportFrom | ast.Expr) and not is_type:
            start = min(each.lineno for each in [node, *getattr(node, "decorator_list", [])])
            found.append((start, node.lineno, getattr(node, "name", ""), "".join(lines[start - 1 : node.end_lineno])))
    return found


def mutants(file: str) -> list[Mutant]:
    """All mutants of a file, in the order of its lines."""
    from cosmic_ray.ast import ast_nodes, get_ast  # noqa: PLC0415
    from cosmic_ray.mutating import mutate_code  # noqa: PLC0415
    from cosmic_ray.plugins import get_operator, operator_names  # noqa: PLC0415

    operators = [get_operator(name)() for name in operator_names() if worthwhile(name)]
    made = []
    for start, first, name, code in definitions(file):
        nodes = list(ast_nodes(get_ast(code)))
        for operator in operators:
            for place in range(sum(len(list(operator.mutation_positions(node))) for node in nodes)):
                text = mutate_code(code, operator, place)
                mutant = Mutant(file, name, text, *difference(code, text, start))
                made += [mutant] if mutant.line >= first else []
    return sorted(made, key=lambda mutant: mutant.line)


def difference(one: str, other: str, start: int) -> tuple[int, str, str]:
    """Number of the first line that differs, and its code in either text, without superfluous space."""
    pairs = enumerate(zip(one.splitlines(), other.splitlines(), strict=True), start)
    number, lines = next((number, pair) for number, pair in pairs if pair[0] != pair[1])
    before, after = (" ".join(line.split("  # ")[0].split()) for line in lines)
    return number, before, after


def put(mutant: Mutant) -> None:
    """Change the running program: whoever holds a function or class of the module holds the changed one from now on."""
    module = vars(import_module(FILES[mutant.file][0]))
    changed = dict(module)
    exec(compile(f"from __future__ import annotations\n{mutant.text}", mutant.file, "exec"), changed)
    for name, new in changed.items():
        if new is not module.get(name):
            module[name] = exchanged(module[name], new) if name in module else new


def exchanged(old: Any, new: Any) -> Any:
    """The old function, class or property, which from now on does what the new one does; of anything else the new."""
    if isinstance(old, FunctionType):
        old.__code__, old.__defaults__ = new.__code__, new.__defaults__
    elif isinstance(old, property):
        exchanged(old.fget, new.fget)
    elif isinstance(old, type):
        for name, member in vars(new).items():
            exchanged(vars(old).get(name), member)
    else:
        return new
    return old


_session: Any = None
"""Pytest's, with the collected tests; what is forked finds it here, since it cannot be sent."""


class Trials:
    """A pytest plugin that runs the collected tests once for each mutant."""

    def __init__(self, tried: Sequence[Mutant], jobs: int) -> None:
        self.tried, self.jobs = tried, jobs
        self.outcomes: list[str] = []

    def pytest_runtestloop(self, session: Any) -> bool:
        """Every mutant in its own fork of this process, which has everything imported and collected."""
        global _session  # noqa: PLW0603
        _session = session
        session.config.pluginmanager.unregister(name="terminalreporter")
        unchanged = dict.fromkeys(mutant._replace(text="", line=0, before="", after="") for mutant in self.tried)
        with get_context("fork").Pool(self.jobs, maxtasksperchild=1) as pool:
            if set(pool.imap(outcome, unchanged)) != {SURVIVED}:
                raise SystemExit("tests fail although nothing is changed")
            for done, what in enumerate(pool.imap(outcome, self.tried), 1):
                self.outcomes.append(what)
                if done % 100 == 0:
                    print(f"{done} of {len(self.tried)} mutants, {self.outcomes.count(SURVIVED)} alive", flush=True)
        return True


def outcome(mutant: Mutant) -> str:
    """What becomes of a mutant; for a process that does nothing else."""
    slow = False

    def stop(*_: object) -> None:
        nonlocal slow
        slow = True
        raise TimeoutError

    signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT, 1.0)  # again and again, since a test may be tried a second time
    try:
        put(mutant)
    except Exception:
        return CAUGHT
    for item in chosen(mutant):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        if _session.testsfailed:
            return TOO_SLOW if slow else CAUGHT
    return SURVIVED


def chosen(mutant: Mutant) -> list[Any]:
    """The tests that a mutant meets; it is a mistake if there are none."""
    tests = [item for item in _session.items if item.location[0] == FILES[mutant.file][1]]
    if mutant.file == RULES:
        tests = [i for i in tests if f"[{mutant.name}]" in i.name or ("[" not in i.name and mutant.name in i.name)]
    if not tests:
        raise LookupError(f"no test names {mutant.name}")
    return tests


def trials(tried: Sequence[Mutant], jobs: int) -> list[str]:
    """What becomes of each mutant."""
    import hypothesis  # noqa: PLC0415
    import pytest  # noqa: PLC0415

    phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]  # nobody wants to see the simplest failure
    hypothesis.settings.register_profile(
        "mutants", derandomize=True, database=None, phases=phases, report_multiple_bugs=False
    )
    hypothesis.settings.load_profile("mutants")
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    plugin = Trials(tried, jobs)
    options = ["-qq", "-s", "--tb=no", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    if code := pytest.main([*(tests for _, tests in FILES.values()), *options], plugins=[plugin]):
        raise SystemExit(int(code))
    return plugin.outcomes


def survivors(tried: Sequence[Mutant], outcomes: Sequence[str]) -> pd.DataFrame:
    """A row for each survivor, with the reason that the file of reasons gives."""
    reasons = tomllib.loads((HERE / "survivors.toml").read_text(encoding="utf-8"))["survivor"]
    known = {(each["name"], after): each["because"] for each in reasons for after in each["mutated"]}
    rows = [
        (mutant.file, mutant.name or "-", mutant.before, mutant.after, known.get((mutant.name, mutant.after), ""))
        for mutant, what in zip(tried, outcomes, strict=True)
        if what == SURVIVED
    ]
    return pd.DataFrame(rows, columns=["file", "definition", "line", "mutated", "reason"])


def shares(tried: Sequence[Mutant], outcomes: Sequence[str], left: pd.DataFrame) -> pd.DataFrame:
    """A row for each file."""
    counted = pd.crosstab([mutant.file for mutant in tried], outcomes)
    table = counted.reindex(index=FILES, columns=OUTCOMES, fill_value=0)
    table.insert(0, "mutants", table.sum(axis=1))
    table["explained"] = (left.reason != "").groupby(left.file).sum().reindex(table.index, fill_value=0)
    table["share_caught"] = 1 - table[SURVIVED] / table.mutants
    return table.rename_axis("file").reset_index()


def main() -> None:
    """Try the mutants, and save both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one mutant of forty, to see that it works")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes at a time")
    asked = parser.parse_args()
    made_with = versions("cosmic-ray", "hypothesis", "pytest")
    os.environ["NUMBA_DISABLE_JIT"] = "1"
    tried = [mutant for file in FILES for mutant in mutants(file)][:: 40 if asked.quick else 1]
    outcomes = trials(tried, asked.jobs)
    left = survivors(tried, outcomes)
    with tempfile.TemporaryDirectory() as nowhere:
        folder = {"folder": Path(nowhere)} if asked.quick else {}
        save(shares(tried, outcomes, left), "mutation", made_with, **folder)
        save(left, "mutation_survivors", made_with, **folder)


if __name__ == "__main__":
    main()

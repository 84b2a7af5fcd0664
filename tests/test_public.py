"""The package's public face: one table of names, each of which can be had, typed and in a fresh process."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import sim


def test_type_checkers_see_the_names_of_the_table() -> None:
    tree = ast.parse(Path(sim.__file__).read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.asname or alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    table = {name: home for names in sim.PUBLIC.values() for name, home in names.items()}
    assert seen == {name: "sim" if home == f"sim.{name}" else home for name, home in table.items()}


@pytest.mark.parametrize("name", sim.__all__)
def test_every_public_name_can_be_had(name: str) -> None:
    assert getattr(sim, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="simulat"):
        sim.simulat  # noqa: B018


def test_the_version_is_the_one_that_is_installed() -> None:
    assert metadata.version("leadership-sim") == sim.__version__


def test_importing_the_package_loads_no_library() -> None:
    code = "import sim, sys; print([name for name in ('numpy', 'pandas', 'numba', 'pydantic') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["PARAMETERS", "MECHANISMS", "REGIMES", "OUTCOMES"])
def test_a_table_is_also_a_frame(name: str) -> None:
    table = getattr(sim, name)
    frame = table.frame()
    assert list(frame.index) == list(table)
    assert frame["meaning"].str.len().min() > 10
    some = next(iter(table))
    facts = {fact: getattr(table[some], fact) for fact in frame}
    assert {fact: value for fact, value in facts.items() if value is not None} == frame.loc[some].dropna().to_dict()

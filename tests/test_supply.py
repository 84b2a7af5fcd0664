"""What the program rests on is told completely, and alike in every file that tells it."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
PIN = re.compile(r"([\w.-]+)==([^;\s]+)(?:; ([^\\]+?))?(?: \\)?")
BILL = json.loads((ROOT / "supply" / "materials.cdx.json").read_text(encoding="utf-8"))


def pins(file: str) -> list[tuple[str, ...]]:
    """Name, version and marker of each line that pins."""
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    return [found.groups(default="") for line in lines if (found := PIN.fullmatch(line))]


@pytest.fixture
def supply(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    loader = SourceFileLoader("supply", str(ROOT / ".ci" / "supply"))
    spec = spec_from_loader("supply", loader)
    assert spec
    module = module_from_spec(spec)
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    loader.exec_module(module)
    return module


def test_every_pin_has_hashes_and_nothing_else_has_any(supply: ModuleType) -> None:
    assert pins("supply/hashes.txt") == pins("constraints.txt")
    text = (ROOT / "supply" / "hashes.txt").read_text(encoding="utf-8")
    found = supply.hashes_in(text)
    assert all(found.values())
    assert all(re.fullmatch("sha256:[0-9a-f]{64}", one) for every in found.values() for one in every)
    assert supply.hashed(found) == text


def test_the_bill_of_materials_is_whole_and_has_the_hashes_and_a_licence_of_each() -> None:
    assert (BILL["bomFormat"], BILL["specVersion"]) == ("CycloneDX", "1.5")
    every = BILL["components"]
    assert [(one["name"], one["version"]) for one in every] == [pin[:2] for pin in pins("constraints.txt")]
    assert all(one["licenses"][0]["expression"] not in ("", "unknown") for one in every)
    assert all(one["externalReferences"][0]["hashes"] for one in every)
    refs = [one["bom-ref"] for one in every]
    assert len(set(refs)) == len(refs)
    assert {ref for one in BILL["dependencies"] for ref in one["dependsOn"]} <= set(refs)


def test_what_the_program_needs_always_is_told_so() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    direct = {re.split(r"[\[><=]", one)[0].lower() for one in project["dependencies"]}
    needed = {one["name"] for one in BILL["components"] if one["scope"] == "required"}
    assert direct <= needed and not needed & {"pytest", "ruff", "mypy", "distributed"}


def test_the_table_of_licences_has_a_row_for_each() -> None:
    lines = (ROOT / "supply" / "licences.md").read_text(encoding="utf-8").splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")][2:]
    told = [(one["name"], one["version"], one["licenses"][0]["expression"]) for one in BILL["components"]]
    assert [(name, version, licence) for name, version, _, licence in rows] == told


def test_a_licence_is_told_in_the_words_of_spdx(supply: ModuleType) -> None:
    assert supply.licence("MIT", ["BSD License"], "whatever") == "MIT"
    assert supply.licence(None, ["MIT License", "Apache Software License"], None) == "MIT OR Apache-2.0"
    assert supply.licence(None, [], "BSD\nand so on") == "BSD-3-Clause"

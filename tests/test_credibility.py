"""What is said to those who check: pointers lead somewhere, metadata agree, references and commits exist, and the
command that runs the headline again finds what is wrong."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import codecheck
import numpy as np
import pytest
import yaml
from ensembles import by_hand
from test_docs import LINK, anchors, understood

import sim
from sim.claims.answer import ClaimReport, Effort, compute
from sim.worlds.ensemble import Ensemble

ROOT = Path(__file__).resolve().parent.parent
CHECKLISTS = ROOT / "docs" / "checklists.md"
CODE = re.compile(r"`([^`]+)`")
COMMIT = re.compile(r"\b(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{7}\b")
LICENCES = "https://spdx.org/licenses/"


class Item(NamedTuple):
    """A row of a checklist: under which heading of the second level, which item, the answer, and the pointers."""

    checklist: str
    name: str
    answer: str
    where: str


def items() -> Iterator[Item]:
    checklist = ""
    for line in CHECKLISTS.read_text(encoding="utf-8").splitlines():
        checklist = line[3:].partition(":")[0] if line.startswith("## ") else checklist
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if cells and cells[-1] not in ("where", "---"):
            yield Item(checklist, *cells)


ITEMS = list(items())


def follow(pointer: str) -> None:
    """Fail where a pointer leads nowhere: a command, a name in a file of Python, or a path."""
    first = pointer.split(maxsplit=1)[0]
    path, _, name = pointer.partition("::")
    if first == "sim":
        understood(shlex.split(pointer)[1:])
    elif name:
        text = (ROOT / path).read_text(encoding="utf-8")
        assert re.search(rf"^\s*(?:def|class) {re.escape(name)}\b", text, re.M), f"{path} has no {name}"
    else:
        assert (ROOT / path).exists(), f"there is no {path}"


def test_every_checklist_is_answered_in_full() -> None:
    """A second copy of how many items each has."""
    asked = {"TRACE": 8, "ODD+D": 51, "STRESS-ABS": 23, "STARS": 13, "FAIR4RS": 17}
    assert {name: sum(item.checklist == name for item in ITEMS) for name in asked} == asked
    assert len({item.name for item in ITEMS}) == len(ITEMS) == sum(asked.values())


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.name[:40])
def test_every_item_has_an_answer_and_pointers_that_lead_somewhere(item: Item) -> None:
    links, codes = LINK.findall(item.where), CODE.findall(item.where)
    assert item.answer and links + codes
    for link in links:
        path, _, anchor = link.partition("#")
        target = (CHECKLISTS.parent / path).resolve() if path else CHECKLISTS
        assert target.exists() and (not anchor or anchor in anchors(target)), link
    for pointer in codes:
        follow(pointer)


@pytest.mark.parametrize("pointer", ["sim clam", "tests/test_bits.py::test_nothing", "docs/nothing.md"])
def test_a_pointer_that_leads_nowhere_is_noticed(pointer: str) -> None:
    with pytest.raises(Exception, match=r"clam|test_nothing|nothing\.md"):
        follow(pointer)


def test_what_needs_people_is_on_the_list() -> None:
    text = CHECKLISTS.read_text(encoding="utf-8").partition("## For whoever publishes")[2]
    for name in ("ORCID", "DOI", "address", "archive", "Outside use", "codecheck.yml", "ARM"):
        assert name in text


# Metadata


def project() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return found


def told(name: str) -> Any:
    text = (ROOT / name).read_text(encoding="utf-8")
    return json.loads(text) if name.endswith(".json") else yaml.safe_load(text)


def head(text: str) -> dict[str, Any]:
    """The metadata before a paper's text."""
    found: dict[str, Any] = yaml.safe_load(text.split("---\n")[1])
    return found


def test_metadata_agree() -> None:
    package, cited, meta = project(), told("CITATION.cff"), told("codemeta.json")
    assert cited["version"] == meta["version"] == sim.__version__
    assert str(cited["date-released"]) == meta["dateModified"]
    assert package["name"] == meta["name"] == cited["title"].partition(":")[0]
    assert package["description"] == meta["description"]
    assert [LICENCES + name for name in package["license"].split(" AND ")] == meta["license"]
    assert LICENCES + cited["license"] in meta["license"]
    assert cited["keywords"] == meta["keywords"]
    needed = {re.split(r"[^\w.-]", dependency)[0] for dependency in package["dependencies"]}
    assert needed == set(meta["softwareRequirements"])


def test_authors_and_title_are_the_same_everywhere() -> None:
    cited, paper = told("CITATION.cff"), head((ROOT / "paper.md").read_text(encoding="utf-8"))
    authors = [author["name"] for author in cited["authors"]]
    for others in (project()["authors"], told("codemeta.json")["author"], paper["authors"],
                   told("codecheck.yml")["paper"]["authors"]):  # fmt: skip
        assert [author["name"] for author in others] == authors
    assert cited["title"] == paper["title"] == told("codecheck.yml")["paper"]["title"]


def test_the_manifest_lists_files_that_are_there_each_with_a_comment() -> None:
    assert (ROOT / "codecheck.yml").read_text(encoding="utf-8").startswith("---\n")
    for entry in told("codecheck.yml")["manifest"]:
        assert (ROOT / entry["file"]).is_file(), entry["file"]
        assert entry["comment"]


# The paper


def test_the_paper_has_the_sections_and_the_length_that_are_asked_for() -> None:
    text = (ROOT / "paper.md").read_text(encoding="utf-8").split("---\n", 2)[2]
    assert re.findall(r"^# (.+)$", text, re.M) == [
        "Summary", "Statement of need", "State of the field", "Software design", "Research impact statement",
        "AI usage disclosure", "Acknowledgements", "References",
    ]  # fmt: skip
    assert 750 <= len(text.split()) <= 1750
    assert "language models wrote code and text of this software" in " ".join(text.split())


def test_every_reference_of_the_paper_is_in_its_bibliography_and_the_other_way_round() -> None:
    text = (ROOT / "paper.md").read_text(encoding="utf-8")
    entries = (ROOT / "paper.bib").read_text(encoding="utf-8").split("\n@")
    keys = [re.search(r"\{([^,]+),", entry)[1] for entry in entries]  # type: ignore[index]
    assert sorted(keys) == sorted(set(re.findall(r"@([a-z0-9]+)", text)))
    for entry in entries:
        assert re.search(r"^  (doi|url) = ", entry, re.M), entry


# Decisions


def test_every_commit_that_is_named_is_in_the_history() -> None:
    def git(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False)

    if git("rev-parse", "--is-shallow-repository").stdout.strip() != "false":
        pytest.skip("a checkout without its history")
    named = COMMIT.findall((ROOT / "docs" / "decisions.md").read_text(encoding="utf-8"))
    assert len(set(named)) > 10
    assert [commit for commit in named if git("merge-base", "--is-ancestor", commit, "HEAD").returncode] == []


# The command that runs a part of the headline again


@pytest.fixture(scope="module")
def worlds() -> Ensemble:
    return by_hand(24)


@pytest.fixture(scope="module")
def report(worlds: Ensemble) -> ClaimReport:
    tiny = Effort(worlds=24, prior=20, all_on=20, again=0, systems=1, orders=2)
    sizes = {"organisations": 2, "managers": 3, "months": 6, "window": 3}
    return compute(worlds, by_hand(24, seed=1, off=0.0), claims=("cuts",), effort=tiny, **sizes)


def test_an_answer_comes_out_again_to_the_bit_and_a_changed_bit_is_counted(
    report: ClaimReport, worlds: Ensemble
) -> None:
    numbers, differ = codecheck.effects(report, worlds, 24)
    assert (numbers, differ) == (2 * len(report.effects), 0)
    wrong = report.effects.copy()
    wrong.loc[wrong.index[3], "estimate"] = np.nextafter(wrong["estimate"].iloc[3], np.float32(9))
    assert codecheck.effects(replace(report, effects=wrong), worlds, 24) == (numbers, 1)

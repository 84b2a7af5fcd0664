"""The documents tell the truth: tables come from the code, commands and code run, links lead somewhere.

What runs does so in an empty folder that holds small copies of the studies in `experiments/`, so that the commands
can be run as they are written.
"""

from __future__ import annotations

import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from inspect import isfunction
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import tomli_w
import typer
from ensembles import make_answers_small

from sim import cli
from sim.model import rules
from sim.model.mechanisms import Mechanism
from sim.model.parameters import MECHANISMS, resolve
from sim.questions import QUESTIONS
from sim.study import Study
from sim.worlds.evidence import load

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("docs/*.md"), *ROOT.glob("*.md"), ROOT / "results" / "README.md"])
PARSED_ONLY = {"cluster.md", "calibration.md"}
"""Documents about clusters that are not here, and about hours of computing: their commands are parsed, no more."""
NOT_OURS = ("pip", "git", "marimo", "cd", "python", "pytest", "sbatch", "source", "srun", "ruff", "mypy", "pre-commit")
"""Programs whose commands are parsed by the shell alone."""
SMALL: dict[str, tuple[str, ...]] = {
    "--run": ("--worlds", "30", "--systems", "1", "--months", "3"),
    **dict.fromkeys(QUESTIONS, ("--worlds", "3")),
}
"""What is added to a command with this word to make it small."""
NOT_RUN = (
    "--cluster",
    "--film",
    "--patterns",
    "--calibrate",
    "--full",
    "--check",
    "--which-study",
    "--structure",
)
"""Commands with one of these words take a minute or more, or need a file of the reader's: their options
are checked, no more."""

OPTIONAL = {"ema": ("ema_workbench",), "solara": ("solara", "altair")}
"""What blocks with a second word need: where it is missing they are read, no more."""

FENCE = re.compile(r"^```(\w+)?( \w+)?\n(.*?)^```$", re.M | re.S)
HEADING = re.compile(r"^#+ (.+)$", re.M)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
INLINE = re.compile(r"`sim ([a-z][^`]*)`")
PLACE = re.compile(r"^\d+\. `([^`]+)`, `([^`]+)`:", re.M)


@cache
def generate() -> Any:
    """The module docs/generate.py, which reads the answer once."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Block(NamedTuple):
    """A fenced block: its language, a second word behind it, and its text."""

    language: str
    mark: str
    text: str


def blocks(document: Path) -> list[Block]:
    text = document.read_text(encoding="utf-8")
    found = FENCE.findall(text)
    assert 2 * len(found) == text.count("```"), "a block that is not found is not tested"
    return [Block(language, mark.strip(), text) for language, mark, text in found]


def prose(document: Path) -> str:
    """The document without its fenced blocks."""
    return FENCE.sub("", document.read_text(encoding="utf-8"))


def anchors(document: Path) -> set[str]:
    """The anchors of the headings, as code hosts make them."""
    plain = (re.sub(r"[`*]", "", heading).lower() for heading in HEADING.findall(prose(document)))
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


named = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


# Tables


@named
def test_generated_blocks_are_what_the_code_says(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert generate().filled(text) == text, "run: python docs/generate.py"


def test_every_block_that_can_be_generated_stands_in_some_document() -> None:
    used = {name for path in DOCUMENTS for name in re.findall(r"<!-- generated: (.+?) -->", path.read_text("utf-8"))}
    assert used == set(generate().BLOCKS)


def test_a_block_that_says_something_else_is_put_right() -> None:
    text = "before\n<!-- generated: starts -->\nfear 7\n<!-- end -->\nafter"
    filled = generate().filled(text)
    assert "fear 7" not in filled
    assert filled.startswith("before\n") and filled.endswith("<!-- end -->\nafter")


def test_the_odd_has_every_rule_of_the_rule_book() -> None:
    helpers = {"clip"}
    shown = {line for block in blocks(ROOT / "docs" / "odd.md") for line in block.text.splitlines()}
    own = {name for name, rule in vars(rules).items() if isfunction(rule) and rule.__module__ == "sim.model.rules"}
    assert own - shown == helpers


# Links


@named
def test_links_and_anchors_lead_somewhere(document: Path) -> None:
    for link in LINK.findall(prose(document)):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_document_stands_on_somebodys_path() -> None:
    page = ROOT / "docs" / "README.md"
    reached = {(page.parent / link.partition("#")[0]).resolve() for link in LINK.findall(prose(page))}
    assert {*ROOT.glob("docs/*.md")} - {page} <= reached


def test_a_source_links_to_what_identifies_it_and_to_nothing_else() -> None:
    linked = generate().linked
    assert linked("Frazier et al. 2017, 10.1111/peps.12183, as told") == (
        "Frazier et al. 2017, [doi 10.1111/peps.12183](https://doi.org/10.1111/peps.12183), as told"
    )
    plain = "Hill et al. 2010: 0.04 a year, 2.5 of 10.3 and 10.25/month"
    assert linked(plain) == plain


@named
def test_lines_fit_an_editor(document: Path) -> None:
    text = re.sub(r"<!-- generated: .*?<!-- end -->", "", document.read_text(encoding="utf-8"), flags=re.S)
    assert [line for line in text.splitlines() if len(line) > 120 and not line.startswith("|")] == []


# Commands and code


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undrawn: None) -> Path:
    """An empty folder with small studies, in which commands run; other tests look at pictures."""
    (tmp_path / "experiments").mkdir()
    for path in ROOT.glob("experiments/*.toml"):
        small = reduced(tomllib.loads(path.read_text(encoding="utf-8")))
        (tmp_path / "experiments" / path.name).write_text(tomli_w.dumps(small), encoding="utf-8")
    shutil.copytree(ROOT / "results" / "headline", tmp_path / "results" / "headline")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def reduced(study: dict[str, Any]) -> dict[str, Any]:
    """A study that computes next to nothing and still says the same."""
    fewer = {"lhs": 24, "sobol": 4, "morris": 4}
    design = study.get("design", {})
    if "samples" in design:
        design["samples"] = fewer[design["kind"]]
    varied = str(design)
    sizes = {name: n for name, n in (("systems", 1), ("organisations", 2), ("managers", 2)) if name not in varied}
    return {**study, "seeds": 2, "parameters": {**study.get("parameters", {}), **sizes}}


def commands(block: Block) -> Iterator[list[str]]:
    """The commands of a block of shell, comments left out."""
    for line in block.text.replace("\\\n", " ").splitlines():
        for command in line.split("&&"):
            if words := shlex.split(command, comments=True):
                yield words


def call(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a command of ours here; it must succeed."""
    make_answers_small(monkeypatch)
    monkeypatch.setattr(
        sys, "argv", ["sim", *arguments, *(more for word in SMALL if word in arguments for more in SMALL[word])]
    )
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert not stop.value.code, arguments


def understood(arguments: list[str]) -> None:
    """Whether the command and its options exist."""
    command = typer.main.get_command(cli.app).commands[arguments[0]]  # type: ignore[attr-defined]
    command.make_context(arguments[0], arguments[1:])


@named
def test_shell_can_be_read(document: Path) -> None:
    for block in blocks(document):
        if block.language == "sh":
            subprocess.run(["bash", "-n"], input=block.text, text=True, check=True)


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(document, id=document.name, marks=[pytest.mark.slow] if document.name == "presenters.md" else [])
        for document in DOCUMENTS
    ],
)
def test_commands_and_code_run_in_their_order(
    document: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs: dict[str, Callable[[Block], None]] = {"python": run_python, "sh": lambda block: run_shell(block, monkeypatch)}
    parses = {"python": lambda block: compile(block.text, "block", "exec"), "sh": parse_shell, "toml": read_toml}
    todo = parses if document.name in PARSED_ONLY else parses | runs
    for block in blocks(document):
        if block.language in todo and block.mark != "fresh":  # the fresh block is what .ci/run begins with
            (todo if has(block.mark) else parses)[block.language](block)


def has(mark: str) -> bool:
    """Whether the packages are here that a block with this mark needs; those of no other are not installed by us."""
    return all(importlib.util.find_spec(package) for package in OPTIONAL.get(mark, ()))


def run_python(block: Block) -> None:
    with warnings.catch_warnings():
        if block.mark:  # others' packages may warn
            warnings.simplefilter("ignore")
        exec(compile(block.text, "block", "exec"), {"__name__": "__main__"})  # our own documents, in a test


def run_shell(block: Block, monkeypatch: pytest.MonkeyPatch) -> None:
    for words in commands(block):
        if words[0] == "sim" and not set(words) & set(NOT_RUN):
            call(words[1:], monkeypatch)
        else:
            parse(words)


def parse_shell(block: Block) -> None:
    if not block.text.startswith("#!"):
        for words in commands(block):
            parse(words)


def parse(words: list[str]) -> None:
    if words[0] == "sim":
        understood(words[1:])
    else:
        assert words[0] in NOT_OURS, f"nothing tests this command: {shlex.join(words)}"


def read_toml(block: Block) -> None:
    """Patterns are patterns, all else is a study."""
    table = tomllib.loads(block.text)
    if "pattern" in table:
        Path("patterns.toml").write_text(block.text, encoding="utf-8")
        assert len(load("patterns.toml").patterns) == len(table["pattern"])
    else:
        assert Study.from_dict(table).size


@named
def test_commands_in_sentences_exist(document: Path) -> None:
    for command in INLINE.findall(prose(document).partition("### Removed")[0]):
        understood(shlex.split(command))


def test_a_command_that_does_not_exist_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AssertionError):
        call(["parameters", "feer"], monkeypatch)
    with pytest.raises(AssertionError):
        parse(["curl", "example"])
    with pytest.raises(typer.BadParameter.__mro__[2]):
        understood(["run", "experiments/surveillance.toml", "--nonsense"])


# The lists of places to touch


def sections() -> dict[str, str]:
    """The sections of extending.md that follow a name, by that name."""
    text = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    parts = re.split(r"^## ", text, flags=re.M)
    return {found[1]: part for part in parts if (found := re.search(r"[Ff]ollow `([^`]+)`", part))}


def test_there_is_a_list_for_everything_that_can_be_added() -> None:
    assert len(sections()) == 5


@pytest.mark.parametrize("name", sections())
def test_a_list_names_every_place_and_no_other(name: str) -> None:
    word = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
    places = PLACE.findall(sections()[name])
    for path, anchor in places:
        text = (ROOT / path).read_text(encoding="utf-8")
        assert anchor in text, f"{path} has no {anchor}"
        assert word.search(text), f"{path} does not name {name}"
    package = (path for path in ROOT.glob("sim/**/*") if path.suffix in (".py", ".toml"))
    found = {str(path.relative_to(ROOT)) for path in package if word.search(path.read_text(encoding="utf-8"))}
    assert found == {path for path, _ in places if path.startswith("sim/")}


def test_a_mechanism_of_parameters_that_exist_needs_the_vocabulary_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    dummy = Mechanism("dummy", "for", ("burden", "gaming_max"), "Nothing in particular.")
    monkeypatch.setitem(MECHANISMS, "dummy", dummy)
    off = resolve(mechanisms_off=["dummy"])
    assert (off.burden, off.gaming_max) == (0.0, 0.0)
    assert "| `dummy` | dummy | `burden`, `gaming_max` |" in generate().BLOCKS["mechanisms"]()

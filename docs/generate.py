"""Rewrite everything that is generated: tables in the documents, snapshots of the tests, and the page's engine.

    python docs/generate.py

A block of a document begins with a line ``<!-- generated: NAME -->``, NAME being one of `BLOCKS`, and ends with ``<!--
end -->``; the blocks of `experiments/README.md` are made by `experiments/gallery.py`, the snapshots by
`tests/update_baseline.py`, the page's engine by `sim.report.live.build`, which needs a linker. A file that is right
stays as it is. A test fails where a file and the code differ.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import json
import os
import re
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, cached_property
from itertools import groupby
from pathlib import Path
from types import ModuleType
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # this checkout, whatever copy is installed

import numpy as np
import pandas as pd

import sim
from sim.claims import choices, outline
from sim.claims.answer import ClaimReport, answer
from sim.claims.screen import as_claimed
from sim.claims.statements import CLAIMS
from sim.claims.text import depends
from sim.model import rules
from sim.model.glossary import joined
from sim.model.outcomes import OUTCOMES, POST_COLUMNS, Outcome
from sim.model.parameters import COEFFICIENTS, LEVERS, MECHANISMS, PARAMETERS, REGIMES, SIZES, SPREADS, Declaration
from sim.model.streams import APPOINTMENT, KEYED, MONTHLY, PERSON
from sim.model.tables import Table
from sim.model.version import identity
from sim.model.words import label
from sim.worlds import validation
from sim.worlds.candidates import CANDIDATES
from sim.worlds.ensemble import Ensemble, load
from sim.worlds.prior import COLUMNS

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("model", "study", "worlds", "claims", "questions", "plots", "report")
_BLOCK = re.compile(r"(<!-- generated: ([a-z0-9_ ]+) -->\n).*?(<!-- end -->)", re.S)
_ELSEWHERE = "What is counted afterwards"
ELSEWHERE, _LONGEST_DEFAULT = object(), 25


def filled(text: str) -> str:
    """A document with every generated block as the code has it now."""
    return _BLOCK.sub(lambda found: f"{found[1]}\n{BLOCKS[found[2]]()}\n\n{found[3]}", text)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


_IDENTIFIED = (
    (re.compile(r"\b(?:doi )?(10\.\d{4,}/[^\s,:;]+[^\s,:;.])"), r"[doi \1](https://doi.org/\1)"),
    (re.compile(r"\b(PMC\d{6,})\b"), r"[\1](https://pmc.ncbi.nlm.nih.gov/articles/\1/)"),
    (re.compile(r"\bNBER (\d{5})\b"), r"[NBER \1](https://www.nber.org/papers/w\1)"),
)


def linked(source: str) -> str:
    """A source with links where it has an identifier.

    >>> linked("Martin et al. 2016, doi 10.1111/peps.12100: 0.24")
    'Martin et al. 2016, [doi 10.1111/peps.12100](https://doi.org/10.1111/peps.12100): 0.24'
    """
    for identifier, link in _IDENTIFIED:
        source = identifier.sub(link, source)
    return source


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _range(low: float | None, high: float | None) -> str:
    return "" if low is None else f"{low:g} to {high:g}"


def _allowed(d: Declaration) -> str:
    """What may be given, without what goes without saying: "0 to 1"."""
    return d.allowed.removeprefix("a number ").removeprefix("from ")


def _levers() -> str:
    rows = (
        (f"`{d.name}`", _number(d.default), _allowed(d), _range(d.low, d.high), d.unit, d.meaning)
        for d in (PARAMETERS[name] for name in (*LEVERS, *SPREADS))
    )
    return _table(("lever", "default", "allowed", "drawn by ensembles", "unit", "meaning"), rows)


def _sizes() -> str:
    rows = ((f"`{name}`", _number(d.default), d.unit, d.meaning) for name, d in _declared(SIZES))
    return _table(("size", "default", "unit", "meaning"), rows)


def _declared(names: Iterable[str]) -> Iterator[tuple[str, Declaration]]:
    return ((name, PARAMETERS[name]) for name in names)


def _parameters() -> str:
    head = ("parameter", "default", "plausible range", "null", "allowed", "unit", "meaning")
    parts = []
    for group, found in groupby((PARAMETERS[name] for name in COEFFICIENTS), key=lambda d: d.group):
        rows = (
            (f"`{d.name}`", _number(d.default), _range(d.low, d.high), _number(d.null), _allowed(d), d.unit, d.meaning)
            for d in found
        )
        parts.append(f"**{group.capitalize()}**\n\n" + _table(head, rows))
    return "\n\n".join(parts)


def _mechanisms() -> str:
    rows = (
        (f"`{m.name}`", m.case, ", ".join(f"`{n}` = {PARAMETERS[n].null:g}" for n in m.parameters), m.meaning)
        for m in MECHANISMS.values()
    )
    return _table(("mechanism", "case", "switched off by", "what it says"), rows)


def _regimes() -> str:
    rows = (
        (f"`{r.name}`", ", ".join(f"`{name}` {value:g}" for name, value in r.levers.items()) or "none", r.meaning)
        for r in REGIMES.values()
    )
    return _table(("regime", "levers that it sets", "what it is"), rows)


def _values(outcome: Outcome) -> str:
    if outcome.low is None:
        return "any number"
    return f"{outcome.low:g} or more" if outcome.high is None else f"{outcome.low:g} to {outcome.high:g}"


def _outcomes(outcomes: Iterable[Outcome]) -> str:
    rows = ((f"`{o.name}`", o.unit, _values(o), o.meaning) for o in outcomes)
    return _table(("outcome", "unit", "values", "meaning"), rows)


def _post_columns() -> str:
    """What is kept of a post: the names of outcomes that are told already, then a table of the others."""
    told = [name for name, o in POST_COLUMNS.items() if OUTCOMES.get(name) == o]
    return f"{_code(told)}.\n\n" + _outcomes(o for name, o in POST_COLUMNS.items() if name not in told)


def _starts() -> str:
    return (
        f"Managers start with fear {rules.START_FEAR:g}, trust {rules.START_TRUST:g}, confidence "
        f"{rules.START_CONFIDENCE:g} and cooperation {rules.START_COOPERATION:g}; organisations with safety "
        f"{rules.START_SAFETY:g} and reputation {rules.START_REPUTATION:g}."
    )


def _streams() -> str:
    """The streams in the order in which their numbers stand."""
    return "\n".join(
        (
            f"- Monthly, a uniform number for each post and month: {_code(MONTHLY)}.",
            f"- Looked up by index and count: {_code(KEYED)}.",
            f"- A person's numbers, in `newcomer` and `rival`: {_code(PERSON)}.",
            f"- An appointment's numbers, in `appointment`: {_code(APPOINTMENT)}.",
        )
    )


def _rules() -> Iterator[tuple[str, ast.FunctionDef]]:
    """The heading that each rule of the rule book stands under, and the rule."""
    text = (ROOT / "sim" / "model" / "rules.py").read_text(encoding="utf-8")
    headings = [(n, line[2:]) for n, line in enumerate(text.splitlines(), 1) if re.match(r"# (\d+\.|What) ", line)]
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            yield next((heading for n, heading in reversed(headings) if n < node.lineno), ""), node


def _equations(step: str) -> str:
    """The rules of a step, each by name and in the words of its docstring, without its sources."""
    found = [node for heading, node in _rules() if heading.partition(".")[0] == step]
    return "```text\n" + "\n".join(f"{node.name}\n{_said(node)}" for node in found) + "\n```"


def _said(node: ast.FunctionDef) -> str:
    text = re.sub(r"\s*\bSource: .*$", "", ast.get_docstring(node) or "", flags=re.S)
    text = re.sub(r"(?<=\.)\s+Assumption\.$", "", text.strip())
    return "\n".join(f"    {line}" for line in text.splitlines() if line)


_HOW_SURE = {"S": "stated by the source", "D": "computed again", "2": "second-hand"}


def _evidence() -> dict[str, Any]:
    return tomllib.loads((ROOT / "sim" / "worlds" / "patterns.toml").read_text(encoding="utf-8"))


def _levers_of(policy: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in policy.items())


def _measured(pattern: dict[str, Any]) -> str:
    """What is looked at in the model, in words."""
    kind = pattern["kind"]
    if kind == "correlation":
        return f"correlation of {pattern['x']} and {pattern['y']} over posts"
    if kind == "level":
        how = {"complement": "1 - ", "yearly_hazard": "the chance in a year that follows from monthly "}.get(
            pattern.get("transform", ""), ""
        )
        return f"national mean of {how}{pattern['outcome']}"
    if kind == "bunching":
        return "posts that report just enough, less those that honestly would"
    before, after = _levers_of(pattern["before"]), _levers_of(pattern["after"])
    what = "change in {}" if kind == "contrast" else "share of posts in which {} falls"
    return f"{what.format(pattern['outcome'])} from ({before}) to ({after})"


def _patterns() -> str:
    rows = (
        (f"`{p['id']}`", _measured(p), f"{p['value']:g} ± {p['sd']:g}", _HOW_SURE[p["confidence"]], linked(p["source"]))
        for p in _evidence()["pattern"]
    )
    return _table(("pattern", "measured in the model as", "finding ± tolerance", "how sure", "source"), rows)


def _calibrations() -> str:
    """What is known of each calibration that is shipped, and which coordinates move slowest and fastest."""
    rows, jumps = [], []
    for prior in ("main", "all_on"):
        pooled = load(prior=prior)
        for run, made in zip(pooled.log_z, pooled.provenance["calibrations"], strict=True):
            mine, last = pooled.calibrations == run, made["bridge"][-1]
            if prior == "main":
                jumps.append(last["jumps"])
            numbers = [f"{pooled.log_z[run]:.2f}", f"{pooled.weights[mine].sum():.3f}", f"{mine.sum()}",
                       f"{len(np.unique(pooled.ancestors[mine]))}", f"{made['surveys']:,}",
                       f"{100 * np.mean(last['accepted']):.0f} %"]  # fmt: skip
            rows.append([f"{prior} {run}", *numbers])
    moved = np.mean(jumps, axis=0)
    order = np.argsort(moved)
    few = [f"`{COLUMNS[k]}` {moved[k]:.2f}" for k in (*order[:3], *order[-3:])]
    told = (
        "In a sweep of moves of the main prior a coordinate's mean squared jump, of what independent draws would have, "
        f"is between {moved.min():.2f} and {moved.max():.2f}: {joined(few[:3])} are slowest, {joined(few[3:])} fastest."
    )
    head = ("calibration", "log Z", "weight", "worlds", "ancestors of theirs", "surveys", "moves accepted")
    return f"{_table(head, rows)}\n\n{textwrap.fill(told, 120)}"


def _survey() -> str:
    def told(value: float | list[float]) -> str:
        return f"{value:g}" if not isinstance(value, list) else f"{value[0]:g} to {value[1]:g}"

    return ", ".join(f"`{name}` {told(value)}" for name, value in _evidence()["survey"].items()) + "."


def _validation() -> str:
    """Findings that nothing is fitted to, and what the first version of the model made of them."""

    def before(share: float | None) -> str:
        return "not tried" if share is None else f"{100 * share:.0f} %"

    rows = (
        (
            f.id,
            f.text + (f" It prompted `{f.prompted}`." if f.prompted else ""),
            linked(f.source),
            before(f.first_model),
        )
        for f in validation.read()[1]
    )
    return _table(("id", "finding", "source", "first version"), rows)


def _candidates() -> str:
    """What each study that could be made would tell, and how exactly."""
    tells: dict[tuple[str, str], list[str]] = {}
    for c in CANDIDATES:
        study = (c.study.asked, f"{c.study.people:,} in {c.study.trusts}")
        tells.setdefault(study, []).append(f"{c.words} (`{c.id}` ± {c.sd:.2g})")
    rows = ((*study, "; ".join(told)) for study, told in tells.items())
    return _table(("who is asked", "people in trusts", "what it would tell (statistic ± tolerance)"), rows)


def _sources() -> str:
    rows = (
        (f"`{d.name}`", _number(d.default), linked(d.source)) for d in PARAMETERS.values() if d.source != "assumption"
    )
    return _table(("value", "default", "informed by"), rows)


def _modules() -> str:
    """Every module with the first sentence of its docstring, folder by folder."""
    parts = []
    for folder in ("sim", *(f"sim/{room}" for room in ROOMS)):
        rows = [(f"`{path.name}`", _first_sentence(path)) for path in sorted((ROOT / folder).glob("*.py"))]
        parts.append(f"**{folder}/**\n\n" + _table(("module", "what is in it"), [row for row in rows if row[1]]))
    return "\n\n".join(parts)


def _first_sentence(path: Path) -> str:
    return _sentence(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "")


def _sentence(docstring: str) -> str:
    """The first sentence of a docstring, on one line."""
    return re.split(r"(?<=[.?!])\s+(?=[A-Z])", " ".join(docstring.split("\n\n", maxsplit=1)[0].split()))[0]


def _api() -> str:
    """The public names by subject: how each is called, what it is, and for a class its public members."""
    parts = []
    for subject, names in sim.PUBLIC.items():
        parts.append(f"## {subject}")
        for name in names:
            thing = getattr(sim, name)
            shown = type(thing).__call__ if isinstance(thing, ModuleType) else thing
            callable_ = inspect.isfunction(shown) or (inspect.isclass(shown) and name != "Parameters")
            parts += [f"### `sim.{name}{_signature(shown) if callable_ else ''}`", _told(thing)]
            owner = {"worlds": Ensemble}.get(name, thing)
            if inspect.isclass(owner) and (rows := list(_members(owner))):
                parts.append(_table(("member", "what it is"), rows))
    return "\n\n".join(parts)


def _signature(thing: Any) -> str:
    """How a thing is called, without types; defaults that take more than a word are left out."""
    found, bare = inspect.signature(thing), []
    for name, p in found.parameters.items():
        default = ELSEWHERE if len(repr(p.default)) > _LONGEST_DEFAULT and p.default is not p.empty else p.default
        if name not in ("self", "cls"):
            bare.append(p.replace(annotation=p.empty, default=default))
    return str(found.replace(parameters=bare, return_annotation=inspect.Signature.empty)).replace(
        repr(ELSEWHERE), "..."
    )


def _told(thing: Any) -> str:
    """The first paragraphs of a docstring; of a table its columns."""
    if isinstance(thing, Table):
        some = next(iter(thing.values()))
        columns = _code(field.name for field in dataclasses.fields(some))
        return f"{len(thing)} entries by name, each with {columns}; `.frame()` gives a DataFrame."
    if isinstance(thing, str):
        return f'"{thing}"'
    text = inspect.getdoc(thing) or ""
    return re.split(r"\n\n(?=\w+\n-+\n|>>> )", text)[0].replace("``", "`")


def _members(owner: type) -> Iterator[tuple[str, str]]:
    ours = [kind for kind in owner.__mro__ if kind.__module__.startswith("sim.")]
    members = {name: member for kind in reversed(ours) for name, member in vars(kind).items()}
    for name, member in members.items():
        function = getattr(member, "func", None) or getattr(member, "fget", None) or getattr(member, "__func__", member)
        if name.startswith("_") or not inspect.isfunction(function) or not (text := inspect.getdoc(function)):
            continue
        is_value = isinstance(member, property | cached_property)
        call = "" if is_value else _signature(function)
        yield (
            f"`{name}{call}`",
            re.split(r"(?<=[.?!])\s+(?=[A-Z])", " ".join(text.split("\n\n")[0].split()))[0].replace("``", "`"),
        )


def _commands() -> str:
    import typer  # noqa: PLC0415

    from sim.cli import app  # noqa: PLC0415

    commands: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    rows = (
        (f"`sim {name}`", " ".join((command.help or "").split("\n\n")[0].split())) for name, command in commands.items()
    )
    return _table(("command", "what it does"), rows)


def _causal() -> str:
    """What is in each box of the causal picture."""
    return _table(("box", "mechanisms in it"), causal().table())


_IN_A_LESSON = ("monitoring", "targets", "punitiveness", "discernment", "leniency", "relationship")
_MEASURED = (
    "fear",
    "trust",
    "toxic",
    "silence",
    "initiative_rate",
    "quality",
    "harm",
    "reported",
    "gaming",
    "time_left",
)


def _glossary() -> str:
    """The words of a lesson: levers and outcomes with the first sentences of their meanings."""
    levers = ((f"`{name}`", PARAMETERS[name].meaning) for name in _IN_A_LESSON)
    outcomes = ((f"`{name}`", OUTCOMES[name].meaning) for name in _MEASURED)
    return _table(("name", "what it means"), (*levers, *outcomes))


def causal() -> ModuleType:
    """The module that draws the causal picture, which lies beside this file."""
    sys.path.insert(0, str(ROOT / "docs"))
    return importlib.import_module("causal")


@cache
def _stored() -> ClaimReport:
    """The answer that comes with the package, read once."""
    return answer()


def _answer() -> str:
    """What `sim claim` prints."""
    return f"```text\n{_stored()}```"


def _reading() -> str:
    """The answer in sentences: what each policy of the main picture does, how much of it goes through fear, and what
    can be chosen."""
    found = _stored()
    path = next(row for row in found.rows("path_through_fear") if row["outcome"] == "initiative_rate")
    told = [f"{outline.in_most(group.heading, group.rows)}." for group in outline.groups(found)]
    told.append(
        f"Of what surveillance takes from trying something new, {100 * path['part']:.0f} % ({100 * path['low']:.0f} to "
        f"{100 * path['high']:.0f}) goes through fear."
    )
    told += choices.sentences(found.rows("regrets"), found.rows("against_baseline"))
    return "\n".join(textwrap.fill(f"- {line}", 118, subsequent_indent="  ") for line in told)


def _versions() -> str:
    """Each claim's primary outcome in the answer of the first model and in today's."""
    first = pd.read_csv(ROOT / "results" / "first_version" / "claims.csv").drop_duplicates(["claim", "outcome"])
    then = first.set_index(["claim", "outcome"]).to_dict("index")
    headings, rows = {claim.id: claim.heading for claim in CLAIMS}, []
    for claim, row in outline.primary_rows(_stored()).items():
        old, before = then.get((claim, row["outcome"])), ["was not asked", ""]
        if old is not None:
            shares = [f"{100 * old[name]:.0f}" for name in ("supported", "negligible", "opposed", "undecided")]
            before = [old["verdict"], "" if pd.isna(old["supported"]) else " / ".join(shares)]
        told = f"{row['verdict']}{'' if depends(row) else ', robust'}"
        rows.append([headings[claim], label(row["outcome"]), *before, told, " / ".join(map(str, as_claimed(row)))])
    return _table(["claim", "outcome", "first model", "of 100", "this model", "of 100"], rows)


def _halves() -> str:
    """How many verdicts both halves of the calibrations give, and which not."""
    rows, headings = _stored().rows("halves"), {claim.id: claim.heading for claim in CLAIMS}
    other = []
    for row in rows:
        if not row["same"]:
            found = [f"{row[f'verdict_{half}']} in {100 * row[f'share_{half}']:.1f} ± "
                     f"{100 * row[f'share_error_{half}']:.1f} of 100 worlds of the {half} half"
                     for half in ("first", "second")]  # fmt: skip
            other.append(f"{headings[row['claim']]} ({label(row['outcome'])}): {', '.join(found)}")
    same = f"{len(rows) - len(other)} of {len(rows)} verdicts are the same in both halves."
    return "\n".join([same, *(f"- {line}." for line in other)]) if other else same


BLOCKS: dict[str, Callable[[], str]] = {
    "levers": _levers,
    "sizes": _sizes,
    "parameters": _parameters,
    "mechanisms": _mechanisms,
    "regimes": _regimes,
    "outcomes": lambda: _outcomes(OUTCOMES.values()),
    "post columns": _post_columns,
    "starts": _starts,
    "streams": _streams,
    **{f"equations {step}": lambda step=str(step): _equations(step) for step in range(1, 14)},  # type: ignore[misc]
    "equations afterwards": lambda: _equations(_ELSEWHERE),
    "patterns": _patterns,
    "calibrations": _calibrations,
    "survey": _survey,
    "validation": _validation,
    "candidates": _candidates,
    "sources": _sources,
    "modules": _modules,
    "api": _api,
    "causal": _causal,
    "glossary": _glossary,
    "commands": _commands,
    "answer": _answer,
    "reading": _reading,
    "versions": _versions,
    "halves": _halves,
}
"""The blocks by name, each a function that gives its text."""


def main() -> None:
    """Rewrite every generated block, the snapshots and the page's engine where they differ from the code."""
    sys.path += [str(ROOT / "experiments"), str(ROOT / "tests")]
    import gallery  # noqa: PLC0415
    import update_baseline  # noqa: PLC0415

    ours = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md")), ROOT / "results" / "README.md"]
    for path, fill in [*((path, filled) for path in ours), (gallery.README, gallery.filled)]:
        text = path.read_text(encoding="utf-8")
        if (new := fill(text)) != text:
            path.write_text(new, encoding="utf-8")
            print(f"{path.relative_to(ROOT)}: rewritten")
    if not causal().is_fresh():
        causal().write()
        print("docs/causal.svg and docs/causal.png: rewritten")
    update_baseline.main()
    page = ROOT / "sim" / "report" / "live" / "engine.json"
    if json.loads(page.read_text(encoding="utf-8"))["identity"] != identity():
        build = [sys.executable, "-m", "sim.report.live.build"]
        subprocess.run(build, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False)  # it says what it lacks


if __name__ == "__main__":
    main()

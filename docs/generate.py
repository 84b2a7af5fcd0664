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
from sim.claims.structure import MAIN, NO_VERDICT, changed, headline
from sim.claims.text import depends
from sim.model import rules
from sim.model.outcomes import OUTCOMES, POST_COLUMNS, Outcome
from sim.model.parameters import COEFFICIENTS, LEVERS, MECHANISMS, PARAMETERS, REGIMES, SIZES, SPREADS, Declaration
from sim.model.streams import APPOINTMENT, KEYED, MONTHLY, PERSON
from sim.model.tables import Table
from sim.model.version import identity
from sim.model.words import clause, label, phrase
from sim.worlds import validation
from sim.worlds.candidates import CANDIDATES
from sim.worlds.ensemble import Ensemble, load

ROOT = Path(__file__).resolve().parent.parent
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


def _drawn(d: Declaration) -> str:
    """A default, with the range that ensembles draw from where there is one: "0.35 (0.05–0.6)"."""
    if d.low is None or d.low == d.high:
        return f"{d.default:g}"
    between = "–" if d.low >= 0 else " to "
    return f"{d.default:g} ({d.low:g}{between}{d.high:g})"


def _levers() -> str:
    rows = ((f"`{name}`", _drawn(d), phrase(name)) for name, d in _declared((*LEVERS, *SPREADS)))
    return _table(("lever", "default (drawn from)", "what it sets"), rows)


def _sizes() -> str:
    return "; ".join(f"`{name}` {d.default:g}, {phrase(name)}" for name, d in _declared(SIZES)) + "."


def _declared(names: Iterable[str]) -> Iterator[tuple[str, Declaration]]:
    return ((name, PARAMETERS[name]) for name in names)


def _parameters() -> str:
    rows: list[Sequence[str]] = []
    for group, found in groupby((PARAMETERS[name] for name in COEFFICIENTS), key=lambda d: d.group):
        rows.append((f"**{group}**", "", ""))
        rows += ((f"`{d.name}`", _drawn(d), phrase(d.name)) for d in found)
    return _table(("parameter", "default (drawn from)", "in few words"), rows)


def _mechanisms() -> str:
    rows: list[Sequence[str]] = []
    for case in ("for", "against"):
        rows.append((f"**{case}**", "", ""))
        rows += ((f"`{m.name}`", clause(m.name), ", ".join(_null(PARAMETERS[name]) for name in m.parameters))
                 for m in MECHANISMS.values() if m.case == case)  # fmt: skip
    return _table(("mechanism", "what it says", "parameters that switch it off"), rows)


def _null(d: Declaration) -> str:
    return f"`{d.name}`" if d.null == 0 else f"`{d.name}` = {d.null:g}"


def _regimes() -> str:
    return _listed(
        (r.name, ", ".join(f"`{name}` {value:g}" for name, value in r.levers.items()) or "none")
        for r in REGIMES.values()
    )


def _listed(named: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"- `{name}`: {text}" for name, text in named)


def _outcomes(outcomes: Iterable[Outcome]) -> str:
    return _listed((o.name, _sentence(o.meaning)) for o in outcomes)


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
        (f"`{p['id']}`", _measured(p), f"{p['value']:g} ± {p['sd']:g} ({p['confidence']})", linked(p["source"]))
        for p in _evidence()["pattern"]
    )
    return _table(("pattern", "measured in the model as", "finding ± tolerance", "source"), rows)


def _calibrations() -> str:
    """What is known of the calibrations that are shipped, the least and the most of each prior's runs."""
    head = ("prior", "runs", "log Z", "weight", "worlds", "ancestors", "surveys", "moves accepted")
    return _table(head, (_calibrated(name, load(prior=name)) for name in ("main", "all_on")))


def _calibrated(prior: str, pooled: Ensemble) -> list[str]:
    made = pooled.provenance["calibrations"]
    weights = [pooled.weights[pooled.calibrations == run].sum() for run in pooled.log_z]
    accepted = [100 * np.mean(one["bridge"][-1]["accepted"]) for one in made]
    return [f"`{prior}`", f"{len(made)}", _between(pooled.log_z.values(), "{:.2f}"), _between(weights, "{:.2f}"),
            f"{pooled.weights.size:,}", f"{pooled.distinct_ancestors:,}",
            f"{sum(one['surveys'] for one in made):,}", f"{_between(accepted, '{:.0f}')} %"]  # fmt: skip


def _between(values: Iterable[float], form: str) -> str:
    low, *_, high = sorted(values)
    return f"{form.format(low)} to {form.format(high)}"


def _survey() -> str:
    def told(value: float | list[float]) -> str:
        return f"{value:g}" if not isinstance(value, list) else f"{value[0]:g} to {value[1]:g}"

    return ", ".join(f"`{name}` {told(value)}" for name, value in _evidence()["survey"].items()) + "."


def _validation() -> str:
    """Findings that nothing is fitted to."""
    return "\n".join(f"- {f.id}: {f.text}{f' It prompted `{f.prompted}`.' if f.prompted else ''}"
                     for f in validation.read()[1])  # fmt: skip


def _candidates() -> str:
    """What each study that could be made would tell."""
    tells: dict[str, list[str]] = {}
    for c in CANDIDATES:
        tells.setdefault(f"{c.study.asked} ({c.study.people:,} people)", []).append(c.id)
    return "\n".join(f"- {study}: {_code(ids)}." for study, ids in tells.items())


def _sources() -> str:
    return _code(d.name for d in PARAMETERS.values() if d.source != "assumption") + "."


def _sentence(docstring: str) -> str:
    """The first sentence of a docstring, on one line."""
    return re.split(r"(?<=[.?!])\s+(?=[A-Z0-9])", " ".join(docstring.split("\n\n", maxsplit=1)[0].split()))[0]


def _api() -> str:
    """The public names by subject: how each is called, what it is, and for a class its public members."""
    parts = []
    for subject, names in sim.PUBLIC.items():
        parts.append(f"## {subject}")
        for name in names:
            thing = getattr(sim, name)
            shown = type(thing).__call__ if isinstance(thing, ModuleType) else thing
            callable_ = inspect.isfunction(shown) or (inspect.isclass(shown) and name != "Parameters")
            told = f"**`sim.{name}{_signature(shown) if callable_ else ''}`** {_told(thing)}"
            owner = {"worlds": Ensemble}.get(name, thing)
            members = [*_members(owner)] if inspect.isclass(owner) else []
            values = _code(call for call, _ in members if not call.endswith(")"))
            methods = [f"- `{call}`: {text}" for call, text in members if call.endswith(")")]
            parts.append("\n".join((told, *([f"- Values: {values}."] if values else []), *methods)))
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
    """The first sentence of a docstring; of a table its columns."""
    if isinstance(thing, Table):
        some = next(iter(thing.values()))
        return f"{len(thing)} entries with {_code(field.name for field in dataclasses.fields(some))}."
    return f'"{thing}"' if isinstance(thing, str) else _sentence(inspect.getdoc(thing) or "").replace("``", "`")


def _members(owner: type) -> Iterator[tuple[str, str]]:
    """The public members of a class: how each is called, and its first sentence without what explains it further."""
    ours = [kind for kind in owner.__mro__ if kind.__module__.startswith("sim.")]
    members = {name: member for kind in reversed(ours) for name, member in vars(kind).items()}
    for name, member in members.items():
        function = getattr(member, "func", None) or getattr(member, "fget", None) or getattr(member, "__func__", member)
        if name.startswith("_") or not inspect.isfunction(function) or not (text := inspect.getdoc(function)):
            continue
        call = "" if isinstance(member, property | cached_property) else _signature(function)
        yield f"{name}{call}", re.split(r"[;:] ", _sentence(text).replace("``", "`"))[0].rstrip(".") + "."


def _causal() -> str:
    """What is in each box of the causal picture."""
    return "\n".join(f"- {box.text}: {_code(box.names)}." for box in causal().MECHANISM_BOXES.values())


_IN_A_LESSON = ("monitoring", "targets", "punitiveness", "discernment", "leniency", "relationship")
_MEASURED = ("fear", "trust", "silence", "initiative_rate", "quality", "harm", "reported")


def _glossary() -> str:
    """The words of a lesson: what levers set, and outcomes with the first sentences of their meanings."""
    told = {name: f"(lever) {phrase(name)}" for name in _IN_A_LESSON}
    told |= {name: _sentence(OUTCOMES[name].meaning) for name in _MEASURED}
    return _listed(told.items())


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


def structural() -> pd.DataFrame:
    """The verdicts that are others than the answer's by the rule, a row for each claim and choice of structure."""
    table = pd.DataFrame(_stored().rows("structure"))
    return table[(table["choice"] != MAIN) & (table["differs"] == "yes") & (table["verdict"] != NO_VERDICT)]


def _reading() -> str:
    """The answer in sentences: what each policy of the main picture does, how much of it goes through fear, what can be
    chosen, and how often it is another one where the model is."""
    found, primary = _stored(), outline.primary_rows(_stored())
    parts = [100 * row["part"] for row in found.rows("path_through_fear") if row["outcome"] == "initiative_rate"]
    told = [f"{outline.in_most(group.heading, group.rows)}." for group in outline.groups(found)]
    told.append(
        f"Without the fear, {min(parts):.0f} to {max(parts):.0f} % of the net fall in trying something new would not "
        "be there, by three definitions; what else surveillance does to it cancels out, or nearly."
    )
    told += choices.sentences(found.rows("regrets"), found.rows("against_baseline"))
    other = structural().value_counts("claim")
    weak = [f"“{claim.heading}” under {other[claim.id]}" for claim in CLAIMS
            if claim.id in other and not depends(primary[claim.id])]  # fmt: skip
    kept = headline(pd.DataFrame(found.rows("structure")))
    told.append(f"{kept}. Of those without † these have another verdict: {', '.join(weak)}.")
    return "\n".join(textwrap.fill(f"- {line}", 118, subsequent_indent="  ") for line in told)


def _versions() -> str:
    """Each claim's primary outcome in the answer of the first model and in today's."""
    first = pd.read_csv(ROOT / "results" / "first_version" / "claims.csv").drop_duplicates(["claim", "outcome"])
    then = first.set_index(["claim", "outcome"]).to_dict("index")
    headings, rows = {claim.id: claim.heading for claim in CLAIMS}, []
    limits = {(row["claim"], row["contrast"], row["outcome"]): row for row in _stored().rows("first_limits")}
    for claim, row in outline.primary_rows(_stored()).items():
        old, before = then.get((claim, row["outcome"])), ["was not asked", ""]
        if old is not None:
            shares = [f"{100 * old[name]:.0f}" for name in ("supported", "negligible", "opposed", "undecided")]
            before = [old["verdict"], "" if pd.isna(old["supported"]) else " / ".join(shares)]
        told = f"{row['verdict']}{'' if depends(row) else ', robust'}"
        under = limits[claim, row["contrast"], row["outcome"]] | {"sign": row["sign"], "direction": row["direction"]}
        shares = [" / ".join(map(str, as_claimed(each))) for each in (row, under)]
        rows.append([headings[claim], label(row["outcome"]), *before, told, shares[0], under["verdict"], shares[1]])
    return _table(
        ["claim", "outcome", "first model", "of 100", "this model", "of 100", "under the first limits", "of 100"], rows
    )


def _structure() -> str:
    """Which verdicts are others where something was done otherwise."""
    rest, lines = structural(), [f"{headline(pd.DataFrame(_stored().rows('structure')))}.", ""]
    for claim in CLAIMS:
        mine = rest[rest["claim"] == claim.id]
        if not mine.empty:
            clear = mine[changed(mine)].groupby("verdict", sort=False)["label"]
            told = "; ".join(f"**{verdict}** under: {'; '.join(which)}" for verdict, which in clear)
            also = f"; by point estimates too {told}" if told else ""
            lines.append(f"- {claim.heading}: another verdict under {len(mine)}{also}.")
    return "\n".join(textwrap.fill(line, 119, subsequent_indent="  ", break_on_hyphens=False) for line in lines)


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
    "api": _api,
    "causal": _causal,
    "glossary": _glossary,
    "answer": _answer,
    "reading": _reading,
    "versions": _versions,
    "halves": _halves,
    "structure": _structure,
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

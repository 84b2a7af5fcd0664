"""The report on the claims: its pictures, its sentences, the shares of worlds, how it was done, how to do it again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from sim import files
from sim.claims.answer import ClaimReport, Reply
from sim.claims.statements import CLAIMS, Claim
from sim.claims.stored import NAME, parquet
from sim.claims.text import is_number, rows_of
from sim.claims.verdict import CLASSES
from sim.model.glossary import percent, signed_numbers
from sim.model.words import label
from sim.plots import theme
from sim.plots.answer import pictures, structure_picture
from sim.report.html import Code, Section, Table, Text, numbered, report

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "Does close surveillance of managers help or harm? What plausible worlds say"


def of_claims(found: ClaimReport, figures: Mapping[str, Figure]) -> str:
    """The report on the claims as HTML; `figures` are `pictures` by name."""
    claims = [[claim.statement, *(" ".join(lines) for lines in found.about(claim))] for claim in found.claims]
    replies = [[reply.question, " ".join(reply.sentences)] for reply in found.replies]
    tables = [
        Table(
            "Claim by claim",
            ["claim", "what plausible worlds say", "why, and when it would be otherwise"],
            claims,
            "Shares of worlds, by weight. After a semicolon: what says something else when the evidence is used "
            "otherwise.",
        ),
        *([Table("Beside the claims", ["question", "what plausible worlds reply"], replies)] if replies else []),
    ]
    in_depth = [
        line
        for claim in found.claims
        for line in (f"{claim.id}: {claim.statement}", *chain(*found.about(claim, in_depth=True)))
    ]
    sections = [
        Section("What was found", [*numbered(figures, found.provenance, ".png and .svg"), *tables]),
        Section("The numbers", list(_numbers(found))),
        Section("Everything that was found, in sentences", [Text(in_depth)]),
        Section("How it was done", [Text(_methods(found))]),
        Section("What to keep in mind", [Text(found.caveats())]),
        Section("How to reproduce it", [Code("The command", _command(found))]),
    ]
    return report(TITLE, " ".join([*found.notes, found.headline()]), sections, found.provenance)


def _numbers(found: ClaimReport) -> Iterator[Table]:
    """The shares of worlds, whether each verdict holds, and the effects over worlds."""
    shares, effects, holds = [], [], []
    for row in [*rows_of(found.table), *({"claim": "", **row} for row in found.rows("vector"))]:
        contrast = [row["claim"], row["contrast"], label(row["outcome"])]
        if "delta" in row:
            told = [f"{percent(row[name])} ± {100 * row.get(f'{name}_error', float('nan')):.1f}"
                    for name in CLASSES.values()]  # fmt: skip
            shares.append([*contrast, row.get("side", ""), *told, row["verdict"], row["holds"]])
        ends = signed_numbers(*(row[name] for name in ("q05", "mean", "q95")))
        effects.append([*contrast, row["unit"], *ends, f"{row['delta']:.3g}" if "delta" in row else ""])
    for row in found.rows("holds"):
        change = f"{100 * row['change_share']:+.0f}" if is_number(row.get("change_share")) else ""
        holds.append([row["contrast"], label(row["outcome"]), row["column"], row["verdict"], change, row["status"]])
    head = ["claim", "contrast", "outcome"]
    note = "Shares of plausible worlds, by weight; ±: one standard error, in points. From claims.csv and vector.csv."
    columns = [*head, "side", "above", "within", "below", "verdict", "does it hold?"]
    yield Table("In how many plausible worlds an effect lies beyond what matters", columns, shares, note)
    columns = [*head, "unit", "5 %", "mean", "95 %", "what matters"]
    yield Table("The effects over worlds", columns, effects, "Weighted means, and quantiles over worlds.")
    columns = ["contrast", "outcome", "column", "verdict by point estimates", "change of the share", "status"]
    yield Table("Does it hold?", columns, holds, "The verdict formed again. From holds.csv.")


def _methods(found: ClaimReport) -> list[str]:
    ensemble = found.provenance["ensemble"]
    calibrated = (
        f"The worlds were drawn from the plausible ranges of all parameters, each mechanism off with chance "
        f"{ensemble['chance_off']:g}, and weighted by agreement with {len(found.tables['patterns'])} published "
        f"findings, in {ensemble['calibrations']} independent calibrations by tempered sequential Monte Carlo."
    )
    return [
        found.scale(),
        calibrated,
        "In each world every policy runs under the same seeds, so two policies differ only by what they do; pairs are "
        "run until an effect is known to a third of what matters. A verdict needs the interval of the mean effect and "
        "more than half of the worlds, by two errors, on one side of what matters. Errors delete one calibration at a "
        "time.",
    ]


def _command(found: ClaimReport) -> str:
    p, asked = found.provenance, found.provenance["effort"]
    commit = f"git checkout {p['commit'].rstrip('+')}\n" if p.get("commit") else ""
    name = f" {found.claims[0].id}" if len(found.claims) == 1 else ""
    full = " --run --full" if asked["draws"] else " --run"
    worlds = "" if asked["worlds"] is None else f" --worlds {asked['worlds']}"
    return (
        f"{commit}pip install -c constraints.txt .\nsim claim{name}{full}{worlds} "
        f"--systems {asked['systems']} --seed {p['seed']} "
        f"--months {p['sizes']['months']}"
    )


def save(report: ClaimReport, folder: str | Path) -> list[Path]:
    """Write tables, sentences, settings, provenance and figures to a folder, which is made where it is missing.

    Returns the paths written. The files of an earlier answer to the same claims are replaced. Raises `InputError`
    with one line where files cannot be written, and for a folder that holds anything else.
    """
    frames = {"claims": report.table, **report.tables}
    for reply in report.replies:
        frames |= reply.tables
    contents = {f"{name}.csv": files.csv(frame) for name, frame in frames.items() if len(frame)}
    contents["claims.parquet"] = parquet(report.table, report.provenance)
    contents["effects.parquet"] = parquet(report.effects, report.provenance)
    contents[NAME] = report.file()
    for name, told in {"settings": report.settings, "provenance": report.provenance}.items():
        contents[f"{name}.json"] = json.dumps(told, indent=2).encode() + b"\n"
    contents["claims.txt"] = str(report).encode()
    figures = pictures(report)
    for name, figure in figures.items():
        contents |= theme.drawn(figure, name, report.provenance, theme.finding(figure))
    contents["report.html"] = of_claims(report, figures).encode()
    return files.Folder(folder, answer_to(report.claims)).fill(dict(sorted(contents.items())))


def save_structure(report: ClaimReport, folder: str | Path) -> list[Path]:
    """Write the answer with its table ``structure`` as a file that `sim.claims.answer.answer` reads, and this table and
    its picture beside it. Raises `InputError` as `sim.files.Folder.fill`."""
    table = report.tables["structure"]
    contents = {NAME: report.file(), "structure.csv": files.csv(table)}
    figure = structure_picture(report)
    contents |= theme.drawn(figure, "structure", report.provenance, theme.finding(figure))
    return files.Folder(folder, STRUCTURE).fill(contents)


STRUCTURE = "the answer of sim claim under other choices"
"""What the folder of `save_structure` holds."""


def answer_to(claims: Sequence[Claim]) -> str:
    """What a folder with an answer holds: an answer to other claims is never written over it."""
    asked = "" if tuple(claims) == CLAIMS else "".join(f" {claim.id}" for claim in claims)
    return f"the answer of sim claim{asked}"


def save_reply(reply: Reply, question: str, folder: str | Path) -> list[Path]:
    """Write the tables of the reply to a question, given by its id, as CSV, and return their paths.

    Raises `InputError` as `sim.files.Folder.fill`.
    """
    contents = {f"{name}.csv": files.csv(table) for name, table in reply.tables.items()}
    return files.Folder(folder, reply_to(question)).fill(contents)


def reply_to(question: str) -> str:
    """What a folder with a reply holds: nothing else is written over it, nor it over anything else."""
    return f"the reply to the question {question}"

"""Everything that is written about an answer: the report, its pictures, tables and sentences."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim import files
from sim.claims.answer import ClaimReport, Reply
from sim.claims.statements import CLAIMS, Claim
from sim.claims.stored import NAME, parquet
from sim.plots import theme
from sim.plots.answer import pictures, structure_picture
from sim.report.html import Picture, picture
from sim.report.story import LIVE, REPORT, of_claims

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save(report: ClaimReport, folder: str | Path, live: bytes = b"") -> list[Path]:
    """Write tables, sentences, settings, provenance and figures to a folder, which is made where it is missing, and the
    `live` page beside them, if it is given.

    Returns the paths written. The files of an earlier answer to the same claims are replaced. Raises `InputError`
    with one line where files cannot be written, and for a folder that holds anything else.
    """
    frames = {"claims": report.table, **report.tables}
    for reply in report.replies:
        frames |= reply.tables
    large = {name: frames.pop(name) for name in (*frames,) if name.startswith("effects")}
    contents = {f"{name}.csv": files.csv(frame) for name, frame in frames.items() if len(frame)}
    for name, frame in {"claims": report.table, "effects": report.effects, **large}.items():
        contents[f"{name}.parquet"] = parquet(frame, report.provenance)
    contents[NAME] = report.file()
    for name, told in {"settings": report.settings, "provenance": report.provenance}.items():
        contents[f"{name}.json"] = json.dumps(told, indent=2).encode() + b"\n"
    contents["claims.txt"] = report.whole().encode()
    figures = pictures(report)
    for name, figure in figures.items():
        contents |= theme.drawn(figure, name, report.provenance, theme.finding(figure))
    contents |= {LIVE: live} if live else {}
    contents[REPORT] = of_claims(report, folded(figures, report.provenance), LIVE if live else "").encode()
    return files.Folder(folder, answer_to(report.claims)).fill(dict(sorted(contents.items())))


def folded(figures: Mapping[str, Figure], provenance: Mapping[str, Any]) -> dict[str, Picture]:
    """Pictures for the folds of the report, under what they found."""
    return {name: picture(figure, provenance, theme.finding(figure)) for name, figure in figures.items()}


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

"""The report on the claims: its pictures, its sentences, the shares of worlds, how it was done, how to do it again."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from sim import files
from sim.claims.answer import ClaimReport, Reply
from sim.claims.table import CLAIMS, HEADLINE, SURVEILLANCE, Claim
from sim.claims.text import VERDICTS, is_number, rows_of
from sim.model.glossary import label, percent, signed_numbers
from sim.plots import claims as drawings
from sim.plots import theme
from sim.report.html import Code, Section, Table, Text, picture, report

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HEADINGS = {claim.id: claim.heading for claim in CLAIMS}
TITLE = "Does close surveillance of managers help or harm? What plausible worlds say"


def pictures(found: ClaimReport) -> dict[str, Figure]:
    """Every picture of an answer, by the name of its file."""
    drawn = {page: drawings.claims_forest(found, page) for page in drawings.pages(found)}
    drawn |= dict(chain(_carried(found), _flipped(found)))
    if len(table := found.tables.get("patterns", pd.DataFrame())):
        table = table.rename(columns={"value": "target", "within": "within_two_tolerances"})
        drawn["evidence"] = drawings.model_against_evidence(table, _worlds(found.provenance["ensemble"]["worlds"]))
    for reply in found.replies:
        if "tipping_curve" in reply.tables:
            note = (
                "Fear above that of a paired run that stays at the lowest level: the mean, and 90 % of "
                f"{found.provenance['effort']['draws']} worlds drawn by weight."
            )
            curve = reply.tables["tipping_curve"]
            drawn["tipping"] = drawings.hysteresis(curve, "monitoring and targets", "fear", note)
    return drawn


def _worlds(number: int) -> str:
    return f"{number:,} plausible worlds, weighted by published findings."


def _carried(found: ClaimReport) -> Iterator[tuple[str, Figure]]:
    for claim, outcome in HEADLINE if len(found.carriers) else ():
        mine = _of(found.carriers, claim, outcome).rename(columns={"standard_error": "se"})
        totals = _of(found.tables["carriers_by_case"], claim, outcome)
        totals = totals[totals["case"] != "all"].rename(columns={"error": "se"}).assign(mechanism="")
        if len(mine):
            table = pd.concat([mine, totals], ignore_index=True)
            note = f"Shapley values over the mechanisms. {_worlds(len(found.sample))}"
            figure = drawings.what_carries(table, "heavy − light surveillance", outcome, note)
            yield f"carriers_{claim}_{outcome}", figure


def _flipped(found: ClaimReport) -> Iterator[tuple[str, Figure]]:
    maps = found.tables.get("flip_maps", pd.DataFrame())
    for claim, outcome in HEADLINE if len(maps) else ():
        table = _of(maps, claim, outcome).rename(columns={"worlds": "effective_size"})
        if (table["effective_size"] >= drawings.FEWEST).sum() > 1:
            first = table.iloc[0]
            said, note = f"{HEADINGS[claim]} ({label(outcome)})", _worlds(len(found.sample))
            figure = drawings.flip_map(table, first["x"], first["y"], said, note, first["answer"])
            yield f"flip_{claim}_{outcome}", figure


def _of(table: pd.DataFrame, claim: str, outcome: str) -> pd.DataFrame:
    """The rows about an outcome of a claim under heavy surveillance instead of light."""
    mine = (table["claim"] == claim) & (table["outcome"] == outcome) & (table["contrast"] == SURVEILLANCE.name)
    return table.loc[mine]


def of_claims(found: ClaimReport, figures: Mapping[str, Figure]) -> str:
    """The report on the claims as HTML; `figures` are `pictures` by name."""
    shown = [
        picture(figure, found.provenance, f"Figure {k}. {theme.finding(figure)}. File: {name}.png and .svg.")
        for k, (name, figure) in enumerate(figures.items(), 1)
    ]
    sections = [
        Section("What was found", [*shown, _claims(found), *_replies(found)]),
        Section("The numbers", [_shares(found), _effects(found)]),
        Section("Everything that was found, in sentences", [Text(_in_depth(found))]),
        Section("How it was done", [Text(_methods(found))]),
        Section("What to keep in mind", [Text(found.caveats())]),
        Section("How to reproduce it", [Code("The command", _command(found))]),
    ]
    return report(TITLE, f"{found.headline()} {found.tally()}", sections, found.provenance)


def _claims(found: ClaimReport) -> Table:
    head = ["claim", "what plausible worlds say", "why, and when it would be otherwise"]
    rows = [[claim.statement, *(" ".join(lines) for lines in found.about(claim))] for claim in found.claims]
    note = (
        "Shares of worlds, by weight. After a semicolon: what says something else when the evidence is used otherwise."
    )
    return Table("Claim by claim", head, rows, note)


def _in_depth(found: ClaimReport) -> list[str]:
    """Every claim in depth: effects beside verdicts, all reasons, what the further tables say."""
    return [
        line
        for claim in found.claims
        for line in (f"{claim.id}: {claim.statement}", *chain(*found.about(claim, in_depth=True)))
    ]


def _replies(found: ClaimReport) -> list[Table]:
    rows = [[reply.question, " ".join(reply.sentences)] for reply in found.replies]
    return [Table("Beside the claims", ["question", "what plausible worlds reply"], rows)] if rows else []


def _shares(found: ClaimReport) -> Table:
    head = ["claim", "contrast", "outcome", "side", *VERDICTS, "overall"]
    rows = [
        [row["claim"], row["contrast"], label(row["outcome"]), row["side"], *(_share(row, v) for v in VERDICTS),
         row["verdict"]]
        for row in rows_of(found.table)
        if any(is_number(row.get(v)) for v in VERDICTS)
    ]  # fmt: skip
    note = "Shares of plausible worlds, by weight; ±: one Monte Carlo standard error, in points. From claims.csv."
    return Table("In how many plausible worlds each verdict holds", head, rows, note)


def _share(row: Mapping[Any, Any], verdict: str) -> str:
    if not is_number(row.get(verdict)):
        return ""
    return f"{percent(row[verdict])} ± {100 * row[f'{verdict}_error']:.1f}"


def _effects(found: ClaimReport) -> Table:
    head = ["claim", "contrast", "outcome", "unit", "5 %", "median", "95 %", "smallest of interest"]
    rows: list[Sequence[str]] = [
        [row["claim"], row["contrast"], label(row["outcome"]), row["unit"],
         *signed_numbers(row["q05"], row["median"], row["q95"]), row["sesoi_rule"]]
        for row in rows_of(found.table)
        if is_number(row.get("median"))
    ]  # fmt: skip
    return Table("The effects over worlds", head, rows, "Weighted quantiles over worlds. From claims.csv.")


def _methods(found: ClaimReport) -> list[str]:
    made = found.provenance["ensemble"]["made"]
    calibrated = (
        f"The worlds were drawn from the plausible ranges of all parameters, each mechanism off with chance "
        f"{made['off']:g}, and weighted by agreement with {len(found.tables['patterns'])} published findings: "
        f"{made['simulations']:,} virtual surveys by tempered sequential Monte Carlo, in {len(made['stages'])} stages."
        if made
        else "The worlds were given by the caller."
    )
    return [
        found.scale(),
        calibrated,
        "In each world every policy runs under the same seeds, so two policies differ only by what they do. The "
        "verdict on an outcome follows from the 95 % interval of the paired difference and the smallest effect of "
        "interest: wholly beyond it on the claimed side, supported; on the other, opposed; wholly inside, negligible; "
        "else undecided. Shares over worlds have a Monte Carlo error that counts worlds of one ancestor as a cluster.",
    ]


def _command(found: ClaimReport) -> str:
    p, asked = found.provenance, found.provenance["effort"]
    commit = f"git checkout {p['commit'].rstrip('+')}\n" if p.get("commit") else ""
    name = f" {found.claims[0].id}" if len(found.claims) == 1 else ""
    full = " --full" if asked["draws"] else ""
    worlds = "" if asked["worlds"] is None else f" --worlds {asked['worlds']}"
    return (
        f"{commit}pip install -c constraints.txt .\nsim claim{name}{full}{worlds} "
        f"--replications {asked['replications']} --systems {asked['systems']} --seed {p['first_seed']} "
        f"--months {p['sizes']['months']}"
    )


def save(report: ClaimReport, folder: str | Path) -> list[Path]:
    """Write tables, sentences, settings, provenance and figures to a folder, which is made where it is missing.

    Returns the paths written. The files of an earlier answer to the same claims are replaced. Raises `InputError`
    with one line where files cannot be written, and for a folder that holds anything else.
    """
    frames = {"claims": report.table, **report.tables, "carriers": report.carriers, "flips": report.flips}
    for reply in report.replies:
        frames |= reply.tables
    contents = {f"{name}.csv": files.csv(frame) for name, frame in frames.items() if len(frame)}
    small = report.effects.astype({name: "float32" for name in ("effect", "low", "high", "sesoi", "weight")})
    for name, frame in {"claims": report.table, "effects": small}.items():
        contents[f"{name}.parquet"] = _parquet(frame, report.provenance)
    for name, told in {"settings": report.settings, "provenance": report.provenance}.items():
        contents[f"{name}.json"] = json.dumps(told, indent=2).encode() + b"\n"
    contents["claims.txt"] = str(report).encode()
    figures = pictures(report)
    for name, figure in figures.items():
        contents |= theme.drawn(figure, name, report.provenance, theme.finding(figure))
    contents["report.html"] = of_claims(report, figures).encode()
    return files.Folder(folder, answer_to(report.claims)).fill(dict(sorted(contents.items())))


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


def _parquet(frame: pd.DataFrame, provenance: Mapping[str, Any]) -> bytes:
    import pyarrow  # noqa: PLC0415
    import pyarrow.parquet  # noqa: PLC0415

    table = pyarrow.Table.from_pandas(frame, preserve_index=False)
    metadata = {**table.schema.metadata, b"provenance": json.dumps(provenance).encode()}
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(table.replace_schema_metadata(metadata), buffer, compression="zstd")
    return buffer.getvalue()

"""Every picture of an answer, by the name of its file, in the order in which they are told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from sim.claims.outline import rows_of
from sim.claims.statements import HEADLINE, SURVEILLANCE
from sim.claims.structure import WORLDS
from sim.claims.verdict import words_of
from sim.plots.claims import better_or_worse, choices, each_world, how_much_matters, sample
from sim.plots.reasons import fear_and_initiative, flip_map, hysteresis, model_against_evidence, what_carries
from sim.plots.structure import verdicts_by_choice

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sim.claims.answer import ClaimReport

FEW = 3
"""Claims up to which each has dot plots of its own."""


def pictures(found: ClaimReport) -> dict[str, Figure]:
    """The pictures for which an answer has something to say: ``claims`` (the main one, where any claim has a verdict),
    ``worlds`` (dot plots, or ``worlds_`` and a claim where few were asked), ``choices``, ``matters``, ``why_`` and
    ``flip_`` with an outcome, ``fear_and_initiative``, ``evidence``, ``structure`` and ``tipping``."""
    drawn: dict[str, Figure | None] = {}
    told = found.table["delta"].notna().any() if "delta" in found.table else False
    surveyed = bool(rows_of(found, SURVEILLANCE.name))
    if told:
        drawn["claims"] = better_or_worse(found)
    if surveyed and len(found.claims) > FEW:
        drawn["worlds"] = each_world(found)
    for claim in found.claims if len(found.claims) <= FEW else ():
        for case in claim.cases[:1]:
            drawn[f"worlds_{claim.id}"] = each_world(found, case.contrast.name, [m.outcome for m in case.measures])
    if found.rows("against_baseline"):
        drawn["choices"] = choices(found)
    if surveyed and found.rows("curves"):
        drawn["matters"] = how_much_matters(found)
    drawn |= dict(_reasons(found))
    drawn["fear_and_initiative"] = fear_and_initiative(found)
    if len(table := found.tables.get("patterns", pd.DataFrame())):
        drawn["evidence"] = model_against_evidence(table, f"{found.provenance['ensemble']['worlds']:,} worlds.")
    if "structure" in found.tables:
        drawn["structure"] = structure_picture(found)
    for curve in (reply.tables["tipping_curve"] for reply in found.replies if "tipping_curve" in reply.tables):
        draws = found.provenance["effort"]["draws"]
        note = f"Fear above that of a paired run that stays at the lowest level. {draws} worlds; band: 90 % of them."
        drawn["tipping"] = hysteresis(curve, "monitoring and weight on targets", "fear", note)
    return {name: figure for name, figure in drawn.items() if figure is not None}


def structure_picture(found: ClaimReport) -> Figure:
    """The picture of the table ``structure``."""
    note = f"{found.provenance['worlds']['main']:,} plausible worlds; under changed rules {WORLDS} of them, by weight."
    return verdicts_by_choice(found.tables["structure"], note)


def _reasons(found: ClaimReport) -> Iterator[tuple[str, Figure | None]]:
    """What carries the first outcomes of surveillance, and where their verdicts flip, if a region beats guessing."""
    flips = {(row["contrast"], row["outcome"]): row["found"] for row in found.rows("flips")}
    for claim, outcome in HEADLINE:
        if len(table := _of(found, "carriers", claim, outcome)):
            yield f"why_{outcome}", what_carries(table, "Heavy surveillance instead of light", outcome, sample(found))
        table = _of(found, "flip_maps", claim, outcome)
        row = rows_of(found, SURVEILLANCE.name).get(outcome)
        if len(table) and row and flips.get((SURVEILLANCE.name, outcome)):
            way = next(one for one, name in words_of(row["sign"], row["direction"]).items()
                       if name == table.iloc[0]["answer"])  # fmt: skip
            yield f"flip_{outcome}", flip_map(table, "heavy surveillance", outcome, way, sample(found))


def _of(found: ClaimReport, name: str, claim: str, outcome: str) -> pd.DataFrame:
    """The rows of a table about an outcome of a claim under heavy surveillance instead of light."""
    table = found.tables.get(name, pd.DataFrame())
    if not len(table):
        return table
    mine = (table["claim"] == claim) & (table["outcome"] == outcome) & (table["contrast"] == SURVEILLANCE.name)
    return table.loc[mine]

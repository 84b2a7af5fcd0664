"""The answer to the claims: its tables, and its text."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from sim.claims import text as words
from sim.claims.table import Claim
from sim.claims.text import rows_of
from sim.model.parameters import PARAMETERS
from sim.worlds.prior import Worlds


@dataclass(frozen=True)
class Reply:
    """What the worlds reply to a question beside the claims: sentences to be read aloud, and the tables behind them,
    by name."""

    question: str
    sentences: tuple[str, ...]
    tables: Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class ClaimReport:
    """What plausible worlds say about the claims; ``str()`` is what `sim claim` prints.

    Attributes
    ----------
    table : DataFrame
        A row for each claim, contrast and outcome. ``verdict`` is the overall one; ``supported``, ``opposed``,
        ``higher``, ``lower``, ``negligible`` and ``undecided`` are shares of weight, each with its Monte Carlo
        standard error in ``..._error``; ``median``, ``mean`` and ``q05`` to ``q95`` describe the effect over worlds
        in ``unit``, ``in_sesoi_q05`` to ``in_sesoi_q95`` in smallest effects of interest. The same with
        ``unweighted_``, ``second_prior_`` and ``left_out_`` in front: without weighting by evidence, with every
        mechanism on, and with the findings named in ``left_out_patterns`` left out.
    effects : DataFrame
        A row for each world, claim, contrast and outcome: effect, 95 % interval, verdict and the world's weight.
    tables : mapping
        Further tables by name, see `sim.claims.tables`; empty where the claims asked for do not need them.
    claims : tuple of Claim
    sample : Worlds
        The worlds of ``effects``, in their order.
    settings : mapping
        Arm to its regime and what it sets beside it.
    provenance : dict
        Versions, commit, seeds, numbers of worlds, sizes, platform, and the ensemble's own provenance.
    carriers, flips : DataFrame, optional
        What carries an effect (``claim, contrast, outcome, mechanism, case, contribution, standard_error``) and
        where a verdict would be another one (``claim, contrast, outcome, sentence, accuracy``).
    replies : tuple of Reply
        To the questions beside the claims, where they were asked.
    """

    table: pd.DataFrame
    effects: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]
    claims: tuple[Claim, ...]
    sample: Worlds
    settings: Mapping[str, Mapping[str, Any]]
    provenance: dict[str, Any]
    carriers: pd.DataFrame = field(default_factory=pd.DataFrame)
    flips: pd.DataFrame = field(default_factory=pd.DataFrame)
    replies: tuple[Reply, ...] = ()

    @property
    def verdicts(self) -> pd.DataFrame:
        """What is printed, as a table: for each claim, contrast and outcome the overall verdict, the share of worlds
        with it, and the effect in the median world with 5 to 95 % of worlds (``estimate``, ``low``, ``high``)."""
        shares = [row.get(row["verdict"], float("nan")) for row in rows_of(self.table)]
        names = {"median": "estimate", "q05": "low", "q95": "high"}
        told = self.table.reindex(columns=["claim", "contrast", "outcome", "unit", "side", "verdict", *names])
        told.insert(6, "share", shares)
        return told.rename(columns=names)

    def headline(self) -> str:
        """The main finding in one sentence."""
        return words.headline(rows_of(self.table))

    def tally(self) -> str:
        """How many verdicts went which way, for each side."""
        return words.tally(rows_of(self.table))

    def scale(self) -> str:
        """How much was run, and what was reduced against the nation and the whole ensemble."""
        p, worlds, size, ensemble = (self.provenance, *(self.provenance[k] for k in ("worlds", "sizes", "ensemble")))
        managers = size["systems"] * size["organisations"] * size["managers"]
        systems = "system" if size["systems"] == 1 else "systems"
        return (
            f"{worlds['evidence']:,} of {ensemble['worlds']:,} worlds (the evidence leaves an effective size of "
            f"{ensemble['effective_size']:.0f}, from {ensemble['ancestors']:,} ancestors), {worlds['unweighted']:,} "
            f"without weighting, {worlds['second_prior']:,} with every mechanism on; {p['replications']} paired "
            f"replications in each world, of {size['systems']} {systems} with {managers:,} managers (England has "
            f"{PARAMETERS['systems'].default:g} systems); means of the last {min(size['window'], size['months'])} of "
            f"{size['months']} months."
            + (f" The questions beside the claims rest on {p['effort']['draws']} worlds each." if self.replies else "")
        )

    def caveats(self) -> list[str]:
        """What the answer does not account for, in plain words."""
        return [*words.CAVEATS, f"Run: {self.scale()}"]

    def about(self, claim: Claim, in_depth: bool = False) -> tuple[list[str], list[str]]:
        """A claim in a line for each contrast; and why that is, and where it would be otherwise.

        In depth there are effects beside the verdicts, reasons for every outcome rather than the first, what the
        further tables say, and the claim's note.
        """
        rows = [row for row in rows_of(self.table) if row["claim"] == claim.id]
        carriers, flips = rows_of(self.carriers), rows_of(self.flips)
        asked = rows if in_depth else rows[:1]
        why = [line for row in asked for line in words.reasons(row, carriers, flips, in_depth)]
        if in_depth:
            why += [*words.besides(claim, {name: rows_of(table) for name, table in self.tables.items()})]
            why += [claim.note] if claim.note else []
        return words.findings(claim, rows, in_depth), why

    def __str__(self) -> str:
        """Headline, who wins what, each claim in a few lines, in depth where one was asked alone, and how to read
        them."""
        lines = [self.headline(), self.tally(), *words.winners(rows_of(self.table)), ""]
        for claim in self.claims:
            found, why = self.about(claim, in_depth=len(self.claims) == 1)
            lines += [f"{claim.id}: {claim.statement}", *(f"- {line}" for line in (*found, *why))]
        for reply in self.replies:
            lines += [reply.question, *(f"- {sentence}" for sentence in reply.sentences)]
        lines += ["", *words.KEY, *(f"- {caveat}" for caveat in self.caveats())]
        return "\n".join(textwrap.fill(line, 118, subsequent_indent="  ") for line in lines) + "\n"

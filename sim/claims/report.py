"""The answer to the claims: tables, sentences, and a folder with everything that is needed to check it."""

from __future__ import annotations

import io
import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby
from pathlib import Path
from typing import Any

import pandas as pd

from sim import files
from sim.claims import text as words
from sim.claims import words as claim_words
from sim.claims.statements import Claim
from sim.claims.table import CLAIMS, PATHS
from sim.model.parameters import DECLARATIONS
from sim.questions.ask import Reply
from sim.worlds.draws import Sample

CAVEATS = (
    "A share is of plausible worlds, by weight: worlds whose parameters lie in their plausible ranges, weighted by "
    "agreement with published findings. It does not say how likely a claim is to be true, and it is as good as the "
    "model, the ranges and the findings.",
    "The findings come from other people than NHS managers: nurses, clerks, students, firms under inspection.",
    "A verdict compares an effect with the smallest one of interest, which is this project's choice, made before any "
    "result. Among many verdicts some are wrong by chance; an undecided world may become decided with more runs, and "
    "the spread of effects over worlds holds some chance within them.",
    "Levers other than those named stay as the world has them; what a policy costs counts only where it is said to.",
)


_KEY = (
    "Shares are of plausible worlds, by weight. The verdict over worlds is the commonest one where it leads the "
    "next by more than two Monte Carlo errors, which takes no majority; else there is no clear answer. After a "
    "semicolon stands what is otherwise: unweighted by evidence, under a second prior with every mechanism on, or "
    "with the findings on the same outcome left out.",
    "Carried by: Shapley values, the three largest that stand out; for and against say whose case a mechanism was "
    "put in for, Berwick's or his opponents', not which way it works here. The part through fear asks something "
    "else: what changes when only fear is exchanged. Several outcomes, thresholds and paths belong to one claim, so"
    " a count of verdicts is no count of claims. Everything else is in findings.txt.",
)


@dataclass(frozen=True)
class ClaimReport:
    """What plausible worlds say about the claims.

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
    sample : Sample
        The worlds of ``effects``, in their order.
    settings : mapping
        Arm to its regime and what it sets beside it.
    provenance : dict
        Versions, commit, seeds, numbers of worlds, sizes, platform, and the ensemble's own provenance.
    carriers, flips : DataFrame, optional
        What carries an effect (``claim, comparison, outcome, mechanism, case, contribution, standard_error``) and
        where a verdict would be another one (``claim, comparison, outcome, sentence, accuracy``); ``comparison`` is a
        contrast's name.
    replies : tuple of Reply
        To the questions beside the claims, where they were asked.
    """

    table: pd.DataFrame
    effects: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]
    claims: tuple[Claim, ...]
    sample: Sample
    settings: Mapping[str, Mapping[str, Any]]
    provenance: dict[str, Any]
    carriers: pd.DataFrame = field(default_factory=pd.DataFrame)
    flips: pd.DataFrame = field(default_factory=pd.DataFrame)
    replies: tuple[Reply, ...] = ()

    def headline(self) -> str:
        """The main finding in one sentence."""
        return words.headline(rows_of(self.table))

    def tally(self) -> str:
        """How many verdicts went which way, for each side."""
        return words.tally(rows_of(self.table))

    def sentences(self) -> list[str]:
        """One sentence for each row of the table, to be read aloud."""
        return [words.sentence(row) for row in rows_of(self.table)]

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
            f"{DECLARATIONS['systems'].default:g} systems); means of the last {min(size['window'], size['months'])} of "
            f"{size['months']} months."
            + (f" The questions beside the claims rest on {p['effort']['draws']} worlds each." if self.replies else "")
        )

    def caveats(self) -> list[str]:
        """What the answer does not account for, in plain words."""
        return [*CAVEATS, f"Run: {self.scale()}"]

    def page(self) -> str:
        """The findings on one page: headline, who wins what, each claim in a few lines, and how to read them."""
        lines = [self.headline(), self.tally(), *words.winners(rows_of(self.table)), ""]
        for claim in self.claims:
            lines += [f"{claim.id}: {claim.statement}", *(f"- {line}" for line in chain(*self.briefly(claim)))]
        for reply in self.replies:
            lines += [reply.question, *(f"- {sentence}" for sentence in reply.sentences)]
        lines += ["", *_KEY, *(f"- {caveat}" for caveat in self.caveats())]
        return "\n".join(textwrap.fill(line, 118, subsequent_indent="  ") for line in lines) + "\n"

    def briefly(self, claim: Claim) -> tuple[list[str], list[str]]:
        """A claim in a line for each comparison; and why that is, and where it would be otherwise. Of the paths through
        fear only the first outcome is here; `text` has the others."""
        rows = [row for row in rows_of(self.table) if row["claim"] == claim.id]
        headings = {c.name: c.heading or c.subject.rstrip(",") for c in claim.comparisons}
        paths = {comparison.name for comparison in PATHS}
        lines = []
        for contrast, group in groupby(rows, lambda row: row["contrast"]):
            said = [words.brief(row) for row in group]
            lines.append(
                f"{headings.get(contrast, 'At baseline')}: {'; '.join(said[:1] if contrast in paths else said)}."
            )
        return lines, [why for row in rows[:1] for why in self._why(row, only_found=True)]

    def text(self) -> str:
        """The findings in full: headline, a sentence for each row, what the other tables say, and caveats."""
        lines = [self.headline(), "", self.tally(), *words.winners(rows_of(self.table)), ""]
        for claim in self.claims:
            lines += [f"{claim.id}: {claim.statement}", *self._about(claim), ""]
        for reply in self.replies:
            lines += [reply.question, *reply.sentences, ""]
        lines.append("How to read this:")
        return "\n".join([*lines, *(f"- {caveat}" for caveat in self.caveats())]) + "\n"

    def _about(self, claim: Claim) -> Iterator[str]:
        """Everything there is to say about a claim, a line each."""
        rows = [row for row in rows_of(self.table) if row["claim"] == claim.id]
        subjects = {c.name: c.subject for c in claim.comparisons}
        said = ""
        for row in rows:
            if row["contrast"] != said and (said := row["contrast"]) in subjects and len(subjects) > 1:
                yield f"{subjects[said].rstrip(',')}:"
            yield f"- {words.sentence(row)}"
            yield from (f"  {text}" for text in self._why(row))
        tables = {name: rows_of(frame) for name, frame in self.tables.items()}
        yield from claim_words.besides(claim, tables, every=len(self.claims) == 1)
        if claim.note:
            yield claim.note

    def _why(self, row: words.Row, only_found: bool = False) -> Iterator[str]:
        """What carries a finding, and where it flips; with `only_found` nothing of regions that were not found."""
        if carriers := claim_words.carriers_sentence(_about(self.carriers, row)):
            yield carriers
        for flip in (f for f in _about(self.flips, row) if f["found"] or not only_found):
            yield str(flip["sentence"])

    def save(self, folder: str | Path) -> list[Path]:
        """Write tables, sentences, settings, provenance and figures to a folder, which is made where it is missing.

        Returns the paths written. The files of an earlier answer to the same claims are replaced. Raises `InputError`
        with one line where files cannot be written, and for a folder that holds anything else.
        """
        from sim.plots import theme  # noqa: PLC0415
        from sim.report import claims as claim_report  # noqa: PLC0415

        frames = {"claims": self.table, **self.tables, "carriers": self.carriers, "flips": self.flips}
        for reply in self.replies:
            frames |= reply.tables
        contents = {f"{name}.csv": files.csv(frame) for name, frame in frames.items() if len(frame)}
        small = self.effects.astype({name: "float32" for name in ("effect", "low", "high", "sesoi", "weight")})
        for name, frame in {"claims": self.table, "effects": small}.items():
            contents[f"{name}.parquet"] = _parquet(frame, self.provenance)
        for name, told in {"settings": self.settings, "provenance": self.provenance}.items():
            contents[f"{name}.json"] = json.dumps(told, indent=2).encode() + b"\n"
        contents["claims.txt"], contents["findings.txt"] = self.page().encode(), self.text().encode()
        figures = claim_report.pictures(self)
        for name, figure in figures.items():
            contents |= theme.drawn(figure, name, self.provenance, theme.finding(figure))
        contents["report.html"] = claim_report.of_claims(self, figures).encode()
        return files.Folder(folder, answer_to(self.claims)).fill(dict(sorted(contents.items())))


def answer_to(claims: Sequence[Claim]) -> str:
    """What a folder with an answer holds: an answer to other claims is never written over it."""
    asked = "" if tuple(claims) == CLAIMS else "".join(f" {claim.id}" for claim in claims)
    return f"the answer of sim claim{asked}"


def rows_of(frame: pd.DataFrame) -> list[words.Row]:
    """The rows of a table as mappings."""
    return list(frame.to_dict("records"))


def _about(frame: pd.DataFrame, row: words.Row) -> list[words.Row]:
    """The rows of a table of reasons that are about one finding."""
    key = (row["claim"], row["contrast"], row["outcome"])
    return [reason for reason in rows_of(frame) if (reason["claim"], reason["comparison"], reason["outcome"]) == key]


def _parquet(frame: pd.DataFrame, provenance: Mapping[str, Any]) -> bytes:
    import pyarrow  # noqa: PLC0415
    import pyarrow.parquet  # noqa: PLC0415

    table = pyarrow.Table.from_pandas(frame, preserve_index=False)
    metadata = {**table.schema.metadata, b"provenance": json.dumps(provenance).encode()}
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(table.replace_schema_metadata(metadata), buffer, compression="zstd")
    return buffer.getvalue()

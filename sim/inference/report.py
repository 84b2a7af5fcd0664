"""The answer to the claims: tables, sentences, and a folder with everything that is needed to check it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from sim.inference import words
from sim.inference.folder import filled
from sim.inference.statements import MEASURED, Finding

CAVEATS = (
    "This is one world: every parameter is at its default. Other plausible worlds may answer differently, and the "
    "intervals cover chance within this world only.",
    "The world is not weighted by how well it agrees with published findings. Many parameters are assumptions, and "
    "much of the evidence behind the others comes from other people than NHS managers.",
    "Monitoring and targets rise together from light to heavy; which of the two does it is not told apart, nor is "
    "what goes through fear told apart from what does not.",
    "Each verdict is for one outcome, with an error rate of its own; among many verdicts some may be wrong by chance.",
    "The smallest effects of interest are this project's choice, made before any result; levers other than those "
    "named stay as they are, and what a policy costs is not counted.",
)


@dataclass(frozen=True)
class ClaimReport:
    """What the runs say about the claims.

    Attributes
    ----------
    findings : tuple of Finding
        One for each outcome of each claim in each comparison, in the order of the claims.
    levels : DataFrame
        Columns ``outcome, arm, mean, low, high, unit, n``: levels by dose of surveillance with 95 % intervals.
    runs : DataFrame
        A row for each arm and seed: ``arm``, ``seed`` and every outcome, averaged over the last months.
    settings : mapping
        Arm to its regime and the resolved values of all parameters.
    provenance : dict
        Versions, commit, seeds, sizes, platform.
    """

    findings: tuple[Finding, ...]
    levels: pd.DataFrame
    runs: pd.DataFrame
    settings: Mapping[str, Mapping[str, Any]]
    provenance: dict[str, Any]

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row for each verdict.

        ``plus`` and ``minus`` are the means of the arms, ``difference`` the mean paired difference with its 95 %
        interval from ``low`` to ``high``, and ``sesoi`` the smallest effect of interest, all in ``unit``; ``sign``
        is the direction that ``side`` claims, 0 where nobody does; ``n`` is the number of pairs.
        """
        return pd.DataFrame([_row(finding) for finding in self.findings])

    def headline(self) -> str:
        """The main finding in one sentence."""
        return words.headline(self.findings)

    def sentences(self) -> list[str]:
        """One sentence for each verdict, to be read aloud."""
        return [words.sentence(finding) for finding in self.findings]

    def tally(self) -> str:
        """How many verdicts went which way, for each side."""
        return words.tally(self.findings)

    def caveats(self) -> list[str]:
        """What the answer does not account for, in plain words."""
        p = self.provenance
        last = min(p["sizes"]["window"], p["sizes"]["months"])
        when = f"Effects are means of the last {last} of {p['sizes']['months']} months, not of the way there."
        return [*CAVEATS, when]

    def text(self) -> str:
        """Headline, sentences by claim, levels and caveats, as one text."""
        lines = [self.headline(), self.tally(), ""]
        for claim in dict.fromkeys(finding.claim for finding in self.findings):
            lines += [claim.statement, *(f"- {words.sentence(f)}" for f in self.findings if f.claim == claim), ""]
        lines += [words.levels_sentence(self.levels), "", "What this does not account for:"]
        return "\n".join([*lines, *(f"- {caveat}" for caveat in self.caveats())]) + "\n"

    def save(self, folder: str | Path) -> list[Path]:
        """Write tables, sentences, settings, provenance and figure to a folder, which is made where it is missing.

        Returns the paths written. Files of the same names are replaced; an interrupted call leaves no half-written
        file. Raises `InputError` with one line where files cannot be written.
        """
        from sim.show import theme  # noqa: PLC0415
        from sim.show.forest import claims_forest  # noqa: PLC0415

        with filled(folder) as staged:
            self.table.to_csv(staged / "claims.csv", index=False)
            self.levels.to_csv(staged / "levels.csv", index=False)
            for name, frame in {"claims": self.table, "levels": self.levels, "runs": self.runs}.items():
                _write_parquet(frame, staged / f"{name}.parquet", self.provenance)
            _write_json(self.settings, staged / "settings.json")
            _write_json(self.provenance, staged / "provenance.json")
            (staged / "claims.txt").write_text(self.text(), encoding="utf-8")
            theme.save(claims_forest(self), staged / "claims", self.provenance, self.headline())
            names = sorted(file.name for file in staged.iterdir())
        return [Path(folder) / name for name in names]


def _row(finding: Finding) -> dict[str, Any]:
    d, measure = finding.difference, finding.measure
    return {
        "claim": finding.claim.id,
        "statement": finding.claim.statement,
        "contrast": finding.comparison.name,
        "outcome": measure.outcome,
        "plus": d.plus,
        "minus": d.minus,
        "difference": d.estimate,
        "low": d.low,
        "high": d.high,
        "sesoi": float("nan") if d.sesoi is None else d.sesoi,
        "sesoi_rule": "" if measure.sesoi is None else measure.sesoi.text,
        "unit": MEASURED[measure.outcome].unit,
        "sign": measure.sign,
        "side": measure.side,
        "verdict": d.verdict,
        "n": d.n,
        "sd": d.sd,
        "remark": measure.remark,
    }


def _write_parquet(frame: pd.DataFrame, path: Path, provenance: Mapping[str, Any]) -> None:
    import pyarrow  # noqa: PLC0415
    import pyarrow.parquet  # noqa: PLC0415

    table = pyarrow.Table.from_pandas(frame, preserve_index=False)
    metadata = {**table.schema.metadata, b"provenance": json.dumps(provenance).encode()}
    pyarrow.parquet.write_table(table.replace_schema_metadata(metadata), path)


def _write_json(content: Mapping[str, Any], path: Path) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

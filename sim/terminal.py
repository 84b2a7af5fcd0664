"""Tables and explanations as plain text, for the command line."""

from __future__ import annotations

import math
import textwrap
from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from sim.model.glossary import Meaning

Rows = list[list[str]]


def verdicts(table: pd.DataFrame) -> str:
    """`ClaimReport.table`: a heading for each contrast, a line for each outcome with its shares of worlds in %."""
    head = [
        "claim",
        "outcome",
        "side",
        "for",
        "against",
        "small",
        "unclear",
        "effect",
        "5 to 95 % of worlds",
        "verdict",
    ]
    records = table.to_dict("records")
    lines = _aligned([head, *(_verdict(row) for row in records)]).splitlines()
    parts = [lines[0]]
    following = iter(lines[1:])
    for name, group in groupby(records, lambda row: row["contrast"]):
        parts += ["", f"{name}:", *(next(following) for _ in group)]
    return "\n".join([*parts, "", _KEY])


_KEY = """\
for, against, small, unclear: % of plausible worlds, by weight, in which the claim is supported (or the outcome higher
where nobody claims a sign), opposed (or lower), the effect negligible, and the interval undecided. effect: median."""


def _verdict(row: dict[Any, Any]) -> list[str]:
    above, below = ("supported", "opposed") if row["sign"] else ("higher", "lower")
    return [
        row["claim"],
        row["outcome"],
        row["side"] or "-",
        *(_share(row.get(name)) for name in (above, below, "negligible", "undecided")),
        _effect(row.get("median")),
        f"{_effect(row.get('q05'))} to {_effect(row.get('q95'))}",
        row["verdict"],
    ]


def _share(share: float | None) -> str:
    return "-" if share is None or math.isnan(share) else f"{100 * share:3.0f}"


def _effect(value: float | None) -> str:
    return "-" if value is None or math.isnan(value) else f"{value:+.4f}"


def summaries(summary: pd.DataFrame, design: list[str]) -> str:
    """`Results.summary`: a line for each cell, what the design sets, then mean and half-width of each outcome."""
    outcomes = list(summary["outcome"].unique())
    rows = [["cell", *design, *outcomes]]
    for cell, part in summary.groupby("cell", sort=False):
        first = part.iloc[0]
        values = [f"{row.mean:.3f} ± {row.half_width:.3f}" for row in part.itertuples()]
        rows.append([str(cell), *(str(first[name]) for name in design), *values])
    return _aligned(rows)


def precision(table: pd.DataFrame) -> str:
    """`Results.precision`: why each cell has as many runs as it has."""
    rows = [
        [str(row["cell"]), str(row["n"]), f"{row['half_width']:.4g}", row["ended"] or "going on"]
        for row in table.to_dict("records")
    ]
    return _aligned([["cell", "n", "half-width", "ended"], *rows])


def listed(groups: dict[str, list[Meaning]]) -> str:
    """Every name by group: default and plausible range (or levers, or whose case), and unit."""
    parts = []
    for heading, group in groups.items():
        lines = [heading.upper()]
        for meaning in group:
            facts = dict(meaning.facts)
            values = " ".join(facts[key] for key in ("default", "levers", "case") if key in facts)
            spread = f" ({facts['plausible range']})" if "plausible range" in facts else ""
            lines.append(f"  {meaning.name:26} {values + spread:24} {facts.get('unit', '')}".rstrip())
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def explained(meaning: Meaning) -> str:
    """One meaning of a name: its text, then its facts."""
    lines = [f"{meaning.name} ({meaning.kind})", *_wrapped(meaning.text, "  ")]
    for label, value in meaning.facts:
        first, *rest = _wrapped(value, " " * 20)
        lines += [f"  {label + ':':17} {first.strip()}", *rest]
    return "\n".join(lines)


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, 96, initial_indent=indent, subsequent_indent=indent) or [indent]


def size(count: int) -> str:
    """Bytes in words."""
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.0f} kB"


def _aligned(rows: Rows) -> str:
    """Rows as columns of equal width, two spaces apart."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )

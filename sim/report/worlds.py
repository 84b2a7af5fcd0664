"""Text, tables and the picture about an ensemble of worlds, for `sim worlds`."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from sim import files
from sim.plots import theme
from sim.plots.reasons import model_against_evidence
from sim.worlds.ensemble import Ensemble
from sim.worlds.summary import TOLERANCES, leave_one_out, mechanisms, parameters, patterns, quality

TABLES = "tables of sim worlds"
"""What `save` fills a folder with, as the folder's mark says it."""


def text(ensemble: Ensemble) -> str:
    """What evidence says about the worlds, in plain text: how much they can bear, patterns, each left out, what is
    informed, and what the evidence says nothing about."""
    q, reached, ranges, on = quality(ensemble), patterns(ensemble), parameters(ensemble), mechanisms(ensemble)
    informed = ranges["informed"].astype(bool)
    missed = list(reached.loc[~reached["reached"], "pattern"])
    known = ranges[informed].sort_values("distance", ascending=False).drop(columns="informed")
    return "\n\n".join(
        [
            f"{q['worlds']:,} worlds of {q['calibrations']} calibrations (R_eff {q['effective_calibrations']:.1f}, "
            f"the largest weight {q['largest_share']:.2f}, standard deviation of log Z {q['sd_log_z']:.2f}); effective "
            f"size {q['effective_size']:.0f}, from {q['distinct_ancestors']:,} distinct ancestors.",
            f"Each finding, with the 5 to 95 % band of the worlds before and after weighting, and the share within "
            f"{TOLERANCES:g} tolerances:\n{table_text(reached)}",
            f"Not reached: {', '.join(missed) or 'none'}.",
            f"Each finding left out in turn:\n{table_text(leave_one_out(ensemble))}",
            f"Mechanisms, the share of worlds in which they are on:\n{table_text(on)}",
            f"Parameters that the evidence says something about, the most first:\n{table_text(known)}",
            "The evidence says nothing about: " + ", ".join(ranges.loc[~informed, "parameter"]) + ".",
        ]
    )


def table_text(table: pd.DataFrame) -> str:
    """A table as plain text, such as that of `sim.worlds.summary.predict`."""
    return table.to_string(index=False, float_format=lambda number: f"{number:.3g}") if len(table) else "none"


def validation_text(table: pd.DataFrame) -> str:
    """The table of `sim.worlds.validation.validate` as plain text: numbers first, then each finding in a line."""
    numbers = table.drop(columns=["finding", "side", "source"])
    told = [f"{row.id}  {row.finding} {row.source}." for row in table.itertuples()]
    unfitted = table[table["fitted"] == "no"]
    return "\n\n".join(
        [
            f"Findings that nothing is fitted to, and the share of the worlds' weight in which each is reproduced:\n"
            f"{numbers.to_string(index=False, float_format=lambda number: f'{number:.2f}', na_rep='-')}",
            f"Reproduced, in at least half of the weight: {unfitted['reproduced'].sum()} of {len(unfitted)}. Whoever "
            "made the rules had read these findings, so they are unfitted, not unseen. One that prompted a mechanism "
            "is told, and does not count.",
            "\n".join(told),
        ]
    )


def save(ensemble: Ensemble, table: pd.DataFrame, folder: str | Path) -> list[Path]:
    """Write the tables about an ensemble as CSV, and the picture of `patterns` (or `predict`), and return their paths.

    Raises `InputError` with one line where files cannot be written.
    """
    frames = {"patterns": table, "parameters": parameters(ensemble), "mechanisms": mechanisms(ensemble),
              "leave_one_out": leave_one_out(ensemble)}  # fmt: skip
    note = f"Ranges of 90 % of the weight of {len(ensemble):,} worlds, effective size {ensemble.effective_size:.0f}."
    contents = {f"{name}.csv": files.csv(frame) for name, frame in frames.items()}
    if "prior_low" in table:
        figure = model_against_evidence(table, note)
        contents |= theme.drawn(figure, "evidence", dict(ensemble.provenance), "Published findings and the worlds")
    return files.Folder(folder, TABLES).fill(dict(sorted(contents.items())))

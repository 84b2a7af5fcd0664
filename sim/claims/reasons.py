"""Why an answer is what it is, and when it would be another: what carries each effect, where each verdict flips."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pandas as pd

from sim.claims import text as words
from sim.claims.attribution import Attribution, shapley
from sim.claims.factors import grid
from sim.claims.regions import Flip, flip
from sim.claims.report import ClaimReport, rows_of
from sim.claims.rows import findings
from sim.claims.statements import Comparison
from sim.worlds.runs import Progress


def explained(
    report: ClaimReport, draws: int, progress: Progress | None = None, workers: int | None = None
) -> ClaimReport:
    """The report with its reasons.

    Parameters
    ----------
    draws : int
        Pairs of a world and an order of the mechanisms behind `ClaimReport.carriers`, see `attribution.shapley`.
    progress, workers
        As in `sim.worlds.runs.in_parallel`. The numbers do not depend on them.
    """
    sizes = {name: report.provenance["sizes"][name] for name in ("systems", "organisations", "managers", "months")}
    comparisons = list(dict.fromkeys(_attributed(report)))
    tables = dict(report.tables)
    carriers = pd.DataFrame()
    if comparisons:
        outcomes = list(dict.fromkeys(measure.outcome for _, c, measure in findings(report.claims) if c is not None))
        found = shapley(
            comparisons, outcomes, report.sample, draws, report.provenance["first_seed"], progress, workers, **sizes
        )
        carriers = _by_claim(report, found.mechanisms.rename(columns={"error": "standard_error"}))
        tables |= _ends(report, found)
    flips = [(row, _flip(report, row)) for row in rows_of(report.table) if words.has_shares(row)]
    tables["flip_maps"] = pd.concat([pd.DataFrame(), *(_map(report, *pair) for pair in flips)], ignore_index=True)
    return replace(report, carriers=carriers, flips=pd.DataFrame([_flip_row(*pair) for pair in flips]), tables=tables)


def _attributed(report: ClaimReport) -> Iterator[Comparison]:
    """The comparisons of policies; where an arm has another run's fear there is nothing to attribute."""
    for claim in report.claims:
        yield from (c for c in claim.comparisons if c.plus.fear_of is None and c.minus.fear_of is None)


def _by_claim(report: ClaimReport, table: pd.DataFrame) -> pd.DataFrame:
    """The rows of a table that are about an outcome of a claim, with the claim in front."""
    asked = pd.DataFrame(
        [(claim.id, c.name, m.outcome) for claim, c, m in findings(report.claims) if c is not None],
        columns=["claim", "comparison", "outcome"],
    )
    return asked.merge(table, on=["comparison", "outcome"], how="inner")


def _ends(report: ClaimReport, found: Attribution) -> dict[str, pd.DataFrame]:
    return {"carriers_by_case": _by_claim(report, found.cases), "carriers_ends": _by_claim(report, found.ends)}


def _verdicts(report: ClaimReport, row: words.Row) -> pd.DataFrame:
    """The effects behind a row, one for each world, in the order of the report's sample."""
    e = report.effects
    mine = (e["claim"] == row["claim"]) & (e["contrast"] == row["contrast"]) & (e["outcome"] == row["outcome"])
    found: pd.DataFrame = e.loc[mine].sort_values("world")
    return found


def _flip(report: ClaimReport, row: words.Row) -> Flip:
    return flip(report.sample, _verdicts(report, row)["verdict"].tolist(), report.provenance["first_seed"])


def _flip_row(row: words.Row, found: Flip) -> dict[str, object]:
    balanced = (float("nan"),) * 2 if found.chosen is None else found.chosen.balanced
    return {
        "claim": row["claim"],
        "comparison": row["contrast"],
        "outcome": row["outcome"],
        "sentence": found.sentence,
        "found": bool(found.regions),
        "accuracy": balanced[0],
        "accuracy_error": balanced[1],
    }


def _map(report: ClaimReport, row: words.Row, found: Flip) -> pd.DataFrame:
    """The two-way map of the two factors that matter most; no rows where nothing is to be told apart."""
    if len(found.leading) < 2:
        return pd.DataFrame()
    effects = _verdicts(report, row)
    truth = (effects["verdict"] == found.answer).to_numpy()
    x, y = found.leading[:2]
    table = grid(report.sample, truth, x, y, effects["effect"].to_numpy())
    names = {"claim": row["claim"], "comparison": row["contrast"], "outcome": row["outcome"], "answer": found.answer}
    return table.assign(**names, x=x, y=y)

"""The rows of the answer: each outcome of each claim in each comparison, on the evidence and on what is beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sim.claims.shares import contrasts_of, summary
from sim.claims.statements import MEASURED, Claim, Comparison, Measure, made_of
from sim.claims.table import BASELINE
from sim.worlds.ensemble import Ensemble
from sim.worlds.evaluate import Contrasts, Evaluation, contrast_many

Finding = tuple[Claim, Comparison | None, Measure]


@dataclass(frozen=True)
class Bases:
    """The sets of worlds on which an answer rests.

    `worlds` are those taken from the ensemble, `evidence` what was evaluated in them; `beside` are evaluations in
    other worlds, by the beginning of their columns.
    """

    worlds: Ensemble
    evidence: Evaluation
    beside: Mapping[str, Evaluation]


def findings(claims: Sequence[Claim]) -> Iterator[Finding]:
    """Every outcome of every claim in each of its comparisons; None where there is a level and nothing to compare."""
    for claim in claims:
        for comparison in claim.comparisons or (None,):
            for measure in claim.measures:
                yield claim, comparison, measure


def patterns_on(ensemble: Ensemble, outcome: str) -> list[str]:
    """The published findings that involve an outcome, or one that it is computed from."""
    return [p.id for p in ensemble.evidence.patterns if made_of(outcome) & set(p.outcomes)]


def table(bases: Bases, claims: Sequence[Claim]) -> pd.DataFrame:
    """`ClaimReport.table`."""
    found = pd.DataFrame([_row(bases, finding) for finding in findings(claims)])
    return found.fillna({name: "" for name in found if str(name).endswith("verdict")})


def effects(evidence: Evaluation, claims: Sequence[Claim]) -> pd.DataFrame:
    """`ClaimReport.effects`."""
    return pd.concat([_effects(evidence, finding) for finding in findings(claims)], ignore_index=True)


def _row(bases: Bases, finding: Finding) -> dict[str, Any]:
    _, _, measure = finding
    left_out = patterns_on(bases.worlds, measure.outcome)
    row = {
        **_name(finding),
        "side": measure.side,
        "sign": measure.sign,
        "sesoi_rule": "" if measure.sesoi is None else measure.sesoi.text,
        "unit": MEASURED[measure.outcome].unit,
        "remark": measure.remark,
        **_summary(bases.evidence, finding),
        "left_out_patterns": ", ".join(left_out),
    }
    others = {name: _summary(evaluation, finding) for name, evaluation in bases.beside.items()}
    if left_out:
        contrasts, sample = _contrasts(bases.evidence, finding), bases.evidence.sample
        others["left_out"] = summary(contrasts, measure, bases.worlds.without(left_out), sample.ancestors)
    return row | {f"{name}_{key}": value for name, other in others.items() for key, value in other.items()}


def _name(finding: Finding) -> dict[str, str]:
    claim, comparison, measure = finding
    contrast = "level at baseline" if comparison is None else comparison.name
    return {"claim": claim.id, "contrast": contrast, "outcome": measure.outcome}


def _summary(e: Evaluation, finding: Finding) -> dict[str, Any]:
    return summary(_contrasts(e, finding), finding[2], e.sample.weights, e.sample.ancestors)


def _contrasts(e: Evaluation, finding: Finding) -> Contrasts:
    """The differences in each world; where there is nothing to compare, the levels at baseline."""
    _, comparison, measure = finding
    if comparison is None:
        return contrast_many(e.of(BASELINE, measure.outcome), e.mean(BASELINE, measure.outcome))
    plus, minus = (e.of(arm, measure.outcome) for arm in (comparison.plus, comparison.minus))
    return contrasts_of(plus - minus, minus, measure)


def _effects(e: Evaluation, finding: Finding) -> pd.DataFrame:
    found = _contrasts(e, finding)
    columns = {
        "effect": found.estimate,
        "low": found.low,
        "high": found.high,
        "sesoi": found.sesoi,
        "verdict": found.verdict,
        "weight": e.sample.weights,
    }
    return pd.DataFrame({"world": np.arange(len(found.estimate), dtype=np.int32), **_name(finding), **columns})

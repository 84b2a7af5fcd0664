"""Answers for tests without a run: effects are drawn, and every table follows from them as in a real answer."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from sim.claims import choices, statements, tables
from sim.claims.answer import QUICK, ClaimReport
from sim.claims.multiverse import COLUMNS
from sim.claims.statements import CHOICES, CLAIMS, LIMITS, Claim, contrasts_of
from sim.model.parameters import MECHANISMS
from sim.worlds.evaluate import MEASURES, Effects
from sim.worlds.prior import Worlds, prior

CALIBRATIONS = 10


@cache  # several files of tests look at the same one; whoever changes a table changes a copy
def drawn(
    claims: tuple[Claim, ...] = CLAIMS,
    number: int = 200,
    shift: float = 0.5,
    spread: float = 1.5,
    holds: str = "robust",
    seed: int = 0,
) -> ClaimReport:
    """An answer in which effects, in units of what matters, are normal around `shift`, with `spread`; `holds` is what
    every verdict is said to depend on."""  # fmt: skip
    sample = _weighted(prior(number, seed), seed)
    asked = contrasts_of(claims, choices=claims == CLAIMS)
    rng = np.random.default_rng(seed)
    sizes = statements.sizes_of_interest({"quality_per_cost": 0.5})
    scale = np.array([sizes.get(name, 0.02) for name in MEASURES])
    x = scale * rng.normal(shift, spread, (number, len(asked), len(MEASURES)))
    error, pairs = np.broadcast_to(scale / 4, x.shape), np.full((number, len(asked)), 8)
    e = Effects(sample, tuple(c.name for c in asked), x.astype(np.float32), error.astype(np.float32), pairs)
    rows, vector = (list(make(e, sizes, claims)) for make in (tables.findings, tables.vector))
    for row in (*rows, *vector):
        row["holds"] = holds if "delta" in row else ""
    every = {(row["contrast"], row["outcome"]): row for row in (*vector, *rows) if "delta" in row}
    frames: dict[str, Any] = {
        "vector": vector,
        "curves": tables.curves(e, sizes, claims, {"fear": 0.2}),
        "holds": [_column(name, row, rng) for row in every.values() for name in COLUMNS],
        "carriers": [_carrier(claim, row, name, rng) for claim in claims for row in rows
                     if row["claim"] == claim.id and "delta" in row for name in MECHANISMS],
        "patterns": [_pattern("churn", True), _pattern("records", False)],
        "standards": tables.standards(e, [*rows, *vector], [0.0] * CALIBRATIONS),
    }  # fmt: skip
    if claims == CLAIMS:
        made = (choices.against_baseline, choices.regrets)
        frames |= {make.__name__: make(e, sizes, CHOICES) for make in made}
    keys = [(c.name, o) for c in asked for o in MEASURES if o in LIMITS]
    for name, further in (("prior", 0.0), ("all_on", 1.0)):
        y = scale * np.random.default_rng((seed, int(further))).normal(further, spread, x.shape)
        frames[f"effects_{name}"] = _frame(replace(e, estimate=y.astype(np.float32)), keys)
    return ClaimReport(
        table=pd.DataFrame(rows), tables={name: pd.DataFrame(found) for name, found in frames.items()},
        effects=_frame(e, keys), claims=claims, settings={}, provenance=_provenance(number, sizes),
    )  # fmt: skip


def _weighted(worlds: Worlds, seed: int) -> Worlds:
    weights = np.random.default_rng(seed).gamma(4.0, size=len(worlds))
    numbers = np.arange(len(worlds)) * CALIBRATIONS // len(worlds)
    return replace(worlds, weights=weights / weights.sum(), calibrations=numbers)


def _column(name: str, row: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """A verdict formed again, with other shares."""
    above, within = 0.5 * rng.random(2)
    return {
        "contrast": row["contrast"], "outcome": row["outcome"], "column": name, "status": "holds",
        "verdict": row["verdict"], "change_share": 0.01, "above": above, "within": within,
        "below": 1.0 - above - within, "mean": float(rng.normal(0.0, row["delta"])),
    }  # fmt: skip


def _carrier(claim: Claim, row: dict[str, Any], mechanism: str, rng: np.random.Generator) -> dict[str, Any]:
    some = {name: row[name] for name in ("contrast", "outcome")}
    told = {"mechanism": mechanism, "case": MECHANISMS[mechanism].case, "standard_error": row["delta"] / 10}
    return {"claim": claim.id, **some, **told, "contribution": float(rng.normal(0.0, row["delta"]))}


def _pattern(name: str, reached: bool) -> dict[str, Any]:
    """A finding that the worlds lie around, or beside."""
    low, median, high = (0.9, 1.0, 1.1) if reached else (1.4, 1.5, 1.6)
    there = {"low": low, "median": median, "high": high, "within": 0.9, "error": 0.02, "reached": reached}
    before = {"prior_low": 0.5, "prior_median": 1.2, "prior_high": 2.0, "prior_within": 0.4}
    return {"pattern": name, "value": 1.0, "sd": 0.1, **there, **before}


def _frame(e: Effects, keys: list[tuple[str, str]]) -> pd.DataFrame:
    sample, n = e.sample, len(e.sample)
    of_world = {"world": np.arange(n), "calibration": sample.calibrations, "ancestor": sample.ancestors,
                "weight": sample.weights}  # fmt: skip
    columns: dict[str, Any] = {name: np.tile(values, len(keys)) for name, values in of_world.items()}
    for k, name in enumerate(("contrast", "outcome")):
        columns[name] = pd.Categorical(np.repeat([key[k] for key in keys], n))
    columns["estimate"] = np.concatenate([e.of(*key) for key in keys]).astype(np.float32)
    columns["error"] = np.concatenate([e.error_of(*key) for key in keys])
    return pd.DataFrame(columns)


def _provenance(number: int, sizes: dict[str, float]) -> dict[str, Any]:
    ensemble = {"worlds": number, "calibrations": CALIBRATIONS, "chance_off": 0.15, "r_eff": 9.0, "made": {}}
    return {
        "version": "0", "commit": None, "seed": 0, "model": "made up", "effort": asdict(QUICK), "ensemble": ensemble,
        "pairs": {"fewest": 8, "most": 32}, "worlds": {"main": number, "prior": number, "all_on": number, "again": 0},
        "smallest_effects": sizes,
        "sizes": {"systems": 4, "organisations": 5, "managers": 12, "months": 120, "window": 24},
    }  # fmt: skip

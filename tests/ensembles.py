"""Small ensembles for tests, made by hand: worlds of the prior with weights and measurements that are given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.claims import answer as claims
from sim.claims import statements
from sim.plots.claims import better_or_worse
from sim.worlds import evidence as findings
from sim.worlds.ensemble import Ensemble
from sim.worlds.evidence import Pattern
from sim.worlds.prior import GRID, UNIFORMS, prior, uniforms_of, worlds_from

CALIBRATIONS = 4
SIZES = {"organisations": 2, "managers": 3, "months": 6, "window": 3}
WHOLE = claims.Effort(worlds=20, prior=20, all_on=20, again=20, systems=1, orders=2)


def by_hand(number: int = 24, seed: int = 0, off: float = 0.15) -> Ensemble:
    """Worlds of equal weight, each its own ancestor and a quarter of them of each calibration, that all agree perfectly
    with every pattern."""
    evidence, calibrations = findings.load(), np.arange(number) * CALIBRATIONS // number + 1
    return Ensemble(
        **vars(prior(number, seed, off)) | {"calibrations": calibrations},
        measured={p.id: np.full((number, *np.shape(p.value)), p.value) for p in evidence.patterns},
        evidence=evidence,
        log_z=dict.fromkeys(range(1, CALIBRATIONS + 1), 0.0),
        chance_off=off,
        prior={p.id: _band(p) for p in evidence.patterns},
        provenance={"calibrations": [{"sizes": {}}]},
    )


def _band(pattern: Pattern) -> dict[str, Any]:
    """Draws from the prior that lie around a finding."""
    value, sd = np.asarray(pattern.value), np.asarray(pattern.sd)
    bands = {"low": value - sd, "median": value, "high": value + sd, "within": np.ones_like(value)}
    return {name: band.tolist() for name, band in bands.items()}


def heavy_on_one(ensemble: Ensemble) -> Ensemble:
    """The same worlds, but nearly all weight on the first."""
    weights = np.full(len(ensemble), 1e-6)
    weights[0] = 1.0
    return replace(ensemble, weights=weights / weights.sum())


def kept(number: int = 24, seed: int = 0, off: float = 0.15) -> Ensemble:
    """As `by_hand`, but worlds that a file can keep, pairs of one ancestor, the last of three times the weight of the
    first."""
    codes = np.random.default_rng(seed).integers(GRID, size=(number, UNIFORMS), dtype=np.uint16)
    weights = np.linspace(1.0, 3.0, number)
    return replace(
        by_hand(number, seed, off),
        **vars(worlds_from(uniforms_of(codes), off))
        | {
            "weights": weights / weights.sum(),
            "calibrations": np.arange(number) * CALIBRATIONS // number + 1,
            "ancestors": np.arange(number) // 2,
        },
    )


def saved(folder: Path, main: Ensemble) -> Path:
    """A folder with this ensemble and one under the second prior, as `sim worlds --calibrate` leaves it."""
    folder.mkdir()
    main.save(folder / "main-01.parquet")
    kept(off=0.0).save(folder / "all_on-01.parquet")
    return folder


@contextmanager
def few_pairs() -> Iterator[None]:
    """One block of pairs in each world, however imprecise the effects are: most of the time of a small answer goes
    into more."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(statements, "precision", lambda sizes: {})
        yield


@cache
def whole_answer() -> tuple[claims.ClaimReport, list[tuple[int, int]]]:
    """An answer to every claim in 20 worlds, computed once for all files of tests, and what its progress told."""
    seen: list[tuple[int, int]] = []
    with few_pairs():
        found = claims.compute(
            by_hand(), by_hand(20, seed=1, off=0.0), seed=7, workers=2, effort=WHOLE, **SIZES,
            progress=lambda done, total, note="": seen.append((done, total)),
        )  # fmt: skip
    return found, seen


def make_answers_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `sim claim` switch mechanisms off in two orders only, and draw its first picture alone."""
    monkeypatch.setattr(claims, "QUICK", replace(claims.QUICK, orders=2))
    monkeypatch.setattr("sim.report.claims.pictures", lambda found: {"claims": better_or_worse(found)})

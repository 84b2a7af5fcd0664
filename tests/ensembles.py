"""Small ensembles for tests, made by hand: worlds of the prior with weights and measurements that are given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sim.inference import survey
from sim.inference.ensemble import Ensemble
from sim.inference.world import prior


def by_hand(number: int = 24, seed: int = 0, off: float = 0.15) -> Ensemble:
    """Worlds of equal weight, each its own ancestor, that all agree perfectly with every pattern."""
    evidence = survey.load()
    return Ensemble(
        worlds=prior(number, seed, off),
        weights=np.full(number, 1.0 / number),
        ancestors=np.arange(number),
        seeds=np.arange(number),
        measured={p.id: np.full(number, p.value) for p in evidence.patterns},
        evidence=evidence,
        variance={p.id: 0.0 for p in evidence.patterns},
        off=off,
    )


def heavy_on_one(ensemble: Ensemble) -> Ensemble:
    """The same worlds, but nearly all weight on the first."""
    weights = np.full(len(ensemble), 1e-6)
    weights[0] = 1.0
    return replace(ensemble, weights=weights / weights.sum())

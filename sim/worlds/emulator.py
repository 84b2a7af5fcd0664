"""A fast stand-in for the surveys of a world: neural networks from what matters of a world to what surveys would find.

It proposes where to look and never decides: what is proposed is surveyed, and weighed or accepted by what was found
(`sim.worlds.smc`). So a bad emulator costs time, not truth.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Single = NDArray[np.float32]
FAR = 8.0
"""Misses beyond so many tolerances need not be told apart."""
LAYERS, NETWORKS = (128, 64), 4
"""Sizes of the hidden layers, and networks whose mean is the emulator: they differ in how they began."""
_HELD_OUT, _NEAR = 10, 0.2  # every tenth world; the share of these that agree best


Layers = tuple[tuple[Single, Single], ...]
"""Weights and biases of each layer of a network."""


@dataclass(frozen=True)
class Emulator:
    """Networks, and for each pattern the `variance` of the residuals of their mean on worlds that were held out, in
    squared tolerances. Worlds are given by their features, shape (worlds, any)."""

    networks: tuple[Layers, ...]
    variance: Floats

    def misses(self, x: Single) -> Floats:
        """By how many tolerances each world would miss each pattern, shape (worlds, patterns)."""
        return np.asarray(np.mean([_output(layers, x) for layers in self.networks], axis=0), dtype=np.float64)

    def agreement(self, x: Single) -> Floats:
        """The logarithm of how well each world would agree with the patterns, allowing for the emulator's errors."""
        return np.asarray(-0.5 * (self.misses(x) ** 2 / (1.0 + self.variance)).sum(axis=1))


def _output(layers: Layers, x: Single) -> Single:
    for weights, bias in layers[:-1]:
        x = np.maximum(x @ weights + bias, np.float32(0.0))
    weights, bias = layers[-1]
    return x @ weights + bias


def fit(x: Single, misses: Floats, seed: int) -> Emulator:
    """An emulator of what was found: by how many tolerances each world missed each pattern, shape (worlds, patterns).

    Every tenth world is held out for the variance of the residuals; it is that over the fifth of them which agrees
    best, because there it matters.
    """
    y = np.clip(misses, -FAR, FAR).astype(np.float32)
    out = np.arange(len(x)) % _HELD_OUT == 0
    found = Emulator(tuple(_network(x[~out], y[~out], seed + k) for k in range(NETWORKS)), np.zeros(y.shape[1]))
    residuals, best = found.misses(x[out]) - y[out], np.argsort((y[out] ** 2).sum(axis=1))
    near = best[: max(2, int(_NEAR * len(best)))]
    return replace(found, variance=np.asarray((residuals[near] ** 2).mean(axis=0)))


def _network(x: Single, y: Single, seed: int) -> Layers:
    from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415
    from sklearn.neural_network import MLPRegressor  # noqa: PLC0415

    network = MLPRegressor(
        hidden_layer_sizes=LAYERS, alpha=0.3, batch_size=min(128, len(x) // 2), learning_rate_init=1e-3, max_iter=60,
        early_stopping=True, n_iter_no_change=6, random_state=seed,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it is used as far as it came
        network.fit(x, y.ravel() if y.shape[1] == 1 else y)  # scikit-learn insists
    return tuple(zip(network.coefs_, network.intercepts_, strict=True))

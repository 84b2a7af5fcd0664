"""A fast stand-in for the surveys of a world: a neural network from a world's uniform numbers to its statistics.

It proposes where to look and never decides: what is proposed is surveyed, and weighed or accepted by what was found
(`sim.worlds.smc`). So a bad emulator costs time, not truth.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sim.model.mechanisms import MECHANISMS
from sim.model.parameters import PARAMETERS
from sim.worlds.prior import DRAWN, HIGH, LOW, RANGED

Floats = NDArray[np.float64]
Single = NDArray[np.float32]
FAR = 8.0
"""Misses beyond so many tolerances need not be told apart."""
LAYERS, NETWORKS = (128, 64), 4
"""Sizes of the hidden layers, and networks whose mean is the emulator: they differ in how they began."""
_HELD_OUT, _NEAR = 10, 0.2  # every tenth world; the share of these that agree best
_OF_MECHANISM = [
    (RANGED + number, column, (null - LOW[column]) / (HIGH[column] - LOW[column]))
    for number, mechanism in enumerate(MECHANISMS.values())
    for column, null in ((DRAWN.index(n), PARAMETERS[n].null) for n in mechanism.parameters if n in DRAWN)
]  # column of a mechanism's uniform number, of a parameter of it, and the parameter's null in its range


def features(uniforms: Floats, off: float) -> Single:
    """What matters of worlds: their effective values, each in units of its range, shape (worlds, `RANGED`)."""
    x = uniforms[:, :RANGED].astype(np.float32)
    for switch, column, null in _OF_MECHANISM:
        x[:, column] = np.where(uniforms[:, switch] < off, null, x[:, column])
    return x - np.float32(0.5)


Layers = tuple[tuple[Single, Single], ...]
"""Weights and biases of each layer of a network."""


@dataclass(frozen=True)
class Emulator:
    """Networks, the chance `off` that a mechanism is off, and for each pattern the `variance` of the residuals of their
    mean on worlds that were held out, in squared tolerances."""

    networks: tuple[Layers, ...]
    off: float
    variance: Floats

    def misses(self, uniforms: Floats) -> Floats:
        """By how many tolerances each world would miss each pattern, shape (worlds, patterns)."""
        x = features(uniforms, self.off)
        return np.asarray(np.mean([_output(layers, x) for layers in self.networks], axis=0), dtype=np.float64)

    def agreement(self, uniforms: Floats) -> Floats:
        """The logarithm of how well each world would agree with the patterns, allowing for the emulator's errors."""
        return np.asarray(-0.5 * (self.misses(uniforms) ** 2 / (1.0 + self.variance)).sum(axis=1))


def _output(layers: Layers, x: Single) -> Single:
    for weights, bias in layers[:-1]:
        x = np.maximum(x @ weights + bias, np.float32(0.0))
    weights, bias = layers[-1]
    return x @ weights + bias


def fit(uniforms: Floats, misses: Floats, off: float, seed: int) -> Emulator:
    """An emulator of what was found: by how many tolerances each world missed each pattern, shape (worlds, patterns).

    Every tenth world is held out for the variance of the residuals; it is that over the fifth of them which agrees
    best, because there it matters.
    """
    x, y = features(uniforms, off), np.clip(misses, -FAR, FAR).astype(np.float32)
    out = np.arange(len(x)) % _HELD_OUT == 0
    found = Emulator(tuple(_network(x[~out], y[~out], seed + k) for k in range(NETWORKS)), off, np.zeros(y.shape[1]))
    residuals, best = found.misses(uniforms[out]) - y[out], np.argsort((y[out] ** 2).sum(axis=1))
    near = best[: max(2, int(_NEAR * len(best)))]
    return replace(found, variance=np.asarray((residuals[near] ** 2).mean(axis=0)))


def _network(x: Single, y: Single, seed: int) -> Layers:
    from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415
    from sklearn.neural_network import MLPRegressor  # noqa: PLC0415

    network = MLPRegressor(
        hidden_layer_sizes=LAYERS, alpha=0.3, batch_size=min(128, len(x)), learning_rate_init=1e-3, max_iter=60,
        early_stopping=True, n_iter_no_change=6, random_state=seed,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it is used as far as it came
        network.fit(x, y)
    return tuple(zip(network.coefs_, network.intercepts_, strict=True))

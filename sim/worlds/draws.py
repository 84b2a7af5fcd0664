"""Draws from weighted worlds, and means over them: what every question to an ensemble of worlds starts from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim import statistics as weighted
from sim.errors import InputError, named, nearest, shown
from sim.model.parameters import SIZES, resolve
from sim.statistics import Estimate, Weights
from sim.worlds.prior import World, Worlds

FEWEST = 2
MOST = 1_000_000
SEEDS = 2**32
"""Seeds of runs are whole numbers below this."""


class Weighted(Protocol):
    """Worlds with a weight and an ancestor each: an ensemble, or a `Sample`."""

    @property
    def worlds(self) -> Worlds:
        """The worlds."""

    @property
    def weights(self) -> Weights:
        """Their weights, shape (worlds,)."""

    @property
    def ancestors(self) -> NDArray[np.int64]:
        """The number of the draw of the prior that each descends from, shape (worlds,)."""


@dataclass(frozen=True)
class Sample:
    """Worlds, their weights and their ancestors, in one order."""

    worlds: Worlds
    weights: Weights
    ancestors: NDArray[np.int64]


def unweighted(worlds: Worlds) -> Sample:
    """Worlds of equal weight, each its own ancestor: what `sim.worlds.prior.prior` draws."""
    n = len(worlds)
    return Sample(worlds, np.full(n, 1.0 / n), np.arange(n))


@dataclass(frozen=True)
class Draws:
    """Worlds drawn in proportion to their weights, so all count the same from here on.

    Attributes
    ----------
    worlds : tuple of World
        A heavy world may be drawn several times.
    seeds : tuple of int
        A run's seed for each draw, no two of them related.
    ancestors : int array, shape (draws,)
    """

    worlds: tuple[World, ...]
    seeds: tuple[int, ...]
    ancestors: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.worlds)

    @property
    def weights(self) -> Weights:
        """Equal weights that sum to 1."""
        return np.full(len(self), 1.0 / len(self))

    def mean(self, values: ArrayLike) -> Estimate:
        """The mean of a value for each draw, with its standard error; ancestors are the sampling units."""
        return weighted.mean(self.weights, values, self.ancestors)

    def share(self, truth: ArrayLike) -> Estimate:
        """The share of draws, and so of weight, for which something holds, with its standard error."""
        return weighted.share(self.weights, truth, self.ancestors)

    def quantiles(self, values: ArrayLike, probabilities: ArrayLike) -> NDArray[np.float64]:
        """Quantiles of a value for each draw."""
        return weighted.weighted_quantile(self.weights, values, probabilities)

    def where(self, chosen: NDArray[np.bool_]) -> Draws:
        """The draws for which `chosen`, shape (draws,), is true."""
        numbers = np.flatnonzero(chosen)
        return Draws(
            tuple(self.worlds[k] for k in numbers), tuple(self.seeds[k] for k in numbers), self.ancestors[numbers]
        )


def draw(source: Weighted, number: int, seed: int = 0) -> Draws:
    """`number` worlds from `source`, systematically by weight, and a seed for each.

    >>> from sim.worlds.prior import prior
    >>> len(draw(unweighted(prior(3)), 6))
    6
    """
    rng = np.random.default_rng(seed)
    numbers = weighted.systematic(source.weights, number, rng)
    seeds = rng.integers(SEEDS, size=number).tolist()
    return Draws(tuple(source.worlds[k] for k in numbers.tolist()), tuple(seeds), source.ancestors[numbers])


def check(
    outcomes: Iterable[object] = (),
    known: Iterable[str] = (),
    counts: Mapping[str, tuple[object, int]] | None = None,
    sizes: Mapping[str, Any] | None = None,
    settled: Iterable[str] = (),
) -> None:
    """Raise `InputError` with a line for each mistake in what a question is asked with.

    `outcomes` must be among `known`; `counts` are whole numbers by name, each with the least that is allowed; `sizes`
    are sizes of runs, without those that are `settled` by the question itself.
    """
    known, sizes = tuple(known), sizes or {}
    lines = [f"{named(name)}: no such outcome{nearest(name, known)}" for name in outcomes if name not in known]
    for name, (value, least) in (counts or {}).items():
        if not isinstance(value, int | np.integer) or isinstance(value, bool) or not least <= value <= MOST:
            lines.append(f"{name}: {shown(value)} is not a whole number from {least} to {MOST}")
    lines += [f"{named(name)}: no size of a run{nearest(name, SIZES)}" for name in sizes if name not in SIZES]
    lines += [f"{name}: cannot be set here; it follows from the rest" for name in settled if name in sizes]
    try:
        resolve(**{name: value for name, value in sizes.items() if name in SIZES})
    except InputError as error:
        lines += error.lines
    if lines:
        raise InputError(lines)

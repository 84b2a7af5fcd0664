"""Plausible worlds: what the model's parameters could be, drawn from their ranges, each mechanism on or off.

A world fixes everything but policy. Policies are run in it by `World.parameters`. Each of its values is drawn from a
random stream of its own, keyed by name, so a new parameter or mechanism leaves the others where they were.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.model.parameters import DECLARATIONS, MECHANISMS, REGIMES, Declaration, Parameters, resolve
from sim.model.streams import stream_key

OFF = 0.15
"""The chance that a mechanism is off in a world of the first prior."""
RELIABILITY = (0.6, 0.95)
"""Range of the reliability of what a survey measures, a nuisance parameter of each world."""
GRID = 2**16
"""Values that a uniform number behind a world takes in an ensemble, so that a file keeps it in two bytes."""


def _varies(d: Declaration) -> bool:
    return d.low is not None and d.high is not None and d.low < d.high


DRAWN: tuple[str, ...] = tuple(name for name, d in DECLARATIONS.items() if _varies(d))
"""Parameters and levers with a plausible range, in the order of the columns of `Worlds.values`."""

_MECHANISM_OF = {name: key for key, mechanism in MECHANISMS.items() for name in mechanism.parameters}
_KEYS = tuple(MECHANISMS)
_RANGES = np.array([(DECLARATIONS[name].low, DECLARATIONS[name].high) for name in DRAWN], dtype=np.float64).T
_LOW, _HIGH = _RANGES


@dataclass(frozen=True)
class World:
    """One plausible world.

    Attributes
    ----------
    values : mapping
        Name to value, for each of `DRAWN`; empty for the default world. What belongs to a mechanism that is off has a
        value here too, which is not used.
    off : tuple of str
        Mechanisms that are switched off.
    reliability : float
        Of what surveys measure, from 0 to 1.
    """

    values: Mapping[str, float]
    off: tuple[str, ...] = ()
    reliability: float = sum(RELIABILITY) / 2

    def parameters(self, regime: str = "baseline", **settings: Any) -> Parameters:
        """The parameters of a run under a policy: a regime and settings (levers, sizes, ``schedule``) beside it.

        Levers that the regime or the settings name are theirs, not the world's. ``mechanisms_off`` adds to those that
        are off in this world. Raises `InputError` with a line for each mistake.

        >>> World({"discernment": 0.9}).parameters("supportive").discernment
        0.8
        """
        off = dict.fromkeys((*self.off, *settings.pop("mechanisms_off", ())))
        levers = REGIMES[regime].levers if regime in REGIMES else {}
        own = {n: v for n, v in self.values.items() if n not in levers and _MECHANISM_OF.get(n) not in off}
        return resolve(regime, mechanisms_off=tuple(off), **{**own, **settings})


DEFAULT = World({})
"""The world in which every parameter has its default."""


@dataclass(frozen=True)
class Worlds:
    """Several worlds, as arrays.

    Attributes
    ----------
    values : float array, worlds by `DRAWN`; each number is exact in single precision, so that a small file keeps it.
    off : bool array, worlds by `MECHANISMS`: whether a mechanism is off.
    reliability : float array, one for each world.
    """

    values: NDArray[np.float64]
    off: NDArray[np.bool_]
    reliability: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, number: int) -> World:
        off = tuple(key for key, is_off in zip(_KEYS, self.off[number], strict=True) if is_off)
        values = dict(zip(DRAWN, self.values[number].tolist(), strict=True))
        return World(values, off, float(self.reliability[number]))

    def __iter__(self) -> Iterator[World]:
        return (self[number] for number in range(len(self)))

    def take(self, numbers: NDArray[np.int64]) -> Worlds:
        """The worlds with these numbers, from 0, in this order."""
        return Worlds(self.values[numbers], self.off[numbers], self.reliability[numbers])


COLUMNS: tuple[str, ...] = (*DRAWN, "reliability", *(f"{key} off" for key in MECHANISMS))
"""Names of the uniform numbers that make a world: its values, its reliability, and whether each mechanism is off."""
UNIFORMS = len(COLUMNS)


def uniforms_of(codes: NDArray[np.uint16]) -> NDArray[np.float64]:
    """The uniform numbers that codes stand for: the middles of `GRID` equal parts of [0, 1]."""
    return np.asarray((codes + 0.5) / GRID)


def worlds_from(uniforms: NDArray[np.float64], off: float = OFF) -> Worlds:
    """The worlds that uniform numbers from 0 to 1, shape (worlds, `UNIFORMS`), stand for; a mechanism is off with
    chance `off`."""
    d = len(DRAWN)
    single = (_LOW + (_HIGH - _LOW) * uniforms[:, :d]).astype(np.float32).astype(np.float64)
    low, high = RELIABILITY
    reliability = (low + (high - low) * uniforms[:, d]).astype(np.float32).astype(np.float64)
    return Worlds(np.clip(single, _LOW, _HIGH), uniforms[:, d + 1 :] < off, reliability)


def prior(number: int, seed: int = 0, off: float = OFF) -> Worlds:
    """`number` worlds drawn from the plausible ranges, without regard to evidence.

    Each of `COLUMNS` has a stream of its own, so a world's value of a parameter follows from the seed, the name and the
    number of the world alone.

    >>> len(prior(3)), prior(3)[0].off == prior(3, off=0.0)[0].off
    (3, False)
    """
    streams = (np.random.default_rng([seed, stream_key(f"world {name}")]) for name in COLUMNS)
    return worlds_from(np.column_stack([stream.random(number) for stream in streams]), off)

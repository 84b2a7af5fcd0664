"""The prior: worlds, which are sets of the model's parameters, drawn from plausible ranges, each mechanism on or off.

A world fixes everything but policy. Policies are run in it by `World.parameters`. Each of its values is drawn from a
random stream of its own, keyed by name, so a new parameter or mechanism leaves the others where they were.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim import statistics
from sim.errors import InputError, Mistake, closest, whole
from sim.model.parameters import MECHANISMS, PARAMETERS, REGIMES, Parameters, resolve
from sim.model.streams import stream_key
from sim.statistics import Estimate

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

OFF = 0.15
"""The chance that a mechanism is off in a world of the first prior."""


class Nuisance(NamedTuple):
    """What nobody knows of the studies behind the evidence: numbers that change what they find, and no policy.

    `reliability` is that of what a survey measures; `quality_share` the share of quality, rather than of the reported
    indicator, in what raters call performance; `monitoring_sd` the spread of monitoring over the organisations that
    were studied, and `risk_based` how far monitoring answered poor reports there.
    """

    reliability: float
    quality_share: float
    monitoring_sd: float
    risk_based: float


NUISANCE: dict[str, tuple[float, float]] = {
    "reliability": (0.6, 0.95), "quality_share": (0.0, 1.0), "monitoring_sd": (0.1, 0.3), "risk_based": (0.0, 1.0)
}  # fmt: skip
"""The range of each, from which every world draws its own."""
TYPICAL = Nuisance(*((low + high) / 2.0 for low, high in NUISANCE.values()))
SEEDS = 2**32
"""Seeds of resampled worlds are whole numbers below this."""


DRAWN: tuple[str, ...] = tuple(
    name for name, d in PARAMETERS.items() if d.low is not None and d.high is not None and d.low < d.high
)
"""Parameters and levers with a plausible range, in the order of the columns of `Worlds.values`."""

_MECHANISM_OF = {name: key for key, mechanism in MECHANISMS.items() for name in mechanism.parameters}
_KEYS = tuple(MECHANISMS)
LOW, HIGH = np.array([(PARAMETERS[name].low, PARAMETERS[name].high) for name in DRAWN], dtype=np.float64).T
"""The ends of the plausible range of each of `DRAWN`."""


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
    nuisance : Nuisance
        Of the surveys that are made in it.
    """

    values: Mapping[str, float]
    off: tuple[str, ...] = ()
    nuisance: Nuisance = TYPICAL

    def parameters(self, regime: str = "baseline", **settings: Any) -> Parameters:
        """The parameters of a run under a policy: a regime and settings (levers, sizes, ``schedule``, ``local``) beside
        it.

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


@dataclass(frozen=True, repr=False)
class Worlds:
    """Weighted worlds, as arrays with a row for each world.

    Attributes
    ----------
    values : float array, worlds by `DRAWN`; each number is exact in single precision, so that a small file keeps it.
    off : bool array, worlds by `MECHANISMS`: whether a mechanism is off.
    nuisance : float array, worlds by `NUISANCE`.
    weights : float array, which sums to 1; by default equal weights.
    calibrations : int array, the number of the calibration that each world comes from; by default each has its own,
        which is true of draws from the prior.
    ancestors : int array, the number of the draw that each world of a calibration descends from; by default its own.
    seeds : int array, from which the seeds of the surveys in each world follow; by default its number.
    """

    values: Floats
    off: NDArray[np.bool_]
    nuisance: Floats
    weights: Floats = field(default_factory=lambda: np.empty(0))
    calibrations: Whole = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    ancestors: Whole = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    seeds: Whole = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def __post_init__(self) -> None:
        n = len(self.values)
        own = dict.fromkeys(("calibrations", "ancestors", "seeds"), np.arange(n))
        defaults = {"weights": np.full(n, 1.0 / max(n, 1)), **own}
        for name, default in defaults.items():
            if not len(getattr(self, name)):
                object.__setattr__(self, name, default)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, number: int) -> World:
        off = tuple(key for key, is_off in zip(_KEYS, self.off[number], strict=True) if is_off)
        values = dict(zip(DRAWN, self.values[number].tolist(), strict=True))
        return World(values, off, Nuisance(*self.nuisance[number].tolist()))

    def __iter__(self) -> Iterator[World]:
        return (self[number] for number in range(len(self)))

    @property
    def effective_size(self) -> float:
        """How many worlds of equal weight would be as many."""
        return statistics.effective_size(self.weights)

    @property
    def effective_calibrations(self) -> float:
        """R_eff: how many calibrations of equal weight would be as many."""
        return statistics.effective_calibrations(self.weights, self.calibrations)

    @property
    def distinct_ancestors(self) -> int:
        """How many draws have descendants here."""
        return len(np.unique(np.column_stack([self.calibrations, self.ancestors]), axis=0))

    @property
    def largest_weight(self) -> float:
        """The weight of the heaviest world."""
        return float(self.weights.max())

    def mean(self, values: ArrayLike) -> Estimate:
        """The weighted mean of a value for each world, with its standard error between calibrations."""
        return statistics.mean(self.weights, values, self.calibrations)

    def share(self, truth: ArrayLike) -> Estimate:
        """The share of the weight of the worlds in which something holds, with its standard error."""
        return statistics.share(self.weights, truth, self.calibrations)

    def quantiles(self, values: ArrayLike, probabilities: ArrayLike) -> Floats:
        """Weighted quantiles of a value for each world."""
        return statistics.weighted_quantile(self.weights, values, probabilities)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self):,} worlds, effective size {self.effective_size:.0f}>"

    def is_on(self, parameter: str) -> NDArray[np.bool_]:
        """In which worlds a parameter does anything: its mechanism is on, or it belongs to none.

        Raises `InputError` for an unknown name.
        """
        if parameter not in PARAMETERS:
            raise InputError(
                [Mistake((parameter,), ..., "no parameter, lever or size", closest(parameter, PARAMETERS))]
            )
        key = _MECHANISM_OF.get(parameter)
        return np.ones(len(self), dtype=bool) if key is None else ~self.off[:, _KEYS.index(key)]

    def take(self, numbers: Whole, weights: Floats | None = None) -> Self:
        """The worlds with these numbers, from 0, in this order; by default with equal weights."""
        arrays = {f.name: getattr(self, f.name)[numbers] for f in fields(Worlds)}
        equal = np.full(len(numbers), 1.0 / max(len(numbers), 1))
        return replace(self, **{**arrays, "weights": equal if weights is None else weights})

    def where(self, chosen: NDArray[np.bool_]) -> Self:
        """The worlds for which `chosen`, shape (worlds,), is true, with weights in the same proportion."""
        weights = self.weights[chosen] / self.weights[chosen].max(initial=0.0)  # so that equal ones are exactly equal
        return self.take(np.flatnonzero(chosen), weights / weights.sum())

    def sample(self, number: int, seed: int = 0) -> Self:
        """`number` worlds by systematic resampling; what is taken several times stands once, with as much weight.

        Raises `InputError` for a number below 1.
        """
        number = whole("worlds", number, 1, 10**9)
        taken = statistics.systematic(self.weights, number, np.random.default_rng(seed))
        numbers, times = np.unique(taken, return_counts=True)
        return self.take(numbers, times / number)

    def resample(self, number: int, seed: int = 0) -> Worlds:
        """`number` worlds of equal weight, each taken as often as its weight says, with new seeds.

        >>> len(prior(3).resample(6))
        6
        """
        rng = np.random.default_rng(seed)
        numbers = statistics.systematic(self.weights, number, rng)
        seeds = rng.integers(SEEDS, size=number)
        arrays = (self.values[numbers], self.off[numbers], self.nuisance[numbers])
        return Worlds(*arrays, calibrations=self.calibrations[numbers], ancestors=self.ancestors[numbers], seeds=seeds)

    def frame(self) -> pd.DataFrame:
        """A row for each ``world``: its parameters and levers in their units, those of `NUISANCE` (``"survey
        reliability"``), whether each mechanism is off (``"gaming off"``), ``weight``, ``calibration``, ``ancestor`` and
        ``seed``.

        A parameter whose mechanism is off has a value too, which is not used.
        """
        import pandas as pd  # noqa: PLC0415

        table = pd.DataFrame(self.values, columns=list(DRAWN), index=pd.RangeIndex(len(self), name="world"))
        nuisance = pd.DataFrame(self.nuisance, columns=[f"survey {name}" for name in NUISANCE], index=table.index)
        off = pd.DataFrame(self.off, columns=[f"{key} off" for key in _KEYS], index=table.index)
        own = {"calibration": self.calibrations, "ancestor": self.ancestors, "seed": self.seeds}
        return table.join(nuisance).join(off).assign(weight=self.weights, **own)


GRID = 2**16
"""Values that a uniform number behind a world takes in an ensemble, so that a file keeps it in two bytes."""
COLUMNS: tuple[str, ...] = (*DRAWN, *(f"survey {name}" for name in NUISANCE), *(f"{key} off" for key in MECHANISMS))
"""Names of the uniform numbers that make a world: its values, its nuisances, and whether each mechanism is off."""
UNIFORMS = len(COLUMNS)
RANGED = len(DRAWN) + len(NUISANCE)
"""The first of `COLUMNS`, which have a range."""
_LOW, _HIGH = np.column_stack([(LOW, HIGH), np.transpose(list(NUISANCE.values()))])


def uniforms_of(codes: NDArray[np.uint16]) -> Floats:
    """The uniform numbers that codes stand for: the middles of `GRID` equal parts of [0, 1]."""
    return np.asarray((codes + 0.5) / GRID)


def worlds_from(uniforms: Floats, off: float = OFF) -> Worlds:
    """The worlds that uniform numbers from 0 to 1, shape (worlds, `UNIFORMS`), stand for; a mechanism is off with
    chance `off`."""
    single = (_LOW + (_HIGH - _LOW) * uniforms[:, :RANGED]).astype(np.float32).astype(np.float64)
    values, nuisance = np.split(np.clip(single, _LOW, _HIGH), [len(DRAWN)], axis=1)
    return Worlds(values, uniforms[:, RANGED:] < off, nuisance)


_OF_MECHANISM = [
    (RANGED + _KEYS.index(key), DRAWN.index(name), (PARAMETERS[name].null - LOW) / (HIGH - LOW))
    for name, key in _MECHANISM_OF.items()
    if name in DRAWN
]


def effective(uniforms: Floats, off: float = OFF) -> NDArray[np.float32]:
    """What matters of worlds: their effective values, in parts of their ranges less one half, shape (worlds, `RANGED`);
    the null where a mechanism is off."""
    x = uniforms[:, :RANGED].astype(np.float32)
    for switch, column, null in _OF_MECHANISM:
        x[:, column] = np.where(uniforms[:, switch] < off, np.float32(null[column]), x[:, column])
    return x - np.float32(0.5)


def prior(number: int, seed: int = 0, off: float = OFF) -> Worlds:
    """`number` worlds drawn from the plausible ranges, without regard to evidence.

    Each of `COLUMNS` has a stream of its own, so a world's value of a parameter follows from the seed, the name and the
    number of the world alone.

    >>> len(prior(3)), prior(3)[0].off == prior(3, off=0.0)[0].off
    (3, False)
    """
    streams = (np.random.default_rng([seed, stream_key(f"world {name}")]) for name in COLUMNS)
    return worlds_from(np.column_stack([stream.random(number) for stream in streams]), off)

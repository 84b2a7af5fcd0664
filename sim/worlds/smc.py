"""Sequential Monte Carlo with a tempered likelihood: worlds that agree with evidence, by exact accept steps.

The target is the prior times exp(β · agreement), with β = 1 in the end. Agreement is a sum over patterns of terms that
are never positive, each computed from one simulation with a seed of its own (approximate Bayesian computation with a
Gaussian kernel, Wilkinson 2013). The seed belongs to a particle's state, so no step is approximate for want of
simulations; and no tolerance ever changes: tempering is only the way there.

1. Many draws from the prior. β rises until the weights' effective size is half the number of particles.
2. Systematic resampling to that number of particles, each with the number of its ancestor among the draws.
3. Sweeps of Metropolis moves that leave the tempered target as it is. Each redraws some of a world's uniform numbers
   from the prior: half of the moves each number with the same chance; the others a number with less influence on the
   measurements more often, by a regression over the draws of step 1. The chances are fixed within a stage and adapted
   between stages. The uniform number of the accept step is drawn first, so that a move's simulation ends as soon as
   the patterns compared so far rule the move out.
4. Again from 1 with the particles, until β = 1; the last stage has more sweeps.

A world is a row of whole numbers below `GRID`, one for each uniform number that makes it, so that a file with two
bytes for each keeps it exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError
from sim.pool import Progress, in_order, local_threads
from sim.statistics import effective_size, normalised, systematic
from sim.worlds.prior import GRID, Floats, Whole, uniforms_of

SURVIVING = 0.5
"""β rises until the effective size is this share of the number of particles."""
LAST = 8
"""The last stage has so many times the sweeps of the others."""
BATCH = 256
"""Simulations that are computed and kept together."""
_ACCEPTANCE = 0.25  # of moves, which their size is adapted to
_FIRST_SIZES = (0.2, 0.1)
SEEDS = 2**31
"""Seeds of simulations are whole numbers below this."""
_LITTLE = 1e-12  # what counts as no variance

Codes = NDArray[np.uint16]
Measured = float | NDArray[np.float64]
Batch = dict[str, Floats]
Cache = Callable[[str, Callable[[], Batch]], Batch]
"""Gives the arrays of a name: computed now, or kept from an earlier call."""


@dataclass(frozen=True)
class Target:
    """The distribution that is sampled, over worlds of `dimension` uniform numbers.

    `widths` says how many numbers are measured for each pattern, by its id. `measurements` takes a world's uniform
    numbers and a seed, and gives measured patterns, group after group; `agreement` takes a pattern's id and what was
    measured, and gives a number that is never positive.
    """

    dimension: int
    widths: Mapping[str, int]
    measurements: Callable[[Floats, int], Iterable[Mapping[str, Measured]]]
    agreement: Callable[[str, Measured], float]

    @cached_property
    def columns(self) -> dict[str, slice]:
        """Where each pattern's numbers stand in a row of measurements."""
        ends = np.cumsum(list(self.widths.values())).tolist()
        return {name: slice(end - w, end) for (name, w), end in zip(self.widths.items(), ends, strict=True)}

    def row(self, uniforms: Floats, seed: int, enough: float) -> Floats:
        """Measurements of a world, or NaN throughout as soon as its agreement is sure to stay below `enough`."""
        row, total = np.full(sum(self.widths.values()), np.nan), 0.0
        for group in self.measurements(uniforms, seed):
            for name, measured in group.items():
                row[self.columns[name]] = measured
                total += self._agreement(name, row[self.columns[name]])
            if total < enough:
                return np.full_like(row, np.nan)
        return row

    def totals(self, rows: Floats) -> Floats:
        """The agreement of each row of measurements; −inf where a number is missing."""
        return np.array([sum(self._agreement(name, row[at]) for name, at in self.columns.items()) for row in rows])

    def _agreement(self, name: str, numbers: Floats) -> float:
        if np.isnan(numbers).any():
            return -np.inf
        return self.agreement(name, float(numbers[0]) if len(numbers) == 1 else numbers)


@dataclass(frozen=True)
class Particles:
    """Worlds that are being sampled, as arrays with a row for each: codes of its numbers, the seed of its simulation,
    what was measured, its agreement, and the number of the draw from the prior that it descends from."""

    codes: Codes
    seeds: Whole
    measured: Floats
    totals: Floats
    ancestors: Whole

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, which: Whole) -> Particles:
        """Some of them, in this order."""
        return Particles(*(array[which] for array in vars(self).values()))

    def replaced(self, yes: NDArray[np.bool_], others: Particles) -> Particles:
        """These, but those of the others for which `yes` is true."""
        pairs = zip(vars(self).values(), vars(others).values(), strict=True)
        return Particles(*(np.where(yes.reshape(-1, *[1] * (a.ndim - 1)), b, a) for a, b in pairs))


@dataclass(frozen=True)
class Stage:
    """The record of a stage: β, the effective size after β rose, and the ancestors that are left after resampling.

    `sizes` are those of the two kinds of moves: the chance that a number is redrawn; the change in what is measured, in
    variances of the particles, from which on a number is redrawn in fewer than half of the moves. `acceptances` are the
    shares of them that were accepted, `tried` all moves, and `completed` those that were simulated to the end.
    """

    beta: float
    effective_size: float
    distinct_ancestors: int
    sizes: tuple[float, float]
    acceptances: tuple[float, float]
    tried: int
    completed: int


@dataclass(frozen=True)
class Found:
    """The result of `sample`: the draws from the prior, the particles at β = 1 with equal weights, and how it went."""

    draws: Particles
    particles: Particles
    stages: tuple[Stage, ...]


def sample(
    target: Target,
    *,
    draws: int,
    particles: int,
    sweeps: int,
    seed: int = 0,
    cache: Cache = lambda name, compute: compute(),
    progress: Progress | None = None,
    workers: int | None = None,
) -> Found:
    """Sample a target: `draws` from the prior, then `particles`, moved `sweeps` times in each stage.

    What it finds depends on the target, these three numbers and `seed` alone, not on `workers` (threads, by default
    one for each core) or on what `cache` had kept. Raises `InputError` where no draw agrees at all.
    """
    with local_threads(workers) as executor:
        simulate = _Simulations(target, executor, cache, progress or (lambda done, total, note="": None))
        rng = np.random.default_rng((seed, 0))
        codes = rng.integers(GRID, size=(draws, target.dimension), dtype=np.uint16)
        seeds = rng.integers(SEEDS, size=draws)
        measured = simulate(codes, seeds, np.full(draws, -np.inf), 0, 0.0)
        first = Particles(codes, seeds, measured, target.totals(measured), np.arange(draws))
        # How what is measured depends on each uniform number, by a regression over the draws:
        x, y = uniforms_of(codes) - 0.5, np.nan_to_num(measured - np.nanmean(measured, axis=0))
        slopes = np.linalg.solve(x.T @ x + np.eye(target.dimension), x.T @ y)
        now, beta, sizes, stages = first, 0.0, _FIRST_SIZES, list[Stage]()
        while beta < 1.0:
            rng = np.random.default_rng((seed, len(stages) + 1))
            weights, beta = _raised(now.totals, beta, SURVIVING * particles)
            now = now.take(systematic(weights, particles, rng))
            kept, count = len(np.unique(now.ancestors)), sweeps * (LAST if beta == 1.0 else 1)
            now, moves = _moved(simulate, slopes, now, beta, count, sizes, len(stages) + 1, rng)
            stages.append(Stage(beta, effective_size(weights), kept, sizes, *moves))
            chance, change = sizes * np.clip(np.divide(stages[-1].acceptances, _ACCEPTANCE), 0.4, 2.5)
            sizes = min(float(chance), 1.0), float(change)
    return Found(first, now, tuple(stages))


@dataclass(frozen=True)
class _Simulations:
    """Simulates in batches, each computed once."""

    target: Target
    executor: Executor
    cache: Cache
    progress: Progress

    def __call__(
        self, codes: Codes, seeds: Whole, enough: Floats, stage: int, beta: float, sweep: int = 0, sweeps: int = 1
    ) -> Floats:
        """Rows of measurements, as `Target.row` gives them."""
        n, rows = len(codes), list[Floats]()
        for start in range(0, n, BATCH):
            part = slice(start, start + BATCH)
            jobs = list(zip(uniforms_of(codes[part]), seeds[part].tolist(), enough[part].tolist(), strict=True))
            rows.append(self.cache(f"{stage:03}-{sweep:03}-{start:06}", partial(self._batch, jobs))["measured"])
            self.progress(sweep * n + min(start + BATCH, n), sweeps * n, f"stage {stage}, β = {beta:.3g}")
        return np.concatenate(rows)

    def _batch(self, jobs: list[tuple[Floats, int, float]]) -> Batch:
        return {"measured": np.array(list(in_order(self.executor, lambda job: self.target.row(*job), jobs)))}


def _raised(totals: Floats, beta: float, size: float) -> tuple[Floats, float]:
    """The weights at the largest β, at most 1, that leaves this effective size, and that β."""

    def weights(at: float) -> Floats:
        return normalised((at - beta) * totals)

    if not np.isfinite(totals).any():
        raise InputError(["patterns: no draw from the prior could be compared with them at all"])
    if effective_size(weights(1.0)) >= size:
        return weights(1.0), 1.0
    low, high = beta, 1.0
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if effective_size(weights(middle)) >= size else (low, middle)
    return weights(high), high


def _moved(
    simulate: _Simulations,
    slopes: Floats,
    now: Particles,
    beta: float,
    sweeps: int,
    sizes: tuple[float, float],
    stage: int,
    rng: np.random.Generator,
) -> tuple[Particles, tuple[tuple[float, float], int, int]]:
    """Particles after sweeps of moves, and the last three of what `Stage` says."""
    # By how much redrawing each number changes the measurements, in variances of the particles:
    n, change = len(now), (slopes**2 / np.maximum(now.measured.var(axis=0), _LITTLE)).sum(axis=1)
    chances = np.stack([np.full(len(change), sizes[0]), sizes[1] / (change + sizes[1])])
    tried, accepted, completed = np.zeros(2), np.zeros(2), 0
    for sweep in range(sweeps):
        kind = rng.integers(2, size=n)
        redrawn = rng.random(now.codes.shape) < chances[kind]
        redrawn[np.arange(n), rng.integers(now.codes.shape[1], size=n)] = True  # at least one of each world
        codes = np.where(redrawn, rng.integers(GRID, size=redrawn.shape, dtype=np.uint16), now.codes)
        seeds = rng.integers(SEEDS, size=n)
        enough = now.totals + np.log1p(-rng.random(n)) / beta
        measured = simulate(codes, seeds, enough, stage, beta, sweep, sweeps)
        proposed = Particles(codes, seeds, measured, simulate.target.totals(measured), now.ancestors)
        yes = proposed.totals >= enough
        now = now.replaced(yes, proposed)
        tried += np.bincount(kind, minlength=2)
        accepted += np.bincount(kind[yes], minlength=2)
        completed += int(np.isfinite(proposed.totals).sum())
    rates = accepted / np.maximum(tried, 1.0)
    return now, ((float(rates[0]), float(rates[1])), n * sweeps, completed)

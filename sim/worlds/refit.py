"""Worlds that agree with the evidence and with further data of the same kind, from worlds that agree with the evidence.

For checks of the inference whose pseudo-data leave too few worlds when these are only weighed (`sim.claims.inference`).
The target is the prior times both likelihoods, each by surveys of its own whose seeds belong to a world's state. From
the weighted worlds the likelihood of the data is raised to a power γ from 0 to 1, each step as far as leaves enough;
worlds are resampled, and moved as in a calibration: along a chain on what an emulator believes, which costs nothing,
and accepted by what surveys find at its end (`sim.worlds.smc`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from sim.pool import Progress, local_threads
from sim.statistics import effective_size, normalised, systematic
from sim.worlds.emulator import Emulator
from sim.worlds.prior import GRID, UNIFORMS, Floats, Whole, Worlds, worlds_from
from sim.worlds.smc import _FIRST_SIZES, SEEDS, SURVIVING, Codes, Target, _chain, _Surveys
from sim.worlds.survey import seeds_of

FRESH = 2**34
"""Seeds of second surveys begin here, above all that ensembles are surveyed with."""


@dataclass(frozen=True)
class Plan:
    """Worlds that are moved; steps of the chain of a move; and how many surveys may be made before the last sweep of
    moves begins: a sweep takes 6 of each world."""

    particles: int = 110
    steps: int = 200
    surveys: int = 1_400


@dataclass(frozen=True)
class States:
    """Worlds as arrays with a row for each: codes, the number of their seeds, what first and second surveys found
    (numbers of the patterns, twice), and weights."""

    codes: Codes
    seeds: Whole
    statistics: Floats
    weights: Floats = field(default_factory=lambda: np.empty(0))


@dataclass(frozen=True)
class Refit:
    """States that are equally likely, of which `effective_size` are distinct; the surveys that were made; and of each
    sweep its power γ and the share of moves that were accepted."""

    states: States
    effective_size: float
    surveys: int
    sweeps: tuple[tuple[float, float], ...]


def second_seeds(number: int, surveys: int) -> list[int]:
    """The seeds of the second surveys of a world, from the number that an ensemble keeps of it."""
    return [FRESH + seed for seed in seeds_of(number, surveys)]


def codes_of(worlds: Worlds, off: float, seed: int = 0) -> Codes:
    """Codes that stand for worlds of a prior in which a mechanism is off with chance `off`, `sim.worlds.smc.Codes`.

    What decides whether a mechanism is off is drawn anew, where it decides as it did.
    """
    rng = np.random.default_rng(seed)
    low, high = (_ranged(worlds_from(np.full((1, UNIFORMS), end), off)) for end in (0.0, 1.0))
    codes = np.rint((_ranged(worlds) - low) / (high - low) * GRID - 0.5)
    edge = int(np.ceil(off * GRID - 0.5))  # codes below are off
    u = rng.random(worlds.off.shape)
    switches = np.floor(np.where(worlds.off, u * edge, edge + u * (GRID - edge)))
    return np.asarray(np.clip(np.hstack([codes, switches]), 0, GRID - 1), dtype=np.uint16)


def _ranged(worlds: Worlds) -> Floats:
    return np.column_stack([worlds.values, worlds.nuisance])


def twice(target: Target, data: Floats) -> Target:
    """The target of the evidence and of `data`, a number for each of the evidence's; the likelihood of each is that of
    surveys of its own."""
    k = len(target.values)

    def statistics(uniforms: Floats, seed: int) -> Floats:
        return np.hstack([target.statistics(uniforms, each)[:k] for each in (seed, FRESH + seed)])

    return replace(target, statistics=statistics, values=np.hstack([target.values, data]), sds=np.tile(target.sds, 2))


def refit(
    target: Target,
    start: States,
    data: Floats,
    emulator: Emulator,
    plan: Plan | None = None,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    workers: int | None = 1,
) -> Refit:
    """Equally likely worlds under a target's evidence and `data`, from worlds weighted by the evidence.

    `emulator` is of what a survey of a world finds, in misses of the evidence.
    """
    plan, both, k = plan or Plan(), twice(target, data), len(target.values)
    with threadpool_limits(1), local_threads(workers) as executor:
        survey = _Surveys(both, executor, lambda name, compute: compute(), progress or (lambda *_: None))
        rng, sizes, sweeps, gamma = np.random.default_rng((seed, 4)), _FIRST_SIZES, list[tuple[float, float]](), 0.0
        now, logs = start, np.log(np.maximum(start.weights, 1e-300))
        while gamma < 1.0:
            of_data = _agreement(both, now.statistics, 1.0) - _agreement(both, now.statistics, 0.0)
            least = min(float(plan.particles), SURVIVING * effective_size(normalised(logs)))
            rise = _rise(logs, of_data, 1.0 - gamma, least)
            taken = systematic(normalised(logs + rise * of_data), plan.particles, rng)
            gamma = 1.0 if rise == 1.0 - gamma else gamma + rise
            now, logs = States(now.codes[taken], now.seeds[taken], now.statistics[taken]), np.zeros(plan.particles)
            believer = doubled(emulator, (target.values - data) / target.sds, gamma)
            while True:
                tempered = replace(both, sds=np.hstack([target.sds, target.sds / gamma**0.5]))
                believed = tempered.believed(believer, now.codes)
                codes, new_believed, sizes = _chain(tempered, believer, now.codes, 1.0, plan.steps, sizes, rng)
                seeds = np.where(rng.random(len(codes)) < 0.5, now.seeds, rng.integers(SEEDS, size=len(codes)))
                found = survey(f"refit at {gamma:.3g}", codes, seeds, target.surveys)[:, : 2 * k]
                gain = _agreement(both, found, gamma) - new_believed
                gain -= _agreement(both, now.statistics, gamma) - believed
                yes = np.log1p(-rng.random(len(codes))) <= gain
                now = States(
                    np.where(yes[:, None], codes, now.codes),
                    np.where(yes, seeds, now.seeds),
                    np.where(yes[:, None], found, now.statistics),
                )
                sweeps.append((gamma, float(yes.mean())))
                if gamma < 1.0 or 2 * survey.made > plan.surveys:
                    break
    _, times = np.unique(np.column_stack([now.codes, now.seeds]), axis=0, return_counts=True)
    return Refit(now, effective_size(times), 2 * survey.made, tuple(sweeps))


def doubled(emulator: Emulator, shift: Floats, gamma: float) -> Emulator:
    """The emulator of misses of the evidence, and beside them of √γ times those of data, which are larger by `shift`.

    A likelihood to the power γ is one with misses √γ times as large.
    """
    root = gamma**0.5

    def both(weights: NDArray[np.float32], bias: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        second = (root * (bias + shift)).astype(np.float32)
        return np.hstack([weights, np.float32(root) * weights]), np.hstack([bias, second])

    networks = tuple((*layers[:-1], both(*layers[-1])) for layers in emulator.networks)
    return Emulator(networks, np.hstack([emulator.variance, gamma * emulator.variance]))  # type: ignore[arg-type]


def _agreement(both: Target, statistics: Floats, gamma: float) -> Floats:
    """The logarithm of the likelihood of the evidence, times that of the data to the power γ."""
    squares = both.misses(statistics) ** 2
    k = squares.shape[1] // 2
    found = -0.5 * (squares[:, :k].sum(axis=1) + gamma * squares[:, k:].sum(axis=1))
    return np.where(np.isnan(found), -np.inf, found)


def _rise(logs: Floats, more: Floats, most: float, least: float) -> float:
    """The largest power, at most `most`, of weights exp(`more`) on top of exp(`logs`) that leaves an effective size."""

    def enough(power: float) -> bool:
        return effective_size(normalised(logs + power * more)) >= least

    if enough(most):
        return most
    low, high = 0.0, most
    while high - low > 1e-6 * most:
        middle = (low + high) / 2.0
        low, high = (middle, high) if enough(middle) else (low, middle)
    return high

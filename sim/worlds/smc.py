"""One calibration: worlds that agree with the evidence, found with an emulator and decided by surveys.

The target is the prior times exp(agreement), where the agreement of a world is −½ Σ misses² over patterns, a miss
being the distance of a statistic from its finding, in tolerances, and a statistic the mean over several surveys with
seeds of their own (approximate Bayesian computation with a Gaussian kernel, Wilkinson 2013). The seeds belong to a
particle's state, so nothing is approximate for want of simulations.

1. Draws from the prior, each surveyed with one seed; an emulator learns what surveys find.
2. Rounds: worlds that agree by the emulator are surveyed, one seed each, and the emulator learns again from all.
3. Candidates from the distribution q that the emulator believes in, its own errors allowed for: sequential Monte Carlo
   from the prior, which costs no survey and gives q's normalising constant. Each is surveyed with all its seeds.
4. A bridge from q to the target, q · exp(γ·(agreement − emulated agreement)), γ from 0 to 1, each step as far as leaves
   half of the effective size; systematic resampling; and sweeps of moves that leave the bridge as it is. A move runs a
   chain on q, which costs no survey, surveys where it ended, and accepts by how much better the surveys did than the
   emulator (the surrogate transition of Liu 2001; delayed acceptance, Christen & Fox 2005). Half of the moves keep the
   seeds of the surveys, half draw new ones.

A bad emulator makes weights uneven and moves rare; it never changes what is sampled. The target's normalising constant
is q's times the mean weights of the bridge.

A world is a row of whole numbers below `GRID`, one for each uniform number that makes it, so that a file with two
bytes for each keeps it exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from sim.errors import InputError
from sim.pool import Progress, in_order, local_threads
from sim.statistics import effective_size, log_sum, normalised, systematic
from sim.worlds import emulator as emulating
from sim.worlds import survey
from sim.worlds.emulator import Emulator, Single
from sim.worlds.prior import GRID, Floats, Whole, uniforms_of

SURVIVING = 0.5
"""A step of a distribution to the next leaves this share of the effective size."""
BATCH = 500
"""Worlds that are surveyed and kept together."""
SEEDS = 2**31
"""The number of a world's seeds is a whole number below this."""
_ACCEPTANCE = 0.25  # of the steps of a chain, which their size is adapted to
_SETTLING, _MIXING = 40, 400  # steps of a chain in each stage of q but the last, and in the last

Codes = NDArray[np.uint16]
Batch = dict[str, NDArray[Any]]
Cache = Callable[[str, Callable[[], Batch]], Batch]
"""Gives the arrays of a name: computed now, or kept from an earlier call."""


@dataclass(frozen=True)
class Target:
    """The distribution that is sampled, over worlds of `dimension` uniform numbers.

    `statistics` takes a world's uniform numbers and a seed, and gives what one survey finds, the patterns first;
    `features` gives what an emulator needs to know of the uniform numbers of worlds; `values` and `sds` are the
    patterns' findings and tolerances, to which the first of the statistics belong; `surveys` is the number of surveys
    whose statistics a world's are the mean of.
    """

    dimension: int
    statistics: Callable[[Floats, int], Floats]
    features: Callable[[Floats], Single]
    values: Floats
    sds: Floats
    surveys: int = 3

    def misses(self, statistics: Floats) -> Floats:
        """By how many tolerances statistics, shape (worlds, any), miss each pattern."""
        return np.asarray((statistics[:, : len(self.values)] - self.values) / self.sds)

    def agreement(self, statistics: Floats) -> Floats:
        """The logarithm of how well worlds agree with the evidence; −inf where a statistic is missing."""
        found = -0.5 * (self.misses(statistics) ** 2).sum(axis=1)
        return np.where(np.isnan(found), -np.inf, found)

    def believed(self, emulator: Emulator, codes: Codes) -> Floats:
        """The logarithm of how well an emulator believes that worlds agree."""
        return emulator.agreement(self.features(uniforms_of(codes)))


@dataclass(frozen=True)
class Plan:
    """How much is computed: surveys of draws from the `prior` and of each of the `rounds`, with one seed; `candidates`
    and `particles` with all; `sweeps` of moves after the last step of the bridge (one after each other), each at the
    end of a chain of `steps`."""

    prior: int = 10_000
    rounds: tuple[int, ...] = (4_000, 4_000, 4_000)
    candidates: int = 4_000
    particles: int = 1_000
    sweeps: int = 4
    steps: int = 200


@dataclass(frozen=True)
class Particles:
    """Worlds as arrays with a row for each: codes, the number of their seeds, statistics, the logarithm of how much
    better they agree than the emulator believes, and the number of the candidate that they descend from."""

    codes: Codes
    seeds: Whole
    statistics: Floats
    better: Floats
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
class Found:
    """The result of `sample`: the particles, equally likely under the target; the logarithm of its normalising
    constant; statistics of the draws from the prior, with one seed each; and how it went, for a file."""

    particles: Particles
    log_z: float
    prior: Floats
    history: Mapping[str, Any]


def sample(
    target: Target,
    plan: Plan,
    *,
    seed: int = 0,
    cache: Cache = lambda name, compute: compute(),
    progress: Progress | None = None,
    workers: int | None = 1,
) -> Found:
    """Sample a target. What it finds follows from the target, the plan and the `seed`, and not from `workers` (threads)
    or from what `cache` had kept; to the last bit where the emulator's arithmetic is the same, so on one machine.

    Raises `InputError` where no draw can be compared with the evidence.
    """
    with threadpool_limits(1), local_threads(workers) as executor:  # one thread of BLAS, whose sums it would change
        surveys = _Surveys(target, executor, cache, progress or (lambda done, total, note="": None))
        rng = np.random.default_rng((seed, 0))
        codes = rng.integers(GRID, size=(plan.prior, target.dimension), dtype=np.uint16)
        prior = surveys("prior", codes, rng.integers(SEEDS, size=plan.prior), 1)
        if not np.isfinite(target.agreement(prior)).any():
            raise InputError(["patterns: no draw from the prior could be compared with them at all"])
        known, rounds = [(codes, prior)], list[dict[str, float]]()
        for number, size in enumerate((*plan.rounds, plan.candidates), 1):
            emulator = _learned(target, known, cache, number, seed)
            rng = np.random.default_rng((seed, number))
            codes, seeds, log_z = _believed(target, emulator, size, cache, number, rng)
            last = number > len(plan.rounds)
            found = surveys(f"round-{number}", codes, seeds, target.surveys if last else 1)
            better = target.agreement(found) - target.believed(emulator, codes)
            rounds.append(_told(emulator, better, log_z))
            known.append((codes, found))
        now = Particles(codes, seeds, found, better, np.arange(len(codes)))
        bridge = _Bridge(target, emulator, plan, surveys, cache, seed)
        particles, log_more, steps = bridge.crossed(now)
    history = {"rounds": rounds, "bridge": steps, "surveys": surveys.made}
    return Found(particles, log_z + log_more, prior, history)


class _Surveys:
    """Surveys worlds in batches, each kept; `made` counts them."""

    def __init__(self, target: Target, executor: Executor, cache: Cache, progress: Progress) -> None:
        self.target, self.executor, self.cache, self.progress, self.made = target, executor, cache, progress, 0

    def __call__(self, name: str, codes: Codes, seeds: Whole, number: int) -> Floats:
        """Statistics of each world, means over the first `number` of its seeds."""
        rows = list[Floats]()
        for start in range(0, len(codes), BATCH):
            self.progress(start, len(codes), name)
            part = slice(start, start + BATCH)
            jobs = [(u, number, s) for u, s in zip(uniforms_of(codes[part]), seeds[part].tolist(), strict=True)]
            rows.append(self.cache(f"{name}-{start:06}", lambda jobs=jobs: self._batch(jobs))["statistics"])  # type: ignore[misc]
        self.made += number * len(codes)
        self.progress(len(codes), len(codes), name)
        return np.concatenate(rows)

    def _batch(self, jobs: list[tuple[Floats, int, int]]) -> Batch:
        return {"statistics": np.array(list(in_order(self.executor, lambda job: self._mean(*job), jobs)))}

    def _mean(self, uniforms: Floats, number: int, seed: int) -> Floats:
        found = [self.target.statistics(uniforms, each) for each in survey.seeds_of(seed, self.target.surveys)[:number]]
        return np.asarray(np.mean(found, axis=0))


def _learned(target: Target, known: list[tuple[Codes, Floats]], cache: Cache, number: int, seed: int) -> Emulator:
    """The emulator of all that was surveyed so far."""

    def fitted() -> Batch:
        codes, statistics = (np.concatenate(arrays) for arrays in zip(*known, strict=True))
        misses = target.misses(statistics)
        there = np.isfinite(misses).all(axis=1)
        made = emulating.fit(target.features(uniforms_of(codes[there])), misses[there], seed)
        parts = zip(*([part for layer in layers for part in layer] for layers in made.networks), strict=True)
        return {"variance": made.variance, **{str(number): np.stack(part) for number, part in enumerate(parts)}}

    kept = cache(f"emulator-{number}", fitted)
    parts = [kept[str(k)] for k in range(len(kept) - 1)]
    networks = tuple(tuple(zip(own[::2], own[1::2], strict=True)) for own in zip(*parts, strict=True))
    return Emulator(networks, kept["variance"])


def _believed(
    target: Target, emulator: Emulator, size: int, cache: Cache, number: int, rng: np.random.Generator
) -> tuple[Codes, Whole, float]:
    """Worlds that are equally likely under q, the numbers of their seeds, and the logarithm of q's constant."""

    def drawn() -> Batch:
        codes = rng.integers(GRID, size=(size, target.dimension), dtype=np.uint16)
        log_q, beta, log_z, sizes = target.believed(emulator, codes), 0.0, 0.0, _FIRST_SIZES
        while beta < 1.0:
            rise = _step(log_q, 1.0 - beta)
            log_z += _log_mean(rise * log_q)
            taken = systematic(normalised(rise * log_q), size, rng)
            beta = 1.0 if rise == 1.0 - beta else beta + rise
            codes, log_q, sizes = _chain(
                target, emulator, codes[taken], beta, _MIXING if beta == 1.0 else _SETTLING, sizes, rng
            )
        return {"codes": codes, "seeds": rng.integers(SEEDS, size=size), "log_z": np.array(log_z)}

    kept = cache(f"believed-{number}", drawn)
    return kept["codes"], kept["seeds"], float(kept["log_z"])


_Sizes = tuple[float, float]
_FIRST_SIZES: _Sizes = (0.1, 0.2)


def _chain(
    target: Target, emulator: Emulator, codes: Codes, beta: float, steps: int, sizes: _Sizes, rng: np.random.Generator
) -> tuple[Codes, Floats, _Sizes]:
    """Codes after steps of Metropolis moves on prior · exp(β · emulated agreement), their emulated agreement, and sizes
    that suit such moves better.

    A move redraws some numbers from the prior, or shifts some a little; sizes are the chance that a number is redrawn,
    and the chance that one is shifted.
    """
    log_q = target.believed(emulator, codes)
    tried, accepted = np.zeros(2), np.zeros(2)
    for _ in range(steps):
        kind = rng.integers(2, size=len(codes))
        chosen = rng.random(codes.shape, dtype=np.float32) < np.array(sizes, dtype=np.float32)[kind][:, None]
        chosen[np.arange(len(codes)), rng.integers(codes.shape[1], size=len(codes))] = True  # at least one of each
        where = np.nonzero(chosen)
        fresh = rng.integers(GRID, size=len(where[0]))
        shift = np.rint(rng.standard_normal(len(where[0])) * (0.15 * GRID)).astype(np.int64)
        moved = _reflected(codes[where].astype(np.int64) + shift)
        proposed = codes.copy()
        proposed[where] = np.where(kind[where[0]] == 0, fresh, moved).astype(np.uint16)
        log_new = target.believed(emulator, proposed)
        yes = np.log1p(-rng.random(len(codes))) <= beta * (log_new - log_q)
        codes, log_q = np.where(yes[:, None], proposed, codes), np.where(yes, log_new, log_q)
        tried += np.bincount(kind, minlength=2)
        accepted += np.bincount(kind[yes], minlength=2)
    scale = np.clip(accepted / np.maximum(tried, 1.0) / _ACCEPTANCE, 0.5, 2.0)
    low, high = 1.0 / codes.shape[1], 1.0
    better = np.clip(np.array(sizes) * scale, low, high)
    return codes, log_q, (float(better[0]), float(better[1]))


def _reflected(codes: Whole) -> Whole:
    """Codes beyond an end of the grid, mirrored at it."""
    folded = np.mod(codes, 2 * GRID)
    return np.where(folded < GRID, folded, 2 * GRID - 1 - folded)


@dataclass(frozen=True)
class _Bridge:
    """From what the emulator believes to the target."""

    target: Target
    emulator: Emulator
    plan: Plan
    surveys: _Surveys
    cache: Cache
    seed: int

    def crossed(self, now: Particles) -> tuple[Particles, float, list[dict[str, Any]]]:
        """Particles of the target, by what its constant is larger than q's, in logarithms, and the record of steps:
        γ, the effective size before resampling, distinct ancestors, the share of moves that were accepted, and how
        much of its variance each coordinate's squared jump is in a sweep, at the end."""
        gamma, log_z, steps, sizes = 0.0, 0.0, list[dict[str, Any]](), _FIRST_SIZES
        while gamma < 1.0:
            rng = np.random.default_rng((self.seed, 100 + len(steps)))
            rise = _step(now.better, 1.0 - gamma)
            weights = normalised(rise * now.better)
            log_z += _log_mean(rise * now.better)
            gamma = 1.0 if rise == 1.0 - gamma else gamma + rise
            now = now.take(systematic(weights, self.plan.particles, rng))
            kept, sweeps = len(np.unique(now.ancestors)), self.plan.sweeps if gamma == 1.0 else 1
            rates, jumps = list[float](), list[Floats]()
            for sweep in range(sweeps):
                now, yes, jump, sizes = self._moved(now, gamma, f"step-{len(steps) + 1}-{sweep + 1}", sizes, rng)
                rates.append(yes)
                jumps.append(jump)
            size = effective_size(weights)
            steps.append({"gamma": gamma, "effective_size": size, "ancestors": kept, "accepted": rates,
                          "heaviest": float(weights.max())})  # fmt: skip
        steps[-1]["jumps"] = np.mean(jumps, axis=0).round(4).tolist()
        return now, log_z, steps

    def _moved(
        self, now: Particles, gamma: float, name: str, sizes: _Sizes, rng: np.random.Generator
    ) -> tuple[Particles, float, Floats, _Sizes]:
        """Particles after a move of each, the share that was accepted, and squared jumps in units of 2 variances."""

        def proposed() -> Batch:
            codes, log_q, better = _chain(self.target, self.emulator, now.codes, 1.0, self.plan.steps, sizes, rng)
            seeds = np.where(rng.random(len(now)) < 0.5, now.seeds, rng.integers(SEEDS, size=len(now)))
            limits = np.log1p(-rng.random(len(now)))
            return {"codes": codes, "seeds": seeds, "believed": log_q, "sizes": np.array(better), "limits": limits}

        new = self.cache(f"{name}-proposed", proposed)
        found = self.surveys(name, new["codes"], new["seeds"], self.target.surveys)
        others = Particles(
            new["codes"], new["seeds"], found, self.target.agreement(found) - new["believed"], now.ancestors
        )
        yes = new["limits"] <= gamma * (others.better - now.better)
        jump = yes[:, None] * (others.codes.astype(float) - now.codes) ** 2
        jumps = jump.mean(axis=0) / (2.0 * now.codes.var(axis=0))
        return now.replaced(yes, others), float(yes.mean()), jumps, (float(new["sizes"][0]), float(new["sizes"][1]))


def _step(logs: Floats, most: float) -> float:
    """The largest power, at most `most`, of weights exp(logs) that leaves `SURVIVING` of the effective size."""
    size = SURVIVING * float(np.isfinite(logs).sum())
    if effective_size(normalised(most * logs)) >= size:
        return most
    low, high = 0.0, most
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if effective_size(normalised(middle * logs)) >= size else (low, middle)
    return high


def _log_mean(logs: Floats) -> float:
    """The logarithm of the mean of exp(logs)."""
    return log_sum(logs) - float(np.log(len(logs)))


def _told(emulator: Emulator, better: Floats, log_z: float) -> dict[str, float]:
    """How well an emulator foretold what was then surveyed."""
    weights = normalised(better)
    return {
        "log_z_emulated": log_z,
        "effective_share": effective_size(weights) / len(weights),
        "error": float(np.sqrt(emulator.variance.mean())),
    }

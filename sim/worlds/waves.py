"""History matching by waves: a second way to the worlds of a target, of another family than `sim.worlds.smc`.

1. Uniform draws, each surveyed with one seed; Gaussian processes, one for each pattern, learn what surveys find.
2. Waves: a world is ruled out if for some pattern the emulated miss is more than `cut` of its errors, which are the
   tolerance and the emulator's own (implausibility; Craig et al. 1997, Vernon et al. 2010). Worlds drawn uniformly from
   what is not ruled out are surveyed, and the processes learn again from these and the others.
3. Draws from what is not ruled out in the end, uniform or tilted to what the processes believe, are surveyed with all
   seeds and weighed: likelihood times prior over proposal.

What is shared with the other algorithm is the target alone: no emulator, no bridge, no resampling by surveys. The price
is that weights are as uneven as the likelihood within what is not ruled out, and that what is ruled out wrongly is
lost, which is why the cut is wide.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from sim.errors import InputError
from sim.pool import Progress, in_order, local_threads
from sim.statistics import effective_size, log_sum, normalised
from sim.worlds.prior import GRID, Floats, Whole, Worlds, uniforms_of, worlds_from
from sim.worlds.smc import SEEDS, Codes, Target
from sim.worlds.survey import seeds_of

FAR = 8.0
"""Misses beyond so many tolerances need not be told apart."""
_LEARNED = 400  # points by which a process learns its hyperparameters
_HELD_OUT, _NEAR = 10, 0.2  # every tenth world; the share of these that agree best
_FAINT = 0.05  # the least relevance of a number, in parts of the largest
_SLICE = 2_000  # worlds that are emulated at once

Logs = Callable[[Codes], Floats]


@dataclass(frozen=True)
class Plan:
    """Surveys of uniform draws, with one seed; of each wave, with one; and `draws` with all.

    `points` is the most that a process learns from, the latest first, as many again as its cost cubed; `cut` the
    implausibility from which a world is ruled out; `tilt` the power of the emulated likelihood in the proposal, 0 for
    uniform draws; `steps` those of each chain of moves within a region.
    """

    first: int = 2_000
    waves: tuple[int, ...] = (1_000, 1_000)
    draws: int = 4_000
    points: int = 2_500
    cut: float = 3.0
    tilt: float = 0.0
    steps: int = 100


@dataclass(frozen=True)
class Process:
    """One Gaussian process with a linear and a squared-exponential kernel, on numbers scaled by their relevance: its
    mean at a point is `level` + x·`slope` + Σ `pull`·exp(−½|(x − `at`)/`length`|²)."""

    relevance: Floats
    at: Floats
    pull: Floats
    slope: Floats
    level: float
    length: float

    def __call__(self, x: Floats) -> Floats:
        """The mean at points, shape (points, numbers)."""
        scaled = x * self.relevance
        squares = (scaled**2).sum(axis=1)[:, None] + (self.at**2).sum(axis=1) - 2.0 * scaled @ self.at.T
        return np.asarray(self.level + scaled @ self.slope + np.exp(-0.5 / self.length**2 * squares) @ self.pull)


@dataclass(frozen=True)
class Processes:
    """One for each pattern, and the `variance` of their residuals on worlds that were held out, in squared tolerances:
    in so many dimensions a process knows as little anywhere between its points, so that one number serves."""

    each: tuple[Process, ...]
    variance: Floats

    def misses(self, x: NDArray[Any]) -> Floats:
        """By how many tolerances each world would miss each pattern, shape (worlds, patterns)."""
        parts = [x[k : k + _SLICE].astype(np.float64) for k in range(0, len(x), _SLICE)]
        return np.concatenate([np.column_stack([one(part) for one in self.each]) for part in parts])

    def implausibility(self, misses: Floats) -> Floats:
        """The largest miss of each world in units of its errors."""
        return np.asarray((np.abs(misses) / np.sqrt(1.0 + self.variance)).max(axis=1))

    def agreement(self, misses: Floats) -> Floats:
        """The logarithm of how well each world would agree, allowing for the emulator's errors."""
        return np.asarray(-0.5 * (misses**2 / (1.0 + self.variance)).sum(axis=1))


@dataclass(frozen=True)
class Found:
    """Weighted worlds of a target: codes, numbers of their seeds, statistics, weights; the logarithm of the normalising
    constant; how many surveys were made; and of each wave the logarithm of the share of the prior that was not ruled
    out, with the processes' errors."""

    codes: Codes
    seeds: Whole
    statistics: Floats
    weights: Floats
    log_z: float
    surveys: int
    history: tuple[Mapping[str, float], ...]

    @property
    def effective_size(self) -> float:
        """How many worlds of equal weight would be as many."""
        return effective_size(self.weights)

    def worlds(self, off: float) -> Worlds:
        """As worlds of a prior in which a mechanism is off with chance `off`; each is its own calibration, so errors
        are those of independent draws."""
        return replace(worlds_from(uniforms_of(self.codes), off), weights=self.weights, seeds=self.seeds)


def matched(
    target: Target,
    plan: Plan | None = None,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    workers: int | None = 1,
) -> Found:
    """Weighted worlds of a target by waves; all follows from the target, the plan and the `seed`.

    Raises `InputError` where no draw can be compared with the evidence, or none counts in the end.
    """
    plan, rng, made = plan or Plan(), np.random.default_rng((seed, 5)), 0
    told = progress or (lambda done, total, note="": None)
    with threadpool_limits(1), local_threads(workers) as executor:

        def surveyed(codes: Codes, seeds: Whole, number: int, name: str) -> Floats:
            told(0, len(codes), name)

            def mean(job: tuple[Floats, int]) -> Floats:
                own = seeds_of(job[1], target.surveys)[:number]
                return np.asarray(np.mean([target.statistics(job[0], one) for one in own], axis=0))

            return np.array(list(in_order(executor, mean, list(zip(uniforms_of(codes), seeds.tolist(), strict=True)))))

        codes = rng.integers(GRID, size=(plan.first, target.dimension), dtype=np.uint16)
        found = surveyed(codes, rng.integers(SEEDS, size=plan.first), 1, "uniform")
        made += plan.first
        known, history = [(codes, found)], list[dict[str, float]]()
        for number, size in enumerate((*plan.waves, plan.draws), 1):
            learned = _learned(target, known, plan.points, seed + number)
            codes, share = _allowed(target, learned, size, plan, rng)
            log_z = float(np.log(share))
            history.append({"log_share": log_z, "error": float(np.sqrt(learned.variance.mean()))})
            last = number > len(plan.waves)
            tilts = np.zeros(size)
            if last and plan.tilt > 0.0:
                codes, tilts, more = _tilted(target, learned, codes, plan, rng)
                log_z += more
            seeds = rng.integers(SEEDS, size=size)
            found = surveyed(codes, seeds, target.surveys if last else 1, f"wave {number}")
            made += size * (target.surveys if last else 1)
            known.append((codes, found))
    logs = target.agreement(found) - tilts
    if not np.isfinite(logs).any():
        raise InputError(["patterns: no world that is not ruled out could be compared with them at all"])
    log_z += log_sum(logs) - float(np.log(len(logs)))
    return Found(codes, seeds, found, normalised(logs), log_z, made, tuple(history))


def fit(x: NDArray[Any], misses: Floats, seed: int = 0) -> Processes:
    """Processes of what was found: by how many tolerances each world missed each pattern, shape (worlds, patterns)."""
    points, y = x.astype(np.float64), np.clip(misses, -FAR, FAR)
    out = np.arange(len(x)) % _HELD_OUT == 0
    each = tuple(_process(points[~out], column, seed) for column in y[~out].T)
    found = Processes(each, np.zeros(y.shape[1]))
    residuals, best = found.misses(points[out]) - y[out], np.argsort((y[out] ** 2).sum(axis=1))
    near = best[: max(2, int(_NEAR * len(best)))]
    return replace(found, variance=np.asarray((residuals[near] ** 2).mean(axis=0)))


def _process(x: Floats, y: Floats, seed: int) -> Process:
    """Fit one: relevances are roots of the slopes of a ridge regression, hyperparameters those most likely for some of
    the points, and the rest is conditioning on all of them."""
    from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415
    from sklearn.gaussian_process import GaussianProcessRegressor  # noqa: PLC0415
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, WhiteKernel  # noqa: PLC0415
    from sklearn.linear_model import RidgeCV  # noqa: PLC0415

    level, spread = float(y.mean()), float(y.std()) or 1.0
    target = (y - level) / spread
    slopes = np.abs(RidgeCV(np.logspace(-1, 4, 11)).fit(x, target).coef_)
    relevance = np.sqrt(np.maximum(slopes / max(float(slopes.max()), 1e-12), _FAINT**2))
    scaled = x * relevance
    some = np.random.default_rng(seed).permutation(len(x))[:_LEARNED]
    kernel = ConstantKernel(1.0) * DotProduct(1.0, "fixed") + ConstantKernel(1.0) * RBF(1.0, (0.05, 50.0))
    with warnings.catch_warnings(), threadpool_limits(1):  # of SciPy's BLAS too, which is loaded by now
        warnings.simplefilter("ignore", ConvergenceWarning)  # a bound that is reached is as good as another
        regressor = GaussianProcessRegressor(kernel + WhiteKernel(0.2, (1e-6, 10.0)), random_state=seed)
        best = regressor.fit(scaled[some], target[some]).kernel_
        pulls = GaussianProcessRegressor(best, optimizer=None).fit(scaled, target).alpha_
    p = best.get_params()
    linear, wide = p["k1__k1__k1__constant_value"], p["k1__k2__k1__constant_value"]
    offset = spread * linear * p["k1__k1__k2__sigma_0"] ** 2 * float(pulls.sum())
    return Process(
        relevance=relevance,
        at=scaled,
        pull=spread * wide * pulls,
        slope=spread * linear * (scaled.T @ pulls),
        level=level + offset,
        length=float(p["k1__k2__k2__length_scale"]),
    )


def _learned(target: Target, known: list[tuple[Codes, Floats]], points: int, seed: int) -> Processes:
    """Processes of the latest points that were surveyed, and of others before them, up to a number."""
    codes, statistics = (np.concatenate(arrays) for arrays in zip(*known, strict=True))
    misses = target.misses(statistics)
    there = np.flatnonzero(np.isfinite(misses).all(axis=1))[-points:]
    if not len(there):
        raise InputError(["patterns: no draw from the prior could be compared with them at all"])
    there = np.random.default_rng((seed, 6)).permutation(there)
    return fit(target.features(uniforms_of(codes[there])), misses[there], seed)


def _allowed(
    target: Target, learned: Processes, size: int, plan: Plan, rng: np.random.Generator
) -> tuple[Codes, float]:
    """Uniform draws of what is not ruled out, and its share of the prior, by nested regions, each about half of the
    last (subset simulation; Au & Beck 2001)."""
    codes = rng.integers(GRID, size=(size, target.dimension), dtype=np.uint16)
    far, share, cut = _far(target, learned, codes), 1.0, np.inf
    while cut > plan.cut:
        cut = max(plan.cut, float(np.median(far)))
        inside = far <= cut
        if not inside.any():
            raise InputError(["patterns: nothing is left that is not ruled out"])
        share *= float(inside.mean())
        codes = codes[rng.choice(np.flatnonzero(inside), size)]

        def logs(new: Codes, cut: float = cut) -> Floats:
            return np.where(_far(target, learned, new) <= cut, 0.0, -np.inf)

        codes = _moved(logs, codes, plan.steps, rng)
        far = _far(target, learned, codes)
    return codes, share


def _far(target: Target, learned: Processes, codes: Codes) -> Floats:
    return learned.implausibility(learned.misses(target.features(uniforms_of(codes))))


def _tilted(
    target: Target, learned: Processes, codes: Codes, plan: Plan, rng: np.random.Generator
) -> tuple[Codes, Floats, float]:
    """Draws in proportion to the emulated likelihood to the power `tilt`, from uniform ones within the same region; the
    logarithm of what each is favoured by, and of its mean over the region."""

    def logs(new: Codes, power: float) -> Floats:
        misses = learned.misses(target.features(uniforms_of(new)))
        return np.where(learned.implausibility(misses) <= plan.cut, power * learned.agreement(misses), -np.inf)

    more, power = 0.0, 0.0
    while power < plan.tilt:
        here, rise = logs(codes, 1.0), plan.tilt - power
        while effective_size(normalised(rise * here)) < 0.5 * len(codes):
            rise *= 0.8
        more += log_sum(rise * here) - float(np.log(len(here)))
        power = plan.tilt if rise == plan.tilt - power else power + rise
        codes = codes[rng.choice(len(codes), len(codes), p=normalised(rise * here))]
        codes = _moved(lambda new, power=power: logs(new, power), codes, plan.steps, rng)  # type: ignore[misc]
    return codes, logs(codes, plan.tilt), more


def _moved(logs: Logs, codes: Codes, steps: int, rng: np.random.Generator) -> Codes:
    """Codes after Metropolis steps that redraw some of their numbers, in each step and world another share of them."""
    now = logs(codes)
    for _ in range(steps):
        chance = codes.shape[1] ** -rng.random(len(codes))  # from one number to all of them
        chosen = rng.random(codes.shape) < chance[:, None]
        proposed = np.where(chosen, rng.integers(GRID, size=codes.shape, dtype=np.uint16), codes)
        new = logs(proposed)
        yes = np.log1p(-rng.random(len(codes))) <= new - now
        codes, now = np.where(yes[:, None], proposed, codes), np.where(yes, new, now)
    return codes

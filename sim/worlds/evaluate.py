"""Policies in many worlds: every arm under the same seeds, and in each world a verdict on every difference.

Within a world all arms share their seeds, so that two arms differ only by what the policies do. Between worlds seeds
differ: world number n, from 0, has the seeds `first` + n·`replications` onwards, so that chance in one world is
independent of chance in the next and averages out over worlds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from sim import files
from sim.claims.statements import Arm
from sim.claims.verdict import FEWEST_PAIRS, Sesoi, Sign
from sim.model import engine
from sim.model.interventions import FearPath, GivenFear, Interventions
from sim.model.parameters import Parameters
from sim.model.version import identity
from sim.study.precision import CONFIDENCE
from sim.worlds.draws import Sample
from sim.worlds.prior import World
from sim.worlds.runs import MEASURES, PLACE, Progress, in_parallel, means

Array = NDArray[np.float64]
Key = tuple[str, Any]
MADE_BY = ("sim.worlds.evaluate", "sim.worlds.runs", "sim.claims.statements", "sim.worlds.prior")
"""Modules that make the numbers of a block from the model's runs, for `sim.model.version.identity`."""
BLOCK = 20  # worlds in a file: a few seconds of work, which is what an interruption loses


@dataclass(frozen=True)
class Evaluation:
    """What the arms lead to in each world.

    Attributes
    ----------
    sample : Sample
    arms : tuple of Arm
    values : array, worlds by arms by replications by `MEASURES`
        Means over the last months of each run.
    """

    sample: Sample
    arms: tuple[Arm, ...]
    values: Array

    def of(self, arm: Arm, outcome: str) -> Array:
        """An outcome under an arm, worlds by replications."""
        return np.asarray(self.values[:, self.arms.index(arm), :, PLACE[outcome]])

    def sum_of(self, signed: Iterable[tuple[int, Arm]], outcome: str) -> Array:
        """A sum of arms with signs, worlds by replications."""
        return np.asarray(sum(sign * self.of(arm, outcome) for sign, arm in signed))

    def mean(self, arm: Arm, outcome: str) -> Array:
        """An outcome under an arm, averaged over replications: one number for each world."""
        return np.asarray(self.of(arm, outcome).mean(axis=1))


class Contrasts(NamedTuple):
    """A difference in each of many worlds: arrays with a value for each world, as in `contrast.Difference`.

    `sesoi` is NaN where there is none.
    """

    estimate: Array
    low: Array
    high: Array
    sesoi: Array
    verdict: NDArray[np.str_]


def contrast_many(
    differences: ArrayLike, minus_means: ArrayLike, sesoi: Sesoi | None = None, claimed_sign: Sign = 0
) -> Contrasts:
    """`contrast.contrast` in many worlds at once.

    Parameters
    ----------
    differences : array-like, shape (worlds, n)
        Paired differences; n is at least 2.
    minus_means : array-like, shape (worlds,)
        The mean of the arm after the minus, to which a relative smallest effect of interest refers.

    Raises
    ------
    ValueError
        For fewer than two pairs or values that are not finite.

    >>> contrast_many([[0.06, 0.07, 0.08], [0.0, 0.0, 0.0]], [0.2, 0.2], Sesoi(0.05), -1).verdict.tolist()
    ['opposed', 'negligible']
    """
    d, base = np.asarray(differences, dtype=np.float64), np.asarray(minus_means, dtype=np.float64)
    if d.ndim != 2 or d.shape[1] < FEWEST_PAIRS:
        raise ValueError(f"needs at least {FEWEST_PAIRS} pairs in each world, not the shape {d.shape}")
    if not (np.isfinite(d).all() and np.isfinite(base).all()):
        raise ValueError("every value must be finite")
    same = np.ptp(d, axis=1) == 0.0  # rounding in the mean must not make an interval of it
    estimate = np.where(same, d[:, 0], d.mean(axis=1))
    t = float(stdtrit(d.shape[1] - 1, 0.5 + CONFIDENCE / 2))
    half = np.where(same, 0.0, t * d.std(axis=1, ddof=1) / d.shape[1] ** 0.5)
    low, high = estimate - half, estimate + half
    if sesoi is None:
        return Contrasts(estimate, low, high, np.full(len(d), np.nan), np.full(len(d), "estimate"))
    limit = sesoi.size * np.abs(base) if sesoi.relative else np.full(len(d), sesoi.size)
    above, below = ("higher", "lower") if claimed_sign == 0 else ("supported", "opposed")[::claimed_sign]
    within = (-limit <= low) & (high <= limit)
    verdicts = np.select([low > limit, high < -limit, within], [above, below, "negligible"], "undecided")
    return Contrasts(estimate, low, high, limit, verdicts)


def evaluate(
    sample: Sample,
    arms: Sequence[Arm],
    replications: int,
    first: int = 0,
    sizes: Mapping[str, int] | None = None,
    *,
    folder: Path | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
) -> Evaluation:
    """Run every arm in every world.

    Parameters
    ----------
    replications : int
        Runs of each arm in each world, the same seeds in all arms of a world.
    first : int
        The first seed of the first world.
    sizes : mapping, optional
        ``systems``, ``organisations``, ``managers``, ``months``, ``window`` where they differ from the nation's.
    folder : Path, optional
        Where finished blocks of worlds are kept; those that are there already are not run again.
    progress : callable, optional
        Called with the number of worlds done and their total.

    The numbers do not depend on `workers`, nor on whether blocks were kept.
    """
    total, report = len(sample.worlds), progress or (lambda done, total: None)
    settings = (tuple(arms), dict(sizes or {}))
    report(0, total)
    blocks = []
    with nullcontext() if folder is None else files.keeping(folder, "unfinished worlds") as kept:
        for start in range(0, total, BLOCK):
            numbers = range(start, min(start + BLOCK, total))
            jobs = [
                (sample.worlds[n], range(first + n * replications, first + (n + 1) * replications)) for n in numbers
            ]
            later = _later(report, start, total)

            def block(jobs: list[Any] = jobs, later: Progress = later) -> dict[str, Array]:
                return {"values": np.array(in_parallel(partial(_world, settings), jobs, later, workers))}

            blocks.append((block() if kept is None else kept.arrays(_digest(jobs, *settings), block))["values"])
            report(numbers[-1] + 1, total)
    return Evaluation(sample, tuple(arms), np.concatenate(blocks))


def _later(report: Progress, start: int, total: int) -> Progress:
    return lambda done, _: report(start + done, total)


def _world(settings: tuple[tuple[Arm, ...], dict[str, int]], job: tuple[World, range]) -> Array:
    """Arms by seeds by `MEASURES`, in one world. Arms with equal parameters and equal lenders of fear share runs."""
    (arms, sizes), (world, seeds) = settings, job
    lenders = dict.fromkeys(arm.fear_of for arm in arms if arm.fear_of is not None)
    parameters: dict[Arm, Parameters] = {}
    keys: dict[Arm, Key] = {}
    for arm in (*lenders, *arms):
        parameters[arm] = world.parameters(arm.regime, **{**dict(arm.settings), **sizes})
        lender = None if arm.fear_of is None else (keys[arm.fear_of], arm.seen_by)
        keys[arm] = (parameters[arm].model_dump_json(), lender)
    distinct = {keys[arm]: arm for arm in parameters}
    lent = {keys[arm] for arm in lenders}
    runs = [_seed(seed, distinct, parameters, keys, lent) for seed in seeds]
    return np.array([[run[keys[arm]] for run in runs] for arm in arms])


def _seed(
    seed: int,
    distinct: Mapping[Key, Arm],
    parameters: Mapping[Arm, Parameters],
    keys: Mapping[Arm, Key],
    lent: Collection[Key],
) -> dict[Key, Array]:
    """The means of each distinct arm's run under one seed; whoever lends its fear comes before who borrows it."""
    fear: dict[Key, FearPath] = {}
    found = {}
    for key, arm in distinct.items():
        given = None if arm.fear_of is None else GivenFear(fear[keys[arm.fear_of]], arm.seen_by)
        record = engine.run(parameters[arm], seed, interventions=Interventions(given, record_fear=key in lent))
        found[key] = means(record, parameters[arm])
        if key in lent:
            fear[key] = record.fear
    return found


def _digest(jobs: Sequence[tuple[World, range]], arms: Sequence[Arm], sizes: Mapping[str, int]) -> str:
    """What the numbers of a block follow from."""
    return hashlib.sha256(repr((identity(*MADE_BY), MEASURES, jobs, arms, sorted(sizes.items()))).encode()).hexdigest()

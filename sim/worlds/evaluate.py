"""Policies in many worlds: every arm runs under the same seeds in each world, so that arms can be paired.

Within a world all arms share their seeds, so that two arms differ only by what the policies do. Between worlds seeds
differ: world number n, from 0, has the seeds `first` + n·`replications` onwards, so that chance in one world is
independent of chance in the next and averages out over worlds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from sim import files
from sim.errors import Mistake, Mistakes, chosen, closest, whole
from sim.model import engine
from sim.model import record as recording
from sim.model.interventions import FearPath, GivenFear, Interventions
from sim.model.local import LocalRule
from sim.model.outcomes import OUTCOMES, POINTS, Outcome
from sim.model.parameters import SIZES, Parameters, resolve
from sim.model.version import identity
from sim.pool import Progress, in_parallel, part_of
from sim.worlds.prior import World, Worlds

Array = NDArray[np.float64]
Key = tuple[str, Any]
Result = TypeVar("Result")
SeenBy = Literal["initiative", "every rule"]

MADE_BY = ("sim.worlds.evaluate", "sim.worlds.prior")
"""Modules that make the numbers of a block from the model's runs, for `sim.model.version.identity`."""
BLOCK = 20  # worlds in a file: a few seconds of work, which is what an interruption loses
FEWEST, MOST = 2, 1_000_000
"""Worlds that a question may be asked in."""

MEASURED: dict[str, Outcome] = OUTCOMES | {
    "satisfaction": Outcome(
        "satisfaction",
        "How good managers feel about their work: the mean of trust, confidence and freedom from distress.",
        "stock from 0 to 1",
    ),
    "gap": Outcome(
        "gap", "Reported indicator less quality; only its change says something: scales differ.", POINTS, None, None
    ),
    "quality_per_cost": Outcome(
        "quality_per_cost", "Quality divided by what the budgets cost; today's budgets cost 1.", POINTS, None, None
    ),
}
"""The model's outcomes, and those that are computed from a run's means."""
MEASURES: tuple[str, ...] = tuple(MEASURED)
"""Their names, in the order of `means`."""
PLACE = {name: k for k, name in enumerate(MEASURES)}


@dataclass(frozen=True)
class Arm:
    """A policy: a regime and the settings that differ from it, which may be a local policy (``local``, its rules).

    Where `fear_of` is given, the fear of the paired run under that policy takes the place of the managers' own, for
    the decision to try something new alone or for every rule (see `sim.model.interventions.GivenFear`).
    """

    name: str
    regime: str = "baseline"
    settings: tuple[tuple[str, float | tuple[LocalRule, ...]], ...] = ()
    fear_of: Arm | None = None
    seen_by: SeenBy = "initiative"

    @property
    def told(self) -> dict[str, Any]:
        """The regime, what is set beside it, and whose fear is lent, as a mapping for a file."""
        lender = {} if self.fear_of is None else {"fear_of": self.fear_of.name, "seen_by": self.seen_by}
        told = ((name, [r.table for r in of] if isinstance(of, tuple) else of) for name, of in self.settings)
        return {"regime": self.regime, **dict(told), **lender}


def means(record: recording.Record, p: Parameters) -> Array:
    """Means of `MEASURED` over the last `window` months of a run, shape (len(`MEASURES`),)."""
    mean = {n: float(v.mean()) for n, v in recording.outcomes(record.sums[-p.window :], len(record.totals)).items()}
    satisfaction = (mean["trust"] + mean["confidence"] + 1.0 - mean["distress"]) / 3.0
    gap, efficiency = mean["reported"] - mean["quality"], mean["quality"] / p.cost
    return np.array([*mean.values(), satisfaction, gap, efficiency])


def run_means(p: Parameters, seed: int) -> Array:
    """Run once and keep the `means`."""
    return means(engine.run(p, seed), p)


def in_each(
    worlds: Worlds, work: Callable[[World, int], Result], progress: Progress | None = None, workers: int | None = None
) -> list[Result]:
    """`work` of each world and its seed, in their order, by threads."""
    engine.warm_up()
    jobs = list(zip(worlds, worlds.seeds.tolist(), strict=True))
    return in_parallel(lambda job: work(*job), jobs, progress, workers)


@dataclass(frozen=True)
class Evaluation:
    """What the arms lead to in each world: `values`, worlds by arms by replications by `MEASURES`, are means over the
    last months of each run."""

    sample: Worlds
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


def evaluate(
    sample: Worlds,
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

    That is `replications` times; `first` is the first seed of the first world. `sizes` are those that differ from the
    nation's. `folder` keeps finished blocks of worlds, which are not run again; the numbers do not depend on that.
    """
    total = len(sample)
    settings = (tuple(arms), dict(sizes or {}))
    engine.warm_up()
    told = part_of(progress, 0, total)
    told(0, total)
    blocks = []
    with nullcontext() if folder is None else files.keeping(folder, "unfinished worlds") as kept:
        for start in range(0, total, BLOCK):
            numbers = range(start, min(start + BLOCK, total))
            jobs = [(sample[n], range(first + n * replications, first + (n + 1) * replications)) for n in numbers]
            later = part_of(progress, start, total)

            def block(jobs: list[Any] = jobs, later: Progress = later) -> dict[str, Array]:
                return {"values": np.array(in_parallel(partial(_world, settings), jobs, later, workers))}

            blocks.append((block() if kept is None else kept.arrays(_digest(jobs, *settings), block))["values"])
            told(numbers[-1] + 1, total)
    return Evaluation(sample, tuple(arms), np.concatenate(blocks))


def _world(settings: tuple[tuple[Arm, ...], dict[str, int]], job: tuple[World, range]) -> Array:
    """Arms by seeds by `MEASURES`, in one world. Arms with equal parameters and equal lenders of fear share runs."""
    (arms, sizes), (world, seeds) = settings, job
    lenders = dict.fromkeys(arm.fear_of for arm in arms if arm.fear_of is not None)
    parameters = {arm: world.parameters(arm.regime, **{**dict(arm.settings), **sizes}) for arm in (*lenders, *arms)}
    keys: dict[Arm, Key] = {}
    for arm, p in parameters.items():
        keys[arm] = (p.model_dump_json(), None if arm.fear_of is None else (keys[arm.fear_of], arm.seen_by))
    distinct, lent = {keys[arm]: arm for arm in parameters}, {keys[arm] for arm in lenders}

    def run(seed: int) -> dict[Key, Array]:
        """The means of each distinct arm's run; whoever lends its fear comes before who borrows it."""
        fear: dict[Key, FearPath] = {}
        found = {}
        for key, arm in distinct.items():
            given = None if arm.fear_of is None else GivenFear(fear[keys[arm.fear_of]], arm.seen_by)
            record = engine.run(parameters[arm], seed, interventions=Interventions(given, record_fear=key in lent))
            found[key] = means(record, parameters[arm])
            if key in lent:
                fear[key] = record.fear
        return found

    runs = [run(seed) for seed in seeds]
    return np.array([[each[keys[arm]] for each in runs] for arm in arms])


def _digest(jobs: Sequence[tuple[World, range]], arms: Sequence[Arm], sizes: Mapping[str, int]) -> str:
    """What the numbers of a block follow from."""
    return hashlib.sha256(repr((identity(*MADE_BY), MEASURES, jobs, arms, sorted(sizes.items()))).encode()).hexdigest()


def check(
    outcomes: Iterable[object] = (),
    known: Collection[str] = (),
    counts: Mapping[str, tuple[object, int]] | None = None,
    sizes: Mapping[str, Any] | None = None,
    settled: Iterable[str] = (),
) -> None:
    """Raise `InputError` with a line for each mistake in what a question is asked with.

    `outcomes` must be among `known`; `counts` are whole numbers by name, each with the least that is allowed; `sizes`
    are sizes of runs, without those that are `settled` by the question itself.
    """
    sizes, wrong = sizes or {}, Mistakes()
    with wrong:
        chosen("outcome", outcomes, known, "outcome")
    for name, (value, least) in (counts or {}).items():
        with wrong:
            whole(name, value, least, MOST)
    for name in sizes:
        if name not in SIZES:
            wrong.append(Mistake((name,), why="no size of a run", nearest=closest(name, SIZES)))
    wrong.take(Mistake((n,), why="cannot be set here; it follows from the rest") for n in settled if n in sizes)
    with wrong:
        resolve(**{name: value for name, value in sizes.items() if name in SIZES})
    wrong.tell()

"""Policies in many worlds: an effect in a world is the mean difference between runs under the same seeds.

Pairs come in blocks of 8, the same pairs for all outcomes of a contrast, until every outcome's standard error is small
enough, or there are 32. Each world has seeds of its own, which follow from its parameters, so that chance in one world
is independent of chance in the next, and a world's effects are the same in whatever sample it stands.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from sim.errors import Mistake, Mistakes, chosen, closest, whole
from sim.model import engine
from sim.model import record as recording
from sim.model.interventions import GivenFear, Interventions
from sim.model.local import LocalRule
from sim.model.outcomes import OUTCOMES, POINTS, POST_COLUMNS, Outcome
from sim.model.parameters import SIZES, Parameters, resolve
from sim.model.version import identity
from sim.pool import Progress, in_blocks, in_parallel
from sim.worlds.prior import World, Worlds

Array = NDArray[np.float64]
Single = NDArray[np.float32]
Key = tuple[str, Any]
Result = TypeVar("Result")
SeenBy = Literal["initiative", "every rule"]

MADE_BY = ("sim.worlds.evaluate", "sim.worlds.prior")
"""Modules that make the numbers of a block from the model's runs, for `sim.model.version.identity`."""
BLOCK = 20  # worlds in a file: a few seconds of work, which is what an interruption loses
FEWEST, MOST = 2, 1_000_000
"""Worlds that a question may be asked in."""
KEPT = "unfinished worlds"
"""What a folder of finished blocks holds."""
PAIRS, MOST_PAIRS = 8, 32
"""Pairs of runs in a block, and in a contrast in all."""

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
SPREAD: tuple[str, ...] = tuple(name for name in MEASURES if name in {*POST_COLUMNS, *set(MEASURED) - set(OUTCOMES)})
"""Outcomes of which posts keep an average, or what it is made of."""
PLACE = {name: k for k, name in enumerate(MEASURES)}


@dataclass(frozen=True)
class Arm:
    """A policy: a regime and the settings that differ from it, which may be a local policy (``local``, its rules).

    Where `fear_of` is given, the fear of the paired run under that policy takes the place of the managers' own, for
    the decision to try something new alone or for every rule (see `sim.model.interventions.GivenFear`). `scaled` are
    parameters with the factor by which the world's own value is multiplied. Where `evenly` is given, what is spent on
    relationships under that policy is spent evenly: month by month its national mean in the paired run.
    """

    name: str
    regime: str = "baseline"
    settings: tuple[tuple[str, float | tuple[LocalRule, ...]], ...] = ()
    fear_of: Arm | None = None
    seen_by: SeenBy = "initiative"
    scaled: tuple[tuple[str, float], ...] = ()
    evenly: Arm | None = None

    @property
    def lender(self) -> Arm | None:
        """The policy whose paired run this one depends on."""
        return self.fear_of or self.evenly

    @property
    def told(self) -> dict[str, Any]:
        """The regime, what is set beside it, what it takes of another run, and what is scaled, as a mapping for a
        file."""
        lender = {} if self.fear_of is None else {"fear_of": self.fear_of.name, "seen_by": self.seen_by}
        lender |= {} if self.evenly is None else {"relationship evenly as in": self.evenly.name}
        scaled = {f"{name} times": factor for name, factor in self.scaled}
        told = ((name, [r.table for r in of] if isinstance(of, tuple) else of) for name, of in self.settings)
        return {"regime": self.regime, **dict(told), **lender, **scaled}

    def parameters(self, world: World, **sizes: Any) -> Parameters:
        """Those of a run under this policy in a world."""
        p = world.parameters(self.regime, **{**dict(self.settings), **sizes})
        return p.model_copy(update={name: factor * getattr(p, name) for name, factor in self.scaled})


@dataclass(frozen=True)
class Contrast:
    """A sum of arms with signs: one less another is an effect, one alone a level.

    At least `fewest` and at most `most` pairs of it are run in a world.
    """

    name: str
    arms: tuple[tuple[int, Arm], ...]
    fewest: int = PAIRS
    most: int = MOST_PAIRS

    @property
    def needed(self) -> tuple[Arm, ...]:
        """The arms that must be run, each once; whoever another depends on comes first."""
        arms = [arm for _, arm in self.arms]
        return tuple(dict.fromkeys([*(arm.lender for arm in arms if arm.lender is not None), *arms]))


def less(plus: Arm, minus: Arm, **pairs: int) -> Contrast:
    """`plus` minus `minus`, all else equal."""
    return Contrast(f"{plus.name} - {minus.name}", ((1, plus), (-1, minus)), **pairs)


def level(arm: Arm, pairs: int = PAIRS) -> Contrast:
    """What there is under a policy, from so many runs."""
    return Contrast(arm.name, ((1, arm),), pairs, pairs)


def means(record: recording.Record, p: Parameters) -> Array:
    """Means of `MEASURED` over the last `window` months of a run, shape (len(`MEASURES`),)."""
    months = recording.outcomes(record.sums[-p.window :], len(record.totals))
    mean = dict(zip(months, np.array([*months.values()]).mean(axis=1).tolist(), strict=True))
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


def seeds_of(world: World, seed: int = 0) -> Iterator[int]:
    """The seeds of a world's pairs, in their order: a digest of all that makes it, and of `seed`, begins them.

    >>> from sim.worlds.prior import DEFAULT
    >>> next(seeds_of(DEFAULT)) == next(seeds_of(DEFAULT, 1))
    False
    """
    first = (
        int.from_bytes(hashlib.sha256(repr((seed, world)).encode()).digest()[:7], "big") << 6
    )  # below 2**62, and room for 64
    yield from range(first, first + 64)


@dataclass(frozen=True)
class Effects:
    """What contrasts come to in each world.

    Attributes
    ----------
    sample : Worlds
    contrasts, outcomes : tuple of str, the names along the second and the third axis.
    estimate, error : float32 array, worlds by contrasts by outcomes
        The mean over pairs and its standard error, in the outcome's unit.
    pairs : int array, worlds by contrasts
    """

    sample: Worlds
    contrasts: tuple[str, ...]
    estimate: Single
    error: Single
    pairs: NDArray[np.int64]
    outcomes: tuple[str, ...] = MEASURES

    def of(self, contrast: str, outcome: str) -> Array:
        """The effect of a contrast on an outcome in each world."""
        return self._at(self.estimate, contrast, outcome)

    def error_of(self, contrast: str, outcome: str) -> Array:
        """Its standard error."""
        return self._at(self.error, contrast, outcome)

    def _at(self, values: Single, contrast: str, outcome: str) -> Array:
        return values[:, self.contrasts.index(contrast), self.outcomes.index(outcome)].astype(np.float64)

    def take(self, numbers: NDArray[np.int64], weights: Array | None = None) -> Effects:
        """Those of the worlds with these numbers, from 0."""
        arrays = {name: getattr(self, name)[numbers] for name in ("estimate", "error", "pairs")}
        return replace(self, sample=self.sample.take(numbers, weights), **arrays)


@dataclass(frozen=True)
class Baseline:
    """What there is at baseline in each world, before anything is compared.

    Attributes
    ----------
    mean : float array, worlds by `MEASURES`
    spread : float array, worlds by `SPREAD`
        The standard deviation between posts of their averages over the window.
    slope : float array, one for each world
        Of negligence on record_share between posts; NaN where nobody has a record.
    """

    sample: Worlds
    mean: Array
    spread: Array
    slope: Array

    def of(self, outcome: str) -> Array:
        """The level of an outcome in each world."""
        return np.asarray(self.mean[:, PLACE[outcome]])


def effects(
    sample: Worlds,
    contrasts: Sequence[Contrast],
    precision: Mapping[str, float],
    seed: int = 0,
    sizes: Mapping[str, int] | None = None,
    *,
    folder: Path | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
) -> Effects:
    """Evaluate every contrast in every world; arms that several contrasts have are run once.

    `precision` is the largest standard error of the outcomes that decide how many pairs are run. `seed` is mixed into
    the seeds of each world; `sizes` are those that differ from the nation's. `folder` keeps finished blocks of worlds,
    which are not run again; the numbers do not depend on that, nor on which other contrasts are asked for.
    """
    plan = (tuple(contrasts), tuple(sorted(precision.items())), seed, tuple(sorted((sizes or {}).items())))
    found = _each(sample, partial(_effects, plan), plan, folder, progress, workers)
    return Effects(sample, tuple(c.name for c in contrasts), found["estimate"], found["error"], found["pairs"])


def baseline(
    sample: Worlds,
    seed: int = 0,
    sizes: Mapping[str, int] | None = None,
    *,
    folder: Path | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
) -> Baseline:
    """What there is at baseline in each world, from the first `PAIRS` of its seeds; arguments as those of `effects`."""
    plan = (seed, tuple(sorted((sizes or {}).items())))
    return Baseline(sample, **_each(sample, partial(_baseline, plan), plan, folder, progress, workers))


def _each(
    sample: Worlds,
    work: partial[dict[str, Any]],
    plan: tuple[Any, ...],
    folder: Path | None,
    progress: Progress | None,
    workers: int | None,
) -> dict[str, Any]:
    """The arrays that `work` makes of each world, stacked, in blocks that a folder keeps; they follow from the plan."""
    engine.warm_up()

    def block(jobs: Sequence[World], later: Progress) -> dict[str, Any]:
        done = in_parallel(work, jobs, later, workers)
        return {name: np.stack([each[name] for each in done]) for name in done[0]}

    made = (identity(*MADE_BY), MEASURES, work.func.__name__, plan)
    return in_blocks(block, list(sample), BLOCK, made, folder, KEPT, progress)


def _effects(plan: tuple[Any, ...], world: World) -> dict[str, Any]:
    """Estimates and errors, contrasts by `MEASURES`, and pairs, of one world."""
    contrasts, precision, seed, sizes = plan
    limits = np.full(len(MEASURES), np.inf)
    for name, largest in precision:
        limits[PLACE[name]] = largest
    runs, seeds, found = _Runs(world, dict(sizes)), seeds_of(world, seed), dict[str, tuple[Array, Array, int]]()
    asked = list(contrasts)
    while asked:
        number = min([PAIRS, *(contrast.most - runs.number for contrast in asked)])
        runs.add([next(seeds) for _ in range(number)], dict.fromkeys(arm for c in asked for arm in c.needed))
        for contrast in asked:
            values = sum(sign * runs.of(arm) for sign, arm in contrast.arms)
            error = np.asarray(values).std(axis=0, ddof=1) / runs.number**0.5
            found[contrast.name] = (np.asarray(values).mean(axis=0), error, runs.number)
        asked = [
            contrast
            for contrast in asked
            if runs.number < contrast.most
            and (runs.number < contrast.fewest or (found[contrast.name][1] > limits).any())
        ]
    arrays = {
        name: np.array([found[contrast.name][k] for contrast in contrasts], np.float32).reshape(-1, len(MEASURES))
        for k, name in enumerate(("estimate", "error"))
    }
    return {**arrays, "pairs": np.array([found[contrast.name][2] for contrast in contrasts], np.int64)}


class _Runs:
    """Runs of arms in one world under the same seeds; those with equal parameters and lenders are made once."""

    def __init__(self, world: World, sizes: Mapping[str, int]) -> None:
        self.world, self.sizes, self.number = world, sizes, 0
        self._keys: dict[Arm, Key] = {}
        self._parameters: dict[Arm, Parameters] = {}
        self._values: dict[Key, list[Array]] = {}

    def of(self, arm: Arm) -> Array:
        """Seeds by `MEASURES`."""
        return np.array(self._values[self._keys[arm]])

    def add(self, seeds: Sequence[int], arms: Iterable[Arm]) -> None:
        """Run these arms, who lends before who borrows, under further seeds."""
        arms = list(arms)
        for arm in arms:
            if arm not in self._keys:
                self._parameters[arm] = p = arm.parameters(self.world, **self.sizes)
                lender = None if arm.lender is None else (self._keys[arm.lender], arm.seen_by, arm.evenly is None)
                self._keys[arm] = (p.model_dump_json(), lender)
        lent = {self._keys[arm.lender] for arm in arms if arm.lender is not None}
        distinct = {self._keys[arm]: arm for arm in arms}
        for seed in seeds:
            records: dict[Key, recording.Record] = {}
            for key, arm in distinct.items():
                p, given = self._parameters[arm], None
                if arm.evenly is not None:
                    spent = {"relationship": _spent(records[self._keys[arm.evenly]])}
                    p = arm.parameters(self.world, **self.sizes, schedule=spent)
                elif arm.fear_of is not None:
                    given = GivenFear(records[self._keys[arm.fear_of]].fear, arm.seen_by)
                record = engine.run(p, seed, interventions=Interventions(given, record_fear=key in lent))
                self._values.setdefault(key, []).append(means(record, p))
                if key in lent:
                    records[key] = record
        self.number += len(seeds)


def _spent(record: recording.Record) -> dict[int, float]:
    """The national mean of what was invested in relationships, by month."""
    level = recording.outcomes(record.sums, len(record.totals))["relationship_level"]
    return dict(enumerate(np.clip(level, 0.0, 1.0).tolist(), start=1))


def _baseline(plan: tuple[Any, ...], world: World) -> dict[str, Any]:
    """The arrays of `Baseline` for one world."""
    seed, sizes = plan
    p = world.parameters(**dict(sizes))
    found, spread, moments = [], [], []
    for _, one in zip(range(PAIRS), seeds_of(world, seed), strict=False):
        record = engine.run(p, one)
        posts = dict(zip(POST_COLUMNS, record.totals.T / min(p.window, p.months), strict=True))
        posts["satisfaction"] = (posts["trust"] + posts["confidence"] + 1.0 - posts["distress"]) / 3.0
        posts["gap"], posts["quality_per_cost"] = posts["reported"] - posts["quality"], posts["quality"] / p.cost
        found.append(means(record, p))
        spread.append([posts[name].var() for name in SPREAD])
        moments.append(_moments(posts))
    covariance, variance = np.mean(moments, axis=0)
    return {
        "mean": np.mean(found, axis=0),
        "spread": np.sqrt(np.mean(spread, axis=0)),
        "slope": np.float64(covariance / variance if variance > 0.0 else np.nan),
    }


def _moments(posts: Mapping[str, Array]) -> tuple[float, float]:
    """Of record_share with negligence, and of record_share, between posts: covariance and variance."""
    record = posts["record_share"] - posts["record_share"].mean()
    return float((record * posts["negligence"]).mean()), float((record * record).mean())


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

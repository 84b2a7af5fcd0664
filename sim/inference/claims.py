"""The door to the claims: `answer` runs the policies that they compare and finds for or against each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from sim import engine, run
from sim.errors import InputError, nearest, shown
from sim.inference.contrast import FEWEST_PAIRS, contrast, mean_interval
from sim.inference.folder import check_folder
from sim.inference.report import ClaimReport
from sim.inference.statements import CLAIMS, DERIVED, DOSED, DOSES, MEASURED, Arm, Claim, Finding
from sim.parameters import SIZES, Parameters, resolve
from sim.seeds import LARGEST_SEED, seed_of
from sim.study.execute import in_order, local_threads

__all__ = ["CLAIMS", "Claim", "ClaimReport", "answer", "check_folder"]

MOST_PAIRS = 100_000  # a quarter of a day for the nation; the intervals are far below what matters long before
MOST_WORKERS = 1_000
Progress = Callable[[int, int], object]


def answer(
    replications: int = 30,
    seed: int | None = 0,
    progress: Progress | None = None,
    workers: int | None = None,
    *,
    claims: Sequence[Claim] = CLAIMS,
    **sizes: Any,
) -> ClaimReport:
    """Run every policy that the claims compare, under the same seeds, and give a verdict on each outcome.

    Parameters
    ----------
    replications : int
        Pairs behind each verdict, at least 2: seeds `seed` to `seed` + `replications` − 1, the same in every arm.
    seed : int, optional
        The first seed; None draws a fresh one, which the report's provenance names.
    progress : callable, optional
        Called with the number of runs done and their total, first with 0 done.
    workers : int, optional
        Threads; by default one for each core. The numbers do not depend on it.
    claims : sequence of Claim
        What to answer; by default all of `CLAIMS`.
    **sizes
        ``systems``, ``organisations``, ``managers``, ``months``, ``window``; by default the nation over ten years.

    Raises
    ------
    InputError
        With one line for each mistake.

    >>> report = answer(replications=2, systems=1, organisations=2, managers=2, months=3)
    >>> report.table["claim"].iloc[0]
    'fear'
    """
    seeds = _checked(replications, seed, workers, sizes)
    arms = dict.fromkeys(arm for claim in claims for c in claim.comparisons for arm in (c.plus, c.minus))
    resolved = {arm: resolve(arm.regime, **{**dict(arm.settings), **sizes}) for arm in (*arms, *DOSES)}
    values = _values(resolved, seeds, progress, workers)
    return ClaimReport(
        findings=tuple(_findings(claims, values)),
        levels=pd.DataFrame([_level(values, *key) for key in product(DOSED, DOSES)]),
        runs=pd.concat([frame.assign(arm=arm.name, seed=seeds) for arm, frame in values.items()], ignore_index=True)[
            ["arm", "seed", *MEASURED]
        ],
        settings={arm.name: {"regime": arm.regime, **p.model_dump(mode="json")} for arm, p in resolved.items()},
        provenance=_provenance(seeds, next(iter(resolved.values()))),
    )


def _checked(replications: int, seed: int | None, workers: int | None, sizes: Mapping[str, Any]) -> range:
    """The seeds; every mistake in the arguments is one line of an `InputError`."""
    mistakes = _not_a_count("replications", replications, FEWEST_PAIRS, MOST_PAIRS)
    mistakes += _not_a_count("workers", workers, 1, MOST_WORKERS) if workers is not None else []
    unknown = [name for name in sizes if name not in SIZES]
    mistakes += [f"{name}: no size of a run{nearest(name, SIZES)}; the claims fix all else" for name in unknown]
    first = 0
    try:
        first = seed_of(seed)
    except InputError as error:
        mistakes += error.lines
    try:
        resolve(**{name: value for name, value in sizes.items() if name in SIZES})
    except InputError as error:
        mistakes += error.lines
    if not mistakes and first + replications - 1 > LARGEST_SEED:
        mistakes.append(f"seed: {first} leaves no room for {replications} seeds up to {LARGEST_SEED}")
    if mistakes:
        raise InputError(mistakes)
    return range(first, first + replications)


def _not_a_count(name: str, value: Any, least: int, most: int) -> list[str]:
    if isinstance(value, int | np.integer) and not isinstance(value, bool) and least <= value <= most:
        return []
    return [f"{name}: {shown(value)} is not a whole number from {least} to {most}"]


def _values(
    resolved: Mapping[Arm, Parameters], seeds: Sequence[int], progress: Progress | None, workers: int | None
) -> dict[Arm, pd.DataFrame]:
    """A row of outcomes for each seed, by arm. Arms with equal parameters share their runs."""
    distinct = {p.model_dump_json(): p for p in resolved.values()}
    jobs = list(product(distinct.values(), seeds))
    report = progress or (lambda done, total: None)
    engine.warm_up()
    report(0, len(jobs))
    rows: list[pd.Series] = []
    with local_threads(workers) as executor:
        for row in in_order(executor, _outcomes, jobs):
            rows.append(row)
            report(len(rows), len(jobs))
    n = len(seeds)
    frames = {key: pd.DataFrame(rows[k * n : (k + 1) * n]) for k, key in enumerate(distinct)}
    return {arm: frames[p.model_dump_json()].reset_index(drop=True) for arm, p in resolved.items()}


def _outcomes(job: tuple[Parameters, int]) -> pd.Series:
    """Means of one run's outcomes over its last `window` months, with those derived from them."""
    parameters, seed = job
    series = run.run_parameters(parameters, seed).series.iloc[-parameters.window :]
    return series.assign(**{name: derive(series) for name, derive in DERIVED.items()}).mean()


def _findings(claims: Sequence[Claim], values: Mapping[Arm, pd.DataFrame]) -> Iterable[Finding]:
    for claim in claims:
        for comparison, measure in product(claim.comparisons, claim.measures):
            plus, minus = (values[arm][measure.outcome] for arm in (comparison.plus, comparison.minus))
            yield Finding(claim, comparison, measure, contrast(plus, minus, measure.sesoi, measure.sign))


def _level(values: Mapping[Arm, pd.DataFrame], outcome: str, arm: Arm) -> dict[str, Any]:
    column = values[arm][outcome]
    mean, low, high = mean_interval(column)
    unit = MEASURED[outcome].unit
    return {"outcome": outcome, "arm": arm.name, "mean": mean, "low": low, "high": high, "unit": unit, "n": len(column)}


def _provenance(seeds: range, parameters: Parameters) -> dict[str, Any]:
    return {
        **run.provenance(),
        "engine": "compiled",
        "first_seed": seeds[0],
        "replications": len(seeds),
        "sizes": {name: getattr(parameters, name) for name in SIZES},
    }

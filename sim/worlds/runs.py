"""Runs for inference: the means of a run's outcomes over its last months, for many runs at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sim.model import engine
from sim.model import record as recording
from sim.model.interventions import NONE, Interventions
from sim.model.outcomes import OUTCOMES
from sim.model.parameters import Parameters
from sim.pool import in_order, local_threads

Progress = Callable[[int, int], object]
Job = TypeVar("Job")
Result = TypeVar("Result")

DERIVED = ("satisfaction", "gap", "quality_per_cost")
"""Outcomes of claims that are computed from a run's outcomes."""
MEASURES: tuple[str, ...] = (*OUTCOMES, *DERIVED)
"""Every outcome that a claim may name, in the order of `means`."""
PLACE = {name: k for k, name in enumerate(MEASURES)}


def means(record: recording.Record, p: Parameters) -> NDArray[np.float64]:
    """Means over the last `window` months of a run's outcomes, shape (len(`MEASURES`),), in that order.

    Beside the model's own: ``satisfaction``, the mean of trust, confidence and freedom from distress; ``gap``, reported
    indicator less quality; ``quality_per_cost``, quality divided by what the budgets cost.
    """
    mean = {n: float(v.mean()) for n, v in recording.outcomes(record.sums[-p.window :], len(record.totals)).items()}
    satisfaction = (mean["trust"] + mean["confidence"] + 1.0 - mean["distress"]) / 3.0
    gap, efficiency = mean["reported"] - mean["quality"], mean["quality"] / p.cost
    return np.array([*mean.values(), satisfaction, gap, efficiency])


def run_means(p: Parameters, seed: int, interventions: Interventions = NONE) -> NDArray[np.float64]:
    """Run once and keep the `means`."""
    return means(engine.run(p, seed, interventions=interventions), p)


def in_parallel(
    work: Callable[[Job], Result], jobs: Sequence[Job], progress: Progress | None = None, workers: int | None = None
) -> list[Result]:
    """`work` of each job, in their order, by threads; `progress` is called with the number done and the total."""
    report = progress or (lambda done, total: None)
    engine.warm_up()
    report(0, len(jobs))
    results: list[Result] = []
    with local_threads(workers) as executor:
        for result in in_order(executor, work, jobs):
            results.append(result)
            report(len(results), len(jobs))
    return results

"""Questions beside the claims: a tipping point, how long fear lasts, how far one sanction reaches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sim.claims.answer import ClaimReport, Reply
from sim.errors import chosen
from sim.pool import Progress, part_of
from sim.questions import half_life, hysteresis, sanction
from sim.questions.paired import Drawn
from sim.worlds.evaluate import FEWEST, check
from sim.worlds.prior import Worlds

QUESTIONS: dict[str, Callable[..., Reply]] = {
    "tipping": hysteresis.hysteresis,
    "memory": half_life.heavy_spell,
    "reach": sanction.sanction_reach,
}
"""Questions by id, in the order in which they are asked, of worlds that are drawn. Their other arguments have defaults,
and so have the sizes of the runs. Mistakes are lines of an `InputError`."""


def ask(
    question: str,
    source: Worlds,
    draws: int = 100,
    seed: int = 0,
    progress: Progress | None = None,
    workers: int | None = None,
    **options: Any,
) -> Reply:
    """Put a question of `QUESTIONS` to weighted worlds.

    `draws` worlds are drawn by weight, each with a seed that follows from `seed`; `progress` and `workers` are those of
    `sim.pool.in_parallel`; `options` are arguments of the question and sizes of its runs. Raises `InputError` with a
    line for each mistake.
    """
    chosen("question", [question], QUESTIONS, "question")
    check(counts={"draws": (draws, FEWEST)})
    return QUESTIONS[question](Drawn(source.resample(draws, seed), progress, workers), **options)


def asked_beside(
    report: ClaimReport, worlds: Worlds, progress: Progress | None = None, workers: int | None = None
) -> ClaimReport:
    """The report on the claims with replies to all questions from its worlds, as many draws each as its effort says."""
    draws, seed = report.provenance["effort"]["draws"], report.provenance["seed"]
    replies = [
        ask(question, worlds, draws, seed, part_of(progress, k * draws, len(QUESTIONS) * draws), workers)
        for k, question in enumerate(QUESTIONS)
    ]
    return replace(report, replies=tuple(replies))

"""Sequential replication: every cell gets as many runs as it needs for an interval that is narrow enough.

Replications come in rounds. The first has ``seeds`` runs of each cell; after a round, cells whose interval is still
too wide get half as many runs again as they have, until `maximum`. So the number of runs of a cell, and their
seeds, follow from its own rows alone: no other cell, no interruption and no worker changes them.

Looking again and again makes intervals a little too sure of themselves, most where ``seeds`` is small; with 10 or
more in the first round the loss is slight.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from sim.study.chunks import Chunk, chunks

if TYPE_CHECKING:
    from sim.study.plan import Study

CONFIDENCE = 0.95
_GROWTH = 1.5

Values = Callable[[Chunk], Iterable[float]]
"""The outcome that has to be precise, for each run of a finished chunk; not a number where a run failed."""


def half_width(values: Sequence[float]) -> float:
    """Half-width of the 95 % interval of a mean by Student's t, in the unit of the values; inf for fewer than two.

    Sums are exact before they are rounded, so the result is the same on every machine.

    >>> round(half_width([1.0, 2.0, 3.0]), 3)
    2.484
    """
    from scipy.special import stdtrit  # noqa: PLC0415

    if (n := len(values)) < 2:
        return math.inf
    mean = math.fsum(values) / n
    variance = math.fsum((value - mean) ** 2 for value in values) / (n - 1)
    return float(stdtrit(n - 1, 0.5 + CONFIDENCE / 2)) * math.sqrt(variance / n)


def totals(minimum: int, maximum: int) -> Iterator[int]:
    """How many runs a cell has after the first, second ... round.

    >>> list(totals(10, 40))
    [10, 15, 23, 35, 40]
    """
    total = min(minimum, maximum)
    yield total
    while total < maximum:
        total = min(maximum, math.ceil(_GROWTH * total))
        yield total


class Rounds:
    """The chunks of a study, round by round; a study without ``[precision]`` has one round.

    `chunks` are those of the present round, `every` those of all rounds so far, and `runs` is how many runs these have.
    """

    def __init__(self, study: Study) -> None:
        self._study = study
        self._precision = study.plan.precision
        self._open = list(enumerate(study.points, 1)) if self._precision else []
        self._values = {number: array("d") for number, _ in self._open}
        self._totals = totals(study.plan.seeds, self._precision.maximum) if self._precision else iter(())
        self._runs = next(self._totals, study.plan.seeds)
        self.outcome = self._precision.outcome if self._precision else ""
        self.chunks: tuple[Chunk, ...] = study.chunks
        self.every: tuple[Chunk, ...] = study.chunks
        self.runs = sum(chunk.runs for chunk in self.every)  # kept, because it is asked for after every chunk

    def advance(self, values: Values) -> bool:
        """Go to the next round, after every chunk of this one is finished; False where there is none."""
        if not self._precision:
            return False
        for chunk in self.chunks:
            self._take(chunk, values(chunk))
        wide = self._precision.half_width
        self._open = [(number, cell) for number, cell in self._open if half_width(self._values[number]) > wide]
        self._values = {number: self._values[number] for number, _ in self._open}
        before, self._runs = self._runs, next(self._totals, 0)
        if not self._open or not self._runs:
            return False
        plan = self._study.plan
        seeds, size = self._runs - before, self._study.budget
        added = chunks(self._open, self._study.columns, plan.seed + before, seeds, plan.kept, size)
        self.chunks = tuple(added)
        self.every += self.chunks
        self.runs += sum(chunk.runs for chunk in self.chunks)
        return True

    def _take(self, chunk: Chunk, values: Iterable[float]) -> None:
        left = iter(values)
        for piece in chunk.pieces:
            mine = self._values[piece.number]
            mine.extend(value for value in (next(left) for _ in range(piece.runs)) if not math.isnan(value))

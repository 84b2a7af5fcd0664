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
from itertools import islice
from typing import TYPE_CHECKING

from sim.statistics import student
from sim.study.chunks import Chunk, chunks

if TYPE_CHECKING:
    from sim.study.plan import Study

_GROWTH = 1.5

Values = Callable[[Chunk], Iterable[float]]
"""The outcome that has to be precise, for each run of a finished chunk; not a number where a run failed."""


def half_width(values: Sequence[float]) -> float:
    """Half-width of the 95 % interval of a mean by Student's t, in the unit of the values; inf for fewer than two.

    Sums are exact before they are rounded, so the result is the same on every machine.

    >>> round(half_width([1.0, 2.0, 3.0]), 3)
    2.484
    """
    if (n := len(values)) < 2:
        return math.inf
    mean = math.fsum(values) / n
    variance = math.fsum((value - mean) ** 2 for value in values) / (n - 1)
    return float(student(n)) * math.sqrt(variance / n)


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
    `outcome` is the one that has to be precise, "" where none has to.
    """

    def __init__(self, study: Study) -> None:
        self._study, asked = study, study.plan.precision
        self._open = list(enumerate(study.points, 1))
        self._values = {number: array("d") for number, _ in self._open} if asked else {}
        self._totals = totals(study.plan.seeds, study.plan.most_seeds)
        self._runs = next(self._totals)
        self.outcome = asked.outcome if asked else ""
        self.chunks = self.every = study.chunks
        self.runs = study.size  # kept, because it is asked for after every chunk

    def advance(self, values: Values) -> bool:
        """Go to the next round, after every chunk of this one is finished; False where there is none."""
        plan = self._study.plan
        if not plan.precision:
            return False
        for chunk in self.chunks:
            found = iter(values(chunk))
            for piece in chunk.pieces:
                self._values[piece.number].extend(x for x in islice(found, piece.runs) if not math.isnan(x))
        wide = plan.precision.half_width
        self._open = [(number, cell) for number, cell in self._open if half_width(self._values[number]) > wide]
        before, self._runs = self._runs, next(self._totals, 0)
        if not self._open or not self._runs:
            return False
        seeds, size = self._runs - before, self._study.budget
        added = chunks(self._open, self._study.columns, plan.seed + before, seeds, plan.kept, size)
        self.chunks = tuple(added)
        self.every += self.chunks
        self.runs += seeds * len(self._open)
        return True

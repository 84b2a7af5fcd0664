"""Runs in batches: which runs are computed, written and resumed together.

A chunk takes up to a second, so that little is lost when the work is interrupted and little time goes into files. In a
small study it takes less, so that both it and its workers have several; in a study of tens of millions of runs more, or
handing out, writing and listing chunks would take longer than the runs.
Its size follows from the study alone, never from the machine, and its name from all that determines what is written
into its files, so a finished chunk can be trusted wherever it lies.

With ``[precision]``, replications come in rounds: every cell gets as many runs as it needs for an interval that is
narrow enough. The first round has ``seeds`` runs of each cell; after a round, cells whose interval is still too wide
get half as many runs again as they have, until `maximum`. So the number of runs of a cell, and their seeds, follow from
its own rows alone: no other cell, no interruption and no worker changes them. Looking again and again makes intervals
a little too sure of themselves, most where ``seeds`` is small; with 10 or more in the first round the loss is slight.
"""

from __future__ import annotations

import hashlib
import json
import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from sim.model.version import identity
from sim.statistics import student
from sim.study.points import Cell

if TYPE_CHECKING:
    from sim.study.plan import Study

MADE_BY = ("sim.study.compute",)
"""Modules that make the tables of a chunk from the model's runs, for `sim.model.version.identity`."""
BUDGET = 4_000_000
"""Manager-months in a chunk, roughly: up to a second of computing."""
FEW, SMALLEST = 16, BUDGET // 16
"""A study with fewer chunks than this gets smaller ones, down to manager-months that take as long as writing them."""
MANY = 2**17
"""Chunks that one folder and one parent process bear; a study with more gets larger ones."""


@dataclass(frozen=True)
class Kept:
    """What is kept of each run: outcomes averaged over the last `window` months, and perhaps monthly tables."""

    outcomes: tuple[str, ...]
    window: int
    series: bool
    organisations: bool


class Piece(NamedTuple):
    """Some replications of one cell: the seeds from `seed` to `seed` + `runs` - 1. Cells count from 1."""

    number: int
    cell: Cell
    seed: int
    runs: int


@dataclass(frozen=True)
class Chunk:
    """Runs that are computed and stored together; `id` is a hash of everything that determines their rows."""

    id: str
    columns: tuple[str, ...]
    kept: Kept
    pieces: tuple[Piece, ...]

    @property
    def runs(self) -> int:
        """Number of runs."""
        return sum(piece.runs for piece in self.pieces)

    @property
    def cost(self) -> int:
        """Roughly the manager-months of all runs."""
        return sum(piece.runs * piece.cell.cost for piece in self.pieces)


def budget(total: int, kept: Kept) -> int:
    """Manager-months in a chunk of a study of `total` manager-months: `BUDGET`, halved until there are about `FEW`, or
    doubled until there are about `MANY`.

    By twos, so that a study that grows somewhat keeps its chunks. Monthly tables fill the memory, so chunks with them
    are not doubled.
    """
    if total < FEW * BUDGET:
        return min(BUDGET, max(SMALLEST, BUDGET >> _doublings(total, FEW * BUDGET)))
    if kept.series or kept.organisations:
        return BUDGET
    return BUDGET << _doublings(BUDGET * MANY, total)


def _doublings(size: int, least: int) -> int:
    """How often a size is doubled until it is at least `least`."""
    return (-(-least // size) - 1).bit_length()


def chunks(
    cells: Iterable[tuple[int, Cell]], columns: tuple[str, ...], seed: int, seeds: int, kept: Kept, size: int
) -> Iterator[Chunk]:
    """Runs of cells, given with their numbers, in chunks, in order: cell by cell, each with the same seeds, or with
    those that follow on its own first one.

    A chunk has at most `size` manager-months, or one run. A cell with work for several chunks has them to itself, so
    they stay the same when other cells come or go.
    """
    batch: list[Piece] = []
    filled = 0
    for number, cell in cells:
        most = max(1, size // cell.cost)
        for done in range(0, seeds, most):
            piece = Piece(number, cell, cell.first_seed + seed + done, min(most, seeds - done))
            cost = piece.runs * cell.cost
            if batch and filled + cost > size:
                yield _chunk(batch, columns, kept)
                batch, filled = [], 0
            batch.append(piece)
            filled += cost
    if batch:
        yield _chunk(batch, columns, kept)


def _chunk(pieces: list[Piece], columns: tuple[str, ...], kept: Kept) -> Chunk:
    runs = [(piece.cell.digest, piece.seed, piece.runs) for piece in pieces]  # not the number: cells may move
    what = [kept.outcomes, kept.window, kept.series, kept.organisations]
    text = json.dumps([identity(*MADE_BY), columns, what, runs])
    return Chunk(hashlib.sha256(text.encode()).hexdigest()[:32], columns, kept, tuple(pieces))


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

"""Runs in batches: which runs are computed, written and resumed together.

A chunk takes around a second, so that little is lost when the work is interrupted and little time goes into files;
more in a study of tens of millions of runs, or handing out, writing and listing chunks would take longer than the runs.
Its size follows from the study alone, never from the machine, and its name from all that determines what is written
into its files, so a finished chunk can be trusted wherever it lies.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from sim.model.version import identity
from sim.study.points import Cell

MADE_BY = ("sim.study.compute",)
"""Modules that make the tables of a chunk from the model's runs, for `sim.model.version.identity`."""
BUDGET = 4_000_000
"""Manager-months in a chunk, roughly: a second of computing."""
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
    """Manager-months in a chunk of a study of `total` manager-months: `BUDGET`, doubled until there are about `MANY`.

    Doubled, so that a study that grows somewhat keeps its chunks. Monthly tables fill the memory, so chunks with them
    stay as they are.
    """
    if kept.series or kept.organisations:
        return BUDGET
    return BUDGET << (-(-total // (BUDGET * MANY)) - 1).bit_length()


def chunks(
    cells: Iterable[tuple[int, Cell]], columns: tuple[str, ...], seed: int, seeds: int, kept: Kept, size: int
) -> Iterator[Chunk]:
    """Runs of cells, given with their numbers, in chunks, in order: cell by cell, each with the same seeds.

    A chunk has at most `size` manager-months, or one run. A cell with work for several chunks has them to itself, so
    they stay the same when other cells come or go.
    """
    batch: list[Piece] = []
    filled = 0
    for number, cell in cells:
        most = max(1, size // cell.cost)
        for done in range(0, seeds, most):
            piece = Piece(number, cell, seed + done, min(most, seeds - done))
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

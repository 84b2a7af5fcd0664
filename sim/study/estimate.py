"""What a study would take: runs, time on this machine from a short pilot, and disk."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sim.model import engine
from sim.model.outcomes import POST_COLUMNS
from sim.model.parameters import resolve
from sim.pool import cores
from sim.study.chunks import Chunk, Piece
from sim.study.compute import compute
from sim.study.points import cost_of
from sim.study.precision import Rounds
from sim.study.runner import checked_workers, unfinished
from sim.study.store import Store, encoded

if TYPE_CHECKING:
    from sim.study.plan import Study

_SECONDS = 0.5
_RUNS = 50
_COST = 1_000_000
_NUMBER = 8  # bytes


@dataclass(frozen=True)
class Estimate:
    """What a study takes.

    `runs` are those planned so far and `most` the largest number that they can become, which is more for a study with
    ``[precision]``; `done` of them are finished, `failed` of these failed. `seconds` is for the runs that are missing,
    `bytes` for the folder when the planned runs are finished.
    """

    runs: int
    most: int
    done: int
    failed: int
    seconds: float
    bytes: int


def estimate(study: Study, folder: Path, workers: int | None) -> Estimate:
    """Time a few short runs and count what is missing; see `Study.estimate`."""
    workers = checked_workers(workers)
    store, rounds = Store(folder), Rounds(study)
    missing = unfinished(store, rounds)
    seconds = _pilot(missing) * sum(chunk.cost for chunk in missing) / min(workers, cores(), len(missing) or 1)
    left = {chunk.id for chunk in missing}
    done = [chunk for chunk in rounds.every if chunk.id not in left]
    return Estimate(
        runs=rounds.runs,
        most=study.most if missing else rounds.runs,
        done=sum(chunk.runs for chunk in done),
        failed=sum(store.done[chunk.id]["failed"] for chunk in done),
        seconds=seconds,
        bytes=_bytes(rounds.every),
    )


def _sample(chunks: Sequence[Chunk]) -> list[Piece]:
    return [chunk.pieces[0] for chunk in chunks[:: max(1, len(chunks) // _RUNS)]]


def _pilot(chunks: Sequence[Chunk]) -> float:
    """Seconds for each unit of cost, from runs of the cells spread over these chunks, cut short where they are long."""
    cells = [piece.cell for piece in _sample(chunks)]
    if not cells:
        return 0.0
    engine.warm_up()
    cost, begun = 0, time.perf_counter()
    for seed in range(_RUNS):
        p = resolve(**cells[seed % len(cells)].settings)
        months = max(1, p.months * _COST // max(_COST, cost_of(p, False)))
        short = p.model_copy(update={"months": months})
        engine.run(short, seed)
        cost += cost_of(short, False)
        if time.perf_counter() - begun > _SECONDS:
            break
    return (time.perf_counter() - begun) / cost


def _bytes(chunks: Sequence[Chunk]) -> int:
    """Bytes on disk: eight for each kept number, and what each file has beside its numbers."""
    first, kept, sample = chunks[0], chunks[0].kept, _sample(chunks)
    numbers = 0
    for p in (resolve(**piece.cell.settings) for piece in sample):
        by_month = len(kept.outcomes) * kept.series
        by_month += p.systems * p.organisations * len(POST_COLUMNS) * kept.organisations
        numbers += len(kept.outcomes) + p.months * by_month
    cell, sizes = first.pieces[0].cell, dict.fromkeys(("systems", "organisations", "managers", "months"), 1)
    tiny = cell._replace(own={**cell.settings, **sizes, "schedule": {}}, common={})
    hardly_any = replace(first, pieces=(Piece(1, tiny, 0, 1),))
    overhead = sum(len(encoded(table, hardly_any)) for table in compute(hardly_any).values())
    return round(numbers / len(sample) * _NUMBER * sum(chunk.runs for chunk in chunks)) + len(chunks) * overhead

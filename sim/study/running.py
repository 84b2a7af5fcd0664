"""Running a study: what is missing, in threads, each chunk stored when it is finished; and what that would take."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sim import engine
from sim.errors import InputError, shown
from sim.outcomes import POST_COLUMNS
from sim.parameters import Parameters, resolve
from sim.study.chunks import Chunk, Kept, Piece, cost_of
from sim.study.compute import Tables, compute
from sim.study.execute import as_done, cores, local_threads
from sim.study.results import Results
from sim.study.store import Store, encoded, plan_of

if TYPE_CHECKING:
    from sim.study.plan import Study

Progress = Callable[[int, int, int], None]

_PILOT_SECONDS = 0.5
_PILOT_RUNS = 50
_PILOT_COST = 1_000_000
_NUMBER = 8  # bytes


def run(study: Study, folder: Path, fresh: bool, workers: int | None, progress: Progress | None) -> Results:
    """Do what is missing of a study; see `Study.run`."""
    workers = _checked(workers)
    store = Store(folder)
    with store.writing():
        if fresh:
            store.clear()
        store.adopt(plan_of(study.chunks, study.title), study.plan.toml())
        missing = [chunk for chunk in study.chunks if not store.is_done(chunk.id)]
        finished = {chunk.id for chunk in study.chunks} - {chunk.id for chunk in missing}
        tell = _Teller(progress, study.size)
        tell(
            sum(store.done[chunk]["runs"] for chunk in finished),
            sum(store.done[chunk]["failed"] for chunk in finished),
        )
        if missing:
            _run(store, missing, workers, tell)
    return Results(folder)


def _run(store: Store, missing: list[Chunk], workers: int, tell: _Teller) -> None:
    engine.warm_up()
    called_off = threading.Event()
    with local_threads(workers) as executor:
        try:
            work = partial(compute, stopped=called_off.is_set)
            for chunk, tables in as_done(executor, work, missing, ahead=2 * workers):
                failed = _failed(tables)
                store.save(chunk, tables, failed)
                tell(chunk.runs, failed)
        finally:
            called_off.set()  # after an error or Ctrl-C, chunks under way end with their present run


@dataclass
class _Teller:
    """Adds up and reports how far the work has come."""

    progress: Progress | None
    total: int
    done: int = 0
    failed: int = 0

    def __call__(self, done: int, failed: int) -> None:
        self.done += done
        self.failed += failed
        if self.progress:
            self.progress(self.done, self.failed, self.total)


def _failed(tables: Tables) -> int:
    errors = tables["runs"]["error"]
    return len(errors) - int(errors.null_count)


def _checked(workers: int | None) -> int:
    if workers is None:
        return cores()
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise InputError([f"workers = {shown(workers)}: must be a whole number, at least 1"])
    return workers


@dataclass(frozen=True)
class Estimate:
    """What a study takes. `seconds` is for the runs that are missing, `bytes` for the folder when it is finished."""

    runs: int
    done: int
    seconds: float
    bytes: int


def estimate(study: Study, folder: Path, workers: int | None) -> Estimate:
    """Time a few short runs and count what is missing; see `Study.estimate`."""
    workers = _checked(workers)
    store = Store(folder)
    missing = [chunk for chunk in study.chunks if not store.is_done(chunk.id)]
    seconds = _pilot(missing) * sum(chunk.cost for chunk in missing) / min(workers, cores(), len(missing) or 1)
    done = study.size - sum(chunk.runs for chunk in missing)
    return Estimate(study.size, done, seconds, _bytes(study.chunks))


def _pilot(chunks: list[Chunk]) -> float:
    """Seconds for each unit of cost, from runs of the cells spread over these chunks, cut short where they are long."""
    cells = [chunk.pieces[0].cell for chunk in chunks[:: max(1, len(chunks) // _PILOT_RUNS)]]
    if not cells:
        return 0.0
    engine.warm_up()
    cost, begun = 0, time.perf_counter()
    for seed in range(_PILOT_RUNS):
        p = resolve(**cells[seed % len(cells)].settings)
        months = max(1, p.months * _PILOT_COST // max(_PILOT_COST, cost_of(p, False)))
        short = p.model_copy(update={"months": months})
        engine.run(short, seed)
        cost += cost_of(short, False)
        if time.perf_counter() - begun > _PILOT_SECONDS:
            break
    return (time.perf_counter() - begun) / cost


def _bytes(chunks: tuple[Chunk, ...]) -> int:
    """Bytes on disk: eight for each kept number, and what each file has beside its numbers."""
    sample = [chunk.pieces[0].cell for chunk in chunks[:: max(1, len(chunks) // _PILOT_RUNS)]]
    numbers = sum(_numbers(resolve(**cell.settings), chunks[0].kept) for cell in sample) / len(sample)
    runs = sum(chunk.runs for chunk in chunks)
    return round(numbers * _NUMBER * runs) + len(chunks) * _overhead(chunks[0])


def _numbers(p: Parameters, kept: Kept) -> int:
    """Kept numbers of one run."""
    by_month = len(kept.outcomes) if kept.series else 0
    by_month += p.systems * p.organisations * len(POST_COLUMNS) if kept.organisations else 0
    return len(kept.outcomes) + p.months * by_month


def _overhead(chunk: Chunk) -> int:
    """Bytes of the files of a chunk with hardly any numbers."""
    cell = chunk.pieces[0].cell
    settings = {
        **cell.settings,
        **dict.fromkeys(("systems", "organisations", "managers", "months"), 1),
        "schedule": {},
    }
    tiny = replace(chunk, pieces=(Piece(1, cell._replace(settings=settings), 0, 1),))
    return sum(len(encoded(table, tiny)) for table in compute(tiny).values())

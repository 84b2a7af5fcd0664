"""Running a study: what is missing, wherever it is computed, each chunk stored when it is finished."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError, StudyStopped, shown
from sim.model import engine
from sim.pool import MOST_WORKERS, Progress, as_done, cores, local_threads
from sim.study.chunks import Chunk
from sim.study.compute import Tables, compute, lacking, schema
from sim.study.precision import Rounds
from sim.study.results import Results
from sim.study.store import Store, plan_of

if TYPE_CHECKING:
    from sim.study.plan import Study

MOST_RUNS = 1_000_000
"""More runs than this are asked about."""
_DAY = 86_400 / 1.2e-7
"""Manager-months that one core does in a day, roughly."""


@dataclass(frozen=True)
class Options:
    """How a study is run; none of it changes a row. See `Study.run`."""

    fresh: bool = False
    workers: int | None = None
    cluster: str | Executor | None = None
    stop_on_failure: bool = False
    retry_failed: bool = False
    yes: bool = False
    progress: Progress | None = None


def run(study: Study, folder: Path, options: Options) -> Results:
    """Do what is missing of a study; see `Study.run`."""
    workers = checked_workers(options)
    store, rounds = Store(folder), Rounds(study)
    if not options.yes:
        _ask(study, store, workers, options)
    with store.writing():
        if options.fresh:
            store.clear()
        failed = {chunk for chunk, entry in store.done.items() if entry["failed"]} if options.retry_failed else set()
        try:
            missing = unfinished(store, rounds, failed)
            _Run(study, store, rounds, options).finish(missing, workers)
        except MemoryError as error:
            raise lacking(error) from None
    return Results(folder)


def unfinished(store: Store, rounds: Rounds, again: Sequence[str] | set[str] = ()) -> list[Chunk]:
    """Go through the rounds that are finished; what is missing of the first that is not, or nothing.

    Chunks in `again` count as missing.
    """
    while True:
        missing = [chunk for chunk in rounds.chunks if chunk.id in again or not store.is_done(chunk.id)]
        if missing or not rounds.advance(partial(_values, store, rounds)):
            return missing


def _values(store: Store, rounds: Rounds, chunk: Chunk) -> NDArray[np.float64]:
    """The outcome that has to be precise, for each run of a finished chunk; not a number where a run failed."""
    table = store.read("runs", chunk.id, schema("runs", chunk.columns, chunk.kept.outcomes), [rounds.outcome])
    if table is None:
        raise StudyStopped(f"{store.file('runs', chunk.id)}: damaged while the study was running; run it again")
    values: NDArray[np.float64] = table[rounds.outcome].to_numpy()
    return values


@dataclass
class _Run:
    """A study while it is being run."""

    study: Study
    store: Store
    rounds: Rounds
    options: Options
    done: int = 0
    failed: int = 0

    def finish(self, missing: list[Chunk], workers: int) -> None:
        """Compute what is missing of this round, then the rounds after it."""
        self._adopt()
        left = {chunk.id for chunk in missing}
        for chunk in self.rounds.every:
            if chunk.id not in left:
                self._count(chunk, self.store.done[chunk.id]["failed"])
        self._tell()
        if not missing:
            return
        with _pool(self.options.cluster, workers) as pool:
            while True:
                self._compute(pool, missing)
                if not self.rounds.advance(partial(_values, self.store, self.rounds)):
                    return
                missing = unfinished(self.store, self.rounds)
                self._adopt()

    def _adopt(self) -> None:
        plan = self.study.plan
        precision = plan.precision.model_dump() if plan.precision else None
        self.store.adopt(plan_of(self.rounds.every, self.study.title, precision), plan.toml())

    def _compute(self, pool: _Pool, missing: list[Chunk]) -> None:
        # closed here and now, or a second Ctrl-C would find it being cleared away, where no error can be caught
        with closing(as_done(pool.executor, pool.work, missing, pool.ahead)) as finished:
            for chunk, tables in finished:
                failed = failures(tables)
                self.store.save(chunk, tables, failed)
                self._count(chunk, failed)
                self._tell()
                if failed and self.options.stop_on_failure:
                    raise StudyStopped(_first_failure(chunk, tables))

    def _count(self, chunk: Chunk, failed: int) -> None:
        self.done += chunk.runs
        self.failed += failed

    def _tell(self) -> None:
        if self.options.progress:
            self.options.progress(self.done, self.rounds.runs, f"{self.failed:,} failed" if self.failed else "")


@dataclass(frozen=True)
class _Pool:
    """Where chunks are computed: how, and how many may be under way at once."""

    executor: Executor
    work: Callable[[Chunk], Tables]
    ahead: Callable[[], int]


@contextmanager
def _pool(cluster: str | Executor | None, workers: int) -> Iterator[_Pool]:
    if cluster is None:
        called_off = threading.Event()
        engine.warm_up()
        with local_threads(workers) as executor:
            try:
                yield _Pool(executor, partial(compute, stopped=called_off.is_set), lambda: 2 * workers)
            finally:
                called_off.set()  # after an error or Ctrl-C, chunks under way end with their present run
        return
    from sim.study.dask import compute_there, dask_cluster, versions  # noqa: PLC0415

    work = partial(compute_there, expected=versions())
    if isinstance(cluster, str):
        with dask_cluster(cluster) as (executor, threads):
            yield _Pool(executor, work, lambda: 2 * threads())
    else:
        workers = getattr(cluster, "_max_workers", None) or cores()
        yield _Pool(cluster, work, lambda: 2 * workers)


def failures(tables: Tables) -> int:
    """Number of runs that failed."""
    errors = tables["runs"]["error"]
    return len(errors) - int(errors.null_count)


def _first_failure(chunk: Chunk, tables: Tables) -> str:
    runs = tables["runs"]
    row = int(np.flatnonzero(runs["error"].is_valid())[0])
    cell = np.repeat([piece.number for piece in chunk.pieces], [piece.runs for piece in chunk.pieces])[row]
    return f"cell {cell}, seed {runs['seed'][row]}: {runs['error'][row]}; stopped at this failure"


def checked_workers(options: Options) -> int:
    """The number of threads; raises `InputError` with one line for what cannot be one."""
    workers = options.workers
    if workers is None:
        return cores()
    if isinstance(workers, bool) or not isinstance(workers, int) or not 1 <= workers <= MOST_WORKERS:
        raise InputError([f"workers = {shown(workers)}: must be a whole number from 1 to {MOST_WORKERS:,}"])
    if options.cluster is not None:
        raise InputError([f"workers = {shown(workers)}: leave it out, the cluster has workers of its own"])
    return workers


def _ask(study: Study, store: Store, workers: int, options: Options) -> None:
    """Refuse more work than anyone means, unless that was said; what is already done does not count."""
    if not _too_much(*_work(study, []), workers, options):
        return
    done = [] if options.fresh else [chunk for chunk in study.chunks if store.is_done(chunk.id)]
    runs, cost = _work(study, done)
    if _too_much(runs, cost, workers, options):
        days = f", about {cost / _DAY / workers:,.1f} days on this machine" if options.cluster is None else ""
        most = "up to " if study.plan.precision else ""
        line = f"{most}{runs:,} runs{days}: more than {MOST_RUNS:,} runs or a day; add --yes if you mean it"
        raise InputError([f"{study.name}: {line}"])


def _too_much(runs: int, cost: int, workers: int, options: Options) -> bool:
    return runs > MOST_RUNS or (options.cluster is None and cost / workers > _DAY)


def _work(study: Study, done: list[Chunk]) -> tuple[int, int]:
    """Runs at most and what they cost at most, beyond those of the chunks that are done."""
    runs = study.most - sum(chunk.runs for chunk in done)
    cost = study.plan.most_seeds * sum(cell.cost for cell in study.points) - sum(chunk.cost for chunk in done)
    return runs, cost

"""Running a study: what it would take, and what is missing, wherever it is computed, stored chunk by chunk."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sim.errors import InputError, Mistake, StudyStopped, place, whole
from sim.model import engine
from sim.model.outcomes import POST_COLUMNS
from sim.model.parameters import resolve
from sim.pool import MOST_WORKERS, Progress, as_done, cores, local_threads
from sim.study.chunks import MANY, Chunk, Piece, Rounds
from sim.study.compute import Tables, compute, lacking, schema
from sim.study.points import cost_of
from sim.study.results import Results
from sim.study.store import Store, encoded, plan_of

if TYPE_CHECKING:
    from sim.model.parameters import Parameters
    from sim.study.plan import Study

Pool = tuple[Executor, Callable[[Chunk], Tables], Callable[[], int]]
"""Where chunks are computed, how, and how many may be under way at once."""

MOST_RUNS = 1_000_000
"""More runs than this are asked about."""
_DAY = 86_400 / 1.2e-7
"""Manager-months that one core does in a day, roughly."""
_PILOT_SECONDS, _PILOT_RUNS, _PILOT_COST = 0.5, 50, 1_000_000
_NUMBER = 8  # bytes


@dataclass(frozen=True)
class Options:
    """How a study is run; none of it changes a row. See `Study.run`."""

    fresh: bool
    workers: int | None
    cluster: str | Executor | None
    stop_on_failure: bool
    retry_failed: bool
    yes: bool
    progress: Progress | None
    part: tuple[int, int] | None
    merge: Path | None


def run(study: Study, folder: Path, options: Options) -> Results:
    """Do what is missing of a study; see `Study.run`."""
    workers = checked_workers(options.workers, options.cluster)
    _check_parts(study, options.part, options.merge)
    store, rounds = Store(folder), Rounds(study)
    if not (options.yes or options.merge):
        _ask(study, store, workers, options)
    with store.writing():
        if options.fresh:
            store.clear()
        if options.merge:
            _merge(study, store, rounds, options.merge)
            if not options.yes:
                _ask(study, store, workers, options)
        try:
            _finish(study, store, rounds, options, workers)
        except MemoryError as error:
            raise lacking(error) from None
    return Results(folder)


def _check_parts(study: Study, part: tuple[int, int] | None, merged: Path | None) -> None:
    """Raise `InputError` for a part that is none, and for a study that cannot be computed in parts."""
    if part is not None and merged is not None:
        raise InputError(["part: a part is computed, or parts are merged; ask for one of the two"])
    if (part is not None or merged is not None) and study.plan.precision:
        raise InputError(["part: with [precision] all runs together decide how many follow; leave the section out"])
    if part is not None:
        whole("part", part[0], 1, whole("part", part[1], 1, MANY))
    if merged is not None and not any(merged.glob("*/ledger")):
        raise InputError([f"{place(merged)}: no parts here; give the folder that sim run --part has written into"])


def _merge(study: Study, store: Store, rounds: Rounds, folder: Path) -> None:
    """Take what is missing here and is finished in one of the folders within a folder.

    Raises `InputError` where none of them has a run of this study.
    """
    _adopt(study, store, rounds)
    parts = [Store(ledger.parent) for ledger in sorted(folder.glob("*/ledger"))]
    missing = unfinished(store, rounds)
    taken = [any(store.take(chunk.id, part) for part in parts) for chunk in missing]
    if len(missing) == len(rounds.every) and not any(taken):
        raise InputError([f"{place(folder)}: holds no run of this study as this version of the model makes it"])


def unfinished(store: Store, rounds: Rounds, again: Collection[str] = ()) -> list[Chunk]:
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


def _finish(study: Study, store: Store, rounds: Rounds, options: Options, workers: int) -> None:
    """Compute and store what is missing of the present round, then of those after it."""
    failures = {chunk: entry["failed"] for chunk, entry in store.done.items()}
    again = {chunk for chunk, failed in failures.items() if failed and options.retry_failed}
    left = {chunk.id for chunk in unfinished(store, rounds, again)}
    _adopt(study, store, rounds)
    number, of = options.part or (1, 1)
    asked = rounds.every[number - 1 :: of]
    missing = [chunk for chunk in asked if chunk.id in left]
    finished = [chunk for chunk in asked if chunk.id not in left]
    done, failed = sum(chunk.runs for chunk in finished), sum(failures[chunk.id] for chunk in finished)
    elsewhere = rounds.runs - sum(chunk.runs for chunk in asked)

    def tell() -> None:
        if options.progress:
            options.progress(done, rounds.runs - elsewhere, f"{failed:,} failed" if failed else "")

    tell()
    if not missing:
        return
    with _pool(options.cluster, workers) as (executor, work, ahead):
        while True:
            # closed here and now, or a second Ctrl-C would find it being cleared away, where no error can be caught
            with closing(as_done(executor, work, missing, ahead)) as computed:
                for chunk, tables in computed:
                    errors = tables["runs"]["error"]
                    new = len(errors) - errors.null_count
                    store.save(chunk, tables, new)
                    done, failed = done + chunk.runs, failed + new
                    tell()
                    if new and options.stop_on_failure:
                        raise StudyStopped(_first_failure(chunk, tables["runs"]))
            if not rounds.advance(partial(_values, store, rounds)):
                return
            missing = unfinished(store, rounds)
            _adopt(study, store, rounds)


def _adopt(study: Study, store: Store, rounds: Rounds) -> None:
    precision = study.plan.precision.model_dump() if study.plan.precision else None
    store.adopt(plan_of(rounds.every, study.title, precision), study.plan.toml())


def _first_failure(chunk: Chunk, runs: pa.Table) -> str:
    row = int(np.flatnonzero(runs["error"].is_valid())[0])
    cell = np.repeat([piece.number for piece in chunk.pieces], [piece.runs for piece in chunk.pieces])[row]
    return f"cell {cell}, seed {runs['seed'][row]}: {runs['error'][row]}; stopped at this failure"


@contextmanager
def _pool(cluster: str | Executor | None, workers: int) -> Iterator[Pool]:
    if cluster is None:
        called_off = threading.Event()
        engine.warm_up()
        with local_threads(workers) as executor:
            try:
                yield executor, partial(compute, stopped=called_off.is_set), lambda: 2 * workers
            finally:
                called_off.set()  # after an error or Ctrl-C, chunks under way end with their present run
        return
    from sim.study.dask import compute_there, dask_cluster, versions  # noqa: PLC0415

    work = partial(compute_there, expected=versions())
    if isinstance(cluster, str):
        with dask_cluster(cluster) as (executor, threads):
            yield executor, work, lambda: 2 * threads()
    else:
        workers = getattr(cluster, "_max_workers", None) or cores()
        yield cluster, work, lambda: 2 * workers


def checked_workers(workers: int | None, cluster: str | Executor | None = None) -> int:
    """The number of threads; raises `InputError` with one line for what cannot be one, or cannot be a cluster."""
    if isinstance(cluster, str):
        from sim.study.dask import check_address  # noqa: PLC0415

        check_address(cluster)
    elif not isinstance(cluster, Executor | None):
        raise InputError([Mistake(("cluster",), cluster, "must be an address or a concurrent.futures.Executor")])
    if workers is None:
        return cores()
    if cluster is not None:
        raise InputError([Mistake(("workers",), workers, "leave it out, the cluster has workers of its own")])
    return whole("workers", workers, 1, MOST_WORKERS)


def _ask(study: Study, store: Store, workers: int, options: Options) -> None:
    """Refuse more work than anyone means, unless that was said; what is already done does not count."""
    parts = options.part[1] if options.part else 1
    runs, cost = study.most // parts, study.plan.most_seeds * sum(cell.cost for cell in study.points) // parts

    def too_much() -> bool:
        return runs > MOST_RUNS or (options.cluster is None and cost / workers > _DAY)

    if too_much() and not options.fresh:
        done = [chunk for chunk in study.chunks if store.is_done(chunk.id)]
        runs, cost = runs - sum(chunk.runs for chunk in done), cost - sum(chunk.cost for chunk in done)
    if too_much():
        days = f", about {cost / _DAY / workers:,.1f} days on this machine" if options.cluster is None else ""
        most = "up to " if study.plan.precision else ""
        line = f"{most}{runs:,} runs{days}: more than {MOST_RUNS:,} runs or a day; add --yes if you mean it"
        raise InputError([f"{study.name}: {line}"])


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
    return [chunk.pieces[0] for chunk in chunks[:: max(1, len(chunks) // _PILOT_RUNS)]]


def _pilot(chunks: Sequence[Chunk]) -> float:
    """Seconds for each unit of cost, from runs of the cells spread over these chunks, cut down where they are large."""
    cells = [piece.cell for piece in _sample(chunks)]
    if not cells:
        return 0.0
    engine.warm_up()
    cost, begun = 0, time.perf_counter()
    for seed in range(_PILOT_RUNS):
        p = _cut_down(resolve(**cells[seed % len(cells)].settings))
        engine.run(p, seed)
        cost += cost_of(p, False)
        if time.perf_counter() - begun > _PILOT_SECONDS:
            break
    return (time.perf_counter() - begun) / cost


def _cut_down(p: Parameters) -> Parameters:
    """A run of about `_PILOT_COST` at most: of fewer months, down to a year, and then of fewer managers."""
    for name, fewest in {"months": 12, "systems": 1, "organisations": 1, "managers": 1}.items():
        if (cost := cost_of(p, False)) > _PILOT_COST:
            size = min(getattr(p, name), max(fewest, getattr(p, name) * _PILOT_COST // cost))
            rules = p.local if name == "months" else ()  # they name organisations
            p = p.model_copy(update={name: size, "local": rules})
    return p


def _bytes(chunks: Sequence[Chunk]) -> int:
    """Bytes on disk: eight for each kept number, and what each file has beside its numbers."""
    first, kept, sample = chunks[0], chunks[0].kept, _sample(chunks)
    numbers = 0
    for p in (resolve(**piece.cell.settings) for piece in sample):
        by_month = len(kept.outcomes) * kept.series
        by_month += p.systems * p.organisations * len(POST_COLUMNS) * kept.organisations
        numbers += len(kept.outcomes) + p.months * by_month
    cell, sizes = first.pieces[0].cell, dict.fromkeys(("systems", "organisations", "managers", "months"), 1)
    tiny = cell._replace(own={**cell.settings, **sizes, "schedule": {}, "local": ()}, common={})
    hardly_any = replace(first, pieces=(Piece(1, tiny, 0, 1),))
    overhead = sum(len(encoded(table, hardly_any)) for table in compute(hardly_any).values())
    return round(numbers / len(sample) * _NUMBER * sum(chunk.runs for chunk in chunks)) + len(chunks) * overhead

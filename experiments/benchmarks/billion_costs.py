"""What a study costs, piece by piece, measured on this machine: chunks, the process that writes, Dask, the folder.

`billion.py` puts the pieces together. Costs that a cluster would share between machines are processor seconds, so
they are the same whatever else this machine does; those that wait for the disk are the median of many.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import measuring
import numpy as np
import psutil
import pyarrow as pa
from numpy.typing import NDArray

from sim import engine
from sim.study import Study, chunks
from sim.study.chunks import Chunk
from sim.study.cluster import dask_cluster
from sim.study.compute import Tables, compute
from sim.study.execute import as_done
from sim.study.store import Store, plan_of

Floats = NDArray[np.float64]
KINDS: dict[str, dict[str, int]] = {"national": {}, "small": {"systems": 1, "months": 60}}
"""A run of the default size, and one of 60 managers and five years."""
BLOCK = 4096
"""Bytes that a file system hands out at a time."""


class ChunkCosts(NamedTuple):
    """What chunks of one study take: `seconds` of a core, one by one; of the parent to write one; bytes of its file."""

    runs: int
    seconds: Floats
    save: float
    bytes: int


class TaskCosts(NamedTuple):
    """Processor seconds of a task beside its work, by process."""

    parent: float
    scheduler: float
    worker: float


class Line(NamedTuple):
    """What grows in proportion: `fixed` plus `each` for one more."""

    fixed: float
    each: float


def table(runs: int, cells: int = 1, **parameters: int) -> dict[str, Any]:
    """A study of so many runs, spread over the cells of a grid as nearly square as can be."""
    side = next(number for number in range(round(cells**0.5), 0, -1) if cells % number == 0)
    ends = {"monitoring": side, "targets": cells // side}
    design = {name: np.linspace(0.0, 1.0, number).tolist() for name, number in ends.items()}
    return {"seeds": runs // cells, "parameters": parameters, "design": {"kind": "grid", **design}}


def study(kind: str, runs: int) -> Study:
    """So many runs of one cell."""
    return Study.from_dict(table(runs, **KINDS[kind]))


def growth(kind: str, runs: int) -> int:
    """How many times as large as chunks of a second the program makes those of a study with so many runs."""
    one = study(kind, 1)
    return chunks.budget(one.points[0].cost * runs, one.plan.kept) // chunks.BUDGET


def first_chunks(kind: str, number: int, larger: float = 1) -> list[Chunk]:
    """The first chunks of a long study, `larger` times as large as those of a second."""
    long, size = study(kind, 1), round(chunks.BUDGET * larger)
    return list(islice(chunks.chunks([(1, long.points[0])], long.columns, 0, 10**7, long.plan.kept, size), number))


def chunk_costs(kind: str, number: int, larger: float = 1) -> ChunkCosts:
    """Chunks computed one after the other on one core, and written."""
    engine.warm_up()
    several = first_chunks(kind, number, larger)
    spent, tables = zip(*(_timed(chunk) for chunk in several), strict=True)
    return ChunkCosts(several[0].runs, np.array(spent), *_written(several, tables))


def enlarged(costs: ChunkCosts, kind: str, larger: float) -> ChunkCosts:
    """The same for larger chunks, which are written with made-up numbers and computed on paper."""
    several = first_chunks(kind, 5, larger)
    written = _written(several, [made_up(chunk.runs) for chunk in several])
    return ChunkCosts(several[0].runs, costs.seconds * (several[0].runs / costs.runs), *written)


def _timed(chunk: Chunk) -> tuple[float, Tables]:
    started = time.thread_time()
    tables = compute(chunk)
    return time.thread_time() - started, tables


def _written(several: Sequence[Chunk], tables: Sequence[Tables]) -> tuple[float, int]:
    """Seconds to write a chunk, and the bytes that its file takes on a disk, in whole blocks."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        with store.writing():
            spent = [
                measuring.seconds(lambda c=chunk, t=table: store.save(c, t, 0))  # type: ignore[misc]
                for chunk, table in zip(several, tables, strict=True)
            ]
        sizes = [path.stat().st_size for path in Path(folder).rglob("*.parquet")]
    return float(np.median(spent)), round(float(np.mean([-(-size // BLOCK) * BLOCK for size in sizes])))


@cache
def _numbers(rows: int) -> pa.Table:
    names = first_chunks("small", 1)[0].kept.outcomes
    columns = dict(zip(names, np.random.default_rng(0).random((len(names), rows)), strict=True))
    design = {"monitoring": np.zeros(rows), "targets": np.zeros(rows), "seed": np.arange(rows)}
    return pa.table({**design, **columns, "error": pa.nulls(rows, pa.string())})


def made_up(rows: int) -> Tables:
    """Numbers that stand for the results of so many runs."""
    return {"runs": _numbers(rows)}


def idle(chunk: Chunk) -> Tables:
    """A chunk's worth of results, without the work."""
    return made_up(chunk.runs)


class Cluster(NamedTuple):
    """A Dask cluster of its own processes: where it listens, and who it is."""

    address: str
    scheduler: int
    workers: tuple[int, ...]

    def spent(self) -> Floats:
        """Processor seconds so far of this process, the scheduler and all workers."""
        times = {pid: sum(psutil.Process(pid).cpu_times()[:2]) for pid in (self.scheduler, *self.workers)}
        return np.array([time.process_time(), times[self.scheduler], sum(times[pid] for pid in self.workers)])


@contextmanager
def cluster(workers: int) -> Iterator[Cluster]:
    """A scheduler and workers of one thread each, as separate processes on this machine."""
    quiet: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    quiet["env"] = {**os.environ, "PYTHONPATH": str(measuring.HERE)}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        place = Path(folder) / "scheduler.json"
        common = ["--no-dashboard", "--scheduler-file", str(place)]
        listening = [*common, "--host", "127.0.0.1", "--port", "0"]
        working = [*common, "--nthreads", "1", "--no-nanny", "--local-directory", folder]
        named = [("dask_scheduler", listening), *[("dask_worker", working)] * workers]
        started = [
            subprocess.Popen([sys.executable, "-m", f"distributed.cli.{n}", *more], **quiet) for n, more in named
        ]
        try:
            while not place.exists() or not place.stat().st_size:
                time.sleep(0.05)
            address = json.loads(place.read_text(encoding="utf-8"))["address"]
            _await(address, workers)
            yield Cluster(address, started[0].pid, tuple(process.pid for process in started[1:]))
        finally:
            for process in reversed(started):
                process.kill()  # a worker that is told to end may wait for a scheduler that has
            for process in started:
                process.wait()


def _await(address: str, workers: int) -> None:
    from distributed import Client  # noqa: PLC0415

    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(workers, timeout=60)


def task_costs(on: Cluster, kind: str, larger: float, tasks: int, ahead: int = 20) -> TaskCosts:
    """What Dask adds to a chunk: tasks that send back as much as it would, without the work."""
    chunk = first_chunks(kind, 1, larger)[0]
    tasks = max(20, tasks // max(1, chunk.runs // 1_000))  # or many large results would take long
    with dask_cluster(on.address) as (executor, _):
        sum(1 for _ in as_done(executor, idle, [chunk] * 4 * len(on.workers), lambda: ahead))  # what is set up once
        before = on.spent()
        done = sum(1 for _ in as_done(executor, idle, [chunk] * tasks, lambda: ahead))
        return TaskCosts(*((on.spent() - before) / done))


def waiting_cost(under_way: int) -> float:
    """Processor seconds to find out which of so many chunks under way is done."""
    pending: list[Future[None]] = [Future() for _ in range(under_way)]
    pending[0].set_result(None)
    return _spent(lambda: wait(pending, return_when="FIRST_COMPLETED"))


def _spent(work: Callable[[], object], times: int = 20) -> float:
    """Processor seconds of a call, on average over some."""
    started = time.thread_time()
    for _ in range(times):
        work()
    return (time.thread_time() - started) / times


def real_run(on: Cluster, kind: str, number: int, larger: float) -> float:
    """Seconds a chunk of a real study on a cluster, without its start: the first two chunks of each worker."""
    start, times = 2 * len(on.workers), []
    with patch.object(chunks, "BUDGET", round(chunks.BUDGET * larger)), tempfile.TemporaryDirectory() as folder:
        whole = study(kind, (start + number) * first_chunks(kind, 1)[0].runs)
        whole.run(folder, cluster=on.address, progress=lambda *_: times.append(time.perf_counter()))
    return (times[-1] - times[start]) / number


def finished_folder(folder: Path, kind: str, number: int) -> Study:
    """The folder of a finished study of so many chunks, whose files are all one file under many names."""
    chunk = first_chunks(kind, 1)[0]
    whole = study(kind, number * chunk.runs)
    store = Store(folder)
    with store.writing():
        store.adopt(plan_of(whole.chunks, "made up"), whole.plan.toml())
        store.save(whole.chunks[0], made_up(chunk.runs), 0)
        done = store.done[whole.chunks[0].id]
        for other in whole.chunks[1:]:
            os.link(store.file("runs", whole.chunks[0].id), store.file("runs", other.id))
        lines = [json.dumps({**done, "done": other.id}) + "\n" for other in whole.chunks[1:]]
        with (folder / "ledger").open("a", encoding="utf-8") as ledger:
            ledger.writelines(lines)
    return whole


IMPORTS = """
from pathlib import Path
from sim.study import Results, Study
from sim.study.store import Store, plan_of
"""
FRESH = {
    "start": "store = Store(folder)\nwith store.writing():\n"
    "    store.adopt(plan_of(study.chunks, 'new'), study.plan.toml())",
    "resume": "study.run(folder, yes=True)",
    "open": "Results(folder)",
    "read": "len(Results(folder).runs)",
}
"""What a new process does with a folder: start a study there, go on with a finished one, open it, read all of it."""


def folder_costs(kind: str, sizes: Sequence[int], names: Sequence[str] = tuple(FRESH)) -> dict[str, tuple[Line, Line]]:
    """Processor seconds and peak bytes of what is done with a folder, by its number of chunks."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for number in sizes:
        with tempfile.TemporaryDirectory() as made:
            whole = finished_folder(Path(made) / "r", kind, number)
            laid_out = table(whole.plan.seeds, **KINDS[kind])
            for name in names:
                found[name].append(_fresh(FRESH[name], laid_out, Path(made) / ("new" if name == "start" else "r")))
    return {name: _lines(sizes, rows) for name, rows in found.items()}


def cell_costs(sizes: Sequence[int]) -> tuple[Line, Line]:
    """Processor seconds and peak bytes of laying out a study, by its number of cells."""
    return _lines(sizes, [_fresh("study", table(cells, cells), Path()) for cells in sizes])


def _fresh(code: str, laid_out: dict[str, Any], folder: Path) -> tuple[float, float]:
    """Processor seconds of a new process and its peak bytes."""
    given = f"folder = Path({str(folder)!r})\nstudy = Study.from_dict({laid_out!r})\n"
    before = os.times()
    peak = measuring.peak_memory(IMPORTS + given + code)
    after = os.times()
    spent = after.children_user - before.children_user + after.children_system - before.children_system
    return spent, peak


def _lines(sizes: Sequence[int], rows: Sequence[tuple[float, float]]) -> tuple[Line, Line]:
    seconds, peaks = zip(*rows, strict=True)
    return line(sizes, seconds), line(sizes, peaks)


def line(x: Sequence[float], y: Sequence[float]) -> Line:
    """The straight line through some points."""
    each, fixed = np.polyfit(x, y, 1)
    return Line(max(0.0, float(fixed)), max(1e-12, float(each)))  # noise may turn what is nothing below it

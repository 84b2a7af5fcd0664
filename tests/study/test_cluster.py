"""A cluster made up from a seed: the real parent, and workers that die, repeat and dawdle, and a scheduler that goes.

The clock is made up as well, so a schedule takes milliseconds. Real are the runner, the store, and all of
`sim.study.dask` but the connection; the model is faked (`fake_model`). What a scheduler does is what Dask says it does:
it gives the tasks of a worker that died to others, and gives up a task that took four workers with it; a client that
has lost it cancels what it knew of, and never hears of what is handed in afterwards.

A schedule that fails names its seed, and the seed alone plays it again: see `SCHEDULE`.
"""

from __future__ import annotations

import heapq
import json
import os
import pickle
import random
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fake_model
import pytest

from sim import pool
from sim.errors import InputError, StudyStopped
from sim.study import Results, Study, chunks
from sim.study import dask as cluster
from sim.study.compute import Tables, compute, lacking
from sim.study.store import Store

distributed = pytest.importorskip("distributed")

TABLE: dict[str, Any] = {
    "seeds": 2,
    "parameters": {"systems": 1, "organisations": 1, "managers": 2, "months": 2},
    "design": {"kind": "grid", "monitoring": [0.1, 0.5, 0.9]},
    "outcomes": {"keep": ["fear"], "window": 2},
}
STUDIES = (TABLE, {**TABLE, "precision": {"outcome": "fear", "half_width": 0.3, "maximum": 4}})
HERE, ELSEWHERE = {"numpy": "1"}, {"numpy": "2"}
ALLOWED_DEATHS = 3
"""Workers that a task may take with it before Dask gives it up (``distributed.scheduler.allowed-failures``)."""
SCHEDULE = os.environ.get("SCHEDULE")
"""The number of one schedule, to be played alone: ``SCHEDULE=7 pytest tests/study/test_cluster.py``."""
LONGEST = 10_000.0
"""Seconds on the clock that is made up, after which the parent waits for what will never come."""


@dataclass(eq=False)
class Task:
    """What was handed in: its future, the call, how many workers died of it, and whether every one does."""

    future: Future[Any]
    call: Callable[[], Any]
    deaths: int = 0
    deadly: bool = False


@dataclass(eq=False)
class Worker:
    """A worker with one thread; `versions` are those that it runs."""

    name: str
    versions: dict[str, str]
    task: Task | None = None


@dataclass
class Cluster(Executor):
    """A scheduler and its workers, from chance alone; it stands for its own client and executor, too."""

    chance: random.Random
    now: float = 0.0
    status: str = "running"
    workers: list[Worker] = field(default_factory=list)
    waiting: list[Task] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)
    most: int = 0
    _events: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _number: int = 0
    _asked: dict[str, str] = field(default_factory=lambda: HERE)

    def __post_init__(self) -> None:
        for _ in range(self.chance.choice((0, 1, 2, 3))):
            self._join()
        self._later(self.chance.expovariate(1 / 5), self._happen)
        if not self.workers:
            self._later(5.0, self._join)

    # what happens

    def _later(self, seconds: float, event: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._events, (self.now + seconds, self._number, event))

    def _happen(self) -> None:
        """Something goes wrong, or right; and later something else."""
        events = (self._join, self._join, self._die, self._die, self._leave_for_a_while, self._lose, self._nothing)
        self.chance.choices(events, (4, 4, 3, 3, 1, 0.5, 4))[0]()
        self._later(self.chance.expovariate(1 / 5), self._happen)

    def _nothing(self) -> None:
        self.told["nothing"] += 1

    def _join(self) -> None:
        self.told["join"] += 1
        self._number += 1
        strange = self.chance.random() < 0.04
        self.workers.append(Worker(f"tcp://worker:{self._number}", ELSEWHERE if strange else HERE))
        self._hand_out()

    def _die(self, worker: Worker | None = None) -> None:
        if not self.workers:
            return
        self.told["die"] += 1
        worker = worker or self.chance.choice(self.workers)
        self.workers.remove(worker)
        if (task := worker.task) is not None:
            task.deaths += 1
            if task.deaths > ALLOWED_DEATHS:
                self._deliver(
                    task,
                    error=distributed.KilledWorker("compute", SimpleNamespace(address=worker.name), ALLOWED_DEATHS),
                )
            else:
                self.waiting.append(task)
        if not self.workers:
            self._later(self.chance.uniform(1.0, 100.0), self._join)
        self._hand_out()

    def _leave_for_a_while(self) -> None:
        if self.status == "running":
            self.told["away"] += 1
            self.status = "connecting"
            self._later(self.chance.choice((0.5, 3.0, 20.0)), self._return)

    def _return(self) -> None:
        if self.status == "connecting":
            self.status = "running"

    def _lose(self) -> None:
        """The scheduler goes: what it was known to have is cancelled, at once or when that is noticed."""
        self.told["lost"] += 1
        self.status = self.chance.choice(("closed", "connecting"))
        known = [*self.waiting, *(worker.task for worker in self.workers if worker.task)]
        self.workers, self.waiting, self._events = [], [], []
        if self.status == "closed":
            for task in known:
                task.future.cancel()

    def _hand_out(self) -> None:
        for worker in self.workers:
            if worker.task is None and self.waiting:
                task = self.waiting.pop(self.chance.randrange(len(self.waiting)))
                worker.task = task
                self._later(self.chance.choice((0.01, 1.0, 1.0, 30.0)), lambda w=worker, t=task: self._finish(w, t))

    def _finish(self, worker: Worker, task: Task) -> None:
        if worker not in self.workers:
            return
        if task.deadly:
            self._die(worker)
            return
        worker.task = None
        error = value = None
        self._asked = worker.versions
        try:
            value = task.call()
            if worker.versions is ELSEWHERE:  # whose numbers are others
                value = {name: table.set_column(0, "monitoring", table["seed"]) for name, table in value.items()}
            if self.chance.random() < 0.1:
                self.told["again"] += 1
                self.waiting.append(task)  # its result was lost, and it is done again; or delivered twice
        except (InputError, StudyStopped) as raised:
            error = raised
        self._later(self.chance.choice((0.0, 0.0, 2.0)), lambda: self._deliver(task, value, error))
        self._hand_out()

    def _deliver(self, task: Task, value: Any = None, error: Exception | None = None) -> None:
        if not task.future.done():
            if error is not None:
                task.future.set_exception(error)
            else:
                task.future.set_result(pickle.loads(pickle.dumps(value)))

    # what the parent sees

    def submit(self, fn: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        if self.status != "closed" and self._events:
            call, deadly = pickle.dumps((fn, args, named)), self.chance.random() < 0.01
            self.waiting.append(Task(future, lambda: called(*pickle.loads(call), self.chance), 0, deadly))
            self._hand_out()
        return future

    def get_executor(self, pure: bool) -> Cluster:
        assert not pure, "equal chunks of two studies would be one task"
        return self

    def run(self, function: Callable[[], Any], on_error: str) -> dict[str, Any]:
        assert on_error == "return"
        return {
            worker.name: OSError("gone") if self.chance.random() < 0.05 else worker.versions for worker in self.workers
        }

    def nthreads(self) -> dict[str, int]:
        if self.chance.random() < 0.1:
            raise self.chance.choice((OSError, TimeoutError))
        return {worker.name: 1 for worker in self.workers}

    def versions(self) -> dict[str, str]:
        """In the place of `sim.study.dask.versions`: those of whoever is asked."""
        return self._asked

    def wait(self, running: Collection[Future[Any]], timeout: float, return_when: str) -> Any:
        """In the place of `concurrent.futures.wait`: the clock goes on until something is done, or time is up."""
        self.most = max(self.most, len(running))
        until = self.now + timeout
        while not (done := {future for future in running if future.done()}):
            if not self._events or self._events[0][0] > until:
                self.now = until
                break
            self.now, _, event = heapq.heappop(self._events)
            event()
        assert self.now < LONGEST, "waits for what will never come"
        self._asked = HERE
        return type("Waited", (), {"done": done})


def called(fn: Any, args: Any, named: Any, chance: random.Random) -> Any:
    """The work of a task; now and then a machine lacks memory."""
    if chance.random() < 0.01:
        raise lacking(MemoryError("no room"))
    return fn(*args, **named)


_MADE: dict[str, Tables] = {}


def tables(chunk: chunks.Chunk) -> Tables:
    """What `compute` gives, computed once."""
    if chunk.id not in _MADE:
        _MADE[chunk.id] = compute(chunk)
    return _MADE[chunk.id]


@contextmanager
def connected(made: Cluster) -> Iterator[Cluster]:
    yield made


@pytest.fixture(autouse=True)
def little_work(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A run in a chunk, and no model."""
    monkeypatch.setattr(chunks, "BUDGET", 8)
    monkeypatch.setattr("os.fsync", lambda descriptor: None)
    monkeypatch.setattr(cluster, "compute", tables)
    with fake_model.instead():
        yield


def attempt(study: Study, folder: Path, chance: random.Random, told: Counter[str]) -> str:
    """Run a study on a cluster made up; what came of it."""
    made, stop = Cluster(chance), chance.choice((None, None, None, 1, 3))
    finished: list[int] = []

    def progress(done: int, total: int, note: str = "") -> None:
        finished.append(done)
        if stop and len(finished) > stop:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cluster, "_connected", lambda *_: connected(made))
        patch.setattr(cluster, "versions", made.versions)
        patch.setattr(cluster, "monotonic", lambda: made.now)
        patch.setattr(pool, "wait", made.wait)
        try:
            study.run(folder, cluster="tcp://made-up:1", progress=progress)
            came = "finished"
        except (InputError, StudyStopped, KeyboardInterrupt) as error:
            assert len(str(error).splitlines()) <= 1
            came = type(error).__name__ if isinstance(error, KeyboardInterrupt) else str(error).partition(": ")[2][:60]
    assert made.most <= max(2, 2 * (made.told["join"] + 3)), "too much is under way at once"
    assert finished == sorted(finished)
    told.update(made.told)
    return came


def play(number: int, around: Path, whole: dict[str, dict[str, bytes]], told: Counter[str]) -> None:
    """A schedule: a study is run until it is finished, on one cluster after the other; then it is the whole one."""
    chance, folder = random.Random(number), around / "played"
    table = chance.choice(STUDIES)
    for _ in range(50):
        came = attempt(Study.from_dict(table), folder, chance, told)
        told[came] += 1
        lines = Counter(json.loads(line).get("done") for line in (folder / "ledger").read_text().splitlines())
        assert all(times == 1 for chunk, times in lines.items() if chunk), "a chunk was stored twice"
        store = Store(folder)
        assert all(store.is_done(chunk) for chunk in store.done)
        if came == "finished":
            break
    assert came == "finished", "not finished after 50 attempts"
    assert not Results(folder).missing
    assert contents(folder) == whole[json.dumps(table)]
    shutil.rmtree(folder)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "runs").iterdir()}


@pytest.mark.parametrize("schedules", [200, pytest.param(10_000, marks=pytest.mark.exhaustive)])
def test_whatever_a_cluster_does_the_rows_are_those_of_an_undisturbed_study(tmp_path: Path, schedules: int) -> None:
    whole = {}
    for number, table in enumerate(STUDIES):
        whole[json.dumps(table)] = contents(Study.from_dict(table).run(tmp_path / f"whole{number}").folder)
    told: Counter[str] = Counter()
    for number in range(schedules) if SCHEDULE is None else (int(SCHEDULE),):
        try:
            play(number, tmp_path, whole, told)
        except Exception as error:
            raise AssertionError(f"to play it again: SCHEDULE={number}") from error
    print(f"{schedules} schedules: {dict(told)}")
    assert SCHEDULE or any("ended several workers" in came for came in told)
    assert SCHEDULE or {"die", "again", "lost", "away", "finished", "KeyboardInterrupt"} <= told.keys()

"""Doing many things at once: anything that is a `concurrent.futures.Executor`, by default threads of this process.

Threads suffice because the compiled engine releases the interpreter lock. Where the work is done changes no row: what
is done depends on the items alone, and whoever collects the results knows which item each belongs to.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import contextmanager
from itertools import islice
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar

from sim.errors import InputError

Item = TypeVar("Item")
Result = TypeVar("Result")
Task = tuple[Future[Any], Callable[..., Any], tuple[Any, ...], dict[str, Any]]

MOST_WORKERS = 1_000
"""More threads or processes than this are refused: no machine here has so many cores."""
_GRACE = 0.3  # seconds


class Progress(Protocol):
    """Called while a long piece of work goes on, first with none of it done."""

    def __call__(self, done: int, total: int, note: str = "") -> object:
        """`done` pieces of `total` are finished; `note` says more in a few words."""


def part_of(progress: Progress | None, before: int, total: int) -> Progress:
    """The progress of one part of a longer piece of work, of which `before` pieces of `total` precede the part."""
    return lambda done, _, note="": progress(before + done, total, note) if progress else None


def cores() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class DaemonThreads(Executor):
    """Threads that do not keep the process alive: a long run in the engine cannot be called off, only left behind.

    The standard library's threads are waited for when Python exits, which after Ctrl-C could take hours.
    """

    def __init__(self, workers: int) -> None:
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._threads = [threading.Thread(target=self._work, name=f"worker {k}", daemon=True) for k in range(workers)]
        for thread in self._threads:
            thread.start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Put a call in line."""
        future: Future[Any] = Future()
        self._tasks.put((future, fn, args, kwargs))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let the threads end when all is done, or with `cancel_futures` what has begun; `wait` for that, or not."""
        while cancel_futures and not self._tasks.empty():
            if (task := self._tasks.get()) is not None:
                task[0].cancel()
        for _ in self._threads:
            self._tasks.put(None)
        if wait:
            self.join(None)

    def join(self, seconds: float | None) -> None:
        """Wait for the threads to end, in all for so many seconds at most."""
        limit = None if seconds is None else time.monotonic() + seconds
        for thread in self._threads:
            thread.join(None if limit is None else max(0.0, limit - time.monotonic()))

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            future, function, arguments, named = task
            if future.set_running_or_notify_cancel():
                try:
                    result = function(*arguments, **named)
                except BaseException as error:
                    future.set_exception(error)
                else:
                    future.set_result(result)
                    del result
            del task, future, function, arguments, named  # or the last result would stay in memory


@contextmanager
def local_threads(workers: int | None = None) -> Iterator[Executor]:
    """Threads of this process, by default one for each core; on an error what has not begun is dropped.

    What has begun then gets a moment to end, and is left behind if it does not. Raises `InputError` for more than
    `MOST_WORKERS`.
    """
    if workers is not None and workers > MOST_WORKERS:
        raise InputError([f"workers = {workers}: must be a whole number from 1 to {MOST_WORKERS:,}"])
    pool = DaemonThreads(workers or cores())
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        pool.join(_GRACE)
        raise
    pool.shutdown()


def in_order(
    executor: Executor, work: Callable[[Item], Result], items: Iterable[Item], ahead: int = 8
) -> Iterator[Result]:
    """`work` of each item, in the order of the items, whichever is done first; at most `ahead` are under way."""
    waiting: deque[Future[Result]] = deque()
    for item in items:
        waiting.append(executor.submit(work, item))
        if len(waiting) >= ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def in_parallel(
    work: Callable[[Item], Result], jobs: Sequence[Item], progress: Progress | None = None, workers: int | None = None
) -> list[Result]:
    """`work` of each job, in the order of the jobs, by `workers` threads; `progress` counts the jobs."""
    report = part_of(progress, 0, len(jobs))
    report(0, len(jobs))
    results: list[Result] = []
    with local_threads(workers) as executor:
        for result in in_order(executor, work, jobs):
            results.append(result)
            report(len(results), len(jobs))
    return results


def as_done(
    executor: Executor, work: Callable[[Item], Result], items: Iterable[Item], ahead: Callable[[], int]
) -> Generator[tuple[Item, Result], None, None]:
    """Each item with the `work` of it, whichever is done first; at most `ahead` are under way or wait to be taken.

    `ahead` is asked again and again, because a cluster may grow, or be lost, of which it tells by an exception. Nothing
    that was submitted is left in line when the caller closes it.
    """
    left = iter(items)
    running: dict[Future[Result], Item] = {}

    def fill() -> None:
        for item in islice(left, max(0, ahead() - len(running))):
            running[executor.submit(work, item)] = item

    try:
        fill()
        while running:
            # With a time limit, because on Windows Ctrl-C does not wake up a wait without one.
            done = wait(running, timeout=1.0, return_when=FIRST_COMPLETED).done
            for future in done:
                item = running.pop(future)
                yield item, future.result()
                fill()
            if not done:
                fill()
    finally:
        for future in running:
            future.cancel()

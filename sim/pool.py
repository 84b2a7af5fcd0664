"""Doing many things at once: anything that is a `concurrent.futures.Executor`, by default threads of this process.

Threads suffice because the compiled engine releases the interpreter lock. Where the work is done changes no row: what
is done depends on the items alone, and whoever collects the results knows which item each belongs to.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, nullcontext
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from sim import files
from sim.errors import whole

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST_WORKERS = 1_000
"""More threads or processes than this are refused: no machine here has so many cores."""


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


@contextmanager
def local_threads(workers: int | None = None) -> Iterator[Executor]:
    """Threads of this process, by default one for each core.

    On an error what has not begun is dropped and what has begun is not waited for: a run in the engine cannot be
    called off. Raises `InputError` unless `workers` is a whole number from 1 to `MOST_WORKERS`.
    """
    threads = ThreadPoolExecutor(cores() if workers is None else whole("workers", workers, 1, MOST_WORKERS))
    try:
        yield threads
    except BaseException:
        threads.shutdown(wait=False, cancel_futures=True)
        raise
    threads.shutdown()


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


Arrays = dict[str, NDArray[Any]]


def in_blocks(
    work: Callable[[Sequence[Item], Progress], Arrays],
    jobs: Sequence[Item],
    size: int,
    made: tuple[object, ...],
    folder: Path | None,
    what: str,
    progress: Progress | None = None,
) -> Arrays:
    """The arrays that `work` makes of the jobs, `size` of them at a time, joined.

    `folder` keeps finished blocks, so that an interrupted call goes on; it holds `what`. A block is found again by its
    jobs and by `made`, all that its numbers follow from beside them; both are told apart by their ``repr``.
    """
    told, blocks = part_of(progress, 0, len(jobs)), list[Arrays]()
    told(0, len(jobs))
    with nullcontext() if folder is None else files.keeping(folder, what) as kept:
        for start in range(0, len(jobs), size):
            own, later = jobs[start : start + size], part_of(progress, start, len(jobs))

            def block(own: Sequence[Item] = own, later: Progress = later) -> Arrays:
                return work(own, later)

            name = hashlib.sha256(repr((*made, own)).encode()).hexdigest()
            blocks.append(block() if kept is None else kept.arrays(name, block))
            told(start + len(own), len(jobs))
    return {name: np.concatenate([each[name] for each in blocks]) for name in blocks[0]}


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
            for future in [one for one in running if one in done]:  # a set has another order each time
                item = running.pop(future)
                yield item, future.result()
                fill()
            if not done:
                fill()
    finally:
        for future in running:
            future.cancel()

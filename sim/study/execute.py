"""Doing many things at once, in order: threads, because the compiled engine releases the interpreter lock."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def cores() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def local_threads(workers: int | None = None) -> Iterator[Executor]:
    """Threads of this process, by default one for each core; on an error what has not begun is dropped."""
    pool = ThreadPoolExecutor(workers or cores())
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


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


def as_done(
    executor: Executor, work: Callable[[Item], Result], items: Iterable[Item], ahead: int = 8
) -> Iterator[tuple[Item, Result]]:
    """Each item with the `work` of it, whichever is done first; at most `ahead` are under way or wait to be taken."""
    left = iter(items)
    running: dict[Future[Result], Item] = {executor.submit(work, item): item for item in islice(left, ahead)}
    while running:
        # With a time limit, because on Windows Ctrl-C does not wake up a wait without one.
        for future in wait(running, timeout=1.0, return_when=FIRST_COMPLETED).done:
            yield running.pop(future), future.result()
            running.update((executor.submit(work, item), item) for item in islice(left, 1))

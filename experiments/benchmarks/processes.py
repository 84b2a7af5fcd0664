"""Processes that may be killed: functions, `sim run` and a Dask cluster, forked from this process.

A forked process has everything imported and compiled, so it begins at once.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import dask
from distributed import Client, Scheduler, Worker

import sim.__main__ as program
from sim import cli
from sim.study import Results

FORK = get_context("fork")


class Forked:
    """A function in a process, session and process group of its own, with the signals of a program in a terminal.

    What it writes to standard error goes to a file; `plain` says that it has no more rights than its files give it, not
    even as root.
    """

    def __init__(self, work: Callable[[], object], errors: Path | None = None, plain: bool = False) -> None:
        self.errors = errors
        self._process = FORK.Process(target=_alone, args=(work, errors, plain))
        self._process.start()
        self.pid: int = self._process.pid or 0

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.is_alive()

    @property
    def said(self) -> str:
        """Its standard error so far."""
        return self.errors.read_text(encoding="utf-8") if self.errors and self.errors.exists() else ""

    def wait(self, seconds: float = 60.0) -> int | None:
        """The exit code, or less than 0 for a signal; None where it goes on for longer."""
        self._process.join(seconds)
        return self._process.exitcode

    def send(self, number: int) -> None:
        """Send a signal to the process alone; one that has ended meanwhile does not mind."""
        if self.alive:
            os.kill(self.pid, number)

    def end(self) -> None:
        """Kill it and all that it started."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.join()


def _alone(work: Callable[[], object], errors: Path | None, plain: bool) -> None:
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    to = os.open(errors or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(to, 2)
    if plain and sys.platform == "linux":
        _drop_rights()
    work()


def _drop_rights() -> None:
    """Give up all capabilities of Linux, among them root's to write where it may not."""
    version, nothing = 0x20080522, (ctypes.c_uint32 * 6)()
    if ctypes.CDLL(None).capset((ctypes.c_uint32 * 2)(version, 0), nothing):
        raise OSError("capset")


def run_sim(arguments: Sequence[str]) -> None:
    """What the command line does, but for the pictures."""
    Results.save = lambda self: []  # type: ignore[method-assign]
    sys.modules["__main__"] = program  # which is what worker processes import
    sys.argv = ["sim", *arguments]
    cli.main()


class Cluster:
    """A Dask scheduler and two workers of one thread each, on ports of their own choice, for this machine only.

    A worker that says nothing for five seconds is given up, which is the least that Dask allows.
    """

    def __init__(self) -> None:
        here, there = FORK.Pipe()
        self._news = here
        self.scheduler = Forked(partial(_serve, Scheduler, there, "127.0.0.1:0"))
        self.address: str = here.recv()
        self.workers: list[Forked] = []
        self._there = there
        for _ in range(2):
            self.add()

    def add(self) -> None:
        """One more worker, when it is ready."""
        self.workers.append(Forked(partial(_serve, partial(Worker, self.address, nthreads=1), self._there, None)))
        self._news.recv()

    def close(self) -> None:
        """Kill all of it."""
        for process in (*self.workers, self.scheduler):
            process.end()


def retire(address: str) -> None:
    """Ask one worker of a cluster to leave."""
    with Client(address) as client:
        client.retire_workers([next(iter(client.scheduler_info()["workers"]))])


def _serve(make: Callable[..., Scheduler | Worker], news: Connection, dashboard: str | None) -> None:
    dask.config.set({"distributed.scheduler.worker-ttl": "5s"})

    async def serve() -> None:
        async with make(host="127.0.0.1", dashboard_address=dashboard) as server:
            news.send(server.address)
            await server.finished()

    asyncio.run(serve())


def any_left(groups: Iterable[int]) -> bool:
    """Whether a process of these groups is left."""
    return any(_is_left(group) for group in groups)


def _is_left(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True

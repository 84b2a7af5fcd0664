"""Many processes: the chunks of a study on a Dask cluster, or in processes of this machine, instead of threads.

A worker computes a chunk and sends its tables back; one process, the one that asked for them, writes. Dask gives the
chunks of a worker that dies to another. A worker whose versions would give other numbers is turned away. Processes of
this machine are reached through pipes, so that no other user of it can hand them work; a Dask cluster runs what
anybody sends who can reach it, unless its own security is switched on.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from importlib import import_module
from threading import Thread
from time import monotonic
from typing import Any

from sim.errors import InputError, StudyStopped, shown
from sim.model import engine
from sim.model.run import provenance
from sim.model.version import identity
from sim.study.chunks import MADE_BY, Chunk
from sim.study.compute import Tables, compute

EXTRA = "pip install 'leadership-sim[cluster]'"
_LOCAL = re.compile(r"local:(?P<workers>[1-9][0-9]{0,3})")
_ADDRESS = re.compile(r"(tcp|tls|ws|wss|ucx)://[^/\s]+:[0-9]+/?")
_SECONDS = 8.0  # until a cluster counts as unreachable
_LOOK = 5.0  # seconds between counts of workers
_DECISIVE = ("numpy", "numba")

Versions = dict[str, str]


def versions() -> Versions:
    """What must be the same on every machine for the same rows, bit for bit."""
    here = provenance()
    packages = {name: str(here["packages"][name]) for name in _DECISIVE}
    model, platform = identity(*MADE_BY), here["platform"]
    return {"leadership-sim": str(here["version"]), "model": model, "platform": platform, **packages}


def compute_there(chunk: Chunk, expected: Versions) -> Tables:
    """`compute` on another machine; raises `InputError` with one line where that has other versions."""
    _compare(versions(), expected)
    return compute(chunk)


def _compare(found: Versions, expected: Versions, worker: str = "a worker") -> None:
    for name, value in expected.items():
        if found.get(name) != value:
            what = "another version of the model" if name == "model" else f"{name} {found.get(name)}, here {value}"
            line = f"cluster: {worker} runs {what}; install the same versions everywhere, or rows would differ"
            raise InputError([line])


@contextmanager
def dask_cluster(address: str) -> Iterator[tuple[Executor, Callable[[], int]]]:
    """An executor on the cluster at an address such as ``tcp://host:8786``, or of ``local:2`` processes of this
    machine; and what counts its threads.

    Raises `InputError` with one line for an address that is none, where nobody answers there within ten seconds, for
    a worker with other versions, and where Dask is not installed; `StudyStopped` where the cluster is lost later.
    """
    if local := _LOCAL.fullmatch(address):
        with _processes(address, workers := int(local["workers"])) as processes:
            yield processes, lambda: workers
        return
    check_address(address)
    try:
        distributed: Any = import_module("distributed")
    except ImportError:
        raise InputError([f"cluster = {shown(address)}: needs Dask, which is not installed: {EXTRA}"]) from None
    with _quiet(), _connected(distributed, address) as client:
        try:
            _check_workers(client)
            yield client.get_executor(pure=False), _Threads(client)
        except (CancelledError, import_module("distributed.comm").CommClosedError, distributed.KilledWorker) as error:
            why = "lost; what is finished is kept"
            if isinstance(error, distributed.KilledWorker):
                why = f"a chunk ended several workers, perhaps for want of memory ({error})"
            raise StudyStopped(f"cluster = {shown(address)}: {why}") from None


def check_address(address: str) -> None:
    """Raise `InputError` with one line for an address that is none."""
    if not _LOCAL.fullmatch(address) and not _ADDRESS.fullmatch(address):
        raise InputError([f"cluster = {shown(address)}: must be an address such as tcp://host:8786, or local:2"])


@contextmanager
def _quiet() -> Iterator[None]:
    """Dask's running commentary, which no user of a study can act upon, off."""
    talkers = ("distributed", "tornado", "asyncio")
    names = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] in talkers]
    loggers = [logging.getLogger(name) for name in (*talkers, *names)]  # Dask gives some of them levels of their own
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


@contextmanager
def _processes(address: str, workers: int) -> Iterator[Executor]:
    """Processes of this machine, which end with this one and never hear of Ctrl-C, not even while they are starting."""
    engine.warm_up()  # compiled once, read from the disk by all
    before = multiprocessing.active_children()
    executor = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_begin)
    try:
        if os.name == "posix":  # Ctrl-C waits, and processes that are started meanwhile never hear of it
            mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            executor.submit(os.getpid)  # starts all of them
        finally:
            if os.name == "posix":
                signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        yield executor
        executor.shutdown()
    except BrokenProcessPool:
        line = f"cluster = {shown(address)}: a process ended, perhaps for want of memory; what is finished is kept"
        raise StudyStopped(line) from None
    finally:
        for process in set(multiprocessing.active_children()) - set(before):
            process.kill()
        executor.shutdown(cancel_futures=True)


def _begin() -> None:
    """Leave Ctrl-C to the process that asked for the work, and end when that ends, however it does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def end() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=end, daemon=True).start()


@contextmanager
def _connected(distributed: Any, address: str) -> Iterator[Any]:
    try:
        with ThreadPoolExecutor(1) as thread:  # one of its own, because a notebook has an event loop in this one
            thread.submit(lambda: asyncio.run(asyncio.wait_for(_greet(address), _SECONDS))).result()
        client = distributed.Client(address, timeout=_SECONDS, set_as_default=False)
    except Exception:  # what answers may be anything, and so is what Dask then makes of it
        why = "no Dask scheduler answers there; is it running, and its port open?"
        raise InputError([f"cluster = {shown(address)}: {why}"]) from None
    try:
        yield client
    finally:
        with suppress(Exception):  # whatever state it is in
            client.close(timeout=2)


async def _greet(address: str) -> None:
    """Ask a scheduler who it is: a client would wait for ever where somebody listens and says nothing."""
    core: Any = import_module("distributed.core")
    comm = await core.connect(address, timeout=_SECONDS)
    await comm.write({"op": "identity", "reply": True})
    if "workers" not in await comm.read():
        raise ValueError(address)
    comm.abort()


def _check_workers(client: Any) -> None:
    """Turn away workers with other versions now, and not after the first hour in a queue; later ones check alone."""
    expected = versions()
    found: dict[str, Versions | Exception] = client.run(versions, on_error="return")
    if not found:
        print("The cluster has no workers yet; waiting for the first ...", file=sys.stderr, flush=True)
    for worker, theirs in found.items():
        if isinstance(theirs, ImportError):
            raise InputError([f"cluster: a worker cannot import {theirs.name}; install leadership-sim on every worker"])
        if isinstance(theirs, dict):  # one that did not answer has died meanwhile, and its chunks go to others
            _compare(theirs, expected, f"the worker at {worker}")


class _Threads:
    """Counts a cluster's threads, now and then, and notices when the cluster is lost: raises `CancelledError`.

    Dask cancels what is under way on a cluster that is lost, but not what was handed in meanwhile, which nobody would
    ever do.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._threads, self._counted, self._reached = 0, -_LOOK, monotonic()

    def __call__(self) -> int:
        now = monotonic()
        if self._client.status != "running":
            if now - self._reached >= _SECONDS:
                raise CancelledError
            return max(1, self._threads)
        self._reached = now
        if now - self._counted >= _LOOK:
            with suppress(OSError, TimeoutError):
                before, self._threads = self._threads, sum(self._client.nthreads().values())
                if before and not self._threads:
                    told = "The cluster has no workers any more; waiting for others. What is finished is kept."
                    print(told, file=sys.stderr, flush=True)
            self._counted = monotonic()
        return max(1, self._threads)

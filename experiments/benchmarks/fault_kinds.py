"""The faults of `faults.py`: what happens to a study, at which moment, and what `sim run` promises to do then."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from signal import SIGCONT, SIGHUP, SIGINT, SIGKILL, SIGSTOP, SIGTERM, Signals

from processes import Cluster, Forked, retire, run_sim

from sim.study.store import Store

STUDY = """
seeds = 8
[parameters]
systems = 1
organisations = 2
managers = 3
months = 6
[design]
kind = "grid"
monitoring = [0.1, 0.5, 0.9]
regime = ["light", "heavy"]
[outcomes]
keep = ["fear", "quality"]
window = 4
series = true
[precision]
outcome = "fear"
half_width = 0.01
maximum = 18
"""
BUDGET = 1_000
"""About two runs in a chunk."""
CHUNKS = 54
"""All rounds together."""

PATIENCE = 120.0
"""Seconds after which a process counts as hanging."""

HERE, DASK, OWN = "threads", "Dask", "Dask local:2"
FULL = "disk full"
LOCKED = r"sim: .*: another process is writing here; wait until it is done"
STOPPED = r"sim: stopped\nsim: what is finished is kept; to go on: sim run .*"
LOST = r'sim: cluster = ".*": lost; what is finished is kept'
DAMAGED = r"sim: .*: missing or damaged; run the study again to compute it anew"
GONE = r"sim: .*: (cannot be written: No such file or directory|damaged while the study was running; run it again)"
_NEWS = re.compile(r"[0-9,]+ of [0-9,]+ runs.*|The cluster has no workers yet; waiting for the first \.\.\.")


class TooLateError(Exception):
    """The study ended before the fault came, so the try does not count."""


@dataclass
class Try:
    """A study that something happens to.

    `kept` are the chunks that were finished when it happened, with the stamps of their files; `harmed` are those that
    were themselves damaged; `others` names files that are not ours, and have to stay. `promises` says of each process
    how it should end, and what it should say.
    """

    place: Path
    chance: random.Random
    cluster: Cluster
    executor: str
    kept: dict[str, tuple[int, ...]] = field(default_factory=dict)
    harmed: set[str] = field(default_factory=set)
    promises: list[tuple[Forked, tuple[int, ...], str]] = field(default_factory=list)
    started: list[Forked] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """Where the results go."""
        return self.place / "r"

    def call(self, *arguments: str, code: int | tuple[int, ...] = 0, says: str = "", plain: bool = False) -> Forked:
        """`sim` in a process of its own, with the exit codes and the words that it promises."""
        process = Forked(partial(run_sim, arguments), self.place / f"errors {len(self.started)}", plain)
        self.started.append(process)
        self.promises.append((process, code if isinstance(code, tuple) else (code,), says))
        return process

    def start(self, *more: str, code: int | tuple[int, ...] = 0, says: str = "", plain: bool = False) -> Forked:
        """`sim run` on the executor of this try."""
        on = {HERE: ("--workers", "2"), OWN: ("--cluster", "local:2"), DASK: ("--cluster", self.cluster.address)}
        study = (str(self.place / "study.toml"), "--out", str(self.folder))
        return self.call("run", *study, *on[self.executor], *more, code=code, says=says, plain=plain)

    def wait(self, process: Forked, share: float = 0.75) -> None:
        """Wait until a random number of chunks is finished, at most this share of them, and a moment more."""
        ledger, most = self.folder / "ledger", round(CHUNKS * share)
        some = self.chance.randint(min(1, most), most)
        limit = time.monotonic() + PATIENCE
        while not ledger.exists() or ledger.read_bytes().count(b'"done"') < some:
            if process.wait(0) == 0:
                raise TooLateError
            if not process.alive:
                return
            if time.monotonic() > limit:
                raise TimeoutError(f"nothing happens\n{self.said()}")
            time.sleep(0.002)
        time.sleep(self.chance.uniform(0.0, 0.02))
        self.note()

    def note(self) -> None:
        """Keep in mind what is finished; what was known before keeps its stamps."""
        self.kept = finished(self.folder) | self.kept

    def kept_its_promises(self) -> bool:
        """Whether every process ended as promised and said what was promised, and nothing else."""
        return not [process for process, codes, says in self.promises if _broken(process, codes, says)]

    def said(self) -> str:
        """The exit codes and words of all processes, for whoever looks for a mistake."""
        return "\n".join(f"{process.wait(0)}: {_words(process)}" for process in self.started)


def _broken(process: Forked, codes: tuple[int, ...], says: str) -> bool:
    return process.wait() not in codes or not re.fullmatch(says, _words(process))


def _words(process: Forked) -> str:
    """What a process said, apart from news of its progress."""
    return "\n".join(line for line in process.said.splitlines() if line and not _NEWS.fullmatch(line))


def finished(folder: Path) -> dict[str, tuple[int, ...]]:
    """The finished chunks, each with what tells whether its files were written again."""
    store = Store(folder)
    return {chunk: _stamps(store, chunk) for chunk in store.done if store.is_done(chunk)}


def _stamps(store: Store, chunk: str) -> tuple[int, ...]:
    there = [path.stat() for table in store.done[chunk]["files"] if (path := store.file(table, chunk)).exists()]
    return tuple(number for status in there for number in (status.st_ino, status.st_size))


# Signals


def _signalled(t: Try, signals: tuple[Signals, ...], says: str = "", code: int | None = None) -> None:
    process = t.start(code=-signals[0] if code is None else code, says=says)
    t.wait(process)
    for number in signals:
        process.send(number)
        time.sleep(t.chance.uniform(0.0, 0.1))


def _early(t: Try, seconds: float) -> None:
    """Ctrl-C, which a terminal sends to the whole process group, before much has happened."""
    process = t.start(code=130, says=STOPPED)
    t.wait(process, 0.0)
    time.sleep(t.chance.uniform(0.0, seconds))
    if not process.alive:
        raise TooLateError
    os.killpg(process.pid, SIGINT)


def _group_suspended(t: Try, seconds: float) -> None:
    """The program with all that it started, as Ctrl-Z does or a laptop that is shut."""
    process = t.start()
    t.wait(process)
    os.killpg(process.pid, SIGSTOP)
    time.sleep(seconds)
    os.killpg(process.pid, SIGCONT)


def _suspended(t: Try) -> None:
    process = t.start()
    t.wait(process)
    process.send(SIGSTOP)
    t.start(code=2, says=LOCKED).wait()
    time.sleep(t.chance.uniform(0.1, 1.0))
    process.send(SIGCONT)


def _fresh(t: Try) -> None:
    """Killed while it starts over: between forgetting what was done and the first new chunk, or later."""
    t.start().wait()
    process = t.start("--fresh", code=(-SIGKILL, 0))
    time.sleep(t.chance.uniform(0.0, 0.3))
    process.send(SIGKILL)


def _together(t: Try) -> None:
    both = [t.start(code=(0, 2), says=f"({LOCKED})?") for _ in range(2)]
    if sorted(process.wait() or 0 for process in both) != [0, 2]:
        raise TooLateError


# The disk


def may_mount() -> bool:
    """Whether this process may make a small disk."""
    return hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("mount") is not None


def _mount(t: Try, options: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(t.folder)], check=True)


def _full(t: Try) -> None:
    t.folder.mkdir()
    _mount(t, f"size={t.chance.randint(20, 400)}k")
    t.start(code=2, says=r"sim: .*: cannot be written: No space left on device")


def unmount(folder: Path) -> None:
    """Take a small disk away again, where there is one."""
    if folder.is_mount():
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _more_room(t: Try) -> None:
    _mount(t, "remount,size=50m")


def _read_only(t: Try) -> None:
    """No right to write any more, for the folder or some of what is in it."""
    process = t.start(code=2, says=r"sim: .*: cannot be written: Permission denied", plain=True)
    t.wait(process, 0.5)
    paths = [t.folder, t.folder / "runs", t.folder / "series", t.folder / "ledger"]
    for path in t.chance.choice([paths, paths[1:2], paths[2:3], paths[3:]]):
        path.chmod(0o555)


def _writable(t: Try) -> None:
    for path in (t.folder, t.folder / "runs", t.folder / "series", t.folder / "ledger"):
        path.chmod(0o777)


def _deleted(t: Try) -> None:
    process = t.start(code=(1, 2), says=GONE)
    t.wait(process, 0.5)
    t.kept = {}
    while t.folder.exists():
        shutil.rmtree(t.folder, ignore_errors=True)


# Files of a study that was killed


def _at_rest(t: Try, harm: Callable[[Try], None]) -> None:
    process = t.start(code=-SIGKILL)
    t.wait(process)
    process.send(SIGKILL)
    process.wait()
    t.note()
    harm(t)


def _chunk(t: Try, harm: Callable[[random.Random, bytearray], bytearray | None]) -> None:
    """Harm one file of a finished chunk; whoever reads its runs is told."""
    chunk = t.chance.choice(sorted(t.kept))
    path = t.folder / t.chance.choice(["runs", "series"]) / f"{chunk}.parquet"
    t.harmed.add(chunk)
    content = harm(t.chance, bytearray(path.read_bytes()))
    path.unlink()
    if content is not None:
        path.write_bytes(content)
        if path.parent.name == "runs":
            t.call("show", str(t.folder), code=2, says=DAMAGED).wait()


def _flipped(chance: random.Random, content: bytearray) -> bytearray:
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    return content


def _cut(chance: random.Random, content: bytearray) -> bytearray:
    return content[: chance.randrange(len(content))]


def _ledger(t: Try, harm: Callable[[random.Random, bytearray], bytearray]) -> None:
    """Harm the ledger; what its harmed lines said is forgotten, and only that."""
    path = t.folder / "ledger"
    before = path.read_bytes()
    after = bytes(harm(t.chance, bytearray(before)))
    path.write_bytes(after)
    left = set(after.split(b"\n"))
    t.harmed |= {chunk for chunk in t.kept if not [line for line in left if b'"done": "' + chunk.encode() in line]}
    changed = [line for line in before.split(b"\n") if line not in left]
    t.harmed |= {chunk for chunk in t.kept if any(chunk.encode() in line for line in changed if b'"done"' in line)}


def _half_written(chance: random.Random, content: bytearray) -> bytearray:
    *whole, last = content.splitlines(keepends=True)
    return bytearray().join([*whole, last[: chance.randrange(1, len(last))]])


def _twice(chance: random.Random, content: bytearray) -> bytearray:
    lines = content.splitlines(keepends=True)
    for _ in range(3):
        lines.insert(chance.randrange(len(lines) + 1), bytearray(chance.choice(lines)))
    return bytearray().join(lines)


def _foreign(t: Try) -> None:
    t.others = ["notes.txt", "mine.parquet", "thesis.part", "film.part"]
    for name in t.others:
        (t.folder / t.chance.choice(["", "runs", "series"]) / name).write_text("mine", encoding="utf-8")
    (t.folder / "runs" / "folder").mkdir()


def _clock(t: Try) -> None:
    """Files that seem to be written long ago, or tomorrow."""
    for path in t.folder.rglob("*"):
        seconds = time.time() + t.chance.uniform(-1e6, 1e6)
        os.utime(path, (seconds, seconds))


# The cluster


def _worker(t: Try, signals: tuple[Signals, ...], pause: float = 0.0, added: bool = False) -> None:
    t.wait(t.start())
    for number in signals:
        t.cluster.workers[0].send(number)
        time.sleep(pause)
    if added:
        t.cluster.add()


def _worker_suspended(t: Try, seconds: float) -> None:
    _worker(t, (SIGSTOP, SIGCONT), seconds)


def _worker_early(t: Try) -> None:
    """A worker that is killed while the study asks it for its versions, or soon after."""
    t.start()
    time.sleep(t.chance.uniform(0.0, 1.0))
    t.cluster.workers[0].send(SIGKILL)


def _all_workers(t: Try) -> None:
    t.wait(t.start())
    for worker in t.cluster.workers:
        worker.send(SIGKILL)
    time.sleep(t.chance.uniform(0.0, 0.5))
    t.cluster.add()


def _leaves(t: Try) -> None:
    t.wait(t.start())
    Forked(partial(retire, t.cluster.address)).wait()


def _scheduler(t: Try) -> None:
    t.wait(t.start(code=1, says=LOST))
    t.cluster.scheduler.send(SIGKILL)


def _new_cluster(t: Try) -> None:
    t.cluster.close()
    t.cluster = Cluster()


def _slow_scheduler(t: Try) -> None:
    t.wait(t.start())
    t.cluster.scheduler.send(SIGSTOP)
    time.sleep(t.chance.uniform(0.1, 3.0))
    t.cluster.scheduler.send(SIGCONT)


@dataclass(frozen=True)
class Fault:
    """A fault and where it is tried: what happens, what mends it, and how often it is tried, of `--times`.

    `breaks` says that the Dask cluster cannot be used afterwards.
    """

    name: str
    executors: tuple[str, ...]
    strike: Callable[[Try], None]
    heal: Callable[[Try], None] = lambda _: None
    share: float = 1.0
    breaks: bool = False

    def times(self, most: int, executor: str) -> int:
        """How often it is tried, where most faults are tried `most` times; half as often on a cluster."""
        return max(2, round(most * self.share * (1.0 if executor == HERE else 0.5)))


_BOTH = (HERE, DASK)

SIGNALS = [
    Fault("killed", _BOTH, partial(_signalled, signals=(SIGKILL,)), share=5 / 3),
    Fault("asked to end (SIGTERM)", _BOTH, partial(_signalled, signals=(SIGTERM,))),
    Fault("terminal closed (SIGHUP)", _BOTH, partial(_signalled, signals=(SIGHUP,))),
    Fault("Ctrl-C", _BOTH, partial(_signalled, signals=(SIGINT,), code=130, says=STOPPED)),
    Fault("Ctrl-C twice", _BOTH, partial(_signalled, signals=(SIGINT, SIGINT), code=130, says=STOPPED)),
    Fault("suspended and continued, a second process meanwhile", _BOTH, _suspended, share=0.5),
    Fault("two processes at once", _BOTH, _together, share=0.5),
    Fault("killed while starting over", _BOTH, _fresh, share=0.5),
    Fault("killed, with workers of its own", (OWN,), partial(_signalled, signals=(SIGKILL,)), share=0.5),
    Fault("Ctrl-C while its workers start", (OWN,), partial(_early, seconds=3.0), share=0.5),
    Fault("suspended with its workers", (OWN,), partial(_group_suspended, seconds=2.0), share=0.5),
]
DISK = [
    Fault(FULL, _BOTH, _full, _more_room),
    Fault("folder made read-only", _BOTH, _read_only, _writable),
    Fault("folder deleted", _BOTH, _deleted, share=0.5),
]
FILES = [
    Fault(name, _BOTH, partial(_at_rest, harm=harm), share=0.5)
    for name, harm in {
        "a bit of a chunk flipped": partial(_chunk, harm=_flipped),
        "a chunk truncated": partial(_chunk, harm=_cut),
        "a chunk deleted": partial(_chunk, harm=lambda *_: None),
        "a bit of the ledger flipped": partial(_ledger, harm=_flipped),
        "the ledger truncated": partial(_ledger, harm=_cut),
        "the ledger's last line half-written": partial(_ledger, harm=_half_written),
        "lines of the ledger repeated": partial(_ledger, harm=_twice),
        "files of others in the folder": _foreign,
        "clock set back or forward": _clock,
    }.items()
]
CLUSTER = [
    Fault("a worker killed", (DASK,), partial(_worker, signals=(SIGKILL,)), breaks=True),
    Fault("a worker killed, another added", (DASK,), partial(_worker, signals=(SIGKILL,), added=True), breaks=True),
    Fault("a worker killed while it is asked who it is", (DASK,), _worker_early, breaks=True),
    Fault("all workers killed, another added", (DASK,), _all_workers, breaks=True),
    Fault("a worker retired", (DASK,), _leaves, breaks=True),
    Fault("a worker suspended and continued", (DASK,), partial(_worker_suspended, seconds=1.0)),
    Fault(
        "a worker given up while suspended", (DASK,), partial(_worker_suspended, seconds=8.0), breaks=True, share=0.2
    ),
    Fault("the scheduler suspended and continued", (DASK,), _slow_scheduler),
    Fault("the scheduler killed", (DASK,), _scheduler, _new_cluster),
]
FAULTS = [*SIGNALS, *DISK, *FILES, *CLUSTER]

"""What a study of 10⁹ runs would take on many machines, and what breaks first: from costs measured on this one.

    pip install '.[cluster]'
    python experiments/benchmarks/billion.py [--quick]

The study has 10⁹ runs in 100,000 cells: `national` runs of 2,520 managers and ten years, or `small` ones of 60
managers and five years; every outcome is kept. On a Dask cluster, workers compute chunks of runs, and one process, the
parent, hands them out, takes the results and writes them. A discrete-event simulation of workers, scheduler and parent
gives the chunks a second in the long run, with chunk times drawn from measured ones. A worker is lost once a day and
replaced after ten minutes; a chunk that it had is done again.

`billion`: `chunks` as the program makes them for so many runs, or of a second, as it makes them for fewer; `cores`;
`days`; `efficiency`, the time of the engine alone on as many cores over the time taken; what `limits`: the part that
is busy most; `disk` in TiB, in whole blocks; `files` in millions; and the parent's `memory` in GiB: the study, its
ledger, and results not yet written.

`billion_breaks`: what would break first if all chunks were of a second: the number of cores that one scheduler or one
parent can keep busy, and the runs at which something no longer fits its limit. `billion_measured`: what a chunk costs
each part, all but the writing in processor time. `billion_folder`: what a thousand more chunks or cells cost the
parent, in processor seconds and peak memory of a new process. `billion_check`: real studies on this machine, in
milliseconds a chunk, against the prediction from the same costs: with chunks of a second, and with tiny ones, where
the parent and the scheduler are what is slow.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import math
import os
import tempfile
from pathlib import Path
from typing import NamedTuple

import billion_costs as costs
import measuring
import numpy as np
import pandas as pd
from billion_costs import ChunkCosts, Line, TaskCosts

RUNS, CELLS = 10**9, 100_000
CORES = (10, 100, 1_000)
TINY = 0.005  # of the size that chunks have
LOST_A_DAY, AWAY = 1, 600.0  # of a worker; seconds until it is replaced
DAY, GIB, TIB, MIB = 86_400, 2**30, 2**40, 2**20
WORDS = {
    "start": "starting the study",
    "resume": "going on after an interruption",
    "open": "opening the folder",
}
LIMITS = {"memory": 16 * GIB, "read": 64 * GIB, "seconds": 600, "files": 10_000_000, "disk": TIB}


class Part(NamedTuple):
    """What one chunk costs each part of a cluster, and what waiting for one of many chunks costs the parent."""

    work: np.ndarray  # seconds of a worker, one chunk each
    scheduler: float
    parent: float
    waiting: float  # for each chunk under way, each time that the parent looks

    @classmethod
    def of(cls, chunk: ChunkCosts, task: TaskCosts, waiting: float) -> Part:
        """The costs of chunks with those of their tasks."""
        return cls(chunk.seconds + task.worker, task.scheduler, task.parent + chunk.save, waiting)

    def with_losses(self) -> Part:
        """With the time that lost workers cost: they are away, and half a chunk has to be done again."""
        share = LOST_A_DAY / DAY * (AWAY + self.work.mean() / 2)
        return self._replace(work=self.work * (1 + share))


class Flow(NamedTuple):
    """What a simulated cluster did: chunks a second, busy shares of its parts, most results waiting to be written."""

    rate: float
    busy: dict[str, float]
    backlog: int


def simulated(part: Part, cores: int, chunks: int, seed: int = 0) -> Flow:
    """Chunks through workers, a scheduler and a parent that each do one thing at a time; the first quarter is left out.

    The parent keeps two chunks a core under way. Whenever it is free it takes all results that are there, one after
    the other, and hands out a chunk for each. A chunk passes the scheduler on its way out and on its way back.
    """
    draws = np.random.default_rng(seed).choice(part.work, chunks + 4 * cores)
    events = [(0.0, number, "out") for number in range(2 * cores)]  # when, a number that orders those at once, what
    order = itertools.count(len(events))
    given, taken, begun, ready, idle, there, backlog = len(events), 0, 0, 0, cores, 0, 0
    scheduler = parent = start = 0.0  # until when these are busy; the end of the first quarter
    busy = dict.fromkeys(("the cores", "the scheduler", "the parent"), 0.0)

    def later(when: float, what: str) -> None:
        heapq.heappush(events, (when, next(order), what))

    while taken < chunks:
        now, _, what = heapq.heappop(events)
        if what in ("out", "back"):
            idle += what == "back"
            scheduler = max(scheduler, now) + part.scheduler / 2
            busy["the scheduler"] += part.scheduler / 2
            later(scheduler, "ready" if what == "out" else "result")
        elif what == "ready":
            ready += 1
        elif what == "result":
            there += 1
            backlog = max(backlog, there)
            later(max(now, parent), "look")
        elif there and now >= parent:
            parent = now + part.waiting * (given - taken)
            for _ in range(there):
                parent += part.parent
                later(parent, "out")
                taken += 1
                start = parent if taken == chunks // 4 else start
            given, there = given + there, 0
            busy["the parent"] += parent - now
        while ready and idle:
            ready, idle = ready - 1, idle - 1
            busy["the cores"] += draws[begun] / cores
            later(now + draws[begun], "back")
            begun += 1
    return Flow(
        (taken - chunks // 4) / (parent - start), {name: spent / parent for name, spent in busy.items()}, backlog
    )


class Costs(NamedTuple):
    """Everything that was measured."""

    chunk: dict[tuple[str, float], ChunkCosts]
    task: dict[tuple[str, float], TaskCosts]
    waiting: float
    folder: dict[str, tuple[Line, Line]]
    read: dict[str, tuple[Line, Line]]
    cell: tuple[Line, Line]

    def part(self, key: tuple[str, float]) -> Part:
        """What a chunk costs."""
        return Part.of(self.chunk[key], self.task[key], self.waiting)

    def memory(self, chunks: float, cells: int = CELLS) -> float:
        """Bytes of the parent: whichever is more of starting and of going on, and the cells."""
        most = max(line.fixed + line.each * chunks for line in (self.folder[n][1] for n in ("start", "resume")))
        return most + self.cell[1].each * cells


def chunks_of(runs: int) -> int:
    """How many chunks of at most so many runs the study has: a cell has its chunks to itself, or shares whole ones."""
    cell = RUNS // CELLS
    return CELLS * math.ceil(cell / runs) if runs <= cell else math.ceil(CELLS / (runs // cell))


def predicted(found: Costs, least: int) -> pd.DataFrame:
    """A row for each study, size of chunks and number of cores, from simulations of at least so many chunks."""
    keys = [key for key in found.chunk if key[1] >= 1]
    return pd.DataFrame(_predicted(found, key, cores, least) for key in keys for cores in CORES)


def _predicted(found: Costs, key: tuple[str, float], cores: int, least: int) -> dict[str, object]:
    chunk = found.chunk[key]
    number = chunks_of(chunk.runs)
    full = RUNS / number / chunk.runs  # the last chunk of a cell is smaller
    part = found.part(key)
    flow = simulated(part._replace(work=part.work * full).with_losses(), cores, max(least, 20 * cores))
    seconds, engine = number / flow.rate, RUNS / cores * chunk.seconds.mean() / chunk.runs
    return {
        "study": key[0],
        "chunks": size_of(key[1]),
        "cores": cores,
        "days": seconds / DAY,
        "efficiency": engine / seconds,
        "limits": max(flow.busy, key=lambda name: flow.busy[name]),
        "disk": number * chunk.bytes / TIB,
        "files": number / 1e6,
        "memory": (found.memory(number) + flow.backlog * chunk.bytes) / GIB,
    }


def breaks(found: Costs) -> pd.DataFrame:
    """A row for each thing that no longer works, with the cores or the runs at which that is."""
    by_kind = pd.DataFrame({kind: _breaks(found, kind) for kind in costs.KINDS}).map(
        lambda value: float(f"{value:.2g}")
    )
    by_kind.index.names = ["what", "limit", "unit"]
    return by_kind.reset_index().sort_values(["unit", *costs.KINDS], kind="stable", ignore_index=True)


def _breaks(found: Costs, kind: str) -> dict[tuple[str, str, str], float]:
    chunk, part = found.chunk[kind, 1], found.part((kind, 1))
    start, resume, opening = (found.folder[name] for name in ("start", "resume", "open"))
    room, work = LIMITS["memory"] - found.memory(0), part.work.mean()
    chunks = {
        ("memory of the parent", "16 GiB"): room / max(start[1].each, resume[1].each),
        ("going on after an interruption", "ten minutes"): LIMITS["seconds"] / resume[0].each,
        ("opening the folder", "ten minutes"): LIMITS["seconds"] / opening[0].each,
        ("reading all runs into one table", "64 GiB"): LIMITS["read"] / found.read[kind][1].each,
        ("files in one folder", "ten million"): LIMITS["files"],
        ("disk", "1 TiB"): LIMITS["disk"] / chunk.bytes,
    }
    return {
        ("the parent hands out and writes", "busy all the time", "cores"): work / part.parent,
        ("the scheduler", "busy all the time", "cores"): work / part.scheduler,
        **{(what, limit, "runs"): number * chunk.runs for (what, limit), number in chunks.items()},
    }


def chunk_table(found: Costs) -> pd.DataFrame:
    """A row for each size of chunk: what one costs."""
    return pd.DataFrame(
        {
            "study": kind,
            "chunks": size_of(larger),
            "runs": chunk.runs,
            "engine s": chunk.seconds.mean(),
            "worker ms": 1e3 * found.task[kind, larger].worker,
            "scheduler ms": 1e3 * found.task[kind, larger].scheduler,
            "parent, Dask ms": 1e3 * found.task[kind, larger].parent,
            "parent, writing ms": 1e3 * chunk.save,
            "KiB": chunk.bytes / 1024,
        }
        for (kind, larger), chunk in found.chunk.items()
    )


def folder_table(found: Costs) -> pd.DataFrame:
    """A row for each thing that is done with a folder: what a thousand more chunks, or cells, add."""
    lines = {WORDS[name]: ("chunks", *both) for name, both in found.folder.items()}
    lines |= {f"reading all {kind} runs into one table": ("chunks", *both) for kind, both in found.read.items()}
    lines["laying out the study"] = ("cells", *found.cell)
    return pd.DataFrame(
        {"what": what, "of": of, "seconds": 1e3 * seconds.each, "MiB": 1e3 * memory.each / MIB}
        for what, (of, seconds, memory) in lines.items()
    )


def check(found: Costs, number: int) -> pd.DataFrame:
    """A row for each real study: seconds a chunk, measured and predicted."""
    rows = []
    for workers in (1, 2):
        with costs.cluster(workers) as on:
            costs.real_run(on, "small", 20, TINY)  # what is set up once
            for larger in (1, TINY):
                chunks = number if larger == 1 else 20 * number
                measured = costs.real_run(on, "small", chunks, larger)
                part = found.part(("small", larger))
                alone = 1 / simulated(part, workers, 2_000).rate
                shared = (part.work.mean() + part.scheduler + part.parent) / (os.cpu_count() or 1)
                guess = max(alone, shared)  # all parts share this machine's cores
                row = {"workers": workers, "chunks": size_of(larger), "number": chunks}
                rows.append(
                    {**row, "measured ms": 1e3 * measured, "predicted ms": 1e3 * guess, "ratio": guess / measured}
                )
    return pd.DataFrame(rows)


def size_of(larger: float) -> str:
    """The size of chunks in words."""
    return "of a second" if larger == 1 else "as made" if larger > 1 else "tiny"


def measured(quick: bool) -> Costs:
    """All the costs."""
    number, tasks, sizes = (3, 60, (500, 2_000)) if quick else (30, 1_000, (1_000, 4_000, 16_000))
    shares = {"national": 1, "small": 16}  # or small runs, of which a chunk has many, would fill the memory
    chunk: dict[tuple[str, float], ChunkCosts] = {}
    for kind in costs.KINDS:
        now = chunk[kind, 1] = costs.chunk_costs(kind, number)
        larger = costs.growth(kind, RUNS)
        chunk[kind, larger] = costs.enlarged(now, kind, larger)
    chunk["small", TINY] = costs.chunk_costs("small", 10 * number, TINY)
    with costs.cluster(2) as on:
        task = {key: costs.task_costs(on, *key, tasks) for key in chunk}
    return Costs(
        chunk,
        task,
        costs.waiting_cost(1_000) / 1_000,
        costs.folder_costs("national", sizes, ("start", "resume", "open")),
        {k: costs.folder_costs(k, [size // by for size in sizes], ("read",))["read"] for k, by in shares.items()},
        costs.cell_costs([10 * size for size in sizes[:2]]),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it works; nothing is kept")
    quick = parser.parse_args().quick
    made_with = measuring.versions("leadership-sim", "distributed", "pyarrow", "numba", "numpy")
    found = measured(quick)
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary) if quick else measuring.PROOF
        measuring.save(chunk_table(found), "billion_measured", made_with, out)
        measuring.save(folder_table(found), "billion_folder", made_with, out)
        measuring.save(check(found, 4 if quick else 30), "billion_check", made_with, out)
        measuring.save(predicted(found, 2_000 if quick else 20_000), "billion", made_with, out)
        measuring.save(breaks(found), "billion_breaks", made_with, out)


if __name__ == "__main__":
    main()

"""What breaks a study, tried at random moments. Usage: python experiments/benchmarks/faults.py [--quick]

Each try starts `sim run` on a study of some 50 tiny chunks in a process of its own, waits until a random share of them
is finished, and lets something go wrong. Then the study is run once more, undisturbed. Some faults need a first
process that was killed and happen to the folder that it left. Pictures are not drawn, and processes are forked from
one that has everything imported, so that many tries fit into a few minutes; nothing else differs from `sim run`. A
small disk needs the right to mount one; without it that fault is named and left out.

Columns: `fault`, `executor` (threads here, or a Dask cluster), `tries`; `lost`: finished chunks, not harmed themselves,
that were gone or computed again, in all tries; `equal`: tries whose final rows, by run and by month, are those of an
undisturbed study, to the bit and in the same order; `clear`: tries whose first process ended with the promised exit
code and said the promised line, or nothing, and never a traceback; `clean`: tries that left no temporary file, no lock
and no process behind; `seconds`: what the second start took, the median.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import pandas as pd
from fault_kinds import BUDGET, FAULTS, FULL, HERE, OWN, STUDY, Fault, TooLateError, Try, finished, may_mount, unmount
from measuring import PROOF, save, versions
from processes import Cluster, any_left

from sim import engine
from sim.errors import InputError
from sim.files import locked
from sim.study import Results, Study, chunks

LEFT = (".*.part",)
_PATIENCE = 10.0  # seconds that processes have to notice that their parent is gone


@dataclass(frozen=True)
class Outcome:
    """What became of a try."""

    lost: int
    equal: bool
    clear: bool
    clean: bool
    seconds: float
    said: str


def rows(folder: Path) -> list[str]:
    """Every number that a study found, in order, as text that tells any two numbers apart."""
    results = Results(folder)
    return [f"{table.dtypes}\n{table.to_csv()}" for table in (results.runs, results.series())]


def tried(fault: Fault, t: Try, wanted: list[str]) -> Outcome:
    """Let the fault happen, mend it, run the study once more, and look at what is there."""
    fault.strike(t)
    for process in t.started:
        process.wait()
    t.note()
    clean = gone(t)
    fault.heal(t)
    begun = time.perf_counter()
    t.executor = HERE if t.executor == OWN else t.executor
    t.start().wait()
    seconds = time.perf_counter() - begun
    after = finished(t.folder)
    lost = sum(after.get(chunk) != stamps for chunk, stamps in t.kept.items() if chunk not in t.harmed)
    clean = clean and gone(t) and is_free(t.folder) and all(any(t.folder.rglob(name)) for name in t.others)
    return Outcome(lost, rows(t.folder) == wanted, t.kept_its_promises(), clean, seconds, t.said())


def gone(t: Try) -> bool:
    """Whether nothing is left of the processes that were started; some need a moment."""
    limit = time.monotonic() + _PATIENCE
    while any_left(process.pid for process in t.started):
        if time.monotonic() > limit:
            return False
        time.sleep(0.05)
    return True


def is_free(folder: Path) -> bool:
    """Whether no temporary file is left, and no lock."""
    try:
        with locked(folder):
            return not [path for pattern in LEFT for path in folder.rglob(pattern)]
    except InputError:
        return False


@contextmanager
def a_place(shared: Path) -> Iterator[Path]:
    """A folder for one try, which is removed whatever happened to it."""
    place = Path(tempfile.mkdtemp(dir=shared))
    (place / "study.toml").write_text(STUDY, encoding="utf-8")
    try:
        yield place
    finally:
        unmount(place / "r")
        shutil.rmtree(place, ignore_errors=True)


class Campaign:
    """Many tries, with one Dask cluster for all that leave it whole."""

    def __init__(self, place: Path, seed: int) -> None:
        self._place, self._chance = place, random.Random(seed)
        undisturbed = Study.from_dict(tomllib.loads(STUDY)).run(place / "undisturbed")
        undisturbed.summary()  # imports what every process will need
        self._wanted = rows(undisturbed.folder)
        self._cluster = Cluster()

    def tries(self, fault: Fault, executor: str, times: int) -> dict[str, object]:
        """A row of the table."""
        found: list[Outcome] = []
        while len(found) < times:
            with a_place(self._place) as place:
                t = Try(place, self._chance, self._cluster, executor)
                try:
                    found.append(tried(fault, t, self._wanted))
                    self._tell(fault, executor, found[-1])
                except TooLateError:
                    continue
                except Exception:
                    print(t.said(), flush=True)
                    raise
                finally:
                    for process in t.started:
                        process.end()
                    self._cluster = t.cluster
                    if fault.breaks:
                        self._renew()
        return {
            "fault": fault.name,
            "executor": executor,
            "tries": times,
            "lost": sum(outcome.lost for outcome in found),
            **{name: sum(getattr(outcome, name) for outcome in found) for name in ("equal", "clear", "clean")},
            "seconds": round(median(outcome.seconds for outcome in found), 2),
        }

    def close(self) -> None:
        """End the cluster."""
        self._cluster.close()

    def _renew(self) -> None:
        self._cluster.close()
        self._cluster = Cluster()

    def _tell(self, fault: Fault, executor: str, outcome: Outcome) -> None:
        if outcome.lost or not (outcome.equal and outcome.clear and outcome.clean):
            print(f"\n{fault.name}, {executor}: {outcome}\n{outcome.said}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="every fault once, and the table not kept")
    parser.add_argument("--times", type=int, default=12, help="tries of most faults; slow ones have fewer")
    parser.add_argument("--seed", type=int, default=None, help="of the random moments (default: a new one)")
    parser.add_argument("--only", default="", help="faults whose name contains this")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # with all that was started
    seed = random.randrange(10**6) if options.seed is None else options.seed
    print(f"seed {seed}")
    chunks.BUDGET = BUDGET
    engine.warm_up()
    shared = tempfile.mkdtemp(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    Path(shared).chmod(0o755)
    campaign = Campaign(Path(shared), seed)
    table = []
    try:
        for fault in FAULTS:
            if fault.name == FULL and not may_mount():
                print(f"{fault.name}: left out, because this user may not mount a small disk")
            elif options.only in fault.name:
                for executor in fault.executors:
                    times = 1 if options.quick else fault.times(options.times, executor)
                    table.append(campaign.tries(fault, executor, times))
                    print(*table[-1].values(), sep=", ", flush=True)
    finally:
        campaign.close()
        shutil.rmtree(shared, ignore_errors=True)
    made_with = f"{versions('numba', 'numpy', 'pyarrow', 'distributed')}; seed {seed}"
    with tempfile.TemporaryDirectory() as nowhere:
        save(pd.DataFrame(table), "faults", made_with, Path(nowhere) if options.quick or options.only else PROOF)


if __name__ == "__main__":
    main()

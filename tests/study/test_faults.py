"""What can go wrong around a study that runs for a week: nothing of it changes a row."""

from __future__ import annotations

import ast
import json
import logging
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from conftest import table

import sim
from sim.errors import InputError, StudyStopped
from sim.files import locked
from sim.model import engine
from sim.study import Results, Study, chunks
from sim.study import dask as cluster
from sim.study import runner as running
from sim.study.store import Store

HERE = Path(sim.__file__).parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(HERE), "COLUMNS": "200"}
SOME = {"keep": ["fear", "quality"], "window": 4, "series": True}
PRECISE = {"outcome": "fear", "half_width": 0.02, "maximum": 30}

RUN = """
import sys, time
from sim.study import Study, chunks
chunks.BUDGET = 1_000
Study.load(sys.argv[1]).run(sys.argv[2], workers=2, progress=lambda *news: time.sleep(0.01))
"""


@pytest.fixture
def tiny_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """About two runs in a chunk, here and in the processes that are started."""
    monkeypatch.setattr(chunks, "BUDGET", 1_000)


def stored(folder: Path) -> list[tuple[str, bytes]]:
    """The rows of a folder as bytes, in order: what pandas makes of them, number by number."""
    results = Results(folder)
    tables = [results.runs, results.series()] if results.study.plan.outcomes.series else [results.runs]
    return [(name, t[name].to_json(double_precision=15).encode() + _bits(t[name])) for t in tables for name in t]


def _bits(column: pd.Series) -> bytes:
    return column.to_numpy().tobytes() if column.dtype.kind in "fi" else b""


def saved(folder: Path, study: Study) -> Path:
    path = folder / "mine.toml"
    path.write_text(study.plan.toml())
    return path


def start(file: Path, folder: Path, **options: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", RUN, str(file), str(folder)]
    return subprocess.Popen(command, env=ENVIRONMENT, text=True, **options)


def interruptible(command: list[str], folder: Path, **options: Any) -> subprocess.Popen[str]:
    """A process that hears Ctrl-C: a shell lets what it runs in the background ignore it."""
    return subprocess.Popen(
        command,
        cwd=folder,
        env=ENVIRONMENT,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        **options,
    )


def wait_for(condition: Any, seconds: float = 60.0) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.005)


def done(folder: Path) -> int:
    ledger = folder / "ledger"
    return ledger.read_bytes().count(b'"done"') if ledger.exists() else 0


def killed_at_random(tmp_path: Path, times: int, seed: int) -> None:
    study = Study.from_dict(table(seeds=25, outcomes=SOME, precision=PRECISE))
    file, folder, chance = saved(tmp_path, study), tmp_path / "killed", random.Random(seed)
    for _ in range(times):
        process = start(file, folder)
        before = done(folder)
        wait_for(lambda b=before, p=process: done(folder) > b or p.poll() is not None)
        time.sleep(chance.uniform(0.0, 0.15))
        process.kill()
        process.wait()
    study.run(folder)
    study.run(tmp_path / "whole")
    assert not Results(folder).missing
    assert stored(folder) == stored(tmp_path / "whole")


@pytest.mark.slow
@pytest.mark.usefixtures("tiny_chunks")
def test_killed_twenty_times_it_ends_with_the_same_rows(tmp_path: Path) -> None:
    killed_at_random(tmp_path, 20, seed=int.from_bytes(os.urandom(4), "big"))


@pytest.mark.usefixtures("tiny_chunks")
@pytest.mark.parametrize("harm", ["truncated", "flipped"])
def test_a_finished_chunk_that_was_harmed_is_noticed_and_computed_again(tmp_path: Path, harm: str) -> None:
    study = Study.from_dict(table(outcomes=SOME))
    study.run(tmp_path / "whole")
    for number, path in enumerate(sorted(study.run(tmp_path / "r").folder.glob("runs/*.parquet"))):
        content = bytearray(path.read_bytes())
        content[(number * 97) % len(content)] ^= 1 << number % 8
        path.write_bytes(content[: -1 - number] if harm == "truncated" else content)
        with pytest.raises(InputError, match="damaged"):
            Results(tmp_path / "r").runs  # noqa: B018
        study.run(tmp_path / "r")
        assert stored(tmp_path / "r") == stored(tmp_path / "whole")


def test_a_bit_that_flips_in_the_ledger_changes_nothing_that_it_says(tmp_path: Path, tiny_chunks: None) -> None:
    study = Study.from_dict(table(outcomes=SOME))
    ledger, chance = study.run(tmp_path / "r").folder / "ledger", random.Random(0)
    whole, content = Store(tmp_path / "r"), ledger.read_bytes()
    for _ in range(80):
        position, bit = chance.randrange(len(content)), 1 << chance.randrange(8)
        ledger.write_bytes(content[:position] + bytes([content[position] ^ bit]) + content[position + 1 :])
        found = Store(tmp_path / "r")
        assert found.plan in (None, whole.plan)
        assert len(found.done) >= len(whole.done) - 2  # the end of a line belongs to two
        assert all(whole.done[chunk].items() <= entry.items() for chunk, entry in found.done.items())
    study.run(tmp_path / "r")
    study.run(tmp_path / "whole")
    assert stored(tmp_path / "r") == stored(tmp_path / "whole")


def test_a_line_of_the_ledger_that_is_nested_without_end_is_passed_over(tmp_path: Path) -> None:
    study = Study.from_dict(table())
    with (study.run(tmp_path / "r").folder / "ledger").open("a") as ledger:
        ledger.write("[" * 100_000 + "\n")
    assert not Results(tmp_path / "r").missing


def test_only_our_own_temporary_files_are_cleared_away(tmp_path: Path) -> None:
    study = Study.from_dict(table())
    study.run(tmp_path / "r")
    (chunk,) = study.chunks
    ours = [tmp_path / "r" / name for name in (".study.toml.0123abcd.part", f"runs/.{chunk.id}.parquet.0123abcd.part")]
    others = [tmp_path / "r" / name for name in ("film.part", "study.toml.part", ".notes.toml.0123abcd.part",
              f"runs/{chunk.id}.parquet.part", f"runs/.{'0' * 32}.parquet.0123abcd.part")]  # fmt: skip
    for path in (*ours, *others):
        path.write_text("half")
    study.run(tmp_path / "r")
    assert not any(path.exists() for path in ours)
    assert all(path.exists() for path in others)


HOLDER = """
import os, signal, sys, time
from pathlib import Path
from sim.files import locked
with locked(Path(sys.argv[1])):
    if not (child := os.fork()):
        print(os.getpid(), flush=True)
        time.sleep(60)
    time.sleep(0.1)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="has no forks")
def test_a_lock_ends_with_its_holder_though_its_children_live_on(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        child = int(holder.stdout.readline())
        try:
            holder.wait(30)
            with locked(tmp_path):
                os.kill(child, 0)  # is still there
        finally:
            os.kill(child, signal.SIGKILL)


def small_disk(path: Path) -> bool:
    """A file system of a quarter of a megabyte, where we may make one."""
    path.mkdir()
    if not hasattr(os, "geteuid") or os.geteuid() or not shutil.which("mount"):
        return False
    return not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=250k", "tmpfs", str(path)], capture_output=True, check=False
    ).returncode


@pytest.mark.usefixtures("tiny_chunks")
def test_a_disk_that_fills_up_is_one_line_and_finished_chunks_are_whole(tmp_path: Path) -> None:
    if not small_disk(tmp_path / "disk"):
        pytest.skip("needs the right to mount a small file system")
    study, folder = Study.from_dict(table(seeds=30, outcomes=SOME)), tmp_path / "disk" / "r"
    try:
        with pytest.raises(InputError) as caught:
            study.run(folder)
        assert caught.value.lines == (f"{folder}: cannot be written: No space left on device",)
        partial = Results(folder)
        assert 0 < len(partial.runs) == study.size - partial.missing < study.size
        shutil.copytree(folder, tmp_path / "r")
    finally:
        subprocess.run(["umount", str(tmp_path / "disk")], check=True)
    study.run(tmp_path / "r")
    study.run(tmp_path / "whole")
    assert stored(tmp_path / "r") == stored(tmp_path / "whole")


@pytest.mark.slow
@pytest.mark.usefixtures("tiny_chunks")
def test_a_second_process_on_one_folder_says_so_and_leaves(tmp_path: Path) -> None:
    study = Study.from_dict(table(seeds=25))
    first = start(saved(tmp_path, study), tmp_path / "r")
    wait_for(lambda: done(tmp_path / "r"))
    with pytest.raises(InputError) as caught:
        study.run(tmp_path / "r")
    assert caught.value.lines == (f"{tmp_path}/r: another process is writing here; wait until it is done",)
    assert first.wait(60) == 0
    assert not Results(tmp_path / "r").missing


def test_a_folder_from_a_newer_version_is_one_line_and_is_left_alone(tmp_path: Path) -> None:
    study = Study.from_dict(table())
    ledger = study.run(tmp_path / "r").folder / "ledger"
    _, first, *rest = ledger.read_text().splitlines()
    newer = {"plan": json.loads(first)["plan"]}
    newer["plan"]["format"] += 1
    ledger.write_text("\n".join([json.dumps(newer), *rest]) + "\n")
    content = ledger.read_bytes()
    for act in (
        lambda: Results(tmp_path / "r"),
        lambda: study.run(tmp_path / "r"),
        lambda: study.estimate(tmp_path / "r"),
    ):
        with pytest.raises(InputError, match="written by a newer version of this program"):
            act()
    assert ledger.read_bytes() == content


def test_a_folder_that_was_made_read_only_is_one_line(tmp_path: Path) -> None:
    study, folder = Study.from_dict(table()), tmp_path / "r"
    study.run(folder)
    os.chmod(folder / "lock", 0o400)
    for path in (folder / "runs", folder):
        os.chmod(path, 0o500)
    try:
        if os.access(folder, os.W_OK):
            pytest.skip("nothing is read-only for this user")
        with pytest.raises(InputError) as caught:
            study.run(folder, fresh=True)
        assert caught.value.lines == (f"{folder}: cannot be written: Permission denied",)
        assert len(Results(folder).runs) == study.size
    finally:
        for path in (folder, folder / "runs"):
            os.chmod(path, 0o700)


@pytest.mark.usefixtures("tiny_chunks")
def test_a_study_that_is_edited_half_way_neither_mixes_nor_loses_chunks(tmp_path: Path) -> None:
    study, edited = Study.from_dict(table(seeds=20)), Study.from_dict(table(seeds=20), ["relationship=0.9"])

    def interrupt(finished: int, total: int, note: str = "") -> None:
        if finished > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        study.run(tmp_path / "r", progress=interrupt)
    before = set(Results(tmp_path / "r").runs.itertuples(index=False, name=None))
    edited.run(tmp_path / "r")
    edited.run(tmp_path / "edited")
    assert stored(tmp_path / "r") == stored(tmp_path / "edited")
    earlier = len(list((tmp_path / "r/earlier/runs").glob("*.parquet")))
    told: list[int] = []
    results = study.run(tmp_path / "r", progress=lambda *news: told.append(news[0]))
    assert told[0] == len(before) and earlier > 0
    assert before <= set(results.runs.itertuples(index=False, name=None))


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Any:
    bare = engine.run

    def run(p: Any, seed: int, organisations: bool = False) -> Any:
        if p.months > 1 and p.monitoring == 0.5 and seed == 1:
            raise FloatingPointError("no number")
        return bare(p, seed, organisations)

    monkeypatch.setattr(engine, "run", run)
    return lambda: monkeypatch.setattr(engine, "run", bare)


@pytest.mark.usefixtures("tiny_chunks")
def test_a_failed_run_is_a_row_or_stops_the_study_and_can_be_done_again(tmp_path: Path, failing: Any) -> None:
    study = Study.from_dict(table())
    with pytest.raises(StudyStopped, match=r"^cell 3, seed 1: FloatingPointError: no number; stopped at this failure$"):
        study.run(tmp_path / "r", workers=1, stop_on_failure=True)
    assert 0 < Results(tmp_path / "r").missing < study.size
    assert study.run(tmp_path / "r").runs["error"].notna().sum() == 2
    failing()  # no more
    assert study.run(tmp_path / "r").runs["error"].notna().sum() == 2
    assert study.run(tmp_path / "r", retry_failed=True).runs["error"].notna().sum() == 0
    study.run(tmp_path / "whole")
    assert stored(tmp_path / "r") == stored(tmp_path / "whole")


@pytest.mark.usefixtures("tiny_chunks")
@pytest.mark.parametrize(
    ("error", "lacks"),
    [(MemoryError("no room"), "memory"), (OSError(28, "No space left on device"), "what a run needs")],
)
def test_what_a_machine_lacks_is_never_stored_as_a_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, lacks: str
) -> None:
    study, bare = Study.from_dict(table()), engine.run

    def run(p: Any, seed: int, organisations: bool = False) -> Any:
        if p.months > 1 and p.monitoring == 0.5 and seed == 1:
            raise error
        return bare(p, seed, organisations)

    with monkeypatch.context() as patch:
        patch.setattr(engine, "run", run)
        with pytest.raises(StudyStopped, match=rf"this machine lacks {lacks} \(.*; what is finished is kept"):
            study.run(tmp_path / "r", workers=1)
    partial = Results(tmp_path / "r")
    assert 0 < partial.missing < study.size and partial.counts[1] == 0
    study.run(tmp_path / "r")
    study.run(tmp_path / "whole")
    assert stored(tmp_path / "r") == stored(tmp_path / "whole")


def test_want_of_memory_while_a_chunk_is_written_stops_the_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(Store, "save", full)
    with pytest.raises(StudyStopped, match="lacks memory"):
        Study.from_dict(table()).run(tmp_path / "r")


def test_a_fault_of_the_model_is_stored_with_its_traceback_and_so_is_an_outcome_that_is_no_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = engine.run

    def run(p: Any, seed: int, organisations: bool = False) -> Any:
        record = bare(p, seed, organisations)
        if p.months > 1 and seed == 1:
            record.sums[-1, 0] = float("inf")
        if p.months > 1 and seed == 2:
            raise ZeroDivisionError("by nothing")
        return record

    monkeypatch.setattr(engine, "run", run)
    runs = Study.from_dict(table()).run(tmp_path / "r").runs
    failed = runs[runs["error"].notna()]
    assert failed["error"].tolist() == ["FloatingPointError: an outcome is no finite number",
                                        "ZeroDivisionError: by nothing"] * 6  # fmt: skip
    assert failed["traceback"].str.startswith("Traceback (most recent call last)").all()
    assert failed["traceback"].str.contains("in run\n").any()
    assert runs.loc[runs["error"].isna(), "traceback"].isna().all()


@contextmanager
def taken(port: int) -> Iterator[None]:
    """A port in use, by us or by whoever has it already."""
    with socket.socket() as busy, suppress(OSError):
        busy.bind(("127.0.0.1", port))
        busy.listen()
        yield
        return
    yield


@pytest.mark.slow  # four processes start; threads and made-up clusters are compared in test_runner and test_cluster
@pytest.mark.usefixtures("tiny_chunks")
def test_one_study_has_the_same_bytes_in_the_same_order_on_every_executor(tmp_path: Path) -> None:
    study = Study.from_dict(table(seeds=6, outcomes=SOME, precision=PRECISE))
    study.run(tmp_path / "one", workers=1)
    study.run(tmp_path / "two", workers=2)
    with taken(8787):  # where Dask would like to have its dashboard
        study.run(tmp_path / "dask", cluster="local:2")
    with ThreadPoolExecutor(3) as threads:
        study.run(tmp_path / "pool", cluster=threads)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        study.run(tmp_path / "processes", cluster=processes)
    for other in ("two", "dask", "pool", "processes"):
        assert stored(tmp_path / other) == stored(tmp_path / "one"), other
        files = sorted((tmp_path / "one/runs").iterdir())
        assert [(tmp_path / other / "runs" / path.name).read_bytes() for path in files] == [
            path.read_bytes() for path in files
        ]


@pytest.mark.slow  # two workers start, and one more; clusters that are made up lose theirs in test_cluster
@pytest.mark.usefixtures("tiny_chunks")
def test_a_dask_worker_that_is_killed_half_way_costs_nothing(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    study = Study.from_dict(table(seeds=20, outcomes=SOME))
    killed: list[int] = []
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", silence_logs=60, dashboard_address=None,
        scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
    ) as two:  # fmt: skip

        def kill(finished: int, total: int, note: str = "") -> None:
            if finished > total // 4 and not killed:
                killed.append(two.workers[0].pid)
                os.kill(killed[0], signal.SIGKILL)

        results = study.run(tmp_path / "r", cluster=two.scheduler_address, progress=kill)
    assert killed and not results.missing
    study.run(tmp_path / "whole")
    assert stored(tmp_path / "r") == stored(tmp_path / "whole")


def test_a_worker_with_another_version_is_refused_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = cluster.versions()
    assert {"model", "platform", "numpy", "numba"} <= ours.keys()
    chunk = Study.from_dict(table()).chunks[0]
    for name in ours:
        with pytest.raises(InputError) as caught:
            cluster.compute_there(chunk, ours | {name: "other"})
        (line,) = caught.value.lines
        assert ("another version of the model" if name == "model" else name) in line
    with monkeypatch.context() as patch:  # here, not in the workers
        patch.setattr(cluster, "identity", lambda *names: "other")
        with pytest.raises(InputError, match="runs another version of the model; install the same versions"):
            Study.from_dict(table()).run(tmp_path / "r", cluster="local:1")


def test_a_lost_scheduler_is_not_told_by_dask_as_well() -> None:
    pytest.importorskip("distributed")
    names = ("distributed", "distributed.client", "distributed.scheduler", "asyncio", "tornado.application")
    before = [logging.getLogger(name).level for name in names]
    with cluster._quiet():
        assert not [name for name in names if logging.getLogger(name).isEnabledFor(logging.CRITICAL)]
    assert [logging.getLogger(name).level for name in names] == before


class Asked:
    """Stands for the client of a cluster, whose workers answer so."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def run(self, function: Any, on_error: str) -> Any:
        assert on_error == "return"
        return {"tcp://a:1": cluster.versions(), "tcp://b:2": self._answer}


def test_a_worker_that_dies_while_it_is_asked_for_its_versions_is_passed_over() -> None:
    cluster._check_workers(Asked(OSError("gone")))
    with pytest.raises(InputError, match="a worker cannot import sim; install leadership-sim on every worker"):
        cluster._check_workers(Asked(ModuleNotFoundError("no", name="sim")))
    with pytest.raises(InputError, match="the worker at tcp://b:2 runs numpy 0, here"):
        cluster._check_workers(Asked(cluster.versions() | {"numpy": "0"}))


@pytest.mark.slow
@pytest.mark.usefixtures("tiny_chunks")
def test_processes_of_this_machine_listen_nowhere_and_one_that_ends_is_one_line(tmp_path: Path) -> None:
    listening: set[str] = set()

    def kill(finished: int, *_: object) -> None:
        if finished:
            children = active_children()
            listening.update(*(sockets(process) for process in (os.getpid(), *(child.pid or 0 for child in children))))
            children[0].kill()

    before = sockets(os.getpid())
    with pytest.raises(StudyStopped) as caught:
        Study.from_dict(table(seeds=60)).run(tmp_path / "r", cluster="local:2", progress=kill)
    line = 'cluster = "local:2": a process ended, perhaps for want of memory; what is finished is kept'
    assert str(caught.value) == line
    assert listening == before
    assert not active_children()
    assert not Study.from_dict(table(seeds=60)).run(tmp_path / "r").missing


def sockets(process: int) -> set[str]:
    """The sockets on which a process listens for others, on any address; where /proc does not say, none."""
    opened = {os.readlink(path) for path in Path(f"/proc/{process}/fd").glob("*") if path.is_symlink()}
    rows = [
        line.split()
        for name in ("tcp", "tcp6", "unix")
        if (table := Path("/proc/net") / name).exists()
        for line in table.read_text().splitlines()[1:]
    ]
    listens = {row[9] for row in rows if len(row) > 9 and row[3] == "0A"} | {
        row[6] for row in rows if row[3] == "00010000"
    }
    return {f"socket:[{inode}]" for inode in listens} & opened


HOLDS = """
import sys
from sim.study import Study
study = Study.from_dict({"seeds": 4, "parameters": {"systems": 400, "months": 100000}})
study.run(sys.argv[1], cluster="local:2", yes=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only Linux lists a process's children")
def test_processes_of_this_machine_end_with_the_one_that_started_them(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDS, str(tmp_path / "r")], env=ENVIRONMENT) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        wait_for(lambda: len(children.read_text().split()) > 2 or process.poll() is not None)
        started = [int(child) for child in children.read_text().split()]
        process.kill()
    wait_for(lambda: not any(map(alive, started)))


def alive(process: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent in another way")
def test_ctrl_c_while_workers_start_is_heard_by_nobody_else(tmp_path: Path) -> None:
    (tmp_path / "long.toml").write_text(LONG)
    for seconds in (0.2, 0.6, 1.0, 1.5, 2.0):
        command = [sys.executable, "-m", "sim", "run", "long.toml", "--cluster", "local:2", "--fresh", "--out", "r"]
        process = interruptible(command, tmp_path, start_new_session=True)
        wait_for((tmp_path / "r" / "ledger").exists)
        time.sleep(seconds)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        _, err = process.communicate(timeout=60)
        assert process.returncode == 130
        assert [line for line in err.splitlines() if " of " not in line] == [
            "sim: stopped",
            "sim: what is finished is kept; to go on: sim run long.toml --cluster local:2 --out r",
        ]


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "tcp://no-such-host.invalid:8786"])
def test_an_unreachable_cluster_is_one_line_within_ten_seconds(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cluster._SECONDS < 10
    monkeypatch.setattr(cluster, "_SECONDS", 1.0)
    begun = time.monotonic()
    with pytest.raises(InputError) as caught:
        Study.from_dict(table()).run(tmp_path / "r", cluster=address)
    assert time.monotonic() - begun < 5
    (line,) = caught.value.lines
    assert line == f'cluster = "{address}": no Dask scheduler answers there; is it running, and its port open?'


@pytest.mark.parametrize("address", ["host", "local:0", "local:two", "http://host:1", "tcp://host"])
def test_an_address_that_is_none_is_one_line(tmp_path: Path, address: str) -> None:
    with pytest.raises(InputError, match=re.escape("must be an address such as tcp://host:8786, or local:2")):
        Study.from_dict(table()).run(tmp_path / "r", cluster=address)


def test_without_dask_one_line_names_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError) as caught:
        Study.from_dict(table()).run(tmp_path / "r", cluster="tcp://127.0.0.1:8786")
    (line,) = caught.value.lines
    assert "pip install 'leadership-sim[cluster]'" in line


def test_a_cluster_has_workers_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="leave it out, the cluster has workers of its own"):
        Study.from_dict(table()).run(tmp_path / "r", cluster="local:2", workers=2)


@pytest.mark.usefixtures("tiny_chunks")
def test_more_runs_than_anyone_means_need_a_yes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="1,000,001 runs"):
        Study.from_dict(table(seeds=9901, design={"kind": "grid", "monitoring": [k / 100 for k in range(101)]})).run(
            tmp_path / "r"
        )
    monkeypatch.setattr(running, "MOST_RUNS", 17)
    study = Study.from_dict(table())
    with pytest.raises(
        InputError, match=r"^study: 18 runs, about 0.0 days on this machine: more than 17 runs or a day"
    ):
        study.run(tmp_path / "r")
    assert not (tmp_path / "r").exists()
    half = study.run(tmp_path / "parts" / "1", part=(1, 2))  # nine of them are asked for
    assert 0 < half.missing < 18
    study.run(tmp_path / "r", yes=True)
    assert not study.run(tmp_path / "r").missing  # what is done does not count
    monkeypatch.setattr(running, "MOST_RUNS", half.missing - 1)  # nor does what parts have done
    with pytest.raises(InputError, match=rf"^study: {half.missing} runs, about"):
        study.run(tmp_path / "merged", merge=tmp_path / "parts")
    assert not study.run(tmp_path / "merged", merge=tmp_path / "parts", yes=True).missing
    monkeypatch.setattr(running, "MOST_RUNS", 18)
    monkeypatch.setattr(running, "_DAY", sum(chunk.cost for chunk in study.chunks) / 2)
    with pytest.raises(InputError, match=r"^study: 18 runs, about 2.0 days on this machine"):
        study.run(tmp_path / "r", fresh=True, workers=1)
    assert not study.run(tmp_path / "r", fresh=True, workers=2).missing
    days = Study.from_dict(table(seeds=1000, parameters={"months": 10_000, "systems": 400}))
    monkeypatch.setattr(running, "MOST_RUNS", 10**9)
    with pytest.raises(InputError, match="days on this machine"):
        days.run(tmp_path / "long", workers=1)


LONG = """
seeds = 4
[parameters]
systems = 400
months = 100000
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent in another way")
def test_ctrl_c_stops_at_once_though_a_long_run_is_in_the_engine(tmp_path: Path) -> None:
    (tmp_path / "long.toml").write_text(LONG)
    command = [sys.executable, "-m", "sim", "run", "long.toml", "--fresh", "--out", "a b", "--yes"]
    process = interruptible(command, tmp_path)
    wait_for((tmp_path / "a b" / "ledger").exists)
    time.sleep(1.0)  # now in the engine, for hours
    process.send_signal(signal.SIGINT)
    begun = time.monotonic()
    try:
        _, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert time.monotonic() - begun < 3
    assert process.returncode == 130
    assert err.splitlines()[-2:] == [
        "sim: stopped",
        "sim: what is finished is kept; to go on: sim run long.toml --out 'a b' --yes",
    ]


class Unfinished(Executor):
    """Does the first call at once and no other; `made` are the futures that it gives."""

    def __init__(self, made: type[Future[Any]]) -> None:
        self._made = made

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        future = self._made()
        if not hasattr(self, "_begun"):
            self._begun = True
            future.set_result(fn(*args, **kwargs))
        return future


class Impatient(Future):  # type: ignore[type-arg]
    """Whoever calls it off is interrupted."""

    def cancel(self) -> bool:
        raise KeyboardInterrupt("second")


@pytest.mark.usefixtures("tiny_chunks")
def test_a_second_ctrl_c_while_chunks_are_called_off_comes_out_like_the_first(tmp_path: Path) -> None:
    def interrupt(finished: int, *_: object) -> None:
        if finished:
            raise KeyboardInterrupt("first")

    with pytest.raises(KeyboardInterrupt, match="second"):
        Study.from_dict(table()).run(tmp_path / "r", cluster=Unfinished(Impatient), progress=interrupt)


class Client:
    """A client of a Dask cluster, as far as its threads are counted."""

    status = "running"

    def nthreads(self) -> dict[str, int]:
        return {"worker": 2}


def test_a_cluster_that_has_lost_its_workers_says_so_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cluster, "_LOOK", 0.0)
    client = Client()
    threads = cluster._Threads(client)
    for workers in ({}, {"one": 2}, {}, {}, {"two": 1}):  # none has come yet, one goes, another comes
        monkeypatch.setattr(client, "nthreads", lambda workers=workers: workers)
        threads()
    assert capsys.readouterr().err == (
        "The cluster has no workers any more; waiting for others. What is finished is kept.\n"
    )


def test_threads_end_with_the_study(tmp_path: Path) -> None:
    before = threading.active_count()
    Study.from_dict(table()).run(tmp_path / "r")
    assert threading.active_count() == before


def test_the_guide_to_clusters_can_be_followed(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "cluster.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```(\w+)\n(.*?)```", text, re.S)
    (script,) = [block for language, block in blocks if language == "python"]
    tree = ast.parse(script)
    assert any(isinstance(node, ast.keyword) and node.arg == "cluster" for node in ast.walk(tree))
    shell = [block for language, block in blocks if language == "sh"]
    assert sum(block.startswith("#!/bin/bash") for block in shell) == 2
    for block in shell:
        (tmp_path / "job.sh").write_text(block)
        assert subprocess.run(["bash", "-n", str(tmp_path / "job.sh")], check=False).returncode == 0
    (array,) = [block for block in shell if "--array" in block]
    parts = re.search(r"--array=1-(\d+)", array), re.search(r"--part \S+/(\d+)", array)
    assert parts[0][1] == parts[1][1]

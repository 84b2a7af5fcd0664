"""Running a study: the same rows however it was interrupted, divided up or resumed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import table

import sim
from sim.errors import InputError
from sim.files import locked
from sim.model import engine
from sim.study import Results, Study, chunks, runner
from sim.study.store import Store

MONTHLY = {"keep": ["fear", "quality", "silence"], "window": 4, "series": True, "organisations": True}


def same(left: Results, right: Results) -> bool:
    """Whether two folders hold the same rows, bit for bit and in the same order."""
    pd.testing.assert_frame_equal(left.runs, right.runs, check_exact=True)
    for monthly in ("series", "organisations"):
        if left.study.plan.outcomes.model_dump()[monthly]:
            pd.testing.assert_frame_equal(getattr(left, monthly)(), getattr(right, monthly)(), check_exact=True)
    return True


def files(folder: Path) -> dict[str, int]:
    """Finished chunks and when they were written."""
    return {path.name: path.stat().st_mtime_ns for path in (folder / "runs").glob("*.parquet")}


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The seeds of the runs that are done from now on, warming up apart."""
    seeds, bare = [], engine.run

    def run(p: Any, seed: int, organisations: bool = False) -> Any:
        if p.months > 1:
            seeds.append(seed)
        return bare(p, seed, organisations)

    monkeypatch.setattr(engine, "run", run)
    return seeds


@pytest.mark.usefixtures("small_chunks")
def test_rows_do_not_depend_on_workers(tmp_path: Path) -> None:
    study = Study.from_dict(table(outcomes=MONTHLY))
    assert len(study.chunks) > 5
    assert same(study.run(tmp_path / "one", workers=1), study.run(tmp_path / "two", workers=2))


def test_a_small_study_is_in_several_chunks_and_a_large_one_in_no_more_than_can_be_borne() -> None:
    kept = chunks.Kept(("fear",), window=24, series=False, organisations=False)
    most = chunks.BUDGET * chunks.MANY
    few = chunks.BUDGET * chunks.FEW
    assert chunks.budget(1, kept) == chunks.budget(few // 16, kept) == chunks.SMALLEST
    assert chunks.budget(few, kept) == chunks.budget(most, kept) == chunks.BUDGET
    for total in range(few // 16, few, few // 50):
        assert chunks.FEW <= total / chunks.budget(total, kept) < 2 * chunks.FEW
    for total in (most + 1, 5 * most, 64 * most, 1000 * most):
        size = chunks.budget(total, kept)
        assert size * chunks.MANY >= total > size // 2 * chunks.MANY
        assert chunks.budget(total, replace(kept, series=True)) == chunks.BUDGET


def test_a_study_of_a_hundred_million_runs_can_be_laid_out() -> None:
    study = Study.from_dict({"seeds": 10**6, "design": {"kind": "grid", "monitoring": np.linspace(0, 1, 100).tolist()}})
    assert sum(chunk.runs for chunk in study.chunks) == 10**8
    assert len(study.chunks) <= 2 * chunks.MANY


def test_rows_do_not_depend_on_the_size_of_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = []
    for budget in (1, 700, 3_000, chunks.BUDGET):
        monkeypatch.setattr(chunks, "BUDGET", budget)
        results.append(Study.from_dict(table(outcomes=MONTHLY)).run(tmp_path / str(budget)))
    assert all(same(results[0], other) for other in results[1:])


@pytest.mark.usefixtures("small_chunks")
def test_rows_do_not_depend_on_which_chunk_is_finished_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = Study.from_dict(table())
    in_order, bare = study.run(tmp_path / "a", workers=1), engine.run

    def first_is_slow(p: Any, seed: int, organisations: bool = False) -> Any:
        time.sleep(0.2 if p.monitoring == 0.1 and seed == 0 else 0.0)
        return bare(p, seed, organisations)

    monkeypatch.setattr(engine, "run", first_is_slow)
    later = study.run(tmp_path / "b", workers=2)
    done = [line.split('"')[3] for line in (tmp_path / "b/ledger").read_text().splitlines()[1:]]
    assert done != [chunk.id for chunk in study.chunks]
    assert same(in_order, later)


def test_the_seed_shown_is_the_seed_used(tmp_path: Path) -> None:
    cells = [
        {"regime": "heavy", "relationship": 0.7},
        {"schedule": {"monitoring": {"3": 0.9}}, "mechanisms_off": ["gaming"]},
    ]
    study = Study.from_dict(table(seed=41, design={"kind": "list", "cell": cells}, outcomes=MONTHLY))
    results = study.run(tmp_path / "r")
    assert results.runs["seed"].tolist() == [41, 42, 43] * 2
    for row in results.runs.to_dict("records"):
        settings = {**study.plan.parameters, "window": 4, **cells[row["cell"] - 1]}
        run = sim.simulate(row["seed"], record_organisations=True, **settings)
        for name in ("fear", "quality", "silence"):
            assert run.series[name].to_numpy()[-4:].mean() == row[name]
        mine = {"cell": row["cell"], "seed": row["seed"]}
        monthly, posts = results.series(), results.organisations()
        monthly = monthly[(monthly[["cell", "seed"]] == mine).all(axis=1)]
        posts = posts[(posts[["cell", "seed"]] == mine).all(axis=1)]
        assert np.array_equal(monthly[["month", "fear"]], run.series.reset_index()[["month", "fear"]])
        assert np.array_equal(posts[run.organisations.columns], run.organisations)


@pytest.mark.usefixtures("small_chunks")
def test_running_again_does_only_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study, told = Study.from_dict(table()), []
    whole = study.run(tmp_path / "whole")
    study.run(tmp_path / "r")
    lost = study.chunks[2]
    (tmp_path / "r/runs" / f"{lost.id}.parquet").unlink()
    assert Results(tmp_path / "r").missing == lost.runs
    seeds = counted(monkeypatch)
    results = study.run(tmp_path / "r", progress=lambda *news: told.append(news))
    assert len(seeds) == lost.runs
    assert told == [(18 - lost.runs, 18, ""), (18, 18, "")]
    assert not results.missing and same(results, whole)
    study.run(tmp_path / "r")
    assert len(seeds) == lost.runs


@pytest.mark.parametrize("begun", [False, True])
def test_what_another_process_has_done_meanwhile_is_known_to_whoever_writes_next(tmp_path: Path, begun: bool) -> None:
    if begun:
        Study.from_dict(table(seeds=1)).run(tmp_path / "r")
    study, early = Study.from_dict(table()), Store(tmp_path / "r")
    study.run(tmp_path / "r")
    with early.writing():
        assert all(early.is_done(chunk.id) for chunk in study.chunks)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("harm", ["truncated", "flipped", "emptied"])
def test_a_damaged_chunk_is_noticed_and_done_again(tmp_path: Path, harm: str) -> None:
    study = Study.from_dict(table(outcomes=MONTHLY))
    whole, results = study.run(tmp_path / "whole"), study.run(tmp_path / "r")
    path = results.folder / "series" / f"{study.chunks[1].id}.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes({"truncated": content[:-20], "flipped": content, "emptied": b""}[harm])
    with pytest.raises(InputError, match="damaged; run the study again"):
        Results(tmp_path / "r").series()
    assert study.estimate(tmp_path / "r").done == study.size - study.chunks[1].runs
    assert same(study.run(tmp_path / "r"), whole)


@pytest.mark.usefixtures("small_chunks")
def test_a_ledger_that_was_cut_off_is_mended(tmp_path: Path) -> None:
    study = Study.from_dict(table())
    whole, ledger = study.run(tmp_path / "r").runs, tmp_path / "r/ledger"
    ledger.write_bytes(ledger.read_bytes()[:-30])
    assert 0 < Results(tmp_path / "r").missing < study.size
    pd.testing.assert_frame_equal(study.run(tmp_path / "r").runs, whole, check_exact=True)
    assert not Results(tmp_path / "r").missing


@pytest.mark.usefixtures("small_chunks")
def test_a_changed_study_neither_mixes_with_old_chunks_nor_loses_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, other = Study.from_dict(table()), Study.from_dict(table(), ["relationship=0.9"])
    before = first.run(tmp_path / "r").runs
    after = other.run(tmp_path / "r")
    assert not (after.runs[["fear"]] == before[["fear"]]).any().any()
    assert set(files(tmp_path / "r")) == {f"{chunk.id}.parquet" for chunk in other.chunks}
    assert same(after, other.run(tmp_path / "alone"))
    assert Store(tmp_path / "r").has_earlier and not Store(tmp_path / "alone").has_earlier
    seeds = counted(monkeypatch)
    pd.testing.assert_frame_equal(first.run(tmp_path / "r").runs, before, check_exact=True)
    assert seeds == []


@pytest.mark.parametrize("change", [{"outcomes": {"keep": ["fear"], "window": 4}}, {"seed": 1},
                                    {"outcomes": {"keep": ["fear", "quality"], "window": 3}},
                                    {"schedule": {"monitoring": {"2": 0.3}}}])  # fmt: skip
def test_whatever_determines_the_rows_names_the_chunk(change: dict[str, Any]) -> None:
    before, after = Study.from_dict(table()).chunks, Study.from_dict(table(**change)).chunks
    assert {chunk.id for chunk in before}.isdisjoint(chunk.id for chunk in after)


def test_another_version_of_the_model_names_other_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Study.from_dict(table()).chunks
    monkeypatch.setattr(chunks, "identity", lambda *names: "another")
    assert {chunk.id for chunk in before}.isdisjoint(chunk.id for chunk in Study.from_dict(table()).chunks)


def test_the_same_runs_with_other_columns_are_other_chunks() -> None:
    today = sim.simulate(0, systems=1, months=1).parameters
    one, other = (
        Study.from_dict(table(design={"kind": "list", "cell": [{name: getattr(today, name)}]}))
        for name in ("monitoring", "targets")
    )
    assert [cell.digest for cell in one.points] == [cell.digest for cell in other.points]
    assert {chunk.id for chunk in one.chunks}.isdisjoint(chunk.id for chunk in other.chunks)


def test_a_title_and_the_order_of_outcomes_change_no_chunk() -> None:
    other = table(title="another", outcomes={"keep": ["quality", "fear"], "window": 4})
    assert Study.from_dict(table()).chunks == Study.from_dict(other).chunks


def test_large_cells_keep_their_chunks_when_others_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "BUDGET", 1_000)
    fewer, more = (
        {chunk.id for chunk in Study.from_dict(table(seeds=8, design={"kind": "grid", "monitoring": values})).chunks}
        for values in ([0.1, 0.9], [0.0, 0.1, 0.5, 0.9])
    )
    assert fewer <= more


@pytest.mark.parametrize(
    ("seeds", "size", "runs"),
    [(1, 3.0, [3, 3, 1]), (1, 2.99, [2, 2, 2, 1]), (2, 0.0, [1] * 14), (8, 3.0, [3, 3, 2] * 7), (2, 3.0, [2] * 7)],
)
def test_a_chunk_is_filled_up_to_its_size_and_cells_are_not_divided_for_that(
    seeds: int, size: float, runs: list[int]
) -> None:
    """`size` is in runs of a cell, of seven that are alike."""
    study = Study.from_dict(table(design={"kind": "grid", "monitoring": np.linspace(0, 1, 7).tolist()}))
    cells, kept = list(enumerate(study.points, 1)), chunks.Kept(("fear",), 1, False, False)
    found = list(chunks.chunks(cells, (), 40, seeds, kept, int(size * cells[0][1].cost)))
    assert [chunk.runs for chunk in found] == runs
    assert [chunk.cost for chunk in found] == [number * cells[0][1].cost for number in runs]
    done = [(piece.number, piece.seed + k) for chunk in found for piece in chunk.pieces for k in range(piece.runs)]
    assert done == [(number, 40 + k) for number in range(1, 8) for k in range(seeds)]


@pytest.mark.usefixtures("small_chunks")
def test_fresh_starts_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = Study.from_dict(table())
    study.run(tmp_path / "r")
    seeds = counted(monkeypatch)
    assert not study.run(tmp_path / "r", fresh=True).missing
    assert len(seeds) == study.size


def test_a_run_that_fails_is_a_row_with_its_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = engine.run

    def fails_sometimes(p: Any, seed: int, organisations: bool = False) -> Any:
        if (seed == 1 and p.monitoring == 0.5) or (p.monitoring == 0.9 and p.months > 1):
            raise FloatingPointError("no\nnumber")
        return bare(p, seed, organisations)

    monkeypatch.setattr(engine, "run", fails_sometimes)
    told: list[tuple[Any, ...]] = []
    study = Study.from_dict(table(outcomes=MONTHLY))
    results = study.run(tmp_path / "r", progress=lambda *news: told.append(news))
    failed = results.runs[results.runs["error"].notna()]
    assert failed["error"].unique().tolist() == ["FloatingPointError: no number"]
    assert failed[["cell", "seed"]].values.tolist() == [[3, 1], [4, 1], *([c, s] for c in (5, 6) for s in range(3))]
    assert failed[["fear", "quality"]].isna().all().all()
    assert not results.missing and told[-1] == (18, 18, "8 failed")
    assert len(results.series()) == 10 * 6 and len(results.organisations()) == 10 * 6 * 2
    monkeypatch.setattr(engine, "run", bare)
    worked = results.series()[["cell", "seed"]].drop_duplicates().values.tolist()
    assert worked == results.runs[results.runs["error"].isna()][["cell", "seed"]].values.tolist()
    summary = results.summary().query("outcome == 'fear'")
    assert summary["n"].tolist() == [3, 3, 2, 2, 0, 0]


def _note(news: list[tuple[Any, ...]], *told: Any) -> None:
    news.append(told)


@pytest.mark.usefixtures("small_chunks")
def test_parts_merged_have_the_bytes_of_the_whole_and_no_run_is_done_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many parts there are, and also where a study has fewer chunks."""
    study = Study.from_dict(table(outcomes=MONTHLY))
    whole = study.run(tmp_path / "whole")
    for of in (1, 2, 5, 2 * len(study.chunks)):
        parts, seeds = tmp_path / str(of), counted(monkeypatch)
        for number in range(1, of + 1):
            news: list[tuple[Any, ...]] = []
            part = study.run(parts / str(number), part=(number, of), progress=partial(_note, news))
            assert news[-1][:2] == (len(part), len(part))
        assert len(seeds) == study.size
        merged = study.run(tmp_path / f"merged {of}", merge=parts)
        assert len(seeds) == study.size and same(merged, whole)
        for table_of in ("runs", "series", "organisations"):
            made = {path.name: path.read_bytes() for path in (merged.folder / table_of).iterdir()}
            assert made == {path.name: path.read_bytes() for path in (whole.folder / table_of).iterdir()}


@pytest.mark.usefixtures("small_chunks")
def test_what_no_part_has_whole_is_done_where_parts_are_merged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = Study.from_dict(table())
    for number in (1, 3):
        study.run(tmp_path / "parts" / str(number), part=(number, 3))
    harmed = study.chunks[0]
    (tmp_path / "parts" / "1" / "runs" / f"{harmed.id}.parquet").write_bytes(b"PAR1")
    missing = [harmed, *study.chunks[1::3]]
    seeds = counted(monkeypatch)
    merged = study.run(tmp_path / "merged", merge=tmp_path / "parts")
    assert sorted(seeds) == sorted(p.seed + k for chunk in missing for p in chunk.pieces for k in range(p.runs))
    assert same(merged, study.run(tmp_path / "whole"))
    study.run(tmp_path / "merged", merge=tmp_path / "parts")  # nothing is missing, so nothing need be found


def test_what_is_no_part_is_told_in_one_line(tmp_path: Path) -> None:
    study, other = Study.from_dict(table()), Study.from_dict(table(seed=100))
    precise = Study.from_dict(table(precision={"outcome": "fear", "half_width": 0.1, "maximum": 9}))
    other.run(tmp_path / "parts" / "1", part=(1, 1))
    for wrong, told in (
        ({"part": (0, 3)}, "part = 0: must be a whole number from 1 to 3"),
        ({"part": (4, 3)}, "part = 4: must be a whole number from 1 to 3"),
        ({"part": (1, 2), "merge": tmp_path}, "ask for one of the two"),
        ({"merge": tmp_path / "nowhere"}, "no parts here"),
        ({"merge": tmp_path / "parts"}, "holds no run of this study"),
    ):
        with pytest.raises(InputError, match=told) as error:
            study.run(tmp_path / "r", **wrong)
        assert len(error.value.lines) == 1
    with pytest.raises(InputError, match="all runs together decide"):
        precise.run(tmp_path / "r", part=(1, 2))
    assert not (tmp_path / "r" / "runs").exists()


KILLED = """
import sys, time
from sim.study import Study, chunks
chunks.BUDGET = 1_000
study = Study.load(sys.argv[1])
study.run(sys.argv[2], workers=2, progress=lambda *news: time.sleep(0.02))
"""


@pytest.mark.slow
def test_a_killed_study_goes_on_and_ends_with_the_same_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "BUDGET", 1_000)
    study = Study.from_dict(table(seeds=16, outcomes=MONTHLY))
    (tmp_path / "mine.toml").write_text(study.plan.toml())
    folder = tmp_path / "killed"
    environment = {**os.environ, "PYTHONPATH": str(Path(sim.__file__).parents[1])}
    for lines in (3, 20):
        command = [sys.executable, "-c", KILLED, str(tmp_path / "mine.toml"), str(folder)]
        ledger, limit = folder / "ledger", time.monotonic() + 600
        with subprocess.Popen(command, env=environment) as process:
            try:
                while not ledger.exists() or ledger.read_bytes().count(b"\n") < lines:
                    assert process.poll() is None and time.monotonic() < limit, "the study ended before it was killed"
                    time.sleep(0.001)
            finally:  # or its warning would be raised in whatever test comes later
                process.kill()
        assert process.returncode == -signal.SIGKILL
    (folder / "runs" / f".{study.chunks[0].id}.parquet.0123abcd.part").write_bytes(b"PAR1")
    partial = Results(folder)
    assert 0 < partial.missing < study.size and len(partial.runs) == study.size - partial.missing
    kept = files(folder)
    results = study.run(folder)
    assert same(results, study.run(tmp_path / "whole"))
    assert kept.items() <= files(folder).items()
    assert not list(folder.rglob("*.part"))


@pytest.mark.usefixtures("small_chunks")
def test_an_interruption_keeps_what_is_finished_and_leaves_no_threads(tmp_path: Path) -> None:
    study = Study.from_dict(table())

    def interrupt(done: int, *_: object) -> None:
        if done:
            raise KeyboardInterrupt

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        study.run(tmp_path / "r", progress=interrupt)
    deadline = time.monotonic() + 10  # a chunk under way ends with its present run
    while threading.active_count() > before:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert study.size > Results(tmp_path / "r").missing > 0
    assert not study.run(tmp_path / "r").missing


def line_of(study: Study, folder: Path, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        study.run(folder, **options)
    (line,) = caught.value.lines
    return line


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    study = Study.from_dict(table())
    assert line_of(study, tmp_path / "file") == f"{tmp_path}/file: cannot be written: Not a directory"
    assert line_of(study, tmp_path / "file/in") == f"{tmp_path}/file/in: cannot be written: Not a directory"
    assert line_of(study, tmp_path).startswith(f"{tmp_path}: holds other files (file) and no results")
    assert line_of(study, tmp_path, fresh=True).startswith(f"{tmp_path}: holds other files (file) and no results")
    assert (tmp_path / "file").read_text() == "mine" and len(list(tmp_path.iterdir())) == 1


def test_a_full_disk_is_one_line_and_finished_chunks_are_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "BUDGET", 1_000)
    study, calls, sync = Study.from_dict(table()), [0], os.fsync

    def full(file: int) -> None:
        calls[0] += 1
        if calls[0] > 12:
            raise OSError(28, "No space left on device")
        sync(file)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert line_of(study, tmp_path / "r") == f"{tmp_path}/r: cannot be written: No space left on device"
    assert 0 < Results(tmp_path / "r").missing < study.size
    assert len(Results(tmp_path / "r").runs) == study.size - Results(tmp_path / "r").missing
    assert not study.run(tmp_path / "r").missing


def test_a_second_process_on_the_same_folder_is_turned_away(tmp_path: Path) -> None:
    study = Study.from_dict(table())
    (tmp_path / "r").mkdir()
    with locked(tmp_path / "r"):
        assert line_of(study, tmp_path / "r").startswith(f"{tmp_path}/r: another process is writing here")
    assert not study.run(tmp_path / "r").missing


@pytest.mark.parametrize("workers", [0, -1, 1.5, True, 100_000])
def test_workers_are_a_whole_number(tmp_path: Path, workers: Any) -> None:
    line = line_of(Study.from_dict(table()), tmp_path / "r", workers=workers)
    assert line == f"workers = {workers}: must be a whole number from 1 to 1000"
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("size", ["systems", "organisations", "managers", "months"])
def test_the_estimate_of_a_huge_run_makes_a_small_one(monkeypatch: pytest.MonkeyPatch, size: str) -> None:
    made: list[Any] = []
    bare = engine.run
    monkeypatch.setattr(runner, "_PILOT_SECONDS", 0.0)
    monkeypatch.setattr(engine, "run", lambda p, seed: (made.append(p), bare(p, seed))[1])
    sizes = {"systems": 1, "organisations": 1, "managers": 2, "months": 24, size: 10_000 if size == "months" else 10**6}
    study = {"parameters": sizes, "design": {"kind": "grid", "monitoring": [0.1]}}
    assert Study.from_dict({**study, "local": [{"targets": 0.2, "organisations": [0]}]}).estimate(workers=1).seconds > 0
    assert max(p.systems * p.organisations * p.managers * p.months for p in made) < 2_000_000


def test_the_estimate_counts_runs_and_comes_near_the_size_on_disk(tmp_path: Path) -> None:
    study = Study.from_dict(table(seeds=200, outcomes={**MONTHLY, "organisations": False}))
    before = study.estimate(tmp_path / "r")
    assert (before.runs, before.done) == (1200, 0) and before.seconds > 0
    assert not (tmp_path / "r").exists()
    study.run(tmp_path / "r")
    after = study.estimate(tmp_path / "r")
    assert (after.done, after.seconds) == (1200, 0)
    size = sum(path.stat().st_size for path in (tmp_path / "r").rglob("*.parquet"))
    assert size / 2 < before.bytes < size * 2

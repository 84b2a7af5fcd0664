"""Folders of results from anybody, with every digest right: one line says what is wrong, soon and in little memory."""

from __future__ import annotations

import io
import os
import shutil
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import table
from mutations import signed

from sim import files
from sim.errors import InputError
from sim.report.study import save
from sim.study import Results, Study, store

Change = Callable[[pa.Table], pa.Table]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return (
        Study.from_dict(table(outcomes={"keep": ["fear"], "series": True, "organisations": True}))
        .run(tmp_path_factory.mktemp("hostile") / "r")
        .folder
    )


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "r"))


def file_of(folder: Path, name: str) -> Path:
    (path,) = (folder / name).iterdir()
    return path


def rewritten(path: Path, change: Change, **options: Any) -> None:
    content = io.BytesIO()
    pq.write_table(change(pq.read_table(path)), content, **options)
    path.write_bytes(content.getvalue())


def line_of(folder: Path) -> str:
    """The one line about a folder, all of whose tables are read within some seconds."""
    found: list[BaseException] = []

    def read() -> None:
        try:
            results = Results(folder)
            results.summary(), results.series(), results.organisations(), results.origin, results.is_sampled
            _ = results.study
            save(results)
        except BaseException as error:
            found.append(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(30.0)
    assert not thread.is_alive(), "it hangs"
    assert found, "nothing was noticed"
    assert isinstance(found[0], InputError), repr(found[0])
    (line,) = found[0].lines
    return line


def column(name: str, values: Any) -> Change:
    def change(rows: pa.Table) -> pa.Table:
        return rows.set_column(rows.column_names.index(name), name, values(rows) if callable(values) else values)

    return change


def constant(value: Any, kind: pa.DataType) -> Callable[[pa.Table], pa.Array]:
    return lambda rows: pa.array([value] * len(rows), kind)


TABLES: dict[str, Change] = {
    "text": column("fear", constant("x", pa.string())),
    "bytes": column("fear", constant(b"x", pa.binary())),
    "list": column("fear", constant([1.0], pa.list_(pa.float64()))),
    "struct": column("fear", constant({"a": 1.0}, pa.struct({"a": pa.float64()}))),
    "time": column("fear", constant(0, pa.timestamp("ms"))),
    "not a number": column("fear", constant(float("nan"), pa.float64())),
    "infinite": column("fear", constant(float("inf"), pa.float64())),
    "text in the design": column("monitoring", constant("x", pa.string())),
    "nothing in the design": column("monitoring", constant(None, pa.float64())),
    "no seed": column("seed", constant(None, pa.int64())),
    "a row less": lambda rows: rows.slice(1),
    "no rows": lambda rows: rows.slice(0, 0),
    "a column less": lambda rows: rows.drop_columns("fear"),
    "a column more": lambda rows: rows.append_column("more", rows["fear"]),
}


@pytest.mark.parametrize("name", ["runs", "series"])
@pytest.mark.parametrize("change", TABLES)
def test_a_table_of_another_shape_is_one_line(folder: Path, name: str, change: str) -> None:
    rewritten(file_of(folder, name), TABLES[change])
    signed(folder)
    line = line_of(folder)
    assert "missing or damaged" in line or "does not fit the ledger" in line


@pytest.mark.parametrize("name", ["error", "traceback"])
def test_a_table_without_a_text_is_one_line(folder: Path, name: str) -> None:
    rewritten(file_of(folder, "runs"), lambda rows: rows.drop_columns(name))
    signed(folder)
    assert "missing or damaged" in line_of(folder)


@pytest.mark.parametrize("months", [0, 1, 9, 2**31 - 1])
def test_months_that_do_not_fit_the_runs_are_one_line(folder: Path, months: int) -> None:
    rewritten(file_of(folder, "series"), column("month", constant(months, pa.int32())))
    signed(folder)
    assert "does not fit the ledger" in line_of(folder)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" * 1000, b"thesis" * 1000])
def test_a_file_that_is_no_table_is_one_line(folder: Path, content: bytes) -> None:
    file_of(folder, "runs").write_bytes(content)
    signed(folder)
    assert "missing or damaged" in line_of(folder)


def test_a_small_file_of_more_rows_than_fit_into_memory_is_not_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def many(rows: pa.Table) -> pa.Table:
        return pa.concat_tables([rows.slice(0, 1)] * 30_000)

    rewritten(file_of(folder, "runs"), many, compression="zstd")
    signed(folder, lambda entry: entry.update(runs=30_000) if "done" in entry else None)
    monkeypatch.setattr(pq.ParquetFile, "read", None)
    monkeypatch.setattr(store, "_LARGEST_TABLE", 2**20)
    assert "missing or damaged" in line_of(folder)


@pytest.mark.parametrize("name", ["runs", "series"])
def test_a_table_that_is_as_large_as_it_may_be_is_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = file_of(folder, name)
    footer = pq.ParquetFile(path).metadata
    size = max(footer.num_rows * footer.num_columns * 8, footer.row_group(0).total_byte_size, path.stat().st_size)
    monkeypatch.setattr(store, "_LARGEST_TABLE", size)
    assert len(Results(folder).runs if name == "runs" else Results(folder).series()) == footer.num_rows
    monkeypatch.setattr(store, "_LARGEST_TABLE", size - 1)
    assert "damaged" in line_of(folder)


def test_a_long_text_that_is_repeated_is_not_spelled_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_LARGEST_TABLE", 2**20)
    rewritten(file_of(folder, "runs"), column("error", constant("x" * 2**16, pa.string())))
    signed(folder)
    assert "missing or damaged" in line_of(folder)


@pytest.mark.parametrize("name", ["ledger", "study.toml", "runs", "series"])
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_a_pipe_or_a_device_in_the_place_of_a_file_is_one_line(folder: Path, name: str, kind: str) -> None:
    path = folder / name if (folder / name).is_file() else file_of(folder, name)
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    line = line_of(folder)
    assert "not a regular file" in line or "missing or damaged" in line


@pytest.mark.parametrize(
    "text",
    [b"", b"\xff\xfe", b"{", b"[1]", b"[" * 100_000, b'{"a": ' * 500 + b"1" + b"}" * 500, b'{"a": {"b": ["c"]}}', b"7"],
)
def test_a_provenance_that_is_none_is_left_out(folder: Path, text: bytes) -> None:
    def change(rows: pa.Table) -> pa.Table:
        return rows.replace_schema_metadata({b"provenance": text})

    rewritten(file_of(folder, "runs"), change)
    signed(folder)
    assert Results(folder).origin["computed_by"] == []


PLANS: dict[str, Callable[[dict[str, Any]], None]] = {
    "title too long": lambda plan: plan.update(title="x" * 2_000_000),
    "precision of what is not kept": lambda plan: plan.update(
        precision={"outcome": "harm", "half_width": 0.1, "maximum": 9}
    ),
    "precision without end": lambda plan: plan.update(
        precision={"outcome": "fear", "half_width": float("inf"), "maximum": 9}
    ),
    "a number as text": lambda plan: plan["kept"].update(window="4"),
    "a window of no months": lambda plan: plan["kept"].update(window=0),
    "precision without width": lambda plan: plan.update(precision={"outcome": "fear", "half_width": 0.0, "maximum": 9}),
    "a column that is none": lambda plan: plan["columns"].append("a column"),
    "no outcomes": lambda plan: plan["kept"].update(outcomes=[]),
    "an id that is a path": lambda plan: plan["chunks"][0].__setitem__(0, "../" * 10 + "ab"),
    "runs without end": lambda plan: plan["chunks"][0].__setitem__(1, [[1, 10**9 + 1]]),
}


@pytest.mark.parametrize("change", PLANS)
def test_a_plan_that_this_program_does_not_make_is_no_plan(folder: Path, change: str) -> None:
    signed(folder, lambda entry: PLANS[change](entry["plan"]) if "plan" in entry else None)
    assert "no results here" in line_of(folder)


@pytest.mark.slow
def test_a_title_of_combining_letters_is_shown(folder: Path) -> None:
    signed(
        folder, lambda entry: entry["plan"].update(title="Z" + "\u0335\u0321\u0300" * 99) if "plan" in entry else None
    )
    assert save(Results(folder))


def bomb(size: int) -> bytes:
    """A zip of a few kilobytes that would become so many bytes."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as kept:
        kept.writestr("values.npy", bytes(size))
    return content.getvalue()


def test_what_would_be_larger_than_it_may_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_CONTENT", 2**20)
    assert files.unzipped(bomb(2**20)) == {"values.npy": bytes(2**20)}
    rows = pa.table({"a": pa.array([0.0] * 2**17), "b": pa.array(["x"] * 2**17)})
    long = pa.table({"a": pa.array(["x" * 2**12] * 2**10)})
    large = bomb(2**20 + 1)
    monkeypatch.setattr(zipfile.ZipFile, "open", None)  # not one byte of it
    with pytest.raises(ValueError, match="larger than it may be"):
        files.unzipped(large)
    for each in (rows, long):
        content = io.BytesIO()
        pq.write_table(each, content, compression="zstd")
        with pytest.raises(ValueError, match="larger than it may be"):
            files.parquet(content.getvalue())


@pytest.mark.parametrize("content", [bomb(2**20), b"PK\x05\x06" + bytes(18), b"", b"thesis"])
def test_a_block_that_is_none_is_computed_again_whatever_its_digest_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setattr(files, "MOST_CONTENT", 2**16)
    kept = files.Folder(tmp_path / "kept", "arrays")
    kept.put("a.npz", content)
    found = files.Folder(tmp_path / "kept", "arrays").arrays("a", lambda: {"values": np.arange(3.0)})
    assert found["values"].tolist() == [0.0, 1.0, 2.0]

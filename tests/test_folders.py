"""What a folder of ours promises: which files count as ours, what is cleared away, and what is refused unread."""

from __future__ import annotations

import io
import json
import os
import time
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sim import files
from sim.errors import InputError


def half(folder: Path, name: str, age: float = 0.0) -> Path:
    """What a killed process left of a file, not touched for `age` seconds."""
    path = folder / f".{name}.0123abcd.part"
    path.write_bytes(b"half")
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def line_of(error: pytest.ExceptionInfo[InputError]) -> str:
    (line,) = error.value.lines
    return line


def test_what_is_read_fits_into_a_small_memory() -> None:
    assert files.MOST_BYTES < files.MOST_CONTENT <= 2**30


def test_a_file_is_read_up_to_its_limit_and_nothing_but_a_file_is(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 10)
    assert files.read(tmp_path / "file", 10) == b"x" * 10
    for most, path in ((9, tmp_path / "file"), (10, tmp_path)):
        with pytest.raises(OSError, match=r"larger than|not a regular file|Is a directory"):
            files.read(path, most)


@pytest.mark.parametrize("count", [3, 4])
def test_what_is_unzipped_is_believed_up_to_the_limit(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for number in range(count):
            made.writestr(str(number), b"0123456789")
    monkeypatch.setattr(files, "MOST_CONTENT", 30)
    if count == 3:
        assert files.unzipped(buffer.getvalue()) == dict.fromkeys("012", b"0123456789")
    else:
        with pytest.raises(ValueError, match="larger than it may be"):
            files.unzipped(buffer.getvalue())


def test_a_table_is_read_up_to_the_limit_in_numbers_and_in_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    for table, most in (
        (pa.table({"a": np.arange(1000.0), "b": np.arange(1000)}), None),
        (pa.table({"a": np.zeros(1000), "b": np.zeros(1000)}), 16_000),
        (pa.table({"a": ["twelve bytes"] * 1000}), 12_000),
        (pa.table({"a": pa.array(["twelve bytes", None] * 500, pa.large_string())}), 12_000),
    ):
        buffer = io.BytesIO()
        pq.write_table(table, buffer)
        limit = most or pq.ParquetFile(buffer).metadata.row_group(0).total_byte_size  # columns that cannot be packed
        monkeypatch.setattr(files, "MOST_CONTENT", limit)
        assert files.parquet(buffer.getvalue()).equals(table)
        monkeypatch.setattr(files, "MOST_CONTENT", limit - 1)
        with pytest.raises(ValueError, match="larger than it may be"):
            files.parquet(buffer.getvalue())


def test_what_killed_processes_left_is_removed_where_it_is_ours_and_old_enough(tmp_path: Path) -> None:
    half(tmp_path, "a", 50.0), half(tmp_path, "b", 500.0), half(tmp_path, "c", 500.0)
    (tmp_path / ".a.89abcdef.part").mkdir()
    files.sweep(tmp_path, {"a", "b"}, 100.0)
    assert names(tmp_path) == {".a.0123abcd.part", ".c.0123abcd.part", ".a.89abcdef.part"}
    files.sweep(tmp_path, {"a"})
    assert names(tmp_path) == {".c.0123abcd.part", ".a.89abcdef.part"}


def test_what_a_user_asked_for_replaces_only_what_holds_our_mark(tmp_path: Path) -> None:
    path = tmp_path / "picture"
    half(tmp_path, "picture", 2 * files.STALE), half(tmp_path, "other", 2 * files.STALE)
    files.write_new(path, b"mark 1", b"mark")
    assert names(tmp_path) == {"picture", ".other.0123abcd.part"}
    files.write_new(path, b"mark 2", b"mark")
    (tmp_path / "link").symlink_to(path)
    (tmp_path / "lost").symlink_to(tmp_path / "nowhere")
    for name, mark in (("picture", b""), ("picture", b"brand"), ("link", b"mark"), ("lost", b"mark")):
        with pytest.raises(InputError, match="is there already, and is left as it is"):
            files.write_new(tmp_path / name, b"new", mark)
    assert path.read_bytes() == b"mark 2"
    with pytest.raises(InputError, match="a null character in its name"):
        files.write_new(tmp_path / "a\0b", b"")


def test_a_failed_write_leaves_what_was_there_and_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = files.Folder(tmp_path, "things")
    folder.fill({"a": b"1"}, "first")

    def refused(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for call in ("replace", "fsync"):
        with monkeypatch.context() as patch:
            patch.setattr(os, call, refused)
            with pytest.raises(OSError, match="No space"):
                files.write(tmp_path / "a", b"2")
            with pytest.raises(InputError, match="No space"):
                folder.fill({"a": b"2", "b": b"3"}, "first")
        assert (tmp_path / "a").read_bytes() == b"1"
        assert not list(tmp_path.glob(".*"))
    folder.fill({"a": b"2"}, "second")
    assert folder.is_fresh("second", ["a"]) and not folder.is_fresh("first", ["a"])
    assert not folder.is_fresh("second", ["a", "b"])


def test_the_list_of_a_folder_is_written_where_it_says_something_new_or_is_not_there(tmp_path: Path) -> None:
    folder = files.Folder(tmp_path / "ours", "things")
    folder.reserve([])
    mark = tmp_path / "ours" / files.MANIFEST

    def is_written(names: list[str], of: str | None = None) -> bool:
        if mark.exists():
            os.utime(mark, (0, 0))
        folder.reserve(names, of)
        return mark.stat().st_mtime > 0

    assert [is_written([]), is_written(["a"]), is_written(["a"]), is_written([], "b"), is_written([])] == [
        False, True, False, True, False,
    ]  # fmt: skip
    mark.unlink()
    assert is_written([])
    assert json.loads(mark.read_bytes()) == {"made_by": files.OURS, "what": "things", "of": "b", "files": {"a": ""}}
    (tmp_path / "ours" / "c").write_text("theirs")
    with pytest.raises(InputError, match="c: is not this program's"):
        folder.reserve(["a", "c"])
    folder.put("a", b"1")
    again = files.Folder(tmp_path / "ours", "things")
    assert (again.of, again.files, again.content("a")) == ("b", {"a": files.digest(b"1")}, b"1")
    assert again.content("c") is None


def test_a_folder_is_checked_before_work_begins_and_not_made(tmp_path: Path) -> None:
    files.Folder(tmp_path / "a" / "b", "things").check()
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError) as error:
        files.Folder(tmp_path / "file", "things", marked=True).check()
    assert "file: cannot be written: " in line_of(error)
    assert names(tmp_path) == {"file"}


def test_interrupted_work_is_gone_on_with_and_what_was_half_written_is_not(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    with files.keeping(folder, "work") as kept:
        kept.put("whole", b"1")
        kept.reserve(["torn"])
        (folder / "torn").write_bytes(b"half")
        with pytest.raises(InputError, match="another process"), files.keeping(folder, "work"):
            pass
    half(folder, "whole"), half(folder, "manifest.json"), half(folder, "theirs")
    with files.keeping(folder, "work") as kept:
        assert list(kept.files) == ["whole"] and kept.content("whole") == b"1"
        assert names(folder) == {"whole", files.MANIFEST, files.LOCK, ".theirs.0123abcd.part"}
    with pytest.raises(InputError, match="holds work, not play"), files.keeping(folder, "play"):
        pass
    files.forget(folder)
    assert names(folder) == {".theirs.0123abcd.part"}


def test_a_new_folder_to_keep_work_in_is_ours_at_once_and_gone_when_it_is_forgotten(tmp_path: Path) -> None:
    with files.keeping(tmp_path / "kept", "work"):
        assert files.held(tmp_path / "kept") == "work"
    files.forget(tmp_path / "kept")
    assert not (tmp_path / "kept").exists() and files.held(tmp_path / "kept") is None


def test_what_is_somebody_elses_in_a_folder_without_our_mark(tmp_path: Path) -> None:
    files.Folder(tmp_path / "ours", "things").fill({"a": b"1"})
    (tmp_path / "empty" / "in it").mkdir(parents=True)
    (tmp_path / "lock").touch()
    half(tmp_path, "manifest.json"), half(tmp_path, "ledger")
    assert files.others(tmp_path) == [] == files.others(tmp_path / "missing")
    (tmp_path / "link").symlink_to(tmp_path / "ours")
    (tmp_path / "empty" / "in it" / "thesis").touch()
    (tmp_path / "manifest.json").touch()
    half(tmp_path, "report")
    (tmp_path / "lock").write_text("mine")
    assert sorted(files.others(tmp_path)) == ["empty", "link", "lock", "manifest.json", "report"]


def test_a_mark_that_is_none_of_ours_is_none(tmp_path: Path) -> None:
    for text in ("[]", "{", "{}", '{"made_by": "leadership-sim", "files": []}', '{"made_by": "x", "files": {}}'):
        (tmp_path / files.MANIFEST).write_text(text)
        assert files.held(tmp_path) is None
        with pytest.raises(InputError, match=r"holds other files \(manifest.json\)"):
            files.Folder(tmp_path, "things")
    (tmp_path / files.MANIFEST).write_text('{"made_by": "leadership-sim", "files": {"manifest.json": "", "a": ""}}')
    assert files.Folder(tmp_path, "None").files == {"a": ""}


def test_no_damaged_or_empty_archive_counts_as_arrays(tmp_path: Path) -> None:
    folder, calls = files.Folder(tmp_path / "kept", "work"), []

    def compute() -> files.Arrays:
        calls.append(1)
        return {"x": np.arange(3.0)}

    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    for content in (b"no archive", empty.getvalue()):
        folder.put("a.npz", content)
        assert folder.arrays("a", compute)["x"].tolist() == [0.0, 1.0, 2.0]
    assert folder.arrays("a", compute).keys() == {"x"} and len(calls) == 2

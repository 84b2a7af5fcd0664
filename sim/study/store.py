"""A study's folder: Parquet files of finished chunks, and a ledger of what was planned and what is done.

``study.toml`` is the study as resolved. ``runs/`` holds one Parquet file for each finished chunk, ``series/`` and
``organisations/`` the monthly tables where they are kept. Chunks that the present study has no use for lie in
``earlier/`` until it has again. ``ledger`` has a JSON object on each line, and is only ever added to: a plan (which
chunks make up the study, in order) or a finished chunk (with a digest of each of its files). Of several lines about
one thing the last one counts, and a line that was cut off does not.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sim.errors import InputError
from sim.outcomes import OUTCOMES, POST_COLUMNS
from sim.run import provenance
from sim.study.chunks import Chunk, model_version
from sim.study.compute import TABLES, Tables
from sim.study.ledger import FORMAT, is_ours
from sim.study.lock import locked
from sim.study.mistakes import place

_EARLIER = "earlier"
_TEMPORARY = ".part"
_WRITTEN = {"ledger", "lock", _EARLIER, *TABLES}
_STUDY = "study.toml"

Plan = dict[str, Any]
Done = dict[str, Any]


def plan_of(chunks: Sequence[Chunk], title: str, precision: dict[str, Any] | None = None) -> Plan:
    """The ledger's account of a study: for each chunk its id and, cell by cell, how many runs it has.

    `precision` is what the section says, for a study that has one.
    """
    first = chunks[0]
    return {
        **({"precision": precision} if precision else {}),
        "format": FORMAT,
        "title": title,
        "model": model_version(),
        "columns": list(first.columns),
        "kept": {**asdict(first.kept), "outcomes": list(first.kept.outcomes)},
        "chunks": [[chunk.id, [[piece.number, piece.runs] for piece in chunk.pieces]] for chunk in chunks],
    }


class Store:
    """The files of one folder. Reading needs no lock: what is there is complete, because files are renamed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plan: Plan | None = None
        self.done: dict[str, Done] = {}
        self._read_ledger()

    @property
    def _ledger(self) -> Path:
        return self.folder / "ledger"

    def _read_ledger(self) -> None:
        try:
            text = self._ledger.read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise InputError([f"{place(self._ledger)}: cannot be read: {error.strerror}"]) from None
        for entry in filter(is_ours, map(_entry, text.splitlines())):
            if "plan" in entry:
                self.plan = entry["plan"]
            elif "done" in entry:
                self.done[entry["done"]] = entry
        if self.plan and self.plan["format"] > FORMAT:
            raise InputError([f"{place(self.folder)}: written by a newer version of this program; update to read it"])

    def file(self, table: str, chunk: str) -> Path:
        """Where a chunk's table lies."""
        return self.folder / table / f"{chunk}.parquet"

    def older_than(self, paths: Iterable[Path]) -> bool:
        """Whether all these files were written after the last entry of the ledger, as far as the clock can be trusted:
        what comes from the future may be older than it says.
        """
        with suppress(OSError):
            last = self._ledger.stat().st_mtime_ns
            return all(last < path.stat().st_mtime_ns <= time.time_ns() for path in paths)
        return False

    def is_done(self, chunk: str) -> bool:
        """Whether a chunk is finished and none of its files is missing or damaged."""
        files = self.done.get(chunk, {}).get("files", {})
        return bool(files) and all(self._bytes(table, chunk) is not None for table in files)

    def read(self, table: str, chunk: str, columns: list[str] | None = None) -> pa.Table | None:
        """A chunk's table, or some columns of it, or None where it is not there, whole and as it was written."""
        found = self._bytes(table, chunk)
        return None if found is None else pq.read_table(pa.BufferReader(found), columns=columns)

    def _bytes(self, table: str, chunk: str) -> bytes | None:
        for folder in (self.folder, self.folder / _EARLIER):
            with suppress(OSError):
                found = (folder / table / f"{chunk}.parquet").read_bytes()
                if _digest(found) == self.done[chunk]["files"].get(table):
                    return found
        return None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """The folder to oneself: made where it is missing, freed of what a killed run left half-written.

        Raises `InputError` with one line where the folder cannot be written, where it holds other things, or where
        another process is writing to it. The methods below, which are used within, raise it for a full disk.
        """
        with ExitStack() as stack:
            with self._explained():
                self._check_ours()
                self.folder.mkdir(parents=True, exist_ok=True)
                stack.enter_context(locked(self.folder))
                self._read_ledger()
                for left in (_STUDY, *(f"{table}/*.parquet" for table in TABLES)):
                    for file in self.folder.glob(left + _TEMPORARY):
                        file.unlink()
            yield

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise InputError([f"{place(self.folder)}: cannot be written: {error.strerror or error}"]) from None

    def _check_ours(self) -> None:
        """Refuse a folder with other people's files in it; one that was killed at its birth has only a lock."""
        with suppress(FileNotFoundError):
            there = {path.name for path in self.folder.iterdir()}
            if "ledger" not in there and there - {"lock"}:
                raise InputError([f"{place(self.folder)}: holds other files and no results; choose another folder"])
            if links := sorted(name for name in there & _WRITTEN if (self.folder / name).is_symlink()):
                line = f"{links[0]} leads elsewhere, where nothing may be written; put a copy in the place of the link"
                raise InputError([f"{place(self.folder)}: {line}"])

    def clear(self) -> None:
        """Forget all that is done. Only what this class writes is removed; the ledger stays, which says whose it is."""
        with self._explained():
            for table in TABLES:
                for folder in (self.folder, self.folder / _EARLIER):
                    for file in (folder / table).glob("*.parquet"):
                        file.unlink()
            self._ledger.write_bytes(b"")
        self.plan, self.done = None, {}

    def adopt(self, plan: Plan, study: str) -> None:
        """Make a plan the present one: put chunks that it does not have aside and take back those that it has."""
        wanted = {chunk for chunk, _ in plan["chunks"]}
        with self._explained():
            for table in TABLES:
                here, aside = self.folder / table, self.folder / _EARLIER / table
                for file in here.glob("*.parquet"):
                    if file.stem not in wanted:
                        _move(file, aside)
                for file in aside.glob("*.parquet"):
                    if file.stem in wanted:
                        _move(file, here)
            if self.plan != plan:
                self._append({"plan": plan})
                self.plan = plan
            _write(self.folder / _STUDY, study.encode())

    def save(self, chunk: Chunk, tables: Tables, failed: int) -> None:
        """Write a finished chunk; the ledger's line comes last, so a chunk is there as a whole or not at all."""
        files = {}
        with self._explained():
            for name, table in tables.items():
                content = encoded(table, chunk)
                _write(self.file(name, chunk.id), content)
                files[name] = _digest(content)
            entry = {"done": chunk.id, "runs": chunk.runs, "failed": failed, "files": files}
            self._append(entry)
        self.done[chunk.id] = entry

    def _append(self, entry: dict[str, Any]) -> None:
        with self._ledger.open("ab+") as ledger:
            if ledger.tell() and (ledger.seek(-1, os.SEEK_END), ledger.read())[1] != b"\n":
                ledger.write(b"\n")  # the line before was cut off
            ledger.write(json.dumps({**entry, "check": _check(entry)}).encode() + b"\n")
            ledger.flush()
            os.fsync(ledger.fileno())


def encoded(table: pa.Table, chunk: Chunk) -> bytes:
    """A table as the content of a Parquet file, with the provenance in its metadata."""
    made = {"provenance": {**provenance(), "model": model_version()}, "chunk": chunk.id}
    metadata = {name: value if isinstance(value, str) else json.dumps(value) for name, value in made.items()}
    repeated = [name for name in table.column_names if name not in OUTCOMES | POST_COLUMNS]
    options = {"compression": "zstd", "write_statistics": False, "store_schema": False}
    buffer = io.BytesIO()
    with pq.ParquetWriter(buffer, table.schema, use_dictionary=repeated, **options) as writer:
        writer.add_key_value_metadata(metadata)
        writer.write_table(table)
    return buffer.getvalue()


def _entry(line: str) -> dict[str, Any]:
    """What a line of the ledger says, or nothing where it was cut off or changed; lines without a check are older."""
    with suppress(ValueError, RecursionError):
        found = json.loads(line)
        if isinstance(found, dict) and found.pop("check", None) in (None, _check(found)):
            return found
    return {}


def _check(entry: dict[str, Any]) -> str:
    return _digest(json.dumps(entry).encode())


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _move(file: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    file.replace(folder / file.name)


def _write(path: Path, content: bytes) -> None:
    """Write a file so that it is there as a whole or not at all, whenever the power goes."""
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_name(path.name + _TEMPORARY)
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    if os.name == "posix":  # the renaming itself
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

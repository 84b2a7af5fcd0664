"""A study's folder: Parquet files of finished chunks, and a ledger of what was planned and what is done.

``ledger`` is the mark of a study's folder: without a line of ours in it the folder is somebody else's, and nothing is
written. Only files whose names a ledger of ours holds are ever deleted or moved.

``study.toml`` is the study as resolved. ``runs/`` holds one Parquet file for each finished chunk, ``series/`` and
``organisations/`` the monthly tables where they are kept. Chunks that the present study has no use for lie in
``earlier/`` until it has again. ``ledger`` has a JSON object on each line, and is only ever added to: first the mark,
then a plan (which chunks make up the study, in order) or a finished chunk (with a digest of each of its files). Of
several lines about one thing the last one counts.

A folder of results may come from anybody. A name in its ledger becomes part of a path, so only names that this
program gives are let through; a line with another one, or in another shape, counts as little as one that was cut off.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sim import files
from sim.errors import InputError, place
from sim.model.outcomes import OUTCOMES, POST_COLUMNS
from sim.model.run import provenance
from sim.model.version import identity
from sim.study.chunks import MADE_BY, Chunk
from sim.study.compute import TABLES, Tables

FORMAT = 1
_EARLIER = "earlier"
_WRITTEN = {files.LEDGER, files.LOCK, _EARLIER, *TABLES}
_STUDY = "study.toml"
_LARGEST_TABLE = 2**31  # bytes
_MARK = {"made_by": files.OURS}

Plan = dict[str, Any]
Done = dict[str, Any]
Id = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Text = Annotated[str, Field(max_length=300)]
Number = Annotated[int, Field(ge=1, le=10**9)]
Runs = Annotated[tuple[Number, Number], Field(strict=False)]  # lists in JSON
if TYPE_CHECKING:
    Outcome = str
else:
    Outcome = Literal[tuple(OUTCOMES)]


class _Line(BaseModel):
    model_config = ConfigDict(strict=True)


class _Kept(_Line):
    outcomes: list[Outcome] = Field(min_length=1)
    window: Number
    series: bool
    organisations: bool


class _Precision(_Line):
    outcome: Outcome
    half_width: float = Field(gt=0, allow_inf_nan=False)
    maximum: Number


class _Plan(_Line):
    format: Literal[1]
    title: Text
    model: Text
    columns: list[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(@[0-9]+)?$")]]
    kept: _Kept
    chunks: list[Annotated[tuple[Id, list[Runs]], Field(strict=False)]]
    precision: _Precision | None = None

    @model_validator(mode="after")
    def _is_kept(self) -> _Plan:
        if self.precision and self.precision.outcome not in self.kept.outcomes:
            raise ValueError("the outcome that has to be precise is not kept")
        return self


class _Mark(_Line):
    made_by: Literal["leadership-sim"]


class _Planned(_Line):
    plan: _Plan


class _Done(_Line):
    done: Id
    runs: Number
    failed: Annotated[int, Field(ge=0, le=10**9)]
    files: dict[Literal["runs", "series", "organisations"], Id]


def is_ours(entry: dict[str, Any]) -> bool:
    """Whether a line of the ledger is one that this program writes, or the plan of a newer version."""
    plan = entry.get("plan")
    if isinstance(plan, dict) and isinstance(made := plan.get("format"), int) and made > FORMAT:
        return True
    try:
        (_Planned if "plan" in entry else _Done if "done" in entry else _Mark).model_validate(entry)
    except ValidationError:
        return False
    return True


def plan_of(chunks: Sequence[Chunk], title: str, precision: dict[str, Any] | None = None) -> Plan:
    """The ledger's account of a study: for each chunk its id and, cell by cell, how many runs it has.

    `precision` is what the section says, for a study that has one.
    """
    first = chunks[0]
    return {
        **({"precision": precision} if precision else {}),
        "format": FORMAT,
        "title": title,
        "model": identity(*MADE_BY),
        "columns": list(first.columns),
        "kept": {**asdict(first.kept), "outcomes": list(first.kept.outcomes)},
        "chunks": [[chunk.id, [[piece.number, piece.runs] for piece in chunk.pieces]] for chunk in chunks],
    }


class Store:
    """The files of one folder. Reading needs no lock: what is there is complete, because files are renamed.

    `plan` is the present one, where the folder holds a study; `done` has the ledger's line about each finished chunk;
    `named` is every chunk that the ledger names, of earlier plans, too; `digest` is a hash of the ledger as it was
    read, and so of all that is known about the runs.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self._ledger = folder, folder / files.LEDGER
        self.plan: Plan | None = None
        self.done: dict[str, Done] = {}
        self.named: set[str] = set()
        self.digest = ""
        self._is_ours = False
        self._read_ledger()

    def _read_ledger(self) -> None:
        with files.explained(self._ledger, "read"), suppress(FileNotFoundError, NotADirectoryError):
            content = files.read(self._ledger)
            self.digest = files.digest(content)
            for entry in filter(is_ours, map(_entry, content.decode("utf-8", "replace").splitlines())):
                self._is_ours = True
                if plan := entry.get("plan"):
                    if plan["format"] > FORMAT:
                        line = "written by a newer version of this program; update to read it"
                        raise InputError([f"{place(self.folder)}: {line}"])
                    self.plan = plan
                    self.named |= {chunk for chunk, _ in plan["chunks"]}
                elif "done" in entry:
                    self.done[entry["done"]] = entry
            self.named |= self.done.keys()

    def file(self, table: str, chunk: str) -> Path:
        """Where a chunk's table lies."""
        return self.folder / table / f"{chunk}.parquet"

    def has(self, chunk: str) -> bool:
        """Whether a chunk is finished and its files are there, whatever is in them."""
        written = self.done.get(chunk, {}).get("files", {})
        return bool(written) and all(self.file(table, chunk).exists() for table in written)

    def is_done(self, chunk: str) -> bool:
        """Whether a chunk is finished and none of its files is missing or damaged."""
        written = self.done.get(chunk, {}).get("files", {})
        return bool(written) and all(self._bytes(table, chunk) is not None for table in written)

    def read(self, table: str, chunk: str, schema: pa.Schema, columns: list[str] | None = None) -> pa.Table | None:
        """A chunk's table, or some columns of it, or None where it is not there, whole and as this program writes it.

        A folder may come from anybody, with digests that are right: what would not fit into memory is not read.
        """
        if (content := self._bytes(table, chunk)) is None:
            return None
        runs = self.done[chunk]["runs"] if table == "runs" else None
        with suppress(pa.ArrowException, OSError, ValueError, LookupError):  # a damaged file makes its reader raise
            return _checked(content, schema, runs, columns)
        return None

    def _bytes(self, table: str, chunk: str) -> bytes | None:
        for folder in (self.folder, self.folder / _EARLIER):
            with suppress(OSError):
                found = files.read(folder / table / f"{chunk}.parquet", _LARGEST_TABLE)
                if files.digest(found) == self.done[chunk]["files"].get(table):
                    return found
        return None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """The folder to oneself: made where it is missing, freed of what a killed run left half-written.

        Raises `InputError` with one line where the folder cannot be written, where it holds other things, or where
        another process is writing to it. The methods below, which are used within, raise it for a full disk.
        """
        with ExitStack() as stack:
            with files.explained(self.folder):
                if not self._is_ours and (left := files.others(self.folder)):
                    self._read_ledger()  # of another process, which has made the folder ours meanwhile
                    if not self._is_ours:
                        line = f"holds other files ({left[0]}) and no results; choose another folder"
                        raise InputError([f"{place(self.folder)}: {line}"])
                if links := [name for name in sorted(_WRITTEN) if (self.folder / name).is_symlink()]:
                    line = f"{links[0]} leads elsewhere, where nothing may be written; put a copy in its place"
                    raise InputError([f"{place(self.folder)}: {line}"])
                stack.enter_context(files.locked(self.folder))
                self._read_ledger()
                files.sweep(self.folder, {files.LEDGER, _STUDY})
                for table in TABLES:
                    files.sweep(self.folder / table, {f"{chunk}.parquet" for chunk in self.named})
                if not self._is_ours:
                    files.write(self._ledger, _line(_MARK))
            yield

    def clear(self) -> None:
        """Forget all that is done. Only files of chunks that the ledger names are removed."""
        with files.explained(self.folder):
            for table in TABLES:
                for folder in (self.folder / table, self.folder / _EARLIER / table):
                    for chunk in self._named_in(folder):
                        (folder / f"{chunk}.parquet").unlink()
                    if folder.exists():
                        files.sync(folder)  # or a crash could bring back files that no ledger names any more
            files.write(self._ledger, _line(_MARK))
        self.plan, self.done, self.named = None, {}, set()

    def adopt(self, plan: Plan, study: str) -> None:
        """Make a plan the present one: put chunks that it does not have aside and take back those that it has."""
        wanted = {chunk for chunk, _ in plan["chunks"]}
        with files.explained(self.folder):
            for table in TABLES:
                here, aside = self.folder / table, self.folder / _EARLIER / table
                moves = [(here, chunk, aside) for chunk in self._named_in(here) - wanted]
                moves += [(aside, chunk, here) for chunk in self._named_in(aside) & wanted]
                for source, chunk, target in moves:
                    files.make(target)
                    (source / f"{chunk}.parquet").replace(target / f"{chunk}.parquet")
                for folder in (aside, here) if moves else ():
                    files.sync(folder)
            self.named |= wanted
            if self.plan != plan:
                self._append({"plan": plan})
                self.plan = plan
            files.write(self.folder / _STUDY, study.encode())

    def _named_in(self, folder: Path) -> set[str]:
        """The chunks that the ledger names among the files of a folder."""
        return self.named & {file.stem for file in folder.glob("*.parquet")}

    @property
    def has_earlier(self) -> bool:
        """Whether chunks of the study as it was before it was changed are kept."""
        return any(self._named_in(self.folder / _EARLIER / table) for table in TABLES)

    def save(self, chunk: Chunk, tables: Tables, failed: int) -> None:
        """Write a finished chunk; the ledger's line comes last, so a chunk is there as a whole or not at all."""
        written = {}
        with files.explained(self.folder):
            for name, table in tables.items():
                content = encoded(table, chunk)
                files.make(self.folder / name)
                files.write(self.file(name, chunk.id), content)
                written[name] = files.digest(content)
            entry = {"done": chunk.id, "runs": chunk.runs, "failed": failed, "files": written}
            self._append(entry)
        self.done[chunk.id] = entry

    def take(self, chunk: str, other: Store) -> bool:
        """Copy a chunk that is finished in another folder; False where it is not, or where its files are damaged."""
        entry = other.done.get(chunk, {})
        contents = {table: other._bytes(table, chunk) for table in entry.get("files", {})}
        if not contents or None in contents.values():
            return False
        with files.explained(self.folder):
            for table, content in contents.items():
                files.make(self.folder / table)
                files.write(self.file(table, chunk), content or b"")
            self._append(entry)
        self.done[chunk] = entry
        return True

    def _append(self, entry: dict[str, Any]) -> None:
        with self._ledger.open("ab+") as ledger:
            if ledger.tell():
                ledger.seek(-1, os.SEEK_END)
                if ledger.read() != b"\n":
                    ledger.write(b"\n")  # the line before was cut off
            ledger.write(_line(entry))
            ledger.flush()
            os.fsync(ledger.fileno())


def encoded(table: pa.Table, chunk: Chunk) -> bytes:
    """A table as the content of a Parquet file, with the provenance in its metadata."""
    made = json.dumps({**provenance(), "model": identity(*MADE_BY)})
    repeated = [name for name in table.column_names if name not in OUTCOMES | POST_COLUMNS]
    options = {"compression": "zstd", "write_statistics": False, "store_schema": False}
    buffer = io.BytesIO()
    with pq.ParquetWriter(buffer, table.schema, use_dictionary=repeated, **options) as writer:
        writer.add_key_value_metadata({"provenance": made, "chunk": chunk.id})
        writer.write_table(table)
    return buffer.getvalue()


def _checked(content: bytes, schema: pa.Schema, runs: int | None, columns: list[str] | None) -> pa.Table | None:
    """A table from the content of a Parquet file, or None where it is not one that this program writes."""
    texts = [field.name for field in schema if field.type == pa.string()]
    file = pq.ParquetFile(pa.BufferReader(content), read_dictionary=texts)  # a text that is repeated takes little then
    footer = file.metadata
    groups = [footer.row_group(k).total_byte_size for k in range(footer.num_row_groups)]
    size = max(footer.num_rows * len(schema) * 8, *groups)
    kinds = [pa.dictionary(pa.int32(), pa.string()) if field.name in texts else field.type for field in schema]
    if file.schema_arrow.names != schema.names or file.schema_arrow.types != kinds or size > _LARGEST_TABLE:
        return None
    table = file.read(columns)
    for name in set(texts) & set(table.column_names):
        for part in table[name].chunks:
            longest = pc.max(pc.binary_length(part.dictionary)).as_py() or 0
            if len(part) * longest > _LARGEST_TABLE:
                return None
    table = table.cast(pa.schema([schema.field(name) for name in table.column_names]))
    return table if runs in (None, len(table)) and all(map(_is_sound, table.column_names, table.columns)) else None


def _is_sound(name: str, values: pa.ChunkedArray) -> bool:
    """Whether a column has no number that is not finite, and nothing missing but the outcomes of runs that failed."""
    if pa.types.is_floating(values.type) and not pc.all(pc.is_finite(values), min_count=0).as_py():
        return False
    return values.null_count == 0 or name in OUTCOMES or name in ("error", "traceback")


def _entry(line: str) -> dict[str, Any]:
    """What a line of the ledger says, or nothing where it was cut off or changed; lines without a check are older."""
    with suppress(ValueError, RecursionError):
        found = json.loads(line)
        if isinstance(found, dict) and found.pop("check", None) in (None, files.digest(json.dumps(found).encode())):
            return found
    return {}


def _line(entry: dict[str, Any]) -> bytes:
    return json.dumps({**entry, "check": files.digest(json.dumps(entry).encode())}).encode() + b"\n"

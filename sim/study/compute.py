"""The runs of a chunk, and what is kept of them as Arrow tables."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sim.errors import InputError, StudyStopped
from sim.model import engine
from sim.model import record as recording
from sim.model.outcomes import POST_COLUMNS
from sim.model.parameters import SIZES, Parameters, resolve
from sim.study.chunks import Chunk, Piece
from sim.study.design import TEXTS

Tables = dict[str, pa.Table]
"""The tables of a chunk: "runs", and "series" and "organisations" where they are kept."""

_LONGEST_ERROR, _LONGEST_TRACEBACK = 500, 4_000


class Stopped(Exception):
    """The work was called off."""


def lacking(error: Exception) -> StudyStopped:
    """What is told of memory, disk or files that a machine lacks: no result of the model, so it is never stored."""
    what = "memory" if isinstance(error, MemoryError) else "what a run needs"
    return StudyStopped(f"this machine lacks {what} ({_one_line(error)}); what is finished is kept")


def measured(column: str) -> str:
    """A design's column among the means of organisations, two of which have a lever's name."""
    return f"design_{column}" if column in POST_COLUMNS else column


def compute(chunk: Chunk, stopped: Callable[[], bool] = lambda: False) -> Tables:
    """Run a chunk.

    What comes back is "runs": a row for each run in order: the design's columns, ``seed``, the outcomes averaged over
    the window, ``error`` and ``traceback``, null unless the run failed (then the outcomes are null). "series": a row
    for each month of each run that did not fail. "organisations": a row for each month and organisation.

    Raises `Stopped` soon after `stopped` says so, when the run under way is finished, and `StudyStopped` where the
    machine lacks memory.
    """
    wanted = ["runs", *(name for name in ("series", "organisations") if getattr(chunk.kept, name))]
    parts: dict[str, list[pa.Table]] = {name: [] for name in wanted}
    resolved = ((piece, resolve(**piece.cell.settings)) for piece in chunk.pieces)
    for sizes, alike in groupby(resolved, key=lambda found: _sizes(found[1])):
        batch = _Batch(chunk, *sizes)
        for piece, parameters in alike:
            batch.run(piece, parameters, stopped)
        for name, tables in parts.items():
            tables.append(_TABLES[name](batch))
    return {name: pa.concat_tables(tables) for name, tables in parts.items()}


_sizes = attrgetter("systems", "organisations", "managers", "months")


@dataclass
class _Batch:
    """Successive runs of the same sizes: labels, seed and error of each; the last months of those that did not fail.

    Arrays are made of a whole batch, because for small runs the making takes as long as the running.
    """

    chunk: Chunk
    systems: int
    organisations: int
    managers: int
    months: int
    labels: list[tuple[float | str, ...]] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)
    errors: list[str | None] = field(default_factory=list)
    tracebacks: list[str | None] = field(default_factory=list)
    sums: list[NDArray[np.float64]] = field(default_factory=list)
    means: list[NDArray[np.float64]] = field(default_factory=list)

    def run(self, piece: Piece, parameters: Parameters, stopped: Callable[[], bool]) -> None:
        """Add the runs of a piece."""
        kept = self.chunk.kept
        for seed in range(piece.seed, piece.seed + piece.runs):
            if stopped():
                raise Stopped
            error = trace = None
            try:
                record = engine.run(parameters, seed, kept.organisations)
                if not np.isfinite(record.sums).all():
                    raise FloatingPointError("an outcome is no finite number")
                self.sums.append(record.sums[-self.months_kept :].copy())  # a view would keep the months before alive
                if kept.organisations:
                    self.means.append(record.organisations / self.managers)
            except (MemoryError, OSError) as failure:
                raise lacking(failure) from None
            except Exception as failure:  # one failed run is a row, not a lost sweep
                error, trace = _one_line(failure), traceback.format_exc()[-_LONGEST_TRACEBACK:]
            self.labels.append(piece.cell.labels)
            self.seeds.append(seed)
            self.errors.append(error)
            self.tracebacks.append(trace)

    @property
    def months_kept(self) -> int:
        return self.months if self.chunk.kept.series else min(self.chunk.kept.window, self.months)

    @property
    def worked(self) -> NDArray[np.bool_]:
        return np.array([error is None for error in self.errors])

    def outcomes(self) -> dict[str, NDArray[np.float64]]:
        """Outcomes, each an array of the runs that did not fail by the months that are kept."""
        nothing = np.zeros((0, len(recording.FIELDS)))  # every run may have failed
        posts = self.systems * self.organisations * self.managers
        by_month = recording.outcomes(np.concatenate([nothing, *self.sums]), posts)
        return {name: by_month[name].reshape(-1, self.months_kept) for name in self.chunk.kept.outcomes}


def _one_line(error: Exception) -> str:
    lines = error.lines if isinstance(error, InputError) else str(error).split()
    return " ".join([f"{type(error).__name__}:", *lines])[:_LONGEST_ERROR]


def _runs(batch: _Batch) -> pa.Table:
    worked, columns = batch.worked, _design(batch, np.arange(len(batch.seeds)))
    for name, outcome in batch.outcomes().items():
        values = np.zeros(len(worked))
        values[worked] = outcome[:, -batch.chunk.kept.window :].mean(axis=1)
        columns[name] = pa.array(values, mask=~worked)
    for name, texts in (("error", batch.errors), ("traceback", batch.tracebacks)):
        columns[name] = pa.array(texts, pa.string())
    return pa.table(columns)


def _series(batch: _Batch) -> pa.Table:
    worked = np.flatnonzero(batch.worked)
    columns = _design(batch, np.repeat(worked, batch.months))
    columns["month"] = np.tile(np.arange(1, batch.months + 1, dtype=np.int32), len(worked))
    return pa.table(columns | {name: values.ravel() for name, values in batch.outcomes().items()})


def _organisations(batch: _Batch) -> pa.Table:
    worked, months, places = np.flatnonzero(batch.worked), batch.months, batch.systems * batch.organisations
    design = _design(batch, np.repeat(worked, months * places))
    columns = {measured(name): values for name, values in design.items()}
    columns["month"] = np.tile(np.repeat(np.arange(1, months + 1, dtype=np.int32), places), len(worked))
    columns["organisation"] = np.tile(np.arange(places, dtype=np.int32), len(worked) * months)
    columns["system"] = columns["organisation"] // np.int32(batch.organisations)
    nothing = np.zeros((0, len(POST_COLUMNS)))  # every run may have failed
    means = np.concatenate([nothing, *(run.reshape(-1, len(POST_COLUMNS)) for run in batch.means)])
    return pa.table(columns | dict(zip(POST_COLUMNS, means.T, strict=True)))


def _design(batch: _Batch, runs: NDArray[np.int64]) -> dict[str, Any]:
    """The design's columns and the seed; `runs` holds for each row the number of its run in the batch."""
    values = dict(zip(batch.chunk.columns, zip(*batch.labels, strict=True), strict=True))
    columns = {name: pa.array(of, _type(name)) for name, of in values.items()} | {"seed": pa.array(batch.seeds)}
    return {name: column.take(pa.array(runs)) for name, column in columns.items()}


_TABLES: dict[str, Callable[[_Batch], pa.Table]] = {
    "runs": _runs,
    "series": _series,
    "organisations": _organisations,
}
TABLES = tuple(_TABLES)


def schema(table: str, columns: Sequence[str], outcomes: Sequence[str]) -> pa.Schema:
    """The names and types of a table's columns, for a study that varies `columns` and keeps `outcomes`."""
    design = {name: _type(name) for name in columns} | {"seed": pa.int64()}
    means = dict.fromkeys(outcomes, pa.float64())
    if table == "runs":
        return pa.schema(design | means | dict.fromkeys(("error", "traceback"), pa.string()))
    if table == "series":
        return pa.schema(design | {"month": pa.int32()} | means)
    places = dict.fromkeys(("month", "organisation", "system"), pa.int32())
    own = {measured(name): kind for name, kind in design.items()}
    return pa.schema(own | places | dict.fromkeys(POST_COLUMNS, pa.float64()))


def _type(column: str) -> pa.DataType:
    if column in TEXTS:
        return pa.string()
    return pa.int64() if column in (*SIZES, "world", "calibration") else pa.float64()

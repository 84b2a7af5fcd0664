"""The runs of a chunk, and what is kept of them as Arrow tables."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sim.errors import InputError, StudyStopped
from sim.model import engine
from sim.model import record as recording
from sim.model.outcomes import POST_COLUMNS
from sim.model.parameters import SIZES, Parameters, resolve
from sim.study.chunks import Chunk, Kept, Piece
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

    Returns
    -------
    "runs": a row for each run in order: the design's columns, ``seed``, the outcomes averaged over the window,
    ``error`` and ``traceback``, null unless the run failed (then the outcomes are null). "series": a row for each
    month of each run that did not fail. "organisations": a row for each month and organisation.

    Raises `Stopped` soon after `stopped` says so, when the run under way is finished, and `StudyStopped` where the
    machine lacks memory.
    """
    kept = chunk.kept
    wanted = {"runs": True, "series": kept.series, "organisations": kept.organisations}
    parts: dict[str, list[pa.Table]] = {name: [] for name, yes in wanted.items() if yes}
    resolved = ((piece, resolve(**piece.cell.settings)) for piece in chunk.pieces)
    for shape, alike in groupby(resolved, key=lambda found: _Shape.of(found[1])):
        batch = _run(alike, shape, kept, stopped)
        for name, tables in parts.items():
            tables.append(_TABLES[name](batch, chunk))
    return {name: pa.concat_tables(tables) for name, tables in parts.items()}


class _Shape(NamedTuple):
    systems: int
    organisations: int
    managers: int
    months: int

    @classmethod
    def of(cls, p: Parameters) -> _Shape:
        return cls(p.systems, p.organisations, p.managers, p.months)

    @property
    def places(self) -> int:
        return self.systems * self.organisations


@dataclass
class _Batch:
    """Successive runs of one shape: labels, seed and error of each; the last `months` of those that did not fail.

    Arrays are made of a whole batch, because for small runs the making takes as long as the running.
    """

    shape: _Shape
    months: int
    labels: list[tuple[float | str, ...]] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)
    errors: list[str | None] = field(default_factory=list)
    tracebacks: list[str | None] = field(default_factory=list)
    sums: list[NDArray[np.float64]] = field(default_factory=list)
    organisations: list[NDArray[np.float64]] = field(default_factory=list)

    @property
    def worked(self) -> NDArray[np.bool_]:
        return np.array([error is None for error in self.errors])

    def outcomes(self) -> dict[str, NDArray[np.float64]]:
        """Outcomes, each an array of the runs that did not fail by the months that are kept."""
        nothing = np.zeros((0, len(recording.FIELDS)))  # every run may have failed
        posts = self.shape.places * self.shape.managers
        by_month = recording.outcomes(np.concatenate([nothing, *self.sums]), posts)
        return {name: values.reshape(-1, self.months) for name, values in by_month.items()}


def _run(alike: Iterable[tuple[Piece, Parameters]], shape: _Shape, kept: Kept, stopped: Callable[[], bool]) -> _Batch:
    batch = _Batch(shape, shape.months if kept.series else min(kept.window, shape.months))
    for piece, parameters in alike:
        for seed in range(piece.seed, piece.seed + piece.runs):
            if stopped():
                raise Stopped
            batch.labels.append(piece.cell.labels)
            batch.seeds.append(seed)
            try:
                record = engine.run(parameters, seed, kept.organisations)
                if not np.isfinite(record.sums).all():
                    raise FloatingPointError("an outcome is no finite number")
            except (MemoryError, OSError) as error:
                raise lacking(error) from None
            except Exception as error:  # one failed run is a row, not a lost sweep
                batch.errors.append(_one_line(error))
                batch.tracebacks.append(traceback.format_exc()[-_LONGEST_TRACEBACK:])
                continue
            batch.errors.append(None)
            batch.tracebacks.append(None)
            batch.sums.append(record.sums[-batch.months :].copy())  # a view would keep the months before alive
            if kept.organisations:
                batch.organisations.append(record.organisations / parameters.managers)
    return batch


def _one_line(error: Exception) -> str:
    lines = error.lines if isinstance(error, InputError) else str(error).split()
    return " ".join([f"{type(error).__name__}:", *lines])[:_LONGEST_ERROR]


def _runs(batch: _Batch, chunk: Chunk) -> pa.Table:
    worked, outcomes = batch.worked, batch.outcomes()
    columns = dict(_design(batch, chunk, np.arange(len(worked))))
    for name in chunk.kept.outcomes:
        values = np.zeros(len(worked))
        values[worked] = outcomes[name][:, -chunk.kept.window :].mean(axis=1)
        columns[name] = pa.array(values, mask=~worked)
    for name, texts in (("error", batch.errors), ("traceback", batch.tracebacks)):
        columns[name] = pa.array(texts, pa.string())
    return pa.table(columns)


def _series(batch: _Batch, chunk: Chunk) -> pa.Table:
    worked, outcomes, months = np.flatnonzero(batch.worked), batch.outcomes(), batch.shape.months
    columns = dict(_design(batch, chunk, np.repeat(worked, months)))
    columns["month"] = pa.array(_months(months, len(worked)))
    return pa.table({**columns, **{name: pa.array(outcomes[name].ravel()) for name in chunk.kept.outcomes}})


def _organisations(batch: _Batch, chunk: Chunk) -> pa.Table:
    worked, months, places = np.flatnonzero(batch.worked), batch.shape.months, batch.shape.places
    design = _design(batch, chunk, np.repeat(worked, months * places))
    columns = {measured(name): values for name, values in design}
    columns["month"] = pa.array(np.repeat(_months(months, len(worked)), places))
    place = np.tile(np.arange(places, dtype=np.int32), len(worked) * months)
    columns["organisation"] = pa.array(place)
    columns["system"] = pa.array(place // np.int32(batch.shape.organisations))
    nothing = np.zeros((0, len(POST_COLUMNS)))  # every run may have failed
    means = np.concatenate([nothing, *(run.reshape(-1, len(POST_COLUMNS)) for run in batch.organisations)])
    return pa.table({**columns, **{name: pa.array(means[:, k]) for k, name in enumerate(POST_COLUMNS)}})


_TABLES: dict[str, Callable[[_Batch, Chunk], pa.Table]] = {
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


def _months(months: int, runs: int) -> NDArray[np.int32]:
    return np.tile(np.arange(1, months + 1, dtype=np.int32), runs)


def _design(batch: _Batch, chunk: Chunk, runs: NDArray[np.int64]) -> Iterator[tuple[str, Any]]:
    """The design's columns and the seed; `runs` holds for each row the number of its run in the batch."""
    for k, name in enumerate(chunk.columns):
        yield name, pa.array([labels[k] for labels in batch.labels], _type(name)).take(pa.array(runs))
    yield "seed", pa.array(batch.seeds, pa.int64()).take(pa.array(runs))


def _type(column: str) -> pa.DataType:
    if column in TEXTS:
        return pa.string()
    return pa.int64() if column in SIZES else pa.float64()

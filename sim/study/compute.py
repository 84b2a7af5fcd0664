"""The runs of a chunk, and what is kept of them as Arrow tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sim import engine, recording
from sim.errors import InputError
from sim.outcomes import POST_COLUMNS
from sim.parameters import SIZES, Parameters, resolve
from sim.study.chunks import Chunk, Kept, Piece
from sim.study.design import CHOICES

Tables = dict[str, pa.Table]
"""The tables of a chunk: "runs", and "series" and "organisations" where they are kept."""

_LONGEST_ERROR = 500


class Stopped(Exception):
    """The work was called off."""


def measured(column: str) -> str:
    """A design's column among the means of organisations, two of which have a lever's name."""
    return f"design_{column}" if column in POST_COLUMNS else column


def compute(chunk: Chunk, stopped: Callable[[], bool] = lambda: False) -> Tables:
    """Run a chunk.

    Returns
    -------
    "runs": a row for each run in order: the design's columns, ``seed``, the outcomes averaged over the window, and
    ``error``, null unless the run failed (then the outcomes are null). "series": a row for each month of each run that
    did not fail. "organisations": a row for each month and organisation.

    Raises `Stopped` soon after `stopped` says so: the run under way is finished first.
    """
    parts: dict[str, list[pa.Table]] = {"runs": []}
    if chunk.kept.series:
        parts["series"] = []
    if chunk.kept.organisations:
        parts["organisations"] = []
    for piece in chunk.pieces:
        batch = _run(piece, chunk.kept, stopped)
        for name, tables in parts.items():
            tables.append(_TABLES[name](batch, chunk))
    return {name: pa.concat_tables(tables) for name, tables in parts.items()}


@dataclass
class _Batch:
    """The replications of one cell: seeds and errors of all; the last `months` of those that did not fail."""

    piece: Piece
    parameters: Parameters
    months: int
    errors: list[str | None] = field(default_factory=list)
    sums: list[NDArray[np.float64]] = field(default_factory=list)
    organisations: list[NDArray[np.float64]] = field(default_factory=list)

    @property
    def seeds(self) -> NDArray[np.int64]:
        return np.arange(self.piece.seed, self.piece.seed + self.piece.runs, dtype=np.int64)

    @property
    def worked(self) -> NDArray[np.bool_]:
        return np.array([error is None for error in self.errors])

    def outcomes(self) -> dict[str, NDArray[np.float64]]:
        """Outcomes, each an array of the runs that did not fail by the months that are kept."""
        p, nothing = self.parameters, np.zeros((0, len(recording.FIELDS)))  # every run may have failed
        by_month = recording.outcomes(np.concatenate([nothing, *self.sums]), p.systems * p.organisations * p.managers)
        return {name: values.reshape(-1, self.months) for name, values in by_month.items()}


def _run(piece: Piece, kept: Kept, stopped: Callable[[], bool]) -> _Batch:
    parameters = resolve(**piece.cell.settings)
    months = parameters.months if kept.series else min(kept.window, parameters.months)
    batch = _Batch(piece, parameters, months)
    for seed in batch.seeds.tolist():
        if stopped():
            raise Stopped
        try:
            record = engine.run(parameters, seed, kept.organisations)
        except Exception as error:  # one failed run is a row, not a lost sweep
            batch.errors.append(_one_line(error))
            continue
        batch.errors.append(None)
        batch.sums.append(record.sums[-months:].copy())  # a view would keep the months before alive
        if kept.organisations:
            batch.organisations.append(record.organisations / parameters.managers)
    return batch


def _one_line(error: Exception) -> str:
    lines = error.lines if isinstance(error, InputError) else str(error).split()
    return " ".join([f"{type(error).__name__}:", *lines])[:_LONGEST_ERROR]


def _runs(batch: _Batch, chunk: Chunk) -> pa.Table:
    worked = batch.worked
    columns = dict(_design(batch, chunk, np.ones(len(worked), dtype=np.int64)))
    outcomes = batch.outcomes()
    for name in chunk.kept.outcomes:
        values = np.zeros(len(worked))
        values[worked] = outcomes[name][:, -chunk.kept.window :].mean(axis=1)
        columns[name] = pa.array(values, mask=~worked)
    columns["error"] = pa.array(batch.errors, pa.string())
    return pa.table(columns)


def _series(batch: _Batch, chunk: Chunk) -> pa.Table:
    months, worked = batch.parameters.months, batch.worked
    columns = dict(_design(batch, chunk, np.where(worked, months, 0)))
    columns["month"] = pa.array(_months(months, int(worked.sum())))
    outcomes = batch.outcomes()
    return pa.table({**columns, **{name: pa.array(outcomes[name].ravel()) for name in chunk.kept.outcomes}})


def _organisations(batch: _Batch, chunk: Chunk) -> pa.Table:
    p, worked = batch.parameters, batch.worked
    places, good = p.systems * p.organisations, int(worked.sum())
    labels = _design(batch, chunk, np.where(worked, p.months * places, 0))
    columns = {measured(name): values for name, values in labels}
    columns["month"] = pa.array(np.repeat(_months(p.months, good), places))
    place = np.tile(np.arange(places, dtype=np.int32), good * p.months)
    columns["organisation"], columns["system"] = pa.array(place), pa.array(place // np.int32(p.organisations))
    nothing = np.zeros((0, len(POST_COLUMNS)))  # where every run failed
    means = np.concatenate([nothing, *(run.reshape(-1, len(POST_COLUMNS)) for run in batch.organisations)])
    return pa.table({**columns, **{name: pa.array(means[:, k]) for k, name in enumerate(POST_COLUMNS)}})


_TABLES: dict[str, Callable[[_Batch, Chunk], pa.Table]] = {
    "runs": _runs,
    "series": _series,
    "organisations": _organisations,
}
TABLES = tuple(_TABLES)


def _months(months: int, runs: int) -> NDArray[np.int32]:
    return np.tile(np.arange(1, months + 1, dtype=np.int32), runs)


def _design(batch: _Batch, chunk: Chunk, rows: NDArray[np.int64]) -> Iterator[tuple[str, Any]]:
    """The design's columns and the seed, with so many rows for each run."""
    total = int(rows.sum())
    for name, value in zip(chunk.columns, batch.piece.cell.labels, strict=True):
        yield name, pa.repeat(pa.scalar(value, _type(name)), total)
    yield "seed", pa.array(np.repeat(batch.seeds, rows))


def _type(column: str) -> pa.DataType:
    if column in CHOICES:
        return pa.string()
    return pa.int64() if column in SIZES else pa.float64()

"""The file of an ensemble: a Parquet table with a row for each world, signed with the identity of the model.

Values are kept as codes of two bytes, from which `worlds_from` makes the same numbers to the last bit, so that
thousands of worlds fit into a mebibyte; what was measured is kept in single precision. All else, the evidence and the
provenance, is JSON in the metadata. Columns are read by name: what a file has never heard of is at its null in all of
its worlds.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim import files
from sim.errors import InputError, named
from sim.model.parameters import MECHANISMS, PARAMETERS
from sim.model.version import identity
from sim.worlds.evidence import Evidence, Pattern
from sim.worlds.prior import COLUMNS, DRAWN, GRID, RANGED, Floats, Worlds, uniforms_of, worlds_from

if TYPE_CHECKING:
    from sim.worlds.ensemble import Ensemble

FORMAT = 2
MARK = f'{{"format": {FORMAT}, "model": "'.encode()
"""What every file of an ensemble holds, and nothing else is likely to."""
MADE_BY = ("sim.worlds.evidence", "sim.worlds.candidates", "sim.worlds.survey", "sim.worlds.prior")
"""Modules that draw worlds and survey them, for `sim.model.version.identity`."""
_CODED = COLUMNS[:RANGED]
_NULLS = {name: d.default if (d := PARAMETERS[name]).kind == "lever" else d.null for name in DRAWN}


def signature() -> str:
    """The identity of the present model, with which files are signed."""
    return identity(*MADE_BY)


def encoded(ensemble: Ensemble) -> bytes:
    """The signed file of an ensemble. Raises `ValueError` for worlds that are not on the grid of codes."""
    import pyarrow as pa  # noqa: PLC0415

    low, high = (_coded(worlds_from(np.full((1, len(COLUMNS)), end))) for end in (0.0, 1.0))
    values, unheard = _coded(ensemble), ensemble.unheard
    codes = np.clip(np.rint((values - low) / (high - low) * GRID - 0.5), 0, GRID - 1).astype(np.uint16)
    kept = [name not in unheard for name in _CODED]
    if not np.array_equal(_decoded(codes)[:, kept], values[:, kept]):
        raise ValueError("these worlds are not on the grid of codes, so a file cannot keep them exactly")
    columns: dict[str, NDArray[Any]] = dict(zip(COLUMNS, (*codes.T, *ensemble.off.T), strict=True))
    columns = {name: column for name, column in columns.items() if name not in unheard}
    whole = {"ancestor": ensemble.ancestors.astype(np.int32), "seed": ensemble.seeds.astype(np.int32)}
    columns |= {"weight": ensemble.weights, "calibration": ensemble.calibrations.astype(np.int32), **whole}
    for name, found in ensemble.measured.items():
        months = found.reshape(len(ensemble), -1).astype(np.float32).T
        columns |= {f"{name} {number}": month for number, month in enumerate(months)}
    made = {
        "format": FORMAT,
        "model": signature(),
        "off": ensemble.chance_off,
        "evidence": asdict(ensemble.evidence),
        "widths": {name: found.shape[1:] for name, found in ensemble.measured.items()},
        "log_z": {str(number): z for number, z in ensemble.log_z.items()},
        "prior": ensemble.prior,
        "provenance": ensemble.provenance,
    }
    return _parquet(pa.table(columns), made)


def decoded(content: bytes) -> tuple[dict[str, Any], str]:
    """The fields of the `Ensemble` in the content of a file, and the file's signature.

    Raises `InputError` with one line where it is of another format or belongs to another model, and for a damaged file
    whatever its reader raises.
    """
    import pyarrow as pa  # noqa: PLC0415

    table, made = _read(content)
    if made["format"] != FORMAT:
        raise InputError(["was written by another version; sim worlds --calibrate makes worlds again"])
    known = {c.name for c in table.schema if pa.types.is_uint16(c.type) or pa.types.is_boolean(c.type)}
    if strange := [*sorted(known - {*COLUMNS}), *(n for n in DRAWN if n not in known and _NULLS[n] is None)]:
        raise InputError([
            f"is another model's: only one of the two has {named(strange[0])}, and there is no value at which that "
            "does nothing; sim worlds --calibrate makes worlds of this model"
        ])  # fmt: skip
    unheard, frame = tuple(name for name in COLUMNS if name not in known), table.to_pandas(ignore_metadata=True)
    values = _decoded(np.ascontiguousarray(frame.reindex(columns=[*_CODED], fill_value=0)))
    for name in {*unheard} & {*DRAWN}:
        values[:, DRAWN.index(name)] = _NULLS[name]
    off = frame.reindex(columns=[f"{key} off" for key in MECHANISMS], fill_value=True).to_numpy(bool)
    weights = frame["weight"].to_numpy()
    if not (weights >= 0.0).all() or abs(weights.sum() - 1.0) > 1e-6:
        raise ValueError("weights")
    patterns, measured = list[Pattern](), dict[str, Floats]()
    for written in made["evidence"]["patterns"]:  # tuples have become lists
        fields: dict[str, Any] = {n: tuple(value) if isinstance(value, list) else value for n, value in written.items()}
        patterns.append(Pattern(**fields))
    for name, width in made["widths"].items():
        columns = [frame[f"{name} {number}"].to_numpy(np.float64) for number in range(*width or (1,))]
        measured[name] = np.stack(columns, axis=1).reshape(-1, *width)
    return {
        "values": values[:, : len(DRAWN)],
        "off": off,
        "nuisance": values[:, len(DRAWN) :],
        "weights": weights,
        "calibrations": frame["calibration"].to_numpy(np.int64),
        "ancestors": frame["ancestor"].to_numpy(np.int64),
        "seeds": frame["seed"].to_numpy(np.int64),
        "measured": measured,
        "evidence": Evidence(made["evidence"]["survey"], tuple(patterns)),
        "log_z": {int(number): float(z) for number, z in made["log_z"].items()},
        "chance_off": made["off"],
        "prior": made["prior"],
        "provenance": made["provenance"],
        "unheard": unheard,
    }, made["model"]


def sign(path: Path) -> None:
    """Write the present identity of the model into the file of an ensemble, and leave all else as it is.

    For whoever has seen that its worlds give the same statistics. Raises `InputError` where it cannot be written.
    """
    with files.explained(path):
        table, made = _read(files.read(path))
        files.write(path, _parquet(table, {**made, "model": signature()}))


def _coded(worlds: Worlds) -> Floats:
    """What is kept as codes, worlds by `_CODED`."""
    return np.column_stack([worlds.values, worlds.nuisance])


def _decoded(codes: NDArray[Any]) -> Floats:
    """The values that codes stand for, worlds by `_CODED`."""
    return _coded(worlds_from(np.pad(uniforms_of(codes), [(0, 0), (0, len(MECHANISMS))])))


def _read(content: bytes) -> tuple[Any, dict[str, Any]]:
    table = files.parquet(content)
    return table, json.loads(table.schema.metadata[b"ensemble"])


def _parquet(table: Any, made: Mapping[str, Any]) -> bytes:
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    numbers = [c.name for c in table.schema if c.name != "weight" and not pa.types.is_boolean(c.type)]
    buffer = io.BytesIO()
    pq.write_table(
        table.replace_schema_metadata({"ensemble": json.dumps(made)}), buffer, compression="zstd",
        compression_level=19, write_statistics=False, use_dictionary=["weight"],
        column_encoding=dict.fromkeys(numbers, "BYTE_STREAM_SPLIT"),
    )  # fmt: skip
    return buffer.getvalue()

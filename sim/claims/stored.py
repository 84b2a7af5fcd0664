"""The file of an answer: every table as Parquet, and how it was made as JSON, in one zip; and the one that ships.

A file follows from the answer alone, to the last byte.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim import files
from sim.errors import InputError, place
from sim.model.version import identity
from sim.worlds.evaluate import MADE_BY

if TYPE_CHECKING:
    import pandas as pd

SHIPPED = Path(__file__).with_name("answer.zip")
"""The answer that comes with the package."""
NAME = "answer.zip"
_TOLD, _EPOCH = "answer.json", (1980, 1, 1, 0, 0, 0)


def signature() -> str:
    """The identity of the present model, with which answers are signed."""
    return identity(*MADE_BY)


def packed(frames: Mapping[str, pd.DataFrame], told: Mapping[str, Any]) -> bytes:
    """The content of a file with these tables by name, and what else is told of them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as kept:
        contents = {f"{name}.parquet": parquet(frame, {}) for name, frame in frames.items() if len(frame.columns)}
        contents[_TOLD] = json.dumps(told).encode()
        for name, content in sorted(contents.items()):
            kept.writestr(zipfile.ZipInfo(name, _EPOCH), content)
    return buffer.getvalue()


def unpacked(file: Path) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """The tables of a file by name, and what is told of them. Raises `InputError` with one line where it is missing,
    cannot be read, or is damaged."""
    if not file.is_file():
        raise InputError([f"{place(file)}: there is no stored answer here; sim claim --run computes one"])
    with files.explained(file, "read"):
        content = files.read(file)
    try:
        kept = files.unzipped(content)
        told = json.loads(kept[_TOLD])
        frames = {
            name.removesuffix(".parquet"): files.parquet(table).to_pandas()
            for name, table in kept.items()
            if name.endswith(".parquet")
        }
    except Exception:  # whatever a damaged file makes its readers raise
        raise damaged(file) from None
    return frames, told


def damaged(file: Path) -> InputError:
    """What is told of a file that is no answer, or whose parts do not fit together."""
    return InputError([f"{place(file)}: is damaged or no answer of sim claim; make it again"])


def parquet(frame: pd.DataFrame, provenance: Mapping[str, Any]) -> bytes:
    """A table as Parquet, with where it comes from in its metadata."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    table = pa.Table.from_pandas(frame, preserve_index=False)
    if provenance:
        table = table.replace_schema_metadata({**table.schema.metadata, b"provenance": json.dumps(provenance).encode()})
    floats = [c.name for c in table.schema if c.type == pa.float32()]
    kept = [c.name for c in table.schema if c.name not in floats]
    buffer = io.BytesIO()
    pq.write_table(
        table, buffer, compression="zstd", compression_level=9, use_dictionary=kept,
        column_encoding=dict.fromkeys(floats, "BYTE_STREAM_SPLIT") or None,
    )  # fmt: skip
    return buffer.getvalue()

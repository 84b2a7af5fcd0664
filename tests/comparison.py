"""How tests compare runs: by their bits."""

from __future__ import annotations

import dataclasses

import numpy as np

import sim
from sim.model.record import Record


def identical(one: Record, other: Record) -> bool:
    """Whether two records agree to the bit, in all of their arrays."""
    return all(
        np.array_equal(getattr(one, field.name), getattr(other, field.name), equal_nan=True)
        for field in dataclasses.fields(Record)
    )


def differing(one: sim.Run, other: sim.Run) -> list[str]:
    """The national outcomes that differ between two runs of one length, by a bit in some month at least."""
    return [name for name in one.series if not np.array_equal(one.series[name], other.series[name])]

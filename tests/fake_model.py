"""A model that takes no time, for tests of the store: its numbers follow from parameters and seed, and mean nothing."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from sim.model import engine
from sim.model.interventions import NONE
from sim.model.record import Record


def run(p: Any, seed: int, record_organisations: bool = False, interventions: Any = NONE) -> Record:
    """In the place of `sim.model.engine.run`."""
    record = Record.empty(p, record_organisations, interventions.record_fear)
    rng = np.random.default_rng((zlib.crc32(p.model_dump_json().encode()), seed))
    for array in vars(record).values():
        array[...] = rng.random(array.shape)
    return record


@contextmanager
def instead() -> Iterator[None]:
    """While this lasts, nothing is run in earnest, and nothing compiled."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "run", run)
        patch.setattr(engine, "warm_up", lambda: None)
        yield

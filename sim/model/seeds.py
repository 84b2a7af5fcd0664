"""The run's seed: what may be given, and a fresh one where none is."""

from __future__ import annotations

import secrets
from typing import Any

import numpy as np

from sim.errors import InputError, shown

LARGEST_SEED = 2**63 - 1


def seed_of(given: Any = None) -> int:
    """The seed of a run: the whole number given, one drawn from a NumPy generator, or a fresh one for None.

    Raises `InputError` for anything else and for numbers outside 0 to 2**63 - 1.
    """
    if given is None:
        return secrets.randbelow(2**53)  # short enough to survive a spreadsheet
    if isinstance(given, np.random.Generator):
        return int(given.integers(2**53))
    if isinstance(given, (int, np.integer)) and not isinstance(given, bool) and 0 <= given <= LARGEST_SEED:
        return int(given)
    raise InputError([f"seed: {shown(given)} is not a whole number from 0 to {LARGEST_SEED}"])

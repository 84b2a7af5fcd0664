"""Experiments that no policy can do: another run's fear in the place of one's own, and a sanction out of the blue.

They ask what a mechanism carries and how far an event reaches. Without them a run is what it was, to the bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError
from sim.model.parameters import Parameters

BEFORE, LEARNED = 0, 1
"""Places in the last dimension of a fear path: fear as the month began, and after that month's learning (step 12)."""
FearPath = NDArray[np.float64]
"""Months by posts by 2 (`BEFORE`, `LEARNED`): the fear of whoever held the post."""


@dataclass(frozen=True)
class GivenFear:
    """Fear that takes the place of the manager's own.

    Attributes
    ----------
    path : array, months by posts by 2
        What `Record.fear` of another run holds, made with the same seed and sizes.
    seen_by : "initiative" or "every rule"
        "initiative": only the decision to try something new (step 5) sees the given fear, and everyone still learns
        fear as ever. "every rule": the manager's fear is set to it at the start of each month, and again after that
        month's learning, so all rules see it and nothing that is learned about fear has any effect.
    """

    path: FearPath
    seen_by: Literal["initiative", "every rule"] = "initiative"


@dataclass(frozen=True)
class Sanction:
    """In every system, whoever holds the post numbered `post` (within the system, from 0) is sanctioned in `month`
    (from 1), whatever they did; the sanction counts as fair. Who would have been sanctioned anyway just is."""

    month: int
    post: int = 0


@dataclass(frozen=True)
class Interventions:
    """What is done to a run beside its policy, and whether its fear path is recorded (`Record.fear`)."""

    fear: GivenFear | None = None
    sanction: Sanction | None = None
    record_fear: bool = False

    def check(self, p: Parameters) -> None:
        """Raise `InputError` with a line for each thing that does not fit the run."""
        mistakes = []
        per_system = p.organisations * p.managers
        shape = (p.months, p.systems * per_system, 2)
        if self.fear is not None and self.fear.path.shape != shape:
            mistakes.append(f"fear path: has the shape {self.fear.path.shape}; this run needs {shape}")
        if (s := self.sanction) is not None and not (1 <= s.month <= p.months and 0 <= s.post < per_system):
            mistakes.append(
                f"sanction: month {s.month} and post {s.post}; "
                f"months are 1 to {p.months}, posts of a system 0 to {per_system - 1}"
            )
        if mistakes:
            raise InputError(mistakes)

    @property
    def given_path(self) -> FearPath:
        """The given fear; without one, an array without months."""
        return np.zeros((0, 0, 2)) if self.fear is None else self.fear.path

    @property
    def everywhere(self) -> bool:
        """Whether every rule sees the given fear."""
        return self.fear is not None and self.fear.seen_by == "every rule"


NONE = Interventions()

"""Published findings that worlds are held against: what a pattern is, and what patterns can be about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.model.outcomes import POST_COLUMNS

CONFIDENCES = {"S": "stated by the source itself", "D": "computed again from data", "2": "second-hand"}
TRANSFORMS: dict[str, Callable[[float], float]] = {
    "none": lambda x: x,
    "complement": lambda x: 1.0 - x,
    "yearly_hazard": lambda x: 1.0 - (1.0 - x) ** 12,
}
"""What a monthly level may be turned into; the last is the chance in a year of what has chance x in a month."""


@dataclass(frozen=True)
class Variable:
    """What a survey measures: a function of `columns`, averages for each post (`sim.model.outcomes.POST_COLUMNS`)."""

    columns: tuple[str, ...]
    of: Callable[..., NDArray[np.float64]] = lambda column: column


VARIABLES: dict[str, Variable] = {name: Variable((name,)) for name in POST_COLUMNS} | {
    "stress": Variable(("fear", "distress"), lambda fear, distress: (fear + distress) / 2.0),
    "satisfaction": Variable(
        ("trust", "confidence", "distress"), lambda t, c, distress: (t + c + 1.0 - distress) / 3.0
    ),
    "deviance": Variable(("gaming",)),
    "performance": Variable(("quality",)),
    "relationship": Variable(("trust",)),  # surveys ask how good it is, not what was invested in it
}
"""Everything that a correlation may be about, by its name in a file."""


@dataclass(frozen=True)
class Pattern:
    """A published finding.

    Attributes
    ----------
    id, kind : str
    value, sd : float, or for a path a tuple with one for each month
        The finding and its tolerance, one standard deviation.
    confidence, source : str, perhaps empty
    outcomes : tuple of str
        The model's outcomes and columns of posts that it involves.
    needs : mapping
        What its kind needs beside these, as in the file; policies are tables of levers.
    """

    id: str
    kind: str
    value: float | tuple[float, ...]
    sd: float | tuple[float, ...]
    confidence: str = ""
    source: str = ""
    outcomes: tuple[str, ...] = ()
    needs: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Evidence:
    """Patterns and the setting (levers, ``months``, ``window``) of the survey that some of them come from."""

    survey: Mapping[str, Any] = field(hash=False)
    patterns: tuple[Pattern, ...]

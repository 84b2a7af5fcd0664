"""The verdict rule: what effects in weighted worlds say, given the smallest effect of interest δ.

In one world an effect is above δ, below −δ, or within, which is too small to matter. Over worlds a side is carried
where the interval of the mean effect and the share of worlds both lie on it. Everything here is a pure function, in
the unit of the outcome.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim import statistics
from sim.statistics import Estimate

Sign = Literal[-1, 0, 1]
Array = NDArray[np.float64]
Class = int
"""Where an effect lies: 1 above δ, 0 within ±δ, −1 below −δ."""

CLASSES: dict[Class, str] = {1: "above", 0: "within", -1: "below"}
"""The names under which tables have them."""
TOO_SMALL, DIVIDED, ESTIMATE = "too small to matter", "divided", "estimate"
UNKNOWN = 0.08
"""The error of a share beyond which nothing is said about it in words."""
NEARLY_ALL, MOST = 0.8, 2 / 3
TOLD = 0.2
"""The share of worlds from which on a change is told, even where the verdict is another."""


@dataclass(frozen=True)
class Over:
    """An effect over worlds: the weighted mean with its interval, and the share of weight in each class.

    `near` is the share of weight that lies within two standard errors of ±δ; `r_eff` is the effective number of
    calibrations that all errors rest on.
    """

    mean: Estimate
    low: float
    high: float
    shares: Mapping[Class, Estimate]
    near: float
    r_eff: float

    @property
    def largest(self) -> Class:
        """The class with the largest share."""
        return max(self.shares, key=lambda one: self.shares[one].estimate)


def classes(effects: ArrayLike, limit: float) -> NDArray[np.int64]:
    """The class of each effect; what lies on the limit is within.

    >>> classes([0.03, 0.02, -0.05], 0.02).tolist()
    [1, 0, -1]
    """
    x = np.asarray(effects, dtype=np.float64)
    return np.where(x > limit, 1, np.where(x < -limit, -1, 0))


def over(
    effects: ArrayLike, limit: float, weights: Array, calibrations: NDArray[np.int64], errors: ArrayLike = 0.0
) -> Over:
    """An effect over weighted worlds; `errors` are the standard errors of the effects within worlds."""
    x = np.asarray(effects, dtype=np.float64)
    mean, found = statistics.mean(weights, x, calibrations), classes(x, limit)
    size = statistics.effective_calibrations(weights, calibrations)
    low, high = statistics.interval(*mean, size)
    shares = {one: statistics.share(weights, found == one, calibrations) for one in CLASSES}
    near = np.abs(np.abs(x) - limit) <= 2.0 * np.asarray(errors)
    return Over(mean, low, high, shares, statistics.weighted_mean(weights, near), size)


def verdict(found: Over, limit: float) -> Class | None:
    """The class that is carried, None where the worlds are divided.

    It is carried where the interval of the mean effect lies in it, and the share of worlds in it exceeds one half by
    two errors.
    """
    inside = {1: found.low > limit, 0: -limit <= found.low and found.high <= limit, -1: found.high < -limit}
    return next((one for one, s in found.shares.items() if inside[one] and s.estimate - 2.0 * s.error > 0.5), None)


def by_points(found: Over, limit: float) -> Class | None:
    """The same without any error: by the mean alone, and a share above one half."""
    at = int(classes(found.mean.estimate, limit))
    return at if found.shares[at].estimate > 0.5 else None


def words_of(sign: Sign, direction: Sign) -> dict[Class, str]:
    """What the classes are called of an outcome with a claimed sign, or that everybody wants to move in a direction.

    >>> words_of(-1, 1)[1], words_of(0, -1)[1], words_of(0, 0)[1]
    ('opposed', 'worse', 'higher')
    """
    plus, minus = ("supported", "opposed") if sign else ("better", "worse") if direction else ("higher", "lower")
    if (sign or direction) < 0:
        plus, minus = minus, plus
    return {1: plus, 0: TOO_SMALL, -1: minus}


def said(carried: Class | None, sign: Sign = 0, direction: Sign = 0) -> str:
    """A verdict in words.

    >>> said(1, -1), said(0, 1), said(None)
    ('opposed', 'too small to matter', 'divided')
    """
    return DIVIDED if carried is None else words_of(sign, direction)[carried]


def how_many(share: float) -> str:
    """In how many plausible worlds, in words.

    >>> how_many(0.83)
    'in nearly all of 100 plausible worlds'
    """
    much = "nearly all" if share >= NEARLY_ALL else "most" if share >= MOST else "more than half"
    return f"in {much} of 100 plausible worlds"


OFTEN = ("almost always", "usually", "more often than not")


def how_often(share: float) -> str:
    """The same before a verb.

    >>> how_often(0.83)
    'almost always'
    """
    return OFTEN[0 if share >= NEARLY_ALL else 1 if share >= MOST else 2]

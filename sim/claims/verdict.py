"""The verdict rule: what a paired difference says about a claim, given the smallest effect of interest.

The same seeds are run under two policies; a seed's two runs are a pair. Everything here is a pure function of the
numbers, without units of its own: the results have the unit of the outcome.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from sim.study.precision import CONFIDENCE

Verdict = Literal["supported", "opposed", "negligible", "undecided", "higher", "lower", "estimate"]
Sign = Literal[-1, 0, 1]
Interval = tuple[float, float]

FEWEST_PAIRS = 2


@dataclass(frozen=True)
class Sesoi:
    """The smallest effect of interest: `size` in the outcome's unit, or, where `relative`, as a share of the
    absolute mean of the arm after the minus.

    >>> Sesoi(0.1, relative=True).value(-0.4)
    0.04000000000000001
    >>> Sesoi(0.1, relative=True).text
    '10 % rel'
    """

    size: float
    relative: bool = False

    def __post_init__(self) -> None:
        if not 0.0 < self.size < np.inf:
            raise ValueError(f"a smallest effect of interest must be positive and finite, not {self.size}")

    def value(self, minus_mean: float) -> float:
        """The size in the outcome's unit, where the arm after the minus has this mean."""
        return self.size * abs(minus_mean) if self.relative else self.size

    @property
    def text(self) -> str:
        """As a table shows it."""
        return f"{100 * self.size:g} % rel" if self.relative else f"{self.size:g}"


@dataclass(frozen=True)
class Difference:
    """What paired replications say about one outcome, all in its unit.

    `plus` and `minus` are the means of the two arms, `estimate` the mean of the paired differences, `low` and
    `high` its 95 % interval, `sd` the standard deviation of a paired difference and `n` the number of pairs;
    `sesoi` is the smallest effect of interest, None where there is none.
    """

    plus: float
    minus: float
    estimate: float
    low: float
    high: float
    sd: float
    n: int
    sesoi: float | None
    verdict: Verdict

    @property
    def interval(self) -> Interval:
        """The 95 % interval of the difference."""
        return self.low, self.high


def mean_interval(values: ArrayLike) -> tuple[float, float, float]:
    """Mean of independent `values` (shape n) with its interval by Student's t: mean, low, high.

    Values that are all the same have an interval without width. Raises `ValueError` for fewer than two values,
    for more than one dimension and for values that are not finite.
    """
    data = _values(values)
    if np.ptp(data) == 0.0:  # rounding in the mean must not make an interval of it
        return float(data[0]), float(data[0]), float(data[0])
    mean = float(data.mean())
    t = float(stdtrit(len(data) - 1, 0.5 + CONFIDENCE / 2))
    half = t * float(data.std(ddof=1)) / len(data) ** 0.5
    return mean, mean - half, mean + half


def contrast(plus: ArrayLike, minus: ArrayLike, sesoi: Sesoi | None = None, claimed_sign: Sign = 0) -> Difference:
    """The difference between two arms, pair by pair, and the verdict on it.

    Parameters
    ----------
    plus, minus : array-like, shape (n,)
        An outcome in the arms before and after the minus; position i in both comes from one seed. n is at least 2.
    sesoi : Sesoi, optional
        The smallest effect of interest; without one the verdict is "estimate".
    claimed_sign : 1, -1 or 0
        The direction claimed; 0 where nobody claims one.

    Raises
    ------
    ValueError
        For arms of unequal length, fewer than two pairs, or values that are not finite.

    >>> contrast([0.31, 0.33, 0.32], [0.25, 0.26, 0.25], Sesoi(0.05), 1).verdict
    'supported'
    """
    a, b = _values(plus), _values(minus)
    if len(a) != len(b):
        raise ValueError(f"{len(a)} values cannot be paired with {len(b)}")
    differences = a - b
    estimate, low, high = mean_interval(differences)
    threshold = None if sesoi is None else sesoi.value(float(b.mean()))
    return Difference(
        plus=float(a.mean()),
        minus=float(b.mean()),
        estimate=estimate,
        low=low,
        high=high,
        sd=0.0 if low == high else float(differences.std(ddof=1)),
        n=len(differences),
        sesoi=threshold,
        verdict=verdict((low, high), threshold, claimed_sign),
    )


def verdict(interval: Interval, sesoi: float | None, claimed_sign: Sign = 0) -> Verdict:
    """The verdict on an interval (low, high), by rules that were fixed before any result.

    Wholly beyond the smallest effect of interest on the claimed side: supported; on the other side: opposed;
    wholly inside ± the smallest effect of interest: negligible; else undecided. Without a claimed sign, higher and
    lower take the place of supported and opposed; without a smallest effect of interest there is only an estimate.

    Beyond is strict and inside is not, so an interval that touches ±`sesoi` from inside is negligible, one that
    touches it from outside is undecided, and no difference at all is negligible also where `sesoi` is 0 because the
    arm it is relative to has a mean of 0.

    >>> verdict((0.06, 0.08), 0.05, -1), verdict((-0.05, 0.05), 0.05), verdict((0.04, 0.06), 0.05)
    ('opposed', 'negligible', 'undecided')
    """
    if claimed_sign not in (-1, 0, 1):
        raise ValueError(f"a claimed sign is -1, 0 or 1, not {claimed_sign}")
    low, high = interval
    if not low <= high:
        raise ValueError(f"no interval: {low} to {high}")
    if sesoi is None:
        return "estimate"
    if low > sesoi or high < -sesoi:
        return _beyond(1 if low > sesoi else -1, claimed_sign)
    return "negligible" if -sesoi <= low and high <= sesoi else "undecided"


def _beyond(direction: int, claimed_sign: Sign) -> Verdict:
    if claimed_sign == 0:
        return "higher" if direction > 0 else "lower"
    return "supported" if direction == claimed_sign else "opposed"


def _values(given: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(given, dtype=np.float64)
    if values.ndim != 1 or len(values) < FEWEST_PAIRS:
        raise ValueError(f"needs a row of at least {FEWEST_PAIRS} values, not the shape {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError("every value must be finite")
    return values

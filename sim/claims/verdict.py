"""The verdict rule: what paired differences say about a claim, given the smallest effect of interest.

The same seeds are run under two policies; a seed's two runs are a pair. Everything here is a pure function of arrays,
without units of its own: the results have the unit of the outcome.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.statistics import mean_interval

Sign = Literal[-1, 0, 1]
Array = NDArray[np.float64]

FEWEST_PAIRS = 2


@dataclass(frozen=True)
class Sesoi:
    """The smallest effect of interest: `size` in the outcome's unit, or, where `relative`, as a share of the
    absolute mean of the arm after the minus.

    >>> Sesoi(0.1, relative=True).text
    '10 % rel'
    """

    size: float
    relative: bool = False

    def __post_init__(self) -> None:
        if not 0.0 < self.size < np.inf:
            raise ValueError(f"a smallest effect of interest must be positive and finite, not {self.size}")

    def value(self, minus_mean: ArrayLike) -> Array:
        """The size in the outcome's unit, where the arm after the minus has these means.

        >>> float(Sesoi(0.1, relative=True).value(-0.4).round(6))
        0.04
        """
        base = np.abs(np.asarray(minus_mean, dtype=np.float64))
        return self.size * base if self.relative else np.full_like(base, self.size)

    @property
    def text(self) -> str:
        """As a table shows it."""
        return f"{100 * self.size:g} % rel" if self.relative else f"{self.size:g}"


class Contrasts(NamedTuple):
    """Differences between two arms, one for each world: arrays of equal shape, in the outcome's unit.

    `estimate` is the mean of the paired differences, `low` and `high` its 95 % interval, `sesoi` the smallest effect
    of interest (NaN where there is none) and `verdict` what follows.
    """

    estimate: Array
    low: Array
    high: Array
    sesoi: Array
    verdict: NDArray[np.str_]


def possible(sign: Sign) -> tuple[str, str, str, str]:
    """The verdicts that an outcome with this claimed sign can get; the first two have opposite directions.

    >>> possible(0)
    ('higher', 'lower', 'negligible', 'undecided')
    """
    return (*(("supported", "opposed") if sign else ("higher", "lower")), "negligible", "undecided")


def contrast(
    differences: ArrayLike, minus_mean: ArrayLike, sesoi: Sesoi | None = None, claimed_sign: Sign = 0
) -> Contrasts:
    """The difference between two arms in each world, with its interval and the verdict on it.

    The last axis of the paired `differences` has a value for each seed, of which there are at least 2; `minus_mean` is
    the mean of the arm after the minus, to which a relative smallest effect of interest refers. Without such an effect
    the verdict is "estimate"; the claimed sign is 0 where nobody claims one. Raises `ValueError` for fewer than two
    pairs, or values that are not finite.

    >>> contrast([[0.07, 0.07, 0.08], [0.0, 0.0, 0.0]], [0.2, 0.2], Sesoi(0.05), -1).verdict.tolist()
    ['opposed', 'negligible']
    """
    d, base = np.asarray(differences, dtype=np.float64), np.asarray(minus_mean, dtype=np.float64)
    if not d.ndim or d.shape[-1] < FEWEST_PAIRS:
        raise ValueError(f"needs at least {FEWEST_PAIRS} pairs in each world, not the shape {d.shape}")
    if not (np.isfinite(d).all() and np.isfinite(base).all()):
        raise ValueError("every value must be finite")
    estimate, low, high = mean_interval(d)
    limit = np.full_like(estimate, np.nan) if sesoi is None else sesoi.value(base)
    return Contrasts(estimate, low, high, limit, verdict(low, high, None if sesoi is None else limit, claimed_sign))


def verdict(low: ArrayLike, high: ArrayLike, sesoi: ArrayLike | None, claimed_sign: Sign = 0) -> NDArray[np.str_]:
    """The verdicts on intervals, by rules that were fixed before any result.

    Wholly beyond the smallest effect of interest on the claimed side: supported; on the other side: opposed;
    wholly inside ± the smallest effect of interest: negligible; else undecided. Without a claimed sign, higher and
    lower take the place of supported and opposed; without a smallest effect of interest there is only an estimate.

    Beyond is strict and inside is not, so an interval that touches ±`sesoi` from inside is negligible, one that
    touches it from outside is undecided, and no difference at all is negligible also where `sesoi` is 0 because the
    arm it is relative to has a mean of 0.

    >>> verdict([0.06, -0.05, 0.04], [0.08, 0.05, 0.06], 0.05, -1).tolist()
    ['opposed', 'negligible', 'undecided']
    """
    if claimed_sign not in (-1, 0, 1):
        raise ValueError(f"a claimed sign is -1, 0 or 1, not {claimed_sign}")
    a, b = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    if not (a <= b).all():
        raise ValueError(f"no interval: {a} to {b}")
    if sesoi is None:
        return np.full(a.shape, "estimate")
    limit = np.asarray(sesoi, dtype=np.float64)
    above, below = possible(claimed_sign)[:2][:: claimed_sign or 1]
    return np.select([a > limit, b < -limit, (-limit <= a) & (b <= limit)], [above, below, "negligible"], "undecided")

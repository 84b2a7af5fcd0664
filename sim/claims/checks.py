"""Is the stored answer right? Some of its worlds are run again, with other seeds and, for ten effects, with the same.

It agrees if no mean difference from the stored effects is beyond chance, if no more worlds change their class than
their errors predict, and if ten effects come out equal to the bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim import statistics
from sim.claims import statements
from sim.claims.answer import ClaimReport
from sim.claims.statements import Key
from sim.claims.verdict import Array, classes
from sim.model.words import label
from sim.pool import Progress, part_of
from sim.worlds import evaluate as evaluating
from sim.worlds.evaluate import Effects
from sim.worlds.prior import Worlds

WORLDS, TO_THE_BIT = 100, 10
PRIMARY, OTHERS = 3.0, 4.5
"""Joint errors that the mean difference of a primary outcome, and of any other, may be off."""
CHANCE = 0.999


@dataclass(frozen=True)
class Checked:
    """What a check found: whether the answer ``agrees``, and that in lines."""

    agrees: bool
    lines: tuple[str, ...]


def check(
    report: ClaimReport,
    worlds: Worlds,
    number: int = WORLDS,
    seed: int = 1,
    progress: Progress | None = None,
    workers: int | None = None,
) -> Checked:
    """Run `number` of an answer's `worlds` again, drawn by weight; `seed` is added to that of the answer.

    Raises `InputError` where the answer is about other worlds.
    """
    frame = report.effects_in(worlds)
    there, first = np.unique(frame["world"].to_numpy(), return_index=True)
    weights = frame["weight"].to_numpy()[first]
    drawn, times = np.unique(statistics.systematic(weights, number, np.random.default_rng(seed)), return_counts=True)
    p = report.provenance
    sizes, precision = p["sizes"], statements.precision(report.sizes)
    contrasts = list(dict.fromkeys(case.contrast for _, case in statements.cases(report.claims)))
    some = worlds.take(there[drawn])
    few = np.random.default_rng(seed).choice(len(drawn), min(TO_THE_BIT, len(drawn)), replace=False)
    total = len(drawn) + len(few)
    anew = evaluating.effects(some, contrasts, precision, p["seed"] + seed, sizes, progress=part_of(progress, 0, total),
                              workers=workers)  # fmt: skip
    same = evaluating.effects(some.take(few), contrasts, precision, p["seed"], sizes,
                              progress=part_of(progress, len(drawn), total), workers=workers)  # fmt: skip
    names = {contrast.name for contrast in contrasts}
    before: dict[Key, Any] = {
        (str(contrast), str(outcome)): part.sort_values("world").iloc[drawn]
        for (contrast, outcome), part in frame.groupby(["contrast", "outcome"], sort=False, observed=True)
        if contrast in names
    }
    values: dict[Key, tuple[Array, Array]] = {
        key: (part["estimate"].to_numpy(np.float64), part["error"].to_numpy(np.float64)) for key, part in before.items()
    }
    primary = set(statements.primary(report.claims).values())
    lines = [*_differences(values, anew, times / times.sum(), primary), *_changes(values, anew, report.sizes, primary)]
    lines += _bits(values, same, few, seed)
    again = f"{len(drawn)} worlds were run again with other seeds, {len(values)} effects in each"
    verdict = "The stored answer agrees." if not lines else "THE STORED ANSWER DOES NOT AGREE."
    return Checked(not lines, (f"{verdict} {again}; {len(few)} effects were computed again to the bit.", *lines))


def _differences(
    values: Mapping[Key, tuple[Array, Array]], anew: Effects, weights: Array, primary: set[Key]
) -> list[str]:
    """The effects whose mean is further off than chance allows."""
    lines = []
    for key, (estimate, error) in values.items():
        off = errors_off(anew.of(*key) - estimate, np.hypot(error, anew.error_of(*key)), weights)
        if not off <= (PRIMARY if key in primary else OTHERS):
            lines.append(f"{key[0]}, {label(key[1])}: the mean is {off:.1f} errors off")
    return lines


def errors_off(differences: ArrayLike, errors: ArrayLike, weights: Array) -> float:
    """How many of its errors the weighted mean of differences is away from 0; 0 where all are exactly 0.

    >>> errors_off([0.3, 0.1], [0.1, 0.1], np.array([0.5, 0.5])).__round__(3)
    2.828
    """
    mean, error = weights @ np.asarray(differences), np.sqrt(weights**2 @ np.asarray(errors) ** 2)
    return float(abs(mean) / error) if error > 0.0 else float(np.inf if mean else 0.0)


def _changes(
    values: Mapping[Key, tuple[Array, Array]], anew: Effects, sizes: Mapping[str, float], primary: set[Key]
) -> list[str]:
    """The primary outcomes on which more worlds change their class than their errors predict."""
    lines = []
    for key in sorted(primary & set(values)):
        (estimate, error), delta, now = values[key], sizes[key[1]], anew.of(*key)
        changed = int((classes(estimate, delta) != classes(now, delta)).sum())
        most = most_changes(chances_of_change(estimate, np.hypot(error, anew.error_of(*key)), delta))
        if changed > most:
            lines.append(f"{key[0]}, {label(key[1])}: {changed} worlds change their class; at most {most} should")
    return lines


def chances_of_change(estimate: Array, error: Array, delta: float) -> Array:
    """The chance that an effect which is estimated again, with a joint error, is in another class.

    >>> chances_of_change(np.array([0.02, 0.5]), np.array([0.01, 0.01]), 0.02).round(3).tolist()
    [0.5, 0.0]
    """
    from scipy.special import ndtr  # noqa: PLC0415

    scale = np.maximum(error, 1e-300)
    above, below = ndtr((estimate - delta) / scale), ndtr((-delta - estimate) / scale)
    stays = np.array([1.0 - above - below, above, below])[classes(estimate, delta), np.arange(len(estimate))]
    return np.asarray(np.clip(1.0 - stays, 0.0, 1.0))


def most_changes(chances: ArrayLike, probability: float = CHANCE) -> int:
    """The quantile of how many of independent events happen, each with a chance of its own.

    >>> most_changes([0.5] * 10, 0.5)
    5
    """
    distribution: NDArray[np.float64] = np.ones(1)
    for chance in np.asarray(chances, dtype=np.float64).tolist():
        distribution = np.convolve(distribution, [1.0 - chance, chance])
    return int(np.searchsorted(np.cumsum(distribution), probability - 1e-12))


def _bits(values: Mapping[Key, tuple[Array, Array]], same: Effects, few: NDArray[np.int64], seed: int) -> Sequence[str]:
    """The effects, one in each of the `few` worlds, that are not what is stored, to the bit."""
    rng, keys = np.random.default_rng(seed), list(values)
    lines = []
    for place, world in enumerate(few.tolist()):
        key = keys[int(rng.integers(len(keys)))]
        stored = [float(column[world]) for column in values[key]]
        now = [float(column[place]) for column in (same.of(*key), same.error_of(*key))]
        if stored != now:
            lines.append(f"{key[0]}, {label(key[1])}: {now[0]:.9g} in a world where {stored[0]:.9g} is stored")
    return lines

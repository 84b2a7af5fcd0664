"""Where an answer flips: the simplest region of the worlds that tells those which support a claim from those which do
not, and how well it does on worlds it has not seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim import statistics as weighted
from sim.claims.factors import SWITCH, factors
from sim.claims.text import joined
from sim.errors import InputError
from sim.model.parameters import DECLARATIONS
from sim.statistics import Estimate, Weights
from sim.study.trees import FOLDS, Bounds, Score, grown, leaves, ranking, score, smallest_within_an_error, tells_apart
from sim.worlds.draws import Weighted

Values = NDArray[np.float64]
Truth = NDArray[np.bool_]

SMALLEST = 0.05
"""An answer with a smaller share of the weight is too rare to be told apart,"""
FEWEST = 15.0
"""and so is one with a smaller effective number of worlds."""
_SIDES = (("supported", "opposed"), ("higher", "lower"))


@dataclass(frozen=True)
class Region:
    """A part of the plausible worlds: `bounds` by factor (not below, below), and what holds inside.

    `share` is the share of its weight with the answer in question, `weight` its part of all worlds that were told
    apart, `worlds` its effective number of worlds.
    """

    bounds: dict[str, Bounds]
    share: Estimate
    weight: float
    worlds: float


@dataclass(frozen=True)
class Flip:
    """Where a claim's answer flips.

    Attributes
    ----------
    answer, other : str
        The verdict told apart, and from what ("opposed", "not supported").
    regions : tuple of Region
        The one with the largest share first; together they hold all worlds told apart. Empty where there are none to
        tell apart, or no simple region tells them apart.
    scores : tuple of Score
        For each depth; empty where there was nothing to tell apart.
    chosen : Score or None
        The smallest depth that is within a standard error of the best.
    leading : tuple of str
        The two factors that matter most; empty where `scores` is.
    sentence : str
    """

    answer: str
    other: str
    regions: tuple[Region, ...]
    scores: tuple[Score, ...]
    chosen: Score | None
    leading: tuple[str, ...]
    sentence: str


def flip(source: Weighted, verdicts: Sequence[str], seed: int = 0) -> Flip:
    """Where the verdict on one outcome flips.

    Parameters
    ----------
    source : Weighted
        An ensemble, or a `Sample`.
    verdicts : sequence of str
        The verdict in each of its worlds. Supported is told from opposed (or higher from lower), or where one of them
        is rare the other from all else; a verdict that is rare, or that nearly all worlds share, flips nowhere.
    seed : int
        Of the folds. Worlds that descend from one draw of the prior are always in the same fold.

    Raises
    ------
    InputError
        For a number of verdicts that is not that of the worlds, or fewer ancestors than folds.
    """
    said = np.asarray(verdicts, dtype=np.str_)
    _check(source, said)
    told = _told_apart(said, source.weights)
    if told is None:
        return Flip("", "", (), (), None, (), _everywhere(said, source.weights))
    answer, other, kept, truth = told
    x, names = factors(source.worlds)
    x, truth, w, ancestors = x[kept], truth[kept], source.weights[kept] / source.weights[kept].sum(), source.ancestors
    ancestors = ancestors[kept]
    if len(np.unique(ancestors)) < FOLDS:
        return Flip(answer, other, (), (), None, (), "Too few worlds of separate descent to look for a region.")
    scores = score(x, truth, w, ancestors, seed)
    chosen = smallest_within_an_error(scores)
    tree = grown(x, truth, w)
    found = leaves(tree, names, weighted.weighted_mean(w, truth), chosen.depth) if tells_apart(chosen) else []
    regions = _regions(found, x, names, truth, w, ancestors)
    ranked = tuple(names[k] for k in ranking(tree, x, truth, w)[:2])
    return Flip(answer, other, regions, scores, chosen, ranked, _sentence(answer, other, regions, chosen))


def _check(source: Weighted, verdicts: NDArray[np.str_]) -> None:
    if verdicts.shape != (len(source.worlds),):
        raise InputError([f"verdicts: {len(verdicts)} of them for {len(source.worlds)} worlds; there must be one each"])
    if (count := len(np.unique(source.ancestors))) < FOLDS:
        raise InputError([f"worlds: descend from {count} draws of the prior; at least {FOLDS} are needed"])


def _told_apart(verdicts: NDArray[np.str_], w: Weights) -> tuple[str, str, Truth, Truth] | None:
    """The answer in question, what it is told from, the worlds that are one or the other, and which have the answer."""
    for answer, other in _SIDES:
        one, two = verdicts == answer, verdicts == other
        if not _is_rare(one, w) and not _is_rare(two, w):
            return answer, other, (one | two) & (w > 0.0), one
        for name, truth in ((answer, one), (other, two)):
            if not _is_rare(truth, w) and not _is_rare(~truth, w):
                return name, f"not {name}", w > 0.0, truth
    return None


def _is_rare(truth: Truth, w: Weights) -> bool:
    mine = w[truth]
    return mine.sum() < SMALLEST * w.sum() or weighted.effective_size(mine) < FEWEST


def _everywhere(verdicts: NDArray[np.str_], w: Weights) -> str:
    shares = {name: w[verdicts == name].sum() / w.sum() for name in np.unique(verdicts)}
    common = max(shares, key=lambda name: shares[name])
    return f"There is nothing to tell apart: it is {common} in {100 * shares[common]:.0f} % of worlds by weight."


def _regions(
    found: list[dict[str, Bounds]],
    x: Values,
    names: Sequence[str],
    truth: Truth,
    w: Weights,
    ancestors: NDArray[np.int64],
) -> tuple[Region, ...]:
    """What holds within the bounds of each leaf, which are rounded as a sentence says them."""
    regions = []
    for bounds in found:
        inside = np.ones(len(x), dtype=bool)
        for name, (low, high) in bounds.items():
            column = x[:, names.index(name)]
            inside &= (column >= low) & (column < high)
        if inside.any():
            share = weighted.share(w[inside], truth[inside], ancestors[inside])
            size = weighted.effective_size(w[inside])
            regions.append(Region(bounds, share, float(w[inside].sum() / w.sum()), size))
    return tuple(sorted(regions, key=lambda r: -r.share.estimate)) if len(regions) > 1 else ()


def _sentence(answer: str, other: str, regions: Sequence[Region], chosen: Score) -> str:
    sorted_well = (
        f"{100 * chosen.balanced.estimate:.0f} % of worlds that were left out are sorted rightly, both answers counted "
        f"alike (standard error {100 * chosen.balanced.error:.0f}; guessing gets 50 %)"
    )
    if not regions:
        return f"No simple region tells {answer} from {other}: {sorted_well}."
    first, *others = (f"{100 * region.share.estimate:.0f} %" for region in regions)
    parts = [f"Where {_conditions(regions[0].bounds)}, it is {answer} in {first} of worlds by weight"]
    parts += [f"where {_conditions(r.bounds)}, in {said}" for r, said in zip(regions[1:-1], others, strict=False)]
    parts += [f"elsewhere in {others[-1]}"]
    among = "" if other.startswith("not ") else f", of those where it is {answer} or {other}"
    beats = chosen.gain.estimate > 2.0 * chosen.gain.error
    remark = "" if beats else " Always guessing the commoner answer would do as well."
    return f"{'; '.join(parts)}{among}. By this, {sorted_well}.{remark}"


def _conditions(bounds: dict[str, Bounds]) -> str:
    return joined([_condition(name, *limits) for name, limits in bounds.items()])


def _condition(name: str, low: float, high: float) -> str:
    if name.startswith(SWITCH):
        return f"the {name.replace('_', ' ')} is {'on' if high == np.inf else 'off'}"
    unit = DECLARATIONS[name].unit
    if np.isfinite(low) and np.isfinite(high):
        return f"{name} is from {low:g} to {high:g} ({unit})"
    return f"{name} is below {high:g} ({unit})" if np.isfinite(high) else f"{name} is at least {low:g} ({unit})"

"""Scenario discovery: the simplest region of a space of factors in which an answer holds, by shallow decision trees.

Points are worlds or runs, each with a weight and an ancestor; points of one ancestor resemble each other, so they are
never on both sides of a fold. A tree is grown from the top, so the shallower trees are the upper parts of the deepest,
and one serves for all depths.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim import statistics as weighted
from sim.errors import KEPT, InputError, chosen, shown
from sim.model.glossary import joined
from sim.model.words import plain
from sim.statistics import Estimate, Weights
from sim.study.design import NUMBERED

if TYPE_CHECKING:
    from sklearn.tree import DecisionTreeClassifier

from sim.study.results import Results

Values = NDArray[np.float64]
Truth = NDArray[np.bool_]
Bounds = tuple[float, float]
"""Not below, and below."""

DEPTHS = (1, 2)  # a deeper tree cannot be read aloud
FOLDS = 5
REPEATS = 4
"""How often the points are dealt into folds anew."""
SMALLEST_LEAF = 0.05
"""The least share of the weight that a leaf may hold."""
FEWEST = 15.0
"""An answer with a smaller effective number of points is too rare to be told apart."""
_CONDITION = re.compile(r"\s*(\w+)\s*(<=|>=|<|>)\s*([-+]?\d*\.?\d+(?:[eE][-+]?\d+)?)\s*")
_SIGNS = {"<": lt, ">": gt, "<=": le, ">=": ge}


class Region(NamedTuple):
    """A part of the space: `bounds` by factor (not below, below), and what holds inside.

    `share` is the share of its weight with the answer in question, `weight` its part of all points that were told
    apart, `size` its effective number of points.
    """

    bounds: dict[str, Bounds]
    share: Estimate
    weight: float
    size: float


@dataclass(frozen=True)
class Regions:
    """Where an answer holds.

    Attributes
    ----------
    answer, other : str
        The answer told apart, and from what ("opposed", "not supported").
    sentence : str
        All of it in words; ``str()`` gives it too.
    regions : tuple of Region
        The one with the largest share first; together they hold all points told apart. Empty where there are none to
        tell apart, or no simple region tells them apart.
    chosen : Score or None
        The smallest depth that is within a standard error of the best; None where there was nothing to tell apart.
    leading : tuple of str
        The two factors that matter most; empty where there was nothing to tell apart.
    """

    answer: str
    other: str
    sentence: str
    regions: tuple[Region, ...] = ()
    chosen: Score | None = None
    leading: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.sentence


class Score(NamedTuple):
    """How well a tree does on worlds it has not seen. `balanced` counts both classes the same, so guessing gets 0.5;
    `gain` counts worlds by weight, and is what it adds to always guessing the larger class."""

    depth: int
    balanced: Estimate
    gain: Estimate


def regions(
    factors: pd.DataFrame,
    truth: Truth,
    weights: Weights | None = None,
    ancestors: NDArray[np.int64] | None = None,
    seed: int = 0,
    answer: str = "so",
    other: str = "not so",
    of: str = "points",
    named: Callable[[str], str] = str,
) -> Regions:
    """The simplest regions of a space of factors that tell where something is true from where it is not.

    `factors` has a row for each point and a numeric column for each factor; a name with a space is that of a factor
    which is off or on, 0 or 1. By default weights are equal and each point is its own ancestor. `seed` is that of the
    folds on which trees are judged; `answer`, `other`, `of` and `named` are what the sentence calls where it is true,
    where it is not, the points, and a factor.
    """
    x, names, n = np.ascontiguousarray(factors, dtype=np.float64), tuple(map(str, factors)), len(factors)
    w = np.full(n, 1.0 / n) if weights is None else weights / weights.sum()
    by = np.arange(n) if ancestors is None else ancestors
    if len(np.unique(by)) < FOLDS:
        return Regions(answer, other, f"Too few {of} of separate descent to look for a region.")
    chosen = smallest_within_an_error(score(x, truth, w, by, seed))
    tree = grown(x, truth, w)
    found: list[Region] = []
    for bounds in leaves(tree, names, weighted.weighted_mean(w, truth), chosen.depth) if tells_apart(chosen) else []:
        inside = np.ones(n, dtype=bool)
        for name, (low, high) in bounds.items():
            inside &= (x[:, names.index(name)] >= low) & (x[:, names.index(name)] < high)
        if inside.any():
            share, size = weighted.share(w[inside], truth[inside], by[inside]), weighted.effective_size(w[inside])
            found.append(Region(bounds, share, float(w[inside].sum() / w.sum()), size))
    kept = tuple(sorted(found, key=lambda r: -r.share.estimate)) if len(found) > 1 else ()
    leading = tuple(names[k] for k in ranking(tree, x, truth, w)[:2])
    return Regions(answer, other, _sentence(answer, other, of, named, kept, chosen, factors), kept, chosen, leading)


def is_rare(truth: Truth, w: Weights) -> bool:
    """Whether too little of the weight is true to be told apart."""
    mine = w[truth]
    return mine.sum() < SMALLEST_LEAF * w.sum() or weighted.effective_size(mine) < FEWEST


def everywhere(verdicts: NDArray[np.str_], w: Weights, of: str = "points") -> str:
    """The sentence for an answer that is too nearly the same everywhere."""
    shares = {name: w[verdicts == name].sum() / w.sum() for name in np.unique(verdicts)}
    common = max(shares, key=lambda name: shares[name])
    return f"There is nothing to tell apart: it is {common} in {100 * shares[common]:.0f} of 100 {of}."


def regions_where(results: Results, condition: str) -> Regions:
    """Where in the space of a study's design a condition on an outcome holds, such as "fear > 0.4".

    Points are the runs; those of one cell count as descendants of one ancestor. Text in the design, such as a regime,
    is a factor for each of its values, which is off or on. Raises `InputError` with one line for a condition that is
    not ``outcome < number`` (or ``<=``, ``>``, ``>=``), an outcome that was not kept, and a study that varies nothing.
    """
    match = _CONDITION.fullmatch(condition) if isinstance(condition, str) else None
    if match is None:
        raise InputError([f'{shown(condition)}: must be an outcome, <, <=, > or >=, and a number: "fear > 0.4"'])
    name, sign, limit = match[1], match[2], float(match[3])
    chosen("outcome", name, results.outcomes, KEPT)
    runs = results.runs.dropna(subset=[name])
    varied = [column for column in results.columns if column not in NUMBERED and runs[column].nunique() > 1]
    if not varied:
        raise InputError(["regions: the design varies nothing"])
    text = [column for column in varied if not pd.api.types.is_numeric_dtype(runs[column])]
    factors = pd.get_dummies(runs[varied], columns=text, prefix_sep=" ", dtype=float)
    truth, equal = _SIGNS[sign](runs[name].to_numpy(), limit), np.full(len(runs), 1.0 / max(1, len(runs)))
    answer, other = f"{name} {sign} {limit:g}", f"not {name} {sign} {limit:g}"
    if is_rare(truth, equal) or is_rare(~truth, equal):
        return Regions(answer, other, everywhere(np.where(truth, answer, other), equal, "runs"))
    return regions(factors, truth, None, runs["cell"].to_numpy(), 0, answer, other, "runs")


def _sentence(
    answer: str,
    other: str,
    of: str,
    named: Callable[[str], str],
    found: Sequence[Region],
    chosen: Score,
    factors: pd.DataFrame,
) -> str:
    if not found:
        return f"No simple region tells {answer} from {other}."
    first, *others = (f"{100 * region.share.estimate:.0f}" for region in found)
    where = [
        joined([f"{named(name)} is {_between(factors[name], *ends)}" for name, ends in region.bounds.items()])
        for region in found
    ]
    parts = [
        f"Where {where[0]}, it is {answer} in {first} of 100 {of}",
        *(f"where {place}, in {said}" for place, said in zip(where[1:-1], others, strict=False)),
        f"elsewhere in {others[-1]}",
    ]
    among = "" if other.startswith("not ") else f", of those where it is {answer} or {other}"
    beats = chosen.gain.estimate > 2.0 * chosen.gain.error
    remark = "" if beats else " Always guessing the commoner answer would do as well."
    right = f"{100 * chosen.balanced.estimate:.0f} of 100 {of}"
    rule = f"This rule sorts {right} that it has not seen rightly, both answers counting alike; guessing, 50."
    return f"{'; '.join(parts)}{among}. {rule}{remark}"


def _between(values: pd.Series, low: float, high: float) -> str:
    """Two limits in words, given a factor's values: below a limit there may be but one of them.

    >>> x = pd.Series([0.0, 0.0, 0.1, 0.2, 0.3], name="x")
    >>> _between(x, 0.05, np.inf), _between(x, -np.inf, 0.05), _between(x, 0.15, 0.25)
    ('above 0', '0', 'from 0.15 to 0.25')
    """
    if " " in str(values.name):
        return "on" if high == np.inf else "off"
    if np.isfinite(low) and np.isfinite(high):
        return f"from {plain(low)} to {plain(high)}"
    under = values[values < (low if np.isfinite(low) else high)].unique()
    if np.isfinite(low):
        return f"above {plain(under[0])}" if len(under) == 1 else f"at least {plain(low)}"
    return plain(under[0]) if len(under) == 1 else f"below {plain(high)}"


def score(x: Values, truth: Truth, w: Weights, ancestors: NDArray[np.int64], seed: int = 0) -> tuple[Score, ...]:
    """For each of `DEPTHS` the accuracy of a tree on folds of ancestors that it was not grown on.

    `x` is worlds by factors, `truth` what is to be told, `w` weights that sum to 1.
    """
    balanced, gain = np.zeros((2, len(DEPTHS), len(x)))
    rng, (_, which) = np.random.default_rng(seed), np.unique(ancestors, return_inverse=True)
    dealt = (rng.permutation(which.max() + 1)[which] % FOLDS for _ in range(REPEATS))
    for fold in (folds == k for folds in dealt for k in range(FOLDS)):
        base = weighted.weighted_mean(w[~fold], truth[~fold])
        chance = chances(grown(x[~fold], truth[~fold], w[~fold]), x[fold])
        balanced[:, fold] += (chance > base) == truth[fold]
        gain[:, fold] += (chance > 0.5) == truth[fold]
        gain[:, fold] -= (base > 0.5) == truth[fold]
    alike = np.where(truth, w / w[truth].sum(), w / w[~truth].sum()) / 2.0
    judged = ((alike, balanced), (w, gain))
    return tuple(
        Score(depth, *(weighted.mean(by, right[k] / REPEATS, ancestors) for by, right in judged))
        for k, depth in enumerate(DEPTHS)
    )


def smallest_within_an_error(scores: Sequence[Score]) -> Score:
    """The shallowest tree whose balanced accuracy is within one standard error of the best."""
    best = max(scores, key=lambda s: s.balanced.estimate).balanced
    return next(s for s in scores if s.balanced.estimate >= best.estimate - best.error)


def tells_apart(score: Score) -> bool:
    """Whether the tree is better than guessing by more than two standard errors."""
    return score.balanced.estimate - 0.5 > 2.0 * score.balanced.error


def grown(x: Values, truth: Truth, w: Weights) -> DecisionTreeClassifier:
    """The deepest tree: `x` is worlds by factors, `truth` what is to be told, `w` their weights."""
    from sklearn.tree import DecisionTreeClassifier  # noqa: PLC0415

    options = {"max_depth": max(DEPTHS), "min_weight_fraction_leaf": SMALLEST_LEAF, "criterion": "entropy"}
    return DecisionTreeClassifier(**options, random_state=0).fit(x, truth, sample_weight=w)


def chances(tree: DecisionTreeClassifier, x: Values) -> Values:
    """The weighted share of the answer where each world ends up, by depth of the tree."""
    t, node = tree.tree_, np.zeros(len(x), dtype=np.int64)
    found = []
    for _ in DEPTHS:
        left = x[np.arange(len(x)), np.maximum(t.feature[node], 0)] <= t.threshold[node]
        below = np.where(left, t.children_left[node], t.children_right[node])
        node = np.where(below < 0, node, below)
        found.append(_share(tree.tree_, node) * tree.classes_[-1])
    return np.array(found)


def _share(tree: Any, node: Any) -> Any:
    """The weighted share of the last class in a node, or in each of several."""
    value = tree.value[node]
    return value[..., 0, -1] / value[..., 0, :].sum(axis=-1)


def ranking(tree: DecisionTreeClassifier, x: Values, truth: Truth, w: Weights) -> NDArray[np.int64]:
    """Factors by what they do for the tree, then by their weighted correlation with the answer."""
    centred, y = x - w @ x, truth - w @ truth
    spread = np.sqrt((w @ centred**2) * (w @ y**2))
    correlation = np.abs(np.divide((w * y) @ centred, spread, out=np.zeros_like(spread), where=spread > 0.0))
    return np.lexsort((-correlation, -tree.feature_importances_))


def leaves(
    grown_tree: DecisionTreeClassifier, names: Sequence[str], base: float, depth: int
) -> list[dict[str, Bounds]]:
    """The bounds of the leaves down to a depth; where all below a node lies on one side of the base rate, it is one."""
    tree: Any = grown_tree.tree_

    def sides(node: int, left: int) -> set[bool]:
        if left == 0 or tree.children_left[node] < 0:
            return {bool(_share(tree, node) > base)}
        return sides(tree.children_left[node], left - 1) | sides(tree.children_right[node], left - 1)

    def below(node: int, left: int, bounds: dict[str, Bounds]) -> list[dict[str, Bounds]]:
        if len(sides(node, left)) == 1:
            return [bounds]
        name, limit = names[tree.feature[node]], float(f"{tree.threshold[node]:.2g}")
        low, high = bounds.get(name, (-np.inf, np.inf))
        lower = below(tree.children_left[node], left - 1, {**bounds, name: (low, min(high, limit))})
        return lower + below(tree.children_right[node], left - 1, {**bounds, name: (max(low, limit), high)})

    return below(0, depth, {})

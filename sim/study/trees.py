"""Decision trees of small depth over weighted worlds: how well they tell an answer, and what their leaves say.

A tree is grown from the top, so the shallower trees are the upper parts of the deepest, and one serves for all depths.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim import statistics as weighted
from sim.statistics import Estimate, Weights

if TYPE_CHECKING:
    from sklearn.tree import DecisionTreeClassifier

Values = NDArray[np.float64]
Truth = NDArray[np.bool_]
Bounds = tuple[float, float]
"""Not below, and below."""

DEPTHS = (1, 2)  # a deeper tree cannot be read aloud
FOLDS = 5
REPEATS = 4
"""How often the worlds are dealt into folds anew."""
SMALLEST_LEAF = 0.05
"""The least share of the weight that a leaf may hold."""


class Score(NamedTuple):
    """How well a tree does on worlds it has not seen. `balanced` counts both classes the same, so guessing gets 0.5;
    `plain` counts worlds by weight, and `gain` is what it adds to always guessing the larger class."""

    depth: int
    balanced: Estimate
    plain: Estimate
    gain: Estimate


def score(x: Values, truth: Truth, w: Weights, ancestors: NDArray[np.int64], seed: int = 0) -> tuple[Score, ...]:
    """For each of `DEPTHS` the accuracy of a tree on folds of ancestors that it was not grown on.

    `x` is worlds by factors, `truth` what is to be told, `w` weights that sum to 1.
    """
    balanced, plain, gain = np.zeros((3, len(DEPTHS), len(x)))
    rng = np.random.default_rng(seed)
    for fold in (fold for _ in range(REPEATS) for fold in _folds(ancestors, rng)):
        base = weighted.weighted_mean(w[~fold], truth[~fold])
        chance = chances(grown(x[~fold], truth[~fold], w[~fold]), x[fold])
        balanced[:, fold] += (chance > base) == truth[fold]
        plain[:, fold] += (chance > 0.5) == truth[fold]
        gain[:, fold] -= (base > 0.5) == truth[fold]
    gain += plain
    alike = np.where(truth, w / w[truth].sum(), w / w[~truth].sum()) / 2.0
    return tuple(
        Score(
            depth,
            weighted.mean(alike, balanced[k] / REPEATS, ancestors),
            weighted.mean(w, plain[k] / REPEATS, ancestors),
            weighted.mean(w, gain[k] / REPEATS, ancestors),
        )
        for k, depth in enumerate(DEPTHS)
    )


def smallest_within_an_error(scores: Sequence[Score]) -> Score:
    """The shallowest tree whose balanced accuracy is within one standard error of the best."""
    best = max(scores, key=lambda s: s.balanced.estimate).balanced
    return next(s for s in scores if s.balanced.estimate >= best.estimate - best.error)


def tells_apart(score: Score) -> bool:
    """Whether the tree is better than guessing by more than two standard errors."""
    return score.balanced.estimate - 0.5 > 2.0 * score.balanced.error


def _folds(ancestors: NDArray[np.int64], rng: np.random.Generator) -> Iterable[Truth]:
    _, which = np.unique(ancestors, return_inverse=True)
    fold = rng.permutation(which.max() + 1) % FOLDS
    return (fold[which] == k for k in range(FOLDS))


def grown(x: Values, truth: Truth, w: Weights) -> DecisionTreeClassifier:
    """The deepest tree: `x` is worlds by factors, `truth` what is to be told, `w` their weights."""
    from sklearn.tree import DecisionTreeClassifier  # noqa: PLC0415

    tree = DecisionTreeClassifier(
        max_depth=max(DEPTHS), min_weight_fraction_leaf=SMALLEST_LEAF, criterion="entropy", random_state=0
    )
    return tree.fit(x, truth, sample_weight=w)


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

    def ends(node: int, left: int) -> bool:
        return left == 0 or tree.children_left[node] < 0

    def sides(node: int, left: int) -> set[bool]:
        if ends(node, left):
            return {bool(_share(tree, node) > base)}
        return sides(tree.children_left[node], left - 1) | sides(tree.children_right[node], left - 1)

    def below(node: int, left: int, bounds: dict[str, Bounds]) -> list[dict[str, Bounds]]:
        if len(sides(node, left)) == 1:
            return [bounds]
        name, limit = names[tree.feature[node]], _rounded(float(tree.threshold[node]))
        low, high = bounds.get(name, (-np.inf, np.inf))
        lower = below(tree.children_left[node], left - 1, {**bounds, name: (low, min(high, limit))})
        return lower + below(tree.children_right[node], left - 1, {**bounds, name: (max(low, limit), high)})

    return below(0, depth, {})


def _rounded(limit: float) -> float:
    return float(f"{limit:.2g}")

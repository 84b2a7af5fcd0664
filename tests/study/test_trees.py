"""Trees of small depth, and how their accuracy is judged."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from sim.study.trees import DEPTHS, chances, grown, leaves, score, smallest_within_an_error, tells_apart

X = np.random.default_rng(0).random((1000, 6)).astype(np.float32).astype(float)
EQUAL = np.full(1000, 1 / 1000)
EACH = np.arange(1000)
LOTS = np.random.default_rng(1).random(1000)


def test_shallower_trees_are_the_upper_parts_of_the_deepest():
    truth = (X[:, 0] < 0.5) ^ (X[:, 1] < 0.3)
    w = np.random.default_rng(0).random(1000)
    found = chances(grown(X, truth, w), X)
    for depth, chance in zip(DEPTHS, found, strict=True):
        tree = DecisionTreeClassifier(
            max_depth=depth, min_weight_fraction_leaf=0.05, criterion="entropy", random_state=0
        ).fit(X, truth, sample_weight=w)
        assert np.allclose(tree.predict_proba(X)[:, 1], chance)


def test_accuracy_is_that_on_worlds_left_out():
    """A rule with a tenth of noise is told in nine cases of ten, at any depth; always guessing has its own share."""
    truth = (X[:, 0] < 0.25) ^ (LOTS < 0.1)
    found = score(X, truth, EQUAL, EACH)
    for one in found:
        assert one.plain.estimate == pytest.approx(0.9, abs=0.05)
        assert one.balanced.error == pytest.approx(0.012, abs=0.006)
        guess = max(truth.mean(), 1 - truth.mean())
        assert one.gain.estimate == pytest.approx(one.plain.estimate - guess, abs=0.01)
    assert smallest_within_an_error(found).depth == 1 and tells_apart(found[0])


def test_both_answers_count_the_same_in_balanced_accuracy():
    """A rare answer that guessing would always miss is told from the common one by its region."""
    truth = (X[:, 0] < 0.2) & (LOTS < 0.4)
    found = score(X, truth, EQUAL, EACH)[0]
    assert found.balanced.estimate > 0.8 and found.gain.estimate <= 0.0


def test_a_deeper_tree_is_chosen_where_it_is_needed():
    truth = (X[:, 0] < 0.5) & (X[:, 1] < 0.5)
    assert smallest_within_an_error(score(X, truth, EQUAL, EACH)).depth == 2


def test_leaves_on_one_side_are_one():
    truth = (X[:, 0] < 0.5) & (X[:, 1] < 0.5)
    found = leaves(grown(X, truth, EQUAL), tuple("abcdef"), truth.mean(), 3)
    assert len(found) == 3
    assert {"a": (-np.inf, 0.5), "b": (-np.inf, 0.5)} in found


def test_weights_decide_what_is_split():
    truth = np.where(EACH < 500, X[:, 0] < 0.5, X[:, 1] < 0.5)
    w = np.where(EACH < 500, 1 / 500, 0.0)
    assert list(leaves(grown(X, truth, w), tuple("abcdef"), 0.5, 1)[0]) == ["a"]

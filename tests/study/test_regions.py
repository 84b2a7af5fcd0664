"""Trees of small depth, and how their accuracy is judged."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from sklearn.tree import DecisionTreeClassifier

from sim.errors import InputError
from sim.study.regions import (
    DEPTHS,
    chances,
    grown,
    leaves,
    regions_where,
    score,
    smallest_within_an_error,
    tells_apart,
)

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
        assert one.balanced.error == pytest.approx(0.012, abs=0.006)
        guess = max(truth.mean(), 1 - truth.mean())
        assert one.gain.estimate == pytest.approx(0.9 - guess, abs=0.05)
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


class Runs(NamedTuple):
    """What `regions_where` asks of a study's results."""

    runs: pd.DataFrame
    columns: tuple[str, ...] = ("monitoring", "regime")
    outcomes: tuple[str, ...] = ("fear",)


def planted(seeds: int = 10) -> Runs:
    """Fear is high where monitoring is above a half and the regime is heavy."""
    monitoring, regime = np.linspace(0.05, 0.95, 10), ("light", "heavy")
    runs = pd.DataFrame(list(product(monitoring, regime, range(seeds))), columns=["monitoring", "regime", "seed"])
    noise = 0.01 * np.random.default_rng(0).random(len(runs))
    fear = 0.2 + 0.4 * ((runs["monitoring"] > 0.5) & (runs["regime"] == "heavy")) + noise
    return Runs(runs.assign(cell=runs.groupby(["monitoring", "regime"]).ngroup(), fear=fear))


def test_where_an_outcome_of_a_study_is_high_is_said_in_terms_of_its_design():
    found = regions_where(planted(), "fear > 0.4")
    best = found.regions[0]
    assert best.bounds["monitoring"] == (0.5, np.inf)
    assert best.bounds.get("regime heavy") == (0.5, np.inf) or best.bounds["regime light"] == (-np.inf, 0.5)
    assert best.share.estimate == 1.0
    assert str(found).startswith("Where ") and "monitoring is at least 0.5" in str(found)


def test_a_condition_that_holds_everywhere_tells_nothing_apart():
    found = regions_where(planted(), "fear >= 0.1")
    assert found.regions == () and str(found).startswith("There is nothing to tell apart")


@pytest.mark.parametrize(
    ("condition", "line"),
    [
        ("fear", '"fear": must be an outcome, <, <=, > or >=, and a number: "fear > 0.4"'),
        ("feer > 0.4", 'outcome = "feer": no such outcome kept by this study (did you mean "fear"?)'),
        ("fear > x", '"fear > x": must be an outcome, <, <=, > or >=, and a number: "fear > 0.4"'),
    ],
)
def test_a_mistaken_condition_gets_one_line(condition, line):
    with pytest.raises(InputError) as refused:
        regions_where(planted(2), condition)
    assert refused.value.lines == (line,)

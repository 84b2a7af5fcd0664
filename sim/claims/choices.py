"""What can be chosen: policies against baseline, what each gives up for what, and what is lost by choosing it.

The utility of a choice in a world is U = Σ weight·direction·effect/δ, effects against baseline, which is itself a
choice with U = 0. Regret is the best choice's U in that world less this one's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from sim import statistics
from sim.claims.statements import AFTER_FEAR, CHOICES, CHOSEN_BY, LIMITS, REACHED, WEIGHTINGS
from sim.claims.statements import BASELINE as TODAY
from sim.claims.tables import finding, with_error
from sim.model import words
from sim.model.glossary import joined
from sim.model.parameters import PARAMETERS
from sim.statistics import Estimate
from sim.worlds.evaluate import Arm, Array, Contrast, Effects, less
from sim.worlds.prior import Worlds

Row = Mapping[Any, Any]
Rows = Iterator[dict[str, Any]]
BASELINE = "baseline"
REACH = (0.1, 0.9)
"""Shares of organisations that a rule must reach between, to differ from support for none and for all."""
QUANTILE = 0.9
"""Of regret; never its largest value, which grows with the number of worlds."""


def own(policies: Mapping[str, str | Mapping[str, Any]]) -> dict[str, Contrast]:
    """A user's own policies against baseline, by name: each the name of a regime, or a mapping with ``regime`` (else
    "baseline") and settings.

    >>> own({"mine": {"targets": 0}})["mine"].name
    'mine - baseline'
    """
    found = {}
    for name, policy in policies.items():
        settings: dict[str, Any] = {"regime": policy} if isinstance(policy, str) else dict(policy)
        arm = Arm(name, settings.pop("regime", "baseline"), tuple(settings.items()))
        found[name] = less(arm, TODAY)
    return found


def against_baseline(e: Effects, sizes: Mapping[str, float], choices: Mapping[str, Contrast] = CHOICES) -> Rows:
    """A row for each choice and outcome: what the worlds say, by the outcome's own direction."""
    for choice, contrast in choices.items():
        for outcome in CHOSEN_BY:
            yield {"choice": choice, **finding(e, contrast.name, outcome, sizes[outcome])}


def better(effects: Array, delta: float, direction: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Where an outcome is better by more than δ.

    >>> better(np.array([0.03, -0.03]), 0.02, -1).tolist()
    [False, True]
    """
    return np.asarray(direction * effects > delta)


def trade_offs(e: Effects, sizes: Mapping[str, float], choices: Mapping[str, Contrast] = CHOICES) -> Rows:
    """A row for each choice and pair of outcomes with a direction: the shares of weight of the worlds in which
    ``both`` are better, only the ``one``, only the ``other``, ``neither``, each with its error."""
    directed = [name for name in CHOSEN_BY if LIMITS[name].direction]
    for choice, contrast in choices.items():
        good = {n: better(e.of(contrast.name, n), sizes[n], LIMITS[n].direction) for n in directed}
        for one, other in combinations(directed, 2):
            a, b = good[one], good[other]
            parts = {"both": a & b, "only_one": a & ~b, "only_other": ~a & b, "neither": ~a & ~b}
            row = {"choice": choice, "one": one, "other": other}
            for name, where in parts.items():
                row |= with_error(name, e.sample.share(where))
            yield row


def utilities(
    e: Effects, sizes: Mapping[str, float], weights: Mapping[str, float], choices: Mapping[str, Contrast] = CHOICES
) -> Array:
    """What each choice is worth in each world, worlds by choices, baseline with 0 as the first."""
    worth = [
        sum(w * LIMITS[n].direction * e.of(contrast.name, n) / sizes[n] for n, w in weights.items())
        for contrast in choices.values()
    ]
    return np.stack([np.zeros(len(e.sample)), *map(np.asarray, worth)], axis=1)


def regret(utility: Array) -> Array:
    """What is lost by each choice in each world against the best one there, worlds by choices.

    >>> regret(np.array([[0.0, 2.0], [0.0, -1.0]])).tolist()
    [[2.0, 0.0], [0.0, 1.0]]
    """
    return np.asarray(utility.max(axis=1, keepdims=True) - utility)


def regrets(e: Effects, sizes: Mapping[str, float], choices: Mapping[str, Contrast] = CHOICES) -> Rows:
    """A row for each weighting and choice: mean ``utility`` and ``regret`` over worlds, the 90 % quantile of regret,
    ``regret_q90``, and the shares of weight in which it is ``best`` and ``worst``, each with its error. Of choices that
    are equally good in a world, the first counts."""
    names = [BASELINE, *choices]
    for weighting, weights in WEIGHTINGS.items():
        worth = utilities(e, sizes, weights, choices)
        lost = regret(worth)
        for k, choice in enumerate(names):
            row = {"weighting": weighting, "choice": choice}
            row |= with_error("utility", e.sample.mean(worth[:, k])) | with_error("regret", e.sample.mean(lost[:, k]))
            row |= with_error("regret_q90", quantile(e.sample, lost[:, k]))
            row |= with_error("best", e.sample.share(worth.argmax(axis=1) == k))
            yield row | with_error("worst", e.sample.share(worth.argmin(axis=1) == k))


def follows_fear(e: Effects, sizes: Mapping[str, float]) -> Rows:
    """A row for each outcome: what support that follows fear does against the same spending spread evenly.

    It is told over the worlds in which the rule reaches between 10 and 90 % of organisation-months, of the last months
    of a run; ``left_out`` is the share of weight of the others. No row where there are no such worlds.
    """
    reach = reached(e.of(REACHED.name, "relationship_level"))
    inside = (reach >= REACH[0]) & (reach <= REACH[1])
    if not (e.sample.weights[inside] > 0.0).any():
        return
    weights = e.sample.weights[inside]
    some, left_out = e.take(np.flatnonzero(inside), weights / weights.sum()), e.sample.share(~inside)
    for outcome in CHOSEN_BY:
        yield {**finding(some, AFTER_FEAR.name, outcome, sizes[outcome]), **with_error("left_out", left_out)}


def reached(relationship_level: Array) -> Array:
    """The share of organisations that a rule reaches, from the mean investment that it leads to.

    >>> reached(np.array([0.3, 0.55, 0.8])).round(6).tolist()
    [0.0, 0.5, 1.0]
    """
    usual, much = PARAMETERS["relationship"].default, 0.8
    return np.asarray((relationship_level - usual) / (much - usual))


def quantile(sample: Worlds, values: Array, probability: float = QUANTILE) -> Estimate:
    """A weighted quantile with its jackknife error."""

    def at(w: Array) -> Array:
        return statistics.weighted_quantile(w[w > 0.0], values[w > 0.0], probability)

    found, error = statistics.jackknife(at, sample.weights, sample.calibrations)
    return Estimate(float(found), float(error))


def sentences(regretted: Sequence[Row], against: Sequence[Row]) -> Iterator[str]:
    """Which choice is best most often, and which loses least, under each weighting, from the rows of `regrets`; and
    what gets worse in more worlds than not of that which the weighting leaves out, from those of `against_baseline`.
    """
    for weighting, weights in WEIGHTINGS.items():
        mine = [row for row in regretted if row["weighting"] == weighting]
        if not mine:
            continue
        best, safe = max(mine, key=lambda row: row["best"]), min(mine, key=lambda row: row["regret"])
        also = (
            "it also loses least on average"
            if safe is best
            else f"least is lost on average by {words.policy(safe['choice'])}"
        )
        near = joined([f"{words.policy(row['choice'])} in {100 * row['best']:.0f}" for row in _near(best, mine)])
        tied = f" ({near})" if near else ""
        unseen = _left_out(best["choice"], weights, against)
        yield (
            f"{_COUNTED[weighting]}, {words.policy(best['choice'])} is the best choice in "
            f"{100 * best['best']:.0f} of 100 plausible worlds{tied}{unseen}; {also}."
        )


def _near(best: Row, rows: Sequence[Row]) -> list[Row]:
    """The choices that are best nearly as often: at least half as often, and not told apart by their errors."""
    return [row for row in rows if row is not best and row["best"] >= 0.5 * best["best"]
            and best["best"] - row["best"] <= 2.0 * np.hypot(best["best_error"], row["best_error"])]  # fmt: skip


def _left_out(choice: str, weights: Mapping[str, float], against: Sequence[Row]) -> str:
    """What a choice makes worse in more than half of the worlds though a weighting does not count it."""
    worse = []
    for row in against:
        if row["choice"] == choice and row["direction"] and row["outcome"] not in weights:
            share = row["below" if row["direction"] > 0 else "above"]
            if share > 0.5:
                worse.append(f"{words.moves(row['outcome'], -row['direction'])} in {100 * share:.0f}")
    return f", but {joined(worse)}, which is not counted" if worse else ""


_COUNTED = {
    "equal": "Where all six outcomes that everybody wants to move count alike, four of them about leaders",
    "patients": "Where only harm and quality of care count",
    "staff": "Where only distress, fear and time count",
}

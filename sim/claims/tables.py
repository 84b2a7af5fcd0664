"""Beside the verdicts: levels and effects by dose, the oversight budget, what makes up for a cut, break-evens, fear.

Each function takes what was evaluated under the ensemble and gives a table with weighted shares and quantiles over
worlds; where the arms that it needs were not run, the table has no rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sim import statistics as weighing
from sim.claims import table
from sim.claims.shares import contrasts_of, described, summary
from sim.claims.statements import MEASURED, Arm, BreakEven, Claim
from sim.model.parameters import DECLARATIONS
from sim.worlds.evaluate import Array, Evaluation

Rows = Iterator[dict[str, Any]]
_FEWEST_IN_BIN = 5.0  # effective worlds
_BINS = np.linspace(0.0, 1.0, 11)


def levels(e: Evaluation) -> pd.DataFrame:
    """A row for each outcome of surveillance and dose: the level over worlds, with 5 to 95 % of worlds."""
    return pd.DataFrame(_levels(e))


def _levels(e: Evaluation) -> Rows:
    for outcome in table.DOSED:
        for arm in _run(e, table.DOSES):
            level = described(e.sample, e.mean(arm, outcome))
            yield {"outcome": outcome, "arm": arm.name, "unit": MEASURED[outcome].unit, **level}


def doses(e: Evaluation, claims: Sequence[Claim]) -> pd.DataFrame:
    """A row for each outcome of the claims about surveillance and each of `claim_table.STEPS`."""
    return pd.DataFrame(_doses(e, claims))


def _doses(e: Evaluation, claims: Sequence[Claim]) -> Rows:
    for claim in filter(table.surveillance, claims):
        for measure in claim.measures:
            for name, signed in table.STEPS.items():
                minus = e.of(signed[-1][1], measure.outcome)
                found = contrasts_of(e.sum_of(signed, measure.outcome), minus, measure)
                row = summary(found, measure, e.sample.weights, e.sample.ancestors)
                yield {"claim": claim.id, "outcome": measure.outcome, "step": name, **row}


def budget_curve(e: Evaluation) -> pd.DataFrame:
    """A row for each price, outcome and point of the oversight budget: the change against no relationship at all."""
    return pd.DataFrame(_budget_curve(e))


def _budget_curve(e: Evaluation) -> Rows:
    for price, line in _lines(e):
        for outcome in ("quality", "fear", "initiative_rate"):
            for arm in line:
                change = e.mean(arm, outcome) - e.mean(line[0], outcome)
                yield {"price": price, "relationship": _setting(arm, "relationship"), "outcome": outcome,
                       **described(e.sample, change)}  # fmt: skip


def optimum(e: Evaluation) -> pd.DataFrame:
    """A row for each price and point of the oversight budget: the weighted share of worlds whose quality is highest
    there, and, the same in each row of a price, the optimum's distribution between the points."""
    return pd.DataFrame(_optimum(e))


def _optimum(e: Evaluation) -> Rows:
    for price, line in _lines(e):
        at = np.array([_setting(arm, "relationship") for arm in line])
        quality = np.stack([e.mean(arm, "quality") for arm in line], axis=1)
        best = best_points(at, quality)
        nearest = quality.argmax(axis=1)
        for k, arm in enumerate(line):
            share, error = weighing.share(e.sample.weights, nearest == k, e.sample.ancestors)
            yield {"price": price, "relationship": at[k], "arm": arm.name, "share": share, "share_error": error,
                   **{f"optimum_{name}": value for name, value in described(e.sample, best).items()}}  # fmt: skip


def best_points(at: Array, values: Array) -> Array:
    """Where each row of `values` is highest: the top of the parabola through the highest of the equally spaced points
    `at` and its neighbours; the highest point itself at an end.

    >>> best_points(np.array([0.0, 1.0, 2.0]), np.array([[0.0, 1.0, 1.0], [2.0, 1.0, 0.0]])).tolist()
    [1.5, 0.0]
    """
    top, rows = values.argmax(axis=1), np.arange(len(values))
    inside = (top > 0) & (top < len(at) - 1)
    k = np.clip(top, 1, len(at) - 2)
    before, peak, after = values[rows, k - 1], values[rows, k], values[rows, k + 1]
    bend = before - 2.0 * peak + after
    shift = np.divide(0.5 * (before - after), bend, out=np.zeros(len(values)), where=inside & (bend < 0.0))
    return np.asarray(at[top] + shift * (at[1] - at[0]))


def made_up(e: Evaluation) -> pd.DataFrame:
    """A row for each incentive to cooperate: the weighted share of worlds in which it makes up for the whole loss of
    quality from the cut. Then the shares in which none does and in which nothing was lost, and the incentive that is
    ``needed`` elsewhere, interpolated between those tried."""
    return pd.DataFrame(_made_up(e))


def _made_up(e: Evaluation) -> Rows:
    if not _run(e, table.MADE_UP):
        return
    whole = e.mean(table.UNCUT, "quality")
    tried = np.array([DECLARATIONS["cooperation_incentive"].default, *table.INCENTIVES])
    restored = np.stack([e.mean(arm, "quality") for arm in (table.CUT, *table.MADE_UP)], axis=1) - whole[:, None]
    needed = first_crossing(tried, restored)
    cases: dict[str, Any] = {
        **{f"incentive {c:g} is enough": restored[:, k] >= 0.0 for k, c in enumerate(tried)},
        "nothing was lost": restored[:, 0] >= 0.0,
        "no incentive tried is enough": np.isnan(needed),
    }
    for case, holds in cases.items():
        share, error = weighing.share(e.sample.weights, holds, e.sample.ancestors)
        yield {"case": case, "share": share, "share_error": error}
    some = ~np.isnan(needed) & (restored[:, 0] < 0.0)
    if some.any():
        low, median, high = weighing.weighted_quantile(e.sample.weights[some], needed[some], (0.05, 0.5, 0.95)).tolist()
        yield {"case": "needed", "low": low, "median": median, "high": high}


def first_crossing(at: Array, values: Array) -> Array:
    """Where each row of `values`, at the points `at`, first reaches 0, by straight lines between points; the first
    point where it starts there, NaN where it never does.

    >>> first_crossing(np.array([0.0, 1.0, 2.0]), np.array([[-1.0, 1.0, 0.0], [-1.0, -1.0, -1.0], [1.0, 0.0, 0.0]]))
    array([0.5, nan, 0. ])
    """
    reached = values >= 0.0
    k = np.maximum(reached.argmax(axis=1), 1)
    rows = np.arange(len(values))
    low, high = values[rows, k - 1], values[rows, k]
    part = np.divide(-low, high - low, out=np.zeros(len(values)), where=high > low)
    between = at[k - 1] + part * (at[k] - at[k - 1])
    return np.where(reached[:, 0], at[0], np.where(reached.any(axis=1), between, np.nan))


def break_evens(e: Evaluation) -> pd.DataFrame:
    """A row for each sign that one parameter decides: the value at which it turns, the weighted share of worlds above
    it, and by simulation the share of worlds, on either side of it, in which the outcome moves as it should."""
    return pd.DataFrame(
        _break_even(e, b) for b in table.BREAK_EVENS if _run(e, (b.comparison.plus, b.comparison.minus))
    )


def _break_even(e: Evaluation, b: BreakEven) -> dict[str, Any]:
    own = np.array([getattr(world.parameters(), b.parameter) for world in e.sample.worlds])
    moved = b.sign * (e.mean(b.comparison.plus, b.outcome) - e.mean(b.comparison.minus, b.outcome))
    above = own > b.value
    share, error = weighing.share(e.sample.weights, above, e.sample.ancestors)
    agrees, agrees_error = weighing.share(e.sample.weights, (moved > 0.0) == above, e.sample.ancestors)
    return {"claim": b.claim, "contrast": b.comparison.name, "outcome": b.outcome, "sign": b.sign,
            "parameter": b.parameter, "break_even": b.value, "share_above": share, "share_above_error": error,
            "as_it_should": agrees, "as_it_should_error": agrees_error, "why": b.why}  # fmt: skip


def atmosphere(e: Evaluation) -> pd.DataFrame:
    """How the initiative rate falls as mean fear rises, across worlds and regimes: a row for each bin of fear.

    ``mean`` with its Monte Carlo ``error``, and 5, 50 and 95 % of the initiative rate; ``effective_size`` worlds and
    regimes. Bins with fewer than 5 are left out.
    """
    return pd.DataFrame(_atmosphere(e))


def _atmosphere(e: Evaluation) -> Rows:
    if not (arms := _run(e, table.REGIMES_SEEN)):
        return
    fear, rate = (np.stack([e.mean(arm, name) for arm in arms]).ravel() for name in ("fear", "initiative_rate"))
    weights, ancestors = np.tile(e.sample.weights, len(arms)), np.tile(e.sample.ancestors, len(arms))
    which = np.digitize(fear, _BINS[1:-1])
    for k in range(len(_BINS) - 1):
        here = which == k
        if not here.any() or weighing.effective_size(weights[here]) < _FEWEST_IN_BIN:
            continue
        mean, error = weighing.mean(weights[here], rate[here], ancestors[here])
        low, median, high = weighing.weighted_quantile(weights[here], rate[here], (0.05, 0.5, 0.95)).tolist()
        yield {"fear_from": _BINS[k], "fear_to": _BINS[k + 1], "mean": mean, "error": error, "low": low,
               "median": median, "high": high, "effective_size": weighing.effective_size(weights[here])}  # fmt: skip


def fear_slope(e: Evaluation) -> pd.DataFrame:
    """One row: the slope, within each world across regimes, of the initiative rate on fear, over worlds; and the
    weighted share of worlds in which it falls. Worlds whose fear does not vary are left out."""
    if not (arms := _run(e, table.REGIMES_SEEN)):
        return pd.DataFrame()
    fear, rate = (np.stack([e.mean(arm, name) for arm in arms], axis=1) for name in ("fear", "initiative_rate"))
    fear, rate = fear - fear.mean(axis=1, keepdims=True), rate - rate.mean(axis=1, keepdims=True)
    spread = (fear**2).sum(axis=1)
    some = spread > 0.0
    if not some.any():
        return pd.DataFrame()
    slope = (fear * rate).sum(axis=1)[some] / spread[some]
    weights, ancestors = e.sample.weights[some], e.sample.ancestors[some]
    low, median, high = weighing.weighted_quantile(weights, slope, (0.05, 0.5, 0.95)).tolist()
    share, error = weighing.share(weights, slope < 0.0, ancestors)
    row = {"low": low, "median": median, "high": high, "share_falling": share, "share_falling_error": error}
    return pd.DataFrame([row])


def _run(e: Evaluation, arms: Sequence[Arm]) -> Sequence[Arm]:
    """The arms if all of them were run, else none."""
    return arms if set(arms) <= set(e.arms) else ()


def _lines(e: Evaluation) -> Iterator[tuple[float, Sequence[Arm]]]:
    for price in (table.PRICE, *table.PRICES):
        if line := _run(e, table.budget_line(price)):
            yield price, line


def _setting(arm: Arm, name: str) -> float:
    return dict(arm.settings)[name]


def every(e: Evaluation, claims: Sequence[Claim]) -> dict[str, pd.DataFrame]:
    """All of these tables by name."""
    makers = (levels, budget_curve, optimum, made_up, break_evens, atmosphere, fear_slope)
    return {make.__name__: make(e) for make in makers} | {"doses": doses(e, claims)}

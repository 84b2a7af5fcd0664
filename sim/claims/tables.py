"""Every table of an answer: verdicts and effects over worlds, and levels, doses, budget lines and break-evens beside.

A share is of plausible worlds, by weight. It is no probability that a claim is true.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim import statistics
from sim.claims import statements
from sim.claims.statements import Claim, Contrast, Measure, made_of
from sim.claims.verdict import Contrasts, contrast, possible
from sim.model.parameters import PARAMETERS
from sim.statistics import Estimate
from sim.worlds.ensemble import FEWEST, Ensemble
from sim.worlds.evaluate import MEASURED, Arm, Array, Evaluation
from sim.worlds.prior import Worlds

Rows = Iterator[dict[str, Any]]
Finding = tuple[Claim, Contrast | None, Measure]

UNCLEAR, TOO_FEW = "no clear answer", "too few worlds to say"
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_CLEARLY = 2.0  # Monte Carlo errors
_FEWEST_IN_BIN = 5.0  # effective worlds
_BINS = np.linspace(0.0, 1.0, 11)


def findings(claims: Sequence[Claim]) -> Iterator[Finding]:
    """Every outcome of every claim in each of its contrasts; None where there is a level and nothing to compare."""
    for claim in claims:
        for compared in claim.contrasts or (None,):
            for measure in claim.measures:
                yield claim, compared, measure


def verdicts(
    evidence: Evaluation, beside: Mapping[str, Evaluation], worlds: Ensemble, claims: Sequence[Claim]
) -> pd.DataFrame:
    """`ClaimReport.table`, from what was evaluated in the `worlds` of an ensemble; `beside` are evaluations in other
    worlds, by the beginning of their columns."""
    found = pd.DataFrame([_row(evidence, beside, worlds, finding) for finding in findings(claims)])
    return found.fillna({name: "" for name in found if str(name).endswith("verdict")})


def _row(evidence: Evaluation, beside: Mapping[str, Evaluation], worlds: Ensemble, finding: Finding) -> dict[str, Any]:
    measure = finding[2]
    left_out = patterns_on(worlds, measure.outcome)
    here, ancestors = _contrasts(evidence, finding), evidence.sample.ancestors
    others = {
        name: summary(_contrasts(e, finding), measure, e.sample.weights, e.sample.ancestors)
        for name, e in beside.items()
    }
    if left_out:
        others["left_out"] = summary(here, measure, worlds.without(left_out), ancestors)
    return {
        **key_of(finding),
        "side": measure.side,
        "sign": measure.sign,
        "sesoi_rule": "" if measure.sesoi is None else measure.sesoi.text,
        "unit": MEASURED[measure.outcome].unit,
        "remark": measure.remark,
        **summary(here, measure, evidence.sample.weights, ancestors),
        "left_out_patterns": ", ".join(left_out),
        **{f"{name}_{key}": value for name, other in others.items() for key, value in other.items()},
    }


def effects(evidence: Evaluation, claims: Sequence[Claim]) -> pd.DataFrame:
    """`ClaimReport.effects`."""
    parts = []
    for finding in findings(claims):
        found = _contrasts(evidence, finding)._asdict()
        columns = {"effect": found.pop("estimate"), **found, "weight": evidence.sample.weights}
        numbers = np.arange(len(evidence.sample), dtype=np.int32)
        parts.append(pd.DataFrame({"world": numbers, **key_of(finding), **columns}))
    return pd.concat(parts, ignore_index=True)


def patterns_on(ensemble: Ensemble, outcome: str) -> list[str]:
    """The published findings that involve an outcome, or one that it is computed from."""
    return [p.id for p in ensemble.evidence.patterns if made_of(outcome) & set(p.outcomes)]


def key_of(finding: Finding) -> dict[str, str]:
    """What names a finding in every table: its ``claim``, ``contrast`` and ``outcome``."""
    claim, compared, measure = finding
    name = "level at baseline" if compared is None else compared.name
    return {"claim": claim.id, "contrast": name, "outcome": measure.outcome}


def _contrasts(e: Evaluation, finding: Finding) -> Contrasts:
    """The differences in each world; where there is nothing to compare, the levels at baseline."""
    _, compared, measure = finding
    if compared is None:
        return contrast(e.of(statements.BASELINE, measure.outcome), e.mean(statements.BASELINE, measure.outcome))
    plus, minus = e.of(compared.plus, measure.outcome), e.of(compared.minus, measure.outcome)
    return contrast(plus - minus, minus.mean(axis=1), measure.sesoi, measure.sign)


def summary(contrasts: Contrasts, measure: Measure, weights: Array, ancestors: NDArray[np.int64]) -> dict[str, Any]:
    """One row: ``verdict``, the share of each verdict with its ``_error``, the effect and the effective size.

    ``median`` and ``q05`` to ``q95`` are weighted quantiles of the effects over worlds and ``mean`` their weighted
    mean with its Monte Carlo ``mean_error``, in the outcome's unit; ``in_sesoi_...`` the quantiles in smallest effects
    of interest. Where there is none, there are no shares; where the effective size is below `FEWEST`, nothing but it.
    """
    size = statistics.effective_size(weights)
    row: dict[str, Any] = {"verdict": TOO_FEW, "effective_size": size}
    if size < FEWEST:
        return row
    row |= _quantiles("q", contrasts.estimate, weights)
    row |= {"median": row["q50"], **_with_error("mean", statistics.mean(weights, contrasts.estimate, ancestors))}
    if measure.sesoi is None:
        return row | {"verdict": "estimate"}
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = contrasts.estimate / contrasts.sesoi
    row |= _quantiles("in_sesoi_q", np.where(contrasts.estimate == 0.0, 0.0, scaled), weights)
    shares = {v: statistics.share(weights, contrasts.verdict == v, ancestors) for v in possible(measure.sign)}
    for name, estimate in shares.items():
        row |= _with_error(name, estimate)
    return row | {"verdict": overall(shares)}


def _with_error(name: str, found: Estimate) -> dict[str, float]:
    return {name: found.estimate, f"{name}_error": found.error}


def _quantiles(prefix: str, values: Array, weights: Array) -> dict[str, float]:
    found = statistics.weighted_quantile(weights, values, QUANTILES)
    return {f"{prefix}{100 * q:02.0f}": float(value) for q, value in zip(QUANTILES, found, strict=True)}


def overall(shares: Mapping[str, Estimate]) -> str:
    """The verdict with the largest share, if that less two of its Monte Carlo errors is still above the next.

    >>> overall({"supported": Estimate(0.6, 0.05), "opposed": Estimate(0.4, 0.05)})
    'supported'
    >>> overall({"supported": Estimate(0.6, 0.11), "opposed": Estimate(0.4, 0.11)})
    'no clear answer'
    """
    ranked = sorted(shares, key=lambda name: shares[name].estimate, reverse=True)
    first, second = (shares[name] for name in ranked[:2])
    return ranked[0] if first.estimate - _CLEARLY * first.error > second.estimate else UNCLEAR


def _described(sample: Worlds, values: Array) -> dict[str, float]:
    """Weighted mean with its Monte Carlo error, and 5, 50 and 95 % of worlds, of a value for each world."""
    mean, error = sample.mean(values)
    return {"mean": mean, "error": error, **_middle(sample.weights, values)}


def _middle(weights: Array, values: Array) -> dict[str, float]:
    """5, 50 and 95 % of worlds, by weight."""
    found = statistics.weighted_quantile(weights, values, (0.05, 0.5, 0.95)).tolist()
    return dict(zip(("low", "median", "high"), found, strict=True))


def levels(e: Evaluation) -> Rows:
    """A row for each outcome of surveillance and dose: the level over worlds, with 5 to 95 % of worlds."""
    for outcome in statements.DOSED:
        for arm in statements.DOSES:
            level = _described(e.sample, e.mean(arm, outcome))
            yield {"outcome": outcome, "arm": arm.name, "unit": MEASURED[outcome].unit, **level}


def doses(e: Evaluation, claims: Sequence[Claim]) -> Rows:
    """A row for each outcome of the claims about surveillance and each of `sim.claims.statements.STEPS`."""
    for claim in (claim for claim in claims if statements.BY_DOSE in claim.analyses):
        for measure in claim.measures:
            for name, signed in statements.STEPS.items():
                differences, base = e.sum_of(signed, measure.outcome), e.mean(signed[-1][1], measure.outcome)
                found = contrast(differences, base, measure.sesoi, measure.sign)
                row = summary(found, measure, e.sample.weights, e.sample.ancestors)
                yield {"claim": claim.id, "outcome": measure.outcome, "step": name, **row}


def budget_curve(e: Evaluation) -> Rows:
    """A row for each price, outcome and point of the oversight budget: the change against no relationship at all."""
    for price, at, line in _lines(e):
        for outcome in ("quality", "fear", "initiative_rate"):
            for relationship, arm in zip(at, line, strict=True):
                change = _described(e.sample, e.mean(arm, outcome) - e.mean(line[0], outcome))
                yield {"price": price, "relationship": relationship, "outcome": outcome, **change}


def optimum(e: Evaluation) -> Rows:
    """A row for each price and point of the oversight budget: the weighted share of worlds whose quality is highest
    there, and, the same in each row of a price, the optimum's distribution between the points."""
    for price, at, line in _lines(e):
        quality = np.stack([e.mean(arm, "quality") for arm in line], axis=1)
        top = _described(e.sample, statistics.top_of_parabola(at, quality))
        best = {f"optimum_{name}": value for name, value in top.items()}
        for k, arm in enumerate(line):
            share = _with_error("share", e.sample.share(quality.argmax(axis=1) == k))
            yield {"price": price, "relationship": at[k], "arm": arm.name, **share, **best}


def _lines(e: Evaluation) -> Iterator[tuple[float, Array, Sequence[Arm]]]:
    """Each price of relationship whose line was run, with the line's amounts of relationship and arms."""
    for price in (statements.PRICE, *statements.PRICES):
        line = statements.budget_line(price)
        if set(line) <= set(e.arms):
            yield price, np.array([dict(arm.settings)["relationship"] for arm in line]), line


def made_up(e: Evaluation) -> Rows:
    """A row for each incentive to cooperate: the weighted share of worlds in which it makes up for the whole loss of
    quality from the cut. Then the shares in which none does and in which nothing was lost, and the incentive that is
    ``needed`` elsewhere, interpolated between those tried."""
    whole = e.mean(statements.UNCUT, "quality")
    tried = np.array([PARAMETERS["cooperation_incentive"].default, *statements.INCENTIVES])
    arms = (statements.CUT, *statements.MADE_UP)
    restored = np.stack([e.mean(arm, "quality") for arm in arms], axis=1) - whole[:, None]
    needed = first_crossing(tried, restored)
    cases: dict[str, Any] = {f"incentive {c:g} is enough": restored[:, k] >= 0.0 for k, c in enumerate(tried)}
    cases |= {"nothing was lost": restored[:, 0] >= 0.0, "no incentive tried is enough": np.isnan(needed)}
    for case, holds in cases.items():
        yield {"case": case, **_with_error("share", e.sample.share(holds))}
    some = ~np.isnan(needed) & (restored[:, 0] < 0.0)
    if some.any():
        yield {"case": "needed", **_middle(e.sample.weights[some], needed[some])}


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


def break_evens(e: Evaluation, claims: Sequence[Claim]) -> Rows:
    """A row for each sign that one parameter decides: the value at which it turns, the weighted share of worlds above
    it, and by simulation the share of worlds, on either side of it, in which the outcome moves as it should."""
    for claim in claims:
        if (b := claim.break_even) is None:
            continue
        own = np.array([getattr(world.parameters(), b.parameter) for world in e.sample])
        moved = b.sign * (e.mean(b.contrast.plus, b.outcome) - e.mean(b.contrast.minus, b.outcome))
        above = own > b.value
        agrees = e.sample.share((moved > 0.0) == above)
        yield {"claim": claim.id, "contrast": b.contrast.name, "outcome": b.outcome, "sign": b.sign,
               "parameter": b.parameter, "break_even": b.value, **_with_error("share_above", e.sample.share(above)),
               **_with_error("as_it_should", agrees), "why": b.why}  # fmt: skip


def atmosphere(e: Evaluation) -> Rows:
    """How the initiative rate falls as mean fear rises, across worlds and regimes: a row for each bin of fear.

    ``mean`` with its Monte Carlo ``error``, and 5, 50 and 95 % of the initiative rate; ``effective_size`` worlds and
    regimes. Bins with fewer than 5 are left out.
    """
    arms = statements.REGIMES_SEEN
    fear, rate = (np.stack([e.mean(arm, name) for arm in arms]).ravel() for name in ("fear", "initiative_rate"))
    weights, ancestors = np.tile(e.sample.weights, len(arms)), np.tile(e.sample.ancestors, len(arms))
    which = np.digitize(fear, _BINS[1:-1])
    for k in np.unique(which):
        w, rates = weights[which == k], rate[which == k]
        if (size := statistics.effective_size(w)) >= _FEWEST_IN_BIN:
            mean, error = statistics.mean(w, rates, ancestors[which == k])
            yield {"fear_from": _BINS[k], "fear_to": _BINS[k + 1], "mean": mean, "error": error,
                   **_middle(w, rates), "effective_size": size}  # fmt: skip


def fear_slope(e: Evaluation) -> Rows:
    """One row: the slope, within each world across regimes, of the initiative rate on fear, over worlds; and the
    weighted share of worlds in which it falls. Worlds whose fear does not vary are left out."""
    arms, names = statements.REGIMES_SEEN, ("fear", "initiative_rate")
    seen = (np.stack([e.mean(arm, name) for arm in arms], axis=1) for name in names)
    fear, rate = (values - values.mean(axis=1, keepdims=True) for values in seen)
    spread = (fear**2).sum(axis=1)
    some = spread > 0.0
    if some.any():
        slope, weights = (fear * rate).sum(axis=1)[some] / spread[some], e.sample.weights[some]
        falling = statistics.share(weights, slope < 0.0, e.sample.ancestors[some])
        yield {**_middle(weights, slope), **_with_error("share_falling", falling)}


def beside(e: Evaluation, claims: Sequence[Claim]) -> dict[str, pd.DataFrame]:
    """The tables beside the verdicts by name; one whose arms were not run has no rows."""
    needed: dict[Callable[[Evaluation], Rows], Sequence[Arm]] = {
        levels: statements.DOSES,
        budget_curve: (),
        optimum: (),
        made_up: statements.MADE_UP,
        atmosphere: statements.REGIMES_SEEN,
        fear_slope: statements.REGIMES_SEEN,
    }
    found = {make.__name__: make(e) if set(arms) <= set(e.arms) else () for make, arms in needed.items()}
    found |= {make.__name__: make(e, claims) for make in (doses, break_evens)}
    return {name: pd.DataFrame(rows) for name, rows in found.items()}

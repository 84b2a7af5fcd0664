"""The tables of an answer: what worlds say on each outcome of each contrast, and what stands beside it.

A share is of plausible worlds, by weight. It is no probability that a claim is true. Every function takes stored
effects; nothing is run here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim import statistics
from sim.claims import statements
from sim.claims.discovery import factors
from sim.claims.statements import LIMITS, VECTOR, Claim
from sim.claims.verdict import CLASSES, DIVIDED, ESTIMATE, UNKNOWN, Over, Sign, by_points, how_many, over, said, verdict
from sim.model.words import of_100
from sim.statistics import Estimate
from sim.worlds.evaluate import MEASURED, SPREAD, Array, Baseline, Contrast, Effects
from sim.worlds.prior import Worlds

Row = dict[str, Any]
Rows = Iterator[Row]

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
CURVE = np.round(np.linspace(0.0, 4.0, 21), 3)
"""Multiples of δ at which the share beyond it is told."""
FEAR_MOVES = 0.005
"""The least difference in mean fear for which a slope on it is taken."""
FIRST_LIMITS: dict[str, float] = {
    **dict.fromkeys(("fear", "toxic", "time_left", "confidence"), 0.05),
    **dict.fromkeys(("distress", "satisfaction", "integrity"), 0.03),
    **dict.fromkeys(("overload", "quality", "reported"), 0.02),
}
"""Limits of the first version, in the outcome's unit; those below were shares of the level, here of baseline's."""
FIRST_SHARES: dict[str, float] = {
    **dict.fromkeys(("harm", "initiative_rate", "successes", "needless", "exits", "negligence"), 0.1),
    "quality_per_cost": 0.05,
}


def with_error(name: str, found: Estimate) -> Row:
    """An estimate and its error as two cells."""
    return {name: found.estimate, f"{name}_error": found.error}


def quantiles(values: ArrayLike, weights: Array) -> Row:
    """``q05`` to ``q95`` over worlds, by weight."""
    found = statistics.weighted_quantile(weights, values, QUANTILES)
    return {f"q{100 * q:02.0f}": float(value) for q, value in zip(QUANTILES, found, strict=True)}


def described(sample: Worlds, values: ArrayLike) -> Row:
    """``mean`` over worlds with ``mean_error`` and interval, ``low`` and ``high``, and quantiles over worlds."""
    mean = sample.mean(values)
    low, high = statistics.interval(*mean, sample.effective_calibrations)
    return {**with_error("mean", mean), "low": low, "high": high, **quantiles(values, sample.weights)}


def shares_of(found: Over) -> Row:
    """Mean and shares of an effect over worlds with their errors."""
    row = with_error("mean", found.mean)
    for one, name in CLASSES.items():
        row |= with_error(name, found.shares[one])
    return row


def finding(e: Effects, contrast: str, outcome: str, delta: float | None, sign: Sign = 0) -> Row:
    """What the worlds say on one outcome of a contrast.

    ``verdict`` with the ``share`` of weight that it rests on, of a divided one the largest, and ``words``; ``mean`` and
    its interval; the shares ``above``, ``within`` and ``below`` δ, ``near`` for what is within two errors of it, and
    ``n_eff``; ``equal_...`` with every calibration counting the same; quantiles over worlds. Without δ an estimate.
    """
    x, sample, direction = e.of(contrast, outcome), e.sample, LIMITS[outcome].direction if outcome in LIMITS else 0
    row: Row = {
        "contrast": contrast,
        "outcome": outcome,
        "sign": sign,
        "direction": direction,
        "unit": MEASURED[outcome].unit,
    }
    if delta is None:
        return {**row, "verdict": ESTIMATE, "words": "", **described(sample, x)}
    found = over(x, delta, sample.weights, sample.calibrations, e.error_of(contrast, outcome))
    equal = over(x, delta, equally(sample), sample.calibrations)
    carried = verdict(found, delta)
    told = found.shares[found.largest if carried is None else carried]
    return {
        **row,
        "delta": delta,
        "verdict": said(carried, sign, direction),
        "words": in_words(found, carried, sign, direction),
        **with_error("share", told),
        "n_eff": statistics.n_eff(*told),
        "by_points": said(by_points(found, delta), sign, direction),
        **shares_of(found),
        "low": found.low,
        "high": found.high,
        "near": found.near,
        "equal_verdict": said(verdict(equal, delta), sign, direction),
        **{f"equal_{name}": value for name, value in shares_of(equal).items()},
        **quantiles(x, sample.weights),
    }


def in_words(found: Over, carried: int | None, sign: Sign, direction: Sign) -> str:
    """The verdict with how many worlds say so; of a divided one the three shares, the largest first.

    A share whose error is above 8 points gets no words.
    """
    told = found.shares[found.largest if carried is None else carried]
    if not told.error <= UNKNOWN:
        return "the share of worlds is not known well enough to say"
    if carried is not None:
        return f"{said(carried, sign, direction)} {how_many(told.estimate)}"
    whole = dict(zip(CLASSES, of_100([found.shares[one].estimate for one in CLASSES]), strict=True))
    ranked = sorted(CLASSES, key=lambda one: -found.shares[one].estimate)
    return f"{DIVIDED}: {', '.join(f'{said(one, sign, direction)} in {whole[one]}' for one in ranked)}"


def equally(sample: Worlds) -> Array:
    """The weights of the worlds if every calibration counted the same."""
    _, which = np.unique(sample.calibrations, return_inverse=True)
    mass = np.bincount(which, weights=sample.weights)
    w = np.divide(sample.weights, mass[which], out=np.zeros(len(sample)), where=mass[which] > 0.0)
    return np.asarray(w / w.sum())


def findings(e: Effects, sizes: Mapping[str, float], claims: Sequence[Claim]) -> Rows:
    """A row for each claim, contrast and outcome: `finding`, whose it is, and whether it is the claim's primary one."""
    first = statements.primary(tuple(claims))
    for claim, case in statements.cases(tuple(claims)):
        for m in case.measures:
            key = case.contrast.name, m.outcome
            whose = {"claim": claim.id, "side": m.side, "primary": first[claim.id] == key}
            yield {**whose, **finding(e, *key, sizes.get(m.outcome), m.sign)}


def halves(e: Effects, sizes: Mapping[str, float], claims: Sequence[Claim]) -> Rows:
    """Two answers side by side, from the first and from the second half of the calibrations, in the order of their
    numbers: for each row of `findings` that has a limit what each half says, and whether they say the ``same``."""
    sample, numbers = e.sample, np.unique(e.sample.calibrations)
    if not 4 <= len(numbers) < len(sample):  # worlds of the prior are a calibration each
        return
    first = np.isin(sample.calibrations, numbers[: len(numbers) // 2])
    parts = (e.take(np.flatnonzero(h), sample.weights[h] / sample.weights[h].sum()) for h in (first, ~first))
    for a, b in zip(*(findings(part, sizes, claims) for part in parts), strict=True):
        if "delta" in a:
            told = {f"{name}_{half}": row[name] for half, row in (("first", a), ("second", b))
                    for name in ("verdict", "mean", "low", "high", "share", "share_error")}  # fmt: skip
            named = {name: a[name] for name in ("claim", "contrast", "outcome", "primary")}
            yield {**named, **told, "same": a["verdict"] == b["verdict"]}


def vector(e: Effects, sizes: Mapping[str, float], claims: Sequence[Claim], beside: Sequence[Contrast] = ()) -> Rows:
    """A row for each contrast of the claims and `beside` them, and each outcome of `VECTOR`; those that are claimed
    keep their sign."""
    claimed = {(case.contrast.name, m.outcome): m for _, case in statements.cases(tuple(claims)) for m in case.measures}
    compared = (*(case.contrast for _, case in statements.cases(tuple(claims))), *beside)
    for contrast in dict.fromkeys(one.name for one in compared):
        for outcome in VECTOR:
            measure = claimed.get((contrast, outcome))
            row = finding(e, contrast, outcome, sizes[outcome], measure.sign if measure else 0)
            yield {**row, "side": measure.side if measure else "", "claimed": bool(measure and measure.sign)}


def curves(e: Effects, sizes: Mapping[str, float], claims: Sequence[Claim], spread: Mapping[str, float]) -> Rows:
    """For each contrast and outcome the shares of weight above δ and below −δ at multiples of δ, with errors; beside
    them ``between_posts``, the standard deviation between posts at baseline."""
    sample = e.sample
    told = [(case.contrast.name, m.outcome) for _, case in statements.cases(tuple(claims)) for m in case.measures]
    told += [(case.contrast.name, outcome) for _, case in statements.cases(tuple(claims)) for outcome in VECTOR]
    for contrast, outcome in dict.fromkeys(key for key in told if key[1] in sizes):
        x = e.of(contrast, outcome)
        for times in CURVE:
            limit = times * sizes[outcome]
            yield {
                "contrast": contrast,
                "outcome": outcome,
                "times": times,
                "delta": limit,
                **with_error("above", sample.share(x > limit)),
                **with_error("below", sample.share(x < -limit)),
                "between_posts": spread.get(outcome, np.nan),
            }


def first_limits(e: Effects, at_baseline: Mapping[str, float], claims: Sequence[Claim]) -> Rows:
    """What the limits of the first version would give, for each outcome of the claims that had one."""
    limits = {**FIRST_LIMITS, **{name: part * at_baseline[name] for name, part in FIRST_SHARES.items()}}
    for row in findings(e, limits, claims):
        if "delta" in row:
            kept = ("claim", "contrast", "outcome", "delta", "verdict", "words", "above", "within", "below")
            yield {name: row[name] for name in kept}


def levels(base: Baseline, claims: Sequence[Claim]) -> Rows:
    """A row for each outcome that is told at baseline: its level over worlds."""
    for outcome in dict.fromkeys(name for claim in claims for name in claim.levels):
        level = described(base.sample, base.of(outcome))
        yield {"outcome": outcome, "arm": "baseline", "unit": MEASURED[outcome].unit, **level}


def doses(e: Effects, claims: Sequence[Claim], sizes: Mapping[str, float]) -> Rows:
    """A row for each outcome of surveillance, and of the vector, and each dose against today's, the bundle, and
    monitoring and targets two by two against light: `finding`."""
    named = {f"at {dose:g}": c for dose, c in statements.DOSES.items()} | {"hands_off, a bundle": statements.BUNDLE}
    outcomes = [m.outcome for _, case in statements.cases(tuple(claims)) for m in case.measures
                if case.contrast == statements.SURVEILLANCE]  # fmt: skip
    for outcome in dict.fromkeys((*outcomes, *VECTOR)):
        for step, contrast in (named | statements.TWO_BY_TWO).items():
            yield {"step": step, **finding(e, contrast.name, outcome, sizes.get(outcome))}


def budget_curve(e: Effects) -> Rows:
    """A row for each outcome of the vector and point of the oversight budget: the change against no relationship."""
    for outcome in VECTOR:
        for relationship, contrast in statements.BUDGET_LINE.items():
            change = described(e.sample, e.of(contrast.name, outcome))
            yield {"relationship": relationship, "outcome": outcome, **change}


def optimum(e: Effects) -> Rows:
    """For quality and for harm a row for each point of the oversight budget: the ``share`` of weight of the worlds in
    which that is best, and, the same in each row, the best relationship over worlds, between the points."""
    at = np.array([0.0, *statements.BUDGET_LINE])
    for outcome in ("quality", "harm"):
        gains = [LIMITS[outcome].direction * e.of(c.name, outcome) for c in statements.BUDGET_LINE.values()]
        values = np.stack([np.zeros(len(e.sample)), *gains], axis=1)
        best = {f"best_{name}": v for name, v in described(e.sample, statistics.top_of_parabola(at, values)).items()}
        for k, relationship in enumerate(at):
            share = with_error("share", e.sample.share(values.argmax(axis=1) == k))
            yield {"outcome": outcome, "relationship": relationship, **share, **best}


def made_up(base: Baseline, budget: float = 0.9) -> Rows:
    """How much more cooperation would make up for a cut of the acute budget to `budget`: H′ − H over the worlds where
    there is one, and the ``share`` of weight where there is none."""
    gain = factors(base.sample)["cooperation_gain"].to_numpy()
    more = cooperation_needed(base.of("cooperation"), gain, budget)
    some = ~np.isnan(more)
    yield {"case": "no cooperation makes up for it", **with_error("share", base.sample.share(~some))}
    if some.any():
        yield {"case": "more cooperation", **described(base.sample.where(some), more[some])}


def cooperation_needed(cooperation: Array, gain: Array, budget: float) -> Array:
    """H′ − H with budget·(1 + gain·H′) = 1 + gain·H; NaN where H′ would be above 1, or cooperation gains nothing.

    >>> cooperation_needed(np.array([0.5, 0.5, 0.9]), np.array([0.4, 0.0, 0.4]), 0.9).round(4).tolist()
    [0.3333, nan, nan]
    """
    there = gain > 0.0
    needed = np.divide((1.0 + gain * cooperation) / budget - 1.0, gain, out=np.full(len(gain), np.nan), where=there)
    return np.asarray(np.where(needed <= 1.0, needed - cooperation, np.nan))


def path_through_fear(e: Effects, outcome: str = "initiative_rate") -> Rows:
    """A row for each version of the path: which ``part`` of the mean change goes through fear, with its interval.

    The part is a ratio of two weighted means, and missing where the interval of the whole change contains 0.
    """
    sample, whole = e.sample, e.of(statements.SURVEILLANCE.name, outcome)
    total = sample.mean(whole)
    low, high = statistics.interval(*total, sample.effective_calibrations)
    for version, contrast in statements.PATHS.items():
        through = e.of(contrast.name, outcome)
        row = {"version": version, "outcome": outcome, **with_error("whole", total), "whole_low": low,
               "whole_high": high, **with_error("through_fear", sample.mean(through))}  # fmt: skip
        if not low <= 0.0 <= high:
            part = ratio(through, whole, sample.weights, sample.calibrations)
            ends = statistics.interval(*part, sample.effective_calibrations)
            row |= {**with_error("part", part), "low": ends[0], "high": ends[1]}
        yield row


def ratio(above: Array, below: Array, weights: Array, calibrations: NDArray[np.int64]) -> Estimate:
    """The ratio of two weighted means with its jackknife error.

    >>> ratio(np.array([1.0, 3.0]), np.array([4.0, 4.0]), np.full(2, 0.5), np.arange(2)).estimate
    0.5
    """
    found, error = statistics.jackknife(lambda w: (w @ above) / (w @ below), weights, calibrations)
    return Estimate(float(found), float(error))


def atmosphere(e: Effects) -> Rows:
    """One row: within a world, how the rate of trying something new goes with fear where fear is taught more, or less.

    ``mean`` and quantiles of the slope; the ``falling`` share of weight, in which it is negative; the share
    ``left_out``, in which fear hardly moves.
    """
    names = [contrast.name for contrast in statements.ATMOSPHERE.values()]
    fear, rate = (np.stack([e.of(name, what) for name in names], axis=1) for what in ("fear", "initiative_rate"))
    slope = slopes(fear, rate)
    some = ~np.isnan(slope)
    if some.any():
        kept = e.sample.where(some)
        falling = with_error("falling", kept.share(slope[some] < 0.0))
        yield {**described(kept, slope[some]), **falling, **with_error("left_out", e.sample.share(~some))}


def slopes(x: Array, y: Array) -> Array:
    """The slope of each row of y on that of x; NaN where x moves by less than `FEAR_MOVES` from first to last.

    >>> slopes(np.array([[0.1, 0.2, 0.3], [0.1, 0.1, 0.1]]), np.array([[0.3, 0.2, 0.1], [0.3, 0.2, 0.1]])).round(6)
    array([-1., nan])
    """
    there = np.abs(x[:, -1] - x[:, 0]) >= FEAR_MOVES
    a, b = (z - z.mean(axis=1, keepdims=True) for z in (x, y))
    return np.asarray(np.divide((a * b).sum(axis=1), (a * a).sum(axis=1), out=np.full(len(x), np.nan), where=there))


def records(base: Baseline) -> Rows:
    """One row: do those with a record slip more? The slope of negligence on record_share between posts, within worlds.

    ``mean`` and quantiles of the slope, the share of weight ``above_0``, and ``without``, how many worlds have nobody
    with a record. No row where all are such.
    """
    some = ~np.isnan(base.slope)
    if some.any():
        kept, slope = base.sample.where(some), base.slope[some]
        above = with_error("above_0", kept.share(slope > 0.0))
        yield {**described(kept, slope), **above, "without": int((~some).sum()), "worlds": len(some)}


def at_baseline(base: Baseline) -> dict[str, float]:
    """The weighted mean of each outcome at baseline."""
    return {name: base.sample.mean(base.of(name)).estimate for name in MEASURED}


def between_posts(base: Baseline) -> dict[str, float]:
    """The weighted mean of the standard deviation between posts at baseline, of the outcomes that posts keep."""
    return {name: base.sample.mean(base.spread[:, k]).estimate for k, name in enumerate(SPREAD)}


def standards(e: Effects, rows: Sequence[Row], log_z: Sequence[float]) -> Rows:
    """Whether the main answer meets what was asked of it: for each ``rule`` the ``value``, its ``limit``, and whether
    it is ``met``. `rows` are those of the answer, with the vector; `log_z` are the logarithms of the calibrations'
    normalising constants."""
    mass = statistics.by_calibration(e.sample.weights, e.sample.calibrations)
    names = [f"{name}_error" for name in CLASSES.values()]
    told = [row for row in rows if "delta" in row]
    first = [row[name] for row in told if row.get("primary") for name in names]
    every = [row[name] for row in told for name in names] or [np.nan]
    for rule, value, limit, least in (
        ("effective number of calibrations, at least", e.sample.effective_calibrations, 6.0, True),
        ("weight of the heaviest calibration, at most", float(np.max(mass)), 0.3, False),
        (
            "standard deviation of log Z, at most",
            float(np.std(log_z, ddof=1)) if len(log_z) > 1 else np.nan,
            0.6,
            False,
        ),
        ("error of the share of a primary outcome, at most", max(first, default=np.nan), 0.03, False),
        ("root mean square of the errors of all shares, at most", float(np.mean(np.square(every))) ** 0.5, 0.03, False),
    ):
        yield {"rule": rule, "value": value, "limit": limit, "met": bool(value >= limit if least else value <= limit)}

"""Sensitivity: on which of the things that a sampled design varies does an outcome depend?

Each design has its measure, all with 95 % intervals by bootstrap over base samples (cells of an lhs, trajectories of
a morris design):

``sobol`` : ``first_order`` and ``total``
    The share of the outcome's variance over the design that a driver explains by itself, and together with all its
    interactions (Saltelli et al. 2010, computed by SALib). They see effects of any shape.
``morris`` : ``mu_star``, ``mu`` and ``sigma``
    Mean absolute size, mean and standard deviation of the change in the outcome when the driver crosses its whole
    range, estimated from steps of about half of it; in the outcome's unit (Morris 1991, Campolongo et al. 2007). Mu
    far below mu_star tells of effects in both directions, a large sigma of curves or interactions.
``lhs`` : ``srrc``, the standardised rank regression coefficient
    The outcome's rank, regressed on the ranks of all drivers, in standard deviations (Iman & Conover 1979, Saltelli
    & Marivoet 1990). +0.5 means that a driver one standard deviation higher puts the outcome half a standard
    deviation higher; its square is about the share of the ranks' variance that is due to the driver. It sees what
    rises or falls throughout, straight or curved. It does not see effects that rise and then fall, and it leaves out
    interactions: `Sensitivity.r2` says how much of the ranks' variance it accounts for, and where that is low, a
    sobol design is called for. A driver with more than two unordered values (regimes) has no sign: its coefficient is
    the standard deviation of its estimated effects, less what chance alone would give.

A driver is one sampled number: factors that move together have one index. Settings that belong to a mechanism that is
off in a cell do nothing there, which lowers their index. Replications of a cell are averaged first, so the variance is
that between cells; what replications leave of luck counts as interaction (``total``, ``sigma``) or lowers ``r2``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.errors import KEPT, InputError, Mistake, chosen
from sim.model.glossary import joined, shown_numbers
from sim.model.words import label
from sim.statistics import CONFIDENCE
from sim.study.design import Sampled, is_sampled, sampled

if TYPE_CHECKING:
    from sim.study import Results, Study

Array = NDArray[np.float64]
Estimates = dict[str, Array]
"""By measure, an array of shape (3, drivers): estimate, and low and high end of the 95 % interval, which are missing
values where nothing was resampled."""

MAIN = {"lhs": "srrc", "sobol": "total", "morris": "mu_star"}
"""The measure by which each kind of design ranks."""
_BLOCKS = {"lhs": "cells", "sobol": "base samples", "morris": "trajectories"}
LEADING = 5
"""The places of a ranking that a verdict on its convergence is about."""
NAMED = 3
"""The most drivers that a sentence names."""
_FLOOR = {"lhs": 0.1, "sobol": 0.01, "morris": 0.1}
"""A driver matters where its interval lies beyond this: 1 % of the variance, or for morris a tenth of the largest."""
_RULES = {
    "lhs": "interval beyond ±0.1, which is 1 % of the variance of the ranks",
    "sobol": "interval above 1 % of the variance",
    "morris": "interval above a tenth of the largest",
}
_FEWEST = 4
_TRUSTED = 0.7  # share of the ranks' variance below which a regression misses too much
_RESAMPLES, _FEWEST_RESAMPLES = 500, 100
_MOST_NUMBERS = 20_000_000  # of a resampled array that is held in memory at once


@dataclass(frozen=True)
class Sensitivity:
    """What each outcome depends on.

    Attributes
    ----------
    kind : "lhs", "sobol" or "morris"
    table : DataFrame
        A row for each outcome, driver and measure: ``outcome``, ``driver``, ``sets`` (the settings it drives),
        ``measure``, ``estimate``, ``low``, ``high`` (95 % interval), ``rank`` of the driver for the outcome, from 1,
        by the main measure, and ``signed``, whether the estimate has a direction. Outcome by outcome, ranked.
    r2 : DataFrame, index outcome
        For lhs, ``estimate``, ``low`` and ``high`` of the share of the ranks' variance that the regression explains;
        else empty.
    samples : number of cells, base samples or trajectories that were analysed.
    left_out : number of those that were not, because runs of them failed or are missing.
    failed, missing : numbers of such runs.
    half : for each outcome the ranking that half of the samples give.
    runs : number of runs that the numbers rest on, 0 where they come from elsewhere.
    """

    kind: str
    table: pd.DataFrame
    r2: pd.DataFrame
    samples: int
    left_out: int
    failed: int
    missing: int
    half: dict[str, list[str]]
    runs: int = 0

    @property
    def outcomes(self) -> list[str]:
        """The outcomes, in order."""
        return list(self.table["outcome"].unique())

    def ranking(self, outcome: str) -> pd.DataFrame:
        """The rows of the main measure for one outcome, most important driver first; index from 1."""
        rows = self.table[(self.table["outcome"] == outcome) & (self.table["measure"] == MAIN[self.kind])]
        return rows.set_index("rank").sort_index()

    def mattering(self, outcome: str) -> list[str]:
        """The drivers that matter, most important first: their interval lies beyond 1 % of the variance (lhs, sobol)
        or a tenth of the largest effect (morris)."""
        rows = self.ranking(outcome)
        floor = _FLOOR[self.kind] * (float(rows["estimate"].max()) if self.kind == "morris" else 1.0)
        return list(rows.loc[(rows["low"] > floor) | (rows["high"] < -floor), "driver"])

    def leading(self, outcome: str) -> list[str]:
        """The first two drivers that matter, and whichever follow that these samples cannot tell from the second."""
        names, rows = self.mattering(outcome), self.ranking(outcome)
        close, k = _close(rows, len(rows)), 2
        while k < len(names) and (names[k - 1], names[k]) in close:
            k += 1
        return names[:k]

    def text(self) -> str:
        """The findings in sentences, a line each: for each outcome what it depends on and whether more samples would
        change that, and what was left out."""
        return "\n".join([*(line for name in self.outcomes for line in self._about(name)), *self.notes()])

    def notes(self) -> list[str]:
        """What was left out, if anything."""
        if not self.failed and not self.missing:
            return []
        runs = [f"{what} runs: {n}" for n, what in ((self.failed, "failed"), (self.missing, "missing")) if n]
        whole = self.samples + self.left_out
        return [
            f"{joined(runs).capitalize()}. For want of them {self.left_out} of {whole} {_BLOCKS[self.kind]} were left "
            "out; where a cell has other runs, it rests on these."
        ]

    def convergence(self, outcome: str) -> str:
        """Whether more samples would change the order of the leading drivers, in a sentence."""
        leading, close, moved = self._doubts(outcome)
        if not leading:
            return ""
        places = "first place" if len(leading) == 1 else f"first {len(leading)} places"
        if not close and not moved:
            return (
                f"More samples would hardly change the {places} for {label(outcome)}: "
                "intervals of neighbours do not overlap, and half of the samples give the same order."
            )
        pairs = [f"of {a} and {b}" for a, b in close[:NAMED]]
        pairs += [f"of {len(close) - NAMED} more neighbours"] if len(close) > NAMED else []
        why = f"the intervals {joined(pairs)} overlap" if close else "no intervals overlap"
        half = "and half of the samples order them differently" if moved else "though half of them give the same order"
        return f"More samples may change the {places} for {label(outcome)}: {why}, {half}."

    def settled(self, outcome: str) -> bool:
        """Whether the order of the leading drivers is beyond doubt; False where none clearly matters."""
        leading, close, moved = self._doubts(outcome)
        return bool(leading) and not close and not moved

    def _doubts(self, outcome: str) -> tuple[list[str], list[tuple[str, str]], bool]:
        """The leading drivers, the neighbours whose intervals overlap, and whether half of the samples differ."""
        rows = self.ranking(outcome)
        leading = rows["driver"].tolist()[: min(LEADING, len(self.mattering(outcome)))]
        return leading, _close(rows, len(leading)), self.half[outcome][: len(leading)] != leading

    def _about(self, outcome: str) -> list[str]:
        name, names, rule = label(outcome), self.mattering(outcome), _RULES[self.kind]
        rows = self.ranking(outcome)
        if not rows["estimate"].any():
            return [f"{name.capitalize()} is the same in every cell."]
        first = f"These samples do not tell on which of {len(rows)} drivers {name} depends ({rule})."
        parts = []
        for row in rows[rows["driver"].isin(names[:NAMED])].to_dict("records"):
            ends = row["low"], row["high"]
            by, low, high = shown_numbers(row["estimate"], *ends, finest=(ends[1] - ends[0]) / 2)
            sign = "+" if row["signed"] and row["estimate"] > 0.0 else ""
            parts.append(f"{row['driver']} ({sign}{by}, 95 % interval {low} to {high})")
        if names:
            more = f"Of {len(rows)} drivers, {len(names)} clearly matter{'s' * (len(names) == 1)} ({rule})."
            first = f"{name.capitalize()} depends most on {joined(parts)}. {more}"
        return [line for line in (first, self._scope(outcome), self.convergence(outcome)) if line]

    def _scope(self, outcome: str) -> str:
        """How much of the outcome the measure accounts for."""
        if self.kind == "lhs":
            share, low, high = (100.0 * self.r2[key].to_dict()[outcome] for key in ("estimate", "low", "high"))
            line = f"The regression explains {share:.0f} % of the variance of the ranks ({low:.0f} to {high:.0f} %)"
            miss = "; effects that rise and fall, interactions and luck make up the rest, and a sobol design sees those"
            return line + ("." if share >= 100.0 * _TRUSTED else f"{miss}.")
        if self.kind == "sobol":
            rows = self.table[(self.table["outcome"] == outcome) & (self.table["measure"] == "first_order")]
            share = 100.0 * min(max(float(rows["estimate"].sum()), 0.0), 1.0)
            return f"The drivers one by one explain {share:.0f} % of its variance, interactions the rest."
        return ""


def sensitivity(results: Results, outcomes: Iterable[str] | None = None, *, seed: int = 0) -> Sensitivity:
    """What the outcomes of a study with a sampled design depend on, by default all that are kept, from the runs that
    are there. `seed` is that of the bootstrap.

    A cell, base sample or trajectory with a failed or missing run is left out where the cell has no other run;
    `Sensitivity.notes` says how many. Raises `InputError` where the design is not sampled, an outcome is not kept, or
    too few samples are left.
    """
    names = list(chosen("outcomes", outcomes or results.outcomes, results.outcomes, KEPT))
    runs, study = results.runs, results.study
    columns = list(results.columns)
    first = runs.drop_duplicates("cell").set_index("cell")[columns]
    drawn = study.cells.reindex(first.index)[columns]
    if not (first.to_numpy(dtype=object) == drawn.to_numpy(dtype=object)).all():
        line = "its design is drawn differently here than where it was run (another version of SciPy or SALib)"
        raise InputError([f"{study.title}: {line}; run it again"])
    failed = int(runs["error"].notna().sum())
    means = runs.groupby("cell")[names].mean()
    return replace(of_means(study, means, seed=seed, failed=failed, missing=results.missing), runs=len(runs) - failed)


def of_means(study: Study, means: pd.DataFrame, *, seed: int = 0, failed: int = 0, missing: int = 0) -> Sensitivity:
    """The same from a table of outcomes: index ``cell`` as in `Study.cells`, a column for each outcome, missing values
    where no run of a cell worked. Whatever the numbers are, they need not come from the model."""
    if not is_sampled(study.plan.design):
        kind = study.plan.design.get("kind", "none")
        raise InputError([Mistake(("design", "kind"), kind, 'sensitivity needs "lhs", "sobol" or "morris"')])
    drawn = sampled(study.plan.design)
    y = means.reindex(drawn.cell).to_numpy(dtype=np.float64)
    whole = np.isfinite(y).all(axis=1).reshape(-1, drawn.block).all(axis=1)
    count, kept = int(whole.sum()), np.repeat(whole, drawn.block)
    enough = max(_FEWEST, len(drawn.drivers) + 2) if drawn.kind == "lhs" else _FEWEST
    if count < enough:
        what = f"{count} whole {_BLOCKS[drawn.kind]} of {len(whole)}"
        raise InputError([f"{study.title}: only {what} have results; sensitivity needs at least {enough}"])
    tables, explained, half = [], {}, {}
    unit, some = drawn.unit[kept], slice(drawn.block * max(_FEWEST // 2, count // 2))
    for name, values in zip(means.columns, y[kept].T, strict=True):
        found = _ANALYSES[drawn.kind](drawn, unit, values, seed, _RESAMPLES)
        shorter = _ANALYSES[drawn.kind](drawn, unit[some], values[some], seed, 0)
        if drawn.kind == "lhs":
            explained[name] = found.pop("r2")[:, 0]
        tables.append(_tidy(drawn, name, found))
        half[name] = [drawn.drivers[k].name for k in _order(drawn, shorter)]
    r2 = pd.DataFrame.from_dict(explained, orient="index", columns=["estimate", "low", "high"]).rename_axis("outcome")
    left_out = len(whole) - count
    return Sensitivity(drawn.kind, pd.concat(tables, ignore_index=True), r2, count, left_out, failed, missing, half)


def _order(drawn: Sampled, found: Estimates) -> NDArray[np.intp]:
    return np.argsort(-np.abs(found[MAIN[drawn.kind]][0]), kind="stable")


def _tidy(drawn: Sampled, outcome: str, found: Estimates) -> pd.DataFrame:
    rank = _order(drawn, found).argsort() + 1
    rows = [
        {"outcome": outcome, "driver": driver.name, "sets": driver.sets, "measure": measure,
         "estimate": values[0, k], "low": values[1, k], "high": values[2, k], "rank": rank[k],
         "signed": measure == "mu" or (measure == "srrc" and not driver.categories)}
        for measure, values in found.items()
        for k, driver in enumerate(drawn.drivers)
    ]  # fmt: skip
    return pd.DataFrame(rows).sort_values("rank", kind="stable")


def _close(rows: pd.DataFrame, places: int) -> list[tuple[str, str]]:
    """Neighbours in the ranking, the leading ones and the next, whose intervals of absolute size overlap."""
    ends = np.abs(rows[["low", "high"]].to_numpy(dtype=np.float64))
    low = np.where(rows["low"] * rows["high"] < 0.0, 0.0, ends.min(axis=1))
    high = ends.max(axis=1)
    names = rows["driver"].tolist()
    pairs = range(min(places, len(names) - 1))
    return [(names[k], names[k + 1]) for k in pairs if low[k] <= high[k + 1]]


def sobol(drawn: Sampled, unit: Array, y: Array, seed: int, resamples: int) -> Estimates:
    """First-order and total indices from the outcomes of a Saltelli design, in its order, shape (rows,)."""
    from SALib.analyze import sobol as salib  # noqa: PLC0415

    drivers = len(drawn.drivers)
    if np.ptp(y) == 0.0:
        return {"first_order": np.zeros((3, drivers)), "total": np.zeros((3, drivers))}
    found = salib.analyze(
        {"num_vars": drivers, "names": [str(k) for k in range(drivers)], "bounds": [[0.0, 1.0]] * drivers},
        y,
        calc_second_order=False,
        num_resamples=max(2, _affordable(resamples, len(y) // (drivers + 2))),
        keep_resamples=True,
        seed=seed + 1,  # SALib takes 0 for no seed at all
    )
    pairs = {"first_order": "S1", "total": "ST"}
    return {name: _with_ends(found[key], found[f"{key}_conf_all"][:resamples]) for name, key in pairs.items()}


def morris(drawn: Sampled, unit: Array, y: Array, seed: int, resamples: int) -> Estimates:
    """Mu star, mu and sigma from a design of trajectories, shape (rows, drivers), and its outcomes, shape (rows,).

    An elementary effect is the change in the outcome over a driver's step, as if it crossed its whole range.
    """
    steps = np.diff(unit.reshape(-1, drawn.block, unit.shape[1]), axis=1)
    change = np.diff(y.reshape(-1, drawn.block), axis=1)
    size = drawn.levels / (2.0 * (drawn.levels - 1.0))
    effects = np.einsum("tsd,ts->td", np.sign(np.round(steps, 9)), change) / size
    rng, count = np.random.default_rng(seed), len(effects)
    resampled = (effects[rng.integers(count, size=count)] for _ in range(resamples))
    estimates, *draws = (
        np.stack([np.abs(some).mean(axis=0), some.mean(axis=0), some.std(axis=0, ddof=1)])
        for some in (effects, *resampled)
    )
    resamples_of = np.reshape(draws, (resamples, *estimates.shape)).swapaxes(0, 1)
    by_measure = zip(("mu_star", "mu", "sigma"), estimates, resamples_of, strict=True)
    return {name: _with_ends(estimate, of) for name, estimate, of in by_measure}


def rank_regression(drawn: Sampled, unit: Array, y: Array, seed: int, resamples: int) -> Estimates:
    """Standardised rank regression coefficients from sampled numbers, shape (rows, drivers), and outcomes, shape
    (rows,); and "r2", shape (3, 1), the share of the ranks' variance that the regression explains.

    Drivers whose values have no order have a column for each value but the first, others one of ranks.
    """
    from scipy.stats import rankdata  # noqa: PLC0415

    rows = len(y)
    if np.ptp(y) == 0.0:
        return {"srrc": np.zeros((3, len(drawn.drivers))), "r2": np.zeros((3, 1))}
    columns: list[Array] = []
    own = []
    for driver, numbers in zip(drawn.drivers, unit.T, strict=True):
        scores, first = driver.scores(numbers), len(columns)
        levels = range(1, driver.categories)
        columns += [(scores == level).astype(np.float64) for level in levels] or [rankdata(scores) / rows]
        own.append(slice(first, len(columns)))
    table = np.column_stack([*columns, rankdata(y) / rows])
    rng = np.random.default_rng(seed)
    samples = (rng.integers(rows, size=rows) for _ in range(_affordable(resamples, table.size // 10)))
    resampled = (np.bincount(sample, minlength=rows).astype(np.float64) for sample in samples)
    estimate, r2 = _fit(table, np.ones(rows), own, 1)
    fits = [_fit(table, weights, own, 2) for weights in resampled]
    return {
        "srrc": _with_ends(estimate, np.array([found for found, _ in fits])),
        "r2": _with_ends(np.array([r2]), np.array([[share] for _, share in fits])),
    }


def _fit(table: Array, weights: Array, own: list[slice], noise: int) -> tuple[Array, float]:
    """Coefficients of the drivers and R², of rows with these weights; the outcome is the last column.

    `noise` is 1 for a sample and 2 for a resample of one: how many times chance alone adds to squared effects.
    """
    rows = weights.sum()
    centred = table - weights @ table / rows
    s = (centred * weights[:, None]).T @ centred / rows
    total = float(s[-1, -1])
    if total == 0.0:
        return np.zeros(len(own)), 0.0
    c = np.linalg.lstsq(s[:-1, :-1], s[:-1, -1], rcond=None)[0]
    r2 = float(c @ s[:-1, -1]) / total
    found = np.empty(len(own))
    for k, part in enumerate(own):
        share = float(c[part] @ s[part, part] @ c[part]) / total
        columns = part.stop - part.start
        if columns == 1:
            found[k] = np.copysign(share**0.5, c[part.start])
        else:
            found[k] = max(0.0, share - noise * columns * (1.0 - r2) / rows) ** 0.5
    return found, r2


_ANALYSES = {"lhs": rank_regression, "sobol": sobol, "morris": morris}


def _affordable(resamples: int, numbers: int) -> int:
    """As many resamples of so many numbers as are quickly done and fit into memory."""
    return min(resamples, max(_FEWEST_RESAMPLES, _MOST_NUMBERS // max(1, numbers)))


def _with_ends(estimate: Array, draws: Array) -> Array:
    """An estimate with the ends of its interval by the percentile method from resamples."""
    tails = (0.5 - CONFIDENCE / 2, 0.5 + CONFIDENCE / 2)
    low, high = np.quantile(draws, tails, axis=0) if len(draws) else np.full((2, len(estimate)), np.nan)
    return np.stack([estimate, low, high])

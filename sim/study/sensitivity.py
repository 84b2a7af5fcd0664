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
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sim.errors import InputError, nearest, shown
from sim.model.glossary import joined, label, shown_numbers
from sim.study import indices
from sim.study.design import is_sampled, sampled

if TYPE_CHECKING:
    from sim.study import Results, Study
    from sim.study.design import Sampled

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
    provenance : where the numbers come from, for `sim.plots.theme.save`.
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
    title: str = ""
    provenance: dict[str, Any] = field(default_factory=dict)

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

    def sentences(self) -> list[str]:
        """The findings in plain words: for each outcome what it depends on and whether more samples would change that,
        and what was left out."""
        return [*(line for name in self.outcomes for line in self._about(name)), *self.notes()]

    def text(self) -> str:
        """The sentences, a line each."""
        return "\n".join(self.sentences())

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
        name, names = label(outcome), self.mattering(outcome)
        rows = self.ranking(outcome)
        if not rows["estimate"].any():
            return [f"{name.capitalize()} is the same in every cell."]
        if not names:
            first = f"These samples do not tell on which of {len(rows)} drivers {name} depends ({_RULES[self.kind]})."
            return [line for line in (first, self._scope(outcome)) if line]
        parts = [_with_interval(rows[rows["driver"] == driver].iloc[0]) for driver in names[:NAMED]]
        more = f"Of {len(rows)} drivers, {len(names)} clearly matter{'s' * (len(names) == 1)} ({_RULES[self.kind]})."
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
    """What the outcomes of a study with a sampled design depend on, from the runs that are there.

    Parameters
    ----------
    results : Results
    outcomes : names of outcomes, optional
        By default all that are kept.
    seed : int
        Seed of the bootstrap: the same results and seed give the same intervals.

    A cell, base sample or trajectory with a failed or missing run is left out where the cell has no other run;
    `Sensitivity.notes` says how many. Raises `InputError` where the design is not sampled, an outcome is not kept, or
    too few samples are left.
    """
    from sim.model.run import provenance  # noqa: PLC0415

    names = _outcomes(results, outcomes)
    runs = results.runs
    means = runs.groupby("cell")[names].mean()
    _check_design(results.study, runs, list(results.columns))
    failed = int(runs["error"].notna().sum())
    found = of_means(results.study, means, seed=seed, failed=failed, missing=results.missing)
    origin = {**provenance(), "study": results.study.title, "design": dict(results.study.plan.design)}
    return Sensitivity(**{**vars(found), "runs": len(runs) - failed, "provenance": {**origin, "bootstrap_seed": seed}})


def of_means(study: Study, means: pd.DataFrame, *, seed: int = 0, failed: int = 0, missing: int = 0) -> Sensitivity:
    """The same from a table of outcomes: index ``cell`` as in `Study.cells`, a column for each outcome, missing values
    where no run of a cell worked. Whatever the numbers are, they need not come from the model."""
    if not is_sampled(study.plan.design):
        kind = study.plan.design.get("kind", "none")
        raise InputError([f'design.kind = {shown(kind)}: sensitivity needs "lhs", "sobol" or "morris"'])
    drawn = sampled(study.plan.design)
    y = means.reindex(drawn.cell).to_numpy(dtype=np.float64)
    whole = np.isfinite(y).all(axis=1).reshape(-1, drawn.block).all(axis=1)
    kept = np.repeat(whole, drawn.block)
    enough = max(_FEWEST, len(drawn.drivers) + 2) if drawn.kind == "lhs" else _FEWEST
    if whole.sum() < enough:
        what = f"{int(whole.sum())} whole {_BLOCKS[drawn.kind]} of {len(whole)}"
        raise InputError([f"{study.title}: only {what} have results; sensitivity needs at least {enough}"])
    unit = drawn.unit[kept]
    names, half = list(means.columns), drawn.block * max(_FEWEST // 2, int(whole.sum()) // 2)
    table, r2 = _analysed(drawn, unit, y[kept], names, seed, indices.RESAMPLES)
    shorter, _ = _analysed(drawn, unit[:half], y[kept][:half], names, seed, 0)
    orders = {name: _order(shorter[shorter["outcome"] == name], drawn.kind) for name in names}
    left_out = int((~whole).sum())
    return Sensitivity(drawn.kind, table, r2, int(whole.sum()), left_out, failed, missing, orders, title=study.title)


def _outcomes(results: Results, wanted: Iterable[str] | None) -> list[str]:
    names = list(dict.fromkeys([wanted] if isinstance(wanted, str) else wanted or results.outcomes))
    unknown = [name for name in names if name not in results.outcomes]
    if unknown:
        kept = ", ".join(results.outcomes)
        raise InputError(
            [f"{shown(n)}: not kept by this study{nearest(n, results.outcomes)}; it kept {kept}" for n in unknown]
        )
    return names


def _check_design(study: Study, runs: pd.DataFrame, columns: list[str]) -> None:
    """Make sure that the design, drawn anew, is the one that was run."""
    first = runs.drop_duplicates("cell").set_index("cell")[columns]
    expected = study.cells
    same = first.index.isin(expected.index).all() and all(
        (first[name].to_numpy() == expected.loc[first.index, name].to_numpy()).all() for name in columns
    )
    if not same:
        line = "its design is drawn differently here than where it was run (another version of SciPy or SALib)"
        raise InputError([f"{study.title}: {line}; run it again"])


def _analysed(
    drawn: Sampled, unit: Any, y: Any, names: list[str], seed: int, resamples: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table and, for lhs, the shares of variance explained."""
    scores = indices.ranks_and_categories(drawn, unit) if drawn.kind == "lhs" else None
    tables, explained = [], {}
    for k, name in enumerate(names):
        found: indices.Estimates
        if scores is not None:
            found, explained[name] = indices.rank_regression(scores, y[:, k], seed, resamples)
        elif drawn.kind == "sobol":
            found = indices.sobol(y[:, k], len(drawn.drivers), seed, resamples)
        else:
            found = indices.morris(unit, y[:, k], drawn.levels, seed, resamples)
        tables.append(_tidy(drawn, name, found))
    r2 = pd.DataFrame.from_dict(explained, orient="index", columns=["estimate", "low", "high"])
    return pd.concat(tables, ignore_index=True), r2.rename_axis("outcome")


def _tidy(drawn: Sampled, outcome: str, found: indices.Estimates) -> pd.DataFrame:
    size = np.abs(found[MAIN[drawn.kind]][0])
    rank = np.empty(len(size), dtype=np.int64)
    rank[np.argsort(-size, kind="stable")] = np.arange(1, len(size) + 1)
    rows = [
        {"outcome": outcome, "driver": driver.name, "sets": driver.sets, "measure": measure,
         "estimate": values[0, k], "low": values[1, k], "high": values[2, k], "rank": rank[k],
         "signed": measure == "mu" or (measure == "srrc" and not driver.categories)}
        for measure, values in found.items()
        for k, driver in enumerate(drawn.drivers)
    ]  # fmt: skip
    return pd.DataFrame(rows).sort_values("rank", kind="stable")


def _order(part: pd.DataFrame, kind: str) -> list[str]:
    return list(part[part["measure"] == MAIN[kind]].sort_values("rank")["driver"])


def _close(rows: pd.DataFrame, places: int) -> list[tuple[str, str]]:
    """Neighbours in the ranking, the leading ones and the next, whose intervals of absolute size overlap."""
    ends = np.abs(rows[["low", "high"]].to_numpy(dtype=np.float64))
    low = np.where(rows["low"] * rows["high"] < 0.0, 0.0, ends.min(axis=1))
    high = ends.max(axis=1)
    names = rows["driver"].tolist()
    pairs = range(min(places, len(names) - 1))
    return [(names[k], names[k + 1]) for k in pairs if low[k] <= high[k + 1]]


def _with_interval(row: pd.Series) -> str:
    by, low, high = shown_numbers(row["estimate"], row["low"], row["high"], finest=(row["high"] - row["low"]) / 2)
    sign = "+" if row["signed"] and row["estimate"] > 0.0 else ""
    return f"{row['driver']} ({sign}{by}, 95 % interval {low} to {high})"

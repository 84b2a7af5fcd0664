"""Is the inference right? Checks of weighted worlds by pseudo-data, by a second algorithm, and for findings at odds.

*Simulation-based calibration* of the posterior (Talts et al. 2018, here after the evidence; Säilynoja et al. 2025). A
world is drawn by its weight and is taken for the truth; what studies would find in it, each with an error of its
tolerance, are pseudo-data. All worlds but the true one are weighted by the pseudo-data too. Then the true world's
effects are one more draw from the refitted worlds, so their ranks among these are uniform. Ranks in a heap at the ends
mean that the refitted worlds are too sure, in the middle that they are not sure enough.

A refit that learns nothing has uniform ranks of effects as well, and one that learns too little nearly so. What betrays
it is how well the true world agrees with its pseudo-data, as one more quantity that is ranked (`AGREEMENT`; a
data-dependent test quantity, Modrák et al. 2023).

What is left out of a refit says what is tested. With nothing left out, ranks are uniform at any effective size if the
likelihood, its tolerances and the table of effects are right, whatever the worlds: a control. With the true world left
out, its family, or its whole calibration, they also test whether the worlds, of other calibrations in the last case,
stand in for it. Where few worlds are left by effective size, none agrees as well as the true one, and ranks of the
agreement heap at the upper end: such refits need moves, or pseudo-data of larger tolerances, which are as valid.

The statistics behind pseudo-data and their likelihood are those of a second survey of all worlds (`fresh`), because the
evidence has chosen the seeds of the first.

*Conflicts*: findings are at odds if no world meets both, however far each is from the rest.

Everything here is a pure function of arrays and tables; `sim.worlds.refit` makes the worlds of refits for which
weights do not suffice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim import statistics
from sim.errors import InputError
from sim.worlds import survey
from sim.worlds.refit import second_seeds

if TYPE_CHECKING:
    import pandas as pd

    from sim.worlds.ensemble import Ensemble

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Key = tuple[str, str]
"""A contrast and an outcome."""
NOTHING, WORLD, FAMILY, CALIBRATION = "nothing", "world", "family", "calibration"
"""What is left out of a refit."""

REFITS, FEWEST = 100, 100
"""Refits, at least; the effective size below which one is too thin to trust its ranks."""
AGREEMENT: Key = ("pseudo-data", "agreement")
"""The key under which ranks of the agreement with pseudo-data stand."""
BINS, LEVELS = 10, (0.5, 0.9)
UNLIKELY = 0.01
"""An adjusted chance below which ranks are not taken to be uniform."""


@dataclass(frozen=True)
class Known:
    """What is known of weighted worlds.

    Attributes
    ----------
    weights : float array, one for each world.
    statistics : float array, worlds by numbers of the patterns, of second surveys.
    effects : float array, worlds by `keys`.
    keys : tuple of (contrast, outcome)
    groups : mapping
        What is left out of refits, beside `NOTHING`, to an int array, equal in worlds that are left out together.
    """

    weights: Floats
    statistics: Floats
    effects: Floats
    keys: tuple[Key, ...]
    groups: Mapping[str, Whole] = field(default_factory=dict)


def known(ensemble: Ensemble, effects: pd.DataFrame, keys: Sequence[Key], workers: int | None = None) -> Known:
    """What an ensemble and a table of stored effects (``world``, ``calibration``, ``weight``, ``contrast``,
    ``outcome``, ``estimate``) say of the worlds of the table, each of which is surveyed a second time.

    Raises `InputError` for a contrast and outcome that the table lacks.
    """
    found = table(effects, keys)
    worlds = ensemble.take(found.index.to_numpy(np.int64), found["weight"].to_numpy(np.float64))
    _, families = np.unique(np.column_stack([worlds.calibrations, worlds.ancestors]), axis=0, return_inverse=True)
    groups = {WORLD: np.arange(len(worlds)), FAMILY: families.ravel(), CALIBRATION: worlds.calibrations}
    values = found[list(keys)].to_numpy(np.float64)
    return Known(worlds.weights, fresh(worlds, workers), values, tuple(keys), groups)


def fresh(worlds: Ensemble, workers: int | None = None) -> Floats:
    """What surveys find in each world under seeds that nothing else uses, worlds by numbers of the
    patterns. A minute for 2,000 surveys."""
    sizes = survey.Sizes(**worlds.provenance["calibrations"][0]["sizes"])
    surveys = worlds.evidence.size("seeds")
    seeds = [second_seeds(number, surveys) for number in worlds.seeds.tolist()]
    found = survey.measure_all(worlds.evidence, worlds, seeds, sizes, workers=workers)
    return np.column_stack([found[p.id] for p in worlds.evidence.patterns])


def table(effects: pd.DataFrame, keys: Sequence[Key]) -> pd.DataFrame:
    """Stored effects as a row for each world: its ``weight``, its ``calibration``, and the estimates of `keys`."""
    import pandas as pd  # noqa: PLC0415

    parts = {}
    for contrast, outcome in dict.fromkeys(keys):
        here = effects[(effects["contrast"] == contrast) & (effects["outcome"] == outcome)].set_index("world")
        if here.empty:
            raise InputError([f"effects: have no {outcome} of {contrast}"])
        parts[contrast, outcome] = here
    first = next(iter(parts.values())).sort_index()
    columns: dict[Any, Any] = {name: first[name] for name in ("weight", "calibration")}
    return pd.DataFrame(columns | {key: part["estimate"].reindex(first.index) for key, part in parts.items()})


def truths(weights: Floats, number: int = REFITS, seed: int = 0) -> Whole:
    """Which worlds are taken for the truth, drawn by weight, independently, so that a heavy one may come again."""
    return np.random.default_rng((seed, 0)).choice(len(weights), number, p=weights / weights.sum())


def pseudo_data(found: Floats, sds: ArrayLike, seed: int = 0) -> Floats:
    """What studies report where surveys find so much: each with an error of its own, normal with its tolerance."""
    rng = np.random.default_rng((seed, 1))
    return np.asarray(found + rng.standard_normal(found.shape) * np.asarray(sds))


def reweighted(weights: Floats, found: Floats, data: Floats, sds: ArrayLike, kept: NDArray[np.bool_]) -> Floats:
    """Weights times the likelihood of further data, shape (numbers,); 0 for worlds that are not kept, or lack a number.

    >>> found, kept = np.array([[0.0], [1.0], [0.0]]), np.array([True, True, False])
    >>> reweighted(np.full(3, 1 / 3), found, np.zeros(1), 1.0, kept).round(3).tolist()
    [0.622, 0.378, 0.0]
    """
    with np.errstate(divide="ignore"):
        logs = np.log(np.where(kept, weights, 0.0)) + agreement(found, data, sds)
    return statistics.normalised(logs)


def agreement(found: Floats, data: Floats, sds: ArrayLike) -> Floats:
    """The logarithm of how well each world agrees with data; −inf where a number is missing."""
    logs = -0.5 * (((found - data) / np.asarray(sds)) ** 2).sum(axis=1)
    return np.where(np.isnan(logs), -np.inf, logs)


def rank(own: Floats, others: Floats, weights: Floats, rng: np.random.Generator, further: bool = True) -> Floats:
    """The ranks, from 0 to 1, of values among those of weighted worlds (`others`, worlds by values).

    F is the weight below, with a random part of the weight of ties. For one of the worlds themselves (not `further`)
    that is the rank. For a further one it is (n·F + U)/(n + 1), n the effective size and U uniform, which is exactly
    uniform for a further one of n equally likely draws.
    """
    w, n, random = weights / weights.sum(), statistics.effective_size(weights), rng.random((2, len(own)))
    below = w @ (others < own) + random[0] * (w @ (others == own))
    return np.asarray((n * below + random[1]) / (n + 1.0) if further else below)


def ranks(worlds: Known, true: Whole, data: Floats, sds: ArrayLike, seed: int = 0) -> pd.DataFrame:
    """A row for each refit, what was left out of it, and key: ``refit``, ``world`` (the true one), ``left_out``
    (`NOTHING`, or one of the groups), ``contrast``, ``outcome``, ``rank`` and ``effective_size``.
    The last key is `AGREEMENT`.

    `true` are the numbers of the true worlds, `data` their pseudo-data, refits by numbers. A refit for which
    nothing is left is told with an effective size of 0 and no rank.
    """
    import pandas as pd  # noqa: PLC0415

    rng, rows, keys = np.random.default_rng((seed, 2)), list[dict[str, Any]](), (*worlds.keys, AGREEMENT)
    for refit, (world, reported) in enumerate(zip(true.tolist(), data, strict=True)):
        out = {NOTHING: np.zeros(len(worlds.weights), dtype=bool)}
        out |= {name: group == group[world] for name, group in worlds.groups.items()}
        values = np.column_stack([worlds.effects, agreement(worlds.statistics, reported, sds)])
        for name, gone in out.items():
            found, size = np.full(len(keys), np.nan), 0.0
            if (worlds.weights[~gone] > 0.0).any():
                weights = reweighted(worlds.weights, worlds.statistics, reported, sds, ~gone)
                size = statistics.effective_size(weights)
                found = rank(values[world], values, weights, rng, name != NOTHING)
            rows += _rows(refit, world, name, keys, found, size)
    return pd.DataFrame(rows)


def replaced(table: pd.DataFrame, refit: int, own: Floats, others: Floats, size: float, seed: int = 0) -> pd.DataFrame:
    """The `ranks` with those of one refit by worlds that were moved (`sim.worlds.refit`) and are equally likely.

    `own` are the true world's values in the order of the keys, its agreement the last, `others` those of the moved
    worlds, worlds by keys, and `size` their effective number. They take the place of what was thin.
    """
    mine = table["refit"] == refit
    keys = list(dict.fromkeys(zip(table["contrast"], table["outcome"], strict=True)))
    found = rank(own, others, np.full(len(others), 1.0 / len(others)), np.random.default_rng((seed, 3, refit)))
    by_key, new = dict(zip(keys, found.tolist(), strict=True)), table.copy()
    few = mine & (table["effective_size"] < FEWEST) & (table["left_out"] != NOTHING)
    new.loc[few, "rank"] = [by_key[key] for key in zip(table["contrast"][few], table["outcome"][few], strict=True)]
    new.loc[few, "effective_size"] = size
    return new


def _rows(
    refit: int, world: int, left_out: str, keys: Sequence[Key], found: Floats, size: float
) -> Iterator[dict[str, Any]]:
    for (contrast, outcome), value in zip(keys, found.tolist(), strict=True):
        yield {"refit": refit, "world": world, "left_out": left_out, "contrast": contrast, "outcome": outcome,
               "rank": value, "effective_size": size}  # fmt: skip


def thin(table: pd.DataFrame, least: float = FEWEST) -> pd.DataFrame:
    """The refits whose effective size is below `least`: ``left_out``, ``refit``, ``world``, ``effective_size``. They
    are part of all tables, and worlds should be moved for them. Where nothing is left out, none is too thin."""
    few = (table["effective_size"] < least) & (table["left_out"] != NOTHING)
    found = table.loc[few, ["left_out", "refit", "world", "effective_size"]]
    return found.drop_duplicates().reset_index(drop=True)


def uniformity(table: pd.DataFrame) -> pd.DataFrame:
    """A row for each key and what was left out: ``refits``, the Kolmogorov–Smirnov distance ``ks`` with its chance
    ``ks_p``, χ² over ten bins ``chi2`` with ``chi2_p``, both chances adjusted for the number of keys (``ks_adjusted``,
    ``chi2_adjusted``; Holm 1979), and whether both say that ranks are ``uniform``.

    A rank that is missing makes its row NaN, and not uniform.
    """
    import pandas as pd  # noqa: PLC0415
    from scipy.stats import chisquare, kstest  # noqa: PLC0415

    rows = []
    for (left_out, contrast, outcome), part in table.groupby(["left_out", "contrast", "outcome"], sort=False):
        x = part["rank"].to_numpy(np.float64)
        row = {"left_out": left_out, "contrast": contrast, "outcome": outcome, "refits": len(x)}
        if np.isnan(x).any():
            rows.append(row | dict.fromkeys(("ks", "ks_p", "chi2", "chi2_p"), np.nan))
            continue
        ks, chi2 = kstest(x, "uniform"), chisquare(np.histogram(x, BINS, (0.0, 1.0))[0])
        rows.append(row | {"ks": float(ks.statistic), "ks_p": float(ks.pvalue), "chi2": float(chi2.statistic),
                           "chi2_p": float(chi2.pvalue)})  # fmt: skip
    found = pd.DataFrame(rows)
    for name in ("ks", "chi2"):
        adjusted = found.groupby("left_out", sort=False)[f"{name}_p"].transform(lambda p: holm(p.to_numpy()))
        found[f"{name}_adjusted"] = adjusted
    found["uniform"] = (found["ks_adjusted"] >= UNLIKELY) & (found["chi2_adjusted"] >= UNLIKELY)
    return found


def holm(chances: ArrayLike) -> Floats:
    """Chances under the null, adjusted for their number by Holm's step-down rule; what is NaN counts and stays so.

    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(chances, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1.0)
    return adjusted


def coverage(table: pd.DataFrame) -> pd.DataFrame:
    """A row for each key, what was left out, and nominal ``level``: how often the true effect lies in the refit's
    central interval (``covered``), with the exact 95 % binomial interval ``low`` to ``high``, and whether it holds the
    level (``agrees``)."""
    import pandas as pd  # noqa: PLC0415
    from scipy.stats import binomtest  # noqa: PLC0415

    rows = []
    for (left_out, contrast, outcome), part in table.groupby(["left_out", "contrast", "outcome"], sort=False):
        x = part["rank"].to_numpy(np.float64)
        for level in LEVELS:
            hit = int((np.abs(x - 0.5) <= level / 2.0).sum())
            low, high = binomtest(hit, len(x)).proportion_ci(statistics.CONFIDENCE)
            rows.append({"left_out": left_out, "contrast": contrast, "outcome": outcome, "level": level,
                         "covered": hit / len(x), "low": float(low), "high": float(high),
                         "agrees": bool(low <= level <= high)})  # fmt: skip
    return pd.DataFrame(rows)


# Findings that no world meets together


@dataclass(frozen=True)
class Conflicts:
    """How close worlds come to findings, in tolerances.

    Attributes
    ----------
    joint : float, the smallest over worlds of the largest miss of any finding.
    singles : mapping, of each finding the smallest miss.
    pairs : DataFrame
        A row for each pair, the worst first: ``one``, ``other``; ``joint``, the smallest over worlds of the larger of
        the two misses; ``alone``, the larger of what each reaches alone; ``conflict``, their difference.
    leverage : DataFrame
        A row for each finding, the worst first: ``pattern``; ``without``, the smallest joint distance to all others,
        and ``relief``, by how much that is less; with weights also ``information``, how far the worlds' weights are
        from those that they would have without it (the Kullback–Leibler divergence, in nats), and ``pull``, the
        weighted mean miss with its sign.
    worlds : int, how many could be compared.
    """

    joint: float
    singles: Mapping[str, float]
    pairs: pd.DataFrame
    leverage: pd.DataFrame
    worlds: int


def conflicts(misses: Floats, names: Sequence[str], weights: Floats | None = None) -> Conflicts:
    """Which findings worlds do not meet together, from signed misses in tolerances, worlds by numbers.

    `names` has the finding of each number; a path has several, of which the largest counts. Worlds without a number
    are left out; `weights`, if given, are those of the worlds under all findings. Noise of single surveys lets some of
    many worlds come closer than their mean does, so distances are lower bounds. Raises `InputError` where no world can
    be compared.
    """
    import pandas as pd  # noqa: PLC0415

    there = np.isfinite(misses).all(axis=1)
    if not there.any():
        raise InputError(["misses: no world can be compared with the findings"])
    signed, patterns = misses[there], list(dict.fromkeys(names))
    columns = {name: np.array([n == name for n in names]) for name in patterns}
    far = np.column_stack([np.abs(signed[:, at]).max(axis=1) for at in columns.values()])
    singles, joint = far.min(axis=0), float(far.max(axis=1).min())
    rows = []
    for i, j in combinations(range(len(patterns)), 2):
        both, alone = float(np.maximum(far[:, i], far[:, j]).min()), float(max(singles[i], singles[j]))
        rows.append({"one": patterns[i], "other": patterns[j], "joint": both, "alone": alone, "conflict": both - alone})
    pairs = pd.DataFrame(rows, columns=["one", "other", "joint", "alone", "conflict"])
    leverage = []
    for k, (name, at) in enumerate(columns.items()):
        rest = np.delete(far, k, axis=1)
        without = float(rest.max(axis=1).min()) if rest.shape[1] else 0.0
        row = {"pattern": name, "without": without, "relief": joint - without}
        if weights is not None:
            w = weights[there] / weights[there].sum()
            row |= {"information": _information(w, -0.5 * (signed[:, at] ** 2).sum(axis=1)),
                    "pull": float(w @ signed[:, at].mean(axis=1))}  # fmt: skip
        leverage.append(row)
    by = ["relief"] if weights is None else ["relief", "information"]
    return Conflicts(
        joint,
        dict(zip(patterns, singles.tolist(), strict=True)),
        pairs.sort_values("conflict", ascending=False, kind="stable", ignore_index=True),
        pd.DataFrame(leverage).sort_values(by, ascending=False, kind="stable", ignore_index=True),
        int(there.sum()),
    )


def _information(weights: Floats, agreement: Floats) -> float:
    """The divergence of weights from those without an agreement: Σ w·a + log Σ w·exp(−a)."""
    known = weights > 0.0
    w, a = weights[known], agreement[known]
    return float(w @ a + statistics.log_sum(np.log(w) - a))


# A second algorithm


def compare(effects_a: pd.DataFrame, effects_b: pd.DataFrame, keys: Collection[Key]) -> pd.DataFrame:
    """Two ensembles' mean effects, from tables of stored effects (``world``, ``calibration``, ``weight``, ``contrast``,
    ``outcome``, ``estimate``).

    A row for each key: ``mean_a``, ``error_a``, ``mean_b``, ``error_b`` (jackknife over calibrations; where each world
    is its own, over worlds), ``difference`` a − b, its ``error``, in errors (``errors_off``), the chance of a larger
    one by Student's t with Welch's degrees of freedom (``p``), ``p_adjusted`` for the number of keys, and ``agrees``.
    """
    import pandas as pd  # noqa: PLC0415
    from scipy.stats import t  # noqa: PLC0415

    chosen, rows = list(dict.fromkeys(keys)), []
    a, b = table(effects_a, chosen), table(effects_b, chosen)
    size_a, size_b = (_calibrations(each) for each in (a, b))
    for key in chosen:
        (mean_a, error_a), (mean_b, error_b) = (
            statistics.mean(x["weight"].to_numpy(), x[key].to_numpy(np.float64), x["calibration"].to_numpy())
            for x in (a, b)
        )
        error = float(np.hypot(error_a, error_b))
        parts = (error_a**4 / max(size_a - 1.0, 1e-9), error_b**4 / max(size_b - 1.0, 1e-9))
        freedom = error**4 / sum(parts) if sum(parts) > 0.0 else np.inf
        off = (mean_a - mean_b) / error if error > 0.0 else (0.0 if mean_a == mean_b else np.inf)
        rows.append({"contrast": key[0], "outcome": key[1], "mean_a": mean_a, "error_a": error_a, "mean_b": mean_b,
                     "error_b": error_b, "difference": mean_a - mean_b, "error": error, "errors_off": off,
                     "p": float(2.0 * t.sf(abs(off), freedom))})  # fmt: skip
    found = pd.DataFrame(rows)
    found["p_adjusted"] = holm(found["p"].to_numpy())
    found["agrees"] = found["p_adjusted"] >= UNLIKELY
    return found


def _calibrations(worlds: pd.DataFrame) -> float:
    return statistics.effective_calibrations(worlds["weight"].to_numpy(), worlds["calibration"].to_numpy())

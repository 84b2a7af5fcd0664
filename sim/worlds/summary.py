"""The door to plausible worlds: what evidence says about them, and how they do on other findings.

Every function takes an `Ensemble` and gives a table; `report` and `predictions_text` put the tables into plain text.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sim import files
from sim.errors import InputError
from sim.model import engine
from sim.model.parameters import DECLARATIONS, MECHANISMS
from sim.pool import in_order, local_threads
from sim.statistics import (
    Weights,
    effective_ancestors,
    effective_size,
    kolmogorov_smirnov,
    mean,
    share,
    weighted_quantile,
    weighted_sd,
)
from sim.worlds import survey
from sim.worlds.calibrate import calibrate
from sim.worlds.ensemble import SHIPPED, Ensemble, Prior, check_size, differences, differing, load, sign
from sim.worlds.prior import DRAWN, World
from sim.worlds.runs import Progress
from sim.worlds.survey import Evidence, Pattern, Sizes

__all__ = [
    "PRIORS",
    "both",
    "calibrate",
    "check",
    "evidence",
    "leave_one_out",
    "load",
    "mechanisms",
    "parameters",
    "patterns",
    "predict",
    "predictions_text",
    "quality",
    "recalibrate",
    "report",
    "save",
]

evidence = survey.load

PRIORS: dict[Prior, dict[str, Any]] = {
    "main": {},
    "all_on": {"off": 0.0, "seed": 1, "draws": 6_000, "particles": 500, "sweeps": 2},
}
"""How the ensembles that come with the package are calibrated, where that differs from the defaults of `calibrate`: the
second prior is there for comparison, so fewer worlds do."""
TABLES = "tables of sim worlds"
BAND = (0.05, 0.95)
TOLERANCES = 2.0
UNREACHED = 0.05
"""A pattern is not reached where at most this share of the weight lies within two tolerances of it."""
_NOISE = 1.63  # 1 % of samples of n uniform numbers are further than 1.63/√n from uniform (Kolmogorov)
_SURE = 2.58  # standard errors: 1 %
_MECHANISM_OF = {name: key for key, mechanism in MECHANISMS.items() for name in mechanism.parameters}
_KEYS = tuple(MECHANISMS)


def both(folder: str | Path | None = None) -> tuple[Ensemble, Ensemble]:
    """The ensembles under both priors: those that come with the package, or those that `recalibrate` put in a folder.

    Raises `InputError` with one line where one of them cannot be used.
    """
    files = SHIPPED if folder is None else _files(Path(folder))
    return load(files["main"]), load(files["all_on"])


def check(
    folder: str | Path | None = None,
    number: int = 20,
    signed: bool = False,
    progress: Progress | None = None,
    workers: int | None = None,
) -> list[str]:
    """Survey `number` worlds of each of the ensembles of `both` again, and say how their statistics compare.

    With `signed`, the files are signed with the present identity of the model, once all of them agree. `progress` is
    called with the number of files done and their total. Raises `InputError` where a file cannot be used, or is to be
    signed though its worlds give other statistics.
    """
    files = list((SHIPPED if folder is None else _files(Path(folder))).values())
    report_to, lines, wrong = progress or (lambda done, total: None), list[str](), list[str]()
    for done, file in enumerate(files):
        report_to(done, len(files))
        found = load(file, checked=False)
        what = f"{file.name}: {min(number, len(found))} of {len(found)} worlds were surveyed again"
        if against := differing(differences(found, number, workers)):
            wrong.append(f"{file.name}: not signed; its worlds give other statistics ({', '.join(against)})")
        verdict = f"other statistics: {', '.join(against)}" if against else "all statistics are equal"
        lines.append(f"{what}; {verdict}.")
    report_to(len(files), len(files))
    if signed and wrong:
        raise InputError(wrong)
    if signed:
        for file in files:
            sign(file)
        lines.append("Both files are signed with this version of the model.")
    return lines


def recalibrate(folder: str | Path, progress: Progress | None = None, workers: int | None = None) -> list[Path]:
    """Make both ensembles of `PRIORS` again, in a folder, and return the paths of their files.

    What is finished is kept there, so that a second call goes on. `progress` is called with the number of simulations
    done and the total of the present stage.
    """
    path, report_to = Path(folder), progress or (lambda done, total: None)
    ours = files.Folder(path, "worlds of sim worlds --calibrate")
    ours.check()
    for prior, settings in PRIORS.items():
        made = calibrate(
            path / prior, progress=lambda stage, beta, done, total: report_to(done, total), workers=workers, **settings
        )
        ours.reserve([SHIPPED[prior].name])
        made.save(_files(path)[prior])
    return list(_files(path).values())


def _files(folder: Path) -> dict[Prior, Path]:
    return {prior: folder / file.name for prior, file in SHIPPED.items()}


def save(ensemble: Ensemble, table: pd.DataFrame, folder: str | Path) -> list[Path]:
    """Write the tables about an ensemble as CSV, and the picture of `patterns` (or `predict`), and return their paths.

    Raises `InputError` with one line where files cannot be written.
    """
    from sim.plots import theme  # noqa: PLC0415
    from sim.plots.claims import model_against_evidence  # noqa: PLC0415

    frames = {"patterns": table, "parameters": parameters(ensemble), "mechanisms": mechanisms(ensemble),
              "leave_one_out": leave_one_out(ensemble)}  # fmt: skip
    note = f"Ranges of 90 % of the weight of {len(ensemble):,} worlds, effective size {ensemble.effective_size:.0f}."
    contents = {f"{name}.csv": files.csv(frame) for name, frame in frames.items()}
    if "prior_low" in table:
        figure = model_against_evidence(table.rename(columns=_IN_PICTURES), note)
        contents |= theme.drawn(figure, "evidence", dict(ensemble.provenance), "Published findings and the worlds")
    return files.Folder(folder, TABLES).fill(dict(sorted(contents.items())))


_IN_PICTURES = {"value": "target", "within": "within_two_tolerances"}


def quality(ensemble: Ensemble) -> dict[str, float]:
    """How much the ensemble can bear: ``worlds``, ``effective_size``, ``distinct_ancestors``, ``effective_ancestors``
    (the size if all descendants of one draw count as one) and ``largest_weight``."""
    return {
        "worlds": len(ensemble),
        "effective_size": ensemble.effective_size,
        "distinct_ancestors": ensemble.distinct_ancestors,
        "effective_ancestors": effective_ancestors(ensemble.weights, ensemble.ancestors),
        "largest_weight": ensemble.largest_weight,
    }


def parameters(ensemble: Ensemble) -> pd.DataFrame:
    """Prior against posterior of each parameter, over the worlds in which its mechanism is on.

    A row for each of `DRAWN`: ``parameter``; ``low``, ``high`` of the prior, which is uniform; ``mean`` with its Monte
    Carlo standard ``error``, ``p5`` and ``p95`` of the posterior, in the parameter's unit; ``contraction``, by which
    share its standard deviation is smaller than the prior's; ``distance``, the largest one between the two
    distributions; ``noise``, what that would reach by chance in one case of a hundred; and ``informed``, whether it is
    beyond. The others are parameters that this evidence says nothing about.
    """
    return pd.DataFrame([_parameter(ensemble, number, name) for number, name in enumerate(DRAWN)])


def _parameter(ensemble: Ensemble, number: int, name: str) -> dict[str, Any]:
    low, high = float(DECLARATIONS[name].low or 0.0), float(DECLARATIONS[name].high or 0.0)
    used = _is_on(ensemble, name) & (ensemble.weights > 0.0)
    row: dict[str, Any] = {"parameter": name, "low": low, "high": high}
    if used.sum() < 2:
        return row | {"informed": False}
    w, x, ancestors = ensemble.weights[used], ensemble.worlds.values[used, number], ensemble.ancestors[used]
    found, sd = mean(w, x, ancestors), weighted_sd(w, x)
    size = effective_size(w) if not found.error > 0.0 else min(effective_size(w), (sd / found.error) ** 2)
    p5, p95 = weighted_quantile(w, x, BAND)
    distance, noise = kolmogorov_smirnov(w, (x - low) / (high - low)), _NOISE / np.sqrt(size)
    return row | {
        "mean": found.estimate,
        "error": found.error,
        "p5": p5,
        "p95": p95,
        "contraction": 1.0 - sd / ((high - low) / np.sqrt(12.0)),
        "distance": distance,
        "noise": noise,
        "informed": distance > noise,
    }


def _is_on(ensemble: Ensemble, name: str) -> NDArray[np.bool_]:
    """In which worlds a parameter does anything."""
    key = _MECHANISM_OF.get(name)
    return np.ones(len(ensemble), dtype=bool) if key is None else ~ensemble.worlds.off[:, _KEYS.index(key)]


def mechanisms(ensemble: Ensemble) -> pd.DataFrame:
    """For each ``mechanism`` the share of worlds in which it is on: ``prior``, ``posterior`` with its Monte Carlo
    ``error``, and ``informed``, whether they differ by more than chance would in one case of a hundred."""
    rows = []
    for number, key in enumerate(MECHANISMS):
        if f"{key} off" in ensemble.unheard:
            continue
        on = share(ensemble.weights, ~ensemble.worlds.off[:, number], ensemble.ancestors)
        before = 1.0 - ensemble.off
        informed = 0.0 < before < 1.0 and abs(on.estimate - before) > _SURE * on.error
        rows.append((key, before, on.estimate, on.error, informed))
    return pd.DataFrame(rows, columns=["mechanism", "prior", "posterior", "error", "informed"])


def patterns(ensemble: Ensemble) -> pd.DataFrame:
    """How the worlds do on each pattern that they were weighted by.

    A row for each pattern (for a path, each of its months): ``pattern``, ``value`` and ``sd`` (the finding and its
    tolerance), ``prior_low``, ``prior_median``, ``prior_high``, ``prior_within``; ``median``, ``low``, ``high``: 5 to
    95 % of weight; ``within`` (the share of weight within two tolerances) with its Monte Carlo ``error``; ``reached``,
    whether that is more than 5 %.
    """
    rows = []
    for pattern in ensemble.evidence.patterns:
        before = ensemble.prior[pattern.id]
        bands = pd.DataFrame({f"prior_{name}": np.atleast_1d(value) for name, value in before.items()})
        found = _bands(pattern, ensemble, ensemble.measured[pattern.id])
        rows += [row | band for row, band in zip(found, bands.to_dict("records"), strict=True)]
    return pd.DataFrame(rows)


def _bands(
    pattern: Pattern, ensemble: Ensemble, measured: ArrayLike, weights: Weights | None = None
) -> list[dict[str, Any]]:
    """The predictive band of a pattern: a row, or one for each month of a path."""
    w = ensemble.weights if weights is None else weights
    columns = np.asarray(measured, dtype=np.float64).reshape(len(ensemble), -1).T
    goals = zip(np.atleast_1d(pattern.value).tolist(), np.atleast_1d(pattern.sd).tolist(), strict=True)
    names = [f"{pattern.id}, month {m}" for m in pattern.needs["months"]] if pattern.kind == "path" else [pattern.id]
    rows = []
    for name, values, (value, sd) in zip(names, columns, goals, strict=True):
        low, median, high = weighted_quantile(w, values, (BAND[0], 0.5, BAND[1]))
        within = share(w, np.abs(values - value) <= TOLERANCES * sd, ensemble.ancestors)
        rows.append(
            {"pattern": name, "value": value, "sd": sd, "low": low, "median": median, "high": high,
             "within": within.estimate, "error": within.error, "reached": within.estimate > UNREACHED}
        )  # fmt: skip
    return rows


def leave_one_out(ensemble: Ensemble) -> pd.DataFrame:
    """How much each pattern matters: what changes when its agreement is divided out of the weights.

    A row for each pattern: ``pattern``; ``effective_size`` of the weights without it; ``within``, the share of that
    weight within two tolerances of it, so how well the other patterns foretell it; ``shift``, the largest shift of a
    parameter's posterior mean, in standard deviations of its prior, and ``parameter``, whose it is. Where the effective
    size is below `FEWEST` of `sim.worlds.ensemble`, the rest is chance.
    """
    widths = np.array([float(DECLARATIONS[n].high or 0.0) - float(DECLARATIONS[n].low or 0.0) for n in DRAWN])
    rows = []
    for pattern in ensemble.evidence.patterns:
        w = ensemble.without([pattern.id])
        shifts = np.abs((w - ensemble.weights) @ ensemble.worlds.values) * np.sqrt(12.0) / widths
        within = min(row["within"] for row in _bands(pattern, ensemble, ensemble.measured[pattern.id], w))
        most = int(shifts.argmax())
        rows.append((pattern.id, effective_size(w), within, shifts[most], DRAWN[most]))
    return pd.DataFrame(rows, columns=["pattern", "effective_size", "within", "shift", "parameter"])


def predict(
    evidence: Evidence,
    ensemble: Ensemble,
    number: int = 100,
    seed: int = 0,
    *,
    sizes: Sizes = survey.DEFAULT_SIZES,
    progress: Callable[[int, int], object] | None = None,
    workers: int | None = None,
) -> pd.DataFrame:
    """How the worlds of an ensemble do on patterns of the user's, without fitting anything to them.

    `number` worlds are taken by weight, and each is surveyed once, under a seed that follows from `seed`. The table is
    that of `patterns`, without the prior. `progress` is called with the number of worlds done and the total. Raises
    `InputError` where the sample is too small to say anything.
    """
    worlds = ensemble.sample(number, seed)
    check_size(worlds.weights, f"{number} worlds")
    seeds = np.random.default_rng(seed).integers(2**31, size=len(worlds)).tolist()
    report_to = progress or (lambda done, total: None)

    def measured(job: tuple[World, int]) -> dict[str, survey.Measured]:
        return survey.measure(evidence, job[0], job[1], sizes)

    engine.warm_up()
    found: list[dict[str, survey.Measured]] = []
    with local_threads(workers) as executor:
        for values in in_order(executor, measured, zip(worlds.worlds, seeds, strict=True)):
            found.append(values)
            report_to(len(found), len(worlds))
    columns = {p.id: np.array([values[p.id] for values in found]) for p in evidence.patterns}
    return pd.DataFrame([row for p in evidence.patterns for row in _bands(p, worlds, columns[p.id])])


def report(ensemble: Ensemble) -> str:
    """What evidence says about the worlds, in plain text: how much they can bear, patterns, each left out, what is
    informed, and what the evidence says nothing about."""
    q, reached, ranges, on = quality(ensemble), patterns(ensemble), parameters(ensemble), mechanisms(ensemble)
    informed = ranges["informed"].astype(bool)
    missed = list(reached.loc[~reached["reached"], "pattern"])
    known = ranges[informed].sort_values("distance", ascending=False).drop(columns="informed")
    return "\n\n".join(
        [
            f"{q['worlds']} worlds, effective size {q['effective_size']:.0f}, from {q['distinct_ancestors']} distinct "
            f"draws of the prior (effective size {q['effective_ancestors']:.0f} if all descendants of a draw count as "
            f"one); the largest weight is {100 * q['largest_weight']:.2f} %.",
            f"Each finding, with the 5 to 95 % band of the worlds before and after weighting, and the share within "
            f"{TOLERANCES:g} tolerances:\n{_table(reached)}",
            f"Not reached: {', '.join(missed) or 'none'}.",
            f"Each finding left out in turn:\n{_table(leave_one_out(ensemble))}",
            f"Mechanisms, the share of worlds in which they are on:\n{_table(on)}",
            f"Parameters that the evidence says something about, the most first:\n{_table(known)}",
            "The evidence says nothing about: " + ", ".join(ranges.loc[~informed, "parameter"]) + ".",
        ]
    )


def predictions_text(table: pd.DataFrame) -> str:
    """The table of `predict`, in plain text."""
    return _table(table)


def _table(table: pd.DataFrame) -> str:
    return table.to_string(index=False, float_format=lambda number: f"{number:.3g}") if len(table) else "none"

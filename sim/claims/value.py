"""Which study would change the answer: what knowing a statistic would tell about an effect, from the stored ensemble.

Nothing is run. A statistic is what a study could measure, and what the calibration stored of each world.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim import statistics
from sim.claims.construction import MOST_FOLDS, effective
from sim.claims.statements import Key, primary
from sim.claims.verdict import Array, Class, classes
from sim.errors import InputError, Mistake
from sim.statistics import Estimate
from sim.worlds.candidates import CANDIDATES, Study
from sim.worlds.ensemble import Ensemble

if TYPE_CHECKING:
    import pandas as pd

DRAWS = 2000
FEWEST = 100.0
"""The effective size below which what a study would leave is too small to say anything."""
DEGREE = 3  # of the polynomial that is the smooth regression
AGAIN = Study("NHS managers, as the studies behind the finding asked others", 720, 120)
"""Who would be asked what a pattern is about."""
_CHUNK = 200  # draws at a time, for memory


@dataclass(frozen=True)
class Design:
    """A study that somebody could carry out: what it measures, in whom, and the standard deviation of its result."""

    statistic: str
    words: str
    study: Study
    sd: float


def designs(ensemble: Ensemble) -> dict[str, Design]:
    """A design for each statistic that the ensemble stores as one number for each world.

    Of the candidates it is theirs. What a pattern is about, NHS managers would be asked: of a correlation or a share of
    people the standard deviation is that of sampling; of what takes a reform or a game to see, the pattern's tolerance.
    """
    candidates = {one.id: one for one in CANDIDATES}
    found = {}
    for name, values in ensemble.measured.items():
        if (one := candidates.get(name)) is not None:
            found[name] = Design(name, one.words, one.study, one.sd)
        elif (p := next((p for p in ensemble.evidence.patterns if p.id == name), None)) and values.ndim == 1:
            sampling = {"correlation": 1.0, "level": 0.5}.get(p.kind)  # of a share, where it is largest
            sd = float(np.asarray(p.sd)) if sampling is None else sampling / AGAIN.effective**0.5
            found[name] = Design(name, f"the finding {name} again", AGAIN, sd)
    return found


def r_squared(statistic: Array, effect: Array, weights: Array, calibrations: NDArray[np.int64]) -> Estimate:
    """The share of the variance of an effect over worlds that knowing a statistic would remove.

    That is R² of a cubic regression, fitted without each calibration and judged on it; the error is the jackknife.
    """
    _, number = np.unique(calibrations, return_inverse=True)
    fold, predicted, guess = number % MOST_FOLDS, np.zeros(len(effect)), np.zeros(len(effect))
    for one in np.unique(fold):
        out = fold == one
        predicted[out], guess[out] = _predicted(statistic, effect, np.where(out, 0.0, weights), out)

    def part(w: Array) -> Array:
        total = w @ (effect - guess) ** 2
        return np.asarray(1.0 - w @ (effect - predicted) ** 2 / total if total > 0.0 else 0.0)

    found, error = statistics.jackknife(part, weights, calibrations)
    return Estimate(float(found), float(error))


def _predicted(x: Array, y: Array, weights: Array, out: NDArray[np.bool_]) -> tuple[Array, float]:
    """What the regression on the other worlds says of those that are left out, and the mean of the others."""
    some = weights > 0.0
    w = weights[some] / weights[some].sum()
    low, high = np.min(x[some]), np.max(x[some])
    middle, scale = (low + high) / 2.0, max(float(high - low) / 2.0, 1e-12)
    basis = np.polynomial.legendre.legvander(np.clip((x - middle) / scale, -1.0, 1.0), DEGREE)
    root = np.sqrt(w)[:, None]
    found, *_ = np.linalg.lstsq(basis[some] * root, y[some] * root[:, 0], rcond=None)
    return basis[out] @ found, float(w @ y[some])


def chances(
    design: Design, statistic: Array, effects: Mapping[Key, Array], sizes: Mapping[Key, float], weights: Array,
    seed: int = 0,
) -> tuple[dict[Key, float], float]:  # fmt: skip
    """The chance that a study changes the verdict on each effect, by point estimates, and the share of results that
    leave an effective size below 100.

    A world is drawn by weight, and a result from the normal distribution around its statistic; then the worlds are
    weighted by that result.
    """
    rng = np.random.default_rng(seed)
    drawn = rng.choice(len(weights), size=DRAWS, p=weights / weights.sum())
    results = statistic[drawn] + design.sd * rng.standard_normal(DRAWS)
    before = {key: _by_points(weights[None], x, sizes[key])[0] for key, x in effects.items()}
    changed, few = dict.fromkeys(effects, 0), 0
    with np.errstate(divide="ignore"):
        logs = np.log(weights)
    for start in range(0, DRAWS, _CHUNK):
        part = results[start : start + _CHUNK, None]
        told = logs - 0.5 * ((part - statistic) / design.sd) ** 2
        w = np.exp(told - told.max(axis=1, keepdims=True))
        w /= w.sum(axis=1, keepdims=True)
        few += int((1.0 / (w**2).sum(axis=1) < FEWEST).sum())
        for key, x in effects.items():
            changed[key] += sum(after != before[key] for after in _by_points(w, x, sizes[key]))
    return {key: count / DRAWS for key, count in changed.items()}, few / DRAWS


def _by_points(weights: Array, effects: Array, delta: float) -> list[Class | None]:
    """The verdict by point estimates under each row of weights that sum to 1."""
    found = classes(effects, delta)
    means = classes(weights @ effects / weights.sum(axis=1), delta)
    shares = {one: weights @ (found == one) / weights.sum(axis=1) for one in (1, 0, -1)}
    return [int(one) if shares[int(one)][k] > 0.5 else None for k, one in enumerate(means)]


def studies(
    ensemble: Ensemble, effects: Mapping[Key, Array], sizes: Mapping[Key, float], seed: int = 0
) -> Iterator[dict[str, Any]]:
    """A row for each primary outcome and each statistic that could be measured, the most telling first.

    ``changes`` is the chance that the study changes the verdict; ``few`` the share of results that leave too little to
    say; ``r2`` the share of variance that knowing the statistic removes, with ``r2_error``; ``sd``, ``people`` and
    ``trusts`` are the study's.
    """
    rows = list[dict[str, Any]]()
    for name, design in designs(ensemble).items():
        x = np.asarray(ensemble.measured[name], dtype=np.float64)
        chance, few = chances(design, x, effects, sizes, ensemble.weights, seed)
        for key, effect in effects.items():
            told = r_squared(x, effect, ensemble.weights, ensemble.calibrations)
            rows.append({
                "contrast": key[0], "outcome": key[1], "statistic": name, "changes": chance[key], "few": few,
                "r2": told.estimate, "r2_error": told.error, "sd": design.sd, "people": design.study.people,
                "trusts": design.study.trusts, "measures": design.words, "whom": design.study.asked,
            })  # fmt: skip
    for key in effects:
        mine = [row for row in rows if (row["contrast"], row["outcome"]) == key]
        yield from sorted(mine, key=lambda row: (-row["changes"], -row["r2"]))


def parameters(ensemble: Ensemble, effects: Mapping[Key, Array], most: int = 10) -> Iterator[dict[str, Any]]:
    """For each primary outcome the parameters that would tell most, which nobody can measure: ``r2``, ``r2_error``."""
    table = effective(ensemble)
    for key, effect in effects.items():
        found = [(name, r_squared(table[name].to_numpy(), effect, ensemble.weights, ensemble.calibrations))
                 for name in table]  # fmt: skip
        for name, told in sorted(found, key=lambda each: -each[1].estimate)[:most]:
            yield {"contrast": key[0], "outcome": key[1], "parameter": name, "r2": told.estimate,
                   "r2_error": told.error}  # fmt: skip


def value_of_studies(
    ensemble: Ensemble | None = None, effects: pd.DataFrame | None = None, sizes: Mapping[str, float] | None = None
) -> dict[str, pd.DataFrame]:
    """Which study would change the answer: tables ``studies``, of what can be measured, and ``parameters``.

    By default of the worlds and of the answer that come with the package; `effects` are those of an answer in the
    worlds of an `ensemble`, `sizes` what matters by outcome. Raises `InputError` where there is no answer, or where it
    is about other worlds.
    """
    import pandas as pd  # noqa: PLC0415

    from sim.claims.answer import answer  # noqa: PLC0415
    from sim.worlds.ensemble import load  # noqa: PLC0415

    if not isinstance(ensemble, Ensemble | None):
        raise InputError([Mistake(("ensemble",), ensemble, "must be an ensemble of worlds, such as sim.worlds()")])
    worlds = load() if ensemble is None else ensemble
    if effects is None or sizes is None:
        report = answer()
        effects, sizes = report.effects_in(worlds), report.sizes
    by = {key: part.sort_values("world")["estimate"].to_numpy(np.float64)
          for key, part in effects.groupby(["contrast", "outcome"], sort=False, observed=True)}  # fmt: skip
    keys = list(dict.fromkeys(key for key in primary().values() if key in by))
    mine = {key: by[key] for key in keys}
    limits = {key: sizes[key[1]] for key in keys}
    return {
        "studies": pd.DataFrame(studies(worlds, mine, limits)),
        "parameters": pd.DataFrame(parameters(worlds, mine)),
    }


def sentences(rows: Sequence[Mapping[Any, Any]]) -> Iterator[str]:
    """For each primary outcome what to measure, in whom, and how likely it is that the verdict changes."""
    from sim.model.words import label  # noqa: PLC0415

    for key in dict.fromkeys((row["contrast"], row["outcome"]) for row in rows):
        row = next(row for row in rows if (row["contrast"], row["outcome"]) == key)
        few = f"; {100 * row['few']:.0f} of 100 results would leave too few worlds to say" if row["few"] else ""
        part = f"{100 * max(0.0, row['r2']):.0f} % of the variance"
        yield (
            f"{label(key[1])} ({key[0]}): measure {row['measures']}; ask {row['people']:,} people in {row['trusts']} "
            f"trusts: {row['whom']}. It would change the verdict in "
            f"{100 * row['changes']:.0f} of 100 cases, and remove {part}{few}."
        )

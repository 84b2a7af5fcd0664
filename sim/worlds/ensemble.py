"""An ensemble of plausible worlds, weighted by evidence.

Under another identity of the model than a file is signed with (`sim.worlds.ensemble_file`), some of its worlds are
surveyed again, and it counts as long as they give the same statistics.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cache, cached_property
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from sim import files, statistics
from sim.errors import InputError, Mistake, Mistakes, chosen, path_of, place, shown
from sim.pool import Progress, part_of
from sim.worlds import evaluate as evaluating
from sim.worlds import survey
from sim.worlds.ensemble_file import MARK, decoded, encoded, sign, signature
from sim.worlds.evaluate import MEASURES, Arm, effects, less
from sim.worlds.evidence import Evidence, Pattern
from sim.worlds.evidence import load as read_patterns
from sim.worlds.prior import OFF, Worlds
from sim.worlds.survey import Sizes, seeds_of

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 20
"""The smallest effective size that says anything: with fewer worlds than this, a share of one half has a standard
error above 0.11, so that not even one third could be told from two thirds."""
Prior = Literal["main", "all_on"]
PRIORS: tuple[Prior, ...] = ("main", "all_on")
"""Under the first, each mechanism may be off; under the second all are on."""
FOLDER = Path(__file__).with_name("calibrated")
"""The calibrations that come with the package: a file for each run of a prior, ``main-01.parquet`` and so on."""
TOLERANCE = 1e-6
"""How far the statistics of a world that is surveyed again may be from those that are kept, in single precision."""
_EVALUATED = ("policy", "against", "outcome", "estimate", "low", "high", "p5", "median", "p95", "higher",
              "higher_error", "lower", "lower_error")  # fmt: skip
_BAND = (0.05, 0.5, 0.95)
_AGAIN = 8  # worlds that are surveyed again under another identity: a second or two


@dataclass(frozen=True, kw_only=True, repr=False)
class Ensemble(Worlds):
    """Plausible worlds, weighted by evidence: `Worlds` and what was measured in them.

    Attributes
    ----------
    seeds : int array
        From which the seeds of the surveys behind `measured` follow, see `sim.worlds.survey.seeds_of`.
    measured : mapping
        Id to the model's value of a pattern, or of a candidate for one, in each world, shape (worlds,), or (worlds,
        months) for a path; a mean over surveys.
    evidence : Evidence, that it was weighted by.
    log_z : mapping
        Number of a calibration to the logarithm of its normalising constant, to which its weight is in proportion.
    chance_off : float, the prior chance that a mechanism is off.
    prior : mapping
        Id to ``low``, ``median``, ``high``: 5, 50 and 95 % of draws from the prior; lists of these for a path.
    provenance : dict, how it was made; ``calibrations`` says it of each.
    unheard : tuple of str
        Those of `sim.worlds.prior.COLUMNS` that the file had never heard of: parameters are at their null, levers at
        their default, mechanisms off in every world.
    notes : tuple of str
        Sentences about the file that a reader of an answer should know: that another version of the model signed it,
        and what it had never heard of.
    """

    measured: Mapping[str, NDArray[np.float64]]
    evidence: Evidence
    log_z: Mapping[int, float]
    chance_off: float = OFF
    prior: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    unheard: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def take(self, numbers: NDArray[np.int64], weights: NDArray[np.float64] | None = None) -> Self:
        """The worlds with these numbers, from 0, in this order; by default with equal weights."""
        measured = {name: values[numbers] for name, values in self.measured.items()}
        return replace(super().take(numbers, weights), measured=measured)

    def surveys(self, evidence: Evidence) -> list[list[int]]:
        """The seeds of the surveys of each world, as many as the evidence asks for."""
        return [seeds_of(number, evidence.size("seeds")) for number in self.seeds.tolist()]

    @cached_property
    def agreements(self) -> dict[str, NDArray[np.float64]]:
        """The logarithm of how well each world agrees with each pattern, at most 0."""
        return {
            p.id: np.array([survey.log_agreement(p, value) for value in self.measured[p.id]])
            for p in self.evidence.patterns
        }

    def without(self, patterns: Collection[str]) -> NDArray[np.float64]:
        """The weights that the worlds would have without some patterns, which are named by id.

        Their agreement is divided out, so the worlds stay the same and only the `effective_size` of the result says how
        well it is known. Raises `InputError` for a pattern that is not part of the evidence, and where what is stored
        gives no world a weight.
        """
        names = chosen("patterns", patterns, self.agreements, "pattern")
        with np.errstate(divide="ignore"):
            logs = np.log(self.weights) - sum((self.agreements[name] for name in names), np.zeros(len(self)))
        if not np.isfinite(logs).any() or np.isposinf(logs).any():
            raise InputError([f"patterns: without {', '.join(names)} the worlds that are stored cannot be weighted"])
        return statistics.normalised(logs)

    def reweight(
        self,
        evidence: Evidence | str | Path,
        *,
        sizes: Sizes | None = None,
        progress: Progress | None = None,
        workers: int | None = None,
    ) -> Ensemble:
        """The same worlds, weighted by further findings as well.

        Each world is surveyed under its seeds, and its weight is multiplied by how well it agrees. The worlds do
        not move, so findings that contradict the others leave few that count: see `effective_size`. In the result,
        `prior` of the new findings are the worlds before they counted.

        Parameters
        ----------
        evidence : Evidence, or the path of a file of patterns
            Findings that the worlds were not weighted by yet.
        sizes : Sizes, of the virtual studies.
        progress, workers : optional
            What is told how many worlds of how many are surveyed; threads, by default one for each core.

        Raises
        ------
        InputError
            For a finding whose name is part of the evidence already, mistakes in a file, or where fewer than `FEWEST`
            worlds would be left by effective size.
        """
        found = evidence if isinstance(evidence, Evidence) else read_patterns(path_of("evidence", evidence))
        if twice := [p.id for p in found.patterns if p.id in self.agreements]:
            raise InputError([f'pattern "{name}": these worlds are weighted by it already' for name in twice])
        sizes = Sizes.of(found) if sizes is None else sizes
        measured = survey.measure_all(found, self, self.surveys(found), sizes, progress, workers)
        measured = {p.id: measured[p.id] for p in found.patterns}
        before = statistics.systematic(self.weights, 1000, np.random.default_rng(0))
        note = {"patterns": [p.id for p in found.patterns], "survey": dict(found.survey), "sizes": asdict(sizes)}
        joined = replace(
            self,
            measured={**self.measured, **measured},
            evidence=replace(self.evidence, patterns=self.evidence.patterns + found.patterns),
            prior={**self.prior, **{p.id: prior_band(measured[p.id][before], p) for p in found.patterns}},
            provenance={**self.provenance, "reweighted": [*self.provenance.get("reweighted", ()), note]},
        )
        top = statistics.log_sum(list(self.log_z.values()))
        with np.errstate(divide="ignore"):
            logs = np.log(self.weights) + sum(joined.agreements[p.id] for p in found.patterns)
        weights = statistics.normalised(logs)
        check_size(weights, "the reweighted worlds")
        rise = statistics.log_sum(logs) + np.log(weights)  # of each world's share in a constant
        log_z = {n: statistics.log_sum(rise[self.calibrations == n]) + top for n in self.log_z}
        return replace(joined, weights=weights, log_z=log_z)

    def evaluate(
        self,
        policies: Mapping[str, str | Mapping[str, Any]],
        outcomes: Collection[str] = MEASURES,
        replications: int = 8,
        seed: int = 0,
        *,
        progress: Progress | None = None,
        workers: int | None = None,
        **sizes: int,
    ) -> pd.DataFrame:
        """What policies do in these worlds: each of them less the first, world by world, under the same seeds.

        Parameters
        ----------
        policies : mapping, at least two
            Name to policy: the name of a regime, or a mapping with ``regime`` (else "baseline"), settings, and perhaps
            ``local``, a list of rules as `sim.simulate` takes it.
        outcomes : collection of str, from `sim.worlds.evaluate.MEASURES`
        replications : int, at least 2
            Runs of each policy in each world.
        seed : int
            The first seed of the first world.
        progress, workers : optional
            What is told how many worlds of how many are done; threads, by default one for each core.
        **sizes
            Of every run; by default two systems, and else those of `sim.simulate`.

        Returns
        -------
        DataFrame
            A row for each later policy and outcome: ``policy``, ``against``, ``outcome``; ``estimate``, the weighted
            mean of the effect, in the outcome's unit, with its 95 % interval, ``low`` and ``high``, for the finite
            number of worlds; ``p5``, ``median`` and ``p95``, quantiles of the effect over the worlds; ``higher`` and
            ``lower``, the shares of weight where the effect's own 95 % interval lies above or below 0, with their
            standard errors ``higher_error`` and ``lower_error``.

        Raises
        ------
        InputError
            With a line for each mistake.

        >>> import sim
        >>> policies = {"today": "baseline", "mine": {"targets": 0}}
        >>> few = sim.worlds().sample(30).evaluate(policies, ["gaming"], replications=2, months=24)
        >>> bool(few.loc[0, "estimate"] < 0)
        True
        """
        import pandas as pd  # noqa: PLC0415

        sizes, wrong, arms = {"systems": 2, **sizes}, Mistakes(), list[Arm]()
        with wrong:
            outcomes = chosen("outcomes", outcomes, MEASURES, "outcome")
        with wrong:
            evaluating.check(counts={"replications": (replications, 2)})
        if not isinstance(policies, Mapping) or len(policies) < 2:
            why = 'must be at least two policies by name, such as {"today": "baseline", "mine": {"targets": 0}}'
            wrong.append(Mistake(("policies",), policies, why))
            policies = {}
        for name, policy in policies.items():
            with wrong:
                arms.append(self._arm(name, policy, sizes))
        wrong.tell()
        contrasts = [less(arm, arms[0], fewest=replications, most=replications) for arm in arms[1:]]
        found, rows = effects(self, contrasts, {}, seed, sizes, progress=progress, workers=workers), []
        for (arm, contrast), outcome in product(zip(arms[1:], contrasts, strict=True), outcomes):
            effect = found.of(contrast.name, outcome)
            half = statistics.student(replications) * found.error_of(contrast.name, outcome)
            mean, error = self.mean(effect)
            ends = statistics.interval(mean, error, self.effective_calibrations)
            clear = (*self.share(effect - half > 0.0), *self.share(effect + half < 0.0))
            rows.append((arm.name, arms[0].name, outcome, mean, *ends, *self.quantiles(effect, _BAND), *clear))
        return pd.DataFrame(rows, columns=_EVALUATED)

    def _arm(self, name: str, policy: Any, sizes: Mapping[str, int]) -> Arm:
        """A policy as an arm. Raises `InputError` where it is none in these worlds, with a line for each mistake."""
        if not isinstance(policy, str | Mapping):
            why = 'must be a regime, or a mapping of settings, such as {"targets": 0}'
            raise InputError([Mistake(("policies", str(name)), policy, why)])
        settings = {"regime": "baseline", **({"regime": policy} if isinstance(policy, str) else policy)}
        try:
            parameters = self[0].parameters(**{**settings, **sizes})
            if "local" in settings:
                settings["local"] = parameters.local
            arm = Arm(name, settings.pop("regime"), tuple(settings.items()))
            hash(arm)
        except InputError as error:
            raise InputError([mistake.found_in(f"policy {shown(name)}") for mistake in error.mistakes]) from None
        except TypeError:
            why = "every setting but local must be a number; here a schedule is no part of a policy"
            raise InputError([Mistake((), why=why, about=f"policy {shown(name)}")]) from None
        return arm

    def save(self, path: str | Path) -> None:
        """Write the file, signed with the present identity of the model; it is there as a whole or not at all.

        An ensemble that is there already is replaced. Raises `InputError` where something else is, and where the file
        cannot be written, and `ValueError` for worlds that are not on the grid of codes.
        """
        files.write_new(Path(path), encoded(self), MARK)


def load(folder: str | Path | None = None, prior: Prior = "main", *, checked: bool = True) -> Ensemble:
    """The ensemble of a prior, "main" or "all_on": its calibrations in a folder, by default the package's, pooled.

    Where they are signed by another version of the model, a few worlds are surveyed again, which takes some seconds,
    and `Ensemble.notes` says that they agree. `checked` false leaves that out.

    Raises `InputError` with one line where there is no such file, where one is damaged or belongs to another model,
    where the statistics of a world differ from those that are kept, or where the effective size is below `FEWEST`.
    """
    made, unsigned = list[Ensemble](), list[Path]()
    for path in paths_of(folder, prior):
        found, signed = _read(path)
        made.append(found)
        unsigned += [path] if signed != signature() else []
    pool = pooled(made)
    if not checked:
        return pool
    check_size(pool.weights, f"worlds of {place(unsigned[0].parent) if unsigned else 'this prior'}")
    notes = []
    if pool.unheard:
        names = ", ".join(dict.fromkeys(name.removesuffix(" off") for name in pool.unheard))
        notes.append(f"The worlds had never heard of {names}: without effect in all of them.")
    if unsigned:
        another = "was made by another version of the model"
        if against := _against(tuple(unsigned)):
            now = f"its worlds now give other statistics ({against[0]})"
            more = "sim worlds --check 20 tells more, sim worlds --calibrate makes worlds again"
            raise InputError([f"{place(unsigned[0])}: {another}, and {now}; {more}"])
        notes.append(f"{unsigned[0].name}: {another}; {_AGAIN} worlds surveyed again give equal statistics.")
    return replace(pool, notes=tuple(notes))


def paths_of(folder: str | Path | None = None, prior: Prior = "main") -> list[Path]:
    """The files of a prior's calibrations in a folder, by default of the package, in the order of their numbers.

    Raises `InputError` where there is none.
    """
    home = FOLDER if folder is None else path_of("folder", folder)
    pattern = f"{chosen('prior', [prior], PRIORS, 'prior')[0]}-[0-9]*.parquet"
    with files.explained(home, "read"):  # a name that is too long, on Python 3.11
        found = sorted(home.glob(pattern))
    if not found:
        raise InputError(
            [f"{place(home)}: holds no calibration of the prior {prior}; sim worlds --calibrate makes some"]
        )
    return found


def pooled(calibrations: Sequence[Ensemble]) -> Ensemble:
    """The worlds of independent calibrations, each weighing in proportion to its normalising constant.

    What they were weighted by must be the same. Raises `InputError` where it is not, and where two have one number.
    """
    first = calibrations[0]
    log_z = {number: z for one in calibrations for number, z in one.log_z.items()}
    if len(log_z) < sum(len(one.log_z) for one in calibrations):
        raise InputError(["calibrations: two of them have the same number"])
    if any(one.evidence != first.evidence or one.chance_off != first.chance_off for one in calibrations):
        raise InputError(["calibrations: are of different evidence or priors, so they cannot be pooled"])
    share = statistics.normalised([statistics.log_sum(list(one.log_z.values())) for one in calibrations])
    arrays: dict[str, Any] = {
        f.name: np.concatenate([getattr(one, f.name) for one in calibrations]) for f in fields(Worlds)
    }
    arrays["weights"] = np.concatenate([w * one.weights for w, one in zip(share, calibrations, strict=True)])
    return replace(
        first,
        **arrays,
        measured={n: np.concatenate([one.measured[n] for one in calibrations]) for n in first.measured},
        log_z=log_z,
        unheard=tuple(dict.fromkeys(name for one in calibrations for name in one.unheard)),
        provenance={
            **first.provenance,
            "calibrations": [of for one in calibrations for of in one.provenance["calibrations"]],
        },
    )


def _read(path: Path) -> tuple[Ensemble, str]:
    """The worlds of one file, and its signature."""
    with files.explained(path, "read"):
        content = files.read(path)
    try:
        fields_, signed = decoded(content)
        found = Ensemble(**fields_)
        _check(found)
        return found, signed
    except InputError as error:
        raise InputError(mistake.found_in(str(place(path))) for mistake in error.mistakes) from None
    except Exception:  # whatever a damaged file makes its reader raise
        raise InputError([f"{place(path)}: is damaged or no calibration; make it again"]) from None


def _check(found: Ensemble) -> None:
    """Raise whatever the content of a file makes its users raise: it may be anybody's, and of any shape."""
    for p in found.evidence.patterns:
        shape, band = np.shape(p.value), found.prior[p.id]
        numbers = [p.value, p.sd, *(band[name] for name in ("low", "median", "high", "within"))]
        if not all(np.shape(of) == shape and np.isfinite(np.asarray(of, np.float64)).all() for of in numbers):
            raise ValueError(p.id)
        if found.measured[p.id].shape != (len(found), *shape) or not np.all(np.asarray(p.sd) > 0.0):
            raise ValueError(p.id)
        if p.kind == "path" and len(p.needs["months"]) != len(p.value):  # type: ignore[arg-type]
            raise ValueError(p.id)
    for evidence, sizes in surveys_of(found):
        survey.columns(evidence)
        if not all(isinstance(of, int) and 0 < of < 10**6 for of in vars(sizes).values()):
            raise ValueError("sizes")
    numbers = [*found.log_z.values(), found.chance_off, found.nuisance, found.values]
    if not all(np.isfinite(np.asarray(of, np.float64)).all() for of in numbers) or not 0.0 <= found.chance_off <= 1.0:
        raise ValueError("numbers")
    short = all(len(p.id) < 100 for p in found.evidence.patterns)
    if not {*found.calibrations.tolist()} <= {*found.log_z} or not short:
        raise ValueError("calibrations")
    if not (found.ancestors >= 0).all() or not (found.seeds >= 0).all():
        raise ValueError("ancestors")
    found.evidence.size("seeds")
    if not len(found.agreements):
        raise ValueError("no finding")


@cache
def _against(paths: tuple[Path, ...]) -> list[str]:
    """What is different in the worlds of files when they are surveyed again: once in a process."""
    each = -(-_AGAIN // len(paths))
    return differing(_most([differences(_read(path)[0], each) for path in paths]))


def differences(ensemble: Ensemble, number: int, workers: int | None = None) -> dict[str, float]:
    """Survey `number` worlds of an ensemble again, evenly spaced and under their seeds.

    Returns, for each statistic, the largest difference from what is kept; relative where a value is beyond 1. Raises
    `InputError` where the evidence asks for something that the model does not have.
    """
    numbers = np.unique(np.linspace(0, len(ensemble) - 1, number).round().astype(np.int64))
    some, found = ensemble.take(numbers), {}
    try:
        for k, (evidence, sizes) in enumerate(surveys_of(ensemble)):
            again = survey.measure_all(evidence, some, some.surveys(evidence), sizes, workers=workers)
            of_patterns = {pattern.id for pattern in evidence.patterns}
            for name in of_patterns if k else some.measured.keys() & again.keys():  # candidates are of the first
                before = some.measured[name]
                apart = abs(again[name].astype(np.float32) - before) / np.maximum(1.0, abs(before))
                found[name] = float(apart.max())
    except KeyError as error:
        raise InputError([f"the evidence asks for {error}, which is not in this model"]) from None
    return found


def surveys_of(ensemble: Ensemble) -> list[tuple[Evidence, Sizes]]:
    """What the worlds were surveyed for, and how: at the beginning, and in each `Ensemble.reweight`."""
    later = ensemble.provenance.get("reweighted", ())
    patterns = {p.id: p for p in ensemble.evidence.patterns}
    further = [Evidence(each["survey"], tuple(patterns.pop(name) for name in each["patterns"])) for each in later]
    sizes = [Sizes(**each["sizes"]) for each in (ensemble.provenance["calibrations"][0], *later)]
    return list(zip([replace(ensemble.evidence, patterns=tuple(patterns.values())), *further], sizes, strict=True))


def _most(found: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The largest of several `differences`, for each statistic."""
    return {
        name: max(each.get(name, 0.0) for each in found) for name in dict.fromkeys(n for each in found for n in each)
    }


def differing(found: Mapping[str, float]) -> list[str]:
    """The statistics of `differences` that differ by more than `TOLERANCE`, the most first, in words."""
    worst = sorted(found.items(), key=lambda item: -item[1])
    return [f"{name} by {difference:.2g}" for name, difference in worst if not difference <= TOLERANCE]


def check(
    folder: str | Path | None = None,
    again: int = 20,
    signed: bool = False,
    progress: Progress | None = None,
    workers: int | None = None,
) -> list[str]:
    """Survey `again` worlds of each prior's calibrations once more, and say how their statistics compare.

    With `signed`, the files are signed with the present identity of the model, once all of them agree. `progress` is
    called with the number of files done and their total. Raises `InputError` where a file cannot be used, or is to be
    signed though its worlds give other statistics.
    """
    there = {prior: paths_of(folder, prior) for prior in PRIORS}
    lines, wrong, total = list[str](), list[str](), sum(len(paths) for paths in there.values())
    told, done = part_of(progress, 0, total), 0
    for prior, paths in there.items():
        found, worlds = list[dict[str, float]](), 0
        for path in paths:
            told(done, total)
            one, done = _read(path)[0], done + 1
            found.append(differences(one, max(1, round(again / len(paths))), workers))
            worlds += len(one)
        against = ", ".join(differing(_most(found)))
        if against:
            wrong.append(f"{prior}: not signed; its worlds give other statistics ({against})")
        verdict = f"other statistics: {against}" if against else "all statistics are equal"
        lines.append(f"{prior}: {again} of {worlds:,} worlds were surveyed again; {verdict}.")
    told(total, total)
    if signed:
        if wrong:
            raise InputError(wrong)
        for path in [path for paths in there.values() for path in paths]:
            sign(path)
        lines.append(f"{total} files are signed with this version of the model.")
    return lines


def prior_band(values: NDArray[np.float64], pattern: Pattern | None = None) -> dict[str, Any]:
    """A statistic's entry in `Ensemble.prior`, from its values in worlds that are equally likely."""
    low, median, high = np.quantile(values, [0.05, 0.5, 0.95], axis=0).tolist()
    band: dict[str, Any] = {"low": low, "median": median, "high": high}
    if pattern is not None:
        within = (np.abs(values - np.asarray(pattern.value)) <= 2.0 * np.asarray(pattern.sd)).mean(axis=0)
        band["within"] = within.tolist()
    return band


def check_size(weights: NDArray[np.float64], what: str) -> None:
    """Refuse weights whose effective size is below `FEWEST`: raises `InputError` with one line about `what`."""
    if (size := statistics.effective_size(weights)) < FEWEST:
        short = f"an effective size of {size:.1f} worlds is too small to say anything; it takes {FEWEST}"
        raise InputError([f"{what}: {short}"])

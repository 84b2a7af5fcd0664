"""What if it had been done otherwise? The verdict on every claim under choices that one could make differently, one at
a time: rules of the model, what the surveys see, how the evidence weighs, what matters, and sizes.

Where a choice changes what a survey finds, the worlds of the answer are surveyed again, and the weight of each is
multiplied by exp(its agreement now − its agreement as stored). Where it changes a rule, the primary contrasts are run
again in worlds drawn by the new weights; else the stored effects count under the new weights. The worlds do not move,
so a choice that the stored ones do not suit leaves few that count, and then there is no verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim import statistics
from sim.claims import statements
from sim.claims.answer import ClaimReport, by_weight
from sim.claims.statements import LIMITS, Key
from sim.claims.tables import in_words, with_error
from sim.claims.verdict import CLASSES, Array, Over, Sign, by_points, over, said, verdict
from sim.model.version import identity
from sim.model.words import finding
from sim.pool import Progress, in_blocks, part_of
from sim.statistics import Estimate
from sim.worlds import evaluate as evaluating
from sim.worlds import survey
from sim.worlds.ensemble import Ensemble, surveys_of
from sim.worlds.ensemble_file import MADE_BY
from sim.worlds.evaluate import BLOCK, Contrast
from sim.worlds.evidence import Evidence
from sim.worlds.prior import DRAWN, NUISANCE, SEEDS, World
from sim.worlds.survey import Sizes

Row = dict[str, Any]
Settings = tuple[tuple[str, float], ...]

WORLDS = 200
"""Worlds, drawn by their new weights, in which a changed rule is run."""
LEAST = 50.0
"""The effective size, and the N_eff of the share, below which there is no verdict."""
KEPT = ("surveys", "worlds")
"""Folders, within that of the results, where finished blocks of worlds that were surveyed, and run, wait."""
MAIN, NO_VERDICT = "main", "no verdict"
SHARED = (
    ("monitoring-stress", "monitoring-satisfaction", "monitoring-performance", "monitoring-deviance"),
    ("relationship-performance", "relationship-deviance"),
)
"""Findings of one source: of the meta-analysis of Siegel et al. (2022), and of that of Martin et al. (2016)."""
IN_SURVEY = ("correlation", "level", "bunching")
"""Kinds of patterns that the survey finds; the others come from trials of their own."""


@dataclass(frozen=True)
class Choice:
    """What is done otherwise; `words` say it in a picture, and `group` is what it is about.

    `rules` are parameters that have these values in every world, in its surveys and under every policy. `survey` and
    `nuisance` are what the surveys set, and what is true of them. `again` surveys each world as often once more,
    under further seeds. `kernel` is by how much the logarithm of each world's agreement changes without any survey.
    `first_limits` takes what matters from the first version. `column` is one of "does it hold?", which is stored.
    """

    name: str
    words: str
    group: str
    rules: Settings = ()
    survey: Settings = ()
    nuisance: Settings = ()
    again: bool = False
    kernel: Callable[[Ensemble], Array] | None = None
    first_limits: bool = False
    column: str = ""

    def of(self, worlds: Ensemble) -> Ensemble:
        """The worlds as the choice has them. A parameter whose mechanism is off stays without effect."""
        values, nuisance = worlds.values.copy(), worlds.nuisance.copy()
        for array, names, settings in ((values, DRAWN, self.rules), (nuisance, tuple(NUISANCE), self.nuisance)):
            for name, value in settings:
                array[:, names.index(name)] = value
        return replace(worlds, values=values, nuisance=nuisance)

    def asks(self, evidence: Evidence) -> Evidence:
        """The findings that must be surveyed again, with the surveys as the choice has them."""
        asked = tuple(
            p
            for p in evidence.patterns
            if self.rules
            or self.again
            or (self.survey and p.kind in IN_SURVEY)
            or (self.nuisance and "performance" in (p.needs.get("x"), p.needs.get("y")))
        )
        return replace(evidence, survey={**evidence.survey, **dict(self.survey)}, patterns=asked)


def without(name: str) -> Callable[[Ensemble], Array]:
    """The evidence without a pattern."""
    return lambda worlds: -worlds.agreements[name]


def wider(factor: float) -> Callable[[Ensemble], Array]:
    """Every tolerance so many times as large."""
    return lambda worlds: (factor**-2 - 1.0) * np.sum([*worlds.agreements.values()], axis=0)


def correlated(rho: float, by_strength: bool = False) -> Callable[[Ensemble], Array]:
    """The errors of the findings of one source (`SHARED`) correlated by `rho`: −½ d'C⁻¹d with d in tolerances.

    `by_strength` turns each deviation to the side of its finding: what they share makes all of them stronger or all
    of them weaker, rather than all of them higher or lower.
    """

    def change(worlds: Ensemble) -> Array:
        patterns, total = {p.id: p for p in worlds.evidence.patterns}, np.zeros(len(worlds))
        for source in SHARED:
            there = [patterns[name] for name in source if name in patterns]
            if not there:
                continue
            value, sd = (np.array([getattr(p, name) for p in there]) for name in ("value", "sd"))
            d = (np.stack([worlds.measured[p.id] for p in there], axis=1) - value) / sd
            d *= np.where(value < 0.0, -1.0, 1.0) if by_strength else 1.0
            errors = np.full((len(there),) * 2, rho) + (1.0 - rho) * np.eye(len(there))
            total -= 0.5 * (d * np.linalg.solve(errors, d.T).T).sum(axis=1)
            total -= np.sum([worlds.agreements[p.id] for p in there], axis=0)
        return total

    return change


RULES = tuple(
    Choice(f"{name} {value:g}", words, "rules", rules=((name, value),))
    for name, value, words in (
        ("found_reassures", 0.0, "to be found out never reassures"),
        ("found_reassures", 1.0, "to be found out reassures like owning up"),
        ("rescue", 0.0, "discovery averts no harm"),
        ("rescue", 1.0, "discovery averts all further harm"),
        ("peers_see", 0.0, "colleagues see no hidden slip"),
        ("peers_see", 1.0, "colleagues see every hidden slip"),
    )
)
SURVEYS = (
    *(
        Choice(f"rated by {what}", f"performance rated by {what} alone", "surveys",
               nuisance=(("quality_share", share),))
        for what, share in (("quality", 1.0), ("figures", 0.0))
    ),
    *(
        Choice(f"surveyed risk_based {value:g}", f"where surveyed, {words} watched by risk", "surveys",
               survey=(("risk_based", value),))
        for value, words in ((0.0, "nobody"), (1.0, "all"))
    ),
    Choice("twice the seeds", "twice as many surveys of each world", "surveys", again=True),
)  # fmt: skip
WEIGHTS = (
    Choice("errors correlated", "errors of one source correlated by 0.5", "weights", kernel=correlated(0.5)),
    Choice("strengths correlated", "the same, in their strength", "weights", kernel=correlated(0.5, by_strength=True)),
    Choice("tolerances wider", "tolerances times √2", "weights", kernel=wider(2.0**0.5)),
    Choice("first limits", "what matters as in the first version", "weights", first_limits=True),
)
SIZES = (
    Choice("managers 4", "organisations of 4 managers", "sizes", column="managers_4"),
    Choice("managers 40", "organisations of 40 managers", "sizes", column="managers_40"),
    Choice("months 60", "after 5 years", "sizes", column="months_60"),
    Choice("months 240", "after 20 years", "sizes", column="months_240"),
)


def choices_of(evidence: Evidence) -> tuple[Choice, ...]:
    """Every choice, with one for each pattern of the evidence that could have been left out."""
    left_out = (
        Choice(f"without {p.id}", f"without “{finding(p.id).text}”", "findings left out", kernel=without(p.id))
        for p in evidence.patterns
    )
    return (*RULES, *SURVEYS, *left_out, *WEIGHTS, *SIZES)


# Weights


def reweighed(weights: Array, change: Array) -> Array:
    """Weights times exp(change), with the sum that they had; where nothing changes they are the same to the bit.

    >>> reweighed(np.array([0.5, 0.5]), np.log([1.0, 3.0])).round(12).tolist()
    [0.25, 0.75]
    """
    with np.errstate(divide="ignore"):
        top = change[np.argmax(np.log(weights) + change)]
    with np.errstate(over="ignore", invalid="ignore"):
        new = np.where(weights > 0.0, weights * np.exp(change - top), 0.0)
    return np.asarray(new * (weights.sum() / new.sum()))


def change_of(
    choice: Choice,
    worlds: Ensemble,
    folder: Path | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
) -> Array:
    """By how much a choice changes the logarithm of each world's agreement with the evidence."""
    if choice.kernel is not None:
        return choice.kernel(worlds)
    total, changed, done = np.zeros(len(worlds)), choice.of(worlds), 0
    for evidence, sizes in surveys_of(worlds):
        asked = choice.asks(evidence)
        if not asked.patterns:
            continue
        beyond, surveys = SEEDS if choice.again else 0, asked.size("seeds")  # once more: seeds that no world has
        seeds = [survey.seeds_of(number + beyond, surveys) for number in worlds.seeds.tolist()]
        found = surveyed(asked, changed, seeds, sizes, folder,
                         part_of(progress, done, len(worlds)), workers)  # fmt: skip
        done += len(worlds)
        for pattern in asked.patterns:
            values = found[pattern.id]
            if choice.again:
                values = (values + worlds.measured[pattern.id]) / 2.0
            now = np.array([survey.log_agreement(pattern, value) for value in values])
            total += now - worlds.agreements[pattern.id]
    return total


def surveyed(
    evidence: Evidence,
    worlds: Ensemble,
    seeds: Sequence[Sequence[int]],
    sizes: Sizes,
    folder: Path | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
) -> dict[str, NDArray[np.float64]]:
    """What the surveys of each world find of each pattern, in the single precision in which ensembles are kept.

    `folder` keeps finished blocks of worlds, which are not surveyed again.
    """

    def block(jobs: Sequence[tuple[World, Sequence[int]]], later: Progress) -> dict[str, NDArray[Any]]:
        some, own = zip(*jobs, strict=True)
        found = survey.measure_all(evidence, some, own, sizes, later, workers)
        return {p.id: found[p.id].astype(np.float32) for p in evidence.patterns}

    made, jobs = (identity(*MADE_BY), evidence, sizes), list(zip(worlds, seeds, strict=True))
    found = in_blocks(block, jobs, BLOCK, made, folder, "unfinished surveys", progress)
    return {name: values.astype(np.float64) for name, values in found.items()}


# Verdicts


@dataclass(frozen=True)
class Asked:
    """The primary outcome of a claim, its limit δ, and the main answer on it."""

    claim: str
    contrast: Contrast
    outcome: str
    sign: Sign
    delta: float
    main: Over

    @property
    def key(self) -> Key:
        """Contrast and outcome, by name."""
        return self.contrast.name, self.outcome

    @property
    def direction(self) -> Sign:
        """Where everybody would call it better."""
        return LIMITS[self.outcome].direction


def little(weights: Array, calibrations: NDArray[np.int64], least: float = LEAST) -> str:
    """Why weighted worlds are too few for a verdict; empty where they are enough.

    >>> little(np.full(10, 0.1), np.arange(10))
    'the worlds are worth 10 equal ones, which is below 50'
    """
    if (size := statistics.effective_size(weights)) < least:
        return f"the worlds are worth {size:.0f} equal ones, which is below {least:g}"
    one = least > 0.0 and statistics.effective_calibrations(weights, calibrations) < 2.0
    return "nearly all weight is on one calibration, so there is no interval" if one else ""


def told(choice: Choice, asked: Asked, found: Over | str, size: float, delta: float, least: float = LEAST) -> Row:
    """The row of a choice and a claim, from what was `found`, or from why nothing could be.

    ``verdict`` and ``words`` by the rule, ``by_points`` by point estimates; ``mean`` with its interval, the ``share``
    that the verdict rests on with its ``n_eff``, the ``effective_size`` of the worlds; whether the verdict ``differs``
    from the main answer's, and whether that by point estimates does. Where too little is left to say, "no verdict",
    ``words`` say why, and nothing differs.
    """
    row: Row = {"choice": choice.name, "group": choice.group, "label": choice.words, "claim": asked.claim,
                "contrast": asked.contrast.name, "outcome": asked.outcome, "effective_size": size,
                "delta": delta}  # fmt: skip
    if isinstance(found, str):
        return {**row, **_none(found)}
    carried, points, signs = verdict(found, delta), by_points(found, delta), (asked.sign, asked.direction)
    share = found.shares[found.largest if carried is None else carried]
    n_eff = statistics.n_eff(*share)
    row |= {
        "verdict": said(carried, *signs), "words": in_words(found, carried, *signs), "by_points": said(points, *signs),
        **with_error("mean", found.mean), "low": found.low, "high": found.high, **with_error("share", share),
        "n_eff": n_eff, "differs": _yes(carried != verdict(asked.main, asked.delta)),
        "differs_by_points": _yes(points != by_points(asked.main, asked.delta)),
    }  # fmt: skip
    if n_eff < least:
        row |= _none(f"the share is known as well as from {n_eff:.0f} worlds, which is below {least:g}")
    return row


def _none(why: str) -> Row:
    """The cells of a row without a verdict."""
    return {"verdict": NO_VERDICT, "words": why, "by_points": NO_VERDICT, "differs": "", "differs_by_points": ""}


def _yes(truth: bool) -> str:
    return "yes" if truth else "no"


class _Stored:
    """A stored answer: its worlds with their weights, its effects, and what it says on the primary outcomes."""

    def __init__(self, report: ClaimReport, ensemble: Ensemble) -> None:
        frame = report.effects_in(ensemble)
        numbers, first = np.unique(frame["world"].to_numpy(), return_index=True)
        self.report, self.worlds = report, ensemble.take(numbers, frame["weight"].to_numpy()[first])
        by_key = frame.groupby(["contrast", "outcome"], sort=False, observed=True)
        cases = {c.id: (c.cases[0].contrast, c.cases[0].measures[0]) for c in report.claims if c.cases}
        self.effects: dict[Key, Array] = {
            key: by_key.get_group(key).sort_values("world")["estimate"].to_numpy(np.float64)
            for key in dict.fromkeys((contrast.name, m.outcome) for contrast, m in cases.values())
        }
        self.asked = list[Asked]()
        for claim, (contrast, m) in cases.items():
            delta = report.sizes[m.outcome]
            main = self.over(self.effects[contrast.name, m.outcome], delta, self.worlds.weights)
            self.asked.append(Asked(claim, contrast, m.outcome, m.sign, delta, main))

    def over(self, effects: Array, delta: float, weights: Array) -> Over:
        """Effects in the stored worlds under some weights."""
        return over(effects, delta, weights, self.worlds.calibrations)

    def rows(self, choice: Choice, weights: Array, least: float = LEAST) -> Iterator[Row]:
        """The stored effects under other weights or limits."""
        limits, size = self.limits(choice), statistics.effective_size(weights)
        why = little(weights, self.worlds.calibrations, least)
        for one in self.asked:
            if one.claim in limits:
                delta = limits[one.claim]
                yield told(choice, one, why or self.over(self.effects[one.key], delta, weights), size, delta, least)

    def limits(self, choice: Choice) -> dict[str, float]:
        """What matters, by claim; a claim whose outcome the first version had no limit for is left out of it."""
        if not choice.first_limits:
            return {one.claim: one.delta for one in self.asked}
        first = {
            (row["claim"], row["contrast"], row["outcome"]): row["delta"] for row in self.report.rows("first_limits")
        }
        return {one.claim: first[one.claim, *one.key] for one in self.asked if (one.claim, *one.key) in first}

    def column(self, choice: Choice, least: float = LEAST) -> Iterator[Row]:
        """What is stored of a column of "does it hold?"."""
        rows = {(r["contrast"], r["outcome"]): r for r in self.report.rows("holds") if r["column"] == choice.column}
        if not rows:
            return
        numbers, weights = by_weight(self.worlds, self.report.provenance["effort"]["again"])
        calibrations = self.worlds.calibrations[numbers]
        size, why = statistics.effective_calibrations(weights, calibrations), little(weights, calibrations, least)
        for one in self.asked:
            if (row := rows.get(one.key)) is not None:
                mean, *shares = (
                    Estimate(row[name], row.get(f"{name}_error", np.nan)) for name in ("mean", *CLASSES.values())
                )
                ends, by_class = statistics.interval(*mean, size), dict(zip(CLASSES, shares, strict=True))
                found = why or Over(mean, *ends, by_class, np.nan, size)
                yield told(choice, one, found, row["worlds"], one.delta, least)

    @property
    def contrasts(self) -> list[Contrast]:
        """The primary contrasts, each once."""
        return list(dict.fromkeys(one.contrast for one in self.asked))

    @property
    def precision(self) -> dict[str, float]:
        """The largest standard errors of the primary outcomes in one world."""
        every = statements.precision(self.report.sizes)
        return {one.outcome: every[one.outcome] for one in self.asked}


def structure(
    report: ClaimReport,
    ensemble: Ensemble,
    choices: Sequence[Choice] | None = None,
    *,
    number: int = WORLDS,
    least: float = LEAST,
    folder: Path | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
) -> pd.DataFrame:
    """The verdict on the primary outcome of each claim of an answer under each choice, a row for each (`told`).

    Parameters
    ----------
    report : ClaimReport, whose effects, limits and sizes are used.
    ensemble : Ensemble, from which its worlds were taken.
    choices : sequence of Choice, optional; by default those of `choices_of`. The main answer stands first as "main".
    number : int
        Worlds, drawn by their new weights, in which a changed rule is run.
    least : float
        The effective size, and the N_eff of a share, below which there is no verdict.
    folder : Path, optional
        Where finished blocks are kept, so that an interrupted call goes on.
    progress, workers : optional
        As in `sim.pool.in_parallel`; pieces are worlds that are surveyed or run.

    Raises `InputError` where the answer is about other worlds.
    """
    stored = _Stored(report, ensemble)
    chosen = choices_of(ensemble.evidence) if choices is None else choices
    main, rows, done = Choice(MAIN, "the answer", MAIN), list[Row](), 0
    total = sum(_pieces(choice, stored.worlds, number) for choice in chosen)
    surveys, runs = (None if folder is None else folder / name for name in KEPT)
    rows += stored.rows(main, stored.worlds.weights, least=0.0)
    for choice in chosen:
        later = part_of(progress, done, total)
        if choice.column:
            rows += stored.column(choice, least)
            continue
        weights = reweighed(stored.worlds.weights, change_of(choice, stored.worlds, surveys, later, workers))
        if choice.rules:
            later = part_of(progress, done + _pieces(choice, stored.worlds, 0), total)
            rows += _run(choice, stored, weights, number, least, runs, later, workers)
        else:
            rows += stored.rows(choice, weights, least)
        done += _pieces(choice, stored.worlds, number)
    return pd.DataFrame(rows)


def _pieces(choice: Choice, worlds: Ensemble, number: int) -> int:
    """Worlds that are surveyed, and run, for a choice."""
    if choice.kernel is not None or choice.column:
        return 0
    surveys = sum(len(worlds) for evidence, _ in surveys_of(worlds) if choice.asks(evidence).patterns)
    return surveys + (min(number, len(worlds)) if choice.rules else 0)


def _run(
    choice: Choice,
    stored: _Stored,
    weights: Array,
    number: int,
    least: float,
    folder: Path | None,
    progress: Progress,
    workers: int | None,
) -> Iterator[Row]:
    """The primary contrasts under changed rules, in worlds drawn by the new weights; none where too few are left."""
    numbers, new = by_weight(replace(stored.worlds, weights=weights), number)
    size, p = statistics.effective_size(new), stored.report.provenance
    if why := little(new, stored.worlds.calibrations[numbers], least):
        yield from (told(choice, one, why, size, one.delta, least) for one in stored.asked)
        return
    e = evaluating.effects(
        choice.of(stored.worlds).take(numbers, new), stored.contrasts, stored.precision, p["seed"], p["sizes"],
        folder=folder, progress=progress, workers=workers,
    )  # fmt: skip
    for one in stored.asked:
        found = over(e.of(*one.key), one.delta, new, e.sample.calibrations)
        yield told(choice, one, found, size, one.delta, least)


# What it costs, and what it says


def cost(report: ClaimReport, ensemble: Ensemble, number: int = WORLDS) -> str:
    """What `structure` takes, in a sentence: surveys, and runs at their sizes."""
    stored = _Stored(report, ensemble)
    chosen, worlds = choices_of(ensemble.evidence), stored.worlds
    surveys = runs = 0
    for choice in chosen:
        for evidence, sizes in surveys_of(worlds) if choice.kernel is None and not choice.column else ():
            if (asked := choice.asks(evidence)).patterns:
                times = len(worlds) * asked.size("seeds")
                surveys += times
                runs += times * len({arm for _, arms in survey.plan(asked, sizes).statistics for arm in arms})
    arms = len({arm for contrast in stored.contrasts for arm in contrast.needed})
    again = sum(bool(choice.rules) for choice in chosen) * min(number, len(worlds)) * arms
    return (
        f"{surveys:,} surveys of {len(worlds):,} worlds, {runs:,} runs; for the rules {again * evaluating.PAIRS:,} to "
        f"{again * evaluating.MOST_PAIRS:,} runs of policies at most."
    )


def headline(table: pd.DataFrame) -> str:
    """How many verdicts are the same under every choice of which something can be said: by the rule, and where those
    that differ by the rule must differ by point estimates too, as fewer worlds alone, with larger errors, do not.
    """
    rows = table[(table["choice"] != MAIN) & (table["verdict"] != NO_VERDICT)]
    choices, (kept, claims) = rows["choice"].nunique(), unmoved(table)
    surely = claims - rows.loc[changed(rows), "claim"].nunique()
    lost = table["choice"].nunique() - 1 - choices
    if not choices:
        return f"Under each of {lost} choices too few worlds are left to say anything"
    few = f"; under {lost} others too few worlds are left to say anything" if lost else ""
    return (
        f"By the rule {kept} of {claims} verdicts are the same under each of {choices} other choices, and {surely} if "
        f"point estimates must differ too{few}"
    )


def unmoved(table: pd.DataFrame) -> tuple[int, int]:
    """How many claims keep their verdict by the rule under every choice, and of how many."""
    rows = table[table["choice"] != MAIN]
    claims = rows["claim"].nunique()
    return claims - rows.loc[rows["differs"] == "yes", "claim"].nunique(), claims


def changed(rows: pd.DataFrame) -> pd.Series:
    """Where the verdict is another one, by the rule and by point estimates."""
    return (rows["differs"] == "yes") & (rows["differs_by_points"] == "yes")


def sentences(table: pd.DataFrame) -> list[str]:
    """The `headline`, and a line for each claim: the main verdict, and which choices make another one, or none."""
    lines = [f"{headline(table)}."]
    for claim, part in table.groupby("claim", sort=False):
        other = part[changed(part) | (part["verdict"] == NO_VERDICT) & (part["choice"] != MAIN)]
        by_verdict = other.groupby("verdict", sort=False)["choice"]
        parts = "; ".join(f"{name}: {', '.join(which)}" for name, which in by_verdict)
        lines.append(f"{claim}: {part['verdict'].iloc[0]}{f' ({parts})' if parts else ''}.")
    return lines

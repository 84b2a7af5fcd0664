"""The answer to the claims: `answer` runs the policies that they compare in many plausible worlds, and finds for or
against each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from sim.claims import attribution, discovery, tables
from sim.claims.report import ClaimReport
from sim.claims.table import CLAIMS, Claim, arms_of
from sim.claims.verdict import FEWEST_PAIRS
from sim.errors import InputError, nearest, shown
from sim.model.parameters import LARGEST_SEED, SIZES, resolve, seed_of
from sim.model.run import provenance
from sim.pool import MOST_WORKERS, Progress, part_of
from sim.worlds import ensemble as ensembles
from sim.worlds import evaluate as evaluating
from sim.worlds.ensemble import FEWEST, Ensemble, check_size
from sim.worlds.evaluate import evaluate
from sim.worlds.prior import Worlds, prior
from sim.worlds.summary import patterns

_MOST = 100_000  # worlds or pairs: weeks of work; the intervals are far below what matters long before


@dataclass(frozen=True)
class Effort:
    """How much is run: `worlds` of the ensemble (None: all of them), `alternatives` worlds for each of the two priors
    beside it, paired `replications` in each world, `systems` in the nation, `orders` of the mechanisms that are
    switched off one after the other, and `draws` of worlds for each question beside the claims (0: none is asked)."""

    worlds: int | None
    alternatives: int
    replications: int
    systems: int
    orders: int
    draws: int = 0


QUICK = Effort(worlds=72, alternatives=28, replications=6, systems=2, orders=14)
"""All claims within 90 seconds on two cores."""
DEEP = Effort(worlds=400, alternatives=150, replications=8, systems=2, orders=150)
"""One claim, in depth."""
FULL = Effort(worlds=None, alternatives=120, replications=8, systems=4, orders=150, draws=100)
"""All claims in all worlds, and the questions beside them."""


UNFINISHED = "unfinished"
"""The folder, within that of the results, where finished blocks of worlds wait for the others."""


def effort(
    full: bool = False,
    deep: bool = False,
    worlds: int | None = None,
    replications: int | None = None,
    systems: int | None = None,
) -> Effort:
    """`FULL`, `DEEP` or `QUICK` with what is given in its place; with fewer worlds there are fewer beside them, too.

    >>> effort(worlds=24).alternatives
    24
    """
    preset = FULL if full else DEEP if deep else QUICK
    given = {"worlds": worlds, "replications": replications, "systems": systems}
    beside = preset.alternatives if worlds is None else min(preset.alternatives, max(worlds, FEWEST))
    return replace(preset, alternatives=beside, **{k: value for k, value in given.items() if value is not None})


def claims_named(*ids: str, beside: Sequence[str] = ()) -> tuple[Claim, ...]:
    """The claims with these ids, all where none is given. Raises `InputError` with a line for each unknown id, which
    names the questions `beside` the claims, too.

    >>> claims_named("pays")[0].measures[0].outcome
    'quality'
    """
    known = {claim.id: claim for claim in CLAIMS}
    every = f"; there are {', '.join(known)}" + (f"; and the questions {', '.join(beside)}" if beside else "")
    mistakes = [
        f"{shown(name)}: no such claim{nearest(name, (*known, *beside)) or every}" for name in ids if name not in known
    ]
    if mistakes:
        raise InputError(mistakes)
    return tuple(known[name] for name in ids) or CLAIMS


def answer(
    ensemble: Ensemble | None = None,
    second: Ensemble | None = None,
    *,
    claims: Sequence[Claim] = CLAIMS,
    effort: Effort = QUICK,
    deep: bool = False,
    seed: int | None = 0,
    folder: Path | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
    **sizes: Any,
) -> ClaimReport:
    """Run every policy that the claims compare in every world, and say what the worlds say, by weight.

    Parameters
    ----------
    ensemble, second : Ensemble, optional
        The worlds weighted by evidence, and those under the prior in which no mechanism is off; by default the two
        that come with the package. Beside them stand worlds drawn from the first prior without regard to evidence.
    claims : sequence of Claim
        What to answer; by default all of `CLAIMS`.
    effort : Effort
        How many worlds, replications and systems: `QUICK`, `DEEP` or `FULL`.
    deep : bool
        Whether to run also what a closer look at a claim needs.
    seed : int, optional
        The first seed of the first world; None draws a fresh one, which the report's provenance names.
    folder : Path, optional
        Where finished blocks of worlds are kept, so that an interrupted call goes on when it is given again.
    progress : callable, optional
        Called with the number of pieces done (worlds, then orders) and their total, first with 0 done.
    workers : int, optional
        Threads; by default one for each core. The numbers do not depend on it.
    **sizes
        ``organisations``, ``managers``, ``months``, ``window``; by default 5, 12, 120 and 24.

    Raises
    ------
    InputError
        With one line for each mistake, and where there are too few worlds to say anything.
    """
    first = _checked(effort, seed, workers, sizes)
    main, taken, others = _sampled(ensemble, second, effort)
    arms = tuple(dict.fromkeys(arm for claim in claims for arm in arms_of(claim, deep)))
    run_sizes = {"systems": effort.systems, **sizes}
    samples = {"evidence": taken, **others}
    *starts, total = np.cumsum([0, *(len(sample) for sample in samples.values()), effort.orders]).tolist()
    shows = [part_of(progress, start, total) for start in starts]
    run = partial(evaluate, arms=arms, replications=effort.replications, first=first, sizes=run_sizes)
    found = {
        name: run(sample, folder=folder, progress=show, workers=workers)
        for (name, sample), show in zip(samples.items(), shows, strict=False)
    }
    evidence = found.pop("evidence")
    report = ClaimReport(
        table=tables.verdicts(evidence, found, taken, claims),
        effects=tables.effects(evidence, claims),
        tables={**tables.beside(evidence, claims), "patterns": patterns(main)},
        claims=tuple(claims),
        sample=taken,
        settings={arm.name: arm.told for arm in arms},
        provenance=_provenance(first, effort, run_sizes, main, samples),
    )
    return explained(report, effort.orders, shows[-1], workers)


def explained(
    report: ClaimReport, draws: int, progress: Progress | None = None, workers: int | None = None
) -> ClaimReport:
    """The report with its reasons: what carries each effect, by `draws` pairs of a world and an order of mechanisms,
    and where each verdict flips."""
    p = report.provenance
    sizes = {name: p["sizes"][name] for name in ("systems", "organisations", "managers", "months")}
    carriers, more = attribution.attributed(
        report.claims, report.sample, draws, p["first_seed"], progress, workers, **sizes
    )
    flips, maps = discovery.flips(report.table, report.effects, report.sample, p["first_seed"])
    return replace(report, carriers=carriers, flips=flips, tables={**report.tables, **more, "flip_maps": maps})


def _sampled(
    ensemble: Ensemble | None, second: Ensemble | None, effort: Effort
) -> tuple[Ensemble, Ensemble, dict[str, Worlds]]:
    """The main ensemble, the worlds taken from it, and those that are tried beside them."""
    main, other = _given_or_shipped(ensemble, "main"), _given_or_shipped(second, "all_on")
    taken, second_taken = _taken(main, effort.worlds), _taken(other, effort.alternatives)
    return main, taken, {"unweighted": prior(effort.alternatives, off=main.chance_off), "second_prior": second_taken}


def _checked(effort: Effort, seed: int | None, workers: int | None, sizes: Mapping[str, Any]) -> int:
    """The first seed; every mistake in the arguments is one line of an `InputError`."""
    mistakes = [] if effort.worlds is None else _not_a_count("worlds", effort.worlds, FEWEST, _MOST)
    mistakes += _not_a_count("alternatives", effort.alternatives, FEWEST, _MOST)
    mistakes += _not_a_count("replications", effort.replications, FEWEST_PAIRS, _MOST)
    mistakes += _not_a_count("orders", effort.orders, evaluating.FEWEST, _MOST)
    mistakes += _not_a_count("workers", workers, 1, MOST_WORKERS) if workers is not None else []
    unknown = [name for name in sizes if name not in SIZES]
    mistakes += [f"{name}: no size of a run{nearest(name, SIZES)}; the claims fix all else" for name in unknown]
    first = 0
    try:
        first = seed_of(seed)
    except InputError as error:
        mistakes += error.lines
    try:
        resolve(systems=effort.systems, **{name: value for name, value in sizes.items() if name in SIZES})
    except InputError as error:
        mistakes += error.lines
    if not mistakes and first > LARGEST_SEED - _MOST * effort.replications:
        mistakes.append(f"seed: {first} leaves too little room for those that follow it, up to {LARGEST_SEED}")
    if mistakes:
        raise InputError(mistakes)
    return first


def _not_a_count(name: str, value: Any, least: int, most: int) -> list[str]:
    if isinstance(value, int | np.integer) and not isinstance(value, bool) and least <= value <= most:
        return []
    return [f"{name}: {shown(value)} is not a whole number from {least} to {most}"]


def _given_or_shipped(given: Ensemble | None, which: ensembles.Prior) -> Ensemble:
    found = ensembles.load(prior=which) if given is None else given
    check_size(found.weights, f"the ensemble ({which})")
    return found


def _taken(ensemble: Ensemble, number: int | None) -> Ensemble:
    """So many worlds of an ensemble, or all of them."""
    taken = ensemble if number is None or number >= len(ensemble) else ensemble.sample(number)
    check_size(taken.weights, "the worlds taken from the ensemble")
    return taken


def _provenance(
    first: int, effort: Effort, sizes: Mapping[str, Any], main: Ensemble, samples: Mapping[str, Worlds]
) -> dict[str, Any]:
    resolved = resolve(**sizes)
    ensemble = {
        "worlds": len(main),
        "effective_size": main.effective_size,
        "ancestors": main.distinct_ancestors,
        "largest_weight": main.largest_weight,
        "made": dict(main.provenance),
    }
    return {
        **provenance(),
        "engine": "compiled",
        "first_seed": first,
        "effort": asdict(effort),
        "replications": effort.replications,
        "worlds": {name: len(sample) for name, sample in samples.items()},
        "ensemble": ensemble,
        "sizes": {name: getattr(resolved, name) for name in SIZES},
    }

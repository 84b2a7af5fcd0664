"""The answer to the claims: `answer` runs the policies that they compare in many plausible worlds, and finds for or
against each of them; a `ClaimReport` holds what was found, its tables and its text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from sim.claims import attribution, discovery, tables
from sim.claims import text as words
from sim.claims.statements import CLAIMS, Claim, arms_of
from sim.claims.text import rows_of
from sim.claims.verdict import FEWEST_PAIRS
from sim.errors import InputError, Mistake, Mistakes, chosen, whole
from sim.model.parameters import LARGEST_SEED, PARAMETERS, SIZES, resolve, seed_of
from sim.model.run import provenance
from sim.pool import MOST_WORKERS, Progress, part_of
from sim.worlds import evaluate as evaluating
from sim.worlds.ensemble import FEWEST, Ensemble, Prior, check_size, load
from sim.worlds.evaluate import check, evaluate
from sim.worlds.prior import Worlds, prior
from sim.worlds.summary import patterns


@dataclass(frozen=True)
class Reply:
    """What the worlds reply to a question beside the claims: sentences to be read aloud, and the tables behind them,
    by name."""

    question: str
    sentences: tuple[str, ...]
    tables: Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class ClaimReport:
    """What plausible worlds say about the claims; ``str()`` is what `sim claim` prints.

    Attributes
    ----------
    table : DataFrame
        A row for each claim, contrast and outcome. ``verdict`` is the overall one; ``supported``, ``opposed``,
        ``higher``, ``lower``, ``negligible`` and ``undecided`` are shares of weight, each with its Monte Carlo
        standard error in ``..._error``; ``median``, ``mean`` and ``q05`` to ``q95`` describe the effect over worlds
        in ``unit``, ``in_sesoi_q05`` to ``in_sesoi_q95`` in smallest effects of interest. The same with
        ``unweighted_``, ``second_prior_`` and ``left_out_`` in front: without weighting by evidence, with every
        mechanism on, and with the findings named in ``left_out_patterns`` left out.
    effects : DataFrame
        A row for each world, claim, contrast and outcome: effect, 95 % interval, verdict and the world's weight.
    tables : mapping
        Further tables by name, see `sim.claims.tables`; empty where the claims asked for do not need them.
    claims : tuple of Claim
    sample : Worlds
        The worlds of ``effects``, in their order.
    settings : mapping
        Arm to its regime and what it sets beside it.
    provenance : dict
        Versions, commit, seeds, numbers of worlds, sizes, platform, and the ensemble's own provenance.
    carriers, flips : DataFrame, optional
        What carries an effect (``claim, contrast, outcome, mechanism, case, contribution, standard_error``) and
        where a verdict would be another one (``claim, contrast, outcome, sentence, accuracy``).
    replies : tuple of Reply
        To the questions beside the claims, where they were asked.
    """

    table: pd.DataFrame
    effects: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]
    claims: tuple[Claim, ...]
    sample: Worlds
    settings: Mapping[str, Mapping[str, Any]]
    provenance: dict[str, Any]
    carriers: pd.DataFrame = field(default_factory=pd.DataFrame)
    flips: pd.DataFrame = field(default_factory=pd.DataFrame)
    replies: tuple[Reply, ...] = ()

    @property
    def verdicts(self) -> pd.DataFrame:
        """What is printed, as a table: for each claim, contrast and outcome the overall verdict, the share of worlds
        with it, and the effect in the median world with 5 to 95 % of worlds (``estimate``, ``low``, ``high``)."""
        shares = [row.get(row["verdict"], float("nan")) for row in rows_of(self.table)]
        names = {"median": "estimate", "q05": "low", "q95": "high"}
        told = self.table.reindex(columns=["claim", "contrast", "outcome", "unit", "side", "verdict", *names])
        told.insert(6, "share", shares)
        return told.rename(columns=names)

    def headline(self) -> str:
        """The main finding in one sentence."""
        return words.headline(rows_of(self.table))

    def tally(self) -> str:
        """How many verdicts went which way, for each side."""
        return words.tally(rows_of(self.table))

    def scale(self) -> str:
        """How much was run, and what was reduced against the nation and the whole ensemble."""
        p, worlds, size, ensemble = (self.provenance, *(self.provenance[k] for k in ("worlds", "sizes", "ensemble")))
        managers = size["systems"] * size["organisations"] * size["managers"]
        systems = "system" if size["systems"] == 1 else "systems"
        return (
            f"{worlds['evidence']:,} of {ensemble['worlds']:,} worlds (the evidence leaves an effective size of "
            f"{ensemble['effective_size']:.0f}, from {ensemble['ancestors']:,} ancestors), {worlds['unweighted']:,} "
            f"without weighting, {worlds['second_prior']:,} with every mechanism on; {p['replications']} paired "
            f"replications in each world, of {size['systems']} {systems} with {managers:,} managers (England has "
            f"{PARAMETERS['systems'].default:g} systems); means of the last {min(size['window'], size['months'])} of "
            f"{size['months']} months."
            + (f" The questions beside the claims rest on {p['effort']['draws']} worlds each." if self.replies else "")
        )

    def caveats(self) -> list[str]:
        """What the answer does not account for, in plain words."""
        return [*words.CAVEATS, f"Run: {self.scale()}"]

    def about(self, claim: Claim, in_depth: bool = False) -> tuple[list[str], list[str]]:
        """A claim in a line for each contrast; and why that is, and where it would be otherwise.

        In depth there are effects beside the verdicts, reasons for every outcome rather than the first, what the
        further tables say, and the claim's note.
        """
        rows = [row for row in rows_of(self.table) if row["claim"] == claim.id]
        carriers, flips = rows_of(self.carriers), rows_of(self.flips)
        asked = rows if in_depth else rows[:1]
        why = [line for row in asked for line in words.reasons(row, carriers, flips, in_depth)]
        if in_depth:
            why += [*words.besides(claim, {name: rows_of(table) for name, table in self.tables.items()})]
            why += [claim.note] if claim.note else []
        return words.findings(claim, rows, in_depth), why

    def __str__(self) -> str:
        """Headline, who wins what, each claim in a few lines, in depth where one was asked alone, and how to read
        them."""
        lines = [self.headline(), self.tally(), *words.winners(rows_of(self.table)), ""]
        for claim in self.claims:
            found, why = self.about(claim, in_depth=len(self.claims) == 1)
            lines += [f"{claim.id}: {claim.statement}", *(f"- {line}" for line in (*found, *why))]
        for reply in self.replies:
            lines += [reply.question, *(f"- {sentence}" for sentence in reply.sentences)]
        lines += ["", *words.KEY, *(f"- {caveat}" for caveat in self.caveats())]
        return "\n".join(textwrap.fill(line, 118, subsequent_indent="  ") for line in lines) + "\n"


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
EFFORTS = {"quick": QUICK, "deep": DEEP, "full": FULL}

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
    known, what = {claim.id: claim for claim in CLAIMS}, "claim, or question beside them" if beside else "claim"
    return tuple(known[name] for name in chosen("claim", ids, (*known, *beside), what)) or CLAIMS


def _claims(asked: Sequence[Claim | str]) -> tuple[Claim, ...]:
    """The claims that are asked for, in the order given; all where there are none."""
    listed = tuple(asked) if isinstance(asked, Iterable) and not isinstance(asked, str) else (asked,)
    known = iter(claims_named(*(one for one in listed if not isinstance(one, Claim))))
    return tuple(one if isinstance(one, Claim) else next(known) for one in listed) or CLAIMS


def answer(
    ensemble: Ensemble | None = None,
    second: Ensemble | None = None,
    *,
    claims: Sequence[Claim | str] = (),
    effort: Effort | str = "quick",
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
    claims : sequence of str or Claim
        What to answer, such as ``["fear", "pays"]``; by default all claims.
    effort : "quick", "deep", "full" or Effort
        How many worlds, replications and systems.
    deep : bool
        Whether to run also what a closer look at a claim needs.
    seed : int, optional
        The first seed of the first world; None draws a fresh one, which the report's provenance names.
    folder : Path, optional
        Where finished blocks of worlds are kept, so that an interrupted call goes on when it is given again.
    progress, workers : optional
        As in `sim.pool.in_parallel`; pieces are worlds, then orders. The numbers do not depend on the workers.
    **sizes
        ``organisations``, ``managers``, ``months``, ``window``; by default 5, 12, 120 and 24.

    Raises
    ------
    InputError
        With one line for each mistake, and where there are too few worlds to say anything.
    """
    effort = effort if isinstance(effort, Effort) else EFFORTS[chosen("effort", [effort], EFFORTS, "effort")[0]]
    claims = _claims(claims)
    first = _checked(effort, seed, workers, sizes)
    main, taken = _taken(ensemble, "main", effort.worlds)
    samples = {
        "evidence": taken,
        "unweighted": prior(effort.alternatives, off=main.chance_off),
        "second_prior": _taken(second, "all_on", effort.alternatives)[1],
    }
    arms = tuple(dict.fromkeys(arm for claim in claims for arm in arms_of(claim, deep)))
    run_sizes = {"systems": effort.systems, **sizes}
    run = partial(evaluate, arms=arms, replications=effort.replications, first=first, sizes=run_sizes)
    found, done, total = {}, 0, sum(map(len, samples.values())) + effort.orders
    for name, sample in samples.items():
        found[name] = run(sample, folder=folder, progress=part_of(progress, done, total), workers=workers)
        done += len(sample)
    evidence = found.pop("evidence")
    report = ClaimReport(
        table=tables.verdicts(evidence, found, taken, claims),
        effects=tables.effects(evidence, claims),
        tables={**tables.beside(evidence, claims), "patterns": patterns(main)},
        claims=tuple(claims),
        sample=taken,
        settings={arm.name: arm.told for arm in arms},
        provenance={
            **provenance(),
            "engine": "compiled",
            "first_seed": first,
            "effort": asdict(effort),
            "replications": effort.replications,
            "worlds": {name: len(sample) for name, sample in samples.items()},
            "ensemble": {
                "worlds": len(main),
                "effective_size": main.effective_size,
                "ancestors": main.distinct_ancestors,
                "largest_weight": main.largest_weight,
                "made": dict(main.provenance),
            },
            "sizes": resolve(**run_sizes).model_dump(include=set(SIZES)),
        },
    )
    return explained(report, effort.orders, part_of(progress, done, total), workers)


def explained(
    report: ClaimReport, draws: int, progress: Progress | None = None, workers: int | None = None
) -> ClaimReport:
    """The report with its reasons: what carries each effect, by `draws` pairs of a world and an order of mechanisms,
    and where each verdict flips."""
    p = report.provenance
    sizes = {name: size for name, size in p["sizes"].items() if name != "window"}
    seed = p["first_seed"]
    carried = attribution.attributed(
        report.claims, report.sample, draws=draws, seed=seed, progress=progress, workers=workers, **sizes
    )
    flips, maps = discovery.flips(report.table, report.effects, report.sample, seed)
    carriers = carried.pop("carriers", pd.DataFrame())
    return replace(report, carriers=carriers, flips=flips, tables={**report.tables, **carried, "flip_maps": maps})


def _checked(effort: Effort, seed: int | None, workers: int | None, sizes: Mapping[str, Any]) -> int:
    """The first seed, if all arguments can be used."""
    least = {"alternatives": FEWEST, "replications": FEWEST_PAIRS, "orders": evaluating.FEWEST}
    least |= {} if effort.worlds is None else {"worlds": FEWEST}
    counts = {name: (getattr(effort, name), low) for name, low in least.items()}
    mistakes, first = Mistakes(), 0
    with mistakes:
        check(counts=counts, sizes={"systems": effort.systems, **sizes})
    with mistakes:
        whole("workers", 1 if workers is None else workers, 1, MOST_WORKERS)
    with mistakes:
        first = seed_of(seed)
    mistakes.tell()
    return whole("seed", first, 0, LARGEST_SEED - evaluating.MOST * effort.replications)


def _taken(given: Ensemble | None, which: Prior, number: int | None) -> tuple[Ensemble, Ensemble]:
    """An ensemble, by default the one that is shipped, and so many of its worlds, or all of them."""
    if not isinstance(given, Ensemble | None):
        raise InputError([Mistake(("ensemble",), given, "must be an ensemble of worlds, such as sim.worlds()")])
    whole_one = load(prior=which) if given is None else given
    taken = whole_one if number is None or number >= len(whole_one) else whole_one.sample(number)
    check_size(taken.weights, f"the worlds taken from the ensemble ({which})")
    return whole_one, taken

"""The answer to the claims: `answer` gives the one that is stored, `compute` runs the policies that the claims compare
in many plausible worlds and finds for or against each of them. A `ClaimReport` holds what was found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim import statistics
from sim.claims import attribution, choices, construction, discovery, multiverse, statements, stored, tables, value
from sim.claims import text as words
from sim.claims.screen import screen
from sim.claims.statements import CLAIMS, VECTOR, Claim, Key
from sim.claims.text import rows_of
from sim.claims.verdict import classes, words_of
from sim.errors import InputError, Mistake, Mistakes, chosen, path_of, whole
from sim.model.parameters import SIZES, resolve, seed_of
from sim.model.run import provenance
from sim.pool import MOST_WORKERS, Progress, part_of
from sim.worlds import evaluate as evaluating
from sim.worlds.ensemble import FEWEST, Ensemble, Prior, check_size, load
from sim.worlds.evaluate import PAIRS, Array, Contrast, Effects, check
from sim.worlds.prior import Worlds, prior
from sim.worlds.summary import patterns


@dataclass(frozen=True)
class Reply:
    """What the worlds reply to a question beside the claims: the claim that it belongs to, by id, sentences to be read
    aloud, and the tables behind them, by name."""

    claim: str
    question: str
    sentences: tuple[str, ...]
    tables: Mapping[str, pd.DataFrame]


class _Rows(Mapping[str, list[words.Row]]):
    """The rows of tables by name, made where they are asked for: effects have hundreds of thousands, and none is told
    one by one."""

    def __init__(self, tables: Mapping[str, pd.DataFrame]) -> None:
        self._tables, self._made = tables, dict[str, list[words.Row]]()

    def __getitem__(self, name: str) -> list[words.Row]:
        if name not in self._made:
            self._made[name] = rows_of(self._tables[name])
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)


def places_of(effects: pd.DataFrame) -> Mapping[Key, NDArray[np.int64]]:
    """Where the effects of each contrast and outcome stand in a table such as `ClaimReport.effects`, world by world."""
    found = effects.groupby(["contrast", "outcome"], observed=True, sort=False).indices
    return {(str(key[0]), str(key[1])): np.asarray(at, dtype=np.int64) for key, at in found.items()}  # type: ignore[index]


@dataclass(frozen=True)
class ClaimReport:
    """What plausible worlds say about the claims; ``str()`` is what `sim claim` prints,
    and `whole` all of it in words.

    Attributes
    ----------
    table : DataFrame
        A row for each claim, contrast and outcome: `sim.claims.tables.findings`, whether it ``holds``, and whether it
        is so by ``construction``.
    tables : mapping
        Further tables by name, see `sim.claims.tables` and the modules beside it: ``vector`` (every contrast on the
        same outcomes), ``holds`` (the verdict formed again), ``curves`` (shares over δ), ``choices``, ``carriers``,
        ``flips``, ``effects_prior`` and ``effects_all_on`` (as `effects`, in the worlds of these columns) and others.
    effects : DataFrame
        A row for each world, contrast and outcome: ``world``, ``calibration``, ``ancestor``, ``weight``, ``contrast``,
        ``outcome``, ``estimate``, ``error`` and ``pairs``. World numbers are those of the ensemble.
    claims : tuple of Claim
    settings : mapping
        Arm to its regime and what it sets beside it.
    provenance : dict
        Versions, commit, seed, numbers of worlds, sizes, δ by outcome, platform, and the ensemble's own provenance.
    replies : tuple of Reply
        To the questions beside the claims, where they were asked.
    notes : tuple of str
        Sentences that must stand over whatever is shown of it.
    """

    table: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]
    effects: pd.DataFrame
    claims: tuple[Claim, ...]
    settings: Mapping[str, Mapping[str, Any]]
    provenance: dict[str, Any]
    replies: tuple[Reply, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def sizes(self) -> dict[str, float]:
        """The smallest effect of interest, by outcome."""
        return dict(self.provenance["smallest_effects"])

    @property
    def verdicts(self) -> pd.DataFrame:
        """What is printed, as a table: for each claim, contrast and outcome the verdict, the share of worlds that it
        rests on, whether it holds, and the mean effect with its interval (``estimate``, ``low``, ``high``)."""
        columns = ["claim", "contrast", "outcome", "unit", "side", "verdict", "share", "holds", "mean", "low", "high"]
        return self.table.reindex(columns=columns).rename(columns={"mean": "estimate"})

    def rows(self, name: str) -> list[words.Row]:
        """The rows of a table by its name, ``claims`` being `table`; none where there is no such table."""
        return self._rows.get(name, [])

    @cached_property
    def _rows(self) -> Mapping[str, list[words.Row]]:
        return _Rows({**self.tables, "claims": self.table})

    @cached_property
    def places(self) -> Mapping[Key, NDArray[np.int64]]:
        """Where the effects of each contrast and outcome stand in `effects`."""
        return places_of(self.effects)

    def of(self, *ids: str) -> ClaimReport:
        """The same about some of the claims. Raises `InputError` for an unknown id."""
        if not ids:
            return self
        asked = tuple(chosen("claim", ids, [claim.id for claim in self.claims], "claim"))
        claims = tuple(claim for claim in self.claims if claim.id in asked)
        replies = tuple(reply for reply in self.replies if reply.claim in asked)
        return replace(self, claims=claims, table=self.table[self.table["claim"].isin(asked)], replies=replies)

    def headline(self) -> str:
        """The main finding in one sentence."""
        return words.headline(self.rows("claims"))

    def scale(self) -> str:
        """How much was run, and on what it rests."""
        p, worlds, size, ensemble = (self.provenance, *(self.provenance[k] for k in ("worlds", "sizes", "ensemble")))
        managers = size["systems"] * size["organisations"] * size["managers"]
        beside = ", ".join(f"{number:,} {words.SAMPLES[name]}" for name, number in worlds.items() if name != "main")
        return (
            f"{worlds['main']:,} of {ensemble['worlds']:,} worlds from {ensemble['calibrations']:,} calibrations "
            f"(worth {ensemble['r_eff']:.1f} equal ones); {beside}; {p['pairs']['fewest']} to {p['pairs']['most']} "
            f"paired replications in each world, of {managers:,} managers; means of the last "
            f"{min(size['window'], size['months'])} of {size['months']} months."
        )

    def caveats(self) -> list[str]:
        """What the answer does not account for, in plain words, and where it fails its own standards."""
        return [*words.CAVEATS, *words.missed(self.rows("standards")), f"Run: {self.scale()}"]

    def about(self, claim: Claim, in_depth: bool = False) -> tuple[list[str], list[str]]:
        """A claim in a line for each contrast; and why that is, and where it would be otherwise.

        In depth there are shares with their errors, every column, the outcomes that nobody claims, reasons for every
        outcome rather than for the first and for harm, what the further tables say, and the claim's note.
        """
        rows = [row for row in self.rows("claims") if row["claim"] == claim.id]
        found = self._rows
        told = [row for k, row in enumerate(rows) if in_depth or k == 0 or row["outcome"] == "harm"]
        why = [line for row in told for line in words.reasons(row, found)]
        why += [*words.besides(claim, found)] if in_depth or not claim.cases else []
        why += [claim.note] if in_depth and claim.note else []
        return words.findings(claim, rows, found, in_depth), why

    def __str__(self) -> str:
        """The answer on one screen; where one claim was asked alone, that claim in depth."""
        return screen(self) if len(self.claims) > 1 else self.whole()

    def whole(self) -> str:
        """Headline, each claim in a few lines, in depth where one was asked alone, and how to read them."""
        lines = [*self.notes, self.headline(), ""]
        for claim in self.claims:
            found, why = self.about(claim, in_depth=len(self.claims) == 1)
            lines += [f"{claim.id}: {claim.statement}", *(f"- {line}" for line in (*found, *why))]
        if len(self.claims) > 1:
            told = choices.sentences(self.rows("regrets"), self.rows("against_baseline"))
            lines += [f"- {line}" for line in told]
        for reply in self.replies:
            lines += [reply.question, *(f"- {sentence}" for sentence in reply.sentences)]
        lines += ["", *words.KEY, *(f"- {caveat}" for caveat in self.caveats())]
        return "\n".join(words.filled(line, 100, subsequent_indent="  ") for line in lines) + "\n"

    def file(self) -> bytes:
        """The content of a file that `answer` reads."""
        replies = [asdict(replace(reply, tables={})) for reply in self.replies]
        told = {"model": self.provenance["model"], "claims": [claim.id for claim in self.claims],
                "settings": dict(self.settings), "provenance": self.provenance, "replies": replies}  # fmt: skip
        return stored.packed({"claims": self.table, "effects": self.effects, **self.tables}, told)

    def effects_in(self, worlds: Worlds) -> pd.DataFrame:
        """The effects, if they are in these worlds. Raises `InputError` where they are in others."""
        first = self.effects.drop_duplicates("world")
        numbers = first["world"].to_numpy()
        if numbers.max(initial=0) >= len(worlds) or not np.array_equal(
            first["ancestor"].to_numpy(), worlds.ancestors[numbers]
        ):
            raise InputError(["the answer is about other worlds than these; sim claim --run computes one about them"])
        return self.effects


@dataclass(frozen=True)
class Effort:
    """How much is run: `worlds` of the ensemble (None: all of them), `prior` worlds without any finding, `all_on`
    worlds of the ensemble in which no mechanism is off, `again` worlds that are run under other sizes (0: none),
    `systems` in the nation, `orders` of the mechanisms that are switched off one after the other, and `draws` of worlds
    for each question beside the claims (0: none is asked)."""

    worlds: int | None
    prior: int
    all_on: int | None
    again: int
    systems: int
    orders: int
    draws: int = 0


QUICK = Effort(worlds=60, prior=40, all_on=40, again=0, systems=4, orders=40)
"""A first look: some minutes."""
FULL = Effort(worlds=None, prior=1000, all_on=None, again=300, systems=4, orders=1000, draws=300)
"""All claims in all worlds, the columns beside them, and the questions."""
EFFORTS = {"quick": QUICK, "full": FULL}

UNFINISHED = "unfinished"
"""The folder, within that of the results, where finished blocks of worlds wait for the others."""


def effort(full: bool = False, worlds: int | None = None, systems: int | None = None) -> Effort:
    """`FULL` or `QUICK` with what is given in its place; with fewer worlds there are fewer beside them, too.

    >>> effort(worlds=24).prior
    24
    """
    preset = FULL if full else QUICK
    given = {name: number for name, number in (("worlds", worlds), ("systems", systems)) if number is not None}
    if worlds is not None:
        least = {"prior": preset.prior, "all_on": preset.all_on or worlds, "again": preset.again}
        given |= {name: min(number, max(worlds, FEWEST)) for name, number in least.items() if number}
    return replace(preset, **given)


def claims_named(*ids: str, beside: Sequence[str] = ()) -> tuple[Claim, ...]:
    """The claims with these ids, all where none is given. Raises `InputError` with a line for each unknown id, which
    names the questions `beside` the claims, too.

    >>> claims_named("pays")[0].cases[0].measures[0].outcome
    'quality'
    """
    known, what = {claim.id: claim for claim in CLAIMS}, "claim, or question beside them" if beside else "claim"
    return tuple(known[name] for name in chosen("claim", ids, (*known, *beside), what)) or CLAIMS


def checked(effort: Effort, seed: int | None, workers: int | None, sizes: Mapping[str, Any]) -> int:
    """The seed, if all that an answer is asked with can be used; raises `InputError` with a line for each mistake."""
    counts = {name: (getattr(effort, name), FEWEST) for name in ("worlds", "prior", "all_on", "again")}
    some = {
        name: pair for name, pair in counts.items() if pair[0] is not None and not (name == "again" and not pair[0])
    }
    mistakes, first = Mistakes(), 0
    with mistakes:
        check(counts={**some, "orders": (effort.orders, evaluating.FEWEST)}, sizes={"systems": effort.systems, **sizes})
    with mistakes:
        whole("workers", 1 if workers is None else workers, 1, MOST_WORKERS)
    with mistakes:
        first = seed_of(seed)
    mistakes.tell()
    return first


def answer(folder: str | Path | None = None) -> ClaimReport:
    """The answer that comes with the package, or the one that ``sim claim --run`` put in a folder.

    Where the model's code is not that which made it, its first note says so. Raises `InputError` with one line where
    there is none, or where it cannot be read.
    """
    file = stored.SHIPPED if folder is None else path_of("folder", folder) / stored.NAME
    frames, told = stored.unpacked(file)
    known = {claim.id: claim for claim in CLAIMS}
    try:
        report = ClaimReport(
            table=frames.pop("claims"),
            effects=frames.pop("effects"),
            tables=frames,
            claims=tuple(known[name] for name in told["claims"] if name in known),
            settings=told["settings"],
            provenance=told["provenance"],
            replies=tuple(_reply(one) for one in told["replies"]),
            notes=() if told["model"] == stored.signature() else (words.ANOTHER_MODEL,),
        )
        if folder is not None:  # anybody's, so of any shape: can it be told at all?
            str(report)
            for claim in report.claims:
                report.about(claim, in_depth=True)
    except Exception:  # whatever parts that do not fit together raise
        raise stored.damaged(file) from None
    return report


def _reply(told: Mapping[str, Any]) -> Reply:
    """A reply as `ClaimReport.file` keeps it; one that does not say its claim is older, and about fear."""
    return Reply(told.get("claim", "fear"), told["question"], tuple(told["sentences"]), {})


def compute(
    ensemble: Ensemble | None = None,
    second: Ensemble | None = None,
    *,
    claims: Sequence[Claim | str] = (),
    effort: Effort | str = "quick",
    seed: int | None = 0,
    policies: Mapping[str, str | Mapping[str, Any]] | None = None,
    refits: Sequence[Ensemble] = (),
    folder: Path | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
    **sizes: Any,
) -> ClaimReport:
    """Run every policy that the claims compare in every world, and say what the worlds say, by weight.

    Raises `InputError` with one line for each mistake, and where there are too few worlds to say anything.

    Parameters
    ----------
    ensemble, second : Ensemble, optional
        The worlds weighted by evidence, and those in which no mechanism is off; by default those of the package.
    claims : sequence of str or Claim
        What to answer, such as ``["fear", "pays"]``; by default all claims.
    effort : "quick", "full" or Effort
        How many worlds and systems.
    seed : int, optional
        Mixed into the seeds of every world; None draws a fresh one, which the report's provenance names.
    policies : mapping, optional
        Name to a policy of one's own, as in `sim.worlds.ensemble.Ensemble.evaluate`, to be chosen among those that an
        answer to all claims compares with baseline.
    refits : sequence of Ensemble, optional
        Worlds that were calibrated without the findings on an outcome, for the column that leaves them out.
    folder : Path, optional
        Where finished blocks of worlds are kept, so that an interrupted call goes on when it is given again.
    progress, workers : optional
        As in `sim.pool.in_parallel`; pieces are worlds, then orders. The numbers do not depend on the workers.
    **sizes
        ``organisations``, ``managers``, ``months``, ``window``; by default 5, 12, 120 and 24.
    """
    effort = effort if isinstance(effort, Effort) else EFFORTS[chosen("effort", [effort], EFFORTS, "effort")[0]]
    claims = _claims(claims)
    seed = checked(effort, seed, workers, sizes)
    main, numbers, taken = _taken(ensemble, "main", effort.worlds)
    beside = {"prior": prior(effort.prior, off=main.chance_off), "all_on": _taken(second, "all_on", effort.all_on)[-1]}
    run_sizes = {"systems": effort.systems, **sizes}
    again = by_weight(taken, effort.again) if effort.again else (np.arange(0), np.empty(0))
    other_sizes = _again(run_sizes) if effort.again else {}
    jobs = 2 * len(taken) + sum(map(len, beside.values())) + len(again[0]) * len(other_sizes) + sum(map(len, refits))
    run = _Run(seed, folder, progress, workers, jobs + effort.orders)

    base = run.baseline(taken, run_sizes)
    deltas = statements.sizes_of_interest(tables.at_baseline(base))
    mine = choices.own(policies or {})
    for arm in (arm for contrast in mine.values() for arm in contrast.needed):
        arm.parameters(main[0])  # are there such settings?
    offered = {**(statements.CHOICES if claims == CLAIMS else {}), **mine}
    asked = tuple(dict.fromkeys([*statements.contrasts_of(claims, choices=claims == CLAIMS), *mine.values()]))
    e = run.effects(taken, asked, deltas, run_sizes)
    compared = tuple(dict.fromkeys([*(case.contrast for _, case in statements.cases(claims)), *offered.values()]))

    def elsewhere(sample: Worlds, sizes: Mapping[str, Any] = run_sizes) -> Effects:
        return run.effects(sample, compared, deltas, sizes)

    some = taken.take(*again)
    columns = multiverse.Columns(
        without=lambda found: taken.without([name for name in found if name in taken.agreements]),
        others={name: elsewhere(sample) for name, sample in beside.items()},
        same={n: (e.take(*again), elsewhere(some, run_sizes | there)) for n, there in other_sizes.items()},
        refits={frozenset(main.agreements) - frozenset(one.agreements): elsewhere(one) for one in refits},
    )
    counts = {"main": len(taken), **{n: len(s) for n, s in beside.items()}, "again": len(some)}
    report = ClaimReport(
        **_said(e, base, columns, claims, deltas, taken, offered),
        effects=_frame(e, _keys(claims, offered), numbers),
        claims=claims,
        settings={arm.name: arm.told for c in asked for arm in c.needed},
        provenance=_provenance(seed, effort, e, counts, deltas, run_sizes, main),
    )
    return explained(report, e, effort.orders, folder=folder, progress=run.rest(), workers=workers, **run_sizes)


def _provenance(
    seed: int,
    effort: Effort,
    e: Effects,
    worlds: Mapping[str, int],
    deltas: Mapping[str, float],
    sizes: Mapping[str, Any],
    main: Ensemble,
) -> dict[str, Any]:
    """How an answer was made, and of what: versions, the model, the ensemble."""
    return {
        "seed": seed,
        "effort": asdict(effort),
        "pairs": {"fewest": PAIRS, "most": int(np.max(e.pairs, initial=PAIRS))},
        "worlds": worlds,
        "smallest_effects": deltas,
        "sizes": resolve(**sizes).model_dump(include=set(SIZES)),
        **provenance(),
        "model": stored.signature(),
        "engine": "compiled",
        "ensemble": {
            "worlds": len(main),
            "chance_off": main.chance_off,
            "effective_size": main.effective_size,
            "calibrations": len(np.unique(main.calibrations)),
            "r_eff": main.effective_calibrations,
            "largest_weight": main.largest_weight,
            "made": dict(main.provenance),
        },
    }


def explained(
    report: ClaimReport,
    e: Effects,
    draws: int,
    *,
    folder: Path | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
    **sizes: Any,
) -> ClaimReport:
    """The report with its reasons: what carries each effect, by `draws` pairs of a world and an order of mechanisms,
    and where each verdict flips."""
    seed, deltas = report.provenance["seed"], report.sizes
    carried = attribution.attributed(
        report.claims, e.sample, draws=draws, seed=seed, folder=folder, progress=progress, workers=workers, **sizes
    )
    rows = [row for row in rows_of(report.table) if row["outcome"] in deltas]
    effects = [e.of(row["contrast"], row["outcome"]) for row in rows]
    verdicts = [
        np.array([words_of(row["sign"], row["direction"])[one] for one in classes(x, deltas[row["outcome"]]).tolist()])
        for row, x in zip(rows, effects, strict=True)
    ]
    flips, maps = discovery.flips(rows, verdicts, effects, e.sample, seed)
    return replace(report, tables={**report.tables, **carried, "flips": flips, "flip_maps": maps})


def _said(
    e: Effects,
    base: evaluating.Baseline,
    columns: multiverse.Columns,
    claims: tuple[Claim, ...],
    deltas: Mapping[str, float],
    worlds: Ensemble,
    offered: Mapping[str, Contrast],
) -> dict[str, Any]:
    """The table and the tables beside it, from what was evaluated."""
    asked = {claim.id for claim in claims}
    of_contrast = {case.contrast.name: claim.id for claim, case in statements.cases(claims)}
    compared = {c.name: c for c in (*(case.contrast for _, case in statements.cases(claims)), *offered.values())}
    rows = list(tables.findings(e, deltas, claims))
    vector = list(tables.vector(e, deltas, claims, tuple(offered.values())))
    every = list({(row["contrast"], row["outcome"]): row for row in (*vector, *rows)}.values())
    held = list(
        multiverse.held(e, columns, every, deltas, lambda c, o: statements.findings_on(of_contrast.get(c, ""), o))
    )
    statuses: dict[Key, dict[str, str]] = {}
    for row in held:
        statuses.setdefault((row["contrast"], row["outcome"]), {})[row["column"]] = row["status"]
    table = construction.effective(e.sample)
    decisions = {
        (row["contrast"], row["outcome"]): construction.decision(
            e.of(row["contrast"], row["outcome"]), compared[row["contrast"]], row["outcome"], row["delta"],
            row["sign"], e.sample, table,
        )
        for row in every if "delta" in row
    }  # fmt: skip

    def told(some: list[tables.Row]) -> pd.DataFrame:
        there = construction.marked(some, decisions)
        for row in there:
            found = statuses.get((row["contrast"], row["outcome"]))
            decided = row["verdict"] == construction.BY_CONSTRUCTION
            row["holds"] = "" if found is None or decided else multiverse.overall(found)
        return pd.DataFrame(there)

    frames: dict[str, Iterable[Any]] = {
        "holds": held,
        "left_one_out": multiverse.left_one_out(e, every, deltas),
        "halves": tables.halves(e, deltas, claims),
        "curves": tables.curves(e, deltas, claims, tables.between_posts(base)),
        "first_limits": tables.first_limits(e, tables.at_baseline(base), claims),
        "standards": tables.standards(e, every, list(worlds.log_z.values())),
        "levels": tables.levels(base, claims),
        "break_evens": _break_evens(e, claims, deltas, decisions, table),
    }
    if any(claim.beside for claim in claims if statements.DOSES[0.0] in claim.beside):
        frames["doses"] = tables.doses(e, claims, deltas)
    if "risk" in asked:
        frames |= {"path_through_fear": tables.path_through_fear(e), "atmosphere": tables.atmosphere(e)}
    if "relationship" in asked:
        frames |= {"budget_curve": tables.budget_curve(e), "optimum": tables.optimum(e)}
    if "cuts" in asked:
        frames["made_up"] = tables.made_up(base)
    if "recycling" in asked:
        frames["records"] = tables.records(base)
    if offered:
        frames["against_baseline"] = told(list(choices.against_baseline(e, deltas, offered)))
        frames |= {make.__name__: make(e, deltas, offered) for make in (choices.trade_offs, choices.regrets)}
    if claims == CLAIMS:
        frames["follows_fear"] = choices.follows_fear(e, deltas)
        keys = list(dict.fromkeys(statements.primary(claims).values()))
        primary, sizes = {key: e.of(*key) for key in keys}, {key: deltas[key[1]] for key in keys}
        frames |= {"studies": value.studies(worlds, primary, sizes), "parameters": value.parameters(worlds, primary)}
    stored = _keys(claims, offered)
    for name, other in columns.others.items():
        frame = _frame(other, [key for key in stored if key[0] in compared], np.arange(len(other.sample)))
        frames[f"effects_{name}"] = frame[["world", "weight", "contrast", "outcome", "estimate"]]
    return {
        "table": told(rows),
        "tables": {
            "vector": told(vector), "patterns": patterns(worlds), **{n: pd.DataFrame(f) for n, f in frames.items()}
        },
    }  # fmt: skip


def _break_evens(
    e: Effects,
    claims: Sequence[Claim],
    deltas: Mapping[str, float],
    decisions: Mapping[Key, construction.Decision],
    table: pd.DataFrame,
) -> Iterable[dict[str, Any]]:
    """The break-evens that claims ask for, and those of all that is decided by construction."""
    asked = {claim.id for claim in claims}
    named = {(b.contrast.name, b.outcome): b.parameter for b in statements.BREAK_EVENS if b.claim in asked}
    named |= {key: found.parameter for key, found in decisions.items() if found.decided}
    signs = {(case.contrast.name, m.outcome): m.sign for _, case in statements.cases(tuple(claims))
             for m in case.measures}  # fmt: skip
    for (contrast, outcome), parameter in named.items():
        levels = construction.levels_of(deltas[outcome], signs.get((contrast, outcome), 0))
        for row in construction.break_even(table[parameter], e.of(contrast, outcome), e.sample, levels):
            yield {"contrast": contrast, "outcome": outcome, "parameter": parameter, **row}


def _keys(claims: tuple[Claim, ...], offered: Mapping[str, Contrast]) -> list[Key]:
    """The contrasts and outcomes whose effects are kept: those from which the tables follow."""
    keys = [(case.contrast.name, m.outcome) for _, case in statements.cases(claims) for m in case.measures]
    keys += [(case.contrast.name, outcome) for _, case in statements.cases(claims) for outcome in VECTOR]
    told = [m.outcome for _, case in statements.cases(claims) for m in case.measures]
    outcomes: Mapping[Contrast, Sequence[str]] = {
        **dict.fromkeys(statements.DOSED, (*told, *VECTOR)),
        **dict.fromkeys(statements.PATHS.values(), ("initiative_rate",)),
        **dict.fromkeys(statements.ATMOSPHERE.values(), ("fear", "initiative_rate")),
        **dict.fromkeys(statements.BUDGET_LINE.values(), VECTOR),
    }
    keys += [(contrast.name, o) for claim in claims for contrast in claim.beside for o in outcomes[contrast]]
    keys += [(contrast.name, o) for contrast in offered.values() for o in VECTOR]
    if claims == CLAIMS:
        keys += [(statements.AFTER_FEAR.name, o) for o in statements.CHOSEN_BY]
        keys += [(statements.REACHED.name, "relationship_level")]
    return list(dict.fromkeys(keys))


def _frame(e: Effects, keys: Sequence[Key], numbers: NDArray[np.int64]) -> pd.DataFrame:
    """`ClaimReport.effects`."""
    n, sample = len(e.sample), e.sample
    one: dict[str, NDArray[Any]] = {
        "world": numbers.astype(np.int32),
        "calibration": sample.calibrations.astype(np.int32),
        "ancestor": sample.ancestors.astype(np.int32),
        "weight": sample.weights,
    }
    where = [(e.contrasts.index(contrast), e.outcomes.index(outcome)) for contrast, outcome in keys]
    columns: dict[str, Any] = {name: np.tile(values, len(keys)) for name, values in one.items()}
    for k, name in enumerate(("contrast", "outcome")):
        names = list(dict.fromkeys(key[k] for key in keys))
        codes = np.repeat([names.index(key[k]) for key in keys], n)
        columns[name] = pd.Categorical([names[code] for code in codes], categories=names)
    for name in ("estimate", "error"):
        values = getattr(e, name)
        columns[name] = np.array([values[:, c, o] for c, o in where], np.float32).ravel()
    columns["pairs"] = np.array([e.pairs[:, c] for c, _ in where], np.int8).ravel()
    return pd.DataFrame(columns)


class _Run:
    """The runs of an answer: what all parts of it have in common, and how much is done."""

    def __init__(
        self, seed: int, folder: Path | None, progress: Progress | None, workers: int | None, total: int
    ) -> None:
        self.seed, self.folder, self.progress, self.workers = seed, folder, progress, workers
        self.done, self.total = 0, total

    def rest(self) -> Progress:
        """The progress of what comes next."""
        return part_of(self.progress, self.done, self.total)

    def baseline(self, sample: Worlds, sizes: Mapping[str, int]) -> evaluating.Baseline:
        """What there is at baseline."""
        found = evaluating.baseline(sample, self.seed, sizes, folder=self.folder, progress=self.rest(),
                                    workers=self.workers)  # fmt: skip
        self.done += len(sample)
        return found

    def effects(
        self, sample: Worlds, contrasts: Sequence[Contrast], deltas: Mapping[str, float], sizes: Mapping[str, int]
    ) -> Effects:
        """The effects, as precise as their limits ask for."""
        found = evaluating.effects(sample, contrasts, statements.precision(deltas), self.seed, sizes,
                                   folder=self.folder, progress=self.rest(), workers=self.workers)  # fmt: skip
        self.done += len(sample)
        return found


def _again(sizes: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """The sizes of the columns that are run again: organisations of 4 and of 40 managers, about as many posts in all,
    half the months, and twice as many."""
    p = resolve(**sizes)
    posts = p.systems * p.organisations * p.managers
    found = {f"managers_{k}": {"managers": k, "systems": max(1, round(posts / (p.organisations * k)))} for k in (4, 40)}
    return found | {"months_60": {"months": max(1, p.months // 2)}, "months_240": {"months": 2 * p.months}}


def by_weight(worlds: Worlds, number: int) -> tuple[NDArray[np.int64], Array]:
    """So many worlds by systematic resampling: their numbers and weights; all of them where there are no more."""
    if number >= len(worlds):
        return np.arange(len(worlds)), worlds.weights
    taken = statistics.systematic(worlds.weights, number, np.random.default_rng(0))
    numbers, times = np.unique(taken, return_counts=True)
    return numbers, times / number


def _claims(asked: Sequence[Claim | str]) -> tuple[Claim, ...]:
    """The claims that are asked for, in the order given; all where there are none."""
    listed = tuple(asked) if isinstance(asked, Iterable) and not isinstance(asked, str) else (asked,)
    known = iter(claims_named(*(one for one in listed if not isinstance(one, Claim))))
    return tuple(one if isinstance(one, Claim) else next(known) for one in listed) or CLAIMS


def _taken(given: Ensemble | None, which: Prior, number: int | None) -> tuple[Ensemble, NDArray[np.int64], Ensemble]:
    """An ensemble, by default the one that is shipped, and so many of its worlds with their numbers, or all."""
    if not isinstance(given, Ensemble | None):
        raise InputError([Mistake(("ensemble",), given, "must be an ensemble of worlds, such as sim.worlds()")])
    whole_one = load(prior=which) if given is None else given
    some = number is not None and number < len(whole_one)
    numbers, weights = by_weight(whole_one, number if some and number else len(whole_one))
    taken = whole_one.take(numbers, weights) if some else whole_one
    check_size(taken.weights, f"the worlds taken from the ensemble ({which})")
    return whole_one, numbers, taken

"""An answer in sentences that can be read aloud; every number in them comes from its tables."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sim.claims.multiverse import COLUMNS, NO_FINDING
from sim.claims.statements import CHOSEN_BY, SURVEILLANCE, Claim, cases
from sim.claims.verdict import CLASSES, DIVIDED, ESTIMATE, OFTEN, how_often, words_of
from sim.model.glossary import joined, percent, shown_numbers, signed_numbers
from sim.model.words import does, label

if TYPE_CHECKING:
    import pandas as pd

Row = Mapping[Any, Any]
Tables = Mapping[str, Sequence[Row]]

STANDS_OUT = 3.0
"""Standard errors beyond which a contribution is told from nothing. At 2, about two of 34 would pass by chance."""
NO_ANSWER = 0.4
"""The width of a band of shares beyond which it answers nothing."""
_MANY = 3
_NAMES = {"Berwick": "Berwick", "government": "the government", "": ""}
SAMPLES = {
    "prior": "worlds drawn without any finding",
    "all_on": "worlds with no mechanism off",
    "again": "of the worlds again under other sizes",
}
"""What the worlds beside the main ones are, by column."""
_ASKED = {
    "prior": "without any finding",
    "all_on": "with no mechanism off",
    "left_out": "without the findings on the same outcome",
    "halves": "in the other half of the calibrations",
    "managers_4": "with organisations of 4 managers",
    "managers_40": "with organisations of 40 managers",
    "months_60": "after 5 years",
    "months_240": "after 20 years",
}
ANOTHER_MODEL = (
    "NOT THIS MODEL'S ANSWER: the model's code has changed since this answer was computed; sim claim --run computes it "
    "anew."
)

KEY = (
    "Numbers of worlds are of 100 plausible ones, by weight: parameters within their plausible ranges, weighted by "
    "agreement with published findings. A side is supported or opposed where the mean effect and more than half of "
    "the worlds surely lie beyond the smallest effect of interest on that side; too small to matter, where they surely "
    "lie within it; else the worlds are divided. Robust: the verdict stays the same without the findings, with no "
    "mechanism off, without the findings on the same outcome, in both halves of the calibrations, in organisations of "
    "4 and of 40 managers, and after 5 and 20 years.",
    "Carried by: Shapley values, the three largest that stand out; for and against say whose case a mechanism was "
    "put in for, Berwick's or his opponents', not which way it works here. Everything else is in the tables and in "
    "report.html.",
)
CAVEATS = (
    "A share of worlds does not say how likely a claim is to be true, and it is as good as the model, the ranges and "
    "the findings.",
    "The findings come from other people than NHS managers: nurses, clerks, students, firms under inspection.",
    "What matters is this project's choice. The limits were last edited after effects of a first version, and of a "
    "prototype of this one, had been seen; the tables show the shares for every limit, and what the first limits give.",
    "Levers other than those named stay as the world has them; what a policy costs counts only where it is said to.",
)


def rows_of(frame: pd.DataFrame) -> list[Row]:
    """The rows of a table as mappings, without the cells that are missing."""
    return [{k: v for k, v in row.items() if not (isinstance(v, float) and math.isnan(v))}
            for row in frame.to_dict("records")]  # fmt: skip


def headline(rows: Sequence[Row]) -> str:
    """The main finding in one sentence: what heavy surveillance instead of light does, else the first case."""
    first = next((row["contrast"] for row in rows if "delta" in row), None)
    if first is None:
        return "Levels at baseline, without a verdict."
    there = any(row["contrast"] == SURVEILLANCE.name for row in rows)
    contrast = SURVEILLANCE.name if there else first
    subject = next((case.subject for _, case in cases() if case.contrast.name == contrast), contrast)
    mine = {row["outcome"]: row for row in rows if row["contrast"] == contrast and "delta" in row}
    order = [*(name for name in CHOSEN_BY if name in mine), *(name for name in mine if name not in CHOSEN_BY)]
    return f"{story(subject, [mine[name] for name in order][: len(CHOSEN_BY)])}."


def carried(row: Row) -> int | None:
    """The class that a verdict names, see `verdict.CLASSES`; None where worlds are divided, or there is no verdict."""
    names = words_of(row["sign"], row["direction"])
    return next((one for one, name in names.items() if name == row["verdict"]), None)


def story(subject: str, rows: Sequence[Row]) -> str:
    """What a policy does, in one sentence without a number: what gets better and what worse, the surest first; what
    hardly changes; and on what the worlds are divided. Outcomes that nobody wants to move are left out.
    """
    subject, told = subject.rstrip(","), [row for row in rows if row["direction"]]
    by = {row["outcome"]: carried(row) for row in told}
    better, worse = ([row for row in told if (by[row["outcome"]] or 0) * row["direction"] * way > 0] for way in (1, -1))
    small = [label(row["outcome"]) for row in told if by[row["outcome"]] == 0]
    split = [label(row["outcome"]) for row in told if row["verdict"] == DIVIDED]
    told_of = ", but ".join(_does(some, by) for some in (better, worse) if some)
    if small:
        told_of += f"{' and ' if told_of else ''}hardly changes {joined(small)}"
    few = joined(split) if split and len(split) < _MANY else "the rest" if told_of else "every outcome"
    if not told_of:
        return f"{subject}: plausible worlds are divided on {few}" if split else f"{subject}: there is no verdict"
    return f"{subject} {told_of}{f'; worlds are divided on {few}' if split else ''}"


def _does(rows: Sequence[Row], by: Mapping[str, int | None]) -> str:
    """Predicates after how often they are true, the surest first."""
    ranked = sorted(rows, key=lambda row: OFTEN.index(how_often(row["share"])))
    parts = []
    for often, group in groupby(ranked, lambda row: how_often(row["share"])):
        parts.append(f"{often} {joined([does(row['outcome'], by[row['outcome']] or 0) for row in group])}")
    return joined(parts)


def findings(claim: Claim, rows: Sequence[Row], tables: Tables, in_depth: bool = False) -> list[str]:
    """What was found on a claim, in a line for each contrast; in depth also, outcome by outcome, the shares, the
    columns, and what nobody claims."""
    headings = {case.contrast.name: case.heading or case.subject.rstrip(",") for case in claim.cases}
    lines = []
    for contrast, group in groupby(rows, lambda row: row["contrast"]):
        mine = list(group)
        lines.append(f"{headings[contrast]}: {'; '.join(brief(row) for row in mine)}.")
        if in_depth:
            for row in mine:
                lines += [
                    *depth(row),
                    *columns(row, tables.get("holds", ())),
                    *in_turn(row, tables.get("left_one_out", ())),
                ]
            said = {row["outcome"] for row in mine}
            rest = [r for r in tables.get("vector", ()) if r["contrast"] == contrast and r["outcome"] not in said]
            if rest:
                lines.append(f"What else it does: {'; '.join(brief(row) for row in rest)}.")
    return lines


def brief(row: Row) -> str:
    """One finding in a few words: whose it is and the verdict with its share, the mean effect, and whether it holds."""
    what, effect = label(row["outcome"]), effect_of(row)
    if row["verdict"] == ESTIMATE:
        return f"{what} {effect}"
    who = f"{_NAMES[row.get('side', '')]} " if row["verdict"] in ("supported", "opposed") else ""
    return ", ".join(filter(None, [f"{what}: {who}{row['words']} ({effect})", row["holds"]]))


def effect_of(row: Row) -> str:
    """The mean effect with its interval."""
    ends = [row[name] for name in ("mean", "low", "high") if name in row]
    mean, *interval = signed_numbers(*ends)
    return f"{mean}, {interval[0]} to {interval[1]}" if interval else mean


def depth(row: Row) -> Iterator[str]:
    """The shares of an outcome with their errors, and what stands beside them."""
    if "delta" not in row:
        return
    names = words_of(row["sign"], row["direction"])
    told = [f"{names[one]} in {error_of(row, name)}" for one, name in CLASSES.items()]
    limit, near = shown_numbers(row["delta"])[0], 100 * row["near"]
    construction = f" By construction: {row['construction']}." if "construction" in row else ""
    yield (
        f"{label(row['outcome'])}: of 100 worlds, {', '.join(told)}, where {limit} matters; {near:.0f} lie within two "
        f"errors of that. Were every calibration to count the same: {row['equal_verdict']}.{construction}"
    )


def error_of(row: Row, name: str) -> str:
    """A share and its error, of 100 worlds; marked where the error is above 8."""
    share, error = 100 * row[name], 100 * row.get(f"{name}_error", math.nan)
    return f"{share:.0f} ± {error:.1f}{' (not known well)' if not error <= 8.0 else ''}"


def columns(row: Row, held: Sequence[Row]) -> Iterator[str]:
    """The verdict formed again, column by column."""
    mine = {r["column"]: r for r in held if (r["contrast"], r["outcome"]) == (row["contrast"], row["outcome"])}
    parts = []
    for name in COLUMNS:
        if (found := mine.get(name)) is None:
            parts.append(f"{_ASKED[name]}: not asked")
        elif found["status"] == NO_FINDING:
            parts.append("no finding is on this outcome")
        else:
            parts.append(f"{_ASKED[name]}: {found['verdict']} ({found['status']})")
    if mine:
        yield f"Does it hold for {label(row['outcome'])}? {'; '.join(parts)}."


def in_turn(row: Row, left_out: Sequence[Row]) -> Iterator[str]:
    """The verdicts without each of the calibrations, which decide nothing."""
    mine = [r["verdict"] for r in left_out if (r["contrast"], r["outcome"]) == (row["contrast"], row["outcome"])]
    if mine:
        told = [f"{verdict} in {count}" for verdict, count in Counter(mine).most_common()]
        yield f"Each of {len(mine)} calibrations left out in turn: {', '.join(told)}."


def reasons(row: Row, tables: Tables, in_depth: bool = False) -> list[str]:
    """What carries a finding, and where its verdict would be another one; in depth also where no region was found."""
    carried, flipped = (
        [
            reason
            for reason in tables.get(name, ())
            if all(reason[k] == row[k] for k in ("claim", "contrast", "outcome"))
        ]
        for name in ("carriers", "flips")
    )
    told = [str(flip["sentence"]) for flip in flipped if flip["found"] or in_depth]
    return [*filter(None, [carriers_sentence(carried)]), *told]


def besides(claim: Claim, tables: Tables) -> Iterator[str]:
    """What the tables beside the verdicts say about a claim."""
    mine = {case.contrast.name for case in claim.cases}
    outcomes = {m.outcome for case in claim.cases for m in case.measures}
    if SURVEILLANCE.name in mine:
        yield from doses([row for row in tables.get("doses", ()) if row["outcome"] in outcomes])
    for name in BESIDE.get(claim.id, ()):
        yield from SENTENCES[name](tables.get(name, ()))
    yield from break_evens([row for row in tables.get("break_evens", ())
                            if row["contrast"] in mine and row["outcome"] in outcomes])  # fmt: skip


def doses(rows: Sequence[Row]) -> Iterator[str]:
    """What each dose of surveillance changes against today's, and monitoring and targets against little of both."""
    for outcome, group in groupby(rows, lambda row: row["outcome"]):
        found = list(group)
        texts = signed_numbers(*(row["mean"] for row in found))
        parts = [f"{row['step']} {text}" for row, text in zip(found, texts, strict=True)]
        yield f"By dose, {label(outcome)} on average: {', '.join(parts)}."


def levels(rows: Sequence[Row]) -> Iterator[str]:
    """How many leaders are fearful at baseline."""
    for row in rows:
        wide = " So wide a band is no answer." if row["q95"] - row["q05"] > NO_ANSWER else ""
        yield (
            f"{label(row['outcome'])}: {percent(row['q50'])} of managers in the median world, {percent(row['q05'])} to "
            f"{percent(row['q95'])} in 90 of 100 worlds.{wide}"
        )


def optimum(rows: Sequence[Row]) -> Iterator[str]:
    """Where on the oversight budget an outcome is best."""
    for outcome, group in groupby(rows, lambda row: row["outcome"]):
        first, *between, last = list(group)
        inside = sum(row["share"] for row in between)
        middle, low, high = shown_numbers(first["best_q50"], first["best_q05"], first["best_q95"])
        yield (
            f"{label(outcome)} is best with all of the budget on relationships in {percent(last['share'])} of worlds, "
            f"with none in {percent(first['share'])}, in between in {percent(inside)}; the best relationship is "
            f"{middle} in the median world ({low} to {high} in 90 %)."
        )


def made_up(rows: Sequence[Row]) -> Iterator[str]:
    """How much more cooperation makes up for a cut."""
    found = {row["case"]: row for row in rows}
    if none := found.get("no cooperation makes up for it"):
        text = f"No cooperation makes up for the cut in {percent(none['share'])} of worlds"
        needed = found.get("more cooperation")
        yield text + (
            f"; elsewhere it takes {needed['mean']:.2f} more of it on average ({needed['q05']:.2f} to "
            f"{needed['q95']:.2f} in 90 of 100 worlds)." if needed else "."
        )  # fmt: skip


def break_evens(rows: Sequence[Row]) -> Iterator[str]:
    """The values of parameters at which effects turn."""
    for (outcome, parameter), group in groupby(rows, lambda row: (row["outcome"], row["parameter"])):
        parts = []
        for row in group:
            where = f"{row['value']:.3g}" if "value" in row else "no value in the range"
            interval = f" ({row['low']:.3g} to {row['high']:.3g})" if "low" in row else ""
            parts.append(f"{row['level']} at {where}{interval}")
        yield f"Break-even of {label(outcome)}: over {parameter} it crosses {', '.join(parts)}."


def path_through_fear(rows: Sequence[Row]) -> Iterator[str]:
    """Which part of the fall in initiative goes through fear."""
    for row in rows:
        if "part" not in row:
            yield f"Through fear, {row['version']}: not given, since the whole change is not told from none."
        else:
            ends = f" ({100 * row['low']:.0f} to {100 * row['high']:.0f})" if "low" in row else ""
            yield f"Through fear, {row['version']}: {100 * row['part']:.0f} % of the mean change{ends}."


def atmosphere(rows: Sequence[Row]) -> Iterator[str]:
    """How readiness to try something new goes with fear, within a world."""
    for row in rows:
        tenth = signed_numbers(0.1 * row["mean"])[0]
        yield (
            f"In an atmosphere of more fear, at today's oversight: the rate of trying falls in "
            f"{percent(row['falling'])} of worlds; a tenth more fear goes with {tenth} of it on average. Worlds whose "
            f"fear hardly moves are left out, {percent(row['left_out'])}."
        )


def records(rows: Sequence[Row]) -> Iterator[str]:
    """Whether those with a record slip more."""
    for row in rows:
        yield (
            f"Those with a record slip more by negligence in {percent(row['above_0'])} of worlds, by "
            f"{signed_numbers(row['mean'])[0]} a month on average; {row['without']} of {row['worlds']} worlds have "
            f"nobody with a record and are left out."
        )


SENTENCES: dict[str, Callable[[Sequence[Row]], Iterator[str]]] = {
    say.__name__: say for say in (levels, optimum, made_up, path_through_fear, atmosphere, records)
}
"""What the rows of a table say about a claim, by the table's name."""
BESIDE = {
    "fearful": ("levels",),
    "risk": ("path_through_fear", "atmosphere"),
    "relationship": ("optimum",),
    "cuts": ("made_up",),
    "recycling": ("records",),
}
"""The tables that are told of a claim."""


def missed(rows: Iterable[Row]) -> Iterator[str]:
    """The standards of the answer that it does not meet."""
    for row in rows:
        if not row["met"]:
            given = f"{row['value']:.3g}" if "value" in row else "not known"
            yield f"This answer falls short of its own standard: {row['rule']} {row['limit']:g}; it is {given}."


def carriers_sentence(rows: Iterable[Row]) -> str:
    """Which mechanisms carry an effect: those that stand out from chance, the three largest first."""
    clear = [r for r in rows if abs(r["contribution"]) > STANDS_OUT * r.get("standard_error", math.inf)]
    if not clear:
        return ""
    clear = sorted(clear, key=lambda row: -abs(row["contribution"]))[:3]
    texts = signed_numbers(*(row["contribution"] for row in clear))
    parts = [f"{row['mechanism'].replace('_', ' ')} ({text}, {row['case']})"
             for row, text in zip(clear, texts, strict=True)]  # fmt: skip
    return f"Carried by {joined(parts)}."


def is_number(value: Any) -> bool:
    """Whether a cell of a table holds a number, and not nothing."""
    return isinstance(value, int | float) and not math.isnan(value)

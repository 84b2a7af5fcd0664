"""An answer in sentences that can be read aloud; every number in them comes from its tables."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, product
from typing import TYPE_CHECKING, Any

from sim.claims.statements import HEADLINE, Claim
from sim.model.glossary import joined, label, percent, shown_numbers, signed_numbers

if TYPE_CHECKING:
    import pandas as pd

Row = Mapping[Any, Any]
Tables = Mapping[str, Sequence[Row]]

VERDICTS = ("supported", "opposed", "higher", "lower", "negligible", "undecided")
ALTERNATIVES = ("unweighted", "second_prior", "left_out")
"""What stands beside a verdict, by the beginning of its columns."""
STANDS_OUT = 3.0
"""Standard errors beyond which a contribution is told from nothing. At 2, about two of 34 would pass by chance."""
_NAMES = {"Berwick": "Berwick", "government": "the government"}
_SUBJECTS = {"Berwick": "Berwick", "government": "The government"}  # at the beginning of a sentence

KEY = (
    "Shares are of plausible worlds, by weight. The verdict over worlds is the commonest one where it leads the "
    "next by more than two Monte Carlo errors, which takes no majority; else there is no clear answer. After a "
    "semicolon stands what is otherwise: unweighted by evidence, under a second prior with every mechanism on, or "
    "with the findings on the same outcome left out.",
    "Carried by: Shapley values, the three largest that stand out; for and against say whose case a mechanism was "
    "put in for, Berwick's or his opponents', not which way it works here. The part through fear asks something "
    "else: what changes when only fear is exchanged. Several outcomes, thresholds and paths belong to one claim, so"
    " a count of verdicts is no count of claims. Everything else is in the tables and in report.html.",
)
CAVEATS = (
    "A share is of plausible worlds, by weight: worlds whose parameters lie in their plausible ranges, weighted by "
    "agreement with published findings. It does not say how likely a claim is to be true, and it is as good as the "
    "model, the ranges and the findings.",
    "The findings come from other people than NHS managers: nurses, clerks, students, firms under inspection.",
    "A verdict compares an effect with the smallest one of interest, which is this project's choice, made before any "
    "result. Among many verdicts some are wrong by chance; an undecided world may become decided with more runs, and "
    "the spread of effects over worlds holds some chance within them.",
    "Levers other than those named stay as the world has them; what a policy costs counts only where it is said to.",
)


def rows_of(frame: pd.DataFrame) -> list[Row]:
    """The rows of a table as mappings."""
    return list(frame.to_dict("records"))


def headline(rows: Sequence[Row]) -> str:
    """The main finding in one sentence: fear, readiness to try something new, harm, and quality of care; for each the
    direction with more weight, or that hardly anything changes, where that is the verdict."""
    first: dict[tuple[str, str], Row] = {}
    for row in rows:  # the first contrast of a claim is the one that decides
        first.setdefault((row["claim"], row["outcome"]), row)
    parts = []
    for key, what in HEADLINE.items():
        if not has_shares(row := first.get(key, {})):
            continue
        if row["verdict"] == "negligible":
            parts.append(f"hardly changes {what} in {percent(row['negligible'])}")
            continue
        share = "supported" if row["supported"] >= row["opposed"] else "opposed"
        verb = "raises" if (row["sign"] > 0) == (share == "supported") else "lowers"
        parts.append(f"{verb} {what} in {percent(row[share])}")
    return (
        f"Heavy surveillance instead of light {joined(parts)} of plausible worlds, by weight." if parts else tally(rows)
    )


def tally(rows: Sequence[Row]) -> str:
    """How many verdicts each side won and lost, in one sentence."""
    parts = []
    for side, who in _SUBJECTS.items():
        count = Counter[str](row["verdict"] for row in rows if row["side"] == side)
        rest = "".join(f", {n} {verdict}" for verdict, n in count.most_common() if verdict != "supported")
        if count:
            parts.append(f"{who}: {count['supported']} of {count.total()} verdicts supported{rest}")
    return ". ".join(parts) + "." if parts else "No side claims anything here."


def winners(rows: Sequence[Row]) -> Iterator[str]:
    """Who wins what: for each side, the outcomes that got each verdict, by claim."""
    for side, verdict in product(_SUBJECTS, ("supported", "opposed")):
        mine = (row for row in rows if row["side"] == side and row["verdict"] == verdict)
        if won := dict.fromkeys(f"{row['claim']} ({label(row['outcome'])})" for row in mine):
            yield f"{_SUBJECTS[side]} is {verdict} on {joined(list(won))}."


def findings(claim: Claim, rows: Sequence[Row], in_depth: bool = False) -> list[str]:
    """What was found on a claim, in a line for each contrast; in depth also the effects, and all outcomes of a contrast
    that is an aside."""
    headings = {c.name: c.heading or c.subject.rstrip(",") for c in claim.contrasts}
    asides = {c.name for c in claim.contrasts if c.aside}
    lines = []
    mine = [row for row in rows if row["claim"] == claim.id]
    for contrast, group in groupby(mine, lambda row: row["contrast"]):
        said = [brief(row, in_depth) for row in group]
        told = said[:1] if contrast in asides and not in_depth else said
        lines.append(f"{headings.get(contrast, 'At baseline')}: {'; '.join(told)}.")
    return lines


def brief(row: Row, in_depth: bool = False) -> str:
    """One finding in a few words: the overall verdict, the shares, and the alternatives that say something else; in
    depth also the effect."""
    what, verdict, effect = label(row["outcome"]), str(row["verdict"]), _effect(row)
    if not has_shares(row):
        return f"{what} {effect or verdict}" + (f", {row['remark']}" if in_depth and row["remark"] else "")
    ranked = sorted((v for v in VERDICTS if is_number(row.get(v))), key=lambda v: -row[v])
    numbers = [f"{percent(row[v])} {v}" for v in ranked if row[v] > 0.0]
    if verdict in VERDICTS:
        who = f"{_NAMES[row['side']]} " if verdict in ("supported", "opposed") else ""
        numbers[0], verdict = percent(row[verdict]), who + verdict
    others = [
        f"{name.replace('_', ' ')} {said}"
        for name in ALTERNATIVES
        if (said := row.get(f"{name}_verdict") or "") not in ("", row["verdict"])
    ]
    told = f"{what} {verdict} ({', '.join(numbers)}{'; ' if others else ''}{', '.join(others)})"
    return f"{told}, {effect}" if in_depth and effect else told


def _effect(row: Row) -> str:
    if not is_number(row.get("median")):
        return ""
    level = row["contrast"].startswith("level")
    numbers = (row["median"], row["q05"], row["q95"])
    median, low, high = shown_numbers(*numbers) if level else signed_numbers(*numbers)
    limit = f", where {row['sesoi_rule'].replace('rel', 'of the level')} matters" if row["sesoi_rule"] else ""
    return f"{'level' if level else 'effect'} {median} in the median world, {low} to {high} in 90 % of them{limit}"


def reasons(row: Row, carriers: Iterable[Row], flips: Iterable[Row], in_depth: bool = False) -> list[str]:
    """What carries a finding, and where its verdict would be another one; in depth also where no region was found."""
    carried, flipped = (
        [reason for reason in table if all(reason[k] == row[k] for k in ("claim", "contrast", "outcome"))]
        for table in (carriers, flips)
    )
    told = [str(flip["sentence"]) for flip in flipped if flip["found"] or in_depth]
    return [*filter(None, [carriers_sentence(carried)]), *told]


def besides(claim: Claim, tables: Tables) -> Iterator[str]:
    """What the tables beside the verdicts say about a claim."""
    names = [analysis.name for analysis in claim.analyses if analysis.name in SENTENCES]
    for name in [*names, "break_evens"]:
        yield from SENTENCES[name]([row for row in tables[name] if row.get("claim", claim.id) == claim.id])


def doses(rows: Sequence[Row]) -> Iterator[str]:
    """What each dose and each lever adds to an outcome, in the median world."""
    for outcome, group in groupby(rows, lambda row: row["outcome"]):
        if found := [row for row in group if is_number(row.get("median"))]:
            texts = signed_numbers(*(row["median"] for row in found))
            parts = [f"{row['step']} {text}" for row, text in zip(found, texts, strict=True)]
            yield f"By dose, {label(outcome)} in the median world: {', '.join(parts)}."


def levels(rows: Sequence[Row]) -> Iterator[str]:
    """How many leaders are fearful under each dose of surveillance, by each limit."""
    for outcome, limit in (("fearful", 0.5), ("fearful_40", 0.4), ("fearful_60", 0.6)):
        parts = [
            f"{percent(row['median'])} under {row['arm']} surveillance ({percent(row['low'])} to "
            f"{percent(row['high'])} in 90 % of worlds)"
            for row in rows
            if row["outcome"] == outcome
        ]
        if parts:
            yield f"Managers with a fear above {limit}: {joined(parts)}."


def optimum(rows: Sequence[Row]) -> Iterator[str]:
    """Where on the oversight budget quality is highest, for each price of relationship."""
    for price, group in groupby(rows, lambda row: row["price"]):
        first, *between, last = group
        inside = sum(row["share"] for row in between)
        middle, low, high = shown_numbers(first["optimum_median"], first["optimum_low"], first["optimum_high"])
        yield (
            f"At a price of {price:g}, quality is highest with all of the budget on relationships in "
            f"{percent(last['share'])} of worlds, with none in {percent(first['share'])}, in between in "
            f"{percent(inside)}; the best relationship is {middle} in the median world ({low} to {high} in 90 %)."
        )


def made_up(rows: Sequence[Row]) -> Iterator[str]:
    """How much more cooperation makes up for a cut."""
    if not (found := {row["case"]: row for row in rows}):
        return
    enough = [
        f"{case.removesuffix(' is enough')} in {percent(row['share'])}"
        for case, row in found.items()
        if case.startswith("incentive")
    ]
    text = (
        f"Cooperation makes up for the whole loss with {joined(enough)} of worlds; none that was tried does in "
        f"{percent(found['no incentive tried is enough']['share'])}, and in "
        f"{percent(found['nothing was lost']['share'])} nothing was lost"
    )
    needed = found.get("needed")
    yield text + (f"; where one is enough and something was lost, it takes {needed['median']:.2f} in the median "
                  f"world ({needed['low']:.2f} to {needed['high']:.2f} in 90 %)." if needed else ".")  # fmt: skip


def break_evens(rows: Sequence[Row]) -> Iterator[str]:
    """Signs that one parameter decides."""
    for row in rows:
        verb = "rises" if row["sign"] > 0 else "falls"
        value = shown_numbers(row["break_even"])[0] if row["break_even"] else "0"
        yield (
            f"By construction: {label(row['outcome'])} {verb} where {row['parameter']} is above {value} "
            f"({row['why']}); it is in {percent(row['share_above'])} of worlds. Simulated, this holds in "
            f"{percent(row['as_it_should'])}."
        )


def atmosphere(rows: Sequence[Row]) -> Iterator[str]:
    """How readiness to try something new goes with fear, across worlds."""
    parts = [f"{100 * row['mean']:.1f} % at a fear of {row['fear_from']:.1f} to {row['fear_to']:.1f}" for row in rows]
    if parts:
        yield f"Whatever the surveillance, managers who try something new in a month: {', '.join(parts)}."


def fear_slope(rows: Sequence[Row]) -> Iterator[str]:
    """How readiness to try something new goes with fear, within a world."""
    for row in rows:
        middle, low, high = signed_numbers(*(10 * row[name] for name in ("median", "low", "high")))
        yield (
            f"Within a world, across regimes, the rate falls as fear rises in {percent(row['share_falling'])} of "
            f"worlds; a tenth more fear goes with {middle} points of it ({low} to {high} in 90 %)."
        )


SENTENCES: dict[str, Callable[[Sequence[Row]], Iterator[str]]] = {
    say.__name__: say for say in (doses, levels, optimum, made_up, break_evens, atmosphere, fear_slope)
}
"""What the rows of a table say about a claim, by the table's name."""


def carriers_sentence(rows: Iterable[Row]) -> str:
    """Which mechanisms carry an effect: those that stand out from chance, the three largest first."""
    clear = [row for row in rows if abs(row["contribution"]) > STANDS_OUT * row["standard_error"]]
    if not clear:
        return ""
    clear = sorted(clear, key=lambda row: -abs(row["contribution"]))[:3]
    texts = signed_numbers(*(row["contribution"] for row in clear))
    parts = [f"{row['mechanism'].replace('_', ' ')} ({text}, {row['case']})"
             for row, text in zip(clear, texts, strict=True)]  # fmt: skip
    return f"Carried by {joined(parts)}."


def has_shares(row: Row) -> bool:
    """Whether a row has verdicts, and so shares of worlds."""
    return any(is_number(row.get(verdict)) for verdict in VERDICTS)


def is_number(value: Any) -> bool:
    """Whether a cell of a table holds a number, and not nothing."""
    return isinstance(value, int | float) and not math.isnan(value)

"""An answer in sentences that can be read aloud; every number in them comes from its tables."""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sim.claims.construction import NOT_TESTABLE
from sim.claims.multiverse import CANNOT_TELL, COLUMNS, DIFFERS, HOLDS, NO_FINDING
from sim.claims.statements import CHOSEN_BY, SURVEILLANCE, Claim, cases
from sim.claims.verdict import CLASSES, DIVIDED, ESTIMATE, OFTEN, TOLD, TOO_SMALL, UNKNOWN, how_often, words_of
from sim.model.glossary import joined
from sim.model.words import (
    PLURALS,
    capital,
    change,
    clause,
    does,
    label,
    natural,
    number,
    of_100,
    once,
    phrase,
    plain,
    uncapital,
    unit,
    verb,
)

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
    "Worlds are plausible versions of the NHS: parameters within their plausible ranges, weighted by agreement with "
    "published findings. Numbers are of 100 such worlds. A side is supported or opposed where the mean effect and more "
    "than half of the worlds surely lie beyond what matters, on that side; too small to matter, where they surely lie "
    "within it; else the worlds are divided. Robust: by point estimates no verdict clearly differs without the "
    "findings, with no mechanism off, without the findings on the same outcome, between the halves of the "
    "calibrations, in organisations of 4 and of 40 managers, or after 5 and 20 years, and at most one of these cannot "
    "be told; where no finding is on an outcome, none is left out.",
    "Reasons are the three largest that stand out from chance, by Shapley values. The rest is in the report and in the "
    "tables.",
)
CAVEATS = (
    "Shares of worlds are not probabilities: they rest on the model, the ranges and the findings.",
    "The findings come from others than NHS managers: office employees, students in games, police officers, financial "
    "advisers, emergency departments, NHS staff; one of twelve, on turnover, is about NHS leaders.",
    "What matters is this project's choice. The limits were last edited after effects of a first version, and of a "
    "prototype of this one, had been seen; the report shows what other limits give.",
    "Everything else stays as a world has it. Costs are ignored unless they are named.",
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
    """What a policy does, in one sentence: what gets better and what worse, the surest first; what hardly changes, with
    the number of worlds in which it does, unless they are few; and on what the worlds are divided. Outcomes that nobody
    wants to move are left out.
    """
    alone, told = subject.rstrip(","), [row for row in rows if row["direction"]]
    by = {row["outcome"]: carried(row) for row in told}
    better, worse = ([row for row in told if (by[row["outcome"]] or 0) * row["direction"] * way > 0] for way in (1, -1))
    small = sorted([label(row["outcome"]) + otherwise(row, ", which") for row in told if by[row["outcome"]] == 0],
                   key=lambda text: "," in text)  # fmt: skip
    split = [label(row["outcome"]) for row in told if row["verdict"] == DIVIDED]
    told_of = once(", but ".join(_does(some, by) for some in (better, worse) if some))
    if small:
        told_of += f"{' and ' if told_of else ''}hardly changes {joined(small)}"
    few = joined(split) if split and len(split) < _MANY else "the rest" if told_of else "every outcome"
    if not told_of:
        return f"{alone}: plausible worlds are divided on {few}" if split else f"{alone}: there is no verdict"
    return f"{subject} {told_of}{f'; worlds are divided on {few}' if split else ''}"


def _does(rows: Sequence[Row], by: Mapping[str, int | None]) -> str:
    """Predicates after how often they are true, the surest first."""
    ranked = sorted(rows, key=lambda row: OFTEN.index(how_often(row["share"])))
    parts = []
    for often, group in groupby(ranked, lambda row: how_often(row["share"])):
        parts.append(f"{often} {joined([does(row['outcome'], by[row['outcome']] or 0) for row in group])}")
    return ", and ".join(parts)


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
    what, mean = label(row["outcome"]), f"{change(row['outcome'], row['mean'])} on average"
    if row["verdict"] == ESTIMATE:
        return f"{what}, {mean}"
    who = f"{_NAMES[row.get('side', '')]} " if row["verdict"] in ("supported", "opposed") else ""
    return "; ".join(filter(None, [f"{what}: {who}{row['words']}{otherwise(row)}, {mean}", row["holds"]]))


def otherwise(row: Row, which: str = "") -> str:
    """What else an outcome does in many worlds, where a verdict has been carried: in words of the verdict, or of the
    outcome after `which`.

    >>> row = {"outcome": "harm", "sign": 0, "direction": -1, "verdict": TOO_SMALL, "above": 0.3, "within": 0.6,
    ...        "below": 0.1}
    >>> otherwise(row), otherwise(row, ", which")
    (', worse in 30', ', which rises in 30 of 100 worlds')
    """
    done, names, parts = carried(row), words_of(row["sign"], row["direction"]), []
    for (one, name), many in zip(CLASSES.items(), of_100([row[name] for name in CLASSES.values()]), strict=True):
        if one and done is not None and one != done and row[name] >= TOLD:
            moved = f"{which} {verb(row['outcome'], one)} in {many} of 100 worlds"
            parts.append(moved if which else f", {names[one]} in {many}")
    return "".join(parts)


def with_interval(row: Row) -> str:
    """A mean difference with its interval where it has one, in the unit that people own.

    >>> with_interval({"outcome": "harm", "mean": -0.0101, "low": -0.015, "high": -0.0052})
    '−17 % (−25 to −9)'
    >>> with_interval({"outcome": "reported", "mean": 0.072, "low": 0.07, "high": 0.0741})
    '+7 points of 100 (7.0 to 7.4)'
    """
    told = change(row["outcome"], row["mean"])
    if "low" not in row:
        return told
    ends = [natural(row["outcome"], row[end]) for end in ("low", "high")]
    low, high = map(number, ends)
    for digits in (1, 2):
        if low == high:
            low, high = (f"{end:.{digits}f}".replace("-", "−") for end in ends)
    return f"{told} ({low} to {high})"


def depth(row: Row) -> Iterator[str]:
    """The shares of an outcome with their errors, and what stands beside them."""
    if "delta" not in row:
        return
    names, whole = words_of(row["sign"], row["direction"]), of_100([row[name] for name in CLASSES.values()])
    told = [f"{names[one]} in {_and_error(row, name, many)}" for (one, name), many in zip(CLASSES.items(), whole,
                                                                                        strict=True)]  # fmt: skip
    limit, near = change(row["outcome"], row["delta"]).removeprefix("+"), round(100 * row["near"])
    close = f"; {near} {'lies' if near == 1 else 'lie'} too close to that to tell" if near else ""
    made = " Whether one parameter decides it cannot be tested." if row.get("construction") == NOT_TESTABLE else ""
    equal = f"it would {'still ' if row['equal_verdict'] == row['verdict'] else ''}be {row['equal_verdict']}"
    yield (
        f"{_changes(row['outcome'])} by {with_interval(row)}. Where a change of {limit} matters, it is "
        f"{joined(told)} of 100 worlds{close}. If every calibration counted the same, {equal}.{made}"
    )


def _changes(outcome: str) -> str:
    """An outcome and that it changes, as a sentence begins."""
    return f"{capital(label(outcome))} {'change' if outcome in PLURALS else 'changes'}"


def _and_error(row: Row, name: str, many: int) -> str:
    """So many of 100 worlds and the error of that; marked where the error is above 8."""
    error = 100 * row.get(f"{name}_error", math.nan)
    told = "" if math.isnan(error) else f" ± {error:.0f}" if error >= 0.5 else ""
    return f"{many or 'none'}{told}{' (not known well)' if not error <= 100 * UNKNOWN else ''}"


def worlds_in(row: Row) -> dict[str, int]:
    """Of 100 worlds, how many get ``better`` and ``worse`` (or ``higher`` and ``lower``), and in how many the change is
    too small to matter.

    >>> worlds_in({"direction": -1, "above": 0.1, "within": 0.2, "below": 0.7})
    {'worse': 10, 'too small to matter': 20, 'better': 70}
    """
    names = words_of(0, row["direction"])
    shares = {names[one]: row[name] for one, name in CLASSES.items()}
    return dict(zip(shares, of_100(list(shares.values())), strict=True))


def who(row: Row) -> str:
    """Who was right, in few words, with † where that `depends` on a choice; else the verdict."""
    side = str(row.get("side", "")).replace("government", "Government")
    if row.get("share_error", 0.0) > UNKNOWN:
        return "cannot be told"
    short = {"supported": f"{side} right", "opposed": f"{side} wrong", TOO_SMALL: "too small"}
    return short.get(row["verdict"], str(row["verdict"])).strip() + (" †" if depends(row) else "")


def depends(row: Row) -> bool:
    """Whether a verdict could be another one under another choice of method, or is not known to be robust."""
    return row.get("holds", "robust") not in ("robust", "")


def columns(row: Row, held: Sequence[Row]) -> Iterator[str]:
    """Under which other choices the verdict holds, under which it is another one, and where that cannot be told."""
    mine = {r["column"]: r for r in held if (r["contrast"], r["outcome"]) == (row["contrast"], row["outcome"])}
    by: dict[str, list[str]] = {}
    for name in COLUMNS:
        found = mine.get(name, {"status": "it was not tried"})
        said = f" ({found['verdict']})" if found["status"] == DIFFERS else ""
        by.setdefault(found["status"], []).append(f"{_ASKED[name]}{said}")
    parts = [f"{_FOUND.get(status, status)} {joined(names)}" for status, names in by.items() if status != NO_FINDING]
    if mine:
        none = "; no finding is on this outcome" if NO_FINDING in by else ""
        yield f"Does it hold for {label(row['outcome'])}? {capital('; '.join(parts))}{none}."


_FOUND = {HOLDS: "it holds", DIFFERS: "it is another verdict", CANNOT_TELL: "it cannot be told"}
"""What is said before the choices under which a verdict was formed again."""


def in_turn(row: Row, left_out: Sequence[Row]) -> Iterator[str]:
    """The verdicts without each of the calibrations, which decide nothing."""
    mine = [r["verdict"] for r in left_out if (r["contrast"], r["outcome"]) == (row["contrast"], row["outcome"])]
    if mine:
        told = [f"{verdict} in {count}" for verdict, count in Counter(mine).most_common()]
        often = "each time" if len(told) == 1 else ""
        said = f"{mine[0]} {often}" if often else f"{joined(told)} of {len(mine)}"
        yield f"With one of the {len(mine)} calibrations left out in turn, {label(row['outcome'])}: {said}."


def reasons(row: Row, tables: Tables) -> list[str]:
    """What carries a finding, and where its verdict would be another one."""
    flipped = [str(r["sentence"]) for r in _about(row, tables, "flips") if r["found"]]
    why = carriers_sentence(carriers(row, tables))
    what = f"{_changes(row['outcome'])} "
    return [
        *([what + uncapital(why)] if why else []),
        *(f"{capital(label(row['outcome']))}: {uncapital(sentence)}" for sentence in flipped),
    ]


def _about(row: Row, tables: Tables, name: str) -> list[Row]:
    """The rows of a table about the same claim, contrast and outcome."""
    return [r for r in tables.get(name, ()) if all(r[k] == row[k] for k in ("claim", "contrast", "outcome"))]


def carriers(row: Row, tables: Tables) -> list[Row]:
    """What mechanisms contribute to a finding, and, where it is not nothing, the effect that is left without any."""
    plain = [
        {**r, "mechanism": "", "contribution": r["effect"], "standard_error": r["error"]}
        for r in _about(row, tables, "carriers_ends")
        if r["mechanisms"] == "off" and r["effect"]
    ]
    mechanisms = _about(row, tables, "carriers")
    return [*plain, *mechanisms] if mechanisms else []


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
        found = {row["step"]: row["mean"] for row in group}
        parts = []
        for against, steps in (("today", _DOSES), ("light surveillance", _APART)):
            there = [step for step in steps if step in found]
            told = zip(changes(outcome, [found[step] for step in there]), there, strict=True)
            parts.append(f"against {against} {joined([f'{text} {steps[step]}' for text, step in told])}")
        yield f"{capital(label(outcome))} by dose, {'; '.join(parts)}."


_DOSES = {"at 0": "without monitoring and targets", "at 0.2": "with little", "at 0.8": "with much",
          "at 1": "with all there can be", "hands_off, a bundle": "without support either"}  # fmt: skip
_APART = {"monitoring alone": "by much monitoring alone", "targets alone": "by targets alone", "both": "by both",
          "interaction": "because they come together"}  # fmt: skip


def changes(outcome: str, values: Sequence[float]) -> list[str]:
    """Differences with their signs, the first that is one with its unit.

    >>> changes("fear", [0.0, 0.05, -0.021]), changes("harm", [0.006, -0.006])
    (['no change', '+5 points of 100', '−2.1'], ['+10 %', '−10 %'])
    """
    told = [change(outcome, value) for value in values]
    first = next((k for k, text in enumerate(told) if text[0] in "+−"), 0)
    short = [f"{'+' if value > 0 else ''}{number(natural(outcome, value))}" for value in values]
    return [text if k <= first or text[0] not in "+−" or unit(outcome) == "%" else short[k]
            for k, text in enumerate(told)]  # fmt: skip


def worlds(share: float) -> str:
    """A share of worlds, of 100; what is neither none nor all is never shown as such.

    >>> worlds(0.454), worlds(0.003)
    ('45 of 100 worlds', 'fewer than 1 of 100 worlds')
    """
    if 0.0 < share < 0.005:
        return "fewer than 1 of 100 worlds"
    return "more than 99 of 100 worlds" if 0.995 <= share < 1.0 else f"{100 * share:.0f} of 100 worlds"


def levels(rows: Sequence[Row]) -> Iterator[str]:
    """How many leaders are fearful at baseline."""
    for row in rows:
        wide = " So wide a band is no answer." if row["q95"] - row["q05"] > NO_ANSWER else ""
        middle, low, high = (number(natural(row["outcome"], row[name])) for name in ("q50", "q05", "q95"))
        yield (
            f"{capital(label(row['outcome']))}: {middle} of 100 in the middle world, {low} to {high} in 90 of 100 "
            f"worlds.{wide}"
        )


def optimum(rows: Sequence[Row]) -> Iterator[str]:
    """Where on the oversight budget an outcome is best."""
    for outcome, group in groupby(rows, lambda row: row["outcome"]):
        first, *between, last = list(group)
        inside = sum(row["share"] for row in between)
        yield (
            f"{capital(label(outcome))} is best with all of the budget on relationships in {worlds(last['share'])}, "
            f"with none in {100 * first['share']:.0f} and with some in {100 * inside:.0f}; in the middle world with "
            f"{100 * first['best_q50'] / last['relationship']:.0f} % of it."
        )


def made_up(rows: Sequence[Row]) -> Iterator[str]:
    """How much more cooperation makes up for a cut."""
    found = {row["case"]: row for row in rows}
    if none := found.get("no cooperation makes up for it"):
        text = f"No cooperation makes up for the cut in {worlds(none['share'])}"
        needed = found.get("more cooperation")
        if not needed:
            yield f"{text}."
            return
        mean, low, high = (number(100 * needed[name]) for name in ("mean", "q05", "q95"))
        yield f"{text}; elsewhere it takes {mean} points of 100 more, {low} to {high} in 90 of 100 worlds."


def break_evens(rows: Sequence[Row]) -> Iterator[str]:
    """The values of parameters at which effects turn."""
    for (outcome, parameter), group in groupby(rows, lambda row: (row["outcome"], row["parameter"])):
        parts = []
        for row in group:
            where = f"at {plain(row['value'])}" if "value" in row else "at no value in the range"
            interval = f" ({plain(row['low'])} to {plain(row['high'])})" if "low" in row else ""
            down = "" if row["level"] == "δ" else ", downward,"
            reached = "is 0" if row["level"] == "0" else f"reaches what matters{down}"
            parts.append(f"{reached} {where}{interval}")
        turns = "turn" if outcome in PLURALS else "turns"
        yield f"{capital(label(outcome))} {turns} on {phrase(parameter)}; the change {joined(parts)}."


def path_through_fear(rows: Sequence[Row]) -> Iterator[str]:
    """Which part of the fall in initiative goes through fear."""
    for row in rows:
        how = _PATHS.get(row["version"], f", {row['version']}")
        if "part" not in row:
            yield f"How much goes through fear{how} is not given, since the whole change is not told from none."
        else:
            ends = f" ({100 * row['low']:.0f} to {100 * row['high']:.0f})" if "low" in row else ""
            yield f"Through fear goes {100 * row['part']:.0f} % of the mean change{ends}{how}."


_PATHS = {"the part through fear": "", "the other order": ", taken in the other order",
          "seen by every rule": ", where every rule sees the other run's fear"}  # fmt: skip
"""What is said of a version of the path."""


def atmosphere(rows: Sequence[Row]) -> Iterator[str]:
    """How readiness to try something new goes with fear, within a world."""
    for row in rows:
        yield (
            f"In an atmosphere of more fear, at today's oversight, leaders try less in {worlds(row['falling'])}; 10 "
            f"points more fear go with {change('initiative_rate', 0.1 * row['mean'])}. Worlds whose fear hardly moves "
            f"are left out, {worlds(row['left_out'])}."
        )


def records(rows: Sequence[Row]) -> Iterator[str]:
    """Whether those with a record slip more."""
    for row in rows:
        yield (
            f"Those with a record slip more in {worlds(row['above_0'])}, by {change('negligence', row['mean'])} on "
            f"average; {row['without']} of {row['worlds']} worlds have nobody with a record and are left out."
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
            given = f"{row['value']:.2g}" if "value" in row else "not known"
            yield f"This answer falls short of its own standard: {row['rule']} {row['limit']:g}; it is {given}."


def carriers_sentence(rows: Iterable[Row], most: int = 3) -> str:
    """Which mechanisms carry an effect: those that stand out from chance, the largest first; a row without a mechanism
    is what is left when all are off."""
    every = list(rows)
    clear = [r for r in every if abs(r["contribution"]) > STANDS_OUT * r.get("standard_error", math.inf)]
    clear = [r for r in clear if change(r["outcome"], r["contribution"]) != "no change"]
    clear = sorted(clear, key=lambda row: -abs(row["contribution"]))[:most]
    way = sum(row["contribution"] for row in every)
    ahead, behind = ([row for row in clear if (row["contribution"] * way > 0) == agrees] for agrees in (True, False))
    parts = [f"mainly because {because(ahead)}"] if ahead else []
    parts += [f"against that, {because(behind)}"] if behind else []
    return f"{capital('; '.join(parts))}." if parts else ""


def because(rows: Sequence[Row]) -> str:
    """Mechanisms in clauses, with what they contribute."""
    told = changes(rows[0]["outcome"], [row["contribution"] for row in rows])
    names = [clause(row["mechanism"]) if row["mechanism"] else _PLAIN for row in rows]
    return joined([f"{name} ({text})" for name, text in zip(names, told, strict=True)])


_PLAIN = "the policy does so with every mechanism off"


def filled(text: str, width: int, **how: Any) -> str:
    """A text in lines; a number stays with its sign of per cent, and with its error.

    >>> filled("it falls by 10 %", 15)
    'it falls by\\n10 %'
    """
    kept = text.replace(" %", "\N{NO-BREAK SPACE}%").replace(" ± ", "\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}")
    return textwrap.fill(kept, width, **how).replace("\N{NO-BREAK SPACE}", " ")

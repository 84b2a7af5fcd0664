"""The answer on one screen: the finding, a bar of 100 worlds for each claim, what it depends on, where the rest is."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sim.claims.construction import BY_CONSTRUCTION
from sim.claims.multiverse import COLUMNS, DIFFERS
from sim.claims.outline import primary_rows
from sim.claims.statements import HEADLINE
from sim.claims.text import Row, depends, filled, who
from sim.claims.verdict import CLASSES, DIVIDED, TOO_SMALL, UNKNOWN, words_of
from sim.model.glossary import joined
from sim.model.words import of_100

if TYPE_CHECKING:
    from sim.claims.answer import ClaimReport

LINES, COLUMNS_WIDE = 24, 80
"""What a terminal shows without scrolling."""
_BAR, _NAME = 20, 29  # letters
_MARKS = {"supported": "█", TOO_SMALL: "░", "opposed": "▒"}


def screen(found: ClaimReport, where: str = "") -> str:
    """The answer in at most `LINES` lines of `COLUMNS_WIDE` letters; `where` says where the rest is.

    Each claim whose primary outcome has a verdict has a bar: in how many of 100 plausible worlds it is as claimed, too
    small to matter, the opposite. Where they do not fit, claims on which worlds are divided are named instead.
    """
    rows = primary_rows(found)
    headings = {claim.id: claim.heading for claim in found.claims}
    told = {claim: row for claim, row in rows.items() if "delta" in row and row["verdict"] != BY_CONSTRUCTION}
    ranked = sorted(told, key=lambda claim: -told[claim][_names(told[claim])["supported"]])
    top = [line for text in (*found.notes, found.headline()) for line in _filled(text)]
    key = [f"Of 100 plausible worlds: █ as claimed   ░ {TOO_SMALL}   ▒ the opposite"] if told else []
    under = _filled(method(list(told.values()), found.rows("holds")))
    end = [line for text in ("No probabilities: a model's worlds, fitted to others than NHS managers.", where)
           for line in _filled(text)]  # fmt: skip
    room = LINES - len([*top, *key, *under, *end]) - 1
    kept = ranked if len(ranked) <= room else _most_telling(ranked, told, max(0, room - 1))
    bars = [_bar(headings[claim], told[claim]) for claim in kept]
    left = [headings[claim.id].lower() for claim in found.claims if claim.id not in kept]
    without = _filled(f"Without a bar: {joined(left)}.") if left else []
    lines = [*top, "", *key, *bars, *without, *under, *end]
    return "\n".join(lines if len(lines) <= LINES else [line for line in lines if line]) + "\n"


def _filled(text: str) -> list[str]:
    return filled(text, COLUMNS_WIDE).splitlines()


def _most_telling(ranked: Sequence[str], told: dict[str, Row], room: int) -> list[str]:
    """So many claims, both sides' strongest first, then those with a verdict; in the order of `ranked`."""
    first = {claim for claim, _ in HEADLINE}
    kept = sorted(ranked, key=lambda claim: (claim not in first, told[claim]["verdict"] == DIVIDED))[:room]
    return [claim for claim in ranked if claim in kept]


def _names(row: Row) -> dict[str, str]:
    """The column of the share in which it is as claimed, too small, or the opposite; a rise, where nobody claims."""
    words = words_of(row["sign"] or 1, 0)
    return {name: CLASSES[one] for one, name in words.items()}


def as_claimed(row: Row) -> list[int]:
    """In how many of 100 worlds a row is as claimed, too small to matter, and the opposite.

    >>> as_claimed({"sign": -1, "above": 0.1, "within": 0.3, "below": 0.6})
    [60, 30, 10]
    """
    names = _names(row)
    return of_100([row[names[name]] for name in _MARKS])


def _bar(heading: str, row: Row) -> str:
    """A claim on a line: its name, 100 worlds in letters of five, their numbers, and who was right."""
    numbers = as_claimed(row)
    ends = [round(sum(numbers[: k + 1]) * _BAR / 100) for k in range(len(numbers))]
    bar = "".join(mark * (end - start) for mark, start, end in zip(_MARKS.values(), (0, *ends), ends, strict=False))
    told = "".join(f"{number:4}" for number in numbers)
    return f"{textwrap.shorten(heading, _NAME, placeholder='…'):<{_NAME}} {bar}{told} {who(row)}".rstrip()


def method(rows: Sequence[Row], held: Sequence[Row]) -> str:
    """What the verdicts of some rows depend on, beside the model; `held` are those formed again, by column."""
    some = [row for row in rows if depends(row)]
    if not rows:
        return "No claim has a verdict."
    if not some:
        return "All of this holds under every choice of method that was tried."
    unknown = sum(row.get("share_error", 0.0) > UNKNOWN for row in rows)
    keys = {(row["contrast"], row["outcome"]) for row in some}
    counts = Counter(COLUMNS[row["column"]] for row in held
                     if row["status"] == DIFFERS and (row["contrast"], row["outcome"]) in keys)  # fmt: skip
    often = f", most often on {counts.most_common(1)[0][0]}" if counts else ": too little was computed to tell"
    more = f"; {unknown} cannot be told" if unknown else ""
    return f"† {len(some)} of {len(rows)} depend on choices of method{often}{more}."

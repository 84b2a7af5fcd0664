"""What is shown of an answer, and in which order: outcomes under headings, effects in worlds, and single sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.claims.construction import BY_CONSTRUCTION
from sim.claims.statements import CHOSEN_BY, CLAIMS, SURVEILLANCE, primary
from sim.claims.text import Row, worlds_in
from sim.claims.verdict import TOLD, words_of
from sim.model import words
from sim.model.glossary import joined

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.claims.answer import ClaimReport

MOST_ROWS = 15
MORE_THAN_HALF = "in more than half of the plausible worlds"
_REMEDIES = (("relationship", ("harm", "quality", "initiative_rate", "fear")),
             ("good_about_work", ("harm", "quality", "distress")))  # fmt: skip
"""What is shown below surveillance: claims about what works instead, and outcomes, harm first."""


class Group(NamedTuple):
    """Some outcomes of a contrast under a heading."""

    heading: str
    rows: list[Row]


def groups(found: ClaimReport) -> list[Group]:
    """What the main picture shows of an answer."""
    by_id = {claim.id: claim for claim in found.claims}
    wanted: list[tuple[str, str, Sequence[str]]]
    if {claim.id for claim in CLAIMS} <= by_id.keys():
        wanted = [("Heavy surveillance instead of light", SURVEILLANCE.name, CHOSEN_BY)]
        for name, outcomes in _REMEDIES:
            case = by_id[name].cases[0]
            wanted.append((case.subject, case.contrast.name, outcomes))
    else:
        cases = {case.contrast.name: case for claim in found.claims for case in claim.cases}
        claimed = {(r["contrast"], r["outcome"]): None for r in found.rows("claims") if "delta" in r}
        wanted = [(case.subject, name, tuple(o for c, o in claimed if c == name)) for name, case in cases.items()]
    filled = [Group(heading.rstrip(","), [r for o in outcomes if (r := rows_of(found, name).get(o))])
              for heading, name, outcomes in wanted]  # fmt: skip
    kept: list[Group] = []
    for group in filled:
        room = MOST_ROWS - sum(len(g.rows) for g in kept)
        if group.rows and room > 0:
            kept.append(Group(group.heading, group.rows[:room]))
    return kept


def rows_of(found: ClaimReport, contrast: str) -> dict[str, Row]:
    """The rows of a contrast that have a limit, by outcome, those of claims before the rest."""
    every = [*found.rows("vector"), *found.rows("claims")]
    return {row["outcome"]: row for row in every if row["contrast"] == contrast and "delta" in row}


def primary_rows(found: ClaimReport) -> dict[str, Row]:
    """The row of each claim's primary outcome, by claim, where there is one."""
    by = {(row["claim"], row["contrast"], row["outcome"]): row for row in found.rows("claims")}
    return {claim: by[claim, *key] for claim, key in primary(found.claims).items() if (claim, *key) in by}


def effects_of(found: ClaimReport, row: Row) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Effect, its error and weight of each world on one outcome of a contrast; weights add up to 1."""
    mine = found.effects.iloc[found.places.get((row["contrast"], row["outcome"]), [])]
    x, error, weight = (mine[name].to_numpy(np.float64) for name in ("estimate", "error", "weight"))
    return x, error, weight / weight.sum()


def side_by_side(row: Row) -> str:
    """The name of a row whose worlds stand to the left and right of a line, under "worse" and "better": an outcome that
    nobody wants to move says what its own sides are.

    >>> side_by_side({"outcome": "harm", "direction": -1}), side_by_side({"outcome": "reported", "direction": 0})
    ('Harm to patients', 'Reported results (lower, higher)')
    """
    left, right = words_of(0, 0)[-1], words_of(0, 0)[1]
    return words.capital(words.label(row["outcome"])) + ("" if row["direction"] else f" ({left}, {right})")


def in_worlds(row: Row) -> str:
    """One outcome in a sentence with one number: in how many of 100 worlds what happens most happens.

    >>> row = {"outcome": "harm", "direction": -1, "above": 0.1, "within": 0.2, "below": 0.7}
    >>> in_worlds(row)
    'Harm to patients falls in 70 of 100 plausible worlds'
    """
    shares = words.of_100([row["above"], row["within"], row["below"]])
    most = int(np.argmax(shares))
    return f"{words.capital(words.moves(row['outcome'], 1 - most))} in {shares[most]} of 100 plausible worlds"


def in_most(subject: str, rows: Sequence[Row]) -> str:
    """What a policy does surely in more than half of the worlds, the good first. Beside anything good stands in how
    many worlds it harms more patients, unless they are few. What is so by construction is no finding, and is not told.
    """
    told = [row for row in rows if row["direction"] and row.get("verdict") != BY_CONSTRUCTION]
    surely = {way: [row for row in told if _least(row, side_of(row, way)) > 0.5] for way in (1, -1)}
    parts = [joined([words.does(row["outcome"], way * row["direction"]) for row in some])
             for way, some in surely.items() if some]  # fmt: skip
    does = words.once(", but ".join(parts)) or "moves nothing beyond what matters"
    harm = next((row for row in rows if row["outcome"] == "harm" and row["above"] >= TOLD), None)
    sentence = f"{subject} {does} {MORE_THAN_HALF}"
    if harm is None or not surely[1] or harm in surely[-1]:
        return sentence
    return f"{sentence}; {words.moves('harm', 1)} in {worlds_in(harm)['worse']} of 100"


def remedies(found: ClaimReport) -> list[str]:
    """What works instead of surveillance, of those remedies that the main picture shows, a sentence for each."""
    offered = {claim.cases[0].contrast.name for claim in CLAIMS if claim.id in dict(_REMEDIES)}
    shown = [group for group in groups(found) if group.rows[0]["contrast"] in offered]
    return [f"{in_most(group.heading, group.rows)}." for group in shown]


def _least(row: Row, side: str) -> float:
    """The share of a side less two errors."""
    return float(row[side] - 2.0 * row.get(f"{side}_error", 0.0))


def side_of(row: Row, way: int) -> str:
    """The share of a row in which it gets better (`way` 1) or worse (−1)."""
    return "above" if way * (row["direction"] or 1) > 0 else "below"


def ranked(table: Sequence[Row]) -> tuple[list[str], list[str]]:
    """What can be chosen, from the rows of ``against_baseline``, in the order of how much more often it makes outcomes
    better than worse; and the outcomes."""

    def balance(choice: str) -> float:
        mine = [row for row in table if row["choice"] == choice and row["direction"]]
        return float(sum(row[side_of(row, 1)] - row[side_of(row, -1)] for row in mine))

    choices, outcomes = (dict.fromkeys(row[name] for row in table) for name in ("choice", "outcome"))
    return sorted(choices, key=lambda name: -balance(name)), [name for name in CHOSEN_BY if name in outcomes]

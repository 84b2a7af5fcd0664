"""What somebody changed in a study against its last run, and what that did to its outcomes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from sim.errors import InputError, place
from sim.model import words
from sim.model.glossary import joined
from sim.model.parameters import MECHANISMS, PARAMETERS, resolve
from sim.plots import layout
from sim.study.results import Results

if TYPE_CHECKING:
    from sim.study.plan import Plan

MOST_RUNS = 100_000
"""Runs beyond which a study is not read again before it is run anew."""


class Last(NamedTuple):
    """A study as it was last run in a folder."""

    folder: Path
    plan: Plan
    runs: pd.DataFrame

    def told(self, now: Results) -> Iterator[str]:
        """What is set otherwise now, and how outcomes differ between the same cells under the same seeds; nothing where
        nothing is, or where other cells are compared."""
        old, new = self.plan, now.study.plan
        changed = list(_changes(old, new))
        if not changed or (old.design, old.outcomes.window) != (new.design, new.outcomes.window):
            return
        since = "since the last run" if self.folder == now.folder else f"from {place(self.folder)}"
        yield f"Changed {since}: {'; '.join(changed)}."
        after, before = (runs[runs["error"].isna()].set_index(["cell", "seed"]) for runs in (now.runs, self.runs))
        both = after.index.intersection(before.index)
        one, other = (runs.loc[both].reset_index() for runs in (after, before))
        found = {name: layout.difference(one, other, name) for name in now.outcomes if name in before}
        moved = [
            f"{words.label(n)} {layout.moved(n, x)}{_sure(n, x)}" for n, x in found.items() if layout.matters(n, x)
        ]
        alike = [n for n, x in found.items() if not layout.matters(n, x)]
        if alike:
            names = joined([words.label(name) for name in alike])
            moved.append(words.moves(alike[0], 0) if len(alike) == 1 else f"{names} hardly change")
        if len(both):
            yield f"In the same cells under the same seeds, {'; '.join(moved)}."


def last(folder: Path) -> Last | None:
    """What was last run in a folder; None where there is nothing that can be compared cell by cell, or too much."""
    try:
        results = Results(folder)
        if results.is_sampled or results.policies or not 0 < len(results) <= MOST_RUNS:
            return None
        return Last(results.folder, results.study.plan, results.runs)
    except InputError:
        return None


def _sure(outcome: str, found: layout.Interval) -> str:
    """How sure a difference is, in brackets; nothing where there is one seed."""
    half = float(found[2] - found[1]) / 2.0
    return f" (95 % interval: ± {words.change(outcome, half).lstrip('+')})" if half > 0.0 else ""


def _changes(old: Plan, new: Plan) -> Iterator[str]:
    """What is the same in all cells, and is not what it was."""
    if old.regime != new.regime:
        yield f"{words.policy(new.regime)} instead of {words.policy(old.regime)}"
    was, now = (resolve(**plan.common) for plan in (old, new))
    for name in PARAMETERS:
        given = name in old.parameters or name in new.parameters
        if given and (value := getattr(now, name)) != getattr(was, name):
            yield f"{name} {value:g} instead of {getattr(was, name):g}, {words.phrase(name)}{_within(name)}"
    for one, other, what in ((new, old, "off"), (old, new, "on again")):
        for name in one.mechanisms_off:
            if name not in other.mechanisms_off:
                yield f"{name}, that {words.clause(name)}, is {what}"
    if old.schedule != new.schedule:
        yield "what changes on the way"
    if old.local != new.local:
        yield "what is different in some organisations"


def _within(name: str) -> str:
    """The mechanisms that a parameter belongs to, with what they say."""
    some = [key for key, mechanism in MECHANISMS.items() if name in mechanism.parameters]
    told = joined([f"{key}: {words.clause(key)}" for key in some])
    return f" (in {told})" if told else ""

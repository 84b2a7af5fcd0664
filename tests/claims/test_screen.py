"""The answer on one screen: 24 lines of 80 columns whatever there is to say, and the same words as everywhere else."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from answers import drawn

from sim.claims.answer import ClaimReport, claims_named
from sim.claims.construction import BY_CONSTRUCTION
from sim.claims.multiverse import DIFFERS, HOLDS
from sim.claims.screen import screen
from sim.claims.statements import CLAIMS, HEADLINE
from sim.claims.text import ANOTHER_MODEL, who

WHERE = "The whole report: results/claim/report.html"
DEPENDS = "depends on the published findings and the time (20 years)"


def by_construction(found: ClaimReport) -> ClaimReport:
    some = found.table["delta"].notna()
    table = found.table.assign(verdict=found.table["verdict"].where(~some, BY_CONSTRUCTION), decided_by="burden")
    return replace(found, table=table)


def without_errors(found: ClaimReport) -> ClaimReport:
    unknown = {name: np.nan for name in found.table if name.endswith("_error") or name in ("n_eff", "low", "high")}
    return replace(found, table=found.table.assign(**unknown))


ANSWERS = {
    "divided": lambda: drawn(shift=0.0, holds=DEPENDS),
    "all robust": lambda: drawn(shift=4.0, spread=0.3),
    "too small": lambda: drawn(shift=0.0, spread=0.1),
    "another model's": lambda: replace(drawn(holds=DEPENDS), notes=(ANOTHER_MODEL, "Worlds of an earlier version.")),
    "by construction": lambda: by_construction(drawn()),
    "without errors": lambda: without_errors(drawn()),
    "two claims": lambda: drawn(claims_named("fear", "pays")),
    "a level and a claim": lambda: drawn(claims_named("fearful", "pride")),
}


@pytest.fixture(scope="module", params=ANSWERS)
def found(request: pytest.FixtureRequest) -> ClaimReport:
    return ANSWERS[request.param]()


def test_it_fits_a_terminal_and_ends_with_where_the_report_is(found: ClaimReport) -> None:
    lines = screen(found, WHERE).splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert lines[-1] == WHERE
    assert " ".join(lines).startswith(" ".join([*found.notes, found.headline()]))


def test_every_claim_has_a_bar_or_is_named_without_one(found: ClaimReport) -> None:
    text = screen(found, WHERE)
    without = " ".join(text.split()).partition("Without a bar: ")[2].partition(".")[0]
    for claim in found.claims:
        assert (claim.heading.lower() in without) != bool(re.search(rf"^{re.escape(claim.heading)} +[█░▒]", text, re.M))


def test_a_bar_is_a_hundred_worlds_and_says_who_was_right(found: ClaimReport) -> None:
    bars = re.findall(r"^(.{29}) ([█░▒]+)((?: +\d+){3}) (.*)$", screen(found), re.M)
    by = {claim.heading: row for claim in found.claims for row in found.rows("claims")
          if row["claim"] == claim.id and row["primary"]}  # fmt: skip
    for name, bar, numbers, told in bars:
        row, (claimed, small, opposite) = by[name.strip()], map(int, numbers.split())
        assert (len(bar), claimed + small + opposite) == (20, 100)
        assert abs(claimed - 100 * row["above" if row["sign"] > 0 else "below"]) <= 1
        assert abs(bar.count("█") - claimed / 5) <= 1
        assert told == who(row)


def test_what_it_depends_on_is_said() -> None:
    found = drawn(holds=DEPENDS)
    rows = [{**found.table.loc[k, ["contrast", "outcome"]], "column": name, "status": status}
            for k in found.table.index
            for name, status in (("prior", DIFFERS), ("months_240", DIFFERS if k else HOLDS))]  # fmt: skip
    found = replace(found, tables={**found.tables, "holds": pd.DataFrame(rows)})
    assert "depend on choices of method, most often on the published findings" in " ".join(screen(found).split())
    assert "All of this holds under every choice of method" in screen(drawn(shift=4.0, spread=0.3))
    assert "No claim has a verdict." in screen(by_construction(drawn()))


def test_both_sides_strongest_claims_are_never_crowded_out() -> None:
    shown = screen(replace(drawn(shift=0.0), notes=("A long note. " * 30,)), WHERE)
    for claim in CLAIMS:
        if claim.id in {name for name, _ in HEADLINE}:
            assert re.search(rf"^{claim.heading} +[█░▒]", shown, re.M), shown


def test_the_answer_says_nothing_of_probability(found: ClaimReport) -> None:
    assert "probab" not in screen(found).replace("No probabilities", "")

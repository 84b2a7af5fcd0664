"""The report on the claims: every picture there is something to draw for, on one page that needs nothing else."""

from __future__ import annotations

import base64
import re
import shlex
from dataclasses import asdict, replace

import numpy as np
import pytest
import test_report
import typer
from ensembles import by_hand

from sim import cli
from sim.claims.answer import QUICK, ClaimReport, Effort, claims_named, compute, effort
from sim.claims.discovery import grid
from sim.claims.statements import SURVEILLANCE
from sim.model import words
from sim.plots import theme
from sim.plots.answer import pictures
from sim.questions import ask
from sim.report.claims import of_claims

WORLDS = 100
ASKED = replace(QUICK, worlds=WORLDS, prior=20, all_on=20, systems=1, orders=2)
SIZES = {"organisations": 2, "managers": 2, "months": 6, "window": 3}
KEY = {"claim": "fear", "contrast": SURVEILLANCE.name, "outcome": "fear"}
HOSTILE = test_report.HOSTILE


@pytest.fixture(scope="module")
def report() -> ClaimReport:
    """An answer with a map of the flip of one claim, by a rule, and the reply to one question."""
    ensemble, second = by_hand(WORLDS), by_hand(20, seed=1, off=0.0)
    found = compute(ensemble, second, claims=claims_named("fear", "pride"), effort=ASKED, seed=7, **SIZES)
    low = ensemble.values[:, 0] < np.median(ensemble.values[:, 0])
    map_ = grid(ensemble, low, "discernment", "speak_base", bins=2)
    map_ = map_.assign(**KEY, answer="supported", x="discernment", y="speak_base")
    loop = ask("tipping", ensemble, 2, levels=(0.1, 0.9), hold=2, rest=2, systems=1, organisations=2, managers=2)
    flips = found.tables["flips"].assign(found=True)
    return replace(found, tables={**found.tables, "flip_maps": map_, "flips": flips}, replies=(loop,))


@pytest.fixture(scope="module")
def figures(report):
    return pictures(report)


@pytest.fixture(scope="module")
def page(report, figures) -> str:
    first, *others = report.claims
    return of_claims(replace(report, claims=(replace(first, statement=HOSTILE, note=HOSTILE), *others)), figures)


def test_every_table_has_its_picture(figures):
    assert list(figures) == ["claims", "worlds_fear", "worlds_pride", "matters", "why_fear", "flip_fear", "evidence",
                             "tipping"]  # fmt: skip


def test_without_the_tables_there_are_the_worlds_alone(report):
    bare = {"vector": report.tables["vector"]}
    assert list(pictures(replace(report, tables=bare, replies=()))) == ["claims", "worlds_fear", "worlds_pride"]


def test_a_map_that_has_too_few_worlds_or_does_not_beat_guessing_is_not_drawn(report):
    for name, change in (("flip_maps", {"worlds": [30.0, 19.0, 19.0, 19.0]}), ("flips", {"found": False})):
        few = {**report.tables, name: report.tables[name].assign(**change)}
        assert not any(name.startswith("flip") for name in pictures(replace(report, tables=few)))


def test_every_picture_has_a_finding_and_words_for_those_who_do_not_see_it(figures):
    findings = [theme.finding(figure) for figure in figures.values()]
    assert all(len(finding) > 20 for finding in findings)
    assert len(set(findings)) == len(findings)
    assert all(theme.alternative(figure) != theme.finding(figure) for figure in figures.values())


def test_carriers_are_those_of_surveillance_as_clauses(report, figures):
    ticks = [tick.get_text() for tick in figures["why_fear"].axes[0].get_yticklabels()]
    carriers = report.tables["carriers"]
    largest = carriers.loc[carriers[carriers["claim"] == "fear"]["contribution"].abs().idxmax()]
    assert ticks[0] == words.capital(words.clause(largest["mechanism"]))
    assert ticks[-1] == "All together"


def test_the_page_loads_nothing_and_runs_nothing(page):
    elements = test_report.Elements(page)
    assert elements.of("script", "iframe", "object", "embed", "form") == []
    addresses = [value or "" for _, attributes in elements.found for name, value in attributes.items()
                 if name in ("src", "srcset", "href", "action", "data")]  # fmt: skip
    assert addresses
    assert all(address.startswith(("data:image/svg+xml;base64,", "#")) for address in addresses)
    assert not re.search(r"url\(|@import", page)


def test_markup_in_a_claim_is_text(page):
    elements = test_report.Elements(page)
    assert elements.text.count("document.title = 'taken'") >= 3
    assert "<script" not in page
    assert not any(name.startswith("on") for _, attributes in elements.found for name in attributes)


def test_every_picture_is_on_the_page_with_its_words(page, figures):
    shown = test_report.Elements(page).of("img")
    assert [attributes["alt"] for attributes in shown] == [theme.alternative(figure) for figure in figures.values()]
    for attributes, (name, figure) in zip(shown, figures.items(), strict=True):
        svg = base64.b64decode(str(attributes["src"]).partition(",")[2])
        assert svg.startswith(b"<?xml")
        assert b"<desc>" in svg
        assert f"{theme.finding(figure)}. File: {name}.png and .svg." in test_report.Elements(page).text


def test_the_page_has_the_headline_the_shares_of_every_verdict_and_every_caveat(report, page):
    text = test_report.Elements(page).text
    assert report.headline() in text
    assert all(" ".join(caveat.split()) in text for caveat in report.caveats())
    row = report.table.set_index("claim").loc["fear"]
    assert f"{100 * row['within']:.0f} % ± {100 * row['within_error']:.1f}" in text
    assert row["holds"] in text
    assert "in 4 independent calibrations" in text


def parsed(report: ClaimReport) -> dict:
    """The options of the command that the page gives to do it again, read as the command line reads them."""
    page = of_claims(report, {})
    line = next(line for line in page.splitlines() if re.search(r"(^|>)sim claim", line))
    program, command, *arguments = shlex.split(re.sub(r"<[^>]*>", "", line))
    assert (program, command) == ("sim", "claim")
    return typer.main.get_command(cli.app).commands["claim"].make_context("claim", arguments).params  # type: ignore[attr-defined]


def as_asked(options: dict) -> Effort:
    assert options["run"]
    return effort(*(options[name] for name in ("full", "worlds", "systems")))


def test_the_command_that_does_it_again_asks_for_the_same(report):
    options = parsed(report)
    assert (options["name"], options["seed"], options["months"]) == (None, 7, 6)
    assert replace(as_asked(options), prior=20, all_on=20, orders=2) == ASKED


def with_effort(report: ClaimReport, asked: Effort, claims: int) -> ClaimReport:
    return replace(report, claims=report.claims[:claims], provenance={**report.provenance, "effort": asdict(asked)})


@pytest.mark.parametrize(
    ("claims", "asked"),
    [
        (2, effort(full=True)),
        (2, effort(full=True, worlds=500)),
        (1, effort(worlds=30, systems=3)),
    ],
)
def test_whatever_was_asked_on_the_command_line_is_asked_again(report, claims, asked):
    options = parsed(with_effort(report, asked, claims))
    assert options["name"] == ("fear" if claims == 1 else None)
    assert as_asked(options) == asked

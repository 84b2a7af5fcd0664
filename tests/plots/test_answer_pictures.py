"""The pictures of an answer: one for every table that has something to say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ensembles import by_hand, few_pairs

from sim.claims.answer import QUICK, ClaimReport, claims_named, compute
from sim.claims.discovery import grid
from sim.claims.statements import SURVEILLANCE
from sim.model import words
from sim.plots import theme
from sim.plots.answer import pictures
from sim.questions import ask

WORLDS = 100
ASKED = replace(QUICK, worlds=WORLDS, prior=20, all_on=20, systems=1, orders=2)
SIZES = {"organisations": 2, "managers": 2, "months": 6, "window": 3}
KEY = {"claim": "fear", "contrast": SURVEILLANCE.name, "outcome": "fear"}


@pytest.fixture(scope="module")
def report() -> ClaimReport:
    """An answer with a map of the flip of one claim, by a rule, and the reply to one question."""
    ensemble, second = by_hand(WORLDS), by_hand(20, seed=1, off=0.0)
    with few_pairs():
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

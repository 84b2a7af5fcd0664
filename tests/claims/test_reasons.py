"""Reasons: what carries an effect adds up to it, and where a verdict flips is found where it was put."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from ensembles import by_hand

from sim.claims.answer import ClaimReport, Effort, answer, claims_named, explained
from sim.claims.discovery import BINS, flip
from sim.claims.statements import PATHS, SURVEILLANCE
from sim.claims.text import has_shares, rows_of
from sim.worlds.prior import DRAWN, Worlds

WORLDS = 90
FEARFUL, FEAR, RISK = claims_named("fearful", "fear", "risk")
ASKED = (FEARFUL, FEAR, replace(RISK, measures=RISK.measures[:2]))
TINY = {"effort": Effort(worlds=None, alternatives=20, replications=2, systems=1, orders=2), "workers": 2,
        "organisations": 1, "managers": 2, "months": 6, "window": 3}  # fmt: skip
KEY = ["claim", "contrast", "outcome"]
DECIDING = "speak_base"


@pytest.fixture(scope="module")
def report() -> ClaimReport:
    return answer(by_hand(WORLDS), by_hand(20, seed=1, off=0.0), claims=ASKED, **TINY)


def by_key(table: pd.DataFrame) -> pd.DataFrame:
    return table.set_index(KEY).sort_index()


def on_one_line(page: str) -> str:
    return " ".join(page.split())


def flip_of(report: ClaimReport, claim: str, outcome: str) -> pd.Series:
    return by_key(report.flips).loc[(claim, SURVEILLANCE.name, outcome)]


def test_what_the_mechanisms_carry_sums_to_the_effect_with_all_on_less_all_off(report):
    parts = report.carriers.groupby(KEY)["contribution"].sum()
    ends = report.tables["carriers_ends"].pivot(index=KEY, columns="mechanisms", values="effect")
    assert len(parts) == len(ends) == 1 + 2  # outcomes of fear and of risk
    assert parts.to_numpy() == pytest.approx((ends["on"] - ends["off"]).reindex(parts.index).to_numpy(), abs=1e-12)
    assert (parts.abs() > 1e-6).any()
    cases = report.tables["carriers_by_case"].pivot(index=KEY, columns="case", values="contribution")
    assert cases["all"].to_numpy() == pytest.approx(parts.reindex(cases.index).to_numpy(), abs=1e-12)
    assert (cases["for"] + cases["against"]).to_numpy() == pytest.approx(cases["all"].to_numpy(), abs=1e-12)


def test_nothing_carries_a_contrast_with_the_fear_of_another_run(report):
    paths = {contrast.name for contrast in PATHS}
    assert paths <= set(report.table["contrast"])
    tables = report.tables["carriers_ends"], report.tables["carriers_by_case"], report.carriers
    assert all(set(table["contrast"]) == {SURVEILLANCE.name} for table in tables)
    assert paths <= set(report.flips["contrast"])


def test_each_row_with_verdicts_has_its_flip_and_no_other_has(report):
    with_verdicts = [row for row in rows_of(report.table) if has_shares(row)]
    expected = [(row["claim"], row["contrast"], row["outcome"]) for row in with_verdicts]
    assert list(report.flips[KEY].itertuples(index=False, name=None)) == expected
    assert len(expected) == len(report.table) - 3  # how many are fearful is a level
    assert all(sentence.endswith(".") for sentence in report.flips["sentence"])


def by_chance(sample: Worlds) -> np.ndarray:
    """Verdicts by tosses of a coin that no region explains. One toss of forty is explained by chance, so ten in a row
    never are, whatever the worlds."""
    tosses = (np.where(np.random.default_rng(k).random(WORLDS) < 0.5, "supported", "opposed") for k in range(10))
    return next(verdicts for verdicts in tosses if not flip(sample, verdicts).regions)


@pytest.fixture(scope="module")
def planted(report) -> ClaimReport:
    """Verdicts by a rule: on fear, supported where people speak up readily; on successes, whatever chance says."""
    at = report.sample.values[:, DRAWN.index(DECIDING)]
    e = report.effects.copy()
    by_rule = np.where(at >= np.median(at), "supported", "opposed")
    for outcome, verdicts in (("fear", by_rule), ("successes", by_chance(report.sample))):
        mine = (e["outcome"] == outcome) & (e["contrast"] == SURVEILLANCE.name)
        e.loc[mine, "verdict"] = verdicts[e.loc[mine, "world"]]
    shuffled = e.sample(frac=1.0, random_state=1)
    return explained(replace(report, effects=shuffled), draws=2)


def test_a_rule_that_was_planted_is_found_and_named(report, planted):
    found = flip_of(planted, "fear", "fear")
    assert found["found"]
    assert found["accuracy"] > 0.9
    assert found["sentence"].startswith(f"Where {DECIDING} is at least")
    threshold = np.median(report.sample.values[:, DRAWN.index(DECIDING)])
    assert float(found["sentence"].split()[5]) == pytest.approx(threshold, abs=0.15)
    assert found["sentence"] in on_one_line(str(planted))


def test_verdicts_by_chance_flip_nowhere(planted):
    found = flip_of(planted, "risk", "successes")
    assert not found["found"]
    assert found["sentence"].startswith("No simple region tells supported from opposed")
    assert found["sentence"] not in on_one_line(str(planted))
    assert found["sentence"] in planted.about(planted.claims[2], in_depth=True)[1]


def test_a_map_shows_shares_of_the_answer_over_the_two_factors_that_matter_most(planted):
    maps = by_key(planted.tables["flip_maps"]).loc[("fear", SURVEILLANCE.name, "fear")]
    assert (maps["answer"] == "supported").all()
    assert (maps["x"] == DECIDING).all()
    assert 2 * BINS <= len(maps) <= BINS**2
    every = planted.tables["flip_maps"]["share"].dropna()
    assert every.between(0.0, 1.0).all()
    assert (maps.loc[maps["x_low"] > maps["x_low"].median(), "share"].dropna() == 1.0).all()
    assert (maps.loc[maps["x_high"] < maps["x_high"].median(), "share"].dropna() == 0.0).all()


def test_numbers_do_not_depend_on_workers_or_on_what_there_was_before(report):
    again = explained(report, draws=2, workers=1)
    for name in ("carriers_by_case", "carriers_ends", "flip_maps"):
        pd.testing.assert_frame_equal(again.tables[name], report.tables[name])
    pd.testing.assert_frame_equal(again.carriers, report.carriers)
    pd.testing.assert_frame_equal(again.flips, report.flips)


def test_a_level_has_nothing_that_carries_it_and_flips_nowhere(report):
    found = explained(replace(report, claims=(FEARFUL,), table=report.table.iloc[:0]), draws=2)
    assert found.carriers.empty
    assert found.flips.empty
    assert found.tables["flip_maps"].empty

"""Reasons: what carries an effect adds up to it, and where a verdict flips is found where it was put."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from ensembles import by_hand, few_pairs

from sim.claims.answer import ClaimReport, Effort, claims_named, compute, explained
from sim.claims.discovery import BINS, flip, named
from sim.claims.statements import SURVEILLANCE, contrasts_of
from sim.model.words import uncapital
from sim.worlds.evaluate import MEASURES, PLACE, Effects
from sim.worlds.prior import DRAWN, Worlds

WORLDS = 120
FEARFUL, FEAR, RISK = claims_named("fearful", "fear", "risk")
ASKED = (FEARFUL, FEAR, RISK)
SIZES = {"organisations": 1, "managers": 2, "months": 6, "window": 3}
TINY = Effort(worlds=None, prior=20, all_on=20, again=0, systems=1, orders=2)
KEY = ["claim", "contrast", "outcome"]
DECIDING = "speak_base"


def worlds():
    """Each a calibration of its own, so that a region can be told on worlds left out."""
    return replace(by_hand(WORLDS), calibrations=np.arange(WORLDS))


def answered(main=None, **more) -> ClaimReport:
    with few_pairs():
        return compute(main or worlds(), by_hand(20, seed=1, off=0.0), effort=TINY, **SIZES, **more)


@pytest.fixture(scope="module")
def report() -> ClaimReport:
    return answered(claims=ASKED, workers=2)


def by_key(table: pd.DataFrame) -> pd.DataFrame:
    return table.set_index(KEY).sort_index()


def on_one_line(page: str) -> str:
    return " ".join(page.split())


def of_row(report: ClaimReport, claim: str, outcome: str) -> pd.Series:
    return by_key(report.tables["flips"]).loc[(claim, SURVEILLANCE.name, outcome)]


def test_what_the_mechanisms_carry_sums_to_the_effect_with_all_on_less_all_off(report):
    parts = report.tables["carriers"].groupby(KEY)["contribution"].sum()
    ends = report.tables["carriers_ends"].pivot(index=KEY, columns="mechanisms", values="effect")
    assert len(parts) == len(ends) == 1 + 4  # outcomes of fear and of risk
    assert parts.to_numpy() == pytest.approx((ends["on"] - ends["off"]).reindex(parts.index).to_numpy(), abs=1e-12)
    assert (parts.abs() > 1e-6).any()
    cases = report.tables["carriers_by_case"].pivot(index=KEY, columns="case", values="contribution")
    assert cases["all"].to_numpy() == pytest.approx(parts.reindex(cases.index).to_numpy(), abs=1e-12)
    assert (cases["for"] + cases["against"]).to_numpy() == pytest.approx(cases["all"].to_numpy(), abs=1e-12)


def test_each_row_with_a_limit_has_its_flip_and_no_other_has(report):
    expected = report.table.dropna(subset=["delta"])[KEY]
    assert report.tables["flips"][KEY].to_numpy().tolist() == expected.to_numpy().tolist()
    assert all(sentence.endswith(".") for sentence in report.tables["flips"]["sentence"])


def by_chance(sample: Worlds) -> np.ndarray:
    """Effects by tosses of a coin that no region explains. One toss of forty is explained by chance, so ten in a row
    never are, whatever the worlds."""
    tosses = (np.where(np.random.default_rng(k).random(WORLDS) < 0.5, -1.0, 1.0) for k in range(10))
    said = {-1.0: "supported", 1.0: "opposed"}
    return next(t for t in tosses if not flip(sample, [said[x] for x in t]).regions)


@pytest.fixture(scope="module")
def planted(report) -> ClaimReport:
    """Effects by a rule: on fear, beyond what matters where people speak up readily; on successes, by chance."""
    sample = worlds()
    at = sample.values[:, DRAWN.index(DECIDING)]
    names = tuple(c.name for c in contrasts_of(ASKED, choices=False))
    x = np.zeros((WORLDS, len(names), len(MEASURES)), dtype=np.float32)
    x[:, 0, PLACE["fear"]] = np.where(at >= np.median(at), 0.1, -0.1)
    x[:, 0, PLACE["successes"]] = by_chance(sample)
    e = Effects(sample, names, x, x * 0, np.ones((WORLDS, len(names)), dtype=np.int64))
    return explained(report, e, draws=2, **SIZES)


def test_a_rule_that_was_planted_is_found_and_named(planted):
    found = of_row(planted, "fear", "fear")
    assert found["found"]
    assert found["accuracy"] > 0.9
    assert found["sentence"].startswith(start := f"Where {named(DECIDING)} is at least ")
    threshold = np.median(worlds().values[:, DRAWN.index(DECIDING)])
    assert float(found["sentence"].removeprefix(start).split(",")[0]) == pytest.approx(threshold, abs=0.15)
    assert f"Fear: {uncapital(found['sentence'])}" in on_one_line(planted.whole())


def test_verdicts_by_chance_flip_nowhere(planted):
    found = of_row(planted, "risk", "successes")
    assert not found["found"]
    assert found["sentence"].startswith("No simple region tells supported from opposed")
    assert found["sentence"] not in on_one_line(planted.whole())


def test_a_region_that_does_no_better_than_guessing_the_commoner_answer_is_not_told(planted):
    gone = planted.tables["flips"]
    assert not gone.loc[gone["sentence"].str.contains("guessing the commoner answer would do as well"), "found"].any()


def test_a_map_shows_shares_of_the_answer_over_the_two_factors_that_matter_most(planted):
    maps = by_key(planted.tables["flip_maps"]).loc[("fear", SURVEILLANCE.name, "fear")]
    assert (maps["answer"] == "supported").all()
    assert (maps["x"] == DECIDING).all()
    assert 2 * BINS <= len(maps) <= BINS**2
    every = planted.tables["flip_maps"]["share"].dropna()
    assert every.between(0.0, 1.0).all()
    assert (maps.loc[maps["x_low"] > maps["x_low"].median(), "share"].dropna() == 1.0).all()
    assert (maps.loc[maps["x_high"] < maps["x_high"].median(), "share"].dropna() == 0.0).all()


def test_numbers_do_not_depend_on_workers():
    one, two = (answered(by_hand(), claims=ASKED, workers=workers) for workers in (1, 2))
    for name in one.tables:
        pd.testing.assert_frame_equal(one.tables[name], two.tables[name])
    pd.testing.assert_frame_equal(one.effects, two.effects)


def test_what_carries_a_claim_and_where_it_flips_is_said_where_it_is_known(report):
    key = {"claim": "fear", "contrast": SURVEILLANCE.name, "outcome": "fear"}
    carrier = {**key, "mechanism": "learned_fear", "case": "for", "contribution": 0.06, "standard_error": 0.01}
    carriers = pd.DataFrame([carrier, {**carrier, "mechanism": "audit", "contribution": 0.01}])
    flips = pd.DataFrame([{**key, "sentence": "Where anxiety is low, it is opposed.", "found": True}])
    told = replace(report, tables={**report.tables, "carriers": carriers, "flips": flips})
    for text in (told.whole(), "\n".join(line for part in told.about(FEAR, in_depth=True) for line in part)):
        told_of = " ".join(text.split())
        assert "Fear changes mainly because punishment and watching are remembered (+6 points of 100)." in told_of
        assert "Fear: where anxiety is low, it is opposed." in told_of
        assert "keeps reports honest" not in text


def test_what_a_policy_does_without_any_mechanism_is_not_put_down_to_one(report):
    """Recognition gives confidence whatever is switched off; mechanisms that take some of it back do not carry it."""
    key = {"claim": "fear", "contrast": SURVEILLANCE.name, "outcome": "fear"}
    carrier = {**key, "mechanism": "learned_fear", "case": "for", "contribution": -0.02, "standard_error": 0.001}
    ends = {"carriers_ends": pd.DataFrame([{**key, "mechanisms": "off", "effect": 0.05, "error": 0.001}])}
    told = replace(report, tables={**report.tables, "carriers": pd.DataFrame([carrier]), **ends}).about(FEAR)[1]
    assert told[0] == (
        "Fear changes mainly because the policy does so with every mechanism off (+5 points of 100); against that, "
        "punishment and watching are remembered (−2 points of 100)."
    )


def test_a_level_has_nothing_that_carries_it_and_flips_nowhere():
    found = answered(claims="fearful")
    assert found.table.empty and found.tables["flips"].empty
    assert "Fearful managers: " in str(found)

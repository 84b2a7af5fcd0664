"""The answer that comes with the package: its shares follow from its effects, and its effects from the worlds that are
shipped."""

from __future__ import annotations

import numpy as np
import pytest

from sim.claims import stored
from sim.claims.answer import ClaimReport, answer
from sim.claims.checks import check
from sim.claims.multiverse import COLUMNS
from sim.claims.statements import SURVEILLANCE, VECTOR, cases
from sim.claims.verdict import DIVIDED, NEARLY_ALL, TOO_SMALL
from sim.model import run
from sim.statistics import share
from sim.worlds.ensemble import Ensemble, load

pytestmark = pytest.mark.skipif(not stored.SHIPPED.is_file(), reason="an answer ships once its worlds are calibrated")


@pytest.fixture(scope="module")
def report() -> ClaimReport:
    return answer()


@pytest.fixture(scope="module")
def worlds() -> Ensemble:
    return load()


def test_it_is_this_models_answer(report: ClaimReport) -> None:
    assert report.notes == ()


def test_every_outcome_of_every_claim_is_there_and_every_column_was_asked(report: ClaimReport) -> None:
    asked = [(c.id, case.contrast.name, m.outcome) for c, case in cases() for m in case.measures]
    assert list(report.table[["claim", "contrast", "outcome"]].itertuples(index=False, name=None)) == asked
    assert set(report.tables["vector"]["outcome"]) == set(VECTOR)
    assert set(report.tables["holds"]["column"]) == set(COLUMNS)


def test_it_is_computed_on_exactly_the_worlds_that_come_with_the_package(report: ClaimReport, worlds: Ensemble) -> None:
    first = report.effects_in(worlds).drop_duplicates("world").sort_values("world")
    assert np.array_equal(first["weight"], worlds.weights)
    assert np.array_equal(first["calibration"], worlds.calibrations)


def test_shares_and_their_errors_follow_from_the_effects(report: ClaimReport, worlds: Ensemble) -> None:
    by = {key: part for key, part in report.effects.groupby(["contrast", "outcome"], observed=True)}
    for row in report.table.dropna(subset=["delta"]).to_dict("records"):
        x = by[row["contrast"], row["outcome"]].sort_values("world")["estimate"].to_numpy()
        found = share(worlds.weights, x > row["delta"], worlds.calibrations)
        assert (row["above"], row["above_error"]) == pytest.approx(found, abs=1e-9)


def test_the_readme_tells_it_in_the_right_words(report: ClaimReport) -> None:
    """What the paragraph under the answer says without a number."""
    row = {(r["contrast"], r["outcome"]): r for r in [*report.rows("claims"), *report.rows("vector")]}
    surveillance = {outcome: row[SURVEILLANCE.name, outcome] for outcome in VECTOR}
    assert all(surveillance[name]["verdict"] == "supported" for name in ("fear", "distress", "initiative_rate"))
    assert all(surveillance[name]["verdict"] == DIVIDED for name in ("quality", "harm"))
    assert surveillance["reported"]["verdict"] == "higher" and surveillance["reported"]["above"] >= NEARLY_ALL
    assert surveillance["harm"]["below"] > 5.0 * surveillance["harm"]["above"]
    assert 0.5 < surveillance["initiative_rate"]["below"] < 0.6
    fair = {r["outcome"]: r for r in report.rows("against_baseline") if r["choice"] == "just_culture"}
    assert fair["fear"]["below"] > 0.5 and fair["initiative_rate"]["above"] > 0.5
    assert fair["distress"]["above"] > fair["distress"]["below"]
    curve = {r["relationship"]: r["mean"] for r in report.rows("budget_curve") if r["outcome"] == "quality"}
    assert curve[min(curve)] > 0.5 * curve[max(curve)] and max(curve) > 4.9 * min(curve)
    first = {r["outcome"]: r["verdict"] for r in report.rows("first_limits") if r["contrast"] == SURVEILLANCE.name}
    assert first["fear"] == first["initiative_rate"] == DIVIDED
    main = report.rows("claims")
    assert all(r["verdict"] == "supported" for r in main if (r["claim"], r["outcome"]) == ("relationship", "quality"))
    regulated = [r for r in main if r["claim"] == "regulation" and r["outcome"] in ("quality", "harm", "fear")]
    assert len(regulated) == 9 and all(r["verdict"] == TOO_SMALL for r in regulated)
    (barred,) = (
        r for r in report.rows("against_baseline") if (r["choice"], r["outcome"]) == ("barring", "initiative_rate")
    )
    assert 0.4 < barred["below"] < 0.5
    (idle,) = (r for r in report.rows("against_baseline") if (r["choice"], r["outcome"]) == ("hands_off", "harm"))
    assert idle["above"] > 0.5
    carried = {r["mechanism"]: r["contribution"] for r in report.rows("carriers")
               if (r["contrast"], r["outcome"]) == (SURVEILLANCE.name, "quality")}  # fmt: skip
    assert min(carried, key=carried.__getitem__) == "paperwork"
    assert {"feedback", "deterrence"} == set(sorted(carried, key=carried.__getitem__)[-2:])
    averted = {r["mechanism"]: r["contribution"] for r in report.rows("carriers")
               if (r["contrast"], r["outcome"]) == (SURVEILLANCE.name, "harm")}  # fmt: skip
    assert min(averted, key=averted.__getitem__) == "early_discovery"


def test_effects_follow_from_running_their_worlds_again_to_the_bit(report: ClaimReport, worlds: Ensemble) -> None:
    here, there = run.provenance(), report.provenance
    if here["platform"] != there["platform"]:
        pytest.skip("means of runs may differ in their last bit from platform to platform")
    assert not any("is stored" in line for line in check(report, worlds, 2).lines)

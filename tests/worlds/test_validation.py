"""Findings that nothing is fitted to: how each is looked for, and in how many worlds it is found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import sim as package
from sim.model.parameters import MECHANISMS
from sim.report.worlds import validation_text
from sim.worlds import validation
from sim.worlds.evidence import CONFIDENCES, VARIABLES
from sim.worlds.prior import DEFAULT, World, prior
from sim.worlds.validation import KINDS, Finding, Tried, checked, parse, read, validate

FIRST_MODEL = {
    **{"H1": 0.25, "H2": 0.12, "H3": 0.58, "H4": 0.58, "H5": 0.18, "H6": 0.83, "H7": 0.52, "H8": 0.58, "H9": 0.60},
    **{"H10": 0.63, "H11": 0.28, "H12": 0.67, "R1": 0.92, "R2": 0.75, "R3": 0.45, "R4": 0.07, "V1": None, "V2": None},
}
SMALL = {"systems": 1, "organisations": 2, "managers": 3}
RUNS = {
    "still": {**SMALL, "months": 24, "window": 6, "monitoring": 0.1, "by_month": True},
    "moved": {**SMALL, "months": 24, "window": 6, "monitoring": 0.1, "schedule": {"monitoring": {"7": 0.9}}},
}


def number(kind: str, given: Mapping[str, Any], **keys: Any) -> float:
    """What a kind of check computes where expressions have given values, the same under two seeds."""

    class Given(Tried):
        def values(self, expression: str, over: str, number: int) -> np.ndarray:
            return np.asarray(given[expression], dtype=float)

    return KINDS[kind](Given(DEFAULT, 0, {}), range(2), **keys)


# What is looked for


def test_the_findings_are_those_that_were_set_down_before_with_what_the_first_model_made_of_them():
    assert {finding.id: finding.first_model for finding in read()[1]} == FIRST_MODEL


def test_only_one_finding_prompted_a_mechanism():
    prompted = {finding.id: finding.prompted for finding in read()[1] if finding.prompted}
    assert prompted == {"R4": "circumstances"}


@pytest.mark.parametrize("finding", read()[1], ids=lambda each: each.id)
def test_a_check_is_about_runs_outcomes_and_months_that_there_are_and_can_fail(finding: Finding):
    runs, _ = read()
    assert finding.text.endswith(".")
    assert finding.confidence in (*CONFIDENCES, "")
    assert finding.check
    for table in finding.check:
        assert {"above", "below"} & table.keys()
        assert table["kind"] in KINDS
        assert table.get("unless_off", "cascade") in MECHANISMS
        sides = [table[key] for key in ("of", "to", "less", "x", "y") if key in table]
        for term in (term for side in sides for each in np.atleast_1d(side) for term in parse(str(each))):
            run = runs[term.run]
            first, last = term.months or (1, 1)
            assert 1 <= first <= last <= run.get("months", 120)
            assert run.get("by_month") or not (term.months and table.get("over"))
            assert "over" not in table or term.outcome in VARIABLES


def test_every_run_is_needed_and_can_be_made():
    runs, findings = read()
    needed = {
        term.run
        for finding in findings
        for table in finding.check
        for key in ("of", "to", "less", "x", "y")
        for each in np.atleast_1d(table.get(key, []))
        for term in parse(str(each))
    }
    assert needed == runs.keys()
    small = {name: {**told, **SMALL} for name, told in runs.items()}
    for name in small:
        assert Tried(DEFAULT, 0, small).run(name, 0).parameters.months == runs[name].get("months", 120)


# How a check is read


def test_an_expression_is_a_sum_of_terms_with_their_signs():
    first, second, third = parse("on effort 50-54 - off effort + on fear")
    assert (first.sign, first.run, first.outcome, first.months) == (1, "on", "effort", (50, 54))
    assert (second.sign, second.run, second.outcome, second.months) == (-1, "off", "effort", None)
    assert (third.sign, third.outcome) == (1, "fear")


def test_a_national_term_is_the_mean_of_its_months_and_without_months_of_the_window():
    tried = Tried(DEFAULT, 5, RUNS)
    same = {**SMALL, "months": 24, "window": 6, "monitoring": 0.1}
    still = package.simulate(6, **same).series["fear"]
    moved = package.simulate(6, **same, schedule={"monitoring": {7: 0.9}}).series["fear"]
    found = tried.values("moved fear 10-12 - still fear 10-12", "nation", 1)
    assert found == pytest.approx((moved - still).loc[10:12].mean())
    assert found != 0.0
    assert tried.values("moved fear - still fear", "nation", 1) == pytest.approx((moved - still).loc[19:24].mean())
    assert tried.values("moved fear 1-6 - still fear 1-6", "nation", 1) == 0.0


def test_a_term_of_posts_or_organisations_is_the_mean_of_each():
    tried = Tried(DEFAULT, 5, RUNS)
    run = package.simulate(5, **SMALL, months=24, window=6, monitoring=0.1, record_organisations=True)
    posts, months = run.posts, run.organisations.set_index("month")
    assert tried.values("still trust", "posts", 0) == pytest.approx(posts["trust"].to_numpy())
    by_organisation = posts.groupby("organisation")[["trust", "confidence", "distress", "slips", "spoken"]].mean()
    assert tried.values("still trust", "organisations", 0) == pytest.approx(by_organisation["trust"].to_numpy())
    candour = (by_organisation["spoken"] / by_organisation["slips"]).to_numpy()
    assert tried.values("still candour", "organisations", 0) == pytest.approx(candour, nan_ok=True)
    early = months.loc[3:8].groupby("organisation")["quality"].mean().to_numpy()
    assert tried.values("still quality 3-8", "organisations", 0) == pytest.approx(early)


def test_what_belongs_to_a_mechanism_that_is_off_stays_off():
    tried = Tried(World({}, off=("cascade",)), 0, {"on": {**SMALL, "months": 2, "window": 1, "cascade": 0.8}})
    assert tried.run("on", 0).parameters.cascade == 0.0


def test_a_check_that_means_nothing_without_a_mechanism_is_left_out_where_that_is_off():
    table = {"kind": "value", "of": "still fear", "above": 0.0}
    finding = Finding("a", "a", "a", (table, table | {"unless_off": "cascade"}), seeds=1)
    on, off = (Tried(World({}, off=off), 0, RUNS) for off in ((), ("cascade",)))
    assert len(list(checked(on, finding))) == 2
    assert len(list(checked(off, finding))) == 1


def test_a_number_must_lie_between_its_limits_both_excluded():
    of = "still fear 1-1 - still fear 1-1"

    def holds(**limits: float) -> bool:
        finding = Finding("a", "a", "a", ({"kind": "value", "of": of, **limits},), seeds=1)
        ((found, well),) = checked(Tried(DEFAULT, 0, RUNS), finding)
        assert found == 0.0
        return well

    assert holds(above=-0.1, below=0.1)
    assert holds(below=0.1)
    assert not holds(above=0.0)
    assert not holds(below=0.0)
    assert not holds(above=0.1)


def test_a_peak_is_an_inner_maximum_against_the_larger_of_the_ends():
    curve = {"a": 2.0, "b": 1.0, "c": 6.0, "d": 4.0}
    assert number("peak", curve, of=["a", "b", "c", "d"]) == 1.5
    assert number("peak", curve, of=["c", "b", "a", "d"]) == pytest.approx(1 / 3)
    assert number("peak", {"a": 0.0, "b": 0.0}, of=["a", "b", "a"]) == 1.0


def test_a_ratio_is_of_means_and_not_a_mean_of_ratios():
    class Given(Tried):
        def values(self, expression: str, over: str, number: int) -> np.ndarray:
            return np.asarray({"a": [1.0, 6.0], "b": [1.0, 2.0]}[expression][number])

    assert KINDS["ratio"](Given(DEFAULT, 0, {}), range(2), of="a", to="b") == pytest.approx(7 / 3)
    assert number("ratio", {"a": 0.0, "b": 0.0}, of="a", to="b") == 1.0


def test_what_is_computed_over_posts():
    rng = np.random.default_rng(0)
    x, u = rng.standard_normal((2, 50_000))
    given = {"x": x, "u": u, "y": 10.0 + 0.6 * x + 0.8 * u, "half": x / 2.0, "up": abs(x), "same": np.full(9, 0.1)}
    assert number("correlation", given, over="posts", x="x", y="y") == pytest.approx(0.6, abs=0.01)
    assert number("explained", given, over="posts", y="y", x=["x"]) == pytest.approx(0.36, abs=0.01)
    assert number("explained", given, over="posts", y="y", x=["x", "u"]) == pytest.approx(1.0)
    assert number("slope", given, over="posts", x="x", y="y") == pytest.approx(0.06, abs=0.001)
    assert number("slope", given, over="posts", x="half", y="y") == pytest.approx(0.06, abs=0.001)  # a change of unit
    assert number("spread", given, over="posts", of="half", less="x") == pytest.approx(-0.5, abs=0.01)
    assert number("share_falling", given, over="posts", of="x", less="up") == pytest.approx(0.5, abs=0.01)
    assert number("explained", given, over="posts", y="same", x=["same"]) == 0.0


# In how many worlds


@pytest.fixture
def two_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A finding that holds where nothing is off, and one that holds everywhere."""
    table = {"kind": "value", "of": "moved gaming", "above": 0.0}
    always = {"kind": "value", "of": "still trust", "above": 0.0}
    findings = (
        Finding("A", "Figures are gamed.", "Somebody 2020", (always, table), first_model=0.4, seeds=2),
        Finding("B", "People trust.", "Somebody 2021", (always,), prompted="gaming", seeds=1),
    )
    monkeypatch.setattr(validation, "read", lambda: (RUNS, findings))


def test_a_finding_counts_with_the_weight_of_the_worlds_in_which_all_its_checks_hold(two_findings):
    worlds = prior(40, seed=1)
    gamed = ~worlds.off[:, [*MECHANISMS].index("gaming")]
    table = validate(worlds, 40, workers=1).set_index("id")
    holds = [validation.reproduced(world, 6 * k)["A"] for k, world in enumerate(worlds)]
    assert table.loc["A", "share"] == pytest.approx(np.mean(holds))
    assert 0.0 < np.mean(holds) <= gamed.mean() < 1.0
    assert table.loc["B", "share"] == pytest.approx(1.0)
    assert list(table["first_model"].isna()) == [False, True]
    assert list(table["fitted"]) == ["no", "prompted gaming"]


def test_a_world_of_more_weight_counts_for_more(two_findings):
    worlds = prior(12, seed=1, off=0.5)
    gamed = ~worlds.off[:, [*MECHANISMS].index("gaming")]
    assert 0 < gamed.sum() < 12
    uneven = replace(worlds, weights=np.where(gamed, 0.1, 0.9) / np.where(gamed, 0.1, 0.9).sum())
    drawn = uneven.sample(1000, 0)
    even, share = (validate(each, 1000, workers=1).set_index("id").loc["A", "share"] for each in (worlds, uneven))
    assert share <= drawn.weights[~drawn.off[:, [*MECHANISMS].index("gaming")]].sum() + 1e-9 < 0.5
    assert 0.0 < share < even
    assert not validate(uneven, 1000, workers=1).set_index("id").loc["A", "reproduced"]
    assert validate(uneven, 1000, workers=1).set_index("id").loc["B", "reproduced"]


def test_the_table_in_words_counts_only_what_nothing_was_made_for(two_findings):
    said = validation_text(validate(prior(6, seed=1, off=0.0), 6, workers=1))
    assert "Reproduced, in at least half of the weight: 1 of 1." in said
    assert "A  Figures are gamed. Somebody 2020." in said
    assert "prompted gaming" in said


def test_the_command_line_tries_worlds_taken_by_weight_and_prints_the_table(two_findings, sim, monkeypatch):
    worlds = prior(30, seed=1)
    object.__setattr__(worlds, "notes", ())
    monkeypatch.setattr("sim.worlds.ensemble.load", lambda folder: worlds)
    code, out, _ = sim("worlds", "--validate", "--worlds", "12", "--seed", "3")
    assert code == 0
    assert validation_text(validate(worlds, 12, 3)) in out
    assert validation_text(validate(worlds, 12, 4)) not in out


def test_the_command_line_refuses_what_does_not_go_with_it(sim):
    for more in (["--out", "there"], ["--calibrate"], ["--check", "2"], ["--patterns", "mine.toml"]):
        code, out, err = sim("worlds", "--validate", *more)
        assert (code, out) == (2, "")
        assert "--validate: goes with --worlds, --ensemble, --seed and --workers alone" in err

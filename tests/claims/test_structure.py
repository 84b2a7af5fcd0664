"""Choices of structure: what each changes, what it leaves as it is, and when nothing can be said."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest
from ensembles import CALIBRATIONS, by_hand

from sim.claims import statements, stored
from sim.claims.answer import ClaimReport, by_weight, claims_named
from sim.claims.structure import (
    MAIN,
    NO_VERDICT,
    RULES,
    SHARED,
    SIZES,
    WEIGHTS,
    Choice,
    change_of,
    changed,
    choices_of,
    correlated,
    cost,
    headline,
    reweighed,
    sentences,
    structure,
    wider,
    without,
)
from sim.claims.verdict import TOO_SMALL
from sim.plots.structure import verdicts_by_choice
from sim.report.claims import save_structure
from sim.statistics import effective_size
from sim.worlds import evidence as findings
from sim.worlds import survey
from sim.worlds.evaluate import effects
from sim.worlds.prior import DRAWN, SEEDS

TINY = survey.Sizes(1, 1, 2, 3)
CLAIMS = claims_named("fear", "pays")
RUN = {"systems": 1, "organisations": 2, "managers": 3, "months": 6, "window": 3}
SEED_OF_NOISE = 5


@pytest.fixture(scope="module")
def worlds():
    """Worlds that were really surveyed, in studies that take no time, and weigh as they agree."""
    shipped = findings.load()
    names = ("monitoring-stress", "monitoring-satisfaction", "relationship-performance", "churn")
    evidence = findings.Evidence(
        {**shipped.survey, "months": 6, "window": 3, "seeds": 1},
        tuple(replace(p, sd=6.0 * p.sd) for p in shipped.patterns if p.id in names),
    )
    some = replace(by_hand(60), evidence=evidence, provenance={"calibrations": [{"sizes": asdict(TINY)}]})
    found = survey.measure_all(evidence, some, some.surveys(evidence), TINY)
    some = replace(some, measured={name: found[name].astype(np.float32).astype(np.float64) for name in names})
    weights = np.exp(np.sum([*some.agreements.values()], axis=0))
    return replace(some, weights=weights / weights.sum())


@pytest.fixture(scope="module")
def report(worlds):
    """A stored answer with effects by hand: fear clearly rises, and quality hardly moves."""
    rng, n = np.random.default_rng(SEED_OF_NOISE), len(worlds)
    by_outcome = {"fear": 0.06 + 0.01 * rng.standard_normal(n), "quality": 0.01 * rng.standard_normal(n)}
    frame = pd.concat([
        pd.DataFrame({
            "world": np.arange(n), "calibration": worlds.calibrations, "ancestor": worlds.ancestors,
            "weight": worlds.weights, "contrast": statements.SURVEILLANCE.name, "outcome": outcome,
            "estimate": x.astype(np.float32), "error": np.float32(0.001), "pairs": 8,
        })
        for outcome, x in by_outcome.items()
    ])  # fmt: skip
    told = {"model": stored.signature(), "seed": 0, "sizes": RUN, "effort": {"again": 0},
            "smallest_effects": {"fear": 0.02, "quality": 0.02}, "worlds": {"main": n}}  # fmt: skip
    return ClaimReport(pd.DataFrame({"claim": ["fear", "pays"]}), {}, frame, CLAIMS, {}, told)


def of(table, choice, claim):
    """One row of a table."""
    (row,) = table[(table["choice"] == choice) & (table["claim"] == claim)].to_dict("records")
    return row


SAME = Choice("same", "the same surveys", "surveys", survey=(("months", 6),))
"""Surveys all worlds again, as they were surveyed."""


def test_a_choice_that_changes_nothing_gives_the_same_weights_and_verdicts_to_the_bit(worlds, report):
    change = change_of(SAME, worlds)
    assert not change.any()
    assert (reweighed(worlds.weights, change) == worlds.weights).all()
    table = structure(report, worlds, [SAME], least=0.0)
    told = ["verdict", "words", "mean", "mean_error", "low", "high", "share", "share_error", "n_eff", "effective_size"]
    for claim in ("fear", "pays"):
        main, again = (pd.Series(of(table, choice, claim))[told] for choice in (MAIN, "same"))
        pd.testing.assert_series_equal(main, again, check_names=False, rtol=0.0, atol=0.0)
    assert of(table, MAIN, "fear")["verdict"] == "supported" and of(table, MAIN, "pays")["verdict"] == TOO_SMALL
    assert set(table["differs"]) == {"no"}


def test_a_pattern_left_out_gives_the_weights_without_it(worlds):
    new = reweighed(worlds.weights, without("churn")(worlds))
    np.testing.assert_allclose(new, worlds.without(["churn"]), rtol=1e-12)
    assert abs(new - worlds.weights).max() > 1e-4
    assert {f"without {p.id}" for p in worlds.evidence.patterns} < {c.name for c in choices_of(worlds.evidence)}


@pytest.mark.parametrize("by_strength", [False, True])
def test_errors_correlated_by_0_are_independent_ones(worlds, by_strength):
    np.testing.assert_allclose(correlated(0.0, by_strength)(worlds), 0.0, atol=1e-12)


def test_errors_correlated_by_a_half_forgive_two_findings_that_miss_by_as_much(worlds):
    """−½·2/(1 + ρ)·d² instead of −½·2·d² for two alike; and to opposite sides 1/(1 − ρ)."""
    stress, satisfaction = worlds.evidence.patterns[:2]
    base = {p.id: np.full(60, p.value) for p in worlds.evidence.patterns}
    both_high = {stress.id: base[stress.id] + stress.sd, satisfaction.id: base[satisfaction.id] + satisfaction.sd}
    high = replace(worlds, measured={**base, **both_high})
    assert correlated(0.5)(high)[0] == pytest.approx(1.0 - 1.0 / 1.5)
    assert correlated(0.5, by_strength=True)(high)[0] == pytest.approx(1.0 - 1.0 / 0.5)  # one strong, the other weak


def test_findings_that_share_errors_are_those_of_one_source():
    sources = {p.id: p.source.split(" 20")[0] for p in findings.load().patterns}
    for group in SHARED:
        (source,) = {sources[name] for name in group}
        assert {name for name, of in sources.items() if of == source} == set(group)


def test_tolerances_times_root_2_raise_the_effective_size(worlds):
    new = reweighed(worlds.weights, wider(2.0**0.5)(worlds))
    assert effective_size(new) > effective_size(worlds.weights) * 1.005
    half = np.exp(np.sum([*worlds.agreements.values()], axis=0) / 2.0)
    np.testing.assert_allclose(new, half / half.sum(), rtol=1e-12)


def test_what_surveys_see_changes_only_the_findings_that_see_it(worlds):
    """Whose quality is rated changes the finding on performance alone."""
    rated = next(c for c in choices_of(worlds.evidence) if c.name == "rated by figures")
    assert [p.id for p in rated.asks(worlds.evidence).patterns] == ["relationship-performance"]
    seen = replace(worlds, nuisance=worlds.nuisance * [1.0, 0.0, 1.0, 1.0])
    anew = survey.measure_all(worlds.evidence, seen, seen.surveys(worlds.evidence), TINY)["relationship-performance"]
    pattern = next(p for p in worlds.evidence.patterns if p.id == "relationship-performance")
    expected = [survey.log_agreement(pattern, x) for x in anew.astype(np.float32).astype(np.float64)]
    np.testing.assert_array_equal(change_of(rated, worlds), expected - worlds.agreements[pattern.id])
    assert change_of(rated, worlds).any()


def test_twice_the_seeds_is_the_mean_of_the_stored_surveys_and_of_others(worlds):
    twice = next(c for c in choices_of(worlds.evidence) if c.again)
    others = survey.measure_all(worlds.evidence, worlds, worlds.seeds + SEEDS, TINY)
    expected = np.zeros(len(worlds))
    for p in worlds.evidence.patterns:
        both = (others[p.id].astype(np.float32).astype(np.float64) + worlds.measured[p.id]) / 2.0
        expected += [survey.log_agreement(p, x) for x in both] - worlds.agreements[p.id]
    np.testing.assert_array_equal(change_of(twice, worlds), expected)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_changed_rule_holds_in_every_world_under_every_policy(worlds, rule):
    ((name, value),) = rule.rules
    found = rule.of(worlds)
    on = np.flatnonzero(worlds.is_on(name))
    assert {found[k].parameters(regime).model_dump()[name] for k in on for regime in ("light", "heavy")} == {value}
    others = [k for k, drawn in enumerate(DRAWN) if drawn != name]
    np.testing.assert_array_equal(found.values[:, others], worlds.values[:, others])
    assert rule.asks(worlds.evidence).patterns == worlds.evidence.patterns


def test_changed_rules_are_run_in_worlds_drawn_by_the_new_weights_and_what_is_done_is_kept(
    worlds, report, tmp_path, monkeypatch
):
    rule, calls = RULES[0], []
    table = structure(report, worlds, [rule], number=10, least=0.0, folder=tmp_path,
                      progress=lambda done, total, note="": calls.append((done, total)))  # fmt: skip
    row = of(table, rule.name, "fear")
    new = reweighed(worlds.weights, change_of(rule, worlds))
    numbers, w = by_weight(replace(worlds, weights=new), 10)
    anew = effects(
        rule.of(worlds).take(numbers, w), [statements.SURVEILLANCE], statements.precision(report.sizes), 0, RUN
    )
    assert row["mean"] == pytest.approx(w @ anew.of(statements.SURVEILLANCE.name, "fear"), rel=1e-9)
    assert row["effective_size"] == pytest.approx(effective_size(w)) and len(numbers) <= 10 < effective_size(new)
    assert calls[-1][0] <= calls[-1][1] == 70 and [d for d, _ in calls] == sorted(d for d, _ in calls)

    def never(*_):
        raise AssertionError("made again")

    monkeypatch.setattr("sim.worlds.survey.vector", never)
    monkeypatch.setattr("sim.worlds.evaluate.means", never)
    pd.testing.assert_frame_equal(structure(report, worlds, [rule], number=10, least=0.0, folder=tmp_path), table)


def test_too_few_worlds_give_no_verdict_and_say_so(worlds, report, monkeypatch):
    """Where they are too few for a changed rule, no policy is run either."""
    monkeypatch.setattr("sim.worlds.evaluate.effects", lambda *_, **__: pytest.fail("was run"))
    lost = Choice("lost", "one world left", "weights", kernel=lambda w: -40.0 * (np.arange(len(w)) > 0))
    table = structure(report, worlds, [lost, RULES[0]], least=61.0)
    for choice in ("lost", RULES[0].name):
        row = of(table, choice, "fear")
        assert row["verdict"] == row["by_points"] == NO_VERDICT and row["differs"] == row["differs_by_points"] == ""
        assert "which is below 61" in row["words"]
    assert of(table, "lost", "fear")["effective_size"] == pytest.approx(1.0)
    assert of(table, MAIN, "fear")["verdict"] == "supported"  # the answer stands as it is
    assert headline(table) == "Under each of 2 choices too few worlds are left to say anything"


def test_a_share_that_calibrations_disagree_about_gives_no_verdict(worlds, report):
    """Half of the calibrations say one thing and half the other: some three worlds would know as much."""
    frame = report.effects
    torn = frame.assign(estimate=np.where(frame["calibration"] <= 2, 0.06, -0.06))
    row = of(structure(replace(report, effects=torn), worlds, [SAME], least=5.0), "same", "fear")
    assert row["verdict"] == NO_VERDICT and row["n_eff"] < 5.0 < row["effective_size"]
    assert row["words"].startswith("the share is known as well as from") and row["differs"] == ""


def test_weight_on_one_calibration_alone_gives_no_verdict(worlds, report):
    first = worlds.calibrations == 1
    assert CALIBRATIONS > 1 and first.sum() > 10
    alone = Choice("alone", "one calibration", "weights", kernel=lambda _: np.where(first, 0.0, -40.0))
    assert of(structure(report, worlds, [alone], least=5.0), "alone", "fear")["verdict"] == NO_VERDICT


def test_first_limits_are_those_of_the_stored_table_and_leave_the_weights(worlds, report):
    key = {"contrast": statements.SURVEILLANCE.name}
    first = pd.DataFrame([{"claim": "fear", **key, "outcome": "fear", "delta": 0.08}])
    table = structure(replace(report, tables={"first_limits": first}), worlds, WEIGHTS[-1:], least=0.0)
    row = of(table, "first limits", "fear")
    assert row["verdict"] == TOO_SMALL and row["differs"] == "yes" and row["delta"] == 0.08
    assert row["mean"] == of(table, MAIN, "fear")["mean"]
    assert len(table) == 3  # the other outcome had none


def test_sizes_are_read_from_the_columns_that_are_stored(worlds, report):
    holds = {"contrast": statements.SURVEILLANCE.name, "outcome": "fear", "column": "months_240", "worlds": 55.0,
             "mean": -0.05, "mean_error": 0.001, "above": 0.02, "above_error": 0.01, "within": 0.08,
             "within_error": 0.02, "below": 0.9, "below_error": 0.02}  # fmt: skip
    told = {**report.provenance, "effort": {"again": 60}}
    table = structure(
        replace(report, tables={"holds": pd.DataFrame([holds])}, provenance=told), worlds, SIZES, least=10.0
    )
    row = of(table, "months 240", "fear")
    assert row["verdict"] == "opposed" and row["differs"] == row["differs_by_points"] == "yes"
    assert row["effective_size"] == 55.0 and row["low"] < -0.05 < row["high"] < -0.02
    assert set(table["choice"]) == {MAIN, "months 240"}
    assert sentences(table)[1] == "fear: supported (opposed: months 240)."


def test_the_cost_is_told_before(worlds, report):
    """Six rules and further seeds take all findings, of one arm here; four choices of the surveys take them, too."""
    assert cost(report, worlds, 10) == (
        "660 surveys of 60 worlds, 660 runs; for the rules 960 to 3,840 runs of policies at most."
    )


def test_the_table_is_part_of_the_answer_and_the_picture_says_every_verdict(worlds, report, tmp_path):
    lost = Choice("lost", "one world left", "weights", kernel=lambda w: -40.0 * (np.arange(len(w)) > 0))
    turned = report.effects["estimate"].where(report.effects["outcome"] != "fear", -report.effects["estimate"])
    other = structure(replace(report, effects=report.effects.assign(estimate=turned)), worlds, [SAME], least=0.0)
    table = pd.concat([structure(report, worlds, [lost]), other[other["choice"] == "same"]], ignore_index=True)
    table.loc[table["choice"] == "same", ["differs", "differs_by_points"]] = "yes"
    written = save_structure(replace(report, tables={"structure": table}), tmp_path)
    assert {path.name for path in written} == {"answer.zip", "structure.csv", "structure.png", "structure.svg"}
    pd.testing.assert_frame_equal(stored.unpacked(tmp_path / "answer.zip")[0]["structure"], table)

    (axes,) = (figure := verdicts_by_choice(table)).axes
    assert [text.get_text() for text in axes.texts] == ["right", "small", "", "", "wrong", "small"]
    assert sum(patch.get_hatch() is not None for patch in axes.patches) == 2
    assert sum(not patch.get_fill() for patch in axes.patches) == changed(table).sum() == 2
    assert "none of 2 claims" in " ".join(figure.get_suptitle().split())

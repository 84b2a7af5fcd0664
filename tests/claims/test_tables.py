"""Tables of an answer: what follows from effects that are made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sim.claims import statements, tables
from sim.claims.statements import ATMOSPHERE, BUDGET_LINE, PATHS, SURVEILLANCE, VECTOR, contrasts_of
from sim.claims.statements import sizes_of_interest as sizes
from sim.statistics import mean
from sim.worlds.evaluate import MEASURES, PLACE, SPREAD, Baseline, Effects
from sim.worlds.prior import DRAWN, Worlds, prior

SIZES = sizes({"quality_per_cost": 0.5})
N, CALIBRATIONS = 40, 8


def sample(n=N, off=0.15):
    worlds = prior(n, off=off)
    weights = np.linspace(1, 2, n)
    at = np.arange(n) * CALIBRATIONS // n
    return Worlds(worlds.values, worlds.off, worlds.nuisance, weights=weights / weights.sum(), calibrations=at)


def made(effects, n=N, errors=0.0):
    """Effects of contrasts, by (contrast, outcome); all others are 0."""
    names = tuple(c.name for c in contrasts_of())
    x = np.zeros((n, len(names), len(MEASURES)), dtype=np.float32)
    for (contrast, outcome), values in effects.items():
        x[:, names.index(contrast), PLACE[outcome]] = values
    return Effects(sample(n), names, x, np.full_like(x, errors), np.ones(x.shape[:2], dtype=np.int64))


def baseline(cooperation=0.5, slope=None):
    worlds = sample()
    level = np.full((N, len(MEASURES)), 0.4)
    level[:, PLACE["cooperation"]] = cooperation
    return Baseline(worlds, level, np.full((N, len(SPREAD)), 0.1), np.full(N, np.nan) if slope is None else slope)


RNG = np.random.default_rng(0)
FEAR = 0.04 + 0.01 * RNG.standard_normal(N)


def test_a_finding_has_mean_shares_and_their_errors_as_anybody_can_compute_them():
    e = made({(SURVEILLANCE.name, "fear"): FEAR}, errors=0.005)
    row, x, s = tables.finding(e, SURVEILLANCE.name, "fear", 0.02, 1), FEAR.astype(np.float32), e.sample
    assert (row["mean"], row["mean_error"]) == pytest.approx(mean(s.weights, x, s.calibrations))
    assert (row["above"], row["above_error"]) == pytest.approx(mean(s.weights, x > 0.02, s.calibrations))
    assert row["above"] + row["within"] + row["below"] == pytest.approx(1.0)
    assert row["near"] == pytest.approx(s.weights @ (np.abs(x - 0.02) <= 0.01))
    assert (row["verdict"], row["words"]) == ("supported", "supported in nearly all of 100 plausible worlds")
    assert row["low"] < row["mean"] < row["high"]
    assert row["n_eff"] == pytest.approx(row["above"] * (1 - row["above"]) / row["above_error"] ** 2)


def test_with_equal_weights_every_calibration_counts_the_same():
    by = np.repeat(np.linspace(0, 0.07, CALIBRATIONS), N // CALIBRATIONS)
    row = tables.finding(made({(SURVEILLANCE.name, "fear"): by}), SURVEILLANCE.name, "fear", 0.02, 1)
    assert row["equal_mean"] == pytest.approx(0.035)
    assert row["mean"] > row["equal_mean"]


def test_a_calibration_without_weight_has_none_either_if_all_count_the_same():
    own = np.array([0.3, 0.3, 0.4, 0.0])
    worlds = replace(prior(4), weights=own, calibrations=np.array([5, 5, 2, 9]))
    assert tables.equally(worlds).tolist() == [0.25, 0.25, 0.5, 0.0]


def test_an_outcome_without_a_limit_is_an_estimate():
    row = tables.finding(made({(SURVEILLANCE.name, "moral_strain"): FEAR}), SURVEILLANCE.name, "moral_strain", None)
    assert row["verdict"] == "estimate" and "above" not in row and row["low"] < row["mean"] < row["high"]


def test_every_contrast_is_told_by_the_same_vector_and_nobodys_outcomes_by_their_direction():
    rows = list(tables.vector(made({(SURVEILLANCE.name, "cooperation"): -0.2}), SIZES, statements.CLAIMS))
    by = {(row["contrast"], row["outcome"]): row for row in rows}
    contrasts = {case.contrast.name for _, case in statements.cases()}
    assert set(by) == {(contrast, outcome) for contrast in contrasts for outcome in VECTOR}
    assert by[SURVEILLANCE.name, "cooperation"]["verdict"] == "worse"
    assert by[SURVEILLANCE.name, "harm"]["side"] == "government"
    assert not by[SURVEILLANCE.name, "reported"]["claimed"]


def test_each_half_of_the_calibrations_gives_an_answer_of_its_own():
    """In the first half fear hardly moves, in the second by much."""
    by = np.repeat([0.001, 0.05], N // 2) + 0.001 * RNG.standard_normal(N)
    e = made({(SURVEILLANCE.name, "fear"): by})
    row = next(r for r in tables.halves(e, SIZES, statements.CLAIMS) if (r["claim"], r["outcome"]) == ("fear", "fear"))
    second = e.sample.calibrations >= CALIBRATIONS // 2
    assert (row["verdict_first"], row["verdict_second"], row["same"]) == ("too small to matter", "supported", False)
    assert row["mean_second"] == pytest.approx(np.average(by[second], weights=e.sample.weights[second]), rel=1e-5)
    for worlds, told in ((12, False), (20, True)):  # of three calibrations, of four
        assert bool(list(tables.halves(e.take(np.arange(worlds)), SIZES, statements.CLAIMS))) == told


def test_shares_over_delta_begin_with_the_sign_and_fall():
    e = made({(SURVEILLANCE.name, "fear"): FEAR})
    every = list(tables.curves(e, SIZES, statements.CLAIMS, {"fear": 0.08}))
    rows = [r for r in every if (r["contrast"], r["outcome"]) == (SURVEILLANCE.name, "fear")]
    above = [row["above"] for row in rows]
    assert above[0] == pytest.approx(1.0) and above == sorted(above, reverse=True)
    at = next(row for row in rows if row["times"] == 1.0)
    assert at["above"] == pytest.approx(tables.finding(e, SURVEILLANCE.name, "fear", 0.02, 1)["above"])
    assert {row["between_posts"] for row in rows} == {0.08}
    assert all(row["above"] == row["below"] == 0.0 for row in every if row not in rows)  # not at 0 either


def test_the_limits_of_the_first_version_are_told_beside():
    e = made({(SURVEILLANCE.name, "fear"): 0.03})
    rows = {
        (r["claim"], r["outcome"]): r for r in tables.first_limits(e, dict.fromkeys(MEASURES, 0.1), statements.CLAIMS)
    }
    assert rows["fear", "fear"]["verdict"] == "too small to matter"
    assert rows["risk", "initiative_rate"]["delta"] == pytest.approx(0.01)
    of_baseline = {"quality_per_cost": 0.005} | dict.fromkeys(tables.FIRST_SHARES.keys() - {"quality_per_cost"}, 0.01)
    own = {"fear": 0.05, "toxic": 0.05, "time_left": 0.05, "confidence": 0.05, "distress": 0.03, "satisfaction": 0.03,
           "integrity": 0.03, "overload": 0.02, "quality": 0.02, "reported": 0.02}  # fmt: skip
    found = {outcome: row["delta"] for (_, outcome), row in rows.items()}
    assert found == pytest.approx({outcome: (of_baseline | own)[outcome] for outcome in found})


def test_the_part_through_fear_is_the_ratio_of_two_means_not_the_mean_of_ratios():
    whole = -0.01 + 0.004 * RNG.standard_normal(N)
    part = 0.7 * whole + 0.0005 * RNG.standard_normal(N)
    e = made(
        {(SURVEILLANCE.name, "initiative_rate"): whole, (PATHS["the part through fear"].name, "initiative_rate"): part}
    )
    row = next(r for r in tables.path_through_fear(e) if r["version"] == "the part through fear")
    w = e.sample.weights
    assert row["part"] == pytest.approx((w @ part) / (w @ whole), rel=1e-4)
    assert row["low"] < 0.7 < row["high"] and row["part_error"] < 0.03


def test_the_part_is_not_given_where_the_whole_change_is_not_told_from_none():
    whole = 0.01 * RNG.standard_normal(N)
    rows = list(tables.path_through_fear(made({(SURVEILLANCE.name, "initiative_rate"): whole - whole.mean()})))
    assert len(rows) == 3 and all("part" not in row for row in rows)


def test_an_atmosphere_of_fear_is_a_slope_within_worlds_and_worlds_whose_fear_hardly_moves_are_left_out():
    slope = np.repeat([-0.2, -0.2, 0.0, 0.1], 10)
    moves = np.where(np.arange(N) % 4 == 0, 0.001, 0.05)
    found = {}
    for factor, contrast in ATMOSPHERE.items():
        fear = 0.3 + moves * (factor - 1)
        found |= {(contrast.name, "fear"): fear, (contrast.name, "initiative_rate"): 0.125 + slope * (fear - 0.3)}
    (row,) = tables.atmosphere(made(found))
    w, some = sample().weights, np.arange(N) % 4 != 0
    assert row["left_out"] == pytest.approx(w[~some].sum())
    assert row["mean"] == pytest.approx((w * slope)[some].sum() / w[some].sum(), rel=1e-3)
    assert row["falling"] == pytest.approx(w[some & (slope < 0)].sum() / w[some].sum())


def test_a_slope_is_taken_where_fear_moves_by_the_least_difference_from_first_to_last():
    fear = np.array([[0.0, 0.1, tables.FEAR_MOVES], [0.0, 0.1, 0.0]])
    assert tables.slopes(fear, 2.0 * fear) == pytest.approx([2.0, np.nan], nan_ok=True)


def test_how_much_more_cooperation_makes_up_for_a_cut():
    base = baseline()
    gain = base.sample.values[:, DRAWN.index("cooperation_gain")] * base.sample.is_on("cooperation_gain")
    needed = np.divide(1 + gain * 0.5, 0.9 * np.where(gain > 0, gain, 1)) - 1 / np.where(gain > 0, gain, 1)
    there = (gain > 0) & (needed <= 1)
    rows = {row["case"]: row for row in tables.made_up(base)}
    w = base.sample.weights
    assert rows["no cooperation makes up for it"]["share"] == pytest.approx(w[~there].sum())
    assert rows["more cooperation"]["mean"] == pytest.approx((w * (needed - 0.5))[there].sum() / w[there].sum())


def test_with_that_cooperation_the_load_is_what_it_was():
    (more,) = tables.cooperation_needed(np.array([0.4]), np.array([0.35]), 0.9)
    assert 0.9 * (1 + 0.35 * (0.4 + more)) == pytest.approx(1 + 0.35 * 0.4)


def test_the_optimum_of_the_budget_line_is_found_where_it_was_put_for_quality_and_for_harm():
    tops = np.tile([0.2, 0.4, -1.0, 2.0], 10)
    found = {}
    for r, contrast in BUDGET_LINE.items():
        found[contrast.name, "quality"] = -((r - tops) ** 2) + tops**2
        found[contrast.name, "harm"] = (r - tops) ** 2 - tops**2
    rows = list(tables.optimum(made(found)))
    for outcome in ("quality", "harm"):
        mine = [row for row in rows if row["outcome"] == outcome]
        assert sum(row["share"] for row in mine) == pytest.approx(1.0)
        assert (mine[0]["share"], mine[-1]["share"]) == pytest.approx((0.25, 0.25), abs=0.02)
        assert mine[0]["best_q25"] == pytest.approx(0.0, abs=0.21) and mine[0]["best_q95"] == pytest.approx(0.775)
        assert mine[0]["best_mean"] == pytest.approx(sample().weights @ np.tile([0.2, 0.4, 0.0, 0.775], 10), abs=1e-5)


def test_whether_those_with_a_record_slip_more_leaves_out_worlds_without_a_record():
    slope = np.repeat([np.nan, -0.1, 0.0, 0.2], 10)
    (row,) = tables.records(baseline(slope=slope))
    w = sample().weights
    assert (row["without"], row["worlds"]) == (10, N)
    assert row["above_0"] == pytest.approx(w[30:].sum() / w[10:].sum())
    assert not list(tables.records(baseline()))


def test_monitoring_and_targets_add_up_to_both_and_the_interaction():
    rows = {r["step"]: r for r in tables.doses(made({}), statements.CLAIMS, SIZES) if r["outcome"] == "fear"}
    assert list(rows) == ["at 0", "at 0.2", "at 0.8", "at 1", "hands_off, a bundle", "monitoring alone",
                          "targets alone", "both", "interaction"]  # fmt: skip


def test_an_answer_says_where_it_fails_its_own_standards():
    noisy = np.tile([0.05, 0.0], N // 2) * (np.arange(N) < N // 2)
    e = made({(SURVEILLANCE.name, "fear"): noisy})
    rows = list(tables.findings(e, SIZES, statements.CLAIMS))
    met = {row["rule"].split(",")[0]: row["met"] for row in tables.standards(e, rows, [0.0, 1.0])}
    assert met["effective number of calibrations"] and met["weight of the heaviest calibration"]
    assert not met["error of the share of a primary outcome"] and not met["standard deviation of log Z"]
    assert [row["limit"] for row in tables.standards(e, rows, [0.0])] == [6.0, 0.3, 0.6, 0.03, 0.03]


def test_six_calibrations_that_count_the_same_are_enough():
    e = made({}, n=24)
    six = replace(e, sample=replace(e.sample, weights=np.ones(24), calibrations=np.arange(24) // 4))
    enough = next(tables.standards(six, [], [0.0]))
    assert (enough["value"], enough["met"]) == (6.0, True)


def test_the_level_of_fear_is_told_with_its_band_and_without_a_verdict():
    (row,) = tables.levels(baseline(), statements.CLAIMS)
    assert row["outcome"] == "fearful" and "verdict" not in row and row["q05"] <= row["q50"] <= row["q95"]

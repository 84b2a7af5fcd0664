"""Does it hold? When a column differs, holds, or cannot tell, by cases made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from sim.claims.multiverse import (
    CANNOT_TELL,
    COLUMNS,
    DIFFERS,
    HOLDS,
    NO_FINDING,
    Change,
    Columns,
    halves,
    held,
    left_one_out,
    one_left_out,
    other_worlds,
    overall,
    same_worlds,
    spread_of,
    status,
)
from sim.claims.verdict import over
from sim.statistics import Estimate, student
from sim.worlds.evaluate import MEASURES, PLACE, Effects
from sim.worlds.prior import prior

DELTA = 0.02


def change(mean=0.0, share=0.0, mean_error=0.001, share_error=0.01):
    """The share of the effects above goes by `share` into those within."""
    shares = {1: Estimate(share, share_error), 0: Estimate(-share, share_error), -1: Estimate(0.0, 0.0)}
    return Change(Estimate(mean, mean_error), shares)


def test_a_column_differs_where_the_verdict_is_another_and_what_moved_it_is_clear():
    assert status(1, 0, change(share=-0.1), 1) == DIFFERS
    assert status(1, None, change(share=-0.1), 1) == DIFFERS
    assert status(1, None, change(mean=-0.01), 1) == DIFFERS


def test_another_verdict_by_a_change_within_two_errors_does_not_differ():
    assert status(1, None, change(share=-0.019, mean=-0.0019), 1) == HOLDS


def test_a_clear_change_that_leaves_the_verdict_does_not_differ():
    assert status(1, 1, change(share=-0.2, mean=-0.1), 1) == HOLDS


def test_a_change_that_is_not_known_within_5_points_cannot_tell():
    assert status(1, 1, change(share_error=0.051), 1) == CANNOT_TELL
    assert status(1, None, change(share=-0.09, share_error=0.051), 1) == CANNOT_TELL
    assert status(1, None, change(share=-0.2, share_error=0.051), 1) == DIFFERS
    assert status(1, 1, change(share_error=float("nan")), 1) == CANNOT_TELL


def test_divided_worlds_that_become_agreed_differ_by_the_share_that_grew():
    grown = Change(Estimate(0.0, 0.01), {1: Estimate(-0.01, 0.02), 0: Estimate(0.2, 0.02), -1: Estimate(-0.19, 0.02)})
    assert status(None, 0, grown, 1) == DIFFERS


AT = np.repeat(np.arange(10), 10)
W = np.full(100, 0.01)
MAIN = np.tile([0.05] * 7 + [0.0] * 3, 10)  # in each calibration seven of ten worlds are beyond


def test_the_same_worlds_under_other_sizes_are_held_against_themselves():
    """Effects that differ between worlds by much and between sizes by a little: the change is known, not the level."""
    same = same_worlds(MAIN, MAIN + 0.001, DELTA, W, AT)
    assert (same.status, same.change.mean.estimate) == (HOLDS, pytest.approx(0.001))
    assert same.change.mean.error == pytest.approx(0.0, abs=1e-12)
    gone = same_worlds(MAIN, 0.3 * MAIN, DELTA, W, AT)
    assert (gone.verdict, gone.status) == (0, DIFFERS)


def test_other_weights_in_the_same_worlds_change_the_answer_by_the_jackknife_of_the_change():
    favour = np.where(MAIN > DELTA, 1.0, 6.0)
    own = W * favour / (W * favour).sum()
    found = same_worlds(MAIN, MAIN, DELTA, W, AT, own)
    assert found.over.shares[0].estimate == pytest.approx(18 / 25)
    assert found.change.shares[1].estimate == pytest.approx(7 / 25 - 0.7)
    assert found.status == DIFFERS
    assert same_worlds(MAIN, MAIN, DELTA, W, AT, W).change.mean == pytest.approx((0.0, 0.0), abs=1e-15)


def test_a_column_is_held_against_the_verdict_of_the_main_answer_not_of_the_worlds_that_were_run_again():
    main, some = over(MAIN, DELTA, W, AT), slice(0, 50)
    few = np.where(np.arange(50) % 10 < 4, 0.05, 0.0)  # here only four of ten are beyond, and they stay so
    found = same_worlds(few, few, DELTA, W[some] * 2, AT[some], answer=main)
    assert (found.verdict, found.status) == (None, HOLDS)
    assert same_worlds(few, few / 10, DELTA, W[some] * 2, AT[some], answer=main).status == DIFFERS


def test_other_worlds_have_errors_of_their_own():
    main, other = over(MAIN, DELTA, W, AT), over(MAIN[::-1], DELTA, W, AT)
    found = other_worlds(main, spread_of(MAIN, DELTA, W, AT), other, DELTA, 10)
    expected = np.hypot(main.shares[1].error, other.shares[1].error)
    assert found.change.shares[1].error == pytest.approx(expected)


def test_a_column_of_few_calibrations_borrows_the_spread_of_the_main_answer():
    rng = np.random.default_rng(0)
    x = np.repeat(rng.normal(0.03, 0.01, 10), 10)
    main, few = over(x, DELTA, W, AT), over(np.full(30, 0.03), DELTA, np.full(30, 1 / 30), np.arange(30) // 10)
    spread = spread_of(x, DELTA, W, AT)
    assert spread.mean.error == pytest.approx(x.reshape(10, 10).mean(axis=1).std(ddof=1))
    found = other_worlds(main, spread, few, DELTA, 3)
    assert found.change.mean.error == pytest.approx(np.hypot(main.mean.error, spread.mean.error / 3**0.5))
    assert other_worlds(main, spread, few, DELTA, 6).change.mean.error == pytest.approx(main.mean.error)


def test_halves_differ_by_students_quantile_of_both():
    calm = halves(MAIN, DELTA, W, AT, 1)
    assert (calm.status, calm.change.mean.estimate) == (HOLDS, pytest.approx(0.0))
    rng = np.random.default_rng(1)
    wide = np.repeat(np.where(np.arange(10) < 5, 0.06, 0.0) + 0.004 * rng.standard_normal(10), 10)
    assert halves(wide, DELTA, W, AT, 1).status == DIFFERS
    assert float(student(9.0)) == pytest.approx(2.306, abs=1e-3)  # 5 + 5 − 2 degrees of freedom
    assert halves(MAIN[:30], DELTA, np.full(30, 1 / 30), AT[:30], 1) is None


def test_each_calibration_is_left_out_in_turn():
    x = np.where(AT == 3, -5.0, MAIN)
    told = one_left_out(x, DELTA, W, AT)
    assert [k for k, one in enumerate(told) if one == 1] == [3]


def test_robust_allows_one_column_that_cannot_tell_and_none_that_differs():
    fine = dict.fromkeys(COLUMNS, HOLDS)
    assert overall(fine) == overall({**fine, "prior": CANNOT_TELL, "left_out": NO_FINDING}) == "robust"
    assert overall({**fine, "prior": DIFFERS, "months_60": DIFFERS}) == (
        "depends on the published findings and the time (5 years)"
    )
    assert overall({**fine, "prior": CANNOT_TELL, "halves": CANNOT_TELL}).startswith("depends on what 2 of 8 columns")


def test_a_column_that_was_not_run_cannot_tell():
    assert overall({name: HOLDS for name in list(COLUMNS)[:-1]}) == "robust"
    assert overall({name: HOLDS for name in list(COLUMNS)[:-2]}) != "robust"


def made(values, calibrations=10):
    """The effects of one contrast on fear, in worlds of so many calibrations."""
    x = np.zeros((len(values), 1, len(MEASURES)), dtype=np.float32)
    x[:, 0, PLACE["fear"]] = values
    worlds = prior(len(values))
    sample = type(worlds)(
        worlds.values, worlds.off, worlds.nuisance, calibrations=np.arange(len(values)) * calibrations // len(values)
    )
    return Effects(sample, ("one",), x, x * 0, np.ones((len(values), 1), dtype=np.int64))


ROW = {"contrast": "one", "outcome": "fear", "delta": DELTA, "sign": 1, "direction": -1}


def columns_of(**how):
    worlds = made(MAIN)
    there = Columns(**{"without": lambda names: np.full(100, 0.01), **how})
    found = held(worlds, there, [ROW, {"contrast": "one", "outcome": "misfit"}], {"fear": DELTA}, lambda c, o: ("a",))
    return {row["column"]: row for row in found}


def test_every_column_that_was_asked_has_a_row_and_an_estimate_has_none():
    found = columns_of(
        others={"prior": made(MAIN[:60], 60), "all_on": made(0.2 * MAIN, 3)},
        same={"managers_4": (made(MAIN), made(MAIN)), "months_60": (made(MAIN), made(-MAIN))},
    )
    told = {name: (row["verdict"], row["status"]) for name, row in found.items()}
    assert told == {
        "prior": ("supported", CANNOT_TELL),  # sixty independent worlds know the share within 6 points only
        "all_on": ("too small to matter", DIFFERS),
        "left_out": ("supported", CANNOT_TELL),  # a hundred worlds are fewer than 400
        "halves": ("supported", HOLDS),
        "managers_4": ("supported", HOLDS),
        "months_60": ("opposed", DIFFERS),
    }


def test_findings_left_out_take_worlds_that_were_calibrated_without_them_where_there_are_such():
    found = columns_of(refits={frozenset({"a"}): made(-MAIN)})
    assert (found["left_out"]["verdict"], found["left_out"]["status"]) == ("opposed", DIFFERS)


def test_where_no_finding_is_on_an_outcome_the_table_says_so():
    rows = held(made(MAIN), Columns(lambda names: W), [ROW], {"fear": DELTA}, lambda c, o: ())
    assert [row["status"] for row in rows if row["column"] == "left_out"] == [NO_FINDING]


def test_worlds_of_the_prior_are_not_left_out_one_by_one():
    assert len(list(left_one_out(made(MAIN), [ROW], {"fear": DELTA}))) == 10
    assert not list(left_one_out(made(MAIN, 100), [ROW], {"fear": DELTA}))

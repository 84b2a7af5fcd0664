"""Policies in worlds: arms share seeds within a world, runs are kept, and bad questions get a line each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sim.claims.statements import HEAVY, LIGHT, PATHS
from sim.errors import InputError
from sim.model import engine
from sim.model.parameters import MECHANISMS, PARAMETERS
from sim.model.run import simulate
from sim.worlds.evaluate import Arm, check, evaluate
from sim.worlds.prior import DRAWN, Worlds, prior


def test_every_mistake_gets_a_line():
    with pytest.raises(InputError) as refused:
        check(["feer"], ["fear"], {"draws": (True, 2)}, {"sistems": 3, "managers": 0, "months": 4}, settled=("months",))
    assert refused.value.lines == (
        'outcome = "feer": no such outcome (did you mean "fear"?)',
        "draws = True: must be a whole number from 2 to 1000000",
        'sistems: no size of a run (did you mean "systems"?)',
        "months: cannot be set here; it follows from the rest",
        "managers = 0: must be a whole number from 1 to 1 000 000 000",
    )


SIZES = {"organisations": 2, "managers": 3, "months": 6, "window": 3}


def evaluated(arms, worlds=3, **how):
    return evaluate(prior(worlds, seed=3), arms, 2, sizes={"systems": 1, **SIZES}, **how)


def test_an_outcome_is_the_mean_over_the_last_months_of_a_run():
    values = np.array([[PARAMETERS[name].default for name in DRAWN]], dtype=float)
    default = Worlds(values, np.zeros((1, len(MECHANISMS)), dtype=bool), np.ones(1))
    found = evaluate(default, [HEAVY], 2, first=8, sizes={"systems": 1, **SIZES})
    series = simulate(seed=9, regime="heavy", systems=1, **SIZES).series.loc[4:6].mean()
    for name, expected in {
        "fear": series["fear"],
        "gap": series["reported"] - series["quality"],
        "satisfaction": (series["trust"] + series["confidence"] + 1 - series["distress"]) / 3,
    }.items():
        assert found.of(HEAVY, name)[0, 1] == pytest.approx(expected)


def test_arms_of_a_world_share_their_seeds_and_worlds_do_not():
    twice = prior(1).take(np.array([0, 0]))
    found = evaluate(twice, [HEAVY, replace(HEAVY, name="again")], 2, sizes={"systems": 1, **SIZES})
    assert np.array_equal(found.values[:, 0], found.values[:, 1])
    assert not np.array_equal(found.values[0], found.values[1])
    assert not np.array_equal(found.values[0, 0, 0], found.values[0, 0, 1])


def test_arms_with_equal_parameters_share_their_runs(monkeypatch):
    runs = []
    real = engine.run
    monkeypatch.setattr(engine, "run", lambda *a, **k: runs.append(1) or real(*a, **k))
    register = Arm("register 0", settings=(("register", 0.0),))
    found = evaluated([Arm("baseline"), register, HEAVY], worlds=1, workers=1)
    assert len(runs) == 2 * 2 + 1  # two that differ, two seeds, and the warming up
    assert np.array_equal(found.of(register, "quality"), found.of(Arm("baseline"), "quality"))


def test_the_part_through_fear_is_exactly_zero_where_both_policies_are_the_same():
    for seen_by in ("initiative", "every rule"):
        own = Arm("own fear", "heavy", fear_of=replace(HEAVY, name="other"), seen_by=seen_by)
        found = evaluated([HEAVY, own])
        assert np.array_equal(found.values[:, 0], found.values[:, 1])


def test_anothers_fear_changes_what_managers_try_unless_nobody_takes_fear_into_account():
    lent = PATHS[0].minus
    sizes = {"systems": 1, "organisations": 5, "managers": 12, "months": 36, "window": 24}
    sample = prior(2, seed=3, off=0.0)
    with_fear = evaluate(sample, [HEAVY, lent], 2, sizes=sizes)
    assert not np.array_equal(with_fear.of(HEAVY, "initiative_rate"), with_fear.of(lent, "initiative_rate"))
    fearless = Worlds(sample.values.copy(), sample.off, sample.reliability)
    fearless.values[:, DRAWN.index("loss_aversion")] = 0.0
    without = evaluate(fearless, [HEAVY, lent], 2, sizes=sizes)
    assert np.array_equal(without.values[:, 0], without.values[:, 1])


def test_numbers_depend_neither_on_threads_nor_on_an_interruption(tmp_path, monkeypatch):
    monkeypatch.setattr("sim.worlds.evaluate.BLOCK", 2)

    def interrupt(done, total, note=""):
        if done >= 3:
            raise KeyboardInterrupt

    whole = evaluated([LIGHT, HEAVY], worlds=5, workers=1)
    with pytest.raises(KeyboardInterrupt):
        evaluated([LIGHT, HEAVY], worlds=5, folder=tmp_path, progress=interrupt)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.npz")}
    assert len(kept) == 1
    resumed = evaluated([LIGHT, HEAVY], worlds=5, folder=tmp_path, workers=2)
    assert np.array_equal(resumed.values, whole.values)
    assert all(path.stat().st_mtime_ns == made for path, made in kept.items())
    for path in tmp_path.glob("*.npz"):
        path.write_bytes(b"damaged")
    assert np.array_equal(evaluated([LIGHT, HEAVY], worlds=5, folder=tmp_path).values, whole.values)

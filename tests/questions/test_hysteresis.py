"""Surveillance raised and lowered again: what is left behind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sim.model.run import run_parameters
from sim.questions import ask
from sim.questions import hysteresis as tipping
from sim.questions.hysteresis import loop_areas
from sim.questions.paired import monthly, share_and_error
from sim.worlds.prior import DEFAULT, World, Worlds, prior

SOURCE = prior(6)
SMALL: dict[str, Any] = {"systems": 1, "organisations": 2, "managers": 3}
LEVELS = (0.1, 0.5, 0.9)


def test_the_area_of_a_loop_is_what_lies_between_its_two_ways():
    square = np.array([[0.0, 0.0, 1.0, 1.0, 0.0], [0.0, 0.5, 1.0, 0.5, 0.0], [0.0, 1.0, 1.0, 0.0, 0.0]])
    assert loop_areas(square, LEVELS) == pytest.approx([0.4, 0.0, -0.4])


def test_a_month_is_that_of_the_run():
    p = DEFAULT.parameters(months=12, **SMALL)
    assert np.array_equal(monthly(p, 3, "trust"), run_parameters(p, 3).series["trust"])


def test_where_the_levers_do_nothing_there_is_no_loop(monkeypatch):
    """Standardisation moved instead, in a world that has no use for it: both runs are the same to the bit."""
    monkeypatch.setattr(tipping, "MOVED", ("register",))
    worlds = prior(4)
    idle = Worlds(worlds.values, np.ones_like(worlds.off), worlds.nuisance)  # nobody is dismissed, so none is barred
    found = ask("tipping", idle, 4, levels=LEVELS, hold=2, rest=2, **SMALL)
    assert (found.tables["tipping_curve"][["mean", "low", "high"]] == 0.0).all(axis=None)
    assert (found.tables["tipping_worlds"]["area"] == 0.0).all()
    assert found.tables["tipping_shares"]["share"].tolist() == [0.0, 0.0]


def test_assurance_follows_monitoring_at_once_and_remembers_nothing():
    """Paperwork depends on today's monitoring only, so at equal levels it is the same up and down."""
    source = prior(4, off=1.0)  # without mechanisms there is no paperwork
    nothing = ask("tipping", source, 4, outcome="assurance", levels=LEVELS, hold=2, rest=2, **SMALL)
    assert (nothing.tables["tipping_curve"]["mean"] == 0.0).all()
    only = Worlds(source.values, source.off.copy(), source.nuisance)
    only.off[:, 0] = False
    found = ask("tipping", only, 4, outcome="assurance", levels=LEVELS, hold=2, rest=2, sesoi=0.01, **SMALL)
    mean = found.tables["tipping_curve"].set_index(["direction", "level"])["mean"]
    assert mean["up"][0.1] == 0.0 and mean["up"][0.9] > mean["up"][0.5] > 0.0
    assert mean["down"][0.5] == mean["up"][0.5]
    assert mean["down"][0.1] == 0.0 and found.tables["tipping_worlds"]["area"].mean() == pytest.approx(0.0, abs=1e-15)


def test_fear_comes_back_later_than_surveillance():
    found = ask("tipping", prior(60), 60, levels=LEVELS, hold=12, rest=24, systems=2)
    mean = found.tables["tipping_curve"].set_index(["direction", "level"])["mean"]
    assert mean["up"].is_monotonic_increasing and mean["down"][0.5] > mean["up"][0.5]
    assert found.tables["tipping_worlds"]["area"].mean() > 2 * found.tables["tipping_worlds"]["area"].std() / 60**0.5
    assert found.tables["tipping_worlds"]["rested"].mean() < found.tables["tipping_worlds"]["end"].mean()


def test_the_shares_are_those_of_the_worlds_above_the_smallest_effect():
    found = ask("tipping", SOURCE, 6, levels=LEVELS, hold=3, rest=3, sesoi=0.001, **SMALL)
    for when in ("end", "rested"):
        share, error = found.tables["tipping_shares"].set_index("when").loc[when, ["share", "error"]]
        assert share == pytest.approx((found.tables["tipping_worlds"][when] > 0.001).mean())
        assert share_and_error(share, error)[0] in found.sentences[0]


def test_the_schedule_holds_each_level_and_rests_at_the_lowest(monkeypatch):
    seen = []
    real = World.parameters
    monkeypatch.setattr(World, "parameters", lambda self, *a, **s: seen.append(s) or real(self, *a, **s))
    ask("tipping", SOURCE, 2, levels=LEVELS, hold=2, rest=5, workers=1, **SMALL)
    moved, held = seen[:2]
    assert moved["schedule"]["targets"] == {1: 0.1, 3: 0.5, 5: 0.9, 7: 0.5, 9: 0.1} and held["schedule"] == {}
    assert moved["months"] == held["months"] == 15 and held["monitoring"] == 0.1

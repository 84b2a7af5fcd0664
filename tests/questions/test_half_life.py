"""How long a heavy spell is remembered."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sim.model.parameters import MECHANISMS
from sim.questions import ask
from sim.questions.half_life import half_life
from sim.worlds.prior import Worlds, prior

SOURCE = prior(6)
SMALL: dict[str, Any] = {"systems": 1, "organisations": 2, "managers": 3}


def decay(months: float, noise: float = 0.0) -> np.ndarray:
    path = 0.1 * np.concatenate([np.ones(24), 0.5 ** (np.arange(1, 121) / months)])
    return path + np.random.default_rng(0).normal(0, noise, len(path))


@pytest.mark.parametrize("months", [5.0, 12.0, 40.0])
def test_the_half_life_of_a_known_decay_is_found(months):
    start, found = half_life(decay(months), 24)
    assert start == pytest.approx(0.1)
    assert found == pytest.approx(months, abs=0.3)


def test_a_month_of_noise_is_not_taken_for_the_half():
    assert half_life(decay(12.0, noise=0.01), 24)[1] == pytest.approx(12.0, abs=3.0)


def test_what_is_not_halved_takes_for_ever_and_too_little_has_no_half():
    assert half_life(np.full(100, 0.1), 24) == (pytest.approx(0.1), np.inf)
    for little in (0.01, -0.3):
        start, months = half_life(np.full(100, little), 24)
        assert start == pytest.approx(little) and np.isnan(months)


def test_before_the_spell_ends_the_paths_are_those_of_heavy_less_light():
    from sim.questions.paired import monthly  # noqa: PLC0415

    found = ask("memory", SOURCE, 3, spell=8, after=10, **SMALL)
    drawn = SOURCE.resample(3)
    by_hand = [
        monthly(world.parameters("heavy", months=8, **SMALL), seed, "fear")
        - monthly(world.parameters("light", months=8, **SMALL), seed, "fear")
        for world, seed in zip(drawn, drawn.seeds, strict=True)
    ]
    assert found.tables["memory_path"]["month"].tolist() == list(range(-7, 11))
    assert np.allclose(found.tables["memory_path"]["mean"][:8], np.mean(by_hand, axis=0))


def test_fear_fades_after_a_heavy_spell():
    found = ask("memory", prior(10, seed=4, off=0.0), 10, spell=36, after=60, systems=2)
    mean = found.tables["memory_path"].set_index("month")["mean"]
    assert mean[0] > 2 * mean[40:].mean()
    shares = found.tables["memory_shares"].set_index("what")["share"]
    enough = found.tables["memory_worlds"]["half_life"].notna()
    assert shares["excess"] == pytest.approx(enough.mean()) and shares["halved"] > 0.5
    assert (found.tables["memory_worlds"]["excess"][~enough] < 0.02).all()
    middle = found.tables["memory_half_life"].set_index("quantile").loc[0.5, "months"]
    assert f"half of that is gone after {middle:.0f} months" in found.sentences[0]


def test_without_learned_fear_there_is_nothing_to_halve():
    worlds = prior(4)
    off = worlds.off.copy()
    off[:, list(MECHANISMS).index("learned_fear")] = True
    source = Worlds(worlds.values, off, worlds.nuisance)
    found = ask("memory", source, 4, spell=12, after=12, **SMALL)
    assert found.tables["memory_half_life"].empty and found.sentences[0].endswith("a half-life says nothing.")

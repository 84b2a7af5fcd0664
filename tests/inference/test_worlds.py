"""Worlds: calibrated to data that the model itself made, they recover what the data say and name what they do not."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np
import pytest

from sim.inference import calibration, survey, worlds
from sim.inference.calibration import calibrate
from sim.inference.patterns import Pattern
from sim.inference.survey import Evidence, Sizes
from sim.inference.weights import weighted_quantile
from sim.inference.world import DRAWN, World, prior

SMALL = Sizes(survey_systems=2, trial_systems=1, organisations=2, managers=6)
LEVELS = ("exits", "silence", "sanctions", "initiative_rate", "gaming", "skill", "distress", "trust")
SETTING = {"monitoring": 0.4, "targets": 0.5, "relationship": 0.3, "standardisation": 0.0, "months": 24, "window": 12}
BLANK = Evidence(SETTING, tuple(Pattern(name, "level", 0.0, 1.0, needs={"outcome": name}) for name in LEVELS))
UNSEEN = ("standard_pull", "standard_lag", "standard_safety")
"""Parameters that do nothing as long as nothing is standardised."""
TRUTHS = prior(100, seed=99, off=0.0)


@pytest.fixture(autouse=True)
def small_work(monkeypatch):
    monkeypatch.setattr(calibration, "VARIANCE_WORLDS", 8)
    monkeypatch.setattr(calibration, "VARIANCE_SEEDS", 3)


@cache
def noise():
    """The variance of each level in one and the same world, as a calibration estimates it."""
    return survey.simulation_variance(BLANK, prior(8, seed=0, off=0.0), 3, SMALL)


def evidence_from(world: World, seed: int) -> Evidence:
    """What surveys of this world find, with errors as large as those that the tolerances allow for."""
    rng, found = np.random.default_rng(seed), survey.measure(BLANK, world, seed, SMALL)
    sds = {name: float(np.sqrt(variance)) for name, variance in noise().items()}
    return Evidence(
        SETTING,
        tuple(
            dataclasses.replace(p, value=found[p.id] + np.sqrt(2.0) * sds[p.id] * rng.standard_normal(), sd=sds[p.id])
            for p in BLANK.patterns
        ),
    )


def recovered(folder, number, **settings):
    """The table of parameters of a calibration to world `number`, with the truth and two quantiles beside it."""
    world = TRUTHS[number]
    made = calibrate(folder / str(number), evidence=evidence_from(world, number), off=0.0, sizes=SMALL, **settings)
    table = worlds.parameters(made)
    quartiles = [weighted_quantile(made.weights, column, (0.25, 0.75)) for column in made.worlds.values.T]
    table[["p25", "p75"]] = quartiles
    return table.assign(truth=[world.values[name] for name in DRAWN], world=number)


def test_a_world_is_recovered_from_its_own_data_where_they_say_anything(tmp_path):
    table = recovered(tmp_path, 0, draws=150, particles=50, sweeps=1).set_index("parameter")
    informed = table[table["informed"]]
    width = (informed["high"] - informed["low"]) / np.sqrt(12.0)
    middle = (informed["high"] + informed["low"]) / 2
    assert len(informed) >= 1
    assert (((informed["mean"] - informed["truth"]) / width) ** 2).mean() < (
        ((middle - informed["truth"]) / width) ** 2
    ).mean()
    assert not table.loc[list(UNSEEN), "informed"].any()


@pytest.mark.slow
def test_bands_of_what_data_from_a_known_world_inform_hold_the_truth_as_often_as_they_say(tmp_path):
    import pandas as pd

    table = pd.concat(
        [recovered(tmp_path, number, draws=250, particles=80, sweeps=2) for number in range(12)], ignore_index=True
    )
    table.to_csv("/tmp/brief/I_table.csv")
    print(table[table.informed][["world", "parameter", "low", "high", "p5", "p95", "p25", "p75", "mean", "error", "truth", "distance", "noise"]].to_string())
    informed = table[table["informed"]]
    inside = {
        0.9: (informed["p5"] <= informed["truth"]) & (informed["truth"] <= informed["p95"]),
        0.5: (informed["p25"] <= informed["truth"]) & (informed["truth"] <= informed["p75"]),
    }
    for rate, held in inside.items():
        assert abs(held.mean() - rate) < 4 * np.sqrt(rate * (1 - rate) / len(held))
    assert (informed.groupby("world").size() >= 1).all()
    assert informed["world"].nunique() == 12

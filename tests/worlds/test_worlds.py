"""Worlds: calibrated to data that the model itself made, they recover what the data say and name what they do not."""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sim.model.parameters import PARAMETERS
from sim.statistics import weighted_quantile
from sim.worlds import emulator, smc, survey
from sim.worlds import summary as worlds
from sim.worlds.calibrate import calibrate
from sim.worlds.evidence import Evidence, Pattern
from sim.worlds.prior import DRAWN, UNIFORMS, World, prior, worlds_from
from sim.worlds.smc import Plan
from sim.worlds.survey import Sizes

SMALL = Sizes(survey_systems=2, trial_systems=1, organisations=2, managers=6)
LEVELS = ("initiative_rate", "gaming", "skill", "distress")
SETTING = {"monitoring": 0.4, "targets": 0.5, "relationship": 0.3, "standardisation": 0.0, "months": 24, "window": 12}
BLANK = Evidence(SETTING, tuple(Pattern(name, "level", 0.0, 1.0, needs={"outcome": name}) for name in LEVELS))
UNSEEN = ("standard_pull", "standard_lag", "standard_safety")
"""Parameters that do nothing as long as nothing is standardised."""
TRUTHS = prior(12, seed=99, off=0.0)


@pytest.fixture(autouse=True)
def small_work(monkeypatch):
    monkeypatch.setattr(emulator, "NETWORKS", 1)
    monkeypatch.setattr(smc, "_MIXING", 100)


def surveyed(world: World, number: int) -> dict[str, Any]:
    """What surveys of a world find, as a calibration asks them."""
    return survey.measure(BLANK, world, survey.seeds_of(number, BLANK.size("seeds")), SMALL)


@cache
def tolerances() -> dict[str, float]:
    """For each level half its spread over worlds."""
    found = [surveyed(world, number) for number, world in enumerate(prior(40, seed=98, off=0.0))]
    return {name: 0.5 * float(np.std([each[name] for each in found])) for name in LEVELS}


def evidence_from(world: World, number: int) -> Evidence:
    """What surveys of this world find, with errors as large as those that a calibration allows for."""
    rng, found = np.random.default_rng(number), surveyed(world, number)
    return Evidence(
        SETTING,
        tuple(
            dataclasses.replace(p, value=found[p.id] + rng.normal(0.0, tolerances()[p.id]), sd=tolerances()[p.id])
            for p in BLANK.patterns
        ),
    )


def recovered(folder: Path, world: World, number: int, plan: Plan) -> pd.DataFrame:
    """The table of parameters of a calibration to this world, with quartiles and the truth beside it."""
    made = calibrate(folder / str(number), evidence=evidence_from(world, number), off=0.0, sizes=SMALL, plan=plan,
                     kept=plan.particles)  # fmt: skip
    table = worlds.parameters(made)
    table[["p25", "p75"]] = [weighted_quantile(made.weights, x, (0.25, 0.75)) for x in made.values.T]
    return table.assign(truth=[world.values[name] for name in DRAWN], world=number)


def square_error(table: pd.DataFrame, guess: pd.Series) -> float:
    """Mean square distance of guesses from the truth, in variances of the prior."""
    return float((12.0 * ((guess - table["truth"]) / (table["high"] - table["low"])) ** 2).mean())


def test_a_world_of_much_distress_is_recovered_from_its_own_data(tmp_path):
    middle = worlds_from(np.full((1, UNIFORMS), 0.5), off=0.0)[0]
    world = dataclasses.replace(middle, values={**middle.values, "distress_gain": PARAMETERS["distress_gain"].high})
    table = recovered(tmp_path, world, 0, Plan(400, (100,), 100, 60, 1, 50)).set_index("parameter")
    found = table.loc["distress_gain"]
    assert found["informed"]
    assert found["mean"] > 0.4 * found["low"] + 0.6 * found["high"]  # more depends on the BLAS
    assert not table.loc[list(UNSEEN), "informed"].any()


@pytest.mark.exhaustive
def test_what_is_informed_lies_within_its_bands_as_often_as_they_say_and_what_nothing_shows_is_named(tmp_path):
    plan = Plan(800, (200,), 200, 100, 2, 100)
    table = pd.concat([recovered(tmp_path, world, number, plan) for number, world in enumerate(TRUTHS)])
    informed = table[table["informed"]]
    for low, high, rate in (("p5", "p95", 0.9), ("p25", "p75", 0.5)):
        held = informed["truth"].between(informed[low], informed[high])
        assert abs(held.mean() - rate) < 4 * np.sqrt(rate * (1 - rate) / len(held))
    assert square_error(informed, informed["mean"]) < square_error(informed, (informed["low"] + informed["high"]) / 2)
    assert informed["world"].nunique() == 12
    often = informed["parameter"].value_counts()
    assert (often[["skill_mean", "distress_gain"]] > 6).all()
    assert often.reindex(UNSEEN).sum() <= 2  # of 36, each with one chance in a hundred

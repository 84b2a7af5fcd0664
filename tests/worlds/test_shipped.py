"""The ensembles that come with the package: small, of this version of the model, and what they say they are."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

from sim.model.mechanisms import MECHANISMS
from sim.worlds import evidence, survey
from sim.worlds import summary as worlds
from sim.worlds.calibrate import PRIORS
from sim.worlds.ensemble import FOLDER, Ensemble, load
from sim.worlds.smc import Plan

MEBIBYTE = 2**20


@pytest.fixture(scope="module", params=["main", "all_on"])
def shipped(request: pytest.FixtureRequest) -> Ensemble:
    return load(prior=request.param)


def test_both_together_are_small() -> None:
    assert sum(file.stat().st_size for file in FOLDER.glob("*.parquet")) <= 8 * MEBIBYTE


def test_they_were_weighted_by_the_findings_that_come_with_the_package(shipped: Ensemble) -> None:
    assert shipped.evidence == evidence.load()


def test_they_bear_a_verdict(shipped: Ensemble) -> None:
    """By the rules that were fixed beforehand; the second prior has fewer calibrations."""
    told = worlds.quality(shipped)
    assert told["effective_size"] >= 400
    if shipped.chance_off:
        assert told["effective_calibrations"] >= 6
        assert told["largest_share"] <= 0.3
        assert told["sd_log_z"] <= 0.6


def test_in_the_second_prior_no_mechanism_is_off() -> None:
    """But those that the file has never heard of, which are off in all of its worlds."""
    main, second = load(), load(prior="all_on")
    off = second.off.any(axis=0)
    assert [
        key for key, is_off in zip(MECHANISMS, off, strict=True) if is_off and f"{key} off" not in second.unheard
    ] == []
    assert 0.05 < main.off.mean() < 0.25


def test_they_were_calibrated_as_the_command_would(shipped: Ensemble) -> None:
    which = "all_on" if shipped.chance_off == 0.0 else "main"
    made: list[dict[str, Any]] = json.loads(json.dumps(shipped.provenance["calibrations"]))
    assert [one["run"] for one in made] == list(range(1, len(made) + 1))
    assert all((one["prior"], one["off"]) == (which, PRIORS[which]["off"]) for one in made)
    assert all(one["plan"] == json.loads(json.dumps(asdict(Plan()))) for one in made)


def test_what_a_world_measured_is_measured_again(shipped: Ensemble) -> None:
    """Under its seeds; to single precision, which is what the file keeps."""
    again = survey.measure(shipped.evidence, shipped[7], shipped.surveys(shipped.evidence)[7])
    for name, value in again.items():
        assert shipped.measured[name][7] == pytest.approx(value, rel=1e-5, abs=1e-6), name


def test_evidence_tilts_the_worlds_towards_the_findings(shipped: Ensemble) -> None:
    """Each finding lies within two tolerances in more of the weight than of the prior."""
    table = worlds.patterns(shipped)
    assert (table["within"] > table["prior_within"]).all()
    assert np.isfinite(table[["low", "median", "high"]].to_numpy()).all()
